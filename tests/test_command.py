"""The command `dcvsessions`: in this process, and as a real one that is interrupted."""

import asyncio
import io
import json
import logging
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import redirect_stdout, suppress
from datetime import timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from dcvsessions import errors
from dcvsessions.__main__ import _run, main
from dcvsessions._command.commands import COMMANDS
from dcvsessions._command.options import read_options
from dcvsessions._command.output import Output
from dcvsessions._command.text import age, exit_status, in_shell_words, table
from dcvsessions.simulator import Fault, Simulator, Timings, TransitionPlan, serve_in_thread

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "command.md"
# Seconds that a process may take on a machine that is busy.
PATIENCE = 30.0
posix = pytest.mark.skipif(os.name != "posix", reason="signals and scripts of POSIX")


class Ended:
    """How the command ended, and what it wrote."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def data(self):
        return json.loads(self.out)


Run = Callable[..., Ended]


def serving(monkeypatch: pytest.MonkeyPatch, timings: Timings) -> Iterator[Simulator]:
    with serve_in_thread(Simulator(timings=timings)) as simulator:
        simulator.lightsail.add_instance("my-computer")
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DCVSESSIONS_POLL_INTERVAL", "0.01")
        yield simulator


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator in a thread, whose transitions take no time."""
    yield from serving(monkeypatch, Timings.instant())


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator in a thread, whose starts take an hour."""
    yield from serving(monkeypatch, Timings(gui_start=3600, session_create=3600))


@pytest.fixture(autouse=True)
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the browser write each URL that it opens to a file."""
    opened = tmp_path / "opened"
    opened.touch()
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> {shlex.quote(str(opened))}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setattr(webbrowser, "_browsers", {})
    monkeypatch.setattr(webbrowser, "_tryorder", None)  # so that BROWSER is read anew
    return opened


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_one(*arguments: str) -> Ended:
        try:
            status = main(arguments)
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return Ended(status, out, err)

    return run_one


def operations(sim: Simulator) -> list[str]:
    return [request.operation for request in sim.requests]


# --- A virtual computer ---


@posix
def test_open_starts_the_session_and_opens_the_browser(sim, run, browser):
    done = run("open", "my-computer")
    assert done.status == 0
    assert done.out == ""
    assert sim.accepts(browser.read_text().strip())
    assert done.err.startswith("GUI session of my-computer: notStarted (0 s)\n")
    assert done.err.splitlines()[-3:] == [
        "GUI session of my-computer: started, 100 % (0 s)",
        "The session of my-computer is started. To stop it: dcvsessions close my-computer",
        "The desktop was opened with the browser.",
    ]


def test_open_prints_only_the_url_and_opens_nothing(sim, run, browser):
    done = run("open", "my-computer", "--print")
    assert done.status == 0
    assert done.out.endswith("\n")
    assert done.out.count("\n") == 1
    assert sim.accepts(done.out.strip())
    assert browser.read_text() == ""


@posix
def test_open_prints_the_url_and_opens_it_if_both_are_asked_for(sim, run, browser):
    done = run("open", "my-computer", "--print", "--with", "browser")
    assert sim.accepts(done.out.strip())
    assert browser.read_text() == done.out


def test_open_opens_the_operating_system(sim, run):
    application = run("open", "my-computer", "--print").out
    system = run("open", "my-computer", "--print", "--kind", "operating_system").out
    assert sim.accepts(system.strip())
    assert system != application


def test_a_computer_that_is_stopped_is_started_if_that_is_asked_for(sim, run):
    sim.lightsail.add_instance("off", state="stopped")
    refused = run("open", "off")
    assert refused.status == 1
    assert "The computer is stopped: --start starts it first." in refused.err
    assert sim.calls("StartInstance") == []
    assert run("open", "off", "--start", "--print").status == 0
    assert len(sim.calls("StartInstance")) == 1


def test_status_reads_twice_and_changes_nothing(sim, run):
    done = run("status", "my-computer")
    assert (done.status, done.err) == (0, "")
    assert done.out == "my-computer: computer running, session notStarted\n"
    assert operations(sim) == ["CreateGUISessionAccessDetails", "GetInstanceState"]


def test_status_shows_why_a_start_failed(sim, run):
    sim.lightsail.set_status(
        "my-computer", "failedStartingGUISession", failure_reason="No\x1b[2Jcapacity"
    )
    done = run("status", "my-computer")
    assert "session failedStartingGUISession, " in done.out
    assert "No\ufffd[2Jcapacity" in done.out


def test_close_stops_the_session(sim, run):
    run("open", "my-computer", "--print")
    done = run("close", "my-computer")
    assert (done.status, done.out) == (0, "")
    assert done.err.splitlines()[-2:] == [
        "The session of my-computer is stopped.",
        "The computer itself is not stopped. It costs by the hour while it runs.",
    ]
    assert run("status", "my-computer").out == "my-computer: computer running, session stopped\n"


def test_computers_are_listed(sim, run):
    sim.lightsail.add_instance("lab", state="stopped", blueprint_name="RStudio")
    assert run("computers").out.splitlines() == [
        "NAME         STATE    APPLICATION",
        "my-computer  running  JupyterLab",
        "lab          stopped  RStudio",
    ]


# --- A studio ---


@posix
def test_open_stream_makes_a_session_and_says_how_to_delete_it(sim, run, browser):
    done = run("open-stream", "studio-1", "--launch-profile", "lp-1")
    (session_id,) = sim.nimble.alive
    assert (done.status, done.out) == (0, "")
    assert sim.accepts(browser.read_text().strip())
    command = f"dcvsessions close-stream studio-1 {session_id}"
    assert f"Session {session_id} costs by the hour until it is deleted." in done.err
    assert f"To delete it: {command}\n" in done.err
    closed = run(*command.split()[1:])
    assert (closed.status, closed.out) == (0, "")
    assert f"There is no session {session_id} any more.\n" in closed.err
    assert sim.nimble.alive == []


def test_open_stream_opens_a_session_that_exists(sim, run):
    first = run("open-stream", "studio-1", "--launch-profile", "lp-1", "--print")
    (session_id,) = sim.nimble.alive
    sim.nimble.set_state(session_id, "STOPPED")
    second = run(
        "open-stream", "studio-1", "--session", session_id, "--print", "--expires-in", "60"
    )
    assert sim.accepts(second.out.strip())
    assert second.out != first.out
    assert sim.nimble.alive == [session_id]
    assert len(sim.calls("StartStreamingSession")) == 1
    assert sim.calls("CreateStreamingSessionStream")[-1].parameters["expirationInSeconds"] == 60


def test_open_stream_finds_its_session_again_by_the_token(sim, run):
    for _ in range(2):
        run(
            *("open-stream", "studio-1", "--launch-profile", "lp-1", "--print"),
            *("--client-token", "mine", "--instance-type", "g5.xlarge"),
        )
    assert len(sim.nimble.alive) == 1
    created = sim.calls("CreateStreamingSession")[0].parameters
    assert created["ec2InstanceType"] == "g5.xlarge"


def test_streams_are_listed(sim, run):
    empty = run("streams", "studio-1")
    assert (empty.out, empty.err) == ("", "Studio studio-1 has no streaming sessions.\n")
    run("open-stream", "studio-1", "--launch-profile", "lp-1", "--print")
    sim.advance(7300)
    (session_id,) = sim.nimble.alive
    heads, row = run("streams", "studio-1").out.splitlines()
    assert re.split("  +", heads) == ["SESSION", "STATE", "OWNER", "AGE", "LAUNCH PROFILE"]
    assert re.split("  +", row)[:3] == [session_id, "READY", "simulator-user"]
    assert re.split("  +", row)[4] == "lp-1"


def test_studios_are_listed_with_their_launch_profiles(sim, run):
    sim.nimble.add_studio("studio-2", launch_profiles=())
    rows = [re.split("  +", line) for line in run("studios").out.splitlines()]
    assert rows == [
        ["STUDIO", "STUDIO NAME", "LAUNCH PROFILE", "PROFILE NAME"],
        ["studio-1", "studio-1", "lp-1", "lp-1"],
        ["studio-2", "studio-2", "-", "-"],
    ]


# --- JSON ---


@posix
def test_json_is_one_line_without_the_url(sim, run):
    done = run("open", "my-computer", "--json")
    assert done.out.count("\n") == 1
    assert done.data["name"] == "my-computer"
    assert done.data["opened_with"] == "browser"
    assert done.data["expires_at"].endswith("+00:00")
    assert "url" not in done.data


def test_json_has_the_url_if_it_is_asked_for(sim, run):
    done = run("open-stream", "studio-1", "--launch-profile", "lp-1", "--json", "--print")
    assert sim.accepts(done.data["url"])
    assert [done.data["session_id"]] == sim.nimble.alive
    assert done.data["opened_with"] is None


def test_json_of_the_commands_that_read(sim, run):
    run("open-stream", "studio-1", "--launch-profile", "lp-1", "--print")
    (session_id,) = sim.nimble.alive
    assert run("status", "my-computer", "--json").data == {
        "name": "my-computer",
        "instance_state": "running",
        "status": "notStarted",
        "percentage_complete": None,
        "failure_reason": None,
    }
    assert run("computers", "--json").data == [
        {"name": "my-computer", "instance_state": "running", "blueprint_name": "JupyterLab"}
    ]
    (session,) = run("streams", "studio-1", "--json").data
    assert session.pop("created_at").endswith("+00:00")
    assert session == {
        "session_id": session_id,
        "state": "READY",
        "owned_by": "simulator-user",
        "launch_profile_id": "lp-1",
        "ec2_instance_type": "g4dn.xlarge",
    }
    assert run("studios", "--json").data == [
        {
            "studio_id": "studio-1",
            "display_name": "studio-1",
            "launch_profiles": [{"launch_profile_id": "lp-1", "name": "lp-1"}],
        }
    ]


def test_json_of_the_commands_that_close(sim, run):
    assert run("close", "my-computer", "--json").data == {"name": "my-computer"}
    run("open-stream", "studio-1", "--launch-profile", "lp-1", "--print")
    (session_id,) = sim.nimble.alive
    closed = run("close-stream", "studio-1", session_id, "--json")
    assert closed.data == {"studio_id": "studio-1", "session_id": session_id}


def test_an_error_is_json_on_standard_output_and_a_line_on_standard_error(sim, run):
    done = run("open", "no-such", "--json")
    error = done.data["error"]
    assert error["type"] == "NotFoundError"
    assert error["exit_status"] == done.status == 3
    assert (error["notes"], error["left_behind"]) == ([], None)
    assert done.err == f"dcvsessions: {error['message']}\n"


def test_json_names_the_session_that_is_left_behind(sim, run):
    sim.inject("DeleteStreamingSession", Fault.error("AccessDeniedException", status=403))
    sim.nimble.plan("CreateStreamingSession", TransitionPlan(ends="CREATE_FAILED"))
    done = run("open-stream", "studio-1", "--launch-profile", "lp-1", "--json")
    (session_id,) = sim.nimble.sessions
    error = done.data["error"]
    assert error["type"] == "WaitFailedError"
    assert error["left_behind"]["session_id"] == session_id
    assert error["left_behind"]["client_token"]
    (note,) = error["notes"]
    assert note.startswith("The clean-up failed too: DeleteStreamingSession: ")
    advice = (
        f"dcvsessions: Streaming session {session_id} is left behind: open it with dcvsessions "
        "open-stream --session, or delete it with dcvsessions close-stream.\n"
    )
    assert done.err.count(advice) == done.err.count("left behind") == 1
    assert f"dcvsessions: {note}\n" in done.err


# --- Errors and exit statuses ---

STATUSES = {
    "InvalidArgumentError": 2,
    "InvalidUrlError": 1,
    "ConfigurationError": 5,
    "CredentialsNotFoundError": 5,
    "ClientStateError": 1,
    "ApiError": 1,
    "AccessDeniedError": 5,
    "AuthenticationError": 5,
    "CredentialsExpiredError": 5,
    "ClockSkewError": 5,
    "ConflictError": 1,
    "InvalidRequestError": 1,
    "NotFoundError": 3,
    "QuotaExceededError": 1,
    "ServiceFaultError": 1,
    "ThrottledError": 1,
    "ConnectionFailedError": 6,
    "CallTimeoutError": 6,
    "ServiceClosedError": 6,
    "InvalidResponseError": 6,
    "WaitError": 1,
    "WaitFailedError": 1,
    "WaitTimeoutError": 4,
    "OpenError": 1,
    "UnreachableError": 6,
}


def test_every_error_has_an_exit_status():
    kinds = {
        kind
        for name in errors.__all__
        if isinstance(kind := getattr(errors, name), type)
        and issubclass(kind, errors.DcvSessionsError)
    }
    # Their arguments do not matter here.
    found = {kind.__name__: exit_status(kind.__new__(kind)) for kind in kinds}
    assert found == {"DcvSessionsError": 1, **STATUSES}


@pytest.mark.looptime(start=time.monotonic)
async def test_a_wait_that_got_no_connection_has_the_status_of_a_connection_error(here, capsys):
    assert await Line("open my-computer --endpoint-url http://127.0.0.1:1").task == 6
    assert "No connection could be made within 60 s." in capsys.readouterr().err


def test_a_wait_that_times_out_says_what_may_be_running(slow, run):
    done = run("open", "my-computer", "--timeout", "0.1", "--region", "us-west-2")
    assert done.status == 4
    *_, error, note = done.err.splitlines()
    assert error.startswith("dcvsessions: GUI session of my-computer is not started with a URL")
    assert note == (
        "dcvsessions: The session may be running. To stop it: "
        "dcvsessions close my-computer --region us-west-2"
    )


def test_denied_access(sim, run):
    sim.inject("GetInstances", Fault.error("AccessDeniedException", status=403))
    done = run("computers")
    assert done.status == 5
    assert done.err.startswith("dcvsessions: GetInstances: ")
    assert done.err.count("\n") == 1


def test_missing_credentials(sim, run, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    done = run("status", "my-computer")
    assert done.status == 5
    assert "or pass --profile, or" in done.err


def test_an_unknown_profile(sim, run):
    done = run("status", "my-computer", "--profile", "nobody")
    assert done.status == 5
    assert "nobody" in done.err


def test_no_connection(sim, run):
    done = run("computers", "--endpoint-url", "http://127.0.0.1:1")
    assert done.status == 6
    assert done.err.startswith("dcvsessions: ")


def test_a_browser_that_is_missing(sim, run, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    done = run("open", "my-computer")
    assert done.status == 1
    assert "name one in the environment variable BROWSER, or use --print" in done.err


@pytest.mark.parametrize(
    "line",
    [
        "open my-computer",
        "open my-computer --print --with viewer",
        "open-stream studio-1 --launch-profile lp-1 --delete-on-exit",
    ],
)
def test_nothing_is_started_if_no_program_can_open_the_desktop(sim, run, monkeypatch, line):
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    done = run(*line.split())
    assert done.status == 1
    assert re.search(r"name one in the environment variable BROWSER|install it from", done.err)
    assert sim.requests == []


def test_the_viewer_is_enough(sim, run, monkeypatch):
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    monkeypatch.setattr(shutil, "which", lambda program: program)
    done = run("open", "my-computer")
    assert done.status == 1  # the simulator's URL is one for a browser
    assert "StartGUISession" in operations(sim)


def test_without_a_command_it_shows_the_help(run):
    done = run()
    assert (done.status, done.out) == (2, "")
    assert "open the desktop of a virtual computer" in done.err


@pytest.mark.parametrize("option", ["--quiet", "--quiet --json", ""])
def test_a_new_session_that_is_not_shown_is_named(sim, run, monkeypatch, option):
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    done = run(*shlex.split(f"open-stream studio-1 --launch-profile lp-1 {option}"))
    (session_id,) = sim.nimble.alive
    assert done.status == 1
    assert f"dcvsessions: Streaming session {session_id} is left behind: " in done.err
    if "--json" in option:
        assert done.data["error"]["left_behind"]["session_id"] == session_id


@pytest.mark.parametrize(
    "line",
    [
        "",
        "start my-computer",
        "open",
        "open my-computer --kind desktop",
        "open my-computer --timeout soon",
        "open my-computer --timeout -1",
        "open my-computer --timeout nan",
        "open my-computer --sta",
        "open my-computer --quiet -v",
        "open 'my computer'",
        "status my-computer --endpoint-url nowhere",
        "open-stream studio-1",
        "open-stream studio-1 --launch-profile lp-1 --session s-1",
        "open-stream studio-1 --launch-profile lp-1 --expires-in 5",
        "open-stream studio-1 --launch-profile lp-1 --delete-on-exit --client-token mine",
        "open-stream studio-1 --session s-1 --delete-on-exit",
        "open-stream studio-1 --session s-1 --client-token mine",
        "open-stream studio-1 --session s-1 --instance-type g5.xlarge",
        "streams studio/1",
    ],
)
def test_a_wrong_command_line(sim, run, line):
    done = run(*shlex.split(line))
    assert (done.status, done.out) == (2, "")
    assert done.err
    assert sim.requests == []


def test_errors_speak_of_options():
    assert in_shell_words("client_token='a b' finds it.") == "--client-token 'a b' finds it."
    assert in_shell_words("Pass region_name=, or set it") == "Pass --region, or set it"
    assert in_shell_words("use with_='viewer'.") == "use --with 'viewer'."
    assert in_shell_words("timeout=-1 has to be") == "--timeout -1 has to be"
    assert in_shell_words("resource_name='a b' cannot be") == "NAME 'a b' cannot be"
    assert in_shell_words("resource_name is missing") == "resource_name is missing"


# --- The page ---


def test_the_page_names_every_command_and_option():
    page = PAGE.read_text()
    assert [name for name in COMMANDS if f"dcvsessions {name}" not in page] == []
    known = {*re.findall("--[a-z][a-z-]+", _help())} - {"--help"}
    assert {option for option in known if f"`{option}" not in page} == {"--version"}
    assert {*re.findall("--[a-z][a-z-]+", page)} <= known


def test_the_page_lists_every_exit_status():
    listed = re.findall(r"^\| ([0-9, ]+) \|", PAGE.read_text(), re.MULTILINE)
    numbers = {int(number) for cell in listed for number in cell.split(",")}
    assert numbers == {0, *STATUSES.values(), 130, 143, 129}


def _help() -> str:
    """Return the help of all commands."""
    written = io.StringIO()
    with redirect_stdout(written):
        for name in (None, *COMMANDS):
            with suppress(SystemExit):
                main([name, "--help"] if name else ["--help"])
    return written.getvalue()


# --- What is shown ---


def test_a_wait_can_have_no_limit(sim, run):
    assert run("open", "my-computer", "--timeout", "inf", "--print").status == 0


def test_quiet_shows_only_errors(sim, run):
    assert run("open", "my-computer", "--print", "--quiet").err == ""
    assert run("streams", "studio-1", "--quiet").err == ""
    assert run("open", "no-such", "--quiet").err.startswith("dcvsessions: ")


def test_verbose_shows_log_lines_in_place_of_the_progress(sim, run):
    done = run("open", "my-computer", "--print", "-v")
    assert done.status == 0
    assert "GUI session of my-computer: notStarted (0 s)" not in done.err.splitlines()


@pytest.mark.parametrize(
    ("is_verbose", "shown"),
    [
        (False, ["dcvsessions: use --with 'viewer'"]),
        (True, [r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} seen", r"\d{4}-.* use --with 'viewer'"]),
    ],
)
def test_log_lines_are_shown(capsys, is_verbose, shown):
    logger = logging.getLogger("dcvsessions.anywhere")
    with Output(is_verbose=is_verbose).logging():
        logger.debug("hidden")
        logger.info("seen")
        logger.warning("use with_=%r", "viewer")
    logger.warning("after")
    lines = capsys.readouterr().err.splitlines()
    assert [re.fullmatch(*pair) is not None for pair in zip(shown, lines, strict=True)] == [
        True for _ in shown
    ]


def test_the_version_and_help(run):
    assert run("--version").out == "dcvsessions 0.1.0\n"
    for line in (["--help"], *([name, "--help"] for name in COMMANDS)):
        done = run(*line)
        assert done.status == 0
        example = re.search(r"^Example: dcvsessions (.*)", done.out, re.MULTILINE)
        assert example, line
        read_options(shlex.split(example[1]))


def test_help_names_every_command(run):
    said = run("--help").out
    assert [name for name in COMMANDS if f"\n    {name}" not in said] == []


COMMAND_LINES = [
    "open my-computer",
    "open my-computer --json",
    "open my-computer -v",
    "open my-computer --with viewer",
    "open no-such",
    "status my-computer",
    "status my-computer --json",
    "computers",
    "open-stream studio-1 --launch-profile lp-1 --json -v",
    "open-stream studio-1 --launch-profile lp-1 --with viewer",
    "streams studio-1",
    "streams studio-1 --json",
    "studios",
    "close my-computer --json",
]


def test_no_token_is_shown_unless_it_is_asked_for(sim, run, monkeypatch, tmp_path):
    viewer = tmp_path / "dcvviewer"  # is no program, so it cannot be started
    viewer.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    run("open", "my-computer", "--print")
    said = ""
    for line in COMMAND_LINES:
        done = run(*shlex.split(line))
        said += done.out + done.err
    tokens = [each.token for each in sim._desktops()]
    for session_id in sim.nimble.alive:
        done = run("close-stream", "studio-1", session_id)
        said += done.out + done.err
    assert len(tokens) >= 2
    assert len(said) > 1000
    assert [token for token in tokens if token in said] == []
    assert "authToken" not in said


def test_cells_are_safe_to_show():
    assert table(["A"], [["\x1b]0;title\x07"]]).splitlines()[1].isprintable()
    assert table(["A", "B"], []) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7260, "2 h 1 min"), (90000, "1 d 1 h")],
)
def test_ages(seconds, said):
    assert age(timedelta(seconds=seconds)) == said


# --- A desktop that stays open ---


class Line:
    """A command line in virtual time, in a task."""

    def __init__(self, line: str) -> None:
        options = read_options(shlex.split(line))
        self.task = asyncio.create_task(_run(options, Output(is_json=options.json)))

    async def interrupted(self) -> int:
        """Press Ctrl-C, and return the exit status."""
        signal.raise_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            return await self.task


@pytest.fixture
async def here(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """A simulator in this event loop, whose time may be virtual."""
    async with Simulator() as simulator:
        simulator.lightsail.add_instance("my-computer")
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


@posix
@pytest.mark.looptime(start=time.monotonic)
async def test_a_session_that_expires_is_resumed_and_shown_again(here, capsys):
    line = Line("open my-computer --stop-on-exit --print --json")
    await asyncio.sleep(3 * 3600)
    assert here.lightsail.instances["my-computer"].status == "started"
    assert await line.interrupted() == 0
    said = capsys.readouterr()
    shown = [json.loads(each) for each in said.out.splitlines()]
    assert len(shown) == len({each["url"] for each in shown}) >= 3
    assert here.lightsail.instances["my-computer"].status == "stopped"
    assert said.err.splitlines()[-2:] == [
        "Cleaning up. Press Ctrl-C to end at once.",
        "The session of my-computer is stopped.",
    ]


@posix
@pytest.mark.looptime(start=time.monotonic)
async def test_a_streaming_session_stays_until_it_is_ended(here, capsys):
    line = Line("open-stream studio-1 --launch-profile lp-1 --delete-on-exit --print")
    await asyncio.sleep(2 * 3600)
    (session_id,) = here.nimble.alive
    assert await line.interrupted() == 0
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    assert said.err.endswith(f"Session {session_id} is being deleted.\n")
    assert len(here.calls("DeleteStreamingSession")) == 1


@posix
@pytest.mark.looptime(start=time.monotonic)
async def test_a_session_that_cannot_be_stopped_is_an_error(here, capsys):
    line = Line("open my-computer --stop-on-exit --print")
    await asyncio.sleep(600)
    here.inject("StopGUISession", Fault.error("AccessDeniedException"), times=None)
    assert await line.interrupted() == 5
    assert "dcvsessions: StopGUISession: " in capsys.readouterr().err


@posix
@pytest.mark.looptime(start=time.monotonic)
async def test_a_clean_up_that_fails_after_an_error_is_told(here, capsys, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    here.inject("StopGUISession", Fault.error("AccessDeniedException"), times=None)
    assert await Line("open my-computer --stop-on-exit").task == 1
    *_, error, note = capsys.readouterr().err.splitlines()
    assert error.startswith("dcvsessions: No browser could be started")
    assert note.startswith("dcvsessions: Ending it failed too: StopGUISession: ")


# --- Real processes ---

PROGRAM = """
import sys
from dcvsessions.__main__ import main
sys.exit(main())
"""


class Process:
    """The command in another process."""

    def __init__(self, line: str, *, program: str = PROGRAM, **streams: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, *shlex.split(line)],
            text=True,
            **{
                "stdin": subprocess.PIPE,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                **streams,
            },
        )
        self.said = ""
        # Otherwise, a test that reads would wait for ever.
        self.limit = Timer(PATIENCE, self.process.kill)
        self.limit.start()

    def wait_for(self, text: str) -> None:
        """Read standard error until a line contains a text."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if text in line:
                return
        raise AssertionError(f"it ended without {text!r}: {self.said}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, text: str | None = None) -> Ended:
        """Write a text to standard input, and wait for the end."""
        out, err = self.process.communicate(text, timeout=PATIENCE)
        return Ended(self.process.returncode, out, self.said + (err or ""))


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts the command. Processes that still run at the end are killed."""
    running: list[Process] = []

    def start_one(line: str, **options: Any) -> Process:
        running.append(Process(line, **options))
        return running[-1]

    yield start_one
    for each in running:
        each.limit.cancel()
        each.process.kill()
        each.process.communicate()


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_opening_deletes_the_session(slow, start, number):
    process = start("open-stream studio-1 --launch-profile lp-1 --json")
    process.wait_for("CREATE_IN_PROGRESS")
    process.send(number)
    done = process.ended()
    assert done.status == 128 + number
    assert "Cleaning up." in done.err
    assert done.err.splitlines()[-2:] == [
        "dcvsessions: Interrupted.",
        "dcvsessions: No session is left behind.",
    ]
    assert done.data["error"]["type"] == "Interrupted"
    assert done.data["error"]["exit_status"] == done.status
    assert (len(slow.nimble.sessions), slow.nimble.alive) == (1, [])


@posix
def test_a_second_signal_ends_the_clean_up_and_names_the_session(slow, start):
    slow.inject("DeleteStreamingSession", Fault.no_answer(), times=None)
    process = start("open-stream studio-1 --launch-profile lp-1 --json")
    process.wait_for("CREATE_IN_PROGRESS")
    process.send(signal.SIGINT)
    wait_until(lambda: slow.calls("DeleteStreamingSession"))
    began = time.monotonic()
    process.send(signal.SIGINT)
    done = process.ended()
    assert time.monotonic() - began < 8, "the clean-up would take 10 s"
    (session_id,) = slow.nimble.alive
    assert done.status == 130
    assert done.err.count(f"Streaming session {session_id} is left behind: ") == 1
    assert done.data["error"]["left_behind"]["session_id"] == session_id
    assert "No session is left behind" not in done.err
    assert "Traceback" not in done.err


@posix
@pytest.mark.parametrize("options", ["--client-token mine", "--delete-on-exit"])
def test_a_signal_tells_that_no_session_is_left_if_that_is_known(slow, start, options):
    process = start(f"open-stream studio-1 --launch-profile lp-1 {options}")
    process.wait_for("CREATE_IN_PROGRESS")
    process.send(signal.SIGINT)
    is_told = "No session is left behind." in process.ended().err
    assert is_told is (options == "--delete-on-exit")


@posix
def test_a_signal_while_a_gui_session_starts_says_what_may_be_running(slow, start):
    process = start("open my-computer")
    process.wait_for("starting")
    process.send(signal.SIGINT)
    done = process.ended()
    assert (done.status, done.out) == (130, "")
    assert done.err.splitlines()[-2:] == [
        "dcvsessions: Interrupted.",
        "dcvsessions: The session may be running. To stop it: dcvsessions close my-computer",
    ]


@posix
def test_enter_stops_the_session(sim, start):
    process = start("open my-computer --stop-on-exit --print")
    process.wait_for("To stop the session")
    assert process.process.stdout is not None
    url = process.process.stdout.readline()
    assert sim.accepts(url.strip())
    done = process.ended("\n")
    assert done.status == 0
    assert sim.lightsail.instances["my-computer"].status == "stopped"


@posix
def test_the_end_of_standard_input_is_not_enter(sim, start):
    process = start("open my-computer --stop-on-exit --print", stdin=subprocess.DEVNULL)
    process.wait_for("To stop the session")
    assert process.process.stdout is not None
    process.process.stdout.readline()
    assert sim.calls("StopGUISession") == []
    process.send(signal.SIGTERM)
    assert process.ended().status == 0
    assert sim.lightsail.instances["my-computer"].status == "stopped"


@posix
def test_a_second_signal_while_a_session_is_stopped_says_that_it_may_be_running(sim, start):
    sim.inject("StopGUISession", Fault.no_answer(), times=None)
    process = start("open my-computer --stop-on-exit --print")
    process.wait_for("To stop the session")
    process.send(signal.SIGINT)
    wait_until(lambda: sim.calls("StopGUISession"))
    process.send(signal.SIGINT)
    done = process.ended()
    assert done.status == 130
    assert "The session may be running. To stop it: dcvsessions close my-computer" in done.err
    assert "Traceback" not in done.err


@posix
def test_a_signal_that_is_ignored_stays_ignored(slow, start):
    program = f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{PROGRAM}"
    process = start("open-stream studio-1 --launch-profile lp-1", program=program)
    process.wait_for("CREATE_IN_PROGRESS")
    process.send(signal.SIGINT)
    (session_id,) = slow.nimble.alive
    slow.nimble.set_state(session_id, "READY")
    assert process.ended().status == 0
    assert slow.nimble.alive == [session_id]


@posix
def test_a_new_session_whose_url_nobody_reads_is_named(sim, start):
    reading, writing = os.pipe()
    os.close(reading)
    line = "open-stream studio-1 --launch-profile lp-1 --print --quiet"
    done = start(line, stdout=writing).ended()
    os.close(writing)
    (session_id,) = sim.nimble.alive
    assert done.status == 1
    assert done.err.startswith(f"dcvsessions: Streaming session {session_id} is left behind: ")
    assert done.err.count("\n") == 1


@posix
@pytest.mark.parametrize(("option", "status"), [("", 143), ("--stop-on-exit", 0)])
def test_the_end_does_not_wait_for_a_browser_that_blocks(sim, start, browser, option, status):
    running = browser
    program = Path(os.environ["BROWSER"])
    program.write_text(f"#!/bin/sh\necho $$ > {shlex.quote(str(running))}\nexec sleep 60\n")
    process = start(f"open my-computer {option}", stdout=subprocess.DEVNULL)
    wait_until(running.read_text)
    process.send(signal.SIGTERM)
    assert process.process.wait(PATIENCE / 2) == status
    os.kill(int(running.read_text()), signal.SIGKILL)


@posix
def test_an_enter_that_was_typed_before_does_not_stop_the_session(sim, start):
    import pty  # noqa: PLC0415 - Windows has none

    terminal, stdin = pty.openpty()
    os.write(terminal, b"\n")
    process = start("open my-computer --stop-on-exit --print", stdin=stdin)
    process.wait_for("To stop the session")
    assert process.process.stdout is not None
    process.process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        process.process.wait(0.5)
    assert sim.calls("StopGUISession") == []
    os.write(terminal, b"\n")
    assert process.ended().status == 0
    assert sim.lightsail.instances["my-computer"].status == "stopped"
    os.close(stdin)
    os.close(terminal)


# Makes the terminal its own, and starts the command in the background of it.
BACKGROUND = """
import fcntl, signal, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
command = [sys.executable, "-m", "dcvsessions", *sys.argv[1:]]
child = subprocess.Popen(command, process_group=0)
def end(*_):
    child.terminate()
    child.send_signal(signal.SIGCONT)
signal.signal(signal.SIGTERM, end)
sys.exit(child.wait())
"""


@posix
def test_a_process_in_the_background_does_not_read_from_the_terminal(sim, start):
    import pty  # noqa: PLC0415 - Windows has none

    terminal, stdin = pty.openpty()
    line = "open my-computer --stop-on-exit --print"
    process = start(line, program=BACKGROUND, stdin=stdin, start_new_session=True)
    process.wait_for("To stop the session")
    # If it read from the terminal, it would be suspended before it prints the URL.
    printed, _, _ = select.select([process.process.stdout], [], [], 5)
    process.send(signal.SIGTERM)
    done = process.ended()
    os.close(stdin)
    os.close(terminal)
    assert printed
    assert done.status == 0


def test_text_that_the_encoding_does_not_have_is_escaped(sim, start, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    sim.lightsail.add_instance("lab", blueprint_name="R\N{EM DASH}Studio")
    done = start("computers").ended()
    assert (done.status, done.err) == (0, "")
    assert "R\\u2014Studio" in done.out


@posix
@pytest.mark.parametrize("line", ["open my-computer --print", "computers", "open no-such --json"])
def test_a_reader_that_ended_causes_no_traceback(sim, start, line):
    reading, writing = os.pipe()
    os.close(reading)
    done = start(line, stdout=writing).ended()
    os.close(writing)
    assert done.status == 1
    assert "Traceback" not in done.err
    assert "Broken pipe" not in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk, as Linux has one")
def test_a_full_disk_is_an_error(sim, start):
    with Path("/dev/full").open("w") as full:
        done = start("computers", stdout=full).ended()
    assert (done.status, done.err) == (1, "dcvsessions: [Errno 28] No space left on device\n")


@posix
def test_nothing_is_lost_without_standard_error(sim, start):
    program = f"import os; os.close(2)\nimport sys; sys.stderr = None\n{PROGRAM}"
    done = start("open my-computer --print", program=program).ended()
    assert done.status == 0
    assert sim.accepts(done.out.strip())
    assert done.out.count("\n") == 1


@posix
@pytest.mark.parametrize("option", ["", "--stop-on-exit"])
def test_a_terminal_shows_a_bar_and_standard_output_the_url(sim, start, option):
    import pty  # noqa: PLC0415 - Windows has none

    terminal, stderr = pty.openpty()
    process = start(f"open my-computer --print {option}", stderr=stderr)
    os.close(stderr)
    assert process.process.stdout is not None
    # While rich draws, it sends what is printed to its own stream.
    assert sim.accepts(process.process.stdout.readline().strip())
    done = process.ended("\n")
    assert (done.status, done.out) == (0, "")
    shown = b""
    # On Linux, reading fails when the process has ended.
    with suppress(OSError):
        while read := os.read(terminal, 4096):
            shown += read
    os.close(terminal)
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in shown.decode()
    assert "authToken" not in shown.decode()


def test_help_does_not_import_aiobotocore():
    code = (
        "import sys\nfrom dcvsessions.__main__ import main\n"
        "try: main(['open', '--help'])\n"
        "except SystemExit: print('aiobotocore' in sys.modules, 'botocore' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "False False"


def test_the_module_runs(sim):
    done = subprocess.run(
        [sys.executable, "-m", "dcvsessions", "computers"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "my-computer" in done.stdout


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait until a process has brought something about."""
    for _ in range(int(PATIENCE / 0.02)):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come")
