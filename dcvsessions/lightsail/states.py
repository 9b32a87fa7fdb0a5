"""What to do about a GUI session, in every state of it. Pure: no I/O, no clock.

AWS documents the statuses of a GUI session as bare names: the tables are our reading of them.
"""

from enum import StrEnum
from typing import Literal

from attrs import frozen

from dcvsessions._wait.decisions import (
    Act,
    Decision,
    Done,
    Failed,
    Observation,
    Rule,
    Situation,
    Wait,
)
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import Failure
from dcvsessions.lightsail.models import (
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InstanceState,
    Operation,
    OperationStatus,
)

__all__ = [
    "SESSION_KINDS",
    "SessionKind",
    "Sighting",
    "Step",
    "decide_close",
    "decide_open",
    "needs_instance",
    "observation",
    "operation_failure",
    "wanted_url",
]

SessionKind = Literal["application", "operating_system"]
SESSION_KINDS: tuple[SessionKind, ...] = ("application", "operating_system")


class Step(StrEnum):
    """What a helper may ask Lightsail for."""

    START_INSTANCE = "StartInstance"
    START_SESSION = "StartGUISession"
    STOP_SESSION = "StopGUISession"


_OPEN: dict[GuiSessionStatus, Rule] = {
    GuiSessionStatus.STARTED: Rule.DONE,
    GuiSessionStatus.STARTING: Rule.WAIT,
    GuiSessionStatus.SETTING_UP_INSTANCE: Rule.WAIT,
    GuiSessionStatus.STOPPING: Rule.WAIT,
    GuiSessionStatus.NOT_STARTED: Rule.ACT,
    GuiSessionStatus.STOPPED: Rule.ACT,
    GuiSessionStatus.START_EXPIRED: Rule.ACT,
    GuiSessionStatus.FAILED_STARTING_GUI_SESSION: Rule.ACT_ONCE,
    GuiSessionStatus.FAILED_STOPPING_GUI_SESSION: Rule.ACT_ONCE,
    GuiSessionStatus.FAILED_INSTANCE_CREATION: Rule.FAILED,
}

_CLOSE: dict[GuiSessionStatus, Rule] = {
    GuiSessionStatus.NOT_STARTED: Rule.DONE,
    GuiSessionStatus.STOPPED: Rule.DONE,
    GuiSessionStatus.START_EXPIRED: Rule.DONE,
    GuiSessionStatus.FAILED_STARTING_GUI_SESSION: Rule.DONE,
    GuiSessionStatus.FAILED_INSTANCE_CREATION: Rule.DONE,
    GuiSessionStatus.SETTING_UP_INSTANCE: Rule.DONE,
    GuiSessionStatus.STOPPING: Rule.WAIT,
    GuiSessionStatus.STARTED: Rule.ACT,
    GuiSessionStatus.STARTING: Rule.ACT,
    GuiSessionStatus.FAILED_STOPPING_GUI_SESSION: Rule.ACT_ONCE,
}

# Amazon EC2's names, which Lightsail takes over.
_INSTANCE_GONE = ("shutting-down", "terminated")


@frozen
class Sighting:
    """One reading of a virtual computer.

    Attributes:
        details: Its GUI session.
        instance: Whether it runs; read only where that decides something.
    """

    details: GuiSessionAccessDetails
    instance: InstanceState | None = None

    @property
    def is_running(self) -> bool:
        """Whether the computer runs, as far as was read."""
        return self.instance is None or self.instance.name in (None, "running")


def needs_instance(details: GuiSessionAccessDetails) -> bool:
    """Whether a start is due, so that it matters whether the computer itself runs."""
    return details.status is not None and _OPEN.get(details.status) in (Rule.ACT, Rule.ACT_ONCE)


def observation(sighting: Sighting) -> Observation[Sighting]:
    """Return a reading as the loop takes it: the state is the computer's while it is not up."""
    details = sighting.details
    if not sighting.is_running and sighting.instance is not None:
        return Observation(f"computer {sighting.instance.name}", sighting)
    return Observation(
        str(details.status),
        sighting,
        details.percentage_complete,
        is_known=details.status is not None and details.status.is_known,
    )


def decide_open(
    seen: Observation[Sighting],
    situation: Situation,
    *,
    kind: SessionKind,
    start_instance: bool,
    renew_before: float = 0.0,
) -> Decision[DcvUrl]:
    """Decide on the way to a started session.

    Args:
        seen: The reading.
        situation: What was done before it.
        kind: Which of the two sessions is wanted.
        start_instance: Whether a stopped computer is to be started.
        renew_before: A session that is found started before this, in seconds since the wait
            began, is about to expire and is waited out: Lightsail resumes only expired ones.
    """
    if not seen.resource.is_running:
        return _decide_instance(seen, situation, start_instance=start_instance)
    details = seen.resource.details
    rule = _OPEN.get(details.status, Rule.WAIT) if details.status else Rule.WAIT
    if rule is Rule.DONE:
        if situation.now < renew_before and Step.START_SESSION not in situation.sent:
            return Wait()
        # A started session whose URL is missing is not usable yet.
        url = wanted_url(details, kind)
        return Done(url) if url else Wait()
    return _apply(rule, Step.START_SESSION, seen, situation)


def decide_close(seen: Observation[Sighting], situation: Situation) -> Decision[None]:
    """Decide on the way to a session that is not running.

    Args:
        seen: The reading.
        situation: What was done before it.
    """
    status = seen.resource.details.status
    rule = _CLOSE.get(status, Rule.WAIT) if status else Rule.WAIT
    if rule is Rule.DONE:
        return Done(None)
    return _apply(rule, Step.STOP_SESSION, seen, situation)


def wanted_url(details: GuiSessionAccessDetails, kind: SessionKind) -> DcvUrl | None:
    """Return the URL of the application or of the operating system, if it is there.

    Args:
        details: The GUI session.
        kind: Which of the two. The primary one is the application's.
    """
    for session in details.sessions:
        if session.url and bool(session.is_primary) is (kind == "application"):
            return session.url
    return None


def operation_failure(operations: tuple[Operation, ...]) -> Failed | None:
    """Return why a change that was just asked for has failed, if it has at once.

    Args:
        operations: What Lightsail answered.
    """
    for operation in operations:
        if operation.status is OperationStatus.FAILED:
            return Failed(
                reason=(
                    f"{operation.operation_type} failed: "
                    f"{_told(operation.error_details or operation.error_code)}."
                ),
                details=Failure(
                    error_code=operation.error_code,
                    error_details=operation.error_details,
                ),
            )
    return None


def _decide_instance(
    seen: Observation[Sighting], situation: Situation, *, start_instance: bool
) -> Decision[DcvUrl]:
    name = seen.resource.instance.name if seen.resource.instance else None
    if name in _INSTANCE_GONE:
        return Failed(reason="The computer is being deleted.", details=Failure(state=seen.state))
    if name not in ("stopped", "stopping"):
        return Wait()
    if not start_instance:
        return Failed(
            reason=f"The computer is {name}: start_instance=True starts it first.",
            details=Failure(state=seen.state),
        )
    if name == "stopping" or situation.may_be_stale(Step.START_INSTANCE, seen.state):
        return Wait()
    return Act(Step.START_INSTANCE)


def _apply(
    rule: Rule, step: Step, seen: Observation[Sighting], situation: Situation
) -> Wait | Act | Failed:
    if rule is Rule.WAIT or situation.may_be_stale(step, seen.state):
        return Wait()
    if rule is Rule.ACT or (rule is Rule.ACT_ONCE and step not in situation.sent):
        return Act(step)
    reason = seen.resource.details.failure_reason
    return Failed(
        reason=f"Lightsail reports {seen.state}: {_told(reason)}.",
        details=Failure(state=seen.state, failure_reason=reason),
    )


def _told(reason: str | None) -> str:
    return (reason or "").rstrip(".") or "it gave no reason"
