"""Moments by two clocks: the event loop's, and the wall's."""

import asyncio
import time
from typing import Self

from attrs import frozen

__all__ = ["Instant"]

# Seconds by which the two clocks may part without the machine having slept.
_DRIFT = 2.0


@frozen
class Instant:
    """A moment, by the clock of the event loop and by that of the wall.

    The loop's clock stands still while the machine sleeps, and the wall's can be set. Whichever
    says that more time has passed is believed: it is safe to take a URL for too old.
    """

    loop: float
    wall: float

    @classmethod
    def ago(cls, seconds: float = 0.0) -> Self:
        """Return the moment that was some seconds ago."""
        return cls(asyncio.get_running_loop().time() - seconds, time.time() - seconds)

    @property
    def age(self) -> float:
        """Seconds since then."""
        return max(asyncio.get_running_loop().time() - self.loop, time.time() - self.wall)

    @property
    def was_slept_since(self) -> bool:
        """Whether the machine seems to have slept since then."""
        by_loop = asyncio.get_running_loop().time() - self.loop
        return time.time() - self.wall > by_loop + _DRIFT
