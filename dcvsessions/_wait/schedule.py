"""How long to wait before the next poll. Pure: the time and the random draw come in.

An operation of known scale is not polled with exponential backoff, which is late just when the
operation is done. The interval follows how likely "ready" is now: with h(t) the hazard rate of
the ready time, and one call worth c seconds of lateness, it is sqrt(2c / h(t)) (Keller, Optimum
checking schedules for systems subject to random failure, Management Science 21(3), 1974). Where
the service reports a percentage that moves, the interval follows that.
"""

import math

from attrs import frozen

__all__ = ["PercentageTrend", "Schedule", "fixed"]

# One call is worth this many seconds of lateness: about 5 s late at a median of two minutes.
_CALL_COST = 0.5
_JITTER = 0.2
_MOST_DOUBLINGS = 5
_SQRT_2 = math.sqrt(2)
_SQRT_2_PI = math.sqrt(2 * math.pi)
_LEAST = 1e-12


@frozen(kw_only=True)
class Schedule:
    """When to poll an operation whose ready time is lognormal.

    Attributes:
        typical: The median of the ready time, in seconds.
        spread: The standard deviation of its logarithm.
        shortest: The shortest interval, in seconds; also the first, so that what is ready or
            has failed at once is seen at once.
        longest: The longest interval, in seconds: what bounds the lateness of a wrong guess.
        jitter: By how much of itself an interval is made shorter or longer, so that waits that
            began together do not poll together.
    """

    typical: float
    spread: float = 0.6
    shortest: float
    longest: float
    jitter: float = _JITTER

    def interval(
        self,
        elapsed: float,
        *,
        remaining: float | None = None,
        errors: int = 0,
        draw: float = 0.5,
    ) -> float:
        """Return the seconds until the next poll.

        Args:
            elapsed: Seconds since the operation began.
            remaining: Seconds that it will take still, as its percentages tell; None if they
                do not.
            errors: How many polls have failed in a row. Each doubles the interval.
            draw: A random number from 0 to 1.
        """
        wish = self._likely(elapsed) if remaining is None else remaining
        # At most the time that it took so far: a guess about minutes has to earn them.
        wish = min(wish, max(self.shortest, elapsed)) * 2.0 ** min(errors, _MOST_DOUBLINGS)
        kept = min(max(wish, self.shortest), self.longest)
        return kept * (1 + self.jitter * (2 * draw - 1))

    def _likely(self, elapsed: float) -> float:
        """Keller's interval."""
        hazard = _lognormal_hazard(elapsed, self.typical, self.spread)
        return math.sqrt(2 * _CALL_COST / max(hazard, _LEAST))


def fixed(seconds: float) -> Schedule:
    """Return the schedule of a plain fixed interval, without jitter.

    Args:
        seconds: The interval.
    """
    return Schedule(typical=seconds, shortest=seconds, longest=seconds, jitter=0)


@frozen
class PercentageTrend:
    """The percentages that were read of one operation, as far as they predict its end.

    Attributes:
        first: When a percentage was first read, in seconds, and that percentage.
        last: When the latest other percentage was first read, and that percentage.
    """

    first: tuple[float, int] | None = None
    last: tuple[float, int] | None = None

    def read(self, now: float, percentage: int) -> "PercentageTrend":
        """Return the trend after a reading."""
        if self.last is not None and self.last[1] == percentage:
            return self
        reading = (now, percentage)
        return PercentageTrend(self.first or reading, reading)

    @property
    def remaining(self) -> float | None:
        """The seconds until 100 %, or None if the readings do not tell."""
        if self.first is None or self.last is None:
            return None
        (since, low), (now, high) = self.first, self.last
        if high <= low or now <= since:
            return None
        return max(0, 100 - high) * (now - since) / (high - low)


def _lognormal_hazard(elapsed: float, median: float, spread: float) -> float:
    if elapsed <= _LEAST:
        return 0.0
    z = math.log(elapsed / median) / spread
    density = math.exp(-z * z / 2) / (elapsed * spread * _SQRT_2_PI)
    survival = math.erfc(z / _SQRT_2) / 2
    return density / max(survival, _LEAST)
