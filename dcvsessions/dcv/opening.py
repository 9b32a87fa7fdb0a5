"""Starting a browser or the native DCV viewer on this machine."""

import shutil
import subprocess
import sys
import webbrowser
from threading import Thread, Timer
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from dcvsessions._secrets.tracebacks import errors_without_secrets
from dcvsessions.dcv import file as connection_file
from dcvsessions.errors import InvalidArgumentError, LauncherNotFoundError, OpenError

if TYPE_CHECKING:
    from pathlib import Path

    from dcvsessions.dcv.url import DcvUrl

__all__ = ["Opened", "launch"]

# Where the installers put it, when they do not put it on PATH. The platform's own opener is not
# asked: where no viewer is registered for .dcv, it shows the file, token and all, in an editor.
_USUAL_PLACES = {
    "darwin": ["/Applications/DCV Viewer.app/Contents/MacOS/dcvviewer"],
    "linux": ["/usr/bin/dcvviewer"],
    "win32": [
        r"C:\Program Files\NICE\DCV\Client\bin\dcvviewer.exe",
        r"C:\Program Files (x86)\NICE\DCV\Client\bin\dcvviewer.exe",
    ],
}
# Seconds within which a viewer that starts has read its file.
_READ_WITHIN = 30.0


@frozen
class Opened:
    """What `DcvUrl.open()` did.

    Attributes:
        with_: `browser` or `viewer`.
        program: The viewer's program; None for a browser, which `webbrowser` chose.
    """

    with_: Literal["browser", "viewer"]
    program: str | None = None


def launch(url: "DcvUrl", with_: Literal["browser", "viewer", "auto"]) -> Opened:
    """Open a URL that was found to be openable. See `DcvUrl.open()`."""
    if with_ not in ("browser", "viewer", "auto"):
        raise InvalidArgumentError(f"with_={with_!r} is not 'browser', 'viewer' or 'auto'.")
    if with_ == "viewer" or (with_ == "auto" and not url.is_web):
        return _open_viewer(url)
    if not url.is_web:
        raise OpenError("A browser cannot open a dcv:// URL: use with_='viewer'.")
    return _open_browser(url)


def _open_browser(url: "DcvUrl") -> Opened:
    if not _browsed(url):
        raise LauncherNotFoundError(
            "No browser could be started: name one in the environment variable BROWSER, "
            "or print the URL and open it elsewhere."
        )
    return Opened("browser")


@errors_without_secrets  # it may wait for the browser, and be interrupted with the plain URL in its frames
def _browsed(url: "DcvUrl") -> bool:
    try:
        return webbrowser.open(url)
    except (OSError, webbrowser.Error):
        return False


def _open_viewer(url: "DcvUrl") -> Opened:
    program = _viewer()
    if program is None:
        raise LauncherNotFoundError(
            "The DCV viewer is not on PATH, nor where its installers put it: install it from "
            "https://www.amazondcv.com, or use with_='browser'."
        )
    path = connection_file.write(url, None, {})
    try:
        process = _start(program, path)
    except BaseException as error:
        connection_file.remove(path)
        if isinstance(error, OSError):
            raise OpenError(f"{program} could not be started: {error}.") from error
        raise
    _remove_later(path, process)
    return Opened("viewer", program)


def _viewer() -> str | None:
    candidates = ["dcvviewer", *_USUAL_PLACES.get(sys.platform, [])]
    return next(filter(None, map(shutil.which, candidates)), None)


def _start(program: str, path: "Path") -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the program is the viewer, its argument our own file
        [program, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is not for the desktop
    )


def _remove_later(path: "Path", process: subprocess.Popen[bytes]) -> None:
    """Remove the file when the viewer has ended, or has had the time to read it.

    The interpreter waits at its exit for the timer, but not for the thread, and so for a viewer
    that stays open just as long as the file may be needed.
    """
    timer = Timer(_READ_WITHIN, connection_file.remove, [path])
    timer.name = "dcv-viewer-has-read"
    timer.start()
    Thread(
        name="dcv-viewer-has-ended",
        target=_remove_at_end,
        args=(path, process, timer),
        daemon=True,
    ).start()


def _remove_at_end(path: "Path", process: subprocess.Popen[bytes], timer: Timer) -> None:
    process.wait()
    timer.cancel()
    connection_file.remove(path)
