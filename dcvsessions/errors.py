"""Every error that dcvsessions raises, in one tree.

```
DcvSessionsError
├── InvalidArgumentError (also ValueError)    refused before anything was sent
│   └── InvalidUrlError                       not a URL that a desktop can be opened with
├── ConfigurationError                        no region, a profile that does not exist, …
│   └── CredentialsNotFoundError              no usable credentials
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
├── ConnectionFailedError                     no answer: refused, reset, DNS, TLS, …
│   ├── CallTimeoutError (also TimeoutError)
│   └── ServiceClosedError                    Nimble Studio's own endpoint is closed
├── InvalidResponseError                      the answer does not match the service model
├── WaitError                                 a wait that did not reach its goal
│   ├── WaitFailedError
│   └── WaitTimeoutError (also TimeoutError)
└── OpenError                                 the desktop of a URL could not be opened
    └── UnreachableError
```

No error holds a secret: not in its text, not in its attributes, not in its causes.
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
        others: The other sessions, if a call for many sessions left more than one.
    """

    session_id: str | None = None
    client_token: str | None = None
    others: "tuple[LeftBehind, ...]" = ()

    def __str__(self) -> str:
        others = ", ".join(map(LeftBehind._name, self.others))
        return f"{self._sentence()} Also left behind: {others}." if others else self._sentence()

    def _sentence(self) -> str:
        if self.session_id is not None:
            return (
                f"Streaming session {self.session_id} is left behind: open it with open_stream(), "
                "or delete it with close_streaming_session()."
            )
        return (
            "A streaming session may have been made: the same call with "
            f"client_token={self.client_token!r} finds it."
        )

    def _name(self) -> str:
        return self.session_id or f"client_token={self.client_token!r}"


class DcvSessionsError(Exception):
    """The base of every error of this package.

    Attributes:
        left_behind: The streaming session that may still exist and cost money, or None.
        region_name: The region of the call that failed. None if it is not known, or no call failed.
        endpoint_url: The endpoint of the call that failed, without a user name, a password or a
            query. None if it is not known, or no call failed.
    """

    left_behind: LeftBehind | None = None
    region_name: str | None = None
    endpoint_url: str | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.left_behind is None else f"{text} {self.left_behind}"

    def __reduce__(self) -> tuple[object, ...]:
        # By default, pickle calls the class with `args`. Most classes here need keywords too.
        return (_restored, (type(self), self.args), self.__dict__)


class InvalidArgumentError(DcvSessionsError, ValueError):
    """An argument was refused before anything was sent."""


class InvalidUrlError(InvalidArgumentError):
    """A text is not a URL that a desktop can be opened with."""


class ConfigurationError(DcvSessionsError):
    """A call failed on this machine: configuration, a missing file, or an event handler's error.

    Attributes:
        was_sent: Whether the request may still have reached the service.
    """

    def __init__(self, message: str, *, was_sent: bool = False) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class CredentialsNotFoundError(ConfigurationError):
    """There are no credentials to sign a call with, or they could not be loaded."""


class ClientStateError(DcvSessionsError):
    """A client was used when it was not open, or in another event loop or process."""


class ApiError(DcvSessionsError):
    """A service answered a call with an error.

    Attributes:
        code: The service's name for the error, such as `ThrottlingException`.
        message: What the service said.
        operation: The API operation that was called, such as `StartGUISession`.
        request_id: AWS's id of the request, which AWS Support asks for. None if AWS sent no id.
        http_status: The HTTP status of the answer.
        retry_after: Seconds that the service asks to wait before the next call, or None.
        advice: What the caller can do, or None.
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
        region_name: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.operation = operation
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.advice = advice
        self.region_name = region_name
        self.endpoint_url = endpoint_url
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        said = self.message.rstrip(". ") or "the service gave no message"
        request = f"request {self.request_id}" if self.request_id else None
        place = place_of(self.endpoint_url, self.region_name)
        details = ", ".join(filter(None, [self.code, place, request]))
        text = f"{self.operation}: {said} ({details})."
        return f"{text} {self.advice}" if self.advice else text


class AccessDeniedError(ApiError):
    """The credentials are valid, but do not allow this call."""


class AuthenticationError(ApiError):
    """The service did not accept the credentials or the signature."""


class CredentialsExpiredError(AuthenticationError):
    """The temporary credentials have expired."""


class ClockSkewError(AuthenticationError):
    """This machine's clock differs too much from the service's.

    Attributes:
        skew: Seconds by which the service's clock is ahead. None if its answer had no date.
    """

    skew: float | None = None


class ConflictError(ApiError):
    """The state of the resource, or another change to it, does not allow this request."""


class InvalidRequestError(ApiError):
    """The service found the request invalid."""


class NotFoundError(ApiError):
    """There is no such resource in this account and region."""


class QuotaExceededError(ApiError):
    """The request would go over a quota of the account."""


class ServiceFaultError(ApiError):
    """The service failed, or AWS is still setting up the account or region. It is temporary."""


class ThrottledError(ApiError):
    """The service rejected the request because there were too many requests."""


class ConnectionFailedError(DcvSessionsError):
    """A call ended without an answer from the service.

    Attributes:
        operation: The API operation that was called, or None if it was something else.
        was_sent: Whether the request may have reached the service and taken effect.
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
    """The answer does not match the service model, so it may not be from the service.

    It can come from a proxy, a captive portal, a load balancer or a wrong `endpoint_url`, or it was
    cut off. The call may have taken effect.

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
    """A state that a wait saw.

    Attributes:
        resource: The resource. A wait can go from one resource to the next.
        state: The state, as the service names it.
        elapsed: Seconds from the start of the wait until the state was first seen.
    """

    resource: str
    state: str
    elapsed: float


@frozen(kw_only=True)
class ErrorAbsorbed:
    """An error that did not end a wait.

    Attributes:
        error: The text of the error.
        elapsed: Seconds from the start of the wait until the error first came.
        times: How many times in a row it came.
    """

    error: str
    elapsed: float
    times: int = 1


@frozen(kw_only=True)
class WaitReport:
    """What happened in a wait.

    Attributes:
        resource: The resource, such as `GUI session of my-computer`.
        awaited: The state that it should reach, such as `started`.
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
        """How long the wait took, in words."""
        polls = "1 poll" if self.polls == 1 else f"{self.polls} polls"
        return f"after {self.elapsed:.1f} s and {polls}"

    @property
    def events(self) -> str:
        """The states seen and the errors absorbed, in words. It can be empty."""
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
    """A wait did not reach its goal. The text of the error contains the report.

    Attributes:
        reason: Why the wait ended.
        report: What happened in the wait.
        resource: The resource, such as `GUI session of my-computer`.
        awaited: The state that it should have reached, such as `started`.
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
    """The deadline of a wait has passed."""


@frozen(kw_only=True)
class Failure:
    """What a service said about a failure. An attribute is None if the service did not send it.

    Attributes:
        state: The state, as the service names it.
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
    """A wait cannot reach its goal: the service reported a failure, or was never reached.

    Attributes:
        state: The state, as the service names it.
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


def place_of(endpoint_url: str | None, region_name: str | None) -> str:
    """Return the endpoint and region of a call in words. It can be empty."""
    endpoint = f"endpoint {endpoint_url}" if endpoint_url else None
    region = f"region {region_name}" if region_name else None
    return ", ".join(filter(None, [endpoint, region]))


def _restored(kind: type[DcvSessionsError], args: tuple[object, ...]) -> DcvSessionsError:
    """Rebuild a pickled error without calling its class. pickle then sets its attributes."""
    error = kind.__new__(kind, *args)
    # TimeoutError is an OSError, whose __new__ may leave args to __init__.
    error.args = args
    return error
