"""A client that does not read AWS_ENDPOINT_URL, and has to be given the endpoint."""

import os

import boto3
from scenes import play, refusal, until


def test_it_calls_aws_unless_it_is_given_the_endpoint():
    # This sends nothing.
    assert boto3.client("lightsail").meta.endpoint_url.endswith(".amazonaws.com")


def test_it_uses_the_simulator_if_it_is_given_the_endpoint():
    lightsail = boto3.client("lightsail", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    lightsail.start_gui_session(resourceName="desk")
    details = until(
        lambda: lightsail.create_gui_session_access_details(resourceName="desk")["status"],
        "started",
    )
    assert set(details[:-1]) <= {"starting"}
    refusal(lightsail, "NotFoundException", lightsail.get_instance, instanceName="nobody")


if __name__ == "__main__":
    play(globals())
