"""Serve both simulated services: `python -m dcvsessions.simulator`."""

import argparse
import asyncio
import logging
import shlex
import signal
import sys
from contextlib import suppress
from pathlib import Path

from attrs import evolve

from dcvsessions.simulator._scenario import DEFAULT_SCENARIO, Scenario, ThrottleScenario
from dcvsessions.simulator._simulator import Simulator
from dcvsessions.simulator._time.timings import PRESETS

# Modules that only some command lines need are imported in functions. So the process starts in four
# fifths of the time.
# ruff: noqa: PLC0415

_WARNING = (
    "Clients that do not read AWS_ENDPOINT_URL call AWS: AWS CLI before 1.29 or 2.13, boto3 before "
    "1.28, AWS SDK for JavaScript 2, for Go 1, and others. They need an option like --endpoint-url."
)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit status.

    Standard output gets the environment for AWS clients, and the address and token of the admin
    interface, as lines for a shell; standard error gets a line for each request.

    Args:
        arguments: The command line. Default: that of the process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["record"]:
        from dcvsessions.simulator import _recorder as recorder

        return recorder.main(words[1:])
    parser = _parser()
    options = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        scenario = Scenario.load(options.scenario) if options.scenario else DEFAULT_SCENARIO
        if options.timings:
            scenario = evolve(scenario, timings=PRESETS[options.timings]())
        scenario = evolve(scenario, throttles=(*scenario.throttles, *_throttles(options)))
        simulator = scenario.simulator(
            host=options.host, port=options.port, speed=options.speed, **_keys(options)
        )
    except ValueError as error:  # ScenarioError is one
        parser.error(str(error))
    try:
        asyncio.run(_serve(simulator, scenario, options.control))
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
    parser.add_argument(
        "--control",
        nargs="?",
        type=int,
        const=0,
        metavar="PORT",
        help="serve the admin interface on 127.0.0.1, on any free port or on this one",
    )
    keys = parser.add_argument_group("keys (default: random ones)")
    keys.add_argument("--access-key-id", metavar="ID", help="access key that clients sign with")
    keys.add_argument("--secret-access-key", metavar="SECRET", help="its secret")
    keys.add_argument(
        "--credentials",
        metavar="FILE",
        help="file of keys like ~/.aws/credentials; its section [default] is used",
    )
    limits = parser.add_argument_group("limits on requests (default: none)")
    limits.add_argument(
        "--throttle",
        action="append",
        default=[],
        metavar="[OPERATION=]RATE",
        help="requests per simulated second of all operations, or of one",
    )
    limits.add_argument(
        "--burst",
        action="append",
        default=[],
        metavar="[OPERATION=]N",
        help="most requests at once of all operations, or of one (1)",
    )
    return parser


def _keys(options: argparse.Namespace) -> dict[str, str]:
    """Return the keys that the command line names, if it does."""
    given = {
        "access_key_id": options.access_key_id,
        "secret_access_key": options.secret_access_key,
    }
    keys = {name: value for name, value in given.items() if value is not None}
    if options.credentials is None:
        if len(keys) == 1:
            raise ValueError("--access-key-id and --secret-access-key must be given together")
        return keys
    if keys:
        raise ValueError("give either --credentials, or --access-key-id and --secret-access-key")
    return _keys_in(options.credentials)


def _keys_in(path: str) -> dict[str, str]:
    import configparser

    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read_string(Path(path).read_text(encoding="utf-8"), path)
        section = file["default"]
        keys = {
            "access_key_id": section["aws_access_key_id"],
            "secret_access_key": section["aws_secret_access_key"],
        }
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]} is missing") from None
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        # The message of a parser's error repeats the line, which may hold the secret.
        raise ValueError(f"{path} cannot be read: {type(error).__name__}") from None
    token = section.get("aws_session_token")
    return keys if token is None else {**keys, "session_token": token}


def _throttles(options: argparse.Namespace) -> list[ThrottleScenario]:
    rates, bursts = (_by_operation(each) for each in (options.throttle, options.burst))
    if bursts.keys() - rates.keys():
        raise ValueError("--burst needs a --throttle of the same operation")
    return [
        ThrottleScenario(rate=rate, burst=int(bursts.get(operation, 1)), operation=operation)
        for operation, rate in rates.items()
    ]


def _by_operation(arguments: list[str]) -> dict[str, float]:
    parts = [argument.rpartition("=") for argument in arguments]
    return {operation or "*": float(number) for operation, _, number in parts}


async def _serve(simulator: Simulator, scenario: Scenario, control_port: int | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(number, stopped.set)
    async with simulator:
        print(_WARNING, file=sys.stderr, flush=True)  # noqa: T201 - for who reads the terminal
        for name, value in simulator.environ.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)  # noqa: T201 - for the shell
        if control_port is None:
            await stopped.wait()
            return
        from dcvsessions.simulator._control.listener import ControlListener

        async with ControlListener(simulator, scenario, control_port) as control:
            print(f"export DCV_CONTROL_URL={control.url}")  # noqa: T201 - for the shell
            print(f"export DCV_CONTROL_TOKEN={control.token}", flush=True)  # noqa: T201
            await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
