"""How helpers wait: when they poll, what they absorb, what they say. In virtual time."""

import asyncio
import io
import logging
import math
import socket
from itertools import pairwise
from typing import Any

import pytest

from dcvsessions import (
    AccessDeniedError,
    CallTimeoutError,
    InvalidArgumentError,
    LightsailClient,
    NimbleClient,
    Progress,
    WaitFailedError,
    WaitTimeoutError,
    close_gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
)
from dcvsessions._wait.loop import FINAL_POLL_GRACE
from dcvsessions.errors import ErrorAbsorbed, StateSeen
from dcvsessions.progress import printer
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

pytestmark = pytest.mark.looptime

READ = "CreateGUISessionAccessDetails"
# Seconds of virtual time that calls over loopback may take in all.
EXACT = 0.1


def instants(sim: Simulator, operation: str = READ) -> list[float]:
    """When the calls of an operation came, in seconds after the first."""
    calls = sim.calls(operation)
    return [call.at - calls[0].at for call in calls]


def exactly(*seconds: float) -> Any:
    return pytest.approx(seconds, abs=EXACT)


def now() -> float:
    return asyncio.get_running_loop().time()


# --- When it polls ---


async def test_a_wait_of_25_minutes_polls_at_a_fixed_interval(sim: Simulator) -> None:
    sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(seconds=25 * 60 - 1))
    began = now()
    url = await open_gui_session("my-computer", poll_interval=60)
    assert sim.accepts(url)
    assert instants(sim) == exactly(*range(0, 25 * 60 + 1, 60))
    assert now() - began == pytest.approx(25 * 60, abs=EXACT)
    assert len(sim.calls("StartGUISession")) == 1
    # Whether the computer runs is read before the start only.
    assert len(sim.calls("GetInstanceState")) == 1


async def test_a_wait_of_25_minutes_polls_by_the_schedule(sim: Simulator) -> None:
    sim.lightsail.plan(
        "my-computer", "StartGUISession", TransitionPlan(seconds=25 * 60, percentages=(0,))
    )
    began = now()
    await open_gui_session("my-computer")
    late = now() - began - 25 * 60
    assert 0 <= late <= 9.6 + EXACT
    gaps = [b - a for a, b in pairwise(instants(sim))]
    # A session is unlikely to be ready in the first seconds.
    assert 27 <= gaps[0] <= 30 + EXACT
    assert 8.6 <= min(gaps) <= max(gaps[3:]) <= 9.6 + EXACT


async def test_a_session_that_somebody_else_started_may_be_ready_at_any_moment(
    sim: Simulator,
) -> None:
    async with LightsailClient() as client:
        await client.start_gui_session("my-computer")
        await open_gui_session("my-computer", client=client)
    assert max(b - a for a, b in pairwise(instants(sim))) <= 9.6 + EXACT


async def test_percentages_save_polls(sim: Simulator) -> None:
    plan = TransitionPlan(seconds=300, percentages=tuple(range(0, 100, 10)))
    sim.lightsail.plan("my-computer", "StartGUISession", plan)
    began = now()
    await open_gui_session("my-computer")
    assert now() - began - 300 <= 9.6 + EXACT
    # Without percentages, about 28.
    assert len(instants(sim)) <= 20


async def test_a_session_is_looked_for_again_soon_after_a_failed_poll(sim: Simulator) -> None:
    sim.inject(READ, Fault.error(None, 503), times=3)
    await open_gui_session("my-computer")
    # botocore makes three attempts of a call.
    *_, failed, after, _ = instants(sim)[:5]
    assert 2.1 <= after - failed <= 2.4 + EXACT


async def test_the_last_poll_comes_at_the_deadline(sim: Simulator) -> None:
    sim.lightsail.hold("my-computer")
    began = now()
    with pytest.raises(WaitTimeoutError) as caught:
        await open_gui_session("my-computer", timeout=100, poll_interval=60)
    assert instants(sim) == exactly(0, 60, 100)
    assert now() - began == pytest.approx(100, abs=EXACT)
    assert caught.value.polls == 3


async def test_a_session_ready_just_before_the_deadline_is_found(sim: Simulator) -> None:
    sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(seconds=99))
    url = await open_gui_session("my-computer", timeout=100, poll_interval=60)
    assert sim.accepts(url)


async def test_a_timeout_of_zero_reads_once_and_changes_nothing(sim: Simulator) -> None:
    with pytest.raises(WaitTimeoutError, match=r"notStarted at 0.0 s"):
        await open_gui_session("my-computer", timeout=0)
    assert [call.operation for call in sim.requests] == [READ, "GetInstanceState"]
    sim.lightsail.set_status("my-computer", "started")
    assert sim.accepts(await open_gui_session("my-computer", timeout=0))


@pytest.mark.parametrize("timeout", [None, math.inf, 10**400], ids=["None", "inf", "huge"])
async def test_a_wait_without_a_timeout_goes_on_for_hours(
    sim: Simulator, timeout: float | None
) -> None:
    sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(seconds=2 * 3600))
    url = await open_gui_session("my-computer", timeout=timeout, poll_interval=600)
    assert sim.accepts(url)
    assert len(sim.calls(READ)) == pytest.approx(12, abs=2)


@pytest.mark.parametrize(
    "timeout", [-1, -0.001, -(10**400), -math.inf, math.nan, True, "60", object()]
)
async def test_an_invalid_timeout_is_refused(sim: Simulator, timeout: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout="):
        await open_gui_session("my-computer", timeout=timeout)
    with pytest.raises(InvalidArgumentError, match="timeout="):
        await close_gui_session("my-computer", timeout=timeout)
    with pytest.raises(InvalidArgumentError, match="timeout="):
        await open_streaming_session("studio-1", launch_profile_id="lp-1", timeout=timeout)
    assert sim.requests == []


@pytest.mark.parametrize("interval", [0, -1, math.nan, False, "1"])
async def test_an_invalid_poll_interval_is_refused(sim: Simulator, interval: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="poll_interval="):
        await open_gui_session("my-computer", poll_interval=interval)
    assert sim.requests == []


@pytest.mark.parametrize("fault", [Fault.no_answer(), Fault.delay(7200)])
@pytest.mark.parametrize("timeout", [5, 30, 200])
async def test_a_call_that_hangs_cannot_outlive_the_deadline(
    sim: Simulator, fault: Fault, timeout: float
) -> None:
    sim.inject("*", fault, times=None)
    began = now()
    with pytest.raises(WaitTimeoutError) as caught:
        await open_gui_session("my-computer", timeout=timeout)
    assert timeout - EXACT <= now() - began <= timeout + FINAL_POLL_GRACE + EXACT
    assert "Errors absorbed" in str(caught.value)


async def test_an_asyncio_timeout_ends_a_wait(sim: Simulator) -> None:
    sim.lightsail.hold("my-computer")
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(50):
            await open_gui_session("my-computer")
    assert not isinstance(caught.value, WaitTimeoutError)


# --- What it absorbs ---


async def test_retry_after_delays_the_next_poll(sim: Simulator) -> None:
    sim.lightsail.set_status("my-computer", "started")
    # botocore makes three attempts of a call: all three of the first call are turned away.
    fault = Fault.error("ThrottlingException", 429, retry_after=45)
    sim.inject(READ, fault, times=3)
    await open_gui_session("my-computer", poll_interval=1)
    *_, before, after = instants(sim)
    assert after - before >= 45


async def test_retry_after_delays_no_poll_past_the_deadline(sim: Simulator) -> None:
    fault = Fault.error("ThrottlingException", 429, retry_after=7200)
    sim.inject(READ, fault, times=None)
    began = now()
    with pytest.raises(WaitTimeoutError):
        await open_gui_session("my-computer", timeout=60)
    assert 60 - EXACT <= now() - began <= 60 + FINAL_POLL_GRACE


async def test_absorbed_errors_are_in_the_history(sim: Simulator) -> None:
    sim.lightsail.hold("my-computer")
    sim.inject(READ, Fault.error(None, 503), call=2, times=9)
    with pytest.raises(WaitTimeoutError) as caught:
        await open_gui_session("my-computer", timeout=600, poll_interval=60)
    error = caught.value
    assert error.history == (
        StateSeen(resource=error.resource, state="notStarted", elapsed=pytest.approx(0, abs=EXACT)),
        ErrorAbsorbed(error=error.history[1].error, elapsed=error.history[1].elapsed, times=3),
        StateSeen(resource=error.resource, state="starting", elapsed=error.history[2].elapsed),
    )
    assert 60 <= error.history[1].elapsed < error.history[2].elapsed
    assert isinstance(error, TimeoutError)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "InvalidInputException", "ExpiredTokenException"]
)
async def test_an_error_that_is_not_temporary_ends_a_wait_at_once(
    sim: Simulator, code: str
) -> None:
    sim.lightsail.hold("my-computer")
    sim.inject(READ, Fault.error(code), call=3, times=None)
    with pytest.raises(Exception, match=code) as caught:
        await open_gui_session("my-computer", poll_interval=60)
    assert len(sim.calls(READ)) == 3
    (note,) = caught.value.__notes__
    assert note == (
        "While waiting for GUI session of my-computer to be started with a URL for the "
        "application, after 120.0 s and 3 polls. "
        "States seen: notStarted at 0.0 s, starting at 60.0 s."
    )


# --- What the errors say ---


async def test_a_timeout_tells_what_happened(sim: Simulator) -> None:
    sim.lightsail.hold("my-computer")
    sim.inject(READ, Fault.error("ServiceException", 400), call=2)
    with pytest.raises(WaitTimeoutError) as caught:
        await open_gui_session("my-computer", timeout=150, poll_interval=60)
    error = caught.value
    assert error.resource == "GUI session of my-computer"
    assert error.awaited == "started with a URL for the application"
    assert error.report.history == error.history
    assert error.elapsed == pytest.approx(150, abs=EXACT)
    assert error.polls == 4
    assert str(error) == (
        "GUI session of my-computer is not started with a URL for the application after 150.0 s "
        "and 4 polls: The timeout of 150 s is over. "
        "States seen: notStarted at 0.0 s, starting at 120.0 s. "
        f"Errors absorbed: 1, the last: {READ}: ServiceException (HTTP 400)."
    )


async def test_a_failure_tells_what_happened(sim: Simulator) -> None:
    sim.lightsail.fail_start("my-computer", reason="No licence is left.")
    with pytest.raises(WaitFailedError) as caught:
        await open_gui_session("my-computer", poll_interval=1.5)
    error = caught.value
    assert error.state == "failedStartingGUISession"
    assert error.failure_reason == "No licence is left."
    assert not isinstance(error, TimeoutError)
    assert str(error) == (
        "GUI session of my-computer is not started with a URL for the application after 1.5 s "
        "and 2 polls: Lightsail reports failedStartingGUISession: No licence is left. "
        "States seen: notStarted at 0.0 s, failedStartingGUISession at 1.5 s."
    )


async def test_a_failed_session_tells_its_code(sim: Simulator, nimble: NimbleClient) -> None:
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    session_id = made.session_id or ""
    sim.nimble.set_state(
        session_id, "START_FAILED", status_code="NETWORK_INTERFACE_ERROR", message="No card"
    )
    with pytest.raises(WaitFailedError) as caught:
        await open_stream("studio-1", session_id)
    error = caught.value
    assert (error.state, error.status_code, error.status_message) == (
        "START_FAILED",
        "NETWORK_INTERFACE_ERROR",
        "No card",
    )
    assert "NETWORK_INTERFACE_ERROR, No card" in str(error)
    assert session_id in error.resource


async def test_a_server_that_never_answers_cannot_outlive_the_deadline(sim: Simulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(WaitTimeoutError) as caught:
            await open_gui_session("my-computer", timeout=45, endpoint_url=endpoint)
    assert caught.value.elapsed == pytest.approx(45 + FINAL_POLL_GRACE, abs=EXACT)
    assert sim.requests == []


async def test_a_call_that_hangs_is_in_the_history(sim: Simulator) -> None:
    sim.inject(READ, Fault.no_answer(), times=None)
    with pytest.raises(WaitTimeoutError) as caught:
        await open_gui_session("my-computer", timeout=5)
    (absorbed,) = caught.value.history
    assert absorbed == ErrorAbsorbed(
        error="A call was not answered before the deadline.",
        elapsed=pytest.approx(5, abs=EXACT),
        times=2,
    )
    assert not isinstance(caught.value, CallTimeoutError)


async def test_access_denied_is_raised_with_advice(sim: Simulator) -> None:
    sim.inject(READ, Fault.error("AccessDeniedException"), times=None)
    with pytest.raises(AccessDeniedError, match="IAM"):
        await open_gui_session("my-computer")


# --- What on_progress hears ---


async def test_the_log_has_what_the_printer_writes(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    sim.lightsail.plan(
        "my-computer", "StartGUISession", TransitionPlan(seconds=20, percentages=(10, 60))
    )
    caplog.set_level(logging.INFO, logger="dcvsessions")
    stream = io.StringIO()
    url = await open_gui_session("my-computer", poll_interval=6, on_progress=printer(stream))
    records = [each for each in caplog.records if each.name == "dcvsessions"]
    assert {each.levelname for each in records} == {"INFO"}
    lines = [each.getMessage() for each in records]
    assert lines == [
        "GUI session of my-computer: notStarted (0 s)",
        "GUI session of my-computer: notStarted, StartGUISession was sent (0 s)",
        "GUI session of my-computer: starting, 10 % (6 s)",
        "GUI session of my-computer: starting, 60 % (12 s)",
        "GUI session of my-computer: started, 100 % (24 s)",
    ]
    assert stream.getvalue().splitlines() == lines
    assert str(url) not in caplog.text


async def test_nothing_is_made_for_the_log_unless_somebody_reads_it(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[object] = []
    monkeypatch.setattr("dcvsessions._wait.loop.Progress", lambda **how: made.append(how))
    caplog.set_level(logging.WARNING, logger="dcvsessions")
    await open_gui_session("my-computer")
    assert made == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_on_progress_hears_of_every_reading_and_change(
    sim: Simulator, *, is_async: bool
) -> None:
    sim.lightsail.plan(
        "my-computer", "StartGUISession", TransitionPlan(seconds=20, percentages=(10, 60))
    )
    events: list[Progress] = []

    async def append(event: Progress) -> None:
        await asyncio.sleep(0)
        events.append(event)

    url = await open_gui_session(
        "my-computer", poll_interval=6, on_progress=append if is_async else events.append
    )
    heard = [(event.state, event.percentage, event.step, event.attempt) for event in events]
    assert heard == [
        ("notStarted", None, None, 1),
        ("notStarted", None, "StartGUISession", 1),
        ("starting", 10, None, 2),
        ("starting", 60, None, 3),
        ("starting", 60, None, 4),
        ("started", 100, None, 5),
    ]
    assert [event.elapsed for event in events] == exactly(0, 0, 6, 12, 18, 24)
    assert {event.resource for event in events} == {"GUI session of my-computer"}
    assert not any(str(url) in repr(event) for event in events)


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_error_of_on_progress_is_logged_once_and_the_wait_goes_on(
    sim: Simulator, caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    events: list[Progress] = []

    def fail(event: Progress) -> None:
        events.append(event)
        raise ZeroDivisionError

    async def fail_later(event: Progress) -> None:
        await asyncio.sleep(0)
        fail(event)

    url = await open_gui_session("my-computer", on_progress=fail_later if is_async else fail)
    assert sim.accepts(url)
    assert [event.state for event in events][:: len(events) - 1] == ["notStarted", "started"]
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.getMessage() == "on_progress failed. The wait goes on."
    assert warning.exc_info is not None
    assert warning.exc_info[0] is ZeroDivisionError


async def test_an_on_progress_that_hangs_cannot_outlive_the_deadline(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    with pytest.raises(WaitTimeoutError) as caught:
        await open_gui_session("my-computer", timeout=20, on_progress=hang)
    error = caught.value
    assert error.elapsed == pytest.approx(20 + FINAL_POLL_GRACE, abs=EXACT)
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.getMessage() == "on_progress did not return before the deadline."
    # No call failed, and no step was taken after the deadline.
    assert [type(entry) for entry in error.history] == [StateSeen]
    assert sim.calls("StartGUISession") == []


async def test_an_unknown_state_is_waited_out_and_warned_of_once(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    sim.lightsail.set_status("my-computer", "hibernating")

    async def wake() -> None:
        await asyncio.sleep(100)
        sim.lightsail.set_status("my-computer", "started")

    waking = asyncio.create_task(wake())
    with caplog.at_level(logging.WARNING, "dcvsessions"):
        url = await open_gui_session("my-computer", poll_interval=10)
    await waking
    assert sim.accepts(url)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == (
        "GUI session of my-computer is in state 'hibernating', which the service model does not "
        "name. The wait goes on."
    )
    assert sim.calls("StartGUISession") == []
