"""Calls the caller's `on_progress`, and keeps its errors and delays from harming the wait."""

import asyncio
import inspect
import logging
from collections.abc import Callable

from dcvsessions.errors import InvalidArgumentError
from dcvsessions.progress import Progress

__all__ = ["Listener", "OnProgress"]

_log = logging.getLogger(__name__)

OnProgress = Callable[[Progress], object]
"""The type of `on_progress`: a function or coroutine function that takes a `Progress`."""


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
