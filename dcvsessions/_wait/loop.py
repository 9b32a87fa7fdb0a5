"""The loop behind every helper: observe, decide, take a step or wait, until the goal is reached.

Each service's `states.py` decides. Only this file imports tenacity.
"""

import asyncio
import logging
import math
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from copy import copy
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import define, field, frozen

from dcvsessions._arguments import checked_seconds
from dcvsessions._call_order import last_call
from dcvsessions._wait.decisions import (
    Decision,
    Done,
    Failed,
    Observation,
    TakeStep,
    WaitContext,
)
from dcvsessions._wait.listener import Listener, OnProgress, log_news, logs_news
from dcvsessions._wait.outcome import is_absorbed, is_refusal
from dcvsessions._wait.report import Report, brief
from dcvsessions._wait.schedule import PercentageTrend, Schedule
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import (
    ApiError,
    CallTimeoutError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    DcvSessionsError,
    Failure,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions.progress import Progress

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["FINAL_POLL_GRACE", "UNANSWERED_LIMIT", "Goal", "Waiter"]

_log = logging.getLogger(__name__)

# Seconds after the deadline in which the last poll must be answered.
FINAL_POLL_GRACE = 3.0
# Seconds after which a wait ends if it could not connect to the endpoint even once.
UNANSWERED_LIMIT = 60.0

_CLOCK_RESOLUTION = 1e-3
# Seconds by which the two clocks may drift apart although the machine has not slept.
_DRIFT = 2.0
_NO_TREND = PercentageTrend()
_NO_STEPS = WaitContext()
_NUMBERS = count(1)
_POLL_INTERVAL_VARIABLE = "DCVSESSIONS_POLL_INTERVAL"

_Resource = TypeVar("_Resource")
_Value = TypeVar("_Value")
_Result = TypeVar("_Result")
_Entered = TypeVar("_Entered")


def _no_delay() -> float:
    return 0.0


@frozen(kw_only=True, eq=False, repr=False)
class Goal(Generic[_Resource, _Value]):
    """One resource and the state that it should reach.

    Attributes:
        resource: The name of the resource in events and errors.
        awaited: The name of the state in errors.
        observe: Reads the resource.
        decide: Says what to do after a reading. Pure.
        take: Requests a step; returns the failure if the service reports one at once.
        schedule: When to poll.
        began: When the awaited change began, in seconds since the wait began; None if that is not
            known. If the loop requests a step, the change begins then.
        pause: Sleeps until the next poll. It returns earlier if another wait has read the resource.
        delay: The seconds that a poll would wait for its turn now, because the service throttles.
        is_last: Whether the wait is over when the goal is reached.
        observes_by_change: Whether `observe` requests a change, with a token that makes a repeat
            safe. If so, only an error that proves that nothing happened ends the wait.
    """

    resource: str
    awaited: str
    observe: Callable[[], Awaitable[Observation[_Resource]]]
    decide: Callable[[Observation[_Resource], WaitContext], Decision[_Value]]
    take: Callable[[StrEnum], Awaitable[Failed | None]] | None = None
    schedule: Schedule
    began: float | None = None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    delay: Callable[[], float] = _no_delay
    is_last: bool = True
    observes_by_change: bool = False


class Waiter:
    """One call of a helper: its deadline, its report, and the goals that it reaches in turn.

    Args:
        timeout: Seconds until the deadline; None for no deadline.
        poll_interval: A fixed interval in seconds; None for that of the environment variable
            `DCVSESSIONS_POLL_INTERVAL`, or else for the schedule of each goal.
        on_progress: The caller's callable for events.
        desktop: The name of the desktop in events. Default: the resource that was read.

    Raises:
        InvalidArgumentError: An argument has the wrong type or is out of range.
        ConfigurationError: The environment variable is not a number of seconds.
    """

    def __init__(
        self,
        *,
        timeout: float | None,
        poll_interval: float | None = None,
        on_progress: OnProgress | None = None,
        desktop: str = "",
    ) -> None:
        limit = checked_seconds(timeout, "timeout")
        interval = checked_seconds(poll_interval, "poll_interval", zero=False)
        if poll_interval is None:
            interval = _interval_of_environment()
        self.listener = None if on_progress is None else Listener(on_progress)
        self.report = Report()
        self.poll_interval = interval
        self.desktop = desktop
        self.number = next(_NUMBERS)
        self.has_answered = False
        self.connection_error: ConnectionFailedError | None = None
        self._loop = asyncio.get_running_loop()
        self._timeout = limit
        self.began = self._loop.time()
        self._deadline = math.inf if limit is None else self.began + limit
        self._end: float | None = None
        self.on_wait: Callable[[], None] | None = None

    def part(
        self,
        desktop: str,
        listener: Listener | None,
        *,
        on_wait: Callable[[], None] | None = None,
    ) -> "Waiter":
        """Return a waiter for one of many desktops, which has the deadline of the whole call."""
        part = copy(self)
        part.desktop, part.listener, part.on_wait = desktop, listener, on_wait
        part.number, part.report = next(_NUMBERS), Report()
        part.began = self._loop.time()
        return part

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return self._loop.time() - self.began

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; 0 once it has passed."""
        left = self._deadline - self._loop.time()
        return left if left > _CLOCK_RESOLUTION else 0.0

    def limit(self, *, is_final: bool = False) -> float | None:
        """Return when a call is cut off, on the event loop's clock; None for never.

        The final poll gets `FINAL_POLL_GRACE` more.
        """
        if math.isinf(self._deadline):
            return None
        if not is_final:
            return self._deadline
        # The grace is given once for the whole call. If the process was stopped, or the loop was
        # busy, at the deadline, the grace begins after that.
        if self._end is None:
            self._end = max(self._deadline, self._loop.time()) + FINAL_POLL_GRACE
        return self._end

    def timed_out(self, resource: str, awaited: str) -> WaitTimeoutError:
        """Return the error for a deadline that has passed."""
        reason = f"The timeout of {self._timeout:g} s is over."
        return WaitTimeoutError(reason, self.report.of(resource, awaited, self.elapsed))

    async def until(self, goal: Goal[_Resource, _Value]) -> _Value:
        """Observe, decide and take steps until a goal is reached.

        Raises:
            WaitFailedError: The goal cannot be reached.
            WaitTimeoutError: The deadline has passed.
            DcvSessionsError: A call failed with an error that is not temporary.
        """
        # Imported here, because not every program that imports the package waits.
        from tenacity import AsyncRetrying, retry_if_result  # noqa: PLC0415

        reconciliation = _Reconciliation(waiter=self, goal=goal, began=goal.began)
        engine = AsyncRetrying(
            retry=retry_if_result(_is_none),
            wait=reconciliation.interval,
            stop=reconciliation.is_over,
            retry_error_callback=_no_result,
            sleep=goal.pause,
        )
        done: Done[_Value] | None = await engine(reconciliation.poll)
        if done is None:
            raise self.timed_out(goal.resource, goal.awaited)
        return done.value

    @asynccontextmanager
    async def entered(
        self, context: AbstractAsyncContextManager[_Entered], what: str, awaited: str = "open"
    ) -> AsyncGenerator[_Entered, None]:
        """Enter a context before the deadline. The error says that `what` is not `awaited`.

        Raises:
            WaitTimeoutError: Entering took too long. A sign-in over the network can.
        """
        async with AsyncExitStack() as stack:
            latest = max(self._deadline, self._loop.time()) + FINAL_POLL_GRACE
            limit = asyncio.timeout_at(None if math.isinf(latest) else latest)
            try:
                async with limit:
                    value = await stack.enter_async_context(context)
            except TimeoutError:
                if not limit.expired():
                    raise
                raise self.timed_out(what, awaited) from None
            if self._deadline < self._loop.time() <= latest:
                # The grace is given once, and entering has used up a part of it.
                self._end = latest
            yield value

    async def reachable(self, url: DcvUrl, resource: str) -> None:
        """Wait until the server of a URL answers, at most until the deadline.

        Raises:
            UnreachableError: It does not answer.
        """
        limit = self.limit(is_final=self.remaining == 0)
        left = None if limit is None else max(limit - asyncio.get_running_loop().time(), 0.001)
        try:
            await url.wait_until_reachable(timeout=left)
        except DcvSessionsError as error:
            self.report.add_to(error, resource, "reachable", self.elapsed)
            raise


@define(kw_only=True, eq=False, repr=False)
class _Reconciliation(Generic[_Resource, _Value]):
    """One call of `Waiter.until()`. tenacity calls `poll`, `interval` and `is_over`."""

    waiter: Waiter
    goal: Goal[_Resource, _Value]
    # When the awaited change or the latest step began, in seconds since the wait began.
    began: float | None
    context: WaitContext = field(init=False, default=_NO_STEPS)
    percentage: int | None = field(init=False, default=None)
    trend: PercentageTrend = field(init=False, default=_NO_TREND)
    conflict: ConflictError | None = field(init=False, default=None)
    unknown_states: frozenset[str] = field(init=False, default=frozenset())
    has_warned_of_connection: bool = field(init=False, default=False)
    has_failed: bool = field(init=False, default=False)
    errors: int = field(init=False, default=0)
    is_last: bool = field(init=False, default=False)
    logged: Progress | None = field(init=False, default=None)

    async def poll(self) -> Done[_Value] | None:
        """Observe and decide once; None if the goal is not reached yet."""
        self.is_last = self.waiter.remaining == 0
        self.waiter.report.polls[self.goal.resource] += 1
        self.has_failed = False
        clocks_apart = _clocks_apart()
        observation = await self._call(self.goal.observe)
        if isinstance(observation, DcvSessionsError):
            return None
        self._record(observation)
        decision = self.goal.decide(observation, self.context)
        await self._tell(is_done=isinstance(decision, Done) and not _has_slept_since(clocks_apart))
        match decision:
            case Done() if _has_slept_since(clocks_apart):
                # The resource may have changed while the machine slept: read it again.
                return None
            case Done():
                return decision
            case Failed():
                raise self._failed(decision)
            case TakeStep() if self.waiter.remaining > 0:
                await self._take(decision, observation.state)
            case _:
                self.conflict = None
        return None

    def interval(self, _: "RetryCallState") -> float:
        """Return the seconds until the next poll, which is at the deadline at the latest."""
        if self.waiter.on_wait is not None:
            self.waiter.on_wait()
        self.errors = self.errors + 1 if self.has_failed else 0
        wish = self.waiter.poll_interval or self._scheduled()
        return min(wish, self._remaining())

    def is_over(self, _: "RetryCallState") -> bool:
        """Whether the last poll, at the deadline, has been made."""
        is_too_late = self.waiter.elapsed >= UNANSWERED_LIMIT - _CLOCK_RESOLUTION
        if self._is_unanswered() and is_too_late and not self.is_last:
            raise self._unanswered()
        return self.is_last

    def _scheduled(self) -> float:
        from random import random  # noqa: PLC0415 - tenacity has imported it

        now = self.waiter.elapsed
        return self.goal.schedule.interval(
            None if self.began is None else now - self.began,
            remaining=self.trend.remaining(now),
            errors=self.errors,
            delay=self.goal.delay(),
            draw=random(),  # noqa: S311 - it spreads polls and protects nothing
        )

    async def _take(self, decision: TakeStep, state: str) -> None:
        take, step = self.goal.take, decision.step
        if take is None:
            return
        try:
            outcome = await self._call(lambda: take(step))
        except ConflictError as conflict:
            # Somebody else may have requested the step first. If the next reading still asks for
            # it, nobody has, and the conflict is an error.
            if self.conflict is not None:
                raise
            self.conflict = conflict
            return
        self.conflict = None
        if isinstance(outcome, DcvSessionsError) and is_refusal(outcome):
            return
        # A step that was not answered may have happened. The next readings will show it.
        now = self.waiter.elapsed
        self.began = now if decision.is_last else None
        is_accepted = not isinstance(outcome, DcvSessionsError)
        self.context = self.context.requested(step, state, now, is_accepted=is_accepted)
        self.trend = _NO_TREND
        if is_accepted:
            await self._tell(step=step)
        if isinstance(outcome, Failed):
            raise self._failed(outcome)

    async def _call(self, call: Callable[[], Awaitable[_Result]]) -> "_Result | DcvSessionsError":
        """Return the result of a call, or its error if that does not end the wait."""
        error: DcvSessionsError
        limit = asyncio.timeout_at(self._limit())
        try:
            async with limit:
                with last_call() if self.is_last else nullcontext():
                    result = await call()
        except DcvSessionsError as failure:
            if not (is_absorbed(failure) or self._may_have_happened(failure)):
                self.waiter.has_answered |= isinstance(failure, ApiError)
                self.waiter.report.add_to(
                    failure, self.goal.resource, self.goal.awaited, self.waiter.elapsed
                )
                raise
            error = failure
        except TimeoutError:
            if not limit.expired():
                raise
            error = CallTimeoutError("A call was not answered before the deadline.")
        else:
            self.waiter.has_answered = True
            return result
        await self._absorb(error)
        return error

    def _may_have_happened(self, failure: DcvSessionsError) -> bool:
        is_answer = isinstance(failure, ApiError)
        return self.goal.observes_by_change and is_answer and not is_refusal(failure)

    async def _absorb(self, error: DcvSessionsError) -> None:
        self.has_failed = True
        if not isinstance(error, ConnectionFailedError):
            self.waiter.has_answered = True
        else:
            if not error.was_sent:
                self.waiter.connection_error = error
            if not self.has_warned_of_connection:
                # A wrong proxy or certificate looks like a temporary error: tell the user early.
                self.has_warned_of_connection = True
                _log.warning("%s: the wait goes on after: %s", self.goal.resource, error)
        self.waiter.report.absorbed(brief(error), self.waiter.elapsed)
        await self._tell(error=error)

    def _record(self, observation: Observation[_Resource]) -> None:
        state, now = observation.state, self.waiter.elapsed
        self.waiter.report.saw(self.goal.resource, state, now)
        if not observation.is_known and state not in self.unknown_states:
            self.unknown_states |= {state}
            _log.warning(
                "%s is in state %r, which the service model does not name. The wait goes on.",
                self.goal.resource,
                state,
            )
        if isinstance(observation.resource, DcvSessionsError):
            # "Not found" says as little about the progress as a failed call.
            self.has_failed = True
        self.context = self.context.read(state, now)
        self.percentage = observation.percentage
        if observation.percentage is not None:
            self.trend = self.trend.read(now, observation.percentage)

    async def _tell(
        self,
        *,
        error: DcvSessionsError | None = None,
        step: StrEnum | None = None,
        is_done: bool = False,
    ) -> None:
        listener, is_logged = self.waiter.listener, logs_news()
        if listener is None and not is_logged:
            return
        event = Progress(
            wait=self.waiter.number,
            desktop=self.waiter.desktop or self.goal.resource,
            resource=self.goal.resource,
            state=self.waiter.report.state_of(self.goal.resource),
            percentage=self.percentage,
            elapsed=self.waiter.elapsed,
            attempt=self.waiter.report.polls[self.goal.resource],
            error=None if error is None else brief(error),
            step=None if step is None else str(step),
            is_done=is_done and self.goal.is_last,
        )
        if is_logged:
            self.logged = log_news(event, self.logged)
        if listener is not None:
            await listener.tell(event, self.waiter.limit(is_final=self.is_last))

    def _failed(self, failure: Failed) -> DcvSessionsError:
        return self.waiter.report.failed(
            failure, self.goal.resource, self.goal.awaited, self.waiter.elapsed
        )

    def _remaining(self) -> float:
        remaining = self.waiter.remaining
        if self._is_unanswered():
            remaining = min(remaining, max(0.0, UNANSWERED_LIMIT - self.waiter.elapsed))
        return remaining

    def _limit(self) -> float | None:
        limit = self.waiter.limit(is_final=self.is_last)
        if self._is_unanswered():
            unanswered = self.waiter.began + UNANSWERED_LIMIT
            limit = min(unanswered, math.inf if limit is None else limit)
        return limit

    def _is_unanswered(self) -> bool:
        return self.waiter.connection_error is not None and not self.waiter.has_answered

    def _unanswered(self) -> WaitFailedError:
        error = self.waiter.connection_error
        report = self.waiter.report.of(self.goal.resource, self.goal.awaited, self.waiter.elapsed)
        failure = WaitFailedError(
            f"No connection could be made within {UNANSWERED_LIMIT:g} s. {error}", report, Failure()
        )
        # The failure quotes the error, so tracebacks need not show the error as its cause.
        failure.__context__, failure.__suppress_context__ = error, True
        return failure


def _interval_of_environment() -> float | None:
    text = os.environ.get(_POLL_INTERVAL_VARIABLE)
    if not text:
        return None
    try:
        return checked_seconds(float(text), _POLL_INTERVAL_VARIABLE, zero=False)
    except ValueError:
        raise ConfigurationError(
            f"The environment variable {_POLL_INTERVAL_VARIABLE} has to be a number of seconds, "
            f"more than 0, not {text!r}."
        ) from None


def _clocks_apart() -> float:
    """Return the seconds by which the wall clock is ahead of the event loop's."""
    return time.time() - asyncio.get_running_loop().time()


def _has_slept_since(clocks_apart: float) -> bool:
    """Whether the machine seems to have slept: the loop's clock stops meanwhile."""
    return _clocks_apart() - clocks_apart > _DRIFT


def _is_none(outcome: object) -> bool:
    return outcome is None


def _no_result(_: "RetryCallState") -> None:
    """Return None at the deadline, in place of tenacity's error."""
