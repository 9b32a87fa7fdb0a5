"""Many desktops in one call, against the simulator and in virtual time."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import dcvsessions
from dcvsessions import (
    AccessDeniedError,
    ClientStateError,
    DcvSessionsError,
    DcvUrl,
    GuiSessionStatus,
    InvalidArgumentError,
    LightsailClient,
    NimbleClient,
    NotFoundError,
    Progress,
    StreamingSessionRequest,
    WaitFailedError,
    WaitTimeoutError,
    close_gui_session,
    close_gui_sessions,
    close_streaming_session,
    close_streaming_sessions,
    open_gui_session,
    open_gui_sessions,
    open_streaming_session,
    open_streaming_sessions,
)
from dcvsessions.lightsail import GuiSessionOutcome
from dcvsessions.nimble import StreamingSessionOutcome
from dcvsessions.simulator import Fault, Simulator, Timings, TransitionPlan

# Virtual time begins at the real time, at which the fixtures began.
pytestmark = pytest.mark.looptime(start=time.monotonic)

ROOT = Path(dcvsessions.__file__).parent
REQUEST = StreamingSessionRequest(launch_profile_id="lp-1")
DENIED = Fault.error("AccessDeniedException", 403)
GUI_STATES = (*map(str, GuiSessionStatus), "anUnknownStatus")


def now() -> float:
    return asyncio.get_running_loop().time()


def running() -> list[str]:
    """The coroutines of this package, without the simulator's, that still run in tasks."""
    codes = [task.get_coro().cr_code for task in asyncio.all_tasks() - {asyncio.current_task()}]
    return [
        code.co_qualname
        for code in codes
        if Path(code.co_filename).is_relative_to(ROOT)
        and not Path(code.co_filename).is_relative_to(ROOT / "simulator")
    ]


def add_computers(sim: Simulator, count: int) -> list[str]:
    names = [f"pc-{number}" for number in range(count)]
    for name in names:
        sim.lightsail.add_instance(name)
    return names


def requests(count: int, **parameters: Any) -> list[StreamingSessionRequest]:
    return [StreamingSessionRequest(launch_profile_id="lp-1", **parameters) for _ in range(count)]


async def opened(names: Any, **options: Any) -> list[GuiSessionOutcome]:
    async with open_gui_sessions(names, **options) as outcomes:
        return [outcome async for outcome in outcomes]


async def streamed(wanted: Any, **options: Any) -> list[StreamingSessionOutcome]:
    async with open_streaming_sessions("studio-1", wanted, **options) as outcomes:
        return [outcome async for outcome in outcomes]


def words(error: BaseException | None) -> str:
    """All that an error says, with its notes and its causes."""
    texts: list[str] = []
    while error is not None:
        texts += [str(error), *getattr(error, "__notes__", ())]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


# --- Each desktop as the helper for one of them does it ---


@frozen
class Single:
    """What the helper for one desktop does with it."""

    url: bool
    error: type[DcvSessionsError] | None

    @classmethod
    async def of(cls, call: Coroutine[Any, Any, DcvUrl | None]) -> "Single":
        try:
            return cls(url=await call is not None, error=None)
        except DcvSessionsError as error:
            return cls(url=False, error=type(error))


def add_states(sim: Simulator, prefix: str) -> list[str]:
    names = [f"{prefix}-{state}" for state in GUI_STATES]
    for name, state in zip(names, GUI_STATES, strict=True):
        sim.lightsail.add_instance(name)
        sim.lightsail.set_status(name, state)
    sim.lightsail.add_instance(f"{prefix}-off", state="stopped")
    return [*names, f"{prefix}-off", f"{prefix}-missing"]


@pytest.mark.parametrize("start_instance", [False, True])
async def test_each_computer_is_opened_as_open_gui_session_does_it(
    sim: Simulator, lightsail: LightsailClient, *, start_instance: bool
) -> None:
    options: Any = {"client": lightsail, "timeout": 60, "start_instance": start_instance}
    single = [await Single.of(open_gui_session(name, **options)) for name in add_states(sim, "one")]
    names = add_states(sim, "many")
    found = {outcome.name: outcome for outcome in await opened(names, **options)}
    for outcome in found.values():
        assert outcome.url is None or sim.accepts(outcome.url)
    many = [
        Single(url=found[name].url is not None, error=type(found[name].error))
        if found[name].error
        else Single(url=found[name].url is not None, error=None)
        for name in names
    ]
    assert many == single
    assert {each.error for each in many} >= {None, WaitFailedError, WaitTimeoutError, NotFoundError}


async def test_each_computer_is_closed_as_close_gui_session_does_it(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    options: Any = {"client": lightsail, "timeout": 60}
    single = [
        await Single.of(close_gui_session(name, **options)) for name in add_states(sim, "one")
    ]
    names = add_states(sim, "many")
    async with close_gui_sessions(names, **options) as outcomes:
        found = {outcome.name: outcome async for outcome in outcomes}
    errors = [type(found[name].error) if found[name].error else None for name in names]
    assert errors == [each.error for each in single]
    assert {None, WaitTimeoutError, NotFoundError} <= set(errors)
    assert all(outcome.url is None for outcome in found.values())


def deny_reading(sim: Simulator) -> None:
    for operation in ("GetStreamingSession", "ListStreamingSessions"):
        sim.inject(operation, DENIED, times=None)


@pytest.mark.parametrize(
    ("hinder", "error"),
    [
        (lambda _: None, None),
        (lambda sim: sim.nimble.fail_sessions(state="CREATE_FAILED", times=None), WaitFailedError),
        (lambda sim: sim.nimble.fail_streams(times=None), WaitFailedError),
        (lambda sim: sim.nimble.hold(), WaitTimeoutError),
        (lambda sim: sim.inject("CreateStreamingSession", DENIED, times=None), AccessDeniedError),
        (deny_reading, AccessDeniedError),
        (lambda sim: sim.inject("*", Fault.reset(), call=2, times=9), None),
    ],
)
async def test_each_session_is_opened_as_open_streaming_session_does_it(
    sim: Simulator, hinder: Callable[[Simulator], None], error: type[DcvSessionsError] | None
) -> None:
    hinder(sim)
    single = await Single.of(
        open_streaming_session("studio-1", launch_profile_id="lp-1", timeout=60)
    )
    before = len(sim.nimble.alive)
    sim.heal()
    hinder(sim)
    outcomes = await streamed(requests(3), timeout=60)
    assert {type(outcome.error) if outcome.error else None for outcome in outcomes} == {error}
    assert single.error is error
    assert all(sim.accepts(outcome.url) for outcome in outcomes if outcome.url)
    handed_over = {outcome.session_id for outcome in outcomes if outcome.session_id}
    assert len(handed_over) == (0 if error else 3)
    assert set(sim.nimble.alive[before:]) == handed_over


# --- Outcomes ---


async def test_one_that_fails_harms_no_other(sim: Simulator) -> None:
    names = add_computers(sim, 5)
    sim.lightsail.fail_start("pc-3", reason="no capacity")
    outcomes = {outcome.name: outcome for outcome in await opened([*names, "nobody"])}
    assert set(outcomes) == {*names, "nobody"}
    for name in set(names) - {"pc-3"}:
        assert outcomes[name].error is None
        assert sim.accepts(outcomes[name].url)
    assert isinstance(outcomes["pc-3"].error, WaitFailedError)
    assert outcomes["pc-3"].error.failure_reason == "no capacity"
    assert isinstance(outcomes["nobody"].error, NotFoundError)
    assert outcomes["nobody"].url is None


async def test_an_outcome_comes_as_soon_as_its_desktop_is_ready(sim: Simulator) -> None:
    for seconds in (40, 10, 25):
        sim.lightsail.add_instance(f"after-{seconds}")
        sim.lightsail.plan(
            f"after-{seconds}", "StartGUISession", TransitionPlan(seconds=seconds, times=1)
        )
    began = now()
    async with open_gui_sessions(["after-40", "after-10", "after-25"], poll_interval=1) as outcomes:
        came = [(outcome.name, now() - began) async for outcome in outcomes]
    assert [name for name, _ in came] == ["after-10", "after-25", "after-40"]
    assert [elapsed for _, elapsed in came] == pytest.approx([10, 25, 40], abs=2)


async def test_a_request_comes_back_with_its_outcome(sim: Simulator) -> None:
    wanted = [
        StreamingSessionRequest(launch_profile_id="lp-1", owned_by=owner, tags={"class": "1"})
        for owner in ("ada", "grace")
    ]
    wanted.append(StreamingSessionRequest(launch_profile_id="missing"))
    outcomes = {id(outcome.request): outcome for outcome in await streamed(wanted)}
    ada, grace, missing = (outcomes[id(request)] for request in wanted)
    for outcome, owner in ((ada, "ada"), (grace, "grace")):
        assert sim.accepts(outcome.url)
        assert outcome.error is None
        session = sim.nimble.sessions[outcome.session_id]
        assert (session.owned_by, session.tags) == (owner, {"class": "1"})
    assert (missing.session_id, missing.url) == (None, None)
    assert isinstance(missing.error, DcvSessionsError)


async def test_equal_requests_make_a_session_each(sim: Simulator) -> None:
    outcomes = await streamed([REQUEST] * 4)
    assert len({outcome.session_id for outcome in outcomes}) == 4


async def test_a_session_that_is_handed_over_is_not_deleted(sim: Simulator) -> None:
    outcomes = await streamed(requests(3))
    assert sorted(sim.nimble.alive) == sorted(outcome.session_id for outcome in outcomes)
    assert sim.calls("DeleteStreamingSession") == []


@pytest.mark.parametrize("nothing", [[], (), iter(())])
async def test_for_nothing_there_is_no_outcome_and_no_call(sim: Simulator, nothing: Any) -> None:
    assert await opened(nothing) == []
    assert await streamed([]) == []
    async with close_gui_sessions([]) as outcomes:
        assert [outcome async for outcome in outcomes] == []
    async with close_streaming_sessions("studio-1", owned_by=[]) as closed:
        assert [outcome async for outcome in closed] == []
    assert sim.requests == []


async def test_names_can_come_from_a_generator(sim: Simulator) -> None:
    names = add_computers(sim, 3)
    assert {outcome.name for outcome in await opened(name for name in names)} == set(names)


async def test_three_hundred_computers_are_opened_with_one_client(sim: Simulator) -> None:
    names = add_computers(sim, 300)
    outcomes = await opened(names, poll_interval=10)
    assert {outcome.name for outcome in outcomes} == set(names)
    assert all(sim.accepts(outcome.url) for outcome in outcomes if outcome.url)
    assert all(outcome.error is None for outcome in outcomes)
    assert len(sim.calls("StartGUISession")) == 300
    assert running() == []


async def test_three_hundred_sessions_are_opened_with_one_client(sim: Simulator) -> None:
    outcomes = await streamed(requests(300), poll_interval=10)
    assert all(outcome.error is None for outcome in outcomes)
    assert sorted(sim.nimble.alive) == sorted(outcome.session_id for outcome in outcomes)
    assert running() == []


async def test_a_throttled_service_delays_and_loses_none(sim: Simulator) -> None:
    sim.throttle(20, burst=20)
    outcomes = await opened(add_computers(sim, 40))
    assert [outcome.error for outcome in outcomes] == [None] * 40
    assert len(sim.calls("StartGUISession")) >= 40
    sessions = await streamed(requests(40))
    assert [outcome.error for outcome in sessions] == [None] * 40
    assert len(sim.nimble.sessions) == 40


# --- Admission ---


async def test_only_some_are_begun_until_the_first_are_answered(sim: Simulator) -> None:
    sim.inject("*", Fault.delay(10), times=None)
    async with open_gui_sessions([f"missing-{number}" for number in range(1000)]) as outcomes:
        await asyncio.sleep(5)
        # One task for each that was begun, and the one that begins them.
        assert len(running()) == 26
        await asyncio.sleep(10)
        taken = [await anext(outcomes) for _ in range(25)]
        assert len({outcome.name for outcome in taken}) == 25
        assert len(running()) < 80


async def test_a_desktop_that_waits_makes_room_for_the_next(sim: Simulator) -> None:
    names = add_computers(sim, 60)
    for name in names:
        sim.lightsail.hold(name)
    async with open_gui_sessions(names):
        await asyncio.sleep(60)
        assert len(sim.calls("StartGUISession")) == 60


# --- Time ---


async def test_one_deadline_ends_all_of_them(sim: Simulator) -> None:
    names = add_computers(sim, 40)
    for name in names[:30]:
        sim.lightsail.hold(name)
    began = now()
    outcomes = await opened(names, timeout=30)
    assert now() - began <= 33
    errors = [outcome.error for outcome in outcomes if outcome.error]
    assert len(errors) == 30
    for error in errors:
        assert isinstance(error, WaitTimeoutError)
        assert "The timeout of 30 s is over." in str(error)


async def test_a_desktop_whose_turn_does_not_come_in_time_is_not_touched(sim: Simulator) -> None:
    sim.inject("*", Fault.delay(15), times=None)
    began = now()
    outcomes = await streamed(requests(60), timeout=10)
    assert now() - began <= 10 + 3 + 3 + 60 * 0.2
    errors = [str(outcome.error) for outcome in outcomes]
    not_begun = [error for error in errors if "is not begun after" in error]
    assert len(errors) == 60
    assert len(not_begun) == 35
    assert "The timeout of 10 s is over." in not_begun[0]
    assert sim.nimble.alive == []


async def test_a_loop_that_takes_its_time_does_not_cost_the_others_their_deadline(
    sim: Simulator,
) -> None:
    names = add_computers(sim, 5)
    urls = []
    async with open_gui_sessions(names, timeout=20) as outcomes:
        async for outcome in outcomes:
            urls.append(outcome.url)
            await asyncio.sleep(30)
    assert all(sim.accepts(url) for url in urls)
    assert len(urls) == 5


@pytest.mark.parametrize("lifetime", [60, 600])
async def test_a_url_is_fresh_whenever_it_is_taken(sim: Simulator, lifetime: int) -> None:
    count = 0
    async with open_streaming_sessions(
        "studio-1", requests(4), expiration_in_seconds=lifetime, poll_interval=1
    ) as outcomes:
        async for outcome in outcomes:
            assert sim.accepts(outcome.url)
            await asyncio.sleep(lifetime - 10)
            count += 1
    assert count == 4
    assert len(sim.nimble.alive) == 4
    assert len(sim.calls("CreateStreamingSessionStream")) > 4


async def test_a_session_that_was_stopped_before_it_was_taken_is_started_again(
    sim: Simulator,
) -> None:
    async with open_streaming_sessions(
        "studio-1", requests(2), expiration_in_seconds=60
    ) as outcomes:
        first = await anext(outcomes)
        await asyncio.sleep(70)
        (other,) = set(sim.nimble.alive) - {first.session_id}
        sim.nimble.set_state(other, "STOPPED")
        second = await anext(outcomes)
    assert second.session_id == other
    assert sim.accepts(second.url)


async def test_a_session_that_gets_no_new_url_is_deleted_and_fails(sim: Simulator) -> None:
    async with open_streaming_sessions(
        "studio-1", requests(2), expiration_in_seconds=60
    ) as outcomes:
        first = await anext(outcomes)
        await asyncio.sleep(70)
        sim.inject("CreateStreamingSessionStream", DENIED, times=None)
        second = await anext(outcomes)
    assert isinstance(second.error, AccessDeniedError)
    assert second.url is None
    assert sim.nimble.alive == [first.session_id]


# --- Leaving early ---


async def test_a_loop_that_is_left_deletes_what_it_did_not_get(sim: Simulator) -> None:
    kept: list[str] = []
    async with open_streaming_sessions("studio-1", requests(40)) as outcomes:
        async for outcome in outcomes:
            kept.append(outcome.session_id)
            if len(kept) == 15:
                break
    assert sorted(sim.nimble.alive) == sorted(kept)
    assert running() == []


async def test_sessions_that_are_ready_and_not_taken_are_deleted(sim: Simulator) -> None:
    async with open_streaming_sessions("studio-1", requests(10)) as outcomes:
        await asyncio.sleep(60)
        assert len(sim.nimble.alive) == 10
        kept = await anext(outcomes)
    assert sim.nimble.alive == [kept.session_id]


async def test_an_error_in_the_loop_deletes_what_it_did_not_get_and_is_raised(
    sim: Simulator,
) -> None:
    error = KeyError("mine")
    kept: list[str] = []

    async def fails() -> None:
        async with open_streaming_sessions("studio-1", requests(10)) as outcomes:
            async for outcome in outcomes:
                kept.append(outcome.session_id)
                raise error

    with pytest.raises(KeyError) as caught:
        await fails()
    assert caught.value is error
    assert not hasattr(error, "__notes__")
    assert sim.nimble.alive == kept
    assert running() == []


async def test_gui_sessions_go_on_when_the_loop_is_left(sim: Simulator) -> None:
    names = add_computers(sim, 30)
    async with open_gui_sessions(names) as outcomes:
        async for _ in outcomes:
            break
    began = now()
    assert running() == []
    calls = len(sim.requests)
    started = [name for name in names if sim.lightsail.instances[name].status == "started"]
    assert len(started) > 1
    await asyncio.sleep(60)
    assert len(sim.requests) == calls
    assert sim.calls("StopGUISession") == []
    assert now() - began == pytest.approx(60)


@pytest.mark.parametrize("ending", ["break", "error", "cancellation"])
async def test_a_session_that_could_not_be_deleted_is_named(
    sim: Simulator, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    sim.inject("DeleteStreamingSession", DENIED, times=None)

    async def work() -> None:
        async with open_streaming_sessions("studio-1", requests(3)):
            await asyncio.sleep(60)
            if ending == "error":
                raise KeyError
            if ending == "cancellation":
                await asyncio.sleep(3600)

    task = asyncio.create_task(work())
    await asyncio.sleep(70)
    task.cancel()
    kind = {"break": WaitFailedError, "error": KeyError, "cancellation": asyncio.CancelledError}
    with pytest.raises(kind[ending]) as caught:
        await task
    assert len(sim.nimble.alive) == 3
    for session_id in sim.nimble.alive:
        assert session_id in words(caught.value)
        assert session_id in caplog.text
    if isinstance(caught.value, WaitFailedError):
        left = caught.value.left_behind
        assert left is not None
        assert {left.session_id, *(other.session_id for other in left.others)} == {
            *sim.nimble.alive
        }


async def test_a_failed_session_that_nobody_took_and_nobody_deleted_is_named(
    sim: Simulator,
) -> None:
    sim.nimble.fail_sessions(state="CREATE_FAILED", times=None)
    sim.inject("DeleteStreamingSession", DENIED, times=None)
    taken: list[str] = []

    async def work() -> None:
        async with open_streaming_sessions("studio-1", requests(3)) as outcomes:
            await asyncio.sleep(60)
            taken.append((await anext(outcomes)).error.left_behind.session_id)

    with pytest.raises(WaitFailedError, match=r"2 left") as caught:
        await work()
    assert len(sim.nimble.alive) == 3
    assert {*sim.nimble.alive} - {*taken} == {
        session_id for session_id in sim.nimble.alive if session_id in str(caught.value)
    }


async def test_kept_sessions_that_nobody_took_are_named(sim: Simulator) -> None:
    with pytest.raises(WaitFailedError) as caught:
        async with open_streaming_sessions("studio-1", requests(2), keep_on_failure=True):
            await asyncio.sleep(60)
    assert len(sim.nimble.alive) == 2
    assert all(session_id in str(caught.value) for session_id in sim.nimble.alive)
    assert sim.calls("DeleteStreamingSession") == []


async def test_a_session_of_an_earlier_run_is_named_and_not_deleted(sim: Simulator) -> None:
    mine = requests(1, client_token="mine")
    (first,) = await streamed(mine)
    await asyncio.sleep(60)
    (second,) = await streamed(mine)
    assert second.session_id == first.session_id
    with pytest.raises(WaitFailedError, match=f"{first.session_id} is left behind"):
        async with open_streaming_sessions("studio-1", mine):
            await asyncio.sleep(60)
    assert sim.nimble.alive == [first.session_id]


async def test_a_clean_up_is_finished_even_if_it_is_cancelled_again(sim: Simulator) -> None:
    async def work() -> None:
        async with open_streaming_sessions("studio-1", requests(5)):
            await asyncio.sleep(3600)

    task = asyncio.create_task(work())
    await asyncio.sleep(60)
    assert len(sim.nimble.alive) == 5
    sim.inject("DeleteStreamingSession", Fault.delay(1), times=None)
    for _ in range(5):
        task.cancel()
        await asyncio.sleep(0.1)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sim.nimble.alive == []
    assert running() == []


async def test_a_clean_up_that_is_not_answered_ends_in_time(sim: Simulator) -> None:
    left: list[float] = []

    async def work() -> None:
        async with open_streaming_sessions("studio-1", requests(20)):
            await asyncio.sleep(60)
            sim.inject("DeleteStreamingSession", Fault.no_answer(), times=None)
            left.append(now())

    with pytest.raises(WaitFailedError):
        await work()
    assert now() - left[0] <= 13
    assert running() == []


async def test_deletions_that_are_throttled_are_all_made(sim: Simulator) -> None:
    async with open_streaming_sessions("studio-1", requests(100)) as outcomes:
        await asyncio.sleep(60)
        # They take longer than the clean-up of a single session may.
        sim.throttle(8, burst=8)
        kept = await anext(outcomes)
    assert sim.nimble.alive == [kept.session_id]


MOMENTS = [
    (seconds, turns)
    for seconds in (0, 0.1, 0.5, 1, 1.5, 2, 3, 5, 8)
    for turns in (0, 2, 5, 13, 34, 89)
]


async def after_turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_cancellation_at_any_time_forgets_no_session(sim: Simulator) -> None:
    ends: set[int] = set()
    async with NimbleClient() as client:
        for seconds, turns in MOMENTS:
            kept: list[str] = []
            before = set(sim.nimble.alive)

            async def work(kept: list[str] = kept) -> None:
                async with open_streaming_sessions(
                    "studio-1", requests(4), poll_interval=1, client=client
                ) as outcomes:
                    async for outcome in outcomes:
                        kept.append(outcome.session_id)
                        await asyncio.sleep(1)

            task = asyncio.create_task(work())
            await asyncio.sleep(seconds)
            await after_turns(turns)
            task.cancel()
            await asyncio.wait({task})
            alive = set(sim.nimble.alive) - before
            assert alive == set(kept), f"at {seconds} s and {turns} turns"
            assert running() == [], f"at {seconds} s and {turns} turns"
            ends.add(len(kept))
    assert ends > {0, 4}


async def test_a_cancellation_at_any_time_leaves_no_gui_wait_running(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    names = add_computers(sim, 4)
    for seconds, turns in MOMENTS[::2]:
        for name in names:
            sim.lightsail.set_status(name, "notStarted")
        task = asyncio.create_task(opened(names, client=lightsail))
        await asyncio.sleep(seconds)
        await after_turns(turns)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled() or len(task.result()) == 4
        assert running() == []


async def test_a_closed_client_ends_the_block_and_deletes_what_it_did_not_get(
    sim: Simulator,
) -> None:
    kept: list[str] = []
    client = NimbleClient()
    await client.__aenter__()

    async def work() -> None:
        async with open_streaming_sessions("studio-1", requests(10), client=client) as outcomes:
            await asyncio.sleep(60)
            kept.append((await anext(outcomes)).session_id)
            await asyncio.sleep(3600)

    task = asyncio.create_task(work())
    await asyncio.sleep(100)
    await client.__aexit__(None, None, None)
    with pytest.raises(ClientStateError, match="was closed"):
        await task
    assert sim.nimble.alive == kept
    assert running() == []


# --- The iterator ---


async def test_the_iterator_is_over_when_it_has_had_all(sim: Simulator) -> None:
    async with open_gui_sessions(["my-computer"]) as outcomes:
        assert [outcome.name async for outcome in outcomes] == ["my-computer"]
        assert [outcome async for outcome in outcomes] == []
    assert [outcome async for outcome in outcomes] == []


async def test_the_iterator_is_refused_after_its_block(sim: Simulator) -> None:
    async with open_gui_sessions(["my-computer"]) as outcomes:
        pass
    for _ in range(2):
        with pytest.raises(ClientStateError, match="is over: iterate inside it"):
            await anext(outcomes)


async def test_a_task_that_waits_for_an_outcome_is_ended_with_the_block(sim: Simulator) -> None:
    sim.lightsail.hold("my-computer")

    async def first(outcomes: AsyncIterator[GuiSessionOutcome]) -> GuiSessionOutcome:
        return await anext(outcomes)

    async with open_gui_sessions(["my-computer"]) as outcomes:
        task = asyncio.create_task(first(outcomes))
        await asyncio.sleep(5)
    with pytest.raises(ClientStateError):
        await task


async def test_several_tasks_share_the_outcomes(sim: Simulator) -> None:
    names = add_computers(sim, 10)

    async def take(outcomes: AsyncIterator[GuiSessionOutcome]) -> list[str]:
        return [outcome.name async for outcome in outcomes]

    async with open_gui_sessions(names) as outcomes:
        found = await asyncio.gather(*(take(outcomes) for _ in range(3)))
    assert sorted(name for some in found for name in some) == sorted(names)


async def test_a_timeout_of_the_caller_loses_no_outcome(sim: Simulator) -> None:
    got: list[str] = []
    async with open_streaming_sessions("studio-1", requests(5)) as outcomes:
        while True:
            try:
                got.append((await asyncio.wait_for(anext(outcomes), 0.01)).session_id)
            except TimeoutError:
                continue
            except StopAsyncIteration:
                break
    assert len(set(got)) == 5
    assert sorted(sim.nimble.alive) == sorted(got)


async def test_an_outcome_that_was_just_taken_is_the_callers(sim: Simulator) -> None:
    async with open_streaming_sessions("studio-1", requests(2)) as outcomes:
        await asyncio.sleep(60)
        kept = await anext(outcomes)
        # Before the task of this session goes on. A task factory that starts tasks at once makes
        # the block's end do the same.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_coro().cr_code.co_filename.endswith("batch.py"):
                task.cancel()
    assert sim.nimble.alive == [kept.session_id]


async def test_a_block_needs_async_with(sim: Simulator) -> None:
    with pytest.raises(TypeError, match="__aiter__"):
        [outcome async for outcome in open_gui_sessions(["my-computer"])]  # type: ignore[attr-defined]
    assert sim.requests == []


async def test_a_generator_that_is_closed_early_ends_the_block(sim: Simulator) -> None:
    async def urls() -> Any:
        async with open_streaming_sessions("studio-1", requests(5)) as outcomes:
            async for outcome in outcomes:
                yield outcome.session_id

    async with aclosing(urls()) as generator:
        kept = await anext(generator)
    assert sim.nimble.alive == [kept]
    assert running() == []


# --- Progress ---


async def test_progress_tells_how_many_are_done(sim: Simulator) -> None:
    names = add_computers(sim, 3)
    events: list[Progress] = []
    await opened([*names, "nobody"], on_progress=events.append)
    batches = [event.batch for event in events]
    assert {(batch.number, batch.name, batch.total) for batch in batches} == {
        (batches[0].number, "GUI sessions", 4)
    }
    assert (batches[-1].done, batches[-1].failed) == (3, 1)
    counts = [batch.done + batch.failed for batch in batches]
    assert counts == sorted(counts)
    assert {event.wait for event in events if event.is_done} < {event.wait for event in events}
    (failure,) = [event for event in events if event.error]
    assert failure.desktop == failure.resource == "GUI session of nobody"
    assert "NotFoundException" in failure.error
    assert not failure.is_done


async def test_two_calls_have_two_numbers(sim: Simulator) -> None:
    events: list[Progress] = []
    await asyncio.gather(
        opened(["my-computer"], on_progress=events.append),
        streamed(requests(2), on_progress=events.append),
    )
    names = {event.batch.number: event.batch.name for event in events}
    assert sorted(names.values()) == ["GUI sessions", "streaming sessions in studio-1"]
    assert {event.batch.done for event in events} == {0, 1, 2}


async def test_a_single_call_has_no_batch(sim: Simulator) -> None:
    events: list[Progress] = []
    await open_gui_session("my-computer", on_progress=events.append)
    assert {event.batch for event in events} == {None}


async def test_a_new_url_does_not_count_twice(sim: Simulator) -> None:
    events: list[Progress] = []
    async with open_streaming_sessions(
        "studio-1", requests(2), expiration_in_seconds=60, on_progress=events.append
    ) as outcomes:
        await anext(outcomes)
        await asyncio.sleep(100)
        await anext(outcomes)
    assert events[-1].batch.done == 2


async def test_a_failing_on_progress_is_logged_once_for_all(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    def on_progress(event: Progress) -> None:
        raise ZeroDivisionError

    outcomes = await opened(add_computers(sim, 5), on_progress=on_progress)
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert caplog.text.count("on_progress failed") == 1


class Interruption(BaseException):
    """As KeyboardInterrupt, but the event loop goes on."""


@pytest.mark.parametrize("kind", [Interruption, asyncio.CancelledError])
async def test_an_interruption_in_on_progress_is_raised_to_the_caller(
    sim: Simulator, kind: type[BaseException]
) -> None:
    def on_progress(event: Progress) -> None:
        if event.state == "READY":
            raise kind

    with pytest.raises(kind):
        await streamed(requests(3), on_progress=on_progress)
    assert sim.nimble.alive == []
    assert running() == []


# --- Arguments ---


async def refused(entering: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        async with entering:
            raise AssertionError
    assert words in str(caught.value)


@pytest.mark.parametrize("call", [open_gui_sessions, close_gui_sessions])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("my-computer", "names='my-computer' has to be a list"),
        (b"pc", "names="),
        (None, "names="),
        (5, "names="),
        (["my-computer", None], "names=None"),
        (["my computer"], "names='my computer'"),
        (["pc-1", "pc-2", "pc-1"], "names= has pc-1 more than once"),
    ],
)
async def test_invalid_names_are_refused(
    sim: Simulator, lightsail: LightsailClient, call: Any, names: Any, words: str
) -> None:
    await refused(call(names, client=lightsail), words)
    assert sim.requests == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("lp-1", "requests="),
        (None, "requests="),
        (REQUEST, "requests="),
        (["lp-1"], "requests= has to be a list of StreamingSessionRequest, and not of str"),
        (requests(2, client_token="mine"), "client_token='mine' is in two requests"),
    ],
)
async def test_invalid_requests_are_refused(
    sim: Simulator, nimble: NimbleClient, wanted: Any, words: str
) -> None:
    await refused(open_streaming_sessions("studio-1", wanted, client=nimble), words)
    assert sim.requests == []


@pytest.mark.parametrize("owned_by", [None, "", " ", 5, [None], ["ada", ""], [b"ada"]])
async def test_invalid_owners_are_refused(
    sim: Simulator, nimble: NimbleClient, owned_by: Any
) -> None:
    call = close_streaming_sessions("studio-1", owned_by=owned_by, client=nimble)
    await refused(call, "owned_by=")
    assert sim.requests == []


async def test_the_other_arguments_are_checked_before_the_first_call(sim: Simulator) -> None:
    names, wanted = ["my-computer"], requests(1)
    for call, argument in (
        (open_gui_sessions(names, kind="desktop"), "kind="),  # type: ignore[arg-type]
        (open_gui_sessions(names, start_instance="no"), "start_instance="),  # type: ignore[arg-type]
        (open_gui_sessions(names, check_reachable=1), "check_reachable="),  # type: ignore[arg-type]
        (open_gui_sessions(names, timeout=-1), "timeout="),
        (close_gui_sessions(names, poll_interval=0), "poll_interval="),
        (open_streaming_sessions("a/b", wanted), "studio_id="),
        (open_streaming_sessions("s", wanted, expiration_in_seconds=5), "expiration_in_seconds="),
        (open_streaming_sessions("s", wanted, keep_on_failure=1), "keep_on_failure="),  # type: ignore[arg-type]
        (open_streaming_sessions("s", wanted, check_reachable=1), "check_reachable="),  # type: ignore[arg-type]
        (open_streaming_sessions("s", wanted, on_progress=5), "on_progress="),  # type: ignore[arg-type]
        (open_streaming_sessions("s", wanted, endpoint_url=""), "endpoint_url="),
        (close_streaming_sessions("a/b", owned_by="ada"), "studio_id="),
    ):
        await refused(call, argument)
    assert sim.requests == []


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"launch_profile_id": "a b"}, "launch_profile_id="),
        ({"launch_profile_id": None}, "launch_profile_id="),
        ({"ec2_instance_type": ""}, "ec2_instance_type="),
        ({"owned_by": " "}, "owned_by="),
        ({"streaming_image_id": 5}, "streaming_image_id="),
        ({"tags": {"a": 1}}, "tags="),
        ({"client_token": "a" * 65}, "client_token="),
    ],
)
def test_a_request_refuses_invalid_values(given: Any, argument: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        StreamingSessionRequest(**{"launch_profile_id": "lp-1", **given})
    assert str(caught.value).startswith(argument)


def test_a_request_does_not_change_with_the_callers_tags() -> None:
    tags = {"class": "1"}
    request = StreamingSessionRequest(launch_profile_id="lp-1", tags=tags)
    tags["class"] = "2"
    assert request.tags == {"class": "1"}


# --- Closing what a workshop has left ---


def states(sim: Simulator) -> Iterator[str]:
    for session_id in sim.nimble.alive:
        yield sim.nimble.sessions[session_id].state


async def make(nimble: NimbleClient, owner: str, count: int = 1) -> list[str]:
    made = [
        await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1", owned_by=owner)
        for _ in range(count)
    ]
    return [session.session_id or "" for session in made]


async def test_only_the_sessions_of_the_named_users_are_closed(
    sim: Simulator, nimble: NimbleClient
) -> None:
    ada, grace = await make(nimble, "ada", 3), await make(nimble, "grace", 2)
    others = await make(nimble, "linus", 2)
    await asyncio.sleep(60)
    async with close_streaming_sessions(
        "studio-1", owned_by=["ada", "grace", "ada"], client=nimble
    ) as outcomes:
        closed = [outcome async for outcome in outcomes]
    assert sorted(outcome.session.session_id or "" for outcome in closed) == sorted(ada + grace)
    assert {outcome.session.owned_by for outcome in closed} == {"ada", "grace"}
    assert [outcome.error for outcome in closed] == [None] * 5
    assert sorted(sim.nimble.alive) == sorted(others)
    lists = sim.calls("ListStreamingSessions")
    owners = [call.parameters["ownedBy"] for call in lists if "ownedBy" in call.parameters]
    assert owners == ["ada", "grace"]


@pytest.mark.parametrize(
    "state",
    ["READY", "STOPPED", "START_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED", "UNKNOWN"],
)
async def test_each_session_is_closed_as_close_streaming_session_does_it(
    sim: Simulator, nimble: NimbleClient, state: str
) -> None:
    one, many = await make(nimble, "linus"), await make(nimble, "ada", 2)
    await asyncio.sleep(60)
    for session_id in (*one, *many):
        sim.nimble.set_state(session_id, state)
    call = close_streaming_session("studio-1", one[0], client=nimble, timeout=60)
    single = await Single.of(call)
    async with close_streaming_sessions(
        "studio-1", owned_by="ada", client=nimble, timeout=60
    ) as outcomes:
        closed = [outcome async for outcome in outcomes]
    assert {type(outcome.error) if outcome.error else None for outcome in closed} == {single.error}
    for outcome in closed:
        if outcome.error:
            assert outcome.error.left_behind is not None
            assert outcome.error.left_behind.session_id == outcome.session.session_id


async def test_a_session_that_was_deleted_before_has_no_outcome(
    sim: Simulator, nimble: NimbleClient
) -> None:
    await make(nimble, "ada", 2)
    await asyncio.sleep(60)
    for _ in range(2):
        async with close_streaming_sessions("studio-1", owned_by="ada", client=nimble) as outcomes:
            closed = [outcome async for outcome in outcomes]
    assert closed == []


async def test_one_session_that_cannot_be_closed_harms_no_other(
    sim: Simulator, nimble: NimbleClient
) -> None:
    ids = await make(nimble, "ada", 5)
    await asyncio.sleep(60)
    sim.inject("DeleteStreamingSession", DENIED, call=3)
    async with close_streaming_sessions("studio-1", owned_by="ada", client=nimble) as outcomes:
        errors = {outcome.session.session_id: outcome.error async for outcome in outcomes}
    assert set(errors) == set(ids)
    ((session_id, error),) = [(key, error) for key, error in errors.items() if error]
    assert isinstance(error, AccessDeniedError)
    assert error.left_behind is not None
    assert error.left_behind.session_id == session_id
    assert sim.nimble.alive == [session_id]


async def test_a_list_that_is_throttled_is_asked_for_again(
    sim: Simulator, nimble: NimbleClient
) -> None:
    await make(nimble, "ada", 2)
    throttled = Fault.error("ThrottlingException", 429)
    sim.inject("ListStreamingSessions", throttled, times=10)
    async with close_streaming_sessions("studio-1", owned_by="ada", client=nimble) as outcomes:
        assert len([outcome async for outcome in outcomes]) == 2
    assert sim.nimble.alive == []


@pytest.mark.parametrize(
    ("fault", "kind"), [(DENIED, AccessDeniedError), (Fault.reset(), WaitTimeoutError)]
)
async def test_a_list_that_cannot_be_read_is_an_error_of_the_call(
    sim: Simulator, nimble: NimbleClient, fault: Fault, kind: type[DcvSessionsError]
) -> None:
    sim.inject("ListStreamingSessions", fault, times=None)
    began = now()
    with pytest.raises(kind, match=r"list of streaming sessions in studio-1|Denied"):
        async with close_streaming_sessions("studio-1", owned_by="ada", client=nimble, timeout=20):
            raise AssertionError
    assert now() - began <= 23


async def test_sessions_that_are_not_closed_when_the_block_is_left_are_named(
    sim: Simulator, nimble: NimbleClient
) -> None:
    ids = await make(nimble, "ada", 60)
    await asyncio.sleep(60)
    sim.inject("DeleteStreamingSession", Fault.delay(5), call=20, times=None)
    closed: list[str] = []

    async def work() -> None:
        async with close_streaming_sessions("studio-1", owned_by="ada", client=nimble) as outcomes:
            outcome = await anext(outcomes)
            assert outcome.error is None
            closed.append(outcome.session.session_id)

    with pytest.raises(WaitFailedError) as caught:
        await work()
    named = [session_id for session_id in ids if session_id in str(caught.value)]
    assert sorted(named) == sorted(set(ids) - set(closed))
    assert running() == []


async def test_sessions_whose_turn_did_not_come_are_named_in_their_errors(
    sim: Simulator, nimble: NimbleClient
) -> None:
    ids = await make(nimble, "ada", 30)
    await asyncio.sleep(60)
    sim.inject("*", Fault.delay(30), call=32, times=None)
    async with close_streaming_sessions(
        "studio-1", owned_by="ada", client=nimble, timeout=10
    ) as outcomes:
        closed = [outcome async for outcome in outcomes]
    named = {outcome.error.left_behind.session_id for outcome in closed if outcome.error}
    assert named == set(ids)


# --- All of it at once ---


FAULTS = (
    Fault.error("ThrottlingException", 429, retry_after=3),
    Fault.error(None, 503),
    Fault.error("InternalServerErrorException", 500),
    Fault.error("AccessDeniedException", 403),
    Fault.error("ServiceQuotaExceededException", 402),
    Fault.delay(2),
    Fault.delay(30),
    Fault.no_answer(),
    Fault.reset(),
    Fault.lost_response(),
    Fault.truncated(),
    Fault.html(502),
)
OPERATIONS = (
    "CreateStreamingSession",
    "GetStreamingSession",
    "CreateStreamingSessionStream",
    "GetStreamingSessionStream",
    "DeleteStreamingSession",
    "*",
)


def hinder(sim: Simulator, draw: random.Random) -> None:
    for _ in range(draw.randrange(4)):
        sim.inject(
            draw.choice(OPERATIONS),
            draw.choice(FAULTS),
            call=draw.randrange(1, 12),
            times=draw.choice([1, 3, 10, None]),
        )
    if draw.random() < 0.3:
        sim.throttle(10, burst=5)
    if draw.random() < 0.3:
        sim.nimble.fail_sessions(state="CREATE_FAILED", times=2)


async def take(draw: random.Random, count: int, kept: list[str]) -> str:
    """Take some outcomes, perhaps leave early, and return what the errors say."""
    told = ""
    last = draw.choice([0, 1, count // 2, count, count])
    try:
        async with open_streaming_sessions(
            "studio-1",
            requests(count),
            timeout=draw.choice([0, 5, 60]),
            keep_on_failure=draw.random() < 0.2,
        ) as outcomes:
            for _ in range(last):
                outcome = await anext(outcomes)
                kept += [outcome.session_id] if outcome.session_id else []
                told += words(outcome.error)
                await asyncio.sleep(draw.choice([0, 0, 1, 100]))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it may name sessions
        told += words(error)
    return told


@pytest.mark.parametrize("seeds", [range(first, first + 15) for first in (0, 15, 30, 45)], ids=str)
async def test_each_session_is_handed_over_deleted_or_named(
    monkeypatch: pytest.MonkeyPatch, seeds: range
) -> None:
    for seed in seeds:
        draw = random.Random(seed)
        stale_reads = draw.choice([0, 0, 2])
        async with Simulator(timings=Timings(), seed=seed, stale_reads=stale_reads) as sim:
            sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
            for name, value in sim.environ.items():
                monkeypatch.setenv(name, value)
            hinder(sim, draw)
            kept: list[str] = []
            count = draw.choice([1, 3, 8])
            task = asyncio.create_task(take(draw, count, kept))
            await asyncio.wait({task}, timeout=draw.choice([None, None, 0.5, 3, 20]))
            await after_turns(draw.randrange(50))
            task.cancel()
            told = await task
            assert len(sim.nimble.sessions) <= count, f"seed {seed}"
            assert running() == [], f"seed {seed}"
            assert set(kept) <= set(sim.nimble.alive), f"seed {seed}"
            left = set(sim.nimble.alive) - set(kept)
            named = {session_id for session_id in left if session_id in told}
            # Those of lost answers are named by their tokens.
            tokens = {
                call.parameters["clientToken"] for call in sim.calls("CreateStreamingSession")
            }
            by_token = sum(f"client_token={token!r}" in told for token in tokens)
            assert len(left) - len(named) <= by_token, f"seed {seed}"
