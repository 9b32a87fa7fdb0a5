"""Members are taken out of a body as botocore's own parser takes them."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from aiobotocore.parsers import AioResponseParserFactory
from aiobotocore.session import AioSession
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st

from dcvsessions import LightsailClient
from dcvsessions._aws.body import take_members
from dcvsessions.simulator import Simulator

MODELS = [
    ServiceModel(
        json.loads((files("dcvsessions") / "data" / place / "service-2.json").read_text("utf-8"))
    )
    for place in ("lightsail/2016-11-28", "nimble/2020-08-01")
]
OPERATIONS = [
    model.operation_model(name)
    for model in MODELS
    for name in model.operation_names
    if model.operation_model(name).output_shape is not None
]
NAMES = sorted({name for operation in OPERATIONS for name in operation.output_shape.members})
LEAVES = st.none() | st.booleans() | st.integers() | st.text()
BODIES = st.dictionaries(st.sampled_from([*NAMES, "unknown", "Error", "ResponseMetadata"]), LEAVES)


def taken(body: bytes, *names: str) -> tuple[bytes, dict[str, object]]:
    """What is left of a body, and what was taken out of it."""
    response: dict[str, Any] = {"body": body}
    members: dict[str, object] = {}
    take_members(response, members, names)
    return response["body"], members


@given(st.sampled_from(OPERATIONS), BODIES)
async def test_the_members_are_those_that_botocore_takes(
    operation: Any, body: dict[str, object]
) -> None:
    text = json.dumps(body).encode()
    rest, members = taken(text, *operation.output_shape.members)
    assert members == {
        name: value
        for name, value in body.items()
        if name in operation.output_shape.members and value is not None
    }
    # botocore itself finds nothing in what is left, and so adds nothing.
    protocol = operation.service_model.resolved_protocol
    parser = AioResponseParserFactory().create_parser(protocol)
    response = {"body": rest, "headers": {}, "status_code": 200}
    parsed = await parser.parse(response, operation.output_shape)
    assert parsed.keys() == {"ResponseMetadata"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_member_of_an_answer_is_in_its_body_under_its_own_name(operation: Any) -> None:
    for name, shape in operation.output_shape.members.items():
        assert "location" not in shape.serialization
        assert shape.serialization.get("name", name) == name
    assert "payload" not in operation.output_shape.serialization


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"session": {', b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_is_left_to_botocore(body: bytes) -> None:
    assert taken(body, "session") == (body, {})


@pytest.mark.parametrize("body", [b"[]", b"null", b'"session"', b"3"])
def test_json_that_is_not_an_object_is_left_to_botocore(body: bytes) -> None:
    assert taken(body, "session") == (body, {})


async def test_the_callers_session_keeps_its_parser(sim: Simulator) -> None:
    long_ago = datetime(1999, 12, 31, tzinfo=UTC)
    session = AioSession()
    factory = session.get_component("response_parser_factory")
    factory.set_parser_defaults(timestamp_parser=lambda _: long_ago)
    async with LightsailClient(session=session) as client:
        found = [instance.created_at async for instance in client.get_instances()]
    assert found == [long_ago]
