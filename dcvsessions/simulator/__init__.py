"""Lightsail for Research and Nimble Studio on the loopback interface, over the real protocols.

It needs no AWS account, and any AWS client can be pointed at it: your tests use it as this
package's own tests do. See `Simulator`.

A name is imported when it is first used, because pytest imports the plugin in this package in every
run.
"""

from typing import TYPE_CHECKING

from dcvsessions._lazy import lazy_names

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
else:
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            "Fault": "dcvsessions.simulator.faults",
            "FaultScenario": "dcvsessions.simulator.scenario",
            "InstanceScenario": "dcvsessions.simulator.scenario",
            "InstanceView": "dcvsessions.simulator.lightsail.resources",
            "LightsailScenario": "dcvsessions.simulator.scenario",
            "LightsailSimulator": "dcvsessions.simulator.lightsail.controls",
            "NimbleScenario": "dcvsessions.simulator.scenario",
            "NimbleSimulator": "dcvsessions.simulator.nimble.controls",
            "Request": "dcvsessions.simulator.protocol.messages",
            "Scenario": "dcvsessions.simulator.scenario",
            "ScenarioError": "dcvsessions.simulator.errors",
            "SessionView": "dcvsessions.simulator.nimble.resources",
            "Simulator": "dcvsessions.simulator.simulator",
            "StudioScenario": "dcvsessions.simulator.scenario",
            "ThrottleScenario": "dcvsessions.simulator.scenario",
            "Timings": "dcvsessions.simulator.time.timings",
            "TransitionPlan": "dcvsessions.simulator.time.plan",
            "serve_in_thread": "dcvsessions.simulator.thread",
        },
    )
