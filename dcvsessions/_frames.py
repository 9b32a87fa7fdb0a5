"""Short tracebacks: they show the caller's lines, and not ours.

Between a helper and the call that fails there are some 20 frames of this package, tenacity and
asyncio. They tell a user nothing that the text of the error does not say.
"""

import logging
from traceback import format_exception
from types import TracebackType

from dcvsessions._secrets.mask import mask
from dcvsessions.errors import DcvSessionsError

__all__ = ["hide_frames"]

_log = logging.getLogger(__name__)

# This package, and what calls it on the way from a helper to a failure.
_HIDDEN = frozenset({"asyncio", "concurrent", "contextlib", "dcvsessions", "tenacity"})


def hide_frames(error: BaseException | None) -> None:
    """Remove the frames of a helper from an error of this package, and log them at DEBUG.

    Call it in the helper's outermost `__aexit__` or `except`, and let Python raise the error again
    with a bare `raise`, or without one. Python then adds the frames of the callers, and not the
    helper's. If the error comes from a block of the caller, the frames from there on stay. Other
    errors keep all frames, because they are bugs.
    """
    if not isinstance(error, DcvSessionsError):
        return
    if _log.isEnabledFor(logging.DEBUG):
        # As text, because a log that keeps its records would keep the frames alive. Masked, because
        # the context can be an error of the caller, with a URL in its text.
        _log.debug("The whole traceback: %s", mask("".join(format_exception(error))))
    error.__traceback__ = _callers_part(error.__traceback__)


def _callers_part(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and _is_hidden(traceback):
        traceback = traceback.tb_next
    return traceback


def _is_hidden(traceback: TracebackType) -> bool:
    module = str(traceback.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] in _HIDDEN
