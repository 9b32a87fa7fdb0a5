"""Work that is finished although its caller is cancelled, within its limit."""

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


async def test_a_block_whose_task_is_over_is_not_waited_for(looptime: float) -> None:
    # An interruption between two lines can keep a block from being left.
    in_flight = InFlight()
    block = in_flight.entered()
    await asyncio.create_task(block.__aenter__())
    await in_flight.end(lambda: ClientStateError("It was closed."), within=10)
    assert looptime == 0
