"""The service models in the package, compared with botocore's own; and which of them is used."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiohttp import web
from botocore.loaders import Loader

from dcvsessions import LightsailClient, NimbleClient
from dcvsessions.simulator import Simulator

# The last botocore with Nimble Studio in it.
LAST = "1.35.47"
CACHE = Path(os.environ.get("DCVSESSIONS_CACHE") or Path.home() / ".cache" / "dcvsessions")
IS_CI = os.environ.get("CI") == "true"


def shipped(place: str) -> dict[str, Any]:
    text = (files("dcvsessions") / "data" / place / "service-2.json").read_text("utf-8")
    model: dict[str, Any] = json.loads(text)
    return model


def facts(model: Any) -> Any:
    """A model without its documentation: its names, types, places and limits."""
    if isinstance(model, dict):
        return {
            name: facts(value)
            for name, value in model.items()
            # A member or an operation of that name would be an object.
            if not (name == "documentation" and isinstance(value, str))
        }
    return [facts(value) for value in model] if isinstance(model, list) else model


def reached_from(model: dict[str, Any], operations: list[str]) -> set[str]:
    """The names of all shapes that some operations need."""
    needed: set[str] = set()
    pending: list[Any] = [model["operations"][name] for name in operations]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            name = part.get("shape")
            if isinstance(name, str) and name not in needed:
                needed.add(name)
                pending.append(model["shapes"][name])
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    return needed


@pytest.fixture(scope="session")
def last_model() -> dict[str, Any]:
    """Nimble's model in the last botocore that had it, which pip fetches once."""
    wheel = CACHE / f"botocore-{LAST}-py3-none-any.whl"
    if not wheel.exists():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        done = subprocess.run(
            [*command, "--dest", str(CACHE), f"botocore=={LAST}"],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode != 0 or not wheel.exists():
            message = (
                f"botocore {LAST} to compare with could not be downloaded: {done.stderr.strip()}"
            )
            if IS_CI:
                pytest.fail(message)
            pytest.skip(message)
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("botocore/data/nimble/2020-08-01/service-2.json.gz")
    model: dict[str, Any] = json.loads(gzip.decompress(packed))
    return model


# --- The data ---


def test_the_model_of_nimble_is_that_of_the_last_botocore_with_it(
    last_model: dict[str, Any],
) -> None:
    ours = shipped("nimble/2020-08-01")
    assert ours["metadata"] == last_model["metadata"]
    assert len(ours["operations"]) == 12
    for name, operation in ours["operations"].items():
        assert operation == facts(last_model["operations"][name]), name
    assert ours["shapes"].keys() == reached_from(last_model, list(ours["operations"]))
    for name, shape in ours["shapes"].items():
        assert shape == facts(last_model["shapes"][name]), name


def test_the_model_of_nimble_has_what_its_protocol_needs() -> None:
    # This test needs no network, unlike the one above.
    ours = shipped("nimble/2020-08-01")
    create = ours["shapes"]["CreateStreamingSessionRequest"]["members"]
    assert create["clientToken"]["idempotencyToken"] is True
    assert create["clientToken"]["locationName"] == "X-Amz-Client-Token"
    assert ours["shapes"]["SensitiveString"]["sensitive"] is True
    assert ours["shapes"]["StreamingSessionStream"]["members"]["url"]["shape"] == "SensitiveString"
    assert {
        name: ours["shapes"][name]["error"]["httpStatusCode"]
        for name in reached_from(ours, list(ours["operations"]))
        if "error" in ours["shapes"][name]
    } == {
        "AccessDeniedException": 403,
        "ConflictException": 409,
        "InternalServerErrorException": 500,
        "ResourceNotFoundException": 404,
        "ServiceQuotaExceededException": 402,
        "ThrottlingException": 429,
        "ValidationException": 400,
    }


def test_the_model_of_lightsail_is_a_cut_of_botocores() -> None:
    ours = shipped("lightsail/2016-11-28")
    theirs = Loader().load_service_model("lightsail", "service-2", "2016-11-28")
    assert ours["metadata"] == theirs["metadata"]
    for name, operation in ours["operations"].items():
        assert operation == facts(theirs["operations"][name]), name
    assert ours["shapes"].keys() == reached_from(theirs, list(ours["operations"]))
    for name, shape in ours["shapes"].items():
        theirs_now = facts(theirs["shapes"][name])
        # AWS adds values to these lists every month: a newer botocore has ours and more.
        if "enum" in shape:
            assert set(shape.pop("enum")) <= set(theirs_now.pop("enum")), name
        assert shape == theirs_now, name


@pytest.mark.parametrize("place", ["nimble/2020-08-01", "lightsail/2016-11-28"])
def test_the_models_have_no_documentation_in_them(place: str) -> None:
    text = (files("dcvsessions") / "data" / place / "service-2.json").read_text("utf-8")
    assert "documentation" not in text
    assert "<p>" not in text


# --- Which model and endpoint is used ---


@pytest.fixture
def _some_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.usefixtures("_some_key")
@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-west-2", "amazonaws.com"),
        ("eu-central-1", "amazonaws.com"),
        ("eu-north-9", "amazonaws.com"),  # not there yet, but it could be
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "service"), [(NimbleClient, "nimble"), (LightsailClient, "lightsail")]
)
async def test_a_region_has_its_endpoint(
    kind: type[NimbleClient | LightsailClient], service: str, region: str, suffix: str
) -> None:
    async with kind(region_name=region) as client:
        assert client._client.meta.endpoint_url == f"https://{service}.{region}.{suffix}"


async def test_a_service_has_its_own_endpoint_variable(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_NIMBLE", sim.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LIGHTSAIL", sim.endpoint_url)
    async with NimbleClient() as nimble, LightsailClient() as lightsail:
        assert [each async for each in nimble.list_streaming_sessions("studio-1")] == []
        assert len([one async for one in lightsail.get_instances()]) == 1


async def test_a_profile_can_assume_a_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The loader has botocore's STS, and our calls are signed with what STS hands out."""
    # The keys that STS hands out are temporary ones.
    async with Simulator(session_token="a-session-token") as sim:
        sim.nimble.add_studio("studio-1")
        sim.lightsail.add_instance("my-computer")
        await _assume_a_role(sim, monkeypatch, tmp_path)


async def _assume_a_role(sim: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environ = sim.environ
    monkeypatch.setenv("AWS_ENDPOINT_URL", sim.endpoint_url)
    (tmp_path / "config").write_text(
        "[profile base]\n"
        "aws_access_key_id = AKIABASE\n"
        "aws_secret_access_key = base-secret\n"
        "[profile artist]\n"
        "role_arn = arn:aws:iam::123456789012:role/artist\n"
        "source_profile = base\n"
        f"region = {environ['AWS_REGION']}\n"
    )
    asked: list[str] = []

    async def assume(request: web.BaseRequest) -> web.Response:
        assert "Credential=AKIABASE/" in request.headers["Authorization"]
        asked.append(await request.text())
        return web.Response(content_type="text/xml", text=assumed(environ))

    sts = web.ServerRunner(web.Server(assume))
    await sts.setup()
    site = web.TCPSite(sts, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{site.port}")
    try:
        async with NimbleClient(profile_name="artist") as nimble:
            # The simulator refuses every other key.
            assert [each async for each in nimble.list_streaming_sessions("studio-1")] == []
        async with LightsailClient(profile_name="artist") as lightsail:
            assert len([one async for one in lightsail.get_instances()]) == 1
    finally:
        await sts.cleanup()
    assert len(asked) == 2
    assert all("Action=AssumeRole" in body and "role%2Fartist" in body for body in asked)


def assumed(environ: dict[str, str]) -> str:
    return f"""
<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
  <Credentials>
    <AccessKeyId>{environ["AWS_ACCESS_KEY_ID"]}</AccessKeyId>
    <SecretAccessKey>{environ["AWS_SECRET_ACCESS_KEY"]}</SecretAccessKey>
    <SessionToken>a-session-token</SessionToken>
    <Expiration>2099-01-01T00:00:00Z</Expiration>
  </Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""


async def test_a_session_of_the_caller_keeps_its_services_and_gets_nimble(sim: Simulator) -> None:
    session = AioSession()
    session.user_agent_name = "callers"
    async with LightsailClient(session=session) as lightsail:
        assert len([one async for one in lightsail.get_instances()]) == 1
    async with NimbleClient(session=session) as nimble:
        assert [each async for each in nimble.list_streaming_sessions("studio-1")] == []
    # Its own Lightsail still has all operations, and its own services are all there.
    async with session.create_client("lightsail") as theirs:
        assert hasattr(theirs, "create_bucket")
    assert {"lightsail", "s3"} <= set(session.get_available_services())
    async with session.create_client("nimble") as theirs:
        answer = await theirs.list_streaming_sessions(studioId="studio-1")
        assert answer["sessions"] == []


async def test_a_session_of_this_package_has_the_cut_model_of_lightsail(sim: Simulator) -> None:
    async with LightsailClient() as lightsail:
        assert not hasattr(lightsail._client, "create_bucket")


async def test_a_model_of_the_caller_is_used_first(sim: Simulator, tmp_path: Path) -> None:
    place = tmp_path / "nimble" / "2020-08-01"
    place.mkdir(parents=True)
    model = shipped("nimble/2020-08-01")
    model["metadata"]["serviceFullName"] = "The caller's"
    (place / "service-2.json").write_text(json.dumps(model))
    session = AioSession()
    session.get_component("data_loader").search_paths.append(str(tmp_path))
    async with NimbleClient(session=session) as nimble:
        assert nimble._client.meta.service_model.metadata["serviceFullName"] == "The caller's"


async def test_a_config_of_the_caller_is_used_first(sim: Simulator) -> None:
    config = AioConfig(read_timeout=7, user_agent="callers/1")
    async with LightsailClient(config=config) as lightsail:
        used = lightsail._client.meta.config
        assert used.read_timeout == 7
        assert used.connect_timeout == 10
        assert used.user_agent.startswith("callers/1 ")
        assert used.retries["total_max_attempts"] == 3
        assert len([one async for one in lightsail.get_instances()]) == 1


async def test_closing_one_client_leaves_another_open(sim: Simulator) -> None:
    async with LightsailClient() as first:
        async with LightsailClient() as second:
            await asyncio.gather(
                first.get_instance_state("my-computer"), second.get_instance_state("my-computer")
            )
        assert (await first.get_instance_state("my-computer")).name == "running"
    assert len(sim.calls("GetInstanceState")) == 3
