"""Open one computer for each student of a class, all at once, with a progress bar for each.

python examples/many_desktops.py                    # three computers, on the simulator
python examples/many_desktops.py --aws ada grace    # your own
"""

import argparse
import asyncio
import os

from dcvsessions import DcvSessionsError, DcvUrl, LightsailClient, open_gui_session
from dcvsessions.progress import bar
from dcvsessions.simulator import Simulator


async def open_all(names: list[str]) -> dict[str, DcvUrl | DcvSessionsError]:
    """Open all computers at once. If one fails, the others are still opened."""

    async def one(name: str) -> DcvUrl | DcvSessionsError:
        try:
            return await open_gui_session(
                name, client=client, start_instance=True, on_progress=show, poll_interval=0.5
            )
        except DcvSessionsError as error:
            return error

    async with LightsailClient() as client:
        with bar() as show:
            return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


async def on_the_simulator() -> dict[str, DcvUrl | DcvSessionsError]:
    """Open three computers of a simulator, of which one does not exist."""
    async with Simulator() as sim:
        for name in ("ada", "grace"):
            sim.lightsail.add_instance(name, state="stopped")
        os.environ.update(sim.environ)
        return await open_all(["ada", "grace", "nobody"])


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--aws", metavar="NAME", nargs="+", help="computers of your AWS account")
    names: list[str] = parser.parse_args().aws
    opened = asyncio.run(open_all(names) if names else on_the_simulator())
    for name, result in opened.items():
        print(f"{name}: {result!r}")


if __name__ == "__main__":
    main()
