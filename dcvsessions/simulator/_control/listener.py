"""The admin interface on a port of the loopback interface."""

import asyncio
import secrets
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from dcvsessions.simulator._control.api import ControlApi
from dcvsessions.simulator._scenario import Scenario
from dcvsessions.simulator._server import HttpServer
from dcvsessions.simulator._simulator import Simulator
from dcvsessions.simulator._time.clock import Clock

__all__ = ["ControlListener"]

_HOST = "127.0.0.1"  # always loopback, because whoever has the token can change everything


class ControlListener:
    """Serves the admin interface of a simulator that runs in the same event loop.

    Args:
        simulator: The simulator, entered.
        scenario: The scenario that a reset restores.
        port: The port; 0 for any free one.
    """

    def __init__(self, simulator: Simulator, scenario: Scenario, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        self._port = port
        self._api = ControlApi(simulator, scenario, self.token)
        self._clock = Clock(speed=1.0)
        self._server = HttpServer(self._api, self._clock)

    @property
    def url(self) -> str:
        """The URL of the interface."""
        return f"http://{self._api.host}"

    async def __aenter__(self) -> Self:
        self._clock.start(asyncio.get_running_loop(), datetime.now(UTC))
        address, port = await self._server.start(_HOST, self._port)
        self._api.host = f"{address}:{port}"
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.stop()
