"""Points in time. Their age includes the time during which the machine slept."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Self

from attrs import frozen

__all__ = ["Instant", "date_in"]


@frozen
class Instant:
    """A point in time, on the event loop's clock and on the wall clock.

    The loop's clock stops while the machine sleeps, and somebody can set the wall clock. `age` is
    the larger of the two differences. So this package may take a URL for expired too early, but not
    too late.
    """

    loop: float
    wall: float

    @classmethod
    def ago(cls, seconds: float = 0.0) -> Self:
        """Return the point in time that was some seconds ago."""
        return cls(asyncio.get_running_loop().time() - seconds, time.time() - seconds)

    @property
    def age(self) -> float:
        """Seconds since then."""
        return max(asyncio.get_running_loop().time() - self.loop, time.time() - self.wall)


def date_in(seconds: float) -> datetime:
    """Return the date that is `seconds` from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
