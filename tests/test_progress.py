"""What people see of a wait."""

import io
import sys
import types
import warnings
from importlib.machinery import ModuleSpec

import pytest
from attrs import evolve
from rich.console import Console

from dcvsessions.progress import BatchProgress, Progress, bar, printer

EVENT = Progress(
    wait=1,
    desktop="GUI session of lab",
    resource="GUI session of lab",
    state="starting",
    elapsed=0.0,
    attempt=1,
)
# A streaming session, as a wait for it goes from one resource to the next.
CREATING = evolve(
    EVENT,
    desktop="streaming session in studio-1",
    resource="streaming session in studio-1",
    state="CREATE_IN_PROGRESS",
)
STREAM = evolve(CREATING, resource="stream st-1 of ss-1", state="READY", elapsed=9.0)


def printed(*events):
    stream = io.StringIO()
    on_progress = printer(stream)
    for event in events:
        on_progress(event)
    return stream.getvalue().splitlines()


def test_the_printer_writes_a_line_for_each_change():
    assert printed(
        EVENT,
        evolve(EVENT, elapsed=2.0, attempt=2),
        evolve(EVENT, percentage=40, elapsed=4.4, attempt=3),
        evolve(EVENT, percentage=40, elapsed=6.0, attempt=4),
        evolve(EVENT, state="started", percentage=100, elapsed=9.6, attempt=5, is_done=True),
    ) == [
        "GUI session of lab: starting (0 s)",
        "GUI session of lab: starting, 40 % (4 s)",
        "GUI session of lab: started, 100 % (10 s)",
    ]


def test_the_printer_writes_a_line_for_each_resource_of_a_wait():
    assert printed(CREATING, STREAM) == [
        "streaming session in studio-1: CREATE_IN_PROGRESS (0 s)",
        "stream st-1 of ss-1: READY (9 s)",
    ]


def test_the_printer_writes_an_absorbed_error():
    error = "GetInstance: ServiceUnavailable (HTTP 503)"
    assert printed(
        evolve(EVENT, state=None, error=error),
        evolve(EVENT, percentage=40, elapsed=2.0, attempt=2),
        evolve(EVENT, percentage=40, elapsed=4.0, attempt=3, error=error),
    ) == [
        f"GUI session of lab: error: {error} (0 s)",
        "GUI session of lab: starting, 40 % (2 s)",
        f"GUI session of lab: starting, 40 %, error: {error} (4 s)",
    ]


def test_the_printer_tells_two_creates_in_one_studio_apart():
    other = evolve(CREATING, wait=2)
    assert printed(CREATING, other, CREATING, other) == [
        "streaming session in studio-1: CREATE_IN_PROGRESS (0 s)",
        "streaming session in studio-1: CREATE_IN_PROGRESS (0 s)",
    ]


def test_the_printer_says_about_every_30_seconds_that_the_wait_goes_on():
    polls = [evolve(EVENT, percentage=40, elapsed=9.6 * number) for number in range(8)]
    assert printed(*polls) == [
        "GUI session of lab: starting, 40 % (0 s)",
        "GUI session of lab: still starting, 40 % (29 s)",
        "GUI session of lab: still starting, 40 % (58 s)",
    ]


def test_the_printer_writes_a_line_for_each_poll_that_comes_after_30_seconds():
    # An interval of 30 s is made shorter by up to a tenth.
    polls = [evolve(EVENT, elapsed=elapsed) for elapsed in (0.0, 27.0, 54.2)]
    assert printed(*polls) == [
        "GUI session of lab: starting (0 s)",
        "GUI session of lab: still starting (27 s)",
        "GUI session of lab: still starting (54 s)",
    ]


def test_the_printer_says_only_after_a_while_that_a_changed_state_is_still_the_same():
    assert printed(
        EVENT,
        evolve(EVENT, percentage=40, elapsed=20.0),
        evolve(EVENT, percentage=40, elapsed=44.9),
        evolve(EVENT, percentage=40, elapsed=45.0),
    ) == [
        "GUI session of lab: starting (0 s)",
        "GUI session of lab: starting, 40 % (20 s)",
        "GUI session of lab: still starting, 40 % (45 s)",
    ]


def test_the_printer_repeats_an_error_before_the_first_reading_as_it_is():
    failing = evolve(EVENT, state=None, error="no")
    assert printed(failing, evolve(failing, elapsed=30.0)) == [
        "GUI session of lab: error: no (0 s)",
        "GUI session of lab: error: no (30 s)",
    ]


def test_the_printer_forgets_a_wait_that_is_done_even_if_nothing_changed():
    assert printed(EVENT, evolve(EVENT, is_done=True), EVENT) == [
        "GUI session of lab: starting (0 s)",
        "GUI session of lab: starting (0 s)",
    ]


def test_the_printer_writes_each_change_that_a_wait_requests():
    stopped = evolve(EVENT, state="stopped")
    step = evolve(stopped, step="StartGUISession", elapsed=0.4)
    assert printed(stopped, step, step, evolve(stopped, elapsed=2.0)) == [
        "GUI session of lab: stopped (0 s)",
        "GUI session of lab: stopped, StartGUISession was sent (0 s)",
        "GUI session of lab: stopped, StartGUISession was sent (0 s)",
    ]


def test_the_text_of_an_event_is_the_line_of_the_printer():
    event = evolve(EVENT, percentage=40, error="no")
    assert printed(event) == [str(event)] == ["GUI session of lab: starting, 40 %, error: no (0 s)"]


def test_the_printer_writes_to_the_standard_error_of_the_moment(capsys):
    printer()(EVENT)
    assert capsys.readouterr() == ("", "GUI session of lab: starting (0 s)\n")


def test_the_printer_flushes_each_line():
    # A pipe or a file would otherwise show a wait of minutes only at its end.
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    printer(stream)(EVENT)
    assert stream.buffer.getvalue() == b"GUI session of lab: starting (0 s)\n"


def in_a_notebook(*events):
    """What bar() writes in a notebook."""
    stream = io.StringIO()
    with bar(Console(file=stream, force_jupyter=True)) as on_progress:
        for event in events:
            on_progress(event)
    return stream.getvalue().splitlines()


def test_a_bar_in_a_notebook_without_ipywidgets_is_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert in_a_notebook(EVENT, EVENT, evolve(EVENT, state="started", is_done=True)) == [
        "GUI session of lab: starting (0 s)",
        "GUI session of lab: started (0 s)",
    ]


def test_a_bar_in_a_notebook_with_ipywidgets_is_a_bar(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", types.ModuleType("ipywidgets"))
    sys.modules["ipywidgets"].__spec__ = ModuleSpec("ipywidgets", None)
    begun = []

    def start(drawing):
        begun.append(drawing)

    monkeypatch.setattr("rich.progress.Progress.start", start)
    monkeypatch.setattr("rich.progress.Progress.stop", lambda _: None)
    assert in_a_notebook(EVENT) == []
    (drawing,) = begun
    assert [task.description for task in drawing.tasks] == ["GUI session of lab"]


def test_a_bar_in_a_terminal_needs_no_ipywidgets(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    (line,) = drawn(EVENT)
    assert "━" in line


def drawn(*events, having="("):
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    with bar(console) as on_progress:
        for event in events:
            on_progress(event)
    # What the last drawing left on the screen.
    text = console.file.getvalue().rpartition("\x1b[2K")[2]
    return [line.rstrip() for line in text.splitlines() if having in line]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stdout", [io.StringIO(), Terminal()], ids=["a file", "a terminal"])
def test_a_url_that_is_printed_beside_a_bar_is_in_one_piece(monkeypatch, stdout):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", stdout)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    url = f"https://203.0.113.1:8443/?authToken={'x' * 150}#console"
    with bar() as show:
        show(EVENT)
        print(url)
    # rich prints above the bar what would go to the same terminal.
    assert f"{url}\n" in (terminal if stdout.isatty() else stdout).getvalue()


def test_the_bar_draws_one_line_for_each_desktop():
    other = evolve(EVENT, wait=2, desktop="GUI session of [bold]b[/]", state="[red]x[/]")
    first, second = drawn(EVENT, evolve(other, percentage=50), EVENT)
    assert first.startswith("GUI session of lab ")
    assert second.startswith("GUI session of [bold]b[/] ")
    assert second.endswith(" [red]x[/], 50 % (0 s)")


def test_the_bar_draws_one_line_for_all_resources_of_a_wait():
    (line,) = drawn(CREATING, evolve(CREATING, resource="streaming session ss-1"), STREAM)
    assert line.startswith("streaming session in studio-1 ")
    assert line.endswith(" READY (9 s)")


def test_the_bar_draws_two_lines_for_two_creates_in_one_studio():
    assert len(drawn(CREATING, evolve(CREATING, wait=2))) == 2


def test_the_bar_shows_the_last_state():
    (line,) = drawn(
        EVENT, evolve(EVENT, percentage=20), evolve(EVENT, state="stopped", elapsed=8.0)
    )
    assert line.endswith(" stopped (8 s)")


def in_batch(done: int, failed: int = 0, **changes: object) -> Progress:
    batch = BatchProgress(number=7, name="GUI sessions", total=4, done=done, failed=failed)
    return evolve(EVENT, batch=batch, **changes)


def test_the_bar_draws_one_line_for_a_call_for_many_desktops():
    (line,) = drawn(in_batch(0), in_batch(1, wait=2), in_batch(2, 1, wait=3), having="done")
    assert line.startswith("GUI sessions ")
    assert line.endswith(" 2 of 4 done, 1 failed")


def test_the_bar_of_many_desktops_is_full_when_none_is_left():
    full = "━" * 40
    assert full not in drawn(in_batch(3), having="done")[0]
    (line,) = drawn(in_batch(3), in_batch(4, is_done=True), having="done")
    assert full in line
    assert line.endswith(" 4 of 4 done")
    assert full in drawn(in_batch(2, 2), having="done")[0]


def test_the_bar_draws_a_line_for_each_call_for_many_desktops():
    other = evolve(in_batch(1), batch=evolve(in_batch(1).batch, number=8, name="others"))
    # A wait and a call can have the same number.
    lines = drawn(evolve(EVENT, wait=7), in_batch(1), other, having="━")
    assert [line.partition(" ")[0] for line in lines] == ["GUI", "GUI", "others"]


@pytest.mark.parametrize("percentage", [None, 60])
def test_the_bar_is_full_when_the_desktop_is_ready(percentage):
    full = "━" * 40
    event = evolve(EVENT, percentage=percentage)
    # A bar that pulses is drawn whole too.
    assert (full in drawn(event)[0]) == (percentage is None)
    (line,) = drawn(event, evolve(event, state="started", is_done=True))
    assert full in line


def test_the_bar_says_how_to_install_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(ImportError, match="rich") as caught:
        bar().__enter__()
    assert str(caught.value) == "A progress bar needs rich: pip install 'dcvsessions[rich]'."
    assert caught.value.name == "rich"


def test_the_bar_in_a_notebook_warns_at_most_of_ipywidgets():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with bar(Console(file=io.StringIO(), force_jupyter=True)) as on_progress:
            on_progress(EVENT)
    assert {str(each.message) for each in caught} <= {'install "ipywidgets" for Jupyter support'}


def test_a_progress_event_is_made_with_keywords_only():
    with pytest.raises(TypeError):
        Progress(1, "lab", "lab", "starting", elapsed=0.0, attempt=1)
