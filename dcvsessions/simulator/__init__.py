"""Lightsail for Research and Nimble Studio on the loopback interface, over the real protocols.

It needs no AWS account, and any AWS client can be pointed at it: your tests use it as this
package's own tests do. See `Simulator`.
"""

from dcvsessions.simulator.errors import ScenarioError
from dcvsessions.simulator.faults import Fault
from dcvsessions.simulator.lightsail.controls import LightsailSimulator
from dcvsessions.simulator.lightsail.resources import InstanceView
from dcvsessions.simulator.nimble.controls import NimbleSimulator
from dcvsessions.simulator.nimble.resources import SessionView
from dcvsessions.simulator.protocol.messages import Request
from dcvsessions.simulator.scenario import (
    FaultScenario,
    InstanceScenario,
    LightsailScenario,
    NimbleScenario,
    Scenario,
    StudioScenario,
    ThrottleScenario,
)
from dcvsessions.simulator.simulator import Simulator
from dcvsessions.simulator.thread import serve_in_thread
from dcvsessions.simulator.time.plan import TransitionPlan
from dcvsessions.simulator.time.timings import Timings

__all__ = [
    "Fault",
    "FaultScenario",
    "InstanceScenario",
    "InstanceView",
    "LightsailScenario",
    "LightsailSimulator",
    "NimbleScenario",
    "NimbleSimulator",
    "Request",
    "Scenario",
    "ScenarioError",
    "SessionView",
    "Simulator",
    "StudioScenario",
    "ThrottleScenario",
    "Timings",
    "TransitionPlan",
    "serve_in_thread",
]
