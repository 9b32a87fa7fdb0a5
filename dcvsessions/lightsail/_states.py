"""What to do in each state of a GUI session. Pure: no I/O, no clock.

AWS documents only the names of the statuses. The tables are our reading of them.
"""

from enum import StrEnum
from typing import Literal

from attrs import frozen

from dcvsessions._secrets.mask import plain_text
from dcvsessions._wait.decisions import (
    MAX_STARTS,
    WAIT,
    Decision,
    Done,
    Failed,
    Observation,
    Rule,
    TakeStep,
    WaitContext,
    interpret,
    plain,
    reason,
)
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import Failure
from dcvsessions.lightsail._models import (
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InstanceState,
    Operation,
    OperationStatus,
)

__all__ = [
    "SESSION_KINDS",
    "Reading",
    "SessionKind",
    "StartedSession",
    "Step",
    "decide_close",
    "decide_open",
    "needs_instance",
    "observation",
    "operation_failure",
    "wanted_url",
]

SessionKind = Literal["application", "operating_system"]
"""Which desktop of a virtual computer to open: its application's, or its operating system's."""
SESSION_KINDS: tuple[SessionKind, ...] = ("application", "operating_system")


class Step(StrEnum):
    """The changes that a wait requests."""

    START_INSTANCE = "StartInstance"
    START_SESSION = "StartGUISession"
    STOP_SESSION = "StopGUISession"


_OPEN: dict[GuiSessionStatus, Rule] = {
    GuiSessionStatus.STARTED: Rule.DONE,
    GuiSessionStatus.STARTING: Rule.WAIT,
    GuiSessionStatus.SETTING_UP_INSTANCE: Rule.WAIT,
    GuiSessionStatus.STOPPING: Rule.WAIT,
    GuiSessionStatus.NOT_STARTED: Rule.STEP,
    GuiSessionStatus.STOPPED: Rule.STEP,
    GuiSessionStatus.START_EXPIRED: Rule.STEP,
    GuiSessionStatus.FAILED_STARTING_GUI_SESSION: Rule.STEP_ONCE,
    GuiSessionStatus.FAILED_STOPPING_GUI_SESSION: Rule.STEP_ONCE,
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
    GuiSessionStatus.STARTED: Rule.STEP,
    GuiSessionStatus.STARTING: Rule.STEP,
    GuiSessionStatus.FAILED_STOPPING_GUI_SESSION: Rule.STEP_ONCE,
}

# Lightsail uses the state names of Amazon EC2.
_PERCENTAGES = range(101)
_INSTANCE_GONE = ("shutting-down", "terminated")


@frozen
class Reading:
    """One reading of a virtual computer.

    Attributes:
        details: Its GUI session.
        instance: The state of the computer itself, which is read only before a start.
    """

    details: GuiSessionAccessDetails
    instance: InstanceState | None = None

    @property
    def is_running(self) -> bool:
        """Whether the computer runs. True if its state was not read."""
        return self.instance is None or self.instance.name in (None, "running")


@frozen
class StartedSession:
    """A GUI session that is started.

    Attributes:
        url: The wanted URL.
        not_started_at: When it was last read in another state, in seconds since the wait began;
            None if it was started at the first reading.
        started_at: When it was read as started, in seconds since the wait began.
    """

    url: DcvUrl
    not_started_at: float | None
    started_at: float


def needs_instance(details: GuiSessionAccessDetails) -> bool:
    """Whether the session has to be started, which needs a computer that runs."""
    return details.status is not None and _OPEN.get(details.status) in (Rule.STEP, Rule.STEP_ONCE)


def observation(reading: Reading) -> Observation[Reading]:
    """Return the observation of a reading: the computer's state, or once it runs, the session's."""
    details = reading.details
    if not reading.is_running and reading.instance is not None:
        return Observation(plain_text(f"computer {reading.instance.name}"), reading)
    is_known = details.status in _OPEN
    state = str(details.status)
    return Observation(
        state if is_known else plain_text(state),
        reading,
        _percentage(details.percentage_complete),
        is_known=is_known,
    )


def decide_open(
    seen: Observation[Reading],
    context: WaitContext,
    *,
    kind: SessionKind,
    start_instance: bool,
    renew_before: float = 0.0,
) -> Decision[StartedSession]:
    """Decide how to get a started session with the wanted URL.

    Until `renew_before`, in seconds since the wait began, a started session is about to expire. The
    wait lets it expire, because Lightsail resumes only expired sessions.
    """
    if not seen.resource.is_running:
        return _decide_instance(seen, context, start_instance=start_instance)

    def started() -> Decision[StartedSession]:
        if context.now < renew_before and Step.START_SESSION not in context.steps:
            return WAIT
        # A started session whose URL is missing is not usable yet.
        url = wanted_url(seen.resource.details, kind)
        return Done(StartedSession(url, context.changed_after, context.now)) if url else WAIT

    return interpret(
        _rule(_OPEN, seen),
        Step.START_SESSION,
        seen.state,
        context,
        done=started,
        failed=lambda: _failure(seen),
        max_count=MAX_STARTS,
    )


def decide_close(seen: Observation[Reading], context: WaitContext) -> Decision[None]:
    """Decide how to get the session stopped."""
    return interpret(
        _rule(_CLOSE, seen),
        Step.STOP_SESSION,
        seen.state,
        context,
        done=lambda: Done(None),
        failed=lambda: _failure(seen),
    )


def wanted_url(details: GuiSessionAccessDetails, kind: SessionKind) -> DcvUrl | None:
    """Return the URL of the application (the primary session) or of the operating system."""
    for session in details.sessions:
        if session.url and bool(session.is_primary) is (kind == "application"):
            return session.url
    return None


def operation_failure(operations: tuple[Operation, ...]) -> Failed | None:
    """Return the failure of a change, if Lightsail reports one in its answer."""
    for operation in operations:
        if operation.status is OperationStatus.FAILED:
            said = operation.error_details or operation.error_code
            return Failed(
                reason=f"{operation.operation_type} failed: {reason(said)}.",
                details=Failure(
                    error_code=plain(operation.error_code),
                    error_details=plain(operation.error_details),
                ),
            )
    return None


def _decide_instance(
    seen: Observation[Reading], context: WaitContext, *, start_instance: bool
) -> Decision[StartedSession]:
    name = seen.resource.instance.name if seen.resource.instance else None
    if name in _INSTANCE_GONE:
        return Failed(reason="The computer is being deleted.", details=Failure(state=seen.state))
    if name not in ("stopped", "stopping"):
        return WAIT
    if not start_instance:
        return Failed(
            reason=f"The computer is {name}: start_instance=True starts it first.",
            details=Failure(state=seen.state),
        )
    if name == "stopping" or context.may_be_stale(Step.START_INSTANCE, seen.state):
        return WAIT
    return TakeStep(Step.START_INSTANCE, is_last=False)


def _rule(table: dict[GuiSessionStatus, Rule], seen: Observation[Reading]) -> Rule:
    status = seen.resource.details.status
    return table.get(status, Rule.WAIT) if status else Rule.WAIT


def _failure(seen: Observation[Reading]) -> Failed:
    said = plain(seen.resource.details.failure_reason)
    return Failed(
        reason=f"Lightsail reports {seen.state}: {reason(said)}.",
        details=Failure(state=seen.state, failure_reason=said),
    )


def _percentage(value: int | None) -> int | None:
    """Return a percentage, or None if the number is not from 0 to 100."""
    return value if value in _PERCENTAGES else None
