"""The goals of a GUI session: how a wait reads it, changes it and decides."""

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

from dcvsessions._aws.client import poll_delay
from dcvsessions._wait.decisions import Failed, Observation
from dcvsessions._wait.instant import date_in
from dcvsessions._wait.loop import Goal, Waiter
from dcvsessions._wait.schedule import Schedule
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.lightsail._client import LightsailClient
from dcvsessions.lightsail._states import (
    Reading,
    SessionKind,
    StartedSession,
    Step,
    decide_close,
    decide_open,
    needs_instance,
    observation,
    operation_failure,
)

if TYPE_CHECKING:  # only the call for many loads it
    from dcvsessions.lightsail._running import RunningComputers

__all__ = ["SESSION_LIFETIME", "GuiSessionController", "desktop_of"]

# Seconds. AWS documents that a session is active for one hour.
SESSION_LIFETIME = 3600.0
# Nobody publishes how long these take. People report a few minutes for opening.
_OPENING = Schedule(quartile=75, shortest=9.6, longest=30)
_CLOSING = Schedule(shortest=5, longest=10)


def desktop_of(name: str) -> str:
    """Return the name of a computer's GUI session in events and errors."""
    return f"GUI session of {name}"


@frozen(eq=False, repr=False)
class GuiSessionController:
    """Reads and changes the GUI session of one virtual computer, with an open client.

    If there are many, `running` knows which computers run.
    """

    client: LightsailClient
    name: str
    running: "RunningComputers | None" = None

    def opening(
        self, *, kind: SessionKind, start_instance: bool, renew_before: float = 0.0
    ) -> Goal[Reading, StartedSession]:
        """Return the goal of a usable URL."""
        return Goal(
            resource=desktop_of(self.name),
            awaited=f"started with a URL for the {kind.replace('_', ' ')}",
            observe=self._observe_with_instance,
            decide=partial(
                decide_open, kind=kind, start_instance=start_instance, renew_before=renew_before
            ),
            take=self._take,
            schedule=_OPENING,
            delay=partial(poll_delay, self.client),
        )

    def closing(self) -> Goal[Reading, None]:
        """Return the goal of a session that is stopped."""
        return Goal(
            resource=desktop_of(self.name),
            awaited="stopped",
            observe=self._observe,
            decide=decide_close,
            take=self._take,
            schedule=_CLOSING,
            delay=partial(poll_delay, self.client),
        )

    async def url(
        self, started: StartedSession, waiter: Waiter, *, check_reachable: bool
    ) -> DcvUrl:
        """Return the URL of a session that a wait has opened, with the date at which it expires.

        The date is left out if the session was started before the wait.

        Args:
            started: The session.
            waiter: The wait.
            check_reachable: Whether to wait until the desktop's server answers, too.
        """
        if check_reachable:
            await waiter.reachable(started.url, desktop_of(self.name))
        if started.not_started_at is None:
            return started.url
        age = waiter.elapsed - started.not_started_at
        return DcvUrl(started.url, expires_at=date_in(SESSION_LIFETIME - age))

    async def _observe(self) -> Observation[Reading]:
        return observation(Reading(await self.client.create_gui_session_access_details(self.name)))

    async def _observe_with_instance(self) -> Observation[Reading]:
        details = await self.client.create_gui_session_access_details(self.name)
        if not needs_instance(details) or await self._is_listed_as_running():
            return observation(Reading(details))
        return observation(Reading(details, await self.client.get_instance_state(self.name)))

    async def _is_listed_as_running(self) -> bool:
        return self.running is not None and await self.running.lists(self.name)

    async def _take(self, step: StrEnum) -> Failed | None:
        match step:
            case Step.START_INSTANCE:
                return operation_failure(await self.client.start_instance(self.name))
            case Step.START_SESSION:
                return operation_failure(await self.client.start_gui_session(self.name))
            case _:
                return operation_failure(await self.client.stop_gui_session(self.name))
