"""Streaming sessions and streams, as the API describes them. Pure."""

import math
from collections.abc import Mapping

from dcvsessions.simulator._environment import ACCOUNT_ID, USER_ID, Environment
from dcvsessions.simulator._nimble.resources import (
    SESSION_CODES,
    LaunchProfile,
    Session,
    Stream,
    Studio,
)
from dcvsessions.simulator._protocol.wire import Value

__all__ = [
    "LAUNCH_PROFILE_STATE",
    "describe_launch_profile",
    "describe_session",
    "describe_stream",
    "describe_studio",
]

# Every launch profile of the simulator can be used.
LAUNCH_PROFILE_STATE = "READY"

_VOLUME: Mapping[str, Value] = {"iops": 3000, "size": 500, "throughput": 125}
_STREAM_CODES = {
    "CREATE_IN_PROGRESS": "STREAM_CREATE_IN_PROGRESS",
    "READY": "STREAM_READY",
    "DELETE_IN_PROGRESS": "STREAM_DELETE_IN_PROGRESS",
    "DELETED": "STREAM_DELETED",
}


def describe_studio(studio: Studio, environment: Environment) -> Mapping[str, Value]:
    """Return a `Studio` of the service model."""
    region, created = environment.region_name, environment.clock.wall_time(studio.created)
    name = f"studio{studio.number}"
    roles = f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"
    return {
        "adminRoleArn": f"{roles}-admin",
        "arn": f"arn:aws:nimble:{region}:{ACCOUNT_ID}:studio/{studio.studio_id}",
        "createdAt": created,
        "displayName": studio.studio_id[:64],
        "homeRegion": region,
        "ssoClientId": f"sso-{name}",
        "state": "READY",
        "statusCode": "STUDIO_CREATED",
        "studioEncryptionConfiguration": {"keyType": "AWS_OWNED_KEY"},
        "studioId": studio.studio_id,
        "studioName": name,
        "studioUrl": f"https://{name}.nimblestudio.{region}.amazonaws.com",
        "updatedAt": created,
        "userRoleArn": f"{roles}-user",
    }


def describe_launch_profile(
    profile: LaunchProfile, environment: Environment
) -> Mapping[str, Value]:
    """Return a `LaunchProfile` of the service model."""
    studio, region = profile.studio, environment.region_name
    created = environment.clock.wall_time(studio.created)
    arn = f"arn:aws:nimble:{region}:{ACCOUNT_ID}:launch-profile/{profile.launch_profile_id}"
    return {
        "arn": arn,
        "createdAt": created,
        "createdBy": USER_ID,
        "ec2SubnetIds": ["subnet-00000000000000000"],
        "launchProfileId": profile.launch_profile_id,
        "launchProfileProtocolVersions": ["2021-03-31"],
        "name": profile.launch_profile_id,
        "state": LAUNCH_PROFILE_STATE,
        "statusCode": "LAUNCH_PROFILE_CREATED",
        "streamConfiguration": {
            "automaticTerminationMode": "ACTIVATED",
            "clipboardMode": "ENABLED",
            "ec2InstanceTypes": [studio.ec2_instance_type],
            "maxSessionLengthInMinutes": _minutes(environment.timings.session_lifetime),
            "maxStoppedSessionLengthInMinutes": _minutes(
                environment.timings.stopped_session_lifetime
            ),
            "sessionPersistenceMode": "ACTIVATED",
            "streamingImageIds": [studio.streaming_image_id],
            "volumeConfiguration": _VOLUME,
        },
        "updatedAt": created,
        "updatedBy": USER_ID,
    }


def _minutes(seconds: float) -> int | None:
    return None if math.isinf(seconds) else round(seconds / 60)


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
        "volumeConfiguration": _VOLUME,
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
