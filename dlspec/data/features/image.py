"""A picture, as the network sees it: an array of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field
from pydantic.fields import FieldInfo

from dlspec.data.arrays import Samples, blocks
from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, Feature, Fitted, Missing
from dlspec.data.features.numeric import rounded_by_float32
from dlspec.data.features.scaling import Affine, Scale, ScaledBy, fit_scale_of_samples
from dlspec.language.fields import mistake

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@FEATURES.register
class Image(Feature):
    """A picture or another array, which `scale` brings to one range over all its values.

    It is the type of the arrays of `images`, of `arrays` and of built-in sets, which have it without being told. Other
    columns stand beside it where `model: {inputs: …}` gives them an input of their own. Files that a table names are
    read by `images: {path: TABLE, column: NAME}`.
    """

    takes = ("number",)
    of_arrays = True
    raw = "number"
    examples: ClassVar = ["image", {"image": {"scale": "min_max"}}]

    scale: Scale | None = Field(None, description="of its values, where other features have another one")

    @classmethod
    def fields_in_order(cls) -> dict[str, FieldInfo]:
        return {"scale": cls.model_fields["scale"]}  # of arrays nothing is missing

    def model_post_init(self, context: object) -> None:
        if self.missing is not None:
            raise mistake("wrong-value", "an array has no missing values to fill in", help="write `image` alone")

    def width(self, column: Column) -> int:
        return math.prod(column.shape)

    def inside(self, scale: Scale) -> bool:
        return (self.scale or scale) == "min_max"

    def fit(self, name: str, values: Samples, scale: Scale, missing: Missing, by: ScaledBy = None) -> Fitted:
        """
        Args:
            values: (samples, ...), which may be read later.
            by: see `fit_scale_of_samples`.
        """
        affine = fit_scale_of_samples(values, self.scale or scale, by)
        return FittedArray(name, tuple(values.shape[1:]), affine, dtype_of_arrays(values))


@dataclass(frozen=True)
class FittedArray(Fitted):
    """Arrays of one shape, of which all values are brought to one range, or those of each channel.

    Args:
        affine: the scale.
        takes: the type of numbers that the saved model takes.
    """

    shape: tuple[int, ...]
    affine: Affine
    takes: str

    raw: ClassVar = "number"

    @property
    def dtype(self) -> str:
        return self.takes

    @property
    def width(self) -> int:
        return math.prod(self.shape)

    def encode(self, values: Array) -> Array:
        """(samples, ...) -> (samples, width), float32."""
        return self.affine(values).astype("float32").reshape(len(values), self.width)

    def connect(self, raw: Any) -> Any:
        """The same in Keras's layers: (batch, ...) -> (batch, width)."""
        from keras import ops

        scaled = self.affine.layer()(raw if self.takes == "float64" else ops.cast(raw, "float64"))
        return ops.reshape(ops.cast(scaled, "float32"), (-1, self.width))


def dtype_of_arrays(values: Samples) -> str:
    """What the saved model takes of pictures and other arrays, of which float32 holds most."""
    if values.dtype.kind in "iuf" and (values.dtype == "float32" or values.dtype.itemsize < 4):
        return "float32"
    if values.dtype.kind not in "iu":
        return "float64"
    ends = [(block.min(), block.max()) for block in blocks(values)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return "int64" if rounded_by_float32(int(low), int(high)) else "float64"
