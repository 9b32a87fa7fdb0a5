"""The turns of a client's calls: how many run at once, and which comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from dcvsessions._aws.budget import Budget, Priority
from dcvsessions._call_order import first_calls, last_call

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


class Calls:
    """Calls that take a second each, and a record of when they were sent."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.sent: list[tuple[str, float]] = []

    async def call(self, name: str, priority: Priority = Priority.POLL, seconds: float = 1) -> None:
        await self.budget.begin_call(priority)
        try:
            self.sent.append((name, now()))
            await asyncio.sleep(seconds)
        finally:
            self.budget.end_call(is_success=False)

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.sent]


@asynccontextmanager
async def limited(connections: int = 25) -> AsyncIterator[Budget]:
    """A budget that the service limits to one call per second."""
    budget = Budget(connections)
    budget.throttled(sent_at=now())
    assert budget.delay == 0
    await asyncio.sleep(10)
    yield budget


async def test_no_more_calls_run_at_once_than_there_are_connections() -> None:
    calls = Calls(Budget(2))
    await asyncio.gather(*(calls.call(str(number)) for number in range(5)))
    assert calls.sent == [("0", 0), ("1", 0), ("2", 1), ("3", 1), ("4", 2)]


async def test_changes_are_sent_before_polls_that_wait_longer() -> None:
    calls = Calls(Budget(1))
    await asyncio.gather(
        calls.call("running"),
        calls.call("poll"),
        calls.call("other poll"),
        calls.call("start", Priority.CHANGE),
        calls.call("delete", Priority.CHANGE),
    )
    assert calls.order == ["running", "start", "delete", "poll", "other poll"]


async def test_the_last_call_of_a_wait_is_sent_before_all_others() -> None:
    calls = Calls(Budget(1))

    async def last() -> None:
        with last_call():
            await calls.call("last")

    await asyncio.gather(
        calls.call("running"), calls.call("start", Priority.CHANGE), last(), calls.call("poll")
    )
    assert calls.order == ["running", "last", "start", "poll"]


async def test_the_first_calls_of_a_desktop_are_sent_after_changes_and_before_polls() -> None:
    calls = Calls(Budget(1))

    async def first() -> None:
        with first_calls():
            await calls.call("first")
        await calls.call("later")

    await asyncio.gather(
        calls.call("running"),
        calls.call("poll"),
        calls.call("other poll"),
        first(),
        calls.call("start", Priority.CHANGE),
    )
    assert calls.order == ["running", "start", "first", "poll", "other poll", "later"]


async def test_a_repeat_needs_no_other_connection() -> None:
    budget = Budget(1)
    await budget.begin_call(Priority.POLL)
    await budget.repeat_call()
    assert now() == 0


async def test_calls_within_the_rate_are_spread_over_time() -> None:
    async with limited() as budget:
        calls = Calls(budget)
        began = now()
        await asyncio.gather(*(calls.call(str(number), seconds=0) for number in range(4)))
        gaps = [at - began for _, at in calls.sent]
        # 0.8 calls per second.
        assert gaps == pytest.approx([0, 1.25, 2.5, 3.75])


@pytest.mark.parametrize(("is_success", "granted"), [(True, 10), (False, 1)])
async def test_the_rate_follows_the_calls_that_succeeded(*, is_success: bool, granted: int) -> None:
    budget = Budget(25)
    for _ in range(10):
        await budget.begin_call(Priority.POLL)
        budget.end_call(is_success=is_success)
    budget.throttled(sent_at=now())
    calls = Calls(budget)
    await asyncio.gather(*(calls.call(str(number), seconds=0) for number in range(3)))
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(calls.sent)]
    assert gaps == pytest.approx([1 / (0.8 * granted)] * 2)


async def test_the_delay_is_what_the_waiting_calls_take() -> None:
    async with limited() as budget:
        calls = Calls(budget)
        async with asyncio.TaskGroup() as group:
            for number in range(9):
                group.create_task(calls.call(str(number), seconds=0))
            await asyncio.sleep(0)
            assert budget.delay == pytest.approx(8 / 0.8)
        assert budget.delay == 0


@pytest.mark.parametrize("is_limited", [False, True])
async def test_a_cancelled_call_takes_no_turn(*, is_limited: bool) -> None:
    budget = Budget(1)
    if is_limited:
        budget.throttled(sent_at=now())
        await asyncio.sleep(10)
    calls = Calls(budget)
    running = asyncio.create_task(calls.call("running"))
    waiting = [asyncio.create_task(calls.call(str(number))) for number in range(3)]
    await asyncio.sleep(0.5)
    waiting[0].cancel()
    waiting[2].cancel()
    await asyncio.wait([running, *waiting])
    assert calls.order == ["running", "1"]
    await calls.call("afterwards")
    assert calls.order == ["running", "1", "afterwards"]


async def test_a_call_that_is_cancelled_when_its_turn_comes_gives_the_turn_to_the_next() -> None:
    budget = Budget(1)
    calls = Calls(budget)
    await budget.begin_call(Priority.POLL)
    second = asyncio.create_task(calls.call("second"))
    third = asyncio.create_task(calls.call("third"))
    await asyncio.sleep(0.5)
    budget.end_call(is_success=True)
    # The turn is given to the second call, which has not noticed yet.
    second.cancel()
    await asyncio.wait([second, third])
    assert second.cancelled()
    assert calls.order == ["third"]


async def test_a_pause_holds_all_calls_but_the_last_of_a_wait() -> None:
    budget = Budget(25)
    calls = Calls(budget)
    budget.pause(30)
    assert budget.is_paused

    async def last() -> None:
        await asyncio.sleep(10)
        with last_call():
            await calls.call("last")

    await asyncio.gather(calls.call("poll"), calls.call("start", Priority.CHANGE), last())
    assert calls.sent == [("last", 10), ("start", 30), ("poll", 30)]
    assert not budget.is_paused


async def test_the_end_of_a_budget_lets_all_calls_go() -> None:
    budget = Budget(1)
    budget.pause(60)
    calls = Calls(budget)
    waiting = asyncio.gather(*(calls.call(str(number)) for number in range(3)))
    await asyncio.sleep(1)
    budget.close()
    await waiting
    await calls.call("3")
    assert calls.sent == [("0", 1), ("1", 1), ("2", 1), ("3", 2)]
