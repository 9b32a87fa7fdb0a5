"""The operations of Lightsail's API on virtual computers and their GUI sessions.

AWS documents, and the simulator does: a GUI session is active for one hour and then has to be
resumed; stopping it closes it; there are two URLs, of which the primary leads to the application
and the other to the operating system; a stopped instance gets a new public IP address when it is
started; operations are listed from oldest to newest; the names of the ten GUI statuses.

Assumed, because AWS documents the statuses as bare names:

- `StartGUISession` is accepted from every status but `stopping`, `settingUpInstance` and
  `failedInstanceCreation`. While a session is starting or started, it changes nothing and returns
  the operation of that start.
- `StopGUISession` is accepted from `starting`, `started`, `failedStoppingGUISession` and unknown
  statuses. While a session is stopping, it changes nothing and returns the operation of that
  stop. Stopping a session that is starting makes the operation of the start fail.
- On an instance that is not running, the status is `stopped`, and a start is refused with
  `InvalidInputException`. Stopping the instance ends the GUI session at once.
- Starting a running instance, and stopping a stopped one, change nothing and return an operation
  that has succeeded.
- `StopInstance` with `force` on an instance that is stopping begins the stop again. No plan and no
  `hold` of a test makes this stop longer. AWS documents that `force` is for a stuck instance.
- A reboot is accepted from `running` only. The instance is `pending` until it runs again, keeps its
  public IP address, and its GUI session ends at once.
- `percentageComplete` is returned during a transition, and is 100 for `started`.
- Both URLs stay the same from one start to the next.
"""

from collections.abc import Mapping

from attrs import evolve

from dcvsessions.simulator._desktop_page import new_token
from dcvsessions.simulator._lightsail.account import LightsailAccount
from dcvsessions.simulator._lightsail.describe import (
    describe_instance,
    describe_operation,
    describe_session,
    describe_state,
)
from dcvsessions.simulator._lightsail.resources import Instance, OperationRecord
from dcvsessions.simulator._pages import page
from dcvsessions.simulator._protocol.wire import Handler, Parameters, Value, WireError
from dcvsessions.simulator._time.timeline import Phase, Timeline

__all__ = ["LightsailOperations"]

_INVALID = "InvalidInputException"
_NOT_STARTABLE = frozenset({"stopping", "settingUpInstance", "failedInstanceCreation"})
_NOT_STOPPABLE = frozenset(
    {
        "notStarted",
        "stopped",
        "startExpired",
        "settingUpInstance",
        "failedInstanceCreation",
        "failedStartingGUISession",
    }
)


class LightsailOperations:
    """Carries out the operations of the API. The caller holds the environment's lock."""

    def __init__(self, account: LightsailAccount) -> None:
        self._account = account
        self._environment = account.environment
        self.handlers: Mapping[str, Handler] = {
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
            "RebootInstance": self._reboot_instance,
        }

    # --- GUI sessions ---

    def _create_gui_session_access_details(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._environment.clock.now()
        instance = self._visible(parameters.text("resourceName"))
        view, desktops = instance.view(now), instance.desktops(now)
        sessions = [describe_session(instance, each, self._environment) for each in desktops]
        return {
            "resourceName": instance.name,
            "status": view.status,
            "percentageComplete": view.percentage_complete,
            "failureReason": view.failure_reason,
            "sessions": sessions or None,
        }

    def _start_gui_session(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._environment.clock.now()
        instance = self._current(parameters.text("resourceName"))
        if instance.power.at(now).state != "running":
            raise WireError(_INVALID, f"The instance {instance.name} is not running")
        status = instance.gui.at(now).state
        if status in {"starting", "started"}:
            return self._repeated(instance, "StartGUISession", instance.gui, goal="started")
        if status in _NOT_STARTABLE:
            raise WireError(_INVALID, f"A GUI session cannot be started while it is {status}")
        plan = self._account.plans(instance.name, "StartGUISession").take()
        gui = self._account.gui_timeline("starting", plan, is_held=instance.is_held)
        started = evolve(instance, gui=gui, tokens=(new_token(), new_token()))
        return self._changed(instance, started, "StartGUISession", gui, goal="started")

    def _stop_gui_session(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._environment.clock.now()
        instance = self._current(parameters.text("resourceName"))
        status = instance.gui.at(now).state
        if status == "stopping":
            return self._repeated(instance, "StopGUISession", instance.gui, goal="stopped")
        if status in _NOT_STOPPABLE:
            raise WireError(_INVALID, f"There is no GUI session to stop: it is {status}")
        self._cancel(instance, "StartGUISession", cancelled_by="StopGUISession")
        plan = self._account.plans(instance.name, "StopGUISession").take()
        gui = self._account.gui_timeline("stopping", plan, is_held=instance.is_held)
        stopped = evolve(instance, gui=gui)
        return self._changed(instance, stopped, "StopGUISession", gui, goal="stopped")

    # --- Instances ---

    def _start_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._environment.clock.now()
        instance = self._current(parameters.text("instanceName"))
        state = instance.power.at(now).state
        if state in {"pending", "running"}:
            return self._repeated(instance, "StartInstance", instance.power, goal="running")
        if state != "stopped":
            raise WireError(_INVALID, f"The instance cannot be started while it is {state}")
        plan = self._account.plans(instance.name, "StartInstance").take()
        power = self._account.power_timeline("pending", plan, is_held=instance.is_held)
        started = evolve(instance, power=power, address=self._account.next_address())
        return self._changed(instance, started, "StartInstance", power, goal="running")

    def _stop_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._environment.clock.now()
        instance = self._current(parameters.text("instanceName"))
        state = instance.power.at(now).state
        is_freed = state == "stopping" and parameters.get("force") is True
        if state in {"stopping", "stopped"} and not is_freed:
            return self._repeated(instance, "StopInstance", instance.power, goal="stopped")
        if state not in {"pending", "running", "stopping"}:
            raise WireError(_INVALID, f"The instance cannot be stopped while it is {state}")
        for operation in (
            "StartInstance",
            "StopInstance",
            "RebootInstance",
            "StartGUISession",
            "StopGUISession",
        ):
            self._cancel(instance, operation, cancelled_by="StopInstance")
        if is_freed:
            power = self._account.power_timeline("stopping")
        else:
            plan = self._account.plans(instance.name, "StopInstance").take()
            power = self._account.power_timeline("stopping", plan, is_held=instance.is_held)
        closed = Timeline((Phase(state="stopped", begins=now),))
        stopped = evolve(instance, power=power, gui=closed)
        return self._changed(instance, stopped, "StopInstance", power, goal="stopped")

    def _reboot_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        now = self._environment.clock.now()
        instance = self._current(parameters.text("instanceName"))
        state = instance.power.at(now).state
        if state != "running":
            raise WireError(_INVALID, f"The instance cannot be rebooted while it is {state}")
        for operation in ("StartGUISession", "StopGUISession"):
            self._cancel(instance, operation, cancelled_by="RebootInstance")
        plan = self._account.plans(instance.name, "RebootInstance").take()
        power = self._account.power_timeline("pending", plan, is_held=instance.is_held)
        closed = Timeline((Phase(state="stopped", begins=now),))
        rebooted = evolve(instance, power=power, gui=closed)
        return self._changed(instance, rebooted, "RebootInstance", power, goal="running")

    def _get_instance_state(self, parameters: Parameters) -> Mapping[str, Value]:
        instance = self._visible(parameters.text("instanceName"))
        return {"state": describe_state(instance, self._environment.clock.now())}

    def _get_instance(self, parameters: Parameters) -> Mapping[str, Value]:
        return {"instance": self._describe(self._visible(parameters.text("instanceName")))}

    def _get_instances(self, parameters: Parameters) -> Mapping[str, Value]:
        instances = self._account.instances.all_visible(self._environment.clock.now())
        token = parameters.optional_text("pageToken")
        found, next_token = page(instances, token, self._environment.page_size, _INVALID)
        return {
            "instances": [self._describe(instance) for instance in found],
            "nextPageToken": next_token,
        }

    # --- Operations ---

    def _get_operation(self, parameters: Parameters) -> Mapping[str, Value]:
        operation = self._account.operations.get(parameters.text("operationId"))
        if operation is None:
            raise WireError("NotFoundException", "The operation does not exist")
        return {"operation": self._describe_operation(operation)}

    def _get_operations(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._operation_page(self._account.operations.all(), parameters)

    def _get_operations_for_resource(self, parameters: Parameters) -> Mapping[str, Value]:
        name = self._visible(parameters.text("resourceName")).name
        operations = [each for each in self._account.operations.all() if each.resource_name == name]
        return self._operation_page(operations, parameters)

    def _operation_page(
        self, operations: list[OperationRecord], parameters: Parameters
    ) -> Mapping[str, Value]:
        token = parameters.optional_text("pageToken")
        found, next_token = page(operations, token, self._environment.page_size, _INVALID)
        return {
            "operations": [self._describe_operation(operation) for operation in found],
            "nextPageToken": next_token,
        }

    # --- Used by all of them ---

    def _current(self, name: str) -> Instance:
        return _found(self._account.instances.current(name), name)

    def _visible(self, name: str) -> Instance:
        return _found(self._account.instances.visible(name, self._environment.clock.now()), name)

    def _changed(
        self, before: Instance, after: Instance, operation: str, timeline: Timeline, *, goal: str
    ) -> Mapping[str, Value]:
        """Store a change, and return the operation that made it."""
        now = self._environment.clock.now()
        record = self._account.operations.add_for_transition(operation, after.name, timeline, goal)
        after = evolve(after, operations={**after.operations, operation: record.id})
        self._account.instances.write(after.name, after, before.frozen_at(now), now)
        return {"operations": [self._describe_operation(record)]}

    def _repeated(
        self, instance: Instance, operation: str, timeline: Timeline, *, goal: str
    ) -> Mapping[str, Value]:
        """Return the earlier operation that made the change that is requested again."""
        record = self._account.operations.get(instance.operations.get(operation, ""))
        if record is None:  # a test set the instance up in this state
            now = self._environment.clock.now()
            is_reached = timeline.at(now).state == goal
            ends = now if is_reached else timeline.ends(now)
            record = self._account.operations.add(operation, instance.name, ends)
        return {"operations": [self._describe_operation(record)]}

    def _cancel(self, instance: Instance, operation: str, *, cancelled_by: str) -> None:
        operation_id = instance.operations.get(operation, "")
        self._account.operations.cancel(operation_id, cancelled_by=cancelled_by)

    def _describe(self, instance: Instance) -> Mapping[str, Value]:
        return describe_instance(instance, self._environment.clock.now(), self._environment)

    def _describe_operation(self, operation: OperationRecord) -> Mapping[str, Value]:
        return describe_operation(operation, self._environment.clock.now(), self._environment)


def _found(instance: Instance | None, name: str) -> Instance:
    if instance is None:
        raise WireError("NotFoundException", f"The Instance does not exist: {name}")
    return instance
