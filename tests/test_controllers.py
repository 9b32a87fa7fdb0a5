"""How both services' sessions are read and changed on the way to a goal. In virtual time.

The clients follow a script: what is answered to each call.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from dcvsessions import (
    ConflictError,
    DcvUrl,
    InvalidRequestError,
    LightsailClient,
    NimbleClient,
    NotFoundError,
    Progress,
    Stream,
    StreamingSession,
    StreamingSessionState,
    StreamState,
    ThrottledError,
    UnreachableError,
    WaitFailedError,
    WaitTimeoutError,
)
from dcvsessions._wait.decisions import STALE_READ_WINDOW
from dcvsessions._wait.loop import Waiter
from dcvsessions.errors import ApiError, DcvSessionsError
from dcvsessions.lightsail import (
    GuiSession,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InstanceState,
    Operation,
    OperationStatus,
)
from dcvsessions.lightsail._session import GuiSessionController
from dcvsessions.lightsail._session import desktop_of as gui_session_of
from dcvsessions.lightsail._states import StartedSession
from dcvsessions.nimble._session import StreamingSessionController, desktop_of

pytestmark = pytest.mark.looptime

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
URL = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#console")
OTHER_URL = DcvUrl("https://203.0.113.1:8443/?authToken=s3cr3t#desktop")


def error(kind: type[ApiError], status: int = 404) -> ApiError:
    return kind(
        code=f"{kind.__name__}Code",
        message="No",
        operation="Some",
        request_id=None,
        http_status=status,
    )


def missing() -> ApiError:
    return error(NotFoundError)


class Script:
    """What a client answers to the calls of its operations, and which calls came.

    The last answer of an operation is given again and again.
    """

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.at: list[float] = []

    async def play(self, operation: str, **arguments: Any) -> Any:
        self.calls.append((operation, arguments))
        self.at.append(now())
        answers = self.answers[operation]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer()
        if isinstance(answer, DcvSessionsError):
            raise answer
        return answer

    @property
    def called(self) -> list[str]:
        return [operation for operation, _ in self.calls]


def now() -> float:
    return asyncio.get_running_loop().time()


def waiter(timeout: float | None = 600) -> Waiter:
    return Waiter(timeout=timeout, poll_interval=5)


# --- Lightsail ---


class Lightsail(LightsailClient):
    def __init__(self, **answers: list[Any]) -> None:
        super().__init__()
        self.script = Script(**answers)

    async def create_gui_session_access_details(self, name: str) -> GuiSessionAccessDetails:
        assert name == "lab"
        return await self.script.play("details")

    async def get_instance_state(self, name: str) -> InstanceState:
        assert name == "lab"
        return await self.script.play("instance")

    async def start_instance(self, name: str) -> tuple[Operation, ...]:
        assert name == "lab"
        return await self.script.play("start_instance")

    async def start_gui_session(self, name: str) -> tuple[Operation, ...]:
        assert name == "lab"
        return await self.script.play("start")

    async def stop_gui_session(self, name: str) -> tuple[Operation, ...]:
        assert name == "lab"
        return await self.script.play("stop")


def details(status: str, *sessions: GuiSession) -> GuiSessionAccessDetails:
    return GuiSessionAccessDetails(status=GuiSessionStatus(status), sessions=sessions)


STARTED = details("started", GuiSession(url=URL, is_primary=True), GuiSession(url=OTHER_URL))
RUNNING, OFF = InstanceState(code=16, name="running"), InstanceState(code=80, name="stopped")
FAILED = Operation(
    operation_type="AnOperation",
    status=OperationStatus.FAILED,
    error_code="NoRoom",
    error_details="No room is left.",
)
OPENING = {"kind": "application", "start_instance": False, "renew_before": 0.0}


async def opened(client: Lightsail, timeout: float | None = 600, **how: Any) -> DcvUrl:
    goal = GuiSessionController(client, "lab").opening(**{**OPENING, **how})
    return (await waiter(timeout).until(goal)).url


async def test_a_stopped_computer_and_its_session_are_started() -> None:
    client = Lightsail(
        details=[details("stopped"), details("stopped"), details("starting"), STARTED],
        instance=[OFF, RUNNING],
        start_instance=[()],
        start=[()],
    )
    assert await opened(client, start_instance=True) == URL
    assert client.script.called == [
        *("details", "instance", "start_instance"),
        *("details", "instance", "start"),
        "details",
        "details",
    ]


async def test_a_stopped_computer_is_not_started_unless_asked() -> None:
    client = Lightsail(details=[details("stopped")], instance=[OFF])
    with pytest.raises(WaitFailedError, match="start_instance=True starts it first"):
        await opened(client)


@pytest.mark.parametrize(("kind", "url"), [("application", URL), ("operating_system", OTHER_URL)])
async def test_the_kind_of_session_decides_on_the_url(kind: str, url: DcvUrl) -> None:
    client = Lightsail(details=[STARTED])
    assert await opened(client, kind=kind) == url
    assert client.script.called == ["details"]


@pytest.mark.parametrize("kind", ["application", "operating_system"])
async def test_an_open_that_fails_names_what_is_missing(kind: str) -> None:
    client = Lightsail(details=[details("started")])
    with pytest.raises(WaitTimeoutError) as caught:
        await opened(client, timeout=10, kind=kind)
    assert caught.value.resource == "GUI session of lab"
    assert caught.value.awaited == f"started with a URL for the {kind.replace('_', ' ')}"


async def test_a_session_that_is_started_is_handed_out_at_once() -> None:
    client = Lightsail(details=[STARTED])
    goal = lab(client).opening(kind="application", start_instance=False)
    assert (await waiter().until(goal)).url == URL
    assert client.script.at == [0]


async def test_a_started_session_tells_when_it_was_seen_to_start() -> None:
    client = Lightsail(details=[details("starting"), details("starting"), STARTED])
    goal = lab(client).opening(kind="application", start_instance=False)
    assert await waiter().until(goal) == StartedSession(URL, not_started_at=5, started_at=10)


async def test_a_session_about_to_expire_is_not_handed_out() -> None:
    client = Lightsail(
        details=[STARTED, STARTED, details("startExpired"), STARTED], instance=[RUNNING], start=[()]
    )
    assert await opened(client, renew_before=60.0) == URL
    assert client.script.called == ["details", "details", "details", "instance", "start", "details"]


@pytest.mark.parametrize(("operation", "instance"), [("start_instance", OFF), ("start", RUNNING)])
async def test_a_start_that_fails_at_once_is_told(operation: str, instance: InstanceState) -> None:
    client = Lightsail(
        details=[details("stopped")], instance=[instance], **{operation: [(FAILED,)]}
    )
    with pytest.raises(WaitFailedError, match=r"AnOperation failed: No room is left\."):
        await opened(client, start_instance=True)


async def closed(client: Lightsail, timeout: float | None = 600) -> None:
    await waiter(timeout).until(GuiSessionController(client, "lab").closing())


async def test_a_session_is_stopped_without_a_look_at_the_computer() -> None:
    client = Lightsail(
        details=[details("started"), details("stopping"), details("stopped")], stop=[()]
    )
    await closed(client)
    assert client.script.called == ["details", "stop", "details", "details"]


async def test_a_stop_that_fails_at_once_is_told() -> None:
    client = Lightsail(details=[details("started")], stop=[(FAILED,)])
    with pytest.raises(WaitFailedError, match="No room is left"):
        await closed(client)


async def test_a_close_that_fails_says_what_it_waited_for() -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        await closed(Lightsail(details=[details("stopping")]), timeout=10)
    assert (caught.value.resource, caught.value.awaited) == (gui_session_of("lab"), "stopped")


# --- Nimble Studio ---


class Nimble(NimbleClient):
    def __init__(self, **answers: list[Any]) -> None:
        super().__init__()
        self.script = Script(**answers)

    async def get_streaming_session(self, studio_id: str, session_id: str) -> StreamingSession:
        assert (studio_id, session_id) == ("studio", "s-1")
        return await self.script.play("get")

    async def start_streaming_session(
        self, studio_id: str, session_id: str, **how: Any
    ) -> StreamingSession:
        assert (studio_id, session_id) == ("studio", "s-1")
        return await self.script.play("start", **how)

    async def delete_streaming_session(
        self, studio_id: str, session_id: str, **how: Any
    ) -> StreamingSession:
        assert (studio_id, session_id) == ("studio", "s-1")
        return await self.script.play("delete", **how)

    async def create_streaming_session_stream(
        self, studio_id: str, session_id: str, **how: Any
    ) -> Stream:
        assert (studio_id, session_id) == ("studio", "s-1")
        return await self.script.play("create", **how)

    async def get_streaming_session_stream(
        self, studio_id: str, session_id: str, stream_id: str
    ) -> Stream:
        assert (studio_id, session_id) == ("studio", "s-1")
        return await self.script.play("stream", stream_id=stream_id)

    @property
    def controller(self) -> StreamingSessionController:
        return StreamingSessionController(self, "studio", "s-1")


def session(state: str) -> StreamingSession:
    return StreamingSession(session_id="s-1", state=StreamingSessionState(state))


READY = session("READY")
ANSWER = session("START_IN_PROGRESS")


@pytest.mark.parametrize("may_start", [None, True])
async def test_a_stopped_session_is_started_once(*, may_start: bool | None) -> None:
    client = Nimble(get=[session("STOPPED"), session("START_IN_PROGRESS"), READY], start=[ANSWER])
    how = {} if may_start is None else {"may_start": may_start}
    ready = await client.controller.until_ready(waiter(), **how)
    assert (ready.session, ready.was_started) == (READY, True)
    assert client.script.called == ["get", "start", "get", "get"]
    # botocore makes a token for each call, so that a second start is no repeat of the first.
    assert client.script.calls[1] == ("start", {})


async def test_a_session_that_may_not_be_started_fails() -> None:
    client = Nimble(get=[session("STOPPED")])
    with pytest.raises(WaitFailedError, match="STOPPED"):
        await client.controller.until_ready(waiter(), may_start=False)


@pytest.mark.parametrize("is_last", [None, False, True])
async def test_a_ready_session_ends_the_wait_only_if_it_is_the_last_goal(
    *, is_last: bool | None
) -> None:
    how = {} if is_last is None else {"is_last": is_last}
    heard: list[Progress] = []
    one = Waiter(timeout=600, on_progress=heard.append)
    await Nimble(get=[READY]).controller.until_ready(one, **how)
    assert [(event.resource, event.is_done) for event in heard] == [
        (desktop_of("s-1"), bool(is_last))
    ]


async def test_a_new_session_may_be_missing_for_a_while() -> None:
    client = Nimble(get=[missing(), missing(), READY])
    await client.controller.until_ready(waiter(), created_at=0.0)
    old = Nimble(get=[missing()])
    with pytest.raises(NotFoundError):
        await old.controller.until_ready(waiter(), created_at=-STALE_READ_WINDOW)
    unknown = Nimble(get=[missing()])
    with pytest.raises(NotFoundError):
        await unknown.controller.until_ready(waiter())


async def test_a_session_is_deleted_until_it_is_gone() -> None:
    client = Nimble(get=[READY, session("DELETE_IN_PROGRESS"), missing()], delete=[ANSWER])
    heard: list[Progress] = []
    one = Waiter(timeout=600, poll_interval=5, on_progress=heard.append)
    await client.controller.until_deleted(one)
    assert [(event.step, event.is_done) for event in heard] == [
        (None, False),
        ("DeleteStreamingSession", False),
        (None, False),
        (None, True),
    ]
    assert heard[-1].resource == desktop_of("s-1")
    assert client.script.called == ["get", "delete", "get", "get"]
    assert client.script.calls[1] == ("delete", {})


async def test_a_session_that_is_never_found_may_be_new_for_twenty_seconds() -> None:
    client = Nimble(get=[missing()])
    await client.controller.until_deleted(waiter())
    assert client.script.at == [0, 5, 10, 15, STALE_READ_WINDOW]


def stream(
    state: str | None = "READY",
    *,
    url: DcvUrl | None = URL,
    stream_id: str | None = "st-1",
    life: float | None = None,
) -> Stream:
    return Stream(
        stream_id=stream_id,
        state=None if state is None else StreamState(state),
        url=url if state == "READY" else None,
        created_at=None if life is None else NEW_YEAR,
        expires_at=None if life is None else NEW_YEAR + timedelta(seconds=life),
    )


NEW_STREAM = stream("CREATE_IN_PROGRESS")


async def test_a_stream_is_made_and_waited_for() -> None:
    client = Nimble(create=[NEW_STREAM], stream=[NEW_STREAM, stream(url=None), stream(life=90)])
    one = waiter()
    opened = await client.controller.stream(one, 90)
    assert (opened.url, opened.lifetime, opened.asked.loop) == (URL, 90, 0)
    assert client.script.called == ["create", "stream", "stream", "stream"]
    (_, create), *reads = client.script.calls
    assert create["expiration_in_seconds"] == 90
    assert len(create["client_token"]) == 32
    assert [read["stream_id"] for _, read in reads] == ["st-1"] * 3
    assert opened.remaining == pytest.approx(80, abs=0.5)
    await asyncio.sleep(30)
    assert opened.remaining == pytest.approx(50, abs=0.5)


async def test_a_create_of_a_stream_is_repeated_with_one_token() -> None:
    client = Nimble(create=[missing(), stream(None, stream_id=None), NEW_STREAM], stream=[stream()])
    await client.controller.stream(waiter(), None, created_at=0.0)
    await client.controller.stream(waiter(), None)
    tokens = [
        how["client_token"] for operation, how in client.script.calls if operation == "create"
    ]
    assert len(tokens) == 4
    assert len(set(tokens[:3])) == 1
    assert tokens[3] != tokens[0]


async def test_a_stream_into_an_old_session_that_is_missing_fails() -> None:
    client = Nimble(create=[missing()])
    with pytest.raises(NotFoundError) as caught:
        await client.controller.stream(waiter(), None)
    assert caught.value.__notes__[0].startswith(
        "While waiting for stream into s-1 to be created, after 0.0 s and 1 poll."
    )


async def test_a_stream_that_was_just_made_may_be_missing() -> None:
    client = Nimble(create=[NEW_STREAM], stream=[missing(), missing(), stream()])
    one = waiter()
    await asyncio.sleep(100)
    assert (await client.controller.stream(one, None)).url == URL


async def test_a_stream_that_stays_missing_fails() -> None:
    client = Nimble(create=[NEW_STREAM], stream=[missing()])
    with pytest.raises(NotFoundError) as caught:
        await client.controller.stream(waiter(), None)
    assert "While waiting for stream st-1 to be READY with a URL" in caught.value.__notes__[0]
    assert now() == STALE_READ_WINDOW


@pytest.mark.parametrize(
    ("life", "requested", "lifetime"),
    [
        (120, 60, 120),  # the service knows better
        (-5, 60, 60),  # dates that contradict each other
        (0, 60, 60),
        (1, 60, 1),
        (None, 90, 90),
        (None, None, 60),  # the least of the service model
    ],
)
async def test_the_life_of_a_url(
    life: float | None, requested: int | None, lifetime: float
) -> None:
    client = Nimble(create=[NEW_STREAM], stream=[stream(life=life)])
    assert (await client.controller.stream(waiter(), requested)).lifetime == lifetime


async def test_a_lifetime_needs_both_dates() -> None:
    for one_date in ({"created_at": NEW_YEAR}, {"expires_at": NEW_YEAR}):
        found = Stream(stream_id="st-1", state=StreamState.READY, url=URL, **one_date)
        client = Nimble(create=[NEW_STREAM], stream=[found])
        assert (await client.controller.stream(waiter(), 90)).lifetime == 90


# --- A stream and a machine that sleeps ---


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Callable[[], Any]]:
    """Return a function that makes an answer before which the machine sleeps for an hour."""
    real, slept = time.time, 0.0

    def with_sleep(answer: Any) -> Callable[[], Any]:
        def asleep() -> Any:
            nonlocal slept
            slept += 3600
            return answer

        return asleep

    monkeypatch.setattr(time, "time", lambda: real() + slept)
    return with_sleep


async def test_a_stream_that_expired_while_the_machine_slept_is_replaced(
    sleeps: Callable[[Any], Callable[[], Any]],
) -> None:
    client = Nimble(
        create=[NEW_STREAM, stream("CREATE_IN_PROGRESS", stream_id="st-2")],
        stream=[sleeps(NEW_STREAM), stream(life=60), stream(life=60, url=OTHER_URL)],
    )
    opened = await client.controller.stream(waiter(), 60)
    assert opened.url == OTHER_URL
    assert client.script.called == ["create", "stream", "stream", "create", "stream"]
    assert opened.remaining == pytest.approx(60, abs=0.5)


async def test_a_stream_that_outlived_the_sleep_is_kept(
    sleeps: Callable[[Any], Callable[[], Any]],
) -> None:
    client = Nimble(create=[NEW_STREAM], stream=[sleeps(NEW_STREAM), stream(life=3700)])
    opened = await client.controller.stream(waiter(), 3600)
    assert client.script.called == ["create", "stream", "stream"]
    assert opened.remaining == pytest.approx(100, abs=1)


@pytest.mark.parametrize("answer", [missing, lambda: stream("DELETED")])
async def test_a_stream_that_was_deleted_while_the_machine_slept_is_replaced(
    sleeps: Callable[[Any], Callable[[], Any]], answer: Callable[[], Any]
) -> None:
    gone = answer()
    client = Nimble(
        create=[NEW_STREAM],
        stream=[
            sleeps(NEW_STREAM),
            *[gone] * (5 if isinstance(gone, NotFoundError) else 1),
            stream(),
        ],
    )
    assert (await client.controller.stream(waiter(), 60)).url == URL
    assert client.script.called.count("create") == 2


async def test_a_stream_that_fails_while_the_machine_is_awake_fails() -> None:
    client = Nimble(create=[NEW_STREAM], stream=[stream("CREATE_FAILED")])
    with pytest.raises(WaitFailedError, match="CREATE_FAILED"):
        await client.controller.stream(waiter(), 60)
    assert client.script.called == ["create", "stream"]


async def test_a_refused_stream_fails_even_after_a_sleep(
    sleeps: Callable[[Any], Callable[[], Any]],
) -> None:
    client = Nimble(create=[sleeps(error(InvalidRequestError, 400))])
    with pytest.raises(InvalidRequestError):
        await client.controller.stream(waiter(), 60)
    assert client.script.called == ["create"]


async def test_a_stream_that_was_deleted_after_it_expired_is_replaced() -> None:
    late = [*[NEW_STREAM] * 12, stream("DELETED"), stream()]
    client = Nimble(create=[NEW_STREAM], stream=late)
    assert (await client.controller.stream(waiter(), 60)).url == URL
    assert client.script.called.count("create") == 2


@pytest.mark.parametrize(("requested", "reads"), [(60, 11), (None, 11), (90, 17)])
async def test_a_stream_that_was_deleted_before_its_end_fails(
    requested: int | None, reads: int
) -> None:
    early = [*[NEW_STREAM] * reads, stream("DELETE_IN_PROGRESS")]
    client = Nimble(create=[NEW_STREAM], stream=early)
    with pytest.raises(WaitFailedError, match="DELETE_IN_PROGRESS"):
        await client.controller.stream(waiter(), requested)
    assert client.script.called.count("create") == 1


async def test_a_stream_that_fails_late_fails() -> None:
    late = [*[NEW_STREAM] * 13, stream("CREATE_FAILED")]
    with pytest.raises(WaitFailedError, match="CREATE_FAILED"):
        await Nimble(create=[NEW_STREAM], stream=late).controller.stream(waiter(), 60)


async def test_streams_that_expire_before_they_are_ready_end_with_the_deadline() -> None:
    late = [*[NEW_STREAM] * 12, stream(life=60)] * 20
    client = Nimble(create=[NEW_STREAM], stream=late)
    with pytest.raises(WaitTimeoutError) as caught:
        await client.controller.stream(waiter(60), 60)
    assert caught.value.resource == "streaming session s-1"
    assert caught.value.awaited == "open with a URL that works"
    assert now() == 60


async def test_only_a_stream_that_is_ready_ends_the_wait() -> None:
    events: list[Progress] = []
    client = Nimble(create=[NEW_STREAM], stream=[stream()])
    await client.controller.stream(Waiter(timeout=60, on_progress=events.append), 60)
    assert [(event.resource, event.is_done) for event in events] == [
        ("stream into s-1", False),
        ("stream st-1", True),
    ]


class Url(DcvUrl):
    """A URL whose server answers after a minute."""

    async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
        await asyncio.sleep(60)


async def test_a_stream_that_expires_before_its_server_answers_is_replaced() -> None:
    slow = Url("https://203.0.113.1:8443/?authToken=s3cr3t#slow")
    client = Nimble(create=[NEW_STREAM], stream=[stream(url=slow, life=60), stream(life=60)])
    opened = await client.controller.stream(waiter(), 60, check_reachable=False)
    assert (opened.url, now()) == (slow, 0)
    client = Nimble(create=[NEW_STREAM], stream=[stream(url=slow, life=60), stream(url=slow)])
    opened = await client.controller.stream(waiter(), 90, check_reachable=True)
    assert (opened.lifetime, now()) == (90, 120)
    assert opened.remaining == pytest.approx(30, abs=0.5)


async def test_a_server_that_does_not_answer_is_told_and_its_stream_not_replaced() -> None:
    class Unreachable(DcvUrl):
        async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
            await asyncio.sleep(100)
            raise UnreachableError("It does not answer.", step="tcp")

    client = Nimble(create=[NEW_STREAM], stream=[stream(url=Unreachable(URL))])
    with pytest.raises(UnreachableError) as caught:
        await client.controller.stream(waiter(), 60, check_reachable=True)
    assert "While waiting for streaming session s-1 to be reachable" in caught.value.__notes__[0]
    assert client.script.called == ["create", "stream"]


@pytest.mark.parametrize(("reads", "creates"), [(11, 1), (12, 2)])
@pytest.mark.parametrize("requested", [60, None])
async def test_a_stream_that_has_expired_when_it_is_ready_is_replaced(
    reads: int, creates: int, requested: int | None
) -> None:
    client = Nimble(
        create=[NEW_STREAM, stream("CREATE_IN_PROGRESS", stream_id="st-2")],
        stream=[*[NEW_STREAM] * reads, stream(), stream(url=OTHER_URL)],
    )
    opened = await client.controller.stream(waiter(), requested)
    assert opened.url == (URL if creates == 1 else OTHER_URL)
    assert opened.remaining > 0
    made = [how for operation, how in client.script.calls if operation == "create"]
    # A repeat with the same token would find the expired stream again.
    assert len({how["client_token"] for how in made}) == len(made) == creates
    assert {how["expiration_in_seconds"] for how in made} == {requested}


async def test_a_server_that_does_not_answer_is_told() -> None:
    class Silent(DcvUrl):
        async def wait_until_reachable(self, timeout: float | None = 120.0) -> None:
            raise UnreachableError("It does not answer.", step="tcp")

    client = Nimble(create=[NEW_STREAM], stream=[stream(url=Silent(URL))])
    with pytest.raises(UnreachableError) as caught:
        await client.controller.stream(waiter(), 60, check_reachable=True)
    (note,) = caught.value.__notes__
    assert note.startswith("While waiting for streaming session s-1 to be reachable")


async def test_a_conflict_over_a_start_is_looked_at_once_more() -> None:
    client = Nimble(
        get=[session("STOPPED"), session("START_IN_PROGRESS"), READY],
        start=[error(ConflictError, 409)],
    )
    assert (await client.controller.until_ready(waiter())).session == READY


# --- How often it is polled ---


def held(reading: Any, *then: Any) -> list[Any]:
    """The same answer forty times, and then others."""
    return [*[reading] * 40, *then]


def lab(client: Any) -> GuiSessionController:
    return GuiSessionController(client, "lab")


SCHEDULED: dict[str, tuple[Callable[[], Any], Callable[[Any, Waiter], Awaitable[Any]]]] = {
    "closing": (
        lambda: Lightsail(details=held(details("stopping"), details("stopped"))),
        lambda client, one: one.until(lab(client).closing()),
    ),
    "opening": (
        lambda: Lightsail(details=held(details("starting"), STARTED)),
        lambda client, one: one.until(lab(client).opening(**OPENING)),
    ),
    "starting": (
        lambda: Nimble(get=held(session("START_IN_PROGRESS"), READY)),
        lambda client, one: client.controller.until_ready(one),
    ),
    "deleting": (
        lambda: Nimble(get=held(session("DELETE_IN_PROGRESS"), session("DELETED"))),
        lambda client, one: client.controller.until_deleted(one),
    ),
    "making a stream": (
        lambda: Nimble(create=held(error(ThrottledError, 429), NEW_STREAM), stream=[stream()]),
        lambda client, one: client.controller.stream(one, 60),
    ),
    "waiting for a stream": (
        lambda: Nimble(create=[NEW_STREAM], stream=held(NEW_STREAM, stream())),
        lambda client, one: client.controller.stream(one, 60),
    ),
}


@pytest.mark.parametrize(("made", "work"), SCHEDULED.values(), ids=SCHEDULED)
async def test_without_an_interval_of_the_callers_it_polls_every_few_seconds(
    made: Callable[[], Any], work: Callable[[Any, Waiter], Awaitable[Any]]
) -> None:
    client = made()
    await work(client, Waiter(timeout=None))
    gaps = [after - before for before, after in pairwise(client.script.at)]
    assert len(gaps) >= 40
    assert 1 <= sum(gaps) / len(gaps) <= max(gaps) <= 18
