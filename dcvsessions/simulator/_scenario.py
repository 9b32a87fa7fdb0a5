"""Resources, transition plans and faults as data.

Write a scenario in Python, or as a TOML or JSON file of the same names::

    speed = 10

    [timings]
    preset = "demo"

    [[lightsail.instances]]
    name = "my-computer"
    state = "stopped"

    [[lightsail.instances.plans.StartGUISession]]
    seconds = 40
    percentages = [5, 20, 80]
    ends = "failedStartingGUISession"
    message = "No capacity"
    times = 2

    [[nimble.studios]]
    studio_id = "studio-1"
    launch_profiles = ["lp-1"]
    session_quota = 2

    [[nimble.plans.CreateStreamingSession]]
    ends = "CREATE_FAILED"
    code = "INSUFFICIENT_CAPACITY"

    [[faults]]
    operation = "CreateStreamingSession"
    call = 2
    fault = { kind = "error", code = "ThrottlingException", status = 429, retry_after = 3 }
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any, Self

from attrs import asdict, field, frozen

from dcvsessions.simulator._errors import ScenarioError
from dcvsessions.simulator._faults import Fault
from dcvsessions.simulator._simulator import PAGE_SIZE, Simulator
from dcvsessions.simulator._time.plan import TransitionPlan
from dcvsessions.simulator._time.timings import Timings

__all__ = [
    "DEFAULT_SCENARIO",
    "FaultScenario",
    "InstanceScenario",
    "LightsailScenario",
    "NimbleScenario",
    "Scenario",
    "StudioScenario",
    "ThrottleScenario",
]

Plans = Mapping[str, tuple[TransitionPlan, ...]]


@frozen(kw_only=True)
class InstanceScenario:
    """A virtual computer. See `LightsailSimulator.add_instance()`.

    Attributes:
        name: Its name.
        state: The state of the instance.
        status: The status of the GUI session.
        tags: Its tags.
        blueprint_id: The blueprint.
        blueprint_name: The name of the application.
        bundle_id: The bundle.
        plans: How its next transitions go, by the operation that starts them.
    """

    name: str
    state: str = "running"
    status: str = "notStarted"
    tags: Mapping[str, str] = field(factory=dict[str, str])
    blueprint_id: str = "jupyterlab"
    blueprint_name: str = "JupyterLab"
    bundle_id: str = "app_standard_xl_1_0"
    plans: Plans = field(factory=dict[str, tuple[TransitionPlan, ...]])

    def add_to(self, simulator: Simulator) -> None:
        """Add the virtual computer and its plans to a simulator.

        Args:
            simulator: The simulator.

        Raises:
            ValueError: `LightsailSimulator.add_instance()` and `plan()` say when.
        """
        arguments = asdict(self, recurse=False)
        plans: Plans = arguments.pop("plans")
        simulator.lightsail.add_instance(**arguments)
        for operation, planned in plans.items():
            simulator.lightsail.plan(self.name, operation, *planned)


@frozen(kw_only=True)
class StudioScenario:
    """A studio. See `NimbleSimulator.add_studio()`.

    Attributes:
        studio_id: Its id.
        launch_profiles: The ids of its launch profiles.
        session_quota: The most sessions at a time; None for any number.
        ec2_instance_type: The default instance type of sessions.
        streaming_image_id: The default image of sessions.
    """

    studio_id: str
    launch_profiles: tuple[str, ...] = ("lp-1",)
    session_quota: int | None = None
    ec2_instance_type: str = "g4dn.xlarge"
    streaming_image_id: str = "image-1"


@frozen(kw_only=True)
class LightsailScenario:
    """The resources in Lightsail.

    Attributes:
        instances: The virtual computers, oldest first.
    """

    instances: tuple[InstanceScenario, ...] = ()


@frozen(kw_only=True)
class NimbleScenario:
    """The resources in Nimble Studio.

    Attributes:
        studios: The studios.
        plans: How the next transitions of sessions and streams go, by the operation that starts
            them.
    """

    studios: tuple[StudioScenario, ...] = ()
    plans: Plans = field(factory=dict[str, tuple[TransitionPlan, ...]])


@frozen(kw_only=True)
class FaultScenario:
    """Something that goes wrong. See `Simulator.inject()`.

    Attributes:
        operation: The operation that it happens to; `*` for any.
        fault: What goes wrong.
        call: The first request of the operation that it happens to, from 1.
        times: How many requests in a row it happens to; None for all later ones.
    """

    operation: str
    fault: Fault
    call: int = 1
    times: int | None = 1


@frozen(kw_only=True)
class ThrottleScenario:
    """A limit on requests. See `Simulator.throttle()`.

    Attributes:
        rate: The requests per simulated second.
        burst: The most requests at once.
        operation: The operation that is limited; `*` for all of them together.
    """

    rate: float
    burst: int = 1
    operation: str = "*"


@frozen(kw_only=True)
class Scenario:
    """Everything that a simulator starts with, as data.

    Attributes:
        speed: Simulated seconds per second.
        seed: Determines identifiers and drawn durations.
        region_name: The region that the services report.
        page_size: The most items in a page of results.
        stale_reads: Simulated seconds after a write during which reads still show the state
            before it.
        timings: How long transitions take, unless a plan says otherwise. In a file, a table of
            durations, with a `preset` (`default`, `instant`, `demo`, `realistic`) for those that
            it does not name.
        lightsail: The resources in Lightsail.
        nimble: The resources in Nimble Studio.
        faults: What goes wrong.
        throttles: The limits on requests.

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
    timings: Timings = field(factory=Timings)
    lightsail: LightsailScenario = field(factory=LightsailScenario)
    nimble: NimbleScenario = field(factory=NimbleScenario)
    faults: tuple[FaultScenario, ...] = ()
    throttles: tuple[ThrottleScenario, ...] = ()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a scenario file.

        Args:
            path: A JSON file if its name ends in `.json`, otherwise a TOML file.

        Returns:
            The scenario.

        Raises:
            ScenarioError: The file cannot be read, or something in it is wrong.
        """
        from dcvsessions.simulator._scenario_file import load  # noqa: PLC0415 - imports cattrs

        try:
            return cls.from_data(load(path))
        except ScenarioError as error:
            raise ScenarioError(f"{path}: {error}") from error.__cause__

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Make a scenario from what a TOML or JSON parser returns.

        Args:
            data: The top-level table.

        Returns:
            The scenario. It was checked that a simulator can be made from it.

        Raises:
            ScenarioError: Something in it is wrong.
        """
        from dcvsessions.simulator._scenario_file import structured  # noqa: PLC0415 - as in load()

        scenario = structured(data, cls)
        scenario.simulator()
        return scenario

    def simulator(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
    ) -> Simulator:
        """Make a simulator that starts with this scenario.

        Args:
            host: The address to listen on.
            port: The port; 0 for any free one.
            speed: Simulated seconds per second. Default: the scenario's.
            access_key_id: The access key that requests have to be signed with. Default: random.
            secret_access_key: Its secret. Default: random.
            session_token: The session token of temporary keys. Default: they are long-term keys.

        Returns:
            The simulator, not entered yet.

        Raises:
            ScenarioError: Two resources have one name, a value is out of range, or an operation
                starts no transition.
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
                access_key_id=access_key_id,
                secret_access_key=secret_access_key,
                session_token=session_token,
            )
        self.apply(simulator)
        return simulator

    def apply(self, simulator: Simulator) -> None:
        """Add the resources, plans, faults and limits of this scenario to a simulator.

        Args:
            simulator: The simulator. Its timings, speed and region stay as they are.

        Raises:
            ScenarioError: Two resources have one name, a value is out of range, or an operation
                starts no transition.
        """
        for index, instance in enumerate(self.lightsail.instances):
            with _at(f"$.lightsail.instances[{index}]"):
                instance.add_to(simulator)
        for index, studio in enumerate(self.nimble.studios):
            with _at(f"$.nimble.studios[{index}]"):
                simulator.nimble.add_studio(**asdict(studio))
        for operation, plans in self.nimble.plans.items():
            with _at("$.nimble.plans"):
                simulator.nimble.plan(operation, *plans)
        for index, each in enumerate(self.faults):
            with _at(f"$.faults[{index}]"):
                simulator.inject(each.operation, each.fault, call=each.call, times=each.times)
        for index, limit in enumerate(self.throttles):
            with _at(f"$.throttles[{index}]"):
                simulator.throttle(limit.rate, burst=limit.burst, operation=limit.operation)


@contextmanager
def _at(place: str) -> Generator[None, None, None]:
    """Add the place in the scenario to an error."""
    try:
        yield
    except ValueError as error:
        raise ScenarioError(f"{error} @ {place}") from error


# The scenario of the command without `--scenario`.
DEFAULT_SCENARIO = Scenario(
    lightsail=LightsailScenario(instances=(InstanceScenario(name="my-computer"),)),
    nimble=NimbleScenario(studios=(StudioScenario(studio_id="studio-1"),)),
)
