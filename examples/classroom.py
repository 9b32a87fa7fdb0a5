"""Open a desktop for each student of a class, and write the URLs to a file.

python examples/classroom.py                            # a class of 30 on the simulator
python examples/classroom.py --aws ada grace --start    # your own virtual computers
python examples/classroom.py --aws ada grace --close    # after the lesson: stop their sessions

Only you can read the file. Whoever has a URL can use the desktop.
"""

import argparse
import asyncio
import csv
import os
import sys
from functools import partial
from pathlib import Path
from typing import TextIO

from dcvsessions import (
    DcvSessionsError,
    LightsailClient,
    close_gui_sessions,
    open_gui_sessions,
)
from dcvsessions.progress import bar
from dcvsessions.simulator import Simulator, serve_in_thread

STUDENTS = [f"student-{number}" for number in range(1, 31)]

Errors = dict[str, DcvSessionsError]


async def open_desktops(
    names: list[str], urls: TextIO, client: LightsailClient, *, start: bool
) -> Errors:
    """Open the students' desktops, write their URLs, and return the errors of the others."""
    errors: Errors = {}
    lines = csv.writer(urls)
    lines.writerow(["student", "url", "works until"])
    with bar() as show:
        async with (
            client,
            open_gui_sessions(
                names, start_instance=start, client=client, on_progress=show
            ) as outcomes,
        ):
            async for outcome in outcomes:
                if outcome.error is not None:
                    errors[outcome.name] = outcome.error
                elif outcome.url is not None:
                    lines.writerow([outcome.name, outcome.url, outcome.url.expires_at])
                    # The first students can begin while the others wait.
                    urls.flush()
    return errors


async def close_desktops(names: list[str], client: LightsailClient) -> Errors:
    """Stop the students' sessions, and return the errors. Unsaved work is lost."""
    with bar() as show:
        async with (
            client,
            close_gui_sessions(names, client=client, on_progress=show) as outcomes,
        ):
            return {each.name: each.error async for each in outcomes if each.error}


def private_file(path: Path) -> TextIO:
    """Make a new file that only you can read."""
    return open(path, "x", newline="", opener=partial(os.open, mode=0o600))


def simulate_a_lesson(path: Path) -> Errors:
    """Open desktops on a simulator, where one student has no computer, and close them at Enter."""
    with serve_in_thread(Simulator()) as simulator, private_file(path) as urls:
        for name in STUDENTS[1:]:
            simulator.lightsail.add_instance(name, state="stopped")
        # A profile or session token of yours is not for the simulator.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        # The simulator takes seconds and AWS takes minutes, so this polls more often.
        os.environ.update(simulator.environ, DCVSESSIONS_POLL_INTERVAL="0.5")
        try:
            errors = asyncio.run(open_desktops(STUDENTS, urls, LightsailClient(), start=True))
            print(f"{len(STUDENTS) - len(errors)} desktops are open. Their URLs are in {path}.")
            if sys.stdin and sys.stdin.isatty():
                input("Press Enter to end the lesson. ")
            opened = [name for name in STUDENTS if name not in errors]
            return errors | asyncio.run(close_desktops(opened, LightsailClient()))
        finally:
            path.unlink()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--aws", metavar="NAME", nargs="+", help="computers of your AWS account")
    parser.add_argument("--start", action="store_true", help="start computers that are stopped")
    parser.add_argument("--close", action="store_true", help="stop sessions; loses unsaved work")
    parser.add_argument(
        "--urls", metavar="FILE", type=Path, default=Path("urls.csv"), help="a new file (urls.csv)"
    )
    parser.add_argument("--profile", help="a profile of your AWS configuration")
    parser.add_argument("--region", help="the region of the computers, such as eu-west-1")
    return parser.parse_args()


def run(given: argparse.Namespace) -> Errors:
    """Do what the command line says, and return the errors of single desktops."""
    if given.aws is None:
        return simulate_a_lesson(given.urls)
    client = LightsailClient(region_name=given.region, profile_name=given.profile)
    if given.close:
        return asyncio.run(close_desktops(given.aws, client))
    with private_file(given.urls) as urls:
        return asyncio.run(open_desktops(given.aws, urls, client, start=given.start))


def main() -> int:
    """Open or close the desktops, and return the exit status."""
    try:
        errors = run(arguments())
    except (DcvSessionsError, OSError) as error:
        print(f"classroom.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for name, reason in errors.items():
        print(f"classroom.py: {name}: {reason}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
