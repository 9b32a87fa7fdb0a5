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

import collections
import math
from typing import TYPE_CHECKING

import attrs

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
from dcvsessions.simulator.world import ACCOUNT_ID, Desktop, dcv_token, guarded, page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dcvsessions.simulator.timings import Transition
    from dcvsessions.simulator.wire import Parameters, Value
    from dcvsessions.simulator.world import World

#: The codes of instance states, as documented for EC2.
STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}

_INVALID = "InvalidInputException"
_OPERATIONS_KEPT = 1000
_SESSION_IDS = {True: "application", False: "operating-system"}

#: What is in progress in a state, and where it leads.
_GUI_TRANSITIONS: dict[str, tuple[Transition, str]] = {
    "settingUpInstance": ("instance_setup", "notStarted"),
    "starting": ("gui_start", "started"),
    "stopping": ("gui_stop", "stopped"),
}
_POWER_TRANSITIONS: dict[str, tuple[Transition, str]] = {
    "pending": ("instance_start", "running"),
    "stopping": ("instance_stop", "stopped"),
}
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
SCRIPTED = ("StartGUISession", "StopGUISession", "StartInstance", "StopInstance")


@attrs.frozen(kw_only=True)
class OperationRecord:
    """An operation: what was asked of a computer, and what became of it.

    Args:
        number: Its place in the order of creation.
        id: Its id.
        type: The operation type, such as ``StartGUISession``.
        resource_name: The computer.
        created: The instant of the request.
        begins: Until this instant it is ``NotStarted``.
        ends: From this instant on it is terminal.
        error_code: The error code if it fails; None if it succeeds.
        error_details: The details of the error.
    """

    number: int
    id: str
    type: str
    resource_name: str
    created: float
    begins: float
    ends: float
    error_code: str | None = None
    error_details: str | None = None

    def status(self, now: float) -> tuple[str, float]:
        """Tell the status.

        Args:
            now: The instant.

        Returns:
            The status, and since when it has been that.
        """
        if now >= self.ends:
            return ("Failed" if self.error_code else "Succeeded"), self.ends
        return ("Started", self.begins) if now >= self.begins else ("NotStarted", self.created)


@attrs.frozen(kw_only=True)
class Computer:
    """A virtual computer.

    Args:
        number: Its place in the order of creation.
        name: Its name.
        created: The instant of its creation.
        power: The states of the instance.
        gui: The statuses of the GUI session.
        tokens: The secrets of the two URLs, of the application and of the operating system.
        address: The last part of its public IP address.
        tags: Its tags.
        blueprint_id: The blueprint.
        blueprint_name: The name of the application.
        bundle_id: The bundle.
        held: Whether its transitions never end.
        operations: The id of the latest operation of each type.
    """

    number: int
    name: str
    created: float
    power: Timeline
    gui: Timeline
    tokens: tuple[str, str] = attrs.field(repr=False)
    address: int
    tags: Mapping[str, str]
    blueprint_id: str
    blueprint_name: str
    bundle_id: str
    held: bool = False
    operations: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def pinned(self, now: float) -> Computer:
        """Stop the time of this computer.

        Args:
            now: The instant at which it stops.

        Returns:
            The computer as it is then, for ever.
        """
        return attrs.evolve(self, power=self.power.pinned(now), gui=self.gui.pinned(now))


@attrs.frozen(kw_only=True)
class InstanceView:
    """What a test can assert of a computer: a snapshot.

    Args:
        name: Its name.
        state: The state of the instance, such as ``running``.
        status: The status of the GUI session, such as ``started``.
        percentage_complete: How far a transition of the GUI session has come.
        failure_reason: Why it failed.
        public_ip_address: The address; None unless the instance is pending or running.
        tags: Its tags.
    """

    name: str
    state: str
    status: str
    percentage_complete: int | None
    failure_reason: str | None
    public_ip_address: str | None
    tags: Mapping[str, str]


class LightsailSimulator:
    """The simulated Lightsail, and the handles by which a test sets it up.

    Args:
        world: Its surroundings.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._computers: Shelf[Computer] = Shelf(world.stale_reads)
        self._operations: collections.OrderedDict[str, OperationRecord] = collections.OrderedDict()
        self._scripts: dict[tuple[str, str], Script] = {}
        self._addresses = 0
        self._operation_count = 0
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

    @property
    def world(self) -> World:
        """The surroundings."""
        return self._world

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
            ValueError: There is one of that name, or the state is not one of an instance.
        """
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
    def instances(self) -> dict[str, InstanceView]:
        """The computers by name, oldest first, each as it is now."""
        return self._views()

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
        for course in courses:
            self._script(name, operation).add(course)

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
        """Let transitions get stuck: the one that goes on, and all that follow until `release`.

        Args:
            name: The computer.

        Raises:
            KeyError: There is no such computer.
        """
        now, computer = self._world.clock.now(), self._known(name)
        power, gui = computer.power, computer.gui
        computer = attrs.evolve(
            computer,
            held=True,
            power=power.pinned(now) if power.at(now).state in _POWER_TRANSITIONS else power,
            gui=gui.pinned(now) if gui.at(now).state in _GUI_TRANSITIONS else gui,
        )
        for identifier in computer.operations.values():
            self._end_operation(identifier, math.inf)
        self._computers.force(name, computer)

    @guarded
    def release(self, name: str) -> None:
        """Let the transitions that begin from now on end again.

        Args:
            name: The computer.

        Raises:
            KeyError: There is no such computer.
        """
        self._computers.force(name, attrs.evolve(self._known(name), held=False))

    @guarded
    def desktops(self) -> list[Desktop]:
        """List the desktops that can be opened now.

        Returns:
            Two for each computer whose GUI session is started.
        """
        now = self._world.clock.now()
        usable = (each for each in self._computers.all() if _is_usable(each, now))
        return [desktop for computer in usable for desktop in _desktops(computer)]

    @guarded
    def _views(self) -> dict[str, InstanceView]:
        now = self._world.clock.now()
        return {computer.name: _view(computer, now) for computer in self._computers.all()}

    # --- The operations of the API ---

    def _create_gui_session_access_details(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._seen(parameters.text("resourceName"))
        view = _view(computer, now)
        desktops = _desktops(computer) if _is_usable(computer, now) else iter(())
        return {
            "resourceName": computer.name,
            "status": view.status,
            "percentageComplete": view.percentage_complete,
            "failureReason": view.failure_reason,
            "sessions": [self._session(computer, desktop) for desktop in desktops] or None,
        }

    def _session(self, computer: Computer, desktop: Desktop) -> Mapping[str, Value]:
        is_primary = desktop.session_id == _SESSION_IDS[True]
        return {
            "name": computer.blueprint_name if is_primary else "Operating system",
            "url": self._world.desktop_url(desktop.token, desktop.session_id),
            "isPrimary": is_primary,
        }

    def _start_gui_session(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._true(parameters.text("resourceName"))
        if computer.power.at(now).state != "running":
            raise WireError(_INVALID, f"The instance {computer.name} is not running")
        status = computer.gui.at(now).state
        if status in {"starting", "started"}:
            return self._unchanged(computer, "StartGUISession", ends=computer.gui.ends(now))
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
            return self._unchanged(computer, "StopGUISession", ends=computer.gui.ends(now))
        if status in _REFUSE_STOP:
            raise WireError(_INVALID, f"There is no GUI session to stop: it is {status}")
        self._cut_short(computer, "StartGUISession", by="StopGUISession")
        course = self._script(computer.name, "StopGUISession").take()
        gui = self._gui_from("stopping", now, course, held=computer.held)
        stopped = attrs.evolve(computer, gui=gui)
        return self._changed(computer, stopped, "StopGUISession", gui, goal="stopped")

    def _start_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._world.clock.now()
        computer = self._true(parameters.text("instanceName"))
        state = computer.power.at(now).state
        if state in {"pending", "running"}:
            return self._unchanged(computer, "StartInstance", ends=computer.power.ends(now))
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
            return self._unchanged(computer, "StopInstance", ends=computer.power.ends(now))
        if state not in {"pending", "running"}:
            raise WireError(_INVALID, f"The instance cannot be stopped while it is {state}")
        for cut_short in ("StartInstance", "StartGUISession", "StopGUISession"):
            self._cut_short(computer, cut_short, by="StopInstance")
        course = self._script(computer.name, "StopInstance").take()
        power = self._power_from("stopping", now, course, held=computer.held)
        closed = Timeline((Phase(state="stopped", begins=now),))
        stopped = attrs.evolve(computer, power=power, gui=closed)
        return self._changed(computer, stopped, "StopInstance", power, goal="stopped")

    def _get_operation(self, parameters: Parameters) -> Mapping[str, Value]:
        operation = self._operations.get(parameters.text("operationId"))
        if operation is None:
            raise WireError("NotFoundException", "The operation does not exist")
        return {"operation": self._write_operation(operation)}

    def _get_operations(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._operation_page(list(self._operations.values()), parameters)

    def _get_operations_for_resource(self, parameters: Parameters) -> Mapping[str, Value]:
        name = self._seen(parameters.text("resourceName")).name
        operations = [each for each in self._operations.values() if each.resource_name == name]
        return self._operation_page(operations, parameters)

    def _operation_page(
        self, operations: list[OperationRecord], parameters: Parameters
    ) -> Mapping[str, Value]:
        token = parameters.optional_text("pageToken")
        found, following = page(operations, token, self._world.page_size, _INVALID)
        return {
            "operations": [self._write_operation(operation) for operation in found],
            "nextPageToken": following,
        }

    def _get_instance_state(self, parameters: Parameters) -> Mapping[str, Value]:
        computer = self._seen(parameters.text("instanceName"))
        return {"state": _write_state(computer, self._world.clock.now())}

    def _get_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        return {"instance": self._write_instance(self._seen(parameters.text("instanceName")))}

    def _get_instances(self, parameters: Parameters) -> Mapping[str, Value]:
        computers = self._computers.all_seen(self._world.clock.now())
        token = parameters.optional_text("pageToken")
        found, following = page(computers, token, self._world.page_size, _INVALID)
        return {
            "instances": [self._write_instance(computer) for computer in found],
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
        if operation not in SCRIPTED:
            raise ValueError(f"operation must be one of {', '.join(SCRIPTED)}; not {operation!r}")
        return self._scripts.setdefault((name, operation), Script())

    def _next_address(self) -> int:
        self._addresses += 1
        return self._addresses

    # --- Writing timelines ---

    def _gui_from(
        self, status: str, now: float, course: Course = AS_USUAL, *, held: bool = False
    ) -> Timeline:
        phases: tuple[Phase, ...] = (Phase(state=status, begins=now),)
        if status in _GUI_TRANSITIONS:
            name, goal = _GUI_TRANSITIONS[status]
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
        if state not in _POWER_TRANSITIONS:
            return Timeline((Phase(state=state, begins=now),))
        name, goal = _POWER_TRANSITIONS[state]
        seconds = math.inf if held else self._world.seconds(name)
        return Timeline(transition(state, goal, now=now, seconds=seconds, course=course))

    # --- Recording operations ---

    def _changed(
        self, before: Computer, after: Computer, operation: str, plan: Timeline, *, goal: str
    ) -> Mapping[str, Value]:
        now = self._world.clock.now()
        record = self._record(operation, after.name, plan, goal)
        after = attrs.evolve(after, operations={**after.operations, operation: record.id})
        self._computers.write(after.name, after, before.pinned(now), now)
        return {"operations": [self._write_operation(record)]}

    def _unchanged(self, computer: Computer, operation: str, ends: float) -> Mapping[str, Value]:
        record = self._operations.get(computer.operations.get(operation, ""))
        if record is None:  # what goes on, or is over, was not begun by an operation
            now = self._world.clock.now()
            states = _GUI_TRANSITIONS if operation.endswith("GUISession") else _POWER_TRANSITIONS
            timeline = computer.gui if operation.endswith("GUISession") else computer.power
            over = timeline.at(now).state not in states
            record = self._add_operation(operation, computer.name, now if over else ends)
        return {"operations": [self._write_operation(record)]}

    def _record(self, operation: str, name: str, plan: Timeline, goal: str) -> OperationRecord:
        if len(plan.phases) == 1:  # it never ends
            return self._add_operation(operation, name, math.inf)
        end = plan.phases[1]
        if end.state == goal:
            return self._add_operation(operation, name, end.begins)
        return self._add_operation(
            operation,
            name,
            end.begins,
            error_code=end.code or "OperationFailed",
            error_details=end.message,
        )

    def _add_operation(
        self,
        operation: str,
        name: str,
        ends: float,
        *,
        error_code: str | None = None,
        error_details: str | None = None,
    ) -> OperationRecord:
        now = self._world.clock.now()
        self._operation_count += 1
        record = OperationRecord(
            number=self._operation_count,
            id=self._world.uuid(),
            type=operation,
            resource_name=name,
            created=now,
            begins=min(now + self._world.seconds("operation_queue"), ends),
            ends=ends,
            error_code=error_code,
            error_details=error_details,
        )
        self._operations[record.id] = record
        while len(self._operations) > _OPERATIONS_KEPT:
            self._operations.popitem(last=False)
        return record

    def _cut_short(self, computer: Computer, operation: str, *, by: str) -> None:
        identifier = computer.operations.get(operation, "")
        self._end_operation(identifier, self._world.clock.now(), f"Cut short by {by}")

    def _end_operation(self, identifier: str, ends: float, reason: str | None = None) -> None:
        record = self._operations.get(identifier)
        if record is None or self._world.clock.now() >= record.ends:
            return
        self._operations[identifier] = attrs.evolve(
            record,
            ends=ends,
            error_code="OperationCancelled" if reason else None,
            error_details=reason,
        )

    # --- Writing answers ---

    def _location(self) -> Mapping[str, Value]:
        region = self._world.region_name
        return {"availabilityZone": f"{region}a", "regionName": region}

    def _write_operation(self, operation: OperationRecord) -> Mapping[str, Value]:
        now, wall = self._world.clock.now(), self._world.clock.wall
        status, since = operation.status(now)
        failed = status == "Failed"
        return {
            "id": operation.id,
            "resourceName": operation.resource_name,
            "resourceType": "Instance",
            "createdAt": wall(operation.created),
            "location": self._location(),
            "isTerminal": status in {"Failed", "Succeeded"},
            "operationDetails": operation.resource_name,
            "operationType": operation.type,
            "status": status,
            "statusChangedAt": wall(since),
            "errorCode": operation.error_code if failed else None,
            "errorDetails": operation.error_details if failed else None,
        }

    def _write_instance(self, computer: Computer) -> Mapping[str, Value]:
        now, region = self._world.clock.now(), self._world.region_name
        return {
            "name": computer.name,
            "arn": f"arn:aws:lightsail:{region}:{ACCOUNT_ID}:Instance/{computer.name}",
            "supportCode": f"{ACCOUNT_ID}/i-{computer.number:017x}",
            "createdAt": self._world.clock.wall(computer.created),
            "location": self._location(),
            "resourceType": "Instance",
            "tags": [{"key": key, "value": value} for key, value in computer.tags.items()],
            "blueprintId": computer.blueprint_id,
            "blueprintName": computer.blueprint_name,
            "bundleId": computer.bundle_id,
            "isStaticIp": False,
            "privateIpAddress": f"172.26.0.{computer.number % 254 + 1}",
            "publicIpAddress": _view(computer, now).public_ip_address,
            "ipAddressType": "ipv4",
            "state": _write_state(computer, now),
            "username": "ubuntu",
            "sshKeyName": "LightsailDefaultKeyPair",
            **_MACHINE,
        }


#: What the computers have in common. The open ports are documented; the machine is made up.
_MACHINE: Mapping[str, Value] = {
    "hardware": {
        "cpuCount": 4,
        "ramSizeInGb": 8.0,
        "disks": [
            {"path": "/dev/sda1", "sizeInGb": 50, "isSystemDisk": True, "isAttached": True},
        ],
    },
    "networking": {
        "monthlyTransfer": {"gbPerMonthAllocated": 1024},
        "ports": [
            {
                "fromPort": port,
                "toPort": port,
                "protocol": "tcp",
                "accessFrom": "Anywhere (0.0.0.0/0)",
                "accessType": "Public",
                "accessDirection": "inbound",
                "cidrs": ["0.0.0.0/0"],
            }
            for port in (22, 80, 443, 8443)
        ],
    },
    "metadataOptions": {
        "state": "applied",
        "httpTokens": "optional",
        "httpEndpoint": "enabled",
        "httpPutResponseHopLimit": 1,
        "httpProtocolIpv6": "disabled",
    },
}


def _found(computer: Computer | None, name: str) -> Computer:
    if computer is None:
        raise WireError("NotFoundException", f"The Instance does not exist: {name}")
    return computer


def _is_usable(computer: Computer, now: float) -> bool:
    is_running = computer.power.at(now).state == "running"
    return is_running and computer.gui.at(now).state == "started"


def _desktops(computer: Computer) -> Iterator[Desktop]:
    for is_primary, token in zip((True, False), computer.tokens, strict=True):
        title = f"{computer.name}: {computer.blueprint_name if is_primary else 'operating system'}"
        yield Desktop(title=title, session_id=_SESSION_IDS[is_primary], token=token)


def _percentage(gui: Timeline, now: float) -> int | None:
    state = gui.at(now).state
    if state == "started":
        return 100
    return gui.percentage(now) if state in _GUI_TRANSITIONS else None


def _view(computer: Computer, now: float) -> InstanceView:
    state, gui = computer.power.at(now).state, computer.gui.at(now)
    address = f"203.0.113.{computer.address % 254 + 1}"  # TEST-NET-3 of RFC 5737
    return InstanceView(
        name=computer.name,
        state=state,
        status=gui.state,
        percentage_complete=_percentage(computer.gui, now),
        failure_reason=gui.message,
        public_ip_address=address if state in {"pending", "running"} else None,
        tags=computer.tags,
    )


def _write_state(computer: Computer, now: float) -> Mapping[str, Value]:
    state = computer.power.at(now).state
    return {"code": STATE_CODES.get(state), "name": state}
