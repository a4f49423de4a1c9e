"""Where a cursor stands in YAML that may be half typed: which keys lead there, and what has been typed of a word.

Only what is in front of the cursor counts, so that what is broken behind it does not matter; a spec that cannot be
parsed has a place for the cursor all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Step = str | int

_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s:#{}\[\],"'&*!|>%@`-][^:#{}\[\],]*?)\s*:(?=\s|$)""")
_BLOCK_TEXT = re.compile(r".*(?:^|[:\s-])\s*[|>][+\-0-9]*\s*(?:#.*)?$")


@dataclass(frozen=True)
class Cursor:
    """A place in a spec.

    Args:
        path: keys and numbers that lead to what the cursor is in: a mapping, a list, or the value of the last key.
        word: what is typed in front of the cursor.
        start: the column, from 0, at which the word begins.
        is_value: whether a value is typed behind the key `path[-1]`; else a key, or an item of a list.
        is_item: whether it is an item of a list; its number is `path[-1]`.
        in_flow: whether it is in brackets or braces.
        fresh: whether nothing else stands on the line in front of the word, not even a dash.
        nowhere: whether it is in a remark or in text, where nothing can be completed.
    """

    path: tuple[Step, ...] = ()
    word: str = ""
    start: int = 0
    is_value: bool = False
    is_item: bool = False
    in_flow: bool = False
    fresh: bool = False
    nowhere: bool = False


@dataclass
class _Level:
    """A key or an item that is open.

    Args:
        column: at which it begins; -1 in brackets.
        step: the key, or the number of the item.
        bracket: of brackets and braces around it: which.
    """

    column: int
    step: Step | None
    bracket: str = ""


@dataclass
class _Scanner:
    levels: list[_Level] = field(default_factory=list)
    quote: str = ""
    text_below: int | None = None
    """Lines that are indented deeper than this are text."""

    @property
    def in_flow(self) -> bool:
        return any(level.bracket for level in self.levels)

    def line(self, line: str) -> None:
        """Reads a line in front of the one with the cursor."""
        if self.quote or self.in_flow:
            self._flow(line, 0)
            return
        content = line.lstrip(" \t")
        indent = len(line) - len(content)
        if self.text_below is not None:
            if not content.strip() or indent > self.text_below:
                return
            self.text_below = None
        if not content.strip() or content.startswith("#"):
            return
        at = self._entries(line, indent)
        if _BLOCK_TEXT.fullmatch(line[at:]):
            self.text_below = indent
        elif at < len(line):
            self._flow(line, at)

    def _entries(self, line: str, column: int) -> int:
        """Reads dashes and the key of a line; returns where its value begins."""
        while line[column : column + 1] == "-" and line[column + 1 : column + 2] in ("", " "):
            self._close(column, item=True)
            self.levels.append(_Level(column, self._next_number(column)))
            column += 1
            column += len(line[column:]) - len(line[column:].lstrip(" "))
        found = _KEY.match(line, column)
        if found:
            self._close(column)
            self.levels.append(_Level(column, found[1].strip("\"'")))
            column = found.end()
            column += len(line[column:]) - len(line[column:].lstrip(" "))
        return column

    def _close(self, column: int, *, item: bool = False) -> None:
        """Ends what is not around an entry that begins at this column."""
        self._numbers: int = -1
        while self.levels:
            last = self.levels[-1]
            dashed = isinstance(last.step, int)
            if last.column < column or (item and not dashed and last.column == column):
                return
            if item and dashed and last.column == column:
                self._numbers = int(last.step or 0)
            self.levels.pop()

    def _next_number(self, column: int) -> int:
        return self._numbers + 1

    def _flow(self, line: str, at: int) -> None:
        """Reads a value, or what stands in brackets."""
        while at < len(line):
            sign = line[at]
            if self.quote:
                at = self._quoted(line, at)
                continue
            if sign == "#" and (at == 0 or line[at - 1] in " \t"):
                return
            if sign in "\"'" and not line[:at].strip().endswith(tuple("abcdefghijklmnopqrstuvwxyz0123456789")):
                self.quote = sign
            elif sign in "{[":
                self.levels.append(_Level(-1, 0 if sign == "[" else None, sign))
            elif sign in "}]" and self.in_flow:
                self._close_bracket("{" if sign == "}" else "[")
            elif self.in_flow and sign == ",":
                self._next()
            elif self.in_flow and sign == ":" and line[at + 1 : at + 2] in ("", " ", "{", "["):
                self._flow_key(line, at)
            at += 1

    def _quoted(self, line: str, at: int) -> int:
        end = line.find(self.quote, at)
        if end < 0:
            return len(line)
        self.quote = ""
        return end + 1

    def _close_bracket(self, bracket: str) -> None:
        while self.levels:
            level = self.levels.pop()
            if level.bracket == bracket:
                return

    def _next(self) -> None:
        """A comma: the next key of a mapping, or the next item of a list."""
        while not self.levels[-1].bracket:
            self.levels.pop()
        if self.levels[-1].bracket == "[":
            self.levels[-1].step = int(self.levels[-1].step or 0) + 1
        else:
            self.levels[-1].step = None

    def _flow_key(self, line: str, at: int) -> None:
        """The colon behind a key in brackets; in a list it makes a mapping of the item."""
        found = re.search(r"""("[^"]*"|'[^']*'|[^{}\[\],:"']+)\s*$""", line[:at])
        name = (found[1] if found else "").strip().strip("\"'")
        while not self.levels[-1].bracket:
            self.levels.pop()
        if self.levels[-1].bracket == "[":
            self.levels.append(_Level(-1, name))
        else:
            self.levels[-1].step = name

    def path(self) -> tuple[Step, ...]:
        return tuple(level.step for level in self.levels if level.step is not None)


def find_cursor(text: str, line: int, column: int) -> Cursor:
    """What the cursor is in.

    Args:
        line, column: from 1, in characters; what lies outside of the text is brought into it.
    """
    lines = text.split("\n")
    line = min(max(line, 1), len(lines))
    last = lines[line - 1].removesuffix("\r")[: max(column - 1, 0)]
    scanner = _Scanner()
    for each in lines[: line - 1]:
        scanner.line(each.removesuffix("\r"))
    if scanner.quote or _in_remark(last):
        return Cursor(nowhere=True)
    if scanner.in_flow:
        scanner._flow(last, 0)
        return _in_brackets(scanner, last)
    return _in_block(scanner, last)


def _in_remark(line: str) -> bool:
    """Whether a remark has begun on the line in front of the cursor."""
    plain = re.sub(r"\"[^\"]*\"|'[^']*'", lambda match: "x" * len(match[0]), line)
    return re.search(r"(^|\s)#", plain) is not None


def _in_block(scanner: _Scanner, line: str) -> Cursor:
    content = len(line) - len(line.lstrip(" "))
    if scanner.text_below is not None and content > scanner.text_below:
        return Cursor(nowhere=True)
    at = scanner._entries(line, content)
    rest = line[at:]
    behind_key = bool(scanner.levels) and isinstance(scanner.levels[-1].step, str) and at > content
    behind_key = behind_key and line[:at].rstrip().endswith(":")
    if behind_key or re.match(r"[\[{]", rest):
        scanner._flow(line, at)
        if scanner.in_flow:
            return _in_brackets(scanner, line)
        if scanner.quote:
            return Cursor(scanner.path(), rest.lstrip("\"'"), len(line) - len(rest.lstrip("\"'")), is_value=True)
        return Cursor(scanner.path(), rest, at, is_value=True)
    if at > content:  # behind a dash
        return Cursor(scanner.path(), rest, at, is_item=True)
    scanner._close(content)
    return Cursor(scanner.path(), rest, at, fresh=True)


def _in_brackets(scanner: _Scanner, line: str) -> Cursor:
    if not scanner.in_flow:
        return Cursor(nowhere=True)
    found = re.search(r"[^\s{}\[\],:\"'][^{}\[\],:\"']*$|$", line)
    word = found[0] if found else ""
    if re.search(r"[^{}\[\],:]*:[^\s{}\[\],]", line[len(line) - len(word) - 1 :]):
        word = ""
    start = len(line) - len(word)
    level = scanner.levels[-1]
    if level.bracket == "[":
        return Cursor(scanner.path(), word, start, is_item=True, in_flow=True)
    is_value = level.step is not None
    return Cursor(scanner.path(), word, start, is_value=is_value, in_flow=True)
