"""The pytest plugin in other people's projects: pytest runs in another process, as there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "test-your-code.md"
# pytest-asyncio asks Python for the current event loop, which makes one that nobody closes.
CONFTEST = "import asyncio\nasyncio.set_event_loop(None)\n"
# Without it, pytest-asyncio warns.
ASYNCIO = "asyncio_default_fixture_loop_scope = function\n"
MODULE = "dcvsessions.simulator.pytest_plugin"
# More than the slowest machine needs, so that only a test that hangs takes as long.
LIMIT = 120
# What a user of AWS may have in the shell.
THEIRS = {"AWS_PROFILE": "theirs", "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z"}


@pytest.fixture
def run_pytest(tmp_path):
    """Run pytest on test modules; it returns its exit status and what it printed."""

    def run(*modules, ini=ASYNCIO, conftest=CONFTEST, options=(), environ=()):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        (tmp_path / "conftest.py").write_text(conftest)
        for number, module in enumerate(modules):
            (tmp_path / f"test_{number}.py").write_text(module)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-Werror", "--strict-markers", "-ra"),
                *("-p", "no:cacheprovider", *options, str(tmp_path)),
            ],
            cwd=tmp_path,
            env={**os.environ, **THEIRS, **dict(environ)},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def passes(run_pytest):
    """Run pytest, and check that this number of tests passed and nothing else happened."""

    def check(passed, *modules, **settings):
        status, said = run_pytest(*modules, **settings)
        assert (status, re.findall(r"\d+ [a-z]+", said.splitlines()[-1])) == (
            0,
            [f"{passed} passed"],
        ), said

    return check


def test_the_tests_on_the_page_pass(passes):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    passes(sum(block.count("def test_") for block in blocks), *blocks)


# --- Every kind of test ---

IN_A_LOOP = """
import asyncio
import boto3, pytest
from dcvsessions import open_gui_session, open_streaming_session

pytestmark = pytest.mark.{marker}

async def test_helpers(dcv_simulator, dcv_environ):
    dcv_simulator.lightsail.add_instance("lab")
    dcv_simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
    async with asyncio.timeout(20):  # the schedules of the helpers would take longer
        assert dcv_simulator.accepts(await open_gui_session("lab"))
        url = await open_streaming_session("studio-1", launch_profile_id="lp-1")
    assert dcv_simulator.accepts(url)

async def test_a_blocking_client(dcv_simulator, dcv_environ):
    dcv_simulator.lightsail.add_instance("lab")
    boto3.client("lightsail").start_gui_session(resourceName="lab")
    assert dcv_simulator.lightsail.instances["lab"].status == "started"
"""
ANYIO = (
    IN_A_LOOP.format(marker="anyio")
    + """
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
)
SHARED_LOOP = IN_A_LOOP.format(marker='asyncio(loop_scope="module")')


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_pytest_asyncio_and_anyio_run_asynchronous_tests(passes, mode):
    modules = [IN_A_LOOP.format(marker="asyncio"), ANYIO, SHARED_LOOP]
    passes(6, *modules, ini=f"{ASYNCIO}asyncio_mode = {mode}")


def test_anyio_runs_them_without_pytest_asyncio(passes):
    # looptime's own plugin fails without that of pytest-asyncio.
    passes(2, ANYIO, options=("-p", "no:asyncio", "-p", "no:looptime_plugin"), ini="")


def test_a_session_may_share_one_loop(passes):
    ini = f"{ASYNCIO}asyncio_default_test_loop_scope = session"
    passes(2, IN_A_LOOP.format(marker="asyncio"), ini=ini)


OTHERS = """
import asyncio, os, unittest
from concurrent.futures import ThreadPoolExecutor
import pytest
from dcvsessions import open_gui_session
from dcvsessions.simulator import Simulator, Timings

def open_desktop(name):
    return asyncio.run(open_gui_session(name, timeout=20))

def test_synchronous(dcv_simulator, dcv_environ):
    dcv_simulator.lightsail.add_instance("lab")
    assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_ENDPOINT_URL"] == dcv_environ["AWS_ENDPOINT_URL"]
    assert dcv_simulator.accepts(open_desktop("lab"))

def test_environment_is_left_as_it_was():
    assert os.environ["AWS_PROFILE"] == "theirs"
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert "DCVSESSIONS_POLL_INTERVAL" not in os.environ

def test_threads(dcv_simulator, dcv_environ):
    names = [f"lab-{number}" for number in range(4)]
    for name in names:
        dcv_simulator.lightsail.add_instance(name)
    with ThreadPoolExecutor(4) as pool:
        assert all(map(dcv_simulator.accepts, pool.map(open_desktop, names)))

class TestUnittest(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _use_simulator(self, dcv_simulator, dcv_environ):
        self.simulator = dcv_simulator

    def setUp(self):
        self.simulator.lightsail.add_instance("lab")

    def test_synchronous(self):
        self.assertTrue(self.simulator.accepts(open_desktop("lab")))

class TestUnittestInALoop(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def _use_simulator(self, dcv_simulator, dcv_environ):
        self.simulator = dcv_simulator

    async def asyncSetUp(self):
        self.simulator.lightsail.add_instance("lab")

    async def test_asynchronous(self):
        self.assertTrue(self.simulator.accepts(await open_gui_session("lab", timeout=20)))

@pytest.mark.usefixtures("dcv_environ")
class TestUnittestWithoutSimulator(unittest.TestCase):
    def test_environment(self):
        self.assertTrue(os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:"))

def test_no_time_passes(dcv_simulator):
    dcv_simulator.lightsail.add_instance("lab", status="starting")
    assert dcv_simulator.lightsail.instances["lab"].status == "started"

@pytest.mark.dcv_simulator(timings=Timings(), seed=5)
class TestOptions:
    def test_of_a_class(self, dcv_simulator):
        assert dcv_simulator._environment.identifier(5) == Simulator(
            seed=5)._environment.identifier(5)
        dcv_simulator.lightsail.add_instance("lab", status="starting")
        assert dcv_simulator.lightsail.instances["lab"].status == "starting"

    @pytest.mark.dcv_simulator(access_key_id="AKIDOFTHEIRS")
    def test_of_a_method(self, dcv_environ):
        assert dcv_environ["AWS_ACCESS_KEY_ID"] == "AKIDOFTHEIRS"
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_other_tests_use_the_simulator(passes, options):
    passes(9, OTHERS, options=options)


BOTO3 = """
import boto3, pytest
endpoints = set()

@pytest.mark.parametrize("_", range(2))
def test_the_default_session(dcv_simulator, dcv_environ, _):
    dcv_simulator.lightsail.add_instance("lab")
    boto3.client("lightsail").start_gui_session(resourceName="lab")
    assert len(dcv_simulator.calls("StartGUISession")) == 1
    endpoints.add(dcv_simulator.endpoint_url)

def test_these_were_two_simulators():
    assert len(endpoints) == 2
"""


def test_boto3_may_keep_the_keys_of_its_default_session(passes):
    passes(3, BOTO3)


# --- Virtual time ---

VIRTUAL = """
import asyncio, os
import aiohttp, pytest
from dcvsessions import open_gui_session
from dcvsessions.simulator import Timings

pytestmark = pytest.mark.asyncio

@pytest.mark.looptime
@pytest.mark.dcv_simulator(timings=Timings(gui_start=90))
async def test_the_simulator_and_the_helpers_have_one_clock(
    dcv_simulator, dcv_environ, looptime
):
    dcv_simulator.lightsail.add_instance("lab", status="starting")
    await asyncio.sleep(89.999)
    assert dcv_simulator.lightsail.instances["lab"].status == "starting"
    await asyncio.sleep(0.002)
    assert dcv_simulator.lightsail.instances["lab"].status == "started"
    assert dcv_simulator.accepts(await open_gui_session("lab"))

@pytest.mark.looptime
async def test_the_helpers_keep_their_schedules(dcv_simulator, dcv_environ, looptime):
    assert "DCVSESSIONS_POLL_INTERVAL" not in os.environ
    dcv_simulator.lightsail.add_instance("lab")
    await open_gui_session("lab")
    assert looptime > 20

@pytest.mark.looptime(False)
async def test_without(dcv_simulator, dcv_environ):
    async with aiohttp.ClientSession() as client, client.get(dcv_simulator.endpoint_url) as reply:
        assert reply.status == 404
    assert "DCVSESSIONS_POLL_INTERVAL" in os.environ
"""
VIRTUAL_IN_A_SHARED_LOOP = """
import pytest

@pytest.mark.looptime
@pytest.mark.asyncio(loop_scope="module")
async def test_in_a_shared_loop(dcv_simulator):
    pass
"""


@pytest.mark.parametrize("options", [(), ("--looptime",)])
def test_a_test_in_virtual_time_has_the_simulator_in_its_loop(passes, options):
    passes(3, VIRTUAL, options=options)


def test_looptime_may_be_switched_off(passes):
    real = IN_A_LOOP.format(marker="asyncio") + "\npytestmark = [pytestmark, pytest.mark.looptime]"
    passes(2, real, options=("--no-looptime",))


def test_virtual_time_and_a_shared_loop_are_refused(run_pytest):
    status, said = run_pytest(VIRTUAL_IN_A_SHARED_LOOP)
    assert status == 1
    assert "an event loop that no other test uses" in said
    assert "It has loop_scope='module'." in said


# --- The plugin itself ---

EMPTY = """
import pytest

@pytest.mark.dcv_simulator(page_size=2)
def test_empty(dcv_simulator):
    pass
"""
NAMED = f'pytest_plugins = ["{MODULE}"]\n'


@pytest.mark.parametrize(
    ("settings", "module"),
    [
        ({}, EMPTY),
        ({}, NAMED + EMPTY),
        ({"conftest": CONFTEST + NAMED}, EMPTY),
        ({"options": ("-p", MODULE)}, EMPTY),
        ({"environ": {"PYTEST_PLUGINS": MODULE}}, EMPTY),
        ({"options": ("-p", "no:dcvsessions"), "conftest": CONFTEST + NAMED}, EMPTY),
    ],
    ids=["found", "in a module", "in conftest", "option", "variable", "without the entry point"],
)
def test_a_project_may_name_the_plugin_too(passes, settings, module):
    passes(1, module, **settings)


def test_the_marker_has_keyword_arguments_only(run_pytest):
    status, said = run_pytest(EMPTY.replace("page_size=", ""))
    assert status == 1
    assert "The marker dcv_simulator has keyword arguments only." in said


def test_every_run_of_pytest_imports_the_plugin_and_nothing_behind_it():
    code = f"import sys, pytest, {MODULE}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=LIMIT
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.partition(".")[0] == "dcvsessions"} == {
        "dcvsessions",
        "dcvsessions._lazy",
        "dcvsessions._version",
        "dcvsessions.simulator",
        MODULE,
    }
    assert not {name.partition(".")[0] for name in loaded} & {"aiohttp", "attr", "botocore"}
