"""How long the simulated transitions take."""

import math
import random
from collections.abc import Callable
from typing import Literal, Self

from attrs import Attribute, field, frozen

__all__ = ["PRESETS", "Timings", "TransitionName"]

TransitionName = Literal[
    "operation_queue",
    "gui_start",
    "gui_stop",
    "instance_setup",
    "instance_start",
    "instance_stop",
    "session_create",
    "session_start",
    "session_stop",
    "session_delete",
    "stream_create",
]


def _not_negative(_: object, attribute: "Attribute[float]", value: float) -> None:
    if math.isnan(value) or value < 0:
        raise ValueError(f"{attribute.name} must be zero or more seconds, not {value!r}")


def _to_float(value: float) -> float:
    # attrs reads the signature of a converter. For `float` itself, that takes a millisecond.
    return float(value)


def _seconds(default: float) -> float:
    seconds: float = field(default=default, converter=_to_float, validator=_not_negative)
    return seconds


@frozen(kw_only=True)
class Timings:
    """How long everything takes in the simulated services, in simulated seconds.

    The durations of transitions are medians. With a `spread`, each transition draws its duration
    from a lognormal distribution; without one, it takes exactly as long as given here. AWS
    publishes no durations of transitions.

    Attributes:
        operation_queue: Lightsail: an operation is `NotStarted` (never longer than its
            transition).
        gui_start: Lightsail: a GUI session is `starting`.
        gui_stop: Lightsail: a GUI session is `stopping`.
        instance_setup: Lightsail: a GUI session is in `settingUpInstance`.
        instance_start: Lightsail: an instance is `pending`.
        instance_stop: Lightsail: an instance is `stopping`.
        session_create: Nimble: a session is in `CREATE_IN_PROGRESS`.
        session_start: Nimble: a session is in `START_IN_PROGRESS`.
        session_stop: Nimble: a session is in `STOP_IN_PROGRESS`.
        session_delete: Nimble: a session is in `DELETE_IN_PROGRESS`.
        stream_create: Nimble: a stream is in `CREATE_IN_PROGRESS`.
        spread: The sigma of the lognormal distribution; 0 for exact durations.
        gui_session_lifetime: Lightsail: a started GUI session expires after this. One hour is
            documented.
        session_lifetime: Nimble: the service stops a running session after this. 690 minutes is
            the documented default of a launch profile.
        stopped_session_lifetime: Nimble: the service deletes a stopped session after this. 5760
            minutes is the documented maximum.
        deleted_session_kept: Nimble: a deleted session can be read for this long. That it can be
            read is documented; the hour is assumed.
        seed: Seeds the drawn durations, together with the simulator's own seed.

    Raises:
        ValueError: A duration is negative or not a number.

    Example:
        >>> Timings(gui_start=90)
        Timings(operation_queue=0.1, gui_start=90.0, ...)
    """

    operation_queue: float = _seconds(0.1)
    gui_start: float = _seconds(1.0)
    gui_stop: float = _seconds(0.5)
    instance_setup: float = _seconds(2.0)
    instance_start: float = _seconds(1.0)
    instance_stop: float = _seconds(1.0)
    session_create: float = _seconds(1.0)
    session_start: float = _seconds(1.0)
    session_stop: float = _seconds(1.0)
    session_delete: float = _seconds(0.5)
    stream_create: float = _seconds(0.5)
    spread: float = _seconds(0.0)
    gui_session_lifetime: float = _seconds(3600.0)
    session_lifetime: float = _seconds(690 * 60.0)
    stopped_session_lifetime: float = _seconds(5760 * 60.0)
    deleted_session_kept: float = _seconds(3600.0)
    seed: int | None = None

    @classmethod
    def instant(cls) -> Self:
        """Make timings with which every transition has ended at the next read.

        Returns:
            Zero seconds for all transitions; the usual lifetimes.
        """
        return cls(
            operation_queue=0,
            gui_start=0,
            gui_stop=0,
            instance_setup=0,
            instance_start=0,
            instance_stop=0,
            session_create=0,
            session_start=0,
            session_stop=0,
            session_delete=0,
            stream_create=0,
        )

    @classmethod
    def demo(cls) -> Self:
        """Make timings that are slow enough to watch and short enough to wait for.

        Returns:
            A few seconds for each transition; the usual lifetimes.
        """
        return cls(
            operation_queue=0.5,
            gui_start=6,
            gui_stop=3,
            instance_setup=8,
            instance_start=5,
            instance_stop=4,
            session_create=8,
            session_start=6,
            session_stop=4,
            session_delete=3,
            stream_create=2,
        )

    @classmethod
    def realistic(cls, seed: int = 0) -> Self:
        """Make timings as long as users report.

        The medians are assumed: starting a machine takes minutes, and the rest is quicker.

        Args:
            seed: The same seed draws the same durations.

        Returns:
            Minutes for machines, with a spread of 0.35.
        """
        return cls(
            operation_queue=1,
            gui_start=75,
            gui_stop=20,
            instance_setup=360,
            instance_start=60,
            instance_stop=45,
            session_create=420,
            session_start=240,
            session_stop=150,
            session_delete=120,
            stream_create=8,
            spread=0.35,
            seed=seed,
        )

    def draw(self, transition: TransitionName, source: random.Random) -> float:
        """Draw how long one transition takes.

        Args:
            transition: The transition.
            source: The source of random numbers; not used if the spread is 0.

        Returns:
            Simulated seconds.
        """
        median: float = getattr(self, transition)
        return median * source.lognormvariate(0.0, self.spread) if self.spread else median


# The timings by the names that files and the command line use.
PRESETS: dict[str, Callable[[], Timings]] = {
    "default": Timings,
    "instant": Timings.instant,
    "demo": Timings.demo,
    "realistic": Timings.realistic,
}
