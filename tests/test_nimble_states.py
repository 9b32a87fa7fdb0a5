"""What is decided about a streaming session and a stream, in every state and situation. Pure."""

import pytest

from dcvsessions import NotFoundError, Stream, StreamingSession, StreamingSessionState, StreamState
from dcvsessions._wait.decisions import (
    STALE_READ_WINDOW,
    Done,
    Failed,
    StepRecord,
    TakeStep,
    Wait,
    WaitContext,
)
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import Failure
from dcvsessions.nimble import StreamingSessionStatusCode, StreamStatusCode, states
from dcvsessions.nimble.states import Step, UsableStream

URL = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#session")
NOT_FOUND = NotFoundError(
    code="ResourceNotFoundException",
    message="There is none",
    operation="GetStreamingSession",
    request_id=None,
    http_status=404,
)

# A step was sent at 100 s, when the state was the same as now; see the table of Lightsail.
AT = 100.0
MOMENTS = ("at first", "at once", "later", "moved")

# To a session that is READY, where it may be started: a session that was given.
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
    "OF_TOMORROW":          ("wait",   "wait",   "wait",   "wait"),
    None:                   ("wait",   "wait",   "wait",   "wait"),
    "not found":            ("failed", "failed", "failed", "failed"),
}  # fmt: skip

# To one that is gone.
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
    "OF_TOMORROW":          ("wait",   "wait",   "wait",   "wait"),
    None:                   ("wait",   "wait",   "wait",   "wait"),
}  # fmt: skip

# To one that is READY where it was just made: nobody asked for a start.
MADE = {state: row[0] for state, row in READY.items()} | {
    "STOPPED": "failed",
    "STOP_IN_PROGRESS": "failed",
}

# After a deletion was asked for: whether it is on its way out.
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
    "OF_TOMORROW":         ("wait",       "wait"),
    None:                  ("wait",       "wait"),
}  # fmt: skip

# Something that was not found, by when it was made.
MISSING = [
    (None, 0.0, "failed"),  # long before
    (None, 1000.0, "failed"),
    (50.0, 50.0, "wait"),  # at once: eventual consistency
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


def cells(table: dict[str | None, tuple[str, ...]]) -> list[object]:
    return [
        pytest.param(state, name, expected, id=f"{state} {name}")
        for state, row in table.items()
        for name, expected in zip(MOMENTS, row, strict=True)
    ]


@pytest.mark.parametrize(("state", "name", "expected"), cells(READY))
def test_to_ready(state: str | None, name: str, expected: str) -> None:
    decision = states.decide_session(
        seen_session(state),
        context(name, Step.START, str(state)),
        may_start=True,
        created_at=None,
    )
    assert in_a_word(decision) == expected


@pytest.mark.parametrize(("state", "expected"), MADE.items())
def test_to_ready_of_one_that_was_just_made(state: str | None, expected: str) -> None:
    decision = states.decide_session(
        seen_session(state), WaitContext(), may_start=False, created_at=-STALE_READ_WINDOW
    )
    assert in_a_word(decision) == expected


@pytest.mark.parametrize(("state", "name", "expected"), cells(DELETED))
def test_to_deleted(state: str | None, name: str, expected: str) -> None:
    at = context(name, Step.DELETE, str(state))
    assert in_a_word(states.decide_deleted(seen_session(state), at)) == expected


@pytest.mark.parametrize(("state", "expected"), DELETION_REQUESTED.items())
def test_deletion_requested(state: str | None, expected: str) -> None:
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
def test_stream(state: str | None, url: DcvUrl | None, expected: str) -> None:
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
    assert table.keys() - {None, "not found", "OF_TOMORROW"} == set(states)
    assert {None, "OF_TOMORROW"} <= table.keys()
    assert ("not found" in table) is (states is StreamingSessionState)


@pytest.mark.parametrize(("created_at", "now", "expected"), MISSING)
def test_not_found_is_waited_out_for_what_is_young(
    created_at: float | None, now: float, expected: str
) -> None:
    at = WaitContext(now)
    missing = states.observation(NOT_FOUND)
    assert missing.state == states.NOT_FOUND
    of_session = states.decide_session(missing, at, may_start=True, created_at=created_at)
    of_stream = states.decide_stream(missing, at, created_at=created_at)
    assert in_a_word(of_session) == in_a_word(of_stream) == expected
    given_up = states.decide_deletion_requested(missing, at, created_at=created_at)
    assert in_a_word(given_up) == {"failed": "done", "wait": "wait"}[expected]
    # The service's own error is what is raised, not one of ours around it.
    if isinstance(of_session, Failed):
        assert of_session.error is NOT_FOUND


@pytest.mark.parametrize("state", [*StreamingSessionState, "OF_TOMORROW", None])
def test_the_answer_to_a_create_is_its_id(state: str | None) -> None:
    decision = states.decide_created_session(
        seen_session(state), WaitContext(), client_token="mine"
    )
    assert decision == Done("s-1")


@pytest.mark.parametrize("state", [*StreamState, "OF_TOMORROW", None])
def test_the_answer_to_a_create_of_a_stream_is_its_id(state: str | None) -> None:
    assert states.decide_created_stream(seen_stream(state, None), WaitContext()) == Done("st-1")


def test_an_answer_without_an_id_is_no_answer() -> None:
    session = states.observation(StreamingSession(session_id=""))
    stream = states.observation(Stream())
    assert (
        in_a_word(states.decide_created_session(session, WaitContext(), client_token="mine"))
        == "wait"
    )
    assert in_a_word(states.decide_created_stream(stream, WaitContext())) == "wait"


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
    ("state", "is_known"), [("READY", True), ("OF_TOMORROW", False), (None, False)]
)
def test_what_is_known(state: str | None, *, is_known: bool) -> None:
    assert seen_session(state).is_known is is_known
    assert seen_stream(state, None).is_known is is_known
    assert seen_session("not found").is_known
