"""A streaming session for the length of an `async with` block."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

from dcvsessions._arguments import checked_identifier, checked_token
from dcvsessions._aws.client import given_or_new
from dcvsessions._wait.desktop import ABOUT_TO_EXPIRE, TRUSTED, Desktop
from dcvsessions._wait.loop import OnProgress, Waiting
from dcvsessions._wait.shield import ending
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import ConflictError, InvalidArgumentError
from dcvsessions.nimble.client import NimbleClient, checked_expiration
from dcvsessions.nimble.helpers import OPEN_TIMEOUT
from dcvsessions.nimble.models import Stream, StreamingInstanceType
from dcvsessions.nimble.ownership import OwnedSession, SessionRequest
from dcvsessions.nimble.session import Workstation

__all__ = ["StreamingDesktop", "streaming_session"]

# How long the clean-up at the end of a block may take.
DELETE_TIMEOUT = 30.0
# Nor is one with less than this share of its life left.
_LAST_SHARE = 0.25


class StreamingDesktop(Desktop):
    """A streaming session, kept usable; made by `streaming_session()`.

    For each URL the session is read, and started if it is stopped. The URL at hand is handed out
    again if it has half a minute or more (a quarter of its life, if that is less); otherwise one
    of a new stream is.

    Attributes:
        studio_id: The studio.
        session_id: The streaming session.
    """

    def __init__(
        self,
        workstation: Workstation,
        *,
        expiration_in_seconds: int | None,
        timeout: float | None,
        poll_interval: float | None,
        on_progress: OnProgress | None,
    ) -> None:
        super().__init__(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
        self.studio_id = workstation.studio_id
        self.session_id = workstation.session_id
        self._workstation = workstation
        self._expiration_in_seconds = expiration_in_seconds
        self._url: DcvUrl | None = None
        self._read_at = self._now
        self._fresh_until = 0.0
        self._ends = 0.0

    def __repr__(self) -> str:
        return f"<StreamingDesktop {self.session_id}: {self.state}>"

    @property
    def state(self) -> str | None:
        """The state of the session when it was last read."""
        return self._workstation.state

    @property
    def expires_at(self) -> datetime | None:
        """When the URL that was handed out last stops to work; None if there is none."""
        return None if self._url is None else self._date_of(self._ends)

    async def _usable(self, waiting: Waiting) -> DcvUrl:
        await self._look(waiting)
        if self._url is not None and self._now < self._fresh_until:
            return self._url
        return await self._stream(waiting)

    @property
    def _resource(self) -> str:
        return self._workstation.resource

    async def _look(self, waiting: Waiting) -> None:
        if self._now - self._read_at < TRUSTED:
            return
        had_to_start = await self._workstation.ready(waiting)
        self._read_at = self._now
        if had_to_start:
            # The streams into it did not outlive the stop.
            self._url = None

    async def _stream(self, waiting: Waiting) -> DcvUrl:
        asked = self._now
        try:
            usable = await self._workstation.stream(waiting, self._expiration_in_seconds)
        except ConflictError:
            # The session is not READY any more, although it was a moment ago.
            await self._workstation.ready(waiting)
            usable = await self._workstation.stream(waiting, self._expiration_in_seconds)
        life = _lifetime(usable.stream, self._expiration_in_seconds)
        self._url = usable.url
        self._ends = asked + life
        self._fresh_until = self._ends - min(ABOUT_TO_EXPIRE, life * _LAST_SHARE)
        return usable.url


def _lifetime(stream: Stream, asked_for: int | None) -> float:
    """Return a stream's seconds, by the service's own clock; 60, the least, if it does not say."""
    if stream.expires_at and stream.created_at:
        return max(0.0, (stream.expires_at - stream.created_at).total_seconds())
    return float(asked_for or _LEAST_LIFETIME)


_LEAST_LIFETIME = 60


@asynccontextmanager
async def streaming_session(
    studio_id: str,
    *,
    launch_profile_id: str | None = None,
    session_id: str | None = None,
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
    """Create a streaming session, keep it usable for the length of a block, and delete it.

    Calls what `open_streaming_session()` calls, and CreateStreamingSessionStream again whenever
    the URL has expired. At the end, DeleteStreamingSession.

    Args:
        studio_id: The studio.
        launch_profile_id: The launch profile to make the session from.
        session_id: A session that exists, in place of a new one. It is never deleted.
        delete_on_exit: Whether to delete the session at the end of the block, within 30 s.
        ec2_instance_type: Its instance type.
        owned_by: The user that it is for; the caller if None.
        streaming_image_id: Its image.
        tags: Its labels.
        client_token: 1 to 64 characters. Run again with the same token and parameters, after a
            crash, this finds the session that it made.
        expiration_in_seconds: How long each URL is to work, 60 to 3600 seconds.
        timeout: Seconds that opening, and each renewal, may take (30 minutes); None for no
            limit.
        keep_on_failure: Whether to leave the session that was made if opening it fails.
        poll_interval: Seconds between polls, in place of schedules that fit the operations.
        on_progress: Called, and awaited if need be, with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `NimbleClient`.
        profile_name: As for `NimbleClient`.
        endpoint_url: As for `NimbleClient`.

    Yields:
        The desktop: `await desktop.url()` is a URL that is usable now.

    Raises:
        DcvSessionsError: As `open_streaming_session()`. An error of the block is not replaced
            by one of the end: that is noted in it.

    Example:
        >>> async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        ...     print(await desktop.url())
    """
    checked_identifier(studio_id, "studio_id")
    checked_expiration(expiration_in_seconds)
    checked_token(client_token)
    if (launch_profile_id is None) is (session_id is None):
        raise InvalidArgumentError(
            "Either launch_profile_id=, for a new session, or session_id=, for one that exists."
        )
    of_a_new_one = (ec2_instance_type, owned_by, streaming_image_id, tags, client_token)
    if session_id is not None and any(value is not None for value in of_a_new_one):
        raise InvalidArgumentError(
            "ec2_instance_type=, owned_by=, streaming_image_id=, tags= and client_token= are "
            "for a new session: leave them out with session_id=."
        )
    if session_id is not None:
        owned, given = None, checked_identifier(session_id, "session_id")
    else:
        request = SessionRequest(
            launch_profile_id=checked_identifier(launch_profile_id, "launch_profile_id"),
            ec2_instance_type=ec2_instance_type,
            owned_by=owned_by,
            streaming_image_id=streaming_image_id,
            tags=tags,
        )
        owned, given = OwnedSession.of(studio_id, request, client_token), ""
    opening = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connect = partial(
        given_or_new,
        client,
        NimbleClient,
        region_name=region_name,
        profile_name=profile_name,
        endpoint_url=endpoint_url,
    )
    async with AsyncExitStack() as stack:
        if owned is None:
            nimble = await stack.enter_async_context(opening.opened(connect()))
            workstation = Workstation(nimble, studio_id, given)
            await workstation.ready(opening)
        else:
            try:
                nimble = await stack.enter_async_context(opening.opened(connect()))
                workstation = await Workstation.made(owned, nimble, opening)
            except BaseException as error:
                await owned.settle(error, connect, keep=keep_on_failure)
                raise
            if delete_on_exit:
                ending_it = ending(
                    lambda: owned.end(nimble, Waiting(timeout=DELETE_TIMEOUT)),
                    within=2 * DELETE_TIMEOUT,
                )
                await stack.enter_async_context(ending_it)
        desktop = StreamingDesktop(
            workstation,
            expiration_in_seconds=expiration_in_seconds,
            timeout=timeout,
            poll_interval=poll_interval,
            on_progress=on_progress,
        )
        stack.callback(desktop.end)
        yield desktop
