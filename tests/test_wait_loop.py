"""The loop of every wait: when it polls, what it forgets after a success, and when it ends.

The resource is a script here: what each reading and each step returns or raises. In virtual time.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import pytest
from attrs import evolve

from dcvsessions import (
    AccessDeniedError,
    ApiError,
    CallTimeoutError,
    ClientStateError,
    ConflictError,
    ConnectionFailedError,
    DcvSessionsError,
    DcvUrl,
    InvalidArgumentError,
    InvalidResponseError,
    NotFoundError,
    Progress,
    ThrottledError,
    UnreachableError,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions._wait.decisions import (
    WAIT,
    Decision,
    Done,
    Failed,
    Observation,
    TakeStep,
    WaitContext,
)
from dcvsessions._wait.loop import FINAL_POLL_GRACE, UNANSWERED_LIMIT, Goal, Waiter
from dcvsessions._wait.schedule import Schedule
from dcvsessions.errors import ErrorAbsorbed, Failure, StateSeen

pytestmark = pytest.mark.looptime

SLEPT = 3600.0


class Step(StrEnum):
    START = "Start"


def error(kind: type[ApiError], code: str) -> ApiError:
    return kind(code=code, message="No", operation="Some", request_id="r-1", http_status=400)


THROTTLED = error(ThrottledError, "Throttling")
DENIED = error(AccessDeniedError, "AccessDenied")
CONFLICT = error(ConflictError, "Conflict")
AMBIGUOUS = error(ApiError, "RequestTimeoutException")
FOREIGN = InvalidResponseError("A page.", operation="Some")
REFUSED = ConnectionFailedError("Refused by 192.0.2.1.", was_sent=False)
RESET = ConnectionFailedError("Reset.")


def seen(state: str, percentage: int | None = None, *, is_known: bool = True) -> Observation[str]:
    return Observation(state, state, percentage, is_known=is_known)


DONE = seen("done")
WAITING = seen("waiting")
STOPPED = seen("stopped")
MISSING = Observation("not found", error(NotFoundError, "NotFound"))


def decide(observation: Observation[str], _: WaitContext) -> Decision[str]:
    """Decide by the state, as a table would."""
    match observation.state:
        case "done":
            return Done("the result")
        case "stopped":
            return TakeStep(Step.START)
        case "failed":
            return Failed(reason="It failed.", details=Failure(state="failed"))
        case _:
            return WAIT


class Resource:
    """A resource by a script; the last answer is given again and again.

    Attributes:
        polls: When it was read.
        steps: When a step was asked for.
        contexts: What the decisions knew.
    """

    def __init__(self, *readings: Any, steps: tuple[Any, ...] = (None,)) -> None:
        self._readings = list(readings)
        self._steps = list(steps)
        self.polls: list[float] = []
        self.steps: list[float] = []
        self.contexts: list[WaitContext] = []

    async def observe(self) -> Observation[str]:
        self.polls.append(now())
        return await played(self._readings)

    async def take(self, step: StrEnum) -> Failed | None:
        assert step is Step.START
        self.steps.append(now())
        return await played(self._steps)

    def decide(self, observation: Observation[str], context: WaitContext) -> Decision[str]:
        self.contexts.append(context)
        return decide(observation, context)

    def goal(self, schedule: Any = None, **how: Any) -> Goal[str, str]:
        settings = {"resource": "thing", "awaited": "done", "take": self.take, **how}
        return Goal(
            observe=self.observe, decide=self.decide, schedule=schedule or Recorder(), **settings
        )


async def played(script: list[Any]) -> Any:
    """Return, raise or call the next entry of a script."""
    entry = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(entry, BaseException):
        raise entry
    return await entry() if callable(entry) else entry


def after(seconds: float, entry: Any) -> Callable[[], Awaitable[Any]]:
    async def answer() -> Any:
        await asyncio.sleep(seconds)
        return await played([entry])

    return answer


class Recorder:
    """A schedule that notes what it is asked, and always says the same."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self.elapsed: list[float | None] = []
        self.remaining: list[float | None] = []
        self.errors: list[int] = []
        self.delays: list[float] = []
        self.draws: list[float] = []

    def interval(
        self,
        elapsed: float | None,
        *,
        remaining: float | None,
        errors: int,
        delay: float,
        draw: float,
    ) -> float:
        self.delays.append(delay)
        self.elapsed.append(elapsed)
        self.remaining.append(remaining)
        self.errors.append(errors)
        self.draws.append(draw)
        return self.seconds


def now() -> float:
    return asyncio.get_running_loop().time()


def waiter(timeout: float | None = 600, **how: Any) -> Waiter:
    return Waiter(timeout=timeout, **how)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "dcvsessions._wait.loop" and record.levelno == logging.WARNING
    ]


# --- When it polls ---


async def test_it_polls_by_the_goals_schedule_until_the_goal_is_reached() -> None:
    thing = Resource(WAITING, WAITING, DONE)
    assert await waiter().until(thing.goal(Recorder(7))) == "the result"
    assert thing.polls == [0, 7, 14]


async def test_a_poll_interval_takes_the_schedules_place() -> None:
    thing = Resource(WAITING, WAITING, DONE)
    await waiter(poll_interval=3).until(thing.goal(Recorder(7)))
    assert thing.polls == [0, 3, 6]


async def test_the_intervals_are_spread_by_chance() -> None:
    schedule, thing = Recorder(), Resource(*[WAITING] * 20, DONE)
    await waiter().until(thing.goal(schedule))
    assert all(0 <= draw <= 1 for draw in schedule.draws)
    assert len(set(schedule.draws)) > 10


async def test_the_last_poll_comes_at_the_deadline_and_takes_no_step() -> None:
    thing = Resource(WAITING, WAITING, STOPPED)
    with pytest.raises(WaitTimeoutError, match=r"The timeout of 15 s is over\.") as caught:
        await waiter(15).until(thing.goal())
    assert thing.polls == [0, 10, 15]
    assert thing.steps == []
    assert caught.value.resource == "thing"
    assert caught.value.awaited == "done"
    assert caught.value.elapsed == 15
    assert caught.value.polls == 3


async def test_a_poll_less_than_a_millisecond_before_the_deadline_is_the_last() -> None:
    thing = Resource(WAITING)
    with pytest.raises(WaitTimeoutError):
        await waiter(20.0005).until(thing.goal())
    assert thing.polls == [0, 10, 20]


async def test_a_poll_two_milliseconds_before_the_deadline_is_not_the_last() -> None:
    thing = Resource(WAITING)
    with pytest.raises(WaitTimeoutError):
        await waiter(20.002).until(thing.goal())
    assert thing.polls == pytest.approx([0, 10, 20, 20.002])


async def test_an_interval_may_be_shorter_than_a_second() -> None:
    thing = Resource(WAITING, THROTTLED, WAITING, DONE)
    await waiter(poll_interval=0.5).until(thing.goal())
    assert thing.polls == [0, 0.5, 1, 1.5]


async def test_a_step_is_taken_until_just_before_the_deadline() -> None:
    thing = Resource(WAITING, STOPPED, DONE)
    assert await waiter(10.5).until(thing.goal()) == "the result"
    assert (thing.polls, thing.steps) == ([0, 10, 10.5], [10])


async def test_a_timeout_of_zero_reads_once() -> None:
    thing = Resource(STOPPED)
    with pytest.raises(WaitTimeoutError, match="0 s is over"):
        await waiter(0).until(thing.goal())
    assert (thing.polls, thing.steps) == ([0], [])
    assert await waiter(0).until(Resource(DONE).goal()) == "the result"


@pytest.mark.parametrize("timeout", [None, math.inf])
async def test_without_a_deadline_it_polls_on(timeout: float | None) -> None:
    one = waiter(timeout)
    thing = Resource(*[WAITING] * 1000, DONE)
    await one.until(thing.goal())
    assert thing.polls[-1] == 10_000
    assert one.limit() is None
    assert one.limit(is_final=True) is None
    assert one.remaining == math.inf


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"timeout": -1}, "timeout="),
        ({"timeout": "1"}, "timeout="),
        ({"timeout": 1, "poll_interval": 0}, "poll_interval="),
        ({"timeout": 1, "on_progress": 5}, "on_progress="),
    ],
)
async def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named):
        Waiter(**arguments)


async def test_times_count_from_the_beginning_of_the_wait() -> None:
    await asyncio.sleep(1000)
    one = waiter(30)
    assert (one.elapsed, one.remaining, one.limit()) == (0, 30, 1030)
    schedule, thing = Recorder(), Resource(WAITING)
    with pytest.raises(WaitTimeoutError) as caught:
        await one.until(thing.goal(schedule, began=0))
    assert thing.polls == [1000, 1010, 1020, 1030]
    assert schedule.elapsed == [0, 10, 20, 30]
    assert caught.value.elapsed == 30
    assert caught.value.history == (StateSeen(resource="thing", state="waiting", elapsed=0),)


# --- Errors in a row ---


async def test_a_step_that_leads_only_to_another_does_not_begin_the_goal() -> None:
    schedule = Recorder()
    thing = Resource(STOPPED, WAITING, DONE)

    def decide_otherwise(observation: Observation[str], context: WaitContext) -> Decision[str]:
        decision = decide(observation, context)
        return evolve(decision, is_last=False) if isinstance(decision, TakeStep) else decision

    await waiter().until(evolve(thing.goal(schedule), decide=decide_otherwise))
    assert schedule.elapsed == [None, None]
    assert len(thing.steps) == 1


async def test_the_schedule_learns_how_long_calls_wait_for_their_turn() -> None:
    schedule, thing = Recorder(), Resource(WAITING, WAITING, DONE)
    delays = iter([0.0, 3.5])
    await waiter().until(evolve(thing.goal(schedule), delay=lambda: next(delays)))
    assert schedule.delays == [0.0, 3.5]


async def test_a_wait_pauses_as_its_goal_says() -> None:
    thing, pauses = Resource(WAITING, WAITING, DONE), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    await waiter().until(evolve(thing.goal(), pause=pause))
    assert pauses == [10, 10]
    assert thing.polls == [0, 0, 0]


async def test_errors_in_a_row_are_counted_until_a_call_succeeds() -> None:
    schedule = Recorder()
    thing = Resource(RESET, FOREIGN, WAITING, FOREIGN, WAITING, DONE)
    await waiter().until(thing.goal(schedule))
    assert schedule.errors == [1, 2, 0, 1, 0]


async def test_a_reading_that_finds_nothing_counts_as_an_error() -> None:
    schedule = Recorder()
    thing = Resource(WAITING, MISSING, MISSING, WAITING, DONE)
    await waiter().until(thing.goal(schedule))
    assert schedule.errors == [0, 1, 2, 0]


async def test_polls_with_a_step_that_fails_are_errors_in_a_row() -> None:
    schedule = Recorder()
    thing = Resource(STOPPED, STOPPED, THROTTLED, STOPPED, DONE, steps=(FOREIGN, THROTTLED, None))
    await waiter().until(thing.goal(schedule))
    assert schedule.errors == [1, 2, 3, 0]


async def test_a_step_that_fails_counts_as_an_error() -> None:
    schedule = Recorder()
    thing = Resource(STOPPED, STOPPED, WAITING, DONE, steps=(FOREIGN, None))
    await waiter().until(thing.goal(schedule))
    assert schedule.errors == [1, 0, 0]


# --- What a step changes ---


async def test_the_schedule_begins_again_with_a_step() -> None:
    schedule = Recorder()
    thing = Resource(WAITING, WAITING, STOPPED, WAITING, WAITING, DONE)
    await waiter().until(thing.goal(schedule))
    assert thing.steps == [20]
    # Before the step, nobody knows how long the wait for "waiting" has taken already.
    assert schedule.elapsed == [None, None, 0, 10, 20]


@pytest.mark.parametrize("began", [-600, 0, 20])
async def test_the_schedule_begins_when_what_is_awaited_began(began: float) -> None:
    schedule, one = Recorder(), waiter()
    await one.until(Resource(WAITING, WAITING, DONE).goal())
    await one.until(Resource(WAITING, WAITING, DONE).goal(schedule, began=began))
    assert schedule.elapsed == [20 - began, 30 - began]


@pytest.mark.parametrize(
    ("outcome", "elapsed"),
    [
        (THROTTLED, [5, 15, 25]),  # it was refused
        (REFUSED, [5, 15, 25]),
        (CONFLICT, [5, 15, 25]),
        (RESET, [5, 0, 10]),  # it may have happened
        (FOREIGN, [5, 0, 10]),
        (None, [5, 0, 10]),
    ],
    ids=repr,
)
async def test_the_schedule_goes_on_after_a_step_that_was_refused(
    outcome: DcvSessionsError | None, elapsed: list[float]
) -> None:
    schedule = Recorder()
    thing = Resource(WAITING, STOPPED, WAITING, DONE, steps=(outcome,))
    await waiter().until(thing.goal(schedule, began=-5))
    assert schedule.elapsed == elapsed


async def test_a_step_forgets_the_percentages_of_before() -> None:
    schedule = Recorder()
    thing = Resource(
        seen("waiting", 10), seen("waiting", 20), STOPPED, seen("waiting", 0), WAITING, DONE
    )
    await waiter().until(thing.goal(schedule))
    assert schedule.remaining == [None, 75, None, None, None]


async def test_percentages_predict_the_end() -> None:
    schedule = Recorder()
    thing = Resource(seen("waiting", 10), WAITING, seen("waiting", 40), DONE)
    await waiter().until(thing.goal(schedule))
    assert schedule.remaining == [None, None, 30]


async def test_a_prediction_counts_from_the_latest_change() -> None:
    schedule = Recorder()
    thing = Resource(seen("waiting", 10), seen("waiting", 20), WAITING, seen("waiting", 20), DONE)
    await waiter().until(thing.goal(schedule))
    assert schedule.remaining == [None, 75, 65, 55]


@pytest.mark.parametrize(
    ("outcome", "accepted"), [(None, 1), (RESET, 0), (FOREIGN, 0), (CallTimeoutError("Late."), 0)]
)
async def test_decisions_know_the_steps_that_may_have_happened(
    outcome: DcvSessionsError | None, accepted: int
) -> None:
    thing = Resource(WAITING, STOPPED, STOPPED, DONE, steps=(outcome, THROTTLED))
    await waiter().until(thing.goal())
    first, second, third, fourth = thing.contexts
    assert first.steps == second.steps == {}
    record = third.steps[Step.START]
    assert (record.at, record.state, record.moved, record.accepted) == (
        10,
        "stopped",
        False,
        accepted,
    )
    # The second step was refused: the record is still that of the first.
    assert fourth.steps[Step.START] == evolve(record, moved=True)


async def test_decisions_know_the_time_and_the_change_of_state() -> None:
    thing = Resource(after(1, WAITING), WAITING, seen("almost"), DONE)
    await waiter().until(thing.goal())
    assert [context.now for context in thing.contexts] == [1, 11, 21, 31]
    assert [context.last_state for context in thing.contexts] == [
        "waiting",
        "waiting",
        "almost",
        "done",
    ]
    assert [context.changed_after for context in thing.contexts] == [None, None, 11, 21]


async def test_a_failure_that_a_step_reports_ends_the_wait() -> None:
    failed = Failed(reason="No room.", details=Failure(error_code="NoCapacity"))
    thing = Resource(STOPPED, steps=(failed,))
    with pytest.raises(WaitFailedError, match=r"thing is not done .*: No room\.") as caught:
        await waiter().until(thing.goal())
    assert caught.value.error_code == "NoCapacity"


async def test_a_goal_without_steps_only_reads() -> None:
    thing = Resource(STOPPED, DONE)
    await waiter().until(thing.goal(take=None))
    assert thing.polls == [0, 10]


# --- Conflicts ---


async def test_a_second_conflict_in_a_row_over_a_step_ends_the_wait() -> None:
    thing = Resource(STOPPED, steps=(CONFLICT,))
    with pytest.raises(ConflictError):
        await waiter().until(thing.goal())
    assert thing.steps == [0, 10]


@pytest.mark.parametrize(
    ("readings", "steps"),
    [
        ([STOPPED, WAITING, STOPPED, DONE], (CONFLICT,)),
        ([STOPPED, STOPPED, STOPPED, DONE], (CONFLICT, None, CONFLICT)),
        ([STOPPED, STOPPED, STOPPED, DONE], (CONFLICT, THROTTLED, CONFLICT)),
    ],
    ids=["a reading", "a step", "a refused step"],
)
async def test_a_conflict_is_forgotten_after(readings: list[Any], steps: tuple[Any, ...]) -> None:
    thing = Resource(*readings, steps=steps)
    assert await waiter().until(thing.goal()) == "the result"
    assert thing.polls == [0, 10, 20, 30]


async def test_a_conflict_counts_neither_as_a_step_nor_as_an_error() -> None:
    thing = Resource(STOPPED, DONE, steps=(CONFLICT,))
    one = waiter()
    await one.until(thing.goal())
    assert thing.contexts[1].steps == {}
    history = one.report.of("thing", "done", 0).history
    assert not [entry for entry in history if isinstance(entry, ErrorAbsorbed)]


# --- Errors that end it, and errors that do not ---


@pytest.mark.parametrize("failure", [THROTTLED, FOREIGN, RESET, CallTimeoutError("Late.")])
async def test_a_temporary_error_is_absorbed_and_recorded(failure: DcvSessionsError) -> None:
    one = waiter()
    await one.until(Resource(WAITING, failure, failure, DONE).goal())
    first, absorbed, last = one.report.of("thing", "done", one.elapsed).history
    assert first == StateSeen(resource="thing", state="waiting", elapsed=0)
    assert isinstance(absorbed, ErrorAbsorbed)
    assert (absorbed.elapsed, absorbed.times) == (10, 2)
    assert last == StateSeen(resource="thing", state="done", elapsed=30)


@pytest.mark.parametrize("failure", [DENIED, AMBIGUOUS, CONFLICT, ClientStateError("Closed.")])
async def test_an_error_that_is_not_temporary_ends_it_with_a_note(
    failure: DcvSessionsError,
) -> None:
    failure.__notes__ = []
    with pytest.raises(DcvSessionsError) as caught:
        await waiter().until(Resource(WAITING, failure).goal())
    assert caught.value is failure
    (note,) = failure.__notes__
    assert note == (
        "While waiting for thing to be done, after 10.0 s and 2 polls. "
        "States seen: waiting at 0.0 s."
    )


async def test_a_failed_state_ends_it() -> None:
    with pytest.raises(WaitFailedError, match=r"It failed\.") as caught:
        await waiter().until(Resource(WAITING, seen("failed")).goal())
    assert caught.value.state == "failed"
    assert caught.value.elapsed == 10


@pytest.mark.parametrize("failure", [AMBIGUOUS, THROTTLED, RESET])
async def test_a_change_that_may_have_happened_is_asked_for_again(failure: ApiError) -> None:
    thing = Resource(failure, DONE)
    await waiter().until(thing.goal(observes_by_change=True))
    assert thing.polls == [0, 10]


@pytest.mark.parametrize("failure", [DENIED, CONFLICT, ClientStateError("Closed.")])
async def test_a_change_that_was_refused_ends_it(failure: DcvSessionsError) -> None:
    with pytest.raises(type(failure)):
        await waiter().until(Resource(failure).goal(observes_by_change=True))


async def test_a_timeout_of_somebody_elses_is_not_taken_for_ours() -> None:
    with pytest.raises(TimeoutError, match="theirs") as caught:
        await waiter().until(Resource(TimeoutError("theirs")).goal())
    assert type(caught.value) is TimeoutError


# --- Calls that hang ---


async def test_a_call_that_hangs_is_cut_off_at_the_deadline_and_tried_once_more() -> None:
    thing = Resource(WAITING, after(3600, DONE))
    one = waiter(25)
    with pytest.raises(WaitTimeoutError) as caught:
        await one.until(thing.goal())
    assert thing.polls == [0, 10, 25]
    assert now() == 25 + FINAL_POLL_GRACE
    (_, absorbed) = caught.value.history
    assert absorbed == ErrorAbsorbed(
        error="A call was not answered before the deadline.", elapsed=25, times=2
    )


async def test_a_last_poll_may_be_answered_a_little_after_the_deadline() -> None:
    late = after(FINAL_POLL_GRACE - 0.5, DONE)
    assert await waiter(5).until(Resource(WAITING, late).goal()) == "the result"


async def test_the_grace_is_given_once_for_the_whole_wait() -> None:
    one = waiter(5)
    await asyncio.sleep(7)
    assert one.remaining == 0
    assert one.limit() == 5
    assert one.limit(is_final=True) == 7 + FINAL_POLL_GRACE
    await asyncio.sleep(2)
    assert one.limit(is_final=True) == 7 + FINAL_POLL_GRACE


async def test_the_grace_begins_at_the_deadline() -> None:
    one = waiter(5)
    assert one.limit() == 5
    assert one.limit(is_final=True) == 5 + FINAL_POLL_GRACE


# --- An endpoint that cannot be reached ---


@pytest.mark.parametrize("timeout", [None, 600])
async def test_a_wait_that_never_connects_ends_after_a_minute(timeout: float | None) -> None:
    thing = Resource(REFUSED)
    with pytest.raises(WaitFailedError) as caught:
        await waiter(timeout).until(thing.goal(Recorder(25)))
    assert thing.polls[:3] == [0, 25, 50]
    assert now() == UNANSWERED_LIMIT
    assert caught.value.reason == ("No connection could be made within 60 s. Refused by 192.0.2.1.")
    assert caught.value.__context__ is REFUSED
    assert caught.value.__suppress_context__
    assert (caught.value.resource, caught.value.awaited) == ("thing", "done")
    assert caught.value.elapsed == UNANSWERED_LIMIT
    assert caught.value.state is None


async def test_a_poll_just_before_the_minute_does_not_make_it_longer() -> None:
    with pytest.raises(WaitFailedError, match="No connection"):
        await waiter(None).until(Resource(REFUSED).goal(Recorder(59.5)))
    assert now() == UNANSWERED_LIMIT


async def test_a_shorter_deadline_comes_first() -> None:
    thing = Resource(REFUSED)
    with pytest.raises(WaitTimeoutError):
        await waiter(30).until(thing.goal(Recorder(25)))
    assert thing.polls == [0, 25, 30]


async def test_a_call_that_hangs_does_not_make_it_longer() -> None:
    thing = Resource(REFUSED, after(3600, DONE))
    with pytest.raises(WaitFailedError, match="No connection"):
        await waiter(None).until(thing.goal(Recorder(25)))
    assert now() == UNANSWERED_LIMIT


@pytest.mark.parametrize("answer", [WAITING, THROTTLED, FOREIGN])
async def test_any_answer_proves_that_the_endpoint_can_be_reached(answer: Any) -> None:
    thing = Resource(REFUSED, answer, *[REFUSED] * 20, DONE)
    assert await waiter().until(thing.goal()) == "the result"
    assert thing.polls[-1] == 220


async def test_a_refusal_proves_it_too() -> None:
    one = waiter()
    with pytest.raises(AccessDeniedError):
        await one.until(Resource(DENIED).goal())
    assert await one.until(Resource(*[REFUSED] * 20, DONE).goal()) == "the result"


async def test_an_error_of_this_machine_proves_nothing() -> None:
    one = waiter()
    with pytest.raises(ClientStateError):
        await one.until(Resource(ClientStateError("Closed.")).goal())
    with pytest.raises(WaitFailedError, match="No connection"):
        await one.until(Resource(REFUSED).goal())


async def test_an_error_of_this_machine_does_not_undo_an_answer() -> None:
    one = waiter()
    await one.until(Resource(DONE).goal())
    with pytest.raises(ClientStateError):
        await one.until(Resource(ClientStateError("Closed.")).goal())
    assert await one.until(Resource(*[REFUSED] * 20, DONE).goal()) == "the result"


async def test_an_endpoint_that_cannot_be_reached_may_answer_late() -> None:
    thing = Resource(REFUSED, after(40, DONE))
    assert await waiter().until(thing.goal()) == "the result"


async def test_a_call_that_hangs_ends_at_a_shorter_deadline() -> None:
    thing = Resource(REFUSED, after(3600, DONE))
    with pytest.raises(WaitTimeoutError):
        await waiter(30).until(thing.goal())
    assert now() == 30 + FINAL_POLL_GRACE


async def test_a_request_that_was_sent_may_have_reached_it() -> None:
    assert await waiter().until(Resource(*[RESET] * 20, DONE).goal()) == "the result"


async def test_one_answer_counts_for_all_goals_of_a_wait() -> None:
    one = waiter()
    await one.until(Resource(DONE).goal())
    assert await one.until(Resource(*[REFUSED] * 20, DONE).goal()) == "the result"


async def test_connection_errors_are_logged_once_for_each_goal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await waiter().until(Resource(THROTTLED, REFUSED, RESET, FOREIGN, DONE).goal())
    assert warnings(caplog) == ["thing: the wait goes on after: Refused by 192.0.2.1."]


# --- After a suspend ---


@pytest.fixture
def sleep_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that moves the wall clock on, and not the loop's."""
    real, slept = time.time, 0.0

    def sleep() -> None:
        nonlocal slept
        slept += SLEPT

    monkeypatch.setattr(time, "time", lambda: real() + slept)
    return sleep


def slept_in(sleep: Callable[[], None]) -> Callable[[], Awaitable[Observation[str]]]:
    async def answer() -> Observation[str]:
        sleep()
        return DONE

    return answer


async def test_what_was_read_before_a_suspend_is_read_again(
    sleep_of_the_machine: Callable[[], None],
) -> None:
    events: list[Progress] = []
    thing = Resource(slept_in(sleep_of_the_machine), DONE)
    assert await waiter(on_progress=events.append).until(thing.goal()) == "the result"
    assert thing.polls == [0, 10]
    assert [(event.state, event.is_done) for event in events] == [("done", False), ("done", True)]


@pytest.mark.parametrize(
    ("by_loop", "by_wall", "slept"),
    [
        (10, 10, False),
        (10, 12, False),  # clocks drift
        (10, 12.5, True),
        (0, 3600, True),
        (10, -3600, False),
        (3600, 0, False),
    ],
)
async def test_the_machine_slept_if_the_wall_clock_ran_ahead(
    monkeypatch: pytest.MonkeyPatch, by_loop: float, by_wall: float, *, slept: bool
) -> None:
    wall = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: wall)

    async def answer() -> Observation[str]:
        nonlocal wall
        await asyncio.sleep(by_loop)
        wall += by_wall
        return DONE

    await asyncio.sleep(7)
    thing = Resource(answer, DONE)
    assert await waiter(None).until(thing.goal()) == "the result"
    assert len(thing.polls) == 1 + slept


async def test_a_last_poll_that_slept_is_not_taken(
    sleep_of_the_machine: Callable[[], None],
) -> None:
    events: list[Progress] = []
    thing = Resource(slept_in(sleep_of_the_machine))
    with pytest.raises(WaitTimeoutError):
        await waiter(0, on_progress=events.append).until(thing.goal())
    assert thing.polls == [0]
    assert [event.is_done for event in events] == [False]


async def test_no_step_is_taken_after_the_deadline() -> None:
    thing = Resource(WAITING, after(8, STOPPED), WAITING)
    with pytest.raises(WaitTimeoutError):
        await waiter(18).until(thing.goal())
    assert thing.polls == [0, 10, 18]
    assert thing.steps == []


# --- What it tells ---


async def test_an_unknown_state_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    new, other = seen("new", is_known=False), seen("other", is_known=False)
    await waiter().until(Resource(new, WAITING, new, other, other, DONE).goal())
    assert warnings(caplog) == [
        f"thing is in state '{state}', which the service model does not name. The wait goes on."
        for state in ("new", "other")
    ]


async def test_progress_tells_of_every_reading() -> None:
    events: list[Progress] = []
    one = waiter(on_progress=events.append, desktop="desk")
    readings = (seen("waiting", 40), THROTTLED, THROTTLED, seen("almost"), DONE)
    await one.until(Resource(*readings).goal())
    told = {"wait": one.number, "desktop": "desk", "resource": "thing"}
    assert events == [
        Progress(**told, state="waiting", percentage=40, elapsed=0, attempt=1),
        *(
            Progress(
                **told,
                state="waiting",
                percentage=40,
                elapsed=elapsed,
                attempt=attempt,
                error="Some: Throttling (HTTP 400)",
            )
            for elapsed, attempt in ((10, 2), (20, 3))
        ),
        Progress(**told, state="almost", elapsed=30, attempt=4),
        Progress(**told, state="done", elapsed=40, attempt=5, is_done=True),
    ]


async def test_progress_tells_of_a_step_that_failed() -> None:
    events: list[Progress] = []
    thing = Resource(STOPPED, DONE, steps=(THROTTLED,))
    await waiter(on_progress=events.append).until(thing.goal())
    assert [event.error is not None for event in events] == [False, True, False]
    assert [event.attempt for event in events] == [1, 1, 2]


async def test_progress_without_a_reading_has_no_state() -> None:
    events: list[Progress] = []
    await waiter(on_progress=events.append).until(Resource(FOREIGN, DONE).goal())
    assert (events[0].state, events[0].percentage, events[0].error) == (None, None, "A page.")
    assert events[0].desktop == "thing"


async def test_only_the_last_goal_ends_the_progress_of_a_wait() -> None:
    events: list[Progress] = []
    one = waiter(on_progress=events.append)
    await one.until(Resource(DONE).goal(is_last=False))
    await one.until(Resource(WAITING, DONE).goal(resource="other"))
    assert [(event.resource, event.attempt, event.is_done) for event in events] == [
        ("thing", 1, False),
        ("other", 1, False),
        ("other", 2, True),
    ]


async def test_every_wait_has_another_number() -> None:
    assert len({waiter().number for _ in range(5)}) == 5


async def test_a_callback_that_hangs_is_cut_off_with_the_last_poll() -> None:
    async def hangs(_: Progress) -> None:
        await asyncio.sleep(3600)

    thing = Resource(WAITING, DONE)
    assert await waiter(5, on_progress=hangs).until(thing.goal()) == "the result"
    assert thing.polls == [0, 5]
    assert now() == 5 + FINAL_POLL_GRACE


# --- Entering a context, and reaching a server ---


@contextlib.asynccontextmanager
async def opens(after_seconds: float, events: list[str]):
    await asyncio.sleep(after_seconds)
    events.append("open")
    yield "client"
    events.append("closed")


async def test_a_context_is_entered_and_left() -> None:
    events: list[str] = []
    async with waiter(5).entered(opens(5, events), "client") as client:
        assert client == "client"
        # Only entering it is limited.
        await asyncio.sleep(60)
    assert events == ["open", "closed"]


@pytest.mark.parametrize(("awaited", "named"), [([], "open"), (["free"], "free")])
async def test_a_context_that_cannot_be_entered_in_time(awaited: list[str], named: str) -> None:
    events: list[str] = []
    with pytest.raises(WaitTimeoutError, match="The timeout of 5 s is over") as caught:
        async with waiter(5).entered(opens(60, events), "client", *awaited):
            events.append("inside")
    assert (caught.value.resource, caught.value.awaited) == ("client", named)
    assert now() == 5 + FINAL_POLL_GRACE
    assert events == []


async def test_entering_a_context_late_and_the_last_poll_share_the_grace() -> None:
    one = waiter(5)
    async with one.entered(opens(7, []), "client"):
        in_time = Resource(after(0.5, DONE))
        assert await one.until(in_time.goal()) == "the result"
        with pytest.raises(WaitTimeoutError):
            await one.until(Resource(after(2, DONE)).goal())
    assert now() == 5 + FINAL_POLL_GRACE


async def test_a_context_that_is_entered_after_the_deadline_has_the_grace() -> None:
    one = waiter(5)
    await asyncio.sleep(7)
    with pytest.raises(WaitTimeoutError):
        async with one.entered(opens(60, []), "client"):
            pass
    assert now() == 7 + FINAL_POLL_GRACE


async def test_without_a_deadline_a_context_may_take_any_time() -> None:
    async with waiter(None).entered(opens(86_400, []), "client") as client:
        assert client == "client"


async def test_a_timeout_of_the_context_itself_stays_one() -> None:
    @contextlib.asynccontextmanager
    async def fails():
        raise TimeoutError("theirs")
        yield

    with pytest.raises(TimeoutError, match="theirs") as caught:
        async with waiter().entered(fails(), "client"):
            pass
    assert type(caught.value) is TimeoutError


class Url(DcvUrl):
    """A URL whose server is a script."""

    timeouts: list[float | None]
    failure: DcvSessionsError | None = None

    async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
        self.timeouts = [timeout]
        if self.failure is not None:
            raise self.failure


@pytest.mark.parametrize(
    ("timeout", "elapsed", "left"),
    [
        (100, 40, 60),
        (100, 100, FINAL_POLL_GRACE),
        (100, 101, FINAL_POLL_GRACE),
        (None, 40, None),
    ],
)
async def test_a_server_is_waited_for_until_the_deadline(
    timeout: float | None, elapsed: float, left: float | None
) -> None:
    one, url = waiter(timeout), Url("https://h/")
    await asyncio.sleep(elapsed)
    await one.reachable(url, "desk")
    assert url.timeouts == [left]


async def test_a_server_is_tried_at_least_once_when_the_grace_is_over() -> None:
    one, url = waiter(5), Url("https://h/")
    one.limit(is_final=True)
    await asyncio.sleep(60)
    await one.reachable(url, "desk")
    assert url.timeouts == [0.001]


async def test_a_server_that_cannot_be_reached_is_told_with_the_wait() -> None:
    one, url = waiter(), Url("https://h/")
    url.failure = UnreachableError("It does not answer.", step="tcp")
    await one.until(Resource(DONE).goal())
    await asyncio.sleep(5)
    with pytest.raises(UnreachableError) as caught:
        await one.reachable(url, "desk")
    (note,) = caught.value.__notes__
    assert note == (
        "While waiting for desk to be reachable, after 5.0 s and 1 poll. "
        "States seen: thing done at 0.0 s."
    )


async def test_a_real_schedule_waits_longer_after_errors_and_no_longer_after_a_success() -> None:
    schedule = Schedule(shortest=8, longest=64, jitter=0)
    thing = Resource(THROTTLED, THROTTLED, WAITING, DONE)
    await waiter().until(thing.goal(schedule))
    first, second, third = (b - a for a, b in zip(thing.polls, thing.polls[1:], strict=False))
    assert (first, second, third) == (2, 4, 8)
