"""When the next poll is due. Pure: the time and the draw are arguments."""

import math

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions._wait.schedule import PercentageTrend, Schedule
from dcvsessions.lightsail._session import _CLOSING, _OPENING
from dcvsessions.nimble._ownership import _CREATING, _REQUESTING_DELETION
from dcvsessions.nimble._session import _DELETING, _STARTING, _STREAMING

SCHEDULES = [
    _OPENING,
    _CLOSING,
    _STARTING,
    _STREAMING,
    _DELETING,
    _CREATING,
    _REQUESTING_DELETION,
]
OPENING = Schedule(quartile=75, shortest=10, longest=30)

schedules = st.sampled_from(SCHEDULES)
seconds = st.floats(0, 1e7)
draws = st.floats(0, 1)
moments = st.none() | seconds
errors = st.integers(0, 10_000)


@given(schedules, moments, moments, errors, draws)
def test_an_interval_is_within_the_bounds(
    schedule: Schedule, elapsed: float | None, remaining: float | None, failed: int, draw: float
) -> None:
    interval = schedule.interval(elapsed, remaining=remaining, errors=failed, draw=draw)
    least = schedule.shortest / 4 if failed else schedule.shortest
    assert 0 < least * (1 - schedule.jitter) <= interval <= schedule.longest


@given(schedules, moments, moments, errors, st.tuples(draws, draws))
def test_an_interval_shrinks_with_the_draw(
    schedule: Schedule,
    elapsed: float | None,
    remaining: float | None,
    failed: int,
    two_draws: tuple[float, float],
) -> None:
    low, high = sorted(two_draws)
    assert schedule.interval(
        elapsed, remaining=remaining, errors=failed, draw=low
    ) >= schedule.interval(elapsed, remaining=remaining, errors=failed, draw=high)


@given(schedules, st.tuples(seconds, seconds), errors)
def test_an_interval_never_grows_while_the_operation_goes_on(
    schedule: Schedule, two_moments: tuple[float, float], failed: int
) -> None:
    early, late = sorted(two_moments)
    assert schedule.interval(early, errors=failed) >= schedule.interval(late, errors=failed)


@pytest.mark.parametrize(
    ("elapsed", "interval"),
    # Half of what is left until a quarter of the sessions is ready, and then a steady interval.
    [(0, 30), (15, 30), (25, 25), (50, 12.5), (55, 10), (75, 10), (3600, 10)],
)
def test_the_interval_follows_how_likely_ready_is(elapsed: float, interval: float) -> None:
    assert OPENING.interval(elapsed) == interval


def test_an_operation_that_began_at_an_unknown_time_may_be_done_at_any_moment() -> None:
    assert OPENING.interval(None) == 10


@pytest.mark.parametrize(
    ("elapsed", "remaining", "interval"),
    [
        (100, 40.0, 20),  # half of what the percentages predict
        (100, 500.0, 30),  # at most the longest interval
        (100, 0.0, 10),  # at least the shortest interval
        (0, 0.0, 10),  # what the percentages predict counts, however early it is
        (None, 40.0, 20),
    ],
)
def test_the_interval_follows_the_percentages(
    elapsed: float | None, remaining: float, interval: float
) -> None:
    assert OPENING.interval(elapsed, remaining=remaining) == interval


@pytest.mark.parametrize("elapsed", [None, 0, 100])
@pytest.mark.parametrize("remaining", [None, 60])
def test_polls_that_failed_are_repeated_soon_and_then_less_often(
    elapsed: float | None, remaining: float | None
) -> None:
    schedule = evolve(OPENING, longest=100)
    intervals = [
        schedule.interval(elapsed, remaining=remaining, errors=failed) for failed in range(1, 7)
    ]
    assert intervals == [2.5, 5, 10, 20, 40, 80]
    assert schedule.interval(elapsed, remaining=remaining, errors=7) == 100
    assert evolve(OPENING, longest=1e9).interval(0, errors=10_000) == 160


def test_the_jitter_makes_an_interval_shorter_only() -> None:
    schedule = evolve(OPENING, jitter=0.2)
    assert schedule.interval(0, draw=0) == 30
    assert schedule.interval(0, draw=0.5) == pytest.approx(27)
    assert schedule.interval(0, draw=1) == pytest.approx(24)


# --- Many waits that share one rate of calls ---


@pytest.mark.parametrize(
    ("delay", "interval"),
    # Without a queue, a poll costs 0.5 s. If it costs four times as much, half as many are made.
    [(0, 10), (1.5, 20), (4, 30), (7.5, 40), (1000, 40)],
)
def test_a_queue_of_calls_makes_the_intervals_longer(delay: float, interval: float) -> None:
    assert OPENING.interval(100, delay=delay) == pytest.approx(interval)
    assert OPENING.interval(None, delay=delay) == pytest.approx(interval)
    assert OPENING.interval(100, errors=3, delay=delay) == pytest.approx(interval)


@pytest.mark.parametrize(("delay", "interval"), [(0, 30), (0.5, 42.4), (1.5, 60), (1000, 60)])
def test_a_queue_makes_the_longest_interval_at_most_twice_as_long(
    delay: float, interval: float
) -> None:
    assert OPENING.interval(0, remaining=1e6, delay=delay) == pytest.approx(interval, abs=0.1)
    assert OPENING.interval(0, errors=9, delay=delay) == pytest.approx(interval, abs=0.1)


def test_a_queue_does_not_put_off_what_is_likely_to_be_done_later_anyway() -> None:
    assert OPENING.interval(25, delay=1.5) == OPENING.interval(25) == 25


@given(schedules, moments, moments, errors, st.tuples(seconds, seconds))
def test_an_interval_grows_with_the_queue(
    schedule: Schedule,
    elapsed: float | None,
    remaining: float | None,
    failed: int,
    two_delays: tuple[float, float],
) -> None:
    low, high = (
        schedule.interval(elapsed, remaining=remaining, errors=failed, delay=delay)
        for delay in sorted(two_delays)
    )
    assert low <= high <= 2 * schedule.longest


# --- What percentages predict ---


def trend(*readings: tuple[float, int]) -> PercentageTrend:
    result = PercentageTrend()
    for now, percentage in readings:
        result = result.read(now, percentage)
    return result


@pytest.mark.parametrize(
    ("readings", "now", "expected"),
    [
        ([], 0, None),
        ([(0, 10)], 5, None),
        ([(0, 10), (5, 10)], 5, None),  # it does not move
        ([(0, 10), (0, 20)], 5, None),  # no time has passed
        ([(0, 30), (5, 20)], 5, None),  # it moves backwards
        # It is rounded down: on average, half a step more is done.
        ([(10, 0), (20, 50)], 20, 5),
        ([(0, 10), (30, 20), (60, 40)], 60, 100),
        # What has passed since then is over.
        ([(10, 0), (20, 50)], 23, 2),
        ([(10, 0), (20, 50), (23, 50)], 23, 2),
        ([(10, 0), (20, 50)], 60, 0),
        ([(0, 50), (10, 100)], 10, 0),
        ([(0, 50), (10, 130)], 10, 0),  # over 100 is as good as 100
    ],
)
def test_the_percentages_predict_the_remaining_seconds(
    readings: list[tuple[float, int]], now: float, expected: float | None
) -> None:
    assert trend(*readings).remaining(now) == expected


@given(st.lists(st.tuples(seconds, st.integers(-1000, 1000))), seconds)
def test_a_prediction_is_never_negative(readings: list[tuple[float, int]], now: float) -> None:
    predicted = trend(*readings).remaining(now)
    assert predicted is None or predicted >= 0
    # Any prediction gives a finite interval.
    assert math.isfinite(_OPENING.interval(100, remaining=predicted))


# --- When that polls ---


def polls(schedule: Schedule, ready: float) -> list[float]:
    """When an operation is polled that is done after `ready` seconds, without jitter."""
    at = [0.0]
    while at[-1] < ready:
        at.append(at[-1] + schedule.interval(at[-1]))
    return at


def test_a_session_is_polled_more_often_when_it_is_likely_to_be_ready() -> None:
    assert polls(OPENING, 100) == [0, 30, 52.5, 63.75, 73.75, 83.75, 93.75, 103.75]


def test_a_stream_is_polled_every_two_seconds() -> None:
    assert polls(_STREAMING, 5) == [0, 2, 4, 6]
