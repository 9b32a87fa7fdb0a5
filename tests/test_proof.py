"""Which error answers are the service's own, and what botocore's parser is shown of the others."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions._aws.proof import error_code, replace_unproven_error

NAME = "ThrottlingException"


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"x-amzn-errortype": NAME}, None, NAME),
        ({"X-Amzn-ErrorType": NAME}, {}, NAME),
        ({}, {"__type": NAME}, NAME),
        ({}, {"code": NAME}, NAME),
        ({}, {"Code": NAME}, NAME),
        # The first that is there counts, whether it is a code or not.
        ({"x-amzn-errortype": "First"}, {"__type": "Second", "code": "Third"}, "First"),
        ({}, {"__type": "Second", "code": "Third", "Code": "Fourth"}, "Second"),
        ({}, {"code": "Third", "Code": "Fourth"}, "Third"),
        ({}, {"__type": None, "code": NAME}, NAME),
        ({"x-amzn-errortype": ""}, {"code": NAME}, None),
        ({}, {"__type": {"a": 1}, "code": NAME}, None),
        ({}, {"__type": [NAME]}, None),
        ({}, {"__type": 7}, None),
        # The documented forms of the protocols.
        ({"x-amzn-errortype": f"{NAME}:http://internal.amazon.com/coral/"}, {}, NAME),
        ({}, {"__type": f"com.amazonaws.lightsail#{NAME}"}, NAME),
        ({}, {"__type": f"aws.protocols#{NAME}:http://a/b#c"}, NAME),
        ({}, {"__type": f"a#b#{NAME}"}, NAME),
        ({"x-amzn-errortype": f" {NAME} "}, {}, NAME),
        # A code begins with a letter, is ASCII, and has no more than 128 characters.
        ({}, {"code": "A"}, "A"),
        ({}, {"code": "Aws.Some_Code9"}, "Aws.Some_Code9"),
        ({}, {"code": "A" * 128}, "A" * 128),
        ({}, {"code": "A" * 129}, None),
        ({}, {"code": "9Code"}, None),
        ({}, {"code": "Access Denied"}, None),
        ({}, {"code": "Zugriff\N{LATIN SMALL LETTER U WITH DIAERESIS}"}, None),
        ({}, {"code": "<html>"}, None),
        ({}, {"code": f"{NAME}\n"}, NAME),
        ({}, {"code": ""}, None),
        ({}, {}, None),
        ({}, [NAME], None),
        ({}, NAME, None),
        ({}, None, None),
        ({"server": NAME}, {"message": NAME}, None),
    ],
)
def test_the_code_of_an_error_answer(
    headers: dict[str, str], body: object, code: str | None
) -> None:
    assert error_code(headers, body) == code


def shown(
    status: int, body: bytes | None, headers: dict[str, str] | None = None
) -> tuple[bytes | None, Any]:
    """Return the body and the error that botocore's parser is left with."""
    response = {"status_code": status, "headers": headers or {}, "body": body}
    customized: dict[str, object] = {}
    replace_unproven_error(response, customized)
    assert response["status_code"] == status
    left = response["body"]
    assert left is None or isinstance(left, bytes)
    return left, customized["Error"]


@pytest.mark.parametrize("message", ["message", "Message"])
@pytest.mark.parametrize("status", [400, 403, 503])
def test_a_proven_error_keeps_its_body_code_and_message(status: int, message: str) -> None:
    body = json.dumps({"__type": f"a#{NAME}", message: "Slow down"}).encode()
    assert shown(status, body) == (body, {"Code": NAME, "Message": "Slow down"})


def test_a_code_in_the_header_is_enough() -> None:
    headers = {"x-amzn-errortype": NAME}
    assert shown(404, b"", headers) == (b"{}", {"Code": NAME, "Message": ""})
    assert shown(404, None, headers) == (b"{}", {"Code": NAME, "Message": ""})
    assert shown(404, b"<html>", headers) == (b"{}", {"Code": NAME, "Message": ""})
    assert shown(404, b"[1]", headers) == (b"{}", {"Code": NAME, "Message": ""})
    assert shown(404, b'{"a": 1}', headers) == (b'{"a": 1}', {"Code": NAME, "Message": ""})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (503, None),
        (403, b"<html>Sign in</html>"),
        (400, b'{"message": "I am a proxy"}'),
        (400, b'{"code": {"a": 1}, "message": "No"}'),
        (400, b'{"code": "not a code", "message": "No"}'),
        (400, b"[1]"),
        (400, b"[" * 100_000),
        (400, b"\xff\xfe\x00"),
        # A redirect is no error of the service, whatever it names.
        (300, json.dumps({"code": NAME, "message": "No"}).encode()),
        (399, json.dumps({"code": NAME, "message": "No"}).encode()),
    ],
    ids=str,
)
def test_only_the_status_of_a_foreign_answer_is_kept(status: int, body: bytes | None) -> None:
    assert shown(status, body) == (b"{}", {"Code": "", "Message": ""})


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("x" * 2000, "x" * 2000),
        ("x" * 2001, "x" * 2000),
        ("x" * 5_000_000, "x" * 2000),
        (None, ""),
        (7, ""),
        ({"a": 1}, ""),
        (["No"], ""),
    ],
    ids=lambda message: str(message)[:10],
)
def test_a_message_is_text_of_at_most_2000_characters(message: object, told: str) -> None:
    body = json.dumps({"code": NAME, "message": message}).encode()
    assert shown(400, body)[1] == {"Code": NAME, "Message": told}


def test_the_message_in_lower_case_comes_first() -> None:
    body = json.dumps({"code": NAME, "message": "first", "Message": "second"}).encode()
    assert shown(400, body)[1] == {"Code": NAME, "Message": "first"}


members = st.sampled_from(["__type", "code", "Code", "message"])
values = st.sampled_from([None, True, 7, "", "Code", "no code", {"a": 1}, ["Code"]])


@given(st.dictionaries(members, values))
def test_the_error_that_the_parser_sees_is_always_text(body: dict[str, object]) -> None:
    _, error = shown(500, json.dumps(body).encode())
    assert all(isinstance(value, str) for value in error.values())
    assert (error["Code"] == "") == (error_code({}, body) is None)
