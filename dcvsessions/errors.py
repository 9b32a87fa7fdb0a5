"""Every error that dcvsessions raises, in one tree.

```
DcvSessionsError
├── InvalidArgumentError (also ValueError)    refused before anything was sent
│   └── InvalidUrlError                       not a URL that a desktop can be opened with
├── ConfigurationError                        no region, a profile that does not exist, …
│   └── CredentialsNotFoundError              nothing to sign with
├── ClientStateError                          not open yet, closed, another loop, another process
├── ApiError                                  the service answered with an error
│   ├── AccessDeniedError
│   ├── AuthenticationError                   the key or signature was not accepted
│   │   ├── CredentialsExpiredError
│   │   └── ClockSkewError
│   ├── ConflictError
│   ├── InvalidRequestError
│   ├── NotFoundError
│   ├── OperationFailedError
│   ├── QuotaExceededError
│   ├── ServiceFaultError
│   ├── SetupInProgressError
│   └── ThrottledError
├── ConnectionFailedError                     no answer: refused, reset, DNS, TLS
│   ├── CallTimeoutError (also TimeoutError)
│   └── ServiceClosedError                    Nimble Studio's own endpoint is gone
├── InvalidResponseError                      an answer that does not fit the service model
├── WaitError                                 a wait that ended without what it waited for
│   ├── WaitFailedError
│   └── WaitTimeoutError (also TimeoutError)
└── OpenError                                 a URL is at hand, the desktop is not
    └── UnreachableError
```

No error holds a secret: not in its text, its attributes, or the chain behind it.
"""

from attrs import frozen

__all__ = [
    "AccessDeniedError",
    "ApiError",
    "AuthenticationError",
    "CallTimeoutError",
    "ClientStateError",
    "ClockSkewError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "CredentialsExpiredError",
    "CredentialsNotFoundError",
    "DcvSessionsError",
    "ErrorAbsorbed",
    "Failure",
    "InvalidArgumentError",
    "InvalidRequestError",
    "InvalidResponseError",
    "InvalidUrlError",
    "NotFoundError",
    "OpenError",
    "OperationFailedError",
    "QuotaExceededError",
    "ServiceClosedError",
    "ServiceFaultError",
    "SetupInProgressError",
    "StateSeen",
    "ThrottledError",
    "UnreachableError",
    "WaitError",
    "WaitFailedError",
    "WaitStory",
    "WaitTimeoutError",
    "left_behind",
]


class DcvSessionsError(Exception):
    """The base of every error of this package."""

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt by calling them with their args; here, much is keyword-only.
        return (_restored, (type(self), self.args), self.__dict__)


class InvalidArgumentError(DcvSessionsError, ValueError):
    """An argument was refused before anything was sent."""


class InvalidUrlError(InvalidArgumentError):
    """A text is not a URL that a desktop can be opened with."""


class ConfigurationError(DcvSessionsError):
    """The AWS configuration at hand is not enough to make a call."""


class CredentialsNotFoundError(ConfigurationError):
    """There are no credentials to sign a call with, or they could not be loaded."""


class ClientStateError(DcvSessionsError):
    """A client was used before it was opened, after it was closed, or where it does not belong."""


class ApiError(DcvSessionsError):
    """A service answered a call with an error.

    Attributes:
        code: The service's name for the error, as `ThrottlingException`; for an answer without
            one, the HTTP status as text.
        message: What the service said.
        operation: The API operation that was called, as `StartGUISession`.
        request_id: AWS's id of the request, to be given to AWS Support, if it sent one.
        http_status: The HTTP status of the answer.
        retry_after: Seconds that the service asked to be left alone for, if it did.
        advice: What to do about it, if there is something.
    """

    def __init__(
        self,
        *,
        code: str,
        message: str,
        operation: str,
        request_id: str | None,
        http_status: int | None,
        retry_after: float | None = None,
        advice: str | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.operation = operation
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.advice = advice
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        said = self.message.rstrip(". ") or "the service gave no message"
        request = f", request {self.request_id}" if self.request_id else ""
        text = f"{self.operation}: {said} ({self.code}{request})."
        return f"{text} {self.advice}" if self.advice else text


class AccessDeniedError(ApiError):
    """The credentials are valid, but may not do this."""


class AuthenticationError(ApiError):
    """The service did not accept the credentials or the signature."""


class CredentialsExpiredError(AuthenticationError):
    """The temporary credentials have expired."""


class ClockSkewError(AuthenticationError):
    """The clock of this machine is too far from the service's.

    Attributes:
        skew: Seconds that the service's clock is ahead of this machine's, if its answer told.
    """

    skew: float | None = None


class ConflictError(ApiError):
    """The resource is in a state, or another change is under way, that rules this out."""


class InvalidRequestError(ApiError):
    """The service found the request invalid."""


class NotFoundError(ApiError):
    """There is no such resource in this account and region."""


class OperationFailedError(ApiError):
    """The service took the request and failed to carry it out."""


class QuotaExceededError(ApiError):
    """The request would go over a quota of the account."""


class ServiceFaultError(ApiError):
    """The service failed: an answer with a 5xx status."""


class SetupInProgressError(ApiError):
    """The account or region is still being set up for the service."""


class ThrottledError(ApiError):
    """The service turned the request away because there were too many."""


class ConnectionFailedError(DcvSessionsError):
    """A call ended without an answer from the service.

    Attributes:
        operation: The API operation that was called, or None for anything else.
        was_sent: Whether the request may have reached the service, and taken effect.
    """

    def __init__(
        self, message: str, *, operation: str | None = None, was_sent: bool = True
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.was_sent = was_sent


class CallTimeoutError(ConnectionFailedError, TimeoutError):
    """A connection or an answer took longer than one call may take."""


class ServiceClosedError(ConnectionFailedError):
    """Nimble Studio's endpoint cannot be reached: AWS closed the service in 2024."""


class InvalidResponseError(DcvSessionsError):
    """An answer said that all went well, but does not fit the service model.

    Attributes:
        operation: The API operation that was called.
    """

    def __init__(self, message: str, *, operation: str) -> None:
        super().__init__(message)
        self.operation = operation


@frozen
class StateSeen:
    """A state that a wait met.

    Attributes:
        state: The state, in the service's word.
        elapsed: Seconds from the start of the wait to when it was first seen.
        resource: Whose state it is: a wait can go from one resource to the next.
    """

    state: str
    elapsed: float
    resource: str = ""


@frozen
class ErrorAbsorbed:
    """An error that did not end a wait.

    Attributes:
        error: What went wrong.
        elapsed: Seconds from the start of the wait to the first time.
        times: How often it came in a row.
    """

    error: str
    elapsed: float
    times: int = 1


@frozen(kw_only=True)
class WaitStory:
    """What a wait has been through.

    Attributes:
        resource: What was waited on, as `GUI session of my-computer`.
        awaited: What it was waited for to be, as `started`.
        elapsed: Seconds that the wait took.
        polls: How often the resource was read.
        history: The states seen and the errors absorbed, oldest first.
    """

    resource: str
    awaited: str
    elapsed: float
    polls: int
    history: tuple[StateSeen | ErrorAbsorbed, ...]

    @property
    def length(self) -> str:
        """How long it was, in words."""
        polls = "1 poll" if self.polls == 1 else f"{self.polls} polls"
        return f"after {self.elapsed:.1f} s and {polls}"

    @property
    def events(self) -> str:
        """What happened in it, in words; empty if nothing did."""
        told: list[str] = []
        if seen := [entry for entry in self.history if isinstance(entry, StateSeen)]:
            told.append(f"States seen: {', '.join(map(self._told, seen))}.")
        if absorbed := [entry for entry in self.history if isinstance(entry, ErrorAbsorbed)]:
            count = sum(entry.times for entry in absorbed)
            told.append(f"Errors absorbed: {count}, the last: {absorbed[-1].error}")
        return " ".join(told)

    def _told(self, entry: StateSeen) -> str:
        whose = "" if entry.resource in ("", self.resource) else f"{entry.resource} "
        return f"{whose}{entry.state} at {entry.elapsed:.1f} s"


class WaitError(DcvSessionsError):
    """A wait ended without what it waited for. Its text tells the whole story.

    Attributes:
        reason: Why it ended.
        resource: What was waited on, as `GUI session of my-computer`.
        awaited: What it was waited for to be, as `started`.
        elapsed: Seconds that the wait took.
        polls: How often the resource was read.
        history: The states seen and the errors absorbed, oldest first.
        story: All of these in one.
        session_id: The streaming session that is left behind, if one is known of.
        client_token: The token that finds, or makes, the session that may be left behind.
    """

    def __init__(self, reason: str, story: WaitStory) -> None:
        super().__init__(reason)
        self.reason = reason
        self.story = story
        self.resource = story.resource
        self.awaited = story.awaited
        self.elapsed = story.elapsed
        self.polls = story.polls
        self.history = story.history
        self.session_id: str | None = None
        self.client_token: str | None = None

    def __str__(self) -> str:
        story = self.story
        told = [
            f"{story.resource} is not {story.awaited} {story.length}: {self.reason}",
            story.events,
        ]
        if self.session_id is not None or self.client_token is not None:
            told.append(left_behind(self.session_id, self.client_token))
        return " ".join(filter(None, told))


def left_behind(session_id: str | None, client_token: str | None) -> str:
    """Say what is left and how to go on with it.

    Args:
        session_id: The streaming session, if one is known of.
        client_token: The token that finds, or makes, the session that may be left otherwise.
    """
    if session_id is not None:
        return (
            f"Streaming session {session_id} is left behind: open it with open_stream(), "
            "or end it with close_streaming_session()."
        )
    return (
        f"A streaming session may have been made: the same call with "
        f"client_token={client_token!r} finds it."
    )


class WaitTimeoutError(WaitError, TimeoutError):
    """A wait came to its deadline."""


@frozen(kw_only=True)
class Failure:
    """What a service said of a failure; None where it said nothing, or has no such member.

    Attributes:
        state: The state, in the service's word.
        failure_reason: Lightsail's `failureReason` of the GUI session.
        error_code: `errorCode` of the Lightsail operation that failed.
        error_details: `errorDetails` of the Lightsail operation that failed.
        status_code: Nimble's `statusCode` of the session or stream.
        status_message: Nimble's `statusMessage` of the session.
    """

    state: str | None = None
    failure_reason: str | None = None
    error_code: str | None = None
    error_details: str | None = None
    status_code: str | None = None
    status_message: str | None = None


class WaitFailedError(WaitError):
    """The service reported a state from which what was waited for cannot come.

    Attributes:
        state: That state, in the service's word.
        failure_reason: Lightsail's `failureReason` of the GUI session.
        error_code: `errorCode` of the Lightsail operation that failed.
        error_details: `errorDetails` of the Lightsail operation that failed.
        status_code: Nimble's `statusCode` of the session or stream.
        status_message: Nimble's `statusMessage` of the session.
    """

    def __init__(self, reason: str, story: WaitStory, failure: Failure) -> None:
        super().__init__(reason, story)
        self.state = failure.state
        self.failure_reason = failure.failure_reason
        self.error_code = failure.error_code
        self.error_details = failure.error_details
        self.status_code = failure.status_code
        self.status_message = failure.status_message


class OpenError(DcvSessionsError):
    """The desktop of a URL could not be opened."""


class UnreachableError(OpenError):
    """The desktop's server does not answer.

    Attributes:
        step: The step that failed: `dns`, `tcp`, `tls` or `http`.
    """

    def __init__(self, message: str, *, step: str) -> None:
        super().__init__(message)
        self.step = step


def _restored(kind: type[DcvSessionsError], args: tuple[object, ...]) -> DcvSessionsError:
    """Rebuild a pickled error without its keyword-only arguments, which follow as its state."""
    error = kind.__new__(kind, *args)
    # A TimeoutError is an OSError, which leaves its args to __init__.
    error.args = args
    return error
