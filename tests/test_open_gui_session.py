"""The main job of Lightsail for Research."""

import pytest

from dcvsessions import open_gui_session
from dcvsessions.simulator import Simulator


@pytest.mark.looptime
async def test_opens_from_nothing(sim: Simulator) -> None:
    url = await open_gui_session("my-computer")
    assert sim.accepts(url)
