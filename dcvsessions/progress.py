"""The progress of a wait, and two ways to show it.

Every helper has an argument `on_progress`, which is any callable that takes a `Progress`.
`printer()` makes one that writes a line per change, and `bar()` one that draws bars with `rich`.
"""

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["BatchProgress", "Progress", "bar", "printer"]

# Seconds after which the printer says that a wait still goes on. Polls are up to 30 s apart, and up
# to a tenth sooner, so there is a line about every 30 s.
_STILL_AFTER = 25.0


@frozen(kw_only=True)
class BatchProgress:
    """How far a call for many desktops has come.

    Attributes:
        number: The number of the call. All events of one call have it, and no other call of the
            process has it.
        name: What the call opens or closes, such as `GUI sessions`.
        total: How many desktops there are.
        done: How many of them succeeded so far.
        failed: How many of them failed so far.
    """

    number: int
    name: str
    total: int
    done: int = 0
    failed: int = 0


@frozen(kw_only=True)
class Progress:
    """What a wait read, the error that it got instead, or the change that it requested.

    It holds no URL and no token, so you can print, log and keep it. `str()` returns one line of
    text, the same that `printer()` writes and that the logger `dcvsessions` gets at INFO.

    Attributes:
        wait: The number of the wait. All events of one wait have it, and no other wait of the
            process has it.
        desktop: A name for the desktop, such as `GUI session of my-computer`. It stays the same
            during the wait. Two waits can have the same name, for example two creates in one
            studio.
        resource: What was read. A wait can go from one resource to the next, for example from a
            streaming session to its stream.
        state: The state of the resource, as the service names it. None before the first reading
            that succeeded.
        percentage: How much is done, 0 to 100. None if the service does not say.
        elapsed: Seconds since the wait began.
        attempt: How often the wait has read this resource, from 1.
        error: The error of this reading, if it failed and the wait goes on. `state` and
            `percentage` are then those of the last reading that succeeded. In a call for many
            desktops, the last event of a desktop that failed has the error that ended its wait.
        step: The change that the wait has just requested, such as `StartGUISession`. The event is
            then not about a reading, and the rest of it is that of the last reading. Otherwise
            None.
        is_done: Whether the wait succeeded with this reading. It is then the wait's last event,
            unless the machine slept meanwhile and the resource had to be read again.
        batch: How far the call has come, if it is for many desktops. Otherwise None.
    """

    wait: int
    desktop: str
    resource: str
    state: str | None
    percentage: int | None = None
    elapsed: float
    attempt: int
    error: str | None = None
    step: str | None = None
    is_done: bool = False
    batch: BatchProgress | None = None

    def __str__(self) -> str:
        return f"{self.resource}: {_line(self)}"


def printer(stream: IO[str] | None = None) -> "Callable[[Progress], None]":
    """Make an `on_progress` that writes a line whenever a state, percentage or error changes.

    It also writes a line for each change that a wait requests, and about every 30 seconds one that
    says that the wait still goes on. One printer can serve many waits: it tells them apart.

    Args:
        stream: Where to write. Default: `sys.stderr`, looked up for each line.

    Returns:
        A callable for `on_progress`. Each line costs one write and one flush.

    Example:
        >>> on_progress = printer(sys.stdout)
        >>> event = Progress(
        ...     wait=1,
        ...     desktop="GUI session of lab",
        ...     resource="GUI session of lab",
        ...     state="starting",
        ...     percentage=40,
        ...     elapsed=12.0,
        ...     attempt=3,
        ... )
        >>> on_progress(event)
        GUI session of lab: starting, 40 % (12 s)
    """
    shown: dict[int, Progress] = {}

    def on_progress(event: Progress) -> None:
        if text := _printed(event, shown.get(event.wait)):
            shown[event.wait] = event
            print(text, file=stream or sys.stderr, flush=True)
        if event.is_done:
            del shown[event.wait]

    return on_progress


def is_news(event: Progress, last: Progress) -> bool:
    """Whether an event says more than the event before it, besides the time."""
    return event.step is not None or _said(event) != _said(last)


@contextmanager
def bar(console: "Console | None" = None) -> "Generator[Callable[[Progress], None], None, None]":
    """Draw a bar per wait while the block runs, in a terminal or a notebook.

    A bar pulses until the service reports a percentage, and is full when the desktop is ready. One
    `bar` can serve many waits at once. A call for many desktops has one bar for all of them. In a
    notebook, `rich` needs `ipywidgets` to redraw a bar. Without it, `bar` writes lines as
    `printer()` does.

    Args:
        console: The `rich` console to draw on. Default: a new one on `sys.stderr`.

    Yields:
        A callable for `on_progress`.

    Raises:
        ImportError: `rich` is not installed; it is in the extra `dcvsessions[rich]`.

    Example:
        >>> event = Progress(
        ...     wait=1,
        ...     desktop="GUI session of lab",
        ...     resource="GUI session of lab",
        ...     state="starting",
        ...     elapsed=12.0,
        ...     attempt=3,
        ... )
        >>> with bar() as on_progress:
        ...     on_progress(event)
    """
    drawing = _rich_progress(console)
    if drawing.console.is_jupyter and find_spec("ipywidgets") is None:
        yield printer(drawing.console.file)
        return
    with drawing:
        tasks: dict[tuple[str, int], TaskID] = {}

        def on_progress(event: Progress) -> None:
            key = ("wait", event.wait) if event.batch is None else ("batch", event.batch.number)
            if key not in tasks:
                name = event.desktop if event.batch is None else event.batch.name
                tasks[key] = drawing.add_task(name, total=None, line="")
            if event.batch is None:
                _draw(drawing, tasks[key], event)
            else:
                _draw_batch(drawing, tasks[key], event.batch)

        yield on_progress


def _printed(event: Progress, last: Progress | None) -> str:
    """Return the line for an event after the last one that was printed. It can be empty."""
    if last is None or is_news(event, last):
        return str(event)
    if event.elapsed - last.elapsed < _STILL_AFTER:
        return ""
    return f"{event.resource}: still {_line(event)}" if event.state else str(event)


def _said(event: Progress) -> tuple[object, ...]:
    return (event.resource, event.state, event.percentage, event.error)


def _line(event: Progress) -> str:
    percentage = None if event.percentage is None else f"{event.percentage} %"
    step = None if event.step is None else f"{event.step} was sent"
    error = None if event.error is None else f"error: {event.error}"
    parts = filter(None, [event.state, percentage, step, error])
    return f"{', '.join(parts)} ({event.elapsed:.0f} s)"


def _draw(drawing: "RichProgress", task: "TaskID", event: Progress) -> None:
    completed = 100 if event.is_done else event.percentage
    # A task without a total pulses. update() ignores None, so the first percentage sets the total.
    total = None if completed is None else 100
    drawing.update(task, line=_line(event), total=total, completed=completed)


def _draw_batch(drawing: "RichProgress", task: "TaskID", batch: BatchProgress) -> None:
    failed = f", {batch.failed} failed" if batch.failed else ""
    drawing.update(
        task,
        line=f"{batch.done} of {batch.total} done{failed}",
        total=batch.total,
        completed=batch.done + batch.failed,
    )


def _rich_progress(console: "Console | None") -> "RichProgress":
    try:
        from rich import console as consoles  # noqa: PLC0415 - rich is an extra
        from rich import progress as drawings  # noqa: PLC0415 - rich is an extra
    except ImportError as error:
        raise ImportError(
            "A progress bar needs rich: pip install 'dcvsessions[rich]'.", name="rich"
        ) from error
    return drawings.Progress(
        # The service's words are plain text, not rich's markup.
        drawings.TextColumn("{task.description}", markup=False),
        drawings.BarColumn(),
        drawings.TextColumn("{task.fields[line]}", markup=False),
        # rich prints above the bar what the block prints to a terminal. It should not break long
        # lines, such as URLs, and it should not take what the block prints to a file.
        console=console or consoles.Console(stderr=True, soft_wrap=True),
        redirect_stdout=sys.stdout.isatty() if sys.stdout else False,
    )
