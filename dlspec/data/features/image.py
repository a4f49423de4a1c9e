"""A picture, as the network sees it: an array of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from pydantic.fields import FieldInfo

from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, Feature, Fitted, Missing
from dlspec.data.features.scaling import Scale
from dlspec.language.fields import mistake

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@FEATURES.register
class Image(Feature):
    """A picture or another array, which `scale` brings to one range over all its values.

    It is the type of the arrays of `images`, of `arrays` and of built-in sets, which have it without being told, and
    has no other column beside it. Files that a table names are read by `images: {path: TABLE, column: NAME}`.
    """

    takes = ("number",)
    of_arrays = True
    raw = "number"
    examples: ClassVar = ["image"]

    @classmethod
    def fields_in_order(cls) -> dict[str, FieldInfo]:
        return {}  # of arrays nothing is missing

    def model_post_init(self, context: object) -> None:
        if self.missing is not None:
            raise mistake("wrong-value", "an array has no missing values to fill in", help="write `image` alone")

    def width(self, column: Column) -> int:
        return math.prod(column.shape)

    def inside(self, scale: Scale) -> bool:
        return scale == "min_max"

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        raise NotImplementedError("arrays are scaled as a whole")
