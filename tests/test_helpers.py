"""What each helper does with its arguments, beside the waiting itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dcvsessions import (
    DcvUrl,
    NimbleClient,
    Progress,
    StreamingSessionRequest,
    UnreachableError,
    WaitFailedError,
    WaitTimeoutError,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_gui_sessions,
    open_stream,
    open_streaming_session,
    open_streaming_sessions,
    streaming_session,
)
from dcvsessions.dcv import _probe as probe
from dcvsessions.simulator import Simulator

pytestmark = pytest.mark.looptime


@pytest.fixture
async def session_id(sim: Simulator, nimble: NimbleClient) -> str:
    """A streaming session that is READY."""
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    assert made.session_id
    sim.nimble.set_state(made.session_id, "READY")
    return made.session_id


async def url_in(block: Any) -> DcvUrl:
    async with block as desktop:
        url: DcvUrl = await desktop.url()
        return url


OPENERS: dict[str, Callable[..., Awaitable[DcvUrl]]] = {
    "open_gui_session": lambda _, **how: open_gui_session("my-computer", **how),
    "open_streaming_session": lambda _, **how: open_streaming_session(
        "studio-1", launch_profile_id="lp-1", **how
    ),
    "open_stream": lambda it, **how: open_stream("studio-1", it, **how),
}
BLOCKS: dict[str, Callable[..., Awaitable[DcvUrl]]] = {
    "gui_session": lambda _, **how: url_in(gui_session("my-computer", **how)),
    "streaming_session": lambda _, **how: url_in(
        streaming_session("studio-1", launch_profile_id="lp-1", **how)
    ),
    "existing_streaming_session": lambda it, **how: url_in(
        existing_streaming_session("studio-1", it, **how)
    ),
}
CLOSERS: dict[str, Callable[..., Awaitable[None]]] = {
    "close_gui_session": lambda _, **how: close_gui_session("my-computer", **how),
    "close_streaming_session": lambda it, **how: close_streaming_session("studio-1", it, **how),
}
HELPERS: dict[str, Callable[..., Awaitable[object]]] = OPENERS | BLOCKS | CLOSERS
COMPUTER = "GUI session of my-computer"
NEW = "streaming session in studio-1"
GIVEN = "streaming session {session_id}"
# The name of the desktop in each of the helper's waits.
NAMES = {
    "open_gui_session": [COMPUTER],
    "gui_session": [COMPUTER],
    "close_gui_session": [COMPUTER],
    "open_streaming_session": [NEW],
    "streaming_session": [NEW, "streaming session {made}"],
    "open_stream": [GIVEN],
    "existing_streaming_session": [GIVEN, GIVEN],
    "close_streaming_session": [GIVEN],
}


@pytest.mark.parametrize("helper", HELPERS)
async def test_a_wait_has_one_name_for_the_desktop_and_one_event_that_is_done(
    sim: Simulator, session_id: str, helper: str
) -> None:
    heard: list[Progress] = []
    await HELPERS[helper](session_id, on_progress=heard.append)
    *_, made = sim.nimble.sessions
    names = [name.format(session_id=session_id, made=made) for name in NAMES[helper]]
    waits = list(dict.fromkeys((event.wait, event.desktop) for event in heard))
    assert [name for _, name in waits] == names
    for wait, _ in waits:
        *before, last = (event.is_done for event in heard if event.wait == wait)
        assert last
        assert not any(before)


@pytest.mark.parametrize("asked", [{}, {"check_reachable": False}, {"check_reachable": True}])
@pytest.mark.parametrize("opener", OPENERS)
async def test_the_desktops_server_is_waited_for_only_if_asked(
    sim: Simulator,
    session_id: str,
    monkeypatch: pytest.MonkeyPatch,
    opener: str,
    asked: dict[str, bool],
) -> None:
    tried: list[DcvUrl] = []

    async def connect(url: DcvUrl, _: object) -> None:
        tried.append(url)

    monkeypatch.setattr(probe, "connect", connect)
    url = await OPENERS[opener](session_id, **asked)
    assert sim.accepts(url)
    assert tried == ([url] if asked.get("check_reachable") else [])


async def test_a_desktop_whose_server_does_not_answer_is_named(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object) -> None:
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(probe, "connect", connect)
    with pytest.raises(UnreachableError, match="refused") as caught:
        await open_gui_session("my-computer", timeout=60, check_reachable=True)
    (note,) = caught.value.__notes__
    assert note.startswith(
        "While waiting for GUI session of my-computer to be reachable, after 60.0 s"
    )


@pytest.mark.parametrize("asked", [{}, {"start_instance": False}])
async def test_a_stopped_computer_is_not_started_unless_asked(
    sim: Simulator, asked: dict[str, bool]
) -> None:
    sim.lightsail.add_instance("stopped", state="stopped")
    for opening in (open_gui_session("stopped", **asked), url_in(gui_session("stopped", **asked))):
        with pytest.raises(WaitFailedError, match="start_instance=True"):
            await opening
    assert sim.calls("StartInstance") == []


@pytest.mark.parametrize("seconds", [None, 60, 3600])
@pytest.mark.parametrize("helper", [name for name in OPENERS | BLOCKS if "gui" not in name])
async def test_a_stream_is_asked_for_with_the_lifetime_of_its_url(
    sim: Simulator, session_id: str, helper: str, seconds: int | None
) -> None:
    assert await HELPERS[helper](session_id, expiration_in_seconds=seconds)
    (call,) = sim.calls("CreateStreamingSessionStream")
    assert call.parameters.get("expirationInSeconds") == seconds


DEFAULT_TIMEOUTS = {
    "open_gui_session": 1800,
    "gui_session": 1800,
    "close_gui_session": 600,
    "open_streaming_session": 1800,
    "streaming_session": 1800,
    "open_stream": 1800,
    "existing_streaming_session": 1800,
    "close_streaming_session": 900,
}


MAKERS = {"open_streaming_session", "streaming_session"}


@pytest.mark.parametrize("asked", [{"poll_interval": 60}, {"timeout": 7, "poll_interval": 2}])
@pytest.mark.parametrize("helper", DEFAULT_TIMEOUTS)
async def test_a_wait_that_sees_no_change_ends_at_its_timeout(
    sim: Simulator, session_id: str, helper: str, asked: dict[str, float]
) -> None:
    if helper == "close_gui_session":
        await open_gui_session("my-computer")
    sim.lightsail.hold("my-computer")
    sim.nimble.hold()
    if helper in ("open_stream", "existing_streaming_session"):
        sim.nimble.set_state(session_id, "START_IN_PROGRESS")
    with pytest.raises(WaitTimeoutError) as caught:
        await HELPERS[helper](session_id, **asked)
    timeout = asked.get("timeout", DEFAULT_TIMEOUTS[helper])
    assert caught.value.elapsed == pytest.approx(timeout, abs=0.001)
    if "timeout" in asked:
        # At 0, 2, 4 and 6 s, and at the deadline. The answer of a create is a reading too.
        assert caught.value.polls == (6 if helper in MAKERS else 5)


# --- What a URL knows besides its text ---


async def test_the_url_of_a_gui_session_says_when_it_expires_if_its_start_was_seen(
    sim: Simulator,
) -> None:
    began = datetime.now(UTC)
    url = await open_gui_session("my-computer")
    assert url.streaming_session_id is None
    assert url.expires_at is not None
    # An hour after it was last seen not started, so it is never too late.
    assert url.expires_at - timedelta(hours=1) <= datetime.now(UTC)
    assert url.expires_at - began > timedelta(minutes=59)
    assert (await open_gui_session("my-computer")).expires_at is None


async def test_the_urls_of_many_gui_sessions_say_when_they_expire(sim: Simulator) -> None:
    async with open_gui_sessions(["my-computer"]) as outcomes:
        (outcome,) = [each async for each in outcomes]
    assert outcome.url is not None
    assert outcome.url.expires_at is not None


async def test_the_url_of_a_stream_says_what_to_close_and_when_it_expires(sim: Simulator) -> None:
    url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
    (session_id,) = sim.nimble.alive
    assert url.streaming_session_id == session_id
    again = await open_stream("studio-1", session_id)
    async with existing_streaming_session("studio-1", session_id) as desktop:
        kept = await desktop.url()
        # The property is by this machine's clock.
        assert desktop.expires_at is not None
    request = StreamingSessionRequest(launch_profile_id="lp-1")
    async with open_streaming_sessions("studio-1", [request]) as outcomes:
        (outcome,) = [each async for each in outcomes]
    assert outcome.url is not None
    streams = sim.calls("CreateStreamingSessionStream")
    urls = [url, again, kept, outcome.url]
    assert len(streams) == len(urls)
    for one in urls:
        assert one.expires_at is not None
        assert one.expires_at.tzinfo is not None
    assert [one.streaming_session_id for one in urls] == [session_id] * 3 + [outcome.session_id]
    await close_streaming_session("studio-1", url.streaming_session_id)
    assert session_id not in sim.nimble.alive


async def test_the_expiry_of_a_stream_is_what_the_service_sent(
    sim: Simulator, nimble: NimbleClient
) -> None:
    url = await open_streaming_session(
        "studio-1", launch_profile_id="lp-1", expiration_in_seconds=600
    )
    (stream_id,) = sim.nimble.sessions[url.streaming_session_id].streams
    sent = await nimble.get_streaming_session_stream(
        "studio-1", url.streaming_session_id, stream_id
    )
    assert url.expires_at == sent.expires_at
    # A model of the wire has only what is on the wire.
    assert (sent.url, sent.url.streaming_session_id, sent.url.expires_at) == (url, None, None)
