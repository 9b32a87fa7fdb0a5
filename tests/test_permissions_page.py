"""The permissions that the page names are those of the operations that the calls really make."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import dcvsessions
from dcvsessions import (
    LightsailClient,
    NimbleClient,
    StreamingSessionRequest,
    close_gui_session,
    close_gui_sessions,
    close_streaming_session,
    close_streaming_sessions,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_gui_sessions,
    open_stream,
    open_streaming_session,
    open_streaming_sessions,
    streaming_session,
)
from dcvsessions.simulator import Fault, Simulator

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "permissions.md"
TEXT = PAGE.read_text(encoding="utf-8")

# No helper calls these, but AWS documents that the caller of CreateStreamingSession needs them.
NEEDED_TOO = {
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "nimble:GetLaunchProfile",
    "nimble:GetLaunchProfileInitialization",
    "nimble:ListEulaAcceptances",
}
# AWS documents that these cannot be limited to a resource.
WITHOUT_RESOURCE = {"lightsail:GetInstanceState", "lightsail:GetInstances", "nimble:ListStudios"}


def policies() -> list[list[dict]]:
    found = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    return [json.loads(text)["Statement"] for text in found]


def rows() -> dict[str, set[str]]:
    """Return the actions of each row of the table by the row's first cell."""
    lines = TEXT.partition("| --- | --- |\n")[2].partition("\n\n")[0].splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines]
    return {call: {*re.findall(r"`(\w+:\w+)`", actions)} for call, actions in cells}


async def until_the_end(outcomes) -> None:
    async with outcomes as each:
        assert [outcome.error async for outcome in each] == [None]


async def within(desktop) -> None:
    async with desktop as entered:
        await entered.url()


async def stopped_by_somebody(sim: Simulator, desktop) -> None:
    async with desktop as entered:
        [session_id] = sim.nimble.alive
        sim.nimble.set_state(session_id, "STOPPED")
        await entered.url()


async def lost_and_found(sim: Simulator, opening: Callable[[], Awaitable[object]]) -> None:
    """Open twice with the same client token; the session is stopped in between."""
    await opening()
    [session_id] = sim.nimble.alive
    sim.nimble.set_state(session_id, "STOPPED")
    await opening()


async def failing(sim: Simulator, opening: Callable[[], Awaitable[object]]) -> None:
    sim.nimble.fail_streams(status_code="STREAM_FAILED")
    with pytest.raises(dcvsessions.WaitFailedError):
        await opening()


def new(**options) -> Awaitable[object]:
    return open_streaming_session("studio-1", launch_profile_id="lp-1", **options)


def several(token: str) -> Awaitable[object]:
    request = StreamingSessionRequest(launch_profile_id="lp-1", client_token=token)
    return until_the_end(open_streaming_sessions("studio-1", [request]))


async def existing(sim: Simulator) -> str:
    """Make a session that is stopped, and forget how it was made."""
    async with NimbleClient() as client:
        made = await client.create_streaming_session("studio-1", launch_profile_id="lp-1")
    sim.nimble.set_state(made.session_id, "STOPPED")
    return made.session_id


async def listed(client, listing: Callable) -> None:
    async with client as entered:
        assert [found async for found in listing(entered)]


async def stop_computer() -> None:
    async with LightsailClient() as client:
        await client.stop_instance("my-computer")


OPENED, ALSO_STARTED, ALSO_STOPPED = (
    "`open_gui_session`, `open_gui_sessions`, `gui_session`",
    "the same with `start_instance=True`",
    "`gui_session` with `stop_on_exit=True`",
)
MADE = "`open_streaming_session`, `open_streaming_sessions`, `streaming_session`"
# The calls of these rows begin with a session that exists.
EXISTING = OPENED_AGAIN, CLOSED, ALL_CLOSED = (
    "`open_stream`, `existing_streaming_session`",
    "`close_streaming_session`",
    "`close_streaming_sessions`",
)

# What a reader does, by the row that allows it.
CALLS: dict[str, list[Callable[[Simulator, str], Awaitable[object]]]] = {
    OPENED: [
        lambda *_: open_gui_session("my-computer"),
        lambda *_: until_the_end(open_gui_sessions(["my-computer"])),
        lambda *_: within(gui_session("my-computer")),
    ],
    ALSO_STARTED: [
        lambda *_: open_gui_session("stopped", start_instance=True),
        lambda *_: until_the_end(open_gui_sessions(["stopped"], start_instance=True)),
        lambda *_: within(gui_session("stopped", start_instance=True)),
    ],
    ALSO_STOPPED: [lambda *_: within(gui_session("my-computer", stop_on_exit=True))],
    "`close_gui_session`, `close_gui_sessions`": [
        lambda *_: close_gui_session("started"),
        lambda *_: until_the_end(close_gui_sessions(["started"])),
    ],
    "`LightsailClient.stop_instance`": [lambda *_: stop_computer()],
    "`LightsailClient.get_instances`": [
        lambda *_: listed(LightsailClient(), LightsailClient.get_instances)
    ],
    MADE: [
        lambda sim, _: lost_and_found(sim, lambda: new(client_token="mine")),
        lambda sim, _: failing(sim, new),
        lambda sim, _: lost_and_found(sim, lambda: several("ours")),
        lambda sim, _: stopped_by_somebody(
            sim, streaming_session("studio-1", launch_profile_id="lp-1")
        ),
    ],
    OPENED_AGAIN: [
        lambda _, session_id: open_stream("studio-1", session_id),
        lambda _, session_id: within(existing_streaming_session("studio-1", session_id)),
    ],
    CLOSED: [lambda _, session_id: close_streaming_session("studio-1", session_id)],
    ALL_CLOSED: [
        lambda *_: until_the_end(close_streaming_sessions("studio-1", owned_by="simulator-user"))
    ],
    "`NimbleClient.list_studios`": [lambda *_: listed(NimbleClient(), NimbleClient.list_studios)],
    "`NimbleClient.list_launch_profiles`": [
        lambda *_: listed(NimbleClient(), lambda nimble: nimble.list_launch_profiles("studio-1"))
    ],
}


async def called(sim: Simulator, call: Callable, *, exists: bool) -> set[str]:
    sim.reset()
    sim.lightsail.add_instance("my-computer")
    sim.lightsail.add_instance("stopped", state="stopped")
    sim.lightsail.add_instance("started", status="started")
    sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
    session_id = await existing(sim) if exists else ""
    before = len(sim.requests)
    await call(sim, session_id)
    return {f"{request.service}:{request.operation}" for request in sim.requests[before:]}


@pytest.mark.looptime(start=time.monotonic)
@pytest.mark.parametrize("row", CALLS)
async def test_a_row_has_the_actions_of_the_operations_that_its_calls_make(
    sim: Simulator, row: str
) -> None:
    actions: set[str] = set()
    for call in CALLS[row]:
        actions |= await called(sim, call, exists=row in EXISTING)
    table = rows()
    expected = table[row]
    if row in (ALSO_STARTED, ALSO_STOPPED):
        expected = expected | table[OPENED]
    assert actions == expected


async def open_ten(sim: Simulator) -> set[str]:
    """Open ten computers, and return the actions that this needed."""
    names = [f"student-{number}" for number in range(10)]
    for name in names:
        sim.lightsail.add_instance(name)
    async with open_gui_sessions(names) as outcomes:
        assert [outcome.error async for outcome in outcomes] == [None] * len(names)
    return {f"lightsail:{request.operation}" for request in sim.requests}


@pytest.mark.looptime(start=time.monotonic)
async def test_many_computers_are_read_with_one_list_if_that_is_allowed(sim: Simulator) -> None:
    actions = await open_ten(sim)
    assert actions == rows()[OPENED] - {"lightsail:GetInstanceState"} | {"lightsail:GetInstances"}


@pytest.mark.looptime(start=time.monotonic)
async def test_the_actions_of_the_table_are_enough_for_many_computers(sim: Simulator) -> None:
    sim.inject("GetInstances", Fault.error("AccessDeniedException", status=403), times=None)
    assert await open_ten(sim) - {"lightsail:GetInstances"} == rows()[OPENED]
    assert len(sim.calls("GetInstances")) == 1


def test_the_table_has_every_helper_and_the_test_every_row() -> None:
    assert [*rows()] == [*CALLS]
    helpers = {
        name
        for name in dcvsessions.__all__
        if re.match(r"[a-z_]+$", name) and name != "__version__"
    }
    named = {name for row in rows() for name in re.findall(r"`(\w+)`", row)}
    assert named == helpers


def test_the_policies_have_the_actions_of_the_table_and_no_others() -> None:
    allowed = {action for policy in policies() for part in policy for action in part["Action"]}
    assert allowed == {action for row in rows().values() for action in row} | NEEDED_TOO


def test_only_actions_without_resource_are_allowed_on_all_resources() -> None:
    anywhere = {
        action
        for policy in policies()
        for part in policy
        if part["Resource"] == "*"
        for action in part["Action"]
    }
    assert anywhere - NEEDED_TOO == WITHOUT_RESOURCE
