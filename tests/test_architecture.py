"""Who may import whom, read from the sources."""

import ast
import importlib
import inspect
import json
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
    "dcvsessions.arguments",
    "dcvsessions.decisions",
    "dcvsessions.enums",
    "dcvsessions.errors",
    "dcvsessions.lightsail.lifecycle",
    "dcvsessions.lightsail.models",
    "dcvsessions.nimble.lifecycle",
    "dcvsessions.nimble.models",
    "dcvsessions.schedule",
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
    "subprocess",
    "tenacity",
    "threading",
    "time",
}
FOREIGN = {"aiobotocore", "botocore", "aiohttp"}

# Arrows run one way: who is further down may import who is further up.
LAYERS = [
    ["errors", "enums"],
    ["arguments", "schedule", "progress", "cleanup", "redaction"],
    ["tracebacks", "reachability"],
    # A URL, and its two ways out: they take it as an argument, and import it for its type alone.
    ["url", "connection_file", "launcher"],
    ["conversion", "decisions", "lightsail.models", "nimble.models"],
    ["aws_session", "translation", "aws", "polling"],
    ["lightsail.client", "nimble.client", "lightsail.lifecycle", "nimble.lifecycle"],
    ["desktop", "lightsail.computer", "nimble.ownership", "nimble.workstation"],
    ["lightsail.helpers", "lightsail.desktop", "nimble.helpers", "nimble.desktop"],
    ["__init__", "lightsail.__init__", "nimble.__init__"],
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
                yield whole if whole in FILES else module


def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text("utf-8"))


def imported(module: str, *, top_level: bool = False) -> set[str]:
    return set(imports(tree_of(module), top_level=top_level))


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


OF_SIMULATOR = [module for module in FILES if is_in(module, SIMULATOR)]
OF_SDK = [module for module in FILES if not is_in(module, SIMULATOR)]


@pytest.mark.parametrize("module", OF_SDK)
def test_nothing_imports_the_simulator(module: str) -> None:
    assert not [name for name in imported(module) if is_in(name, SIMULATOR)]


@pytest.mark.parametrize("module", OF_SIMULATOR)
def test_the_simulator_shares_nothing_with_what_it_tests(module: str) -> None:
    # It speaks the wire's JSON, so that a mistake in a model cannot hide on both sides.
    ours = {name for name in imported(module) if is_in(name, "dcvsessions")}
    assert not [name for name in ours if not is_in(name, SIMULATOR)]


@pytest.mark.parametrize("module", PURE)
def test_what_is_pure(module: str) -> None:
    assert not roots(imported(module)) & IMPURE
    ours = {name for name in imported(module) if is_in(name, "dcvsessions")}
    assert ours <= {*PURE, "dcvsessions.url"}
    waits = (ast.AsyncFunctionDef, ast.Await)
    assert not [node for node in ast.walk(tree_of(module)) if isinstance(node, waits)]


def test_one_file_knows_tenacity() -> None:
    assert [module for module in FILES if "tenacity" in roots(imported(module))] == [
        "dcvsessions.polling"
    ]


def test_two_files_know_aiobotocore() -> None:
    # What they import stays out of `import dcvsessions`: aws.py imports them when it needs them.
    know = [module for module in OF_SDK if roots(imported(module, top_level=True)) & FOREIGN]
    assert know == ["dcvsessions.aws_session", "dcvsessions.translation"]


@pytest.mark.parametrize("module", OF_SDK)
def test_arrows_run_one_way(module: str) -> None:
    rank = {f"dcvsessions.{name}": n for n, layer in enumerate(LAYERS) for name in layer}
    above = {name for name in imported(module) if name in rank}
    assert not [name for name in above if rank[name] > rank[module]]


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, json, dcvsessions; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = roots(set(json.loads(done.stdout)))
    assert not loaded & (FOREIGN | {"rich"})


# --- Names ---


def test_the_public_names_are_sorted_and_complete() -> None:
    assert dcvsessions.__all__ == sorted(dcvsessions.__all__)
    tree = tree_of("dcvsessions.__init__")
    names = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(dcvsessions.__all__) == names


def test_the_package_itself_has_no_code() -> None:
    allowed = ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.Expr
    assert all(isinstance(node, allowed) for node in tree_of("dcvsessions.__init__").body)


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
    elif callable(value):
        assert inspect.getdoc(value)


def test_every_module_says_what_it_is_and_what_it_offers() -> None:
    for found in pkgutil.walk_packages([str(ROOT)], "dcvsessions."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        assert module.__doc__, found.name
        offered = getattr(module, "__all__", [])
        assert [name for name in offered if not hasattr(module, name)] == []


def test_no_file_is_a_drawer() -> None:
    names = {path.stem for path in FILES.values()}
    assert not names & {"utils", "util", "helpers_common", "common", "base", "misc"}
