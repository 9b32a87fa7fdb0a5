"""A GUI session expires after an hour and is resumed.

On AWS this costs about 70 minutes of a running computer: the hour, two starts and a stop.
"""

from operator import attrgetter

import attrs
import pytest
from contract.observing import outcome, readings, states

from dcvsessions import ApiError, GuiSessionAccessDetails, LightsailClient, Operation

pytestmark = pytest.mark.aws(
    minutes=70, does="start the GUI session, wait until it expires, resume it and stop it"
)

_STATUS = attrgetter("status")
_LIFETIME = 3600.0


@attrs.define
class Course:
    """What was seen of a session that expired and was resumed."""

    started: GuiSessionAccessDetails
    expiring: list[GuiSessionAccessDetails] = attrs.Factory(list)
    stop_while_expired: tuple[Operation, ...] | ApiError = ()
    resuming: list[GuiSessionAccessDetails] = attrs.Factory(list)


async def expire_and_resume(name: str) -> Course:
    async with LightsailClient() as client:

        async def read() -> GuiSessionAccessDetails:
            return await client.create_gui_session_access_details(name)

        await client.start_gui_session(name)
        try:
            course = Course(started=(await readings(read, _STATUS, "started"))[-1])
            course.expiring = await readings(
                read, _STATUS, "startExpired", interval=30, patience=1.2 * _LIFETIME
            )
            course.stop_while_expired = await outcome(client.stop_gui_session(name))
            await client.start_gui_session(name)
            course.resuming = await readings(read, _STATUS, "started")
        finally:
            await client.stop_gui_session(name)
            await readings(read, _STATUS, "stopped")
        return course


@pytest.fixture(scope="module")
def course(target):
    return target.run(expire_and_resume)


def test_a_started_session_expires(course):
    assert states(course.expiring, _STATUS) == ["started", "startExpired"]


def test_the_urls_stay_the_same_while_the_session_is_started(course):
    for reading in course.expiring[:-1]:
        assert reading.sessions == course.started.sessions


def test_an_expired_session_has_no_url(course):
    assert course.expiring[-1].sessions == ()


def test_a_stop_of_an_expired_session_is_refused(course):
    refusal = course.stop_while_expired
    assert isinstance(refusal, ApiError)
    assert (refusal.code, refusal.http_status) == ("InvalidInputException", 400)


def test_an_expired_session_is_resumed_by_a_start(course):
    seen = states(course.resuming, _STATUS)
    assert seen[-2:] == ["starting", "started"]
    assert set(seen[:-2]) <= {"startExpired"}


def test_a_resumed_session_has_new_urls(course):
    sessions = course.resuming[-1].sessions
    assert [each.is_primary for each in sessions] == [True, False]
    assert not {each.url for each in sessions} & {each.url for each in course.started.sessions}
