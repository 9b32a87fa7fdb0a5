"""Typed async SDK that opens Amazon DCV desktops.

A GUI session of Lightsail for Research:

    url = await open_gui_session("my-computer")

A streaming session of Nimble Studio:

    url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
"""

from dcvsessions._enums import (
    OpenEnum,
)
from dcvsessions.dcv import ConnectionOptions, DcvUrl, Opened
from dcvsessions.errors import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    CallTimeoutError,
    ClientStateError,
    ClockSkewError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    CredentialsExpiredError,
    CredentialsNotFoundError,
    DcvSessionsError,
    ErrorAbsorbed,
    InvalidArgumentError,
    InvalidRequestError,
    InvalidResponseError,
    InvalidUrlError,
    NotFoundError,
    OpenError,
    OperationFailedError,
    QuotaExceededError,
    ServiceClosedError,
    ServiceFaultError,
    SetupInProgressError,
    StateSeen,
    ThrottledError,
    UnreachableError,
    WaitError,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions.lightsail.client import (
    LightsailClient,
)
from dcvsessions.lightsail.gui_desktop import (
    GuiDesktop,
    gui_session,
)
from dcvsessions.lightsail.helpers import (
    close_gui_session,
    open_gui_session,
)
from dcvsessions.lightsail.models import (
    GuiSession,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    Instance,
    InstanceState,
    IpAddressType,
    Operation,
    OperationStatus,
    OperationType,
    RegionName,
    ResourceLocation,
    ResourceType,
    Tag,
)
from dcvsessions.nimble.client import (
    NimbleClient,
)
from dcvsessions.nimble.helpers import (
    close_streaming_session,
    open_stream,
    open_streaming_session,
)
from dcvsessions.nimble.models import (
    AutomaticTerminationMode,
    SessionBackupMode,
    SessionPersistenceMode,
    Stream,
    StreamingInstanceType,
    StreamingSession,
    StreamingSessionState,
    StreamingSessionStatusCode,
    StreamState,
    StreamStatusCode,
    VolumeConfiguration,
    VolumeRetentionMode,
)
from dcvsessions.nimble.streaming_desktop import (
    StreamingDesktop,
    streaming_session,
)
from dcvsessions.progress import (
    Progress,
)

__all__ = [
    "AccessDeniedError",
    "ApiError",
    "AuthenticationError",
    "AutomaticTerminationMode",
    "CallTimeoutError",
    "ClientStateError",
    "ClockSkewError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "ConnectionOptions",
    "CredentialsExpiredError",
    "CredentialsNotFoundError",
    "DcvSessionsError",
    "DcvUrl",
    "ErrorAbsorbed",
    "GuiDesktop",
    "GuiSession",
    "GuiSessionAccessDetails",
    "GuiSessionStatus",
    "Instance",
    "InstanceState",
    "InvalidArgumentError",
    "InvalidRequestError",
    "InvalidResponseError",
    "InvalidUrlError",
    "IpAddressType",
    "LightsailClient",
    "NimbleClient",
    "NotFoundError",
    "OpenEnum",
    "OpenError",
    "Opened",
    "Operation",
    "OperationFailedError",
    "OperationStatus",
    "OperationType",
    "Progress",
    "QuotaExceededError",
    "RegionName",
    "ResourceLocation",
    "ResourceType",
    "ServiceClosedError",
    "ServiceFaultError",
    "SessionBackupMode",
    "SessionPersistenceMode",
    "SetupInProgressError",
    "StateSeen",
    "Stream",
    "StreamState",
    "StreamStatusCode",
    "StreamingDesktop",
    "StreamingInstanceType",
    "StreamingSession",
    "StreamingSessionState",
    "StreamingSessionStatusCode",
    "Tag",
    "ThrottledError",
    "UnreachableError",
    "VolumeConfiguration",
    "VolumeRetentionMode",
    "WaitError",
    "WaitFailedError",
    "WaitTimeoutError",
    "close_gui_session",
    "close_streaming_session",
    "gui_session",
    "open_gui_session",
    "open_stream",
    "open_streaming_session",
    "streaming_session",
]

__version__ = "0.1.0"
