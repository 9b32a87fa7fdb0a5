"""Streaming sessions and streams, as the API describes them. Pure."""

import math
from collections.abc import Mapping

from dcvsessions.simulator.environment import ACCOUNT_ID, USER_ID, Environment
from dcvsessions.simulator.nimble.resources import SESSION_CODES, Session, Stream
from dcvsessions.simulator.protocol.wire import Value

__all__ = ["describe_session", "describe_stream"]

_STREAM_CODES = {
    "CREATE_IN_PROGRESS": "STREAM_CREATE_IN_PROGRESS",
    "READY": "STREAM_READY",
    "DELETE_IN_PROGRESS": "STREAM_DELETE_IN_PROGRESS",
    "DELETED": "STREAM_DELETED",
}


def describe_session(session: Session, now: float, environment: Environment) -> Mapping[str, Value]:
    """Return a `StreamingSession` of the service model."""
    phase, stopped = session.timeline.at(now), session.last_stop(now)
    wall_time = environment.clock.wall_time
    return {
        "arn": _arn(session, environment),
        "automaticTerminationMode": "ACTIVATED",
        "backupMode": "DEACTIVATED",
        "createdAt": wall_time(session.created),
        "createdBy": USER_ID,
        "ec2InstanceType": session.ec2_instance_type,
        "launchProfileId": session.launch_profile_id,
        "maxBackupsToRetain": 0,
        "ownedBy": session.owned_by,
        "sessionId": session.session_id,
        "sessionPersistenceMode": "ACTIVATED",
        "startedAt": wall_time(session.started),
        "startedBy": USER_ID,
        "startedFromBackupId": session.started_from_backup_id,
        "state": phase.state,
        "statusCode": session.status_code(now),
        "statusMessage": phase.message or _default_message(phase.state),
        "stopAt": _next_time(session, "STOP_IN_PROGRESS", now, environment),
        "stoppedAt": wall_time(stopped) if stopped is not None else None,
        "stoppedBy": USER_ID if stopped is not None else None,
        "streamingImageId": session.streaming_image_id,
        "tags": session.tags,
        "terminateAt": _next_time(session, "DELETE_IN_PROGRESS", now, environment),
        "updatedAt": wall_time(phase.begins),
        "updatedBy": USER_ID,
        "volumeConfiguration": {"iops": 3000, "size": 500, "throughput": 125},
        "volumeRetentionMode": session.volume_retention_mode,
    }


def describe_stream(stream: Stream, now: float, environment: Environment) -> Mapping[str, Value]:
    """Return a `StreamingSessionStream` of the service model."""
    phase = stream.timeline.at(now)
    is_ready = phase.state == "READY"
    return {
        "createdAt": environment.clock.wall_time(stream.created),
        "createdBy": USER_ID,
        "expiresAt": environment.clock.wall_time(stream.expires),
        "ownedBy": stream.owned_by,
        "state": phase.state,
        "statusCode": phase.code or _STREAM_CODES.get(phase.state),
        "streamId": stream.stream_id,
        "url": environment.desktop_url(stream.token, stream.session_id) if is_ready else None,
    }


def _next_time(session: Session, state: str, now: float, environment: Environment) -> Value:
    """Return the wall-clock time at which a session will enter a state, or None if it will not."""
    future = (phase for phase in session.timeline.phases if phase.begins > now)
    begins = next((phase.begins for phase in future if phase.state == state), math.inf)
    return None if math.isinf(begins) else environment.clock.wall_time(begins)


def _arn(session: Session, environment: Environment) -> str:
    region = environment.region_name
    return f"arn:aws:nimble:{region}:{ACCOUNT_ID}:streaming-session/{session.session_id}"


def _default_message(state: str) -> str | None:
    return f"Streaming session is {state}" if state in SESSION_CODES else None
