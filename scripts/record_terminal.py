"""Records the command `dcvsessions` in a terminal, as an animated picture.

    python scripts/record_terminal.py

It runs the command on the simulator, which takes about 15 seconds, and writes
`docs/images/terminal.svg`. The picture asks no other host for a font. If a viewer shows no
animation, it shows the last screen.
"""

import os
import pty
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby, pairwise
from pathlib import Path

import pyte
from attrs import frozen

from dcvsessions.simulator import Simulator, Timings, serve_in_thread

TARGET = Path(__file__).parent.parent / "docs" / "images" / "terminal.svg"
COMMANDS = (
    "dcvsessions open my-computer --start",
    "dcvsessions status my-computer",
    "dcvsessions close my-computer",
)
# Seconds between a command and its output, and for which the last screen is shown.
READ_COMMAND, READ_END = 1.0, 5.0
PER_SECOND = 5

COLUMNS, LINES = 88, 16
# Pixels of a character, and around the text.
WIDTH, HEIGHT, MARGIN = 8.4, 21, 20
TITLE = "The command dcvsessions opens a desktop, shows its state, and stops its session"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BACKGROUND = "#16202c"
# pyte has names for eight colours, and writes the others as six hexadecimal digits.
COLOURS = {
    "default": "#dfe6ee",
    "black": "#6b7785",
    "red": "#f07178",
    "green": "#8bd49c",
    "brown": "#ffcb6b",
    "blue": "#82aaff",
    "magenta": "#c792ea",
    "cyan": "#89ddff",
    "white": "#ffffff",
}


@frozen
class Run:
    """Neighbouring characters of one colour."""

    column: int
    text: str
    colour: str


Row = tuple[Run, ...]


@frozen
class Screen:
    """The screen of the terminal from some second on."""

    at: float
    rows: tuple[Row, ...]


@frozen
class Shown:
    """A row of the terminal, for the time that it did not change."""

    number: int
    row: Row
    begin: float
    end: float


class Terminal:
    """Runs commands, and keeps what a terminal would show."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.screens: list[Screen] = []
        self._environment = environment
        self._display = pyte.Screen(COLUMNS, LINES)
        self._input = pyte.ByteStream(self._display)
        self._now = 0.0

    def run(self, command: str) -> None:
        """Show a command, run it, and show its output as it comes."""
        self._show(f"\033[32m$\033[0m {command}\r\n".encode(), after=0.0)
        self._now += READ_COMMAND
        last = time.monotonic()
        for output in output_of(command, self._environment):
            now = time.monotonic()
            self._show(output, after=now - last)
            last = now

    def _show(self, output: bytes, *, after: float) -> None:
        self._now += after
        self._input.feed(output)
        rows = tuple(row_of(self._display.buffer[line]) for line in range(LINES))
        self.screens.append(Screen(self._now, rows))


def output_of(command: str, environment: Mapping[str, str]) -> Iterator[bytes]:
    """Run a command in a terminal, and yield its output as it comes."""
    ours, terminal = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - the commands of this script
        [sys.executable, "-m", *shlex.split(command)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, **environment, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)},
    ) as process:
        os.close(terminal)
        while output := read(ours):
            yield output
    os.close(ours)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")


def read(terminal: int) -> bytes:
    """Read from a terminal; nothing at the end."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # so Linux says that the program has closed it
        return b""


def row_of(line: Mapping[int, pyte.screens.Char]) -> Row:
    """Return the characters of a line, by colour."""
    length = max((column + 1 for column in range(COLUMNS) if line[column].data != " "), default=0)
    runs = groupby(range(length), key=lambda column: line[column].fg)
    return tuple(run_of(line, [*columns], colour) for colour, columns in runs)


def run_of(line: Mapping[int, pyte.screens.Char], columns: Sequence[int], colour: str) -> Run:
    """Return neighbouring characters of a line."""
    text = "".join(line[column].data for column in columns)
    return Run(columns[0], text, COLOURS.get(colour, f"#{colour}"))


def sampled(screens: Sequence[Screen]) -> list[Screen]:
    """Return a few screens for each second, and the last one."""
    ticks = (int(screen.at * PER_SECOND) for screen in screens)
    return list(dict(zip(ticks, screens, strict=True)).values())


def rows_shown(screens: Sequence[Screen], end: float) -> list[Shown]:
    """Return for each row how long it stayed the same."""
    shown: list[Shown] = []
    for number in range(LINES):
        changes = groupby(screens, key=lambda screen: screen.rows[number])
        begins = [(next(same).at, row) for row, same in changes]
        for (begin, row), (until, _) in pairwise([*begins, (end, ())]):
            if row:
                shown.append(Shown(number, row, begin, until))
    return shown


def picture(shown: Sequence[Shown], seconds: float) -> str:
    """Write the rows as an SVG that plays again and again."""
    lines = 1 + max(each.number for each in shown)
    width, height = COLUMNS * WIDTH + 2 * MARGIN, lines * HEIGHT + 2 * MARGIN
    times: list[str] = []
    rows: list[str] = []
    for number, each in enumerate(shown):
        begin, end = (f"{100 * at / seconds:.2f}%" for at in (each.begin, each.end))
        times.append(
            f"@keyframes t{number}{{0%{{visibility:hidden}}{begin}{{visibility:visible}}"
            f"{end}{{visibility:hidden}}}}"
        )
        hidden = "" if each.end == seconds else ' visibility="hidden"'
        runs = "".join(run_as_text(run, each.number) for run in each.row)
        rows.append(f'<g style="animation-name:t{number}"{hidden}>{runs}</g>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>{escape(TITLE)}</title>",
            "<style>",
            f"text{{font:14px {FONTS};white-space:pre}}",
            f"g{{animation:{seconds:.1f}s step-end infinite}}",
            "@media (prefers-reduced-motion:reduce){g{animation:none}}",
            *times,
            "</style>",
            f'<rect width="100%" height="100%" rx="10" fill="{BACKGROUND}"/>',
            *rows,
            "</svg>\n",
        ]
    )


def run_as_text(run: Run, line: int) -> str:
    """Write characters where the terminal shows them, whatever the font."""
    x, y = MARGIN + run.column * WIDTH, MARGIN + (line + 0.72) * HEIGHT
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" textLength="{len(run.text) * WIDTH:.1f}" '
        f'fill="{run.colour}">{escape(run.text)}</text>'
    )


def main() -> None:
    """Record the commands, and write the picture."""
    # Long enough to see the bar.
    simulator = Simulator(timings=Timings(instance_start=2.5, gui_start=4, gui_stop=1.5))
    with serve_in_thread(simulator):
        simulator.lightsail.add_instance("my-computer", state="stopped")
        # A browser that shows nothing, and frequent polls.
        settings = {"BROWSER": "true", "DCVSESSIONS_POLL_INTERVAL": "0.4"}
        terminal = Terminal({**simulator.environ, **settings})
        for command in COMMANDS:
            terminal.run(command)
    end = terminal.screens[-1].at + READ_END
    TARGET.write_text(picture(rows_shown(sampled(terminal.screens), end), end), encoding="utf-8")


if __name__ == "__main__":
    main()
