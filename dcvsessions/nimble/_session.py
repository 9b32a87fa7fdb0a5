"""The goals of a streaming session: how a wait reads it, changes it and decides."""

from collections.abc import Awaitable
from enum import StrEnum
from functools import partial
from typing import TypeVar

from attrs import frozen

from dcvsessions._aws.client import poll_delay
from dcvsessions._wait.decisions import Failed, Observation
from dcvsessions._wait.desktop import ABOUT_TO_EXPIRE
from dcvsessions._wait.instant import Instant
from dcvsessions._wait.loop import Goal, Waiter
from dcvsessions._wait.schedule import Schedule
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import NotFoundError, WaitFailedError
from dcvsessions.nimble._client import NimbleClient
from dcvsessions.nimble._models import Stream, StreamingSession, StreamState
from dcvsessions.nimble._readings import watched
from dcvsessions.nimble._states import (
    ReadySession,
    Step,
    StreamReading,
    UsableStream,
    decide_created_stream,
    decide_deleted,
    decide_session,
    decide_stream,
    observation,
)

__all__ = [
    "OpenedStream",
    "StreamingSessionController",
    "desktop_of",
    "new_client_token",
    "observed",
]

_Found = TypeVar("_Found", StreamingSession, Stream)

# Nobody publishes how long these take. We assume minutes for a session, and seconds for a stream.
_STARTING = Schedule(quartile=75, shortest=9.6, longest=30)
_STREAMING = Schedule(shortest=2, longest=5)
_DELETING = Schedule(shortest=5, longest=10)
# Seconds. The shortest that the service model allows: assumed if the lifetime is not known.
_LEAST_LIFETIME = 60
# A URL with less than this share of its lifetime left is not returned.
_LAST_SHARE = 0.25
_GONE = (StreamState.DELETE_IN_PROGRESS, StreamState.DELETED)


def desktop_of(session_id: str) -> str:
    """Return the name of a streaming session in events and errors."""
    return f"streaming session {session_id}"


def new_client_token() -> str:
    """Return a token that no other request has."""
    from uuid import uuid4  # noqa: PLC0415 - programs that only use Lightsail do not need it

    return uuid4().hex


async def observed(call: Awaitable[_Found]) -> Observation[_Found | NotFoundError]:
    """Return the result of a call as an observation. "Not found" is an observation too."""
    found: _Found | NotFoundError
    try:
        found = await call
    except NotFoundError as error:
        found = error
    return observation(found)


@frozen
class OpenedStream:
    """A stream with a usable URL.

    Attributes:
        url: The URL.
        asked: When the stream was requested.
        lifetime: Seconds for which the URL works after that.
    """

    url: DcvUrl
    asked: Instant
    lifetime: float

    @property
    def remaining(self) -> float:
        """Seconds that the URL will still work."""
        return self.lifetime - self.asked.age

    @property
    def fresh_for(self) -> float:
        """Seconds until the URL is too close to its end to be returned."""
        return self.remaining - min(ABOUT_TO_EXPIRE, self.lifetime * _LAST_SHARE)

    def is_fresh(self) -> bool:
        """Whether the URL still works long enough to be returned."""
        return self.fresh_for > 0


@frozen
class StreamingSessionController:
    """Reads and changes one streaming session, with an open client."""

    client: NimbleClient
    studio_id: str
    session_id: str

    async def until_ready(
        self,
        waiter: Waiter,
        *,
        may_start: bool = True,
        created_at: float | None = None,
        is_last: bool = False,
    ) -> ReadySession:
        """Wait until the session is READY.

        Args:
            waiter: The wait.
            may_start: Whether to start the session if it is stopped.
            created_at: When the session was made, in seconds since the wait began; None if that is
                not known.
            is_last: Whether the wait is over when the session is READY.
        """
        with watched(self.client, self.studio_id, self.session_id) as watch:
            return await waiter.until(
                Goal(
                    resource=desktop_of(self.session_id),
                    awaited="READY",
                    observe=lambda: observed(watch.read()),
                    decide=partial(decide_session, may_start=may_start, created_at=created_at),
                    take=self._take,
                    schedule=_STARTING,
                    began=created_at,
                    pause=watch.pause,
                    delay=partial(poll_delay, self.client),
                    is_last=is_last,
                )
            )

    async def until_deleted(self, waiter: Waiter) -> None:
        """Wait until the session is gone."""
        with watched(self.client, self.studio_id, self.session_id) as watch:
            await waiter.until(
                Goal(
                    resource=desktop_of(self.session_id),
                    awaited="deleted",
                    observe=lambda: observed(watch.read()),
                    decide=decide_deleted,
                    take=self._take,
                    schedule=_DELETING,
                    pause=watch.pause,
                    delay=partial(poll_delay, self.client),
                )
            )

    async def stream(
        self,
        waiter: Waiter,
        expiration_in_seconds: int | None,
        *,
        created_at: float | None = None,
        check_reachable: bool = False,
    ) -> OpenedStream:
        """Make a stream into the session, and wait until it has a usable URL.

        If the stream has expired by then, another one replaces it.

        Args:
            waiter: The wait.
            expiration_in_seconds: How long the URL should work.
            created_at: When the session was made, in seconds since the wait began; None if that
                is not known.
            check_reachable: Whether to wait until the desktop's server answers as well.
        """
        while True:
            asked = Instant.ago()
            try:
                usable = await self._new_stream(waiter, expiration_in_seconds, created_at)
            except (WaitFailedError, NotFoundError) as error:
                if not _has_expired(error, asked.age, expiration_in_seconds):
                    raise
                continue
            if check_reachable:
                await waiter.reachable(usable.url, desktop_of(self.session_id))
            lifetime = _lifetime(usable.stream, expiration_in_seconds)
            url = DcvUrl(
                usable.url,
                streaming_session_id=self.session_id,
                expires_at=usable.stream.expires_at,
            )
            opened = OpenedStream(url, asked, lifetime)
            if opened.remaining > 0:
                return opened
            if waiter.remaining == 0:
                raise waiter.timed_out(desktop_of(self.session_id), "open with a URL that works")

    async def _new_stream(
        self, waiter: Waiter, expiration_in_seconds: int | None, created_at: float | None
    ) -> UsableStream:
        stream_id = await waiter.until(
            Goal(
                resource=f"stream into {self.session_id}",
                awaited="created",
                observe=partial(self._create_stream, expiration_in_seconds, new_client_token()),
                decide=partial(decide_created_stream, created_at=created_at),
                schedule=_STREAMING,
                is_last=False,
            )
        )
        return await waiter.until(
            Goal(
                resource=f"stream {stream_id}",
                awaited="READY with a URL",
                observe=partial(self._observe_stream, stream_id),
                decide=partial(decide_stream, created_at=waiter.elapsed),
                schedule=_STREAMING,
                delay=partial(poll_delay, self.client),
            )
        )

    async def _create_stream(self, expiration_in_seconds: int | None, token: str) -> StreamReading:
        return await observed(
            self.client.create_streaming_session_stream(
                self.studio_id,
                self.session_id,
                expiration_in_seconds=expiration_in_seconds,
                client_token=token,
            )
        )

    async def _observe_stream(self, stream_id: str) -> StreamReading:
        return await observed(
            self.client.get_streaming_session_stream(self.studio_id, self.session_id, stream_id)
        )

    async def _take(self, step: StrEnum) -> Failed | None:
        # botocore makes a new token for each call, and keeps it when it repeats the call. If two
        # calls had the same token, the service would answer the second and do nothing.
        if Step(step) is Step.START:
            await self.client.start_streaming_session(self.studio_id, self.session_id)
        else:
            await self.client.delete_streaming_session(self.studio_id, self.session_id)
        return None


def _lifetime(stream: Stream, requested: int | None) -> float:
    """Return a stream's life in seconds, by the service's own clock if it tells."""
    if stream.expires_at and stream.created_at and stream.expires_at > stream.created_at:
        return (stream.expires_at - stream.created_at).total_seconds()
    return float(requested or _LEAST_LIFETIME)


def _has_expired(error: WaitFailedError | NotFoundError, age: float, requested: int | None) -> bool:
    """Whether a stream is gone because it expired, and not because it failed."""
    is_gone = isinstance(error, NotFoundError) or error.state in _GONE
    return is_gone and age >= (requested or _LEAST_LIFETIME)
