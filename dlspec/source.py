"""YAML text -> Source: values, and a Span for every key and value. The only module that imports yaml.

YAML 1.2 core scalars are read: `1e-3` is a number, `no`, `on` and `12:30` are text, `010` is ten. Repeated
keys, unknown tags and documents that expand or nest past a limit are errors, each on its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from dlspec.diagnostics import DataError, Diagnostic, Label, Span

Scalar = str | int | float | bool | None
Path_ = tuple[str | int, ...]

MAX_DEPTH = 64
MAX_NODES = 100_000  # after aliases are expanded
MAX_BYTES = 8_000_000
MAX_SYNTAX_ERRORS = 10


@dataclass(slots=True)
class Node:
    """A value of the file with its place: a scalar, a list of nodes, or a mapping of keys to nodes.

    Attributes:
        value: what it holds.
        span: where the value stands.
        key: where its key stands, for a value in a mapping.
        origin: who wrote it: `you` in the file, or `override` on the command line.
        size: how many nodes it is with everything below it, aliases expanded.
        depth: how many levels it has, itself included.
    """

    value: Scalar | list[Node] | dict[str, Node]
    span: Span
    key: Span | None = None
    origin: str = "you"
    size: int = 1
    depth: int = 1

    def copy(self) -> Node:
        """The same values in nodes of their own."""
        value = self.value
        if isinstance(value, dict):
            value = {key: node.copy() for key, node in value.items()}
        elif isinstance(value, list):
            value = [node.copy() for node in value]
        return replace(self, value=value)

    def plain(self) -> Any:
        """The value as lists, dicts and scalars, without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, part: str | int) -> Node | None:
        """The node one step below, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def deepest(self, path: Path_) -> Node:
        """The node at `path`, or the last one on the way that exists."""
        node = self
        for part in path:
            below = node.child(part)
            if below is None:
                return node
            node = below
        return node


@dataclass(slots=True)
class Source:
    """A spec as it was written.

    Attributes:
        file: its name as shown in diagnostics; relative paths in the spec are relative to its folder.
        root: the top of the document.
        texts: file name -> text, for every file that has a part in this one.
        problems: what was wrong with its form.
        recovered: a broken line was left out to read the rest, so that what is missing may be there.
    """

    file: str
    root: Node
    texts: dict[str, str]
    problems: list[Diagnostic] = field(default_factory=list)
    recovered: bool = False

    def span(self, *path: str | int) -> Span:
        """Where the value at `path` stands, or the nearest thing above it that was written."""
        return self.root.deepest(path).span

    def key_span(self, *path: str | int) -> Span:
        """Where the key at `path` stands, or the nearest key or value above it."""
        node = self.root.deepest(path)
        return node.key or node.span

    def written(self, *path: str | int) -> bool:
        """Whether the spec itself says something at `path`."""
        node: Node | None = self.root
        for part in path:
            node = node.child(part) if node else None
        return node is not None

    @property
    def folder(self) -> Path:
        return Path(self.file).parent


def read_file(path: str | Path) -> Source:
    """Reads a spec from a file.

    Raises:
        DataError: there is no such file, or it cannot be read.
    """
    file = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        nearest = _nearest_file(Path(path))
        raise DataError.of(
            "file-not-found" if isinstance(error, FileNotFoundError) else "file-unreadable",
            f"cannot read `{file}`: {(error.strerror or str(error)).lower()}",
            help=f"did you mean `{nearest}`?" if nearest else None,
        ) from None
    if len(data) > MAX_BYTES:
        problem = Diagnostic("file-too-large", f"`{file}` has {len(data):,} bytes; a spec has {MAX_BYTES:,} at most")
        return _without_content(file, "", problem)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        problem = Diagnostic(
            "not-utf-8",
            f"the file is not UTF-8 text: byte 0x{data[error.start]:02x} stands here",
            Span(file, line, column, line, column + 1),
            help="save the file as UTF-8 in your editor"
            + (" (it looks like CP949, the Korean Windows encoding)" if _is_cp949(data) else ""),
        )
        return _without_content(file, data.decode("utf-8", "replace"), problem)
    return read_text(text, file)


def read_text(text: str, file: str = "<spec>", *, origin: str = "you") -> Source:
    """Reads a spec from YAML text. Mistakes of form are in `problems`; nothing is raised.

    A line that is no YAML is reported and left out, so that the rest of the file is still checked.
    """
    surrogate = re.search("[\ud800-\udfff]", text)
    if surrogate:  # half a character, which no file can hold
        text = text.replace(surrogate[0], "\ufffd")
    lines = text.split("\n")
    problems: list[Diagnostic] = []
    if surrogate:
        place = Span(file, text.count("\n", 0, surrogate.start()) + 1, 1, text.count("\n", 0, surrogate.start()) + 1, 2)
        problems.append(Diagnostic("bad-character", "half of a character stands in this line", place))
    while True:
        reader = _Reader(file, origin)
        try:
            root = reader.read("\n".join(lines))
        except _Stop as stop:
            nothing_left = problems and stop.problem.code == "empty-spec"
            return _without_content(file, text, *problems, *([] if nothing_left else [stop.problem]))
        except yaml.MarkedYAMLError as error:
            problem, broken = _syntax_error(error, file, lines)
            if broken is None or len(problems) >= MAX_SYNTAX_ERRORS:
                return _without_content(file, text, *problems, problem)
            if problem.span and problem.span.line in {p.span.line for p in problems if p.span}:
                if not lines[broken]:  # leaving the line out did not help
                    return _without_content(file, text, *problems)
                lines[broken] = ""
                continue
            problems.append(problem)
            lines[broken] = _left_out(lines[broken])
            continue
        except yaml.reader.ReaderError as error:
            return _without_content(file, text, *problems, _bad_character(error, file, text))
        return Source(file, root, {file: text}, [*problems, *reader.problems], recovered=bool(problems))


def to_yaml(values: Any) -> str:
    """Plain values as YAML that `read_text` reads back the same, small mappings on one line."""
    return yaml.dump(
        values,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )


def to_inline_yaml(values: Any) -> str:
    """The same on one line, without the outermost braces: `lstm: {units: 64}`."""
    text = yaml.dump(
        values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1_000_000
    ).strip()
    text = text.removesuffix("...").strip()
    return text[1:-1] if isinstance(values, Mapping) and values else text


def resolve_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar by the YAML 1.2 core schema."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    first = text[0]
    if first in "+-.0123456789":
        if _INT.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text, 8)
        if _HEX.fullmatch(text):
            return int(text, 16)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _INFINITY.fullmatch(text):
            return float("-inf" if first == "-" else "inf")
        if text in (".nan", ".NaN", ".NAN"):
            return float("nan")
    return text


_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]{1,300}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")

_TAG = "tag:yaml.org,2002:"


class _Stop(Exception):
    """Reading cannot go on."""

    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem


class _Reader:
    """Builds nodes from YAML events, without recursion, so that nesting cannot exhaust the stack."""

    def __init__(self, file: str, origin: str) -> None:
        self.file = file
        self.origin = origin
        self.problems: list[Diagnostic] = []
        self.anchors: dict[str, Node] = {}

    def read(self, text: str) -> Node:
        root: Node | None = None
        stack: list[_Open] = []
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _Stop(
                        self._problem(
                            "several-documents",
                            "a second document begins here; a spec is one",
                            self._span(event),
                            help="put each spec into a file of its own and remove `---`",
                        )
                    )
                continue
            if isinstance(event, yaml.CollectionStartEvent):
                if len(stack) >= MAX_DEPTH:
                    raise _Stop(
                        self._problem("nested-too-deep", f"nested deeper than {MAX_DEPTH} levels", self._span(event))
                    )
                self._check_tag(event, "a mapping or a list")
                stack.append(_Open(event, [] if isinstance(event, yaml.SequenceStartEvent) else {}))
                continue
            if isinstance(event, yaml.CollectionEndEvent):
                opened = stack.pop()
                node = opened.close(event, self)
                if opened.event.anchor:
                    self.anchors[opened.event.anchor] = node
            elif isinstance(event, yaml.ScalarEvent):
                node = self._scalar(event)
                if event.anchor:
                    self.anchors[event.anchor] = node
            elif isinstance(event, yaml.AliasEvent):
                node = self._alias(event)
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

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        value: Scalar = event.value
        if event.tag is None:
            if event.implicit[0]:
                value = resolve_scalar(event.value)
        elif event.tag != "!" and event.tag != f"{_TAG}str":
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
        if event.tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
            tag = event.tag.replace(_TAG, "!!")
            start = self._span(event)
            span = replace(start, end_line=start.line, end_column=start.column + len(tag))
            self.problems.append(
                self._problem("unknown-tag", f"the tag `{tag}` is not known", span, help=f"write {what} without a tag")
            )

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _problem(self, code: str, message: str, span: Span, help: str | None = None) -> Diagnostic:
        return Diagnostic(code, message, span, help=help)


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    event: Any
    value: list[Node] | dict[str, Node]
    key: Node | None = None
    size: int = 1
    depth: int = 1

    def add(self, node: Node, reader: _Reader) -> None:
        self.size += node.size
        self.depth = max(self.depth, node.depth + 1)
        if self.depth > MAX_DEPTH:
            raise _Stop(reader._problem("nested-too-deep", f"nested deeper than {MAX_DEPTH} levels", node.span))
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
        start, end = self.event.start_mark, event.end_mark
        span = Span(reader.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        if not self.event.flow_style:  # a block ends where the next token begins; its first line is enough
            span = replace(span, end_line=span.line, end_column=span.column + 1)
        return Node(self.value, span, origin=reader.origin, size=self.size, depth=self.depth)


def _without_content(file: str, text: str, *problems: Diagnostic) -> Source:
    return Source(file, Node({}, Span(file, 1, 1, 1, 1)), {file: text}, list(problems), recovered=True)


def _syntax_error(error: yaml.MarkedYAMLError, file: str, lines: list[str]) -> tuple[Diagnostic, int | None]:
    """A message that says what to type, and the index of the line at fault (None: the rest is lost too)."""
    mark = error.problem_mark or error.context_mark
    index = min(mark.line, len(lines) - 1) if mark else 0
    column = mark.column + 1 if mark else 1
    line = lines[index]
    before = line[: column - 1]
    message, help = f"this is not YAML: {error.problem or error.context}", None
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation:
        column = indentation.index("\t") + 1
        message, help = "a tab indents this line; YAML allows only spaces", "replace the tab with two spaces"
    elif error.context and "scanning a quoted scalar" in error.context and error.context_mark:
        index, column = error.context_mark.line, error.context_mark.column + 1
        quote = lines[index][column - 1 : column]
        message, help = "this quotation mark is never closed", f"add {quote} at the end of the text"
        if mark and mark.line + 1 >= len(lines):
            return Diagnostic(
                "bad-yaml", message, Span(file, index + 1, column, index + 1, column + 1), help=help
            ), index
    elif error.context and "flow" in error.context and error.context_mark:
        index, column = error.context_mark.line, error.context_mark.column + 1
        opened = lines[index][column - 1 : column]
        closing = {"[": "]", "{": "}"}.get(opened, "}")
        message, help = (
            f"`{opened}` is never closed, or a comma is missing after it",
            f"add `{closing}` where it ends",
        )
    elif error.problem and "mapping values are not allowed" in error.problem:
        above = next((i for i in range(index - 1, -1, -1) if lines[i].strip()), None)
        if ":" in before.rstrip(":"):
            message, help = (
                "a second `:` stands in this line",
                "put text that holds `: ` into quotation marks",
            )
        elif above is not None and ":" not in lines[above]:
            index, line = above, lines[above]
            column = len(line) - len(line.lstrip()) + 1
            message, help = "`:` is missing after this key", _with_colon(line)
        else:
            column = len(indentation) + 1
            message = "this line is indented deeper, but the key above it has a value already"
            help = "align it with the other keys of the same block"
    elif error.problem and ("could not find expected ':'" in error.problem):
        index = error.context_mark.line if error.context_mark else index
        line, column = lines[index], len(lines[index]) - len(lines[index].lstrip()) + 1
        message, help = "`:` is missing after this key", _with_colon(line)
    elif error.problem and "did not find expected" in error.problem and re.match(r" *-[^ -]", lines[index - 1]):
        index -= 1
        line = lines[index]
        column = line.index("-") + 1
        message, help = "a space is missing after `-`", f"write `- {line.strip()[1:]}`"
    elif error.problem and "did not find expected" in error.problem:
        message = "this line does not line up with the lines above it"
        help = "align it with the other keys (or the other `-`) of the same block"
    elif error.problem and "cannot start any token" in error.problem and not before.strip():
        message, help = f"`{line[column - 1]}` cannot begin a value", "put the text into quotation marks"
    elif error.problem and "cannot start any token" in error.problem:
        message = f"`{line[column - 1]}` cannot begin a value"
        help = f'put it into quotation marks: `"{line[column - 1 :].strip()}"`'
    end = max(column + 1, len(lines[index].rstrip()) + 1)
    span = Span(file, index + 1, column, index + 1, end)
    return Diagnostic("bad-yaml", message, span, help=help), index


def _with_colon(line: str) -> str:
    """What a line without its colon was probably meant to be."""
    key, _, value = line.strip().partition(" ")
    if key in ("output", "flatten"):
        return f"write `- {key}`"
    return f"write `{key}: {value or '…'}`"


def _left_out(line: str) -> str:
    """What stands in for a broken line: its key with nothing behind it, so that lines below keep their place."""
    item = re.match(r"^( *)-", line)
    if item:
        return f"{item[1]}- ~"
    match = re.match(r"^( *)([A-Za-z_]\w*):", line)
    return f"{match[1]}{match[2]}:" if match and line.count(":") == 1 else ""


def _bad_character(error: yaml.reader.ReaderError, file: str, text: str) -> Diagnostic:
    match = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    position = match.start() if match else 0
    line, column = text.count("\n", 0, position) + 1, position - (text.rfind("\n", 0, position) + 1) + 1
    return Diagnostic(
        "bad-character",
        f"the character U+{ord(text[position]) if text else 0:04X} is not allowed in YAML",
        Span(file, line, column, line, column + 1),
        help="delete it; an editor may show it as nothing at all",
    )


def _is_cp949(data: bytes) -> bool:
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        return False
    return any("가" <= c <= "힣" for c in text)


def _nearest_file(path: Path) -> str | None:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return None
    names = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    found = get_close_matches(path.name, names, n=1)
    return str(path.parent / found[0]) if found else None


class _Dumper(yaml.SafeDumper):
    """Writes what `read_text` reads back the same: text that would be read as something else is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = not isinstance(resolve_scalar(text) if text else None, str)
    return dumper.represent_scalar(f"{_TAG}str", text, style='"' if quoted else None)


def _represent_number(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    text = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(number), repr(number))
    return dumper.represent_scalar(f"{_TAG}float", text)


_Dumper.yaml_implicit_resolvers = {}  # those of YAML 1.1
for _kind, _pattern in (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", rf"{_FLOAT.pattern}|{_INFINITY.pattern}|\.(?:nan|NaN|NAN)"),
):
    _Dumper.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), None)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_number)
_Dumper.add_representer(tuple, lambda dumper, values: dumper.represent_list(list(values)))
