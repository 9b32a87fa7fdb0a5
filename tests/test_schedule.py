"""When the next poll is due. Pure: the time and the draw are arguments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions._wait.schedule import PercentageTrend, Schedule, fixed
from dcvsessions.lightsail.session import _CLOSING, _OPENING
from dcvsessions.nimble.ownership import _CREATING, _REQUESTING_DELETION
from dcvsessions.nimble.session import _DELETING, _STARTING, _STREAMING

SCHEDULES = [
    _OPENING,
    _CLOSING,
    _STARTING,
    _STREAMING,
    _DELETING,
    _CREATING,
    _REQUESTING_DELETION,
]

schedules = st.sampled_from(SCHEDULES)
seconds = st.floats(0, 1e7)
draws = st.floats(0, 1)
remainders = st.none() | st.floats(0, 1e7)
errors = st.integers(0, 10_000)


@given(schedules, seconds, remainders, errors, draws)
def test_an_interval_is_within_the_bounds(
    schedule: Schedule, elapsed: float, remaining: float | None, failed: int, draw: float
) -> None:
    interval = schedule.interval(elapsed, remaining=remaining, errors=failed, draw=draw)
    assert math.isfinite(interval)
    assert interval > 0
    assert schedule.shortest * (1 - schedule.jitter) <= interval * (1 + 1e-9)
    assert interval <= schedule.longest * (1 + schedule.jitter) * (1 + 1e-9)


@given(schedules, seconds, remainders, errors, st.tuples(draws, draws))
def test_an_interval_grows_with_the_draw(
    schedule: Schedule,
    elapsed: float,
    remaining: float | None,
    failed: int,
    two_draws: tuple[float, float],
) -> None:
    low, high = sorted(two_draws)
    assert schedule.interval(
        elapsed, remaining=remaining, errors=failed, draw=low
    ) <= schedule.interval(elapsed, remaining=remaining, errors=failed, draw=high)


@given(schedules, seconds, remainders, errors)
def test_an_error_never_makes_an_interval_shorter(
    schedule: Schedule, elapsed: float, remaining: float | None, failed: int
) -> None:
    assert schedule.interval(elapsed, remaining=remaining, errors=failed) <= schedule.interval(
        elapsed, remaining=remaining, errors=failed + 1
    )


@given(st.floats(0.001, 1e6), seconds, errors, draws)
def test_a_fixed_interval_is_fixed(
    interval: float, elapsed: float, failed: int, draw: float
) -> None:
    assert fixed(interval).interval(elapsed, errors=failed, draw=draw) == interval


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_first_interval_is_the_shortest(schedule: Schedule) -> None:
    assert schedule.interval(0) == schedule.shortest


@pytest.mark.parametrize(
    ("elapsed", "interval"),
    # A GUI session is likely to be ready after two minutes, not at once and not much later.
    [(0, 2), (2, 2), (10, 10), (30, 15), (60, 12.4), (120, 9.5), (240, 9.3), (3600, 15)],
)
def test_the_interval_follows_how_likely_ready_is(elapsed: float, interval: float) -> None:
    assert _OPENING.interval(elapsed) == pytest.approx(interval, abs=0.1)


@pytest.mark.parametrize(
    ("elapsed", "remaining", "interval"),
    [
        (100, 12.0, 12),  # what the percentages predict
        (100, 500.0, 15),  # at most the longest interval
        (100, 0.0, 2),  # at least the shortest interval
        (4, 12.0, 4),  # at most the time that has passed
    ],
)
def test_the_interval_follows_the_percentages(
    elapsed: float, remaining: float, interval: float
) -> None:
    assert _OPENING.interval(elapsed, remaining=remaining) == interval


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, None),
        ((0, 10), None, None),
        (None, (5, 20), None),
        ((0, 10), (0, 20), None),  # no time has passed
        ((0, 10), (5, 10), None),  # it does not move
        ((0, 30), (5, 20), None),  # it moves backwards
        ((10, 0), (20, 50), 10),  # half of it took ten seconds
        ((0, 10), (30, 40), 60),
        ((0, 50), (10, 100), 0),
        ((0, 50), (10, 130), 0),  # over 100 is as good as 100
    ],
)
def test_the_percentages_predict_the_remaining_seconds(
    first: tuple[float, int] | None, last: tuple[float, int] | None, expected: float | None
) -> None:
    assert PercentageTrend(first, last).remaining == expected


readings = st.none() | st.tuples(seconds, st.integers(-1000, 1000))


@given(readings, readings)
def test_a_prediction_is_never_negative(
    first: tuple[float, int] | None, last: tuple[float, int] | None
) -> None:
    predicted = PercentageTrend(first, last).remaining
    assert predicted is None or predicted >= 0
    # Any prediction gives a finite interval.
    assert math.isfinite(_OPENING.interval(100, remaining=predicted))
