"""Sends the events of a wait to the log and to the caller's `on_progress`.

If `on_progress` fails or takes too long, the wait goes on.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from itertools import count

from attrs import evolve

from dcvsessions.errors import InvalidArgumentError
from dcvsessions.progress import BatchProgress, Progress, is_news

__all__ = ["BatchListener", "Listener", "OnProgress", "log_news", "logs_news"]

_log = logging.getLogger(__name__)
# The logger that the documentation names.
_news = logging.getLogger("dcvsessions")

_BATCH_NUMBERS = count(1)

OnProgress = Callable[[Progress], object]
"""The type of `on_progress`: a function or coroutine function that takes a `Progress`."""


def logs_news() -> bool:
    """Whether the logger `dcvsessions` is enabled for INFO."""
    return _news.isEnabledFor(logging.INFO)


def log_news(event: Progress, last: Progress | None) -> Progress:
    """Log an event if it says more than the last one that was logged. Return the new last one."""
    if last is not None and not is_news(event, last):
        return last
    _news.info("%s", event)
    return event


class Listener:
    """The caller's `on_progress`.

    Raises:
        InvalidArgumentError: It is not callable.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        if not callable(on_progress):
            raise InvalidArgumentError("on_progress= has to be a function that takes a Progress.")
        self._on_progress = on_progress
        self._has_failed = False

    def of_batch(self, name: str, total: int) -> "BatchListener":
        """Return a listener for the same callable, in a call for many desktops."""
        return BatchListener(self._on_progress, name=name, total=total)

    async def tell(self, event: Progress, until: float | None) -> None:
        """Call the callable, and await what it returns if that is awaitable.

        The first exception is logged with its traceback, and later ones are not. An awaitable is
        cut off at `until`, on the event loop's clock.
        """
        limit = asyncio.timeout_at(until)
        try:
            async with limit:
                told = self._on_progress(event)
                if inspect.isawaitable(told):
                    await told
        except Exception as error:  # noqa: BLE001 - the caller's callable must not end the wait
            if isinstance(error, TimeoutError) and limit.expired():
                self._warn("on_progress did not return before the deadline.", error)
            else:
                self._warn("on_progress failed. The wait goes on.", error)

    def _warn(self, message: str, error: Exception) -> None:
        if not self._has_failed:
            self._has_failed = True
            _log.warning("%s", message, exc_info=error)


class BatchListener(Listener):
    """The caller's `on_progress` in a call for many desktops: it is also told how many are done."""

    def __init__(self, on_progress: OnProgress, *, name: str, total: int) -> None:
        super().__init__(on_progress)
        self._batch = BatchProgress(number=next(_BATCH_NUMBERS), name=name, total=total)
        self._done: set[int] = set()
        self._failed: set[int] = set()

    async def tell(self, event: Progress, until: float | None) -> None:
        """Call the callable with an event of one of the desktops."""
        if event.is_done:
            self._done.add(event.wait)
        counted = evolve(self._batch, done=len(self._done), failed=len(self._failed))
        await super().tell(evolve(event, batch=counted), until)

    async def tell_failure(self, event: Progress, until: float | None) -> None:
        """Call the callable with the last event of a desktop that failed."""
        self._done.discard(event.wait)
        self._failed.add(event.wait)
        await self.tell(event, until)
