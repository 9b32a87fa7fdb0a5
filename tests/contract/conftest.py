"""What AWS documents and what we assume, as tests through the public client alone.

Each file follows one course, and its tests look at what was seen on it. Without anything set, the
courses run against the simulator, in virtual time. With ``DCV_CONTRACT=aws`` and
``DCV_CONTRACT_COMPUTER=NAME`` they run against AWS, with the credentials and the region of the
environment. The mark ``aws`` of a file says what its course does there, and how many minutes of a
running computer it costs. The calls cost nothing. All of this is printed before anything is
sent, and then you are asked.

Courses that take longer than ``DCV_CONTRACT_MINUTES`` (15) are left out. So are those without a
mark: AWS has closed Nimble Studio.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
from virtual_loop import new_virtual_loop

from dcvsessions.simulator import Simulator, Timings

HERE = Path(__file__).resolve().parent
_TARGET = os.environ.get("DCV_CONTRACT", "simulator")
_IS_ON_AWS = _TARGET == "aws"
_BUDGET = float(os.environ.get("DCV_CONTRACT_MINUTES", "15"))
_PLAN = """
The contract runs against AWS. On the virtual computer {name} it will:
{steps}
In all this takes about {minutes:.0f} minutes. If the computer would not run anyway, it costs
{share:.2f} times the computer's price per hour. What is not saved in the GUI session is lost.
At the end the computer runs and its GUI session is stopped, even if it was notStarted before."""

_Seen = TypeVar("_Seen")
Course = Callable[[str], Awaitable[_Seen]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not _IS_ON_AWS:
        return
    left_out = [item for item in items if item.path.is_relative_to(HERE) and not _costs(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _costs(item: pytest.Item) -> dict[str, Any] | None:
    mark = item.get_closest_marker("aws")
    return mark.kwargs if mark is not None and mark.kwargs["minutes"] <= _BUDGET else None


@attrs.frozen
class Target:
    """What the courses run against, and the virtual computer to run them with."""

    name: str
    is_aws: bool

    def run(self, course: Course[_Seen]) -> _Seen:
        if self.is_aws:
            return asyncio.run(course(self.name))
        with asyncio.Runner(loop_factory=new_virtual_loop) as runner:
            return runner.run(self._simulated(course))

    async def _simulated(self, course: Course[_Seen]) -> _Seen:
        timings = Timings.realistic()
        with pytest.MonkeyPatch.context() as environment:
            async with Simulator(timings=timings) as simulator:
                simulator.lightsail.add_instance(self.name)
                simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
                for variable, value in simulator.environ.items():
                    environment.setenv(variable, value)
                return await course(self.name)


@pytest.fixture(autouse=True)
def _no_aws() -> None:
    """Leave the environment alone: the credentials in it are for this."""


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    if _TARGET == "simulator":
        return Target("my-computer", is_aws=False)
    if not _IS_ON_AWS:
        pytest.exit(f"DCV_CONTRACT has to be aws or simulator, not {_TARGET}", returncode=1)
    name = os.environ.get("DCV_CONTRACT_COMPUTER")
    if not name:
        pytest.exit("DCV_CONTRACT_COMPUTER has to name a virtual computer", returncode=1)
    if not _is_agreed(request.config, _plan(name, request.session.items)):
        pytest.exit("The contract was not run", returncode=1)
    return Target(name, is_aws=True)


def _plan(name: str, items: list[pytest.Item]) -> str:
    courses = {item.path: costs for item in items if (costs := _costs(item))}.values()
    steps = "\n".join(f"- {each['does']} ({each['minutes']} minutes)" for each in courses)
    minutes = sum(each["minutes"] for each in courses)
    return _PLAN.format(name=name, steps=steps, minutes=minutes, share=minutes / 60)


def _is_agreed(config: pytest.Config, plan: str) -> bool:
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.suspend_global_capture(in_=True)
    print(plan)
    try:
        return input("Go on? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
    finally:
        capture.resume_global_capture()
