"""What is said of a failure: the service's own words, on one line and without secrets."""

from enum import StrEnum

import pytest

from dcvsessions import GuiSessionStatus, NotFoundError, Stream, StreamingSession, StreamState
from dcvsessions._wait.decisions import (
    WAIT,
    Decision,
    Failed,
    Observation,
    StepRecord,
    WaitContext,
)
from dcvsessions.errors import Failure
from dcvsessions.lightsail import (
    GuiSessionAccessDetails,
    InstanceState,
    Operation,
    OperationStatus,
)
from dcvsessions.lightsail import _states as lightsail
from dcvsessions.lightsail._states import Reading
from dcvsessions.nimble import (
    StreamingSessionState,
    StreamingSessionStatusCode,
    StreamStatusCode,
)
from dcvsessions.nimble import _states as nimble

DIRTY = "No room.\r\nSee https://user:s3cr3t@h/a?authToken=s3cr3t"
CLEAN = "No room. See https://***@h/***"


def after_step(step: StrEnum, state: str) -> WaitContext:
    """The context long after a step that has changed nothing for good."""
    return WaitContext(now=500.0, steps={step: StepRecord(100.0, state, moved=True)})


# --- Lightsail ---


def reading(status: str, reason: str | None = None, computer: str | None = None) -> Reading:
    details = GuiSessionAccessDetails(status=GuiSessionStatus(status), failure_reason=reason)
    return Reading(details, None if computer is None else InstanceState(name=computer))


def opened(read: Reading, *, start_instance: bool = False) -> Decision[object]:
    return lightsail.decide_open(
        lightsail.observation(read),
        WaitContext(),
        kind="application",
        start_instance=start_instance,
    )


@pytest.mark.parametrize("computer", ["shutting-down", "terminated"])
@pytest.mark.parametrize("start_instance", [False, True])
def test_a_computer_that_is_being_deleted_is_said_so(
    computer: str, *, start_instance: bool
) -> None:
    found = opened(reading("stopped", computer=computer), start_instance=start_instance)
    assert found == Failed(
        reason="The computer is being deleted.", details=Failure(state=f"computer {computer}")
    )


@pytest.mark.parametrize("computer", ["stopped", "stopping"])
def test_a_computer_that_does_not_run_is_said_so(computer: str) -> None:
    assert opened(reading("stopped", computer=computer)) == Failed(
        reason=f"The computer is {computer}: start_instance=True starts it first.",
        details=Failure(state=f"computer {computer}"),
    )


@pytest.mark.parametrize(
    ("reason", "said", "kept"),
    [
        ("No licence is left.", "No licence is left", "No licence is left."),
        ("It needs DirectX.", "It needs DirectX", "It needs DirectX."),
        (DIRTY, CLEAN, CLEAN),
        ("", "it gave no reason", ""),
        (None, "it gave no reason", None),
        ("...", "it gave no reason", "..."),
    ],
)
def test_the_reason_of_a_gui_session_is_told(
    reason: str | None, said: str, kept: str | None
) -> None:
    expected = Failure(state="failedInstanceCreation", failure_reason=kept)
    assert opened(reading("failedInstanceCreation", reason)) == Failed(
        reason=f"Lightsail reports failedInstanceCreation: {said}.", details=expected
    )
    state = "failedStoppingGUISession"
    closed = lightsail.decide_close(
        lightsail.observation(reading(state, reason)),
        after_step(lightsail.Step.STOP_SESSION, state),
    )
    assert closed == Failed(
        reason=f"Lightsail reports {state}: {said}.",
        details=Failure(state=state, failure_reason=kept),
    )


def test_the_words_of_an_operation_are_told() -> None:
    failed = Operation(
        status=OperationStatus.FAILED,
        operation_type="StartInstance",
        error_code="token=s3cr3t",
        error_details=DIRTY,
    )
    assert lightsail.operation_failure((failed,)) == Failed(
        reason=f"StartInstance failed: {CLEAN}.",
        details=Failure(error_code="token=***", error_details=CLEAN),
    )


def test_an_unknown_state_of_a_gui_session_is_one_line_without_secrets() -> None:
    seen = lightsail.observation(reading(DIRTY))
    assert (seen.state, seen.is_known) == (CLEAN, False)
    seen = lightsail.observation(reading("stopped", computer=DIRTY))
    assert (seen.state, seen.is_known) == (f"computer {CLEAN}", True)


# --- Nimble Studio ---


def session(state: str, code: str | None, message: str | None) -> Observation[object]:
    return nimble.observation(
        StreamingSession(
            session_id="s-1",
            state=StreamingSessionState(state),
            status_code=None if code is None else StreamingSessionStatusCode(code),
            status_message=message,
        )
    )


SESSION_WORDS = [
    ("NO_ROOM", "No room is left.", "NO_ROOM, No room is left"),
    ("NO_ROOM", "It needs DirectX.", "NO_ROOM, It needs DirectX"),
    ("NO_ROOM", None, "NO_ROOM"),
    (None, "No room is left", "No room is left"),
    (None, None, "it gave no reason"),
    ("", "", "it gave no reason"),
]


@pytest.mark.parametrize(("code", "message", "said"), SESSION_WORDS)
def test_the_words_of_a_session_are_told(code: str | None, message: str | None, said: str) -> None:
    seen = session("CREATE_FAILED", code, message)
    assert nimble.decide_session(seen, WaitContext(), may_start=True, created_at=None) == Failed(
        reason=f"Nimble Studio reports CREATE_FAILED: {said}.",
        details=Failure(state="CREATE_FAILED", status_code=code, status_message=message),
    )
    seen = session("DELETE_FAILED", code, message)
    context = after_step(nimble.Step.DELETE, "DELETE_FAILED")
    assert nimble.decide_deleted(seen, context) == Failed(
        reason=f"Nimble Studio reports DELETE_FAILED: {said}.",
        details=Failure(state="DELETE_FAILED", status_code=code, status_message=message),
    )


def test_the_words_of_a_session_are_one_line_without_secrets() -> None:
    seen = session("CREATE_FAILED", "token=s3cr3t", DIRTY)
    expected = Failure(state="CREATE_FAILED", status_code="token=***", status_message=CLEAN)
    assert nimble.decide_session(seen, WaitContext(), may_start=True, created_at=None) == Failed(
        reason=f"Nimble Studio reports CREATE_FAILED: token=***, {CLEAN}.", details=expected
    )


def test_the_words_of_a_session_that_used_a_token_up_are_told() -> None:
    seen = session("DELETED", "NO_ROOM", DIRTY)
    found = nimble.decide_created_session(seen, WaitContext(), client_token="mine")
    assert isinstance(found, Failed)
    assert found.details == Failure(state="DELETED", status_code="NO_ROOM", status_message=CLEAN)


@pytest.mark.parametrize(
    ("code", "said", "kept"),
    [
        ("NO_ROOM", "NO_ROOM", "NO_ROOM"),
        ("token=s3cr3t", "token=***", "token=***"),
        (None, "it gave no reason", None),
    ],
)
def test_the_code_of_a_stream_is_told(code: str | None, said: str, kept: str | None) -> None:
    stream = Stream(
        stream_id="st-1",
        state=StreamState.CREATE_FAILED,
        status_code=None if code is None else StreamStatusCode(code),
    )
    found = nimble.decide_stream(nimble.observation(stream), WaitContext(), created_at=None)
    assert found == Failed(
        reason=f"Nimble Studio reports CREATE_FAILED: {said}.",
        details=Failure(state="CREATE_FAILED", status_code=kept),
    )


def test_an_unknown_state_of_a_stream_is_waited_out() -> None:
    seen = nimble.observation(Stream(stream_id="st-1", state=StreamState("UNKNOWN")))
    assert nimble.decide_stream(seen, WaitContext(), created_at=None) is WAIT


def test_an_unknown_state_of_a_session_is_one_line_without_secrets() -> None:
    seen = session(DIRTY, None, None)
    assert (seen.state, seen.is_known) == (CLEAN, False)


def test_what_is_missing_fails_with_the_services_own_error() -> None:
    error = NotFoundError(
        code="ResourceNotFoundException",
        message="There is none",
        operation="GetStreamingSession",
        request_id=None,
        http_status=404,
    )
    seen, context = nimble.observation(error), WaitContext(now=500.0)
    expected = Failed(reason=str(error), error=error)
    assert nimble.decide_session(seen, context, may_start=True, created_at=None) == expected
    assert nimble.decide_stream(seen, context, created_at=0.0) == expected
    assert nimble.decide_created_stream(seen, context, created_at=0.0) == expected
