"""The second fake itself: what it says is what it does."""

import ast
import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import second_fake
from second_fake import (
    Do,
    Service,
    delayed,
    dripping,
    lost,
    mangled,
    never,
    redirected,
    refused,
    replied,
    truncated,
)
from second_fake.oracle import Logged, leaked, told, unnamed

pytestmark = pytest.mark.looptime

TARGET = "Lightsail_20161128.CreateGUISessionAccessDetails"


@pytest.fixture
async def fake() -> AsyncIterator[Service]:
    async with Service(start_time=8) as service:
        service.add_computer("lab")
        yield service


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(fake: Service, method: str, path: str, body: object = None, **headers: str) -> bytes:
    """Send one request by hand and return all that comes back."""
    reader, writer = await asyncio.open_connection(fake.host, fake.port)
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", f"content-length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length: ")[2].split()[0])
        return answer + await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        writer.close()
        await writer.wait_closed()


async def details(fake: Service) -> bytes:
    return await ask(fake, "POST", "/", {"resourceName": "lab"}, x_amz_target=TARGET)


async def create(fake: Service, token: str) -> dict[str, Any]:
    path = "/2020-08-01/studios/studio/streaming-sessions"
    body = {"launchProfileId": "lp"}
    answer = await ask(fake, "POST", path, body, x_amz_client_token=token)
    session: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])["session"]
    return session


def test_it_shares_nothing_with_the_simulator() -> None:
    for path in Path(str(second_fake.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            assert "simulator" not in " ".join([str(getattr(node, "module", "")), *names])


async def test_a_request_is_recorded_with_its_headers_and_its_credentials(fake: Service) -> None:
    await ask(
        fake,
        "POST",
        "/",
        {"resourceName": "lab"},
        x_amz_target=TARGET,
        authorization="signature",
        x_amz_security_token="token",
    )
    (request,) = fake.requests
    assert request.operation == "CreateGUISessionAccessDetails"
    assert request.headers["authorization"] == "signature"
    assert request.headers["x-amz-security-token"] == "token"
    assert request.members == {"resourceName": "lab"}
    assert request.took_effect
    assert request.is_over


async def test_a_session_bills_from_its_creation_to_its_deletion(fake: Service) -> None:
    first = await create(fake, "a")
    assert await create(fake, "a") == first
    assert (await create(fake, "b"))["sessionId"] != first["sessionId"]
    assert len(fake.billing) == 2
    path = f"/2020-08-01/studios/studio/streaming-sessions/{first['sessionId']}"
    await ask(fake, "DELETE", path)
    assert [session.token for session in fake.billing] == ["b"]
    assert unnamed(fake, "client_token='b'") == []
    assert len(unnamed(fake, "client_token='a'")) == 1


async def test_states_follow_the_services_clock_also_while_the_loops_stands_still(
    fake: Service,
) -> None:
    session = await create(fake, "a")
    assert session["state"] == "CREATE_IN_PROGRESS"
    began = now()
    fake.clock.suspend(10)
    assert (await create(fake, "a"))["state"] == "READY"
    assert now() == began
    await asyncio.sleep(5)
    assert fake.clock.wall - fake.clock.service == 0
    fake.clock.skew = 30
    assert fake.clock.service - fake.clock.wall == 30


@pytest.mark.parametrize(
    ("answer", "status", "effect"),
    [
        (Do(), 200, True),
        (replied(404), 404, False),
        (replied(404, effect=True), 404, True),
        (refused("RequestTimeoutException"), 400, False),
        (redirected("http://127.0.0.2/", 308), 308, False),
    ],
)
async def test_a_script_says_what_is_answered_and_whether_it_takes_effect(
    fake: Service, answer: Do, status: int, *, effect: bool
) -> None:
    fake.script("CreateGUISessionAccessDetails", answer)
    assert (await details(fake)).startswith(f"HTTP/1.1 {status} ".encode())
    assert fake.requests[0].took_effect is effect
    assert (await details(fake)).startswith(b"HTTP/1.1 200 ")


async def test_an_answer_can_be_cut_off_slow_late_or_missing(fake: Service) -> None:
    whole = await details(fake)
    fake.script("*", truncated(), dripping(0.5), delayed(before=3, after=4))
    cut = await details(fake)
    assert cut in whole
    assert not whole.endswith(cut)
    began = now()
    assert await details(fake) == whole.replace(b"request-1\r", b"request-3\r")
    assert now() - began >= 0.5 * (len(whole) - 1)
    began = now()
    await details(fake)
    assert now() - began == pytest.approx(7)
    fake.always("*", lost())
    assert await details(fake) == b""
    fake.always("*", never())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(details(fake), 1000)
    fake.recover()
    assert (await details(fake)).startswith(b"HTTP/1.1 200 ")


async def test_members_of_a_proper_answer_are_changed(fake: Service) -> None:
    fake.script("*", mangled(lambda members: members.update(percentageComplete=float("inf"))))
    assert b'"percentageComplete": 1e400' in await details(fake)


async def test_the_oracle_reads_notes_causes_and_logs(fake: Service) -> None:
    error = ValueError("the error")
    error.__cause__ = KeyError("the cause")
    error.add_note("the note")
    assert all(word in told(error) for word in ("the error", "the note", "the cause"))
    with Logged() as logged:
        logging.getLogger("anything").warning("it says %s", fake.secrets[0])
    assert leaked(fake, logged.text) == fake.secrets[:1]
    assert "it says" in logged.warned
