"""A streaming session that stays usable during an `async with` block."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

from dcvsessions._arguments import checked_boolean, checked_identifier
from dcvsessions._aws.connection import Connection
from dcvsessions._tasks import ending
from dcvsessions._wait.desktop import TRUSTED, Desktop, UrlCalls
from dcvsessions._wait.instant import Instant, date_in
from dcvsessions._wait.listener import OnProgress
from dcvsessions._wait.loop import FINAL_POLL_GRACE, Waiter
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import ConflictError
from dcvsessions.nimble._client import NimbleClient, checked_expiration
from dcvsessions.nimble._helpers import OPEN_TIMEOUT, made
from dcvsessions.nimble._models import StreamingInstanceType
from dcvsessions.nimble._ownership import OwnedSession
from dcvsessions.nimble._request import StreamingSessionRequest
from dcvsessions.nimble._session import OpenedStream, StreamingSessionController, desktop_of

__all__ = ["StreamingDesktop", "existing_streaming_session", "streaming_session"]

# Seconds that deleting the session at the end of a block may take.
DELETE_TIMEOUT = 30.0


class StreamingDesktop(Desktop):
    """The desktop of a streaming session. `streaming_session()` makes it.

    `url()` reads the session, and starts it if it is stopped. It returns the same URL again until
    the URL has less than 30 seconds left, or less than a quarter of its lifetime if that is
    shorter. Then it makes a new stream. `urls()` yields the new URL at that time, before the old
    one expires.

    Attributes:
        studio_id: The studio.
        session_id: The streaming session.
    """

    def __init__(
        self,
        session: StreamingSessionController,
        *,
        created: Instant | None,
        expiration_in_seconds: int | None,
        calls: UrlCalls,
        waiter: Callable[[], Waiter],
        opened: Waiter,
    ) -> None:
        self.studio_id = session.studio_id
        self.session_id = session.session_id
        self._session = session
        self._created = created
        self._expiration_in_seconds = expiration_in_seconds
        self._read_at = Instant.ago()
        self._stream: OpenedStream | None = None
        super().__init__(calls=calls, waiter=waiter, opened=opened)

    def __repr__(self) -> str:
        return f"<StreamingDesktop {self.session_id}: {self.state}>"

    @property
    def expires_at(self) -> datetime | None:
        """When the latest URL expires. None before the first one."""
        return None if self._stream is None else date_in(self._stream.remaining)

    async def _usable(self, waiter: Waiter) -> DcvUrl:
        if self._read_at.age >= TRUSTED and await self._had_to_start(waiter):
            # The session was stopped, and its streams ended with it.
            self._stream = None
        if self._stream is not None and self._has_fresh_url:
            return self._stream.url
        return await self._new_url(waiter)

    def _is_new(self, url: DcvUrl, last: DcvUrl) -> bool:
        return url != last

    @property
    def _due_in(self) -> float:
        return 0.0 if self._stream is None else self._stream.fresh_for

    @property
    def _has_fresh_url(self) -> bool:
        return self._stream is not None and self._stream.is_fresh()

    @property
    def _resource(self) -> str:
        return desktop_of(self.session_id)

    async def _had_to_start(self, waiter: Waiter) -> bool:
        ready = await self._session.until_ready(
            waiter, created_at=self._created_at(waiter), is_last=self._has_fresh_url
        )
        self._read_at = Instant.ago()
        return ready.was_started

    async def _new_url(self, waiter: Waiter) -> DcvUrl:
        try:
            self._stream = await self._new_stream(waiter)
        except ConflictError:
            # The session was READY a moment ago, but is not any more.
            await self._had_to_start(waiter)
            self._stream = await self._new_stream(waiter)
        return self._stream.url

    async def _new_stream(self, waiter: Waiter) -> OpenedStream:
        return await self._session.stream(
            waiter, self._expiration_in_seconds, created_at=self._created_at(waiter)
        )

    def _created_at(self, waiter: Waiter) -> float | None:
        """Return when the session was made, in seconds since the wait began."""
        return None if self._created is None else waiter.elapsed - self._created.age


@asynccontextmanager
async def streaming_session(
    studio_id: str,
    *,
    launch_profile_id: str,
    delete_on_exit: bool = True,
    ec2_instance_type: StreamingInstanceType | str | None = None,
    owned_by: str | None = None,
    streaming_image_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    client_token: str | None = None,
    expiration_in_seconds: int | None = None,
    timeout: float | None = OPEN_TIMEOUT,
    keep_on_failure: bool = False,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: NimbleClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[StreamingDesktop, None]:
    """Create a streaming session, keep it usable during a block, and delete it.

    Calls the operations of `open_streaming_session()`, and CreateStreamingSessionStream again when
    the URL has expired. Calls DeleteStreamingSession at the end. The session costs by the hour
    until it is deleted.

    Args:
        studio_id: The studio.
        launch_profile_id: The launch profile to make the session from.
        delete_on_exit: Whether to delete the session at the end of the block, within 30 s. A
            session that an earlier run made is not deleted, but named in the log.
        ec2_instance_type: The instance type. Default: the service chooses.
        owned_by: The user that the session is for. Default: the caller.
        streaming_image_id: The image. Default: the service chooses.
        tags: The session's tags.
        client_token: 1 to 64 characters. If you run the call again after a crash, with the same
            token and parameters, it finds the session that it made. Default: a new token.
        expiration_in_seconds: How long each URL works, 60 to 3600 seconds. Default: the service's.
        timeout: Seconds that opening, and each `url()`, may take. Default: 1800. None for no limit.
        keep_on_failure: Whether to keep the session if opening it fails. The error names it then.
        poll_interval: Seconds between polls. Default: schedules that fit the operations.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Yields:
        The desktop: `await desktop.url()` returns a URL that is usable now, and
        `async for url in desktop.urls()` yields one now and a new one whenever it is needed.

    Raises:
        ClientStateError: `client` was closed before the end of the block.
        DcvSessionsError: The errors of `open_streaming_session()`. If the block raises an error,
            that error is raised, and a failure to delete the session is added to it as a note.

    Example:
        >>> async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        ...     print(await desktop.url())
    """
    checked_identifier(studio_id, "studio_id")
    request = StreamingSessionRequest(
        launch_profile_id=launch_profile_id,
        ec2_instance_type=ec2_instance_type,
        owned_by=owned_by,
        streaming_image_id=streaming_image_id,
        tags=tags,
        client_token=client_token,
    )
    checked_expiration(expiration_in_seconds)
    checked_boolean(delete_on_exit, "delete_on_exit")
    checked_boolean(keep_on_failure, "keep_on_failure")
    new_waiter = partial(
        Waiter, timeout=timeout, poll_interval=poll_interval, on_progress=on_progress
    )
    opening = new_waiter(desktop=f"streaming session in {studio_id}")
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    owned = OwnedSession.of(studio_id, request)
    async with connection, AsyncExitStack() as stack:
        async with owned.cleaned_up(connection, keep=keep_on_failure):
            nimble = await stack.enter_async_context(connection.opened(opening.entered))
            session = await made(owned, nimble, opening, is_last=True)
        if owned.is_earlier or not delete_on_exit:
            await stack.enter_async_context(owned.named_at_end(in_log=delete_on_exit))
        else:
            await stack.enter_async_context(
                ending(
                    lambda: owned.end(nimble, Waiter(timeout=DELETE_TIMEOUT - FINAL_POLL_GRACE)),
                    within=2 * DELETE_TIMEOUT,
                )
            )
        calls = UrlCalls()
        stack.push_async_callback(calls.end)
        yield StreamingDesktop(
            session,
            created=owned.made,
            expiration_in_seconds=expiration_in_seconds,
            calls=calls,
            waiter=partial(new_waiter, desktop=desktop_of(session.session_id)),
            opened=opening,
        )


@asynccontextmanager
async def existing_streaming_session(
    studio_id: str,
    session_id: str,
    *,
    expiration_in_seconds: int | None = None,
    timeout: float | None = OPEN_TIMEOUT,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: NimbleClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[StreamingDesktop, None]:
    """Keep an existing streaming session usable during a block. It is never deleted.

    Calls the operations of `open_stream()`, and CreateStreamingSessionStream again when the URL has
    expired. The session costs by the hour until somebody deletes it.

    Args:
        studio_id: The studio.
        session_id: The session.
        expiration_in_seconds: How long each URL works, 60 to 3600 seconds. Default: the service's.
        timeout: Seconds that opening, and each `url()`, may take. Default: 1800. None for no limit.
        poll_interval: Seconds between polls. Default: schedules that fit the operations.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Yields:
        The desktop: `await desktop.url()` returns a URL that is usable now, and
        `async for url in desktop.urls()` yields one now and a new one whenever it is needed.

    Raises:
        ClientStateError: `client` was closed before the end of the block.
        DcvSessionsError: The errors of `open_stream()`.

    Example:
        >>> async with existing_streaming_session("studio-1", session_id) as desktop:
        ...     print(await desktop.url())
    """
    checked_identifier(studio_id, "studio_id")
    checked_identifier(session_id, "session_id")
    checked_expiration(expiration_in_seconds)
    new_waiter = partial(
        Waiter,
        timeout=timeout,
        poll_interval=poll_interval,
        on_progress=on_progress,
        desktop=desktop_of(session_id),
    )
    opening = new_waiter()
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(opening.entered) as nimble:
        session = StreamingSessionController(nimble, studio_id, session_id)
        await session.until_ready(opening, is_last=True)
        calls = UrlCalls()
        try:
            yield StreamingDesktop(
                session,
                created=None,
                expiration_in_seconds=expiration_in_seconds,
                calls=calls,
                waiter=new_waiter,
                opened=opening,
            )
        finally:
            await calls.end()
