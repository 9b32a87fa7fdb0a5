"""Rows of the table: our figure and one to compare it with, measured in pairs."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from statistics import median, quantiles

from attrs import frozen

__all__ = ["Row", "exact", "interleaved", "paired", "table"]

Measure = Callable[[], Awaitable[float]]


@frozen(kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        figure: What was measured.
        unit: The unit of both figures.
        ours: Our figure, a median.
        beside: What it is compared with.
        theirs: The other figure, a median.
        ratio: The median of the ratios of each pair; ours to theirs.
        low: The first quartile of the ratios.
        high: The third quartile of the ratios.
        pairs: How many pairs were measured; 1 for a figure that a simulation gives exactly.
        goal: What the ratio may be at most; None if there is no goal.
    """

    figure: str
    unit: str
    ours: float
    beside: str
    theirs: float
    ratio: float
    low: float
    high: float
    pairs: int
    goal: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        return None if self.goal is None else self.ratio <= self.goal


def paired(
    figure: str,
    unit: str,
    ours: Sequence[float],
    beside: str,
    theirs: Sequence[float],
    *,
    goal: float | None = None,
) -> Row:
    """Return the row of figures that were measured in turn."""
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    low, _, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return Row(
        figure=figure,
        unit=unit,
        ours=median(ours),
        beside=beside,
        theirs=median(theirs),
        ratio=median(ratios),
        low=low,
        high=high,
        pairs=len(ratios),
        goal=goal,
    )


def exact(
    figure: str, unit: str, ours: float, beside: str, theirs: float, *, goal: float | None = None
) -> Row:
    """Return the row of figures that are the same in each run, such as those of a simulation."""
    return paired(figure, unit, [ours], beside, [theirs], goal=goal)


async def interleaved(measures: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Measure everything in turn, several times.

    The order changes from round to round, so that no measure always follows the same other one. A
    first round is not counted.
    """
    names = list(measures)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            figure = await measures[name]()
            if turn:
                found[name].append(figure)
    return found


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| figure | ours | compared with | | ratio | middle half | goal | |",
        "| --- | ---: | --- | ---: | ---: | --- | ---: | --- |",
    ]
    lines += [_line(row) for row in rows]
    return "\n".join(lines)


def _line(row: Row) -> str:
    spread = f"{row.low:.2f} to {row.high:.2f}" if row.pairs > 1 else ""
    goal = "" if row.goal is None else f"{row.goal:.2f}"
    verdict = {True: "met", False: "missed", None: ""}[row.is_met]
    return (
        f"| {row.figure} | {_number(row.ours)} {row.unit} | {row.beside} "
        f"| {_number(row.theirs)} {row.unit} | {row.ratio:.3g} | {spread} | {goal} | {verdict} |"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
