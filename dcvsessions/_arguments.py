"""Arguments, checked before anything is sent. Pure."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from dcvsessions.errors import InvalidArgumentError

__all__ = [
    "checked_boolean",
    "checked_choice",
    "checked_endpoint",
    "checked_identifier",
    "checked_identifiers",
    "checked_name",
    "checked_object",
    "checked_range",
    "checked_seconds",
    "checked_tags",
    "checked_text",
    "checked_token",
]

# The model says \w[\w\-]*\w. Lightsail's console also takes periods, so they are left to it.
_NAME = re.compile(r"\w[\w.\-]*\w", re.ASCII)
# The models give ids no pattern. Anything that would end the path segment that they
# are sent in, and white space, is a mistake for certain.
_IDENTIFIER = re.compile(r"[^\s/?#:%\\\x00-\x1f\x7f\ud800-\udfff]+")
# The model's length, and what survives the way in an HTTP header.
_TOKEN = re.compile(r"(?! )[\x20-\x7e]{1,64}(?<! )")
_ENDPOINT = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_SHOWN = 80


def checked_name(value: object, argument: str) -> str:
    """Return the name of a Lightsail resource.

    Args:
        value: The name.
        argument: The argument that it came in by, for the error.

    Raises:
        InvalidArgumentError: It cannot be one.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} cannot be the name of a Lightsail resource: two or more "
            "letters, digits, `_`, `-` and `.`, with a letter or digit at both ends."
        )
    return value


def checked_identifier(value: object, argument: str) -> str:
    """Return the id of something in Nimble Studio, or of a Lightsail operation.

    Args:
        value: The id.
        argument: The argument that it came in by, for the error.

    Raises:
        InvalidArgumentError: It cannot be one.
    """
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value) or set(value) == {"."}:
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} cannot be an id: it is empty, or has a character that no "
            "id has, as the `/` of a URL."
        )
    return value


def checked_identifiers(value: object, argument: str) -> str | None:
    """Return ids as one text with commas between, or None if none are given.

    Raises:
        InvalidArgumentError: It is neither such a text nor ids.
    """
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{argument}={_shown(value)} has to be ids, or a text of ids.")
    each = cast("Iterable[object]", value)
    return ",".join(checked_identifier(one, argument) for one in each)


def checked_token(value: object, argument: str = "client_token") -> str | None:
    """Return a client token, or None if none is given.

    Args:
        value: The token.
        argument: The argument that it came in by, for the error.

    Raises:
        InvalidArgumentError: It cannot be one.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be 1 to 64 characters of ASCII that can be "
            "printed, without a space at either end."
        )
    return value


def checked_tags(value: object, argument: str = "tags") -> dict[str, str] | None:
    """Return labels, or None if none are given.

    Args:
        value: The labels, by their keys.
        argument: The argument that they came in by, for the error.

    Raises:
        InvalidArgumentError: They are not texts by texts.
    """
    if value is None:
        return None
    refusal = InvalidArgumentError(f"{argument}={_shown(value)} has to be texts by their keys.")
    if not isinstance(value, Mapping):
        raise refusal
    tags = dict(cast("Mapping[object, object]", value))
    if not all(isinstance(text, str) for text in (*tags, *tags.values())):
        raise refusal
    return cast("dict[str, str]", tags)


def checked_choice(value: object, argument: str, choices: Sequence[str]) -> None:
    """Refuse what is not one of a few words.

    Args:
        value: The word.
        argument: The argument that it came in by, for the error.
        choices: What it may be.

    Raises:
        InvalidArgumentError: It is none of them.
    """
    if value not in choices:
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be one of {', '.join(map(repr, choices))}."
        )


def checked_boolean(value: object, argument: str) -> bool:
    """Return True or False.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{argument}={_shown(value)} has to be True or False.")
    return value


def checked_text(value: object, argument: str) -> str | None:
    """Return a text, or None if none is given.

    Raises:
        InvalidArgumentError: It is not a text, or is empty.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a text that is not empty."
        )
    return value


def checked_endpoint(value: object, argument: str = "endpoint_url") -> str | None:
    """Return the URL of an endpoint, or None if none is given.

    Raises:
        InvalidArgumentError: It is not an http or https URL with a host.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not _ENDPOINT.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a URL like https://host or http://127.0.0.1:8080."
        )
    return value


def checked_object(value: object, argument: str, method: str, wanted: str) -> None:
    """Refuse an object that cannot be what it has to be, because it lacks a method.

    Its class is not imported for this, because that takes long.

    Raises:
        InvalidArgumentError: It lacks the method.
    """
    if value is not None and not callable(getattr(value, method, None)):
        raise InvalidArgumentError(f"{argument}= has to be {wanted}, not {_shown(value)}.")


def checked_range(value: object, argument: str, low: int, high: int) -> int | None:
    """Return a whole number within limits, or None if none is given.

    Args:
        value: The number.
        argument: The argument that it came in by, for the error.
        low: The least that is allowed.
        high: The most that is allowed.

    Raises:
        InvalidArgumentError: It is not a whole number, or outside the limits.
    """
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a whole number from {low} to {high}."
        )
    return value


def checked_seconds(value: object, argument: str, *, zero: bool = True) -> float | None:
    """Return a number of seconds, or None for no limit.

    Args:
        value: The seconds; infinity means no limit too.
        argument: The argument that they came in by, for the error.
        zero: Whether 0 is allowed.

    Raises:
        InvalidArgumentError: It is not a number, is NaN, is negative, or is a zero that is not
            allowed.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgumentError(f"{argument}={_shown(value)} has to be seconds, or None.")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf if value > 0 else -math.inf
    if math.isnan(seconds) or seconds < 0 or (seconds == 0 and not zero):
        raise InvalidArgumentError(
            f"{argument}={seconds:g} has to be {'0 or more' if zero else 'more than 0'} seconds, "
            "or None for no limit."
        )
    return None if math.isinf(seconds) else seconds


def _shown(value: object) -> str:
    # A URL that was passed by mistake can hold a token: no query or fragment of it is shown.
    text = repr(value)
    shown = re.split(r"[?#]", text)[0][:_SHOWN]
    return text if shown == text else f"{shown}…"
