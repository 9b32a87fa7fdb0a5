"""Enums that stay open: a value that AWS adds tomorrow is kept, not refused."""

from enum import StrEnum
from typing import Self

__all__ = ["OpenEnum"]


class OpenEnum(StrEnum):
    """A string enum of the values that the service model names, and of any other text.

    A value that the model does not name becomes a member of its own: it equals, hashes and
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
