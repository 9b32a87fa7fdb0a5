"""Lightsail for Research and Nimble Studio on the loopback interface, over the real protocols.

It needs no AWS account, speaks to any AWS client, and is meant for the tests of users as much as
for our own. See `Simulator`.
"""

from dcvsessions.simulator.faults import Fault
from dcvsessions.simulator.messages import Request
from dcvsessions.simulator.scenario import (
    FaultScenario,
    InstanceScenario,
    LightsailScenario,
    NimbleScenario,
    Scenario,
    ScenarioError,
    StudioScenario,
)
from dcvsessions.simulator.server import Simulator
from dcvsessions.simulator.thread import serve_in_thread
from dcvsessions.simulator.timeline import Course
from dcvsessions.simulator.timings import Timings

__all__ = [
    "Course",
    "Fault",
    "FaultScenario",
    "InstanceScenario",
    "LightsailScenario",
    "NimbleScenario",
    "Request",
    "Scenario",
    "ScenarioError",
    "Simulator",
    "StudioScenario",
    "Timings",
    "serve_in_thread",
]
