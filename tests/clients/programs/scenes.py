"""Runs the scenes of a program for a client: its functions whose names begin with ``test_``.

The programs run in environments that have an AWS client and nothing else, so that no pytest is at
hand there. What became of each scene is printed as JSON: nothing, or how it failed.
"""

import json
import sys
import time
import traceback


def play(program):
    scenes = {name: value for name, value in program.items() if name.startswith("test_")}
    json.dump({name: _outcome(scene) for name, scene in scenes.items()}, sys.stdout)


def _outcome(scene):
    try:
        scene()
    except Exception:  # noqa: BLE001 - whatever it is, it is the outcome
        return traceback.format_exc()
    return None


def until(read, state):
    """Read until a state is reached, and give all that was read."""
    readings = [read()]
    for _ in range(200):
        if readings[-1] == state:
            return readings
        time.sleep(0.05)
        readings.append(read())
    raise AssertionError(f"{state} was not reached: {readings}")


def raised(kind, call, **parameters):
    """Make a call that has to raise an error of a kind, and give the error."""
    try:
        call(**parameters)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def refusal(client, code, call, **parameters):
    """Make a call that has to raise the client's own class for an error, and give its answer."""
    response = raised(getattr(client.exceptions, code), call, **parameters).response
    assert response["Error"]["Code"] == code
    return response
