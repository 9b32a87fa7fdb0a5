"""Signature Version 4, checked as AWS does it: botocore signs the received request once more.

The rules are documented in the IAM User Guide ("AWS Signature Version 4 for API requests"). The
error messages are AWS's.
"""

import hashlib
import http.client
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from attrs import field, frozen

from dcvsessions.simulator._protocol.messages import HttpRequest

__all__ = ["KeyPair", "SignatureError", "check_expiry", "check_time", "sign", "verify"]

# "In most cases, a request must reach AWS within five minutes of the time stamp" (IAM User Guide).
_TOLERANCE = timedelta(minutes=5)

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
        code: AWS's error code.
        message: AWS's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@frozen
class KeyPair:
    """An access key. Its attributes have the names that botocore's signer reads.

    Attributes:
        access_key: The public part.
        secret_key: The secret part; not in the `repr`.
        token: The session token that belongs to temporary keys; not in the `repr`. None for
            long-term keys.
        expires: The instant from which temporary keys are refused, in simulated seconds.
    """

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires: float = math.inf


@frozen(repr=False)
class _Authorization:
    """The parts of an `Authorization` header."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def verify(request: HttpRequest, keys: KeyPair, service: str) -> datetime:
    """Check that a request is signed with the key pair for this service, and return when it was.

    Every region is accepted, because the simulator serves as the endpoint of all regions.

    Args:
        request: The request.
        keys: The only key pair that is accepted.
        service: The service that the signature has to be scoped to.

    Raises:
        SignatureError: The signature is missing, incomplete or wrong, or is of other keys.
    """
    authorization = _authorization(request.headers)
    token = request.headers.get("x-amz-security-token")
    if (authorization.access_key, token) != (keys.access_key, keys.token):
        raise SignatureError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    timestamp = request.headers.get("x-amz-date", "")
    signed_at = _parsed(timestamp)
    if authorization.service != service:
        raise _invalid(f"Credential should be scoped to correct service: '{service}'.")
    if authorization.date != timestamp[:8]:
        raise _invalid("Date in Credential scope does not match the date of the request.")
    scope = f"{authorization.date}/{authorization.region}/{service}/aws4_request"
    expected = sign(request, authorization.signed_headers, scope, timestamp, keys)
    if expected != authorization.signature:
        raise _invalid(_MISMATCH)
    return signed_at


def check_expiry(keys: KeyPair, now: float) -> None:
    """Check that temporary keys have not expired.

    Args:
        keys: The key pair.
        now: The current instant, in simulated seconds.

    Raises:
        SignatureError: They have expired.
    """
    if keys.token is not None and now >= keys.expires:
        raise SignatureError(
            "ExpiredTokenException", "The security token included in the request is expired"
        )


def check_time(signed_at: datetime, clocks: Iterable[datetime]) -> None:
    """Check that a request was signed within five minutes of the time of at least one clock.

    Args:
        signed_at: The time at which the request was signed.
        clocks: The current times by which it may have been signed. An error names the first.

    Raises:
        SignatureError: The signature has expired, or is not valid yet.
    """
    times = list(clocks)
    if all(abs(signed_at - now) > _TOLERANCE for now in times):
        raise _skewed(signed_at, times[0])


def sign(
    request: HttpRequest,
    signed_headers: tuple[str, ...],
    scope: str,
    timestamp: str,
    keys: KeyPair,
) -> str:
    """Return the signature of a request.

    botocore's `canonical_request()` is not used. It leaves out headers that other clients may
    sign (`user-agent`), and takes the hash of the body from a header instead of the body.

    Args:
        request: The request.
        signed_headers: The lower-case names of the headers to sign.
        scope: `date/region/service/aws4_request`.
        timestamp: The value of `X-Amz-Date`.
        keys: The key pair.
    """
    # botocore takes long to import, and is not needed before the first request.
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    _, region, service, _ = scope.split("/")
    signer: Any = SigV4Auth(keys, service, region)  # botocore has no types
    headers = http.client.HTTPMessage()
    for name in signed_headers:
        headers[name] = request.headers[name]
    pairs = parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape")
    query = urlencode(pairs, quote_via=quote, safe=_UNRESERVED, errors="surrogateescape")
    aws_request: Any = AWSRequest(url=f"http://host/?{query}")
    aws_request.context["timestamp"] = timestamp
    canonical_request = "\n".join(
        (
            request.method,
            # All services but S3 remove dot segments, and encode the encoded path once more.
            signer._normalize_url_path(request.path),  # noqa: SLF001 - there is no public one
            signer.canonical_query_string(aws_request),
            f"{signer.canonical_headers(headers)}\n",
            signer.signed_headers(headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    string_to_sign = signer.string_to_sign(aws_request, canonical_request)
    signature: str = signer.signature(string_to_sign, aws_request)
    return signature


def _authorization(headers: Mapping[str, str]) -> _Authorization:
    header = headers.get("authorization", "")
    if not header:
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    named = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: value for name, _, value in named}
    missing = [name for name in _REQUIRED_PARTS if not parts.get(name)]
    if missing:
        raise _incomplete(
            " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
        )
    if algorithm != _ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm'; use {_ALGORITHM}.")
    credential = parts["Credential"].rsplit("/", 4)
    if len(credential) != 5 or credential[4] != "aws4_request":  # noqa: PLR2004 - key and scope
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term."
        )
    access_key, date, region, service, _ = credential
    signed_headers = tuple(parts["SignedHeaders"].split(";"))
    if "host" not in signed_headers or not all(name in headers for name in signed_headers):
        raise _invalid(_MISMATCH)
    return _Authorization(access_key, date, region, service, signed_headers, parts["Signature"])


def _parsed(timestamp: str) -> datetime:
    if not timestamp:
        raise _incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    try:
        return datetime.strptime(timestamp, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise _incomplete("Date must be in ISO-8601 'basic format'.") from None


def _incomplete(message: str) -> SignatureError:
    return SignatureError("IncompleteSignatureException", message)


def _invalid(message: str) -> SignatureError:
    return SignatureError("InvalidSignatureException", message)


def _skewed(signed_at: datetime, now: datetime) -> SignatureError:
    is_late = signed_at <= now
    limit = now - _TOLERANCE if is_late else now + _TOLERANCE
    minutes = int(_TOLERANCE.total_seconds() // 60)
    verdict = "expired" if is_late else "not yet current"
    relation = "now earlier" if is_late else "still later"
    return _invalid(
        f"Signature {verdict}: {signed_at:{_TIMESTAMP}} is {relation} than {limit:{_TIMESTAMP}} "
        f"({now:{_TIMESTAMP}} {'-' if is_late else '+'} {minutes} min.)"
    )
