"""Signs requests exactly as botocore does, in a third of the time.

botocore reads all headers of a request three times; this reads them once. Importing this file
imports botocore: see imports.py.
"""
# botocore has no type hints.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUntypedBaseClass=false
# pyright: reportUnknownArgumentType=false

import hmac
import logging
import re
from hashlib import sha256
from typing import Any, cast
from urllib.parse import quote, urlsplit

from botocore.auth import AUTH_TYPE_MAPS, SIGNED_HEADERS_BLACKLIST, SIGV4_TIMESTAMP, SigV4Auth
from botocore.compat import get_current_datetime
from botocore.utils import normalize_url_path

__all__ = ["Signer", "choose_signer"]

_NAME = "dcvsessions-v4"
_UNSIGNED = frozenset(SIGNED_HEADERS_BLACKLIST)
# A host without a port, or with one that is not a default port. The `host` header has the same
# text.
_PLAIN_HOST = re.compile(r"[a-z0-9.-]+(:(?!80$|443$)[1-9][0-9]*)?")
# At DEBUG, it logs what is signed.
_botocore_log = logging.getLogger("botocore.auth")


class Signer(SigV4Auth):  # type: ignore[misc] # botocore has no type hints
    """Signature version 4. If a request is unusual, botocore's own class signs it."""

    def add_auth(self, request: Any) -> None:  # noqa: ANN401 - botocore has no type hints
        """Sign a request: set its date, its session token and its signature."""
        url = urlsplit(request.url)
        headers = None if self._is_unusual(request, url.netloc) else _by_name(request.headers)
        if headers is None:
            super().add_auth(request)
            return
        timestamp = get_current_datetime().strftime(SIGV4_TIMESTAMP)
        request.context["timestamp"] = timestamp
        changed = {"X-Amz-Date": timestamp}
        if self.credentials.token:
            changed["X-Amz-Security-Token"] = self.credentials.token
        for name, value in changed.items():
            del request.headers[name]
            request.headers[name] = value
            headers[name.lower()] = value
        headers.setdefault("host", url.netloc)
        names = sorted(headers)
        signed = ";".join(names)
        lines = [f"{name}:{' '.join(headers[name].split())}" for name in names]
        path = quote(normalize_url_path(url.path), safe="/~")
        query = self.canonical_query_string(request)
        content = headers.get("x-amz-content-sha256")
        if content is None:
            content = sha256(request.data).hexdigest()
        canonical = "\n".join([request.method.upper(), path, query, *lines, "", signed, content])
        key = f"AWS4{self.credentials.secret_key}".encode()
        for part in (timestamp[:8], self._region_name, self._service_name, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = self.string_to_sign(request, canonical)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        del request.headers["Authorization"]
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.scope(request)}, SignedHeaders={signed}, "
            f"Signature={signature}"
        )

    def _is_unusual(self, request: Any, host: str) -> bool:  # noqa: ANN401 - as above
        return bool(
            self.credentials is None
            or not isinstance(request.data, bytes)
            or not _PLAIN_HOST.fullmatch(host)
            or request.context.get("checksum")
            or not request.context.get("payload_signing_enabled", True)
            or _botocore_log.isEnabledFor(logging.DEBUG)
        )


def _by_name(headers: Any) -> dict[str, str] | None:  # noqa: ANN401 - botocore has no type hints
    """Return the headers to sign by their names in lower case; None if botocore has to sign."""
    found: dict[str, str] = {}
    for name, value in headers.raw_items():
        lower = name.lower()
        if lower in _UNSIGNED or lower == "authorization":
            continue
        if lower in found or lower == "date":
            return None
        found[lower] = value
    return found


def choose_signer(signature_version: object, **_: object) -> str | None:
    """Handle botocore's event `choose-signer`: use `Signer` in place of signature version 4."""
    return _NAME if signature_version == "v4" else None


cast("dict[str, Any]", AUTH_TYPE_MAPS)[_NAME] = Signer
