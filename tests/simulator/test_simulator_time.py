"""Time: speed, timings, and the thread that a simulator may run in."""

import asyncio
import datetime as dt
import random
import time
import urllib.request

import pytest

from dcvsessions.simulator import Simulator, Timings, serve_in_thread
from dcvsessions.simulator._time.clock import Clock

DURATIONS = (
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
)


@pytest.mark.looptime
async def test_a_simulator_can_run_faster_than_its_loop(open_wire):
    async with Simulator(speed=3600) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer", status="started")
        await asyncio.sleep(0.999)
        assert (await wire.status())["status"] == "started"
        await asyncio.sleep(0.002)
        assert (await wire.status())["status"] == "startExpired"


@pytest.mark.looptime
@pytest.mark.parametrize("late", [0.1, 0.3, 0.7, 1234.567])
async def test_a_transition_ends_exactly_in_spite_of_float_rounding(open_wire, late):
    await asyncio.sleep(late)
    async with Simulator(timings=Timings(gui_start=1.1)) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer")
        await asyncio.sleep(0.1)
        await wire.lightsail("StartGUISession", {"resourceName": "my-computer"})
        for percentage in range(10, 100, 10):
            await asyncio.sleep(0.11)
            assert (await wire.status())["percentageComplete"] == percentage
        await asyncio.sleep(0.11)
        assert (await wire.status())["status"] == "started"


@pytest.mark.looptime
async def test_an_instant_transition_is_over_at_the_next_read(open_wire):
    async with Simulator(timings=Timings.instant()) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1")
        reply = await wire.lightsail("StartGUISession", {"resourceName": "my-computer"})
        assert reply.json["operations"][0]["status"] == "Succeeded"
        assert (await wire.status())["status"] == "started"
        identifier = (await wire.create()).json["session"]["sessionId"]
        assert (await wire.session(identifier)).json["session"]["state"] == "READY"
        stream = (await wire.session(identifier, "streams")).json["stream"]
        assert sim.accepts(stream["url"])


@pytest.mark.looptime
@pytest.mark.parametrize("seed", [0, 1])
async def test_realistic_timings_are_minutes_and_the_same_for_the_same_seed(open_wire, seed):
    taken = []
    for _ in range(2):
        async with (
            Simulator(timings=Timings.realistic(seed=seed)) as sim,
            open_wire(sim) as wire,
        ):
            sim.nimble.add_studio("studio-1")
            identifier = (await wire.create()).json["session"]["sessionId"]
            seconds = 0
            while (await wire.session(identifier)).json["session"]["state"] != "READY":
                await asyncio.sleep(1)
                seconds += 1
            taken.append((identifier, seconds))
    assert taken[0] == taken[1]
    assert 60 < taken[0][1] < 30 * 60


def test_realistic_timings_spread_around_their_medians():
    timings, chance = Timings.realistic(seed=1), random.Random(1)
    drawn = sorted(timings.draw("session_create", chance) for _ in range(1001))
    assert drawn[500] == pytest.approx(timings.session_create, rel=0.1)
    assert drawn[0] < timings.session_create / 2
    assert drawn[-1] > timings.session_create * 2


def test_each_preset_is_slower_than_the_one_before():
    presets = [Timings.instant(), Timings(), Timings.demo(), Timings.realistic()]
    for name in DURATIONS:
        durations = [getattr(preset, name) for preset in presets]
        assert durations == sorted(durations)
        assert durations[0] == 0
    for preset in presets:
        assert preset.gui_session_lifetime == 3600


@pytest.mark.parametrize("value", [-1, float("nan")])
def test_an_invalid_duration_is_rejected(value):
    with pytest.raises(ValueError, match="gui_start must be zero or more seconds"):
        Timings(gui_start=value)


def test_a_seed_determines_identifiers_but_no_secrets():
    one, other = Simulator(seed=7), Simulator(seed=7)
    assert one._environment.identifier(22) == other._environment.identifier(22)
    for sim in (one, other):
        sim.lightsail.add_instance("my-computer", status="started")
    tokens = {desktop.token for sim in (one, other) for desktop in sim.lightsail.desktops()}
    assert len(tokens) == 4


class LoopOfItsOwn:
    """The part of an event loop that a clock uses."""

    def __init__(self, now):
        self.now = now

    def time(self):
        return self.now


def test_simulated_time_never_goes_back_with_the_loop():
    loop = LoopOfItsOwn(4554.721684645)
    clock = Clock(speed=2)
    clock.start(loop, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    loop.now += 0.25
    assert clock.now() == 0.5
    loop.now = 0
    assert clock.now() == 0.5
    loop.now = 1
    assert clock.now() == 2.5
    assert clock.wall_time(clock.now()) == dt.datetime(2026, 1, 1, 0, 0, 2, 500_000, tzinfo=dt.UTC)


@pytest.fixture
async def starting():
    """A simulator with a transition that begins before the test."""
    async with Simulator() as sim:
        sim.lightsail.add_instance("my-computer", status="starting")
        yield sim


@pytest.mark.looptime
async def test_a_transition_that_begins_in_a_fixture_goes_on_in_the_test(starting):
    assert starting.lightsail.instances["my-computer"].status == "starting"
    await asyncio.sleep(1)
    assert starting.lightsail.instances["my-computer"].status == "started"


@pytest.mark.looptime(start=time.monotonic)
async def test_virtual_time_can_continue_the_real_time_of_the_fixtures(starting):
    assert asyncio.get_running_loop().time() == pytest.approx(time.monotonic(), abs=10)
    await asyncio.sleep(1)
    assert starting.lightsail.instances["my-computer"].status == "started"


def test_resources_can_be_added_before_the_simulator_starts():
    sim = Simulator()
    sim.lightsail.add_instance("my-computer", status="starting")
    assert sim.lightsail.instances["my-computer"].status == "starting"


def test_a_simulator_serves_from_a_thread():
    with serve_in_thread(Simulator(timings=Timings.instant())) as sim:
        sim.lightsail.add_instance("my-computer", status="started")
        for desktop in sim.lightsail.desktops():
            url = f"{sim.endpoint_url}/desktop/?authToken={desktop.token}"
            with urllib.request.urlopen(url) as page:  # noqa: S310 - it is ours
                assert b"my-computer" in page.read()
    began = time.monotonic()
    with serve_in_thread(Simulator()):
        pass
    assert time.monotonic() - began < 5


def test_serve_in_thread_raises_if_the_port_is_taken():
    with serve_in_thread(Simulator()) as sim:
        port = int(sim.endpoint_url.rpartition(":")[2])
        with (
            pytest.raises(OSError, match="address already in use"),
            serve_in_thread(Simulator(port=port)),
        ):
            pass


def test_serve_in_thread_raises_if_the_simulator_was_entered_before():
    with (
        serve_in_thread(Simulator()) as sim,
        pytest.raises(RuntimeError, match="only once"),
        serve_in_thread(sim),
    ):
        pass


class FailsAtTheEnd(Simulator):
    """A simulator whose exit fails."""

    async def __aexit__(self, *error):
        await super().__aexit__(*error)
        raise OSError("exit failed")


def test_an_error_at_the_end_of_the_thread_is_raised_in_the_thread(monkeypatch):
    told = []
    monkeypatch.setattr("threading.excepthook", told.append)
    with serve_in_thread(FailsAtTheEnd()):
        pass
    assert [str(each.exc_value) for each in told] == ["exit failed"]


def test_an_error_in_the_with_block_is_passed_on():
    with pytest.raises(KeyError, match="mine"), serve_in_thread(Simulator()):
        raise KeyError("mine")


@pytest.mark.looptime
async def test_simulated_time_can_be_advanced(open_wire):
    async with Simulator(speed=2) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer", status="starting")
        before = sim.date
        sim.advance(0.4)
        await asyncio.sleep(0.25)
        assert (await wire.status())["percentageComplete"] == 90
        assert sim.date - before == dt.timedelta(seconds=0.9)
        for wrong in (-1, float("nan"), float("inf")):
            with pytest.raises(ValueError, match="seconds must be zero or more"):
                sim.advance(wrong)


@pytest.mark.looptime
async def test_requests_over_a_rate_are_refused(open_wire):
    async with Simulator(speed=2) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        sim.throttle(1, burst=2)
        sim.throttle(0.1, operation="GetOperations")
        seen = [(await wire.lightsail("GetInstances")).error for _ in range(3)]
        assert seen == [None, None, "ThrottlingException"]
        reply = await wire.create()
        assert (reply.status, reply.error) == (429, "ThrottlingException")
        assert sim.nimble.sessions == {}
        await asyncio.sleep(0.5)  # one simulated second, so one token
        seen = [(await wire.lightsail("GetOperations")).error for _ in range(2)]
        assert seen == [None, "ThrottlingException"]
        await asyncio.sleep(3600)  # no more than the burst is saved up
        seen = [(await wire.lightsail("GetInstances")).error for _ in range(3)]
        assert seen == [None, None, "ThrottlingException"]
        sim.reset()
        assert {(await wire.lightsail("GetInstances")).status for _ in range(9)} == {200}


@pytest.mark.parametrize(
    "limit", [{"rate": 0}, {"rate": 1, "burst": 0}, {"rate": 1, "operation": "GetRich"}]
)
def test_an_impossible_limit_is_rejected(limit):
    with pytest.raises(ValueError, match=list(limit)[-1]):
        Simulator().throttle(**limit)


@pytest.mark.looptime
async def test_a_reset_leaves_an_empty_simulator_that_serves_on(open_wire):
    async with Simulator(seed=3) as sim, open_wire(sim) as wire:
        seen = []
        for _ in range(2):
            sim.lightsail.add_instance("my-computer")
            sim.nimble.add_studio("studio-1")
            sim.lightsail.fail_start("my-computer", times=None)
            seen.append((await wire.create(token="token-1")).json["session"]["sessionId"])
            assert len(sim.requests) == 1
            sim.reset()
            assert (sim.lightsail.instances, sim.nimble.sessions, sim.requests) == ({}, {}, [])
        assert seen[0] == seen[1]  # identifiers follow from the seed again
