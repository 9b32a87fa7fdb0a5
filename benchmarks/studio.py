"""The reads of many Nimble Studio sessions that get ready at the same time, without throttling.

python -m benchmarks.studio
"""

import argparse
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiobotocore.waiter import create_waiter_with_client
from botocore.waiter import WaiterModel

from benchmarks import virtual
from benchmarks.environment import use_only
from benchmarks.rows import Row, exact, table
from benchmarks.stock import stock_session
from dcvsessions import NimbleClient, open_streaming_session
from dcvsessions.simulator import TransitionPlan

__all__ = ["studio_rows"]

_STUDIO = "studio-1"
_PROFILE = "lp-1"
# The ready times are assumed: lognormal, with a median of two minutes.
_MEDIAN, _SPREAD = 120.0, 0.4
_SESSION_READS = ("GetStreamingSession", "ListStreamingSessions")


def _waiter(operation: str, state: str, delay: int, attempts: int) -> dict[str, object]:
    """Write down a waiter in botocore's format."""

    def acceptor(expected: str, outcome: str) -> dict[str, str]:
        return {"matcher": "path", "argument": state, "expected": expected, "state": outcome}

    return {
        "operation": operation,
        "delay": delay,
        "maxAttempts": attempts,
        "acceptors": [acceptor("READY", "success"), acceptor("CREATE_FAILED", "failure")],
    }


# The rule of the waiters that botocore had up to 1.35.47, and of one that polls twice as often.
_SESSION, _STREAM, _OFTEN = "StreamingSessionReady", "StreamingSessionStreamReady", "Often"
_WAITERS = WaiterModel(
    {
        "version": 2,
        "waiters": {
            _SESSION: _waiter("GetStreamingSession", "session.state", 10, 180),
            _STREAM: _waiter("GetStreamingSessionStream", "stream.state", 5, 30),
            _OFTEN: _waiter("GetStreamingSession", "session.state", 5, 360),
        },
    }
)

_Way = Callable[[int, virtual.Record], Awaitable[None]]


async def _ours(count: int, record: virtual.Record) -> None:
    async with NimbleClient() as client:
        await record.gather(
            open_streaming_session(_STUDIO, launch_profile_id=_PROFILE, client=client)
            for _ in range(count)
        )


def _waiting(session_waiter: str) -> _Way:
    """Return a way with stock aiobotocore and waiters."""

    async def open_all(count: int, record: virtual.Record) -> None:
        async with stock_session().create_client("nimble") as client:
            await record.gather(_awaited(client, session_waiter) for _ in range(count))

    return open_all


async def _awaited(client: Any, session_waiter: str) -> None:
    made = await client.create_streaming_session(studioId=_STUDIO, launchProfileId=_PROFILE)
    ids = {"studioId": _STUDIO, "sessionId": made["session"]["sessionId"]}
    await create_waiter_with_client(session_waiter, _WAITERS, client).wait(**ids)
    made = await client.create_streaming_session_stream(**ids)
    ids["streamId"] = made["stream"]["streamId"]
    await create_waiter_with_client(_STREAM, _WAITERS, client).wait(**ids)


_BESIDE: Mapping[str, tuple[_Way, float | None]] = {
    "one Get per poll, each 5 s": (_waiting(_OFTEN), 0.06),
    "the official waiters, 10 s": (_waiting(_SESSION), None),
}


def studio_rows(sessions: int = 100, seed: int = 1) -> list[Row]:
    """Count the reads of sessions, and measure the mean time to a URL."""
    our_reads, our_mean = _measure(_ours, sessions, seed)
    rows: list[Row] = []
    for name, (way, goal) in _BESIDE.items():
        reads, mean = _measure(way, sessions, seed)
        figure = f"reads while {sessions} Nimble Studio sessions get ready"
        rows += [
            exact(figure, "reads", our_reads, name, reads, goal=goal),
            exact("the same, mean time to a URL", "s", our_mean, name, mean),
        ]
    return rows


def _measure(way: _Way, sessions: int, seed: int) -> tuple[int, float]:
    record, calls = virtual.run(lambda: _measured(way, sessions, seed), seed)
    if len(record.times) < sessions:
        raise RuntimeError(f"only {len(record.times)} sessions were opened: {record.errors}")
    return sum(calls[name] for name in _SESSION_READS), sum(record.times) / sessions


async def _measured(way: _Way, sessions: int, seed: int) -> tuple[virtual.Record, Counter[str]]:
    draw = random.Random(seed)
    async with virtual.simulator(seed) as sim:
        sim.nimble.add_studio(_STUDIO, launch_profiles=(_PROFILE,))
        for operation, median in (
            ("CreateStreamingSession", _MEDIAN),
            ("CreateStreamingSessionStream", 4.0),
        ):
            for _ in range(sessions):
                seconds = median * draw.lognormvariate(0, _SPREAD)
                sim.nimble.plan(operation, TransitionPlan(seconds=seconds))
        virtual.delay(sim, virtual.LATENCY)
        use_only(sim.environ)
        record = virtual.Record()
        await way(sessions, record)
        return record, Counter(each.operation for each in sim.requests)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=100)
    print(table(studio_rows(parser.parse_args().sessions)))


if __name__ == "__main__":
    main()
