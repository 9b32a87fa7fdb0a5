"""What a script can make of a request: answer anything, with or without taking effect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AMZ_JSON = "application/x-amz-json-1.1"
HTML = b"<html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Do:
    """What happens to one request.

    Attributes:
        takes_effect: Whether the service carries it out.
        reply: What is answered: the service's own answer (None), another, or one made of it.
        before: Seconds from its arrival to its effect.
        after: Seconds from its effect to the answer.
        sending: How the answer is sent.
        every: Seconds between two bytes, for `dripping`.
    """

    takes_effect: bool = True
    reply: Reply | Callable[[Reply], Reply] | None = None
    before: float = 0.0
    after: float = 0.0
    sending: Literal["whole", "truncated", "dripping", "dropped", "never"] = "whole"
    every: float = 0.0


PROPERLY = Do()


def replied(
    status: int,
    body: bytes | str | dict[str, Any] | list[Any] = b"",
    headers: Mapping[str, str] | None = None,
    *,
    effect: bool = False,
) -> Do:
    """Answer with this, whatever the service would have said."""
    kind = "text/html"
    if isinstance(body, dict | list):
        kind, body = AMZ_JSON, json.dumps(body)
    content = body.encode() if isinstance(body, str) else body
    reply = Reply(status, {"content-type": kind, **(headers or {})}, content)
    return Do(takes_effect=effect, reply=reply)


def refused(
    code: str,
    status: int = 400,
    message: str = "",
    headers: Mapping[str, str] | None = None,
    *,
    effect: bool = False,
) -> Do:
    """Answer with an error as both services send one: the code is in the header and the body."""
    body = {"__type": code, "code": code, "message": message}
    return replied(status, body, {"x-amzn-errortype": code, **(headers or {})}, effect=effect)


def redirected(to: str, status: int = 307, *, effect: bool = False) -> Do:
    """Point to another place."""
    return replied(status, b"", {"location": to}, effect=effect)


def mangled(change: Callable[[dict[str, Any]], object]) -> Do:
    """Answer properly, but for what `change` does to the members in place."""

    def changed(proper: Reply) -> Reply:
        members = json.loads(proper.body)
        change(members)
        # allow_nan: a percentage of 1e400 is written as the number that it is.
        body = json.dumps(members).replace("Infinity", "1e400").encode()
        return Reply(proper.status, proper.headers, body)

    return Do(reply=changed)


def lost(*, effect: bool = True) -> Do:
    """Cut the connection, before or after the request took effect."""
    return Do(takes_effect=effect, sending="dropped")


def never(*, effect: bool = True) -> Do:
    """Leave the request without an answer, on an open connection."""
    return Do(takes_effect=effect, sending="never")


def truncated(*, effect: bool = True) -> Do:
    """Close the connection in the middle of the answer's body."""
    return Do(takes_effect=effect, sending="truncated")


def dripping(every: float, *, effect: bool = True) -> Do:
    """Answer properly, one byte at a time."""
    return Do(takes_effect=effect, sending="dripping", every=every)


def delayed(before: float = 0.0, after: float = 0.0) -> Do:
    """Answer properly, but late."""
    return Do(before=before, after=after)
