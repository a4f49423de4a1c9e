"""Rules about layers that move pixels at random, where something is predicted at each pixel."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.signature import Signature, Target
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.shapes import show_shape
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.base import LayerSpec
from dlspec.model.layers.imaging import CROPS, Augmentation, moves_pixels
from dlspec.model.layers.wrappers import Wrapper
from dlspec.spec.checks.base import Checked, rule

TURNED = ("permute", "reshape", "flatten")
"""Layers after which axes are no height and width any more."""


@rule
def masks_move_with_pictures(checked: Checked) -> Iterator[Diagnostic]:
    """What is predicted at each pixel must be moved with the picture, or the network learns it of other pixels."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model") or not signature.target.places or signature.window is not None:
        return
    graph = graph.to_first_output
    for layer in graph.layers:
        problem = _problem(graph, layer, signature) if layer.name in graph.reached else None
        if problem is not None:
            message, help = problem
            yield Diagnostic("mask-not-moved", message, spec.key_span(*layer.path, layer.type_name), help=help)


def _problem(graph: Graph, layer: GraphLayer, signature: Signature) -> tuple[str, str] | None:
    """Why what is true at each pixel cannot be moved as a layer moves pictures, and what helps; None: it can, or need
    not be."""
    target, given = signature.target, layer.layer
    name, whose = f"`{layer.name}`", f"`{target.name}`"
    inner = _inner(given)
    if inner is not given:
        if isinstance(inner, Augmentation) and (inner.moves or inner.moves_no_mask):
            return f"{name} moves pictures of each timestep, and {whose} is not moved with them", f"remove {name}"
        return None
    if isinstance(given, Augmentation) and given.moves_no_mask:
        return f"{name} cannot move {whose} with a picture: {given.moves_no_mask}", f"remove {name}"
    if not moves_pixels(given):
        return None
    if given.type_name in CROPS:
        return _of_crop(graph, layer, target)
    if target.kind != "class" or len(target.places) != 2:
        message = f"{name} moves pictures while training, and {whose}, which is predicted at each place, stays"
        return message, f"remove {name}: classes of pixels alone are moved with their pictures"
    if layer.shares or any(other.shares == layer.name for other in graph.layers):
        return f"{name} is used several times, and moves pictures in another way each time", "use it once"
    before = layer.input_shape
    places = target.places if _is_cut(graph, layer) else target.places_in_data
    turned = next((other for other in graph.needed_by([layer.name]) if _is_turned(graph, other)), None)
    if before is not None and (tuple(before[1:3]) != places or len(before) != 4 or turned):
        message = (
            f"{name} moves {show_shape(before)}, and {whose} has {show_shape((None, *places))}, so that it "
            "cannot be moved by as much"
        )
        return message, f"put {name} in front of the layers that change height and width"
    if _goes_around(graph, layer):
        message = f"{name} moves a picture on one way to the output, and not on another, so that the two do not fit"
        return message, f"put {name} in front of where they part"
    return None


def _of_crop(graph: Graph, layer: GraphLayer, target: Target) -> tuple[str, str] | None:
    """Why a mask cannot be cut as a layer cuts pictures, and what helps; None: it is."""
    name, before, seen = f"`{layer.name}`", layer.input_shape, graph.input_shape
    smaller = not target.numbered and seen is not None and tuple(seen[1:3]) != target.places
    if not target.cut_from and layer.type_name == "center_crop" and smaller:
        return None  # arrays whose target has the size of what is left
    if not target.cut_from or before is None or tuple(before[1:3]) != target.cut_from or len(before) != 4:
        message = f"{name} cuts pictures, and `{target.name}` is not cut with them"
        return message, (
            "write one such layer, in the list of `model` itself and in front of those that change height and width, "
            "with a window that is smaller than the picture both ways"
        )
    if _goes_around(graph, layer):
        return f"{name} cuts a picture on one way to the output, and not on another", f"put {name} where all begin"
    return None


def _is_cut(graph: Graph, layer: GraphLayer) -> bool:
    """Whether a layer stands behind one that cuts pictures."""
    return any(name in graph.by_name and graph[name].type_name in CROPS for name in graph.needed_by(layer.inputs))


def _inner(layer: LayerSpec) -> LayerSpec:
    while isinstance(layer, Wrapper):
        layer = layer.layer
    return layer


def _is_turned(graph: Graph, name: str) -> bool:
    return name in graph.by_name and graph[name].type_name in TURNED


def _goes_around(graph: Graph, layer: GraphLayer) -> bool:
    """Whether a way leads from an input to the output past a layer."""
    inputs, open_, seen = {given.name for given in graph.inputs}, [*graph.outputs], set[str]()
    while open_:
        at = open_.pop()
        if at in inputs:
            return True
        if at == layer.name or at in seen or at not in graph.by_name:
            continue
        seen.add(at)
        open_ += graph[at].inputs
    return False
