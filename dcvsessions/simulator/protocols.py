"""The two protocols: an HTTP request to an operation with its parameters, and the way back.

Pure. AwsJson (Lightsail) puts everything into the body and names the operation in a header;
restJson1 (Nimble) spreads it over method, path, query, headers and body.
"""

from __future__ import annotations

import http
import json
import urllib.parse
from typing import TYPE_CHECKING, TypeAlias

import attrs

from dcvsessions.simulator.messages import HttpReply
from dcvsessions.simulator.wire import Json, Parameters, decode, read, read_text, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcvsessions.simulator.messages import HttpRequest
    from dcvsessions.simulator.model import Operation, Service
    from dcvsessions.simulator.wire import Value, WireError


@attrs.frozen
class AwsJson:
    """awsJson1.0 and 1.1.

    Args:
        service: The service.
    """

    service: Service
    #: AWS answers 400 to a bad signature over awsJson, like to nearly everything.
    refusal_status: int = 400
    #: Assumed: Lightsail's model lists no other error that says "invalid".
    validation_code: str = "InvalidInputException"

    def find(self, request: HttpRequest) -> Operation | None:
        """Tell which operation a request asks for.

        Args:
            request: The request.

        Returns:
            The operation that ``X-Amz-Target`` names, None if there is no such one.
        """
        prefix, _, name = request.headers.get("x-amz-target", "").partition(".")
        if (request.method, request.path, prefix) != ("POST", "/", self.service.target_prefix):
            return None
        return self.service.operations.get(name)

    def parse(self, operation: Operation, request: HttpRequest) -> Parameters:
        """Read the parameters from the body.

        Args:
            operation: The operation.
            request: The request.

        Returns:
            The parameters that the model knows.

        Raises:
            WireError: They cannot be read.
        """
        return _members(read(operation.input, decode(request.body)))

    def succeed(self, operation: Operation, output: Mapping[str, Value]) -> HttpReply:
        """Make the reply of an operation that was carried out.

        Args:
            operation: The operation.
            output: Its answer, by the names of the model.

        Returns:
            The reply.
        """
        return _reply(operation.status, self._content_type, write(operation.output, output))

    def refuse(self, error: WireError) -> HttpReply:
        """Make the reply of an operation that was refused.

        Args:
            error: Why.

        Returns:
            The reply: the code is in ``__type`` and in ``x-amzn-ErrorType``.
        """
        body: Json = {"__type": error.code, "message": error.message}
        return _refusal(self.service, error, self._content_type, body)

    @property
    def _content_type(self) -> str:
        return f"application/x-amz-json-{self.service.json_version}"


@attrs.frozen
class RestJson:
    """restJson1.

    Args:
        service: The service.
    """

    service: Service
    #: AWS answers 403 to a bad signature over REST.
    refusal_status: int = 403
    #: Documented: "One of the parameters in the request is invalid."
    validation_code: str = "ValidationException"

    def find(self, request: HttpRequest) -> Operation | None:
        """Tell which operation a request asks for.

        Args:
            request: The request.

        Returns:
            The operation whose method and path fit, None if there is no such one.
        """
        fitting = (
            operation
            for operation in self.service.operations.values()
            if operation.method == request.method and _labels(operation, request) is not None
        )
        return next(fitting, None)

    def parse(self, operation: Operation, request: HttpRequest) -> Parameters:
        """Read the parameters from the body, the path, the query and the headers.

        Args:
            operation: The operation.
            request: The request.

        Returns:
            The parameters that the model knows.

        Raises:
            WireError: They cannot be read.
        """
        query = urllib.parse.parse_qsl(request.query, keep_blank_values=True)
        places: dict[str, Mapping[str, str]] = {
            "uri": _labels(operation, request) or {},
            "querystring": dict(reversed(query)),  # of a repeated name the first one counts
            "header": request.headers,
        }
        body = decode(request.body) if request.method != "GET" else {}
        parameters = _members(read(operation.input, body))
        for name, member in operation.input.members.items():
            key = member.wire_name.lower() if member.location == "header" else member.wire_name
            text = places.get(member.location, {}).get(key)
            if text is not None:
                parameters[name] = read_text(member.shape, text)
        return parameters

    def succeed(self, operation: Operation, output: Mapping[str, Value]) -> HttpReply:
        """Make the reply of an operation that was carried out.

        Args:
            operation: The operation.
            output: Its answer, by the names of the model.

        Returns:
            The reply.
        """
        return _reply(operation.status, "application/json", write(operation.output, output))

    def refuse(self, error: WireError) -> HttpReply:
        """Make the reply of an operation that was refused.

        Args:
            error: Why.

        Returns:
            The reply: the code is in ``x-amzn-ErrorType``.
        """
        return _refusal(self.service, error, "application/json", {"message": error.message})


#: How a service is put on HTTP.
Binding: TypeAlias = AwsJson | RestJson


def bind(service: Service) -> Binding:
    """Give a service the binding of its protocol.

    Args:
        service: The service.

    Returns:
        The binding.
    """
    return AwsJson(service) if service.protocol == "json" else RestJson(service)


def _members(value: Json) -> Parameters:
    return Parameters(value if isinstance(value, dict) else {})


def _labels(operation: Operation, request: HttpRequest) -> dict[str, str] | None:
    segments = request.path.split("/")[1:]
    if len(segments) != len(operation.path):
        return None
    labels: dict[str, str] = {}
    for wanted, segment in zip(operation.path, segments, strict=True):
        text = urllib.parse.unquote(segment)
        if wanted.startswith("{"):
            labels[wanted.strip("{}")] = text
        if not text or not (wanted.startswith("{") or wanted == text):
            return None
    return labels


def _reply(status: int, content_type: str, body: Json, error: str | None = None) -> HttpReply:
    headers = {"Content-Type": content_type}
    if error is not None:
        headers["x-amzn-ErrorType"] = error
    return HttpReply(status, headers, json.dumps(body).encode(), error)


def _refusal(service: Service, error: WireError, content_type: str, body: Json) -> HttpReply:
    status = error.status or service.error_statuses.get(error.code, http.HTTPStatus.BAD_REQUEST)
    return _reply(status, content_type, body, error.code)
