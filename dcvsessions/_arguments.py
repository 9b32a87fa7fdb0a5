"""Checks of arguments, which run before anything is sent. Pure.

Each function raises an error that names the argument, and most return the checked value.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from dcvsessions._secrets.mask import mask
from dcvsessions.errors import InvalidArgumentError

__all__ = [
    "checked_boolean",
    "checked_choice",
    "checked_endpoint",
    "checked_identifier",
    "checked_identifiers",
    "checked_items",
    "checked_name",
    "checked_names",
    "checked_object",
    "checked_range",
    "checked_seconds",
    "checked_tags",
    "checked_text",
    "checked_texts",
    "checked_token",
]

# The model says \w[\w\-]*\w. Lightsail's console also accepts periods, so they are allowed here.
_NAME = re.compile(r"\w[\w.\-]*\w", re.ASCII)
# The models give no pattern for ids. White space is certainly a mistake, and so is a character
# that would end the path segment of the request.
_IDENTIFIER = re.compile(r"[^\s/?#:%\\\x00-\x1f\x7f\ud800-\udfff]+")
# The length is from the model; the characters are those that an HTTP header can carry.
_TOKEN = re.compile(r"(?! )[\x20-\x7e]{1,64}(?<! )")
_SHOWN = 80


def checked_name(value: object, argument: str) -> str:
    """Check the name of a Lightsail resource."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} cannot be the name of a Lightsail resource: a name has "
            "two or more letters, digits, `_`, `-` and `.`, with a letter or digit at both ends."
        )
    return value


def checked_names(value: object, argument: str) -> tuple[str, ...]:
    """Check the names of several Lightsail resources. Each may come only once."""
    names = tuple(checked_name(one, argument) for one in checked_items(value, argument))
    if repeated := sorted(name for name, times in Counter(names).items() if times > 1):
        raise InvalidArgumentError(f"{argument}= has {', '.join(repeated)} more than once.")
    return names


def checked_items(value: object, argument: str) -> tuple[object, ...]:
    """Check that a value is a list or another iterable, and not a string."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{argument}={_shown(value)} has to be a list.")
    return tuple(cast("Iterable[object]", value))


def checked_identifier(value: object, argument: str) -> str:
    """Check an id of Nimble Studio, or of a Lightsail operation."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value) or set(value) == {"."}:
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} cannot be an id: it is empty, or has a character that no "
            "id has, such as `/` or a space."
        )
    return value


def checked_identifiers(value: object, argument: str) -> str | None:
    """Join ids with commas. A string is returned unchanged."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, Iterable):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a list of ids, or a string of ids with commas."
        )
    each = cast("Iterable[object]", value)
    return ",".join(checked_identifier(one, argument) for one in each)


def checked_token(value: object, argument: str = "client_token") -> str | None:
    """Check a client token; None is allowed."""
    if value is None:
        return None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be 1 to 64 printable ASCII characters, without a "
            "space at either end."
        )
    return value


def checked_tags(value: object, argument: str = "tags") -> dict[str, str] | None:
    """Check tags; None is allowed."""
    if value is None:
        return None
    refusal = InvalidArgumentError(f"{argument}={_shown(value)} has to map str to str.")
    if not isinstance(value, Mapping):
        raise refusal
    tags = dict(cast("Mapping[object, object]", value))
    if not all(isinstance(text, str) for text in (*tags, *tags.values())):
        raise refusal
    return cast("dict[str, str]", tags)


def checked_choice(value: object, argument: str, choices: Sequence[str]) -> None:
    """Check that a value is one of the choices."""
    if value not in choices:
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be one of {', '.join(map(repr, choices))}."
        )


def checked_boolean(value: object, argument: str) -> bool:
    """Check that a value is True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{argument}={_shown(value)} has to be True or False.")
    return value


def checked_text(value: object, argument: str) -> str | None:
    """Check that a value is a string that is not blank; None is allowed."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a string that is not empty."
        )
    return value


def checked_texts(value: object, argument: str) -> list[str] | None:
    """Return strings as a list of plain `str`, which botocore can serialise; None is allowed."""
    if value is None:
        return None
    refusal = InvalidArgumentError(
        f"{argument}={_shown(value)} has to be a list of strings that are not empty."
    )
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise refusal
    texts = list(cast("Iterable[object]", value))
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise refusal
    return [str(text) for text in texts]


def checked_endpoint(value: object, argument: str = "endpoint_url") -> str | None:
    """Check the URL of an endpoint; None is allowed."""
    if value is None:
        return None
    if not isinstance(value, str) or not _is_endpoint(value):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a URL like https://host or "
            "http://127.0.0.1:8080, without a user name."
        )
    return value


def _is_endpoint(url: str) -> bool:
    from urllib.parse import urlsplit  # noqa: PLC0415 - most programs give no endpoint

    try:
        parts = urlsplit(url)
        return bool(
            parts.scheme in ("http", "https")
            and parts.hostname
            and parts.username is None
            and parts.port != 0
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False


def checked_object(value: object, argument: str, method: str, wanted: str) -> None:
    """Check an object's type by one of its methods; None is allowed.

    Its class is not used, because importing it takes long.
    """
    if value is not None and not callable(getattr(value, method, None)):
        raise InvalidArgumentError(f"{argument}= has to be {wanted}, not {_shown(value)}.")


def checked_range(value: object, argument: str, low: int, high: int) -> int | None:
    """Check a whole number from `low` to `high`; None is allowed."""
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a whole number from {low} to {high}."
        )
    return value


def checked_seconds(value: object, argument: str, *, zero: bool = True) -> float | None:
    """Check a number of seconds; None and infinity mean no limit, and are returned as None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidArgumentError(
            f"{argument}={_shown(value)} has to be a number of seconds, or None."
        )
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
    # The value may be a URL, passed by mistake. Its query and fragment can hold a token.
    text = mask(repr(value)[: 10 * _SHOWN])
    shown = re.split(r"[?#]", text)[0][:_SHOWN]
    return text if shown == text else f"{shown}…"
