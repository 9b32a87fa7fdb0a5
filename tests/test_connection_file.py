"""The file for the viewer: valid, private, and gone after use."""

import asyncio
import configparser
import os
import stat
import traceback
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import InvalidArgumentError, InvalidUrlError, OpenError

TOKEN = "TOKENcanary"
URL = DcvUrl(f"https://203.0.113.1/desk?authToken={TOKEN}%2B+%3D#console")

lines = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
hosts = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{2,5})?", fullmatch=True)


def read(path):
    """Read a file by the rules of the guide: no quotes, no escapes, case-sensitive names."""
    parser = configparser.RawConfigParser(
        delimiters="=", comment_prefixes=None, empty_lines_in_values=False, strict=True
    )
    parser.optionxform = str
    parser.read_string(path.read_text("utf-8"))
    return {name: dict(parser[name]) for name in parser.sections()}


def made(token, session_id, host="h"):
    return DcvUrl(f"https://{host}:1/?authToken={quote(token, safe='')}#{quote(session_id)}")


def test_a_connection_file_has_all_parts_of_the_url():
    with URL.connection_file() as path:
        assert path.read_text("utf-8") == (
            "[version]\nformat=1.0\n\n"
            "[connect]\nhost=203.0.113.1\nport=443\nwebport=443\nweburlpath=desk\n"
            f"sessionid=console\nauthtoken={TOKEN}++=\n\n"
        )


@settings(deadline=None)  # a disk has no deadline
@given(hosts, lines, lines, st.sampled_from([":8443", ":443", ":1", ""]), st.booleans())
def test_a_connection_file_reads_back_as_written(host, token, session_id, port, native):
    scheme = "dcv" if native else "https"
    query = f"a=1&authToken={quote(token, safe='')}&authToken=other"
    url = DcvUrl(f"{scheme}://{host}{port}/?{query}#{quote(session_id, safe='')}")
    with url.connection_file() as path:
        found = read(path)
    number = port[1:] or {"dcv": "8443", "https": "443"}[scheme]
    assert list(found) == ["version", "connect"]
    assert found["connect"] == {
        "host": host,
        "port": number,
        "webport": number,
        "sessionid": session_id,
        "authtoken": token,
    }


@settings(deadline=None)  # a disk has no deadline
@given(
    st.text(st.characters(codec="utf-8")),
    st.sampled_from(["\n", "\r", "\x00", "\x0b", "\x85", "\u2028", "\x1b", "\u202e"]),
    st.text(st.characters(codec="utf-8")),
    st.booleans(),
)
def test_control_characters_do_not_get_into_a_connection_file(before, hostile, after, in_token):
    text = f"{before}{hostile}{after}"
    url = made(text, "console") if in_token else made("token", text)
    with pytest.raises(InvalidUrlError), url.connection_file():
        pass


@pytest.mark.parametrize(
    "url",
    [
        DcvUrl("https://h/?authToken=%0Acertificatevalidationpolicy=accept-untrusted#s"),
        DcvUrl("https://h/?authToken=x#s%0D%0A[options]"),
        DcvUrl("https://h/?authToken=%FF#s"),
        DcvUrl("https://h/?authToken=x#%FF"),
        DcvUrl("https://h/?authToken=%20x#s"),
        DcvUrl("https://h/?authToken=x#s%20"),
        DcvUrl(f"https://h/?authToken={TOKEN}"),
    ],
)
def test_values_that_the_viewer_would_misread_are_refused(url, tmp_path):
    with pytest.raises(InvalidUrlError), url.connection_file(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_url_without_a_token_makes_a_file_without_one():
    with DcvUrl("https://h/#console").connection_file() as path:
        assert "authtoken" not in read(path)["connect"]
    with DcvUrl("https://h/#a?authToken=x").connection_file() as path:
        assert "authtoken" not in read(path)["connect"]


def test_options_are_written_to_their_groups():
    with URL.connection_file(
        fullscreen=True,
        useallmonitors=False,
        promptreconnect=False,
        transport="quic",
        quicport=8443,
        certificatevalidationpolicy="strict",
    ) as path:
        found = read(path)
    assert found["options"] == {
        "fullscreen": "true",
        "useallmonitors": "false",
        "promptreconnect": "false",
    }
    assert (
        found["connect"].items()
        >= {
            "transport": "quic",
            "quicport": "8443",
            "certificatevalidationpolicy": "strict",
        }.items()
    )


def test_untrusted_certificates_are_accepted_only_on_request():
    with URL.connection_file() as path:
        assert "certificate" not in path.read_text()
    with URL.connection_file(certificatevalidationpolicy="accept-untrusted") as path:
        assert "certificatevalidationpolicy=accept-untrusted\n" in path.read_text()


@pytest.mark.parametrize(
    "options",
    [
        {"fullscreen": 1},
        {"transport": "quic\nuser=x"},
        {"certificatevalidationpolicy": "none"},
        {"quicport": True},
        {"quicport": 0},
        {"user": "x"},
        {"host": "other"},
    ],
)
def test_unknown_options_are_refused(options, tmp_path):
    with pytest.raises(InvalidArgumentError), URL.connection_file(tmp_path, **options):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_only_the_owner_can_ever_read_a_connection_file(tmp_path, monkeypatch):
    modes = []
    fdopen = os.fdopen

    def spied(descriptor, *args, **kwargs):
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))  # before a byte is in it
        return fdopen(descriptor, *args, **kwargs)

    monkeypatch.setattr(os, "fdopen", spied)
    before = os.umask(0)
    try:
        with URL.connection_file(tmp_path) as path:
            modes.append(stat.S_IMODE(path.stat().st_mode))
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]


def test_a_connection_file_is_removed_when_its_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), URL.connection_file(tmp_path) as path:
        _fail_if_there(path, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_connection_file_works_in_async_with(tmp_path):
    async with URL.connection_file(tmp_path) as path:
        assert path.exists()
    assert not path.exists()


def test_a_connection_file_may_be_removed_within_its_block(tmp_path):
    with URL.connection_file(tmp_path) as path:
        path.unlink()


def test_each_call_of_connection_file_writes_another_file(tmp_path):
    with URL.connection_file(tmp_path) as first, URL.connection_file(tmp_path) as second:
        assert first != second
    assert list(tmp_path.iterdir()) == []


def test_a_connection_file_is_for_one_block(tmp_path):
    file = URL.connection_file(tmp_path)
    with file as path:
        with pytest.raises(OpenError, match="call connection_file"), file:
            pass
        assert path.exists()
    with pytest.raises(OpenError, match="call connection_file"), file:
        pass
    assert list(tmp_path.iterdir()) == []


async def test_no_task_removes_the_connection_file_of_another(tmp_path):
    file, is_in, may_end = URL.connection_file(tmp_path), asyncio.Event(), asyncio.Event()

    async def hold():
        async with file as path:
            is_in.set()
            await may_end.wait()
            return path.exists()

    first = asyncio.create_task(hold())
    await is_in.wait()
    with pytest.raises(OpenError):
        await hold()
    may_end.set()
    assert await first
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("directory", [5, b"bytes", ["a"], True, object()])
def test_a_directory_that_is_not_a_path_is_refused(directory):
    with pytest.raises(InvalidArgumentError, match="directory="):
        URL.connection_file(directory)


def test_a_directory_with_a_nul_character_is_an_open_error():
    with pytest.raises(OpenError, match="cannot be created"), URL.connection_file("a\0b"):
        pass


def test_a_missing_directory_is_an_open_error(tmp_path):
    with (
        pytest.raises(OpenError, match="cannot be created"),
        URL.connection_file(tmp_path / "none"),
    ):
        pass


def test_a_full_disk_leaves_no_file_and_no_token(tmp_path, monkeypatch):
    def full(descriptor, *_args, **_kwargs):
        os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OpenError, match="No space left") as caught, URL.connection_file(tmp_path):
        pass
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TOKEN not in "".join(shown.format())
    assert list(tmp_path.iterdir()) == []


def test_a_connection_file_that_cannot_be_removed_is_reported(tmp_path, monkeypatch):
    def held(_path, **_kwargs):
        raise PermissionError(13, "in use")

    file = URL.connection_file(tmp_path)
    path = file.__enter__()
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.unlink", held)
        with pytest.raises(OpenError, match="holds a token"):
            file.__exit__(None, None, None)
    path.unlink()


def _fail_if_there(path, directory):
    assert (path.parent, path.suffix, path.is_file()) == (directory, ".dcv", True)
    raise ZeroDivisionError
