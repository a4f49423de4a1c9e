"""The layers of the spec language, one file per family."""

from dlspec.model.layers.base import LAYERS, Example, LayerSpec, ModelItem, Wire

__all__ = [
    "LAYERS",
    "Example",
    "LayerSpec",
    "ModelItem",
    "Wire",
]
