"""What passes between the HTTP shell and the rest: a request, a reply, and the record of both."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcvsessions.simulator.wire import Json


@attrs.frozen(repr=False)
class HttpRequest:
    """An HTTP request as it came. Its headers hold a signature, so it has no repr.

    Args:
        method: The HTTP method.
        path: The path, still percent-encoded.
        query: The query string, still percent-encoded.
        headers: The headers, names in lower case; several of one name are joined with commas.
        body: The body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen(repr=False)
class HttpReply:
    """An HTTP reply. Its body may hold a DCV token, so it has no repr.

    Args:
        status: The HTTP status.
        headers: The headers, but for those that HTTP itself needs.
        body: The body.
        error: The error code that it stands for, None for success.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str | None = None


@attrs.frozen(kw_only=True)
class Request:
    """What arrived, in the words of the service: no signature, key or DCV token is in it.

    Args:
        service: ``lightsail`` or ``nimble``; empty if no operation was recognised.
        operation: The operation, such as ``StartGUISession``; empty if none was recognised.
        parameters: The parameters by their names in the service model, merged from the body,
            the path, the query and the headers; empty if they could not be read.
        status: The HTTP status that was answered; None for no answer (yet).
        error: The code of the error that was answered; None for success or no answer.
        at: The time of the event loop at which it arrived, in seconds.
    """

    service: str
    operation: str
    parameters: dict[str, Json]
    status: int | None = None
    error: str | None = None
    at: float


class Journal:
    """The requests that arrived, in order; the oldest are forgotten beyond a number.

    Args:
        keep: How many requests are remembered.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._next = 0
        self._requests: collections.OrderedDict[int, Request] = collections.OrderedDict()

    def open(self, request: Request) -> int:
        """Record a request on its arrival.

        Args:
            request: What is known of it.

        Returns:
            The number under which it is recorded.
        """
        number = self._next
        self._next += 1
        self._requests[number] = request
        while len(self._requests) > self._keep:
            self._requests.popitem(last=False)
        return number

    def close(self, number: int, status: int | None, error: str | None) -> None:
        """Record what was answered.

        Args:
            number: The number of the request.
            status: The HTTP status; None for no answer.
            error: The error code, if any.
        """
        request = self._requests.get(number)
        if request is not None:
            self._requests[number] = attrs.evolve(request, status=status, error=error)

    def all(self) -> list[Request]:
        """List the requests.

        Returns:
            Those that are remembered, oldest first.
        """
        return list(self._requests.values())
