"""SigV4: what botocore signs is accepted, and nothing else."""

import datetime as dt
import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions.simulator.protocol.messages import HttpRequest
from dcvsessions.simulator.protocol.signature import KeyPair, SignatureError, verify

BODY = json.dumps({"resourceName": "my-computer"}).encode()
TARGET = {"X-Amz-Target": "Lightsail_20161128.CreateGUISessionAccessDetails"}
PATH = "/2020-08-01/studios/studio-1/streaming-sessions"
KEYS = KeyPair("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def tampered(headers, old, new):
    return {**headers, "Authorization": headers["Authorization"].replace(old, new)}


async def test_a_missing_signature_is_refused_as_aws_does(sim, wire):
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
async def test_other_keys_are_refused(wire, wrong, error):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET, **wrong)
    reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, error)
    headers = wire.sign("GET", PATH, b"", "nimble", {}, **wrong)
    reply = await wire.send("GET", PATH, headers=headers)
    assert (reply.status, reply.error) == (403, error)


async def test_any_region_is_accepted(wire):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET, AWS_REGION="eu-north-1")
    assert (await wire.send("POST", "/", BODY, headers)).status == 200


async def test_a_session_token_is_not_looked_at(wire):
    headers = wire.sign("POST", "/", BODY, "lightsail", {**TARGET, "X-Amz-Security-Token": "any"})
    assert (await wire.send("POST", "/", BODY, headers)).status == 200


async def test_a_signature_for_another_service_is_refused(wire):
    headers = wire.sign("POST", "/", BODY, "nimble", TARGET)
    reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, "InvalidSignatureException")
    assert reply.json["message"] == "Credential should be scoped to correct service: 'lightsail'."


async def test_what_is_signed_cannot_be_changed(wire):
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
async def test_an_incomplete_signature_is_told(wire, old, new):
    headers = tampered(wire.sign("POST", "/", BODY, "lightsail", TARGET), old, new)
    reply = await wire.send("POST", "/", BODY, headers)
    assert reply.status == 400
    expected = {"IncompleteSignatureException", "UnrecognizedClientException"}
    assert reply.error in expected


@pytest.mark.parametrize("date", ["", "yesterday", "20261399T000000Z", "2026-01-01T00:00:00Z"])
async def test_a_date_that_is_none_is_told(wire, date):
    headers = wire.sign("POST", "/", BODY, "lightsail", TARGET)
    credential = headers["X-Amz-Date"][:8]
    headers = tampered({**headers, "X-Amz-Date": date}, credential, date[:8] or credential)
    reply = await wire.send("POST", "/", BODY, headers)
    assert (reply.status, reply.error) == (400, "IncompleteSignatureException")


def signed(method="POST", path="/", *, query="", body=BODY, headers=None, service="lightsail"):
    """Sign with botocore, at the time that it is."""
    url = f"https://example.com{path}{'?' + query if query else ''}"
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    credentials = Credentials(KEYS.access_key, KEYS.secret_key)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    found = {name.lower(): value for name, value in request.headers.items()}
    return HttpRequest(method, path, query, {"host": "example.com", **found}, body)


def test_a_signature_is_good_for_five_minutes():
    now = dt.datetime.now(dt.UTC)
    request = signed()
    for minutes in (-4.9, 0, 4.9):
        verify(request, KEYS, "lightsail", now + dt.timedelta(minutes=minutes))
    with pytest.raises(SignatureError, match=r"Signature expired: \w+ is now earlier than .* - 5"):
        verify(request, KEYS, "lightsail", now + dt.timedelta(minutes=5.1))
    with pytest.raises(SignatureError, match=r"not yet current: \w+ is still later than .* \+ 5"):
        verify(request, KEYS, "lightsail", now - dt.timedelta(minutes=5.1))


def test_the_scope_has_the_date_of_the_request():
    request = signed()
    date = request.headers["x-amz-date"][:8]
    headers = dict(request.headers)
    headers["authorization"] = headers["authorization"].replace(date, "20200101")
    changed = HttpRequest("POST", "/", "", headers, BODY)
    with pytest.raises(SignatureError, match="Date in Credential scope"):
        verify(changed, KEYS, "lightsail", dt.datetime.now(dt.UTC))


words = st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=20)


@given(
    body=st.binary(max_size=100),
    value=words,
    query=st.lists(st.tuples(words.filter(bool), words), max_size=4),
    segments=st.lists(st.text(max_size=8), max_size=4),
)
def test_whatever_botocore_signs_is_accepted(body, value, query, segments):
    from urllib.parse import quote, urlencode  # noqa: PLC0415 - beside its only use

    path = "/" + "/".join(quote(segment, safe="") or "x" for segment in segments)
    path = path.replace("/.", "/x")  # botocore normalises dots, and nobody sends them
    text = urlencode(query, quote_via=quote)
    request = signed(
        "POST", path, query=text, body=body, headers={"X-Amz-Thing": value}, service="nimble"
    )
    verify(request, KEYS, "nimble", dt.datetime.now(dt.UTC))


def test_a_key_pair_does_not_show_its_secret():
    assert KEYS.secret_key not in repr(KEYS)
