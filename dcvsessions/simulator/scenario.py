"""A simulated world as data: computers, studios, how their transitions go, and what goes wrong.

A scenario is written in Python, or as a TOML or JSON file of the same names::

    speed = 10

    [timings]
    preset = "demo"

    [[lightsail.instances]]
    name = "my-computer"
    state = "stopped"

    [[lightsail.instances.courses.StartGUISession]]
    seconds = 40
    percentages = [5, 20, 80]
    ends = "failedStartingGUISession"
    message = "No capacity"
    times = 2

    [[nimble.studios]]
    studio_id = "studio-1"
    launch_profiles = ["lp-1"]
    session_quota = 2

    [[nimble.courses.CreateStreamingSession]]
    ends = "CREATE_FAILED"
    code = "INSUFFICIENT_CAPACITY"

    [[faults]]
    operation = "CreateStreamingSession"
    call = 2
    fault = { kind = "error", code = "ThrottlingException", status = 429, retry_after = 3 }
"""

from __future__ import annotations

import contextlib
import json
import tomllib
import types
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

import attrs
import cattrs
import cattrs.gen

from dcvsessions.simulator.faults import Fault
from dcvsessions.simulator.server import PAGE_SIZE, Simulator
from dcvsessions.simulator.timeline import Course
from dcvsessions.simulator.timings import Timings

if TYPE_CHECKING:
    from os import PathLike

Courses = Mapping[str, tuple[Course, ...]]

#: The presets of timings by the names that files and the command line use.
PRESETS: dict[str, Callable[[], Timings]] = {
    "default": Timings,
    "instant": Timings.instant,
    "demo": Timings.demo,
    "realistic": Timings.realistic,
}


class ScenarioError(ValueError):
    """A scenario file that cannot be used; the message names the file and the place in it."""


@attrs.frozen(kw_only=True)
class InstanceScenario:
    """A virtual computer.

    Args:
        name: Its name.
        state: The state of the instance.
        status: The status of the GUI session.
        tags: Its tags.
        blueprint_id: The blueprint.
        blueprint_name: The name of the application.
        bundle_id: The bundle.
        courses: How its transitions go, by the operation that starts them.
    """

    name: str
    state: str = "running"
    status: str = "notStarted"
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str])
    blueprint_id: str = "jupyterlab"
    blueprint_name: str = "JupyterLab"
    bundle_id: str = "app_standard_xl_1_0"
    courses: Courses = attrs.field(factory=dict[str, tuple[Course, ...]])


@attrs.frozen(kw_only=True)
class StudioScenario:
    """A studio.

    Args:
        studio_id: Its id.
        launch_profiles: The ids of its launch profiles.
        session_quota: The most sessions at a time; None for any number.
        ec2_instance_type: The instance type of a session that asks for none.
        streaming_image_id: The image of a session that asks for none.
    """

    studio_id: str
    launch_profiles: tuple[str, ...] = ("lp-1",)
    session_quota: int | None = None
    ec2_instance_type: str = "g4dn.xlarge"
    streaming_image_id: str = "image-1"


@attrs.frozen(kw_only=True)
class LightsailScenario:
    """What there is in Lightsail.

    Args:
        instances: The virtual computers, oldest first.
    """

    instances: tuple[InstanceScenario, ...] = ()


@attrs.frozen(kw_only=True)
class NimbleScenario:
    """What there is in Nimble Studio.

    Args:
        studios: The studios.
        courses: How the transitions of sessions and streams go, by the operation that starts them.
    """

    studios: tuple[StudioScenario, ...] = ()
    courses: Courses = attrs.field(factory=dict[str, tuple[Course, ...]])


@attrs.frozen(kw_only=True)
class FaultScenario:
    """Something that goes wrong.

    Args:
        operation: The operation that it happens to, ``*`` for any.
        fault: What goes wrong.
        call: With which request of the operation it begins, from 1.
        times: How many requests in a row it happens to; None for all that follow.
    """

    operation: str
    fault: Fault
    call: int = 1
    times: int | None = 1


@attrs.frozen(kw_only=True)
class Scenario:
    """A simulated world as data.

    Args:
        speed: Simulated seconds per second.
        seed: Determines identifiers and drawn durations.
        region_name: The region that the services say they are in.
        page_size: The most items in a page of results.
        stale_reads: For how many simulated seconds after a write reads still show the state
            before it.
        timings: How long transitions take where no course says otherwise. In a file a table of
            durations, with a ``preset`` (``default``, ``instant``, ``demo``, ``realistic``) for
            those that it does not name.
        lightsail: What there is in Lightsail.
        nimble: What there is in Nimble Studio.
        faults: What goes wrong.

    Example:
        >>> scenario = Scenario(
        ...     lightsail=LightsailScenario(instances=(InstanceScenario(name="my-computer"),))
        ... )
        >>> async with scenario.simulator() as sim:
        ...     ...
    """

    speed: float = 1.0
    seed: int = 0
    region_name: str = "us-east-1"
    page_size: int = PAGE_SIZE
    stale_reads: float = 0.0
    timings: Timings = attrs.field(factory=Timings)
    lightsail: LightsailScenario = attrs.field(factory=LightsailScenario)
    nimble: NimbleScenario = attrs.field(factory=NimbleScenario)
    faults: tuple[FaultScenario, ...] = ()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Scenario:
        """Read a scenario file.

        Args:
            path: A file whose name ends in ``.json`` for JSON; TOML otherwise.

        Returns:
            The scenario.

        Raises:
            ScenarioError: The file cannot be read, or something in it is wrong.
        """
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
            parse = json.loads if file.suffix == ".json" else tomllib.loads
            return cls.from_data(parse(text))
        except ScenarioError as error:
            raise ScenarioError(f"{file}: {error}") from None
        except (OSError, ValueError) as error:  # both parsers tell line and column
            raise ScenarioError(f"{file}: {error}") from error

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Scenario:
        """Read a scenario from what a TOML or JSON parser returns.

        Args:
            data: The top-level table.

        Returns:
            The scenario, which has been tried out.

        Raises:
            ScenarioError: Something in it is wrong.
        """
        try:
            scenario = _CONVERTER.structure(data, cls)
        except (cattrs.BaseValidationError, ValueError, TypeError) as error:
            found = cattrs.transform_error(error, format_exception=_say)
            raise ScenarioError("; ".join(found)) from error
        scenario.simulator()
        return scenario

    def simulator(
        self, *, host: str = "127.0.0.1", port: int = 0, speed: float | None = None
    ) -> Simulator:
        """Make a simulator of this world.

        Args:
            host: The address to listen on.
            port: The port; 0 for any free one.
            speed: Simulated seconds per second; None for what the scenario says.

        Returns:
            The simulator, not entered yet.

        Raises:
            ScenarioError: Two resources have one name, something is out of its range, or an
                operation starts no transition.
        """
        with _at("$"):
            simulator = Simulator(
                host=host,
                port=port,
                timings=self.timings,
                speed=self.speed if speed is None else speed,
                seed=self.seed,
                region_name=self.region_name,
                page_size=self.page_size,
                stale_reads=self.stale_reads,
            )
        for index, computer in enumerate(self.lightsail.instances):
            with _at(f"$.lightsail.instances[{index}]"):
                _add_instance(simulator, computer)
        for index, studio in enumerate(self.nimble.studios):
            with _at(f"$.nimble.studios[{index}]"):
                simulator.nimble.add_studio(**attrs.asdict(studio))
        for operation, courses in self.nimble.courses.items():
            with _at("$.nimble.courses"):
                simulator.nimble.script(operation, *courses)
        for index, order in enumerate(self.faults):
            with _at(f"$.faults[{index}]"):
                simulator.inject(order.operation, order.fault, call=order.call, times=order.times)
        return simulator


def _add_instance(simulator: Simulator, computer: InstanceScenario) -> None:
    given = attrs.asdict(computer, recurse=False)
    courses: Courses = given.pop("courses")
    simulator.lightsail.add_instance(**given)
    for operation, planned in courses.items():
        simulator.lightsail.script(computer.name, operation, *planned)


@contextlib.contextmanager
def _at(place: str) -> Generator[None]:
    """Say where in the scenario something is wrong."""
    try:
        yield
    except ValueError as error:
        raise ScenarioError(f"{error} @ {place}") from error


#: What there is when nothing else is asked for.
DEFAULT = Scenario(
    lightsail=LightsailScenario(instances=(InstanceScenario(name="my-computer"),)),
    nimble=NimbleScenario(studios=(StudioScenario(studio_id="studio-1"),)),
)


def _say(error: BaseException, kind: type | None) -> str:
    """Put what cattrs found into words."""
    if isinstance(error, KeyError):
        return "required, but missing"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"unknown: {', '.join(sorted(error.extra_fields))}"
    return str(error) or f"not a {kind}"


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(float | str | None, _passed)
    converter.register_structure_hook_factory(attrs.has, _table_hook)
    converter.register_structure_hook_factory(_is_tuple, _array_hook)
    return converter


def _table_hook(kind: type[Any], converter: cattrs.Converter) -> Callable[[object, object], Any]:
    usual = cattrs.gen.make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True
    )

    def structure(value: object, _: object) -> Any:  # noqa: ANN401 - of whatever kind it is
        table = _table(value)
        return usual(_with_preset(table) if kind is Timings else table, kind)

    return structure


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _array_hook(kind: object, converter: cattrs.Converter) -> Callable[[object, object], Any]:
    elements = cast("type[list[Any]]", types.GenericAlias(list, get_args(kind)[0]))

    def structure(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"must be an array, not {value!r}")
        return tuple(converter.structure(value, elements))

    return structure


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"must be a table, not {value!r}")
    return cast("dict[str, Any]", value)


def _exactly(value: object, kind: type) -> object:
    if type(value) is not kind:
        raise ValueError(f"must be a {kind.__name__}, not {value!r}")
    return value


def _number(value: object, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"must be a number, not {value!r}")
    return float(value)


def _passed(value: object, _: object) -> object:
    if value is not None and not isinstance(value, (int, float, str)):
        raise ValueError(f"must be a number or a text, not {value!r}")
    return value


def _with_preset(table: dict[str, Any]) -> dict[str, Any]:
    name = table.get("preset", "default")
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; not {name!r}")
    named = {key: value for key, value in table.items() if key != "preset"}
    return {**attrs.asdict(PRESETS[name]()), **named}


_CONVERTER = _make_converter()
