"""Operations that take parts of a tensor, put tensors side by side, and add or remove axes of size 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, PrivateAttr

from dlspec.language.fields import PositiveInt, Primary, Whole, mistake
from dlspec.language.shapes import Path, Shape, ShapeError, UnknownSize, show_shape
from dlspec.model.layers.axes import Axes, Axis, place_of, places_of
from dlspec.model.layers.base import LAYERS, Builder, Example, LayerName, LayerSpec, MaskError, ModelItem, Wire
from dlspec.model.layers.masking import any_of, full
from dlspec.model.layers.operations import Masks, MergingOperation, Operation
from dlspec.model.layers.reshaping import back_to
from dlspec.model.layers.sight import Sight, together


@LAYERS.register
class Slice(Operation):
    """Takes a part of an axis: from `start` up to, without, `stop`, every `step`-th. Numbers below 0
    count from its end.

    Input shape:  (batch, ...)
    Output shape: the same with fewer values along the axis
    """

    moves_values = True
    examples: ClassVar = [
        Example({"slice": {"axis": 1, "start": 0, "stop": 8, "step": 2}}, (None, 10, 3)),
        Example({"slice": {"axis": -1, "start": -2}}, (None, 8)),
    ]

    axis: Axis = Field(description="the axis, counted with the batch as 0")
    start: Whole = Field(0, description="the first that is taken")
    stop: Whole | None = Field(None, description="the first that is no longer taken; by default all are")
    step: PositiveInt = Field(1, description="from one that is taken to the next")
    _of_split: bool = PrivateAttr(False)

    def of_split(self) -> Slice:
        """The same, as a part of an axis whose size says where it begins and ends."""
        self._of_split = True
        return self

    def output_shape(self, input_shape: Shape) -> Shape:
        place = place_of(self.axis, input_shape)
        size = input_shape[place]
        if size is None:
            raise ShapeError(
                f"`slice` needs the size of axis {place}, which {show_shape(input_shape)} does not say",
                help="give the data a fixed length, or take another axis",
            )
        for key, value in (("start", self.start), ("stop", self.stop)):
            if value is not None and not -size <= value <= size:
                raise ShapeError(f"`{key}: {value}` lies outside of axis {place} of {show_shape(input_shape)}")
        taken = len(range(size)[self.start : self.stop : self.step])
        if not taken:
            raise ShapeError(
                f"`slice` takes nothing of axis {place} of {show_shape(input_shape)}",
                help="write a `stop` behind `start`",
            )
        return (*input_shape[:place], taken, *input_shape[place + 1 :])

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        along = place_of(self.axis, shapes[0]) == seen[0].axis
        return None if along and (self.start or self.step > 1) else seen[0]

    def cure_of_sight(self) -> str:
        return "let timesteps begin where they did: `start: 0`, `step: 1`"

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        shape = shapes[0]
        if shape is not None and place_of(self.axis, shape) <= masked[0]:
            if self._of_split:
                raise MaskError(
                    f"`split` cuts axis {place_of(self.axis, shape)}, which has a mask, into equal parts, so that "
                    "padding would change where they begin",
                    help=f"write `slice: {{axis: {self.axis}, start: 0, stop: 4}}` for each part, which counts from "
                    "the beginning",
                )
            behind = next((k for k, v in (("start", self.start), ("stop", self.stop)) if v is not None and v < 0), None)
            if behind:
                raise MaskError(
                    f"`{behind}: {getattr(self, behind)}` counts from the end of axis {place_of(self.axis, shape)}, "
                    "where there is padding",
                    help="count from the beginning, or take the last value with a recurrent layer",
                )
        return masked[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        return inputs[0][self._key(len(inputs[0].shape))]

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        rank = len(inputs[0].shape)
        return masks[0][self._key(rank)] if self.axis % rank < len(masks[0].shape) else masks[0]

    def _key(self, rank: int) -> tuple[slice, ...]:
        step = None if self.step == 1 else self.step
        return (*[slice(None)] * (self.axis % rank), slice(self.start or None, self.stop, step))


class Unsplit(Slice):
    """Stands for a part of what cannot be split."""

    _why: ShapeError = PrivateAttr(default_factory=lambda: ShapeError(""))

    @classmethod
    def name_in_yaml(cls) -> str:
        return "slice"

    def because(self, error: ShapeError) -> Unsplit:
        """The same, with the reason."""
        self._why = error
        return self

    def infer(self, *shapes: Shape | None) -> Shape | None:
        if shapes[0] is None:
            return None
        raise self._why


def _different(names: list[str]) -> list[str]:
    again = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if again:
        raise mistake("wrong-value", f"two parts are named `{again}`", help="give each a name of its own")
    return names


@LAYERS.register
class Split(ModelItem):
    """Cuts an axis into parts of equal size, each with a name that `from` takes; what follows takes the last one."""

    examples: ClassVar = [
        {"split": {"axis": -1, "into": ["left", "right"]}},
        {"split": {"axis": 1, "into": ["past", "now", "next"], "from": "input"}},
    ]

    axis: Axis = Field(description="the axis, counted with the batch as 0")
    into: Annotated[list[LayerName], Field(min_length=2), AfterValidator(_different)] = Field(
        description="names of the parts, from the beginning of the axis on"
    )

    naming = ("into",)

    def names_given(self) -> list[tuple[str, Path]]:
        return [(name, ("into", i)) for i, name in enumerate(self.into)]

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        wire, end = wires[0], wires[0]
        for number, part in enumerate(self._parts(wire.shape)):
            end = builder.place(part, [wire], path, self)
            if number == 0 and isinstance(part, Unsplit):
                wire = Wire(wire.source, None)
        return end

    def _parts(self, shape: Shape | None) -> list[LayerSpec]:
        """A layer for each part."""
        try:
            size = self._size(shape)
        except ShapeError as error:
            return [Unsplit(axis=self.axis, name=name).because(error) for name in self.into]
        return [
            Slice(
                axis=self.axis,
                start=i * size,
                stop=None if size == 0 or i + 1 == len(self.into) else (i + 1) * size,
                name=name,
            ).of_split()
            for i, name in enumerate(self.into)
        ]

    def _size(self, shape: Shape | None) -> int:
        """Of each part; 0 where nothing is known of what is split."""
        if shape is None:
            return 0
        place = place_of(self.axis, shape)
        size, parts = shape[place], len(self.into)
        if size is None:
            raise ShapeError(f"`split` needs the size of axis {place}, which {show_shape(shape)} does not say")
        if size % parts:
            raise ShapeError(
                f"`split` cannot cut axis {place} of {show_shape(shape)} into {parts} equal parts",
                help=f"let it have a multiple of {parts}, or take parts of other sizes with `slice`",
            )
        return size // parts


@LAYERS.register
class Stack(MergingOperation):
    """Puts its inputs behind each other along a new axis.

    Input shape:  several of (batch, ...), equal
    Output shape: the same with one axis more, whose size is the number of inputs
    """

    examples: ClassVar = [
        Example({"stack": {"axis": 1, "from": ["a", "b"]}}, [(None, 8), (None, 8)]),
        Example({"stack": {"axis": -1, "from": ["a", "b", "c"]}}, [(None, 5, 8), (None, 5, 8), (None, 5, 8)]),
    ]

    axis: Axis = Primary(description="the place of the new axis, counted with the batch as 0")

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        first = shapes[0]
        place = place_of(self.axis, first, added=1)
        sizes = []
        for each in zip(*(shape[1:] for shape in shapes), strict=False):
            known = {size for size in each if size is not None}
            if len(known) > 1:
                break
            sizes.append(each[0])
        if len(sizes) < len(first) - 1 or any(len(shape) != len(first) for shape in shapes):
            raise ShapeError(f"`stack` needs inputs of one shape, got {' and '.join(map(show_shape, shapes))}")
        whole = (None, *sizes)
        return (*whole[:place], len(shapes), *whole[place:])

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        found = together(seen)
        return found and found._replace(axis=found.axis + (place_of(self.axis, shapes[0], added=1) <= found.axis))

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        most = max(masked)
        if not most or shapes[0] is None:
            return most
        return most + (place_of(self.axis, shapes[0], added=1) <= most)

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        return ops.stack(list(inputs), axis=self.axis)

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        from keras import ops

        place = self.axis % len(output.shape)
        covered = max(len(mask.shape) - 1 for mask in masks if mask is not None)
        if place > covered:
            return any_of([mask for mask in masks if mask is not None], output)
        every = [full(mask, covered, x) for mask, x in zip(masks, inputs, strict=True)]
        return ops.stack(every, axis=place)


@LAYERS.register
class ExpandDims(Operation):
    """Adds an axis of size 1.

    Input shape:  (batch, ...)
    Output shape: the same with an axis of size 1 more
    """

    moves_values = True
    passes_values = True
    also: ClassVar = ("unsqueeze",)
    examples: ClassVar = [Example({"expand_dims": -1}, (None, 8)), Example({"expand_dims": {"axis": 1}}, (None, 5, 8))]

    axis: Axis = Primary(description="the place of the new axis, counted with the batch as 0")

    def output_shape(self, input_shape: Shape) -> Shape:
        place = place_of(self.axis, input_shape, added=1)
        return (*input_shape[:place], 1, *input_shape[place:])

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        axis = seen[0].axis
        return seen[0]._replace(axis=axis + (place_of(self.axis, shapes[0], added=1) <= axis))

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        shape = shapes[0]
        return masked[0] + (shape is not None and place_of(self.axis, shape, added=1) <= masked[0])

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        return ops.expand_dims(inputs[0], self.axis)

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        from keras import ops

        place = self.axis % len(output.shape)
        return ops.expand_dims(masks[0], place) if place < len(masks[0].shape) else masks[0]

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return back_to(input_shape)


@LAYERS.register
class Squeeze(Operation):
    """Removes axes of size 1.

    Input shape:  (batch, ...)
    Output shape: the same without these axes
    """

    moves_values = True
    passes_values = True
    examples: ClassVar = [
        Example({"squeeze": -1}, (None, 8, 1)),
        Example({"squeeze": {"axis": [1, 2]}}, (None, 1, 1, 8)),
    ]

    axis: Axes = Primary(description="the axis, or axes, counted with the batch as 0")

    def output_shape(self, input_shape: Shape) -> Shape:
        places = places_of(self.axis, input_shape)
        wrong = next((place for place in places if input_shape[place] != 1), None)
        if wrong is not None:
            kind = UnknownSize if input_shape[wrong] is None else ShapeError
            raise kind(
                f"`squeeze` removes axes of size 1, and axis {wrong} of {show_shape(input_shape)} is "
                f"{'of unknown size' if input_shape[wrong] is None else input_shape[wrong]}",
                help="write `reshape` to put values elsewhere, or `mean` to make one value of many",
            )
        kept = tuple(size for place, size in enumerate(input_shape) if place not in places)
        if len(kept) == 1:
            raise ShapeError(
                f"`squeeze` of every axis of {show_shape(input_shape)} leaves none", help="name fewer axes"
            )
        return kept

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        places, axis = places_of(self.axis, shapes[0]), seen[0].axis
        return None if axis in places else seen[0]._replace(axis=axis - sum(place < axis for place in places))

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        if masked[0] and shapes[0] is not None:
            gone = next((place for place in places_of(self.axis, shapes[0]) if place <= masked[0]), None)
            if gone is not None:
                raise MaskError(
                    f"`squeeze` removes axis {gone}, which has a mask", help=f"write `mean: {gone}`, which heeds it"
                )
        return masked[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        return ops.squeeze(inputs[0], axis=places_of(self.axis, inputs[0].shape))

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return back_to(input_shape)


@LAYERS.register
class Roll(Operation):
    """Moves values along an axis; what leaves it at one end comes in at the other.

    Input shape:  (batch, ...)
    Output shape: same as input
    """

    keeps_shape = True
    moves_values = True
    examples: ClassVar = [
        Example({"roll": {"shift": 1, "axis": 1}}, (None, 5, 8)),
        Example({"roll": {"shift": -3, "axis": -1}}, (None, 8)),
    ]

    shift: Whole = Field(description="by how many places, towards the end")
    axis: Axis = Field(description="the axis, counted with the batch as 0")

    def output_shape(self, input_shape: Shape) -> Shape:
        place_of(self.axis, input_shape)
        return input_shape

    def in_unit_interval(self, input_inside: bool) -> bool:
        return input_inside

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return None if place_of(self.axis, shapes[0]) == seen[0].axis else seen[0]

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        if masked[0] and shapes[0] is not None and place_of(self.axis, shapes[0]) <= masked[0]:
            raise MaskError(
                f"`roll` moves values along axis {place_of(self.axis, shapes[0])}, which has a mask, so that padding "
                "would come in at the other end",
                help="put `roll` above the layer that makes the mask, or roll another axis",
            )
        return masked[0]

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        return ops.roll(inputs[0], self.shift, axis=self.axis)

    def mirror(self, input_shape: Shape) -> tuple[LayerSpec, ...] | None:
        return (Roll(shift=-self.shift, axis=self.axis),)
