"""Serve both simulated services: ``python -m dcvsessions.simulator``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import shlex
import signal
import sys
from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator.scenario import DEFAULT, PRESETS, Scenario, ScenarioError

if TYPE_CHECKING:
    from dcvsessions.simulator.server import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted or terminated.

    Prints the environment for AWS clients first, as lines for a shell, to standard output; then
    a line for each request to standard error.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        The exit status.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        scenario = Scenario.load(options.scenario) if options.scenario else DEFAULT
        if options.timings:
            scenario = attrs.evolve(scenario, timings=PRESETS[options.timings]())
        simulator = scenario.simulator(host=options.host, port=options.port, speed=options.speed)
    except ScenarioError as error:
        parser.error(str(error))
    try:
        asyncio.run(_serve(simulator))
    except OSError as error:
        parser.exit(1, f"Cannot serve on {options.host}:{options.port}: {error}\n")
    except KeyboardInterrupt:
        pass  # where the event loop has no signal handlers, this is how it is told
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dcvsessions.simulator",
        description="Lightsail for Research and Nimble Studio on the loopback interface.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 for any free one (0)")
    parser.add_argument("--speed", type=float, help="simulated seconds per second (1)")
    parser.add_argument("--timings", choices=PRESETS, help="how long transitions take")
    parser.add_argument("--scenario", metavar="FILE", help="TOML or JSON file of what there is")
    return parser


async def _serve(simulator: Simulator) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(number, stopped.set)
    async with simulator:
        for name, value in simulator.environ.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - to be copied
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
