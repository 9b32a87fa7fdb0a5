"""Whether to try a list that saves single reads."""

from attrs import define, field

from dcvsessions._wait.outcome import is_absorbed
from dcvsessions.errors import DcvSessionsError

__all__ = ["Listing"]

# How often in a row a list may fail. After that, single reads take its place.
_MOST_FAILURES = 3


@define(eq=False, repr=False)
class Listing:
    """Counts how often a list fails, because the wait can do without it.

    Attributes:
        is_over: Whether to use single reads from now on.
    """

    is_over: bool = field(init=False, default=False)
    _failures: int = field(init=False, default=0)

    def succeeded(self) -> None:
        """Note a list that was read."""
        self._failures = 0

    def failed(self, error: DcvSessionsError) -> None:
        """Note a list that failed. If it is worth another try, raise the error again."""
        self._failures += 1
        if is_absorbed(error) and self._failures < _MOST_FAILURES:
            raise error
        # Listing needs another permission. If something else is wrong, the next single read will
        # show it.
        self.is_over = True
