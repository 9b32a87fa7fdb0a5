"""What the caller does meanwhile: blocks and clients that end, tokens used twice, bad callbacks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from second_fake import Do, Service, delayed, lost, never, refused, replied
from second_fake.oracle import Logged, told, unnamed

from dcvsessions import (
    AccessDeniedError,
    ClientStateError,
    DcvSessionsError,
    DcvUrl,
    InvalidArgumentError,
    LightsailClient,
    NimbleClient,
    Progress,
    WaitError,
    WaitTimeoutError,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)

pytestmark = pytest.mark.looptime

GONE = refused("ResourceNotFoundException", 404, "There is no such session.")


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    async with Service.in_place_of_aws(monkeypatch) as service:
        service.add_computer("lab")
        yield service


async def new_session(**how: Any) -> DcvUrl:
    return await open_streaming_session("studio", launch_profile_id="lp", **how)


def now() -> float:
    return asyncio.get_running_loop().time()


HELPERS: dict[str, Callable[..., Any]] = {
    "open_gui_session": lambda **how: open_gui_session("lab", **how),
    "close_gui_session": lambda **how: close_gui_session("lab", **how),
    "gui_session": lambda **how: gui_session("lab", **how).__aenter__(),
    "open_streaming_session": new_session,
    "open_stream": lambda **how: open_stream("studio", "session-1", **how),
    "close_streaming_session": lambda **how: close_streaming_session("studio", "session-1", **how),
    "streaming_session": lambda **how: streaming_session(
        "studio", launch_profile_id="lp", **how
    ).__aenter__(),
    "existing_streaming_session": lambda **how: existing_streaming_session(
        "studio", "session-1", **how
    ).__aenter__(),
}


# --- A url() in flight when its block ends ---


async def test_a_url_in_flight_does_not_start_a_gui_session_after_its_block(fake: Service) -> None:
    async with gui_session("lab", stop_on_exit=True) as desktop:
        await asyncio.sleep(10)
        fake.computers["lab"].go(fake.clock.service, (0, "stopped"))
        fake.script("CreateGUISessionAccessDetails", delayed(after=5))
        in_flight = asyncio.create_task(desktop.url())
        await asyncio.sleep(1)
    assert in_flight.done()
    with pytest.raises((asyncio.CancelledError, ClientStateError)):
        await in_flight
    stopped = len(fake.requests)
    await asyncio.sleep(120)
    assert len(fake.requests) == stopped
    assert fake.computers["lab"].state == "stopped"


async def test_a_url_in_flight_is_over_before_the_gui_session_is_stopped(fake: Service) -> None:
    async with gui_session("lab", stop_on_exit=True) as desktop:
        await asyncio.sleep(10)
        fake.script("CreateGUISessionAccessDetails", never())
        in_flight = asyncio.create_task(desktop.url())
        await asyncio.sleep(1)
        fake.script("CreateGUISessionAccessDetails", delayed(before=2))
    assert in_flight.done()
    assert fake.computers["lab"].state == "stopped"
    assert fake.requests[-1].operation == "CreateGUISessionAccessDetails"
    with pytest.raises((asyncio.CancelledError, ClientStateError)):
        await in_flight


async def test_a_url_in_flight_asks_for_nothing_after_the_end_of_a_streaming_block(
    fake: Service,
) -> None:
    async with streaming_session("studio", launch_profile_id="lp") as desktop:
        await asyncio.sleep(10)
        fake.script("GetStreamingSession", delayed(after=5))
        in_flight = asyncio.create_task(desktop.url())
        await asyncio.sleep(1)
    assert in_flight.done()
    with pytest.raises((asyncio.CancelledError, ClientStateError)):
        await in_flight
    ended = len(fake.requests)
    await asyncio.sleep(120)
    assert len(fake.requests) == ended
    assert not fake.billing


async def test_a_url_in_flight_does_not_start_an_existing_session_after_its_block(
    fake: Service,
) -> None:
    session = fake.add_session("READY")
    async with existing_streaming_session("studio", session.session_id) as desktop:
        await desktop.url()
        await asyncio.sleep(10)
        session.go(fake.clock.service, (0, "STOPPED"))
        fake.script("GetStreamingSession", delayed(after=5))
        in_flight = asyncio.create_task(desktop.url())
        await asyncio.sleep(1)
    with pytest.raises((asyncio.CancelledError, ClientStateError)):
        await in_flight
    await asyncio.sleep(120)
    assert session.state == "STOPPED"


@pytest.mark.parametrize("service", ["lightsail", "nimble"])
async def test_callers_queued_behind_anothers_url_keep_their_own_deadline(
    fake: Service, service: str
) -> None:
    context: Any
    if service == "lightsail":
        context = gui_session("lab", timeout=20)
    else:
        context = streaming_session("studio", launch_profile_id="lp", timeout=20)
    async with context as desktop:
        await asyncio.sleep(10)
        fake.always("*", never())
        began = now()
        ends: list[float] = []

        async def one() -> None:
            try:
                await desktop.url()
            finally:
                ends.append(now() - began)

        errors = await asyncio.gather(*(one() for _ in range(20)), return_exceptions=True)
        fake.recover()
    assert all(isinstance(error, WaitTimeoutError) for error in errors), errors
    assert max(ends) <= 20 + 3 + 0.1


async def test_parallel_calls_of_url_make_one_stream(fake: Service) -> None:
    async with streaming_session("studio", launch_profile_id="lp") as desktop:
        urls = await asyncio.gather(*(desktop.url() for _ in range(20)))
    assert len(set(urls)) == 1
    assert len(fake.streams) == 1


async def test_one_of_many_callers_of_url_that_is_cancelled_does_not_end_the_others(
    fake: Service,
) -> None:
    async with streaming_session("studio", launch_profile_id="lp") as desktop:
        callers = [asyncio.create_task(desktop.url()) for _ in range(5)]
        await asyncio.sleep(1)
        callers[0].cancel()
        urls = await asyncio.gather(*callers[1:])
        assert all(map(fake.accepts, urls))
        with pytest.raises(asyncio.CancelledError):
            await callers[0]


# --- A client that is closed while helpers use it ---


async def test_gather_inside_a_client_leaves_nothing_when_one_of_five_fails(fake: Service) -> None:
    denied = replace(refused("AccessDeniedException", 403), after=3)
    fake.script("CreateStreamingSession", Do(), Do(), denied)
    tasks: list[asyncio.Task[DcvUrl]] = []

    async def five() -> None:
        async with NimbleClient() as client:
            tasks.extend(asyncio.create_task(new_session(client=client)) for _ in range(5))
            await asyncio.gather(*tasks)

    began = now()
    with Logged() as logged, pytest.raises(AccessDeniedError):
        await five()
    assert now() - began < 60
    assert all(task.done() for task in tasks)
    assert len(fake.sessions) == 4
    assert not fake.billing, logged.warned
    kinds = sorted(type(task.exception()).__name__ for task in tasks)
    assert kinds == ["AccessDeniedError", *["ClientStateError"] * 4]


@pytest.mark.parametrize("seconds", [0.5, 3, 9, 12, 15])
async def test_a_client_that_is_closed_first_ends_the_helpers_that_use_it(
    fake: Service, seconds: float
) -> None:
    client = NimbleClient()
    await client.__aenter__()
    task = asyncio.create_task(new_session(client=client))
    await asyncio.sleep(seconds)
    await client.__aexit__(None, None, None)
    assert task.done()
    if task.exception() is None:
        assert fake.accepts(task.result())
    else:
        assert isinstance(task.exception(), ClientStateError)
        assert not fake.billing


async def test_a_helper_that_cannot_clean_up_when_its_client_is_closed_says_so(
    fake: Service,
) -> None:
    fake.always("DeleteStreamingSession", never(effect=False))
    with Logged() as logged:
        async with NimbleClient() as client:
            task = asyncio.create_task(new_session(client=client))
            await asyncio.sleep(3)
            began = now()
        assert now() - began < 60
        with pytest.raises(ClientStateError) as caught:
            await task
    (session,) = fake.billing
    assert session.session_id in told(caught.value)
    assert session.session_id in logged.warned


async def test_a_wait_on_a_gui_session_ends_when_its_client_is_closed(fake: Service) -> None:
    for work in (open_gui_session, close_gui_session):
        fake.always("CreateGUISessionAccessDetails", replied(503))
        async with LightsailClient() as client:
            task = asyncio.create_task(work("lab", client=client))
            await asyncio.sleep(3)
            began = now()
        assert task.done()
        assert now() - began < 10
        with pytest.raises(ClientStateError):
            await task


async def test_a_block_whose_client_is_closed_deletes_its_session_or_names_it(
    fake: Service,
) -> None:
    async def use(client: NimbleClient) -> None:
        async with streaming_session("studio", launch_profile_id="lp", client=client) as desktop:
            while True:
                await desktop.url()
                await asyncio.sleep(30)

    async with NimbleClient() as client:
        task = asyncio.create_task(use(client))
        await asyncio.sleep(45)
    with pytest.raises(ClientStateError) as caught:
        await asyncio.wait_for(task, 120)
    assert not unnamed(fake, told(caught.value))


@pytest.mark.parametrize(
    "helper",
    [
        "open_streaming_session",
        "open_stream",
        "close_streaming_session",
        "streaming_session",
        "existing_streaming_session",
    ],
)
async def test_a_closed_client_is_not_absorbed(fake: Service, helper: str) -> None:
    fake.add_session()
    async with NimbleClient() as client:
        pass
    began = now()
    with pytest.raises(ClientStateError, match="was closed"):
        await HELPERS[helper](client=client)
    assert now() - began < 1
    assert fake.requests == []


# --- The caller's own token ---


async def test_a_token_is_used_up_after_a_failure_that_was_cleaned_up(fake: Service) -> None:
    fake.fails = True
    with pytest.raises(WaitError):
        await new_session(client_token="mine")
    assert not fake.billing
    await asyncio.sleep(60)
    fake.fails = False
    with pytest.raises(DcvSessionsError) as caught:
        await new_session(client_token="mine")
    words = told(caught.value)
    assert "client_token" in words
    assert "used" in words
    assert "left behind" not in words
    assert "may have been made" not in words
    assert caught.value.left_behind is None
    # What it says to do works.
    assert fake.accepts(await new_session(client_token="another"))


EARLIER = ("CREATE_IN_PROGRESS", "READY", "STOPPED", "START_IN_PROGRESS", "STOP_IN_PROGRESS")


async def late(**how: Any) -> BaseException:
    with pytest.raises(WaitTimeoutError) as caught:
        await new_session(client_token="mine", timeout=5, **how)
    return caught.value


async def cancelled(**how: Any) -> BaseException:
    task = asyncio.create_task(new_session(client_token="mine", **how))
    await asyncio.sleep(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def failed_block() -> BaseException:
    async def block() -> None:
        async with streaming_session(
            "studio", launch_profile_id="lp", client_token="mine", timeout=5
        ) as desktop:
            await desktop.url()

    with pytest.raises(WaitTimeoutError) as caught:
        await block()
    return caught.value


FIRST_ANSWERS = {
    "seen": Do(),
    "lost": lost(),
    "lost before": lost(effect=False),
    "a fault": replied(503, effect=True),
    "a page": replied(404, b"<html>", effect=True),
    "never": never(),
}


@pytest.mark.parametrize("first", FIRST_ANSWERS.values(), ids=FIRST_ANSWERS)
@pytest.mark.parametrize("end", [late, cancelled, failed_block])
@pytest.mark.parametrize("state", EARLIER)
async def test_a_session_of_an_earlier_run_is_never_deleted(
    fake: Service, state: str, end: Callable[[], Awaitable[BaseException]], first: Do
) -> None:
    session = fake.add_session(state, token="mine", age=300)
    fake.script("CreateStreamingSession", first)
    fake.always("CreateStreamingSessionStream", replied(503))
    with Logged() as logged:
        error = await end()
    assert fake.called("DeleteStreamingSession") == []
    assert session.bills
    # It is named by its id, or by the token if no answer told the id.
    assert not unnamed(fake, told(error) + logged.warned)


# SigV4 tolerates five minutes: a machine's clock can be off by that without an error.
@pytest.mark.parametrize("skew", [-240, 240])
@pytest.mark.parametrize("first", [Do(), lost()], ids=["seen", "lost"])
async def test_a_wrong_clock_does_not_make_an_earlier_session_a_new_one(
    fake: Service, skew: float, first: Do
) -> None:
    fake.clock.skew = skew
    session = fake.add_session("CREATE_IN_PROGRESS", token="mine", age=100)
    fake.script("CreateStreamingSession", first)
    error = await late()
    assert session.bills
    assert session.session_id in told(error)


@pytest.mark.parametrize("first", [Do(), lost(), replied(503, effect=True)])
@pytest.mark.parametrize("end", [late, cancelled, failed_block])
async def test_a_session_that_this_call_made_with_an_own_token_is_deleted(
    fake: Service, end: Callable[[], Awaitable[BaseException]], first: Do
) -> None:
    fake.script("CreateStreamingSession", first)
    fake.always("CreateStreamingSessionStream", replied(503))
    await end()
    assert len(fake.sessions) == 1
    assert not fake.billing


async def test_the_same_line_after_a_crash_finds_its_session(fake: Service) -> None:
    session = fake.add_session("READY", token="mine", age=300)
    assert fake.accepts(await new_session(client_token="mine"))
    assert list(fake.sessions) == [session.session_id]


# --- A 404 soon after creation ---


async def test_not_found_soon_after_creation_does_not_end_a_wait_inside_a_block(
    fake: Service,
) -> None:
    fake.start_time = 0
    fake.script("GetStreamingSession", GONE, Do(), *[GONE] * 3)
    fake.script("GetStreamingSessionStream", *[GONE] * 3)
    async with streaming_session("studio", launch_profile_id="lp") as desktop:
        await asyncio.sleep(2)
        assert fake.accepts(await desktop.url())
    assert not fake.billing


async def test_not_found_for_a_new_stream_does_not_end_a_wait_inside_a_block(
    fake: Service,
) -> None:
    fake.start_time = 0
    fake.script("CreateStreamingSessionStream", GONE, GONE)
    async with streaming_session("studio", launch_profile_id="lp") as desktop:
        assert fake.accepts(await desktop.url())


async def test_not_found_long_after_creation_is_an_error_inside_a_block(fake: Service) -> None:
    async with streaming_session("studio", launch_profile_id="lp") as desktop:
        await asyncio.sleep(600)
        fake.always("GetStreamingSession", GONE)
        began = now()
        with pytest.raises(DcvSessionsError):
            await desktop.url()
        assert now() - began < 60
        fake.recover()


# --- The caller's own callbacks ---


@pytest.mark.parametrize("callback", [5, "printer", True, [print], {}], ids=repr)
@pytest.mark.parametrize("helper", HELPERS)
async def test_an_object_that_is_not_callable_is_refused_before_the_first_call(
    fake: Service, helper: str, callback: object
) -> None:
    with pytest.raises(InvalidArgumentError, match="on_progress"):
        await HELPERS[helper](on_progress=callback)
    assert fake.requests == []


def raises_at_once(_: Progress) -> None:
    raise KeyError("in the caller's progress bar")


async def raises_later(_: Progress) -> None:
    await asyncio.sleep(0)
    raise KeyError("in the caller's progress bar")


def raises_a_timeout(_: Progress) -> None:
    raise TimeoutError("in the caller's progress bar")


def raises_one_of_ours(_: Progress) -> None:
    raise ClientStateError("in the caller's progress bar")


@pytest.mark.parametrize(
    "callback", [raises_at_once, raises_later, raises_a_timeout, raises_one_of_ours]
)
async def test_a_callback_that_raises_is_logged_once_and_does_not_touch_the_wait(
    fake: Service, callback: Callable[[Progress], Any], caplog: pytest.LogCaptureFixture
) -> None:
    for work in (
        lambda: open_gui_session("lab", on_progress=callback),
        lambda: new_session(on_progress=callback),
        lambda: close_gui_session("lab", on_progress=callback),
    ):
        caplog.clear()
        await work()
        logged = [
            record
            for record in caplog.records
            if record.name.startswith("dcvsessions") and record.exc_info
        ]
        assert len(logged) == 1
        assert "in the caller's progress bar" in caplog.text
    assert len(fake.billing) == 1
    assert fake.called("DeleteStreamingSession") == []


async def test_a_callback_that_raises_does_not_touch_a_block(fake: Service) -> None:
    async with streaming_session(
        "studio", launch_profile_id="lp", on_progress=raises_at_once
    ) as desktop:
        assert fake.accepts(await desktop.url())
    assert not fake.billing
