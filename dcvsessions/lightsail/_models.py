"""The resources of Lightsail as frozen classes, with the members of the service model."""

from datetime import datetime

from attrs import frozen

from dcvsessions._enums import OpenEnum
from dcvsessions.dcv._url import DcvUrl

__all__ = [
    "GuiSession",
    "GuiSessionAccessDetails",
    "GuiSessionStatus",
    "Instance",
    "InstanceState",
    "IpAddressType",
    "Operation",
    "OperationStatus",
    "ResourceLocation",
    "Tag",
]


class GuiSessionStatus(OpenEnum):
    """The status of a GUI session. The API reference lists only the names."""

    START_EXPIRED = "startExpired"
    NOT_STARTED = "notStarted"
    STARTED = "started"
    STARTING = "starting"
    STOPPED = "stopped"
    STOPPING = "stopping"
    SETTING_UP_INSTANCE = "settingUpInstance"
    FAILED_INSTANCE_CREATION = "failedInstanceCreation"
    FAILED_STARTING_GUI_SESSION = "failedStartingGUISession"
    FAILED_STOPPING_GUI_SESSION = "failedStoppingGUISession"


class OperationStatus(OpenEnum):
    """The status of an operation."""

    NOT_STARTED = "NotStarted"
    STARTED = "Started"
    FAILED = "Failed"
    COMPLETED = "Completed"
    SUCCEEDED = "Succeeded"


class IpAddressType(OpenEnum):
    """The IP versions that an instance supports."""

    DUALSTACK = "dualstack"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


@frozen(kw_only=True)
class GuiSession:
    """A GUI session of a virtual computer: its application's, or its operating system's.

    Attributes:
        name: The session's name.
        url: The URL that opens the desktop. It is a bearer secret.
        is_primary: Whether it shows the computer's application.
    """

    name: str | None = None
    url: DcvUrl | None = None
    is_primary: bool | None = None


@frozen(kw_only=True)
class GuiSessionAccessDetails:
    """The status of a virtual computer's GUI session, and its URLs.

    Attributes:
        resource_name: The virtual computer.
        status: The status of its GUI session.
        percentage_complete: How much of the current change is done, 0 to 100.
        failure_reason: Why the change failed, if it failed.
        sessions: The application's session and the operating system's, with their URLs.
    """

    resource_name: str | None = None
    status: GuiSessionStatus | None = None
    percentage_complete: int | None = None
    failure_reason: str | None = None
    sessions: tuple[GuiSession, ...] = ()


@frozen(kw_only=True)
class ResourceLocation:
    """Where a resource is.

    Attributes:
        availability_zone: The Availability Zone, such as `us-east-2a`.
        region_name: The region.
    """

    availability_zone: str | None = None
    region_name: str | None = None


@frozen(kw_only=True)
class Operation:
    """A change that Lightsail has accepted.

    Attributes:
        id: The operation's id.
        resource_name: The resource that it changes.
        resource_type: The kind of that resource.
        created_at: When the operation began.
        location: Where the resource is.
        is_terminal: Whether the operation is over.
        operation_details: Details, in Lightsail's words.
        operation_type: What the operation does.
        status: The status of the operation.
        status_changed_at: When the status last changed.
        error_code: The code of its error, if it failed.
        error_details: Its error, in Lightsail's words.
    """

    id: str | None = None
    resource_name: str | None = None
    resource_type: str | None = None
    created_at: datetime | None = None
    location: ResourceLocation | None = None
    is_terminal: bool | None = None
    operation_details: str | None = None
    operation_type: str | None = None
    status: OperationStatus | None = None
    status_changed_at: datetime | None = None
    error_code: str | None = None
    error_details: str | None = None


@frozen(kw_only=True)
class InstanceState:
    """The state of a virtual computer.

    Attributes:
        code: Amazon EC2's code of the state: 16 is running, 80 is stopped.
        name: The name of the state: `pending`, `running`, `stopping`, `stopped`, …
    """

    code: int | None = None
    name: str | None = None


@frozen(kw_only=True)
class Tag:
    """A tag of a resource.

    Attributes:
        key: The tag's key.
        value: The tag's value. None for a tag that has only a key.
    """

    key: str | None = None
    value: str | None = None


@frozen(kw_only=True)
class Instance:
    """A virtual computer. Hardware, networking and add-ons are left out.

    Attributes:
        name: The computer's name.
        arn: Its Amazon Resource Name.
        support_code: The code to give to AWS Support.
        created_at: When it was made.
        location: Where it is.
        resource_type: `Instance`.
        tags: Its tags.
        blueprint_id: The id of the image that it was made from.
        blueprint_name: The name of that image.
        bundle_id: The id of its bundle, which sets its size and price.
        is_static_ip: Whether it keeps its public IPv4 address when it stops.
        private_ip_address: Its private IPv4 address.
        public_ip_address: Its public IPv4 address.
        ipv6_addresses: Its IPv6 addresses.
        ip_address_type: The IP versions that it supports.
        state: Its state.
        username: The user name for signing in to it.
        ssh_key_name: The name of the key pair for signing in to it.
    """

    name: str | None = None
    arn: str | None = None
    support_code: str | None = None
    created_at: datetime | None = None
    location: ResourceLocation | None = None
    resource_type: str | None = None
    tags: tuple[Tag, ...] = ()
    blueprint_id: str | None = None
    blueprint_name: str | None = None
    bundle_id: str | None = None
    is_static_ip: bool | None = None
    private_ip_address: str | None = None
    public_ip_address: str | None = None
    ipv6_addresses: tuple[str, ...] = ()
    ip_address_type: IpAddressType | None = None
    state: InstanceState | None = None
    username: str | None = None
    ssh_key_name: str | None = None
