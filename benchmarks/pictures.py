"""The two pictures of a run, as PNG files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.crowd import FIXED, GATHERED, TOGETHER, Opened

mpl.use("Agg")
from matplotlib import pyplot as plt

__all__ = ["draw_crowd", "draw_schedules"]

_OURS, _STOCK, _OTHERS = "#0b6e4f", "#c1440e", "#7a7a7a"
_SIZE = (8.0, 4.5)
_DPI = 120


def draw_crowd(results: Iterable[Opened], path: Path) -> None:
    """Draw how many desktops are open over time, for each way."""
    figure, axes = _axes()
    for each in results:
        times = [0.0, *sorted(each.times)]
        axes.step(
            times,
            range(len(times)),
            where="post",
            label=each.way,
            color=_color(each.way),
            linestyle="-" if each.way in (TOGETHER, GATHERED, FIXED) else "--",
            linewidth=2.5 if each.way == TOGETHER else 1.5,
        )
        crowd = each.crowd
        axes.set_title(
            f"{crowd.desktops:,} GUI sessions, at most {crowd.rate:g} calls a second", loc="left"
        )
    axes.set_xlabel("seconds since the call")
    axes.set_ylabel("desktops open")
    axes.legend(frameon=False, loc="lower right")
    _save(figure, path)


def draw_schedules(points: Sequence[tuple[str, float, float]], path: Path) -> None:
    """Draw polls against lateness.

    Args:
        points: The name, the mean polls and the mean seconds of lateness of each schedule.
        path: Where the picture goes.
    """
    figure, axes = _axes()
    for name, polls, late in points:
        is_ours = name.startswith("dcvsessions")
        color = _OURS if is_ours else _OTHERS
        axes.scatter(polls, late, color=color, s=50 if is_ours else 30, zorder=3)
        axes.annotate(name, (polls, late), xytext=(6, 3), textcoords="offset points", color=color)
    axes.set_yscale("log")
    axes.set_title("A session that is ready after one to three minutes", loc="left")
    axes.set_xlabel("polls, mean")
    axes.set_ylabel("seconds from ready to seen, mean")
    _save(figure, path)


def _color(way: str) -> str:
    if way in (TOGETHER, GATHERED):
        return _OURS
    return _STOCK if way == FIXED else _OTHERS


def _axes() -> tuple[Any, Any]:
    figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the version of matplotlib, which would change the file and not the picture.
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
    plt.close(figure)
