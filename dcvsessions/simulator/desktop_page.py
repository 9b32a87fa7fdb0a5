"""The page behind each DCV URL: it stands for the desktop. Pure but for the random token."""

import html
import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, quote

from attrs import field, frozen

from dcvsessions.simulator.protocol.messages import HttpResponse

__all__ = ["PATH", "Desktop", "desktop_url", "new_token", "response"]

# The path of every desktop. A DCV server may serve its web client below such a path, too.
PATH = "/desktop/"

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>DCV session <code>{session_id}</code></p></body>
</html>
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@frozen(kw_only=True)
class Desktop:
    """A desktop that can be opened now.

    Attributes:
        title: The virtual computer or streaming session that it belongs to.
        session_id: The DCV session id, which is the fragment of its URL.
        token: The secret that opens it; not in the `repr`.
    """

    title: str
    session_id: str
    token: str = field(repr=False)


def new_token() -> str:
    """Return a secret for a DCV URL. The simulator's seed does not determine it."""
    return secrets.token_urlsafe(24)


def desktop_url(endpoint_url: str, token: str, session_id: str) -> str:
    """Return the URL of a desktop, in the form of DCV's web client."""
    return f"{endpoint_url}{PATH}?authToken={quote(token)}#{session_id}"


def response(query: str, desktops: Iterable[Desktop]) -> HttpResponse:
    """Answer a request for a desktop: its page, or 403 if the token opens no desktop now.

    Args:
        query: The query string of the request.
        desktops: The desktops that can be opened now.
    """
    token = next(iter(parse_qs(query).get("authToken", ())), "")
    desktop = {each.token: each for each in desktops}.get(token)
    if desktop is None:
        return _page(403, "Access denied", "none")
    return _page(200, desktop.title, desktop.session_id)


def _page(status: int, title: str, session_id: str) -> HttpResponse:
    text = _PAGE.format(title=html.escape(title), session_id=html.escape(session_id))
    return HttpResponse(status, _HEADERS, text.encode())
