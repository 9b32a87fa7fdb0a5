"""What the page on frameworks and threads shows, in new threads and event loops."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dcvsessions import ClientStateError, LightsailClient, open_gui_session
from dcvsessions.simulator import Simulator, Timings, serve_in_thread

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "frameworks.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
NAMES = [f"student-{number}" for number in range(1, 5)]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator in a thread: the code of the page blocks its own thread."""
    with serve_in_thread(Simulator(timings=Timings.instant())) as sim:
        for name in ("my-computer", *NAMES):
            # A session that is started needs no wait.
            sim.lightsail.add_instance(name, status="started")
        for name, value in sim.environ.items():
            monkeypatch.setenv(name, value)
        yield sim


def shown(name: str) -> Any:
    """Run the block that defines a name, and return what it defines."""
    defines = re.compile(rf"^(def|class) {name}\b", re.MULTILINE)
    [block] = filter(defines.search, BLOCKS)
    names: dict[str, Any] = {"__name__": "page"}
    exec(block, names)  # noqa: S102 - it is our own page
    return names[name]


def test_a_function_without_async_opens_a_desktop_in_any_thread(served: Simulator) -> None:
    desktop_url = shown("desktop_url")
    with ThreadPoolExecutor() as pool:
        urls = [*pool.map(desktop_url, NAMES)]
    assert all(map(served.accepts, urls))
    assert len({*urls}) == len(NAMES)


def test_a_request_gets_nothing_until_the_desktop_is_ready(
    served: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop_url_if_ready = shown("desktop_url_if_ready")
    served.lightsail.set_status("my-computer", "starting")

    def at_once(name: str, *, timeout: float) -> Any:
        assert timeout == 5
        return open_gui_session(name, timeout=0)

    monkeypatch.setitem(desktop_url_if_ready.__globals__, "open_gui_session", at_once)
    assert desktop_url_if_ready("my-computer") is None
    served.lightsail.set_status("my-computer", "started")
    assert served.accepts(desktop_url_if_ready("my-computer"))


def test_all_threads_share_the_client_of_one_loop(served: Simulator) -> None:
    with shown("Desktops")() as desktops, ThreadPoolExecutor() as pool:
        assert all(served.accepts(url) for url in pool.map(desktops.open, NAMES))
    assert not desktops._thread.is_alive()


def test_a_client_is_refused_in_another_loop(served: Simulator) -> None:
    client = LightsailClient(endpoint_url=served.endpoint_url)

    async def opened() -> None:
        await client.__aenter__()

    async def used() -> None:
        await client.get_instance_state("my-computer")

    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(opened())
        with pytest.raises(ClientStateError, match="another event loop"):
            second.run(used())
        first.run(client.__aexit__(None, None, None))
