"""The stored list of the public API is up to date: a change of it is seen in review."""

import pkgutil
import runpy
from pathlib import Path
from typing import Any

import pytest

import dcvsessions

PACKAGE = Path(dcvsessions.__file__).parent
STORED = Path(__file__).parent / "public_api.txt"
SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "list_public_api.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def listed(script: dict[str, Any]) -> str:
    return str(script["public_api"](PACKAGE.parent))


def test_the_list_of_public_names_is_up_to_date(listed: str) -> None:
    # If you mean to change the public API: `python scripts/list_public_api.py` writes the list.
    assert listed.splitlines() == STORED.read_text("utf-8").splitlines()


def test_the_public_modules_are_those_without_an_underscore(script: dict[str, Any]) -> None:
    found = pkgutil.walk_packages([str(PACKAGE)], "dcvsessions.")
    names = {module.name for module in found if "._" not in module.name}
    assert {*script["MODULES"]} == {
        "dcvsessions",
        "dcvsessions.dcv",
        "dcvsessions.errors",
        "dcvsessions.lightsail",
        "dcvsessions.nimble",
        "dcvsessions.progress",
        "dcvsessions.simulator",
        "dcvsessions.simulator.pytest_plugin",
    }
    assert names == {*script["MODULES"]} - {"dcvsessions"}


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        ("timeout: float | None = OPEN_TIMEOUT", "timeout: float | None = 60.0"),
        ("OPEN_TIMEOUT = 1800.0", "OPEN_TIMEOUT = 60.0"),
        ('kind: SessionKind = "application"', 'kind: str = "application"'),
        ("check_reachable: bool = False", "check_reachable: bool = True"),
        ("async def open_gui_session(", "def open_gui_session("),
    ],
)
def test_a_change_of_a_signature_changes_the_list(
    script: dict[str, Any], listed: str, tmp_path: Path, was: str, is_now: str
) -> None:
    for path in PACKAGE.rglob("*.py"):
        copy = tmp_path / "dcvsessions" / path.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text("utf-8").replace(was, is_now), "utf-8")
    assert script["public_api"](tmp_path) != listed
