"""Watch a start and a stop of a real GUI session: `python -m dcvsessions.simulator record`."""

import argparse
import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from dcvsessions.simulator._recording import IN_PROGRESS, Reading, scenario_text

__all__ = ["RecordingError", "main", "record"]

# Calls an operation of Lightsail with its parameters, and returns its output.
Call: TypeAlias = Callable[[str, dict[str, str]], Awaitable[dict[str, Any]]]

_STARTABLE = frozenset({"notStarted", "stopped", "startExpired"})
_LONGEST = 1800.0
_PLAN = """This will, on AWS and at the usual price of a running computer:
- start the GUI session of {name}, and watch until it is started (some minutes),
- stop it again; unsaved work in it is lost, and it stays stopped, even if it was notStarted,
- write the statuses, times and percentages to {output}, without names, ids and addresses.
"""


class RecordingError(Exception):
    """The recording failed; the message says why."""


async def record(call: Call, name: str, *, interval: float) -> str:
    """Start and stop a GUI session, and return a scenario file that replays it.

    A session that was started is stopped again, whatever happens. It stays stopped, even if it was
    `notStarted` before: no operation makes it `notStarted` again.

    Args:
        call: Calls an operation of Lightsail.
        name: The virtual computer. It has to be running, and its GUI session not started.
        interval: Seconds from one reading to the next.

    Raises:
        RecordingError: The session is in a state from which a start cannot be watched, a
            transition takes longer than half an hour, or `call` raised it.
    """
    status = (await _read(call, name, 0)).status
    if status not in _STARTABLE:
        raise RecordingError(f"The GUI session of {name} is {status}; it has to be stopped")
    courses: dict[str, list[Reading]] = {}
    try:
        courses["StartGUISession"] = await _watch(call, name, "StartGUISession", status, interval)
    finally:
        reached = courses.get("StartGUISession", [Reading(at=0, status="starting")])[-1].status
        if reached in {"starting", "started"}:
            stop = _watch(call, name, "StopGUISession", reached, interval)
            courses["StopGUISession"] = await stop
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    return scenario_text(status, courses, date=date, interval=interval)


async def _watch(
    call: Call, name: str, operation: str, before: str, interval: float
) -> list[Reading]:
    loop = asyncio.get_running_loop()
    await call(operation, {"resourceName": name})
    began = loop.time()
    readings: list[Reading] = []
    while True:
        reading = await _read(call, name, loop.time() - began)
        if reading.status not in {*IN_PROGRESS, before}:
            return [*readings, reading]
        if reading.at > _LONGEST:
            raise RecordingError(f"{operation} was not over after {_LONGEST:.0f} seconds")
        readings.append(reading)
        await asyncio.sleep(interval)


async def _read(call: Call, name: str, at: float) -> Reading:
    found = await call("CreateGUISessionAccessDetails", {"resourceName": name})
    return Reading(at=at, status=found["status"], percentage=found.get("percentageComplete"))


def main(arguments: list[str]) -> int:
    """Record a real start and stop, after asking, and return the exit status.

    Args:
        arguments: The command line after `record`.
    """
    options = _parser().parse_args(arguments)
    print(_PLAN.format(name=options.aws, output=options.output))  # noqa: T201 - a command
    if not options.yes and input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        return 1
    try:
        call = _client(options.endpoint_url)
        text = asyncio.run(record(call, options.aws, interval=options.interval))
    except RecordingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    Path(options.output).write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dcvsessions.simulator record",
        description="Watch a real start and stop of a GUI session, and write it as a scenario.",
    )
    parser.add_argument("--aws", required=True, metavar="NAME", help="the virtual computer")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="TOML file to write")
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between readings (2)")
    parser.add_argument("--endpoint-url", metavar="URL", help="another endpoint than AWS's")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _client(endpoint_url: str | None) -> Call:
    # The simulator itself needs no client.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.session import Session  # noqa: PLC0415

    session: Any = Session()  # botocore has no types
    try:
        client = session.create_client("lightsail", endpoint_url=endpoint_url)
    except BotoCoreError as error:
        raise RecordingError(str(error)) from error

    async def call(operation: str, parameters: dict[str, str]) -> dict[str, Any]:
        send = functools.partial(client._make_api_call, operation, parameters)  # noqa: SLF001
        try:
            return await asyncio.to_thread(send)
        except (BotoCoreError, ClientError) as error:
            raise RecordingError(str(error)) from error

    return call
