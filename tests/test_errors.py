"""The tree of errors: what they are, what they say, and what they keep to themselves."""

import asyncio
import inspect
import pickle
import re
from pathlib import Path
from traceback import walk_tb
from types import FrameType

import pytest

import dcvsessions
from dcvsessions import (
    ApiError,
    CallTimeoutError,
    ClockSkewError,
    ConfigurationError,
    ConnectionFailedError,
    DcvSessionsError,
    InvalidArgumentError,
    InvalidResponseError,
    LightsailClient,
    NotFoundError,
    UnreachableError,
    WaitError,
    WaitFailedError,
    WaitTimeoutError,
    errors,
)
from dcvsessions.errors import ErrorAbsorbed, Failure, LeftBehind, StateSeen, WaitReport
from dcvsessions.simulator import Fault, Simulator

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, Exception)
]

# --- The tree ---


def drawn() -> dict[str, tuple[str, set[str]]]:
    """Each class in the drawing, with its parent there and what it says it is as well."""
    found: dict[str, tuple[str, set[str]]] = {}
    path: list[str] = []
    tree = (errors.__doc__ or "").split("```")[1].strip("\n")
    for line in tree.splitlines():
        match = re.match(r"(?P<indent>[│├└─ ]*)(?P<name>\w+)(?: \(also (?P<also>[\w, ]+)\))?", line)
        assert match, line
        depth = len(match["indent"]) // 4
        path[depth:] = [match["name"]]
        parent = path[depth - 1] if depth else "Exception"
        found[match["name"]] = (parent, set(re.findall(r"\w+", match["also"] or "")))
    return found


def test_the_drawing_shows_the_tree() -> None:
    real = {
        kind.__name__: (kind.__bases__[0].__name__, {base.__name__ for base in kind.__bases__[1:]})
        for kind in CLASSES
    }
    assert drawn() == real


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_public_and_says_what_it_is(kind: type[DcvSessionsError]) -> None:
    assert issubclass(kind, DcvSessionsError)
    assert getattr(dcvsessions, kind.__name__) is kind
    assert kind.__name__ in errors.__all__
    assert kind.__doc__


def test_timeouts_and_arguments_are_caught_by_the_builtin_classes() -> None:
    assert issubclass(CallTimeoutError, TimeoutError)
    assert issubclass(WaitTimeoutError, TimeoutError)
    assert issubclass(InvalidArgumentError, ValueError)
    assert asyncio.TimeoutError is TimeoutError


# --- Pickles ---


def made(kind: type[DcvSessionsError]) -> DcvSessionsError:
    if issubclass(kind, ApiError):
        error: DcvSessionsError = kind(
            code="SomeException",
            message="Because.",
            operation="GetInstances",
            request_id="1-2-3",
            http_status=418,
            retry_after=2.5,
            advice="Do this.",
        )
        if isinstance(error, ClockSkewError):
            error.skew = 3600.0
        return error
    if issubclass(kind, WaitError):
        report = WaitReport(
            resource="GUI session of my-computer",
            awaited="started",
            elapsed=12.5,
            polls=3,
            history=(
                StateSeen(resource="GUI session of my-computer", state="starting", elapsed=0.0),
                ErrorAbsorbed(error="GetInstances: Code (HTTP 503)", elapsed=2.0, times=4),
            ),
        )
        if issubclass(kind, WaitFailedError):
            waited: WaitError = kind("The reason.", report, Failure(state="CREATE_FAILED"))
        else:
            waited = kind("The reason.", report)
        return waited
    if issubclass(kind, ConnectionFailedError):
        return kind("No answer.", operation="GetInstances")
    if issubclass(kind, InvalidResponseError):
        return kind("No sense.", operation="GetInstances")
    if issubclass(kind, UnreachableError):
        return kind("No server.", step="tls")
    return kind("A sentence.")


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_a_pickle(kind: type[DcvSessionsError]) -> None:
    error = made(kind)
    error.left_behind = LeftBehind(session_id="s-1", client_token="token-1")
    error.region_name, error.endpoint_url = "eu-west-9", "https://example.com"
    error.add_note("A note.")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)
        assert again.__notes__ == ["A note."]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_a_sentence(kind: type[DcvSessionsError]) -> None:
    error = made(kind)
    text = str(error)
    assert text.endswith(".")
    assert "  " not in text
    assert ".." not in text
    error.left_behind = LeftBehind(session_id="s-1", client_token="token-1")
    assert str(error) == f"{text} {error.left_behind}"


# --- Sentences ---


def test_all_that_a_call_left_behind_is_named() -> None:
    others = (LeftBehind(session_id="s-2"), LeftBehind(client_token="token-3"))
    assert str(LeftBehind(session_id="s-1", others=others)) == (
        "Streaming session s-1 is left behind: open it with open_stream(), or delete it with "
        "close_streaming_session(). Also left behind: s-2, client_token='token-3'."
    )
    assert str(LeftBehind(client_token="token-1", others=others[:1])) == (
        "A streaming session may have been made: the same call with client_token='token-1' finds "
        "it. Also left behind: s-2."
    )


@pytest.mark.parametrize(
    ("message", "request_id", "advice", "text"),
    [
        ("Because.", "1-2", None, "StartGUISession: Because (Code, request 1-2)."),
        ("Because", None, "Do this.", "StartGUISession: Because (Code). Do this."),
        ("", None, None, "StartGUISession: the service gave no message (Code)."),
    ],
)
def test_an_api_error_says_what_the_service_said(
    message: str, request_id: str | None, advice: str | None, text: str
) -> None:
    error = NotFoundError(
        code="Code",
        message=message,
        operation="StartGUISession",
        request_id=request_id,
        http_status=400,
        advice=advice,
    )
    assert str(error) == text


@pytest.mark.parametrize(
    ("session_id", "client_token", "left"),
    [
        (
            "s-1",
            "t-1",
            (
                "Streaming session s-1 is left behind: open it with open_stream(), or delete it "
                "with close_streaming_session()."
            ),
        ),
        (
            None,
            "t-1",
            (
                "A streaming session may have been made: the same call with client_token='t-1' "
                "finds it."
            ),
        ),
    ],
)
def test_a_wait_error_names_the_session_that_is_left_behind(
    session_id: str | None, client_token: str | None, left: str
) -> None:
    error = WaitTimeoutError(
        "The timeout of 9 s is over.",
        WaitReport(
            resource="streaming session s-1",
            awaited="READY",
            elapsed=9.0,
            polls=1,
            history=(
                StateSeen(
                    resource="streaming session s-1", state="CREATE_IN_PROGRESS", elapsed=0.5
                ),
            ),
        ),
    )
    text = (
        "streaming session s-1 is not READY after 9.0 s and 1 poll: The timeout of 9 s is over. "
        "States seen: CREATE_IN_PROGRESS at 0.5 s."
    )
    assert str(error) == text
    error.left_behind = LeftBehind(session_id=session_id, client_token=client_token)
    assert str(error) == f"{text} {left}"


@pytest.mark.parametrize(
    ("history", "told"),
    [
        (
            (
                StateSeen(resource="streaming session s-1", state="READY", elapsed=0.04),
                StateSeen(resource="stream st-1 of s-1", state="CREATE_IN_PROGRESS", elapsed=2.0),
                StateSeen(resource="streaming session s-1", state="STOPPED", elapsed=61.26),
            ),
            (
                "States seen: READY at 0.0 s, stream st-1 of s-1 CREATE_IN_PROGRESS at 2.0 s, "
                "STOPPED at 61.3 s."
            ),
        ),
        (
            (
                ErrorAbsorbed(error="the first", elapsed=1.0, times=4),
                ErrorAbsorbed(error="the last.", elapsed=9.0),
            ),
            "Errors absorbed: 5, the last: the last.",
        ),
        ((), ""),
    ],
)
def test_a_wait_error_tells_what_was_seen(
    history: tuple[StateSeen | ErrorAbsorbed, ...], told: str
) -> None:
    report = WaitReport(
        resource="streaming session s-1", awaited="READY", elapsed=70.0, polls=12, history=history
    )
    error = WaitError("It is over.", report)
    text = f"streaming session s-1 is not READY after 70.0 s and 12 polls: It is over. {told}"
    assert str(error) == text.rstrip()
    assert (error.reason, error.report, error.history) == ("It is over.", report, history)
    assert (error.resource, error.awaited) == ("streaming session s-1", "READY")
    assert (error.elapsed, error.polls) == (70.0, 12)


def test_a_failed_wait_carries_what_the_service_said() -> None:
    report = WaitReport(resource="r", awaited="READY", elapsed=1.0, polls=1, history=())
    said = {
        "state": "CREATE_FAILED",
        "failure_reason": "the reason",
        "error_code": "the code",
        "error_details": "the details",
        "status_code": "the status",
        "status_message": "the message",
    }
    error = WaitFailedError("It failed.", report, Failure(**said))
    assert {name: getattr(error, name) for name in said} == said


def test_a_call_without_an_answer_may_have_been_sent_unless_the_error_says_otherwise() -> None:
    assert ConnectionFailedError("No answer.").was_sent is True
    assert ConnectionFailedError("No answer.", was_sent=False).was_sent is False
    assert ConfigurationError("A mistake.").was_sent is False
    assert ConfigurationError("A mistake.", was_sent=True).was_sent is True


# --- The chain, and what is in it ---


def chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    pending: list[BaseException | None] = [error.__cause__, error.__context__]
    while pending:
        link = pending.pop()
        if link is not None and link not in links:
            links.append(link)
            pending += [link.__cause__, link.__context__]
    return links


def foreign_frames(error: BaseException) -> list[FrameType]:
    """The frames of other packages in a traceback."""
    ours = (str(Path(dcvsessions.__file__).parent), __file__)
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return [frame for frame in frames if not frame.f_code.co_filename.startswith(ours)]


@pytest.mark.looptime
@pytest.mark.parametrize("fault", [Fault.error("AccessDeniedException"), Fault.reset()])
async def test_the_frames_of_the_cause_have_no_variables(
    sim: Simulator, lightsail: LightsailClient, fault: Fault
) -> None:
    sim.inject("GetInstances", fault, times=None)
    with pytest.raises(DcvSessionsError) as caught:
        [one async for one in lightsail.get_instances()]
    assert caught.value.__context__ is not None
    # The variables of these frames held the signature and the answer.
    frames = [frame for link in chain(caught.value) for frame in foreign_frames(link)]
    assert frames
    assert all(frame.f_locals == {} for frame in frames)


@pytest.mark.looptime
@pytest.mark.parametrize("fault", [Fault.html(503), Fault.html(200), Fault.truncated()])
async def test_an_error_about_a_foreign_answer_has_nothing_of_the_answer_behind_it(
    sim: Simulator, lightsail: LightsailClient, fault: Fault
) -> None:
    sim.inject("GetInstances", fault, times=None)
    with pytest.raises(InvalidResponseError) as caught:
        [one async for one in lightsail.get_instances()]
    assert chain(caught.value) == []


@pytest.mark.looptime
async def test_an_error_that_the_caller_handles_keeps_its_frames(
    lightsail: LightsailClient,
) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    lightsail._client.meta.events.register("before-sign.lightsail", fail)
    mine = KeyError("mine")
    try:
        raise mine
    except KeyError:
        with pytest.raises(ConfigurationError) as caught:
            [one async for one in lightsail.get_instances()]
    assert mine.__traceback__ is not None
    assert mine in chain(caught.value)
    others = [link for link in chain(caught.value) if link is not mine]
    assert others
    assert all(frame.f_locals == {} for link in others for frame in foreign_frames(link))


@pytest.mark.looptime
async def test_a_cancelled_call_raises_the_cancellation(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    sim.inject("GetInstanceState", Fault.no_answer(), times=None)
    calling = asyncio.create_task(lightsail.get_instance_state("my-computer"))
    await asyncio.sleep(1)
    calling.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await calling
    # The client can still be used.
    sim.heal()
    assert (await lightsail.get_instance_state("my-computer")).name == "running"
