"""HTTP itself: bodies in chunks, several requests on a connection, and what is no HTTP at all."""

import asyncio
import gzip
import json
import logging

import pytest

GET = b"GET /2020-08-01/studios/studio-1/streaming-sessions HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
TOO_LARGE = b"x" * (1024 * 1024 + 1)


async def exchange(sim, *parts: bytes) -> bytes:
    """Send bytes, and return what comes back until the connection is closed."""
    port = int(sim.endpoint_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / a HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without a Host
        GET + b"Bad header: secret\r\n\r\n",
        GET + b"X: a\r\n folded-secret\r\n\r\n",
        GET + b"X: \x00secret\r\n\r\n",
        GET + b"X: " + b"secret" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"secret" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        POST + b"Content-Length: secret\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: secret\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nsecret\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nsecret\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 100_000,
    ],
)
async def test_deviation_9_a_bad_request_gets_a_400_and_is_not_logged(sim, caplog, capfd, sent):
    caplog.set_level(logging.DEBUG)
    answer = await asyncio.wait_for(exchange(sim, sent), 20)
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert sim.requests == []
    said = caplog.text + "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n" + TOO_LARGE + b"\r\n0\r\n\r\n",
        POST + b"Content-Length: 1048577\r\n\r\n" + TOO_LARGE,
    ],
)
async def test_a_body_over_the_limit_is_refused(sim, sent):
    answer = await asyncio.wait_for(exchange(sim, sent), 20)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert sim.requests == []


async def test_an_unknown_expectation_is_refused(sim, caplog):
    answer = await exchange(sim, GET + b"Connection: close\r\nExpect: secret\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 417 ")
    assert "secret" not in caplog.text


@pytest.mark.parametrize("encoding", ["gzip", "br", "nonsense"])
async def test_deviation_9_a_bad_content_encoding_is_refused(sim, wire, caplog, encoding):
    for body in (b"not compressed", gzip.compress(b"{}")):
        reply = await wire.lightsail("GetInstances", body=body, **{"Content-Encoding": encoding})
        assert (reply.status, reply.error) == (400, "SerializationException")
    assert "Traceback" not in caplog.text


async def test_a_body_in_chunks_is_read(sim, wire):
    body = b'{"instanceName": "my-computer"}'
    port = sim.endpoint_url.rpartition(":")[2]
    headers = {
        "X-Amz-Target": "Lightsail_20161128.GetInstanceState",
        "Host": f"127.0.0.1:{port}",
    }
    signed = wire.sign("POST", "/", body, "lightsail", headers)
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items() if "ength" not in name)
    chunks = b"5;name=value\r\n" + body[:5] + b"\r\n" + b"%x\r\n" % len(body[5:]) + body[5:]
    answer = await exchange(
        sim,
        f"POST / HTTP/1.1\r\n{head}".encode(),
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        chunks,
        b"\r\n0\r\nTrailer: x\r\n\r\n",
    )
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["state"]["name"] == "running"


async def test_requests_that_are_sent_at_once_are_answered_in_turn(sim):
    head = b"HEAD /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"\r\nHEAD /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await exchange(sim, head % 1 + head % 2 + last)
    assert answer.count(b"HTTP/1.1 404 Not Found\r\n") == 3
    assert answer.count(b"Connection: close") == 1
    assert len(sim.requests) == 3


async def test_a_header_that_is_not_utf8_is_replaced(sim):
    answer = await exchange(sim, GET + b"Connection: close\r\nAuthorization: \xff\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")


async def test_a_client_that_hangs_up_leaves_nothing_behind(sim):
    port = int(sim.endpoint_url.rpartition(":")[2])
    for sent in (b"", b"GET", POST + b"Content-Length: 5\r\n\r\nab"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    # The server accepts connections in turn, so it has seen the others when this one is answered.
    await exchange(sim, POST + b"Connection: close\r\n\r\n")
    left = asyncio.all_tasks() - {asyncio.current_task()}
    async with asyncio.timeout(10):
        await asyncio.gather(*left, return_exceptions=True)
    assert len(sim.requests) == 1
