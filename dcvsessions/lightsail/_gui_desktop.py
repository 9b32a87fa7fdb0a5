"""A GUI session that stays usable during an `async with` block."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

from dcvsessions._arguments import checked_boolean, checked_choice, checked_name
from dcvsessions._aws.connection import Connection
from dcvsessions._tasks import ending
from dcvsessions._wait.desktop import (
    ABOUT_TO_EXPIRE,
    TRUSTED,
    Desktop,
    UrlCalls,
)
from dcvsessions._wait.instant import Instant, date_in
from dcvsessions._wait.listener import OnProgress
from dcvsessions._wait.loop import FINAL_POLL_GRACE, Goal, Waiter
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.lightsail._client import LightsailClient
from dcvsessions.lightsail._helpers import OPEN_TIMEOUT
from dcvsessions.lightsail._session import SESSION_LIFETIME, GuiSessionController, desktop_of
from dcvsessions.lightsail._states import SESSION_KINDS, Reading, SessionKind, StartedSession

__all__ = ["GuiDesktop", "gui_session"]

# Seconds that stopping the session at the end of a block may take.
STOP_TIMEOUT = 60.0
# Seconds. While nobody knows when the session expires, urls() reads it this often.
_CHECK_INTERVAL = 60.0

_Opening = Callable[[float], Goal[Reading, StartedSession]]


class GuiDesktop(Desktop):
    """The desktop of a virtual computer's GUI session. `gui_session()` makes it.

    `url()` reads the session, and resumes it if it has expired. If less than 30 seconds are left,
    it first waits until the session has expired, because Lightsail resumes only expired sessions.

    `urls()` yields a new URL after the session has expired and was resumed. If the session was
    started before the block, nobody knows when it expires. `urls()` then reads it once a minute,
    for at most an hour: that costs one call of CreateGUISessionAccessDetails each time. AWS does
    not document whether each reading has the same URL. We assume that an earlier URL works as long
    as the session lasts.

    Attributes:
        name: The virtual computer.
    """

    def __init__(
        self,
        name: str,
        *,
        opening: _Opening,
        calls: UrlCalls,
        waiter: Callable[[], Waiter],
        opened: tuple[StartedSession, Waiter],
    ) -> None:
        self.name = name
        self._opening = opening
        # The session started between these two times. None if it was started before.
        self._started: tuple[Instant, Instant] | None = None
        self._url_expires_at: datetime | None = None
        self._url, self._read_at = self._read(*opened)
        super().__init__(calls=calls, waiter=waiter, opened=opened[1])

    def __repr__(self) -> str:
        return f"<GuiDesktop {self.name}: {self.state}>"

    @property
    def expires_at(self) -> datetime | None:
        """When the session expires, at the earliest. None if it was started before the block."""
        return self._started and date_in(SESSION_LIFETIME - self._started[0].age)

    async def _usable(self, waiter: Waiter) -> DcvUrl:
        wait_out = self._seconds_to_wait_out
        if wait_out or self._read_at.age >= TRUSTED:
            started = await waiter.until(self._opening(wait_out))
            self._url, self._read_at = self._read(started, waiter)
        return self._url

    def _read(self, started: StartedSession, waiter: Waiter) -> tuple[DcvUrl, Instant]:
        if started.not_started_at is not None:
            now = waiter.elapsed
            self._started = (
                Instant.ago(now - started.not_started_at),
                Instant.ago(now - started.started_at),
            )
            self._url_expires_at = self.expires_at
        elif self._started and self._started[1].age >= SESSION_LIFETIME + ABOUT_TO_EXPIRE:
            # Somebody else has stopped and started it since.
            self._started = self._url_expires_at = None
        return DcvUrl(started.url, expires_at=self._url_expires_at), Instant.ago()

    def _is_new(self, url: DcvUrl, last: DcvUrl) -> bool:
        # The text is not compared, because each reading may have another URL of the same session.
        return url.expires_at != last.expires_at

    @property
    def _due_in(self) -> float:
        if self._started is None:
            return _CHECK_INTERVAL - self._read_at.age
        return SESSION_LIFETIME - self._started[0].age

    @property
    def _resource(self) -> str:
        return desktop_of(self.name)

    @property
    def _seconds_to_wait_out(self) -> float:
        """Seconds until a session that is about to expire has expired; otherwise 0."""
        if self._started is None or self._started[0].age < SESSION_LIFETIME - ABOUT_TO_EXPIRE:
            return 0.0
        return max(0.0, SESSION_LIFETIME + ABOUT_TO_EXPIRE - self._started[1].age)


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
    """Open a GUI session and keep it usable during a block.

    Calls the operations of `open_gui_session()`, and calls them again when the session has expired.
    The session keeps running after the block, unless `stop_on_exit` is set: stopping it loses
    unsaved work. The computer costs by the hour while it runs.

    Args:
        name: The virtual computer.
        stop_on_exit: Whether to stop the session at the end of the block, within 60 s. If opening
            fails, it is stopped too, because it may still be starting.
        kind: The session of the computer's application, or of its operating system.
        timeout: Seconds that opening, and each `url()`, may take. Default: 1800. None for no limit.
        start_instance: Whether to start the computer if it is stopped. Otherwise a stopped computer
            is an error.
        poll_interval: Seconds between polls. Default: a schedule that fits the operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `LightsailClient`.
        profile_name: See `LightsailClient`.
        endpoint_url: See `LightsailClient`.

    Yields:
        The desktop: `await desktop.url()` returns a URL that is usable now, and
        `async for url in desktop.urls()` yields one now and a new one whenever it is needed.

    Raises:
        ClientStateError: `client` was closed before the end of the block.
        DcvSessionsError: The errors of `open_gui_session()`, and at the end of the block those of
            `close_gui_session()`. If the block raises an error, that error is raised, and a failure
            to stop the session is added to it as a note.

    Example:
        >>> async with gui_session("my-computer", stop_on_exit=True) as desktop:
        ...     print(await desktop.url())
    """
    checked_name(name, "name")
    checked_choice(kind, "kind", SESSION_KINDS)
    checked_boolean(stop_on_exit, "stop_on_exit")
    checked_boolean(start_instance, "start_instance")
    new_waiter = partial(
        Waiter, timeout=timeout, poll_interval=poll_interval, on_progress=on_progress
    )
    opening = new_waiter()
    connection = Connection(LightsailClient, client, region_name, profile_name, endpoint_url)
    async with connection, AsyncExitStack() as stack:
        lightsail = await stack.enter_async_context(connection.opened(opening.entered))
        session = GuiSessionController(lightsail, name)
        if stop_on_exit:
            await stack.enter_async_context(
                ending(
                    lambda: Waiter(timeout=STOP_TIMEOUT - FINAL_POLL_GRACE).until(
                        session.closing()
                    ),
                    within=2 * STOP_TIMEOUT,
                )
            )

        def goal(renew_before: float) -> Goal[Reading, StartedSession]:
            return session.opening(
                kind=kind, start_instance=start_instance, renew_before=renew_before
            )

        started = await opening.until(goal(0.0))
        calls = UrlCalls()
        stack.push_async_callback(calls.end)
        yield GuiDesktop(
            name, opening=goal, calls=calls, waiter=new_waiter, opened=(started, opening)
        )
