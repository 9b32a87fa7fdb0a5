"""A virtual computer as the reconcile loop handles it."""

import asyncio
from enum import StrEnum
from functools import partial

from attrs import define, field

from dcvsessions._wait.decisions import Failed, Observation
from dcvsessions._wait.loop import Waiting
from dcvsessions._wait.schedule import Schedule
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.lightsail import states
from dcvsessions.lightsail.client import LightsailClient
from dcvsessions.lightsail.models import GuiSessionStatus
from dcvsessions.lightsail.states import SessionKind, Sighting, Step

__all__ = ["SESSION_LIFETIME", "Computer"]

OPENING = Schedule(typical=120, shortest=2, longest=15)
CLOSING = Schedule(typical=30, shortest=2, longest=10)


# Documented: a session is active for one hour.
SESSION_LIFETIME = 3600.0


@define
class Computer:
    """A virtual computer on its way to a session, and to the end of it.

    Attributes:
        client: An open client.
        name: The computer's name.
        state: The state at the last reading.
        started: Between which two instants of the loop's clock the session came to be started,
            if that was seen.
    """

    client: LightsailClient
    name: str
    state: str | None = None
    started: tuple[float, float] | None = None
    _last_not_started: float | None = field(default=None, init=False)

    async def open(
        self,
        waiting: Waiting,
        *,
        kind: SessionKind,
        start_instance: bool,
        renew_before: float = 0.0,
    ) -> DcvUrl:
        """Bring the GUI session to a usable URL."""
        return await waiting.until(
            resource=self.resource,
            awaited="started",
            observe=self._observe_with_instance,
            decide=partial(
                states.decide_open,
                kind=kind,
                start_instance=start_instance,
                renew_before=renew_before,
            ),
            act=self._act,
            schedule=OPENING,
        )

    async def close(self, waiting: Waiting) -> None:
        """Bring the GUI session to its end."""
        await waiting.until(
            resource=self.resource,
            awaited="stopped",
            observe=self._observe,
            decide=states.decide_close,
            act=self._act,
            schedule=CLOSING,
        )

    @property
    def resource(self) -> str:
        """What to call it in events and errors."""
        return f"GUI session of {self.name}"

    async def _observe(self) -> Observation[Sighting]:
        details = await self.client.create_gui_session_access_details(self.name)
        return self._note(Sighting(details))

    async def _observe_with_instance(self) -> Observation[Sighting]:
        details = await self.client.create_gui_session_access_details(self.name)
        if not states.needs_instance(details):
            return self._note(Sighting(details))
        state = await self.client.get_instance_state(self.name)
        return self._note(Sighting(details, state))

    def _note(self, sighting: Sighting) -> Observation[Sighting]:
        seen = states.observation(sighting)
        now = asyncio.get_running_loop().time()
        self.state = seen.state
        if sighting.details.status is not GuiSessionStatus.STARTED:
            self._last_not_started = now
            self.started = None
        elif self._last_not_started is not None and self.started is None:
            self.started = (self._last_not_started, now)
        return seen

    async def _act(self, step: StrEnum) -> Failed | None:
        operations = await {
            Step.START_INSTANCE: self.client.start_instance,
            Step.START_SESSION: self.client.start_gui_session,
            Step.STOP_SESSION: self.client.stop_gui_session,
        }[Step(step)](self.name)
        return states.operation_failure(operations)
