"""curl --aws-sigv4: accepted as it signs, refused with one digit of the signature changed."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable

import attrs
import pytest

_TARGET = "X-Amz-Target: Lightsail_20161128.{}"
# In alphabetical order: curl 7.88 signs the query as it stands, a signature is of a sorted one.
_SESSIONS = "/2020-08-01/studios/studio-1/streaming-sessions?createdBy=nobody&ownedBy=me"


def _headers_of(operation: str) -> tuple[str, ...]:
    return ("-H", _TARGET.format(operation), "-H", "Content-Type: application/x-amz-json-1.1")


@attrs.frozen
class Call:
    """A call, and what the services answer to it when it is signed rightly and wrongly."""

    service: str
    path: str
    options: tuple[str, ...]
    answer: object
    refusal: str


CALLS = [
    Call(
        "lightsail",
        "/",
        (*_headers_of("GetInstanceState"), "--data", '{"instanceName": "my-computer"}'),
        {"state": {"code": 16, "name": "running"}},
        "400",
    ),
    Call("nimble", _SESSIONS, (), {"sessions": []}, "403"),
]


@attrs.frozen
class Answer:
    """What came back to curl, and the headers by which it had signed the request."""

    status: str
    body: object
    signing: tuple[str, ...]
    encoding: list[str]


@pytest.fixture(scope="module")
def curl(serve, run, give_up) -> Callable[..., Answer]:
    if not _signs():
        give_up("there is no curl with --aws-sigv4")
    served = serve("cli")

    def curl(call: Call, *options: str, config: str = "") -> Answer:
        # By --config, so that the secret does not stand in the list of processes.
        command = ("curl", "--config", "-", "--silent", "--verbose", "--max-time", "20")
        url = served.environ["AWS_ENDPOINT_URL"] + call.path
        config = config.format_map(served.environ)
        done = run(served, *command, *call.options, *options, url, input=config)
        assert done.returncode == 0, done.stderr
        (status,) = re.findall(r"^< HTTP/1.1 (\d+)", done.stderr, re.MULTILINE)
        signing = re.findall(r"^> ((?:Authorization|X-Amz-Date): .*)$", done.stderr, re.MULTILINE)
        encoding = re.findall(r"^< Content-Encoding: (\w+)", done.stderr, re.MULTILINE)
        return Answer(status, json.loads(done.stdout), tuple(signing), encoding)

    return curl


def _signs() -> bool:
    if shutil.which("curl") is None:
        return False
    text = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=False)
    return "--aws-sigv4" in text.stdout


def signed(service: str) -> str:
    return (
        f'aws-sigv4 = "aws:amz:us-east-1:{service}"\n'
        'user = "{AWS_ACCESS_KEY_ID}:{AWS_SECRET_ACCESS_KEY}"\n'
    )


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.service)
def test_what_curl_signs_is_accepted(curl, call):
    answer = curl(call, config=signed(call.service))
    assert answer.body == call.answer
    assert answer.status == "200"


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.service)
def test_one_digit_of_the_signature_changed_is_refused(curl, call):
    signing = curl(call, config=signed(call.service)).signing
    again = curl(call, *_headers(signing))
    assert (again.status, again.body) == ("200", call.answer)
    changed = curl(call, *_headers(signing, _other_last_digit))
    assert changed.status == call.refusal
    assert "signature we calculated does not match" in changed.body["message"]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.service)
def test_a_signature_for_the_other_service_is_refused(curl, call):
    (other,) = {"lightsail", "nimble"} - {call.service}
    assert curl(call, config=signed(other)).status == call.refusal


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.service)
def test_no_signature_is_refused(curl, call):
    answer = curl(call)
    assert answer.status == call.refusal
    assert answer.body["message"] == "Missing Authentication Token"


def test_a_long_answer_is_compressed_for_who_takes_that(curl):
    call = Call("lightsail", "/", (*_headers_of("GetInstances"), "--data", "{}"), None, "400")
    plain = curl(call, config=signed("lightsail"))
    packed = curl(call, "--compressed", config=signed("lightsail"))
    assert plain.body == packed.body
    assert len(plain.body["instances"]) == 2
    assert plain.encoding == []
    assert packed.encoding == ["gzip"]


def _headers(signing: tuple[str, ...], change: Callable[[str], str] = str) -> list[str]:
    assert len(signing) == 2, "curl has not shown by what headers it signs"
    changed = (
        change(line.strip()) if line.startswith("Auth") else line.strip() for line in signing
    )
    return [word for line in changed for word in ("-H", line)]


def _other_last_digit(authorization: str) -> str:
    return authorization[:-1] + f"{int(authorization[-1], 16) ^ 1:x}"
