"""The types that users see. Checked by mypy and pyright, never run.

A line that has to be refused has an ignore with its code: both checkers are told to complain
about an ignore that is not needed.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import assert_type

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from dcvsessions import (
    ApiError,
    DcvSessionsError,
    DcvUrl,
    GuiDesktop,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    LightsailClient,
    NimbleClient,
    Operation,
    Progress,
    Stream,
    StreamingDesktop,
    StreamingSession,
    StreamingSessionRequest,
    StreamState,
    WaitFailedError,
    WaitTimeoutError,
    close_gui_session,
    close_gui_sessions,
    close_streaming_session,
    close_streaming_sessions,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_gui_sessions,
    open_stream,
    open_streaming_session,
    open_streaming_sessions,
    streaming_session,
)
from dcvsessions.errors import ErrorAbsorbed, LeftBehind, StateSeen, WaitReport
from dcvsessions.lightsail import GuiSession, GuiSessionOutcome, Instance, InstanceState
from dcvsessions.nimble import (
    LaunchProfile,
    LaunchProfileState,
    StreamConfiguration,
    StreamingInstanceType,
    StreamingSessionCloseOutcome,
    StreamingSessionOutcome,
    Studio,
    StudioState,
    VolumeRetentionMode,
)
from dcvsessions.progress import BatchProgress


async def clients(session: AioSession, config: AioConfig) -> None:
    async with LightsailClient() as lightsail:
        assert_type(lightsail, LightsailClient)
    async with NimbleClient(
        region_name="us-west-2",
        endpoint_url="http://127.0.0.1:8080",
        session=session,
        config=config,
    ) as nimble:
        assert_type(nimble, NimbleClient)
    NimbleClient("us-west-2")  # type: ignore[call-arg]


async def lightsail_operations(client: LightsailClient) -> None:
    details = await client.create_gui_session_access_details("my-computer")
    assert_type(details, GuiSessionAccessDetails)
    assert_type(details.status, GuiSessionStatus | None)
    assert_type(details.percentage_complete, int | None)
    assert_type(details.sessions, tuple[GuiSession, ...])
    assert_type(details.sessions[0].url, DcvUrl | None)
    details.status = None  # type: ignore[misc]
    assert_type(await client.start_gui_session("my-computer"), tuple[Operation, ...])
    assert_type(await client.stop_gui_session("my-computer"), tuple[Operation, ...])
    assert_type(await client.get_operation("id"), Operation)
    assert_type([one async for one in client.get_operations()], list[Operation])
    assert_type(
        [one async for one in client.get_operations_for_resource("my-computer")], list[Operation]
    )
    assert_type(await client.get_instance_state("my-computer"), InstanceState)
    assert_type(await client.get_instance("my-computer"), Instance)
    assert_type([one async for one in client.get_instances()], list[Instance])
    assert_type(await client.start_instance("my-computer"), tuple[Operation, ...])
    assert_type(await client.stop_instance("my-computer", force=True), tuple[Operation, ...])
    assert_type(await client.reboot_instance("my-computer"), tuple[Operation, ...])


async def studios(client: NimbleClient) -> None:
    assert_type([each async for each in client.list_studios()], list[Studio])
    assert_type((await client.get_studio("studio-1")).state, StudioState | None)
    profiles = client.list_launch_profiles("studio-1", states=[LaunchProfileState.READY, "x"])
    assert_type([each async for each in profiles], list[LaunchProfile])
    profile = await client.get_launch_profile("studio-1", "lp-1")
    assert_type(profile.stream_configuration, StreamConfiguration | None)
    if profile.stream_configuration:
        types = profile.stream_configuration.ec2_instance_types
        assert_type(types, tuple[StreamingInstanceType, ...])


async def nimble_operations(client: NimbleClient) -> None:
    session = await client.create_streaming_session(
        "studio-1",
        launch_profile_id="lp-1",
        ec2_instance_type=StreamingInstanceType.G5_XLARGE,
        owned_by="somebody",
        streaming_image_id="image-1",
        tags={"project": "42"},
        client_token="token",
    )
    assert_type(session, StreamingSession)
    assert_type(session.created_at, datetime | None)
    await client.create_streaming_session("studio-1")  # type: ignore[call-arg]
    assert_type(await client.get_streaming_session("studio-1", "s-1"), StreamingSession)
    sessions = client.list_streaming_sessions("studio-1", session_ids=["s-1"], owned_by="somebody")
    assert_type(sessions, AsyncGenerator[StreamingSession, None])
    assert_type([each async for each in sessions], list[StreamingSession])
    assert_type(await client.delete_streaming_session("studio-1", "s-1"), StreamingSession)
    assert_type(await client.start_streaming_session("studio-1", "s-1"), StreamingSession)
    stopped = await client.stop_streaming_session(
        "studio-1", "s-1", volume_retention_mode=VolumeRetentionMode.RETAIN
    )
    assert_type(stopped, StreamingSession)
    stream = await client.create_streaming_session_stream(
        "studio-1", "s-1", expiration_in_seconds=60
    )
    assert_type(stream, Stream)
    assert_type(stream.state, StreamState | None)
    assert_type(stream.url, DcvUrl | None)
    assert_type(await client.get_streaming_session_stream("studio-1", "s-1", "st-1"), Stream)


async def told(event: Progress) -> None:
    assert_type(event.percentage, int | None)
    assert_type(event.elapsed, float)
    assert_type(event.step, str | None)
    assert_type(event.batch, BatchProgress | None)


async def helpers(lightsail: LightsailClient, nimble: NimbleClient) -> None:
    url = await open_gui_session(
        "my-computer",
        kind="operating_system",
        timeout=None,
        start_instance=True,
        on_progress=print,
        client=lightsail,
    )
    assert_type(url, DcvUrl)
    text: str = url
    print(text, url.scheme)
    assert_type(url.native(), DcvUrl)
    assert_type(url.expires_at, datetime | None)
    assert_type(url.streaming_session_id, str | None)
    url.expires_at = None  # type: ignore[misc]
    await open_gui_session("my-computer", kind="desktop")  # type: ignore[arg-type]
    await open_gui_session("my-computer", client=nimble)  # type: ignore[arg-type]
    assert_type(
        await open_streaming_session(
            "studio-1", launch_profile_id="lp-1", on_progress=told, poll_interval=2.5
        ),
        DcvUrl,
    )
    await open_streaming_session("studio-1", "lp-1")  # type: ignore[call-arg]
    assert_type(await open_stream("studio-1", "s-1", client=nimble), DcvUrl)
    await close_gui_session("my-computer", timeout=60)
    await close_streaming_session("studio-1", "s-1")


def urls(expires_at: datetime) -> None:
    url = DcvUrl("https://h/", streaming_session_id="s-1", expires_at=expires_at)
    assert_type(url, DcvUrl)
    DcvUrl("https://h/", "s-1")  # type: ignore[call-arg]


async def desktops() -> None:
    entering: AbstractAsyncContextManager[GuiDesktop] = gui_session("my-computer")
    print(entering)
    async with gui_session("my-computer", stop_on_exit=True) as gui:
        assert_type(gui, GuiDesktop)
        assert_type(await gui.url(), DcvUrl)
        assert_type(gui.urls(), AsyncIterator[DcvUrl])
        async for each in gui.urls(check_reachable=True):
            assert_type(each, DcvUrl)
        assert_type(gui.state, str | None)
        assert_type(gui.expires_at, datetime | None)
    async with streaming_session("studio-1", launch_profile_id="lp-1") as streaming:
        assert_type(streaming, StreamingDesktop)
        assert_type(await streaming.url(), DcvUrl)
        assert_type(streaming.session_id, str)
        assert_type(streaming.expires_at, datetime | None)
    streaming_session("studio-1", session_id="s-1")  # type: ignore[call-arg]
    async with existing_streaming_session("studio-1", "s-1") as existing:
        assert_type(existing, StreamingDesktop)


async def many(lightsail: LightsailClient, nimble: NimbleClient) -> None:
    names = (name for name in ("ada", "grace"))
    async with open_gui_sessions(names, kind="operating_system", client=lightsail) as opened:
        assert_type(opened, AsyncIterator[GuiSessionOutcome])
        async for gui in opened:
            assert_type(gui.name, str)
            assert_type(gui.url, DcvUrl | None)
            assert_type(gui.error, DcvSessionsError | None)
    async with close_gui_sessions(["ada"], timeout=None, on_progress=told) as stopped:
        assert_type([gui async for gui in stopped], list[GuiSessionOutcome])
    request = StreamingSessionRequest(
        launch_profile_id="lp-1",
        ec2_instance_type=StreamingInstanceType.G5_XLARGE,
        owned_by="ada",
        tags={"class": "1"},
    )
    async with open_streaming_sessions("studio-1", [request] * 2, client=nimble) as made:
        assert_type(made, AsyncIterator[StreamingSessionOutcome])
        async for streaming in made:
            assert_type(streaming.request, StreamingSessionRequest)
            assert_type(streaming.session_id, str | None)
            assert_type(streaming.url, DcvUrl | None)
            assert_type(streaming.error, DcvSessionsError | None)
    async with close_streaming_sessions("studio-1", owned_by=["ada", "grace"]) as deleted:
        assert_type(deleted, AsyncIterator[StreamingSessionCloseOutcome])
        async for ended in deleted:
            assert_type(ended.session, StreamingSession)
            assert_type(ended.error, DcvSessionsError | None)
    close_streaming_sessions("studio-1")  # type: ignore[call-arg]
    open_gui_sessions(["ada"], client=nimble)  # type: ignore[arg-type]
    async for _ in open_gui_sessions(["ada"]):  # type: ignore[attr-defined]
        break


def errors(api: ApiError, failed: WaitFailedError, timed_out: WaitTimeoutError) -> None:
    assert_type(api.code, str)
    assert_type(api.request_id, str | None)
    assert_type(api.http_status, int | None)
    assert_type(failed.failure_reason, str | None)
    assert_type(failed.report, WaitReport)
    assert_type(failed.left_behind, LeftBehind | None)
    assert_type(api.left_behind, LeftBehind | None)
    assert_type(api.region_name, str | None)
    assert_type(timed_out.endpoint_url, str | None)
    assert_type(LeftBehind().others, tuple[LeftBehind, ...])
    assert_type(timed_out.history, tuple[StateSeen | ErrorAbsorbed, ...])
    same: TimeoutError = timed_out
    print(same)


def enums(status: GuiSessionStatus) -> str:
    assert_type(status.is_known, bool)
    assert_type(GuiSessionStatus("an unknown status"), GuiSessionStatus)
    if status == GuiSessionStatus.STARTED:
        return "ready"
    return status
