"""Everything that a training takes, made ready: data, plan, device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlspec.diagnostics import DataError
from dlspec.spec import Spec
from dlspec.weights import LayerWeights, find_source, taken_layers

if TYPE_CHECKING:
    from dlspec.plans import Plan
    from dlspec.preparation import Prepared
    from dlspec.training import Listener


def load_data(spec: Spec, note: Callable[[str], None] = lambda text: None) -> Prepared:
    """The data of a spec, split and scaled.

    Args:
        note: is told how far it got, where reading them takes long.

    Raises:
        DataError: they are not there, or not what the spec needs.
    """
    from dlspec.preparation import prepare, prepare_stream
    from dlspec.signature import needs_memory, read_signature, source_of, unlabeled_source
    from dlspec.sources.rows import TableFiles

    source, unlabeled = source_of(spec), unlabeled_source(spec)
    signature, problems = read_signature(spec, source.describe())
    if signature is None or any(problem.is_error for problem in problems):
        raise DataError(problems, spec.source.texts)
    if isinstance(source, TableFiles) and source.is_large and not needs_memory(spec, signature):
        return prepare_stream(spec, signature, source, note)
    return prepare(spec, signature, source.load(spec.seed), unlabeled.load(spec.seed) if unlabeled else None)


@dataclass(frozen=True)
class Job:
    """Everything that a training takes, ready on its device."""

    spec: Spec
    plan: Plan
    data: Prepared
    device: str
    listener: Listener
    began: float
    taken: LayerWeights


def make_ready(spec: Spec, listener: Listener | None) -> Job:
    """Reads the data and loads the backend, in this order: mistakes in data are said at once."""
    from dlspec.backend import choose_device, make_deterministic
    from dlspec.graphs import make_graph
    from dlspec.plans import make_plan
    from dlspec.training import Listener

    began = time.time()
    listener = listener or Listener()
    data = load_data(spec, listener.note)
    graph, problems = make_graph(spec, data.signature)
    if any(problem.is_error for problem in problems):  # the training part has other words than the whole table
        raise DataError(problems, spec.source.texts)
    source = find_source(spec)
    plan = make_plan(spec, graph, taken=taken_layers(spec, graph, source))
    listener.begins(spec, plan, data)
    device = choose_device(spec.runtime)
    make_deterministic(spec.runtime)
    listener.ready(device)
    return Job(spec, plan, data, device, listener, began, LayerWeights.load(source) if source else LayerWeights())
