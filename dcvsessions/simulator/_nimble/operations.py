"""The operations of Nimble Studio's API on streaming sessions and streams.

AWS documents, and the simulator does: a session is polled until it is `READY`, and after a
deletion until it is `DELETED`; it counts against the quota until then; start leads from `STOPPED`
through `START_IN_PROGRESS` to `READY`, stop from `READY` through `STOP_IN_PROGRESS` to `STOPPED`;
`startedAt` and `stoppedAt` are the times at which these transitions began; a stream has its `url`
once it is `READY`; the service stops a session 690 minutes after its start; a client token makes
a request idempotent; `ConflictException` means "another operation is in progress".

Assumed:

- Start is accepted from `STOPPED` only, stop and streams from `READY` only; otherwise they are a
  `ConflictException`. Delete is accepted from every state but `DELETE_IN_PROGRESS`
  (`ConflictException`) and `DELETED` (`ResourceNotFoundException`: the session can be read, but
  there is nothing left to delete).
- A new session was started by its creator, at its creation.
- A stream that has expired, or whose session was stopped or deleted, is `DELETED` and has no `url`.
- A client token that is used again with the same parameters changes nothing and returns the
  session or stream as it is now; with other parameters it is a `ValidationException`.
- Every session may be stopped (its launch profile keeps the storage), and the service deletes one
  that is stopped for the documented maximum of 5760 minutes.
- Every studio and every launch profile is `READY`. The launch profiles of a studio are those of the
  simulator's only user: for another `principalId` the list is empty.
- The filters of a list are exact, and `sessionIds` is separated by commas.
"""

from collections.abc import Mapping

from attrs import evolve

from dcvsessions.simulator._desktop_page import new_token
from dcvsessions.simulator._environment import USER_ID
from dcvsessions.simulator._nimble.account import NimbleAccount
from dcvsessions.simulator._nimble.describe import (
    LAUNCH_PROFILE_STATE,
    describe_launch_profile,
    describe_session,
    describe_stream,
    describe_studio,
)
from dcvsessions.simulator._nimble.resources import Session, Stream, Studio
from dcvsessions.simulator._pages import page
from dcvsessions.simulator._protocol.model import Shape, load_service
from dcvsessions.simulator._protocol.wire import (
    Handler,
    Json,
    Parameters,
    Value,
    WireError,
    Written,
    write,
)
from dcvsessions.simulator._time.timeline import Phase, Timeline

__all__ = ["NimbleOperations"]

_INVALID = "ValidationException"
_STREAM_LIMIT = 1000
_DEFAULT_EXPIRATION = 120  # seconds; assumed, as the model states only the limits 60 and 3600


class NimbleOperations:
    """Carries out the operations of the API. The caller holds the environment's lock."""

    def __init__(self, account: NimbleAccount) -> None:
        self._account = account
        self._environment = account.environment
        self.handlers: Mapping[str, Handler] = {
            "ListStudios": self._list_studios,
            "GetStudio": self._get_studio,
            "ListLaunchProfiles": self._list_launch_profiles,
            "GetLaunchProfile": self._get_launch_profile,
            "CreateStreamingSession": self._create_streaming_session,
            "GetStreamingSession": self._get_streaming_session,
            "ListStreamingSessions": self._list_streaming_sessions,
            "DeleteStreamingSession": self._delete_streaming_session,
            "StartStreamingSession": self._start_streaming_session,
            "StopStreamingSession": self._stop_streaming_session,
            "CreateStreamingSessionStream": self._create_streaming_session_stream,
            "GetStreamingSessionStream": self._get_streaming_session_stream,
        }

    # --- Studios ---

    def _list_studios(self, parameters: Parameters) -> Mapping[str, Value]:
        studios = list(self._account.studios.values())
        token = parameters.optional_text("nextToken")
        found, next_token = page(studios, token, self._environment.page_size, _INVALID)
        return {
            "studios": [describe_studio(studio, self._environment) for studio in found],
            "nextToken": next_token,
        }

    def _get_studio(self, parameters: Parameters) -> Mapping[str, Value]:
        return {"studio": describe_studio(self._studio(parameters), self._environment)}

    def _list_launch_profiles(self, parameters: Parameters) -> Mapping[str, Value]:
        studio = self._studio(parameters)
        states = parameters.get("states", [LAUNCH_PROFILE_STATE])
        is_in_state = isinstance(states, list) and LAUNCH_PROFILE_STATE in states
        is_of_user = parameters.optional_text("principalId") in {None, USER_ID}
        profiles = studio.profiles() if is_in_state and is_of_user else []
        page_size = self._environment.page_size
        size = min(page_size, parameters.number("maxResults", page_size))
        token = parameters.optional_text("nextToken")
        found, next_token = page(profiles, token, size, _INVALID)
        return {
            "launchProfiles": [describe_launch_profile(each, self._environment) for each in found],
            "nextToken": next_token,
        }

    def _get_launch_profile(self, parameters: Parameters) -> Mapping[str, Value]:
        studio, wanted = self._studio(parameters), parameters.text("launchProfileId")
        for profile in studio.profiles():
            if profile.launch_profile_id == wanted:
                return {"launchProfile": describe_launch_profile(profile, self._environment)}
        raise _not_found("launch profile", wanted)

    # --- Sessions ---

    def _create_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        studio = self._studio(parameters)
        existing = self._account.client_tokens.find("CreateStreamingSession", parameters)
        if existing is not None:
            return {"session": self._describe(self._current(studio, existing))}
        profile = parameters.text("launchProfileId")
        if profile not in studio.launch_profiles:
            raise _not_found("launch profile", profile)
        self._account.remove_deleted()
        self._check_quota(studio)
        session = self._new_session(studio, parameters)
        self._account.add_session(session)
        self._account.client_tokens.add("CreateStreamingSession", parameters, session.session_id)
        return {"session": self._describe(session)}

    def _new_session(self, studio: Studio, parameters: Parameters) -> Session:
        now = self._environment.clock.now()
        instance_type = parameters.optional_text("ec2InstanceType")
        image = parameters.optional_text("streamingImageId")
        return Session(
            number=self._account.next_number(),
            session_id=self._environment.identifier(22),
            studio_id=studio.studio_id,
            launch_profile_id=parameters.text("launchProfileId"),
            ec2_instance_type=instance_type or studio.ec2_instance_type,
            streaming_image_id=image or studio.streaming_image_id,
            owned_by=parameters.optional_text("ownedBy") or USER_ID,
            tags=parameters.strings("tags"),
            created=now,
            timeline=self._account.session_timeline("CreateStreamingSession"),
            started=now,
        )

    def _check_quota(self, studio: Studio) -> None:
        now = self._environment.clock.now()
        counted = [
            session
            for session in self._account.sessions.all_current()
            if session.studio_id == studio.studio_id and session.timeline.at(now).state != "DELETED"
        ]
        if studio.session_quota is not None and len(counted) >= studio.session_quota:
            raise WireError(
                "ServiceQuotaExceededException",
                f"The studio has {len(counted)} of {studio.session_quota} streaming sessions",
            )

    def _get_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return {"session": self._describe(self._visible(parameters))}

    def _list_streaming_sessions(self, parameters: Parameters) -> Mapping[str, Value]:
        studio = self._studio(parameters)
        self._account.remove_deleted()
        now = self._environment.clock.now()
        matching = [
            session
            for session in self._account.sessions.all_visible(now)
            if session.studio_id == studio.studio_id and _matches(session, parameters)
        ]
        token = parameters.optional_text("nextToken")
        found, next_token = page(matching, token, self._environment.page_size, _INVALID)
        return {
            "sessions": [self._describe_at(session, now) for session in found],
            "nextToken": next_token,
        }

    def _delete_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._change("DeleteStreamingSession", parameters)

    def _start_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._change("StartStreamingSession", parameters)

    def _stop_streaming_session(self, parameters: Parameters) -> Mapping[str, Value]:
        return self._change("StopStreamingSession", parameters)

    def _change(self, operation: str, parameters: Parameters) -> Mapping[str, Value]:
        session = self._current(self._studio(parameters), parameters.text("sessionId"))
        if self._account.client_tokens.find(operation, parameters) is not None:
            return {"session": self._describe(session)}
        now = self._environment.clock.now()
        _check_state(operation, session, session.timeline.at(now).state)
        changed = evolve(
            _with_parameters(session, operation, parameters, now),
            timeline=self._account.session_timeline(operation),
            stopped=session.last_stop(now),
        )
        self._delete_streams(session.session_id)
        self._account.sessions.write(session.session_id, changed, session.frozen_at(now), now)
        self._account.client_tokens.add(operation, parameters, session.session_id)
        return {"session": self._describe(changed)}

    # --- Streams ---

    def _create_streaming_session_stream(self, parameters: Parameters) -> Mapping[str, Value]:
        session = self._current(self._studio(parameters), parameters.text("sessionId"))
        streams = self._account.streams[session.session_id]
        existing = self._account.client_tokens.find("CreateStreamingSessionStream", parameters)
        stream = streams.current(existing) if existing is not None else None
        if stream is not None:
            return {"stream": self._describe_stream(stream)}
        state = session.timeline.at(self._environment.clock.now()).state
        if state != "READY":
            raise _conflict("A stream needs a session that is READY", state)
        stream = self._new_stream(session, parameters)
        streams.write(stream.stream_id, stream, None, stream.created)
        for oldest in streams.all_current()[:-_STREAM_LIMIT]:
            streams.remove(oldest.stream_id)
        self._account.client_tokens.add(
            "CreateStreamingSessionStream", parameters, stream.stream_id
        )
        return {"stream": self._describe_stream(stream)}

    def _new_stream(self, session: Session, parameters: Parameters) -> Stream:
        now = self._environment.clock.now()
        expires = now + parameters.number("expirationInSeconds", _DEFAULT_EXPIRATION)
        phases = self._account.stream_phases(closes=min(expires, session.timeline.ends(now)))
        return Stream(
            number=self._account.next_number(),
            stream_id=self._environment.identifier(22),
            session_id=session.session_id,
            owned_by=session.owned_by,
            created=now,
            expires=expires,
            timeline=Timeline(phases),
            token=new_token(),
        )

    def _get_streaming_session_stream(self, parameters: Parameters) -> Mapping[str, Value]:
        session = self._current(self._studio(parameters), parameters.text("sessionId"))
        stream_id, now = parameters.text("streamId"), self._environment.clock.now()
        stream = self._account.streams[session.session_id].visible(stream_id, now)
        if stream is None:
            raise _not_found("stream", stream_id)
        return {"stream": self._describe_stream(stream)}

    def _delete_streams(self, session_id: str) -> None:
        now, streams = self._environment.clock.now(), self._account.streams[session_id]
        deleted = Timeline((Phase(state="DELETED", begins=now),))
        for stream in streams.all_current():
            if stream.timeline.at(now).state in {"CREATE_IN_PROGRESS", "READY"}:
                streams.write_visibly(stream.stream_id, evolve(stream, timeline=deleted))

    # --- Used by all of them ---

    def _studio(self, parameters: Parameters) -> Studio:
        studio_id = parameters.text("studioId")
        studio = self._account.studios.get(studio_id)
        if studio is None:
            raise _not_found("studio", studio_id)
        return studio

    def _current(self, studio: Studio, session_id: str) -> Session:
        return self._found(self._account.sessions.current(session_id), studio, session_id)

    def _visible(self, parameters: Parameters) -> Session:
        studio, session_id = self._studio(parameters), parameters.text("sessionId")
        visible = self._account.sessions.visible(session_id, self._environment.clock.now())
        return self._found(visible, studio, session_id)

    def _found(self, session: Session | None, studio: Studio, session_id: str) -> Session:
        if (
            session is None
            or session.studio_id != studio.studio_id
            or self._account.is_forgotten(session)
        ):
            raise _not_found("streaming session", session_id)
        return session

    def _describe(self, session: Session) -> Value:
        return self._describe_at(session, self._environment.clock.now())

    def _describe_at(self, session: Session, now: float) -> Value:
        index = session.timeline.index(now)
        written = session.descriptions.get(index)
        if written is None:
            description = describe_session(session, now, self._environment)
            written = Written(write(_session_shape(), description, top=False))
            session.descriptions[index] = written
        return written

    def _describe_stream(self, stream: Stream) -> Mapping[str, Value]:
        return describe_stream(stream, self._environment.clock.now(), self._environment)


def _session_shape() -> Shape:
    return load_service("nimble").operations["GetStreamingSession"].output.members["session"].shape


def _matches(session: Session, parameters: Parameters) -> bool:
    created_by, owned_by = (parameters.optional_text(each) for each in ("createdBy", "ownedBy"))
    session_ids = parameters.optional_text("sessionIds")
    return (
        (created_by is None or created_by == USER_ID)
        and (owned_by is None or owned_by == session.owned_by)
        and (session_ids is None or session.session_id in session_ids.split(","))
    )


def _check_state(operation: str, session: Session, state: str) -> None:
    if operation == "DeleteStreamingSession":
        if state == "DELETED":
            raise _not_found("streaming session", session.session_id)
        if state == "DELETE_IN_PROGRESS":
            raise _conflict("The session is being deleted already", state)
        return
    required = "STOPPED" if operation == "StartStreamingSession" else "READY"
    if state != required:
        raise _conflict(f"{operation} needs a session that is {required}", state)


def _with_parameters(
    session: Session, operation: str, parameters: Parameters, now: float
) -> Session:
    if operation == "StartStreamingSession":
        return evolve(
            session,
            started=now,
            ready_code="STREAMING_SESSION_STARTED",
            started_from_backup_id=parameters.optional_text("backupId"),
        )
    mode = parameters.optional_text("volumeRetentionMode")
    return evolve(session, volume_retention_mode=mode or session.volume_retention_mode)


def _not_found(what: str, identifier: str) -> WireError:
    context: Json = {"resourceType": what, "resourceId": identifier}
    message = f"There is no {what} {identifier}"
    return WireError("ResourceNotFoundException", message, members={"context": context})


def _conflict(rule: str, state: str) -> WireError:
    context: Json = {"state": state}
    return WireError("ConflictException", f"{rule}; it is {state}", members={"context": context})
