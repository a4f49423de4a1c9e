"""Rules about what the network puts out, and the loss that it is trained by."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.signature import Target
from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.language.shapes import Shape, show_shape
from dlspec.model.causality import looks_ahead
from dlspec.model.graph import Graph
from dlspec.model.layers.activations import Softmax
from dlspec.model.layers.core import Output
from dlspec.model.layers.wrappers import TimeDistributed
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.checks.networks import is_constant
from dlspec.spec.spec import Spec
from dlspec.spec.targets import GIVEN_BY, WRITTEN_AS, several_written
from dlspec.training.losses import Loss
from dlspec.training.losses.reconstruction import Summed

PROBABILITIES = {"sigmoid": ("sigmoid", "hard_sigmoid"), "softmax": ("softmax", "sparsemax")}
"""Activation that a target needs -> those that give what it needs."""


@rule
def output_fits_target(checked: Checked) -> Iterator[Diagnostic]:
    """What the last layer gives must be what the target needs: as many units, and for classes probabilities."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model"):
        return
    if spec.model.outputs and not signature.target.places:  # an output by name takes what it needs
        return
    last = graph[graph.outputs[0]]
    if isinstance(last.layer, Broken) or last.output_shape is None:
        return
    if spec.unrolls and signature.target.kind != "input":  # which another rule says
        return
    if spec.document.recovered:  # the last layer may stand in a line that could not be read
        return
    if any(isinstance(layer.layer, Output) for layer in graph.layers if layer is not last):  # moving it mends this too
        return
    target = signature.target
    if target.aligned or (target.fitted and not isinstance(last.layer, Output)):  # of which other rules speak
        return
    span = spec.key_span(*last.path, last.type_name)
    if target.values_each != getattr(last.layer, "values_each", 0):  # which another rule says
        return
    needs = {
        "number": "one number" if target.units == 1 else f"{target.units} numbers",
        "class": f"{len(target.classes)} classes",
        "labels": f"{target.units} labels",
        "input": f"given back, {target.units} values",
    }[target.kind]
    if target.places:
        needs += " at each place"
    shaped = last.output_shape in target.output_shapes or target.fits_places(last.input_shape)
    if not shaped and None not in last.output_shape[1:]:
        is_output = isinstance(last.layer, Output)
        yield Diagnostic(
            "output-mismatch",
            f"the network ends in {show_shape(last.output_shape)}, and `{target.name}` ({needs}) needs "
            f"{show_shape(target.output_shapes[0])}",
            span,
            help=_keep_places(graph, target) + _or_several(spec, target)
            if target.places and len(last.output_shape) <= len(target.places) + 1 - (len(target.places) > 1)
            else _fit_places(last.output_shape, target)
            if target.places
            else "remove `units`: `output` takes what the target needs"
            if is_output
            else "make `output` the last layer; it takes the shape that the target needs"
            + (", or write `then: unroll` under `pretrain`" if target.kind == "input" else ""),
        )
        return
    inner = last.layer.layer if isinstance(last.layer, TimeDistributed) else last.layer
    activation = "softmax" if isinstance(inner, Softmax) and inner.axis == [-1] else getattr(inner, "activation", None)
    if target.kind in ("class", "labels") and activation not in PROBABILITIES[target.activation]:
        one = target.units == 1
        whole = "" if one or target.kind == "labels" else " that add up to 1"
        yield Diagnostic(
            "one-unit-softmax" if one and activation in PROBABILITIES["softmax"] else "output-mismatch",
            f"`{activation}` over one unit is always 1"
            if one and activation in PROBABILITIES["softmax"]
            else f"{needs} need probabilities{whole}, and the network ends in `{activation or last.layer.type_name}`",
            span,
            help=f"write `activation: {target.activation}`, or make the last layer `output`",
        )


def _keep_places(graph: Graph, target: Target) -> str:
    """How to keep the axes in front of the answers: the first layer without them has lost them."""
    wanted = len(target.places) + (1 if target.kind == "number" and len(target.places) > 1 else 2)
    for layer in graph.layers:
        before, after = layer.input_shape, layer.output_shape
        if before is None or after is None or len(before) <= len(after) or len(after) >= wanted:
            continue
        if getattr(layer.layer, "return_sequences", None) is False:
            return f"write `return_sequences: true` in `{layer.name}`, so that it gives every timestep"
        return f"remove `{layer.name}`, which gives {show_shape(after)}: `output` keeps the axes that come to it"
    return f"lead {show_shape((None, *target.places))} and the channels up to `output`, which keeps these axes"


def _or_several(spec: Spec, target: Target) -> str:
    """Of a `y` of two axes, how it is several targets instead."""
    if spec.data.arrays is None or len(target.places) != 1 or target.name != "y":
        return ""
    what = "each column is a target of its own" if target.kind == "number" else "the columns are labels"
    return f"; where {what}, leave `target` out"


def _fit_places(ends: Shape, target: Target) -> str:
    """What mends a network that ends in other sizes than the target has places."""
    if target.written:
        return f"lead the {target.places[0]} places of `{target.written.fed}` up to `output`: each says what comes next"
    sizes = ends[1 : len(target.places) + 1]
    if target.classes == ("0", "1") and len(ends) == len(target.places) + 1 and sizes[:-1] == target.places[:-1]:
        return (
            f"where the last axis of `{target.name}` has a 1 for the class of each place, save the number of that "
            f"class, `{target.name}.argmax(axis=-1)`; where it has a class at each of its {target.places[-1]} places, "
            f"lead {show_shape((None, *target.places))} and the channels up to `output`"
        )
    if sizes != target.places:
        return (
            f"the axes in front must be {show_shape((None, *target.places))}: write `padding: same` where convolutions "
            "make them smaller, and `up_sampling2d` or `conv2d_transpose` where pooling does"
        )
    return "remove `units`, and make `output` the last layer: it has the same units at each place"


@rule
def places_or_one_answer(checked: Checked) -> Iterator[Diagnostic]:
    """A `y` with a single 1 in every row is one class, or a class at each place; where the network fits both, the spec
    must say which."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model"):
        return
    last, target = graph[graph.outputs[0]], signature.target
    if not isinstance(last.layer, Output) or not target.fits_places(last.input_shape):
        return
    yield Diagnostic(
        "ambiguous-target",
        f"`{target.name}` has a single 1 in each row, which is one of {len(target.classes)} classes, and what comes to "
        f"`output`, {show_shape(last.input_shape or ())}, gives 0 or 1 at each of {len(target.classes)} places",
        spec.span("data", "target"),
        help="for one class remove the axis below `output`, such as by `return_sequences: false` or `flatten`; for a "
        f"class at each place save `{target.name}` with the shape (samples, {len(target.classes)}, 1)",
    )


@rule
def loss_fits_target(checked: Checked) -> Iterator[Diagnostic]:
    """A loss for numbers cannot train a classifier's labels, nor the other way round."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("train") or spec.train.loss is None:
        return
    target, loss = signature.target, spec.train.loss
    if loss.fitted:  # of which other rules speak
        return
    if loss.aligns != target.aligned:
        yield _not_aligned(spec, target, loss)
        return
    if isinstance(loss, Summed) and not loss.fits(target):
        given_back = target.kind == "input"
        what = {"number": "a number", "class": "a class", "labels": "labels"}.get(target.kind, "")
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` compares values in [0, 1], and scaled as they are those of the input are any numbers"
            if given_back
            else f"`{loss.type_name}` is a sum over the values of an input that is given back, and `{target.name}` is "
            f"{what}",
            spec.span(*spec.place_of_loss),
            help="write `scale: min_max` under `data`, or `loss: squared_error`"
            if given_back
            else "leave `loss` out: it is what the target needs",
        )
        return
    form = target.form
    if loss.of_form != form and target.kind == "number" and not target.places:
        other = f"`output: {WRITTEN_AS[loss.of_form]}`" if form == "value" else f"`loss: {target.default_loss}`"
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` is of {GIVEN_BY[loss.of_form]}, and `{target.name}` is given by {GIVEN_BY[form]}"
            if loss.of_form != "value"
            else f"`{loss.type_name}` compares one number with the truth, and `output` gives {GIVEN_BY[form]}",
            spec.span(*spec.place_of_loss),
            help="leave `loss` out" if spec.model.outputs else f"write {other}, or leave `loss` out",
        )
        return
    if target.unit_each and not loss.fits(target) and "binary" in loss.of:
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` is for one sigmoid unit, and the network has a unit for each class of `{target.name}`",
            spec.span(*spec.place_of_loss),
            help=f"write `loss: {target.default_loss}`, or make the last layer `output`",
        )
        return
    if not loss.fits(target):
        kinds = {"number": "a number", "binary": "two classes or labels", "class": "several classes"}
        fitting = " or ".join(kinds[sort] for sort in loss.of)
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` is for {fitting}, and `{target.name}` is "
            + {"input": "any number", "labels": "labels"}.get(
                target.kind, "two classes" if len(target.classes) == 2 else kinds[target.loss_of]
            ),
            spec.span(*spec.place_of_loss),
            help=f"write `loss: {target.default_loss}`, or leave `loss` out",
        )


def _not_aligned(spec: Spec, target: Target, loss: Loss) -> Diagnostic:
    """A loss of texts that are read off timesteps, and another target, or the other way round."""
    if target.aligned:
        message = f"`{loss.type_name}` compares one answer at a place, and `{target.name}` is read off all timesteps"
        help = "write `loss: ctc`"
    elif target.written:
        message = (
            f"`{loss.type_name}` is of a text that is read off all timesteps, and `{target.name}` is written item by "
        )
        message += "item: `feed_back` says so"
        help = "leave `loss` out, or `feed_back` and the input that it names"
    else:
        message = f"`{loss.type_name}` is of a text that is read off timesteps, and `{target.name}` is none"
        help = f"leave `loss` out; of a text write `target: {{{target.name}: {{sequence: characters}}}}`"
    return Diagnostic("loss-mismatch", message, spec.span(*spec.place_of_loss), help=help)


@rule
def quantiles_and_mixtures_are_of_numbers(checked: Checked) -> Iterator[Diagnostic]:
    """Classes and labels have probabilities, and have no quantiles; a mixture of returns is none of prices."""
    spec, signature = checked.spec, checked.signature
    written = several_written(spec)
    if written is None or signature is None:
        return
    target, key = signature.target, "mixture" if written[0].mixture else "quantiles"
    place = written[1]
    if target.kind == "number" and not target.places:
        names = [name for value in target.values or (target.name,) for name in target.told_of(value)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            of = "what a mixture says" if target.mixture else "a quantile"
            yield Diagnostic(
                "repeated-name",
                f"`{twice}` is predicted, and {of} of another column is called so too",
                spec.span("data", "target"),
                help="give the column another name",
            )
        if target.mixture and spec.data.predict == "return":
            yield Diagnostic(
                "output-mismatch",
                f"`mixture` gives normal distributions, and with `predict: return` none of `{target.name}` itself",
                spec.span(*place, key),
                help="write `predict: difference` or `predict: level` under `data`",
            )
        return
    what = {"number": "a number", "class": "a class", "labels": "labels", "input": "the input of the network"}
    probabilities = "; its probabilities are put out already" if target.kind in ("class", "labels") else ""
    yield Diagnostic(
        "output-mismatch",
        f"`{key}` {'is' if key == 'mixture' else 'are'} of one number or several, and "
        f"`{target.name}` is {what[target.kind]}" + (" at each place" if target.places else ""),
        spec.span(*place, key),
        help=f"leave `{key}` out{probabilities}",
    )


@rule
def output_comes_last(checked: Checked) -> Iterator[Diagnostic]:
    """`output` ends the network."""
    spec, graph = checked.spec, checked.graph
    consumers = graph.consumers
    for layer in graph.layers:
        if isinstance(layer.layer, Output) and (consumers[layer.name] or layer.name not in graph.outputs):
            yield Diagnostic(
                "output-not-last",
                "`output` stands before other layers",
                spec.key_span(*layer.path, "output"),
                help="make it the last entry of `model`",
            )


@rule
def reconstruction_stays_inside(checked: Checked) -> Iterator[Diagnostic]:
    """Cross-entropy compares probabilities, so what the network puts out must be some."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("train") or spec.train.loss is None or not spec.has("model"):
        return
    last, loss = graph[graph.outputs[0]], spec.train.loss
    target = signature.target
    if target.kind not in ("input", "number") or "binary" not in loss.of or "number" in loss.of:
        return
    if target.kind == "number" and not loss.of_shares:  # which another rule says
        return
    if last.output_shape not in target.output_shapes:  # which another rule says
        return
    if getattr(loss, "from_logits", False) or isinstance(last.layer, Broken) or graph.inside(False)[last.name]:
        return
    given = spec.is_written(*spec.place_of_loss)
    yield Diagnostic(
        "output-mismatch",
        f"`{loss.type_name}` compares probabilities, and the network ends in a `{last.type_name}` that puts out any "
        "number",
        spec.key_span(*last.path, last.type_name),
        labels=(Label(spec.span(*spec.place_of_loss), "compared by this"),) if given else (),
        help=f"write `activation: sigmoid` there, or `loss: {'squared_error' if isinstance(loss, Summed) else 'mse'}` "
        "under `train`",
    )


BOUNDED = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "softsign": (-1, 1)}
ONE_SIDED = ("relu", "relu6", "softplus", "exponential", "squareplus")


@rule
def numbers_can_be_reached(checked: Checked) -> Iterator[Diagnostic]:
    """A number that is predicted may take any value once it is scaled, and not every activation reaches them."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model") or signature.target.kind != "number":
        return
    last = graph[graph.outputs[0]]
    if is_constant(last) or spec.data.scale == "min_max":  # the target lies in [0, 1] then, which all of them reach
        return
    activation = getattr(last.layer, "activation", None)
    low, high = BOUNDED.get(activation, (None, None)) if isinstance(activation, str) else (None, None)
    if low is None and activation not in ONE_SIDED:
        return
    reached = f"lies between {low} and {high}" if low is not None else "is never negative"
    loss = spec.train.loss if spec.has("train") else None
    if (low, high) == (0, 1) and loss is not None and loss.of_shares:
        return
    if low is None and loss is not None and loss.positive:  # the target is never negative either
        return
    yield Diagnostic(
        "bounded-output",
        f"`{activation}` {reached}, and the scaled `{signature.target.name}` does not",
        spec.span(*last.path, last.type_name, "activation"),
        Severity.WARNING,
        help="leave `activation` out: a number is put out as it is",
    )


@rule
def places_see_the_past_alone(checked: Checked) -> Iterator[Diagnostic]:
    """Where every place says what comes behind it, none may see later ones: the answers of the others stand there."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model"):
        return
    target, window = signature.target, signature.window
    fed = target.written.fed if target.written else None
    if target.aligned:  # nothing is fed back
        return
    if target.written:
        seen = f"a place sees later ones of `{fed}`, and the item that is to be written stands there"
        span, why = spec.span("data", "target"), "written item by item"
    elif target.tokens:
        seen = "a place sees later ones, and the next token, which is predicted, stands there"
        span, why = spec.span("data", "target"), "predicted at every place"
    elif window is not None and window.each and window.horizon and target.places:
        ahead = f"{window.horizon} timestep{'s' * (window.horizon != 1)} ahead"
        seen = f"a timestep sees later ones, and `{target.name}` {ahead} stands there"
        span, why = spec.span("data", "window", "target"), "predicted at every timestep"
    else:
        return
    layer = looks_ahead(graph.to_first_output, fed)
    if layer is None or graph.output_shape not in target.output_shapes:  # which another rule says
        return
    yield Diagnostic(
        "sees-the-answer",
        f"by `{layer.name}` {seen}",
        spec.key_span(*layer.path, layer.type_name),
        labels=(Label(span, why),),
        help=layer.layer.cure_of_sight(),
    )
