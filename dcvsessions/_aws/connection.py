"""The client that a helper uses: the caller's, or a new one that is closed afterwards."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType
from typing import Generic, Self, TypeVar

from dcvsessions._aws.client import AwsClient, in_use
from dcvsessions._frames import hide_frames
from dcvsessions._tasks import Interruptible
from dcvsessions.errors import InvalidArgumentError

__all__ = ["Connection"]

_Client = TypeVar("_Client", bound=AwsClient)
_Enter = Callable[[_Client, str], AbstractAsyncContextManager[_Client]]


class Connection(Generic[_Client]):
    """The caller's client, or the settings of a new one: the outermost block of every helper.

    If the caller closes its client during the block of a connection, the block is ended first.
    Errors of this package leave the block without the frames of the helper.

    Raises:
        InvalidArgumentError: The client is of another class, or settings are given with it.
    """

    def __init__(
        self,
        kind: type[_Client],
        client: _Client | None = None,
        region_name: str | None = None,
        profile_name: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        settings = (region_name, profile_name, endpoint_url)
        if client is not None and not isinstance(client, kind):
            raise InvalidArgumentError(
                f"client= has to be a {kind.__name__}, not a {type(client).__name__}."
            )
        if client is not None and any(setting is not None for setting in settings):
            raise InvalidArgumentError(
                "client= has its region, profile and endpoint already: leave out region_name=, "
                "profile_name= and endpoint_url=."
            )
        self._kind = kind
        self._client = client
        self._settings = settings
        # Made here, because a client checks its settings when it is made.
        self._next = None if client is not None else self._new()
        self._use: Interruptible | None = None

    async def __aenter__(self) -> Self:
        if self._client is not None:
            self._use = in_use(self._client)
            await self._use.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._use is not None:
            await self._use.__aexit__(kind, error, traceback)
        hide_frames(error)

    def opened(self, enter: "_Enter[_Client]") -> AbstractAsyncContextManager[_Client]:
        """Return a block with the caller's client, or with a new one that is closed at its end.

        `enter` opens the new client before the caller's deadline.
        """
        if self._client is not None:
            return nullcontext(self._client)
        new, self._next = self._next or self._new(), None
        return enter(new, "AWS client")

    def _new(self) -> _Client:
        region_name, profile_name, endpoint_url = self._settings
        return self._kind(
            region_name=region_name, profile_name=profile_name, endpoint_url=endpoint_url
        )
