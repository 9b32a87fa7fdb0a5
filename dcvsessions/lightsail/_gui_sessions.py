"""The GUI sessions of many virtual computers in one call."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager

from attrs import frozen

from dcvsessions._arguments import checked_boolean, checked_choice, checked_names
from dcvsessions._aws.connection import Connection
from dcvsessions._wait.batch import Batch, Member, outcomes_of
from dcvsessions._wait.listener import OnProgress
from dcvsessions._wait.loop import Waiter
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import DcvSessionsError
from dcvsessions.lightsail._client import LightsailClient
from dcvsessions.lightsail._helpers import CLOSE_TIMEOUT, OPEN_TIMEOUT
from dcvsessions.lightsail._running import RunningComputers
from dcvsessions.lightsail._session import GuiSessionController, desktop_of
from dcvsessions.lightsail._states import SESSION_KINDS, SessionKind

__all__ = ["GuiSessionOutcome", "close_gui_sessions", "open_gui_sessions"]


@frozen(kw_only=True)
class GuiSessionOutcome:
    """The outcome for one virtual computer in a call for many.

    Attributes:
        name: The virtual computer.
        url: The URL. None if the call failed for this computer, or if the call closes sessions.
        error: Why the call failed for this computer. None if it succeeded.
    """

    name: str
    url: DcvUrl | None = None
    error: DcvSessionsError | None = None


@asynccontextmanager
async def open_gui_sessions(
    names: Iterable[str],
    *,
    kind: SessionKind = "application",
    timeout: float | None = OPEN_TIMEOUT,
    start_instance: bool = False,
    check_reachable: bool = False,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: LightsailClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[AsyncIterator[GuiSessionOutcome], None]:
    """Open the GUI sessions of many virtual computers, and yield each URL as soon as it works.

    Calls the operations of `open_gui_session()` for each computer, all with one client. For ten or
    more computers, one GetInstances replaces most calls of GetInstanceState, if the credentials
    allow it. The computers cost by the hour while they run. If one fails, the others are still
    opened.

    If you leave the block early, the waits end. The sessions that were started keep running,
    because stopping them loses unsaved work.

    Args:
        names: The virtual computers, each once.
        kind: The sessions of the computers' applications, or of their operating systems.
        timeout: Seconds that opening all of them may take. Default: 1800. None for no limit. The
            last polls are at the deadline, and may take 3 s more.
        start_instance: Whether to start the computers that are stopped.
        check_reachable: Whether to wait until the desktops' servers answer.
        poll_interval: Seconds between polls of a computer. Default: a schedule that fits the
            operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `LightsailClient`.
        profile_name: See `LightsailClient`.
        endpoint_url: See `LightsailClient`.

    Yields:
        An async iterator with one outcome for each computer, in the order in which they are ready.
        It ends after the last one. A URL is a bearer secret: whoever has it can use the desktop
        while the session lasts, which is an hour from its start.

    Raises:
        InvalidArgumentError: An argument is invalid. Nothing was sent.
        ClientStateError: `client` was closed during the block.
        DcvSessionsError: The client could not be opened. All other errors are in the outcomes.

    Example:
        >>> async with open_gui_sessions(["my-computer"]) as outcomes:
        ...     async for outcome in outcomes:
        ...         print(outcome.name, outcome.error or "is open")
    """
    wanted = checked_names(names, "names")
    checked_choice(kind, "kind", SESSION_KINDS)
    checked_boolean(start_instance, "start_instance")
    checked_boolean(check_reachable, "check_reachable")
    waiter = Waiter(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = Connection(LightsailClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as lightsail:
        running = RunningComputers(lightsail, len(wanted))

        async def work(name: str, member: Member[GuiSessionOutcome]) -> None:
            session = GuiSessionController(lightsail, name, running)
            started = await member.waiter.until(
                session.opening(kind=kind, start_instance=start_instance)
            )
            url = await session.url(started, member.waiter, check_reachable=check_reachable)
            await member.hand_over(GuiSessionOutcome(name=name, url=url))

        batch = Batch(
            name="GUI sessions", items=wanted, desktop=desktop_of, work=work, failed=_failed
        )
        async with outcomes_of(batch, waiter) as outcomes:
            yield outcomes


@asynccontextmanager
async def close_gui_sessions(
    names: Iterable[str],
    *,
    timeout: float | None = CLOSE_TIMEOUT,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: LightsailClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> AsyncGenerator[AsyncIterator[GuiSessionOutcome], None]:
    """Stop the GUI sessions of many virtual computers, and yield each outcome as it comes.

    Unsaved work in the sessions is lost. Calls the operations of `close_gui_session()` for each
    computer, all with one client. The computers themselves keep running, and cost by the hour. If
    one fails, the others are still stopped. If you leave the block early, the waits end.

    Args:
        names: The virtual computers, each once.
        timeout: Seconds that closing all of them may take. Default: 600. None for no limit. The
            last polls are at the deadline, and may take 3 s more.
        poll_interval: Seconds between polls of a computer. Default: a schedule that fits the
            operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `LightsailClient`.
        profile_name: See `LightsailClient`.
        endpoint_url: See `LightsailClient`.

    Yields:
        An async iterator with one outcome for each computer, in the order in which they are ready.
        Its `error` is None if the session is stopped.

    Raises:
        InvalidArgumentError: An argument is invalid. Nothing was sent.
        ClientStateError: `client` was closed during the block.
        DcvSessionsError: The client could not be opened. All other errors are in the outcomes.

    Example:
        >>> async with close_gui_sessions(["my-computer"]) as outcomes:
        ...     print([outcome.name async for outcome in outcomes if outcome.error])
    """
    wanted = checked_names(names, "names")
    waiter = Waiter(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = Connection(LightsailClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as lightsail:

        async def work(name: str, member: Member[GuiSessionOutcome]) -> None:
            await member.waiter.until(GuiSessionController(lightsail, name).closing())
            await member.hand_over(GuiSessionOutcome(name=name))

        batch = Batch(
            name="GUI sessions", items=wanted, desktop=desktop_of, work=work, failed=_failed
        )
        async with outcomes_of(batch, waiter) as outcomes:
            yield outcomes


def _failed(name: str, error: DcvSessionsError) -> GuiSessionOutcome:
    return GuiSessionOutcome(name=name, error=error)
