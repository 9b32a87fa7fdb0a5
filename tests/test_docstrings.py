"""The examples in docstrings run, also those with `await`."""

import ast
import doctest
import inspect
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

import dcvsessions
from dcvsessions import DcvUrl, NimbleClient
from dcvsessions.simulator import Simulator

# doctest cannot run these, because they await.
PUBLIC = [
    dcvsessions.LightsailClient,
    dcvsessions.NimbleClient,
    dcvsessions.GuiDesktop.url,
    dcvsessions.GuiDesktop.urls,
    dcvsessions.gui_session,
    dcvsessions.streaming_session,
    dcvsessions.existing_streaming_session,
    dcvsessions.open_gui_session,
    dcvsessions.close_gui_session,
    dcvsessions.open_streaming_session,
    dcvsessions.open_stream,
    dcvsessions.close_streaming_session,
    dcvsessions.open_gui_sessions,
    dcvsessions.close_gui_sessions,
    dcvsessions.open_streaming_sessions,
    dcvsessions.close_streaming_sessions,
]


def examples(documented: Any) -> Iterator[str]:
    text = inspect.getdoc(documented) or ""
    yield from (example.source for example in doctest.DocTestParser().get_examples(text))


def test_every_public_helper_has_an_example() -> None:
    functions = {
        getattr(dcvsessions, name)
        for name in dcvsessions.__all__
        if inspect.isfunction(getattr(dcvsessions, name))
    }
    assert functions <= {*PUBLIC}
    assert dcvsessions.StreamingDesktop.url is dcvsessions.GuiDesktop.url
    assert dcvsessions.StreamingDesktop.urls is dcvsessions.GuiDesktop.urls
    assert all([*examples(documented)] for documented in PUBLIC)


@pytest.mark.looptime(start=time.monotonic)
@pytest.mark.parametrize("documented", PUBLIC, ids=lambda it: it.__qualname__)
async def test_the_examples_of_a_docstring_run(
    documented: Any, sim: Simulator, nimble: NimbleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    monkeypatch.setattr(DcvUrl, "open", lambda url: opened.append(sim.accepts(url)))
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    # The package imports a name when it is first used.
    public = {name: getattr(dcvsessions, name) for name in dcvsessions.__all__}
    names = {**public, "session_id": made.session_id, "sys": sys}
    for source in examples(documented):
        code = compile(source, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if (result := eval(code, names)) is not None:  # noqa: S307 - it is our own docstring
            await result
    assert all(opened)


def test_the_example_of_an_open_enum_runs() -> None:
    assert doctest.testmod(dcvsessions._enums) == (0, 2)


def test_the_example_of_a_request_runs() -> None:
    assert doctest.testmod(dcvsessions.nimble.request) == (0, 1)
