"""Faults to order: what goes wrong, with which request.

Pure: this says *what* is to happen; the server, which holds the connection, does it.
"""

from __future__ import annotations

from typing import Literal

import attrs

Kind = Literal[
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

#: Faults of the way back: the request has taken effect before they strike. With the others the
#: request never reaches the service, and nothing takes effect.
AFTER_THE_EFFECT: frozenset[Kind] = frozenset(
    {"delay", "reset_midway", "lost_response", "truncated", "empty", "wrong_content_type"}
)


def _usual_status(fault: Fault) -> int:
    return 400 if fault.kind == "error" else 200


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong. Made by the named constructors.

    Example:
        >>> Fault.error("ThrottlingException", status=429, retry_after=3).status
        429
    """

    kind: Kind
    code: str | None = None
    status: int = attrs.field(default=attrs.Factory(_usual_status, takes_self=True))
    message: str = ""
    retry_after: float | str | None = None
    seconds: float = 0.0

    @classmethod
    def error(
        cls,
        code: str | None,
        status: int = 400,
        message: str = "",
        retry_after: float | str | None = None,
    ) -> Fault:
        """Refuse the request; nothing takes effect.

        Args:
            code: The error code; None for a bare status with an empty body and no error type.
            status: The HTTP status.
            message: The message of the error.
            retry_after: The ``Retry-After`` header, in seconds or as an HTTP date.

        Returns:
            The fault.
        """
        return cls(kind="error", code=code, status=status, message=message, retry_after=retry_after)

    @classmethod
    def delay(cls, seconds: float) -> Fault:
        """Answer late. The request takes effect at once, the answer tells of that instant.

        Args:
            seconds: How late, in simulated seconds.

        Returns:
            The fault.
        """
        return cls(kind="delay", seconds=seconds)

    @classmethod
    def no_answer(cls) -> Fault:
        """Never answer; the connection stays open and nothing takes effect.

        Returns:
            The fault.
        """
        return cls(kind="no_answer")

    @classmethod
    def reset(cls) -> Fault:
        """Reset the connection in place of an answer; nothing takes effect.

        Returns:
            The fault.
        """
        return cls(kind="reset")

    @classmethod
    def reset_midway(cls) -> Fault:
        """Take effect, then reset the connection in the middle of the answer's body.

        Returns:
            The fault.
        """
        return cls(kind="reset_midway")

    @classmethod
    def lost_response(cls) -> Fault:
        """Take effect, then reset the connection before the first byte of the answer.

        Returns:
            The fault.
        """
        return cls(kind="lost_response")

    @classmethod
    def truncated(cls) -> Fault:
        """Take effect, then answer with half of the body and a ``Content-Length`` that fits it.

        Returns:
            The fault.
        """
        return cls(kind="truncated")

    @classmethod
    def empty(cls) -> Fault:
        """Take effect, then answer 200 with the body ``{}``.

        Returns:
            The fault.
        """
        return cls(kind="empty")

    @classmethod
    def html(cls, status: int = 200) -> Fault:
        """Answer with an HTML page, as a proxy on the way does; nothing takes effect.

        Args:
            status: The HTTP status.

        Returns:
            The fault.
        """
        return cls(kind="html", status=status)

    @classmethod
    def wrong_content_type(cls) -> Fault:
        """Take effect, then answer rightly but label the body ``text/html``.

        Returns:
            The fault.
        """
        return cls(kind="wrong_content_type")

    @classmethod
    def skewed_date(cls, seconds: float) -> Fault:
        """Refuse the request as AWS does when the clocks disagree; nothing takes effect.

        Documented: the code, the status and the message with its five minutes. The server's
        clock shows in the ``Date`` header and in the message.

        Args:
            seconds: How far the server's clock is ahead of the client's; negative for behind.

        Returns:
            The fault.
        """
        return cls(kind="skewed_date", seconds=seconds)

    @property
    def takes_effect(self) -> bool:
        """Whether the service carries the request out before the fault strikes."""
        return self.kind in AFTER_THE_EFFECT


@attrs.define
class _Order:
    """A fault for some of the requests of an operation, and how many of those have come."""

    operation: str
    fault: Fault
    first: int
    last: int | None
    seen: int = 0

    def matches(self, operation: str) -> bool:
        return self.operation in {"*", operation}

    def count(self) -> bool:
        self.seen += 1
        return self.seen >= self.first

    def is_over(self) -> bool:
        return self.last is not None and self.seen >= self.last


class FaultPlan:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def add(self, operation: str, fault: Fault, *, call: int, times: int | None) -> None:
        """Order a fault.

        Args:
            operation: The operation, ``*`` for any.
            fault: What goes wrong.
            call: With which request of the operation it begins, counted from now, from 1.
            times: How many requests it strikes in a row; None for all that follow.

        Raises:
            ValueError: `call` or `times` is below one.
        """
        if call < 1:
            raise ValueError(f"call counts from 1, not {call}")
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, or None for ever; not {times}")
        last = None if times is None else call + times - 1
        self._orders.append(_Order(operation, fault, call, last))

    def clear(self) -> None:
        """Forget all faults that are still to come."""
        self._orders.clear()

    def draw(self, operation: str) -> Fault | None:
        """Count a request, and tell what goes wrong with it.

        Args:
            operation: The operation that the request asks for.

        Returns:
            The fault ordered first among those that are due, or None.
        """
        matching = [order for order in self._orders if order.matches(operation)]
        due = [order for order in matching if order.count()]
        self._orders = [order for order in self._orders if not order.is_over()]
        return due[0].fault if due else None
