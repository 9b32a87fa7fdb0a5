"""What the simulated Lightsail holds, and how its resources change with time."""

import math

from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._environment import Environment
from dcvsessions.simulator._lightsail.operation_log import OperationLog
from dcvsessions.simulator._lightsail.resources import GUI_TRANSITIONS, POWER_TRANSITIONS, Instance
from dcvsessions.simulator._store import Store
from dcvsessions.simulator._time.plan import DEFAULT_PLAN, PlanQueue, TransitionPlan, transition
from dcvsessions.simulator._time.timeline import Phase, Timeline

__all__ = ["LightsailAccount"]


class LightsailAccount:
    """The instances, the operations, and the plans of the next transitions."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.clear()

    def clear(self) -> None:
        """Remove everything."""
        environment = self.environment
        self.instances: Store[Instance] = Store(environment.stale_reads)
        self.operations = OperationLog(environment)
        self._plans: dict[tuple[str, str], PlanQueue] = {}
        self._addresses = 0

    def plans(self, name: str, operation: str) -> PlanQueue:
        """Return the plans for the transitions that an operation starts on an instance."""
        return self._plans.setdefault((name, operation), PlanQueue())

    def next_address(self) -> int:
        """Return the number of a public IP address that was not in use before."""
        self._addresses += 1
        return self._addresses

    def desktops(self) -> list[Desktop]:
        """Return the desktops that can be opened now."""
        now = self.environment.clock.now()
        return [
            each for instance in self.instances.all_current() for each in instance.desktops(now)
        ]

    def gui_timeline(
        self, status: str, plan: TransitionPlan = DEFAULT_PLAN, *, is_held: bool = False
    ) -> Timeline:
        """Write down the future of a GUI session that has this status from now on.

        Args:
            status: The status now.
            plan: How the transition goes, if it is one.
            is_held: Whether the transition never ends.
        """
        now = self.environment.clock.now()
        phases: tuple[Phase, ...] = (Phase(state=status, begins=now),)
        if status in GUI_TRANSITIONS:
            name, goal = GUI_TRANSITIONS[status]
            seconds = math.inf if is_held else self.environment.duration(name)
            phases = transition(status, goal, begins=now, seconds=seconds, plan=plan)
        if phases[-1].state != "started":
            return Timeline(phases)
        lifetime = plan.expires_after
        if lifetime is None:
            lifetime = self.environment.timings.gui_session_lifetime
        return Timeline((*phases, Phase(state="startExpired", begins=phases[-1].begins + lifetime)))

    def power_timeline(
        self, state: str, plan: TransitionPlan = DEFAULT_PLAN, *, is_held: bool = False
    ) -> Timeline:
        """Write down the future of an instance that has this state from now on.

        Args:
            state: The state now.
            plan: How the transition goes, if it is one.
            is_held: Whether the transition never ends.
        """
        now = self.environment.clock.now()
        if state not in POWER_TRANSITIONS:
            return Timeline((Phase(state=state, begins=now),))
        name, goal = POWER_TRANSITIONS[state]
        seconds = math.inf if is_held else self.environment.duration(name)
        return Timeline(transition(state, goal, begins=now, seconds=seconds, plan=plan))
