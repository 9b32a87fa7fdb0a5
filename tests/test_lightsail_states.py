"""What is decided about a GUI session, in every state and situation. Pure."""

import pytest

from dcvsessions import GuiSessionAccessDetails, GuiSessionStatus, Operation, OperationStatus
from dcvsessions._wait.decisions import (
    MAX_STARTS,
    STALE_READ_WINDOW,
    Done,
    Failed,
    StepRecord,
    TakeStep,
    Wait,
    WaitContext,
)
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import Failure
from dcvsessions.lightsail import GuiSession, InstanceState
from dcvsessions.lightsail import _states as states
from dcvsessions.lightsail._states import Reading, StartedSession, Step

URL = DcvUrl("https://203.0.113.1:8443/?authToken=application#application")
OTHER_URL = DcvUrl("https://203.0.113.1:8443/?authToken=system#operating-system")
SESSIONS = (
    GuiSession(name="Operating system", url=OTHER_URL, is_primary=False),
    GuiSession(name="JupyterLab", url=URL, is_primary=True),
)

# A step was sent at 100 s, when the state was the same as now. The reading comes
#   at first:  before any step
#   at once:   just after the step, so that it may be stale
#   later:     when it cannot be stale any more
#   moved:     just after the step, but another state was read in between
AT = 100.0
MOMENTS = ("at first", "at once", "later", "moved")

OPEN = {
    #                             at first  at once  later     moved
    "started":                   ("done",   "done",  "done",   "done"),
    "starting":                  ("wait",   "wait",  "wait",   "wait"),
    "settingUpInstance":         ("wait",   "wait",  "wait",   "wait"),
    "stopping":                  ("wait",   "wait",  "wait",   "wait"),
    "notStarted":                ("start",  "wait",  "start",  "start"),
    "stopped":                   ("start",  "wait",  "start",  "start"),
    "startExpired":              ("start",  "wait",  "start",  "start"),
    "failedStartingGUISession":  ("start",  "wait",  "failed", "failed"),
    "failedStoppingGUISession":  ("start",  "wait",  "failed", "failed"),
    "failedInstanceCreation":    ("failed", "failed", "failed", "failed"),
    "anUnknownState":            ("wait",   "wait",  "wait",   "wait"),
    None:                        ("wait",   "wait",  "wait",   "wait"),
}  # fmt: skip

CLOSE = {
    #                             at first  at once  later     moved
    "started":                   ("stop",   "wait",  "stop",   "stop"),
    "starting":                  ("stop",   "wait",  "stop",   "stop"),
    "settingUpInstance":         ("done",   "done",  "done",   "done"),
    "stopping":                  ("wait",   "wait",  "wait",   "wait"),
    "notStarted":                ("done",   "done",  "done",   "done"),
    "stopped":                   ("done",   "done",  "done",   "done"),
    "startExpired":              ("done",   "done",  "done",   "done"),
    "failedStartingGUISession":  ("done",   "done",  "done",   "done"),
    "failedStoppingGUISession":  ("stop",   "wait",  "failed", "failed"),
    "failedInstanceCreation":    ("done",   "done",  "done",   "done"),
    "anUnknownState":            ("wait",   "wait",  "wait",   "wait"),
    None:                        ("wait",   "wait",  "wait",   "wait"),
}  # fmt: skip

# Of a session that has to be started: EC2's six states, an unknown state, and no state.
COMPUTER = {
    #                  not to be started  to be started
    "running":        ("start",           "start"),
    None:             ("start",           "start"),
    "pending":        ("wait",            "wait"),
    "stopping":       ("failed",          "wait"),
    "stopped":        ("failed",          "start computer"),
    "shutting-down":  ("failed",          "failed"),
    "terminated":     ("failed",          "failed"),
    "unknown":        ("wait",            "wait"),
}  # fmt: skip

WORDS = {
    Step.START_SESSION: "start",
    Step.STOP_SESSION: "stop",
    Step.START_INSTANCE: "start computer",
}


def in_a_word(decision: object) -> str:
    if isinstance(decision, TakeStep):
        return WORDS[Step(decision.step)]
    return {Wait: "wait", Done: "done", Failed: "failed"}[type(decision)]


def context(name: str, step: Step, state: str) -> WaitContext:
    return {
        "at first": WaitContext(AT),
        "at once": WaitContext(AT + STALE_READ_WINDOW - 0.1, {step: StepRecord(AT, state)}),
        "later": WaitContext(AT + STALE_READ_WINDOW, {step: StepRecord(AT, state)}),
        "moved": WaitContext(AT + 1, {step: StepRecord(AT, state, moved=True)}),
    }[name]


def reading(status: str | None, instance: str | None = "running") -> Reading:
    details = GuiSessionAccessDetails(
        resource_name="my-computer",
        status=None if status is None else GuiSessionStatus(status),
        failure_reason="It broke.",
        sessions=SESSIONS if status == "started" else (),
    )
    return Reading(details, InstanceState(name=instance))


def opened(seen: Reading, at: WaitContext | None = None, **options: object) -> object:
    return states.decide_open(
        states.observation(seen),
        at or WaitContext(),
        **{"kind": "application", "start_instance": False, **options},  # type: ignore[arg-type]
    )


def cells(table: dict[str | None, tuple[str, ...]]) -> list[object]:
    return [
        pytest.param(state, name, expected, id=f"{state} {name}")
        for state, row in table.items()
        for name, expected in zip(MOMENTS, row, strict=True)
    ]


@pytest.mark.parametrize(("state", "name", "expected"), cells(OPEN))
def test_opening_does_what_the_table_says(state: str | None, name: str, expected: str) -> None:
    at = context(name, Step.START_SESSION, str(state))
    assert in_a_word(opened(reading(state), at)) == expected


@pytest.mark.parametrize(("state", "name", "expected"), cells(CLOSE))
def test_closing_does_what_the_table_says(state: str | None, name: str, expected: str) -> None:
    seen = states.observation(reading(state))
    at = context(name, Step.STOP_SESSION, str(state))
    assert in_a_word(states.decide_close(seen, at)) == expected


@pytest.mark.parametrize("table", [OPEN, CLOSE])
def test_the_tables_are_complete(table: dict[str | None, object]) -> None:
    assert table.keys() == {*GuiSessionStatus, "anUnknownState", None}


@pytest.mark.parametrize(
    ("state", "start_instance", "expected"),
    [
        pytest.param(state, start, expected, id=f"{state} {start}")
        for state, row in COMPUTER.items()
        for start, expected in zip((False, True), row, strict=True)
    ],
)
def test_opening_starts_the_computer_only_if_asked_to(
    state: str | None, *, start_instance: bool, expected: str
) -> None:
    decision = opened(reading("notStarted", state), start_instance=start_instance)
    assert in_a_word(decision) == expected


def test_a_start_of_the_computer_is_not_sent_twice_for_a_stale_reading() -> None:
    seen = reading("stopped", "stopped")
    for name, expected in (
        ("at once", "wait"),
        ("later", "start computer"),
        ("moved", "start computer"),
    ):
        at = context(name, Step.START_INSTANCE, "computer stopped")
        assert in_a_word(opened(seen, at, start_instance=True)) == expected


@pytest.mark.parametrize("status", [*GuiSessionStatus, GuiSessionStatus("anUnknownState")])
def test_the_computer_is_read_before_a_start_only(status: GuiSessionStatus) -> None:
    is_due = OPEN.get(status, ("wait",))[0] == "start"
    assert states.needs_instance(GuiSessionAccessDetails(status=status)) is is_due
    assert not states.needs_instance(GuiSessionAccessDetails())


@pytest.mark.parametrize(
    ("kind", "expected"), [("application", URL), ("operating_system", OTHER_URL)]
)
def test_the_kind_chooses_the_url(kind: states.SessionKind, expected: DcvUrl) -> None:
    assert opened(reading("started"), kind=kind) == Done(StartedSession(expected, None, 0.0))


@pytest.mark.parametrize(
    "sessions",
    [
        (),
        (GuiSession(name="JupyterLab", is_primary=True),),  # no URL yet
        (GuiSession(url=DcvUrl(""), is_primary=True),),
        (GuiSession(url=OTHER_URL, is_primary=False),),  # the other one
        (GuiSession(url=OTHER_URL),),
    ],
)
def test_started_without_the_wanted_url_is_not_usable_yet(
    sessions: tuple[GuiSession, ...],
) -> None:
    details = GuiSessionAccessDetails(status=GuiSessionStatus.STARTED, sessions=sessions)
    assert in_a_word(opened(Reading(details))) == "wait"


@pytest.mark.parametrize(
    ("now", "sent", "expected"),
    [(49.0, False, "wait"), (50.0, False, "done"), (49.0, True, "done")],
)
def test_a_session_about_to_expire_is_waited_out(*, now: float, sent: bool, expected: str) -> None:
    steps = {Step.START_SESSION: StepRecord(10.0, "startExpired", moved=True)} if sent else {}
    at = WaitContext(now, steps)
    assert in_a_word(opened(reading("started"), at, renew_before=50.0)) == expected


@pytest.mark.parametrize("state", ["notStarted", "stopped", "startExpired"])
def test_a_session_is_started_three_times_at_most(state: str) -> None:
    last = StepRecord(AT, state, moved=True, accepted=MAX_STARTS - 1)
    assert in_a_word(opened(reading(state), WaitContext(AT, {Step.START_SESSION: last}))) == "start"
    over = StepRecord(AT, state, moved=True, accepted=MAX_STARTS)
    failed = opened(reading(state), WaitContext(AT, {Step.START_SESSION: over}))
    assert failed == Failed(
        reason=f"StartGUISession was accepted 3 times, and the state is {state} again.",
        details=Failure(state=state),
    )


@pytest.mark.parametrize("percentage", [None, 0, 55, 100, -1, 101, 10**30])
def test_a_percentage_is_from_0_to_100(percentage: int | None) -> None:
    details = GuiSessionAccessDetails(
        status=GuiSessionStatus.STARTING, percentage_complete=percentage
    )
    is_possible = percentage in (0, 55, 100)
    seen = states.observation(Reading(details))
    assert seen.percentage == (percentage if is_possible else None)


def test_a_failure_says_why() -> None:
    failed = opened(reading("failedInstanceCreation"))
    assert isinstance(failed, Failed)
    assert failed.reason == "Lightsail reports failedInstanceCreation: It broke."
    assert failed.details == Failure(state="failedInstanceCreation", failure_reason="It broke.")
    silent = GuiSessionAccessDetails(status=GuiSessionStatus.FAILED_INSTANCE_CREATION)
    failed = opened(Reading(silent))
    assert isinstance(failed, Failed)
    assert failed.reason.endswith("it gave no reason.")


def test_a_stopped_computer_says_which_argument_starts_it() -> None:
    failed = opened(reading("stopped", "stopped"))
    assert isinstance(failed, Failed)
    assert "start_instance=True" in failed.reason
    assert failed.details == Failure(state="computer stopped")


def test_the_state_is_that_of_the_computer_until_it_runs() -> None:
    seen = states.observation(reading("stopped", "pending"))
    assert seen.state == "computer pending"
    assert seen.is_known
    assert states.observation(reading("anUnknownState")).is_known is False
    assert states.observation(reading(None)).is_known is False
    assert states.observation(reading("started")).state == "started"


@pytest.mark.parametrize(
    ("status", "code", "details", "reason"),
    [
        (OperationStatus.FAILED, "NoCapacity", "None left.", "StartGUISession failed: None left."),
        (OperationStatus.FAILED, "NoCapacity", None, "StartGUISession failed: NoCapacity."),
        (OperationStatus.FAILED, None, None, "StartGUISession failed: it gave no reason."),
        *[(each, None, None, None) for each in OperationStatus if each != "Failed"],
        (OperationStatus("Unknown"), None, None, None),
        (None, None, None, None),
    ],
)
def test_an_operation_that_failed_at_once_is_a_failure(
    status: OperationStatus | None, code: str | None, details: str | None, reason: str | None
) -> None:
    fine = Operation(status=OperationStatus.STARTED)
    other = Operation(
        status=status,
        operation_type="StartGUISession",
        error_code=code,
        error_details=details,
    )
    failure = states.operation_failure((fine, other))
    if reason is None:
        assert failure is None
    else:
        assert failure
        assert failure.reason == reason
        assert failure.details == Failure(error_code=code, error_details=details)


def test_an_answer_without_operations_is_not_a_failure() -> None:
    assert states.operation_failure(()) is None
