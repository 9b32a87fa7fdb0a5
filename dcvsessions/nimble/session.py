"""A streaming session as the reconcile loop handles it."""

import uuid
from enum import StrEnum
from functools import partial

from attrs import define, field

from dcvsessions._wait.decisions import Failed
from dcvsessions._wait.loop import Waiting
from dcvsessions._wait.schedule import Schedule
from dcvsessions.errors import NotFoundError
from dcvsessions.nimble import states
from dcvsessions.nimble.client import NimbleClient
from dcvsessions.nimble.models import StreamingSession
from dcvsessions.nimble.ownership import OwnedSession
from dcvsessions.nimble.states import SeenSession, SeenStream, Step, UsableStream

__all__ = ["Workstation"]

STARTING = Schedule(typical=180, shortest=2, longest=15)
STREAMING = Schedule(typical=4, shortest=1, longest=5)
DELETING = Schedule(typical=60, shortest=2, longest=10)


@define
class Workstation:
    """A streaming session on its way to ready, to a stream, to its end.

    Attributes:
        client: An open client.
        studio_id: The studio.
        session_id: The session.
        state: Its state at the last reading.
    """

    client: NimbleClient
    studio_id: str
    session_id: str
    state: str | None = None
    _has_started: bool = field(default=False, init=False)

    @classmethod
    async def made(
        cls, owned: OwnedSession, client: NimbleClient, waiting: Waiting
    ) -> "Workstation":
        """Make a session and wait until it is READY."""
        session_id = await owned.make(client, waiting)
        workstation = cls(client, owned.studio_id, session_id)
        await workstation.ready(waiting, may_start=owned.is_adopted, created_at=waiting.elapsed)
        return workstation

    async def ready(
        self, waiting: Waiting, *, may_start: bool = True, created_at: float | None = None
    ) -> bool:
        """Bring the session to READY, and return whether it had to be started for that.

        Args:
            waiting: The wait.
            may_start: Whether to start it if it is stopped.
            created_at: When it was made, in seconds since the wait began; None if before.
        """
        self._has_started = False
        await waiting.until(
            resource=self.resource,
            awaited="READY",
            observe=self._observe,
            decide=partial(states.decide_session, may_start=may_start, created_at=created_at),
            act=self._act,
            schedule=STARTING,
        )
        return self._has_started

    async def stream(self, waiting: Waiting, expiration_in_seconds: int | None) -> UsableStream:
        """Make a stream into the session and bring it to a usable URL."""
        stream_id = await waiting.until(
            resource=f"stream into {self.session_id}",
            awaited="created",
            observe=partial(self._create_stream, expiration_in_seconds, uuid.uuid4().hex),
            decide=states.decide_created_stream,
            schedule=STREAMING,
        )
        return await waiting.until(
            resource=f"stream {stream_id}",
            awaited="READY",
            observe=partial(self._observe_stream, stream_id),
            decide=partial(states.decide_stream, created_at=waiting.elapsed),
            schedule=STREAMING,
        )

    async def delete(self, waiting: Waiting) -> None:
        """Bring the session to its end."""
        await waiting.until(
            resource=self.resource,
            awaited="deleted",
            observe=self._observe,
            decide=states.decide_deleted,
            act=self._act,
            schedule=DELETING,
        )

    @property
    def resource(self) -> str:
        """What to call it in events and errors."""
        return f"streaming session {self.session_id}"

    async def _observe(self) -> SeenSession:
        found: StreamingSession | NotFoundError
        try:
            found = await self.client.get_streaming_session(self.studio_id, self.session_id)
        except NotFoundError as error:
            found = error
        seen: SeenSession = states.observation(found)
        self.state = seen.state
        return seen

    async def _create_stream(self, expiration_in_seconds: int | None, token: str) -> SeenStream:
        return states.observation(
            await self.client.create_streaming_session_stream(
                self.studio_id,
                self.session_id,
                expiration_in_seconds=expiration_in_seconds,
                client_token=token,
            )
        )

    async def _observe_stream(self, stream_id: str) -> SeenStream:
        try:
            found = await self.client.get_streaming_session_stream(
                self.studio_id, self.session_id, stream_id
            )
        except NotFoundError as error:
            return states.observation(error)
        return states.observation(found)

    async def _act(self, step: StrEnum) -> Failed | None:
        self._has_started |= Step(step) is Step.START
        # Without a token of ours, botocore makes one for each call and holds it for its repeats:
        # with the same for two calls, the second would be answered and do nothing.
        await {
            Step.START: self.client.start_streaming_session,
            Step.DELETE: self.client.delete_streaming_session,
        }[Step(step)](self.studio_id, self.session_id)
        return None
