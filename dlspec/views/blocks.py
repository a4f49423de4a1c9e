"""Tables and lines with headings, as plain text for a terminal or as Markdown for a comment on a pull request.

Nothing that stands in a cell is Markdown or HTML: names of columns and layers, and what a spec says, show as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dlspec.language.diagnostics.text import text_width, visible

MANY = 15
"""Rows from which on a table is folded up in Markdown."""
MOST = 200
"""Rows of a table that are shown; a comment on GitHub may have 65,536 characters."""
_PLAIN = re.compile(r"[^`|\\]+")


@dataclass(frozen=True)
class Block:
    """A heading with a table.

    Args:
        title: what its rows are.
        heads: of its columns.
        rows: as text.
        quoted: columns of text that comes from a spec or its data; the others are words of dlspec.
        right: columns of numbers.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    quoted: Collection[int] = ()
    right: Collection[int] = ()

    @property
    def shown(self) -> Sequence[Sequence[str]]:
        """The rows, or the first of very many, and how many more there are."""
        more = len(self.rows) - MOST
        if more <= 0:
            return self.rows
        return [*self.rows[:MOST], [f"… and {more:,} more", *[""] * (len(self.heads) - 1)]]


def as_text(sentences: Iterable[str], blocks: Iterable[Block], notes: Iterable[str]) -> str:
    """Sentences, tables and notes for a terminal."""
    parts = ["\n".join(map(_one_line, sentences)), *("\n".join(_text_lines(block)) for block in blocks)]
    parts.append("\n".join(map(_one_line, notes)))
    return "\n\n".join(part for part in parts if part)


def _text_lines(block: Block) -> list[str]:
    rows = [[block.title, *block.heads[1:]], *([_one_line(cell) for cell in row] for row in block.shown)]
    shown = [i for i in range(len(block.heads)) if any(row[i] for row in rows[1:])]
    widths = {i: max(text_width(row[i]) for row in rows) for i in shown}

    def cell(row: Sequence[str], i: int) -> str:
        room = " " * (widths[i] - text_width(row[i]))
        return room + row[i] if i in block.right else row[i] + room

    lines = ["   ".join(cell(row, i) for i in shown).rstrip() for row in rows]
    return [lines[0], "─" * max(map(text_width, lines)), *lines[1:]]


def as_markdown(title: str, sentences: Iterable[str], blocks: Iterable[Block], notes: Iterable[str]) -> str:
    """The same for GitHub."""
    parts = [f"### {_code(title)}", *map(_words, sentences), *map(_markdown_table, blocks)]
    parts += map(_words, notes)
    return "\n\n".join(parts)


def _markdown_table(block: Block) -> str:
    shown = [i for i in range(len(block.heads)) if any(row[i] for row in block.rows)]
    lines = [[block.heads[i] for i in shown], ["---:" if i in block.right else "---" for i in shown]]
    lines += [[_code(row[i]) if i in block.quoted else _words(row[i]) for i in shown] for row in block.shown]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if len(block.rows) < MANY:
        return f"#### {block.title}\n\n{table}"
    return f"<details><summary>{block.title}: {len(block.rows)} rows</summary>\n\n{table}\n\n</details>"


def _code(text: str) -> str:
    """Text as code, in which nothing is Markdown, HTML or a mention."""
    text = _one_line(text)
    if not text:
        return ""
    if _PLAIN.fullmatch(text):
        return f"`{text}`"
    return f"<code>{_words(text)}</code>"


def _words(text: str) -> str:
    """Text between code, every sign of which stands for itself."""
    return re.sub(r"[!#$&*<>@\[\\\]_`|~]|(?<=\w):(?=//)", lambda sign: f"&#{ord(sign[0])};", _one_line(text))


def _one_line(text: str) -> str:
    return visible(" ".join(text.splitlines()))
