"""The resources of a service, and what readers see of them shortly after a write."""

from typing import Generic, TypeVar

from attrs import frozen

from dcvsessions.simulator._time.timeline import rounded

__all__ = ["Store"]

_Resource = TypeVar("_Resource")


@frozen
class StaleView(Generic[_Resource]):
    """What readers still see of a resource after a write.

    Attributes:
        previous: The resource as it was before the write; None if it did not exist.
        until: The instant from which readers see the current resource.
    """

    previous: _Resource | None
    until: float


class Store(Generic[_Resource]):
    """Resources by key, oldest first. Reads may be stale, as with eventual consistency.

    Args:
        stale_reads: Simulated seconds after a write during which readers see the state before it.
    """

    def __init__(self, stale_reads: float) -> None:
        self._stale_reads = stale_reads
        self._resources: dict[str, _Resource] = {}
        self._stale: dict[str, StaleView[_Resource]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._resources

    def __len__(self) -> int:
        return len(self._resources)

    def current(self, key: str) -> _Resource | None:
        """Return a resource in its current state, as requests that change it need it."""
        return self._resources.get(key)

    def all_current(self) -> list[_Resource]:
        """Return all resources in their current state."""
        return list(self._resources.values())

    def visible(self, key: str, now: float) -> _Resource | None:
        """Return a resource as readers see it, or None if they do not see it (yet)."""
        stale = self._stale.get(key)
        if stale is not None and now < stale.until:
            return stale.previous
        return self._resources.get(key)

    def all_visible(self, now: float) -> list[_Resource]:
        """Return all resources that readers see, as they see them."""
        visible = (self.visible(key, now) for key in self._resources)
        return [resource for resource in visible if resource is not None]

    def write(self, key: str, resource: _Resource, previous: _Resource | None, now: float) -> None:
        """Store a resource that a request has changed.

        Args:
            key: Its key.
            resource: Its new state.
            previous: The state that stale reads show; None if they do not find the resource.
            now: The current instant.
        """
        self.write_visibly(key, resource)
        if self._stale_reads > 0:
            self._stale[key] = StaleView(previous, rounded(now + self._stale_reads))

    def write_visibly(self, key: str, resource: _Resource) -> None:
        """Store a resource that every reader sees at once."""
        self._resources[key] = resource
        self._stale.pop(key, None)

    def replace(self, key: str, resource: _Resource) -> None:
        """Store the current state of a resource; stale reads continue to show the previous one."""
        self._resources[key] = resource

    def remove(self, key: str) -> None:
        """Forget a resource."""
        self._resources.pop(key, None)
        self._stale.pop(key, None)
