"""Values of every type in the models: read, checked against limits, and written. Pure."""

import datetime as dt
import json

import pytest

from dcvsessions.simulator._protocol.model import Member, Shape, load_service
from dcvsessions.simulator._protocol.wire import WireError, read, read_text, violations, write

STRING = Shape(name="String", kind="string", minimum=2, maximum=3)
STRINGS = Shape(name="Strings", kind="list", element=STRING, maximum=2)
MAP = Shape(name="Map", kind="map", element=STRING)
INNER = Shape(
    name="Inner",
    kind="structure",
    required=("name",),
    members={"name": Member(shape=STRING, location="body", wire_name="Name")},
)
OUTER = Shape(
    name="Outer",
    kind="structure",
    members={
        "inner": Member(shape=INNER, location="body", wire_name="inner"),
        "items": Member(shape=STRINGS, location="body", wire_name="items"),
        "map": Member(shape=MAP, location="body", wire_name="map"),
    },
)
MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)


def scalar(kind):
    return Shape(name=kind, kind=kind)


def test_nested_values_are_read_by_their_names_in_the_model():
    value = {"inner": {"Name": "abc", "x": 1}, "items": ["ab"], "map": {"k": "ab"}, "other": None}
    expected = {"inner": {"name": "abc"}, "items": ["ab"], "map": {"k": "ab"}}
    assert read(OUTER, value) == expected


@pytest.mark.parametrize("value", [{"items": ["ab", None]}, {"map": {"k": None}}])
def test_deviation_6_a_null_in_a_list_or_map_cannot_be_read(value):
    with pytest.raises(WireError, match="NULL_VALUE cannot be converted to string"):
        read(OUTER, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", ""),
        ("boolean", False),
        ("integer", -(2**31)),
        ("long", 2**63 - 1),
        ("float", 1),
        ("double", 1.5),
        ("timestamp", 1.5),
        ("timestamp", "2026-01-02T03:04:05Z"),
        ("blob", "AA=="),
    ],
)
def test_a_value_of_the_right_type_is_read_unchanged(kind, value):
    assert read(scalar(kind), value) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 1),
        ("boolean", 0),
        ("integer", 2**31),
        ("integer", 1.0),
        ("integer", True),
        ("long", 2**63),
        ("float", "1"),
        ("timestamp", True),
        ("blob", 1),
        ("structure", []),
        ("list", {}),
        ("map", []),
        ("something new", 1),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(kind, value):
    with pytest.raises(WireError) as caught:
        read(scalar(kind), value)
    assert caught.value.code == "SerializationException"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("string", "1", "1"), ("integer", "1", 1), ("boolean", "true", True), ("float", "1.5", 1.5)],
)
def test_a_text_is_read_as_the_type_of_its_shape(kind, text, value):
    assert read_text(scalar(kind), text) == value


@pytest.mark.parametrize("text", ["", "x", "1.5", "[", "true", '"1"'])
def test_a_text_of_the_wrong_type_is_refused(text):
    with pytest.raises(WireError):
        read_text(scalar("integer"), text)


def test_every_broken_limit_is_named_with_its_place():
    value = {"inner": {}, "items": ["a", "ab", "abcd"], "map": {"k": "x"}}
    assert [sentence.partition(" failed")[0] for sentence in violations(OUTER, value)] == [
        "Value at 'inner.name'",
        "Value at 'items'",
        "Value at 'items.1.member'",
        "Value at 'items.3.member'",
        "Value at 'map.k'",
    ]


def test_a_valid_value_breaks_no_limit():
    assert violations(OUTER, {"inner": {"name": "ab"}, "items": ["ab", "abc"], "map": {}}) == []


def test_null_and_empty_members_are_left_out_except_empty_lists_at_the_top():
    assert json.loads(write(OUTER, {"inner": None, "items": [], "map": {}})) == {
        "items": [],
        "map": {},
    }
    wrapped = Shape(
        name="Wrapped",
        kind="structure",
        members={"outer": Member(shape=OUTER, location="body", wire_name="outer")},
    )
    value = {"outer": {"items": [], "map": {}, "inner": {"name": ""}}}
    assert json.loads(write(wrapped, value)) == {"outer": {"inner": {"Name": ""}}}


def test_writing_a_member_that_is_not_in_the_model_raises():
    with pytest.raises(KeyError, match="Inner has no member colour"):
        write(INNER, {"colour": "red"})


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (None, 1767323045.679),
        ("unixTimestamp", 1767323045.679),
        ("iso8601", "2026-01-02T03:04:05Z"),
        ("rfc822", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ],
)
def test_a_timestamp_is_written_as_the_model_says(form, written):
    shape = Shape(name="T", kind="timestamp", timestamp_format=form)
    assert json.loads(write(shape, MOMENT)) == written


def test_errors_have_the_http_statuses_of_the_models():
    assert load_service("nimble").error_statuses == {
        "AccessDeniedException": 403,
        "ConflictException": 409,
        "InternalServerErrorException": 500,
        "ResourceNotFoundException": 404,
        "ServiceQuotaExceededException": 402,
        "ThrottlingException": 429,
        "ValidationException": 400,
    }
    lightsail = load_service("lightsail").error_statuses
    assert lightsail.pop("ServiceException") == 500  # the service's own fault
    assert set(lightsail.values()) == {400}
    assert len(lightsail) == 7
