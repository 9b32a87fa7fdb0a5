"""The simulator: its public handle, and the one HTTP shell around everything else."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import os
import random
import secrets
import socket
import struct
import threading
import urllib.parse
from typing import TYPE_CHECKING, Self

from aiohttp import web

from dcvsessions.simulator import desktop
from dcvsessions.simulator.clock import Clock
from dcvsessions.simulator.gateway import Gateway
from dcvsessions.simulator.lightsail import LightsailSimulator
from dcvsessions.simulator.messages import HttpReply, HttpRequest
from dcvsessions.simulator.nimble import NimbleSimulator
from dcvsessions.simulator.signature import KeyPair
from dcvsessions.simulator.timings import Timings
from dcvsessions.simulator.world import World, guarded

if TYPE_CHECKING:
    from types import TracebackType

    from dcvsessions.simulator.faults import Fault
    from dcvsessions.simulator.gateway import Answer
    from dcvsessions.simulator.messages import Request

logger = logging.getLogger("dcvsessions.simulator")

#: A page of GetOperations holds at most 200 (documented); the others are assumed to be alike.
PAGE_SIZE = 200

_LAST_PORT = 65535
_COMPRESS_FROM = 1024  # bytes; a smaller answer would not get smaller
_KEEP_REQUESTS = 10_000
_BACKLOG = 1024
# A virtual-time loop leaps over idle hours: connections must not be closed for them.
_KEEP_ALIVE = 30 * 24 * 3600.0
_SHUTDOWN = 1.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound here


class Simulator:
    """Lightsail for Research and Nimble Studio on one port of the loopback interface.

    It runs in the event loop that it is entered in, on that loop's time, and has no tasks of its
    own but the server's. What is looked at or set up through it may be so from any thread.

    Args:
        host: The address to listen on.
        port: The port; 0 for any free one.
        timings: How long transitions take; None for a second or two.
        speed: Simulated seconds per second of the event loop.
        seed: Determines identifiers and drawn durations (not tokens and keys).
        region_name: The region that the services say they are in.
        access_key_id: The access key that requests have to be signed with; None for a random one.
        secret_access_key: Its secret; None for a random one.
        page_size: The most items in a page of results.
        stale_reads: For how many simulated seconds after a write reads still show the state
            before it. What was created by it is not found until then.
        keep_requests: How many requests `requests` remembers; the oldest are forgotten first.

    Raises:
        ValueError: There is no such port, the speed or the page size is not positive, or
            `stale_reads` is negative.

    Example:
        >>> async with Simulator() as sim:
        ...     sim.lightsail.add_instance("my-computer")
        ...     url = await open_gui_session("my-computer", endpoint_url=sim.endpoint_url)
        ...     assert sim.accepts(url)
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        timings: Timings | None = None,
        speed: float = 1.0,
        seed: int = 0,
        region_name: str = "us-east-1",
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        page_size: int = PAGE_SIZE,
        stale_reads: float = 0.0,
        keep_requests: int = _KEEP_REQUESTS,
    ) -> None:
        if not 0 <= port <= _LAST_PORT:
            raise ValueError(f"port must be from 0 to {_LAST_PORT}, not {port}")
        if page_size < 1:
            raise ValueError(f"page_size must be at least 1, not {page_size}")
        if not stale_reads >= 0:
            raise ValueError(f"stale_reads must be zero or more seconds, not {stale_reads!r}")
        timings = timings or Timings()
        self._host, self._port = host, port
        self._bound: tuple[str, int] | None = None
        self._keys = KeyPair(
            access_key_id or f"AKIA{secrets.token_hex(8).upper()}",
            secret_access_key or secrets.token_urlsafe(30),
        )
        self._world = World(
            clock=Clock(speed, dt.datetime.now(dt.UTC)),
            timings=timings,
            randomness=random.Random(f"{seed}/{timings.seed}"),  # noqa: S311 - no secrets from it
            region_name=region_name,
            page_size=page_size,
            stale_reads=stale_reads,
            lock=threading.RLock(),
            desktop_url=self._desktop_url,
        )
        self._lightsail = LightsailSimulator(self._world)
        self._nimble = NimbleSimulator(self._world)
        self._gateway = Gateway(
            self._world, self._lightsail, self._nimble, self._keys, keep_requests
        )
        self._shell = _Shell(self._gateway, self._world.clock)

    def __repr__(self) -> str:
        return f"<Simulator {self.endpoint_url if self._bound else 'not started'}>"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._bound = await self._shell.start(self._host, self._port)
        self._world.clock.start(loop)
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._shell.stop()

    @property
    def lightsail(self) -> LightsailSimulator:
        """The simulated Lightsail."""
        return self._lightsail

    @property
    def nimble(self) -> NimbleSimulator:
        """The simulated Nimble Studio."""
        return self._nimble

    @property
    def endpoint_url(self) -> str:
        """Where it serves, such as ``http://127.0.0.1:8080``.

        Raises:
            RuntimeError: It has not been started yet.
        """
        if self._bound is None:
            raise RuntimeError("The simulator serves nowhere before it is entered (async with)")
        address, port = self._bound
        host = _EVERYWHERE.get(address, address)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def environ(self) -> dict[str, str]:
        """What any AWS client needs in its environment to use the simulator. Holds the secret."""
        past = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        host = urllib.parse.urlsplit(self.endpoint_url).hostname or ""
        # A proxy that the environment names has no way to this machine's loopback interface.
        no_proxy = f"{past},{host}" if past and host not in past.split(",") else past or host
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self._keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self._keys.secret_access_key,
            "AWS_REGION": self._world.region_name,
            "AWS_DEFAULT_REGION": self._world.region_name,
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    @property
    @guarded
    def requests(self) -> list[Request]:
        """The requests that arrived, in order of arrival."""
        return self._gateway.journal.all()

    def calls(self, operation: str) -> list[Request]:
        """List the requests of one operation.

        Args:
            operation: The operation, such as ``StartGUISession``.

        Returns:
            Its requests, in order of arrival.

        Raises:
            ValueError: Neither service has such an operation.
        """
        self._check_operation(operation)
        return [request for request in self.requests if request.operation == operation]

    @guarded
    def inject(self, operation: str, fault: Fault, *, call: int = 1, times: int | None = 1) -> None:
        """Let something go wrong.

        Args:
            operation: The operation that it happens to, ``*`` for any.
            fault: What goes wrong.
            call: With which request of the operation it begins, counted from now, from 1.
            times: How many requests in a row it happens to; None for all that follow.

        Raises:
            ValueError: Neither service has such an operation, or a number is below one.

        Example:
            >>> sim.inject("StartGUISession", Fault.lost_response(), call=2)
        """
        if operation != "*":
            self._check_operation(operation)
        self._gateway.faults.add(operation, fault, call=call, times=times)

    @guarded
    def heal(self) -> None:
        """Forget the faults that were injected and have not happened yet."""
        self._gateway.faults.clear()

    def accepts(self, url: str) -> bool:
        """Tell whether a URL opens a desktop now.

        Args:
            url: A URL, also one that was never handed out.

        Returns:
            Whether it is, to the letter, that of a desktop that is alive at this moment.
        """
        desktops = (*self._lightsail.desktops(), *self._nimble.desktops())
        return url in {self._desktop_url(each.token, each.session_id) for each in desktops}

    def _check_operation(self, operation: str) -> None:
        known = self._gateway.operations
        if operation not in known:
            raise ValueError(f"operation must be one of {', '.join(sorted(known))}")

    def _desktop_url(self, token: str, session_id: str) -> str:
        return desktop.make_url(self.endpoint_url, token, session_id)


class _Shell:
    """The HTTP server: bytes in, bytes out, and the faults of connections."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self._closing = asyncio.Event()
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        if self._runner is not None:
            raise RuntimeError("A simulator can be entered only once")
        server = web.Server(
            self._handle,
            # A client that hangs up must not leave a handler behind that waits for ever.
            handler_cancellation=True,
            keepalive_timeout=_KEEP_ALIVE,
            access_log=None,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN)
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
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        await _invite(request)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            response = _respond(request, self._gateway.refuse_too_large())
            response.force_close()
            return response
        answer = self._gateway.answer(_take(request, body))
        logger.info("%s", answer)
        return await self._send(request, answer)

    async def _send(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        kind = answer.fault.kind if answer.fault else None
        if kind == "delay" and answer.fault:
            await self._wait(self._clock.real(answer.fault.seconds))
        if kind == "no_answer":
            await self._wait(None)
        if kind == "reset_midway":
            await _send_half(request, answer.reply)
        if kind in {"no_answer", "reset", "lost_response", "reset_midway"}:
            _reset(request)
        return _respond(request, answer.reply)

    async def _wait(self, seconds: float | None) -> None:
        """Wait, but not longer than the simulator runs."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


async def _invite(request: web.BaseRequest) -> None:
    """Let a client send the body that it holds back until it is told to."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun


def _take(request: web.BaseRequest, body: bytes) -> HttpRequest:
    path, _, query = request.raw_path.partition("?")
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return HttpRequest(request.method, path, query, headers, body)


def _respond(request: web.BaseRequest, reply: HttpReply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    if len(reply.body) >= _COMPRESS_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def _send_half(request: web.BaseRequest, reply: HttpReply) -> None:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    await response.prepare(request)
    await response.write(reply.body[: len(reply.body) // 2])


def _reset(request: web.BaseRequest) -> None:
    """Close the connection so that the peer is told of a reset, not of an orderly end."""
    transport = request.transport
    if transport is None:
        return
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)  # on, for no time: what is unsent is dropped
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
