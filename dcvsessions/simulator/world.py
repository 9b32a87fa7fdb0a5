"""What both simulated services share: time, chance, the lock, pages, and where desktops are."""

from __future__ import annotations

import base64
import binascii
import collections
import functools
import secrets
import string
import uuid
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

import attrs

from dcvsessions.simulator.wire import WireError

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable, Sequence

    from dcvsessions.simulator.clock import Clock
    from dcvsessions.simulator.timings import Timings, Transition
    from dcvsessions.simulator.wire import Json, Parameters

#: The account and the user that every request is made by. Both are made up: the account is the
#: one of AWS's own examples.
ACCOUNT_ID = "123456789012"
USER_ID = "simulator-user"

_ALPHANUMERIC = string.ascii_letters + string.digits
_TOKENS_KEPT = 10_000


@attrs.frozen(kw_only=True, repr=False)
class World:
    """The surroundings of a simulated service.

    Args:
        clock: The time.
        timings: How long transitions take.
        randomness: Where identifiers and drawn durations come from; never secrets.
        region_name: The region that the services say they are in.
        page_size: The most items in a page of results.
        stale_reads: For how many simulated seconds a write is not seen by reads.
        lock: Held by whoever looks at the state or changes it.
        desktop_url: Makes the URL of a desktop from its token and session id.
    """

    clock: Clock
    timings: Timings
    randomness: random.Random
    region_name: str
    page_size: int
    stale_reads: float
    lock: threading.RLock
    desktop_url: Callable[[str, str], str]

    def seconds(self, transition: Transition) -> float:
        """Tell how long the transition that begins now takes.

        Args:
            transition: Which one.

        Returns:
            Simulated seconds.
        """
        return self.timings.draw(transition, self.randomness)

    def identifier(self, length: int) -> str:
        """Make an identifier that the seed determines.

        Args:
            length: Its number of letters and digits.

        Returns:
            The identifier.
        """
        return "".join(self.randomness.choices(_ALPHANUMERIC, k=length))

    def uuid(self) -> str:
        """Make a UUID that the seed determines.

        Returns:
            The UUID.
        """
        return str(uuid.UUID(int=self.randomness.getrandbits(128), version=4))


def dcv_token() -> str:
    """Make the secret of a DCV URL.

    Returns:
        A token that the seed does *not* determine: it is a bearer credential.
    """
    return secrets.token_urlsafe(24)


@attrs.frozen(kw_only=True)
class Desktop:
    """A desktop that can be opened now.

    Args:
        title: The computer or studio session that it belongs to.
        session_id: The DCV session id, the fragment of its URL.
        token: The secret that opens it; not in the repr.
    """

    title: str
    session_id: str
    token: str = attrs.field(repr=False)


class Guarded(Protocol):
    """Anything with a world, and so with its lock."""

    _world: World


_Self = TypeVar("_Self", bound=Guarded)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def guarded(
    method: Callable[Concatenate[_Self, _Arguments], _Result],
) -> Callable[Concatenate[_Self, _Arguments], _Result]:
    """Let a method hold the lock: a synchronous test asks from another thread than the server's.

    Args:
        method: A method of an object that has a `World`.

    Returns:
        The method under the lock.
    """

    @functools.wraps(method)
    def hold(self: _Self, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        with self._world.lock:  # pyright: ignore[reportPrivateUsage] - of methods alone
            return method(self, *args, **kwargs)

    return hold


class Numbered(Protocol):
    """Anything numbered in order of creation."""

    @property
    def number(self) -> int:
        """Its number."""
        ...


_Item = TypeVar("_Item", bound=Numbered)


def page(
    items: Sequence[_Item], token: str | None, size: int, code: str
) -> tuple[list[_Item], str | None]:
    """Cut a page out of a list.

    The token holds the number after which to go on, so that what is created or forgotten between
    two pages shifts nothing.

    Args:
        items: All items, in order of their numbers.
        token: The token of the page before; None for the first page.
        size: The most items in a page.
        code: The error code for a token that was never handed out.

    Returns:
        The items, and the token of the next page if there is one.

    Raises:
        WireError: The token was never handed out.
    """
    after = -1 if token is None else _number_in(token, code)
    rest = [item for item in items if item.number > after]
    more = len(rest) > size
    return rest[:size], _token_for(rest[size - 1].number) if more else None


def _token_for(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode()


def _number_in(token: str, code: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if word == "after":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise WireError(code, "The page token is not one that was handed out")


class IdempotencyTokens:
    """The client tokens that were used, with what they were used for; the oldest are forgotten."""

    def __init__(self) -> None:
        self._used: collections.OrderedDict[tuple[str, str], tuple[dict[str, Json], str]] = (
            collections.OrderedDict()
        )

    def recall(self, operation: str, parameters: Parameters) -> str | None:
        """Look up what a request with this token brought about before.

        Args:
            operation: The operation.
            parameters: The parameters, of which ``clientToken`` is one.

        Returns:
            The key of the resource; None if there is no token or it is new.

        Raises:
            WireError: The token was used with other parameters.
        """
        token = parameters.optional_text("clientToken")
        used = self._used.get((operation, token)) if token else None
        if used is None:
            return None
        if used[0] != parameters:
            raise WireError(
                "ValidationException", "The client token was used before with other parameters"
            )
        return used[1]

    def remember(self, operation: str, parameters: Parameters, key: str) -> None:
        """Note what a request with a token brought about.

        Args:
            operation: The operation.
            parameters: The parameters.
            key: The key of the resource.
        """
        token = parameters.optional_text("clientToken")
        if token is None:
            return
        self._used[operation, token] = (dict(parameters), key)
        while len(self._used) > _TOKENS_KEPT:
            self._used.popitem(last=False)
