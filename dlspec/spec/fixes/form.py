"""Cures of mistakes whose `help` describes what to do without naming what to type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from dlspec.language.diagnostics import Diagnostic
from dlspec.language.yaml.editing import EditedText, Edits

Found = Iterator[tuple[str, Edits]]


def form_edits(problem: Diagnostic, text: EditedText) -> Found:
    """Titles and edits that may cure a mistake; which of them do is tried out."""
    if problem.span is None or problem.span.line > len(text.lines):
        return
    rule = _RULES.get(problem.code)
    if rule is not None:
        yield from rule(problem, text)


def _line_of(problem: Diagnostic, text: EditedText) -> tuple[int, str]:
    """The line at fault, from 0, without how it ends."""
    assert problem.span is not None, "the caller has looked"
    return problem.span.line - 1, text.lines[problem.span.line - 1].removesuffix("\r")


def _bad_yaml(problem: Diagnostic, text: EditedText) -> Found:
    """A line that is indented otherwise, a bracket or a text that is not closed, text with a colon."""
    number, line = _line_of(problem, text)
    content = _width(line)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        content = len(line) - len(line.lstrip())
    if "indent" in problem.message or "line up" in problem.message:
        for wide in _indentations(text, number):
            if wide != content:
                yield f"indent this line by {wide} spaces", [text.edit((number, 0), (number, content), " " * wide)]
        above = next((at for at in range(number - 1, -1, -1) if text.lines[at].strip()), None)
        if above is not None and (deep := _width(text.lines[above])) != content:
            edit = text.edit((above, 0), (above, deep), " " * content)
            yield f"indent the line above by {content} spaces", [edit]
        joined = re.match(r" *-(?=[^\s-])", line)
        if joined:
            for wide in _indentations(text, number):
                yield "put a space behind `-`", [text.edit((number, 0), (number, joined.end()), f"{' ' * wide}- ")]
    for missing in re.finditer(r"(?:^\s*(?:- )?|[{,] *)\w+(?= [\w\[{\"'])", line):
        yield "put `:` behind the key", [text.edit((number, missing.end()), (number, missing.end()), ":")]
    for missing in re.finditer(r"\b[A-Za-z_]\w*:(?=[^\s:/])", line):
        yield "put a space behind `:`", [text.edit((number, missing.end()), (number, missing.end()), " ")]
    remark = re.search(r"\s+#.*$", line)
    end = remark.start() if remark else len(line.rstrip())
    closing = re.match(r"add (?:`([\]}])`|(['\"])) ", problem.help or "")
    if closing:
        sign = closing[1] or closing[2]
        yield f"close it with `{sign}`", [text.edit((number, end), (number, end), sign)]
    pair = re.match(r"(\s*(?:- )?[\w.-]+:\s+)(\S.*)$", line[:end])
    if pair and "quotation marks" in (problem.help or "") and '"' not in pair[2]:
        quoted = '"' + pair[2].replace("\\", "\\\\") + '"'
        yield "put it into quotation marks", [text.edit((number, len(pair[1])), (number, end), quoted)]


def odd_lines(text: str) -> int:
    """Lines that are indented by an odd number of spaces, as hardly anyone means."""
    return sum(_width(line) % 2 for line in text.split("\n") if line.strip())


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _indentations(text: EditedText, number: int) -> Iterator[int]:
    """Those of the lines above, the nearest first."""
    found = []
    for line in reversed(text.lines[:number]):
        if line.strip() and not line.lstrip().startswith("#"):
            wide = _width(line)
            dash = wide + 2 if line.lstrip().startswith("- ") else wide
            found += [dash, wide]
            if wide == 0:
                break
    yield from dict.fromkeys(found)


def _repeated_key(problem: Diagnostic, text: EditedText) -> Found:
    """Either of the two."""
    assert problem.span is not None, "the caller has looked"
    first = problem.labels[0].span if problem.labels else problem.span
    for kept, gone in ((first, problem.span), (problem.span, first)):
        for entry in text.keys_at((gone.line - 1, gone.column - 1)):
            removed = text.remove(entry)
            if removed:
                yield f"keep the one on line {kept.line}", removed


def _repeated_name(problem: Diagnostic, text: EditedText) -> Found:
    """Another name for the second layer."""
    assert problem.span is not None, "the caller has looked"
    for entry in text.values_at((problem.span.line - 1, problem.span.column - 1)):
        name = entry.value.text
        taken = {other.value.text for other in text.entries() if other.name == "name"}
        other = next(free for number in range(2, len(taken) + 3) if (free := f"{name}_{number}") not in taken)
        edits = text.replace(entry.value, other) if entry.name == "name" else None
        if edits:
            yield f"name the second one `{other}`", edits


def _unknown_tag(problem: Diagnostic, text: EditedText) -> Found:
    number, line = _line_of(problem, text)
    assert problem.span is not None, "the caller has looked"
    start = problem.span.column - 1
    end = problem.span.end_column - 1
    end += len(line[end:]) - len(line[end:].lstrip(" "))
    yield f"remove the tag `{line[start:end].strip()}`", [text.edit((number, start), (number, end), "")]


def _useless_ignore(problem: Diagnostic, text: EditedText) -> Found:
    """The comment goes, with its line where nothing else stands there."""
    number, line = _line_of(problem, text)
    assert problem.span is not None, "the caller has looked"
    before = line[: problem.span.column - 1]
    if before.strip() or number + 1 >= len(text.lines):
        yield "remove the comment", [text.edit((number, len(before.rstrip())), (number, len(line)), "")]
    else:
        yield "remove the comment", [text.edit((number, 0), (number + 1, 0), "")]


_RULES: Mapping[str, Callable[[Diagnostic, EditedText], Found]] = {
    "bad-yaml": _bad_yaml,
    "repeated-key": _repeated_key,
    "repeated-name": _repeated_name,
    "unknown-tag": _unknown_tag,
    "useless-ignore": _useless_ignore,
    "cannot-ignore": _useless_ignore,
}
"""Code -> what may cure it."""
