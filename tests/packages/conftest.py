"""The wheel, the sdist, and environments in which the wheel is installed.

``pytest -m packages tests/packages`` runs these tests. They need the package index. The wheel is
tested on each version of Python that the metadata name and that this machine has. A version that
this machine does not have is skipped, and the report says so.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from packages.building import ROOT, Built, Installed, build, find_python, install, lowest

HERE = Path(__file__).resolve().parent
VERSIONS = ["3.11", "3.12", "3.13"]
LOWEST = "lowest dependencies"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.packages)


def pytest_report_header() -> list[str]:
    """Say on which versions of Python the wheel is tested, and which were not found."""
    found = {version: find_python(version) for version in VERSIONS}
    return [
        f"Python {version}: {interpreter or 'not found, so not tested'}"
        for version, interpreter in found.items()
    ]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def environments(
    built: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Installed | None]]]:
    """The wheel in an environment for each Python that was found, made two at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:

        def make(version: str, pins: Sequence[str] = ()) -> Future[Installed | None]:
            folder = tmp_path_factory.mktemp("installed")
            return pool.submit(_make, built, version, folder, pins)

        running = f"3.{sys.version_info.minor}"
        yield {
            **{version: make(version) for version in VERSIONS},
            LOWEST: make(running, lowest(built.metadata)),
        }


def _make(built: Built, version: str, folder: Path, pins: Sequence[str]) -> Installed | None:
    interpreter = find_python(version)
    return install(built, interpreter, folder, *pins) if interpreter else None


@pytest.fixture(params=[*VERSIONS, LOWEST])
def installed(
    request: pytest.FixtureRequest, environments: Mapping[str, Future[Installed | None]]
) -> Installed:
    """The wheel in a new environment: on each Python, and with the lowest dependencies."""
    environment = environments[request.param].result()
    if environment is None:
        # The lowest dependencies are tested on the Python that runs this.
        give_up = pytest.fail if request.param == LOWEST else pytest.skip
        give_up(f"no Python was found for {request.param}")
    return environment
