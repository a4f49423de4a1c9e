"""The layers of the spec language, one file per family."""

from dlspec.layers.base import LAYERS, AnyLayer, Example, LayerSpec, Shape, ShapeError, show_shape

__all__ = ["LAYERS", "AnyLayer", "Example", "LayerSpec", "Shape", "ShapeError", "show_shape"]
