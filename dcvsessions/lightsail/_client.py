"""The client for Lightsail, with one typed method for each API operation."""

from collections.abc import AsyncGenerator
from typing import ClassVar

from dcvsessions._arguments import checked_boolean, checked_identifier, checked_name
from dcvsessions._aws.client import AwsClient
from dcvsessions.lightsail._models import (
    GuiSessionAccessDetails,
    Instance,
    InstanceState,
    Operation,
)

__all__ = ["LightsailClient"]


class LightsailClient(AwsClient):
    """The Lightsail operations that GUI sessions of virtual computers need.

    Each method calls the API operation of the same name. The calls cost nothing, but a virtual
    computer costs by the hour while it runs.

    All arguments are optional. What you leave out comes from the usual AWS configuration
    (environment, profile, SSO, assumed role, instance metadata).

    Each method raises

    - an `ApiError` if the service answers with an error,
    - a `ConnectionFailedError` if it does not answer,
    - an `InvalidResponseError` if the answer does not match the service model,
    - a `CredentialsNotFoundError` if there are no credentials,
    - a `ClientStateError` if the client is not open, or is used in another event loop or process,
    - an `InvalidArgumentError`, before anything is sent, if an argument is invalid.

    If an error is temporary, botocore repeats the call, and makes at most three attempts. Lightsail
    has no client tokens, so a call that changes something is repeated only if Lightsail throttled
    it.

    Args:
        region_name: The region, such as `eu-west-1`.
        profile_name: The profile in the AWS configuration files.
        endpoint_url: Another endpoint, such as the simulator's.
        session: Your own aiobotocore session.
        config: An aiobotocore configuration, which overrides this package's.

    Example:
        >>> async with LightsailClient(region_name="eu-west-1") as client:
        ...     details = await client.create_gui_session_access_details("my-computer")
        ...     print(details.status)
    """

    _service: ClassVar[str] = "lightsail"
    _polls: ClassVar[frozenset[str]] = frozenset({"CreateGUISessionAccessDetails"})

    # Lightsail has no client tokens. If a change may have taken effect, the caller has to read the
    # state before it requests the change again.

    async def create_gui_session_access_details(
        self, resource_name: str
    ) -> GuiSessionAccessDetails:
        """Read the status of a GUI session, and get its URLs if it is started.

        No other operation reads the status. For IAM, this one is a write action.

        Args:
            resource_name: The virtual computer.

        Returns:
            The status, and the URLs of the application and of the operating system.
        """
        answer = await self._call(
            "CreateGUISessionAccessDetails",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        return answer.whole(GuiSessionAccessDetails, needed="status")

    async def start_gui_session(self, resource_name: str) -> tuple[Operation, ...]:
        """Start or resume the GUI session of a virtual computer, for one hour.

        Args:
            resource_name: The virtual computer.

        Returns:
            The operations that Lightsail has accepted.
        """
        answer = await self._call_once(
            "StartGUISession",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        return answer.all("operations", Operation)

    async def stop_gui_session(self, resource_name: str) -> tuple[Operation, ...]:
        """Stop the GUI session of a virtual computer. Unsaved work in it is lost.

        Args:
            resource_name: The virtual computer.

        Returns:
            The operations that Lightsail has accepted.
        """
        answer = await self._call_once(
            "StopGUISession",
            resourceName=checked_name(resource_name, "resource_name"),
        )
        return answer.all("operations", Operation)

    async def get_operation(self, operation_id: str) -> Operation:
        """Read an operation.

        Args:
            operation_id: The operation's id.

        Returns:
            The operation, with its current status.
        """
        answer = await self._call(
            "GetOperation", operationId=checked_identifier(operation_id, "operation_id")
        )
        return answer.one("operation", Operation)

    async def get_operations(self) -> AsyncGenerator[Operation, None]:
        """Iterate over the operations of the region; each page is read when it is needed.

        Yields:
            The operations, oldest first.
        """
        pages = self._pages(
            "GetOperations", page_parameter="pageToken", page_member="nextPageToken"
        )
        async for page in pages:
            for operation in page.all("operations", Operation):
                yield operation

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
        """Read whether a virtual computer is running.

        Args:
            instance_name: The virtual computer.

        Returns:
            The state of the computer.
        """
        answer = await self._call(
            "GetInstanceState", instanceName=checked_name(instance_name, "instance_name")
        )
        return answer.one("state", InstanceState)

    async def get_instance(self, instance_name: str) -> Instance:
        """Read a virtual computer.

        Args:
            instance_name: The virtual computer.

        Returns:
            The computer, with its state.
        """
        answer = await self._call(
            "GetInstance", instanceName=checked_name(instance_name, "instance_name")
        )
        return answer.one("instance", Instance)

    async def get_instances(self) -> AsyncGenerator[Instance, None]:
        """Iterate over the virtual computers of the region; each page is read when it is needed.

        Yields:
            The virtual computers and all other Lightsail instances, in Lightsail's order.
        """
        pages = self._pages("GetInstances", page_parameter="pageToken", page_member="nextPageToken")
        async for page in pages:
            for instance in page.all("instances", Instance):
                yield instance

    async def start_instance(self, instance_name: str) -> tuple[Operation, ...]:
        """Start a virtual computer, which costs by the hour while it runs.

        The computer gets a new public IP address, unless it has a static one.

        Args:
            instance_name: The virtual computer.

        Returns:
            The operations that Lightsail has accepted.
        """
        answer = await self._call_once(
            "StartInstance",
            instanceName=checked_name(instance_name, "instance_name"),
        )
        return answer.all("operations", Operation)

    async def stop_instance(
        self, instance_name: str, *, force: bool | None = None
    ) -> tuple[Operation, ...]:
        """Stop a virtual computer. Its GUI session stops too.

        Args:
            instance_name: The virtual computer.
            force: Whether to stop the computer even if it is stuck in `stopping`.

        Returns:
            The operations that Lightsail has accepted.
        """
        answer = await self._call_once(
            "StopInstance",
            instanceName=checked_name(instance_name, "instance_name"),
            force=None if force is None else checked_boolean(force, "force"),
        )
        return answer.all("operations", Operation)

    async def reboot_instance(self, instance_name: str) -> tuple[Operation, ...]:
        """Restart a virtual computer that is running. Unsaved work in its GUI session is lost.

        Args:
            instance_name: The virtual computer.

        Returns:
            The operations that Lightsail has accepted.
        """
        answer = await self._call_once(
            "RebootInstance",
            instanceName=checked_name(instance_name, "instance_name"),
        )
        return answer.all("operations", Operation)
