"""The simulated Nimble Studio as a test sees it: what it sets up, forces and asserts."""

from collections.abc import Sequence

from attrs import evolve

from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._environment import locked
from dcvsessions.simulator._nimble.account import IN_PROGRESS, NimbleAccount
from dcvsessions.simulator._nimble.resources import SessionView, Studio
from dcvsessions.simulator._time.plan import TransitionPlan
from dcvsessions.simulator._time.timeline import Phase, Timeline

__all__ = ["NimbleSimulator"]

# The operation whose transition ends in each failed state.
_FAILURES = {
    "START_FAILED": "StartStreamingSession",
    "STOP_FAILED": "StopStreamingSession",
    "DELETE_FAILED": "DeleteStreamingSession",
}
_DEFAULT_CODE = "INTERNAL_ERROR"


class NimbleSimulator:
    """The simulated Nimble Studio, as `Simulator.nimble` gives it."""

    def __init__(self, account: NimbleAccount) -> None:
        self._account = account
        self._environment = account.environment

    @locked
    def add_studio(
        self,
        studio_id: str,
        *,
        launch_profiles: Sequence[str] = ("lp-1",),
        session_quota: int | None = None,
        ec2_instance_type: str = "g4dn.xlarge",
        streaming_image_id: str = "image-1",
    ) -> None:
        """Add a studio.

        Args:
            studio_id: Its id.
            launch_profiles: The ids of its launch profiles.
            session_quota: The most sessions at a time; None for any number. A session counts
                until it is `DELETED`.
            ec2_instance_type: The default instance type of sessions.
            streaming_image_id: The default image of sessions.

        Raises:
            ValueError: There is already a studio of that id.
        """
        if studio_id in self._account.studios:
            raise ValueError(f"There is a studio {studio_id!r} already")
        self._account.studios[studio_id] = Studio(
            number=len(self._account.studios),
            studio_id=studio_id,
            created=self._environment.clock.now(),
            launch_profiles=tuple(launch_profiles),
            session_quota=session_quota,
            ec2_instance_type=ec2_instance_type,
            streaming_image_id=streaming_image_id,
        )

    @property
    @locked
    def sessions(self) -> dict[str, SessionView]:
        """The streaming sessions by id, oldest first, each as it is now; deleted ones too."""
        now = self._environment.clock.now()
        return {
            session.session_id: session.view(
                now, self._account.streams[session.session_id].all_current()
            )
            for session in self._account.sessions.all_current()
        }

    @property
    def alive(self) -> list[str]:
        """The ids of the sessions that are neither deleted nor being deleted, oldest first."""
        gone = {"DELETE_IN_PROGRESS", "DELETED"}
        return [key for key, session in self.sessions.items() if session.state not in gone]

    @locked
    def plan(self, operation: str, *plans: TransitionPlan) -> None:
        """Plan how the next transitions of sessions or streams go.

        Args:
            operation: The operation that starts them: `CreateStreamingSession`,
                `StartStreamingSession`, `StopStreamingSession`, `DeleteStreamingSession` or
                `CreateStreamingSessionStream`.
            *plans: One for each of the next transitions. Later transitions go as usual.

        Raises:
            ValueError: The operation starts no transition.

        Example:
            >>> sim.nimble.plan("CreateStreamingSession", TransitionPlan(seconds=300))
        """
        if operation not in self._account.plans:
            known = ", ".join(self._account.plans)
            raise ValueError(f"operation must be one of {known}; not {operation!r}")
        for plan in plans:
            self._account.plans[operation].add(plan)

    @locked
    def fail_sessions(
        self,
        *,
        status_code: str = _DEFAULT_CODE,
        state: str = "CREATE_FAILED",
        message: str | None = None,
        times: int | None = 1,
    ) -> None:
        """Let the next transitions of sessions end in another state than usual.

        Args:
            status_code: The `statusCode` that goes with the state.
            state: The state. `START_FAILED`, `STOP_FAILED` and `DELETE_FAILED` end those
                transitions; any other state ends a creation.
            message: The `statusMessage` that goes with the state.
            times: How many transitions; None for all later ones.
        """
        operation = _FAILURES.get(state, "CreateStreamingSession")
        self._account.plans[operation].add(
            TransitionPlan(ends=state, code=status_code, message=message, times=times)
        )

    @locked
    def fail_streams(
        self,
        *,
        status_code: str = _DEFAULT_CODE,
        state: str = "CREATE_FAILED",
        times: int | None = 1,
    ) -> None:
        """Let the creation of the next streams end in another state than usual.

        Args:
            status_code: The `statusCode` that goes with the state.
            state: The state.
            times: How many streams; None for all later ones.
        """
        self._account.plans["CreateStreamingSessionStream"].add(
            TransitionPlan(ends=state, code=status_code, times=times)
        )

    @locked
    def set_state(
        self,
        session_id: str,
        state: str,
        *,
        status_code: str | None = None,
        message: str | None = None,
    ) -> None:
        """Force the state of a session. It stays until a request changes it.

        Args:
            session_id: The session.
            state: Any state, even one that is not in the service model.
            status_code: The `statusCode`; None for the usual one of the state.
            message: The `statusMessage`.

        Raises:
            KeyError: There is no such session.
        """
        session = self._account.sessions.current(session_id)
        if session is None:
            raise KeyError(f"There is no session {session_id!r} in the simulator")
        now = self._environment.clock.now()
        phase = Phase(state=state, begins=now, code=status_code, message=message)
        forced = evolve(session, timeline=Timeline((phase,)), stopped=session.last_stop(now))
        self._account.sessions.write_visibly(session_id, forced)

    @locked
    def hold(self) -> None:
        """Freeze running transitions, and those that start later, until `release`.

        This concerns all sessions and streams. A frozen transition does not continue after
        `release`: a request or `set_state` ends it.
        """
        self._account.is_held = True
        now = self._environment.clock.now()
        for session in self._account.sessions.all_current():
            timeline = session.timeline.frozen_in_transition(now, IN_PROGRESS)
            self._account.sessions.replace(session.session_id, evolve(session, timeline=timeline))
        for streams in self._account.streams.values():
            for stream in streams.all_current():
                timeline = stream.timeline.frozen_in_transition(now, IN_PROGRESS)
                streams.replace(stream.stream_id, evolve(stream, timeline=timeline))

    @locked
    def release(self) -> None:
        """Let transitions that start from now on end again."""
        self._account.is_held = False

    @locked
    def desktops(self) -> list[Desktop]:
        """List the desktops that can be opened now.

        Returns:
            One for each stream that is `READY`, of a session that is `READY`.
        """
        return self._account.desktops()
