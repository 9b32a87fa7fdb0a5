"""Says whether a call is one of the first of a wait, or the last one, at its deadline."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

__all__ = ["first_calls", "is_first_call", "is_last_call", "last_call"]

_IS_FIRST: ContextVar[bool] = ContextVar("is_first_call", default=False)
_IS_LAST: ContextVar[bool] = ContextVar("is_last_call", default=False)


def last_call() -> AbstractContextManager[None]:
    """Mark the calls of the block: later would be too late for them."""
    return _marked(_IS_LAST)


def is_last_call() -> bool:
    """Whether the current call is marked as the last one."""
    return _IS_LAST.get()


def first_calls() -> AbstractContextManager[None]:
    """Mark the calls of the block: they are made before the polls of other waits."""
    return _marked(_IS_FIRST)


def is_first_call() -> bool:
    """Whether the current call is marked as one of the first."""
    return _IS_FIRST.get()


@contextmanager
def _marked(mark: ContextVar[bool]) -> Generator[None, None, None]:
    token = mark.set(True)
    try:
        yield
    finally:
        mark.reset(token)
