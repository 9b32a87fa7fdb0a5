"""Blocks that somebody else ends with an error, and work that is finished within its bound."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from dcvsessions import ClientStateError, WaitTimeoutError
from dcvsessions._tasks import InFlight, Interruptible, ending, finished
from dcvsessions.errors import LeftBehind
from dcvsessions.nimble._ownership import report_leftover

pytestmark = pytest.mark.looptime


def closed() -> ClientStateError:
    return ClientStateError("It was closed.")


def now() -> float:
    return asyncio.get_running_loop().time()


# --- A block that is ended with an error ---


async def stay(block: Interruptible, *, note: str | None = None) -> None:
    async with block:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError as error:
            if note is not None:
                error.add_note(note)
            raise


async def test_an_interrupted_block_ends_with_the_error() -> None:
    block, error = Interruptible(), closed()
    task = asyncio.create_task(stay(block, note="A session is left."))
    await asyncio.sleep(5)
    block.interrupt(error)
    with pytest.raises(ClientStateError) as caught:
        await task
    assert caught.value is error
    assert isinstance(error.__cause__, asyncio.CancelledError)
    assert error.__notes__ == ["A session is left."]
    assert now() == 5


async def test_a_task_that_was_interrupted_goes_on_as_if_it_had_not_been_cancelled() -> None:
    block = Interruptible()

    async def work() -> str:
        with suppress(ClientStateError):
            await stay(block)
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        async with asyncio.timeout(10):
            await asyncio.sleep(5)
        return "done"

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    block.interrupt(closed())
    assert await task == "done"


async def test_only_the_first_interruption_counts() -> None:
    block, first = Interruptible(), closed()
    task = asyncio.create_task(stay(block))
    await asyncio.sleep(0)
    block.interrupt(first)
    block.interrupt(closed())
    with pytest.raises(ClientStateError) as caught:
        await task
    assert caught.value is first


async def test_a_block_that_nobody_is_in_cannot_be_interrupted() -> None:
    block = Interruptible()
    block.interrupt(closed())
    async with block:
        await asyncio.sleep(1)


async def test_a_block_that_nobody_interrupts_can_be_cancelled() -> None:
    task = asyncio.create_task(stay(Interruptible()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1


@pytest.mark.parametrize("is_cancelled_first", [False, True])
async def test_a_cancellation_from_elsewhere_stays_one(*, is_cancelled_first: bool) -> None:
    block = Interruptible()
    task = asyncio.create_task(stay(block))
    await asyncio.sleep(0)
    actions: list[Callable[[], object]] = [lambda: block.interrupt(closed()), task.cancel]
    for action in reversed(actions) if is_cancelled_first else actions:
        action()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_cancellation_of_before_the_block_is_not_taken_for_one_in_it() -> None:
    block = Interruptible()

    async def work() -> None:
        # As a clean-up does that runs after its task was cancelled.
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await stay(block)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    block.interrupt(closed())
    with pytest.raises(ClientStateError):
        await task


async def test_an_error_of_the_block_itself_is_raised_as_it_is() -> None:
    block = Interruptible()

    async def fails() -> None:
        async with block:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            raise KeyError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    block.interrupt(closed())
    with pytest.raises(KeyError):
        await task


async def test_a_block_that_ends_by_itself_at_that_moment_does_not_fail() -> None:
    block = Interruptible()

    async def ends() -> str:
        async with block:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        return "done"

    task = asyncio.create_task(ends())
    await asyncio.sleep(0)
    block.interrupt(closed())
    assert await task == "done"
    assert task.cancelling() == 0


async def test_the_end_of_a_block_can_be_waited_for() -> None:
    block = Interruptible()
    task = asyncio.create_task(stay(block))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(block.ended())
    await asyncio.sleep(5)
    assert not waiting.done()
    block.interrupt(closed())
    await waiting
    with pytest.raises(ClientStateError):
        await task


async def test_what_a_cancelled_block_leaves_behind_is_in_its_error() -> None:
    block, error, left = Interruptible(), closed(), LeftBehind(session_id="s-1")

    async def leaves() -> None:
        async with block:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError as cancellation:
                vars(cancellation)["left_behind"] = left
                raise

    task = asyncio.create_task(leaves())
    await asyncio.sleep(0)
    block.interrupt(error)
    with pytest.raises(ClientStateError):
        await task
    assert error.left_behind is left


async def test_what_is_left_behind_is_told_once() -> None:
    block, error, left = Interruptible(), closed(), LeftBehind(session_id="s-1")

    async def leaves() -> None:
        async with block:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError as cancellation:
                cancellation.add_note("The clean-up failed too.")
                report_leftover(cancellation, left)
                raise

    task = asyncio.create_task(leaves())
    await asyncio.sleep(0)
    block.interrupt(error)
    with pytest.raises(ClientStateError):
        await task
    assert error.__notes__ == ["The clean-up failed too."]
    assert str(error).count(str(left)) == 1


async def test_a_block_knows_whether_another_task_is_in_it() -> None:
    block = Interruptible()
    assert not block.is_elsewhere
    task = asyncio.create_task(stay(block))
    await asyncio.sleep(0)
    assert block.is_elsewhere
    task.cancel()
    await asyncio.wait({task})
    assert not block.is_elsewhere
    async with Interruptible() as own:
        assert not own.is_elsewhere
        assert await asyncio.create_task(is_elsewhere(own))


async def is_elsewhere(block: Interruptible) -> bool:
    return block.is_elsewhere


# --- Several users of one thing ---


async def use(users: InFlight, seconds: float, clean_up: float = 0.0) -> str:
    async with users.entered():
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.sleep(clean_up)
    return "done"


async def test_all_users_are_ended_each_with_another_error() -> None:
    users = InFlight()
    tasks = [asyncio.create_task(use(users, 3600, clean_up)) for clean_up in (1, 3)]
    await asyncio.sleep(10)
    await users.end(closed, within=60)
    first, second = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(first, ClientStateError)
    assert isinstance(second, ClientStateError)
    assert first is not second
    assert now() == 13


async def test_users_that_are_done_are_left_alone() -> None:
    users = InFlight()
    task = asyncio.create_task(use(users, 5))
    await asyncio.sleep(10)
    await users.end(closed, within=60)
    assert await task == "done"
    assert now() == 10


async def test_a_task_that_has_left_its_block_is_not_ended() -> None:
    users = InFlight()

    async def work() -> str:
        await use(users, 5)
        await asyncio.sleep(100)
        return "done"

    task = asyncio.create_task(work())
    await asyncio.sleep(10)
    await users.end(closed, within=60)
    assert now() == 10
    assert await task == "done"


async def test_users_have_a_bounded_time_to_end() -> None:
    users = InFlight()
    task = asyncio.create_task(use(users, 3600, clean_up=100))
    await asyncio.sleep(10)
    await users.end(closed, within=20)
    assert now() == 30
    assert not task.done()
    with pytest.raises(ClientStateError):
        await task


async def test_a_user_that_ends_the_others_is_not_ended() -> None:
    users = InFlight()
    other = asyncio.create_task(use(users, 3600))
    async with users.entered():
        await asyncio.sleep(1)
        await users.end(closed, within=60)
    with pytest.raises(ClientStateError):
        await other
    assert now() == 1


async def test_a_user_whose_block_failed_is_not_ended() -> None:
    users = InFlight()
    with pytest.raises(KeyError):
        async with users.entered():
            raise KeyError
    await users.end(closed, within=60)
    assert now() == 0


async def test_the_end_of_the_users_is_awaited_even_by_a_cancelled_task() -> None:
    users = InFlight()
    task = asyncio.create_task(use(users, 3600, clean_up=10))
    await asyncio.sleep(1)
    ending_task = asyncio.create_task(users.end(closed, within=60))
    await asyncio.sleep(1)
    ending_task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await ending_task
    assert caught.value.__cause__ is None
    assert task.done()
    assert now() == 11
    with pytest.raises(ClientStateError):
        await task


async def test_a_cancelled_task_does_not_await_the_users_for_ever() -> None:
    users = InFlight()
    task = asyncio.create_task(use(users, 3600, clean_up=100))
    ending_task = asyncio.create_task(users.end(closed, within=20))
    await asyncio.sleep(1)
    ending_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending_task
    assert now() == 20
    assert not task.done()
    with pytest.raises(ClientStateError):
        await task


async def test_a_user_whose_task_is_done_is_not_awaited() -> None:
    users = InFlight()
    block = users.entered()
    # An async generator that nobody closes leaves its block like this.
    await asyncio.create_task(block.__aenter__())
    await users.end(closed, within=60)
    assert now() == 0
    assert not await block.__aexit__(None, None, None)


# --- Work that is finished ---


async def takes(seconds: float, result: str = "result") -> str:
    await asyncio.sleep(seconds)
    return result


async def test_the_result_of_the_work_is_returned() -> None:
    assert await finished(takes(5), within=60) == "result"
    assert now() == 5


async def test_further_cancellations_do_not_extend_the_limit() -> None:
    task = asyncio.create_task(finished(takes(3600), within=10))
    for _ in range(3):
        await asyncio.sleep(3)
        task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert now() == 10
    assert isinstance(caught.value.__cause__, WaitTimeoutError)


@pytest.mark.parametrize("arguments", [{}, {"what": "sign-out"}])
async def test_what_is_cut_off_is_named(arguments: dict[str, str]) -> None:
    await asyncio.sleep(3)
    with pytest.raises(WaitTimeoutError) as caught:
        await finished(takes(3600), within=10, **arguments)
    error = caught.value
    assert str(error) == (
        f"{arguments.get('what', 'clean-up')} is not finished after 10.0 s and 0 polls: "
        "It was cut off."
    )
    assert (error.elapsed, error.polls, error.history) == (10, 0, ())


async def test_work_that_ignores_the_cut_is_left_after_a_second() -> None:
    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(100)

    with pytest.raises(WaitTimeoutError) as caught:
        await finished(stubborn(), within=10)
    assert now() == 11
    assert caught.value.elapsed == 11


async def test_work_that_cancels_itself_was_cut_off() -> None:
    async def gives_up() -> None:
        await asyncio.sleep(2)
        raise asyncio.CancelledError

    await asyncio.sleep(3)
    with pytest.raises(WaitTimeoutError) as caught:
        await finished(gives_up(), within=10, what="sign-out")
    assert (caught.value.resource, caught.value.elapsed) == ("sign-out", 2)


async def test_without_any_time_the_work_is_cut_off_at_once() -> None:
    with pytest.raises(WaitTimeoutError):
        await finished(takes(0), within=0)


async def test_a_cancellation_without_a_failure_has_no_cause() -> None:
    task = asyncio.create_task(finished(takes(5), within=10))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.__cause__ is None
    assert now() == 5


async def test_a_base_exception_of_the_work_is_raised() -> None:
    class EndError(BaseException):
        pass

    async def ends() -> None:
        raise EndError

    with pytest.raises(EndError):
        await finished(ends(), within=10)


# --- A block and its end ---


async def test_the_end_comes_after_a_block_that_succeeded() -> None:
    events: list[str] = []

    async def end() -> None:
        await asyncio.sleep(5)
        events.append("end")

    async with ending(end, within=10):
        events.append("block")
    assert events == ["block", "end"]


async def test_the_end_comes_after_a_block_that_failed() -> None:
    events: list[str] = []

    async def end() -> None:
        events.append("end")

    error = KeyError("block")
    with pytest.raises(KeyError) as caught:
        async with ending(end, within=10):
            raise error
    assert caught.value is error
    assert not hasattr(error, "__notes__")
    assert events == ["end"]


async def test_what_a_failed_end_leaves_behind_is_in_the_error_of_the_block() -> None:
    left, other = LeftBehind(session_id="s-1"), LeftBehind(session_id="s-2")

    async def fails() -> None:
        error = closed()
        error.left_behind = left
        raise error

    for mine, told in ((None, left), (other, other)):
        error = closed()
        error.left_behind = mine
        with pytest.raises(ClientStateError) as caught:
            async with ending(fails, within=10):
                raise error
        assert caught.value is error
        assert error.left_behind == told
    with pytest.raises(KeyError):
        async with ending(fails, within=10):
            raise KeyError


async def hangs() -> None:
    await asyncio.sleep(3600)


async def test_an_end_that_hangs_is_cut_off() -> None:
    with pytest.raises(WaitTimeoutError):
        async with ending(hangs, within=10):
            pass
    assert now() == 10


async def test_an_end_that_hangs_is_noted_in_the_error_of_the_block() -> None:
    with pytest.raises(KeyError) as caught:
        async with ending(hangs, within=10):
            raise KeyError
    assert now() == 10
    (note,) = caught.value.__notes__
    assert note.startswith("Ending it failed too: clean-up is not finished after 10.0 s")
