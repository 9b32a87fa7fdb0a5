"""Checks whether a desktop's server can be reached from this machine.

`started` means that Lightsail reports the session as started. The desktop's server may need a few
more seconds, and a firewall may block its port.
"""

import asyncio
import math
import re
import socket
import ssl
from typing import Literal

from attrs import define

from dcvsessions._arguments import checked_seconds
from dcvsessions.dcv._url import DcvUrl, host_and_port
from dcvsessions.errors import UnreachableError

__all__ = ["Attempt", "connect", "wait_until_reachable"]

_PAUSE = 1.0  # seconds between attempts
# Seconds for one attempt. Behind a firewall that drops packets, no answer ever comes.
_ATTEMPT_LIMIT = 10.0
# Seconds to connect to one of the server's addresses.
_ADDRESS_LIMIT = 3.0
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_STATUS_LENGTH = len(b"HTTP/1.1 200")
_SERVER_ERROR = 500


@define
class Attempt:
    """One attempt to reach a server.

    Attributes:
        step: The latest step.
        problem: What went wrong in it.
    """

    step: Literal["dns", "tcp", "tls", "http"] = "dns"
    problem: str = "no answer"


async def wait_until_reachable(url: DcvUrl, timeout: float | None) -> None:
    """Wait until the server of a URL answers. See `DcvUrl.wait_until_reachable()`."""
    limit = checked_seconds(timeout, "timeout", zero=False)
    loop = asyncio.get_running_loop()
    deadline = math.inf if limit is None else loop.time() + limit
    while True:
        attempt = Attempt()
        if await _succeeds(url, attempt, min(_ATTEMPT_LIMIT, deadline - loop.time())):
            return
        await asyncio.sleep(min(_PAUSE, max(0.0, deadline - loop.time())))
        if loop.time() >= deadline:
            raise UnreachableError(_sentence(url, attempt, limit), step=attempt.step)


async def connect(url: DcvUrl, attempt: Attempt) -> None:
    """Go through all steps once, and record them in the attempt.

    Raises:
        OSError: A step failed.
        EOFError: The connection was closed instead of an HTTP answer.
    """
    reader, writer = await _open_connection(url, attempt)
    try:
        if url.scheme != "http":
            attempt.step = "tls"
            # In a thread, because loading the authorities would block the event loop for 40 ms.
            context = await asyncio.to_thread(ssl.create_default_context)
            await writer.start_tls(context, server_hostname=url.host)
        attempt.step = "http"
        await _request(url, reader, writer)
    finally:
        writer.transport.abort()


async def _succeeds(url: DcvUrl, attempt: Attempt, limit: float) -> bool:
    try:
        async with asyncio.timeout(limit):
            await connect(url, attempt)
    except TimeoutError:
        return False  # its problem stays "no answer"
    except (OSError, EOFError) as error:
        attempt.problem = str(error) or type(error).__name__
        return False
    return True


async def _open_connection(
    url: DcvUrl, attempt: Attempt
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that answers.

    Each address gets little time. An address that drops packets, which is often an IPv6 one, must
    not use up the time for the others. asyncio can do this itself (`happy_eyeballs_delay`), but
    uvloop cannot.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        url.host, url.port, type=socket.SOCK_STREAM
    )
    attempt.step = "tcp"
    failure: OSError = TimeoutError("no answer")
    for family, _, _, _, address in found:
        try:
            async with asyncio.timeout(_ADDRESS_LIMIT):
                return await asyncio.open_connection(str(address[0]), url.port, family=family)
        except OSError as error:
            failure = error
    raise failure


async def _request(url: DcvUrl, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Without the URL's path and token, because a token may be valid for one use only.
    head = f"GET / HTTP/1.1\r\nHost: {host_and_port(url)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    start = await reader.readexactly(_STATUS_LENGTH)
    status = _STATUS.match(start)
    if status is None:
        raise ConnectionError("the answer is not HTTP")
    # The desktop's server answers with 4xx. A proxy whose server is not up yet answers with 5xx.
    if int(status[1]) >= _SERVER_ERROR:
        raise ConnectionError(f"the answer has the HTTP status {int(status[1])}")


def _sentence(url: DcvUrl, attempt: Attempt, timeout: float | None) -> str:
    advice = {
        "dns": "its name does not resolve",
        "tcp": f"a firewall may block TCP port {url.port}",
        "tls": f"TCP port {url.port} is open, but the TLS handshake failed",
        "http": f"TCP port {url.port} is open, but the HTTP request failed",
    }[attempt.step]
    return (
        f"The desktop's server {host_and_port(url)} was not reachable within {timeout:g} s. "
        f"The last attempt failed at {attempt.step}, with {attempt.problem}: {advice}."
    )
