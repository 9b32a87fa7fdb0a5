"""The admin interface: who may use it, and everything that it can be asked to do."""

import base64
import json
import re

import aiohttp
import pytest

from dcvsessions.simulator import Fault, InstanceScenario, LightsailScenario, Scenario, Timings
from dcvsessions.simulator._control.listener import ControlListener

SCENARIO = Scenario(
    timings=Timings(gui_start=100),
    lightsail=LightsailScenario(instances=(InstanceScenario(name="my-computer"),)),
)


class Control:
    """Sends requests to the admin interface."""

    def __init__(self, listener, session):
        self.listener = listener
        self._session = session

    async def send(self, method, path, body=None, **headers):
        token = {"Authorization": f"Bearer {self.listener.token}"}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        async with self._session.request(
            method, self.listener.url + path, data=data, headers={**token, **headers}
        ) as reply:
            text = await reply.text()
            is_json = reply.content_type == "application/json"
            return reply.status, json.loads(text) if is_json else text

    async def done(self, method, path, body=None):
        status, found = await self.send(method, path, body)
        assert status == 200, found
        return found


@pytest.fixture
async def sim(open_wire):
    async with SCENARIO.simulator() as simulator:
        yield simulator


@pytest.fixture
async def control(sim):
    async with (
        ControlListener(sim, SCENARIO) as listener,
        aiohttp.ClientSession() as session,
    ):
        yield Control(listener, session)


# --- Who may use it ---


@pytest.mark.parametrize("path", ["/", "/state", "/reset", "/nothing"])
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", "Basic wrong", "Digest x", "Basic " + "x" * 9, "Bearer é"],
)
async def test_a_request_without_the_token_is_refused(sim, control, path, authorization):
    status, found = await control.send("POST", path, {}, Authorization=authorization)
    assert status == 401
    assert control.listener.token not in json.dumps(found)
    assert list(sim.lightsail.instances) == ["my-computer"]


async def test_a_browser_may_send_the_token_as_password(control):
    for password, expected in ((control.listener.token, 200), ("wrong", 401)):
        credentials = base64.b64encode(f"anybody:{password}".encode()).decode()
        status, _ = await control.send("GET", "/", Authorization=f"Basic {credentials}")
        assert status == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "rebound.example.com"},
        {"Host": "localhost"},
    ],
)
async def test_a_web_page_is_refused_although_it_has_the_token(sim, control, headers):
    for method, path in (("GET", "/state"), ("POST", "/reset"), ("OPTIONS", "/reset")):
        status, found = await control.send(method, path, **headers)
        assert (status, found) == (403, {"error": "Web pages may not use this interface"})


async def test_it_listens_on_the_loopback_interface_only(control):
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", control.listener.url)


# --- What it can be asked to do ---


async def test_a_computer_is_added_planned_forced_held_and_released(sim, control):
    await control.done("POST", "/instances", {"name": "other", "state": "stopped"})
    assert sim.lightsail.instances["other"].state == "stopped"
    await control.done(
        "PUT", "/instances/other/status", {"status": "tomorrow", "failure_reason": "No"}
    )
    assert sim.lightsail.instances["other"].status == "tomorrow"
    found = await control.done("GET", "/state")
    assert [each["name"] for each in found["instances"]] == ["my-computer", "other"]
    assert found["instances"][1]["failure_reason"] == "No"
    plans = {"operation": "StartInstance", "plans": [{"seconds": 5}, {"ends": "stopped"}]}
    await control.done("POST", "/instances/other/plans", plans)
    await control.done("POST", "/instances/other/hold")
    await control.done("POST", "/instances/other/release")


@pytest.mark.looptime
async def test_a_held_transition_is_frozen_until_a_release(sim, control, open_wire):
    async with open_wire(sim) as wire:
        await control.done("POST", "/instances/my-computer/hold")
        await wire.lightsail("StartGUISession", {"resourceName": "my-computer"})
        await control.done("POST", "/advance", {"seconds": 1000})
        assert (await wire.status())["status"] == "starting"
        await control.done("POST", "/instances/my-computer/release")
        await wire.lightsail("StopGUISession", {"resourceName": "my-computer"})
        await control.done("POST", "/advance", {"seconds": 0.5})
        assert (await wire.status())["status"] == "stopped"


@pytest.mark.looptime
async def test_simulated_time_is_advanced(sim, control, open_wire):
    async with open_wire(sim) as wire:
        await wire.lightsail("StartGUISession", {"resourceName": "my-computer"})
        for seconds, percentage in ((25, 25), (50.5, 75)):
            await control.done("POST", "/advance", {"seconds": seconds})
            (found,) = (await control.done("GET", "/state"))["instances"]
            assert found["percentage_complete"] == percentage
        await control.done("POST", "/advance", {"seconds": 24.5})
        assert (await wire.status())["status"] == "started"
        await control.done("POST", "/advance", {"seconds": 3600})
        assert (await wire.status())["status"] == "startExpired"


async def test_studios_and_sessions_are_controlled(sim, control, open_wire):
    async with open_wire(sim) as wire:
        studio = {"studio_id": "studio-1", "session_quota": 1}
        await control.done("POST", "/studios", studio)
        plans = {"operation": "CreateStreamingSession", "plans": [{"seconds": 10}]}
        await control.done("POST", "/sessions/plans", plans)
        await control.done("POST", "/sessions/hold")
        identifier = (await wire.create()).json["session"]["sessionId"]
        await control.done("POST", "/advance", {"seconds": 60})
        (found,) = (await control.done("GET", "/state"))["sessions"]
        assert (found["state"], found["percentage_complete"]) == ("CREATE_IN_PROGRESS", 0)
        await control.done("POST", "/sessions/release")
        forced = {"state": "CREATE_FAILED", "status_code": "INTERNAL_ERROR", "message": "No"}
        await control.done("PUT", f"/sessions/{identifier}/state", forced)
        assert sim.nimble.sessions[identifier].status_code == "INTERNAL_ERROR"
        assert (await wire.create()).error == "ServiceQuotaExceededException"


async def test_faults_and_limits_are_set_and_requests_are_read(sim, control, open_wire):
    async with open_wire(sim) as wire:
        fault = {"kind": "error", "code": "ServiceException", "status": 500}
        await control.done("POST", "/faults", {"operation": "GetInstances", "fault": fault})
        assert (await wire.lightsail("GetInstances")).status == 500
        await control.done(
            "POST", "/faults", {"operation": "*", "fault": {"kind": "html"}, "times": None}
        )
        await control.done("DELETE", "/faults")
        await control.done("POST", "/throttles", {"rate": 0.001, "operation": "GetOperations"})
        seen = [(await wire.lightsail("GetOperations")).error for _ in range(2)]
        assert seen == [None, "ThrottlingException"]
    found = (await control.done("GET", "/requests"))["requests"]
    assert [(each["operation"], each["fault"]) for each in found] == [
        ("GetInstances", "error"),
        ("GetOperations", None),
        ("GetOperations", None),
    ]
    found = (await control.done("GET", "/requests?operation=GetOperations&last=1"))["requests"]
    assert [each["status"] for each in found] == [400]


async def test_a_reset_brings_the_scenario_back(sim, control, open_wire):
    keys = sim.environ
    await control.done("POST", "/instances", {"name": "other"})
    await control.done("POST", "/studios", {"studio_id": "studio-1"})
    await control.done("PUT", "/instances/my-computer/status", {"status": "started"})
    sim.throttle(0.001)
    sim.inject("*", Fault.html(), times=None)
    async with open_wire(sim) as wire:
        await wire.create()
        await control.done("POST", "/reset")
        assert sim.requests == []
        assert sim.environ == keys
        found = await control.done("GET", "/state")
        assert [(each["name"], each["status"]) for each in found["instances"]] == [
            ("my-computer", "notStarted")
        ]
        assert found["sessions"] == []
        assert (await wire.create()).error == "ResourceNotFoundException"
        assert (await wire.create()).error == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/instances", b"{", 400, "Expecting"),
        ("POST", "/instances", b"\xff", 400, "decode"),
        ("POST", "/instances", b"[]", 400, "The body must be a JSON object"),
        ("POST", "/instances", b"{}", 400, "required, but missing @ $.name"),
        ("POST", "/instances", {"name": "my-computer"}, 400, "There is an instance"),
        ("POST", "/instances", {"name": "x1", "hat": 1}, 400, "unknown: hat @ $"),
        ("POST", "/instances", {"name": "x1", "state": "asleep"}, 400, "state must be one of"),
        ("PUT", "/instances/nobody/status", {"status": "x"}, 404, "There is no instance"),
        ("PUT", "/sessions/nobody/state", {"state": "x"}, 404, "There is no session"),
        ("POST", "/faults", {"operation": "X", "fault": {"kind": "reset"}}, 400, "operation"),
        ("POST", "/throttles", {"rate": 0}, 400, "rate must be a positive number"),
        ("POST", "/throttles", {"rate": 1, "burst": 0}, 400, "burst must be at least 1"),
        ("POST", "/advance", {"seconds": -1}, 400, "seconds must be zero or more"),
        ("GET", "/requests?last=x", None, 400, "invalid literal"),
        ("GET", "/requests?operation=GetRich", None, 400, "operation must be one of"),
        ("GET", "/reset", None, 405, "There is no such path"),
        ("POST", "/state/x", None, 404, "There is no such path"),
    ],
)
async def test_a_mistake_is_named(control, method, path, body, *, status, error):
    got, found = await control.send(method, path, body)
    assert got == status
    assert error in found["error"]


async def test_the_page_shows_nothing_by_itself_and_holds_no_secret(sim, control):
    status, page = await control.send("GET", "/")
    assert status == 200
    for secret in (control.listener.token, *sim.environ.values()):
        assert secret not in page
    found = json.dumps(await control.done("GET", "/state"))
    for desktop in sim.lightsail.desktops():
        assert desktop.token not in found


async def test_the_log_names_the_request_and_not_what_it_holds(control, caplog):
    caplog.set_level("INFO", "dcvsessions.simulator")
    await control.send("PUT", "/instances/secret/status", {"status": "secret"})
    await control.send("GET", "/SECRET?secret")
    assert [record.getMessage() for record in caplog.records if "simul" in record.name] == [
        "control PUT /instances 404",
        "control GET / 404",
    ]
