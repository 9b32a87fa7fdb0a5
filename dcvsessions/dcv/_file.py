"""The `.dcv` file that the native viewer opens a desktop with.

Its format, and the names of its parameters, are in the Amazon DCV User Guide, under "Create a
connection file".

`pathlib`, `tempfile` and `urllib` are imported when a file is written, so that importing the
package does not load them.
"""
# ruff: noqa: PLC0415 - see above

import os
import re
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypedDict

from dcvsessions._secrets.tracebacks import errors_without_secrets
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import InvalidArgumentError, InvalidUrlError, OpenError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ConnectionFile", "ConnectionOptions", "remove_file", "write_file"]

_TOKEN = re.compile(r"[^?#]*\?(?:[^#]*?&)?authToken=([^&#]*)", re.IGNORECASE)
_OPTIONS = ("fullscreen", "useallmonitors", "promptreconnect")


class ConnectionOptions(TypedDict, total=False):
    """Options for the viewer, with the names of the connection file.

    Keys:
        fullscreen: Start in full-screen mode. The viewer's default: no.
        useallmonitors: Fill all monitors in full-screen mode. The viewer's default: no.
        promptreconnect: Ask whether to reconnect when the connection ends. The viewer's default:
            yes.
        transport: `websocket` (TCP, the viewer's default) or `quic` (UDP).
        quicport: The UDP port for QUIC. The viewer's default: 8443.
        certificatevalidationpolicy: What to do about a certificate that is not trusted: `strict`
            refuses it, `ask-user` (the viewer's default) asks, `accept-untrusted` accepts it, even
            if it is an attacker's.
    """

    fullscreen: bool
    useallmonitors: bool
    promptreconnect: bool
    transport: Literal["websocket", "quic"]
    quicport: int
    certificatevalidationpolicy: Literal["strict", "ask-user", "accept-untrusted"]


class ConnectionFile:
    """A context manager that writes a `.dcv` file, yields its path and removes the file.

    It works for one `with` or `async with` block. `DcvUrl.connection_file()` makes it.
    """

    def __init__(
        self,
        url: DcvUrl,
        directory: str | os.PathLike[str] | None,
        options: ConnectionOptions,
    ) -> None:
        _require_options(options)
        self._url = url
        self._directory = _checked_directory(directory)
        self._options = options
        self._path: Path | None = None

    def __enter__(self) -> "Path":
        """Write the file.

        Raises:
            InvalidUrlError: The session id or the token is not one line of text.
            OpenError: The file could not be written, or this object was already used for a block.
        """
        # Two tasks with one object would remove each other's file.
        if self._path is not None:
            raise OpenError(
                "A connection file is for one `with` block: call connection_file() for each."
            )
        self._path = write_file(self._url, self._directory, self._options)
        return self._path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the file.

        Raises:
            OpenError: The file could not be removed. It still contains the token.
        """
        if self._path is not None:
            remove_file(self._path)

    # Not in a thread, because handing over 300 bytes takes longer than writing them.
    async def __aenter__(self) -> "Path":
        """Write the file, as the plain `with` does."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the file, as the plain `with` does."""
        self.__exit__(kind, error, traceback)


@errors_without_secrets
def write_file(url: DcvUrl, directory: "Path | None", options: ConnectionOptions) -> "Path":
    """Write a connection file that only its owner can read.

    Raises:
        InvalidUrlError: The session id or the token cannot be written to such a file.
        OpenError: The file could not be written.
    """
    from pathlib import Path
    from tempfile import mkstemp

    _require_lines(url)
    try:
        # It makes the file with mode 0600, and with a name that did not exist before.
        descriptor, name = mkstemp(prefix="desktop-", suffix=".dcv", dir=directory)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise OpenError(f"The connection file cannot be created: {error}.") from error
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(_content(url, options))
    except BaseException as error:
        remove_file(path)
        if isinstance(error, OSError):
            raise OpenError(f"The connection file cannot be written: {error}.") from error
        raise
    return path


def remove_file(path: "Path") -> None:
    """Remove a file, if it is still there.

    Raises:
        OpenError: It could not be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OpenError(
            f"{path} holds a token and could not be removed: {error}. Remove it yourself."
        ) from error


def _checked_directory(directory: str | os.PathLike[str] | None) -> "Path | None":
    from pathlib import Path

    try:
        return None if directory is None else Path(directory)
    except TypeError:
        raise InvalidArgumentError(f"directory={directory!r} is not a path.") from None


def _require_options(options: ConnectionOptions) -> None:
    for name, value in options.items():
        if not _is_allowed(name, value):
            raise InvalidArgumentError(f"{name}={value!r} is not an option of a connection file.")


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


def _require_lines(url: DcvUrl) -> None:
    if not _is_line(url.session_id or "") or not _is_line(_token(url)):
        raise InvalidUrlError(
            "No connection file can be written: its session id or token is not one line of text."
        )
    if _token(url) and not url.session_id:
        raise InvalidUrlError(
            "No connection file can be written: the viewer needs a session id beside the token."
        )


def _is_line(text: str) -> bool:
    """Whether the viewer reads a value as it was written. A line break would start a new value."""
    return text.isprintable() and text == text.strip()


def _token(url: DcvUrl) -> str:
    from urllib.parse import unquote

    match = _TOKEN.match(url)
    # Not unquote_plus, because a plus sign in Base64 is not a space. Bytes that are not UTF-8
    # become surrogates, which _require_lines() refuses.
    return unquote(match[1], errors="surrogateescape") if match else ""


def _content(url: DcvUrl, options: ConnectionOptions) -> str:
    connect: dict[str, object] = {
        "host": url.host,
        # Always written: without them the viewer takes 8443, but https means 443.
        "port": url.port,
        "webport": url.port,
        # The guide's example is `customPath` for host:port/customPath.
        "weburlpath": url.path.removeprefix("/"),
        "sessionid": url.session_id,
        "authtoken": _token(url),
    }
    start = {name: value for name, value in options.items() if name in _OPTIONS}
    connect |= {name: value for name, value in options.items() if name not in _OPTIONS}
    # The viewer refuses a file that does not begin with [version].
    return (
        _group("version", {"format": "1.0"}) + _group("connect", connect) + _group("options", start)
    )


def _group(name: str, values: Mapping[str, object]) -> str:
    lines = [f"{key}={_text(value)}\n" for key, value in values.items() if value not in ("", None)]
    return f"[{name}]\n{''.join(lines)}\n" if lines else ""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
