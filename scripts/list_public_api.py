"""Writes the list of every public name and its signature.

    python scripts/list_public_api.py

A test compares the list with the code, so that reviewers see each change of the public API. Run
this if you want to change the API. The list is read from the sources, so it is the same on each
version of Python.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import griffe

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "tests" / "surface" / "public_api.txt"
WIDTH = 100

# A name that several modules export is described in the first of them.
MODULES = [
    "dcvsessions.errors",
    "dcvsessions.progress",
    "dcvsessions.dcv",
    "dcvsessions.lightsail",
    "dcvsessions.nimble",
    "dcvsessions.simulator",
    "dcvsessions.simulator.pytest_plugin",
    "dcvsessions",
]


def public_api(folder: Path) -> str:
    """List the public API of the package in a folder.

    Args:
        folder: The folder that holds the package `dcvsessions`.
    """
    package = griffe.load(
        "dcvsessions", search_paths=[folder], resolve_aliases=True, try_relative_path=False
    )
    homes: dict[str, str] = {}
    parts = ["# `python scripts/list_public_api.py` writes this file.\n"]
    for path in MODULES:
        module = package.modules_collection[path]
        found = {str(name): _target(module[str(name)]) for name in sorted(module.exports or ())}
        again = {name: homes[it.path] for name, it in found.items() if it.path in homes}
        homes |= {it.path: path for name, it in found.items() if name not in again}
        imports = "".join(f"from {home} import {name}\n" for name, home in again.items())
        described = [_described(it) for name, it in found.items() if name not in again]
        parts += [f"\n# --- {path} ---\n", *filter(None, [imports]), *described]
    return "\n".join(parts)


def _target(found: griffe.Object | griffe.Alias) -> griffe.Object:
    return found.final_target if isinstance(found, griffe.Alias) else found


def _described(found: griffe.Object) -> str:
    """Describe one name as a stub file would, without its docstring."""
    if isinstance(found, griffe.Class):
        return _class(found)
    if isinstance(found, griffe.Function):
        return _function(found)
    assert isinstance(found, griffe.Attribute), found.path
    return _attribute(found)


def _class(found: griffe.Class) -> str:
    bases = ", ".join(map(str, found.bases))
    head = f"{_decorators(found)}class {found.name}{f'({bases})' if bases else ''}:\n"
    members = [_described(member) for member in _public_members(found)]
    return head + indent("".join(members) or "...\n", "    ")


def _public_members(found: griffe.Class) -> Iterator[griffe.Object]:
    """Give the class's own members in the order of the source, then those of private bases."""
    seen: set[str] = set()
    for owner in [found, *(base for base in found.mro() if not _is_public(base))]:
        for name, member in owner.members.items():
            if name not in seen and _is_offered(name, member):
                seen.add(name)
                yield _target(member)


def _is_public(found: griffe.Class) -> bool:
    package = found.package
    exported = (package.modules_collection[path] for path in MODULES)
    return any(
        found.name in (module.exports or ()) and _target(module[found.name]) is found
        for module in exported
    )


def _is_offered(name: str, member: griffe.Object | griffe.Alias) -> bool:
    is_special = name.startswith("__") and name.endswith("__")
    if is_special:
        return member.is_function and not name.startswith("__attrs")
    return not name.startswith("_")


def _function(found: griffe.Function) -> str:
    for parameter in found.parameters:
        parameter.default = _value(found, parameter.default)
    definition = "async def " if "async" in found.labels else "def "
    text = f"{definition}{found.signature()}\n"
    if len(text) > WIDTH:
        text = _one_argument_a_line(text)
    return f"{_decorators(found)}{text}"


def _value(
    function: griffe.Function, default: str | griffe.Expr | None
) -> str | griffe.Expr | None:
    """Replace the name of a constant by its value, so that a change of the value is listed."""
    if not isinstance(default, griffe.ExprName):
        return default
    path = default.canonical_path
    if not path.startswith("dcvsessions."):
        return default
    constant = function.modules_collection[path]
    assert isinstance(constant, griffe.Attribute), path
    return constant.value


def _one_argument_a_line(signature: str) -> str:
    head, _, rest = signature.partition("(")
    arguments, _, returned = rest.rpartition(")")
    # A comma inside a type is not followed by a name and a colon.
    lines = re.sub(r", (?=\*|/|\w+: )", ",\n    ", arguments)
    return f"{head}(\n    {lines},\n){returned}"


def _attribute(found: griffe.Attribute) -> str:
    if "property" in found.labels:
        return f"@property\ndef {found.name}() -> {found.annotation}\n"
    annotation = f": {found.annotation}" if found.annotation else ""
    # A value that `__init__` assigns is not a default.
    has_default = found.value is not None and found.labels != {"instance-attribute"}
    return f"{found.name}{annotation}{f' = {found.value}' if has_default else ''}\n"


def _decorators(found: griffe.Class | griffe.Function) -> str:
    return "".join(f"@{decorator.value}\n" for decorator in found.decorators)


def main() -> None:
    """Write the list."""
    TARGET.write_text(public_api(ROOT), encoding="utf-8")


if __name__ == "__main__":
    main()
