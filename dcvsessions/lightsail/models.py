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
    "OperationType",
    "RegionName",
    "ResourceLocation",
    "ResourceType",
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


class OperationType(OpenEnum):
    """What an operation does."""

    DELETE_KNOWN_HOST_KEYS = "DeleteKnownHostKeys"
    DELETE_INSTANCE = "DeleteInstance"
    CREATE_INSTANCE = "CreateInstance"
    STOP_INSTANCE = "StopInstance"
    START_INSTANCE = "StartInstance"
    REBOOT_INSTANCE = "RebootInstance"
    OPEN_INSTANCE_PUBLIC_PORTS = "OpenInstancePublicPorts"
    PUT_INSTANCE_PUBLIC_PORTS = "PutInstancePublicPorts"
    CLOSE_INSTANCE_PUBLIC_PORTS = "CloseInstancePublicPorts"
    ALLOCATE_STATIC_IP = "AllocateStaticIp"
    RELEASE_STATIC_IP = "ReleaseStaticIp"
    ATTACH_STATIC_IP = "AttachStaticIp"
    DETACH_STATIC_IP = "DetachStaticIp"
    UPDATE_DOMAIN_ENTRY = "UpdateDomainEntry"
    DELETE_DOMAIN_ENTRY = "DeleteDomainEntry"
    CREATE_DOMAIN = "CreateDomain"
    DELETE_DOMAIN = "DeleteDomain"
    CREATE_INSTANCE_SNAPSHOT = "CreateInstanceSnapshot"
    DELETE_INSTANCE_SNAPSHOT = "DeleteInstanceSnapshot"
    CREATE_INSTANCES_FROM_SNAPSHOT = "CreateInstancesFromSnapshot"
    CREATE_LOAD_BALANCER = "CreateLoadBalancer"
    DELETE_LOAD_BALANCER = "DeleteLoadBalancer"
    ATTACH_INSTANCES_TO_LOAD_BALANCER = "AttachInstancesToLoadBalancer"
    DETACH_INSTANCES_FROM_LOAD_BALANCER = "DetachInstancesFromLoadBalancer"
    UPDATE_LOAD_BALANCER_ATTRIBUTE = "UpdateLoadBalancerAttribute"
    CREATE_LOAD_BALANCER_TLS_CERTIFICATE = "CreateLoadBalancerTlsCertificate"
    DELETE_LOAD_BALANCER_TLS_CERTIFICATE = "DeleteLoadBalancerTlsCertificate"
    ATTACH_LOAD_BALANCER_TLS_CERTIFICATE = "AttachLoadBalancerTlsCertificate"
    CREATE_DISK = "CreateDisk"
    DELETE_DISK = "DeleteDisk"
    ATTACH_DISK = "AttachDisk"
    DETACH_DISK = "DetachDisk"
    CREATE_DISK_SNAPSHOT = "CreateDiskSnapshot"
    DELETE_DISK_SNAPSHOT = "DeleteDiskSnapshot"
    CREATE_DISK_FROM_SNAPSHOT = "CreateDiskFromSnapshot"
    CREATE_RELATIONAL_DATABASE = "CreateRelationalDatabase"
    UPDATE_RELATIONAL_DATABASE = "UpdateRelationalDatabase"
    DELETE_RELATIONAL_DATABASE = "DeleteRelationalDatabase"
    CREATE_RELATIONAL_DATABASE_FROM_SNAPSHOT = "CreateRelationalDatabaseFromSnapshot"
    CREATE_RELATIONAL_DATABASE_SNAPSHOT = "CreateRelationalDatabaseSnapshot"
    DELETE_RELATIONAL_DATABASE_SNAPSHOT = "DeleteRelationalDatabaseSnapshot"
    UPDATE_RELATIONAL_DATABASE_PARAMETERS = "UpdateRelationalDatabaseParameters"
    START_RELATIONAL_DATABASE = "StartRelationalDatabase"
    REBOOT_RELATIONAL_DATABASE = "RebootRelationalDatabase"
    STOP_RELATIONAL_DATABASE = "StopRelationalDatabase"
    ENABLE_ADD_ON = "EnableAddOn"
    DISABLE_ADD_ON = "DisableAddOn"
    PUT_ALARM = "PutAlarm"
    GET_ALARMS = "GetAlarms"
    DELETE_ALARM = "DeleteAlarm"
    TEST_ALARM = "TestAlarm"
    CREATE_CONTACT_METHOD = "CreateContactMethod"
    GET_CONTACT_METHODS = "GetContactMethods"
    SEND_CONTACT_METHOD_VERIFICATION = "SendContactMethodVerification"
    DELETE_CONTACT_METHOD = "DeleteContactMethod"
    CREATE_DISTRIBUTION = "CreateDistribution"
    UPDATE_DISTRIBUTION = "UpdateDistribution"
    DELETE_DISTRIBUTION = "DeleteDistribution"
    RESET_DISTRIBUTION_CACHE = "ResetDistributionCache"
    ATTACH_CERTIFICATE_TO_DISTRIBUTION = "AttachCertificateToDistribution"
    DETACH_CERTIFICATE_FROM_DISTRIBUTION = "DetachCertificateFromDistribution"
    UPDATE_DISTRIBUTION_BUNDLE = "UpdateDistributionBundle"
    SET_IP_ADDRESS_TYPE = "SetIpAddressType"
    CREATE_CERTIFICATE = "CreateCertificate"
    DELETE_CERTIFICATE = "DeleteCertificate"
    CREATE_CONTAINER_SERVICE = "CreateContainerService"
    UPDATE_CONTAINER_SERVICE = "UpdateContainerService"
    DELETE_CONTAINER_SERVICE = "DeleteContainerService"
    CREATE_CONTAINER_SERVICE_DEPLOYMENT = "CreateContainerServiceDeployment"
    CREATE_CONTAINER_SERVICE_REGISTRY_LOGIN = "CreateContainerServiceRegistryLogin"
    REGISTER_CONTAINER_IMAGE = "RegisterContainerImage"
    DELETE_CONTAINER_IMAGE = "DeleteContainerImage"
    CREATE_BUCKET = "CreateBucket"
    DELETE_BUCKET = "DeleteBucket"
    CREATE_BUCKET_ACCESS_KEY = "CreateBucketAccessKey"
    DELETE_BUCKET_ACCESS_KEY = "DeleteBucketAccessKey"
    UPDATE_BUCKET_BUNDLE = "UpdateBucketBundle"
    UPDATE_BUCKET = "UpdateBucket"
    SET_RESOURCE_ACCESS_FOR_BUCKET = "SetResourceAccessForBucket"
    UPDATE_INSTANCE_METADATA_OPTIONS = "UpdateInstanceMetadataOptions"
    START_GUI_SESSION = "StartGUISession"
    STOP_GUI_SESSION = "StopGUISession"
    SETUP_INSTANCE_HTTPS = "SetupInstanceHttps"
    GET_PROFILE = "GetProfile"


class ResourceType(OpenEnum):
    """The kinds of Lightsail resources."""

    CONTAINER_SERVICE = "ContainerService"
    INSTANCE = "Instance"
    STATIC_IP = "StaticIp"
    KEY_PAIR = "KeyPair"
    INSTANCE_SNAPSHOT = "InstanceSnapshot"
    DOMAIN = "Domain"
    PEERED_VPC = "PeeredVpc"
    LOAD_BALANCER = "LoadBalancer"
    LOAD_BALANCER_TLS_CERTIFICATE = "LoadBalancerTlsCertificate"
    DISK = "Disk"
    DISK_SNAPSHOT = "DiskSnapshot"
    RELATIONAL_DATABASE = "RelationalDatabase"
    RELATIONAL_DATABASE_SNAPSHOT = "RelationalDatabaseSnapshot"
    EXPORT_SNAPSHOT_RECORD = "ExportSnapshotRecord"
    CLOUD_FORMATION_STACK_RECORD = "CloudFormationStackRecord"
    ALARM = "Alarm"
    CONTACT_METHOD = "ContactMethod"
    DISTRIBUTION = "Distribution"
    CERTIFICATE = "Certificate"
    BUCKET = "Bucket"


class RegionName(OpenEnum):
    """The regions that Lightsail names."""

    US_EAST_1 = "us-east-1"
    US_EAST_2 = "us-east-2"
    US_WEST_1 = "us-west-1"
    US_WEST_2 = "us-west-2"
    EU_WEST_1 = "eu-west-1"
    EU_WEST_2 = "eu-west-2"
    EU_WEST_3 = "eu-west-3"
    EU_CENTRAL_1 = "eu-central-1"
    EU_NORTH_1 = "eu-north-1"
    EU_SOUTH_2 = "eu-south-2"
    CA_CENTRAL_1 = "ca-central-1"
    AP_EAST_1 = "ap-east-1"
    AP_SOUTH_1 = "ap-south-1"
    AP_SOUTHEAST_1 = "ap-southeast-1"
    AP_SOUTHEAST_2 = "ap-southeast-2"
    AP_NORTHEAST_1 = "ap-northeast-1"
    AP_NORTHEAST_2 = "ap-northeast-2"
    AP_SOUTHEAST_3 = "ap-southeast-3"
    AP_SOUTHEAST_5 = "ap-southeast-5"
    SA_EAST_1 = "sa-east-1"


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
    region_name: RegionName | None = None


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
    resource_type: ResourceType | None = None
    created_at: datetime | None = None
    location: ResourceLocation | None = None
    is_terminal: bool | None = None
    operation_details: str | None = None
    operation_type: OperationType | None = None
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
    resource_type: ResourceType | None = None
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
