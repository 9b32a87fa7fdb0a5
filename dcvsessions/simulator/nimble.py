"""Nimble Studio, simulated: studios, streaming sessions, and their streams.

Documented by AWS, and held here: a session is polled until it is READY, and after a deletion until
it is DELETED; it counts against the quota until then; start leads from STOPPED through
START_IN_PROGRESS to READY, stop from READY through STOP_IN_PROGRESS to STOPPED; ``startedAt`` and
``stoppedAt`` are the times at which the IN_PROGRESS states were entered; a stream has its ``url``
once it is READY; a session is stopped by the service 690 minutes after its start; a client token
makes a request idempotent; ConflictException means "another operation is in progress".

Assumed:

- Start is accepted from ``STOPPED`` only, stop and streams from ``READY`` only, anything else is a
  ConflictException. Delete is accepted from every state but ``DELETE_IN_PROGRESS``
  (ConflictException) and ``DELETED`` (ResourceNotFoundException: it can still be read, but there is
  nothing left to delete).
- A session that has just been created counts as started by its creator at its creation.
- A stream that has expired, or whose session was stopped or deleted, is ``DELETED`` and has no
  ``url`` any more.
- A client token that comes again with the same parameters returns the session or stream as it is
  by then, and changes nothing; with other parameters it is a ValidationException.
- Every session may be stopped (its launch profile keeps the storage), and one that is stopped for
  the documented maximum of 5760 minutes is deleted by the service.
- The filters of a list are exact, and ``sessionIds`` is separated by commas.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator.studio import (
    Session,
    SessionView,
    Stream,
    Studio,
    describe_session,
    describe_stream,
)
from dcvsessions.simulator.timeline import (
    Course,
    Phase,
    Script,
    Shelf,
    Timeline,
    exact,
    transition,
)
from dcvsessions.simulator.wire import WireError
from dcvsessions.simulator.world import (
    USER_ID,
    Desktop,
    IdempotencyTokens,
    dcv_token,
    guarded,
    page,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dcvsessions.simulator.timings import Transition
    from dcvsessions.simulator.wire import Parameters, Value
    from dcvsessions.simulator.world import World

_STREAMS_KEPT = 1000
_DELETED_KEPT = 1000
_DEFAULT_EXPIRATION = 120  # seconds; assumed, the model states only the limits 60 and 3600

#: What each operation sets in motion: the state on the way, its duration, and the goal.
_TRANSITIONS: dict[str, tuple[str, Transition, str]] = {
    "CreateStreamingSession": ("CREATE_IN_PROGRESS", "session_create", "READY"),
    "StartStreamingSession": ("START_IN_PROGRESS", "session_start", "READY"),
    "StopStreamingSession": ("STOP_IN_PROGRESS", "session_stop", "STOPPED"),
    "DeleteStreamingSession": ("DELETE_IN_PROGRESS", "session_delete", "DELETED"),
    "CreateStreamingSessionStream": ("CREATE_IN_PROGRESS", "stream_create", "READY"),
}
_IN_PROGRESS = frozenset(through for through, _, _ in _TRANSITIONS.values())
#: Which operation's transition ends in a failed state.
_FAILURES = {
    "START_FAILED": "StartStreamingSession",
    "STOP_FAILED": "StopStreamingSession",
    "DELETE_FAILED": "DeleteStreamingSession",
}
_FAILED_CODE = "INTERNAL_ERROR"


class NimbleSimulator:
    """The simulated Nimble Studio, and the handles by which a test sets it up.

    Args:
        world: Its surroundings.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._studios: dict[str, Studio] = {}
        self._sessions: Shelf[Session] = Shelf(world.stale_reads)
        self._streams: dict[str, Shelf[Stream]] = {}
        self._scripts = {operation: Script() for operation in _TRANSITIONS}
        self._tokens = IdempotencyTokens()
        self._created = 0
        self._held = False
        self.handlers: Mapping[str, Callable[[Parameters], Mapping[str, Value]]] = {
            "CreateStreamingSession": self._create_streaming_session,
            "GetStreamingSession": self._get_streaming_session,
            "ListStreamingSessions": self._list_streaming_sessions,
            "DeleteStreamingSession": self._delete_streaming_session,
            "StartStreamingSession": self._start_streaming_session,
            "StopStreamingSession": self._stop_streaming_session,
            "CreateStreamingSessionStream": self._create_streaming_session_stream,
            "GetStreamingSessionStream": self._get_streaming_session_stream,
        }

    # --- The handles of a test ---

    @guarded
    def add_studio(
        self,
        studio_id: str,
        *,
        launch_profiles: Sequence[str] = ("lp-1",),
        session_quota: int | None = None,
        ec2_instance_type: str = "g4dn.xlarge",
        streaming_image_id: str = "image-1",
    ) -> None:
        """Add a studio.

        Args:
            studio_id: Its id.
            launch_profiles: The ids of its launch profiles.
            session_quota: The most sessions at a time, those included that are not yet
                ``DELETED``; None for any number.
            ec2_instance_type: The instance type of a session that asks for none.
            streaming_image_id: The image of a session that asks for none.

        Raises:
            ValueError: There is a studio of that id.
        """
        if studio_id in self._studios:
            raise ValueError(f"There is a studio {studio_id!r} already")
        self._studios[studio_id] = Studio(
            studio_id=studio_id,
            launch_profiles=tuple(launch_profiles),
            session_quota=session_quota,
            ec2_instance_type=ec2_instance_type,
            streaming_image_id=streaming_image_id,
        )

    @property
    @guarded
    def sessions(self) -> dict[str, SessionView]:
        """The streaming sessions by id, oldest first, each as it is now, deleted ones included."""
        now = self._world.clock.now()
        return {each.session_id: self._view(each, now) for each in self._sessions.all()}

    @property
    def alive(self) -> list[str]:
        """The ids of the sessions that are neither deleted nor being deleted, oldest first."""
        gone = {"DELETE_IN_PROGRESS", "DELETED"}
        return [key for key, session in self.sessions.items() if session.state not in gone]

    @guarded
    def script(self, operation: str, *courses: Course) -> None:
        """Say how the next transitions of sessions or streams go.

        Args:
            operation: ``CreateStreamingSession``, ``StartStreamingSession``,
                ``StopStreamingSession``, ``DeleteStreamingSession`` or
                ``CreateStreamingSessionStream``.
            *courses: How they go, one after the other; those that follow go as usual.

        Raises:
            ValueError: The operation starts no transition.

        Example:
            >>> sim.nimble.script("CreateStreamingSession", Course(seconds=300))
        """
        if operation not in self._scripts:
            known = ", ".join(self._scripts)
            raise ValueError(f"operation must be one of {known}; not {operation!r}")
        for course in courses:
            self._scripts[operation].add(course)

    @guarded
    def fail_sessions(
        self,
        *,
        status_code: str = _FAILED_CODE,
        state: str = "CREATE_FAILED",
        message: str | None = None,
        times: int | None = 1,
    ) -> None:
        """Let the next sessions end in a state that they are not meant to reach.

        Args:
            status_code: The ``statusCode`` that goes with it.
            state: The state. ``START_FAILED``, ``STOP_FAILED`` and ``DELETE_FAILED`` are the
                ends of those transitions; any other state is the end of a creation.
            message: The ``statusMessage`` that goes with it.
            times: How many; None for all that follow.
        """
        operation = _FAILURES.get(state, "CreateStreamingSession")
        course = Course(ends=state, code=status_code, message=message, times=times)
        self._scripts[operation].add(course)

    @guarded
    def fail_streams(
        self,
        *,
        status_code: str = _FAILED_CODE,
        state: str = "CREATE_FAILED",
        times: int | None = 1,
    ) -> None:
        """Let the next streams end in a state that they are not meant to reach.

        Args:
            status_code: The ``statusCode`` that goes with it.
            state: The state.
            times: How many; None for all that follow.
        """
        course = Course(ends=state, code=status_code, times=times)
        self._scripts["CreateStreamingSessionStream"].add(course)

    @guarded
    def set_state(
        self,
        session_id: str,
        state: str,
        *,
        status_code: str | None = None,
        message: str | None = None,
    ) -> None:
        """Force the state of a session. It stays until a request moves it.

        Args:
            session_id: The session.
            state: Any state, also one that no model knows.
            status_code: The ``statusCode``; None for the one that goes with the state, if any.
            message: The ``statusMessage``.

        Raises:
            KeyError: There is no such session.
        """
        session = self._sessions.get(session_id)
        if session is None:
            raise KeyError(f"There is no session {session_id!r} in the simulator")
        now = self._world.clock.now()
        phase = Phase(state=state, begins=now, code=status_code, message=message)
        session = attrs.evolve(
            session, timeline=Timeline((phase,)), stopped=session.stopped_at(now)
        )
        self._sessions.force(session_id, session)

    @guarded
    def hold(self) -> None:
        """Let transitions get stuck: those that go on, and those that requests begin from now on.

        That holds for all sessions and streams. What is stuck remains so until a request or
        `set_state` moves it.
        """
        self._held = True
        now = self._world.clock.now()
        for session in self._sessions.all():
            timeline = session.timeline.stuck(now, _IN_PROGRESS)
            self._sessions.amend(session.session_id, attrs.evolve(session, timeline=timeline))
            streams = self._streams[session.session_id]
            for stream in streams.all():
                timeline = stream.timeline.stuck(now, _IN_PROGRESS)
                streams.amend(stream.stream_id, attrs.evolve(stream, timeline=timeline))

    @guarded
    def release(self) -> None:
        """Let the transitions that requests begin from now on end again."""
        self._held = False

    @guarded
    def desktops(self) -> list[Desktop]:
        """List the desktops that can be opened now.

        Returns:
            One for each stream that is READY, of a session that is READY.
        """
        return list(self._usable(self._world.clock.now()))

    def _usable(self, now: float) -> Iterator[Desktop]:
        for session in self._sessions.all():
            if session.timeline.at(now).state != "READY":
                continue
            for stream in self._streams[session.session_id].all():
                if stream.timeline.at(now).state == "READY":
                    title = f"{session.studio_id}: streaming session {session.session_id}"
                    yield Desktop(title=title, session_id=session.session_id, token=stream.token)

    def _view(self, session: Session, now: float) -> SessionView:
        phase = session.timeline.at(now)
        streams = self._streams[session.session_id].all()
        return SessionView(
            session_id=session.session_id,
            studio_id=session.studio_id,
            launch_profile_id=session.launch_profile_id,
            state=phase.state,
            status_code=session.status_code(now),
            status_message=phase.message,
            created_by=USER_ID,
            owned_by=session.owned_by,
            ec2_instance_type=session.ec2_instance_type,
            tags=session.tags,
            streams={stream.stream_id: stream.timeline.at(now).state for stream in streams},
        )

    # --- The operations of the API ---

    def _create_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        studio = self._studio(parameters)
        earlier = self._tokens.recall("CreateStreamingSession", parameters)
        if earlier is not None:
            return {"session": self._describe(self._true(studio, earlier))}
        profile = parameters.text("launchProfileId")
        if profile not in studio.launch_profiles:
            raise _not_found("launch profile", profile)
        self._forget_deleted()
        self._check_quota(studio)
        session = self._new_session(studio, parameters)
        self._sessions.write(session.session_id, session, None, session.created)
        self._streams[session.session_id] = Shelf(self._world.stale_reads)
        self._tokens.remember("CreateStreamingSession", parameters, session.session_id)
        return {"session": self._describe(session)}

    def _get_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return {"session": self._describe(self._seen(parameters))}

    def _list_streaming_sessions(self, parameters: Parameters) -> Mapping[str, Value]:
        studio = self._studio(parameters)
        now = self._world.clock.now()
        self._forget_deleted()
        wanted = [
            session
            for session in self._sessions.all_seen(now)
            if session.studio_id == studio.studio_id and _is_wanted(session, parameters)
        ]
        token = parameters.optional_text("nextToken")
        found, following = page(wanted, token, self._world.page_size, "ValidationException")
        return {
            "sessions": [self._describe(session) for session in found],
            "nextToken": following,
        }

    def _delete_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._move("DeleteStreamingSession", parameters)

    def _start_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._move("StartStreamingSession", parameters)

    def _stop_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._move("StopStreamingSession", parameters)

    def _create_streaming_session_stream(self, parameters: Parameters) -> Mapping[str, Value]:
        session = self._true(self._studio(parameters), parameters.text("sessionId"))
        streams = self._streams[session.session_id]
        earlier = self._tokens.recall("CreateStreamingSessionStream", parameters)
        stream = streams.get(earlier) if earlier is not None else None
        if stream is not None:
            return {"stream": self._describe_stream(stream)}
        state = session.timeline.at(self._world.clock.now()).state
        if state != "READY":
            raise _conflict("A stream needs a session that is READY", state)
        stream = self._new_stream(session, parameters)
        streams.write(stream.stream_id, stream, None, stream.created)
        for oldest in streams.all()[:-_STREAMS_KEPT]:
            streams.forget(oldest.stream_id)
        self._tokens.remember("CreateStreamingSessionStream", parameters, stream.stream_id)
        return {"stream": self._describe_stream(stream)}

    def _get_streaming_session_stream(self, parameters: Parameters) -> Mapping[str, Value]:
        session = self._true(self._studio(parameters), parameters.text("sessionId"))
        identifier, now = parameters.text("streamId"), self._world.clock.now()
        stream = self._streams[session.session_id].seen(identifier, now)
        if stream is None:
            raise _not_found("stream", identifier)
        return {"stream": self._describe_stream(stream)}

    # --- Looking up ---

    def _studio(self, parameters: Parameters) -> Studio:
        identifier = parameters.text("studioId")
        studio = self._studios.get(identifier)
        if studio is None:
            raise _not_found("studio", identifier)
        return studio

    def _true(self, studio: Studio, session_id: str) -> Session:
        return self._of_studio(self._sessions.get(session_id), studio, session_id)

    def _seen(self, parameters: Parameters) -> Session:
        studio, session_id = self._studio(parameters), parameters.text("sessionId")
        seen = self._sessions.seen(session_id, self._world.clock.now())
        return self._of_studio(seen, studio, session_id)

    def _of_studio(self, session: Session | None, studio: Studio, session_id: str) -> Session:
        if session is None or session.studio_id != studio.studio_id or self._is_forgotten(session):
            raise _not_found("streaming session", session_id)
        return session

    def _is_forgotten(self, session: Session) -> bool:
        now = self._world.clock.now()
        deleted = session.timeline.began("DELETED", now)
        kept = self._world.timings.deleted_session_kept
        return deleted is not None and now >= exact(deleted + kept)

    def _forget_deleted(self) -> None:
        now = self._world.clock.now()
        deleted = [
            each for each in self._sessions.all() if each.timeline.at(now).state == "DELETED"
        ]
        too_many = max(0, len(deleted) - _DELETED_KEPT)
        for index, session in enumerate(deleted):
            if index < too_many or self._is_forgotten(session):
                self._sessions.forget(session.session_id)
                self._streams.pop(session.session_id, None)

    def _check_quota(self, studio: Studio) -> None:
        now = self._world.clock.now()
        counted = [
            session
            for session in self._sessions.all()
            if session.studio_id == studio.studio_id and session.timeline.at(now).state != "DELETED"
        ]
        if studio.session_quota is not None and len(counted) >= studio.session_quota:
            raise WireError(
                "ServiceQuotaExceededException",
                f"The studio has {len(counted)} of {studio.session_quota} streaming sessions",
            )

    # --- Changing ---

    def _new_session(self, studio: Studio, parameters: Parameters) -> Session:
        now = self._world.clock.now()
        instance_type = parameters.optional_text("ec2InstanceType")
        image = parameters.optional_text("streamingImageId")
        self._created += 1
        return Session(
            number=self._created,
            session_id=self._world.identifier(22),
            studio_id=studio.studio_id,
            launch_profile_id=parameters.text("launchProfileId"),
            ec2_instance_type=instance_type or studio.ec2_instance_type,
            streaming_image_id=image or studio.streaming_image_id,
            owned_by=parameters.optional_text("ownedBy") or USER_ID,
            tags=parameters.strings("tags"),
            created=now,
            timeline=self._plan("CreateStreamingSession", now),
            started=now,
        )

    def _new_stream(self, session: Session, parameters: Parameters) -> Stream:
        now = self._world.clock.now()
        expires = now + parameters.number("expirationInSeconds", _DEFAULT_EXPIRATION)
        closes = min(expires, session.timeline.ends(now))
        phases = self._transition("CreateStreamingSessionStream", now)
        # A stream that could not be made stays failed; one that was made goes when it expires, or
        # when its session stops by itself.
        if phases[-1].state == "READY":
            made = [phase for phase in phases if phase.begins < closes]
            phases = (*made, Phase(state="DELETED", begins=closes))
        self._created += 1
        return Stream(
            number=self._created,
            stream_id=self._world.identifier(22),
            session_id=session.session_id,
            owned_by=session.owned_by,
            created=now,
            expires=expires,
            timeline=Timeline(phases),
            token=dcv_token(),
        )

    def _move(self, operation: str, parameters: Parameters) -> Mapping[str, Value]:
        session = self._true(self._studio(parameters), parameters.text("sessionId"))
        if self._tokens.recall(operation, parameters) is not None:
            return {"session": self._describe(session)}
        now = self._world.clock.now()
        _check_move(operation, session, session.timeline.at(now).state)
        moved = attrs.evolve(
            _with_details(session, operation, parameters, now),
            timeline=self._plan(operation, now),
            stopped=session.stopped_at(now),
        )
        self._close_streams(session.session_id, now)
        self._sessions.write(session.session_id, moved, session.pinned(now), now)
        self._tokens.remember(operation, parameters, session.session_id)
        return {"session": self._describe(moved)}

    def _transition(self, operation: str, now: float) -> tuple[Phase, ...]:
        through, name, goal = _TRANSITIONS[operation]
        seconds = math.inf if self._held else self._world.seconds(name)
        course = self._scripts[operation].take()
        return transition(through, goal, now=now, seconds=seconds, course=course)

    def _plan(self, operation: str, now: float) -> Timeline:
        phases, timings = self._transition(operation, now), self._world.timings
        if phases[-1].state == "READY":
            stops = phases[-1].begins + timings.session_lifetime
            phases = (*phases, *self._own_end("StopStreamingSession", stops))
        if phases[-1].state == "STOPPED":
            ends = phases[-1].begins + timings.stopped_session_lifetime
            phases = (*phases, *self._own_end("DeleteStreamingSession", ends))
        return Timeline(phases)

    def _own_end(self, operation: str, now: float) -> tuple[Phase, ...]:
        """Write down what the service does to a session by itself."""
        through, name, goal = _TRANSITIONS[operation]
        return transition(through, goal, now=now, seconds=self._world.seconds(name))

    def _close_streams(self, session_id: str, now: float) -> None:
        streams = self._streams[session_id]
        closed = Timeline((Phase(state="DELETED", begins=now),))
        for stream in streams.all():
            if stream.timeline.at(now).state in {"CREATE_IN_PROGRESS", "READY"}:
                streams.force(stream.stream_id, attrs.evolve(stream, timeline=closed))

    def _describe(self, session: Session) -> Mapping[str, Value]:
        return describe_session(session, self._world.clock.now(), self._world)

    def _describe_stream(self, stream: Stream) -> Mapping[str, Value]:
        return describe_stream(stream, self._world.clock.now(), self._world)


def _is_wanted(session: Session, parameters: Parameters) -> bool:
    created_by, owned_by = (parameters.optional_text(each) for each in ("createdBy", "ownedBy"))
    identifiers = parameters.optional_text("sessionIds")
    return (
        (created_by is None or created_by == USER_ID)
        and (owned_by is None or owned_by == session.owned_by)
        and (identifiers is None or session.session_id in identifiers.split(","))
    )


def _check_move(operation: str, session: Session, state: str) -> None:
    if operation == "DeleteStreamingSession":
        if state == "DELETED":
            raise _not_found("streaming session", session.session_id)
        if state == "DELETE_IN_PROGRESS":
            raise _conflict("The session is being deleted already", state)
        return
    needed = "STOPPED" if operation == "StartStreamingSession" else "READY"
    if state != needed:
        raise _conflict(f"{operation} needs a session that is {needed}", state)


def _with_details(session: Session, operation: str, parameters: Parameters, now: float) -> Session:
    if operation == "StartStreamingSession":
        return attrs.evolve(
            session,
            started=now,
            ready_code="STREAMING_SESSION_STARTED",
            started_from_backup_id=parameters.optional_text("backupId"),
        )
    mode = parameters.optional_text("volumeRetentionMode")
    return attrs.evolve(session, volume_retention_mode=mode or session.volume_retention_mode)


def _not_found(what: str, identifier: str) -> WireError:
    return WireError("ResourceNotFoundException", f"There is no {what} {identifier}")


def _conflict(rule: str, state: str) -> WireError:
    return WireError("ConflictException", f"{rule}; it is {state}")
