"""From a virtual computer's name to a usable URL, and back."""

from enum import StrEnum
from functools import partial

from attrs import frozen

from dcvsessions.arguments import checked_choice, checked_name
from dcvsessions.lightsail import lifecycle
from dcvsessions.lightsail.client import LightsailClient
from dcvsessions.lightsail.lifecycle import SessionKind, Sighting, Step
from dcvsessions.polling import Failed, Observation, OnProgress, Waiting
from dcvsessions.schedule import Schedule
from dcvsessions.url import DcvUrl

__all__ = ["KINDS", "OPEN_TIMEOUT", "Computer", "close_gui_session", "open_gui_session"]

# People report a few minutes for a session, and 10 to 20 for a new computer to be set up.
OPEN_TIMEOUT = 1800.0
CLOSE_TIMEOUT = 600.0
OPENING = Schedule(typical=120, shortest=2, longest=15)
CLOSING = Schedule(typical=30, shortest=2, longest=10)

KINDS: tuple[SessionKind, ...] = ("application", "operating_system")


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
    """Open the GUI session of a virtual computer, from whatever state it is in.

    Reads with CreateGUISessionAccessDetails, and with GetInstanceState where a start is due;
    starts with StartGUISession and, if asked to, StartInstance. The session lasts an hour and
    goes on after this returns; the computer costs by the hour while it runs.

    Args:
        name: The virtual computer.
        kind: The session of the computer's application, or of its operating system.
        timeout: Seconds to wait at most (30 minutes); None for no limit. At the deadline it is
            looked at one last time, which may take 3 s more.
        start_instance: Whether to start the computer if it is stopped.
        check_reachable: Whether to wait until the desktop's server answers, too.
        poll_interval: Seconds between polls, in place of a schedule that fits the operation.
        on_progress: Called with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `LightsailClient`.
        profile_name: As for `LightsailClient`.
        endpoint_url: As for `LightsailClient`.

    Returns:
        The URL: a bearer secret, good for who has it while the session lasts.

    Raises:
        WaitFailedError: Lightsail reports that it failed, or the computer is stopped.
        WaitTimeoutError: The timeout is over.
        DcvSessionsError: A call failed in a way that more waiting does not mend.

    Example:
        >>> url = await open_gui_session("my-computer")
        >>> url.open()
    """
    checked_name(name, "name")
    checked_choice(kind, "kind", KINDS)
    waiting = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    async with waiting.client(
        client,
        lambda: LightsailClient(
            region_name=region_name, profile_name=profile_name, endpoint_url=endpoint_url
        ),
    ) as lightsail:
        return await Computer(lightsail, name).open(
            waiting, kind=kind, start_instance=start_instance, check_reachable=check_reachable
        )


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
    """Stop the GUI session of a virtual computer and wait until it is. Unsaved work is lost.

    Reads with CreateGUISessionAccessDetails, stops with StopGUISession. The computer itself
    runs on, and costs.

    Args:
        name: The virtual computer.
        timeout: Seconds to wait at most (10 minutes); None for no limit.
        poll_interval: Seconds between polls, in place of a schedule that fits the operation.
        on_progress: Called with a `Progress` at each reading.
        client: An open client to use; without one, one is opened and closed.
        region_name: As for `LightsailClient`.
        profile_name: As for `LightsailClient`.
        endpoint_url: As for `LightsailClient`.

    Raises:
        WaitFailedError: Lightsail reports that it failed.
        WaitTimeoutError: The timeout is over.
        DcvSessionsError: A call failed in a way that more waiting does not mend.

    Example:
        >>> await close_gui_session("my-computer")
    """
    checked_name(name, "name")
    waiting = Waiting(timeout=timeout, poll_interval=poll_interval, on_progress=on_progress)
    async with waiting.client(
        client,
        lambda: LightsailClient(
            region_name=region_name, profile_name=profile_name, endpoint_url=endpoint_url
        ),
    ) as lightsail:
        await Computer(lightsail, name).close(waiting)


@frozen
class Computer:
    """A virtual computer as the loop handles it.

    Attributes:
        client: An open client.
        name: The computer's name.
    """

    client: LightsailClient
    name: str

    async def open(
        self, waiting: Waiting, *, kind: SessionKind, start_instance: bool, check_reachable: bool
    ) -> DcvUrl:
        """Bring the GUI session to a usable URL."""
        url = await waiting.until(
            resource=self._resource,
            awaited="started",
            observe=self._observe_with_instance,
            decide=partial(lifecycle.decide_open, kind=kind, start_instance=start_instance),
            act=self._act,
            schedule=OPENING,
        )
        if check_reachable:
            await waiting.reachable(url, self._resource)
        return url

    async def close(self, waiting: Waiting) -> None:
        """Bring the GUI session to its end."""
        await waiting.until(
            resource=self._resource,
            awaited="stopped",
            observe=self._observe,
            decide=lifecycle.decide_close,
            act=self._act,
            schedule=CLOSING,
        )

    @property
    def _resource(self) -> str:
        return f"GUI session of {self.name}"

    async def _observe(self) -> Observation[Sighting]:
        details = await self.client.create_gui_session_access_details(self.name)
        return lifecycle.observation(Sighting(details))

    async def _observe_with_instance(self) -> Observation[Sighting]:
        details = await self.client.create_gui_session_access_details(self.name)
        if not lifecycle.needs_instance(details):
            return lifecycle.observation(Sighting(details))
        state = await self.client.get_instance_state(self.name)
        return lifecycle.observation(Sighting(details, state))

    async def _act(self, step: StrEnum) -> Failed | None:
        operations = await {
            Step.START_INSTANCE: self.client.start_instance,
            Step.START_SESSION: self.client.start_gui_session,
            Step.STOP_SESSION: self.client.stop_gui_session,
        }[Step(step)](self.name)
        return lifecycle.operation_failure(operations)
