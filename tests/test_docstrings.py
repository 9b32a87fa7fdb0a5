"""The examples in docstrings run, also those with `await`."""

import asyncio
import doctest
import inspect
import os
import pkgutil
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from unittest import mock

import pytest
from snippets import run_examples

import dcvsessions
from dcvsessions import DcvUrl, NimbleClient
from dcvsessions.simulator import Simulator


def documented() -> Iterator[doctest.DocTest]:
    """Yield the examples of each docstring of the package."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in pkgutil.walk_packages(dcvsessions.__path__, "dcvsessions."):
        if not module.name.endswith("__main__"):
            yield from finder.find(import_module(module.name), module.name)


EXAMPLES = [found for found in documented() if found.examples]


def test_every_public_helper_has_an_example() -> None:
    functions = {
        f"{value.__module__}.{name}"
        for name in dcvsessions.__all__
        if inspect.isfunction(value := getattr(dcvsessions, name))
    }
    assert functions
    assert functions <= {found.name for found in EXAMPLES}


@pytest.mark.looptime(start=time.monotonic)
@pytest.mark.parametrize("found", EXAMPLES, ids=lambda found: found.name)
async def test_the_examples_of_a_docstring_run(
    found: doctest.DocTest, sim: Simulator, nimble: NimbleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(sim.accepts(url)) or True)
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    # The package imports a name when it is first used.
    public = {name: getattr(dcvsessions, name) for name in dcvsessions.__all__}
    ready = {"asyncio": asyncio, "os": os, "session_id": made.session_id, "sim": sim, "sys": sys}
    names = {**found.globs, **public, **ready}
    with mock.patch.dict(os.environ):
        await run_examples(found.examples, names, found.name)
    assert all(opened) or found.name.startswith(DcvUrl.__module__)
