"""One course of a GUI session, against the simulator or against AWS.

Without anything set, it runs against the simulator. With ``DCV_CONTRACT=aws`` and
``DCV_CONTRACT_COMPUTER=NAME`` it runs against AWS, with the credentials and the region of the
environment: it says what it will do and asks, starts the GUI session of that computer, stops it
again, and leaves it stopped. That takes a few minutes. AWS charges for the running computer, as
always, and nothing for the calls. What is not saved in the session is lost.
"""

import asyncio
import os
from collections.abc import Iterator

import attrs
import pytest

from dcvsessions import DcvSessionsError, LightsailClient
from dcvsessions.lightsail import GuiSessionAccessDetails, Operation
from dcvsessions.simulator import Simulator, Timings, serve_in_thread

_PLAN = """
The contract runs against AWS. On the computer {name} it will
- start the GUI session, and watch until it is started,
- stop it again; what is not saved in it is lost.
This takes a few minutes, at the usual price of a running computer."""


_NOBODY = "no-computer-has-this-name"
_PATIENCE = 1800.0
_STARTABLE = ("notStarted", "stopped", "startExpired")


@attrs.define
class Course:
    """What was seen on the way from a stopped session to a started one, and back."""

    before: GuiSessionAccessDetails
    start: tuple[Operation, ...] = ()
    again: tuple[Operation, ...] = ()
    starting: list[GuiSessionAccessDetails] = attrs.Factory(list)
    stop: tuple[Operation, ...] = ()
    stopping: list[GuiSessionAccessDetails] = attrs.Factory(list)
    ended: list[Operation] = attrs.Factory(list)
    unknown: DcvSessionsError | None = None
    stopped_twice: DcvSessionsError | None = None


async def run_course(name: str, *, interval: float) -> Course:
    async with LightsailClient() as client:
        course = Course(before=await client.create_gui_session_access_details(name))
        if course.before.status not in _STARTABLE:
            pytest.exit(f"The session of {name} is {course.before.status}, not stopped", 1)
        try:
            await client.create_gui_session_access_details(_NOBODY)
        except DcvSessionsError as error:
            course.unknown = error
        course.start = await client.start_gui_session(name)
        try:
            course.again = await client.start_gui_session(name)
            course.starting = await _readings(client, name, "started", interval)
        finally:
            course.stop = await client.stop_gui_session(name)
            course.stopping = await _readings(client, name, "stopped", interval)
        try:
            await client.stop_gui_session(name)
        except DcvSessionsError as error:
            course.stopped_twice = error
        ids = [each.id for each in (*course.start, *course.stop) if each.id]
        course.ended = [await client.get_operation(each) for each in ids]
        return course


async def _readings(
    client: LightsailClient, name: str, goal: str, interval: float
) -> list[GuiSessionAccessDetails]:
    readings = [await client.create_gui_session_access_details(name)]
    async with asyncio.timeout(_PATIENCE):
        while readings[-1].status != goal:
            await asyncio.sleep(interval)
            readings.append(await client.create_gui_session_access_details(name))
    return readings


@pytest.fixture(autouse=True)
def _no_aws() -> None:
    """Leave the environment as it is: the credentials in it are for this."""


@pytest.fixture(scope="session")
def course(request: pytest.FixtureRequest) -> Iterator[Course]:
    if os.environ.get("DCV_CONTRACT") == "aws":
        name = os.environ["DCV_CONTRACT_COMPUTER"]
        capture = request.config.pluginmanager.getplugin("capturemanager")
        capture.suspend_global_capture(in_=True)
        print(_PLAN.format(name=name))
        answer = input("Go on? [y/N] ")
        capture.resume_global_capture()
        if answer.strip().lower() not in {"y", "yes"}:
            pytest.exit("The contract was not run", returncode=1)
        yield asyncio.run(run_course(name, interval=2))
        return
    timings = Timings(operation_queue=0, gui_start=4, gui_stop=2)
    with (
        serve_in_thread(Simulator(timings=timings, speed=10)) as simulator,
        pytest.MonkeyPatch.context() as environment,
    ):
        simulator.lightsail.add_instance("my-computer")
        for variable, value in simulator.environ.items():
            environment.setenv(variable, value)
        yield asyncio.run(run_course("my-computer", interval=0.02))
