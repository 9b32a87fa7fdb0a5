"""Desktops for the length of a block: usable in it at any time, and ended as the caller says."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dcvsessions import (
    ClientStateError,
    GuiDesktop,
    LightsailClient,
    NimbleClient,
    Progress,
    StreamingDesktop,
    WaitFailedError,
    WaitTimeoutError,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_streaming_session,
    streaming_session,
)
from dcvsessions.errors import LeftBehind
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

# Virtual time begins at the real time, at which the fixtures began.
pytestmark = pytest.mark.looptime(start=time.monotonic)
HOUR = 3600


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_gui_session_goes_on_after_its_block(sim: Simulator) -> None:
    async with gui_session("my-computer") as desktop:
        assert sim.accepts(await desktop.url())
        assert desktop.name == "my-computer"
        assert desktop.state == "started"
        assert repr(desktop) == "<GuiDesktop my-computer: started>"
    assert sim.lightsail.instances["my-computer"].status == "started"


async def test_a_url_that_was_just_read_is_handed_out_again(sim: Simulator) -> None:
    async with gui_session("my-computer") as desktop:
        before = len(sim.requests)
        assert await desktop.url() == await desktop.url()
        assert len(sim.requests) == before


async def test_a_gui_session_is_resumed_whenever_it_has_expired(sim: Simulator) -> None:
    async with gui_session("my-computer") as desktop:
        for _ in range(12):
            assert sim.accepts(await desktop.url())
            await asyncio.sleep(17 * 60)
    # It was started once, and resumed when it had expired after one hour, and after another.
    assert len(sim.calls("StartGUISession")) == 3


async def test_a_gui_session_that_is_about_to_expire_is_waited_out_and_resumed(
    sim: Simulator,
) -> None:
    async with gui_session("my-computer", poll_interval=1) as desktop:
        await asyncio.sleep(HOUR - 10)
        url = await desktop.url()
        await asyncio.sleep(HOUR - 120)
        assert sim.accepts(url)
    assert len(sim.calls("StartGUISession")) == 2


async def test_a_gui_session_that_somebody_stopped_is_started_again(sim: Simulator) -> None:
    async with gui_session("my-computer") as desktop:
        sim.lightsail.set_status("my-computer", "stopped")
        await asyncio.sleep(2)
        assert sim.accepts(await desktop.url())


async def test_a_gui_session_that_was_found_started_is_read_for_each_url(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    await open_gui_session("my-computer", client=lightsail)
    await asyncio.sleep(HOUR - 10)
    async with gui_session("my-computer", client=lightsail) as desktop:
        assert sim.accepts(await desktop.url())
        await asyncio.sleep(15)
        assert sim.accepts(await desktop.url())


async def test_a_new_url_of_a_gui_session_is_yielded_each_hour(sim: Simulator) -> None:
    began, seen = now(), []

    async def watch(desktop: GuiDesktop) -> None:
        async for url in desktop.urls():
            assert sim.accepts(url)
            assert url.expires_at is not None
            seen.append((now() - began, url))

    async with gui_session("my-computer") as desktop:
        task = asyncio.create_task(watch(desktop))
        await asyncio.sleep(2.5 * HOUR)
    await task
    # At the end of each hour, it was waited for until it had expired, and then resumed.
    assert [round(when / HOUR, 1) for when, _ in seen] == [0, 1, 2]
    assert len({url.expires_at for _, url in seen}) == 3
    assert len(sim.calls("StartGUISession")) == 3
    # There is a reading before and after each start, and at most one more at the end of each hour.
    assert len(sim.calls("CreateGUISessionAccessDetails")) <= 3 * 3


async def test_a_gui_session_that_was_found_started_is_read_once_a_minute(sim: Simulator) -> None:
    await open_gui_session("my-computer")
    await asyncio.sleep(HOUR / 2)
    before, seen = len(sim.calls("CreateGUISessionAccessDetails")), []
    async with gui_session("my-computer") as desktop:
        async for url in desktop.urls():
            assert sim.accepts(url)
            seen.append(url.expires_at)
            if len(seen) == 2:
                break
    # It expired half an hour later, and nobody knew when. From then on, it is known.
    assert seen[0] is None
    assert seen[1] is not None
    assert 30 <= len(sim.calls("CreateGUISessionAccessDetails")) - before <= 34


async def test_a_gui_session_that_somebody_restarted_is_read_once_a_minute(sim: Simulator) -> None:
    seen = []
    async with gui_session("my-computer") as desktop:
        async for url in desktop.urls():
            seen.append(url.expires_at)
            if len(seen) == 2:
                break
            await asyncio.sleep(HOUR / 2)
            sim.lightsail.set_status("my-computer", "stopped")
            await open_gui_session("my-computer")
        # It did not expire when it was expected to, so nobody knows when it will.
        assert seen[1:] == [None]
        assert desktop.expires_at is None
    assert len(sim.calls("StartGUISession")) == 2


async def test_a_gui_session_that_somebody_stopped_is_started_when_a_url_is_needed(
    sim: Simulator,
) -> None:
    seen = []
    async with gui_session("my-computer") as desktop:
        async for url in desktop.urls():
            assert sim.accepts(url)
            seen.append(url)
            if len(seen) == 2:
                break
            sim.lightsail.set_status("my-computer", "stopped")
            began = now()
    assert now() - began == pytest.approx(HOUR, abs=60)


async def test_the_deadline_of_each_url_holds_while_iterating(sim: Simulator) -> None:
    began = now()
    async with gui_session("my-computer", timeout=20) as desktop:
        urls = desktop.urls()
        await anext(urls)
        sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(seconds=600))
        with pytest.raises(WaitTimeoutError, match="20 s is over"):
            await anext(urls)
        assert now() - began == pytest.approx(HOUR + 20, abs=1)
        # The caller can begin again.
        async with asyncio.timeout(HOUR):
            with pytest.raises(StopAsyncIteration):
                await anext(urls)
            await asyncio.sleep(600)
            assert sim.accepts(await anext(desktop.urls()))


@pytest.mark.parametrize(("lifetime", "due"), [(60, 45), (600, 570)])
async def test_a_new_url_of_a_stream_is_yielded_before_it_expires(
    sim: Simulator, lifetime: int, due: int
) -> None:
    began, seen = now(), []

    async def watch(desktop: StreamingDesktop) -> None:
        async for url in desktop.urls():
            assert sim.accepts(url)
            assert url.streaming_session_id == desktop.session_id
            seen.append(now() - began)

    async with streaming_session(
        "studio-1", launch_profile_id="lp-1", expiration_in_seconds=lifetime
    ) as desktop:
        task = asyncio.create_task(watch(desktop))
        await asyncio.sleep(2.5 * lifetime)
    await task
    assert [round(later - sooner) for sooner, later in pairwise(seen)] == pytest.approx(
        [due] * (len(seen) - 1), abs=3
    )
    assert len(sim.calls("CreateStreamingSessionStream")) == len(seen) > 2


async def test_a_streaming_session_that_was_deleted_ends_the_iteration(sim: Simulator) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        urls = desktop.urls()
        await anext(urls)
        sim.nimble.set_state(desktop.session_id, "DELETED")
        with pytest.raises(WaitFailedError, match="DELETED"):
            await anext(urls)


async def test_a_desktop_refuses_to_make_a_url_after_its_block(sim: Simulator) -> None:
    async with gui_session("my-computer") as gui:
        pass
    async with streaming_session("studio-1", launch_profile_id="lp-1") as workstation:
        pass
    for desktop in (gui, workstation):
        with pytest.raises(ClientStateError, match="is over"):
            await desktop.url()


async def test_a_gui_session_that_was_starting_is_stopped_on_exit_if_asked_to(
    sim: Simulator,
) -> None:
    async def work() -> None:
        async with gui_session("my-computer", stop_on_exit=True):
            raise AssertionError

    task = asyncio.create_task(work())
    await asyncio.sleep(0.5)
    assert sim.calls("StartGUISession")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sim.lightsail.instances["my-computer"].status == "stopped"


async def test_a_gui_session_tells_when_it_expires_if_its_start_was_seen(sim: Simulator) -> None:
    async with gui_session("my-computer") as desktop:
        assert desktop.expires_at is not None
        left = desktop.expires_at - datetime.now(UTC)
        assert timedelta(minutes=59) < left <= timedelta(hours=1)
    sim.lightsail.add_instance("found-started", status="started")
    async with gui_session("found-started") as desktop:
        assert desktop.expires_at is None


async def test_the_hour_of_a_gui_session_begins_when_its_start_was_seen(sim: Simulator) -> None:
    sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(seconds=600))
    async with gui_session("my-computer", poll_interval=10) as desktop:
        left = desktop.expires_at - datetime.now(UTC)
        assert timedelta(seconds=HOUR - 15) < left <= timedelta(seconds=HOUR)
        await asyncio.sleep(HOUR - 50)
        assert sim.accepts(await desktop.url())
        assert len(sim.calls("StartGUISession")) == 1
        # Under 30 s are left now: the session is waited out and started again.
        await asyncio.sleep(35)
        assert sim.accepts(await desktop.url())
        assert len(sim.calls("StartGUISession")) == 2
        assert desktop.expires_at - datetime.now(UTC) > timedelta(seconds=HOUR - 15)


async def test_a_gui_session_is_stopped_on_exit_if_asked_to(sim: Simulator) -> None:
    async with gui_session("my-computer", stop_on_exit=True):
        pass
    assert sim.lightsail.instances["my-computer"].status == "stopped"


async def test_a_streaming_session_is_made_and_deleted_on_exit(sim: Simulator) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        assert sim.nimble.alive == [desktop.session_id]
        assert desktop.studio_id == "studio-1"
        assert desktop.state == "READY"
        assert desktop.expires_at is None
        assert sim.accepts(await desktop.url())
        assert desktop.expires_at > datetime.now(UTC)
    assert sim.nimble.alive == []


async def test_a_streaming_session_is_kept_on_exit_if_asked_to(sim: Simulator) -> None:
    async with streaming_session(
        "studio-1", launch_profile_id="lp-1", delete_on_exit=False
    ) as desktop:
        pass
    assert sim.nimble.alive == [desktop.session_id]


async def test_an_existing_streaming_session_is_never_deleted(
    sim: Simulator, nimble: NimbleClient
) -> None:
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    sim.nimble.set_state(made.session_id, "STOPPED")
    async with existing_streaming_session("studio-1", made.session_id) as desktop:
        assert sim.accepts(await desktop.url())
    assert sim.nimble.alive == [made.session_id]


@pytest.mark.parametrize(("lifetime", "streams"), [(60, 4), (600, 3), (3600, 3)])
async def test_a_new_stream_is_made_before_a_url_expires(
    sim: Simulator, lifetime: int, streams: int
) -> None:
    async with streaming_session(
        "studio-1", launch_profile_id="lp-1", expiration_in_seconds=lifetime
    ) as desktop:
        for _ in range(12):
            assert sim.accepts(await desktop.url())
            await asyncio.sleep(lifetime / 4)
    assert len(sim.calls("CreateStreamingSessionStream")) == streams


async def test_a_streaming_session_that_somebody_stopped_is_started_again(sim: Simulator) -> None:
    async with streaming_session(
        "studio-1", launch_profile_id="lp-1", expiration_in_seconds=3600
    ) as desktop:
        await desktop.url()
        sim.nimble.set_state(desktop.session_id, "STOPPED")
        await asyncio.sleep(2)
        assert sim.accepts(await desktop.url())


async def test_a_streaming_session_that_was_stopped_just_now_is_started_again(
    sim: Simulator,
) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        sim.nimble.set_state(desktop.session_id, "STOPPED")
        assert sim.accepts(await desktop.url())


async def test_a_new_session_that_somebody_stops_is_not_started(sim: Simulator) -> None:
    def stop(_: Progress) -> None:
        for session_id in sim.nimble.alive:
            sim.nimble.set_state(session_id, "STOPPED")

    with pytest.raises(WaitFailedError, match="STOPPED"):
        await open_streaming_session("studio-1", launch_profile_id="lp-1", on_progress=stop)
    assert sim.calls("StartStreamingSession") == []
    assert sim.nimble.alive == []


async def test_a_desktop_whose_session_was_deleted_says_so(sim: Simulator) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        sim.nimble.set_state(desktop.session_id, "DELETED")
        await asyncio.sleep(2)
        with pytest.raises(WaitFailedError, match="DELETED"):
            await desktop.url()


async def test_each_url_ends_with_the_one_event_that_is_done(sim: Simulator) -> None:
    heard: list[Progress] = []
    async with streaming_session(
        "studio-1",
        launch_profile_id="lp-1",
        expiration_in_seconds=60,
        on_progress=heard.append,
    ) as desktop:
        # A new stream; the same stream, after the session was read; another stream.
        for pause, resource in ((0, "stream "), (10, "streaming session "), (40, "stream ")):
            await asyncio.sleep(pause)
            heard.clear()
            await desktop.url()
            *before, last = heard
            assert last.is_done
            assert last.resource.startswith(resource)
            assert not any(event.is_done for event in before)


async def test_many_calls_of_url_make_one_stream(sim: Simulator) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        urls = await asyncio.gather(*(desktop.url() for _ in range(20)))
    assert len(set(urls)) == 1
    assert len(sim.calls("CreateStreamingSessionStream")) == 1


async def test_an_error_of_the_block_is_raised_before_one_of_its_end(sim: Simulator) -> None:
    sim.inject("DeleteStreamingSession", Fault.error("AccessDeniedException", 403), times=None)
    with pytest.raises(ZeroDivisionError) as caught:
        async with streaming_session("studio-1", launch_profile_id="lp-1"):
            raise ZeroDivisionError
    assert "AccessDeniedException" in caught.value.__notes__[0]


async def test_a_cancelled_block_deletes_its_session(sim: Simulator) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        async with streaming_session("studio-1", launch_profile_id="lp-1"):
            entered.set()
            await asyncio.sleep(HOUR)

    task = asyncio.create_task(work())
    await entered.wait()
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sim.nimble.alive == []


async def test_a_deletion_that_is_not_answered_ends_in_time(sim: Simulator) -> None:
    loop = asyncio.get_running_loop()
    sim.inject("DeleteStreamingSession", Fault.no_answer(), times=None)
    with pytest.raises(WaitTimeoutError) as caught:
        async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
            left = loop.time()
    assert loop.time() - left <= 33
    assert caught.value.left_behind.session_id == desktop.session_id
    assert "is left behind" in str(caught.value)
    with pytest.raises(WaitTimeoutError) as caught:
        await close_streaming_session("studio-1", desktop.session_id, timeout=5)
    assert caught.value.left_behind.session_id == desktop.session_id


async def test_a_session_that_failed_is_deleted(sim: Simulator) -> None:
    sim.nimble.fail_sessions(status_code="INSUFFICIENT_CAPACITY", state="CREATE_FAILED")
    with pytest.raises(WaitFailedError) as caught:
        await open_streaming_session("studio-1", launch_profile_id="lp-1")
    assert caught.value.status_code == "INSUFFICIENT_CAPACITY"
    assert caught.value.left_behind is None
    assert sim.nimble.alive == []


async def test_a_kept_session_is_named_in_the_error(sim: Simulator) -> None:
    sim.nimble.fail_sessions(status_code="INSUFFICIENT_CAPACITY", state="CREATE_FAILED")
    with pytest.raises(WaitFailedError) as caught:
        await open_streaming_session("studio-1", launch_profile_id="lp-1", keep_on_failure=True)
    (session_id,) = sim.nimble.alive
    left = caught.value.left_behind
    assert left is not None
    assert left.session_id == session_id
    assert str(caught.value).endswith(str(left))


async def test_the_same_client_token_finds_the_same_session(sim: Simulator) -> None:
    first = await open_streaming_session("studio-1", launch_profile_id="lp-1", client_token="mine")
    second = await open_streaming_session("studio-1", launch_profile_id="lp-1", client_token="mine")
    assert sim.accepts(first)
    assert sim.accepts(second)
    assert len(sim.nimble.sessions) == 1


async def test_a_session_of_an_earlier_run_is_not_deleted_on_failure(sim: Simulator) -> None:
    await open_streaming_session("studio-1", launch_profile_id="lp-1", client_token="mine")
    (session_id,) = sim.nimble.alive
    await asyncio.sleep(60)
    sim.nimble.fail_streams(status_code="INTERNAL_ERROR")
    with pytest.raises(WaitFailedError) as caught:
        await open_streaming_session("studio-1", launch_profile_id="lp-1", client_token="mine")
    assert sim.nimble.alive == [session_id]
    assert sim.calls("DeleteStreamingSession") == []
    assert caught.value.left_behind == LeftBehind(session_id=session_id, client_token="mine")


async def test_no_session_is_left_behind_by_a_create_that_was_not_sent(sim: Simulator) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        await open_streaming_session(
            "studio-1",
            launch_profile_id="lp-1",
            timeout=5,
            endpoint_url="http://127.0.0.1:9",
            region_name="us-west-2",
        )
    assert caught.value.left_behind is None
    assert caught.value.elapsed == pytest.approx(5, abs=0.1)
