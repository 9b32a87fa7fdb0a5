"""An event loop in virtual time, for tests that run one themselves."""

import asyncio

import looptime


def new_virtual_loop() -> asyncio.AbstractEventLoop:
    """Make a loop that waits for its threads when it is closed.

    Since Python 3.12, a runner gives them 300 s. In virtual time these pass at once.
    """
    loop = looptime.new_event_loop()
    shut_down = loop.shutdown_default_executor
    loop.shutdown_default_executor = lambda _timeout=None: shut_down()
    return loop
