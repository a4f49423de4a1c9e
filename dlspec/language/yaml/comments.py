"""Comments that speak to dlspec: `# dlspec: ignore[code] reason`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from dlspec.language.diagnostics import Span
from dlspec.language.yaml.lookalikes import mend

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*dlspec:\s*ignore\b(?P<rest>.*)", re.MULTILINE)
_FORM = re.compile(r"\s*\[(?P<codes>[^\]]*)\]\s*:?\s*(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """A comment that asks for silence.

    Args:
        span: where it stands.
        line: the line that it is about: its own, or the one below when nothing else stands on its own.
        codes: what it silences; nothing when the brackets are missing or empty.
        reason: why.
    """

    span: Span
    line: int
    codes: tuple[str, ...]
    reason: str


def ignore_comments(text: str, file: str) -> list[IgnoreComment]:
    """The comments of a spec that silence warnings, in file order. What stands in quoted or block text is none."""
    if not _COMMENT.search(text):
        return []
    lines = text.split("\n")
    texts, end = _texts(mend(text, file).lines)
    found = []
    for number, line in enumerate(lines[:end], 1):
        match = _COMMENT.search(line)
        if match is None or any(start <= (number, match.start()) < stop for start, stop in texts):
            continue
        target = number
        while not lines[target - 1].split("#")[0].strip() and "#" in lines[target - 1] and target < len(lines):
            target += 1
        form = _FORM.fullmatch(match["rest"].rstrip())
        codes = tuple(code.strip() for code in form["codes"].split(",") if code.strip()) if form else ()
        span = Span(file, number, match.start() + 1, number, len(line.rstrip()) + 1)
        found.append(IgnoreComment(span, target, codes, form["reason"] if form else match["rest"].strip()))
    return found


Position = tuple[int, int]


def _texts(lines: list[str]) -> tuple[list[tuple[Position, Position]], int]:
    """Where quoted and block texts begin and end, and how many lines could be read."""
    found: list[tuple[Position, Position]] = []
    try:
        for event in yaml.parse("\n".join(lines), Loader=yaml.CSafeLoader):
            if not isinstance(event, yaml.ScalarEvent) or event.style is None:
                continue
            start, end = event.start_mark, event.end_mark
            assert start is not None, "events of a text have marks"
            assert end is not None
            # a comment may stand behind `|` itself
            begin = (start.line + 2, 0) if event.style in "|>" else (start.line + 1, start.column)
            found.append((begin, (end.line + 1, end.column)))
    except yaml.MarkedYAMLError as error:
        mark = error.context_mark or error.problem_mark
        return found, mark.line if mark else 0
    except yaml.YAMLError:
        return found, 0
    return found, len(lines)
