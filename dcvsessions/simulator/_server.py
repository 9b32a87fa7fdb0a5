"""The HTTP server: it reads requests, writes responses, and makes connections fail."""

import asyncio
import email.utils
import gzip
import logging
import socket
import struct
from contextlib import suppress
from typing import Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from dcvsessions.simulator._gateway import Result
from dcvsessions.simulator._protocol.messages import HttpRequest, HttpResponse
from dcvsessions.simulator._time.clock import Clock

__all__ = ["HttpServer", "Service"]

logger = logging.getLogger("dcvsessions.simulator")
_http_logger = logging.getLogger("dcvsessions.simulator.http")

_COMPRESS_FROM = 1024  # bytes; a smaller body would not get smaller
_BACKLOG = 1024
_BODY_LIMIT = 1024 * 1024
# A virtual-time loop skips hours in which nothing happens. Connections must survive that.
_KEEP_ALIVE = 30 * 24 * 3600.0
_SHUTDOWN = 1.0
# With these faults the connection ends in a reset instead of a response.
_RESETTING = frozenset({"no_answer", "reset", "lost_response", "reset_midway"})


class Service(Protocol):
    """Answers the requests that the server receives, without a socket."""

    def answer(self, request: HttpRequest) -> Result:
        """Answer a request."""
        ...

    def too_large(self) -> HttpResponse:
        """Return the response to a request whose body is over the limit and was not read."""
        ...


def _is_not_about_a_bad_request(record: logging.LogRecord) -> bool:
    """Filter what aiohttp logs: its traceback of a malformed request repeats the headers."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_http_logger.addFilter(_is_not_about_a_bad_request)


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
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address and port.

        Raises:
            RuntimeError: It was started before.
            OSError: The port is not available.
        """
        if self._runner is not None:
            raise RuntimeError("A simulator can be entered only once")
        application = web.Application(client_max_size=_BODY_LIMIT)
        # aiohttp matches decoded paths, and "." does not match a line break.
        application.router.add_route("*", r"/{path:[\s\S]*}", self._handle)
        self._runner = web.AppRunner(
            application,
            # A client that hangs up must not leave behind a handler that waits for ever.
            handler_cancellation=True,
            keepalive_timeout=_KEEP_ALIVE,
            logger=_http_logger,
            access_log=None,
            # The signature is that of the body as it was sent.
            auto_decompress=False,
            shutdown_timeout=_SHUTDOWN,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=_BACKLOG)
        try:
            await site.start()
        except BaseException:
            await self._runner.cleanup()
            raise
        address, bound_port = self._runner.addresses[0][:2]
        return address, bound_port

    async def stop(self) -> None:
        """Stop listening, and end the requests that are still waiting."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            refused = self._to_aiohttp(request, self._service.too_large())
            refused.force_close()
            return refused
        result = self._service.answer(_from_aiohttp(request, body))
        logger.info("%s", result)
        return await self._send(request, result)

    async def _send(self, request: web.Request, result: Result) -> web.StreamResponse:
        kind = result.fault.kind if result.fault else None
        if kind == "delay" and result.fault:
            await self._wait(self._clock.to_loop_seconds(result.fault.seconds))
        if kind == "no_answer":
            await self._wait(None)
        response = self._to_aiohttp(request, result.response)
        if kind == "reset_midway":
            await _send_half(request, response)
        if kind in _RESETTING:
            _reset(request)
        return response

    async def _wait(self, seconds: float | None) -> None:
        """Wait, but not longer than the server runs."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def _to_aiohttp(self, request: web.Request, response: HttpResponse) -> web.Response:
        headers, body = dict(response.headers), response.body
        if "Date" not in headers:
            headers["Date"] = email.utils.format_datetime(self._clock.date(), usegmt=True)
        if len(body) >= _COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            # aiohttp would compress harder, which takes longer and gains little on loopback.
            body = gzip.compress(body, compresslevel=1)
        return web.Response(status=response.status, body=body, headers=headers)


def _from_aiohttp(request: web.Request, body: bytes) -> HttpRequest:
    path, _, query = _utf8(request.raw_path).partition("?")
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{_utf8(value)}" if key in headers else _utf8(value)
    return HttpRequest(request.method, path, query, headers, body)


def _utf8(text: str) -> str:
    """Replace bytes that are not UTF-8, which aiohttp passes on as lone surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def _send_half(request: web.Request, response: web.Response) -> None:
    body = response.body
    assert isinstance(body, bytes)  # noqa: S101 - as _to_aiohttp() makes it
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    await sent.prepare(request)
    await sent.write(body[: len(body) // 2])


def _reset(request: web.Request) -> None:
    """Close the connection with a TCP reset rather than an orderly end."""
    transport = request.transport
    if transport is None:
        return
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)  # linger on, for zero seconds: unsent data is dropped
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
