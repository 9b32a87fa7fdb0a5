"""The base class of both desktops: `url()` and `urls()` give usable URLs until the block ends."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable

from dcvsessions._frames import hide_frames
from dcvsessions._tasks import InFlight
from dcvsessions._wait.loop import Waiter
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import ClientStateError, DcvSessionsError

__all__ = ["ABOUT_TO_EXPIRE", "TRUSTED", "Desktop", "UrlCalls"]

# Seconds for which a reading is trusted. After that, somebody else may have stopped the session.
TRUSTED = 1.0
# A URL that will work for fewer seconds than this is not returned.
ABOUT_TO_EXPIRE = 30.0
# Seconds that running calls of url() get to end when the block ends.
_END_TIMEOUT = 5.0
# Seconds that urls() sleeps at most before it looks at the clocks again: meanwhile the machine may
# have slept, or another task may have got a new URL. To look costs no call.
_LONGEST_SLEEP = 30.0
# Seconds. A loop in virtual time does not advance by less than its resolution.
_SHORTEST_SLEEP = 0.001


class UrlCalls:
    """The calls of `url()` of one desktop: they run one at a time, and only during the block."""

    def __init__(self) -> None:
        self.in_flight = InFlight()
        self.one_at_a_time = asyncio.Lock()
        self.is_over = False

    async def end(self) -> None:
        """End the calls of other tasks, and refuse later calls."""
        self.is_over = True
        await self.in_flight.end(self.refusal, within=_END_TIMEOUT)

    def require_block(self) -> None:
        """Raise an error if the block is over."""
        if self.is_over:
            raise self.refusal()

    @staticmethod
    def refusal() -> ClientStateError:
        """Return the error for a call after the block."""
        return ClientStateError("The block of this desktop is over: url() works only inside it.")


class Desktop(ABC):
    """A desktop that stays usable during a block."""

    def __init__(self, *, calls: UrlCalls, waiter: Callable[[], Waiter], opened: Waiter) -> None:
        self._calls = calls
        self._new_waiter = waiter
        self._state = opened.report.state_of(self._resource)
        self._latest: DcvUrl | None = None

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
        resumes the session, or makes a new stream. The documentation of the class says when.

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
        self._calls.require_block()
        waiter = self._new_waiter()
        try:
            async with self._calls.in_flight.entered():
                url = self._latest = await self._next(waiter)
                if check_reachable:
                    await waiter.reachable(url, self._resource)
                    # It may have expired meanwhile.
                    url = self._latest = await self._next(waiter)
        except DcvSessionsError as error:
            hide_frames(error)
            raise
        finally:
            self._state = waiter.report.state_of(self._resource) or self._state
        return url

    def urls(self, *, check_reachable: bool = False) -> AsyncIterator[DcvUrl]:
        """Iterate over usable URLs: one now, and a new one whenever it is needed.

        The documentation of the class says when that is. The iteration ends when the block ends,
        even in another task. You can also leave it with `break`.

        Args:
            check_reachable: Whether to wait until the desktop's server answers, for each URL.

        Returns:
            An async iterator. Each URL is a bearer secret: whoever has it can use the desktop.

        Raises:
            ClientStateError: The block is over.
            DcvSessionsError: While iterating, the same errors as `url()`. The iteration is then
                over; you can begin another.

        Cost:
            Each URL costs the calls of `url()`. Between them it makes no calls, unless the
            documentation of the class says so. So if somebody else stops the session, it notices
            that only when a new URL is needed.

        Example:
            >>> async with gui_session("my-computer") as desktop:
            ...     async for url in desktop.urls():
            ...         url.open()
            ...         break  # without it, the loop runs until you cancel it
        """
        self._calls.require_block()
        return self._urls(check_reachable=check_reachable)

    async def _urls(self, *, check_reachable: bool) -> AsyncIterator[DcvUrl]:
        last: DcvUrl | None = None
        try:
            while True:
                url = await self.url(check_reachable=check_reachable)
                if last is None or self._is_new(url, last):
                    last = url
                    yield url
                await self._until_due(last)
        except ClientStateError:
            # If the block is not over, the caller's client was closed.
            if not self._calls.is_over:
                raise

    async def _until_due(self, last: DcvUrl) -> None:
        """Sleep until a new URL may be needed, or another task has got one."""
        self._calls.require_block()
        async with self._calls.in_flight.entered():
            # It is long enough for url() to read the session again.
            await asyncio.sleep(TRUSTED)
            while not self._is_new(self._latest or last, last) and self._due_in > 0:  # noqa: ASYNC110 - a clock sets no event
                await asyncio.sleep(min(max(self._due_in, _SHORTEST_SLEEP), _LONGEST_SLEEP))

    async def _next(self, waiter: Waiter) -> DcvUrl:
        async with waiter.entered(self._calls.one_at_a_time, self._resource, "free"):
            return await self._usable(waiter)

    @abstractmethod
    async def _usable(self, waiter: Waiter) -> DcvUrl:
        """Return a URL that is usable now."""

    @abstractmethod
    def _is_new(self, url: DcvUrl, last: DcvUrl) -> bool:
        """Whether a URL has to replace the one that was yielded last."""

    @property
    @abstractmethod
    def _due_in(self) -> float:
        """Seconds until a new URL may be needed; 0 or less if it may be needed now."""

    @property
    @abstractmethod
    def _resource(self) -> str:
        """The name of the session in events and errors."""
