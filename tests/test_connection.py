"""A helper's way to the service: the caller's client, which stays open, or one for the call."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dcvsessions import (
    ClientStateError,
    ConfigurationError,
    InvalidArgumentError,
    LightsailClient,
    NimbleClient,
)
from dcvsessions._aws.client import _CLOSE_TIMEOUT, in_use
from dcvsessions._aws.connection import Connection

pytestmark = pytest.mark.looptime

SETTINGS = {"region_name": None, "profile_name": None, "endpoint_url": None}


class Client(LightsailClient):
    """A client that notes what it is made with. It opens at once, and calls nobody."""

    made: list[dict[str, Any]]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.made.append(settings)

    async def _create(self) -> Any:
        return botocores_client(), ""


def ignored(*_: object) -> None:
    pass


def botocores_client() -> SimpleNamespace:
    """What a client asks botocore's for when it is opened."""
    return SimpleNamespace(
        meta=SimpleNamespace(
            method_to_api_mapping={},
            region_name=None,
            endpoint_url=None,
            config=SimpleNamespace(max_pool_connections=10),
            events=SimpleNamespace(register_first=ignored, register_last=ignored),
        )
    )


@pytest.fixture(autouse=True)
def made() -> list[dict[str, Any]]:
    Client.made = []
    return Client.made


class Entering:
    """Enters contexts, and notes how they were called."""

    def __init__(self) -> None:
        self.entered: list[str] = []

    def __call__(
        self, context: AbstractAsyncContextManager[Client], what: str
    ) -> AbstractAsyncContextManager[Client]:
        self.entered.append(what)
        return context


@asynccontextmanager
async def connected(connection: Connection[Client], enter: Any) -> AsyncGenerator[Client, None]:
    async with connection, connection.opened(enter) as client:
        yield client


def own(client: Client) -> Connection[Client]:
    """A connection by the caller's client."""
    return Connection(Client, client=client, **SETTINGS)


def new(**settings: Any) -> Connection[Client]:
    """A connection that opens its own client."""
    return Connection(Client, client=None, **{**SETTINGS, **settings})


# --- Which client ---


@pytest.mark.parametrize("other", [NimbleClient(), "us-west-2", LightsailClient()], ids=type)
def test_a_client_of_another_class_is_refused(other: Any) -> None:
    with pytest.raises(
        InvalidArgumentError, match=f"client= has to be a Client, not a {type(other).__name__}"
    ):
        own(other)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_client_together_with_settings_is_refused(setting: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Connection(Client, client=Client(), **{**SETTINGS, setting: "us-west-2"})
    assert str(caught.value) == (
        "client= has its region, profile and endpoint already: leave out region_name=, "
        "profile_name= and endpoint_url=."
    )


def test_wrong_settings_are_refused_when_the_connection_is_made() -> None:
    with pytest.raises(InvalidArgumentError, match="region_name="):
        new(region_name=5)


async def test_the_callers_client_is_used_and_left_open(made: list[dict[str, Any]]) -> None:
    enter = Entering()
    async with Client() as client:
        async with own(client) as connection, connection.opened(enter) as found:
            assert found is client
        assert repr(client) == "<Client open>"
    assert enter.entered == []
    assert len(made) == 1


async def test_a_new_client_is_opened_with_the_settings_and_closed(
    made: list[dict[str, Any]],
) -> None:
    settings = {
        "region_name": "us-west-2",
        "profile_name": "studio",
        "endpoint_url": "http://127.0.0.1:9",
    }
    enter = Entering()
    async with new(**settings) as connection, connection.opened(enter) as client:
        assert repr(client) == "<Client open>"
    assert repr(client) == "<Client closed>"
    assert made == [settings]
    assert enter.entered == ["AWS client"]


async def test_each_block_of_a_connection_has_another_client(
    made: list[dict[str, Any]],
) -> None:
    connection, enter = new(region_name="us-west-2"), Entering()
    async with connection.opened(enter) as first:
        pass
    async with connection.opened(enter) as second:
        assert second is not first
    assert [settings["region_name"] for settings in made] == ["us-west-2", "us-west-2"]


async def test_a_client_that_cannot_be_entered_in_time_is_not_used() -> None:
    @asynccontextmanager
    async def enter(_: object, what: str) -> AsyncGenerator[Client, None]:
        raise ConfigurationError(what)
        yield

    with pytest.raises(ConfigurationError, match="AWS client"):
        async with new() as connection, connection.opened(enter):
            pytest.fail("the block ran")


# --- A client that is closed while others use it ---


async def test_a_client_that_is_not_open_cannot_be_used() -> None:
    with pytest.raises(ClientStateError, match="not open"):
        async with own(Client()):
            pytest.fail("the block ran")


async def test_a_closed_client_cannot_be_used() -> None:
    async with Client() as client:
        pass
    with pytest.raises(ClientStateError, match="was closed"):
        async with in_use(client):
            pytest.fail("the block ran")


async def use(client: Client, events: list[str], clean_up: float = 0.0) -> None:
    try:
        async with own(client):
            events.append("used")
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(clean_up)
                events.append(f"cleaned up with a client that is {client!r:.12}")
    except ClientStateError as error:
        events.append(str(error))


async def test_closing_a_client_ends_its_users_first() -> None:
    events: list[str] = []
    async with Client() as client:
        task = asyncio.create_task(use(client, events, clean_up=8))
        await asyncio.sleep(1)
    assert events == [
        "used",
        "cleaned up with a client that is <Client open",
        "This Client was closed: make another.",
    ]
    assert asyncio.get_running_loop().time() == 9
    await task


async def test_what_a_user_noted_in_its_cancellation_is_told() -> None:
    async def noted(client: Client) -> None:
        async with own(client):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError as error:
                error.add_note("A session is left.")
                raise

    async with Client() as client:
        task = asyncio.create_task(noted(client))
        await asyncio.sleep(1)
    with pytest.raises(ClientStateError) as caught:
        await task
    assert caught.value.__notes__ == ["A session is left."]


async def test_users_that_do_not_end_hold_a_client_open_for_a_bounded_time() -> None:
    events: list[str] = []
    async with Client() as client:
        task = asyncio.create_task(use(client, events, clean_up=3600))
        await asyncio.sleep(1)
    assert asyncio.get_running_loop().time() == 1 + _CLOSE_TIMEOUT
    assert repr(client) == "<Client closed>"
    await task


async def test_users_that_are_done_are_not_waited_for() -> None:
    async with Client() as client, own(client):
        pass
    assert asyncio.get_running_loop().time() == 0


async def test_a_task_that_closes_the_client_that_it_uses_does_not_wait_for_itself() -> None:
    async with Client() as client:
        connection = await own(client).__aenter__()
    assert asyncio.get_running_loop().time() == 0
    await connection.__aexit__(None, None, None)


async def test_a_new_client_is_nobody_elses_to_close() -> None:
    connection = new()
    async with connection as entered:
        assert entered is connection
