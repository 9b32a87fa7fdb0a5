"""The AWS SDKs for Go 1 and 2, in the versions that Debian has packaged.

They are older than the GUI sessions, so they list, start and stop virtual computers only.
"""

import shutil
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
GOPATH = Path("/usr/share/gocode")
SDKS = {"go1": "aws-sdk-go", "go2": "aws-sdk-go-v2"}


@pytest.mark.parametrize("name", SDKS)
def test_flow(cupboard, serve, run, name):
    package = GOPATH / "src" / "github.com" / "aws" / SDKS[name]
    if shutil.which("go") is None or not package.exists():
        # An extra: it is for who has it, in CI too.
        pytest.skip(f"LEFT OUT: there is no golang-go and golang-github-aws-{SDKS[name]}-dev")
    program = cupboard.go_program(name, PROGRAMS / name / "main.go", GOPATH)
    done = run(serve("go"), program)
    assert done.returncode == 0, done.stderr
