"""The simulator's clock: simulated seconds since it started, read from the event loop."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from dcvsessions.simulator.timeline import exact

if TYPE_CHECKING:
    import asyncio


class Clock:
    """Simulated time: the elapsed time of one event loop, times a speed.

    It reads ``loop.time()`` and nothing else, so that it is exact under a loop whose time is
    virtual. Before it is started it stands at zero.

    Args:
        speed: Simulated seconds per second of the loop.
        origin: The wall-clock time that simulated second zero stands for.

    Raises:
        ValueError: The speed is not a positive finite number.
    """

    def __init__(self, speed: float, origin: dt.datetime) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be a positive number, not {speed!r}")
        self._speed = speed
        self._origin = origin
        self._loop: asyncio.AbstractEventLoop | None = None
        self._started = 0.0
        self._latest = 0.0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the time run.

        Args:
            loop: The event loop whose time is read from now on.
        """
        self._loop = loop
        self._started = self._latest = loop.time()

    def now(self) -> float:
        """Tell the simulated seconds since the start.

        Returns:
            Zero before the start.
        """
        if self._loop is None:
            return 0.0
        time = self._loop.time()
        # A virtual-time loop may set its time back when the test itself begins, after the fixtures:
        # to the simulator, no time has passed then.
        self._started += min(0.0, time - self._latest)
        self._latest = time
        return exact((time - self._started) * self._speed)

    def loop_time(self) -> float:
        """Tell the event loop's own time, for the record of what arrived when.

        Returns:
            ``loop.time()``, or zero before the start.
        """
        return 0.0 if self._loop is None else self._loop.time()

    def real(self, simulated_seconds: float) -> float:
        """Tell how long a simulated duration lasts on the loop.

        Args:
            simulated_seconds: A duration in simulated seconds.

        Returns:
            The same duration in seconds of the loop.
        """
        return simulated_seconds / self._speed

    def wall(self, instant: float) -> dt.datetime:
        """Tell the wall-clock time of an instant.

        Args:
            instant: Simulated seconds since the start.

        Returns:
            An aware datetime in UTC; the last that there is for what is later than that.
        """
        try:
            return self._origin + dt.timedelta(seconds=instant)
        except OverflowError:
            return dt.datetime.max.replace(tzinfo=dt.UTC)
