"""From an HTTP request to the reply and what goes wrong with it, without a socket.

The order of the checks is the one that can be seen at AWS: which operation, the signature, the
form of the request, its limits, and only then the state of the resources.
"""

from __future__ import annotations

import datetime as dt
import email.utils
from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator import desktop
from dcvsessions.simulator.faults import FaultPlan
from dcvsessions.simulator.messages import HttpReply, Journal, Request
from dcvsessions.simulator.model import load_service
from dcvsessions.simulator.protocols import bind
from dcvsessions.simulator.signature import SignatureError, skewed, verify
from dcvsessions.simulator.wire import Parameters, WireError, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcvsessions.simulator.faults import Fault
    from dcvsessions.simulator.lightsail import LightsailSimulator
    from dcvsessions.simulator.messages import HttpRequest
    from dcvsessions.simulator.model import Operation
    from dcvsessions.simulator.nimble import NimbleSimulator
    from dcvsessions.simulator.protocols import Binding
    from dcvsessions.simulator.signature import KeyPair
    from dcvsessions.simulator.world import World

_HTML = b"<!doctype html><html><body><h1>Proxy</h1><p>This is not the service.</p></body></html>"
_HTML_TYPE = "text/html; charset=utf-8"
#: Stands where no byte of an answer is sent.
_NOTHING = HttpReply(200, {}, b"")
#: With these faults the client gets no status.
_UNANSWERED = frozenset({"no_answer", "reset", "lost_response"})


@attrs.frozen(repr=False)
class Answer:
    """What is to go back to the client.

    Args:
        label: What was asked, for the log: an operation, or method and path.
        reply: The reply.
        fault: What goes wrong with it.
    """

    label: str
    reply: HttpReply
    fault: Fault | None = None

    @property
    def status(self) -> int | None:
        """The HTTP status that the client gets; None for no answer."""
        is_unanswered = self.fault is not None and self.fault.kind in _UNANSWERED
        return None if is_unanswered else self.reply.status

    def __str__(self) -> str:
        """Give the line of the log."""
        said = f"{self.label} {self.status or '-'}"
        return f"{said} ({self.fault.kind})" if self.fault else said


@attrs.frozen(repr=False)
class _Call:
    """A request of which the operation is known."""

    binding: Binding
    operation: Operation
    request: HttpRequest


class Gateway:
    """The front of both simulated services.

    Args:
        world: The surroundings of the services.
        lightsail: The simulated Lightsail.
        nimble: The simulated Nimble Studio.
        keys: The key pair that requests have to be signed with.
        keep_requests: How many requests are remembered.
    """

    def __init__(
        self,
        world: World,
        lightsail: LightsailSimulator,
        nimble: NimbleSimulator,
        keys: KeyPair,
        keep_requests: int,
    ) -> None:
        self.faults = FaultPlan()
        self.journal = Journal(keep_requests)
        self._world = world
        self._services: dict[str, LightsailSimulator | NimbleSimulator] = {
            "lightsail": lightsail,
            "nimble": nimble,
        }
        self._bindings = [bind(load_service(name)) for name in self._services]
        self._keys = keys

    @property
    def operations(self) -> frozenset[str]:
        """The names of all operations of both services."""
        names = (binding.service.operations for binding in self._bindings)
        return frozenset(name for operations in names for name in operations)

    def answer(self, request: HttpRequest) -> Answer:
        """Carry out a request.

        Args:
            request: The request.

        Returns:
            The reply, and the fault that strikes it.
        """
        if request.path == desktop.PATH and request.method in {"GET", "HEAD"}:
            desktops = [each for one in self._services.values() for each in one.desktops()]
            return Answer(f"GET {desktop.PATH}", desktop.render(request.query, desktops))
        with self._world.lock:
            call = self._recognise(request)
            return self._refuse_unknown(request) if call is None else self._carry_out(call)

    def refuse_too_large(self) -> HttpReply:
        """Refuse a request with a body over the limit, which nobody reads.

        Returns:
            The reply.
        """
        headers = {"x-amzn-ErrorType": "RequestEntityTooLargeException"}
        return self._sign_off(HttpReply(413, headers, b"", "RequestEntityTooLargeException"))

    def _recognise(self, request: HttpRequest) -> _Call | None:
        found = ((binding, binding.find(request)) for binding in self._bindings)
        calls = (_Call(binding, operation, request) for binding, operation in found if operation)
        return next(calls, None)

    def _refuse_unknown(self, request: HttpRequest) -> Answer:
        # AWS answers 400 over awsJson, where the path says nothing, and 404 over REST.
        is_json = (request.method, request.path) == ("POST", "/")
        binding, status = (self._bindings[0], 400) if is_json else (self._bindings[1], 404)
        error = WireError("UnknownOperationException", "The operation is not known", status)
        reply = self._sign_off(binding.refuse(error))
        at = self._world.clock.loop_time()
        entry = Request(service="", operation="", parameters={}, at=at)
        self.journal.close(self.journal.open(entry), reply.status, reply.error)
        return Answer(f"{request.method} (unknown)", reply)

    def _carry_out(self, call: _Call) -> Answer:
        service, operation = call.binding.service.name, call.operation.name
        parameters = _read_quietly(call)
        entry = Request(
            service=service,
            operation=operation,
            parameters={} if isinstance(parameters, WireError) else dict(parameters),
            at=self._world.clock.loop_time(),
        )
        number = self.journal.open(entry)
        fault = self.faults.draw(operation)
        if fault is None or fault.takes_effect:
            reply = _distort(self._sign_off(self._serve(call, parameters)), fault)
        else:
            reply = self._fail(call, fault)
        answer = Answer(f"{service}.{operation}", reply, fault)
        self.journal.close(number, answer.status, reply.error if answer.status else None)
        return answer

    def _serve(self, call: _Call, parameters: Parameters | WireError) -> HttpReply:
        binding, operation = call.binding, call.operation
        try:
            self._authenticate(call)
            if isinstance(parameters, WireError):
                raise parameters
            validate(operation.input, parameters, binding.validation_code)
            handler = self._services[binding.service.name].handlers[operation.name]
            return binding.succeed(operation, handler(parameters))
        except WireError as error:
            return binding.refuse(error)

    def _authenticate(self, call: _Call) -> None:
        # Signatures are made with the real time, however fast the simulated time runs.
        now = dt.datetime.now(dt.UTC)
        try:
            verify(call.request, self._keys, call.binding.service.name, now)
        except SignatureError as error:
            status = call.binding.refusal_status
            raise WireError(error.code, error.message, status) from None

    def _sign_off(self, reply: HttpReply) -> HttpReply:
        """Add what every answer of the service itself carries."""
        return _with_headers(reply, {"x-amzn-RequestId": self._world.uuid()})

    def _fail(self, call: _Call, fault: Fault) -> HttpReply:
        """Make the reply of a request that never reaches the resources."""
        if fault.kind == "html":
            return HttpReply(fault.status, {"Content-Type": _HTML_TYPE}, _HTML)
        if fault.kind == "skewed_date":
            return self._sign_off(_skewed_reply(call.binding, fault.seconds))
        if fault.kind != "error":
            return _NOTHING
        wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.code is None:
            return HttpReply(fault.status, wait, b"")
        error = WireError(fault.code, fault.message, fault.status)
        return self._sign_off(_with_headers(call.binding.refuse(error), wait))


def _read_quietly(call: _Call) -> Parameters | WireError:
    """Read the parameters before the signature is checked, so that the record is complete."""
    try:
        return call.binding.parse(call.operation, call.request)
    except WireError as error:
        return error


def _skewed_reply(binding: Binding, seconds: float) -> HttpReply:
    client = dt.datetime.now(dt.UTC)
    server = client + dt.timedelta(seconds=seconds)
    error = skewed(client, server)
    refusal = binding.refuse(WireError(error.code, error.message, binding.refusal_status))
    return _with_headers(refusal, {"Date": email.utils.format_datetime(server, usegmt=True)})


def _distort(reply: HttpReply, fault: Fault | None) -> HttpReply:
    """Change a reply on its way back."""
    kind = fault.kind if fault else None
    if kind == "truncated":
        return attrs.evolve(reply, body=reply.body[: len(reply.body) // 2])
    if kind == "empty":
        return HttpReply(200, reply.headers, b"{}")
    if kind == "wrong_content_type":
        return _with_headers(reply, {"Content-Type": _HTML_TYPE})
    return reply


def _with_headers(reply: HttpReply, headers: Mapping[str, str]) -> HttpReply:
    return attrs.evolve(reply, headers={**reply.headers, **headers})
