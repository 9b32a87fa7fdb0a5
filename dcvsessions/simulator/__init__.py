"""Lightsail for Research and Nimble Studio on the loopback interface, over the real protocols.

It needs no AWS account. Any AWS client can use it. It is made for your tests, and this package's
own tests use it too. See `Simulator`.

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
    from dcvsessions.simulator._errors import ScenarioError
    from dcvsessions.simulator._faults import Fault
    from dcvsessions.simulator._lightsail.controls import LightsailSimulator
    from dcvsessions.simulator._lightsail.resources import InstanceView
    from dcvsessions.simulator._nimble.controls import NimbleSimulator
    from dcvsessions.simulator._nimble.resources import SessionView
    from dcvsessions.simulator._protocol.messages import Request
    from dcvsessions.simulator._scenario import (
        FaultScenario,
        InstanceScenario,
        LightsailScenario,
        NimbleScenario,
        Scenario,
        StudioScenario,
        ThrottleScenario,
    )
    from dcvsessions.simulator._simulator import Simulator
    from dcvsessions.simulator._thread import serve_in_thread
    from dcvsessions.simulator._time.plan import TransitionPlan
    from dcvsessions.simulator._time.timings import Timings
else:
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            "Fault": "dcvsessions.simulator._faults",
            "FaultScenario": "dcvsessions.simulator._scenario",
            "InstanceScenario": "dcvsessions.simulator._scenario",
            "InstanceView": "dcvsessions.simulator._lightsail.resources",
            "LightsailScenario": "dcvsessions.simulator._scenario",
            "LightsailSimulator": "dcvsessions.simulator._lightsail.controls",
            "NimbleScenario": "dcvsessions.simulator._scenario",
            "NimbleSimulator": "dcvsessions.simulator._nimble.controls",
            "Request": "dcvsessions.simulator._protocol.messages",
            "Scenario": "dcvsessions.simulator._scenario",
            "ScenarioError": "dcvsessions.simulator._errors",
            "SessionView": "dcvsessions.simulator._nimble.resources",
            "Simulator": "dcvsessions.simulator._simulator",
            "StudioScenario": "dcvsessions.simulator._scenario",
            "ThrottleScenario": "dcvsessions.simulator._scenario",
            "Timings": "dcvsessions.simulator._time.timings",
            "TransitionPlan": "dcvsessions.simulator._time.plan",
            "serve_in_thread": "dcvsessions.simulator._thread",
        },
    )
