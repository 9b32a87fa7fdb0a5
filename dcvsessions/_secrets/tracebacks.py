"""Removes secrets from errors before a caller sees them.

A traceback can be shown with the local variables of its frames, and aiohttp's errors hold the
headers of the request, with its signature and session token. The variables are cleared. The frames
stay, so that a traceback still shows where the error came from.
"""

import sys
from collections.abc import Callable
from functools import wraps
from traceback import clear_frames
from typing import ParamSpec, TypeVar

from dcvsessions._secrets.mask import mask, plain_text

__all__ = ["MaskedError", "errors_without_secrets", "remove_secrets"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# Characters. An error with a longer text is replaced: masking the text would stall the event loop.
_LONGEST = 100_000


class MaskedError(Exception):
    """Replaces a cause or context that shows a secret. It has its class name and masked text."""


def remove_secrets(error: BaseException, *, keep: BaseException | None = None) -> None:
    """Clear the frames of an error and its causes, and replace the causes that show a secret.

    A frame that still runs cannot be cleared, so call this from outside the functions that hold
    secrets.

    Args:
        error: The error, which is changed. Its own text stays.
        keep: The error that the caller was handling before the call. It is not changed.
    """
    # The errors are kept beside their ids, because the id of a freed error can be used again.
    replaced: dict[int, tuple[BaseException | None, BaseException | None]] = {
        id(None): (None, None),
        id(keep): (keep, keep),
    }
    pending = [error]
    while pending:
        link = pending.pop()
        clear_frames(link.__traceback__)
        behind = (link.__cause__, link.__context__)
        for each in (*behind, *getattr(link, "exceptions", ())):
            if each is not None and id(each) not in replaced:
                shown = _without_secrets(each)
                replaced[id(each)] = (each, shown)
                pending.append(shown)
        is_suppressed = link.__suppress_context__
        link.__cause__, link.__context__ = (replaced[id(each)][1] for each in behind)
        link.__suppress_context__ = is_suppressed


def errors_without_secrets(
    function: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """Decorate a function that holds a secret in a local variable, to clean its errors.

    The `repr` of its arguments must not show a secret.
    """

    @wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        outer = sys.exception()
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            remove_secrets(error, keep=outer)
            raise

    return call


def _without_secrets(error: BaseException) -> BaseException:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    try:
        text = str(error)
        shown = f"{text}\n{error!r}\n{vars(error)!r}"
    except Exception:  # noqa: BLE001 - a foreign error's repr can raise anything
        text, shown = "", None
    if shown is not None and len(shown) <= _LONGEST and mask(shown) == shown:
        return error
    masked = MaskedError(f"{name}: {plain_text(text)}")
    masked.__cause__, masked.__context__ = error.__cause__, error.__context__
    masked.__suppress_context__ = error.__suppress_context__
    return masked.with_traceback(error.__traceback__)
