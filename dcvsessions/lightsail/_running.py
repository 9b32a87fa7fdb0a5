"""Which computers run, read for many at once.

A session is started only on a computer that runs. One GetInstances tells which of many computers
run; GetInstanceState needs a call for each.
"""

import asyncio
from contextlib import aclosing

from attrs import define, field

from dcvsessions._wait.instant import Instant
from dcvsessions._wait.listing import Listing
from dcvsessions.errors import DcvSessionsError
from dcvsessions.lightsail._client import LightsailClient

__all__ = ["RunningComputers"]

# Seconds for which a list is used. A computer that was stopped meanwhile refuses the start.
_FRESH = 60.0
# Fewer computers than this are read one by one.
_WORTH_A_LIST = 10
# How many instances of the account may be read for each computer that is wanted.
_MOST_INSTANCES = 20
# Seconds that a list may take. After that, the computers are read one by one.
_LONGEST = 60.0


@define(eq=False, repr=False)
class RunningComputers:
    """Which computers run, for one call for many.

    Attributes:
        client: An open client.
        wanted: How many computers the call is for.
    """

    client: LightsailClient
    wanted: int
    _running: set[str] = field(init=False, factory=set[str])
    _read_at: Instant | None = field(init=False, default=None)
    _listing: Listing = field(init=False, factory=Listing)
    _one_at_a_time: asyncio.Lock = field(init=False, factory=asyncio.Lock)

    async def lists(self, name: str) -> bool:
        """Whether the list has a computer. If not, GetInstanceState tells its state."""
        async with self._one_at_a_time:
            if self._is_due:
                await self._read()
        return name in self._running

    @property
    def _is_due(self) -> bool:
        if self._listing.is_over or self.wanted < _WORTH_A_LIST:
            return False
        return self._read_at is None or self._read_at.age >= _FRESH

    async def _read(self) -> None:
        began = Instant.ago()
        self._running.clear()
        try:
            async with asyncio.timeout(_LONGEST):
                await self._look_through()
        except DcvSessionsError as error:
            self._listing.failed(error)
        except TimeoutError:
            self._listing.is_over = True
        else:
            self._listing.succeeded()
        self._read_at = began

    async def _look_through(self) -> None:
        left = self.wanted * _MOST_INSTANCES
        async with aclosing(self.client.get_instances()) as instances:
            async for instance in instances:
                if instance.state is not None and instance.state.name == "running":
                    self._running.add(instance.name or "")
                left -= 1
                if not left:
                    break
