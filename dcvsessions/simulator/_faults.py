"""Faults: what goes wrong, and with which request.

Pure: this module says what happens. The server, which holds the connections, does it.
"""

from collections.abc import Mapping
from typing import Literal, Self

from attrs import Factory, define, field, frozen

__all__ = ["ErrorMember", "Fault", "FaultKind", "FaultSchedule", "Skew"]

# A member of an error: all those of the service models are of these types.
ErrorMember = str | Mapping[str, str]

FaultKind = Literal[
    "error",
    "delay",
    "no_answer",
    "reset",
    "reset_midway",
    "lost_response",
    "truncated",
    "empty",
    "html",
    "wrong_content_type",
    "skewed_date",
]

# With these faults, the service carries the request out, and only the response is faulty. With the
# others, the request does not reach the service.
_TAKE_EFFECT: frozenset[FaultKind] = frozenset(
    {
        "delay",
        "reset_midway",
        "lost_response",
        "truncated",
        "empty",
        "wrong_content_type",
        "skewed_date",
    }
)


def _default_status(fault: "Fault") -> int:
    return 400 if fault.kind == "error" else 200


@frozen(kw_only=True)
class Fault:
    """One thing that goes wrong. Use its named constructors.

    Attributes:
        kind: What goes wrong.
        code: The error code of an `error`.
        status: The HTTP status.
        message: The message of an `error`.
        retry_after: The `Retry-After` header of an `error`, in seconds or as an HTTP date.
        members: The members of an `error` besides its message, such as `tip` or `context`.
        seconds: How long a `delay` lasts, or how far a `skewed_date` is ahead.
        requests: How many requests a `skewed_date` lasts; None for ever.

    Example:
        >>> Fault.error("ThrottlingException", status=429, retry_after=3).status
        429
    """

    kind: FaultKind
    code: str | None = None
    status: int = field(default=Factory(_default_status, takes_self=True))
    message: str = ""
    retry_after: float | str | None = None
    members: Mapping[str, ErrorMember] = field(factory=dict[str, ErrorMember], hash=False)
    seconds: float = 0.0
    requests: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.requests is not None and self.requests < 1:
            raise ValueError(f"requests must be at least 1, or None for ever; not {self.requests}")

    @classmethod
    def error(
        cls,
        code: str | None,
        status: int = 400,
        message: str = "",
        retry_after: float | str | None = None,
        *,
        members: Mapping[str, ErrorMember] | None = None,
    ) -> Self:
        """Answer with an error. The request has no effect.

        Args:
            code: The error code; None for a bare status with an empty body and no error type.
            status: The HTTP status.
            message: The message of the error.
            retry_after: The `Retry-After` header, in seconds or as an HTTP date. Seconds are also
                sent as `x-amz-retry-after`, in milliseconds, which newer SDKs read instead.
            members: The other members of the error, such as `tip` (Lightsail) or `context`
                (Nimble). `code` is the code unless it is given here.

        Returns:
            The fault.
        """
        return cls(
            kind="error",
            code=code,
            status=status,
            message=message,
            retry_after=retry_after,
            members=dict(members or {}),
        )

    @classmethod
    def delay(cls, seconds: float) -> Self:
        """Carry the request out at once, and send the response late.

        Args:
            seconds: How late, in simulated seconds.

        Returns:
            The fault.
        """
        return cls(kind="delay", seconds=seconds)

    @classmethod
    def no_answer(cls) -> Self:
        """Never answer, and keep the connection open. The request has no effect.

        Returns:
            The fault.
        """
        return cls(kind="no_answer")

    @classmethod
    def reset(cls) -> Self:
        """Reset the connection instead of answering. The request has no effect.

        Returns:
            The fault.
        """
        return cls(kind="reset")

    @classmethod
    def reset_midway(cls) -> Self:
        """Carry the request out, then reset the connection in the middle of the response's body.

        Returns:
            The fault.
        """
        return cls(kind="reset_midway")

    @classmethod
    def lost_response(cls) -> Self:
        """Carry the request out, then reset the connection before the response.

        Returns:
            The fault.
        """
        return cls(kind="lost_response")

    @classmethod
    def truncated(cls) -> Self:
        """Carry the request out, then send half of the body, with a matching `Content-Length`.

        Returns:
            The fault.
        """
        return cls(kind="truncated")

    @classmethod
    def empty(cls) -> Self:
        """Carry the request out, then answer 200 with the body `{}`.

        Returns:
            The fault.
        """
        return cls(kind="empty")

    @classmethod
    def html(cls, status: int = 200) -> Self:
        """Answer with an HTML page, as a proxy in between does. The request has no effect.

        Args:
            status: The HTTP status.

        Returns:
            The fault.
        """
        return cls(kind="html", status=status)

    @classmethod
    def wrong_content_type(cls) -> Self:
        """Carry the request out, then send the right body with the content type `text/html`.

        Returns:
            The fault.
        """
        return cls(kind="wrong_content_type")

    @classmethod
    def skewed_date(cls, seconds: float, requests: int | None = None) -> Self:
        """Shift the service's clock, by which it dates its responses and checks signatures.

        As at AWS, a request that was signed more than five minutes from the service's time is
        refused and has no effect. A client that corrects its clock by the `Date` header of the
        refusal is accepted.

        Args:
            seconds: How far the service's clock is ahead of the right time; negative for behind.
            requests: For how many requests of any operation, including this one; None for ever.

        Returns:
            The fault.

        Raises:
            ValueError: The number of requests is below one.
        """
        return cls(kind="skewed_date", seconds=seconds, requests=requests)

    @property
    def takes_effect(self) -> bool:
        """Whether the service carries the request out despite the fault."""
        return self.kind in _TAKE_EFFECT


class Skew:
    """How far the service's clock is off, and for how many more requests."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._left: int | None = 0

    def begin(self, fault: Fault) -> None:
        """Shift the clock, from this request on, as the fault says."""
        self._seconds, self._left = fault.seconds, fault.requests

    def end(self) -> None:
        """Set the clock right."""
        self._left = 0

    def next_seconds(self) -> float:
        """Count a request, and return by how many seconds the clock is ahead for it."""
        if self._left == 0:
            return 0.0
        if self._left is not None:
            self._left -= 1
        return self._seconds


@define
class _ScheduledFault:
    """A fault for some requests of an operation, and how many requests there were so far."""

    operation: str
    fault: Fault
    first: int
    last: int | None
    count: int = 0

    def concerns(self, operation: str) -> bool:
        return self.operation in {"*", operation}

    def counts_in(self) -> bool:
        """Count a request, and tell whether the fault strikes it."""
        self.count += 1
        return self.count >= self.first

    def is_over(self) -> bool:
        return self.last is not None and self.count >= self.last


class FaultSchedule:
    """The faults that have not happened yet."""

    def __init__(self) -> None:
        self._scheduled: list[_ScheduledFault] = []

    def add(self, operation: str, fault: Fault, *, call: int, times: int | None) -> None:
        """Schedule a fault. See `Simulator.inject()`."""
        if call < 1:
            raise ValueError(f"call counts from 1, not {call}")
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, or None for ever; not {times}")
        last = None if times is None else call + times - 1
        self._scheduled.append(_ScheduledFault(operation, fault, call, last))

    def clear(self) -> None:
        """Forget all faults that have not happened yet."""
        self._scheduled.clear()

    def next_fault(self, operation: str) -> Fault | None:
        """Count a request of an operation, and return the fault that strikes it, if any."""
        concerned = [each for each in self._scheduled if each.concerns(operation)]
        striking = [each for each in concerned if each.counts_in()]
        self._scheduled = [each for each in self._scheduled if not each.is_over()]
        return striking[0].fault if striking else None
