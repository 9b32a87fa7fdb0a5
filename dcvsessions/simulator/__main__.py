"""Serve both simulated services: `python -m dcvsessions.simulator`."""

import argparse
import asyncio
import logging
import shlex
import signal
import sys
from contextlib import suppress

from attrs import evolve

from dcvsessions.simulator.scenario import DEFAULT_SCENARIO, Scenario
from dcvsessions.simulator.scenario_file import PRESETS, ScenarioError
from dcvsessions.simulator.simulator import Simulator

_WARNING = (
    "Clients that do not read AWS_ENDPOINT_URL call AWS: AWS CLI before 1.29 or 2.13, boto3 before "
    "1.28, AWS SDK for JavaScript 2, for Go 1, and others. Give them --endpoint-url or its like."
)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit status.

    Standard output gets the environment for AWS clients, as lines for a shell; standard error
    gets a line for each request.

    Args:
        arguments: The command line. Default: that of the process.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        scenario = Scenario.load(options.scenario) if options.scenario else DEFAULT_SCENARIO
        if options.timings:
            scenario = evolve(scenario, timings=PRESETS[options.timings]())
        simulator = scenario.simulator(host=options.host, port=options.port, speed=options.speed)
    except ScenarioError as error:
        parser.error(str(error))
    try:
        asyncio.run(_serve(simulator))
    except OSError as error:
        parser.exit(1, f"Cannot serve on {options.host}:{options.port}: {error}\n")
    except KeyboardInterrupt:
        pass  # on Windows, where the event loop cannot handle signals
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
    parser.add_argument(
        "--scenario", metavar="FILE", help="TOML or JSON file of resources and faults"
    )
    return parser


async def _serve(simulator: Simulator) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(number, stopped.set)
    async with simulator:
        print(_WARNING, file=sys.stderr, flush=True)  # noqa: T201 - for who reads the terminal
        for name, value in simulator.environ.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - for the shell
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
