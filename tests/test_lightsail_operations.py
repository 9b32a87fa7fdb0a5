"""Lightsail's operations, compared member for member with what is on the wire."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import attrs
import pytest
from aiobotocore.session import get_session
from botocore import xform_name

from dcvsessions import (
    DcvUrl,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InvalidResponseError,
    LightsailClient,
    OperationStatus,
)
from dcvsessions.lightsail import InstanceState, ResourceLocation, Tag
from dcvsessions.simulator import Simulator

pytestmark = pytest.mark.looptime


@pytest.fixture
async def sim(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    """A simulator whose pages are short, so that every list has several."""
    async with Simulator(page_size=2) as simulator:
        simulator.lightsail.add_instance("my-computer", tags={"project": "42", "keep": ""})
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.fixture
async def raw(sim: Simulator) -> AsyncIterator[Any]:
    """Plain aiobotocore, which shows what is on the wire."""
    async with get_session().create_client("lightsail") as client:
        yield client


def assert_same(ours: Any, wire: Any) -> None:
    """Every member on the wire is in the object, and the object has nothing that is not on it."""
    if isinstance(wire, list):
        assert len(ours) == len(wire)
        for one, other in zip(ours, wire, strict=True):
            assert_same(one, other)
        return
    if not isinstance(wire, dict):
        assert ours == wire
        return
    on_wire = {xform_name(name): value for name, value in wire.items()}
    for name in (field.name for field in attrs.fields(type(ours))):
        if name in on_wire:
            assert_same(getattr(ours, name), on_wire[name])
        else:
            assert getattr(ours, name) in (None, ())


async def test_a_session_that_is_not_started_has_no_url(
    lightsail: LightsailClient, raw: Any
) -> None:
    details = await lightsail.create_gui_session_access_details("my-computer")
    assert details == GuiSessionAccessDetails(
        resource_name="my-computer", status=GuiSessionStatus.NOT_STARTED
    )
    assert_same(details, await raw.create_gui_session_access_details(resourceName="my-computer"))


async def test_a_starting_session_tells_its_percentage(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    await lightsail.start_gui_session("my-computer")
    await asyncio.sleep(0.5)
    sim.lightsail.hold("my-computer")
    details = await lightsail.create_gui_session_access_details("my-computer")
    assert details.status is GuiSessionStatus.STARTING
    assert details.percentage_complete
    assert 40 <= details.percentage_complete <= 60
    assert_same(details, await raw.create_gui_session_access_details(resourceName="my-computer"))


async def test_a_started_session_has_a_url_for_each_kind(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    await lightsail.start_gui_session("my-computer")
    await asyncio.sleep(5)
    details = await lightsail.create_gui_session_access_details("my-computer")
    assert details.status is GuiSessionStatus.STARTED
    assert details.percentage_complete == 100
    assert [(each.name, each.is_primary) for each in details.sessions] == [
        ("JupyterLab", True),
        ("Operating system", False),
    ]
    assert all(isinstance(each.url, DcvUrl) and sim.accepts(each.url) for each in details.sessions)
    assert_same(details, await raw.create_gui_session_access_details(resourceName="my-computer"))


async def test_a_failed_session_tells_its_reason(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    sim.lightsail.fail_start("my-computer", reason="No licence")
    await lightsail.start_gui_session("my-computer")
    await asyncio.sleep(5)
    details = await lightsail.create_gui_session_access_details("my-computer")
    assert details.status is GuiSessionStatus.FAILED_STARTING_GUI_SESSION
    assert details.failure_reason == "No licence"
    assert_same(details, await raw.create_gui_session_access_details(resourceName="my-computer"))


@pytest.mark.parametrize(
    ("method", "state", "status", "kind", "then"),
    [
        ("start_gui_session", "running", "notStarted", "StartGUISession", "starting"),
        ("stop_gui_session", "running", "started", "StopGUISession", "stopping"),
        ("start_instance", "stopped", "stopped", "StartInstance", "pending"),
        ("stop_instance", "running", "notStarted", "StopInstance", "stopping"),
        ("reboot_instance", "running", "started", "RebootInstance", "pending"),
    ],
)
async def test_a_change_returns_its_operation(
    sim: Simulator,
    lightsail: LightsailClient,
    raw: Any,
    *,
    method: str,
    state: str,
    status: str,
    kind: str,
    then: str,
) -> None:
    sim.lightsail.add_instance("other", state=state, status=status)
    sim.lightsail.hold("other")
    (operation,) = await getattr(lightsail, method)("other")
    assert operation.operation_type == kind
    assert operation.resource_name == "other"
    assert operation.resource_type == "Instance"
    assert operation.location == ResourceLocation(
        availability_zone="us-east-1a", region_name="us-east-1"
    )
    assert operation.is_terminal is False
    view = sim.lightsail.instances["other"]
    assert then in (view.status, view.state)

    # The same operation, read again once it is under way.
    await asyncio.sleep(1)
    again = await lightsail.get_operation(operation.id)
    assert again.status is OperationStatus.STARTED
    assert again.id == operation.id
    assert again.created_at == operation.created_at
    assert_same(again, (await raw.get_operation(operationId=operation.id))["operation"])


async def test_a_failed_operation_tells_its_error(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    sim.lightsail.fail_start("my-computer", code="NoCapacity", reason="None left")
    (operation,) = await lightsail.start_gui_session("my-computer")
    await asyncio.sleep(5)
    failed = await lightsail.get_operation(operation.id)
    assert failed.is_terminal is True
    assert failed.status is OperationStatus.FAILED
    assert (failed.error_code, failed.error_details) == ("NoCapacity", "None left")
    # A failed operation has every member of the model.
    assert all(value is not None for value in attrs.asdict(failed, recurse=False).values())
    assert_same(failed, (await raw.get_operation(operationId=operation.id))["operation"])


async def test_operations_of_the_region_come_from_all_pages(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    sim.lightsail.add_instance("other")
    made = []
    for name in ("my-computer", "other", "my-computer"):
        (operation,) = await lightsail.reboot_instance(name)
        await asyncio.sleep(3)
        made.append((name, operation.id))
    operations = [one async for one in lightsail.get_operations()]
    assert [(operation.resource_name, operation.id) for operation in operations] == made
    assert len(sim.calls("GetOperations")) == 2
    assert_same(operations[:2], (await raw.get_operations())["operations"])


async def test_operations_of_a_resource_come_from_all_pages(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    made = []
    for _ in range(5):
        (operation,) = await lightsail.stop_instance("my-computer")
        await asyncio.sleep(3)
        made.append(operation.id)
        (operation,) = await lightsail.start_instance("my-computer")
        await asyncio.sleep(3)
        made.append(operation.id)
    operations = [one async for one in lightsail.get_operations_for_resource("my-computer")]
    assert [operation.id for operation in operations] == made
    assert {operation.operation_type for operation in operations} == {
        "StopInstance",
        "StartInstance",
    }
    tokens = [call.parameters.get("pageToken") for call in sim.calls("GetOperationsForResource")]
    assert tokens[0] is None
    assert len(tokens) == len(set(tokens)) == 5
    page = await raw.get_operations_for_resource(resourceName="my-computer")
    assert_same(operations[:2], page["operations"])


@pytest.mark.parametrize(("state", "code"), [("running", 16), ("stopped", 80)])
async def test_the_state_of_a_computer_is_read(
    sim: Simulator, lightsail: LightsailClient, raw: Any, state: str, code: int
) -> None:
    sim.lightsail.add_instance("other", state=state)
    found = await lightsail.get_instance_state("other")
    assert found == InstanceState(code=code, name=state)
    assert_same(found, (await raw.get_instance_state(instanceName="other"))["state"])


async def test_a_computer_is_read(sim: Simulator, lightsail: LightsailClient, raw: Any) -> None:
    sim.lightsail.add_instance("other", state="stopped")
    found = await lightsail.get_instance("other")
    assert found.name == "other"
    assert found.state == InstanceState(code=80, name="stopped")
    assert_same(found, (await raw.get_instance(instanceName="other"))["instance"])
    assert found == [one async for one in lightsail.get_instances()][1]


async def test_instances_come_from_all_pages(
    sim: Simulator, lightsail: LightsailClient, raw: Any
) -> None:
    for number in range(4):
        sim.lightsail.add_instance(f"number-{number}")
    instances = [one async for one in lightsail.get_instances()]
    assert [each.name for each in instances] == list(sim.lightsail.instances)
    assert len(sim.calls("GetInstances")) == 3
    wire = [one async for page in raw.get_paginator("get_instances").paginate() for one in [page]]
    assert_same(instances, [each for page in wire for each in page["instances"]])

    first = instances[0]
    assert first.tags == (Tag(key="project", value="42"), Tag(key="keep", value=""))
    assert first.location == ResourceLocation(
        availability_zone="us-east-1a", region_name="us-east-1"
    )
    assert first.state == InstanceState(code=16, name="running")
    assert first.created_at
    assert first.created_at.tzinfo is UTC
    assert abs(first.created_at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_a_list_asks_for_a_page_only_when_it_is_wanted(
    sim: Simulator, lightsail: LightsailClient
) -> None:
    for number in range(4):
        sim.lightsail.add_instance(f"number-{number}")
    instances = lightsail.get_instances()
    assert sim.calls("GetInstances") == []
    assert [(await anext(instances)).name for _ in range(2)] == ["my-computer", "number-0"]
    assert len(sim.calls("GetInstances")) == 1
    assert (await anext(instances)).name == "number-1"
    assert len(sim.calls("GetInstances")) == 2
    await instances.aclose()


@pytest.mark.parametrize("tokens", [["again"], ["first", "second"]])
async def test_pages_that_lead_back_are_an_error(
    sim: Simulator,
    lightsail: LightsailClient,
    monkeypatch: pytest.MonkeyPatch,
    tokens: list[str],
) -> None:
    circle = cycle(tokens)
    monkeypatch.setattr(
        "dcvsessions.simulator._lightsail.operations.page", lambda *_: ([], next(circle))
    )
    for operation, listed in (
        ("GetInstances", lightsail.get_instances()),
        ("GetOperations", lightsail.get_operations()),
        ("GetOperationsForResource", lightsail.get_operations_for_resource("my-computer")),
    ):
        with pytest.raises(
            InvalidResponseError, match="the list leads back to a page that was read before"
        ) as told:
            [one async for one in listed]
        assert told.value.operation == operation
        assert len(sim.calls(operation)) == len(tokens) + 1


@pytest.mark.parametrize("force", [None, True, False])
async def test_force_is_sent_if_given(
    sim: Simulator, lightsail: LightsailClient, *, force: bool | None
) -> None:
    await lightsail.stop_instance("my-computer", force=force)
    (call,) = sim.calls("StopInstance")
    assert call.parameters == {
        "instanceName": "my-computer",
        **({} if force is None else {"force": force}),
    }
