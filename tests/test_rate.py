"""The rate of a client's calls, against a service with a token bucket. On paper: no clock."""

import heapq
import itertools

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from dcvsessions._aws.rate import Rate


@define
class Bucket:
    """A service that accepts `rate` calls per second, and `burst` at once."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    at: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self.tokens = self.burst

    def admits(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@define
class Traffic:
    """What became of calls that were sent as fast as the rate and the connections allowed."""

    accepted: int = 0
    refused: int = 0


def saturated(
    rate: Rate, service: Bucket, *, seconds: float, began: float = 0.0, round_trip: float = 0.02
) -> Traffic:
    """Send calls over 25 connections for some seconds, with more calls waiting all the time."""
    now, free, numbers = began, 25, itertools.count()
    answers: list[tuple[float, int, float, bool]] = []
    traffic = Traffic()
    while now < began + seconds:
        while free and rate.wait(now) <= 0:
            rate.sent()
            free -= 1
            answer = (now + round_trip, next(numbers), now, service.admits(now))
            heapq.heappush(answers, answer)
        turn = now + rate.wait(now) if free else began + seconds
        now = min(turn, answers[0][0] if answers else turn)
        while answers and answers[0][0] <= now:
            _, _, sent_at, is_accepted = heapq.heappop(answers)
            free += 1
            if is_accepted:
                traffic.accepted += 1
                rate.accepted(now, is_full=True)
            else:
                traffic.refused += 1
                rate.throttled(now, sent_at)
    return traffic


def test_the_rate_is_unlimited_until_a_call_is_throttled() -> None:
    rate = Rate()
    for _ in range(1000):
        assert rate.wait(5.0) == 0
        rate.sent()
        rate.accepted(5.0, is_full=True)
    assert rate.limit is None


@pytest.mark.parametrize("granted", [5, 10, 50, 200])
@pytest.mark.parametrize("seconds_of_burst", [1, 2])
@pytest.mark.parametrize("round_trip", [0.005, 0.08])
def test_nearly_all_of_what_the_service_grants_is_used_and_little_is_refused(
    granted: int, seconds_of_burst: int, round_trip: float
) -> None:
    service = Bucket(granted, granted * seconds_of_burst)
    traffic = saturated(Rate(), service, seconds=200, round_trip=round_trip)
    assert traffic.accepted >= 0.95 * granted * 200
    assert traffic.refused <= 0.10 * traffic.accepted


@settings(deadline=None)  # the machine may be busy
@given(granted=st.floats(3, 300), burst=st.floats(0.5, 3), round_trip=st.floats(0.001, 0.3))
def test_few_calls_are_refused_at_any_rate(granted: float, burst: float, round_trip: float) -> None:
    service = Bucket(granted, max(3.0, granted * burst))
    traffic = saturated(Rate(), service, seconds=60, round_trip=round_trip)
    capacity = min(granted, 25 / round_trip) * 60
    assert traffic.accepted >= 0.6 * capacity
    assert traffic.refused <= 0.2 * traffic.accepted + 25


def test_a_throttle_lowers_the_rate_below_what_was_accepted() -> None:
    rate = Rate()
    for call in range(50):
        rate.accepted(call / 50, is_full=True)
    rate.throttled(1.0, sent_at=0.99)
    # 49 in the last second: the first one is a second old.
    assert rate.limit == pytest.approx(0.8 * 49)


def test_calls_that_were_under_way_lower_the_rate_only_once() -> None:
    rate = Rate()
    for call in range(50):
        rate.accepted(call / 50, is_full=True)
    rate.throttled(1.0, sent_at=0.99)
    lowered = rate.limit
    for _ in range(24):
        rate.throttled(1.01, sent_at=0.99)
    assert rate.limit == lowered
    rate.throttled(1.02, sent_at=1.0)
    assert rate.limit is not None
    assert lowered is not None
    assert rate.limit < lowered


def test_the_rate_climbs_only_while_calls_wait() -> None:
    rate = Rate()
    rate.throttled(0.0, sent_at=0.0)
    limit = rate.limit
    for second in range(1000):
        rate.accepted(float(second), is_full=False)
    assert rate.limit == limit
    for second in range(10):
        rate.accepted(1000.0 + second, is_full=True)
    assert rate.limit is not None
    assert limit is not None
    assert rate.limit > limit


def test_a_service_that_grants_more_than_before_is_used_within_half_a_minute() -> None:
    rate, service = Rate(), Bucket(5, 5)
    saturated(rate, service, seconds=60)
    service.rate = service.burst = 100
    saturated(rate, service, began=60, seconds=30)
    traffic = saturated(rate, service, began=90, seconds=30)
    assert traffic.accepted >= 0.9 * 100 * 30


def test_a_rate_that_was_not_used_does_not_add_up() -> None:
    rate, service = Rate(), Bucket(50, 50)
    saturated(rate, service, seconds=30)
    sent = 0
    while rate.wait(10_000.0) <= 0:
        rate.sent()
        sent += 1
    # A tenth of a second at about 50 calls per second.
    assert 1 <= sent <= 10


def test_no_throttle_stops_a_client_for_good() -> None:
    rate, now = Rate(), 0.0
    for _ in range(100):
        now += rate.wait(now)
        rate.sent()
        rate.throttled(now, sent_at=now)
    assert rate.wait(now) <= 2


def test_a_pause_holds_calls_for_as_long_as_the_service_asks() -> None:
    rate = Rate()
    rate.pause(10.0, 7.0)
    assert rate.is_paused(16.9)
    assert rate.wait(12.0) == 5
    assert rate.wait(12.0, is_held=False) == 0
    assert not rate.is_paused(17.0)
    assert rate.wait(17.0) == 0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    rate = Rate()
    rate.pause(0.0, 30.0)
    rate.pause(1.0, 0.0)
    assert rate.wait(1.0) == 29


def test_no_pause_is_longer_than_a_minute() -> None:
    rate = Rate()
    rate.pause(0.0, 86_400.0)
    assert rate.wait(0.0) == 60
