"""Official AWS clients, each in its environment, and simulators for them in other processes.

The environments are kept in ``$DCVSESSIONS_CACHE`` (``~/.cache/dcvsessions`` if that is not set).
Making them needs the network, so that is done, once, when this directory is asked for by name:
``pytest tests/clients``. A run of all tests uses the ones that are there and skips the rest. What
cannot be made is a failure with ``CI=true`` and skipped otherwise. Delete the cache to get the
clients of a later day.
"""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import attrs
import pytest

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
# A client that takes longer than this hangs: the slowest one is npm on a slow network.
_PATIENCE = 120
# What the simulator prints when it serves.
_PRINTED = {
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "DCV_CONTROL_URL",
    "DCV_CONTROL_TOKEN",
}
_IN_CI = os.environ.get("CI") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.clients)


# --- Environments ---


class Cupboard:
    """The environments that are kept from one run to the next."""

    def __init__(self, *, may_make: bool) -> None:
        self._may_make = may_make
        self._complaints: dict[str, str] = {}
        folder = os.environ.get("DCVSESSIONS_CACHE") or Path.home() / ".cache" / "dcvsessions"
        self._folder = Path(folder).resolve() / "clients"

    def python(self, name: str, *requirements: str) -> Path:
        """Give the interpreter of a virtual environment that holds the requirements."""

        def make(folder: Path) -> None:
            _call([sys.executable, "-m", "venv", str(folder)])
            install = [*_pip("install"), "--only-binary", ":all:"]
            _call([str(folder / "bin" / "python"), *install, *requirements])

        return self._get(name, requirements, make) / "bin" / "python"

    def node_modules(self, name: str, *packages: str) -> Path:
        """Give a ``node_modules`` that holds the packages."""

        def make(folder: Path) -> None:
            folder.mkdir()
            (folder / "package.json").write_text('{"private": true}')
            install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
            _call([*install, "--ignore-scripts", "--fetch-retries=1", *packages], folder)

        return self._get(name, packages, make) / "node_modules"

    def go_program(self, name: str, source: Path, gopath: Path) -> Path:
        """Give a Go program, compiled with the packages of a folder."""

        def make(folder: Path) -> None:
            folder.mkdir()
            settings = {"GO111MODULE": "off", "GOPATH": gopath, "GOCACHE": folder / "cache"}
            environ = [f"{variable}={value}" for variable, value in settings.items()]
            _call(["env", *environ, "go", "build", "-o", str(folder / "program"), str(source)])
            shutil.rmtree(folder / "cache")

        return self._get(name, (source.read_text(), str(gopath)), make) / "program"

    def source(self, name: str, requirement: str) -> Path:
        """Give the folder in which the source distribution of a package is unpacked."""

        def make(folder: Path) -> None:
            folder.mkdir()
            options = ["--no-deps", "--no-binary", ":all:"]
            _call([sys.executable, *_pip("download"), *options, requirement], folder)
            (archive,) = folder.glob("*.tar.gz")
            shutil.unpack_archive(archive, folder, filter="data")
            archive.unlink()

        folder = self._get(name, (requirement,), make)
        return next(path for path in folder.iterdir() if path.is_dir())

    def _get(self, name: str, recipe: Sequence[str], make: Callable[[Path], None]) -> Path:
        # Another recipe or another Python is another environment.
        key = repr((sorted(recipe), sys.version_info[:2]))
        folder = self._folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        if not (folder / "ready").exists():
            self._make(name, folder, make)
        return folder

    def _make(self, name: str, folder: Path, make: Callable[[Path], None]) -> None:
        if not self._may_make:
            pytest.skip("the clients are not here yet; `pytest tests/clients` gets them, once")
        if name not in self._complaints:
            try:
                _make_once(folder, make)
            except (OSError, subprocess.SubprocessError) as error:
                self._complaints[name] = f"{name} cannot be made: {error}"
            else:
                return
        missing(self._complaints[name])


def _make_once(folder: Path, make: Callable[[Path], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / f"{folder.name}.lock"):
        if not (folder / "ready").exists():  # nor made by another process meanwhile
            shutil.rmtree(folder, ignore_errors=True)  # what an interrupted one left
            make(folder)
            (folder / "ready").touch()


def missing(what: str) -> None:
    """Give up on a client: a failure where all of them have to be there, otherwise a skip."""
    if _IN_CI:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def _pip(command: str) -> list[str]:
    return ["-m", "pip", command, "--quiet", "--disable-pip-version-check", "--retries", "1"]


def _call(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise OSError(f"{' '.join(command)}: {' / '.join(said)}")


@contextlib.contextmanager
def _locked(path: Path) -> Generator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def cupboard(request: pytest.FixtureRequest) -> Cupboard:
    config = request.config
    paths = (config.invocation_params.dir / each.partition("::")[0] for each in config.args)
    asked_for = any(path.resolve().is_relative_to(HERE) for path in paths)
    return Cupboard(may_make=asked_for)


@pytest.fixture(scope="session")
def pythons(cupboard: Cupboard) -> Callable[[str], Path]:
    """The interpreters beside boto3 and the AWS CLI: of today, of Nimble's last days, and older."""
    requirements = {
        "today": ("boto3", "awscli"),
        # The first weeks of GUI sessions.
        "1.26.90": ("boto3==1.26.90",),
        "1.35.47": ("boto3==1.35.47", "botocore==1.35.47", "awscli==1.35.13"),
    }
    return lambda name: cupboard.python(f"boto3-{name}", *requirements[name])


@pytest.fixture(scope="session")
def protocol_cases(cupboard: Cupboard) -> Path:
    """The cases by which botocore tests its protocols; pinned, as each is accounted for."""
    return cupboard.source("botocore", "botocore==1.43.117") / "tests" / "unit" / "protocols"


@pytest.fixture(scope="session")
def give_up() -> Callable[[str], None]:
    return missing


# --- Simulators and clients ---


@attrs.frozen
class Served:
    """A simulator that serves in another process."""

    environ: Mapping[str, str]
    log: Path

    def requests(self, label: str) -> list[str]:
        """The statuses that were answered to the requests of an operation."""
        words = (line.split() for line in self.log.read_text().splitlines())
        return [line[-1] for line in words if label in line]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """Start simulators, each of the scenario in a file beside the programs."""
    with contextlib.ExitStack() as stack:

        def start(scenario: str) -> Served:
            folder = tmp_path_factory.mktemp(scenario)
            return stack.enter_context(_simulator(PROGRAMS / f"{scenario}.toml", folder))

        yield start


@contextlib.contextmanager
def _simulator(scenario: Path, folder: Path) -> Generator[Served]:
    command = [sys.executable, "-m", "dcvsessions.simulator", "--port", "0", "--control"]
    log = folder / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*command, "--scenario", str(scenario)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            served = Served({**_bare_environ(folder), **_printed(process, log)}, log)
            yield served
        finally:
            process.terminate()
            status = _wait(process)
    assert status == 0, log.read_text()
    said = log.read_text()
    assert "Traceback" not in said
    assert served.environ["AWS_SECRET_ACCESS_KEY"] not in said
    assert served.environ["DCV_CONTROL_TOKEN"] not in said
    assert "authToken" not in said


def _bare_environ(home: Path) -> dict[str, str]:
    # Neither the credentials nor the proxies of this machine are the clients' business.
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _printed(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    printed: dict[str, str] = {}
    hung = threading.Timer(30, process.kill)
    hung.start()
    try:
        while not printed.keys() >= _PRINTED:
            line = process.stdout.readline()
            assert line, f"The simulator does not serve:\n{log.read_text()}"
            name, _, value = line.removeprefix("export ").partition("=")
            printed[name] = "".join(shlex.split(value))
    finally:
        hung.cancel()
    return printed


def _wait(process: subprocess.Popen[str]) -> int:
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a client against a simulator, to its end."""

    def run(served: Served, *command: str | Path, **options) -> subprocess.CompletedProcess[str]:
        environ = {**served.environ, **options.pop("environ", {})}
        return subprocess.run(
            [str(word) for word in command],
            env=environ,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            **options,
        )

    return run
