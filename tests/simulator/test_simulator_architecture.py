"""The rooms of the simulator, and who may import whom, read from the sources."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dcvsessions.simulator

PACKAGE = "dcvsessions.simulator"
ROOT = Path(dcvsessions.simulator.__file__).parent
FILES = {
    ".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)): path
    for path in sorted(ROOT.rglob("*.py"))
}

# The rooms, lowest floor first. A room imports rooms on lower floors only. A package is one room.
FLOORS = [
    {"_errors", "_time", "_protocol", "_faults", "_throttle", "_recording"},
    {"_environment", "_store", "_pages", "_desktop_page"},
    {"_lightsail", "_nimble", "_gateway"},
    {"_server"},
    {"_simulator"},
    {"_scenario_file", "_thread"},
    {"_scenario", "pytest_plugin"},
    {"_control", "_recorder"},
    {"__init__", "__main__"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# These files know no time, no randomness and no I/O: all of it comes in as arguments.
PURE = [
    "_faults",
    "_lightsail.describe",
    "_lightsail.resources",
    "_nimble.describe",
    "_nimble.resources",
    "_pages",
    "_protocol.bindings",
    "_protocol.messages",
    "_protocol.wire",
    "_store",
    "_time.plan",
    "_recording",
    "_throttle",
    "_time.timeline",
]
IMPURE = {
    "aiohttp",
    "asyncio",
    "botocore",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "threading",
    "time",
}


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(FILES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole module"
            source = node.module or ""
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield whole if whole in FILES else source


def own_imports(module: str) -> set[str]:
    # _lazy only imports names when they are first used: it knows nothing of what is tested.
    names = set(imports(module)) - {"dcvsessions._lazy"}
    return {name for name in names if name.partition(".")[0] == "dcvsessions"}


def room_of(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.").partition(".")[0]


@pytest.mark.parametrize("module", FILES)
def test_the_simulator_imports_nothing_of_what_it_tests(module):
    # It speaks the wire's JSON, so that a mistake in a model cannot hide on both sides.
    assert {name for name in own_imports(module) if not name.startswith(f"{PACKAGE}.")} == set()


@pytest.mark.parametrize("module", FILES)
def test_modules_are_imported_under_the_name_of_their_file(module):
    # A package's __init__ is for users. Inside, it would hide which file an arrow leads to.
    assert own_imports(module) <= set(FILES)


def test_every_room_is_on_a_floor():
    assert {room_of(module) for module in FILES} == set(FLOOR_OF)


@pytest.mark.parametrize("module", FILES)
def test_rooms_import_rooms_on_lower_floors_only(module):
    here = room_of(module)
    others = {room_of(name) for name in own_imports(module)} - {here}
    assert {room for room in others if FLOOR_OF[room] >= FLOOR_OF[here]} == set()


def test_no_files_import_each_other_in_a_circle():
    left = {module: own_imports(module) for module in FILES}
    while left:
        ready = [module for module, imported in left.items() if not imported & set(left)]
        assert ready, f"a circle among {sorted(left)}"
        for module in ready:
            del left[module]


def test_both_services_have_the_same_rooms():
    twins = {
        service: {path.stem for path in (ROOT / service).glob("*.py")}
        for service in ("_lightsail", "_nimble")
    }
    assert twins["_lightsail"] - {"operation_log"} == twins["_nimble"] - {"client_tokens"}


def test_only_twins_share_a_file_name():
    names = [path.stem for path in FILES.values() if path.stem != "__init__"]
    twins = {"account", "controls", "describe", "operations", "resources"}
    assert {name for name in names if names.count(name) > 1} == twins


@pytest.mark.parametrize("module", PURE)
def test_pure_files_import_nothing_that_does_io(module):
    assert {name.partition(".")[0] for name in imports(f"{PACKAGE}.{module}")} & IMPURE == set()


@pytest.mark.parametrize("module", FILES)
def test_annotations_are_not_postponed(module):
    assert "__future__" not in set(imports(module))


def test_three_files_import_botocore():
    users = [
        module
        for module in FILES
        if any(name.partition(".")[0] == "botocore" for name in imports(module))
    ]
    names = ("_protocol.model", "_protocol.signature", "_recorder")
    assert users == [f"{PACKAGE}.{name}" for name in names]


def test_importing_the_simulator_loads_no_aws_client():
    code = "import sys, dcvsessions.simulator; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stdout.split())
    unwanted = {"aiobotocore", "botocore.client", "botocore.session", "pytest"}
    assert not loaded & unwanted


def test_the_process_loads_what_it_serves_with_and_nothing_else():
    # By their names, because a time would differ from machine to machine.
    code = "import sys, dcvsessions.simulator.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stdout.split())
    own = {f"{PACKAGE}.{name}" for name in ("_control", "_recorder", "_scenario_file")}
    assert not loaded & own
    assert not any(name.partition(".")[0] == "botocore" for name in loaded)


def test_exported_names_are_sorted_and_what_type_checkers_take_them_for():
    declared = {
        alias.name: getattr(importlib.import_module(node.module), alias.name)
        for node in ast.walk(ast.parse(FILES[f"{PACKAGE}.__init__"].read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module.startswith(PACKAGE)
        for alias in node.names
    }
    names = dcvsessions.simulator.__all__
    assert names == sorted(declared)
    assert {name: getattr(dcvsessions.simulator, name) for name in names} == declared
    assert set(names) <= set(dir(dcvsessions.simulator))


def test_the_simulator_has_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'Desktop'"):
        dcvsessions.simulator.Desktop  # noqa: B018
