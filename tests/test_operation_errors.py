"""Every way in which a call of either client can fail, as it comes over the wire."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dcvsessions import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    CallTimeoutError,
    ClockSkewError,
    ConflictError,
    ConnectionFailedError,
    CredentialsExpiredError,
    DcvSessionsError,
    InvalidRequestError,
    InvalidResponseError,
    LightsailClient,
    NimbleClient,
    NotFoundError,
    QuotaExceededError,
    ServiceFaultError,
    ThrottledError,
)
from dcvsessions.simulator import Fault, Simulator

pytestmark = pytest.mark.looptime

Call = Callable[[Any, dict[str, str]], Awaitable[object]]

# Each operation; `it` holds the ids of what the simulator has. Of a list, the first page is read.
LIGHTSAIL: dict[str, Call] = {
    "CreateGUISessionAccessDetails": lambda c, _: c.create_gui_session_access_details(
        "my-computer"
    ),
    "StartGUISession": lambda c, _: c.start_gui_session("my-computer"),
    "StopGUISession": lambda c, _: c.stop_gui_session("my-computer"),
    "GetOperation": lambda c, it: c.get_operation(it["operation"]),
    "GetOperations": lambda c, _: anext(c.get_operations()),
    "GetOperationsForResource": lambda c, _: anext(c.get_operations_for_resource("my-computer")),
    "GetInstanceState": lambda c, _: c.get_instance_state("my-computer"),
    "GetInstance": lambda c, _: c.get_instance("my-computer"),
    "GetInstances": lambda c, _: anext(c.get_instances()),
    "RebootInstance": lambda c, _: c.reboot_instance("my-computer"),
    "StartInstance": lambda c, _: c.start_instance("my-computer"),
    "StopInstance": lambda c, _: c.stop_instance("my-computer"),
}
NIMBLE: dict[str, Call] = {
    "ListStudios": lambda c, _: anext(c.list_studios()),
    "GetStudio": lambda c, _: c.get_studio("studio-1"),
    "ListLaunchProfiles": lambda c, _: anext(c.list_launch_profiles("studio-1")),
    "GetLaunchProfile": lambda c, _: c.get_launch_profile("studio-1", "lp-1"),
    "CreateStreamingSession": lambda c, _: c.create_streaming_session(
        "studio-1", launch_profile_id="lp-1"
    ),
    "GetStreamingSession": lambda c, it: c.get_streaming_session("studio-1", it["session"]),
    "ListStreamingSessions": lambda c, _: anext(c.list_streaming_sessions("studio-1")),
    "DeleteStreamingSession": lambda c, it: c.delete_streaming_session("studio-1", it["session"]),
    "StartStreamingSession": lambda c, it: c.start_streaming_session("studio-1", it["session"]),
    "StopStreamingSession": lambda c, it: c.stop_streaming_session("studio-1", it["session"]),
    "CreateStreamingSessionStream": lambda c, it: c.create_streaming_session_stream(
        "studio-1", it["session"]
    ),
    "GetStreamingSessionStream": lambda c, it: c.get_streaming_session_stream(
        "studio-1", it["session"], it["stream"]
    ),
}
CALLS = LIGHTSAIL | NIMBLE
# The state that a session has to be in for the operation; otherwise READY.
NEEDED_STATE = {"StartStreamingSession": "STOPPED"}
NOWHERE = dict.fromkeys(("operation", "session", "stream"), "some-id")

MODELS = [
    json.loads((files("dcvsessions") / "data" / place / "service-2.json").read_text("utf-8"))
    for place in ("lightsail/2016-11-28", "nimble/2020-08-01")
]

MEANINGS: dict[str, type[ApiError]] = {
    # Lightsail's
    "AccessDeniedException": AccessDeniedError,
    "AccountSetupInProgressException": ServiceFaultError,
    "InvalidInputException": InvalidRequestError,
    "NotFoundException": NotFoundError,
    "OperationFailureException": ApiError,
    "RegionSetupInProgressException": ServiceFaultError,
    "ServiceException": ServiceFaultError,
    "UnauthenticatedException": AuthenticationError,
    # Nimble's, and AccessDeniedException, which both have
    "ConflictException": ConflictError,
    "InternalServerErrorException": ServiceFaultError,
    "ResourceNotFoundException": NotFoundError,
    "ServiceQuotaExceededException": QuotaExceededError,
    "ThrottlingException": ThrottledError,
    "ValidationException": InvalidRequestError,
}


@asynccontextmanager
async def client_of(operation: str) -> AsyncGenerator[Any, None]:
    async with LightsailClient() if operation in LIGHTSAIL else NimbleClient() as client:
        yield client


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        pytest.param(
            operation,
            error["shape"],
            model["shapes"][error["shape"]].get("error", {}).get("httpStatusCode", 400),
            id=f"{operation}-{error['shape']}",
        )
        for model in MODELS
        for operation in model["operations"]
        for error in model["operations"][operation]["errors"]
    ],
)
async def test_every_error_of_the_models_has_its_class(
    sim: Simulator, operation: str, code: str, status: int
) -> None:
    sim.inject(operation, Fault.error(code, status=status, message="Because."), times=None)
    async with client_of(operation) as client:
        with pytest.raises(DcvSessionsError) as caught:
            await CALLS[operation](client, NOWHERE)
    error = caught.value
    assert isinstance(error, ApiError)
    assert type(error) is MEANINGS[code]
    assert (error.code, error.message, error.operation, error.http_status) == (
        code,
        "Because.",
        operation,
        status,
    )
    assert isinstance(error.__context__, ClientError)
    assert error.__suppress_context__
    assert error.request_id == error.__context__.response["ResponseMetadata"]["RequestId"]
    assert error.request_id
    assert error.request_id in str(error)
    assert "Because" in str(error)


def test_every_operation_of_the_models_has_a_method_and_is_tested_here() -> None:
    of_models = {operation for model in MODELS for operation in model["operations"]}
    assert of_models == CALLS.keys()
    of_clients = [
        name
        for client in (LightsailClient, NimbleClient)
        for name in vars(client)
        if not name.startswith("_")
    ]
    assert len(of_clients) == len(CALLS)


@pytest.mark.parametrize("operation", ["GetInstances", "GetStreamingSession"])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, ThrottledError),
        ("ThrottlingException", 429, ThrottledError),
        ("TooManyRequestsException", 429, ThrottledError),
        ("EC2ThrottledException", 400, ThrottledError),
        ("LimitExceededException", 400, ThrottledError),
        ("ProvisionedThroughputExceededException", 400, ThrottledError),
        ("ServiceException", 400, ServiceFaultError),
        ("PriorRequestNotComplete", 400, ServiceFaultError),
        ("RequestTimeout", 400, ServiceFaultError),
        ("RequestTimeoutException", 400, ServiceFaultError),
        ("TransactionInProgressException", 400, ServiceFaultError),
        ("ExpiredTokenException", 400, CredentialsExpiredError),
        ("UnrecognizedClientException", 400, AuthenticationError),
        # A code decides, whatever the status; the status of an unknown code says what may pass.
        ("AccessDeniedException", 503, AccessDeniedError),
        ("MadeUpException", 418, ApiError),
        ("MadeUpException", 404, ApiError),
        ("MadeUpException", 408, ServiceFaultError),
        ("MadeUpException", 429, ServiceFaultError),
        ("MadeUpException", 500, ServiceFaultError),
    ],
)
async def test_an_error_that_the_models_do_not_name_has_its_class(
    sim: Simulator, operation: str, code: str, status: int, kind: type[ApiError]
) -> None:
    sim.inject(operation, Fault.error(code, status), times=None)
    async with client_of(operation) as client:
        with pytest.raises(ApiError) as caught:
            await CALLS[operation](client, NOWHERE)
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.http_status, error.operation) == (code, status, operation)
    assert isinstance(error.__context__, ClientError)
    assert error.__suppress_context__


@pytest.mark.parametrize("operation", ["GetInstances", "GetStreamingSession"])
@pytest.mark.parametrize(
    "fault",
    [
        *(Fault.error(None, status) for status in (400, 401, 402, 403, 404, 409, 429, 500, 503)),
        *(Fault.html(status) for status in (403, 404, 502)),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
async def test_an_error_answer_without_a_code_is_not_the_services(
    sim: Simulator, operation: str, fault: Fault
) -> None:
    sim.inject(operation, fault, times=None)
    async with client_of(operation) as client:
        with pytest.raises(InvalidResponseError, match="names no error code") as caught:
            await CALLS[operation](client, NOWHERE)
    assert caught.value.operation == operation
    assert caught.value.http_status == fault.status
    assert str(fault.status) in str(caught.value)


@pytest.mark.parametrize(("sent", "read"), [(7, 7.0), ("2.5", None), ("soon", None), (None, None)])
async def test_a_throttled_call_tells_how_long_to_wait(
    sim: Simulator, lightsail: LightsailClient, sent: float | str | None, read: float | None
) -> None:
    fault = Fault.error("ThrottlingException", 429, retry_after=sent)
    sim.inject("GetInstances", fault, times=None)
    with pytest.raises(ThrottledError) as caught:
        [one async for one in lightsail.get_instances()]
    assert caught.value.retry_after == read


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.html(200), InvalidResponseError),
        (Fault.empty(), InvalidResponseError),
        (Fault.truncated(), InvalidResponseError),
        (Fault.reset(), ConnectionFailedError),
        (Fault.reset_midway(), InvalidResponseError | ConnectionFailedError),
        (Fault.lost_response(), ConnectionFailedError),
        (Fault.no_answer(), CallTimeoutError),
        (Fault.delay(60), CallTimeoutError),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_every_operation_says_that_the_service_did_not_answer(
    sim: Simulator,
    lightsail: LightsailClient,
    nimble: NimbleClient,
    fault: Fault,
    kind: type[InvalidResponseError | ConnectionFailedError],
) -> None:
    (operation,) = await lightsail.start_gui_session("my-computer")
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    sim.nimble.set_state(made.session_id or "", "READY")
    stream = await nimble.create_streaming_session_stream("studio-1", made.session_id or "")
    it = {
        "operation": operation.id or "",
        "session": made.session_id or "",
        "stream": stream.stream_id or "",
    }
    for name, call in CALLS.items():
        sim.lightsail.set_status("my-computer", "started")
        sim.nimble.set_state(it["session"], NEEDED_STATE.get(name, "READY"))
        sim.inject(name, fault, times=None)
        with pytest.raises((InvalidResponseError, ConnectionFailedError)) as caught:
            await call(lightsail if name in LIGHTSAIL else nimble, it)
        sim.heal()
        assert isinstance(caught.value, kind)
        assert caught.value.operation == name
        assert name in str(caught.value)


async def test_the_content_type_of_an_answer_does_not_matter(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    sim.inject("GetInstances", Fault.wrong_content_type())
    (instance,) = [one async for one in lightsail.get_instances()]
    assert instance.name == "my-computer"


@pytest.mark.parametrize("operation", ["GetInstances", "GetStreamingSession"])
@pytest.mark.parametrize(("skew", "side"), [(3600, "behind"), (-3600, "ahead of")])
async def test_the_error_says_by_how_many_seconds_the_clock_is_wrong(
    sim: Simulator, operation: str, skew: int, side: str
) -> None:
    sim.inject(operation, Fault.skewed_date(skew), times=None)
    async with client_of(operation) as client:
        with pytest.raises(ClockSkewError) as caught:
            await CALLS[operation](client, NOWHERE)
    assert caught.value.skew == pytest.approx(skew, abs=10)
    assert side in str(caught.value)


@pytest.mark.parametrize("operation", ["GetInstances", "GetStreamingSession"])
async def test_a_wrong_secret_key_is_an_authentication_error(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    async with client_of(operation) as client:
        with pytest.raises(AuthenticationError, match="secret key"):
            await CALLS[operation](client, NOWHERE)
