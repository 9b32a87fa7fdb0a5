"""The benchmark runs, on a few of everything. What it measures fails no test."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import crowd, schedules
from benchmarks.calls import call_rows
from benchmarks.crowd import FIXED, GATHERED, Crowd
from benchmarks.report import Report, as_json, as_markdown, write_docs
from benchmarks.rows import exact, interleaved, paired
from benchmarks.scale import scales, simulated
from benchmarks.studio import studio_rows
from benchmarks.waits import stall_rows

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("reference/performance.md", "explanation/scale.md")
FEW = Crowd(desktops=6, rate=2, burst=12)


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """A measurement changes the environment of its process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_row_has_the_median_of_the_ratios_of_its_pairs() -> None:
    row = paired("a call", "ms", [2, 1, 3], "stock", [4, 1, 4], goal=0.7)
    assert (row.ours, row.theirs, row.ratio) == (2, 4, 0.75)
    assert (row.low, row.high, row.pairs) == (0.625, 0.875, 3)
    assert row.is_met is False
    assert exact("calls", "calls", 3, "stock", 6, goal=0.5).is_met is True
    assert exact("calls", "calls", 3, "stock", 6).is_met is None


async def test_measures_take_turns_at_being_the_first() -> None:
    order: list[str] = []

    async def measure(name: str) -> float:
        order.append(name)
        return len(order)

    found = await interleaved({name: lambda name=name: measure(name) for name in "ab"}, 2)
    assert "".join(order) == "abbaab"
    # The first round is not counted.
    assert found == {"a": [4, 5], "b": [3, 6]}


@pytest.mark.parametrize("way", crowd.ways())
def test_every_way_opens_all_desktops_and_does_the_same_each_time(way: str) -> None:
    first, second = (crowd.measure(FEW, way) for _ in range(2))
    assert first.figures["opened"] == 6
    assert not first.errors
    assert first.calls["StartGUISession"] >= 6
    assert first.figures == second.figures
    assert first.times == second.times


def test_the_table_of_a_crowd_has_ratios_to_the_fixed_interval() -> None:
    results = [crowd.measure(FEW, way) for way in (GATHERED, FIXED)]
    ours, fixed = crowd.table(results).splitlines()[2:]
    assert ours.startswith(f"| {GATHERED} | 6 | ")
    assert fixed.count("(1.00)") == 3


def test_readings_of_sessions_are_counted() -> None:
    reads, mean, *_ = studio_rows(sessions=3)
    assert 0 < reads.ours < reads.theirs
    assert mean.ours > 60


def test_calls_are_measured_in_every_way() -> None:
    rows = call_rows(rounds=1, calls=100)
    assert all(row.ours > 0 and row.theirs > 0 for row in rows)
    assert {row.beside for row in rows} == {
        "stock aiobotocore",
        "aiohttp with SigV4",
        "boto3 in threads",
    }


def test_stalls_are_measured() -> None:
    rows = stall_rows({5: 1})
    assert [row.figure.partition("with ")[2] for row in rows] == [
        "open_gui_sessions()",
        "gather of open_gui_session()",
    ]
    assert all(row.ours > 0 and row.theirs > 0 for row in rows)


def test_desktops_take_as_long_as_the_rate_or_the_sessions() -> None:
    # Two calls for a start, and one that reads the URL.
    many = simulated(2_000, 5)
    assert many.last == pytest.approx(3 * 2_000 / 5, rel=0.1)
    few = simulated(10, 5_000)
    assert few.last < 300
    assert few.calls < 10


def test_the_pages_and_pictures_are_written_again_and_again(tmp_path: Path) -> None:
    performance, scale = (tmp_path / page for page in PAGES)
    for page in PAGES:
        (tmp_path / page).parent.mkdir()
        (tmp_path / page).write_text((DOCS / page).read_text())
    found = Report(
        about={"date": "2026-11-21", "aiohttp": "3.14"},
        rows=[exact("calls of an opening", "calls", 3, "stock", 6, goal=0.4)],
        polling=[schedules.Row("session", "dcvsessions", 10, 8.4, 4.9, 23)],
        crowds=[[crowd.measure(FEW, way) for way in (GATHERED, FIXED)]],
        scales=scales([10, 100], [5]),
    )
    write_docs(found, tmp_path)
    page = performance.read_text()
    assert "Measured: 2026-11-21, aiohttp 3.14." in page
    assert "| calls of an opening | 3 calls | stock | 6 calls | 0.5 |  | 0.40 | missed |" in page
    assert "dcvsessions, steps of 10 % | 8.4 | 4.9 | 23 | 8.5 polls, 5 s: met |" in page
    assert "| desktops | 5 calls/s |" in scale.read_text()
    for name in ("crowd.png", "schedules.png"):
        assert (tmp_path / "images" / name).read_bytes().startswith(b"\x89PNG")
    write_docs(found, tmp_path)
    assert performance.read_text() == page
    plain = json.loads(json.dumps(as_json(found)))
    assert plain["about"] == found.about
    assert plain["crowds"][0][0]["figures"]["opened"] == 6
    assert as_markdown(found) in page


def test_a_page_without_marks_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / PAGES[0]).write_text("nothing")
    with pytest.raises(ValueError, match="no marks"):
        write_docs(Report(about={}), tmp_path)
