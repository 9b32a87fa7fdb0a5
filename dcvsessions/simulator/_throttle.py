"""Limits on the rate of requests: token buckets. Pure."""

import math

from attrs import define

__all__ = ["Throttles"]


@define
class _Bucket:
    """A bucket of tokens. Each request takes one, and time brings new ones."""

    rate: float
    burst: int
    tokens: float
    at: float

    def refill(self, now: float) -> None:
        self.tokens = min(float(self.burst), self.tokens + (now - self.at) * self.rate)
        self.at = now


class Throttles:
    """The limits of all operations together, and of single ones."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def limit(self, operation: str, rate: float, burst: int, now: float) -> None:
        """Limit the requests of an operation, from now on. See `Simulator.throttle()`."""
        if not (math.isfinite(rate) and rate > 0):
            raise ValueError(f"rate must be a positive number of requests per second, not {rate!r}")
        if burst < 1:
            raise ValueError(f"burst must be at least 1, not {burst}")
        self._buckets[operation] = _Bucket(rate, burst, float(burst), now)

    def clear(self) -> None:
        """Remove all limits."""
        self._buckets.clear()

    def admits(self, operation: str, now: float) -> bool:
        """Count a request that arrives now, and tell whether it is within all limits."""
        concerned = [self._buckets[name] for name in ("*", operation) if name in self._buckets]
        for bucket in concerned:
            bucket.refill(now)
        # A rounding error of the time must not cost a request.
        if any(bucket.tokens < 1 - 1e-6 for bucket in concerned):
            return False
        for bucket in concerned:
            bucket.tokens -= 1
        return True
