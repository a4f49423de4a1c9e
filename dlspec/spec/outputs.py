"""Networks of several outputs: each of them as a spec of its own, which has this output alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dlspec.data.signature import Signature, Target, task_of
from dlspec.evaluation.require import BEATS
from dlspec.evaluation.section import EvaluateSpec
from dlspec.model.graph import Graph
from dlspec.spec.defaults import fill_in, fill_in_data
from dlspec.spec.spec import Spec
from dlspec.training.losses import LOSSES

SEPARATOR = "."
"""Between an output and what is of it: `kind.accuracy`."""
ALL_OUTPUTS = ""
"""In place of an output, where something is required of each."""


def fill_in_outputs(spec: Spec, signature: Signature) -> Spec:
    """The spec with the defaults that depend on the data, and with the loss of each of its outputs.

    Where one target is asked for, as by a stratified split, it is that of the first.
    """
    outputs = {
        name: given.model_copy(update={"loss": given.loss or LOSSES[signature.targets[name].default_loss]()})
        for name, given in (spec.model.outputs or {}).items()
    }
    spec = fill_in_data(spec, signature)
    first = next(iter(outputs.values())).target
    return spec.with_changes(
        data=spec.data.model_copy(update={"target": first}),
        model=spec.model.model_copy(update={"outputs": outputs}),
    )


def spec_of_output(spec: Spec, signature: Signature, name: str, targets: Sequence[Target]) -> Spec:
    """The spec as one whose network has this output alone, with the defaults of that.

    Args:
        signature: that of the output, one of `Signature.views`.
        targets: those of all outputs.
    """
    given = (spec.model.outputs or {})[name]
    data: dict[str, Any] = {"target": given.target}
    if spec.data.split.by == "stratified" and spec.data.target != given.target:  # the first decides
        data["split"] = spec.data.split.model_copy(update={"by": "random"})
    alone = spec.with_changes(
        data=spec.data.model_copy(update=data),
        model=spec.model.model_copy(update={"outputs": {name: given}}),
        train=spec.train.model_copy(update={"loss": given.loss, "class_weight": given.class_weight}),
        evaluate=_evaluated(spec.evaluate, signature, name, targets),
    )
    return fill_in(alone, signature)


def specs_of_outputs(spec: Spec, signature: Signature) -> dict[str, Spec]:
    """Of a network of several outputs, the spec of each; else none."""
    targets = [*signature.targets.values()]
    return {name: spec_of_output(spec, own, name, targets) for name, own in signature.views.items()}


def graph_of_output(graph: Graph, name: str) -> Graph:
    """The same network, whose first output is this one."""
    return replace(graph, outputs=(name, *(other for other in graph.outputs if other != name)))


def _evaluated(section: EvaluateSpec, signature: Signature, name: str, targets: Sequence[Target]) -> EvaluateSpec:
    """What an output is judged by: of what the spec names, what fits it, or fits none of them."""
    series = signature.window is not None
    kinds, tasks = {target.kind for target in targets}, {task_of(target, series=series) for target in targets}
    metrics = [
        metric
        for metric in section.metrics or []
        if metric.judges(signature.target.kind, series=series)
        or not any(metric.judges(kind, series=series) for kind in kinds)
    ]
    baselines = [
        baseline
        for baseline in section.baselines or []
        if signature.task in baseline.tasks or tasks.isdisjoint(baseline.tasks)
    ]
    return section.model_copy(
        update={
            "metrics": metrics or None,
            "baselines": baselines if baselines or section.baselines == [] else None,
            "require": {
                what: asked
                for output, what, asked in required_of_outputs(section)
                if output == name or (output, what) == (ALL_OUTPUTS, BEATS)
            }
            or None,
        }
    )


def required_of_outputs(section: EvaluateSpec) -> Iterator[tuple[str, str, Any]]:
    """What is required of a network of several outputs: of which one, or of `ALL_OUTPUTS`, what and how much."""
    for key, asked in (section.require or {}).items():
        output, _, what = key.rpartition(SEPARATOR)
        yield output, what, asked
