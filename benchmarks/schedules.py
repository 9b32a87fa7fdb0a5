"""Polls against lateness for schedules, computed: no clock, no network, always the same.

`python -m benchmarks.schedules` prints a table in about ten seconds. A call takes no time here, and
the first poll, at 0 s, is counted. Lateness is the time from "ready" to the poll that sees it.

The ready times are assumed, because nobody publishes real ones. They are lognormal: with a median
of 60 to 180 s for a session, of 4 s for a stream, and of 75 s for many sessions that share one rate
of calls.
"""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise, product
from statistics import NormalDist, fmean
from typing import NamedTuple

from dcvsessions._wait.schedule import PercentageTrend, Schedule
from dcvsessions.lightsail._session import _OPENING as SESSION
from dcvsessions.nimble._session import _STREAMING as STREAM

__all__ = ["Row", "fewest_polls", "rows", "simulated"]

_MEDIANS = (60.0, 180.0)
_SPREADS = (0.3, 0.6)
_STEPS = (1, 10, 25, 50)
_DELAYS = (0.0, 0.5, 1.0, 2.0)
_LONGEST_INTERVALS = (12, 15, 18, 20, 25, 30, 40, 60)
_DRAWS = 20_000
_SEED = 20261121


class Operation(NamedTuple):
    """One operation: it takes `seconds`, and reports 100 * (share of them) ** `warp` percent."""

    seconds: float
    warp: float

    def percentage(self, elapsed: float, step: int) -> int:
        """Return what the service reports, rounded down to whole steps."""
        return int(100 * (elapsed / self.seconds) ** self.warp) // step * step


class Poll(NamedTuple):
    """What a schedule knows when it chooses the next interval."""

    number: int
    elapsed: float
    remaining: float | None
    draw: float


class Row(NamedTuple):
    """What a schedule costs for one kind of operation.

    Attributes:
        operation: "session", "stream" or "crowd".
        schedule: The name of the schedule.
        step: The steps in which the service reports the percentage; None if it reports none.
        polls: The mean number of polls.
        late: The mean lateness, in seconds.
        latest: The longest lateness, in seconds.
    """

    operation: str
    schedule: str
    step: int | None
    polls: float
    late: float
    latest: float


Interval = Callable[[Poll], float]


def fixed(seconds: float) -> Interval:
    """Return the rule of a fixed interval, which the official Nimble Studio waiters have too."""
    return lambda _: seconds


def smithy(poll: Poll) -> float:
    """Return the default interval of Smithy's waiters: 2 to 120 s by 2, with full jitter."""
    return 2 + poll.draw * (min(2.0**poll.number, 120) - 2)


def google(poll: Poll) -> float:
    """Return the default interval of google-api-core's futures: 1 to 20 s by 1.5, full jitter."""
    return poll.draw * min(1.5 ** (poll.number - 1), 20)


def ours(schedule: Schedule, delay: float = 0.0) -> Interval:
    """Return the rule of this package, if a call waits `delay` seconds for its turn."""
    return lambda poll: schedule.interval(
        poll.elapsed, remaining=poll.remaining, delay=delay, draw=poll.draw
    )


def operations(medians: tuple[float, float], spreads: tuple[float, float]) -> Sequence[Operation]:
    """Draw lognormal operations, with uniform medians and spreads, and warps from 1/2 to 2."""
    source = random.Random(_SEED)
    # Stratified draws: the means hardly depend on the seed.
    strata = [(index + 0.5) / _DRAWS for index in range(_DRAWS)]
    draws = (source.sample(strata, _DRAWS) for _ in range(4))
    normal = NormalDist().inv_cdf
    return [
        Operation(
            _between(medians, median) * math.exp(_between(spreads, spread) * normal(ready)),
            2 ** (2 * warp - 1),
        )
        for median, spread, ready, warp in zip(*draws, strict=True)
    ]


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + (high - low) * share


SESSIONS = operations(_MEDIANS, _SPREADS)
STREAMS = operations((4, 4), (0.5, 0.5))
CROWD = operations((75, 75), (0.4, 0.4))


def simulated(
    operation: str, name: str, interval: Interval, drawn: Iterable[Operation], step: int | None
) -> Row:
    """Return what a schedule costs for the operations that were drawn."""
    source = random.Random(_SEED)
    results = [_polled(each, interval, step, source) for each in drawn]
    late = [seconds for _, seconds in results]
    return Row(operation, name, step, fmean(polls for polls, _ in results), fmean(late), max(late))


def _polled(
    operation: Operation, interval: Interval, step: int | None, source: random.Random
) -> tuple[int, float]:
    """Return how many polls one operation takes, and how late the last one is."""
    elapsed, number, trend = 0.0, 1, PercentageTrend()
    while elapsed < operation.seconds:
        if step is not None and elapsed > 0:
            trend = trend.read(elapsed, operation.percentage(elapsed, step))
        elapsed += interval(Poll(number, elapsed, trend.remaining(elapsed), source.random()))
        number += 1
    return number, elapsed - operation.seconds


def rows() -> list[Row]:
    """Simulate every schedule. The "crowd" has `delay` seconds of queue before each call."""
    sessions: list[tuple[str, Interval, int | None]] = [
        *((f"fixed {seconds} s", fixed(seconds), None) for seconds in (5, 10, 15, 20)),
        ("official Nimble waiter, 10 s", fixed(10), None),
        ("Smithy's default", smithy, None),
        ("google-api-core's default", google, None),
        *(("dcvsessions", ours(SESSION), step) for step in (None, *_STEPS)),
    ]
    streams: list[tuple[str, Interval]] = [
        ("fixed 2 s", fixed(2)),
        ("official Nimble waiter, 5 s", fixed(5)),
        ("Smithy's default", smithy),
        ("google-api-core's default", google),
        ("dcvsessions", ours(STREAM)),
    ]
    crowds: list[tuple[str, Interval]] = [
        ("fixed 10 s", fixed(10)),
        *((f"dcvsessions, {delay:g} s of queue", ours(SESSION, delay)) for delay in _DELAYS),
    ]
    return [
        *(simulated("session", name, each, SESSIONS, step) for name, each, step in sessions),
        *(simulated("stream", name, each, STREAMS, None) for name, each in streams),
        *(simulated("crowd", name, each, CROWD, None) for name, each in crowds),
    ]


class _Cost(NamedTuple):
    polls: float
    late: float


def fewest_polls(longest: int, late: float = 5.0) -> float:
    """Return how many polls the best of all schedules needs for a session.

    It knows how the ready times are distributed, and reads no percentages. Its intervals are whole
    seconds.

    Args:
        longest: Its longest interval, in seconds.
        late: Its mean lateness, in seconds.
    """
    waiting = _waiting()
    dear, cheap = (_cheapest(waiting, longest, price) for price in (50, 0.02))
    while True:
        # The price of a second of lateness, in polls, at which the two schedules cost the same.
        price = (dear.polls - cheap.polls) / (cheap.late - dear.late)
        between = _cheapest(waiting, longest, price)
        if between in (dear, cheap):
            return dear.polls - price * (late - dear.late)
        dear, cheap = (between, cheap) if between.late <= late else (dear, between)


def _waiting() -> list[float]:
    """Return which share of all sessions is not ready yet, for each second."""
    shares = [(index + 0.5) / 20 for index in range(20)]
    kinds = [
        NormalDist(math.log(_between(_MEDIANS, median)), _between(_SPREADS, spread))
        for median, spread in product(shares, shares)
    ]
    return [1.0, *(1 - fmean(kind.cdf(math.log(now)) for kind in kinds) for now in range(1, 1500))]


def _cheapest(waiting: Sequence[float], longest: int, price: float) -> _Cost:
    """Return what the cheapest schedule costs if one second of lateness costs `price` polls.

    Dynamic programming, from the last second to the first: `rest[now]` is what the cheapest
    schedule costs after a poll at `now`.
    """
    area = [0.0, *accumulate((a + b) / 2 for a, b in pairwise(waiting))]
    end = len(waiting) - 1
    rest = [_Cost(0.0, 0.0)] * (end + 1)
    for now in reversed(range(end)):
        choices = [
            _Cost(
                waiting[now] + rest[then].polls,
                (then - now) * waiting[now] - (area[then] - area[now]) + rest[then].late,
            )
            for then in range(now + 1, min(now + longest, end) + 1)
        ]
        rest[now] = min(choices, key=lambda cost: cost.polls + price * cost.late)
    return _Cost(1 + rest[0].polls, rest[0].late)


def main() -> None:
    """Print the table."""
    print(f"{'operation':10}{'schedule':32}{'step':>5}{'polls':>8}{'late, s':>9}{'latest':>8}")
    for row in rows():
        step = "" if row.step is None else str(row.step)
        print(
            f"{row.operation:10}{row.schedule:32}{step:>5}"
            f"{row.polls:8.2f}{row.late:9.2f}{row.latest:8.1f}"
        )
    print("\nThe fewest polls that are possible for a session at 5 s of lateness:")
    for longest in _LONGEST_INTERVALS:
        print(f"{f'intervals of at most {longest} s':47}{fewest_polls(longest):8.2f}")


if __name__ == "__main__":
    main()
