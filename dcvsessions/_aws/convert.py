"""Conversion of parsed answers into the model classes.

A member that does not match the service model is left out with a warning, so that a wait does not
fail because of a member that it does not need. The members that the caller asks for must match.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import GenericAlias
from typing import TypeVar, cast

from attrs import AttrsInstance, field, fields, frozen, has
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from dcvsessions._secrets.tracebacks import remove_secrets
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import InvalidResponseError

__all__ = ["Answer"]

_log = logging.getLogger(__name__)

_MISMATCHES = (TypeError, ValueError, AttributeError, OverflowError, OSError)

_Model = TypeVar("_Model", bound=AttrsInstance)
_Structured = TypeVar("_Structured")
_Hook = Callable[[object, object], object]


@frozen
class Answer:
    """The parsed answer of one call.

    A member can hold a URL as plain text, and tracebacks can show local variables with their
    `repr`. So the `repr` leaves the members out, and no method keeps a URL in a local variable.

    Attributes:
        operation: The API operation that was called.
        members: The members, by the service's names.
    """

    operation: str
    members: Mapping[str, object] = field(repr=False)

    def whole(self, model: type[_Model], *, needed: str) -> _Model:
        """Return the answer as one object.

        Raises:
            InvalidResponseError: The attribute `needed` is missing or does not match.
        """
        return self._structured(None, model, model.__name__, needed)

    def one(self, name: str, model: type[_Model], *, needed: str | None = None) -> _Model:
        """Return one member as an object.

        Raises:
            InvalidResponseError: The member, or its attribute `needed`, is missing or does not
                match.
        """
        return self._structured(name, model, name, needed)

    def all(self, name: str, model: type[_Model]) -> tuple[_Model, ...]:
        """Return the elements of a list as objects.

        Raises:
            InvalidResponseError: The list is missing, or an element is not an object.
        """
        return self._structured(name, _tuple_of(model), name)

    def text(self, name: str) -> str | None:
        """Return a member that is a string; None if it is missing, empty or not a string."""
        member = self.members.get(name)
        return member if isinstance(member, str) and member else None

    def _structured(
        self, name: str | None, kind: type[_Structured], what: str, needed: str | None = None
    ) -> _Structured:
        outer = sys.exception()
        try:
            structured = _converter.structure(
                self.members if name is None else self.members[name], kind
            )
        except (KeyError, *_MISMATCHES):
            mismatch = self._mismatch(what)
        except BaseException as error:
            # The call was interrupted, and the members are in the frames of the error.
            remove_secrets(error, keep=outer)
            raise
        else:
            if needed is None or getattr(structured, needed) is not None:
                return structured
            mismatch = self._mismatch(_wire_name(needed))
        # Raised after the handler, because the converter's own error quotes the value.
        raise mismatch

    def _mismatch(self, what: str) -> InvalidResponseError:
        # If botocore cannot read a body, it returns an empty answer.
        return InvalidResponseError(
            f"{self.operation}: the answer does not match the service model: {what} is missing or "
            "has the wrong type. A body that was cut off, or one from a proxy, looks like this.",
            operation=self.operation,
        )


def _tuple_of(model: type[_Model]) -> type[tuple[_Model, ...]]:
    return cast("type[tuple[_Model, ...]]", GenericAlias(tuple, (model, ...)))


def _wire_name(name: str) -> str:
    """Return the service's name of an attribute: `createdAt` for `created_at`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _structure_class(model: type[AttrsInstance], converter: Converter) -> _Hook:
    renamed = {
        attribute.name: override(rename=_wire_name(attribute.name)) for attribute in fields(model)
    }
    structured = make_dict_structure_fn(model, converter, **renamed)  # type: ignore[arg-type] # mypy takes the attributes for cattrs' options

    def structure(value: object, _: object) -> AttrsInstance:
        members = _mapping(value)
        try:
            return structured(members, model)
        except _MISMATCHES:
            return structured(_matching(members, model, converter), model)

    return structure


def _matching(
    members: Mapping[str, object], model: type[AttrsInstance], converter: Converter
) -> Mapping[str, object]:
    """Return the members that match the model, and warn about the others."""
    matching: dict[str, object] = {}
    for attribute in fields(model):
        name = _wire_name(attribute.name)
        if members.get(name) is None:
            continue
        try:
            converter.structure(members[name], attribute.type)
        except _MISMATCHES:
            # Without the value, because it can be a URL.
            _log.warning("%s.%s does not match the service model: left out.", model.__name__, name)
        else:
            matching[name] = members[name]
    return matching


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return cast("dict[str, object]", value)


def _is_optional(kind: type) -> Callable[[object], bool]:
    return lambda wanted: wanted == (kind | None)


def _exactly(kind: type) -> _Hook:
    """Accept only values of this type, or None: cattrs' own hooks would turn `"no"` into True."""

    def take(value: object, _: object) -> object:
        if type(value) is not kind and value is not None:
            raise TypeError
        return value

    return take


def _string_map(value: object, _: object) -> dict[str, str]:
    strings = _mapping(value)
    return {name: _string(string) for name, string in strings.items()}


def _strings(value: object, _: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_string, cast("list[object]", value)))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _utc(value: object, _: object) -> datetime:
    """Convert a time as either protocol has it, ISO 8601 or seconds since 1970, or as botocore."""
    match value:
        case str():
            value = datetime.fromisoformat(value)
        case int() | float():
            return datetime.fromtimestamp(value, UTC)
        case datetime():
            pass
        case _:
            raise TypeError
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _dcv_url(value: object, _: object) -> DcvUrl:
    # Not by DcvUrl(), which would have the text in a local variable.
    return str.__new__(DcvUrl, _string(value))


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for kind in (str, int, bool):
        converter.register_structure_hook_func(_is_optional(kind), _exactly(kind))
    # cattrs' own hook would turn numbers into strings here too.
    converter.register_structure_hook_func(lambda wanted: wanted == Mapping[str, str], _string_map)
    converter.register_structure_hook_func(lambda wanted: wanted == tuple[str, ...], _strings)
    converter.register_structure_hook(datetime, _utc)
    converter.register_structure_hook(DcvUrl, _dcv_url)
    converter.register_structure_hook_factory(has, _structure_class)
    return converter


_converter = _make_converter()
