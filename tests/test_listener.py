"""The caller's `on_progress` hears of everything and harms nothing."""

import asyncio
import logging
from typing import Any

import pytest

from dcvsessions import InvalidArgumentError, Progress
from dcvsessions._wait.listener import Listener

pytestmark = pytest.mark.looptime

EVENT = Progress(wait=1, desktop="desk", resource="desk", state="READY", elapsed=1.0, attempt=1)


def warned(caplog: pytest.LogCaptureFixture) -> list[tuple[str, type[BaseException] | None]]:
    """What was logged, and of which error the traceback was."""
    records = [each for each in caplog.records if each.name == "dcvsessions._wait.listener"]
    assert all(record.levelno == logging.WARNING for record in records)
    return [
        (record.getMessage(), record.exc_info[0] if record.exc_info else None) for record in records
    ]


@pytest.mark.parametrize("wrong", [None, 5, "print", [print]])
def test_an_object_that_is_not_callable_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Listener(wrong)
    assert str(caught.value) == "on_progress= has to be a function that takes a Progress."


async def test_a_function_is_called_with_the_event(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Progress] = []
    await Listener(events.append).tell(EVENT, None)
    assert events == [EVENT]
    assert warned(caplog) == []


async def test_what_it_returns_is_awaited(caplog: pytest.LogCaptureFixture) -> None:
    events: list[Progress] = []

    async def heard(event: Progress) -> None:
        await asyncio.sleep(5)
        events.append(event)

    await Listener(heard).tell(EVENT, 10)
    assert events == [EVENT]
    assert asyncio.get_running_loop().time() == 5
    assert warned(caplog) == []


async def test_an_error_of_it_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Progress) -> None:
        raise KeyError("theirs")

    listener = Listener(fails)
    await listener.tell(EVENT, 10)
    await listener.tell(EVENT, 10)
    assert warned(caplog) == [("on_progress failed. The wait goes on.", KeyError)]
    await Listener(fails).tell(EVENT, 10)
    assert len(warned(caplog)) == 2


async def test_a_timeout_error_of_it_is_an_error_like_any_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(_: Progress) -> None:
        raise TimeoutError("theirs")

    await Listener(fails).tell(EVENT, 10)
    assert warned(caplog) == [("on_progress failed. The wait goes on.", TimeoutError)]


async def test_one_that_hangs_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    async def hangs(_: Progress) -> None:
        await asyncio.sleep(3600)

    await Listener(hangs).tell(EVENT, 10)
    assert asyncio.get_running_loop().time() == 10
    assert warned(caplog) == [("on_progress did not return before the deadline.", TimeoutError)]


async def test_an_error_of_one_that_is_cut_off_is_told_as_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def hangs_and_fails(_: Progress) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise KeyError("theirs") from None

    await Listener(hangs_and_fails).tell(EVENT, 10)
    assert warned(caplog) == [("on_progress failed. The wait goes on.", KeyError)]


async def test_without_a_deadline_it_is_never_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    async def slow(_: Progress) -> None:
        await asyncio.sleep(86_400)

    await Listener(slow).tell(EVENT, None)
    assert asyncio.get_running_loop().time() == 86_400
    assert warned(caplog) == []


async def test_a_cancellation_goes_through_it(caplog: pytest.LogCaptureFixture) -> None:
    async def hangs(_: Progress) -> None:
        await asyncio.sleep(3600)

    task = asyncio.create_task(Listener(hangs).tell(EVENT, None))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert warned(caplog) == []
