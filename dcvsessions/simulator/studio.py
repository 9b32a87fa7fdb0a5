"""Studios, streaming sessions and streams: what they are, and how the API describes them.

Pure: instants come in as arguments.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator.timeline import Timeline
from dcvsessions.simulator.world import ACCOUNT_ID, USER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcvsessions.simulator.wire import Value
    from dcvsessions.simulator.world import World

_SESSION_CODES = {
    "CREATE_IN_PROGRESS": "STREAMING_SESSION_CREATE_IN_PROGRESS",
    "START_IN_PROGRESS": "STREAMING_SESSION_START_IN_PROGRESS",
    "READY": "STREAMING_SESSION_READY",
    "STOP_IN_PROGRESS": "STREAMING_SESSION_STOP_IN_PROGRESS",
    "STOPPED": "STREAMING_SESSION_STOPPED",
    "DELETE_IN_PROGRESS": "STREAMING_SESSION_DELETE_IN_PROGRESS",
    "DELETED": "STREAMING_SESSION_DELETED",
}
_STREAM_CODES = {
    "CREATE_IN_PROGRESS": "STREAM_CREATE_IN_PROGRESS",
    "READY": "STREAM_READY",
    "DELETE_IN_PROGRESS": "STREAM_DELETE_IN_PROGRESS",
    "DELETED": "STREAM_DELETED",
}


@attrs.frozen(kw_only=True)
class Studio:
    """A studio.

    Args:
        studio_id: Its id.
        launch_profiles: The ids of its launch profiles.
        session_quota: The most sessions at a time; None for any number.
        ec2_instance_type: The instance type of a session that asks for none.
        streaming_image_id: The image of a session that asks for none.
    """

    studio_id: str
    launch_profiles: tuple[str, ...]
    session_quota: int | None
    ec2_instance_type: str
    streaming_image_id: str


@attrs.frozen(kw_only=True)
class Session:
    """A streaming session.

    Args:
        number: Its place in the order of creation.
        session_id: Its id.
        studio_id: Its studio.
        launch_profile_id: Its launch profile.
        ec2_instance_type: Its instance type.
        streaming_image_id: Its image.
        owned_by: The user that logs in to it.
        tags: Its tags.
        created: The instant of its creation.
        timeline: Its states.
        started: When it was last started.
        stopped: When it was last stopped.
        ready_code: The status code that it has when it is READY.
        volume_retention_mode: What becomes of its volume when it is stopped.
        started_from_backup_id: The backup that it was last started from.
    """

    number: int
    session_id: str
    studio_id: str
    launch_profile_id: str
    ec2_instance_type: str
    streaming_image_id: str
    owned_by: str
    tags: Mapping[str, str]
    created: float
    timeline: Timeline
    started: float
    stopped: float | None = None
    ready_code: str = "STREAMING_SESSION_READY"
    volume_retention_mode: str = "RETAIN"
    started_from_backup_id: str | None = None

    def pinned(self, now: float) -> Session:
        """Stop the time of this session.

        Args:
            now: The instant at which it stops.

        Returns:
            The session as it is then, for ever.
        """
        return attrs.evolve(self, timeline=self.timeline.pinned(now))

    def stopped_at(self, now: float) -> float | None:
        """Tell when it was last stopped, by a user or by the service.

        Args:
            now: The instant at which the question is asked.

        Returns:
            The instant at which it began to stop, or None.
        """
        began = self.timeline.began("STOP_IN_PROGRESS", now)
        return self.stopped if began is None else began

    def status_code(self, now: float) -> str | None:
        """Tell the status code.

        Args:
            now: The instant.

        Returns:
            The code of the phase, or the one that goes with the state; None for a state that no
            model knows.
        """
        phase = self.timeline.at(now)
        if phase.code is None and phase.state == "READY":
            return self.ready_code
        return phase.code or _SESSION_CODES.get(phase.state)


@attrs.frozen(kw_only=True)
class Stream:
    """A stream of a streaming session.

    Args:
        number: Its place in the order of creation.
        stream_id: Its id.
        session_id: Its session.
        owned_by: The user that owns the session.
        created: The instant of its creation.
        expires: The instant at which it expires.
        timeline: Its states.
        token: The secret of its URL.
    """

    number: int
    stream_id: str
    session_id: str
    owned_by: str
    created: float
    expires: float
    timeline: Timeline
    token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class SessionView:
    """What a test can assert of a streaming session: a snapshot.

    Args:
        session_id: Its id.
        studio_id: Its studio.
        launch_profile_id: Its launch profile.
        state: Its state, such as ``READY``.
        status_code: Its status code.
        status_message: Its status message.
        created_by: The user that created it.
        owned_by: The user that owns it.
        ec2_instance_type: Its instance type.
        tags: Its tags.
        streams: The state of each of its streams, by stream id.
    """

    session_id: str
    studio_id: str
    launch_profile_id: str
    state: str
    status_code: str | None
    status_message: str | None
    created_by: str
    owned_by: str
    ec2_instance_type: str
    tags: Mapping[str, str]
    streams: Mapping[str, str]


def describe_session(session: Session, now: float, world: World) -> Mapping[str, Value]:
    """Describe a session as the API does.

    Args:
        session: The session.
        now: The instant.
        world: The region and the calendar.

    Returns:
        A ``StreamingSession`` of the service model.
    """
    phase, stopped = session.timeline.at(now), session.stopped_at(now)
    return {
        "arn": _arn(session, world),
        "automaticTerminationMode": "ACTIVATED",
        "backupMode": "DEACTIVATED",
        "createdAt": world.clock.wall(session.created),
        "createdBy": USER_ID,
        "ec2InstanceType": session.ec2_instance_type,
        "launchProfileId": session.launch_profile_id,
        "maxBackupsToRetain": 0,
        "ownedBy": session.owned_by,
        "sessionId": session.session_id,
        "sessionPersistenceMode": "ACTIVATED",
        "startedAt": world.clock.wall(session.started),
        "startedBy": USER_ID,
        "startedFromBackupId": session.started_from_backup_id,
        "state": phase.state,
        "statusCode": session.status_code(now),
        "statusMessage": phase.message or _message(phase.state),
        "stopAt": _coming(session, "STOP_IN_PROGRESS", now, world),
        "stoppedAt": world.clock.wall(stopped) if stopped is not None else None,
        "stoppedBy": USER_ID if stopped is not None else None,
        "streamingImageId": session.streaming_image_id,
        "tags": session.tags,
        "terminateAt": _coming(session, "DELETE_IN_PROGRESS", now, world),
        "updatedAt": world.clock.wall(phase.begins),
        "updatedBy": USER_ID,
        "volumeConfiguration": {"iops": 3000, "size": 500, "throughput": 125},
        "volumeRetentionMode": session.volume_retention_mode,
    }


def describe_stream(stream: Stream, now: float, world: World) -> Mapping[str, Value]:
    """Describe a stream as the API does.

    Args:
        stream: The stream.
        now: The instant.
        world: The calendar, and where desktops are.

    Returns:
        A ``StreamingSessionStream`` of the service model.
    """
    phase = stream.timeline.at(now)
    is_ready = phase.state == "READY"
    url = world.desktop_url(stream.token, stream.session_id) if is_ready else None
    return {
        "createdAt": world.clock.wall(stream.created),
        "createdBy": USER_ID,
        "expiresAt": world.clock.wall(stream.expires),
        "ownedBy": stream.owned_by,
        "state": phase.state,
        "statusCode": phase.code or _STREAM_CODES.get(phase.state),
        "streamId": stream.stream_id,
        "url": url,
    }


def _coming(session: Session, state: str, now: float, world: World) -> Value:
    coming = (phase for phase in session.timeline.phases if phase.begins > now)
    begins = next((phase.begins for phase in coming if phase.state == state), math.inf)
    return None if math.isinf(begins) else world.clock.wall(begins)


def _arn(session: Session, world: World) -> str:
    return f"arn:aws:nimble:{world.region_name}:{ACCOUNT_ID}:streaming-session/{session.session_id}"


def _message(state: str) -> str | None:
    return f"Streaming session is {state}" if state in _SESSION_CODES else None
