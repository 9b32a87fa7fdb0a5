"""The directive `state-table`: a diagram and a table of what a helper decides in each state."""

from collections.abc import Iterable
from html import escape

from attrs import frozen
from decided import TABLES, Answer, Kind, Row, Table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# Lengths are in the pixels of the drawing.
_WIDTH = 720
_STATE_WIDTH = 318
_OUTCOME_WIDTH = 200
_HEIGHT = 26
_STEP = 32
_GAP = 14
_ORDER = (Kind.DONE, Kind.STEP, Kind.WAIT, Kind.FAILED)


@frozen
class Box:
    """A state or an outcome in the drawing."""

    x: float
    y: float
    width: float
    words: str
    kind: Kind

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + _HEIGHT / 2

    def svg(self) -> str:
        """Return it as SVG."""
        return (
            f'<g class="{self.kind}"><rect x="{self.x}" y="{self.y:.1f}" rx="6" '
            f'width="{self.width}" height="{_HEIGHT}"/>'
            f'<text x="{self.x + 10}" y="{self.y + 17:.1f}">{escape(self.words)}</text></g>'
        )


def drawing(table: Table) -> str:
    """Return the diagram as SVG: the states on the left, their outcomes on the right."""
    rows = sorted(table.rows, key=lambda row: _ORDER.index(row.answers[0].kind))
    states = [*_state_boxes(rows)]
    outcomes = {box.kind: box for box in _outcome_boxes(table, states)}
    lines: list[str] = []
    for row, box in zip(rows, states, strict=True):
        first, last = row.answers[0].kind, row.answers[-1].kind
        lines.append(_line(box, outcomes[first], ""))
        if last is not first:
            lines.append(_line(box, outcomes[last], " later"))
    height = max(box.y for box in (*states, *outcomes.values())) + _HEIGHT + 1
    return (
        f'<svg class="states" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(table.title)}">{"".join(lines)}'
        f"{''.join(box.svg() for box in (*states, *outcomes.values()))}</svg>"
    )


def _state_boxes(rows: Iterable[Row]) -> Iterable[Box]:
    y, before = 1.0, None
    for row in rows:
        kind = row.answers[0].kind
        y += _GAP if before not in (None, kind) else 0
        yield Box(1, y, _STATE_WIDTH, row.state, kind)
        y, before = y + _STEP, kind


def _outcome_boxes(table: Table, states: list[Box]) -> Iterable[Box]:
    """Place each outcome beside the states that lead to it at the first reading."""
    lowest = 1.0
    for kind in _ORDER:
        answers = {answer for row in table.rows for answer in row.answers if answer.kind is kind}
        if not answers:
            continue
        middles = [box.middle for box in states if box.kind is kind]
        wanted = sum(middles) / len(middles) - _HEIGHT / 2 if middles else lowest
        y = max(lowest, wanted)
        yield Box(
            _WIDTH - _OUTCOME_WIDTH - 1, y, _OUTCOME_WIDTH, _outcome(table, answers.pop()), kind
        )
        lowest = y + _STEP + _GAP


def _outcome(table: Table, answer: Answer) -> str:
    words = {
        Kind.DONE: f"done: {table.done}",
        Kind.WAIT: "wait, then read again",
        Kind.FAILED: "an error",
    }
    return words.get(answer.kind, answer.words)


def _line(state: Box, outcome: Box, later: str) -> str:
    begin, end = state.x + state.width, outcome.x
    bend = (begin + end) / 2
    return (
        f'<path class="{outcome.kind}{later}" d="M{begin} {state.middle:.1f} '
        f'C{bend} {state.middle:.1f} {bend} {outcome.middle:.1f} {end} {outcome.middle:.1f}"/>'
    )


def as_nodes(table: Table) -> list[nodes.Node]:
    """Return the diagram and the table."""
    picture = nodes.raw("", f'<div class="states">{drawing(table)}</div>', format="html")
    shown = nodes.table(classes=["states"])
    columns = len(table.situations) + 1
    group = nodes.tgroup(cols=columns)
    group += [nodes.colspec(colwidth=1) for _ in range(columns)]
    titles = ("state", *table.situations) if columns > 2 else ("state", "decision")  # noqa: PLR2004 - the state and one decision
    group += nodes.thead("", _row([nodes.Text(title) for title in titles]))
    body = nodes.tbody()
    for row in table.rows:
        cells: list[nodes.Node] = [nodes.literal("", row.state)]
        cells += [nodes.inline("", each.words, classes=[each.kind]) for each in row.answers]
        body += _row(cells)
    group += body
    shown += group
    return [picture, shown]


def _row(cells: Iterable[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


class StateTable(SphinxDirective):
    """Draws the table that its argument names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the diagram and the table."""
        return as_nodes(TABLES[self.arguments[0]]())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("state-table", StateTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
