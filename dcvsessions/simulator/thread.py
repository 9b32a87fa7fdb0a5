"""A simulator in a thread of its own, for code that has no event loop to run it in."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from dcvsessions.simulator.server import Simulator


@contextlib.contextmanager
def serve_in_thread(simulator: Simulator) -> Generator[Simulator]:
    """Run a simulator in an event loop in another thread.

    Its handles may be used from the calling thread as usual. What goes wrong when it starts, such
    as a port that is taken, is raised here.

    Args:
        simulator: A simulator that has not been entered yet.

    Yields:
        The same simulator, serving.

    Raises:
        OSError: The port cannot be had.
        RuntimeError: The simulator has been entered before.

    Example:
        >>> with serve_in_thread(Simulator()) as sim:
        ...     sim.lightsail.add_instance("my-computer")
    """
    started: concurrent.futures.Future[_Stop] = concurrent.futures.Future()
    thread = threading.Thread(
        target=_run, args=(simulator, started), name="dcv-simulator", daemon=True
    )
    thread.start()
    try:
        stop = started.result()
        try:
            yield simulator
        finally:
            stop.request()
    finally:
        thread.join()


class _Stop:
    """The way to end an event loop's work from another thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._requested = asyncio.Event()

    def request(self) -> None:
        self._loop.call_soon_threadsafe(self._requested.set)

    async def wait(self) -> None:
        await self._requested.wait()


def _run(simulator: Simulator, started: concurrent.futures.Future[_Stop]) -> None:
    try:
        asyncio.run(_serve(simulator, started))
    except BaseException as error:  # whoever waits for the start has to hear of it
        if started.done():
            raise
        started.set_exception(error)


async def _serve(simulator: Simulator, started: concurrent.futures.Future[_Stop]) -> None:
    stop = _Stop()
    async with simulator:
        started.set_result(stop)
        await stop.wait()
