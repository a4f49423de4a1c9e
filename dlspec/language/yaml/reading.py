"""YAML text -> Document, by way of PyYAML's events; what is wrong with its form becomes diagnostics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from dlspec.language.diagnostics import Diagnostic, Edit, Fix, Label, Span
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.diagnostics.fix import line_edit
from dlspec.language.yaml.encodings import decode
from dlspec.language.yaml.lookalikes import Mended, mend
from dlspec.language.yaml.nodes import Document, Node, Scalar
from dlspec.language.yaml.recovery import bad_character, left_out, repaired, syntax_error
from dlspec.language.yaml.scalars import resolve_scalar
from dlspec.language.yaml.slips import mend_slips
from dlspec.language.yaml.writing import TAG, to_yaml

MAX_DEPTH = 64
MAX_NODES = 100_000  # after aliases are expanded
MAX_BYTES = 8_000_000
DATA_FILES = frozenset({".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".npz", ".xlsx", ".xls"})
"""Ends of names of files that are no specs, and that someone may name in place of one."""
MAX_SYNTAX_ERRORS = 10
OF_NUMBERS = "classes"
"""The key of mappings whose keys may be whole numbers: values of masks."""


def read_file(path: str | Path) -> Document:
    """Reads a spec from a file.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    file = str(path)
    if Path(path).suffix.lower() in DATA_FILES and Path(path).is_file():
        help = f"write `dlspec init {file}` for a spec of these data"
        raise DataError.of("file-unreadable", f"`{file}` holds data and is no spec", help=help)
    try:
        with open(path, "rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        nearest = _nearest_file(Path(path))
        of_run = Path(path) / "resolved.yaml"
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError.of(
            "file-not-found" if isinstance(error, FileNotFoundError) else "file-unreadable",
            f"cannot read `{file}`: {reason.lower()}",
            help=f"the spec of this run is `{of_run}`"
            if isinstance(error, IsADirectoryError) and of_run.is_file()
            else f"did you mean `{nearest}`?"
            if nearest
            else None,
        ) from None
    return read_bytes(data, file)


def read_bytes(data: bytes, file: str) -> Document:
    """Reads a spec from the bytes of a file."""
    if len(data) > MAX_BYTES:
        problem = Diagnostic("file-too-large", f"`{file}` has more than {MAX_BYTES:,} bytes, which a spec never has")
        return _without_content(file, "", problem)
    text, problem_of_encoding = decode(data, file)
    if problem_of_encoding:
        return _without_content(file, text, problem_of_encoding)
    return read_text(text, file)


def read_text(text: str, file: str = "<spec>", *, origin: str = "you") -> Document:
    """Reads a spec from YAML text. Mistakes of form are in `problems`; nothing is raised.

    A line that is no YAML is reported and left out, so that the rest of the file is still checked.
    """
    problems: list[Diagnostic] = []
    surrogate = re.search("[\ud800-\udfff]", text)
    if surrogate:  # half a character, which no file can hold
        line = text.count("\n", 0, surrogate.start()) + 1
        text = re.sub("[\ud800-\udfff]", "\ufffd", text)
        problems.append(
            Diagnostic("bad-character", "half of a character stands in this line", Span(file, line, 1, line, 2))
        )
    mended = mend(text, file)
    lines, slips = mend_slips(mended.lines, file)
    lost = bool(problems)
    problems += [_as_written(problem, mended) for problem in slips]
    while True:
        reader = _Reader(file, origin, mended)
        try:
            root = reader.read("\n".join(lines))
        except _Stop as stop:
            nothing_left = problems and stop.problem.code == "empty-spec"
            last = [] if nothing_left else [stop.problem]
            return _without_content(file, text, *mended.problems, *problems, *last)
        except yaml.MarkedYAMLError as error:
            if "nesting depth" in (error.problem or ""):  # the parser's own limit, which it meets looking ahead
                deep = _as_written(_too_deep(_place_of(error, file)), mended)
                return _without_content(file, text, *mended.problems, *problems, deep)
            cure = repaired(error, file, lines)
            if cure and len(problems) < MAX_SYNTAX_ERRORS and cure[0] not in problems:
                problems.append(_with_lines(_as_written(cure[0], mended), cure[1], lines, text.split("\n")))
                for index, mended_line in cure[1].items():
                    lines[index] = mended_line
                continue
            problem, broken = syntax_error(error, file, lines)
            lost = True
            if broken is None or len(problems) >= MAX_SYNTAX_ERRORS:
                return _without_content(file, text, *mended.problems, *problems, _as_written(problem, mended))
            if problem.span and problem.span.line in {p.span.line for p in problems if p.span}:
                if not lines[broken]:  # leaving the line out did not help
                    return _without_content(file, text, *mended.problems, *problems)
                lines[broken] = ""
                continue
            problems.append(_as_written(problem, mended))
            lines[broken] = left_out(lines[broken], lines[broken - 1] if broken else "")
            continue
        except yaml.reader.ReaderError as error:
            return _without_content(file, text, *mended.problems, *problems, bad_character(error, file, text))
        found = [*mended.problems, *problems, *reader.problems]
        return Document(file, root, {file: text}, found, recovered=lost, as_read="\n".join(lines))


def _as_written(problem: Diagnostic, mended: Mended) -> Diagnostic:
    if problem.span is None:
        return problem
    fixes = [
        replace(fix, edits=tuple(Edit(mended.as_written(edit.span), edit.text) for edit in fix.edits))
        for fix in problem.fixes
    ]
    return replace(problem, span=mended.as_written(problem.span), fixes=tuple(fixes))


def _with_lines(problem: Diagnostic, cured: Mapping[int, str], lines: list[str], written: list[str]) -> Diagnostic:
    """The problem with its cure, which puts other lines in the place of those that are as they were written."""
    if problem.span is None or any(lines[index] != written[index] for index in cured):
        return problem
    file = problem.span.file
    edits = [line_edit(file, index + 1, written[index], line) for index, line in cured.items()]
    return replace(problem, fixes=(Fix(problem.help or "", tuple(edits)),))


def _too_deep(span: Span) -> Diagnostic:
    return Diagnostic("nested-too-deep", f"nested deeper than {MAX_DEPTH} levels", span)


def _place_of(error: yaml.MarkedYAMLError, file: str) -> Span:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Span(file, line, column, line, column + 1)


def _without_content(file: str, text: str, *problems: Diagnostic) -> Document:
    return Document(file, Node({}, Span(file, 1, 1, 1, 1)), {file: text}, list(problems), recovered=True)


def _nearest_file(path: Path) -> str | None:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return None
    names = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    found = get_close_matches(path.name, names, n=1)
    return str(path.parent / found[0]) if found else None


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem


class _Reader:
    """Builds nodes from YAML events, without recursion, so that nesting cannot exhaust the stack."""

    def __init__(self, file: str, origin: str, mended: Mended) -> None:
        self.file = file
        self.origin = origin
        self.mended = mended
        self.problems: list[Diagnostic] = []
        self.anchors: dict[str, Node] = {}

    def read(self, text: str) -> Node:
        root: Node | None = None
        stack: list[_Open] = []
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                node = self._scalar(event)
                if event.anchor:
                    self.anchors[event.anchor] = node
            elif isinstance(event, yaml.CollectionStartEvent):
                key = stack[-1].key if stack else None
                stack.append(self._opened(event, len(stack), numbers=key is not None and key.value == OF_NUMBERS))
                continue
            elif isinstance(event, yaml.CollectionEndEvent):
                opened = stack.pop()
                node = opened.close(event, self)
                if opened.event.anchor:
                    self.anchors[opened.event.anchor] = node
            elif isinstance(event, yaml.AliasEvent):
                node = self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
                message = "a second document begins here; a spec is one"
                help = "put each spec into a file of its own and remove `---`"
                raise _Stop(self._problem("several-documents", message, self._span(event), help=help))
            else:
                continue
            if stack:
                stack[-1].add(node, self)
            else:
                root = node
        if root is None:
            raise _Stop(
                Diagnostic(
                    "empty-spec",
                    f"`{self.file}` is empty",
                    help="a spec needs at least `dlspec: 1`, `data` and `model`",
                )
            )
        return root

    def _opened(self, event: Any, above: int, *, numbers: bool) -> _Open:
        if above >= MAX_DEPTH:
            raise _Stop(_too_deep(self._span(event)))
        self._check_tag(event, "a mapping or a list")
        return _Open(event, [] if isinstance(event, yaml.SequenceStartEvent) else {}, numbers=numbers)

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        value: Scalar = event.value
        if event.tag is None:
            if event.implicit[0]:
                value = resolve_scalar(event.value)
        elif event.tag != "!" and event.tag != f"{TAG}str":
            self._check_tag(event, "a value")
        return Node(value, self._span(event), origin=self.origin)

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self.anchors:
            raise _Stop(
                self._problem(
                    "unknown-alias",
                    f"`*{event.anchor}` names nothing that stands above it",
                    self._span(event),
                    help=f"mark the value with `&{event.anchor}` before it is used",
                )
            )
        return replace(self.anchors[event.anchor].copy(), key=None)

    def _check_tag(self, event: Any, what: str) -> None:
        if event.tag not in (None, "!", f"{TAG}map", f"{TAG}seq"):
            tag = event.tag.replace(TAG, "!!")
            start = self._span(event)
            span = replace(start, end_line=start.line, end_column=start.column + len(tag))
            self.problems.append(
                self._problem("unknown-tag", f"the tag `{tag}` is not known", span, help=f"write {what} without a tag")
            )

    def _span(self, event: Any, last: Any = None) -> Span:
        """Where the event stands, or everything from it to the end of `last`."""
        start, end = event.start_mark, (last or event).end_mark
        span = Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        return self.mended.as_written(span) if self.mended.put_in else span

    def _problem(self, code: str, message: str, span: Span, help: str | None = None) -> Diagnostic:
        return Diagnostic(code, message, span, help=help)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet.

    Args:
        numbers: whether its keys may be whole numbers, which are read as text.
    """

    event: Any
    value: list[Node] | dict[str, Node]
    key: Node | None = None
    size: int = 1
    depth: int = 1
    numbers: bool = False

    def add(self, node: Node, reader: _Reader) -> None:
        self.size += node.size
        self.depth = max(self.depth, node.depth + 1)
        if self.depth > MAX_DEPTH:
            raise _Stop(_too_deep(node.span))
        if self.size > MAX_NODES:
            raise _Stop(
                reader._problem(
                    "expands-too-far", f"the spec expands to more than {MAX_NODES:,} values here", node.span
                )
            )
        if isinstance(self.value, list):
            self.value.append(node)
            return
        if self.key is None:
            self.key = node
            return
        key, self.key = self.key, None
        if self.numbers and isinstance(key.value, int) and not isinstance(key.value, bool):
            key = replace(key, value=str(key.value))
        if not isinstance(key.value, str):
            shown = to_yaml(key.plain()).strip().removesuffix("...").strip()
            reader.problems.append(
                reader._problem(
                    "key-not-text", f"a key must be text, got `{shown}`", key.span, help=f'write `"{shown}":`'
                )
            )
            return
        if key.value in self.value:
            first = self.value[key.value].key or key.span
            reader.problems.append(
                Diagnostic(
                    "repeated-key",
                    f"`{key.value}` is written twice in the same mapping",
                    key.span,
                    help=f"keep one of the two, on line {first.line} or line {key.span.line}",
                    labels=(Label(first, "first written here"),),
                )
            )
            return
        node.key = key.span
        self.value[key.value] = node

    def close(self, event: Any, reader: _Reader) -> Node:
        span = reader._span(self.event, event)
        if not self.event.flow_style:  # a block ends where the next token begins; its first line is enough
            span = replace(span, end_line=span.line, end_column=span.column + 1)
        return Node(self.value, span, origin=reader.origin, size=self.size, depth=self.depth)
