"""A DCV URL: a `str` whose `repr` hides the token. Pure.

Whoever has the URL can use the desktop. Scripts print it, compare it and pass it to a browser, so
it is a `str`. Its `repr`, which containers, models, notebooks and tracebacks show, leaves the token
out. For the same reason no local variable here holds a part of the URL that may be the token.

Every model with a URL imports this file, so modules that only some methods need are imported there.
The files that open the desktop load `ssl`, `subprocess` and `asyncio`.
"""
# ruff: noqa: PLC0415 - see above

import re
from typing import TYPE_CHECKING, Literal, Self, SupportsIndex, Unpack

from dcvsessions.errors import InvalidUrlError

if TYPE_CHECKING:
    import os
    from datetime import datetime
    from ipaddress import IPv4Address, IPv6Address

    from dcvsessions.dcv._file import ConnectionFile, ConnectionOptions
    from dcvsessions.dcv._opening import Opened

__all__ = ["DcvUrl", "host_and_port"]

# Not urlsplit, which drops line breaks silently, and raises errors with the URL in their frames.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user_info>[^/?#]*)@)?"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*)\]|(?P<name>[^]/?#@:[]*))"
    r"(?::(?P<port>[^]/?#@:[]*))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.DOTALL,
)
_NO_PARTS = dict.fromkeys(_URL.groupindex)
_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")
_DEFAULT_PORTS = {"https": 443, "http": 80, "dcv": 8443}
_TOKEN_PARAMETER = re.compile(r"[?&]authToken=[^&]", re.IGNORECASE)
# DCV allows any text as a session id. Only these are shown, because in a URL of an unpublished form
# the fragment may be the token.
_PLAIN_SESSION_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class DcvUrl(str):  # noqa: SLOT000 - pickle keeps what is in a dictionary
    """The URL of a DCV desktop. Its `repr` leaves out every part that may be a token.

    It compares, hashes, prints and formats like any `str`. Any text is accepted, because AWS does
    not publish what the URLs look like. If the text has no such part, a property is None. Only the
    methods that open the desktop raise an error. A slice is a `DcvUrl` too; `split`, `replace` and
    other methods return a plain `str`.

    The helpers add what the text does not say: `streaming_session_id` and `expires_at`. Copies,
    pickles and `native()` keep both; slices do not. Neither is a secret, and neither takes part in
    comparisons.

    Args:
        text: The URL.
        streaming_session_id: The streaming session that the URL leads to.
        expires_at: When the URL expires.

    Example:
        >>> url = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console")
        >>> url
        DcvUrl('https://203.0.113.1:8443/***#console')
        >>> url.host, url.port, url.session_id
        ('203.0.113.1', 8443, 'console')
    """

    _streaming_session_id: str | None = None
    _expires_at: "datetime | None" = None

    def __new__(
        cls,
        text: str,
        *,
        streaming_session_id: str | None = None,
        expires_at: "datetime | None" = None,
    ) -> Self:
        """Make a URL. `text` is a local variable here, so this package passes no plain text."""
        url = super().__new__(cls, text)
        if streaming_session_id is not None:
            url._streaming_session_id = streaming_session_id
        if expires_at is not None:
            url._expires_at = expires_at
        return url

    def __repr__(self) -> str:
        return f"DcvUrl({self._shown()!r})"

    def __getitem__(self, key: SupportsIndex | slice) -> "DcvUrl":
        # rich cuts long strings before it takes their repr, for example in typer's tracebacks.
        return str.__new__(DcvUrl, super().__getitem__(key))

    @property
    def scheme(self) -> str | None:
        """The scheme in lower case, such as `https`. None for a text that is not a URL."""
        scheme = self._part("scheme")
        return scheme and scheme.lower()

    @property
    def host(self) -> str | None:
        """The host's name or address, without the brackets of IPv6. None if there is no host."""
        return self._part("name") or self._part("ipv6") or None

    @property
    def port(self) -> int | None:
        """The port, or the scheme's default: 443 for `https`, 80 for `http`, 8443 for `dcv`."""
        port = self._part("port")
        if port:
            return int(port) if re.fullmatch("[0-9]{1,5}", port) else None
        return _DEFAULT_PORTS.get(self.scheme or "")

    @property
    def path(self) -> str:
        """The path, as written in the URL; it may be empty, or a server's `web-url-path`."""
        return self._part("path") or ""

    @property
    def session_id(self) -> str | None:
        """The id of the DCV session, percent-decoded. None if the text has no session id."""
        from urllib.parse import unquote

        # Bytes that are not UTF-8 become surrogates, which connection_file() refuses.
        return unquote((self._part("fragment") or "")[1:], errors="surrogateescape") or None

    @property
    def streaming_session_id(self) -> str | None:
        """The streaming session that the URL leads to, and that costs until it is deleted.

        `close_streaming_session()` takes it. It is None for Lightsail, and for a URL that no helper
        returned. It is not the `session_id`, which is the DCV server's name for its session.
        """
        return self._streaming_session_id

    @property
    def expires_at(self) -> "datetime | None":
        """When the URL expires, with a time zone. None if that is not known.

        For Nimble Studio, it is the stream's `expiresAt`. For Lightsail, it is one hour after the
        last reading in which the session was not started yet, because AWS documents that a session
        lasts for one hour. It is None if the session was already started, and for a URL that no
        helper returned.
        """
        return self._expires_at

    @property
    def is_web(self) -> bool:
        """Whether a browser can open it."""
        return self.scheme in ("https", "http")

    def native(self) -> "DcvUrl":
        """Return the `dcv://` form, which the native viewer registers itself for.

        Returns:
            The same host, port, path, token and session. The port is always written, because
            `https` without one means 443, and the viewer would take 8443.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with.

        Example:
            >>> DcvUrl("https://203.0.113.1/?authToken=s3cr3t#console").native()
            DcvUrl('dcv://203.0.113.1:443/***#console')
        """
        self._require_openable()
        return DcvUrl(
            str.__new__(
                DcvUrl, f"dcv://{host_and_port(self)}{self.path or '/'}{self._after_path()}"
            ),
            streaming_session_id=self._streaming_session_id,
            expires_at=self._expires_at,
        )

    def connection_file(
        self,
        directory: "str | os.PathLike[str] | None" = None,
        **options: "Unpack[ConnectionOptions]",
    ) -> "ConnectionFile":
        """Write a `.dcv` file for the native viewer, and remove it at the end of a block.

        Args:
            directory: Where to write the file. Default: the directory for temporary files.
            **options: Options for the viewer, see `ConnectionOptions`.

        Returns:
            A context manager for one `with` or `async with` block. It writes the file, yields its
            path and removes it. Only the owner of the file can read it. It costs one small write.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with. Entering the block
                raises it too, if the session id or the token is not one line of text.
            InvalidArgumentError: The directory is not a path, or an option is not one of
                `ConnectionOptions`.

        Example:
            >>> url = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console")
            >>> with url.connection_file(fullscreen=True) as path:
            ...     path.suffix
            '.dcv'
            >>> path.exists()
            False
        """
        from dcvsessions.dcv._file import ConnectionFile

        self._require_openable()
        return ConnectionFile(self, directory, options)

    def open(self, with_: Literal["browser", "viewer", "auto"] = "auto") -> "Opened":
        """Open the desktop on this machine.

        The viewer gets a connection file, which is removed when the viewer ends, and after 30
        seconds at the latest; a script that ends sooner waits for that. A browser gets the URL as
        an argument, which other users of the machine can see among its processes.

        Args:
            with_: `browser` for a web URL, `viewer` for the native viewer `dcvviewer`, or `auto`,
                the default: a browser for a web URL, the viewer for a `dcv://` one.

        Returns:
            What was started. Whether it shows the desktop is not known.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with.
            InvalidArgumentError: `with_` is not one of the three.
            OpenError: There is no browser or viewer, or it could not be started.

        Cost:
            It starts a process. `webbrowser` may wait up to 5 seconds for a graphical browser, and
            until a text browser ends: in async code, use `await asyncio.to_thread(url.open)`.

        Example:
            >>> DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console").open()
            Opened(with_='browser', program=None)
        """
        from dcvsessions.dcv._opening import open_desktop

        self._require_openable()
        return open_desktop(self, with_)

    async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
        """Wait until the desktop's server can be reached from this machine.

        It tries once a second to resolve the name, to connect, to verify the certificate, and to
        get an HTTP answer below 500. The token is not sent, and no proxy is used.

        Args:
            timeout: Seconds, of the loop's clock. Default: 120. None for no limit.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with.
            InvalidArgumentError: The timeout is not a number above 0.
            UnreachableError: The server was not reached in time; it names the step that failed.

        Example:
            >>> url = DcvUrl("https://127.0.0.1:1/?authToken=s3cr3t#console")
            >>> asyncio.run(url.wait_until_reachable(timeout=0.1))  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            dcvsessions.errors.UnreachableError: The desktop's server 127.0.0.1:1 was not ...
        """
        from dcvsessions.dcv._probe import wait_until_reachable

        self._require_openable()
        await wait_until_reachable(self, timeout)

    def _repr_html_(self) -> str:
        from html import escape

        # Without a link, because a notebook would save it, and the token with it.
        return (
            f"<code>{escape(self._shown())}</code> "
            "(the token is left out, as notebooks save what they show: use <code>.open()</code>)"
        )

    def _part(self, name: str) -> str | None:
        return (_URL.fullmatch(self) or _NO_PARTS)[name]

    def _after_path(self) -> str:
        return f"{self._part('query') or ''}{self._part('fragment') or ''}"

    def _shown(self) -> str:
        if self.scheme not in _DEFAULT_PORTS or not self.port or not _is_host(self.host or ""):
            return "***"
        hidden = "***" if self.path not in ("", "/") or self._after_path() else ""
        session = f"#{self.session_id}" if self._has_plain_session_id() else ""
        return f"{self.scheme}://{host_and_port(self)}/{hidden}{session}"

    def _has_plain_session_id(self) -> bool:
        """Whether the URL has the form that DCV documents, in which the fragment is an id."""
        return (
            _TOKEN_PARAMETER.search(self._part("query") or "") is not None
            and _PLAIN_SESSION_ID.fullmatch(self.session_id or "") is not None
            and f"={self.session_id}&" not in f"{self._part('query')}&"
        )

    def _require_openable(self) -> None:
        if reason := self._refused():
            raise InvalidUrlError(f"The URL cannot be opened: {reason}.")

    def _refused(self) -> str | None:
        host, port = self.host or "", self.port or 0
        checks = (
            (self.isprintable() and " " not in self, "it holds a space or a control character"),
            (self.scheme in _DEFAULT_PORTS, "it is not an https or dcv URL"),
            (self._part("user_info") is None, "it holds a user name or password"),
            (_is_host(host), "its host is missing, or is not a host name in ASCII"),
            (0 < port < 65536, "its port is not from 1 to 65535"),  # noqa: PLR2004 - 16 bits
            (self.scheme != "http" or _is_loopback(host), "http would send the token unencrypted"),
        )
        return next((reason for passed, reason in checks if not passed), None)


def host_and_port(url: DcvUrl) -> str:
    """Write the host and port of a URL, with the brackets of IPv6."""
    return f"[{url.host}]:{url.port}" if ":" in (url.host or "") else f"{url.host}:{url.port}"


def _is_host(text: str) -> bool:
    return _NAME.fullmatch(text) is not None or _address(text) is not None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> "IPv4Address | IPv6Address | None":
    from ipaddress import ip_address

    try:
        return ip_address(text)
    except ValueError:
        return None
