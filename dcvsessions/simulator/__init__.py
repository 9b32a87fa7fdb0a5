"""Lightsail for Research and Nimble Studio on the loopback interface, over the real protocols.

It needs no AWS account, and any AWS client can be pointed at it: your tests use it as this
package's own tests do. See `Simulator`.

A name is imported when it is first used, because pytest imports the plugin in this package in every
run.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

# The module of each name.
_MODULES = {
    "Fault": "faults",
    "FaultScenario": "scenario",
    "InstanceScenario": "scenario",
    "InstanceView": "lightsail.resources",
    "LightsailScenario": "scenario",
    "LightsailSimulator": "lightsail.controls",
    "NimbleScenario": "scenario",
    "NimbleSimulator": "nimble.controls",
    "Request": "protocol.messages",
    "Scenario": "scenario",
    "ScenarioError": "errors",
    "SessionView": "nimble.resources",
    "Simulator": "simulator",
    "StudioScenario": "scenario",
    "ThrottleScenario": "scenario",
    "Timings": "time.timings",
    "TransitionPlan": "time.plan",
    "serve_in_thread": "thread",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
