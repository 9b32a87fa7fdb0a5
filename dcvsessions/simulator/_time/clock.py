"""The simulator's clock: simulated seconds since it started, read from the event loop."""

import asyncio
import math
from datetime import UTC, datetime, timedelta

from dcvsessions.simulator._time.timeline import rounded

__all__ = ["Clock"]


class Clock:
    """Simulated time: the time that passed on one event loop, multiplied by a speed.

    It reads `loop.time()` and nothing else, so it is exact under a loop whose time is virtual.
    Before it is started it stands at zero.

    Args:
        speed: Simulated seconds per second of the loop.

    Raises:
        ValueError: The speed is not a positive finite number.
    """

    def __init__(self, speed: float) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be a positive number, not {speed!r}")
        self._speed = speed
        self._origin = datetime.min.replace(tzinfo=UTC)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = 0.0
        self._latest = 0.0
        self._ahead = 0.0

    def start(self, loop: asyncio.AbstractEventLoop, origin: datetime) -> None:
        """Run from now on, on the time of this event loop.

        Args:
            loop: The event loop.
            origin: The wall-clock time of simulated second zero.
        """
        self._loop = loop
        self._origin = origin
        self._started = self._latest = loop.time()

    def advance(self, seconds: float) -> None:
        """Let simulated seconds pass at once.

        Raises:
            ValueError: The number is negative or not finite.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"seconds must be zero or more, not {seconds!r}")
        self._ahead += seconds

    def now(self) -> float:
        """Return the simulated seconds since the start, and those that were advanced by."""
        if self._loop is None:
            return self._ahead
        time = self._loop.time()
        # A virtual-time loop may set its time back between the fixtures and the test. Then no
        # simulated time passes.
        self._started += min(0.0, time - self._latest)
        self._latest = time
        return rounded((time - self._started) * self._speed + self._ahead)

    @property
    def speed(self) -> float:
        """Simulated seconds per second of the loop."""
        return self._speed

    def loop_time(self) -> float:
        """Return the event loop's own time; zero before the start."""
        return 0.0 if self._loop is None else self._loop.time()

    def to_loop_seconds(self, simulated_seconds: float) -> float:
        """Return how long a simulated duration takes on the event loop."""
        return simulated_seconds / self._speed

    def date(self) -> datetime:
        """Return the simulated wall-clock time."""
        return self.wall_time(self.now())

    def wall_time(self, instant: float) -> datetime:
        """Return the wall-clock time of an instant; the last possible datetime if it is later."""
        try:
            return self._origin + timedelta(seconds=instant)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)
