"""Calls that name a computer or an operation that does not exist. On AWS this costs nothing."""

import pytest
from contract.observing import outcome

from dcvsessions import ApiError, LightsailClient

pytestmark = pytest.mark.aws(
    minutes=0, does="ask for a computer and an operation that do not exist"
)

_NOBODY = "no-computer-has-this-name"
_NO_OPERATION = "00000000-0000-0000-0000-000000000000"


async def ask_for_what_is_not_there(_: str) -> dict[str, object]:
    async with LightsailClient() as client:
        return {
            "CreateGUISessionAccessDetails": await outcome(
                client.create_gui_session_access_details(_NOBODY)
            ),
            "StartGUISession": await outcome(client.start_gui_session(_NOBODY)),
            "StopGUISession": await outcome(client.stop_gui_session(_NOBODY)),
            "GetInstance": await outcome(client.get_instance(_NOBODY)),
            "GetInstanceState": await outcome(client.get_instance_state(_NOBODY)),
            "StartInstance": await outcome(client.start_instance(_NOBODY)),
            "GetOperation": await outcome(client.get_operation(_NO_OPERATION)),
        }


@pytest.fixture(scope="module")
def answers(target):
    return target.run(ask_for_what_is_not_there)


@pytest.mark.parametrize(
    "operation",
    [
        "CreateGUISessionAccessDetails",
        "StartGUISession",
        "StopGUISession",
        "GetInstance",
        "GetInstanceState",
        "StartInstance",
        "GetOperation",
    ],
)
def test_what_does_not_exist_is_not_found(answers, operation):
    error = answers[operation]
    assert isinstance(error, ApiError)
    assert (error.code, error.http_status) == ("NotFoundException", 400)
    assert error.message
