"""Rules about texts that are read off the timesteps of a network, by connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.columns import place_of_target
from dlspec.data.written import read_vocabulary, sequence_of, vocabulary_of
from dlspec.evaluation.metrics.sequences import TeacherForcedAccuracy
from dlspec.language.diagnostics import Diagnostic, Label
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.shapes import Shape, show_shape
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.activations import Softmax
from dlspec.model.layers.core import Dense, Output
from dlspec.model.masks import masks_of
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule


@rule
def texts_have_timesteps(checked: Checked) -> Iterator[Diagnostic]:
    """The network ends in logits of the blank and of each item at each timestep."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not signature.target.aligned or not spec.has("model") or spec.model.outputs:
        return
    last, target = graph[graph.outputs[0]], signature.target
    if isinstance(last.layer, Broken) or last.output_shape is None or spec.unrolls or spec.document.recovered:
        return
    if any(isinstance(layer.layer, Output) for layer in graph.layers if layer is not last):  # moving it mends this too
        return
    span, ends = spec.key_span(*last.path, last.type_name), last.output_shape
    if len(ends) != 3:
        yield Diagnostic(
            "output-mismatch",
            f"the network ends in {show_shape(ends)}, and `{target.name}` is read off timesteps, (batch, timesteps, "
            f"{target.units}): the blank and {target.units - 1} items at each",
            span,
            help=_keep_timesteps(graph, ends),
        )
    elif ends[2] not in (None, target.units):
        yield Diagnostic(
            "output-mismatch",
            f"the network ends in {show_shape(ends)}, and `{target.name}` has {target.units - 1} items, beside which "
            f"there is the blank: {target.units} logits at each timestep",
            span,
            help="remove `units`: `output` takes what the target needs"
            if isinstance(last.layer, Output)
            else "make `output` the last layer; it takes the shape that the target needs",
        )
    elif not isinstance(last.layer, Output) and last.name in (masks := masks_of(graph)):
        maker = graph[masks.makers[last.name]]
        yield Diagnostic(
            "output-mismatch",
            f"timesteps are masked, at which the blank is said for certain, and `{last.type_name}` does not say it",
            span,
            labels=(Label(spec.key_span(*maker.path, maker.type_name), "makes the mask"),),
            help="make `output` the last layer",
        )
    elif (bent := _bent_by(last.layer)) is not None:
        yield Diagnostic(
            "output-mismatch",
            f"`ctc` takes logits, any numbers, of which it makes probabilities itself, and the network ends in "
            f"`{bent}`",
            span,
            help="leave `activation` out"
            if isinstance(last.layer, Dense | Output)
            else "make `output` the last layer, which gives logits",
        )


def _bent_by(layer: LayerSpec) -> str | None:
    """What keeps what a layer gives from being any number: an activation, or a recurrent layer; None: nothing."""
    inner = getattr(layer, "layer", layer)
    if type(inner).__module__ == Softmax.__module__ or hasattr(inner, "return_sequences"):
        return inner.type_name
    activation = getattr(inner, "activation", None)
    return activation if isinstance(activation, str) and activation != "linear" else None


def _keep_timesteps(graph: Graph, ends: Shape) -> str:
    """How what comes to `output` has timesteps and features, and no other axes."""
    below = graph[graph.outputs[0]].input_shape
    if below is not None and len(below) == 4:
        _, height, width, channels = below
        sizes = f"[{width}, {height * channels}]" if height and width and channels else "[WIDTH, HEIGHT * CHANNELS]"
        return (
            "write `permute: [2, 1, 3]` and `reshape: {target_shape: " + sizes + "}` below, so that the width of the "
            "picture becomes time"
        )
    for layer in graph.layers:
        before, after = layer.input_shape, layer.output_shape
        if before is None or after is None or len(after) > 2 or len(before) <= len(after):
            continue
        if getattr(layer.layer, "return_sequences", None) is False:
            return f"write `return_sequences: true` in `{layer.name}`, so that it gives every timestep"
        if len(before) == 4:
            return (
                f"write `permute: [2, 1, 3]` and `reshape` in place of `{layer.name}`, so that the width of the "
                "picture becomes time: (batch, width, height * channels)"
            )
        return f"remove `{layer.name}`, which gives {show_shape(after)}: a text needs timesteps"
    if len(ends) == 2:
        return "write `reshape: {target_shape: [TIMESTEPS, FEATURES]}` above the input, so that there are timesteps"
    return "lead (batch, timesteps, features) up to `output`"


@rule
def texts_fit_into_timesteps(checked: Checked) -> Iterator[Diagnostic]:
    """A text has an item at a timestep at most, and a blank between two that are the same: a longer one has the
    probability 0."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not signature.target.aligned or not spec.has("model"):
        return
    ends, said = graph.output_shape, sequence_of(spec.data)
    if ends is None or len(ends) != 3 or ends[1] is None or said is None:
        return
    name, there = signature.target.name, ends[1]
    try:
        known = vocabulary_of(spec.data, spec.seed, name, said)
        if known.needs is None and there < 2 * known.longest - 1:  # so many, if all of its items are the same
            known = read_vocabulary(spec.data, spec.seed, name, said)
    except DataError:  # which has been said, or is said where the data are read
        return
    short = {needed: rows for needed, rows in (known.needs or {}).items() if needed > there}
    if not short:
        return
    count, row = sum(many for many, _ in short.values()), min(first for _, first in short.values())
    needed = next(need for need, (_, first) in short.items() if first == row)
    shorter = _shortens(graph)
    label = () if shorter is None else (Label(spec.key_span(*shorter.path, shorter.type_name), "makes time shorter"),)
    yield Diagnostic(
        "too-few-timesteps",
        f"the network gives {there:,} timesteps, and `{name}` of row {row + 1:,} takes {needed:,}: one for each item "
        "and a blank between two that are the same" + (f"; so it is with {count:,} rows" if count > 1 else ""),
        spec.data.span(*place_of_target(spec.data, 0)),
        labels=label,
        help=f"pool or stride less along time, so that there are {max(short):,} timesteps"
        if shorter is not None
        else f"let the network have {max(short):,} timesteps or more, or leave longer texts out",
    )


def _shortens(graph: Graph) -> GraphLayer | None:
    """The first layer that makes time shorter; None: none does."""
    for layer in graph.layers:
        before, after = layer.input_shape, layer.output_shape
        if before is None or after is None or len(before) != len(after) or len(after) not in (3, 4):
            continue
        was, now = (shape[1 if len(after) == 3 else 2] or 0 for shape in (before, after))
        if 0 < now < was and layer.type_name not in ("permute", "reshape"):
            return layer
    return None


@rule
def nothing_is_forced(checked: Checked) -> Iterator[Diagnostic]:
    """Where nothing is fed back, no item stands behind the true one before it."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not signature.target.aligned or not spec.has("evaluate"):
        return
    for i, metric in enumerate(spec.evaluate.metrics or []):
        if isinstance(metric, TeacherForcedAccuracy):
            yield Diagnostic(
                "metric-mismatch",
                f"`{metric.type_name}` is of items behind the true ones, which are fed back, and "
                f"`{signature.target.name}` is read by `ctc`",
                spec.span("evaluate", "metrics", i),
                help="remove it; `edit_distance` is of single items",
            )
