"""What the courses of the contract have in common: read until a state, keep refusals as results."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import groupby
from typing import TypeVar

from dcvsessions import ApiError

Seen = TypeVar("Seen")

# Seconds until a course gives up.
_PATIENCE = 1800.0


async def outcome(work: Awaitable[Seen]) -> Seen | ApiError:
    """Return an error of the service as a result. A test looks at it, and the course continues."""
    try:
        return await work
    except ApiError as error:
        return error


async def readings(
    read: Callable[[], Awaitable[Seen]],
    state: Callable[[Seen], str | None],
    goal: str,
    *,
    interval: float = 2.0,
    patience: float = _PATIENCE,
) -> list[Seen]:
    """Read until a state is reached, or another one that says that the transition has failed."""
    seen = [await read()]
    async with asyncio.timeout(patience):
        while not _is_over(str(state(seen[-1])), goal):
            await asyncio.sleep(interval)
            seen.append(await read())
    return seen


def _is_over(state: str, goal: str) -> bool:
    return state == goal or "fail" in state.lower()


def states(seen: list[Seen], state: Callable[[Seen], str | None]) -> list[str]:
    """Return the states in their order, each once in a row."""
    return [str(each) for each, _ in groupby(seen, key=state)]
