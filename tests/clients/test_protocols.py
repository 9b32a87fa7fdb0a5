"""botocore's own test cases of both protocols, seen from the other end of the wire.

A case says what a client has to send for some parameters, and what it has to make of an answer.
Here the simulator has to read those parameters out of that request, and to write an answer out of
which botocore's parser makes that result. The suites cover all that the protocols can do; what
neither service does with them is listed below, and each list is exact: a case in it that passes
is a failure like one that is not in it and fails.
"""

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import ServiceModel
from botocore.parsers import PROTOCOL_PARSERS
from botocore.utils import parse_timestamp

import dcvsessions
from dcvsessions.simulator._protocol.bindings import Binding, bind
from dcvsessions.simulator._protocol.messages import HttpRequest, HttpResponse
from dcvsessions.simulator._protocol.model import Operation, Service, Shape, convert, load_service
from dcvsessions.simulator._protocol.wire import WireError

# By why. That neither service has what is said here to be missing is tested at the end.
REQUESTS_LEFT_OUT: dict[str, set[str]] = {
    "an endpoint with a path of its own": {
        "AwsJson11HostWithPath",
        "AwsJson10HostWithPath",
        "RestJsonHostWithPath",
    },
    "members without a type (documents)": {
        "PutAndGetInlineDocumentsInput",
        "DocumentTypeInputWithObject",
        "DocumentInputWithString",
        "DocumentInputWithNumber",
        "DocumentInputWithBoolean",
        "DocumentInputWithList",
        "DocumentTypeAsMapValueInput",
        "DocumentTypeAsPayloadInput",
        "DocumentTypeAsPayloadInputString",
    },
    "bodies that the client compresses": {
        "SDKAppliedContentEncoding_awsJson1_1",
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1",
        "SDKAppliedContentEncoding_awsJson1_0",
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0",
        "SDKAppliedContentEncoding_restJson1",
        "SDKAppendedGzipAfterProvidedEncoding_restJson1",
    },
    "floats: no request has one, and only they can be NaN and infinite": {
        "AwsJson11SupportsNaNFloatInputs",
        "AwsJson11SupportsInfinityFloatInputs",
        "AwsJson11SupportsNegativeInfinityFloatInputs",
        "AwsJson10SupportsNaNFloatInputs",
        "AwsJson10SupportsInfinityFloatInputs",
        "AwsJson10SupportsNegativeInfinityFloatInputs",
        "RestJsonSupportsNaNFloatQueryValues",
        "RestJsonSupportsInfinityFloatQueryValues",
        "RestJsonSupportsNegativeInfinityFloatQueryValues",
        "RestJsonSupportsNaNFloatLabels",
        "RestJsonSupportsInfinityFloatLabels",
        "RestJsonSupportsNegativeInfinityFloatLabels",
        "RestJsonSupportsNaNFloatHeaderInputs",
        "RestJsonSupportsInfinityFloatHeaderInputs",
        "RestJsonSupportsNegativeInfinityFloatHeaderInputs",
        "RestJsonSupportsNaNFloatInputs",
        "RestJsonSupportsInfinityFloatInputs",
        "RestJsonSupportsNegativeInfinityFloatInputs",
    },
    "an empty list in the query, which is not sent": {
        "RestJsonOmitsEmptyListQueryValues",
    },
    "a map of what else the query holds": {
        "RestJsonAllQueryStringTypes",
        "RestJsonQueryStringMap",
        "RestJsonQueryStringEscaping",
        "RestJsonZeroAndFalseQueryValues",
        "RestJsonQueryParamsStringListMap",
        "RestJsonQueryPrecedence",
    },
    "a body that is one member (payload)": {
        "RestJsonEnumPayloadRequest",
        "RestJsonHttpPayloadTraitsWithBlob",
        "RestJsonHttpPayloadWithStructure",
        "RestJsonHttpPayloadWithUnion",
        "RestJsonStringPayloadRequest",
        "RestJsonTestPayloadBlob",
        "RestJsonTestPayloadStructure",
    },
    "a map of headers with a prefix": {
        "RestJsonHttpPrefixHeadersArePresent",
        "RestJsonHttpPrefixHeadersAreNotPresent",
        "RestJsonHttpPrefixEmptyHeaders",
    },
    "a label over several segments of the path": {
        "RestJsonHttpRequestWithGreedyLabelInPath",
    },
    "lists in headers": {
        "RestJsonInputAndOutputWithStringHeaders",
        "RestJsonInputAndOutputWithQuotedStringHeaders",
        "RestJsonInputAndOutputWithNumericHeaders",
        "RestJsonInputAndOutputWithBooleanHeaders",
        "RestJsonInputAndOutputWithTimestampHeaders",
        "RestJsonInputAndOutputWithEnumHeaders",
        "RestJsonInputAndOutputWithIntEnumHeaders",
        "RestJsonNullAndEmptyHeaders",
    },
    "JSON in a header": {
        "MediaTypeHeaderInputBase64",
    },
    "what botocore makes up: the parameters of the case lack it": {
        "RestJsonQueryIdempotencyTokenAutoFill",
    },
}
ANSWERS_LEFT_OUT: dict[str, set[str]] = {
    "what a client has to cope with, but no service should send": {
        "AwsJson11DateTimeWithNegativeOffset",
        "AwsJson11DateTimeWithPositiveOffset",
        "handles_unexpected_json_output",
        "AwsJson11IntEnums",
        "AwsJson11DeserializeIgnoreType",
        "AwsJson11StructuresDontDeserializeNullValues",
        "AwsJson10DeserializeIgnoreType",
        "AwsJson10DeserializeAllowNulls",
        "AwsJson10HandlesUnexpectedJsonOutput",
        "RestJsonDateTimeWithNegativeOffset",
        "RestJsonDateTimeWithPositiveOffset",
        "RestJsonDeserializeIgnoreType",
        "RestJsonDoesntDeserializeNullStructureValues",
    },
    "fractions in text: Nimble's timestamps are documented in whole seconds": {
        "AwsJson11DateTimeWithFractionalSeconds",
        "RestJsonDateTimeWithFractionalSeconds",
    },
    "errors with more than a message": {
        "AwsJson11ComplexError",
        "AwsJson10ComplexError",
        "RestJsonComplexErrorWithNoMessage",
    },
    "the request id, which is not the business of the binding": {
        "parses_the_request_id_from_the_response",
    },
    "members without a type (documents)": {
        "PutAndGetInlineDocumentsInput",
        "DocumentOutput",
        "DocumentOutputString",
        "DocumentOutputNumber",
        "DocumentOutputBoolean",
        "DocumentOutputArray",
        "DocumentTypeAsMapValueOutput",
        "DocumentTypeAsPayloadOutput",
        "DocumentTypeAsPayloadOutputString",
    },
    "members in headers": {
        "RestJsonGreetingWithErrors",
        "RestJsonGreetingWithErrorsNoPayload",
        "RestJsonHttpPrefixHeadersArePresent",
        "HttpPrefixHeadersResponse",
        "RestJsonInputAndOutputWithStringHeaders",
        "RestJsonInputAndOutputWithQuotedStringHeaders",
        "RestJsonInputAndOutputWithNumericHeaders",
        "RestJsonInputAndOutputWithBooleanHeaders",
        "RestJsonInputAndOutputWithTimestampHeaders",
        "RestJsonInputAndOutputWithEnumHeaders",
        "RestJsonInputAndOutputWithIntEnumHeaders",
        "RestJsonSupportsNaNFloatHeaderOutputs",
        "RestJsonSupportsInfinityFloatHeaderOutputs",
        "RestJsonSupportsNegativeInfinityFloatHeaderOutputs",
        "MediaTypeHeaderOutputBase64",
        "RestJsonSimpleScalarProperties",
        "RestJsonTimestampFormatHeaders",
    },
    "a body that is one member (payload)": {
        "RestJsonEnumPayloadResponse",
        "RestJsonHttpPayloadTraitsWithBlob",
        "RestJsonHttpPayloadTraitsWithNoBlobBody",
        "RestJsonHttpPayloadWithStructure",
        "RestJsonHttpPayloadWithUnion",
        "RestJsonHttpPayloadWithUnsetUnion",
        "RestJsonStringPayloadResponse",
    },
    "the HTTP status as a member": {
        "RestJsonHttpResponseCode",
        "RestJsonHttpResponseCodeWithNoPayload",
    },
    "empty lists inside a resource, which the simulator leaves out": {
        "RestJsonDeserializesDenseSetMap",
        "RestJsonDeserializesDenseSetMapAndSkipsNull",
    },
    "floats that are NaN or infinite: no answer has one": {
        "RestJsonSupportsNaNFloatInputs",
        "RestJsonSupportsInfinityFloatInputs",
        "RestJsonSupportsNegativeInfinityFloatInputs",
    },
}


@attrs.frozen
class Case:
    """One case: the operation, bound to HTTP as the simulator does it, and the facts about it."""

    model: ServiceModel
    binding: Binding
    facts: dict

    @property
    def id(self) -> str:
        return self.facts["id"]

    @property
    def service(self) -> Service:
        return self.binding.service

    @property
    def operation(self) -> Operation:
        return self.service.operations[self.facts["given"]["name"]]


def read_cases(file: Path) -> Iterator[Case]:
    for suite in json.loads(file.read_text(encoding="utf-8")):
        for facts in suite["cases"]:
            name = facts["given"]["name"]
            document = {**suite, "operations": {name: facts["given"]}}
            yield Case(ServiceModel(document, "case"), bind(convert(document, "case")), facts)


# --- Requests ---


def check_request(case: Case) -> None:
    request = _request(case)
    operation = case.binding.find(request)
    assert operation is case.operation
    read = _as_meant(operation.input, case.binding.parse(operation, request))
    # A member that is null is not sent.
    assert read == {key: item for key, item in case.facts["params"].items() if item is not None}


def _request(case: Case) -> HttpRequest:
    serialized = case.facts["serialized"]
    path, _, query = serialized["uri"].partition("?")
    headers = {name.lower(): value for name, value in serialized.get("headers", {}).items()}
    if case.service.protocol == "json":  # not every case repeats what all requests have
        headers.setdefault("x-amz-target", f"{case.service.target_prefix}.{case.operation.name}")
    body = serialized.get("body", "").encode()
    return HttpRequest(serialized["method"], path, query, headers, body)


def _as_meant(shape: Shape, value):
    """Turn timestamps and blobs, which are passed on as they stand, into what they stand for."""
    if shape.kind == "timestamp":
        return parse_timestamp(value).timestamp()
    if shape.kind == "blob":
        return base64.b64decode(value).decode()
    return _inside(_as_meant, shape, value)


def _inside(change, shape: Shape, value):
    if shape.kind == "structure":
        return {name: change(shape.members[name].shape, item) for name, item in value.items()}
    if shape.kind == "list":
        return [change(shape.element, item) for item in value]
    if shape.kind == "map":
        return {key: change(shape.element, item) for key, item in value.items()}
    return value


# --- Answers ---


def check_answer(case: Case) -> None:
    if "error" in case.facts:
        _check_error(case)
        return
    result, response = case.facts["result"], case.facts["response"]
    output = case.model.operation_model(case.operation.name).output_shape
    reply = case.binding.serialize_output(
        case.operation, _as_answered(case.operation.output, result)
    )
    assert reply.status == response["status_code"]
    assert _parse(case, reply, output) == _as_parsed(case.operation.output, result)
    # The parser is lenient about where a member stands, so look at the wire as well.
    assert json.loads(reply.body) == json.loads(response.get("body") or "{}")
    assert reply.headers.items() >= response.get("headers", {}).items()


def _as_answered(shape: Shape, value):
    """Turn a result into what a service hands to the binding: with datetimes."""
    if shape.kind == "timestamp":
        return dt.datetime.fromtimestamp(value, dt.UTC)
    if shape.kind == "blob":
        return base64.b64encode(value.encode()).decode()
    return _inside(_as_answered, shape, value)


def _as_parsed(shape: Shape, value):
    if shape.kind == "blob":
        return value.encode()
    return _inside(_as_parsed, shape, value)


def _check_error(case: Case) -> None:
    code, message = case.facts["errorCode"], case.facts.get("errorMessage", "")
    assert case.facts["error"].keys() <= {"Message"}
    reply = case.binding.serialize_error(WireError(code, message))
    assert reply.status == case.facts["response"]["status_code"]
    assert _parse(case, reply, None)["Error"] == {"Code": code, "Message": message}


def _parse(case: Case, reply: HttpResponse, shape) -> dict:
    parser = PROTOCOL_PARSERS[case.service.protocol](
        timestamp_parser=lambda text: parse_timestamp(text).timestamp()
    )
    response = {
        "status_code": reply.status,
        "headers": HeadersDict(reply.headers),
        "body": reply.body,
        "context": {"operation_name": case.operation.name},
    }
    parsed = parser.parse(response, shape)
    del parsed["ResponseMetadata"]
    return parsed


def failing(cases: list[Case], check: Callable[[Case], None]) -> dict[str, str]:
    failures: dict[str, str] = {}
    for case in cases:
        try:
            check(case)
        except Exception as error:  # noqa: BLE001 - that it fails is what counts
            failures[case.id] = repr(error)
    return failures


@pytest.fixture
def cases(protocol_cases) -> Callable[[str], list[Case]]:
    suites = ("json", "json_1_0", "rest-json")
    return lambda side: [
        case for suite in suites for case in read_cases(protocol_cases / side / f"{suite}.json")
    ]


def test_requests(cases):
    requests = cases("input")
    assert len(requests) == 188
    failures = failing(requests, check_request)
    assert failures.keys() == set().union(*REQUESTS_LEFT_OUT.values()), failures


def test_answers(cases):
    answers = cases("output")
    assert len(answers) == 181
    failures = failing(answers, check_answer)
    assert failures.keys() == set().union(*ANSWERS_LEFT_OUT.values()), failures


@pytest.mark.parametrize("service", ["lightsail", "nimble"])
def test_what_is_left_out_is_in_neither_model(service):
    (file,) = (Path(dcvsessions.__file__).parent / "data" / service).rglob("service-2.json")
    model = file.read_text(encoding="utf-8")
    for trait in ("document", "payload", "requestcompression", "jsonvalue"):
        assert f'"{trait}":' not in model
    for operation in load_service(service).operations.values():
        assert not any("+" in segment for segment in operation.path)
        members = operation.input.members.values()
        kinds = {each.location: set[str]() for each in members}
        for each in members:
            kinds[each.location].add(each.shape.kind)
        assert kinds.get("uri", set()) | kinds.get("header", set()) <= {"string"}
        assert kinds.get("querystring", set()) <= {"string", "integer", "list"}
        assert {each.location for each in operation.output.members.values()} == {"body"}
        assert _kinds(operation.input) <= {
            "structure",
            "string",
            "integer",
            "boolean",
            "list",
            "map",
        }


def _kinds(shape: Shape) -> set[str]:
    inside = [member.shape for member in shape.members.values()]
    inside += [shape.element] if shape.element else []
    return {shape.kind}.union(*map(_kinds, inside))
