"""Opening a URL: what is started, with what, and what is left of it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
import webbrowser
from pathlib import Path

import pytest

from dcvsessions import open_gui_session
from dcvsessions.dcv import _opening as opening
from dcvsessions.dcv._opening import Opened
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import InvalidArgumentError, OpenError

TOKEN = "TOKENcanary"
WEB = DcvUrl(f"https://203.0.113.1:8443/?authToken={TOKEN}#console")
NATIVE = WEB.native()

# Reads its file once it is told to, or at once, and reports what it saw.
VIEWER = f"""#!{sys.executable}
import configparser, json, os, stat, sys
if "GO" in os.environ:
    open(os.environ["GO"]).read()
path = sys.argv[1]
if os.path.exists(path):
    parser = configparser.RawConfigParser(delimiters="=", strict=True)
    parser.read(path, encoding="utf-8")
    seen = {{name: dict(parser[name]) for name in parser.sections()}}
    seen["mode"] = oct(stat.S_IMODE(os.stat(path).st_mode))
else:
    seen = {{"gone": True}}
with open(os.environ["REPORT"], "w") as report:
    json.dump({{"path": path, "arguments": len(sys.argv) - 1, **seen}}, report)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in for the viewer is a script")


@pytest.fixture
def viewer(tmp_path, monkeypatch):
    """Put a stand-in for `dcvviewer` on PATH."""
    program = tmp_path / "bin" / "dcvviewer"
    program.parent.mkdir()
    program.write_text(VIEWER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("REPORT", str(tmp_path / "report"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return program


def report(tmp_path):
    return json.loads((tmp_path / "report").read_text())


def join(name):
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("url", "with_"),
    [(WEB, "auto"), (WEB, "browser"), (DcvUrl("http://localhost:8080/?authToken=x"), "auto")],
)
def test_a_web_url_opens_in_the_browser(monkeypatch, url, with_):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda given: opened.append(given) or True)
    assert url.open(with_) == Opened("browser")
    assert opened == [url]


def _no_browser(_url):
    return False


def _failing_browser(_url):
    raise webbrowser.Error("could not locate runnable browser")


def _browser_that_cannot_start(url):
    command = ["browser", str(url)]
    raise PermissionError(13, "Permission denied", command[0])


@pytest.mark.parametrize("browser", [_no_browser, _failing_browser, _browser_that_cannot_start])
def test_a_missing_browser_is_reported_with_advice(monkeypatch, browser):
    monkeypatch.setattr(webbrowser, "open", browser)
    with pytest.raises(OpenError, match="BROWSER") as caught:
        WEB.open()
    assert TOKEN not in _rendered_with_locals(caught.value)


def test_an_interrupt_while_the_browser_starts_shows_no_token(monkeypatch):
    def interrupted(url):
        command = ["browser", str(url)]
        raise KeyboardInterrupt(len(command))

    monkeypatch.setattr(webbrowser, "open", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        WEB.open()
    assert TOKEN not in _rendered_with_locals(caught.value)


def test_a_native_url_is_not_given_to_a_browser(monkeypatch):
    monkeypatch.setattr(webbrowser, "open", None)
    with pytest.raises(OpenError, match="with_='viewer'"):
        NATIVE.open("browser")


@pytest.mark.parametrize("with_", ["telnet", "", None, 5, ["viewer"]])
def test_an_unknown_way_to_open_is_refused(with_):
    with pytest.raises(InvalidArgumentError, match=r"with_=.* 'browser', 'viewer', 'auto'"):
        WEB.open(with_)


@posix
@pytest.mark.parametrize(("url", "with_"), [(WEB, "viewer"), (NATIVE, "auto"), (NATIVE, "viewer")])
def test_the_viewer_gets_a_private_file_that_is_then_removed(viewer, tmp_path, url, with_):
    assert url.open(with_) == Opened("viewer", str(viewer))
    join("dcv-viewer-has-ended")
    seen = report(tmp_path)
    assert seen["mode"] == "0o600"
    assert seen["arguments"] == 1
    assert seen["version"] == {"format": "1.0"}
    assert seen["connect"]["authtoken"] == TOKEN
    assert not Path(seen["path"]).exists()
    join("dcv-viewer-has-read")
    assert list(tmp_path.glob("*.dcv")) == []


@posix
def test_a_viewer_that_stays_open_does_not_keep_the_file(viewer, tmp_path, monkeypatch):
    go = tmp_path / "go"
    os.mkfifo(go)
    monkeypatch.setenv("GO", str(go))
    monkeypatch.setattr(opening, "_READ_WITHIN", 0.01)
    WEB.open("viewer")
    join("dcv-viewer-has-read")
    assert list(tmp_path.glob("*.dcv")) == []
    go.write_text("")  # it lives until here
    join("dcv-viewer-has-ended")
    assert report(tmp_path)["gone"]


@posix
def test_a_script_that_ends_at_once_waits_until_the_viewer_read_its_file(viewer, tmp_path):
    script = (
        "import tempfile; from dcvsessions.dcv._url import DcvUrl;"
        f"tempfile.tempdir = {str(tmp_path)!r}; DcvUrl({str(WEB)!r}).open('viewer')"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)
    assert report(tmp_path)["connect"]["authtoken"] == TOKEN
    assert list(tmp_path.glob("*.dcv")) == []


def test_a_missing_viewer_is_reported_with_advice(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(opening, "_USUAL_PLACES", {})
    with pytest.raises(OpenError, match="install it from") as caught:
        WEB.open("viewer")
    assert TOKEN not in _rendered_with_locals(caught.value)


@posix
def test_the_viewer_is_also_found_where_its_installer_puts_it(viewer, tmp_path, monkeypatch):
    elsewhere = tmp_path / "DCV Viewer.app"
    viewer.rename(elsewhere)
    monkeypatch.setattr(opening, "_USUAL_PLACES", {sys.platform: ["/nowhere", str(elsewhere)]})
    assert WEB.open("viewer").program == str(elsewhere)
    join("dcv-viewer-has-ended")
    assert report(tmp_path)["connect"]["host"] == "203.0.113.1"


@posix
def test_a_viewer_that_cannot_start_leaves_no_file(viewer, tmp_path):
    viewer.write_text("#!/nowhere/python\n")
    with pytest.raises(OpenError, match="could not be started") as caught:
        WEB.open("viewer")
    assert TOKEN not in _rendered_with_locals(caught.value)
    assert list(tmp_path.glob("*.dcv")) == []


CHROMIUM = shutil.which("chromium")


@posix
@pytest.mark.skipif(
    CHROMIUM is None, reason="LEFT OUT: url.open() in a real browser, as chromium is not installed"
)
async def test_a_real_browser_shows_the_desktop(sim, tmp_path, monkeypatch):
    page = tmp_path / "page"
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!/bin/sh\nexec '{CHROMIUM}' --headless --no-sandbox --disable-gpu --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        f"--user-data-dir='{tmp_path}/profile' --dump-dom \"$1\" >'{page}' 2>/dev/null\n"
    )
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setattr(webbrowser, "_browsers", {})
    monkeypatch.setattr(webbrowser, "_tryorder", None)  # so that BROWSER is read anew
    sim.lightsail.add_instance("ready-computer", status="started")
    url = await open_gui_session("ready-computer")
    await url.wait_until_reachable(timeout=10)

    assert await asyncio.to_thread(url.open) == Opened("browser")
    shown = page.read_text()
    assert "ready-computer" in shown
    assert url.session_id in shown


def _rendered_with_locals(error):
    """Render an error and its chain as a handler that shows locals would."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(shown.format())
