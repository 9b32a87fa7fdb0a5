"""What one call costs: CPU seconds of the client, with a server in another process."""

import asyncio
import gc
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import boto3  # type: ignore[import-untyped] # it has no type hints
from attrs import frozen
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from benchmarks.environment import REGION, use_only
from benchmarks.rows import Row, interleaved, paired
from benchmarks.servers import PAGE, serve_fixed_answers
from benchmarks.stock import stock_session
from dcvsessions import LightsailClient, NimbleClient, open_gui_session

__all__ = ["call_rows"]

_NAME = "my-computer"
_STUDIO = "studio-1"
_SESSION = "session-1"
_STOCK = "stock aiobotocore"
_AT_ONCE = 10

_Call = Callable[[], Awaitable[object]]


@frozen(kw_only=True)
class _Size:
    """How much is measured: `calls` of each way in each of `rounds`."""

    rounds: int
    calls: int


@frozen(kw_only=True)
class _Clients:
    lightsail: LightsailClient
    nimble: NimbleClient
    stock_lightsail: Any
    stock_nimble: Any
    http: aiohttp.ClientSession
    endpoint_url: str


def call_rows(*, rounds: int = 15, calls: int = 200) -> list[Row]:
    """Measure calls, in one event loop.

    Args:
        rounds: How many pairs of each.
        calls: The calls of each way in a round. Pages count as ten calls.
    """
    with serve_fixed_answers() as endpoint_url:
        use_only({"AWS_ENDPOINT_URL": endpoint_url})
        return asyncio.run(_rows(_Size(rounds=rounds, calls=calls), endpoint_url))


async def _rows(size: _Size, endpoint_url: str) -> list[Row]:
    async with _opened(endpoint_url) as clients:
        rows: list[Row] = []
        for at_once in (1, 10, 100):
            rows += await _reads(size, clients, at_once)
        rows += await _others(size, clients)
        return rows


async def _reads(size: _Size, clients: _Clients, at_once: int) -> list[Row]:
    """CreateGUISessionAccessDetails in every way."""
    with ThreadPoolExecutor(at_once) as threads:
        blocking = _boto3(clients.endpoint_url, at_once)

        async def boto3_in_threads() -> float:
            each = size.calls // at_once
            return await _cpu(lambda: _in_threads(threads, blocking, at_once, each))

        found = await interleaved(
            {
                "ours": _many(size, at_once, lambda: _typed(clients)),
                _STOCK: _many(size, at_once, lambda: _untyped(clients)),
                "aiohttp with SigV4": _many(size, at_once, lambda: _raw(clients)),
                "boto3 in threads": boto3_in_threads,
            },
            size.rounds,
        )
        await asyncio.to_thread(blocking.close)
    ours = found.pop("ours")
    return [
        paired(
            f"CreateGUISessionAccessDetails, {at_once} at a time",
            "µs",
            _per_call(ours, size.calls),
            name,
            _per_call(theirs, size.calls),
            goal=0.85 if name == _STOCK else None,
        )
        for name, theirs in found.items()
    ]


async def _others(size: _Size, clients: _Clients) -> list[Row]:
    cases: list[tuple[str, float | None, int, _Call, _Call]] = [
        (
            "StartGUISession",
            0.85,
            size.calls,
            lambda: clients.lightsail.start_gui_session(_NAME),
            lambda: clients.stock_lightsail.start_gui_session(resourceName=_NAME),
        ),
        (
            "GetStreamingSession",
            0.62,
            size.calls,
            lambda: clients.nimble.get_streaming_session(_STUDIO, _SESSION),
            lambda: clients.stock_nimble.get_streaming_session(
                studioId=_STUDIO, sessionId=_SESSION
            ),
        ),
        (
            f"ListStreamingSessions, {PAGE} to a page",
            0.12,
            max(_AT_ONCE, size.calls // 10),
            lambda: _typed_page(clients),
            lambda: clients.stock_nimble.list_streaming_sessions(studioId=_STUDIO),
        ),
        (
            "`open_gui_session` of a started session, compared with one call",
            None,
            size.calls,
            lambda: open_gui_session(_NAME, client=clients.lightsail),
            lambda: _untyped(clients),
        ),
    ]
    rows: list[Row] = []
    for figure, goal, calls, ours, theirs in cases:
        part = _Size(rounds=size.rounds, calls=calls)
        found = await interleaved(
            {"ours": _many(part, _AT_ONCE, ours), _STOCK: _many(part, _AT_ONCE, theirs)},
            part.rounds,
        )
        rows.append(
            paired(
                figure,
                "µs",
                _per_call(found["ours"], calls),
                _STOCK,
                _per_call(found[_STOCK], calls),
                goal=goal,
            )
        )
    return rows


# --- One call in each way ---


async def _typed(clients: _Clients) -> object:
    return await clients.lightsail.create_gui_session_access_details(_NAME)


async def _untyped(clients: _Clients) -> object:
    return await clients.stock_lightsail.create_gui_session_access_details(resourceName=_NAME)


async def _raw(clients: _Clients) -> object:
    """Sign with botocore's signer and send with aiohttp, as a careful script does."""
    body = json.dumps({"resourceName": _NAME})
    headers = {
        "X-Amz-Target": "Lightsail_20161128.CreateGUISessionAccessDetails",
        "Content-Type": "application/x-amz-json-1.1",
    }
    request = AWSRequest("POST", f"{clients.endpoint_url}/", headers=headers, data=body)
    SigV4Auth(_CREDENTIALS, "lightsail", REGION).add_auth(request)
    signed = dict(request.headers.items())
    async with clients.http.post(request.url, data=body, headers=signed) as response:
        response.raise_for_status()
        return json.loads(await response.read())


_CREDENTIALS = Credentials("benchmark", "not-a-secret")


async def _typed_page(clients: _Clients) -> object:
    return [each async for each in clients.nimble.list_streaming_sessions(_STUDIO)]


def _boto3(endpoint_url: str, at_once: int) -> Any:
    # With fewer connections than threads, urllib3 would throw connections away.
    config = Config(max_pool_connections=max(10, at_once))
    return boto3.session.Session().client("lightsail", endpoint_url=endpoint_url, config=config)


async def _in_threads(threads: ThreadPoolExecutor, client: Any, at_once: int, each: int) -> None:
    def some() -> None:
        for _ in range(each):
            client.create_gui_session_access_details(resourceName=_NAME)

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(threads, some) for _ in range(at_once)))


# --- How they are measured ---


def _many(size: _Size, at_once: int, call: _Call) -> Callable[[], Awaitable[float]]:
    """Return a measure of many calls, of which `at_once` run at the same time."""

    async def some() -> None:
        for _ in range(size.calls // at_once):
            await call()

    async def all_of_them() -> None:
        await asyncio.gather(*(some() for _ in range(at_once)))

    return lambda: _cpu(all_of_them)


async def _cpu(work: Callable[[], Awaitable[None]]) -> float:
    """Return the CPU seconds that work takes in this process, with all of its threads."""
    gc.collect()
    began = time.process_time()
    await work()
    return time.process_time() - began


def _per_call(seconds: list[float], calls: int) -> list[float]:
    return [1e6 * each / calls for each in seconds]


@asynccontextmanager
async def _opened(endpoint_url: str) -> AsyncGenerator[_Clients, None]:
    async with AsyncExitStack() as stack:
        stock = stock_session()
        yield _Clients(
            lightsail=await stack.enter_async_context(LightsailClient()),
            nimble=await stack.enter_async_context(NimbleClient()),
            stock_lightsail=await stack.enter_async_context(stock.create_client("lightsail")),
            stock_nimble=await stack.enter_async_context(stock.create_client("nimble")),
            http=await stack.enter_async_context(aiohttp.ClientSession()),
            endpoint_url=endpoint_url,
        )
