"""Many waits in one process: how long they stall the event loop, and how much memory each takes."""

import asyncio
import gc
import os
import selectors
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from aiobotocore.session import AioSession

from benchmarks.environment import use_only
from benchmarks.rows import Row, interleaved, paired
from benchmarks.servers import STARTING, serve_fixed_answers
from dcvsessions import LightsailClient, open_gui_session, open_gui_sessions

__all__ = ["memory_rows", "stall_rows"]

_MANY = "open_gui_sessions()"
_GATHER = "gather of open_gui_session()"
_STOCK = "gather on stock aiobotocore"
_GOALS: Mapping[int, float] = {1000: 0.08, 3000: 0.05}
# Before the waits that are measured, some others fill the pools and caches.
_FIRST = 50
_LONG = 3600.0
_KIB = 1024


# --- Stalls ---


def stall_rows(sizes: Mapping[int, int]) -> list[Row]:
    """Measure the longest time for which openings that begin together keep the loop busy.

    That is CPU time between two looks of the event loop for new events, so other processes do not
    count.

    Args:
        sizes: How many pairs are measured, by the number of openings.
    """
    rows: list[Row] = []
    with _processes() as pool:
        for openings, rounds in sizes.items():
            found = asyncio.run(
                interleaved(
                    {
                        _MANY: _measured(pool, stall_of_many, openings),
                        _GATHER: _measured(pool, stall_of_gather, openings),
                        _STOCK: _measured(pool, stall_of_stock, openings),
                    },
                    rounds,
                )
            )
            rows += [
                paired(
                    f"longest stall of {openings:,} openings begun together, with {way}",
                    "ms",
                    found[way],
                    _STOCK,
                    found[_STOCK],
                    goal=_GOALS.get(openings) if way == _MANY else None,
                )
                for way in (_MANY, _GATHER)
            ]
    return rows


@contextmanager
def _processes() -> Generator[ProcessPoolExecutor, None, None]:
    """Serve fixed answers, and give each measure a new process that uses them."""
    with serve_fixed_answers() as endpoint_url:
        use_only({"AWS_ENDPOINT_URL": endpoint_url})
        context = get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
            yield pool


def _measured(
    pool: ProcessPoolExecutor, way: Callable[[int], float], count: int
) -> Callable[[], Awaitable[float]]:
    return lambda: asyncio.wrap_future(pool.submit(way, count))


class _Watched(selectors.DefaultSelector):
    """Notes the CPU time between two selects, which is that of one turn of the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._since = time.thread_time()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.longest = max(self.longest, time.thread_time() - self._since)
        events = super().select(timeout)
        self._since = time.thread_time()
        return events


_Openings = Callable[[Sequence[str]], Awaitable[object]]


def stall_of_many(count: int) -> float:
    """Return the milliseconds of the longest stall of our call for many."""

    async def opened(stack: AsyncExitStack) -> _Openings:
        client = await stack.enter_async_context(LightsailClient())

        async def open_all(names: Sequence[str]) -> None:
            async with open_gui_sessions(names, client=client) as outcomes:
                assert not [outcome.error async for outcome in outcomes if outcome.error]

        return open_all

    return _stall(opened, count)


def stall_of_gather(count: int) -> float:
    """Return the milliseconds of the longest stall of our calls that open one desktop each."""

    async def opened(stack: AsyncExitStack) -> _Openings:
        client = await stack.enter_async_context(LightsailClient())
        return lambda names: asyncio.gather(
            *(open_gui_session(name, client=client) for name in names)
        )

    return _stall(opened, count)


def stall_of_stock(count: int) -> float:
    """Return the milliseconds of the longest stall of as many calls on stock aiobotocore."""

    async def opened(stack: AsyncExitStack) -> _Openings:
        client: Any = await stack.enter_async_context(AioSession().create_client("lightsail"))
        return lambda names: asyncio.gather(
            *(client.create_gui_session_access_details(resourceName=name) for name in names)
        )

    return _stall(opened, count)


def _stall(opened: Callable[[AsyncExitStack], Awaitable[_Openings]], count: int) -> float:
    watched = _Watched()

    async def run() -> None:
        async with AsyncExitStack() as stack:
            open_all = await opened(stack)
            await open_all(["computer-0"])
            gc.collect()
            await asyncio.sleep(0)
            watched.longest = 0.0
            await open_all([f"computer-{number}" for number in range(1, count + 1)])

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(watched)) as runner:
        runner.run(run())
    return watched.longest * 1000


# --- Memory ---


def memory_rows(*, waits: int = 1000, rounds: int = 3) -> list[Row]:
    """Measure the memory of waits that sleep between two polls.

    Each measure runs in a new process.
    """
    if not Path("/proc/self/statm").exists():
        return []
    with _processes() as pool:
        found = asyncio.run(
            interleaved(
                {
                    "ours": _measured(pool, memory_of_ours, waits),
                    "boto3 thread": _measured(pool, memory_of_threads, waits),
                    "loop on stock aiobotocore": _measured(pool, memory_of_stock, waits),
                },
                rounds,
            )
        )
    ours = found.pop("ours")
    return [
        paired(
            "memory of a wait between two polls",
            "KiB",
            ours,
            name,
            theirs,
            goal=0.35 if name == "boto3 thread" else None,
        )
        for name, theirs in found.items()
    ]


def memory_of_ours(waits: int) -> float:
    """Return the KiB of each wait of ours."""

    async def run() -> float:
        async with LightsailClient() as client:
            return await _tasks(
                waits,
                lambda number: open_gui_session(
                    f"{STARTING}-{number}", poll_interval=_LONG, timeout=None, client=client
                ),
            )

    return asyncio.run(run())


def memory_of_stock(waits: int) -> float:
    """Return the KiB of each loop on stock aiobotocore."""

    async def run() -> float:
        async with AioSession().create_client("lightsail") as client:

            async def wait(number: int) -> None:
                while True:
                    name = f"{STARTING}-{number}"
                    details = await client.create_gui_session_access_details(resourceName=name)
                    if details["status"] == "started":
                        return
                    await asyncio.sleep(_LONG)

            return await _tasks(waits, wait)

    return asyncio.run(run())


async def _tasks(waits: int, wait: Callable[[int], Awaitable[object]]) -> float:
    tasks = [asyncio.ensure_future(wait(number)) for number in range(_FIRST)]
    await asyncio.to_thread(_until_idle)
    before = _resident()
    tasks += [asyncio.ensure_future(wait(number)) for number in range(_FIRST, _FIRST + waits)]
    await asyncio.to_thread(_until_idle)
    after = _resident()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return (after - before) / waits


def memory_of_threads(waits: int) -> float:
    """Return the KiB of each thread that waits with boto3."""
    # Imported here, so that it does not make the heap of the other measures larger.
    import boto3  # type: ignore[import-untyped] # noqa: PLC0415

    client = boto3.session.Session().client("lightsail")
    is_over = threading.Event()

    def wait(number: int) -> None:
        while True:
            details = client.create_gui_session_access_details(resourceName=f"{STARTING}-{number}")
            if details["status"] == "started" or is_over.wait(_LONG):
                return

    def start(numbers: range) -> list[threading.Thread]:
        threads = [threading.Thread(target=wait, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        _until_idle()
        return threads

    threads = start(range(_FIRST))
    before = _resident()
    threads += start(range(_FIRST, _FIRST + waits))
    after = _resident()
    is_over.set()
    for thread in threads:
        thread.join()
    return (after - before) / waits


def _until_idle() -> None:
    """Wait until this process does nothing any more."""
    used = -1.0
    while time.process_time() - used > 0.01:  # noqa: PLR2004 - a few polls of threads
        used = time.process_time()
        time.sleep(1)


def _resident() -> float:
    """Return the memory of this process in KiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _KIB
