"""Many GUI sessions opened at once, against an API that refuses calls above a rate.

    python -m benchmarks.crowd --desktops 1000 --rate 50

Every way of opening gets the same desktops: each takes the same time to start in all of them.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import fmean
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from attrs import asdict, evolve, field, frozen
from botocore.exceptions import ClientError

import dcvsessions
from benchmarks import virtual
from benchmarks.environment import use_only
from dcvsessions import LightsailClient, open_gui_session
from dcvsessions.simulator import TransitionPlan

__all__ = [
    "ADAPTIVE",
    "FIXED",
    "FIXED_ONCE",
    "GATHERED",
    "LEAST",
    "TOGETHER",
    "Crowd",
    "Opened",
    "measure_all",
    "ways",
]

_INTERVAL = 10.0
# The percentages that readings show while a session starts. "exact" grows with the time, and with
# "none" it stays at 0.
_PERCENTAGES: Mapping[str, tuple[int, ...]] = {
    "exact": (),
    "tens": tuple(range(0, 100, 10)),
    "none": (0,),
}


@frozen(kw_only=True)
class Crowd:
    """The desktops of one measurement, and what the API grants.

    Attributes:
        desktops: How many GUI sessions are opened at once.
        rate: The calls per second that the API accepts.
        burst: The calls that it accepts at once after a pause.
        median: The median of the seconds that a session takes to start.
        spread: The standard deviation of their logarithm.
        latency: Seconds from a request to its response.
        percentages: How readings show the progress: `exact`, `tens` or `none`.
        seed: Determines how long each session takes.
    """

    desktops: int = 1000
    rate: float = 50
    burst: int = 50
    median: float = 75
    spread: float = 0.4
    latency: float = virtual.LATENCY
    percentages: str = "exact"
    seed: int = 1


@frozen(kw_only=True)
class Opened:
    """The result of opening a crowd.

    Attributes:
        way: How the desktops were opened.
        crowd: The crowd.
        times: The seconds after which each URL was there, in order.
        errors: How often each kind of error was raised.
        calls: The calls that arrived, by operation.
        refused: Those that were refused, by operation.
        cpu: The CPU seconds of the client and the simulator.
    """

    way: str
    crowd: Crowd
    times: Sequence[float] = field(repr=False)
    errors: Mapping[str, int]
    calls: Mapping[str, int]
    refused: Mapping[str, int]
    cpu: float = 0.0

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the table."""
        calls, refused = sum(self.calls.values()), sum(self.refused.values())
        return {
            "opened": len(self.times),
            "mean": fmean(self.times) if self.times else float("nan"),
            "last": max(self.times, default=float("nan")),
            "calls": calls,
            "refused per accepted": refused / max(1, calls - refused),
        }


_Way = Callable[[list[str], virtual.Record], Awaitable[None]]


async def _gathered(names: list[str], record: virtual.Record) -> None:
    async with LightsailClient() as client:
        await record.gather(open_gui_session(name, client=client) for name in names)


async def _together(names: list[str], record: virtual.Record) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with dcvsessions.open_gui_sessions(names) as outcomes:
        async for outcome in outcomes:
            if outcome.error is None:
                record.times.append(loop.time() - began)
            else:
                record.errors[type(outcome.error).__name__] += 1


def _by_hand(**retries: object) -> _Way:
    """Return a loop as people write it on aiobotocore. It continues after a refusal."""

    async def open_all(names: list[str], record: virtual.Record) -> None:
        config = AioConfig(retries=retries) if retries else AioConfig()
        async with AioSession().create_client("lightsail", config=config) as client:
            await record.gather(_polled(client, name) for name in names)

    return open_all


async def _polled(client: Any, name: str) -> None:
    while True:
        try:
            details = await client.create_gui_session_access_details(resourceName=name)
            if details["status"] == "started":
                return
            if details["status"] == "notStarted":
                await client.start_gui_session(resourceName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
        await asyncio.sleep(_INTERVAL)


FIXED = "fixed 10 s on aiobotocore"
FIXED_ONCE = "the same, without botocore's retries"
ADAPTIVE = "the same, with botocore's adaptive mode"
GATHERED = "open_gui_session, gathered"
LEAST = "the least that is possible"
TOGETHER = "open_gui_sessions"

_WAYS: Mapping[str, _Way] = {
    TOGETHER: _together,
    GATHERED: _gathered,
    FIXED: _by_hand(),
    FIXED_ONCE: _by_hand(total_max_attempts=1),
    ADAPTIVE: _by_hand(mode="adaptive"),
}


def ways() -> list[str]:
    """Return the names of the ways to open a crowd."""
    return list(_WAYS)


def measure(crowd: Crowd, way: str) -> Opened:
    """Open a crowd in one way."""
    began = time.process_time()
    opened = virtual.run(lambda: _measured(crowd, way), crowd.seed)
    return evolve(opened, cpu=time.process_time() - began)


async def _measured(crowd: Crowd, way: str) -> Opened:
    names = [f"desktop-{number:06}" for number in range(crowd.desktops)]
    async with virtual.simulator(crowd.seed) as sim:
        for name, seconds in zip(names, _seconds(crowd), strict=True):
            sim.lightsail.add_instance(name)
            plan = TransitionPlan(
                seconds=seconds, percentages=_PERCENTAGES[crowd.percentages], times=None
            )
            sim.lightsail.plan(name, "StartGUISession", plan)
        sim.throttle(crowd.rate, burst=crowd.burst)
        virtual.delay(sim, crowd.latency)
        use_only(sim.environ)
        record = virtual.Record()
        await _WAYS[way](names, record)
        requests = sim.requests
    return Opened(
        way=way,
        crowd=crowd,
        times=sorted(record.times),
        errors=record.errors,
        calls=Counter(each.operation for each in requests),
        refused=Counter(each.operation for each in requests if each.error == "ThrottlingException"),
    )


def measure_all(crowd: Crowd, chosen: Iterable[str], processes: int = 2) -> list[Opened]:
    """Open a crowd in each way, each in a new process; the least that is possible comes last."""
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=1) as pool:
        running = [pool.submit(measure, crowd, way) for way in chosen]
        return [*(each.result() for each in running), least(crowd)]


def least(crowd: Crowd) -> Opened:
    """Return the best possible result: one call starts each desktop, and one reads it in time."""
    seconds = _seconds(crowd)
    return Opened(
        way=LEAST,
        crowd=crowd,
        times=sorted(number / crowd.rate + each for number, each in enumerate(seconds)),
        errors={},
        calls={"StartGUISession": crowd.desktops, "CreateGUISessionAccessDetails": crowd.desktops},
        refused={},
    )


def _seconds(crowd: Crowd) -> list[float]:
    """Draw how long each session takes to start."""
    draw = random.Random(crowd.seed)
    return [crowd.median * draw.lognormvariate(0, crowd.spread) for _ in range(crowd.desktops)]


# For the usual crowd, opened in our ways.
_GOALS = "| goals | 1,000 | (0.68) | (0.80) | (0.40) | 0.10 |"


def table(results: Sequence[Opened]) -> str:
    """Return the results as a Markdown table, with ratios to the fixed interval."""
    base = next((each.figures for each in results if each.way == FIXED), None)
    lines = [
        "| way | opened | mean to a URL, s | to the last, s | calls | refused per accepted |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in results:
        figures = each.figures
        cells = [
            f"{figures[name]:,.0f}" + (f" ({figures[name] / base[name]:.2f})" if base else "")
            for name in ("mean", "last", "calls")
        ]
        errors = ", ".join(f"{count} {name}" for name, count in each.errors.items())
        opened = f"{figures['opened']:,.0f}" + (f" ({errors})" if errors else "")
        lines.append(
            f"| {each.way} | {opened} | {' | '.join(cells)} "
            f"| {figures['refused per accepted']:.2f} |"
        )
    if results[0].crowd == Crowd():
        lines.append(_GOALS)
    return "\n".join(lines)


def main() -> None:
    """Open one crowd in each way, and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--desktops", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--burst", type=int, default=50)
    parser.add_argument("--median", type=float, default=75)
    parser.add_argument("--spread", type=float, default=0.4)
    parser.add_argument("--latency", type=float, default=virtual.LATENCY)
    parser.add_argument("--percentages", choices=_PERCENTAGES, default="exact")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="*", default=[""], help="what their names contain")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    given = vars(parser.parse_args())
    parts, processes, as_json = given.pop("ways"), given.pop("processes"), given.pop("json")
    chosen = [way for way in ways() if any(part in way for part in parts)]
    results = measure_all(Crowd(**given), chosen, processes)
    if as_json:
        print(json.dumps([{**asdict(each), "figures": each.figures} for each in results]))
        return
    print(table(results))
    for each in results:
        print(f"\n{each.way}: {each.cpu:.1f} s of CPU")
        print(f"  calls {dict(each.calls)}\n  refused {dict(each.refused)}")


if __name__ == "__main__":
    main()
