"""A moment by two clocks. The clock that says that more time has passed counts."""

import asyncio
import time

import pytest

from dcvsessions._wait.instant import Instant

pytestmark = pytest.mark.looptime


class Wall:
    """The wall clock, which moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    clock = Wall()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    return clock


@pytest.mark.parametrize(
    ("by_loop", "by_wall", "age"),
    [(0, 0, 0), (10, 10, 10), (10, 0, 10), (10, -3600, 10), (10, 3600, 3600), (0, 5, 5)],
)
async def test_its_age_is_that_of_the_clock_that_moved_more(
    wall: Wall, by_loop: float, by_wall: float, age: float
) -> None:
    instant = Instant.ago()
    await asyncio.sleep(by_loop)
    wall.now += by_wall
    assert instant.age == age


async def test_it_can_be_some_seconds_ago(wall: Wall) -> None:
    await asyncio.sleep(100)
    instant = Instant.ago(30)
    assert instant == Instant(loop=70, wall=wall.now - 30)
    assert instant.age == 30
    assert Instant.ago() == Instant(loop=100, wall=wall.now)
