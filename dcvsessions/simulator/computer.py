"""Virtual computers and the operations on them: what they are, and how the API describes them.

Pure: instants come in as arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator.timeline import Timeline
from dcvsessions.simulator.world import ACCOUNT_ID, Desktop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcvsessions.simulator.timings import Transition
    from dcvsessions.simulator.wire import Value
    from dcvsessions.simulator.world import World

#: The codes of instance states, as documented for EC2.
STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}

#: The DCV session ids of the two desktops of a computer.
APPLICATION = "application"
OPERATING_SYSTEM = "operating-system"

#: What is in progress in a state, and where it leads.
GUI_TRANSITIONS: dict[str, tuple[Transition, str]] = {
    "settingUpInstance": ("instance_setup", "notStarted"),
    "starting": ("gui_start", "started"),
    "stopping": ("gui_stop", "stopped"),
}
POWER_TRANSITIONS: dict[str, tuple[Transition, str]] = {
    "pending": ("instance_start", "running"),
    "stopping": ("instance_stop", "stopped"),
}
#: What the computers have in common. The open ports are documented; the machine is made up.
_MACHINE: Mapping[str, Value] = {
    "hardware": {
        "cpuCount": 4,
        "ramSizeInGb": 8.0,
        "disks": [
            {"path": "/dev/sda1", "sizeInGb": 50, "isSystemDisk": True, "isAttached": True},
        ],
    },
    "networking": {
        "monthlyTransfer": {"gbPerMonthAllocated": 1024},
        "ports": [
            {
                "fromPort": port,
                "toPort": port,
                "protocol": "tcp",
                "accessFrom": "Anywhere (0.0.0.0/0)",
                "accessType": "Public",
                "accessDirection": "inbound",
                "cidrs": ["0.0.0.0/0"],
            }
            for port in (22, 80, 443, 8443)
        ],
    },
    "metadataOptions": {
        "state": "applied",
        "httpTokens": "optional",
        "httpEndpoint": "enabled",
        "httpPutResponseHopLimit": 1,
        "httpProtocolIpv6": "disabled",
    },
}


@attrs.frozen(kw_only=True)
class OperationRecord:
    """An operation: what was asked of a computer, and what became of it.

    Args:
        number: Its place in the order of creation.
        id: Its id.
        type: The operation type, such as ``StartGUISession``.
        resource_name: The computer.
        created: The instant of the request.
        begins: Until this instant it is ``NotStarted``.
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
        """Tell the status.

        Args:
            now: The instant.

        Returns:
            The status, and since when it has been that.
        """
        if now >= self.ends:
            return ("Failed" if self.error_code else "Succeeded"), self.ends
        return ("Started", self.begins) if now >= self.begins else ("NotStarted", self.created)


@attrs.frozen(kw_only=True)
class Computer:
    """A virtual computer.

    Args:
        number: Its place in the order of creation.
        name: Its name.
        created: The instant of its creation.
        power: The states of the instance.
        gui: The statuses of the GUI session.
        tokens: The secrets of the two URLs, of the application and of the operating system.
        address: The last part of its public IP address.
        tags: Its tags.
        blueprint_id: The blueprint.
        blueprint_name: The name of the application.
        bundle_id: The bundle.
        held: Whether its transitions never end.
        operations: The id of the latest operation of each type.
    """

    number: int
    name: str
    created: float
    power: Timeline
    gui: Timeline
    tokens: tuple[str, str] = attrs.field(repr=False)
    address: int
    tags: Mapping[str, str]
    blueprint_id: str
    blueprint_name: str
    bundle_id: str
    held: bool = False
    operations: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def pinned(self, now: float) -> Computer:
        """Stop the time of this computer.

        Args:
            now: The instant at which it stops.

        Returns:
            The computer as it is then, for ever.
        """
        return attrs.evolve(self, power=self.power.pinned(now), gui=self.gui.pinned(now))

    def desktops(self, now: float) -> tuple[Desktop, ...]:
        """List the desktops that can be opened.

        Args:
            now: The instant.

        Returns:
            The application and the operating system while the GUI session is started.
        """
        is_running = self.power.at(now).state == "running"
        if not is_running or self.gui.at(now).state != "started":
            return ()
        application, operating_system = self.tokens
        return (
            Desktop(title=self.name, session_id=APPLICATION, token=application),
            Desktop(title=self.name, session_id=OPERATING_SYSTEM, token=operating_system),
        )

    def view(self, now: float) -> InstanceView:
        """Take a snapshot.

        Args:
            now: The instant.

        Returns:
            The computer as it is then.
        """
        state, gui = self.power.at(now).state, self.gui.at(now)
        address = f"203.0.113.{self.address % 254 + 1}"  # TEST-NET-3 of RFC 5737
        return InstanceView(
            name=self.name,
            state=state,
            status=gui.state,
            percentage_complete=_percentage(self.gui, now),
            failure_reason=gui.message,
            public_ip_address=address if state in {"pending", "running"} else None,
            tags=self.tags,
        )


@attrs.frozen(kw_only=True)
class InstanceView:
    """What a test can assert of a computer: a snapshot.

    Args:
        name: Its name.
        state: The state of the instance, such as ``running``.
        status: The status of the GUI session, such as ``started``.
        percentage_complete: How far a transition of the GUI session has come.
        failure_reason: Why it failed.
        public_ip_address: The address; None unless the instance is pending or running.
        tags: Its tags.
    """

    name: str
    state: str
    status: str
    percentage_complete: int | None
    failure_reason: str | None
    public_ip_address: str | None
    tags: Mapping[str, str]


def describe_operation(operation: OperationRecord, now: float, world: World) -> Mapping[str, Value]:
    """Describe an operation as the API does.

    Args:
        operation: The operation.
        now: The instant.
        world: The region and the calendar.

    Returns:
        An ``Operation`` of the service model.
    """
    status, since = operation.status(now)
    failed = status == "Failed"
    return {
        "id": operation.id,
        "resourceName": operation.resource_name,
        "resourceType": "Instance",
        "createdAt": world.clock.wall(operation.created),
        "location": _location(world),
        "isTerminal": status in {"Failed", "Succeeded"},
        "operationDetails": operation.resource_name,
        "operationType": operation.type,
        "status": status,
        "statusChangedAt": world.clock.wall(since),
        "errorCode": operation.error_code if failed else None,
        "errorDetails": operation.error_details if failed else None,
    }


def describe_instance(computer: Computer, now: float, world: World) -> Mapping[str, Value]:
    """Describe a computer as the API does.

    Args:
        computer: The computer.
        now: The instant.
        world: The region and the calendar.

    Returns:
        An ``Instance`` of the service model.
    """
    region = world.region_name
    return {
        "name": computer.name,
        "arn": f"arn:aws:lightsail:{region}:{ACCOUNT_ID}:Instance/{computer.name}",
        "supportCode": f"{ACCOUNT_ID}/i-{computer.number:017x}",
        "createdAt": world.clock.wall(computer.created),
        "location": _location(world),
        "resourceType": "Instance",
        "tags": [{"key": key, "value": value} for key, value in computer.tags.items()],
        "blueprintId": computer.blueprint_id,
        "blueprintName": computer.blueprint_name,
        "bundleId": computer.bundle_id,
        "isStaticIp": False,
        "privateIpAddress": f"172.26.0.{computer.number % 254 + 1}",
        "publicIpAddress": computer.view(now).public_ip_address,
        "ipAddressType": "ipv4",
        "state": describe_state(computer, now),
        "username": "ubuntu",
        "sshKeyName": "LightsailDefaultKeyPair",
        **_MACHINE,
    }


def describe_state(computer: Computer, now: float) -> Mapping[str, Value]:
    """Describe the state of a computer as the API does.

    Args:
        computer: The computer.
        now: The instant.

    Returns:
        An ``InstanceState`` of the service model.
    """
    state = computer.power.at(now).state
    return {"code": STATE_CODES.get(state), "name": state}


def describe_session(computer: Computer, desktop: Desktop, world: World) -> Mapping[str, Value]:
    """Describe one of the two GUI sessions of a computer as the API does.

    Args:
        computer: The computer.
        desktop: Its application or its operating system.
        world: Where desktops are.

    Returns:
        A ``Session`` of the service model.
    """
    is_primary = desktop.session_id == APPLICATION
    return {
        "name": computer.blueprint_name if is_primary else "Operating system",
        "url": world.desktop_url(desktop.token, desktop.session_id),
        "isPrimary": is_primary,
    }


def _location(world: World) -> Mapping[str, Value]:
    return {"availabilityZone": f"{world.region_name}a", "regionName": world.region_name}


def _percentage(gui: Timeline, now: float) -> int | None:
    state = gui.at(now).state
    if state == "started":
        return 100
    return gui.percentage(now) if state in GUI_TRANSITIONS else None
