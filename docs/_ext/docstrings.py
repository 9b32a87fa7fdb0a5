"""Adapts our docstrings to autodoc and napoleon, in two respects."""

import re

from sphinx.application import Sphinx

# The classes that users make. A call returns the others, so the page leaves out their arguments.
_MADE_BY_USERS = frozenset(
    {
        "ConnectionOptions",
        "DcvUrl",
        "Fault",
        "FaultScenario",
        "InstanceScenario",
        "LightsailClient",
        "LightsailScenario",
        "NimbleClient",
        "NimbleScenario",
        "Scenario",
        "Simulator",
        "StreamingSessionRequest",
        "StudioScenario",
        "ThrottleScenario",
        "Timings",
        "TransitionPlan",
    }
)


def hide_signature(
    _app: Sphinx,
    what: str,
    name: str,
    _value: object,
    _options: object,
    signature: str | None,
    _returned: str | None,
) -> tuple[str, None] | None:
    """Leave out the arguments of classes that users do not make."""
    if signature is None or what not in ("class", "exception"):
        return None
    return None if name.rpartition(".")[2] in _MADE_BY_USERS else ("", None)


def keep_colons(
    _app: Sphinx, what: str, _name: str, _value: object, _options: object, lines: list[str]
) -> None:
    """Keep napoleon from reading the words before a colon as a type: types are in the signature."""
    if what == "property" and lines:
        lines[0] = f": {lines[0]}"
    for at, line in enumerate(lines[:-1]):
        if line in ("Returns:", "Yields:"):
            lines[at + 1] = re.sub(r"^(\s+)", r"\1: ", lines[at + 1])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("autodoc-process-signature", hide_signature)
    # Before napoleon, whose priority is 500.
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
