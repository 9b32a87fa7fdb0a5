"""What the desktops of both services share: one URL at a time, and none after the block."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from dcvsessions import (
    ClientStateError,
    ConflictError,
    DcvUrl,
    UnreachableError,
    WaitTimeoutError,
)
from dcvsessions._wait.desktop import Desktop, UrlCalls
from dcvsessions._wait.instant import date_in
from dcvsessions._wait.loop import FINAL_POLL_GRACE, Waiter

pytestmark = pytest.mark.looptime

LONGEST_END = 5.0


class Url(DcvUrl):
    """A URL whose server answers, or does not."""

    is_reachable: bool = True
    tried: int = 0

    async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
        self.tried += 1
        await asyncio.sleep(3)
        if not self.is_reachable:
            raise UnreachableError("It does not answer.", step="tcp")


class Lab(Desktop):
    """A desktop whose URLs take some seconds each."""

    def __init__(self, takes: float = 0.0, timeout: float | None = 600, **how: Any) -> None:
        self.calls = UrlCalls()
        self.takes = takes
        self.handed_out: list[float] = []
        self.most_at_once = self.at_once = 0
        self.clean_up = self.lasts_until = 0.0
        self.failure: Exception | None = None
        self.reads = "started"
        self.server = Url("https://h/?authToken=s3cr3t")
        opened = Waiter(timeout=None)
        if "state" in how:
            opened.report.saw("lab <1>", how["state"], 0)
        super().__init__(calls=self.calls, waiter=partial(Waiter, timeout=timeout), opened=opened)

    @property
    def _resource(self) -> str:
        return "lab <1>"

    @property
    def _due_in(self) -> float:
        return self.lasts_until - now()

    def _is_new(self, url: DcvUrl, last: DcvUrl) -> bool:
        return url != last

    async def _usable(self, waiter: Waiter) -> DcvUrl:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes)
            waiter.report.saw(self._resource, self.reads, waiter.elapsed)
            if self.failure is not None:
                raise self.failure
        finally:
            self.at_once -= 1
            await asyncio.sleep(self.clean_up)
        self.handed_out.append(now())
        return self.server


def now() -> float:
    return asyncio.get_running_loop().time()


# --- One at a time ---


async def test_calls_take_turns() -> None:
    lab = Lab(takes=10)
    urls = await asyncio.gather(*(lab.url() for _ in range(3)))
    assert urls == [lab.server] * 3
    assert lab.handed_out == [10, 20, 30]
    assert lab.most_at_once == 1


async def test_a_call_that_waits_for_its_turn_has_its_own_deadline() -> None:
    lab = Lab(takes=10, timeout=12)
    results = await asyncio.gather(*(lab.url() for _ in range(3)), return_exceptions=True)
    assert lab.handed_out == [10, 20]
    assert results[:2] == [lab.server] * 2
    error = results[2]
    assert isinstance(error, WaitTimeoutError)
    assert (error.resource, error.awaited) == ("lab <1>", "free")
    assert error.elapsed == 12 + FINAL_POLL_GRACE


async def test_a_call_that_fails_gives_up_its_turn() -> None:
    lab = Lab(takes=10)
    lab.failure = ZeroDivisionError()
    results = await asyncio.gather(*(lab.url() for _ in range(2)), return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError] * 2
    assert now() == 20


# --- None after the block ---


async def test_after_the_block_there_are_no_urls() -> None:
    lab = Lab()
    await lab.url()
    await lab.calls.end()
    with pytest.raises(ClientStateError) as caught:
        await lab.url()
    assert str(caught.value) == "The block of this desktop is over: url() works only inside it."
    assert len(lab.handed_out) == 1


async def test_calls_of_other_tasks_are_ended_with_the_block() -> None:
    lab = Lab(takes=100)
    tasks = [asyncio.create_task(lab.url()) for _ in range(2)]
    await asyncio.sleep(10)
    await lab.calls.end()
    assert all(task.done() for task in tasks)
    for task in tasks:
        with pytest.raises(ClientStateError, match="block of this desktop is over"):
            await task
    assert (now(), lab.handed_out) == (10, [])


async def test_the_end_waits_for_a_call_that_cleans_up() -> None:
    lab = Lab(takes=100)
    lab.clean_up = 4
    task = asyncio.create_task(lab.url())
    await asyncio.sleep(10)
    await lab.calls.end()
    assert now() == 14
    with pytest.raises(ClientStateError):
        await task


async def test_the_end_does_not_wait_for_ever() -> None:
    lab = Lab(takes=100)
    lab.clean_up = 60
    task = asyncio.create_task(lab.url())
    await asyncio.sleep(10)
    await lab.calls.end()
    assert now() == 10 + LONGEST_END
    with pytest.raises(ClientStateError):
        await task


async def test_the_task_that_ends_the_block_is_not_ended_itself() -> None:
    calls = UrlCalls()
    async with calls.in_flight.entered():
        await calls.end()
    assert (calls.is_over, now()) == (True, 0)


# --- A new URL whenever it is needed ---


class Renewed(Lab):
    """A desktop whose URLs each last for 100 s."""

    async def _usable(self, waiter: Waiter) -> DcvUrl:
        url = await super()._usable(waiter)
        if self._due_in > 0:
            return url
        self.lasts_until = now() + 100
        self.server = Url(f"https://h/?authToken={now()}")
        return self.server


async def collected(
    lab: Lab, into: list[tuple[float, DcvUrl]], *, pause: float = 0.0, check: bool = False
) -> None:
    async for url in lab.urls(check_reachable=check):
        into.append((now(), url))
        await asyncio.sleep(pause)


async def test_a_new_url_is_yielded_whenever_it_is_needed() -> None:
    lab, seen = Renewed(), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(250)
    await lab.calls.end()
    await task
    assert [when for when, _ in seen] == [0, 100, 200]
    assert len({url for _, url in seen}) == 3
    # It asked for no URL that it did not yield.
    assert lab.handed_out == [0, 100, 200]


async def test_a_url_that_another_task_got_is_yielded_within_30_seconds() -> None:
    lab, seen = Renewed(), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(10)
    lab.lasts_until = 0
    url = await lab.url()
    await asyncio.sleep(30)
    assert [found for _, found in seen][1:] == [url]
    assert seen[1][0] == 31
    await lab.calls.end()
    await task


async def test_a_url_that_is_needed_at_once_is_asked_for_once_a_second() -> None:
    lab, seen = Lab(), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(3.5)
    assert lab.handed_out == [0, 1, 2, 3]
    # It stayed the same.
    assert seen == [(0, lab.server)]
    await lab.calls.end()
    await task


async def test_the_end_of_the_block_ends_the_iteration_while_it_waits() -> None:
    lab, seen = Renewed(), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(50)
    await lab.calls.end()
    assert task.done()
    assert (now(), await task, len(seen)) == (50, None, 1)


async def test_the_end_of_the_block_ends_the_iteration_while_it_gets_a_url() -> None:
    lab, seen = Renewed(takes=60), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(30)
    await lab.calls.end()
    assert (now(), await task, seen) == (30, None, [])


async def test_the_end_of_the_block_ends_the_iteration_after_the_body_of_the_loop() -> None:
    lab, seen = Renewed(), []
    task = asyncio.create_task(collected(lab, seen, pause=70))
    await asyncio.sleep(50)
    await lab.calls.end()
    # The body is the caller's, so the end of the block does not wait for it.
    assert now() == 50
    await task
    assert (now(), len(seen)) == (70, 1)


async def test_the_iteration_can_be_left() -> None:
    lab, found = Renewed(), None
    async for url in lab.urls():
        found = url
        break
    assert found == lab.server
    assert (now(), lab.handed_out) == (0, [0])


async def test_the_iteration_can_be_cancelled_while_it_waits() -> None:
    lab, seen = Renewed(), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(50)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (now(), len(seen)) == (50, 1)
    # The desktop goes on.
    assert await lab.url() == seen[0][1]


async def test_an_error_of_a_url_ends_the_iteration() -> None:
    lab, seen = Renewed(timeout=20), []
    task = asyncio.create_task(collected(lab, seen))
    await asyncio.sleep(50)
    async with lab.calls.one_at_a_time:
        with pytest.raises(WaitTimeoutError) as caught:
            await task
    assert (caught.value.resource, caught.value.awaited) == ("lab <1>", "free")
    assert (now(), len(seen)) == (100 + 20 + FINAL_POLL_GRACE, 1)


async def test_an_error_about_a_closed_client_is_not_taken_for_the_end_of_the_block() -> None:
    lab = Renewed()
    lab.failure = ClientStateError("This client was closed.")
    with pytest.raises(ClientStateError, match="client was closed"):
        await collected(lab, [])


async def test_after_the_block_there_is_no_iteration() -> None:
    lab = Renewed()
    await lab.calls.end()
    with pytest.raises(ClientStateError, match="block of this desktop is over"):
        lab.urls()
    assert lab.handed_out == []


async def test_the_server_of_each_yielded_url_is_waited_for_if_asked() -> None:
    lab, seen = Renewed(), []
    task = asyncio.create_task(collected(lab, seen, check=True))
    await asyncio.sleep(150)
    await lab.calls.end()
    await task
    assert [when for when, _ in seen] == [3, 103]
    assert [url.tried for _, url in seen] == [1, 1]


# --- Whether the server answers, and the state ---


@pytest.mark.parametrize("check", [False, True])
async def test_the_server_is_waited_for_if_asked(*, check: bool) -> None:
    lab = Lab()
    assert await lab.url(check_reachable=check) is lab.server
    assert lab.server.tried == (1 if check else 0)


async def test_a_url_whose_server_was_waited_for_is_a_new_one() -> None:
    lab = Lab(takes=10)
    await asyncio.gather(lab.url(check_reachable=True), lab.url())
    # The other call has its turn while the server is waited for.
    assert lab.handed_out == [10, 20, 30]
    assert lab.most_at_once == 1


async def test_a_url_that_expires_during_the_check_is_replaced() -> None:
    lab, other = Lab(), Url("https://h/?authToken=other")
    first = lab.server
    task = asyncio.create_task(lab.url(check_reachable=True))
    await asyncio.sleep(1)
    lab.server = other
    assert await task is other
    assert (first.tried, other.tried) == (1, 0)
    assert lab.handed_out == [0, 3]


async def test_a_session_that_fails_during_the_check_is_told() -> None:
    lab = Lab()
    task = asyncio.create_task(lab.url(check_reachable=True))
    await asyncio.sleep(1)
    lab.reads, lab.failure = "stopped", ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await task
    assert (now(), lab.state) == (3, "stopped")


async def test_a_call_that_cannot_read_the_session_after_the_check_times_out() -> None:
    lab = Lab(timeout=5)
    task = asyncio.create_task(lab.url(check_reachable=True))
    await asyncio.sleep(1)
    async with lab.calls.one_at_a_time:
        with pytest.raises(WaitTimeoutError) as caught:
            await task
    assert (caught.value.resource, caught.value.awaited) == ("lab <1>", "free")
    assert now() == 5 + FINAL_POLL_GRACE
    assert lab.server.tried == 1


async def test_a_check_is_ended_with_the_block() -> None:
    lab = Lab()
    task = asyncio.create_task(lab.url(check_reachable=True))
    await asyncio.sleep(1)
    await lab.calls.end()
    with pytest.raises(ClientStateError, match="block of this desktop is over"):
        await task
    assert (now(), lab.handed_out) == (1, [0])


async def test_a_server_that_does_not_answer_is_told() -> None:
    lab = Lab()
    lab.server.is_reachable = False
    with pytest.raises(UnreachableError) as caught:
        await lab.url(check_reachable=True)
    assert "While waiting for lab <1> to be reachable" in caught.value.__notes__[0]


async def test_the_state_is_that_of_the_latest_reading() -> None:
    assert Lab().state is None
    lab = Lab(state="starting")
    assert lab.state == "starting"
    await lab.url()
    assert lab.state == "started"
    lab.reads, lab.failure = (
        "stopped",
        ConflictError(code="C", message="No", operation="O", request_id=None, http_status=409),
    )
    with pytest.raises(ConflictError):
        await lab.url()
    assert lab.state == "stopped"


async def test_a_call_without_a_reading_leaves_the_state() -> None:
    lab = Lab(state="starting", takes=100, timeout=5)
    async with lab.calls.one_at_a_time:
        with pytest.raises(WaitTimeoutError):
            await lab.url()
    assert lab.state == "starting"


async def test_a_notebook_shows_no_link() -> None:
    shown = Lab()._repr_html_()
    assert shown.startswith("<code>&lt;")
    assert shown.endswith("&gt;</code> (open it with <code>(await desktop.url()).open()</code>)")
    assert "s3cr3t" not in shown


@pytest.mark.parametrize("seconds", [0, 3600, -60])
def test_a_date_in_some_seconds(seconds: float) -> None:
    before = datetime.now(UTC)
    found = date_in(seconds)
    assert found.tzinfo is UTC
    assert 0 <= (found - before).total_seconds() - seconds < 5
