"""The state of a resource as a function of time. Pure: the caller passes the current instant.

A resource that changes by itself is a `Timeline`. Its phases are written down in advance, and its
state is looked up. So no task runs in the background, and no reader can miss a change.

Instants are simulated seconds since the simulator started. Infinity means never.
"""

import math
from collections.abc import Container

from attrs import evolve, field, frozen

__all__ = ["Phase", "Timeline", "rounded"]


def rounded(instant: float) -> float:
    """Round an instant to the nanosecond, so that 0.1 + 0.2 is 0.3."""
    return round(instant, 9)


@frozen(kw_only=True)
class Phase:
    """The time that a resource spends in one state.

    Attributes:
        state: The state, in the service's own words.
        begins: The instant at which the phase begins.
        code: The status code or error code that goes with the state.
        message: The reason or message that goes with the state.
        percentages: What polls read during the phase, one after the other, spread evenly over
            it. If empty, the percentage grows with the time.
    """

    state: str
    begins: float = field(converter=rounded)
    code: str | None = None
    message: str | None = None
    percentages: tuple[int, ...] = ()


@frozen
class Timeline:
    """The phases of a resource, oldest first; the last one has no end.

    Attributes:
        phases: At least one phase.
    """

    phases: tuple[Phase, ...]

    def at(self, now: float) -> Phase:
        """Return the latest phase that has begun, or the first one if no phase has."""
        return self.phases[self.index(now)]

    def ends(self, now: float) -> float:
        """Return the instant at which the current phase ends."""
        following = self.index(now) + 1
        return self.phases[following].begins if following < len(self.phases) else math.inf

    def began(self, state: str, now: float) -> float | None:
        """Return the instant at which a state was last entered, or None if it never was."""
        past = self.phases[: self.index(now) + 1]
        return next((phase.begins for phase in reversed(past) if phase.state == state), None)

    def percentage(self, now: float) -> int:
        """Return how much of the current phase is over, from 0 to 100."""
        phase, end = self.at(now), self.ends(now)
        lasts = end - phase.begins
        done = (now - phase.begins) / lasts if math.isfinite(lasts) else 0.0
        if phase.percentages:
            count = len(phase.percentages)
            return phase.percentages[min(int(rounded(done * count)), count - 1)]
        return max(0, int(rounded(done * 100)))

    def frozen_at(self, now: float) -> "Timeline":
        """Return a timeline that stays in the current phase, at the current percentage."""
        phase = evolve(self.at(now), percentages=(self.percentage(now),))
        return Timeline((*self.phases[: self.index(now)], phase))

    def frozen_in_transition(self, now: float, in_progress: Container[str]) -> "Timeline":
        """Return a frozen timeline if a transition is running, otherwise this one.

        Args:
            now: The current instant.
            in_progress: The states that a resource has during a transition.
        """
        return self.frozen_at(now) if self.at(now).state in in_progress else self

    def index(self, now: float) -> int:
        """Return the place of the current phase among the phases."""
        index = len(self.phases) - 1
        while index > 0 and self.phases[index].begins > now:
            index -= 1
        return index
