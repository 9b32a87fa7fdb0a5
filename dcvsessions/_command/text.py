"""Texts for the terminal, and the exit status of an error. Pure."""

import re
from collections.abc import Sequence
from datetime import timedelta

from dcvsessions._secrets.mask import plain_text
from dcvsessions.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    DcvSessionsError,
    InvalidArgumentError,
    InvalidResponseError,
    InvalidUrlError,
    NotFoundError,
    UnreachableError,
    WaitFailedError,
    WaitTimeoutError,
)

__all__ = ["age", "exit_status", "in_shell_words", "table"]

# The first class that fits counts.
_STATUSES: tuple[tuple[type[DcvSessionsError], int], ...] = (
    (InvalidUrlError, 1),  # the service sent it
    (InvalidArgumentError, 2),
    (NotFoundError, 3),
    (WaitTimeoutError, 4),
    (AccessDeniedError, 5),
    (AuthenticationError, 5),
    (ConfigurationError, 5),
    (ConnectionFailedError, 6),
    (InvalidResponseError, 6),
    (UnreachableError, 6),
    (DcvSessionsError, 1),
)

# Errors name the arguments of Python functions. A reader of the terminal needs the options.
_SHELL_WORDS = {
    "start_instance=True": "--start",
    "with_=": "--with",
    "client_token=": "--client-token",
    "ec2_instance_type=": "--instance-type",
    "endpoint_url=": "--endpoint-url",
    "expiration_in_seconds=": "--expires-in",
    "launch_profile_id=": "--launch-profile",
    "name=": "NAME",
    "profile_name=": "--profile",
    "region_name=": "--region",
    "resource_name=": "NAME",
    "session_id=": "SESSION",
    "studio_id=": "STUDIO",
    "timeout=": "--timeout",
    "print(url)": "--print",
    "open_stream()": "dcvsessions open-stream --session",
    "close_streaming_session()": "dcvsessions close-stream",
}
_PYTHON_WORD = re.compile(rf"\b({'|'.join(map(re.escape, _SHELL_WORDS))})(?=(['\"\d-])?)")


def exit_status(error: DcvSessionsError) -> int:
    """Return the exit status of the command after an error."""
    # The wait quotes the error, so that is its context, and not its cause.
    if isinstance(error, WaitFailedError) and isinstance(error.__context__, ConnectionFailedError):
        error = error.__context__
    return next(status for kind, status in _STATUSES if isinstance(error, kind))


def in_shell_words(text: str) -> str:
    """Replace the names of Python arguments and functions by those of the command.

    Example:
        >>> in_shell_words("The computer is stopped: start_instance=True starts it first.")
        'The computer is stopped: --start starts it first.'
        >>> in_shell_words("region_name='moon' cannot be the name of an AWS region.")
        "--region 'moon' cannot be the name of an AWS region."
    """
    return _PYTHON_WORD.sub(lambda found: _SHELL_WORDS[found[1]] + (" " if found[2] else ""), text)


def age(elapsed: timedelta) -> str:
    """Say how long ago something was, in its two largest units.

    Example:
        >>> age(timedelta(minutes=70)), age(timedelta(seconds=5)), age(timedelta(days=3))
        ('1 h 10 min', '5 s', '3 d 0 h')
    """
    seconds = max(0, int(elapsed.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def table(heads: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """Lay out rows in columns. The cells come from a service, so they are made safe to show.

    Returns:
        The lines, or an empty text if there are no rows.

    Example:
        >>> print(table(["NAME", "STATE"], [["my-computer", "running"], ["lab", None]]))
        NAME         STATE
        my-computer  running
        lab          -
    """
    if not rows:
        return ""
    cells = [list(heads), *([plain_text(cell or "") or "-" for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
