"""The requests that the admin interface accepts. This module answers them, without a socket."""

import importlib.resources
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, unquote

from attrs import asdict, frozen

from dcvsessions.simulator._control import access
from dcvsessions.simulator._control.snapshot import request_list, state
from dcvsessions.simulator._gateway import Result
from dcvsessions.simulator._protocol.messages import HttpRequest, HttpResponse
from dcvsessions.simulator._protocol.wire import Json
from dcvsessions.simulator._scenario import (
    FaultScenario,
    InstanceScenario,
    Scenario,
    StudioScenario,
    ThrottleScenario,
)
from dcvsessions.simulator._scenario_file import structured
from dcvsessions.simulator._simulator import Simulator
from dcvsessions.simulator._time.plan import TransitionPlan

__all__ = ["ControlApi"]

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
_PAGE_HEADERS = {
    **_HEADERS,
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "connect-src 'self'"
    ),
}


@frozen(kw_only=True)
class _Status:
    status: str
    failure_reason: str | None = None


@frozen(kw_only=True)
class _State:
    state: str
    status_code: str | None = None
    message: str | None = None


@frozen(kw_only=True)
class _Plans:
    operation: str
    plans: tuple[TransitionPlan, ...]


@frozen(kw_only=True)
class _Advance:
    seconds: float


@frozen(repr=False)
class _Asked:
    """A request of the interface: the name in its path, its query, and its body."""

    name: str
    query: Mapping[str, list[str]]
    body: Mapping[str, Any]


_Action: TypeAlias = Callable[[_Asked], "dict[str, Json] | HttpResponse | None"]


class ControlApi:
    """The admin interface of a simulator.

    Args:
        simulator: The simulator.
        scenario: The scenario that a reset restores.
        token: The token that requests must have.
    """

    def __init__(self, simulator: Simulator, scenario: Scenario, token: str) -> None:
        self.host = ""
        self._simulator = simulator
        self._scenario = scenario
        self._token = token
        self._routes: list[tuple[str, re.Pattern[str], _Action]] = [
            (method, re.compile(path.replace("{name}", "([^/]+)")), action)
            for method, path, action in (
                ("GET", "/", self._page),
                ("GET", "/state", self._state),
                ("GET", "/requests", self._requests),
                ("POST", "/instances", self._add_instance),
                ("PUT", "/instances/{name}/status", self._set_status),
                ("POST", "/instances/{name}/plans", self._plan_instance),
                ("POST", "/instances/{name}/hold", self._hold_instance),
                ("POST", "/instances/{name}/release", self._release_instance),
                ("POST", "/studios", self._add_studio),
                ("PUT", "/sessions/{name}/state", self._set_state),
                ("POST", "/sessions/plans", self._plan_sessions),
                ("POST", "/sessions/hold", self._hold_sessions),
                ("POST", "/sessions/release", self._release_sessions),
                ("POST", "/faults", self._inject),
                ("DELETE", "/faults", self._heal),
                ("POST", "/throttles", self._throttle),
                ("POST", "/advance", self._advance),
                ("POST", "/reset", self._reset),
            )
        ]

    def answer(self, request: HttpRequest) -> Result:
        """Answer a request."""
        return Result(f"control {request.method} {_label(request.path)}", self._response(request))

    def too_large(self) -> HttpResponse:
        """Return the response to a request whose body is over the limit and was not read."""
        return _failed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large")

    def _response(self, request: HttpRequest) -> HttpResponse:
        if access.is_of_a_web_page(request.headers, self.host):
            return _failed(HTTPStatus.FORBIDDEN, "Web pages may not use this interface")
        if not access.has_token(request.headers.get("authorization", ""), self._token):
            refusal = _failed(HTTPStatus.UNAUTHORIZED, "The token that was printed is needed")
            ask = {"WWW-Authenticate": 'Basic realm="The password is the token that was printed"'}
            return HttpResponse(refusal.status, {**refusal.headers, **ask}, refusal.body)
        found = ((route, route[1].fullmatch(request.path)) for route in self._routes)
        routes = [(method, action, match) for (method, _, action), match in found if match]
        fitting = [(action, match) for method, action, match in routes if method == request.method]
        if not fitting:
            status = HTTPStatus.METHOD_NOT_ALLOWED if routes else HTTPStatus.NOT_FOUND
            return _failed(status, "There is no such path: the simulator's page lists all of them.")
        action, match = fitting[0]
        return _carried_out(action, request, unquote(match[1]) if match.groups() else "")

    # --- To look ---

    def _page(self, _: _Asked) -> HttpResponse:
        # It holds no data: its script reads /state and /requests.
        page = importlib.resources.files("dcvsessions.simulator._control") / "page.html"
        return HttpResponse(HTTPStatus.OK, _PAGE_HEADERS, page.read_bytes())

    def _state(self, _: _Asked) -> dict[str, Json]:
        return state(self._simulator)

    def _requests(self, asked: _Asked) -> dict[str, Json]:
        operation = asked.query.get("operation")
        simulator = self._simulator
        found = simulator.calls(operation[0]) if operation else simulator.requests
        last = int(asked.query.get("last", ["0"])[0])
        return request_list(found[-last:])

    # --- Virtual computers ---

    def _add_instance(self, asked: _Asked) -> None:
        structured(asked.body, InstanceScenario).add_to(self._simulator)

    def _set_status(self, asked: _Asked) -> None:
        forced = structured(asked.body, _Status)
        self._simulator.lightsail.set_status(
            asked.name, forced.status, failure_reason=forced.failure_reason
        )

    def _plan_instance(self, asked: _Asked) -> None:
        planned = structured(asked.body, _Plans)
        self._simulator.lightsail.plan(asked.name, planned.operation, *planned.plans)

    def _hold_instance(self, asked: _Asked) -> None:
        self._simulator.lightsail.hold(asked.name)

    def _release_instance(self, asked: _Asked) -> None:
        self._simulator.lightsail.release(asked.name)

    # --- Studios and sessions ---

    def _add_studio(self, asked: _Asked) -> None:
        self._simulator.nimble.add_studio(**asdict(structured(asked.body, StudioScenario)))

    def _set_state(self, asked: _Asked) -> None:
        forced = structured(asked.body, _State)
        self._simulator.nimble.set_state(
            asked.name, forced.state, status_code=forced.status_code, message=forced.message
        )

    def _plan_sessions(self, asked: _Asked) -> None:
        planned = structured(asked.body, _Plans)
        self._simulator.nimble.plan(planned.operation, *planned.plans)

    def _hold_sessions(self, _: _Asked) -> None:
        self._simulator.nimble.hold()

    def _release_sessions(self, _: _Asked) -> None:
        self._simulator.nimble.release()

    # --- Both ---

    def _inject(self, asked: _Asked) -> None:
        each = structured(asked.body, FaultScenario)
        self._simulator.inject(each.operation, each.fault, call=each.call, times=each.times)

    def _heal(self, _: _Asked) -> None:
        self._simulator.heal()

    def _throttle(self, asked: _Asked) -> None:
        limit = structured(asked.body, ThrottleScenario)
        self._simulator.throttle(limit.rate, burst=limit.burst, operation=limit.operation)

    def _advance(self, asked: _Asked) -> None:
        self._simulator.advance(structured(asked.body, _Advance).seconds)

    def _reset(self, _: _Asked) -> None:
        self._simulator.reset()
        self._scenario.apply(self._simulator)


def _carried_out(action: _Action, request: HttpRequest, name: str) -> HttpResponse:
    try:
        outcome = action(_Asked(name, parse_qs(request.query), _body(request.body)))
    except KeyError as error:
        return _failed(HTTPStatus.NOT_FOUND, str(error.args[0]))
    except ValueError as error:  # ScenarioError is one
        return _failed(HTTPStatus.BAD_REQUEST, str(error))
    if isinstance(outcome, HttpResponse):
        return outcome
    return _json(HTTPStatus.OK, outcome or {})


def _body(body: bytes) -> Mapping[str, Any]:
    document: object = json.loads(body.decode("utf-8")) if body else {}
    if not isinstance(document, dict):
        raise ValueError("The body must be a JSON object")  # noqa: TRY004 - as other mistakes in it
    return cast("dict[str, Any]", document)


def _json(status: HTTPStatus, body: dict[str, Json]) -> HttpResponse:
    headers = {**_HEADERS, "Content-Type": "application/json"}
    return HttpResponse(status, headers, json.dumps(body).encode())


def _failed(status: HTTPStatus, message: str) -> HttpResponse:
    return _json(status, {"error": message})


def _label(path: str) -> str:
    """Return the first part of a path, for the log: the rest may be anything."""
    return re.sub(r"[^a-z/]", "", f"/{path.split('/')[1]}" if "/" in path else "")[:20]
