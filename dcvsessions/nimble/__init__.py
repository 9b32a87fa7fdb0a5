"""Nimble Studio: streaming sessions and the streams into them.

Example:
    >>> url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
"""

from dcvsessions._enums import OpenEnum
from dcvsessions.nimble.client import NimbleClient
from dcvsessions.nimble.helpers import (
    close_streaming_session,
    open_stream,
    open_streaming_session,
)
from dcvsessions.nimble.models import (
    AutomaticTerminationMode,
    LaunchProfile,
    LaunchProfileState,
    LaunchProfileStatusCode,
    SessionBackupMode,
    SessionPersistenceMode,
    Stream,
    StreamConfiguration,
    StreamingClipboardMode,
    StreamingInstanceType,
    StreamingSession,
    StreamingSessionState,
    StreamingSessionStatusCode,
    StreamState,
    StreamStatusCode,
    Studio,
    StudioState,
    StudioStatusCode,
    VolumeConfiguration,
    VolumeRetentionMode,
)
from dcvsessions.nimble.streaming_desktop import (
    StreamingDesktop,
    existing_streaming_session,
    streaming_session,
)

__all__ = [
    "AutomaticTerminationMode",
    "LaunchProfile",
    "LaunchProfileState",
    "LaunchProfileStatusCode",
    "NimbleClient",
    "OpenEnum",
    "SessionBackupMode",
    "SessionPersistenceMode",
    "Stream",
    "StreamConfiguration",
    "StreamState",
    "StreamStatusCode",
    "StreamingClipboardMode",
    "StreamingDesktop",
    "StreamingInstanceType",
    "StreamingSession",
    "StreamingSessionState",
    "StreamingSessionStatusCode",
    "Studio",
    "StudioState",
    "StudioStatusCode",
    "VolumeConfiguration",
    "VolumeRetentionMode",
    "close_streaming_session",
    "existing_streaming_session",
    "open_stream",
    "open_streaming_session",
    "streaming_session",
]
