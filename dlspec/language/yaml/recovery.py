"""What a line that is no YAML was meant to be: messages that say what to type, and what stands in for the line."""

from __future__ import annotations

import re

import yaml

from dlspec.language.diagnostics import Diagnostic, Edit, Fix, Span

QUOTE = "put text that holds `: ` into quotation marks"
"""The cure where text may have been meant; where the key takes no text, that is told instead."""
_PAIR = r"\w+: [^:,{}\[\]#'\"]+"
_INNER = re.compile(rf"(\w+): ({_PAIR}(?:, {_PAIR})*)(?=\s*($|[,}}\]]))")
_TEXT_KEYS = ("description", "name")
_COMMA = re.compile(r"^(\s*(?:- )?[\w.-]+: ?[^#]*?),\s*$")
_NO_COMMA = re.compile(r"(\w+: [^\s,{}\[\]:]+) +(?=\w+: )")
_ALIAS = re.compile(r"(:|-) (\*\S*)")
_ESCAPED = re.compile(r'"([^"]*\\[^"]*)"')
_VARIABLE = re.compile(r"\$\{ *(\w+) *\}|\{\{ *(\w+) *\}\}")


def repaired(error: yaml.MarkedYAMLError, file: str, lines: list[str]) -> tuple[Diagnostic, dict[int, str]] | None:
    """A message, and the lines as they were surely meant (by their index); None: it is not sure what was meant."""
    mark = error.problem_mark or error.context_mark
    index = min(mark.line, len(lines) - 1) if mark else 0
    places = [index, *({error.context_mark.line} - {index} if error.context_mark else ())]
    for at in (place for place in places if place < len(lines)):
        line = lines[at]
        indentation = line[: _indentation(line)]
        if "\t" in indentation:
            above = next((above for above in reversed(lines[:at]) if above.strip()), "")
            wanted = _indentation(above) + 2 * bool(re.search(r":\s*(#.*)?$", above))
            column = indentation.index("\t") + 1
            cured = {
                i: " " * (wanted + 2 * (len(_tabs(each)) - len(_tabs(line)))) + each.lstrip()
                for i, each in enumerate(lines)
                if i == at or (i > at and _tabs(each))
            }
            more = f" and {len(cured) - 1} below it" if len(cured) > 1 else ""
            said = f"a tab indents this line{more}; YAML allows only spaces"
            return _told(said, "replace the tab with two spaces", file, at, column, line), cured
        if line.lstrip().startswith("//"):
            meant = line.replace("//", "#", 1)
            said = "`//` begins no comment"
            return _told(said, f"write `{meant.strip()}`", file, at, len(indentation) + 1, line), {at: meant}
        escaped = _ESCAPED.search(line) if "escape" in (error.problem or "") else None
        if escaped:
            meant = escaped[1].replace("\\\\", "/").replace("\\", "/")
            said = "in double quotes `\\` begins a sign of another kind"
            column, cured_line = escaped.start() + 1, line.replace(escaped[0], f'"{meant}"')
            return _told(said, f"write `{meant}`", file, at, column, line), {at: cured_line}
        alias = _ALIAS.search(line) if "alias" in (error.context or "") else None
        if alias:
            said = "text that begins with `*` stands in quotation marks"
            cured_line = f'{line[: alias.start(2)]}"{alias[2]}"{line[alias.end(2) :]}'
            return _told(said, f'write `"{alias[2]}"`', file, at, alias.start(2) + 1, line), {at: cured_line}
        variable = _VARIABLE.search(line)
        if variable:
            name = variable[1] or variable[2]
            said = f"a variable is written `${name}`, without braces"
            column = variable.start() + 1
            return _told(said, f"write `${name}`", file, at, column, line), {at: _VARIABLE.sub(r"$\1\2", line)}
        apart = _NO_COMMA.search(line) if "flow" in (error.context or "") else None
        if apart:
            cured_line = _NO_COMMA.sub(r"\1, ", line)
            said, column = "a comma is missing between two keys", apart.end(1) + 1
            return _told(said, f"write `{cured_line.strip()}`", file, at, column, line), {at: cured_line}
        inner = _INNER.search(line) if "mapping values" in (error.problem or "") or _at_colon(mark, lines) else None
        if inner and inner[1] not in _TEXT_KEYS:
            meant = f"{inner[1]}: {{{inner[2].rstrip()}}}"
            cured_line = line[: inner.start()] + meant + line[inner.end() :]
            column = inner.end(1) + inner[2].index(":") + 3
            said = "a second `:` stands in this line"
            return _told(said, f"write `{meant}`", file, at, column, line), {at: cured_line}
    for at in (index, index - 1) if "flow" not in (error.context or "") else ():
        comma = _COMMA.match(lines[at]) if 0 <= at < len(lines) else None
        if comma and lines[at].count("{") == lines[at].count("}") and lines[at].count("[") == lines[at].count("]"):
            said = "a line ends without a comma"
            return _told(said, f"write `{comma[1].strip()}`", file, at, len(comma[1]) + 1, lines[at]), {at: comma[1]}
    if "mapping values" in (error.problem or ""):
        return _keys_below_entry(file, index, lines) or _text_with_colon(file, index, lines)
    return None


def _tabs(line: str) -> str:
    return re.match(r"\t*", line.lstrip(" "))[0]  # type: ignore[index]


def _at_colon(mark: yaml.Mark | None, lines: list[str]) -> bool:
    """Whether YAML met a colon where it does not expect one."""
    return mark is not None and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == ":"


def _keys_below_entry(file: str, index: int, lines: list[str]) -> tuple[Diagnostic, dict[int, str]] | None:
    """`- dense` with its arguments in the lines below it, in line with the name."""
    above = next((i for i in range(index - 1, -1, -1) if lines[i].strip()), 0)
    entry = re.fullmatch(r"( *)- (\w+)\s*", lines[above])
    if not entry or _indentation(lines[index]) < len(entry[1]) + 2:
        return None
    deep = _indentation(lines[index])
    last = index
    while last + 1 < len(lines) and lines[last + 1].strip() and _indentation(lines[last + 1]) >= deep:
        last += 1
    cured = {above: f"{entry[1]}- {entry[2]}:"}
    shift = " " * max(0, len(entry[1]) + 4 - deep)
    cured |= {i: shift + lines[i] for i in range(index, last + 1)}
    said = f"`:` is missing behind `{entry[2]}`, which has keys below it"
    help = f"write `- {entry[2]}:`, and indent the keys below it further to the right"
    return _told(said, help, file, above, len(entry[1]) + 3, lines[above]), cured


def _text_with_colon(file: str, index: int, lines: list[str]) -> tuple[Diagnostic, dict[int, str]] | None:
    """`description: a: b`, which is read as text."""
    found = re.fullmatch(r"(\s*(?:- )?\w+: )([^'\"{}\[\]#&*!|>%@`\\]+)", lines[index])
    if not found or ": " not in found[2]:
        return None
    column = len(found[1]) + found[2].index(":") + 1
    said = _told("a second `:` stands in this line", QUOTE, file, index, column, lines[index])
    return said, {index: f'{found[1]}"{found[2].rstrip()}"'}


def _told(message: str, help: str, file: str, index: int, column: int, line: str) -> Diagnostic:
    span = Span(file, index + 1, column, index + 1, max(column + 1, len(line.rstrip()) + 1))
    return Diagnostic("bad-yaml", message, span, help=help)


def syntax_error(error: yaml.MarkedYAMLError, file: str, lines: list[str]) -> tuple[Diagnostic, int | None]:
    """A message that says what to type, and the index of the line at fault (None: the rest is lost too)."""
    mark = error.problem_mark or error.context_mark
    index = min(mark.line, len(lines) - 1) if mark else 0
    column = mark.column + 1 if mark else 1
    line = lines[index]
    before = line[: column - 1]
    message, help = f"this is not YAML: {error.problem or error.context}", None
    indentation = line[: len(line) - len(line.lstrip())]
    if error.context and "scanning a quoted scalar" in error.context and error.context_mark:
        index, column = error.context_mark.line, error.context_mark.column + 1
        quote = lines[index][column - 1 : column]
        message, help = "this quotation mark is never closed", f"add {quote} at the end of the text"
        if mark and mark.line + 1 >= len(lines):
            return Diagnostic(
                "bad-yaml", message, Span(file, index + 1, column, index + 1, column + 1), help=help
            ), index
    elif error.context and "flow" in error.context and error.context_mark:
        index, column = error.context_mark.line, error.context_mark.column + 1
        if index >= len(lines) or lines[index][column - 1 : column] not in (
            "[",
            "{",
        ):  # what comes after it, or the end
            index, column = _last_open(lines)
        opened = lines[index][column - 1 : column]
        closing = {"[": "]", "{": "}"}.get(opened, "}")
        message, help = (
            f"`{opened}` is never closed, or a comma is missing after it",
            f"add `{closing}` where it ends",
        )
    elif error.problem and "mapping values are not allowed" in error.problem:
        above = next((i for i in range(index - 1, -1, -1) if lines[i].strip()), None)
        if ":" in before.rstrip(":"):
            message, help = "a second `:` stands in this line", QUOTE
        elif above is not None and re.match(r" *-", line) and _indentation(line) > _indentation(lines[above]):
            column = _indentation(line) + 1
            message = "this entry is indented deeper than the line above it, which cannot hold it"
            help = "align its `-` with those of the other entries, or write `:` at the end of the line above"
        elif above is not None and not re.search(r":(\s|$)", lines[above]):
            index, line = above, lines[above]
            message, help, column = _without_colon(line)
        else:
            column = len(indentation) + 1
            message = "this line is indented deeper, but the key above it has a value already"
            help = "align it with the other keys of the same block"
    elif error.problem and ("could not find expected ':'" in error.problem):
        index = error.context_mark.line if error.context_mark else index
        message, help, column = _without_colon(lines[index])
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
    elif error.problem and "unexpected ':'" in error.problem:
        key = re.search(r"\w*$", before)
        message, help = "a space is missing behind `:`", f"write `{key[0] if key else ''}: `"
    end = max(column + 1, len(lines[index].rstrip()) + 1)
    span = Span(file, index + 1, column, index + 1, end)
    return Diagnostic("bad-yaml", message, span, help=help), index


def _last_open(lines: list[str]) -> tuple[int, int]:
    """Line (from 0) and column (from 1) of the last bracket that is not closed; else the end of the text."""
    open_: list[tuple[int, int]] = []
    for index, line in enumerate(lines):
        for column, sign in enumerate(re.sub(r"(^|\s)#.*", "", line), 1):
            if sign in "[{":
                open_.append((index, column))
            elif sign in "]}" and open_:
                open_.pop()
    return open_[-1] if open_ else (len(lines) - 1, max(1, len(lines[-1])))


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _without_colon(line: str) -> tuple[str, str, int]:
    """Message, help and column for a line that YAML takes for text, and that was meant to be more."""
    key, _, value = line.strip().partition(" ")
    value = value.removeprefix("=").strip() or value
    column = _indentation(line) + 1
    joined = re.match(r"(?:- )?(\w+):(\S.*)", line.strip())
    if joined:
        return "a space is missing behind `:`", f"write `{joined[1]}: {joined[2]}`", column
    if re.match(r"-\w", key):
        return "a space is missing after `-`", f"write `- {line.strip()[1:]}`", column
    if key in ("output", "flatten"):
        return "`:` is missing after this key", f"write `- {key}`", column
    return "`:` is missing after this key", f"write `{key}: {value or '…'}`", column


def left_out(line: str, above: str = "") -> str:
    """What stands in for a broken line: its key with nothing behind it, so that lines below keep their place.

    An entry that is indented deeper than the entry above it is put below that one.
    """
    if re.match(r" *- ", line) and re.match(r" *- ", above) and _indentation(line) > _indentation(above):
        return " " * _indentation(above) + line.lstrip()
    item = re.match(r"^( *)-", line)
    if item:
        return f"{item[1]}- ~"
    match = re.match(r"^( *)([A-Za-z_]\w*):", line)
    return f"{match[1]}{match[2]}:" if match and line.count(":") == 1 else ""


def bad_character(error: yaml.reader.ReaderError, file: str, text: str) -> Diagnostic:
    match = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    position = match.start() if match else 0
    line, column = text.count("\n", 0, position) + 1, position - (text.rfind("\n", 0, position) + 1) + 1
    span = Span(file, line, column, line, column + 1)
    return Diagnostic(
        "bad-character",
        f"the character U+{ord(text[position]) if text else 0:04X} is not allowed in YAML",
        span,
        help="delete it; an editor may show it as nothing at all",
        fixes=(Fix("delete it", (Edit(span, ""),)),) if match else (),
    )
