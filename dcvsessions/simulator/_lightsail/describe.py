"""Instances, GUI sessions and operations, as the API describes them. Pure."""

from collections.abc import Mapping

from dcvsessions.simulator._desktop_page import Desktop
from dcvsessions.simulator._environment import ACCOUNT_ID, Environment
from dcvsessions.simulator._lightsail.resources import (
    APPLICATION,
    STATE_CODES,
    Instance,
    OperationRecord,
)
from dcvsessions.simulator._protocol.wire import Value

__all__ = ["describe_instance", "describe_operation", "describe_session", "describe_state"]

# These members are the same for all instances. The open ports are documented; the hardware is
# invented.
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


def describe_operation(
    operation: OperationRecord, now: float, environment: Environment
) -> Mapping[str, Value]:
    """Return an `Operation` of the service model."""
    status, since = operation.status(now)
    has_failed = status == "Failed"
    return {
        "id": operation.id,
        "resourceName": operation.resource_name,
        "resourceType": "Instance",
        "createdAt": environment.clock.wall_time(operation.created),
        "location": _location(environment),
        "isTerminal": status in {"Failed", "Succeeded"},
        "operationDetails": operation.resource_name,
        "operationType": operation.type,
        "status": status,
        "statusChangedAt": environment.clock.wall_time(since),
        "errorCode": operation.error_code if has_failed else None,
        "errorDetails": operation.error_details if has_failed else None,
    }


def describe_instance(
    instance: Instance, now: float, environment: Environment
) -> Mapping[str, Value]:
    """Return an `Instance` of the service model."""
    region = environment.region_name
    return {
        "name": instance.name,
        "arn": f"arn:aws:lightsail:{region}:{ACCOUNT_ID}:Instance/{instance.uuid}",
        "supportCode": f"{ACCOUNT_ID}/i-{instance.number:017x}",
        "createdAt": environment.clock.wall_time(instance.created),
        "location": _location(environment),
        "resourceType": "Instance",
        "tags": [{"key": key, "value": value} for key, value in instance.tags.items()],
        "blueprintId": instance.blueprint_id,
        "blueprintName": instance.blueprint_name,
        "bundleId": instance.bundle_id,
        "isStaticIp": False,
        "privateIpAddress": f"172.26.0.{instance.number % 254 + 1}",
        "publicIpAddress": instance.view(now).public_ip_address,
        "ipAddressType": "ipv4",
        "state": describe_state(instance, now),
        "username": "ubuntu",
        "sshKeyName": "LightsailDefaultKeyPair",
        **_MACHINE,
    }


def describe_state(instance: Instance, now: float) -> Mapping[str, Value]:
    """Return an `InstanceState` of the service model."""
    state = instance.power.at(now).state
    return {"code": STATE_CODES.get(state), "name": state}


def describe_session(
    instance: Instance, desktop: Desktop, environment: Environment
) -> Mapping[str, Value]:
    """Return a `Session` of the service model: the application, or the operating system."""
    is_primary = desktop.session_id == APPLICATION
    return {
        "name": instance.blueprint_name if is_primary else "Operating system",
        "url": environment.desktop_url(desktop.token, desktop.session_id),
        "isPrimary": is_primary,
    }


def _location(environment: Environment) -> Mapping[str, Value]:
    region = environment.region_name
    return {"availabilityZone": f"{region}a", "regionName": region}
