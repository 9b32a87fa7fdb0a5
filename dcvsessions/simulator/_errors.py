"""The error of a scenario."""

__all__ = ["ScenarioError"]


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message names the file and the place in it."""
