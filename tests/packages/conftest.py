"""The wheel, the sdist, and environments in which the wheel is installed.

``pytest -m packages tests/packages`` runs these tests. They need the package index. The wheel is
tested on each version of Python that the metadata name and that this machine has. A version that
this machine does not have is skipped, and the report says so.
"""

import sys
from pathlib import Path

import pytest
from packages.building import ROOT, Built, Installed, build, find_python, install, lowest

HERE = Path(__file__).resolve().parent
VERSIONS = ["3.11", "3.12", "3.13"]
LOWEST = "lowest dependencies"
# Those of one environment run in one process, which makes it once.
ENVIRONMENTS = [
    pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in [*VERSIONS, LOWEST]
]


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
def environments() -> dict[str, Installed]:
    """The environments that this process made so far."""
    return {}


@pytest.fixture(params=ENVIRONMENTS)
def installed(
    request: pytest.FixtureRequest,
    built: Built,
    environments: dict[str, Installed],
    tmp_path_factory: pytest.TempPathFactory,
) -> Installed:
    """The wheel in a new environment: on each Python, and with the lowest dependencies."""
    name = request.param
    if name not in environments:
        version = f"3.{sys.version_info.minor}" if name == LOWEST else name
        interpreter = find_python(version)
        if interpreter is None:
            pytest.skip(f"Python {version} was not found on this machine")
        pins = lowest(built.metadata) if name == LOWEST else []
        folder = tmp_path_factory.mktemp("installed")
        environments[name] = install(built, interpreter, folder, *pins)
    return environments[name]
