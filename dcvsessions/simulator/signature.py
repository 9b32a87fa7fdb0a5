"""Signature Version 4, checked as AWS checks it.

Pure, and from the standard library: it shares nothing with the signers that it is there to check.
The rules are documented in the IAM User Guide ("AWS Signature Version 4 for API requests"); the
messages are the ones AWS sends. A session token (``X-Amz-Security-Token``) is not looked at, as
the simulator knows one long-term key pair and no STS.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import urllib.parse
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dcvsessions.simulator.messages import HttpRequest

#: "In most cases, a request must reach AWS within five minutes of the time stamp" (IAM guide).
TOLERANCE = dt.timedelta(minutes=5)

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_UNRESERVED = "-_.~"
_REQUIRED_PARTS = ("Credential", "SignedHeaders", "Signature")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)


class SignatureError(Exception):
    """A request whose signature is not accepted.

    Args:
        code: The error code that AWS answers with.
        message: The message that goes with it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@attrs.frozen
class KeyPair:
    """An access key.

    Args:
        access_key_id: The public part.
        secret_access_key: The secret part; not in the repr.
    """

    access_key_id: str
    secret_access_key: str = attrs.field(repr=False)


@attrs.frozen(repr=False)
class _Authorization:
    """The ``Authorization`` header, taken apart."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def verify(request: HttpRequest, keys: KeyPair, service: str, now: dt.datetime) -> None:
    """Check that a request is signed with the key pair, for this service, now.

    Any region is accepted: the simulator stands for the endpoint of each.

    Args:
        request: The request.
        keys: The only key pair that there is.
        service: The name that the signature has to be scoped to.
        now: The current time, aware.

    Raises:
        SignatureError: It is not.
    """
    authorization = _read_authorization(request.headers)
    if authorization.access_key_id != keys.access_key_id:
        raise SignatureError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    timestamp = _read_timestamp(request.headers)
    _check_scope(authorization, service, timestamp)
    _check_age(timestamp, now)
    expected = sign(request, authorization.signed_headers, authorization.scope, timestamp, keys)
    if not hmac.compare_digest(
        expected.encode(), authorization.signature.encode("utf-8", "replace")
    ):
        raise SignatureError("InvalidSignatureException", _MISMATCH)


def sign(
    request: HttpRequest,
    signed_headers: tuple[str, ...],
    scope: str,
    timestamp: str,
    keys: KeyPair,
) -> str:
    """Compute the signature of a request.

    Args:
        request: The request.
        signed_headers: The names of the headers that are covered, in lower case, in order.
        scope: ``date/region/service/aws4_request``.
        timestamp: The value of ``X-Amz-Date``.
        keys: The key pair.

    Returns:
        The signature in hexadecimal.
    """
    digest = hashlib.sha256(_canonical_request(request, signed_headers)).hexdigest()
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return _hmac(key, f"{_ALGORITHM}\n{timestamp}\n{scope}\n{digest}").hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256")


def _canonical_request(request: HttpRequest, signed_headers: tuple[str, ...]) -> bytes:
    headers = (f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed_headers)
    lines = (
        request.method,
        _canonical_path(request.path),
        _canonical_query(request.query),
        "".join(headers),
        ";".join(signed_headers),
        hashlib.sha256(request.body).hexdigest(),
    )
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _canonical_path(path: str) -> str:
    # Every service but S3 encodes the path once more than it is encoded on the wire.
    return urllib.parse.quote(path or "/", safe="/" + _UNRESERVED)


def _canonical_query(query: str) -> str:
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    encoded = sorted((_encode(name), _encode(value)) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _encode(text: str) -> str:
    return urllib.parse.quote(text, safe=_UNRESERVED, errors="surrogateescape")


def _read_authorization(headers: Mapping[str, str]) -> _Authorization:
    header = headers.get("authorization", "")
    if not header:
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    named = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: value for name, _, value in named}
    missing = [name for name in _REQUIRED_PARTS if not parts.get(name)]
    if algorithm != _ALGORITHM or missing:
        wanted = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        raise _incomplete(wanted or f"Unsupported AWS 'algorithm'; use {_ALGORITHM}.")
    return _take_apart(parts, headers)


def _take_apart(parts: dict[str, str], headers: Mapping[str, str]) -> _Authorization:
    credential = parts["Credential"].rsplit("/", 4)
    if len(credential) != 5 or credential[4] != "aws4_request":  # noqa: PLR2004 - key and scope
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term."
        )
    signed_headers = tuple(parts["SignedHeaders"].split(";"))
    if "host" not in signed_headers or not all(name in headers for name in signed_headers):
        raise SignatureError("InvalidSignatureException", _MISMATCH)
    access_key_id, date, region, service, _ = credential
    return _Authorization(access_key_id, date, region, service, signed_headers, parts["Signature"])


def _incomplete(message: str) -> SignatureError:
    return SignatureError("IncompleteSignatureException", message)


def _read_timestamp(headers: Mapping[str, str]) -> str:
    timestamp = headers.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", timestamp, re.ASCII):
        raise _incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    return timestamp


def _check_scope(authorization: _Authorization, service: str, timestamp: str) -> None:
    if authorization.service != service:
        message = f"Credential should be scoped to correct service: '{service}'."
    elif authorization.date != timestamp[:8]:
        message = "Date in Credential scope does not match the date of the request."
    else:
        return
    raise SignatureError("InvalidSignatureException", message)


def _check_age(timestamp: str, now: dt.datetime) -> None:
    try:
        signed = dt.datetime.strptime(timestamp, _TIMESTAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        raise _incomplete("Date must be in ISO-8601 'basic format'.") from None
    if abs(signed - now) > TOLERANCE:
        raise skewed(signed, now)


def skewed(signed: dt.datetime, now: dt.datetime) -> SignatureError:
    """Make the error for a request whose time is too far from the server's.

    Args:
        signed: The time of the request.
        now: The time of the server.

    Returns:
        The error, which names both times and the limit.
    """
    late = signed <= now
    limit = now - TOLERANCE if late else now + TOLERANCE
    minutes = int(TOLERANCE.total_seconds() // 60)
    verdict = "expired" if late else "not yet current"
    relation = "now earlier" if late else "still later"
    return SignatureError(
        "InvalidSignatureException",
        f"Signature {verdict}: {signed:{_TIMESTAMP}} is {relation} than {limit:{_TIMESTAMP}} "
        f"({now:{_TIMESTAMP}} {'-' if late else '+'} {minutes} min.)",
    )
