"""The directive `error-tree`: the tree in the docstring of `dcvsessions.errors`."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from dcvsessions import errors


def tree() -> str:
    """Return the tree that the docstring draws between its fences."""
    drawn = re.search(r"```\n(.*?)\n```", errors.__doc__ or "", re.DOTALL)
    if drawn is None:
        raise ValueError("the docstring of dcvsessions.errors draws no tree")
    return drawn[1]


class ErrorTree(SphinxDirective):
    """Shows the tree as a block of text."""

    def run(self) -> list[nodes.Node]:
        """Return the block."""
        return [nodes.literal_block(tree(), tree(), language="text")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("error-tree", ErrorTree)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
