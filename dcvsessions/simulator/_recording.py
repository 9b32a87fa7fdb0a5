"""Writes a start and a stop of a GUI session as a scenario that replays them. Pure.

The scenario holds statuses, times and percentages, and nothing that shows whose they are. The
virtual computer is called `my-computer`, and reasons of failures are left out.
"""

from collections.abc import Mapping, Sequence

from attrs import frozen

__all__ = ["IN_PROGRESS", "Reading", "scenario_text"]

# The statuses during a transition.
IN_PROGRESS = frozenset({"starting", "stopping"})

_INSTANCE = """# Seen on {date}: a start and a stop of a GUI session, read every {interval} s.
[[lightsail.instances]]
name = "my-computer"
status = "{status}"
"""
_PLAN = """
[[lightsail.instances.plans.{operation}]]
seconds = {seconds}
"""
_GOALS = {"StartGUISession": "started", "StopGUISession": "stopped"}


@frozen(kw_only=True)
class Reading:
    """What was read of a GUI session.

    Attributes:
        at: Seconds since the request that began the transition.
        status: Its status.
        percentage: Its `percentageComplete`, or None.
    """

    at: float
    status: str
    percentage: int | None = None


def scenario_text(
    status: str, courses: Mapping[str, Sequence[Reading]], *, date: str, interval: float
) -> str:
    """Write a scenario file that replays what was read.

    Args:
        status: The status before the first request.
        courses: The readings of each transition, by the operation that began it. The last reading
            is the end of the transition.
        date: The day on which it was read.
        interval: The seconds from one reading to the next.
    """
    plans = (_plan(operation, readings) for operation, readings in courses.items())
    head = _INSTANCE.format(date=date, interval=interval, status=status)
    return head + "".join(plans)


def _plan(operation: str, readings: Sequence[Reading]) -> str:
    *passing, end = readings
    text = _PLAN.format(operation=operation, seconds=round(end.at, 3))
    percentages = [each.percentage for each in passing if each.percentage is not None]
    if percentages:
        text += f"percentages = {percentages}\n"
    if end.status != _GOALS[operation]:
        text += f'ends = "{end.status}"\n'
    return text
