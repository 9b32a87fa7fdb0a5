"""How long one call of a helper may take, by the clock of its event loop."""

import asyncio
import math

__all__ = ["FINAL_POLL_GRACE", "Deadline"]

# Seconds after the deadline within which the last poll has to be answered.
FINAL_POLL_GRACE = 3.0
_CLOCK_RESOLUTION = 1e-3


class Deadline:
    """The deadline of one call of a helper, which all of its stages share.

    Args:
        timeout: Seconds until the deadline; None for no deadline.
    """

    def __init__(self, timeout: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self.timeout = timeout
        self.began = self._loop.time()
        self._at = math.inf if timeout is None else self.began + timeout
        self._end: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return self._loop.time() - self.began

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; 0 once it has come."""
        left = self._at - self._loop.time()
        return left if left > _CLOCK_RESOLUTION else 0.0

    def limit(self, *, is_final: bool = False) -> float | None:
        """Return the instant at which a call is cut off, for `asyncio.timeout_at()`.

        Args:
            is_final: Whether it is the last poll, which may take a little longer.
        """
        if math.isinf(self._at):
            return None
        return self._final() if is_final else self._at

    def _final(self) -> float:
        # The grace is given once. It begins later than at the deadline if the process was
        # stopped, or the loop was busy, when the deadline came.
        if self._end is None:
            self._end = max(self._at, self._loop.time()) + FINAL_POLL_GRACE
        return self._end
