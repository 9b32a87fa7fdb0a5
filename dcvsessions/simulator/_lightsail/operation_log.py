"""Lightsail's operations: one for each request that changed something."""

import math
from collections import OrderedDict

from attrs import evolve

from dcvsessions.simulator._environment import Environment
from dcvsessions.simulator._lightsail.resources import OperationRecord
from dcvsessions.simulator._time.timeline import Timeline, rounded

__all__ = ["OperationLog"]

# More operations than a page holds: 200 is the documented maximum.
_LIMIT = 1000


class OperationLog:
    """The latest operations, oldest first."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._count = 0
        self._records: OrderedDict[str, OperationRecord] = OrderedDict()

    def get(self, operation_id: str) -> OperationRecord | None:
        """Return an operation, or None if there is no such one (any more)."""
        return self._records.get(operation_id)

    def all(self) -> list[OperationRecord]:
        """Return the operations that are kept, oldest first."""
        return list(self._records.values())

    def add_for_transition(
        self, operation_type: str, instance_name: str, timeline: Timeline, goal: str
    ) -> OperationRecord:
        """Record an operation that ends together with its transition.

        Args:
            operation_type: The operation type.
            instance_name: The instance.
            timeline: The timeline that begins with the transition.
            goal: The state that means success; in any other end state the operation fails.
        """
        if len(timeline.phases) == 1:  # the transition never ends
            return self.add(operation_type, instance_name, math.inf)
        end = timeline.phases[1]
        if end.state == goal:
            return self.add(operation_type, instance_name, end.begins)
        return self.add(
            operation_type,
            instance_name,
            end.begins,
            error_code=end.code or "OperationFailed",
            error_details=end.message,
        )

    def add(
        self,
        operation_type: str,
        instance_name: str,
        ends: float,
        *,
        error_code: str | None = None,
        error_details: str | None = None,
    ) -> OperationRecord:
        """Record an operation.

        Args:
            operation_type: The operation type.
            instance_name: The instance.
            ends: The instant at which it is terminal.
            error_code: The error code if it fails; None if it succeeds.
            error_details: The details of the error.
        """
        now = self._environment.clock.now()
        self._count += 1
        record = OperationRecord(
            number=self._count,
            id=self._environment.uuid(),
            type=operation_type,
            resource_name=instance_name,
            created=now,
            begins=min(rounded(now + self._environment.duration("operation_queue")), ends),
            ends=ends,
            error_code=error_code,
            error_details=error_details,
        )
        self._records[record.id] = record
        while len(self._records) > _LIMIT:
            self._records.popitem(last=False)
        return record

    def cancel(self, operation_id: str, *, cancelled_by: str) -> None:
        """Let an operation fail now, if it is running."""
        self._end(
            operation_id,
            self._environment.clock.now(),
            error_code="OperationCancelled",
            error_details=f"Ended by {cancelled_by}",
        )

    def hold(self, operation_id: str) -> None:
        """Let an operation never end, if it is running."""
        self._end(operation_id, math.inf)

    def _end(
        self,
        operation_id: str,
        ends: float,
        *,
        error_code: str | None = None,
        error_details: str | None = None,
    ) -> None:
        record = self._records.get(operation_id)
        if record is not None and self._environment.clock.now() < record.ends:
            self._records[operation_id] = evolve(
                record, ends=ends, error_code=error_code, error_details=error_details
            )
