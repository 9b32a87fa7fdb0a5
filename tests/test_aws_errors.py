"""Every foreign error has one of ours, whatever stands in it."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from botocore import exceptions as botocore_errors
from hypothesis import given
from hypothesis import strategies as st

import dcvsessions
from dcvsessions import (
    ApiError,
    CallTimeoutError,
    ClockSkewError,
    ConfigurationError,
    ConnectionFailedError,
    DcvSessionsError,
    InvalidArgumentError,
    InvalidResponseError,
    ServiceClosedError,
    ThrottledError,
)
from dcvsessions._aws.errors import Call, translated


def family(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        yield child
        yield from family(child)


# Test tools may have made subclasses: only the classes that the libraries name count.
NAMED = [
    kind
    for kind in (*vars(botocore_errors).values(), *vars(aiohttp).values())
    if inspect.isclass(kind)
]
FOREIGN = [
    kind
    for base in (botocore_errors.BotoCoreError, aiohttp.ClientError)
    for kind in (base, *sorted(set(family(base)), key=lambda kind: kind.__qualname__))
    if kind in NAMED
] + [TimeoutError, OSError, ConnectionResetError]


@pytest.mark.parametrize("operation", [None, "GetInstances"])
@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_foreign_error_becomes_an_error_of_this_package(
    kind: type[Exception], operation: str | None
) -> None:
    # Each class takes other arguments, which this test does not need.
    plain = {"__init__": lambda _: None, "__str__": lambda _: "something"}
    error = type(kind.__name__, (kind,), plain)()
    ours = translated(
        error, Call(service="lightsail", operation=operation, endpoint_url="https://example.com")
    )
    assert isinstance(ours, DcvSessionsError)
    assert not isinstance(ours, ApiError)
    assert (operation or "opening a lightsail client") in str(ours)


def test_the_foreign_errors_are_those_of_botocore_and_aiohttp() -> None:
    assert len(FOREIGN) > 90


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (botocore_errors.NoRegionError(), ConfigurationError),
        (botocore_errors.ProfileNotFound(profile="artist"), ConfigurationError),
        (botocore_errors.NoCredentialsError(), dcvsessions.CredentialsNotFoundError),
        (botocore_errors.TokenRetrievalError(provider="sso", error_msg="x"),
         dcvsessions.CredentialsNotFoundError),
        (botocore_errors.UnauthorizedSSOTokenError(), dcvsessions.CredentialsNotFoundError),
        (botocore_errors.ConnectTimeoutError(endpoint_url="x"), CallTimeoutError),
        (botocore_errors.ReadTimeoutError(endpoint_url="x"), CallTimeoutError),
        (botocore_errors.EndpointConnectionError(endpoint_url="x"), ConnectionFailedError),
        (botocore_errors.SSLError(endpoint_url="x", error="y"), ConnectionFailedError),
        (botocore_errors.ProxyConnectionError(proxy_url="x"), ConnectionFailedError),
        (botocore_errors.ParamValidationError(report="x"), InvalidArgumentError),
        (botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2),
         InvalidResponseError),
        (aiohttp.ServerTimeoutError(), CallTimeoutError),
        (aiohttp.ClientPayloadError(), ConnectionFailedError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_a_foreign_error_has_its_class_here(error: Exception, kind: type[DcvSessionsError]) -> None:
    assert type(translated(error, Call(service="lightsail", operation="GetInstances"))) is kind


@pytest.mark.parametrize(
    "endpoint", ["nimble.us-west-2.amazonaws.com", "nimble.cn-north-1.amazonaws.com.cn"]
)
def test_only_an_endpoint_of_aws_for_nimble_is_reported_as_closed(endpoint: str) -> None:
    unreachable = botocore_errors.EndpointConnectionError(endpoint_url="x")
    closed = translated(
        unreachable,
        Call(service="nimble", operation="GetStreamingSession", endpoint_url=f"https://{endpoint}"),
    )
    assert isinstance(closed, ServiceClosedError)
    for call in (
        Call(
            service="nimble", operation="GetStreamingSession", endpoint_url="http://127.0.0.1:8080"
        ),
        Call(
            service="nimble",
            operation="GetStreamingSession",
            endpoint_url="https://amazonaws.com.example.org",
        ),
        Call(
            service="lightsail",
            operation="GetInstances",
            endpoint_url="https://lightsail.us-west-2.amazonaws.com",
        ),
    ):
        assert type(translated(unreachable, call)) is ConnectionFailedError


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("x"), TypeError("x")])
def test_a_mistake_on_this_machine_is_named_with_its_class(error: Exception) -> None:
    ours = translated(error, Call(service="lightsail", operation="GetInstances"))
    assert type(ours) is ConfigurationError
    assert type(error).__name__ in str(ours)
    assert not ours.was_sent


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), AttributeError("x")])
def test_an_error_while_an_answer_is_parsed_is_about_the_answer(error: Exception) -> None:
    call = Call(service="lightsail", operation="GetInstances", was_sent=True, is_parsing=True)
    assert type(translated(error, call)) is InvalidResponseError


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "No such file"), PermissionError(13, "No"), OSError(24, "Many")]
)
def test_an_error_of_a_file_is_not_taken_for_one_of_the_network(error: OSError) -> None:
    wrapped = botocore_errors.HTTPClientError(error=error)
    wrapped.__cause__ = error
    for each in (error, wrapped):
        ours = translated(each, Call(service="lightsail", operation="GetInstances"))
        assert type(ours) is ConfigurationError
        assert "GetInstances failed on this machine" in str(ours) or each is wrapped


def test_a_circle_of_errors_comes_to_an_end() -> None:
    error = botocore_errors.HTTPClientError(error="x")
    error.__cause__ = OSError(24, "Too many open files")
    error.__cause__.__cause__ = error
    ours = translated(error, Call(service="lightsail", operation="GetInstances"))
    assert type(ours) is ConfigurationError


# --- What an answer says ---


def throttled(retry_after: str) -> ThrottledError:
    answer = {
        "Error": {"Code": "ThrottlingException", "Message": "Slower"},
        "ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {"retry-after": retry_after}},
    }
    error = translated(
        botocore_errors.ClientError(answer, "GetInstances"),
        Call(service="lightsail", operation="GetInstances"),
    )
    assert isinstance(error, ThrottledError)
    return error


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("-5", None),
        ("2.5", None),
        ("\xb2", None),  # a digit, but no number
        ("", None),
        ("soon", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),  # over already
        ("Mon, 99 Jan 2001 00:00:00 GMT", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_a_retry_after_header_is_read_as_seconds(header: str, seconds: float | None) -> None:
    assert throttled(header).retry_after == seconds


def test_a_retry_after_header_may_be_a_date() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert throttled(header).retry_after == pytest.approx(3600, abs=5)


@given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [A-Z+-]+\d*"))
def test_any_retry_after_header_is_a_wait_or_nothing(text: str) -> None:
    after = throttled(text).retry_after
    assert after is None or after >= 0


anything = st.recursive(
    st.none() | st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "Error": anything | st.fixed_dictionaries({"Code": anything, "Message": anything}),
            "ResponseMetadata": anything
            | st.fixed_dictionaries(
                {"HTTPStatusCode": anything, "RequestId": anything, "HTTPHeaders": anything}
            ),
        },
    )
)
def test_any_error_answer_becomes_an_error_of_this_package(answer: dict[str, object]) -> None:
    error = botocore_errors.ClientError.__new__(botocore_errors.ClientError)
    error.response, error.operation_name = answer, "GetInstances"
    ours = translated(error, Call(service="lightsail", operation="GetInstances"))
    assert type(ours) is InvalidResponseError or isinstance(ours, ApiError)
    assert ours.operation == "GetInstances"
    assert "GetInstances" in str(ours)


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://portal.example.org/login?next=s3cr3t", "points to the host portal.example.org;"),
        ("/login", "names no error code of the service."),
        ("http://[", "names no error code of the service."),
        ("http://[::1]:port/", "points to the host ::1;"),
    ],
)
def test_a_redirect_names_the_host_that_it_points_to(location: str, told: str) -> None:
    answer = {"ResponseMetadata": {"HTTPStatusCode": 302, "HTTPHeaders": {"location": location}}}
    error = translated(
        botocore_errors.ClientError(answer, "GetInstances"),
        Call(service="lightsail", operation="GetInstances"),
    )
    assert isinstance(error, InvalidResponseError)
    assert error.http_status == 302
    assert told in str(error)
    assert "s3cr3t" not in str(error)


def test_a_skew_without_a_date_header_is_not_told_in_seconds() -> None:
    answer = {"Error": {"Code": "RequestTimeTooSkewed", "Message": "Too far."}}
    error = translated(
        botocore_errors.ClientError(answer, "GetInstances"),
        Call(service="lightsail", operation="GetInstances"),
    )
    assert isinstance(error, ClockSkewError)
    assert error.skew is None
    assert "The clock of this machine is off" in str(error)
