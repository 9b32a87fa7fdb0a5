"""Reads and writes JSON as the service models describe it. Pure.

Requests are read in two steps, as at AWS. A value of the wrong JSON type cannot be read at all
(`SerializationException`). A value that was read may break limits of the model; one error then
names all of them.
"""

import email.utils
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii
from typing import TypeAlias, cast

from attrs import frozen

from dcvsessions.simulator._protocol.model import Shape

__all__ = [
    "Handler",
    "Json",
    "Parameters",
    "Value",
    "WireError",
    "Written",
    "decode",
    "read",
    "read_text",
    "validate",
    "violations",
    "write",
]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


@frozen(repr=False)
class Written:
    """A value that was written as JSON before.

    Attributes:
        text: The JSON.
    """

    text: str


# What an operation returns: JSON, and datetimes, which the model says how to write.
Value: TypeAlias = (
    "Mapping[str, Value] | Sequence[Value] | str | int | float | bool | datetime | Written | None"
)

_INTEGER_BITS = {"integer": 31, "long": 63}
# The names of the JSON types in AWS's messages; all other values are numbers.
_JSON_TOKENS: dict[type, str] = {
    dict: "START_OBJECT",
    list: "START_ARRAY",
    str: "STRING_VALUE",
    bool: "BOOLEAN_VALUE",
    type(None): "NULL_VALUE",
}


class WireError(Exception):
    """A request that is answered with an error.

    Args:
        code: The error code.
        message: What is wrong.
        status: The HTTP status; None for the one that the model states for the code.
        members: More members of the error, besides its message.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int | None = None,
        members: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(code, message, status)
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}


class Parameters(dict[str, Json]):
    """The parameters of a request that passed validation, by their names in the model."""

    def text(self, name: str) -> str:
        """Return a string that is required."""
        return cast("str", self[name])

    def optional_text(self, name: str) -> str | None:
        """Return a string, or None if it was left out."""
        return cast("str | None", self.get(name))

    def number(self, name: str, default: int) -> int:
        """Return an integer, or the default if it was left out."""
        return cast("int", self.get(name, default))

    def strings(self, name: str) -> dict[str, str]:
        """Return a map of strings; an empty one if it was left out."""
        return cast("dict[str, str]", self.get(name, {}))


# Carries out one operation.
Handler: TypeAlias = Callable[[Parameters], Mapping[str, Value]]


def decode(body: bytes) -> dict[str, Json]:
    """Read a JSON body. An empty body counts as an empty object.

    Raises:
        WireError: It is not JSON, or not an object.
    """
    if not body:
        return {}
    try:
        # json.loads() would also accept bytes in UTF-16 and UTF-32.
        document: Json = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise WireError("SerializationException", "The body is not valid JSON", 400) from None
    if not isinstance(document, dict):
        raise _wrong_type(document, "structure")
    return document


def _refuse_constant(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")


def _wrong_type(value: Json, kind: str) -> WireError:
    token = _JSON_TOKENS.get(type(value), "NUMBER_VALUE")
    return WireError("SerializationException", f"{token} cannot be converted to {kind}", 400)


def read(shape: Shape, value: Json) -> Json:
    """Read a JSON value of a shape; leave out unknown members and null members of structures.

    Args:
        shape: The type that the value has to have.
        value: The JSON value.

    Raises:
        WireError: It has another type.
    """
    if shape.kind == "structure":
        return _read_structure(shape, value)
    if shape.kind == "list" and isinstance(value, list) and shape.element:
        element = shape.element
        return [read(element, item) for item in value]
    if shape.kind == "map" and isinstance(value, dict) and shape.element:
        element = shape.element
        return {key: read(element, item) for key, item in value.items()}
    if not _is_scalar(shape.kind, value):
        raise _wrong_type(value, shape.kind)
    return value


def _read_structure(shape: Shape, value: Json) -> Json:
    if not isinstance(value, dict):
        raise _wrong_type(value, "structure")
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
        limit = 1 << _INTEGER_BITS[kind]
        return isinstance(value, int) and -limit <= value < limit
    if kind == "timestamp":
        return isinstance(value, (int, float, str))
    return kind in {"float", "double"} and isinstance(value, (int, float))


def read_text(shape: Shape, text: str) -> Json:
    """Read a value from a path, a query or a header.

    Args:
        shape: The type that the value has to have.
        text: The decoded text.

    Raises:
        WireError: The text has another type.
    """
    if shape.kind in {"string", "timestamp"}:
        return text
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise _wrong_type(text, shape.kind) from None
    return read(shape, value)


def violations(shape: Shape, value: Json, place: str = "") -> list[str]:
    """Return one sentence for each limit of the model that a value breaks.

    The sentences are AWS's for sensitive members: they do not repeat the value. So nothing that a
    client sends is shown in an error or a log.

    Args:
        shape: The type of the value.
        value: A value that was read.
        place: Where the value is, as `member.member`; empty for the whole input.
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
    broken: list[str] = []
    for name, member in members.items():  # in the model's order, whatever the request's is
        inner = f"{place}.{name}".lstrip(".")
        if name in value:
            broken += violations(member, value[name], inner)
        elif name in shape.required:
            broken.append(_sentence(inner, "Member must not be null"))
    return broken


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


def validate(shape: Shape, parameters: dict[str, Json], error_code: str) -> None:
    """Check the parameters of a request against the limits of the model.

    Args:
        shape: The input of the operation.
        parameters: The parameters from all parts of the message.
        error_code: The error code that the service answers with.

    Raises:
        WireError: They break at least one limit.
    """
    broken = violations(shape, parameters)
    if broken:
        count = f"{len(broken)} validation error{'s' * (len(broken) > 1)} detected"
        raise WireError(error_code, f"{count}: {'; '.join(broken)}")


def write(shape: Shape, value: Value, *, top: bool = True) -> str:
    """Write the output of an operation as JSON.

    Null members are left out, and so are empty lists and maps inside resources. A list at the top
    of an output is written even if it is empty: it is an empty page of results.

    Args:
        shape: The type that the model states.
        value: The value.
        top: Whether it is the whole output rather than something inside it.
    """
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, Written):
        return value.text
    if isinstance(value, datetime):
        return _write_timestamp(value, shape.timestamp_format)
    if isinstance(value, Mapping):
        return _write_mapping(shape, value, top=top)
    if isinstance(value, Sequence):
        element = shape.element or shape
        return f"[{','.join([write(element, item, top=False) for item in value])}]"
    return json.dumps(value)


def _write_mapping(shape: Shape, value: Mapping[str, Value], *, top: bool) -> str:
    written: list[str] = []
    for name, item in value.items():
        if item is None or (not top and item in ([], {}, ())):
            continue
        member = shape.members.get(name)
        inner = member.shape if member else shape.element
        if inner is None:
            raise KeyError(f"{shape.name} has no member {name}")
        key = encode_basestring_ascii(member.wire_name if member else name)
        written.append(f"{key}:{write(inner, item, top=False)}")
    return f"{{{','.join(written)}}}"


def _write_timestamp(value: datetime, timestamp_format: str | None) -> str:
    if timestamp_format == "iso8601":
        # Nimble's timestamps are documented as "the ISO timestamp in seconds".
        return f'"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'
    if timestamp_format == "rfc822":
        return f'"{email.utils.format_datetime(value.astimezone(UTC), usegmt=True)}"'
    return repr(round(value.timestamp(), 3))
