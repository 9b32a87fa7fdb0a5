"""Time: after a suspend, at a deadline, and with an endpoint that never answers."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from second_fake import Do, Service, delayed, dripping, never, refused, replied
from second_fake.oracle import told

import dcvsessions
from dcvsessions import (
    DcvSessionsError,
    LightsailClient,
    NimbleClient,
    Progress,
    StreamingSessionRequest,
    close_gui_session,
    close_gui_sessions,
    close_streaming_session,
    close_streaming_sessions,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_gui_sessions,
    open_stream,
    open_streaming_session,
    open_streaming_sessions,
    streaming_session,
)

pytestmark = pytest.mark.looptime

DOCS = Path(dcvsessions.__file__).parent.parent / "docs"


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    async with Service.in_place_of_aws(monkeypatch) as service:
        service.add_computer("lab")
        service.add_session()  # session-1
        yield service


def now() -> float:
    return asyncio.get_running_loop().time()


async def entered(context: Any) -> Any:
    """Enter a block, and return what leaves it."""
    await context.__aenter__()
    return context


async def all_of(context: Any) -> None:
    """Take all outcomes of a call for many desktops, and raise one of their errors."""
    async with context as outcomes:
        taken = [outcome async for outcome in outcomes]
    assert taken
    for outcome in taken:
        if outcome.error:
            raise outcome.error


HELPERS: dict[str, Callable[..., Awaitable[Any]]] = {
    "open_gui_session": lambda **how: open_gui_session("lab", **how),
    "close_gui_session": lambda **how: close_gui_session("lab", **how),
    "gui_session": lambda **how: entered(gui_session("lab", **how)),
    "open_streaming_session": lambda **how: open_streaming_session(
        "studio", launch_profile_id="lp", **how
    ),
    "open_stream": lambda **how: open_stream("studio", "session-1", **how),
    "close_streaming_session": lambda **how: close_streaming_session("studio", "session-1", **how),
    "streaming_session": lambda **how: entered(
        streaming_session("studio", launch_profile_id="lp", **how)
    ),
    "existing_streaming_session": lambda **how: entered(
        existing_streaming_session("studio", "session-1", **how)
    ),
    "open_gui_sessions": lambda **how: all_of(open_gui_sessions(["lab", "none"], **how)),
    "close_gui_sessions": lambda **how: all_of(close_gui_sessions(["lab", "none"], **how)),
    "open_streaming_sessions": lambda **how: all_of(
        open_streaming_sessions(
            "studio", [StreamingSessionRequest(launch_profile_id="lp")] * 2, **how
        )
    ),
    "close_streaming_sessions": lambda **how: all_of(
        close_streaming_sessions("studio", owned_by="user", **how)
    ),
}


# --- After a suspend ---


@pytest.mark.parametrize("asleep", [100, 3600, 7200, 86400])
@pytest.mark.parametrize("later", [0, 5])
async def test_no_expired_url_of_a_stream_is_handed_out_after_a_suspend(
    fake: Service, asleep: float, later: float
) -> None:
    async with streaming_session(
        "studio", launch_profile_id="lp", expiration_in_seconds=90
    ) as desktop:
        assert fake.accepts(await desktop.url())
        await asyncio.sleep(later)
        fake.clock.suspend(asleep)
        assert fake.accepts(await desktop.url())


@pytest.mark.parametrize("asleep", [3580, 3600, 7200, 86400])
@pytest.mark.parametrize("later", [0, 5])
async def test_no_expired_url_of_a_gui_session_is_handed_out_after_a_suspend(
    fake: Service, asleep: float, later: float
) -> None:
    async with gui_session("lab") as desktop:
        assert fake.accepts(await desktop.url())
        await asyncio.sleep(later)
        fake.clock.suspend(asleep)
        assert fake.accepts(await desktop.url())


async def test_a_stream_that_expired_in_a_suspend_before_it_was_ready_is_not_handed_out(
    fake: Service,
) -> None:
    def sleeps(event: Progress) -> None:
        if len(fake.streams) == 1 and not fake.clock.suspended and "stream" in event.resource:
            fake.clock.suspend(3600)

    url = await open_stream("studio", "session-1", expiration_in_seconds=60, on_progress=sleeps)
    assert fake.clock.suspended
    assert fake.accepts(url)


async def test_a_date_of_expiry_follows_the_wall_clock(fake: Service) -> None:
    async with streaming_session(
        "studio", launch_profile_id="lp", expiration_in_seconds=90
    ) as desktop:
        await desktop.url()
        before = desktop.expires_at
        fake.clock.suspend(30)
        after = desktop.expires_at
        assert before is not None
        assert after is not None
        assert abs((after - before).total_seconds()) < 1


# --- When it ends ---


UNITS = {"s": 1, "seconds": 1, "second": 1, "minute": 60, "minutes": 60}


def documented_lateness(helper: str) -> float:
    """Return the seconds after the timeout that the page allows a helper: its row's last cell."""
    for page in sorted(DOCS.rglob("*.md")):
        for line in page.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if re.search(rf"`(desktop\.)?{helper}[`(]", cells[0]) and len(cells) > 1:
                found = re.search(r"([0-9]+) (s|seconds?|minutes?)\b", cells[-1])
                if found:
                    return float(found[1]) * UNITS[found[2]]
    pytest.fail(f"no page says how late {helper} may end")


async def slow(_: Progress) -> None:
    await asyncio.sleep(10_000)


async def rather_slow(_: Progress) -> None:
    await asyncio.sleep(7)


TROUBLE = {
    "no answer": never(),
    "no answer and no effect": never(effect=False),
    "slow answers": delayed(before=19),
    "answers just before the end": delayed(after=2.9),
    "byte by byte": dripping(0.5),
    "faults": replied(503),
    "throttled for long": refused("ThrottlingException", 429, headers={"retry-after": "9999"}),
}


async def ends(fake: Service, work: Awaitable[Any]) -> float:
    """Return the seconds that a call took; a block that it entered is left again."""
    began = now()
    entered: Any = None
    with contextlib.suppress(DcvSessionsError):
        entered = await work
    elapsed = now() - began
    if hasattr(entered, "__aexit__"):
        fake.recover()
        await entered.__aexit__(None, None, None)
    return elapsed


@pytest.mark.parametrize("timeout", [0, 5, 30])
@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("helper", HELPERS)
async def test_each_call_ends_when_the_page_says(
    fake: Service, helper: str, trouble: str, timeout: float
) -> None:
    allowed = documented_lateness(helper)
    fake.always("*", TROUBLE[trouble])
    if helper.startswith("close_gui"):
        fake.add_computer("lab", "started")
    assert await ends(fake, HELPERS[helper](timeout=timeout)) <= timeout + allowed + 0.1


@pytest.mark.parametrize(
    "operation",
    ["GetStreamingSession", "CreateStreamingSessionStream", "GetStreamingSessionStream"],
)
@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(
    "helper",
    ["open_streaming_session", "open_stream", "streaming_session", "open_streaming_sessions"],
)
async def test_errors_in_a_later_stage_do_not_make_a_call_end_later(
    fake: Service, helper: str, trouble: str, operation: str
) -> None:
    allowed = documented_lateness(helper)
    fake.always(operation, TROUBLE[trouble])
    fake.always("DeleteStreamingSession", never(effect=False))
    assert await ends(fake, HELPERS[helper](timeout=12)) <= 12 + allowed + 0.1


@pytest.mark.parametrize("callback", [slow, rather_slow])
@pytest.mark.parametrize("helper", HELPERS)
async def test_slow_callbacks_do_not_make_a_call_end_later(
    fake: Service, helper: str, callback: Callable[[Progress], Any]
) -> None:
    allowed = documented_lateness(helper)
    if helper.startswith("close_gui"):
        fake.add_computer("lab", "started")
    elapsed = await ends(fake, HELPERS[helper](timeout=12, on_progress=callback))
    assert elapsed <= 12 + allowed + 0.1


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("service", ["lightsail", "nimble"])
async def test_url_ends_within_its_timeout_and_three_seconds(
    fake: Service, service: str, trouble: str
) -> None:
    context: Any = gui_session("lab", timeout=30)
    if service == "nimble":
        context = streaming_session("studio", launch_profile_id="lp", timeout=30)
    allowed = documented_lateness("url")
    async with context as desktop:
        await asyncio.sleep(10)
        fake.always("*", TROUBLE[trouble])
        assert await ends(fake, desktop.url()) <= 30 + allowed + 0.1
        fake.recover()


# --- An endpoint that has never answered ---


NEVER_ANSWERED = 60
SPARE = 20


@pytest.fixture
async def plain_port() -> AsyncIterator[int]:
    """A server that takes connections and speaks no TLS."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 not TLS\r\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def no_such_host(*_: object, **__: object) -> object:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture(params=["refused", "dns", "tls"])
async def unreachable(
    request: pytest.FixtureRequest,
    plain_port: int,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[str, str]:
    """An endpoint that cannot be reached, and a pattern of how the cause is named."""
    match request.param:
        case "refused":
            return f"http://127.0.0.1:{unused_tcp_port}", "[Rr]efused|[Cc]onnect"
        case "tls":
            return f"https://127.0.0.1:{plain_port}", "SSL|TLS"
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    return "https://no-such-host.invalid", "[Nn]ame|DNS|resolve"


@pytest.mark.parametrize("helper", HELPERS)
async def test_an_endpoint_that_has_never_answered_ends_a_wait_after_a_minute(
    fake: Service, unreachable: tuple[str, str], helper: str
) -> None:
    endpoint, cause = unreachable
    began = now()
    with pytest.raises(DcvSessionsError) as caught:
        await HELPERS[helper](endpoint_url=endpoint)
    assert now() - began <= NEVER_ANSWERED + SPARE
    words = told(caught.value)
    assert endpoint.partition("://")[2] in words
    assert "us-west-2" in words
    assert re.search(cause, words)
    assert fake.requests == []


@pytest.mark.parametrize("helper", ["open_gui_session", "close_gui_session", "gui_session"])
async def test_lightsails_own_endpoint_that_has_no_address_ends_a_wait_after_a_minute(
    fake: Service, monkeypatch: pytest.MonkeyPatch, helper: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    began = now()
    with pytest.raises(DcvSessionsError, match="us-west-2"):
        await HELPERS[helper]()
    assert now() - began <= NEVER_ANSWERED + SPARE


async def test_connection_errors_are_absorbed_once_the_endpoint_has_answered(fake: Service) -> None:
    fake.start_time = 300
    task = asyncio.create_task(open_gui_session("lab", timeout=1200))
    await asyncio.sleep(20)
    assert fake.requests
    await fake.stop()
    await asyncio.sleep(200)
    assert not task.done()
    await fake.listen()
    assert fake.accepts(await task)


async def test_a_foreign_answer_is_an_answer_too(fake: Service) -> None:
    fake.always("*", replied(503, b"<html>"))
    began = now()
    with pytest.raises(DcvSessionsError):
        await open_gui_session("lab", timeout=300)
    assert now() - began >= 300


# --- Region names ---


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("us-east1", "us-east-1"),
        ("euwest-1", "eu-west-1"),
        ("us-east-1a", "us-east-1"),
        ("us_west_2", "us-west-2"),
    ],
)
@pytest.mark.parametrize("helper", HELPERS)
async def test_a_region_that_no_partition_allows_is_refused_before_anything_is_sent(
    fake: Service, monkeypatch: pytest.MonkeyPatch, helper: str, wrong: str, nearest: str
) -> None:
    looked_up: list[object] = []

    async def getaddrinfo(*host: object, **_: object) -> object:
        looked_up.append(host)
        return await no_such_host()

    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(DcvSessionsError, match=wrong) as caught:
        await HELPERS[helper](region_name=wrong)
    assert nearest in str(caught.value)
    assert looked_up == []


@pytest.mark.parametrize("kind", [LightsailClient, NimbleClient])
async def test_any_region_is_accepted_with_your_own_endpoint(
    fake: Service, monkeypatch: pytest.MonkeyPatch, kind: type[LightsailClient | NimbleClient]
) -> None:
    async with kind(region_name="us-east1"):
        pass
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    async with kind(region_name="my-lab", endpoint_url=fake.url):
        pass


async def test_a_region_where_the_service_is_not_known_to_be_is_said_in_the_error(
    fake: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)
    with pytest.raises(DcvSessionsError) as caught:
        await open_gui_session("lab", region_name="eu-west-9")
    assert "lightsail is not known to be in eu-west-9" in told(caught.value)
    assert "eu-west-9" in told(caught.value)


# --- on_progress hears of absorbed errors ---


@pytest.mark.parametrize("answer", [replied(503), replied(404, b"<html>"), never()])
async def test_on_progress_hears_of_absorbed_errors(fake: Service, answer: Do) -> None:
    heard: list[Progress] = []
    fake.script("CreateGUISessionAccessDetails", *[answer] * 3)
    await open_gui_session("lab", on_progress=heard.append)
    errors = [event.error for event in heard if event.error is not None]
    assert errors
    assert "CreateGUISessionAccessDetails" in str(errors[0])
    assert heard[-1].error is None
