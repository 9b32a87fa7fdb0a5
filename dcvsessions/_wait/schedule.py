"""How long to wait before the next poll. Pure: the caller passes the time and a random number.

Exponential backoff suits an operation of minutes badly. It polls most often at first, when the
operation cannot be done yet, and most seldom later, when it may be done at any moment. This
schedule does the reverse. While the operation is likely to need more time, the next poll comes
after half of that time. After that, the interval is constant. `benchmarks/schedules.py` compares
this with other schedules, and with the fewest polls that any schedule could make.
"""

import math

from attrs import frozen

__all__ = ["PercentageTrend", "Schedule"]

# A poll costs as much as noticing the end this many seconds late.
_POLL_COST = 0.5
_JITTER = 0.1
# A share of the shortest interval: how soon a failed poll is first repeated.
_FIRST_REPEAT = 0.25
_MOST_DOUBLINGS = 6
_MOST_STRETCH = 4.0
_MOST_STRETCH_OF_LONGEST = 2.0


@frozen(kw_only=True, eq=False, repr=False)
class Schedule:
    """When to poll an operation.

    Attributes:
        quartile: Seconds in which a quarter of such operations is done.
        shortest: The interval when the operation may be done at any moment, in seconds.
        longest: The longest interval, in seconds; if calls wait for their turn, up to twice that.
        jitter: The share of an interval by which chance shortens it at most, so that waits that
            began together do not poll together.
    """

    quartile: float = 0.0
    shortest: float
    longest: float
    jitter: float = _JITTER

    def interval(
        self,
        elapsed: float | None,
        *,
        remaining: float | None = None,
        errors: int = 0,
        delay: float = 0.0,
        draw: float = 0.0,
    ) -> float:
        """Return the seconds until the next poll.

        Args:
            elapsed: Seconds since the operation began; None if that is not known.
            remaining: Seconds until it is done, as its percentages predict; None if they predict
                nothing.
            errors: How many polls have failed in a row. They do not tell whether the operation is
                done, so the first is repeated soon. Each further one doubles the interval.
            delay: Seconds that a call now waits for its turn, because many waits use up the rate
                that the service grants. The intervals become longer.
            draw: A random number from 0 to 1.
        """
        if remaining is None:
            remaining = 0.0 if elapsed is None else self.quartile - elapsed
        # While calls wait for their turn, one poll delays the polls of other waits by `delay` in
        # total. The interval that costs least grows as the square root of what a poll costs.
        stretch = min(math.sqrt((_POLL_COST + delay) / _POLL_COST), _MOST_STRETCH)
        shortest = self.shortest * stretch
        longest = self.longest * min(stretch, _MOST_STRETCH_OF_LONGEST)
        if errors:
            wish = shortest * _FIRST_REPEAT * 2.0 ** min(errors - 1, _MOST_DOUBLINGS)
        else:
            wish = max(remaining / 2, shortest)
        return min(wish, longest) * (1 - self.jitter * draw)


@frozen(eq=False, repr=False)
class PercentageTrend:
    """The percentages of one operation, from which its end is predicted.

    Attributes:
        first: When a percentage was first read, in seconds, and that percentage.
        last: When the latest other percentage was first read, and that percentage.
        step: By how much the latest percentage differs from the one before it.
    """

    first: tuple[float, int] | None = None
    last: tuple[float, int] | None = None
    step: int = 0

    def read(self, now: float, percentage: int) -> "PercentageTrend":
        """Return the trend after a reading."""
        reading = (now, percentage)
        if self.first is None or self.last is None:
            return PercentageTrend(reading, reading)
        if self.last[1] == percentage:
            return self
        return PercentageTrend(self.first, reading, percentage - self.last[1])

    def remaining(self, now: float) -> float | None:
        """Return the seconds until 100 %, or None if the readings do not tell."""
        if self.first is None or self.last is None:
            return None
        (since, low), (until, high) = self.first, self.last
        if high <= low or until <= since:
            return None
        # The service rounds down: on average, half a step more is done.
        left = 100 - high - self.step / 2
        return max(0.0, left * (until - since) / (high - low) - (now - until))
