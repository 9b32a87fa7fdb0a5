"""Open a desktop for each student of a class, hand out the URLs, and end what is left.

python examples/classroom.py                    # both services, on the simulator
python examples/classroom.py --aws ada grace    # your own virtual computers
"""

import argparse
import asyncio
import os

from dcvsessions import (
    StreamingSessionRequest,
    close_streaming_sessions,
    open_gui_sessions,
    open_streaming_sessions,
)
from dcvsessions.progress import bar
from dcvsessions.simulator import Simulator

STUDENTS = [f"student-{number}" for number in range(1, 31)]


async def virtual_computers(names: list[str], poll_interval: float | None = None) -> None:
    """Open the virtual computer of each student, with one bar for all of them."""
    with bar() as show:
        async with open_gui_sessions(
            names, start_instance=True, poll_interval=poll_interval, on_progress=show
        ) as outcomes:
            async for outcome in outcomes:
                # Here you would send the URL to the student. Its repr does not show the token.
                print(f"{outcome.name}: {outcome.error or repr(outcome.url)}")


async def workstations(students: list[str], poll_interval: float | None = None) -> None:
    """Make a streaming session for each student, and delete all of them after the lesson."""
    requests = [
        StreamingSessionRequest(launch_profile_id="lp-1", owned_by=student) for student in students
    ]
    async with open_streaming_sessions(
        "studio-1", requests, poll_interval=poll_interval
    ) as outcomes:
        async for outcome in outcomes:
            print(f"{outcome.request.owned_by}: {outcome.error or repr(outcome.url)}")
    async with close_streaming_sessions("studio-1", owned_by=students) as closed:
        left = [outcome.session.session_id async for outcome in closed if outcome.error]
    print(f"Sessions that are left: {left}")


async def on_the_simulator() -> None:
    """Hold the lesson on a simulator, where one student has no computer."""
    async with Simulator() as sim:
        for name in STUDENTS[1:]:
            sim.lightsail.add_instance(name, state="stopped")
        sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        os.environ.update(sim.environ)
        # Its sessions take two seconds. For real ones, which take minutes, the default is better.
        await virtual_computers(STUDENTS, poll_interval=0.5)
        await workstations(STUDENTS, poll_interval=0.5)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--aws", metavar="NAME", nargs="+", help="computers of your AWS account")
    names: list[str] = parser.parse_args().aws
    asyncio.run(virtual_computers(names) if names else on_the_simulator())


if __name__ == "__main__":
    main()
