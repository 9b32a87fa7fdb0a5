"""The operations of Lightsail: one for each request that changed something."""

from __future__ import annotations

import collections
import math
from typing import TYPE_CHECKING

import attrs

from dcvsessions.simulator.computer import OperationRecord
from dcvsessions.simulator.timeline import exact

if TYPE_CHECKING:
    from dcvsessions.simulator.timeline import Timeline
    from dcvsessions.simulator.world import World

#: More than a list of operations ever showed: 200 is its documented maximum.
_KEPT = 1000


class OperationLog:
    """The operations, oldest first; the oldest are forgotten beyond a number.

    Args:
        world: The surroundings.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0
        self._records: collections.OrderedDict[str, OperationRecord] = collections.OrderedDict()

    def get(self, identifier: str) -> OperationRecord | None:
        """Look up an operation.

        Args:
            identifier: Its id.

        Returns:
            The operation; None if there is none, or it is forgotten.
        """
        return self._records.get(identifier)

    def all(self) -> list[OperationRecord]:
        """List the operations.

        Returns:
            Those that are remembered, oldest first.
        """
        return list(self._records.values())

    def follow(self, operation: str, name: str, plan: Timeline, goal: str) -> OperationRecord:
        """Record an operation that ends when the transition that it started does.

        Args:
            operation: The operation type.
            name: The computer.
            plan: The timeline that begins with the transition.
            goal: The state that it is meant to reach; in any other end the operation fails.

        Returns:
            The operation.
        """
        if len(plan.phases) == 1:  # it never ends
            return self.add(operation, name, math.inf)
        end = plan.phases[1]
        if end.state == goal:
            return self.add(operation, name, end.begins)
        code = end.code or "OperationFailed"
        return self.add(operation, name, end.begins, error_code=code, error_details=end.message)

    def add(
        self,
        operation: str,
        name: str,
        ends: float,
        *,
        error_code: str | None = None,
        error_details: str | None = None,
    ) -> OperationRecord:
        """Record an operation.

        Args:
            operation: The operation type.
            name: The computer.
            ends: The instant at which it is terminal.
            error_code: The error code if it fails; None if it succeeds.
            error_details: The details of the error.

        Returns:
            The operation.
        """
        now = self._world.clock.now()
        self._count += 1
        record = OperationRecord(
            number=self._count,
            id=self._world.uuid(),
            type=operation,
            resource_name=name,
            created=now,
            begins=min(exact(now + self._world.seconds("operation_queue")), ends),
            ends=ends,
            error_code=error_code,
            error_details=error_details,
        )
        self._records[record.id] = record
        while len(self._records) > _KEPT:
            self._records.popitem(last=False)
        return record

    def cut_short(self, identifier: str, *, by: str) -> None:
        """Let an operation that goes on fail now.

        Args:
            identifier: Its id; nothing happens if there is none that goes on.
            by: The operation that cuts it short.
        """
        self._change(
            identifier,
            ends=self._world.clock.now(),
            error_code="OperationCancelled",
            error_details=f"Cut short by {by}",
        )

    def hold(self, identifier: str) -> None:
        """Let an operation that goes on never end.

        Args:
            identifier: Its id; nothing happens if there is none that goes on.
        """
        self._change(identifier, ends=math.inf)

    def _change(
        self,
        identifier: str,
        *,
        ends: float,
        error_code: str | None = None,
        error_details: str | None = None,
    ) -> None:
        record = self._records.get(identifier)
        if record is not None and self._world.clock.now() < record.ends:
            self._records[identifier] = attrs.evolve(
                record, ends=ends, error_code=error_code, error_details=error_details
            )
