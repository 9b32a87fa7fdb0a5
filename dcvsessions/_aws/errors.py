"""From what botocore and aiohttp raise to the errors of this package, all in one place.

Importing this file imports botocore and aiohttp: it is done when there is an error to translate.
"""
# botocore carries no types: what is unknown of its errors is read as text here.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from traceback import walk_tb
from typing import cast
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError
from aiohttp import ClientError as AiohttpError
from attrs import frozen
from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from dcvsessions._secrets.mask import mask
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
    OperationFailedError,
    QuotaExceededError,
    ServiceClosedError,
    ServiceFaultError,
    SetupInProgressError,
    ThrottledError,
)

__all__ = ["Call", "translated"]

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
    "OperationFailureException": OperationFailedError,
    "LimitExceededException": QuotaExceededError,
    "ServiceQuotaExceededException": QuotaExceededError,
    "InternalFailure": ServiceFaultError,
    "InternalServerError": ServiceFaultError,
    "InternalServerErrorException": ServiceFaultError,
    "ServiceException": ServiceFaultError,
    "ServiceUnavailable": ServiceFaultError,
    "ServiceUnavailableException": ServiceFaultError,
    "AccountSetupInProgressException": SetupInProgressError,
    "RegionSetupInProgressException": SetupInProgressError,
    "BandwidthLimitExceeded": ThrottledError,
    "RequestLimitExceeded": ThrottledError,
    "RequestThrottled": ThrottledError,
    "RequestThrottledException": ThrottledError,
    "SlowDown": ThrottledError,
    "Throttling": ThrottledError,
    "ThrottledException": ThrottledError,
    "ThrottlingException": ThrottledError,
    "TooManyRequestsException": ThrottledError,
}

_KINDS_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AccessDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: ThrottledError,
    # Not a registered status; AWS's front ends send it for too much bandwidth.
    509: ThrottledError,
}

_ADVICE: dict[type[ApiError], str] = {
    AccessDeniedError: (
        "The IAM policy in force does not allow it: add the action to it, or use another profile."
    ),
    AuthenticationError: "Check which access key, secret key and profile are in use.",
    CredentialsExpiredError: "Sign in again, or renew the temporary credentials.",
    QuotaExceededError: "End sessions that are no longer needed, or ask AWS for a higher quota.",
    SetupInProgressError: "AWS is still setting it up: try again in a few minutes.",
}

_NIMBLE_CLOSED = (
    "AWS closed Nimble Studio in 2024, so its own endpoint is gone. Pass endpoint_url= (or set "
    "AWS_ENDPOINT_URL_NIMBLE) to reach another one, such as the simulator: "
    "python -m dcvsessions.simulator."
)


@frozen
class Call:
    """What was being done when an error came.

    Attributes:
        operation: The API operation, or None while a client is opened.
        service: `lightsail` or `nimble`.
        endpoint_url: Where the call went, if that far.
    """

    service: str
    operation: str | None = None
    endpoint_url: str | None = None

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return self.operation or f"opening a {self.service} client"


def translated(error: Exception, call: Call) -> DcvSessionsError | None:
    """Return this package's error for a foreign one.

    Args:
        error: What botocore or aiohttp raised.
        call: What was being done.

    Returns:
        The error to raise in its place, or None if it is not one of theirs: a mistake in the
        program, which must be seen as it is.
    """
    if isinstance(error, botocore_errors.ClientError):
        return _api_error(_AnswerParts.of(error.response), error.operation_name)
    return (
        _connection_error(error, call)
        or _credentials_error(error, call)
        or _misread_answer(error, call)
        or _configuration_error(error, call)
    )


def _connection_error(error: Exception, call: Call) -> DcvSessionsError | None:
    what = f"{call.name}: {_one_line(error)}."
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
        case ResponseParserError() | botocore_errors.IncompleteReadError():
            return _unreadable(error, call)
        case (
            botocore_errors.ConnectionError()
            | botocore_errors.HTTPClientError()
            | AiohttpError()
            | OSError()
        ):
            return ConnectionFailedError(
                f"No answer. {what}", operation=call.operation, was_sent=_was_connected(error)
            )
        case _:
            return None


def _was_connected(error: Exception) -> bool:
    """Whether there may have been a connection for the request to be sent on."""
    # botocore's error holds the one that it was made of; aiohttp tells the two cases apart.
    behind = vars(error).get("kwargs", {}).get("error")
    return not isinstance(error, _BEFORE_A_CONNECTION) and not isinstance(
        behind, ClientConnectorError | socket.gaierror
    )


_BEFORE_A_CONNECTION = (
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
                "with `aws sso login`."
            )
        case _:
            return None


def _misread_answer(error: Exception, call: Call) -> DcvSessionsError | None:
    """Tell an answer whose members are not what the model says: botocore's parser trips over it."""
    modules = {frame.f_globals.get("__name__") for frame, _ in walk_tb(error.__traceback__)}
    return _unreadable(error, call) if modules & _PARSERS else None


def _unreadable(error: Exception, call: Call) -> InvalidResponseError:
    return InvalidResponseError(
        f"{call.name}: the answer could not be read ({type(error).__name__}).", operation=call.name
    )


_PARSERS = {"botocore.parsers", "aiobotocore.parsers"}


def _configuration_error(error: Exception, call: Call) -> DcvSessionsError | None:
    match error:
        case botocore_errors.NoRegionError():
            return ConfigurationError(
                f"{call.name}: no AWS region is set. Pass region_name=, or set AWS_DEFAULT_REGION "
                "(botocore does not read AWS_REGION), or a region in the profile."
            )
        case botocore_errors.ParamValidationError() | UnicodeEncodeError():
            return InvalidArgumentError(f"{call.name}: {_one_line(error)}.")
        case botocore_errors.BotoCoreError():
            return ConfigurationError(f"{call.name}: {_one_line(error)}.")
        case ValueError() if call.operation is None:
            # botocore's word for an endpoint_url that is not a URL.
            return InvalidArgumentError(f"{call.name}: {_one_line(error)}.")
        case _:
            return None


@frozen
class _AnswerParts:
    """What an error answer says, as far as it does."""

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
            code=str(error.get("Code") or status or "unknown"),
            # AWS quotes the request, session token and all, where a signature does not match.
            message=mask(str(error.get("Message") or "")),
            status=status if isinstance(status, int) else None,
            request_id=str(request_id) if request_id else None,
            headers={
                name: str(value) for name, value in _mapping(metadata.get("HTTPHeaders")).items()
            },
        )


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _api_error(answer: _AnswerParts, operation: str) -> ApiError:
    now = datetime.now(UTC)
    kind = _kind(answer)
    skew = _skew(answer.headers.get("date"), now) if kind is ClockSkewError else None
    error = kind(
        code=answer.code,
        message=answer.message,
        operation=operation,
        request_id=answer.request_id,
        http_status=answer.status,
        retry_after=_retry_after(answer.headers.get("retry-after"), now),
        advice=_skew_advice(skew) if kind is ClockSkewError else _ADVICE.get(kind),
    )
    if isinstance(error, ClockSkewError):
        error.skew = skew
    return error


def _kind(answer: _AnswerParts) -> type[ApiError]:
    # SigV4 signatures carry their time; AWS words a stale one in the message alone.
    if answer.code in _SIGNATURE_CODES and any(word in answer.message for word in _STALE_WORDS):
        return ClockSkewError
    if answer.code in _KINDS:
        return _KINDS[answer.code]
    status = answer.status or 0
    if status in _KINDS_BY_STATUS:
        return _KINDS_BY_STATUS[status]
    return ServiceFaultError if status >= _FIRST_FAULT else ApiError


_SIGNATURE_CODES = frozenset({"InvalidSignatureException", "SignatureDoesNotMatch"})
_STALE_WORDS = ("Signature expired", "Signature not yet current")
_FIRST_FAULT = 500
# Documented for SigV4: a signature is good for five minutes on either side.
_TOLERATED_SKEW = 300


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.isascii() and value.strip().isdigit():
        return float(value)
    date = _date(value)
    return max(0.0, (date - now).total_seconds()) if date else None


def _skew(value: str | None, now: datetime) -> float | None:
    date = _date(value) if value else None
    return (date - now).total_seconds() if date else None


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _skew_advice(skew: float | None) -> str:
    if skew is None:
        return "The clock of this machine is off: set it, best by NTP."
    if abs(skew) < _TOLERATED_SKEW:
        return "The clock of this machine is right now; it was off when the request was signed."
    side = "behind" if skew > 0 else "ahead of"
    return f"The clock of this machine is {abs(skew):.0f} s {side} AWS's: set it, best by NTP."


def _is_closed_nimble(call: Call) -> bool:
    host = urlsplit(call.endpoint_url or "").hostname or ""
    return call.service == "nimble" and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _one_line(error: Exception) -> str:
    return " ".join(mask(str(error)).split()).rstrip(".") or type(error).__name__
