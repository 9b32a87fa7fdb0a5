"""From a studio to a usable URL, and back."""

from collections.abc import Mapping
from functools import partial

from dcvsessions._arguments import checked_identifier, checked_token
from dcvsessions._aws.client import given_or_new
from dcvsessions._wait.loop import OnProgress, Waiting
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import WaitError
from dcvsessions.nimble.client import NimbleClient, checked_expiration
from dcvsessions.nimble.models import StreamingInstanceType
from dcvsessions.nimble.ownership import OwnedSession, SessionRequest
from dcvsessions.nimble.session import Workstation

__all__ = [
    "OPEN_TIMEOUT",
    "close_streaming_session",
    "open_stream",
    "open_streaming_session",
]

# The official session waiter gave up after 30 minutes, too.
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

    Calls CreateStreamingSession, GetStreamingSession until it is READY,
    CreateStreamingSessionStream, and GetStreamingSessionStream until that is READY. The session
    costs by the hour until it is deleted: `streaming_session()` does that by itself.

    A session that this call made is deleted again if the call fails, times out or is cancelled
    before it returns, which may take 13 s more.

    Args:
        studio_id: The studio.
        launch_profile_id: The launch profile to make the session from.
        ec2_instance_type: Its instance type.
        owned_by: The user that it is for; the caller if None.
        streaming_image_id: Its image.
        tags: Its labels.
        client_token: 1 to 64 characters. Run again with the same token and parameters, after a
            crash, this finds the session that it made.
        expiration_in_seconds: How long the URL is to work, 60 to 3600 seconds.
        timeout: Seconds to wait at most (30 minutes); None for no limit. At the deadline it is
            looked at one last time, which may take 3 s more.
        keep_on_failure: Whether to leave the session that was made if this fails. The error
            then names it.
        check_reachable: Whether to wait until the desktop's server answers, too.
        poll_interval: Seconds between polls, in place of schedules that fit the operations.
        on_progress: Called, and awaited if need be, with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `NimbleClient`.
        profile_name: As for `NimbleClient`.
        endpoint_url: As for `NimbleClient`.

    Returns:
        The URL: a bearer secret, good for who has it until it expires.

    Raises:
        WaitFailedError: Nimble Studio reports that it failed.
        WaitTimeoutError: The timeout is over.
        UnreachableError: The desktop's server does not answer, and `check_reachable` is set.
        DcvSessionsError: A call failed in a way that more waiting does not mend.

    Example:
        >>> url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
        >>> url.open()
    """
    checked_identifier(studio_id, "studio_id")
    checked_expiration(expiration_in_seconds)
    checked_token(client_token)
    request = SessionRequest(
        launch_profile_id=checked_identifier(launch_profile_id, "launch_profile_id"),
        ec2_instance_type=ec2_instance_type,
        owned_by=owned_by,
        streaming_image_id=streaming_image_id,
        tags=tags,
    )
    waiting = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connect = partial(
        given_or_new,
        client,
        NimbleClient,
        region_name=region_name,
        profile_name=profile_name,
        endpoint_url=endpoint_url,
    )
    owned = OwnedSession.of(studio_id, request, client_token)
    try:
        async with waiting.opened(connect()) as nimble:
            workstation = await Workstation.made(owned, nimble, waiting)
            stream = await workstation.stream(waiting, expiration_in_seconds)
            if check_reachable:
                await waiting.reachable(stream.url, workstation.resource)
    except BaseException as error:
        # Also if the client was being closed, and the caller is not going to have the URL.
        await owned.settle(error, connect, keep=keep_on_failure)
        raise
    return stream.url


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
    """Open a stream into a streaming session that exists, started first if it is stopped.

    Calls GetStreamingSession until it is READY, StartStreamingSession where that is due,
    CreateStreamingSessionStream, and GetStreamingSessionStream until that is READY. The session
    is never deleted by this, and goes on after it.

    Args:
        studio_id: The studio.
        session_id: The session.
        expiration_in_seconds: How long the URL is to work, 60 to 3600 seconds.
        timeout: Seconds to wait at most (30 minutes); None for no limit.
        check_reachable: Whether to wait until the desktop's server answers, too.
        poll_interval: Seconds between polls, in place of schedules that fit the operations.
        on_progress: Called, and awaited if need be, with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `NimbleClient`.
        profile_name: As for `NimbleClient`.
        endpoint_url: As for `NimbleClient`.

    Returns:
        The URL: a bearer secret, good for who has it until it expires.

    Raises:
        NotFoundError: There is no such session.
        WaitFailedError: Nimble Studio reports that it failed, or the session is deleted.
        WaitTimeoutError: The timeout is over.
        UnreachableError: The desktop's server does not answer, and `check_reachable` is set.
        DcvSessionsError: A call failed in a way that more waiting does not mend.

    Example:
        >>> url = await open_stream("studio-1", session_id, expiration_in_seconds=3600)
    """
    checked_identifier(studio_id, "studio_id")
    checked_identifier(session_id, "session_id")
    checked_expiration(expiration_in_seconds)
    waiting = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = given_or_new(
        client,
        NimbleClient,
        region_name=region_name,
        profile_name=profile_name,
        endpoint_url=endpoint_url,
    )
    async with waiting.opened(connection) as nimble:
        workstation = Workstation(nimble, studio_id, session_id)
        await workstation.ready(waiting)
        stream = await workstation.stream(waiting, expiration_in_seconds)
        if check_reachable:
            await waiting.reachable(stream.url, workstation.resource)
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
    """Delete a streaming session and wait until it is gone. Its costs and its quota end.

    Calls DeleteStreamingSession, and GetStreamingSession until it is DELETED or not found. A
    session that is gone already is a success.

    Args:
        studio_id: The studio.
        session_id: The session.
        timeout: Seconds to wait at most (15 minutes); None for no limit.
        poll_interval: Seconds between polls, in place of a schedule that fits the operation.
        on_progress: Called, and awaited if need be, with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `NimbleClient`.
        profile_name: As for `NimbleClient`.
        endpoint_url: As for `NimbleClient`.

    Raises:
        WaitFailedError: Nimble Studio reports that it failed.
        WaitTimeoutError: The timeout is over.
        DcvSessionsError: A call failed in a way that more waiting does not mend.

    Example:
        >>> await close_streaming_session("studio-1", session_id)
    """
    checked_identifier(studio_id, "studio_id")
    checked_identifier(session_id, "session_id")
    waiting = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = given_or_new(
        client,
        NimbleClient,
        region_name=region_name,
        profile_name=profile_name,
        endpoint_url=endpoint_url,
    )
    async with waiting.opened(connection) as nimble:
        try:
            await Workstation(nimble, studio_id, session_id).delete(waiting)
        except WaitError as error:
            error.session_id = session_id
            raise
