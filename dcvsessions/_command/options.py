"""The command line: what it accepts, and what it means."""

import argparse
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Literal

from dcvsessions._version import __version__
from dcvsessions.lightsail import _helpers as lightsail
from dcvsessions.lightsail._states import SESSION_KINDS, SessionKind
from dcvsessions.nimble import _helpers as nimble

__all__ = ["Options", "read_options"]

# argparse has no public name for the object with this method.
_AddParser = Callable[..., argparse.ArgumentParser]

_WIDTH = 79
_DESCRIPTION = """\
Opens Amazon DCV desktops: the virtual computers of Lightsail for Research,
and the streaming sessions of Nimble Studio.
"""

_EPILOG = """\
Example: dcvsessions open my-computer --start
Help for one command: dcvsessions open --help

Region and credentials come from the usual AWS configuration.
Results go to standard output; progress, notes and errors go to standard error.
Exit status: 0 done, 1 failed, 2 wrong command line, 3 not found, 4 timed out,
5 credentials or permissions, 6 no connection, 130 ended by Ctrl-C.
"""


class Options(argparse.Namespace):
    """The options of a command line. Those of another command than `command` are not set.

    Attributes:
        command: The command, such as `open-stream`.
    """

    command: str
    name: str
    studio: str
    session: str | None
    kind: SessionKind
    start: bool
    stop_on_exit: bool
    launch_profile: str | None
    instance_type: str | None
    client_token: str | None
    expires_in: int | None
    delete_on_exit: bool
    with_: Literal["browser", "viewer", "auto"] | None
    print_url: bool
    timeout: float
    region: str | None
    profile: str | None
    endpoint_url: str | None
    json: bool
    quiet: bool
    verbose: bool

    @property
    def program(self) -> Literal["browser", "viewer", "auto"] | None:
        """What opens the desktop; None if the URL is only printed."""
        return self.with_ or (None if self.print_url else "auto")


def read_options(arguments: Sequence[str] | None) -> Options:
    """Read the command line.

    Args:
        arguments: The arguments after the program's name. Default: those of the process.

    Raises:
        SystemExit: The command line is wrong, or asks for help or the version.
    """
    parser = _parser()
    options = parser.parse_args(arguments, namespace=Options())
    if not options.command:
        parser.exit(2, parser.format_help())
    if options.command == "open-stream" and options.session is not None:
        for option in ("instance_type", "client_token", "delete_on_exit"):
            if getattr(options, option):
                parser.error(
                    f"--{option.replace('_', '-')} needs --launch-profile: "
                    "it is for a session that this command makes"
                )
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dcvsessions",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dcvsessions {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for add in (
        _add_open,
        _add_status,
        _add_close,
        _add_computers,
        _add_open_stream,
        _add_streams,
        _add_close_stream,
        _add_studios,
    ):
        add(commands.add_parser)
    return parser


def _add_open(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "open",
        summary="open the desktop of a virtual computer",
        description=(
            "Opens the desktop of a virtual computer of Lightsail for Research. Starts its GUI "
            "session if necessary, and waits until it is ready. The session lasts one hour. The "
            "computer costs by the hour while it runs."
        ),
        example="dcvsessions open my-computer --start",
    )
    _add_name(command)
    command.add_argument("--start", action="store_true", help="start the computer if it is stopped")
    command.add_argument(
        "--kind",
        choices=SESSION_KINDS,
        default="application",
        help="open the computer's application, or its operating system (%(default)s)",
    )
    command.add_argument(
        "--stop-on-exit",
        action="store_true",
        help=(
            "stay until Enter or Ctrl-C is pressed, and then stop the session, which loses unsaved "
            "work. Until then, a session that has expired is resumed and opened again"
        ),
    )
    _add_opening(command)
    _add_timeout(command, lightsail.OPEN_TIMEOUT)
    _add_common(command)


def _add_status(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "status",
        summary="show the state of a virtual computer and its session",
        description=(
            "Shows the state of a virtual computer and of its GUI session. Reads each of them "
            "once, and changes nothing."
        ),
        example="dcvsessions status my-computer",
    )
    _add_name(command)
    _add_common(command)


def _add_close(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "close",
        summary="stop the session of a virtual computer",
        description=(
            "Stops the GUI session of a virtual computer, and waits until it is stopped. Unsaved "
            "work is lost. The computer itself keeps running, and costs by the hour."
        ),
        example="dcvsessions close my-computer",
    )
    _add_name(command)
    _add_timeout(command, lightsail.CLOSE_TIMEOUT)
    _add_common(command)


def _add_computers(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "computers",
        summary="list the virtual computers",
        description="Lists the virtual computers, and all other Lightsail instances, of a region.",
        example="dcvsessions computers --region eu-west-1",
    )
    _add_common(command)


def _add_open_stream(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "open-stream",
        summary="open a streaming session of a studio",
        description=(
            "Opens the desktop of a streaming session of Nimble Studio: a new one, made from a "
            "launch profile, or one that exists. A session costs by the hour until it is deleted. "
            "If the command fails or is interrupted, it deletes the session that it made."
        ),
        example="dcvsessions open-stream studio-1 --launch-profile lp-1 --delete-on-exit",
    )
    _add_studio(command)
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--launch-profile", metavar="ID", help="make a session from this profile")
    which.add_argument(
        "--session", metavar="ID", help="open this session; it is started if it is stopped"
    )
    command.add_argument("--instance-type", metavar="TYPE", help="EC2 instance type of the session")
    # A session that an earlier run made with the token is not deleted on exit.
    owner = command.add_mutually_exclusive_group()
    owner.add_argument(
        "--client-token",
        metavar="TOKEN",
        help="if the command runs again with the same token, it finds the session that it made",
    )
    owner.add_argument(
        "--delete-on-exit",
        action="store_true",
        help="stay until Enter or Ctrl-C is pressed, and then delete the session",
    )
    command.add_argument(
        "--expires-in",
        type=int,
        metavar="SECONDS",
        help="how long the URL works, 60 to 3600 (the service chooses)",
    )
    _add_opening(command)
    _add_timeout(command, nimble.OPEN_TIMEOUT)
    _add_common(command)


def _add_streams(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "streams",
        summary="list the streaming sessions of a studio",
        description="Lists the streaming sessions of a studio, with their states, owners and ages.",
        example="dcvsessions streams studio-1",
    )
    _add_studio(command)
    _add_common(command)


def _add_close_stream(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "close-stream",
        summary="delete a streaming session",
        description=(
            "Deletes a streaming session, and waits until it is gone. It then costs nothing more. "
            "It is no error if there is no such session."
        ),
        example="dcvsessions close-stream studio-1 SESSION",
    )
    _add_studio(command)
    command.add_argument("session", metavar="SESSION", help="id of the session")
    _add_timeout(command, nimble.CLOSE_TIMEOUT)
    _add_common(command)


def _add_studios(add_parser: _AddParser) -> None:
    command = _command(
        add_parser,
        "studios",
        summary="list the studios and their launch profiles",
        description="Lists the studios of a region, with a line for each launch profile.",
        example="dcvsessions studios",
    )
    _add_common(command)


def _command(
    add_parser: _AddParser, name: str, *, summary: str, description: str, example: str
) -> argparse.ArgumentParser:
    return add_parser(
        name,
        help=summary,
        description=fill(description, _WIDTH),
        epilog=f"Example: {example}",
        # argparse would break an example at the hyphens of its options.
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="name of the virtual computer")


def _add_studio(command: argparse.ArgumentParser) -> None:
    command.add_argument("studio", metavar="STUDIO", help="id of the studio")


def _add_opening(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--print",
        dest="print_url",
        action="store_true",
        help="print the URL and open nothing, unless --with is given too. Whoever has the URL can "
        "use the desktop",
    )
    command.add_argument(
        "--with",
        dest="with_",
        choices=("browser", "viewer", "auto"),
        help="open the desktop with the browser or the native DCV viewer (auto: what fits the URL)",
    )


def _add_timeout(command: argparse.ArgumentParser, default: float) -> None:
    command.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        default=default,
        help="wait at most this long; inf for no limit (%(default)g)",
    )


def _add_common(command: argparse.ArgumentParser) -> None:
    aws = command.add_argument_group("AWS")
    aws.add_argument("--region", metavar="NAME", help="region, such as eu-west-1")
    aws.add_argument("--profile", metavar="NAME", help="profile in the AWS configuration files")
    aws.add_argument("--endpoint-url", metavar="URL", help="endpoint, such as the simulator's")
    output = command.add_argument_group("output")
    output.add_argument(
        "--json", action="store_true", help="write the result, or the error, as a line of JSON"
    )
    amount = output.add_mutually_exclusive_group()
    amount.add_argument("--quiet", action="store_true", help="no progress and no notes")
    amount.add_argument(
        "-v", "--verbose", action="store_true", help="log lines with times, not the progress"
    )
