"""A plain HTTP server in another process that gives fixed answers.

It answers at once and reads only the operation, so that only the client is measured.
"""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

__all__ = ["PAGE", "STARTING", "serve_fixed_answers"]

# The number of sessions in a page of ListStreamingSessions.
PAGE = 100
# The GUI session of a computer whose name has this in it never gets ready.
STARTING = "starting"

_DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
_REQUEST_ID = "2e0c7f0c-6f1e-4b44-9f0a-5d9c5a7f2b11"
_URL = "https://203.0.113.10:8443/?authToken=made-up-for-the-benchmark#console"

_STARTED = {
    "resourceName": "my-computer",
    "status": "started",
    "percentageComplete": 100,
    "sessions": [
        {"name": "JupyterLab", "url": _URL, "isPrimary": True},
        {"name": "Operating system", "url": _URL, "isPrimary": False},
    ],
}
_NOT_YET = {"resourceName": "my-computer", "status": "starting", "percentageComplete": 10}
_OPERATION = {
    "id": _REQUEST_ID,
    "resourceName": "my-computer",
    "resourceType": "Instance",
    "createdAt": 1795262400.0,
    "location": {"availabilityZone": "us-east-1a", "regionName": "us-east-1"},
    "isTerminal": False,
    "operationDetails": "my-computer",
    "operationType": "StartGUISession",
    "status": "Started",
    "statusChangedAt": 1795262400.0,
}
_SESSION = {
    "arn": "arn:aws:nimble:us-east-1:123456789012:streaming-session/session-1",
    "createdAt": "2026-11-21T12:00:00Z",
    "createdBy": "simulator-user",
    "ec2InstanceType": "g4dn.xlarge",
    "launchProfileId": "lp-1",
    "ownedBy": "somebody",
    "sessionId": "session-1",
    "startedAt": "2026-11-21T12:00:00Z",
    "startedBy": "simulator-user",
    "state": "READY",
    "statusCode": "STREAMING_SESSION_READY",
    "statusMessage": "The session is ready.",
    "stopAt": "2026-11-21T23:30:00Z",
    "streamingImageId": "image-1",
    "tags": {"course": "an introduction"},
    "terminateAt": "2026-11-25T12:00:00Z",
    "updatedAt": "2026-11-21T12:04:00Z",
    "updatedBy": "simulator-user",
}


def _answer(content: object, media_type: str) -> bytes:
    body = json.dumps(content).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
        f"Date: {_DATE}\r\nx-amzn-RequestId: {_REQUEST_ID}\r\n\r\n"
    )
    return head.encode() + body


_AMZ_JSON = "application/x-amz-json-1.1"
_JSON = "application/json"
_BY_TARGET: Mapping[bytes, bytes] = {
    b"CreateGUISessionAccessDetails": _answer(_STARTED, _AMZ_JSON),
    b"StartGUISession": _answer({"operations": [_OPERATION]}, _AMZ_JSON),
    b"GetInstanceState": _answer({"state": {"code": 16, "name": "running"}}, _AMZ_JSON),
}
_STILL_STARTING = _answer(_NOT_YET, _AMZ_JSON)
_GET = _answer({"session": _SESSION}, _JSON)
_LIST = _answer(
    {"sessions": [{**_SESSION, "sessionId": f"session-{number}"} for number in range(PAGE)]}, _JSON
)


class _FixedAnswers(asyncio.Protocol):
    """One connection. Its client waits for an answer before it sends the next request."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= _content_length(head):
            self._received = b""
            self._transport.write(_answer_to(head, body))


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def _answer_to(head: bytes, body: bytes) -> bytes:
    for operation, answer in _BY_TARGET.items():
        if operation in head:
            is_starting = STARTING.encode() in body and answer.startswith(_BY_TARGET[_READ])
            return _STILL_STARTING if is_starting else answer
    path = head.split(b" ", 2)[1]
    return _LIST if path.partition(b"?")[0].endswith(b"/streaming-sessions") else _GET


_READ = b"CreateGUISessionAccessDetails"


def _run(port: Connection) -> None:
    asyncio.run(_serve(port))


async def _serve(port: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_FixedAnswers, "127.0.0.1", 0, backlog=1024)
    async with server:
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()


@contextmanager
def serve_fixed_answers() -> Generator[str, None, None]:
    """Serve in another process for the length of a block.

    Yields:
        The URL of the endpoint.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
