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

from importlib import import_module
from typing import TYPE_CHECKING

from dcvsessions._version import __version__ as __version__

if TYPE_CHECKING:
    from dcvsessions._wait.listener import OnProgress
    from dcvsessions.dcv.url import DcvUrl
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
    from dcvsessions.lightsail.client import LightsailClient
    from dcvsessions.lightsail.gui_desktop import GuiDesktop, gui_session
    from dcvsessions.lightsail.helpers import close_gui_session, open_gui_session
    from dcvsessions.lightsail.models import (
        GuiSessionAccessDetails,
        GuiSessionStatus,
        Operation,
        OperationStatus,
    )
    from dcvsessions.nimble.client import NimbleClient
    from dcvsessions.nimble.helpers import (
        close_streaming_session,
        open_stream,
        open_streaming_session,
    )
    from dcvsessions.nimble.models import (
        Stream,
        StreamingSession,
        StreamingSessionState,
        StreamState,
    )
    from dcvsessions.nimble.streaming_desktop import (
        StreamingDesktop,
        existing_streaming_session,
        streaming_session,
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
    "StreamingSessionState",
    "ThrottledError",
    "UnreachableError",
    "WaitError",
    "WaitFailedError",
    "WaitTimeoutError",
    "close_gui_session",
    "close_streaming_session",
    "existing_streaming_session",
    "gui_session",
    "open_gui_session",
    "open_stream",
    "open_streaming_session",
    "streaming_session",
]

# The module of each public name. The errors, which are most of the names, are not in this table.
_MODULES = {
    "DcvUrl": "dcvsessions.dcv.url",
    "GuiDesktop": "dcvsessions.lightsail.gui_desktop",
    "GuiSessionAccessDetails": "dcvsessions.lightsail.models",
    "GuiSessionStatus": "dcvsessions.lightsail.models",
    "LightsailClient": "dcvsessions.lightsail.client",
    "NimbleClient": "dcvsessions.nimble.client",
    "OnProgress": "dcvsessions._wait.listener",
    "Operation": "dcvsessions.lightsail.models",
    "OperationStatus": "dcvsessions.lightsail.models",
    "Progress": "dcvsessions.progress",
    "Stream": "dcvsessions.nimble.models",
    "StreamState": "dcvsessions.nimble.models",
    "StreamingDesktop": "dcvsessions.nimble.streaming_desktop",
    "StreamingSession": "dcvsessions.nimble.models",
    "StreamingSessionState": "dcvsessions.nimble.models",
    "close_gui_session": "dcvsessions.lightsail.helpers",
    "close_streaming_session": "dcvsessions.nimble.helpers",
    "existing_streaming_session": "dcvsessions.nimble.streaming_desktop",
    "gui_session": "dcvsessions.lightsail.gui_desktop",
    "open_gui_session": "dcvsessions.lightsail.helpers",
    "open_stream": "dcvsessions.nimble.helpers",
    "open_streaming_session": "dcvsessions.nimble.helpers",
    "streaming_session": "dcvsessions.nimble.streaming_desktop",
}


_PUBLIC_MODULES = ("dcv", "errors", "lightsail", "nimble", "progress")


def __getattr__(name: str) -> object:
    if name in _PUBLIC_MODULES:
        return import_module(f"dcvsessions.{name}")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES.get(name, "dcvsessions.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC_MODULES, *__all__})
