"""No object, error or log record shows a secret: each is searched for the secrets of the test.

The tokens, the secret key and the session token have the same unusual word in them, which no
encoding of a URL changes. The signatures are those that arrive at the simulator.
"""

import asyncio
import base64
import functools
import gc
import io
import itertools
import json
import logging
import pprint
import re
import reprlib
import secrets
import string
import subprocess
import sys
import traceback
import types
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import pytest
import rich.console
import rich.pretty
import rich.traceback
from aiobotocore.session import AioSession, get_session
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_loop import new_virtual_loop

import dcvsessions
from dcvsessions import (
    ApiError,
    ConnectionFailedError,
    DcvSessionsError,
    DcvUrl,
    InvalidArgumentError,
    InvalidResponseError,
    LightsailClient,
    NimbleClient,
    OpenError,
    StreamingSessionRequest,
    WaitError,
    close_gui_session,
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
from dcvsessions._secrets import logs
from dcvsessions._wait import loop
from dcvsessions._wait.decisions import Done, Observation
from dcvsessions.dcv import _url as url
from dcvsessions.lightsail._states import Reading
from dcvsessions.nimble._states import UsableStream
from dcvsessions.simulator import Fault, Simulator, Timings
from dcvsessions.simulator import _gateway as gateway

WORD = "Kanary"
SECRET_KEY = "Key+Kanary/Kanary"
SESSION_TOKEN = "Session+Kanary/=="
PACKAGE = Path(dcvsessions.__file__).parent

Journey = Callable[..., Coroutine[Any, Any, object]]


def base64_forms(text: str) -> list[str]:
    """The text as it looks in the Base64 of a longer text, without the characters at its ends."""
    return [
        base64.b64encode(b"\0" * shift + text.encode())[4:-4].decode().rstrip("=")
        for shift in (0, 1, 2)
    ]


WORDS = (WORD, WORD.encode().hex(), *base64_forms(WORD * 2))


class Canaries:
    """The secrets of a test, to be looked for in texts."""

    def __init__(self) -> None:
        self.signatures: set[str] = set()

    def in_(self, text: str) -> list[str]:
        words = {word for word in WORDS if word in text}
        words |= self.signatures.intersection(re.findall("[0-9a-f]{64}", text))
        return [text[max(0, text.find(word) - 200) :][:300] for word in words]

    def stay_out_of(self, error: BaseException) -> None:
        assert not self.in_(renderings(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            pending += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]


def with_locals(error: BaseException) -> str:
    rendered = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(rendered.format())


def renderings(error: BaseException) -> str:
    """An error in every way that people print it.

    The first frames of its traceback are those of the test, which holds secrets: they are left out.
    """
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    error = error.with_traceback(frames)
    texts = [with_locals(error), "".join(traceback.format_exception(error))]
    for link in chain(error):
        texts += [str(link), repr(link), repr(link.args), repr(vars(link))]
    return "\n".join(texts)


class Locals(logging.Formatter):
    """Renders the locals of tracebacks, as many error reporters do."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{super().format(record)}\n{vars(record)!r}"
        if record.exc_info and record.exc_info[1]:
            text += with_locals(record.exc_info[1])
        return text


@contextmanager
def root_handler() -> Generator[io.StringIO, None, None]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Locals("%(name)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield stream
    finally:
        root.removeHandler(handler)


@pytest.fixture
def debug() -> Iterator[io.StringIO]:
    """The root logger's output at DEBUG, locals and all."""
    root, asyncios = logging.getLogger(), logging.getLogger("asyncio")
    before = root.level, asyncios.level
    root.setLevel(logging.DEBUG)
    asyncios.setLevel(logging.DEBUG)
    with root_handler() as stream:
        yield stream
    root.setLevel(before[0])
    asyncios.setLevel(before[1])


@pytest.fixture
def collected() -> Iterator[None]:
    """Collects the garbage that an interruption leaves, before the next test."""
    yield
    gc.collect()


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Canaries:
    return planted(monkeypatch)


def planted(monkeypatch: pytest.MonkeyPatch) -> Canaries:
    """Put secrets in all tokens, and note the signatures that arrive."""
    found = Canaries()
    number = itertools.count()
    verify = gateway.verify

    def noting(request: Any, *args: Any) -> Any:
        found.signatures |= set(re.findall("Signature=(.+)", request.headers["authorization"]))
        return verify(request, *args)

    monkeypatch.setattr(gateway, "verify", noting)
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _=0: f"{WORD}{next(number)}+/{WORD}=")
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)
    return found


@asynccontextmanager
async def world(environ: pytest.MonkeyPatch, **options: Any) -> AsyncIterator[Simulator]:
    async with Simulator(
        timings=Timings(),
        access_key_id="AKIDEXAMPLE",
        secret_access_key=SECRET_KEY,
        session_token=SESSION_TOKEN,
        **options,
    ) as simulator:
        simulator.lightsail.add_instance("my-computer")
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in simulator.environ.items():
            environ.setenv(name, value)
        yield simulator


@pytest.fixture
async def sim(canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    async with world(monkeypatch) as simulator:
        yield simulator


# Each of these gets a URL in another way.


async def opened_gui(on_progress: Any = None) -> object:
    return await open_gui_session("my-computer", on_progress=on_progress, check_reachable=True)


async def held_gui(on_progress: Any = None) -> object:
    async with gui_session("my-computer", stop_on_exit=True, on_progress=on_progress) as desktop:
        await desktop.url(check_reachable=True)
        return desktop


async def read_gui(on_progress: Any = None) -> object:
    async with LightsailClient() as client:
        return await client.create_gui_session_access_details("my-computer")


async def opened_streaming(on_progress: Any = None) -> object:
    return await open_streaming_session(
        "studio-1", launch_profile_id="lp-1", on_progress=on_progress, check_reachable=True
    )


async def held_streaming(on_progress: Any = None) -> object:
    async with streaming_session(
        "studio-1", launch_profile_id="lp-1", on_progress=on_progress
    ) as desktop:
        await desktop.url()
        return desktop


async def listed_streaming(on_progress: Any = None) -> object:
    async with NimbleClient() as client:
        made = await client.create_streaming_session("studio-1", launch_profile_id="lp-1")
        session_id = made.session_id or ""
        await open_stream("studio-1", session_id, client=client, on_progress=on_progress)
        listed = [each async for each in client.list_streaming_sessions("studio-1")]
        await close_streaming_session("studio-1", session_id, client=client)
        return listed


async def opened_many_gui(on_progress: Any = None) -> object:
    async with open_gui_sessions(
        ["my-computer"], on_progress=on_progress, check_reachable=True
    ) as outcomes:
        return await taken(outcomes)


async def opened_many_streaming(on_progress: Any = None) -> object:
    async with open_streaming_sessions(
        "studio-1",
        [StreamingSessionRequest(launch_profile_id="lp-1", owned_by="ada")] * 2,
        on_progress=on_progress,
    ) as outcomes:
        opened = await taken(outcomes)
    async with close_streaming_sessions("studio-1", owned_by="ada") as outcomes:
        return [opened, await taken(outcomes), outcomes, vars(outcomes)]


async def taken(outcomes: AsyncIterator[Any]) -> object:
    """Take all outcomes, and raise one of their errors as the other helpers do."""
    found = [outcome async for outcome in outcomes]
    for outcome in found:
        if outcome.error:
            raise outcome.error
    return found


async def used_url(on_progress: Any = None) -> object:
    opened = await open_gui_session("my-computer", on_progress=on_progress)
    with opened.connection_file():
        pass
    opened.native()
    opened._repr_html_()
    with mock.patch.object(webbrowser, "open", return_value=True):
        opened.open("browser")
    return opened


JOURNEYS: list[Journey] = [
    opened_gui,
    held_gui,
    read_gui,
    opened_streaming,
    held_streaming,
    listed_streaming,
    opened_many_gui,
    opened_many_streaming,
    used_url,
]
any_journey = pytest.mark.parametrize("journey", JOURNEYS, ids=lambda each: each.__name__)


@pytest.mark.looptime
@any_journey
async def test_a_call_that_succeeds_logs_no_secret(
    sim: Simulator, canaries: Canaries, debug: io.StringIO, journey: Journey
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0  # each step of each task is logged, with its repr
    events: list[object] = []
    late: list[io.StringIO] = []
    alive: list[str] = []

    with root_handler_after(events, late) as keep:

        def on_progress(event: object) -> None:
            keep(event)
            alive.extend(map(repr, in_flight()))

        result = await journey(on_progress)
    loop.set_debug(False)
    text = debug.getvalue() + "".join(each.getvalue() for each in late)
    assert "botocore.parsers DEBUG" in text
    assert "dcvsessions.simulator INFO" in text
    assert "asyncio WARNING Executing" in text
    assert not canaries.in_(text)
    assert canaries.signatures
    assert not canaries.in_(f"{events!r} {result!r} {sim.requests!r} {sim!r} {vars(sim)!r}")
    assert not canaries.in_("\n".join(alive))
    assert journey is read_gui or any("RetryCallState" in each for each in alive)


def in_flight() -> list[object]:
    """All objects of the SDK and of tenacity, and all tasks, that are alive."""
    prefixes = ("dcvsessions", "tenacity", "asyncio", "_asyncio")
    return [
        each
        for each in gc.get_objects()
        if str(type(each).__module__).startswith(prefixes) and not isinstance(each, Fault)
    ]


@contextmanager
def root_handler_after(
    events: list[object], late: list[io.StringIO]
) -> Generator[Callable[[object], None], None, None]:
    """An `on_progress` that keeps the events, and adds a handler at the first of them."""
    handlers = []

    def on_progress(event: object) -> None:
        if not events:
            handler = root_handler()
            handlers.append(handler)
            late.append(handler.__enter__())
        events.append(event)

    try:
        yield on_progress
    finally:
        for handler in handlers:
            handler.__exit__(None, None, None)


FAULTS = [
    Fault.error("AccessDeniedException", 403, "Because."),
    Fault.error("InvalidSignatureException", 403, f"x-amz-security-token:{SESSION_TOKEN}\nhost"),
    Fault.error("ThrottlingException", 429, retry_after=1),
    Fault.error(None, 503),
    Fault.delay(400),
    Fault.no_answer(),
    Fault.reset(),
    Fault.reset_midway(),
    Fault.lost_response(),
    Fault.truncated(),
    Fault.empty(),
    Fault.html(),
    Fault.html(502),
    Fault.skewed_date(900, requests=1),
]


@pytest.mark.looptime
@any_journey
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.code}")
async def test_no_secret_shows_after_a_fault_of_the_service(
    sim: Simulator, canaries: Canaries, debug: io.StringIO, journey: Journey, fault: Fault
) -> None:
    for call in range(1, 6):
        sim.lightsail.set_status("my-computer", "started")
        sim.inject("*", fault, call=call, times=3)
        try:
            async with asyncio.timeout(60):
                await journey(None)
        except (DcvSessionsError, TimeoutError) as error:
            canaries.stay_out_of(error)
        sim.heal()
    assert not canaries.in_(debug.getvalue())
    assert not canaries.in_(repr(sim.requests))


@types.coroutine
def cancelled_at(step: int, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, bool]:
    """Run work, cancel it when it is suspended for the n-th time, and return whether it was."""
    task = asyncio.current_task()
    assert task is not None
    resume, value = work.send, None
    for now in itertools.count(1):
        try:
            waited_on = resume(value)
        except StopIteration:
            return now > step
        if now == step:
            asyncio.get_running_loop().call_soon(task.cancel)
        try:
            value = yield waited_on
            resume = work.send
        except BaseException as error:  # noqa: BLE001 - the work handles it
            resume, value = work.throw, error
    raise AssertionError


@pytest.mark.looptime
@any_journey
# A connection that is cancelled while it is made may leave its socket to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
async def test_no_secret_shows_after_a_cancellation_at_any_await(
    sim: Simulator, canaries: Canaries, debug: io.StringIO, journey: Journey
) -> None:
    for step in itertools.count(1):
        sim.lightsail.set_status("my-computer", "started")
        try:
            if not await asyncio.ensure_future(cancelled_at(step, journey(None))):
                break
        except asyncio.CancelledError as error:
            canaries.stay_out_of(error)
    assert step > 3
    assert not canaries.in_(debug.getvalue())


@pytest.mark.looptime
@any_journey
async def test_no_secret_shows_after_a_timeout_of_the_caller(
    sim: Simulator, canaries: Canaries, debug: io.StringIO, journey: Journey
) -> None:
    sim.lightsail.set_status("my-computer", "started")
    for call in range(1, 4):
        sim.inject("*", Fault.delay(30), call=call)
        try:
            async with asyncio.timeout(10):
                await journey(None)
        except TimeoutError as error:
            canaries.stay_out_of(error)
        else:
            assert call > 1  # it made no more calls
        sim.heal()
    assert not canaries.in_(debug.getvalue())


class Interruption(BaseException):
    """As KeyboardInterrupt, but the event loop goes on."""


@pytest.mark.looptime
@any_journey
@pytest.mark.parametrize("kind", [ValueError, Interruption, asyncio.CancelledError])
async def test_no_secret_shows_after_an_error_of_on_progress(
    sim: Simulator, canaries: Canaries, debug: io.StringIO, journey: Journey, kind: Any
) -> None:
    sim.lightsail.set_status("my-computer", "started")
    for nth in range(1, 8):
        count = itertools.count(1)

        async def on_progress(event: object, nth: int = nth, count: Any = count) -> None:
            if next(count) == nth:
                raise kind("from the callback")

        try:
            await journey(on_progress)
        except kind as error:
            assert not issubclass(kind, Exception)
            canaries.stay_out_of(error)
    is_logged = issubclass(kind, Exception) and journey is not read_gui
    assert ("on_progress failed" in debug.getvalue()) is is_logged
    assert not canaries.in_(debug.getvalue())


class Stop:
    """Raises at a line of this package, when it runs for the first or a later time."""

    def __init__(self, at: tuple[object, int] | None = None) -> None:
        self.at = at
        self.times: dict[object, int] = {}

    def __call__(self, frame: types.FrameType, event: str, arg: object) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith((str(PACKAGE), "<cattrs")) or "simulator" in file:
            return None
        # An interruption at the end of a `with` keeps its lock locked, and half of an `__init__`
        # gives no object.
        if file == logs.__file__ or frame.f_code.co_name == "__init__":
            return None
        return self.line

    def line(self, frame: types.FrameType, event: str, arg: object) -> Any:
        if event == "line":
            place = (frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno)
            self.times[place] = self.times.get(place, 0) + 1
            if (place, self.times[place]) == self.at:
                raise Interruption
        return self.line


async def traced(stop: Stop, work: Awaitable[object]) -> str:
    before = sys.gettrace()
    sys.settrace(stop)
    try:
        await work
    except (Interruption, asyncio.CancelledError, DcvSessionsError) as error:
        sys.settrace(before)
        return renderings(error)
    finally:
        sys.settrace(before)
    return ""


@pytest.mark.looptime
@pytest.mark.parametrize("service", ["lightsail", "nimble"])
# What is interrupted between two lines may leave its socket to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
async def test_no_secret_shows_after_an_interruption_at_any_line(
    sim: Simulator,
    canaries: Canaries,
    lightsail: LightsailClient,
    nimble: NimbleClient,
    service: str,
) -> None:
    sim.lightsail.set_status("my-computer", "started")
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")

    async def journey() -> None:
        if service == "lightsail":
            await open_gui_session("my-computer", client=lightsail)
        else:
            await open_stream("studio-1", made.session_id or "", client=nimble)

    await journey()  # makes what is made once
    whole = Stop()
    await traced(whole, journey())
    assert len(whole.times) > 50
    for place, times in whole.times.items():
        # At the last time that the line runs, the answers with a URL have come.
        found = canaries.in_(await traced(Stop((place, times)), journey()))
        assert not found, (place, found)


@asynccontextmanager
async def answering(
    environ: pytest.MonkeyPatch, answer: Callable[[bytes], bytes]
) -> AsyncIterator[None]:
    """A server that answers with any bytes, made from the bytes of the request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(head))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    environ.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    environ.setenv("AWS_DEFAULT_REGION", "us-east-1")
    environ.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    environ.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    async with server:
        yield


def http(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def quoting(head: bytes) -> bytes:
    """The answer of AWS to a wrong signature, which quotes the request."""
    canonical = "\n".join(sorted(head.decode().lower().split("\r\n")))
    message = f"The Canonical String for this request should have been\n'{canonical}'"
    return json.dumps({"__type": "InvalidSignatureException", "message": message}).encode()


URL = f"https://203.0.113.1:8443/?authToken={WORD}#console"
ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "no HTTP": lambda _: b"nonsense\r\n\r\n",
    "no HTTP, quoting": lambda head: head,
    "closed": lambda _: b"",
    "body cut": lambda _: http(200, json.dumps({"url": URL}).encode())[:-4],
    "signature quoted": lambda head: http(
        403, quoting(head), "x-amzn-ErrorType: InvalidSignatureException"
    ),
    "proxy quotes": lambda head: http(502, b"<pre>" + head + b"</pre>"),
    "text quotes": lambda head: http(400, head),
    "no JSON": lambda _: http(200, f'{{"url": "{URL}", "sessions": ['.encode()),
    "no JSON, 400": lambda _: http(400, f'{{"url": "{URL}", "sessions": ['.encode()),
}
WRONG: list[object] = [
    {"sessions": [{"url": URL, "isPrimary": "no"}], "status": "started"},
    {"sessions": [{"url": [URL]}], "status": "started"},
    {"sessions": {"url": URL}, "status": "started"},
    {"sessions": URL, "status": "started"},
    {"sessions": [URL], "status": "started"},
    {"sessions": [{"url": URL}], "status": [URL]},
    {"sessions": [{"url": URL}], "percentageComplete": URL, "status": "started"},
    [URL],
    URL,
    {"stream": {"url": URL, "state": 5}, "session": {"state": {"url": URL}}},
    {"stream": [URL], "session": [URL]},
    {"stream": {"url": URL, "expiresAt": URL}, "session": {"sessionId": "s", "createdAt": URL}},
    {"stream": {"url": {"url": URL}}, "session": {"sessionId": [URL], "tags": [URL]}},
]
ANSWERS |= {
    f"wrong {number}": functools.partial(lambda body, _: http(200, body), json.dumps(it).encode())
    for number, it in enumerate(WRONG)
}


@pytest.mark.looptime
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_no_secret_shows_after_a_foreign_answer(
    canaries: Canaries, monkeypatch: pytest.MonkeyPatch, debug: io.StringIO, answer: Any
) -> None:
    def noted(head: bytes) -> bytes:
        canaries.signatures |= set(re.findall("Signature=([0-9a-f]+)", head.decode()))
        return bytes(answer(head))

    async with answering(monkeypatch, noted), LightsailClient() as lightsail, NimbleClient() as it:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: lightsail.create_gui_session_access_details("my-computer"),
            lambda: it.get_streaming_session_stream("studio", "session", "stream"),
            lambda: it.create_streaming_session("studio", launch_profile_id="lp"),
            lambda: open_gui_session("my-computer", client=lightsail, timeout=5),
            lambda: open_stream("studio", "session", client=it, timeout=5),
        ]
        for call in calls:
            try:
                await call()
            except DcvSessionsError as error:
                canaries.stay_out_of(error)
    assert canaries.signatures
    assert not canaries.in_(debug.getvalue())


@pytest.mark.looptime
async def test_the_errors_behind_an_error_keep_their_texts(
    canaries: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(monkeypatch, ANSWERS["no HTTP"]), LightsailClient() as client:
        with pytest.raises(ConnectionFailedError) as caught:
            [one async for one in client.get_instances()]
    # Tracebacks do not show them, because the text of the error has what they say.
    text = "".join(traceback.format_exception(caught.value.__context__))
    assert "aiohttp.client_exceptions.ClientResponseError: 400, message=" in text


@pytest.mark.looptime
async def test_an_error_that_the_caller_was_handling_is_not_changed(
    canaries: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ValueError(f"the caller's own token={WORD}")
    async with answering(monkeypatch, ANSWERS["no HTTP"]), LightsailClient() as client:
        try:
            raise before
        except ValueError:
            with pytest.raises(ConnectionFailedError) as caught:
                [one async for one in client.get_instances()]
    assert caught.value.__context__ is before
    assert before.__traceback__ is not None


@pytest.mark.looptime
async def test_no_secret_shows_after_a_task_that_is_never_awaited(
    canaries: Canaries, monkeypatch: pytest.MonkeyPatch, debug: io.StringIO
) -> None:
    asyncio.get_running_loop().set_debug(True)
    async with answering(monkeypatch, ANSWERS["signature quoted"]):
        task = asyncio.create_task(open_gui_session("my-computer"))
        await asyncio.wait({task})
        del task
        gc.collect()
    assert "Task exception was never retrieved" in debug.getvalue()
    assert not canaries.in_(debug.getvalue())


async def test_a_client_with_a_session_of_the_caller_shows_no_secret(
    canaries: Canaries, sim: Simulator, debug: io.StringIO
) -> None:
    session = AioSession()
    session.set_credentials("AKIDEXAMPLE", SECRET_KEY, SESSION_TOKEN)
    async with LightsailClient(session=session) as client:
        [one async for one in client.get_instances()]
        assert not canaries.in_(repr(client) + repr(vars(client)))
    with pytest.raises(InvalidArgumentError) as caught:
        LightsailClient(session=session, profile_name="other")
    assert not canaries.in_(renderings(caught.value) + debug.getvalue())


# Opening a URL.

A_URL = DcvUrl(f"https://203.0.113.1:8443/?authToken={WORD}%2B{WORD}#console")
SHORT_URL = DcvUrl(f"https://h/?authToken={WORD}#c")


def nothing_shows(error: BaseException) -> bool:
    return not Canaries().in_(renderings(error))


@pytest.mark.parametrize("raised", [OSError("no"), webbrowser.Error("no"), Interruption()])
def test_no_secret_shows_when_the_browser_fails(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def browse(address: str) -> bool:
        command = ["browser", str(address)]
        try:
            int(command[0])
        except ValueError:
            raise raised  # noqa: B904 - its context has the URL in its frame, too

    monkeypatch.setattr(webbrowser, "open", browse)
    with pytest.raises((OpenError, Interruption)) as caught:
        A_URL.open("browser")
    assert nothing_shows(caught.value)


@pytest.mark.parametrize("raised", [OSError("no"), Interruption()])
def test_no_secret_shows_when_the_viewer_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raised: BaseException
) -> None:
    monkeypatch.setattr("dcvsessions.dcv._opening._viewer", lambda: "dcvviewer")
    monkeypatch.setattr(subprocess, "Popen", mock.Mock(side_effect=raised))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises((OpenError, Interruption)) as caught:
        A_URL.open("viewer")
    assert nothing_shows(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", [A_URL, SHORT_URL], ids=["long", "short"])
# An interruption between two lines of a `with` statement can leave its resource open.
@pytest.mark.filterwarnings("ignore:unclosed", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("collected")
def test_no_secret_shows_when_opening_is_interrupted_at_any_line(
    address: DcvUrl, tmp_path: Path
) -> None:
    def use() -> None:
        address.native()
        address._repr_html_()
        assert address.session_id
        with address.connection_file(tmp_path, fullscreen=True):
            pass
        with mock.patch.object(webbrowser, "open", return_value=True):
            address.open()

    async def used() -> None:
        use()

    whole = Stop()
    with asyncio.Runner() as runner:
        runner.run(traced(whole, used()))
        assert {name for file, name, _ in whole.times if file == url.__file__} >= {"_part"}
        for place, times in whole.times.items():
            for time in range(1, times + 1):
                text = runner.run(traced(Stop((place, time)), used()))
                assert not Canaries().in_(text), place


def test_a_file_that_was_not_written_to_its_end_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dcvsessions.dcv._file._content", mock.Mock(side_effect=Interruption))
    with pytest.raises(Interruption), A_URL.connection_file(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


# Objects, and how they are shown.


async def made_objects(environ: pytest.MonkeyPatch) -> list[object]:
    """Objects of each public class that can come near a URL, a key or a token."""
    async with world(environ) as simulator, LightsailClient() as client, NimbleClient() as nimble:
        events: list[object] = []
        waiters: list[loop.Waiter] = []

        def on_progress(event: object) -> None:
            events.append(event)
            waiters.extend(each for each in in_flight() if isinstance(each, loop.Waiter))

        simulator.inject("*", Fault.error(None, 503), call=3, times=3)
        usable = await open_gui_session("my-computer", client=client, on_progress=on_progress)
        details = await client.create_gui_session_access_details("my-computer")
        made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
        async with (
            gui_session("my-computer", client=client) as gui,
            streaming_session("studio-1", launch_profile_id="lp-1", client=nimble) as streaming,
            existing_streaming_session(
                "studio-1", made.session_id or "", client=nimble
            ) as existing,
        ):
            await streaming.url()
            await existing.url()
            desktops = [gui, streaming, existing, vars(gui), vars(streaming), vars(existing)]
        stream = await nimble.create_streaming_session_stream("studio-1", made.session_id or "")
        await asyncio.sleep(60)
        ready = await nimble.get_streaming_session_stream(
            "studio-1", made.session_id or "", stream.stream_id or ""
        )
        assert ready.url
        operations = [one async for one in client.get_operations_for_resource("my-computer")]
        errors = [await failed(simulator, fault) for fault in FAULTS]
        await close_gui_session("my-computer", client=client)
        task = asyncio.create_task(asyncio.sleep(0, usable))
        await task
        return [
            *desktops,
            Reading(details),
            UsableStream(ready, ready.url),
            Done(usable),
            Observation("READY", ready),
            *errors,
            *events,
            *{entry for each in waiters for entry in each.report._history},
            *operations,
            *details.sessions,
            *simulator.requests,
            *[one async for one in client.get_instances()],
            [usable, {"url": ready.url}, attrs.asdict(details), attrs.astuple(ready)],
            details,
            made,
            ready,
            stream,
            client,
            nimble,
            simulator,
            vars(simulator),
            simulator.lightsail,
            vars(simulator.lightsail),
            simulator.nimble,
            vars(simulator.nimble),
            usable.connection_file(),
            *({id(each): each for each in waiters}.values()),
            vars(waiters[-1]),
            vars(waiters[-1].report),
            task,
        ]


async def failed(simulator: Simulator, fault: Fault) -> object:
    simulator.inject("*", fault, times=None)
    try:
        await open_gui_session("my-computer", timeout=10)
    except DcvSessionsError as error:
        return error
    finally:
        simulator.heal()
    return None


@pytest.fixture(scope="module")
def objects() -> Iterator[list[object]]:
    with pytest.MonkeyPatch.context() as environ:
        planted(environ)
        with asyncio.Runner(loop_factory=new_virtual_loop) as runner:
            yield runner.run(made_objects(environ))


def in_an_error(it: object) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - of anything
        raise ValueError(it)
    caught.value.add_note(f"{[it]}")
    return f"{caught.value!r} {with_locals(caught.value)}"


def in_a_log(it: object) -> str:
    return logging.LogRecord("x", 10, "x", 1, "%r and %s", (it, [it]), None).getMessage()


def in_rich(it: object) -> str:
    console = rich.console.Console(file=io.StringIO(), width=200)
    try:
        int("no number")
    except ValueError:
        console.print(rich.traceback.Traceback(show_locals=True))
    console.print([it])
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


RENDERINGS: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": lambda it: str([it]) if isinstance(it, DcvUrl) else str(it),
    "format": lambda it: f"{(it,)}",
    "percent": lambda it: "%r" % (it,),  # noqa: UP031 - many programs do so
    "template": lambda it: string.Template("$it").substitute(it=[it]),
    "pprint": pprint.pformat,
    "narrow pprint": functools.partial(pprint.pformat, width=1, compact=True),
    "reprlib": reprlib.repr,
    "json": lambda it: json.dumps(SimpleNamespaceOf(it), default=repr),
    "mock": lambda it: repr(mock.call(it, it=it)),
    "log": in_a_log,
    "error": in_an_error,
    "rich": rich.pretty.pretty_repr,
    "cut by rich": functools.partial(rich.pretty.pretty_repr, max_string=20),
    "locals by rich": in_rich,
}


class SimpleNamespaceOf:
    """Holds an object, and cannot be written as JSON."""

    def __init__(self, it: object) -> None:
        self.it = it

    def __repr__(self) -> str:
        return f"{vars(self)}"


WRAPPINGS: dict[str, Callable[[Any], object]] = {
    "list": lambda it: [it],
    "pair": lambda it: (it, 1),
    "dict": lambda it: {"it": it},
    "namespace": lambda it: types.SimpleNamespace(it=it),
    "partial": lambda it: functools.partial(print, it, key=it),
    "attrs": Done,
    "error": ValueError,
    "group": lambda it: ExceptionGroup("group", [ValueError(it)]),
    "own error": lambda it: InvalidResponseError("no", operation=repr(it)),
    "holder": SimpleNamespaceOf,
}


@settings(deadline=None)  # rendering locals takes its time on a busy machine
@given(data=st.data())
def test_no_object_shows_a_secret(objects: list[object], data: st.DataObject) -> None:
    it = data.draw(st.sampled_from(objects))
    for name in data.draw(st.lists(st.sampled_from(sorted(WRAPPINGS)), max_size=3)):
        it = WRAPPINGS[name](it)
    how = data.draw(st.sampled_from(sorted(RENDERINGS)))
    assert not Canaries().in_(RENDERINGS[how](it))


def test_every_class_of_objects_shows_no_secret_in_any_rendering(objects: list[object]) -> None:
    kinds = {type(each).__name__ for each in objects}
    assert kinds >= {"GuiDesktop", "StreamingDesktop", "Progress", "StateSeen", "ErrorAbsorbed"}
    assert any(isinstance(each, ApiError) for each in objects)
    assert any(isinstance(each, WaitError) for each in objects)
    # One object of each class, because tracebacks take long; the test above draws from all.
    by_kind = sorted(objects, key=lambda each: type(each).__name__)
    few = [
        each
        for _, alike in itertools.groupby(by_kind, key=type)
        for each in itertools.islice(alike, 1)
    ]
    for it, (how, render) in itertools.product(few, RENDERINGS.items()):
        assert not Canaries().in_(render(it)), (type(it), how)


def test_a_url_has_its_token_as_text() -> None:
    assert [WORD in each for each in (str(A_URL), f"{A_URL}", str(A_URL.native()))] == [True] * 3


# Other users of botocore, and what masking costs.


async def test_other_clients_log_as_before_and_masking_ends_with_the_last_client(
    sim: Simulator, canaries: Canaries, debug: io.StringIO
) -> None:
    before = logging.getLogRecordFactory()
    sim.lightsail.set_status("my-computer", "started")
    async with get_session().create_client("lightsail") as theirs:
        async with LightsailClient() as ours:
            async with NimbleClient():
                await asyncio.gather(
                    theirs.get_instance_state(instanceName="my-computer"),
                    ours.create_gui_session_access_details("my-computer"),
                )
                assert SESSION_TOKEN in debug.getvalue()  # theirs
                assert WORD not in debug.getvalue().replace(SESSION_TOKEN, "")  # ours
            assert logging.getLogRecordFactory() is not before
            debug.truncate(0)
            await theirs.create_gui_session_access_details(resourceName="my-computer")
            assert f"authToken={WORD}" in debug.getvalue()
        assert logging.getLogRecordFactory() is before


@pytest.mark.looptime
async def test_masking_costs_nothing_while_debug_is_off(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_mask_record", mock.Mock(side_effect=AssertionError))
    monkeypatch.setattr(logs, "mask", mock.Mock(side_effect=AssertionError))
    assert not logging.getLogger("botocore").isEnabledFor(logging.DEBUG)
    await opened_gui()
