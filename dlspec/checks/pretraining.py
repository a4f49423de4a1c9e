"""Rules about stages of pretraining."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.checks.base import Checked, rule
from dlspec.diagnostics import Diagnostic, Label, Severity
from dlspec.fields import did_you_mean
from dlspec.plans import make_plan
from dlspec.pretraining.base import Refusal
from dlspec.spec import Broken


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
        elif known[name].layer.has_weights and not known[name].layer.follows_code and known[name] not in hidden:
            yield Diagnostic("cannot-pretrain", f"`{name}` is the output, which only fine-tuning can train", span)
        elif not known[name].layer.has_weights and not isinstance(known[name].layer, Broken):
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
        place = spec.key_span(*layer.path, layer.type_name)
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
    if not hidden and not any(isinstance(layer.layer, Broken) for layer in graph.layers):
        yield Diagnostic(
            "nothing-to-pretrain",
            "no layer below the output has weights",
            spec.key_span("pretrain"),
            help="add a hidden layer, such as `dense: 64`, or remove `pretrain`",
        )


@rule
def reconstructions_fit_inputs(checked: Checked) -> Iterator[Diagnostic]:
    """Cross-entropy takes the input for probabilities of Bernoulli units, so it must lie in [0, 1]."""
    spec, graph, signature = checked.spec, checked.graph, checked.signature
    method = spec.pretrain
    if method is None or signature is None or not spec.has("pretrain") or not spec.has("model"):
        return
    if getattr(method, "loss", None) != "binary_crossentropy" or not spec.has("data"):
        return
    for stage in make_plan(spec, graph).pretraining:
        if stage.layer is not None and not stage.unit_interval:
            at_input = any(source in {given.name for given in graph.inputs} for source in stage.layer.inputs)
            yield Diagnostic(
                "not-in-unit-interval",
                "`binary_crossentropy` reconstructs probabilities, and the input of "
                f"`{stage.layer.name}` does not lie in [0, 1]",
                spec.span("pretrain", "loss"),
                labels=(Label(spec.key_span(*stage.layer.path, stage.layer.type_name), "takes any number"),),
                help="write `scale: min_max` under `data`, or `loss: mse`" if at_input else "write `loss: mse`",
            )
            return


@rule
def frozen_layers_were_pretrained(checked: Checked) -> Iterator[Diagnostic]:
    """What is frozen after pretraining keeps random weights where it never was pretrained below."""
    spec, graph = checked.spec, checked.graph
    method = spec.pretrain
    if method is None or method.then != "freeze" or not spec.has("pretrain") or not spec.has("model"):
        return
    chosen = {layer.name for layer in method.chosen(graph)}
    for layer in graph.hidden:
        if layer.name not in chosen and any(graph[name].index > layer.index for name in chosen):
            yield Diagnostic(
                "frozen-above-random",
                f"`{layer.name}` is not pretrained, and layers above it are pretrained on what it makes at random, "
                "then frozen",
                spec.key_span(*layer.path, layer.type_name),
                Severity.WARNING,
                help=f"add `{layer.name}` to `layers` under `pretrain`",
            )
