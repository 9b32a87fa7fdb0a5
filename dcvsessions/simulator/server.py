"""The HTTP server: bytes in, bytes out, and the faults of connections.

It serves HTTP/1.1 on asyncio's streams. aiohttp's server would take more time to import than all
of the simulator, and more time for each request.
"""

import asyncio
import email.utils
import logging
import socket
import struct
import zlib
from http import HTTPStatus
from typing import Protocol

from attrs import field, frozen

from dcvsessions.simulator.gateway import Result
from dcvsessions.simulator.protocol.http1 import (
    BadRequestError,
    Head,
    parse_chunk_size,
    parse_head,
    response_head,
)
from dcvsessions.simulator.protocol.messages import HttpRequest, HttpResponse
from dcvsessions.simulator.time.clock import Clock

__all__ = ["HttpServer", "Service"]

logger = logging.getLogger("dcvsessions.simulator")

_COMPRESS_FROM = 1024  # bytes; a smaller body would not get smaller
_GZIP = 16 + zlib.MAX_WBITS  # zlib's number for the format of gzip
_BACKLOG = 1024
_HEAD_LIMIT = 64 * 1024
_BODY_LIMIT = 1024 * 1024
# A client that is told that its body is too large may have to send it before it listens.
_DRAIN_LIMIT = 16 * _BODY_LIMIT
_SHUTDOWN = 1.0
# With these faults the connection ends in a reset instead of a response.
_RESETTING = frozenset({"no_answer", "reset", "lost_response", "reset_midway"})


class Service(Protocol):
    """What is served: it answers requests, without a socket."""

    def answer(self, request: HttpRequest) -> Result:
        """Answer a request."""
        ...

    def too_large(self) -> HttpResponse:
        """Return the response to a request whose body is over the limit and was not read."""
        ...


class _Reader(asyncio.StreamReader):
    """A reader that tells when the client hangs up, although nobody reads."""

    def __init__(self) -> None:
        super().__init__(limit=_HEAD_LIMIT)
        self.ended = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.ended.set()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        self.ended.set()


@frozen(eq=False, repr=False)
class _Connection:
    """A connection to a client."""

    reader: _Reader
    writer: asyncio.StreamWriter
    is_busy: asyncio.Event = field(factory=asyncio.Event)

    def reset(self) -> None:
        """Close the connection with a TCP reset rather than an orderly end."""
        connection: socket.socket | None = self.writer.get_extra_info("socket")
        if connection is not None:
            linger = struct.pack("ii", 1, 0)  # linger on, for zero seconds: unsent data is dropped
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


class HttpServer:
    """An HTTP server.

    Args:
        service: Answers the requests.
        clock: Says how long a simulated delay takes, and what the date is.
    """

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        self._closing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address and port.

        Raises:
            RuntimeError: It was started before.
            OSError: The port is not available.
        """
        if self._server is not None:
            raise RuntimeError("A simulator can be entered only once")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port, backlog=_BACKLOG)
        address, bound_port = self._server.sockets[0].getsockname()[:2]
        return address, bound_port

    async def stop(self) -> None:
        """Stop listening, and end the requests that are still waiting."""
        self._closing.set()
        if self._server is None:
            return
        self._server.close()
        for connection in self._connections.values():
            if not connection.is_busy.is_set():
                connection.writer.close()
        if self._connections:
            _, left = await asyncio.wait(self._connections, timeout=_SHUTDOWN)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        await self._server.wait_closed()

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(_Reader(), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, _Reader)  # noqa: S101 - as _protocol() makes it
        connection = _Connection(reader, writer)
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)

    async def _serve(self, connection: _Connection) -> None:
        try:
            while not self._closing.is_set() and await self._serve_request(connection):
                pass
        except BadRequestError as error:
            await self._refuse(connection, HttpResponse(error.status, {}, b""))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up
        finally:
            connection.writer.close()

    async def _serve_request(self, connection: _Connection) -> bool:
        """Serve one request, and return whether another may follow."""
        connection.is_busy.clear()
        head = await _read_head(connection.reader)
        connection.is_busy.set()
        if head.length is not None and head.length > _BODY_LIMIT:
            return await self._refuse(connection, self._service.too_large(), head)
        if head.expects_continue:
            connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _read_body(connection.reader, head.length)
        if body is None:
            return await self._refuse(connection, self._service.too_large())
        path, _, query = head.target.partition("?")
        result = self._service.answer(HttpRequest(head.method, path, query, head.headers, body))
        logger.info("%s", result)
        await self._send(connection, head, result)
        return head.keeps_alive

    async def _send(self, connection: _Connection, head: Head, result: Result) -> None:
        kind = result.fault.kind if result.fault else None
        if kind == "delay" and result.fault:
            await self._wait(connection, self._clock.to_loop_seconds(result.fault.seconds))
        if kind == "no_answer":
            await self._wait(connection, None)
        if kind == "reset_midway":
            connection.writer.write(self._written(head, result.response, half=True))
            await connection.writer.drain()
        if kind in _RESETTING:
            connection.reset()
            raise ConnectionResetError
        connection.writer.write(self._written(head, result.response))
        await connection.writer.drain()

    async def _wait(self, connection: _Connection, seconds: float | None) -> None:
        """Wait, but not longer than the server runs and the client listens."""
        ends = {
            asyncio.ensure_future(each.wait()) for each in (self._closing, connection.reader.ended)
        }
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ends:
                each.cancel()

    def _written(self, head: Head | None, response: HttpResponse, *, half: bool = False) -> bytes:
        """Return the bytes of a response; with half of its body, if a fault cuts it."""
        headers, body = dict(response.headers), response.body
        if "Date" not in headers:
            headers["Date"] = email.utils.format_datetime(self._clock.date(), usegmt=True)
        if head is None or not head.keeps_alive or self._closing.is_set():
            headers["Connection"] = "close"
        accepted = head.headers.get("accept-encoding", "") if head else ""
        if len(body) >= _COMPRESS_FROM and "gzip" in accepted:
            headers["Content-Encoding"] = "gzip"
            body = zlib.compress(body, level=1, wbits=_GZIP)
        headers["Content-Length"] = str(len(body))
        if head is not None and head.method == "HEAD":
            body = b""
        return response_head(response.status, headers) + (body[: len(body) // 2] if half else body)

    async def _refuse(
        self, connection: _Connection, response: HttpResponse, head: Head | None = None
    ) -> bool:
        """Answer a request that was not read to its end, and return that no other may follow."""
        connection.writer.write(self._written(None, response))
        await connection.writer.drain()
        connection.writer.write_eof()
        unread = _DRAIN_LIMIT if head is None or head.length is None else head.length
        while unread > 0 and (data := await connection.reader.read(_HEAD_LIMIT)):
            unread -= len(data)
        return False


async def _read_head(reader: asyncio.StreamReader) -> Head:
    first = await reader.readexactly(1)
    while first in b"\r\n":  # some clients send an empty line after a body
        first = await reader.readexactly(1)
    if not first.isalpha():  # such as a client that speaks TLS: it would wait for ever
        raise BadRequestError
    try:
        lines = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    return parse_head(first + lines[:-4])


async def _read_body(reader: asyncio.StreamReader, length: int | None) -> bytes | None:
    """Read a body of some length, or in chunks; return None if it is over the limit."""
    if length is not None:
        return await reader.readexactly(length)
    body = bytearray()
    while size := parse_chunk_size(await _read_line(reader)):
        if len(body) + size > _BODY_LIMIT:
            return None
        body += await reader.readexactly(size)
        if await _read_line(reader):
            raise BadRequestError
    while await _read_line(reader):
        pass  # trailers
    return bytes(body)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n"))[:-2]
    except asyncio.LimitOverrunError:
        raise BadRequestError from None
