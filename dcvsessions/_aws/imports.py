"""Imports what an open client needs, in a thread.

Importing aiobotocore takes 200 ms, and cattrs 20 ms. So neither is imported with this package, and
the event loop goes on while they are.
"""

import asyncio
from importlib import import_module
from threading import Event

__all__ = ["import_now", "imported"]

_MODULES = ("convert", "errors", "session")
_IS_DONE = Event()


async def imported() -> None:
    """Wait until `import_now()` has run in this process.

    If the caller is cancelled, the thread goes on: the next client that opens waits for its end.
    """
    if not _IS_DONE.is_set():
        await asyncio.to_thread(import_now)


def import_now() -> None:
    """Import all of it: a process that runs out of file descriptors could import nothing later."""
    for module in _MODULES:
        import_module(f"dcvsessions._aws.{module}")
    _IS_DONE.set()
