"""The heads of HTTP/1.1 requests and responses, as RFC 9112 says. Pure.

No error repeats anything of the request: a header may hold a signature or a token.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from attrs import frozen

__all__ = ["BadRequestError", "Head", "parse_chunk_size", "parse_head", "response_head"]

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~\x80-\xff]+) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n]*)?")


class BadRequestError(Exception):
    """A request that is not HTTP/1.1, or over a limit.

    Args:
        status: The HTTP status that answers it.
    """

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(status.phrase)
        self.status = status


@frozen(repr=False)
class Head:
    """The head of a request. It has no `repr`, because its headers hold a signature.

    Attributes:
        method: The HTTP method.
        target: The path and the query, percent-encoded.
        headers: The headers by lower-case name; repeated headers are joined with commas.
        length: The length of the body; None if it comes in chunks.
        keeps_alive: Whether the connection stays open for another request.
        expects_continue: Whether the client waits for a word before it sends the body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    length: int | None
    keeps_alive: bool
    expects_continue: bool


def parse_head(head: bytes) -> Head:
    """Read the head of a request.

    Args:
        head: The lines up to the empty one, without that.

    Raises:
        BadRequestError: It is not the head of a request.
    """
    first, *lines = head.split(b"\r\n")
    found = _REQUEST_LINE.fullmatch(first)
    if found is None:
        raise BadRequestError
    method, target, minor = found.groups()
    headers = _headers(lines)
    is_current = minor == b"1"
    if is_current and "host" not in headers:
        raise BadRequestError
    connection = headers.get("connection", "").lower()
    return Head(
        method=method.decode(),
        target=_ABSOLUTE.sub("", _text(target), count=1) or "/",
        headers=headers,
        length=_length(headers),
        keeps_alive="close" not in connection if is_current else "keep-alive" in connection,
        expects_continue=is_current and headers.get("expect", "").lower() == "100-continue",
    )


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            raise BadRequestError
        name, value = found[1].decode().lower(), _text(found[2].rstrip(b" \t"))
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _text(value: bytes) -> str:
    """Decode a header or target; bytes that are not UTF-8 are replaced."""
    return value.decode("utf-8", "replace")


def _length(headers: Mapping[str, str]) -> int | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        # Together with a length, two readers could see two requests in the same bytes.
        if coding.lower() != "chunked" or length is not None:
            raise BadRequestError
        return None
    if length is None:
        return 0
    if not _DIGITS.fullmatch(length):
        raise BadRequestError
    return int(length)


def parse_chunk_size(line: bytes) -> int:
    """Read the line before a chunk of a body, and return the length of the chunk.

    Raises:
        BadRequestError: It is not such a line.
    """
    found = _CHUNK_SIZE.fullmatch(line)
    if found is None:
        raise BadRequestError
    return int(found[1], 16)


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Write the head of a response, with the empty line that ends it."""
    phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
    lines = (f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{''.join(lines)}\r\n".encode()


_STATUSES = frozenset(int(status) for status in HTTPStatus)
