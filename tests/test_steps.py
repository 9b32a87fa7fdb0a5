"""The steps of a wait: each is sent once, and again only if it has not happened."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from dcvsessions import (
    NotFoundError,
    WaitFailedError,
    WaitTimeoutError,
    close_gui_session,
    open_gui_session,
    open_stream,
)
from dcvsessions._wait.decisions import STALE_READ_WINDOW
from dcvsessions._wait.loop import FINAL_POLL_GRACE
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

pytestmark = pytest.mark.looptime

READ = "CreateGUISessionAccessDetails"
START = "StartGUISession"


def requested(sim: Simulator) -> list[str]:
    """The operations that were called, without the reading of the computer's state."""
    return [call.operation for call in sim.requests if call.operation != "GetInstanceState"]


@pytest.mark.parametrize(
    "fault",
    [Fault.lost_response(), Fault.empty(), Fault.truncated(), Fault.reset_midway()],
    ids=lambda fault: fault.kind,
)
async def test_a_start_whose_answer_was_lost_is_not_sent_again(
    sim: Simulator, fault: Fault
) -> None:
    sim.lightsail.plan("my-computer", START, TransitionPlan(seconds=100))
    sim.inject(START, fault)
    assert sim.accepts(await open_gui_session("my-computer", poll_interval=5))
    assert len(sim.calls(START)) == 1


@pytest.mark.parametrize(
    "fault",
    [Fault.reset(), Fault.html(), Fault.error("ServiceException", 500), Fault.no_answer()],
    ids=lambda fault: fault.kind,
)
async def test_a_start_that_did_not_happen_is_sent_again_when_readings_say_so(
    sim: Simulator, fault: Fault
) -> None:
    sim.inject(START, fault)
    assert sim.accepts(await open_gui_session("my-computer", poll_interval=5))
    first, second = sim.calls(START)
    # Until then, a reading could still show the state from before the start.
    assert second.at - first.at >= STALE_READ_WINDOW
    between = requested(sim)[requested(sim).index(START) + 1 :]
    assert between[: between.index(START)] == [READ] * between.index(START)
    assert between.index(START) >= 4


async def test_a_start_that_was_refused_is_sent_again_at_the_next_poll(sim: Simulator) -> None:
    # botocore makes three attempts of a call: all three of the first call are turned away.
    sim.inject(START, Fault.error("ThrottlingException", 400), times=3)
    assert sim.accepts(await open_gui_session("my-computer", poll_interval=5))
    assert requested(sim)[:6] == [READ, START, START, START, READ, START]


async def test_a_stale_reading_after_a_start_is_waited_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Simulator(stale_reads=15) as sim:
        sim.lightsail.add_instance("my-computer")
        for name, value in sim.environ.items():
            monkeypatch.setenv(name, value)
        assert sim.accepts(await open_gui_session("my-computer", poll_interval=4))
        assert len(sim.calls(START)) == 1


async def test_an_operation_that_failed_at_once_ends_the_wait(sim: Simulator) -> None:
    failing = TransitionPlan(
        seconds=0, ends="failedStartingGUISession", code="NoCapacity", message="None is left."
    )
    sim.lightsail.plan("my-computer", START, failing)
    with pytest.raises(WaitFailedError, match="StartGUISession failed: None is left") as caught:
        await open_gui_session("my-computer")
    assert (caught.value.error_code, caught.value.error_details) == ("NoCapacity", "None is left.")
    assert len(sim.calls(START)) == 1


async def test_a_session_that_failed_before_is_started_once(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "failedStartingGUISession", failure_reason="Before.")
    assert sim.accepts(await open_gui_session("my-computer"))
    sim.lightsail.set_status("my-computer", "failedStartingGUISession", failure_reason="Before.")
    sim.lightsail.fail_start("my-computer", reason="Again.", times=None)
    with pytest.raises(WaitFailedError, match="Again") as caught:
        await open_gui_session("my-computer")
    assert caught.value.failure_reason == "Again."
    assert len(sim.calls(START)) == 2


async def test_a_session_that_falls_back_is_started_three_times_at_most(sim: Simulator) -> None:
    sim.lightsail.plan("my-computer", START, TransitionPlan(seconds=10, ends="stopped", times=3))
    with pytest.raises(WaitFailedError) as caught:
        await open_gui_session("my-computer", poll_interval=5)
    assert caught.value.reason == (
        "StartGUISession was accepted 3 times, and the state is stopped again."
    )
    assert caught.value.state == "stopped"
    assert len(sim.calls(START)) == 3
    # The next call starts it again.
    assert sim.accepts(await open_gui_session("my-computer", poll_interval=5))


async def test_a_start_that_was_not_accepted_does_not_count(sim: Simulator) -> None:
    # All three attempts of each of the first five calls.
    sim.inject(START, Fault.error("ThrottlingException", 400), times=15)
    assert sim.accepts(await open_gui_session("my-computer", poll_interval=5))
    assert len(sim.calls(START)) == 16


async def test_a_stopped_computer_is_started_first_if_asked_to(sim: Simulator) -> None:
    sim.lightsail.add_instance("asleep", state="stopped")
    with pytest.raises(WaitFailedError, match="start_instance=True") as caught:
        await open_gui_session("asleep")
    assert caught.value.state == "computer stopped"
    assert sim.accepts(await open_gui_session("asleep", start_instance=True))
    changes = [call.operation for call in sim.requests if call.operation.startswith("Start")]
    assert changes == ["StartInstance", "StartGUISession"]


async def test_a_session_that_does_not_run_is_not_stopped(sim: Simulator) -> None:
    await close_gui_session("my-computer")
    assert requested(sim) == [READ]


async def test_a_stop_whose_answer_was_lost_is_not_sent_again(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "started")
    sim.lightsail.plan("my-computer", "StopGUISession", TransitionPlan(seconds=60))
    sim.inject("StopGUISession", Fault.lost_response())
    await close_gui_session("my-computer", poll_interval=5)
    assert len(sim.calls("StopGUISession")) == 1
    assert sim.lightsail.instances["my-computer"].status == "stopped"


async def test_a_session_that_does_not_exist_is_not_found(sim: Simulator) -> None:
    with pytest.raises(NotFoundError, match="ResourceNotFoundException") as caught:
        await open_stream("studio-1", "nowhere")
    assert len(sim.requests) == 1
    (note,) = caught.value.__notes__
    assert "streaming session nowhere to be READY" in note


# --- Before the first call ---


@asynccontextmanager
async def silence() -> AsyncGenerator[str, None]:
    """A server that never answers."""
    closing = asyncio.Event()

    async def hang(_: web.BaseRequest) -> web.Response:
        await closing.wait()
        return web.Response()

    server = web.ServerRunner(web.Server(hang, handler_cancellation=True))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site.port}"
    finally:
        closing.set()
        await server.cleanup()


async def test_credentials_that_never_come_cannot_outlive_the_deadline(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with silence() as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/credentials")
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(WaitTimeoutError):
            await open_gui_session("my-computer", timeout=0.5)
        assert loop.time() - began <= 0.5 + FINAL_POLL_GRACE + 0.1
    assert sim.requests == []
