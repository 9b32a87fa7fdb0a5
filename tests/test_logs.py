"""Secrets are masked in the records that botocore makes for our calls, and in no others."""

import functools
import io
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
from aiobotocore.session import get_session
from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dcvsessions import AccessDeniedError, LightsailClient
from dcvsessions._secrets import logs, mask
from dcvsessions.simulator import Fault

TOKEN = "TOKEN-canary-0123456789"
SESSION_TOKEN = "SESSION-canary+/=="
SECRET_KEY = "SECRET-canary/+0123456789"
CANARIES = (TOKEN, SESSION_TOKEN, SECRET_KEY)
DCV_URL = f"https://203.0.113.1:8443/desk/{TOKEN}?authToken={TOKEN}#console"
TREES = ("botocore", "aiobotocore", "aiohttp")


@pytest.fixture
def masking():
    with logs.masking():
        yield


@contextmanager
def call_of_ours():
    """What a client of ours does around each call."""
    token = logs.MASKED.set(True)
    try:
        yield
    finally:
        logs.MASKED.reset(token)


@pytest.fixture
def log():
    """The root logger's output at DEBUG, through a handler that comes after all the others."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


@asynccontextmanager
async def lightsail(body):
    """Give an aiobotocore client of a Lightsail that answers everything with `body`."""

    async def answer(_request):
        return web.Response(text=body, content_type="application/x-amz-json-1.1")

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with get_session().create_client(
            "lightsail",
            region_name="us-west-2",
            endpoint_url=f"http://127.0.0.1:{runner.addresses[0][1]}",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key=SECRET_KEY,
            aws_session_token=SESSION_TOKEN,
        ) as client:
            yield client
    finally:
        await runner.cleanup()


def session_answer(url=DCV_URL):
    return json.dumps({"resourceName": "lab", "status": "started", "sessions": [{"url": url}]})


async def test_a_real_call_leaves_no_secret_in_the_log(masking, log):
    with call_of_ours():
        async with lightsail(session_answer()) as client:
            answer = await client.create_gui_session_access_details(resourceName="lab")
    assert answer["sessions"][0]["url"] == DCV_URL
    text = log.getvalue()
    assert not [canary for canary in CANARIES if canary in text]
    assert "Signature:\n***" in text


@pytest.mark.parametrize("fault", [None, Fault.error("AccessDeniedException", 403)])
async def test_a_client_masks_what_is_logged_in_its_calls_and_nothing_else(sim, log, fault):
    others = logging.getLogger("botocore.others")
    before = logging.getLogRecordFactory()
    sim.lightsail.set_status("my-computer", "started")
    if fault:
        sim.inject("CreateGUISessionAccessDetails", fault)
    async with LightsailClient() as client:
        others.debug("token=%s", "before the call")
        with suppress(AccessDeniedError):
            details = await client.create_gui_session_access_details("my-computer")
            assert str(details.sessions[0].url) not in log.getvalue()
        others.debug("token=%s", "after the call")
    assert "Signature:\n***" in log.getvalue()
    assert "token=before the call" in log.getvalue()
    assert "token=after the call" in log.getvalue()
    assert logging.getLogRecordFactory() is before


async def test_masked_records_keep_what_helps_to_debug(masking, log):
    with call_of_ours():
        async with lightsail(session_answer()) as client:
            await client.create_gui_session_access_details(resourceName="lab")
    text = log.getvalue()
    for kept in (
        "CreateGUISessionAccessDetails",
        '"status": "started"',
        '"url": "https://203.0.113.1:8443/***"',
        "Credential=AKIDEXAMPLE/",
        "/us-west-2/lightsail/aws4_request",
        "SignedHeaders=",
        "botocore.auth StringToSign:",
    ):
        assert kept in text


async def test_an_answer_that_was_cut_off_is_masked_too(masking, log):
    cut = session_answer()
    with call_of_ours():
        async with lightsail(cut[: cut.index("#console")]) as client:
            await client.create_gui_session_access_details(resourceName="lab")
    assert TOKEN not in log.getvalue()
    assert "Response body" in log.getvalue()


async def test_records_of_other_clients_stay_readable(masking, log):
    async with lightsail(session_answer()) as client:
        await client.create_gui_session_access_details(resourceName="lab")
    assert DCV_URL in log.getvalue()
    assert SESSION_TOKEN in log.getvalue()


def test_masking_ends_with_the_last_client(monkeypatch):
    monkeypatch.setattr(logs, "_OPEN_CLIENTS", logs._OpenClients())
    before = logging.getLogRecordFactory()
    first, last = logs.masking(), logs.masking()
    first.__enter__()
    last.__enter__()
    first.__exit__(None, None, None)
    assert logging.getLogRecordFactory() is not before
    last.__exit__(None, None, None)
    assert logging.getLogRecordFactory() is before


def test_clients_of_many_threads_share_one_factory(log):
    before, threads = logging.getLogRecordFactory(), 8
    together = threading.Barrier(threads)

    def use_a_client():
        for _ in range(50):
            together.wait(10)
            with logs.masking(), call_of_ours():
                logging.getLogger("botocore.endpoint").debug("token=%s", TOKEN)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(use_a_client) for _ in range(threads)]:
            done.result(60)
    assert logging.getLogRecordFactory() is before
    assert log.getvalue() == "botocore.endpoint token=***\n" * (threads * 50)


def test_a_factory_set_on_top_of_ours_stays(log):
    before = logging.getLogRecordFactory()
    try:
        with logs.masking():
            logging.setLogRecordFactory(functools.partial(logging.getLogRecordFactory()))
            on_top = logging.getLogRecordFactory()
            with call_of_ours():
                logging.getLogger("botocore.new").debug("token=%s", TOKEN)
        assert logging.getLogRecordFactory() is on_top
        logging.getLogger("botocore.new").debug("token=%s", "readable")
    finally:
        logging.setLogRecordFactory(before)
    assert log.getvalue() == "botocore.new token=***\nbotocore.new token=readable\n"


@pytest.mark.parametrize("tree", TREES)
def test_a_logger_made_later_is_masked(masking, log, tree):
    with call_of_ours():
        logging.getLogger(f"{tree}.made.later.{id(log)}").debug("token=%s", TOKEN)
    assert log.getvalue().endswith("token=***\n")


def test_records_of_other_libraries_in_our_calls_stay_readable(masking, log):
    with call_of_ours():
        logging.getLogger("botocorelike").debug("token=%s", "readable")
    assert "readable" in log.getvalue()


def test_the_record_itself_is_masked(masking):
    seen = []
    logger = logging.getLogger("botocore.endpoint")
    handler = logging.Handler()
    handler.emit = seen.append
    logger.addHandler(handler)
    try:
        with call_of_ours():
            logger.error("got %s of %r", {"url": DCV_URL}, "lab")
    finally:
        logger.removeHandler(handler)
    [record] = seen
    assert record.getMessage() == "got {'url': 'https://203.0.113.1:8443/***'} of 'lab'"
    assert (record.args, record.exc_info) == ((), None)
    assert TOKEN not in repr(vars(record))


def test_a_logged_traceback_is_masked_and_has_no_frames(masking, log):
    with call_of_ours():
        try:
            int(f"no answer from {DCV_URL}")
        except ValueError:
            logging.getLogger("botocore.endpoint").debug("failed", exc_info=True)
    text = log.getvalue()
    assert "'no answer from https://203.0.113.1:8443/***'" in text
    assert TOKEN not in text


def test_a_message_that_cannot_be_formatted_does_not_break_the_call(masking, log):
    with call_of_ours():
        logging.getLogger("botocore.endpoint").debug("%s and %s", *[TOKEN])
    assert log.getvalue() == "botocore.endpoint %s and %s (its arguments do not fit)\n"


def test_nothing_is_formatted_while_debug_is_off(masking):
    class Loud:
        def __str__(self):
            raise AssertionError("formatted")

    logger = logging.getLogger("botocore.endpoint")
    assert not logger.isEnabledFor(logging.DEBUG)
    with call_of_ours():
        logger.debug("%s", Loud())


@pytest.mark.parametrize(
    "text",
    [
        f"Signature:\n{TOKEN}",
        f"x-amz-date:20261019T000000Z\nx-amz-security-token:{TOKEN}\n\nhost;x-amz-date",
        f"{{'X-Amz-Security-Token': b'{TOKEN}', 'X-Amz-Target': b'x'}}",
        f"[('authorization', b'Bearer {TOKEN}'), ('x', 'y')]",
        f"Authorization: Bearer {TOKEN} and more",
        str(f"GET /\r\nAuthorization: Bearer {TOKEN}\r\nX-Amz-Security-Token: {TOKEN}".encode()),
        f"AWS4-HMAC-SHA256 Credential=AKID/x/aws4_request, SignedHeaders=host, Signature={TOKEN}",
        f"<SecretAccessKey>{TOKEN}</SecretAccessKey><SessionToken>{TOKEN}+/=</SessionToken>",
        f"ReadOnlyCredentials(access_key='AKID', secret_key='{TOKEN}', token='{TOKEN}')",
        f"Action=AssumeRoleWithWebIdentity&WebIdentityToken={TOKEN}&Version=2011-06-15",
        f"{{'body': b'{{\"url\":\"https:\\\\/\\\\/h\\\\/?authToken={TOKEN}#x\"}}'}}",
        f"opened dcv://203.0.113.1/?authToken={TOKEN}#console now",
        f'{{"url": "not a url but {TOKEN}"}}',
        f"Sending http request: <AWSPreparedRequest method=GET, url=https://me:{TOKEN}@host/a>",
        f"proxy http://{TOKEN}@10.0.0.1:3128 refused",
        f"https://me:pass@{TOKEN}@host/",
        f"b'https:\\/\\/me:{TOKEN}@host\\/'",
        f"socks5://me:{TOKEN}@[::1]:1080",
    ],
)
def test_every_form_of_a_secret_is_masked(text):
    assert TOKEN not in mask.mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "Event request-created.lightsail: calling handler <function add_x at 0x7f>",
        "{'nextToken': 'p2', 'clientToken': 'c-1', 'maxResults': 3}",
        "'url': 'https://lightsail.us-east-1.amazonaws.com/', 'context': {}",
        "Sending http request: <AWSPreparedRequest method=GET, url=https://nimble/2020-08-01/x>",
        "https://host/a@b, https://other and me@example.com",
    ],
)
def test_text_without_secrets_is_not_changed(text):
    assert mask.mask(text) == text


@given(
    token=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=8),
    wrap=st.sampled_from([str, repr, str.encode]),
)
def test_any_token_in_a_url_member_is_masked(token, wrap):
    body = json.dumps({"name": "lab", "url": f"https://h/?authToken=canary{token}"})
    masked = mask.mask(str(wrap(body)))
    assert "canary" not in masked
    assert "https://h/***" in masked


@pytest.mark.parametrize(
    "piece", ["https://h/", "token", '"url": "', "token:\\", "signature: '", "://a@"]
)
def test_masking_a_long_body_takes_linear_time(piece):
    # A quadratic pattern takes minutes for this; a linear one well under a second.
    began = time.perf_counter()
    mask.mask(piece * 50_000)
    assert time.perf_counter() - began < 5


def test_the_host_stays_where_user_information_is_masked():
    assert (
        mask.mask(f"GET https://me:{TOKEN}@host:8443/a HTTP") == "GET https://***@host:8443/a HTTP"
    )


foreign = st.text(st.characters())


@given(foreign)
@example("\x1b[31mred\x9b0m \u202eevil\u2066 \u2028 line \x85 \ud800 \u200b \ufeff")
def test_plain_text_is_one_printable_line(text):
    shown = mask.plain_text(text)
    assert shown.isprintable()
    assert shown == " ".join(shown.split())
    assert mask.plain_text(shown) == shown


@given(st.lists(st.text("abcdefghij0123456789.,()'-"), max_size=20))
def test_plain_text_keeps_the_words_of_a_message(words):
    message = " ".join(" ".join(words).split())
    assert mask.plain_text(message) == message
    assert mask.plain_text(f"\n{message}\r\n") == message


@settings(deadline=None)  # the machine may be busy
@given(foreign, st.integers(7_000, 9_000), st.text("ab ", max_size=9))
def test_plain_text_hides_a_secret_wherever_it_is_cut_off(before, length, after):
    filler = "word " * (length // 5)
    for secret in (
        f"https://me:canary{'x' * 200}@host/",
        f"x-amz-security-token:canary{'x' * 200}",
        f"{{'url': 'https://h/?authToken=canary{'x' * 200}'}}",
    ):
        assert "canary" not in mask.plain_text(f"{before} {filler}{secret} {after}")


def test_plain_text_of_a_short_message_is_not_cut():
    assert mask.plain_text("x" * 8_000) == "x" * 8_000
    assert mask.plain_text("x" * 8_001) == "x" * 8_000 + "…"


def test_plain_text_of_20_megabytes_takes_no_time():
    text = "https://me:" * 2_000_000
    began = time.perf_counter()
    assert len(mask.plain_text(text)) < 20_000
    assert time.perf_counter() - began < 0.5
