"""Fixtures that put the simulator behind your tests.

Name the plugin in `conftest.py` or in a test module::

    pytest_plugins = ["dcvsessions.simulator.pytest_plugin"]


    def test_my_script(dcv_simulator, dcv_environ):
        dcv_simulator.lightsail.add_instance("my-computer")
        my_script.main()
        assert dcv_simulator.calls("StartGUISession")

Under `--strict-markers`, name it in `conftest.py`: then pytest knows the marker of `dcv_simulator`.

An asynchronous test that pytest-asyncio runs in its own event loop gets a simulator in that loop,
so that virtual time applies to both. Any other test gets one in a thread.
"""

import inspect
import os
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec

import pytest

from dcvsessions.simulator.simulator import Simulator
from dcvsessions.simulator.thread import serve_in_thread

__all__ = ["dcv_environ", "dcv_simulator", "pytest_configure"]

# Without pytest-asyncio, no test runs in an event loop that the simulator could use.
_HAS_PYTEST_ASYNCIO = find_spec("pytest_asyncio") is not None

_MARKER = "dcv_simulator"
# These lead a client past `AWS_ENDPOINT_URL`, or to other credentials.
_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ENDPOINT_URL_LIGHTSAIL",
    "AWS_ENDPOINT_URL_NIMBLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
_CONFIGURATION_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(**options): the arguments of the Simulator that a test gets"
    )


@pytest.fixture
def dcv_simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A running `Simulator`, empty.

    The marker `@pytest.mark.dcv_simulator(speed=10)` gives it arguments.

    Yields:
        The simulator.
    """
    if _is_asyncio_test(request):
        yield request.getfixturevalue("_dcv_simulator_in_loop")
        return
    with serve_in_thread(_make(request)) as simulator:
        yield simulator


@pytest.fixture
def dcv_environ(dcv_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Point the AWS clients of this process at the simulator, for the test.

    Returns:
        The environment variables that were set. One is the secret key.
    """
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    for name in _CONFIGURATION_FILES:
        monkeypatch.setenv(name, os.devnull)
    for name, value in dcv_simulator.environ.items():
        monkeypatch.setenv(name, value)
    return dcv_simulator.environ


def _make(request: pytest.FixtureRequest) -> Simulator:
    marker = request.node.get_closest_marker(_MARKER)
    return Simulator(**marker.kwargs) if marker else Simulator()


def _is_asyncio_test(request: pytest.FixtureRequest) -> bool:
    """Whether the test runs in an event loop that is its own, where the simulator can run too.

    A loop that a module or session shares does not run between its tests.
    """
    marker = request.node.get_closest_marker("asyncio") if _HAS_PYTEST_ASYNCIO else None
    if marker is None or not inspect.iscoroutinefunction(request.function):
        return False
    default = request.config.getini("asyncio_default_test_loop_scope")
    return (marker.kwargs.get("loop_scope") or default or "function") == "function"


if _HAS_PYTEST_ASYNCIO:
    import pytest_asyncio

    @pytest_asyncio.fixture(loop_scope="function")
    async def _dcv_simulator_in_loop(
        request: pytest.FixtureRequest,
    ) -> AsyncIterator[Simulator]:
        async with _make(request) as simulator:
            yield simulator
