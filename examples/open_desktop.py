"""From nothing to a desktop: both services on the embedded simulator, or your own computer.

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
    """Open a virtual computer of the account that the AWS configuration names."""
    url = await open_gui_session(name, on_progress=printer(sys.stdout))
    # A DCV URL is a bearer secret: printing it is a decision, and here the point.
    print(f"Lightsail for Research: {url}")


async def on_the_simulator() -> None:
    """Open a desktop of each service on a simulator in this process."""
    async with Simulator() as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        # Where AWS is, and the key to it: what `aws configure` would have set.
        os.environ.update(sim.environ)
        show = printer(sys.stdout)
        # The simulator takes seconds where AWS takes minutes: look more often than there.
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
