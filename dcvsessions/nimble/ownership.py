"""The one session that a call makes: from before it is asked for to handed over, or deleted.

A workstation by the hour must not be forgotten because a caller was interrupted, nor made twice
because an answer was lost. The client token is chosen before the first attempt and held for all.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial

from attrs import define, field, frozen

from dcvsessions._aws.client import no_blind_repeats
from dcvsessions._wait.loop import MOMENT, Waiting, is_refusal
from dcvsessions._wait.schedule import Schedule
from dcvsessions._wait.shield import finished
from dcvsessions.errors import (
    CallTimeoutError,
    ConflictError,
    DcvSessionsError,
    NotFoundError,
    WaitError,
    left_behind,
)
from dcvsessions.nimble import states
from dcvsessions.nimble.client import NimbleClient
from dcvsessions.nimble.models import StreamingSession, StreamingSessionState
from dcvsessions.nimble.states import SeenSession

__all__ = ["CLEANUP_TIMEOUT", "PATIENCE", "OwnedSession", "SessionRequest"]

_log = logging.getLogger(__name__)

# How much longer than its timeout a call may take to delete what it made.
CLEANUP_TIMEOUT = 10.0
# How long an attempt to make a session may go on after its caller has given up.
PATIENCE = 3.0
_CREATING = Schedule(typical=2, shortest=1, longest=10)
_GIVING_UP = Schedule(typical=1, shortest=0.5, longest=2)


@frozen(kw_only=True)
class SessionRequest:
    """What CreateStreamingSession is to be asked for, but for its token."""

    launch_profile_id: str
    ec2_instance_type: str | None = None
    owned_by: str | None = None
    streaming_image_id: str | None = None
    tags: Mapping[str, str] | None = field(default=None, hash=False)


@define
class OwnedSession:
    """A streaming session that a call makes and answers for.

    Attributes:
        studio_id: The studio.
        request: What is asked for.
        client_token: The caller's token; a new one is chosen if it gave none.
        session_id: The session's id, once it is known.
        is_adopted: Whether it was there before this call: made by the same line, run earlier.
    """

    studio_id: str
    request: SessionRequest
    client_token: str
    _is_callers_token: bool
    session_id: str | None = field(default=None, init=False)
    is_adopted: bool = field(default=False, init=False)
    _made_at: float = field(default=0.0, init=False)
    _is_unsure: bool = field(default=False, init=False)
    _attempt: asyncio.Task[StreamingSession] | None = field(default=None, init=False)

    @classmethod
    def of(cls, studio_id: str, request: SessionRequest, token: str | None) -> "OwnedSession":
        """Return a session that is not asked for yet."""
        return cls(studio_id, request, token or uuid.uuid4().hex, token is not None)

    async def make(
        self, client: NimbleClient, waiting: Waiting, *, patience: float = PATIENCE
    ) -> str:
        """Ask for the session until the service has answered, and return its id.

        Args:
            client: An open client.
            waiting: How long this may take.
            patience: How many seconds longer an attempt that is under way may take.
        """
        try:
            return await waiting.until(
                resource=f"streaming session in {self.studio_id}",
                awaited="created",
                observe=partial(self._create, client),
                decide=states.decide_created_session,
                schedule=_CREATING,
            )
        except BaseException:
            # The attempt that is under way is let end, so that a caller that was cancelled
            # still learns the id of what it made. If it does not even end when it is cut off,
            # it stays unknown, and the error is this one all the same.
            with suppress(CallTimeoutError):
                await finished(self._end_attempt(patience), within=patience + MOMENT)
            raise

    async def settle(
        self,
        error: BaseException,
        connect: Callable[[], AbstractAsyncContextManager[NimbleClient]],
        *,
        keep: bool,
    ) -> None:
        """Delete the session because of an error, or say in the error that it is left.

        Args:
            error: Why the session is not handed over.
            connect: Opens a client: the one that made it may be closed.
            keep: Whether to leave it.
        """
        if self.session_id is None and not self._is_unsure:
            return
        if not keep and not self.is_adopted:
            try:
                await finished(self._give_up(connect), within=2 * CLEANUP_TIMEOUT)
            except DcvSessionsError as failure:
                error.add_note(f"The clean-up did not succeed either: {failure}")
            except asyncio.CancelledError as cancellation:
                # The caller was cancelled again: this is what it gets, so this has to tell.
                if cancellation.__cause__ is not None:
                    self._confess(cancellation)
                raise
            else:
                return
        self._confess(error)

    async def delete(self, client: NimbleClient, waiting: Waiting) -> None:
        """See the session on its way out; find out first whether there is one, if need be.

        Args:
            client: An open client.
            waiting: How long this may take.

        Raises:
            DcvSessionsError: It could not be deleted.
        """
        if self.session_id is None:
            # The token finds the session that an unanswered attempt made. If none did, this
            # makes one, to be deleted at once: the service has no other way to ask.
            await self.make(client, waiting, patience=0)
        age = asyncio.get_running_loop().time() - self._made_at
        await waiting.until(
            resource=f"streaming session {self.session_id}",
            awaited="deleted",
            observe=partial(self._delete, client, uuid.uuid4().hex),
            decide=partial(states.decide_given_up, created_at=waiting.elapsed - age),
            schedule=_GIVING_UP,
        )

    async def end(self, client: NimbleClient, waiting: Waiting) -> None:
        """See the session on its way out at the end of its use.

        Args:
            client: An open client.
            waiting: How long this may take.

        Raises:
            DcvSessionsError: It could not be deleted; the error says that it is left.
        """
        try:
            await self.delete(client, waiting)
        except (DcvSessionsError, asyncio.CancelledError) as error:
            self._confess(error)
            raise

    async def _give_up(
        self, connect: Callable[[], AbstractAsyncContextManager[NimbleClient]]
    ) -> None:
        waiting = Waiting(timeout=CLEANUP_TIMEOUT - MOMENT)
        async with waiting.opened(connect()) as client:
            await self.delete(client, waiting)

    async def _create(self, client: NimbleClient) -> SeenSession:
        """Attempt the create, or wait for the attempt that is still under way.

        It is shielded: a cancelled caller still learns the id of what was made.
        """
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._attempt_create(client))
        return states.observation(await asyncio.shield(self._attempt))

    async def _attempt_create(self, client: NimbleClient) -> StreamingSession:
        was_unsure, self._is_unsure = self._is_unsure, True
        try:
            # A repeat by botocore would hide that the attempt before it may have succeeded.
            with no_blind_repeats():
                session = await client.create_streaming_session(
                    self.studio_id,
                    launch_profile_id=self.request.launch_profile_id,
                    ec2_instance_type=self.request.ec2_instance_type,
                    owned_by=self.request.owned_by,
                    streaming_image_id=self.request.streaming_image_id,
                    tags=self.request.tags,
                    client_token=self.client_token,
                )
        except DcvSessionsError as error:
            if is_refusal(error):
                self._is_unsure = was_unsure
            raise
        finally:
            self._attempt = None
        self.session_id = session.session_id
        self._made_at = asyncio.get_running_loop().time()
        self.is_adopted = (
            self._is_callers_token
            and not was_unsure
            and session.state is not StreamingSessionState.CREATE_IN_PROGRESS
        )
        return session

    async def _end_attempt(self, patience: float) -> None:
        """Let an attempt that is under way end, and cut it off if it does not."""
        if (attempt := self._attempt) is None:
            return
        await asyncio.wait({attempt}, timeout=patience)
        attempt.cancel()
        await asyncio.wait({attempt})

    async def _delete(self, client: NimbleClient, token: str) -> SeenSession:
        session_id = self.session_id or ""
        found: StreamingSession | NotFoundError
        try:
            found = await self._delete_or_read(client, session_id, token)
        except NotFoundError as error:
            found = error
        return states.observation(found)

    async def _delete_or_read(
        self, client: NimbleClient, session_id: str, token: str
    ) -> StreamingSession:
        try:
            return await client.delete_streaming_session(
                self.studio_id, session_id, client_token=token
            )
        except ConflictError:
            # Another change runs. It may be a deletion, and if not, it will be over soon.
            return await client.get_streaming_session(self.studio_id, session_id)

    def _confess(self, error: BaseException) -> None:
        """Say in an error what is left behind."""
        left = left_behind(self.session_id, self.client_token)
        if isinstance(error, WaitError):
            error.session_id, error.client_token = self.session_id, self.client_token
        else:
            error.add_note(left)
        _log.warning("%s", left)
