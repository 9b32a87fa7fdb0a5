"""Readings of streaming sessions, shared by all waits on one studio and client.

One ListStreamingSessions replaces a GetStreamingSession for each session. So while several waits
run, the one that polls first reads for all, and the others need not poll.
"""

import asyncio
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from weakref import WeakKeyDictionary

from attrs import define, field

from dcvsessions._wait.instant import Instant
from dcvsessions._wait.listing import Listing
from dcvsessions.errors import DcvSessionsError
from dcvsessions.nimble._client import NimbleClient
from dcvsessions.nimble._models import StreamingSession, StreamingSessionState

__all__ = ["Watch", "watched"]

# For these states, a list has everything that a wait needs. For the others, a Get shows why the
# session failed, or whether it is really gone.
_COMPLETE = frozenset(
    {
        StreamingSessionState.CREATE_IN_PROGRESS,
        StreamingSessionState.START_IN_PROGRESS,
        StreamingSessionState.STOP_IN_PROGRESS,
        StreamingSessionState.DELETE_IN_PROGRESS,
        StreamingSessionState.READY,
    }
)
# Seconds after which a reading of another wait is not used any more.
_FRESH = 1.0
# Seconds for which a list waits for other waits that poll at about the same time.
_GATHERING = 0.25
# How many ids one list asks for. An id has 22 characters, and a URL at most 8,000.
_MOST_IDS = 200


@define(eq=False)
class Watch:
    """One wait's view of one session: its own readings, and those that other waits make."""

    _studio: "_Studio"
    session_id: str
    _news: tuple[StreamingSession, Instant] | None = field(init=False, default=None)
    _arrived: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def read(self) -> StreamingSession:
        """Return what another wait has just read, or else read the session."""
        news, self._news = self._news, None
        self._arrived.clear()
        if news is not None and news[1].age < _FRESH:
            return news[0]
        session = await self._studio.read(self.session_id)
        # If this wait read for all, it was told too: forget that.
        self._news = None
        self._arrived.clear()
        return session

    async def pause(self, seconds: float) -> None:
        """Wait for some seconds, or until another wait has read the session."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    def tell(self, session: StreamingSession) -> None:
        """Note what another wait has read."""
        self._news = (session, Instant.ago())
        self._arrived.set()


@define(eq=False)
class _Studio:
    """The waits on one studio and client."""

    client: NimbleClient
    studio_id: str
    watches: dict[Watch, None] = field(init=False, factory=dict[Watch, None])
    _listing: Listing = field(init=False, factory=Listing)
    _list: "_List | None" = field(init=False, default=None)

    async def read(self, session_id: str) -> StreamingSession:
        """Read a session: by a list for all waits if there are several, otherwise by a Get."""
        while not self._listing.is_over and len(self.watches) > 1:
            running = self._running_list()
            sessions = await running.read()
            # If it is missing, the list was requested before this wait began.
            if session_id in running.ids:
                session = sessions.get(session_id)
                if session is not None and session.state in _COMPLETE:
                    return session
                break
        return await self.client.get_streaming_session(self.studio_id, session_id)

    def _running_list(self) -> "_List":
        if self._list is None or not self._list.is_running:
            self._list = _List(self)
        return self._list

    async def read_all(self, ids: Iterable[str]) -> Mapping[str, StreamingSession]:
        """Read sessions by a list, and tell the waits about them."""
        sessions: dict[str, StreamingSession] = {}
        try:
            rest = iter(ids)
            while some := list(islice(rest, _MOST_IDS)):
                async for session in self.client.list_streaming_sessions(
                    self.studio_id, session_ids=some
                ):
                    sessions[session.session_id or ""] = session
        except DcvSessionsError as error:
            self._listing.failed(error)
        else:
            self._listing.succeeded()
        self._tell(sessions)
        return sessions

    def _tell(self, sessions: dict[str, StreamingSession]) -> None:
        for watch in self.watches:
            session = sessions.get(watch.session_id)
            if session is not None and session.state in _COMPLETE:
                watch.tell(session)


class _List:
    """A list that is being read. All waits that ask for it meanwhile share it."""

    def __init__(self, studio: _Studio) -> None:
        self.ids: Collection[str] = ()
        self._task = asyncio.create_task(self._run(studio))
        self._readers = 0

    async def _run(self, studio: _Studio) -> Mapping[str, StreamingSession]:
        await asyncio.sleep(_GATHERING)
        self.ids = dict.fromkeys(watch.session_id for watch in studio.watches)
        return await studio.read_all(self.ids)

    @property
    def is_running(self) -> bool:
        """Whether a wait can still join it."""
        return not (self._task.done() or self._task.cancelling())

    async def read(self) -> Mapping[str, StreamingSession]:
        """Wait for the list. If nobody waits for it any more, it is cancelled."""
        self._readers += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._readers -= 1
            if not self._readers:
                self._task.cancel()


_studios: WeakKeyDictionary[NimbleClient, dict[str, _Studio]] = WeakKeyDictionary()


@contextmanager
def watched(client: NimbleClient, studio_id: str, session_id: str) -> Generator[Watch, None, None]:
    """Yield the view of one session for the length of a wait."""
    studios = _studios.setdefault(client, {})
    studio = studios.setdefault(studio_id, _Studio(client, studio_id))
    watch = Watch(studio, session_id)
    studio.watches[watch] = None
    try:
        yield watch
    finally:
        del studio.watches[watch]
        if not studio.watches:
            del studios[studio_id]
