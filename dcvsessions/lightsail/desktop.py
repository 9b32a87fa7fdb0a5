"""A GUI session for the length of an `async with` block."""

import asyncio
import html
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from dcvsessions.arguments import checked_choice, checked_name
from dcvsessions.aws import given_or_new
from dcvsessions.cleanup import ending
from dcvsessions.errors import ClientStateError
from dcvsessions.lightsail.client import LightsailClient
from dcvsessions.lightsail.computer import SESSION_LIFETIME, Computer
from dcvsessions.lightsail.helpers import OPEN_TIMEOUT
from dcvsessions.lightsail.lifecycle import SESSION_KINDS, SessionKind
from dcvsessions.polling import OnProgress, Waiting
from dcvsessions.url import DcvUrl

__all__ = ["GuiDesktop", "gui_session"]

# How long the clean-up at the end of a block may take.
STOP_TIMEOUT = 60.0
# A reading this old is made again: somebody else may have stopped the session.
_TRUSTED = 1.0
# A session with less than this left is not worth handing out.
_ABOUT_TO_EXPIRE = 30.0


class GuiDesktop:
    """The GUI session of a virtual computer, kept usable; made by `gui_session()`.

    Attributes:
        name: The virtual computer.
    """

    def __init__(
        self,
        computer: Computer,
        *,
        kind: SessionKind,
        start_instance: bool,
        timeout: float | None,
        poll_interval: float | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.name = computer.name
        self._computer = computer
        self._kind: SessionKind = kind
        self._start_instance = start_instance
        self._timeout = timeout
        self._poll_interval = poll_interval
        self._on_progress = on_progress
        self._one_at_a_time = asyncio.Lock()
        self._url: DcvUrl | None = None
        self._read_at = 0.0
        self._is_over = False

    def __repr__(self) -> str:
        return f"<GuiDesktop {self.name}: {self.state}>"

    def _repr_html_(self) -> str:
        # No link: a notebook saves what it has shown, and the token with it.
        return (
            f"<code>{html.escape(repr(self))}</code> "
            "(open it with <code>(await desktop.url()).open()</code>)"
        )

    @property
    def state(self) -> str | None:
        """The state of the session when it was last read."""
        return self._computer.state

    @property
    def expires_at(self) -> datetime | None:
        """When the session will expire, at the earliest; None if its start was not seen."""
        if self._computer.started is None:
            return None
        left = self._computer.started[0] + SESSION_LIFETIME - self._now
        return datetime.now(UTC) + timedelta(seconds=left)

    async def url(self, *, check_reachable: bool = False) -> DcvUrl:
        """Return a URL that is usable now.

        The session is read, with one call, and resumed where that is due. One that is about to
        expire is waited out first, because Lightsail resumes expired sessions only.

        Args:
            check_reachable: Whether to wait until the desktop's server answers, too.

        Raises:
            ClientStateError: The block is over.
            DcvSessionsError: As `open_gui_session()`.

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
            url = self._url
            if url is None or not self._is_fresh:
                url = await self.open(waiting)
        if check_reachable:
            await waiting.reachable(url, self._computer.resource)
        return url

    def end(self) -> None:
        """Hand out no more URLs."""
        self._is_over = True

    async def open(self, waiting: Waiting) -> DcvUrl:
        """Bring the session to a usable URL within a wait; `url()` is what users call.

        Args:
            waiting: The wait.
        """
        url = await self._computer.open(
            waiting,
            kind=self._kind,
            start_instance=self._start_instance,
            renew_before=self._seconds_to_wait_out,
        )
        self._url, self._read_at = url, self._now
        return url

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def _is_fresh(self) -> bool:
        return self._now - self._read_at < _TRUSTED and not self._seconds_to_wait_out

    @property
    def _seconds_to_wait_out(self) -> float:
        """How long a session that is about to expire may still be started; 0 if it is not."""
        if self._computer.started is None:
            return 0.0
        earliest, latest = (instant + SESSION_LIFETIME for instant in self._computer.started)
        if self._now < earliest - _ABOUT_TO_EXPIRE:
            return 0.0
        return max(0.0, latest + _ABOUT_TO_EXPIRE - self._now)


@asynccontextmanager
async def gui_session(
    name: str,
    *,
    stop_on_exit: bool = False,
    kind: SessionKind = "application",
    timeout: float | None = OPEN_TIMEOUT,
    start_instance: bool = False,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: LightsailClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[GuiDesktop, None]:
    """Open a GUI session and keep it usable for the length of a block.

    Calls what `open_gui_session()` calls, again whenever the session has expired. It runs on
    after the block unless told otherwise: stopping it loses unsaved work.

    Args:
        name: The virtual computer.
        stop_on_exit: Whether to stop the session at the end of the block, within 60 s; also if
            it could not be opened, as it may be starting still.
        kind: The session of the computer's application, or of its operating system.
        timeout: Seconds that each opening may take (30 minutes); None for no limit.
        start_instance: Whether to start the computer if it is stopped.
        poll_interval: Seconds between polls, in place of a schedule that fits the operation.
        on_progress: Called, and awaited if need be, with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `LightsailClient`.
        profile_name: As for `LightsailClient`.
        endpoint_url: As for `LightsailClient`.

    Yields:
        The desktop: `await desktop.url()` is a URL that is usable now.

    Raises:
        DcvSessionsError: As `open_gui_session()`, and at the end as `close_gui_session()`. An
            error of the block is not replaced by one of the end: that is noted in it.

    Example:
        >>> async with gui_session("my-computer", stop_on_exit=True) as desktop:
        ...     print(await desktop.url())
    """
    checked_name(name, "name")
    checked_choice(kind, "kind", SESSION_KINDS)
    opening = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = given_or_new(
        client,
        LightsailClient,
        region_name=region_name,
        profile_name=profile_name,
        endpoint_url=endpoint_url,
    )
    async with AsyncExitStack() as stack:
        computer = Computer(await stack.enter_async_context(opening.opened(connection)), name)
        desktop = GuiDesktop(
            computer,
            kind=kind,
            start_instance=start_instance,
            timeout=timeout,
            poll_interval=poll_interval,
            on_progress=on_progress,
        )
        stack.callback(desktop.end)
        if stop_on_exit:
            await stack.enter_async_context(
                ending(
                    lambda: computer.close(Waiting(timeout=STOP_TIMEOUT)),
                    within=2 * STOP_TIMEOUT,
                )
            )
        await desktop.open(opening)
        yield desktop
