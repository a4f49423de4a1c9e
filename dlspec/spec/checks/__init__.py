"""Rules of meaning across the spec and its graph, one function each, yielding diagnostics.

`check` runs everything that is known before training: form, names and values, columns, shapes, and the rules, which
stand in the modules of this folder by what they are about.
"""

from __future__ import annotations

from dataclasses import replace

from dlspec.data.source_of import source_of
from dlspec.language.diagnostics import in_file_order
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml import Document
from dlspec.model.graph_builder import make_graph
from dlspec.spec.checks import (  # noqa: F401, each registers its rules
    budget,
    data,
    devices,
    evaluating,
    fine_tuning,
    network_inputs,
    network_outputs,
    networks,
    pretraining,
    splits,
    taken_layers,
    training,
    weights,
)
from dlspec.spec.checks.base import RULES, Checked, severity_of
from dlspec.spec.checks.ignoring import without_ignored
from dlspec.spec.defaults import fill_in, fill_in_sizes
from dlspec.spec.reading import read_spec
from dlspec.spec.signature import read_signature

__all__ = ["Checked", "check"]


def check(document: Document) -> Checked:
    """Finds every mistake that can be known without loading data or TensorFlow."""
    spec, problems = read_spec(document)
    signature, rows = None, None
    if spec.has("data"):
        try:
            description = source_of(spec.data).describe()
        except DataError as error:
            missing = (replace(d, severity=severity_of(d.code)) for d in error.diagnostics)
            problems += [replace(d, notes=("columns and the input shape were not checked",)) for d in missing]
        else:
            rows = description.rows
            signature, found = read_signature(spec, description)
            problems += found
    if signature:
        spec = fill_in(spec, signature)
    graph, found = make_graph(spec.model, signature, spec.unrolled_at)
    spec = fill_in_sizes(spec, graph)
    if spec.has("model"):
        problems += found
    checked = Checked(spec, signature, graph, problems, rows)
    for each in RULES:
        problems += each(checked)
    left = without_ignored(problems, document.texts, complete=signature is not None)
    return replace(checked, diagnostics=in_file_order(left))
