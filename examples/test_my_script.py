"""How to test your own script with the simulator: `pytest examples/test_my_script.py`."""

import asyncio

import pytest

from dcvsessions import WaitFailedError, open_gui_session
from dcvsessions.simulator import Simulator


def my_script(name: str) -> str:
    """Stand for your script, which does not know about the simulator."""
    return asyncio.run(open_gui_session(name))


@pytest.mark.usefixtures("dcv_environ")
def test_it_opens_the_desktop(dcv_simulator: Simulator) -> None:
    """The simulator accepts the URL, and the session was started once."""
    dcv_simulator.lightsail.add_instance("lab")
    assert dcv_simulator.accepts(my_script("lab"))
    assert len(dcv_simulator.calls("StartGUISession")) == 1


@pytest.mark.usefixtures("dcv_environ")
def test_it_says_why_not(dcv_simulator: Simulator) -> None:
    """If the start fails, the error has Lightsail's reason."""
    dcv_simulator.lightsail.add_instance("lab")
    dcv_simulator.lightsail.fail_start("lab", reason="no capacity")
    with pytest.raises(WaitFailedError, match="no capacity"):
        my_script("lab")
