"""A profile that signs in by SSO, with the models of botocore."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dcvsessions.simulator import Simulator, Timings, serve_in_thread

START_URL = "https://example.awsapps.com/start"
BEARER = "the-token-of-aws-sso-login"
# Runs in another process, because botocore decides at import where it looks for SSO tokens.
SCRIPT = """
import asyncio
from dcvsessions import open_gui_session

print(asyncio.run(open_gui_session("my-computer", profile_name="by-sso", timeout=30)))
"""


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with serve_in_thread(
        Simulator(timings=Timings.instant(), session_token="a-session-token")
    ) as simulator:
        simulator.lightsail.add_instance("my-computer")
        yield simulator


@pytest.fixture
def portal(sim: Simulator) -> Iterator[tuple[str, list[str]]]:
    """A server of GetRoleCredentials that returns the simulator's keys, and its requests."""
    asked: list[str] = []
    keys = {
        "accessKeyId": sim.environ["AWS_ACCESS_KEY_ID"],
        "secretAccessKey": sim.environ["AWS_SECRET_ACCESS_KEY"],
        "sessionToken": "a-session-token",
        "expiration": int(time.time() + 3600) * 1000,
    }

    class Portal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            is_signed_in = self.headers["x-amz-sso_bearer_token"] == BEARER
            self.send_response(200 if is_signed_in else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"roleCredentials": keys}).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_profile_signs_in_by_sso(
    sim: Simulator, portal: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = portal
    aws = tmp_path / ".aws"
    cache = aws / "sso" / "cache"
    cache.mkdir(parents=True)
    (aws / "config").write_text(
        "[profile by-sso]\n"
        f"sso_start_url = {START_URL}\n"
        "sso_region = us-east-1\n"
        "sso_account_id = 123456789012\n"
        "sso_role_name = Researcher\n"
        "region = us-east-1\n"
    )
    key = hashlib.sha1(START_URL.encode(), usedforsecurity=False).hexdigest()
    token = {"startUrl": START_URL, "accessToken": BEARER, "expiresAt": "2999-01-01T00:00:00Z"}
    (cache / f"{key}.json").write_text(json.dumps(token))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL_SSO": address,
            "AWS_ENDPOINT_URL_LIGHTSAIL": sim.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sim.accepts(done.stdout.strip())
    assert asked == ["/federation/credentials?role_name=Researcher&account_id=123456789012"]
