"""What is decided about a GUI session, in every state and situation. Pure."""

import pytest

from dcvsessions import (
    GuiSession,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InstanceState,
    Operation,
    OperationStatus,
    OperationType,
)
from dcvsessions._wait.decisions import GRACE, Act, Done, Failed, Sent, Situation, Wait
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import Failure
from dcvsessions.lightsail import states
from dcvsessions.lightsail.states import Sighting, Step

URL = DcvUrl("https://203.0.113.1:8443/?authToken=application#application")
OTHER_URL = DcvUrl("https://203.0.113.1:8443/?authToken=system#operating-system")
SESSIONS = (
    GuiSession(name="Operating system", url=OTHER_URL, is_primary=False),
    GuiSession(name="JupyterLab", url=URL, is_primary=True),
)

# A step was sent at 100 s, when the state was the same as now. What is seen
#   at first:  before any step
#   at once:   just after the step: it may be a stale reading
#   later:     after the grace period
#   moved:     at once, but another state was seen in between
AT = 100.0
SITUATIONS = ("at first", "at once", "later", "moved")

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
    "failedInstanceCreation":    ("failed", "wait",  "failed", "failed"),
    "a state of tomorrow":       ("wait",   "wait",  "wait",   "wait"),
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
    "a state of tomorrow":       ("wait",   "wait",  "wait",   "wait"),
    None:                        ("wait",   "wait",  "wait",   "wait"),
}  # fmt: skip

# Of a session that would have to be started. EC2's six states, none, and one of tomorrow.
COMPUTER = {
    #                  not to be started  to be started
    "running":        ("start",           "start"),
    None:             ("start",           "start"),
    "pending":        ("wait",            "wait"),
    "stopping":       ("failed",          "wait"),
    "stopped":        ("failed",          "start computer"),
    "shutting-down":  ("failed",          "failed"),
    "terminated":     ("failed",          "failed"),
    "of tomorrow":    ("wait",            "wait"),
}  # fmt: skip

WORDS = {
    Step.START_SESSION: "start",
    Step.STOP_SESSION: "stop",
    Step.START_INSTANCE: "start computer",
}


def in_a_word(decision: object) -> str:
    if isinstance(decision, Act):
        return WORDS[Step(decision.step)]
    return {Wait: "wait", Done: "done", Failed: "failed"}[type(decision)]


def situation(name: str, step: Step, state: str) -> Situation:
    return {
        "at first": Situation(AT),
        "at once": Situation(AT + GRACE - 0.1, {step: Sent(AT, state)}),
        "later": Situation(AT + GRACE, {step: Sent(AT, state)}),
        "moved": Situation(AT + 1, {step: Sent(AT, state, moved=True)}),
    }[name]


def sighting(status: str | None, instance: str | None = "running") -> Sighting:
    details = GuiSessionAccessDetails(
        resource_name="my-computer",
        status=None if status is None else GuiSessionStatus(status),
        failure_reason="It broke.",
        sessions=SESSIONS if status == "started" else (),
    )
    return Sighting(details, InstanceState(name=instance))


def opened(seen: Sighting, at: Situation | None = None, **options: object) -> object:
    return states.decide_open(
        states.observation(seen),
        at or Situation(),
        **{"kind": "application", "start_instance": False, **options},  # type: ignore[arg-type]
    )


def cells(table: dict[str | None, tuple[str, ...]]) -> list[object]:
    return [
        pytest.param(state, name, expected, id=f"{state} {name}")
        for state, row in table.items()
        for name, expected in zip(SITUATIONS, row, strict=True)
    ]


@pytest.mark.parametrize(("state", "name", "expected"), cells(OPEN))
def test_open(state: str | None, name: str, expected: str) -> None:
    at = situation(name, Step.START_SESSION, str(state))
    assert in_a_word(opened(sighting(state), at)) == expected


@pytest.mark.parametrize(("state", "name", "expected"), cells(CLOSE))
def test_close(state: str | None, name: str, expected: str) -> None:
    seen = states.observation(sighting(state))
    at = situation(name, Step.STOP_SESSION, str(state))
    assert in_a_word(states.decide_close(seen, at)) == expected


@pytest.mark.parametrize("table", [OPEN, CLOSE])
def test_the_tables_are_complete(table: dict[str | None, object]) -> None:
    of_tomorrow = {state for state in table if state and not GuiSessionStatus(state).is_known}
    assert table.keys() - of_tomorrow - {None} == set(GuiSessionStatus)
    assert of_tomorrow


@pytest.mark.parametrize(
    ("state", "start_instance", "expected"),
    [
        pytest.param(state, start, expected, id=f"{state} {start}")
        for state, row in COMPUTER.items()
        for start, expected in zip((False, True), row, strict=True)
    ],
)
def test_open_by_the_computer(state: str | None, *, start_instance: bool, expected: str) -> None:
    decision = opened(sighting("notStarted", state), start_instance=start_instance)
    assert in_a_word(decision) == expected


def test_a_start_of_the_computer_is_not_sent_twice_for_a_stale_reading() -> None:
    seen = sighting("stopped", "stopped")
    for name, expected in (
        ("at once", "wait"),
        ("later", "start computer"),
        ("moved", "start computer"),
    ):
        at = situation(name, Step.START_INSTANCE, "computer stopped")
        assert in_a_word(opened(seen, at, start_instance=True)) == expected


@pytest.mark.parametrize("status", [*GuiSessionStatus, GuiSessionStatus("tomorrow")])
def test_the_computer_is_looked_at_where_a_start_is_due(status: GuiSessionStatus) -> None:
    is_due = OPEN.get(status, ("wait",))[0] == "start"
    assert states.needs_instance(GuiSessionAccessDetails(status=status)) is is_due
    assert not states.needs_instance(GuiSessionAccessDetails())


@pytest.mark.parametrize(
    ("kind", "expected"), [("application", URL), ("operating_system", OTHER_URL)]
)
def test_which_url(kind: states.SessionKind, expected: DcvUrl) -> None:
    assert opened(sighting("started"), kind=kind) == Done(expected)


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
    assert in_a_word(opened(Sighting(details))) == "wait"


@pytest.mark.parametrize(
    ("now", "sent", "expected"),
    [(49.0, False, "wait"), (50.0, False, "done"), (49.0, True, "done")],
)
def test_a_session_about_to_expire_is_waited_out(*, now: float, sent: bool, expected: str) -> None:
    steps = {Step.START_SESSION: Sent(10.0, "startExpired", moved=True)} if sent else {}
    at = Situation(now, steps)
    assert in_a_word(opened(sighting("started"), at, renew_before=50.0)) == expected


def test_a_failure_says_why() -> None:
    failed = opened(sighting("failedInstanceCreation"))
    assert isinstance(failed, Failed)
    assert failed.reason == "Lightsail reports failedInstanceCreation: It broke."
    assert failed.details == Failure(state="failedInstanceCreation", failure_reason="It broke.")
    silent = GuiSessionAccessDetails(status=GuiSessionStatus.FAILED_INSTANCE_CREATION)
    failed = opened(Sighting(silent))
    assert isinstance(failed, Failed)
    assert failed.reason.endswith("it gave no reason.")


def test_a_stopped_computer_says_which_argument_starts_it() -> None:
    failed = opened(sighting("stopped", "stopped"))
    assert isinstance(failed, Failed)
    assert "start_instance=True" in failed.reason
    assert failed.details == Failure(state="computer stopped")


def test_the_state_is_the_computers_while_it_is_not_up() -> None:
    seen = states.observation(sighting("stopped", "pending"))
    assert seen.state == "computer pending"
    assert seen.is_known
    assert states.observation(sighting("tomorrow")).is_known is False
    assert states.observation(sighting("started")).state == "started"


@pytest.mark.parametrize(
    ("status", "code", "details", "reason"),
    [
        (OperationStatus.FAILED, "NoCapacity", "None left.", "StartGUISession failed: None left."),
        (OperationStatus.FAILED, "NoCapacity", None, "StartGUISession failed: NoCapacity."),
        (OperationStatus.FAILED, None, None, "StartGUISession failed: it gave no reason."),
        *[(each, None, None, None) for each in OperationStatus if each != "Failed"],
        (OperationStatus("Tomorrow"), None, None, None),
        (None, None, None, None),
    ],
)
def test_an_operation_that_failed_at_once(
    status: OperationStatus | None, code: str | None, details: str | None, reason: str | None
) -> None:
    fine = Operation(status=OperationStatus.STARTED)
    other = Operation(
        status=status,
        operation_type=OperationType.START_GUI_SESSION,
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


def test_no_operations_are_no_failure() -> None:
    assert states.operation_failure(()) is None
