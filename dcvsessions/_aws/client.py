"""The base class of both clients: opening, calling, closing.

botocore's objects and errors stay in here. Callers get an `Answer`, or an error of this package.
"""

# The functions in this file read private attributes of a client. They are not methods, because
# completion would show those to users.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from dcvsessions._arguments import checked_endpoint, checked_object, checked_text
from dcvsessions._aws.body import take_members
from dcvsessions._aws.budget import Budget, Priority
from dcvsessions._aws.imports import imported
from dcvsessions._aws.proof import replace_unproven_error
from dcvsessions._secrets.logs import MASKED, masking
from dcvsessions._secrets.tracebacks import remove_secrets
from dcvsessions._tasks import InFlight, Interruptible
from dcvsessions.errors import (
    ClientStateError,
    InvalidArgumentError,
    InvalidResponseError,
)

if TYPE_CHECKING:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    from dcvsessions._aws.convert import Answer
    from dcvsessions._aws.errors import Call

__all__ = ["AwsClient", "in_use", "no_blind_repeats", "poll_delay", "service_now"]

_Result = TypeVar("_Result")

# Seconds that helpers get to clean up before their client is closed: a little longer than their
# longest clean-up.
_CLOSE_TIMEOUT = 65.0


class AwsClient:
    """A client of one service. It belongs to the event loop and process in which it was opened."""

    _service: ClassVar[str]
    # The operations that waits poll with. All others are sent before them.
    _polls: ClassVar[frozenset[str]]

    def __init__(
        self,
        *,
        region_name: str | None = None,
        profile_name: str | None = None,
        endpoint_url: str | None = None,
        session: "AioSession | None" = None,
        config: "AioConfig | None" = None,
    ) -> None:
        self._client: Any = None
        self._region_hint = ""
        self._closed = False
        self._is_closing = False
        self._region_name = checked_text(region_name, "region_name")
        self._profile_name = checked_text(profile_name, "profile_name")
        self._endpoint_url = checked_endpoint(endpoint_url)
        checked_object(session, "session", "create_client", "an AioSession")
        checked_object(config, "config", "merge", "an AioConfig")
        self._session = session
        self._config = config
        self._exit = AsyncExitStack()
        self._methods: dict[str, str] = {}
        self._budget: Budget
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: int | None = None
        self._users = InFlight()
        self._throttling_codes: frozenset[str] = frozenset()
        self._last_date: tuple[str, float] | None = None
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
            ConfigurationError: The AWS configuration is incomplete or invalid.
            InvalidArgumentError: `region_name` is not the name of a region.
        """
        if self._closed or self._loop is not None:
            state = "was closed" if self._closed else "is open already"
            raise ClientStateError(f"This {type(self).__name__} {state}: make another.")
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._exit.enter_context(masking())
        try:
            self._client, self._region_hint = await self._within_boundary(
                self._create(), _Exchange(self)
            )
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._budget = Budget(self._client.meta.config.max_pool_connections)
        names = self._client.meta.method_to_api_mapping
        self._methods = dict(zip(names.values(), names.keys(), strict=True))
        for event, handler in _HANDLERS["first"]:
            self._client.meta.events.register_first(f"{event}.{self._service}", handler)
        for event, handler in _HANDLERS["last"]:
            self._client.meta.events.register_last(f"{event}.{self._service}", handler)
        return self

    async def _create(self) -> tuple[Any, str]:
        await imported()
        from dcvsessions._aws import errors, session  # noqa: PLC0415 - see imports.py

        self._throttling_codes = errors.THROTTLING_CODES

        return await self._exit.enter_async_context(
            session.opened_client(
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
        """Close the client and its connections.

        Helpers in other tasks that use the client end first: they raise a `ClientStateError`, and
        clean up while the client is still open.
        """
        self._is_closing = True
        try:
            await self._users.end(self._was_closed, within=_CLOSE_TIMEOUT)
        finally:
            self._closed = True
            if self._client is not None:
                self._budget.close()
            await self._exit.aclose()

    def _call(self, operation: str, **parameters: object) -> "Coroutine[Any, Any, Answer]":
        """Call an operation."""
        return self._answer(operation, parameters, is_repeatable=True)

    def _call_once(self, operation: str, **parameters: object) -> "Coroutine[Any, Any, Answer]":
        """Call an operation, and keep botocore from repeating it if it may have taken effect."""
        return self._answer(operation, parameters, is_repeatable=False)

    async def _answer(
        self, operation: str, parameters: Mapping[str, object], *, is_repeatable: bool
    ) -> "Answer":
        """Call an operation without the parameters that are None.

        No local variable here holds the answer, because it can contain a URL as plain text.
        """
        from dcvsessions._aws.convert import Answer  # noqa: PLC0415 - see imports.py

        self._require_usable()
        # From botocore's table: no rule turns CreateGUISessionAccessDetails into a method name.
        method = getattr(self._client, self._methods[operation])
        given = {name: value for name, value in parameters.items() if value is not None}
        exchange = _Exchange(self, operation, is_repeatable=is_repeatable)
        return Answer(operation, await self._in_turn(exchange, partial(method, **given)))

    async def _in_turn(
        self, exchange: "_Exchange", call: Callable[[], Awaitable[_Result]]
    ) -> _Result:
        is_poll = exchange.operation in self._polls
        await self._budget.begin_call(Priority.POLL if is_poll else Priority.CHANGE)
        try:
            # Again, because the client may have been closed while this call waited.
            self._require_usable()
            return await self._within_boundary(call(), exchange)
        finally:
            self._budget.end_call(is_success=exchange.is_success)

    async def _pages(
        self, operation: str, *, page_parameter: str, page_member: str, **parameters: object
    ) -> AsyncGenerator["Answer", None]:
        """Call an operation once for each page.

        `page_member` is the member of an answer that names the next page, and `page_parameter` the
        parameter that asks for it.
        """
        page: str | None = None
        seen: set[str] = set()
        while True:
            answer = await self._call(operation, **parameters, **{page_parameter: page})
            yield answer
            page = answer.text(page_member)
            if page is None:
                return
            if page in seen:
                raise InvalidResponseError(
                    f"{operation}: the list leads back to a page that was read before.",
                    operation=operation,
                )
            seen.add(page)

    def _require_usable(self) -> None:
        name = type(self).__name__
        if self._closed:
            raise self._was_closed()
        if self._client is None:
            raise ClientStateError(f"This {name} is not open: use it in `async with {name}(…)`.")
        if self._process != os.getpid():
            raise ClientStateError(
                f"This {name} was opened in the parent process, and would use its "
                "connections: open another one in this process."
            )
        if self._loop is not asyncio.get_running_loop():
            raise ClientStateError(
                f"This {name} was opened in another event loop: open one in each loop."
            )

    def _was_closed(self) -> ClientStateError:
        return ClientStateError(f"This {type(self).__name__} was closed: make another.")

    async def _within_boundary(self, work: Awaitable[_Result], exchange: "_Exchange") -> _Result:
        """Await a call, and raise this package's error if botocore or aiohttp raises one.

        The frames of the error are cleared, because they hold secrets. This is not a context
        manager, because contextlib would put the frames back on the error.
        """
        outer = sys.exception()
        tokens = (_EXCHANGE.set(exchange), MASKED.set(True))
        try:
            return await work
        except Exception as error:  # noqa: BLE001 - every error is translated
            from dcvsessions._aws.errors import translated  # noqa: PLC0415 - see imports.py

            ours = translated(error, self._described(exchange))
            remove_secrets(ours, keep=outer)
        except BaseException as error:
            remove_secrets(error, keep=outer)
            raise
        finally:
            _EXCHANGE.reset(tokens[0])
            MASKED.reset(tokens[1])
        # Raised after the handler, so that Python does not set the foreign error as the context.
        raise ours

    def _described(self, exchange: "_Exchange") -> "Call":
        from dcvsessions._aws.errors import Call  # noqa: PLC0415 - see imports.py

        meta = self._client.meta if self._client is not None else None
        return Call(
            service=self._service,
            operation=exchange.operation,
            endpoint_url=meta.endpoint_url if meta else self._endpoint_url,
            region_name=meta.region_name if meta else self._region_name,
            region_hint=self._region_hint,
            was_sent=exchange.was_sent,
            is_parsing=exchange.is_parsing,
        )


def in_use(client: AwsClient) -> Interruptible:
    """Return a block in which a client is used. Closing the client ends the block first."""
    client._require_usable()
    if client._is_closing:
        raise client._was_closed()
    return client._users.entered()


def poll_delay(client: AwsClient) -> float:
    """Return the seconds that a poll would wait for its turn now."""
    return 0.0 if client._client is None else client._budget.delay


def service_now(client: AwsClient) -> datetime | None:
    """Return the time by the service's clock, as its latest answer told it; None if it did not."""
    from dcvsessions._aws.errors import http_date  # noqa: PLC0415 - see imports.py

    if client._last_date is None:
        return None
    text, read_at = client._last_date
    age = timedelta(seconds=asyncio.get_running_loop().time() - read_at)
    date = http_date(text)
    try:
        return None if date is None else date + age
    except OverflowError:
        return None


class _Exchange:
    """How far one call has come.

    Attributes:
        client: The client that makes the call.
        operation: The operation; None while the client is opened.
        is_repeatable: Whether botocore may repeat the call if it may have taken effect.
        attempt_at: When the latest attempt began, on the event loop's clock; None before the first.
        was_sent: Whether a request was handed to the connection.
        is_parsing: Whether botocore is parsing an answer.
        is_success: Whether the service has answered without an error.
    """

    def __init__(
        self, client: AwsClient, operation: str | None = None, *, is_repeatable: bool = True
    ) -> None:
        self.client = client
        self.operation = operation
        self.is_repeatable = is_repeatable and _BLIND_REPEATS.get()
        self.attempt_at: float | None = None
        self.was_sent = False
        self.is_parsing = False
        self.is_success = False


_EXCHANGE: ContextVar[_Exchange] = ContextVar("exchange")
_FIRST_REDIRECT = 300
_BLIND_REPEATS: ContextVar[bool] = ContextVar("blind_repeats", default=True)


@contextmanager
def no_blind_repeats() -> Generator[None, None, None]:
    """Keep botocore from repeating a call that may have taken effect.

    Use it for a change without a client token, and where the caller has to learn that an attempt
    may have taken effect. botocore still repeats a call that the service throttled.
    """
    token = _BLIND_REPEATS.set(False)
    try:
        yield
    finally:
        _BLIND_REPEATS.reset(token)


def _veto_repeat(response: tuple[Any, Any] | None, **_: object) -> bool | None:
    """Handle botocore's `needs-retry` event: False forbids a repeat, None leaves it to botocore."""
    exchange = _EXCHANGE.get()
    if exchange.is_success:
        return None
    if exchange.client._budget.is_paused:
        return False
    if exchange.is_repeatable:
        return None
    code = response[1].get("Error", {}).get("Code") if response is not None else None
    return None if code in exchange.client._throttling_codes else False


async def _begin_attempt(**_: object) -> None:
    # botocore signs the request after this, so a signature does not age in the queue.
    exchange = _EXCHANGE.get()
    if exchange.attempt_at is not None:
        await exchange.client._budget.repeat_call()
    exchange.attempt_at = asyncio.get_running_loop().time()


def _note_sending(**_: object) -> None:
    _EXCHANGE.get().was_sent = True


def _note_parsing(
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    operation_model: Any,  # noqa: ANN401 - botocore has no type hints
    **_: object,
) -> None:
    exchange = _EXCHANGE.get()
    exchange.is_parsing = True
    if response_dict["status_code"] >= _FIRST_REDIRECT:
        replace_unproven_error(response_dict, customized_response_dict)
    # The caller's session keeps its parser.
    elif exchange.client._session is None and operation_model.output_shape is not None:
        names = operation_model.output_shape.members
        take_members(response_dict, customized_response_dict, names)


def _note_parsed(
    response_dict: Mapping[str, Any] | None, parsed_response: Mapping[str, Any] | None, **_: object
) -> None:
    exchange = _EXCHANGE.get()
    exchange.is_parsing = False
    client = exchange.client
    if response_dict is None or parsed_response is None:
        client._last_date = None
        return
    headers = response_dict["headers"]
    date = headers.get("date")
    client._last_date = (date, asyncio.get_running_loop().time()) if date else None
    if "Error" in parsed_response:
        _note_error(exchange, parsed_response["Error"].get("Code"), headers)
    else:
        exchange.is_success = True


def _note_error(exchange: _Exchange, code: str | None, headers: Mapping[str, str]) -> None:
    budget = exchange.client._budget
    if code in exchange.client._throttling_codes:
        budget.throttled(exchange.attempt_at or 0.0)
    else:
        budget.accepted()
    if code:
        from dcvsessions._aws.errors import retry_after  # noqa: PLC0415 - see imports.py

        if seconds := retry_after(headers, datetime.now(UTC)):
            budget.pause(seconds)


# Handlers of botocore's client events, which run before (first) or after (last) botocore's own.
_HANDLERS: Mapping[str, tuple[tuple[str, Callable[..., object]], ...]] = {
    "first": (
        ("request-created", _begin_attempt),
        ("needs-retry", _veto_repeat),
        ("before-parse", _note_parsing),
        ("response-received", _note_parsed),
    ),
    "last": (("before-send", _note_sending),),
}
