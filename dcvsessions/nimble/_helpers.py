"""The helpers that open and close streaming sessions of Nimble Studio."""

from collections.abc import Mapping

from dcvsessions._arguments import checked_boolean, checked_identifier
from dcvsessions._aws.connection import Connection
from dcvsessions._wait.listener import OnProgress
from dcvsessions._wait.loop import Waiter
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import LeftBehind
from dcvsessions.nimble._client import NimbleClient, checked_expiration
from dcvsessions.nimble._models import StreamingInstanceType
from dcvsessions.nimble._ownership import OwnedSession, report_leftover
from dcvsessions.nimble._request import StreamingSessionRequest
from dcvsessions.nimble._session import StreamingSessionController, desktop_of

__all__ = [
    "OPEN_TIMEOUT",
    "close_streaming_session",
    "made",
    "open_stream",
    "open_streaming_session",
]

# The official session waiter also gives up after 30 minutes.
OPEN_TIMEOUT = 1800.0
CLOSE_TIMEOUT = 900.0


async def open_streaming_session(
    studio_id: str,
    *,
    launch_profile_id: str,
    ec2_instance_type: StreamingInstanceType | str | None = None,
    owned_by: str | None = None,
    streaming_image_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    client_token: str | None = None,
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
) -> DcvUrl:
    """Create a streaming session and a stream into it.

    Calls CreateStreamingSession, GetStreamingSession until the session is READY,
    CreateStreamingSessionStream, and GetStreamingSessionStream until the stream is READY. The
    session costs by the hour until it is deleted. `streaming_session()` deletes it for you.

    If the call fails, times out or is cancelled, it deletes the session that it made. This may
    take 13 s more.

    Args:
        studio_id: The studio.
        launch_profile_id: The launch profile to make the session from.
        ec2_instance_type: The instance type. Default: the service chooses.
        owned_by: The user that the session is for. Default: the caller.
        streaming_image_id: The image. Default: the service chooses.
        tags: The session's tags.
        client_token: 1 to 64 characters. If you run the call again after a crash, with the same
            token and parameters, it finds the session that it made. Default: a new token.
        expiration_in_seconds: How long the URL works, 60 to 3600 seconds. Default: the service's.
        timeout: Seconds to wait at most. Default: 1800. None for no limit. The last poll is at
            the deadline, and may take 3 s more.
        keep_on_failure: Whether to keep the session if the call fails. The error names it then.
        check_reachable: Whether to wait until the desktop's server answers.
        poll_interval: Seconds between polls. Default: schedules that fit the operations.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Returns:
        The URL. It is a bearer secret: whoever has it can use the desktop until it expires, at
        `url.expires_at`. `close_streaming_session(studio_id, url.streaming_session_id)` ends the
        costs.

    Raises:
        WaitFailedError: Nimble Studio reports that the session or stream failed.
        WaitTimeoutError: The timeout is over.
        UnreachableError: `check_reachable` is set, and the desktop's server does not answer.
        DcvSessionsError: A call failed with an error that is not temporary.

    Example:
        >>> url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
        >>> url.open()
        >>> await close_streaming_session("studio-1", url.streaming_session_id)
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
    checked_boolean(keep_on_failure, "keep_on_failure")
    checked_boolean(check_reachable, "check_reachable")
    waiter = Waiter(
        timeout=timeout,
        poll_interval=poll_interval,
        on_progress=on_progress,
        desktop=f"streaming session in {studio_id}",
    )
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    owned = OwnedSession.of(studio_id, request)
    # Closing the client takes a moment. If the call is cancelled then, the caller does not get the
    # URL, so the clean-up opens another client and deletes the session.
    async with connection, owned.cleaned_up(connection, keep=keep_on_failure):
        async with connection.opened(waiter.entered) as nimble:
            session = await made(owned, nimble, waiter, is_last=False)
            stream = await session.stream(
                waiter, expiration_in_seconds, check_reachable=check_reachable
            )
        return stream.url


async def made(
    owned: OwnedSession, client: NimbleClient, waiter: Waiter, *, is_last: bool
) -> StreamingSessionController:
    """Make a session and wait until it is READY."""
    session_id = await owned.make(client, waiter)
    session = StreamingSessionController(client, owned.studio_id, session_id)
    # If an earlier run made the session, it may have been stopped since.
    await session.until_ready(
        waiter, may_start=owned.is_earlier, created_at=waiter.elapsed, is_last=is_last
    )
    return session


async def open_stream(
    studio_id: str,
    session_id: str,
    *,
    expiration_in_seconds: int | None = None,
    timeout: float | None = OPEN_TIMEOUT,
    check_reachable: bool = False,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: NimbleClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> DcvUrl:
    """Open a stream into an existing streaming session, which is started first if it is stopped.

    Calls GetStreamingSession until the session is READY, StartStreamingSession if it is stopped,
    CreateStreamingSessionStream, and GetStreamingSessionStream until the stream is READY. The
    session is not deleted, and costs by the hour until somebody deletes it.

    Args:
        studio_id: The studio.
        session_id: The session.
        expiration_in_seconds: How long the URL works, 60 to 3600 seconds. Default: the service's.
        timeout: Seconds to wait at most. Default: 1800. None for no limit. The last poll is at
            the deadline, and may take 3 s more.
        check_reachable: Whether to wait until the desktop's server answers.
        poll_interval: Seconds between polls. Default: schedules that fit the operations.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Returns:
        The URL. It is a bearer secret: whoever has it can use the desktop until it expires, at
        `url.expires_at`.

    Raises:
        NotFoundError: There is no such session.
        WaitFailedError: Nimble Studio reports that the session or stream failed or is deleted.
        WaitTimeoutError: The timeout is over.
        UnreachableError: `check_reachable` is set, and the desktop's server does not answer.
        DcvSessionsError: A call failed with an error that is not temporary.

    Example:
        >>> url = await open_stream("studio-1", session_id, expiration_in_seconds=3600)
    """
    checked_identifier(studio_id, "studio_id")
    checked_identifier(session_id, "session_id")
    checked_expiration(expiration_in_seconds)
    checked_boolean(check_reachable, "check_reachable")
    waiter = Waiter(
        timeout=timeout,
        poll_interval=poll_interval,
        on_progress=on_progress,
        desktop=desktop_of(session_id),
    )
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as nimble:
        session = StreamingSessionController(nimble, studio_id, session_id)
        await session.until_ready(waiter)
        stream = await session.stream(
            waiter, expiration_in_seconds, check_reachable=check_reachable
        )
        return stream.url


async def close_streaming_session(
    studio_id: str,
    session_id: str,
    *,
    timeout: float | None = CLOSE_TIMEOUT,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: NimbleClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> None:
    """Delete a streaming session and wait until it is gone. It then costs nothing more.

    Calls DeleteStreamingSession, and GetStreamingSession until the session is DELETED or not
    found. If the session is already gone, the call succeeds.

    Args:
        studio_id: The studio.
        session_id: The session.
        timeout: Seconds to wait at most. Default: 900. None for no limit. The last poll is at
            the deadline, and may take 3 s more.
        poll_interval: Seconds between polls. Default: a schedule that fits the operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `NimbleClient`.
        profile_name: See `NimbleClient`.
        endpoint_url: See `NimbleClient`.

    Raises:
        WaitFailedError: Nimble Studio reports that the deletion failed.
        WaitTimeoutError: The timeout is over.
        DcvSessionsError: A call failed with an error that is not temporary.

    Example:
        >>> await close_streaming_session("studio-1", session_id)
    """
    checked_identifier(studio_id, "studio_id")
    checked_identifier(session_id, "session_id")
    waiter = Waiter(
        timeout=timeout,
        poll_interval=poll_interval,
        on_progress=on_progress,
        desktop=desktop_of(session_id),
    )
    connection = Connection(NimbleClient, client, region_name, profile_name, endpoint_url)
    try:
        async with connection, connection.opened(waiter.entered) as nimble:
            session = StreamingSessionController(nimble, studio_id, session_id)
            await session.until_deleted(waiter)
    except BaseException as error:
        report_leftover(error, LeftBehind(session_id=session_id))
        raise
