"""Open a desktop of each service on the simulator, or your own virtual computer.

python examples/open_desktop.py                     # no AWS account, no network
python examples/open_desktop.py --aws my-computer   # Lightsail for Research, on your account
"""

import argparse
import asyncio
import os
import sys

from dcvsessions import open_gui_session, open_streaming_session
from dcvsessions.progress import printer
from dcvsessions.simulator import Simulator


async def on_aws(name: str) -> None:
    """Open a virtual computer of your AWS account."""
    url = await open_gui_session(name, on_progress=printer(sys.stdout))
    # Whoever has the URL can use the desktop. It is printed here so that you can open it.
    print(f"Lightsail for Research: {url}")


async def on_the_simulator() -> None:
    """Open a desktop of each service on a simulator in this process."""
    async with Simulator() as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        # The endpoint, region and keys of the simulator.
        os.environ.update(sim.environ)
        show = printer(sys.stdout)
        # The simulator takes seconds and AWS takes minutes, so this polls more often.
        desktop = await open_gui_session("my-computer", on_progress=show, poll_interval=0.25)
        workstation = await open_streaming_session(
            "studio-1", launch_profile_id="lp-1", on_progress=show, poll_interval=0.25
        )
        print(f"Lightsail for Research: {desktop}")
        print(f"Nimble Studio:          {workstation}")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--aws", metavar="NAME", help="a virtual computer of your AWS account")
    arguments = parser.parse_args()
    asyncio.run(on_aws(arguments.aws) if arguments.aws else on_the_simulator())


if __name__ == "__main__":
    main()
