"""What a call does with many desktops, whatever they are. In virtual time."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from dcvsessions import (
    ClientStateError,
    DcvSessionsError,
    OpenError,
    Progress,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions._call_order import is_first_call
from dcvsessions._wait.batch import Batch, Member, outcomes_of
from dcvsessions._wait.decisions import WAIT, Done, Observation
from dcvsessions._wait.loop import Goal, Waiter
from dcvsessions._wait.schedule import Schedule
from dcvsessions.errors import LeftBehind

pytestmark = pytest.mark.looptime

EVERY_TWO_SECONDS = Schedule(shortest=2, longest=2, jitter=0)

Work = Callable[[str, Member[str]], Awaitable[None]]


def now() -> float:
    return asyncio.get_running_loop().time()


def failed(item: str, error: DcvSessionsError) -> str:
    return f"{item}: {type(error).__name__}"


def batch(work: Work, count: int = 3, **options: Any) -> Batch[str, str]:
    items = [f"item-{number}" for number in range(count)]
    return Batch(name="items", items=items, desktop=str.upper, work=work, failed=failed, **options)


def outcomes(work: Work, count: int = 3, *, waiter: Waiter | None = None, **options: Any) -> Any:
    return outcomes_of(batch(work, count, **options), waiter or Waiter(timeout=100))


async def at_once(item: str, member: Member[str]) -> None:
    await member.hand_over(item)


async def never(item: str, member: Member[str]) -> None:
    await asyncio.sleep(10_000)


async def leaves(item: str, member: Member[str]) -> None:
    """Be held until it is cancelled, and leave a session behind."""
    try:
        await asyncio.sleep(10_000)
    except asyncio.CancelledError as cancellation:
        vars(cancellation)["left_behind"] = LeftBehind(session_id=item)
        raise


async def left_early(work: Work, count: int = 3, **options: Any) -> WaitFailedError:
    with pytest.raises(WaitFailedError) as caught:
        async with outcomes(work, count, **options):
            await asyncio.sleep(5)
    return caught.value


def names(left: LeftBehind | None) -> list[str | None]:
    assert left is not None
    return sorted(each.session_id or "" for each in (left, *left.others))


# --- Beginning ---


async def test_one_begins_in_each_turn_of_the_event_loop() -> None:
    begun: list[str] = []

    async def work(item: str, member: Member[str]) -> None:
        begun.append(item)
        await asyncio.sleep(10_000)

    async with outcomes(work, 10):
        for turn in range(2, 10):
            await asyncio.sleep(0)
            assert len(begun) <= turn
        await asyncio.sleep(1)
        assert len(begun) == 10


async def test_25_begin_and_the_next_when_one_of_them_hands_over_waits_or_ends() -> None:
    begun: list[str] = []
    go = {item: asyncio.Event() for item in ("item-0", "item-1", "item-2")}

    async def work(item: str, member: Member[str]) -> None:
        begun.append(item)
        await go.get(item, asyncio.Event()).wait()
        match item:
            case "item-0":
                await member.hand_over(item)
            case "item-1":
                await member.waiter.until(goal(fails=False))
            case _:
                raise OpenError("No.")

    async with outcomes(work, 100):
        await asyncio.sleep(1)
        assert len(begun) == 25
        for count, event in enumerate(go.values(), 26):
            event.set()
            await asyncio.sleep(5)
            assert len(begun) == count


def goal(*, fails: bool) -> Goal[int, int]:
    """A resource that never gets there."""

    async def observe() -> Observation[int]:
        if fails:
            raise OpenError("No.")
        return Observation("waiting", 1)

    return Goal(
        resource="ITEM",
        awaited="there",
        observe=observe,
        decide=lambda *_: WAIT,
        schedule=EVERY_TWO_SECONDS,
    )


async def test_the_calls_before_the_first_wait_are_marked_as_first() -> None:
    marks: list[bool] = []

    async def work(item: str, member: Member[str]) -> None:
        marks.append(is_first_call())
        with suppress(WaitTimeoutError):
            await member.waiter.until(goal(fails=False))
        marks.append(is_first_call())
        await member.hand_over(item)

    async with outcomes(work, 1) as iterator:
        assert await anext(iterator) == "item-0"
    assert marks == [True, False]
    assert not is_first_call()


async def test_each_has_the_deadline_of_the_call_and_its_own_report() -> None:
    async def work(item: str, member: Member[str]) -> None:
        await asyncio.sleep(10)
        assert member.waiter.desktop == item.upper()
        await member.waiter.until(goal(fails=False))

    began = now()
    waiter = Waiter(timeout=30)
    await asyncio.sleep(5)
    async with outcomes(work, waiter=waiter) as iterator:
        assert sorted([one async for one in iterator]) == [
            f"item-{number}: WaitTimeoutError" for number in range(3)
        ]
    assert now() - began == 30
    assert waiter.report.polls.total() == 0


async def test_nothing_is_begun_after_the_deadline() -> None:
    begun: list[str] = []
    errors: list[DcvSessionsError] = []

    async def work(item: str, member: Member[str]) -> None:
        begun.append(item)
        await asyncio.sleep(30)
        await member.hand_over(item)

    def kept(item: str, error: DcvSessionsError) -> str:
        errors.append(error)
        return failed(item, error)

    items = [f"item-{number}" for number in range(60)]
    whole = Batch(name="items", items=items, desktop=str.upper, work=work, failed=kept)
    async with outcomes_of(whole, Waiter(timeout=40)) as iterator:
        taken = [one async for one in iterator]
    assert len(begun) == 50
    assert sorted(taken) == sorted(
        [*begun, *(f"item-{number}: WaitTimeoutError" for number in range(50, 60))]
    )
    assert isinstance(errors[0], WaitTimeoutError)
    assert str(errors[0]) == (
        "ITEM-50 is not begun after 60.0 s and 0 polls: The timeout of 40 s is over."
    )


# --- Handing over ---


async def test_the_work_goes_on_when_its_outcome_is_taken() -> None:
    events: list[object] = []

    async def work(item: str, member: Member[str]) -> None:
        events.append(await member.hand_over(item))

    async with outcomes(work, 1) as iterator:
        await asyncio.sleep(50)
        assert events == []
        assert await anext(iterator) == "item-0"
        await asyncio.sleep(0)
        assert events == [True]


async def test_an_outcome_that_is_not_usable_any_more_is_made_again() -> None:
    made: list[float] = []

    async def work(item: str, member: Member[str]) -> None:
        while True:
            await asyncio.sleep(10)
            made.append(now())
            if await member.hand_over(f"{item} at {now():g}", lambda: now() - made[-1] < 60):
                return

    async with outcomes(work, 1) as iterator:
        await asyncio.sleep(100)
        assert await anext(iterator) == "item-0 at 110"
    assert made == [10, 110]


async def test_a_cancellation_after_the_outcome_was_taken_comes_too_late() -> None:
    results: list[bool] = []
    tasks: list[asyncio.Task[Any]] = []

    async def work(item: str, member: Member[str]) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        results.append(await member.hand_over(item))

    async with outcomes(work, 1) as iterator:
        assert await anext(iterator) == "item-0"
        tasks[0].cancel()
        await asyncio.sleep(1)
    assert results == [True]


async def test_a_cancellation_before_that_does_not() -> None:
    results: list[str] = []

    async def work(item: str, member: Member[str]) -> None:
        try:
            await member.hand_over(item)
        except asyncio.CancelledError:
            results.append("cancelled")
            raise

    async with outcomes(work, 2) as iterator:
        await asyncio.sleep(1)
        await anext(iterator)
    assert results == ["cancelled"]


async def test_a_cancellation_while_an_outcome_is_made_again_ends_the_work() -> None:
    async def work(item: str, member: Member[str]) -> None:
        assert not await member.hand_over(item, lambda: False)
        await leaves(item, member)

    async def leave() -> None:
        async with outcomes(work, 1) as iterator:
            task = asyncio.create_task(first(iterator))
            await asyncio.sleep(5)
        with pytest.raises(ClientStateError):
            await task

    with pytest.raises(WaitFailedError, match="item-0 is left behind"):
        await leave()


async def first(iterator: AsyncIterator[str]) -> str:
    return await anext(iterator)


async def test_the_iterator_is_over_for_all_who_wait_when_it_has_had_all() -> None:
    async def take(iterator: AsyncIterator[str]) -> list[str]:
        return [one async for one in iterator]

    async with outcomes(at_once) as iterator:
        found = await asyncio.gather(*(take(iterator) for _ in range(5)))
        assert sorted(one for some in found for one in some) == ["item-0", "item-1", "item-2"]
        assert await take(iterator) == []
    assert await take(iterator) == []


async def test_the_iterator_of_nothing_is_over() -> None:
    async with outcomes(at_once, 0) as iterator:
        assert [one async for one in iterator] == []


@pytest.mark.parametrize("work", [at_once, never])
async def test_the_iterator_is_refused_after_its_block(work: Work) -> None:
    async with outcomes(work) as iterator:
        await asyncio.sleep(1)
    for _ in range(5):
        with pytest.raises(ClientStateError, match="is over: iterate inside it"):
            await anext(iterator)


async def test_all_who_wait_when_the_block_ends_are_told() -> None:
    async with outcomes(never) as iterator:
        waiting = [asyncio.create_task(first(iterator)) for _ in range(3)]
        await asyncio.sleep(1)
    for task in waiting:
        with pytest.raises(ClientStateError):
            await task


async def test_a_bug_in_the_work_is_raised_and_the_others_go_on() -> None:
    async def work(item: str, member: Member[str]) -> None:
        if item == "item-1":
            raise ZeroDivisionError
        await member.hand_over(item)

    taken: list[str] = []
    async with outcomes(work) as iterator:
        for _ in range(3):
            try:
                taken.append(await anext(iterator))
            except ZeroDivisionError:
                taken.append("bug")
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)
    assert sorted(taken) == ["bug", "item-0", "item-2"]


async def test_a_bug_at_the_end_is_not_reported_as_never_retrieved() -> None:
    async def work(item: str, member: Member[str]) -> None:
        try:
            await asyncio.sleep(10_000)
        finally:
            raise ZeroDivisionError

    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with outcomes(work):
        await asyncio.sleep(1)
    gc.collect()
    assert complaints == []


# --- The end ---


async def test_the_end_waits_for_the_clean_up() -> None:
    cleaned: list[str] = []

    async def work(item: str, member: Member[str]) -> None:
        try:
            await member.hand_over(item)
        except asyncio.CancelledError:
            await asyncio.sleep(7)
            cleaned.append(item)
            raise

    async with outcomes(work, clean_up=10) as iterator:
        await asyncio.sleep(1)
        await anext(iterator)
    assert now() == 8
    assert sorted(cleaned) == ["item-1", "item-2"]


async def test_one_clean_up_begins_in_each_turn_of_the_event_loop() -> None:
    ended: list[int] = []
    turn = 0

    async def work(item: str, member: Member[str]) -> None:
        try:
            await asyncio.sleep(10_000)
        finally:
            ended.append(turn)

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async with outcomes(work, 20):
        await asyncio.sleep(1)
        counting = asyncio.create_task(count())
    counting.cancel()
    assert max(map(ended.count, ended)) <= 2
    assert len(ended) == 20


async def test_a_clean_up_that_takes_too_long_is_cut_off() -> None:
    async def work(item: str, member: Member[str]) -> None:
        try:
            await asyncio.sleep(10_000)
        finally:
            await asyncio.sleep(10_000)

    async def leave() -> None:
        async with outcomes(work, 50, clean_up=20):
            await asyncio.sleep(1)

    with pytest.raises(WaitTimeoutError, match="It was cut off"):
        await leave()
    assert now() == 1 + 10 + 50 * 0.02 + 2 * 20


async def test_all_that_is_left_behind_is_in_the_error() -> None:
    error = await left_early(leaves)
    assert names(error.left_behind) == ["item-0", "item-1", "item-2"]
    assert str(error).startswith(
        "clean-up is not finished after 0.0 s and 0 polls: The block ended before all streaming "
        "sessions were handed over or deleted (3 left). Streaming session item-"
    )
    assert ". Also left behind: item-" in str(error)


async def test_what_was_never_begun_may_be_left_behind_too() -> None:
    error = await left_early(never, 30, left=lambda item: LeftBehind(session_id=item))
    assert len(names(error.left_behind)) == 30


async def test_what_a_failure_left_behind_is_told_once() -> None:
    async def work(item: str, member: Member[str]) -> None:
        error = OpenError("No.")
        error.left_behind = LeftBehind(session_id=item)
        raise error

    async def leave() -> None:
        async with outcomes(work) as iterator:
            await asyncio.sleep(1)
            taken.append(await anext(iterator))

    taken: list[str] = []
    with pytest.raises(WaitFailedError) as caught:
        await leave()
    left = [f"{name}: OpenError" for name in names(caught.value.left_behind)]
    assert sorted([*taken, *left]) == [f"item-{number}: OpenError" for number in range(3)]


async def test_nothing_is_left_behind_by_what_was_taken() -> None:
    async with outcomes(at_once, left=lambda item: LeftBehind(session_id=item)) as iterator:
        assert len([one async for one in iterator]) == 3


async def test_the_error_of_the_block_comes_before_what_is_left_behind() -> None:
    error = KeyError("mine")

    async def fails() -> None:
        async with outcomes(leaves, 1):
            await asyncio.sleep(1)
            raise error

    with pytest.raises(KeyError) as caught:
        await fails()
    assert caught.value is error
    assert "Streaming session item-0 is left behind" in error.__notes__[0]


# --- Events ---


async def test_the_last_event_of_a_failure_has_its_error() -> None:
    events: list[Progress] = []

    async def work(item: str, member: Member[str]) -> None:
        await asyncio.sleep(5)
        await member.waiter.until(goal(fails=True))

    waiter = Waiter(timeout=100, on_progress=events.append)
    await asyncio.sleep(20)
    async with outcomes(work, 2, waiter=waiter) as iterator:
        assert len([one async for one in iterator]) == 2
    first, second = events
    assert first.wait != second.wait
    assert first.batch is not None
    assert second.batch is not None
    assert (first.desktop, first.resource, first.state) == ("ITEM-0", "ITEM-0", None)
    assert (first.error, first.elapsed, first.attempt) == ("No.", 5, 1)
    assert (first.batch.name, first.batch.total, first.batch.done) == ("items", 2, 0)
    assert (first.batch.failed, second.batch.failed) == (1, 2)


async def test_a_desktop_that_fails_after_it_was_ready_counts_as_failed() -> None:
    events: list[Progress] = []

    async def work(item: str, member: Member[str]) -> None:
        states = iter(("waiting", "ready"))

        async def observe() -> Observation[int]:
            return Observation(next(states), 1)

        there: Goal[int, int] = Goal(
            resource="ITEM-0",
            awaited="there",
            observe=observe,
            decide=lambda seen, _: Done(1) if seen.state == "ready" else WAIT,
            schedule=EVERY_TWO_SECONDS,
        )
        await member.waiter.until(there)
        raise OpenError("The server does not answer.")

    waiter = Waiter(timeout=100, on_progress=events.append)
    async with outcomes(work, 1, waiter=waiter) as iterator:
        assert await anext(iterator) == "item-0: OpenError"
    counts = [(event.batch.done, event.batch.failed) for event in events if event.batch]
    assert counts == [(0, 0), (1, 0), (0, 1)]
    assert (events[-1].state, events[-1].attempt) == ("ready", 2)
