"""Copies functions out of `snippets`, with whatever they need of the same file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

SNIPPETS = Path(__file__).parent / "snippets"


class Definition(NamedTuple):
    """A function, class or constant of a snippet.

    Args:
        text: its source, with the comment lines right above it.
        is_constant: whether it is one.
    """

    name: str
    text: str
    is_constant: bool


@dataclass(frozen=True)
class Snippet:
    """A file of snippets.

    Args:
        imports: name in the file -> the statement that imports it.
        definitions: in the order of the file.
        needs: of each definition, the others of the file that it uses.
    """

    imports: dict[str, str]
    definitions: dict[str, Definition]
    needs: dict[str, frozenset[str]]

    def with_needs(self, name: str) -> list[Definition]:
        """A definition and all that it needs, in the order of the file.

        Raises:
            KeyError: there is none of this name.
        """
        open_, found = [name], {name}
        while open_:
            more = self.needs[open_.pop()] - found
            found |= more
            open_ += more
        return [definition for own, definition in self.definitions.items() if own in found]


@cache
def snippet(name: str) -> Snippet:
    """A file of snippets by its name, which is read and not imported: it needs Keras and more."""
    text = (SNIPPETS / f"{name}.py").read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    imports = {name: statement for node in tree.body for name, statement in imported(node)}
    definitions = {}
    used: dict[str, frozenset[str]] = {}
    for node in tree.body:
        name_of = _defined(node)
        if name_of is None:
            continue
        first = min(node.lineno, *(d.lineno for d in getattr(node, "decorator_list", [])), node.lineno) - 1
        while first and lines[first - 1].startswith("# "):
            first -= 1
        own = "\n".join(lines[first : node.end_lineno])
        definitions[name_of] = Definition(name_of, own, isinstance(node, ast.Assign))
        used[name_of] = frozenset(names_in(node))
    return Snippet(imports, definitions, {name: (used[name] & {*definitions}) - {name} for name in definitions})


@cache
def snippet_names() -> frozenset[str]:
    """Every name that a snippet defines or imports, which nothing else in a script may have."""
    files = [snippet(path.stem) for path in SNIPPETS.glob("*.py") if path.stem != "__init__"]
    return frozenset(name for file in files for name in (*file.definitions, *file.imports))


def imported(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """The names that a statement imports, each with a statement for it alone."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], f"import {_aliased(alias)}"
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name, f"from {node.module} import {_aliased(alias)}"


def _aliased(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def names_in(node: ast.AST) -> set[str]:
    """Every name that is read in it."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}


def _defined(node: ast.stmt) -> str | None:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None
