"""Client tokens, which make requests idempotent."""

from collections import OrderedDict

from dcvsessions.simulator._protocol.wire import Json, Parameters, WireError

__all__ = ["ClientTokens"]

_LIMIT = 10_000


class ClientTokens:
    """The latest client tokens, with the parameters and the resource of each."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, str], tuple[dict[str, Json], str]] = OrderedDict()

    def find(self, operation: str, parameters: Parameters) -> str | None:
        """Return the id of the resource that an earlier request with this token created or changed.

        Raises:
            WireError: The earlier request had other parameters.
        """
        token = parameters.optional_text("clientToken")
        used = self._used.get((operation, token)) if token else None
        if used is None:
            return None
        if used[0] != parameters:
            raise WireError(
                "ValidationException", "The client token was used before with other parameters"
            )
        return used[1]

    def add(self, operation: str, parameters: Parameters, resource_id: str) -> None:
        """Record the resource that a request created or changed."""
        token = parameters.optional_text("clientToken")
        if token is None:
            return
        self._used[operation, token] = (dict(parameters), resource_id)
        while len(self._used) > _LIMIT:
            self._used.popitem(last=False)
