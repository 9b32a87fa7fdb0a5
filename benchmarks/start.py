"""What a program waits for before its first call: imports, the first client, the first URL.

Each figure is taken in a new process, ours and stock aiobotocore's in turn.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from time import perf_counter

from attrs import frozen

__all__ = ["Sample", "first_client", "imports", "longest_stall", "start_to_url"]


@frozen(kw_only=True)
class Sample:
    """Figures of ours and of another way, measured in turn.

    Attributes:
        figure: What was measured.
        unit: The unit of all figures.
        ours: Our figures, one for each pair.
        beside: What ours are compared with.
        theirs: The figures of the other way.
        goal: What the ratio of ours to theirs may be at most.
    """

    figure: str
    unit: str
    ours: list[float]
    beside: str
    theirs: list[float]
    goal: float


_STOCK = "stock aiobotocore"

_IMPORT = """
import time
began = time.process_time()
{statement}
print((time.process_time() - began) * 1e3)
"""
_OUR_IMPORT = _IMPORT.format(statement="from dcvsessions import open_gui_session")
_STOCK_IMPORT = _IMPORT.format(statement="import aiobotocore.session")

_CLIENT = """
import asyncio, gc, time, tracemalloc
{imports}
async def measured():
    # Otherwise the objects of the imports are examined at a time that chance chooses.
    gc.collect()
    if {in_memory}:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    began = time.process_time()
    async with {client}:
        print((time.process_time() - began) * 1e3)
        print((tracemalloc.get_traced_memory()[0] - before) / 1e6)
asyncio.run(measured())
"""
_OUR_CLIENT = {
    "imports": (
        "from dcvsessions import LightsailClient\n"
        "from dcvsessions._aws.imports import import_now\n"
        "import_now()"
    ),
    "client": "LightsailClient()",
}
_STOCK_CLIENT = {
    "imports": "from aiobotocore.session import get_session",
    "client": "get_session().create_client('lightsail')",
}

_STALL = """
import asyncio, time
{imports}
async def beat(gaps):
    last = time.process_time()
    while True:
        await asyncio.sleep(0.001)
        now = time.process_time()
        gaps.append(now - last)
        last = now
async def opened():
    {statements}
    async with {client}:
        pass
async def measured():
    gaps = []
    heart = asyncio.create_task(beat(gaps))
    await asyncio.sleep(0.05)
    gaps.clear()
    await opened()
    await asyncio.sleep(0.01)
    heart.cancel()
    print(max(gaps) * 1e3)
asyncio.run(measured())
"""
_OUR_STALL = _STALL.format(
    imports="from dcvsessions import LightsailClient", statements="", client="LightsailClient()"
)
_STOCK_STALL = _STALL.format(
    imports="",
    statements="from aiobotocore.session import get_session",
    client="get_session().create_client('lightsail')",
)

_OUR_URL = """
import asyncio, sys
from dcvsessions import open_gui_session
print(asyncio.run(open_gui_session("my-computer", endpoint_url=sys.argv[1])))
"""
_STOCK_URL = """
import asyncio, sys
from aiobotocore.session import get_session
async def first_url():
    async with get_session().create_client("lightsail", endpoint_url=sys.argv[1]) as client:
        while True:
            answer = await client.create_gui_session_access_details(resourceName="my-computer")
            for session in answer["sessions"]:
                if answer["status"] == "started" and session["isPrimary"] and "url" in session:
                    return session["url"]
            await asyncio.sleep(10)
print(asyncio.run(first_url()))
"""


def imports(pairs: int = 20) -> Sample:
    """Measure the CPU time of an import."""
    return _sample(
        "from dcvsessions import open_gui_session",
        "ms CPU",
        "import aiobotocore.session",
        [(_first(_OUR_IMPORT), _first(_STOCK_IMPORT)) for _ in range(pairs)],
        goal=0.30,
    )


def first_client(pairs: int = 20) -> list[Sample]:
    """Measure the CPU time and the memory of the first client, with everything imported."""
    cpu = [
        (
            _first(_CLIENT.format(in_memory=False, **_OUR_CLIENT)),
            _first(_CLIENT.format(in_memory=False, **_STOCK_CLIENT)),
        )
        for _ in range(pairs)
    ]
    memory = [
        (
            _figures(_CLIENT.format(in_memory=True, **_OUR_CLIENT))[1],
            _figures(_CLIENT.format(in_memory=True, **_STOCK_CLIENT))[1],
        )
        # Python allocates the same each time.
        for _ in range(1)
    ]
    return [
        _sample("first client of a process", "ms CPU", _STOCK, cpu, goal=0.25),
        _sample("the same, memory as tracemalloc counts it", "MB", _STOCK, memory, goal=0.15),
    ]


def longest_stall(pairs: int = 20) -> Sample:
    """Measure the longest stall of the event loop while the first client opens.

    That is the CPU time that the process takes between two turns of the loop: other processes on
    the machine do not add to it.
    """
    return _sample(
        "longest stall at the first opening",
        "ms CPU",
        "stock aiobotocore, imported in the coroutine",
        [(_first(_OUR_STALL), _first(_STOCK_STALL)) for _ in range(pairs)],
        goal=30 / 400,
    )


def start_to_url(endpoint_url: str, pairs: int = 20) -> list[Sample]:
    """Measure the start of a process to the URL of a session that is started.

    Args:
        endpoint_url: A server that answers CreateGUISessionAccessDetails for `my-computer`.
        pairs: How many pairs to measure.
    """
    turns = [
        (_spent(_OUR_URL, endpoint_url), _spent(_STOCK_URL, endpoint_url)) for _ in range(pairs)
    ]
    beside = "by hand on stock aiobotocore"
    return [
        _sample(
            "process start to first URL",
            "ms CPU",
            beside,
            [(o[0], t[0]) for o, t in turns],
            goal=0.97,
        ),
        _sample(
            "process start to first URL",
            "ms wall",
            beside,
            [(o[1], t[1]) for o, t in turns],
            goal=0.97,
        ),
    ]


def _sample(
    figure: str, unit: str, beside: str, pairs: list[tuple[float, float]], *, goal: float
) -> Sample:
    ours, theirs = zip(*pairs, strict=True)
    return Sample(
        figure=figure, unit=unit, ours=[*ours], beside=beside, theirs=[*theirs], goal=goal
    )


def _first(code: str) -> float:
    return _figures(code)[0]


def _figures(code: str) -> list[float]:
    """Run code in a new process, and return the numbers that it prints."""
    done = subprocess.run(  # noqa: S603 - the code is above
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=_environ()
    )
    return [float(line) for line in done.stdout.split()]


def _spent(code: str, argument: str) -> tuple[float, float]:
    """Run code in a new process, and return the milliseconds of CPU and of wall time it took."""
    began = perf_counter()
    process = subprocess.Popen(  # noqa: S603 - the code is above
        [sys.executable, "-c", code, argument], stdout=subprocess.DEVNULL, env=_environ()
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "start to first URL")
    return (used.ru_utime + used.ru_stime) * 1e3, (perf_counter() - began) * 1e3


def _environ() -> Mapping[str, str]:
    """Return an environment with made-up credentials, in which Python keeps its bytecode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
