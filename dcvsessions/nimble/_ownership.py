"""The session that a call makes. The call returns it, deletes it, or names it in its error.

A session costs by the hour. So a cancelled call must not forget it, and a lost answer must not
make a second one: the client token is chosen before the first attempt and used for all attempts.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial

from attrs import define, field

from dcvsessions._aws.client import no_blind_repeats, service_now
from dcvsessions._aws.connection import Connection
from dcvsessions._tasks import finished
from dcvsessions._wait.instant import Instant
from dcvsessions._wait.loop import FINAL_POLL_GRACE, Goal, Waiter
from dcvsessions._wait.outcome import is_refusal
from dcvsessions._wait.schedule import Schedule
from dcvsessions.errors import (
    ConflictError,
    DcvSessionsError,
    LeftBehind,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions.nimble._client import NimbleClient
from dcvsessions.nimble._models import StreamingSession
from dcvsessions.nimble._request import StreamingSessionRequest
from dcvsessions.nimble._session import desktop_of, new_client_token, observed
from dcvsessions.nimble._states import (
    StreamingSessionReading,
    decide_created_session,
    decide_deletion_requested,
    is_gone,
    observation,
)

__all__ = ["CLEANUP_TIMEOUT", "PATIENCE", "OwnedSession", "report_leftover"]

_log = logging.getLogger(__name__)

# Seconds that a call may take beyond its timeout to delete the session that it made.
CLEANUP_TIMEOUT = 10.0
# Seconds that a running create request gets to end after its caller was cancelled or timed out.
PATIENCE = 3.0
# Nimble Studio's timestamps have whole seconds.
_CLOCK_STEP = timedelta(seconds=1)
_CREATING = Schedule(shortest=2, longest=10)
_REQUESTING_DELETION = Schedule(shortest=1, longest=2)


@define
class OwnedSession:
    """A streaming session that a call makes, and has to delete if it fails.

    Attributes:
        studio_id: The studio.
        request: The parameters of the create.
        client_token: The caller's token, or a new one.
        session_id: The session's id, once it is known.
        is_earlier: Whether an earlier run made it with the same token. This call does not delete
            it then.
        made: When its id became known.
    """

    studio_id: str
    request: StreamingSessionRequest
    client_token: str
    session_id: str | None = field(default=None, init=False)
    is_earlier: bool = field(default=False, init=False)
    made: Instant | None = field(default=None, init=False)
    _first_attempt: float | None = field(default=None, init=False)
    _may_exist: bool = field(default=False, init=False)
    _attempt: asyncio.Task[StreamingSession] | None = field(default=None, init=False)

    @classmethod
    def of(cls, studio_id: str, request: StreamingSessionRequest) -> "OwnedSession":
        """Return a session that was not requested yet."""
        return cls(studio_id, request, request.client_token or new_client_token())

    async def make(
        self, client: NimbleClient, waiter: Waiter, *, patience: float = PATIENCE
    ) -> str:
        """Request the session until the service answers, and return its id.

        If this is cancelled, a running attempt gets `patience` seconds to end.
        """
        try:
            return await waiter.until(
                Goal(
                    resource=f"streaming session in {self.studio_id}",
                    awaited="created",
                    observe=partial(self._create, client),
                    decide=partial(decide_created_session, client_token=self.client_token),
                    schedule=_CREATING,
                    is_last=False,
                    observes_by_change=True,
                )
            )
        except BaseException:
            # The running attempt may end, so that a cancelled caller still learns the id of the
            # session. If the attempt does not end even when it is cancelled, the id stays unknown,
            # and the caller gets the first error.
            with suppress(WaitTimeoutError):
                await finished(self._end_attempt(patience), within=patience + FINAL_POLL_GRACE)
            raise

    @asynccontextmanager
    async def cleaned_up(
        self,
        connection: Connection[NimbleClient],
        *,
        keep: bool,
        within: float = CLEANUP_TIMEOUT,
    ) -> AsyncGenerator[None, None]:
        """If the block fails, delete the session, or name it in the error.

        The client that made the session may be closed by then, so `connection` opens another one.
        If `keep` is set, the session is not deleted. Otherwise, the deletion may take `within`
        seconds.
        """
        try:
            yield
        except BaseException as error:
            await self._settle(error, connection, keep=keep, within=within)
            raise

    @asynccontextmanager
    async def named_at_end(self, *, in_log: bool) -> AsyncGenerator[None, None]:
        """Name the session that is kept, at the end of the block.

        Args:
            in_log: Whether to log it if the block raised no error.
        """
        try:
            yield
        except BaseException as error:
            self._report_leftover(error)
            raise
        if in_log:
            _log.warning("%s", self._left_behind)

    async def delete(self, client: NimbleClient, waiter: Waiter) -> None:
        """Wait until the service confirms that it deletes the session.

        Raises:
            DcvSessionsError: The service has not confirmed the deletion.
        """
        await waiter.until(
            Goal(
                resource=desktop_of(self.session_id or ""),
                awaited="deleted",
                observe=partial(self._delete, client, new_client_token()),
                decide=partial(
                    decide_deletion_requested,
                    created_at=waiter.elapsed - (self.made.age if self.made else 0.0),
                ),
                schedule=_REQUESTING_DELETION,
                observes_by_change=True,
            )
        )

    async def end(self, client: NimbleClient, waiter: Waiter) -> None:
        """Request the deletion of the session at the end of its block.

        Raises:
            DcvSessionsError: The service has not confirmed the deletion. The error names the
                session.
        """
        try:
            await self.delete(client, waiter)
        except BaseException as error:
            self._report_leftover(error)
            raise

    async def _settle(
        self,
        error: BaseException,
        connection: Connection[NimbleClient],
        *,
        keep: bool,
        within: float,
    ) -> None:
        if self.session_id is None and not self._may_exist:
            return
        if not keep and not self.is_earlier:
            try:
                await finished(self._clean_up(connection, within), within=2 * within)
            except Exception as failure:  # noqa: BLE001 - the caller gets the first error
                error.add_note(f"The clean-up failed too: {failure}")
            except asyncio.CancelledError as cancellation:
                # The caller was cancelled again. It gets this cancellation in place of the first
                # error.
                if self.session_id is not None or self._may_exist:
                    self._report_leftover(cancellation)
                raise
        if self.session_id is not None or self._may_exist:
            self._report_leftover(error)

    async def _clean_up(self, connection: Connection[NimbleClient], within: float) -> None:
        waiter = Waiter(timeout=within - FINAL_POLL_GRACE)
        async with connection.opened(waiter.entered) as client:
            if self.session_id is None:
                await self._find(client, waiter)
            if self.session_id is not None and not self.is_earlier:
                await self.delete(client, waiter)
                self.session_id, self._may_exist = None, False

    async def _find(self, client: NimbleClient, waiter: Waiter) -> None:
        """Use the token to find out which session an unanswered attempt made.

        The service has no other way to ask than to repeat the request. If no attempt made a
        session, the repeat makes one, and it is deleted at once.
        """
        try:
            await self.make(client, waiter, patience=0)
        except WaitFailedError:
            if self._may_exist:
                raise

    async def _create(self, client: NimbleClient) -> StreamingSessionReading:
        """Start an attempt to create the session, or wait for the one that is running.

        The attempt is shielded, so that a cancelled caller still learns the id of the session.
        """
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._attempt_create(client))
            self._attempt.add_done_callback(_retrieve)
        return observation(await asyncio.shield(self._attempt))

    async def _attempt_create(self, client: NimbleClient) -> StreamingSession:
        might_exist, self._may_exist = self._may_exist, True
        if self._first_attempt is None:
            self._first_attempt = asyncio.get_running_loop().time()
        try:
            # If botocore repeated the call, nobody would learn that the first attempt may have
            # succeeded.
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
                self._may_exist = might_exist
            raise
        finally:
            self._attempt = None
        self._may_exist = not is_gone(session)
        if self._may_exist:
            self.session_id, self.made = session.session_id, Instant.ago()
            self.is_earlier = self._is_of_an_earlier_run(session, service_now(client))
        return session

    def _is_of_an_earlier_run(self, session: StreamingSession, now: datetime | None) -> bool:
        if self.request.client_token is None or self._first_attempt is None:
            return False
        if session.created_at is None or now is None:
            return True  # nobody can tell, so the session is kept and named
        # Only the loop's clock is used: if somebody set the wall clock, or the machine slept, the
        # session would seem to be older or younger than it is.
        age = asyncio.get_running_loop().time() - self._first_attempt
        began = now - timedelta(seconds=age)
        return session.created_at <= began - _CLOCK_STEP

    async def _end_attempt(self, patience: float) -> None:
        """Wait for a running attempt, and cancel it if it does not end in time."""
        if (attempt := self._attempt) is None:
            return
        await asyncio.wait({attempt}, timeout=patience)
        attempt.cancel()
        await asyncio.wait({attempt})

    async def _delete(self, client: NimbleClient, token: str) -> StreamingSessionReading:
        return await observed(self._delete_or_read(client, self.session_id or "", token))

    async def _delete_or_read(
        self, client: NimbleClient, session_id: str, token: str
    ) -> StreamingSession:
        try:
            return await client.delete_streaming_session(
                self.studio_id, session_id, client_token=token
            )
        except ConflictError:
            # Another change is running. It may be a deletion; if not, it will end soon.
            return await client.get_streaming_session(self.studio_id, session_id)

    def _report_leftover(self, error: BaseException) -> None:
        report_leftover(error, self._left_behind)

    @property
    def _left_behind(self) -> LeftBehind:
        return LeftBehind(session_id=self.session_id, client_token=self.client_token)


def _retrieve(attempt: asyncio.Task[StreamingSession]) -> None:
    """Retrieve the error of an attempt, which asyncio logs if the caller was cancelled before."""
    if not attempt.cancelled():
        attempt.exception()


def report_leftover(error: BaseException, left: LeftBehind) -> None:
    """Name the session that is left behind in an error and in the log."""
    if isinstance(error, DcvSessionsError):
        error.left_behind = left
    else:
        error.add_note(str(left))
        # If this cancellation becomes an error of this package, that error gets it.
        vars(error)["left_behind"] = left
    _log.warning("%s", left)
