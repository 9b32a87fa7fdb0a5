"""The simulated Lightsail as a test sees it: what it sets up, forces and asserts."""

import re
from collections.abc import Mapping

from attrs import evolve

from dcvsessions.simulator._desktop_page import Desktop, new_token
from dcvsessions.simulator._environment import locked
from dcvsessions.simulator._lightsail.account import LightsailAccount
from dcvsessions.simulator._lightsail.resources import (
    GUI_TRANSITIONS,
    POWER_TRANSITIONS,
    STATE_CODES,
    Instance,
    InstanceView,
)
from dcvsessions.simulator._time.plan import PlanQueue, TransitionPlan
from dcvsessions.simulator._time.timeline import Phase, Timeline

__all__ = ["LightsailSimulator"]

# The pattern of the names that requests may have.
_NAME = re.compile(r"\w[\w\-.]{0,253}\w", re.ASCII)
# The operations that start a transition.
_OPERATIONS = (
    "StartGUISession",
    "StopGUISession",
    "StartInstance",
    "StopInstance",
    "RebootInstance",
)


class LightsailSimulator:
    """The simulated Lightsail, as `Simulator.lightsail` gives it."""

    def __init__(self, account: LightsailAccount) -> None:
        self._account = account
        self._environment = account.environment

    @locked
    def add_instance(
        self,
        name: str,
        *,
        state: str = "running",
        status: str = "notStarted",
        tags: Mapping[str, str] | None = None,
        blueprint_id: str = "jupyterlab",
        blueprint_name: str = "JupyterLab",
        bundle_id: str = "app_standard_xl_1_0",
    ) -> None:
        """Add a virtual computer.

        Args:
            name: Its name.
            state: The state of the instance. A transition (`pending`, `stopping`) takes its
                usual time.
            status: The status of the GUI session. A transition (`settingUpInstance`, `starting`,
                `stopping`) takes its usual time, and `started` expires. An instance that is not
                running gets `stopped` instead of `notStarted`.
            tags: Its tags.
            blueprint_id: The blueprint.
            blueprint_name: The name of the application, and of its session.
            bundle_id: The bundle.

        Raises:
            ValueError: There is already an instance of that name, the name does not match the
                service model, or no instance has such a state.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"name must match {_NAME.pattern}, as in requests; not {name!r}")
        if name in self._account.instances:
            raise ValueError(f"There is an instance {name!r} already")
        if state not in STATE_CODES:
            raise ValueError(f"state must be one of {', '.join(STATE_CODES)}; not {state!r}")
        if state != "running" and status == "notStarted":
            status = "stopped"
        instance = Instance(
            number=len(self._account.instances),
            name=name,
            uuid=self._environment.uuid(),
            created=self._environment.clock.now(),
            power=self._account.power_timeline(state),
            gui=self._account.gui_timeline(status),
            tokens=(new_token(), new_token()),
            address=self._account.next_address(),
            tags=dict(tags or {}),
            blueprint_id=blueprint_id,
            blueprint_name=blueprint_name,
            bundle_id=bundle_id,
        )
        self._account.instances.write_visibly(name, instance)

    @property
    @locked
    def instances(self) -> dict[str, InstanceView]:
        """The virtual computers by name, oldest first, each as it is now."""
        now = self._environment.clock.now()
        return {each.name: each.view(now) for each in self._account.instances.all_current()}

    @locked
    def plan(self, name: str, operation: str, *plans: TransitionPlan) -> None:
        """Plan how the next transitions of a virtual computer go.

        Args:
            name: The virtual computer.
            operation: The operation that starts them: `StartGUISession`, `StopGUISession`,
                `StartInstance`, `StopInstance` or `RebootInstance`.
            *plans: One for each of the next transitions. Later transitions go as usual.

        Raises:
            KeyError: There is no such virtual computer.
            ValueError: The operation starts no transition.

        Example:
            >>> slow = TransitionPlan(seconds=40, percentages=(5, 20, 80))
            >>> sim.lightsail.plan("my-computer", "StartGUISession", slow)
        """
        queue = self._plans(name, operation)
        for plan in plans:
            queue.add(plan)

    @locked
    def fail_start(
        self,
        name: str,
        *,
        reason: str = "The GUI session could not be started",
        code: str = "GUISessionStartFailed",
        times: int | None = 1,
    ) -> None:
        """Let the next starts of a GUI session end in `failedStartingGUISession`.

        Args:
            name: The virtual computer.
            reason: The `failureReason`, and the `errorDetails` of the operation.
            code: The `errorCode` of the operation.
            times: How many starts; None for all later ones.

        Raises:
            KeyError: There is no such virtual computer.
        """
        self._plans(name, "StartGUISession").add(
            TransitionPlan(ends="failedStartingGUISession", code=code, message=reason, times=times)
        )

    @locked
    def fail_stop(
        self,
        name: str,
        *,
        reason: str = "The GUI session could not be stopped",
        code: str = "GUISessionStopFailed",
        times: int | None = 1,
    ) -> None:
        """Let the next stops of a GUI session end in `failedStoppingGUISession`.

        Args:
            name: The virtual computer.
            reason: The `failureReason`, and the `errorDetails` of the operation.
            code: The `errorCode` of the operation.
            times: How many stops; None for all later ones.

        Raises:
            KeyError: There is no such virtual computer.
        """
        self._plans(name, "StopGUISession").add(
            TransitionPlan(ends="failedStoppingGUISession", code=code, message=reason, times=times)
        )

    @locked
    def set_status(self, name: str, status: str, *, failure_reason: str | None = None) -> None:
        """Force the status of a GUI session. It stays until a request changes it.

        Args:
            name: The virtual computer.
            status: Any status, even one that is not in the service model.
            failure_reason: The `failureReason` that goes with it.

        Raises:
            KeyError: There is no such virtual computer.
        """
        phase = Phase(state=status, begins=self._environment.clock.now(), message=failure_reason)
        forced = evolve(self._instance(name), gui=Timeline((phase,)))
        self._account.instances.write_visibly(name, forced)

    @locked
    def hold(self, name: str) -> None:
        """Freeze running transitions, and those that start later, until `release`.

        A frozen transition does not continue after `release`: a request or `set_status` ends it.

        Args:
            name: The virtual computer.

        Raises:
            KeyError: There is no such virtual computer.
        """
        now, instance = self._environment.clock.now(), self._instance(name)
        for operation_id in instance.operations.values():
            self._account.operations.hold(operation_id)
        held = evolve(
            instance,
            is_held=True,
            power=instance.power.frozen_in_transition(now, POWER_TRANSITIONS),
            gui=instance.gui.frozen_in_transition(now, GUI_TRANSITIONS),
        )
        self._account.instances.replace(name, held)

    @locked
    def release(self, name: str) -> None:
        """Let transitions that start from now on end again.

        Args:
            name: The virtual computer.

        Raises:
            KeyError: There is no such virtual computer.
        """
        self._account.instances.replace(name, evolve(self._instance(name), is_held=False))

    @locked
    def desktops(self) -> list[Desktop]:
        """List the desktops that can be opened now.

        Returns:
            Two for each virtual computer whose GUI session is started.
        """
        return self._account.desktops()

    def _instance(self, name: str) -> Instance:
        instance = self._account.instances.current(name)
        if instance is None:
            raise KeyError(f"There is no instance {name!r} in the simulator")
        return instance

    def _plans(self, name: str, operation: str) -> PlanQueue:
        self._instance(name)
        if operation not in _OPERATIONS:
            known = ", ".join(_OPERATIONS)
            raise ValueError(f"operation must be one of {known}; not {operation!r}")
        return self._account.plans(name, operation)
