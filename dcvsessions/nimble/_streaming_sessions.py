"""Many streaming sessions in one call."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from attrs import frozen

from dcvsessions._arguments import (
    checked_boolean,
    checked_identifier,
    checked_items,
    checked_text,
)
from dcvsessions._aws.connection import Connection
from dcvsessions._wait.batch import Batch, Member, outcomes_of
from dcvsessions._wait.decisions import Done, Observation
from dcvsessions._wait.listener import OnProgress
from dcvsessions._wait.loop import Goal, Waiter
from dcvsessions._wait.schedule import Schedule
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import (
    DcvSessionsError,
    InvalidArgumentError,
    InvalidResponseError,
    LeftBehind,
)
from dcvsessions.nimble._client import NimbleClient, checked_expiration
from dcvsessions.nimble._helpers import CLOSE_TIMEOUT, OPEN_TIMEOUT, made
from dcvsessions.nimble._models import StreamingSession, StreamingSessionState
from dcvsessions.nimble._ownership import CLEANUP_TIMEOUT, OwnedSession, report_leftover
from dcvsessions.nimble._request import StreamingSessionRequest
from dcvsessions.nimble._session import StreamingSessionController, desktop_of

__all__ = [
    "StreamingSessionCloseOutcome",
    "StreamingSessionOutcome",
    "close_streaming_sessions",
    "open_streaming_sessions",
]

# Seconds for each session that a call has to delete: it deletes five a second.
_CLEANUP_TIMEOUT_EACH = 0.2
_LISTING = Schedule(shortest=1, longest=10)


@frozen(kw_only=True)
class StreamingSessionOutcome:
    """The outcome of one request in `open_streaming_sessions()`.

    Attributes:
        request: The request.
        session_id: The session that was made, and costs by the hour until it is deleted. None if
            the call failed for this request: `error.left_behind` then names a session that could
            not be deleted.
        url: The URL. None if the call failed for this request.
        error: Why the call failed for this request. None if it succeeded.
    """

    request: StreamingSessionRequest
    session_id: str | None = None
    url: DcvUrl | None = None
    error: DcvSessionsError | None = None


@frozen(kw_only=True)
class StreamingSessionCloseOutcome:
    """The outcome for one session in `close_streaming_sessions()`.

    Attributes:
        session: The session, as it was listed before the call deleted it.
        error: Why the session may still exist. None if it is deleted.
    """

    session: StreamingSession
    error: DcvSessionsError | None = None


@asynccontextmanager
async def open_streaming_sessions(
    studio_id: str,
    requests: Iterable[StreamingSessionRequest],
    *,
    expiration_in_seconds: int | None = None,
    timeout: float | None = OPEN_TIMEOUT,
    keep_on_failure: bool = False,
    check_reachable: bool = False,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: NimbleClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[AsyncIterator[StreamingSessionOutcome], None]:
    """Create many streaming sessions and a stream into each, and yield each URL when it works.

    Calls the operations of `open_streaming_session()` for each request, all with one client. Each
    session costs by the hour until it is deleted. If one fails, the others are still opened.

    A session whose outcome you took is yours: delete it with `close_streaming_sessions()`. The
    others are deleted at the end of the block, even if you leave it early, if it raises an error,
    or if it is cancelled. This may take 13 s more; for more than 50 sessions, 3 s plus 0.2 s for
    each.

    Args:
        studio_id: The studio.
        requests: What to create, one session for each request.
        expiration_in_seconds: How long a URL works, 60 to 3600 seconds. Default: the service's. If
            you take an outcome so late that its URL has expired or soon will, you get it with a
            new URL.
        timeout: Seconds that opening all of them may take. Default: 1800. None for no limit. The
            last polls are at the deadline, and may take 3 s more. A new URL in place of one that
            has expired may take as long again.
        keep_on_failure: Whether to keep sessions that fail, or whose outcome nobody took. The
            errors name them then.
        check_reachable: Whether to wait until the desktops' servers answer.
        poll_interval: Seconds between polls of a session. Default: schedules that fit the
            operations.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Yields:
        An async iterator with one outcome for each request, in the order in which they are ready.
        It ends after the last one. A URL is a bearer secret: whoever has it can use the desktop
        until it expires.

    Raises:
        InvalidArgumentError: An argument is invalid. Nothing was sent.
        ClientStateError: `client` was closed during the block.
        WaitFailedError: At the end of the block, a session was neither handed over nor deleted:
            `left_behind` names it.
        DcvSessionsError: The client could not be opened. All other errors are in the outcomes.

    Example:
        >>> requests = [StreamingSessionRequest(launch_profile_id="lp-1") for _ in range(2)]
        >>> async with open_streaming_sessions("studio-1", requests) as outcomes:
        ...     async for outcome in outcomes:
        ...         print(outcome.session_id, outcome.error or "is open")
    """
    checked_identifier(studio_id, "studio_id")
    wanted = _checked_requests(requests)
    checked_expiration(expiration_in_seconds)
    checked_boolean(keep_on_failure, "keep_on_failure")
    checked_boolean(check_reachable, "check_reachable")
    new_waiter = partial(Waiter, timeout=timeout, poll_interval=poll_interval)
    waiter = new_waiter(on_progress=on_progress)
    clean_up = max(CLEANUP_TIMEOUT, len(wanted) * _CLEANUP_TIMEOUT_EACH)
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as nimble:
        opened = Connection(NimbleClient, nimble)

        async def work(
            request: StreamingSessionRequest, member: Member[StreamingSessionOutcome]
        ) -> None:
            owned = OwnedSession.of(studio_id, request)
            async with owned.cleaned_up(opened, keep=keep_on_failure, within=clean_up):
                session = await made(owned, nimble, member.waiter, is_last=False)
                current = member.waiter
                while True:
                    stream = await session.stream(
                        current, expiration_in_seconds, check_reachable=check_reachable
                    )
                    outcome = StreamingSessionOutcome(
                        request=request, session_id=session.session_id, url=stream.url
                    )
                    if await member.hand_over(outcome, stream.is_fresh):
                        return
                    current = new_waiter()
                    await session.until_ready(current)

        batch = Batch(
            name=f"streaming sessions in {studio_id}",
            items=wanted,
            desktop=lambda _: f"streaming session in {studio_id}",
            work=work,
            failed=_failed,
            clean_up=clean_up,
        )
        async with outcomes_of(batch, waiter) as outcomes:
            yield outcomes


@asynccontextmanager
async def close_streaming_sessions(
    studio_id: str,
    *,
    owned_by: str | Iterable[str],
    timeout: float | None = CLOSE_TIMEOUT,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: NimbleClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[AsyncIterator[StreamingSessionCloseOutcome], None]:
    """Delete all streaming sessions of some users, and yield each outcome as it comes.

    Calls ListStreamingSessions for each user, and then the operations of
    `close_streaming_session()` for each session, all with one client. If one fails, the others are
    still deleted. A deleted session costs nothing more.

    Args:
        studio_id: The studio.
        owned_by: The user that the sessions are for, or several users.
        timeout: Seconds that closing all of them may take. Default: 900. None for no limit. The
            last polls are at the deadline, and may take 3 s more.
        poll_interval: Seconds between polls of a session. Default: a schedule that fits the
            operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Yields:
        An async iterator with one outcome for each session, in the order in which they are ready.
        Sessions that were deleted before are left out. Its `error` is None if the session is
        deleted.

    Raises:
        InvalidArgumentError: An argument is invalid. Nothing was sent.
        ClientStateError: `client` was closed during the block.
        WaitFailedError: You left the block before all sessions were deleted: `left_behind` names
            the others.
        DcvSessionsError: The client could not be opened, or the sessions could not be listed. All
            other errors are in the outcomes.

    Example:
        >>> async with close_streaming_sessions("studio-1", owned_by="ada") as outcomes:
        ...     print([outcome.session.session_id async for outcome in outcomes if outcome.error])
    """
    checked_identifier(studio_id, "studio_id")
    owners = _checked_owners(owned_by)
    waiter = Waiter(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as nimble:
        listing = _listing(nimble, studio_id, owners)
        found = await waiter.part(listing.resource, None).until(listing)

        async def work(session_id: str, member: Member[StreamingSessionCloseOutcome]) -> None:
            session = StreamingSessionController(nimble, studio_id, session_id)
            await session.until_deleted(member.waiter)
            await member.hand_over(StreamingSessionCloseOutcome(session=found[session_id]))

        def failed(session_id: str, error: DcvSessionsError) -> StreamingSessionCloseOutcome:
            report_leftover(error, LeftBehind(session_id=session_id))
            return StreamingSessionCloseOutcome(session=found[session_id], error=error)

        batch = Batch(
            name=f"streaming sessions in {studio_id}",
            items=tuple(found),
            desktop=desktop_of,
            work=work,
            failed=failed,
            left=lambda session_id: LeftBehind(session_id=session_id),
        )
        async with outcomes_of(batch, waiter) as outcomes:
            yield outcomes


def _failed(request: StreamingSessionRequest, error: DcvSessionsError) -> StreamingSessionOutcome:
    return StreamingSessionOutcome(request=request, error=error)


def _checked_requests(value: object) -> tuple[StreamingSessionRequest, ...]:
    requests: list[StreamingSessionRequest] = []
    tokens: set[str | None] = set()
    for request in checked_items(value, "requests"):
        if not isinstance(request, StreamingSessionRequest):
            raise InvalidArgumentError(
                "requests= has to be a list of StreamingSessionRequest, and not of "
                f"{type(request).__name__}."
            )
        if request.client_token is not None and request.client_token in tokens:
            raise InvalidArgumentError(
                f"client_token={request.client_token!r} is in two requests: both would get the "
                "same session."
            )
        tokens.add(request.client_token)
        requests.append(request)
    return tuple(requests)


def _checked_owners(value: object) -> tuple[str, ...]:
    owners = (value,) if isinstance(value, str) else checked_items(value, "owned_by")
    for owner in owners:
        if checked_text(owner, "owned_by") is None:
            raise InvalidArgumentError("owned_by= has to name users, not None.")
    return tuple(dict.fromkeys(map(str, owners)))


def _listing(
    client: NimbleClient, studio_id: str, owners: Iterable[str]
) -> Goal[dict[str, StreamingSession], dict[str, StreamingSession]]:
    """Return the goal of a list of the users' sessions, by their ids."""
    return Goal(
        resource=f"list of streaming sessions in {studio_id}",
        awaited="complete",
        observe=partial(_listed, client, studio_id, owners),
        decide=lambda seen, _: Done(seen.resource),
        schedule=_LISTING,
    )


async def _listed(
    client: NimbleClient, studio_id: str, owners: Iterable[str]
) -> Observation[dict[str, StreamingSession]]:
    found: dict[str, StreamingSession] = {}
    for owner in owners:
        async for session in client.list_streaming_sessions(studio_id, owned_by=owner):
            if session.session_id is None:
                raise InvalidResponseError(
                    "ListStreamingSessions: a session has no id.", operation="ListStreamingSessions"
                )
            if session.state != StreamingSessionState.DELETED:
                found[session.session_id] = session
    return Observation("complete", found)
