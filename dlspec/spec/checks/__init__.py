"""Rules of meaning across the spec and its graph, one function each, yielding diagnostics.

`check` runs everything that is known before training: form, names and values, columns, shapes, and the rules, which
stand in the modules of this folder by what they are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlspec.data.datasets import Description
from dlspec.data.section import BrokenData
from dlspec.data.training_rows import deciding_source
from dlspec.language.diagnostics import Diagnostic, Severity, in_file_order
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.language.yaml import Document
from dlspec.model.graph_builder import make_graph
from dlspec.spec.checks import (  # noqa: F401, each registers its rules
    aligned_texts,
    borrowed,
    budget,
    comparing,
    data,
    devices,
    evaluating,
    fine_tuning,
    moving,
    network_inputs,
    network_outputs,
    networks,
    pretraining,
    sampling,
    splits,
    taken_layers,
    teaching,
    tracking,
    training,
    weights,
)
from dlspec.spec.checks.base import RULES, Checked, severity_of
from dlspec.spec.checks.ignoring import without_ignored
from dlspec.spec.checks.several import several_problems, views_of
from dlspec.spec.defaults import fill_in, fill_in_loss, fill_in_sizes
from dlspec.spec.named_columns import column_problems
from dlspec.spec.outputs import fill_in_outputs
from dlspec.spec.reading import read_guessing, read_otherwise
from dlspec.spec.signature import read_signature
from dlspec.spec.spec import Spec

__all__ = ["Checked", "check"]

BY_NAMES = ("unknown-column", "target-among-features", "split-among-features")
"""What the names of columns tell, whatever their rows hold."""


def check(document: Document) -> Checked:
    """Finds every mistake that can be known without loading data or TensorFlow."""
    spec, problems, guesses = read_guessing(document)
    description, absent = None, list[Diagnostic]()
    if _names_source(spec):
        try:
            description = deciding_source(spec.data, spec.seed).describe()
        except DataError as error:
            missing = (replace(d, severity=severity_of(d.code)) for d in error.diagnostics)
            absent = [replace(d, notes=("columns and the input shape were not checked",)) for d in missing]
    checked = _check(spec, [*problems, *absent], description)
    if guesses and checked.graph.complete:  # a network that grows too far took long enough
        # what does not show without a guess follows from it; of warnings nobody knows with several of them
        other, said = read_otherwise(document)
        either = _check(
            other,
            [*said, *absent],
            description if _names_source(other) else None,
        ).diagnostics
        sure = {(found.code, found.span) for found in either if guesses == 1 or found.is_error or found in said}
        checked = replace(checked, diagnostics=[d for d in checked.diagnostics if (d.code, d.span) in sure])
    if description is None or not description.read_to:
        return checked
    certain = {*_check(spec, problems, None).diagnostics}
    found = [d if d in certain or d.code in BY_NAMES else _as_far_as_read(d, description) for d in checked.diagnostics]
    return replace(checked, diagnostics=in_file_order([*found, _not_settled(spec, description)]))


def _names_source(spec: Spec) -> bool:
    """Whether it is known which data are meant."""
    return spec.has("data") and not isinstance(spec.data, BrokenData)


def _with_target_meant(spec: Spec, description: Description, problems: list[Diagnostic]) -> list[Diagnostic]:
    """One mistake in place of two, where a key that is not known names a column, and none is the target."""
    absent = next((problem for problem in problems if problem.message.startswith("`target` is missing")), None)
    if absent is None:
        return problems
    root, known = spec.document.root.plain(), spec.data.keys()
    if {"target", "output_features"} & {*root}:  # at the top level, which is told
        return [problem for problem in problems if problem is not absent]
    for key, value in root["data"].items():
        if key not in known and isinstance(value, str) and value in description.names:
            span = spec.key_span("data", key)
            return [
                replace(problem, help="did you mean `target`?") if problem.span == span else problem
                for problem in problems
                if problem is not absent
            ]
    return problems


def _not_settled(spec: Spec, description: Description) -> Diagnostic:
    """That data were not read to their end, and which columns may turn out otherwise."""
    said = spec.data.target_names if spec.data.target_type else ()
    names, shown = [name for name in description.not_settled if name not in said], 10
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    columns = f"the type of {one_of(names[:shown])}{more} is not settled" if names else "that settles all types"
    message = f"of the data {description.read_to} were read; {columns}"
    span = spec.key_span("data")
    return Diagnostic("not-settled", message, span, Severity.NOTE, help="`dlspec plan` reads all of them")


def _as_far_as_read(problem: Diagnostic, description: Description) -> Diagnostic:
    """What hangs on rows that were read may be otherwise with all of them."""
    note = f"as far as {description.read_to} tell"
    severity = Severity.WARNING if problem.is_error else problem.severity
    return replace(problem, severity=severity, notes=(*problem.notes, note))


def _check(spec: Spec, problems: Sequence[Diagnostic], description: Description | None) -> Checked:
    """What is wrong with a spec of such data.

    Args:
        problems: what is known to be wrong.
        description: None: it is not known what the data are like.
    """
    document, problems = spec.document, [*problems]
    signature, rows = None, None
    dated: tuple[str, ...] = ()
    if description is not None:
        rows = description.rows
        dated = tuple(column.name for column in description.columns if column.kind == "time")
        if spec.doubtful:
            problems += column_problems(spec, description)
        else:
            signature, found = read_signature(spec, description)
            if any(each.code == "only-for-series" for each in found):  # what is meant is not known
                signature, dated = None, ()
                found = [each for each in found if each.code != "no-features"]
            problems = _with_target_meant(spec, description, [*problems, *found])
    several = signature is not None and bool(signature.views)
    if signature:
        spec = fill_in_outputs(spec, signature) if several else fill_in(spec, signature)
    graph, found = make_graph(spec.model, signature, spec.unrolled_at)
    spec = fill_in_sizes(spec, graph)
    if signature and not several:
        spec = fill_in_loss(spec, signature, graph)
    if spec.has("model"):
        problems += found
    series = description is not None and description.layout == "series"
    checked = Checked(spec, signature, graph, problems, rows, dated, series, description)
    problems += several_problems(checked)
    for view in views_of(checked):
        problems += (found for each in RULES for found in each(view) if found not in problems)
    if any(problem.code == "unknown-layer-name" for problem in problems):  # which may be what nothing uses otherwise
        problems = [problem for problem in problems if problem.code not in ("unused-layer", "unused-input")]
    left = without_ignored(problems, document.texts, complete=signature is not None)
    return replace(checked, diagnostics=in_file_order(left))
