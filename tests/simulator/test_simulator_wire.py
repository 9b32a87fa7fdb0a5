"""The protocols: what goes over the wire, and how invalid requests are answered."""

import asyncio
import gzip
import json
import logging

import aiohttp
import pytest

from dcvsessions.simulator import Simulator

NAME = {"resourceName": "my-computer"}
SESSIONS = "studio-1/streaming-sessions"


async def test_lightsail_answers_in_aws_json(wire):
    reply = await wire.lightsail("GetInstances")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/x-amz-json-1.1"
    assert len(reply.headers["x-amzn-requestid"]) == 36
    created = reply.json["instances"][0]["createdAt"]
    assert isinstance(created, float)  # seconds since the epoch
    assert created == pytest.approx(1e9, abs=9e9)


async def test_nimble_answers_in_rest_json(wire):
    reply = await wire.create()
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert len(reply.headers["x-amzn-requestid"]) == 36
    assert reply.json["session"]["createdAt"].endswith("Z")  # the model says iso8601
    assert not any(value in (None, [], {}) for value in reply.json["session"].values())
    assert (await wire.nimble("GET", SESSIONS, query={"ownedBy": "x"})).json == {"sessions": []}


async def test_lightsail_puts_the_error_into_the_body_and_a_header(wire):
    reply = await wire.lightsail("GetInstance", {"instanceName": "nowhere"})
    assert reply.status == 400
    assert reply.error == "NotFoundException"
    assert reply.json["__type"] == "NotFoundException"
    assert reply.json["message"] == "The Instance does not exist: nowhere"


async def test_nimble_puts_the_error_into_a_header(wire):
    reply = await wire.session("none")
    assert reply.status == 404
    assert reply.error == "ResourceNotFoundException"
    assert reply.json["message"] == "There is no streaming session none"
    assert "__type" not in reply.json


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "Value at 'resourceName' failed to satisfy constraint: Member must not be null"),
        (
            {"resourceName": "x"},
            (
                "Value at 'resourceName' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: \w[\w\-.]*\w"
            ),
        ),
    ],
)
async def test_lightsail_names_the_limit_that_a_request_breaks(wire, parameters, sentence):
    reply = await wire.lightsail("StartGUISession", parameters)
    assert (reply.status, reply.error) == (400, "InvalidInputException")
    assert reply.json["message"] == f"1 validation error detected: {sentence}"


@pytest.mark.parametrize(
    "name", ["", "a", "-a-", "a b", "http://x/?authToken=secret", "naïve", "ab\n"]
)
async def test_an_invalid_name_is_refused_and_not_repeated_in_the_error(wire, name):
    reply = await wire.lightsail("StartGUISession", {"resourceName": name})
    assert (reply.status, reply.error) == (400, "InvalidInputException")
    assert len(name) < 2 or name not in reply.json["message"]


async def test_deviation_7_names_with_periods_are_accepted(sim, wire):
    sim.lightsail.add_instance("my.computer.1")
    reply = await wire.lightsail("StartGUISession", {"resourceName": "my.computer.1"})
    assert reply.status == 200
    for name in (".computer", "computer.", "x" * 256):
        reply = await wire.lightsail("StartGUISession", {"resourceName": name})
        assert reply.error == "InvalidInputException"


async def test_deviation_7_limits_are_checked_in_the_order_of_the_model(wire):
    parameters = {"streamingImageId": "x" * 23, "tags": {}, "ec2InstanceType": "t2.micro"}
    message = (await wire.nimble("POST", SESSIONS, parameters)).json["message"]
    names = ["ec2InstanceType", "launchProfileId", "streamingImageId"]
    assert sorted(names, key=message.index) == names


async def test_deviation_8_request_ids_differ_from_run_to_run(open_wire):
    seen = set()
    for _ in range(2):
        async with Simulator(seed=1) as sim, open_wire(sim) as wire:
            seen.add((await wire.lightsail("GetInstances")).headers["x-amzn-requestid"])
    assert len(seen) == 2


async def test_nimble_names_all_limits_that_a_request_breaks(wire):
    parameters = {"ec2InstanceType": "t2.micro", "streamingImageId": "x" * 23}
    reply = await wire.nimble("POST", SESSIONS, parameters)
    assert (reply.status, reply.error) == (400, "ValidationException")
    message = reply.json["message"]
    assert message.startswith("3 validation errors detected: ")
    for name in ("launchProfileId", "ec2InstanceType", "streamingImageId"):
        assert f"Value at '{name}' failed to satisfy constraint" in message


@pytest.mark.parametrize(
    "body",
    [b"{", b"nonsense", b"[]", b'"x"', b"1", b"true", b"\xff", b'{"resourceName": NaN}']
    + [b'{"resourceName": %s}' % value for value in (b"1", b"1.5", b"true", b"[]", b"{}")]
    + [b"[" * 100_000, b'{"resourceName": 1' + b"0" * 5000 + b"}"],
)
async def test_a_body_that_cannot_be_read_is_a_serialization_exception(wire, body):
    reply = await wire.lightsail("StartGUISession", body=body)
    assert (reply.status, reply.error) == (400, "SerializationException")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-amz-json-1.1", "nonsense"])
async def test_deviation_6_an_unknown_content_type_is_refused_over_rest(sim, wire, media_type):
    reply = await wire.nimble("POST", SESSIONS, {"launchProfileId": "lp-1"}, media_type=media_type)
    assert (reply.status, reply.error) == (415, "UnsupportedMediaTypeException")
    assert sim.nimble.sessions == {}
    parameters = {"launchProfileId": "lp-1"}
    for known in ("application/json; charset=utf-8", "APPLICATION/JSON"):
        assert (await wire.nimble("POST", SESSIONS, parameters, media_type=known)).status == 200


@pytest.mark.parametrize("tags", [{"a": None}, {"a": "b", "c": None}])
async def test_deviation_6_a_null_value_in_a_map_is_a_serialization_exception(wire, tags):
    reply = await wire.create(tags=tags)
    assert (reply.status, reply.error) == (400, "SerializationException")
    assert reply.json["message"] == "NULL_VALUE cannot be converted to string"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
async def test_deviation_6_a_body_that_is_not_utf8_is_refused(wire, encoding):
    reply = await wire.lightsail("GetInstance", body='{"instanceName": "é"}'.encode(encoding))
    assert (reply.status, reply.error) == (400, "SerializationException")
    assert reply.json["message"] == "The body is not valid JSON"


async def test_deviation_6_a_null_body_is_reported_as_null(wire):
    reply = await wire.lightsail("GetInstances", body=b"null")
    assert (reply.status, reply.error) == (400, "SerializationException")
    assert reply.json["message"] == "NULL_VALUE cannot be converted to structure"


@pytest.mark.parametrize("value", ["60", 60.5, True, [60], {"a": 1}, 2**31])
async def test_a_value_of_the_wrong_type_is_a_serialization_exception(wire, value):
    reply = await wire.session("any", "streams", {"expirationInSeconds": value})
    assert (reply.status, reply.error) == (400, "SerializationException")


@pytest.mark.parametrize("tags", [[], "x", {"a": 1}, {"a": ["b"]}])
async def test_a_map_of_the_wrong_type_is_a_serialization_exception(wire, tags):
    assert (await wire.create(tags=tags)).error == "SerializationException"


async def test_unknown_and_null_members_of_a_request_are_ignored(sim, wire):
    parameters = {**NAME, "colour": {"deep": [1, None]}, "other": None}
    assert (await wire.lightsail("CreateGUISessionAccessDetails", parameters)).status == 200
    assert sim.requests[-1].parameters == NAME
    assert (await wire.create(ownedBy=None, tags=None, hat="red")).status == 200
    reply = await wire.lightsail("StartGUISession", {"resourceName": None})
    assert "Member must not be null" in reply.json["message"]


async def test_an_empty_body_means_no_parameters(wire):
    assert (await wire.lightsail("GetInstances", body=b"")).status == 200
    reply = await wire.lightsail("GetInstance", body=b"")
    assert reply.error == "InvalidInputException"


@pytest.mark.parametrize(
    ("line", "target", "status"),
    [
        ("POST /", "Lightsail_20161128.GetRich", 400),
        ("POST /", "Lightsail_20161128.", 400),
        ("POST /", "Lightsail.GetInstances", 400),
        ("POST /", "", 400),
        ("GET /", "Lightsail_20161128.GetInstances", 404),
        ("POST /elsewhere", "Lightsail_20161128.GetInstances", 404),
        ("GET /2020-08-01/studio", "", 404),
        ("PUT /2020-08-01/studios/studio-1/streaming-sessions", "", 404),
        ("GET /2020-08-01/studios//streaming-sessions", "", 404),
        ("GET /2020-08-01/studios/studio-1/streaming-sessions/", "", 404),
        ("GET /2020-08-01/studios/%zz/%ff", "", 404),
    ],
)
async def test_a_request_for_no_operation_is_an_unknown_operation(wire, line, target, status):
    reply = await wire.send(*line.split(), headers={"X-Amz-Target": target} if target else {})
    assert (reply.status, reply.error) == (status, "UnknownOperationException")
    assert len(reply.headers["x-amzn-requestid"]) == 36


async def test_an_unknown_operation_is_recorded_without_its_contents(sim, wire):
    await wire.send("GET", "/secret", query="token=secret")
    (found,) = sim.requests
    assert (found.service, found.operation, found.parameters) == ("", "", {})
    assert (found.status, found.error) == (404, "UnknownOperationException")


@pytest.mark.parametrize("path", ["/", "/2020-08-01/studios/studio-1/streaming-sessions"])
async def test_head_is_answered_without_a_body(wire, path):
    reply = await wire.send("HEAD", path)
    assert (reply.status, reply.error, reply.body) == (404, "UnknownOperationException", b"")


async def test_a_body_over_the_limit_is_refused(sim, wire):
    for size, status in ((1024 * 1024 - 100, 200), (1024 * 1024 + 1, 413)):
        body = json.dumps({"pageToken": None, "padding": "x" * size}).encode()
        reply = await wire.lightsail("GetInstances", body=body)
        assert reply.status == status
    assert reply.error == "RequestEntityTooLargeException"
    assert len(reply.headers["x-amzn-requestid"]) == 36
    assert len(sim.requests) == 1


async def test_a_studio_id_is_percent_encoded_on_the_wire(sim, wire):
    sim.nimble.add_studio("ein/Büro +1")
    reply = await wire.nimble("GET", "ein%2FB%C3%BCro%20%2B1/streaming-sessions")
    assert reply.json == {"sessions": []}
    assert sim.requests[-1].parameters == {"studioId": "ein/Büro +1"}


async def test_parameters_are_merged_from_all_places(sim, wire):
    await wire.session("some-id", "streams", {"expirationInSeconds": 60}, token="token-1")
    assert sim.requests[-1].parameters == {
        "studioId": "studio-1",
        "sessionId": "some-id",
        "clientToken": "token-1",
        "expirationInSeconds": 60,
    }
    await wire.nimble("GET", SESSIONS, query={"ownedBy": "a b&c", "unknown": "x"})
    assert sim.requests[-1].parameters == {"studioId": "studio-1", "ownedBy": "a b&c"}


async def test_a_large_answer_is_compressed_if_the_client_accepts_it(wire):
    plain = await wire.lightsail("GetInstances")
    packed = await wire.lightsail("GetInstances", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.body)) == plain.json


async def test_a_connection_is_kept_alive(sim):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(sim.endpoint_url.rpartition(":")[2])
    )
    for _ in range(2):
        writer.write(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
    writer.close()
    await writer.wait_closed()


async def test_bytes_that_are_not_http_are_refused(sim):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(sim.endpoint_url.rpartition(":")[2])
    )
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_expects_100_continue_gets_it(sim):
    port = int(sim.endpoint_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    writer.close()
    await writer.wait_closed()


async def test_hundreds_of_clients_are_served_at_once(sim, wire):
    replies = await asyncio.gather(*(wire.lightsail("GetInstances") for _ in range(300)))
    assert {reply.status for reply in replies} == {200}
    assert len(sim.calls("GetInstances")) == 300


async def test_the_number_of_recorded_requests_is_limited(open_wire):
    async with Simulator(keep_requests=3) as sim, open_wire(sim) as wire:
        for name in ("aa", "bb", "cc", "dd"):
            await wire.lightsail("GetInstance", {"instanceName": name})
        kept = [request.parameters["instanceName"] for request in sim.requests]
    assert kept == ["bb", "cc", "dd"]


async def test_each_request_is_logged_in_one_line_without_secrets(sim, wire, caplog):
    caplog.set_level(logging.DEBUG, "dcvsessions.simulator")
    sim.lightsail.set_status("my-computer", "started")
    url = (await wire.status())["sessions"][0]["url"]
    await wire.send("GET", "/desktop/", query=url.partition("?")[2].partition("#")[0])
    await wire.send("GET", "/unknown", query="authToken=mine")
    lines = [record.getMessage() for record in caplog.records if "simulator" in record.name]
    assert lines == [
        "lightsail.CreateGUISessionAccessDetails 200",
        "GET /desktop/ 200",
        "GET (unknown) 404",
    ]


async def test_no_repr_or_record_holds_a_secret(open_wire):
    async with Simulator(secret_access_key="canary-secret") as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer", status="started")
        url = (await wire.status())["sessions"][0]["url"]
        token = url.partition("authToken=")[2].partition("#")[0]
        shown = repr([sim, sim.requests, sim.lightsail.instances, sim.lightsail.desktops()])
        assert token not in shown
        assert "canary-secret" not in shown
        assert "Signature" not in shown


async def test_a_desktop_answers_while_its_url_is_accepted(sim, wire):
    sim.lightsail.add_instance("other-computer", status="started", blueprint_name="R&D")
    sim.lightsail.set_status("my-computer", "started")
    for session in (await wire.status())["sessions"]:
        async with aiohttp.ClientSession() as browser, browser.get(session["url"]) as page:
            assert page.status == 200
            assert page.headers["Cache-Control"] == "no-store"
            text = await page.text()
            assert "my-computer" in text
            assert session["url"].partition("#")[2] in text
    sim.lightsail.set_status("my-computer", "startExpired")
    async with aiohttp.ClientSession() as browser, browser.get(session["url"]) as page:
        assert page.status == 403
        assert "my-computer" not in await page.text()


@pytest.mark.looptime
async def test_a_desktop_says_what_it_stands_for_and_how_long(open_wire):
    async with Simulator(speed=2) as sim, open_wire(sim) as wire:
        sim.lightsail.add_instance("my-computer", status="started", blueprint_name="R & D")
        sim.nimble.add_studio("<studio>")
        created = (await wire.create("%3Cstudio%3E")).json["session"]["sessionId"]
        await asyncio.sleep(5)
        path = f"%3Cstudio%3E/streaming-sessions/{created}/streams"
        await wire.nimble("POST", path, {"expirationInSeconds": 60})
        await asyncio.sleep(5)
        pages = []
        desktops = [*sim.lightsail.desktops(), *sim.nimble.desktops()]
        for desktop in desktops:
            reply = await wire.send("GET", "/desktop/", query=f"authToken={desktop.token}")
            pages.append(reply.body.decode())
        application, system, stream = pages
        assert "my-computer" in application
        assert "The application R &amp; D" in application
        assert "The desktop of its operating system" in system
        assert "&lt;studio&gt;" in stream
        assert created in stream
        lefts = [page.partition('data-left="')[2].partition('"')[0] for page in pages]
        assert lefts == ["3580.0", "3580.0", "50.0"]
        for page, desktop in zip(pages, desktops, strict=True):
            assert 'data-speed="2"' in page or 'data-speed="2.0"' in page
            assert "The pixels of the desktop would be here" in page
            assert desktop.token not in page
        sim.advance(50)
        reply = await wire.send("GET", "/desktop/", query=f"authToken={desktops[2].token}")
        assert reply.status == 403
        assert "The session of this URL has ended" in reply.body.decode()


async def test_a_desktop_refuses_requests_without_its_token(sim, wire):
    sim.lightsail.set_status("my-computer", "started")
    for query in ("", "authToken=", "authToken=wrong", "authToken=%ff", "token=x"):
        assert (await wire.send("GET", "/desktop/", query=query)).status == 403
    assert (await wire.send("HEAD", "/desktop/")).status == 403
    assert (await wire.send("POST", "/desktop/")).status == 404


async def test_a_changed_url_is_not_accepted(sim, wire):
    sim.lightsail.set_status("my-computer", "started")
    url = (await wire.status())["sessions"][0]["url"]
    assert sim.accepts(url)
    for other in (
        url.partition("#")[0],
        url.replace("#application", "#operating-system"),
        url.replace("http:", "https:"),
        url.replace("127.0.0.1", "127.0.0.2"),
        url.replace("/desktop/", "/"),
        url.replace("authToken=", "authToken=x"),
        "",
        "http://[broken",
    ):
        assert not sim.accepts(other)


async def test_the_endpoint_url_of_other_addresses_can_be_reached(open_wire):
    async with Simulator(host="::1", access_key_id="AKIA", secret_access_key="s") as sim:
        assert sim.endpoint_url.startswith("http://[::1]:")
        async with open_wire(sim) as wire:
            assert (await wire.lightsail("GetInstances")).status == 200
    async with Simulator(host="0.0.0.0") as sim:  # noqa: S104 - asked for by the caller
        assert sim.endpoint_url.startswith("http://127.0.0.1:")
    async with Simulator(host="localhost") as sim, open_wire(sim) as wire:
        assert (await wire.lightsail("GetInstances")).status == 200


@pytest.mark.parametrize("port", [0, 8080])
def test_a_simulator_that_was_not_started_has_no_endpoint_url(port):
    sim = Simulator(port=port)
    assert repr(sim) == "<Simulator not started>"
    with pytest.raises(RuntimeError, match="The simulator is not running"):
        _ = sim.endpoint_url


async def test_a_simulator_can_be_entered_only_once():
    sim = Simulator()
    async with sim:
        assert repr(sim) == f"<Simulator {sim.endpoint_url}>"
    with pytest.raises(RuntimeError, match="only once"):
        await sim.__aenter__()


async def test_a_taken_port_is_reported_and_leaks_nothing(sim):
    port = int(sim.endpoint_url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await Simulator(port=port).__aenter__()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": ""}, "host"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"speed": 0}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"page_size": 0}, "page_size"),
        ({"stale_reads": -1}, "stale_reads"),
    ],
)
def test_options_out_of_range_are_rejected(options, message):
    with pytest.raises(ValueError, match=message):
        Simulator(**options)


def test_calls_of_an_unknown_operation_are_rejected():
    with pytest.raises(ValueError, match="operation must be one of"):
        Simulator().calls("GetRich")
