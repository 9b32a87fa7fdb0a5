"""The helpers that open and close the GUI session of a virtual computer."""

from dcvsessions._arguments import checked_boolean, checked_choice, checked_name
from dcvsessions._aws.connection import Connection
from dcvsessions._wait.listener import OnProgress
from dcvsessions._wait.loop import Waiter
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.lightsail._client import LightsailClient
from dcvsessions.lightsail._session import GuiSessionController
from dcvsessions.lightsail._states import SESSION_KINDS, SessionKind

__all__ = ["CLOSE_TIMEOUT", "OPEN_TIMEOUT", "close_gui_session", "open_gui_session"]

# People report a few minutes for a session, and 10 to 20 for a new computer to be set up.
OPEN_TIMEOUT = 1800.0
CLOSE_TIMEOUT = 600.0


async def open_gui_session(
    name: str,
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
) -> DcvUrl:
    """Open the GUI session of a virtual computer, whatever state the session is in.

    If the computer itself is stopped, it is started only if `start_instance` is set; otherwise the
    call fails.

    Reads with CreateGUISessionAccessDetails, and before a start with GetInstanceState. Starts with
    StartGUISession and, if `start_instance` is set, StartInstance. The session lasts one hour, even
    after this call returns. The computer costs by the hour while it runs.

    Args:
        name: The virtual computer.
        kind: The session of the computer's application, or of its operating system.
        timeout: Seconds to wait at most. Default: 1800. None for no limit. The last poll is at
            the deadline, and may take 3 s more.
        start_instance: Whether to start the computer if it is stopped.
        check_reachable: Whether to wait until the desktop's server answers.
        poll_interval: Seconds between polls. Default: a schedule that fits the operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `LightsailClient`.
        profile_name: See `LightsailClient`.
        endpoint_url: See `LightsailClient`.

    Returns:
        The URL. It is a bearer secret: whoever has it can use the desktop while the session lasts.
        `url.expires_at` is None if the session was already started, because Lightsail does not say
        when it was started.

    Raises:
        WaitFailedError: Lightsail reports that the start failed, or the computer is stopped.
        WaitTimeoutError: The timeout is over.
        UnreachableError: `check_reachable` is set, and the desktop's server does not answer.
        DcvSessionsError: A call failed with an error that is not temporary.

    Example:
        >>> url = await open_gui_session("my-computer")
        >>> url.open()
    """
    checked_name(name, "name")
    checked_choice(kind, "kind", SESSION_KINDS)
    checked_boolean(start_instance, "start_instance")
    checked_boolean(check_reachable, "check_reachable")
    waiter = Waiter(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = Connection(LightsailClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as lightsail:
        session = GuiSessionController(lightsail, name)
        started = await waiter.until(session.opening(kind=kind, start_instance=start_instance))
        return await session.url(started, waiter, check_reachable=check_reachable)


async def close_gui_session(
    name: str,
    *,
    timeout: float | None = CLOSE_TIMEOUT,
    poll_interval: float | None = None,
    on_progress: OnProgress | None = None,
    client: LightsailClient | None = None,
    region_name: str | None = None,
    profile_name: str | None = None,
    endpoint_url: str | None = None,
) -> None:
    """Stop the GUI session of a virtual computer, and wait until it is stopped.

    Unsaved work in the session is lost. Reads with CreateGUISessionAccessDetails, and stops with
    StopGUISession. The computer itself keeps running, and costs by the hour.

    Args:
        name: The virtual computer.
        timeout: Seconds to wait at most. Default: 600. None for no limit. The last poll is at
            the deadline, and may take 3 s more.
        poll_interval: Seconds between polls. Default: a schedule that fits the operation.
        on_progress: Called with a `Progress` after each reading and each change. A coroutine
            is awaited.
        client: An open client to use. Default: a new one, which is closed at the end.
        region_name: See `LightsailClient`.
        profile_name: See `LightsailClient`.
        endpoint_url: See `LightsailClient`.

    Raises:
        WaitFailedError: Lightsail reports that the stop failed.
        WaitTimeoutError: The timeout is over.
        DcvSessionsError: A call failed with an error that is not temporary.

    Example:
        >>> await close_gui_session("my-computer")
    """
    checked_name(name, "name")
    waiter = Waiter(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    connection = Connection(LightsailClient, client, region_name, profile_name, endpoint_url)
    async with connection, connection.opened(waiter.entered) as lightsail:
        await waiter.until(GuiSessionController(lightsail, name).closing())
