"""Lightsail's operations: one method for each, thin and typed."""

from collections.abc import AsyncGenerator
from typing import ClassVar

from dcvsessions._arguments import checked_boolean, checked_identifier, checked_name
from dcvsessions._aws.client import AwsClient
from dcvsessions.lightsail.models import (
    GuiSessionAccessDetails,
    Instance,
    InstanceState,
    Operation,
)

__all__ = ["LightsailClient"]


class LightsailClient(AwsClient):
    """The Lightsail operations that GUI sessions of virtual computers need.

    Each method is the API operation of its name. Calls cost nothing; computers that run do.

    Everything is optional: what is not given comes from the usual AWS configuration
    (environment, profile, SSO, assumed role, instance metadata).

    Each method raises an `ApiError` for what the service answers, a `ConnectionFailedError` if
    it does not answer, an `InvalidResponseError` if the answer is none, a
    `CredentialsNotFoundError` without credentials, a `ClientStateError` if the client is not
    open here, and an `InvalidArgumentError` before a request that cannot be right. What botocore
    takes for passing is sent again, three attempts in all; a call that changes something only if
    it was refused, because Lightsail has no token to tell a repeat by.

    Args:
        region_name: The region, as `eu-west-1`.
        profile_name: The profile in the AWS configuration files.
        endpoint_url: Another endpoint, such as the simulator's.
        session: An aiobotocore session of the caller's own.
        config: An aiobotocore configuration, which wins over this package's.

    Example:
        >>> async with LightsailClient(region_name="eu-west-1") as client:
        ...     details = await client.create_gui_session_access_details("my-computer")
        ...     print(details.status)
    """

    _service: ClassVar[str] = "lightsail"

    # Lightsail has no token to tell a repeat by: after a change whose outcome is not known, the
    # state has to be read before the change is requested again.

    async def create_gui_session_access_details(
        self, resource_name: str
    ) -> GuiSessionAccessDetails:
        """Read the status of a GUI session, and get its URLs if it is started.

        This is the only way to read the status. For IAM it is a write action.

        Args:
            resource_name: The virtual computer.

        Returns:
            The status, and a session for the application and one for the operating system.
        """
        answer = await self._call(
            "CreateGUISessionAccessDetails",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        return answer.whole(GuiSessionAccessDetails, needed="status")

    async def start_gui_session(self, resource_name: str) -> tuple[Operation, ...]:
        """Start, or resume, the GUI session of a virtual computer, for one hour.

        Args:
            resource_name: The virtual computer.

        Returns:
            The operations that Lightsail has taken on.
        """
        answer = await self._call_once(
            "StartGUISession",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        return answer.all("operations", Operation)

    async def stop_gui_session(self, resource_name: str) -> tuple[Operation, ...]:
        """End the GUI session of a virtual computer. Unsaved work in it is lost.

        Args:
            resource_name: The virtual computer.

        Returns:
            The operations that Lightsail has taken on.
        """
        answer = await self._call_once(
            "StopGUISession",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        return answer.all("operations", Operation)

    async def get_operation(self, operation_id: str) -> Operation:
        """Read an operation.

        Args:
            operation_id: Its id.

        Returns:
            The operation, as far as it is.
        """
        answer = await self._call(
            "GetOperation", operationId=checked_identifier(operation_id, "operation_id")
        )
        return answer.one("operation", Operation)

    async def get_operations_for_resource(
        self, resource_name: str
    ) -> AsyncGenerator[Operation, None]:
        """Iterate over the operations of a resource; each page is read when it is needed.

        Args:
            resource_name: The resource.

        Yields:
            The operations, in Lightsail's order.
        """
        pages = self._pages(
            "GetOperationsForResource",
            page_parameter="pageToken",
            page_member="nextPageToken",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        async for page in pages:
            for operation in page.all("operations", Operation):
                yield operation

    async def get_instance_state(self, instance_name: str) -> InstanceState:
        """Read whether a virtual computer runs.

        Args:
            instance_name: The virtual computer.

        Returns:
            Its state, by code and by name.
        """
        answer = await self._call(
            "GetInstanceState", instanceName=checked_name(instance_name, "instance_name")
        )
        return answer.one("state", InstanceState)

    async def get_instances(self) -> AsyncGenerator[Instance, None]:
        """Iterate over the virtual computers of the region; each page is read when it is needed.

        Yields:
            The computers, and all other Lightsail instances, in Lightsail's order.
        """
        pages = self._pages("GetInstances", page_parameter="pageToken", page_member="nextPageToken")
        async for page in pages:
            for instance in page.all("instances", Instance):
                yield instance

    async def start_instance(self, instance_name: str) -> tuple[Operation, ...]:
        """Start a virtual computer, which costs by the hour while it runs.

        It gets a new public IP address, unless that is static.

        Args:
            instance_name: The virtual computer.

        Returns:
            The operations that Lightsail has taken on.
        """
        answer = await self._call_once(
            "StartInstance",
            instanceName=checked_name(instance_name, "instance_name"),
        )
        return answer.all("operations", Operation)

    async def stop_instance(
        self, instance_name: str, *, force: bool | None = None
    ) -> tuple[Operation, ...]:
        """Stop a virtual computer, and its GUI session with it.

        Args:
            instance_name: The virtual computer.
            force: Whether to stop one that hangs in `stopping`.

        Returns:
            The operations that Lightsail has taken on.
        """
        answer = await self._call_once(
            "StopInstance",
            instanceName=checked_name(instance_name, "instance_name"),
            force=None if force is None else checked_boolean(force, "force"),
        )
        return answer.all("operations", Operation)
