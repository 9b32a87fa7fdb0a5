"""Who may use the admin interface: a program with its token, but no web page. Pure."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping

__all__ = ["has_token", "is_of_a_web_page"]

# The `Sec-Fetch-Site` of a request that the user made, or a page of the same origin.
_OWN_SITES = frozenset({"", "none", "same-origin"})


def is_of_a_web_page(headers: Mapping[str, str], host: str) -> bool:
    """Tell whether a request may come from a web page other than the interface's own.

    Browsers add an `Origin` to requests that can change something, and `Sec-Fetch-Site` to the
    others. If an attacker's host name resolves to this machine, the `Host` header has that name.

    Args:
        headers: The headers of the request.
        host: The host and port of the interface.
    """
    return (
        "origin" in headers
        or headers.get("sec-fetch-site", "") not in _OWN_SITES
        or headers.get("host") != host
    )


def has_token(authorization: str, token: str) -> bool:
    """Tell whether an `Authorization` header holds the token.

    Args:
        authorization: `Bearer` and the token, or `Basic` with the token as password, which is
            what a browser asks its user for.
        token: The token.
    """
    scheme, _, credentials = authorization.partition(" ")
    sent = credentials.strip()
    if scheme.lower() == "basic":
        sent = _password(sent)
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(sent.encode(), token.encode())


def _password(credentials: str) -> str:
    try:
        return b64decode(credentials, validate=True).decode().partition(":")[2]
    except (ValueError, binascii.Error):
        return ""
