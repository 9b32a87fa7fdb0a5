"""Studios, streaming sessions and streams. Pure: the caller passes the current instant."""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from dcvsessions.simulator._environment import USER_ID
from dcvsessions.simulator._protocol.wire import Written
from dcvsessions.simulator._time.timeline import Timeline

__all__ = ["SESSION_CODES", "LaunchProfile", "Session", "SessionView", "Stream", "Studio"]

# The status code that goes with each state of a session.
SESSION_CODES = {
    "CREATE_IN_PROGRESS": "STREAMING_SESSION_CREATE_IN_PROGRESS",
    "START_IN_PROGRESS": "STREAMING_SESSION_START_IN_PROGRESS",
    "READY": "STREAMING_SESSION_READY",
    "STOP_IN_PROGRESS": "STREAMING_SESSION_STOP_IN_PROGRESS",
    "STOPPED": "STREAMING_SESSION_STOPPED",
    "DELETE_IN_PROGRESS": "STREAMING_SESSION_DELETE_IN_PROGRESS",
    "DELETED": "STREAMING_SESSION_DELETED",
}


@frozen(kw_only=True)
class Studio:
    """A studio.

    Attributes:
        number: Its place in the order of creation.
        studio_id: Its id.
        created: The instant of its creation.
        launch_profiles: The ids of its launch profiles.
        session_quota: The most sessions at a time; None for any number.
        ec2_instance_type: The default instance type of sessions.
        streaming_image_id: The default image of sessions.
    """

    number: int
    studio_id: str
    created: float
    launch_profiles: tuple[str, ...]
    session_quota: int | None
    ec2_instance_type: str
    streaming_image_id: str

    def profiles(self) -> list["LaunchProfile"]:
        """Return its launch profiles, in order."""
        return [
            LaunchProfile(number=number, launch_profile_id=each, studio=self)
            for number, each in enumerate(self.launch_profiles)
        ]


@frozen(kw_only=True)
class LaunchProfile:
    """A launch profile of a studio.

    Attributes:
        number: Its place in the studio.
        launch_profile_id: Its id.
        studio: Its studio.
    """

    number: int
    launch_profile_id: str
    studio: Studio


@frozen(kw_only=True)
class Stream:
    """A stream of a streaming session.

    Attributes:
        number: Its place in the order of creation.
        stream_id: Its id.
        session_id: Its session.
        owned_by: The user that owns the session.
        created: The instant of its creation.
        expires: The instant at which it expires.
        timeline: Its states.
        token: The secret of its URL.
    """

    number: int
    stream_id: str
    session_id: str
    owned_by: str
    created: float
    expires: float
    timeline: Timeline
    token: str = field(repr=False)


@frozen(kw_only=True)
class SessionView:
    """What a test can assert of a streaming session: a snapshot.

    Attributes:
        session_id: Its id.
        studio_id: Its studio.
        launch_profile_id: Its launch profile.
        state: Its state, such as `READY`.
        status_code: Its status code.
        status_message: Its status message.
        created_by: The user that created it.
        owned_by: The user that owns it.
        ec2_instance_type: Its instance type.
        tags: Its tags.
        percentage_complete: The progress of a transition, which the API does not report.
        streams: The state of each of its streams, by stream id.
    """

    session_id: str
    studio_id: str
    launch_profile_id: str
    state: str
    status_code: str | None
    status_message: str | None
    created_by: str
    owned_by: str
    ec2_instance_type: str
    tags: Mapping[str, str]
    percentage_complete: int | None
    streams: Mapping[str, str]


@frozen(kw_only=True)
class Session:
    """A streaming session.

    Attributes:
        number: Its place in the order of creation.
        session_id: Its id.
        studio_id: Its studio.
        launch_profile_id: Its launch profile.
        ec2_instance_type: Its instance type.
        streaming_image_id: Its image.
        owned_by: The user that logs in to it.
        tags: Its tags.
        created: The instant of its creation.
        timeline: Its states.
        started: The instant of its last start.
        stopped: The instant of its last stop by a request.
        ready_code: The status code that it has in `READY`.
        volume_retention_mode: Whether its volume is kept when it is stopped.
        started_from_backup_id: The backup of its last start.
        descriptions: How the API describes it in each phase of the timeline, if somebody has asked.
            A description depends on the time only by its phase.
    """

    number: int
    session_id: str
    studio_id: str
    launch_profile_id: str
    ec2_instance_type: str
    streaming_image_id: str
    owned_by: str
    tags: Mapping[str, str]
    created: float
    timeline: Timeline
    started: float
    stopped: float | None = None
    ready_code: str = "STREAMING_SESSION_READY"
    volume_retention_mode: str = "RETAIN"
    started_from_backup_id: str | None = None
    descriptions: dict[int, Written] = field(
        factory=dict[int, Written], init=False, eq=False, repr=False
    )

    def frozen_at(self, now: float) -> "Session":
        """Return the session as it is now, for ever."""
        return evolve(self, timeline=self.timeline.frozen_at(now))

    def last_stop(self, now: float) -> float | None:
        """Return the instant at which it last began to stop, by a request or by the service."""
        began = self.timeline.began("STOP_IN_PROGRESS", now)
        return self.stopped if began is None else began

    def status_code(self, now: float) -> str | None:
        """Return the phase's own status code, or else the one that goes with the state, if any."""
        phase = self.timeline.at(now)
        if phase.code is None and phase.state == "READY":
            return self.ready_code
        return phase.code or SESSION_CODES.get(phase.state)

    def view(self, now: float, streams: list[Stream]) -> SessionView:
        """Return a snapshot of the session and its streams."""
        phase = self.timeline.at(now)
        return SessionView(
            session_id=self.session_id,
            studio_id=self.studio_id,
            launch_profile_id=self.launch_profile_id,
            state=phase.state,
            status_code=self.status_code(now),
            status_message=phase.message,
            created_by=USER_ID,
            owned_by=self.owned_by,
            ec2_instance_type=self.ec2_instance_type,
            tags=self.tags,
            percentage_complete=(
                self.timeline.percentage(now) if phase.state.endswith("_IN_PROGRESS") else None
            ),
            streams={stream.stream_id: stream.timeline.at(now).state for stream in streams},
        )
