"""The first client: it is cheap to open, and reaches what one of plain aiobotocore reaches."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiohttp import web
from botocore.exceptions import BotoCoreError

import dcvsessions
from dcvsessions import LightsailClient
from dcvsessions._aws.session import _new_session

ROOT = Path(dcvsessions.__file__).parent
VARIANTS = [
    pytest.param({"use_fips_endpoint": fips, "use_dualstack_endpoint": dual}, id=name)
    for name, fips, dual in [
        ("plain", False, False),
        ("fips", True, False),
        ("dualstack", False, True),
        ("both", True, True),
    ]
]
# What botocore itself calls for temporary credentials.
FOR_CREDENTIALS = ["sts", "sso", "sso-oidc", "signin"]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def regions_of_botocore() -> list[str]:
    table = AioSession().get_component("data_loader").load_data("endpoints")
    return [region for partition in table["partitions"] for region in partition["regions"]]


# The last two are new: one in a partition that there is, one in none.
REGIONS = [*regions_of_botocore(), "eu-northwest-7", "moon-sea-1"]


async def endpoint(session: AioSession, service: str, region: str, config: AioConfig) -> str:
    """Where a client sends its calls, and for which region it signs; or why it cannot be made."""
    try:
        async with session.create_client(service, region, config=config) as client:
            signer = client._request_signer
            return f"{client.meta.endpoint_url} {signer.region_name} {signer.signing_name}"
    except BotoCoreError as error:
        return repr(error)


@pytest.fixture(scope="module")
def stock() -> AioSession:
    """Plain aiobotocore, with Nimble's model in the folder that AWS_DATA_PATH would name."""
    session = AioSession()
    session.get_component("data_loader").search_paths.append(str(ROOT / "data"))
    return session


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("service", ["lightsail", "nimble"])
async def test_both_services_have_stocks_endpoints(
    stock: AioSession, service: str, variant: dict[str, bool]
) -> None:
    config = AioConfig(**variant)
    for region in REGIONS:
        session = _new_session(service, profile_name=None, region_name=region)
        theirs = await endpoint(stock, service, region, config)
        assert await endpoint(session, service, region, config) == theirs


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("service", FOR_CREDENTIALS)
async def test_the_services_for_credentials_have_stocks_endpoints(
    stock: AioSession, service: str, variant: dict[str, bool]
) -> None:
    config = AioConfig(**variant)
    # The region of the sign-in may be in another partition.
    session = _new_session("lightsail", profile_name=None, region_name="us-east-1")
    for region in regions_of_botocore():
        theirs = await endpoint(stock, service, region, config)
        assert await endpoint(session, service, region, config) == theirs


def handlers_of(session: AioSession, event: str) -> list[object]:
    aliaser = session.get_component("event_emitter")
    return list(aliaser._emitter._handlers.prefix_search(aliaser._alias_event_name(event)))


async def test_all_of_botocores_handlers_for_these_services_are_registered(
    stock: AioSession,
) -> None:
    ours = _new_session("lightsail", profile_name=None, region_name="us-east-1")
    kinds = ["before-call", "before-parameter-build", "choose-signer", "before-parse", "getattr"]
    kinds += ["request-created", "before-sign", "after-call", "creating-client-class"]
    found = 0
    for service in ["lightsail", "nimble", *FOR_CREDENTIALS]:
        model = await stock.get_service_model(service)
        names = [*model.operation_names, "create_o_auth2_token"]
        for event in [f"{kind}.{service}.{name}" for kind in kinds for name in names]:
            theirs = handlers_of(stock, event)
            assert [*map(repr, handlers_of(ours, event))] == [*map(repr, theirs)], event
            found += len(theirs)
    assert found > 1000


def table_of(region: str, service: str = "lightsail") -> dict[str, Any]:
    session = _new_session(service, profile_name=None, region_name=region)
    table: dict[str, Any] = session.get_component("data_loader").load_data("endpoints")
    return table


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "eu-northwest-7", "moon-sea-1"])
@pytest.mark.parametrize("service", ["lightsail", "nimble"])
def test_a_region_that_is_not_in_the_cut_table_is_looked_up_in_botocores(
    region: str, service: str
) -> None:
    assert "s3" not in table_of("us-west-2", service)["partitions"][0]["services"]
    assert "s3" in table_of(region, service)["partitions"][0]["services"]


# --- The caller's own data ---


async def test_the_callers_table_of_endpoints_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = json.loads((ROOT / "data" / "cut" / "endpoints.json").read_text())
    table["partitions"][0]["services"]["lightsail"]["endpoints"]["us-east-1"] = {
        "hostname": "lightsail.example.com"
    }
    (tmp_path / "endpoints.json").write_text(json.dumps(table))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session = _new_session("lightsail", profile_name=None, region_name="us-east-1")
    theirs = await endpoint(AioSession(), "lightsail", "us-east-1", AioConfig())
    assert theirs.startswith("https://lightsail.example.com")
    assert await endpoint(session, "lightsail", "us-east-1", AioConfig()) == theirs


async def test_the_callers_table_may_lack_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = json.loads((ROOT / "data" / "cut" / "endpoints.json").read_text())
    del table["partitions"][0]["services"]["lightsail"]
    (tmp_path / "endpoints.json").write_text(json.dumps(table))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session = _new_session("lightsail", profile_name=None, region_name="us-east-1")
    theirs = await endpoint(AioSession(), "lightsail", "us-east-1", AioConfig())
    assert await endpoint(session, "lightsail", "us-east-1", AioConfig()) == theirs


async def test_a_model_of_the_caller_without_endpoint_rules_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = ROOT / "data" / "nimble" / "2020-08-01" / "service-2.json"
    place = tmp_path / "nimble" / "2020-08-01"
    place.mkdir(parents=True)
    (place / model.name).write_text(model.read_text())
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session = _new_session("nimble", profile_name=None, region_name="us-west-2")
    ours = await endpoint(session, "nimble", "us-west-2", AioConfig())
    assert ours == "https://nimble.us-west-2.amazonaws.com us-west-2 nimble"


# --- An assumed role. test_sso.py signs in to IAM Identity Center. ---


async def assumed(request: web.Request) -> web.Response:
    assert "Action=AssumeRole" in await request.text()
    keys = "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    rest = "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
    body = f"<Credentials>{keys}{rest}</Credentials>"
    return web.Response(
        text=f"<AssumeRoleResponse><AssumeRoleResult>{body}</AssumeRoleResult></AssumeRoleResponse>"
    )


async def listed(request: web.Request) -> web.Response:
    """Answer GetInstances with one instance, which has the name of the access key."""
    _, _, rest = request.headers["Authorization"].partition("Credential=")
    return web.json_response({"instances": [{"name": rest.partition("/")[0]}]})


@pytest.fixture
async def servers(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/sts/", assumed)
    app.router.add_post("/lightsail/", listed)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    for service in ("sts", "lightsail"):
        monkeypatch.setenv(
            f"AWS_ENDPOINT_URL_{service.upper()}", f"http://127.0.0.1:{unused_tcp_port}/{service}/"
        )
    yield
    await runner.cleanup()


@pytest.mark.usefixtures("servers")
async def test_a_role_is_assumed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = secret\n"
        "[profile role]\nregion = us-east-1\nsource_profile = base\n"
        "role_arn = arn:aws:iam::123456789012:role/artist\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with LightsailClient(profile_name="role") as client:
        assert [instance.name async for instance in client.get_instances()] == ["ASIAROLE"]


# --- The import of aiobotocore ---

# In a new process: an import of aiobotocore that waits until the program goes on, and says which
# thread it is in.
HELD_IMPORT = """
import asyncio, os, sys, threading
os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="us-east-1")
from dcvsessions import LightsailClient, NimbleClient

class Held:
    began, may_go_on, threads = threading.Event(), threading.Event(), []

    def find_spec(self, name, path=None, target=None):
        if name == "aiobotocore":
            self.threads.append(threading.current_thread())
            self.began.set()
            assert self.may_go_on.wait(60)

held = Held()
sys.meta_path.insert(0, held)

async def opened(kind=LightsailClient):
    async with kind() as client:
        return client

async def importing():
    while not held.began.is_set():
        await asyncio.sleep(0.001)
"""


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", HELD_IMPORT + code], check=True, timeout=60)


def test_the_event_loop_goes_on_while_aiobotocore_is_imported() -> None:
    run("""
async def main():
    opening = asyncio.create_task(opened())
    await importing()
    await asyncio.sleep(0)
    assert not opening.done()
    held.may_go_on.set()
    await opening
    assert held.threads and threading.main_thread() not in held.threads

asyncio.run(main())
""")


def test_clients_that_open_at_once_import_it_once() -> None:
    run("""
async def main():
    tasks = [asyncio.create_task(opened(kind)) for kind in (LightsailClient, NimbleClient) * 20]
    await importing()
    held.may_go_on.set()
    await asyncio.gather(*tasks)
    assert len(held.threads) == 1

asyncio.run(main())
""")


def test_an_opening_can_be_cancelled_while_it_is_imported() -> None:
    run("""
async def main():
    first = asyncio.create_task(opened())
    await importing()
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    second = asyncio.create_task(opened())
    await asyncio.sleep(0)
    held.may_go_on.set()
    await second

asyncio.run(main())
""")


def test_virtual_time_does_not_run_ahead_of_the_import() -> None:
    run("""
import looptime
held.may_go_on.set()

async def main():
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(900):
        await opened()
    assert asyncio.get_running_loop().time() - began < 60

loop = looptime.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
loop.run_until_complete(loop.shutdown_default_executor())
loop.close()
""")
