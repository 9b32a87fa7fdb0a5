"""What to do about a streaming session or a stream, in every state of it. Pure: no I/O, no clock.

The states are those of the service model; AWS documents which of them to poll for.
"""

from enum import StrEnum
from typing import TypeVar

from attrs import frozen

from dcvsessions._wait.decisions import (
    GRACE,
    Act,
    Decision,
    Done,
    Failed,
    Observation,
    Rule,
    Situation,
    Wait,
)
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import Failure, NotFoundError
from dcvsessions.nimble.models import (
    Stream,
    StreamingSession,
    StreamingSessionState,
    StreamState,
)

__all__ = [
    "NOT_FOUND",
    "SeenSession",
    "SeenStream",
    "Step",
    "UsableStream",
    "decide_created_session",
    "decide_created_stream",
    "decide_deleted",
    "decide_given_up",
    "decide_session",
    "decide_stream",
    "observation",
]

# What a resource is called that the service does not know: not one of its own states.
NOT_FOUND = "not found"


class Step(StrEnum):
    """What a helper may ask Nimble Studio for, besides making a session or stream."""

    START = "StartStreamingSession"
    DELETE = "DeleteStreamingSession"


_READY: dict[StreamingSessionState, Rule] = {
    StreamingSessionState.READY: Rule.DONE,
    StreamingSessionState.CREATE_IN_PROGRESS: Rule.WAIT,
    StreamingSessionState.START_IN_PROGRESS: Rule.WAIT,
    StreamingSessionState.STOP_IN_PROGRESS: Rule.WAIT_TO_ACT,
    StreamingSessionState.STOPPED: Rule.ACT,
    StreamingSessionState.CREATE_FAILED: Rule.FAILED,
    StreamingSessionState.START_FAILED: Rule.FAILED,
    StreamingSessionState.STOP_FAILED: Rule.FAILED,
    StreamingSessionState.DELETE_FAILED: Rule.FAILED,
    StreamingSessionState.DELETE_IN_PROGRESS: Rule.FAILED,
    StreamingSessionState.DELETED: Rule.FAILED,
}

_DELETED: dict[StreamingSessionState, Rule] = {
    StreamingSessionState.DELETED: Rule.DONE,
    StreamingSessionState.DELETE_IN_PROGRESS: Rule.WAIT,
    StreamingSessionState.READY: Rule.ACT,
    StreamingSessionState.STOPPED: Rule.ACT,
    StreamingSessionState.CREATE_IN_PROGRESS: Rule.ACT,
    StreamingSessionState.START_IN_PROGRESS: Rule.ACT,
    StreamingSessionState.STOP_IN_PROGRESS: Rule.ACT,
    StreamingSessionState.CREATE_FAILED: Rule.ACT,
    StreamingSessionState.START_FAILED: Rule.ACT,
    StreamingSessionState.STOP_FAILED: Rule.ACT,
    StreamingSessionState.DELETE_FAILED: Rule.ACT_ONCE,
}

_STREAM: dict[StreamState, Rule] = {
    StreamState.READY: Rule.DONE,
    StreamState.CREATE_IN_PROGRESS: Rule.WAIT,
    StreamState.CREATE_FAILED: Rule.FAILED,
    StreamState.DELETE_FAILED: Rule.FAILED,
    StreamState.DELETE_IN_PROGRESS: Rule.FAILED,
    StreamState.DELETED: Rule.FAILED,
}

SeenSession = Observation[StreamingSession | NotFoundError]
SeenStream = Observation[Stream | NotFoundError]
_Found = TypeVar("_Found", StreamingSession, Stream)


@frozen
class UsableStream:
    """A stream that is READY.

    Attributes:
        stream: The stream.
        url: Its URL.
    """

    stream: Stream
    url: DcvUrl


def observation(found: _Found | NotFoundError) -> Observation[_Found | NotFoundError]:
    """Return a reading as the loop takes it.

    Args:
        found: The session or stream, or the answer that there is none.
    """
    if isinstance(found, NotFoundError):
        return Observation(NOT_FOUND, found)
    state = found.state
    return Observation(str(state), found, is_known=state is not None and state.is_known)


def decide_created_session(seen: SeenSession, _: Situation) -> Decision[str]:
    """Decide about the answer to a create: its id is all that it takes."""
    session = seen.resource
    if isinstance(session, StreamingSession) and session.session_id:
        return Done(session.session_id)
    return Wait()


def decide_created_stream(seen: SeenStream, _: Situation) -> Decision[str]:
    """Decide about the answer to a create: its id is all that it takes."""
    stream = seen.resource
    if isinstance(stream, Stream) and stream.stream_id:
        return Done(stream.stream_id)
    return Wait()


def decide_session(
    seen: SeenSession, situation: Situation, *, may_start: bool, created_at: float | None
) -> Decision[StreamingSession]:
    """Decide on the way to a session that is READY.

    Args:
        seen: The reading.
        situation: What was done before it.
        may_start: Whether to start the session if it is stopped.
        created_at: When it was made, in seconds since the wait began; None if before.
    """
    session = seen.resource
    if isinstance(session, NotFoundError):
        return _missing(session, situation, created_at)
    rule = _READY.get(session.state, Rule.WAIT) if session.state else Rule.WAIT
    if rule in (Rule.ACT, Rule.WAIT_TO_ACT) and not may_start:
        rule = Rule.FAILED
    if rule is Rule.DONE:
        return Done(session)
    if rule is Rule.FAILED:
        return _failed_session(session)
    if rule is Rule.ACT and not situation.may_be_stale(Step.START, seen.state):
        return Act(Step.START)
    return Wait()


def decide_stream(
    seen: SeenStream, situation: Situation, *, created_at: float | None
) -> Decision[UsableStream]:
    """Decide on the way to a stream that is READY and has its URL.

    Args:
        seen: The reading.
        situation: What was done before it.
        created_at: When it was made, in seconds since the wait began; None if before.
    """
    stream = seen.resource
    if isinstance(stream, NotFoundError):
        return _missing(stream, situation, created_at)
    rule = _STREAM.get(stream.state, Rule.WAIT) if stream.state else Rule.WAIT
    if rule is Rule.DONE and stream.url:
        return Done(UsableStream(stream, stream.url))
    if rule is Rule.FAILED:
        return Failed(
            reason=f"Nimble Studio reports {stream.state}: {_told(stream.status_code, None)}.",
            details=Failure(state=seen.state, status_code=stream.status_code),
        )
    return Wait()


def decide_deleted(seen: SeenSession, situation: Situation) -> Decision[None]:
    """Decide on the way to a session that is gone.

    Args:
        seen: The reading.
        situation: What was done before it.
    """
    session = seen.resource
    if isinstance(session, NotFoundError):
        return Done(None)
    rule = _DELETED.get(session.state, Rule.WAIT) if session.state else Rule.WAIT
    if rule is Rule.DONE:
        return Done(None)
    if rule is Rule.WAIT or situation.may_be_stale(Step.DELETE, seen.state):
        return Wait()
    if rule is Rule.ACT or Step.DELETE not in situation.sent:
        return Act(Step.DELETE)
    return _failed_session(session)


def decide_given_up(
    seen: SeenSession, situation: Situation, *, created_at: float | None
) -> Decision[None]:
    """Decide whether a session that was just asked to be deleted is on its way out.

    Args:
        seen: What the service answered.
        situation: What was done before it.
        created_at: When it was made, in seconds since the wait began; None if long before.
    """
    session = seen.resource
    if isinstance(session, NotFoundError):
        return Wait() if _is_young(situation, created_at) else Done(None)
    if session.state in (StreamingSessionState.DELETE_IN_PROGRESS, StreamingSessionState.DELETED):
        return Done(None)
    return Wait()


def _missing(error: NotFoundError, situation: Situation, created_at: float | None) -> Wait | Failed:
    """A session or stream that was just made may not be found yet: eventual consistency."""
    if _is_young(situation, created_at):
        return Wait()
    return Failed(reason=str(error), error=error)


def _is_young(situation: Situation, created_at: float | None) -> bool:
    return created_at is not None and situation.now - created_at < GRACE


def _failed_session(session: StreamingSession) -> Failed:
    return Failed(
        reason=(
            f"Nimble Studio reports {session.state}: "
            f"{_told(session.status_code, session.status_message)}."
        ),
        details=Failure(
            state=session.state,
            status_code=session.status_code,
            status_message=session.status_message,
        ),
    )


def _told(code: str | None, message: str | None) -> str:
    return ", ".join(part.rstrip(".") for part in (code, message) if part) or "it gave no reason"
