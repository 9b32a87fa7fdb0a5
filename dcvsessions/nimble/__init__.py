"""Nimble Studio: streaming sessions and the streams into them.

Example:
    >>> url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
"""

from typing import TYPE_CHECKING

from dcvsessions._enums import OpenEnum
from dcvsessions._lazy import lazy_names
from dcvsessions.nimble._client import NimbleClient
from dcvsessions.nimble._helpers import (
    close_streaming_session,
    open_stream,
    open_streaming_session,
)
from dcvsessions.nimble._models import (
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
from dcvsessions.nimble._request import StreamingSessionRequest

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
    "StreamingSessionCloseOutcome",
    "StreamingSessionOutcome",
    "StreamingSessionRequest",
    "StreamingSessionState",
    "StreamingSessionStatusCode",
    "Studio",
    "StudioState",
    "StudioStatusCode",
    "VolumeConfiguration",
    "VolumeRetentionMode",
    "close_streaming_session",
    "close_streaming_sessions",
    "existing_streaming_session",
    "open_stream",
    "open_streaming_session",
    "open_streaming_sessions",
    "streaming_session",
]

if TYPE_CHECKING:
    from dcvsessions.nimble._streaming_desktop import (
        StreamingDesktop,
        existing_streaming_session,
        streaming_session,
    )
    from dcvsessions.nimble._streaming_sessions import (
        StreamingSessionCloseOutcome,
        StreamingSessionOutcome,
        close_streaming_sessions,
        open_streaming_sessions,
    )
else:
    _DESKTOP = "dcvsessions.nimble._streaming_desktop"
    _MANY = "dcvsessions.nimble._streaming_sessions"
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            "StreamingDesktop": _DESKTOP,
            "StreamingSessionCloseOutcome": _MANY,
            "StreamingSessionOutcome": _MANY,
            "close_streaming_sessions": _MANY,
            "existing_streaming_session": _DESKTOP,
            "open_streaming_sessions": _MANY,
            "streaming_session": _DESKTOP,
        },
    )
