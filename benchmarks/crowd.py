"""Many GUI sessions opened at once, against an API that refuses calls above a rate.

    python -m benchmarks.crowd --desktops 1000 --rate 50

The simulator and the client run in one event loop in virtual time, and talk over loopback. Time
passes only while everybody waits, so the figures do not depend on the machine. Every way of opening
gets the same desktops: each takes the same time to start in all of them.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractAsyncContextManager
from itertools import count
from multiprocessing import get_context
from statistics import fmean
from typing import Any

import looptime
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from attrs import asdict, evolve, field, frozen
from botocore.exceptions import ClientError
from botocore.retries import bucket

import dcvsessions
from dcvsessions import LightsailClient, open_gui_session
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

__all__ = ["Crowd", "Opened", "measure"]

_INTERVAL = 10.0
_LATENCY = 0.05
_KEEP_REQUESTS = 10_000_000
# The percentages that polls read while a session starts; "exact" grows with the time.
_PERCENTAGES: Mapping[str, tuple[int, ...]] = {
    "exact": (),
    "tens": tuple(range(0, 100, 10)),
    "none": (0,),
}

_Note = Callable[[], None]
_Way = Callable[[list[str], Callable[[str], None]], Awaitable[None]]


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
        percentages: What readings tell of the progress: `exact`, `tens` or `none`.
        seed: Determines how long each session takes.
    """

    desktops: int = 1000
    rate: float = 50
    burst: int = 50
    median: float = 75
    spread: float = 0.4
    latency: float = _LATENCY
    percentages: str = "exact"
    seed: int = 1


@frozen(kw_only=True)
class Opened:
    """What became of a crowd.

    Attributes:
        way: How the desktops were opened.
        crowd: The crowd.
        times: The seconds after which each URL was there, in order.
        errors: The errors, and how often each was raised.
        calls: The calls that arrived, by operation.
        refused: Those that were refused, by operation.
        cpu: Seconds of CPU that the simulation took, client and simulator together.
    """

    way: str
    crowd: Crowd
    times: tuple[float, ...] = field(repr=False)
    errors: Mapping[str, int]
    calls: Mapping[str, int]
    refused: Mapping[str, int]
    cpu: float

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the table."""
        calls, refused = sum(self.calls.values()), sum(self.refused.values())
        return {
            "opened": len(self.times),
            "mean": fmean(self.times) if self.times else float("nan"),
            "last": max(self.times, default=float("nan")),
            "calls": calls,
            "refused": refused,
            "refused per accepted": refused / max(1, calls - refused),
        }


async def _ours(names: list[str], opened: Callable[[str], None]) -> None:
    """`gather` of `open_gui_session` on one client."""
    async with LightsailClient() as client:

        async def one(name: str) -> None:
            await open_gui_session(name, client=client)
            opened(name)

        await _all(map(one, names))


async def _ours_together(names: list[str], opened: Callable[[str], None]) -> None:
    """`open_gui_sessions`."""
    opening: Any = getattr(dcvsessions, "open_gui_sessions")  # noqa: B009 - may not exist
    found = opening(names)
    if isinstance(found, AbstractAsyncContextManager):
        async with found as outcomes:
            async for outcome in outcomes:
                if outcome.error is None:
                    opened(outcome.name)
    else:
        async for outcome in found:
            if outcome.error is None:
                opened(outcome.name)


async def _fixed(names: list[str], opened: Callable[[str], None]) -> None:
    """A loop by hand on stock aiobotocore, which takes a refusal for no news."""
    await _by_hand(names, opened, AioConfig())


async def _fixed_adaptive(names: list[str], opened: Callable[[str], None]) -> None:
    """The same loop, with the retries of botocore's `adaptive` mode."""
    await _by_hand(names, opened, AioConfig(retries={"mode": "adaptive"}))


async def _fixed_adaptive_wide(names: list[str], opened: Callable[[str], None]) -> None:
    """The same, with the connections that our clients have."""
    retries = {"mode": "adaptive", "total_max_attempts": 3}
    await _by_hand(names, opened, AioConfig(retries=retries, max_pool_connections=25))


async def _by_hand(names: list[str], opened: Callable[[str], None], config: AioConfig) -> None:
    async with AioSession().create_client("lightsail", config=config) as client:

        async def one(name: str) -> None:
            while True:
                try:
                    details = await client.create_gui_session_access_details(resourceName=name)
                    if details["status"] == "started":
                        opened(name)
                        return
                    if details["status"] == "notStarted":
                        await client.start_gui_session(resourceName=name)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "ThrottlingException":
                        raise
                await asyncio.sleep(_INTERVAL)

        await _all(map(one, names))


async def _all(work: Iterable[Awaitable[None]]) -> None:
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for name, count in Counter(type(each).__name__ for each in outcomes if each).items():
        _ERRORS[name] += count


_ERRORS: Counter[str] = Counter()

WAYS: Mapping[str, _Way] = {
    "open_gui_session, gathered": _ours,
    "open_gui_sessions": _ours_together,
    "fixed 10 s on aiobotocore": _fixed,
    "fixed 10 s, adaptive": _fixed_adaptive,
    "fixed 10 s, adaptive, 25 connections": _fixed_adaptive_wide,
}


def ways() -> list[str]:
    """Return the ways of opening that this version of dcvsessions has."""
    has_many = hasattr(dcvsessions, "open_gui_sessions")
    return [name for name in WAYS if has_many or name != "open_gui_sessions"]


def measure(crowd: Crowd, way: str) -> Opened:
    """Open a crowd in one way."""
    began = time.process_time()
    random.seed(crowd.seed)
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(noop_cycles=3)) as runner:
        opened = runner.run(_measured(crowd, way))
    return evolve(opened, cpu=time.process_time() - began)


async def _measured(crowd: Crowd, way: str) -> Opened:
    loop = asyncio.get_running_loop()
    # The adaptive mode reads the wall clock, which stands still in virtual time. It also counts on
    # a clock that moves between two readings, or it would wait for ever for 1e-15 of a call.
    readings = count()
    bucket.Clock.current_time = lambda _: loop.time() + 1e-9 * next(readings)  # type: ignore[method-assign]
    draw = random.Random(crowd.seed)
    names = [f"desktop-{number:06}" for number in range(crowd.desktops)]
    async with Simulator(keep_requests=_KEEP_REQUESTS) as sim:
        for name in names:
            sim.lightsail.add_instance(name)
            plan = TransitionPlan(
                seconds=crowd.median * draw.lognormvariate(0, crowd.spread),
                percentages=_PERCENTAGES[crowd.percentages],
                times=None,
            )
            sim.lightsail.plan(name, "StartGUISession", plan)
        sim.throttle(crowd.rate, burst=crowd.burst)
        if crowd.latency:
            sim.inject("*", Fault.delay(crowd.latency), times=None)
        _use_only(sim.environ)
        times: list[float] = []
        _ERRORS.clear()
        began = loop.time()
        await WAYS[way](names, lambda _: times.append(loop.time() - began))
        requests = sim.requests
    return Opened(
        way=way,
        crowd=crowd,
        times=tuple(times),
        errors=dict(_ERRORS),
        calls=dict(Counter(each.operation for each in requests)),
        refused=dict(
            Counter(each.operation for each in requests if each.error == "ThrottlingException")
        ),
        cpu=0.0,
    )


def _use_only(environ: Mapping[str, str]) -> None:
    """Point AWS clients at the simulator, whatever the environment says."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "BOTO_")):
            del os.environ[name]
    os.environ.update(
        environ,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


def measure_all(crowd: Crowd, chosen: Iterable[str], processes: int = 1) -> list[Opened]:
    """Open a crowd in each way, each in a process of its own."""
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(measure, *zip(*((crowd, way) for way in chosen), strict=True)))


def table(results: Iterable[Opened]) -> str:
    """Return the results as lines of text, with ratios to the fixed interval."""
    results = list(results)
    base = next((each.figures for each in results if each.way.endswith("aiobotocore")), None)
    lines = [
        f"{'way':38}{'opened':>7}{'mean':>16}{'last':>16}{'calls':>16}{'refused':>9}"
        f"{'per accepted':>14}{'CPU':>7}"
    ]
    for each in results:
        figures = each.figures
        ratios = {
            name: f"{figures[name]:.0f} ({figures[name] / base[name]:.2f})"
            if base
            else f"{figures[name]:.0f}"
            for name in ("mean", "last", "calls")
        }
        lines.append(
            f"{each.way:38}{figures['opened']:7.0f}{ratios['mean']:>16}{ratios['last']:>16}"
            f"{ratios['calls']:>16}{figures['refused']:9.0f}"
            f"{figures['refused per accepted']:14.3f}{each.cpu:7.1f}"
        )
        lines.append(f"    calls {dict(each.calls)} refused {dict(each.refused)}")
        if each.errors:
            lines.append(f"    errors {dict(each.errors)}")
    return "\n".join(lines)


def main() -> None:
    """Open one crowd in each way and print what became of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--desktops", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--burst", type=int, default=50)
    parser.add_argument("--median", type=float, default=75)
    parser.add_argument("--spread", type=float, default=0.4)
    parser.add_argument("--latency", type=float, default=_LATENCY)
    parser.add_argument("--percentages", choices=_PERCENTAGES, default="exact")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", nargs="*", help="the beginnings of the ways to measure")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = vars(parser.parse_args())
    prefixes, processes, as_json = given.pop("ways"), given.pop("processes"), given.pop("json")
    crowd = Crowd(**given)
    chosen = [way for way in ways() if prefixes is None or any(way.startswith(p) for p in prefixes)]
    results = measure_all(crowd, chosen, processes)
    if as_json:
        print(json.dumps([{**asdict(each), "figures": each.figures} for each in results]))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
