"""The one session that a call makes: handed over, deleted, or named in the error. In virtual time.

Nimble Studio is a script here: what it answers to each create, delete and read, and when.
"""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any, Self

import pytest
from attrs import evolve

from dcvsessions import (
    AccessDeniedError,
    ApiError,
    CallTimeoutError,
    ConflictError,
    ConnectionFailedError,
    DcvSessionsError,
    InvalidRequestError,
    InvalidResponseError,
    NimbleClient,
    NotFoundError,
    Progress,
    ServiceFaultError,
    StreamingSession,
    StreamingSessionState,
    ThrottledError,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions._aws.client import _BLIND_REPEATS, service_now
from dcvsessions._aws.connection import Connection
from dcvsessions._wait.loop import FINAL_POLL_GRACE, Waiter
from dcvsessions.errors import LeftBehind
from dcvsessions.nimble import StreamingSessionRequest
from dcvsessions.nimble._ownership import (
    CLEANUP_TIMEOUT,
    PATIENCE,
    OwnedSession,
    report_leftover,
)

pytestmark = pytest.mark.looptime

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
REQUEST = StreamingSessionRequest(
    launch_profile_id="lp",
    ec2_instance_type="g5.xlarge",
    owned_by="someone",
    streaming_image_id="image",
    tags={"team": "compositing"},
)
LOST = (
    CallTimeoutError("No answer."),
    ConnectionFailedError("The connection was reset."),
    InvalidResponseError("A page.", operation="CreateStreamingSession"),
)

Answer = Callable[[], Awaitable[StreamingSession]]


def api_error(kind: type[ApiError], code: str = "SomeException") -> ApiError:
    return kind(code=code, message="No", operation="Some", request_id=None, http_status=400)


def denied() -> ApiError:
    return api_error(AccessDeniedError, "AccessDeniedException")


def conflict() -> ApiError:
    return api_error(ConflictError, "ConflictException")


def missing() -> ApiError:
    return api_error(NotFoundError, "ResourceNotFoundException")


def throttled() -> ApiError:
    return api_error(ThrottledError, "ThrottlingException")


def fault() -> ApiError:
    return api_error(ServiceFaultError, "InternalServerException")


def session(
    state: str | None = "CREATE_IN_PROGRESS",
    session_id: str = "s-1",
    created_at: datetime | None = NEW_YEAR + timedelta(days=1),
) -> StreamingSession:
    known = None if state is None else StreamingSessionState(state)
    return StreamingSession(session_id=session_id, state=known, created_at=created_at)


def answered(
    result: StreamingSession | DcvSessionsError,
    after: float = 0.0,
    *,
    ignores_cancellation: bool = False,
) -> Answer:
    """Answer some seconds later."""

    async def answer() -> StreamingSession:
        if ignores_cancellation:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(after)
        await asyncio.sleep(after)
        if isinstance(result, DcvSessionsError):
            raise result
        return result

    return answer


class Nimble(NimbleClient):
    """Nimble Studio by a script; the last answer of an operation is given again and again.

    Attributes:
        creates: What it answers to creates.
        deletes: What it answers to deletions.
        gets: What it answers to reads.
        calls: The operations that were called, and when.
        tokens: The client tokens of the creates and deletions.
        tells_time: Whether its answers have a date.
    """

    def __init__(self, **script: Any) -> None:
        super().__init__()
        self.creates: list[Answer] = script.get("creates", [answered(session())])
        self.deletes: list[Answer] = script.get(
            "deletes", [answered(session("DELETE_IN_PROGRESS"))]
        )
        self.gets: list[Answer] = script.get("gets", [])
        self.tells_time: bool = script.get("tells_time", True)
        self.calls: list[tuple[str, float]] = []
        self.created_with: list[dict[str, Any]] = []
        self.tokens: dict[str, list[str | None]] = {"create": [], "delete": []}
        self.repeats_blindly: list[bool] = []
        self.is_open = False

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_open = False

    async def create_streaming_session(self, studio_id: str, **given: Any) -> StreamingSession:
        self.created_with.append({"studio_id": studio_id, **given})
        self.tokens["create"].append(given["client_token"])
        self.repeats_blindly.append(_BLIND_REPEATS.get())
        return await self._answer("create", self.creates)

    async def delete_streaming_session(
        self, studio_id: str, session_id: str, *, client_token: str | None = None
    ) -> StreamingSession:
        assert (studio_id, session_id) == ("studio", "s-1")
        self.tokens["delete"].append(client_token)
        return await self._answer("delete", self.deletes)

    async def get_streaming_session(self, studio_id: str, session_id: str) -> StreamingSession:
        assert (studio_id, session_id) == ("studio", "s-1")
        return await self._answer("get", self.gets)

    async def _answer(self, operation: str, script: list[Answer]) -> StreamingSession:
        self.calls.append((operation, now()))
        found = await (script.pop(0) if len(script) > 1 else script[0])()
        if self.tells_time:
            self._last_date = (format_datetime(NEW_YEAR, usegmt=True), 0.0)
        return found

    @property
    def called(self) -> list[str]:
        return [operation for operation, _ in self.calls]


def now() -> float:
    return asyncio.get_running_loop().time()


def owned(token: str | None = None) -> OwnedSession:
    return OwnedSession.of("studio", evolve(REQUEST, client_token=token))


def connection_to(nimble: Nimble) -> Connection[NimbleClient]:
    return Connection(NimbleClient, nimble)


def waiter(seconds: float | None = 600) -> Waiter:
    return Waiter(timeout=seconds, poll_interval=5)


@asynccontextmanager
async def made(nimble: Nimble, one: OwnedSession, *, keep: bool = False) -> AsyncGenerator[str]:
    """Run a block with the session, as the helpers do."""
    async with one.cleaned_up(connection_to(nimble), keep=keep):
        yield await one.make(nimble, waiter())


async def fails_with(
    error: BaseException, nimble: Nimble, one: OwnedSession, *, keep: bool = False
) -> BaseException:
    """Return what leaves a block that fails after the session was made."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the tests look at what it is
        async with made(nimble, one, keep=keep):
            raise error
    return caught.value


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "dcvsessions.nimble._ownership" and record.levelno == logging.WARNING
    ]


# --- Making it ---


async def test_a_create_passes_on_the_whole_request() -> None:
    nimble, one = Nimble(), owned("mine")
    assert await one.make(nimble, waiter()) == one.session_id == "s-1"
    assert nimble.created_with == [
        {
            "studio_id": "studio",
            "launch_profile_id": "lp",
            "ec2_instance_type": "g5.xlarge",
            "owned_by": "someone",
            "streaming_image_id": "image",
            "tags": {"team": "compositing"},
            "client_token": "mine",
        }
    ]


def test_a_request_with_tags_can_be_hashed() -> None:
    assert hash(REQUEST) == hash(evolve(REQUEST, tags={"team": "lighting"}))


async def test_without_a_callers_token_each_session_gets_a_new_one() -> None:
    first, second = owned(), owned()
    assert first.client_token != second.client_token
    assert len(first.client_token) == 32


@pytest.mark.parametrize("error", [*LOST, fault(), api_error(ApiError), throttled()], ids=repr)
async def test_a_create_that_was_not_answered_is_repeated_with_the_same_token(
    error: DcvSessionsError,
) -> None:
    nimble, one = Nimble(creates=[answered(error), answered(session())]), owned()
    assert await one.make(nimble, waiter()) == "s-1"
    assert nimble.tokens["create"] == [one.client_token, one.client_token]
    # botocore would repeat such a call by itself, and hide that it may have succeeded before.
    assert nimble.repeats_blindly == [False, False]
    assert _BLIND_REPEATS.get()


async def test_a_slow_create_is_waited_for_and_not_sent_twice() -> None:
    nimble, one = Nimble(creates=[answered(session(), after=12)]), owned()
    assert await one.make(nimble, waiter(10)) == "s-1"
    assert nimble.called == ["create"]
    assert now() == 12


async def test_a_session_of_a_used_token_is_not_taken_and_nothing_is_left() -> None:
    nimble, one = Nimble(creates=[answered(session("DELETED"))]), owned("mine")
    error = await fails_with(ZeroDivisionError(), nimble, one)
    assert isinstance(error, WaitFailedError)
    assert "client_token='mine' is used up" in str(error)
    assert "streaming session in studio is not created" in str(error)
    assert error.left_behind is None
    assert one.session_id is None
    assert nimble.called == ["create"]


async def test_the_age_of_a_session_counts_from_the_answer() -> None:
    nimble, one = Nimble(creates=[answered(session(), after=4)]), owned()
    await one.make(nimble, waiter())
    await asyncio.sleep(7)
    assert one.made is not None
    assert one.made.age == pytest.approx(7, abs=0.5)


async def test_a_create_is_repeated_after_some_seconds_at_most() -> None:
    nimble = Nimble(creates=[*[answered(LOST[0])] * 3, answered(session())])
    await owned().make(nimble, Waiter(timeout=600))
    gaps = [after - before for (_, before), (_, after) in pairwise(nimble.calls)]
    assert 0 < min(gaps) <= max(gaps) <= 12


async def test_a_session_that_is_made_is_not_the_end_of_the_wait() -> None:
    events: list[Progress] = []
    await owned().make(Nimble(), Waiter(timeout=600, on_progress=events.append))
    assert [event.is_done for event in events] == [False]


# --- Whether an earlier run made it ---


@pytest.mark.parametrize(
    ("created", "is_earlier"),
    # The create is sent at second 10 and answered at second 15; dates are in whole seconds.
    [(-3600, True), (8.999, True), (9, True), (9.001, False), (10, False), (15, False)],
)
async def test_a_session_made_before_the_first_attempt_is_of_an_earlier_run(
    created: float, *, is_earlier: bool
) -> None:
    created_at = NEW_YEAR + timedelta(seconds=created)
    nimble = Nimble(creates=[answered(session("READY", created_at=created_at), after=5)])
    one = owned("mine")
    await asyncio.sleep(10)
    await one.make(nimble, waiter())
    assert one.is_earlier is is_earlier


async def test_what_counts_is_the_first_attempt_and_not_the_one_that_was_answered() -> None:
    lost = answered(ConnectionFailedError("Reset."), after=5)
    found = answered(session("READY", created_at=NEW_YEAR + timedelta(seconds=2)), after=5)
    nimble, one = Nimble(creates=[lost, lost, found]), owned("mine")
    await one.make(nimble, waiter())
    assert not one.is_earlier


async def test_with_a_token_of_this_call_no_session_is_of_an_earlier_run() -> None:
    old = session("READY", created_at=NEW_YEAR - timedelta(days=1))
    one = owned()
    await one.make(Nimble(creates=[answered(old, after=5)]), waiter())
    assert not one.is_earlier


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "READY", None])
@pytest.mark.parametrize(
    ("token", "is_earlier"), [("mine", True), (None, False)], ids=["callers", "own"]
)
async def test_without_a_date_only_a_token_of_this_call_proves_whose_a_session_is(
    state: str | None, token: str | None, *, is_earlier: bool
) -> None:
    undated = owned(token)
    await undated.make(Nimble(creates=[answered(session(state, created_at=None))]), waiter())
    assert undated.is_earlier is is_earlier
    of_no_time = owned(token)
    await of_no_time.make(Nimble(creates=[answered(session(state))], tells_time=False), waiter())
    assert of_no_time.is_earlier is is_earlier


@pytest.mark.parametrize(
    "date",
    [None, "", "yesterday", "Fri, 99 Jan 2027 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"],
)
async def test_a_date_that_cannot_be_read_tells_no_time(date: str | None) -> None:
    nimble = Nimble()
    nimble._last_date = None if date is None else (date, 0.0)
    await asyncio.sleep(60)
    assert service_now(nimble) is None


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
async def test_the_services_time_goes_on_with_the_loop(zone: str) -> None:
    nimble = Nimble()
    nimble._last_date = (f"Fri, 01 Jan 2027 00:00:00 {zone}", 0.0)
    await asyncio.sleep(60)
    assert service_now(nimble) == NEW_YEAR + timedelta(seconds=60)


async def test_a_wall_clock_that_was_set_does_not_make_a_session_older(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    created_at = NEW_YEAR + timedelta(seconds=2)
    nimble = Nimble(creates=[answered(session("READY", created_at=created_at), after=5)])
    one, real = owned("mine"), time.time
    task = asyncio.create_task(one.make(nimble, waiter()))
    await asyncio.sleep(1)
    for hours in (-1, 1):
        monkeypatch.setattr(time, "time", lambda hours=hours: real() + 3600 * hours)
        await asyncio.sleep(1)
    await task
    assert not one.is_earlier


# --- When the block fails ---


async def test_a_block_that_succeeds_keeps_its_session(caplog: pytest.LogCaptureFixture) -> None:
    nimble, one = Nimble(), owned()
    async with made(nimble, one) as session_id:
        assert session_id == "s-1"
    assert nimble.called == ["create"]
    assert one.session_id == "s-1"
    assert warnings(caplog) == []


@pytest.mark.parametrize("keep", [False, True])
async def test_a_block_that_fails_before_the_create_says_nothing(
    caplog: pytest.LogCaptureFixture, *, keep: bool
) -> None:
    nimble, one = Nimble(), owned("mine")
    with pytest.raises(ConflictError) as caught:
        async with one.cleaned_up(connection_to(nimble), keep=keep):
            raise conflict()
    assert caught.value.left_behind is None
    assert (nimble.called, warnings(caplog)) == ([], [])


@pytest.mark.parametrize("error", [conflict(), KeyError("mine"), KeyboardInterrupt()], ids=repr)
async def test_a_block_that_fails_has_its_session_deleted(
    caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    nimble, one = Nimble(), owned("mine")
    assert await fails_with(error, nimble, one) is error
    assert nimble.called == ["create", "delete"]
    assert getattr(error, "left_behind", None) is None
    assert (notes(error), warnings(caplog)) == ([], [])
    assert one.session_id is None


async def test_a_kept_session_is_named_in_the_error(caplog: pytest.LogCaptureFixture) -> None:
    nimble, one = Nimble(), owned("mine")
    error = await fails_with(conflict(), nimble, one, keep=True)
    assert isinstance(error, ConflictError)
    left = LeftBehind(session_id="s-1", client_token="mine")
    assert error.left_behind == left
    assert nimble.called == ["create"]
    assert (notes(error), warnings(caplog)) == ([], [str(left)])


async def test_a_kept_session_is_named_in_a_note_of_any_other_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = await fails_with(KeyError("mine"), Nimble(), owned("mine"), keep=True)
    assert notes(error) == [str(LeftBehind(session_id="s-1", client_token="mine"))]
    assert warnings(caplog) == notes(error)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("created_at", [NEW_YEAR - timedelta(hours=1), None])
async def test_a_session_of_an_earlier_run_is_never_deleted_but_named(
    caplog: pytest.LogCaptureFixture, created_at: datetime | None, *, keep: bool
) -> None:
    nimble = Nimble(creates=[answered(session("READY", created_at=created_at))])
    error = await fails_with(conflict(), nimble, owned("mine"), keep=keep)
    assert isinstance(error, ConflictError)
    left = LeftBehind(session_id="s-1", client_token="mine")
    assert error.left_behind == left
    assert nimble.called == ["create"]
    assert (notes(error), warnings(caplog)) == ([], [str(left)])


async def test_a_session_to_keep_that_is_not_known_is_named_by_its_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nimble = Nimble(creates=[answered(LOST[0]), answered(denied())])
    error = await fails_with(ZeroDivisionError(), nimble, owned("mine"), keep=True)
    assert isinstance(error, AccessDeniedError)
    left = LeftBehind(session_id=None, client_token="mine")
    assert error.left_behind == left
    assert nimble.called == ["create", "create"]
    assert warnings(caplog) == [str(left)]


async def test_a_refused_create_leaves_nothing() -> None:
    nimble, one = Nimble(creates=[answered(api_error(InvalidRequestError))]), owned()
    error = await fails_with(ZeroDivisionError(), nimble, one)
    assert isinstance(error, InvalidRequestError)
    assert error.left_behind is None
    assert nimble.called == ["create"]


async def test_a_create_that_is_refused_after_a_lost_answer_is_looked_up_and_deleted() -> None:
    nimble = Nimble(creates=[answered(LOST[0]), answered(denied()), answered(session())])
    one = owned()
    error = await fails_with(ZeroDivisionError(), nimble, one)
    assert isinstance(error, AccessDeniedError)
    assert error.left_behind is None
    assert nimble.called == ["create", "create", "create", "delete"]
    assert set(nimble.tokens["create"]) == {one.client_token}


async def test_a_session_that_cannot_be_looked_up_is_named_by_its_token() -> None:
    nimble = Nimble(creates=[answered(LOST[0]), answered(denied())])
    error = await fails_with(ZeroDivisionError(), nimble, owned("mine"))
    assert isinstance(error, AccessDeniedError)
    assert error.left_behind == LeftBehind(session_id=None, client_token="mine")
    # The first error is raised, and what the clean-up met is a note in it.
    assert [note.startswith("The clean-up failed too: Some: No") for note in notes(error)] == [
        False,
        False,
        True,
    ]


async def make_within(seconds: float, nimble: Nimble, one: OwnedSession) -> WaitTimeoutError:
    """Return the error of a create that is not answered in time, after the clean-up."""
    with pytest.raises(WaitTimeoutError) as caught:
        async with one.cleaned_up(connection_to(nimble), keep=False):
            await one.make(nimble, waiter(seconds))
    return caught.value


async def test_what_a_create_may_have_made_is_found_by_its_token_and_deleted() -> None:
    nimble = Nimble(creates=[answered(LOST[0]), answered(LOST[0]), answered(session())])
    one = owned("mine")
    error = await make_within(3, nimble, one)
    assert (error.left_behind, notes(error)) == (None, [])
    assert nimble.calls == [("create", 0), ("create", 3), ("create", 3), ("delete", 3)]
    assert nimble.tokens["create"] == ["mine"] * 3
    assert one.session_id is None


async def test_a_lookup_that_is_not_answered_ends_with_the_clean_up() -> None:
    hangs = answered(session(), after=3600)
    nimble = Nimble(creates=[answered(LOST[0]), answered(LOST[0]), hangs])
    error = await make_within(3, nimble, owned("mine"))
    # The create of the lookup gets no further seconds to end.
    assert now() == 3 + CLEANUP_TIMEOUT
    assert nimble.called == ["create"] * 3
    assert error.left_behind == LeftBehind(session_id=None, client_token="mine")
    (note,) = notes(error)
    assert note.startswith("The clean-up failed too: streaming session in studio is not created")


async def test_a_lookup_that_cannot_connect_leaves_the_token_in_the_error() -> None:
    unsent = answered(ConnectionFailedError("Refused.", was_sent=False))
    nimble = Nimble(creates=[answered(ConnectionFailedError("Reset.")), unsent])
    error = await make_within(3, nimble, owned("mine"))
    assert error.left_behind == LeftBehind(session_id=None, client_token="mine")
    (note,) = notes(error)
    assert note.startswith("The clean-up failed too: streaming session in studio is not created")
    assert set(nimble.called) == {"create"}


async def test_a_lost_session_that_turns_out_deleted_leaves_nothing() -> None:
    creates = [answered(LOST[0]), answered(denied()), answered(session("DELETE_IN_PROGRESS"))]
    nimble = Nimble(creates=creates)
    error = await fails_with(ZeroDivisionError(), nimble, owned("mine"))
    assert isinstance(error, AccessDeniedError)
    assert error.left_behind is None
    assert nimble.called == ["create"] * 3


async def test_a_lost_session_that_turns_out_to_be_of_an_earlier_run_is_not_deleted() -> None:
    old = session("READY", created_at=NEW_YEAR - timedelta(hours=1))
    nimble = Nimble(creates=[answered(LOST[0]), answered(denied()), answered(old)])
    error = await fails_with(ZeroDivisionError(), nimble, owned("mine"))
    assert isinstance(error, AccessDeniedError)
    assert error.left_behind == LeftBehind(session_id="s-1", client_token="mine")
    assert nimble.called == ["create"] * 3


@pytest.mark.parametrize("keep", [False, True])
async def test_a_failed_clean_up_is_noted_and_the_session_named(*, keep: bool) -> None:
    nimble = Nimble(deletes=[answered(denied())])
    error = await fails_with(conflict(), nimble, owned("mine"), keep=keep)
    assert isinstance(error, ConflictError)
    assert error.left_behind == LeftBehind(session_id="s-1", client_token="mine")
    expected = [] if keep else ["The clean-up failed too: Some: No (AccessDeniedException)."]
    assert notes(error) == expected


async def test_a_clean_up_has_a_deadline_and_names_it() -> None:
    nimble = Nimble(deletes=[answered(session(), after=3600)])
    error = await fails_with(conflict(), nimble, owned("mine"))
    assert isinstance(error, ConflictError)
    assert error.left_behind is not None
    assert "streaming session s-1 is not deleted" in notes(error)[0]
    assert now() == pytest.approx(CLEANUP_TIMEOUT, abs=0.1)


async def test_a_clean_up_that_overruns_its_deadline_is_cut_off() -> None:
    stuck = answered(session(), after=3600, ignores_cancellation=True)
    error = await fails_with(conflict(), Nimble(deletes=[stuck]), owned("mine"))
    assert isinstance(error, ConflictError)
    assert error.left_behind is not None
    assert "clean-up is not finished" in notes(error)[0]
    assert "It was cut off" in notes(error)[0]
    assert now() == 2 * CLEANUP_TIMEOUT


async def test_without_a_callers_client_the_clean_up_opens_and_closes_one() -> None:
    opened: list[Nimble] = []

    class Recorded(Nimble):
        def __init__(self, **settings: Any) -> None:
            super().__init__()
            assert settings["region_name"] == "us-west-2"
            opened.append(self)

    connection = Connection(
        Recorded,
        client=None,
        region_name="us-west-2",
        profile_name=None,
        endpoint_url=None,
    )
    one = owned()

    async def fails() -> None:
        async with one.cleaned_up(connection, keep=False):
            async with connection.opened(waiter().entered) as first:
                await one.make(first, waiter())
            raise conflict()

    with pytest.raises(ConflictError):
        await fails()
    assert [nimble.called for nimble in opened] == [["create"], ["delete"]]
    assert not any(nimble.is_open for nimble in opened)


# --- When the caller is cancelled ---


async def cancelled(work: Awaitable[Any], *at: float) -> asyncio.CancelledError:
    """Cancel some work at these times, and return the error that it ends with."""
    task = asyncio.ensure_future(work)
    for instant in at:
        await asyncio.sleep(instant - now())
        task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def held(nimble: Nimble, one: OwnedSession) -> None:
    async with made(nimble, one):
        await asyncio.sleep(3600)


async def test_a_create_under_way_may_end_when_its_caller_is_cancelled() -> None:
    nimble, one = Nimble(creates=[answered(session(), after=4)]), owned()
    error = await cancelled(held(nimble, one), 2)
    assert nimble.called == ["create", "delete"]
    assert now() == 4
    assert notes(error) == []


async def test_a_create_under_way_is_cut_off_when_its_patience_is_over() -> None:
    creates = [answered(session(), after=3600), answered(session())]
    nimble, one = Nimble(creates=creates), owned()
    error = await cancelled(held(nimble, one), 2)
    # What it may have made is found by its token.
    assert nimble.called == ["create", "create", "delete"]
    assert nimble.calls[1][1] == 2 + PATIENCE
    assert notes(error) == []


async def test_a_create_that_cannot_be_cut_off_does_not_hold_its_caller_up() -> None:
    stuck = answered(session(), after=3600, ignores_cancellation=True)
    nimble, one = Nimble(creates=[stuck]), owned("mine")
    task = asyncio.create_task(one.make(nimble, waiter()))
    await asyncio.sleep(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 2 + PATIENCE + FINAL_POLL_GRACE <= now() <= 2 + PATIENCE + FINAL_POLL_GRACE + 1


async def test_a_caller_that_is_cancelled_during_the_clean_up_gets_the_cancellation() -> None:
    nimble = Nimble(deletes=[answered(session("DELETE_IN_PROGRESS"), after=4)])
    one = owned("mine")
    error = await cancelled(fails_with_conflict(nimble, one), 2)
    assert nimble.called == ["create", "delete"]
    assert now() == 4
    assert notes(error) == []


async def test_a_failed_clean_up_is_told_to_a_caller_that_was_cancelled_meanwhile(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nimble = Nimble(deletes=[answered(denied(), after=4)])
    error = await cancelled(fails_with_conflict(nimble, owned("mine")), 2)
    left = str(LeftBehind(session_id="s-1", client_token="mine"))
    assert notes(error) == [left]
    assert isinstance(error.__cause__, AccessDeniedError)
    assert warnings(caplog) == [left]


async def test_a_caller_that_is_cancelled_during_a_lookup_that_fails_learns_the_token() -> None:
    nimble = Nimble(creates=[answered(LOST[0]), answered(denied()), answered(denied(), after=4)])
    error = await cancelled(fails_with_conflict(nimble, owned("mine")), 7)
    assert notes(error) == [str(LeftBehind(session_id=None, client_token="mine"))]


async def test_a_caller_that_is_cancelled_just_after_the_cut_learns_what_is_left() -> None:
    async def stuck() -> StreamingSession:
        for seconds in (3600, 3600, 5):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(seconds)
        return session("DELETE_IN_PROGRESS")

    nimble = Nimble(deletes=[stuck])
    at = 2 * CLEANUP_TIMEOUT + 0.5
    error = await cancelled(fails_with_conflict(nimble, owned("mine")), at)
    assert notes(error) == [str(LeftBehind(session_id="s-1", client_token="mine"))]
    await asyncio.sleep(10)


async def test_a_caller_that_is_cancelled_learns_of_the_session_of_an_earlier_run() -> None:
    old = session("READY", created_at=NEW_YEAR - timedelta(hours=1))
    creates = [answered(LOST[0]), answered(denied()), answered(old, after=4)]
    nimble = Nimble(creates=creates)
    error = await cancelled(fails_with_conflict(nimble, owned("mine")), 7)
    assert nimble.called == ["create"] * 3
    assert notes(error) == [str(LeftBehind(session_id="s-1", client_token="mine"))]


async def fails_with_conflict(nimble: Nimble, one: OwnedSession) -> None:
    async with made(nimble, one):
        raise conflict()


# --- Deleting it ---


async def ready(one: OwnedSession, nimble: Nimble, after: float = 0.0) -> OwnedSession:
    await one.make(nimble, waiter())
    nimble.calls.clear()
    await asyncio.sleep(after)
    return one


async def test_a_deletion_is_over_when_the_service_says_that_it_has_begun() -> None:
    nimble = Nimble(deletes=[answered(session("READY")), answered(session("DELETE_IN_PROGRESS"))])
    one = await ready(owned(), nimble)
    await one.delete(nimble, waiter())
    assert nimble.called == ["delete", "delete"]


async def test_a_deletion_that_may_have_happened_is_asked_for_again() -> None:
    nimble = Nimble(deletes=[answered(api_error(ApiError)), answered(session("DELETED"))])
    one = await ready(owned(), nimble)
    await one.delete(nimble, waiter())
    assert nimble.called == ["delete", "delete"]


async def test_a_deletion_is_asked_for_again_after_two_seconds_at_most() -> None:
    nimble = Nimble(deletes=[*[answered(throttled())] * 3, answered(session("DELETED"))])
    one = await ready(owned(), nimble)
    await one.delete(nimble, Waiter(timeout=600))
    gaps = [after - before for (_, before), (_, after) in pairwise(nimble.calls)]
    assert 0 < min(gaps) <= max(gaps) <= 2.4


async def test_all_requests_of_one_deletion_have_one_token() -> None:
    nimble = Nimble(deletes=[answered(throttled()), answered(session("DELETED"))])
    one = await ready(owned("mine"), nimble)
    await one.delete(nimble, waiter())
    first, second = nimble.tokens["delete"]
    assert first == second
    assert first not in (None, "mine")


@pytest.mark.parametrize(
    ("found", "calls"),
    [
        ("DELETE_IN_PROGRESS", ["delete", "get"]),
        ("DELETED", ["delete", "get"]),
        ("STOP_IN_PROGRESS", ["delete", "get", "delete"]),
    ],
)
async def test_a_conflict_over_a_deletion_is_looked_at(found: str, calls: list[str]) -> None:
    nimble = Nimble(
        deletes=[answered(conflict()), answered(session("DELETED"))],
        gets=[answered(session(found))],
    )
    one = await ready(owned(), nimble)
    await one.delete(nimble, waiter())
    assert nimble.called == calls


@pytest.mark.parametrize(
    ("age", "deletes"),
    # Reads are eventually consistent for 20 s after the create, and 5 s lie between two polls.
    [(0, 5), (8, 4), (12, 3), (21, 1), (3600, 1)],
)
async def test_a_new_session_that_is_not_found_is_not_taken_for_deleted(
    age: float, deletes: int
) -> None:
    nimble = Nimble(deletes=[answered(missing())])
    one = await ready(owned(), nimble, after=age)
    await one.delete(nimble, waiter())
    assert nimble.called == ["delete"] * deletes


async def test_an_old_session_that_is_not_found_is_deleted_whenever_the_wait_began() -> None:
    nimble = Nimble(deletes=[answered(missing())])
    one = owned()
    one_waiter = waiter()
    await asyncio.sleep(100)
    await one.make(nimble, one_waiter)
    nimble.calls.clear()
    await one.delete(nimble, one_waiter)
    assert nimble.called == ["delete"] * 5


@pytest.mark.parametrize("in_log", [False, True])
async def test_a_session_that_is_left_at_the_end_is_named(
    caplog: pytest.LogCaptureFixture, *, in_log: bool
) -> None:
    one = await ready(owned("mine"), Nimble())
    left = LeftBehind(session_id="s-1", client_token="mine")
    async with one.named_at_end(in_log=in_log):
        pass
    assert warnings(caplog) == [str(left)] * in_log
    caplog.clear()
    error = conflict()
    with pytest.raises(ConflictError) as caught:
        async with one.named_at_end(in_log=in_log):
            raise error
    assert caught.value is error
    assert error.left_behind == left
    assert warnings(caplog) == [str(left)]


async def test_a_session_that_is_left_is_named_to_a_caller_who_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nimble = Nimble()
    one = await ready(owned("mine"), nimble)

    async def block() -> None:
        async with one.named_at_end(in_log=False):
            await asyncio.sleep(3600)

    error = await cancelled(block(), 2)
    left = str(LeftBehind(session_id="s-1", client_token="mine"))
    assert (notes(error), warnings(caplog)) == ([left], [left])
    assert nimble.called == []


async def test_a_failed_end_names_the_session(caplog: pytest.LogCaptureFixture) -> None:
    nimble = Nimble(deletes=[answered(denied())])
    one = await ready(owned("mine"), nimble)
    with pytest.raises(AccessDeniedError) as caught:
        await one.end(nimble, waiter())
    left = LeftBehind(session_id="s-1", client_token="mine")
    assert caught.value.left_behind == left
    assert warnings(caplog) == [str(left)]


async def test_a_cancelled_end_names_the_session() -> None:
    nimble = Nimble(deletes=[answered(session(), after=3600)])
    one = await ready(owned("mine"), nimble)
    error = await cancelled(one.end(nimble, waiter()), 2)
    assert notes(error) == [str(LeftBehind(session_id="s-1", client_token="mine"))]


async def test_a_deletion_that_is_not_confirmed_is_a_timeout() -> None:
    nimble = Nimble(deletes=[answered(session("READY"))])
    one = await ready(owned("mine"), nimble)
    with pytest.raises(WaitTimeoutError) as caught:
        await one.end(nimble, waiter(12))
    assert (caught.value.resource, caught.value.awaited) == ("streaming session s-1", "deleted")
    assert caught.value.left_behind is not None


async def test_a_leftover_is_told_in_the_error_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    left = LeftBehind(session_id="s-9")
    ours, foreign = conflict(), OSError()
    report_leftover(ours, left)
    report_leftover(foreign, left)
    assert ours.left_behind is left
    assert notes(foreign) == [str(left)]
    # If a cancellation becomes an error of ours, that error takes this over.
    assert vars(foreign)["left_behind"] is left
    assert warnings(caplog) == [str(left)] * 2


async def test_an_attempt_that_fails_when_nobody_waits_for_it_is_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nimble = Nimble(creates=[answered(denied(), after=5, ignores_cancellation=True)])
    with pytest.raises(WaitTimeoutError):
        await owned().make(nimble, waiter(1), patience=0)
    await asyncio.sleep(10)
    gc.collect()
    assert "never retrieved" not in caplog.text
