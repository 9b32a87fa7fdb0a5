"""Each fault in each operation of each helper: it is absorbed, or ends the call at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from dcvsessions import (
    AccessDeniedError,
    ClockSkewError,
    ConflictError,
    CredentialsExpiredError,
    DcvSessionsError,
    InvalidRequestError,
    NimbleClient,
    Progress,
    QuotaExceededError,
    close_gui_session,
    close_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)
from dcvsessions.simulator import Fault, Simulator

# Virtual time begins at the real time, at which the fixtures began.
pytestmark = pytest.mark.looptime(start=time.monotonic)

ABSORBED = {
    "throttled 400": Fault.error("ThrottlingException", status=400),
    "throttled 429": Fault.error("ThrottlingException", status=429),
    "bare 403": Fault.error(None, status=403),
    "bare 429": Fault.error(None, status=429),
    "bare 509": Fault.error(None, status=509),
    "retry after": Fault.error("ThrottlingException", status=429, retry_after=30),
    "bare 500": Fault.error(None, status=500),
    "bare 502": Fault.error(None, status=502),
    "bare 503": Fault.error(None, status=503),
    "ServiceException 400": Fault.error("ServiceException", status=400),
    "InternalServerError": Fault.error("InternalServerErrorException", status=500),
    "region set-up": Fault.error("RegionSetupInProgressException", status=400),
    "account set-up": Fault.error("AccountSetupInProgressException", status=400),
    "delay": Fault.delay(5),
    "no answer": Fault.no_answer(),
    "reset": Fault.reset(),
    "reset midway": Fault.reset_midway(),
    "lost response": Fault.lost_response(),
    "truncated": Fault.truncated(),
    "empty": Fault.empty(),
    "html 200": Fault.html(),
    "html 404": Fault.html(404),
    "html 502": Fault.html(502),
    "wrong content type": Fault.wrong_content_type(),
}

FATAL: dict[str, tuple[Fault, type[DcvSessionsError]]] = {
    "access denied": (Fault.error("AccessDeniedException", status=403), AccessDeniedError),
    "validation": (Fault.error("ValidationException", status=400), InvalidRequestError),
    "invalid input": (Fault.error("InvalidInputException", status=400), InvalidRequestError),
    "conflict": (Fault.error("ConflictException", status=409), ConflictError),
    "quota": (Fault.error("ServiceQuotaExceededException", status=402), QuotaExceededError),
    "expired": (Fault.error("ExpiredTokenException", status=403), CredentialsExpiredError),
    "clock skew": (Fault.skewed_date(1800, requests=1), ClockSkewError),
}

Helper = Callable[[Simulator], Awaitable[None]]


async def run_open_gui_session(sim: Simulator) -> None:
    assert sim.accepts(await open_gui_session("stopped-computer", start_instance=True))


async def run_gui_session(sim: Simulator) -> None:
    async with gui_session("my-computer", stop_on_exit=True) as desktop:
        assert sim.accepts(await desktop.url())
    assert sim.lightsail.instances["my-computer"].status == "stopped"


async def run_close_gui_session(sim: Simulator) -> None:
    await close_gui_session("started-computer")
    assert sim.lightsail.instances["started-computer"].status == "stopped"


async def run_open_streaming_session(sim: Simulator) -> None:
    before = len(sim.nimble.alive)
    url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
    assert sim.accepts(url)
    assert len(sim.nimble.alive) == before + 1


async def run_streaming_session(sim: Simulator) -> None:
    before = len(sim.nimble.alive)
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        assert sim.accepts(await desktop.url())
    assert len(sim.nimble.alive) == before


async def run_open_stream(sim: Simulator) -> None:
    (session_id,) = sim.nimble.sessions
    assert sim.accepts(await open_stream("studio-1", session_id))


async def run_close_streaming_session(sim: Simulator) -> None:
    (session_id,) = sim.nimble.sessions
    await close_streaming_session("studio-1", session_id)
    assert sim.nimble.alive == []


HELPERS: dict[Helper, tuple[str, ...]] = {
    run_open_gui_session: (
        "CreateGUISessionAccessDetails",
        "GetInstanceState",
        "StartInstance",
        "StartGUISession",
    ),
    run_gui_session: (
        "CreateGUISessionAccessDetails",
        "GetInstanceState",
        "StartGUISession",
        "StopGUISession",
    ),
    run_close_gui_session: ("CreateGUISessionAccessDetails", "StopGUISession"),
    run_open_streaming_session: (
        "CreateStreamingSession",
        "GetStreamingSession",
        "CreateStreamingSessionStream",
        "GetStreamingSessionStream",
    ),
    run_streaming_session: (
        "CreateStreamingSession",
        "GetStreamingSession",
        "CreateStreamingSessionStream",
        "GetStreamingSessionStream",
        "DeleteStreamingSession",
    ),
    run_open_stream: (
        "GetStreamingSession",
        "StartStreamingSession",
        "CreateStreamingSessionStream",
        "GetStreamingSessionStream",
    ),
    run_close_streaming_session: ("GetStreamingSession", "DeleteStreamingSession"),
}

CASES = [
    pytest.param(helper, operation, id=f"{helper.__name__.removeprefix('run_')}-{operation}")
    for helper, operations in HELPERS.items()
    for operation in operations
]

# At the end of a block, a conflict is absorbed: another change is under way, and will be over.
ABSORBED_CONFLICTS = {(run_streaming_session, "DeleteStreamingSession", "conflict")}


@pytest.fixture
async def world(sim: Simulator, helper: Helper) -> Simulator:
    """A simulator in which each helper has something to do."""
    sim.lightsail.add_instance("stopped-computer", state="stopped")
    sim.lightsail.add_instance("started-computer", status="started")
    if helper in (run_open_stream, run_close_streaming_session):
        async with NimbleClient() as nimble:
            made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
        sim.nimble.set_state(made.session_id, "STOPPED")
    return sim


@pytest.mark.parametrize("fault", ABSORBED.values(), ids=ABSORBED.keys())
@pytest.mark.parametrize(("helper", "operation"), CASES)
async def test_a_temporary_fault_is_absorbed(
    world: Simulator, helper: Helper, operation: str, fault: Fault
) -> None:
    world.inject(operation, fault)
    await helper(world)
    assert world.calls(operation)


@pytest.mark.parametrize("name", FATAL)
@pytest.mark.parametrize(("helper", "operation"), CASES)
async def test_an_error_that_is_not_temporary_ends_the_call(
    world: Simulator, helper: Helper, operation: str, name: str
) -> None:
    fault, expected = FATAL[name]
    existing = set(world.nimble.alive)
    if (helper, operation, name) in ABSORBED_CONFLICTS:
        world.inject(operation, fault)
        await helper(world)
        return
    # After a first conflict the state is read again: somebody else may have been quicker.
    world.inject(operation, fault, times=2 if name == "conflict" else 1)
    with pytest.raises(expected) as caught:
        await helper(world)
    assert caught.value.operation == operation
    assert "While waiting for" in caught.value.__notes__[0]
    failed = [request for request in world.calls(operation) if request.error][-1]
    left = set(world.nimble.alive) - existing
    if operation == "DeleteStreamingSession" and helper is run_streaming_session:
        assert left, "the session that could not be deleted"
    else:
        assert not left
    assert world.requests.index(failed) >= len(world.requests) - 3, "nothing but the clean-up after"


async def test_a_wait_says_by_how_much_the_clock_is_wrong(sim: Simulator) -> None:
    sim.inject("CreateGUISessionAccessDetails", Fault.skewed_date(1800))
    with pytest.raises(ClockSkewError, match=r"1800 s behind|179\d s behind") as caught:
        await open_gui_session("my-computer")
    assert caught.value.skew == pytest.approx(1800, abs=5)


async def test_a_session_that_was_just_made_may_not_be_found_yet(sim: Simulator) -> None:
    sim.inject("GetStreamingSession", Fault.error("ResourceNotFoundException", status=404), times=3)
    assert sim.accepts(await open_streaming_session("studio-1", launch_profile_id="lp-1"))


async def test_a_session_that_is_gone_is_closed_already(sim: Simulator) -> None:
    await close_streaming_session("studio-1", "no-such-session")
    assert sim.calls("DeleteStreamingSession") == []


@pytest.mark.parametrize("stale", [1, 5, 15])
async def test_stale_reads_are_waited_out(stale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator(stale_reads=stale) as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in sim.environ.items():
            monkeypatch.setenv(name, value)
        assert sim.accepts(await open_gui_session("my-computer"))
        assert sim.accepts(await open_streaming_session("studio-1", launch_profile_id="lp-1"))
        assert len(sim.calls("StartGUISession")) == 1
        assert len(sim.calls("CreateStreamingSession")) == 1


async def test_two_calls_may_open_one_session(sim: Simulator, nimble: NimbleClient) -> None:
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    sim.nimble.set_state(made.session_id, "STOPPED")
    both = (open_stream("studio-1", made.session_id) for _ in range(2))
    assert all(map(sim.accepts, await asyncio.gather(*both)))


async def test_two_calls_may_close_one_session(sim: Simulator, nimble: NimbleClient) -> None:
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    both = (close_streaming_session("studio-1", made.session_id) for _ in range(2))
    await asyncio.gather(*both)
    assert sim.nimble.alive == []


async def test_a_session_that_is_stopped_again_is_started_again(
    sim: Simulator, nimble: NimbleClient
) -> None:
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    sim.nimble.set_state(made.session_id, "STOPPED")

    def stop_it_once(event: Progress) -> None:
        if event.state == "START_IN_PROGRESS" and len(sim.calls("StartStreamingSession")) == 1:
            sim.nimble.set_state(made.session_id, "STOPPED")

    url = await open_stream(
        "studio-1", made.session_id, on_progress=stop_it_once, poll_interval=0.2
    )
    assert sim.accepts(url)
    assert len(sim.calls("StartStreamingSession")) == 2
