"""What a real process leaves behind when it is killed, or interrupted with Ctrl-C."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from dcvsessions.simulator import Fault, Simulator, Timings, serve_in_thread

SCRIPT = """
import asyncio, sys
from dcvsessions import open_streaming_session

asyncio.run(
    open_streaming_session(
        "studio-1",
        launch_profile_id="lp-1",
        client_token=sys.argv[1] if len(sys.argv) > 1 else None,
        poll_interval=0.05,
        on_progress=lambda event: print(event.state, flush=True),
    )
)
print("opened", flush=True)
"""
SCRIPT_OF_MANY = """
import asyncio
from dcvsessions import StreamingSessionRequest, open_streaming_sessions


async def main():
    async with open_streaming_sessions(
        "studio-1",
        [StreamingSessionRequest(launch_profile_id="lp-1")] * 30,
        poll_interval=0.05,
        on_progress=lambda event: print(event.state, flush=True),
    ) as outcomes:
        async for outcome in outcomes:
            print("opened", flush=True)


asyncio.run(main())
"""
# Seconds that a process or a request may take on a machine that is busy.
PATIENCE = 30.0


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator in a thread, whose sessions take an hour to be made."""
    with serve_in_thread(Simulator(timings=Timings(session_create=3600))) as simulator:
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts the script. Processes that still run at the end are killed."""
    running: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str, script: str = SCRIPT) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start_one
    for process in running:
        process.kill()
        process.communicate()


def wait_for(process: "subprocess.Popen[str]", line: str) -> None:
    """Read what the script prints until it has printed this line."""
    assert process.stdout is not None
    for printed in process.stdout:
        if printed.strip() == line:
            return
    raise AssertionError(f"it ended without {line!r}")


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait until something is so, which a process brings about."""
    for _ in range(int(PATIENCE / 0.02)):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come")


def wait_for_call(sim: Simulator, operation: str) -> None:
    """Wait until a request of this operation has arrived."""
    wait_until(lambda: sim.calls(operation))


def listed(sim: Simulator) -> list[list[str]]:
    """The ids of the sessions that each list was asked for."""
    lists = sim.calls("ListStreamingSessions")
    return [str(call.parameters.get("sessionIds", "")).split(",") for call in lists]


def test_the_same_line_finds_its_session_after_a_crash(
    sim: Simulator, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    first = start("my-token")
    wait_for(first, "CREATE_IN_PROGRESS")
    first.send_signal(signal.SIGKILL)
    assert first.wait(PATIENCE) == -signal.SIGKILL
    (session_id,) = sim.nimble.alive

    second = start("my-token")
    wait_for(second, "CREATE_IN_PROGRESS")
    sim.nimble.set_state(session_id, "READY")
    wait_for(second, "opened")
    assert second.wait(PATIENCE) == 0

    assert list(sim.nimble.sessions) == sim.nimble.alive == [session_id]
    assert len(sim.calls("CreateStreamingSession")) == 2


def test_ctrl_c_deletes_the_session(
    sim: Simulator, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = start()
    wait_for(process, "CREATE_IN_PROGRESS")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)
    took = time.monotonic() - began

    assert process.returncode != 0
    assert process.stderr is not None
    assert process.stderr.read().rstrip().endswith("KeyboardInterrupt")
    assert len(sim.nimble.sessions) == 1
    assert sim.nimble.alive == []
    print(f"ended {took:.2f} s after SIGINT")
    assert took < 10, "a few seconds, on a machine that may be busy"


def test_ctrl_c_deletes_all_sessions_of_a_call_for_many(
    sim: Simulator, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = start(script=SCRIPT_OF_MANY)
    wait_for(process, "CREATE_IN_PROGRESS")
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)

    assert process.stderr is not None
    assert process.stderr.read().rstrip().endswith("KeyboardInterrupt")
    assert sim.nimble.sessions
    assert sim.nimble.alive == []


def test_ctrl_c_twice_ends_the_clean_up_of_a_call_for_many_and_names_the_sessions(
    sim: Simulator, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    sim.inject("DeleteStreamingSession", Fault.no_answer(), times=None)
    process = start(script=SCRIPT_OF_MANY)
    # All of them are known by their ids when one list reads them all.
    wait_until(lambda: any(len(ids) == 30 for ids in listed(sim)))
    process.send_signal(signal.SIGINT)
    wait_for_call(sim, "DeleteStreamingSession")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)

    assert len(sim.nimble.alive) == 30
    assert [session_id for session_id in sim.nimble.alive if session_id not in said] == []


def test_ctrl_c_twice_ends_the_clean_up_and_names_the_session(
    sim: Simulator, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    sim.inject("DeleteStreamingSession", Fault.no_answer(), times=None)
    process = start()
    wait_for(process, "CREATE_IN_PROGRESS")
    process.send_signal(signal.SIGINT)
    wait_for_call(sim, "DeleteStreamingSession")
    process.send_signal(signal.SIGINT)
    process.wait(PATIENCE)

    assert process.stderr is not None
    (session_id,) = sim.nimble.alive
    assert f"Streaming session {session_id} is left behind" in process.stderr.read()
