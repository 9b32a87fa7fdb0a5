"""The AWS CLI of today, and 1.35.13: the one that goes with botocore 1.35.47."""

import json
from collections.abc import Callable

import attrs
import pytest


@attrs.frozen
class Done:
    """What a command of the CLI came to."""

    status: int
    text: str
    error: str

    @property
    def answer(self):
        return json.loads(self.text)


@pytest.fixture(scope="module")
def served(serve):
    return serve("cli")


@pytest.fixture(scope="module")
def aws(pythons, served, run) -> Callable[..., Done]:
    def aws(client: str, *words: str) -> Done:
        done = run(served, pythons(client), "-m", "awscli", *words)
        return Done(done.returncode, done.stdout, done.stderr)

    return aws


@pytest.fixture(params=["today", "1.35.47"])
def lightsail(aws, request) -> Callable[..., Done]:
    return lambda *words: aws(request.param, "lightsail", *words)


@pytest.fixture
def nimble(aws) -> Callable[..., Done]:
    return lambda *words: aws("1.35.47", "nimble", *words)


def test_lightsail_starts_a_gui_session(lightsail):
    started = lightsail("start-gui-session", "--resource-name", "my-computer")
    assert started.status == 0, started.error
    (operation,) = started.answer["operations"]
    assert operation["operationType"] == "StartGUISession"
    details = lightsail("create-gui-session-access-details", "--resource-name", "my-computer")
    assert details.answer["status"] == "started"
    assert len(details.answer["sessions"]) == 2


def test_lightsail_lists_all_pages(lightsail):
    listed = lightsail("get-instances", "--query", "instances[].name", "--output", "text")
    assert listed.text.split() == ["my-computer", "second", "third"]


def test_lightsail_says_what_is_not_found(lightsail):
    failed = lightsail("get-instance", "--instance-name", "nobody")
    assert failed.status == 255
    assert "An error occurred (NotFoundException) when calling the GetInstance" in failed.error


def test_nimble_from_a_session_to_its_deletion(nimble, served):
    studio = ("--studio-id", "studio-1")
    created = nimble(
        "create-streaming-session", *studio, "--launch-profile-id", "lp-1", "--tags", "shot=010"
    )
    assert created.status == 0, created.error
    assert created.answer["session"]["state"] == "CREATE_IN_PROGRESS"
    assert created.answer["session"]["tags"] == {"shot": "010"}
    session = (*studio, "--session-id", created.answer["session"]["sessionId"])

    waited = nimble("wait", "streaming-session-ready", *session)
    assert waited.status == 0, waited.error

    streamed = nimble("create-streaming-session-stream", *session, "--expiration-in-seconds", "60")
    stream = (*session, "--stream-id", streamed.answer["stream"]["streamId"])
    assert nimble("wait", "streaming-session-stream-ready", *stream).status == 0
    # It is still being made at the first poll, and ready at the second one, five seconds later.
    assert served.requests("nimble.GetStreamingSessionStream") == ["200", "200"]
    read = nimble("get-streaming-session-stream", *stream, "--query", "stream.url")
    assert read.answer.startswith(served.environ["AWS_ENDPOINT_URL"])

    assert nimble("stop-streaming-session", *session).status == 0
    assert nimble("wait", "streaming-session-stopped", *session).status == 0
    assert nimble("delete-streaming-session", *session).status == 0
    assert nimble("wait", "streaming-session-deleted", *session).status == 0
    listed = nimble("list-streaming-sessions", *studio, "--query", "sessions[].state")
    assert listed.answer == ["DELETED"]


def test_nimble_waits_no_longer_for_a_session_that_failed(nimble):
    studio = ("--studio-id", "studio-2")
    created = nimble("create-streaming-session", *studio, "--launch-profile-id", "lp-1")
    identifier = created.answer["session"]["sessionId"]
    waited = nimble("wait", "streaming-session-ready", *studio, "--session-id", identifier)
    assert waited.status == 255
    assert "terminal failure" in waited.error
