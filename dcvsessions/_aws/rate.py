"""How many calls per second the service grants, as its answers show. Pure.

Nobody can ask AWS for the limit, and other programs of the account use it too. So the rate is
unlimited until the service throttles a call. Then it falls below what the service accepted, climbs
back slowly, and goes higher if the service refuses nothing. It climbs along the curve of CUBIC (RFC
9438), but counts accepted calls instead of time, so that the curve is the same for 5 calls per
second and for 5,000.
"""

from collections import deque

from attrs import define, field

__all__ = ["Rate"]

# Seconds over which accepted calls are counted.
_WINDOW = 1.0
# By how much the rate falls below what was accepted.
_FALL = 0.8
# How steeply it climbs, per second cubed. It is back after 2.9 s, and doubled after 7.9 s.
_CLIMB = 0.008
_BACK = ((1 - _FALL) / _CLIMB) ** (1 / 3)
# Calls per second. At a lower rate, it would take too long to find out that the service grants
# more.
_LEAST = 1.0
# After a pause, the calls of this many seconds may be sent at once.
_BURST = 0.1
_ROUNDING = 1e-6
# Seconds. If an answer asks for a longer pause, the client still waits only this long.
_LONGEST_PAUSE = 60.0


@define(eq=False, repr=False)
class Rate:
    """The rate of one client's calls.

    Attributes:
        limit: Calls per second; None until the service refuses a call.
        is_free: Whether the service has neither refused a call nor asked for a pause so far.
    """

    is_free: bool = field(init=False, default=True)
    limit: float | None = field(init=False, default=None)
    _accepted: deque[float] = field(init=False, factory=deque[float])
    # The rate that the service accepted when it last refused a call, and the age of that, in
    # seconds at the limit: each accepted call adds one interval.
    _granted: float = field(init=False, default=0.0)
    _age: float = field(init=False, default=0.0)
    _lowered_at: float = field(init=False, default=float("-inf"))
    _paused_until: float = field(init=False, default=float("-inf"))
    _tokens: float = field(init=False, default=0.0)
    _filled_at: float = field(init=False, default=0.0)

    def wait(self, now: float, *, is_held: bool = True) -> float:
        """Return the seconds until a call may be sent; 0 for now.

        `is_held` says whether a pause holds it. The last call of a wait is not held, because it may
        be the one that deletes a session.
        """
        if is_held and self.is_paused(now):
            return self._paused_until - now
        if self.limit is None:
            return 0.0
        self._fill(now)
        missing = 1.0 - self._tokens
        return missing / self.limit if missing > _ROUNDING else 0.0

    def sent(self) -> None:
        """Count a call that is sent."""
        if self.limit is not None:
            self._tokens -= 1.0

    def accepted(self, now: float, *, is_full: bool) -> None:
        """Count a call that the service did not throttle.

        `is_full` says that other calls wait for their turn. If none do, the rate is not used up,
        and nobody knows whether the service grants more.
        """
        self._accepted.append(now)
        self._forget(now)
        if self.limit is not None and is_full:
            self._fill(now)
            self._age += 1.0 / self.limit
            self.limit = self._granted * (1.0 + _CLIMB * (self._age - _BACK) ** 3)

    def throttled(self, now: float, sent_at: float) -> None:
        """Lower the rate after a call that the service throttled.

        A call that was sent before the rate last fell says nothing about the rate since then.
        """
        if sent_at < self._lowered_at:
            return
        self.is_free = False
        self._forget(now)
        self._granted = max(len(self._accepted) / _WINDOW, _LEAST)
        self._age = 0.0
        self._lowered_at = now
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)
        self.limit = self._granted * _FALL

    def pause(self, now: float, seconds: float) -> None:
        """Send nothing for some seconds, because the service asked for it."""
        self.is_free = False
        self._paused_until = max(self._paused_until, now + min(seconds, _LONGEST_PAUSE))

    def is_paused(self, now: float) -> bool:
        """Whether a pause that the service asked for is not over yet."""
        return now < self._paused_until

    def _fill(self, now: float) -> None:
        if self.limit is not None:
            most = max(1.0, self.limit * _BURST)
            self._tokens = min(most, self._tokens + (now - self._filled_at) * self.limit)
        self._filled_at = now

    def _forget(self, now: float) -> None:
        while self._accepted and self._accepted[0] <= now - _WINDOW:
            self._accepted.popleft()
