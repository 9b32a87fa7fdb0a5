"""The eight operations of Nimble Studio, with the last boto3 that had them."""

import datetime as dt

import boto3
from scenes import play, until

nimble = boto3.client("nimble")
STUDIO = "studio-1"
opened = {}  # one session goes through the scenes, in their order


def session():
    return nimble.get_streaming_session(studioId=STUDIO, sessionId=opened["session"])["session"]


def state():
    return session()["state"]


def test_create_streaming_session():
    created = nimble.create_streaming_session(
        studioId=STUDIO,
        launchProfileId="lp-2",
        ec2InstanceType="g5.2xlarge",
        streamingImageId="image-1",
        ownedBy="zoë",
        tags={"show": "Am Ende, das Meer", "shot": "010"},
    )["session"]
    opened["session"] = created["sessionId"]
    assert created["state"] == "CREATE_IN_PROGRESS"
    assert created["statusCode"] == "STREAMING_SESSION_CREATE_IN_PROGRESS"
    assert created["launchProfileId"] == "lp-2"
    assert created["ec2InstanceType"] == "g5.2xlarge"
    assert created["streamingImageId"] == "image-1"
    assert created["ownedBy"] == "zoë"
    assert created["tags"] == {"show": "Am Ende, das Meer", "shot": "010"}
    assert abs(created["createdAt"] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert created["createdAt"].microsecond == 0
    assert "stoppedAt" not in created


def test_get_streaming_session():
    assert set(until(state, "READY")) <= {"CREATE_IN_PROGRESS", "READY"}
    ready = session()
    assert ready["statusCode"] == "STREAMING_SESSION_READY"
    assert ready["stopAt"] > ready["startedAt"]
    assert set(ready["volumeConfiguration"]) == {"iops", "size", "throughput"}


def test_create_and_get_streaming_session_stream():
    names = {"studioId": STUDIO, "sessionId": opened["session"]}
    created = nimble.create_streaming_session_stream(**names, expirationInSeconds=120)["stream"]
    assert created["state"] == "CREATE_IN_PROGRESS"
    assert "url" not in created

    def read():
        answer = nimble.get_streaming_session_stream(**names, streamId=created["streamId"])
        return answer["stream"]

    until(lambda: read()["state"], "READY")
    stream = read()
    assert stream["statusCode"] == "STREAM_READY"
    assert stream["url"].startswith(f"{nimble.meta.endpoint_url}/")
    assert stream["expiresAt"] - stream["createdAt"] == dt.timedelta(seconds=120)
    assert stream["ownedBy"] == "zoë"


def test_stop_streaming_session():
    stopped = nimble.stop_streaming_session(
        studioId=STUDIO, sessionId=opened["session"], volumeRetentionMode="RETAIN"
    )["session"]
    assert stopped["state"] == "STOP_IN_PROGRESS"
    until(state, "STOPPED")
    assert session()["stoppedAt"] >= session()["createdAt"]
    assert session()["volumeRetentionMode"] == "RETAIN"


def test_start_streaming_session():
    started = nimble.start_streaming_session(
        studioId=STUDIO, sessionId=opened["session"], backupId="backup-1"
    )["session"]
    assert started["state"] == "START_IN_PROGRESS"
    until(state, "READY")
    assert session()["startedFromBackupId"] == "backup-1"


def test_delete_streaming_session():
    deleted = nimble.delete_streaming_session(studioId=STUDIO, sessionId=opened["session"])
    assert deleted["session"]["state"] == "DELETE_IN_PROGRESS"
    until(state, "DELETED")
    assert session()["statusCode"] == "STREAMING_SESSION_DELETED"


def test_one_client_token_makes_one_session():
    parameters = {"studioId": STUDIO, "launchProfileId": "lp-1", "clientToken": "token-1"}
    first = nimble.create_streaming_session(**parameters)["session"]
    again = nimble.create_streaming_session(**parameters)["session"]
    assert again["sessionId"] == first["sessionId"]
    # Left out, it is botocore that makes one up for each call.
    del parameters["clientToken"]
    other = nimble.create_streaming_session(**parameters)["session"]
    assert other["sessionId"] != first["sessionId"]


def test_paginator_of_sessions_and_its_filters():
    listed = {"studioId": "studio-listed"}
    owners = ("ann", "bob", "ann & bob = ?/é+%", "ann", "ann")
    created = [
        nimble.create_streaming_session(**listed, launchProfileId="lp-1", ownedBy=owner)["session"]
        for owner in owners
    ]
    identifiers = [each["sessionId"] for each in created]
    paginator = nimble.get_paginator("list_streaming_sessions")

    def found(**filters):
        pages = list(paginator.paginate(**listed, **filters))
        assert all(len(page["sessions"]) <= 2 for page in pages)
        return [each["sessionId"] for page in pages for each in page["sessions"]]

    assert found() == identifiers
    assert found(ownedBy="ann") == [identifiers[0], *identifiers[3:]]
    assert found(ownedBy="ann & bob = ?/é+%") == [identifiers[2]]
    assert found(ownedBy="nobody") == []
    assert found(createdBy=created[0]["createdBy"]) == identifiers
    assert found(createdBy="nobody") == []
    assert found(sessionIds=",".join(identifiers[1:3])) == identifiers[1:3]


def test_an_answer_has_the_metadata_of_aws():
    metadata = nimble.list_streaming_sessions(studioId=STUDIO)["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 200
    assert len(metadata["RequestId"]) == 36
    assert metadata["HTTPHeaders"]["content-type"] == "application/json"
    assert metadata["RetryAttempts"] == 0


if __name__ == "__main__":
    play(globals())
