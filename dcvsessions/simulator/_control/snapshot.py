"""What the admin interface shows of a simulator, as JSON, without secrets."""

from attrs import asdict

from dcvsessions.simulator._protocol.messages import Request
from dcvsessions.simulator._protocol.wire import Json
from dcvsessions.simulator._simulator import Simulator

__all__ = ["request_list", "state"]


def state(simulator: Simulator) -> dict[str, Json]:
    """Return the virtual computers, the sessions and their streams, each as it is now."""
    return {
        "endpoint_url": simulator.endpoint_url,
        "date": f"{simulator.date:%Y-%m-%dT%H:%M:%SZ}",
        "instances": [asdict(each) for each in simulator.lightsail.instances.values()],
        "sessions": [asdict(each) for each in simulator.nimble.sessions.values()],
    }


def request_list(requests: list[Request]) -> dict[str, Json]:
    """Return the requests, oldest first."""
    return {"requests": [asdict(each) for each in requests]}
