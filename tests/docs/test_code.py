"""The code in the pages runs."""

import io
import json
import logging
import os
import re
import shlex
import time
import tomllib
import webbrowser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
from snippets import ROOT, Block, blocks, pages, pattern, run_block

import dcvsessions
from dcvsessions.__main__ import main
from dcvsessions.simulator import Scenario, Simulator, Timings, serve_in_thread

BLOCKS = [block for page in pages() for block in blocks(page)]

# Blocks that are no code, and what reads them.
SHOWN = {"text", "ini", "docker", "dockerfile"}
RUN = {"python", "pycon", "sh", "console", "json", "toml"}

# Python that is not run, by page. The page gives the reason before the block.
NOT_RUN = {
    "docs/explanation/scale.md": 1,
    # Django, Flask and FastAPI are not installed for the tests.
    "docs/how-to/frameworks.md": 4,
}

# Another test runs the Python of these pages.
RUN_BY_ANOTHER_TEST = {
    "README.md": "test_readme.py",
    "docs/how-to/test-your-code.md": "test_pytest_plugin.py",
}

# Commands that are not run here: the first words, and why.
RUN_ELSEWHERE = {
    "python3 -m venv": ".ci/run runs the README's commands",
    ".venv-dev/bin/": ".ci/run runs the same",
    "python -m dcvsessions.simulator": "serves until a signal: tests/simulator",
    "python -m benchmarks": "tests/test_benchmarks.py",
    "python -m sphinx": "tests/docs/test_site.py",
    "python scripts/record_terminal.py": "tests/test_readme.py",
    "python scripts/cut_endpoints.py": "tests/test_light_start.py",
    "export ": "an output that is shown as a command",
    "aws ": "tests/clients/test_cli.py",
    "curl ": "tests/clients/test_curl.py",
    "pytest ": ".ci/run runs the tests",
    "pip install": "needs a package index",
    "mutmut ": "takes half an hour",
    "DCV_CONTRACT=aws": "needs an AWS account",
    "control": "tests/simulator/test_simulator_process.py",
}

# The settings of a profile, and of a simulator's environment.
KEYS = ("aws_access_key_id", "aws_secret_access_key")


def in_language(*languages: str) -> dict[str, list[Block]]:
    """Return the blocks of each page that have to run."""
    found: dict[str, list[Block]] = {}
    for block in BLOCKS:
        if block.language in languages and block.not_run is None:
            found.setdefault(block.page, []).append(block)
    return found


PYTHON = in_language("python", "pycon")


def test_every_block_names_its_language() -> None:
    assert [f"{each}: {each.language}" for each in BLOCKS if each.language not in RUN | SHOWN] == []


def test_the_blocks_that_are_not_run_are_known() -> None:
    assert Counter(block.page for block in BLOCKS if block.not_run) == NOT_RUN


@pytest.mark.parametrize(("page", "test"), RUN_BY_ANOTHER_TEST.items())
def test_the_other_tests_read_their_pages(page: str, test: str) -> None:
    assert Path(page).name in (ROOT / "tests" / test).read_text(encoding="utf-8")


@pytest.fixture
def viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a stand-in for the native viewer on PATH."""
    program = tmp_path / "dcvviewer"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.fixture
def log_level() -> Iterator[None]:
    """Undo what a page sets."""
    logger = logging.getLogger("dcvsessions")
    before = logger.level
    yield
    logger.setLevel(before)


@contextmanager
def in_real_time() -> Iterator[None]:
    """Point the environment at a simulator in a thread, for code that blocks its own thread."""
    with served() as sim, pytest.MonkeyPatch.context() as patch:
        for name, value in {**sim.environ, "DCVSESSIONS_POLL_INTERVAL": "0.05"}.items():
            patch.setenv(name, value)
        yield


@contextmanager
def served() -> Iterator[Simulator]:
    with serve_in_thread(Simulator(timings=Timings.instant())) as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        yield sim


@pytest.mark.looptime(start=time.monotonic)
@pytest.mark.usefixtures("viewer", "log_level")
@pytest.mark.parametrize("page", sorted(PYTHON.keys() - RUN_BY_ANOTHER_TEST))
async def test_the_python_of_a_page_runs(
    page: str,
    sim: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda *_: True)
    monkeypatch.chdir(tmp_path)
    profile = tmp_path / "credentials"
    keys = (f"{name}={sim.environ[name.upper()]}" for name in KEYS)
    profile.write_text("\n".join(["[default]", *keys]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profile))
    for name in ("student-1", "student-2", "student-3"):
        sim.lightsail.add_instance(name)
    # The package imports a name when it is first used.
    names = {name: getattr(dcvsessions, name) for name in dcvsessions.__all__} | {"sim": sim}
    with mock.patch.dict(os.environ):
        for block in PYTHON[page]:
            await run_block(block, names, in_real_time)


@pytest.mark.parametrize("page", in_language("json", "toml"))
def test_the_data_of_a_page_can_be_read(page: str, tmp_path: Path) -> None:
    for block in in_language("json", "toml")[page]:
        read = json.loads if block.language == "json" else tomllib.loads
        assert read(block.source), block
        if "[[lightsail.instances]]" in block.source:
            file = tmp_path / "scenario.toml"
            file.write_text(block.source)
            assert Scenario.load(file).lightsail.instances


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a block, and what the page shows as its output."""
    source = block.source.replace("\\\n", "")
    if block.language == "sh":
        yield from ((line, "") for line in source.splitlines() if line.strip(" #"))
        return
    for part in re.split(r"^\$ ", source, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def expected(output: str) -> str:
    """Return a pattern in which a number stands for any other number."""
    return re.sub(r"\d+", r"\\d+", pattern(output))


def is_run_elsewhere(block: Block, command: str) -> bool:
    if block.language == "sh" and "control()" in block.source:
        return True
    return command.startswith(tuple(RUN_ELSEWHERE))


RUN_HERE = {
    page: [
        (block, command, output)
        for block in found
        for command, output in commands(block)
        if not is_run_elsewhere(block, command)
    ]
    for page, found in in_language("sh", "console").items()
}


@pytest.mark.parametrize("page", [page for page, found in RUN_HERE.items() if found])
def test_the_commands_of_a_page_run(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr(webbrowser, "_browsers", {})
    monkeypatch.setattr(webbrowser, "_tryorder", None)  # so that BROWSER is read anew
    with in_real_time():
        for block, command, output in RUN_HERE[page]:
            program, *arguments = shlex.split(command, comments=True)
            assert program == "dcvsessions", f"{block}: {command}"
            printed = io.StringIO()
            with redirect_stdout(printed), redirect_stderr(printed):
                status = main(arguments)
            said = printed.getvalue()
            assert status == 0, f"{block}: {command}\n{said}"
            assert re.search(expected(output), said, re.DOTALL), f"{block}\n{said}"
