"""From a DCV URL to an open desktop: in a browser or in the native viewer."""

from typing import TYPE_CHECKING

from dcvsessions._lazy import lazy_names
from dcvsessions.dcv._url import DcvUrl

__all__ = ["ConnectionFile", "ConnectionOptions", "DcvUrl", "Opened"]

if TYPE_CHECKING:
    from dcvsessions.dcv._file import ConnectionFile, ConnectionOptions
    from dcvsessions.dcv._opening import Opened
else:
    __getattr__, __dir__ = lazy_names(
        globals(),
        __all__,
        {
            "ConnectionFile": "dcvsessions.dcv._file",
            "ConnectionOptions": "dcvsessions.dcv._file",
            "Opened": "dcvsessions.dcv._opening",
        },
    )
