"""A second fake of both services, for tests that must not trust the simulator.

It shares no code with `dcvsessions.simulator`: HTTP/1.1 is read and written by hand on asyncio's
streams, and a script decides for each request what happens to it. `service` holds the two state
machines and `answers` what a script can answer.
"""

from second_fake.answers import (
    PROPERLY,
    Do,
    Reply,
    delayed,
    dripping,
    lost,
    mangled,
    never,
    redirected,
    refused,
    replied,
    truncated,
)
from second_fake.clock import Clock
from second_fake.service import Elsewhere, Service
from second_fake.wire import Request

__all__ = [
    "PROPERLY",
    "Clock",
    "Do",
    "Elsewhere",
    "Reply",
    "Request",
    "Service",
    "delayed",
    "dripping",
    "lost",
    "mangled",
    "never",
    "redirected",
    "refused",
    "replied",
    "truncated",
]
