"""What the command writes: results to standard output, everything else to standard error."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.util import find_spec

from attrs import frozen

from dcvsessions._command.text import exit_status, in_shell_words
from dcvsessions._wait.listener import OnProgress
from dcvsessions.errors import DcvSessionsError, LeftBehind
from dcvsessions.progress import bar, printer

__all__ = ["Output"]


@frozen(kw_only=True)
class Output:
    """The command's output.

    Attributes:
        is_json: Whether results and errors are written as JSON to standard output.
        is_quiet: Whether progress and notes are left out.
        is_verbose: Whether log lines are written in place of the progress.
    """

    is_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False

    def result(self, text: str, data: object) -> None:
        """Write the result: the text, unless it is empty, or the data as a line of JSON."""
        shown = json.dumps(data) if self.is_json else text
        if shown and sys.stdout is not None:
            # Not every encoding has every character of a service's text.
            encoding = sys.stdout.encoding or "utf-8"
            writable = shown.encode(encoding, "backslashreplace").decode(encoding)
            print(writable, flush=True)  # noqa: T201 - the result of the command

    def note(self, text: str) -> None:
        """Write a note, unless `is_quiet` is set."""
        if not self.is_quiet:
            _say(text)

    def error(self, error: DcvSessionsError) -> None:
        """Write an error."""
        # Without what is left behind: a log line has already named it.
        message = Exception.__str__(error)
        self._failure(error, type(error).__name__, message, exit_status(error))

    def interrupted(self, error: asyncio.CancelledError, status: int) -> None:
        """Write that the user or a signal has ended the command."""
        self._failure(error, "Interrupted", "Interrupted.", status)

    @staticmethod
    def unwritable(error: OSError) -> None:
        """Say that standard output cannot be written, unless its reader has ended, like `head`."""
        if not isinstance(error, BrokenPipeError):
            _say(f"dcvsessions: {error}")
        # Otherwise, the interpreter would fail again when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _failure(self, error: BaseException, kind: str, message: str, status: int) -> None:
        left: LeftBehind | None = getattr(error, "left_behind", None)
        notes = [
            in_shell_words(note)
            for note in getattr(error, "__notes__", ())
            # The line should be short, and a log line has already named what is left behind.
            if not note.startswith("While waiting for ") and note != str(left)
        ]
        message = in_shell_words(message)
        for text in (message, *notes):
            _say(f"dcvsessions: {text}")
        if self.is_json:
            data = {
                "type": kind,
                "message": message,
                "notes": notes,
                "exit_status": status,
                "left_behind": left
                and {"session_id": left.session_id, "client_token": left.client_token},
            }
            self.result("", {"error": data})

    @contextmanager
    def logging(self) -> Generator[None, None, None]:
        """Write the package's warnings during a block; if verbose, what it does as well."""
        logger = logging.getLogger("dcvsessions")
        handler = _Lines()
        before = logger.level
        if self.is_verbose:
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            logger.setLevel(logging.INFO)
        else:
            handler.setFormatter(logging.Formatter("dcvsessions: %(message)s"))
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)

    @contextmanager
    def progress(self) -> Generator[OnProgress | None, None, None]:
        """Show the progress of a wait: a bar on a terminal if `rich` is there, otherwise lines."""
        if self.is_quiet or self.is_verbose or sys.stderr is None:
            yield None
            return
        if sys.stderr.isatty() and find_spec("rich"):
            with bar() as on_progress:
                yield on_progress
        else:
            yield printer()


class _Lines(logging.Handler):
    """Writes log records to standard error, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(in_shell_words(self.format(record)))


def _say(text: str) -> None:
    # A process can be started without standard error, or lose it with its terminal.
    if sys.stderr is not None:
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - for the terminal
