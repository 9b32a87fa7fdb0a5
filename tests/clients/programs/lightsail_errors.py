"""The errors of Lightsail, with boto3: its own classes, and those that every service has."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from scenes import play, raised, refusal

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
lightsail = boto3.client("lightsail", config=ONCE)

#: In the order in which the scenario lets them happen.
STATUSES = {
    "AccessDeniedException": 400,
    "AccountSetupInProgressException": 400,
    "InvalidInputException": 400,
    "NotFoundException": 400,
    "OperationFailureException": 400,
    "RegionSetupInProgressException": 400,
    "ServiceException": 500,
    "UnauthenticatedException": 400,
}


def refused(client, code):
    response = raised(ClientError, client.get_instances).response
    assert response["Error"]["Code"] == code
    return response["ResponseMetadata"]["HTTPStatusCode"]


def test_every_error_of_the_model_has_its_class():
    for code, status in STATUSES.items():
        # RegionSetupInProgressException is younger than boto3 1.35.47, which passes it on as is.
        its_class = getattr(lightsail.exceptions, code, ClientError)
        call = lightsail.get_instance_state
        response = raised(its_class, call, instanceName="desk").response
        assert response["Error"] == {"Code": code, "Message": "Not for you"}
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_what_is_not_there_is_not_found():
    for call, parameters in (
        (lightsail.get_instance, {"instanceName": "nobody"}),
        (lightsail.get_instance_state, {"instanceName": "nobody"}),
        (lightsail.start_instance, {"instanceName": "nobody"}),
        (lightsail.stop_instance, {"instanceName": "nobody"}),
        (lightsail.create_gui_session_access_details, {"resourceName": "nobody"}),
        (lightsail.start_gui_session, {"resourceName": "nobody"}),
        (lightsail.stop_gui_session, {"resourceName": "nobody"}),
        (lightsail.get_operations_for_resource, {"resourceName": "nobody"}),
        (lightsail.get_operation, {"operationId": "nothing"}),
    ):
        refusal(lightsail, "NotFoundException", call, **parameters)


def test_a_name_against_the_pattern_is_invalid():
    response = refusal(
        lightsail, "InvalidInputException", lightsail.get_instance, instanceName="no spaces"
    )
    assert "instanceName" in response["Error"]["Message"]


def test_a_made_up_page_token_is_invalid():
    call = lightsail.get_operations_for_resource
    refusal(lightsail, "InvalidInputException", call, resourceName="desk", pageToken="made up")


def test_a_computer_that_is_off_starts_no_session():
    refusal(lightsail, "InvalidInputException", lightsail.start_gui_session, resourceName="off")


def test_a_throttle_is_retried_by_boto3():
    patient = boto3.client("lightsail", config=Config(retries={"mode": "standard"}))
    answer = patient.get_instances()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(answer["instances"]) == 2


def test_a_lost_answer_is_retried_by_boto3():
    patient = boto3.client("lightsail", config=Config(retries={"mode": "standard"}))
    assert patient.get_operations()["ResponseMetadata"]["RetryAttempts"] == 1


def with_credentials(key=None, secret=None, token=None):
    return boto3.client(
        "lightsail",
        config=ONCE,
        aws_access_key_id=key or os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret or os.environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=token,
    )


def test_a_wrong_secret_is_refused():
    assert refused(with_credentials(secret="wrong"), "InvalidSignatureException") == 400


def test_an_unknown_key_is_refused():
    assert refused(with_credentials(key="AKIAUNKNOWN"), "UnrecognizedClientException") == 400


def test_a_session_token_is_refused_beside_a_long_term_key():
    assert refused(with_credentials(token="temporary"), "UnrecognizedClientException") == 400


if __name__ == "__main__":
    play(globals())
