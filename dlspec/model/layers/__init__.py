"""The layers of the spec language, one file per family."""

from dlspec.model.layers.base import LAYERS, AnyItem, AnyLayer, Builder, Example, LayerSpec, ModelItem, Wire

__all__ = [
    "LAYERS",
    "AnyItem",
    "AnyLayer",
    "Builder",
    "Example",
    "LayerSpec",
    "ModelItem",
    "Wire",
]
