"""Time as the machine and the service know it: the loop's, and apart from it after a suspend."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import pkgutil
import time
from email.utils import format_datetime
from functools import cache
from types import ModuleType
from typing import Self

import pytest

import dcvsessions

EPOCH = 1_800_000_000.0  # 15 January 2027
# Clocks that count a suspend; CLOCK_MONOTONIC, which is the event loop's, does not on Linux.
_COUNTING = {
    getattr(time, name) for name in ("CLOCK_REALTIME", "CLOCK_BOOTTIME") if hasattr(time, name)
}


class Clock:
    """The wall clock of the machine, and the service's, which may differ by `skew`.

    Both move with the event loop's clock, which is virtual in these tests, and on their own in a
    suspend.

    Attributes:
        suspended: Seconds that passed while the loop's clock stood still.
        skew: Seconds that the service's clock is ahead of the machine's.
    """

    def __init__(self) -> None:
        self.suspended = 0.0
        self.skew = 0.0

    def suspend(self, seconds: float) -> None:
        """Let time pass for everyone but the event loop."""
        self.suspended += seconds

    @property
    def wall(self) -> float:
        """The machine's wall clock, in seconds since 1970."""
        return EPOCH + asyncio.get_running_loop().time() + self.suspended

    @property
    def service(self) -> float:
        """The service's clock, in seconds since 1970."""
        return self.wall + self.skew

    @property
    def http_date(self) -> str:
        """The service's `Date` header."""
        return format_datetime(dt.datetime.fromtimestamp(self.service, dt.UTC), usegmt=True)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make this the wall clock of `time`, and of `datetime` in all modules of dcvsessions."""
        clock = self
        real_time, real_gettime = time.time, time.clock_gettime

        def now() -> float:
            try:
                return clock.wall
            except RuntimeError:  # no loop runs, as while logging is shut down
                return real_time()

        class _OnlyLooks(type):
            def __instancecheck__(cls, value: object) -> bool:
                return isinstance(value, dt.datetime)

        class Datetime(dt.datetime, metaclass=_OnlyLooks):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> Self:
                return cls.fromtimestamp(now(), tz)

        def gettime(which: int) -> float:
            return now() if which in _COUNTING else real_gettime(which)

        monkeypatch.setattr(time, "time", now)
        monkeypatch.setattr(time, "time_ns", lambda: int(now() * 1e9))
        monkeypatch.setattr(time, "clock_gettime", gettime)
        for module in _modules_that_read_dates():
            monkeypatch.setattr(module, "datetime", Datetime)


@cache
def _modules_that_read_dates() -> tuple[ModuleType, ...]:
    """Return the modules of dcvsessions that have `datetime`, those too that are imported late."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(dcvsessions.__path__, "dcvsessions.")
        if not found.name.startswith(("dcvsessions.simulator", "dcvsessions.__main__"))
    ]
    return tuple(module for module in modules if vars(module).get("datetime") is dt.datetime)
