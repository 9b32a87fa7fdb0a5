"""What people see of a wait."""

import doctest
import io
import sys
import warnings

import pytest
from attrs import evolve
from rich.console import Console

import dcvsessions.progress
from dcvsessions.errors import DcvSessionsError, ExtraNotInstalledError
from dcvsessions.progress import Progress, bar, printer

EVENT = Progress("GUI session of lab", "starting", None, elapsed=0.0, attempt=1)


def test_a_line_is_written_for_each_change():
    stream = io.StringIO()
    on_progress = printer(stream)
    for event in (
        EVENT,
        evolve(EVENT, elapsed=2.0, attempt=2),
        evolve(EVENT, percentage=40, elapsed=4.4, attempt=3),
        evolve(EVENT, percentage=40, elapsed=6.0, attempt=4),
        evolve(EVENT, state="started", percentage=100, elapsed=9.6, attempt=5),
    ):
        on_progress(event)
    assert stream.getvalue().splitlines() == [
        "GUI session of lab: starting (0 s)",
        "GUI session of lab: starting, 40 % (4 s)",
        "GUI session of lab: started, 100 % (10 s)",
    ]


def test_one_printer_tells_many_waits_apart():
    stream = io.StringIO()
    on_progress = printer(stream)
    other = evolve(EVENT, resource="GUI session of other")
    for event in (EVENT, other, EVENT, other):
        on_progress(event)
    assert len(stream.getvalue().splitlines()) == 2


def test_it_prints_to_the_standard_error_of_the_moment(capsys):
    printer()(EVENT)
    assert capsys.readouterr() == ("", "GUI session of lab: starting (0 s)\n")


def drawn(*events):
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with bar(console) as on_progress:
        for event in events:
            on_progress(event)
    # What the last drawing left on the screen.
    return console.file.getvalue().rpartition("\x1b[2K")[2]


def test_a_bar_is_drawn_for_each_desktop():
    shown = drawn(EVENT, evolve(EVENT, resource="stream of [bold]s-1[/]", percentage=50))
    assert "GUI session of lab" in shown
    assert "stream of [bold]s-1[/]" in shown
    assert "starting, 50 % (0 s)" in shown


def test_a_bar_follows_its_desktop():
    shown = drawn(EVENT, evolve(EVENT, percentage=20), evolve(EVENT, state="started", elapsed=8.0))
    assert "started (8 s)" in shown
    assert "starting" not in shown


def test_a_bar_says_how_to_install_rich(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(
        ExtraNotInstalledError, match=r"pip install 'dcvsessions\[rich\]'"
    ) as caught:
        bar().__enter__()
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, DcvSessionsError)


def test_a_bar_in_a_notebook_says_what_rich_wants_there():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with bar(Console(file=io.StringIO(), force_jupyter=True)) as on_progress:
            on_progress(EVENT)
    assert {str(each.message) for each in caught} <= {'install "ipywidgets" for Jupyter support'}


def test_the_examples_in_the_docstrings():
    results = doctest.testmod(dcvsessions.progress)
    assert (results.failed, results.attempted > 0) == (0, True)
