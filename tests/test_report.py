"""What a wait remembers of its polls, states and errors, and the errors that tell of it."""

import pytest

from dcvsessions import NotFoundError, WaitFailedError
from dcvsessions._wait.decisions import Failed
from dcvsessions._wait.report import Report, brief
from dcvsessions.errors import (
    DcvSessionsError,
    ErrorAbsorbed,
    Failure,
    InvalidResponseError,
    StateSeen,
    WaitReport,
)

MISSING = {
    "code": "ResourceNotFoundException",
    "message": "There is none",
    "operation": "GetThing",
    "http_status": 404,
}


def history(report: Report) -> tuple[StateSeen | ErrorAbsorbed, ...]:
    return report.of("thing", "done", 0).history


def seen(resource: str, state: str, elapsed: float) -> StateSeen:
    return StateSeen(resource=resource, state=state, elapsed=elapsed)


def test_a_state_is_recorded_when_it_changes() -> None:
    report = Report()
    for state, elapsed in (("a", 1), ("a", 2), ("b", 3), ("a", 4)):
        report.saw("thing", state, elapsed)
    assert history(report) == (seen("thing", "a", 1), seen("thing", "b", 3), seen("thing", "a", 4))


def test_the_same_state_of_another_resource_is_another() -> None:
    report = Report()
    report.saw("session", "READY", 1)
    report.saw("stream", "READY", 2)
    report.saw("stream", "READY", 3)
    assert history(report) == (seen("session", "READY", 1), seen("stream", "READY", 2))


def test_an_error_between_does_not_make_a_state_new() -> None:
    report = Report()
    report.saw("thing", "a", 1)
    report.absorbed("oh", 2)
    report.saw("thing", "a", 3)
    assert history(report) == (seen("thing", "a", 1), ErrorAbsorbed(error="oh", elapsed=2))


def test_the_same_error_in_a_row_is_counted() -> None:
    report = Report()
    for error, elapsed in (("oh", 1), ("oh", 2), ("oh", 3), ("no", 4), ("oh", 5)):
        report.absorbed(error, elapsed)
    assert history(report) == (
        ErrorAbsorbed(error="oh", elapsed=1, times=3),
        ErrorAbsorbed(error="no", elapsed=4, times=1),
        ErrorAbsorbed(error="oh", elapsed=5, times=1),
    )


def test_the_state_of_a_resource_is_the_latest() -> None:
    report = Report()
    assert report.state_of("thing") is None
    for state in ("a", "a", "b"):
        report.saw("thing", state, 1)
    report.saw("other", "c", 2)
    assert (report.state_of("thing"), report.state_of("other")) == ("b", "c")


def test_a_long_wait_remembers_its_last_thousand_entries() -> None:
    report = Report()
    for number in range(1001):
        report.saw("thing", str(number), number)
    entries = history(report)
    assert len(entries) == 1000
    assert entries[0] == seen("thing", "1", 1)
    assert entries[-1] == seen("thing", "1000", 1000)


def test_the_polls_of_all_resources_are_told_together() -> None:
    report = Report()
    report.polls["session"] += 2
    report.polls["stream"] += 3
    report.saw("session", "READY", 1)
    assert report.of("thing", "done", 12.5) == WaitReport(
        resource="thing",
        awaited="done",
        elapsed=12.5,
        polls=5,
        history=(seen("session", "READY", 1),),
    )


def test_a_failure_becomes_an_error_with_its_report() -> None:
    report = Report()
    report.polls["thing"] += 1
    report.saw("thing", "FAILED", 2)
    details = Failure(state="FAILED", status_code="NO_ROOM")
    error = report.failed(Failed(reason="It failed.", details=details), "thing", "done", 3)
    assert isinstance(error, WaitFailedError)
    assert str(error) == (
        "thing is not done after 3.0 s and 1 poll: It failed. States seen: FAILED at 2.0 s."
    )
    assert (error.state, error.status_code) == ("FAILED", "NO_ROOM")
    assert error.report == report.of("thing", "done", 3)


def test_a_failure_by_an_error_of_the_service_is_that_error_with_a_note() -> None:
    missing = NotFoundError(**MISSING, request_id=None)
    report = Report()
    report.polls["thing"] += 1
    found = report.failed(Failed(reason="It is missing.", error=missing), "thing", "done", 3)
    assert found is missing
    assert found.__notes__ == ["While waiting for thing to be done, after 3.0 s and 1 poll."]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            NotFoundError(**MISSING, request_id="r-1"),
            "GetThing: ResourceNotFoundException (HTTP 404)",
        ),
        (InvalidResponseError("A page.", operation="GetThing"), "A page."),
    ],
)
def test_the_brief_text_of_an_error_is_the_same_each_time(
    error: DcvSessionsError, text: str
) -> None:
    assert brief(error) == text
