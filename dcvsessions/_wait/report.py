"""What happened in one call of a helper, for its errors. Pure."""

from collections import Counter

from dcvsessions._wait.decisions import Failed
from dcvsessions.errors import (
    ApiError,
    DcvSessionsError,
    ErrorAbsorbed,
    StateSeen,
    WaitFailedError,
    WaitReport,
)

__all__ = ["Report", "brief"]

# Entries. Without a limit, a wait without a deadline would need more and more memory.
_LONGEST_HISTORY = 1000


class Report:
    """The record of one call of a helper: its polls, states and absorbed errors.

    Attributes:
        polls: How often each resource was read.
    """

    def __init__(self) -> None:
        self.polls: Counter[str] = Counter()
        self._history: list[StateSeen | ErrorAbsorbed] = []
        self._last: StateSeen | None = None
        self._states: dict[str, str] = {}

    def state_of(self, resource: str) -> str | None:
        """Return the state of the latest reading of a resource."""
        return self._states.get(resource)

    def saw(self, resource: str, state: str, elapsed: float) -> None:
        """Record a state, if it differs from the one before."""
        self._states[resource] = state
        last = self._last
        if last is None or (last.resource, last.state) != (resource, state):
            self._last = StateSeen(resource=resource, state=state, elapsed=elapsed)
            self._add(self._last)

    def absorbed(self, error: str, elapsed: float) -> None:
        """Record an error that does not end the wait, or count it if it is the same as before."""
        last = self._history[-1] if self._history else None
        if isinstance(last, ErrorAbsorbed) and last.error == error:
            self._history[-1] = ErrorAbsorbed(
                error=error, elapsed=last.elapsed, times=last.times + 1
            )
        else:
            self._add(ErrorAbsorbed(error=error, elapsed=elapsed))

    def _add(self, entry: StateSeen | ErrorAbsorbed) -> None:
        self._history.append(entry)
        del self._history[:-_LONGEST_HISTORY]

    def failed(
        self, failure: Failed, resource: str, awaited: str, elapsed: float
    ) -> DcvSessionsError:
        """Return the error for a decision that the goal cannot be reached."""
        if failure.error is not None:
            self.add_to(failure.error, resource, awaited, elapsed)
            return failure.error
        return WaitFailedError(failure.reason, self.of(resource, awaited, elapsed), failure.details)

    def of(self, resource: str, awaited: str, elapsed: float) -> WaitReport:
        """Return the report for an error."""
        return WaitReport(
            resource=resource,
            awaited=awaited,
            elapsed=elapsed,
            polls=self.polls.total(),
            history=tuple(self._history),
        )

    def add_to(self, error: DcvSessionsError, resource: str, awaited: str, elapsed: float) -> None:
        """Add a note to the error of a call: what the wait was for, and what happened in it."""
        report = self.of(resource, awaited, elapsed)
        note = f"While waiting for {resource} to be {awaited}, {report.duration}. {report.events}"
        error.add_note(note.rstrip())


def brief(error: DcvSessionsError) -> str:
    """Return the text of an error without its request id, so that a repeat has the same text."""
    if isinstance(error, ApiError):
        return f"{error.operation}: {error.code} (HTTP {error.http_status})"
    return str(error)
