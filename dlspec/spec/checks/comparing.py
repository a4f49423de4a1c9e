"""Rules about losses that compare samples with each other: what comes to `output`, and what is trained."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.signature import Target
from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.language.shapes import show_shape
from dlspec.language.words import did_you_mean, one_of
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.core import Output
from dlspec.model.layers.distances import Distance
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.planning import make_plan
from dlspec.training.losses.pairs import Comparing, Contrastive, Triplet

NEVER_NEGATIVE = ("distance", "sqrt", "square", "abs", "exp", "relu")
"""Types of layers that put out no number below 0."""
ACTIVATIONS = ("relu", "relu6", "softplus", "exponential", "squareplus")
"""Activations that do not, and that have no upper bound that is near."""
AS_BELOW = ("sum", "mean", "max", "min", "add", "average", "maximum", "minimum", "identity", "flatten", "reshape")
"""Types of layers that put out none where none comes in."""
MOST_TRIPLETS = 2**28
"""Triplets of a batch that are compared together; each is a number of 4 bytes, of which some are held at a time."""
WITHOUT = {"labels": "labels", "number": "a number", "input": "its input"}


def comparing_loss(checked: Checked) -> Comparing | None:
    """The loss, where it compares samples with each other."""
    loss = checked.spec.train.loss if checked.spec.has("train") else None
    return loss if isinstance(loss, Comparing) else None


@rule
def samples_are_compared_by_class(checked: Checked) -> Iterator[Diagnostic]:
    """The target is one class of each sample; of pairs it is one of two, of which the spec says what is the same."""
    spec, signature, loss = checked.spec, checked.signature, comparing_loss(checked)
    if loss is None or signature is None:
        return
    target, name = signature.target, loss.type_name
    span = spec.span(*spec.place_of_loss)
    if target.kind != "class" or target.places:
        what = WITHOUT.get(target.kind, "a class")
        what += " at each place" if target.places else ""
        yield Diagnostic(
            "loss-mismatch",
            f"`{name}` compares samples by one class of each, and `{target.name}` is {what}",
            span,
            help="leave `loss` out: it is what the target needs",
        )
        return
    if spec.model.outputs or target.fitted is None:
        yield Diagnostic(
            "loss-mismatch",
            f"`{name}` trains what comes to the only `output`, and this network names its outputs",
            span,
            help="write `output` as the last layer in place of `outputs`, and `target` under `data`",
        )
        return
    if isinstance(loss, Contrastive):
        yield from _same_or_different(checked, loss, target)


def _same_or_different(checked: Checked, loss: Contrastive, target: Target) -> Iterator[Diagnostic]:
    spec = checked.spec
    span = spec.span("train", "loss")
    if len(target.classes) > 2:
        yield Diagnostic(
            "loss-mismatch",
            f"`contrastive` is of pairs that are the same or different, and `{target.name}` has {len(target.classes)} "
            "classes",
            span,
            help="write `loss: triplet`, which compares the samples of a batch by their classes",
        )
    elif loss.same is not None and loss.same not in target.classes:
        yield Diagnostic(
            "unknown-class",
            f"`{target.name}` has no class `{loss.same}`",
            spec.span("train", "loss", "contrastive", "same"),
            help=did_you_mean(loss.same, target.classes, otherwise=f"there are {one_of(target.classes)}"),
        )
    elif loss.same_of(target.classes) is None:
        first, second = target.classes
        yield Diagnostic(
            "missing-key",
            f"`contrastive` has to know whether `{first}` or `{second}` of `{target.name}` means that a pair is one of "
            "the same",
            span,
            help=f"write `loss: {{contrastive: {{same: {first}}}}}`, or `same: {second}`",
        )


@rule
def output_is_fitted(checked: Checked) -> Iterator[Diagnostic]:
    """`output` ends the network; below it come codes, or a distance; and its weights are not trained."""
    spec, graph, loss = checked.spec, checked.graph, comparing_loss(checked)
    if loss is None or not spec.has("model") or checked.signature is None or not graph.complete:
        return
    target, last = checked.signature.target, graph[graph.outputs[0]]
    if target.fitted is None or spec.unrolls or isinstance(last.layer, Broken):
        return
    place = Label(spec.span(*spec.place_of_loss), "trained by this")
    what = "codes" if isinstance(loss, Triplet) else "the distance of two codes"
    if not isinstance(last.layer, Output):
        if any(isinstance(layer.layer, Output) for layer in graph.layers):  # which another rule says
            return
        yield Diagnostic(
            "output-mismatch",
            f"`{loss.type_name}` trains {what}, and the network ends in `{last.name}` without an `output` that makes "
            f"classes of {'them' if isinstance(loss, Triplet) else 'it'}",
            spec.key_span(*last.path, last.type_name),
            labels=(place,),
            help="add `output` as the last layer: its weights are computed after training",
        )
        return
    if isinstance(loss, Contrastive) and len(target.classes) == 2:
        yield from _ends_in_distance(checked, last, place)


def _ends_in_distance(checked: Checked, last: GraphLayer, place: Label) -> Iterator[Diagnostic]:
    spec, graph = checked.spec, checked.graph
    below, shape = graph.by_name.get(last.inputs[0]), last.input_shape
    if below is None or isinstance(below.layer, Broken):
        name, span = last.inputs[0], spec.key_span(*last.path, "output")
    else:
        name, span = below.name, spec.key_span(*below.path, below.type_name)
    if shape is None or None in shape[1:]:
        return
    one_input = len(graph.inputs) == 1
    cure = "put `distance: {from: [code, code_again]}` above `output`, the distance of what the same layers make of "
    cure += "two inputs"
    if one_input:
        cure += ", which `inputs: {one: …, other: …}` names under `model`"
    if shape != (None, 1):
        yield Diagnostic(
            "output-mismatch",
            f"`contrastive` compares a distance with its margin, and what comes to `output` is {show_shape(shape)}",
            span,
            labels=(place,),
            help=cure,
        )
    elif not never_negative(graph, name):
        ends_in = getattr(getattr(below, "layer", None), "activation", None)
        bounded = ends_in in ("sigmoid", "softmax", "hard_sigmoid")
        yield Diagnostic(
            "output-mismatch",
            f"`contrastive` takes a distance, and `{name}` gives "
            + (f"a probability, by `{ends_in}`" if bounded else "any number, which may be below 0"),
            span,
            labels=(place,),
            help=cure,
        )
    elif is_squared(graph, name):
        by_distance = below is not None and isinstance(below.layer, Distance)
        yield Diagnostic(
            "output-mismatch",
            f"`contrastive` squares the distance, and `{name}` gives one that is squared already",
            span,
            Severity.WARNING,
            labels=(place,),
            help="write `metric: euclidean`" if by_distance else "put `sqrt` above `output`, or write `distance`",
        )


def never_negative(graph: Graph, name: str) -> bool:
    """Whether what a layer puts out is known to be no number below 0, and may be any other."""
    layer = graph.by_name.get(name)
    if layer is None:
        return False
    kind = layer.layer.type_name
    if kind in AS_BELOW:
        return all(never_negative(graph, source) for source in layer.inputs)
    return kind in NEVER_NEGATIVE or getattr(layer.layer, "activation", None) in ACTIVATIONS


def is_squared(graph: Graph, name: str) -> bool:
    """Whether what a layer puts out is a square, or a sum or mean of squares."""
    layer = graph.by_name.get(name)
    if layer is None:
        return False
    if isinstance(layer.layer, Distance):
        return layer.layer.metric == "squared_euclidean"
    kind = layer.layer.type_name
    return kind == "square" or (kind in AS_BELOW and any(is_squared(graph, source) for source in layer.inputs))


@rule
def something_below_output_learns(checked: Checked) -> Iterator[Diagnostic]:
    """Where the weights of `output` are computed, each stage must have others to train."""
    spec, graph, loss = checked.spec, checked.graph, comparing_loss(checked)
    signature = checked.signature
    if loss is None or signature is None or not signature.target.fitted or not spec.has("model") or not graph.complete:
        return
    if any(isinstance(layer.layer, Broken) for layer in graph.layers) or not isinstance(
        graph[graph.outputs[0]].layer, Output
    ):
        return
    learning = {
        layer.name for layer in graph.layers if layer.layer.has_weights and layer.may_learn and not layer.shares
    }
    for stage in make_plan(spec, graph).stages:
        if stage.kind != "fine_tune" or learning - {*stage.frozen}:
            continue
        held = bool(learning)
        yield Diagnostic(
            "nothing-to-train",
            f"`{loss.type_name}` trains the layers below `output`, and "
            + ("all of them are frozen" if held else "none of them has weights that learn"),
            spec.span(*spec.place_of_loss),
            help="put a layer that learns above `output`, such as `dense: 16`" if held else "add a layer with weights",
        )
        return


@rule
def what_compares_samples_stands_alone(checked: Checked) -> Iterator[Diagnostic]:
    """Teachers, pretraining by labels and several devices are for losses of what `output` gives."""
    spec, loss = checked.spec, comparing_loss(checked)
    if loss is None:
        return
    name, place = loss.type_name, Label(spec.span(*spec.place_of_loss), "compares samples")
    if spec.train.teacher is not None:
        message = f"a teacher is compared with the probabilities of `output`, and `{name}` trains what comes to it"
        yield Diagnostic(
            "teacher-mismatch", message, spec.span("train", "teacher"), labels=(place,), help="remove `teacher`"
        )
    for entry in spec.pretraining:
        if entry.method.needs_labels:
            kind = entry.method.type_name
            yield Diagnostic(
                "cannot-pretrain",
                f"`{kind}` trains each layer by the loss of an output above it, and `{name}` has none",
                spec.key_span(*entry.path),
                labels=(place,),
                help=f"write `method: autoencoder`, or remove {entry.called}",
            )
    if spec.has("runtime") and spec.runtime.distribute is not None and not loss.of_batch:  # else another rule says it
        yield Diagnostic(
            "wrong-value",
            f"`{name}` is trained on one device in this version",
            spec.key_span("runtime", "distribute"),
            labels=(place,),
            help="remove `distribute`",
        )


@rule
def batches_have_triplets(checked: Checked) -> Iterator[Diagnostic]:
    """A triplet takes two samples of a class and one of another, all of one batch."""
    spec, signature, loss = checked.spec, checked.signature, comparing_loss(checked)
    if not isinstance(loss, Triplet):
        return
    size = spec.train.batch_size
    written = spec.is_written("train", "batch_size")
    span = spec.span("train", "batch_size") if written else spec.span(*spec.place_of_loss)
    if size < 3:
        yield Diagnostic(
            "few-triplets",
            f"a batch of {size} has no triplet, which takes two samples of one class and one of another",
            span,
            help="write `batch_size: 64`",
        )
        return
    if loss.mining != "hard" and size**3 > MOST_TRIPLETS:
        yield Diagnostic(
            "too-little-memory",
            f"`mining: {loss.mining}` compares {size:,} x {size:,} x {size:,} codes of a batch at once",
            span,
            Severity.WARNING,
            help="write a `batch_size` of a few hundred at most, or `mining: hard`, which compares pairs",
        )
    classes = len(signature.target.classes) if signature is not None else 0
    pairs = size * (size - 1) / (2 * max(1, classes))
    if classes > 1 and pairs < 1:
        yield Diagnostic(
            "few-triplets",
            f"a batch of {size} samples of {classes:,} classes has {pairs:.2g} pairs of one class on average, and a "
            "triplet begins with such a pair",
            span,
            Severity.WARNING,
            help=f"write `batch_size: {1 << int((16 * classes) ** 0.5).bit_length()}` or more",
        )
