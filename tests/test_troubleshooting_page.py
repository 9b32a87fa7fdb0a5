"""Each text that the page explains belongs to an error, of the class that the page names."""

import asyncio
import os
import re
import shutil
import socket
import sys
import time
import warnings
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

import dcvsessions
from dcvsessions import (
    DcvUrl,
    LightsailClient,
    NimbleClient,
    close_streaming_session,
    errors,
    open_gui_session,
    open_streaming_session,
)
from dcvsessions.progress import bar
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "troubleshooting.md"
SECTIONS = dict(
    re.findall(
        r"^### ([^\n]+)\n\n(.*?)(?=^##|\Z)",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
# A program does not see these as errors.
WITHOUT_ERROR = {"The browser says that the session has ended", "`ResolutionImpossible`"}

Case = Callable[[Simulator, pytest.MonkeyPatch], Awaitable[object]]


def opened(**options: Any) -> Awaitable[object]:
    return open_gui_session("my-computer", **options)


def made(**options: Any) -> Awaitable[object]:
    return open_streaming_session("studio-1", launch_profile_id="lp-1", **options)


async def used(client: LightsailClient) -> None:
    await client.get_instance_state("my-computer")


def without(*variables: str) -> Case:
    """Open a desktop without some environment variables."""

    def case(_: Simulator, patch: pytest.MonkeyPatch) -> Awaitable[object]:
        for name in variables:
            patch.delenv(name)
        return opened(region_name="nowhere" if "AWS_ENDPOINT_URL" in variables else None)

    return case


def answered(fault: Fault) -> Case:
    """Make one call that a fault strikes, each time that it is repeated."""

    async def case(sim: Simulator, _: pytest.MonkeyPatch) -> None:
        sim.inject("GetInstanceState", fault, times=None)
        async with LightsailClient() as client:
            await used(client)

    return case


def planned(**how: Any) -> Case:
    """Open a desktop whose start goes as planned."""

    def case(sim: Simulator, _: pytest.MonkeyPatch) -> Awaitable[object]:
        sim.lightsail.plan("my-computer", "StartGUISession", TransitionPlan(**how))
        return opened()

    return case


def computer_off(sim: Simulator, _: pytest.MonkeyPatch) -> Awaitable[object]:
    sim.lightsail.add_instance("off", state="stopped")
    return open_gui_session("off")


def session_failed(sim: Simulator, _: pytest.MonkeyPatch) -> Awaitable[object]:
    sim.nimble.fail_sessions(status_code="INSUFFICIENT_CAPACITY")
    return made()


def session_kept(sim: Simulator, _: pytest.MonkeyPatch) -> Awaitable[object]:
    sim.nimble.fail_streams(status_code="STREAM_FAILED")
    return made(keep_on_failure=True)


async def token_used_up(sim: Simulator, _: pytest.MonkeyPatch) -> None:
    for _try in range(2):
        await made(client_token="mine")
        for session_id in sim.nimble.alive:
            await close_streaming_session("studio-1", session_id)


async def started_twice(sim: Simulator, _: pytest.MonkeyPatch) -> None:
    await made()
    [session_id] = sim.nimble.alive
    async with NimbleClient() as client:
        await client.start_streaming_session("studio-1", session_id)


async def too_many(sim: Simulator, _: pytest.MonkeyPatch) -> None:
    sim.nimble.add_studio("small", launch_profiles=("lp-1",), session_quota=1)
    for _try in range(2):
        await open_streaming_session("small", launch_profile_id="lp-1")


def at_aws(_: Simulator, patch: pytest.MonkeyPatch) -> Awaitable[object]:
    async def no_such_host(*_: object, **__: object) -> None:
        raise socket.gaierror

    patch.delenv("AWS_ENDPOINT_URL")
    patch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    return made()


async def in_another_loop(_: Simulator, __: pytest.MonkeyPatch) -> None:
    async with LightsailClient() as client:
        await asyncio.to_thread(lambda: asyncio.run(used(client)))


async def after_its_end(_: Simulator, __: pytest.MonkeyPatch) -> None:
    async with LightsailClient() as client:
        pass
    await used(client)


async def in_a_child(_: Simulator, patch: pytest.MonkeyPatch) -> None:
    process = os.getpid()
    async with LightsailClient() as client:
        # As in a child: a test must not fork a process that has threads.
        patch.setattr(os, "getpid", lambda: process + 1)
        await used(client)


async def run_in_a_loop(_: Simulator, __: pytest.MonkeyPatch) -> None:
    desktop = open_gui_session("my-computer")
    try:
        asyncio.run(desktop)
    finally:
        desktop.close()


async def not_awaited(_: Simulator, __: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        open_gui_session("my-computer")
    [warning] = caught
    assert isinstance(warning.message, Warning)
    raise warning.message


async def bar_without_rich(_: Simulator, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "rich", None)
    with bar():
        pass


async def no_browser(_: Simulator, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(webbrowser, "open", lambda _url: False)
    DcvUrl("https://203.0.113.1:8443/").open()


async def no_viewer(_: Simulator, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shutil, "which", lambda _program: None)
    DcvUrl("https://203.0.113.1:8443/").open("viewer")


async def not_a_desktop(_: Simulator, __: pytest.MonkeyPatch) -> None:
    DcvUrl("ftp://203.0.113.1/").open()


def unreachable(_: Simulator, __: pytest.MonkeyPatch) -> Awaitable[object]:
    return DcvUrl("http://127.0.0.1:1/").wait_until_reachable(timeout=1)


async def with_boto3(_: Simulator, __: pytest.MonkeyPatch) -> None:
    boto3.client("nimble")


# How to get each error of the page, by the text in the heading.
CASES: dict[str, Case] = {
    "no usable AWS credentials": without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "no AWS region is set": without("AWS_DEFAULT_REGION"),
    "The config profile": lambda *_: opened(profile_name="lab"),
    "cannot be the name of an AWS region": without("AWS_ENDPOINT_URL"),
    "Sign in again, or renew the temporary credentials": answered(
        Fault.error("ExpiredTokenException")
    ),
    "Check which access key, secret key and profile are in use": answered(
        Fault.error("UnrecognizedClientException")
    ),
    "The clock of this machine is": answered(Fault.skewed_date(1000)),
    "The IAM policy in force does not allow it": answered(Fault.error("AccessDeniedException")),
    "NotFoundException": lambda *_: open_gui_session("no-such-computer"),
    "cannot be the name of a Lightsail resource": lambda *_: open_gui_session("no such"),
    "InvalidInputException": answered(Fault.error("InvalidInputException")),
    "The computer is stopped": computer_off,
    "StartGUISession failed": planned(ends="failedStartingGUISession", seconds=0),
    "Lightsail reports failedStartingGUISession": planned(ends="failedStartingGUISession"),
    "was accepted 3 times, and the state is": planned(ends="stopped", times=None),
    "Nimble Studio reports CREATE_FAILED": session_failed,
    "The timeout of": lambda *_: opened(timeout=0),
    "is used up": token_used_up,
    "ConflictException": started_twice,
    "ServiceQuotaExceededException": too_many,
    "is left behind": session_kept,
    "No connection could be made within": lambda *_: opened(endpoint_url="http://127.0.0.1:1"),
    "No answer. ": answered(Fault.reset()),
    "No answer in time": answered(Fault.no_answer()),
    "AWS closed Nimble Studio in 2024": at_aws,
    "names no error code of the service": answered(Fault.html(403)),
    "the answer does not match the service model": answered(Fault.truncated()),
    "ThrottlingException": answered(Fault.error("ThrottlingException")),
    "ServiceException": answered(Fault.error("ServiceException", 500)),
    "was opened in another event loop": in_another_loop,
    "was closed: make another": after_its_end,
    "is not open: use it in": lambda *_: used(LightsailClient()),
    "was opened in the parent process": in_a_child,
    "asyncio.run() cannot be called from a running event loop": run_in_a_loop,
    "was never awaited": not_awaited,
    "A progress bar needs rich": bar_without_rich,
    "No browser could be started": no_browser,
    "The DCV viewer is not on PATH": no_viewer,
    "The URL cannot be opened": not_a_desktop,
    "was not reachable within": unreachable,
    "Unknown service: 'nimble'": with_boto3,
}


@pytest.mark.looptime(start=time.monotonic)
@pytest.mark.parametrize("text", CASES)
async def test_an_error_has_the_text_and_the_class_that_the_page_names(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    section = SECTIONS[f"`{text}`"]
    with pytest.raises(Exception, match=re.escape(text)) as caught:
        await CASES[text](sim, monkeypatch)
    kind = type(caught.value)
    if isinstance(caught.value, dcvsessions.DcvSessionsError) and text != "is left behind":
        assert section.startswith(f"`{kind.__name__}`: ")
    elif kind.__module__ == "builtins":
        assert f"`{kind.__name__}`" in section


def test_every_heading_has_a_case() -> None:
    assert {*SECTIONS} - WITHOUT_ERROR == {f"`{text}`" for text in CASES}


def test_the_page_names_every_class_of_error_that_is_raised() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, dcvsessions.DcvSessionsError)
    }
    # ApiError is raised for codes that this version does not know.
    bases = {errors.WaitError, errors.ApiError}
    assert {kind.__name__ for kind in kinds - bases} <= {*re.findall(r"`(\w+)`", page)}
