"""Requests made from the service models: valid ones, and ones with one invalid parameter.

The simulator has to answer each of them as the model says, and may never fail itself.
"""

import copy
import http.client
import json
from urllib.parse import quote, urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcvsessions.simulator import Simulator, Timings, serve_in_thread
from dcvsessions.simulator._protocol.model import load_service
from dcvsessions.simulator._protocol.wire import violations

SERVICES = [load_service("lightsail"), load_service("nimble")]
OPERATIONS = [
    (service, operation) for service in SERVICES for operation in service.operations.values()
]
INVALID = {"lightsail": "InvalidInputException", "nimble": "ValidationException"}
KNOWN = {
    "resourceName": "my-computer",
    "instanceName": "my-computer",
    "studioId": "studio-1",
    "launchProfileId": "lp-1",
}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def server():
    """One simulator for all examples, and one connection to it."""
    with serve_in_thread(Simulator(timings=Timings.instant())) as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1")
        connection = http.client.HTTPConnection(sim.endpoint_url.removeprefix("http://"))
        yield sim, connection
        connection.close()


def values(name, shape):
    """Valid values of a shape."""
    if shape.kind == "map":
        return st.dictionaries(TEXT, values(name, shape.element), max_size=3)
    if shape.kind == "list":
        return st.lists(values(name, shape.element), min_size=1, max_size=3)
    if shape.kind == "integer":
        return st.integers(int(shape.minimum or 0), int(shape.maximum or 2**31 - 1))
    return st.booleans() if shape.kind == "boolean" else texts(name, shape)


def texts(name, shape):
    """Valid strings of a shape."""
    if shape.enum:
        return st.sampled_from(shape.enum)
    if shape.pattern:
        fitting = st.from_regex(shape.pattern, fullmatch=True)
        return fitting.filter(lambda text: len(text) <= (shape.maximum or 100))
    if name == "clientToken":  # a header, which holds no more than this
        return st.text("abcXYZ019-", min_size=1, max_size=64)
    return TEXT


def parameters(operation):
    """Valid parameters, for resources that exist and for others."""
    strategies = {}
    for name, member in operation.input.members.items():
        strategy = values(name, member.shape)
        strategies[name] = st.just(KNOWN[name]) | strategy if name in KNOWN else strategy
    required = {name: strategies.pop(name) for name in operation.input.required}
    return st.fixed_dictionaries(required, optional=strategies)


def breakings(operation):
    """Ways to make one parameter invalid: name, value (None: left out), and what is wrong."""
    found = []
    for name, member in operation.input.members.items():
        shape = member.shape
        if name in operation.input.required and member.location == "body":
            found.append((name, None, "limit"))
        if member.location == "body":
            wrong = [1, True, [], {}, "x"]
            fits = {"string": str, "integer": int, "boolean": bool, "map": dict}[shape.kind]
            found += [(name, value, "type") for value in wrong if type(value) is not fits]
        if shape.minimum:
            low = "" if shape.kind == "string" else int(shape.minimum) - 1
            found.append((name, low, "limit"))
        if shape.maximum:
            high = "x" * (int(shape.maximum) + 1)
            found.append(
                (name, high if shape.kind == "string" else int(shape.maximum) + 1, "limit")
            )
        if shape.enum or shape.pattern:
            bad = " " if shape.pattern and not shape.pattern.fullmatch(" ") else "\t?"
            found.append((name, bad, "limit"))
    return found


def send(server, service, operation, given_parameters):
    """Send parameters in the places that the model states."""
    sim, connection = server
    members = operation.input.members
    places = {"body": {}, "uri": {}, "querystring": {}, "header": {}}
    for name, value in given_parameters.items():
        places[members[name].location][members[name].wire_name] = value
    segments = [
        quote(places["uri"][part.strip("{}")], safe="") if part.startswith("{") else part
        for part in operation.path
    ]
    path, query = (
        "/" + "/".join(segments),
        urlencode(places["querystring"], doseq=True, quote_via=quote),
    )
    headers = {name: str(value) for name, value in places["header"].items()}
    if service.protocol == "json":
        headers["X-Amz-Target"] = f"{service.target_prefix}.{operation.name}"
    has_body = operation.method == "POST"
    body = json.dumps(places["body"]).encode() if has_body else b""
    url = f"{sim.endpoint_url}{path}{'?' * bool(query)}{query}"
    request = AWSRequest(operation.method, url, headers, body)
    keys = Credentials(sim.environ["AWS_ACCESS_KEY_ID"], sim.environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, service.name, "us-east-1").add_auth(request)
    target = url.removeprefix(sim.endpoint_url)
    connection.request(operation.method, target, body, dict(request.headers.items()))
    reply = connection.getresponse()
    return reply.status, reply.headers.get("x-amzn-ErrorType"), json.loads(reply.read())


def is_sendable(found):
    """Whether urllib and http.client send these path segments unchanged."""
    return all(value not in (".", "..") for value in found.values())


@pytest.mark.parametrize(
    ("service", "operation"), OPERATIONS, ids=[operation.name for _, operation in OPERATIONS]
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,  # a socket has no deadline
)
@given(data=st.data())
def test_a_valid_request_is_answered_as_the_model_says(server, service, operation, data):
    found = data.draw(parameters(operation).filter(is_sendable))
    status, error, answer = send(server, service, operation, found)
    if error is None:
        assert status == operation.status
        assert_fits(operation.output, answer)
    else:
        assert error in operation.errors
        assert status == service.error_statuses[error]
        assert error != INVALID[service.name] or "constraint" not in answer["message"]


BREAKABLE = [(service, operation) for service, operation in OPERATIONS if breakings(operation)]


@pytest.mark.parametrize(
    ("service", "operation"), BREAKABLE, ids=[operation.name for _, operation in BREAKABLE]
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,  # a socket has no deadline
)
@given(data=st.data())
def test_a_request_with_one_invalid_parameter_is_refused(server, service, operation, data):
    found = copy.copy(data.draw(parameters(operation).filter(is_sendable)))
    name, value, what = data.draw(st.sampled_from(breakings(operation)))
    found.pop(name, None)
    if value is not None:
        found[name] = value
    status, error, answer = send(server, service, operation, found)
    assert status == 400
    assert error == ("SerializationException" if what == "type" else INVALID[service.name])
    assert what == "type" or f"'{name}'" in answer["message"]


def assert_fits(shape, value, place="answer"):
    """Check an answer against the model: names, types and limits."""
    kinds = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "float": (int, float),
        "timestamp": str if shape.timestamp_format == "iso8601" else float,
    }
    assert isinstance(value, kinds[shape.kind]), place
    if shape.kind == "structure":
        assert set(value) <= {member.wire_name for member in shape.members.values()}, place
        for member in shape.members.values():
            if member.wire_name in value:
                assert_fits(member.shape, value[member.wire_name], f"{place}.{member.wire_name}")
    elif shape.kind in {"list", "map"}:
        for item in value.values() if shape.kind == "map" else value:
            assert_fits(shape.element, item, f"{place}[]")
    elif shape.kind != "timestamp":
        assert violations(shape, value) == [], place


def test_every_operation_of_the_models_is_simulated():
    handlers = Simulator()._gateway._handlers
    assert {name: set(each) for name, each in handlers.items()} == {
        service.name: set(service.operations) for service in SERVICES
    }
