"""Imports what an open client needs, in a thread.

Importing aiobotocore takes 200 ms, and cattrs 20 ms. So this package imports neither of them before
a client opens. A thread imports them then, so that the event loop goes on.
"""

import asyncio
from importlib import import_module
from threading import Event

__all__ = ["import_now", "imported"]

_IS_DONE = Event()


async def imported() -> None:
    """Wait until `import_now()` has run in this process.

    If the caller is cancelled, the thread continues, and the next client that opens waits for it.
    """
    if not _IS_DONE.is_set():
        await asyncio.to_thread(import_now)


def import_now() -> None:
    """Import everything, and read what all clients share.

    Nothing is left for later, because a process that has run out of file descriptors cannot import.
    """
    for module in ("convert", "errors"):
        import_module(f"dcvsessions._aws.{module}")
    from dcvsessions._aws.session import prepare  # noqa: PLC0415 - see above

    prepare()
    _IS_DONE.set()
