"""The resources of Nimble Studio as frozen classes, with the members of the service model."""

from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from dcvsessions._enums import OpenEnum
from dcvsessions.dcv._url import DcvUrl

__all__ = [
    "AutomaticTerminationMode",
    "LaunchProfile",
    "LaunchProfileState",
    "LaunchProfileStatusCode",
    "SessionBackupMode",
    "SessionPersistenceMode",
    "Stream",
    "StreamConfiguration",
    "StreamState",
    "StreamStatusCode",
    "StreamingClipboardMode",
    "StreamingInstanceType",
    "StreamingSession",
    "StreamingSessionState",
    "StreamingSessionStatusCode",
    "Studio",
    "StudioState",
    "StudioStatusCode",
    "VolumeConfiguration",
    "VolumeRetentionMode",
]


class StreamingSessionState(OpenEnum):
    """The state of a streaming session."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    READY = "READY"
    DELETED = "DELETED"
    CREATE_FAILED = "CREATE_FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    STOP_IN_PROGRESS = "STOP_IN_PROGRESS"
    START_IN_PROGRESS = "START_IN_PROGRESS"
    STOPPED = "STOPPED"
    STOP_FAILED = "STOP_FAILED"
    START_FAILED = "START_FAILED"


class StreamingSessionStatusCode(OpenEnum):
    """Why a streaming session is in its state."""

    STREAMING_SESSION_READY = "STREAMING_SESSION_READY"
    STREAMING_SESSION_DELETED = "STREAMING_SESSION_DELETED"
    STREAMING_SESSION_CREATE_IN_PROGRESS = "STREAMING_SESSION_CREATE_IN_PROGRESS"
    STREAMING_SESSION_DELETE_IN_PROGRESS = "STREAMING_SESSION_DELETE_IN_PROGRESS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INSUFFICIENT_CAPACITY = "INSUFFICIENT_CAPACITY"
    ACTIVE_DIRECTORY_DOMAIN_JOIN_ERROR = "ACTIVE_DIRECTORY_DOMAIN_JOIN_ERROR"
    NETWORK_CONNECTION_ERROR = "NETWORK_CONNECTION_ERROR"
    INITIALIZATION_SCRIPT_ERROR = "INITIALIZATION_SCRIPT_ERROR"
    DECRYPT_STREAMING_IMAGE_ERROR = "DECRYPT_STREAMING_IMAGE_ERROR"
    NETWORK_INTERFACE_ERROR = "NETWORK_INTERFACE_ERROR"
    STREAMING_SESSION_STOPPED = "STREAMING_SESSION_STOPPED"
    STREAMING_SESSION_STARTED = "STREAMING_SESSION_STARTED"
    STREAMING_SESSION_STOP_IN_PROGRESS = "STREAMING_SESSION_STOP_IN_PROGRESS"
    STREAMING_SESSION_START_IN_PROGRESS = "STREAMING_SESSION_START_IN_PROGRESS"
    AMI_VALIDATION_ERROR = "AMI_VALIDATION_ERROR"


class StreamState(OpenEnum):
    """The state of a stream."""

    READY = "READY"
    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETED = "DELETED"
    CREATE_FAILED = "CREATE_FAILED"
    DELETE_FAILED = "DELETE_FAILED"


class StreamStatusCode(OpenEnum):
    """Why a stream is in its state."""

    STREAM_CREATE_IN_PROGRESS = "STREAM_CREATE_IN_PROGRESS"
    STREAM_READY = "STREAM_READY"
    STREAM_DELETE_IN_PROGRESS = "STREAM_DELETE_IN_PROGRESS"
    STREAM_DELETED = "STREAM_DELETED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    NETWORK_CONNECTION_ERROR = "NETWORK_CONNECTION_ERROR"


class StreamingInstanceType(OpenEnum):
    """The EC2 instance types that a streaming session can have."""

    G4DN_XLARGE = "g4dn.xlarge"
    G4DN_2XLARGE = "g4dn.2xlarge"
    G4DN_4XLARGE = "g4dn.4xlarge"
    G4DN_8XLARGE = "g4dn.8xlarge"
    G4DN_12XLARGE = "g4dn.12xlarge"
    G4DN_16XLARGE = "g4dn.16xlarge"
    G3_4XLARGE = "g3.4xlarge"
    G3S_XLARGE = "g3s.xlarge"
    G5_XLARGE = "g5.xlarge"
    G5_2XLARGE = "g5.2xlarge"
    G5_4XLARGE = "g5.4xlarge"
    G5_8XLARGE = "g5.8xlarge"
    G5_16XLARGE = "g5.16xlarge"


class AutomaticTerminationMode(OpenEnum):
    """Whether the service ends a session at `terminate_at`."""

    DEACTIVATED = "DEACTIVATED"
    ACTIVATED = "ACTIVATED"


class SessionBackupMode(OpenEnum):
    """Whether the service backs up a session automatically."""

    AUTOMATIC = "AUTOMATIC"
    DEACTIVATED = "DEACTIVATED"


class SessionPersistenceMode(OpenEnum):
    """Whether a session keeps its volume when it stops."""

    DEACTIVATED = "DEACTIVATED"
    ACTIVATED = "ACTIVATED"


class VolumeRetentionMode(OpenEnum):
    """Whether the volume is kept when a session stops."""

    RETAIN = "RETAIN"
    DELETE = "DELETE"


class StudioState(OpenEnum):
    """The state of a studio."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    READY = "READY"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETED = "DELETED"
    DELETE_FAILED = "DELETE_FAILED"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_FAILED = "UPDATE_FAILED"


class StudioStatusCode(OpenEnum):
    """Why a studio is in its state."""

    STUDIO_CREATED = "STUDIO_CREATED"
    STUDIO_DELETED = "STUDIO_DELETED"
    STUDIO_UPDATED = "STUDIO_UPDATED"
    STUDIO_CREATE_IN_PROGRESS = "STUDIO_CREATE_IN_PROGRESS"
    STUDIO_UPDATE_IN_PROGRESS = "STUDIO_UPDATE_IN_PROGRESS"
    STUDIO_DELETE_IN_PROGRESS = "STUDIO_DELETE_IN_PROGRESS"
    STUDIO_WITH_LAUNCH_PROFILES_NOT_DELETED = "STUDIO_WITH_LAUNCH_PROFILES_NOT_DELETED"
    STUDIO_WITH_STUDIO_COMPONENTS_NOT_DELETED = "STUDIO_WITH_STUDIO_COMPONENTS_NOT_DELETED"
    STUDIO_WITH_STREAMING_IMAGES_NOT_DELETED = "STUDIO_WITH_STREAMING_IMAGES_NOT_DELETED"
    AWS_SSO_NOT_ENABLED = "AWS_SSO_NOT_ENABLED"
    AWS_SSO_ACCESS_DENIED = "AWS_SSO_ACCESS_DENIED"
    ROLE_NOT_OWNED_BY_STUDIO_OWNER = "ROLE_NOT_OWNED_BY_STUDIO_OWNER"
    ROLE_COULD_NOT_BE_ASSUMED = "ROLE_COULD_NOT_BE_ASSUMED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    ENCRYPTION_KEY_NOT_FOUND = "ENCRYPTION_KEY_NOT_FOUND"
    ENCRYPTION_KEY_ACCESS_DENIED = "ENCRYPTION_KEY_ACCESS_DENIED"
    AWS_SSO_CONFIGURATION_REPAIRED = "AWS_SSO_CONFIGURATION_REPAIRED"
    AWS_SSO_CONFIGURATION_REPAIR_IN_PROGRESS = "AWS_SSO_CONFIGURATION_REPAIR_IN_PROGRESS"
    AWS_STS_REGION_DISABLED = "AWS_STS_REGION_DISABLED"


class LaunchProfileState(OpenEnum):
    """The state of a launch profile."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    READY = "READY"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETED = "DELETED"
    DELETE_FAILED = "DELETE_FAILED"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_FAILED = "UPDATE_FAILED"


class LaunchProfileStatusCode(OpenEnum):
    """Why a launch profile is in its state."""

    LAUNCH_PROFILE_CREATED = "LAUNCH_PROFILE_CREATED"
    LAUNCH_PROFILE_UPDATED = "LAUNCH_PROFILE_UPDATED"
    LAUNCH_PROFILE_DELETED = "LAUNCH_PROFILE_DELETED"
    LAUNCH_PROFILE_CREATE_IN_PROGRESS = "LAUNCH_PROFILE_CREATE_IN_PROGRESS"
    LAUNCH_PROFILE_UPDATE_IN_PROGRESS = "LAUNCH_PROFILE_UPDATE_IN_PROGRESS"
    LAUNCH_PROFILE_DELETE_IN_PROGRESS = "LAUNCH_PROFILE_DELETE_IN_PROGRESS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    STREAMING_IMAGE_NOT_FOUND = "STREAMING_IMAGE_NOT_FOUND"
    STREAMING_IMAGE_NOT_READY = "STREAMING_IMAGE_NOT_READY"
    LAUNCH_PROFILE_WITH_STREAM_SESSIONS_NOT_DELETED = (
        "LAUNCH_PROFILE_WITH_STREAM_SESSIONS_NOT_DELETED"
    )
    ENCRYPTION_KEY_ACCESS_DENIED = "ENCRYPTION_KEY_ACCESS_DENIED"
    ENCRYPTION_KEY_NOT_FOUND = "ENCRYPTION_KEY_NOT_FOUND"
    INVALID_SUBNETS_PROVIDED = "INVALID_SUBNETS_PROVIDED"
    INVALID_INSTANCE_TYPES_PROVIDED = "INVALID_INSTANCE_TYPES_PROVIDED"
    INVALID_SUBNETS_COMBINATION = "INVALID_SUBNETS_COMBINATION"


class StreamingClipboardMode(OpenEnum):
    """Whether users can copy and paste between their computer and the session."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@frozen(kw_only=True)
class VolumeConfiguration:
    """The disk of a streaming session.

    Attributes:
        iops: I/O operations per second, 3000 to 16000.
        size: Size in gibibytes, 100 to 16000.
        throughput: Throughput in mebibytes per second, 125 to 1000.
    """

    iops: int | None = None
    size: int | None = None
    throughput: int | None = None


@frozen(kw_only=True)
class StreamingSession:
    """A workstation that runs for one user of a studio.

    Attributes:
        arn: Its Amazon Resource Name.
        automatic_termination_mode: Whether the service ends it at `terminate_at`.
        backup_mode: Whether the service backs it up automatically.
        created_at: When it was made.
        created_by: Who made it.
        ec2_instance_type: Its EC2 instance type.
        launch_profile_id: The launch profile that it was made from.
        max_backups_to_retain: How many backups are kept, 0 to 10.
        owned_by: The user that it is for.
        session_id: Its id.
        session_persistence_mode: Whether its volume is kept when it stops.
        started_at: When it was last started.
        started_by: Who last started it.
        started_from_backup_id: The backup that it was started from.
        state: Its state.
        status_code: Why it is in that state.
        status_message: Why it is in that state, in the service's words.
        stop_at: When the service will stop it.
        stopped_at: When it was last stopped.
        stopped_by: Who last stopped it.
        streaming_image_id: The image that it was made from.
        tags: Its tags.
        terminate_at: When the service will end it.
        updated_at: When it last changed.
        updated_by: Who last changed it.
        volume_configuration: Its disk.
        volume_retention_mode: Whether its volume was kept when it was stopped.
    """

    arn: str | None = None
    automatic_termination_mode: AutomaticTerminationMode | None = None
    backup_mode: SessionBackupMode | None = None
    created_at: datetime | None = None
    created_by: str | None = None
    ec2_instance_type: str | None = None
    launch_profile_id: str | None = None
    max_backups_to_retain: int | None = None
    owned_by: str | None = None
    session_id: str | None = None
    session_persistence_mode: SessionPersistenceMode | None = None
    started_at: datetime | None = None
    started_by: str | None = None
    started_from_backup_id: str | None = None
    state: StreamingSessionState | None = None
    status_code: StreamingSessionStatusCode | None = None
    status_message: str | None = None
    stop_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_by: str | None = None
    streaming_image_id: str | None = None
    # Not part of the session's hash, because a dict cannot be hashed.
    tags: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    terminate_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None
    volume_configuration: VolumeConfiguration | None = None
    volume_retention_mode: VolumeRetentionMode | None = None


@frozen(kw_only=True)
class Stream:
    """A connection to a streaming session, with a URL that expires.

    Attributes:
        created_at: When it was made.
        created_by: Who made it.
        expires_at: When its URL expires.
        owned_by: The user that it is for.
        state: Its state.
        status_code: Why it is in that state.
        stream_id: Its id.
        url: The URL that opens the desktop. It is a bearer secret.
    """

    created_at: datetime | None = None
    created_by: str | None = None
    expires_at: datetime | None = None
    owned_by: str | None = None
    state: StreamState | None = None
    status_code: StreamStatusCode | None = None
    stream_id: str | None = None
    url: DcvUrl | None = None


@frozen(kw_only=True)
class Studio:
    """A studio. Its encryption is left out.

    Attributes:
        admin_role_arn: The IAM role that its administrators have in the portal.
        arn: Its Amazon Resource Name.
        created_at: When it was made.
        display_name: Its name for people. Not in the `repr`, because the model marks it sensitive.
        home_region: The region that it is in.
        sso_client_id: The id of its application in IAM Identity Center.
        state: Its state.
        status_code: Why it is in that state.
        status_message: Why it is in that state, in the service's words.
        studio_id: Its id.
        studio_name: Its name in URLs.
        studio_url: The address of its portal.
        tags: Its tags.
        updated_at: When it last changed.
        user_role_arn: The IAM role that its users have in the portal.
    """

    admin_role_arn: str | None = None
    arn: str | None = None
    created_at: datetime | None = None
    display_name: str | None = field(default=None, repr=False)
    home_region: str | None = None
    sso_client_id: str | None = None
    state: StudioState | None = None
    status_code: StudioStatusCode | None = None
    status_message: str | None = None
    studio_id: str | None = None
    studio_name: str | None = None
    studio_url: str | None = None
    # Not part of the studio's hash, because a dict cannot be hashed.
    tags: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    updated_at: datetime | None = None
    user_role_arn: str | None = None


@frozen(kw_only=True)
class StreamConfiguration:
    """What a launch profile allows its sessions. Backups and file uploads are left out.

    Attributes:
        automatic_termination_mode: Whether the service ends a session that has been stopped for
            `max_stopped_session_length_in_minutes`.
        clipboard_mode: Whether users can copy and paste between their computer and the session.
        ec2_instance_types: The instance types that a session can have.
        max_session_length_in_minutes: Minutes after which the service stops a session, or ends it
            if it cannot be stopped.
        max_stopped_session_length_in_minutes: Minutes that a session may stay stopped; 0 if a
            session cannot be stopped.
        session_persistence_mode: Whether a session can have a volume that outlasts a stop.
        streaming_image_ids: The images that a session can be made from.
        volume_configuration: The disk of a session.
    """

    automatic_termination_mode: AutomaticTerminationMode | None = None
    clipboard_mode: StreamingClipboardMode | None = None
    ec2_instance_types: tuple[StreamingInstanceType, ...] = ()
    max_session_length_in_minutes: int | None = None
    max_stopped_session_length_in_minutes: int | None = None
    session_persistence_mode: SessionPersistenceMode | None = None
    streaming_image_ids: tuple[str, ...] = ()
    volume_configuration: VolumeConfiguration | None = None


@frozen(kw_only=True)
class LaunchProfile:
    """What streaming sessions of a studio are made from. Its validation results are left out.

    Attributes:
        arn: Its Amazon Resource Name.
        created_at: When it was made.
        created_by: Who made it.
        description: Its description. Not in the `repr`, because the model marks it sensitive.
        ec2_subnet_ids: The subnets that its sessions run in.
        launch_profile_id: Its id.
        launch_profile_protocol_versions: The versions of the protocol that its sessions speak.
        name: Its name. Not in the `repr`, because the model marks it sensitive.
        state: Its state.
        status_code: Why it is in that state.
        status_message: Why it is in that state, in the service's words.
        stream_configuration: What it allows its sessions.
        studio_component_ids: The studio components that its sessions can use.
        tags: Its tags.
        updated_at: When it last changed.
        updated_by: Who last changed it.
    """

    arn: str | None = None
    created_at: datetime | None = None
    created_by: str | None = None
    description: str | None = field(default=None, repr=False)
    ec2_subnet_ids: tuple[str, ...] = ()
    launch_profile_id: str | None = None
    launch_profile_protocol_versions: tuple[str, ...] = ()
    name: str | None = field(default=None, repr=False)
    state: LaunchProfileState | None = None
    status_code: LaunchProfileStatusCode | None = None
    status_message: str | None = None
    stream_configuration: StreamConfiguration | None = None
    studio_component_ids: tuple[str, ...] = ()
    # Not part of the launch profile's hash, because a dict cannot be hashed.
    tags: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    updated_at: datetime | None = None
    updated_by: str | None = None
