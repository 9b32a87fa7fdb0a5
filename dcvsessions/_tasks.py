"""Work that finishes even if its caller is cancelled, and blocks that another task can end."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from dcvsessions.errors import DcvSessionsError, WaitReport, WaitTimeoutError

__all__ = ["InFlight", "Interruptible", "ending", "finished"]

_Result = TypeVar("_Result")

# Seconds that work gets to end after it was cancelled.
_CANCEL_TIMEOUT = 1.0


async def finished(
    work: Coroutine[Any, Any, _Result], *, within: float, what: str = "clean-up"
) -> _Result:
    """Run work to its end, even if the caller is cancelled meanwhile, once or several times.

    Args:
        work: The work.
        within: Seconds after which the work is cancelled.
        what: The name of the work in the error.

    Raises:
        WaitTimeoutError: The work did not end in time.
        asyncio.CancelledError: The caller was cancelled. It is raised after the work has ended. If
            the work failed, its error is the cause.
    """
    began = asyncio.get_running_loop().time()
    task = asyncio.create_task(work)
    cancellation = await _wait(task, within)
    if not task.done():
        task.cancel()
        cancellation = await _wait(task, _CANCEL_TIMEOUT) or cancellation
        failure: BaseException | None = _cut_off(what, began)
    elif task.cancelled():
        failure = _cut_off(what, began)
    else:
        failure = task.exception()
    if cancellation is not None:
        raise cancellation from failure
    if failure is not None:
        raise failure
    return task.result()


async def _wait(task: asyncio.Task[Any], seconds: float) -> asyncio.CancelledError | None:
    """Wait for a task even if the caller is cancelled; return the latest cancellation."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    cancellation: asyncio.CancelledError | None = None
    while not task.done() and (left := end - loop.time()) > 0:
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError as error:
            cancellation = error
    return cancellation


def _cut_off(what: str, began: float) -> WaitTimeoutError:
    elapsed = asyncio.get_running_loop().time() - began
    report = WaitReport(resource=what, awaited="finished", elapsed=elapsed, polls=0, history=())
    return WaitTimeoutError("It was cut off.", report)


@asynccontextmanager
async def ending(
    work: Callable[[], Coroutine[Any, Any, None]], *, within: float
) -> AsyncGenerator[None, None]:
    """Run a block, and then work that is needed however the block ended.

    If the block raised an error, that error is raised. If the work fails then, a note in the error
    says so.

    Args:
        work: Makes the coroutine of the work.
        within: Seconds after which the work is cancelled.
    """
    try:
        yield
    except BaseException as error:
        try:
            await finished(work(), within=within)
        except Exception as failure:  # noqa: BLE001 - the block's error must not be replaced
            error.add_note(f"Ending it failed too: {failure}")
            if isinstance(error, DcvSessionsError) and isinstance(failure, DcvSessionsError):
                error.left_behind = error.left_behind or failure.left_behind
        raise
    await finished(work(), within=within)


class Interruptible:
    """A block that another task can end with an error. It works like `asyncio.timeout()`.

    `interrupt()` cancels the task in the block, and the end of the block turns that cancellation
    into the error. A cancellation from elsewhere stays a cancellation.

    Args:
        running: Where the block is listed while a task is in it.
    """

    __slots__ = ("_cancelling", "_ended", "_error", "_is_over", "_running", "_task")

    def __init__(self, running: "set[Interruptible] | None" = None) -> None:
        self._running = running
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._error: DcvSessionsError | None = None
        self._is_over = False
        # Made only if somebody waits for the end: there is a block for each wait.
        self._ended: asyncio.Event | None = None

    async def __aenter__(self) -> Self:
        if self._running is not None:
            self._running.add(self)
        self._task = asyncio.current_task()
        self._cancelling = self._task.cancelling() if self._task else 0
        return self

    def interrupt(self, error: DcvSessionsError) -> None:
        """End the block with an error, unless it was interrupted before."""
        if self._task is not None and self._error is None:
            self._error = error
            self._task.cancel()

    async def ended(self) -> None:
        """Wait until the block has ended."""
        if self._is_over:
            return
        if self._ended is None:
            self._ended = asyncio.Event()
        await self._ended.wait()

    @property
    def is_elsewhere(self) -> bool:
        """Whether another task is in the block, and still runs."""
        task = self._task
        return task is not None and not task.done() and task is not asyncio.current_task()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise the error of `interrupt()` in place of the cancellation."""
        self._is_over = True
        if self._running is not None:
            self._running.discard(self)
        if self._ended is not None:
            self._ended.set()
        if self._error is None or self._task is None:
            return
        is_cancelled_otherwise = self._task.uncancel() > self._cancelling
        if kind is asyncio.CancelledError and not is_cancelled_otherwise:
            left = self._error.left_behind = getattr(error, "left_behind", None)
            for note in getattr(error, "__notes__", ()):
                if note != str(left):
                    self._error.add_note(note)
            raise self._error from error


class InFlight:
    """The blocks in which tasks use one object. The object can end them before it closes."""

    def __init__(self) -> None:
        self._blocks: set[Interruptible] = set()

    def entered(self) -> Interruptible:
        """Return a block in which the current task counts as a user."""
        return Interruptible(self._blocks)

    async def end(self, error: Callable[[], DcvSessionsError], *, within: float) -> None:
        """End the blocks of all other tasks with an error, and wait until they have ended.

        If it is cancelled, it still waits, because the other tasks clean up.

        Args:
            error: Makes the error for one block.
            within: Seconds to wait at most.
        """
        others = [block for block in self._blocks if block.is_elsewhere]
        for block in others:
            block.interrupt(error())
        if others:
            await finished(_all_ended(others, within), within=within + _CANCEL_TIMEOUT)


async def _all_ended(blocks: list[Interruptible], within: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            for block in blocks:
                await block.ended()
