"""Copies the notebooks of `examples/` into the site's sources, where MyST-NB runs them."""

from pathlib import Path

from sphinx.application import Sphinx


def copy_notebooks(app: Sphinx) -> None:
    """Bring `docs/notebooks/` up to date. It is not committed."""
    sources = {path.name: path for path in (app.srcdir.parent / "examples").glob("*.ipynb")}
    target = Path(app.srcdir / "notebooks")
    target.mkdir(exist_ok=True)
    for copy in target.glob("*.ipynb"):
        if copy.name not in sources:
            copy.unlink()
    for name, source in sources.items():
        copy = target / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.write_bytes(source.read_bytes())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", copy_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
