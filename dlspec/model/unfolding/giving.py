"""Weights that others have trained, in a network of a spec."""

from __future__ import annotations

from typing import Any

from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.networks import Trained
from dlspec.model.section import ModelSpec


def give_weights(network: Any, graph: Graph, model: ModelSpec) -> Any:
    """Gives a Keras network the weights of the networks in it that others have trained, and returns it.

    Args:
        graph: that it was built of.
        model: the section, for the folders of files.

    Raises:
        DataError: the weights are not there, or are of another network.
    """
    parts: dict[str, list[GraphLayer]] = {}
    for layer in graph.layers:
        if layer.borrowed is not None:
            parts.setdefault(layer.borrowed.network, []).append(layer)
    for layers in parts.values():
        item = layers[0].written
        assert isinstance(item, Trained), "others have trained it"
        if item.brings_weights:
            folder = model.folder_of(*layers[0].path[1:], item.type_name)
            source = item.model(folder, _side(layers[0]))
            _copy(network, layers, source)
    return network


def _side(first: GraphLayer) -> int | None:
    """Of the pictures that come, where they are square."""
    shape = first.input_shape
    return shape[1] if shape is not None and len(shape) == 4 and shape[1] == shape[2] else None


def _copy(network: Any, layers: list[GraphLayer], source: Any) -> None:
    for layer in layers:
        borrowed = layer.borrowed
        assert borrowed is not None, "it comes from there"
        if layer.shares is not None or not layer.layer.has_weights:
            continue
        first = source.get_layer(borrowed.place[0]) if borrowed.rank is None else source.layers[borrowed.rank]
        for name in borrowed.place[1:]:
            first = first.get_layer(name)
        own = network.get_layer(layer.name)
        own.set_weights(first.get_weights())
        if hasattr(own, "finalize_state"):  # what a normalization has learned counts from here on
            own.finalize_state()
