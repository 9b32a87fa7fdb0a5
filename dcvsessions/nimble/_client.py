"""The client for Nimble Studio, with one typed method for each API operation."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import ClassVar

from dcvsessions._arguments import (
    checked_identifier,
    checked_identifiers,
    checked_range,
    checked_tags,
    checked_text,
    checked_texts,
    checked_token,
)
from dcvsessions._aws.client import AwsClient
from dcvsessions.errors import InvalidArgumentError, InvalidResponseError
from dcvsessions.nimble._models import (
    LaunchProfile,
    LaunchProfileState,
    Stream,
    StreamingInstanceType,
    StreamingSession,
    Studio,
    VolumeRetentionMode,
)

__all__ = ["NimbleClient", "checked_expiration"]

# The limits of the service model.
_SHORTEST_STREAM = 60
_LONGEST_STREAM = 3600


class NimbleClient(AwsClient):
    """The Nimble Studio operations for streaming sessions, and for what they are made from.

    Each method calls the API operation of the same name.

    AWS closed the service in 2024, and its own endpoint is gone. So `endpoint_url` (or
    `AWS_ENDPOINT_URL_NIMBLE`) has to name another endpoint with its protocol, such as the
    simulator's.

    All arguments are optional. What you leave out comes from the usual AWS configuration
    (environment, profile, SSO, assumed role, instance metadata).

    Each method raises

    - an `ApiError` if the service answers with an error,
    - a `ConnectionFailedError` if it does not answer,
    - an `InvalidResponseError` if the answer does not match the service model,
    - a `CredentialsNotFoundError` if there are no credentials,
    - a `ClientStateError` if the client is not open, or is used in another event loop or process,
    - an `InvalidArgumentError`, before anything is sent, if an argument is invalid.

    If an error is temporary, botocore repeats the call with the same client token, and makes at
    most three attempts.

    Args:
        region_name: The region, such as `us-west-2`.
        profile_name: The profile in the AWS configuration files.
        endpoint_url: The endpoint.
        session: Your own aiobotocore session. Nimble's model is added to it.
        config: An aiobotocore configuration, which overrides this package's.

    Example:
        >>> async with NimbleClient(region_name="us-west-2") as client:
        ...     async for session in client.list_streaming_sessions("studio-1"):
        ...         print(session.session_id, session.state)
    """

    _service: ClassVar[str] = "nimble"
    _polls: ClassVar[frozenset[str]] = frozenset(
        {"GetStreamingSession", "GetStreamingSessionStream", "ListStreamingSessions"}
    )

    async def list_studios(self) -> AsyncGenerator[Studio, None]:
        """Iterate over the studios of the region; each page is read when it is needed.

        Yields:
            The studios, in the service's order.
        """
        pages = self._pages("ListStudios", page_parameter="nextToken", page_member="nextToken")
        async for page in pages:
            for studio in page.all("studios", Studio):
                yield studio

    async def get_studio(self, studio_id: str) -> Studio:
        """Read a studio.

        Args:
            studio_id: The studio.

        Returns:
            The studio.
        """
        answer = await self._call("GetStudio", studioId=checked_identifier(studio_id, "studio_id"))
        return answer.one("studio", Studio)

    async def list_launch_profiles(
        self,
        studio_id: str,
        *,
        principal_id: str | None = None,
        states: Iterable[LaunchProfileState | str] | None = None,
    ) -> AsyncGenerator[LaunchProfile, None]:
        """Iterate over the launch profiles of a studio; each page is read when it is needed.

        Args:
            studio_id: The studio.
            principal_id: Only launch profiles of this user of IAM Identity Center.
            states: Only launch profiles in these states.

        Yields:
            The launch profiles, in the service's order.
        """
        checked_identifier(studio_id, "studio_id")
        wanted = checked_texts(states, "states")
        if wanted == []:
            # Nimble may answer an empty filter with all launch profiles.
            return
        pages = self._pages(
            "ListLaunchProfiles",
            page_parameter="nextToken",
            page_member="nextToken",
            studioId=studio_id,
            principalId=checked_text(principal_id, "principal_id"),
            states=wanted,
        )
        async for page in pages:
            for profile in page.all("launchProfiles", LaunchProfile):
                yield profile

    async def get_launch_profile(self, studio_id: str, launch_profile_id: str) -> LaunchProfile:
        """Read a launch profile.

        Args:
            studio_id: The studio.
            launch_profile_id: The launch profile.

        Returns:
            The launch profile, with the instance types and images that it allows.
        """
        answer = await self._call(
            "GetLaunchProfile",
            studioId=checked_identifier(studio_id, "studio_id"),
            launchProfileId=checked_identifier(launch_profile_id, "launch_profile_id"),
        )
        return answer.one("launchProfile", LaunchProfile)

    async def create_streaming_session(
        self,
        studio_id: str,
        *,
        launch_profile_id: str,
        ec2_instance_type: StreamingInstanceType | str | None = None,
        owned_by: str | None = None,
        streaming_image_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        client_token: str | None = None,
    ) -> StreamingSession:
        """Create a streaming session: an EC2 instance that costs by the hour until it is deleted.

        Args:
            studio_id: The studio.
            launch_profile_id: The launch profile to make it from.
            ec2_instance_type: The instance type, one that the launch profile allows.
            owned_by: The user that the session is for. Default: the caller.
            streaming_image_id: The image, one that the launch profile allows.
            tags: The session's tags.
            client_token: 1 to 64 characters. If you repeat the call with the same token and
                parameters, it returns the session that the first call made.

        Returns:
            The session, in state `CREATE_IN_PROGRESS`.
        """
        answer = await self._call(
            "CreateStreamingSession",
            studioId=checked_identifier(studio_id, "studio_id"),
            launchProfileId=checked_identifier(launch_profile_id, "launch_profile_id"),
            ec2InstanceType=_text(ec2_instance_type, "ec2_instance_type"),
            ownedBy=checked_text(owned_by, "owned_by"),
            streamingImageId=checked_text(streaming_image_id, "streaming_image_id"),
            tags=checked_tags(tags),
            clientToken=checked_token(client_token),
        )
        session = answer.one("session", StreamingSession, needed="session_id")
        _require_usable("CreateStreamingSession", session.session_id)
        return session

    async def get_streaming_session(self, studio_id: str, session_id: str) -> StreamingSession:
        """Read a streaming session.

        Args:
            studio_id: The studio.
            session_id: The session.

        Returns:
            The session. A `DELETED` session can still be read for a while.
        """
        answer = await self._call("GetStreamingSession", **_session(studio_id, session_id))
        return answer.one("session", StreamingSession)

    async def list_streaming_sessions(
        self,
        studio_id: str,
        *,
        created_by: str | None = None,
        owned_by: str | None = None,
        session_ids: str | Iterable[str] | None = None,
    ) -> AsyncGenerator[StreamingSession, None]:
        """Iterate over the streaming sessions of a studio; each page is read when it is needed.

        Args:
            studio_id: The studio.
            created_by: Only sessions that this user made.
            owned_by: Only sessions that are for this user.
            session_ids: Only sessions with these ids: a list, or a string of ids with commas.

        Yields:
            The sessions, in the service's order.
        """
        checked_identifier(studio_id, "studio_id")
        ids = checked_identifiers(session_ids, "session_ids")
        if ids == "":
            # Nimble may answer an empty filter with all sessions.
            return
        pages = self._pages(
            "ListStreamingSessions",
            page_parameter="nextToken",
            page_member="nextToken",
            studioId=studio_id,
            createdBy=checked_text(created_by, "created_by"),
            ownedBy=checked_text(owned_by, "owned_by"),
            sessionIds=ids,
        )
        async for page in pages:
            for session in page.all("sessions", StreamingSession):
                yield session

    async def delete_streaming_session(
        self, studio_id: str, session_id: str, *, client_token: str | None = None
    ) -> StreamingSession:
        """Delete a streaming session. It counts against the quota until it is `DELETED`.

        Args:
            studio_id: The studio.
            session_id: The session.
            client_token: 1 to 64 characters. Nimble takes the same token for a repeat.

        Returns:
            The session, in state `DELETE_IN_PROGRESS`.
        """
        answer = await self._call(
            "DeleteStreamingSession",
            **_session(studio_id, session_id),
            clientToken=checked_token(client_token),
        )
        return answer.one("session", StreamingSession)

    async def start_streaming_session(
        self,
        studio_id: str,
        session_id: str,
        *,
        backup_id: str | None = None,
        client_token: str | None = None,
    ) -> StreamingSession:
        """Start a streaming session that is `STOPPED`. It costs by the hour again.

        Args:
            studio_id: The studio.
            session_id: The session.
            backup_id: The backup to start from.
            client_token: 1 to 64 characters. Nimble takes the same token for a repeat.

        Returns:
            The session, in state `START_IN_PROGRESS`.
        """
        answer = await self._call(
            "StartStreamingSession",
            **_session(studio_id, session_id),
            backupId=checked_text(backup_id, "backup_id"),
            clientToken=checked_token(client_token),
        )
        return answer.one("session", StreamingSession)

    async def stop_streaming_session(
        self,
        studio_id: str,
        session_id: str,
        *,
        volume_retention_mode: VolumeRetentionMode | str | None = None,
        client_token: str | None = None,
    ) -> StreamingSession:
        """Stop a streaming session that is `READY`. If its volume is kept, that still costs.

        Args:
            studio_id: The studio.
            session_id: The session.
            volume_retention_mode: Whether to keep its volume.
            client_token: 1 to 64 characters. Nimble takes the same token for a repeat.

        Returns:
            The session, in state `STOP_IN_PROGRESS`.
        """
        answer = await self._call(
            "StopStreamingSession",
            **_session(studio_id, session_id),
            volumeRetentionMode=_text(volume_retention_mode, "volume_retention_mode"),
            clientToken=checked_token(client_token),
        )
        return answer.one("session", StreamingSession)

    async def create_streaming_session_stream(
        self,
        studio_id: str,
        session_id: str,
        *,
        expiration_in_seconds: int | None = None,
        client_token: str | None = None,
    ) -> Stream:
        """Create a stream into a streaming session that is `READY`. The stream costs nothing.

        Args:
            studio_id: The studio.
            session_id: The session.
            expiration_in_seconds: How long the URL works, 60 to 3600 seconds. Default: the
                service's.
            client_token: 1 to 64 characters. If you repeat the call with the same token and
                parameters, it returns the stream that the first call made.

        Returns:
            The stream, in state `CREATE_IN_PROGRESS`, without a URL yet.
        """
        answer = await self._call(
            "CreateStreamingSessionStream",
            **_session(studio_id, session_id),
            expirationInSeconds=checked_expiration(expiration_in_seconds),
            clientToken=checked_token(client_token),
        )
        stream = answer.one("stream", Stream, needed="stream_id")
        _require_usable("CreateStreamingSessionStream", stream.stream_id)
        return stream

    async def get_streaming_session_stream(
        self, studio_id: str, session_id: str, stream_id: str
    ) -> Stream:
        """Read a stream.

        Args:
            studio_id: The studio.
            session_id: The session.
            stream_id: The stream.

        Returns:
            The stream. It has a URL if it is `READY`.
        """
        answer = await self._call(
            "GetStreamingSessionStream",
            **_session(studio_id, session_id),
            streamId=checked_identifier(stream_id, "stream_id"),
        )
        return answer.one("stream", Stream)


def checked_expiration(expiration_in_seconds: int | None) -> int | None:
    """Check the lifetime of a stream's URL; None is allowed."""
    return checked_range(
        expiration_in_seconds, "expiration_in_seconds", _SHORTEST_STREAM, _LONGEST_STREAM
    )


def _text(value: str | None, argument: str) -> str | None:
    """Return an enum value or a string as a plain `str`, which botocore can serialise."""
    text = checked_text(value, argument)
    return None if text is None else str(text)


def _require_usable(operation: str, identifier: str | None) -> None:
    """Refuse an id from the service that cannot be used in a request."""
    try:
        checked_identifier(identifier, "id")
    except InvalidArgumentError:
        raise InvalidResponseError(
            f"{operation}: the answer has an id that cannot be used in a request.",
            operation=operation,
        ) from None


def _session(studio_id: str, session_id: str) -> dict[str, object]:
    return {
        "studioId": checked_identifier(studio_id, "studio_id"),
        "sessionId": checked_identifier(session_id, "session_id"),
    }
