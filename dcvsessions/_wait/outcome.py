"""What the error of a call says about the call: whether to wait on, and whether it took effect.

Pure.
"""

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

# Each of these classes stands for a list of codes, by which the service says that it did nothing.
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
    """Whether a wait goes on after an error of a call."""
    return isinstance(
        error, ThrottledError | ServiceFaultError | InvalidResponseError | ConnectionFailedError
    ) and not isinstance(error, ServiceClosedError)


def is_refusal(error: DcvSessionsError) -> bool:
    """Whether an error proves that the call did not take effect.

    Any answer that does not prove it may have come after the effect.
    """
    match error:
        case ApiError():
            return isinstance(error, _REFUSALS)
        case ConnectionFailedError() | ConfigurationError():
            return not error.was_sent
        case InvalidResponseError():
            return False
        case _:
            # Found by this package before the request was sent.
            return True
