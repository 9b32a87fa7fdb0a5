"""How often a call is sent: three times, unless a repeat could act twice."""

import pytest
from aiobotocore.config import AioConfig

from dcvsessions import DcvSessionsError, InvalidResponseError, LightsailClient, NimbleClient
from dcvsessions.simulator import Fault, Simulator

pytestmark = pytest.mark.looptime


async def read(client: LightsailClient | NimbleClient) -> object:
    if isinstance(client, LightsailClient):
        return [one async for one in client.get_instances()]
    return [session async for session in client.list_streaming_sessions("studio-1")]


RETRY_SETTINGS = [
    {},
    {"AWS_NEW_RETRIES_2026": "true"},
    {"AWS_NEW_RETRIES_2026": "false"},
    {"AWS_RETRY_MODE": "legacy"},
    {"AWS_RETRY_MODE": "adaptive"},
    {"AWS_MAX_ATTEMPTS": "1"},
    {"AWS_MAX_ATTEMPTS": "9"},
    {"AWS_NEW_RETRIES_2026": "true", "AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "9"},
]


@pytest.mark.parametrize("environ", RETRY_SETTINGS, ids=str)
async def test_a_call_is_sent_three_times_whatever_the_environment_says(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    sim.inject("*", Fault.error(None, 503), times=None)
    for kind, operation in (
        (LightsailClient, "GetInstances"),
        (NimbleClient, "ListStreamingSessions"),
    ):
        async with kind() as client:
            assert client._client.meta.config.retries == {
                "mode": "standard",
                "total_max_attempts": 3,
            }
            with pytest.raises(DcvSessionsError):
                await read(client)
        assert len(sim.calls(operation)) == 3


async def test_a_config_of_the_caller_sets_the_attempts(sim: Simulator) -> None:
    config = AioConfig(retries={"mode": "standard", "total_max_attempts": 2})
    sim.inject("*", Fault.error(None, 503), times=None)
    async with LightsailClient(config=config) as client:
        with pytest.raises(DcvSessionsError):
            await read(client)
    assert len(sim.requests) == 2


AMBIGUOUS = {
    "lost_response": Fault.lost_response(),
    "reset": Fault.reset(),
    "no_answer": Fault.no_answer(),
    "503": Fault.error(None, 503),
    "ServiceException": Fault.error("ServiceException", 500),
}
REFUSED = {
    "ThrottlingException 400": Fault.error("ThrottlingException", 400),
    "ThrottlingException 429": Fault.error("ThrottlingException", 429),
}


@pytest.mark.parametrize(
    ("operation", "method"),
    [
        ("StartGUISession", "start_gui_session"),
        ("StopGUISession", "stop_gui_session"),
        ("StartInstance", "start_instance"),
        ("StopInstance", "stop_instance"),
        ("RebootInstance", "reboot_instance"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        *[pytest.param(fault, 1, id=name) for name, fault in AMBIGUOUS.items()],
        *[pytest.param(fault, 3, id=name) for name, fault in REFUSED.items()],
    ],
)
async def test_a_call_without_a_token_is_repeated_only_if_it_was_refused(
    sim: Simulator,
    lightsail: LightsailClient,
    *,
    operation: str,
    method: str,
    fault: Fault,
    sent: int,
) -> None:
    sim.lightsail.set_status("my-computer", "started")
    sim.inject(operation, fault, times=None)
    with pytest.raises(DcvSessionsError):
        await getattr(lightsail, method)("my-computer")
    assert len(sim.calls(operation)) == sent


async def test_a_429_without_a_code_is_sent_once(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    # botocore knows throttling by its codes only. A helper waits on after this error.
    sim.inject("GetInstances", Fault.error(None, 429), times=None)
    with pytest.raises(InvalidResponseError) as caught:
        await read(lightsail)
    assert caught.value.http_status == 429
    assert len(sim.requests) == 1


@pytest.mark.parametrize("fault", [*AMBIGUOUS.values(), *REFUSED.values()])
async def test_a_create_is_repeated_with_the_same_token(
    sim: Simulator, nimble: NimbleClient, fault: Fault
) -> None:
    sim.inject("CreateStreamingSession", fault, times=2)
    session = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    tokens = [call.parameters["clientToken"] for call in sim.calls("CreateStreamingSession")]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert sim.nimble.alive == [session.session_id]
