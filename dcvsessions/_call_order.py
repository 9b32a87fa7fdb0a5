"""Says whether a call is one of the first of a wait, or the last one, at its deadline."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["first_calls", "is_first_call", "is_last_call", "last_call"]

_IS_FIRST: ContextVar[bool] = ContextVar("is_first_call", default=False)
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


@contextmanager
def first_calls() -> Generator[None, None, None]:
    """Mark the calls of the block: they are made before the polls of other waits."""
    _IS_FIRST.set(True)
    try:
        yield
    finally:
        _IS_FIRST.set(False)


def is_first_call() -> bool:
    """Whether the current call is marked as one of the first."""
    return _IS_FIRST.get()
