"""How long many desktops take, computed without a clock: starts first, then polls, all at one rate.

    python -m benchmarks.scale

The API's rate is known here and is never exceeded, and one process makes all the calls that it
allows. A call takes no time, but has to wait for its turn. The ready times are lognormal, with a
median of 75 s.
"""

import heapq
import random
from collections.abc import Sequence
from statistics import fmean

from attrs import evolve, frozen

from dcvsessions._wait.schedule import PercentageTrend
from dcvsessions.lightsail._session import _OPENING as SCHEDULE

__all__ = ["RATES", "SIZES", "Scale", "scales", "table"]

SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
RATES = (5, 50, 500, 5_000)
# The calls of a start: one reads the state of the session, and one starts it. Lists of the
# computers are not counted, because each has the states of some hundreds.
_CALLS_TO_START = 2
_MEDIAN, _SPREAD = 75.0, 0.4
_SEED = 1
_MOST_SIMULATED = 20_000


@frozen(kw_only=True)
class Scale:
    """How long many desktops take.

    Attributes:
        desktops: How many.
        rate: The calls per second.
        mean: The mean time to a URL, in seconds.
        last: The time to the last, in seconds.
        calls: The calls for each desktop.
    """

    desktops: int
    rate: float
    mean: float
    last: float
    calls: float


def scales(sizes: Sequence[int] = SIZES, rates: Sequence[float] = RATES) -> list[Scale]:
    """Simulate every size at every rate."""
    return [_scale(desktops, rate) for rate in rates for desktops in sizes]


def _scale(desktops: int, rate: float) -> Scale:
    # Twice as many desktops at twice the rate take equally long. So fewer desktops are simulated
    # for many.
    share = min(1.0, _MOST_SIMULATED / desktops)
    return evolve(simulated(round(desktops * share), rate * share), desktops=desktops, rate=rate)


class _Desktop:
    """One desktop: how long its session takes to start, and what its readings tell."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started: float | None = None
        self.trend = PercentageTrend()

    def interval(self, now: float, delay: float, draw: float) -> float | None:
        """Return the seconds until the next poll; None if the session is ready."""
        if self.started is None:
            self.started = now
        elapsed = now - self.started
        if elapsed >= self.seconds:
            return None
        self.trend = self.trend.read(elapsed, int(100 * elapsed / self.seconds))
        remaining = self.trend.remaining(elapsed)
        return SCHEDULE.interval(elapsed, remaining=remaining, delay=delay, draw=draw)


def simulated(desktops: int, rate: float) -> Scale:
    """Simulate desktops that are all asked for at once."""
    source = random.Random(_SEED)
    waiting = [_Desktop(_MEDIAN * source.lognormvariate(0, _SPREAD)) for _ in range(desktops)]
    # Sorted by the time of the next poll. All starts come before all polls.
    polls: list[tuple[float, int]] = []
    now, calls = 0.0, 0
    times: list[float] = []
    for number, desktop in enumerate(waiting):
        now += _CALLS_TO_START / rate
        calls += _CALLS_TO_START
        interval = desktop.interval(now, 0.0, source.random())
        assert interval is not None
        heapq.heappush(polls, (now + interval, number))
    while polls:
        due, number = heapq.heappop(polls)
        now = max(now + 1 / rate, due)
        calls += 1
        interval = waiting[number].interval(now, now - due, source.random())
        if interval is None:
            times.append(now)
        else:
            heapq.heappush(polls, (now + interval, number))
    return Scale(
        desktops=desktops,
        rate=rate,
        mean=fmean(times),
        last=times[-1],
        calls=calls / desktops,
    )


def table(found: Sequence[Scale]) -> str:
    """Return the times to the last URL as a Markdown table."""
    rates = sorted({each.rate for each in found})
    sizes = sorted({each.desktops for each in found})
    last = {(each.desktops, each.rate): each.last for each in found}
    heads = " | ".join(f"{rate:,g} calls/s" for rate in rates)
    lines = [f"| desktops | {heads} |", f"| ---: |{' ---: |' * len(rates)}"]
    for size in sizes:
        cells = " | ".join(_duration(last[size, rate]) for rate in rates)
        lines.append(f"| {size:,} | {cells} |")
    return "\n".join(lines)


_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def _duration(seconds: float) -> str:
    if seconds < 10 * _MINUTE:
        return f"{seconds / _MINUTE:.1f} min"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.1f} days"


def main() -> None:
    """Print the table."""
    found = scales()
    print(table(found))
    print()
    for each in found:
        print(
            f"{each.desktops:>9,} at {each.rate:>5,g}/s: {each.calls:.1f} calls each, "
            f"mean {each.mean:,.0f} s, last {each.last:,.0f} s"
        )


if __name__ == "__main__":
    main()
