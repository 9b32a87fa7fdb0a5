"""CONTRIBUTING.md matches the project."""

import re
from pathlib import Path

import dcvsessions

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(dcvsessions.__file__).parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
# The simulator has another page and another architecture test.
NOT_LISTED = {"simulator/", "data/"}


def rooms_of_the_page() -> dict[str, set[str]]:
    section = PAGE.partition("\n## The rooms\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|([^|]*)\|", section, flags=re.MULTILINE)
    return {room: set(re.findall(r"`([^`]+)`", files)) for room, files in rows}


def rooms_of_the_tree() -> dict[str, set[str]]:
    rooms = {path.name: set[str]() for path in PACKAGE.glob("*.py")}
    for folder in PACKAGE.iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
            rooms[f"{folder.name}/"] = set() if f"{folder.name}/" in NOT_LISTED else files
    return rooms


def test_the_rooms_are_those_of_the_tree() -> None:
    assert rooms_of_the_page() == rooms_of_the_tree()


def test_every_file_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`((?:[\w.-]+/)+(?:[\w.-]+)?|[\w-]+\.(?:md|toml|py))`", PAGE))
    # What a command makes, and what is named within its room.
    named -= {"docs/_build/html", "mutants/", "dist/"}
    roots = [ROOT, PACKAGE, PACKAGE / "simulator" / "_lightsail", PACKAGE / "lightsail"]
    missing = [name for name in named if not any((root / name).exists() for root in roots)]
    assert missing == []


def test_every_command_that_the_page_names_exists() -> None:
    commands = re.findall(r"`(python -m [\w.]+|python [\w/]+\.py|\.ci/run)[^`]*`", PAGE)
    assert len(commands) > 5
    for command in commands:
        match command.split():
            case ["python", "-m", module]:
                folder = ROOT / module.replace(".", "/")
                is_ours = module.startswith("benchmarks")
                assert not is_ours or folder.with_suffix(".py").exists() or folder.is_dir(), command
            case ["python", script] | [script]:
                assert (ROOT / script).exists(), command


def test_the_markers_in_its_commands_are_registered() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    markers = re.findall(r"`pytest -m (\w+) ([\w/]+)`", PAGE)
    assert {marker for marker, _ in markers} == {"clients", "packages"}
    for marker, folder in markers:
        assert f'"{marker}: ' in settings
        assert (ROOT / folder).is_dir()
