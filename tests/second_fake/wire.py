"""HTTP/1.1, read and written by hand: just enough for clients that send a Content-Length."""

from __future__ import annotations

import asyncio
import contextlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from second_fake.answers import Do, Reply


@dataclass
class Request:
    """One request as it arrived.

    Attributes:
        method: `GET`, `POST`, …
        target: The path and query, as sent.
        headers: The headers, with names in lower case.
        body: The body.
        at: When it arrived, by the event loop's clock.
        operation: The API operation, filled in by the service.
        took_effect: Whether the service has carried it out.
        is_over: Whether it was answered, or the client has given up on it.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float
    operation: str = ""
    took_effect: bool = False
    is_over: bool = False

    @property
    def segments(self) -> list[str]:
        """The path, split and percent-decoded."""
        return [unquote(part) for part in urlsplit(self.target).path.split("/") if part]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query string."""
        return parse_qs(urlsplit(self.target).query)

    @property
    def members(self) -> dict[str, Any]:
        """The members of the JSON body."""
        return dict(json.loads(self.body)) if self.body else {}

    @property
    def client_token(self) -> str | None:
        """The client token of a Nimble request."""
        return self.headers.get("x-amz-client-token")


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read the next request of a connection; None when the client has closed it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Request(method, target, headers, body, asyncio.get_running_loop().time())


def serialized(reply: Reply) -> bytes:
    """Return the bytes of a reply, with a Content-Length unless its headers have one."""
    headers = {"content-length": str(len(reply.body)), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} Reason", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + reply.body


async def send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: Reply, do: Do
) -> bool:
    """Send a reply as a script wants it sent; return whether the connection lives on."""
    data = serialized(reply)
    match do.sending:
        case "whole":
            writer.write(data)
            await writer.drain()
            return True
        case "never":
            # Until the client gives up: nothing more is to come from it before that.
            await reader.read()
        case "truncated":
            writer.write(data[: max(1, len(data) - len(reply.body) // 2 - 1)])
        case "dripping":
            for byte in data:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(do.every)
            return True
        case "dropped":
            writer.transport.abort()
    return False


class Listener(ABC):
    """A port on loopback whose requests are handed to `answer`.

    Attributes:
        host: The address it listens on.
        port: The port, known once it listens.
        requests: All requests that arrived, oldest first.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0
        self.requests: list[Request] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The endpoint URL."""
        return f"http://{self.host}:{self.port}"

    @abstractmethod
    async def answer(self, request: Request) -> tuple[Reply, Do]:
        """Answer a request."""

    async def listen(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and cut those there are."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                while (request := await read_request(reader)) is not None:
                    self.requests.append(request)
                    try:
                        reply, do = await self.answer(request)
                        lives_on = await send(reader, writer, reply, do)
                    finally:
                        request.is_over = True
                    if not lives_on:
                        break
        except asyncio.CancelledError:
            # `stop` cuts connections so; asyncio's streams log a cancelled handler as an error.
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
