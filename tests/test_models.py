"""The classes of what the services answer: complete, typed, open to new values, no secret shown."""

import copy
import json
import pickle
import typing
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any

import attrs
import pytest
from aiohttp import web
from botocore import xform_name
from types_aiobotocore_lightsail import literals, type_defs

from dcvsessions import (
    DcvUrl,
    GuiSessionAccessDetails,
    GuiSessionStatus,
    InvalidResponseError,
    LightsailClient,
    NimbleClient,
    Operation,
    OperationStatus,
    Stream,
    StreamingSession,
    StreamingSessionState,
    StreamState,
    lightsail,
    nimble,
)
from dcvsessions.lightsail import (
    GuiSession,
    Instance,
    InstanceState,
    IpAddressType,
    OpenEnum,
    ResourceLocation,
    Tag,
)
from dcvsessions.lightsail import _models as lightsail_models
from dcvsessions.nimble import (
    LaunchProfile,
    StreamConfiguration,
    Studio,
    StudioState,
    VolumeConfiguration,
)
from dcvsessions.nimble import _models as nimble_models

MODELS = {
    place: json.loads((files("dcvsessions") / "data" / place / "service-2.json").read_text("utf-8"))
    for place in ("lightsail/2016-11-28", "nimble/2020-08-01")
}
LIGHTSAIL, NIMBLE = MODELS.values()
# The shapes of DCV URLs.
URLS = {"SensitiveNonEmptyString", "SensitiveString"}

# The members that have nothing to do with a desktop.
LEFT_OUT: dict[type[Any], set[str]] = {
    Instance: {"addOns", "hardware", "networking", "metadataOptions"},
    LaunchProfile: {"validationResults"},
    StreamConfiguration: {"sessionBackup", "sessionStorage"},
    Studio: {"studioEncryptionConfiguration"},
}

# Which class stands for which shape of which model.
CLASSES: dict[type[Any], tuple[dict[str, Any], str]] = {
    GuiSession: (LIGHTSAIL, "Session"),
    GuiSessionAccessDetails: (LIGHTSAIL, "CreateGUISessionAccessDetailsResult"),
    Instance: (LIGHTSAIL, "Instance"),
    InstanceState: (LIGHTSAIL, "InstanceState"),
    Operation: (LIGHTSAIL, "Operation"),
    ResourceLocation: (LIGHTSAIL, "ResourceLocation"),
    Tag: (LIGHTSAIL, "Tag"),
    LaunchProfile: (NIMBLE, "LaunchProfile"),
    Stream: (NIMBLE, "StreamingSessionStream"),
    StreamConfiguration: (NIMBLE, "StreamConfiguration"),
    StreamingSession: (NIMBLE, "StreamingSession"),
    Studio: (NIMBLE, "Studio"),
    VolumeConfiguration: (NIMBLE, "VolumeConfiguration"),
}
NAMES = {"GuiSessionStatus": "Status"} | {
    name: name.replace("Stream", "StreamingSessionStream")
    for name in ("StreamState", "StreamStatusCode")
}
ENUMS = {
    kind: (NIMBLE if shape in NIMBLE["shapes"] else LIGHTSAIL, shape)
    for kind in OpenEnum.__subclasses__()
    if kind.__module__.startswith("dcvsessions.")
    for shape in [NAMES.get(kind.__name__, kind.__name__)]
}
BY_SHAPE = {shape: kind for kind, (_, shape) in (CLASSES | ENUMS).items()}


def expected_type(model: dict[str, Any], shape: str, *, top: bool = True) -> Any:
    """The Python type that a member of a shape has to have."""
    facts = model["shapes"][shape]
    simple = {"integer": int, "boolean": bool, "timestamp": datetime, "string": str}
    if facts["type"] == "list":
        return tuple[expected_type(model, facts["member"]["shape"], top=False), ...]
    if facts["type"] == "map":
        return Mapping[str, str]
    kind = DcvUrl if shape in URLS else BY_SHAPE.get(shape) or simple[facts["type"]]
    return kind | None if top else kind


def test_every_class_of_the_models_is_compared_and_public() -> None:
    for package, models in ((lightsail, lightsail_models), (nimble, nimble_models)):
        classes = {kind for kind in vars(models).values() if attrs.has(kind)}
        assert classes <= CLASSES.keys()
        assert {kind.__name__ for kind in classes} <= {*package.__all__}


# StreamingSession has a plain string where requests have an enum: the model says so.
@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_has_every_member_of_the_model_in_its_type(kind: type[Any]) -> None:
    model, shape = CLASSES[kind]
    left_out = LEFT_OUT.get(kind, set())
    members = {
        xform_name(name): expected_type(model, member["shape"])
        for name, member in model["shapes"][shape]["members"].items()
        if name not in left_out
    }
    assert typing.get_type_hints(kind) == members
    # All are optional: any answer may leave any of them out.
    assert all(value in (None, (), {}) for value in attrs.asdict(kind(), recurse=False).values())


@pytest.mark.parametrize("kind", CLASSES)
def test_what_the_model_marks_sensitive_is_not_in_the_repr(kind: type[Any]) -> None:
    model, shape = CLASSES[kind]
    sensitive = {
        xform_name(name)
        for name, member in model["shapes"][shape]["members"].items()
        if model["shapes"][member["shape"]].get("sensitive")
    }
    for field in attrs.fields(kind):
        if field.name in sensitive:
            value = DcvUrl(URL) if field.type == DcvUrl | None else "s3cr3t"
            assert "s3cr3t" not in repr(kind(**{field.name: value}))
            sensitive.discard(field.name)
    assert sensitive == set()


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if CLASSES[kind][0] is LIGHTSAIL])
def test_a_class_has_every_member_that_type_checkers_know(kind: type[Any]) -> None:
    shape = CLASSES[kind][1]
    names = [f"{shape}TypeDef", f"{shape}OutputTypeDef"]
    (known,) = [getattr(type_defs, name) for name in names if hasattr(type_defs, name)]
    left_out = {*LEFT_OUT.get(kind, ()), "ResponseMetadata"}
    assert {field.name for field in attrs.fields(kind)} == {
        xform_name(name) for name in known.__annotations__.keys() - left_out
    }


@pytest.mark.parametrize("kind", ENUMS)
def test_an_enum_has_every_value_of_the_model(kind: type[OpenEnum]) -> None:
    model, shape = ENUMS[kind]
    assert [member.value for member in kind] == model["shapes"][shape]["enum"]
    public = nimble if model is NIMBLE else lightsail
    assert getattr(public, kind.__name__) is kind
    assert kind.__name__ in public.__all__


@pytest.mark.parametrize("kind", [kind for kind in ENUMS if ENUMS[kind][0] is LIGHTSAIL])
def test_type_checkers_know_the_same_values_or_more(kind: type[OpenEnum]) -> None:
    known = typing.get_args(getattr(literals, f"{ENUMS[kind][1]}Type"))
    assert set(kind) <= set(known)


# --- Values that the model does not name ---


@pytest.mark.parametrize("kind", ENUMS)
def test_an_unknown_value_is_kept(kind: type[OpenEnum]) -> None:
    value = kind("unknown")
    assert not value.is_known
    assert isinstance(value, kind)
    assert value == "unknown" == str(value) == value.value == f"{value}"
    assert value == kind("unknown")
    assert hash(value) == hash("unknown")
    assert {value, kind("unknown"), "unknown"} == {"unknown"}
    assert value != kind("another")
    assert "unknown" in repr(value)
    assert json.dumps(value) == '"unknown"'
    # To have been read does not make it a member of the model.
    assert "unknown" not in [member.value for member in kind]
    assert all(member.is_known for member in kind)


@pytest.mark.parametrize("value", [GuiSessionStatus.STARTED, GuiSessionStatus("unknown")])
def test_copies_and_pickles_are_equal(value: GuiSessionStatus) -> None:
    for other in (
        copy.copy(value),
        copy.deepcopy(value),
        *(pickle.loads(pickle.dumps(value, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)),  # noqa: S301
    ):
        assert other == value
        assert type(other) is GuiSessionStatus
        assert other.is_known is value.is_known
        assert hash(other) == hash(value)


def test_the_name_of_a_member_is_not_its_value() -> None:
    # STARTED is the name of the member in Python; the service says started.
    value = GuiSessionStatus("STARTED")
    assert value == "STARTED"
    assert not value.is_known
    assert value is not GuiSessionStatus.STARTED
    assert not pickle.loads(pickle.dumps(value)).is_known  # noqa: S301
    assert GuiSessionStatus("started") is GuiSessionStatus.STARTED


@pytest.mark.parametrize("value", [None, 3, 1.5, True, b"started", ["started"]])
def test_only_a_text_is_a_value_of_an_enum(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        GuiSessionStatus(value)


def test_an_enum_is_a_text() -> None:
    assert issubclass(OpenEnum, StrEnum)
    assert f"{GuiSessionStatus.STARTED:>10}" == "   started"
    assert {"started": 1}[GuiSessionStatus.STARTED] == 1


# --- Objects ---

URL = "https://203.0.113.1:8443/?authToken=s3cr3t#console"
FULL = [
    GuiSessionAccessDetails(
        status=GuiSessionStatus.STARTED,
        sessions=(GuiSession(name="JupyterLab", url=DcvUrl(URL), is_primary=True),),
    ),
    Stream(state=StreamState("OF_TOMORROW"), url=DcvUrl(URL), created_at=datetime.now(UTC)),
    StreamingSession(state=StreamingSessionState.READY, tags={"project": "42"}),
    Instance(tags=(Tag(key="project"),), state=InstanceState(code=16)),
    Operation(status=OperationStatus.FAILED, location=ResourceLocation()),
    Studio(state=StudioState.READY, display_name="s3cr3t", tags={"project": "42"}),
    LaunchProfile(
        name="s3cr3t", description="s3cr3t", stream_configuration=StreamConfiguration(), tags={}
    ),
]


@pytest.mark.parametrize("value", FULL, ids=lambda value: type(value).__name__)
def test_objects_are_frozen_hashable_and_can_be_pickled(value: Any) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.state = None
    again = pickle.loads(pickle.dumps(value))  # noqa: S301
    assert again == value == copy.deepcopy(value)
    assert hash(again) == hash(value)
    assert "s3cr3t" not in repr(value)
    assert "s3cr3t" not in str([value])
    assert "s3cr3t" not in repr(again)


# --- Answers that the simulator would not send ---


@asynccontextmanager
async def answering(
    monkeypatch: pytest.MonkeyPatch, body: object
) -> AsyncGenerator[tuple[LightsailClient, NimbleClient], None]:
    """Both clients on a server that answers this to everything."""

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.json_response(body)

    server = web.ServerRunner(web.Server(answer))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    where: Any = {"region_name": "us-east-1", "endpoint_url": f"http://127.0.0.1:{site.port}"}
    try:
        async with LightsailClient(**where) as lightsail, NimbleClient(**where) as nimble:
            yield lightsail, nimble
    finally:
        await server.cleanup()


async def test_every_member_of_an_instance_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = {
        "name": "my-computer",
        "arn": "arn:aws:lightsail:us-east-1:123456789012:Instance/1",
        "supportCode": "6EXAMPLE/i-1",
        "createdAt": 1700000000.123,
        "location": {"availabilityZone": "us-east-1a", "regionName": "us-east-1"},
        "resourceType": "Instance",
        "tags": [{"key": "project", "value": "42"}, {"key": "alone"}],
        "blueprintId": "lfr_jupyter",
        "blueprintName": "JupyterLab",
        "bundleId": "app_standard_xl_1_0",
        "addOns": [{"name": "AutoSnapshot"}],
        "isStaticIp": False,
        "privateIpAddress": "172.26.0.1",
        "publicIpAddress": "203.0.113.1",
        "ipv6Addresses": ["2001:DB8:0:0:0:0:0:1", "2001:DB8:0:0:0:0:0:2"],
        "ipAddressType": "dualstack",
        "hardware": {"cpuCount": 4},
        "state": {"code": 16, "name": "running"},
        "username": "ubuntu",
        "sshKeyName": "key",
        "ofTomorrow": {"unknown": [1, 2]},
    }
    async with answering(monkeypatch, {"instances": [wire]}) as (lightsail, _):
        (instance,) = [one async for one in lightsail.get_instances()]
    assert instance == Instance(
        name="my-computer",
        arn="arn:aws:lightsail:us-east-1:123456789012:Instance/1",
        support_code="6EXAMPLE/i-1",
        created_at=datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC),
        location=ResourceLocation(availability_zone="us-east-1a", region_name="us-east-1"),
        resource_type="Instance",
        tags=(Tag(key="project", value="42"), Tag(key="alone")),
        blueprint_id="lfr_jupyter",
        blueprint_name="JupyterLab",
        bundle_id="app_standard_xl_1_0",
        is_static_ip=False,
        private_ip_address="172.26.0.1",
        public_ip_address="203.0.113.1",
        ipv6_addresses=("2001:DB8:0:0:0:0:0:1", "2001:DB8:0:0:0:0:0:2"),
        ip_address_type=IpAddressType.DUALSTACK,
        state=InstanceState(code=16, name="running"),
        username="ubuntu",
        ssh_key_name="key",
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2023-11-14T22:13:20Z", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14T22:13:20.5Z", datetime(2023, 11, 14, 22, 13, 20, 500000, tzinfo=UTC)),
        ("2023-11-15T00:13:20+02:00", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("2023-11-14T22:13:20", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1700000000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (1.7e9, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
async def test_datetimes_are_aware_and_in_utc(
    monkeypatch: pytest.MonkeyPatch, written: object, read: datetime
) -> None:
    session = {"sessionId": "s-1", "createdAt": written}
    async with answering(monkeypatch, {"session": session}) as (_, nimble):
        found = await nimble.get_streaming_session("studio-1", "s-1")
    assert found.created_at == read
    assert found.created_at.tzinfo is UTC
    assert found.created_at.utcoffset() == timedelta(0)


NULLS = {"sessionId": "s-1", "state": None, "tags": None, "volumeConfiguration": None}


@pytest.mark.parametrize("session", [{}, {"sessionId": "s-1"}, NULLS, {"ofTomorrow": [None]}])
async def test_members_that_are_missing_null_or_unknown_do_not_fail_a_call(
    monkeypatch: pytest.MonkeyPatch, session: dict[str, object]
) -> None:
    async with answering(monkeypatch, {"session": session, "more": 1}) as (_, nimble):
        found = await nimble.get_streaming_session("studio-1", "s-1")
    assert found == StreamingSession(session_id=session.get("sessionId"))  # type: ignore[arg-type]


# Members of the wrong type, beside one that fits and one with a secret.
MISFITS = [
    {"sessionId": 3},
    {"state": ["READY"]},
    {"ownedBy": {"s3cr3t": 1}},
    {"tags": {"a": 3}},
    {"tags": ["a", "b"]},
    {"maxBackupsToRetain": "s3cr3t"},
    {"maxBackupsToRetain": [3]},
    {"volumeConfiguration": "large"},
]


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("dcv")]


@pytest.mark.parametrize("misfit", MISFITS, ids=str)
async def test_a_member_of_the_wrong_type_is_left_out_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, misfit: dict[str, object]
) -> None:
    session = {"launchProfileId": "lp-1", "statusMessage": "s3cr3t", **misfit}
    async with answering(monkeypatch, {"session": session}) as (_, nimble):
        found = await nimble.get_streaming_session("studio-1", "s-1")
    (name,) = misfit
    assert found == StreamingSession(launch_profile_id="lp-1", status_message="s3cr3t")
    assert warnings_of(caplog) == [
        f"StreamingSession.{name} does not match the service model: left out."
    ]


@pytest.mark.parametrize("written", ["soon", "s3cr3t", [1], 1e300, -1e300, {}])
async def test_a_time_that_cannot_be_read_is_left_out(
    monkeypatch: pytest.MonkeyPatch, written: object
) -> None:
    session = {"launchProfileId": "lp-1", "createdAt": written}
    async with answering(monkeypatch, {"session": session}) as (_, nimble):
        found = await nimble.get_streaming_session("studio-1", "s-1")
    assert found == StreamingSession(launch_profile_id="lp-1")


async def test_a_member_of_the_wrong_type_inside_another_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = {"volumeConfiguration": {"size": "large", "iops": 3}}
    async with answering(monkeypatch, {"session": session}) as (_, nimble):
        found = await nimble.get_streaming_session("studio-1", "s-1")
    assert found.volume_configuration == VolumeConfiguration(iops=3)
    assert warnings_of(caplog) == [
        "VolumeConfiguration.size does not match the service model: left out."
    ]


async def test_members_that_are_null_are_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = [attribute.name for attribute in attrs.fields(StreamingSession)]
    wire = {first + "".join(map(str.capitalize, rest)) for first, *rest in map(split, names)}
    async with answering(monkeypatch, {"session": dict.fromkeys(wire)}) as (_, nimble):
        assert await nimble.get_streaming_session("studio-1", "s-1") == StreamingSession()
    assert warnings_of(caplog) == []


def split(name: str) -> list[str]:
    return name.split("_")


@pytest.mark.parametrize("misfit", [{"ipv6Addresses": [3]}, {"name": 3}], ids=str)
async def test_a_member_of_the_wrong_type_in_a_list_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, misfit: dict[str, object]
) -> None:
    wire = [{"name": "fine"}, {"arn": "arn", **misfit}]
    async with answering(monkeypatch, {"instances": wire}) as (lightsail, _):
        instances = [one async for one in lightsail.get_instances()]
    assert instances == [Instance(name="fine"), Instance(arn="arn")]
    (name,) = misfit
    assert warnings_of(caplog) == [f"Instance.{name} does not match the service model: left out."]


@pytest.mark.parametrize("body", [{}, {"session": None}, {"session": "s-1"}, {"session": []}, []])
async def test_an_answer_without_the_object_that_was_asked_for_is_invalid(
    monkeypatch: pytest.MonkeyPatch, body: object
) -> None:
    async with answering(monkeypatch, body) as (_, nimble):
        with pytest.raises(InvalidResponseError) as caught:
            await nimble.get_streaming_session("studio-1", "s-1")
    assert caught.value.operation == "GetStreamingSession"


@pytest.mark.parametrize("body", [{}, {"instances": None}, {"instances": 3}, {"instances": [3]}])
async def test_an_answer_without_the_list_that_was_asked_for_is_invalid(
    monkeypatch: pytest.MonkeyPatch, body: object
) -> None:
    async with answering(monkeypatch, body) as (lightsail, _):
        with pytest.raises(InvalidResponseError) as caught:
            [one async for one in lightsail.get_instances()]
    assert caught.value.operation == "GetInstances"


@pytest.mark.parametrize("value", [None, 3, ["s"]])
async def test_an_answer_needs_the_member_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    body = {
        "status": value,
        "session": {"sessionId": value, "state": "READY"},
        "stream": {"streamId": value, "state": "READY"},
    }
    async with answering(monkeypatch, body) as (lightsail, nimble):
        calls = {
            "status": lightsail.create_gui_session_access_details("my-computer"),
            "sessionId": nimble.create_streaming_session("studio-1", launch_profile_id="lp-1"),
            "streamId": nimble.create_streaming_session_stream("studio-1", "s-1"),
        }
        for name, call in calls.items():
            with pytest.raises(InvalidResponseError) as caught:
                await call
            assert (
                f"the answer does not match the service model: {name} is missing or has the wrong "
                "type."
            ) in str(caught.value)


@pytest.mark.parametrize("identifier", ["", "a/b", "..", "a b"])
async def test_an_answer_with_an_id_that_no_request_could_name_is_invalid(
    monkeypatch: pytest.MonkeyPatch, identifier: str
) -> None:
    body = {"session": {"sessionId": identifier}, "stream": {"streamId": identifier}}
    async with answering(monkeypatch, body) as (_, nimble):
        calls = {
            "CreateStreamingSession": nimble.create_streaming_session(
                "studio-1", launch_profile_id="lp-1"
            ),
            "CreateStreamingSessionStream": nimble.create_streaming_session_stream(
                "studio-1", "s-1"
            ),
        }
        for operation, call in calls.items():
            with pytest.raises(InvalidResponseError) as caught:
                await call
            assert str(caught.value) == (
                f"{operation}: the answer has an id that cannot be used in a request."
            )
            assert caught.value.operation == operation
            assert caught.value.__suppress_context__
