"""A GUI session for the length of an `async with` block."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from dcvsessions._arguments import checked_choice, checked_name
from dcvsessions._aws.client import given_or_new
from dcvsessions._wait.desktop import ABOUT_TO_EXPIRE, TRUSTED, Desktop
from dcvsessions._wait.loop import OnProgress, Waiting
from dcvsessions._wait.shield import ending
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.lightsail.client import LightsailClient
from dcvsessions.lightsail.helpers import OPEN_TIMEOUT
from dcvsessions.lightsail.session import SESSION_LIFETIME, Computer
from dcvsessions.lightsail.states import SESSION_KINDS, SessionKind

__all__ = ["GuiDesktop", "gui_session"]

# How long the clean-up at the end of a block may take.
STOP_TIMEOUT = 60.0


class GuiDesktop(Desktop):
    """The GUI session of a virtual computer, kept usable; made by `gui_session()`.

    For each URL the session is read, and resumed where that is due. One that is about to expire
    is waited out first, because Lightsail resumes expired sessions only.

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
        super().__init__(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
        self.name = computer.name
        self._computer = computer
        self._kind: SessionKind = kind
        self._start_instance = start_instance
        self._url: DcvUrl | None = None
        self._read_at = 0.0

    def __repr__(self) -> str:
        return f"<GuiDesktop {self.name}: {self.state}>"

    @property
    def state(self) -> str | None:
        """The state of the session when it was last read."""
        return self._computer.state

    @property
    def expires_at(self) -> datetime | None:
        """When the session will expire, at the earliest; None if its start was not seen."""
        if self._computer.started is None:
            return None
        return self._date_of(self._computer.started[0] + SESSION_LIFETIME)

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

    async def _usable(self, waiting: Waiting) -> DcvUrl:
        is_fresh = self._now - self._read_at < TRUSTED and not self._seconds_to_wait_out
        return self._url if self._url and is_fresh else await self.open(waiting)

    @property
    def _resource(self) -> str:
        return self._computer.resource

    @property
    def _seconds_to_wait_out(self) -> float:
        """How long a session that is about to expire may still be started; 0 if it is not."""
        if self._computer.started is None:
            return 0.0
        earliest, latest = (instant + SESSION_LIFETIME for instant in self._computer.started)
        if self._now < earliest - ABOUT_TO_EXPIRE:
            return 0.0
        return max(0.0, latest + ABOUT_TO_EXPIRE - self._now)


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
