"""The command `dcvsessions`, which is also `python -m dcvsessions`."""

import asyncio
import sys
from collections.abc import Sequence

from dcvsessions._command.commands import COMMANDS
from dcvsessions._command.interruption import Interruption
from dcvsessions._command.options import Options, read_options
from dcvsessions._command.output import Output
from dcvsessions._command.text import exit_status
from dcvsessions.errors import DcvSessionsError

__all__ = ["main"]

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status.

    Args:
        arguments: The arguments after the program's name. Default: those of the process.

    Returns:
        0 if it succeeded. `dcvsessions --help` lists the others.

    Raises:
        SystemExit: The command line is wrong, or asks for help or the version.
    """
    options = read_options(arguments)
    output = Output(is_json=options.json, is_quiet=options.quiet, is_verbose=options.verbose)
    try:
        with output.logging():
            return asyncio.run(_run(options, output))
    except OSError as error:
        output.unwritable(error)
        return 1
    except KeyboardInterrupt:
        # Before the loop handles Ctrl-C, or the second one on Windows.
        return _INTERRUPTED


async def _run(options: Options, output: Output) -> int:
    interruption = Interruption(output.note)
    try:
        with interruption.handled():
            await COMMANDS[options.command](options, output, interruption)
    except asyncio.CancelledError as error:
        output.interrupted(error, interruption.exit_status)
        return interruption.exit_status
    except DcvSessionsError as error:
        output.error(error)
        return exit_status(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
