"""HTTP requests and responses as plain data."""

from collections.abc import Mapping

from attrs import frozen

from dcvsessions.simulator._protocol.wire import Json

__all__ = ["HttpRequest", "HttpResponse", "Request"]


@frozen(repr=False)
class HttpRequest:
    """An HTTP request. It has no `repr`, because its headers hold a signature.

    Attributes:
        method: The HTTP method.
        path: The path, percent-encoded.
        query: The query string, percent-encoded.
        headers: The headers by lower-case name; repeated headers are joined with commas.
        body: The body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@frozen(repr=False)
class HttpResponse:
    """An HTTP response. It has no `repr`, because its body may hold a DCV token.

    Attributes:
        status: The HTTP status.
        headers: The headers, without those that the HTTP server adds.
        body: The body.
        error: The code of the error that it reports; None for success.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str | None = None


@frozen(kw_only=True)
class Request:
    """A request that arrived, in the service's words, without signature, key and DCV token.

    Attributes:
        service: `lightsail` or `nimble`; empty if the operation is unknown.
        operation: The operation, such as `StartGUISession`; empty if it is unknown.
        parameters: The parameters by their names in the service model, merged from the body,
            the path, the query and the headers; empty if they could not be read.
        status: The HTTP status of the response; None without a response (yet).
        error: The error code of the response; None for success or without a response.
        fault: The kind of the fault that applied to it, or None.
        at: When it arrived, in seconds of the event loop's time.
    """

    service: str
    operation: str
    parameters: dict[str, Json]
    status: int | None = None
    error: str | None = None
    fault: str | None = None
    at: float
