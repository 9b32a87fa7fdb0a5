"""Why a URL is refused, and what is shown of one in a notebook."""

import asyncio
from pathlib import Path

import pytest

from dcvsessions.dcv._url import DcvUrl, host_and_port
from dcvsessions.errors import InvalidUrlError, UnreachableError

NOT_PLAIN = "it holds a space or a control character"
NO_URL = "it is not an https or dcv URL"
USER_INFO = "it holds a user name or password"
NO_HOST = "its host is missing, or is not a host name in ASCII"
NO_PORT = "its port is not from 1 to 65535"
UNENCRYPTED = "http would send the token unencrypted"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://h/ x", NOT_PLAIN),
        ("https://h/\n", NOT_PLAIN),
        ("", NO_URL),
        ("nonsense", NO_URL),
        ("ftp://h/", NO_URL),
        ("https://user@h/", USER_INFO),
        ("https://user:password@h/", USER_INFO),
        ("https://@h/", USER_INFO),
        ("https:///desk", NO_HOST),
        ("https://-h/", NO_HOST),
        ("https://[::g]/", NO_URL),
        ("https://[:::]/", NO_HOST),
        ("https://h:0/", NO_PORT),
        ("https://h:65536/", NO_PORT),
        ("https://h:x/", NO_PORT),
        ("https://h:123456/", NO_PORT),
        ("http://h/", UNENCRYPTED),
        ("http://192.0.2.1/", UNENCRYPTED),
        ("http://localhost.example/", UNENCRYPTED),
        ("http://[2001:db8::1]/", UNENCRYPTED),
        # The first reason is told.
        ("http://user@-h:0/ ", NOT_PLAIN),
        ("ftp://user@-h:0/", NO_URL),
        ("http://user@-h:0/", USER_INFO),
        ("http://-h:0/", NO_HOST),
        ("http://h:0/", NO_PORT),
    ],
)
@pytest.mark.parametrize("use", [DcvUrl.native, DcvUrl.open, DcvUrl.connection_file])
def test_the_reason_of_a_refusal_is_told(text: str, reason: str, use) -> None:
    with pytest.raises(InvalidUrlError) as caught:
        use(DcvUrl(text))
    assert str(caught.value) == f"The URL cannot be opened: {reason}."


@pytest.mark.looptime
async def test_a_server_is_waited_for_two_minutes_by_default(unused_tcp_port: int) -> None:
    with pytest.raises(UnreachableError):
        await DcvUrl(f"https://127.0.0.1:{unused_tcp_port}/").wait_until_reachable()
    assert asyncio.get_running_loop().time() == pytest.approx(120, abs=0.5)


def test_a_connection_file_is_written_where_the_caller_says(tmp_path: Path) -> None:
    url = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console")
    with url.connection_file(tmp_path, fullscreen=True) as path:
        assert path.parent == tmp_path


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("https://h:1/", "dcv://h:1/"),
        ("https://h:65535", "dcv://h:65535/"),
        ("https://h", "dcv://h:443/"),
        ("dcv://h", "dcv://h:8443/"),
        ("http://localhost/", "dcv://localhost:80/"),
        ("http://LOCALHOST/", "dcv://LOCALHOST:80/"),
        ("http://127.1.2.3/", "dcv://127.1.2.3:80/"),
        ("https://[2001:db8::1]/a?b#c", "dcv://[2001:db8::1]:443/a?b#c"),
        ("https://h?b", "dcv://h:443/?b"),
    ],
)
def test_the_native_form_is_written_out(text: str, native: str) -> None:
    assert DcvUrl(text).native() == native
    assert isinstance(DcvUrl(text).native(), DcvUrl)


@pytest.mark.parametrize(
    ("text", "written"),
    [("https://h/", "h:443"), ("https://[::1]:8443/", "[::1]:8443"), ("https:///", "None:443")],
)
def test_a_host_and_port_are_written(text: str, written: str) -> None:
    assert host_and_port(DcvUrl(text)) == written


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("https://h:8443/a", ("https", "h", 8443, "/a", None)),
        ("HTTP://h", ("http", "h", 80, "", None)),
        ("ftp://h/", ("ftp", "h", None, "/", None)),
        ("https://h:123456/", ("https", "h", None, "/", None)),
        ("https://h:/", ("https", "h", 443, "/", None)),
        ("https://h/#a%20b", ("https", "h", 443, "/", "a b")),
        ("https://h/#%ff", ("https", "h", 443, "/", "\udcff")),
        ("https://h/#", ("https", "h", 443, "/", None)),
        ("nonsense", (None, None, None, "", None)),
    ],
)
def test_the_parts_of_a_url(text: str, parts: tuple[object, ...]) -> None:
    url = DcvUrl(text)
    assert (url.scheme, url.host, url.port, url.path, url.session_id) == parts


@pytest.mark.parametrize(
    ("text", "is_web"),
    [("https://h/", True), ("HTTP://h/", True), ("dcv://h/", False), ("nonsense", False)],
)
def test_a_browser_opens_http_and_https(text: str, *, is_web: bool) -> None:
    assert DcvUrl(text).is_web is is_web


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/", "https://h:443/"),
        ("https://h", "https://h:443/"),
        ("https://h/#", "https://h:443/***"),
        ("https://h/a", "https://h:443/***"),
        ("https://h/?", "https://h:443/***"),
        ("https://h:0/", "***"),
        ("https:///", "***"),
        ("ftp://h:21/", "***"),
        # A session id that is the token, or a part of the query, is not shown.
        ("https://h/?authToken=abc#abc", "https://h:443/***"),
        ("https://h/?x=abc&authToken=t#abc", "https://h:443/***"),
        ("https://h/?x=abcd&authToken=t#abc", "https://h:443/***#abc"),
        ("https://h/?authToken=t#a b", "https://h:443/***"),
        (f"https://h/?authToken=t#{'a' * 128}", f"https://h:443/***#{'a' * 128}"),
        (f"https://h/?authToken=t#{'a' * 129}", "https://h:443/***"),
    ],
)
def test_what_is_shown_of_a_url(text: str, shown: str) -> None:
    url = DcvUrl(text)
    assert repr(url) == f"DcvUrl({shown!r})"
    assert url._repr_html_() == (
        f"<code>{shown}</code> "
        "(the token is left out, as notebooks save what they show: use <code>.open()</code>)"
    )
