"""Values on the wire: JSON in and out, as the shapes of a service model state it.

Pure. Reading is in two steps, as at AWS: a value of the wrong JSON type cannot be read at all
(``SerializationException``); one that can be read may break limits of the model, and all the
limits that it breaks are named together.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from dcvsessions.simulator.model import Shape

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
#: What a service answers with: JSON, with datetimes that the model says how to write.
Value: TypeAlias = (
    "Mapping[str, Value] | Sequence[Value] | str | int | float | bool | dt.datetime | None"
)

_INTEGER_BITS = {"integer": 31, "long": 63}
#: AWS's words for what stands where something else is due; the rest are numbers.
_JSON_TOKENS: dict[type, str] = {
    dict: "START_OBJECT",
    list: "START_ARRAY",
    str: "STRING_VALUE",
    bool: "BOOLEAN_VALUE",
}


class WireError(Exception):
    """A request that is refused, with the error that the client is to get.

    Args:
        code: The error code.
        message: What is wrong.
        status: The HTTP status; None for the one that the model states for the code.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(code, message, status)
        self.code = code
        self.message = message
        self.status = status


class Parameters(dict[str, Json]):
    """The parameters of a request that has passed validation, by their names in the model."""

    def text(self, name: str) -> str:
        """Give a parameter that is required or known to be there.

        Args:
            name: Its name.

        Returns:
            Its value.
        """
        return cast("str", self[name])

    def optional_text(self, name: str) -> str | None:
        """Give a string that may have been left out.

        Args:
            name: Its name.

        Returns:
            Its value, or None.
        """
        return cast("str | None", self.get(name))

    def number(self, name: str, default: int) -> int:
        """Give an integer.

        Args:
            name: Its name.
            default: What it is if it was left out.

        Returns:
            Its value.
        """
        return cast("int", self.get(name, default))

    def strings(self, name: str) -> dict[str, str]:
        """Give a map of strings.

        Args:
            name: Its name.

        Returns:
            The map, empty if it was left out.
        """
        return cast("dict[str, str]", self.get(name, {}))


def decode(body: bytes) -> dict[str, Json]:
    """Read a JSON body.

    Args:
        body: The bytes; none at all stand for an empty object.

    Returns:
        The object in it.

    Raises:
        WireError: It is not JSON, or not an object.
    """
    if not body:
        return {}
    try:
        document: Json = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise WireError("SerializationException", "The body is not valid JSON", 400) from None
    if not isinstance(document, dict):
        raise _mistyped(document, "structure")
    return document


def _refuse_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")


def _mistyped(value: Json, kind: str) -> WireError:
    token = _JSON_TOKENS.get(type(value), "NUMBER_VALUE")
    return WireError("SerializationException", f"{token} cannot be converted to {kind}", 400)


def read(shape: Shape, value: Json) -> Json:
    """Read a JSON value as a shape.

    Args:
        shape: The type that it has to have.
        value: What stands in the JSON document; not None.

    Returns:
        The value, without the members that the model does not know and those that are null.

    Raises:
        WireError: It has another type.
    """
    if shape.kind == "structure":
        return _read_structure(shape, value)
    if shape.kind == "list" and isinstance(value, list) and shape.element:
        element = shape.element
        return [read(element, item) for item in value if item is not None]
    if shape.kind == "map" and isinstance(value, dict) and shape.element:
        element = shape.element
        return {key: read(element, item) for key, item in value.items() if item is not None}
    if not _is_scalar(shape.kind, value):
        raise _mistyped(value, shape.kind)
    return value


def _read_structure(shape: Shape, value: Json) -> Json:
    if not isinstance(value, dict):
        raise _mistyped(value, "structure")
    return {
        name: read(member.shape, value[member.wire_name])
        for name, member in shape.members.items()
        if member.location == "body" and value.get(member.wire_name) is not None
    }


def _is_scalar(kind: str, value: Json) -> bool:
    if kind in {"string", "blob"}:
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind in _INTEGER_BITS:
        return isinstance(value, int) and -(1 << _INTEGER_BITS[kind]) <= value < (
            1 << _INTEGER_BITS[kind]
        )
    if kind == "timestamp":
        return isinstance(value, (int, float, str))
    return kind in {"float", "double"} and isinstance(value, (int, float))


def read_text(shape: Shape, text: str) -> Json:
    """Read a value that stands in a path, a query or a header.

    Args:
        shape: The type that it has to have.
        text: The decoded text.

    Returns:
        The value.

    Raises:
        WireError: The text does not stand for such a value.
    """
    if shape.kind in {"string", "timestamp"}:
        return text
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise _mistyped(text, shape.kind) from None
    return read(shape, value)


def violations(shape: Shape, value: Json, place: str = "") -> list[str]:
    """List the limits of the model that a value breaks.

    The sentences are those of AWS for a member that is marked sensitive: they do not repeat the
    value, so that nothing that a client sends comes back in an error or a log.

    Args:
        shape: The type of the value.
        value: A value that could be read.
        place: Where it stands, as ``member.member``; empty for the whole.

    Returns:
        One sentence for each, none if the value is right.
    """
    if isinstance(value, dict):
        return _violations_inside(shape, value, place)
    if isinstance(value, list) and shape.element:
        inside = (
            violations(shape.element, item, f"{place}.{number}.member")
            for number, item in enumerate(value, start=1)
        )
        return [*_broken_limits(shape, value, place), *(each for found in inside for each in found)]
    return _broken_limits(shape, value, place)


def _violations_inside(shape: Shape, value: dict[str, Json], place: str) -> list[str]:
    if shape.kind == "map" and shape.element:
        members = dict.fromkeys(value, shape.element)
    else:
        members = {name: member.shape for name, member in shape.members.items()}
    missing = [
        _sentence(f"{place}.{name}".lstrip("."), "Member must not be null")
        for name in shape.required
        if name not in value
    ]
    inside = (
        violations(members[name], item, f"{place}.{name}".lstrip("."))
        for name, item in value.items()
    )
    return missing + [each for found in inside for each in found]


def _broken_limits(shape: Shape, value: Json, place: str) -> list[str]:
    rules: list[str] = []
    if isinstance(value, str):
        if shape.enum and value not in shape.enum:
            rules.append(f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        if shape.pattern and not shape.pattern.fullmatch(value):
            pattern = shape.pattern.pattern
            rules.append(f"Member must satisfy regular expression pattern: {pattern}")
    rules.extend(_broken_range(shape, value))
    return [_sentence(place, rule) for rule in rules]


def _broken_range(shape: Shape, value: Json) -> list[str]:
    size: float
    if isinstance(value, (str, list)):
        size, what = len(value), "have length"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        size, what = value, "have value"
    else:
        return []
    rules: list[str] = []
    if shape.minimum is not None and size < shape.minimum:
        rules.append(f"Member must {what} greater than or equal to {shape.minimum}")
    if shape.maximum is not None and size > shape.maximum:
        rules.append(f"Member must {what} less than or equal to {shape.maximum}")
    return rules


def _sentence(place: str, rule: str) -> str:
    return f"Value at '{place}' failed to satisfy constraint: {rule}"


def validate(shape: Shape, parameters: dict[str, Json], code: str) -> None:
    """Hold the parameters of a request against the model.

    Args:
        shape: The input of the operation.
        parameters: The parameters, merged from all places of the message.
        code: The error that the service answers with.

    Raises:
        WireError: They break at least one limit.
    """
    broken = violations(shape, parameters)
    if broken:
        count = f"{len(broken)} validation error{'s' * (len(broken) > 1)} detected"
        raise WireError(code, f"{count}: {'; '.join(broken)}")


def write(shape: Shape, value: Value, *, top: bool = True) -> Json:
    """Write an answer as a shape.

    Null members are left out, and so are empty lists and maps inside resources. The lists at the
    top of an answer are written even if they are empty, as an empty page of results is one.

    Args:
        shape: The type that the model states.
        value: The value.
        top: Whether it is the answer itself, and not something inside it.

    Returns:
        JSON.
    """
    if isinstance(value, dt.datetime):
        return write_timestamp(value, shape.timestamp_format or "unixTimestamp")
    if isinstance(value, Mapping):
        return _write_mapping(shape, value, top=top)
    if isinstance(value, Sequence) and not isinstance(value, str):
        element = shape.element or shape
        return [write(element, item, top=False) for item in value]
    return value


def _write_mapping(shape: Shape, value: Mapping[str, Value], *, top: bool) -> Json:
    written: dict[str, Json] = {}
    for name, item in value.items():
        if item is None or (not top and item in ([], {}, ())):
            continue
        member = shape.members.get(name)
        inner = member.shape if member else shape.element
        if inner is None:
            raise KeyError(f"{shape.name} has no member {name}")
        written[member.wire_name if member else name] = write(inner, item, top=False)
    return written


def write_timestamp(value: dt.datetime, form: str) -> Json:
    """Write a timestamp.

    Args:
        value: An aware datetime.
        form: ``iso8601``, ``rfc822`` or ``unixTimestamp``.

    Returns:
        Seconds since the epoch to the millisecond, or text. Text is in whole seconds: Nimble's
        timestamps are documented as "the ISO timestamp in seconds".
    """
    if form == "iso8601":
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if form == "rfc822":
        return email.utils.format_datetime(value.astimezone(dt.UTC), usegmt=True)
    return round(value.timestamp(), 3)
