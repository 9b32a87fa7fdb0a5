"""Nimble Studio's behaviour, over the wire, in virtual time."""

import asyncio
import datetime as dt
import math

import pytest

from dcvsessions.simulator import Simulator, Timings, TransitionPlan

pytestmark = pytest.mark.looptime


async def ready(wire, **parameters):
    """Create a session and wait for it."""
    identifier = (await wire.create(**parameters)).json["session"]["sessionId"]
    await asyncio.sleep(1)
    return identifier


async def state(wire, identifier):
    return (await wire.session(identifier)).json["session"]["state"]


async def look_at_stream(wire, identifier, stream_id):
    path = f"studio-1/streaming-sessions/{identifier}/streams/{stream_id}"
    return await wire.nimble("GET", path)


def moment(text):
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


async def test_a_session_becomes_ready_and_is_returned_with_every_member(wire):
    reply = await wire.create(
        ownedBy="somebody",
        tags={"team": "art"},
        ec2InstanceType="g5.xlarge",
        streamingImageId="image-2",
    )
    assert reply.status == 200
    session = reply.json["session"]
    assert session["state"] == "CREATE_IN_PROGRESS"
    assert session["statusCode"] == "STREAMING_SESSION_CREATE_IN_PROGRESS"
    await asyncio.sleep(1)
    session = (await wire.session(session["sessionId"])).json["session"]
    created = moment(session["createdAt"])
    times = {
        name: moment(session.pop(name)) - created
        for name in ("createdAt", "startedAt", "updatedAt", "stopAt", "terminateAt")
    }
    identifier = session.pop("sessionId")
    assert len(identifier) == 22
    assert session == {
        "arn": f"arn:aws:nimble:us-east-1:123456789012:streaming-session/{identifier}",
        "automaticTerminationMode": "ACTIVATED",
        "backupMode": "DEACTIVATED",
        "createdBy": "simulator-user",
        "ec2InstanceType": "g5.xlarge",
        "launchProfileId": "lp-1",
        "maxBackupsToRetain": 0,
        "ownedBy": "somebody",
        "sessionPersistenceMode": "ACTIVATED",
        "startedBy": "simulator-user",
        "state": "READY",
        "statusCode": "STREAMING_SESSION_READY",
        "statusMessage": "Streaming session is READY",
        "streamingImageId": "image-2",
        "tags": {"team": "art"},
        "updatedBy": "simulator-user",
        "volumeConfiguration": {"iops": 3000, "size": 500, "throughput": 125},
        "volumeRetentionMode": "RETAIN",
    }
    assert times == {
        "createdAt": 0,
        "startedAt": 0,
        "updatedAt": 1,
        "stopAt": 1 + 690 * 60,
        "terminateAt": 1 + 690 * 60 + 1 + 5760 * 60,
    }


async def test_a_session_stops_and_starts_again(wire):
    identifier = await ready(wire)
    seen = []
    for operation, parameters in (("stop", {"volumeRetentionMode": "DELETE"}), ("start", {})):
        seen.append((await wire.session(identifier, operation, parameters)).json["session"])
        await asyncio.sleep(1)
        seen.append((await wire.session(identifier)).json["session"])
    assert [each["state"] for each in seen] == [
        "STOP_IN_PROGRESS",
        "STOPPED",
        "START_IN_PROGRESS",
        "READY",
    ]
    assert seen[-1]["statusCode"] == "STREAMING_SESSION_STARTED"
    assert seen[-1]["volumeRetentionMode"] == "DELETE"
    created = moment(seen[0]["createdAt"])
    # Both are documented as the times at which the IN_PROGRESS states were entered.
    assert moment(seen[-1]["stoppedAt"]) - created == 1
    assert moment(seen[-1]["startedAt"]) - created == 2
    assert seen[-1]["stoppedBy"] == seen[-1]["startedBy"] == "simulator-user"


async def test_a_session_starts_from_a_backup(wire, sim):
    identifier = await ready(wire)
    sim.nimble.set_state(identifier, "STOPPED")
    reply = await wire.session(identifier, "start", {"backupId": "backup-1"})
    assert reply.json["session"]["startedFromBackupId"] == "backup-1"


async def test_a_deleted_session_can_be_read_for_an_hour(sim, wire):
    identifier = await ready(wire)
    reply = await wire.session(identifier, "delete")
    assert reply.json["session"]["state"] == "DELETE_IN_PROGRESS"
    assert sim.nimble.alive == []
    again = await wire.session(identifier, "delete")
    assert (again.status, again.error) == (409, "ConflictException")
    await asyncio.sleep(0.5)
    assert await state(wire, identifier) == "DELETED"
    again = await wire.session(identifier, "delete")
    assert (again.status, again.error) == (404, "ResourceNotFoundException")
    await asyncio.sleep(3600)
    reply = await wire.session(identifier)
    assert (reply.status, reply.error) == (404, "ResourceNotFoundException")


async def test_the_service_stops_a_session_and_deletes_it_later(open_wire):
    timings = Timings(session_lifetime=60, stopped_session_lifetime=120)
    async with Simulator(timings=timings) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        identifier = await ready(wire)
        seen = []
        for seconds in (59, 1.5, 1, 119, 0.7, 0.5):
            await asyncio.sleep(seconds)
            seen.append(await state(wire, identifier))
    assert seen == [
        "READY",
        "STOP_IN_PROGRESS",
        "STOPPED",
        "STOPPED",
        "DELETE_IN_PROGRESS",
        "DELETED",
    ]


@pytest.mark.parametrize(
    "now",
    [
        "CREATE_IN_PROGRESS",
        "READY",
        "START_IN_PROGRESS",
        "STOP_IN_PROGRESS",
        "STOPPED",
        "CREATE_FAILED",
        "START_FAILED",
        "STOP_FAILED",
        "DELETE_FAILED",
        "NEVER_HEARD_OF",
    ],
)
async def test_each_state_of_a_session_accepts_certain_operations(sim, wire, now):
    identifier = await ready(wire)
    accepted = {"start": now == "STOPPED", "stop": now == "READY", "streams": now == "READY"}
    for operation in ("start", "stop", "streams", "delete"):
        sim.nimble.set_state(identifier, now)
        assert sim.nimble.sessions[identifier].state == now
        reply = await wire.session(identifier, operation)
        if accepted.get(operation, True):
            assert reply.status == 200
        else:
            assert (reply.status, reply.error) == (409, "ConflictException")
            assert now in reply.json["message"]


async def test_a_stream_has_a_url_from_ready_until_it_expires(sim, wire):
    identifier = await ready(wire)
    reply = await wire.session(identifier, "streams", {"expirationInSeconds": 60})
    stream = reply.json["stream"]
    assert (stream["state"], stream["statusCode"]) == (
        "CREATE_IN_PROGRESS",
        "STREAM_CREATE_IN_PROGRESS",
    )
    assert "url" not in stream
    await asyncio.sleep(0.5)
    stream = (await look_at_stream(wire, identifier, stream["streamId"])).json["stream"]
    assert (stream["state"], stream["statusCode"]) == ("READY", "STREAM_READY")
    assert stream["createdBy"] == stream["ownedBy"] == "simulator-user"
    assert moment(stream["expiresAt"]) - moment(stream["createdAt"]) == 60
    assert sim.accepts(stream["url"])
    await asyncio.sleep(59.5)
    gone = (await look_at_stream(wire, identifier, stream["streamId"])).json["stream"]
    assert (gone["state"], gone["statusCode"]) == ("DELETED", "STREAM_DELETED")
    assert "url" not in gone
    assert not sim.accepts(stream["url"])


async def test_a_stream_lasts_two_minutes_by_default(wire):
    identifier = await ready(wire)
    stream = (await wire.session(identifier, "streams")).json["stream"]
    assert moment(stream["expiresAt"]) - moment(stream["createdAt"]) == 120


async def open_stream(wire, identifier):
    stream = (await wire.session(identifier, "streams")).json["stream"]
    await asyncio.sleep(0.5)
    return (await look_at_stream(wire, identifier, stream["streamId"])).json["stream"]


async def test_a_stream_ends_with_its_session_and_stays_deleted(sim, wire):
    identifier = await ready(wire)
    stream = await open_stream(wire, identifier)
    assert sim.accepts(stream["url"])
    for operation in ("stop", "start"):
        await wire.session(identifier, operation)
        await asyncio.sleep(1)
        assert not sim.accepts(stream["url"])
        found = (await look_at_stream(wire, identifier, stream["streamId"])).json["stream"]
        assert found["state"] == "DELETED"


async def test_a_url_opens_nothing_while_its_session_is_not_ready(sim, wire):
    identifier = await ready(wire)
    url = (await open_stream(wire, identifier))["url"]
    sim.nimble.set_state(identifier, "STOP_FAILED")
    assert not sim.accepts(url)


async def test_a_stream_ends_when_the_service_stops_its_session(open_wire):
    async with Simulator(timings=Timings(session_lifetime=60)) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        identifier = await ready(wire)
        stream = await open_stream(wire, identifier)
        await asyncio.sleep(59.4)
        assert sim.accepts(stream["url"])
        await asyncio.sleep(0.2)
        found = (await look_at_stream(wire, identifier, stream["streamId"])).json["stream"]
        assert found["state"] == "DELETED"


@pytest.mark.parametrize("seconds", [60, 3600])
async def test_the_smallest_and_largest_expirations_are_accepted(wire, seconds):
    identifier = await ready(wire)
    reply = await wire.session(identifier, "streams", {"expirationInSeconds": seconds})
    assert reply.status == 200


@pytest.mark.parametrize("seconds", [59, 3601, 0, -1])
async def test_an_expiration_outside_the_limits_is_refused(wire, seconds):
    identifier = await ready(wire)
    reply = await wire.session(identifier, "streams", {"expirationInSeconds": seconds})
    assert (reply.status, reply.error) == (400, "ValidationException")
    assert "'expirationInSeconds' failed to satisfy constraint" in reply.json["message"]


async def test_a_creation_fails_with_the_given_code_and_message(sim, wire):
    sim.nimble.fail_sessions(status_code="INSUFFICIENT_CAPACITY", message="None left", times=1)
    identifier = await ready(wire)
    session = (await wire.session(identifier)).json["session"]
    assert (session["state"], session["statusCode"]) == ("CREATE_FAILED", "INSUFFICIENT_CAPACITY")
    assert session["statusMessage"] == "None left"
    assert await state(wire, await ready(wire)) == "READY"


@pytest.mark.parametrize(
    ("before", "operation", "failed"),
    [
        ("STOPPED", "start", "START_FAILED"),
        ("READY", "stop", "STOP_FAILED"),
        ("READY", "delete", "DELETE_FAILED"),
    ],
)
async def test_each_transition_of_a_session_can_fail(sim, wire, before, operation, failed):
    identifier = await ready(wire)
    sim.nimble.set_state(identifier, before)
    sim.nimble.fail_sessions(state=failed)
    await wire.session(identifier, operation)
    await asyncio.sleep(1)
    assert await state(wire, identifier) == failed


async def test_a_creation_can_end_in_a_state_that_is_not_in_the_model(sim, wire):
    sim.nimble.fail_sessions(state="HIBERNATED", status_code="COLD")
    session = (await wire.session(await ready(wire))).json["session"]
    assert (session["state"], session["statusCode"]) == ("HIBERNATED", "COLD")


async def test_a_stream_fails_with_the_given_code(sim, wire):
    identifier = await ready(wire)
    sim.nimble.fail_streams(status_code="NETWORK_CONNECTION_ERROR")
    stream = (await wire.session(identifier, "streams")).json["stream"]
    await asyncio.sleep(0.5)
    stream = (await look_at_stream(wire, identifier, stream["streamId"])).json["stream"]
    assert (stream["state"], stream["statusCode"]) == ("CREATE_FAILED", "NETWORK_CONNECTION_ERROR")
    assert "url" not in stream


async def test_hold_freezes_transitions_that_start_later(sim, wire):
    sim.nimble.hold()
    identifier = await ready(wire)
    await asyncio.sleep(1e4)
    assert await state(wire, identifier) == "CREATE_IN_PROGRESS"
    sim.nimble.release()
    assert await state(wire, await ready(wire)) == "READY"


async def test_hold_freezes_running_transitions_of_sessions_and_streams(sim, wire):
    settled, moving = await ready(wire), (await wire.create()).json["session"]["sessionId"]
    stream = (await wire.session(settled, "streams")).json["stream"]["streamId"]
    await asyncio.sleep(0.4)
    sim.nimble.hold()
    await asyncio.sleep(1e4)
    assert await state(wire, moving) == "CREATE_IN_PROGRESS"
    assert await state(wire, settled) == "READY"
    found = (await look_at_stream(wire, settled, stream)).json["stream"]
    assert found["state"] == "CREATE_IN_PROGRESS"
    sim.nimble.release()
    await asyncio.sleep(1e4)
    assert await state(wire, moving) == "CREATE_IN_PROGRESS"
    assert (await wire.session(moving, "delete")).status == 200
    await asyncio.sleep(1)
    assert await state(wire, moving) == "DELETED"


async def test_hold_does_not_end_stale_reads(open_wire):
    async with Simulator(stale_reads=2) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        identifier = (await wire.create()).json["session"]["sessionId"]
        sim.nimble.hold()
        assert (await wire.session(identifier)).status == 404
        await asyncio.sleep(2)
        assert await state(wire, identifier) == "CREATE_IN_PROGRESS"


async def test_hold_wins_over_a_plan(sim, wire):
    sim.nimble.plan("CreateStreamingSession", TransitionPlan(seconds=1))
    sim.nimble.hold()
    assert await state(wire, await ready(wire)) == "CREATE_IN_PROGRESS"


async def test_a_session_may_last_longer_than_any_datetime(open_wire):
    for lifetime, has_end in ((math.inf, False), (1e20, True)):
        async with (
            Simulator(timings=Timings(session_lifetime=lifetime)) as sim,
            open_wire(sim) as wire,
        ):
            sim.nimble.add_studio("studio-1")
            reply = await wire.create()
            assert reply.status == 200
            assert ("stopAt" in reply.json["session"]) == has_end


async def test_a_plan_sets_the_duration_of_a_creation(sim, wire):
    sim.nimble.plan("CreateStreamingSession", TransitionPlan(seconds=300))
    identifier = await ready(wire)
    await asyncio.sleep(298.9)
    assert await state(wire, identifier) == "CREATE_IN_PROGRESS"
    await asyncio.sleep(0.2)
    assert await state(wire, identifier) == "READY"


async def test_a_repeated_client_token_makes_one_session(sim, wire):
    first = await wire.create(token="once")
    await asyncio.sleep(1)
    second = await wire.create(token="once")
    assert second.json["session"]["sessionId"] == first.json["session"]["sessionId"]
    assert second.json["session"]["state"] == "READY"
    assert len(sim.nimble.sessions) == 1
    third = await wire.create(token="once", ownedBy="somebody else")
    assert (third.status, third.error) == (400, "ValidationException")
    assert (await wire.create(token="twice")).status == 200
    assert len(sim.nimble.sessions) == 2


async def test_a_repeated_client_token_makes_every_change_once(wire):
    identifier = await ready(wire)
    for operation in ("stop", "start", "delete"):
        first = await wire.session(identifier, operation, token=f"{operation}-1")
        second = await wire.session(identifier, operation, token=f"{operation}-1")
        assert (first.status, second.status) == (200, 200)
        await asyncio.sleep(1)
    again = await wire.session(identifier, "delete", token="delete-1")
    assert again.json["session"]["state"] == "DELETED"


async def test_a_repeated_client_token_makes_one_stream(wire):
    identifier = await ready(wire)
    replies = [await wire.session(identifier, "streams", token="one") for _ in range(2)]
    assert len({reply.json["stream"]["streamId"] for reply in replies}) == 1


@pytest.mark.parametrize("length", [1, 64])
async def test_the_shortest_and_longest_client_tokens_are_accepted(wire, length):
    assert (await wire.create(token="x" * length)).status == 200


@pytest.mark.parametrize("length", [0, 65])
async def test_a_client_token_outside_the_limits_is_refused(wire, length):
    reply = await wire.create(token="x" * length)
    assert (reply.status, reply.error) == (400, "ValidationException")


async def test_a_session_counts_against_the_quota_until_it_is_deleted(sim, wire):
    sim.nimble.add_studio("small", session_quota=1)
    identifier = (await wire.create("small")).json["session"]["sessionId"]
    path = f"small/streaming-sessions/{identifier}"
    for _ in range(2):
        reply = await wire.create("small")
        assert (reply.status, reply.error) == (402, "ServiceQuotaExceededException")
        await wire.nimble("DELETE", path)  # and while it is being deleted
    await asyncio.sleep(0.5)
    assert (await wire.create("small")).status == 200


async def test_unknown_studios_profiles_sessions_and_streams_are_not_found(wire):
    identifier = await ready(wire)
    for reply in [
        await wire.create("nowhere"),
        await wire.create(launchProfileId="none"),
        await wire.nimble("GET", "nowhere/streaming-sessions"),
        await wire.nimble("GET", f"nowhere/streaming-sessions/{identifier}"),
        await wire.session("none"),
        await wire.session("none", "start"),
        await wire.session("none", "stop"),
        await wire.session("none", "delete"),
        await wire.session("none", "streams"),
        await look_at_stream(wire, "none", "none"),
        await look_at_stream(wire, identifier, "none"),
    ]:
        assert (reply.status, reply.error) == (404, "ResourceNotFoundException")
        assert reply.json["message"]


async def test_a_session_is_not_found_in_another_studio(sim, wire):
    sim.nimble.add_studio("studio-2")
    identifier = await ready(wire)
    reply = await wire.nimble("GET", f"studio-2/streaming-sessions/{identifier}")
    assert (reply.status, reply.error) == (404, "ResourceNotFoundException")
    assert (await wire.nimble("GET", "studio-2/streaming-sessions")).json == {"sessions": []}


async def listed(wire, **query):
    reply = await wire.nimble("GET", "studio-1/streaming-sessions", query=query)
    return [session["sessionId"] for session in reply.json["sessions"]]


async def test_sessions_are_filtered_by_creator_owner_and_id(wire):
    mine, hers, his = [
        await ready(wire, **({"ownedBy": owner} if owner else {})) for owner in ("", "her", "him")
    ]
    assert await listed(wire) == [mine, hers, his]
    assert await listed(wire, ownedBy="her") == [hers]
    assert await listed(wire, ownedBy="") == []
    assert await listed(wire, createdBy="simulator-user") == [mine, hers, his]
    assert await listed(wire, createdBy="her") == []
    assert await listed(wire, sessionIds=f"{his},{mine}") == [mine, his]
    assert await listed(wire, sessionIds=f"{his},{mine}", ownedBy="him") == [his]


async def test_pages_of_sessions_do_not_shift_when_sessions_come_and_go(open_wire):
    async with Simulator(page_size=2, timings=Timings.instant()) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        made = [(await wire.create()).json["session"]["sessionId"] for _ in range(5)]
        path = "studio-1/streaming-sessions"
        first = (await wire.nimble("GET", path)).json
        await wire.session(made[0], "delete")
        await asyncio.sleep(3601)  # and it is forgotten
        second = (await wire.nimble("GET", path, query={"nextToken": first["nextToken"]})).json
        third = (await wire.nimble("GET", path, query={"nextToken": second["nextToken"]})).json
        found = [
            [each["sessionId"] for each in page["sessions"]] for page in (first, second, third)
        ]
        assert found == [made[0:2], made[2:4], made[4:5]]
        assert "nextToken" not in third


async def test_nimble_refuses_an_invalid_page_token(wire):
    reply = await wire.nimble("GET", "studio-1/streaming-sessions", query={"nextToken": "x"})
    assert (reply.status, reply.error) == (400, "ValidationException")


async def test_reads_of_a_session_are_stale_for_the_given_time(open_wire):
    async with Simulator(stale_reads=3) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        identifier = await ready(wire)
        assert sim.nimble.alive == [identifier]
        assert (await wire.session(identifier)).status == 404
        assert await listed(wire) == []
        stream = (await wire.session(identifier, "streams")).json["stream"]["streamId"]
        assert (await look_at_stream(wire, identifier, stream)).status == 404
        await asyncio.sleep(3)
        assert await state(wire, identifier) == "READY"
        assert await listed(wire) == [identifier]
        assert (await look_at_stream(wire, identifier, stream)).status == 200
        await wire.session(identifier, "delete")
        await asyncio.sleep(2.9)
        assert await state(wire, identifier) == "READY"
        await asyncio.sleep(0.1)
        assert await state(wire, identifier) == "DELETED"


async def test_old_deleted_sessions_and_old_streams_are_removed(open_wire, monkeypatch):
    monkeypatch.setattr("dcvsessions.simulator._nimble.account._DELETED_LIMIT", 10)
    monkeypatch.setattr("dcvsessions.simulator._nimble.operations._STREAM_LIMIT", 10)
    async with Simulator(timings=Timings.instant()) as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1")
        identifier = (await wire.create()).json["session"]["sessionId"]
        for _ in range(20):
            await wire.session(identifier, "streams")
            gone = (await wire.create()).json["session"]["sessionId"]
            await wire.session(gone, "delete")
        assert len(sim.nimble.sessions) == 12
        assert len(sim.nimble.sessions[identifier].streams) == 10


async def test_a_view_of_a_session_shows_its_state_now(sim, wire):
    identifier = await ready(wire, ownedBy="her", tags={"a": "b"})
    stream = (await wire.session(identifier, "streams")).json["stream"]["streamId"]
    seen = sim.nimble.sessions[identifier]
    assert (seen.session_id, seen.studio_id, seen.launch_profile_id) == (
        identifier,
        "studio-1",
        "lp-1",
    )
    assert (seen.state, seen.status_code) == ("READY", "STREAMING_SESSION_READY")
    assert (seen.owned_by, seen.created_by) == ("her", "simulator-user")
    assert seen.tags == {"a": "b"}
    assert seen.streams == {stream: "CREATE_IN_PROGRESS"}
    assert sim.nimble.alive == [identifier]


def test_mistakes_in_setting_up_studios_are_rejected():
    sim = Simulator()
    sim.nimble.add_studio("studio-1")
    with pytest.raises(ValueError, match="already"):
        sim.nimble.add_studio("studio-1")
    with pytest.raises(KeyError, match="no session 'x'"):
        sim.nimble.set_state("x", "READY")
    with pytest.raises(ValueError, match="operation must be one of CreateStreamingSession"):
        sim.nimble.plan("GetStreamingSession", TransitionPlan())
    with pytest.raises(ValueError, match="times must be at least 1"):
        sim.nimble.fail_sessions(times=0)


# --- Studios and launch profiles ---


async def test_studios_are_listed_in_pages_and_read(open_wire):
    async with Simulator(page_size=2) as sim, open_wire(sim) as wire:
        for name in ("studio-1", "studio-2", "studio-3"):
            sim.nimble.add_studio(name)
        first = (await wire.nimble("GET", "", query={})).json
        query = {"nextToken": first["nextToken"]}
        second = (await wire.nimble("GET", "", query=query)).json
        listed = [*first["studios"], *second["studios"]]
        assert [each["studioId"] for each in listed] == ["studio-1", "studio-2", "studio-3"]
        assert "nextToken" not in second
        reply = await wire.nimble("GET", "studio-2")
        assert reply.json == {"studio": listed[1]}
        assert reply.json["studio"]["state"] == "READY"
        reply = await wire.nimble("GET", "nowhere")
        assert (reply.status, reply.error) == (404, "ResourceNotFoundException")
        reply = await wire.nimble("GET", "", query={"nextToken": "made-up"})
        assert (reply.status, reply.error) == (400, "ValidationException")


async def test_launch_profiles_are_listed_in_pages_and_read(open_wire):
    profiles = ("lp-1", "lp-2", "lp-3")
    async with Simulator() as sim, open_wire(sim) as wire:
        sim.nimble.add_studio("studio-1", launch_profiles=profiles, ec2_instance_type="g5.xlarge")
        path = "studio-1/launch-profiles"
        first = (await wire.nimble("GET", path, query={"maxResults": 2})).json
        second = (await wire.nimble("GET", path, query={"nextToken": first["nextToken"]})).json
        listed = [*first["launchProfiles"], *second["launchProfiles"]]
        assert [each["launchProfileId"] for each in listed] == list(profiles)
        assert listed[0]["streamConfiguration"]["ec2InstanceTypes"] == ["g5.xlarge"]
        assert listed[0]["streamConfiguration"]["maxSessionLengthInMinutes"] == 690
        reply = await wire.nimble("GET", f"{path}/lp-3")
        assert reply.json == {"launchProfile": listed[2]}
        for missing in (f"{path}/lp-4", "nowhere/launch-profiles/lp-1", "nowhere/launch-profiles"):
            reply = await wire.nimble("GET", missing)
            assert (reply.status, reply.error) == (404, "ResourceNotFoundException")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ([("states", "READY")], 1),
        ([("states", "DELETED"), ("states", "READY")], 1),
        ([("states", "DELETED")], 0),
        ([("principalId", "simulator-user")], 1),
        ([("principalId", "somebody")], 0),
    ],
)
async def test_launch_profiles_are_filtered(wire, query, count):
    reply = await wire.nimble("GET", "studio-1/launch-profiles", query=query)
    assert len(reply.json["launchProfiles"]) == count


@pytest.mark.parametrize("query", [{"maxResults": "0"}, {"maxResults": "101"}, {"states": "OLD"}])
async def test_limits_of_a_list_of_launch_profiles_are_checked(wire, query):
    reply = await wire.nimble("GET", "studio-1/launch-profiles", query=query)
    assert (reply.status, reply.error) == (400, "ValidationException")
