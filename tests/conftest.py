"""What all tests share: simulators, clients on them, and an environment without AWS in it."""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import botocore
import pytest

from dcvsessions import LightsailClient, NimbleClient
from dcvsessions._aws.imports import import_now
from dcvsessions.simulator import Simulator, Timings

_AWS = ("AWS_", "BOTO_")

# A shell starts a command in the background with SIGINT ignored, and `nohup` starts it with SIGHUP
# ignored. Tests send both to themselves and to their processes, which would ignore them too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Otherwise the first client of a process would do it in a thread, in real time.
import_now()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many random schedules ran and how they ended, from whichever process."""
    endings: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "schedules":
                endings.update(value)
    if endings:
        told = ", ".join(f"{ending} {count}" for ending, count in endings.most_common())
        terminalreporter.write_line(f"{endings.total()} schedules of faults: {told}")


@pytest.fixture(scope="session")
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one certificate authority: to read all of them takes 25 ms for each client."""
    everyone = (Path(botocore.__file__).parent / "cacert.pem").read_text()
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path_factory.mktemp("authority") / "one.pem"
    path.write_text(everyone[: everyone.index(end)] + end)
    return path


@pytest.fixture(autouse=True)
def _no_aws(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    one_authority: Path,
) -> None:
    """No credentials, profile or endpoint of the machine may reach a test."""
    for name in list(os.environ):
        if name.startswith(_AWS):
            monkeypatch.delenv(name)
    nowhere = tmp_path_factory.mktemp("aws")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(one_authority))


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """A simulator with a computer and a studio, which the environment points at."""
    async with Simulator(timings=Timings()) as simulator:
        simulator.lightsail.add_instance("my-computer")
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.fixture
async def lightsail(sim: Simulator) -> AsyncIterator[LightsailClient]:
    async with LightsailClient() as client:
        yield client


@pytest.fixture
async def nimble(sim: Simulator) -> AsyncIterator[NimbleClient]:
    async with NimbleClient() as client:
        yield client
