"""A simulator in a thread, for code that has no event loop to run it in."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager

from dcvsessions.simulator._simulator import Simulator

__all__ = ["serve_in_thread"]


@contextmanager
def serve_in_thread(simulator: Simulator) -> Generator[Simulator, None, None]:
    """Run a simulator in an event loop in another thread.

    It may be used from the calling thread as usual. Errors at its start are raised here.

    Args:
        simulator: A simulator that has not been entered.

    Yields:
        The same simulator, serving.

    Raises:
        OSError: The port is not available.
        RuntimeError: The simulator was entered before.

    Example:
        >>> with serve_in_thread(Simulator()) as sim:
        ...     sim.lightsail.add_instance("my-computer")
    """
    started: Future[_StopRequest] = Future()
    thread = threading.Thread(
        target=_run, args=(simulator, started), name="dcv-simulator", daemon=True
    )
    thread.start()
    try:
        stop = started.result()
        try:
            yield simulator
        finally:
            stop.send()
    finally:
        thread.join()


class _StopRequest:
    """Sent from another thread to end the work of this event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sent = asyncio.Event()

    def send(self) -> None:
        self._loop.call_soon_threadsafe(self._sent.set)

    async def wait(self) -> None:
        await self._sent.wait()


def _run(simulator: Simulator, started: "Future[_StopRequest]") -> None:
    try:
        asyncio.run(_serve(simulator, started))
    except BaseException as error:  # the calling thread raises it, if it waits for the start
        if started.done():
            raise
        started.set_exception(error)


async def _serve(simulator: Simulator, started: "Future[_StopRequest]") -> None:
    stop = _StopRequest()
    async with simulator:
        started.set_result(stop)
        await stop.wait()
