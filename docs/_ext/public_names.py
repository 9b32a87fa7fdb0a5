"""Links to public names, under each name by which users can import them.

Two things that autodoc does not do:

- A name that several public modules export is documented once. Its other names lead there too.
- In a docstring, single backticks around a public name are a link. Around anything else they show
  code.
"""

from collections.abc import Iterator
from importlib import import_module

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import ObjectEntry
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole
from sphinx.util.nodes import make_refnode

PUBLIC_MODULES = (
    "dcvsessions",
    "dcvsessions.lightsail",
    "dcvsessions.nimble",
    "dcvsessions.dcv",
    "dcvsessions.errors",
    "dcvsessions.progress",
    "dcvsessions.simulator",
)


def public_names() -> Iterator[tuple[str, str, object]]:
    """Yield the module, the name and the object of each public name."""
    for module in PUBLIC_MODULES:
        exports = import_module(module)
        for name in exports.__all__:
            yield module, name, getattr(exports, name)


def add_other_names(_: Sphinx, env: BuildEnvironment) -> None:
    """Let every public name of an object lead to the page that documents the object."""
    objects = env.domains.python_domain.objects
    for module, name, value in public_names():
        full_name = f"{module}.{name}"
        if full_name not in objects and (entry := _documented(objects, name, value)):
            objects[full_name] = ObjectEntry(
                entry.docname, entry.node_id, entry.objtype, aliased=True
            )


def _documented(objects: dict[str, ObjectEntry], name: str, value: object) -> ObjectEntry | None:
    for module in PUBLIC_MODULES:
        entry = objects.get(f"{module}.{name}")
        if entry and getattr(import_module(module), name, None) is value:
            return entry
    return None


class PublicRole(SphinxRole):
    """The role of single backticks: a link for a public name, otherwise code."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return a link that is resolved when all pages have been read."""
        link = pending_xref(
            self.rawtext,
            nodes.literal(self.rawtext, self.text),
            refdoc=self.env.docname,
            refdomain="",
            refexplicit=False,
            reftarget=self.text,
            reftype="public",
        )
        return [link], []


def resolve(
    app: Sphinx, env: BuildEnvironment, link: pending_xref, shown: nodes.Element
) -> nodes.Element | None:
    """Return the link of single backticks, or what they show if they hold no public name."""
    if link["reftype"] != "public":
        return None
    name = link["reftarget"].partition("(")[0].removeprefix("dcvsessions.")
    entry = env.domains.python_domain.objects.get(f"dcvsessions.{name}")
    if entry is None:
        return shown
    return make_refnode(app.builder, link["refdoc"], entry.docname, entry.node_id, shown, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_role("public", PublicRole())
    app.connect("env-updated", add_other_names)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
