"""Open a desktop of each service on the simulator, or your own virtual computer.

python examples/open_desktop.py                             # no AWS account, no network
python examples/open_desktop.py --aws my-computer --start   # your own, in Lightsail for Research

The URLs go to standard output, and the progress goes to standard error. Whoever has a URL can use
the desktop.
"""

import argparse
import asyncio
import os
import sys

from dcvsessions import DcvSessionsError, open_gui_session, open_streaming_session
from dcvsessions.progress import printer
from dcvsessions.simulator import Simulator, serve_in_thread


async def open_on_aws(name: str, *, start: bool, profile: str | None, region: str | None) -> None:
    """Open a virtual computer of your AWS account. Its session keeps running after this script."""
    url = await open_gui_session(
        name,
        start_instance=start,
        profile_name=profile,
        region_name=region,
        on_progress=printer(),
    )
    print(f"Lightsail for Research: {url}")
    print(f"The session keeps running. To stop it: dcvsessions close {name}", file=sys.stderr)


async def open_on_the_simulator() -> None:
    """Open a desktop of each service."""
    desktop = await open_gui_session("my-computer", on_progress=printer())
    print(f"Lightsail for Research: {desktop}", flush=True)
    workstation = await open_streaming_session(
        "studio-1", launch_profile_id="lp-1", on_progress=printer()
    )
    print(f"Nimble Studio:          {workstation}", flush=True)


def show_the_simulator() -> None:
    """Serve a simulator, open its desktops, and keep serving until Enter is pressed."""
    with serve_in_thread(Simulator()) as simulator:
        simulator.lightsail.add_instance("my-computer")
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        # A profile or session token of yours is not for the simulator.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        # The simulator takes seconds and AWS takes minutes, so this polls more often.
        os.environ.update(simulator.environ, DCVSESSIONS_POLL_INTERVAL="0.25")
        asyncio.run(open_on_the_simulator())
        if sys.stdin and sys.stdin.isatty():
            input("Open the URLs in a browser. Press Enter to end the simulator. ")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--aws", metavar="NAME", help="a virtual computer of your AWS account")
    parser.add_argument("--start", action="store_true", help="start the computer if it is stopped")
    parser.add_argument("--profile", help="a profile of your AWS configuration")
    parser.add_argument("--region", help="the region of the computer, such as eu-west-1")
    return parser.parse_args()


def main() -> int:
    """Open the desktops, and return the exit status."""
    given = arguments()
    try:
        if given.aws is None:
            show_the_simulator()
        else:
            asyncio.run(
                open_on_aws(
                    given.aws, start=given.start, profile=given.profile, region=given.region
                )
            )
    except DcvSessionsError as error:
        print(f"open_desktop.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
