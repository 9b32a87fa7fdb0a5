"""The memory of a simulator that serves for days."""

import datetime as dt
import gc
import itertools
import json
import tracemalloc

from dcvsessions.simulator import Fault, Simulator, Timings, TransitionPlan
from dcvsessions.simulator._protocol.messages import HttpRequest
from dcvsessions.simulator._protocol.signature import KeyPair, sign

# Limits that are reached soon. What grows after that has no limit.
KEPT = {
    "_lightsail.operation_log._LIMIT": 20,
    "_nimble.client_tokens._LIMIT": 20,
    "_nimble.account._DELETED_LIMIT": 20,
    "_nimble.operations._STREAM_LIMIT": 20,
}
KEYS = KeyPair("AKIA", "secret")
NUMBERS = itertools.count(1000)  # no number takes less memory than another


class Direct:
    """Requests to the simulator without a socket."""

    def __init__(self, sim):
        self._sim = sim
        self.count = 0

    def send(self, service, method, path, body, headers):
        now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/us-east-1/{service}/aws4_request"
        headers = {"host": "simulator", "x-amz-date": now, **headers}
        request = HttpRequest(method, path, "", headers, body)
        signature = sign(request, ("host",), scope, now, KEYS)
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential=AKIA/{scope}, SignedHeaders=host, Signature={signature}"
        )
        self.count += 1
        return json.loads(self._sim._gateway.answer(request).response.body or b"{}")

    def lightsail(self, operation, **parameters):
        headers = {"x-amz-target": f"Lightsail_20161128.{operation}"}
        return self.send("lightsail", "POST", "/", json.dumps(parameters).encode(), headers)

    def nimble(self, method, path="", **parameters):
        token = {} if method == "GET" else {"x-amz-client-token": f"token-{next(NUMBERS)}"}
        body = json.dumps(parameters).encode() if method == "POST" else b""
        path = f"/2020-08-01/studios/studio-1/streaming-sessions{path}"
        return self.send("nimble", method, path, body, token)


def use(sim, direct):
    """Use every kind of request, fault and plan once."""
    message = f"{next(NUMBERS):01000}"
    sim.inject("GetInstances", Fault.error("ThrottlingException", message=message))
    sim.lightsail.fail_start("my-computer", reason=message)
    sim.nimble.plan("StopStreamingSession", TransitionPlan(message=message))
    for operation in ("StopInstance", "StartInstance"):
        direct.lightsail(operation, instanceName="my-computer")
    for operation in (*["StartGUISession"] * 3, "StopGUISession", "CreateGUISessionAccessDetails"):
        direct.lightsail(operation, resourceName="my-computer")
    for operation in ("GetInstances", "GetInstances", "GetOperations", "GetRich"):
        direct.lightsail(operation)
    direct.lightsail("GetInstance", instanceName=f"nobody-{next(NUMBERS)}")
    session = f"/{direct.nimble('POST', launchProfileId='lp-1')['session']['sessionId']}"
    for each in (session, f"/{sim.nimble.alive[0]}"):
        stream = direct.nimble("POST", f"{each}/streams")["stream"]["streamId"]
        assert direct.nimble("GET", f"{each}/streams/{stream}")["stream"]["url"]
    for method, path in (("POST", "/stop"), ("POST", "/start"), ("GET", ""), ("DELETE", "")):
        assert direct.nimble(method, session + path)["session"]
    direct.nimble("GET")
    direct.nimble("GET", f"/nothing-{next(NUMBERS)}")


def traced_after(rounds, sim, direct):
    for _ in range(rounds):
        use(sim, direct)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    return size


async def test_memory_does_not_grow_with_the_number_of_requests(monkeypatch):
    for place, number in KEPT.items():
        monkeypatch.setattr(f"dcvsessions.simulator.{place}", number)
    async with Simulator(
        timings=Timings.instant(),
        keep_requests=20,
        access_key_id=KEYS.access_key,
        secret_access_key=KEYS.secret_key,
    ) as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1")
        direct = Direct(sim)
        direct.nimble("POST", launchProfileId="lp-1")
        tracemalloc.start()
        try:
            warm = traced_after(40, sim, direct)
            before = direct.count
            grown = traced_after(40, sim, direct) - warm
        finally:
            tracemalloc.stop()
    # A list that kept but a number for each request would take as much.
    assert grown < 32 * (direct.count - before)
