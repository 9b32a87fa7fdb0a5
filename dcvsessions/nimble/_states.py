"""What to do in each state of a streaming session or a stream. Pure: no I/O, no clock.

The states are from the service model. AWS documents which of them to poll for.

In all functions, `created_at` is when the session or stream was made, in seconds since the wait
began; None if that is not known.
"""

from enum import StrEnum
from typing import TypeVar

from attrs import frozen

from dcvsessions._secrets.mask import plain_text
from dcvsessions._wait.decisions import (
    MAX_STARTS,
    STALE_READ_WINDOW,
    WAIT,
    Decision,
    Done,
    Failed,
    Observation,
    Rule,
    Wait,
    WaitContext,
    interpret,
    plain,
    reason,
)
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import Failure, NotFoundError
from dcvsessions.nimble._models import (
    Stream,
    StreamingSession,
    StreamingSessionState,
    StreamState,
)

__all__ = [
    "NOT_FOUND",
    "ReadySession",
    "Step",
    "StreamReading",
    "StreamingSessionReading",
    "UsableStream",
    "decide_created_session",
    "decide_created_stream",
    "decide_deleted",
    "decide_deletion_requested",
    "decide_session",
    "decide_stream",
    "is_gone",
    "observation",
]

# This package's name for the state of a resource that the service does not find.
NOT_FOUND = "not found"


class Step(StrEnum):
    """The changes that a wait requests, besides creating a session or stream."""

    START = "StartStreamingSession"
    DELETE = "DeleteStreamingSession"


_READY: dict[StreamingSessionState, Rule] = {
    StreamingSessionState.READY: Rule.DONE,
    StreamingSessionState.CREATE_IN_PROGRESS: Rule.WAIT,
    StreamingSessionState.START_IN_PROGRESS: Rule.WAIT,
    StreamingSessionState.STOP_IN_PROGRESS: Rule.WAIT_FOR_STEP,
    StreamingSessionState.STOPPED: Rule.STEP,
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
    StreamingSessionState.READY: Rule.STEP,
    StreamingSessionState.STOPPED: Rule.STEP,
    StreamingSessionState.CREATE_IN_PROGRESS: Rule.STEP,
    StreamingSessionState.START_IN_PROGRESS: Rule.STEP,
    StreamingSessionState.STOP_IN_PROGRESS: Rule.STEP,
    StreamingSessionState.CREATE_FAILED: Rule.STEP,
    StreamingSessionState.START_FAILED: Rule.STEP,
    StreamingSessionState.STOP_FAILED: Rule.STEP,
    StreamingSessionState.DELETE_FAILED: Rule.STEP_ONCE,
}

_STREAM: dict[StreamState, Rule] = {
    StreamState.READY: Rule.DONE,
    StreamState.CREATE_IN_PROGRESS: Rule.WAIT,
    StreamState.CREATE_FAILED: Rule.FAILED,
    StreamState.DELETE_FAILED: Rule.FAILED,
    StreamState.DELETE_IN_PROGRESS: Rule.FAILED,
    StreamState.DELETED: Rule.FAILED,
}

StreamingSessionReading = Observation[StreamingSession | NotFoundError]
StreamReading = Observation[Stream | NotFoundError]
_Found = TypeVar("_Found", StreamingSession, Stream)

_GONE = (StreamingSessionState.DELETE_IN_PROGRESS, StreamingSessionState.DELETED)


@frozen
class ReadySession:
    """A streaming session that is READY, and whether this wait had to start it."""

    session: StreamingSession
    was_started: bool


@frozen
class UsableStream:
    """A stream that is READY, and its URL."""

    stream: Stream
    url: DcvUrl


def observation(found: _Found | NotFoundError) -> Observation[_Found | NotFoundError]:
    """Return the observation of a session, of a stream, or of a "not found" answer."""
    if isinstance(found, NotFoundError):
        return Observation(NOT_FOUND, found)
    is_known = found.state is not None and found.state.is_known
    state = str(found.state)
    return Observation(state if is_known else plain_text(state), found, is_known=is_known)


def is_gone(session: StreamingSession) -> bool:
    """Whether a session is deleted, or is being deleted."""
    return session.state in _GONE


def decide_created_session(
    seen: StreamingSessionReading, _: WaitContext, *, client_token: str
) -> Decision[str]:
    """Decide after a create: done if the answer has a session id, and the session is not gone."""
    session = seen.resource
    if not isinstance(session, StreamingSession) or not session.session_id:
        return WAIT
    if is_gone(session):
        return Failed(
            reason=(
                f"client_token={client_token!r} is used up: streaming session "
                f"{session.session_id} was made with it, and is deleted. Pass another "
                "client_token to make a new session."
            ),
            details=_details(session, seen.state),
        )
    return Done(session.session_id)


def decide_created_stream(
    seen: StreamReading, context: WaitContext, *, created_at: float | None
) -> Decision[str]:
    """Decide after a create: done if the answer has a stream id."""
    stream = seen.resource
    if isinstance(stream, NotFoundError):
        return _missing(stream, context, created_at)
    return Done(stream.stream_id) if stream.stream_id else WAIT


def decide_session(
    seen: StreamingSessionReading,
    context: WaitContext,
    *,
    may_start: bool,
    created_at: float | None,
) -> Decision[ReadySession]:
    """Decide how to get a session that is READY. With `may_start`, a stopped one is started."""
    session = seen.resource
    if isinstance(session, NotFoundError):
        return _missing(session, context, created_at)
    rule = _READY.get(session.state, Rule.WAIT) if session.state else Rule.WAIT
    if rule in (Rule.STEP, Rule.WAIT_FOR_STEP) and not may_start:
        rule = Rule.FAILED
    return interpret(
        rule,
        Step.START,
        seen.state,
        context,
        done=lambda: Done(ReadySession(session, was_started=Step.START in context.steps)),
        failed=lambda: _failed_session(session, seen.state),
        max_count=MAX_STARTS,
    )


def decide_stream(
    seen: StreamReading, context: WaitContext, *, created_at: float | None
) -> Decision[UsableStream]:
    """Decide how to get a stream that is READY and has a URL."""
    stream = seen.resource
    if isinstance(stream, NotFoundError):
        return _missing(stream, context, created_at)
    rule = _STREAM.get(stream.state, Rule.WAIT) if stream.state else Rule.WAIT
    if rule is Rule.DONE:
        return Done(UsableStream(stream, stream.url)) if stream.url else WAIT
    if rule is Rule.FAILED:
        return Failed(
            reason=f"Nimble Studio reports {seen.state}: {reason(stream.status_code)}.",
            details=Failure(state=seen.state, status_code=plain(stream.status_code)),
        )
    return WAIT


def decide_deleted(seen: StreamingSessionReading, context: WaitContext) -> Decision[None]:
    """Decide how to get a session deleted.

    A session that is not found counts as deleted if this wait has found it before. Otherwise the
    wait polls for some time first: a session that was just made may not be found yet.
    """
    session = seen.resource
    if isinstance(session, NotFoundError):
        was_found = context.changed_after is not None
        return Done(None) if was_found or context.now >= STALE_READ_WINDOW else WAIT
    return interpret(
        _DELETED.get(session.state, Rule.WAIT) if session.state else Rule.WAIT,
        Step.DELETE,
        seen.state,
        context,
        done=lambda: Done(None),
        failed=lambda: _failed_session(session, seen.state),
    )


def decide_deletion_requested(
    seen: StreamingSessionReading, context: WaitContext, *, created_at: float | None
) -> Decision[None]:
    """Decide after a delete: done if the session is being deleted or is gone."""
    session = seen.resource
    if isinstance(session, NotFoundError):
        return WAIT if _is_young(context, created_at) else Done(None)
    return Done(None) if is_gone(session) else WAIT


def _missing(error: NotFoundError, context: WaitContext, created_at: float | None) -> Wait | Failed:
    """Wait if the session or stream was just made: reads are eventually consistent."""
    return WAIT if _is_young(context, created_at) else Failed(reason=str(error), error=error)


def _is_young(context: WaitContext, created_at: float | None) -> bool:
    return created_at is not None and context.now - created_at < STALE_READ_WINDOW


def _failed_session(session: StreamingSession, state: str) -> Failed:
    said = reason(session.status_code, session.status_message)
    return Failed(
        reason=f"Nimble Studio reports {state}: {said}.", details=_details(session, state)
    )


def _details(session: StreamingSession, state: str) -> Failure:
    return Failure(
        state=state,
        status_code=plain(session.status_code),
        status_message=plain(session.status_message),
    )
