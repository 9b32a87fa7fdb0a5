"""The life of a client: opened, called, closed, and what it lets out.

botocore's untyped objects come no further than this file: what leaves it is an `Answer` or an
error of this package.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from dcvsessions._aws.convert import Answer
from dcvsessions._secrets import logs
from dcvsessions._secrets.tracebacks import remove_secrets
from dcvsessions.errors import ClientStateError, InvalidArgumentError, InvalidResponseError

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

__all__ = ["AwsClient", "given_or_new", "no_blind_repeats"]

_Client = TypeVar("_Client", bound="AwsClient")
_Result = TypeVar("_Result")


class AwsClient:
    """What the clients of both services share: opening, calling, closing.

    A client belongs to the event loop and the process that it was opened in.
    """

    _service: ClassVar[str]

    def __init__(
        self,
        *,
        region_name: str | None = None,
        profile_name: str | None = None,
        endpoint_url: str | None = None,
        session: "AioSession | None" = None,
        config: "AioConfig | None" = None,
    ) -> None:
        self._region_name = region_name
        self._profile_name = profile_name
        self._endpoint_url = endpoint_url
        self._session = session
        self._config = config
        self._exit = AsyncExitStack()
        self._client: Any = None
        self._methods: dict[str, str] = {}
        self._turns: asyncio.Semaphore
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: int | None = None
        # Last, because a traceback with locals takes the repr of what is being made here.
        if session is not None and profile_name is not None:
            raise InvalidArgumentError(
                "profile_name= cannot be given with session=: a session has its profile already."
            )

    def __repr__(self) -> str:
        state = "closed" if self._closed else "not open" if self._client is None else "open"
        return f"<{type(self).__name__} {state}>"

    async def __aenter__(self) -> Self:
        """Open the client.

        Raises:
            ClientStateError: It is open already, or was closed.
            ConfigurationError: The AWS configuration is not enough.
            InvalidArgumentError: `endpoint_url` is not a URL.
        """
        if self._closed or self._loop is not None:
            state = "was closed" if self._closed else "is open already"
            raise ClientStateError(f"This {type(self).__name__} {state}: make another.")
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._exit.enter_context(logs.masking())
        try:
            self._client = await _within_boundary(self._create(), self._service)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._methods = {
            operation: method
            for method, operation in self._client.meta.method_to_api_mapping.items()
        }
        # A call without a connection would wait for one signed and serialised: a thousand waits
        # that begin together would stall the event loop for that, and their signatures would age.
        self._turns = asyncio.Semaphore(self._client.meta.config.max_pool_connections)
        self._client.meta.events.register_first(f"needs-retry.{self._service}", _veto_blind_repeat)
        return self

    async def _create(self) -> Any:  # noqa: ANN401 - aiobotocore's client, which stays in here
        # Imported here, because importing the package stays cheap: aiobotocore takes 200 ms.
        # The translation of errors too, as it may be needed when no file can be opened.
        from dcvsessions._aws.session import client_context  # noqa: PLC0415

        return await self._exit.enter_async_context(
            client_context(
                self._service,
                session=self._session,
                profile_name=self._profile_name,
                region_name=self._region_name,
                endpoint_url=self._endpoint_url,
                config=self._config,
            )
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client and its connections."""
        self._closed = True
        await self._exit.aclose()

    async def _call(self, operation: str, **parameters: object) -> Answer:
        """Call one operation; parameters that are None are left to the service.

        No local variable here holds the answer, because it can hold a URL in plain text.
        """
        self._require_usable()
        # botocore's own table of its methods: CreateGUISessionAccessDetails does not split by rule.
        method = getattr(self._client, self._methods[operation])
        given = {name: value for name, value in parameters.items() if value is not None}
        async with self._turns:
            # Once more, because it may have been closed while this waited for its turn.
            self._require_usable()
            return Answer(
                operation,
                await _within_boundary(
                    method(**given), self._service, operation, self._client.meta.endpoint_url
                ),
            )

    async def _pages(
        self, operation: str, *, page_parameter: str, page_member: str, **parameters: object
    ) -> AsyncGenerator[Answer, None]:
        """Call one operation for page after page.

        Args:
            operation: The operation.
            page_parameter: The parameter that asks for a page.
            page_member: The member of an answer that names the page after it.
            **parameters: The other parameters.
        """
        page: str | None = None
        while True:
            answer = await self._call(operation, **parameters, **{page_parameter: page})
            yield answer
            following = answer.text(page_member)
            if following is None:
                return
            if following == page:
                raise InvalidResponseError(
                    f"{operation}: a page names itself as the next one.", operation=operation
                )
            page = following

    def _require_usable(self) -> None:
        name = type(self).__name__
        if self._closed:
            raise ClientStateError(f"This {name} was closed: make another.")
        if self._client is None:
            raise ClientStateError(f"This {name} is not open: use it in `async with {name}(…)`.")
        if self._process != os.getpid():
            raise ClientStateError(
                f"This {name} was opened in the parent process, whose connections it would "
                "use: open one after the fork."
            )
        if self._loop is not asyncio.get_running_loop():
            raise ClientStateError(
                f"This {name} was opened in another event loop: open one in each."
            )


@asynccontextmanager
async def given_or_new(
    client: _Client | None,
    kind: type[_Client],
    *,
    region_name: str | None,
    profile_name: str | None,
    endpoint_url: str | None,
) -> AsyncGenerator[_Client, None]:
    """Provide the caller's client, which is left open, or a new one, closed at the end.

    Args:
        client: The caller's, if it has one.
        kind: The class of a new one.
        region_name: For a new one.
        profile_name: For a new one.
        endpoint_url: For a new one.

    Raises:
        InvalidArgumentError: There is a client, and something for a new one too.
    """
    if client is None:
        async with kind(
            region_name=region_name, profile_name=profile_name, endpoint_url=endpoint_url
        ) as new:
            yield new
        return
    if region_name or profile_name or endpoint_url:
        raise InvalidArgumentError(
            "client= has its region, profile and endpoint already: leave out region_name=, "
            "profile_name= and endpoint_url=."
        )
    yield client


async def _within_boundary(
    work: Awaitable[_Result],
    service: str,
    operation: str | None = None,
    endpoint_url: str | None = None,
) -> _Result:
    """Let nothing of botocore's or aiohttp's past, neither an error nor the frames behind one.

    A function and not a context manager: those give an error its frames back.
    """
    outer = sys.exception()
    masked = logs.MASKED.set(True)
    try:
        return await work
    except Exception as error:
        from dcvsessions._aws.errors import Call, translated  # noqa: PLC0415 - as above

        # First, because the frames tell whether it was the answer that could not be read.
        ours = translated(error, Call(service, operation, endpoint_url))
        if ours is None:
            remove_secrets(error, keep=outer)
            raise
        # What trips over an answer quotes it.
        ours.__cause__ = None if isinstance(ours, InvalidResponseError) else error
        remove_secrets(ours, keep=outer)
    except BaseException as error:
        remove_secrets(error, keep=outer)
        raise
    finally:
        logs.MASKED.reset(masked)
    # Out here, where the foreign error is no context that comes along by itself.
    raise ours


_BLIND_REPEATS: ContextVar[bool] = ContextVar("blind_repeats", default=True)


@contextmanager
def no_blind_repeats() -> Generator[None, None, None]:
    """Within the block, a call whose outcome is not known is not sent again by botocore.

    It is for what must not happen twice without a look in between, and for what has to be known
    to have perhaps happened. A call that was refused is sent again as ever.
    """
    token = _BLIND_REPEATS.set(False)
    try:
        yield
    finally:
        _BLIND_REPEATS.reset(token)


def _veto_blind_repeat(
    response: tuple[Any, Any] | None, caught_exception: Exception | None, **_: object
) -> bool | None:
    """Answer botocore's question whether to send a call again: no, or no opinion."""
    if _BLIND_REPEATS.get():
        return None
    if caught_exception is not None:
        return False
    return False if response is not None and response[0].status_code >= _FIRST_FAULT else None


_FIRST_FAULT = 500
