"""How the next transitions go, if a test does not want the usual ones. Pure."""

import math
from collections import deque

from attrs import evolve, frozen

from dcvsessions.simulator._time.timeline import Phase

__all__ = ["DEFAULT_PLAN", "PlanQueue", "TransitionPlan", "transition"]


@frozen(kw_only=True)
class TransitionPlan:
    """How a transition goes. What you do not set goes as usual.

    Attributes:
        ends: The state in which it ends.
        seconds: How long it takes, in simulated seconds; infinity if it never ends.
        percentages: The percentages that polls read on the way, spread evenly over it.
        code: The error code (Lightsail) or status code (Nimble) at its end.
        message: The failure reason (Lightsail) or status message (Nimble) at its end.
        expires_after: How long a GUI session stays started, in simulated seconds.
        times: How many transitions in a row go like this; None for all later ones.

    Raises:
        ValueError: `times` is below one, or a duration is negative.

    Example:
        >>> TransitionPlan(ends="failedStartingGUISession", message="No capacity", seconds=40)
        TransitionPlan(ends='failedStartingGUISession', seconds=40, ...)
    """

    ends: str | None = None
    seconds: float | None = None
    percentages: tuple[int, ...] = ()
    code: str | None = None
    message: str | None = None
    expires_after: float | None = None
    times: int | None = 1

    def __attrs_post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be at least 1, or None for ever; not {self.times}")
        for seconds in (self.seconds, self.expires_after):
            if seconds is not None and not seconds >= 0:
                raise ValueError(f"a duration must be zero or more seconds, not {seconds!r}")


DEFAULT_PLAN = TransitionPlan()


def transition(
    state: str, goal: str, *, begins: float, seconds: float, plan: TransitionPlan = DEFAULT_PLAN
) -> tuple[Phase, ...]:
    """Write down a transition: one phase if it never ends, otherwise two.

    Args:
        state: The state during the transition.
        goal: The state that it usually reaches.
        begins: The instant at which it begins.
        seconds: How long it usually takes. If this is infinity, the plan does not change it.
        plan: How it goes this time.
    """
    never_ends = math.isinf(seconds)
    lasts = seconds if plan.seconds is None or never_ends else plan.seconds
    passing = Phase(state=state, begins=begins, percentages=plan.percentages)
    if math.isinf(lasts):
        return (passing,)
    end = Phase(
        state=plan.ends or goal, begins=begins + lasts, code=plan.code, message=plan.message
    )
    return (passing, end)


class PlanQueue:
    """The plans of the next transitions. The plan that was added first is used first."""

    def __init__(self) -> None:
        self._plans: deque[TransitionPlan] = deque()

    def add(self, plan: TransitionPlan) -> None:
        """Append a plan, for as many transitions as it says."""
        self._plans.append(plan)

    def take(self) -> TransitionPlan:
        """Return the plan of the transition that begins now."""
        if not self._plans:
            return DEFAULT_PLAN
        plan = self._plans[0]
        if plan.times == 1:
            self._plans.popleft()
        elif plan.times is not None:
            self._plans[0] = evolve(plan, times=plan.times - 1)
        return plan
