"""What follows from an error: whether the wait goes on, and whether the call took effect. Pure."""

from dcvsessions.errors import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    DcvSessionsError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    QuotaExceededError,
    ServiceClosedError,
    ServiceFaultError,
    ThrottledError,
)

__all__ = ["is_absorbed", "is_refusal"]

# Each class stands for a list of error codes with which the service says that it did nothing.
_REFUSALS = (
    AccessDeniedError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    QuotaExceededError,
    ThrottledError,
)


def is_absorbed(error: DcvSessionsError) -> bool:
    """Whether a wait goes on after an error."""
    return isinstance(
        error, ThrottledError | ServiceFaultError | InvalidResponseError | ConnectionFailedError
    ) and not isinstance(error, ServiceClosedError)


def is_refusal(error: DcvSessionsError) -> bool:
    """Whether an error proves that the call did not take effect.

    Any other error may have come after the call took effect.
    """
    match error:
        case ApiError():
            return isinstance(error, _REFUSALS)
        case ConnectionFailedError() | ConfigurationError():
            return not error.was_sent
        case InvalidResponseError():
            return False
        case _:
            # This package raised it before it sent the request.
            return True
