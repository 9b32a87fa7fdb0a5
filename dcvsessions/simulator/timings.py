"""How long the simulated transitions take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    import random

Transition = Literal[
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


def _not_negative(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if math.isnan(value) or value < 0:
        raise ValueError(f"{attribute.name} must be zero or more seconds, not {value!r}")


def _seconds(default: float) -> float:
    field: float = attrs.field(default=default, converter=float, validator=_not_negative)
    return field


@attrs.frozen(kw_only=True)
class Timings:
    """The durations of the simulated services, in simulated seconds.

    The durations of transitions are medians: with a `spread` each transition draws its own from a
    lognormal distribution, with a spread of zero all take exactly as long as it says here. AWS
    publishes no durations; the lifetimes say below where they come from.

    Args:
        operation_queue: Lightsail: an operation is NotStarted for so long (but never longer than
            its transition).
        gui_start: Lightsail: ``starting``.
        gui_stop: Lightsail: ``stopping``.
        instance_setup: Lightsail: ``settingUpInstance``.
        instance_start: Lightsail: ``pending``.
        instance_stop: Lightsail: the instance is ``stopping``.
        session_create: Nimble: ``CREATE_IN_PROGRESS`` of a session.
        session_start: Nimble: ``START_IN_PROGRESS``.
        session_stop: Nimble: ``STOP_IN_PROGRESS``.
        session_delete: Nimble: ``DELETE_IN_PROGRESS``.
        stream_create: Nimble: ``CREATE_IN_PROGRESS`` of a stream.
        spread: The sigma of the lognormal distribution of the transitions above; 0 for none.
        gui_session_lifetime: Lightsail: a started GUI session expires after it. One hour is
            documented.
        session_lifetime: Nimble: a session that is not stopped is stopped by the service after
            it. 690 minutes is the documented default of a launch profile.
        stopped_session_lifetime: Nimble: a stopped session is deleted by the service after it.
            5760 minutes is the documented maximum.
        deleted_session_kept: Nimble: a session stays readable as ``DELETED`` for so long
            (assumed: that it stays readable is documented, how long is not).
        seed: Seeds the draws; None for the simulator's own seed.

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
    def instant(cls) -> Timings:
        """Make timings under which a transition is over at the next read.

        Returns:
            All transitions at zero seconds; the lifetimes as usual.
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
    def demo(cls) -> Timings:
        """Make timings slow enough to watch and short enough to wait for.

        Returns:
            A few seconds for each transition; the lifetimes as usual.
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
    def realistic(cls, seed: int = 0) -> Timings:
        """Make timings of the size that users report of such desktops.

        The medians are assumed: machines that boot take minutes, and what comes after is quicker.

        Args:
            seed: The same seed draws the same durations.

        Returns:
            Minutes for the machines, lognormal with a sigma of 0.35.
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

    def draw(self, transition: Transition, randomness: random.Random) -> float:
        """Tell how long one transition takes.

        Args:
            transition: Which one.
            randomness: Where the spread comes from; not used if there is none.

        Returns:
            Simulated seconds.
        """
        median: float = getattr(self, transition)
        return median * randomness.lognormvariate(0.0, self.spread) if self.spread else median
