"""Fixtures that put the simulator behind a user's tests.

Opt in by name, in ``conftest.py`` or in the test module::

    pytest_plugins = ["dcvsessions.simulator.pytest_plugin"]


    def test_my_script(dcv_simulator, dcv_environ):
        dcv_simulator.lightsail.add_instance("my-computer")
        my_script.main()
        assert dcv_simulator.calls("StartGUISession")

The marker that `dcv_simulator` reads is known to ``--strict-markers`` if the plugin is named in
``conftest.py``.

An asynchronous test that pytest-asyncio runs in an event loop of its own gets a simulator in that
loop, so that virtual time holds for both. Any other test gets one in a thread.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
from typing import TYPE_CHECKING

import pytest

from dcvsessions.simulator.server import Simulator
from dcvsessions.simulator.thread import serve_in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# Without it no test runs in an event loop that we could join.
_HAS_PYTEST_ASYNCIO = importlib.util.find_spec("pytest_asyncio") is not None

_MARKER = "dcv_simulator"
#: What would lead a client past `AWS_ENDPOINT_URL`, or to other credentials.
_IN_THE_WAY = (
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
    """Register the marker.

    Args:
        config: pytest's configuration.
    """
    config.addinivalue_line(
        "markers", f"{_MARKER}(**options): the arguments of the Simulator that a test gets"
    )


@pytest.fixture
def dcv_simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A running `Simulator` with nothing in it yet.

    Its arguments are those of the marker ``@pytest.mark.dcv_simulator(speed=10)``, if any.

    Yields:
        The simulator.
    """
    if _is_asyncio_test(request):
        yield request.getfixturevalue("_dcv_simulator_in_the_loop")
        return
    with serve_in_thread(_make(request)) as simulator:
        yield simulator


@pytest.fixture
def dcv_environ(dcv_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of the process, changed for the test so that AWS clients use the simulator.

    Returns:
        The variables that were set, secret key included.
    """
    for name in _IN_THE_WAY:
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
    """Whether the test runs in an event loop of its own, for a simulator to run in too.

    A loop that a whole module or session shares is not run between its tests: for those the
    simulator has a thread.
    """
    marker = request.node.get_closest_marker("asyncio") if _HAS_PYTEST_ASYNCIO else None
    if marker is None or not inspect.iscoroutinefunction(request.function):
        return False
    default = request.config.getini("asyncio_default_test_loop_scope")
    return (marker.kwargs.get("loop_scope") or default or "function") == "function"


if _HAS_PYTEST_ASYNCIO:
    import pytest_asyncio

    @pytest_asyncio.fixture(loop_scope="function")
    async def _dcv_simulator_in_the_loop(
        request: pytest.FixtureRequest,
    ) -> AsyncIterator[Simulator]:
        async with _make(request) as simulator:
            yield simulator
