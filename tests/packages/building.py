"""Builds the wheel and the sdist, finds Pythons, and installs the wheel."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import attrs
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent


def call(*command: str | Path, cwd: Path, timeout: float = 600) -> str:
    """Run a command without this environment's packages, and return what it prints."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:]
    return done.stdout


# --- What is built ---


@attrs.frozen
class Built:
    """What a release uploads, and the sdist unpacked."""

    wheel: Path
    sdist: Path
    unpacked: Path

    @property
    def metadata(self) -> Message:
        with ZipFile(self.wheel) as wheel:
            (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return HeaderParser().parsestr(wheel.read(name).decode())


def build(source: Path, target: Path) -> Built:
    """Build both from a folder with the project, as a release does."""
    call(sys.executable, "-m", "hatchling", "build", "-d", target, cwd=source)
    (wheel,) = target.glob("*.whl")
    (sdist,) = target.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(target, filter="data")
    return Built(wheel, sdist, target / sdist.name.removesuffix(".tar.gz"))


# --- Where it is installed ---


def find_python(version: str) -> Path | None:
    """Find an interpreter of a version such as 3.12: on the path, of pyenv, or of uv."""
    for candidate in _candidates(version):
        # A shim of pyenv is on the path even if it leads nowhere.
        tell = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run(
            [candidate, "-c", tell], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode == 0 and done.stdout.strip() == version:
            return Path(candidate)
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    for name in (f"python{version}", "python3"):
        if found := shutil.which(name):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))
    if uv := shutil.which("uv"):
        found_by_uv = subprocess.run(
            [uv, "python", "find", version], capture_output=True, text=True, timeout=60, check=False
        )
        yield from found_by_uv.stdout.splitlines()[:1] if found_by_uv.returncode == 0 else ()


def lowest(metadata: Message) -> list[str]:
    """Pin each dependency of the package, and of its extra `rich`, to its lowest version."""
    pins: list[str] = []
    for line in metadata.get_all("Requires-Dist", []):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": "rich"}):
            (bound,) = (it.version for it in requirement.specifier if it.operator == ">=")
            pins.append(f"{requirement.name}=={bound}")
    return pins


@attrs.frozen
class Installed:
    """An environment with the wheel, and a folder with the tests, but without the sources."""

    python: Path
    folder: Path

    def run(self, *arguments: str | Path, timeout: float = 600) -> str:
        return call(self.python, *arguments, cwd=self.folder, timeout=timeout)

    def program(self, name: str) -> Path:
        return self.python.parent / name


def install(built: Built, interpreter: Path, folder: Path, *pins: str) -> Installed:
    call(interpreter, "-m", "venv", folder / "environment", cwd=folder)
    python = folder / "environment" / "bin" / "python"
    wheel = f"dcvsessions[test] @ {built.wheel.as_uri()}"
    call(python, "-m", "pip", "install", "--quiet", wheel, *pins, cwd=folder)
    # The tests are those of the sdist, so it has to have them.
    tests = folder / "tests"
    shutil.copytree(built.unpacked, tests)
    shutil.rmtree(tests / "dcvsessions")
    return Installed(python, tests)
