"""Rules about networks that others have trained: what they see, what is frozen of them, and when it thaws."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.columns import place_of_feature
from dlspec.data.features.image import Image
from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.numbers import each
from dlspec.model.layers.preprocessing import Normalization, Rescaling
from dlspec.model.section import Broken
from dlspec.model.unfolding.parts import LearnedNormalization
from dlspec.spec.checks.base import Checked, rule

CHANGES_PIXELS = ("rescaling", "normalization", "batch_normalization", "layer_normalization", "unit_normalization")
"""Layers behind which values are no pixels from 0 to 255 any more."""


def _networks(checked: Checked) -> dict[str, list[GraphLayer]]:
    """Each network that others have trained, by its name, with its layers."""
    found: dict[str, list[GraphLayer]] = {}
    for layer in checked.graph.layers if checked.spec.has("model") else ():
        if layer.borrowed is not None:
            found.setdefault(layer.borrowed.network, []).append(layer)
    return found


@rule
def pixels_reach_applications(checked: Checked) -> Iterator[Diagnostic]:
    """A network of `keras.applications` scales pixels by itself, and was trained on those from 0 to 255."""
    spec = checked.spec
    place = spec.model.application if spec.has("model") else None
    if place is None:
        return
    features = checked.signature.features if checked.signature else ()
    types = checked.signature.types if checked.signature else ()
    for column, kind in zip(features, types, strict=False):
        if isinstance(kind, Image) and (kind.scale or spec.data.scale) != "none":
            yield Diagnostic(
                "scaled-twice",
                f"`scale` changes the pixels of `{column.name}`, and `application` takes them from 0 to 255 and scales "
                "them itself",
                spec.data.span(*place_of_feature(spec.data, column.name)),
                labels=(Label(spec.key_span(*place, "application"), "takes pixels as they are"),),
                help=f"write `{column.name}: {{image: {{scale: none}}}}`, or leave the type out",
            )
    if spec.has("data") and spec.data.scale != "none" and not any(isinstance(kind, Image) for kind in types):
        yield Diagnostic(
            "scaled-twice",
            f"`scale: {spec.data.scale}` changes pixels, and `application` takes them from 0 to 255 and scales them "
            "itself",
            spec.span("data", "scale"),
            labels=(Label(spec.key_span(*place, "application"), "takes pixels as they are"),),
            help="remove `scale`, which is `none` then",
        )
    for layers in _networks(checked).values():
        first = layers[0]
        name = first.inputs[0] if first.written.takes_pixels else ""
        while (above := checked.graph.by_name.get(name)) is not None and above.inputs:
            if above.type_name in CHANGES_PIXELS and not _widens(above):
                yield Diagnostic(
                    "scaled-twice",
                    f"`{above.name}` changes pixels, and `application` takes them from 0 to 255 and scales them itself",
                    spec.key_span(*above.path, above.type_name),
                    Severity.WARNING,
                    labels=(Label(spec.key_span(*first.path, first.type_name), "takes pixels as they are"),),
                    help=f"remove `{above.type_name}`",
                )
                break
            name = above.inputs[0] if len(above.inputs) == 1 else ""


def _widens(layer: GraphLayer) -> bool:
    """Whether it may bring smaller numbers to those from 0 to 255; the data say whether it does."""
    return isinstance(layer.layer, Rescaling) and min(each(layer.layer.scale)) >= 1


@rule
def saved_networks_scale_once(checked: Checked) -> Iterator[Diagnostic]:
    """A saved network that begins with a scale of its own, as that of a run does, takes values as they are."""
    spec = checked.spec
    if not spec.has("data") or spec.data.scale == "none":
        return
    for layers in _networks(checked).values():
        first = layers[0]
        scales = isinstance(first.layer, Rescaling | Normalization | LearnedNormalization)
        if first.written.takes_pixels or not scales or not _sees_data(checked.graph, first):
            continue
        name = first.borrowed.network if first.borrowed else first.name
        yield Diagnostic(
            "scaled-twice",
            f"`scale: {spec.data.scale}` changes values, and `{name}` begins with a scale of its own",
            spec.span("data", "scale") if spec.is_written("data", "scale") else spec.key_span("data"),
            Severity.WARNING,
            labels=(Label(spec.key_span(*first.path, first.type_name), "scales what it takes"),),
            help="write `scale: none` under `data`",
        )


def _sees_data(graph: Graph, layer: GraphLayer) -> bool:
    """Whether nothing that learns stands between the data and a layer."""
    name = layer.inputs[0] if layer.inputs else ""
    while (above := graph.by_name.get(name)) is not None:
        if above.layer.has_weights or len(above.inputs) != 1:
            return False
        name = above.inputs[0]
    return True


@rule
def frozen_networks_know_something(checked: Checked) -> Iterator[Diagnostic]:
    """What is frozen with random weights never learns anything."""
    spec = checked.spec
    for name, layers in _networks(checked).items():
        first = layers[0]
        random = not getattr(first.written, "brings_weights", True)
        held = any(layer.borrowed and layer.borrowed.held for layer in layers)
        if random and held and spec.train.thaw_after is None:
            yield Diagnostic(
                "frozen-random",
                f"the weights of `{name}` are random and stay so",
                spec.span(*first.path, first.type_name, "trainable"),
                Severity.WARNING,
                help="remove `trainable`, or `weights: null`",
            )


@rule
def what_thaws_is_frozen(checked: Checked) -> Iterator[Diagnostic]:
    """`train.thaw_after` is of what `application` and `network` freeze, and of nothing else."""
    spec = checked.spec
    if not spec.has("train") or spec.train.thaw_after is None or not spec.has("model"):
        return
    after = spec.train.thaw_after
    held = any(layer.borrowed and layer.borrowed.held for layer in checked.graph.layers)
    if any(isinstance(layer.layer, Broken) for layer in checked.graph.layers):  # of which nothing is known
        return
    if not held:
        frozen = spec.then == "freeze"
        help = "write `trainable: false` in `application` or `network`, or remove `thaw_after`"
        if frozen:
            help = f"pretrained layers thaw by `pretrain: {{thaw_after: {after}}}`"
        yield Diagnostic(
            "nothing-to-thaw",
            "`thaw_after` is of networks that others have trained, and none is frozen",
            spec.key_span("train", "thaw_after"),
            help=help,
        )
    elif after >= spec.train.epochs:
        yield Diagnostic(
            "nothing-to-thaw",
            f"training ends after {spec.train.epochs} epoch{'s' * (spec.train.epochs > 1)}, before layers thaw",
            spec.span("train", "thaw_after"),
            Severity.WARNING,
            help=f"write more `epochs` than {after}, or remove `thaw_after`",
        )
