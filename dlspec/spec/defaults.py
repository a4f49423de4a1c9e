"""Defaults of a spec that follow from its data and from its network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.data.features import Feature
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.data.split import TimeColumn
from dlspec.data.target import Sequenced
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.baselines.pca import PCA
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.spans import SPANS, has_spans
from dlspec.language.shapes import count
from dlspec.model.folded import folded
from dlspec.model.graph import Graph, Whole
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.core import Lookup
from dlspec.model.layers.sampling import samplings
from dlspec.spec.spec import Spec
from dlspec.training.losses import LOSSES, Loss
from dlspec.training.losses.pairs import Contrastive


def _filled_in(data: DataSpec, signature: Signature) -> list[str] | dict[str, Feature]:
    """The features, with their types where one of them is more than a number."""
    own = [(c.name, kind) for c, kind in zip(signature.features, signature.types, strict=False)]
    if signature.target.written and not signature.target.aligned:  # what was written is no feature that a spec names
        return {name: kind for name, kind in own if name != signature.target.name}
    names = [column.name for column in signature.features]
    plain = not isinstance(data.features, dict) and all(given.brief() == "numeric" for given in signature.types)
    return names if plain or not signature.types else dict(zip(names, signature.types, strict=True))


def _target_filled_in(data: DataSpec) -> Any:
    """The target with its type; of texts that are written with how many beginnings are kept."""
    said = data.target_type
    if not isinstance(said, Sequenced) or said.beam is not None:
        return data.target
    return {name: said.model_copy(update={"beam": said.kept}) for name in data.target_names}


def fill_in_data(spec: Spec, signature: Signature) -> Spec:
    """The spec with the defaults of its section `data`."""
    data, names = spec.data, signature.target.names
    data_defaults: dict[str, object] = {
        "target": _target_filled_in(data) if data.target_type else names[0] if len(names) == 1 else list(names),
        "features": _filled_in(data, signature),
    }
    split = data.split.filled_in(
        series=signature.window is not None,
        classes=bool(signature.target.classes) and not signature.target.places,
        test_rows=signature.test_rows,
    )
    if signature.one_text:
        split = split.model_copy(update={"by": "order"})
    data_defaults["split"] = split
    if signature.window is not None:
        known = data.time or (TimeColumn(column=signature.time) if signature.time else None)
        data_defaults |= {"time": known, "predict": data.predict or "level"}
    return spec.with_changes(data=data.model_copy(update=data_defaults))


def fill_in(spec: Spec, signature: Signature) -> Spec:
    """The spec with the defaults that depend on the data written into it."""
    from dlspec.evaluation.baselines.persistence import Persistence

    spec = fill_in_data(spec, signature)
    data, train, evaluate = spec.data, spec.train, spec.evaluate
    own = next(iter((spec.model.outputs or {}).values()), None)
    class_weight = train.class_weight or (own.class_weight if own else None)
    metrics = {
        "series": ("mae", "rmse", "mase"),
        "number": ("mae", "rmse", "r2"),
        "class": ("accuracy", "log_loss"),
        "class_series": ("accuracy", "log_loss"),
        "labels": ("log_loss", "binary_accuracy", "f1_score"),
        "reconstruction": ("squared_error", "rmse", "mae"),
        "number_places": ("mae", "rmse", "r2"),
        "class_places": ("accuracy", "mean_iou", "log_loss"),
        "next_token": ("perplexity", "log_loss", "accuracy"),
        "tagged_words": (*(SPANS if has_spans(signature.target.classes) else ("f1_score",)), "accuracy", "log_loss"),
        "sequence": (
            "exact_match",
            "edit_distance",
            *([] if signature.target.aligned else ["teacher_forced_accuracy"]),
        ),
    }
    baselines = {
        "series": ("persistence", "linear"),
        "number": ("mean", "linear"),
        "class": ("majority", "linear"),
        "class_series": ("majority", *(["persistence"] if data.window and data.window.horizon else []), "linear"),
        "labels": ("majority", "linear"),
        "reconstruction": ("mean", "pca"),
        "number_places": ("mean", *(["persistence"] if Persistence.knows_places(signature) else [])),
        "class_places": (
            "majority",
            *(["place_majority"] if signature.window is None else []),
            *(["persistence"] if Persistence.knows_places(signature) else []),
        ),
        "next_token": ("majority", "pairs", "triples"),
        "tagged_words": ("majority", "word_majority"),
        "sequence": ("majority", "nearest_text"),
    }
    if signature.target.levels:
        of_median = [name for name in metrics[signature.task] if name != "r2"]
        metrics[signature.task] = ("pinball", "coverage", "width", *of_median)
        baselines[signature.task] = ("quantiles", *(name for name in baselines[signature.task] if name != "mean"))
    if signature.target.mixture:
        of_mean = [name for name in metrics[signature.task] if name != "r2"]
        metrics[signature.task] = ("log_likelihood", "coverage", "width", *of_mean)
        baselines[signature.task] = ("gaussian", *(name for name in baselines[signature.task] if name != "mean"))
    return spec.with_changes(
        train=train.model_copy(
            update={
                "loss": _loss(train.loss or (own.loss if own else None), signature),
                "class_weight": class_weight,
            }
        ),
        evaluate=evaluate.model_copy(
            update={
                "metrics": evaluate.metrics
                if evaluate.metrics is not None
                else [METRICS[name]() for name in metrics[signature.task]],
                "baselines": evaluate.baselines
                if evaluate.baselines is not None
                else [BASELINES[name]() for name in baselines[signature.task]],
            }
        ),
    )


def _loss(given: Loss | None, signature: Signature) -> Loss:
    """The loss that is given, or what the target needs; of pairs with the class of those of the same."""
    if isinstance(given, Contrastive) and given.same is None:
        return given.model_copy(update={"same": given.same_of(signature.target.classes)})
    return given or LOSSES[signature.target.default_loss]()


def fill_in_loss(spec: Spec, signature: Signature, graph: Graph) -> Spec:
    """The spec with the default loss of a variational autoencoder: a sum over the values of a sample, as the divergence
    beside it is a sum over the code. It is the cross-entropy where inputs lie in [0, 1] and the output is a
    probability, else the squared error."""
    if spec.is_written("train", "loss") or signature.target.kind != "input" or not samplings(graph):
        return spec
    inside = signature.target.inside and graph.inside(False)[graph.outputs[0]]
    loss = LOSSES["cross_entropy" if inside else "squared_error"]()
    return spec.with_changes(train=spec.train.model_copy(update={"loss": loss}))


def fill_in_sizes(spec: Spec, graph: Graph) -> Spec:
    """The spec with the defaults that depend on the network: how many words an embedding knows, and how large a linear
    code is, which its narrowest layer says."""
    for layer in graph.layers:
        written = layer.written
        if isinstance(written, Lookup) and written.input_dim is None:
            layers = _replaced(spec.model.layers, layer.path[2:], layer.layer)
            spec = spec.with_changes(model=spec.model.model_copy(update={"layers": layers}))
    baselines = spec.evaluate.baselines or []
    if not any(isinstance(baseline, PCA) and baseline.components is None for baseline in baselines):
        return spec
    short = folded(graph)
    taken = [layer for layer in short.layers if isinstance(layer.layer, Whole) and layer.name not in short.outputs]
    hidden = [*graph.hidden, *taken] or [layer for layer in graph.layers if layer.layer.has_weights]
    sizes = [count(layer.output_shape) for layer in hidden if layer.output_shape and None not in layer.output_shape[1:]]
    if not sizes:
        return spec
    filled = [
        baseline.model_copy(update={"components": min(sizes)})
        if isinstance(baseline, PCA) and baseline.components is None
        else baseline
        for baseline in baselines
    ]
    return spec.with_changes(evaluate=spec.evaluate.model_copy(update={"baselines": filled}))


def _replaced(value: Any, path: Sequence[str | int], layer: LayerSpec) -> Any:
    """Items of a model with another layer at a place: `(2, "repeat", "layers", 0)`."""
    if not path:
        return layer
    first, *rest = path
    if isinstance(value, list):
        return [_replaced(inner, rest, layer) if i == first else inner for i, inner in enumerate(value)]
    if first == value.type_name:
        return _replaced(value, rest, layer)
    return value.model_copy(update={first: _replaced(getattr(value, str(first)), rest, layer)})
