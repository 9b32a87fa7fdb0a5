"""The service models, read with botocore and converted to typed classes.

The models state what AWS documents: operations, routes, members, limits and errors.
"""

import functools
import importlib.resources
import json
import re
from collections.abc import Mapping
from typing import Any, Literal, cast

from attrs import field, frozen

__all__ = ["Location", "Member", "Operation", "Service", "Shape", "convert", "load_service"]

Location = Literal["body", "uri", "querystring", "header"]

_API_VERSIONS = {"lightsail": "2016-11-28", "nimble": "2020-08-01"}

# The Lightsail User Guide documents that names may contain periods and have up to 255 characters.
# The pattern of the model has no period.
_DOCUMENTED_LIMITS: dict[str, dict[str, Any]] = {
    "ResourceName": {"pattern": r"\w[\w\-.]*\w", "max": 255},
}


@frozen(kw_only=True, eq=False, repr=False)
class Shape:
    """A type in a service model, with its limits.

    Attributes:
        name: Its name in the model.
        kind: `structure`, `list`, `map`, `string`, `integer`, `timestamp`, …
        members: The members of a structure by name.
        required: The names of the required members of a structure.
        element: The type of the items of a list, or of the values of a map.
        minimum: The smallest value of a number, or length of a string or list.
        maximum: The largest value or length.
        pattern: What a string has to match as a whole.
        enum: The values that a string may have; empty for any.
        timestamp_format: `iso8601`, `rfc822` or `unixTimestamp`; None for the protocol's default.
    """

    name: str
    kind: str
    members: dict[str, "Member"] = field(factory=dict[str, "Member"])
    required: tuple[str, ...] = ()
    element: "Shape | None" = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: re.Pattern[str] | None = None
    enum: tuple[str, ...] = ()
    timestamp_format: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class Member:
    """A member of a structure, and its place in the message.

    Attributes:
        shape: Its type.
        location: The part of the HTTP message that holds it.
        wire_name: Its name there.
    """

    shape: Shape
    location: Location
    wire_name: str


@frozen(kw_only=True, eq=False, repr=False)
class Operation:
    """An operation of a service.

    Attributes:
        name: Its name, such as `StartGUISession`.
        method: The HTTP method.
        path: The segments of the path; `{name}` stands for a member.
        status: The HTTP status of success.
        input: The type of its parameters.
        output: The type of its output.
        errors: The names of the errors that the model lists for it.
    """

    name: str
    method: str
    path: tuple[str, ...]
    status: int
    input: Shape
    output: Shape
    errors: frozenset[str]


@frozen(kw_only=True, eq=False, repr=False)
class Service:
    """A service and its operations.

    Attributes:
        name: `lightsail` or `nimble`; signatures are scoped to the same name.
        protocol: `json` (awsJson) or `rest-json` (restJson1).
        json_version: The version in awsJson's content type.
        target_prefix: What stands before the operation in `X-Amz-Target`; empty for restJson1.
        operations: The operations by name.
        error_statuses: The HTTP status of each error of the model.
        error_members: The names of the members of each error of the model.
    """

    name: str
    protocol: str
    json_version: str
    target_prefix: str
    operations: dict[str, Operation]
    error_statuses: dict[str, int]
    error_members: dict[str, frozenset[str]]


@functools.cache
def load_service(name: str) -> Service:
    """Return a service whose model the package ships; the same object each time.

    Args:
        name: `lightsail` or `nimble`.
    """
    data = importlib.resources.files("dcvsessions") / "data" / name / _API_VERSIONS[name]
    return convert(json.loads((data / "service-2.json").read_text(encoding="utf-8")), name)


def convert(document: Mapping[str, Any], name: str) -> Service:
    """Convert a service model.

    Args:
        document: The JSON document, as botocore ships it.
        name: The name of the service.
    """
    # botocore takes long to import, and is not needed before the first request.
    from botocore.model import ServiceModel  # noqa: PLC0415

    model: Any = ServiceModel(document, name)  # botocore has no types
    shapes: dict[str, Shape] = {}
    metadata: dict[str, str] = model.metadata
    errors = {
        error: shape
        for error, shape in cast("dict[str, Any]", document["shapes"]).items()
        if shape.get("exception")
    }
    return Service(
        name=name,
        protocol=metadata["protocol"],
        json_version=metadata.get("jsonVersion", "1.0"),
        target_prefix=metadata.get("targetPrefix", ""),
        operations={
            operation: _operation(model.operation_model(operation), shapes)
            for operation in cast("list[str]", model.operation_names)
        },
        error_statuses={error: _error_status(shape) for error, shape in errors.items()},
        error_members={
            error: frozenset(shape.get("members", ())) for error, shape in errors.items()
        },
    )


def _operation(model: Any, shapes: dict[str, Shape]) -> Operation:  # noqa: ANN401 - botocore's
    http: dict[str, Any] = model.http
    uri: str = http["requestUri"]
    return Operation(
        name=model.name,
        method=http["method"],
        path=tuple(uri.partition("?")[0].split("/")[1:]),
        status=http.get("responseCode", 200),
        input=_shape(model.input_shape, shapes),
        output=_shape(model.output_shape, shapes),
        errors=frozenset(error.name for error in model.error_shapes),
    )


def _error_status(shape: Mapping[str, Any]) -> int:
    # awsJson's models state no HTTP status. It is 500 for errors that are the service's fault.
    stated: int | None = shape.get("error", {}).get("httpStatusCode")
    return stated or (500 if shape.get("fault") else 400)


def _shape(model: Any, shapes: dict[str, Shape]) -> Shape:  # noqa: ANN401 - botocore's
    if model is None:
        return Shape(name="Unit", kind="structure")
    if model.type_name in {"structure", "list", "map"} and model.name in shapes:
        return shapes[model.name]
    if model.type_name == "structure":
        return _structure(model, shapes)
    return _simple(model, shapes)


def _structure(model: Any, shapes: dict[str, Shape]) -> Shape:  # noqa: ANN401 - botocore's
    shape = Shape(name=model.name, kind="structure", required=tuple(model.required_members))
    shapes[model.name] = shape  # before its members, because one of them may be of this type
    shape.members.update(
        (name, _member(name, member, shapes)) for name, member in model.members.items()
    )
    return shape


def _member(name: str, model: Any, shapes: dict[str, Shape]) -> Member:  # noqa: ANN401 - botocore's
    serialization: dict[str, Any] = model.serialization
    return Member(
        shape=_shape(model, shapes),
        location=serialization.get("location", "body"),
        wire_name=serialization.get("name", name),
    )


def _simple(model: Any, shapes: dict[str, Shape]) -> Shape:  # noqa: ANN401 - botocore's
    element = {"list": "member", "map": "value"}.get(model.type_name)
    limits: dict[str, Any] = {**model.metadata, **_DOCUMENTED_LIMITS.get(model.name, {})}
    pattern: str | None = limits.get("pattern")
    return Shape(
        name=model.name,
        kind=model.type_name,
        element=_shape(getattr(model, element), shapes) if element else None,
        minimum=limits.get("min"),
        maximum=limits.get("max"),
        # The services' regular expressions are Java's, whose \w is ASCII.
        pattern=re.compile(pattern, re.ASCII) if pattern else None,
        enum=tuple(limits.get("enum", ())),
        timestamp_format=model.serialization.get("timestampFormat"),
    )
