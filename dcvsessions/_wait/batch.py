"""Many desktops in one call: when each one begins, and how the caller gets its outcome."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from dcvsessions._call_order import first_calls
from dcvsessions._frames import hide_frames
from dcvsessions._tasks import ending
from dcvsessions._wait.loop import Waiter
from dcvsessions._wait.report import brief
from dcvsessions.errors import (
    ClientStateError,
    DcvSessionsError,
    Failure,
    LeftBehind,
    WaitFailedError,
    WaitReport,
)
from dcvsessions.progress import Progress

__all__ = ["Batch", "Member", "outcomes_of"]

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

# How many desktops may make their first calls at once: as many as a client has connections. With
# more, first calls would wait for a connection, and the polls of other desktops behind them.
_BEGINNING = 25
# Seconds that a task may take to end after it was cancelled, if it has nothing to clean up.
_END_TIMEOUT = 10.0
_END_TIMEOUT_EACH = 0.02


@frozen
class _Offer(Generic[_Outcome]):
    """An outcome that nobody has taken yet. Its task waits for `is_taken`."""

    outcome: _Outcome
    is_usable: Callable[[], bool]
    is_taken: asyncio.Future[bool]


@frozen
class Member(Generic[_Outcome]):
    """One desktop of a batch: its wait, and the way to hand its outcome to the caller.

    Attributes:
        waiter: The wait. It has the deadline of the whole call.
    """

    waiter: Waiter
    _beginning: ExitStack
    _ready: Callable[[_Offer[_Outcome]], None]

    async def hand_over(
        self, outcome: _Outcome, is_usable: Callable[[], bool] = lambda: True
    ) -> bool:
        """Offer the outcome to the caller, and wait until the caller takes it.

        Args:
            outcome: The outcome.
            is_usable: Called when the caller asks for an outcome.

        Returns:
            True if the caller has it. False if it was no longer usable when the caller asked for
            it.
        """
        self._beginning.close()
        offer = _Offer(outcome, is_usable, asyncio.get_running_loop().create_future())
        self._ready(offer)
        try:
            return await offer.is_taken
        except asyncio.CancelledError:
            if _was_taken(offer.is_taken):
                # The cancellation came too late: the caller has the outcome.
                return True
            raise


@frozen(kw_only=True)
class Batch(Generic[_Item, _Outcome]):
    """What one call does with many desktops.

    Attributes:
        name: What they are, in events, such as `GUI sessions`.
        items: The names or requests that the caller passed.
        desktop: Returns the name of an item's desktop in events and errors.
        work: Opens or closes one desktop, and hands its outcome over. If it is cancelled before
            that, it cleans up.
        failed: Returns the outcome for an error.
        left: Returns what is left behind if the block ends before work on the desktop begins.
        clean_up: Seconds that `work` may take to clean up.
    """

    name: str
    items: Sequence[_Item]
    desktop: Callable[[_Item], str]
    work: Callable[[_Item, Member[_Outcome]], Awaitable[None]]
    failed: Callable[[_Item, DcvSessionsError], _Outcome]
    left: Callable[[_Item], LeftBehind | None] = field(default=lambda _: None)
    clean_up: float = 0.0


@asynccontextmanager
async def outcomes_of(
    batch: Batch[_Item, _Outcome], waiter: Waiter
) -> AsyncGenerator[AsyncIterator[_Outcome], None]:
    """Yield an iterator of the outcomes of a batch, each as soon as it is ready.

    At the end of the block, the desktops whose outcome the caller did not take are cleaned up.

    Raises:
        WaitFailedError: A streaming session is left behind at the end of the block.
    """
    run = _Run(batch, waiter)
    async with ending(run.end, within=run.end_timeout):
        yield _Outcomes(run.take)


class _Outcomes(AsyncIterator[_Outcome]):
    """The iterator that the caller gets."""

    def __init__(self, take: Callable[[], Awaitable[_Outcome]]) -> None:
        self._take = take

    async def __anext__(self) -> _Outcome:
        return await self._take()


class _Run(Generic[_Item, _Outcome]):
    """The tasks of one batch."""

    def __init__(self, batch: Batch[_Item, _Outcome], waiter: Waiter) -> None:
        count = len(batch.items)
        self.end_timeout = _END_TIMEOUT + count * _END_TIMEOUT_EACH + 2 * batch.clean_up
        self._batch = batch
        self._waiter = waiter
        listener = waiter.listener
        self._listener = None if listener is None else listener.of_batch(batch.name, count)
        self._not_begun = dict(enumerate(batch.items))
        self._not_taken = count
        # It gets offers, tasks that ended without an offer, and None at the end.
        self._ready: asyncio.Queue[_Offer[_Outcome] | asyncio.Task[None] | None] = asyncio.Queue()
        if not count:
            self._ready.put_nowait(None)
        self._beginning = asyncio.Semaphore(_BEGINNING)
        self._left_behind: list[LeftBehind] = []
        self._is_over = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._begin_all = asyncio.create_task(self._begin())

    async def take(self) -> _Outcome:
        """Return the next outcome.

        Raises:
            StopAsyncIteration: The caller has all of them.
            ClientStateError: The block is over.
        """
        while (entry := await self._ready.get()) is not None:
            if isinstance(entry, asyncio.Task):
                self._count_taken()
                entry.result()
            elif _is_accepted(entry):
                self._count_taken()
                return entry.outcome
        # Other tasks may wait in take() too.
        self._ready.put_nowait(None)
        if self._not_taken:
            raise ClientStateError("The block of these outcomes is over: iterate inside it.")
        raise StopAsyncIteration

    async def end(self) -> None:
        """End the tasks whose outcome nobody took, and wait for their clean-up.

        Raises:
            WaitFailedError: Streaming sessions are left behind.
        """
        began = asyncio.get_running_loop().time()
        self._is_over = True
        self._ready.put_nowait(None)
        self._begin_all.cancel()
        for task in list(self._tasks):
            task.cancel()
            # Each task begins its clean-up in another turn of the event loop, so that none is long.
            await asyncio.sleep(0)
        await asyncio.wait({self._begin_all, *self._tasks})
        left = [*map(self._batch.left, self._not_begun.values()), *self._left_behind]
        if found := tuple(filter(None, left)):
            raise _left_behind(found, asyncio.get_running_loop().time() - began)

    def _count_taken(self) -> None:
        self._not_taken -= 1
        if not self._not_taken:
            self._ready.put_nowait(None)

    async def _begin(self) -> None:
        for number in range(len(self._batch.items)):
            await self._beginning.acquire()
            task = asyncio.create_task(self._work(number))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
            # Begin one task in each turn of the event loop, so that no turn is long.
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        has_crashed = task.cancelled() or task.exception() is not None
        if has_crashed and not self._is_over:
            self._ready.put_nowait(task)

    async def _work(self, number: int) -> None:
        item = self._not_begun.pop(number)
        left = self._batch.left(item)
        with ExitStack() as beginning:
            beginning.callback(self._beginning.release)
            beginning.enter_context(first_calls())
            waiter = self._waiter.part(
                self._batch.desktop(item), self._listener, on_wait=beginning.close
            )
            member = Member(waiter, beginning, self._ready.put_nowait)
            try:
                if (error := await self._error_of(item, member)) is not None:
                    outcome = self._batch.failed(item, error)
                    left = error.left_behind
                    await member.hand_over(outcome)
            except asyncio.CancelledError as cancellation:
                left = getattr(cancellation, "left_behind", left)
                self._left_behind += [] if left is None else [left]
                raise

    async def _error_of(self, item: _Item, member: Member[_Outcome]) -> DcvSessionsError | None:
        """Open or close one desktop; return the error if that fails."""
        try:
            if member.waiter.remaining == 0:
                raise self._waiter.timed_out(member.waiter.desktop, "begun")
            await self._batch.work(item, member)
        except DcvSessionsError as error:
            hide_frames(error)
            await self._tell(member.waiter, error)
            return error
        return None

    async def _tell(self, waiter: Waiter, error: DcvSessionsError) -> None:
        if self._listener is not None:
            await self._listener.tell_failure(
                Progress(
                    wait=waiter.number,
                    desktop=waiter.desktop,
                    resource=waiter.desktop,
                    state=waiter.report.state_of(waiter.desktop),
                    elapsed=waiter.elapsed,
                    attempt=max(1, waiter.report.polls[waiter.desktop]),
                    error=brief(error),
                ),
                waiter.limit(is_final=True),
            )


def _was_taken(is_taken: asyncio.Future[bool]) -> bool:
    return is_taken.done() and not is_taken.cancelled() and is_taken.result()


def _is_accepted(offer: _Offer[_Outcome]) -> bool:
    if offer.is_taken.done():
        return False
    is_usable = offer.is_usable()
    offer.is_taken.set_result(is_usable)
    return is_usable


def _left_behind(left: Sequence[LeftBehind], elapsed: float) -> WaitFailedError:
    report = WaitReport(
        resource="clean-up", awaited="finished", elapsed=elapsed, polls=0, history=()
    )
    error = WaitFailedError(
        f"The block ended before all streaming sessions were handed over or deleted "
        f"({len(left)} left).",
        report,
        Failure(),
    )
    error.left_behind = evolve(left[0], others=tuple(left[1:]))
    return error
