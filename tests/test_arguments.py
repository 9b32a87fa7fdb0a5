"""An invalid argument is refused before anything is sent; the error names it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dcvsessions import (
    ApiError,
    DcvSessionsError,
    InvalidArgumentError,
    LightsailClient,
    NimbleClient,
    close_gui_session,
    close_streaming_session,
    existing_streaming_session,
    gui_session,
    open_gui_session,
    open_stream,
    open_streaming_session,
    streaming_session,
)
from dcvsessions.simulator import Simulator

URL = "https://203.0.113.1:8443/?authToken=s3cr3t#console"

NAMES = [
    "",
    " ",
    "a",  # two or more
    "-a",
    "a-",
    "_",
    "my computer",
    "my/computer",
    "my-computer\n",
    "mein-rechnér",
    URL,
    None,
    3,
    b"my-computer",
    ["my-computer"],
]
IDENTIFIERS = [
    "",
    " ",
    "a b",
    "a/b",
    "../studio-2",
    ".",
    "..",
    "a?b",
    "a#b",
    "a%2Fb",
    "a:b",
    "a\\b",
    "a\n",
    "a\x00b",
    "\ud800",
    URL,
    None,
    3,
    b"studio-1",
]
EXPIRATIONS = [59, 3601, 0, -60, True, 60.0, "60", 1e9]
TOKENS = ["", "a" * 65, "a\nb", "a\rb", "a\x00", "tökén", "\ud800", " a", "a ", 3, b"token"]

Call = Callable[[Any, Any], Awaitable[object]]

# The callables that take such an argument, and the name that they give it.
TAKE_NAME: dict[str, Call] = {
    "create_gui_session_access_details resource_name": lambda c, bad: (
        c.create_gui_session_access_details(bad)
    ),
    "start_gui_session resource_name": lambda c, bad: c.start_gui_session(bad),
    "stop_gui_session resource_name": lambda c, bad: c.stop_gui_session(bad),
    "get_operations_for_resource resource_name": lambda c, bad: anext(
        c.get_operations_for_resource(bad)
    ),
    "get_instance instance_name": lambda c, bad: c.get_instance(bad),
    "get_instance_state instance_name": lambda c, bad: c.get_instance_state(bad),
    "start_instance instance_name": lambda c, bad: c.start_instance(bad),
    "stop_instance instance_name": lambda c, bad: c.stop_instance(bad),
    "reboot_instance instance_name": lambda c, bad: c.reboot_instance(bad),
    "open_gui_session name": lambda c, bad: open_gui_session(bad, client=c),
    "close_gui_session name": lambda c, bad: close_gui_session(bad, client=c),
    "gui_session name": lambda c, bad: gui_session(bad, client=c).__aenter__(),
}

TAKE_IDENTIFIER: dict[str, Call] = {
    "get_studio studio_id": lambda c, bad: c.get_studio(bad),
    "list_launch_profiles studio_id": lambda c, bad: anext(c.list_launch_profiles(bad)),
    "get_launch_profile studio_id": lambda c, bad: c.get_launch_profile(bad, "lp-1"),
    "get_launch_profile launch_profile_id": lambda c, bad: c.get_launch_profile("studio-1", bad),
    "create_streaming_session studio_id": lambda c, bad: c.create_streaming_session(
        bad, launch_profile_id="lp-1"
    ),
    "create_streaming_session launch_profile_id": lambda c, bad: c.create_streaming_session(
        "studio-1", launch_profile_id=bad
    ),
    "get_streaming_session studio_id": lambda c, bad: c.get_streaming_session(bad, "s-1"),
    "get_streaming_session session_id": lambda c, bad: c.get_streaming_session("studio-1", bad),
    "list_streaming_sessions studio_id": lambda c, bad: anext(c.list_streaming_sessions(bad)),
    "delete_streaming_session studio_id": lambda c, bad: c.delete_streaming_session(bad, "s-1"),
    "delete_streaming_session session_id": lambda c, bad: c.delete_streaming_session(
        "studio-1", bad
    ),
    "start_streaming_session session_id": lambda c, bad: c.start_streaming_session("studio-1", bad),
    "stop_streaming_session session_id": lambda c, bad: c.stop_streaming_session("studio-1", bad),
    "create_streaming_session_stream session_id": lambda c, bad: c.create_streaming_session_stream(
        "studio-1", bad
    ),
    "get_streaming_session_stream session_id": lambda c, bad: c.get_streaming_session_stream(
        "studio-1", bad, "st-1"
    ),
    "get_streaming_session_stream stream_id": lambda c, bad: c.get_streaming_session_stream(
        "studio-1", "s-1", bad
    ),
    "open_streaming_session studio_id": lambda c, bad: open_streaming_session(
        bad, launch_profile_id="lp-1", client=c
    ),
    "open_streaming_session launch_profile_id": lambda c, bad: open_streaming_session(
        "studio-1", launch_profile_id=bad, client=c
    ),
    "open_stream studio_id": lambda c, bad: open_stream(bad, "s-1", client=c),
    "open_stream session_id": lambda c, bad: open_stream("studio-1", bad, client=c),
    "close_streaming_session studio_id": lambda c, bad: close_streaming_session(
        bad, "s-1", client=c
    ),
    "close_streaming_session session_id": lambda c, bad: close_streaming_session(
        "studio-1", bad, client=c
    ),
    "streaming_session studio_id": lambda c, bad: streaming_session(
        bad, launch_profile_id="lp-1", client=c
    ).__aenter__(),
    "streaming_session launch_profile_id": lambda c, bad: streaming_session(
        "studio-1", launch_profile_id=bad, client=c
    ).__aenter__(),
    "existing_streaming_session studio_id": lambda c, bad: existing_streaming_session(
        bad, "s-1", client=c
    ).__aenter__(),
    "existing_streaming_session session_id": lambda c, bad: existing_streaming_session(
        "studio-1", bad, client=c
    ).__aenter__(),
}

TAKE_EXPIRATION: dict[str, Call] = {
    "create_streaming_session_stream": lambda c, bad: c.create_streaming_session_stream(
        "studio-1", "s-1", expiration_in_seconds=bad
    ),
    "open_streaming_session": lambda c, bad: open_streaming_session(
        "studio-1", launch_profile_id="lp-1", expiration_in_seconds=bad, client=c
    ),
    "open_stream": lambda c, bad: open_stream(
        "studio-1", "s-1", expiration_in_seconds=bad, client=c
    ),
    "streaming_session": lambda c, bad: streaming_session(
        "studio-1", launch_profile_id="lp-1", expiration_in_seconds=bad, client=c
    ).__aenter__(),
    "existing_streaming_session": lambda c, bad: existing_streaming_session(
        "studio-1", "s-1", expiration_in_seconds=bad, client=c
    ).__aenter__(),
}

TAKE_TOKEN: dict[str, Call] = {
    "create_streaming_session": lambda c, bad: c.create_streaming_session(
        "studio-1", launch_profile_id="lp-1", client_token=bad
    ),
    "delete_streaming_session": lambda c, bad: c.delete_streaming_session(
        "studio-1", "s-1", client_token=bad
    ),
    "start_streaming_session": lambda c, bad: c.start_streaming_session(
        "studio-1", "s-1", client_token=bad
    ),
    "stop_streaming_session": lambda c, bad: c.stop_streaming_session(
        "studio-1", "s-1", client_token=bad
    ),
    "create_streaming_session_stream": lambda c, bad: c.create_streaming_session_stream(
        "studio-1", "s-1", client_token=bad
    ),
    "open_streaming_session": lambda c, bad: open_streaming_session(
        "studio-1", launch_profile_id="lp-1", client_token=bad, client=c
    ),
    "streaming_session": lambda c, bad: streaming_session(
        "studio-1", launch_profile_id="lp-1", client_token=bad, client=c
    ).__aenter__(),
}


async def assert_refused(sim: Simulator, argument: str, work: Awaitable[object]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await work
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, DcvSessionsError)
    assert str(caught.value).startswith(f"{argument}=")
    # A URL that was passed by mistake is a secret too.
    assert "s3cr3t" not in str(caught.value) + repr(caught.value)
    assert sim.requests == []


@pytest.mark.parametrize("call", TAKE_NAME)
async def test_an_invalid_name_is_refused(
    sim: Simulator, lightsail: LightsailClient, call: str
) -> None:
    for bad in NAMES:
        await assert_refused(sim, call.split()[1], TAKE_NAME[call](lightsail, bad))


@pytest.mark.parametrize("call", TAKE_IDENTIFIER)
async def test_an_invalid_id_is_refused(sim: Simulator, nimble: NimbleClient, call: str) -> None:
    for bad in IDENTIFIERS:
        await assert_refused(sim, call.split()[1], TAKE_IDENTIFIER[call](nimble, bad))


@pytest.mark.parametrize("call", TAKE_EXPIRATION)
async def test_an_invalid_expiration_is_refused(
    sim: Simulator, nimble: NimbleClient, call: str
) -> None:
    for bad in EXPIRATIONS:
        await assert_refused(sim, "expiration_in_seconds", TAKE_EXPIRATION[call](nimble, bad))


@pytest.mark.parametrize("call", TAKE_TOKEN)
async def test_an_invalid_client_token_is_refused(
    sim: Simulator, nimble: NimbleClient, call: str
) -> None:
    # Nimble takes the token in a header: some of these would break it, as if the connection failed.
    for bad in TOKENS:
        await assert_refused(sim, "client_token", TAKE_TOKEN[call](nimble, bad))


@pytest.mark.parametrize("bad", ["", " ", "\n", None, 3])
async def test_an_invalid_operation_id_is_refused(
    sim: Simulator, lightsail: LightsailClient, bad: Any
) -> None:
    await assert_refused(sim, "operation_id", lightsail.get_operation(bad))


@pytest.mark.parametrize("bad", ["", "Application", "primary", None, True])
async def test_an_invalid_kind_is_refused(
    sim: Simulator, lightsail: LightsailClient, bad: Any
) -> None:
    opening = open_gui_session("my-computer", kind=bad, client=lightsail)
    await assert_refused(sim, "kind", opening)
    within = gui_session("my-computer", kind=bad, client=lightsail)
    await assert_refused(sim, "kind", within.__aenter__())


@pytest.mark.parametrize("name", ["a1", "A_b", "my.computer", "1-2", "a" * 200])
async def test_a_name_that_may_be_valid_is_sent(
    sim: Simulator, lightsail: LightsailClient, name: str
) -> None:
    with pytest.raises(ApiError):
        await lightsail.create_gui_session_access_details(name)
    assert len(sim.requests) == 1


@pytest.mark.looptime
@pytest.mark.parametrize("token", ["a", "a" * 64, "a b", "0~!@#$%^&*()"])
async def test_a_token_that_is_valid_is_sent(
    sim: Simulator, nimble: NimbleClient, token: str
) -> None:
    await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1", client_token=token)
    (call,) = sim.requests
    assert call.parameters["clientToken"] == token


@pytest.mark.parametrize("tags", [5, "a=b", [("a", "b")], {"a": 1}, {1: "a"}])
async def test_invalid_tags_are_refused(sim: Simulator, nimble: NimbleClient, tags: Any) -> None:
    creating = nimble.create_streaming_session("studio-1", launch_profile_id="lp-1", tags=tags)
    await assert_refused(sim, "tags", creating)
    opening = open_streaming_session("studio-1", launch_profile_id="lp-1", tags=tags, client=nimble)
    await assert_refused(sim, "tags", opening)
    within = streaming_session("studio-1", launch_profile_id="lp-1", tags=tags, client=nimble)
    await assert_refused(sim, "tags", within.__aenter__())


@pytest.mark.parametrize("argument", ["ec2_instance_type", "owned_by", "streaming_image_id"])
@pytest.mark.parametrize("bad", ["", " ", 3, b"text", ["text"]])
async def test_an_empty_text_is_refused(
    sim: Simulator, nimble: NimbleClient, argument: str, bad: Any
) -> None:
    given: dict[str, Any] = {"launch_profile_id": "lp-1", "client": nimble, argument: bad}
    await assert_refused(sim, argument, open_streaming_session("studio-1", **given))
    await assert_refused(sim, argument, streaming_session("studio-1", **given).__aenter__())


@pytest.mark.parametrize("bad", ["", " ", 3])
async def test_an_empty_principal_is_refused(
    sim: Simulator, nimble: NimbleClient, bad: Any
) -> None:
    listed = nimble.list_launch_profiles("studio-1", principal_id=bad)
    await assert_refused(sim, "principal_id", anext(listed))


@pytest.mark.parametrize("bad", ["READY", "", 3, [""], ["READY", " "], [None], [3], b"READY"])
async def test_states_that_are_not_a_list_of_texts_are_refused(
    sim: Simulator, nimble: NimbleClient, bad: Any
) -> None:
    await assert_refused(sim, "states", anext(nimble.list_launch_profiles("studio-1", states=bad)))


@pytest.mark.parametrize(
    "bad", ["", "here", "127.0.0.1:8080", "ftp://host", "https://", "http:// host", 3]
)
async def test_an_endpoint_is_a_url_with_a_host(sim: Simulator, bad: Any) -> None:
    for kind in (LightsailClient, NimbleClient):
        with pytest.raises(InvalidArgumentError, match=r"^endpoint_url="):
            kind(endpoint_url=bad)
    await assert_refused(sim, "endpoint_url", open_gui_session("my-computer", endpoint_url=bad))
    opening = open_streaming_session("studio-1", launch_profile_id="lp-1", endpoint_url=bad)
    await assert_refused(sim, "endpoint_url", opening)


@pytest.mark.parametrize("argument", ["region_name", "profile_name"])
@pytest.mark.parametrize("bad", ["", " ", 3])
async def test_a_region_and_a_profile_are_texts(sim: Simulator, argument: str, bad: Any) -> None:
    given = {argument: bad}
    for kind in (LightsailClient, NimbleClient):
        with pytest.raises(InvalidArgumentError, match=f"^{argument}="):
            kind(**given)
    await assert_refused(sim, argument, open_gui_session("my-computer", **given))
    await assert_refused(sim, argument, open_stream("studio-1", "s-1", **given))


# --- What the error says ---

SAID: dict[str, tuple[Callable[[], Awaitable[object]], str]] = {
    "a name": (
        lambda: open_gui_session("my computer"),
        (
            "name='my computer' cannot be the name of a Lightsail resource: a name has two or "
            "more letters, digits, `_`, `-` and `.`, with a letter or digit at both ends."
        ),
    ),
    "an id": (
        lambda: open_stream("a/b", "s-1"),
        (
            "studio_id='a/b' cannot be an id: it is empty, or has a character that no id has, such "
            "as `/` or a space."
        ),
    ),
    "a token": (
        lambda: open_streaming_session("studio-1", launch_profile_id="lp-1", client_token=" a"),
        (
            "client_token=' a' has to be 1 to 64 printable ASCII characters, without a space at "
            "either end."
        ),
    ),
    "tags that are no mapping": (
        lambda: open_streaming_session("studio-1", launch_profile_id="lp-1", tags=bad(5)),
        "tags=5 has to map str to str.",
    ),
    "tags of another type": (
        lambda: open_streaming_session("studio-1", launch_profile_id="lp-1", tags=bad({"a": 1})),
        "tags={'a': 1} has to map str to str.",
    ),
    "a choice": (
        lambda: open_gui_session("my-computer", kind=bad("desktop")),
        "kind='desktop' has to be one of 'application', 'operating_system'.",
    ),
    "a flag": (
        lambda: open_gui_session("my-computer", start_instance=bad("no")),
        "start_instance='no' has to be True or False.",
    ),
    "a text": (
        lambda: open_gui_session("my-computer", region_name=" "),
        "region_name=' ' has to be a string that is not empty.",
    ),
    "an endpoint": (
        lambda: open_gui_session("my-computer", endpoint_url="here"),
        (
            "endpoint_url='here' has to be a URL like https://host or http://127.0.0.1:8080, "
            "without a user name."
        ),
    ),
    "a number": (
        lambda: open_stream("studio-1", "s-1", expiration_in_seconds=59),
        "expiration_in_seconds=59 has to be a whole number from 60 to 3600.",
    ),
    "seconds": (
        lambda: open_gui_session("my-computer", timeout=bad("5")),
        "timeout='5' has to be a number of seconds, or None.",
    ),
    "negative seconds": (
        lambda: open_gui_session("my-computer", timeout=-0.5),
        "timeout=-0.5 has to be 0 or more seconds, or None for no limit.",
    ),
    "an interval of zero": (
        lambda: open_gui_session("my-computer", poll_interval=0),
        "poll_interval=0 has to be more than 0 seconds, or None for no limit.",
    ),
    "no number": (
        lambda: open_gui_session("my-computer", timeout=float("nan")),
        "timeout=nan has to be 0 or more seconds, or None for no limit.",
    ),
    "a number below all floats": (
        lambda: open_gui_session("my-computer", timeout=-(10**400)),
        "timeout=-inf has to be 0 or more seconds, or None for no limit.",
    ),
}


def bad(value: Any) -> Any:
    """Pass a value of a type that no type checker would let through."""
    return value


@pytest.mark.parametrize("argument", SAID)
async def test_the_error_shows_the_value_and_says_what_it_has_to_be(argument: str) -> None:
    call, text = SAID[argument]
    with pytest.raises(InvalidArgumentError) as caught:
        await call()
    assert str(caught.value) == text


async def test_the_error_of_a_list_shows_the_value_and_says_what_it_has_to_be(
    nimble: NimbleClient,
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await anext(nimble.list_streaming_sessions("studio-1", session_ids=bad(5)))
    assert str(caught.value) == (
        "session_ids=5 has to be a list of ids, or a string of ids with commas."
    )


@pytest.mark.parametrize("kind", [LightsailClient, NimbleClient])
def test_the_error_of_a_session_or_config_says_what_it_has_to_be(kind: Any) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"^session= has to be an AioSession, not 'me'\.$"
    ):
        kind(session="me")
    with pytest.raises(InvalidArgumentError, match=r"^config= has to be an AioConfig, not \{\}\.$"):
        kind(config={})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("-" * 78, f"'{'-' * 78}'"),
        ("-" * 79, f"'{'-' * 79}…"),
        ("-" * 100_000, f"'{'-' * 79}…"),
        ("a ?token", "'a …"),
        ("a #token", "'a …"),
        ("https://user:s3cr3t@host/", "'https://***@host/'"),
    ],
)
async def test_the_error_shows_the_beginning_of_a_long_value_and_no_secret(
    name: str, shown: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await open_gui_session(name)
    assert str(caught.value).startswith(f"name={shown} cannot be")


@pytest.mark.looptime
@pytest.mark.parametrize("timeout", [0, 0.5, None, float("inf"), 10**400])
@pytest.mark.parametrize("poll_interval", [0.5, 60, None, float("inf"), 10**400])
async def test_a_timeout_and_an_interval_that_are_valid_are_taken(
    sim: Simulator,
    lightsail: LightsailClient,
    timeout: float | None,
    poll_interval: float | None,
) -> None:
    sim.lightsail.set_status("my-computer", "started")
    url = await open_gui_session(
        "my-computer", timeout=timeout, poll_interval=poll_interval, client=lightsail
    )
    assert sim.accepts(url)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://localhost",
        "https://203.0.113.1:8443/path",
        "http://[::1]:8080",
        "https://nimble.us-west-2.amazonaws.com/",
    ],
)
def test_an_endpoint_that_is_valid_is_taken(endpoint: str) -> None:
    assert repr(NimbleClient(endpoint_url=endpoint)) == "<NimbleClient not open>"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://host:0",
        "http://host:70000",
        "http://host:port",
        "http://[::1",
        "http://@host",
        "https://user:s3cr3t@host",
        "https://host/a b",
        "https://host/\x07",
        "//host",
        "HTTP//host",
    ],
)
def test_an_endpoint_that_no_request_could_be_sent_to_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^endpoint_url=") as caught:
        NimbleClient(endpoint_url=endpoint)
    assert "s3cr3t" not in str(caught.value)
