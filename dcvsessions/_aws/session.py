"""Opens aiobotocore clients with this package's configuration and service models.

Importing this file imports aiobotocore, which takes 200 ms, so it is imported when a client opens.
"""
# aiobotocore and botocore have no type hints.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUntypedBaseClass=false

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.hooks import AioHierarchicalEmitter
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.exceptions import InvalidRegionError, UnknownRegionError, UnknownServiceError
from botocore.loaders import Loader

from dcvsessions._version import __version__
from dcvsessions.errors import InvalidArgumentError

__all__ = ["opened_client"]

# Limits of a single call; the timeouts are in seconds. All are set, because botocore's defaults
# change: version 1.44 has another default retry mode and number of attempts.
CONNECT_TIMEOUT = 10
READ_TIMEOUT = 20
TOTAL_MAX_ATTEMPTS = 3
# At 80 ms a round trip, botocore's default of 10 connections allows 120 calls/s, and 25 allow 200.
MAX_POOL_CONNECTIONS = 25

_DATA = Path(__file__).parent.parent / "data"
_USER_AGENT = f"dcvsessions/{__version__}"
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")


@asynccontextmanager
async def opened_client(
    service: str,
    *,
    session: AioSession | None,
    profile_name: str | None,
    region_name: str | None,
    endpoint_url: str | None,
    config: AioConfig | None,
) -> AsyncGenerator[tuple[Any, str], None]:
    """Open an aiobotocore client for the length of a block.

    It comes with what is known of the client's region, for the errors of its connections.

    The caller's session keeps its models and parsers; Nimble's model is added if it has none. The
    caller's configuration overrides this package's.

    Raises:
        InvalidArgumentError: No AWS region can have that name.
    """
    theirs = getattr(config, "http_session_cls", AIOHTTPSession)
    ours = AioConfig(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": TOTAL_MAX_ATTEMPTS},
        max_pool_connections=MAX_POOL_CONNECTIONS,
        # Without it, botocore builds and cleans its own twice for each call.
        user_agent=_USER_AGENT,
    )
    used = _with_nimble_model(session) if session else _new_session(profile_name)
    creating = used.create_client(
        service,
        region_name=region_name,
        endpoint_url=endpoint_url,
        config=(ours.merge(config) if config else ours).merge(
            AioConfig(http_session_cls=_unredirected(theirs))
        ),
    )
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(creating)
        except InvalidRegionError:
            raise await _refused_region(used, region_name) from None
        if not _is_possible_region(used, client.meta):
            raise await _refused_region(used, client.meta.region_name)
        yield client, await _region_hint(used, service, client.meta)


@cache
def _unredirected(kind: type[Any]) -> type[Any]:
    """Return an HTTP session class that hands out redirects as answers.

    aiohttp follows them by itself, and takes the session token along to any host. aiobotocore
    has no option against that, so this overrides a private method; a test fails if it is gone.
    Sessions that are not aiohttp's do not follow redirects.
    """
    if not issubclass(kind, AIOHTTPSession):
        return kind

    class Unredirected(kind):  # type: ignore[misc] # aiobotocore carries no types
        async def _get_session(  # pyright: ignore[reportIncompatibleMethodOverride] - of it, only request() is used
            self, proxy_url: str | None
        ) -> "_Unredirected":
            return _Unredirected(await super()._get_session(proxy_url))

    return Unredirected


class _Unredirected:
    """An aiohttp session whose requests follow no redirect."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - aiobotocore has no type hints
        self._session = session

    def request(self, method: str, **options: Any) -> Any:  # noqa: ANN401 - as above
        return self._session.request(method, **options, allow_redirects=False)


def _is_possible_region(session: AioSession, meta: Any) -> bool:  # noqa: ANN401 - as above
    """Whether an AWS partition can have the client's region. Other endpoints may use any name."""
    if not (urlsplit(meta.endpoint_url).hostname or "").endswith(_AWS_HOSTS):
        return True
    try:
        session.get_partition_for_region(meta.region_name)
    except UnknownRegionError:
        return False
    return True


async def _region_hint(
    session: AioSession,
    service: str,
    meta: Any,  # noqa: ANN401 - as above
) -> str:
    """Say so if botocore's data does not name the region for the service; empty otherwise.

    New regions come before new data, so that is a hint and not an error.
    """
    if not (urlsplit(meta.endpoint_url).hostname or "").endswith(_AWS_HOSTS):
        return ""
    known = [
        region
        for partition in session.get_available_partitions()
        for region in await session.get_available_regions(service, partition)
    ]
    # Nimble Studio was removed from botocore's data.
    if not known or meta.region_name in known:
        return ""
    return f"{service} is not known to be in {meta.region_name}; it is in {', '.join(known)}."


async def _refused_region(session: AioSession, region_name: str | None) -> InvalidArgumentError:
    name = region_name or session.get_config_variable("region")
    regions = {
        region
        for partition in session.get_available_partitions()
        for region in await session.get_available_regions("ec2", partition)
    }
    nearest = get_close_matches(str(name), sorted(regions)) or ["us-east-1", "eu-west-1"]
    return InvalidArgumentError(
        f"region_name={name!r} cannot be the name of an AWS region. The nearest names are: "
        f"{', '.join(nearest)}."
    )


def _new_session(profile_name: str | None) -> AioSession:
    session = AioSession(
        profile=profile_name, event_hooks=copy(_builtin_events()), include_builtin_handlers=False
    )
    places = tuple(session.get_component("data_loader").search_paths)
    session.register_component("data_loader", _model_loader(places, ours_first=True))
    # botocore's own parser uses dateutil, with which a page of sessions costs eight times as much.
    session.get_component("response_parser_factory").set_parser_defaults(
        timestamp_parser=_timestamp
    )
    return session


def _with_nimble_model(session: AioSession) -> AioSession:
    """Add Nimble's model to the caller's session.

    The session's loader is replaced, not changed, because a loader caches what it has listed.
    """
    loader = session.get_component("data_loader")
    if not isinstance(loader, _ModelLoader):
        session.register_component(
            "data_loader", _model_loader(tuple(loader.search_paths), ours_first=False)
        )
    return session


class _ModelLoader(Loader):  # type: ignore[misc] # botocore has no type hints
    """Loads this package's service models, and those in the given places.

    A session that this package makes takes this package's models first, because there are only
    two, while botocore would list four hundred. The caller's session takes them last, because its
    own Lightsail model has more operations.
    """

    def __init__(self, places: Sequence[str], *, ours_first: bool) -> None:
        super().__init__(extra_search_paths=[*places], include_default_search_paths=False)
        self._ours_first = ours_first

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:  # noqa: ANN401 - a parsed JSON file
        ours, theirs = _own_models().load_service_model, super().load_service_model
        first, second = (ours, theirs) if self._ours_first else (theirs, ours)
        try:
            return first(service_name, type_name, api_version)
        except UnknownServiceError:
            return second(service_name, type_name, api_version)


@cache
def _builtin_events() -> AioHierarchicalEmitter:
    """Return botocore's own event handlers, registered once.

    Each session gets a copy. Registering them for each session would take most of the time that
    opening a client takes.
    """
    events = AioHierarchicalEmitter()
    AioSession(event_hooks=events)
    return events


@cache
def _model_loader(places: tuple[str, ...], *, ours_first: bool) -> _ModelLoader:
    """Return the loader for these places, which all sessions share.

    It caches what it has read, mainly botocore's table of endpoints. So a later client opens in a
    fifth of the time that the first one takes.
    """
    return _ModelLoader(places, ours_first=ours_first)


@cache
def _own_models() -> Loader:
    return Loader(extra_search_paths=[str(_DATA)], include_default_search_paths=False)


def _timestamp(value: str | float) -> datetime | None:
    """Parse a timestamp of either protocol: seconds since 1970, or ISO 8601.

    Return None for a value that is not a date, or that `datetime` cannot hold.
    """
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
