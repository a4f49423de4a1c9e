"""Layers that bring several inputs together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from dlspec.language.fields import Flag, Primary, either
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.axes import Axis
from dlspec.model.layers.base import LAYERS, Example, MaskError, Merging, check_masks
from dlspec.model.layers.masking import all_of, any_of, behind_batch, full, mask_of, with_mask, without_masks
from dlspec.model.layers.sight import Sight, together


class Elementwise(Merging):
    """Base of the layers that merge value by value; an axis of size 1 is stretched to that of the others.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        merged = shapes[0][1:]
        for shape in shapes[1:]:
            both = _broadcast(merged, shape[1:])
            if both is None:
                raise ShapeError(
                    f"`{self.type_name}` needs inputs of one shape, got {' and '.join(map(show_shape, shapes))}",
                    help=f"let the other end in `dense: {merged[-1]}`" if _is_last(merged, shape[1:]) else None,
                )
            merged = both
        return (None, *merged)

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        return (len(shapes) - 1) * count(self.merged_shape(shapes))

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        most = max(map(len, shapes))  # axes are matched from the last one on
        sizes = {shape[each.axis] for each, shape in zip(seen, shapes, strict=True)}
        moved = [each._replace(axis=each.axis + most - len(shape)) for each, shape in zip(seen, shapes, strict=True)]
        return together(moved) if len(sizes) == 1 else None

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        return max((covered for _, covered in counting_masks(masked, shapes)), default=0)

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        masks = [mask_of(x) for x in inputs]
        shapes = [tuple(x.shape) for x in inputs]
        masked = [0 if mask is None else len(mask.shape) - 1 for mask in masks]
        counting = counting_masks(masked, shapes)
        if not counting or keras_merges(masked, shapes):
            return built(list(inputs))
        output = built(without_masks(inputs))
        placed = [behind_batch(masks[i], len(output.shape) - len(shapes[i])) for i, _ in counting]
        how = any_of if _unstretched(counting, shapes) else all_of
        return with_mask(output, how(placed, output))


def counting_masks(masked: Sequence[int], shapes: Sequence[Shape | None]) -> list[tuple[int, int]]:
    """The inputs whose masks count in what is merged of them, and how many axes of it each mask covers.

    An input that is stretched along an axis of its mask does not know which of the places there are, and counts only
    where no other one does.
    """
    rank = max(len(shape or ()) for shape in shapes)
    every = [
        (i, covered + rank - len(shape or ()))
        for i, (covered, shape) in enumerate(zip(masked, shapes, strict=True))
        if covered
    ]
    return _unstretched(every, shapes) or every


def _unstretched(counting: Sequence[tuple[int, int]], shapes: Sequence[Shape | None]) -> list[tuple[int, int]]:
    """Those that have the size of what comes out along every axis that their mask covers."""
    known = [shape for shape in shapes if shape is not None]
    rank = max((len(shape) for shape in known), default=0)
    placed = [(1,) * (rank - len(shape)) + shape[1:] if shape else () for shape in (each or () for each in shapes)]
    single = [all(shape[axis] == 1 for shape in placed if shape) for axis in range(rank - 1)]
    return [
        (i, covered)
        for i, covered in counting
        if all(size != 1 or only for size, only in zip(placed[i][:covered], single, strict=False))
    ]


def keras_merges(masked: Sequence[int], shapes: Sequence[Shape | None]) -> bool:
    """Whether Keras makes a mask of these: each input has one, over all axes but the last, and none is stretched."""
    ranks = {len(shape or ()) for shape in shapes}
    if len(ranks) > 1 or any({covered + 2} != ranks for covered in masked):
        return False
    return len(_unstretched(list(enumerate(masked)), shapes)) == len(masked)


def _broadcast(first: Shape, second: Shape) -> Shape | None:
    """The common shape of two, batch left out, or None. Axes are matched from the last one on."""
    if len(first) < len(second):
        first, second = second, first
    merged = list(first[: len(first) - len(second)])
    for one, other in zip(first[len(merged) :], second, strict=True):
        if one is None or other is None:
            merged.append(None)
        elif one == 1 or other == 1 or one == other:
            merged.append(max(one, other))
        else:
            return None
    return tuple(merged)


def _is_last(first: Shape, second: Shape) -> bool:
    """Whether only the last sizes, the features, are different."""
    return len(first) == len(second) and first[:-1] == second[:-1]


class Pairwise(Elementwise):
    """Base of the layers that take two inputs."""

    takes: ClassVar = (2, 2)


@LAYERS.register
class Add(Elementwise):
    """Adds its inputs, value by value.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [
        Example({"add": {"from": ["a", "b"]}}, [(None, 8), (None, 8)]),
        Example({"add": {"from": ["a", "b", "c"]}}, [(None, 5, 8), (None, 1, 8), (None, 5, 1)]),
    ]


@LAYERS.register
class Average(Elementwise):
    """The mean of its inputs, value by value.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [Example({"average": {"from": ["a", "b"]}}, [(None, 8), (None, 8)])]

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        return len(shapes) * count(self.merged_shape(shapes))


@LAYERS.register
class Maximum(Elementwise):
    """The largest of its inputs, value by value.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [Example({"maximum": {"from": ["a", "b"]}}, [(None, 8), (None, 8)])]


@LAYERS.register
class Minimum(Elementwise):
    """The smallest of its inputs, value by value.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [Example({"minimum": {"from": ["a", "b"]}}, [(None, 8), (None, 8)])]


@LAYERS.register
class Multiply(Elementwise):
    """Multiplies its inputs, value by value: one of them may open and close the other as a gate.

    Input shape:  several of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [Example({"multiply": {"from": ["a", "b"]}}, [(None, 5, 8), (None, 5, 1)])]


@LAYERS.register
class Subtract(Pairwise):
    """Subtracts its second input from its first, value by value.

    Input shape:  two of (batch, ...)
    Output shape: same as each input
    """

    examples: ClassVar = [Example({"subtract": {"from": ["a", "b"]}}, [(None, 8), (None, 8)])]


@LAYERS.register
class Concatenate(Merging):
    """Puts its inputs side by side along an axis.

    Input shape:  several of (batch, ...), equal but for one axis
    Output shape: the same with the sizes of that axis added up
    """

    examples: ClassVar = [
        Example({"concatenate": {"from": ["a", "b"]}}, [(None, 8), (None, 4)]),
        Example({"concatenate": {"axis": 1, "from": ["a", "b"]}}, [(None, 5, 8), (None, 3, 8)]),
    ]

    axis: Axis = Primary(-1, description="the axis, counted with the batch as 0")

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return None if self.axis % len(shapes[0]) in [each.axis for each in seen] else together(seen)

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        rank = len(shapes[0])
        shown = " and ".join(map(show_shape, shapes))
        if any(len(shape) != rank for shape in shapes):
            raise ShapeError(f"`concatenate` needs inputs with the same axes, got {shown}")
        if not -rank < self.axis < rank:
            raise ShapeError(f"`axis: {self.axis}` names an axis that {shown} do not have")
        place = self.axis % rank
        for axis in range(1, rank):
            sizes = {shape[axis] for shape in shapes} - {None}
            if axis != place and len(sizes) > 1:
                raise ShapeError(
                    f"`concatenate` along axis {place} needs inputs that are equal in the others, got {shown}"
                )
        total = [shape[place] for shape in shapes]
        summed = None if None in total else sum(size or 0 for size in total)
        return tuple(summed if axis == place else size for axis, size in enumerate(shapes[0]))

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        return max(masked)

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        masks = [mask_of(x) for x in inputs]
        rank = len(inputs[0].shape)
        there = [mask for mask in masks if mask is not None]
        if not there or (len(there) == len(masks) and all(len(mask.shape) == rank - 1 for mask in masks)):
            return built(list(inputs))
        output = built(without_masks(inputs))
        covered, place = max(len(mask.shape) for mask in there) - 1, self.axis % rank
        if place > covered:
            return with_mask(output, any_of(there, output))
        from keras import ops

        every = [full(mask, covered, x) for mask, x in zip(masks, inputs, strict=True)]
        return with_mask(output, ops.concatenate(every, axis=place))


@LAYERS.register
class Dot(Merging):
    """Multiplies two inputs and adds up along an axis of each.

    Input shape:  two of (batch, ...)
    Output shape: the axes of both without those that are added up
    """

    takes: ClassVar = (2, 2)
    examples: ClassVar = [
        Example({"dot": {"axes": 1, "from": ["a", "b"]}}, [(None, 8), (None, 8)]),
        Example({"dot": {"axes": [2, 1], "normalize": True, "from": ["a", "b"]}}, [(None, 5, 8), (None, 8, 3)]),
    ]

    axes_: Annotated[Axis | tuple[Axis, Axis], either("the number of an axis, or one for each input")] = Primary(
        description="the axis, or one of each input, along which it adds up, counted with the batch as 0"
    )
    normalize: Flag = Field(False, description="divide by the lengths first, which gives the cosine of the angle")

    def _summed(self, shapes: Sequence[Shape]) -> tuple[int, int]:
        """The axis of each input, from 1."""
        written = self.axes_ if isinstance(self.axes_, tuple) else (self.axes_, self.axes_)
        for axis, shape in zip(written, shapes, strict=True):
            if len(shape) < 2 or not -len(shape) < axis < len(shape):
                raise ShapeError(f"`axes` names axis {axis}, and an input is {show_shape(shape)}")
        first, second = (axis % len(shape) for axis, shape in zip(written, shapes, strict=True))
        return first, second

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        first, second = self._summed(shapes)
        left, right = shapes
        sizes = {left[first], right[second]} - {None}
        if len(sizes) > 1:
            raise ShapeError(
                f"`dot` adds up along axes of one size, got {left[first]} of {show_shape(left)} and {right[second]} of "
                f"{show_shape(right)}"
            )
        kept = (*left[:first], *left[first + 1 :], *right[1:second], *right[second + 1 :])
        return kept if len(kept) > 1 else (*kept, 1)

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        first, _ = self._summed(shapes)
        lengths = sum(3 * count(shape) for shape in shapes) if self.normalize else 0
        return count(self.merged_shape(shapes)) * 2 * (shapes[0][first] or 0) + lengths

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        left, right = shapes
        if not any(masked) or left is None or right is None:
            return max(masked)
        for number, (axis, covered) in enumerate(zip(self._summed([left, right]), masked, strict=True)):
            if axis <= covered:
                raise MaskError(
                    f"`dot` adds up along axis {axis} of its {('first', 'second')[number]} input, which has a mask",
                    help="write `attention`, which leaves out what is masked, or put `dot` above the mask",
                )
        in_front = len(left) - 2
        if masked[1] and masked[0] < in_front:
            raise MaskError(
                "`dot` puts an axis of its second input that has a mask behind one that has none",
                help="name the inputs in the other order in `from`",
            )
        return masked[1] + in_front if masked[1] else masked[0]

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        masks = [mask_of(x) for x in inputs]
        if all(mask is None for mask in masks):
            return built(list(inputs))
        check_masks(self, inputs)
        output = built(without_masks(inputs))
        placed = [masks[0], None if masks[1] is None else behind_batch(masks[1], len(inputs[0].shape) - 2)]
        return with_mask(output, all_of([mask for mask in placed if mask is not None], output))

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        given["axes"] = given.pop("axes_")
        return given
