"""Typed async SDK that opens Amazon DCV desktops.

A GUI session of Lightsail for Research:

    url = await open_gui_session("my-computer")

A streaming session of Nimble Studio:

    url = await open_streaming_session("studio-1", launch_profile_id="lp-1")

This module exports the helpers, the clients, the errors and the main models. The other models and
enums are in `dcvsessions.lightsail` and `dcvsessions.nimble`, and the classes for opening a URL in
`dcvsessions.dcv`.

A name is imported when it is first used, so that a program for one service does not load the other.
"""

from typing import TYPE_CHECKING

from dcvsessions._lazy import lazy_names
from dcvsessions._version import __version__ as __version__

if TYPE_CHECKING:
    from dcvsessions import dcv as dcv
    from dcvsessions import errors as errors
    from dcvsessions import lightsail as lightsail
    from dcvsessions import nimble as nimble
    from dcvsessions import progress as progress
    from dcvsessions._wait.listener import OnProgress
    from dcvsessions.dcv._url import DcvUrl
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
        InvalidArgumentError,
        InvalidRequestError,
        InvalidResponseError,
        InvalidUrlError,
        NotFoundError,
        OpenError,
        QuotaExceededError,
        ServiceClosedError,
        ServiceFaultError,
        ThrottledError,
        UnreachableError,
        WaitError,
        WaitFailedError,
        WaitTimeoutError,
    )
    from dcvsessions.lightsail._client import LightsailClient
    from dcvsessions.lightsail._gui_desktop import GuiDesktop, gui_session
    from dcvsessions.lightsail._gui_sessions import close_gui_sessions, open_gui_sessions
    from dcvsessions.lightsail._helpers import close_gui_session, open_gui_session
    from dcvsessions.lightsail._models import (
        GuiSessionAccessDetails,
        GuiSessionStatus,
        Operation,
        OperationStatus,
    )
    from dcvsessions.nimble._client import NimbleClient
    from dcvsessions.nimble._helpers import (
        close_streaming_session,
        open_stream,
        open_streaming_session,
    )
    from dcvsessions.nimble._models import (
        Stream,
        StreamingSession,
        StreamingSessionState,
        StreamState,
    )
    from dcvsessions.nimble._request import StreamingSessionRequest
    from dcvsessions.nimble._streaming_desktop import (
        StreamingDesktop,
        existing_streaming_session,
        streaming_session,
    )
    from dcvsessions.nimble._streaming_sessions import (
        close_streaming_sessions,
        open_streaming_sessions,
    )
    from dcvsessions.progress import Progress

__all__ = [
    "AccessDeniedError",
    "ApiError",
    "AuthenticationError",
    "CallTimeoutError",
    "ClientStateError",
    "ClockSkewError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CredentialsExpiredError",
    "CredentialsNotFoundError",
    "DcvSessionsError",
    "DcvUrl",
    "GuiDesktop",
    "GuiSessionAccessDetails",
    "GuiSessionStatus",
    "InvalidArgumentError",
    "InvalidRequestError",
    "InvalidResponseError",
    "InvalidUrlError",
    "LightsailClient",
    "NimbleClient",
    "NotFoundError",
    "OnProgress",
    "OpenError",
    "Operation",
    "OperationStatus",
    "Progress",
    "QuotaExceededError",
    "ServiceClosedError",
    "ServiceFaultError",
    "Stream",
    "StreamState",
    "StreamingDesktop",
    "StreamingSession",
    "StreamingSessionRequest",
    "StreamingSessionState",
    "ThrottledError",
    "UnreachableError",
    "WaitError",
    "WaitFailedError",
    "WaitTimeoutError",
    "close_gui_session",
    "close_gui_sessions",
    "close_streaming_session",
    "close_streaming_sessions",
    "existing_streaming_session",
    "gui_session",
    "open_gui_session",
    "open_gui_sessions",
    "open_stream",
    "open_streaming_session",
    "open_streaming_sessions",
    "streaming_session",
]

if not TYPE_CHECKING:
    # The module of each public name. The others are errors.
    _MODULES = {
        "DcvUrl": "dcvsessions.dcv._url",
        "GuiDesktop": "dcvsessions.lightsail._gui_desktop",
        "GuiSessionAccessDetails": "dcvsessions.lightsail._models",
        "GuiSessionStatus": "dcvsessions.lightsail._models",
        "LightsailClient": "dcvsessions.lightsail._client",
        "NimbleClient": "dcvsessions.nimble._client",
        "OnProgress": "dcvsessions._wait.listener",
        "Operation": "dcvsessions.lightsail._models",
        "OperationStatus": "dcvsessions.lightsail._models",
        "Progress": "dcvsessions.progress",
        "Stream": "dcvsessions.nimble._models",
        "StreamState": "dcvsessions.nimble._models",
        "StreamingDesktop": "dcvsessions.nimble._streaming_desktop",
        "StreamingSession": "dcvsessions.nimble._models",
        "StreamingSessionRequest": "dcvsessions.nimble._request",
        "StreamingSessionState": "dcvsessions.nimble._models",
        "close_gui_session": "dcvsessions.lightsail._helpers",
        "close_gui_sessions": "dcvsessions.lightsail._gui_sessions",
        "close_streaming_session": "dcvsessions.nimble._helpers",
        "close_streaming_sessions": "dcvsessions.nimble._streaming_sessions",
        "existing_streaming_session": "dcvsessions.nimble._streaming_desktop",
        "gui_session": "dcvsessions.lightsail._gui_desktop",
        "open_gui_session": "dcvsessions.lightsail._helpers",
        "open_gui_sessions": "dcvsessions.lightsail._gui_sessions",
        "open_stream": "dcvsessions.nimble._helpers",
        "open_streaming_session": "dcvsessions.nimble._helpers",
        "open_streaming_sessions": "dcvsessions.nimble._streaming_sessions",
        "streaming_session": "dcvsessions.nimble._streaming_desktop",
    }
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            **dict.fromkeys(__all__, "dcvsessions.errors"),
            **_MODULES,
            **{
                name: f"dcvsessions.{name}"
                for name in ("dcv", "errors", "lightsail", "nimble", "progress")
            },
        },
    )
