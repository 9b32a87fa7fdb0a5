"""Answers that are not the service's, or do not say what they seem to say: nothing is believed."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import botocore.retries.standard as botocore_retries
import pytest
from second_fake import (
    Do,
    Reply,
    Service,
    lost,
    mangled,
    never,
    redirected,
    refused,
    replied,
    truncated,
)
from second_fake.answers import HTML
from second_fake.oracle import Logged, told, unnamed

from dcvsessions import (
    AccessDeniedError,
    DcvSessionsError,
    InvalidResponseError,
    LightsailClient,
    NimbleClient,
    Progress,
    ServiceFaultError,
    WaitTimeoutError,
    close_gui_session,
    close_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)

pytestmark = pytest.mark.looptime

# An operation is attempted three times by botocore: this many foreign answers get past that.
SOME = 4
GONE = refused("ResourceNotFoundException", 404, "There is no such session.")


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    async with Service.in_place_of_aws(monkeypatch) as service:
        service.add_computer("lab")
        yield service


async def new_session(**how: Any) -> str:
    return await open_streaming_session("studio", launch_profile_id="lp", **how)


FOREIGN = {
    "bare 400": replied(400),
    "bare 401": replied(401),
    "bare 402": replied(402),
    "bare 403": replied(403),
    "bare 404": replied(404),
    "bare 409": replied(409),
    "bare 410": replied(410),
    "403 page": replied(403, HTML),
    "404 page": replied(404, HTML),
    "503 page": replied(503, HTML),
    "200 page": replied(200, HTML),
    "204": replied(204),
    "300 without a place": replied(300),
    "304": replied(304),
    "404 without a code": replied(404, {"message": "no such page"}),
    "403 of a gateway": replied(403, {"error": "forbidden", "status": 403}),
    "code is a dict": replied(404, {"code": {"a": 1}}),
    "code is a list": replied(404, {"__type": ["ResourceNotFoundException"]}),
    "code is a number": replied(404, {"code": 404}),
    "code is null": replied(404, {"code": None, "__type": None}),
    "code is a sentence": replied(404, {"code": "<h1>Not found, sorry</h1>"}),
    "code in the header is a page": replied(404, b"{}", {"x-amzn-errortype": "<html>"}),
    "code in the header is a number": replied(404, b"{}", {"x-amzn-errortype": "404"}),
    "code in the header is empty": replied(404, b"{}", {"x-amzn-errortype": ""}),
    "body is a list": replied(400, [1, 2]),
    "body is a number": replied(404, b"404"),
    "body is null": replied(404, b"null"),
    "503 whose code is a dict": replied(503, {"code": {"a": 1}}),
    "503 whose code is a list": replied(503, {"__type": [1]}),
    "body is no UTF-8": replied(400, b"\xff\xfe{}"),
    "body is deep": replied(400, b"[" * 100_000),
    "200 is deep": replied(200, b"[" * 100_000),
    "200 is a list": replied(200, [1, 2]),
    "200 without members": replied(200, {}),
    "200 with other members": replied(200, {"session": 5, "stream": [], "status": {}}),
    "200 is empty": replied(200, b""),
    "200 is null": replied(200, b"null"),
}


# --- An answer is the service's only if it proves so ---


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_answer_does_not_end_open_gui_session(fake: Service, foreign: Do) -> None:
    fake.script("CreateGUISessionAccessDetails", *[foreign] * SOME)
    # A start is not repeated by botocore, and by the helper twice.
    fake.script("StartGUISession", *[foreign] * 2)
    fake.script("GetInstanceState", *[foreign] * SOME)
    assert fake.accepts(await open_gui_session("lab", timeout=600))


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_answer_does_not_end_open_streaming_session(
    fake: Service, foreign: Do
) -> None:
    for operation in (
        "CreateStreamingSession",
        "GetStreamingSession",
        "CreateStreamingSessionStream",
        "GetStreamingSessionStream",
    ):
        fake.script(operation, *[foreign] * SOME)
    assert fake.accepts(await new_session(timeout=600))
    assert len(fake.sessions) == 1


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_answer_does_not_end_close_streaming_session(
    fake: Service, foreign: Do
) -> None:
    session = fake.add_session()
    fake.script("GetStreamingSession", *[foreign] * SOME)
    fake.script("DeleteStreamingSession", *[foreign] * SOME)
    await close_streaming_session("studio", session.session_id, timeout=600)
    assert not fake.billing


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_answer_to_an_operation_is_an_invalid_response(
    fake: Service, foreign: Do
) -> None:
    fake.always("*", foreign)
    # A fault may be told from other foreign answers, as botocore does, by its status alone.
    is_fault = isinstance(foreign.reply, Reply) and foreign.reply.status >= 500
    kinds = (InvalidResponseError, ServiceFaultError) if is_fault else (InvalidResponseError,)
    async with NimbleClient() as nimble, LightsailClient() as lightsail:
        with pytest.raises(kinds) as caught:
            await nimble.get_streaming_session("studio", "session-1")
        assert str(caught.value).startswith("GetStreamingSession: ")
        with pytest.raises(kinds) as caught:
            await lightsail.create_gui_session_access_details("lab")
        assert str(caught.value).startswith("CreateGUISessionAccessDetails: ")


async def test_a_proxys_page_does_not_advise_on_iam(fake: Service) -> None:
    fake.always("*", replied(403, HTML))
    with pytest.raises(DcvSessionsError) as caught:
        await open_gui_session("lab", timeout=10)
    assert isinstance(caught.value, WaitTimeoutError)
    assert "IAM" not in told(caught.value)


async def test_the_services_own_refusal_still_ends_a_wait_at_once(fake: Service) -> None:
    fake.always("*", refused("AccessDeniedException", 403, "You may not."))
    began = asyncio.get_running_loop().time()
    with pytest.raises(AccessDeniedError, match="You may not"):
        await open_gui_session("lab")
    assert asyncio.get_running_loop().time() - began < 1


async def test_a_code_counts_in_the_header_or_in_the_body(fake: Service) -> None:
    in_header = replied(404, b"", {"x-amzn-errortype": "ResourceNotFoundException:http://aws"})
    in_body = replied(404, {"__type": "com.amazonaws.nimble#ResourceNotFoundException"})
    session = fake.add_session("DELETED")
    for own in (in_header, in_body):
        fake.script("GetStreamingSession", own)
        await close_streaming_session("studio", session.session_id)


# --- Redirects are never followed ---


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("effect", [False, True])
async def test_a_redirect_of_a_wait_is_not_followed(
    fake: Service, status: int, *, effect: bool
) -> None:
    fake.elsewhere.reply = Reply(200, {}, b'{"session": {"state": "DELETED"}, "status": "stopped"}')
    fake.always("*", redirected(f"{fake.elsewhere.url}/a?token=s3cr3t", status, effect=effect))
    session = fake.add_session()
    words = session.session_id
    for work in (
        lambda: open_gui_session("lab", timeout=10),
        lambda: close_gui_session("lab", timeout=10),
        lambda: new_session(timeout=10),
        lambda: open_stream("studio", session.session_id, timeout=10),
        lambda: close_streaming_session("studio", session.session_id, timeout=10),
    ):
        with pytest.raises(DcvSessionsError) as caught:
            await work()
        words += told(caught.value)
        assert fake.elsewhere.host in told(caught.value)
        assert "s3cr3t" not in told(caught.value)
        assert not unnamed(fake, words)
    assert fake.elsewhere.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_an_operation_is_an_error_that_names_the_host(
    fake: Service, status: int
) -> None:
    fake.always("*", redirected(f"{fake.elsewhere.url}/somewhere?token=s3cr3t", status))
    async with NimbleClient() as nimble, LightsailClient() as lightsail:
        for work in (
            lambda: nimble.create_streaming_session("studio", launch_profile_id="lp"),
            lambda: nimble.get_streaming_session("studio", "session-1"),
            lambda: nimble.delete_streaming_session("studio", "session-1"),
            lambda: lightsail.start_gui_session("lab"),
            lambda: lightsail.create_gui_session_access_details("lab"),
        ):
            with pytest.raises(InvalidResponseError, match=fake.elsewhere.host) as caught:
                await work()
            assert "s3cr3t" not in told(caught.value)
    assert fake.elsewhere.requests == []


async def test_no_credential_leaves_for_another_host(fake: Service) -> None:
    for status in (301, 302, 303, 307, 308):
        fake.always("*", redirected(fake.elsewhere.url, status))
        with pytest.raises(DcvSessionsError):
            await new_session(timeout=1)
    assert [sorted(request.headers) for request in fake.elsewhere.requests] == []
    assert all("x-amz-security-token" in request.headers for request in fake.requests)


@pytest.mark.parametrize(
    "place", ["", "//", "http://", "::::", "/", "http://[", "http://[::1", "?x"]
)
async def test_a_redirect_to_no_place_is_an_invalid_response(fake: Service, place: str) -> None:
    fake.always("*", redirected(place, 302))
    async with NimbleClient() as nimble:
        with pytest.raises(InvalidResponseError):
            await nimble.get_streaming_session("studio", "session-1")


# --- A deletion is confirmed by the service's own word only ---


NOT_CONFIRMED = {
    "404 page": replied(404, HTML),
    "bare 404": replied(404),
    "200 page": replied(200, HTML),
    "200 without members": replied(200, {}),
    "204": replied(204),
    "303": redirected("/deleted", 303),
    "still ready": replied(200, {"session": {"sessionId": "session-1", "state": "READY"}}),
    "409 page": replied(409, HTML),
    "503 whose code is a dict": replied(503, {"code": {"a": 1}}),
    "body is deep": replied(404, b"[" * 100_000),
    "lost": lost(effect=False),
    "never": never(effect=False),
}


async def end_of_a_failed_call(fake: Service) -> None:
    fake.fails = True
    await new_session(timeout=60)


async def end_of_a_late_call(_: Service) -> None:
    await new_session(timeout=5)


async def end_of_a_block(_: Service) -> None:
    async with streaming_session("studio", launch_profile_id="lp"):
        pass


async def end_of_a_failed_block(_: Service) -> None:
    async with streaming_session("studio", launch_profile_id="lp"):
        raise ValueError("of the block")


async def end_of_a_cancelled_call(_: Service) -> None:
    async with asyncio.timeout(5):
        await new_session()


async def end_by_hand(fake: Service) -> None:
    fake.add_session()
    await close_streaming_session("studio", "session-1", timeout=60)


ENDS = (
    end_of_a_failed_call,
    end_of_a_late_call,
    end_of_a_block,
    end_of_a_failed_block,
    end_of_a_cancelled_call,
    end_by_hand,
)


@pytest.mark.parametrize("answer", NOT_CONFIRMED.values(), ids=NOT_CONFIRMED)
@pytest.mark.parametrize("end", ENDS)
async def test_a_deletion_that_was_not_confirmed_leaves_the_id_in_the_error(
    fake: Service, end: Callable[[Service], Awaitable[None]], answer: Do
) -> None:
    fake.always("DeleteStreamingSession", answer)
    with pytest.raises((DcvSessionsError, ValueError, TimeoutError)) as caught:
        await end(fake)
    (session,) = fake.billing
    assert session.session_id in told(caught.value)
    if end is end_of_a_failed_block:
        assert str(caught.value) == "of the block"


async def test_not_found_does_not_count_as_deleted_while_the_session_is_young(
    fake: Service,
) -> None:
    fake.script("DeleteStreamingSession", GONE, GONE, GONE)
    with pytest.raises(WaitTimeoutError):
        await new_session(timeout=2)
    assert not fake.billing


async def test_a_session_of_a_wait_is_not_gone_because_a_proxy_says_404(fake: Service) -> None:
    session = fake.add_session()
    fake.always("GetStreamingSession", replied(404, HTML))
    fake.always("DeleteStreamingSession", replied(404, HTML))
    with pytest.raises(WaitTimeoutError) as caught:
        await close_streaming_session("studio", session.session_id, timeout=60)
    assert caught.value.left_behind is not None
    assert caught.value.left_behind.session_id == session.session_id


# --- What proves that nothing happened is a list ---


AMBIGUOUS = {
    "408": replied(408, effect=True),
    "499": replied(499, effect=True),
    "404 page": replied(404, HTML, effect=True),
    "403 page": replied(403, HTML, effect=True),
    "302": redirected("http://127.0.0.1:9/", 302, effect=True),
    "RequestTimeoutException": refused("RequestTimeoutException", effect=True),
    "RequestTimeout": refused("RequestTimeout", effect=True),
    "PriorRequestNotComplete": refused("PriorRequestNotComplete", effect=True),
    "TransactionInProgressException": refused("TransactionInProgressException", effect=True),
    "a code that nobody knows": refused("SomethingOfTomorrowException", effect=True),
    "InternalServerErrorException": refused("InternalServerErrorException", 500, effect=True),
    "503 whose code is a dict": replied(503, {"code": {"a": 1}}, effect=True),
    "200 without members": replied(200, {}, effect=True),
    "truncated": truncated(),
    "lost": lost(),
    "never": never(),
}


@pytest.mark.parametrize("answer", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_a_create_that_may_have_happened_is_looked_up_by_its_token(
    fake: Service, answer: Do
) -> None:
    fake.script("CreateStreamingSession", answer)
    assert fake.accepts(await new_session(timeout=120))
    assert len(fake.sessions) == 1
    assert len({request.client_token for request in fake.called("CreateStreamingSession")}) == 1


@pytest.mark.parametrize("answer", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_a_create_that_may_have_happened_leaves_its_token_in_the_error(
    fake: Service, answer: Do
) -> None:
    fake.always("CreateStreamingSession", answer)
    with pytest.raises(DcvSessionsError) as caught:
        await new_session(timeout=20)
    (session,) = fake.billing
    assert session.token
    assert session.token in told(caught.value)
    assert caught.value.left_behind is not None
    assert caught.value.left_behind.client_token == session.token


@pytest.mark.parametrize("answer", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_a_create_that_was_cancelled_meanwhile_is_deleted_or_named(
    fake: Service, answer: Do
) -> None:
    fake.always("CreateStreamingSession", answer)
    with Logged() as logged:
        task = asyncio.create_task(new_session())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert not unnamed(fake, told(caught.value) + logged.warned)


async def test_a_create_that_was_refused_leaves_nothing_behind(fake: Service) -> None:
    fake.always("CreateStreamingSession", refused("AccessDeniedException", 403))
    with pytest.raises(AccessDeniedError) as caught:
        await new_session()
    assert "client_token" not in told(caught.value)
    assert len(fake.called("CreateStreamingSession")) == 1


TRANSIENT = sorted(
    {
        *botocore_retries.TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        *botocore_retries.ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
    }
)


@pytest.mark.parametrize("code", TRANSIENT)
async def test_what_botocore_calls_transient_does_not_end_a_wait(fake: Service, code: str) -> None:
    fake.script("CreateGUISessionAccessDetails", *[refused(code)] * SOME)
    assert fake.accepts(await open_gui_session("lab", timeout=600))
    fake.script("CreateStreamingSession", *[refused(code)] * SOME)
    fake.script("GetStreamingSession", *[refused(code)] * SOME)
    assert fake.accepts(await new_session(timeout=600))


@pytest.mark.parametrize(
    "status", [408, 425, *botocore_retries.TransientRetryableChecker._TRANSIENT_STATUS_CODES]
)
async def test_a_transient_status_does_not_end_a_wait(fake: Service, status: int) -> None:
    fake.script("CreateGUISessionAccessDetails", *[replied(status)] * SOME)
    assert fake.accepts(await open_gui_session("lab", timeout=600))
    fake.script("CreateStreamingSession", *[replied(status)] * SOME)
    assert fake.accepts(await new_session(timeout=600))


# --- Nothing foreign gets out, nothing of the caller's is replaced ---


JUNK = {
    "503 whose code is a dict": replied(503, {"code": {"a": 1}}),
    "400 whose code is a list": replied(400, {"__type": [1], "message": {"a": 1}}),
    "429 whose code is a number": replied(429, {"code": 5}),
    "body is deep": replied(400, b"[" * 100_000),
    "message is a dict": replied(400, {"code": "ThrottlingException", "message": {"a": 1}}),
    "retry-after is huge": refused("ThrottlingException", 429, headers={"retry-after": "9" * 400}),
    "retry-after is a year": refused(
        "ThrottlingException", 429, headers={"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}
    ),
    "retry-after is no number": refused(
        "ThrottlingException", 429, headers={"retry-after": "\xb2"}
    ),
    "date is no date": refused("RequestExpired", 403, headers={"date": "Fri, 99 Foo 0 99:99:99"}),
    "a header is no UTF-8": replied(302, headers={"location": "\x80\xe9"}),
    "length is a lie": replied(200, b"{}", {"content-length": "5000000000"}),
    "length is no number": replied(200, b"{}", {"content-length": "five"}),
    "compressed it is not": replied(200, b"{}", {"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_every_error_of_a_call_is_one_of_this_package(fake: Service, junk: Do) -> None:
    fake.always("*", junk)
    session = fake.add_session()
    async with NimbleClient() as nimble, LightsailClient() as lightsail:
        for work in (
            lambda: nimble.get_streaming_session("studio", "session-1"),
            lambda: lightsail.create_gui_session_access_details("lab"),
            lambda: open_gui_session("lab", timeout=5, client=lightsail),
            lambda: new_session(timeout=5, client=nimble),
            lambda: close_streaming_session("studio", session.session_id, timeout=5, client=nimble),
        ):
            with pytest.raises(DcvSessionsError):
                await work()


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_junk_at_the_clean_up_does_not_replace_a_cancellation(
    fake: Service, junk: Do
) -> None:
    with Logged() as logged:
        task = asyncio.create_task(new_session())
        await asyncio.sleep(3)
        fake.always("*", junk)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
    assert task.cancelled()
    (session,) = fake.billing
    assert session.session_id in told(caught.value)
    assert session.session_id in logged.warned


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_junk_at_the_clean_up_does_not_replace_the_callers_timeout(
    fake: Service, junk: Do
) -> None:
    fake.always("DeleteStreamingSession", junk)
    with Logged() as logged, pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(3):
            await new_session()
    assert type(caught.value) is TimeoutError
    assert not unnamed(fake, told(caught.value))
    assert not unnamed(fake, logged.warned)


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_junk_at_the_clean_up_does_not_replace_the_blocks_own_error(
    fake: Service, junk: Do
) -> None:
    mine = ValueError("of the block")

    async def block() -> None:
        async with streaming_session("studio", launch_profile_id="lp"):
            fake.always("*", junk)
            raise mine

    with pytest.raises(ValueError, match="of the block") as caught:
        await block()
    assert caught.value is mine
    (session,) = fake.billing
    assert any(session.session_id in note for note in mine.__notes__)


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_junk_at_the_end_of_a_gui_block_does_not_replace_its_error(
    fake: Service, junk: Do
) -> None:
    mine = ValueError("of the block")

    async def block() -> None:
        async with gui_session("lab", stop_on_exit=True):
            fake.always("*", junk)
            raise mine

    with pytest.raises(ValueError, match="of the block") as caught:
        await block()
    assert caught.value is mine
    assert mine.__notes__


# --- Numbers ---


def heard_percentages(heard: list[Progress]) -> set[int]:
    return {event.percentage for event in heard if event.percentage is not None}


@pytest.mark.parametrize(
    "percentage",
    [float("inf"), float("-inf"), -5, 101, 10**9, 10**400, -(10**30)],
    ids=lambda percentage: repr(percentage)[:12],
)
async def test_a_percentage_outside_0_to_100_is_ignored(fake: Service, percentage: object) -> None:
    fake.computers["lab"].percentage = percentage
    heard: list[Progress] = []
    url = await open_gui_session("lab", timeout=600, on_progress=heard.append)
    assert fake.accepts(url)
    assert all(0 <= one <= 100 for one in heard_percentages(heard))


DATES: list[object] = [
    10**400,
    float("inf"),
    -(10**18),
    1e308,
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "9999-99-99T99:99:99Z",
    "+999999999-01-01T00:00:00Z",
    "",
    {},
]


@pytest.mark.parametrize("date", DATES, ids=lambda date: repr(date)[:30])
async def test_a_date_that_overflows_is_ignored(fake: Service, date: object) -> None:
    def of_a_session(members: dict[str, Any]) -> None:
        members["session"]["createdAt"] = members["session"]["startedAt"] = date

    def of_a_stream(members: dict[str, Any]) -> None:
        members["stream"]["createdAt"] = members["stream"]["expiresAt"] = date

    for operation in ("CreateStreamingSession", "GetStreamingSession"):
        fake.script(operation, *[mangled(of_a_session)] * SOME)
    for operation in ("CreateStreamingSessionStream", "GetStreamingSessionStream"):
        fake.script(operation, *[mangled(of_a_stream)] * SOME)
    async with streaming_session("studio", launch_profile_id="lp", timeout=600) as desktop:
        assert fake.accepts(await desktop.url())
        await asyncio.sleep(600)
        assert fake.accepts(await desktop.url())
    assert not fake.billing


async def test_pages_that_lead_back_end_with_an_error(fake: Service) -> None:
    pages = {None: "a", "a": "b", "b": "c", "c": "a"}

    def sessions(token: str | None) -> Do:
        return replied(200, {"sessions": [], "nextToken": pages[token]})

    fake.script("ListStreamingSessions", *[sessions(t) for t in (None, *"abcabcabc")])
    async with NimbleClient() as nimble:
        with pytest.raises(InvalidResponseError, match="page"):
            [_ async for _ in nimble.list_streaming_sessions("studio")]
    assert len(fake.called("ListStreamingSessions")) <= 5
    for operation, member in (
        ("GetInstances", "instances"),
        ("GetOperationsForResource", "operations"),
    ):
        fake.script(
            operation,
            *[replied(200, {member: [], "nextPageToken": token}) for token in "abcabcabc"],
        )
    async with LightsailClient() as lightsail:
        with pytest.raises(InvalidResponseError, match="page"):
            _ = [one async for one in lightsail.get_instances()]
        with pytest.raises(InvalidResponseError, match="page"):
            _ = [one async for one in lightsail.get_operations_for_resource("lab")]


@pytest.mark.parametrize("word", ["x", " ", "https://", "authToken=", "a@", "\\u001b[", "://a:b@"])
async def test_a_message_of_20_mb_does_not_stall_the_loop(fake: Service, word: str) -> None:
    message = (word * (20_000_000 // len(word))).encode()
    body = b'{"code": "ValidationException", "message": "' + message + b'"}'
    fake.always("*", replied(400, body))
    began = time.process_time()
    async with NimbleClient() as nimble:
        with pytest.raises(DcvSessionsError) as caught:
            await nimble.get_streaming_session("studio", "session-1")
        assert len(str(caught.value)) < 100_000
    # All of it, with the fake's own share; masking 20 MB with one slow pattern takes minutes.
    assert time.process_time() - began < 3
