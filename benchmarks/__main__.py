"""Measures everything and prints the tables.

    pip install '.[benchmark]' && python -m benchmarks

Takes less than ten minutes on two cores that have nothing else to do. With `--docs docs` it also
writes the tables and the pictures into the documentation.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import asdict, field, frozen

from benchmarks import calls, crowd, environment, rows, scale, schedules, start, studio, waits
from benchmarks.crowd import ADAPTIVE, Crowd, Opened
from benchmarks.pictures import draw_crowd, draw_schedules
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.servers import serve_fixed_answers

__all__ = ["QUICK", "THOROUGH", "Report", "Size", "measured", "write_docs"]


@frozen(kw_only=True)
class Size:
    """How much is measured.

    Attributes:
        start_pairs: Pairs of new processes.
        call_rounds: Pairs of single calls, each of `calls` calls.
        calls: See `call_rounds`.
        stalls: Pairs of stalls, by the number of openings.
        memory_rounds: Pairs of processes with `waits` waits.
        waits: See `memory_rounds`.
        sessions: Nimble Studio sessions that get ready at the same time.
        crowds: The GUI sessions that are opened at the same time.
        scale_sizes: The numbers of desktops that are simulated on paper.
    """

    start_pairs: int
    call_rounds: int
    calls: int
    stalls: Mapping[int, int]
    memory_rounds: int
    waits: int
    sessions: int
    crowds: Sequence[Crowd]
    scale_sizes: Sequence[int]


THOROUGH = Size(
    start_pairs=15,
    call_rounds=15,
    calls=300,
    stalls={1000: 7, 3000: 3},
    memory_rounds=3,
    waits=1000,
    sessions=100,
    crowds=(
        Crowd(),
        Crowd(percentages="none"),
        Crowd(desktops=100),
        # The first one at three tenths of its size, with which the adaptive mode can be measured:
        # each of its waiting calls wakes up whenever any call may be sent.
        Crowd(desktops=300, rate=15, burst=15),
    ),
    scale_sizes=scale.SIZES,
)
QUICK = Size(
    start_pairs=1,
    call_rounds=1,
    calls=100,
    stalls={20: 1},
    memory_rounds=1,
    waits=20,
    sessions=3,
    crowds=(Crowd(desktops=5),),
    scale_sizes=(10, 100),
)
_MOST_ADAPTIVE = 300


@frozen(kw_only=True)
class Report:
    """What a run found.

    Attributes:
        about: The date, the machine and the versions.
        rows: The table of ratios.
        polling: Polls and lateness of each schedule.
        crowds: What became of each crowd, for each way to open it.
        scales: How long many desktops take.
    """

    about: Mapping[str, str]
    rows: list[Row] = field(factory=list[Row])
    polling: list[schedules.Row] = field(factory=list[schedules.Row])
    crowds: list[list[Opened]] = field(factory=list[list[Opened]])
    scales: list[Scale] = field(factory=list[Scale])


def measured(size: Size) -> Report:
    """Measure everything, one part after another."""
    report = Report(about=environment.described())
    parts: Mapping[str, Callable[[], object]] = {
        "start": lambda: report.rows.extend(_start_rows(size.start_pairs)),
        "calls": lambda: report.rows.extend(
            calls.call_rows(rounds=size.call_rounds, calls=size.calls)
        ),
        "stalls": lambda: report.rows.extend(waits.stall_rows(size.stalls)),
        "memory": lambda: report.rows.extend(
            waits.memory_rows(waits=size.waits, rounds=size.memory_rounds)
        ),
        "readings": lambda: report.rows.extend(studio.studio_rows(size.sessions)),
        "schedules": lambda: report.polling.extend(schedules.rows()),
        "crowds": lambda: report.crowds.extend(map(_opened, size.crowds)),
        "scale": lambda: report.scales.extend(scale.scales(size.scale_sizes)),
    }
    for name, part in parts.items():
        began = time.perf_counter()
        part()
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return report


def _start_rows(pairs: int) -> list[Row]:
    samples = [start.imports(pairs), *start.first_client(pairs), start.longest_stall(pairs)]
    with serve_fixed_answers() as endpoint_url:
        samples += start.start_to_url(endpoint_url, pairs)
    return [
        rows.paired(each.figure, each.unit, each.ours, each.beside, each.theirs, goal=each.goal)
        for each in samples
    ]


def _opened(size: Crowd) -> list[Opened]:
    chosen = [way for way in crowd.ways() if way != ADAPTIVE or size.desktops <= _MOST_ADAPTIVE]
    return crowd.measure_all(size, chosen)


# --- The documentation ---


def write_docs(report: Report, docs: Path) -> None:
    """Write the tables into the pages of figures, and draw the pictures beside them."""
    _fill(docs / "performance.md", "figures", figures(report))
    _fill(docs / "scale.md", "scale", scale.table(report.scales))
    draw_crowd(report.crowds[0], docs / "images" / "crowd.png")
    draw_schedules(_points(report.polling), docs / "images" / "schedules.png")


def _fill(page: Path, name: str, content: str) -> None:
    """Replace what is between two marks in a page."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n{content}\n\n{end}{after}")


def figures(report: Report) -> str:
    """Return all tables of measured figures, as Markdown."""
    about = ", ".join(
        value if name in ("date", "machine", "Python") else f"{name} {value}"
        for name, value in report.about.items()
    )
    parts = [
        f"Measured: {about}.",
        "### Start, calls and waits",
        rows.table(report.rows),
        "### Polls and lateness",
        _schedule_table(report.polling),
        "### Many desktops",
    ]
    for results in report.crowds:
        size = results[0].crowd
        percentages = {"none": ", no percentages"}.get(size.percentages, "")
        parts += [
            f"{size.desktops:,} GUI sessions at {size.rate:g} calls a second{percentages}:",
            crowd.table(results),
        ]
    return "\n\n".join(parts)


def _schedule_table(found: Sequence[schedules.Row]) -> str:
    lines = [
        "| operation | schedule | polls | late, s | latest, s | goal |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    lines += [
        f"| {each.operation} | {_schedule_name(each)} | {each.polls:.1f} | {each.late:.1f} "
        f"| {each.latest:.0f} | {_schedule_goal(each)} |"
        for each in found
    ]
    return "\n".join(lines)


def _schedule_goal(row: schedules.Row) -> str:
    goal = _SCHEDULE_GOALS.get((row.operation, row.step)) if row.schedule == _OURS else None
    if goal is None:
        return ""
    polls, late = goal
    # The figures of a simulation are shown, and compared, with one digit.
    is_met = round(row.polls, 1) <= polls and round(row.late, 1) <= late
    return f"{polls:g} polls, {late:g} s: {'met' if is_met else 'missed'}"


_OURS = "dcvsessions"
# The polls and the seconds of lateness that ours may take at most, by operation and by the steps of
# the percentages.
_SCHEDULE_GOALS: Mapping[tuple[str, int | None], tuple[float, float]] = {
    ("session", None): (12.5, 5.0),
    ("session", 10): (8.5, 5.0),
    ("session", 25): (12.5, 5.0),
    ("session", 50): (12.5, 5.0),
    ("stream", None): (4.0, 1.0),
}


def _schedule_name(row: schedules.Row) -> str:
    return row.schedule if row.step is None else f"{row.schedule}, percentages by {row.step}"


def _points(found: Sequence[schedules.Row]) -> list[tuple[str, float, float]]:
    return [
        (_schedule_name(each), each.polls, each.late)
        for each in found
        if each.operation == "session"
    ]


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only try whether everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--docs", type=Path, metavar="DIRECTORY", help="update the pages there")
    given = parser.parse_args()
    report = measured(QUICK if given.quick else THOROUGH)
    print(figures(report))
    print(f"\n### How long many desktops take\n\n{scale.table(report.scales)}")
    if given.json:
        given.json.write_text(json.dumps(_plain(report), indent=1) + "\n")
    if given.docs:
        write_docs(report, given.docs)


def _plain(report: Report) -> dict[str, object]:
    return {
        **asdict(report, filter=lambda attribute, _: attribute.name != "polling"),
        "polling": [each._asdict() for each in report.polling],
        "crowds": [
            [{**asdict(each), "figures": each.figures} for each in results]
            for results in report.crowds
        ],
    }


if __name__ == "__main__":
    main()
