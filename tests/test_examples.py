"""Every example runs, and ends at desktops that can be opened."""

import csv
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

from dcvsessions.simulator import Simulator, Timings, serve_in_thread

Account = tuple[Simulator, dict[str, str]]

EXAMPLES = Path(__file__).parent.parent / "examples"
OPEN_DESKTOP = EXAMPLES / "open_desktop.py"
CLASSROOM = EXAMPLES / "classroom.py"
SERVICES = ("Lightsail for Research", "Nimble Studio")
# The options for the simulated account of these tests.
ACCOUNT = ("--profile", "school", "--region", "eu-west-1")


def run(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


@contextmanager
def at_a_terminal(*arguments: object, cwd: Path) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """Run a script, and yield it with the other end of the terminal that it reads."""
    keyboard, terminal = os.openpty()
    script = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )
    try:
        yield script, keyboard
    finally:
        script.kill()
        script.communicate()
        os.close(keyboard)
        os.close(terminal)


def line_of(script: "subprocess.Popen[str]", beginning: str) -> str:
    """Read the next line that a script prints, and return the rest of it."""
    assert script.stdout is not None
    line = script.stdout.readline()
    assert line.startswith(beginning)
    return line.removeprefix(beginning).strip(": .\n")


def test_an_aws_configuration_of_yours_does_not_reach_the_simulator() -> None:
    done = run(
        OPEN_DESKTOP,
        AWS_PROFILE="theirs",
        AWS_SESSION_TOKEN="theirs",
        AWS_CREDENTIAL_EXPIRATION="2001-01-01T00:00:00Z",
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true",
    )
    assert done.returncode == 0, done.stderr
    assert "Nimble Studio: " in done.stdout


def opens(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as page:  # noqa: S310 - our simulator
            return page.status == 200
    except URLError:
        return False


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """A simulated account, and an environment whose profile `school` has its keys."""
    with serve_in_thread(Simulator(timings=Timings.instant(), region_name="eu-west-1")) as sim:
        environ = sim.environ
        credentials = tmp_path / "credentials"
        credentials.write_text(
            f"[school]\naws_access_key_id = {environ['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {environ['AWS_SECRET_ACCESS_KEY']}\n"
        )
        yield (
            sim,
            {
                "AWS_ENDPOINT_URL": sim.endpoint_url,
                "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
                "DCVSESSIONS_POLL_INTERVAL": "0.02",
            },
        )


def test_every_example_is_run_by_a_test() -> None:
    # The notebooks are run in test_notebooks.py.
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {
        "classroom.ipynb",
        "classroom.py",
        "lightsail_desktop.ipynb",
        "nimble_desktop.ipynb",
        "open_desktop.py",
        "test_my_script.py",
    }


def test_the_first_example_keeps_its_two_desktops_until_enter(tmp_path: Path) -> None:
    with at_a_terminal(OPEN_DESKTOP, cwd=tmp_path) as (script, keyboard):
        urls = [line_of(script, service) for service in SERVICES]
        assert all(map(opens, urls))
        os.write(keyboard, b"\n")
        prompt, progress = script.communicate(timeout=30)
    assert script.returncode == 0
    assert prompt == "Open the URLs in a browser. Press Enter to end the simulator. "
    for state in ("notStarted", "starting", "started", "CREATE_IN_PROGRESS", "READY"):
        assert f": {state}" in progress
    assert not any(map(opens, urls))


def test_the_first_example_can_be_interrupted(tmp_path: Path) -> None:
    with at_a_terminal(OPEN_DESKTOP, cwd=tmp_path) as (script, _):
        urls = [line_of(script, service) for service in SERVICES]
        script.send_signal(signal.SIGINT)
        _, said = script.communicate(timeout=30)
    assert script.returncode == 130
    assert "Traceback" not in said
    assert not any(map(opens, urls))


def test_the_first_example_opens_a_computer_of_an_account(account: Account) -> None:
    sim, environment = account
    sim.lightsail.add_instance("lab", state="stopped")
    done = run(OPEN_DESKTOP, "--aws", "lab", "--start", *ACCOUNT, **environment)
    assert done.returncode == 0, done.stderr
    assert sim.accepts(done.stdout.split(": ", 1)[1].strip())
    assert "authToken" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--aws", "no-such", *ACCOUNT), "The Instance does not exist: no-such"),
        (("--aws", "lab", *ACCOUNT), "The computer is stopped"),
        (("--aws", "lab", "--region", "eu-west-1"), "credentials"),
    ],
)
def test_the_first_example_says_in_one_line_what_went_wrong(
    account: Account, arguments: tuple[str, ...], why: str
) -> None:
    sim, environment = account
    sim.lightsail.add_instance("lab", state="stopped")
    done = run(OPEN_DESKTOP, *arguments, **environment)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("GUI session of")]
    assert line.startswith("open_desktop.py: ")
    assert why in line


def test_the_classroom_keeps_its_desktops_until_the_lesson_ends(tmp_path: Path) -> None:
    urls = tmp_path / "urls.csv"
    with at_a_terminal(CLASSROOM, cwd=tmp_path) as (script, keyboard):
        assert line_of(script, "29 desktops are open") == "Their URLs are in urls.csv"
        assert urls.stat().st_mode & 0o777 == 0o600
        lines = list(csv.DictReader(urls.read_text().splitlines()))
        assert {line["student"] for line in lines} == {f"student-{n}" for n in range(2, 31)}
        assert all(opens(line["url"]) and line["works until"] for line in lines)
        os.write(keyboard, b"\n")
        said = "".join(script.communicate(timeout=30))
    # One student has no computer.
    assert script.returncode == 1
    assert "classroom.py: student-1: CreateGUISessionAccessDetails: The Instance does not" in said
    assert "29 of 30 done, 1 failed" in said
    assert "29 of 29 done" in said
    assert "authToken" not in said
    assert not urls.exists()


def test_the_classroom_opens_and_closes_the_computers_of_an_account(
    account: Account, tmp_path: Path
) -> None:
    sim, environment = account
    for name in ("ada", "grace"):
        sim.lightsail.add_instance(name, state="stopped")
    urls = tmp_path / "lesson.csv"
    names = ("--aws", "ada", "grace", *ACCOUNT)
    opened = run(CLASSROOM, *names, "--start", "--urls", urls, **environment)
    assert opened.returncode == 0, opened.stderr
    lines = list(csv.DictReader(urls.read_text().splitlines()))
    assert len(lines) == 2
    assert all(sim.accepts(line["url"]) for line in lines)
    assert "authToken" not in opened.stdout + opened.stderr

    closed = run(CLASSROOM, *names, "--close", **environment)
    assert closed.returncode == 0, closed.stderr
    assert not any(sim.accepts(line["url"]) for line in lines)


def test_the_classroom_writes_over_no_file(account: Account, tmp_path: Path) -> None:
    sim, environment = account
    urls = tmp_path / "urls.csv"
    urls.write_text("of the last lesson")
    done = run(CLASSROOM, "--aws", "ada", "--urls", urls, *ACCOUNT, **environment)
    assert done.returncode == 1
    assert done.stderr == f"classroom.py: [Errno 17] File exists: '{urls}'\n"
    assert urls.read_text() == "of the last lesson"
    assert sim.requests == []


def test_the_tests_of_a_script_pass(tmp_path: Path) -> None:
    # The settings of this project must not apply.
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n")
    done = run("-m", "pytest", "-q", "-c", settings, EXAMPLES / "test_my_script.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
