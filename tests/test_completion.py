"""What completion offers on an object is what its documentation names."""

import inspect

import pytest

from dcvsessions import (
    DcvUrl,
    GuiDesktop,
    LightsailClient,
    NimbleClient,
    Progress,
    StreamingDesktop,
    existing_streaming_session,
    gui_session,
    open_gui_sessions,
)
from dcvsessions.dcv import ConnectionFile
from dcvsessions.simulator import Simulator

pytestmark = pytest.mark.looptime


def offered(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


async def test_completion_offers_no_internals(
    sim: Simulator, lightsail: LightsailClient, nimble: NimbleClient
) -> None:
    events: list[Progress] = []
    made = await nimble.create_streaming_session("studio-1", launch_profile_id="lp-1")
    async with (
        gui_session("my-computer", on_progress=events.append) as gui,
        existing_streaming_session("studio-1", str(made.session_id)) as streaming,
        open_gui_sessions(["my-computer"]) as outcomes,
    ):
        url = await gui.url()
        file = url.connection_file()
        of_desktops = {"expires_at", "state", "url", "urls"}
        table: dict[type, tuple[object, set[str]]] = {
            GuiDesktop: (gui, of_desktops | {"name"}),
            StreamingDesktop: (streaming, of_desktops | {"session_id", "studio_id"}),
            DcvUrl: (
                url,
                {
                    *offered(str),
                    "connection_file",
                    "expires_at",
                    "host",
                    "is_web",
                    "native",
                    "open",
                    "path",
                    "port",
                    "scheme",
                    "session_id",
                    "streaming_session_id",
                    "wait_until_reachable",
                },
            ),
            LightsailClient: (lightsail, offered(LightsailClient)),
            NimbleClient: (nimble, offered(NimbleClient)),
            ConnectionFile: (file, set()),
            Progress: (events[0], {field.name for field in Progress.__attrs_attrs__}),
            type(outcomes): (outcomes, set()),
        }
        for kind, (thing, names) in table.items():
            assert isinstance(thing, kind)
            assert offered(thing) == names, kind


@pytest.mark.parametrize(
    "kind", [GuiDesktop, StreamingDesktop, DcvUrl, LightsailClient, NimbleClient, Progress]
)
def test_all_that_completion_offers_is_documented(kind: type) -> None:
    text = inspect.getdoc(kind) or ""
    for name in offered(kind) - offered(str):
        member = inspect.getattr_static(kind, name)
        is_described = f"\n    {name}: " in text
        assert is_described or inspect.getdoc(member), name
