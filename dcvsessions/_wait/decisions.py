"""What is seen of a resource and what is decided about it: the words of every `states.py`.

Pure: no I/O, no clock, no randomness. The loop that asks for decisions is in `loop.py`.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Generic, TypeVar

from attrs import field, frozen

from dcvsessions.errors import DcvSessionsError, Failure

__all__ = [
    "GRACE",
    "Act",
    "Decision",
    "Done",
    "Failed",
    "Observation",
    "Rule",
    "Sent",
    "Situation",
    "Wait",
]

# How long a reading may still be of before a change that was just asked for, in seconds: our
# assumption.
GRACE = 20.0

_Resource = TypeVar("_Resource")
_Value = TypeVar("_Value")


@frozen
class Observation(Generic[_Resource]):
    """One reading of a resource.

    Attributes:
        state: Its state, in the service's word.
        resource: What was read.
        percentage: How much is done, if the service says.
        is_known: Whether the service model names this state.
    """

    state: str
    resource: _Resource
    percentage: int | None = None
    is_known: bool = True


@frozen
class Sent:
    """A step that was asked for and may have happened.

    Attributes:
        at: When, in seconds since the wait began.
        state: The state that was seen before.
        moved: Whether another state has been seen since.
    """

    at: float
    state: str
    moved: bool = False


@frozen
class Situation:
    """What a decision may know besides the observation.

    Attributes:
        now: Seconds since the wait began.
        sent: The steps that were asked for, each the last time.
    """

    now: float = 0.0
    sent: Mapping[StrEnum, Sent] = field(factory=dict[StrEnum, Sent])

    def may_be_stale(self, step: StrEnum, state: str) -> bool:
        """Whether a state may still be the one from before a step that was just asked for."""
        sent = self.sent.get(step)
        if sent is None or sent.moved or sent.state != state:
            return False
        return self.now - sent.at < GRACE


class Rule(Enum):
    """What to do in a state: the right-hand side of the tables of each `states.py`."""

    DONE = auto()
    WAIT = auto()
    ACT = auto()
    # Leads to where the step is possible: waited for, if the step is wanted at all.
    WAIT_TO_ACT = auto()
    # A failure from before: try once, and take the same failure after it as the answer.
    ACT_ONCE = auto()
    FAILED = auto()


@frozen
class Wait:
    """Decision: nothing to do but wait."""


@frozen
class Act:
    """Decision: ask for a step.

    Attributes:
        step: The step.
    """

    step: StrEnum


@frozen
class Done(Generic[_Value]):
    """Decision: this is what was waited for.

    Attributes:
        value: The result.
    """

    value: _Value


@frozen(kw_only=True)
class Failed:
    """Decision: what was waited for cannot come.

    Attributes:
        reason: Why, in a sentence that says what can be done.
        error: The service's error that said so, to be raised as it is.
        details: What the service said of it, which `WaitFailedError` carries.
    """

    reason: str
    error: DcvSessionsError | None = None
    details: Failure = field(factory=Failure)


Decision = Wait | Act | Done[_Value] | Failed
