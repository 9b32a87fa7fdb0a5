"""What a streaming session is created with. Pure."""

from collections.abc import Mapping

from attrs import field, frozen

from dcvsessions._arguments import (
    checked_identifier,
    checked_tags,
    checked_text,
    checked_token,
)

__all__ = ["StreamingSessionRequest"]


@frozen(kw_only=True)
class StreamingSessionRequest:
    """A streaming session that should be made: the parameters of CreateStreamingSession.

    Attributes:
        launch_profile_id: The launch profile to make the session from.
        ec2_instance_type: The instance type. Default: the service chooses.
        owned_by: The user that the session is for. Default: the caller.
        streaming_image_id: The image. Default: the service chooses.
        tags: The session's tags.
        client_token: 1 to 64 characters. If you run the call again after a crash, with the same
            token and parameters, it finds the session that it made. Default: a new token.

    Raises:
        InvalidArgumentError: A value is invalid.

    Example:
        >>> StreamingSessionRequest(launch_profile_id="lp-1", owned_by="ada").owned_by
        'ada'
    """

    launch_profile_id: str
    ec2_instance_type: str | None = None
    owned_by: str | None = None
    streaming_image_id: str | None = None
    tags: Mapping[str, str] | None = field(default=None, converter=checked_tags, hash=False)
    client_token: str | None = None

    def __attrs_post_init__(self) -> None:
        checked_identifier(self.launch_profile_id, "launch_profile_id")
        checked_text(self.ec2_instance_type, "ec2_instance_type")
        checked_text(self.owned_by, "owned_by")
        checked_text(self.streaming_image_id, "streaming_image_id")
        checked_token(self.client_token)
