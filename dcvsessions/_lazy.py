"""Names of a package that are imported when they are first used."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

__all__ = ["lazy_names"]


def lazy_names(
    namespace: dict[str, object], exported: Sequence[str], modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package, as PEP 562 describes them.

    Type checkers should not see the two: they would then accept any name.

    Args:
        namespace: The `globals()` of the package.
        exported: The `__all__` of the package.
        modules: The module of each name that is imported when it is first used. A public module of
            the package is its own module.
    """

    def imported(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        module = import_module(modules[name])
        value: object = module if modules[name].endswith(f".{name}") else getattr(module, name)
        namespace[name] = value
        return value

    def public() -> list[str]:
        # Without what the package imports for itself, because completion shows this list.
        return sorted(
            name
            for name in {*namespace, *modules}
            if name.startswith("__") or name in modules or name in exported
        )

    return imported, public
