"""A DCV URL is a string whose token shows only where the user puts it."""

import copy
import io
import json
import pickle
import pprint
import reprlib
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dcvsessions.dcv._url
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import InvalidUrlError

TOKEN = "TOKENcanary"
URL = f"https://203.0.113.1:8443/?authToken={TOKEN}#console"

labels = st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=4).map(".".join)
addresses = st.ip_addresses().map(str)
hosts = names | addresses
ports = st.none() | st.integers(1, 65535)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def written(host, port, token, session_id, *, scheme="https", path="/"):
    authority = f"[{host}]" if ":" in host else host
    authority += "" if port is None else f":{port}"
    query = f"authToken={quote(token, safe='')}"
    return DcvUrl(f"{scheme}://{authority}{path}?{query}#{quote(session_id, safe='')}")


@given(st.text(st.characters()))
@example("\ud800")
@example(URL)
def test_a_url_keeps_any_text_unchanged(text):
    url = DcvUrl(text)
    assert url == text
    assert hash(url) == hash(text)
    assert str(url) == f"{url}" == f"{url:s}" == text
    assert type(str(url)) is str


@given(st.text(st.characters()))
def test_every_property_works_on_any_text(text):
    url = DcvUrl(text)
    assert repr(url)
    assert url._repr_html_()
    assert url.path in text
    assert (url.host or "") in text
    assert url.port is None or url.port >= 0
    assert url.is_web is (url.scheme in {"https", "http"})
    assert url.session_id is None or "#" in text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_url_can_be_pickled(protocol):
    again = pickle.loads(pickle.dumps(DcvUrl(URL), protocol))  # noqa: S301
    assert (type(again), again) == (DcvUrl, URL)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_url_can_be_copied(duplicate):
    again = duplicate([DcvUrl(URL)])[0]
    assert (type(again), again) == (DcvUrl, URL)


EXPIRY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OPENED = DcvUrl(URL, streaming_session_id="ss-1", expires_at=EXPIRY)


def told(url):
    return (type(url), url.streaming_session_id, url.expires_at)


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        *(
            lambda url, protocol=protocol: pickle.loads(pickle.dumps(url, protocol))  # noqa: S301
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
def test_a_duplicate_keeps_what_the_text_does_not_say(duplicate):
    (again,) = duplicate([OPENED])
    assert again == URL
    assert told(again) == (DcvUrl, "ss-1", EXPIRY)


def test_the_native_form_keeps_what_the_text_does_not_say():
    assert told(OPENED.native()) == (DcvUrl, "ss-1", EXPIRY)
    assert told(OPENED.native().native()) == (DcvUrl, "ss-1", EXPIRY)


@pytest.mark.parametrize("part", [slice(None), slice(5), 0])
def test_a_slice_does_not_lead_to_the_session(part):
    assert told(OPENED[part]) == (DcvUrl, None, None)


@given(st.text(st.characters()))
def test_the_text_does_not_say_the_session_or_the_expiry(text):
    assert told(DcvUrl(text)) == (DcvUrl, None, None)


def test_what_the_text_does_not_say_changes_nothing_else():
    plain = DcvUrl(URL)
    assert plain == OPENED == URL
    assert hash(plain) == hash(OPENED) == hash(URL)
    assert repr(plain) == repr(OPENED)
    assert plain._repr_html_() == OPENED._repr_html_()


@pytest.mark.parametrize("name", ["streaming_session_id", "expires_at"])
def test_what_the_text_does_not_say_cannot_be_set(name):
    with pytest.raises(AttributeError):
        setattr(OPENED, name, None)


@given(hosts, ports, texts, texts, st.sampled_from(["https", "dcv", "HTTPS"]))
def test_properties_return_the_parts_of_a_url(host, port, token, session_id, scheme):
    url = written(host, port, token, session_id, scheme=scheme)
    assert url.host == host
    assert url.port == (port or {"https": 443, "dcv": 8443}[scheme.lower()])
    assert url.session_id == session_id
    assert url.path == "/"
    assert url.scheme == scheme.lower()
    assert url.is_web is (scheme.lower() == "https")


@given(hosts, ports, texts, st.sampled_from(["https", "dcv"]), st.sampled_from(["", "/a/b"]))
def test_the_native_form_leads_to_the_same_desktop(host, port, text, scheme, path):
    url = written(host, port, text, text, scheme=scheme, path=path)
    native = url.native()
    assert native.startswith("dcv://")
    assert (native.host, native.port, native.session_id) == (host, url.port, text)
    assert native.path == (path or "/")
    assert native.partition("?")[2] == url.partition("?")[2]
    assert native.native() == native


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (URL, "https://203.0.113.1:8443/***#console"),
        (f"https://h/?authToken={TOKEN}", "https://h:443/***"),
        (f"dcv://h/?authToken={TOKEN}#console", "dcv://h:8443/***#console"),
        (f"https://[2001:db8::1]/?authToken={TOKEN}#a", "https://[2001:db8::1]:443/***#a"),
        ("https://h:8443/", "https://h:8443/"),
        # Forms that nobody has published: the token may be anywhere.
        (f"https://h/{TOKEN}", "https://h:443/***"),
        (f"https://h/?{TOKEN}", "https://h:443/***"),
        (f"https://h/#{TOKEN}", "https://h:443/***"),
        (f"https://h/?x=1#{TOKEN}", "https://h:443/***"),
        (f"https://h/?authToken={TOKEN}#{TOKEN}", "https://h:443/***"),
        (f"https://h/?authToken=a#x?token={TOKEN}", "https://h:443/***"),
        (f"https://h/?notauthToken=x#{TOKEN}", "https://h:443/***"),
        (f"https://h/?x=authToken=x#{TOKEN}", "https://h:443/***"),
        (f"https://h/?authToken#{TOKEN}", "https://h:443/***"),
        (f"https://h/?authToken=#{TOKEN}", "https://h:443/***"),
        (f"https://h/?a=1&AUTHTOKEN={TOKEN}#console", "https://h:443/***#console"),
        (f"https://user:{TOKEN}@h/", "https://h:443/"),
        (f"https://{TOKEN} x/", "***"),
        (f"{TOKEN}://h/", "***"),
        (f"https://h:{TOKEN}/", "***"),
        (TOKEN, "***"),
        ("", "***"),
    ],
)
def test_repr_hides_all_that_may_be_a_token(text, shown):
    assert repr(DcvUrl(text)) == f"DcvUrl({shown!r})"


@given(
    st.text(st.characters(exclude_characters="#")),
    st.sampled_from(["/", "/?", "/?a=", "/?authToken=", "/#", "/?authToken=a#/"]),
)
def test_repr_hides_a_token_at_any_place(noise, before):
    url = DcvUrl(f"https://h{before}{noise}{TOKEN}")
    assert TOKEN not in repr(url) + url._repr_html_()


@pytest.mark.parametrize(
    "render",
    [
        repr,
        ascii,
        "{!r}".format,
        "%r".__mod__,
        reprlib.repr,
        pprint.pformat,
        lambda url: repr([{"url": (url,)}]),
        lambda url: repr(url[:200]),
        lambda url: repr(KeyError(url)),
        DcvUrl._repr_html_,
    ],
)
def test_renderings_made_of_reprs_hide_the_token(render):
    assert TOKEN not in render(DcvUrl(URL))


def test_tracebacks_drawn_by_rich_hide_the_token():
    from rich.console import Console  # noqa: PLC0415
    from rich.traceback import Traceback  # noqa: PLC0415

    url = DcvUrl(URL + "x" * 200)  # long enough to be cut
    console = Console(file=io.StringIO(), width=300)
    try:
        _fail_with(url)
    except ZeroDivisionError:
        console.print(Traceback(show_locals=True))
    text = console.file.getvalue()
    assert "DcvUrl(" in text
    assert TOKEN not in text


def _fail_with(url):
    return len(url) / 0


def test_a_notebook_shows_a_url_without_its_token():
    html = DcvUrl(f"https://h:8443/?authToken={TOKEN}#<b>")._repr_html_()
    assert "https://h:8443/***" in html
    assert "<b>" not in html


def test_text_operations_return_the_whole_url():
    url = DcvUrl(URL)
    assert json.loads(json.dumps({"url": url})) == {"url": URL}
    assert "to " + url == f"to {URL}"
    assert url[:5] == "https"


REFUSED = [
    "",
    "nonsense",
    "https://",
    "https:///desk",
    f"https://?authToken={TOKEN}",
    f"http://203.0.113.1/?authToken={TOKEN}",
    f"http://localhost.example.com/?authToken={TOKEN}",
    f"ftp://h/?authToken={TOKEN}",
    f"file:///?authToken={TOKEN}",
    f"javascript://h/%0a{TOKEN}",
    f"--https://h/?authToken={TOKEN}",
    f"https://-h/?authToken={TOKEN}",
    f"https://a.-h/?authToken={TOKEN}",
    f"https://a..b/?authToken={TOKEN}",
    f"https://user@h/?authToken={TOKEN}",
    f"https://user:{TOKEN}@h/",
    f"https://good.example\\@h/?authToken={TOKEN}",
    f"https://h\\x/?authToken={TOKEN}",
    f"https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/?authToken={TOKEN}",
    f"https://h:0/?authToken={TOKEN}",
    f"https://h:65536/?authToken={TOKEN}",
    f"https://h:x/?authToken={TOKEN}",
    f"https://h:{'9' * 5000}/?authToken={TOKEN}",
    f"https://h:\N{ARABIC-INDIC DIGIT EIGHT}/?authToken={TOKEN}",
    f"https://[::1/?authToken={TOKEN}",
    f"https://[h]/?authToken={TOKEN}",
    f"https://[:::]/?authToken={TOKEN}",
    f"https://[fe80::1%25eth0]/?authToken={TOKEN}",
    f"https://{'a' * 254}/?authToken={TOKEN}",
    f"https://h/?authToken={TOKEN}\n",
    f"https://h/\r\n?authToken={TOKEN}",
    f"https://h/?authToken={TOKEN}\x00",
    f"https://h/?authToken={TOKEN}\x7f",
    f"https://h/?authToken={TOKEN}\N{LINE SEPARATOR}",
    f"https://h/?authToken={TOKEN}\N{RIGHT-TO-LEFT OVERRIDE}",
    f"https://h/?authToken={TOKEN} --flag",
    f" https://h/?authToken={TOKEN}",
    f"https://h/?authToken={TOKEN}\ud800",
]


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize(
    "use",
    [
        DcvUrl.native,
        DcvUrl.connection_file,
        DcvUrl.open,
        lambda url: url.wait_until_reachable().send(None),
    ],
    ids=["native", "connection_file", "open", "wait_until_reachable"],
)
def test_an_invalid_url_is_refused_without_repeating_it(text, use):
    with pytest.raises(InvalidUrlError) as caught:
        use(DcvUrl(text))
    assert TOKEN not in _rendered_with_locals(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        URL,
        "https://h",
        "https://h?authToken=x",
        "https://h.example.com.:8443/a/b?x=%zz&y#%ff",
        "https://h:/?authToken=x",
        "HTTPS://H/",
        "dcv://h/",
        "http://localhost:8080/?authToken=x#s",
        "http://127.9.9.9/",
        "http://[::1]:8080/",
        "https://ip-10-0-0-1_x.example/",
        "https://h/?authToken=\N{GREEK SMALL LETTER ALPHA}",
    ],
)
def test_an_unusual_url_can_be_opened(text):
    assert DcvUrl(text).native().startswith("dcv://")


@given(st.text(st.characters(codec="utf-8")))
def test_a_url_with_a_line_break_is_refused(noise):
    for text in (
        f"https://h/{noise}\n?x",
        f"https://h/?{noise}\r",
        f"https://h/#{noise}\N{NEXT LINE}",
    ):
        with pytest.raises(InvalidUrlError):
            DcvUrl(text).native()


def test_importing_the_dcv_package_loads_no_machinery():
    # The package above it loads asyncio, which loads the rest; here it has no code.
    code = (
        "import sys, types\n"
        "above = types.ModuleType('dcvsessions')\n"
        f"above.__path__ = [{str(Path(dcvsessions.__file__).parent)!r}]\n"
        "sys.modules['dcvsessions'] = above\n"
        "import dcvsessions.dcv\n"
        "print(dcvsessions.dcv.Opened('browser'))\n"
        "print({'asyncio', 'ssl', 'subprocess', 'webbrowser'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["Opened(with_='browser', program=None)", "set()"]


def test_the_names_that_signatures_show_are_public():
    assert dcvsessions.dcv.__all__ == sorted(dcvsessions.dcv.__all__)
    assert {*dcvsessions.dcv.__all__} == {"ConnectionFile", "ConnectionOptions", "DcvUrl", "Opened"}


def _rendered_with_locals(error):
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [*shown.stack]
    # The first frames are the test's own, which has the token in plain text.
    ours = [
        frame
        for frame in frames
        if frame.filename.startswith(str(Path(dcvsessions.__file__).parent))
    ]
    assert ours
    chain = (error, error.__cause__, error.__context__)
    return f"{[frame.locals for frame in ours]} {chain!r} {error} {getattr(error, '__notes__', '')}"
