"""Opens aiobotocore clients with this package's configuration and service models.

Importing this file imports aiobotocore, which takes 200 ms, so it is imported when a client opens:
see imports.py.
"""
# aiobotocore and botocore have no type hints.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUntypedBaseClass=false

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from copy import copy
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.hooks import AioHierarchicalEmitter
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.exceptions import (
    DataNotFoundError,
    InvalidRegionError,
    UnknownRegionError,
    UnknownServiceError,
)
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.loaders import Loader

from dcvsessions._aws.signer import choose_signer
from dcvsessions._version import __version__
from dcvsessions.errors import InvalidArgumentError

__all__ = ["opened_client", "prepare"]

# Limits of a single call; the timeouts are in seconds. All are set, because botocore's defaults
# change: version 1.44 has another default retry mode and number of attempts.
CONNECT_TIMEOUT = 10
READ_TIMEOUT = 20
TOTAL_MAX_ATTEMPTS = 3
# At 80 ms a round trip, botocore's default of 10 connections allows 120 calls/s, and 25 allow 200.
MAX_POOL_CONNECTIONS = 25

_DATA = Path(__file__).parent.parent / "data"
_CUT = _DATA / "cut"
_USER_AGENT = f"dcvsessions/{__version__}"
# botocore calls the last four for temporary credentials: those of an assumed role, of IAM Identity
# Center, and of `aws login`.
_SERVICES = frozenset({"lightsail", "nimble", "sts", "sso", "sso-oidc", "signin"})
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn")


def prepare() -> None:
    """Read and register what all clients share, once in a process."""
    _builtin_events()
    for service in ("lightsail", "nimble"):
        _own_models().load_service_model(service, "service-2")


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

    The block gets the client, and a hint about its region for connection errors, which can be
    empty.

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
    used = (
        _with_nimble_model(session)
        if session
        else _new_session(
            service,
            profile_name=profile_name,
            region_name=region_name or getattr(config, "region_name", None),
        )
    )
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
        # Last, so that the caller's choice comes first.
        client.meta.events.register_last(f"choose-signer.{service}", choose_signer)
        yield client, await _region_hint(used, service, client.meta)


@cache
def _unredirected(kind: type[Any]) -> type[Any]:
    """Return an HTTP session class that returns redirects as answers.

    aiohttp follows them by itself, and takes the session token along to any host. aiobotocore
    has no option against that, so this overrides a private method; a test fails if it is gone.
    Sessions that are not aiohttp's do not follow redirects.
    """
    if not issubclass(kind, AIOHTTPSession):
        return kind

    class Unredirected(kind):  # type: ignore[misc] # aiobotocore carries no types
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - aiobotocore's
            super().__init__(*args, **options)
            self._unredirected: dict[str | None, _Unredirected] = {}

        async def _get_session(  # pyright: ignore[reportIncompatibleMethodOverride] - only request() is used
            self, proxy_url: str | None
        ) -> "_Unredirected":
            if proxy_url not in self._unredirected:
                self._unredirected[proxy_url] = _Unredirected(await super()._get_session(proxy_url))
            return self._unredirected[proxy_url]

    return Unredirected


class _Unredirected:
    """An aiohttp session whose requests follow no redirect."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - aiobotocore has no type hints
        self.request = partial(session.request, allow_redirects=False)


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
    """Return a hint if botocore's data does not name the region for the service; else "".

    This is not an error, because AWS can open a region before botocore's data names it.
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


def _new_session(service: str, *, profile_name: str | None, region_name: str | None) -> AioSession:
    session = AioSession(
        profile=profile_name, event_hooks=copy(_builtin_events()), include_builtin_handlers=False
    )
    places = tuple(session.get_component("data_loader").search_paths)
    region = region_name or session.get_config_variable("region")
    loader = _own_loader(places, is_cut=True)
    if not _is_listed(region, service, loader.load_data("endpoints")):
        loader = _own_loader(places, is_cut=False)
    session.register_component("data_loader", loader)
    return session


def _is_listed(region: str | None, service: str, table: Mapping[str, Any]) -> bool:
    """Whether a table of endpoints names the region for the service.

    Nimble Studio was removed from the table, so all regions of its partition count.
    """
    standard = table["partitions"][0]
    if service == "nimble":
        return region in standard["regions"]
    return region in standard["services"].get(service, {}).get("endpoints", {})


def _with_nimble_model(session: AioSession) -> AioSession:
    """Add Nimble's model to the caller's session.

    The session's loader is replaced, not changed, because a loader caches what it has listed.
    """
    loader = session.get_component("data_loader")
    if not isinstance(loader, _CallersLoader):
        session.register_component("data_loader", _callers_loader(tuple(loader.search_paths)))
    return session


class _OwnLoader(Loader):  # type: ignore[misc] # botocore has no type hints
    """Loads the data for a session that this package makes.

    Its own service models come before all others. Its cut table of endpoints comes before
    botocore's, which takes 20 ms and 7 MB to read, but after the caller's, which is in
    `~/.aws/models` or `AWS_DATA_PATH`. All other data are the caller's or botocore's.
    """

    def __init__(self, places: Sequence[str], *, is_cut: bool) -> None:
        callers = [place for place in places if place != self.BUILTIN_DATA_PATH]
        cut = [str(_CUT)] if is_cut else []
        super().__init__(
            extra_search_paths=[*callers, *cut, self.BUILTIN_DATA_PATH],
            include_default_search_paths=False,
        )

    def is_builtin_path(self, path: str) -> bool:
        """Let botocore treat the cut table like its own data."""
        return path.startswith(str(_CUT)) or super().is_builtin_path(path)

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's
        """List all directories: botocore looks into each for the type, which takes 10 ms."""
        places = filter(Path.is_dir, map(Path, self.search_paths))
        return sorted({entry.name for place in places for entry in place.iterdir()})

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:  # noqa: ANN401 - a parsed JSON file
        try:
            return _own_models().load_service_model(service_name, type_name, api_version)
        except UnknownServiceError:
            pass
        try:
            return super().load_service_model(service_name, type_name, api_version)
        except DataNotFoundError as error:
            raise UnknownServiceError(
                service_name=service_name, known_service_names="in botocore"
            ) from error


class _CallersLoader(Loader):  # type: ignore[misc] # botocore has no type hints
    """Loads the data for the caller's session: the caller's, botocore's, and Nimble's model last.

    The caller's own Lightsail model has more operations than this package's.
    """

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:  # noqa: ANN401 - a parsed JSON file
        try:
            return super().load_service_model(service_name, type_name, api_version)
        except UnknownServiceError:
            return _own_models().load_service_model(service_name, type_name, api_version)


@cache
def _builtin_events() -> AioHierarchicalEmitter:
    """Return botocore's own event handlers for the services that a session calls, registered once.

    Each session gets a copy. Registering all of them for each session would take most of the time
    that opening a client takes.
    """
    events = AioHierarchicalEmitter()
    session = AioSession(event_hooks=events, include_builtin_handlers=False)
    # It turns other names of a service in an event into the one that botocore emits.
    emitter = session.get_component("event_emitter")
    ordered = {REGISTER_FIRST: emitter.register_first, REGISTER_LAST: emitter.register_last}
    for event, handler, *order in BUILTIN_HANDLERS:
        if _may_be_emitted(event):
            register = ordered[order[0]] if order else emitter.register
            register(event, handler)
    return events


def _may_be_emitted(event: str) -> bool:
    """Whether a session may emit an event, such as `choose-signer.sts.AssumeRoleWithSAML`."""
    kind, _, rest = event.partition(".")
    return kind != "docs" and (not rest or rest.partition(".")[0] in _SERVICES)


# All sessions share the loaders, because they cache what they have read: a later client opens in a
# fifth of the time that the first one takes.


@cache
def _own_loader(places: tuple[str, ...], *, is_cut: bool) -> _OwnLoader:
    return _OwnLoader(places, is_cut=is_cut)


@cache
def _callers_loader(places: tuple[str, ...]) -> _CallersLoader:
    return _CallersLoader(extra_search_paths=[*places], include_default_search_paths=False)


@cache
def _own_models() -> Loader:
    return Loader(extra_search_paths=[str(_DATA)], include_default_search_paths=False)
