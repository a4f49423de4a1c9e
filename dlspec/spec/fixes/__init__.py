"""Cures as edits: what the `help` of a diagnostic tells someone to type, found in the text and tried out.

An edit is offered only if the text with it was checked: the mistake is gone, and no other has come. So an edit never
does less than its message says, and where none passes, the words alone are left.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from dlspec.language.diagnostics import Diagnostic, Fix, Severity, apply_edits
from dlspec.language.diagnostics.fix import line_edit
from dlspec.language.yaml import Document, read_text
from dlspec.language.yaml.editing import EditedText, Edits
from dlspec.spec.checks import check
from dlspec.spec.checks.base import Checked
from dlspec.spec.composition import compose
from dlspec.spec.fixes.candidates import candidates, filled_in
from dlspec.spec.fixes.form import form_edits, odd_lines
from dlspec.spec.fixes.phrases import Cure, cures_in

__all__ = ["with_fixes"]

Recheck = Callable[[str], Sequence[Diagnostic]]
_Key = tuple[str, str]

OF_FORM = frozenset({"bad-character", "bad-yaml", "full-width-sign", "odd-space", "repeated-key", "unknown-tag"})
"""Mistakes that hide others: where a line could not be read, what else is wrong may follow from that."""

OF_COMMENTS = frozenset({"cannot-ignore", "useless-ignore"})
"""Mistakes in comments that speak to dlspec."""
OF_OWN_NAMES = frozenset({"data-not-found", "file-not-found", "unknown-class", "unknown-column", "unknown-label",
                          "unknown-layer-name", "unknown-parameter", "unknown-path", "unknown-variable"})  # fmt: skip
"""Mistakes in names that people give, of which another one may be meant."""
MOST_HIDDEN = 2
"""So many mistakes on the line of another one are cured together with it."""
CLOSE = 0.8
"""From which share of common letters on two of them are one."""


def with_fixes(
    checked: Checked, *, about: Collection[Diagnostic] | None = None, seconds: float | None = None
) -> list[Diagnostic]:
    """The diagnostics of a spec with cures as edits of its own file; files that it extends have theirs where they are
    checked.

    Args:
        about: those of which cures are looked for; None: of all.
        seconds: how long edits are tried out; those of which none were then have their words alone.
    """
    document = checked.spec.document
    text = document.texts.get(document.file, "")
    wanted = any(problem.help or problem.fixes for problem in checked.diagnostics)
    if not wanted or not text or not checked.graph.complete:  # a network that grows too far takes a second each time
        return [replace(problem, fixes=()) for problem in checked.diagnostics]
    end = math.inf if seconds is None else time.perf_counter() + seconds
    finder = _Prover(document, text, checked.diagnostics, end)
    found = []
    for problem in checked.diagnostics:
        if (about is not None and problem not in about) or not _is_in(problem, document.file):
            found.append(replace(problem, fixes=()))
        else:
            found.append(replace(problem, fixes=tuple(finder.fixes(problem))))
    return found


def _is_in(problem: Diagnostic, file: str) -> bool:
    return problem.span is None or problem.span.file == file


class _Prover:
    """Tries edits of one text.

    Args:
        document: that was checked, written out.
        text: of its file.
        before: what is wrong with it.
        end: when, by `time.perf_counter`, no more edits are tried.
        deep: whether what a mistake has hidden is cured with it.
    """

    def __init__(
        self, document: Document, text: str, before: Sequence[Diagnostic], end: float = math.inf, *, deep: bool = True
    ) -> None:
        self.document, self.text, self.end, self.deep = document, text, end, deep
        read = read_text(text, document.file)
        self.lost = read.recovered  # a line could not be read
        self.edited = EditedText(document.file, text, read.as_read)
        self.keys = _keys(before)
        self.tried: dict[str, Sequence[Diagnostic]] = {}

    def fixes(self, problem: Diagnostic) -> Iterator[Fix]:
        """Every cure that holds; a sure one stands alone."""
        if problem.fixes:
            held = [fix for fix in problem.fixes if self._holds([*fix.edits], problem)]
            others = [] if held else self._of_form(problem)
            if len(others) == 1:
                held = [Fix(others[0][0], tuple(others[0][1]))]
            yield from held or (fix for fix in problem.fixes if self._holds([*fix.edits], problem, mildly=True))
            return
        cures = cures_in(problem.help or "")
        found = []
        for cure in cures:
            edits = self._proven(cure, problem)
            if edits is None and self.deep and len(cures) == 1:
                cure, edits = self._with_what_it_hid(cure, problem)
            if edits is not None:
                filled = any("…" in text for text in cure.texts)
                found.append((cure, edits, filled))
        alone = len(found) == 1 and len(cures) <= 1 and not _has_alternatives(problem.help or "")
        if not found:
            found = [(Cure("write", (), "", title), edits, False) for title, edits in self._of_form(problem)]
            alone = len(found) == 1 and problem.code in OF_FORM | OF_COMMENTS
        alone = alone and (not self.lost or problem.code in OF_FORM)
        for cure, edits, filled in found:
            title = _with_values(cure) if filled else cure.title
            sure = alone and not filled and self._is_sure(cure, edits, problem)
            yield Fix(_named(cure, title), tuple(edits), sure=sure)

    def _is_sure(self, cure: Cure, edits: Edits, problem: Diagnostic) -> bool:
        """Whether the only cure of a mistake needs no thought: it leaves nothing open, is no limit of a number, beyond
        which any other fits too, and does not change the end of the network into something that is wrong again."""
        is_limit = problem.code == "out-of-range" and "%" not in (problem.help or "")
        brings_more = cure.action in ("last", "replace last") and not self._holds(edits, problem)
        return not (cure.open or is_limit or brings_more) and _is_close(cure, problem)

    def _of_form(self, problem: Diagnostic) -> list[tuple[str, Edits]]:
        """Cures of what is no YAML, which words describe without naming what to type."""
        found: dict[str, tuple[str, Edits]] = {}
        for title, edits in form_edits(problem, self.edited):
            result = apply_edits(self.text, edits)
            if result not in found and self._holds(edits, problem):
                found[result] = title, edits
        left = {
            result: (sum(each.code == "bad-yaml" for each in self.tried[result]), odd_lines(result)) for result in found
        }
        return [cure for result, cure in found.items() if left[result] == min(left.values())]

    def _proven(self, cure: Cure, problem: Diagnostic) -> Edits | None:
        """The first edits that mend everything they should; else the first that leave the mistakes to others."""
        second = None
        for edits in candidates(cure, problem, self.edited):
            if self._holds(edits, problem):
                return edits
            mild = cure.action in ("rename", "write", "add", "last", "replace last")
            if mild and second is None and self._holds(edits, problem, mildly=True):
                second = edits
        return second

    def _with_what_it_hid(self, cure: Cure, problem: Diagnostic) -> tuple[Cure, Edits | None]:
        """A cure together with those of the mistakes on the same lines that show once it is done, if each has one."""
        for edits in candidates(cure, problem, self.edited):
            text = apply_edits(self.text, edits)
            after = self.tried.get(text, ())
            new = [each for each in after if each.is_error and _key(each) in _keys(after) - self.keys]
            gone = _keys(after)[_key(problem)] < self.keys[_key(problem)]
            if not gone or not 0 < len(new) <= MOST_HIDDEN:
                continue
            inner = _Prover(self.document, text, after, self.end, deep=False)
            cured = [[*inner.fixes(each)] for each in new]
            if any(len(fixes) != 1 for fixes in cured):
                continue
            second = [edit for (fix,) in cured for edit in fix.edits]
            both = self._line_edits(apply_edits(text, second))
            if both and self._holds(both, problem, mildly=True):
                title = "; ".join([_named(cure, cure.title), *(fix.title for (fix,) in cured)])
                sure = all(fix.sure for (fix,) in cured)
                return replace(cure, action="write", title=title, open=cure.open or not sure), both
        return cure, None

    def _line_edits(self, text: str) -> Edits:
        """Edits of single lines that make another text of as many lines; none: it has others."""
        old, new = self.text.split("\n"), text.split("\n")
        if len(old) != len(new):
            return []
        pairs = enumerate(zip(old, new, strict=True), 1)
        return [line_edit(self.edited.file, number, one, other) for number, (one, other) in pairs if one != other]

    def _holds(self, edits: Edits, problem: Diagnostic, *, mildly: bool = False) -> bool:
        """Whether the mistake is gone and no other has come; mildly: none on the lines that were edited."""
        try:
            text = apply_edits(self.text, edits)
        except ValueError:
            return False
        if text == self.text or (text not in self.tried and time.perf_counter() > self.end):
            return False
        if text not in self.tried:
            self.tried[text] = self._check(text)
        after = self.tried[text]
        keys = _keys(after)
        if keys[_key(problem)] >= self.keys[_key(problem)]:
            return False
        new = keys - self.keys
        if not mildly:
            return not any(_key(each) in new for each in after if each.severity is not Severity.NOTE)
        touched = _lines(edits)
        come = [each for each in after if _key(each) in new and each.is_error]
        return not any(each.span is None or each.span.line in touched or each.code == "bad-yaml" for each in come)

    def _check(self, text: str) -> Sequence[Diagnostic]:
        document = read_text(text, self.document.file)
        document.read_beside = self.document.read_beside
        return check(compose(document, self.document.overrides)).diagnostics


def _key(problem: Diagnostic) -> _Key:
    return problem.code, re.sub(r"\d+:\d+|line \d+", "", problem.message)


def _keys(problems: Sequence[Diagnostic]) -> Counter[_Key]:
    return Counter(map(_key, problems))


def _lines(edits: Edits) -> set[int]:
    """The lines that edits leave behind, as far as they are those that were there before."""
    found = set[int]()
    for edit in edits:
        found |= {*range(edit.span.line, edit.span.end_line + 1 + edit.text.count("\n"))}
    return found


def _has_alternatives(help: str) -> bool:
    """Whether the words name more than one thing that one may do."""
    return re.search(r"\bor\b", re.sub(r"`[^`]*`", "", help)) is not None


def _is_close(cure: Cure, problem: Diagnostic) -> bool:
    """Whether a name that someone gave, to a column, a layer or a file, is hardly another one; words of the language
    that are meant are known."""
    unknown = re.search(r"`\$?([^`]+)`", problem.message)
    if cure.action != "rename" or problem.code not in OF_OWN_NAMES or unknown is None:
        return True
    return SequenceMatcher(None, unknown[1].lower(), cure.texts[0].lower()).ratio() >= CLOSE


def _named(cure: Cure, title: str) -> str:
    if cure.action == "rename":
        return f"write `{cure.texts[0]}`"
    return title


def _with_values(cure: Cure) -> str:
    """The title of a cure that fills in what its words leave open."""
    written = " and ".join(f"`{filled_in(text)}`" for text in cure.texts)
    return f"write {written}, with a value of your own"
