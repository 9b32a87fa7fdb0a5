"""Many calls on one client of a service that throttles: they share what it grants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from second_fake import Service, refused, replied

from dcvsessions import (
    InvalidResponseError,
    LightsailClient,
    ThrottledError,
    open_gui_session,
    streaming_session,
)
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

pytestmark = pytest.mark.looptime

READ = "CreateGUISessionAccessDetails"


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    async with Service.in_place_of_aws(monkeypatch) as service:
        service.add_computer("lab")
        yield service


@asynccontextmanager
async def classroom(sim: Simulator, desktops: int) -> AsyncIterator[list[str]]:
    names = [f"computer-{number}" for number in range(desktops)]
    for name in names:
        sim.lightsail.add_instance(name)
        sim.lightsail.plan(name, "StartGUISession", TransitionPlan(seconds=75))
    yield names


async def test_many_waits_share_the_rate_and_little_is_refused(sim: Simulator) -> None:
    async with classroom(sim, 100) as names, LightsailClient() as client:
        sim.throttle(10, burst=10)
        urls = await asyncio.gather(*(open_gui_session(name, client=client) for name in names))
    assert all(map(sim.accepts, urls))
    refused = sum(call.error == "ThrottlingException" for call in sim.requests)
    assert 0 < refused <= 0.10 * (len(sim.requests) - refused)


async def test_sessions_are_started_before_others_are_polled(sim: Simulator) -> None:
    async with classroom(sim, 60) as names, LightsailClient() as client:
        sim.throttle(10, burst=10)
        await asyncio.gather(*(open_gui_session(name, client=client) for name in names))
    starts = [call.at for call in sim.calls("StartGUISession") if call.error is None]
    began = sim.requests[0].at
    assert len(starts) == 60
    # Three calls lead to a start: 180 calls take 17 s at least.
    assert max(starts) - began < 27


async def test_retry_after_holds_for_all_calls_of_a_client(sim: Simulator) -> None:
    async with LightsailClient() as client:
        sim.inject(READ, Fault.error("ThrottlingException", 429, retry_after=30))
        with pytest.raises(ThrottledError) as caught:
            await client.create_gui_session_access_details("my-computer")
        assert caught.value.retry_after == 30
        await client.get_instance_state("my-computer")
    first, second = sim.requests
    assert second.at - first.at == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("header", [{"Retry-After": "20"}, {"x-amz-retry-after": "20000"}], ids=str)
async def test_either_header_pauses_a_client(fake: Service, header: dict[str, str]) -> None:
    async with LightsailClient() as client:
        fake.script(READ, refused("ThrottlingException", 429, "Slow down.", header))
        with pytest.raises(ThrottledError) as caught:
            await client.create_gui_session_access_details("lab")
        assert caught.value.retry_after == 20
        began = now()
        await client.get_instance_state("lab")
    assert now() - began == pytest.approx(20, abs=0.1)


async def test_an_answer_that_is_not_the_services_pauses_nothing(fake: Service) -> None:
    async with LightsailClient() as client:
        fake.always(READ, replied(429, "Slow down", {"Retry-After": "600"}))
        with pytest.raises(InvalidResponseError):
            await client.create_gui_session_access_details("lab")
        began = now()
        await client.get_instance_state("lab")
    assert now() - began < 0.1


async def test_one_client_does_not_slow_another_down(sim: Simulator) -> None:
    async with LightsailClient() as throttled, LightsailClient() as other:
        sim.inject(READ, Fault.error("ThrottlingException", 429, retry_after=30))
        with pytest.raises(ThrottledError):
            await throttled.create_gui_session_access_details("my-computer")
        began = now()
        await other.create_gui_session_access_details("my-computer")
    assert now() - began < 0.1


async def test_a_client_that_is_closed_lets_no_call_wait(sim: Simulator) -> None:
    async with LightsailClient() as client:
        sim.inject(READ, Fault.error("ThrottlingException", 429, retry_after=50))
        with pytest.raises(ThrottledError):
            await client.create_gui_session_access_details("my-computer")
        waiting = asyncio.create_task(client.get_instance_state("my-computer"))
        await asyncio.sleep(1)
    began = now()
    [outcome] = await asyncio.gather(waiting, return_exceptions=True)
    assert "was closed" in str(outcome)
    assert now() - began < 0.1


async def test_a_session_is_deleted_in_spite_of_a_long_pause(fake: Service) -> None:
    throttled = refused("ThrottlingException", 429, "", {"Retry-After": "600"})
    fake.script("DeleteStreamingSession", throttled)
    async with streaming_session("studio", launch_profile_id="lp"):
        assert fake.billing
        began = now()
    assert not fake.billing
    assert now() - began <= 30
