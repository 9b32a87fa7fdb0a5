"""Nimble Studio's operations, compared member for member with what is on the wire."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC
from importlib.resources import files
from itertools import cycle
from typing import Any

import attrs
import pytest
from botocore import xform_name

from dcvsessions import (
    ConflictError,
    DcvUrl,
    InvalidArgumentError,
    InvalidRequestError,
    InvalidResponseError,
    NimbleClient,
    NotFoundError,
    QuotaExceededError,
    Stream,
    StreamingSession,
    StreamingSessionState,
    StreamState,
)
from dcvsessions._aws.session import opened_client
from dcvsessions.nimble import (
    AutomaticTerminationMode,
    LaunchProfile,
    LaunchProfileState,
    LaunchProfileStatusCode,
    SessionPersistenceMode,
    StreamConfiguration,
    StreamingClipboardMode,
    StreamingInstanceType,
    StreamingSessionStatusCode,
    StreamStatusCode,
    Studio,
    StudioState,
    StudioStatusCode,
    VolumeConfiguration,
    VolumeRetentionMode,
)
from dcvsessions.simulator import Simulator

pytestmark = pytest.mark.looptime


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """A simulator whose pages are short, so that every list has several."""
    async with Simulator(page_size=2) as simulator:
        simulator.nimble.add_studio("studio-1", launch_profiles=("lp-1", "lp-2"))
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.fixture
async def raw(sim: Simulator) -> AsyncIterator[Any]:
    """Plain aiobotocore with this package's model of Nimble, which shows what is on the wire."""
    async with opened_client(
        "nimble",
        session=None,
        profile_name=None,
        region_name=None,
        endpoint_url=None,
        config=None,
    ) as (client, _):
        yield client


async def ready_session(nimble: NimbleClient) -> str:
    # This is not a fixture, because virtual time passes in tests only.
    session = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    await asyncio.sleep(2)
    return session.session_id or ""


# Members that the classes leave out.
LEFT_OUT = {"studioEncryptionConfiguration"}


def assert_same(ours: Any, wire: Any) -> None:
    """Every member on the wire is in the object, and the object has nothing that is not on it."""
    if not attrs.has(type(ours)):
        assert (list(ours) if isinstance(ours, tuple) else ours) == wire
        return
    on_wire = {xform_name(name): value for name, value in wire.items() if name not in LEFT_OUT}
    names = [field.name for field in attrs.fields(type(ours))]
    assert not on_wire.keys() - names
    for name in names:
        if name in on_wire:
            assert_same(getattr(ours, name), on_wire[name])
        else:
            assert getattr(ours, name) in (None, {}, ())


async def assert_as_on_wire(raw: Any, session: StreamingSession) -> None:
    answer = await raw.get_streaming_session(studioId="studio-1", sessionId=session.session_id)
    assert_same(session, answer["session"])


async def test_studios_come_from_all_pages(sim: Simulator, nimble: NimbleClient, raw: Any) -> None:
    sim.nimble.add_studio("studio-2")
    sim.nimble.add_studio("studio-3")
    studios = [studio async for studio in nimble.list_studios()]
    assert [studio.studio_id for studio in studios] == ["studio-1", "studio-2", "studio-3"]
    assert len(sim.calls("ListStudios")) == 2
    for studio, wire in zip(studios, (await raw.list_studios())["studios"], strict=False):
        assert_same(studio, wire)
        assert await nimble.get_studio(studio.studio_id or "") == studio


async def test_a_studio_is_read(nimble: NimbleClient, raw: Any) -> None:
    studio = await nimble.get_studio("studio-1")
    assert studio == Studio(
        admin_role_arn="arn:aws:iam::123456789012:role/studio0-admin",
        arn="arn:aws:nimble:us-east-1:123456789012:studio/studio-1",
        created_at=studio.created_at,
        display_name="studio-1",
        home_region="us-east-1",
        sso_client_id="sso-studio0",
        state=StudioState.READY,
        status_code=StudioStatusCode.STUDIO_CREATED,
        studio_id="studio-1",
        studio_name="studio0",
        studio_url="https://studio0.nimblestudio.us-east-1.amazonaws.com",
        updated_at=studio.created_at,
        user_role_arn="arn:aws:iam::123456789012:role/studio0-user",
    )
    assert studio.created_at
    assert studio.created_at.tzinfo is UTC
    assert hash(studio) == hash(attrs.evolve(studio))
    assert_same(studio, (await raw.get_studio(studioId="studio-1"))["studio"])
    with pytest.raises(NotFoundError, match="studio-9"):
        await nimble.get_studio("studio-9")


async def test_launch_profiles_come_from_all_pages(
    sim: Simulator, nimble: NimbleClient, raw: Any
) -> None:
    sim.nimble.add_studio("studio-2", launch_profiles=("lp-3", "lp-4", "lp-5"))
    profiles = [each async for each in nimble.list_launch_profiles("studio-2")]
    assert [each.launch_profile_id for each in profiles] == ["lp-3", "lp-4", "lp-5"]
    assert len(sim.calls("ListLaunchProfiles")) == 2
    page = await raw.list_launch_profiles(studioId="studio-2")
    for profile, wire in zip(profiles, page["launchProfiles"], strict=False):
        assert_same(profile, wire)
        assert await nimble.get_launch_profile("studio-2", wire["launchProfileId"]) == profile


async def test_a_launch_profile_is_read(nimble: NimbleClient, raw: Any) -> None:
    profile = await nimble.get_launch_profile("studio-1", "lp-2")
    assert profile == LaunchProfile(
        arn="arn:aws:nimble:us-east-1:123456789012:launch-profile/lp-2",
        created_at=profile.created_at,
        created_by=profile.created_by,
        ec2_subnet_ids=("subnet-00000000000000000",),
        launch_profile_id="lp-2",
        launch_profile_protocol_versions=("2021-03-31",),
        name="lp-2",
        state=LaunchProfileState.READY,
        status_code=LaunchProfileStatusCode.LAUNCH_PROFILE_CREATED,
        stream_configuration=StreamConfiguration(
            automatic_termination_mode=AutomaticTerminationMode.ACTIVATED,
            clipboard_mode=StreamingClipboardMode.ENABLED,
            ec2_instance_types=(StreamingInstanceType.G4DN_XLARGE,),
            max_session_length_in_minutes=690,
            max_stopped_session_length_in_minutes=5760,
            session_persistence_mode=SessionPersistenceMode.ACTIVATED,
            streaming_image_ids=("image-1",),
            volume_configuration=VolumeConfiguration(iops=3000, size=500, throughput=125),
        ),
        updated_at=profile.created_at,
        updated_by=profile.created_by,
    )
    assert hash(profile) == hash(attrs.evolve(profile))
    answer = await raw.get_launch_profile(studioId="studio-1", launchProfileId="lp-2")
    assert_same(profile, answer["launchProfile"])
    with pytest.raises(NotFoundError, match="lp-9"):
        await nimble.get_launch_profile("studio-1", "lp-9")


@pytest.mark.parametrize(
    ("states", "found"),
    [
        (None, ["lp-1", "lp-2"]),
        ([LaunchProfileState.READY], ["lp-1", "lp-2"]),
        (["DELETED", "READY"], ["lp-1", "lp-2"]),
        (("DELETED",), []),
    ],
)
async def test_launch_profiles_are_filtered_by_state(
    sim: Simulator, nimble: NimbleClient, states: Any, found: list[str]
) -> None:
    profiles = nimble.list_launch_profiles("studio-1", states=states)
    assert [each.launch_profile_id async for each in profiles] == found
    (call,) = sim.calls("ListLaunchProfiles")
    assert call.parameters.get("states") == (None if states is None else [*states])


async def test_launch_profiles_are_filtered_by_user(nimble: NimbleClient) -> None:
    (profile, *_) = [each async for each in nimble.list_launch_profiles("studio-1")]
    for user, count in ((profile.created_by, 2), ("somebody-else", 0)):
        profiles = nimble.list_launch_profiles("studio-1", principal_id=user)
        assert len([each async for each in profiles]) == count


async def test_an_empty_list_of_states_asks_for_no_launch_profiles(
    sim: Simulator, nimble: NimbleClient
) -> None:
    assert [each async for each in nimble.list_launch_profiles("studio-1", states=[])] == []
    assert sim.requests == []


async def test_a_session_is_made_from_what_the_lists_name(nimble: NimbleClient) -> None:
    studio = await anext(nimble.list_studios())
    profile = await anext(nimble.list_launch_profiles(studio.studio_id or ""))
    assert profile.stream_configuration
    session = await nimble.create_streaming_session(
        studio.studio_id or "",
        launch_profile_id=profile.launch_profile_id or "",
        ec2_instance_type=profile.stream_configuration.ec2_instance_types[0],
        streaming_image_id=profile.stream_configuration.streaming_image_ids[0],
    )
    assert session.launch_profile_id == "lp-1"


async def test_a_create_sends_every_parameter(
    sim: Simulator, nimble: NimbleClient, raw: Any
) -> None:
    session = await nimble.create_streaming_session(
        "studio-1",
        launch_profile_id="lp-2",
        ec2_instance_type=StreamingInstanceType.G5_2XLARGE,
        owned_by="somebody",
        streaming_image_id="image-9",
        tags={"project": "42", "team": "paint"},
        client_token="token-1",
    )
    (call,) = sim.calls("CreateStreamingSession")
    assert call.parameters == {
        "studioId": "studio-1",
        "launchProfileId": "lp-2",
        "ec2InstanceType": "g5.2xlarge",
        "ownedBy": "somebody",
        "streamingImageId": "image-9",
        "tags": {"project": "42", "team": "paint"},
        "clientToken": "token-1",
    }
    assert session.launch_profile_id == "lp-2"
    assert session.ec2_instance_type == "g5.2xlarge"
    assert session.owned_by == "somebody"
    assert session.streaming_image_id == "image-9"
    assert session.tags == {"project": "42", "team": "paint"}
    assert session.state is StreamingSessionState.CREATE_IN_PROGRESS
    assert session.status_code is StreamingSessionStatusCode.STREAMING_SESSION_CREATE_IN_PROGRESS
    assert session.volume_configuration == VolumeConfiguration(iops=3000, size=500, throughput=125)
    assert session.created_at
    assert session.created_at.tzinfo is UTC
    assert hash(session) == hash(attrs.evolve(session))
    await assert_as_on_wire(raw, session)


async def test_each_create_has_a_new_token_by_default(sim: Simulator, nimble: NimbleClient) -> None:
    for _ in range(2):
        await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    first, second = (call.parameters["clientToken"] for call in sim.calls("CreateStreamingSession"))
    assert first
    assert first != second


async def test_every_member_of_a_session_is_read_in_each_state(
    nimble: NimbleClient, raw: Any
) -> None:
    session_id = await ready_session(nimble)
    filled: set[str] = set()

    async def look(state: str) -> None:
        session = await nimble.get_streaming_session("studio-1", session_id)
        assert session.state == state
        await assert_as_on_wire(raw, session)
        members = attrs.asdict(session, recurse=False)
        filled.update(name for name, value in members.items() if value is not None)

    await look("READY")
    stopping = await nimble.stop_streaming_session(
        "studio-1", session_id, volume_retention_mode=VolumeRetentionMode.DELETE
    )
    assert stopping.state is StreamingSessionState.STOP_IN_PROGRESS
    assert stopping.volume_retention_mode is VolumeRetentionMode.DELETE
    await look("STOP_IN_PROGRESS")
    await asyncio.sleep(2)
    await look("STOPPED")
    starting = await nimble.start_streaming_session("studio-1", session_id, backup_id="backup-3")
    assert starting.state is StreamingSessionState.START_IN_PROGRESS
    assert starting.started_from_backup_id == "backup-3"
    await look("START_IN_PROGRESS")
    await asyncio.sleep(2)
    await look("READY")
    deleting = await nimble.delete_streaming_session("studio-1", session_id)
    assert deleting.state is StreamingSessionState.DELETE_IN_PROGRESS
    await look("DELETE_IN_PROGRESS")
    await asyncio.sleep(2)
    await look("DELETED")
    assert filled == {field.name for field in attrs.fields(StreamingSession)}


async def test_a_failed_session_says_why(sim: Simulator, nimble: NimbleClient, raw: Any) -> None:
    sim.nimble.fail_sessions(status_code="INSUFFICIENT_CAPACITY", message="None left")
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    await asyncio.sleep(2)
    session = await nimble.get_streaming_session("studio-1", made.session_id or "")
    assert session.state is StreamingSessionState.CREATE_FAILED
    assert session.status_code is StreamingSessionStatusCode.INSUFFICIENT_CAPACITY
    assert session.status_message == "None left"
    await assert_as_on_wire(raw, session)


async def test_every_member_of_a_stream_is_read(
    sim: Simulator, nimble: NimbleClient, raw: Any
) -> None:
    session_id = await ready_session(nimble)
    stream = await nimble.create_streaming_session_stream(
        "studio-1", session_id, expiration_in_seconds=600, client_token="token-1"
    )
    (call,) = sim.calls("CreateStreamingSessionStream")
    assert call.parameters == {
        "studioId": "studio-1",
        "sessionId": session_id,
        "expirationInSeconds": 600,
        "clientToken": "token-1",
    }
    assert stream.state is StreamState.CREATE_IN_PROGRESS
    assert stream.url is None
    await asyncio.sleep(2)
    ready = await nimble.get_streaming_session_stream(
        "studio-1", session_id, stream.stream_id or ""
    )
    answer = await raw.get_streaming_session_stream(
        studioId="studio-1", sessionId=session_id, streamId=stream.stream_id
    )
    assert_same(ready, answer["stream"])
    assert all(value is not None for value in attrs.asdict(ready, recurse=False).values())
    assert ready.stream_id == stream.stream_id
    assert ready.state is StreamState.READY
    assert ready.status_code is StreamStatusCode.STREAM_READY
    assert isinstance(ready.url, DcvUrl)
    assert sim.accepts(ready.url)
    assert ready.expires_at
    assert ready.created_at
    assert (ready.expires_at - ready.created_at).total_seconds() == 600


async def test_the_same_token_finds_the_same_session(sim: Simulator, nimble: NimbleClient) -> None:
    async def create(launch_profile_id: str) -> StreamingSession:
        return await nimble.create_streaming_session(
            "studio-1", launch_profile_id=launch_profile_id, client_token="token-1"
        )

    first, again = await create("lp-1"), await create("lp-1")
    assert first.session_id == again.session_id
    with pytest.raises(InvalidRequestError, match="client token"):
        await create("lp-2")
    assert sim.nimble.alive == [first.session_id]


async def test_the_same_token_finds_the_same_stream(nimble: NimbleClient) -> None:
    session_id = await ready_session(nimble)

    async def create(seconds: int) -> Stream:
        return await nimble.create_streaming_session_stream(
            "studio-1", session_id, expiration_in_seconds=seconds, client_token="token-1"
        )

    first, again = await create(60), await create(60)
    assert first.stream_id == again.stream_id
    with pytest.raises(InvalidRequestError, match="client token"):
        await create(61)


@pytest.mark.parametrize(
    ("method", "state"),
    [
        ("start_streaming_session", "STOPPED"),
        ("stop_streaming_session", "READY"),
        ("delete_streaming_session", "READY"),
    ],
)
async def test_the_same_token_changes_nothing_again(
    sim: Simulator, nimble: NimbleClient, method: str, state: str
) -> None:
    session_id = await ready_session(nimble)
    sim.nimble.set_state(session_id, state)
    change = getattr(nimble, method)
    first = await change("studio-1", session_id, client_token="token-1")
    again = await change("studio-1", session_id, client_token="token-1")
    assert first.state == again.state
    with pytest.raises(ConflictError):
        await change("studio-1", session_id, client_token="token-2")


async def listed(nimble: NimbleClient, **filters: Any) -> list[str | None]:
    sessions = nimble.list_streaming_sessions("studio-1", **filters)
    return [session.session_id async for session in sessions]


async def test_sessions_come_from_all_pages(sim: Simulator, nimble: NimbleClient, raw: Any) -> None:
    made = [
        (await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")).session_id
        for _ in range(5)
    ]
    assert await listed(nimble) == made
    assert len(sim.calls("ListStreamingSessions")) == 3
    wire = (await raw.list_streaming_sessions(studioId="studio-1"))["sessions"]
    ours = [session async for session in nimble.list_streaming_sessions("studio-1")]
    for session, on_wire in zip(ours, wire, strict=False):
        assert_same(session, on_wire)


async def test_a_list_asks_for_a_page_only_when_it_is_wanted(
    sim: Simulator, nimble: NimbleClient
) -> None:
    for _ in range(5):
        await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    sessions = nimble.list_streaming_sessions("studio-1")
    assert sim.calls("ListStreamingSessions") == []
    await anext(sessions)
    await anext(sessions)
    assert len(sim.calls("ListStreamingSessions")) == 1
    await anext(sessions)
    assert len(sim.calls("ListStreamingSessions")) == 2
    await sessions.aclose()


async def test_a_list_is_filtered_by_creator_owner_and_id(
    sim: Simulator, nimble: NimbleClient
) -> None:
    mine, theirs, other = [
        (
            await nimble.create_streaming_session(
                "studio-1", launch_profile_id="lp-1", owned_by=owner
            )
        ).session_id
        for owner in ("me", "them", "them")
    ]
    creator = sim.nimble.sessions[mine or ""].created_by
    assert await listed(nimble, owned_by="me") == [mine]
    assert await listed(nimble, owned_by="them") == [theirs, other]
    assert await listed(nimble, created_by=creator) == [mine, theirs, other]
    assert await listed(nimble, created_by="nobody") == []
    assert await listed(nimble, session_ids=[mine, other]) == [mine, other]
    assert await listed(nimble, session_ids=f"{mine},{theirs}") == [mine, theirs]
    assert await listed(nimble, session_ids=theirs) == [theirs]
    assert await listed(nimble, owned_by="them", session_ids=[mine, other]) == [other]


@pytest.mark.parametrize("empty", [[], (), ""])
async def test_an_empty_list_of_ids_asks_for_no_sessions(
    sim: Simulator, nimble: NimbleClient, empty: list[str] | str
) -> None:
    await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    assert await listed(nimble, session_ids=empty) == []
    assert sim.calls("ListStreamingSessions") == []


@pytest.mark.parametrize("tokens", [["again"], ["first", "second"]])
async def test_pages_that_lead_back_are_an_error(
    sim: Simulator, nimble: NimbleClient, monkeypatch: pytest.MonkeyPatch, tokens: list[str]
) -> None:
    circle = cycle(tokens)
    monkeypatch.setattr(
        "dcvsessions.simulator._nimble.operations.page", lambda *_: ([], next(circle))
    )
    for operation, lists in (
        ("ListStreamingSessions", nimble.list_streaming_sessions("studio-1")),
        ("ListStudios", nimble.list_studios()),
        ("ListLaunchProfiles", nimble.list_launch_profiles("studio-1")),
    ):
        with pytest.raises(
            InvalidResponseError, match="the list leads back to a page that was read before"
        ):
            [one async for one in lists]
        assert len(sim.calls(operation)) == len(tokens) + 1


async def test_a_missing_resource_is_named_in_the_error(nimble: NimbleClient) -> None:
    with pytest.raises(NotFoundError, match="launch profile"):
        await nimble.create_streaming_session("studio-1", launch_profile_id="lp-9")
    with pytest.raises(NotFoundError, match="studio"):
        await nimble.create_streaming_session("studio-9", launch_profile_id="lp-1")
    with pytest.raises(NotFoundError, match="streaming session") as caught:
        await nimble.get_streaming_session("studio-1", "nowhere")
    assert caught.value.http_status == 404


async def test_a_session_over_the_quota_is_refused(sim: Simulator, nimble: NimbleClient) -> None:
    sim.nimble.add_studio("small", launch_profiles=("lp-1",), session_quota=1)
    await nimble.create_streaming_session("small", launch_profile_id="lp-1")
    with pytest.raises(QuotaExceededError, match="1 of 1"):
        await nimble.create_streaming_session("small", launch_profile_id="lp-1")


def test_the_limits_of_an_expiration_are_those_of_the_model() -> None:
    place = files("dcvsessions") / "data/nimble/2020-08-01/service-2.json"
    shape = json.loads(place.read_text("utf-8"))["shapes"][
        "StreamingSessionStreamExpirationInSeconds"
    ]
    assert (shape["min"], shape["max"]) == (60, 3600)


@pytest.mark.parametrize("seconds", [60, 3600])
async def test_the_limits_of_an_expiration_are_allowed(nimble: NimbleClient, seconds: int) -> None:
    session_id = await ready_session(nimble)
    stream = await nimble.create_streaming_session_stream(
        "studio-1", session_id, expiration_in_seconds=seconds
    )
    assert stream.expires_at
    assert stream.created_at
    assert (stream.expires_at - stream.created_at).total_seconds() == seconds


async def test_an_unknown_instance_type_is_left_to_the_service(nimble: NimbleClient) -> None:
    with pytest.raises((InvalidRequestError, InvalidArgumentError), match="enum value"):
        await nimble.create_streaming_session(
            "studio-1", launch_profile_id="lp-1", ec2_instance_type="g9.huge"
        )
