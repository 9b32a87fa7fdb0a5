"""Nimble Studio's operations: one method for each, thin and typed."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import ClassVar

from dcvsessions._arguments import (
    checked_identifier,
    checked_identifiers,
    checked_range,
    checked_tags,
    checked_text,
    checked_token,
)
from dcvsessions._aws.client import AwsClient
from dcvsessions.errors import InvalidArgumentError, InvalidResponseError
from dcvsessions.nimble.models import (
    Stream,
    StreamingInstanceType,
    StreamingSession,
    VolumeRetentionMode,
)

__all__ = ["NimbleClient", "checked_expiration"]

# The limits of the service model.
_SHORTEST_STREAM = 60
_LONGEST_STREAM = 3600


class NimbleClient(AwsClient):
    """The Nimble Studio operations of streaming sessions and the streams into them.

    Each method is the API operation of its name.

    AWS closed the service in 2024: its own endpoint is gone, so `endpoint_url` (or
    `AWS_ENDPOINT_URL_NIMBLE`) has to name one that speaks its protocol, as the simulator does.

    Everything is optional: what is not given comes from the usual AWS configuration
    (environment, profile, SSO, assumed role, instance metadata).

    Each method raises an `ApiError` for what the service answers, a `ConnectionFailedError` if
    it does not answer, an `InvalidResponseError` if the answer is none, a
    `CredentialsNotFoundError` without credentials, a `ClientStateError` if the client is not
    open here, and an `InvalidArgumentError` before a request that cannot be right. What botocore
    takes for passing is sent again, three attempts in all, under the same client token.

    Args:
        region_name: The region, as `us-west-2`.
        profile_name: The profile in the AWS configuration files.
        endpoint_url: The endpoint.
        session: An aiobotocore session of the caller's own; Nimble's model is added to it.
        config: An aiobotocore configuration, which wins over this package's.

    Example:
        >>> async with NimbleClient(region_name="us-west-2") as client:
        ...     async for session in client.list_streaming_sessions("studio-1"):
        ...         print(session.session_id, session.state)
    """

    _service: ClassVar[str] = "nimble"

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
        """Create a streaming session: an EC2 instance that costs until it is deleted.

        Args:
            studio_id: The studio.
            launch_profile_id: The launch profile to make it from.
            ec2_instance_type: Its instance type, of those that the launch profile allows.
            owned_by: The user that it is for; the caller if None.
            streaming_image_id: Its image, of those that the launch profile allows.
            tags: Its labels.
            client_token: 1 to 64 characters. The same token with the same parameters is
                answered with the session that was made the first time.

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
            The session; one that is `DELETED` stays readable for a while.
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
        """Iterate over the streaming sessions of a studio, page by page as they are asked for.

        Args:
            studio_id: The studio.
            created_by: Only those that this user made.
            owned_by: Only those that are this user's.
            session_ids: Only these. Nimble takes them as one text, with commas between.

        Yields:
            The sessions, in the service's order.
        """
        checked_identifier(studio_id, "studio_id")
        ids = checked_identifiers(session_ids, "session_ids")
        if ids == "":
            # Nimble's answer to an empty filter could be all sessions.
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
            client_token: 1 to 64 characters that tell a repeat from another request.

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
            client_token: 1 to 64 characters that tell a repeat from another request.

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
        """Stop a streaming session that is `READY`. Its volume, if kept, goes on to cost.

        Args:
            studio_id: The studio.
            session_id: The session.
            volume_retention_mode: What becomes of its volume.
            client_token: 1 to 64 characters that tell a repeat from another request.

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
        """Create a stream into a streaming session that is `READY`.

        Args:
            studio_id: The studio.
            session_id: The session.
            expiration_in_seconds: How long its URL is to work, 60 to 3600 seconds.
            client_token: 1 to 64 characters. The same token with the same parameters is
                answered with the stream that was made the first time.

        Returns:
            The stream, in state `CREATE_IN_PROGRESS`; it has no URL yet. It has no costs of its
            own.
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
            The stream; with its URL, if it is `READY`.
        """
        answer = await self._call(
            "GetStreamingSessionStream",
            **_session(studio_id, session_id),
            streamId=checked_identifier(stream_id, "stream_id"),
        )
        return answer.one("stream", Stream)


def checked_expiration(expiration_in_seconds: int | None) -> int | None:
    """Return the lifetime of a stream's URL.

    Args:
        expiration_in_seconds: 60 to 3600 seconds, or None for the service's default.

    Raises:
        InvalidArgumentError: It is outside these limits of the service model.
    """
    return checked_range(
        expiration_in_seconds, "expiration_in_seconds", _SHORTEST_STREAM, _LONGEST_STREAM
    )


def _text(value: str | None, argument: str) -> str | None:
    """Return an enum value or a text as a plain text, which botocore can serialise."""
    text = checked_text(value, argument)
    return None if text is None else str(text)


def _require_usable(operation: str, identifier: str | None) -> None:
    """Refuse an id of the service's that no request could name."""
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
