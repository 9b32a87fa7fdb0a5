"""The traceback of a script's error is short: it shows the user's lines, and not ours."""

import asyncio
import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

import dcvsessions
from dcvsessions import (
    DcvSessionsError,
    NotFoundError,
    WaitFailedError,
    gui_session,
    open_gui_session,
    open_gui_sessions,
    streaming_session,
)
from dcvsessions.simulator import Simulator

MOST_LINES = 20

SCRIPTS = {
    "open_gui_session": """
import asyncio
from dcvsessions import open_gui_session
asyncio.run(open_gui_session("no-such"))
""",
    "open_streaming_session": """
import asyncio
from dcvsessions import open_streaming_session
asyncio.run(open_streaming_session("no-such", launch_profile_id="lp-1"))
""",
    "gui_session": """
import asyncio
from dcvsessions import gui_session

async def main():
    async with gui_session("no-such") as desktop:
        print(await desktop.url())

asyncio.run(main())
""",
    "open_gui_sessions": """
import asyncio
from dcvsessions import open_gui_sessions

async def main():
    async with open_gui_sessions(["no-such"]) as outcomes:
        raise (await anext(outcomes)).error

asyncio.run(main())
""",
    "a caller's client": """
import asyncio
from dcvsessions import LightsailClient, open_gui_session

async def main():
    async with LightsailClient() as client:
        await open_gui_session("no-such", client=client)

asyncio.run(main())
""",
    "no credentials": """
import asyncio, os
from dcvsessions import open_gui_session
del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
asyncio.run(open_gui_session("my-computer"))
""",
    "no region": """
import asyncio, os
from dcvsessions import open_gui_session
del os.environ["AWS_DEFAULT_REGION"]
asyncio.run(open_gui_session("my-computer"))
""",
}


async def run(script: str, folder: Path) -> str:
    """Run a script, and return what it wrote to its standard error."""
    path = folder / "script.py"
    path.write_text(script)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_mistake_shows_few_lines(sim: Simulator, tmp_path: Path, name: str) -> None:
    written = await run(SCRIPTS[name], tmp_path)
    # Python 3.13 marks the place in more of the lines than earlier versions.
    lines = [line for line in written.splitlines() if line.strip(" ~^")]
    assert len(lines) <= MOST_LINES, written
    assert lines[0] == "Traceback (most recent call last):"
    assert "script.py" in written
    assert "dcvsessions.errors." in written
    assert str(Path(dcvsessions.__file__).parent) not in written


# --- Which frames ---


def functions_in(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.looptime
async def test_the_frames_of_the_caller_stay(sim: Simulator) -> None:
    async def mine() -> None:
        await open_gui_session("no-such")

    with pytest.raises(NotFoundError) as caught:
        await mine()
    assert functions_in(caught.value) == ["test_the_frames_of_the_caller_stay", "mine"]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "block",
    [
        lambda: gui_session("my-computer", stop_on_exit=True),
        lambda: streaming_session("studio-1", launch_profile_id="lp-1"),
        lambda: open_gui_sessions(["my-computer"]),
    ],
    ids=["gui_session", "streaming_session", "open_gui_sessions"],
)
@pytest.mark.parametrize("kind", [DcvSessionsError, ZeroDivisionError])
async def test_the_frames_of_the_callers_block_stay(
    sim: Simulator, block: type, kind: type[Exception]
) -> None:
    def mine() -> None:
        raise kind

    with pytest.raises(kind) as caught:
        async with block():
            mine()
    names = functions_in(caught.value)
    assert names[0] == "test_the_frames_of_the_callers_block_stay"
    assert names[-1] == "mine"


@pytest.mark.looptime
async def test_a_url_that_cannot_be_had_shows_few_lines(sim: Simulator) -> None:
    async with streaming_session("studio-1", launch_profile_id="lp-1") as desktop:
        sim.nimble.set_state(desktop.session_id, "DELETED")
        await asyncio.sleep(2)
        with pytest.raises(WaitFailedError) as caught:
            await desktop.url()
    assert functions_in(caught.value) == ["test_a_url_that_cannot_be_had_shows_few_lines"]


@pytest.mark.looptime
async def test_the_whole_traceback_is_logged_at_debug(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="dcvsessions")
    with pytest.raises(NotFoundError):
        await open_gui_session("no-such")
    (record,) = [each for each in caplog.records if "The whole traceback" in each.getMessage()]
    assert (record.name, record.levelname) == ("dcvsessions._frames", "DEBUG")
    assert "in create_gui_session_access_details" in record.getMessage()


@pytest.mark.looptime
async def test_the_log_shows_no_token_of_the_callers_own_error(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="dcvsessions")
    sim.lightsail.add_instance("off", state="stopped")
    url = await open_gui_session("my-computer")

    async def mine() -> None:
        try:
            int(f"was not shown: {url}")
        except ValueError:
            await open_gui_session("off")

    with pytest.raises(WaitFailedError):
        await mine()
    assert "was not shown" in caplog.text
    assert "authToken" not in caplog.text


@pytest.mark.looptime
async def test_a_bug_keeps_all_frames(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dcvsessions.lightsail._session.decide_open", decide)
    with pytest.raises(ZeroDivisionError) as caught:
        await open_gui_session("my-computer")
    assert functions_in(caught.value)[-1] == "decide"
    assert "poll" in functions_in(caught.value)
