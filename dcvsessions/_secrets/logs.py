"""Secrets masked in what botocore and aiohttp log on behalf of our calls.

At DEBUG botocore logs whole answers, with the DCV URLs in them, and whole requests, with the
session token and the signature. While a client of ours is open, such records are masked when they
are made, and hence for every handler, whenever and wherever it was added.

A log record factory is the one place that all loggers share: a filter on a logger does not see
its children's records, and a logger can be made at any time. A record that no level lets through
is never made, and so costs nothing here.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any

from dcvsessions._secrets.mask import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["install", "ours", "remove"]

_TREES = frozenset({"botocore", "aiobotocore", "aiohttp"})
_OURS: ContextVar[bool] = ContextVar("ours", default=False)


class _MaskingFactory:
    """Makes log records as the factory before it does, and masks those of our calls."""

    def __init__(self, previous: "Callable[..., logging.LogRecord]") -> None:
        self.previous = previous

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - logging's
        record = self.previous(*args, **kwargs)
        if _OURS.get() and record.name.partition(".")[0] in _TREES:
            _mask_record(record)
        return record


class _Clients:
    """Counts the open clients: the factory stands from the first to the last of them."""

    def __init__(self) -> None:
        self._lock = Lock()  # they may be in the loops of several threads
        self._count = 0

    def add(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                logging.setLogRecordFactory(_MaskingFactory(logging.getLogRecordFactory()))

    def drop(self) -> None:
        with self._lock:
            self._count -= 1
            factory = logging.getLogRecordFactory()
            # One that somebody put on top of ours stays, and calls ours, which then does nothing.
            if self._count == 0 and isinstance(factory, _MaskingFactory):
                logging.setLogRecordFactory(factory.previous)


_CLIENTS = _Clients()


def install() -> None:
    """Mask what is logged within `ours()`, until `remove()` was called as often as this.

    Call it when a client opens.

    Example:
        >>> install()
        >>> with ours():
        ...     logging.getLogger("botocore.endpoint").warning("aws_session_token=%s", "s3cr3t")
        >>> remove()
    """
    _CLIENTS.add()


def remove() -> None:
    """Undo one `install()`. The last one puts the log record factory back that was there before.

    Call it when a client closes.
    """
    _CLIENTS.drop()


@contextmanager
def ours() -> "Generator[None, None, None]":
    """Mark what is logged in this block, and in the tasks that it starts, as ours.

    Other users of botocore in the process are not concerned: their records stay as they are. It
    costs about a microsecond.
    """
    token = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(token)


def _mask_record(record: logging.LogRecord) -> None:
    record.msg = mask(_message(record))
    record.args = ()
    if record.exc_info:
        # Formatters append this text as it is. A handler that draws the locals of the frames
        # would draw secrets, and so gets no frames.
        record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        record.exc_info = None


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - logging must never break the call, whatever a repr raises
        return f"{record.msg} (its arguments do not fit)"
