"""The AWS SDK for JavaScript.

Version 3: one for Node.js 20, and the last one that had Nimble Studio. Version 2: its last one.
"""

import shutil
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "javascript.cjs"


@pytest.fixture(scope="module")
def install(cupboard):
    if shutil.which("npm") is None:  # an extra: it is for who has it, in CI too
        pytest.skip("LEFT OUT: there is no Node.js")
    return cupboard.node_modules


@pytest.fixture(scope="module")
def node_modules(install):
    return install(
        "javascript", "@aws-sdk/client-lightsail@3.1169.0", "@aws-sdk/client-nimble@3.523.0"
    )


@pytest.fixture(scope="module")
def node_modules_2(install):
    return install("javascript2", "aws-sdk@2.1693.0")


@pytest.fixture(scope="module")
def served(install, serve):
    return serve("javascript")


@pytest.mark.parametrize("service", ["lightsail", "nimble"])
def test_flow(node_modules, served, run, service):
    done = run(served, "node", PROGRAM, service, environ={"NODE_PATH": str(node_modules)})
    assert done.returncode == 0, done.stderr


def test_a_test_that_uses_the_admin_interface(node_modules, served, run):
    program = PROGRAM.with_name("control.cjs")
    done = run(served, "node", program, environ={"NODE_PATH": str(node_modules)})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("flow", ["lightsail", "nimble", "without_an_endpoint"])
def test_flow_with_version_2(node_modules_2, served, run, flow):
    program = PROGRAM.with_name("javascript2.cjs")
    done = run(served, "node", program, flow, environ={"NODE_PATH": str(node_modules_2)})
    assert done.returncode == 0, done.stderr
