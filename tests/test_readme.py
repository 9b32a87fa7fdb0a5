"""The README's code runs, its links lead somewhere, and its picture can be shown to anybody."""

import ast
import asyncio
import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from snippets import pattern

from dcvsessions import DcvUrl
from dcvsessions.simulator import Simulator, Timings, serve_in_thread

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = ROOT / "docs" / "images" / "terminal.svg"
REPOSITORY = "https://github.com/dcvsessions/dcvsessions/"
# Where the README's links to files of this project begin.
FILES = (
    f"{REPOSITORY}blob/main/",
    f"{REPOSITORY}tree/main/",
    "https://raw.githubusercontent.com/dcvsessions/dcvsessions/main/",
)
SCRIPT, *IN_A_COROUTINE = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
HOUR = 3600.0


def test_its_script_opens_a_desktop(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    with serve_in_thread(Simulator(timings=Timings.instant())) as sim:
        sim.lightsail.add_instance("my-computer", state="stopped")
        settings = {"BROWSER": str(browser), "DCVSESSIONS_POLL_INTERVAL": "0.02"}
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, **sim.environ, **settings},
            timeout=60,
            check=True,
        )
        assert sim.accepts(opened.read_text())


class Reader:
    """Runs the README's blocks, one after another, until they end or some hours have passed."""

    def __init__(self, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[bool] = []
        self._names: dict[str, Any] = {}
        monkeypatch.setattr(DcvUrl, "open", lambda url: self.opened.append(sim.accepts(url)))

    async def run(self, source: str, *, hours: float) -> None:
        code = compile(source, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result: Awaitable[None] | None = eval(code, self._names)  # noqa: S307 - our own README
        if result is not None:
            await asyncio.wait_for(result, hours * HOUR)


@pytest.mark.looptime(start=time.monotonic)
async def test_its_blocks_keep_desktops_usable_for_hours(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ada", "grace"):
        sim.lightsail.add_instance(name, state="stopped")
    reader = Reader(sim, monkeypatch)
    kept, studio, many = IN_A_COROUTINE

    with pytest.raises(TimeoutError):
        await reader.run(kept, hours=2.5)
    assert reader.opened == [True, True, True]
    assert sim.lightsail.instances["my-computer"].status == "stopped"

    with pytest.raises(TimeoutError):
        await reader.run(studio, hours=0.5)
    assert len(reader.opened) > 10
    assert all(reader.opened)
    assert [each.state for each in sim.nimble.sessions.values()] == ["DELETE_IN_PROGRESS"]

    await reader.run(many, hours=0.5)
    assert set(capsys.readouterr().out.splitlines()) == {"ada is ready", "grace is ready"}


def test_its_first_command_prints_what_it_shows_and_does_not_wait_without_a_terminal() -> None:
    [shown] = re.findall(r"^```text\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    [command] = re.findall(r"<!-- demo -->\n```sh\n(.*)\n```", README)
    *_, script = command.split()
    done = subprocess.run(
        [sys.executable, script],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=True,
    )
    expected = numbers_and_ids_vary(pattern(shown))
    assert re.fullmatch(expected, done.stdout.strip(), re.DOTALL), done.stdout


def numbers_and_ids_vary(pattern: str) -> str:
    pattern = re.sub(r"\\#[A-Za-z0-9]{20,}", r"\\#\\w+", pattern)
    return re.sub(r"\d+", r"\\d+", pattern)


def test_the_commands_for_ci_can_be_found() -> None:
    for name in ("demo", "test"):
        [command] = re.findall(rf"<!-- {name} -->\n```sh\n(.*)\n```", README)
        assert command.startswith("python3 -m venv ")


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"https?://[^\s)\]]+", README)
    ours = [(link, prefix) for link in links for prefix in FILES if link.startswith(prefix)]
    assert len(ours) > 5
    assert not [link for link, prefix in ours if not (ROOT / link.removeprefix(prefix)).exists()]
    # A package index does not know what a relative link is relative to.
    targets = re.findall(r"\]\(([^)]+)\)|^\[[^]]+\]: (\S+)", README, re.MULTILINE)
    assert all("".join(target).startswith(("https://", "#")) for target in targets)


def test_every_reference_is_defined_and_used() -> None:
    defined = set(re.findall(r"^\[([^]]+)\]: ", README, re.MULTILINE))
    used = set(re.findall(r"\]\[([^]]+)\]", README))
    assert defined == used


def test_its_picture_asks_no_other_host_and_holds_no_token() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    ET.fromstring(text)  # noqa: S314 - our own picture
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in text
    assert "authToken" not in text


def test_its_picture_ends_with_all_commands() -> None:
    text = PICTURE.read_text(encoding="utf-8")
    last = [line for line in text.splitlines() if line.startswith("<g ") and "hidden" not in line]
    shown = "\n".join("".join(re.findall(r">([^<]+)</text>", line)) for line in last)
    for command in recorder().COMMANDS:
        assert f"$ {command}\n" in shown
    assert "The session of my-computer is stopped." in shown


def recorder() -> ModuleType:
    path = ROOT / "scripts" / "record_terminal.py"
    spec = importlib.util.spec_from_file_location("record_terminal", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_recording_shows_a_line_for_the_time_that_it_stays() -> None:
    record = recorder()
    one, other = ((record.Run(0, text, "red"),) for text in ("one", "other"))
    nothing = ((),) * (record.LINES - 1)
    screens = [
        record.Screen(0.0, ((), *nothing)),
        record.Screen(1.0, (one, *nothing)),
        record.Screen(1.5, (one, *nothing)),
        record.Screen(2.0, (other, *nothing)),
    ]
    assert record.rows_shown(screens, 5.0) == [
        record.Shown(0, one, 1.0, 2.0),
        record.Shown(0, other, 2.0, 5.0),
    ]


def test_a_recording_runs_the_command_in_a_terminal() -> None:
    record = recorder()
    terminal = record.Terminal({})
    terminal.run("dcvsessions --version")
    first, second, *_ = terminal.screens[-1].rows
    assert [run.text for run in first] == ["$", " dcvsessions --version"]
    assert second[0].text.startswith("dcvsessions ")


def test_a_recording_refuses_a_command_that_fails() -> None:
    with pytest.raises(SystemExit, match="dcvsessions nonsense ended with 2"):
        recorder().Terminal({}).run("dcvsessions nonsense")
