"""Every foreign error becomes an error of this package, whatever it says."""

import inspect
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import aiohttp
import pytest
from botocore import exceptions as botocore_errors
from hypothesis import given
from hypothesis import strategies as st

import dcvsessions
from dcvsessions import (
    ApiError,
    AuthenticationError,
    CallTimeoutError,
    ClockSkewError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    DcvSessionsError,
    InvalidArgumentError,
    InvalidRequestError,
    InvalidResponseError,
    ServiceClosedError,
    ServiceFaultError,
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
    assert (str(closed), closed.operation, closed.was_sent) == (
        CLOSED,
        "GetStreamingSession",
        False,
    )
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


PLACE = "(endpoint https://example.com, region eu-west-9)"
CHECK = "Check the endpoint, the proxy and the network."
CLOSED = (
    "GetStreamingSession: AWS closed Nimble Studio in 2024, so its own endpoint is gone. Pass "
    "endpoint_url= (or set AWS_ENDPOINT_URL_NIMBLE) to reach another one, such as the simulator: "
    "python -m dcvsessions.simulator."
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            botocore_errors.NoRegionError(),
            (
                "GetInstances: no AWS region is set. Pass region_name=, or set AWS_DEFAULT_REGION "
                "(botocore does not read AWS_REGION), or a region in the profile."
            ),
        ),
        (
            botocore_errors.NoCredentialsError(),
            (
                "GetInstances: no usable AWS credentials: Unable to locate credentials. Set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass profile_name=, or sign in "
                f"with `aws sso login` {PLACE}."
            ),
        ),
        (
            botocore_errors.ParamValidationError(report="one.\ntwo."),
            "GetInstances: Parameter validation failed: one. two.",
        ),
        (
            botocore_errors.ProfileNotFound(profile="artist"),
            (
                "GetInstances: The config profile (artist) could not be found. "
                "`aws configure list-profiles` prints those that exist."
            ),
        ),
        (KeyError("x"), "GetInstances failed on this machine: KeyError: 'x'."),
        (RuntimeError(), "GetInstances failed on this machine: RuntimeError: RuntimeError."),
        (ssl.SSLError(1, "no TLS"), f"No answer. GetInstances: no TLS {PLACE}. A hint. {CHECK}"),
        (TimeoutError(), f"No answer in time. GetInstances: TimeoutError {PLACE}. A hint."),
        (
            botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2),
            f"GetInstances: the answer could not be read (IncompleteReadError) {PLACE}.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_says_what_failed_and_what_to_do(error: Exception, text: str) -> None:
    call = Call(
        service="lightsail",
        operation="GetInstances",
        endpoint_url="https://example.com",
        region_name="eu-west-9",
        region_hint="A hint.",
    )
    assert str(translated(error, call)) == text


def test_the_place_of_a_call_is_left_out_as_far_as_it_is_not_known() -> None:
    lightsail = Call(service="lightsail", endpoint_url="https://user:s3cr3t@example.com")
    assert str(translated(TimeoutError("slow."), lightsail)) == (
        "No answer in time. opening a lightsail client: slow (endpoint https://example.com)."
    )
    assert str(translated(TimeoutError("slow."), Call(service="nimble"))) == (
        "No answer in time. opening a nimble client: slow."
    )


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [
        ("https://user:s3cr3t@example.com:8080/a?key=s3cr3t#s3cr3t", "https://example.com:8080/a"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://[::1/s3cr3t", None),
        (None, None),
    ],
)
@pytest.mark.parametrize(
    "error",
    [
        botocore_errors.NoCredentialsError(),
        TimeoutError(),
        OSError(24, "Too many open files"),
        botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        botocore_errors.ClientError(
            {"Error": {"Code": "NotFoundException", "Message": "No"}}, "GetInstances"
        ),
        botocore_errors.ClientError({}, "GetInstances"),
    ],
    ids=lambda error: type(error).__name__ if error else "",
)
def test_an_error_of_a_call_has_its_place(
    error: Exception, endpoint: str | None, shown: str | None
) -> None:
    call = Call(service="lightsail", endpoint_url=endpoint, region_name="eu-west-9")
    ours = translated(error, call)
    assert (ours.region_name, ours.endpoint_url) == ("eu-west-9", shown)
    assert "s3cr3t" not in str(ours)


@pytest.mark.parametrize(
    "code", ["NotFoundException", "ExpiredTokenException", "UnrecognizedClientException"]
)
def test_an_error_that_may_be_about_the_wrong_place_names_it(code: str) -> None:
    answer = {"Error": {"Code": code, "Message": "No."}}
    call = Call(
        service="lightsail", endpoint_url="https://user:pw@example.com", region_name="eu-west-9"
    )
    text = str(translated(botocore_errors.ClientError(answer, "GetInstances"), call))
    said = f"GetInstances: No ({code}, endpoint https://example.com, region eu-west-9). "
    assert text.startswith(said)
    # What to do about it.
    assert len(text) > len(said)


def test_a_foreign_error_is_the_cause_if_it_says_more() -> None:
    call = Call(service="lightsail")
    for error in (
        caused(botocore_errors.SSOError(), OSError("no route")),
        KeyError("a bug in a handler of the caller"),
    ):
        ours = translated(error, call)
        assert ours.__cause__ is error


def test_a_foreign_error_that_says_nothing_new_is_only_the_context() -> None:
    call = Call(service="lightsail")
    answer = {"Error": {"Code": "ConflictException"}}
    for error in (
        botocore_errors.NoRegionError(),
        caused(botocore_errors.ClientError(answer, "GetInstances"), OSError()),
        caused(botocore_errors.EndpointConnectionError(endpoint_url="x"), ConnectionError("No")),
    ):
        ours = translated(error, call)
        assert (ours.__context__, ours.__cause__) == (error, None)
        assert ours.__suppress_context__


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (OSError(111, "no route"), "x: [Errno 111] no route."),
        (aiohttp.ClientError("no host"), "x: no host."),
        # An error that the caller handles meanwhile is not the reason.
        (KeyError("mine"), "x."),
        (ConnectionError("endpoint URL"), "x."),
    ],
)
def test_a_connection_error_says_why(cause: Exception, text: str) -> None:
    error = caused(botocore_errors.HTTPClientError(error="the endpoint URL x"), cause)
    assert str(translated(error, Call(service="nimble"))).endswith(f"{text} {CHECK}")


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (botocore_errors.ConnectTimeoutError(endpoint_url="x"), False),
        (botocore_errors.ProxyConnectionError(proxy_url="x"), False),
        (botocore_errors.SSLError(endpoint_url="x", error="y"), False),
        (caused(botocore_errors.HTTPClientError(error="x"), socket.gaierror(-2, "x")), False),
        (botocore_errors.HTTPClientError(error="x"), True),
        (botocore_errors.ReadTimeoutError(endpoint_url="x"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_without_a_connection_says_that_nothing_was_sent(
    error: Exception, *, was_sent: bool
) -> None:
    ours = translated(error, Call(service="lightsail", operation="StartGUISession"))
    assert isinstance(ours, ConnectionFailedError)
    assert ours.was_sent is was_sent
    assert ours.operation == "StartGUISession"


@pytest.mark.parametrize("was_sent", [False, True])
@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), KeyError("x"), botocore_errors.ProfileNotFound(profile="x")]
)
def test_a_mistake_on_this_machine_says_whether_the_request_was_sent(
    error: Exception, *, was_sent: bool
) -> None:
    call = Call(service="lightsail", operation="GetInstances", was_sent=was_sent)
    ours = translated(error, call)
    assert type(ours) is ConfigurationError
    assert ours.was_sent is was_sent


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), AttributeError("x")])
def test_an_error_while_an_answer_is_parsed_is_about_the_answer(error: Exception) -> None:
    call = Call(service="lightsail", operation="GetInstances", was_sent=True, is_parsing=True)
    ours = translated(error, call)
    assert type(ours) is InvalidResponseError
    assert ours.operation == "GetInstances"


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


def answered(
    code: object = None,
    message: object = None,
    *,
    status: object = 400,
    request_id: object = None,
    headers: object = None,
) -> DcvSessionsError:
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "RequestId": request_id,
            "HTTPHeaders": headers,
        },
    }
    error = botocore_errors.ClientError(answer, "GetInstances")
    return translated(error, Call(service="lightsail", operation="GetInstances"))


def test_an_error_carries_what_the_answer_says() -> None:
    error = answered(
        "ThrottlingException",
        "Rate\n exceeded.",
        status=429,
        request_id="id-1",
        headers={"retry-after": 7},
    )
    assert vars(error) == {
        "code": "ThrottlingException",
        "message": "Rate exceeded.",
        "operation": "GetInstances",
        "request_id": "id-1",
        "http_status": 429,
        "retry_after": 7.0,
        "advice": None,
        "region_name": None,
        "endpoint_url": None,
    }
    assert str(error) == "GetInstances: Rate exceeded (ThrottlingException, request id-1)."


def test_an_answer_of_wrong_types_becomes_an_error_too() -> None:
    error = answered(5, {"a": 1}, status="400", request_id=7, headers=["x"])
    assert vars(error) == {
        "code": "5",
        "message": "{'a': 1}",
        "operation": "GetInstances",
        "request_id": "7",
        "http_status": None,
        "retry_after": None,
        "advice": None,
        "region_name": None,
        "endpoint_url": None,
    }


def test_an_error_without_a_message_or_request_id_says_so() -> None:
    error = answered("ConflictException")
    assert isinstance(error, ConflictError)
    assert (error.message, error.request_id) == ("", None)
    assert str(error) == "GetInstances: the service gave no message (ConflictException)."


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (
            "AccessDeniedException",
            (
                "The IAM policy in force does not allow it: add the action to it, or use another "
                "profile."
            ),
        ),
        (
            "UnrecognizedClientException",
            "Check which access key, secret key and profile are in use.",
        ),
        ("ExpiredTokenException", "Sign in again, or renew the temporary credentials."),
        (
            "ServiceQuotaExceededException",
            "End sessions that are no longer needed, or ask AWS for a higher quota.",
        ),
        ("ConflictException", None),
    ],
)
def test_an_error_advises_what_the_caller_can_do(code: str, advice: str | None) -> None:
    error = answered(code, "Because.")
    assert isinstance(error, ApiError)
    assert error.advice == advice
    assert str(error) == f"GetInstances: Because ({code})." + (f" {advice}" if advice else "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (None, ApiError),
        (404, ApiError),
        (408, ServiceFaultError),
        (429, ServiceFaultError),
        (499, ApiError),
        (500, ServiceFaultError),
        (503, ServiceFaultError),
    ],
)
def test_the_status_of_an_unknown_code_says_whether_it_is_temporary(
    status: int | None, kind: type[ApiError]
) -> None:
    assert type(answered("NewException", status=status)) is kind


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Signature expired: 20260101T000000Z is now earlier than …", ClockSkewError),
        ("Signature not yet current: 20260101T000000Z is still later than …", ClockSkewError),
        ("The request signature we calculated does not match.", AuthenticationError),
    ],
)
def test_only_the_message_tells_an_outdated_signature_from_a_wrong_one(
    code: str, message: str, kind: type[ApiError]
) -> None:
    assert type(answered(code, message)) is kind
    assert type(answered("ValidationException", message)) is InvalidRequestError


def date_in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("ahead", "advice"),
    [
        (3600, "The clock of this machine is 3600 s behind AWS's: set it, for example with NTP."),
        (
            -3600,
            "The clock of this machine is 3600 s ahead of AWS's: set it, for example with NTP.",
        ),
        (200, "The clock of this machine is right now; it was wrong when the request was signed."),
        (-200, "The clock of this machine is right now; it was wrong when the request was signed."),
        (None, "The clock of this machine is wrong: set it, for example with NTP."),
    ],
)
def test_the_date_of_an_answer_says_by_how_much_the_clock_is_wrong(
    ahead: float | None, advice: str
) -> None:
    headers = {} if ahead is None else {"date": date_in(ahead)}
    error = answered("RequestTimeTooSkewed", "Too far.", headers=headers)
    assert isinstance(error, ClockSkewError)
    assert error.skew == (None if ahead is None else pytest.approx(ahead, abs=5))
    # The test takes time, and a date in a header has no fractions of a second.
    assert re.sub(r"360[1-3]|359\d", "3600", str(error.advice)) == advice


def test_a_date_that_cannot_be_read_tells_nothing_of_the_clock() -> None:
    error = answered("RequestTimeTooSkewed", headers={"date": "soon"})
    assert isinstance(error, ClockSkewError)
    assert error.skew is None


def test_only_an_error_about_the_clock_has_a_skew() -> None:
    error = answered("ThrottlingException", headers={"date": date_in(3600)})
    assert not hasattr(error, "skew")


def throttled(retry_after: str) -> ThrottledError:
    error = answered("ThrottlingException", status=429, headers={"retry-after": retry_after})
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


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9)), None])
def test_a_retry_after_header_may_be_a_date(zone: timezone | None) -> None:
    date = datetime.now(UTC) + timedelta(hours=1)
    # Without a time zone, the header ends in -0000.
    header = format_datetime(date.astimezone(zone) if zone else date.replace(tzinfo=None))
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


FOREIGN_ANSWER = (
    "GetInstances: the answer with HTTP status 302 names no error code of the service{}. A proxy, "
    "a captive portal or a wrong endpoint_url answers like this."
)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://portal.example.org/login?next=s3cr3t", "portal.example.org"),
        ("http://[::1]:port/", "::1"),
        ("/login", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_a_redirect_names_the_host_that_it_points_to(
    location: str | None, host: str | None
) -> None:
    headers = {} if location is None else {"location": location}
    error = answered(status=302, headers=headers)
    assert isinstance(error, InvalidResponseError)
    assert (error.operation, error.http_status) == ("GetInstances", 302)
    pointed = f", and redirects to the host {host} (not followed)" if host else ""
    assert str(error) == FOREIGN_ANSWER.format(pointed)
