"""Secrets masked in what botocore and aiohttp log on behalf of our calls.

At DEBUG botocore logs whole answers, with the DCV URLs in them, and whole requests, with the
session token and the signature. Each log record is masked when it is created, and hence for every
handler, whenever and wherever it was added. Masking ends when the last client is closed.

It is done by a log record factory, the one place that all loggers share: a filter on a logger does
not see the records of its children, and a logger can be made at any time. A record that no level
lets through is never created, and so costs nothing here.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any

from dcvsessions._secrets.mask import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["MASKED", "masking"]

# Whether what runs now is a call of ours. Tasks that it starts inherit it. Records of other users
# of botocore in the process stay readable.
MASKED: ContextVar[bool] = ContextVar("MASKED", default=False)

_LOGGERS = frozenset({"botocore", "aiobotocore", "aiohttp"})


@contextmanager
def masking() -> "Generator[None, None, None]":
    """Let records be masked that are created in this block while `MASKED` is true.

    Each client holds one such block as long as it is open. The first of them, of all threads, sets
    the log record factory, and the last puts the one before it back.

    Example:
        >>> with masking():
        ...     token = MASKED.set(True)
        ...     logging.getLogger("botocore.endpoint").warning("aws_session_token=%s", "s3cr3t")
        ...     MASKED.reset(token)
    """
    _OPEN_CLIENTS.add()
    try:
        yield
    finally:
        _OPEN_CLIENTS.remove()


class _MaskingFactory:
    """Creates log records as the factory before it does, and masks those of our calls."""

    def __init__(self, previous: "Callable[..., logging.LogRecord]") -> None:
        self.previous = previous

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - logging's
        record = self.previous(*args, **kwargs)
        if MASKED.get() and record.name.partition(".")[0] in _LOGGERS:
            _mask_record(record)
        return record


class _OpenClients:
    """Counts the open clients, which may be in the event loops of several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0

    def add(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                logging.setLogRecordFactory(_MaskingFactory(logging.getLogRecordFactory()))

    def remove(self) -> None:
        with self._lock:
            self._count -= 1
            factory = logging.getLogRecordFactory()
            # If somebody set another factory since, that one stays. It calls ours, which masks
            # nothing while `MASKED` is false.
            if self._count == 0 and isinstance(factory, _MaskingFactory):
                logging.setLogRecordFactory(factory.previous)


_OPEN_CLIENTS = _OpenClients()


def _mask_record(record: logging.LogRecord) -> None:
    record.msg = mask(_message(record))
    record.args = ()
    if record.exc_info:
        # Formatters append this text. The frames go, because a handler that shows their local
        # variables would show secrets.
        record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        record.exc_info = None


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - logging must never break the call, whatever a repr raises
        return f"{record.msg} (its arguments do not fit)"
