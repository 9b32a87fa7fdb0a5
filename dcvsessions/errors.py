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
│   ├── QuotaExceededError
│   ├── ServiceFaultError
│   └── ThrottledError
├── ConnectionFailedError                     no answer: refused, reset, DNS, TLS
│   ├── CallTimeoutError (also TimeoutError)
│   └── ServiceClosedError                    Nimble Studio's own endpoint is closed
├── InvalidResponseError                      an answer that is not the service's
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
    "LeftBehind",
    "NotFoundError",
    "OpenError",
    "QuotaExceededError",
    "ServiceClosedError",
    "ServiceFaultError",
    "StateSeen",
    "ThrottledError",
    "UnreachableError",
    "WaitError",
    "WaitFailedError",
    "WaitReport",
    "WaitTimeoutError",
]


@frozen(kw_only=True)
class LeftBehind:
    """A streaming session that a helper could not delete, and that may still cost money.

    Attributes:
        session_id: The session's id, if it is known.
        client_token: The token that the session was made with, if this call made it.
    """

    session_id: str | None = None
    client_token: str | None = None

    def __str__(self) -> str:
        if self.session_id is not None:
            return (
                f"Streaming session {self.session_id} is left behind: open it with open_stream(), "
                "or end it with close_streaming_session()."
            )
        return (
            "A streaming session may have been made: the same call with "
            f"client_token={self.client_token!r} finds it."
        )


class DcvSessionsError(Exception):
    """The base of every error of this package.

    Attributes:
        left_behind: The streaming session that the call has left, if there is or may be one.
    """

    left_behind: LeftBehind | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.left_behind is None else f"{text} {self.left_behind}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt by calling them with their args; here, much is keyword-only.
        return (_restored, (type(self), self.args), self.__dict__)


class InvalidArgumentError(DcvSessionsError, ValueError):
    """An argument was refused before anything was sent."""


class InvalidUrlError(InvalidArgumentError):
    """A text is not a URL that a desktop can be opened with."""


class ConfigurationError(DcvSessionsError):
    """Something on this machine keeps calls from being made: configuration, a file, a handler.

    Attributes:
        was_sent: Whether the request may have reached the service all the same.
    """

    def __init__(self, message: str, *, was_sent: bool = False) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class CredentialsNotFoundError(ConfigurationError):
    """There are no credentials to sign a call with, or they could not be loaded."""


class ClientStateError(DcvSessionsError):
    """A client was used before it was opened, after it was closed, or where it does not belong."""


class ApiError(DcvSessionsError):
    """A service answered a call with an error.

    Attributes:
        code: The service's name for the error, as `ThrottlingException`.
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


class QuotaExceededError(ApiError):
    """The request would go over a quota of the account."""


class ServiceFaultError(ApiError):
    """The service could not do it now: it failed, or the account or region is being set up."""


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
    """An answer came that is not the service's: it does not fit the service model.

    A proxy, a captive portal, a load balancer, a wrong `endpoint_url` or a body that was cut off
    answer so. It tells nothing of whether the call took effect.

    Attributes:
        operation: The API operation that was called.
        http_status: The HTTP status of the answer, if it is known.
    """

    def __init__(self, message: str, *, operation: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.operation = operation
        self.http_status = http_status


@frozen(kw_only=True)
class StateSeen:
    """A state that a wait met.

    Attributes:
        resource: Whose state it is: a wait can go from one resource to the next.
        state: The state, in the service's word.
        elapsed: Seconds from the start of the wait to when it was first seen.
    """

    resource: str
    state: str
    elapsed: float


@frozen(kw_only=True)
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
class WaitReport:
    """What happened in a wait.

    Attributes:
        resource: What was waited on, as `GUI session of my-computer`.
        awaited: The state that was waited for, as `started`.
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
    def duration(self) -> str:
        """How long the wait was, in words."""
        polls = "1 poll" if self.polls == 1 else f"{self.polls} polls"
        return f"after {self.elapsed:.1f} s and {polls}"

    @property
    def events(self) -> str:
        """What happened in it, in words; empty if nothing did."""
        sentences: list[str] = []
        if states := [entry for entry in self.history if isinstance(entry, StateSeen)]:
            sentences.append(f"States seen: {', '.join(map(self._state, states))}.")
        if absorbed := [entry for entry in self.history if isinstance(entry, ErrorAbsorbed)]:
            count = sum(entry.times for entry in absorbed)
            last = absorbed[-1].error.rstrip(".")
            sentences.append(f"Errors absorbed: {count}, the last: {last}.")
        return " ".join(sentences)

    def _state(self, entry: StateSeen) -> str:
        whose = "" if entry.resource == self.resource else f"{entry.resource} "
        return f"{whose}{entry.state} at {entry.elapsed:.1f} s"


class WaitError(DcvSessionsError):
    """A wait ended without what it waited for. Its text tells the whole report.

    Attributes:
        reason: Why it ended.
        report: What happened in it.
        resource: What was waited on, as `GUI session of my-computer`.
        awaited: The state that was waited for, as `started`.
        elapsed: Seconds that the wait took.
        polls: How often the resource was read.
        history: The states seen and the errors absorbed, oldest first.
    """

    def __init__(self, reason: str, report: WaitReport) -> None:
        sentences = [
            f"{report.resource} is not {report.awaited} {report.duration}: {reason}",
            report.events,
        ]
        super().__init__(" ".join(filter(None, sentences)))
        self.reason = reason
        self.report = report
        self.resource = report.resource
        self.awaited = report.awaited
        self.elapsed = report.elapsed
        self.polls = report.polls
        self.history = report.history


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

    def __init__(self, reason: str, report: WaitReport, failure: Failure) -> None:
        super().__init__(reason, report)
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
