"""The environment variable that sets the interval of polls. In virtual time."""

from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from dcvsessions import (
    ConfigurationError,
    StreamingSessionRequest,
    close_gui_session,
    close_gui_sessions,
    close_streaming_session,
    gui_session,
    open_gui_session,
    open_gui_sessions,
    open_stream,
    open_streaming_session,
    open_streaming_sessions,
    streaming_session,
)
from dcvsessions.simulator import Simulator, TransitionPlan

pytestmark = pytest.mark.looptime

VARIABLE = "DCVSESSIONS_POLL_INTERVAL"
READ = "CreateGUISessionAccessDetails"
# Seconds of virtual time that calls over loopback may take.
EXACT = 0.1


def intervals(sim: Simulator, operation: str) -> list[float]:
    """Return the seconds between the calls of an operation, without those of two waits in a row."""
    steps = pairwise(call.at for call in sim.calls(operation))
    return [later - earlier for earlier, later in steps if later - earlier > EXACT]


async def open_lightsail(sim: Simulator) -> None:
    await open_gui_session("my-computer")


async def open_lightsail_block(sim: Simulator) -> None:
    async with gui_session("my-computer") as desktop:
        await desktop.url()


async def open_lightsail_list(sim: Simulator) -> None:
    async with open_gui_sessions(["my-computer"]) as outcomes:
        assert [outcome.error async for outcome in outcomes] == [None]


async def close_lightsail(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "started")
    await close_gui_session("my-computer")


async def close_lightsail_list(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "started")
    async with close_gui_sessions(["my-computer"]) as outcomes:
        assert [outcome.error async for outcome in outcomes] == [None]


LIGHTSAIL = [
    open_lightsail,
    open_lightsail_block,
    open_lightsail_list,
    close_lightsail,
    close_lightsail_list,
]


@pytest.mark.parametrize("call", LIGHTSAIL)
async def test_it_is_the_interval_of_every_wait_for_lightsail(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, call: Callable[[Simulator], Awaitable[None]]
) -> None:
    monkeypatch.setenv(VARIABLE, "2.5")
    for operation in ("StartGUISession", "StopGUISession"):
        sim.lightsail.plan("my-computer", operation, TransitionPlan(seconds=9))
    await call(sim)
    assert intervals(sim, READ)[:4] == pytest.approx([2.5] * 4, abs=EXACT)


async def open_nimble(sim: Simulator) -> str:
    url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
    assert sim.accepts(url)
    return sim.nimble.alive[0]


async def open_nimble_block(sim: Simulator) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        await desktop.url()


async def open_nimble_list(sim: Simulator) -> None:
    requests = [StreamingSessionRequest(launch_profile_id="lp-1")]
    async with open_streaming_sessions("studio-1", requests) as outcomes:
        assert [outcome.error async for outcome in outcomes] == [None]


async def open_nimble_again_and_close(sim: Simulator) -> None:
    session_id = await open_nimble(sim)
    await open_stream("studio-1", session_id)
    await close_streaming_session("studio-1", session_id)


NIMBLE = [open_nimble, open_nimble_block, open_nimble_list, open_nimble_again_and_close]


@pytest.mark.parametrize("call", NIMBLE)
async def test_it_is_the_interval_of_every_wait_for_nimble(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, call: Callable[[Simulator], Awaitable[None]]
) -> None:
    monkeypatch.setenv(VARIABLE, "2.5")
    for operation in (
        "CreateStreamingSession",
        "CreateStreamingSessionStream",
        "DeleteStreamingSession",
    ):
        sim.nimble.plan(operation, TransitionPlan(seconds=9, times=None))
    await call(sim)
    for operation in ("GetStreamingSession", "GetStreamingSessionStream"):
        found = intervals(sim, operation)
        assert found[:4] == pytest.approx([2.5] * 4, abs=EXACT)


async def test_an_argument_goes_before_it(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "2.5")
    sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(seconds=9))
    await open_gui_session("my-computer", poll_interval=5)
    assert intervals(sim, READ) == pytest.approx([5, 5], abs=EXACT)


@pytest.mark.parametrize("text", ["", "inf"])
async def test_without_a_value_the_schedule_applies(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    await open_gui_session("my-computer")
    assert intervals(sim, READ)[0] > 20


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "1s"])
async def test_an_error_names_the_variable(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ConfigurationError, match=f"{VARIABLE} has to be .* not '{text}'"):
        await open_gui_session("my-computer")
    assert sim.requests == []
