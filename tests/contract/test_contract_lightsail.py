"""What the state tables and the simulator assume of Lightsail's GUI sessions.

All tests look at one course, so that on AWS it costs one start and one stop: a few minutes.
"""

from itertools import groupby

from dcvsessions import InvalidRequestError, NotFoundError


def statuses(readings):
    return [str(status) for status, _ in groupby(readings, key=lambda each: each.status)]


def test_a_start_leads_through_starting_to_started(course):
    seen = statuses(course.starting)
    assert seen[-2:] == ["starting", "started"]
    assert set(seen[:-2]) <= {str(course.before.status)}  # a stale reading


def test_a_stop_leads_through_stopping_to_stopped(course):
    seen = statuses(course.stopping)
    assert seen[-2:] == ["stopping", "stopped"]
    assert set(seen[:-2]) <= {"started"}


def test_the_percentage_of_a_start_grows_to_100(course):
    found = [each.percentage_complete for each in course.starting]
    told = [each for each in found if each is not None]
    assert told == sorted(told)
    assert all(0 <= each <= 100 for each in told)
    assert course.starting[-1].percentage_complete == 100


def test_a_started_session_has_two_urls_of_which_the_first_is_primary(course):
    sessions = course.starting[-1].sessions
    assert [each.is_primary for each in sessions] == [True, False]
    assert len({each.url for each in sessions}) == 2
    assert all(each.url for each in sessions)


def test_a_session_that_is_not_started_has_no_url(course):
    for reading in (course.before, *course.starting[:-1], course.stopping[-1]):
        assert reading.sessions == ()


def test_a_start_while_starting_returns_the_operation_of_that_start(course):
    assert [each.id for each in course.again] == [each.id for each in course.start]


def test_the_operations_are_recorded_with_their_types_and_end_with_success(course):
    assert [each.operation_type for each in course.ended] == ["StartGUISession", "StopGUISession"]
    for operation in course.ended:
        assert operation.status in ("Succeeded", "Completed")
        assert operation.is_terminal
        assert operation.error_code is None
        assert operation.created_at <= operation.status_changed_at


def test_an_unknown_computer_is_not_found(course):
    assert isinstance(course.unknown, NotFoundError)


def test_a_stop_of_a_stopped_session_is_refused(course):
    assert isinstance(course.stopped_twice, InvalidRequestError)
