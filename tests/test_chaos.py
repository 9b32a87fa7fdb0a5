"""Random schedules of faults, cancellations and timeouts: what must hold after each is checked.

Each schedule is made from its seed alone, and runs in virtual time. A failure names the seed:
`CHAOS_SEED=… pytest tests/test_chaos.py` runs that schedule again.
"""

import asyncio
import itertools
import os
import random
import types
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from attrs import evolve, field, frozen
from virtual_loop import new_virtual_loop

from dcvsessions import (
    DcvSessionsError,
    LightsailClient,
    NimbleClient,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)
from dcvsessions.simulator import Fault, Simulator, Timings

BATCHES = [range(first, first + 100) for first in range(0, 2000, 100)]
if "CHAOS_SEED" in os.environ:
    BATCHES = [range(int(os.environ["CHAOS_SEED"]), int(os.environ["CHAOS_SEED"]) + 1)]

# What docs/reference/waiting.md promises, in seconds beyond the timeout of a call: for the last
# poll, for a create under way, for a clean-up, and for the end of a block of either service.
LAST_POLL = 3.0
LAST_CREATE = 3.0
CLEANUP_TIMEOUT = 10.0
STOP_TIMEOUT = 60.0
DELETE_TIMEOUT = 30.0

NIMBLE = (
    "CreateStreamingSession",
    "GetStreamingSession",
    "CreateStreamingSessionStream",
    "GetStreamingSessionStream",
    "DeleteStreamingSession",
    "StartStreamingSession",
    "*",
)
LIGHTSAIL = (
    "CreateGUISessionAccessDetails",
    "StartGUISession",
    "StopGUISession",
    "GetInstanceState",
    "StartInstance",
    "*",
)
FAULTS = (
    Fault.error("ThrottlingException", status=400),
    Fault.error("ThrottlingException", status=429, retry_after=7),
    Fault.error(None, status=429),
    Fault.error(None, status=509),
    Fault.error(None, status=503),
    Fault.error("ServiceException", status=400),
    Fault.error("InternalServerErrorException", status=500),
    Fault.error("AccessDeniedException", status=403),
    Fault.error("ExpiredTokenException", status=403),
    Fault.error("ConflictException", status=409),
    Fault.error("ServiceQuotaExceededException", status=402),
    Fault.delay(2),
    Fault.delay(30),
    Fault.no_answer(),
    Fault.reset(),
    Fault.reset_midway(),
    Fault.lost_response(),
    Fault.truncated(),
    Fault.empty(),
    Fault.html(),
    Fault.html(502),
    Fault.wrong_content_type(),
    Fault.skewed_date(900, requests=1),
)
GUI_STATES = (
    "notStarted",
    "stopped",
    "startExpired",
    "starting",
    "started",
    "stopping",
    "settingUpInstance",
    "failedStartingGUISession",
    "failedStoppingGUISession",
    "failedInstanceCreation",
    "anUnknownStatus",
)
SESSION_STATES = ("READY", "STOPPED", "DELETED", "START_FAILED", "CREATE_FAILED", "UNKNOWN")


@frozen
class Schedule:
    """Everything that happens to one helper call."""

    seed: int
    helper: str
    timeout: float
    cancel_at: tuple[int, ...]
    faults: tuple[tuple[str, Fault, int, int | None], ...]
    gui_status: str
    instance: str
    session_state: str
    stale_reads: float
    failing: bool
    keep: bool
    shares_client: bool
    token: str | None
    timings: Timings = field(repr=False)

    @property
    def is_hindered(self) -> bool:
        """Whether something can keep the call from deleting the session that it made."""
        clean_up = ("CreateStreamingSession", "GetStreamingSession", "DeleteStreamingSession", "*")
        return self.keep or any(operation in clean_up for operation, *_ in self.faults)


HELPERS = (
    "open_streaming_session",
    "streaming_session",
    "open_stream",
    "existing_streaming_session",
    "close_streaming_session",
    "open_gui_session",
    "gui_session",
    "close_gui_session",
)


def draw_faults(
    draw: random.Random, operations: tuple[str, ...]
) -> Iterator[tuple[str, Fault, int, int | None]]:
    """Draw faults; one in three follows on the one before, in the same operation."""
    operation, call = draw.choice(operations), draw.randrange(1, 5)
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        times = draw.choice([1, 1, 2, 5, 20, None])
        yield operation, draw.choice(FAULTS), call, times
        if draw.random() < 1 / 3:
            call += times or 1
        else:
            operation, call = draw.choice(operations), draw.randrange(1, 5)


def schedule(seed: int) -> Schedule:
    draw = random.Random(seed)
    # A mistake in a helper that makes a session costs the most: these are drawn most often.
    helper = draw.choices(HELPERS, weights=(4, 3, 1, 1, 1, 2, 1, 1))[0]
    operations = LIGHTSAIL if "gui" in helper else NIMBLE
    seconds = draw.choice([0.0, 1.0, 20.0])
    return Schedule(
        seed=seed,
        helper=helper,
        timeout=draw.choice([0, 1, 10, 60, 300]),
        cancel_at=tuple(
            sorted(
                draw.randrange(1, draw.choice([20, 80, 300]))
                for _ in range(draw.choice([0, 0, 1, 1, 2]))
            )
        ),
        faults=tuple(draw_faults(draw, operations)),
        gui_status=draw.choice(GUI_STATES),
        instance=draw.choice(["running", "running", "stopped"]),
        session_state=draw.choice(SESSION_STATES),
        stale_reads=draw.choice([0, 0, 0, 2, 8]),
        failing=draw.random() < 0.1,
        keep=draw.random() < 0.15,
        shares_client=draw.random() < 0.75,
        timings=Timings(
            gui_start=seconds, gui_stop=seconds, session_create=seconds, stream_create=seconds / 4
        ),
        token="mine" if draw.random() < 0.5 else None,
    )


@types.coroutine
def cancelled_at(
    steps: tuple[int, ...], work: Coroutine[Any, Any, Any]
) -> Generator[Any, Any, Any]:
    """Run work and cancel its task while it is suspended for the n-th time, for each n."""
    task = asyncio.current_task()
    assert task is not None
    step = 0
    resume, value = work.send, None
    while True:
        try:
            waited_on = resume(value)
        except StopIteration as end:
            return end.value
        step += 1
        if step in steps:
            asyncio.get_running_loop().call_soon(task.cancel)
        try:
            value = yield waited_on
            resume = work.send
        except BaseException as error:  # noqa: BLE001 - the work handles it
            resume, value = work.throw, error


async def call(sim: Simulator, plan: Schedule, session: str, client: Any) -> str | None:
    """Make the one helper call of a schedule; return its URL, if it returns one."""
    how: dict[str, Any] = {"timeout": plan.timeout, "client": client}
    new: dict[str, Any] = {
        "launch_profile_id": "profile",
        "keep_on_failure": plan.keep,
        "client_token": plan.token,
        **how,
    }
    match plan.helper:
        case "open_gui_session":
            return await open_gui_session("computer", start_instance=True, **how)
        case "gui_session":
            async with gui_session("computer", stop_on_exit=True, **how) as gui:
                assert sim.accepts(await gui.url())
        case "close_gui_session":
            await close_gui_session("computer", **how)
        case "open_streaming_session":
            return await open_streaming_session("studio", **new)
        case "streaming_session":
            async with streaming_session("studio", **new) as desktop:
                assert sim.accepts(await desktop.url())
        case "open_stream":
            return await open_stream("studio", session, **how)
        case "existing_streaming_session":
            async with existing_streaming_session("studio", session, **how) as desktop:
                assert sim.accepts(await desktop.url())
        case "close_streaming_session":
            await close_streaming_session("studio", session, **how)
    return None


async def prepare(sim: Simulator, plan: Schedule) -> str | None:
    """Bring the simulator to the start of the schedule; return the session that exists."""
    sim.lightsail.add_instance("computer", state=plan.instance)
    if plan.instance == "running":
        sim.lightsail.set_status("computer", plan.gui_status)
    sim.nimble.add_studio("studio", launch_profiles=("profile",))
    session_id = None
    if plan.helper in ("open_stream", "existing_streaming_session", "close_streaming_session"):
        async with NimbleClient() as nimble:
            made = await nimble.create_streaming_session("studio", launch_profile_id="profile")
        session_id = made.session_id
        sim.nimble.set_state(session_id, plan.session_state)
    elif plan.failing:
        sim.nimble.fail_sessions(status_code="INSUFFICIENT_CAPACITY", state="CREATE_FAILED")
        sim.lightsail.fail_start("computer", reason="no capacity", times=2)
    for operation, fault, first, times in plan.faults:
        sim.inject(operation, fault, call=first, times=times)
    return session_id


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told(error: BaseException | None) -> str:
    """Everything that an error says of what is left behind."""
    words = []
    for link in chain(error):
        words += [str(link), *getattr(link, "__notes__", ())]
    return "\n".join(words)


async def run(plan: Schedule, environ: pytest.MonkeyPatch) -> str:
    """Run one schedule, check what must hold, and return how it ended."""
    loop = asyncio.get_running_loop()
    async with Simulator(timings=plan.timings, seed=plan.seed, stale_reads=plan.stale_reads) as sim:
        for name, value in sim.environ.items():
            environ.setenv(name, value)
        existing = await prepare(sim, plan)
        before = set(sim.nimble.sessions)
        arrived = len(sim.requests)
        began = loop.time()
        url, error = None, None
        async with AsyncExitStack() as stack:
            client = None
            if plan.shares_client:
                kind = LightsailClient if "gui" in plan.helper else NimbleClient
                client = await stack.enter_async_context(kind())
            work = call(sim, plan, existing or "none", client)
            try:
                url = await asyncio.ensure_future(cancelled_at(plan.cancel_at, work))
            except (DcvSessionsError, asyncio.CancelledError) as failure:
                error = failure
        elapsed = loop.time() - began
        requests = sim.requests[arrived:]

        made = set(sim.nimble.sessions) - before
        assert len(made) <= 1, f"{len(made)} sessions made"
        if url is not None:
            assert sim.accepts(url), "the URL is not usable"
        fate = fate_of(made, sim, plan, url, told(error))
        if not isinstance(error, asyncio.CancelledError):
            assert elapsed <= latest(plan), f"took {elapsed:.1f} s"
        assert_read_between_starts(requests)
        if plan.helper in ("open_stream", "existing_streaming_session"):
            assert not sim.calls("DeleteStreamingSession"), "a session of somebody else was deleted"
        ending = type(error).__name__ if error else "URL" if url is not None else "done"
        return f"{ending} ({fate})" if fate else ending


def fate_of(
    made: set[str], sim: Simulator, plan: Schedule, url: str | None, words: str
) -> str | None:
    """Return what happened to the session that a call made, or None if it made no session.

    Args:
        made: The sessions that it made: one at most.
        sim: The simulator.
        plan: The schedule.
        url: The URL that the call returned.
        words: All that its error says.
    """
    if not made or (url is not None and plan.helper == "open_streaming_session"):
        return None
    (session_id,) = made
    (token,) = {
        request.parameters.get("clientToken")
        for request in sim.requests
        if request.operation == "CreateStreamingSession"
    }
    if session_id not in sim.nimble.alive:
        assert plan.is_hindered or "left behind" not in words, f"it was deleted: {words}"
        return "deleted"
    assert plan.is_hindered, f"session {session_id} could have been deleted: {words}"
    named = session_id in words or (token and f"client_token={token!r}" in words)
    assert named, f"session {session_id} is alive and forgotten: {words}"
    return "left and named"


def latest(plan: Schedule) -> float:
    """How long a call may take that is not cancelled, in seconds."""
    if plan.helper == "gui_session":
        return 2 * (plan.timeout + LAST_POLL) + STOP_TIMEOUT + LAST_POLL
    if plan.helper == "streaming_session":
        return 2 * (plan.timeout + LAST_POLL) + LAST_CREATE + DELETE_TIMEOUT + LAST_POLL
    if plan.helper == "existing_streaming_session":
        return 2 * (plan.timeout + LAST_POLL)
    return plan.timeout + LAST_POLL + LAST_CREATE + CLEANUP_TIMEOUT + 0.1


def assert_read_between_starts(requests: list[Any]) -> None:
    """Check that the state is read between a start that took effect and the next start."""
    last = None
    for request in requests:
        if request.operation == "StartGUISession" and last is not None and last.error is None:
            raise AssertionError("a start was sent again without a reading before it")
        if request.operation == "StartGUISession":
            last = request
        elif request.operation == "CreateGUISessionAccessDetails":
            last = None


def run_all(plans: Iterable[Schedule], environ: pytest.MonkeyPatch) -> dict[str, int]:
    endings: dict[str, int] = {}
    problems: list[str] = []
    with asyncio.Runner(loop_factory=new_virtual_loop) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(lambda _, context: problems.append(str(context)))
        for plan in plans:
            # The jitter of the polls and the client tokens are drawn too.
            random.seed(plan.seed)
            environ.setattr(uuid, "uuid4", lambda: uuid.UUID(int=random.getrandbits(128)))
            try:
                ending = runner.run(run(plan, environ))
            except BaseException as error:
                error.add_note(f"CHAOS_SEED={plan.seed}: {plan}")
                raise
            assert not problems, f"CHAOS_SEED={plan.seed}: {plan}: {problems}"
            endings[ending] = endings.get(ending, 0) + 1
    return endings


@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_no_schedule_doubles_or_forgets_a_session_or_hangs(
    seeds: range, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    endings = run_all(map(schedule, seeds), monkeypatch)
    # conftest.py sums them up at the end, because the tests may run in several processes.
    record_property("schedules", endings)


@pytest.mark.parametrize("helper", HELPERS)
def test_a_call_cancelled_at_any_await_forgets_no_session(
    helper: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """Cancel at the first await, then at the second, and so on, until the call ends before it."""
    endings: Counter[str] = Counter()
    for step in itertools.count(1):
        plan = evolve(
            schedule(0),
            helper=helper,
            timeout=60,
            cancel_at=(step,),
            faults=(),
            gui_status="started" if helper == "close_gui_session" else "notStarted",
            session_state="STOPPED",
            stale_reads=0,
            failing=False,
            keep=False,
            token=None,
        )
        (ending,) = run_all([plan], monkeypatch)
        endings[ending] += 1
        if not ending.startswith("CancelledError"):
            break
    assert endings.total() > 4
    record_property("schedules", dict(endings))


def test_a_schedule_is_made_from_its_seed_alone() -> None:
    assert schedule(7) == schedule(7) != schedule(8)
