"""What an error must not carry out of a place where secrets are plain text.

A traceback can be rendered with the local variables of its frames, and an error shows what it
was made from: aiohttp's hold the headers of the request, with its signature and session token.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from dcvsessions._secrets.mask import mask

__all__ = ["MaskedError", "strip", "stripped"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class MaskedError(Exception):
    """Stands in a chain for an error that shows a secret: its class and text, masked."""


def strip(error: BaseException, *, keep: BaseException | None = None) -> None:
    """Take the frames off an error and off all that stands behind it, and the secrets there.

    Args:
        error: The error, which is changed. Its own text stays as it is.
        keep: What was being handled before the place was entered: the caller's own, left alone.
    """
    # By identity, with what it was kept for: a freed error's identity can come again.
    places: dict[int, tuple[BaseException | None, BaseException | None]] = {
        id(None): (None, None),
        id(keep): (keep, keep),
    }
    pending = [error]
    while pending:
        link = pending.pop()
        link.__traceback__ = None
        behind = (link.__cause__, link.__context__)
        for each in (*behind, *getattr(link, "exceptions", ())):
            if each is not None and id(each) not in places:
                shown = _without_secrets(each)
                places[id(each)] = (each, shown)
                pending.append(shown)
        is_suppressed = link.__suppress_context__
        link.__cause__, link.__context__ = (places[id(each)][1] for each in behind)
        link.__suppress_context__ = is_suppressed


def stripped(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Let no error out of a function with the frames that it came through.

    It is a function, as context managers of contextlib give an error its frames back.

    Args:
        function: One that holds secrets in plain text. The `repr` of its arguments shows none.
    """

    @wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        outer = sys.exception()
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            strip(error, keep=outer)
            raise

    return call


def _without_secrets(error: BaseException) -> BaseException:
    text = f"{error}"
    shown = f"{text}\n{error!r}\n{vars(error)!r}"
    if mask(shown) == shown:
        return error
    masked = MaskedError(f"{type(error).__module__}.{type(error).__qualname__}: {mask(text)}")
    masked.__cause__, masked.__context__ = error.__cause__, error.__context__
    masked.__suppress_context__ = error.__suppress_context__
    return masked
