"""The one reconcile loop: observe, decide, act or wait, until done, failed or the deadline.

tenacity is its engine, and this the only file that imports it. What is a success, a failure or
a step is decided by the pure functions of each service's `states.py`.
"""

import asyncio
import inspect
import itertools
import logging
import math
import random
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import Generic, TypeVar

from attrs import define, evolve, field
from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from dcvsessions._arguments import checked_seconds
from dcvsessions._wait.decisions import Act, Decision, Done, Failed, Observation, Sent, Situation
from dcvsessions._wait.schedule import Schedule, fixed, predicted_remaining
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import (
    ApiError,
    CallTimeoutError,
    ConflictError,
    ConnectionFailedError,
    DcvSessionsError,
    ErrorAbsorbed,
    InvalidResponseError,
    ServiceClosedError,
    ServiceFaultError,
    SetupInProgressError,
    StateSeen,
    ThrottledError,
    WaitFailedError,
    WaitStory,
    WaitTimeoutError,
)
from dcvsessions.progress import Progress

__all__ = [
    "MOMENT",
    "OnProgress",
    "Waiting",
    "is_absorbed",
    "is_refusal",
]

_log = logging.getLogger(__name__)

# How long the last poll, which comes at the deadline, may take.
MOMENT = 3.0
_CLOCK_RESOLUTION = 1e-3
_LONGEST_HISTORY = 1000

_Resource = TypeVar("_Resource")
_Value = TypeVar("_Value")
_Result = TypeVar("_Result")
_Client = TypeVar("_Client")

OnProgress = Callable[[Progress], object]

_wait_numbers = itertools.count(1)


def is_absorbed(error: DcvSessionsError) -> bool:
    """Whether an error is no news: a wait goes on until its deadline."""
    return isinstance(
        error,
        ThrottledError
        | ServiceFaultError
        | SetupInProgressError
        | InvalidResponseError
        | ConnectionFailedError,
    ) and not isinstance(error, ServiceClosedError)


def is_refusal(error: DcvSessionsError) -> bool:
    """Whether an error proves that what was asked for did not happen."""
    if isinstance(error, ConnectionFailedError):
        return not error.was_sent
    return not isinstance(error, ServiceFaultError | InvalidResponseError)


class Waiting:
    """One wait of one helper: its deadline, its story, and the stages that it goes through.

    Args:
        timeout: Seconds until the deadline; None for no deadline.
        poll_interval: A fixed interval in seconds, in place of the schedules.
        on_progress: What is told of each reading.
    """

    def __init__(
        self,
        *,
        timeout: float | None,
        poll_interval: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        limit = checked_seconds(timeout, "timeout")
        interval = checked_seconds(poll_interval, "poll_interval", zero=False)
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._timeout = limit
        self.deadline = math.inf if limit is None else self._began + limit
        self._fixed = None if interval is None else fixed(interval)
        self._on_progress = on_progress
        self.polls = 0
        self._number = next(_wait_numbers)
        self._readings: Counter[str] = Counter()
        # A wait without a deadline must not grow without one.
        self._history: deque[StateSeen | ErrorAbsorbed] = deque(maxlen=_LONGEST_HISTORY)

    @property
    def elapsed(self) -> float:
        """Seconds since the wait began."""
        return self._loop.time() - self._began

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, 0 if it has come."""
        left = self.deadline - self._loop.time()
        return left if left > _CLOCK_RESOLUTION else 0.0

    @property
    def history(self) -> tuple[StateSeen | ErrorAbsorbed, ...]:
        """The states seen and the errors absorbed, oldest first."""
        return tuple(self._history)

    @asynccontextmanager
    async def opened(
        self, context: AbstractAsyncContextManager[_Client]
    ) -> AsyncGenerator[_Client, None]:
        """Enter the context of a client within the deadline.

        Args:
            context: The context.

        Raises:
            WaitTimeoutError: Entering took too long, as a sign-in over the network can.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(_when(self.deadline + MOMENT)):
                    client = await stack.enter_async_context(context)
            except DcvSessionsError:
                raise
            except TimeoutError:
                raise self.timed_out("AWS client", "open") from None
            yield client

    async def reachable(self, url: DcvUrl, resource: str) -> None:
        """Wait until the server of a URL answers, within the deadline.

        Args:
            url: The URL.
            resource: What it belongs to, for the error.

        Raises:
            UnreachableError: It did not.
        """
        left = None if math.isinf(self.deadline) else max(self.remaining, MOMENT)
        try:
            await url.wait_until_reachable(timeout=left)
        except DcvSessionsError as error:
            self.add_story(error, resource, "reachable")
            raise

    async def until(
        self,
        *,
        resource: str,
        awaited: str,
        observe: Callable[[], Awaitable[Observation[_Resource]]],
        decide: Callable[[Observation[_Resource], Situation], Decision[_Value]],
        act: Callable[[StrEnum], Awaitable[Failed | None]] | None = None,
        schedule: Schedule,
    ) -> _Value:
        """Observe, decide and act until it is done.

        Args:
            resource: What is waited on, for events and errors.
            awaited: What it is waited for to be, for errors.
            observe: Reads it.
            decide: Says what to make of a reading. Pure.
            act: Asks for a step; returns why it failed, if the service says so at once.
            schedule: When to poll.

        Returns:
            The value of `Done`.

        Raises:
            WaitFailedError: It was decided that it failed.
            WaitTimeoutError: The deadline came.
            DcvSessionsError: A call failed in a way that more waiting does not mend.
        """
        stage = _Stage(
            waiting=self,
            resource=resource,
            awaited=awaited,
            observe=observe,
            decide=decide,
            act=act,
            schedule=self._fixed or schedule,
            since=self.elapsed,
        )
        engine = AsyncRetrying(
            retry=retry_if_result(_is_none),
            wait=stage.interval,
            stop=stage.is_over,
            retry_error_callback=lambda _: None,
            sleep=asyncio.sleep,
        )
        done: Done[_Value] | None = await engine(stage.poll)
        if done is None:
            raise self.timed_out(resource, awaited)
        return done.value

    def saw(self, resource: str, state: str) -> None:
        """Take a state into the history, if it is not the one that was seen before it."""
        seen = [entry for entry in self._history if isinstance(entry, StateSeen)]
        if not seen or (seen[-1].resource, seen[-1].state) != (resource, state):
            self._history.append(StateSeen(state, self.elapsed, resource))

    def absorbed(self, error: str) -> None:
        """Take an error into the history; the same again is counted."""
        last = self._history[-1] if self._history else None
        if isinstance(last, ErrorAbsorbed) and last.error == error:
            self._history[-1] = ErrorAbsorbed(error, last.elapsed, last.times + 1)
        else:
            self._history.append(ErrorAbsorbed(error, self.elapsed))

    async def tell(self, resource: str, state: str, percentage: int | None) -> None:
        """Tell the caller of a reading."""
        if self._on_progress is None:
            return
        self._readings[resource] += 1
        event = Progress(
            wait=self._number,
            desktop=next(iter(self._readings)),
            resource=resource,
            state=state,
            percentage=percentage,
            elapsed=self.elapsed,
            attempt=self._readings[resource],
        )
        heard = self._on_progress(event)
        if not inspect.isawaitable(heard):
            return
        limit = asyncio.timeout_at(_when(max(self.deadline, self._loop.time() + MOMENT)))
        try:
            async with limit:
                await heard
        except TimeoutError:
            if not limit.expired():
                raise
            self.absorbed("on_progress did not return before the deadline.")

    def failed(self, failure: Failed, resource: str, awaited: str) -> DcvSessionsError:
        """Return the error of a decision that it failed."""
        if failure.error is not None:
            self.add_story(failure.error, resource, awaited)
            return failure.error
        return WaitFailedError(failure.reason, self._story(resource, awaited), failure.details)

    def timed_out(self, resource: str, awaited: str) -> WaitTimeoutError:
        """Return the error of a deadline that came."""
        reason = f"The timeout of {self._timeout:g} s is over."
        return WaitTimeoutError(reason, self._story(resource, awaited))

    def _story(self, resource: str, awaited: str) -> WaitStory:
        return WaitStory(
            resource=resource,
            awaited=awaited,
            elapsed=self.elapsed,
            polls=self.polls,
            history=self.history,
        )

    def add_story(self, error: DcvSessionsError, resource: str, awaited: str) -> None:
        """Add to a call's error what was waited for when it came."""
        story = self._story(resource, awaited)
        note = f"While waiting for {resource} to be {awaited}, {story.length}. {story.events}"
        error.add_note(note.rstrip())


@define(kw_only=True)
class _Stage(Generic[_Resource, _Value]):
    """One resource on its way to one state, as tenacity sees it: poll, interval, is_over."""

    waiting: Waiting
    resource: str
    awaited: str
    observe: Callable[[], Awaitable[Observation[_Resource]]]
    decide: Callable[[Observation[_Resource], Situation], Decision[_Value]]
    act: Callable[[StrEnum], Awaitable[Failed | None]] | None
    schedule: Schedule
    since: float
    sent: dict[StrEnum, Sent] = field(init=False, factory=dict[StrEnum, Sent])
    first_percentage: tuple[float, int] | None = field(init=False, default=None)
    last_percentage: tuple[float, int] | None = field(init=False, default=None)
    conflict: ConflictError | None = field(init=False, default=None)
    warned: set[str] = field(init=False, factory=set[str])
    warned_of_connection: bool = field(init=False, default=False)
    errors: int = field(init=False, default=0)
    retry_after: float = field(init=False, default=0.0)
    is_last: bool = field(init=False, default=False)

    async def poll(self) -> Done[_Value] | None:
        """Observe and decide once; None if there is nothing to return yet."""
        self.is_last = self.waiting.remaining == 0
        self.waiting.polls += 1
        self.retry_after = 0.0
        observation = await self._attempt(self.observe)
        if isinstance(observation, DcvSessionsError):
            return None
        self._note(observation)
        await self.waiting.tell(self.resource, observation.state, observation.percentage)
        situation = Situation(self.waiting.elapsed, self.sent)
        match self.decide(observation, situation):
            case Done() as done:
                return done
            case Failed() as failure:
                raise self.waiting.failed(failure, self.resource, self.awaited)
            case Act(step) if not self.is_last:
                await self._take(step, observation.state)
            case _:
                self.conflict = None
        return None

    def interval(self, _: RetryCallState) -> float:
        """Return the seconds until the next poll, never past the deadline."""
        wish = self.schedule.interval(
            self.waiting.elapsed - self.since,
            remaining=predicted_remaining(self.first_percentage, self.last_percentage),
            errors=self.errors,
            draw=random.random(),  # noqa: S311 - it spreads polls, it guards nothing
        )
        return min(max(wish, self.retry_after), self.waiting.remaining)

    def is_over(self, _: RetryCallState) -> bool:
        """Whether the last poll, the one at the deadline, has been made."""
        return self.is_last

    async def _take(self, step: StrEnum, state: str) -> None:
        act = self.act
        if act is None:
            return
        try:
            outcome = await self._attempt(lambda: act(step))
        except ConflictError as conflict:
            # Somebody else may have been quicker: if the next reading asks for the same again,
            # nobody was, and the service means it.
            if self.conflict is not None:
                raise
            self.conflict = conflict
            return
        self.conflict = None
        if isinstance(outcome, DcvSessionsError) and is_refusal(outcome):
            return
        # An act that was not answered may have happened: the next readings tell.
        self.since = self.waiting.elapsed
        self.sent[step] = Sent(self.since, state)
        self.first_percentage = self.last_percentage = None
        if isinstance(outcome, Failed):
            raise self.waiting.failed(outcome, self.resource, self.awaited)

    async def _attempt(
        self, call: Callable[[], Awaitable[_Result]]
    ) -> "_Result | DcvSessionsError":
        """Return what a call returned, or the error of it that was absorbed."""
        waiting = self.waiting
        # The last one has its moment also if the process was stopped, or the loop, for longer.
        now = asyncio.get_running_loop().time()
        limit = max(waiting.deadline, now) + MOMENT if self.is_last else waiting.deadline
        error: DcvSessionsError
        try:
            async with asyncio.timeout_at(_when(limit)):
                result = await call()
        except DcvSessionsError as failure:
            if not is_absorbed(failure):
                waiting.add_story(failure, self.resource, self.awaited)
                raise
            error = failure
        except TimeoutError:
            error = CallTimeoutError("A call was not answered before the deadline.")
        else:
            self.errors = 0
            return result
        self.errors += 1
        self.retry_after = (isinstance(error, ApiError) and error.retry_after) or 0.0
        if isinstance(error, ConnectionFailedError) and not self.warned_of_connection:
            # What is wrong for good, a proxy or a certificate, looks like what passes.
            self.warned_of_connection = True
            _log.warning("%s: waiting on after: %s", self.resource, error)
        waiting.absorbed(_brief(error))
        return error

    def _note(self, observation: Observation[_Resource]) -> None:
        state, now = observation.state, self.waiting.elapsed
        self.waiting.saw(self.resource, state)
        if not observation.is_known and state not in self.warned:
            self.warned.add(state)
            _log.warning(
                "%s is in state %r, which the service model does not name: waiting on.",
                self.resource,
                state,
            )
        self.sent = {
            step: evolve(sent, moved=sent.moved or sent.state != state)
            for step, sent in self.sent.items()
        }
        if observation.percentage is not None:
            reading = (now, observation.percentage)
            self.first_percentage = self.first_percentage or reading
            if self.last_percentage is None or self.last_percentage[1] != reading[1]:
                self.last_percentage = reading


def _is_none(outcome: object) -> bool:
    return outcome is None


def _when(deadline: float) -> float | None:
    return None if math.isinf(deadline) else deadline


def _brief(error: DcvSessionsError) -> str:
    """Return an error in a form that repeats when the error does: without its request's id."""
    if isinstance(error, ApiError):
        return f"{error.operation}: {error.code} (HTTP {error.http_status})"
    return str(error)
