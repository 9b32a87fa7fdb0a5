"""Signature Version 4: which requests are accepted, and how the others are refused."""

import asyncio
import datetime as dt
import hashlib
import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions.simulator import Simulator
from dcvsessions.simulator._protocol.messages import HttpRequest
from dcvsessions.simulator._protocol.signature import (
    KeyPair,
    SignatureError,
    check_time,
    sign,
    verify,
)

BODY = json.dumps({"resourceName": "my-computer"}).encode()
TARGET = {"X-Amz-Target": "Lightsail_20161128.CreateGUISessionAccessDetails"}
PATH = "/2020-08-01/studios/studio-1/streaming-sessions"
KEYS = KeyPair("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def tampered(headers, old, new):
    return {**headers, "Authorization": headers["Authorization"].replace(old, new)}


async def test_a_missing_signature_is_refused_as_at_aws(sim, wire):
    reply = await wire.send("POST", "/", BODY, TARGET)
    assert (reply.status, reply.error) == (400, "MissingAuthenticationTokenException")
    reply = await wire.send("GET", PATH)
    assert (reply.status, reply.error) == (403, "MissingAuthenticationTokenException")
    assert [request.error for request in sim.requests] == [
        "MissingAuthenticationTokenException"
    ] * 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIAOTHER"}, "UnrecognizedClientException"),
        ({"AWS_SECRET_ACCESS_KEY": "guessed"}, "InvalidSignatureException"),
    ],
)
async def test_signatures_with_other_keys_are_refused(wire, wrong, error):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET, **wrong)
    reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, error)
    headers = wire.sign("GET", PATH, b"", "nimble", {}, **wrong)
    reply = await wire.send("GET", PATH, headers=headers)
    assert (reply.status, reply.error) == (403, error)


async def test_signatures_for_any_region_are_accepted(wire):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET, AWS_REGION="eu-north-1")
    assert (await wire.send("POST", "/", BODY, headers)).status == 200


INVALID_TOKEN = "The security token included in the request is invalid."


@pytest.mark.looptime
async def test_deviation_4_temporary_keys_are_accepted_with_their_token_until_they_expire(
    open_wire,
):
    async with (
        Simulator(session_token="token-1", session_token_lifetime=60) as sim,
        open_wire(sim) as wire,
    ):
        sim.nimble.add_studio("studio-1")
        assert sim.environ["AWS_SESSION_TOKEN"] == "token-1"
        assert "token-1" not in repr(sim._keys)
        await asyncio.sleep(59)
        assert (await wire.lightsail("GetInstances")).status == 200
        assert (await wire.create()).status == 200
        await asyncio.sleep(1)
        for reply, status in (
            (await wire.lightsail("GetInstances"), 400),
            (await wire.create(), 403),
        ):
            assert (reply.status, reply.error) == (status, "ExpiredTokenException")
            assert reply.json["message"] == "The security token included in the request is expired"


@pytest.mark.parametrize("token", [None, "", "token-2"])
async def test_deviation_4_temporary_keys_are_refused_without_their_token(open_wire, token):
    async with Simulator(session_token="token-1") as sim, open_wire(sim) as wire:
        headers = wire.sign("POST", "/", BODY, "lightsail", TARGET, AWS_SESSION_TOKEN=token)
        reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, "UnrecognizedClientException")
    assert reply.json["message"] == INVALID_TOKEN


async def test_deviation_4_long_term_keys_are_refused_with_a_token(sim, wire):
    assert "AWS_SESSION_TOKEN" not in sim.environ
    headers = wire.sign("GET", PATH, b"", "nimble", {}, AWS_SESSION_TOKEN="token-1")
    reply = await wire.send("GET", PATH, headers=headers)
    assert (reply.status, reply.error) == (403, "UnrecognizedClientException")
    assert reply.json["message"] == INVALID_TOKEN


async def test_deviation_6_the_path_is_normalised_when_the_signature_is_checked(wire):
    headers = wire.sign("GET", PATH.replace("studio-1/", "studio-1/./x/..//"), b"", "nimble", {})
    assert (await wire.send("GET", PATH, headers=headers)).status == 200
    headers = wire.sign("GET", PATH, b"", "nimble", {})
    reply = await wire.send("GET", PATH.replace("studios", "studios/.//x/.."), headers=headers)
    assert (reply.status, reply.error) == (404, "UnknownOperationException")


def test_the_keys_do_not_look_like_keys_of_aws():
    keys = Simulator()._keys
    assert not keys.access_key.startswith(("AKIA", "ASIA"))
    assert keys.secret_key.startswith("not-for-aws-")


async def test_a_signature_for_another_service_is_refused(wire):
    headers = wire.sign("POST", "/", BODY, "nimble", TARGET)
    reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, "InvalidSignatureException")
    assert reply.json["message"] == "Credential should be scoped to correct service: 'lightsail'."


async def test_a_request_that_was_changed_after_signing_is_refused(wire):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET)
    other = BODY.replace(b"my", b"My")
    last = headers["Authorization"][-1]
    changes = [
        (other, headers),
        (BODY, {**headers, "X-Amz-Target": "Lightsail_20161128.StartGUISession"}),
        (BODY, {**headers, "Host": "lightsail.us-east-1.amazonaws.com"}),
        (BODY, tampered(headers, headers["Authorization"], headers["Authorization"][:-1])),
        (
            BODY,
            {**headers, "Authorization": headers["Authorization"][:-1] + "01"[last == "0"]},
        ),
        (BODY, tampered(headers, "host;", "")),
        (BODY, tampered(headers, "host;", "host;x-absent;")),
        (BODY, tampered(headers, "Signature=", "Signature=é")),
    ]
    for body, changed in changes:
        reply = await wire.send("POST", "/", body, changed)
        assert (reply.status, reply.error) == (400, "InvalidSignatureException")
    assert (await wire.send("POST", "/", BODY, headers)).status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AWS4-HMAC-SHA256", "AWS5"),
        ("SignedHeaders=", "Headers="),
        ("Signature=", "Sign="),
        ("Credential=", "Credential=x/y/"),
        ("/aws4_request", ""),
        ("/aws4_request", "/aws5_request"),
    ],
)
async def test_an_incomplete_signature_is_reported(wire, old, new):
    headers = tampered(wire.sign("POST", "/", BODY, "lightsail", TARGET), old, new)
    reply = await wire.send("POST", "/", BODY, headers)
    assert reply.status == 400
    expected = {"IncompleteSignatureException", "UnrecognizedClientException"}
    assert reply.error in expected


@pytest.mark.parametrize("date", ["", "yesterday", "20261399T000000Z", "2026-01-01T00:00:00Z"])
async def test_an_invalid_date_is_reported(wire, date):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET)
    credential = headers["X-Amz-Date"][:8]
    headers = tampered({**headers, "X-Amz-Date": date}, credential, date[:8] or credential)
    reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, "IncompleteSignatureException")


def signed(method="POST", path="/", *, query="", body=BODY, headers=None, service="lightsail"):
    """Sign with botocore, at the current time."""
    url = f"https://example.com{path}{'?' + query if query else ''}"
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    credentials = Credentials(KEYS.access_key, KEYS.secret_key)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    found = {name.lower(): value for name, value in request.headers.items()}
    return HttpRequest(method, path, query, {"host": "example.com", **found}, body)


def test_a_signature_is_accepted_for_five_minutes():
    now = dt.datetime.now(dt.UTC)
    request = signed()
    signed_at = verify(request, KEYS, "lightsail")
    long_ago = now - dt.timedelta(days=1)
    for minutes in (-4.9, 0, 4.9):
        check_time(signed_at, (long_ago, now + dt.timedelta(minutes=minutes)))
    with pytest.raises(SignatureError, match=r"Signature expired: \w+ is now earlier than .* - 5"):
        check_time(signed_at, [now + dt.timedelta(minutes=5.1)])
    with pytest.raises(SignatureError, match=r"not yet current: \w+ is still later than .* \+ 5"):
        check_time(signed_at, [now - dt.timedelta(minutes=5.1)])


def test_the_scope_has_to_have_the_date_of_the_request():
    request = signed()
    date = request.headers["x-amz-date"][:8]
    headers = dict(request.headers)
    headers["authorization"] = headers["authorization"].replace(date, "20200101")
    changed = HttpRequest("POST", "/", "", headers, BODY)
    with pytest.raises(SignatureError, match="Date in Credential scope"):
        verify(changed, KEYS, "lightsail")


words = st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=20)


@given(
    body=st.binary(max_size=100),
    value=words,
    query=st.lists(st.tuples(words.filter(bool), words), max_size=4),
    segments=st.lists(st.text(max_size=8), max_size=4),
)
def test_every_request_that_botocore_signs_is_accepted(body, value, query, segments):
    from urllib.parse import quote, urlencode  # noqa: PLC0415 - beside its only use

    path = "/" + "/".join(quote(segment, safe="") or "x" for segment in segments)
    text = urlencode(query, quote_via=quote)
    request = signed(
        "POST", path, query=text, body=body, headers={"X-Amz-Thing": value}, service="nimble"
    )
    verify(request, KEYS, "nimble")


@pytest.mark.parametrize(
    ("method", "query", "signature"),
    [
        ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
)
def test_signatures_are_those_of_the_published_aws_test_suite(method, query, signature):
    timestamp = "20150830T123600Z"
    headers = {"host": "example.amazonaws.com", "x-amz-date": timestamp}
    request = HttpRequest(method, "/", query, headers, b"")
    scope = "20150830/us-east-1/service/aws4_request"
    assert sign(request, ("host", "x-amz-date"), scope, timestamp, KEYS) == signature


def resigned(request, **added):
    """Sign a request again, with more headers, as a client does that signs all of its headers."""
    headers = {**request.headers, **added}
    names = tuple(sorted({"host", "x-amz-date", *added}))
    changed = HttpRequest(request.method, request.path, request.query, headers, request.body)
    timestamp = headers["x-amz-date"]
    scope = f"{timestamp[:8]}/us-east-1/lightsail/aws4_request"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={KEYS.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={sign(changed, names, scope, timestamp, KEYS)}"
    )
    return changed


def test_a_signed_user_agent_is_checked():
    request = resigned(signed(), **{"user-agent": "client  1.0 "})
    verify(request, KEYS, "lightsail")
    headers = {**request.headers, "user-agent": "other"}
    changed = HttpRequest("POST", "/", "", headers, BODY)
    with pytest.raises(SignatureError, match="does not match"):
        verify(changed, KEYS, "lightsail")


def test_the_hash_of_the_body_in_a_header_does_not_replace_the_body():
    digest = hashlib.sha256(BODY).hexdigest()
    request = resigned(signed(), **{"x-amz-content-sha256": digest})
    verify(request, KEYS, "lightsail")
    changed = HttpRequest("POST", "/", "", request.headers, BODY + b" ")
    with pytest.raises(SignatureError, match="does not match"):
        verify(changed, KEYS, "lightsail")


async def test_a_signed_header_that_is_not_utf8_is_refused(sim):
    now = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    key = sim.environ["AWS_ACCESS_KEY_ID"]
    credential = f"{key}/{now[:8]}/us-east-1/lightsail/aws4_request"
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(sim.endpoint_url.rpartition(":")[2])
    )
    writer.write(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n"
        b"X-Amz-Target: Lightsail_20161128.GetInstances\r\nX-Bytes: \xff\r\n"
        + f"X-Amz-Date: {now}\r\nAuthorization: AWS4-HMAC-SHA256 Credential={credential}, "
        f"SignedHeaders=host;x-bytes, Signature=x\r\n\r\n".encode()
    )
    answer = await reader.read()
    assert b"x-amzn-ErrorType: InvalidSignatureException" in answer
    writer.close()
    await writer.wait_closed()


def test_a_key_pair_does_not_show_its_secret():
    assert KEYS.secret_key not in repr(KEYS)
