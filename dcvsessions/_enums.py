"""Enums that accept values that the service model does not name, such as new ones."""

from enum import StrEnum
from typing import Self

__all__ = ["OpenEnum"]


class OpenEnum(StrEnum):
    """A string enum that accepts any text, because AWS may add values.

    A value that the service model does not name becomes a new member. It compares, hashes and
    prints as its text, and its `is_known` is False.

    Example:
        >>> class Colour(OpenEnum):
        ...     RED = "red"
        >>> Colour("red").is_known, Colour("mauve").is_known, Colour("mauve") == "mauve"
        (True, False, True)
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the service model names this value."""
        return type(self).__members__.get(self._name_) is self
