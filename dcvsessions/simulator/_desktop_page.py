"""The page behind each DCV URL, which takes the place of the desktop."""

import functools
import html
import importlib.resources
import secrets
from collections.abc import Iterable
from string import Template
from urllib.parse import parse_qs, quote

from attrs import field, frozen

from dcvsessions.simulator._protocol.messages import HttpResponse

__all__ = ["PATH", "Desktop", "desktop_url", "new_token", "response"]

# The path of every desktop. A DCV server may serve its web client below such a path as well.
PATH = "/desktop/"

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "connect-src 'self'"
    ),
}


@frozen(kw_only=True)
class Desktop:
    """A desktop that can be opened now.

    Attributes:
        service: The service whose desktop it is.
        title: The virtual computer or studio that it belongs to.
        shows: What is on it: an application, an operating system, or a streaming session.
        session_id: The DCV session id, which is the fragment of its URL.
        token: The secret that opens it; not in the `repr`.
        ends: The instant from which it cannot be opened; infinity for never.
    """

    service: str
    title: str
    shows: str
    session_id: str
    token: str = field(repr=False)
    ends: float


def new_token() -> str:
    """Return a secret for a DCV URL. The simulator's seed does not determine it."""
    return secrets.token_urlsafe(24)


def desktop_url(endpoint_url: str, token: str, session_id: str) -> str:
    """Return the URL of a desktop, in the form of DCV's web client."""
    return f"{endpoint_url}{PATH}?authToken={quote(token)}#{session_id}"


def response(query: str, desktops: Iterable[Desktop], now: float, speed: float) -> HttpResponse:
    """Answer a request for a desktop: its page, or 403 if the token opens no desktop now.

    Args:
        query: The query string of the request.
        desktops: The desktops that can be opened now.
        now: The current instant.
        speed: Simulated seconds per second.
    """
    token = next(iter(parse_qs(query).get("authToken", ())), "")
    desktop = {each.token: each for each in desktops}.get(token)
    if desktop is None:
        return _page(
            403,
            service="Access denied",
            title="No desktop here",
            shows="The session of this URL has ended, or there never was one.",
            session="",
            left="",
            speed="",
            note="To continue, ask the service for a new URL.",
        )
    return _page(
        200,
        service=desktop.service,
        title=desktop.title,
        shows=desktop.shows,
        session=f"DCV session {desktop.session_id}",
        left=str(desktop.ends - now),
        speed=str(speed),
        note="This is the simulator. The pixels of the desktop would be here.",
    )


def _page(status: int, **texts: str) -> HttpResponse:
    escaped = {name: html.escape(text) for name, text in texts.items()}
    return HttpResponse(status, _HEADERS, _template().substitute(escaped).encode())


@functools.cache
def _template() -> Template:
    page = importlib.resources.files("dcvsessions.simulator") / "desktop.html"
    return Template(page.read_text(encoding="utf-8"))
