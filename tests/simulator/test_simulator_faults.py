"""Faults: what a client sees of each, and whether the request took effect."""

import asyncio
import datetime as dt
import email.utils
import logging
import time

import aiohttp
import pytest

from dcvsessions.simulator import Fault, Simulator

pytestmark = pytest.mark.looptime

LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


async def test_an_error_fault_is_answered_and_has_no_effect(sim, wire):
    fault = Fault.error("ThrottlingException", status=429, message="Slow down", retry_after=3)
    sim.inject("CreateStreamingSession", fault)
    reply = await wire.create()
    assert (reply.status, reply.error) == (429, "ThrottlingException")
    assert reply.json == {"message": "Slow down", "code": "ThrottlingException"}
    assert sim.nimble.sessions == {}
    assert (await wire.create()).status == 200


async def test_an_error_of_lightsail_has_its_code_in_the_body(sim, wire):
    sim.inject("GetInstances", Fault.error("ThrottlingException", message="Rate exceeded"))
    reply = await wire.lightsail("GetInstances")
    assert reply.status == 400
    assert reply.json == {"__type": "ThrottlingException", "message": "Rate exceeded"}
    assert "retry-after" not in reply.headers


async def test_an_error_without_a_code_has_an_empty_body(sim, wire):
    sim.inject("GetInstances", Fault.error(None, status=503, retry_after="soon"))
    reply = await wire.lightsail("GetInstances")
    assert (reply.status, reply.error, reply.body) == (503, None, b"")
    assert reply.headers["retry-after"] == "soon"
    assert (sim.requests[-1].status, sim.requests[-1].error) == (503, None)


async def test_a_delayed_request_takes_effect_at_once_and_is_answered_late(sim, wire, looptime):
    sim.inject("CreateStreamingSession", Fault.delay(30))
    waiting = asyncio.create_task(wire.create())
    await asyncio.sleep(1)
    assert len(sim.nimble.sessions) == 1
    reply = await waiting
    assert looptime == 30
    assert reply.json["session"]["state"] == "CREATE_IN_PROGRESS"


async def test_a_delay_lasts_simulated_seconds(open_wire, looptime):
    async with Simulator(speed=10) as sim, open_wire(sim) as wire:
        sim.inject("*", Fault.delay(30))
        await wire.lightsail("GetInstances")
    assert looptime == 3


async def test_a_request_that_gets_no_answer_has_no_effect(sim, wire):
    sim.inject("CreateStreamingSession", Fault.no_answer())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3000):
            await wire.create()
    assert sim.nimble.sessions == {}
    assert sim.requests[-1].status is None


async def test_a_simulator_stops_at_once_while_requests_wait_for_an_answer(open_wire, looptime):
    async with Simulator() as sim, open_wire(sim) as wire:
        sim.inject("*", Fault.no_answer(), times=5)
        sim.inject("*", Fault.delay(1000), call=6, times=5)
        waiting = [asyncio.create_task(wire.lightsail("GetInstances")) for _ in range(10)]
        await asyncio.sleep(1)
        assert len(sim.requests) == 10
        await sim.__aexit__(None, None, None)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(each, LOST) for each in results[:5]] == [True] * 5
    assert looptime < 3


@pytest.mark.parametrize(
    ("fault", "took_effect", "status"),
    [
        (Fault.reset(), False, None),
        (Fault.lost_response(), True, None),
        (Fault.reset_midway(), True, 200),
    ],
)
async def test_a_connection_is_reset_before_or_after_the_effect(
    sim, wire, fault, took_effect, status
):
    sim.inject("CreateStreamingSession", fault)
    with pytest.raises(LOST):
        await wire.create()
    assert len(sim.nimble.sessions) == took_effect
    assert sim.requests[-1].status == status
    assert (await wire.create()).status == 200


async def test_a_reset_is_a_tcp_reset_and_not_an_orderly_end(sim, wire):
    port = int(sim.endpoint_url.rpartition(":")[2])
    for fault in (Fault.reset(), Fault.reset_midway()):
        sim.inject("GetInstances", fault)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        unsigned = {"X-Amz-Target": "Lightsail_20161128.GetInstances", "Host": f"127.0.0.1:{port}"}
        signed = wire.sign("POST", "/", b"", "lightsail", unsigned)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        writer.write(f"POST / HTTP/1.1\r\n{head}\r\n".encode())
        with pytest.raises(ConnectionResetError):
            await reader.readuntil(b"an end that never comes")
        writer.close()
        with pytest.raises(ConnectionResetError):
            await writer.wait_closed()


async def test_the_log_names_the_fault(sim, wire, caplog):
    caplog.set_level(logging.INFO, "dcvsessions.simulator")
    sim.inject("GetInstances", Fault.reset())
    sim.inject("GetInstances", Fault.empty(), call=2)
    with pytest.raises(LOST):
        await wire.lightsail("GetInstances")
    await wire.lightsail("GetInstances")
    assert [record.getMessage() for record in caplog.records if "simul" in record.name] == [
        "lightsail.GetInstances - (reset)",
        "lightsail.GetInstances 200 (empty)",
    ]


async def test_a_truncated_answer_has_a_matching_content_length(sim, wire):
    sim.inject("CreateStreamingSession", Fault.truncated())
    reply = await wire.create()
    assert reply.status == 200
    assert int(reply.headers["content-length"]) == len(reply.body) > 100
    with pytest.raises(ValueError, match=r"JSON|Unterminated|Expecting"):
        _ = reply.json
    assert len(sim.nimble.sessions) == 1


async def test_a_request_with_an_empty_answer_takes_effect(sim, wire):
    sim.inject("CreateStreamingSession", Fault.empty())
    reply = await wire.create()
    assert (reply.status, reply.body) == (200, b"{}")
    assert len(sim.nimble.sessions) == 1


async def test_an_answer_with_a_wrong_content_type_has_the_right_body(sim, wire):
    sim.inject("CreateStreamingSession", Fault.wrong_content_type())
    reply = await wire.create()
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.json["session"]["sessionId"] in sim.nimble.sessions


@pytest.mark.parametrize("status", [200, 502])
async def test_an_html_page_has_no_headers_of_the_service(sim, wire, status):
    sim.inject("CreateStreamingSession", Fault.html(status))
    reply = await wire.create()
    assert (reply.status, reply.error) == (status, None)
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.body.startswith(b"<!doctype html>")
    assert "x-amzn-requestid" not in reply.headers
    assert sim.nimble.sessions == {}


@pytest.mark.parametrize(
    ("seconds", "words"), [(900, "Signature expired: "), (-900, "Signature not yet current: ")]
)
async def test_a_skewed_date_is_refused_with_the_time_of_the_server(sim, wire, seconds, words):
    sim.inject("*", Fault.skewed_date(seconds), times=2)
    lightsail, nimble = await wire.lightsail("GetInstances"), await wire.create()
    assert (lightsail.status, nimble.status) == (400, 403)
    for reply in (lightsail, nimble):
        assert reply.error == "InvalidSignatureException"
        assert reply.json["message"].startswith(words)
        server = email.utils.parsedate_to_datetime(reply.headers["date"]).timestamp()
        assert server - time.time() == pytest.approx(seconds, abs=5)
    assert sim.nimble.sessions == {}


async def test_a_fault_strikes_from_the_given_call_on_the_given_number_of_times(sim, wire):
    await wire.lightsail("GetInstances")
    sim.inject("GetInstances", Fault.error("E"), call=2, times=2)
    seen = []
    for _ in range(5):
        await wire.lightsail("GetOperations")  # another operation does not count
        seen.append((await wire.lightsail("GetInstances")).error)
    assert seen == [None, "E", "E", None, None]


async def test_a_fault_can_strike_every_operation_until_heal(sim, wire):
    sim.inject("*", Fault.error("E"), times=None)
    for _ in range(10):
        assert (await wire.lightsail("GetInstances")).error == "E"
        assert (await wire.create()).error == "E"
    sim.heal()
    assert (await wire.create()).status == 200


async def test_the_fault_that_was_injected_first_strikes_first(sim, wire):
    sim.inject("GetInstances", Fault.error("First"), call=2)
    sim.inject("*", Fault.error("Second"), times=2)
    seen = [(await wire.lightsail("GetInstances")).error for _ in range(3)]
    assert seen == ["Second", "First", None]


async def test_requests_are_recorded_with_their_parameters_and_answers(sim, wire):
    sim.inject("StartGUISession", Fault.error("ServiceException", status=500))
    for _ in range(2):
        await wire.lightsail("StartGUISession", {"resourceName": "my-computer"})
        await wire.status()
        await asyncio.sleep(1)
    assert [request.operation for request in sim.requests] == [
        "StartGUISession",
        "CreateGUISessionAccessDetails",
    ] * 2
    first, second = sim.calls("StartGUISession")
    assert first.service == "lightsail"
    assert first.parameters == {"resourceName": "my-computer"}
    assert (first.status, first.error) == (500, "ServiceException")
    assert (second.status, second.error) == (200, None)
    assert second.at - first.at == 1


# --- What clients noticed ---


async def test_deviation_1_a_client_that_corrects_its_clock_by_the_date_is_accepted(sim, wire):
    sim.inject("GetInstances", Fault.skewed_date(900))
    refused = await wire.lightsail("GetInstances")
    assert refused.error == "InvalidSignatureException"
    server = email.utils.parsedate_to_datetime(refused.headers["date"]).timestamp()
    for _ in range(3):
        assert (await wire.lightsail("GetInstances", ahead=server - time.time())).status == 200
        assert (await wire.lightsail("GetInstances")).error == "InvalidSignatureException"
    sim.heal()
    assert (await wire.lightsail("GetInstances")).status == 200
    assert (await wire.lightsail("GetInstances", ahead=900)).error == "InvalidSignatureException"


async def test_deviation_1_the_clock_of_the_service_is_shifted_for_a_number_of_requests(sim, wire):
    sim.inject("GetOperations", Fault.skewed_date(-900, requests=3))
    assert (await wire.lightsail("GetOperations")).error == "InvalidSignatureException"
    assert (await wire.create()).error == "InvalidSignatureException"  # any operation counts
    assert (await wire.lightsail("GetInstances", ahead=-900)).status == 200
    assert (await wire.lightsail("GetInstances")).status == 200


async def test_deviation_1_a_small_shift_is_tolerated(sim, wire):
    sim.inject("*", Fault.skewed_date(200))
    reply = await wire.create()
    assert reply.status == 200
    server = email.utils.parsedate_to_datetime(reply.headers["date"]).timestamp()
    assert server - time.time() == pytest.approx(200, abs=5)


async def test_the_date_of_a_response_is_on_the_clock_of_its_times(sim, wire):
    for _ in range(3):
        reply = await wire.create()
        created = dt.datetime.fromisoformat(reply.json["session"]["createdAt"])
        assert email.utils.parsedate_to_datetime(reply.headers["date"]) == created
        await asyncio.sleep(3600)
    # A client that sets its clock by such a date is accepted like one that does not.
    assert (await wire.lightsail("GetInstances", ahead=3 * 3600)).status == 200
    assert (await wire.lightsail("GetInstances")).status == 200


async def test_deviation_2_the_members_of_the_models_errors_are_sent(wire):
    reply = await wire.lightsail("GetInstance", {"instanceName": "nowhere"})
    assert reply.json.keys() == {"__type", "message", "code", "docs", "tip"}
    assert reply.json["code"] == "NotFoundException"
    reply = await wire.session("none")
    assert reply.json["code"] == "ResourceNotFoundException"
    assert reply.json["context"] == {"resourceType": "streaming session", "resourceId": "none"}
    identifier = (await wire.create()).json["session"]["sessionId"]
    reply = await wire.session(identifier, "start")
    assert reply.json["context"] == {"state": "CREATE_IN_PROGRESS"}
    unsigned = await wire.send("GET", "/2020-08-01/studios/studio-1/streaming-sessions")
    assert unsigned.json.keys() == {"message"}  # no error of the model


async def test_deviation_2_a_fault_can_set_the_members_of_its_error(sim, wire):
    members = {"tip": "Wait", "docs": "https://docs.aws.amazon.com/x", "code": "C1"}
    sim.inject("GetInstances", Fault.error("ServiceException", status=500, members=members))
    assert (await wire.lightsail("GetInstances")).json == {
        "__type": "ServiceException",
        "message": "",
        **members,
    }
    context = {"context": {"studioId": "studio-1"}}
    sim.inject("*", Fault.error("ConflictException", status=409, members=context))
    assert (await wire.create()).json["context"] == {"studioId": "studio-1"}


async def test_deviation_5_seconds_to_wait_are_sent_in_both_headers(sim, wire):
    sim.inject("*", Fault.error("ThrottlingException", status=429, retry_after=2.5))
    headers = (await wire.create()).headers
    assert (headers["retry-after"], headers["x-amz-retry-after"]) == ("2.5", "2500")
    sim.inject("*", Fault.error(None, status=503, retry_after="Fri, 31 Dec 1999 23:59:59 GMT"))
    headers = (await wire.create()).headers
    assert headers["retry-after"] == "Fri, 31 Dec 1999 23:59:59 GMT"
    assert "x-amz-retry-after" not in headers


@pytest.mark.parametrize("service", ["lightsail", "nimble"])
async def test_deviation_9_a_request_without_a_signature_uses_up_no_fault(sim, wire, service):
    sim.inject("*", Fault.error("ServiceException", status=500))
    if service == "lightsail":
        target = {"X-Amz-Target": "Lightsail_20161128.StartGUISession"}
        reply = await wire.send("POST", "/", b'{"resourceName": "secret"', target)
    else:
        path = "/2020-08-01/studios/studio-1/streaming-sessions"
        reply = await wire.send("POST", path, b"secret", {"Origin": "https://example.com"})
    # It is refused as such, although its body cannot be read either.
    assert reply.error == "MissingAuthenticationTokenException"
    assert sim.requests[-1].parameters == {}
    assert (await wire.create()).error == "ServiceException"


def test_a_skew_has_to_last_at_least_one_request():
    with pytest.raises(ValueError, match="requests must be at least 1"):
        Fault.skewed_date(900, requests=0)


@pytest.mark.parametrize("options", [{"call": 0}, {"times": 0}])
def test_call_and_times_have_to_be_at_least_one(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Simulator().inject("*", Fault.reset(), **options)


def test_a_fault_for_an_unknown_operation_is_rejected():
    with pytest.raises(ValueError, match="operation must be one of"):
        Simulator().inject("GetRich", Fault.reset())
