"""Progress for people: what a wait reports, and ready ways to show it.

Every wait takes `on_progress`, any callable that takes a `Progress`. Two are ready: `printer`
writes a line per change, `bar` draws with `rich`.
"""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from attrs import frozen

from dcvsessions.errors import ExtraNotInstalledError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Progress", "bar", "printer"]


@frozen
class Progress:
    """What a wait saw when it looked at a resource.

    It holds no URL and no token: it may be printed, logged and kept.

    Attributes:
        resource: What is waited on, as `GUI session of my-computer`.
        state: Its state, in the service's word.
        percentage: How far it is, 0 to 100, or None if the service does not say.
        elapsed: Seconds since the wait began.
        attempt: Which look at the resource this is, from 1.
    """

    resource: str
    state: str
    percentage: int | None
    elapsed: float
    attempt: int


def printer(stream: TextIO | None = None) -> "Callable[[Progress], None]":
    """Make an `on_progress` that writes a line whenever a state or percentage changes.

    One printer can serve many waits: it tells them apart by their resource.

    Args:
        stream: Where to write. Default: `sys.stderr`, as it is when a line is written.

    Returns:
        A callable for `on_progress`. Each line costs one write and one flush.

    Example:
        >>> on_progress = printer(sys.stdout)
        >>> on_progress(Progress("GUI session of lab", "starting", 40, elapsed=12.0, attempt=3))
        GUI session of lab: starting, 40 % (12 s)
    """
    shown: dict[str, tuple[str, int | None]] = {}

    def on_progress(event: Progress) -> None:
        now = (event.state, event.percentage)
        if shown.get(event.resource) != now:
            shown[event.resource] = now
            print(f"{event.resource}: {_line(event)}", file=stream or sys.stderr, flush=True)

    return on_progress


@contextmanager
def bar(console: "Console | None" = None) -> "Generator[Callable[[Progress], None], None, None]":
    """Draw a bar per desktop while the block runs, in a terminal or a notebook.

    A bar pulses until the service reports a percentage. One `bar` can serve many waits at once.
    In a notebook, `rich` asks for `ipywidgets` to redraw in place.

    Args:
        console: The `rich` console to draw on. Default: a new one on `sys.stderr`.

    Yields:
        A callable for `on_progress`.

    Raises:
        ExtraNotInstalledError: `rich` is not installed; it is in the extra `dcvsessions[rich]`.

    Example:
        >>> with bar() as on_progress:
        ...     on_progress(Progress("GUI session of lab", "starting", 40, elapsed=12.0, attempt=3))
    """
    with _rich_progress(console) as drawing:
        tasks: dict[str, TaskID] = {}

        def on_progress(event: Progress) -> None:
            if event.resource not in tasks:
                tasks[event.resource] = drawing.add_task(event.resource, total=None, line="")
            _draw(drawing, tasks[event.resource], event)

        yield on_progress


def _line(event: Progress) -> str:
    percentage = "" if event.percentage is None else f", {event.percentage} %"
    return f"{event.state}{percentage} ({event.elapsed:.0f} s)"


def _draw(drawing: "RichProgress", task: "TaskID", event: Progress) -> None:
    # A task without a total pulses. It gets one with the first percentage: None changes nothing.
    total = None if event.percentage is None else 100
    drawing.update(task, line=_line(event), total=total, completed=event.percentage)


def _rich_progress(console: "Console | None") -> "RichProgress":
    try:
        from rich import console as consoles  # noqa: PLC0415 - rich is an extra
        from rich import progress as drawings  # noqa: PLC0415 - rich is an extra
    except ImportError as error:
        raise ExtraNotInstalledError(
            "A progress bar needs rich: pip install 'dcvsessions[rich]'."
        ) from error
    return drawings.Progress(
        # What the service says is text, and never rich's markup.
        drawings.TextColumn("{task.description}", markup=False),
        drawings.BarColumn(),
        drawings.TextColumn("{task.fields[line]}", markup=False),
        console=console or consoles.Console(stderr=True),
    )
