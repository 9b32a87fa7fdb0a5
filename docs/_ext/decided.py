"""What the helpers decide in each state. This module asks the functions that decide.

Nothing here repeats a rule. A change in a `states.py` of the package changes these tables.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum

from attrs import frozen

from dcvsessions._wait.decisions import (
    MAX_STARTS,
    STALE_READ_WINDOW,
    Done,
    Failed,
    TakeStep,
    Wait,
    WaitContext,
)
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import NotFoundError
from dcvsessions.lightsail import _states as lightsail
from dcvsessions.lightsail._models import (
    GuiSession,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InstanceState,
)
from dcvsessions.nimble import _states as nimble
from dcvsessions.nimble._models import (
    Stream,
    StreamingSession,
    StreamingSessionState,
    StreamState,
)

__all__ = ["TABLES", "Answer", "Kind", "Row", "Table"]

_UNKNOWN = "any other"
_URL = DcvUrl("https://example.org:8443/")
_MISSING = NotFoundError(
    code="ResourceNotFoundException",
    message="not found",
    operation="GetStreamingSession",
    request_id=None,
    http_status=404,
)

# It returns a decision. The result of a `Done` does not matter here.
_Decide = Callable[[WaitContext], object]


class Kind(StrEnum):
    """What a decision leads to."""

    DONE = "done"
    WAIT = "wait"
    STEP = "step"
    FAILED = "fails"


@frozen
class Answer:
    """A decision, in words."""

    kind: Kind
    words: str


@frozen
class Row:
    """A state, and the decision in each situation, in the order of `Table.situations`."""

    state: str
    answers: tuple[Answer, ...]


@frozen
class Table:
    """What a helper decides on its way to one goal."""

    title: str
    done: str
    situations: tuple[str, ...]
    rows: tuple[Row, ...]


def _answer(decision: object) -> Answer:
    match decision:
        case Done():
            return Answer(Kind.DONE, Kind.DONE)
        case Failed():
            return Answer(Kind.FAILED, Kind.FAILED)
        case TakeStep(step):
            return Answer(Kind.STEP, step)
        case Wait():
            return Answer(Kind.WAIT, Kind.WAIT)
        case _:
            raise TypeError(f"not a decision: {decision!r}")


def _situations(step: StrEnum, state: str) -> dict[str, WaitContext]:
    """Return the situations that matter: before, just after and long after the helper's step."""
    first = WaitContext().read(state, 0)
    stale = first.requested(step, state, 0).read(state, STALE_READ_WINDOW / 2)
    again = first.requested(step, state, 0).read("another state", 1).read(state, 2)
    last = first
    for _ in range(MAX_STARTS):
        last = last.requested(step, state, 0).read("another state", 1).read(state, 2)
    return {
        "first reading": first,
        f"unchanged, under {STALE_READ_WINDOW:.0f} s after the request": stale,
        "again, after the request": again,
        f"again, after {MAX_STARTS} accepted requests": last,
    }


def _table(
    title: str, done: str, step: StrEnum, decides: Iterable[tuple[str, str, _Decide]]
) -> Table:
    """Ask for the decision in each state and situation. Each state has a label and its name."""
    rows = [
        Row(label, tuple(_answer(decide(each)) for each in _situations(step, state).values()))
        for label, state, decide in decides
    ]
    columns = list(zip(*(row.answers for row in rows), strict=True))
    # If all decisions in a situation are the same as in the situation before, it is left out.
    kept = [0] + [at for at in range(1, len(columns)) if columns[at] != columns[at - 1]]
    titles = tuple(_situations(step, ""))
    return Table(
        title,
        done,
        tuple(titles[at] for at in kept),
        tuple(Row(row.state, tuple(row.answers[at] for at in kept)) for row in rows),
    )


# --- Lightsail for Research ---


def _open_gui_session(
    details: GuiSessionAccessDetails,
    instance: str | None = None,
    *,
    start_instance: bool = False,
    renew_before: float = 0,
) -> tuple[str, _Decide]:
    seen = lightsail.observation(
        lightsail.Reading(details, InstanceState(name=instance) if instance else None)
    )

    def decide(context: WaitContext) -> object:
        return lightsail.decide_open(
            seen,
            context,
            kind="application",
            start_instance=start_instance,
            renew_before=renew_before,
        )

    return seen.state, decide


def _close_gui_session(details: GuiSessionAccessDetails) -> tuple[str, _Decide]:
    seen = lightsail.observation(lightsail.Reading(details))
    return seen.state, lambda context: lightsail.decide_close(seen, context)


def _details(status: GuiSessionStatus, url: DcvUrl | None = None) -> GuiSessionAccessDetails:
    sessions = (GuiSession(url=url, is_primary=True),) if url else ()
    return GuiSessionAccessDetails(status=status, sessions=sessions)


def _open_rows() -> Iterable[tuple[str, str, _Decide]]:
    for status in GuiSessionStatus:
        if status is GuiSessionStatus.STARTED:
            yield f"{status}, with the URL", *_open_gui_session(_details(status, _URL))
            yield f"{status}, without the URL", *_open_gui_session(_details(status))
            yield (
                f"{status}, about to expire",
                *_open_gui_session(_details(status, _URL), renew_before=60),
            )
        else:
            yield str(status), *_open_gui_session(_details(status))
    yield _UNKNOWN, *_open_gui_session(_details(GuiSessionStatus("new")))


def _computer_rows() -> Iterable[tuple[str, str, _Decide]]:
    details = _details(GuiSessionStatus.STOPPED)
    for name in ("stopped", "stopping", "pending", "shutting-down", "terminated"):
        for start in (True, False) if name.startswith("stop") else (False,):
            with_argument = ", start_instance=True" if start else ""
            yield f"{name}{with_argument}", *_open_gui_session(details, name, start_instance=start)
    yield _UNKNOWN, *_open_gui_session(details, "new")


def _close_rows() -> Iterable[tuple[str, str, _Decide]]:
    for status in GuiSessionStatus:
        yield str(status), *_close_gui_session(_details(status))
    yield _UNKNOWN, *_close_gui_session(_details(GuiSessionStatus("new")))


# --- Nimble Studio ---


def _sessions() -> Iterable[tuple[str, StreamingSession]]:
    for state in (*StreamingSessionState, StreamingSessionState("NEW")):
        yield str(state) if state.is_known else _UNKNOWN, StreamingSession(state=state)


def _session_rows(*, may_start: bool) -> Iterable[tuple[str, str, _Decide]]:
    def decides(
        found: StreamingSession | NotFoundError, created_at: float | None = None
    ) -> tuple[str, _Decide]:
        seen = nimble.observation(found)
        return seen.state, lambda context: nimble.decide_session(
            seen, context, may_start=may_start, created_at=created_at
        )

    for label, session in _sessions():
        yield label, *decides(session)
    yield _young_label(), *decides(_MISSING, created_at=0)
    yield nimble.NOT_FOUND, *decides(_MISSING)


def _stream_rows() -> Iterable[tuple[str, str, _Decide]]:
    def decides(
        found: Stream | NotFoundError, created_at: float | None = None
    ) -> tuple[str, _Decide]:
        seen = nimble.observation(found)
        return seen.state, lambda context: nimble.decide_stream(
            seen, context, created_at=created_at
        )

    for state in StreamState:
        if state is StreamState.READY:
            yield f"{state}, with its URL", *decides(Stream(state=state, url=_URL))
            yield f"{state}, without its URL", *decides(Stream(state=state))
        else:
            yield str(state), *decides(Stream(state=state))
    yield _UNKNOWN, *decides(Stream(state=StreamState("NEW")))
    yield _young_label(), *decides(_MISSING, created_at=0)
    yield nimble.NOT_FOUND, *decides(_MISSING)


def _deleted_rows() -> Iterable[tuple[str, str, _Decide]]:
    def decides(found: StreamingSession | NotFoundError, after: float = 0) -> tuple[str, _Decide]:
        seen = nimble.observation(found)

        def decide(context: WaitContext) -> object:
            return nimble.decide_deleted(seen, context.read(seen.state, context.now + after))

        return seen.state, decide

    for label, session in _sessions():
        yield label, *decides(session)
    yield nimble.NOT_FOUND, *decides(_MISSING)
    yield (
        f"{nimble.NOT_FOUND} for {STALE_READ_WINDOW:.0f} s",
        *decides(_MISSING, after=STALE_READ_WINDOW),
    )


def _young_label() -> str:
    return f"{nimble.NOT_FOUND}, under {STALE_READ_WINDOW:.0f} s after its creation"


TABLES: dict[str, Callable[[], Table]] = {
    "lightsail-open": lambda: _table(
        "From each status of a GUI session to its URL",
        "the URL",
        lightsail.Step.START_SESSION,
        _open_rows(),
    ),
    "lightsail-computer": lambda: _table(
        "From each state of the computer to one that runs",
        "the computer runs",
        lightsail.Step.START_INSTANCE,
        _computer_rows(),
    ),
    "lightsail-close": lambda: _table(
        "From each status of a GUI session to a stopped one",
        "the session is stopped",
        lightsail.Step.STOP_SESSION,
        _close_rows(),
    ),
    "nimble-new-session": lambda: _table(
        "From each state of a session that the call made to READY",
        "the session is ready",
        nimble.Step.START,
        _session_rows(may_start=False),
    ),
    "nimble-existing-session": lambda: _table(
        "From each state of an existing session to READY",
        "the session is ready",
        nimble.Step.START,
        _session_rows(may_start=True),
    ),
    "nimble-stream": lambda: _table(
        "From each state of a stream to its URL",
        "the URL",
        nimble.Step.START,
        _stream_rows(),
    ),
    "nimble-close": lambda: _table(
        "From each state of a session to a deleted one",
        "the session is deleted",
        nimble.Step.DELETE,
        _deleted_rows(),
    ),
}
