"""Lightsail's behaviour, over the wire, in virtual time."""

import asyncio
import math
import re
import uuid

import pytest

from dcvsessions.simulator import Simulator, Timings, TransitionPlan

pytestmark = pytest.mark.looptime

NAME = {"resourceName": "my-computer"}
INSTANCE = {"instanceName": "my-computer"}


async def started(wire):
    await wire.lightsail("StartGUISession", NAME)
    await asyncio.sleep(1)


async def operation(wire, identifier):
    return (await wire.lightsail("GetOperation", {"operationId": identifier})).json["operation"]


async def test_a_started_session_has_two_urls_and_expires_after_an_hour(sim, wire):
    assert await wire.status() == {"resourceName": "my-computer", "status": "notStarted"}
    await wire.lightsail("StartGUISession", NAME)
    seen = []
    for _ in range(5):
        seen.append(await wire.status())
        await asyncio.sleep(0.25)
    assert [(each["status"], each["percentageComplete"]) for each in seen] == [
        ("starting", 0),
        ("starting", 25),
        ("starting", 50),
        ("starting", 75),
        ("started", 100),
    ]
    application, operating_system = seen[-1]["sessions"]
    assert application["isPrimary"]
    assert not operating_system["isPrimary"]
    for session in (application, operating_system):
        pattern = rf"{re.escape(sim.endpoint_url)}/desktop/\?authToken=[\w-]+#[\w-]+"
        assert re.fullmatch(pattern, session["url"])
        assert sim.accepts(session["url"])

    await asyncio.sleep(3599.74)
    assert (await wire.status())["status"] == "started"
    await asyncio.sleep(0.02)
    assert await wire.status() == {"resourceName": "my-computer", "status": "startExpired"}
    assert not sim.accepts(application["url"])


async def test_an_expired_session_is_resumed_with_other_urls(sim, wire):
    await started(wire)
    before = (await wire.status())["sessions"][0]["url"]
    await asyncio.sleep(3600)
    await started(wire)
    after = (await wire.status())["sessions"][0]["url"]
    assert after != before
    assert sim.accepts(after)
    assert not sim.accepts(before)


async def test_the_operation_of_a_start_goes_from_not_started_to_succeeded(wire):
    reply = await wire.lightsail("StartGUISession", NAME)
    (first,) = reply.json["operations"]
    assert first["operationType"] == "StartGUISession"
    assert first["resourceName"] == "my-computer"
    assert first["resourceType"] == "Instance"
    assert first["location"] == {"availabilityZone": "us-east-1a", "regionName": "us-east-1"}
    seen = [first]
    for _ in range(2):
        await asyncio.sleep(0.5)
        seen.append(await operation(wire, first["id"]))
    assert [(each["status"], each["isTerminal"]) for each in seen] == [
        ("NotStarted", False),
        ("Started", False),
        ("Succeeded", True),
    ]
    assert seen[2]["statusChangedAt"] - seen[0]["createdAt"] == pytest.approx(1, abs=0.002)


async def test_a_repeated_start_returns_the_same_operation(wire):
    replies = [await wire.lightsail("StartGUISession", NAME)]
    await asyncio.sleep(0.5)
    replies.append(await wire.lightsail("StartGUISession", NAME))
    await asyncio.sleep(0.5)
    assert (await wire.status())["status"] == "started"
    replies.append(await wire.lightsail("StartGUISession", NAME))
    assert len({reply.json["operations"][0]["id"] for reply in replies}) == 1


@pytest.mark.parametrize("status", ["starting", "started"])
async def test_a_start_that_was_set_up_by_the_test_gets_an_operation(sim, wire, status):
    sim.lightsail.add_instance("other", status=status)
    reply = await wire.lightsail("StartGUISession", {"resourceName": "other"})
    (found,) = reply.json["operations"]
    assert found["isTerminal"] == (status == "started")


@pytest.mark.parametrize(
    "status",
    [
        "notStarted",
        "stopped",
        "startExpired",
        "failedStartingGUISession",
        "failedStoppingGUISession",
        "neverHeardOf",
    ],
)
async def test_a_start_is_accepted_from_these_statuses(sim, wire, status):
    sim.lightsail.set_status("my-computer", status)
    assert (await wire.status())["status"] == status
    await started(wire)
    assert (await wire.status())["status"] == "started"


@pytest.mark.parametrize("status", ["stopping", "settingUpInstance", "failedInstanceCreation"])
async def test_a_start_is_refused_from_these_statuses(sim, wire, status):
    sim.lightsail.set_status("my-computer", status)
    reply = await wire.lightsail("StartGUISession", NAME)
    assert (reply.status, reply.error) == (400, "InvalidInputException")
    assert reply.json["__type"] == "InvalidInputException"


@pytest.mark.parametrize(
    "status", ["starting", "started", "failedStoppingGUISession", "neverHeardOf"]
)
async def test_a_stop_is_accepted_from_these_statuses(sim, wire, status):
    sim.lightsail.set_status("my-computer", status)
    await wire.lightsail("StopGUISession", NAME)
    await asyncio.sleep(0.25)
    assert await wire.status() == {**NAME, "status": "stopping", "percentageComplete": 50}
    await asyncio.sleep(0.25)
    assert await wire.status() == {**NAME, "status": "stopped"}


@pytest.mark.parametrize("status", ["notStarted", "stopped", "startExpired"])
async def test_a_stop_is_refused_from_these_statuses(sim, wire, status):
    sim.lightsail.set_status("my-computer", status)
    reply = await wire.lightsail("StopGUISession", NAME)
    assert (reply.status, reply.error) == (400, "InvalidInputException")


async def test_a_repeated_stop_returns_the_same_operation(wire):
    await started(wire)
    first = await wire.lightsail("StopGUISession", NAME)
    second = await wire.lightsail("StopGUISession", NAME)
    assert first.json["operations"][0]["id"] == second.json["operations"][0]["id"]


async def test_stopping_a_starting_session_makes_the_start_operation_fail(wire):
    reply = await wire.lightsail("StartGUISession", NAME)
    await asyncio.sleep(0.5)
    await wire.lightsail("StopGUISession", NAME)
    found = await operation(wire, reply.json["operations"][0]["id"])
    assert (found["status"], found["errorCode"]) == ("Failed", "OperationCancelled")
    assert "StopGUISession" in found["errorDetails"]


async def test_a_start_fails_with_the_given_reason_the_given_number_of_times(sim, wire):
    sim.lightsail.fail_start("my-computer", reason="No capacity", times=2)
    for _ in range(2):
        reply = await wire.lightsail("StartGUISession", NAME)
        await asyncio.sleep(1)
        assert await wire.status() == {
            **NAME,
            "status": "failedStartingGUISession",
            "failureReason": "No capacity",
        }
        found = await operation(wire, reply.json["operations"][0]["id"])
        assert found["status"] == "Failed"
        assert found["errorCode"] == "GUISessionStartFailed"
        assert found["errorDetails"] == "No capacity"
    await started(wire)
    assert (await wire.status())["status"] == "started"


async def test_a_stop_fails_with_the_given_reason(sim, wire):
    await started(wire)
    sim.lightsail.fail_stop("my-computer", reason="Busy")
    await wire.lightsail("StopGUISession", NAME)
    await asyncio.sleep(0.5)
    found = await wire.status()
    assert (found["status"], found["failureReason"]) == ("failedStoppingGUISession", "Busy")


async def test_a_plan_sets_duration_percentages_and_expiry(sim, wire):
    plan = TransitionPlan(seconds=40, percentages=(5, 20, 20, 80), expires_after=60)
    sim.lightsail.plan("my-computer", "StartGUISession", plan)
    await wire.lightsail("StartGUISession", NAME)
    seen = []
    for _ in range(4):
        seen.append((await wire.status())["percentageComplete"])
        await asyncio.sleep(10)
    assert seen == [5, 20, 20, 80]
    assert (await wire.status())["status"] == "started"
    await asyncio.sleep(60)
    assert (await wire.status())["status"] == "startExpired"


async def test_hold_freezes_running_transitions_of_an_instance(sim, wire):
    reply = await wire.lightsail("StartGUISession", NAME)
    await asyncio.sleep(0.4)
    sim.lightsail.hold("my-computer")
    await asyncio.sleep(1e4)
    assert await wire.status() == {**NAME, "status": "starting", "percentageComplete": 40}
    identifier = reply.json["operations"][0]["id"]
    assert (await operation(wire, identifier))["status"] == "Started"
    await wire.lightsail("StopGUISession", NAME)
    await asyncio.sleep(1e4)
    assert (await wire.status())["status"] == "stopping"
    sim.lightsail.release("my-computer")
    sim.lightsail.set_status("my-computer", "stopped")
    await started(wire)
    assert (await wire.status())["status"] == "started"


async def test_a_forced_status_stays(sim, wire):
    sim.lightsail.set_status("my-computer", "failedInstanceCreation", failure_reason="Broken")
    await asyncio.sleep(1e4)
    expected = {**NAME, "status": "failedInstanceCreation", "failureReason": "Broken"}
    assert await wire.status() == expected


async def test_an_instance_that_was_set_up_has_a_session_that_is_not_started(sim, wire):
    sim.lightsail.add_instance("new", status="settingUpInstance")
    await asyncio.sleep(1)
    found = await wire.status("new")
    assert (found["status"], found["percentageComplete"]) == ("settingUpInstance", 50)
    await asyncio.sleep(1)
    assert (await wire.status("new"))["status"] == "notStarted"


async def instance(wire):
    return (await wire.lightsail("GetInstance", INSTANCE)).json["instance"]


async def test_an_instance_gets_another_address_when_it_stops_and_starts(sim, wire):
    await started(wire)
    url = (await wire.status())["sessions"][0]["url"]
    address = (await instance(wire))["publicIpAddress"]
    seen = []
    for request in ("StopInstance", "StartInstance"):
        await wire.lightsail(request, INSTANCE)
        for _ in range(2):
            state = (await wire.lightsail("GetInstanceState", INSTANCE)).json["state"]
            seen.append((state["name"], state["code"]))
            assert not sim.accepts(url)
            assert (await wire.status())["status"] == "stopped"
            if state["name"] in {"stopping", "stopped"}:
                assert "publicIpAddress" not in await instance(wire)
                reply = await wire.lightsail("StartGUISession", NAME)
                assert (reply.status, reply.error) == (400, "InvalidInputException")
            await asyncio.sleep(1)
    assert seen == [("stopping", 64), ("stopped", 80), ("pending", 0), ("running", 16)]
    assert (await instance(wire))["publicIpAddress"] != address
    await started(wire)
    assert (await wire.status())["status"] == "started"


async def test_starting_a_running_instance_and_stopping_a_stopped_one_change_nothing(sim, wire):
    address = (await instance(wire))["publicIpAddress"]
    (found,) = (await wire.lightsail("StartInstance", INSTANCE)).json["operations"]
    assert found["status"] == "Succeeded"
    assert (await instance(wire))["publicIpAddress"] == address
    sim.lightsail.add_instance("off", state="stopped")
    (found,) = (await wire.lightsail("StopInstance", {"instanceName": "off"})).json["operations"]
    assert found["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("state", "request_"),
    [
        ("stopping", "StartInstance"),
        ("terminated", "StartInstance"),
        ("terminated", "StopInstance"),
    ],
)
async def test_an_instance_refuses_start_and_stop_in_these_states(sim, wire, state, request_):
    sim.lightsail.add_instance("other", state=state)
    reply = await wire.lightsail(request_, {"instanceName": "other"})
    assert (reply.status, reply.error) == (400, "InvalidInputException")


async def test_get_instance_returns_every_member(sim, wire):
    sim.lightsail.add_instance("tagged", tags={"team": "physics"})
    reply = await wire.lightsail("GetInstance", {"instanceName": "tagged"})
    found = reply.json["instance"]
    assert found["name"] == "tagged"
    # As in the example of the model: the last part is not the name.
    prefix, _, last = found["arn"].rpartition("/")
    assert prefix == "arn:aws:lightsail:us-east-1:123456789012:Instance"
    assert str(uuid.UUID(last)) == last
    assert found["tags"] == [{"key": "team", "value": "physics"}]
    assert found["state"] == {"code": 16, "name": "running"}
    assert [port["fromPort"] for port in found["networking"]["ports"]] == [22, 80, 443, 8443]
    assert "addOns" not in found


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("CreateGUISessionAccessDetails", "resourceName"),
        ("StartGUISession", "resourceName"),
        ("StopGUISession", "resourceName"),
        ("GetOperationsForResource", "resourceName"),
        ("GetInstance", "instanceName"),
        ("GetInstanceState", "instanceName"),
        ("StartInstance", "instanceName"),
        ("StopInstance", "instanceName"),
        ("GetOperation", "operationId"),
    ],
)
async def test_an_unknown_instance_or_operation_is_not_found(wire, name, parameter):
    reply = await wire.lightsail(name, {parameter: "nowhere"})
    assert (reply.status, reply.error) == (400, "NotFoundException")


async def test_operations_are_listed_oldest_first_in_pages(open_wire):
    async with Simulator(page_size=2, timings=Timings.instant()) as sim, open_wire(sim) as wire:
        for name in ("first", "second"):
            sim.lightsail.add_instance(name)
        made = []
        for name, request in [
            ("first", "StartGUISession"),
            ("second", "StartGUISession"),
            ("first", "StopGUISession"),
            ("first", "StartGUISession"),
            ("first", "StopGUISession"),
        ]:
            reply = await wire.lightsail(request, {"resourceName": name})
            made.append(reply.json["operations"][0]["id"])
            await asyncio.sleep(1)
        assert await pages(wire, "GetOperations") == [made[0:2], made[2:4], made[4:5]]
        mine = await pages(wire, "GetOperationsForResource", resourceName="first")
        assert mine == [[made[0], made[2]], [made[3], made[4]]]


async def pages(wire, request, **parameters):
    found, token = [], {}
    while True:
        reply = (await wire.lightsail(request, {**parameters, **token})).json
        items = reply.get("operations", reply.get("instances"))
        found.append([item.get("id", item.get("name")) for item in items])
        if "nextPageToken" not in reply:
            return found
        token = {"pageToken": reply["nextPageToken"]}


async def test_instances_are_listed_in_pages(open_wire):
    async with Simulator(page_size=2) as sim, open_wire(sim) as wire:
        assert await pages(wire, "GetInstances") == [[]]
        for name in ("one", "two", "three"):
            sim.lightsail.add_instance(name)
        assert await pages(wire, "GetInstances") == [["one", "two"], ["three"]]


@pytest.mark.parametrize("token", ["", "nonsense", "YWZ0ZXI6eA==", "é"])
async def test_lightsail_refuses_an_invalid_page_token(wire, token):
    reply = await wire.lightsail("GetOperations", {"pageToken": token})
    assert (reply.status, reply.error) == (400, "InvalidInputException")


async def test_the_oldest_operations_are_removed(open_wire, monkeypatch):
    monkeypatch.setattr("dcvsessions.simulator._lightsail.operation_log._LIMIT", 10)
    async with Simulator(timings=Timings.instant()) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer")
        first = (await wire.lightsail("StartGUISession", NAME)).json["operations"][0]["id"]
        for _ in range(5):
            await wire.lightsail("StopGUISession", NAME)
            await wire.lightsail("StartGUISession", NAME)
        reply = await wire.lightsail("GetOperation", {"operationId": first})
        assert reply.error == "NotFoundException"


async def test_reads_of_an_instance_are_stale_for_the_given_time(open_wire):
    async with Simulator(stale_reads=2) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer")
        await asyncio.sleep(1)
        await wire.lightsail("StartGUISession", NAME)
        assert sim.lightsail.instances["my-computer"].status == "starting"
        await asyncio.sleep(1.9)
        assert (await wire.status())["status"] == "notStarted"
        await asyncio.sleep(0.1)
        assert (await wire.status())["status"] == "started"
        await wire.lightsail("StopInstance", INSTANCE)
        assert (await instance(wire))["state"]["name"] == "running"


async def test_a_view_of_an_instance_shows_its_state_now(sim, wire):
    seen = sim.lightsail.instances["my-computer"]
    assert (seen.state, seen.status, seen.percentage_complete) == ("running", "notStarted", None)
    await wire.lightsail("StartGUISession", NAME)
    await asyncio.sleep(0.5)
    seen = sim.lightsail.instances["my-computer"]
    assert (seen.status, seen.percentage_complete) == ("starting", 50)


def test_mistakes_in_setting_up_instances_are_rejected():
    sim = Simulator()
    sim.lightsail.add_instance("my-computer")
    with pytest.raises(ValueError, match="already"):
        sim.lightsail.add_instance("my-computer")
    with pytest.raises(ValueError, match="state must be one of pending, running"):
        sim.lightsail.add_instance("other", state="sleeping")
    with pytest.raises(KeyError, match="no instance 'other'"):
        sim.lightsail.set_status("other", "started")
    with pytest.raises(KeyError, match="no instance 'other'"):
        sim.lightsail.fail_start("other")
    with pytest.raises(ValueError, match="operation must be one of StartGUISession"):
        sim.lightsail.plan("my-computer", "GetInstances", TransitionPlan())
    with pytest.raises(ValueError, match="times must be at least 1"):
        sim.lightsail.fail_stop("my-computer", times=0)


@pytest.mark.parametrize("name", ["", "a", "sp ace", "https://example.org/", "-lab"])
async def test_an_instance_name_that_the_model_does_not_allow_is_rejected(sim, name):
    with pytest.raises(ValueError, match="name must match"):
        sim.lightsail.add_instance(name)


@pytest.mark.parametrize("held", [False, True])
async def test_deviation_3_a_forced_stop_frees_an_instance_that_hangs_in_stopping(sim, wire, held):
    if held:
        sim.lightsail.hold("my-computer")
    else:
        endless = TransitionPlan(seconds=math.inf, times=None)
        sim.lightsail.plan("my-computer", "StopInstance", endless)
    (hanging,) = (await wire.lightsail("StopInstance", INSTANCE)).json["operations"]
    await asyncio.sleep(3600)
    repeated = (await wire.lightsail("StopInstance", INSTANCE)).json["operations"]
    assert [each["id"] for each in repeated] == [hanging["id"]]
    (forced,) = (await wire.lightsail("StopInstance", {**INSTANCE, "force": True})).json[
        "operations"
    ]
    assert forced["id"] != hanging["id"]
    await asyncio.sleep(1)
    assert sim.lightsail.instances["my-computer"].state == "stopped"
    for identifier, status in ((hanging["id"], "Failed"), (forced["id"], "Succeeded")):
        reply = await wire.lightsail("GetOperation", {"operationId": identifier})
        assert reply.json["operation"]["status"] == status


async def test_a_reboot_ends_the_gui_session_and_keeps_the_address(sim, wire):
    sim.lightsail.set_status("my-computer", "started")
    before = sim.lightsail.instances["my-computer"].public_ip_address
    (operation,) = (await wire.lightsail("RebootInstance", INSTANCE)).json["operations"]
    assert operation["operationType"] == "RebootInstance"
    found = sim.lightsail.instances["my-computer"]
    assert (found.state, found.status) == ("pending", "stopped")
    reply = await wire.lightsail("RebootInstance", INSTANCE)
    assert (reply.status, reply.error) == (400, "InvalidInputException")
    await asyncio.sleep(1)
    found = sim.lightsail.instances["my-computer"]
    assert (found.state, found.status) == ("running", "stopped")
    assert found.public_ip_address == before
    reply = await wire.lightsail("GetOperation", {"operationId": operation["id"]})
    assert reply.json["operation"]["status"] == "Succeeded"


async def test_a_reboot_can_be_planned(sim, wire):
    sim.lightsail.plan("my-computer", "RebootInstance", TransitionPlan(seconds=300))
    await wire.lightsail("RebootInstance", INSTANCE)
    await asyncio.sleep(299)
    assert sim.lightsail.instances["my-computer"].state == "pending"
    await asyncio.sleep(1)
    assert sim.lightsail.instances["my-computer"].state == "running"
