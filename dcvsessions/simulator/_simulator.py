"""`Simulator`: both services on one port, and what a test does with them."""

import asyncio
import math
import os
import random
import secrets
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from dcvsessions.simulator import _desktop_page as desktop_page
from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._environment import Environment, locked
from dcvsessions.simulator._faults import Fault
from dcvsessions.simulator._gateway import Gateway
from dcvsessions.simulator._lightsail.account import LightsailAccount
from dcvsessions.simulator._lightsail.controls import LightsailSimulator
from dcvsessions.simulator._lightsail.operations import LightsailOperations
from dcvsessions.simulator._nimble.account import NimbleAccount
from dcvsessions.simulator._nimble.controls import NimbleSimulator
from dcvsessions.simulator._nimble.operations import NimbleOperations
from dcvsessions.simulator._protocol.messages import Request
from dcvsessions.simulator._protocol.signature import KeyPair
from dcvsessions.simulator._server import HttpServer
from dcvsessions.simulator._time.clock import Clock
from dcvsessions.simulator._time.timings import Timings

__all__ = ["PAGE_SIZE", "Simulator"]

# Documented for GetOperations; assumed for the other lists.
PAGE_SIZE = 200

_LAST_PORT = 65535
_KEEP_REQUESTS = 10_000
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class Simulator:
    """Lightsail for Research and Nimble Studio on one port of the loopback interface.

    It runs in the event loop that enters it, on that loop's time. All methods and properties may
    be used from any thread.

    Args:
        host: The address to listen on.
        port: The port; 0 for any free one.
        timings: How long transitions take. Default: a second or two.
        speed: Simulated seconds per second of the event loop.
        seed: Determines identifiers and drawn durations, but not tokens and keys.
        region_name: The region that the services report.
        access_key_id: The access key that requests have to be signed with. Default: a random
            one that AWS does not know.
        secret_access_key: Its secret. Default: random.
        session_token: The session token that makes these keys temporary ones. Requests without
            it are refused. Default: the keys are long-term keys, and requests with any session
            token are refused.
        session_token_lifetime: Simulated seconds after the start until the session token expires.
        page_size: The most items in a page of results.
        stale_reads: Simulated seconds after a write during which reads still show the state
            before it. What the write created is not found until then.
        keep_requests: The number of requests that `requests` keeps.

    Raises:
        ValueError: There is no such port, the speed or the page size is not positive, or
            `stale_reads` is negative, or the host is empty.

    Example:
        >>> async with Simulator() as sim:
        ...     sim.lightsail.add_instance("my-computer")
        ...     os.environ.update(sim.environ)
        ...     url = await open_gui_session("my-computer")
        ...     assert sim.accepts(url)
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        timings: Timings | None = None,
        speed: float = 1.0,
        seed: int = 0,
        region_name: str = "us-east-1",
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        session_token_lifetime: float = math.inf,
        page_size: int = PAGE_SIZE,
        stale_reads: float = 0.0,
        keep_requests: int = _KEEP_REQUESTS,
    ) -> None:
        if not host:
            raise ValueError("host must not be empty: an empty host means every interface")
        if not 0 <= port <= _LAST_PORT:
            raise ValueError(f"port must be from 0 to {_LAST_PORT}, not {port}")
        if page_size < 1:
            raise ValueError(f"page_size must be at least 1, not {page_size}")
        if not stale_reads >= 0:
            raise ValueError(f"stale_reads must be zero or more seconds, not {stale_reads!r}")
        timings = timings or Timings()
        self._host, self._port = host, port
        self._bound: tuple[str, int] | None = None
        self._keys = KeyPair(
            access_key_id or f"SIMULATOR{secrets.token_hex(6).upper()}",
            secret_access_key or f"not-for-aws-{secrets.token_urlsafe(30)}",
            session_token,
            session_token_lifetime,
        )
        self._seed = f"{seed}/{timings.seed}"
        self._environment = Environment(
            clock=Clock(speed),
            timings=timings,
            random=random.Random(self._seed),  # noqa: S311 - no secrets from it
            region_name=region_name,
            page_size=page_size,
            stale_reads=stale_reads,
            lock=threading.RLock(),
            desktop_url=self._desktop_url,
        )
        lightsail, nimble = LightsailAccount(self._environment), NimbleAccount(self._environment)
        self._accounts = (lightsail, nimble)
        self._lightsail, self._nimble = LightsailSimulator(lightsail), NimbleSimulator(nimble)
        self._gateway = Gateway(
            self._environment,
            {
                "lightsail": LightsailOperations(lightsail).handlers,
                "nimble": NimbleOperations(nimble).handlers,
            },
            self._desktops,
            self._keys,
            keep_requests,
        )
        self._server = HttpServer(self._gateway, self._environment.clock)

    def __repr__(self) -> str:
        return f"<Simulator {self.endpoint_url if self._bound else 'not started'}>"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._bound = await self._server.start(self._host, self._port)
        self._environment.clock.start(loop, datetime.now(UTC))
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.stop()

    @property
    def lightsail(self) -> LightsailSimulator:
        """The simulated Lightsail."""
        return self._lightsail

    @property
    def nimble(self) -> NimbleSimulator:
        """The simulated Nimble Studio."""
        return self._nimble

    @property
    def endpoint_url(self) -> str:
        """The URL to point clients at, such as `http://127.0.0.1:8080`.

        Raises:
            RuntimeError: The simulator has not been started.
        """
        if self._bound is None:
            raise RuntimeError("The simulator is not running: use it in an `async with` block")
        address, port = self._bound
        host = _LOOPBACK_OF.get(address, address)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that point AWS clients here. They hold the secret key.

        Clients that do not read `AWS_ENDPOINT_URL` need the endpoint as an argument.
        """
        previous = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        host = urlsplit(self.endpoint_url).hostname or ""
        # A proxy in the environment cannot reach this machine's loopback interface.
        if not previous:
            no_proxy = host
        else:
            no_proxy = previous if host in previous.split(",") else f"{previous},{host}"
        token = {} if self._keys.token is None else {"AWS_SESSION_TOKEN": self._keys.token}
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self._keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self._keys.secret_key,
            **token,
            "AWS_REGION": self._environment.region_name,
            "AWS_DEFAULT_REGION": self._environment.region_name,
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    @property
    def date(self) -> datetime:
        """The simulated date and time, on which the times in responses are based."""
        return self._environment.clock.date()

    @property
    @locked
    def requests(self) -> list[Request]:
        """The requests that arrived, oldest first."""
        return list(self._gateway.requests)

    def calls(self, operation: str) -> list[Request]:
        """List the requests for one operation.

        Args:
            operation: The operation, such as `StartGUISession`.

        Returns:
            Its requests, oldest first.

        Raises:
            ValueError: Neither service has such an operation.
        """
        self._check_operation(operation)
        return [request for request in self.requests if request.operation == operation]

    @locked
    def inject(self, operation: str, fault: Fault, *, call: int = 1, times: int | None = 1) -> None:
        """Make something go wrong.

        Args:
            operation: The operation that it happens to; `*` for any.
            fault: What goes wrong.
            call: The first request that it happens to: 1 for the next one of the operation.
            times: How many requests in a row it happens to; None for all later ones.

        Raises:
            ValueError: Neither service has such an operation, or a number is below one.

        Example:
            >>> sim.inject("StartGUISession", Fault.lost_response(), call=2)
        """
        if operation != "*":
            self._check_operation(operation)
        self._gateway.faults.add(operation, fault, call=call, times=times)

    @locked
    def heal(self) -> None:
        """Forget the faults that have not happened yet, and set the service's clock right."""
        self._gateway.faults.clear()
        self._gateway.skew.end()

    @locked
    def throttle(self, rate: float, *, burst: int = 1, operation: str = "*") -> None:
        """Answer requests over a rate with `ThrottlingException`.

        Each request takes a token, and is refused if there is no token. A limit for `*` and one for
        the operation itself both apply.

        Args:
            rate: The new tokens per simulated second.
            burst: The most tokens, and so the most requests at once.
            operation: The operation that is limited; `*` for all of them together.

        Raises:
            ValueError: Neither service has such an operation, or a number is out of range.

        Example:
            >>> sim.throttle(2, burst=5, operation="CreateGUISessionAccessDetails")
        """
        if operation != "*":
            self._check_operation(operation)
        self._gateway.throttles.limit(operation, rate, burst, self._environment.clock.now())

    @locked
    def advance(self, seconds: float) -> None:
        """Let simulated time pass at once. Transitions continue as if it had passed.

        Args:
            seconds: The simulated seconds.

        Raises:
            ValueError: The number is negative or not finite.
        """
        self._environment.clock.advance(seconds)

    @locked
    def reset(self) -> None:
        """Remove all resources, plans, faults, limits and recorded requests.

        The simulator continues to serve at the same address, with the same keys, and its time
        continues.
        """
        for account in self._accounts:
            account.clear()
        self._environment.random.seed(self._seed)
        self._gateway.throttles.clear()
        self._gateway.requests.clear()
        self.heal()

    def accepts(self, url: str) -> bool:
        """Tell whether a URL opens a desktop now.

        Args:
            url: Any URL.

        Returns:
            Whether it is exactly the URL of a desktop that can be opened at this moment.
        """
        return url in {self._desktop_url(each.token, each.session_id) for each in self._desktops()}

    def _desktops(self) -> list[Desktop]:
        return [*self._lightsail.desktops(), *self._nimble.desktops()]

    def _check_operation(self, operation: str) -> None:
        known = self._gateway.operations
        if operation not in known:
            raise ValueError(f"operation must be one of {', '.join(sorted(known))}")

    def _desktop_url(self, token: str, session_id: str) -> str:
        return desktop_page.desktop_url(self.endpoint_url, token, session_id)
