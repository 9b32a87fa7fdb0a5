"""Random schedules against the second fake, and what must hold after each.

Foreign answers, redirects, suspends, clients that are closed meanwhile, failing callbacks,
parallel calls of `url()`, the caller's own tokens and cancellations, all drawn from one seed and
run in virtual time. A failure names its seed: `SECOND_FAKE_SEED=… pytest
tests/test_second_fake_schedules.py` runs just that one again. `SECOND_FAKE_SCHEDULES=50000` runs
that many; with `SECOND_FAKE_REPORT=FILE` each batch adds a line to a file, and `python
tests/test_second_fake_schedules.py FILE` sums them up in tables.
"""

import asyncio
import json
import logging
import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen
from second_fake import (
    Do,
    Reply,
    Service,
    delayed,
    dripping,
    lost,
    never,
    redirected,
    refused,
    replied,
    truncated,
)
from second_fake.answers import HTML
from second_fake.oracle import Logged, leaked, told, unnamed
from virtual_loop import new_virtual_loop

from dcvsessions import (
    ClientStateError,
    DcvSessionsError,
    DcvUrl,
    LightsailClient,
    NimbleClient,
    Progress,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)

# How many seconds after its timeout each call may end, as the page on waiting says.
LATENESS = {
    "open_gui_session": 3,
    "close_gui_session": 3,
    "gui_session": 63,  # it is told to stop the session, also if it cannot open it
    "open_streaming_session": 16,
    "open_stream": 3,
    "close_streaming_session": 3,
    "streaming_session": 16,
    "existing_streaming_session": 3,
    "url": 3,
}
# How many seconds the end of a block may take.
LEAVING = {"gui_session": 60, "streaming_session": 30, "existing_streaming_session": 1}
# How many seconds after a cancellation a call may end, and after its client is being closed.
CANCELLED = {"open_streaming_session": 16, "streaming_session": 30, "gui_session": 60}
CLOSING = 60
# What the clocks of the loop and of a slow machine may differ by.
SPARE = 0.1

HOW_MANY = int(os.environ.get("SECOND_FAKE_SCHEDULES", "2000"))
BATCHES = [range(first, min(first + 100, HOW_MANY)) for first in range(0, HOW_MANY, 100)]
if "SECOND_FAKE_SEED" in os.environ:
    BATCHES = [range(int(os.environ["SECOND_FAKE_SEED"]), int(os.environ["SECOND_FAKE_SEED"]) + 1)]

NIMBLE = (
    "CreateStreamingSession",
    "GetStreamingSession",
    "CreateStreamingSessionStream",
    "GetStreamingSessionStream",
    "DeleteStreamingSession",
    "StartStreamingSession",
    "*",
)
LIGHTSAIL = (
    "CreateGUISessionAccessDetails",
    "StartGUISession",
    "StopGUISession",
    "GetInstanceState",
    "*",
)
ELSEWHERE = "http://elsewhere"  # stands for the other host, whose port is known only later


def answers(*, effect: bool) -> Iterator[Do]:
    """Everything but a proper answer."""
    for status in (400, 403, 404, 408, 409, 499, 500, 503):
        yield replied(status, effect=effect)
        yield replied(status, HTML, effect=effect)
    for code in ({"a": 1}, ["ResourceNotFoundException"], 404, "<html>", ""):
        yield replied(404, {"code": code}, effect=effect)
        yield replied(503, {"__type": code}, effect=effect)
    for status in (301, 302, 303, 307, 308):
        yield redirected(f"{ELSEWHERE}/?authToken=s3cr3t", status, effect=effect)
    for code in ("RequestTimeoutException", "PriorRequestNotComplete", "SomethingOfTomorrow"):
        yield refused(code, effect=effect)
    for body in (HTML, b"", b"null", b"[1]", b"{}", b'{"session": 5, "stream": 5, "status": 5}'):
        yield replied(200, body, effect=effect)
    yield replied(200, b"[" * 100_000, effect=effect)
    yield lost(effect=effect)
    yield never(effect=effect)
    yield truncated(effect=effect)
    yield dripping(0.1, effect=effect)


TROUBLE = (*answers(effect=False), *answers(effect=True))
# The service's own word for a request that it did not carry out.
THROTTLED = (
    refused("ThrottlingException"),
    refused("ThrottlingException", 429, headers={"retry-after": "7"}),
    refused("ThrottlingException", 429, headers={"retry-after": "9" * 30}),
)
SLOW = (delayed(before=2), delayed(after=2), delayed(before=25), delayed(after=25))
# So are these, and they end a call.
REFUSALS = (
    refused("AccessDeniedException", 403),
    refused("ValidationException", 400),
    refused("ServiceQuotaExceededException", 402),
    refused("ConflictException", 409),
    refused("InternalServerErrorException", 500),
)
GUI_STATES = ("notStarted", "stopped", "startExpired", "starting", "started", "stopping", "other")
SESSION_STATES = ("READY", "READY", "STOPPED", "START_IN_PROGRESS", "START_FAILED", "DELETED")
EARLIER = ("CREATE_IN_PROGRESS", "READY", "STOPPED", "DELETED")
HELPERS = tuple(helper for helper in LATENESS if helper != "url")
BLOCKS = tuple(LEAVING)


class OfTheBlockError(Exception):
    """What the body of a block raises."""


@frozen
class Schedule:
    """Everything that happens to one call of a helper."""

    seed: int
    helper: str
    timeout: float
    trouble: tuple[tuple[str, Do, int], ...]  # operation, answer, how often; 0 is for good
    trouble_from: float
    cancel_at: tuple[float, ...]
    suspend_at: tuple[tuple[float, float], ...]
    close_at: float | None
    callback: str
    token: str | None
    earlier: str | None
    urls: int
    body: str
    stays: float
    start_time: float
    gui_state: str
    session_state: str
    fails: bool
    keep: bool
    skew: float
    is_debugged: bool


def draw_trouble(draw: random.Random, operations: tuple[str, ...]) -> Iterator[tuple[str, Do, int]]:
    kinds = draw.choices(
        (TROUBLE, SLOW, THROTTLED, REFUSALS), weights=(8, 2, 1, 1), k=draw.choice([0, 1, 2, 4])
    )
    for kind in kinds:
        yield draw.choice(operations), draw.choice(kind), draw.choice([1, 1, 2, 4, 8, 0])


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed."""
    draw = random.Random(seed)
    # Those that make a session have the most to lose.
    helper = draw.choices(HELPERS, weights=(2, 1, 2, 4, 1, 1, 4, 2))[0]
    own_token = draw.random() < 0.3
    return Schedule(
        seed=seed,
        helper=helper,
        timeout=draw.choice([0, 1, 10, 30, 60, 300]),
        trouble=tuple(draw_trouble(draw, LIGHTSAIL if "gui" in helper else NIMBLE)),
        trouble_from=draw.choice([0, 0, 5, 12, 20]),
        cancel_at=tuple(
            sorted(draw.uniform(0, 40) for _ in range(draw.choice([0, 0, 0, 1, 1, 2])))
        ),
        suspend_at=tuple(
            (draw.uniform(0, 40), draw.choice([30, 100, 3600, 9000]))
            for _ in range(draw.choice([0, 0, 0, 1, 2]))
        ),
        close_at=draw.uniform(0, 40) if draw.random() < 0.2 else None,
        callback=draw.choice(["none", "none", "none", *CALLBACKS]),
        token="mine" if own_token else None,
        earlier=draw.choice(EARLIER) if own_token and draw.random() < 0.5 else None,
        urls=draw.choice([1, 1, 3, 20]),
        body=draw.choice(["urls", "urls", "urls", "raises", "leaves one in flight"]),
        stays=draw.choice([0, 0, 5, 100, 4000]),
        start_time=draw.choice([0, 1, 8, 20]),
        gui_state=draw.choice(GUI_STATES),
        session_state=draw.choice(SESSION_STATES),
        fails=draw.random() < 0.1,
        keep=draw.random() < 0.1,
        skew=draw.choice([0, 0, 0, -200, 200]),
        is_debugged=seed % 20 == 0,
    )


def _raises(_: Progress) -> None:
    raise KeyError("of the caller's callback")


async def _raises_later(_: Progress) -> None:
    await asyncio.sleep(0.1)
    raise KeyError("of the caller's callback")


async def _slow(_: Progress) -> None:
    await asyncio.sleep(7)


async def _endless(_: Progress) -> None:
    await asyncio.sleep(100_000)


CALLBACKS: dict[str, Callable[[Progress], object]] = {
    "raises": _raises,
    "raises later": _raises_later,
    "slow": _slow,
    "endless": _endless,
}


@define
class Run:
    """One schedule while it runs, and how late its parts were.

    Attributes:
        fake: The service.
        plan: The schedule.
        late: How late each kind of call ended, in seconds after its timeout.
        violations: What did not hold while it ran. It is kept here, as an assertion in a task
            that is cancelled would be lost.
        is_unsure: Whether the machine was suspended while an answer was on its way: a URL in it
            can expire unseen.
    """

    fake: Service
    plan: Schedule
    late: dict[str, float] = field(factory=dict)
    violations: list[str] = field(factory=list)
    is_unsure: bool = False

    @property
    def now(self) -> float:
        """The event loop's clock."""
        return asyncio.get_running_loop().time()

    def checked(self, url: DcvUrl) -> DcvUrl:
        """Return a URL that was just handed out, which has to be good."""
        if not self.is_unsure and not self.fake.accepts(url):
            self.violations.append("a URL that was handed out is not usable")
        return url

    def note(self, part: str, seconds: float, allowed: float) -> None:
        """Take down how late a part of the call was."""
        self.late[part] = max(self.late.get(part, seconds), seconds)
        if seconds > allowed + SPARE:
            self.violations.append(f"{part} ended {seconds:.1f} s late")

    @asynccontextmanager
    async def timed(self, part: str) -> AsyncGenerator[None, None]:
        """Take down how late a call was that was not cancelled."""
        began = self.now
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            self.note(part, self.now - began - self.plan.timeout, LATENESS[part])
            raise
        self.note(part, self.now - began - self.plan.timeout, LATENESS[part])

    async def call(self, client: Any) -> DcvUrl | None:
        """Make the one call of the schedule; return the URL that it returns."""
        plan = self.plan
        how: dict[str, Any] = {"timeout": plan.timeout, "client": client}
        how["on_progress"] = CALLBACKS.get(plan.callback)
        new: dict[str, Any] = {"launch_profile_id": "lp", "client_token": plan.token, **how}
        match plan.helper:
            case "open_gui_session":
                async with self.timed(plan.helper):
                    return self.checked(await open_gui_session("lab", **how))
            case "close_gui_session":
                async with self.timed(plan.helper):
                    await close_gui_session("lab", **how)
            case "open_streaming_session":
                async with self.timed(plan.helper):
                    return self.checked(
                        await open_streaming_session("studio", keep_on_failure=plan.keep, **new)
                    )
            case "open_stream":
                async with self.timed(plan.helper):
                    return self.checked(await open_stream("studio", "session-1", **how))
            case "close_streaming_session":
                async with self.timed(plan.helper):
                    await close_streaming_session("studio", "session-1", **how)
            case "gui_session":
                await self.block(gui_session("lab", stop_on_exit=True, **how))
            case "streaming_session":
                await self.block(streaming_session("studio", keep_on_failure=plan.keep, **new))
            case "existing_streaming_session":
                await self.block(existing_streaming_session("studio", "session-1", **how))
        return None

    async def block(self, context: Any) -> None:
        """Live through a block."""
        plan, in_flight = self.plan, None
        left = [0.0]
        try:
            async with AsyncExitStack() as stack:
                async with self.timed(plan.helper):
                    desktop = await stack.enter_async_context(context)
                try:
                    await self.urls(desktop)
                    await asyncio.sleep(plan.stays)
                    await self.urls(desktop)
                    if plan.body == "raises":
                        raise OfTheBlockError
                    if plan.body == "leaves one in flight":
                        in_flight = asyncio.create_task(desktop.url())
                        await asyncio.sleep(0.05)
                finally:
                    left[0] = self.now
        finally:
            if left[0]:
                self.note(f"leaving {plan.helper}", self.now - left[0], LEAVING[plan.helper])
            if in_flight is not None:
                self.judge_in_flight(in_flight)

    def judge_in_flight(self, call: asyncio.Task[DcvUrl]) -> None:
        """Check that a call of url() is over with its block."""
        if not call.done():
            self.violations.append("a call of url() outlived its block")
        elif not call.cancelled() and not isinstance(call.exception(), DcvSessionsError | None):
            self.violations.append(f"a foreign error got out of url(): {call.exception()!r}")

    async def urls(self, desktop: Any) -> None:
        """Ask for the URL, many at once."""

        async def one() -> None:
            async with self.timed("url"):
                self.checked(await desktop.url())

        found = await asyncio.gather(
            *(one() for _ in range(self.plan.urls)), return_exceptions=True
        )
        for error in found:
            if error is not None:
                raise error

    def begin(self) -> None:
        """Bring the service to where the schedule begins, and set its alarms."""
        plan, fake, loop = self.plan, self.fake, asyncio.get_running_loop()
        fake.clock.skew, fake.fails = plan.skew, plan.fails
        fake.add_computer("lab", plan.gui_state)
        if "stream" in plan.helper and plan.helper not in (
            "open_streaming_session",
            "streaming_session",
        ):
            fake.add_session(plan.session_state, age=300)
        if plan.earlier is not None and plan.helper in (
            "open_streaming_session",
            "streaming_session",
        ):
            fake.add_session(plan.earlier, token=plan.token, age=100)
        loop.call_later(plan.trouble_from, self.make_trouble)
        for when, seconds in plan.suspend_at:
            loop.call_later(when, self.suspend, seconds)

    def make_trouble(self) -> None:
        """Begin to answer as the schedule says."""
        for operation, answer, times in self.plan.trouble:
            if isinstance(answer.reply, Reply) and "location" in answer.reply.headers:
                place = answer.reply.headers["location"].replace(ELSEWHERE, self.fake.elsewhere.url)
                answer = redirected(place, answer.reply.status, effect=answer.takes_effect)  # noqa: PLW2901 - the place is known only now
            if times == 0:
                self.fake.always(operation, answer)
            else:
                self.fake.script(operation, *[answer] * times)

    def suspend(self, seconds: float) -> None:
        """Close the lid of the laptop for a while."""
        self.is_unsure |= any(not request.is_over for request in self.fake.requests)
        self.fake.clock.suspend(seconds)

    async def to_its_end(self) -> tuple[DcvUrl | None, BaseException | None, float | None]:
        """Run the call; return its URL or error, and when it was last cancelled."""
        plan, loop = self.plan, asyncio.get_running_loop()
        kind = LightsailClient if "gui" in plan.helper else NimbleClient
        client = kind() if plan.close_at is not None else None
        if client is not None:
            await client.__aenter__()
        task = asyncio.create_task(self.call(client))
        cancelled: list[float] = []

        def cancel() -> None:
            if task.cancel():
                cancelled.append(self.now)

        alarms = [loop.call_later(when, cancel) for when in plan.cancel_at]
        if client is not None:
            await asyncio.wait({task}, timeout=plan.close_at)
            began = self.now
            await client.__aexit__(None, None, None)
            self.note("closing a client", self.now - began, CLOSING)
        await asyncio.wait({task})
        for alarm in alarms:
            alarm.cancel()
        if cancelled:
            assert task.cancelled(), f"a cancellation was swallowed: {task!r}"
        try:
            return task.result(), None, None
        except BaseException as error:  # noqa: BLE001 - all of it is to be judged
            return None, error, cancelled[-1] if cancelled else None


async def run(plan: Schedule, environ: pytest.MonkeyPatch) -> tuple[str, dict[str, float]]:
    """Run one schedule, check what must hold, and return how it ended and how late."""
    level = logging.DEBUG if plan.is_debugged else logging.WARNING
    service = Service.in_place_of_aws(environ, start_time=plan.start_time)
    async with service as fake:
        going = Run(fake, plan)
        going.begin()
        before = list(fake.sessions.values())
        with Logged(level) as logged:
            url, error, cancelled_at = await going.to_its_end()
        if cancelled_at is not None:
            allowed = CANCELLED.get(plan.helper, 3)
            going.note("after a cancellation", going.now - cancelled_at, allowed)
        judge(going, before, url, error, logged)
        sent = len(fake.requests)
        await asyncio.sleep(200)
        assert len(fake.requests) == sent, "something was sent after the end"
        # What was on its way when the call ended has arrived by now.
        assert_named(going, before, url, told(error) + logged.warned)
        ending = type(error).__name__ if error else "URL" if url else "done"
        return ending, going.late


def judge(
    going: Run, before: list[Any], url: DcvUrl | None, error: BaseException | None, logged: Logged
) -> None:
    """Check what must hold at the end of every call."""
    fake, plan = going.fake, going.plan
    assert not going.violations, going.violations
    ours = (DcvSessionsError, asyncio.CancelledError, OfTheBlockError)
    assert error is None or isinstance(error, ours), f"a foreign error got out: {error!r}"
    if isinstance(error, ClientStateError):
        assert plan.close_at is not None, f"its client was not closed: {error}"

    words = told(error) + logged.warned
    made = [session for session in fake.sessions.values() if session not in before]
    assert len(made) <= 1, f"{len(made)} sessions made"
    tokens = {request.client_token for request in fake.called("CreateStreamingSession")}
    assert len(tokens) <= 1, f"sessions were asked for by {len(tokens)} tokens"
    for session in before:
        if plan.helper != "close_streaming_session":
            was_deleted = any(
                session.session_id in request.segments
                for request in fake.called("DeleteStreamingSession")
            )
            assert not was_deleted, "a session was deleted that this call did not make"
    assert_named(going, before, url, words)
    computer = fake.computers["lab"]
    if plan.helper == "gui_session" and error is None:
        assert computer.state not in ("started", "starting"), "the session was not stopped"
    assert fake.elsewhere.requests == [], "a redirect was followed"
    assert leaked(fake, logged.text) == [], "a secret was logged"
    assert leaked(fake, told(error)) == [], "an error shows a secret"


def assert_named(going: Run, before: list[Any], url: DcvUrl | None, words: str) -> None:
    """Check that no session bills that this call made and does not speak of."""
    if url is None:
        left = [one for one in unnamed(going.fake, words) if one not in before]
        assert not left, f"{left} bill and are forgotten: {words}"


def run_all(
    plans: Iterable[Schedule], environ: pytest.MonkeyPatch
) -> tuple[dict[str, int], dict[str, float]]:
    """Run schedules; return how many ended in which way, and the largest lateness."""
    endings: Counter[str] = Counter()
    late: dict[str, float] = {}
    problems: list[str] = []
    with asyncio.Runner(loop_factory=new_virtual_loop) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: problems.append(str(context)))
        for plan in plans:
            # The jitter of the polls, and client tokens: the rest is in the plan.
            random.seed(plan.seed)
            environ.setattr(uuid, "uuid4", lambda: uuid.UUID(int=random.getrandbits(128)))
            try:
                with pytest.MonkeyPatch.context() as own:
                    ending, was_late = runner.run(run(plan, own))
                assert not problems, problems
            except BaseException as error:
                error.add_note(f"SECOND_FAKE_SEED={plan.seed}: {plan}")
                raise
            endings[ending] += 1
            late = latest(late, was_late)
    return dict(endings), late


@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_every_session_left_is_named_and_no_secret_is_shown(
    seeds: range, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    endings, late = run_all(map(schedule, seeds), monkeypatch)
    # Summed up at the end of the whole run, as the tests may be spread over processes.
    record_property("schedules", endings)
    if report := os.environ.get("SECOND_FAKE_REPORT"):
        with Path(report).open("a") as file:
            file.write(json.dumps({"endings": endings, "late": late}) + "\n")


def test_a_schedule_is_made_from_its_seed_alone() -> None:
    assert schedule(7) == schedule(7) != schedule(8)


def latest(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """Return the larger of two figures for each call."""
    return one | {part: max(seconds, one.get(part, seconds)) for part, seconds in other.items()}


def summary(lines: Iterable[str]) -> str:
    """Sum up a report: how the schedules ended, and how late at most."""
    endings: Counter[str] = Counter()
    late: dict[str, float] = {}
    for line in lines:
        batch = json.loads(line)
        endings.update(batch["endings"])
        late = latest(late, batch["late"])
    allowed = {
        **LATENESS,
        **{f"leaving {block}": seconds for block, seconds in LEAVING.items()},
        "closing a client": CLOSING,
        "after a cancellation": max(CANCELLED.values()),
    }
    told_endings = [f"| {ending} | {count} |" for ending, count in endings.most_common()]
    told_lateness = [
        f"| {part} | {allowed[part]} | {seconds:.1f} |" for part, seconds in sorted(late.items())
    ]
    return "\n".join(
        [
            f"{endings.total()} schedules in batches without a violation",
            "",
            "| ending | schedules |",
            "| --- | --- |",
            *told_endings,
            "",
            "| call | allowed after its timeout, s | largest, s |",
            "| --- | --- | --- |",
            *told_lateness,
        ]
    )


if __name__ == "__main__":
    print(summary(Path(sys.argv[1]).read_text().splitlines()))
