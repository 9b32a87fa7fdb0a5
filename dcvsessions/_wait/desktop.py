"""What the desktops of both services share: one URL at a time, usable now, until the end."""

import asyncio
import html
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

from dcvsessions._wait.loop import OnProgress, Waiting
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import ClientStateError

__all__ = ["ABOUT_TO_EXPIRE", "TRUSTED", "Desktop"]

# A reading this old, in seconds, is made again: somebody else may have stopped the session.
TRUSTED = 1.0
# A URL with less than this left, in seconds, is not worth handing out.
ABOUT_TO_EXPIRE = 30.0


class Desktop(ABC):
    """A desktop for the length of a block."""

    def __init__(
        self,
        *,
        timeout: float | None,
        poll_interval: float | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._timeout = timeout
        self._poll_interval = poll_interval
        self._on_progress = on_progress
        self._one_at_a_time = asyncio.Lock()
        self._is_over = False

    def _repr_html_(self) -> str:
        # No link: a notebook saves what it has shown, and the token with it.
        return (
            f"<code>{html.escape(repr(self))}</code> "
            "(open it with <code>(await desktop.url()).open()</code>)"
        )

    async def url(self, *, check_reachable: bool = False) -> DcvUrl:
        """Return a URL that is usable now.

        The session is read, with one call, and started, resumed or given a new stream where that
        is due; the class says when.

        Args:
            check_reachable: Whether to wait until the desktop's server answers, too.

        Raises:
            ClientStateError: The block is over.
            DcvSessionsError: As the helper that opens such a desktop.

        Example:
            >>> async with gui_session("my-computer") as desktop:
            ...     (await desktop.url()).open()
        """
        if self._is_over:
            raise ClientStateError("The block of this desktop is over, and with it its URLs.")
        waiting = Waiting(
            timeout=self._timeout,
            poll_interval=self._poll_interval,
            on_progress=self._on_progress,
        )
        async with self._one_at_a_time:
            url = await self._usable(waiting)
        if check_reachable:
            await waiting.reachable(url, self._resource)
        return url

    def end(self) -> None:
        """Hand out no more URLs; called at the end of the block."""
        self._is_over = True

    @abstractmethod
    async def _usable(self, waiting: Waiting) -> DcvUrl:
        """Return a URL that is usable now."""

    @property
    @abstractmethod
    def _resource(self) -> str:
        """What to call it in events and errors."""

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _date_of(self, instant: float) -> datetime:
        """Return the date of an instant of the event loop's clock."""
        return datetime.now(UTC) + timedelta(seconds=instant - self._now)
