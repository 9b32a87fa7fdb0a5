"""Masks the secrets in what botocore and aiohttp log during this package's calls.

At DEBUG, botocore logs whole answers, with the DCV URLs in them, and whole requests, with the
session token and the signature. Each log record is masked when it is created, so every handler
gets the masked record. Masking ends when the last client is closed.

A log record factory does this, because all loggers share it: a filter on a logger does not see the
records of its child loggers, and a logger can be made at any time. If DEBUG is off, botocore
creates no such records, and masking costs nothing.
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

# Whether a call of this package is running. Tasks that it starts inherit the value. Records of
# other users of botocore in the process are not masked.
MASKED: ContextVar[bool] = ContextVar("MASKED", default=False)

_LOGGERS = frozenset({"botocore", "aiobotocore", "aiohttp"})


@contextmanager
def masking() -> "Generator[None, None, None]":
    """Mask the log records that are created in this block while `MASKED` is true.

    Each open client is in such a block. The first block in the process sets the log record
    factory, and the last one restores the factory from before.

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
    """Creates log records with the previous factory, and masks those of this package's calls."""

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
            # If somebody has set another factory since then, it stays. If it calls this one, that
            # masks nothing while `MASKED` is false.
            if self._count == 0 and isinstance(factory, _MaskingFactory):
                logging.setLogRecordFactory(factory.previous)


_OPEN_CLIENTS = _OpenClients()


def _mask_record(record: logging.LogRecord) -> None:
    record.msg = mask(_message(record))
    record.args = ()
    if record.exc_info:
        # Formatters append this text. The traceback is dropped, because a handler that shows local
        # variables would show secrets.
        record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        record.exc_info = None


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - logging must never break the call, whatever a repr raises
        return f"{record.msg} (its arguments do not fit)"
