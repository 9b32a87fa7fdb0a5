"""HTTP itself: bodies in chunks, several requests on a connection, and what is no HTTP at all."""

import asyncio
import gzip
import json
import logging

import pytest

from dcvsessions.simulator.protocol.http1 import BadRequestError, parse_chunk_size, parse_head

GET = b"GET /2020-08-01/studios/studio-1/streaming-sessions HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


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
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # without a Host
        (GET + b"Bad header: secret\r\n\r\n", 400),
        (GET + b"X: a\r\n folded-secret\r\n\r\n", 400),
        (GET + b"X: \x00secret\r\n\r\n", 400),
        (GET + b"X: " + b"secret" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"secret" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (POST + b"Content-Length: secret\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: secret\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nsecret\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nsecret\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 100_000, 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413),
        (POST + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", 413),
    ],
)
async def test_deviation_9_a_bad_request_gets_a_4xx_and_is_not_repeated(
    sim, caplog, capfd, sent, status
):
    caplog.set_level(logging.DEBUG)
    answer = await asyncio.wait_for(exchange(sim, sent), 20)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"secret" not in answer
    assert b"\r\nConnection: close\r\n" in answer
    assert sim.requests == []
    said = caplog.text + "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "secret" not in said


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


@pytest.mark.parametrize(("connection", "stays_open"), [("", False), ("keep-alive", True)])
def test_http_1_0_closes_the_connection_unless_it_is_asked_not_to(connection, stays_open):
    head = parse_head(b"GET http://host:1/a?b HTTP/1.0\r\nConnection: " + connection.encode())
    assert (head.target, head.length, head.keeps_alive) == ("/a?b", 0, stays_open)


def test_a_header_that_is_not_utf8_is_replaced():
    assert parse_head(GET + b"X: \xff").headers["x"] == "\ufffd"


@pytest.mark.parametrize("line", [b"", b"-1", b"x", b"1 2", b"1" * 16])
def test_a_bad_chunk_size_is_refused(line):
    with pytest.raises(BadRequestError):
        parse_chunk_size(line)


async def test_a_client_that_hangs_up_leaves_nothing_behind(sim):
    port = int(sim.endpoint_url.rpartition(":")[2])
    for sent in (b"", b"GET", POST + b"Content-Length: 5\r\n\r\nab"):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10):
        await asyncio.gather(*sim._server._connections)
    assert sim.requests == []
