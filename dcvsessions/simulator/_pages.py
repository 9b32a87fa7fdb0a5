"""Pages of results, and the tokens that name the next page."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Protocol, TypeVar

from dcvsessions.simulator._protocol.wire import WireError

__all__ = ["page"]


class Numbered(Protocol):
    """An item that is numbered in order of creation."""

    @property
    def number(self) -> int:
        """Its number."""
        ...


_Item = TypeVar("_Item", bound=Numbered)


def page(
    items: Sequence[_Item], token: str | None, size: int, error_code: str
) -> tuple[list[_Item], str | None]:
    """Return one page of a list, and the token of the next page if there is one.

    A token holds the number of the last item before it. So items that are created or removed
    between two pages do not shift the rest.

    Args:
        items: All items, in order of their numbers.
        token: The token from the page before; None for the first page.
        size: The most items in a page.
        error_code: The error code for an invalid token.

    Raises:
        WireError: The token is invalid.
    """
    after = -1 if token is None else _number_in(token, error_code)
    rest = [item for item in items if item.number > after]
    has_more = len(rest) > size
    return rest[:size], _token_after(rest[size - 1].number) if has_more else None


def _token_after(number: int) -> str:
    return urlsafe_b64encode(f"after:{number}".encode()).decode()


def _number_in(token: str, error_code: str) -> int:
    try:
        word, _, number = urlsafe_b64decode(token.encode()).decode().partition(":")
        if word == "after":
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise WireError(error_code, "The page token is unknown")
