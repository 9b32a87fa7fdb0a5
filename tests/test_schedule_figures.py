"""What the schedules cost on assumed ready times, as `benchmarks/schedules.py` simulates it."""

import pytest

from benchmarks.schedules import CROWD, SESSIONS, STREAMS, Row, fewest_polls, fixed, ours, simulated
from dcvsessions._wait.schedule import Schedule
from dcvsessions.lightsail._session import _OPENING
from dcvsessions.nimble._session import _STARTING, _STREAMING


def session(schedule: Schedule = _OPENING, *, step: int | None = None) -> Row:
    return simulated("session", "dcvsessions", ours(schedule), SESSIONS, step)


@pytest.mark.parametrize("schedule", [_OPENING, _STARTING])
def test_a_session_costs_fewer_polls_than_a_fixed_interval_as_late(schedule: Schedule) -> None:
    row = session(schedule)
    assert row.polls <= 12.5
    assert row.late <= 5
    assert row.latest <= 30
    every_ten = simulated("session", "fixed 10 s", fixed(10), SESSIONS, None)
    assert row.late < every_ten.late
    assert row.polls < 0.85 * every_ten.polls


@pytest.mark.parametrize(("step", "polls"), [(1, 8.5), (10, 8.5), (25, 10), (50, 12)])
def test_a_percentage_saves_polls_and_makes_nothing_later(step: int, polls: float) -> None:
    row = session(step=step)
    assert row.polls <= polls
    assert row.late <= 5
    assert row.latest <= 30


def test_a_stream_is_seen_within_a_second() -> None:
    row = simulated("stream", "dcvsessions", ours(_STREAMING), STREAMS, None)
    assert row.polls <= 4
    assert row.late <= 1


def test_a_queue_of_calls_saves_polls() -> None:
    row = simulated("crowd", "dcvsessions", ours(_OPENING, delay=2), CROWD, None)
    assert row.polls <= 5  # the first one is at the start
    assert row.late <= 12


def test_no_schedule_with_intervals_of_thirty_seconds_could_save_much_more() -> None:
    row = session()
    least = fewest_polls(30, row.late)
    assert least <= row.polls <= 1.05 * least
