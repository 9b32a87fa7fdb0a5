"""Scenario files: from TOML or JSON to classes, with the place of each mistake.

Import this module only where a file is read: importing cattrs takes a tenth of the time in which
the simulator is imported.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar, cast, get_args, get_origin

from attrs import asdict, has
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error
from cattrs.gen import make_dict_structure_fn

from dcvsessions.simulator._errors import ScenarioError
from dcvsessions.simulator._faults import ErrorMember
from dcvsessions.simulator._time.timings import PRESETS, Timings

__all__ = ["load", "structured"]

_Class = TypeVar("_Class")


def load(path: str | PathLike[str]) -> Mapping[str, Any]:
    """Read a TOML or JSON file.

    Raises:
        ScenarioError: It cannot be read.
    """
    file = Path(path)
    parse = json.loads if file.suffix == ".json" else tomllib.loads
    try:
        return cast("Mapping[str, Any]", parse(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:  # both parsers name line and column
        raise ScenarioError(str(error)) from error


def structured(data: Mapping[str, Any], kind: type[_Class]) -> _Class:
    """Convert the contents of a file to a class.

    Raises:
        ScenarioError: Something in it is wrong.
    """
    try:
        return _converter.structure(data, kind)
    except (BaseValidationError, ValueError, TypeError) as error:
        found = transform_error(error, format_exception=_sentence)
        raise ScenarioError("; ".join(found)) from error


def _sentence(error: BaseException, kind: type | None) -> str:
    if isinstance(error, KeyError):
        return "required, but missing"
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown: {', '.join(sorted(error.extra_fields))}"
    return str(error) or f"not a {kind}"


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exact)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(float | str | None, _number_or_text)
    converter.register_structure_hook(ErrorMember, _text_or_texts)
    converter.register_structure_hook_factory(has, _table_hook)
    converter.register_structure_hook_factory(_is_tuple, _array_hook)
    return converter


def _table_hook(kind: type[Any], converter: Converter) -> Callable[[object, object], Any]:
    structure_table = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True
    )

    def structure(value: object, _: object) -> Any:  # noqa: ANN401 - of the given kind
        table = _table(value)
        return structure_table(_with_preset(table) if kind is Timings else table, kind)

    return structure


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _array_hook(kind: object, converter: Converter) -> Callable[[object, object], Any]:
    elements = cast("type[list[Any]]", GenericAlias(list, get_args(kind)[0]))

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"must be an array, not {value!r}")
        return tuple(converter.structure(value, elements))

    return structure


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"must be a table, not {value!r}")
    return cast("dict[str, Any]", value)


def _exact(value: object, kind: type) -> object:
    if type(value) is not kind:
        raise ValueError(f"must be a {kind.__name__}, not {value!r}")
    return value


def _number(value: object, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"must be a number, not {value!r}")
    return float(value)


def _number_or_text(value: object, _: object) -> object:
    if value is not None and not isinstance(value, (int, float, str)):
        raise ValueError(f"must be a number or a text, not {value!r}")
    return value


def _text_or_texts(value: object, _: object) -> ErrorMember:
    if isinstance(value, str):
        return value
    texts = _table(value)
    return {name: cast("str", _exact(text, str)) for name, text in texts.items()}


def _with_preset(table: dict[str, Any]) -> dict[str, Any]:
    name = table.get("preset", "default")
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; not {name!r}")
    named = {key: value for key, value in table.items() if key != "preset"}
    return {**asdict(PRESETS[name]()), **named}


_converter = _make_converter()
