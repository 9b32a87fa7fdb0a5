"""From a DCV URL to an open desktop: in a browser or in the native viewer."""

from typing import TYPE_CHECKING

from dcvsessions._lazy import lazy_names
from dcvsessions.dcv.url import DcvUrl

__all__ = ["ConnectionFile", "ConnectionOptions", "DcvUrl", "Opened"]

if TYPE_CHECKING:
    from dcvsessions.dcv.file import ConnectionFile, ConnectionOptions
    from dcvsessions.dcv.opening import Opened
else:
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            "ConnectionFile": "dcvsessions.dcv.file",
            "ConnectionOptions": "dcvsessions.dcv.file",
            "Opened": "dcvsessions.dcv.opening",
        },
    )
