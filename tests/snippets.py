"""Finds the code in pages and docstrings, and runs it as a reader would.

Code may use `await` outside of functions, as in a notebook. There, `asyncio.run()` is run as
`await`, so that it shares the loop and the virtual time of the test. Code without any `await` is
run in a thread, where it may block, or run a loop itself.
"""

import ast
import asyncio
import contextlib
import doctest
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from inspect import CO_COROUTINE
from pathlib import Path
from types import CodeType
from typing import Any

from attrs import frozen
from markdown_it import MarkdownIt

from dcvsessions import DcvSessionsError

__all__ = [
    "ROOT",
    "Block",
    "Thread",
    "blocks",
    "examples",
    "pages",
    "pattern",
    "run_block",
    "run_examples",
]

ROOT = Path(__file__).parent.parent
Thread = Callable[[], AbstractContextManager[object]]
"""Makes what is entered while code runs in a thread, where time is real."""
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*", re.DOTALL)
_RUN_FIRST = re.compile(r"<!-- run first\n(.+?)-->\s*", re.DOTALL)


@frozen
class Block:
    """A block of code in a page.

    Attributes:
        page: The page, as a path from the root of the repository.
        line: The line on which the code begins.
        language: The word after the fence.
        source: The code.
        not_run: The reason that the page gives for not running it; None if it has to run.
        run_first: Python that the page hides in a comment before the block, such as names that a
            reader has to fill in.
    """

    page: str
    line: int
    language: str
    source: str
    not_run: str | None = None
    run_first: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Return the pages that are written by hand."""
    docs = (ROOT / "docs").rglob("*.md")
    built = (ROOT / "docs" / "_build", ROOT / "docs" / "notebooks")
    ours = [page for page in docs if not any(page.is_relative_to(place) for place in built)]
    return sorted([*ROOT.glob("*.md"), *ours])


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of code in a page. MyST's directives are not code."""
    comment = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and not token.info.startswith("{"):
            assert token.map
            name = page.relative_to(ROOT).as_posix()
            not_run, run_first = _NOT_RUN.match(comment), _RUN_FIRST.match(comment)
            yield Block(
                name,
                token.map[0] + 2,
                token.info.strip(),
                token.content,
                not_run=not_run[1] if not_run else None,
                run_first=run_first[1] if run_first else "",
            )
        comment = token.content if token.type == "html_block" else ""


def examples(text: str) -> list[doctest.Example]:
    """Return what is written behind `>>>`."""
    return doctest.DocTestParser().get_examples(text)


async def run_block(block: Block, names: dict[str, Any], in_thread: Thread = nullcontext) -> None:
    """Run a block of Python, which reads and sets `names`. `in_thread` is entered in a thread."""
    first = _compiled(block.run_first, f"{block}, run first", "exec")
    await _run(first, names, in_thread)
    if found := examples(block.source):
        await run_examples(found, names, str(block), in_thread)
    else:
        await _run(_compiled(block.source, str(block), "exec"), names, in_thread)


async def run_examples(
    found: list[doctest.Example],
    names: dict[str, Any],
    where: str,
    in_thread: Thread = nullcontext,
) -> None:
    """Run examples. If any of them shows what it prints, all of them have to."""
    is_checked = any(example.want for example in found)
    printed = io.StringIO()
    for example in found:
        shown = example.exc_msg or example.want
        code = _compiled(example.source, where, "single")
        with contextlib.redirect_stdout(printed), _shown_error(shown):
            await _run(code, names, in_thread)
        output = printed.getvalue()
        printed.seek(0)
        printed.truncate()
        if is_checked and not re.fullmatch(pattern(shown), output.strip(), re.DOTALL):
            raise AssertionError(f"{where}: {example.source}Expected:\n{shown}\nPrinted:\n{output}")


@contextlib.contextmanager
def _shown_error(shown: str) -> Iterator[None]:
    """Print an error if it is what a page shows; raise any other."""
    try:
        yield
    except DcvSessionsError as error:
        name = type(error).__name__
        module = f"{type(error).__module__}."
        if not shown.removeprefix(module).startswith(name):
            raise
        print(f"{module if shown.startswith(module) else ''}{name}: {error}")


def pattern(shown: str) -> str:
    """Return a pattern for what a page shows: `…` and `...` stand for anything.

    Lines may be broken elsewhere than in the page.
    """
    parts = re.split(r"\s*(?:…|\.\.\.)\s*", shown.replace("<BLANKLINE>", "").strip())
    return ".*".join(re.sub(r"\s+", r"\\s+", _escaped(part)) for part in parts)


def _escaped(text: str) -> str:
    return "".join(each if each.isspace() else re.escape(each) for each in text)


class _RunAsAwait(ast.NodeTransformer):
    """Turns `asyncio.run(x)` outside of functions into `await x`."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == "asyncio.run":
            return ast.Await(node.args[0])
        return self.generic_visit(node)


def _compiled(source: str, where: str, mode: str) -> CodeType:
    tree = (ast.Interactive if mode == "single" else ast.Module)(**_parts(source, mode))
    tree = ast.fix_missing_locations(_RunAsAwait().visit(tree))
    code: CodeType = compile(tree, where, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


def _parts(source: str, mode: str) -> dict[str, Any]:
    body = ast.parse(source).body
    return {"body": body} if mode == "single" else {"body": body, "type_ignores": []}


async def _run(code: CodeType, names: dict[str, Any], in_thread: Thread) -> None:
    names.setdefault("__name__", "__main__")
    if code.co_flags & CO_COROUTINE:
        await eval(code, names)  # noqa: S307 - our own pages
    else:
        with in_thread():
            await asyncio.to_thread(eval, code, names)
