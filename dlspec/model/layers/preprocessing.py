"""Layers that bring numbers and categories into a form that networks learn from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from dlspec.language.fields import Flag, Number, PositiveInt, Primary, mistake, show_value
from dlspec.language.shapes import Shape, ShapeError, UnknownSize, count, show_shape
from dlspec.model.layers.base import LAYERS, DType, Example, LayerSpec, Merging
from dlspec.model.layers.categories import CategoryMode, encoded
from dlspec.model.layers.numbers import Numbers, Salt, each, is_number, one_or


@LAYERS.register
class Normalization(LayerSpec):
    """Takes a mean off the values and divides by a standard deviation: (x - mean) / sqrt(variance).

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    of_each_place = True
    passes_mask = True
    examples: ClassVar = [
        Example({"normalization": {"mean": 3.0, "variance": 4.0}}, (None, 8)),
        Example({"normalization": {"mean": [1, 2, 3], "variance": [1, 4, 9], "invert": True}}, (None, 5, 3)),
        Example({"normalization": {"axis": None, "mean": 0.5, "variance": 0.1}}, (None, None, 3)),
    ]

    needed = ("mean", "variance")

    axis: Annotated[int | list[int], one_or(None, whole=True)] | None = Field(
        -1, description="the axis, or axes, along which means differ; null: one mean for all"
    )
    mean: Numbers | None = None
    variance: Numbers | None = Field(None, description="the square of the standard deviation")
    invert: Flag = Field(False, description="whether it goes the other way: x sqrt(variance) + mean")

    def model_post_init(self, context: object) -> None:
        if self.mean is None or self.variance is None:
            missing = "`mean` and `variance` are" if self.mean is self.variance else "one of `mean` and `variance` is"
            raise mistake(
                "missing-key",
                f"{missing} missing, and a layer of a spec cannot take them from the data",
                help="write `data: {scale: standard}` to scale inputs by their own mean and variance, and no layer",
            )
        sizes = [len(given) if isinstance(given, list) else None for given in (self.mean, self.variance)]
        if sizes[0] != sizes[1]:
            shown = ["one number" if size is None else f"a list of {size}" for size in sizes]
            raise mistake("wrong-value", f"`mean` is {shown[0]} and `variance` {shown[1]}", help="give as many of each")
        if sizes[0] is not None and self.axis is None:
            raise mistake("wrong-value", "with `axis: null`, `mean` and `variance` are one number each")
        negative = next((number for number in each(self.variance) if number < 0), None)
        if negative is not None:
            raise mistake("out-of-range", f"`variance` must be at least 0, got `{negative:g}`")

    def output_shape(self, input_shape: Shape) -> Shape:
        given = [] if self.axis is None else self.axis if isinstance(self.axis, list) else [self.axis]
        rank = len(input_shape)
        wrong = next((axis for axis in given if not -rank <= axis < rank), None)
        if wrong is not None:
            raise ShapeError(
                f"`normalization` has `axis: {wrong}`, and {show_shape(input_shape)} has the axes 0 to {rank - 1}"
            )
        axes = sorted(axis % rank for axis in given)
        if len(set(axes)) < len(axes):
            raise ShapeError(f"`normalization` names an axis of {show_shape(input_shape)} twice in `axis: {given}`")
        for axis in axes:
            if input_shape[axis] is None:
                raise UnknownSize(
                    f"`normalization` needs to know the size of axis {axis}, got {show_shape(input_shape)}",
                    help="write another `axis`, or `axis: null` for one mean",
                )
        if isinstance(self.mean, list) and len(self.mean) not in (1, input_shape[axes[-1]]):
            raise ShapeError(
                f"`normalization` has {len(self.mean)} means, and axis {axes[-1]} of {show_shape(input_shape)} has "
                f"{input_shape[axes[-1]]} values"
            )
        return input_shape

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(input_shape)


@LAYERS.register
class Rescaling(LayerSpec):
    """Multiplies the values and adds to them: scale x + offset.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    of_each_place = True
    passes_mask = True
    examples: ClassVar = [
        Example({"rescaling": 0.5}, (None, 8)),
        Example({"rescaling": {"scale": [1, 2, 3], "offset": -1.0}}, (None, 5, 3)),
    ]

    scale: Numbers = Primary(description="one number, or one for each value of the last axis")
    offset: Numbers = Field(0.0, description="one number, or one for each value of the last axis")

    def output_shape(self, input_shape: Shape) -> Shape:
        for key, numbers in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(numbers, list) and len(numbers) not in (1, input_shape[-1]):
                raise ShapeError(
                    f"`rescaling` has {len(numbers)} numbers in `{key}`, and the last axis of "
                    f"{show_shape(input_shape)} has {'another' if input_shape[-1] is None else input_shape[-1]}",
                    help=f"write one number for `{key}`",
                )
        return input_shape

    def flops(self, input_shape: Shape) -> int:
        return 2 * count(input_shape)

    def in_unit_interval(self, input_inside: bool) -> bool:
        scales, offsets = each(self.scale), each(self.offset)
        size = max(len(scales), len(offsets))
        ends = zip(scales * (size // len(scales)), offsets * (size // len(offsets)), strict=True)
        return input_inside and all(0 <= offset <= 1 and 0 <= scale + offset <= 1 for scale, offset in ends)


@LAYERS.register
class CategoryEncoding(LayerSpec):
    """Turns category numbers into vectors: which categories there are, or how often each.

    Input shape:  (batch, categories); with `output_mode: one_hot` (batch, ...)
    Output shape: (batch, num_tokens); with `output_mode: one_hot` (batch, ..., num_tokens)
    """

    examples: ClassVar = [
        Example({"category_encoding": 5}, (None, 3)),
        Example({"category_encoding": {"num_tokens": 5, "output_mode": "one_hot"}}, (None, 1)),
    ]

    input_dtype = "int64"

    num_tokens: PositiveInt = Primary(description="how many categories there are, numbered from 0")
    output_mode: Literal["multi_hot", "one_hot", "count"] = "multi_hot"

    def output_shape(self, input_shape: Shape) -> Shape:
        return encoded(self, input_shape, self.output_mode, self.num_tokens)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.output_mode != "count"


def _increasing(numbers: list[float]) -> list[float]:
    if any(low >= high for low, high in pairwise(numbers)):
        raise mistake(
            "wrong-value", "`bin_boundaries` must increase", help=f"write `bin_boundaries: {sorted(set(numbers))}`"
        )
    return numbers


@LAYERS.register
class Discretization(LayerSpec):
    """Turns numbers into the number of the interval that they lie in, counted from 0.

    Input shape:  (batch, ...)
    Output shape: same as input; with `output_mode` `multi_hot` or `count` (batch, bins), with `one_hot`
        (batch, ..., bins)
    """

    of_each_place = True
    examples: ClassVar = [
        Example({"discretization": [0.0, 1.0, 2.0]}, (None, 3)),
        Example({"discretization": {"bin_boundaries": [0.0, 1.0], "output_mode": "one_hot"}}, (None, 4)),
    ]

    bin_boundaries: Annotated[list[Number], Field(min_length=1), AfterValidator(_increasing)] = Primary(
        description="where one interval ends and the next begins, in rising order"
    )
    output_mode: CategoryMode = "int"

    def output_shape(self, input_shape: Shape) -> Shape:
        return encoded(self, input_shape, self.output_mode, len(self.bin_boundaries) + 1)

    def flops(self, input_shape: Shape) -> int:
        return count(input_shape) * len(self.bin_boundaries).bit_length()  # the interval is found by halving

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.output_mode in ("one_hot", "multi_hot")


def _mask(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) and not is_number(value, whole=True):
        raise mistake("wrong-type", f"`{info.field_name}` must be a whole number or text, got {show_value(value)}")
    return value


@LAYERS.register
class Hashing(LayerSpec):
    """Turns categories, numbers or text, into one of `num_bins` numbers by a hash function.

    Different categories may get the same number.

    Input shape:  (batch, ...)
    Output shape: same as input; with `output_mode` `multi_hot` or `count` (batch, num_bins), with `one_hot`
        (batch, ..., num_bins)
    """

    examples: ClassVar = [
        Example({"hashing": 5}, (None, 3)),
        Example({"hashing": {"num_bins": 5, "salt": 7, "output_mode": "one_hot"}}, (None, 1)),
        Example({"hashing": {"num_bins": 5, "mask_value": 0, "output_mode": "count"}}, (None, 3)),
    ]

    num_bins: PositiveInt = Primary(description="how many numbers there are")
    mask_value: Annotated[int | str, PlainValidator(_mask)] | None = Field(
        None, description="the category of missing values, which becomes 0"
    )
    salt: Salt | None = Field(None, description="one or two whole numbers that change the hash function")
    output_mode: CategoryMode = "int"
    dtype: DType | None = Field(None, description="precision of the vectors; with `output_mode: int` there is none")

    def model_post_init(self, context: object) -> None:
        if self.output_mode == "int" and self.dtype is not None:
            raise mistake("wrong-value", f"with `output_mode: int` whole numbers come out, no `dtype: {self.dtype}`")

    @property
    def input_dtype(self) -> str:  # type: ignore[override]
        return "string" if isinstance(self.mask_value, str) else "float32"

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode == "one_hot" and (input_shape[-1] != 1 or input_shape[-2:] == (1, 1)):
            # Keras promises one vector a sample here, and gives one a category
            raise ShapeError(
                f"`hashing` needs one category, (batch, 1), for `output_mode: one_hot`, got {show_shape(input_shape)}",
                help="write `output_mode: multi_hot`, or `output_mode: int` and a `category_encoding` behind it",
            )
        return encoded(self, input_shape, self.output_mode, self.num_bins)

    def flops(self, input_shape: Shape) -> int:
        return 0  # none with a floating point

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.output_mode in ("one_hot", "multi_hot")


@LAYERS.register
class HashedCrossing(Merging):
    """Turns pairs of categories, one from each input, into one of `num_bins` numbers by a hash function.

    Input shape:  two of (batch, 1)
    Output shape: (batch, 1); with `output_mode: one_hot` (batch, num_bins)
    """

    takes: ClassVar = (2, 2)
    input_dtype = "int64"
    examples: ClassVar = [
        Example({"hashed_crossing": {"num_bins": 5, "from": ["a", "b"]}}, [(None, 1), (None, 1)]),
        Example(
            {"hashed_crossing": {"num_bins": 5, "output_mode": "one_hot", "from": ["a", "b"]}}, [(None, 1), (None, 1)]
        ),
    ]

    num_bins: PositiveInt = Primary(description="how many numbers there are")
    output_mode: Literal["int", "one_hot"] = "int"

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        wrong = next((shape for shape in shapes if len(shape) != 2 or shape[1] != 1), None)
        if wrong is not None:
            raise ShapeError(f"`hashed_crossing` needs two inputs (batch, 1), got {show_shape(wrong)}")
        return (shapes[0][0], 1 if self.output_mode == "int" else self.num_bins)

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.output_mode == "one_hot"

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        from keras import ops

        return built([ops.cast(x, "int64") if x.dtype.startswith("float") else x for x in inputs])
