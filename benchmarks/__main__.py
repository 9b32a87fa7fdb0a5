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

from attrs import frozen

from benchmarks import calls, crowd, environment, rows, scale, schedules, start, studio, waits
from benchmarks.crowd import ADAPTIVE, Crowd, Opened
from benchmarks.report import Report, as_json, as_markdown, write_docs
from benchmarks.rows import Row
from benchmarks.servers import serve_fixed_answers


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
        scale_sizes: The numbers of desktops that are computed.
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


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only try whether everything runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--docs", type=Path, metavar="DIRECTORY", help="update the pages there")
    given = parser.parse_args()
    report = measured(QUICK if given.quick else THOROUGH)
    print(as_markdown(report))
    print(f"\n### How long many desktops take\n\n{scale.table(report.scales)}")
    if given.json:
        given.json.write_text(json.dumps(as_json(report), indent=1) + "\n")
    if given.docs:
        write_docs(report, given.docs)


if __name__ == "__main__":
    main()
