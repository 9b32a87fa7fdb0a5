"""A DCV URL: a bearer secret that looks like a string.

Whoever has the URL has the desktop. A script still wants to print it, compare it and hand it to a
browser, so it is a `str`. What shows up without being asked for (`repr`, and with it tracebacks
with locals, containers, models and notebooks) leaves the token out.

What keeps a part of a URL in a local variable of another type lets no error out with its frames: a
traceback that is rendered with its locals would show the token.
"""

import re
from html import escape
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, SupportsIndex, Unpack
from urllib.parse import unquote

from dcvsessions._secrets.tracebacks import errors_without_secrets
from dcvsessions.dcv import opening
from dcvsessions.dcv import probe
from dcvsessions.dcv.file import ConnectionFile, ConnectionOptions
from dcvsessions.errors import InvalidUrlError

if TYPE_CHECKING:
    import os
    from ipaddress import IPv4Address, IPv6Address

__all__ = ["DcvUrl"]

# Unlike urlsplit it cannot fail, with the URL in its frame, and it drops no line break unseen.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user_info>[^/?#]*)@)?"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*)\]|(?P<name>[^]/?#@:[]*))"
    r"(?::(?P<port>[^]/?#@:[]*))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?",
    re.DOTALL,
)
_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")
_DEFAULT_PORTS = {"https": 443, "http": 80, "dcv": 8443}
# Session ids are free text, and so might be a token in a URL of a form that nobody has published.
_PLAIN_SESSION_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class DcvUrl(str):
    """The URL of a DCV desktop. Its `repr` leaves out all that may be a token.

    Equal to, hashing as, printing and formatting as its text. Any text will do: no URL of these
    services is published, so what is not understood is kept as it is, the properties then say
    None, and only the methods that open the desktop refuse it. Slices hide their text too;
    `split`, `replace` and the like return a plain `str`.

    Example:
        >>> url = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console")
        >>> url
        DcvUrl('https://203.0.113.1:8443/***#console')
        >>> url.host, url.port, url.session_id
        ('203.0.113.1', 8443, 'console')
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"DcvUrl({self._shown()!r})"

    def __getitem__(self, key: SupportsIndex | slice) -> "DcvUrl":
        # rich cuts long strings before it takes their repr: typer's tracebacks show locals so.
        return DcvUrl(super().__getitem__(key))

    @property
    def scheme(self) -> str | None:
        """The scheme in lower case, as `https`; None for a text that is no URL."""
        scheme = self._part("scheme")
        return scheme and scheme.lower()

    @property
    def host(self) -> str | None:
        """The host's name or address, without the brackets of IPv6; None if there is none."""
        return self._part("name") or self._part("ipv6") or None

    @property
    def port(self) -> int | None:
        """The port, or the scheme's own if the URL names none (443, 80, and 8443 for `dcv`)."""
        port = self._part("port")
        if port:
            return int(port) if re.fullmatch("[0-9]{1,5}", port) else None
        return _DEFAULT_PORTS.get(self.scheme or "")

    @property
    def path(self) -> str:
        """The path as it stands in the URL; it may be empty, or a server's `web-url-path`."""
        return self._part("path") or ""

    @property
    def session_id(self) -> str | None:
        """The id of the DCV session, percent-decoded; None if the URL names none."""
        # Bytes that are no UTF-8 survive as surrogates, and are refused where they would be used.
        return unquote((self._part("fragment") or "")[1:], errors="surrogateescape") or None

    @property
    def is_web(self) -> bool:
        """Whether a browser opens it, rather than the native viewer."""
        return self.scheme in ("https", "http")

    def native(self) -> "DcvUrl":
        """Turn it into the `dcv://` form, which the native viewer registers itself for.

        Returns:
            The same host, port, path, token and session. The port is always written: 443, where
            `https` leaves it out, is not the viewer's default of 8443.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with.

        Example:
            >>> DcvUrl("https://203.0.113.1/?authToken=s3cr3t#console").native()
            DcvUrl('dcv://203.0.113.1:443/***#console')
        """
        self._require_openable()
        return DcvUrl(f"dcv://{self._server()}{self.path or '/'}{self._after_path()}")

    def connection_file(
        self,
        directory: "str | os.PathLike[str] | None" = None,
        **options: Unpack[ConnectionOptions],
    ) -> ConnectionFile:
        """Write a `.dcv` file for the native viewer, for the time of a block.

        Args:
            directory: Where to write it. Default: the directory for temporary files.
            **options: What else to tell the viewer, see `ConnectionOptions`.

        Returns:
            A context manager, plain and async, that writes the file, yields its path and removes
            it. Only its owner can read the file. It costs one small write.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with. Entering the block
                raises it too, for a session id or token that is not one line of text.

        Example:
            >>> url = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console")
            >>> with url.connection_file(fullscreen=True) as path:
            ...     path.suffix
            '.dcv'
            >>> path.exists()
            False
        """
        self._require_openable()
        return ConnectionFile(self, directory, options)

    def open(self, with_: Literal["browser", "viewer", "auto"] = "auto") -> opening.Opened:
        """Open the desktop on this machine.

        The viewer gets a connection file, which is removed when the viewer ends, and after 30
        seconds at the latest; a script that ends sooner waits for that. A browser gets the URL as
        an argument, which other users of the machine can see among its processes.

        Args:
            with_: `browser` for a web URL, `viewer` for the native client `dcvviewer`, or `auto`,
                the default: a browser for a web URL, the viewer for a `dcv://` one.

        Returns:
            What was started. It has been started, and no more is known of it.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with.
            LauncherNotFoundError: There is no browser or viewer.
            OpenError: It could not be started.

        Cost:
            It starts a process. `webbrowser` may wait up to 5 seconds for a graphical browser, and
            for a text browser until it ends: in a busy loop, use `asyncio.to_thread(url.open)`.

        Example:
            >>> DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console").open()
            Opened(with_='browser', program=None)
        """
        self._require_openable()
        return opening.launch(self, with_)

    async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
        """Wait until the desktop's server can be reached from this machine.

        It tries once a second to resolve the name, to connect, to verify the certificate, and to
        get an HTTP answer below 500. The token is not sent, and no proxy is used.

        Args:
            timeout: Seconds, of the loop's clock. Default: 120. None for no limit.

        Raises:
            InvalidUrlError: It is not a URL that a desktop can be opened with.
            InvalidArgumentError: The timeout is not above 0.
            UnreachableError: The server was not reached in time; it names the step that failed.

        Example:
            >>> url = DcvUrl("https://127.0.0.1:1/?authToken=s3cr3t#console")
            >>> asyncio.run(url.wait_until_reachable(timeout=0.1))  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            dcvsessions.errors.UnreachableError: The desktop's server 127.0.0.1:1 was not ...
        """
        self._require_openable()
        await probe.wait(self._server(), timeout, probe.connect)

    def _repr_html_(self) -> str:
        # A notebook keeps what it has shown: a link that works would be saved with its token.
        return (
            f"<code>{escape(self._shown())}</code> "
            "(the token is left out, as notebooks save what they show: use <code>.open()</code>)"
        )

    @errors_without_secrets
    def _part(self, name: str) -> str | None:
        match = _URL.fullmatch(self)
        return match[name] if match else None

    def _after_path(self) -> str:
        return f"{self._part('query') or ''}{self._part('fragment') or ''}"

    def _server(self) -> probe.Server:
        return probe.Server(self.host or "", self.port or 0, tls=self.scheme != "http")

    def _shown(self) -> str:
        if self.scheme not in _DEFAULT_PORTS or not self.port or not _is_host(self.host or ""):
            return "***"
        hidden = "***" if self.path not in ("", "/") or self._after_path() else ""
        session = f"#{self.session_id}" if self._has_plain_session_id() else ""
        return f"{self.scheme}://{self._server()}/{hidden}{session}"

    @errors_without_secrets
    def _has_plain_session_id(self) -> bool:
        """Whether this is the published form, in which the fragment is an id and no token."""
        query, session_id = self._part("query") or "", self.session_id or ""
        return (
            "authtoken=" in query.lower()
            and f"={session_id}&" not in f"{query}&"
            and _PLAIN_SESSION_ID.fullmatch(session_id) is not None
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
            (0 < port < 65536, "its port is not a port"),  # noqa: PLR2004 - 16 bits
            (self.scheme != "http" or _is_loopback(host), "http would send the token in the open"),
        )
        return next((reason for passed, reason in checks if not passed), None)


def _is_host(text: str) -> bool:
    return _NAME.fullmatch(text) is not None or _address(text) is not None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> "IPv4Address | IPv6Address | None":
    try:
        return ip_address(text)
    except ValueError:
        return None
