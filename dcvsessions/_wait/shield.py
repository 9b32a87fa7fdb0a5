"""Work that has to be finished although its caller is being cancelled."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from dcvsessions.errors import CallTimeoutError, DcvSessionsError

__all__ = ["ending", "finished"]

_Result = TypeVar("_Result")

# How long work that was cut off may take to notice.
_LAST_TURN = 1.0


async def finished(work: Coroutine[Any, Any, _Result], *, within: float) -> _Result:
    """Run work to its end, even if the caller is cancelled meanwhile, perhaps more than once.

    Args:
        work: What has to be finished.
        within: Seconds after which it is cut off all the same.

    Returns:
        What it returned.

    Raises:
        CallTimeoutError: It was cut off.
        asyncio.CancelledError: The caller was cancelled; raised when the work is over.
    """
    task = asyncio.create_task(work)
    cancellation: asyncio.CancelledError | None = None
    end = asyncio.get_running_loop().time() + within
    while not task.done() and (left := end - asyncio.get_running_loop().time()) > 0:
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError as error:
            cancellation = error
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_LAST_TURN)
        overdue = CallTimeoutError(f"The clean-up was cut off after {within:g} s.")
        if cancellation is not None:
            raise cancellation from overdue
        raise overdue
    if cancellation is not None:
        raise cancellation from _failure(task)
    return task.result()


def _failure(task: "asyncio.Task[Any]") -> BaseException | None:
    """Return why work that is over did not succeed; it can be cancelled with its event loop."""
    if task.cancelled():
        return CallTimeoutError("The clean-up was cut off before its end.")
    return task.exception()


@asynccontextmanager
async def ending(
    work: Callable[[], Coroutine[Any, Any, None]], *, within: float
) -> AsyncGenerator[None, None]:
    """Run a block, and then work that ends it, whatever became of the block.

    An error of the block is the one that is raised; one of the work is noted in it.

    Args:
        work: Makes the work.
        within: Seconds after which the work is cut off.
    """
    try:
        yield
    except BaseException as error:
        try:
            await finished(work(), within=within)
        except DcvSessionsError as failure:
            error.add_note(f"Ending it did not succeed either: {failure}")
        raise
    await finished(work(), within=within)
