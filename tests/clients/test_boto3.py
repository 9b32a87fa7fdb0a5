"""boto3 of today, 1.35.47, the last one that had Nimble Studio, and one that needs the endpoint.

The programs are beside this file. Each is run once with each client that it is for, in a process
and against a simulator of its own, and every scene of it is a test.
"""

import ast
import json
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
RUNS = {
    "today": ("lightsail", "lightsail_errors"),
    "1.26.90": ("old_client",),
    "1.35.47": ("lightsail", "lightsail_errors", "nimble", "nimble_errors", "nimble_waiters"),
}


def scenes(program: str) -> list[str]:
    tree = ast.parse((PROGRAMS / f"{program}.py").read_text())
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return [name for name in functions if name.startswith("test_")]


@pytest.fixture(scope="module")
def outcome(pythons, serve, run) -> Callable[[str, str, str], str | None]:
    played: dict[tuple[str, str], dict[str, str | None]] = {}

    def outcome(client: str, program: str, scene: str) -> str | None:
        if (client, program) not in played:
            python = pythons(client)
            done = run(serve(program), python, "-W", "error", PROGRAMS / f"{program}.py")
            assert done.returncode == 0, done.stderr
            played[client, program] = json.loads(done.stdout)
        return played[client, program][scene]

    return outcome


@pytest.mark.parametrize(
    ("client", "program", "scene"),
    [
        (client, program, scene)
        for client, programs in RUNS.items()
        for program in programs
        for scene in scenes(program)
    ],
)
def test_scene(outcome, client, program, scene):
    failure = outcome(client, program, scene)
    assert failure is None, failure
