"""Whether the server of a desktop answers: "started" is the word of the service, not the server's.

A firewall may hold the server's port back, and the server may lag behind the state that the
service reports.
"""

import asyncio
import math
import re
import socket
import ssl
from typing import TYPE_CHECKING, Literal

from attrs import define, frozen

from dcvsessions._arguments import checked_seconds
from dcvsessions.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Attempt", "Server", "connect", "wait"]

_PAUSE = 1.0  # seconds between attempts
# Seconds for one attempt: a firewall that drops packets leaves it without any answer.
_ATTEMPT_LIMIT = 10.0
# Seconds for one address of it, if it has another.
_ADDRESS_LIMIT = 3.0
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_STATUS_LENGTH = len(b"HTTP/1.1 200")
_SERVER_ERROR = 500


@frozen
class Server:
    """Where a desktop is: all that this needs to know of a URL, and hence no token.

    Attributes:
        host: Its name or address, without the brackets of IPv6.
        port: Its TCP port.
        tls: Whether it speaks TLS.
    """

    host: str
    port: int
    tls: bool = True

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@define
class Attempt:
    """One attempt to reach a server.

    Attributes:
        step: The step that it is at.
        problem: What went wrong there.
    """

    step: Literal["dns", "tcp", "tls", "http"] = "dns"
    problem: str = "no answer"


async def wait(
    server: Server,
    timeout: float | None,
    connect: "Callable[[Server, Attempt], Awaitable[None]]",
) -> None:
    """Wait until a server answers. See `DcvUrl.wait_until_reachable()`.

    Args:
        server: The desktop's.
        timeout: Seconds, or None for no limit.
        connect: Makes an attempt, notes its steps in it, and raises OSError or EOFError when it
            fails; the `connect` below, other than in a test of the time that this takes.
    """
    limit = checked_seconds(timeout, "timeout", zero=False)
    loop = asyncio.get_running_loop()
    deadline = math.inf if limit is None else loop.time() + limit
    while True:
        attempt = Attempt()
        if await _succeeds(connect, server, attempt, min(_ATTEMPT_LIMIT, deadline - loop.time())):
            return
        await asyncio.sleep(min(_PAUSE, max(0.0, deadline - loop.time())))
        if loop.time() >= deadline:
            raise UnreachableError(_sentence(server, attempt, limit), step=attempt.step)


async def _succeeds(
    connect: "Callable[[Server, Attempt], Awaitable[None]]",
    server: Server,
    attempt: Attempt,
    limit: float,
) -> bool:
    try:
        async with asyncio.timeout(limit):
            await connect(server, attempt)
    except TimeoutError:
        return False  # its problem stays "no answer"
    except (OSError, EOFError) as error:
        attempt.problem = str(error) or type(error).__name__
        return False
    return True


async def connect(server: Server, attempt: Attempt) -> None:
    """Go through all steps once.

    Raises:
        OSError: A step failed.
        EOFError: The connection was closed instead of an HTTP answer.
    """
    reader, writer = await _open(server, attempt)
    try:
        if server.tls:
            attempt.step = "tls"
            # In a thread, because reading the authorities would stall the event loop for 40 ms.
            context = await asyncio.to_thread(ssl.create_default_context)
            await writer.start_tls(context, server_hostname=server.host)
        attempt.step = "http"
        await _ask(server, reader, writer)
    finally:
        writer.transport.abort()


async def _open(
    server: Server, attempt: Attempt
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that answers.

    One after another, each with little time: an address that swallows packets, IPv6 often, must
    not keep the next one waiting. asyncio's own way of that is not uvloop's.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        server.host, server.port, type=socket.SOCK_STREAM
    )
    attempt.step = "tcp"
    failure: OSError = TimeoutError("no answer")
    for family, _, _, _, address in found:
        try:
            async with asyncio.timeout(_ADDRESS_LIMIT):
                return await asyncio.open_connection(str(address[0]), server.port, family=family)
        except OSError as error:
            failure = error
    raise failure


async def _ask(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Not the path and token of the desktop's URL: a token may be good for one use only.
    writer.write(f"GET / HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n".encode())
    start = await reader.readexactly(_STATUS_LENGTH)
    status = _STATUS.match(start)
    if status is None:
        raise ConnectionError("the answer is not HTTP")
    # 4xx is an answer of the desktop's server; 5xx is one of a proxy that does not have it yet.
    if int(status[1]) >= _SERVER_ERROR:
        raise ConnectionError(f"the answer has the HTTP status {int(status[1])}")


def _sentence(server: Server, attempt: Attempt, timeout: float | None) -> str:
    advice = {
        "dns": "its name does not resolve",
        "tcp": f"a firewall may hold back TCP port {server.port}",
        "tls": f"TCP port {server.port} is open, but its TLS could not be verified",
        "http": f"TCP port {server.port} is open, but gives no good HTTP answer",
    }[attempt.step]
    return (
        f"The desktop's server {server} was not reachable within {timeout:g} s. "
        f"The last attempt failed at {attempt.step}, with {attempt.problem}: {advice}."
    )
