"""Both protocols: from an HTTP request to an operation and its parameters, and back. Pure.

awsJson (Lightsail) puts everything into the body and names the operation in a header. restJson1
(Nimble) spreads it over method, path, query, headers and body.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qs, unquote

from attrs import frozen

from dcvsessions.simulator._protocol.messages import HttpRequest, HttpResponse
from dcvsessions.simulator._protocol.model import Operation, Service
from dcvsessions.simulator._protocol.wire import (
    Json,
    Parameters,
    Value,
    WireError,
    decode,
    read,
    read_text,
    write,
)

__all__ = ["AwsJson", "Binding", "RestJson", "bind"]

# The members of Lightsail's errors besides the message.
_DOCS = "https://docs.aws.amazon.com/lightsail/"
_TIP = "Check the request, the region, and the state of the resource."


@frozen
class AwsJson:
    """awsJson1.0 and awsJson1.1.

    Attributes:
        service: The service.
        signature_status: The HTTP status for a bad signature. AWS answers 400 over awsJson.
        validation_code: The error code for a broken limit. Assumed: no other error of
            Lightsail's model says "invalid".
    """

    service: Service
    signature_status: int = 400
    validation_code: str = "InvalidInputException"

    def find(self, request: HttpRequest) -> Operation | None:
        """Return the operation that `X-Amz-Target` names, or None if it is unknown."""
        prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
        if (request.method, request.path, prefix) != ("POST", "/", self.service.target_prefix):
            return None
        return self.service.operations.get(name)

    def parse(self, operation: Operation, request: HttpRequest) -> Parameters:
        """Read the parameters from the body, whatever the content type in the headers.

        Raises:
            WireError: They cannot be read.
        """
        return _parameters(read(operation.input, decode(request.body)))

    def serialize_output(self, operation: Operation, output: Mapping[str, Value]) -> HttpResponse:
        """Make the response to an operation that succeeded."""
        return _response(operation.status, self._content_type, write(operation.output, output))

    def serialize_error(self, error: WireError) -> HttpResponse:
        """Make the response to an operation that failed. Its body names the code in `__type`."""
        body: Json = {"__type": error.code, **_error_members(self.service, error)}
        return _error_response(self.service, error, self._content_type, body)

    @property
    def _content_type(self) -> str:
        return f"application/x-amz-json-{self.service.json_version}"


@frozen
class RestJson:
    """restJson1.

    Attributes:
        service: The service.
        signature_status: The HTTP status for a bad signature. AWS answers 403 over REST.
        validation_code: The error code for a broken limit. Documented: "One of the parameters in
            the request is invalid."
    """

    service: Service
    signature_status: int = 403
    validation_code: str = "ValidationException"

    def find(self, request: HttpRequest) -> Operation | None:
        """Return the operation that has this method and path, or None if it is unknown."""
        matching = (
            operation
            for operation in self.service.operations.values()
            if operation.method == request.method and _labels(operation, request) is not None
        )
        return next(matching, None)

    def parse(self, operation: Operation, request: HttpRequest) -> Parameters:
        """Read the parameters from the body, the path, the query and the headers.

        Raises:
            WireError: They cannot be read.
        """
        _check_content_type(request)
        texts: dict[str, Mapping[str, list[str]]] = {
            "uri": {name: [text] for name, text in (_labels(operation, request) or {}).items()},
            "querystring": parse_qs(request.query, keep_blank_values=True),
            "header": {name: [text] for name, text in request.headers.items()},
        }
        body = decode(request.body) if request.method != "GET" else {}
        parameters = _parameters(read(operation.input, body))
        for name, member in operation.input.members.items():
            key = member.wire_name.lower() if member.location == "header" else member.wire_name
            found = texts.get(member.location, {}).get(key)
            if found is None:
                continue
            if member.shape.kind == "list" and member.shape.element is not None:
                element = member.shape.element
                parameters[name] = [read_text(element, text) for text in found]
            else:
                parameters[name] = read_text(member.shape, found[0])  # the first one counts
        return parameters

    def serialize_output(self, operation: Operation, output: Mapping[str, Value]) -> HttpResponse:
        """Make the response to an operation that succeeded."""
        return _response(operation.status, "application/json", write(operation.output, output))

    def serialize_error(self, error: WireError) -> HttpResponse:
        """Make the response to an operation that failed."""
        body: Json = {**_error_members(self.service, error)}
        return _error_response(self.service, error, "application/json", body)


Binding: TypeAlias = AwsJson | RestJson


def bind(service: Service) -> Binding:
    """Return the binding for the protocol of a service."""
    return AwsJson(service) if service.protocol == "json" else RestJson(service)


def _check_content_type(request: HttpRequest) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.body and media_type not in {"", "application/json"}:
        raise WireError(
            "UnsupportedMediaTypeException",
            "The content type of the request is not supported",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )


def _parameters(value: Json) -> Parameters:
    return Parameters(value if isinstance(value, dict) else {})


def _labels(operation: Operation, request: HttpRequest) -> dict[str, str] | None:
    """Return the members in the path, or None if the path is another operation's."""
    segments = request.path.split("/")[1:]
    if len(segments) != len(operation.path):
        return None
    labels: dict[str, str] = {}
    for expected, segment in zip(operation.path, segments, strict=True):
        text = unquote(segment)
        if expected.startswith("{"):
            labels[expected.strip("{}")] = text
        if not text or not (expected.startswith("{") or expected == text):
            return None
    return labels


def _response(status: int, content_type: str, body: str, error: str | None = None) -> HttpResponse:
    headers = {"Content-Type": content_type}
    if error is not None:
        headers["x-amzn-ErrorType"] = error
    return HttpResponse(status, headers, body.encode(), error)


def _error_members(service: Service, error: WireError) -> dict[str, Json]:
    """Return the members of an error: those of the model, and those that the error itself has.

    The values of the model's members are assumed: AWS documents only their names.
    """
    modeled = service.error_members.get(error.code, frozenset())
    usual: dict[str, Json] = {"code": error.code, "docs": _DOCS, "tip": _TIP}
    sent = {name: value for name, value in usual.items() if name in modeled}
    return {"message": error.message, **sent, **error.members}


def _error_response(
    service: Service, error: WireError, content_type: str, body: Json
) -> HttpResponse:
    status = error.status or service.error_statuses.get(error.code, HTTPStatus.BAD_REQUEST)
    return _response(status, content_type, json.dumps(body), error.code)
