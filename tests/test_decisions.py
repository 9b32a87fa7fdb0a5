"""What a decision knows of the steps before it, and how the rules of the tables are applied."""

from enum import StrEnum

import pytest

from dcvsessions._wait.decisions import (
    MAX_STARTS,
    STALE_READ_WINDOW,
    WAIT,
    Decision,
    Done,
    Failed,
    Observation,
    Rule,
    StepRecord,
    TakeStep,
    WaitContext,
    interpret,
)
from dcvsessions.errors import Failure


class Step(StrEnum):
    START = "Start"
    STOP = "Stop"


START = Step.START
DONE = Done("done")
FAILED = Failed(reason="It failed.")


def decided(
    rule: Rule, context: WaitContext, state: str = "stopped", max_count: int | None = None
) -> Decision[str]:
    return interpret(
        rule,
        START,
        state,
        context,
        done=lambda: DONE,
        failed=lambda: FAILED,
        max_count=max_count,
    )


def after_step(seconds: float, *, accepted: int = 1, moved: bool = False) -> WaitContext:
    """The context so many seconds after a step in the state "stopped"."""
    record = StepRecord(100.0, "stopped", moved=moved, accepted=accepted)
    return WaitContext(now=100.0 + seconds, steps={START: record})


# --- Rules ---

NEVER = WaitContext()
STALE = after_step(1)
FRESH = after_step(STALE_READ_WINDOW)
MOVED = after_step(1, moved=True)


@pytest.mark.parametrize(
    ("rule", "decisions"),
    [
        #                     never           stale    fresh            moved
        (Rule.DONE,          (DONE,           DONE,    DONE,            DONE)),
        (Rule.FAILED,        (FAILED,         FAILED,  FAILED,          FAILED)),
        (Rule.WAIT,          (WAIT,           WAIT,    WAIT,            WAIT)),
        (Rule.WAIT_FOR_STEP, (WAIT,           WAIT,    WAIT,            WAIT)),
        (Rule.STEP,          (TakeStep(START), WAIT,   TakeStep(START), TakeStep(START))),
        (Rule.STEP_ONCE,     (TakeStep(START), WAIT,   FAILED,          FAILED)),
    ],
)  # fmt: skip
def test_a_rule_in_each_situation(rule: Rule, decisions: tuple[Decision[str], ...]) -> None:
    assert tuple(decided(rule, context) for context in (NEVER, STALE, FRESH, MOVED)) == decisions


def test_a_step_of_another_kind_counts_for_nothing() -> None:
    record = StepRecord(100.0, "stopped")
    context = WaitContext(now=101.0, steps={Step.STOP: record})
    assert decided(Rule.STEP, context) == TakeStep(START)
    assert decided(Rule.STEP_ONCE, context) == TakeStep(START)


@pytest.mark.parametrize(
    ("accepted", "max_count", "is_taken"),
    [(0, 3, True), (2, 3, True), (3, 3, False), (4, 3, False), (100, None, True)],
)
def test_a_step_is_taken_as_often_as_it_may_be_accepted(
    accepted: int, max_count: int | None, *, is_taken: bool
) -> None:
    context = after_step(60, accepted=accepted)
    found = decided(Rule.STEP, context, max_count=max_count)
    if is_taken:
        assert found == TakeStep(START)
    else:
        assert found == Failed(
            reason="Start was accepted 3 times, and the state is stopped again.",
            details=Failure(state="stopped"),
        )


def test_three_starts_are_enough() -> None:
    assert MAX_STARTS == 3


# --- Whether a reading may be stale ---


@pytest.mark.parametrize(
    ("context", "state", "may_be_stale"),
    [
        (NEVER, "stopped", False),
        (after_step(0), "stopped", True),
        (after_step(STALE_READ_WINDOW - 0.001), "stopped", True),
        (after_step(STALE_READ_WINDOW), "stopped", False),
        (after_step(1), "failed", False),
        (after_step(1, moved=True), "stopped", False),
    ],
)
def test_a_reading_may_be_stale_soon_after_a_step(
    context: WaitContext, state: str, *, may_be_stale: bool
) -> None:
    assert context.may_be_stale(START, state) is may_be_stale
    assert not context.may_be_stale(Step.STOP, state)


# --- What is remembered ---


def test_a_step_that_changed_the_state_stays_recorded_as_such() -> None:
    context = WaitContext().requested(START, "stopped", 5.0)
    states = ("stopped", "starting", "stopped", "stopped")
    moved = []
    for state in states:
        context = context.read(state, 6.0)
        moved.append(context.steps[START].moved)
    assert moved == [False, True, True, True]
    assert context.steps[START] == StepRecord(5.0, "stopped", moved=True, accepted=1)


def test_the_record_of_a_step_is_of_its_latest_request() -> None:
    context = WaitContext().requested(START, "stopped", 5.0).read("starting", 6.0)
    context = context.requested(START, "failed", 7.0).requested(Step.STOP, "started", 8.0)
    assert context.steps == {
        START: StepRecord(7.0, "failed", moved=False, accepted=2),
        Step.STOP: StepRecord(8.0, "started"),
    }


def test_only_accepted_requests_are_counted() -> None:
    context = WaitContext()
    assert context.accepted(START) == 0
    counts = []
    for is_accepted in (False, True, False, True):
        context = context.requested(START, "stopped", 1.0, is_accepted=is_accepted)
        counts.append(context.accepted(START))
    assert counts == [0, 1, 1, 2]


def test_a_change_of_state_came_after_the_last_reading_of_the_state_before() -> None:
    context, changes = WaitContext(), []
    readings = [("a", 1.0), ("a", 2.0), ("b", 3.0), ("b", 4.0), ("a", 5.0)]
    for state, now in readings:
        context = context.read(state, now)
        changes.append((context.now, context.last_state, context.changed_after))
    assert changes == [
        (1.0, "a", None),
        (2.0, "a", None),
        (3.0, "b", 2.0),
        (4.0, "b", 2.0),
        (5.0, "a", 4.0),
    ]


def test_a_context_begins_with_nothing() -> None:
    assert WaitContext() == WaitContext(now=0.0, steps={}, last_state=None, changed_after=None)


def test_a_state_is_known_unless_said_otherwise() -> None:
    assert Observation("a", None) == Observation("a", None, percentage=None, is_known=True)
