"""Which computers run: one list for many, in place of a call for each of them."""

import asyncio
import time

import pytest

from dcvsessions import LightsailClient, NotFoundError, WaitFailedError, open_gui_sessions
from dcvsessions.lightsail import GuiSessionOutcome
from dcvsessions.lightsail._running import RunningComputers
from dcvsessions.simulator import Fault, Simulator

# Virtual time begins at the real time, at which the fixtures began.
pytestmark = pytest.mark.looptime(start=time.monotonic)

NAMES = [f"pc-{number}" for number in range(30)]


async def opened(names: list[str], **options: bool) -> list[GuiSessionOutcome]:
    async with open_gui_sessions(names, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def states_read(sim: Simulator) -> list[object]:
    return [call.parameters["instanceName"] for call in sim.calls("GetInstanceState")]


@pytest.fixture
def computers(sim: Simulator) -> Simulator:
    for name in NAMES:
        sim.lightsail.add_instance(name)
    return sim


async def test_one_list_tells_that_many_computers_run(computers: Simulator) -> None:
    assert not [each.error for each in await opened(NAMES) if each.error]
    assert len(computers.calls("GetInstances")) == 1
    assert states_read(computers) == []


async def test_the_state_of_a_computer_that_does_not_run_is_read(computers: Simulator) -> None:
    computers.lightsail.add_instance("stopped", state="stopped")
    errors = {each.name: each.error for each in await opened([*NAMES, "stopped", "missing"])}
    assert {name for name, error in errors.items() if error} == {"stopped", "missing"}
    assert isinstance(errors["stopped"], WaitFailedError)
    assert "start_instance=True" in str(errors["stopped"])
    assert isinstance(errors["missing"], NotFoundError)
    assert states_read(computers) == ["stopped"]


async def test_computers_that_are_started_first_are_listed_again_later(sim: Simulator) -> None:
    for name in NAMES:
        sim.lightsail.add_instance(name, state="stopped")
    assert not [each.error for each in await opened(NAMES, start_instance=True) if each.error]
    assert len(sim.calls("StartGUISession")) == len(NAMES)


async def test_few_computers_are_read_one_by_one(computers: Simulator) -> None:
    await opened(NAMES[:9])
    assert computers.calls("GetInstances") == []
    assert len(states_read(computers)) == 9


async def test_a_list_that_is_not_allowed_is_not_asked_for_again(computers: Simulator) -> None:
    computers.inject("GetInstances", Fault.error("AccessDeniedException", 403), times=None)
    assert not [each.error for each in await opened(NAMES) if each.error]
    assert len(computers.calls("GetInstances")) == 1
    assert sorted(map(str, states_read(computers))) == sorted(NAMES)


async def test_a_list_that_fails_for_a_while_is_asked_for_again(computers: Simulator) -> None:
    computers.inject("GetInstances", Fault.error("ServiceException", 500), times=8)
    assert not [each.error for each in await opened(NAMES) if each.error]
    assert len(computers.calls("GetInstances")) == 9
    assert states_read(computers) == []


@pytest.mark.parametrize(
    ("fault", "longest"),
    [
        (Fault.error("ServiceException", 500), 300),
        (Fault.html(), 300),
        (Fault.truncated(), 300),
        (Fault.reset(), 300),
        (Fault.no_answer(), 400),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
async def test_computers_are_opened_although_every_list_fails(
    computers: Simulator, fault: Fault, longest: float
) -> None:
    computers.inject("GetInstances", fault, times=None)
    began = asyncio.get_running_loop().time()
    assert not [each.error for each in await opened(NAMES) if each.error]
    assert asyncio.get_running_loop().time() - began < longest
    assert len(computers.calls("GetInstances")) <= 9


async def test_a_list_is_used_for_a_minute(computers: Simulator) -> None:
    async with LightsailClient() as client:
        running = RunningComputers(client, len(NAMES))
        assert await running.lists("pc-1")
        await client.stop_instance("pc-1")
        # For a while the list is still used.
        assert await running.lists("pc-1")
        await asyncio.sleep(61)
        assert not await running.lists("pc-1")
    assert len(computers.calls("GetInstances")) == 2


async def test_a_long_list_is_left_before_it_costs_more_than_it_saves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Simulator(page_size=10) as sim:
        for name in (*(f"other-{number}" for number in range(1000)), *NAMES):
            sim.lightsail.add_instance(name)
        for name, value in sim.environ.items():
            monkeypatch.setenv(name, value)
        async with LightsailClient() as client:
            assert not await RunningComputers(client, len(NAMES)).lists("pc-1")
        assert len(sim.calls("GetInstances")) == 60


async def test_a_computer_that_stops_after_the_list_is_reported_as_stopped(
    computers: Simulator,
) -> None:
    # Its session can be started when it has stopped, which comes long after the list.
    computers.lightsail.add_instance("late", status="stopping")
    computers.lightsail.hold("late")
    errors: dict[str, Exception | None] = {}
    async with LightsailClient() as client, open_gui_sessions([*NAMES, "late"]) as outcomes:
        async for outcome in outcomes:
            errors[outcome.name] = outcome.error
            if len(errors) == len(NAMES):
                await asyncio.sleep(61)
                await client.stop_instance("late")
    assert [name for name, error in errors.items() if error] == ["late"]
    assert "start_instance=True starts it first." in str(errors["late"])
    assert computers.calls("StartGUISession")[-1].parameters["resourceName"] != "late"
