"""What is decided about a streaming session and a stream, in every state and situation. Pure."""

import pytest

from dcvsessions import NotFoundError, Stream, StreamingSession, StreamingSessionState, StreamState
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
from dcvsessions.nimble import StreamingSessionStatusCode, StreamStatusCode
from dcvsessions.nimble import _states as states
from dcvsessions.nimble._states import Step, UsableStream

URL = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#session")
NOT_FOUND = NotFoundError(
    code="ResourceNotFoundException",
    message="There is none",
    operation="GetStreamingSession",
    request_id=None,
    http_status=404,
)

# A step was sent at 100 s, when the state was the same as now. The reading comes
#   at first:  before any step
#   at once:   just after the step, so that it may be stale
#   later:     when it cannot be stale any more
#   moved:     just after the step, but another state was read in between
AT = 100.0
MOMENTS = ("at first", "at once", "later", "moved")

# To a session that is READY, if the helper may start it.
READY = {
    #                        at first  at once   later     moved
    "READY":                ("done",   "done",   "done",   "done"),
    "CREATE_IN_PROGRESS":   ("wait",   "wait",   "wait",   "wait"),
    "START_IN_PROGRESS":    ("wait",   "wait",   "wait",   "wait"),
    "STOP_IN_PROGRESS":     ("wait",   "wait",   "wait",   "wait"),
    "STOPPED":              ("start",  "wait",   "start",  "start"),
    "CREATE_FAILED":        ("failed", "failed", "failed", "failed"),
    "START_FAILED":         ("failed", "failed", "failed", "failed"),
    "STOP_FAILED":          ("failed", "failed", "failed", "failed"),
    "DELETE_FAILED":        ("failed", "failed", "failed", "failed"),
    "DELETE_IN_PROGRESS":   ("failed", "failed", "failed", "failed"),
    "DELETED":              ("failed", "failed", "failed", "failed"),
    "UNKNOWN":              ("wait",   "wait",   "wait",   "wait"),
    None:                   ("wait",   "wait",   "wait",   "wait"),
    "not found":            ("failed", "failed", "failed", "failed"),
}  # fmt: skip

# To a session that is deleted.
DELETED = {
    #                        at first  at once   later     moved
    "DELETED":              ("done",   "done",   "done",   "done"),
    "not found":            ("done",   "done",   "done",   "done"),
    "DELETE_IN_PROGRESS":   ("wait",   "wait",   "wait",   "wait"),
    "READY":                ("delete", "wait",   "delete", "delete"),
    "STOPPED":              ("delete", "wait",   "delete", "delete"),
    "CREATE_IN_PROGRESS":   ("delete", "wait",   "delete", "delete"),
    "START_IN_PROGRESS":    ("delete", "wait",   "delete", "delete"),
    "STOP_IN_PROGRESS":     ("delete", "wait",   "delete", "delete"),
    "CREATE_FAILED":        ("delete", "wait",   "delete", "delete"),
    "START_FAILED":         ("delete", "wait",   "delete", "delete"),
    "STOP_FAILED":          ("delete", "wait",   "delete", "delete"),
    "DELETE_FAILED":        ("delete", "wait",   "failed", "failed"),
    "UNKNOWN":              ("wait",   "wait",   "wait",   "wait"),
    None:                   ("wait",   "wait",   "wait",   "wait"),
}  # fmt: skip

# To a session that is READY, if the helper made it and may not start it: at first.
MADE = {state: row[0] for state, row in READY.items()} | {
    "STOPPED": "failed",
    "STOP_IN_PROGRESS": "failed",
}

# The answer to a DeleteStreamingSession: whether the session will be gone.
DELETION_REQUESTED = {
    **dict.fromkeys(READY, "wait"),
    "DELETE_IN_PROGRESS": "done",
    "DELETED": "done",
    "not found": "done",
}

STREAM = {
    #                       with its URL  without
    "READY":               ("done",       "wait"),
    "CREATE_IN_PROGRESS":  ("wait",       "wait"),
    "CREATE_FAILED":       ("failed",     "failed"),
    "DELETE_FAILED":       ("failed",     "failed"),
    "DELETE_IN_PROGRESS":  ("failed",     "failed"),
    "DELETED":             ("failed",     "failed"),
    "UNKNOWN":             ("wait",       "wait"),
    None:                  ("wait",       "wait"),
}  # fmt: skip

# A session or stream that is not found: when it was made, and when it is read.
MISSING = [
    (None, 0.0, "failed"),  # it was made long before
    (None, 1000.0, "failed"),
    (50.0, 50.0, "wait"),  # it was made just now: eventual consistency
    (50.0, 50.0 + STALE_READ_WINDOW - 0.1, "wait"),
    (50.0, 50.0 + STALE_READ_WINDOW, "failed"),
]


def in_a_word(decision: object) -> str:
    if isinstance(decision, TakeStep):
        return {Step.START: "start", Step.DELETE: "delete"}[Step(decision.step)]
    return {Wait: "wait", Done: "done", Failed: "failed"}[type(decision)]


def context(name: str, step: Step, state: str) -> WaitContext:
    return {
        "at first": WaitContext(AT),
        "at once": WaitContext(AT + STALE_READ_WINDOW - 0.1, {step: StepRecord(AT, state)}),
        "later": WaitContext(AT + STALE_READ_WINDOW, {step: StepRecord(AT, state)}),
        "moved": WaitContext(AT + 1, {step: StepRecord(AT, state, moved=True)}),
    }[name]


def seen_session(state: str | None) -> states.StreamingSessionReading:
    if state == "not found":
        return states.observation(NOT_FOUND)
    session = StreamingSession(
        session_id="s-1",
        state=None if state is None else StreamingSessionState(state),
        status_code=StreamingSessionStatusCode.INTERNAL_ERROR,
        status_message="It broke.",
    )
    return states.observation(session)


def seen_stream(state: str | None, url: DcvUrl | None) -> states.StreamReading:
    stream = Stream(
        stream_id="st-1",
        state=None if state is None else StreamState(state),
        status_code=StreamStatusCode.NETWORK_CONNECTION_ERROR,
        url=url,
    )
    return states.observation(stream)


def created_session(seen: states.StreamingSessionReading) -> object:
    return states.decide_created_session(seen, WaitContext(), client_token="mine")


def created_stream(seen: states.StreamReading) -> object:
    return states.decide_created_stream(seen, WaitContext(), created_at=None)


def cells(table: dict[str | None, tuple[str, ...]]) -> list[object]:
    return [
        pytest.param(state, name, expected, id=f"{state} {name}")
        for state, row in table.items()
        for name, expected in zip(MOMENTS, row, strict=True)
    ]


@pytest.mark.parametrize(("state", "name", "expected"), cells(READY))
def test_the_way_to_ready_is_what_the_table_says(
    state: str | None, name: str, expected: str
) -> None:
    decision = states.decide_session(
        seen_session(state),
        context(name, Step.START, str(state)),
        may_start=True,
        created_at=None,
    )
    assert in_a_word(decision) == expected


@pytest.mark.parametrize(("state", "expected"), MADE.items())
def test_a_session_that_was_just_made_is_not_started(state: str | None, expected: str) -> None:
    decision = states.decide_session(
        seen_session(state), WaitContext(), may_start=False, created_at=-STALE_READ_WINDOW
    )
    assert in_a_word(decision) == expected


@pytest.mark.parametrize(("state", "name", "expected"), cells(DELETED))
def test_the_way_to_deleted_is_what_the_table_says(
    state: str | None, name: str, expected: str
) -> None:
    at = context(name, Step.DELETE, str(state))
    assert in_a_word(states.decide_deleted(seen_session(state), at)) == expected


@pytest.mark.parametrize(("state", "expected"), DELETION_REQUESTED.items())
def test_a_requested_deletion_is_done_when_the_session_is_going(
    state: str | None, expected: str
) -> None:
    decision = states.decide_deletion_requested(seen_session(state), WaitContext(), created_at=None)
    assert in_a_word(decision) == expected


@pytest.mark.parametrize(
    ("state", "url", "expected"),
    [
        pytest.param(state, url, expected, id=f"{state} {url!r}")
        for state, row in STREAM.items()
        for url, expected in zip((URL, None), row, strict=True)
    ],
)
def test_the_way_to_a_stream_is_what_the_table_says(
    state: str | None, url: DcvUrl | None, expected: str
) -> None:
    seen = seen_stream(state, url)
    decision = states.decide_stream(seen, WaitContext(), created_at=None)
    assert in_a_word(decision) == expected
    if expected == "done":
        assert decision == Done(UsableStream(seen.resource, URL))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (READY, StreamingSessionState),
        (DELETED, StreamingSessionState),
        (MADE, StreamingSessionState),
        (DELETION_REQUESTED, StreamingSessionState),
        (STREAM, StreamState),
    ],
)
def test_the_tables_are_complete(
    table: dict[str | None, object], states: type[StreamingSessionState | StreamState]
) -> None:
    not_found = {"not found"} if states is StreamingSessionState else set()
    assert table.keys() == {*states, "UNKNOWN", None, *not_found}


@pytest.mark.parametrize(("created_at", "now", "expected"), MISSING)
def test_a_new_resource_may_not_be_found_for_a_while(
    created_at: float | None, now: float, expected: str
) -> None:
    at = WaitContext(now)
    missing = states.observation(NOT_FOUND)
    assert missing.state == states.NOT_FOUND
    of_session = states.decide_session(missing, at, may_start=True, created_at=created_at)
    of_stream = states.decide_stream(missing, at, created_at=created_at)
    of_create = states.decide_created_stream(missing, at, created_at=created_at)
    assert {in_a_word(each) for each in (of_session, of_stream, of_create)} == {expected}
    of_deletion = states.decide_deletion_requested(missing, at, created_at=created_at)
    assert in_a_word(of_deletion) == {"failed": "done", "wait": "wait"}[expected]
    # The service's own error is raised, not another one around it.
    for decision in (of_session, of_stream, of_create):
        assert not isinstance(decision, Failed) or decision.error is NOT_FOUND


GONE = ("DELETE_IN_PROGRESS", "DELETED")


@pytest.mark.parametrize(
    "state", [each for each in (*StreamingSessionState, "UNKNOWN", None) if each not in GONE]
)
def test_a_create_is_done_when_the_id_is_known(state: str | None) -> None:
    assert created_session(seen_session(state)) == Done("s-1")


@pytest.mark.parametrize("state", GONE)
def test_a_token_whose_session_is_deleted_is_used_up(state: str) -> None:
    assert created_session(seen_session(state)) == Failed(
        reason=(
            "client_token='mine' is used up: streaming session s-1 was made with it, and is "
            "deleted. Pass another client_token to make a new session."
        ),
        details=Failure(state=state, status_code="INTERNAL_ERROR", status_message="It broke."),
    )


@pytest.mark.parametrize("state", [*StreamState, "UNKNOWN", None])
def test_a_create_of_a_stream_is_done_when_the_id_is_known(state: str | None) -> None:
    assert created_stream(seen_stream(state, None)) == Done("st-1")


def test_a_create_goes_on_while_the_id_is_not_known() -> None:
    assert in_a_word(created_session(states.observation(StreamingSession(session_id="")))) == "wait"
    assert in_a_word(created_stream(states.observation(Stream()))) == "wait"


def test_a_session_is_started_three_times_at_most() -> None:
    def decided(accepted: int) -> object:
        record = StepRecord(AT, "STOPPED", moved=True, accepted=accepted)
        return states.decide_session(
            seen_session("STOPPED"),
            WaitContext(AT, {Step.START: record}),
            may_start=True,
            created_at=None,
        )

    assert in_a_word(decided(MAX_STARTS - 1)) == "start"
    assert decided(MAX_STARTS) == Failed(
        reason="StartStreamingSession was accepted 3 times, and the state is STOPPED again.",
        details=Failure(state="STOPPED"),
    )


def test_a_failure_says_why() -> None:
    failed = states.decide_session(
        seen_session("CREATE_FAILED"), WaitContext(), may_start=True, created_at=None
    )
    assert failed == Failed(
        reason="Nimble Studio reports CREATE_FAILED: INTERNAL_ERROR, It broke.",
        details=Failure(
            state="CREATE_FAILED",
            status_code="INTERNAL_ERROR",
            status_message="It broke.",
        ),
    )
    of_stream = states.decide_stream(
        seen_stream("CREATE_FAILED", None), WaitContext(), created_at=None
    )
    assert of_stream == Failed(
        reason="Nimble Studio reports CREATE_FAILED: NETWORK_CONNECTION_ERROR.",
        details=Failure(state="CREATE_FAILED", status_code="NETWORK_CONNECTION_ERROR"),
    )


@pytest.mark.parametrize(
    ("state", "is_known"), [("READY", True), ("UNKNOWN", False), (None, False)]
)
def test_an_unknown_state_is_observed_as_unknown(state: str | None, *, is_known: bool) -> None:
    assert seen_session(state).is_known is is_known
    assert seen_stream(state, None).is_known is is_known
    assert seen_session("not found").is_known
