"""The two pictures of a run, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.crowd import ADAPTIVE, FIXED, FIXED_ONCE, GATHERED, LEAST, TOGETHER, Opened

mpl.use("Agg")
from matplotlib import pyplot as plt

__all__ = ["draw_crowds", "draw_schedules"]

_OURS, _OTHERS = "#0b6e4f", "#7a7a7a"
_HEIGHT = 4.5
_DPI = 120
_STYLES: Mapping[str, tuple[str, str, float]] = {
    TOGETHER: (_OURS, "-", 2.5),
    GATHERED: ("#7bc8a4", "-", 1.5),
    FIXED: ("#c1440e", "-", 1.5),
    FIXED_ONCE: ("#e08e45", "--", 1.5),
    ADAPTIVE: ("#3b5ba5", "-.", 1.5),
    LEAST: ("#222222", ":", 1.0),
}
_SMALL: Mapping[str, Any] = {"textcoords": "offset points", "fontsize": 8}
_LATE = (2.5, 5, 10, 20, 40)


def draw_crowds(crowds: Sequence[Sequence[Opened]], path: Path) -> None:
    """Draw how many desktops are open over time, for each way to open them."""
    figure, panels = plt.subplots(
        1, len(crowds), figsize=(5.0 * len(crowds), _HEIGHT), layout="constrained", squeeze=False
    )
    shown: dict[str, Any] = {}
    for axes, results in zip(panels[0], crowds, strict=True):
        for each in results:
            color, dashes, width = _STYLES[each.way]
            times = [0.0, *sorted(each.times)]
            (shown[each.way],) = axes.step(
                times,
                range(len(times)),
                where="post",
                color=color,
                linestyle=dashes,
                linewidth=width,
            )
        crowd = results[0].crowd
        axes.set_title(
            f"{crowd.desktops:,} GUI sessions, {crowd.rate:g} calls a second", loc="left"
        )
        axes.set_xlabel("seconds since the call")
        _plain(axes)
    panels[0][0].set_ylabel("desktops open")
    figure.legend(shown.values(), shown, loc="outside lower center", ncols=3, frameon=False)
    _save(figure, path)


def draw_schedules(points: Sequence[tuple[str, float, float]], path: Path) -> None:
    """Draw polls against lateness, ours as a line.

    Args:
        points: The name, the mean polls and the mean seconds of lateness of each schedule.
        path: Where the picture goes.
    """
    figure, axes = plt.subplots(figsize=(8.0, _HEIGHT), layout="constrained")
    ours = sorted((polls, late, name) for name, polls, late in points if _is_ours(name))
    axes.plot(
        [polls for polls, _, _ in ours], [late for _, late, _ in ours], "o-", color=_OURS, zorder=3
    )
    for place, (polls, late, name) in enumerate(ours):
        # One below the other, because the points are close together.
        below = -14 * (len(ours) - place)
        line = {"arrowstyle": "-", "color": _OURS, "linewidth": 0.6, "relpos": (0, 0.5)}
        axes.annotate(
            name, (polls, late), xytext=(14, below), color=_OURS, arrowprops=line, **_SMALL
        )
    others: dict[tuple[float, float], list[str]] = {}
    for name, polls, late in points:
        if not _is_ours(name):
            others.setdefault((polls, late), []).append(name)
    for point, names in others.items():
        axes.scatter(*point, color=_OTHERS, s=30, zorder=3)
        axes.annotate(", ".join(names), point, xytext=(4, 4), color=_OTHERS, **_SMALL)
    axes.set_yscale("log")
    axes.set_yticks(_LATE, [f"{late:g}" for late in _LATE])
    axes.set_yticks([], minor=True)
    axes.set_ylim(1.5, 60)
    axes.margins(x=0.12)
    axes.set_title("A session that is ready after one to three minutes", loc="left")
    axes.set_xlabel("polls, mean")
    axes.set_ylabel("seconds from ready to seen, mean")
    _plain(axes)
    _save(figure, path)


def _is_ours(name: str) -> bool:
    return name.startswith("dcvsessions")


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the version of matplotlib, which would change the file and not the picture.
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    plt.close(figure)
