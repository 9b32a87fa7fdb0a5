"""Translation of botocore's and aiohttp's errors into this package's.

Importing this file imports botocore and aiohttp, so it is imported when a client opens.
"""
# botocore has no type hints.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError
from aiohttp import ClientError as AiohttpError
from attrs import frozen
from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from dcvsessions._secrets.mask import plain_text
from dcvsessions.errors import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    CallTimeoutError,
    ClockSkewError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    CredentialsExpiredError,
    CredentialsNotFoundError,
    DcvSessionsError,
    InvalidArgumentError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    QuotaExceededError,
    ServiceClosedError,
    ServiceFaultError,
    ThrottledError,
    place_of,
)

__all__ = ["THROTTLING_CODES", "Call", "http_date", "retry_after", "translated"]

# The codes of both service models, and those that AWS documents as common to all services.
_KINDS: dict[str, type[ApiError]] = {
    "AccessDenied": AccessDeniedError,
    "AccessDeniedException": AccessDeniedError,
    "NotAuthorized": AccessDeniedError,
    "OptInRequired": AccessDeniedError,
    "UnauthorizedOperation": AccessDeniedError,
    "IncompleteSignature": AuthenticationError,
    "IncompleteSignatureException": AuthenticationError,
    "InvalidClientTokenId": AuthenticationError,
    "InvalidSignatureException": AuthenticationError,
    "MissingAuthenticationToken": AuthenticationError,
    "MissingAuthenticationTokenException": AuthenticationError,
    "SignatureDoesNotMatch": AuthenticationError,
    "UnauthenticatedException": AuthenticationError,
    "UnrecognizedClientException": AuthenticationError,
    "ExpiredToken": CredentialsExpiredError,
    "ExpiredTokenException": CredentialsExpiredError,
    "RequestExpired": ClockSkewError,
    "RequestInTheFuture": ClockSkewError,
    "RequestTimeTooSkewed": ClockSkewError,
    "ConflictException": ConflictError,
    "InvalidInputException": InvalidRequestError,
    "SerializationException": InvalidRequestError,
    "UnknownOperationException": InvalidRequestError,
    "ValidationError": InvalidRequestError,
    "ValidationException": InvalidRequestError,
    "NotFoundException": NotFoundError,
    "ResourceNotFoundException": NotFoundError,
    "ServiceQuotaExceededException": QuotaExceededError,
    "InternalFailure": ServiceFaultError,
    "InternalServerError": ServiceFaultError,
    "InternalServerErrorException": ServiceFaultError,
    "ServiceException": ServiceFaultError,
    "ServiceUnavailable": ServiceFaultError,
    "ServiceUnavailableException": ServiceFaultError,
    # These are temporary, but the request may have taken effect.
    "AccountSetupInProgressException": ServiceFaultError,
    "PriorRequestNotComplete": ServiceFaultError,
    "RegionSetupInProgressException": ServiceFaultError,
    "RequestTimeout": ServiceFaultError,
    "RequestTimeoutException": ServiceFaultError,
    "TransactionInProgressException": ServiceFaultError,
    "BandwidthLimitExceeded": ThrottledError,
    "EC2ThrottledException": ThrottledError,
    "LimitExceededException": ThrottledError,
    "ProvisionedThroughputExceededException": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "RequestThrottled": ThrottledError,
    "RequestThrottledException": ThrottledError,
    "SlowDown": ThrottledError,
    "Throttling": ThrottledError,
    "ThrottledException": ThrottledError,
    "ThrottlingException": ThrottledError,
    "TooManyRequestsException": ThrottledError,
}

# With these codes, the service says that it rejected the request before it did anything.
THROTTLING_CODES = frozenset(code for code, kind in _KINDS.items() if kind is ThrottledError)

_ADVICE: dict[type[ApiError], str] = {
    AccessDeniedError: (
        "The IAM policy in force does not allow it: add the action to it, or use another profile."
    ),
    AuthenticationError: "Check which access key, secret key and profile are in use.",
    CredentialsExpiredError: "Sign in again, or renew the temporary credentials.",
    NotFoundError: "Check the name, the region, and the account of the profile in use.",
    QuotaExceededError: "End sessions that are no longer needed, or ask AWS for a higher quota.",
}

_CONNECTION_ADVICE = "Check the endpoint, the proxy and the network."

_NIMBLE_CLOSED = (
    "AWS closed Nimble Studio in 2024, so its own endpoint is gone. Pass endpoint_url= (or set "
    "AWS_ENDPOINT_URL_NIMBLE) to reach another one, such as the simulator: "
    "python -m dcvsessions.simulator."
)


@frozen(kw_only=True)
class Call:
    """The call that raised an error.

    Attributes:
        service: `lightsail` or `nimble`.
        operation: The API operation; None while a client is opened.
        endpoint_url: The endpoint, if it is known.
        region_name: The region, if it is known.
        region_hint: A sentence about the region, if botocore's data does not name it; else empty.
        was_sent: Whether a request was handed to the connection.
        is_parsing: Whether botocore was parsing an answer.
    """

    service: str
    operation: str | None = None
    endpoint_url: str | None = None
    region_name: str | None = None
    region_hint: str = ""
    was_sent: bool = False
    is_parsing: bool = False

    @property
    def name(self) -> str:
        """The name of the call in an error's text."""
        return self.operation or f"opening a {self.service} client"

    @property
    def place(self) -> str:
        """The endpoint and region, as the end of a sentence."""
        place = place_of(self.shown_endpoint, self.region_name)
        return f" ({place})" if place else ""

    @property
    def shown_endpoint(self) -> str | None:
        """The endpoint without a user name, a password or a query, which may be secrets."""
        if self.endpoint_url is None:
            return None
        try:
            parts = urlsplit(self.endpoint_url)
        except ValueError:
            return None
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        return plain_text(shown.geturl())


def translated(error: Exception, call: Call) -> DcvSessionsError:
    """Return this package's error for one that botocore, aiohttp or code below them raised.

    The foreign error is its cause. If it says nothing new, it is only its context, which
    tracebacks do not show.
    """
    if isinstance(error, DcvSessionsError):
        return error
    ours = _translated(error, call)
    ours.region_name, ours.endpoint_url = call.region_name, call.shown_endpoint
    # botocore's error about an answer that it cannot read quotes the answer.
    if not isinstance(ours, InvalidResponseError):
        ours.__context__ = error
        ours.__cause__ = None if _says_nothing_new(error, ours) else error
    return ours


def _says_nothing_new(error: Exception, ours: DcvSessionsError) -> bool:
    """Whether our error contains all that a foreign error and its causes say."""
    if isinstance(ours, ApiError | ConnectionFailedError):
        return True
    has_cause = error.__cause__ is not None or error.__context__ is not None
    return isinstance(error, botocore_errors.BotoCoreError) and not has_cause


def _translated(error: Exception, call: Call) -> DcvSessionsError:
    if isinstance(error, botocore_errors.ClientError):
        return _answered_error(_AnswerParts.of(error.response), error.operation_name, call)
    if call.is_parsing or any(isinstance(link, _PARSING_ERRORS) for link in _chain(error)):
        return _unreadable(error, call)
    return (
        _connection_error(error, call)
        or _credentials_error(error, call)
        or _configuration_error(error, call)
    )


# A header that is not UTF-8 raises UnicodeDecodeError.
_PARSING_ERRORS = (ResponseParserError, botocore_errors.IncompleteReadError, UnicodeDecodeError)


def _connection_error(error: Exception, call: Call) -> DcvSessionsError | None:
    said = f"{_one_line(error)}{_reason(error)}"
    what = f"{call.name}: {said}{call.place}. {call.region_hint}".rstrip()
    match error:
        case botocore_errors.ConnectTimeoutError() | botocore_errors.EndpointConnectionError() if (
            _is_closed_nimble(call)
        ):
            return ServiceClosedError(
                f"{call.name}: {_NIMBLE_CLOSED}", operation=call.operation, was_sent=False
            )
        case (
            botocore_errors.ConnectTimeoutError()
            | botocore_errors.ReadTimeoutError()
            | TimeoutError()
        ):
            return CallTimeoutError(
                f"No answer in time. {what}",
                operation=call.operation,
                was_sent=_was_connected(error),
            )
        case (
            botocore_errors.ConnectionError()
            | botocore_errors.HTTPClientError()
            | AiohttpError()
            | OSError()
        ) if not _is_local(error):
            return ConnectionFailedError(
                f"No answer. {what} {_CONNECTION_ADVICE}",
                operation=call.operation,
                was_sent=_was_connected(error),
            )
        case _:
            return None


def _reason(error: Exception) -> str:
    """Return what the first network error said, unless the last one says it too."""
    links = [link for link in _chain(error) if isinstance(link, AiohttpError | OSError)]
    reason = _one_line(links[-1]) if links else ""
    return "" if reason in _one_line(error) else f": {reason}"


def _is_local(error: Exception) -> bool:
    """Whether an error is about this machine, such as a missing file, and not about the network.

    Sockets, TLS and aiohttp raise the network errors. Any other `OSError` is about a file.
    """
    behind = [
        link
        for link in _chain(error)
        # Two of botocore's own classes inherit from OSError.
        if isinstance(link, OSError) and not isinstance(link, botocore_errors.BotoCoreError)
    ]
    return bool(behind) and not any(isinstance(link, _NETWORK_ERRORS) for link in behind)


_NETWORK_ERRORS = (ConnectionError, TimeoutError, AiohttpError, socket.gaierror, ssl.SSLError)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, then its cause or context, then the cause or context of that, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _was_connected(error: Exception) -> bool:
    """Whether there may have been a connection, on which the request may have been sent."""
    return not isinstance(error, _CONNECT_ERRORS) and not any(
        isinstance(link, ClientConnectorError | socket.gaierror) for link in _chain(error)
    )


_CONNECT_ERRORS = (
    botocore_errors.ConnectTimeoutError,
    botocore_errors.ProxyConnectionError,
    botocore_errors.SSLError,
)


def _credentials_error(error: Exception, call: Call) -> DcvSessionsError | None:
    match error:
        case (
            botocore_errors.NoCredentialsError()
            | botocore_errors.PartialCredentialsError()
            | botocore_errors.CredentialRetrievalError()
            | botocore_errors.TokenRetrievalError()
            | botocore_errors.NoAuthTokenError()
            | botocore_errors.MetadataRetrievalError()
            | botocore_errors.RefreshWithMFAUnsupportedError()
            | botocore_errors.UnknownCredentialError()
            | botocore_errors.SSOError()
        ):
            return CredentialsNotFoundError(
                f"{call.name}: no usable AWS credentials: {_one_line(error)}. Set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass profile_name=, or sign in "
                f"with `aws sso login`{call.place}."
            )
        case _:
            return None


def _unreadable(error: Exception, call: Call) -> InvalidResponseError:
    return InvalidResponseError(
        f"{call.name}: the answer could not be read ({type(error).__name__}){call.place}.",
        operation=call.name,
    )


def _configuration_error(error: Exception, call: Call) -> DcvSessionsError:
    match error:
        case botocore_errors.NoRegionError():
            return ConfigurationError(
                f"{call.name}: no AWS region is set. Pass region_name=, or set AWS_DEFAULT_REGION "
                "(botocore does not read AWS_REGION), or a region in the profile."
            )
        case botocore_errors.ProfileNotFound():
            return ConfigurationError(
                f"{call.name}: {_one_line(error)}. `aws configure list-profiles` prints those that "
                "exist.",
                was_sent=call.was_sent,
            )
        case botocore_errors.ParamValidationError() | UnicodeEncodeError():
            return InvalidArgumentError(f"{call.name}: {_one_line(error)}.")
        case botocore_errors.BotoCoreError():
            return ConfigurationError(f"{call.name}: {_one_line(error)}.", was_sent=call.was_sent)
        case _:
            # For example a missing file, or a bug in an event handler of the caller's session.
            return ConfigurationError(
                f"{call.name} failed on this machine: {type(error).__name__}: {_one_line(error)}.",
                was_sent=call.was_sent,
            )


@frozen
class _AnswerParts:
    """The parts of an error answer."""

    code: str
    message: str
    status: int | None
    request_id: str | None
    headers: Mapping[str, str]

    @classmethod
    def of(cls, response: Mapping[str, object]) -> "_AnswerParts":
        error = _mapping(response.get("Error"))
        metadata = _mapping(response.get("ResponseMetadata"))
        status = metadata.get("HTTPStatusCode")
        request_id = metadata.get("RequestId")
        return cls(
            code=str(error.get("Code") or ""),
            # If a signature does not match, AWS quotes the request, with its session token.
            message=plain_text(str(error.get("Message") or "")),
            status=status if isinstance(status, int) else None,
            request_id=plain_text(str(request_id)) if request_id else None,
            headers={
                name: str(value) for name, value in _mapping(metadata.get("HTTPHeaders")).items()
            },
        )


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _answered_error(answer: _AnswerParts, operation: str, call: Call) -> DcvSessionsError:
    if answer.code:
        return _api_error(answer, operation, call)
    return _foreign_answer(answer, operation)


def _foreign_answer(answer: _AnswerParts, operation: str) -> InvalidResponseError:
    location = answer.headers.get("location")
    host = _host(location or "")
    pointed = f", and redirects to the host {plain_text(host)} (not followed)" if host else ""
    return InvalidResponseError(
        f"{operation}: the answer with HTTP status {answer.status} names no error code of the "
        f"service{pointed}. A proxy, a captive portal or a wrong endpoint_url answers like this.",
        operation=operation,
        http_status=answer.status,
    )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _api_error(answer: _AnswerParts, operation: str, call: Call) -> ApiError:
    now = datetime.now(UTC)
    kind = _kind(answer)
    skew = _skew(answer.headers.get("date"), now) if kind is ClockSkewError else None
    error = kind(
        code=answer.code,
        message=answer.message,
        operation=operation,
        request_id=answer.request_id,
        http_status=answer.status,
        retry_after=retry_after(answer.headers, now),
        advice=_skew_advice(skew) if kind is ClockSkewError else _ADVICE.get(kind),
        region_name=call.region_name,
        endpoint_url=call.shown_endpoint,
    )
    if isinstance(error, ClockSkewError):
        error.skew = skew
    return error


def _kind(answer: _AnswerParts) -> type[ApiError]:
    # The code is the same for a wrong and an outdated signature: only the message tells them apart.
    if answer.code in _SIGNATURE_CODES and any(word in answer.message for word in _STALE_WORDS):
        return ClockSkewError
    if answer.code in _KINDS:
        return _KINDS[answer.code]
    # An unknown code proves nothing, but the HTTP status says whether the error is temporary.
    status = answer.status or 0
    return ServiceFaultError if status >= _FIRST_FAULT or status in _TEMPORARY else ApiError


_SIGNATURE_CODES = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
_STALE_WORDS = ("Signature expired", "Signature not yet current")
_FIRST_FAULT = 500
_TEMPORARY = frozenset({408, 429})
# Seconds. AWS documents that the time of a signature may be off by five minutes.
_TOLERATED_SKEW = 300


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that an answer asks to wait before the next call; None if it does not.

    Newer endpoints say it in `x-amz-retry-after`, in milliseconds. `Retry-After` holds seconds or a
    date (RFC 9110, 10.2.3).
    """
    milliseconds = headers.get("x-amz-retry-after", "").strip()
    if milliseconds.isascii() and milliseconds.isdigit():
        return float(milliseconds) / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(value)
    date = http_date(value)
    return max(0.0, (date - now).total_seconds()) if date else None


def _skew(value: str | None, now: datetime) -> float | None:
    date = http_date(value) if value else None
    return (date - now).total_seconds() if date else None


def http_date(value: str) -> datetime | None:
    """Parse the date in a header; return None if it is not a date."""
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _skew_advice(skew: float | None) -> str:
    if skew is None:
        return "The clock of this machine is wrong: set it, for example with NTP."
    if abs(skew) < _TOLERATED_SKEW:
        return "The clock of this machine is right now; it was wrong when the request was signed."
    side = "behind" if skew > 0 else "ahead of"
    return (
        f"The clock of this machine is {abs(skew):.0f} s {side} AWS's: "
        "set it, for example with NTP."
    )


def _is_closed_nimble(call: Call) -> bool:
    host = _host(call.endpoint_url or "") or ""
    return call.service == "nimble" and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _one_line(error: Exception) -> str:
    return plain_text(str(error)).rstrip(".") or type(error).__name__
