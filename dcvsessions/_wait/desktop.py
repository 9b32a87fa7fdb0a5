"""The base class of both desktops: `url()` returns a usable URL until the block ends."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dcvsessions._tasks import InFlight
from dcvsessions._wait.loop import Waiter
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import ClientStateError

__all__ = ["ABOUT_TO_EXPIRE", "TRUSTED", "Desktop", "UrlCalls", "date_in"]

# Seconds for which a reading is trusted. After that, somebody else may have stopped the session.
TRUSTED = 1.0
# A URL that will work for fewer seconds than this is not returned.
ABOUT_TO_EXPIRE = 30.0
# Seconds that running calls of url() get to end when the block ends.
_END_TIMEOUT = 5.0


class UrlCalls:
    """The calls of one desktop's `url()`: they run one at a time, and only during the block."""

    def __init__(self) -> None:
        self.in_flight = InFlight()
        self.one_at_a_time = asyncio.Lock()
        self.is_over = False

    async def end(self) -> None:
        """End the calls of other tasks, and refuse later calls."""
        self.is_over = True
        await self.in_flight.end(self.refusal, within=_END_TIMEOUT)

    @staticmethod
    def refusal() -> ClientStateError:
        """Return the error for a call after the block."""
        return ClientStateError("The block of this desktop is over: url() works only inside it.")


class Desktop(ABC):
    """A desktop for the length of a block."""

    def __init__(self, *, calls: UrlCalls, waiter: Callable[[], Waiter], opened: Waiter) -> None:
        self._calls = calls
        self._new_waiter = waiter
        self._state = opened.report.state_of(self._resource)

    def _repr_html_(self) -> str:
        from html import escape  # noqa: PLC0415 - only notebooks need it

        # Without a link, because a notebook would save it, and the token with it.
        return (
            f"<code>{escape(repr(self))}</code> "
            "(open it with <code>(await desktop.url()).open()</code>)"
        )

    @property
    def state(self) -> str | None:
        """The state of the session when it was last read."""
        return self._state

    async def url(self, *, check_reachable: bool = False) -> DcvUrl:
        """Return a URL that is usable now.

        Reads the session, unless it was read less than a second ago. If necessary, it starts or
        resumes the session, or makes a new stream: the class says when.

        Args:
            check_reachable: Whether to wait until the desktop's server answers.

        Returns:
            The URL. It is a bearer secret: whoever has it can use the desktop.

        Raises:
            ClientStateError: The block is over, or ended during the call.
            DcvSessionsError: The same errors as the helper that opens such a desktop.

        Example:
            >>> async with gui_session("my-computer") as desktop:
            ...     (await desktop.url()).open()
        """
        if self._calls.is_over:
            raise self._calls.refusal()
        waiter = self._new_waiter()
        async with self._calls.in_flight.entered():
            try:
                url = await self._next(waiter)
                if check_reachable:
                    await waiter.reachable(url, self._resource)
                    # It may have expired meanwhile.
                    url = await self._next(waiter)
            finally:
                self._state = waiter.report.state_of(self._resource) or self._state
        return url

    async def _next(self, waiter: Waiter) -> DcvUrl:
        async with waiter.entered(self._calls.one_at_a_time, self._resource, "free"):
            return await self._usable(waiter)

    @abstractmethod
    async def _usable(self, waiter: Waiter) -> DcvUrl:
        """Return a URL that is usable now."""

    @property
    @abstractmethod
    def _resource(self) -> str:
        """The name of the session in events and errors."""


def date_in(seconds: float) -> datetime:
    """Return the date that is some seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
