"""The layers of the spec language, one file per family."""

from dlspec.model.layers.base import (
    LAYERS,
    AnyItem,
    AnyLayer,
    Example,
    Ground,
    LayerSpec,
    ModelItem,
    Shape,
    ShapeError,
    Wire,
    show_shape,
)

__all__ = [
    "LAYERS",
    "AnyItem",
    "AnyLayer",
    "Example",
    "Ground",
    "LayerSpec",
    "ModelItem",
    "Shape",
    "ShapeError",
    "Wire",
    "show_shape",
]
