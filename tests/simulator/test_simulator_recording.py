"""Recordings: a real start and stop, here the simulator's, as a scenario that replays it."""

import asyncio
import os
import subprocess
import sys

import pytest

from dcvsessions.simulator import (
    InstanceScenario,
    LightsailScenario,
    Scenario,
    ScenarioError,
    TransitionPlan,
)
from dcvsessions.simulator._recorder import RecordingError, main, record
from dcvsessions.simulator._recording import Reading, scenario_text

PLANS = {
    "StartGUISession": (TransitionPlan(seconds=12, percentages=(0, 5, 20, 80, 80, 99)),),
    "StopGUISession": (TransitionPlan(seconds=4),),
}


def of_one_computer(**options):
    computer = InstanceScenario(name="private-name", **options)
    return Scenario(lightsail=LightsailScenario(instances=(computer,)))


class Watched:
    """A simulator that is recorded as if it were AWS, and what was read on the way."""

    def __init__(self, wire):
        self._wire = wire
        self.read = []

    async def call(self, operation, parameters):
        reply = await self._wire.lightsail(operation, parameters)
        assert reply.status == 200, reply.json
        found = reply.json
        if operation == "CreateGUISessionAccessDetails":
            self.read.append((found["status"], found.get("percentageComplete")))
        return found


async def recorded(scenario, name, open_wire):
    async with scenario.simulator() as sim, open_wire(sim) as wire:
        watched = Watched(wire)
        text = await record(watched.call, name, interval=2)
        return text, watched.read, sim.lightsail.instances[name].status


@pytest.mark.looptime
async def test_a_recording_replayed_is_equal_to_what_was_recorded(open_wire, tmp_path):
    scenario = of_one_computer(status="startExpired", plans=PLANS)
    text, read, left = await recorded(scenario, "private-name", open_wire)
    assert left == "stopped"
    assert "private-name" not in text
    file = tmp_path / "course.toml"
    file.write_text(text)
    assert await recorded(Scenario.load(file), "my-computer", open_wire) == (text, read, left)
    assert ("starting", 80) in read
    (computer,) = Scenario.load(file).lightsail.instances
    assert computer.plans["StartGUISession"] == PLANS["StartGUISession"]
    assert [plan.seconds for plan in computer.plans["StopGUISession"]] == [4]


@pytest.mark.looptime
@pytest.mark.parametrize("before", ["notStarted", "stopped", "startExpired"])
async def test_a_recorded_session_is_left_stopped_whatever_it_was(open_wire, before):
    text, _, left = await recorded(of_one_computer(status=before), "private-name", open_wire)
    assert f'status = "{before}"' in text
    assert left == "stopped"


@pytest.mark.looptime
async def test_a_failed_start_is_recorded_without_its_reason(open_wire):
    failing = TransitionPlan(ends="failedStartingGUISession", message="secret", seconds=6)
    scenario = of_one_computer(plans={"StartGUISession": (failing,)})
    text, _, left = await recorded(scenario, "private-name", open_wire)
    assert left == "failedStartingGUISession"
    assert 'ends = "failedStartingGUISession"' in text
    assert "secret" not in text


@pytest.mark.looptime
async def test_a_session_that_is_started_is_left_alone(open_wire):
    async with of_one_computer(status="started").simulator() as sim, open_wire(sim) as wire:
        with pytest.raises(RecordingError, match="is started; it has to be stopped"):
            await record(Watched(wire).call, "private-name", interval=2)
        assert sim.calls("StartGUISession") == sim.calls("StopGUISession") == []


@pytest.mark.looptime
async def test_a_start_that_never_ends_is_stopped_again(open_wire):
    endless = TransitionPlan(seconds=float("inf"))
    scenario = of_one_computer(plans={"StartGUISession": (endless,)})
    async with scenario.simulator() as sim, open_wire(sim) as wire:
        with pytest.raises(RecordingError, match="was not over after 1800 seconds"):
            await record(Watched(wire).call, "private-name", interval=60)
        assert sim.lightsail.instances["private-name"].status == "stopped"


def test_readings_without_a_percentage_leave_it_out():
    readings = [Reading(at=0, status="stopping"), Reading(at=3.0004, status="stopped")]
    text = scenario_text("started", {"StopGUISession": readings}, date="2026-01-01", interval=2)
    assert "percentages" not in text
    assert "seconds = 3.0\n" in text


async def test_the_command_says_why_it_cannot_record(tmp_path, sim, monkeypatch, capsys):
    output = tmp_path / "course.toml"
    arguments = ["--yes", "--aws", "another-name", "-o", str(output)]
    for name, value in sim.environ.items():
        monkeypatch.setenv(name, value)
    assert await asyncio.to_thread(main, arguments) == 1
    assert "NotFoundException" in capsys.readouterr().err
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert await asyncio.to_thread(main, arguments) == 1
    assert "You must specify a region" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("answer", ["n", "", "y"])
async def test_the_command_says_what_it_will_do_and_asks(tmp_path, answer):
    output = tmp_path / "course.toml"
    async with of_one_computer().simulator(speed=20) as sim:
        command = [sys.executable, "-m", "dcvsessions.simulator", "record", "--interval", "0.1"]
        done = await asyncio.to_thread(
            subprocess.run,
            [*command, "--aws", "private-name", "-o", str(output)],
            input=f"{answer}\n",
            env={**os.environ, **sim.environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "start the GUI session of private-name" in done.stdout
        assert "Go on? [y/N]" in done.stdout
        assert done.returncode == (0 if answer == "y" else 1), done.stderr
        assert bool(sim.requests) == output.exists() == (answer == "y")
    if answer == "y":
        assert len(Scenario.load(output).lightsail.instances) == 1
    else:
        with pytest.raises(ScenarioError):
            Scenario.load(output)
