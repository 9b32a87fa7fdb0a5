"""Lightsail for Research, simulated: computers, their GUI sessions, and operations.

Documented by AWS, and held here: a GUI session is active for one hour and then has to be resumed;
stopping it closes it; two URLs, of which the primary leads to the application and the other to the
operating system; a stopped instance gets a new public IP address when it is started; operations
are listed from oldest to newest; the names of the ten GUI statuses.

Assumed, because AWS documents the statuses as bare names:

- ``StartGUISession`` is accepted from every status but ``stopping``, ``settingUpInstance`` and
  ``failedInstanceCreation``. While a session is starting or started it changes nothing and returns
  the operation of that start.
- ``StopGUISession`` is accepted from ``starting``, ``started``, ``failedStoppingGUISession`` and
  unknown statuses. While a session is stopping it changes nothing and returns the operation of that
  stop. A start that is cut short leaves a failed operation.
- On a computer that is not running, the status is ``stopped`` and a start is refused with
  ``InvalidInputException``. Stopping the computer ends the GUI session at once.
- Starting a computer that runs, and stopping one that is stopped, change nothing and return an
  operation that has succeeded.
- ``percentageComplete`` is there while something is in progress, and 100 for ``started``.
- Both URLs stay the same from one start to the next.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator.computer import (
    GUI_TRANSITIONS,
    POWER_TRANSITIONS,
    STATE_CODES,
    Computer,
    describe_instance,
    describe_operation,
    describe_session,
    describe_state,
)
from dcvsessions.simulator.operation_log import OperationLog
from dcvsessions.simulator.timeline import (
    AS_USUAL,
    Course,
    Phase,
    Script,
    Shelf,
    Timeline,
    transition,
)
from dcvsessions.simulator.wire import WireError
from dcvsessions.simulator.world import dcv_token, guarded, page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dcvsessions.simulator.computer import InstanceView, OperationRecord
    from dcvsessions.simulator.wire import Parameters, Value
    from dcvsessions.simulator.world import Desktop, World

_INVALID = "InvalidInputException"
#: The service model's pattern of a resource's name.
_NAME = re.compile(r"\w[\w\-]*\w")
_REFUSE_START = frozenset({"stopping", "settingUpInstance", "failedInstanceCreation"})
_REFUSE_STOP = frozenset(
    {
        "notStarted",
        "stopped",
        "startExpired",
        "settingUpInstance",
        "failedInstanceCreation",
        "failedStartingGUISession",
    }
)
#: The operations that start a transition.
_SCRIPTED = ("StartGUISession", "StopGUISession", "StartInstance", "StopInstance")


class LightsailSimulator:
    """The simulated Lightsail, and the handles by which a test sets it up.

    Args:
        world: Its surroundings.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._computers: Shelf[Computer] = Shelf(world.stale_reads)
        self._operations = OperationLog(world)
        self._scripts: dict[tuple[str, str], Script] = {}
        self._addresses = 0
        self.handlers: Mapping[str, Callable[[Parameters], Mapping[str, Value]]] = {
            "CreateGUISessionAccessDetails": self._create_gui_session_access_details,
            "StartGUISession": self._start_gui_session,
            "StopGUISession": self._stop_gui_session,
            "GetOperation": self._get_operation,
            "GetOperations": self._get_operations,
            "GetOperationsForResource": self._get_operations_for_resource,
            "GetInstanceState": self._get_instance_state,
            "GetInstance": self._get_instance,
            "GetInstances": self._get_instances,
            "StartInstance": self._start_instance,
            "StopInstance": self._stop_instance,
        }

    # --- The handles of a test ---

    @guarded
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
            state: The state of the instance. ``pending`` and ``stopping`` go on by themselves.
            status: The status of the GUI session. ``settingUpInstance``, ``starting``,
                ``stopping`` and ``started`` go on by themselves. A computer that is not running
                and was not told otherwise is ``stopped``.
            tags: Its tags.
            blueprint_id: The blueprint.
            blueprint_name: The name of the application, which is also that of its session.
            bundle_id: The bundle.

        Raises:
            ValueError: There is one of that name, no request could name it so, or the state is not
                one of an instance.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"name must match {_NAME.pattern}, as in requests; not {name!r}")
        if name in self._computers:
            raise ValueError(f"There is an instance {name!r} already")
        if state not in STATE_CODES:
            raise ValueError(f"state must be one of {', '.join(STATE_CODES)}; not {state!r}")
        now = self._world.clock.now()
        if state != "running" and status == "notStarted":
            status = "stopped"
        computer = Computer(
            number=len(self._computers),
            name=name,
            created=now,
            power=self._power_from(state, now),
            gui=self._gui_from(status, now),
            tokens=(dcv_token(), dcv_token()),
            address=self._next_address(),
            tags=dict(tags or {}),
            blueprint_id=blueprint_id,
            blueprint_name=blueprint_name,
            bundle_id=bundle_id,
        )
        self._computers.force(name, computer)

    @property
    @guarded
    def instances(self) -> dict[str, InstanceView]:
        """The computers by name, oldest first, each as it is now."""
        now = self._world.clock.now()
        return {computer.name: computer.view(now) for computer in self._computers.all()}

    @guarded
    def script(self, name: str, operation: str, *courses: Course) -> None:
        """Say how the next transitions of a computer go.

        Args:
            name: The computer.
            operation: ``StartGUISession``, ``StopGUISession``, ``StartInstance`` or
                ``StopInstance``.
            *courses: How they go, one after the other; those that follow go as usual.

        Raises:
            KeyError: There is no such computer.
            ValueError: The operation starts no transition.

        Example:
            >>> slow = Course(seconds=40, percentages=(5, 20, 80))
            >>> sim.lightsail.script("my-computer", "StartGUISession", slow)
        """
        script = self._script(name, operation)
        for course in courses:
            script.add(course)

    @guarded
    def fail_start(
        self,
        name: str,
        *,
        reason: str = "The GUI session could not be started",
        code: str = "GUISessionStartFailed",
        times: int | None = 1,
    ) -> None:
        """Let the next GUI starts end in ``failedStartingGUISession``.

        Args:
            name: The computer.
            reason: The ``failureReason``, also the ``errorDetails`` of the operation.
            code: The ``errorCode`` of the operation.
            times: How many starts; None for all that follow.

        Raises:
            KeyError: There is no such computer.
        """
        course = Course(ends="failedStartingGUISession", code=code, message=reason, times=times)
        self._script(name, "StartGUISession").add(course)

    @guarded
    def fail_stop(
        self,
        name: str,
        *,
        reason: str = "The GUI session could not be stopped",
        code: str = "GUISessionStopFailed",
        times: int | None = 1,
    ) -> None:
        """Let the next GUI stops end in ``failedStoppingGUISession``.

        Args:
            name: The computer.
            reason: The ``failureReason``, also the ``errorDetails`` of the operation.
            code: The ``errorCode`` of the operation.
            times: How many stops; None for all that follow.

        Raises:
            KeyError: There is no such computer.
        """
        course = Course(ends="failedStoppingGUISession", code=code, message=reason, times=times)
        self._script(name, "StopGUISession").add(course)

    @guarded
    def set_status(self, name: str, status: str, *, failure_reason: str | None = None) -> None:
        """Force the status of a GUI session. It stays until a start or stop moves it.

        Args:
            name: The computer.
            status: Any status, also one that no model knows.
            failure_reason: The ``failureReason`` that goes with it.

        Raises:
            KeyError: There is no such computer.
        """
        phase = Phase(state=status, begins=self._world.clock.now(), message=failure_reason)
        self._computers.force(name, attrs.evolve(self._known(name), gui=Timeline((phase,))))

    @guarded
    def hold(self, name: str) -> None:
        """Let transitions get stuck: those that go on, and those that requests begin from now on.

        What is stuck remains so until a request or `set_status` moves it.

        Args:
            name: The computer.

        Raises:
            KeyError: There is no such computer.
        """
        now, computer = self._world.clock.now(), self._known(name)
        for identifier in computer.operations.values():
            self._operations.hold(identifier)
        held = attrs.evolve(
            computer,
            held=True,
            power=computer.power.stuck(now, POWER_TRANSITIONS),
            gui=computer.gui.stuck(now, GUI_TRANSITIONS),
        )
        self._computers.amend(name, held)

    @guarded
    def release(self, name: str) -> None:
        """Let the transitions that requests begin from now on end again.

        Args:
            name: The computer.

        Raises:
            KeyError: There is no such computer.
        """
        self._computers.amend(name, attrs.evolve(self._known(name), held=False))

    @guarded
    def desktops(self) -> list[Desktop]:
        """List the desktops that can be opened now.

        Returns:
            Two for each computer whose GUI session is started.
        """
        now = self._world.clock.now()
        return [each for computer in self._computers.all() for each in computer.desktops(now)]

    # --- The operations of the API ---

    def _create_gui_session_access_details(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._seen(parameters.text("resourceName"))
        view, world = computer.view(now), self._world
        sessions = [describe_session(computer, each, world) for each in computer.desktops(now)]
        return {
            "resourceName": computer.name,
            "status": view.status,
            "percentageComplete": view.percentage_complete,
            "failureReason": view.failure_reason,
            "sessions": sessions or None,
        }

    def _start_gui_session(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._true(parameters.text("resourceName"))
        if computer.power.at(now).state != "running":
            raise WireError(_INVALID, f"The instance {computer.name} is not running")
        status = computer.gui.at(now).state
        if status in {"starting", "started"}:
            return self._unchanged(computer, "StartGUISession", computer.gui, goal="started")
        if status in _REFUSE_START:
            raise WireError(_INVALID, f"A GUI session cannot be started while it is {status}")
        course = self._script(computer.name, "StartGUISession").take()
        gui = self._gui_from("starting", now, course, held=computer.held)
        started = attrs.evolve(computer, gui=gui, tokens=(dcv_token(), dcv_token()))
        return self._changed(computer, started, "StartGUISession", gui, goal="started")

    def _stop_gui_session(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._true(parameters.text("resourceName"))
        status = computer.gui.at(now).state
        if status == "stopping":
            return self._unchanged(computer, "StopGUISession", computer.gui, goal="stopped")
        if status in _REFUSE_STOP:
            raise WireError(_INVALID, f"There is no GUI session to stop: it is {status}")
        self._operations.cut_short(
            computer.operations.get("StartGUISession", ""), by="StopGUISession"
        )
        course = self._script(computer.name, "StopGUISession").take()
        gui = self._gui_from("stopping", now, course, held=computer.held)
        stopped = attrs.evolve(computer, gui=gui)
        return self._changed(computer, stopped, "StopGUISession", gui, goal="stopped")

    def _start_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._true(parameters.text("instanceName"))
        state = computer.power.at(now).state
        if state in {"pending", "running"}:
            return self._unchanged(computer, "StartInstance", computer.power, goal="running")
        if state != "stopped":
            raise WireError(_INVALID, f"The instance cannot be started while it is {state}")
        course = self._script(computer.name, "StartInstance").take()
        power = self._power_from("pending", now, course, held=computer.held)
        started = attrs.evolve(computer, power=power, address=self._next_address())
        return self._changed(computer, started, "StartInstance", power, goal="running")

    def _stop_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._true(parameters.text("instanceName"))
        state = computer.power.at(now).state
        if state in {"stopping", "stopped"}:
            return self._unchanged(computer, "StopInstance", computer.power, goal="stopped")
        if state not in {"pending", "running"}:
            raise WireError(_INVALID, f"The instance cannot be stopped while it is {state}")
        for cut_short in ("StartInstance", "StartGUISession", "StopGUISession"):
            self._operations.cut_short(computer.operations.get(cut_short, ""), by="StopInstance")
        course = self._script(computer.name, "StopInstance").take()
        power = self._power_from("stopping", now, course, held=computer.held)
        closed = Timeline((Phase(state="stopped", begins=now),))
        stopped = attrs.evolve(computer, power=power, gui=closed)
        return self._changed(computer, stopped, "StopInstance", power, goal="stopped")

    def _get_operation(self, parameters: Parameters) -> Mapping[str, Value]:
        operation = self._operations.get(parameters.text("operationId"))
        if operation is None:
            raise WireError("NotFoundException", "The operation does not exist")
        return {"operation": self._describe(operation)}

    def _get_operations(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._operation_page(self._operations.all(), parameters)

    def _get_operations_for_resource(self, parameters: Parameters) -> Mapping[str, Value]:
        name = self._seen(parameters.text("resourceName")).name
        operations = [each for each in self._operations.all() if each.resource_name == name]
        return self._operation_page(operations, parameters)

    def _operation_page(
        self, operations: list[OperationRecord], parameters: Parameters
    ) -> Mapping[str, Value]:
        token = parameters.optional_text("pageToken")
        found, following = page(operations, token, self._world.page_size, _INVALID)
        return {
            "operations": [self._describe(operation) for operation in found],
            "nextPageToken": following,
        }

    def _get_instance_state(self, parameters: Parameters) -> Mapping[str, Value]:
        computer = self._seen(parameters.text("instanceName"))
        return {"state": describe_state(computer, self._world.clock.now())}

    def _get_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        computer = self._seen(parameters.text("instanceName"))
        return {"instance": describe_instance(computer, self._world.clock.now(), self._world)}

    def _get_instances(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computers = self._computers.all_seen(now)
        token = parameters.optional_text("pageToken")
        found, following = page(computers, token, self._world.page_size, _INVALID)
        return {
            "instances": [describe_instance(each, now, self._world) for each in found],
            "nextPageToken": following,
        }

    # --- Looking up ---

    def _known(self, name: str) -> Computer:
        computer = self._computers.get(name)
        if computer is None:
            raise KeyError(f"There is no instance {name!r} in the simulator")
        return computer

    def _true(self, name: str) -> Computer:
        return _found(self._computers.get(name), name)

    def _seen(self, name: str) -> Computer:
        return _found(self._computers.seen(name, self._world.clock.now()), name)

    def _script(self, name: str, operation: str) -> Script:
        self._known(name)
        if operation not in _SCRIPTED:
            raise ValueError(f"operation must be one of {', '.join(_SCRIPTED)}; not {operation!r}")
        return self._scripts.setdefault((name, operation), Script())

    def _next_address(self) -> int:
        self._addresses += 1
        return self._addresses

    # --- Writing timelines ---

    def _gui_from(
        self, status: str, now: float, course: Course = AS_USUAL, *, held: bool = False
    ) -> Timeline:
        phases: tuple[Phase, ...] = (Phase(state=status, begins=now),)
        if status in GUI_TRANSITIONS:
            name, goal = GUI_TRANSITIONS[status]
            seconds = math.inf if held else self._world.seconds(name)
            phases = transition(status, goal, now=now, seconds=seconds, course=course)
        if phases[-1].state != "started":
            return Timeline(phases)
        lifetime = course.expires_after
        if lifetime is None:
            lifetime = self._world.timings.gui_session_lifetime
        return Timeline((*phases, Phase(state="startExpired", begins=phases[-1].begins + lifetime)))

    def _power_from(
        self, state: str, now: float, course: Course = AS_USUAL, *, held: bool = False
    ) -> Timeline:
        if state not in POWER_TRANSITIONS:
            return Timeline((Phase(state=state, begins=now),))
        name, goal = POWER_TRANSITIONS[state]
        seconds = math.inf if held else self._world.seconds(name)
        return Timeline(transition(state, goal, now=now, seconds=seconds, course=course))

    # --- Recording operations ---

    def _changed(
        self, before: Computer, after: Computer, operation: str, plan: Timeline, *, goal: str
    ) -> Mapping[str, Value]:
        now = self._world.clock.now()
        record = self._operations.follow(operation, after.name, plan, goal)
        after = attrs.evolve(after, operations={**after.operations, operation: record.id})
        self._computers.write(after.name, after, before.pinned(now), now)
        return {"operations": [self._describe(record)]}

    def _unchanged(
        self, computer: Computer, operation: str, timeline: Timeline, *, goal: str
    ) -> Mapping[str, Value]:
        record = self._operations.get(computer.operations.get(operation, ""))
        if record is None:  # it was set up so, and no operation led there
            now = self._world.clock.now()
            is_there = timeline.at(now).state == goal
            ends = now if is_there else timeline.ends(now)
            record = self._operations.add(operation, computer.name, ends)
        return {"operations": [self._describe(record)]}

    def _describe(self, operation: OperationRecord) -> Mapping[str, Value]:
        return describe_operation(operation, self._world.clock.now(), self._world)


def _found(computer: Computer | None, name: str) -> Computer:
    if computer is None:
        raise WireError("NotFoundException", f"The Instance does not exist: {name}")
    return computer
