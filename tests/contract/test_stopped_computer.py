"""A computer is stopped, asked for its GUI session, and started again.

On AWS this costs about 6 minutes of a running computer. It gets a new public IP address, unless it
has a static one.
"""

from operator import attrgetter

import attrs
import pytest
from contract.observing import outcome, readings, states

from dcvsessions import ApiError, GuiSessionAccessDetails, LightsailClient, Operation
from dcvsessions.lightsail import InstanceState

pytestmark = pytest.mark.aws(
    minutes=6,
    does="stop the computer and start it again, which gives it a new public IP address",
)

_NAME = attrgetter("name")


@attrs.define
class Course:
    """What was seen of a computer that was stopped, and of its session meanwhile."""

    stop: tuple[Operation, ...]
    stopping: list[InstanceState] = attrs.Factory(list)
    session: GuiSessionAccessDetails | None = None
    start_session: tuple[Operation, ...] | ApiError = ()
    stop_session: tuple[Operation, ...] | ApiError = ()
    starting: list[InstanceState] = attrs.Factory(list)
    session_after: GuiSessionAccessDetails | None = None


async def stop_and_start(name: str) -> Course:
    async with LightsailClient() as client:

        async def read() -> InstanceState:
            return await client.get_instance_state(name)

        course = Course(stop=await client.stop_instance(name))
        try:
            course.stopping = await readings(read, _NAME, "stopped")
            course.session = await client.create_gui_session_access_details(name)
            course.start_session = await outcome(client.start_gui_session(name))
            course.stop_session = await outcome(client.stop_gui_session(name))
        finally:
            await client.start_instance(name)
            course.starting = await readings(read, _NAME, "running")
        course.session_after = await client.create_gui_session_access_details(name)
        return course


@pytest.fixture(scope="module")
def course(target):
    return target.run(stop_and_start)


def test_a_computer_stops_and_starts(course):
    assert states(course.stopping, _NAME)[-2:] == ["stopping", "stopped"]
    assert states(course.starting, _NAME)[-2:] == ["pending", "running"]
    assert course.stopping[-1].code == 80
    assert course.starting[-1].code == 16


def test_the_session_of_a_stopped_computer_is_stopped_and_has_no_url(course):
    assert course.session.status == "stopped"
    assert course.session.sessions == ()


@pytest.mark.parametrize("request_", ["start_session", "stop_session"])
def test_a_session_of_a_stopped_computer_is_neither_started_nor_stopped(course, request_):
    refusal = getattr(course, request_)
    assert isinstance(refusal, ApiError)
    assert (refusal.code, refusal.http_status) == ("InvalidInputException", 400)


def test_a_start_of_the_computer_does_not_start_its_session(course):
    assert course.session_after.status == "stopped"
