"""The site: it builds without a warning, has every public name, and its diagrams are true."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from snippets import ROOT, pages
from sphinx.util.inventory import InventoryFile

from dcvsessions._wait.decisions import Rule
from dcvsessions.lightsail import _states as states
from dcvsessions.lightsail._models import GuiSessionStatus
from dcvsessions.nimble._models import StreamingSessionState, StreamState

EXTENSIONS = ROOT / "docs" / "_ext"


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import one of the site's own extensions by its name."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return import_module


def test_the_site(tmp_path: Path, extension: Any) -> None:
    """One test, so that the site is built once."""
    site = built(tmp_path)
    require_every_public_name(site, extension("public_names").public_names())
    require_nothing_from_other_hosts(site)
    require_every_state_and_decision(site)


def built(folder: Path) -> Path:
    """Build the site as CONTRIBUTING.md says, but without running the notebooks."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-b", "html"),
            *("-D", "nb_execution_mode=off", "-d", str(folder / "doctrees")),
            *(str(ROOT / "docs"), str(folder / "html")),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def require_every_public_name(site: Path, names: Iterable[tuple[str, str, object]]) -> None:
    loaded = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    listed = {name for kind in loaded.data for name in loaded.data[kind]}
    public = {f"{module}.{name}" for module, name, _ in names}
    assert len(public) > 100
    assert public - listed == set()


def require_nothing_from_other_hosts(site: Path) -> None:
    loads = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*""")
    for page in site.rglob("*.html"):
        found = [tag for tag in loads.findall(page.read_text()) if 'rel="canonical"' not in tag]
        assert found == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text()), style


def require_every_state_and_decision(site: Path) -> None:
    page = (site / "reference" / "states.html").read_text()
    for state in (*GuiSessionStatus, *StreamingSessionState, *StreamState):
        assert f">{state}" in page, state
    for words in ("StartGUISession", "StopGUISession", "DeleteStreamingSession", "an error"):
        assert f">{words}</text>" in page, words


def rows(table: Any) -> dict[str, list[str]]:
    return {row.state: [answer.words for answer in row.answers] for row in table.rows}


def test_a_table_has_the_rule_of_every_state(extension: Any) -> None:
    found = rows(extension("decided").TABLES["lightsail-open"]())
    assert found["stopped"] == ["StartGUISession", "wait", "StartGUISession", "fails"]
    assert found["failedStartingGUISession"] == ["StartGUISession", "wait", "fails", "fails"]
    assert found["started, without the URL"] == ["wait"] * 4
    assert found["any other"] == ["wait"] * 4
    assert {state.partition(",")[0] for state in found} == {*GuiSessionStatus, "any other"}


def test_a_table_follows_the_function_that_decides(
    extension: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = extension("state_tables")
    tables = extension("decided").TABLES
    before = drawn.drawing(tables["lightsail-close"]())
    monkeypatch.setitem(states._CLOSE, GuiSessionStatus.STOPPED, Rule.FAILED)
    table = tables["lightsail-close"]()
    assert rows(table)["stopped"] == ["fails"] * 3
    assert drawn.drawing(table) != before


def test_a_drawing_has_every_row_and_a_line_to_its_decision(extension: Any) -> None:
    drawn = extension("state_tables")
    for make in extension("decided").TABLES.values():
        table = make()
        picture = drawn.drawing(table)
        changing = [row for row in table.rows if row.answers[0].kind != row.answers[-1].kind]
        assert picture.count("<path") == len(table.rows) + len(changing)
        assert all(f">{row.state}</text>" in picture for row in table.rows)


# --- Links of the pages that the site does not have, or only includes ---

OUTSIDE = [page for page in pages() if page.parent == ROOT]


def links(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links to files, and to its own headings."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    inline = re.findall(r"\]\(([^)\s]+)\)", text)
    named = re.findall(r"^\[[^\]]+\]: (\S+)", text, flags=re.MULTILINE)
    yield from (link for link in (*inline, *named) if not re.match(r"[a-z]+:", link))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, in GitHub's form."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: page.name)
def test_the_links_of_a_page_outside_of_the_site_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
