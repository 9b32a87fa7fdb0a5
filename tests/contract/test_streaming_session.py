"""A streaming session of Nimble Studio, from its creation to its deletion.

This runs against the simulator only, because AWS has closed the service.
"""

import asyncio
from functools import partial
from operator import attrgetter

import attrs
import pytest
from contract.observing import outcome, readings, states

from dcvsessions import ApiError, NimbleClient, Stream, StreamingSession

_STATE = attrgetter("state")
_LIFETIME = 60


@attrs.define
class Course:
    """What was seen of one session and its stream."""

    created: StreamingSession
    created_again: StreamingSession | None = None
    stream_too_early: Stream | ApiError | None = None
    creating: list[StreamingSession] = attrs.Factory(list)
    start_while_ready: StreamingSession | ApiError | None = None
    stream: list[Stream] = attrs.Factory(list)
    expired: Stream | None = None
    stop_while_stopping: StreamingSession | ApiError | None = None
    stopping: list[StreamingSession] = attrs.Factory(list)
    start_while_starting: StreamingSession | ApiError | None = None
    starting: list[StreamingSession] = attrs.Factory(list)
    delete_while_deleting: StreamingSession | ApiError | None = None
    deleting: list[StreamingSession] = attrs.Factory(list)
    delete_while_deleted: StreamingSession | ApiError | None = None
    unknown: dict[str, object] = attrs.Factory(dict)


async def live_and_die(_: str) -> Course:
    async with NimbleClient() as client:

        async def create() -> StreamingSession:
            return await client.create_streaming_session(
                "studio-1", launch_profile_id="lp-1", client_token="token-1"
            )

        course = Course(created=await create())
        course.created_again = await create()
        session_id = course.created.session_id or ""

        async def until(goal: str) -> list[StreamingSession]:
            read = partial(client.get_streaming_session, "studio-1", session_id)
            return await readings(read, _STATE, goal, interval=10)

        course.stream_too_early = await outcome(
            client.create_streaming_session_stream("studio-1", session_id)
        )
        course.creating = await until("READY")
        course.start_while_ready = await outcome(
            client.start_streaming_session("studio-1", session_id)
        )
        await _look_at_a_stream(client, session_id, course)
        await client.stop_streaming_session("studio-1", session_id)
        course.stop_while_stopping = await outcome(
            client.stop_streaming_session("studio-1", session_id)
        )
        course.stopping = await until("STOPPED")
        await client.start_streaming_session("studio-1", session_id)
        course.start_while_starting = await outcome(
            client.start_streaming_session("studio-1", session_id)
        )
        course.starting = await until("READY")
        await client.delete_streaming_session("studio-1", session_id)
        course.delete_while_deleting = await outcome(
            client.delete_streaming_session("studio-1", session_id)
        )
        course.deleting = await until("DELETED")
        course.delete_while_deleted = await outcome(
            client.delete_streaming_session("studio-1", session_id)
        )
        course.unknown = {
            "studio": await outcome(client.get_studio("studio-9")),
            "launch profile": await outcome(client.get_launch_profile("studio-1", "lp-9")),
            "session": await outcome(client.get_streaming_session("studio-1", "session-9")),
            "stream": await outcome(
                client.get_streaming_session_stream("studio-1", session_id, "stream-9")
            ),
        }
        return course


async def _look_at_a_stream(client: NimbleClient, session_id: str, course: Course) -> None:
    stream = await client.create_streaming_session_stream(
        "studio-1", session_id, expiration_in_seconds=_LIFETIME
    )

    async def read() -> Stream:
        return await client.get_streaming_session_stream(
            "studio-1", session_id, stream.stream_id or ""
        )

    course.stream = [stream, *await readings(read, _STATE, "READY")]
    await asyncio.sleep(_LIFETIME)
    course.expired = await read()


@pytest.fixture(scope="module")
def course(target):
    return target.run(live_and_die)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("creating", ["CREATE_IN_PROGRESS", "READY"]),
        ("stopping", ["STOP_IN_PROGRESS", "STOPPED"]),
        ("starting", ["START_IN_PROGRESS", "READY"]),
        ("deleting", ["DELETE_IN_PROGRESS", "DELETED"]),
    ],
)
def test_a_request_leads_through_its_progress_to_its_end(course, seen, expected):
    assert states(getattr(course, seen), _STATE) == expected


def test_a_state_has_its_status_code(course):
    assert course.creating[0].status_code == "STREAMING_SESSION_CREATE_IN_PROGRESS"
    assert course.creating[-1].status_code == "STREAMING_SESSION_READY"
    assert course.stopping[-1].status_code == "STREAMING_SESSION_STOPPED"
    assert course.starting[-1].status_code == "STREAMING_SESSION_STARTED"
    assert course.deleting[-1].status_code == "STREAMING_SESSION_DELETED"


def test_a_client_token_makes_one_session(course):
    assert course.created_again.session_id == course.created.session_id


@pytest.mark.parametrize(
    "refused",
    [
        "stream_too_early",
        "start_while_ready",
        "stop_while_stopping",
        "start_while_starting",
        "delete_while_deleting",
    ],
)
def test_a_request_in_another_state_is_a_conflict(course, refused):
    error = getattr(course, refused)
    assert isinstance(error, ApiError)
    assert (error.code, error.http_status) == ("ConflictException", 409)


def test_a_stream_has_its_url_once_it_is_ready(course):
    assert [each.state for each in course.stream][-1] == "READY"
    assert all(each.url is None for each in course.stream[:-1])
    assert course.stream[-1].url
    lifetime = course.stream[-1].expires_at - course.stream[-1].created_at
    assert lifetime.total_seconds() == _LIFETIME


def test_a_stream_that_has_expired_has_no_url(course):
    assert course.expired.state == "DELETED"
    assert course.expired.url is None


def test_what_is_deleted_is_not_found_by_another_deletion(course):
    error = course.delete_while_deleted
    assert isinstance(error, ApiError)
    assert (error.code, error.http_status) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("what", ["studio", "launch profile", "session", "stream"])
def test_what_does_not_exist_is_not_found(course, what):
    error = course.unknown[what]
    assert isinstance(error, ApiError)
    assert (error.code, error.http_status) == ("ResourceNotFoundException", 404)
