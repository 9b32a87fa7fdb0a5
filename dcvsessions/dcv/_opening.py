"""Starts a browser or the native DCV viewer on this machine.

`shutil`, `subprocess` and `webbrowser` are imported when a desktop is opened, so that importing the
package does not load them.
"""
# ruff: noqa: PLC0415 - see above

import sys
from threading import Thread, Timer
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from dcvsessions._arguments import checked_choice
from dcvsessions._secrets.tracebacks import errors_without_secrets
from dcvsessions.dcv._file import remove_file, write_file
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import OpenError

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

__all__ = ["Opened", "check_program", "open_desktop"]

# Where the installers put the viewer, if it is not on PATH. The platform's own opener is not used:
# if no viewer is registered for .dcv files, it may show the file, with its token, in an editor.
_USUAL_PLACES = {
    "darwin": ["/Applications/DCV Viewer.app/Contents/MacOS/dcvviewer"],
    "linux": ["/usr/bin/dcvviewer"],
    "win32": [
        r"C:\Program Files\NICE\DCV\Client\bin\dcvviewer.exe",
        r"C:\Program Files (x86)\NICE\DCV\Client\bin\dcvviewer.exe",
    ],
}
# Seconds after its start in which the viewer reads its file. This is our assumption.
_READ_WITHIN = 30.0


@frozen
class Opened:
    """What `DcvUrl.open()` started.

    Attributes:
        with_: `browser` or `viewer`.
        program: The path of the viewer. None for a browser, because `webbrowser` chooses it.
    """

    with_: Literal["browser", "viewer"]
    program: str | None = None


def open_desktop(url: DcvUrl, with_: Literal["browser", "viewer", "auto"]) -> Opened:
    """Open a URL that was checked. See `DcvUrl.open()`."""
    checked_choice(with_, "with_", ("browser", "viewer", "auto"))
    if with_ == "viewer" or (with_ == "auto" and not url.is_web):
        return _open_viewer(url)
    if not url.is_web:
        raise OpenError("A browser cannot open a dcv:// URL: use with_='viewer'.")
    return _open_browser(url)


def check_program(with_: Literal["browser", "viewer", "auto"]) -> None:
    """Raise `OpenError` if this machine has no program that `open_desktop` could start."""
    if with_ == "viewer":
        _installed_viewer()
    elif not _has_browser() and (with_ == "browser" or _viewer() is None):
        raise _no_browser()


def _open_browser(url: DcvUrl) -> Opened:
    if not _browser_opens(url):
        raise _no_browser()
    return Opened("browser")


def _no_browser() -> OpenError:
    return OpenError(
        "No browser could be started: name one in the environment variable BROWSER, "
        "or use print(url) and open it elsewhere."
    )


def _has_browser() -> bool:
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


@errors_without_secrets  # webbrowser holds the URL as plain text, and may be interrupted
def _browser_opens(url: DcvUrl) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except (OSError, webbrowser.Error):
        return False


def _open_viewer(url: DcvUrl) -> Opened:
    program = _installed_viewer()
    path = write_file(url, None, {})
    try:
        process = _start(program, path)
    except BaseException as error:
        remove_file(path)
        if isinstance(error, OSError):
            raise OpenError(f"{program} could not be started: {error}.") from error
        raise
    _remove_later(path, process)
    return Opened("viewer", program)


def _installed_viewer() -> str:
    program = _viewer()
    if program is None:
        raise OpenError(
            "The DCV viewer is not on PATH, nor where its installers put it: install it from "
            "https://www.amazondcv.com, or use with_='browser'."
        )
    return program


def _viewer() -> str | None:
    from shutil import which

    candidates = ["dcvviewer", *_USUAL_PLACES.get(sys.platform, [])]
    return next(filter(None, map(which, candidates)), None)


def _start(program: str, path: "Path") -> "subprocess.Popen[bytes]":
    import subprocess

    return subprocess.Popen(  # noqa: S603 - the program is the viewer, its argument our own file
        [program, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is not for the desktop
    )


def _remove_later(path: "Path", process: "subprocess.Popen[bytes]") -> None:
    """Remove the file when the viewer ends, or after 30 seconds, whichever comes first.

    When the interpreter exits, it waits for the timer but not for the daemon thread. So a script
    waits 30 seconds at most, even if the viewer stays open.
    """
    timer = Timer(_READ_WITHIN, remove_file, [path])
    timer.name = "dcv-viewer-has-read"
    timer.start()
    Thread(
        name="dcv-viewer-has-ended",
        target=_remove_at_end,
        args=(path, process, timer),
        daemon=True,
    ).start()


def _remove_at_end(path: "Path", process: "subprocess.Popen[bytes]", timer: Timer) -> None:
    process.wait()
    timer.cancel()
    remove_file(path)
