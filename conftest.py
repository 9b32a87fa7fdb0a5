"""What the tests and the examples share."""

import asyncio

# looptime asks for the event loop in tests that are not async, too. Without this, the first of
# them would get a new loop that nobody closes.
asyncio.set_event_loop(None)
