"""Rules of meaning across the spec and its graph, one function each, yielding diagnostics.

`check` runs everything that is known before training: form, names and values, columns, shapes, and the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dlspec.baselines import BASELINES
from dlspec.diagnostics import DataError, Diagnostic, Label, Severity, Span, in_file_order
from dlspec.fields import did_you_mean, one_of
from dlspec.graphs import Graph, make_graph
from dlspec.layers import show_shape
from dlspec.layers.core import Output
from dlspec.metrics import MASE, METRICS
from dlspec.pretraining.base import Refusal
from dlspec.signature import Signature, fill_in, read_signature, source_of
from dlspec.source import Source
from dlspec.spec import Broken, Spec, read_spec


@dataclass(frozen=True)
class Checked:
    """A spec after all checks.

    Args:
        spec: with the defaults that depend on the data, where those are known.
        signature: None when the data section is broken or its file is not there.
    """

    spec: Spec
    signature: Signature | None
    graph: Graph
    diagnostics: list[Diagnostic]

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.is_error]


PROBABILITIES = {"sigmoid": ("sigmoid", "hard_sigmoid"), "softmax": ("softmax", "sparsemax")}
"""Activation that a target needs -> those that give what it needs."""

Rule = Callable[[Checked], Iterator[Diagnostic]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function


def check(source: Source) -> Checked:
    """Finds every mistake that can be known without loading data or TensorFlow."""
    spec, problems = read_spec(source)
    signature = None
    if spec.has("data"):
        try:
            description = source_of(spec).describe()
        except DataError as error:
            missing = (replace(d, severity=Severity.WARNING) for d in error.diagnostics)
            problems += [replace(d, notes=("columns and the input shape were not checked",)) for d in missing]
        else:
            signature, found = read_signature(spec, description)
            problems += found
    if signature:
        spec = fill_in(spec, signature)
    graph, found = make_graph(spec, signature)
    if spec.has("model"):
        problems += found
    checked = Checked(spec, signature, graph, problems)
    for each in RULES:
        problems += each(checked)
    return replace(checked, diagnostics=in_file_order(problems))


@rule
def names_are_unique(checked: Checked) -> Iterator[Diagnostic]:
    """Layer names are how `pretrain`, history and export speak of a layer, so no two may be equal."""
    spec = checked.spec
    first: dict[str, Span] = {}
    for index, layer in enumerate(spec.model):
        if not layer.name:
            continue
        span = spec.span("model", index, layer.type_name, "name")
        if layer.name in first:
            yield Diagnostic(
                "repeated-name",
                f"two layers are named `{layer.name}`",
                span,
                labels=(Label(first[layer.name], "first named here"),),
                help="give each a name of its own",
            )
        first.setdefault(layer.name, span)


@rule
def output_fits_target(checked: Checked) -> Iterator[Diagnostic]:
    """What the last layer gives must be what the target needs: as many units, and for classes probabilities."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    last = graph.layers[-1]
    if signature is None or not spec.has("model") or isinstance(last.layer, Broken) or last.output_shape is None:
        return
    if spec.source.recovered:  # the last layer may stand in a line that could not be read
        return
    target = signature.target
    span = spec.key_span("model", last.index, last.layer.type_name)
    needs = "one number" if target.kind == "number" else f"{len(target.classes)} classes"
    if last.output_shape != (None, target.units) and None not in last.output_shape[1:]:
        is_output = isinstance(last.layer, Output)
        yield Diagnostic(
            "output-mismatch",
            f"the network ends in {show_shape(last.output_shape)}, and `{target.name}` ({needs}) needs "
            f"{show_shape((None, target.units))}",
            span,
            help="remove `units`: `output` takes what the target needs"
            if is_output
            else "make `output` the last layer; it takes the shape that the target needs",
        )
        return
    activation = getattr(last.layer, "activation", None)
    if target.kind == "class" and activation not in PROBABILITIES[target.activation]:
        one = target.units == 1
        yield Diagnostic(
            "one-unit-softmax" if one and activation in PROBABILITIES["softmax"] else "output-mismatch",
            f"`{activation}` over one unit is always 1"
            if one and activation in PROBABILITIES["softmax"]
            else f"{needs} need probabilities{'' if one else ' that add up to 1'}, and the network ends in "
            f"`{activation or last.layer.type_name}`",
            span,
            help=f"write `activation: {target.activation}`, or make the last layer `output`",
        )


@rule
def loss_fits_target(checked: Checked) -> Iterator[Diagnostic]:
    """A loss for numbers cannot train a classifier's labels, nor the other way round."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("train") or spec.train.loss is None:
        return
    target, loss = signature.target, spec.train.loss
    if loss.of != target.loss_of:
        kinds = {"number": "a number", "binary": "two classes", "class": "several classes"}
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` is for {kinds[loss.of]}, and `{target.name}` is {kinds[target.loss_of]}",
            spec.span("train", "loss"),
            help=f"write `loss: {target.default_loss}`, or leave `loss` out",
        )


@rule
def evaluation_fits_task(checked: Checked) -> Iterator[Diagnostic]:
    """Metrics and baselines are each for series, numbers or classes."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("evaluate"):
        return
    kind = signature.target.kind
    for i, metric in enumerate(spec.evaluate.metrics or []):
        if metric.of != kind or (isinstance(metric, MASE) and signature.task != "series"):
            needs = "a series" if isinstance(metric, MASE) else "numbers" if metric.of == "number" else "classes"
            is_a = "a class" if kind == "class" else "a number"
            fitting = [name for name in METRICS if METRICS[name].of == kind]
            yield Diagnostic(
                "metric-mismatch",
                f"`{metric.type_name}` is for {needs}, and `{signature.target.name}` is {is_a}",
                spec.span("evaluate", "metrics", i),
                help=f"there are {one_of(n for n in fitting if n != 'mase' or signature.task == 'series')}",
            )
    for i, baseline in enumerate(spec.evaluate.baselines or []):
        if signature.task not in baseline.tasks:
            words = {"series": "a series", "number": "single samples with a number", "class": "classes"}
            yield Diagnostic(
                "baseline-mismatch",
                f"`{baseline.type_name}` is for {' or '.join(words[task] for task in sorted(baseline.tasks))}, and "
                f"`{signature.target.name}` is {words[signature.task].replace('single samples with ', '')}",
                spec.span("evaluate", "baselines", i),
                help=f"there are {one_of(name for name in BASELINES if signature.task in BASELINES[name].tasks)}",
            )


@rule
def split_leaves_data(checked: Checked) -> Iterator[Diagnostic]:
    """Validation and test together must leave something to train on; stopping early needs validation."""
    spec = checked.spec
    if not spec.has("data"):
        return
    split = spec.data.split
    if split.validation + split.test >= 1:
        yield Diagnostic(
            "split-too-large",
            f"validation {split.validation:g} and test {split.test:g} leave nothing to train on",
            spec.span("data", "split"),
            help="write shares that add up to less than 1, such as `{validation: 0.15, test: 0.15}`",
        )
    stopping = spec.train.early_stopping
    if spec.has("train") and stopping and stopping.monitor == "val_loss" and split.validation == 0:
        yield Diagnostic(
            "nothing-to-monitor",
            "`early_stopping` watches the validation loss, and `split` keeps no validation part",
            spec.key_span("train", "early_stopping"),
            help="write `split: {validation: 0.15, …}` under `data`, or `monitor: loss`",
        )


@rule
def pretraining_fits_layers(checked: Checked) -> Iterator[Diagnostic]:
    """A stage of pretraining needs a layer with weights that the method can train and decode."""
    spec, graph = checked.spec, checked.graph
    method = spec.pretrain
    if method is None or not spec.has("pretrain") or not spec.has("model"):
        return
    known = {layer.name: layer for layer in graph.layers}
    hidden = graph.hidden
    for i, name in enumerate(method.layers or []):
        span = spec.span("pretrain", "layers", i)
        if name not in known:
            yield Diagnostic(
                "unknown-layer-name",
                f"no layer is named `{name}`",
                span,
                help=did_you_mean(name, [layer.name for layer in hidden]),
            )
        elif name in (method.layers or [])[:i]:
            yield Diagnostic("repeated-name", f"`{name}` is listed twice", span)
        elif known[name].layer.weighted and not known[name].layer.follows_code and known[name] not in hidden:
            yield Diagnostic("cannot-pretrain", f"`{name}` is the output, which only fine-tuning can train", span)
        elif not known[name].layer.weighted and not isinstance(known[name].layer, Broken):
            yield Diagnostic("cannot-pretrain", f"`{name}` has no weights to pretrain", span)
        elif [n for n in known if n in (method.layers or [])[: i + 1]][-1] != name:
            yield Diagnostic(
                "wrong-order",
                f"`{name}` lies below a layer that is listed before it",
                span,
                help="list the layers from the lowest up",
            )
    chosen = method.chosen(graph)
    refusals = {
        layer.name: method.refuses(layer.layer, layer.input_shape)
        if layer.layer.trainable
        else Refusal(f"`{layer.name}` is not to be trained (`trainable: false`)")
        for layer in chosen
    }
    for layer in chosen:
        refusal = refusals[layer.name]
        if refusal is None:
            continue
        place = spec.key_span("model", layer.index, layer.layer.type_name)
        if refusal.key:
            yield Diagnostic(
                "cannot-pretrain",
                refusal.message,
                spec.span("pretrain", refusal.key),
                labels=(Label(place, "pretrained as well"),),
                help=f"remove `{refusal.key}`",
            )
            break
        others = [name for name, other in refusals.items() if other is None]
        yield Diagnostic(
            "cannot-pretrain",
            refusal.message,
            place,
            help=f"write `layers: [{', '.join(others)}]` under `pretrain`" if others else "remove `pretrain`",
            labels=(Label(spec.key_span("pretrain"), "pretrained because of this"),),
        )
    if not hidden and not any(isinstance(layer, Broken) for layer in spec.model):
        yield Diagnostic(
            "nothing-to-pretrain",
            "no layer below the output has weights",
            spec.key_span("pretrain"),
            help="add a hidden layer, such as `dense: 64`, or remove `pretrain`",
        )


@rule
def output_comes_last(checked: Checked) -> Iterator[Diagnostic]:
    """`output` ends the network."""
    spec = checked.spec
    for index, layer in enumerate(spec.model[:-1]):
        if isinstance(layer, Output):
            yield Diagnostic(
                "output-not-last",
                "`output` stands before other layers",
                spec.key_span("model", index, "output"),
                help="make it the last entry of `model`",
            )
