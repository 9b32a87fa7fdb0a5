"""The wheel works where it is installed, without the sources beside it."""

import json
import sys
from pathlib import Path

import pytest
from packages.building import Built, Installed, call, lowest
from packages.conftest import VERSIONS

import dcvsessions

# Fast, and together they use all of the package.
TESTS = [
    "tests/simulator/test_simulator_scenario.py",
    "tests/simulator/test_simulator_wire.py",
    "tests/surface/test_public_api.py::test_the_list_of_public_names_is_up_to_date",
    "tests/test_architecture.py",
    "tests/test_command.py",
    "tests/test_errors.py",
    # Older versions of aiobotocore and aiohttp differ in what they do with redirects.
    "tests/test_foreign_answers.py::test_no_credential_leaves_for_another_host",
    "tests/test_foreign_answers.py::test_a_redirect_of_an_operation_is_an_error_that_names_the_host",
    "tests/test_helpers.py",
    "tests/test_lightsail_operations.py",
    "tests/test_models.py",
    "tests/test_nimble_operations.py",
    "tests/test_progress.py",
    "tests/test_url.py",
]


def test_every_python_of_the_metadata_is_tested(built: Built) -> None:
    prefix = "Programming Language :: Python :: 3."
    classifiers: list[str] = built.metadata.get_all("Classifier", [])
    named = [it for it in classifiers if it.startswith(prefix)]
    assert named == [f"Programming Language :: Python :: {version}" for version in VERSIONS]


def test_the_lowest_versions_are_those_of_the_metadata(built: Built) -> None:
    names = {pin.partition("==")[0] for pin in lowest(built.metadata)}
    assert names == {"aiobotocore", "attrs", "cattrs", "rich", "tenacity"}


def test_the_package_is_the_installed_one(installed: Installed) -> None:
    code = "import dcvsessions; print(dcvsessions.__file__, dcvsessions.__version__)"
    place, version = installed.run("-c", code).split()
    assert Path(place).is_relative_to(installed.python.parent.parent)
    assert version == dcvsessions.__version__


def test_the_tests_pass(installed: Installed) -> None:
    said = installed.run("-m", "pytest", "-q", "-n", "2", *TESTS)
    assert " passed in " in said
    assert "skipped" not in said


def test_the_command_is_installed(installed: Installed) -> None:
    said = call(installed.program("dcvsessions"), "--version", cwd=installed.folder)
    assert said == f"dcvsessions {dcvsessions.__version__}\n"


def test_pytest_finds_the_plugin_without_a_configuration(
    installed: Installed, tmp_path: Path
) -> None:
    example = installed.folder / "examples" / "test_my_script.py"
    (tmp_path / example.name).write_bytes(example.read_bytes())
    said = call(installed.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "2 passed" in said


@pytest.mark.parametrize("installed", VERSIONS[:1], indirect=True)
def test_a_typed_program_is_checked_with_the_types_of_the_wheel(
    installed: Installed, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_bytes((installed.folder / "tests" / "typing" / "api.py").read_bytes())
    # aiobotocore has no types.
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nstrict = true\n[mypy-aiobotocore.*]\nignore_missing_imports = true\n"
    )
    mypy = [sys.executable, "-m", "mypy", "--python-executable", installed.python]
    call(*mypy, program, cwd=tmp_path)
    settings = {"typeCheckingMode": "strict", "reportMissingTypeStubs": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    call(sys.executable, "-m", "pyright", "--pythonpath", installed.python, cwd=tmp_path)
