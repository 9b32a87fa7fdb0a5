"""From a DCV URL to an open desktop: in a browser or in the native viewer."""

from dcvsessions.dcv.file import ConnectionFile, ConnectionOptions
from dcvsessions.dcv.opening import Opened
from dcvsessions.dcv.url import DcvUrl

__all__ = ["ConnectionFile", "ConnectionOptions", "DcvUrl", "Opened"]
