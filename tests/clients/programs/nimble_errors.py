"""The errors of Nimble Studio, with the last boto3 that had it."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from scenes import play, raised, refusal, until

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
nimble = boto3.client("nimble", config=ONCE)
STUDIO = {"studioId": "studio-1"}
opened = {}


def status(response):
    return response["ResponseMetadata"]["HTTPStatusCode"]


def test_errors_that_only_a_fault_can_cause():
    for code, expected in {
        "AccessDeniedException": 403,
        "InternalServerErrorException": 500,
        "ThrottlingException": 429,
    }.items():
        response = refusal(nimble, code, nimble.list_streaming_sessions, **STUDIO)
        assert status(response) == expected
        assert response["Error"]["Message"] == "Not for you"


def test_a_session_too_many_exceeds_the_quota():
    created = nimble.create_streaming_session(**STUDIO, launchProfileId="lp-1")["session"]
    opened.update(STUDIO, sessionId=created["sessionId"])
    response = refusal(
        nimble,
        "ServiceQuotaExceededException",
        nimble.create_streaming_session,
        **STUDIO,
        launchProfileId="lp-1",
    )
    assert status(response) == 402


def test_a_transition_that_runs_is_a_conflict():
    until(lambda: nimble.get_streaming_session(**opened)["session"]["state"], "READY")
    nimble.stop_streaming_session(**opened)
    response = refusal(nimble, "ConflictException", nimble.start_streaming_session, **opened)
    assert status(response) == 409


def test_what_is_not_there_is_not_found():
    for call in (
        nimble.get_streaming_session,
        nimble.delete_streaming_session,
        nimble.start_streaming_session,
        nimble.stop_streaming_session,
        nimble.create_streaming_session_stream,
    ):
        # The first such call to make a stream is throttled; botocore's own retry gets past it.
        patient = boto3.client("nimble")
        again = getattr(patient, call.__name__)
        response = refusal(patient, "ResourceNotFoundException", again, **STUDIO, sessionId="none")
        assert status(response) == 404


def test_identifiers_with_any_character_are_signed_and_read_alike():
    for odd in ("a/b", "a b", "a+b", "a%2Fb", "é", "~-_.", "a:b@c", "?a=b&c#d", "*'()"):
        response = refusal(
            nimble,
            "ResourceNotFoundException",
            nimble.get_streaming_session,
            **STUDIO,
            sessionId=odd,
        )
        assert odd in response["Error"]["Message"]


def test_what_breaks_a_limit_of_the_model_is_named():
    create = nimble.create_streaming_session
    for call, parameters, place in (
        (create, {"launchProfileId": "lp-1", "ec2InstanceType": "huge"}, "ec2InstanceType"),
        (create, {"launchProfileId": "lp-1", "streamingImageId": "im age"}, "streamingImageId"),
        (create, {"launchProfileId": "lp-1", "clientToken": "x" * 65}, "clientToken"),
        (
            nimble.create_streaming_session_stream,
            {"sessionId": "any", "expirationInSeconds": 3601},
            "expirationInSeconds",
        ),
    ):
        response = refusal(nimble, "ValidationException", call, **STUDIO, **parameters)
        assert status(response) == 400
        assert place in response["Error"]["Message"]


def test_a_wrong_secret_is_refused():
    wrong = boto3.client(
        "nimble",
        config=ONCE,
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key="wrong",
    )
    response = raised(ClientError, wrong.list_streaming_sessions, **STUDIO).response
    assert response["Error"]["Code"] == "InvalidSignatureException"
    assert status(response) == 403


if __name__ == "__main__":
    play(globals())
