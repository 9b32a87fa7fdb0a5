"""Nimble Studio's own waiters for sessions and streams, to their end, with boto3 1.35.47."""

import boto3
from botocore.exceptions import WaiterError
from scenes import play, raised

nimble = boto3.client("nimble")
STUDIO = {"studioId": "studio-1"}
EVERY_SECOND = {"Delay": 1, "MaxAttempts": 20}  # theirs are 5 and 10 seconds
opened = {}
polls = []


def note(parsed, **_):
    polls.append((parsed.get("session") or parsed["stream"])["state"])


nimble.meta.events.register("after-call.nimble.*", note)


def wait(name, **names):
    polls.clear()
    nimble.get_waiter(name).wait(**names, WaiterConfig=EVERY_SECOND)


def create():
    return nimble.create_streaming_session(**STUDIO, launchProfileId="lp-1")["session"]["sessionId"]


def test_streaming_session_ready_after_a_creation():
    opened.update(STUDIO, sessionId=create())
    wait("streaming_session_ready", **opened)
    assert polls == ["CREATE_IN_PROGRESS", "READY"]


def test_streaming_session_stream_ready():
    stream = nimble.create_streaming_session_stream(**opened)["stream"]
    wait("streaming_session_stream_ready", **opened, streamId=stream["streamId"])
    assert polls == ["CREATE_IN_PROGRESS", "READY"]


def test_streaming_session_stopped():
    nimble.stop_streaming_session(**opened)
    wait("streaming_session_stopped", **opened)
    assert polls == ["STOP_IN_PROGRESS", "STOPPED"]


def test_streaming_session_ready_after_a_start():
    nimble.start_streaming_session(**opened)
    wait("streaming_session_ready", **opened)
    assert polls == ["START_IN_PROGRESS", "READY"]


def test_streaming_session_deleted():
    nimble.delete_streaming_session(**opened)
    wait("streaming_session_deleted", **opened)
    assert polls == ["DELETE_IN_PROGRESS", "DELETED"]


def test_a_creation_that_fails_ends_the_wait():
    names = {**STUDIO, "sessionId": create()}
    error = raised(WaiterError, wait, name="streaming_session_ready", **names)
    assert "terminal failure" in str(error)
    session = error.last_response["session"]
    assert session["statusCode"] == "INSUFFICIENT_CAPACITY"
    assert session["statusMessage"] == "No capacity"


def test_a_session_that_hangs_outlasts_the_attempts():
    names = {**STUDIO, "sessionId": create()}
    waiter = nimble.get_waiter("streaming_session_ready")
    error = raised(WaiterError, waiter.wait, **names, WaiterConfig={"Delay": 0, "MaxAttempts": 3})
    assert "Max attempts exceeded" in str(error)


if __name__ == "__main__":
    play(globals())
