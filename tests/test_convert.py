"""How parsed answers become objects, whatever the class and the members."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from attrs import frozen

from dcvsessions._aws import convert
from dcvsessions._aws.convert import Answer
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import InvalidResponseError

URL = "https://203.0.113.1:8443/?authToken=s3cr3t#console"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Color(StrEnum):
    RED = "red"


@frozen(kw_only=True)
class Inner:
    whole_number: int | None = None


@frozen(kw_only=True)
class Thing:
    some_text: str | None = None
    number: int | None = None
    is_ready: bool | None = None
    created_at: datetime | None = None
    url: DcvUrl | None = None
    color: Color | None = None
    tags: Mapping[str, str] | None = None
    the_names: tuple[str, ...] = ()
    inner: Inner | None = None
    more: tuple[Inner, ...] = ()


FULL = {
    "someText": "text",
    "number": 3,
    "isReady": True,
    "createdAt": NOON,
    "url": URL,
    "color": "red",
    "tags": {"a": "b"},
    "theNames": ["x", "y"],
    "inner": {"wholeNumber": 1},
    "more": [{"wholeNumber": 1}, {}],
    "ofTomorrow": [None],
}


@pytest.fixture(autouse=True)
def _new_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter remembers what it has built for a class, so each test gets a new one."""
    monkeypatch.setattr(convert, "_converter", convert._make_converter())


def converted(members: object) -> Thing:
    return Answer("GetThing", {"thing": members}).one("thing", Thing)


def test_every_member_is_read_under_the_services_name(caplog: pytest.LogCaptureFixture) -> None:
    thing = Thing(
        some_text="text",
        number=3,
        is_ready=True,
        created_at=NOON,
        url=DcvUrl(URL),
        color=Color.RED,
        tags={"a": "b"},
        the_names=("x", "y"),
        inner=Inner(whole_number=1),
        more=(Inner(whole_number=1), Inner()),
    )
    assert converted(FULL) == thing
    assert Answer("GetThing", FULL).whole(Thing, needed="some_text") == thing
    assert Answer("GetThings", {"things": [FULL, {}]}).all("things", Thing) == (thing, Thing())
    assert isinstance(converted(FULL).url, DcvUrl)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("someText", 3),
        ("someText", b"text"),
        ("number", "3"),
        ("number", True),
        ("number", 3.0),
        ("isReady", "no"),
        ("isReady", 1),
        ("createdAt", "soon"),
        ("createdAt", ["2026-01-01"]),
        ("url", 3),
        ("url", {URL: 1}),
        ("color", "blue"),
        ("tags", [["a", "b"]]),
        ("tags", {"a": 1}),
        ("theNames", "xy"),
        ("theNames", ["x", 1]),
        ("inner", 3),
        ("inner", [["wholeNumber", 1]]),
        ("more", 3),
        ("more", [3]),
    ],
)
def test_a_member_of_another_type_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture, name: str, value: object
) -> None:
    without = {each: member for each, member in FULL.items() if each != name}
    expected = converted(without)
    assert caplog.records == []
    assert converted({**FULL, name: value}) == expected
    (record,) = caplog.records
    assert record.getMessage() == f"Thing.{name} does not match the service model: left out."
    assert (record.name, record.levelno) == ("dcvsessions._aws.convert", logging.WARNING)


def test_a_member_of_a_member_is_left_out_alone(caplog: pytest.LogCaptureFixture) -> None:
    thing = converted({"someText": "text", "inner": {"wholeNumber": "1"}})
    assert thing == Thing(some_text="text", inner=Inner())
    (record,) = caplog.records
    assert record.getMessage() == "Inner.wholeNumber does not match the service model: left out."


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (NOON, NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON.astimezone(timezone(timedelta(hours=9))), NOON),
    ],
)
def test_a_time_is_in_utc(read: datetime, expected: datetime) -> None:
    created_at = converted({"createdAt": read}).created_at
    assert created_at == expected
    assert created_at.tzinfo is UTC


def test_a_time_that_utc_cannot_hold_is_left_out() -> None:
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))
    assert converted({"createdAt": first, "number": 3}) == Thing(number=3)


MISMATCH = (
    "GetThing: the answer does not match the service model: {} is missing or has the wrong type. "
    "A body that was cut off, or one from a proxy, looks like this."
)


@pytest.mark.parametrize(
    ("members", "missing"),
    [
        ({}, "thing"),
        ({"thing": None}, "thing"),
        ({"thing": URL}, "thing"),
        ({"thing": {}}, "someText"),
        ({"thing": {"someText": 3}}, "someText"),
    ],
)
def test_an_answer_without_what_is_needed_is_invalid(
    members: dict[str, object], missing: str
) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        Answer("GetThing", members).one("thing", Thing, needed="some_text")
    assert str(caught.value) == MISMATCH.format(missing)
    assert caught.value.operation == "GetThing"
    # The converter's own error quotes the value.
    assert caught.value.__context__ is None


@pytest.mark.parametrize("members", [{}, {"things": None}, {"things": [3]}])
def test_an_answer_without_its_list_is_invalid(members: dict[str, object]) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        Answer("GetThing", members).all("things", Thing)
    assert str(caught.value) == MISMATCH.format("things")


def test_a_whole_answer_without_what_is_needed_is_invalid() -> None:
    with pytest.raises(InvalidResponseError) as caught:
        Answer("GetThing", {"createdAt": NOON}).whole(Thing, needed="some_text")
    assert str(caught.value) == MISMATCH.format("someText")


@pytest.mark.parametrize(
    ("value", "text"), [("text", "text"), ("", None), (None, None), (3, None), ([], None)]
)
def test_a_text_is_none_if_it_is_empty_or_no_text(value: object, text: str | None) -> None:
    assert Answer("GetThing", {"name": value}).text("name") == text
    assert Answer("GetThing", {"name": value}).text("other") is None


def test_the_repr_of_an_answer_shows_no_member() -> None:
    assert repr(Answer("GetThing", {"url": URL})) == "Answer(operation='GetThing')"
