"""A GUI session is started and stopped, and both are asked for once more meanwhile.

On AWS this costs about 5 minutes of a running computer: a start, a stop, and the calls, which are
free.
"""

from operator import attrgetter

import attrs
import pytest
from contract.observing import outcome, readings, states

from dcvsessions import ApiError, GuiSessionAccessDetails, LightsailClient, Operation

pytestmark = pytest.mark.aws(minutes=5, does="start the GUI session and stop it again")

_STATUS = attrgetter("status")


@attrs.define
class Course:
    """What was seen on the way from a stopped session to a started one, and back."""

    before: GuiSessionAccessDetails
    start: tuple[Operation, ...] = ()
    start_again: tuple[Operation, ...] | ApiError = ()
    start_at_once: Operation | None = None
    starting: list[GuiSessionAccessDetails] = attrs.Factory(list)
    start_while_started: tuple[Operation, ...] | ApiError = ()
    stop: tuple[Operation, ...] = ()
    stop_again: tuple[Operation, ...] | ApiError = ()
    stopping: list[GuiSessionAccessDetails] = attrs.Factory(list)
    stop_while_stopped: tuple[Operation, ...] | ApiError = ()
    ended: list[Operation] = attrs.Factory(list)
    listed: list[Operation] = attrs.Factory(list)


async def start_and_stop(name: str) -> Course:
    async with LightsailClient() as client:

        async def read() -> GuiSessionAccessDetails:
            return await client.create_gui_session_access_details(name)

        course = Course(before=await read())
        if course.before.status not in ("notStarted", "stopped", "startExpired"):
            pytest.exit(f"The session of {name} is {course.before.status}, not stopped", 1)
        course.start = await client.start_gui_session(name)
        try:
            course.start_again = await outcome(client.start_gui_session(name))
            course.start_at_once = await client.get_operation(course.start[0].id or "")
            course.starting = await readings(read, _STATUS, "started")
            course.start_while_started = await outcome(client.start_gui_session(name))
        finally:
            course.stop = await client.stop_gui_session(name)
            course.stop_again = await outcome(client.stop_gui_session(name))
            course.stopping = await readings(read, _STATUS, "stopped")
        course.stop_while_stopped = await outcome(client.stop_gui_session(name))
        for operation in (*course.start, *course.stop):
            course.ended.append(await client.get_operation(operation.id or ""))
        course.listed = [each async for each in client.get_operations_for_resource(name)]
        return course


@pytest.fixture(scope="module")
def course(target):
    return target.run(start_and_stop)


def test_a_start_leads_through_starting_to_started(course):
    seen = states(course.starting, _STATUS)
    assert seen[-2:] == ["starting", "started"]
    assert set(seen[:-2]) <= {str(course.before.status)}  # a stale reading


def test_a_stop_leads_through_stopping_to_stopped(course):
    seen = states(course.stopping, _STATUS)
    assert seen[-2:] == ["stopping", "stopped"]
    assert set(seen[:-2]) <= {"started"}


def test_the_percentage_of_a_start_grows_to_100(course):
    found = [each.percentage_complete for each in course.starting]
    told = [each for each in found if each is not None]
    assert told == sorted(told)
    assert len(set(told)) > 1
    assert all(0 <= each <= 100 for each in told)
    assert course.starting[-1].percentage_complete == 100


def test_a_session_that_is_stopped_has_no_percentage(course):
    assert course.before.percentage_complete is None
    assert course.stopping[-1].percentage_complete is None


def test_a_started_session_has_two_urls_of_which_the_first_is_primary(course):
    sessions = course.starting[-1].sessions
    assert [each.is_primary for each in sessions] == [True, False]
    assert len({each.url for each in sessions}) == 2
    assert all(each.url for each in sessions)
    assert all(each.name for each in sessions)


def test_a_session_that_is_not_started_has_no_url(course):
    for reading in (course.before, *course.starting[:-1], course.stopping[-1]):
        assert reading.sessions == ()


@pytest.mark.parametrize("again", ["start_again", "start_while_started"])
def test_a_start_while_starting_or_started_returns_the_operation_of_that_start(course, again):
    assert [each.id for each in getattr(course, again)] == [each.id for each in course.start]


def test_a_stop_while_stopping_returns_the_operation_of_that_stop(course):
    assert [each.id for each in course.stop_again] == [each.id for each in course.stop]


def test_a_stop_of_a_stopped_session_is_refused(course):
    refusal = course.stop_while_stopped
    assert isinstance(refusal, ApiError)
    assert (refusal.code, refusal.http_status) == ("InvalidInputException", 400)


def test_each_request_makes_one_operation(course):
    assert len(course.start) == len(course.stop) == 1
    assert course.start[0].id != course.stop[0].id


def test_an_operation_is_recorded_while_it_runs(course, target):
    (answered,), read = course.start, course.start_at_once
    assert read.id == answered.id
    assert read.operation_type == answered.operation_type == "StartGUISession"
    assert read.resource_name == answered.resource_name == target.name
    assert read.resource_type == answered.resource_type == "Instance"
    assert read.created_at == answered.created_at
    assert read.location == answered.location
    assert read.location.region_name
    assert read.status in ("NotStarted", "Started")
    assert read.is_terminal is False
    assert read.error_code is None


def test_an_operation_ends_with_success(course):
    assert [each.operation_type for each in course.ended] == ["StartGUISession", "StopGUISession"]
    for operation in course.ended:
        assert operation.status in ("Succeeded", "Completed")
        assert operation.is_terminal is True
        assert operation.error_code is None
        assert operation.created_at <= operation.status_changed_at


def test_the_operations_of_the_computer_are_listed_oldest_first(course):
    ids = [each.id for each in course.listed]
    assert [each for each in ids if each in {one.id for one in course.ended}] == [
        each.id for each in course.ended
    ]
