"""What is masked in a text, and what one line of a service's text becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions._secrets.mask import mask, plain_text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        # URLs are cut where a query or a fragment begins; a path may hold the token, too.
        ("see https://h:8443/a?b=c.", "see https://h:8443/***"),
        ("see https://h/a#b", "see https://h/***"),
        ("see dcv://h:8443/?authToken=x#y", "see dcv://h:8443/***"),
        ("see HTTPS://h/?x", "see HTTPS://h/***"),
        ("see https://h/a/b", "see https://h/a/b"),
        ("see ftp://h/?x=y", "see ftp://h/?x=y"),
        ("https://a/?x https://b/?y", "https://a/*** https://b/***"),
        ("https://h?x", "https://h***"),
        # The user and password of any URL.
        ("https://user:pass@h/a", "https://***@h/a"),
        ("https://user@h/a?b", "https://***@h/***"),
        ("ftp://user:p@ss@h/a", "ftp://***@h/a"),
        # The `url` of both services.
        ('{"url": "https://h:8443/a/b?c#d"}', '{"url": "https://h:8443/***"}'),
        ("{'url': 'https://h/s3cr3t'}", "{'url': 'https://h/***'}"),
        ('{"url": "s3cr3t", "a": 1}', '{"url": "***", "a": 1}'),
        # Headers, members and parameters by their names.
        ("authorization: Bearer abc", "authorization: ***"),
        ('"Authorization": "Basic abc"', '"Authorization": "***"'),
        ("password=hunter2&a=b", "password=***&a=b"),
        ("password = 'hunter2' b", "password = '***' b"),
        ('{"password": "a\\"b", "c": 1}', '{"password": "***", "c": 1}'),
        ("<Password>hunter2</Password>", "<Password>***</Password>"),
        ("sessionToken: abc", "sessionToken: ***"),
        ("aws_session_token=abc", "aws_session_token=***"),
        ("X-Amz-Security-Token=abc&b", "X-Amz-Security-Token=***&b"),
        ("aws_secret_access_key=abc", "aws_secret_access_key=***"),
        ("secretKey=abc", "secretKey=***"),
        ("client_secret=abc", "client_secret=***"),
        ("refreshToken=abc", "refreshToken=***"),
        ("accessToken=abc", "accessToken=***"),
        ("webIdentityToken=abc", "webIdentityToken=***"),
        ("SAMLAssertion=abc", "SAMLAssertion=***"),
        ("token=abc", "token=***"),
        ("X-Amz-Signature=abc", "X-Amz-Signature=***"),
        ("x-amz-sso_bearer_token: abc", "x-amz-sso_bearer_token: ***"),
        ("x-aws-ec2-metadata-token: abc", "x-aws-ec2-metadata-token: ***"),
        # What is no secret stays.
        ("nextToken=abc", "nextToken=abc"),
        ("client-token: abc", "client-token: abc"),
        ("tokens=abc", "tokens=abc"),
        ("the token is missing", "the token is missing"),
        ("", ""),
        ("No capacity in us-west-2a.", "No capacity in us-west-2a."),
    ],
)
def test_secrets_are_masked_and_the_rest_stays(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("No capacity.", "No capacity."),
        ("  a\t b \r\n\n c  ", "a b c"),
        ("a\x00b\x1b[31mc", "a\ufffdb\ufffd[31mc"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("a\N{LINE SEPARATOR}b\N{NO-BREAK SPACE}c", "a b c"),
        ("Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{LATIN SMALL LETTER SHARP S}e", "Grüße"),
        ("password=hunter2\nb", "password=*** b"),
        ("See https://user:s3cr3t@h/a?b", "See https://***@h/***"),
    ],
)
def test_one_line_is_made_of_a_services_text(text: str, line: str) -> None:
    assert plain_text(text) == line


@pytest.mark.parametrize(
    ("length", "shown"), [(7_999, 7_999), (8_000, 8_000), (8_001, 8_001), (5_000_000, 8_001)]
)
def test_a_long_text_is_cut_off(length: int, shown: int) -> None:
    line = plain_text("x" * length)
    assert len(line) == shown
    assert line.endswith("…") is (length > 8_000)
    assert line.rstrip("…") == "x" * min(length, 8_000)


def test_a_password_that_the_cut_goes_through_is_masked() -> None:
    text = "x" * 7_970 + " https://user:s3cr3t-0123456789@h/"
    assert plain_text(text) == "x" * 7_970 + " https://***…"


@given(st.text())
def test_a_line_can_be_printed_and_stays_the_same(text: str) -> None:
    line = plain_text(text)
    assert line.isprintable()
    assert line == plain_text(line)
