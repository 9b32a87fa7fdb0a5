"""Plain HTTP requests to the simulator, signed by botocore."""

import asyncio
import datetime as dt
import io
import json
from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

import aiohttp
import attrs
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from dcvsessions.simulator import Simulator


@pytest.fixture(autouse=True, scope="session")
def _no_implicit_event_loop():
    """pytest-asyncio asks for the current loop, which makes one that nobody closes."""
    asyncio.set_event_loop(None)


@attrs.frozen
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.headers.get("x-amzn-errortype")


class Wire:
    """Sends requests to both services without an AWS client."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        self._sim = sim
        self._session = session

    def sign(self, method, path, body, service, headers, *, query="", ahead=0.0, **wrong):
        """Sign by a clock that is so many seconds ahead."""
        environ = {**self._sim.environ, **wrong}
        keys = Credentials(
            environ["AWS_ACCESS_KEY_ID"],
            environ["AWS_SECRET_ACCESS_KEY"],
            environ.get("AWS_SESSION_TOKEN"),
        )
        url = f"{self._sim.endpoint_url}{path}{'?' + query if query else ''}"
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        signer = SigV4Auth(keys, service, environ["AWS_REGION"])
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=ahead)
        request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        signer._modify_request_before_signing(request)
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        signer._inject_signature_to_request(request, signer.signature(to_sign, request))
        return dict(request.headers.items())

    async def send(self, method, path, body=b"", headers=None, query="") -> Reply:
        url = f"{self._sim.endpoint_url}{path}{'?' + query if query else ''}"
        async with self._session.request(
            method, URL(url, encoded=True), data=io.BytesIO(body) if body else None, headers=headers
        ) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, found, await response.read())

    async def lightsail(
        self, operation, parameters=None, *, body=None, ahead=0.0, **headers
    ) -> Reply:
        if body is None:
            body = json.dumps(parameters or {}).encode()
        unsigned = {
            "X-Amz-Target": f"Lightsail_20161128.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        signed = self.sign("POST", "/", body, "lightsail", unsigned, ahead=ahead)
        return await self.send("POST", "/", body, {**signed, **headers})

    async def nimble(
        self,
        method,
        path,
        parameters=None,
        *,
        body=None,
        token=None,
        query=None,
        media_type="application/json",
    ) -> Reply:
        if body is None:
            body = b"" if parameters is None else json.dumps(parameters).encode()
        path = f"/2020-08-01/studios/{path}".rstrip("/")
        unsigned = {"Content-Type": media_type} if body else {}
        if token is not None:
            unsigned["X-Amz-Client-Token"] = token
        text = urlencode(query or {}, quote_via=quote)
        signed = self.sign(method, path, body, "nimble", unsigned, query=text)
        return await self.send(method, path, body, signed, text)

    async def status(self, name="my-computer") -> dict:
        """Poll a GUI session."""
        reply = await self.lightsail("CreateGUISessionAccessDetails", {"resourceName": name})
        assert reply.status == 200
        return reply.json

    async def create(self, studio="studio-1", token=None, **parameters) -> Reply:
        """Create a streaming session."""
        parameters = {"launchProfileId": "lp-1", **parameters}
        return await self.nimble("POST", f"{studio}/streaming-sessions", parameters, token=token)

    async def session(self, session_id, operation="", parameters=None, **kwargs) -> Reply:
        """Read, start, stop or delete a streaming session, or create a stream."""
        path = f"studio-1/streaming-sessions/{session_id}"
        if operation in {"", "delete"}:
            return await self.nimble("DELETE" if operation else "GET", path, **kwargs)
        return await self.nimble("POST", f"{path}/{operation}", parameters or {}, **kwargs)


@pytest.fixture
def open_wire():
    """Send requests to a simulator that the test makes itself."""
    return _open


class _open:  # noqa: N801 - reads as a function
    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            skip_auto_headers=["Accept-Encoding"],
        )

    async def __aenter__(self) -> Wire:
        return Wire(self._sim, self._session)

    async def __aexit__(self, *error) -> None:
        await self._session.close()


@pytest.fixture
async def wire(sim: Simulator) -> AsyncIterator[Wire]:
    async with _open(sim) as wire:
        yield wire
