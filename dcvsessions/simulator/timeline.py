"""State as a function of time: what every simulated resource is made of.

Nothing here does I/O, reads a clock or draws a random number: instants come in as arguments, in
simulated seconds. A resource that changes by itself is a `Timeline` written down in advance, and
its state is looked up, so no task runs in the background and no order of events can be missed.
"""

from __future__ import annotations

import collections
import math
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Container


def exact(instant: float) -> float:
    """Rid an instant of what adding floats leaves behind.

    Without it, 0.1 + 0.2 seconds would end after 0.3 seconds.

    Args:
        instant: Simulated seconds; may be infinite.

    Returns:
        The same to the nanosecond.
    """
    return round(instant, 9)


@attrs.frozen(kw_only=True)
class Phase:
    """A stretch of time in which a resource is in one state.

    Args:
        state: The state, in the service's own words.
        begins: The instant at which the phase begins, in simulated seconds.
        code: The status code or error code that goes with the state.
        message: The reason or message that goes with the state.
        percentages: What a poll reads one after the other while the phase lasts, spread evenly
            over it; empty for a percentage that grows with the time.
    """

    state: str
    begins: float = attrs.field(converter=exact)
    code: str | None = None
    message: str | None = None
    percentages: tuple[int, ...] = ()


@attrs.frozen
class Timeline:
    """The phases of a resource, in order of time; the last one has no end.

    Args:
        phases: At least one phase.
    """

    phases: tuple[Phase, ...]

    def at(self, now: float) -> Phase:
        """Look up the phase at an instant.

        Args:
            now: The instant.

        Returns:
            The latest phase that has begun, or the first one if none has.
        """
        return self.phases[self._index(now)]

    def ends(self, now: float) -> float:
        """Tell when the phase at an instant is over.

        Args:
            now: The instant.

        Returns:
            The instant at which the next phase begins; infinity in the last phase.
        """
        following = self._index(now) + 1
        return self.phases[following].begins if following < len(self.phases) else math.inf

    def began(self, state: str, now: float) -> float | None:
        """Tell when a state was last entered.

        Args:
            state: The state.
            now: The instant at which the question is asked.

        Returns:
            The instant, or None if it has not happened yet.
        """
        past = self.phases[: self._index(now) + 1]
        return next((phase.begins for phase in reversed(past) if phase.state == state), None)

    def percentage(self, now: float) -> int:
        """Tell how far the phase at an instant has come.

        Args:
            now: The instant.

        Returns:
            0 to 100; below 100 as long as the phase lasts, unless its percentages say otherwise.
        """
        phase, end = self.at(now), self.ends(now)
        lasts = end - phase.begins
        done = exact((now - phase.begins) / lasts) if math.isfinite(lasts) else 0.0
        if phase.percentages:
            count = len(phase.percentages)
            return phase.percentages[min(int(done * count), count - 1)]
        return max(0, int(exact(done * 100)))

    def pinned(self, now: float) -> Timeline:
        """Stop the time of this resource.

        Args:
            now: The instant at which it stops.

        Returns:
            A timeline that stays for ever in the phase of that instant.
        """
        phase = attrs.evolve(self.at(now), percentages=(self.percentage(now),))
        return Timeline((*self.phases[: self._index(now)], phase))

    def stuck(self, now: float, in_progress: Container[str]) -> Timeline:
        """Let a transition get stuck.

        Args:
            now: The instant at which it does.
            in_progress: The states of resources that are in transition.

        Returns:
            A timeline without an end of the transition, the same one if none goes on.
        """
        return self.pinned(now) if self.at(now).state in in_progress else self

    def _index(self, now: float) -> int:
        begun = (i for i in range(len(self.phases) - 1, -1, -1) if self.phases[i].begins <= now)
        return next(begun, 0)


@attrs.frozen(kw_only=True)
class Course:
    """How one transition is to go, where it is not to go as usual.

    Args:
        ends: The state in which it ends; None for the one that it is meant to reach.
        seconds: How long it takes, in simulated seconds; None for what the timings say,
            infinity for a transition that never ends.
        percentages: The percentages that polls read on the way, spread evenly over it.
        code: The error code (Lightsail) or status code (Nimble) of its end.
        message: The failure reason (Lightsail) or status message (Nimble) of its end.
        expires_after: How long a GUI session stays started, in simulated seconds; None for what
            the timings say.
        times: For how many transitions in a row; None for all that follow.

    Raises:
        ValueError: `times` is below one, or a duration is negative.

    Example:
        >>> Course(ends="failedStartingGUISession", message="No capacity", seconds=40)
        Course(ends='failedStartingGUISession', seconds=40, ...)
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


AS_USUAL = Course()


def transition(
    through: str, goal: str, *, now: float, seconds: float, course: Course = AS_USUAL
) -> tuple[Phase, ...]:
    """Write down a transition.

    Args:
        through: The state while it goes on.
        goal: The state that it is meant to reach.
        now: The instant at which it begins.
        seconds: How long it usually takes; infinity if it never ends, whatever the course says.
        course: How it goes instead.

    Returns:
        One phase if it never ends, otherwise two.
    """
    never = math.isinf(seconds)
    lasts = seconds if course.seconds is None or never else course.seconds
    passing = Phase(state=through, begins=now, percentages=course.percentages)
    if math.isinf(lasts):
        return (passing,)
    end = Phase(
        state=course.ends or goal, begins=now + lasts, code=course.code, message=course.message
    )
    return (passing, end)


class Script:
    """What the next transitions are to do, first come first served; then as usual."""

    def __init__(self) -> None:
        self._courses: collections.deque[Course] = collections.deque()

    def add(self, course: Course) -> None:
        """Append a course.

        Args:
            course: How the next transitions are to go, as many as it says.
        """
        self._courses.append(course)

    def take(self) -> Course:
        """Take the course of the transition that begins now.

        Returns:
            The first course of the script, `AS_USUAL` once the script is at its end.
        """
        if not self._courses:
            return AS_USUAL
        course = self._courses[0]
        if course.times == 1:
            self._courses.popleft()
        elif course.times is not None:
            self._courses[0] = attrs.evolve(course, times=course.times - 1)
        return course


_Resource = TypeVar("_Resource")


@attrs.frozen
class _Veil(Generic[_Resource]):
    """What readers still see of a resource after a write, and until when."""

    before: _Resource | None
    until: float


class Shelf(Generic[_Resource]):
    """Resources by key, in order of creation, with the delay after which a write is seen.

    Args:
        stale_reads: For how many simulated seconds after a write readers still see the state
            before it.
    """

    def __init__(self, stale_reads: float = 0.0) -> None:
        self._stale_reads = stale_reads
        self._resources: dict[str, _Resource] = {}
        self._veils: dict[str, _Veil[_Resource]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._resources

    def __len__(self) -> int:
        return len(self._resources)

    def get(self, key: str) -> _Resource | None:
        """Look up a resource as it is, for writes.

        Args:
            key: Its key.

        Returns:
            The resource, or None.
        """
        return self._resources.get(key)

    def all(self) -> list[_Resource]:
        """List the resources as they are.

        Returns:
            All of them, oldest first.
        """
        return list(self._resources.values())

    def seen(self, key: str, now: float) -> _Resource | None:
        """Look up a resource as a reader sees it.

        Args:
            key: Its key.
            now: The instant of the reading.

        Returns:
            The resource, or None if there is none or it is too new to be seen.
        """
        veil = self._veils.get(key)
        return veil.before if veil is not None and now < veil.until else self._resources.get(key)

    def all_seen(self, now: float) -> list[_Resource]:
        """List the resources as a reader sees them.

        Args:
            now: The instant of the reading.

        Returns:
            Those that can be seen, oldest first.
        """
        seen = (self.seen(key, now) for key in self._resources)
        return [resource for resource in seen if resource is not None]

    def write(self, key: str, value: _Resource, before: _Resource | None, now: float) -> None:
        """Store the outcome of a request that changed a resource.

        Args:
            key: Its key.
            value: The resource from now on.
            before: What readers see while they are stale; None for "not found".
            now: The instant of the write.
        """
        self._resources[key] = value
        self._veils.pop(key, None)
        if self._stale_reads > 0:
            self._veils[key] = _Veil(before, exact(now + self._stale_reads))

    def force(self, key: str, value: _Resource) -> None:
        """Store a resource that every reader sees at once.

        Args:
            key: Its key.
            value: The resource from now on.
        """
        self._resources[key] = value
        self._veils.pop(key, None)

    def amend(self, key: str, value: _Resource) -> None:
        """Store what becomes of a resource later; readers that are stale remain so.

        Args:
            key: Its key.
            value: The resource from now on.
        """
        self._resources[key] = value

    def forget(self, key: str) -> None:
        """Drop a resource.

        Args:
            key: Its key.
        """
        self._resources.pop(key, None)
        self._veils.pop(key, None)
