"""What is in the wheel and in the sdist, and what they say of themselves."""

import subprocess
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from packages.building import ROOT, Built, build

import dcvsessions

INFO = f"dcvsessions-{dcvsessions.__version__}.dist-info"
REPOSITORY = "https://github.com/dcvsessions/dcvsessions"


def files_of_the_project() -> set[str]:
    """The files that git has, or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


def contents(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    found = {*contents(built.wheel)}
    package = {name for name in files_of_the_project() if name.startswith("dcvsessions/")}
    assert "dcvsessions/py.typed" in package
    assert {name for name in found if not name.startswith(INFO)} == package
    assert f"{INFO}/licenses/LICENSE" in found


def test_the_sdist_holds_all_files_of_the_project_and_nothing_else(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert names == files_of_the_project() | {"PKG-INFO"}


def test_the_wheel_that_is_built_from_the_sdist_is_the_same(built: Built, tmp_path: Path) -> None:
    again = build(built.unpacked, tmp_path)
    assert again.wheel.name == built.wheel.name
    assert contents(again.wheel) == contents(built.wheel)


def test_the_metadata_lead_to_pages_of_the_project(built: Built) -> None:
    urls = dict(line.split(", ") for line in built.metadata.get_all("Project-URL", []))
    assert urls.keys() == {"Documentation", "Source", "Changelog", "Issues"}
    for url in urls.values():
        assert url.startswith(REPOSITORY)
        for place in ("/tree/main/", "/blob/main/"):
            _, _, path = url.partition(place)
            assert (ROOT / path).exists()


def test_the_metadata_are_complete(built: Built) -> None:
    metadata = built.metadata
    assert metadata["Version"] == dcvsessions.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Requires-Python"] == ">=3.11"
    # The build refuses classifiers that the package index does not know.
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


@pytest.mark.parametrize("extra", ["rich", "test", "dev"])
def test_the_extras_that_the_pages_name_exist(built: Built, extra: str) -> None:
    assert extra in built.metadata.get_all("Provides-Extra", [])


def test_the_changelog_has_a_date_for_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## [{dcvsessions.__version__}] - 20" in changelog
