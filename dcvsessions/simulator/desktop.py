"""The desktops behind the URLs that are handed out: a page that stands for one."""

from __future__ import annotations

import hmac
import html
import urllib.parse
from typing import TYPE_CHECKING

from dcvsessions.simulator.messages import HttpReply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dcvsessions.simulator.world import Desktop

#: Where desktops live on the simulator, as a DCV server's ``weburlpath`` may be.
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


def make_url(endpoint_url: str, token: str, session_id: str) -> str:
    """Make the URL of a desktop, in the form of a DCV web client.

    Args:
        endpoint_url: Where the simulator serves, such as ``http://127.0.0.1:8080``.
        token: The secret.
        session_id: The DCV session id.

    Returns:
        ``http://host:port/desktop/?authToken=TOKEN#SESSION``.
    """
    return f"{endpoint_url}{PATH}?authToken={urllib.parse.quote(token)}#{session_id}"


def find(token: str, desktops: Iterable[Desktop]) -> Desktop | None:
    """Find the desktop that a token opens.

    Args:
        token: The token.
        desktops: The desktops that can be opened now.

    Returns:
        The desktop, or None.
    """
    wanted = token.encode("utf-8", "replace")
    fitting = (each for each in desktops if hmac.compare_digest(each.token.encode(), wanted))
    return next(fitting, None)


def read_token(query: str) -> str:
    """Read the token from the query of a URL.

    Args:
        query: The query string, percent-encoded.

    Returns:
        The token, empty if there is none.
    """
    return next(iter(urllib.parse.parse_qs(query).get("authToken", ())), "")


def render(query: str, desktops: Iterable[Desktop]) -> HttpReply:
    """Answer a request for a desktop.

    Args:
        query: The query string of the request.
        desktops: The desktops that can be opened now.

    Returns:
        A page that names the desktop, or 403 if the token opens none now.
    """
    desktop = find(read_token(query), desktops)
    if desktop is None:
        return _reply(403, "Access denied", "none")
    return _reply(200, desktop.title, desktop.session_id)


def _reply(status: int, title: str, session_id: str) -> HttpReply:
    page = _PAGE.format(title=html.escape(title), session_id=html.escape(session_id))
    return HttpReply(status, _HEADERS, page.encode())
