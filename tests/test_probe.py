"""A server that answers, and the step at which one that does not is named."""

import asyncio
import socket
import ssl
import subprocess
import traceback
from contextlib import asynccontextmanager

import pytest

from dcvsessions.dcv import _probe as probe
from dcvsessions.dcv._probe import Attempt, wait_until_reachable
from dcvsessions.dcv._url import DcvUrl, host_and_port
from dcvsessions.errors import InvalidArgumentError, UnreachableError

TOKEN = "TOKENcanary"
LAB = DcvUrl(f"https://lab.example:8443/?authToken={TOKEN}#console")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate for localhost, and its key."""
    made = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", made / "key.pem", "-out", made / "cert.pem"]
    subprocess.run(["openssl", "req", "-x509", *kind, *names, *files], check=True, timeout=30)
    return made / "cert.pem", made / "key.pem"


@asynccontextmanager
async def serving(answer, certificate=None):
    """Serve `answer` to whoever connects; gives the port and what was asked."""
    asked = []

    async def handle(reader, writer):
        asked.append(await reader.read(4096))
        writer.write(answer)
        writer.close()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def failed_step(url):
    attempt = Attempt()
    with pytest.raises((OSError, EOFError)):
        await probe.connect(url, attempt)
    return attempt.step


@pytest.mark.parametrize("scheme", ["https", "dcv"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_server_with_a_good_certificate_is_reached(certificate, monkeypatch, scheme, host):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n", certificate) as (port, asked):
        url = DcvUrl(f"{scheme}://{host}:{port}/{TOKEN}?authToken={TOKEN}#console")
        assert await url.wait_until_reachable(timeout=10) is None
    [request] = asked
    assert request.startswith(b"GET / HTTP/1.1\r\nHost: " + f"{host}:{port}\r\n".encode())
    assert TOKEN.encode() not in request


async def test_an_untrusted_certificate_fails_at_tls(certificate):
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n", certificate) as (port, _asked):
        assert await failed_step(DcvUrl(f"https://localhost:{port}/?authToken={TOKEN}")) == "tls"


async def test_a_certificate_for_another_name_fails_at_tls(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n", certificate) as (port, asked):

        async def resolved(*_args, **_kwargs):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved)
        attempt = Attempt()
        with pytest.raises(ssl.SSLCertVerificationError, match=r"lab\.example"):
            await probe.connect(DcvUrl(f"https://lab.example:{port}/?authToken={TOKEN}"), attempt)
    assert attempt.step == "tls"
    assert asked == []


async def test_a_port_without_tls_fails_at_tls():
    async with serving(b"SSH-2.0-OpenSSH_9.2\r\n") as (port, _asked):
        assert await failed_step(DcvUrl(f"https://localhost:{port}/?authToken={TOKEN}")) == "tls"


async def test_a_closed_port_fails_at_tcp_and_suggests_a_firewall():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, and not listening
        port = held.getsockname()[1]
        url = DcvUrl(f"https://127.0.0.1:{port}/?authToken={TOKEN}#console")
        assert await failed_step(url) == "tcp"
        with pytest.raises(UnreachableError) as caught:
            await url.wait_until_reachable(timeout=0.05)
    assert caught.value.step == "tcp"
    assert f"a firewall may block TCP port {port}" in str(caught.value)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TOKEN not in "".join(shown.format())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "0 bytes read on a total of 12 expected bytes"),
        (b"HTTP/1", "6 bytes read on a total of 12 expected bytes"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 500 No\r\n\r\n", "the answer has the HTTP status 500"),
        (b"HTTP/1.1 503 Not yet\r\n\r\n", "the answer has the HTTP status 503"),
    ],
)
async def test_a_bad_answer_fails_at_http(answer, problem):
    attempt = Attempt()
    async with serving(answer) as (port, _asked):
        with pytest.raises((OSError, EOFError)) as caught:
            await probe.connect(DcvUrl(f"http://127.0.0.1:{port}/?authToken={TOKEN}"), attempt)
    assert attempt.step == "http"
    assert str(caught.value) == problem


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "403 Forbidden", "404 Not Found"])
async def test_any_answer_below_500_counts_as_reachable(status):
    async with serving(f"HTTP/1.1 {status}\r\n\r\n".encode()) as (port, _asked):
        await DcvUrl(f"http://127.0.0.1:{port}/").wait_until_reachable(timeout=10)


async def test_an_unknown_name_fails_at_dns(monkeypatch):
    async def unknown(*_args, **_kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    assert await failed_step(DcvUrl(f"https://lab.example:8443/?authToken={TOKEN}")) == "dns"


async def test_a_simulated_desktop_is_reached(sim):
    host_and_port = sim.endpoint_url.partition("://")[2]
    await DcvUrl(f"http://{host_and_port}/?authToken={TOKEN}").wait_until_reachable(timeout=10)


def silent(step):
    """A server behind a firewall that drops packets."""

    async def connect(_url, attempt):
        attempt.step = step
        await asyncio.Event().wait()

    return connect


@pytest.fixture
def waited(monkeypatch):
    """Wait for the server of LAB, with another `connect` in place of the one over the network."""

    async def wait(timeout, connect):
        monkeypatch.setattr(probe, "connect", connect)
        await wait_until_reachable(LAB, timeout)

    return wait


def refusing(times, began):
    """A server that refuses some times before it is there; notes when it was asked."""

    async def connect(_url, attempt):
        began.append(asyncio.get_running_loop().time())
        attempt.step = "tcp"
        if len(began) <= times:
            raise ConnectionRefusedError(111, "refused")

    return connect


@pytest.mark.looptime(start=0)
@pytest.mark.parametrize("timeout", [0.5, 10, 10.5, 25, 33.25])
async def test_a_probe_without_an_answer_ends_exactly_at_its_timeout(waited, timeout):
    with pytest.raises(UnreachableError, match="no answer") as caught:
        await waited(timeout, silent("tcp"))
    assert asyncio.get_running_loop().time() == timeout
    assert caught.value.step == "tcp"


@pytest.mark.looptime(start=0)
@pytest.mark.parametrize(
    ("step", "advice"),
    [
        ("dns", "its name does not resolve"),
        ("tcp", "a firewall may block TCP port 8443"),
        ("tls", "TCP port 8443 is open, but the TLS handshake failed"),
        ("http", "TCP port 8443 is open, but the HTTP request failed"),
    ],
)
async def test_the_error_of_a_probe_says_what_failed(waited, step, advice):
    with pytest.raises(UnreachableError) as caught:
        await waited(2.5, silent(step))
    assert caught.value.step == step
    assert str(caught.value) == (
        "The desktop's server lab.example:8443 was not reachable within 2.5 s. "
        f"The last attempt failed at {step}, with no answer: {advice}."
    )


@pytest.mark.looptime(start=0)
async def test_a_probe_tries_once_a_second_until_the_server_answers(waited):
    began = []
    await waited(120, refusing(3, began))
    assert began == [0, 1, 2, 3]


@pytest.mark.looptime(start=0)
async def test_a_probe_sleeps_no_longer_than_its_timeout(waited):
    began = []
    with pytest.raises(UnreachableError, match="refused"):
        await waited(2.5, refusing(100, began))
    assert began == [0, 1, 2]
    assert asyncio.get_running_loop().time() == 2.5


@pytest.mark.looptime(start=0)
async def test_a_silent_server_is_tried_again_after_ten_seconds(waited):
    steps = iter(["tcp", "tls", None])

    async def connect(_url, attempt):
        if (step := next(steps)) is not None:
            await silent(step)(_url, attempt)

    await waited(60, connect)
    assert asyncio.get_running_loop().time() == 22  # two of 10 seconds, and a pause after each


@pytest.mark.looptime(start=0)
async def test_a_probe_without_a_timeout_goes_on(waited):
    began = []
    await waited(None, refusing(1000, began))
    assert asyncio.get_running_loop().time() == 1000


@pytest.mark.looptime(start=0)
async def test_an_asyncio_timeout_ends_a_probe(waited):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await waited(60, silent("tcp"))
    assert asyncio.get_running_loop().time() == 3


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "5", True, [1]])
async def test_an_invalid_timeout_is_refused(timeout):
    with pytest.raises(InvalidArgumentError, match="timeout"):
        await DcvUrl("https://h/").wait_until_reachable(timeout=timeout)


def test_host_and_port_puts_ipv6_in_brackets():
    assert host_and_port(DcvUrl("https://[::1]/desk?authToken=x")) == "[::1]:443"
