"""The two service models, read with botocore and turned into types of our own.

This is the only file of the simulator that imports botocore, which has no types: what leaves it is
typed. The models hold AWS's documented facts: operations, routes, members, limits and errors.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from typing import Any, Literal, cast

import attrs
from botocore.model import ServiceModel

Location = Literal["body", "uri", "querystring", "header"]

_SERVICES = {"lightsail": "2016-11-28", "nimble": "2020-08-01"}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Shape:
    """A type of a service model, with its limits.

    Args:
        name: Its name in the model.
        kind: ``structure``, ``list``, ``map``, ``string``, ``integer``, ``timestamp``, …
        members: The members of a structure by their names.
        required: The names of the required members of a structure.
        element: What a list or the values of a map hold.
        minimum: The smallest value (numbers) or length (strings and lists).
        maximum: The largest value or length.
        pattern: What a string has to match as a whole.
        enum: The values that a string may have; empty for any.
        timestamp_format: ``iso8601``, ``rfc822`` or ``unixTimestamp``; None for the protocol's.
    """

    name: str
    kind: str
    members: dict[str, Member] = attrs.field(factory=dict[str, "Member"])
    required: tuple[str, ...] = ()
    element: Shape | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: re.Pattern[str] | None = None
    enum: tuple[str, ...] = ()
    timestamp_format: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Member:
    """A member of a structure and its place in the message.

    Args:
        shape: Its type.
        location: Where in the HTTP message it stands.
        wire_name: Its name there.
    """

    shape: Shape
    location: Location
    wire_name: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Operation:
    """An operation of a service.

    Args:
        name: Its name, such as ``StartGUISession``.
        method: The HTTP method.
        path: The segments of the path; ``{name}`` stands for a member.
        status: The HTTP status of success.
        input: The type of its parameters.
        output: The type of its answer.
        errors: The names of the errors that the model lists for it.
    """

    name: str
    method: str
    path: tuple[str, ...]
    status: int
    input: Shape
    output: Shape
    errors: frozenset[str]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Service:
    """A service: its operations and how they are put on the wire.

    Args:
        name: ``lightsail`` or ``nimble``; also the name to which signatures are scoped.
        protocol: ``json`` (awsJson) or ``rest-json`` (restJson1).
        json_version: The version in awsJson's content type.
        target_prefix: What stands before the operation in ``X-Amz-Target``; empty for restJson1.
        operations: The operations by name.
        error_statuses: The HTTP status of each error of the model.
    """

    name: str
    protocol: str
    json_version: str
    target_prefix: str
    operations: dict[str, Operation]
    error_statuses: dict[str, int]


@functools.cache
def load_service(name: str) -> Service:
    """Load a service model that the package ships.

    Args:
        name: ``lightsail`` or ``nimble``.

    Returns:
        The service; the same object each time.

    Raises:
        KeyError: There is no such service.
    """
    data = importlib.resources.files("dcvsessions") / "data" / name / _SERVICES[name]
    document = json.loads((data / "service-2.json").read_text(encoding="utf-8"))
    return convert(ServiceModel(document, name), name)


def convert(model: Any, name: str) -> Service:  # noqa: ANN401 - botocore has no types
    """Turn a botocore ``ServiceModel`` into our own types.

    Args:
        model: The ``botocore.model.ServiceModel``.
        name: What the service is called here.

    Returns:
        The service.
    """
    shapes: dict[str, Shape] = {}
    metadata: dict[str, str] = model.metadata
    return Service(
        name=name,
        protocol=metadata["protocol"],
        json_version=metadata.get("jsonVersion", "1.0"),
        target_prefix=metadata.get("targetPrefix", ""),
        operations={
            operation: _operation(model.operation_model(operation), shapes)
            for operation in cast("list[str]", model.operation_names)
        },
        error_statuses={error.name: _error_status(error) for error in model.error_shapes},
    )


def _operation(model: Any, shapes: dict[str, Shape]) -> Operation:  # noqa: ANN401
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


def _error_status(error: Any) -> int:  # noqa: ANN401
    # The models give no status to the errors of awsJson: 500 if the fault is the service's.
    stated: int | None = error.metadata.get("error", {}).get("httpStatusCode")
    is_fault: bool = error._shape_model.get("fault", False)  # noqa: SLF001 - not in its metadata
    return stated or (500 if is_fault else 400)


def _shape(model: Any, shapes: dict[str, Shape]) -> Shape:  # noqa: ANN401
    if model is None:
        return Shape(name="Unit", kind="structure")
    if model.type_name in {"structure", "list", "map"} and model.name in shapes:
        return shapes[model.name]
    if model.type_name == "structure":
        return _structure(model, shapes)
    return _simple(model, shapes)


def _structure(model: Any, shapes: dict[str, Shape]) -> Shape:  # noqa: ANN401
    shape = Shape(name=model.name, kind="structure", required=tuple(model.required_members))
    shapes[model.name] = shape  # before its members, which may hold it again
    shape.members.update(
        (name, _member(name, member, shapes)) for name, member in model.members.items()
    )
    return shape


def _member(name: str, model: Any, shapes: dict[str, Shape]) -> Member:  # noqa: ANN401
    serialization: dict[str, Any] = model.serialization
    return Member(
        shape=_shape(model, shapes),
        location=serialization.get("location", "body"),
        wire_name=serialization.get("name", name),
    )


def _simple(model: Any, shapes: dict[str, Shape]) -> Shape:  # noqa: ANN401
    element = {"list": "member", "map": "value"}.get(model.type_name)
    limits: dict[str, Any] = model.metadata
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
