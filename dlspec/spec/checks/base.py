"""What rules look at, and the list of all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dlspec.data.datasets import Description
from dlspec.data.signature import Signature
from dlspec.data.split import part_of_word
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.model.graph import Graph
from dlspec.spec.spec import Spec


@dataclass(frozen=True)
class Checked:
    """A spec after all checks.

    Args:
        spec: with the defaults that depend on the data, where those are known.
        signature: None when the data section is broken or its file is not there.
        rows: of the data, as far as that is known.
        dated: columns of the data that hold dates.
        series: whether it is known that rows follow each other in time.
        description: of the data, where they are there.
    """

    spec: Spec
    signature: Signature | None
    graph: Graph
    diagnostics: list[Diagnostic]
    rows: int | None = None
    dated: tuple[str, ...] = ()
    series: bool = False
    description: Description | None = None

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.is_error]

    @property
    def without_validation(self) -> bool:
        """Whether it is known that there is no validation part."""
        if not self.spec.has("data"):
            return False
        words = self.signature.part_words if self.signature else None
        unsaid = words is not None and "validation" not in map(part_of_word, words)
        return self.spec.data.split.validation == 0 or unsaid


def severity_of(code: str) -> Severity:
    """Of what is wrong with files: a spec is fine where its data are not there, and is not where it has to say more."""
    return Severity.ERROR if code in ("ambiguous-number", "mask-values") else Severity.WARNING


STOPS_A_RUN = ("data-not-found", "data-unreadable", "missing-package", "too-few-rows")
"""Warnings of `validate` that are errors of a run, which says them itself."""

Rule = Callable[[Checked], Iterator[Diagnostic]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function
