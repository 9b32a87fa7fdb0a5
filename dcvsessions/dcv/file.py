"""The `.dcv` file that the native viewer opens a desktop with.

Its format, and the names of its parameters, are in the Amazon DCV User Guide, under "Create a
connection file". Deciding what stands in it does no I/O.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict
from urllib.parse import unquote

from dcvsessions._secrets.tracebacks import errors_without_secrets
from dcvsessions.errors import InvalidArgumentError, InvalidUrlError, OpenError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from dcvsessions.dcv.url import DcvUrl

__all__ = ["ConnectionFile", "ConnectionOptions", "remove", "write"]

_TOKEN = re.compile(r"[^?#]*\?(?:[^#]*?&)?authToken=([^&#]*)", re.IGNORECASE)
_OPTIONS = ("fullscreen", "useallmonitors", "promptreconnect")


class ConnectionOptions(TypedDict, total=False):
    """What the viewer may be told beside the URL, in the words of the connection file.

    Keys:
        fullscreen: Start in full-screen mode. The viewer's default: no.
        useallmonitors: Fill all monitors in full-screen mode. The viewer's default: no.
        promptreconnect: Offer to connect again after the end, rather than close. The viewer's
            default: yes.
        transport: `websocket` (TCP, the viewer's default) or `quic` (UDP).
        quicport: The UDP port for QUIC. The viewer's default: 8443.
        certificatevalidationpolicy: What to do about a certificate that is not trusted: `strict`
            refuses it, `ask-user` (the viewer's default) asks, `accept-untrusted` lets anyone in
            between read along.
    """

    fullscreen: bool
    useallmonitors: bool
    promptreconnect: bool
    transport: Literal["websocket", "quic"]
    quicport: int
    certificatevalidationpolicy: Literal["strict", "ask-user", "accept-untrusted"]


class ConnectionFile:
    """A `.dcv` file that lasts as long as a `with` or `async with` block.

    Made by `DcvUrl.connection_file()`. Each block writes a file of its own and yields its path.
    """

    def __init__(
        self,
        url: "DcvUrl",
        directory: "str | os.PathLike[str] | None",
        options: ConnectionOptions,
    ) -> None:
        self._url = url
        self._directory = directory
        self._options = options
        self._paths: list[Path] = []

    def __enter__(self) -> Path:
        """Write the file.

        Raises:
            OpenError: It could not be written.
        """
        self._paths.append(write(self._url, self._directory, self._options))
        return self._paths[-1]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        """Remove the file.

        Raises:
            OpenError: It could not be removed, and is left with the token in it.
        """
        remove(self._paths.pop())

    # Some 300 bytes are written: that is quicker than handing them to a thread.
    async def __aenter__(self) -> Path:
        """Write the file, as the plain `with` does."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        """Remove the file, as the plain `with` does."""
        self.__exit__(kind, error, traceback)


@errors_without_secrets
def write(
    url: "DcvUrl", directory: "str | os.PathLike[str] | None", options: ConnectionOptions
) -> Path:
    """Write a file that only its owner can read, from its first moment on.

    Args:
        url: One that was found to be openable.
        directory: Where. None for the directory for temporary files.
        options: What else the viewer is told.

    Raises:
        InvalidArgumentError: An option is not one of `ConnectionOptions`.
        InvalidUrlError: The session or the token cannot be written to such a file.
        OpenError: The file could not be written.
    """
    _require_options(options)
    _require_lines(url)
    try:
        # mkstemp makes it with mode 0600, under a name that nobody can have prepared.
        descriptor, name = tempfile.mkstemp(prefix="desktop-", suffix=".dcv", dir=directory)
    except OSError as error:
        raise OpenError(f"The connection file cannot be made: {error}.") from error
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(_content(url, options))
    except BaseException as error:
        remove(path)
        if isinstance(error, OSError):
            raise OpenError(f"The connection file cannot be written: {error}.") from error
        raise
    return path


def remove(path: Path) -> None:
    """Remove a file, if it is still there.

    Raises:
        OpenError: It is there and stays there.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OpenError(f"Remove {path} yourself, for it holds a token: {error}.") from error


def _require_options(options: ConnectionOptions) -> None:
    for name, value in options.items():
        if not _is_allowed(name, value):
            raise InvalidArgumentError(f"{name}={value!r} is no option of a connection file.")


def _is_allowed(name: str, value: object) -> bool:
    match name:
        case "quicport":
            return type(value) is int and 0 < value < 65536  # noqa: PLR2004 - 16 bits
        case "transport":
            return value in ("websocket", "quic")
        case "certificatevalidationpolicy":
            return value in ("strict", "ask-user", "accept-untrusted")
        case _:
            return name in _OPTIONS and isinstance(value, bool)


def _require_lines(url: "DcvUrl") -> None:
    if not _is_line(url.session_id or "") or not _is_line(_token(url)):
        raise InvalidUrlError(
            "No connection file can be written: the session id or the token is not a line of text."
        )
    if _token(url) and not url.session_id:
        raise InvalidUrlError(
            "No connection file can be written: the viewer needs a session id beside the token."
        )


def _is_line(text: str) -> bool:
    """Whether a value is read back as it was written: a line break would start another one."""
    return text.isprintable() and text == text.strip()


def _token(url: "DcvUrl") -> str:
    match = _TOKEN.match(url)
    # Not unquote_plus: a plus sign in Base64 is no space. What is no UTF-8 is refused later.
    return unquote(match[1], errors="surrogateescape") if match else ""


def _content(url: "DcvUrl", options: ConnectionOptions) -> str:
    connect: dict[str, object] = {
        "host": url.host,
        # Both, always: without them the viewer takes 8443, while https means 443.
        "port": url.port,
        "webport": url.port,
        # The guide's example is `customPath` for host:port/customPath.
        "weburlpath": url.path.removeprefix("/"),
        "sessionid": url.session_id,
        "authtoken": _token(url),
    }
    start = {name: value for name, value in options.items() if name in _OPTIONS}
    connect |= {name: value for name, value in options.items() if name not in _OPTIONS}
    # A file without [version] at its top is refused.
    return (
        _group("version", {"format": "1.0"}) + _group("connect", connect) + _group("options", start)
    )


def _group(name: str, values: "Mapping[str, object]") -> str:
    lines = [f"{key}={_text(value)}\n" for key, value in values.items() if value not in ("", None)]
    return f"[{name}]\n{''.join(lines)}\n" if lines else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
