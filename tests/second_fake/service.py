"""The two services, as small as they can be: computers with GUI sessions, studios with sessions.

Written from the service models. Each resource moves on when it is looked at, by the clock of the
service, so that a suspend of the machine does not hold it up.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import pytest

from second_fake.answers import AMZ_JSON, PROPERLY, Do, Reply
from second_fake.clock import Clock
from second_fake.wire import Listener, Request

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDSECONDFAKE",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-access-key-of-the-second-fake",
    "AWS_SESSION_TOKEN": "s3cr3t-session-token-of-the-second-fake",
    "AWS_DEFAULT_REGION": "us-west-2",
}
_GUI_LIFETIME = 3600.0


# Method, number of path segments after `streaming-sessions`, and the second of these.
_ROUTES = {
    ("POST", 0, ""): "CreateStreamingSession",
    ("GET", 0, ""): "ListStreamingSessions",
    ("GET", 1, ""): "GetStreamingSession",
    ("DELETE", 1, ""): "DeleteStreamingSession",
    ("POST", 2, "start"): "StartStreamingSession",
    ("POST", 2, "stop"): "StopStreamingSession",
    ("POST", 2, "streams"): "CreateStreamingSessionStream",
    ("GET", 3, "streams"): "GetStreamingSessionStream",
}


class RefusalError(Exception):
    """The service refuses a request."""

    def __init__(self, code: str, status: int, message: str = "") -> None:
        super().__init__(code)
        self.reply = Reply(
            status,
            {"content-type": AMZ_JSON, "x-amzn-errortype": code},
            json.dumps({"__type": code, "code": code, "message": message or code}).encode(),
        )


@dataclass
class Resource:
    """Something with a state that changes with time."""

    state: str
    coming: list[tuple[float, str]] = field(default_factory=list)

    def go(self, now: float, *then: tuple[float, str]) -> None:
        """Move to the first state at once and to the next ones after so many seconds each."""
        self.state, self.coming = then[0][1], []
        for seconds, state in then[1:]:
            now += seconds
            self.coming.append((now, state))

    def settle(self, now: float) -> None:
        """Take the changes that time has brought."""
        while self.coming and self.coming[0][0] <= now:
            self.state = self.coming.pop(0)[1]


@dataclass
class Computer(Resource):
    """A Lightsail computer: `state` is its GUI session's."""

    name: str = ""
    instance: str = "running"
    failure: str | None = None
    percentage: Any = None
    url: str = ""
    started_until: float = 0.0


@dataclass
class Session(Resource):
    """A streaming session of Nimble Studio."""

    session_id: str = ""
    token: str | None = None
    asked_for: dict[str, Any] = field(default_factory=dict)
    created_at: float = 0.0
    message: str | None = None

    @property
    def bills(self) -> bool:
        """Whether it costs: until its deletion has begun."""
        return self.state not in ("DELETE_IN_PROGRESS", "DELETED")


@dataclass
class Stream(Resource):
    """A stream into a streaming session."""

    stream_id: str = ""
    session_id: str = ""
    token: str | None = None
    url: str = ""
    created_at: float = 0.0
    expires_at: float = 0.0


class Elsewhere(Listener):
    """Another host. It records what arrives, and answers what it likes.

    Attributes:
        reply: Its answer to everything.
    """

    def __init__(self) -> None:
        # Linux has all of 127/8 on its loopback: another host, not just another port.
        super().__init__("127.0.0.2" if sys.platform == "linux" else "127.0.0.1")
        self.reply = Reply(200, {"content-type": AMZ_JSON}, b"{}")

    async def answer(self, request: Request) -> tuple[Reply, Do]:
        """Answer everything in the same way."""
        return self.reply, PROPERLY


class Service(Listener):
    """Lightsail and Nimble Studio behind one port.

    Attributes:
        clock: The clocks of the machine and the service.
        elsewhere: The other host that redirects can point to.
        start_time: Seconds that a start, create or stop of a session takes; a quarter of it for a
            stream.
        fails: Whether sessions fail to be created.
        computers: The computers by name.
        sessions: The streaming sessions by id, deleted ones too.
        streams: The streams by id.
        secrets: All that must not be shown: credentials, and the URLs' tokens so far.
    """

    def __init__(self, *, clock: Clock | None = None, start_time: float = 8.0) -> None:
        super().__init__()
        self.clock = clock or Clock()
        self.elsewhere = Elsewhere()
        self.start_time = start_time
        self.fails = False
        self.computers: dict[str, Computer] = {}
        self.sessions: dict[str, Session] = {}
        self.streams: dict[str, Stream] = {}
        self.secrets = [CREDENTIALS["AWS_SECRET_ACCESS_KEY"], CREDENTIALS["AWS_SESSION_TOKEN"]]
        self._next: defaultdict[str, list[Do]] = defaultdict(list)
        self._always: dict[str, Do] = {}
        self._count = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for listener in (self, self.elsewhere):
                await listener.listen()
                stack.push_async_callback(listener.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @classmethod
    @asynccontextmanager
    async def in_place_of_aws(
        cls, monkeypatch: pytest.MonkeyPatch, **options: Any
    ) -> AsyncGenerator[Self, None]:
        """Run a service that the environment and the wall clock of this process belong to."""
        async with cls(**options) as service:
            service.clock.install(monkeypatch)
            for name, value in service.environ.items():
                monkeypatch.setenv(name, value)
            yield service

    @property
    def environ(self) -> dict[str, str]:
        """The environment that points AWS clients here."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url}

    @property
    def billing(self) -> list[Session]:
        """The streaming sessions that cost now."""
        self._settle()
        return [session for session in self.sessions.values() if session.bills]

    def script(self, operation: str, *answers: Do) -> None:
        """Say what happens to the next calls of an operation, or of any (`*`), one each."""
        self._next[operation].extend(answers)

    def always(self, operation: str, answer: Do) -> None:
        """Say what happens to all other calls of an operation, or of any (`*`)."""
        self._always[operation] = answer

    def recover(self) -> None:
        """Answer everything properly from now on."""
        self._next.clear()
        self._always.clear()

    def called(self, operation: str) -> list[Request]:
        """Return the requests of an operation so far."""
        return [request for request in self.requests if request.operation == operation]

    def add_computer(self, name: str, state: str = "notStarted", **more: Any) -> Computer:
        """Add a Lightsail computer."""
        self.computers[name] = computer = Computer(state, name=name, **more)
        if state == "started":
            self._start(computer, 0)
        return computer

    def add_session(
        self, state: str = "READY", token: str | None = None, age: float = 0
    ) -> Session:
        """Add a streaming session that was made so many seconds ago."""
        session_id = f"session-{self._number()}"
        self.sessions[session_id] = session = Session(
            state, session_id=session_id, token=token, created_at=self.clock.service - age
        )
        return session

    def accepts(self, url: str) -> bool:
        """Whether a URL opens a desktop now."""
        self._settle()
        now = self.clock.service
        computers = (one.state == "started" and one.url for one in self.computers.values())
        streams = (
            one.state == "READY"
            and now < one.expires_at
            and self.sessions[one.session_id].state == "READY"
            and one.url
            for one in self.streams.values()
        )
        return url in computers or url in streams

    async def answer(self, request: Request) -> tuple[Reply, Do]:
        """Do to a request what the script says."""
        request.operation, arguments = self._recognized(request)
        do = self._drawn(request.operation)
        await asyncio.sleep(do.before)
        self._settle()
        proper = Reply()
        if do.takes_effect:
            request.took_effect = True
            proper = self._carried_out(request, arguments)
        await asyncio.sleep(do.after)
        reply = proper if do.reply is None else do.reply
        reply = reply if isinstance(reply, Reply) else reply(proper)
        headers = {"date": self.clock.http_date, **reply.headers}
        return Reply(reply.status, headers, reply.body), do

    # --- From a request to an operation ---

    def _drawn(self, operation: str) -> Do:
        for name in (operation, "*"):
            if self._next[name]:
                return self._next[name].pop(0)
        return self._always.get(operation) or self._always.get("*") or PROPERLY

    def _recognized(self, request: Request) -> tuple[str, list[str]]:
        if target := request.headers.get("x-amz-target"):
            return target.partition(".")[2], []
        rest = request.segments[4:]  # after /2020-08-01/studios/{studioId}/streaming-sessions
        key = request.method, len(rest), rest[1] if len(rest) > 1 else ""
        return _ROUTES.get(key, "Unknown"), rest[::2]

    def _carried_out(self, request: Request, arguments: list[str]) -> Reply:
        try:
            carry_out = getattr(self, f"_{_snake_case(request.operation)}", self._unknown)
            members = carry_out(request, *arguments)
        except RefusalError as refusal:
            return refusal.reply
        headers = {"content-type": AMZ_JSON, "x-amzn-requestid": f"request-{len(self.requests)}"}
        return Reply(200, headers, json.dumps(members).encode())

    def _unknown(self, request: Request, *_: str) -> dict[str, Any]:
        raise RefusalError("UnknownOperationException", 404, f"{request.method} {request.target}")

    # --- Lightsail ---

    def _create_gui_session_access_details(self, request: Request) -> dict[str, Any]:
        computer = self._computer(request, "resourceName")
        members: dict[str, Any] = {"resourceName": computer.name, "status": computer.state}
        if computer.percentage is not None:
            members["percentageComplete"] = computer.percentage
        if computer.failure is not None:
            members["failureReason"] = computer.failure
        if computer.state == "started":
            desktop = computer.url.replace("#console", "#desktop")
            members["sessions"] = [
                {"name": "application", "url": computer.url, "isPrimary": True},
                {"name": "desktop", "url": desktop, "isPrimary": False},
            ]
        return members

    def _start_gui_session(self, request: Request) -> dict[str, Any]:
        computer = self._computer(request, "resourceName")
        if computer.state in ("starting", "started", "stopping") or computer.instance != "running":
            raise RefusalError("InvalidInputException", 400, "The session cannot be started now.")
        self._start(computer, self.start_time)
        return self._operation(computer, "StartGUISession")

    def _stop_gui_session(self, request: Request) -> dict[str, Any]:
        computer = self._computer(request, "resourceName")
        computer.go(self.clock.service, (0, "stopping"), (self.start_time, "stopped"))
        return self._operation(computer, "StopGUISession")

    def _get_instance_state(self, request: Request) -> dict[str, Any]:
        computer = self._computer(request, "instanceName")
        code = {"running": 16, "stopped": 80}.get(computer.instance, 0)
        return {"state": {"code": code, "name": computer.instance}}

    def _start_instance(self, request: Request) -> dict[str, Any]:
        computer = self._computer(request, "instanceName")
        computer.instance = "running"
        return self._operation(computer, "StartInstance")

    def _get_instances(self, _: Request) -> dict[str, Any]:
        return {"instances": [{"name": name} for name in self.computers]}

    def _computer(self, request: Request, member: str) -> Computer:
        name = request.members.get(member)
        if name not in self.computers:
            raise RefusalError("NotFoundException", 400, f"There is no {name}.")
        return self.computers[name]

    def _start(self, computer: Computer, seconds: float) -> None:
        computer.url = self._url("console")
        after = [(seconds, "started"), (_GUI_LIFETIME, "startExpired")]
        computer.go(self.clock.service, (0, "starting"), *after)
        computer.settle(self.clock.service)

    def _operation(self, computer: Computer, kind: str) -> dict[str, Any]:
        operation = {
            "id": f"operation-{self._number()}",
            "resourceName": computer.name,
            "createdAt": self.clock.service,
            "operationType": kind,
            "status": "Started",
        }
        return {"operations": [operation]}

    # --- Nimble Studio ---

    def _create_streaming_session(self, request: Request) -> dict[str, Any]:
        token = request.client_token
        for session in self.sessions.values():
            if token is not None and session.token == token:
                if session.asked_for and session.asked_for != request.members:
                    raise RefusalError("ConflictException", 409, "The token has other parameters.")
                return {"session": self._shown(session)}
        session = self.add_session(token=token)
        session.asked_for = request.members
        then = "CREATE_FAILED" if self.fails else "READY"
        session.go(self.clock.service, (0, "CREATE_IN_PROGRESS"), (self.start_time, then))
        return {"session": self._shown(session)}

    def _get_streaming_session(self, _: Request, session_id: str) -> dict[str, Any]:
        return {"session": self._shown(self._session(session_id))}

    def _list_streaming_sessions(self, request: Request) -> dict[str, Any]:
        wanted = request.query.get("sessionIds")
        found = [one for one in self.sessions.values() if not wanted or one.session_id in wanted]
        return {"sessions": [self._shown(session) for session in found]}

    def _delete_streaming_session(self, _: Request, session_id: str) -> dict[str, Any]:
        session = self._session(session_id)
        if session.bills:
            session.go(self.clock.service, (0, "DELETE_IN_PROGRESS"), (5, "DELETED"))
        return {"session": self._shown(session)}

    def _start_streaming_session(self, _: Request, session_id: str) -> dict[str, Any]:
        return self._moved(session_id, "STOPPED", "START_IN_PROGRESS", "READY")

    def _stop_streaming_session(self, _: Request, session_id: str) -> dict[str, Any]:
        return self._moved(session_id, "READY", "STOP_IN_PROGRESS", "STOPPED")

    def _create_streaming_session_stream(self, request: Request, session_id: str) -> dict[str, Any]:
        session = self._session(session_id)
        if session.state != "READY":
            raise RefusalError("ConflictException", 409, f"The session is {session.state}.")
        for stream in self.streams.values():
            if request.client_token is not None and stream.token == request.client_token:
                return {"stream": self._shown_stream(stream)}
        now = self.clock.service
        stream = Stream("CREATE_IN_PROGRESS", stream_id=f"stream-{self._number()}")
        stream.session_id, stream.token = session_id, request.client_token
        stream.url, stream.created_at = self._url(session_id), now
        stream.expires_at = now + request.members.get("expirationInSeconds", 120)
        stream.go(now, (0, "CREATE_IN_PROGRESS"), (self.start_time / 4, "READY"))
        self.streams[stream.stream_id] = stream
        return {"stream": self._shown_stream(stream)}

    def _get_streaming_session_stream(
        self, _: Request, session_id: str, stream_id: str
    ) -> dict[str, Any]:
        stream = self.streams.get(stream_id)
        if stream is None or stream.session_id != session_id:
            raise RefusalError("ResourceNotFoundException", 404, f"There is no {stream_id}.")
        return {"stream": self._shown_stream(stream)}

    def _session(self, session_id: str) -> Session:
        if session_id not in self.sessions:
            raise RefusalError("ResourceNotFoundException", 404, f"There is no {session_id}.")
        return self.sessions[session_id]

    def _moved(self, session_id: str, *states: str) -> dict[str, Any]:
        session = self._session(session_id)
        before, during, after = states
        if session.state != before:
            raise RefusalError("ConflictException", 409, f"The session is {session.state}.")
        session.go(self.clock.service, (0, during), (self.start_time, after))
        return {"session": self._shown(session)}

    def _shown(self, session: Session) -> dict[str, Any]:
        # Nimble sends dates as ISO 8601 text, as all of the restJson protocol.
        shown = {
            "sessionId": session.session_id,
            "state": session.state,
            "statusCode": f"STREAMING_SESSION_{session.state}",
            "createdAt": _iso(session.created_at),
            "launchProfileId": session.asked_for.get("launchProfileId", "lp"),
        }
        return shown if session.message is None else {**shown, "statusMessage": session.message}

    def _shown_stream(self, stream: Stream) -> dict[str, Any]:
        shown = {
            "streamId": stream.stream_id,
            "state": stream.state,
            "statusCode": f"STREAM_{stream.state}",
            "createdAt": _iso(stream.created_at),
            "expiresAt": _iso(stream.expires_at),
        }
        return {**shown, "url": stream.url} if stream.state == "READY" else shown

    # --- Of both ---

    def _resources(self) -> Iterator[Resource]:
        yield from self.computers.values()
        yield from self.sessions.values()
        yield from self.streams.values()

    def _settle(self) -> None:
        for resource in self._resources():
            resource.settle(self.clock.service)

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _url(self, session: str) -> str:
        secret = f"s3cr3t-of-a-url-{self._number()}"
        self.secrets.append(secret)
        # Nobody listens there: a check whether it can be reached must not leave the machine.
        return f"https://127.0.0.1:9/?authToken={secret}#{session}"


def _snake_case(operation: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")
