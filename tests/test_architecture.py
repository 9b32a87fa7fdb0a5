"""Who may import whom, read from the sources."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dcvsessions

ROOT = Path(dcvsessions.__file__).parent
FILES = {
    ".".join(("dcvsessions", *path.relative_to(ROOT).with_suffix("").parts)): path
    for path in sorted(ROOT.rglob("*.py"))
}
SIMULATOR = "dcvsessions.simulator"

# They know no time, no randomness, no I/O and nothing foreign: all of it comes in as arguments.
PURE = [
    "dcvsessions._arguments",
    "dcvsessions._aws.proof",
    "dcvsessions._command.text",
    "dcvsessions._enums",
    "dcvsessions._secrets.mask",
    "dcvsessions._wait.decisions",
    "dcvsessions._wait.outcome",
    "dcvsessions._wait.report",
    "dcvsessions._wait.schedule",
    "dcvsessions.dcv._url",
    "dcvsessions.errors",
    "dcvsessions.lightsail._models",
    "dcvsessions.lightsail._states",
    "dcvsessions.nimble._models",
    "dcvsessions.nimble._request",
    "dcvsessions.nimble._states",
]
IMPURE = {
    "aiobotocore",
    "aiohttp",
    "asyncio",
    "botocore",
    "logging",
    "os",
    "random",
    "secrets",
    "socket",
    "ssl",
    "subprocess",
    "tenacity",
    "threading",
    "time",
}
FOREIGN = {"aiobotocore", "botocore", "aiohttp"}

# The rooms by floor. Arrows run one way: a room imports only rooms of the lines above its own.
FLOORS = [
    {"errors", "progress", "_enums", "_lazy", "_secrets", "_version"},
    {"_arguments", "_call_order", "_frames", "_tasks"},
    {"dcv"},
    {"_aws", "_wait"},
    {"lightsail", "nimble"},
    {"__init__"},
    {"_command"},
    {"__main__"},
]


def imports(tree: ast.AST, *, top_level: bool = False) -> Iterator[str]:
    """The names of the modules that a file imports; at its top level alone, if asked to."""
    nodes = tree.body if top_level and isinstance(tree, ast.Module) else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole module"
            module = node.module or ""
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield whole if {whole, f"{whole}.__init__"} & FILES.keys() else module


def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text("utf-8"))


def imported(module: str, *, top_level: bool = False) -> set[str]:
    return set(imports(tree_of(module), top_level=top_level))


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


OF_SDK = [module for module in FILES if not is_in(module, SIMULATOR)]


@pytest.mark.parametrize("module", OF_SDK)
def test_nothing_imports_the_simulator(module: str) -> None:
    assert not [name for name in imported(module) if is_in(name, SIMULATOR)]


def at_import(module: str) -> set[str]:
    """What importing a module imports: what is under TYPE_CHECKING or in a function is not."""
    return imported(module, top_level=True)


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_do_no_io_and_import_only_pure_ones(module: str) -> None:
    assert not roots(at_import(module)) & IMPURE
    ours = {name for name in at_import(module) if is_in(name, "dcvsessions")}
    assert ours <= set(PURE)


@pytest.mark.parametrize("module", [name for name in PURE if name != "dcvsessions.dcv._url"])
def test_pure_modules_wait_for_nothing(module: str) -> None:
    waits = (ast.AsyncFunctionDef, ast.Await)
    assert not [node for node in ast.walk(tree_of(module)) if isinstance(node, waits)]


@pytest.mark.parametrize("module", PURE)
def test_importing_a_pure_module_loads_no_machinery(module: str) -> None:
    # Its own packages' __init__ files are loaded too; this one keeps them out of the picture.
    code = (
        "import importlib, sys, types\n"
        "for name in ('dcvsessions', 'dcvsessions.lightsail', 'dcvsessions.nimble',"
        " 'dcvsessions.dcv', 'dcvsessions._wait', 'dcvsessions._secrets'):\n"
        "    package = types.ModuleType(name)\n"
        f"    package.__path__ = [r'{ROOT.parent}/' + name.replace('.', '/')]\n"
        "    sys.modules[name] = package\n"
        f"importlib.import_module('{module}')\n"
        "print(*{'ssl', 'subprocess', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == []


def test_one_file_knows_tenacity() -> None:
    assert [module for module in FILES if "tenacity" in roots(imported(module))] == [
        "dcvsessions._wait.loop"
    ]


def test_three_files_know_aiobotocore() -> None:
    # What they import stays out of `import dcvsessions`: _aws/client.py imports them when needed.
    know = [module for module in OF_SDK if roots(at_import(module)) & FOREIGN]
    assert know == [f"dcvsessions._aws.{name}" for name in ("errors", "session", "signer")]


def room_of(module: str) -> str:
    return module.removeprefix("dcvsessions.").partition(".")[0]


FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def test_every_module_is_in_a_room() -> None:
    assert {room_of(module) for module in OF_SDK} == set(FLOOR_OF)


@pytest.mark.parametrize("module", OF_SDK)
def test_arrows_run_one_way_between_rooms(module: str) -> None:
    here = room_of(module)
    ours = {room_of(name) for name in imported(module) if is_in(name, "dcvsessions")} - {here}
    assert {room for room in ours if FLOOR_OF[room] >= FLOOR_OF[here]} == set()


def test_the_files_of_a_room_import_each_other_one_way() -> None:
    arrows = {module: {name for name in at_import(module) if name in FILES} for module in OF_SDK}
    left = dict(arrows)
    while left:
        ready = [module for module, above in left.items() if not above & set(left)]
        assert ready, f"a circle among {sorted(left)}"
        for module in ready:
            del left[module]


def test_no_two_files_have_one_name() -> None:
    twins = {"__init__", "errors", "_client", "_helpers", "_models", "_session", "_states"}
    names = [path.stem for module, path in FILES.items() if module in OF_SDK]
    assert {name for name in names if names.count(name) > 1} <= twins


# --- What an import loads ---


def names_after(code: str) -> set[str]:
    """Run code in a new process, and return the names of the modules that are loaded then."""
    code = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_the_package_is_cheap() -> None:
    loaded = roots(names_after("from dcvsessions import *"))
    assert not loaded & (FOREIGN | {"rich"})


@pytest.mark.parametrize("name", ["dcv", "errors", "lightsail", "nimble", "progress"])
def test_public_modules_are_attributes_of_the_package(name: str) -> None:
    assert f"dcvsessions.{name}" in names_after(f"import dcvsessions; dcvsessions.{name}.__name__")


def test_a_program_for_one_service_does_not_load_the_other() -> None:
    lightsail = names_after(
        "from dcvsessions import open_gui_session, gui_session, LightsailClient"
    )
    nimble = names_after("from dcvsessions import open_streaming_session, NimbleClient")
    assert {"dcvsessions.lightsail", "dcvsessions.nimble"} & lightsail == {"dcvsessions.lightsail"}
    assert {"dcvsessions.lightsail", "dcvsessions.nimble"} & nimble == {"dcvsessions.nimble"}


def test_importing_a_helper_loads_only_what_every_program_needs() -> None:
    loaded = names_after("from dcvsessions import open_gui_session, open_streaming_session")
    late = {"cattrs", "email", "html", "json", "tempfile", "tenacity", "urllib.parse", "uuid"}
    assert late & loaded == set()


# --- Names ---


PUBLIC = ast.walk(tree_of("dcvsessions.__init__"))
DECLARED = {
    alias.asname or alias.name: node.module
    for node in PUBLIC
    if isinstance(node, ast.ImportFrom) and is_in(node.module or "", "dcvsessions")
    for alias in node.names
}


def test_the_public_names_are_sorted_and_complete() -> None:
    assert dcvsessions.__all__ == sorted(dcvsessions.__all__)
    modules = {"dcv", "errors", "lightsail", "nimble", "progress"}
    assert set(dcvsessions.__all__) == DECLARED.keys() - modules - {"__version__", "lazy_names"}


@pytest.mark.parametrize("name", dcvsessions.__all__)
def test_every_public_name_is_what_type_checkers_take_it_for(name: str) -> None:
    assert getattr(dcvsessions, name) is getattr(importlib.import_module(DECLARED[name]), name)
    assert name in dir(dcvsessions)


def test_the_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="'dcvsessions' has no attribute 'open_desktop'"):
        dcvsessions.open_desktop  # type: ignore[attr-defined]  # noqa: B018


def test_completion_offers_only_public_names() -> None:
    for package in (dcvsessions, dcvsessions.dcv, dcvsessions.lightsail, dcvsessions.nimble):
        public = {name for name in dir(package) if not name.startswith("__")}
        modules = {name for name in public if inspect.ismodule(getattr(package, name))}
        assert public - modules == {*package.__all__}


@pytest.mark.parametrize("name", dcvsessions.__all__)
def test_every_public_name_has_a_docstring(name: str) -> None:
    value = getattr(dcvsessions, name)
    if inspect.isclass(value):
        assert value.__doc__
        own = {
            member: found
            for member, found in vars(value).items()
            if not member.startswith("_") and (callable(found) or isinstance(found, property))
        }
        assert [member for member, found in own.items() if not inspect.getdoc(found)] == []
    elif inspect.isroutine(value):
        assert inspect.getdoc(value)


def test_every_module_says_what_it_is_and_what_it_offers() -> None:
    for found in pkgutil.walk_packages([str(ROOT)], "dcvsessions."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        assert module.__doc__, found.name
        offered = getattr(module, "__all__", [])
        assert [name for name in offered if not hasattr(module, name)] == []


def test_the_name_of_a_module_says_whether_it_is_public() -> None:
    names = {module.removesuffix(".__init__").removesuffix(".__main__") for module in FILES}
    public = {name for name in names if not any(part[0] == "_" for part in name.split("."))}
    assert public == {
        "dcvsessions",
        "dcvsessions.dcv",
        "dcvsessions.errors",
        "dcvsessions.lightsail",
        "dcvsessions.nimble",
        "dcvsessions.progress",
        "dcvsessions.simulator",
        "dcvsessions.simulator.pytest_plugin",
    }


def test_no_file_is_called_utils_or_misc() -> None:
    names = {path.stem for path in FILES.values()}
    assert not names & {"utils", "util", "helpers_common", "common", "base", "misc"}
