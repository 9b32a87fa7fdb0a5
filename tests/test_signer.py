"""Requests are signed byte for byte as botocore signs them."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions import LightsailClient, NimbleClient
from dcvsessions._aws import signer
from dcvsessions._aws.signer import Signer, choose_signer
from dcvsessions.simulator import Simulator

NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_", min_size=1, max_size=12)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
NAMES = st.one_of(
    TOKENS,
    st.sampled_from(
        [
            "Host",
            "User-Agent",
            "Date",
            "X-Amz-Date",
            "X-Amz-Security-Token",
            "X-Amz-Content-SHA256",
            "Authorization",
            "X-Amzn-Trace-Id",
            "Content-Type",
        ]
    ),
)
HOSTS = st.sampled_from(
    [
        "lightsail.us-east-1.amazonaws.com",
        "127.0.0.1:8080",
        "h:443",
        "h:80",
        "h:0443",
        "H.example",
        "user:pass@h",
        "[::1]:81",
        "[::1]",
    ]
)
PATHS = st.text("abcXYZ019/.~%20 +*:äß", max_size=20)
CONTEXTS: list[dict[str, Any]] = [
    {},
    {"payload_signing_enabled": False},
    {"checksum": {"request_algorithm": {"in": "trailer"}}},
]
REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["POST", "get", "DELETE"]),
        "url": st.builds(
            "{}://{}/{}{}".format,
            st.sampled_from(["https", "http"]),
            HOSTS,
            PATHS,
            st.sampled_from(["", "?", "?b=2&a=1&a", "?a=%20&a=/"]),
        ),
        "headers": st.dictionaries(NAMES, TEXT, max_size=6),
        "data": st.one_of(st.binary(max_size=40), st.text(max_size=20), st.just({"a": "b"})),
        "params": st.sampled_from([{}, {"z": "1", "a b": "ü"}]),
    }
)
CREDENTIALS = st.builds(
    ReadOnlyCredentials,
    TOKENS,
    st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()),
    st.sampled_from([None, "", "a token/with+signs=="]),
    st.none(),
)


def signed(kind: type[Any], credentials: Any, parameters: Any, context: Any) -> Any:
    """All that signing changes in a request, or the error that it raises."""
    request = AWSRequest(**parameters)
    request.context.update(context)
    # A second attempt is signed again.
    with pytest.MonkeyPatch.context() as patch:
        for module in (botocore.auth, signer):
            patch.setattr(module, "get_current_datetime", lambda: NOW)
        try:
            for _ in range(2):
                kind(credentials, "lightsail", "us-east-1").add_auth(request)
        except Exception as error:  # noqa: BLE001 - the same one is expected of both
            return type(error)
    return list(request.headers.raw_items()), request.context, request.prepare().url


def assert_signed_alike(credentials: Any, parameters: Any, context: Any) -> None:
    ours = signed(Signer, credentials, parameters, context)
    assert ours == signed(SigV4Auth, credentials, parameters, context)


@given(CREDENTIALS, REQUESTS, st.sampled_from(CONTEXTS))
def test_requests_are_signed_as_botocore_signs_them(
    credentials: Any, parameters: Any, context: Any
) -> None:
    assert_signed_alike(credentials, parameters, context)


@pytest.mark.parametrize(
    "unlike",
    [
        {},
        {"headers": {"a": "  b   c  ", "B": ""}},
        {"headers": {"Date": "today"}},
        {"headers": {"X-Amz-Date": "before", "X-Amz-Security-Token": "before"}},
        {"headers": {"A": "1", "a": "2"}},
        {"headers": {"X-Amz-Content-SHA256": "given"}},
        {"headers": {"Host": "other.example"}},
        {"headers": {"User-Agent": "a", "X-Amzn-Trace-Id": "b", "Authorization": "c"}},
        {"url": "http://h.example:80/"},
        {"url": "https://h.example:443/a/../b//c%20d?"},
        {"url": "https://h.example:80/~ä?b=2&a=1&a"},
        {"url": "https://[::1]:81/"},
        {"url": "https://user:password@H.example/"},
        {"params": {"z": "1", "a b": "ü"}},
        {"data": b""},
        {"data": "text"},
        {"data": {"a": "b"}},
        {"method": "get"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("token", [None, "a token/with+signs=="])
@pytest.mark.parametrize("context", CONTEXTS, ids=repr)
def test_unusual_requests_are_signed_as_botocore_signs_them(
    unlike: Any, token: str | None, context: Any
) -> None:
    usual = {"method": "POST", "url": "https://h.example/", "data": b"{}"}
    assert_signed_alike(ReadOnlyCredentials("key", "secret", token, None), usual | unlike, context)


def test_no_credentials_are_the_same_error() -> None:
    parameters = {"method": "POST", "url": "https://h.example/", "data": b""}
    ours = signed(Signer, None, parameters, {})
    assert ours is signed(SigV4Auth, None, parameters, {})
    assert issubclass(ours, Exception)


# --- Which class signs ---


@pytest.fixture
def by_botocore(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The URLs of the requests that botocore's own class signs."""
    found: list[str] = []
    original = SigV4Auth.add_auth

    def add_auth(self: SigV4Auth, request: AWSRequest) -> None:
        found.append(request.url)
        original(self, request)

    monkeypatch.setattr(SigV4Auth, "add_auth", add_auth)
    return found


async def every_kind_of_call(lightsail: LightsailClient, nimble: NimbleClient) -> None:
    await lightsail.create_gui_session_access_details("my-computer")
    await lightsail.start_gui_session("my-computer")
    assert [each async for each in lightsail.get_instances()]
    session = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    await nimble.get_streaming_session("studio-1", session.session_id or "")
    assert [each async for each in nimble.list_streaming_sessions("studio-1")]
    await nimble.delete_streaming_session("studio-1", session.session_id or "")


@pytest.mark.parametrize("token", [None, "a-session-token"])
async def test_the_simulator_accepts_all_calls_and_botocore_signs_none(
    monkeypatch: pytest.MonkeyPatch, by_botocore: list[str], token: str | None
) -> None:
    async with Simulator(session_token=token) as sim:
        sim.lightsail.add_instance("my-computer")
        sim.nimble.add_studio("studio-1", launch_profiles=("lp-1",))
        for name, value in sim.environ.items():
            monkeypatch.setenv(name, value)
        async with LightsailClient() as lightsail, NimbleClient() as nimble:
            await every_kind_of_call(lightsail, nimble)
    assert by_botocore == []


async def test_botocore_signs_if_its_log_shall_show_what_is_signed(
    caplog: pytest.LogCaptureFixture, lightsail: LightsailClient
) -> None:
    with caplog.at_level(logging.DEBUG, "botocore.auth"):
        await lightsail.create_gui_session_access_details("my-computer")
    assert "CanonicalRequest" in caplog.text


def test_only_signature_4_is_replaced() -> None:
    assert choose_signer("v4") == "dcvsessions-v4"
    assert botocore.auth.AUTH_TYPE_MAPS["dcvsessions-v4"] is Signer
    for other in ("v4-query", "v4a", "bearer", botocore.UNSIGNED):
        assert choose_signer(other) is None
