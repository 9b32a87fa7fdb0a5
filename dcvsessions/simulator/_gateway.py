"""From an HTTP request to its response, and what goes wrong with it, without a socket.

The order of the checks is the one that can be seen at AWS: the operation, the signature, the form
of the request, its limits, and only then the state of the resources. If a request was not signed
with the simulator's keys, the rest of it is not read, it is not counted for a fault, and its
parameters are not recorded.
"""

import email.utils
import functools
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from attrs import evolve, frozen

from dcvsessions.simulator import _desktop_page as desktop_page
from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._environment import Environment
from dcvsessions.simulator._faults import Fault, FaultSchedule, Skew
from dcvsessions.simulator._protocol.bindings import Binding, bind
from dcvsessions.simulator._protocol.messages import HttpRequest, HttpResponse, Request
from dcvsessions.simulator._protocol.model import Operation, load_service
from dcvsessions.simulator._protocol.signature import (
    KeyPair,
    SignatureError,
    check_expiry,
    check_time,
    verify,
)
from dcvsessions.simulator._protocol.wire import Handler, Json, Parameters, WireError, validate
from dcvsessions.simulator._throttle import Throttles

__all__ = ["Gateway", "Result"]

_NO_SKEW = timedelta()
_HTML = b"<!doctype html><html><body><h1>Proxy</h1><p>This is not the service.</p></body></html>"
_HTML_TYPE = "text/html; charset=utf-8"
# With these faults the client gets no HTTP status.
_NO_STATUS = frozenset({"no_answer", "reset", "lost_response"})


@frozen(repr=False)
class Result:
    """What a request led to.

    Attributes:
        label: What was requested, for the log: an operation, or method and path.
        response: The response.
        fault: What goes wrong with the response.
    """

    label: str
    response: HttpResponse
    fault: Fault | None = None

    @property
    def status(self) -> int | None:
        """The HTTP status that the client gets; None without a response."""
        has_no_status = self.fault is not None and self.fault.kind in _NO_STATUS
        return None if has_no_status else self.response.status

    def __str__(self) -> str:
        line = f"{self.label} {self.status or '-'}"
        return f"{line} ({self.fault.kind})" if self.fault else line


@frozen(repr=False)
class _Call:
    """A request for a known operation."""

    binding: Binding
    operation: Operation
    request: HttpRequest


class Gateway:
    """Answers the requests to both simulated services.

    Args:
        environment: What both services share.
        handlers: The functions that carry out the operations, by service and operation.
        desktops: Lists the desktops that can be opened now.
        keys: The key pair that requests have to be signed with.
        keep_requests: The number of requests that are recorded.
    """

    def __init__(
        self,
        environment: Environment,
        handlers: Mapping[str, Mapping[str, Handler]],
        desktops: Callable[[], list[Desktop]],
        keys: KeyPair,
        keep_requests: int,
    ) -> None:
        self.faults = FaultSchedule()
        self.skew = Skew()
        self.throttles = Throttles()
        self.requests: deque[Request] = deque(maxlen=keep_requests)
        self._environment = environment
        self._handlers = handlers
        self._desktops = desktops
        self._keys = keys

    @functools.cached_property
    def _bindings(self) -> list[Binding]:
        # The models take longer to load than the rest of the simulator takes to start.
        return [bind(load_service(name)) for name in self._handlers]

    @property
    def operations(self) -> frozenset[str]:
        """The names of all operations of both services."""
        return frozenset(name for handlers in self._handlers.values() for name in handlers)

    def answer(self, request: HttpRequest) -> Result:
        """Carry out a request."""
        with self._environment.lock:
            if request.path == desktop_page.PATH and request.method in {"GET", "HEAD"}:
                clock = self._environment.clock
                page = desktop_page.response(
                    request.query, self._desktops(), clock.now(), clock.speed
                )
                return Result(f"GET {desktop_page.PATH}", page)
            call = self._call(request)
            return self._unknown_operation(request) if call is None else self._carry_out(call)

    def too_large(self) -> HttpResponse:
        """Return the response to a request whose body is over the limit and was not read."""
        headers = {"x-amzn-ErrorType": "RequestEntityTooLargeException"}
        return self._stamped(HttpResponse(413, headers, b"", "RequestEntityTooLargeException"))

    def _call(self, request: HttpRequest) -> _Call | None:
        found = ((binding, binding.find(request)) for binding in self._bindings)
        calls = (_Call(binding, operation, request) for binding, operation in found if operation)
        return next(calls, None)

    def _unknown_operation(self, request: HttpRequest) -> Result:
        # AWS answers 400 over awsJson, where every path is "/", and 404 over REST.
        is_json = (request.method, request.path) == ("POST", "/")
        binding, status = (self._bindings[0], 400) if is_json else (self._bindings[1], 404)
        error = WireError("UnknownOperationException", "The operation is not known", status)
        response = self._stamped(binding.serialize_error(error))
        result = Result(f"{request.method} (unknown)", response)
        self._record(result, service="", operation="", parameters={})
        return result

    def _carry_out(self, call: _Call) -> Result:
        try:
            signed_at = verify(call.request, self._keys, call.binding.service.name)
        except SignatureError as error:
            refusal = self._stamped(call.binding.serialize_error(_refusal(call, error)))
            return self._recorded(call, {}, refusal, None)
        parameters = _parsed(call)
        fault = self.faults.next_fault(call.operation.name)
        if fault is not None and fault.kind == "skewed_date":
            self.skew.begin(fault)
        skew = timedelta(seconds=self.skew.next_seconds())
        if fault is None or fault.takes_effect:
            answer = self._response(call, parameters, signed_at, skew)
            response = _distorted(self._stamped(answer, skew), fault)
        else:
            response = self._fault_response(call, fault, skew)
        known = {} if isinstance(parameters, WireError) else dict(parameters)
        return self._recorded(call, known, response, fault)

    def _recorded(
        self, call: _Call, parameters: dict[str, Json], response: HttpResponse, fault: Fault | None
    ) -> Result:
        service, operation = call.binding.service.name, call.operation.name
        result = Result(f"{service}.{operation}", response, fault)
        self._record(result, service=service, operation=operation, parameters=parameters)
        return result

    def _record(
        self, result: Result, *, service: str, operation: str, parameters: dict[str, Json]
    ) -> None:
        self.requests.append(
            Request(
                service=service,
                operation=operation,
                parameters=parameters,
                status=result.status,
                error=result.response.error if result.status else None,
                fault=result.fault.kind if result.fault else None,
                at=self._environment.clock.loop_time(),
            )
        )

    def _response(
        self,
        call: _Call,
        parameters: Parameters | WireError,
        signed_at: datetime,
        skew: timedelta,
    ) -> HttpResponse:
        binding, operation = call.binding, call.operation
        try:
            self._check_time(call, signed_at, skew)
            self._check_rate(operation)
            if isinstance(parameters, WireError):
                raise parameters
            validate(operation.input, parameters, binding.validation_code)
            handler = self._handlers[binding.service.name][operation.name]
            return binding.serialize_output(operation, handler(parameters))
        except WireError as error:
            return binding.serialize_error(error)

    def _check_time(self, call: _Call, signed_at: datetime, skew: timedelta) -> None:
        clock = self._environment.clock
        try:
            # Clients sign with the real time, however fast the simulated time runs, or with the
            # time that they read from the `Date` header.
            check_time(signed_at, (clock.date() + skew, datetime.now(UTC) + skew))
            check_expiry(self._keys, clock.now())
        except SignatureError as error:
            raise _refusal(call, error) from None

    def _check_rate(self, operation: Operation) -> None:
        if not self.throttles.admits(operation.name, self._environment.clock.now()):
            raise WireError("ThrottlingException", "Rate exceeded")

    def _stamped(self, response: HttpResponse, skew: timedelta = _NO_SKEW) -> HttpResponse:
        """Add the request id and the date, which every response of the service itself has."""
        date = email.utils.format_datetime(self._environment.clock.date() + skew, usegmt=True)
        return _with_headers(response, {"x-amzn-RequestId": str(uuid.uuid4()), "Date": date})

    def _fault_response(self, call: _Call, fault: Fault, skew: timedelta) -> HttpResponse:
        """Return the response to a request that does not reach the service."""
        if fault.kind == "html":
            return HttpResponse(fault.status, {"Content-Type": _HTML_TYPE}, _HTML)
        if fault.kind != "error":
            return HttpResponse(200, {}, b"")  # not sent
        headers = _retry_headers(fault.retry_after)
        if fault.code is None:
            return HttpResponse(fault.status, headers, b"")
        members: dict[str, Json] = {
            name: member if isinstance(member, str) else dict(member)
            for name, member in fault.members.items()
        }
        error = WireError(fault.code, fault.message, fault.status, members)
        return self._stamped(_with_headers(call.binding.serialize_error(error), headers), skew)


def _parsed(call: _Call) -> Parameters | WireError:
    """Read the parameters before the request is carried out, so that they can be recorded."""
    try:
        return call.binding.parse(call.operation, call.request)
    except WireError as error:
        return error


def _refusal(call: _Call, error: SignatureError) -> WireError:
    return WireError(error.code, error.message, call.binding.signature_status)


def _retry_headers(retry_after: float | str | None) -> dict[str, str]:
    if retry_after is None:
        return {}
    headers = {"Retry-After": str(retry_after)}
    if not isinstance(retry_after, str):
        headers["x-amz-retry-after"] = str(round(retry_after * 1000))
    return headers


def _distorted(response: HttpResponse, fault: Fault | None) -> HttpResponse:
    """Return the response as the client gets it."""
    kind = fault.kind if fault else None
    if kind == "truncated":
        return evolve(response, body=response.body[: len(response.body) // 2])
    if kind == "empty":
        return HttpResponse(200, response.headers, b"{}")
    if kind == "wrong_content_type":
        return _with_headers(response, {"Content-Type": _HTML_TYPE})
    return response


def _with_headers(response: HttpResponse, headers: Mapping[str, str]) -> HttpResponse:
    return evolve(response, headers={**response.headers, **headers})
