"""Scenarios: resources, plans and faults as data, and the place of each mistake."""

import asyncio
import inspect
import json
import textwrap
from pathlib import Path

import pytest

from dcvsessions.simulator import (
    Fault,
    FaultScenario,
    InstanceScenario,
    LightsailScenario,
    LightsailSimulator,
    NimbleScenario,
    NimbleSimulator,
    Scenario,
    ScenarioError,
    StudioScenario,
    Timings,
    TransitionPlan,
)
from dcvsessions.simulator import _scenario as scenario_module

IN_PYTHON = Scenario(
    speed=10,
    timings=Timings.demo(),
    lightsail=LightsailScenario(
        instances=(
            InstanceScenario(
                name="my-computer",
                state="stopped",
                plans={
                    "StartGUISession": (
                        TransitionPlan(
                            seconds=40,
                            percentages=(5, 20, 80),
                            ends="failedStartingGUISession",
                            message="No capacity",
                            times=2,
                        ),
                    )
                },
            ),
        )
    ),
    nimble=NimbleScenario(
        studios=(StudioScenario(studio_id="studio-1", launch_profiles=("lp-1",), session_quota=2),),
        plans={
            "CreateStreamingSession": (
                TransitionPlan(ends="CREATE_FAILED", code="INSUFFICIENT_CAPACITY"),
            )
        },
    ),
    faults=(
        FaultScenario(
            operation="CreateStreamingSession",
            call=2,
            fault=Fault.error("ThrottlingException", status=429, retry_after=3),
        ),
    ),
)


def in_toml():
    """Return the example in the docstring of the module."""
    return textwrap.dedent(scenario_module.__doc__.partition("::\n")[2])


def write(tmp_path, text, name="scenario.toml"):
    file = tmp_path / name
    file.write_text(text)
    return file


def test_a_scenario_is_the_same_in_python_toml_and_json(tmp_path):
    import tomllib  # noqa: PLC0415 - beside its only use

    assert Scenario.load(write(tmp_path, in_toml())) == IN_PYTHON
    as_json = json.dumps(tomllib.loads(in_toml()))
    assert Scenario.load(write(tmp_path, as_json, "scenario.json")) == IN_PYTHON


@pytest.mark.looptime
async def test_a_simulator_does_what_its_scenario_says(open_wire):
    data = {
        "timings": {"preset": "instant", "gui_start": 5},
        "lightsail": {
            "instances": [
                {
                    "name": "my-computer",
                    "tags": {"a": "b"},
                    "blueprint_id": "rstudio",
                    "bundle_id": "app_standard_2xl_1_0",
                    "plans": {
                        "StartGUISession": [
                            {"ends": "failedStartingGUISession", "message": "No", "times": 2},
                            {"seconds": 40, "percentages": [5, 80], "expires_after": 60},
                        ]
                    },
                }
            ]
        },
        "nimble": {
            "studios": [{"studio_id": "studio-1", "session_quota": 1, "streaming_image_id": "own"}]
        },
        "faults": [{"operation": "GetInstances", "fault": {"kind": "error", "code": "E"}}],
    }
    async with Scenario.from_data(data).simulator() as sim, open_wire(sim) as wire:
        assert (await wire.lightsail("GetInstances")).error == "E"
        seen = []
        for seconds in (5, 5, 30, 10, 60):
            await wire.lightsail("StartGUISession", {"resourceName": "my-computer"})
            await asyncio.sleep(seconds)
            found = await wire.status()
            seen.append((found["status"], found.get("percentageComplete")))
        assert seen == [
            ("failedStartingGUISession", None),
            ("failedStartingGUISession", None),
            ("starting", 80),
            ("started", 100),
            ("startExpired", None),
        ]
        assert (await wire.create()).json["session"]["streamingImageId"] == "own"
        assert (await wire.create()).status == 402
        (found,) = (await wire.lightsail("GetInstances")).json["instances"]
        assert (found["blueprintId"], found["bundleId"]) == ("rstudio", "app_standard_2xl_1_0")
        assert sim.lightsail.instances["my-computer"].tags == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speed = 'fast'", r"must be a number, not 'fast' @ \$\.speed"),
        ("speed = true", r"must be a number, not True @ \$\.speed"),
        ("speed = 0", r"speed must be a positive number"),
        ("seed = 1.5", r"must be a int, not 1\.5 @ \$\.seed"),
        ("page_size = 0", r"page_size must be at least 1"),
        ("stale_reads = -1", r"stale_reads must be zero or more"),
        ("sped = 1", r"unknown: sped @ \$"),
        ("timings = 1", r"must be a table, not 1 @ \$\.timings"),
        ("[timings]\npreset = 'x'", r"preset must be one of default, .*; not 'x' @ \$\.timings"),
        ("[timings]\ngui_start = -1", r"gui_start must be zero or more .* @ \$\.timings"),
        ("[timings]\ngui = 1", r"unknown: gui @ \$\.timings"),
        ("lightsail = 3", r"must be a table, not 3 @ \$\.lightsail"),
        ("[lightsail]\ninstances = 'x'", r"must be an array, not 'x' @ \$\.lightsail\.instances"),
        (
            "[[lightsail.instances]]\nstate = 'stopped'",
            r"required, but missing @ \$\.lightsail\.instances\[0\]\.name",
        ),
        (
            "[[lightsail.instances]]\nname = 5",
            r"must be a str, not 5 @ \$\.lightsail\.instances\[0\]\.name",
        ),
        (
            "[[lightsail.instances]]\nname = 'x1'\nstate = 'asleep'",
            r"must be one of pending, .*; not 'asleep' @ \$\.lightsail\.instances\[0\]",
        ),
        (
            "[[lightsail.instances]]\nname = 'x1'\n[[lightsail.instances]]\nname = 'x1'",
            r"There is an instance 'x1' already @ \$\.lightsail\.instances\[1\]",
        ),
        (
            "[[lightsail.instances]]\nname = 'x1'\n[[lightsail.instances.plans.Foo]]",
            r"must be one of StartGUISession, .*; not 'Foo' @ \$\.lightsail\.instances\[0\]",
        ),
        (
            "[[lightsail.instances]]\nname = 'x1'\nplans = { Foo = [] }",
            r"must be one of StartGUISession, .*; not 'Foo' @ \$\.lightsail\.instances\[0\]",
        ),
        (
            "[[nimble.plans.StopStreamingSession]]\nseconds = -1",
            r"zero or more seconds, not -1\.0 @ \$\.nimble\.plans\['StopStreamingSession'\]\[0\]",
        ),
        ("[[nimble.plans.StopStreamingSession]]\ntimes = 0", r"times must be at least 1"),
        (
            "[[nimble.plans.GetStreamingSession]]",
            r"not 'GetStreamingSession' @ \$\.nimble\.plans",
        ),
        (
            "[[nimble.studios]]\nstudio_id = 's'\n[[nimble.studios]]\nstudio_id = 's'",
            r"There is a studio 's' already @ \$\.nimble\.studios\[1\]",
        ),
        (
            "[[faults]]\noperation = 'X'\nfault = { kind = 'reset' }",
            r"operation must be one of .* @ \$\.faults\[0\]",
        ),
        (
            "[[faults]]\noperation = '*'\nfault = { kind = 'rest' }",
            r"rest .* @ \$\.faults\[0\]\.fault\.kind",
        ),
        (
            "[[faults]]\noperation = '*'\nfault = { kind = 'error', retry_after = [] }",
            r"must be a number or a text, not \[\] @ \$\.faults\[0\]\.fault\.retry_after",
        ),
        ("[[faults]]\noperation = '*'\ncall = 0\nfault = { kind = 'reset' }", r"@ \$\.faults\[0\]"),
        ("[[throttles]]\nrate = 0", r"rate must be a positive number .* @ \$\.throttles\[0\]"),
        ("[[throttles]]\nburst = 2", r"required, but missing @ \$\.throttles\[0\]\.rate"),
        ("speed = [", r"at end of document|line 1"),
    ],
)
def test_a_mistake_is_reported_with_its_file_and_place(tmp_path, text, message):
    file = write(tmp_path, text)
    with pytest.raises(ScenarioError, match=message) as caught:
        Scenario.load(file)
    assert str(caught.value).startswith(f"{file}: ")


def test_the_members_of_an_error_can_stand_in_a_file(tmp_path):
    text = """
[[faults]]
operation = "*"
fault = { kind = "error", code = "E", members = { tip = "Wait", context = { a = "b" } } }
[[faults]]
operation = "GetInstances"
fault = { kind = "skewed_date", seconds = 900, requests = 2 }
"""
    first, second = Scenario.load(write(tmp_path, text)).faults
    assert first.fault == Fault.error("E", members={"tip": "Wait", "context": {"a": "b"}})
    assert second.fault == Fault.skewed_date(900, requests=2)
    with pytest.raises(ScenarioError, match=r"must be a str, not 1 @ .*members"):
        Scenario.load(write(tmp_path, text.replace('"b"', "1")))


@pytest.mark.parametrize(
    ("scenario", "handle"),
    [
        (InstanceScenario(name="x"), LightsailSimulator.add_instance),
        (StudioScenario(studio_id="x"), NimbleSimulator.add_studio),
    ],
)
def test_a_scenario_has_the_arguments_and_defaults_of_the_method_it_calls(scenario, handle):
    _, _, *optional = inspect.signature(handle).parameters.values()
    taken = {each.name: each.default for each in optional}
    said = {name: getattr(scenario, name) for name in taken}
    no_tags = {"tags": None}  # in a scenario an empty table
    assert said | no_tags == taken | no_tags


def test_a_json_mistake_is_reported_with_its_line(tmp_path):
    with pytest.raises(ScenarioError, match="line 2 column 1"):
        Scenario.load(write(tmp_path, "{\n", "scenario.json"))


def test_a_missing_or_binary_file_is_reported(tmp_path):
    with pytest.raises(ScenarioError, match="No such file"):
        Scenario.load(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    with pytest.raises(ScenarioError, match="codec can't decode"):
        Scenario.load(tmp_path / "binary.toml")


def test_a_json_file_has_to_hold_an_object(tmp_path):
    with pytest.raises(ScenarioError, match="must be a table"):
        Scenario.load(write(tmp_path, "[]", "scenario.json"))


def test_the_scenario_in_the_documentation_can_be_loaded(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "reference" / "simulator.md"
    text = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    found = Scenario.load(write(tmp_path, text))
    assert [plan.times for plan in found.lightsail.instances[0].plans["StartGUISession"]] == [
        2,
        1,
    ]
    assert found.timings.gui_start == 20


def test_a_lifetime_may_be_infinite():
    data = {
        "timings": {"session_lifetime": float("inf"), "gui_session_lifetime": float("inf")},
        "lightsail": {"instances": [{"name": "my-computer", "status": "started"}]},
    }
    sim = Scenario.from_data(data).simulator()
    assert sim.lightsail.instances["my-computer"].status == "started"
