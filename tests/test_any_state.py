"""Every state of both models leads to a usable URL or, where that is impossible, to an error."""

import time

import pytest

from dcvsessions import (
    GuiSessionStatus,
    NimbleClient,
    StreamingSessionState,
    WaitFailedError,
    WaitTimeoutError,
    close_gui_session,
    close_streaming_session,
    open_gui_session,
    open_stream,
)
from dcvsessions.simulator import Simulator

# Virtual time begins at the real time, at which the fixtures began.
pytestmark = pytest.mark.looptime(start=time.monotonic)

OPENABLE = [
    status for status in GuiSessionStatus if status is not GuiSessionStatus.FAILED_INSTANCE_CREATION
]


def add_computer(sim: Simulator, status: str) -> None:
    """Add a computer in a status; one that does not last goes on to the next."""
    if status in ("starting", "stopping", "settingUpInstance"):
        sim.lightsail.add_instance("computer", status=status)
    else:
        sim.lightsail.add_instance("computer")
        sim.lightsail.set_status("computer", status)


@pytest.mark.parametrize("status", OPENABLE)
@pytest.mark.parametrize("kind", ["application", "operating_system"])
async def test_a_gui_session_opens_from_any_status(sim: Simulator, status: str, kind: str) -> None:
    add_computer(sim, status)
    url = await open_gui_session("computer", kind=kind)
    assert sim.accepts(url)
    assert url.session_id == kind.replace("_", "-")
    assert len(sim.calls("StartGUISession")) == (status not in ("started", "starting"))


async def test_a_computer_whose_creation_failed_has_no_gui_session(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "failedInstanceCreation", failure_reason="no room")
    with pytest.raises(WaitFailedError, match="no room") as caught:
        await open_gui_session("my-computer")
    assert caught.value.state == "failedInstanceCreation"
    assert caught.value.failure_reason == "no room"
    assert caught.value.polls == 1


async def test_a_start_that_fails_tells_its_reason(sim: Simulator) -> None:
    sim.lightsail.fail_start("my-computer", reason="the DCV server did not come up")
    with pytest.raises(WaitFailedError, match="did not come up") as caught:
        await open_gui_session("my-computer")
    assert caught.value.state == "failedStartingGUISession"
    assert caught.value.failure_reason == "the DCV server did not come up"


async def test_a_session_that_failed_before_is_started_once(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "failedStartingGUISession", failure_reason="old")
    sim.lightsail.fail_start("my-computer", reason="new")
    with pytest.raises(WaitFailedError, match="new"):
        await open_gui_session("my-computer")
    assert len(sim.calls("StartGUISession")) == 1


async def test_a_stopped_computer_is_started_if_asked_to(sim: Simulator) -> None:
    sim.lightsail.add_instance("stopped", state="stopped")
    assert sim.accepts(await open_gui_session("stopped", start_instance=True))
    assert len(sim.calls("StartInstance")) == len(sim.calls("StartGUISession")) == 1


async def test_a_stopped_computer_names_the_argument_that_starts_it(sim: Simulator) -> None:
    sim.lightsail.add_instance("stopped", state="stopped")
    with pytest.raises(WaitFailedError, match="start_instance=True"):
        await open_gui_session("stopped")
    assert not sim.calls("StartInstance")


async def test_a_stopping_computer_is_started_after_it_has_stopped(sim: Simulator) -> None:
    sim.lightsail.add_instance("stopping", state="stopping")
    assert sim.accepts(await open_gui_session("stopping", start_instance=True))


@pytest.mark.parametrize("status", GuiSessionStatus)
async def test_a_gui_session_closes_from_any_status(sim: Simulator, status: str) -> None:
    add_computer(sim, status)
    await close_gui_session("computer")
    assert sim.lightsail.instances["computer"].status not in ("started", "starting")


async def test_a_stop_that_fails_tells_its_reason(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "started")
    sim.lightsail.fail_stop("my-computer", reason="it hangs")
    with pytest.raises(WaitFailedError, match="it hangs"):
        await close_gui_session("my-computer")


async def test_an_unknown_status_is_waited_out_and_logged_once(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    sim.lightsail.set_status("my-computer", "hibernating")
    with pytest.raises(WaitTimeoutError, match=r"hibernating at 0\.0 s"):
        await open_gui_session("my-computer", timeout=120)
    assert caplog.text.count("hibernating") == 1


async def bring_session(sim: Simulator, client: NimbleClient, state: str) -> str:
    """Make a session and bring it to a state; one that does not last is reached by a call."""
    made = await client.create_streaming_session("studio-1", launch_profile_id="lp-1")
    session_id = made.session_id
    match state:
        case "CREATE_IN_PROGRESS":
            pass
        case "START_IN_PROGRESS":
            sim.nimble.set_state(session_id, "STOPPED")
            await client.start_streaming_session("studio-1", session_id)
        case "STOP_IN_PROGRESS":
            sim.nimble.set_state(session_id, "READY")
            await client.stop_streaming_session("studio-1", session_id)
        case "DELETE_IN_PROGRESS":
            await client.delete_streaming_session("studio-1", session_id)
        case _:
            sim.nimble.set_state(session_id, state, status_code="INTERNAL_ERROR", message="Oh.")
    return session_id


STREAMABLE = ("READY", "STOPPED", "CREATE_IN_PROGRESS", "START_IN_PROGRESS", "STOP_IN_PROGRESS")


@pytest.mark.parametrize("state", STREAMABLE)
async def test_a_stream_opens_from_any_state_that_allows_it(
    sim: Simulator, nimble: NimbleClient, state: str
) -> None:
    session_id = await bring_session(sim, nimble, state)
    before = len(sim.calls("StartStreamingSession"))
    assert sim.accepts(await open_stream("studio-1", session_id))
    starts = len(sim.calls("StartStreamingSession")) - before
    assert starts == (state in ("STOPPED", "STOP_IN_PROGRESS"))


@pytest.mark.parametrize(
    "state", [state for state in StreamingSessionState if state not in STREAMABLE]
)
async def test_a_stream_into_a_session_that_failed_or_is_deleted_fails_at_once(
    sim: Simulator, nimble: NimbleClient, state: str
) -> None:
    session_id = await bring_session(sim, nimble, state)
    polls_before = len(sim.requests)
    with pytest.raises(WaitFailedError) as caught:
        await open_stream("studio-1", session_id)
    assert caught.value.state == state
    assert caught.value.status_code
    assert len(sim.requests) == polls_before + 1


@pytest.mark.parametrize("state", StreamingSessionState)
async def test_a_streaming_session_closes_from_any_state(
    sim: Simulator, nimble: NimbleClient, state: str
) -> None:
    session_id = await bring_session(sim, nimble, state)
    before = len(sim.calls("DeleteStreamingSession"))
    await close_streaming_session("studio-1", session_id)
    assert sim.nimble.alive == []
    deletes = len(sim.calls("DeleteStreamingSession")) - before
    assert deletes == (state not in ("DELETED", "DELETE_IN_PROGRESS"))


@pytest.mark.parametrize("code", ["INSUFFICIENT_CAPACITY", "NETWORK_CONNECTION_ERROR"])
async def test_a_start_that_fails_carries_its_code(
    sim: Simulator, nimble: NimbleClient, code: str
) -> None:
    session_id = await bring_session(sim, nimble, "STOPPED")
    sim.nimble.fail_sessions(status_code=code, state="START_FAILED", message="Sorry.")
    with pytest.raises(WaitFailedError, match="Sorry") as caught:
        await open_stream("studio-1", session_id)
    assert (caught.value.status_code, caught.value.status_message) == (code, "Sorry.")


async def test_a_stream_that_fails_carries_its_code(sim: Simulator, nimble: NimbleClient) -> None:
    session_id = await bring_session(sim, nimble, "READY")
    sim.nimble.fail_streams(status_code="NETWORK_CONNECTION_ERROR")
    with pytest.raises(WaitFailedError) as caught:
        await open_stream("studio-1", session_id)
    assert caught.value.state == "CREATE_FAILED"
    assert caught.value.status_code == "NETWORK_CONNECTION_ERROR"
