"""The simulator as a command, and in the documentation."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "simulator.md"

VARIABLES = 7
COMMAND = [sys.executable, "-X", "dev", "-W", "error", "-m", "dcvsessions.simulator"]


@contextmanager
def serving(*arguments):
    """Start the command, and read the environment variables that it prints."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    variables = VARIABLES + 2 * ("--control" in arguments)
    try:
        lines = [process.stdout.readline() for _ in range(variables)]
        words = [shlex.split(line) for line in lines]
        assert [word[0] for word in words] == ["export"] * variables
        yield process, dict(word[1].split("=", 1) for word in words)
    finally:
        process.kill()
        process.communicate()


def call(environ, operation, parameters):
    headers = {"X-Amz-Target": f"Lightsail_20161128.{operation}"}
    body = json.dumps(parameters).encode()
    request = AWSRequest("POST", environ["AWS_ENDPOINT_URL"] + "/", headers, body)
    keys = Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "lightsail", environ["AWS_REGION"]).add_auth(request)
    prepared = urllib.request.Request(request.url, body, dict(request.headers))  # noqa: S310
    with urllib.request.urlopen(prepared) as reply:  # noqa: S310 - it is ours
        return json.load(reply)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_the_default_scenario_until_a_signal(number):
    with serving("--speed", "10") as (process, environ):
        assert set(environ) == {
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "NO_PROXY",
            "no_proxy",
        }
        found = call(environ, "GetInstances", {})
        assert [instance["name"] for instance in found["instances"]] == ["my-computer"]
        process.send_signal(number)
        output, log = process.communicate(timeout=20)
        assert process.returncode == 0
        assert output == ""
        assert "lightsail.GetInstances 200" in log
        # Said once, in one line, for clients that would go to AWS.
        assert sum("do not read AWS_ENDPOINT_URL" in line for line in log.splitlines()) == 1
        assert "Traceback" not in log
        assert environ["AWS_SECRET_ACCESS_KEY"] not in log


def test_the_command_serves_a_scenario_file(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text("[[lightsail.instances]]\nname = 'other'\nstate = 'stopped'\n")
    with serving("--scenario", str(file), "--timings", "instant") as (_, environ):
        found = call(environ, "GetInstances", {})["instances"]
        assert [(each["name"], each["state"]["name"]) for each in found] == [("other", "stopped")]
        call(environ, "StartInstance", {"instanceName": "other"})
        state = call(environ, "GetInstanceState", {"instanceName": "other"})["state"]
        assert state["name"] == "running"


def run(*arguments):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_names_the_mistake_in_a_scenario_file(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text("sped = 1")
    found = run("--scenario", str(file))
    assert found.returncode == 2
    assert f"{file}: unknown: sped @ $" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_command_names_the_mistake_in_its_arguments():
    found = run("--speed", "-1")
    assert found.returncode == 2
    assert "speed must be a positive number" in found.stderr
    found = run("--port", "70000")
    assert found.returncode == 2
    assert "port must be from 0 to 65535, not 70000" in found.stderr
    assert "Traceback" not in found.stderr
    with serving() as (_, environ):
        found = run("--port", environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    assert found.returncode == 1
    assert "Cannot serve on 127.0.0.1:" in found.stderr
    assert "Traceback" not in found.stderr


def test_clients_survive_a_restart_with_fixed_keys(tmp_path):
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id = SIMULATOR-KEY\naws_secret_access_key = p%ssword\n"
    )
    named = ("--access-key-id", "SIMULATOR-KEY", "--secret-access-key", "p%ssword")
    with serving(*named) as (_, client):
        call(client, "StartGUISession", {"resourceName": "my-computer"})
    port = client["AWS_ENDPOINT_URL"].rpartition(":")[2]
    with serving("--port", port, "--credentials", str(file)) as (_, again):
        assert again == client
        (found,) = call(client, "GetInstances", {})["instances"]
        assert found["name"] == "my-computer"


def test_a_file_of_temporary_keys_is_used(tmp_path):
    file = tmp_path / "credentials"
    file.write_text(
        "[default]\naws_access_key_id=A\naws_secret_access_key=S\naws_session_token=T\n"
    )
    process = subprocess.Popen(
        [*COMMAND, "--credentials", str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        lines = [process.stdout.readline() for _ in range(VARIABLES + 1)]
        process.terminate()
    assert b"export AWS_SESSION_TOKEN=T\n" in lines


@pytest.mark.parametrize(
    ("arguments", "contents", "message"),
    [
        (
            ("--access-key-id", "A"),
            "",
            "--access-key-id and --secret-access-key must be given together",
        ),
        (("--access-key-id", "A", "--credentials"), "", "give either --credentials"),
        (("--credentials",), "[other]\n", "default is missing"),
        (("--credentials",), "[default]\n", "aws_access_key_id is missing"),
        (("--credentials",), "the-secret", "cannot be read: MissingSectionHeaderError"),
        (("--throttle", "0"), None, "rate must be a positive number"),
        (("--throttle", "fast"), None, "could not convert string to float: 'fast'"),
        (("--throttle", "GetRich=1"), None, "operation must be one of"),
        (("--burst", "3"), None, "--burst needs a --throttle of the same operation"),
    ],
)
def test_mistakes_in_keys_and_limits_are_named(tmp_path, arguments, contents, message):
    file = tmp_path / "credentials"
    file.write_text(contents or "")
    found = run(*arguments, *([str(file)] if "--credentials" in arguments else []))
    assert found.returncode == 2
    assert message in found.stderr
    assert "the-secret" not in found.stderr
    assert "Traceback" not in found.stderr


def test_the_command_limits_the_rate_of_requests():
    limits = ("--throttle", "0.001", "--burst", "3", "--throttle", "GetOperations=0.001")
    with serving(*limits) as (_, environ):
        call(environ, "GetOperations", {})
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(environ, "GetOperations", {})
        assert json.load(caught.value)["__type"] == "ThrottlingException"
        for _ in range(2):  # a request that is refused takes no token of the others
            call(environ, "GetInstances", {})
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(environ, "GetInstances", {})
        assert json.load(caught.value)["message"] == "Rate exceeded"


def test_the_command_serves_the_admin_interface():
    with serving("--control", "--speed", "10") as (process, environ):
        token = {"Authorization": f"Bearer {environ['DCV_CONTROL_TOKEN']}"}
        address = environ["DCV_CONTROL_URL"]
        added = urllib.request.Request(address + "/instances", b'{"name": "other"}', token)  # noqa: S310 - it is ours
        with urllib.request.urlopen(added) as reply:  # noqa: S310 - it is ours
            assert json.load(reply) == {}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}/reset", b"")  # noqa: S310 - it is ours
        found = call(environ, "GetInstances", {})["instances"]
        assert [each["name"] for each in found] == ["my-computer", "other"]
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0
        assert environ["DCV_CONTROL_TOKEN"] not in log


def test_the_curl_commands_in_the_documentation_run():
    (script,) = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    with serving("--control") as (_, environ):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert '"requests": []' in done.stdout
        found = call(environ, "GetInstances", {})["instances"]
        assert [each["name"] for each in found] == ["my-computer"]


def test_clients_do_not_use_a_proxy_from_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.org")
    monkeypatch.delenv("no_proxy", raising=False)
    with serving() as (_, environ):
        assert environ["no_proxy"] == environ["NO_PROXY"] == "example.org,127.0.0.1"
