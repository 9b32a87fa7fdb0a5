"""Observations, decisions, and the rules that lead from one to the other.

Each service's `states.py` has tables of rules, and `interpret()` applies them. Pure: no I/O, no
clock, no randomness.
"""

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto
from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from dcvsessions._secrets.mask import plain_text
from dcvsessions.errors import DcvSessionsError, Failure

__all__ = [
    "MAX_STARTS",
    "STALE_READ_WINDOW",
    "WAIT",
    "Decision",
    "Done",
    "Failed",
    "Observation",
    "Rule",
    "StepRecord",
    "TakeStep",
    "Wait",
    "WaitContext",
    "interpret",
    "plain",
    "reason",
]

# Seconds after a change during which reads may still show the old state. This is our assumption.
STALE_READ_WINDOW = 20.0
# How many starts the service may accept in one wait. If the session stops again, the wait fails.
MAX_STARTS = 3

_Resource = TypeVar("_Resource")
_Value = TypeVar("_Value")


@frozen
class Observation(Generic[_Resource]):
    """One reading of a resource.

    Attributes:
        state: Its state, as the service names it.
        resource: The resource as it was read.
        percentage: How much is done, 0 to 100; None if the service does not say.
        is_known: Whether the service model names this state.
    """

    state: str
    resource: _Resource
    percentage: int | None = None
    is_known: bool = True


@frozen
class StepRecord:
    """A step that was requested and may have happened.

    Attributes:
        at: When it was last requested, in seconds since the wait began.
        state: The state that was read before it.
        moved: Whether another state has been read since.
        accepted: How often the service accepted it in this wait.
    """

    at: float
    state: str
    moved: bool = False
    accepted: int = 1


@frozen
class WaitContext:
    """What a decision depends on besides the observation.

    Attributes:
        now: Seconds since the wait began.
        steps: The steps that were requested.
        last_state: The state of the latest reading.
        changed_after: When the state before that one was last read, in seconds since the wait
            began; None if the state has not changed.
    """

    now: float = 0.0
    steps: Mapping[StrEnum, StepRecord] = field(factory=dict[StrEnum, StepRecord])
    last_state: str | None = None
    changed_after: float | None = None

    def read(self, state: str, now: float) -> "WaitContext":
        """Return the context after a reading."""
        changed = self.last_state not in (None, state)
        return evolve(
            self,
            now=now,
            steps={
                step: evolve(record, moved=record.moved or record.state != state)
                for step, record in self.steps.items()
            },
            last_state=state,
            changed_after=self.now if changed else self.changed_after,
        )

    def requested(
        self, step: StrEnum, state: str, now: float, *, is_accepted: bool = True
    ) -> "WaitContext":
        """Return the context after a step that may have happened."""
        record = StepRecord(now, state, accepted=self.accepted(step) + is_accepted)
        return evolve(self, steps={**self.steps, step: record})

    def accepted(self, step: StrEnum) -> int:
        """How often the service accepted a step."""
        return self.steps[step].accepted if step in self.steps else 0

    def may_be_stale(self, step: StrEnum, state: str) -> bool:
        """Whether a reading may still show the state from before the latest request of a step."""
        record = self.steps.get(step)
        if record is None or record.moved or record.state != state:
            return False
        return self.now - record.at < STALE_READ_WINDOW


def plain(text: str | None) -> str | None:
    """Make a text of the service safe to show; return None for None."""
    return None if text is None else plain_text(text)


def reason(*said: str | None) -> str:
    """Return what a service said about a failure, as the end of a sentence."""
    parts = (plain_text(part).rstrip(".") for part in said if part)
    return ", ".join(parts) or "it gave no reason"


class Rule(Enum):
    """What to do in a state."""

    DONE = auto()
    WAIT = auto()
    STEP = auto()
    # Wait for a state in which the step is possible, and then take the step.
    WAIT_FOR_STEP = auto()
    # The failure may be older than this wait: take the step once. If it fails again, the wait fails
    # as well.
    STEP_ONCE = auto()
    FAILED = auto()


@frozen
class Wait:
    """Decision: wait, and read again."""


WAIT = Wait()


@frozen
class TakeStep:
    """Decision: request a step.

    Attributes:
        step: The step.
        is_last: Whether it is the last step before the goal.
    """

    step: StrEnum
    is_last: bool = True


@frozen
class Done(Generic[_Value]):
    """Decision: the goal is reached, with this result."""

    value: _Value


@frozen(kw_only=True)
class Failed:
    """Decision: the goal cannot be reached.

    Attributes:
        reason: The text of the error: why, and what the caller can do.
        error: The service's error to raise in place of a `WaitFailedError`.
        details: What the service said, for `WaitFailedError`.
    """

    reason: str
    error: DcvSessionsError | None = None
    details: Failure = field(factory=Failure)


Decision = Wait | TakeStep | Done[_Value] | Failed


def interpret(
    rule: Rule,
    step: StrEnum,
    state: str,
    context: WaitContext,
    *,
    done: Callable[[], Decision[_Value]],
    failed: Callable[[], Failed],
    max_count: int | None = None,
) -> Decision[_Value]:
    """Apply the rule for a state.

    `done` and `failed` make the decision if the rule says that the goal is reached or failed. After
    the service has accepted the step `max_count` times, the wait fails.
    """
    if rule is Rule.DONE:
        return done()
    if rule is Rule.FAILED:
        return failed()
    if rule in (Rule.WAIT, Rule.WAIT_FOR_STEP) or context.may_be_stale(step, state):
        return WAIT
    if rule is Rule.STEP_ONCE and step in context.steps:
        return failed()
    return _step(step, state, context, max_count)


def _step(
    step: StrEnum, state: str, context: WaitContext, max_count: int | None
) -> TakeStep | Failed:
    if max_count is not None and context.accepted(step) >= max_count:
        return Failed(
            reason=f"{step} was accepted {max_count} times, and the state is {state} again.",
            details=Failure(state=state),
        )
    return TakeStep(step)
