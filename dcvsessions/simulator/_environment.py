"""What both simulated services share: the clock, durations, identifiers, and the lock."""

import functools
import random
import string
import threading
import uuid
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from attrs import frozen

from dcvsessions.simulator._time.clock import Clock
from dcvsessions.simulator._time.timings import Timings, TransitionName

__all__ = ["ACCOUNT_ID", "USER_ID", "Environment", "locked"]

# This user of this account makes every request. Both are invented; the account number is the one
# that AWS uses in its examples.
ACCOUNT_ID = "123456789012"
USER_ID = "simulator-user"

_ALPHANUMERIC = string.ascii_letters + string.digits


@frozen(kw_only=True, repr=False)
class Environment:
    """What both simulated services share.

    Attributes:
        clock: The simulated time.
        timings: How long transitions take.
        random: The source of identifiers and durations, never of secrets.
        region_name: The region that the services report.
        page_size: The most items in a page of results.
        stale_reads: Simulated seconds after a write during which reads show the state before it.
        lock: Held while anybody reads or changes the state.
        desktop_url: Makes the URL of a desktop from its token and its session id.
    """

    clock: Clock
    timings: Timings
    random: random.Random
    region_name: str
    page_size: int
    stale_reads: float
    lock: threading.RLock
    desktop_url: Callable[[str, str], str]

    def duration(self, transition: TransitionName) -> float:
        """Return how long the transition that begins now takes, in simulated seconds."""
        return self.timings.draw(transition, self.random)

    def identifier(self, length: int) -> str:
        """Return letters and digits that follow from the seed."""
        return "".join(self.random.choices(_ALPHANUMERIC, k=length))

    def uuid(self) -> str:
        """Return a UUID that follows from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


class HasEnvironment(Protocol):
    """An object in an environment, whose lock it uses."""

    _environment: Environment


_Self = TypeVar("_Self", bound=HasEnvironment)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def locked(
    method: Callable[Concatenate[_Self, _Arguments], _Result],
) -> Callable[Concatenate[_Self, _Arguments], _Result]:
    """Make a method hold the lock, because tests may call it from another thread."""

    @functools.wraps(method)
    def with_lock(self: _Self, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        with self._environment.lock:  # pyright: ignore[reportPrivateUsage] - decorates methods only
            return method(self, *args, **kwargs)

    return with_lock
