"""Lightsail for Research: the GUI sessions of virtual computers.

Example:
    >>> url = await open_gui_session("my-computer")
"""

from typing import TYPE_CHECKING

from dcvsessions._enums import OpenEnum
from dcvsessions._lazy import lazy_names
from dcvsessions.lightsail._client import LightsailClient
from dcvsessions.lightsail._helpers import close_gui_session, open_gui_session
from dcvsessions.lightsail._models import (
    GuiSession,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    Instance,
    InstanceState,
    IpAddressType,
    Operation,
    OperationStatus,
    ResourceLocation,
    Tag,
)
from dcvsessions.lightsail._states import SessionKind

__all__ = [
    "GuiDesktop",
    "GuiSession",
    "GuiSessionAccessDetails",
    "GuiSessionOutcome",
    "GuiSessionStatus",
    "Instance",
    "InstanceState",
    "IpAddressType",
    "LightsailClient",
    "OpenEnum",
    "Operation",
    "OperationStatus",
    "ResourceLocation",
    "SessionKind",
    "Tag",
    "close_gui_session",
    "close_gui_sessions",
    "gui_session",
    "open_gui_session",
    "open_gui_sessions",
]

if TYPE_CHECKING:
    from dcvsessions.lightsail._gui_desktop import GuiDesktop, gui_session
    from dcvsessions.lightsail._gui_sessions import (
        GuiSessionOutcome,
        close_gui_sessions,
        open_gui_sessions,
    )
else:
    _DESKTOP = "dcvsessions.lightsail._gui_desktop"
    _MANY = "dcvsessions.lightsail._gui_sessions"
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            "GuiDesktop": _DESKTOP,
            "GuiSessionOutcome": _MANY,
            "close_gui_sessions": _MANY,
            "gui_session": _DESKTOP,
            "open_gui_sessions": _MANY,
        },
    )
