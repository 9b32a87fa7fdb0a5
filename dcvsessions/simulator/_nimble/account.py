"""What the simulated Nimble Studio holds, and how its resources change with time."""

import math

from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._environment import Environment
from dcvsessions.simulator._nimble.client_tokens import ClientTokens
from dcvsessions.simulator._nimble.resources import Session, Stream, Studio
from dcvsessions.simulator._store import Store
from dcvsessions.simulator._time.plan import PlanQueue, transition
from dcvsessions.simulator._time.timeline import Phase, Timeline, rounded
from dcvsessions.simulator._time.timings import TransitionName

__all__ = ["IN_PROGRESS", "NimbleAccount"]

_DELETED_LIMIT = 1000

# The transition that each operation starts: the state during it, its name, and its goal.
_TRANSITIONS: dict[str, tuple[str, TransitionName, str]] = {
    "CreateStreamingSession": ("CREATE_IN_PROGRESS", "session_create", "READY"),
    "StartStreamingSession": ("START_IN_PROGRESS", "session_start", "READY"),
    "StopStreamingSession": ("STOP_IN_PROGRESS", "session_stop", "STOPPED"),
    "DeleteStreamingSession": ("DELETE_IN_PROGRESS", "session_delete", "DELETED"),
    "CreateStreamingSessionStream": ("CREATE_IN_PROGRESS", "stream_create", "READY"),
}
IN_PROGRESS = frozenset(state for state, _, _ in _TRANSITIONS.values())


class NimbleAccount:
    """The studios, sessions and streams, and the plans of the next transitions."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.clear()

    def clear(self) -> None:
        """Remove everything."""
        self.studios: dict[str, Studio] = {}
        self.sessions: Store[Session] = Store(self.environment.stale_reads)
        self.client_tokens = ClientTokens()
        self.streams: dict[str, Store[Stream]] = {}  # by session id
        self.plans = {operation: PlanQueue() for operation in _TRANSITIONS}
        self.is_held = False
        self._created = 0

    def next_number(self) -> int:
        """Return the number of the session or stream that is created now."""
        self._created += 1
        return self._created

    def add_session(self, session: Session) -> None:
        """Store a session that was just created."""
        self.sessions.write(session.session_id, session, None, session.created)
        self.streams[session.session_id] = Store(self.environment.stale_reads)

    def desktops(self) -> list[Desktop]:
        """Return the desktops that can be opened now: `READY` streams of `READY` sessions."""
        now = self.environment.clock.now()
        return [
            Desktop(
                service="Nimble Studio",
                title=session.studio_id,
                shows=f"A streaming session of the launch profile {session.launch_profile_id}",
                session_id=session.session_id,
                token=stream.token,
                ends=min(stream.timeline.ends(now), session.timeline.ends(now)),
            )
            for session in self.sessions.all_current()
            if session.timeline.at(now).state == "READY"
            for stream in self.streams[session.session_id].all_current()
            if stream.timeline.at(now).state == "READY"
        ]

    def is_forgotten(self, session: Session) -> bool:
        """Whether a session was deleted so long ago that it cannot be read any more."""
        now = self.environment.clock.now()
        deleted = session.timeline.began("DELETED", now)
        kept = self.environment.timings.deleted_session_kept
        return deleted is not None and now >= rounded(deleted + kept)

    def remove_deleted(self) -> None:
        """Remove the deleted sessions that are forgotten, or too many."""
        now = self.environment.clock.now()
        deleted = [
            session
            for session in self.sessions.all_current()
            if session.timeline.at(now).state == "DELETED"
        ]
        excess = max(0, len(deleted) - _DELETED_LIMIT)
        for index, session in enumerate(deleted):
            if index < excess or self.is_forgotten(session):
                self.sessions.remove(session.session_id)
                self.streams.pop(session.session_id, None)

    def transition(self, operation: str) -> tuple[Phase, ...]:
        """Write down the transition that an operation starts now."""
        state, name, goal = _TRANSITIONS[operation]
        return transition(
            state,
            goal,
            begins=self.environment.clock.now(),
            seconds=math.inf if self.is_held else self.environment.duration(name),
            plan=self.plans[operation].take(),
        )

    def session_timeline(self, operation: str) -> Timeline:
        """Write down the future of a session after an operation.

        The service stops a session that runs for too long, and deletes one that is stopped for
        too long.
        """
        phases, timings = self.transition(operation), self.environment.timings
        if phases[-1].state == "READY":
            stops = phases[-1].begins + timings.session_lifetime
            phases = (*phases, *self._by_the_service("StopStreamingSession", stops))
        if phases[-1].state == "STOPPED":
            ends = phases[-1].begins + timings.stopped_session_lifetime
            phases = (*phases, *self._by_the_service("DeleteStreamingSession", ends))
        return Timeline(phases)

    def _by_the_service(self, operation: str, begins: float) -> tuple[Phase, ...]:
        state, name, goal = _TRANSITIONS[operation]
        return transition(state, goal, begins=begins, seconds=self.environment.duration(name))

    def stream_phases(self, closes: float) -> tuple[Phase, ...]:
        """Write down the future of a stream that is created now.

        A stream whose creation fails stays failed. Any other stream is deleted when it closes.

        Args:
            closes: The instant at which it expires or its session ends.
        """
        phases = self.transition("CreateStreamingSessionStream")
        if phases[-1].state != "READY":
            return phases
        begun = [phase for phase in phases if phase.begins < closes]
        return (*begun, Phase(state="DELETED", begins=closes))
