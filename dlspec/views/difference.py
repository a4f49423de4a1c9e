"""What two specs differ in, for a reviewer of a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.notebooks import InNotebooks
from dlspec.spec.checks import Checked
from dlspec.spec.difference.costs import LIMITED, Planned, StageChange, Total, compare_stages, compare_totals
from dlspec.spec.difference.keys import KeyChange, changed_keys
from dlspec.spec.difference.layers import LayerChange, compare_networks, has_broken
from dlspec.spec.reading import read_spec
from dlspec.spec.spec import Spec
from dlspec.views.blocks import Block, as_markdown, as_text

FOLLOWING = 8
"""Layers that are shown in a terminal of those whose shapes follow from what is before them."""


@dataclass(frozen=True)
class Side:
    """One of the two specs.

    Args:
        name: as it was given.
        diagnostics: what is wrong with it; of a revision, places begin with `REV:`.
        texts: file name -> its text.
        of_revision: whether it is as git has it, so that its data may have been others.
    """

    name: str
    checked: Checked
    diagnostics: Sequence[Diagnostic]
    texts: Mapping[str, str]
    of_revision: bool = False

    @property
    def errors(self) -> list[Diagnostic]:
        return [found for found in self.diagnostics if found.is_error]

    def lacks(self) -> list[str]:
        """Sections that could not be read, so that they cannot be compared."""
        spec, complete = self.checked.spec, self.checked.graph.complete
        return [name for name in Spec.model_fields if not spec.has(name) or (name == "model" and not complete)]


@dataclass(frozen=True)
class ProblemChange:
    """A mistake or warning that is `new`, `gone`, or an error that was there before (`still`)."""

    how: Literal["new", "gone", "still"]
    problem: Diagnostic

    @property
    def place(self) -> str:
        span = self.problem.span
        return f"{span.file}:{span.line}" if span else ""

    def as_json(self) -> dict[str, Any]:
        found = self.problem
        said = {"severity": found.severity.value, "code": found.code, "message": found.message, "help": found.help}
        return {"how": self.how, **said, "place": self.place or None}


@dataclass(frozen=True)
class SpecDiff(InNotebooks):
    """What two specs differ in. `str()` of it is what `dlspec diff` prints.

    Args:
        old, new: the two, each with its name and what is wrong with it.
        same_text: whether they are written alike, word for word.
        keys: keys with other values; the layers of `model` are in `layers`.
        layers: in the order of the new network.
        totals: parameters, FLOPs and the like, also where they are equal.
        stages: of training, which come or go.
        problems: mistakes and warnings that come or go, and errors that stay.
        left_out: sections that could not be compared because of errors.
        notes: what a reader should know.
    """

    old: Side
    new: Side
    same_text: bool
    keys: list[KeyChange] = field(default_factory=list)
    layers: list[LayerChange] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    stages: list[StageChange] = field(default_factory=list)
    problems: list[ProblemChange] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether they differ in meaning, as far as they could be compared."""
        return bool(self.keys or self.layers or self.stages or any(total.differs for total in self.totals))

    @property
    def same(self) -> bool:
        """Whether they are the same in meaning; not where errors keep something from being compared."""
        return not self.differs and not self.old.errors and not self.new.errors

    @property
    def sentence(self) -> str:
        """How they differ, in a sentence."""
        if self.same:
            return "the same" if self.same_text else "the same in meaning: only how it is written differs"
        counts = ((len(self.keys), "key"), (len(self.layers), "layer"), (len(self.stages), "stage"))
        parts = [f"{n:,} {what}{'s' * (n > 1)}" for n, what in counts if n]
        parts = parts or ["what they come to"] * self.differs
        said = (
            f"{' and '.join([', '.join(parts[:-1])] * (len(parts) > 1) + parts[-1:])} changed" if parts else "no change"
        )
        with_errors = [word for word, side in (("old", self.old), ("new", self.new)) if side.errors]
        return said + (f"; the {' and the '.join(with_errors)} spec has errors" if with_errors else "")

    def blocks(self, *, errors: bool = True, following: int | None = None) -> Iterator[Block]:
        """Its tables.

        Args:
            errors: whether errors are listed, which a command prints with their lines.
            following: how many layers are listed of which only shapes or parameters differ; None: all.
        """
        if self.keys:
            rows = [(change.key, change.text, change.place) for change in self.keys]
            yield Block("keys", ("key", "change", "where"), rows, quoted=(0, 1))
        layers = self._layer_rows(following)
        if layers:
            heads = ("layer", "how", "what", "output shape", "parameters", "where")
            yield Block("layers", heads, layers, quoted=(0, 2), right=(4,))
        changed = [total for total in self.totals if total.differs]
        if changed:
            rows4 = [(x.name, x.show(x.old), x.show(x.new), x.change) for x in changed]
            yield Block("totals", ("total", "old", "new", "difference"), rows4, right=(1, 2))
        if self.stages:
            rows = [(stage.name, stage.how, stage.text) for stage in self.stages]
            yield Block("stages", ("stage", "how", "what"), rows, quoted=(0,))
        problems = [found for found in self.problems if errors or not found.problem.is_error]
        if problems:
            rows4 = [
                (x.how, f"{x.problem.severity.value}[{x.problem.code}]", x.problem.message, x.place) for x in problems
            ]
            yield Block("mistakes and warnings", ("how", "code", "message", "where"), rows4, quoted=(2, 3))

    def _layer_rows(self, following: int | None) -> list[tuple[str, ...]]:
        rows, left = list[tuple[str, ...]](), len(self.layers) if following is None else following
        for x in self.layers:
            if x.how == ("follows",):
                left -= 1
                if left < 0:
                    continue
            rows.append((x.name, ", ".join(x.how), x.what, x.shape, x.parameters, x.place))
        if left < 0:
            rows.append((f"… and {-left:,} more", "follows", "", "", "", ""))
        return rows

    @property
    def remarks(self) -> list[str]:
        """Totals that stayed, and what a reader should know."""
        same = [f"{x.name} {x.show(x.new)}" for x in self.totals if not x.differs and x.name in LIMITED]
        return [*([f"unchanged: {', '.join(same)}"] if same and self.differs else []), *self.notes]

    @property
    def _title(self) -> str:
        return f"{self.old.name} → {self.new.name}"

    def as_text(self, *, errors: bool = True) -> str:
        """For a terminal; see `blocks`."""
        sentences = [f"{self._title}: {self.sentence}"]
        return as_text(sentences, self.blocks(errors=errors, following=FOLLOWING), self.remarks)

    def as_markdown(self) -> str:
        """For a comment on a pull request."""
        return as_markdown(self._title, [f"{self.sentence}."], self.blocks(), self.remarks)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for programs."""
        return {
            "old": self.old.name,
            "new": self.new.name,
            "same": self.same,
            "same_text": self.same_text,
            "keys": [change.as_json() for change in self.keys],
            "layers": [change.as_json() for change in self.layers],
            "totals": [total.as_json() for total in self.totals],
            "stages": [stage.as_json() for stage in self.stages],
            "problems": [found.as_json() for found in self.problems],
            "left_out": self.left_out,
            "notes": self.notes,
        }

    def __str__(self) -> str:
        return self.as_text()


def compare(old: Side, new: Side) -> SpecDiff:
    """What two specs differ in, as far as they can be read."""
    lacks = {*old.lacks(), *new.lacks()}
    before, now = old.checked, new.checked
    keys = changed_keys(before.spec, now.spec, [name for name in Spec.model_fields if name not in lacks])
    texts = ([*side.checked.spec.document.texts.values()] for side in (old, new))
    found = SpecDiff(old, new, next(texts) == next(texts), keys, problems=_compare_problems(old, new))
    found.left_out.extend(name for name in Spec.model_fields if name in lacks)
    if lacks:
        found.notes.append(f"not compared, because of errors: {', '.join(f'`{name}`' for name in found.left_out)}")
    if any(_is_guessed(side) for side in (old, new)):
        found.notes.append("in place of what is wrong in a spec, what was probably meant is compared, or a default")
    if any(
        side.of_revision and side.checked.spec.has("data") and not side.checked.spec.data.dataset for side in (old, new)
    ):
        found.notes.append("data files are read as they are now, for both")
    if "model" in lacks:
        return found
    networks = compare_networks(before.spec, now.spec, before.graph, now.graph)
    found.layers.extend(networks.changes)
    if has_broken(before.graph) or has_broken(now.graph):
        found.notes.append("layers that have errors are not compared, nor what the networks cost")
    elif not lacks & {"train", "pretrain", "data", "runtime"}:
        plans = Planned.of(before), Planned.of(now)
        found.totals.extend(compare_totals(*plans))
        found.stages.extend(compare_stages(*plans, networks.names))
        if any(plan.plan.samples is None for plan in plans):
            found.notes.append("steps of training are not known before all data are read")
    return found


def _is_guessed(side: Side) -> bool:
    """Whether something in the spec could not be taken as it is written."""
    return bool(side.errors) and any(found.is_error for found in read_spec(side.checked.spec.document)[1])


def _compare_problems(old: Side, new: Side) -> list[ProblemChange]:
    """What is wrong in one of them, wherever it stands; notes are no problem."""

    def known_by(found: Diagnostic) -> tuple[str, str]:
        return found.code, found.message

    def problems(side: Side) -> list[Diagnostic]:
        return [found for found in side.diagnostics if found.severity is not Severity.NOTE]

    before, found = Counter(map(known_by, problems(old))), list[ProblemChange]()
    for problem in problems(new):
        if before[known_by(problem)]:
            before[known_by(problem)] -= 1
            if problem.is_error:
                found.append(ProblemChange("still", problem))
        else:
            found.append(ProblemChange("new", problem))
    for problem in problems(old):
        if before[known_by(problem)]:
            before[known_by(problem)] -= 1
            found.append(ProblemChange("gone", problem))
    return found
