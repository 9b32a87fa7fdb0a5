"""Work that is finished although its caller is cancelled, and blocks that are ended by others."""

import asyncio

import pytest

from dcvsessions import ClientStateError, ConflictError, WaitTimeoutError
from dcvsessions._tasks import InFlight, ending, finished

pytestmark = pytest.mark.looptime

CONFLICT = ConflictError(
    code="ConflictException",
    message="It is busy",
    operation="DeleteStreamingSession",
    request_id=None,
    http_status=409,
)


async def takes(seconds: float, done: list[str]) -> None:
    await asyncio.sleep(seconds)
    done.append("done")


async def fails() -> None:
    await asyncio.sleep(1)
    raise CONFLICT


async def cancelled_after(seconds: float, task: "asyncio.Task[None]", times: int = 1) -> None:
    for _ in range(times):
        await asyncio.sleep(seconds)
        task.cancel()
    await asyncio.wait({task})


@pytest.mark.parametrize("times", [1, 3])
async def test_work_is_finished_before_a_cancellation_is_raised(times: int) -> None:
    done: list[str] = []
    task = asyncio.create_task(finished(takes(10, done), within=60))
    await cancelled_after(2, task, times)
    assert task.cancelled()
    assert done == ["done"]


async def test_work_is_cut_off_at_its_limit(looptime: float) -> None:
    done: list[str] = []
    with pytest.raises(WaitTimeoutError, match=r"clean-up is not finished after .* It was cut off"):
        await finished(takes(3600, done), within=5)
    assert looptime == 5
    assert done == []


@pytest.mark.parametrize(
    ("work", "cause"), [(lambda: takes(3600, []), WaitTimeoutError), (fails, ConflictError)]
)
async def test_a_cancellation_is_raised_from_the_failure_of_the_work(work, cause) -> None:
    task = asyncio.create_task(finished(work(), within=5))
    await cancelled_after(0.5, task)
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert isinstance(caught.value.__cause__, cause)


async def test_an_error_of_the_block_is_raised_before_one_of_the_end() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        async with ending(fails, within=5):
            raise ZeroDivisionError
    assert "ConflictException" in caught.value.__notes__[0]


async def test_an_error_of_the_end_is_raised_after_a_block_without_one() -> None:
    with pytest.raises(ConflictError):
        async with ending(fails, within=5):
            pass


# --- Blocks that are ended by others ---


def closed() -> ClientStateError:
    return ClientStateError("It was closed.")


async def held(in_flight: InFlight, clean_up: float = 0.0) -> None:
    async with in_flight.entered():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(clean_up)


async def test_a_block_is_ended_with_an_error_after_its_clean_up(looptime: float) -> None:
    in_flight = InFlight()
    blocks = [asyncio.create_task(held(in_flight, clean_up=seconds)) for seconds in (0, 5)]
    await asyncio.sleep(1)
    await in_flight.end(closed, within=60)
    assert looptime == 6
    for block in blocks:
        with pytest.raises(ClientStateError, match="It was closed"):
            await block
        assert not block.cancelling()


async def test_a_block_that_is_cancelled_too_raises_the_cancellation() -> None:
    in_flight = InFlight()
    block = asyncio.create_task(held(in_flight, clean_up=5))
    await asyncio.sleep(1)
    ending_all = asyncio.create_task(in_flight.end(closed, within=60))
    await asyncio.sleep(1)
    block.cancel()
    await ending_all
    await asyncio.wait({block})
    assert block.cancelled()


async def test_a_block_that_does_not_end_is_waited_for_until_the_limit(looptime: float) -> None:
    in_flight = InFlight()
    block = asyncio.create_task(held(in_flight, clean_up=3600))
    await asyncio.sleep(1)
    await in_flight.end(closed, within=10)
    assert looptime == 11
    assert not block.done()
    block.cancel()
    await asyncio.wait({block})


async def test_a_task_that_ends_its_own_block_is_not_interrupted() -> None:
    in_flight = InFlight()
    async with in_flight.entered():
        await in_flight.end(closed, within=10)
        await asyncio.sleep(0)


async def test_a_block_whose_task_is_over_is_not_waited_for(looptime: float) -> None:
    # An interruption between two lines can keep a block from being left.
    in_flight = InFlight()
    block = in_flight.entered()
    await asyncio.create_task(block.__aenter__())
    await in_flight.end(closed, within=10)
    assert looptime == 0
