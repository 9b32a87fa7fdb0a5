"""Decides which call of a client is sent when: at the service's rate, and changes first."""

import asyncio
from enum import IntEnum, auto
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from dcvsessions._aws.rate import Rate
from dcvsessions._call_order import is_first_call, is_last_call

__all__ = ["Budget", "Priority"]


class Priority(IntEnum):
    """Which of the waiting calls is sent first."""

    # A repeat goes first, because it holds a connection already.
    REPEAT = auto()
    # The last call of a wait, which would come too late otherwise.
    LAST = auto()
    # Changes and what leads to them: a session that starts earlier is ready earlier, and one that
    # is deleted later costs more.
    CHANGE = auto()
    # The first reading of a desktop leads to its start.
    FIRST = auto()
    POLL = auto()


class _Place(NamedTuple):
    """The place of a call in the queue. The number is unique, so turns are never compared."""

    priority: Priority
    number: int
    turn: asyncio.Future[None]


class Budget:
    """What the service grants to one client: shared by all of its calls.

    Args:
        connections: How many calls may run at once. If there were more, a call would be signed and
            then wait for a connection.
    """

    def __init__(self, connections: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._rate = Rate()
        self._connections = connections
        self._queue: list[_Place] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    @property
    def delay(self) -> float:
        """Seconds that a poll would wait for its turn now."""
        limit = self._rate.limit
        return 0.0 if limit is None else len(self._queue) / limit

    async def begin_call(self, priority: Priority) -> None:
        """Wait for the turn of a call, and keep a connection for it until `end_call()`."""
        if self._rate.is_free and self._connections > 0 and not self._queue:
            self._connections -= 1
        else:
            await self._turn(priority)

    async def repeat_call(self) -> None:
        """Wait until a call may be sent once more, within its turn."""
        await self._turn(Priority.REPEAT)

    def end_call(self, *, is_success: bool) -> None:
        """Give the connection of a call to the next one."""
        if is_success:
            self.accepted()
        self._connections += 1
        if self._queue:
            self._admit()

    @property
    def is_paused(self) -> bool:
        """Whether the service asked for a pause that is not over."""
        return not self._rate.is_free and self._rate.is_paused(self._loop.time())

    def accepted(self) -> None:
        """Note an answer of the service that is not a throttle."""
        self._rate.accepted(self._loop.time(), is_full=bool(self._queue))

    def throttled(self, sent_at: float) -> None:
        """Note a throttle: all calls of the client slow down."""
        self._rate.throttled(self._loop.time(), sent_at)

    def pause(self, seconds: float) -> None:
        """Send nothing for some seconds, because the service asked for it."""
        self._rate.pause(self._loop.time(), seconds)

    def close(self) -> None:
        """Let all waiting calls continue, because the client is closed."""
        self._is_over = True
        self._admit()

    async def _turn(self, priority: Priority) -> None:
        if not self._queue and self._may_go(priority):
            self._go(priority)
            return
        place = _Place(_raised(priority), next(self._numbers), self._loop.create_future())
        heappush(self._queue, place)
        self._admit()
        try:
            await place.turn
        except asyncio.CancelledError:
            if place.turn.done() and not place.turn.cancelled() and priority != Priority.REPEAT:
                # The turn came at the moment of the cancellation: give it to the next call.
                self._connections += 1
            self._admit()
            raise

    def _admit(self) -> None:
        """Let the first calls in the queue go, while the rate allows it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            place = self._queue[0]
            if place.turn.cancelled():
                heappop(self._queue)
                continue
            if not self._may_go(place.priority):
                return
            heappop(self._queue)
            self._go(place.priority)
            place.turn.set_result(None)

    def _may_go(self, priority: Priority) -> bool:
        if self._is_over:
            return True
        if priority != Priority.REPEAT and self._connections <= 0:
            return False
        if self._rate.is_free:
            return True
        is_held = priority in (Priority.CHANGE, Priority.FIRST, Priority.POLL)
        wait = self._rate.wait(self._loop.time(), is_held=is_held)
        if wait > 0:
            self._timer = self._loop.call_later(wait, self._admit)
        return wait <= 0

    def _go(self, priority: Priority) -> None:
        if not self._rate.is_free:
            self._rate.sent()
        self._connections -= priority != Priority.REPEAT


def _raised(priority: Priority) -> Priority:
    if is_last_call() and priority is not Priority.REPEAT:
        return Priority.LAST
    return min(priority, Priority.FIRST) if is_first_call() else priority
