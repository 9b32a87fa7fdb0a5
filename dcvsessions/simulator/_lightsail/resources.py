"""Virtual computers and the operations on them. Pure: the caller passes the current instant."""

from collections.abc import Mapping

from attrs import evolve, field, frozen

from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._time.timeline import Timeline
from dcvsessions.simulator._time.timings import TransitionName

__all__ = [
    "APPLICATION",
    "GUI_TRANSITIONS",
    "POWER_TRANSITIONS",
    "STATE_CODES",
    "Instance",
    "InstanceView",
    "OperationRecord",
]

# The codes of instance states, as documented for EC2.
STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}

# The DCV session ids of the two GUI sessions of an instance.
APPLICATION = "application"
OPERATING_SYSTEM = "operating-system"

# The states during a transition: which transition it is, and the state that it leads to.
GUI_TRANSITIONS: dict[str, tuple[TransitionName, str]] = {
    "settingUpInstance": ("instance_setup", "notStarted"),
    "starting": ("gui_start", "started"),
    "stopping": ("gui_stop", "stopped"),
}
POWER_TRANSITIONS: dict[str, tuple[TransitionName, str]] = {
    "pending": ("instance_start", "running"),
    "stopping": ("instance_stop", "stopped"),
}


@frozen(kw_only=True)
class OperationRecord:
    """An operation on an instance.

    Attributes:
        number: Its place in the order of creation.
        id: Its id.
        type: The operation type, such as `StartGUISession`.
        resource_name: The instance.
        created: The instant of the request.
        begins: Until this instant it is `NotStarted`.
        ends: From this instant on it is terminal.
        error_code: The error code if it fails; None if it succeeds.
        error_details: The details of the error.
    """

    number: int
    id: str
    type: str
    resource_name: str
    created: float
    begins: float
    ends: float
    error_code: str | None = None
    error_details: str | None = None

    def status(self, now: float) -> tuple[str, float]:
        """Return the status, and the instant at which it began."""
        if now >= self.ends:
            return ("Failed" if self.error_code else "Succeeded"), self.ends
        return ("Started", self.begins) if now >= self.begins else ("NotStarted", self.created)


@frozen(kw_only=True)
class InstanceView:
    """What a test can assert of a virtual computer: a snapshot.

    Attributes:
        name: Its name.
        state: The state of the instance, such as `running`.
        status: The status of its GUI session, such as `started`.
        percentage_complete: The progress of a transition of the GUI session.
        failure_reason: Why the GUI session failed.
        public_ip_address: Its address; None unless the instance is pending or running.
        tags: Its tags.
    """

    name: str
    state: str
    status: str
    percentage_complete: int | None
    failure_reason: str | None
    public_ip_address: str | None
    tags: Mapping[str, str]


@frozen(kw_only=True)
class Instance:
    """A virtual computer.

    Attributes:
        number: Its place in the order of creation.
        name: Its name.
        uuid: The last part of its ARN.
        created: The instant of its creation.
        power: The states of the instance.
        gui: The statuses of its GUI session.
        tokens: The secrets of its two URLs: application and operating system.
        address: The last part of its public IP address.
        tags: Its tags.
        blueprint_id: The blueprint.
        blueprint_name: The name of the application.
        bundle_id: The bundle.
        is_held: Whether its transitions never end.
        operations: The id of the latest operation of each type.
    """

    number: int
    name: str
    uuid: str
    created: float
    power: Timeline
    gui: Timeline
    tokens: tuple[str, str] = field(repr=False)
    address: int
    tags: Mapping[str, str]
    blueprint_id: str
    blueprint_name: str
    bundle_id: str
    is_held: bool = False
    operations: Mapping[str, str] = field(factory=dict[str, str])

    def frozen_at(self, now: float) -> "Instance":
        """Return the instance as it is now, for ever."""
        return evolve(self, power=self.power.frozen_at(now), gui=self.gui.frozen_at(now))

    def desktops(self, now: float) -> tuple[Desktop, ...]:
        """Return its two desktops while the GUI session is started."""
        is_running = self.power.at(now).state == "running"
        if not is_running or self.gui.at(now).state != "started":
            return ()
        shown = (
            (APPLICATION, f"The application {self.blueprint_name}"),
            (OPERATING_SYSTEM, "The desktop of its operating system"),
        )
        ends = min(self.gui.ends(now), self.power.ends(now))
        return tuple(
            Desktop(
                service="Lightsail for Research",
                title=self.name,
                shows=shows,
                session_id=session_id,
                token=token,
                ends=ends,
            )
            for (session_id, shows), token in zip(shown, self.tokens, strict=True)
        )

    def view(self, now: float) -> InstanceView:
        """Return a snapshot."""
        state, gui = self.power.at(now).state, self.gui.at(now)
        address = f"203.0.113.{self.address % 254 + 1}"  # TEST-NET-3 of RFC 5737
        return InstanceView(
            name=self.name,
            state=state,
            status=gui.state,
            percentage_complete=self._percentage(now),
            failure_reason=gui.message,
            public_ip_address=address if state in {"pending", "running"} else None,
            tags=self.tags,
        )

    def _percentage(self, now: float) -> int | None:
        status = self.gui.at(now).state
        if status == "started":
            return 100
        return self.gui.percentage(now) if status in GUI_TRANSITIONS else None
