"""What tests ask of an ending: what an error tells, what bills unnamed, which secrets are shown."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Self

from dcvsessions import WaitError
from second_fake.service import Service, Session


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, those that it groups, and those behind it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from chain(one)
        error = error.__cause__ or error.__context__


def told(error: BaseException | None) -> str:
    """Return all that an error says: its text, notes and history, and those behind it."""
    words: list[str] = []
    for link in chain(error):
        if isinstance(link, WaitError):
            words.append(str(link.history))
        words += [str(link), *getattr(link, "__notes__", ())]
    return "\n".join(words)


def unnamed(service: Service, words: str) -> list[Session]:
    """Return the sessions that bill and that words name neither by id nor by token."""
    return [
        session
        for session in service.billing
        if session.session_id not in words and (session.token or session.session_id) not in words
    ]


def leaked(service: Service, words: str) -> list[str]:
    """Return the secrets of a service that words show."""
    return [secret for secret in service.secrets if secret in words]


class Logged(logging.Handler):
    """Keeps the text of all that is logged, tracebacks included.

    Args:
        level: The level from which on it listens.
    """

    def __init__(self, level: int = logging.WARNING) -> None:
        super().__init__(level)
        self.stream = io.StringIO()
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        text = self.format(record)
        self.stream.write(f"{record.name}: {text}\n")
        if record.levelno >= logging.WARNING:
            self.warnings.append(text)

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()

    @property
    def warned(self) -> str:
        """The warnings, and what is worse."""
        return "\n".join(self.warnings)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._before = root.level
        root.addHandler(self)
        root.setLevel(min(self.level, self._before))
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._before)
