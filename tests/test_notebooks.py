"""The notebooks run from a clean kernel, are stored without outputs, and show no secret."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from dcvsessions.simulator import Simulator, Timings, serve_in_thread

NOTEBOOKS = sorted((Path(__file__).parent.parent / "examples").glob("*.ipynb"))

# What the outputs of some cells have to hold.
EXPECTED = {
    "lightsail_desktop": {
        "look": "my-computer stopped",
        "open": "GUI session of my-computer: started",
        "keep": "The desktop is at DcvUrl('http://127.0.0.1:",
        "end-session": "stopped",
        "end-computer": "stopping",
    },
    "nimble_desktop": {
        "look": "studio-1 lp-1",
        "open": "READY",
        "lasts": "It leads to session",
        "keep": "works until",
        "left": "DELETED",
    },
    "classroom": {
        "open": "29 desktops are open after",
        "draw": "image/png",
        "end": "29 sessions are stopped. Errors: {}",
    },
}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "classroom",
        "lightsail_desktop",
        "nimble_desktop",
    ]


@each_notebook
def test_it_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert all(cell.outputs == [] for cell in code_cells(notebook))
    assert all(cell.execution_count is None for cell in code_cells(notebook))
    assert all(cell.metadata == {} for cell in notebook.cells)


@each_notebook
def test_it_names_its_cells(path: Path) -> None:
    # A generated id would change whenever a cell is written anew.
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)
    assert names[:2] == ["title", "settings"]
    assert all(name.replace("-", "").isalpha() for name in names)


@pytest.fixture
def outputs_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], dict[str, str]]:
    """Runs a notebook from a clean kernel, and returns the outputs of its cells."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def run(notebook: Any) -> dict[str, str]:
        NotebookClient(
            notebook, kernel_name="python3", timeout=60, resources={"metadata": {"path": tmp_path}}
        ).execute()
        return {cell.id: str(cell.outputs) for cell in code_cells(notebook)}

    return run


@each_notebook
def test_it_runs_on_the_simulator_and_shows_no_secret(
    path: Path, outputs_of: Callable[[Any], dict[str, str]]
) -> None:
    outputs = outputs_of(nbformat.read(path, as_version=nbformat.NO_CONVERT))
    assert "authToken" not in "".join(outputs.values())
    for name, expected in EXPECTED[path.stem].items():
        assert expected in outputs[name], outputs[name]


# For each notebook, the line for an account, and what a cell then shows.
ON_AN_ACCOUNT = {
    "lightsail_desktop": ('COMPUTER = "ada"', "look", "ada running"),
    "classroom": ('COMPUTERS = ["ada", "grace"]', "open", "2 desktops are open after"),
    "nimble_desktop": ('ENDPOINT_URL = "{endpoint}"', "look", "studio-2 lp-2"),
}


@each_notebook
def test_one_line_takes_it_to_an_account(
    path: Path, outputs_of: Callable[[Any], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, cell, expected = ON_AN_ACCOUNT[path.stem]
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    # To the notebook, this simulator is an account: it did not start it.
    with serve_in_thread(Simulator(timings=Timings.instant())) as account:
        account.lightsail.add_instance("ada")
        account.lightsail.add_instance("grace")
        account.nimble.add_studio("studio-2", launch_profiles=("lp-2",))
        for variable, value in account.environ.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("DCVSESSIONS_POLL_INTERVAL", "0.05")
        settings = code_cells(notebook)[0]
        first, *others = settings.source.splitlines()
        assert first.startswith(line.partition(" = ")[0] + " = None")
        settings.source = "\n".join([line.format(endpoint=account.endpoint_url), *others])
        assert expected in outputs_of(notebook)[cell]
