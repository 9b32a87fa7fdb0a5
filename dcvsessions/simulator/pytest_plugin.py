"""A pytest plugin that puts the simulator behind your tests.

pytest finds it by itself::

    import my_script


    def test_my_script(dcv_simulator, dcv_environ):
        dcv_simulator.lightsail.add_instance("my-computer")
        my_script.main()
        assert dcv_simulator.calls("StartGUISession")

The simulator runs in another thread, and its transitions take no time. So it answers any client in
any test: with and without an event loop, blocking or not. There is one exception: if a test runs in
looptime's virtual time, the simulator runs in the event loop of the test, because both need the
same clock. A blocking client hangs there.

pytest imports this module in every run. So it imports the simulator only when a test needs it.
"""

import functools
import inspect
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dcvsessions.simulator._simulator import Simulator

__all__ = ["dcv_environ", "dcv_simulator", "pytest_addoption", "pytest_configure"]

_HAS_LOOPTIME = find_spec("looptime") is not None and find_spec("pytest_asyncio") is not None

_MARKER = "dcv_simulator"
# pytest registers this module under its entry point, or under its own name if a project names it.
_PLUGIN_NAMES = ("dcvsessions", __name__)
# Seconds. The simulator answers in a few milliseconds.
_POLL_INTERVAL = "0.01"
# With these, a client would not use `AWS_ENDPOINT_URL`, or would use other credentials or another
# interval.
_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ENDPOINT_URL_LIGHTSAIL",
    "AWS_ENDPOINT_URL_NIMBLE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "DCVSESSIONS_POLL_INTERVAL",
)
_CONFIGURATION_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Block the other name of this plugin, because pytest refuses to register a module twice."""
    registered = pluginmanager.get_name(sys.modules[__name__])
    for name in _PLUGIN_NAMES:
        if name != registered:
            pluginmanager.set_blocked(name)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(**options): the arguments of the Simulator that a test gets"
    )


@pytest.fixture
def dcv_simulator(request: pytest.FixtureRequest) -> "Iterator[Simulator]":
    """A running `Simulator` without computers and studios, whose transitions take no time.

    The marker `@pytest.mark.dcv_simulator(timings=Timings(), page_size=2)` gives it arguments. All
    simulators of a process accept the same keys, because boto3 keeps the first keys that it finds.

    Yields:
        The simulator.
    """
    if _has_virtual_time(request):
        _check_loop(request)
        yield request.getfixturevalue("_dcv_simulator_in_loop")
        return
    from dcvsessions.simulator._thread import serve_in_thread  # noqa: PLC0415 - see the top

    with serve_in_thread(_make(request)) as simulator:
        yield simulator


@pytest.fixture
def dcv_environ(
    request: pytest.FixtureRequest, dcv_simulator: "Simulator", monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Point the AWS clients of this process at the simulator, for the test.

    The helpers of dcvsessions poll every 10 ms. In virtual time they keep their schedules, which
    cost no real time there.

    Returns:
        The environment variables that were set. One is the secret key.
    """
    environ = dcv_simulator.environ
    if not _has_virtual_time(request):
        environ["DCVSESSIONS_POLL_INTERVAL"] = _POLL_INTERVAL
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    for name in _CONFIGURATION_FILES:
        monkeypatch.setenv(name, os.devnull)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ


def _make(request: pytest.FixtureRequest) -> "Simulator":
    from dcvsessions.simulator._simulator import Simulator  # noqa: PLC0415 - see the top
    from dcvsessions.simulator._time.timings import Timings  # noqa: PLC0415

    access_key_id, secret_access_key = _keys()
    make = functools.partial(
        Simulator,
        timings=Timings.instant(),
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
    )
    marker = request.node.get_closest_marker(_MARKER)
    if marker is None:
        return make()
    if marker.args:
        pytest.fail(f"The marker {_MARKER} has keyword arguments only.", pytrace=False)
    return make(**marker.kwargs)


@functools.cache
def _keys() -> tuple[str, str]:
    """Return the keys of every simulator of this process."""
    from secrets import token_hex  # noqa: PLC0415 - see the top

    return f"SIMULATOR{token_hex(6).upper()}", f"not-for-aws-{token_hex()}"


def _has_virtual_time(request: pytest.FixtureRequest) -> bool:
    """Whether pytest-asyncio runs the test, and looptime makes its time virtual."""
    is_pytest_asyncio_test = (
        inspect.iscoroutinefunction(request.function)
        and request.node.get_closest_marker("asyncio") is not None
        and "anyio_backend" not in request.fixturenames
    )
    return _HAS_LOOPTIME and is_pytest_asyncio_test and _asks_for_looptime(request)


def _asks_for_looptime(request: pytest.FixtureRequest) -> bool:
    """Apply looptime's rules: its marker's argument, then its option, then its marker."""
    marker = request.node.get_closest_marker("looptime")
    if marker is not None and marker.args:
        return bool(marker.args[0])
    option = request.config.getoption("looptime", default=None)
    return marker is not None if option is None else bool(option)


def _check_loop(request: pytest.FixtureRequest) -> None:
    """Refuse a loop that several tests share: the simulator of one test cannot run in it."""
    scope = (
        request.node.get_closest_marker("asyncio").kwargs.get("loop_scope")
        or request.config.getini("asyncio_default_test_loop_scope")
        or "function"
    )
    if scope != "function":
        pytest.fail(
            "In virtual time, dcv_simulator needs an event loop that no other test uses: mark the "
            f'test @pytest.mark.asyncio(loop_scope="function"). It has loop_scope={scope!r}.',
            pytrace=False,
        )


if _HAS_LOOPTIME:
    import pytest_asyncio

    # pytest-asyncio before 0.24 refuses `loop_scope`. Other tests still run with it.
    with suppress(TypeError):

        @pytest_asyncio.fixture(loop_scope="function")
        async def _dcv_simulator_in_loop(
            request: pytest.FixtureRequest,
        ) -> "AsyncIterator[Simulator]":
            async with _make(request) as simulator:
                yield simulator
