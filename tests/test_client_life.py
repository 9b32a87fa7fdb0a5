"""A client from before it is opened to after it is closed, and what it is opened with."""

import asyncio
import os
import re
import socket
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession

from dcvsessions import (
    CallTimeoutError,
    ClientStateError,
    ConfigurationError,
    ConnectionFailedError,
    CredentialsNotFoundError,
    InvalidArgumentError,
    LightsailClient,
    NimbleClient,
    ServiceClosedError,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)
from dcvsessions._aws.client import service_now
from dcvsessions.simulator import Simulator

Clients = type[LightsailClient | NimbleClient]
CLIENTS = [LightsailClient, NimbleClient]
# The end of the error of a call that was not answered.
CHECK = "Check the endpoint, the proxy and the network."


async def call(client: LightsailClient | NimbleClient) -> object:
    if isinstance(client, LightsailClient):
        return [one async for one in client.get_instances()]
    return [session async for session in client.list_streaming_sessions("studio-1")]


# --- Where it may be used ---


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_is_used_only_after_it_was_opened(kind: Clients) -> None:
    client = kind()
    assert repr(client) == f"<{kind.__name__} not open>"
    with pytest.raises(ClientStateError, match="is not open: use it in"):
        await call(client)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_closed_client_is_refused(sim: Simulator, kind: Clients) -> None:
    async with kind() as client:
        assert repr(client) == f"<{kind.__name__} open>"
        await call(client)
    assert repr(client) == f"<{kind.__name__} closed>"
    with pytest.raises(ClientStateError, match="was closed: make another"):
        await call(client)
    with pytest.raises(ClientStateError, match="was closed: make another"):
        await client.__aenter__()


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_is_opened_once(sim: Simulator, kind: Clients) -> None:
    async with kind() as client:
        with pytest.raises(ClientStateError, match="is open already: make another"):
            await client.__aenter__()
        # It can still be used.
        await call(client)


async def test_a_client_of_another_event_loop_is_refused(lightsail: LightsailClient) -> None:
    def elsewhere() -> None:
        with pytest.raises(ClientStateError, match="another event loop"):
            asyncio.run(call(lightsail))  # type: ignore[arg-type]

    await asyncio.to_thread(elsewhere)
    await call(lightsail)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
async def test_a_client_of_the_parent_process_is_refused(lightsail: LightsailClient) -> None:
    told = told_by_child(lambda: call(lightsail).send(None))  # type: ignore[attr-defined]
    assert told.startswith("ClientStateError: This LightsailClient was opened in the parent")
    await call(lightsail)


def told_by_child(work: Callable[[], object]) -> str:
    """Do some work in a forked child, and return the error that it ends in."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python warns of a fork beside threads, which is what this tests.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - nothing may get out of the child
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return pipe.read()


# --- What it is opened with ---


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_session_and_a_profile_exclude_each_other(kind: Clients) -> None:
    with pytest.raises(InvalidArgumentError, match="profile_name= cannot be given with session="):
        kind(session=AioSession(), profile_name="artist")


LIGHTSAIL_HELPERS: dict[str, Callable[..., Any]] = {
    "open_gui_session": lambda **given: open_gui_session("my-computer", **given),
    "close_gui_session": lambda **given: close_gui_session("my-computer", **given),
    "gui_session": lambda **given: gui_session("my-computer", **given).__aenter__(),
}
NIMBLE_HELPERS: dict[str, Callable[..., Any]] = {
    "open_streaming_session": lambda **given: open_streaming_session(
        "studio-1", launch_profile_id="lp-1", **given
    ),
    "open_stream": lambda **given: open_stream("studio-1", "s-1", **given),
    "close_streaming_session": lambda **given: close_streaming_session("studio-1", "s-1", **given),
    "streaming_session": lambda **given: streaming_session(
        "studio-1", launch_profile_id="lp-1", **given
    ).__aenter__(),
    "existing_streaming_session": lambda **given: existing_streaming_session(
        "studio-1", "s-1", **given
    ).__aenter__(),
}
HELPERS = LIGHTSAIL_HELPERS | NIMBLE_HELPERS


@pytest.mark.parametrize("argument", ["region_name", "profile_name", "endpoint_url"])
@pytest.mark.parametrize("helper", HELPERS)
async def test_a_client_and_its_settings_exclude_each_other(
    sim: Simulator,
    lightsail: LightsailClient,
    nimble: NimbleClient,
    helper: str,
    argument: str,
) -> None:
    client = lightsail if helper in LIGHTSAIL_HELPERS else nimble
    with pytest.raises(InvalidArgumentError, match=f"client= has its.*{argument}="):
        await HELPERS[helper](client=client, **{argument: "something"})
    assert sim.requests == []


@pytest.mark.parametrize("helper", HELPERS)
async def test_a_missing_region_is_told_with_advice(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, helper: str
) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigurationError, match="Pass region_name=, or set AWS_DEFAULT_REGION"):
        await HELPERS[helper]()


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_region_can_be_given_as_an_argument(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, kind: Clients
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    async with kind(region_name="us-east-1") as client:
        await call(client)


@pytest.mark.looptime
@pytest.mark.parametrize("helper", HELPERS)
async def test_missing_credentials_are_told_at_once(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, helper: str
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    began = asyncio.get_running_loop().time()
    with pytest.raises(CredentialsNotFoundError, match="Set AWS_ACCESS_KEY_ID") as caught:
        await HELPERS[helper]()
    assert caught.value.__context__ is not None
    # No wait is spent on it, because waiting cannot change it.
    assert asyncio.get_running_loop().time() - began < 1


@pytest.mark.parametrize("kind", CLIENTS)
async def test_an_access_key_without_a_secret_is_refused(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, kind: Clients
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsNotFoundError, match="Partial"):
        async with kind() as client:
            await call(client)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_missing_profile_is_named_in_the_error(kind: Clients) -> None:
    client = kind(profile_name="nobodys", region_name="us-east-1")
    with pytest.raises(ConfigurationError, match="nobodys"):
        await client.__aenter__()
    assert repr(client) == f"<{kind.__name__} closed>"


@pytest.mark.looptime
async def test_a_profile_provides_credentials_region_and_endpoint(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environ = sim.environ
    (tmp_path / "config").write_text(
        "[profile artist]\n"
        f"aws_access_key_id = {environ['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {environ['AWS_SECRET_ACCESS_KEY']}\n"
        f"endpoint_url = {environ['AWS_ENDPOINT_URL']}\n"
        "region = us-east-1\n"
    )
    for name in environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for kind in CLIENTS:
        async with kind(profile_name="artist") as client:
            await call(client)
    monkeypatch.setenv("AWS_PROFILE", "artist")
    assert await open_gui_session("my-computer", poll_interval=0.1, timeout=10)


# --- Endpoints that cannot be reached ---


async def no_such_host(*_: object, **__: object) -> object:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def some_address(*_: object, **__: object) -> object:
    # Reserved for documentation by RFC 5737.
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


async def never(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def _real_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")


@pytest.mark.looptime
@pytest.mark.usefixtures("_real_endpoint")
@pytest.mark.parametrize("failure", ["no name", "packets swallowed"])
@pytest.mark.parametrize("helper", NIMBLE_HELPERS)
async def test_the_closed_endpoint_of_nimble_ends_a_wait_at_once(
    monkeypatch: pytest.MonkeyPatch, helper: str, failure: str
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", no_such_host if failure == "no name" else some_address)
    monkeypatch.setattr(loop, "sock_connect", never)
    began = loop.time()
    with pytest.raises(ServiceClosedError, match="closed Nimble Studio in 2024") as caught:
        await HELPERS[helper]()
    assert "endpoint_url=" in str(caught.value)
    assert "dcvsessions.simulator" in str(caught.value)
    # One call of three attempts was made, and no wait.
    assert loop.time() - began < 60


@pytest.mark.looptime
@pytest.mark.usefixtures("_real_endpoint")
@pytest.mark.parametrize(
    ("getaddrinfo", "kind"),
    [(no_such_host, ConnectionFailedError), (some_address, CallTimeoutError)],
)
async def test_an_endpoint_of_lightsail_that_cannot_be_reached_is_not_closed(
    monkeypatch: pytest.MonkeyPatch,
    getaddrinfo: Callable[..., object],
    kind: type[ConnectionFailedError],
) -> None:
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(loop, "sock_connect", never)
    async with LightsailClient() as client:
        with pytest.raises(ConnectionFailedError) as caught:
            [one async for one in client.get_instances()]
    assert type(caught.value) is kind
    assert caught.value.operation == "GetInstances"


@pytest.mark.looptime
async def test_another_endpoint_of_nimble_that_cannot_be_reached_is_not_closed(
    sim: Simulator, unused_tcp_port: int
) -> None:
    async with NimbleClient(endpoint_url=f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await call(client)
    assert not isinstance(caught.value, ServiceClosedError)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_connection_that_fails_while_a_client_is_opened_is_told(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, kind: Clients
) -> None:
    def create_client(*_: object, **__: object) -> object:
        raise ConnectionResetError("reset by the sign-in")

    session = AioSession()
    monkeypatch.setattr(session, "create_client", create_client)
    service = {LightsailClient: "lightsail", NimbleClient: "nimble"}[kind]
    client = kind(session=session, endpoint_url="http://127.0.0.1:9", region_name="us-east-1")
    with pytest.raises(ConnectionFailedError) as caught:
        await client.__aenter__()
    assert str(caught.value) == (
        f"No answer. opening a {service} client: reset by the sign-in "
        f"(endpoint http://127.0.0.1:9, region us-east-1). {CHECK}"
    )
    assert caught.value.operation is None
    assert repr(client) == f"<{kind.__name__} closed>"


# --- Regions ---


@pytest.mark.usefixtures("_real_endpoint")
@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("us-east1", "us-east-1"),
        ("us_west_2", "us-west-2"),  # botocore itself refuses this one
        ("somewhere", "us-east-1, eu-west-1."),
        ("some_where", "us-east-1, eu-west-1."),
    ],
)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_region_that_cannot_be_is_refused_with_the_nearest_names(
    monkeypatch: pytest.MonkeyPatch, kind: Clients, name: str, nearest: str
) -> None:
    said = f"region_name={name!r} cannot be the name of an AWS region. The nearest names are: "
    client = kind(region_name=name)
    with pytest.raises(InvalidArgumentError) as caught:
        await client.__aenter__()
    assert str(caught.value).startswith(said + nearest)
    assert re.fullmatch(
        r"[a-z]+(-[a-z]+)+-\d(, [a-z]+(-[a-z]+)+-\d)*\.", str(caught.value)[len(said) :]
    )
    monkeypatch.setenv("AWS_DEFAULT_REGION", name)
    with pytest.raises(InvalidArgumentError) as caught:
        await kind().__aenter__()
    assert str(caught.value).startswith(said + nearest)


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("name", ["us-east1", "my-lab"])
async def test_any_region_is_accepted_with_another_endpoint(
    sim: Simulator, kind: Clients, name: str
) -> None:
    async with kind(region_name=name) as client:
        await call(client)
    assert len(sim.requests) == 1


@pytest.mark.looptime
@pytest.mark.usefixtures("_real_endpoint")
@pytest.mark.parametrize(
    ("endpoint", "is_told"),
    [
        (None, True),
        ("https://lightsail.eu-west-9.api.aws", True),
        ("https://lightsail.example.org", False),
    ],
)
async def test_a_region_that_is_not_known_to_have_the_service_is_told_in_an_error(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, *, is_told: bool
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    async with LightsailClient(region_name="eu-west-9", endpoint_url=endpoint) as client:
        with pytest.raises(ConnectionFailedError, match="region eu-west-9") as caught:
            await call(client)
    hint = r"\. lightsail is not known to be in eu-west-9; it is in (.*, )?eu-west-1, .*us-east-1"
    assert bool(re.search(hint, str(caught.value))) is is_told
    assert str(caught.value).endswith(CHECK if is_told else f"region eu-west-9). {CHECK}")


@pytest.mark.looptime
@pytest.mark.usefixtures("_real_endpoint")
async def test_a_region_that_is_known_to_have_the_service_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    async with LightsailClient() as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await call(client)
    assert str(caught.value).endswith(f"region us-west-2). {CHECK}")


@pytest.mark.looptime
@pytest.mark.usefixtures("_real_endpoint")
async def test_no_region_is_told_for_a_service_that_botocore_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    endpoint = "https://nimble.eu-west-9.api.aws"
    async with NimbleClient(region_name="eu-west-9", endpoint_url=endpoint) as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await call(client)
    assert str(caught.value).endswith(f"region eu-west-9). {CHECK}")


# --- The service's clock ---

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Thu, 01 Jan 2026 12:00:00 GMT", NOON),
        ("Thu, 01 Jan 2026 21:00:00 +0900", NOON),
        ("Thu, 01 Jan 2026 12:00:00 -0000", NOON),  # Python reads this one without a time zone
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("soon", None),
    ],
)
async def test_the_services_clock_goes_on_after_its_answer(
    date: str, told: datetime | None
) -> None:
    client = LightsailClient()
    assert service_now(client) is None
    client._last_date = (date, asyncio.get_running_loop().time())
    await asyncio.sleep(100)
    assert service_now(client) == (told and told + timedelta(seconds=100))


@pytest.mark.parametrize("kind", CLIENTS)
async def test_each_answer_tells_the_services_time(sim: Simulator, kind: Clients) -> None:
    async with kind() as client:
        assert service_now(client) is None
        for _ in range(2):
            await call(client)
            told = service_now(client)
            assert told is not None
            assert abs(told - sim.date) < timedelta(seconds=5)
            sim.advance(1000)
