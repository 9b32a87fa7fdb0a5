"""The results of a run: as tables, as JSON, and in the documentation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import asdict, field, frozen

from benchmarks import crowd, rows, scale, schedules
from benchmarks.crowd import Opened
from benchmarks.pictures import draw_crowds, draw_schedules
from benchmarks.rows import Row
from benchmarks.scale import Scale

__all__ = ["Report", "as_json", "as_markdown", "write_docs"]


@frozen(kw_only=True)
class Report:
    """The results of a run.

    Attributes:
        about: The date, the machine and the versions.
        rows: The table of ratios.
        polling: Polls and lateness of each schedule.
        crowds: The result of each crowd, for each way to open it.
        scales: How long many desktops take.
    """

    about: Mapping[str, str]
    rows: list[Row] = field(factory=list[Row])
    polling: list[schedules.Row] = field(factory=list[schedules.Row])
    crowds: list[list[Opened]] = field(factory=list[list[Opened]])
    scales: list[Scale] = field(factory=list[Scale])


def write_docs(report: Report, docs: Path) -> None:
    """Write the tables into the pages of figures, and draw their pictures."""
    _fill(docs / "reference" / "performance.md", "figures", as_markdown(report))
    _fill(docs / "explanation" / "scale.md", "scale", scale.table(report.scales))
    # The largest crowd, and the one that was opened in every way.
    draw_crowds([report.crowds[0], report.crowds[-1]], docs / "images" / "crowd.png")
    draw_schedules(_points(report.polling), docs / "images" / "schedules.png")


def _fill(page: Path, name: str, content: str) -> None:
    """Replace what is between two marks in a page."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = page.read_text().partition(begin)
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise ValueError(f"{page} has no marks for {name}")
    page.write_text(f"{before}{begin}\n{content}\n\n{end}{after}")


def as_markdown(report: Report) -> str:
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
    return row.schedule if row.step is None else f"{row.schedule}, steps of {row.step} %"


def _points(found: Sequence[schedules.Row]) -> list[tuple[str, float, float]]:
    return [
        (_schedule_name(each), each.polls, each.late)
        for each in found
        if each.operation == "session"
    ]


def as_json(report: Report) -> dict[str, object]:
    """Return all figures as plain data."""
    return {
        **asdict(report, filter=lambda attribute, _: attribute.name != "polling"),
        "polling": [each._asdict() for each in report.polling],
        "crowds": [
            [{**asdict(each), "figures": each.figures} for each in results]
            for results in report.crowds
        ],
    }
