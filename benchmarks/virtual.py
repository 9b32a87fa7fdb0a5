"""Client and simulator in one event loop in virtual time, on loopback.

Time passes only while everybody waits, so these figures do not depend on the machine.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from itertools import count
from typing import TypeVar

import looptime
from attrs import field, frozen
from botocore.retries.bucket import Clock

from dcvsessions.simulator import Fault, Simulator

__all__ = ["LATENCY", "Record", "delay", "run", "simulator"]

# Seconds from a request to its response.
LATENCY = 0.05
_KEEP_REQUESTS = 10_000_000

_Result = TypeVar("_Result")


@frozen
class Record:
    """The result for desktops that were opened together.

    Attributes:
        times: The seconds after which each URL was there.
        errors: How often each kind of error was raised.
    """

    times: list[float] = field(factory=list[float])
    errors: Counter[str] = field(factory=Counter[str])

    async def gather(self, work: Iterable[Awaitable[object]]) -> None:
        """Await all of the work, and record what ends it."""
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def one(opening: Awaitable[object]) -> None:
            try:
                await opening
            except Exception as error:  # noqa: BLE001 - it is what is counted
                self.errors[type(error).__name__] += 1
            else:
                self.times.append(loop.time() - began)

        await asyncio.gather(*map(one, work))


def run(work: Callable[[], Coroutine[None, None, _Result]], seed: int) -> _Result:
    """Run work in virtual time, with seeded jitter."""
    random.seed(seed)
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        loop = runner.get_loop()
        readings = count()
        # botocore's adaptive mode reads the wall clock, which virtual time does not move. It also
        # counts on a clock that moves between two readings: on one that does not, it would wait
        # for ever for the last 1e-15 of a call.
        wall_clock = Clock.current_time
        Clock.current_time = lambda _: loop.time() + 1e-9 * next(readings)
        try:
            return runner.run(work())
        finally:
            Clock.current_time = wall_clock


def _new_loop() -> asyncio.AbstractEventLoop:
    # Responses on loopback are there at once, so a few looks for them are enough.
    loop = looptime.new_event_loop(noop_cycles=3)
    # Since Python 3.12, a runner gives threads 300 s to end. In virtual time these pass at once.
    shut_down = loop.shutdown_default_executor
    loop.shutdown_default_executor = lambda _timeout=None: shut_down()
    return loop


def simulator(seed: int) -> Simulator:
    """Return a simulator that keeps all requests."""
    return Simulator(seed=seed, keep_requests=_KEEP_REQUESTS)


def delay(sim: Simulator, seconds: float) -> None:
    """Delay all responses."""
    if seconds:
        sim.inject("*", Fault.delay(seconds), times=None)
