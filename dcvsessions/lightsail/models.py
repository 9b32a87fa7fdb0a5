"""What Lightsail answers, as frozen classes. Members and enums are those of its service model."""

from datetime import datetime

from attrs import frozen

from dcvsessions._enums import OpenEnum
from dcvsessions.dcv.url import DcvUrl

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
    """The status of a GUI session. The API reference lists these as bare names."""

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
    """How far an operation is."""

    NOT_STARTED = "NotStarted"
    STARTED = "Started"
    FAILED = "Failed"
    COMPLETED = "Completed"
    SUCCEEDED = "Succeeded"


class IpAddressType(OpenEnum):
    """The IP versions that an instance speaks."""

    DUALSTACK = "dualstack"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


@frozen(kw_only=True)
class GuiSession:
    """One way into a virtual computer.

    Attributes:
        name: The session's name.
        url: The URL that opens it, a bearer secret.
        is_primary: Whether it shows the computer's application rather than its operating system.
    """

    name: str | None = None
    url: DcvUrl | None = None
    is_primary: bool | None = None


@frozen(kw_only=True)
class GuiSessionAccessDetails:
    """Where the GUI session of a virtual computer stands, and how to get in.

    Attributes:
        resource_name: The virtual computer.
        status: The status of its GUI session.
        percentage_complete: How much of what is under way is done.
        failure_reason: Why it failed, if it did.
        sessions: The ways in: the application, and the operating system.
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
        availability_zone: The Availability Zone, as `us-east-2a`.
        region_name: The region.
    """

    availability_zone: str | None = None
    region_name: str | None = None


@frozen(kw_only=True)
class Operation:
    """A change that Lightsail has taken on.

    Attributes:
        id: The operation's id.
        resource_name: The resource that is changed.
        resource_type: The kind of that resource.
        created_at: When the operation began.
        location: Where the resource is.
        is_terminal: Whether the operation is over.
        operation_details: Details, in Lightsail's words.
        operation_type: What the operation does.
        status: How far it is.
        status_changed_at: When it came to be that far.
        error_code: The code of the error that it ended in.
        error_details: That error, in Lightsail's words.
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
    """Whether a virtual computer runs.

    Attributes:
        code: Amazon EC2's code of the state: 16 is running, 80 is stopped.
        name: Its name: `pending`, `running`, `stopping`, `stopped`, …
    """

    code: int | None = None
    name: str | None = None


@frozen(kw_only=True)
class Tag:
    """A label of a resource.

    Attributes:
        key: The label's key.
        value: The label's value; a key-only tag has none.
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
        tags: Its labels.
        blueprint_id: The id of the image that it was made from.
        blueprint_name: The name of that image.
        bundle_id: The id of its size and price.
        is_static_ip: Whether its public address stays when it stops.
        private_ip_address: Its private IPv4 address.
        public_ip_address: Its public IPv4 address.
        ipv6_addresses: Its IPv6 addresses.
        ip_address_type: The IP versions that it speaks.
        state: Whether it runs.
        username: The user name to sign in to it with.
        ssh_key_name: The name of the key pair to sign in to it with.
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
