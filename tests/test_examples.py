"""Every example runs."""

import ast
import asyncio
import json
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from virtual_loop import new_virtual_loop

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_example_is_run_here() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {
        "classroom.py",
        "open_desktop.ipynb",
        "open_desktop.py",
        "test_my_script.py",
    }


def test_the_script_that_opens_desktops_prints_a_url_of_each_service() -> None:
    said = run(str(EXAMPLES / "open_desktop.py")).splitlines()
    for state in ("notStarted", "starting", "started", "CREATE_IN_PROGRESS", "READY"):
        assert any(f": {state}" in line for line in said), state
    assert said[-2].startswith("Lightsail for Research: http://127.0.0.1:")
    assert said[-1].startswith("Nimble Studio:          http://127.0.0.1:")


def test_the_script_of_a_classroom_opens_all_desktops_and_ends_them() -> None:
    said = run(str(EXAMPLES / "classroom.py"))
    # Each student gets one of each service, but one of them has no virtual computer.
    assert said.count("DcvUrl('http://127.0.0.1:") == 59
    assert "student-1: CreateGUISessionAccessDetails: The Instance does not exist" in said
    assert "29 of 30 done, 1 failed" in said
    assert "Sessions that are left: []" in said
    assert "authToken" not in said


def test_the_tests_of_a_script_pass(tmp_path: Path) -> None:
    # The settings of this project must not apply.
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n")
    said = run("-m", "pytest", "-q", "-c", str(settings), str(EXAMPLES / "test_my_script.py"))
    assert "2 passed" in said


def test_the_cells_of_the_notebook_run(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a notebook, the cells run one after another, with top-level await.
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
    notebook = json.loads((EXAMPLES / "open_desktop.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells)
    with asyncio.Runner(loop_factory=new_virtual_loop) as runner:
        names = runner.run(run_cells("".join(cell["source"]) for cell in cells))
    assert "authToken" not in names["url"]._repr_html_()
    assert "authToken" not in names["desktop"]._repr_html_()


async def run_cells(sources: Any) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for source in sources:
        code: CodeType = compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)  # noqa: S307 - the notebook of this repository
        if result is not None:
            await result
    return names
