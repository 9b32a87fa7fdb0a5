"""What the caller passes in, and what the service says in free text: checked, masked, cleaned."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from second_fake import Service, mangled, refused, replied
from second_fake.oracle import Logged, leaked, told

from dcvsessions import (
    DcvSessionsError,
    DcvUrl,
    InvalidArgumentError,
    InvalidResponseError,
    LightsailClient,
    NimbleClient,
    Progress,
    WaitFailedError,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)

pytestmark = pytest.mark.looptime


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    async with Service.in_place_of_aws(monkeypatch) as service:
        service.add_computer("lab")
        service.add_session()  # session-1
        yield service


OF_LIGHTSAIL: dict[str, Callable[..., Any]] = {
    "open_gui_session": lambda **how: open_gui_session(**{"name": "lab", **how}),
    "close_gui_session": lambda **how: close_gui_session(**{"name": "lab", **how}),
    "gui_session": lambda **how: gui_session(**{"name": "lab", **how}).__aenter__(),
}
SESSION = {"studio_id": "studio", "session_id": "session-1"}
PROFILE = {"studio_id": "studio", "launch_profile_id": "lp"}
OF_NIMBLE: dict[str, Callable[..., Any]] = {
    "open_streaming_session": lambda **how: open_streaming_session(**{**PROFILE, **how}),
    "open_stream": lambda **how: open_stream(**{**SESSION, **how}),
    "close_streaming_session": lambda **how: close_streaming_session(**{**SESSION, **how}),
    "streaming_session": lambda **how: streaming_session(**{**PROFILE, **how}).__aenter__(),
    "existing_streaming_session": lambda **how: existing_streaming_session(
        **{**SESSION, **how}
    ).__aenter__(),
}
HELPERS = OF_LIGHTSAIL | OF_NIMBLE
OPENERS = {"open_gui_session", "open_streaming_session", "open_stream"}
MAKERS = {"open_streaming_session", "streaming_session"}


# --- Arguments ---


def wrong_for_all() -> list[tuple[str, str, object]]:
    wrong: list[tuple[str, object]] = [
        ("timeout", "5"),
        ("timeout", True),
        ("timeout", -1),
        ("timeout", float("nan")),
        ("poll_interval", "1"),
        ("poll_interval", True),
        ("poll_interval", 0),
        ("on_progress", 5),
        ("endpoint_url", ""),
        ("endpoint_url", 5),
        ("endpoint_url", b"http://127.0.0.1"),
        ("region_name", 5),
        ("profile_name", 5),
        ("client", "client"),
        ("client", ["client"]),
        ("client", LightsailClient),
    ]
    return [(helper, *pair) for helper in HELPERS for pair in wrong]


def wrong_for_some() -> list[tuple[str, str, object]]:
    flags: list[object] = ["no", 1, 0, None, []]
    wrong: list[tuple[str, str, object]] = []
    wrong += [
        (one, "start_instance", v) for one in ("open_gui_session", "gui_session") for v in flags
    ]
    wrong += [("gui_session", "stop_on_exit", value) for value in flags]
    wrong += [(one, "check_reachable", value) for one in sorted(OPENERS) for value in flags]
    wrong += [(one, "keep_on_failure", value) for one in sorted(MAKERS) for value in flags]
    wrong += [("streaming_session", "delete_on_exit", value) for value in flags]
    ids: list[object] = [5, "", "a/b", None, b"studio", ["studio"]]
    wrong += [(one, "studio_id", value) for one in OF_NIMBLE for value in ids]
    wrong += [(one, "name", value) for one in OF_LIGHTSAIL for value in (5, "", "a", None, b"lab")]
    for one in ("open_stream", "close_streaming_session", "existing_streaming_session"):
        wrong += [(one, "session_id", value) for value in ids]
    for one in sorted(MAKERS):
        wrong += [(one, "launch_profile_id", value) for value in ids]
        wrong += [(one, "client_token", value) for value in (5, "", "x" * 65, b"mine", "é")]
        wrong += [(one, "ec2_instance_type", value) for value in (5, ["g4dn.xlarge"])]
        wrong += [(one, "owned_by", value) for value in (5, ["me"])]
        wrong += [(one, "streaming_image_id", value) for value in (5, ["image"])]
        wrong += [(one, "tags", value) for value in (5, ["a"], {"a": 5}, {5: "a"}, "a=b")]
    for one in ("open_streaming_session", "open_stream", "streaming_session"):
        lives: list[object] = [59, 3601, "60", 60.5, True]
        wrong += [(one, "expiration_in_seconds", value) for value in lives]
    for one in ("open_gui_session", "gui_session"):
        wrong += [(one, "kind", value) for value in (5, "", "desktop", None, ["application"])]
    return wrong


@pytest.mark.parametrize(
    ("helper", "argument", "value"),
    [*wrong_for_all(), *wrong_for_some()],
    ids=lambda value: value if isinstance(value, str) and value in HELPERS else repr(value)[:30],
)
async def test_every_argument_of_a_helper_is_checked_before_the_first_call(
    fake: Service, helper: str, argument: str, value: object
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument}="):
        await HELPERS[helper](**{argument: value})
    assert fake.requests == []


@pytest.mark.parametrize("helper", HELPERS)
async def test_the_client_of_the_other_service_is_refused(fake: Service, helper: str) -> None:
    other = NimbleClient if helper in OF_LIGHTSAIL else LightsailClient
    async with other() as client:
        with pytest.raises(InvalidArgumentError, match="client"):
            await HELPERS[helper](client=client)
    assert fake.requests == []


@pytest.mark.parametrize("kind", [LightsailClient, NimbleClient])
@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("region_name", 5),
        ("region_name", True),
        ("profile_name", 5),
        ("endpoint_url", ""),
        ("endpoint_url", 5),
        ("session", "session"),
        ("session", ["session"]),
        ("config", {}),
        ("config", "config"),
    ],
)
async def test_every_argument_of_a_client_is_checked(
    fake: Service, kind: Any, argument: str, value: object
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument}="):
        async with kind(**{argument: value}):
            pass
    assert fake.requests == []


OF_NIMBLES_CLIENT: list[tuple[str, dict[str, object], str]] = [
    ("get_streaming_session", {**SESSION, "session_id": 5}, "session_id"),
    ("delete_streaming_session", {**SESSION, "session_id": "a/b"}, "session_id"),
    ("delete_streaming_session", {**SESSION, "client_token": 5}, "client_token"),
    ("start_streaming_session", {**SESSION, "backup_id": 5}, "backup_id"),
    ("stop_streaming_session", {**SESSION, "volume_retention_mode": 5}, "volume_retention_mode"),
    ("create_streaming_session", {**PROFILE, "owned_by": 5}, "owned_by"),
    ("create_streaming_session", {**PROFILE, "ec2_instance_type": 5}, "ec2_instance_type"),
    ("create_streaming_session", {**PROFILE, "streaming_image_id": 5}, "streaming_image_id"),
    ("create_streaming_session", {**PROFILE, "tags": 5}, "tags"),
    (
        "create_streaming_session_stream",
        {**SESSION, "expiration_in_seconds": True},
        "expiration_in_seconds",
    ),
    ("get_streaming_session_stream", {**SESSION, "stream_id": None}, "stream_id"),
]
OF_LIGHTSAILS_CLIENT: list[tuple[str, dict[str, object], str]] = [
    ("create_gui_session_access_details", {"resource_name": 5}, "resource_name"),
    ("start_gui_session", {"resource_name": ""}, "resource_name"),
    ("stop_instance", {"instance_name": "lab", "force": "no"}, "force"),
    ("get_operation", {"operation_id": 5}, "operation_id"),
]


@pytest.mark.parametrize(("method", "arguments", "named"), OF_NIMBLES_CLIENT)
async def test_every_argument_of_an_operation_of_nimble_is_checked(
    fake: Service, method: str, arguments: dict[str, object], named: str
) -> None:
    async with NimbleClient() as client:
        with pytest.raises(InvalidArgumentError, match=f"^{named}="):
            await getattr(client, method)(**arguments)
    assert fake.requests == []


@pytest.mark.parametrize(("method", "arguments", "named"), OF_LIGHTSAILS_CLIENT)
async def test_every_argument_of_an_operation_of_lightsail_is_checked(
    fake: Service, method: str, arguments: dict[str, object], named: str
) -> None:
    async with LightsailClient() as client:
        with pytest.raises(InvalidArgumentError, match=f"^{named}="):
            await getattr(client, method)(**arguments)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        *(("session_ids", ids) for ids in ([1], 5, [None], [""], [b"session-1"])),
        ("created_by", 5),
        ("owned_by", ""),
    ],
)
async def test_every_argument_of_a_list_is_checked(
    fake: Service, argument: str, value: object
) -> None:
    given: dict[str, Any] = {argument: value}
    async with NimbleClient() as client:
        with pytest.raises(InvalidArgumentError, match=f"^{argument}="):
            _ = [one async for one in client.list_streaming_sessions("studio", **given)]
    assert fake.requests == []


@pytest.mark.parametrize("directory", [5, True, [], 1.5])
def test_the_directory_of_a_connection_file_is_checked(directory: Any) -> None:
    url = DcvUrl("https://desktop.test:8443/?authToken=a#console")
    with pytest.raises(InvalidArgumentError, match="directory"), url.connection_file(directory):
        pass


@pytest.mark.parametrize("session_id", ["a/b", "", "..", "a b", "a?b", "a#b", "a%2fb", "a\nb"])
async def test_an_id_of_the_service_that_no_path_can_hold_is_the_services_fault(
    fake: Service, session_id: str
) -> None:
    def rename(members: dict[str, Any]) -> None:
        members["session"]["sessionId"] = session_id

    fake.always("CreateStreamingSession", mangled(rename))
    with pytest.raises(DcvSessionsError) as caught:
        await open_streaming_session("studio", launch_profile_id="lp", timeout=20)
    assert not isinstance(caught.value, InvalidArgumentError)
    (token,) = {request.client_token for request in fake.called("CreateStreamingSession")}
    assert str(token) in told(caught.value)
    # No other session was read or deleted by such an id.
    assert {request.operation for request in fake.requests} <= {
        "CreateStreamingSession",
        "ListStreamingSessions",
    }


# --- Secrets ---


async def test_user_info_in_an_endpoint_is_masked(
    fake: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = fake.url.replace("://", "://operator:s3cr3t-of-a-proxy@")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    words = ""
    with Logged(logging.DEBUG) as logged:
        try:
            await open_gui_session("lab", timeout=5)
        except DcvSessionsError as error:
            words = told(error)
        try:
            async with LightsailClient() as client:
                words += repr(client)
                words += str([one async for one in client.get_instances()])
        except DcvSessionsError as error:
            words += told(error)
    assert "s3cr3t-of-a-proxy" not in logged.text + words


FREE = "\x1b[31mred\x07\r\nERROR a line of its own \x9b2J\u202e https://u:s3cr3t-word@h/?authToken=s3cr3t-x"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def assert_clean(words: str) -> None:
    # Lines are parted by the error itself, where it has notes.
    assert not CONTROL.search(words.replace("\n", " ")), repr(words)
    assert "s3cr3t" not in words, words


@pytest.mark.parametrize("state", ["failedStartingGUISession", "failedInstanceCreation"])
async def test_a_failure_reason_is_masked_and_cleaned(fake: Service, state: str) -> None:
    fake.add_computer("lab", state, failure=FREE)

    def fails_again(members: dict[str, Any]) -> None:
        members["status"], members["failureReason"] = state, FREE

    fake.always("CreateGUISessionAccessDetails", mangled(fails_again))
    with Logged(logging.INFO) as logged, pytest.raises(WaitFailedError) as caught:
        await open_gui_session("lab")
    assert_clean(str(caught.value))
    assert_clean(str(caught.value.failure_reason))
    assert "red" in str(caught.value)
    assert "\n" not in str(caught.value.failure_reason)
    assert "s3cr3t" not in logged.text


async def test_error_details_of_an_operation_are_masked_and_cleaned(fake: Service) -> None:
    def fails(members: dict[str, Any]) -> None:
        members["operations"][0] |= {
            "status": "Failed",
            "errorCode": f"Code {FREE}",
            "errorDetails": FREE,
        }

    fake.always("StartGUISession", mangled(fails))
    with pytest.raises(WaitFailedError) as caught:
        await open_gui_session("lab")
    for words in (str(caught.value), caught.value.error_code, caught.value.error_details):
        assert_clean(str(words))


async def test_a_status_message_is_masked_and_cleaned(fake: Service) -> None:
    def fails(members: dict[str, Any]) -> None:
        members["session"] |= {"state": "CREATE_FAILED", "statusCode": FREE, "statusMessage": FREE}

    fake.always("GetStreamingSession", mangled(fails))
    with Logged(logging.INFO) as logged, pytest.raises(WaitFailedError) as caught:
        await open_streaming_session("studio", launch_profile_id="lp")
    assert_clean(str(caught.value))
    assert_clean(str(caught.value.status_message))
    assert "s3cr3t" not in logged.text
    assert "\x1b" not in logged.text


async def test_an_unknown_state_is_masked_and_cleaned_wherever_it_is_shown(fake: Service) -> None:
    def unknown(members: dict[str, Any]) -> None:
        members["status"] = FREE

    heard: list[Progress] = []
    fake.always("CreateGUISessionAccessDetails", mangled(unknown))
    with Logged(logging.INFO) as logged, pytest.raises(DcvSessionsError) as caught:
        await open_gui_session("lab", timeout=10, on_progress=heard.append)
    assert_clean(str(caught.value))
    assert_clean("".join(str(event.state) for event in heard))
    assert_clean(logged.text)


@pytest.mark.parametrize("member", ["code", "message"])
async def test_an_error_of_the_service_is_masked_and_cleaned(fake: Service, member: str) -> None:
    words = {"code": "ValidationException", "message": "no", member: FREE}
    fake.always("*", replied(400, {**words, "__type": words["code"]}))
    async with NimbleClient() as client:
        with pytest.raises(DcvSessionsError) as caught:
            await client.get_streaming_session("studio", "session-1")
    assert_clean(told(caught.value))


async def test_a_request_id_is_masked_and_cleaned(fake: Service) -> None:
    fake.always(
        "*",
        refused(
            "ValidationException",
            headers={"x-amzn-requestid": "r-1 \x9b2J https://h/?authToken=s3cr3t-x"},
        ),
    )
    async with NimbleClient() as client:
        with pytest.raises(DcvSessionsError) as caught:
            await client.get_streaming_session("studio", "session-1")
    assert_clean(told(caught.value))
    assert_clean(str(getattr(caught.value, "request_id", "")))


async def test_where_a_redirect_points_to_is_masked_and_cleaned(fake: Service) -> None:
    place = "https://u:s3cr3t-word@elsewhere.test/?authToken=s3cr3t-x#console"
    fake.always("*", replied(302, headers={"location": place}))
    async with NimbleClient() as client:
        with pytest.raises(InvalidResponseError, match=r"elsewhere\.test") as caught:
            await client.get_streaming_session("studio", "session-1")
    assert_clean(told(caught.value))


@pytest.mark.parametrize(
    "query",
    ["xauthTokenx=1", "notauthToken=1", "authTokens=1", "a=authToken", "authToken"],
)
def test_repr_hides_the_fragment_of_a_query_that_merely_resembles_a_token(query: str) -> None:
    assert "s3cr3t" not in repr(DcvUrl(f"https://h/?{query}#s3cr3t"))


async def test_nothing_secret_is_logged_in_a_whole_life(fake: Service) -> None:
    with Logged(logging.DEBUG) as logged:
        async with streaming_session("studio", launch_profile_id="lp") as desktop:
            await desktop.url()
            await asyncio.sleep(600)
            await desktop.url()
        await open_gui_session("lab")
    assert leaked(fake, logged.text) == []
