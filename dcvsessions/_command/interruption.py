"""What Ctrl-C, a signal to end, and Enter do to the command."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

__all__ = ["Interruption"]

# SIGHUP is sent when the terminal is closed. Windows has no SIGHUP.
_SIGNALS = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None
]
_ENTER = b"\n"


class Interruption:
    """Ends the work of the current task: cleanly at the first signal, at once at the second.

    By itself, Python cleans up only after Ctrl-C: SIGTERM and SIGHUP end the process at once. On
    Windows, asyncio's own handling of Ctrl-C stays in force.

    Args:
        say: Called with a text for the user.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._task = asyncio.current_task()
        self._signal: int = signal.SIGINT
        self._requests = 0

    @property
    def exit_status(self) -> int:
        """The exit status by which a shell knows the signal."""
        return 128 + self._signal

    @contextmanager
    def handled(self) -> Generator[None, None, None]:
        """Handle the signals during a block, except those that the parent process ignores."""
        loop = asyncio.get_running_loop()
        handled: list[int] = []
        for number in _SIGNALS:
            # On Windows, and outside the main thread, a loop cannot handle signals.
            with suppress(NotImplementedError, RuntimeError):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    loop.add_signal_handler(number, self._interrupt, number)
                    handled.append(number)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    async def stay(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work until it ends, or until Enter or the first signal, which are not errors here."""
        _call_at_enter(self._end)
        try:
            await work
        except asyncio.CancelledError:
            if self._task is not None:
                self._task.uncancel()

    def _interrupt(self, number: int) -> None:
        if self._requests == 0:
            self._signal = number
        self._end()

    def _end(self) -> None:
        self._requests += 1
        if self._requests == 1 and self._task is not None:
            self._say("Cleaning up. Press Ctrl-C to end at once.")
            self._task.cancel()
        else:
            # The clean-up runs in a task of the helper, which cancelling its caller does not end.
            for task in asyncio.all_tasks():
                task.cancel()


def _call_at_enter(call: Callable[[], None]) -> None:
    """Call a function in this loop when a line comes from standard input.

    The thread reads past Python's buffer: at exit, the interpreter would wait for the buffer's
    lock. The end of the input does nothing: a background process reads it at once.
    """
    if not _may_read():
        return
    _forget_typed()
    loop = asyncio.get_running_loop()

    def read() -> None:
        # Standard input may be closed, or the loop, if the work has ended otherwise.
        with suppress(OSError, RuntimeError):
            while received := os.read(0, 1024):
                if _ENTER in received:
                    loop.call_soon_threadsafe(call)
                    return

    Thread(target=read, name="dcvsessions-enter", daemon=True).start()


def _may_read() -> bool:
    """Whether there is an input that this process may read.

    A shell stops a process in the background that reads from the terminal. If standard input is
    closed, its number can belong to another file.
    """
    if sys.stdin is None:
        return False
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (AttributeError, OSError):  # Windows, or not a terminal
        return True


def _forget_typed() -> None:
    """Forget what was typed into a terminal before, because that Enter was not meant to end it."""
    try:
        import termios  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    with suppress(termios.error):  # not a terminal
        termios.tcflush(0, termios.TCIFLUSH)
