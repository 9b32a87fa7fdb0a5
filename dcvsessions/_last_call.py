"""Says whether a call is the last one that a wait makes, at its deadline."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_last_call", "last_call"]

_IS_LAST: ContextVar[bool] = ContextVar("is_last_call", default=False)


@contextmanager
def last_call() -> Generator[None, None, None]:
    """Mark the calls of the block: they are made now, or not at all."""
    token = _IS_LAST.set(True)
    try:
        yield
    finally:
        _IS_LAST.reset(token)


def is_last_call() -> bool:
    """Whether the current call is marked."""
    return _IS_LAST.get()
