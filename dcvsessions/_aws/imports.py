"""Imports what an open client needs, in a thread.

Importing aiobotocore takes 200 ms, and cattrs 20 ms. So neither is imported with this package, and
the event loop goes on while they are.
"""

import asyncio
from importlib import import_module
from threading import Event

__all__ = ["import_now", "imported"]

_IS_DONE = Event()


async def imported() -> None:
    """Wait until `import_now()` has run in this process.

    If the caller is cancelled, the thread goes on, and the next client that opens waits for it.
    """
    if not _IS_DONE.is_set():
        await asyncio.to_thread(import_now)


def import_now() -> None:
    """Import all of it, and read what all clients share.

    A process that runs out of file descriptors could import nothing later.
    """
    for module in ("convert", "errors"):
        import_module(f"dcvsessions._aws.{module}")
    from dcvsessions._aws.session import prepare  # noqa: PLC0415 - see above

    prepare()
    _IS_DONE.set()
