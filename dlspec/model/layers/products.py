"""Products of tensors without weights."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from dlspec.language.fields import Primary, Text, mistake
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import LAYERS, Example, MaskError
from dlspec.model.layers.masking import all_of
from dlspec.model.layers.operations import Masks, MergingOperation


@LAYERS.register
class Matmul(MergingOperation):
    """Multiplies the matrices that are the last two axes of two inputs; the axes in front of them are matched.

    Input shape:  (batch, ..., rows, inner) and (batch, ..., inner, columns)
    Output shape: (batch, ..., rows, columns)
    """

    takes: ClassVar = (2, 2)
    examples: ClassVar = [
        Example({"matmul": {"from": ["a", "b"]}}, [(None, 5, 8), (None, 8, 3)]),
        Example({"matmul": {"from": ["a", "b"]}}, [(None, 2, 5, 8), (None, 2, 8, 3)]),
    ]

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        left, right = shapes
        shown = " and ".join(map(show_shape, shapes))
        if len(left) < 3 or len(left) != len(right):
            raise ShapeError(
                f"`matmul` needs two inputs (batch, ..., rows, columns) with as many axes, got {shown}",
                help="write `dot: -1` for two vectors, or `einsum` for axes of other orders",
            )
        if None not in (left[-1], right[-2]) and left[-1] != right[-2]:
            raise ShapeError(
                f"`matmul` adds up along the last axis of one input and the last but one of the other, got {shown}",
                help="put `permute` above one of them, or write `dot` with its `axes`",
            )
        front: list[int | None] = []
        for one, other in zip(left[1:-2], right[1:-2], strict=True):
            if None not in (one, other) and one != other and 1 not in (one, other):
                raise ShapeError(
                    f"`matmul` needs inputs that are equal in the axes in front of the last two, got {shown}"
                )
            front.append(other if one in (1, None) and other != 1 else one)
        return (None, *front, left[-2], right[-1])

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        return count(self.merged_shape(shapes)) * 2 * (shapes[0][-1] or shapes[1][-2] or 1)

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        for number, (covered, shape) in enumerate(zip(masked, shapes, strict=True)):
            inner = 0 if shape is None else len(shape) - 1 - number
            if covered and shape is not None and covered >= inner:
                which = "second" if number else "first"
                raise MaskError(
                    f"`matmul` adds up along axis {inner} of its {which} input, which has a mask",
                    help="write `attention`, which leaves out what is masked, or put `matmul` above the mask",
                )
        return max(masked)

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        return ops.matmul(*inputs)

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        return all_of([mask for mask in masks if mask is not None], output)


@LAYERS.register
class Einsum(MergingOperation):
    """Multiplies its inputs and adds up along the axes that an equation leaves out: `btc,bsc->bts` compares every
    timestep of one with every timestep of the other.

    Each letter is an axis. The batch is the first letter of every input and of what comes out.

    Input shape:  as `subscripts` says
    Output shape: as `subscripts` says
    """

    takes: ClassVar = (1, None)
    examples: ClassVar = [
        Example({"einsum": {"subscripts": "btc,bsc->bts", "from": ["a", "b"]}}, [(None, 5, 8), (None, 6, 8)]),
        Example({"einsum": "btc->bct"}, (None, 5, 8)),
    ]

    subscripts: Text = Primary(
        description="the axes of each input, parted by commas, and behind `->` those that come out"
    )

    def model_post_init(self, context: object) -> None:
        if not re.fullmatch(r"[A-Za-z]+(,[A-Za-z]+)*->[A-Za-z]+", self.subscripts):
            raise mistake(
                "wrong-value",
                f"`subscripts` has the form `btc,bsc->bts`, got `{self.subscripts}`",
                help="write a letter for each axis, and `->` before those that come out",
            )
        taken, given = self._letters()
        batch = given[0]
        if any(letters[0] != batch or batch in letters[1:] for letters in (*taken, given)):
            raise mistake(
                "wrong-value",
                f"the first letter of each input and of what comes out is the batch, got `{self.subscripts}`",
                help="samples stay apart: write `btc,bsc->bts`",
            )
        if any(len(set(letters)) < len(letters) for letters in (*taken, given)):
            raise mistake("wrong-value", f"`{self.subscripts}` names an axis twice in one place")
        unknown = next((letter for letter in given if letter not in "".join(taken)), None)
        if unknown:
            raise mistake("wrong-value", f"`{unknown}` of what comes out is no axis of an input of `{self.subscripts}`")
        if len(given) == 1:
            raise mistake("wrong-value", f"`{self.subscripts}` leaves no axis but the batch")
        if self.from_ is not None and len(self.from_) != len(taken):
            raise mistake(
                "wrong-value",
                f"`{self.subscripts}` has {len(taken)} inputs, and `from` names {len(self.from_)}",
                help="name an input for each",
            )

    def _letters(self) -> tuple[list[str], str]:
        before, _, given = self.subscripts.partition("->")
        return before.split(","), given

    def _sizes(self, shapes: Sequence[Shape]) -> dict[str, int | None]:
        """The size of every letter."""
        taken, _ = self._letters()
        sizes: dict[str, int | None] = {}
        if len(taken) != len(shapes):
            raise ShapeError(
                f"`{self.subscripts}` has {len(taken)} inputs, got {len(shapes)}",
                help="name an input for each in `from`",
            )
        for letters, shape in zip(taken, shapes, strict=True):
            if len(letters) != len(shape):
                raise ShapeError(f"`{letters}` of `{self.subscripts}` does not fit an input of {show_shape(shape)}")
            for letter, size in zip(letters, shape, strict=True):
                before = sizes.setdefault(letter, size)
                if None not in (before, size) and before != size:
                    raise ShapeError(
                        f"`{letter}` of `{self.subscripts}` is {before} in one input and {size} in another"
                    )
                sizes[letter] = size if before is None else before
        return sizes

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        sizes = self._sizes(shapes)
        return (None, *(sizes[letter] for letter in self._letters()[1][1:]))

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        taken, given = self._letters()
        sizes = self._sizes(shapes)
        every = math.prod(sizes[letter] or 1 for letter in sizes if letter != given[0])
        return every * (len(taken) - 1 + (len(sizes) > len(given)))

    def masked_axes(self, masked: Sequence[int], shapes: Sequence[Shape | None]) -> int:
        taken, given = self._letters()
        letters = {letter for own, covered in zip(taken, masked, strict=False) for letter in own[1 : covered + 1]}
        summed = next((letter for letter in sorted(letters) if letter not in given), None)
        if summed:
            raise MaskError(
                f"`{self.subscripts}` adds up along `{summed}`, which has a mask",
                help="write `attention`, which leaves out what is masked, or put `einsum` above the mask",
            )
        if letters != set(given[1 : len(letters) + 1]):
            raise MaskError(
                f"`{self.subscripts}` puts an axis that has a mask behind one that has none",
                help="let it come out directly behind the batch",
            )
        return len(letters)

    def operate(self, inputs: Sequence[Any], masks: Masks) -> Any:
        from keras import ops

        return ops.einsum(self.subscripts, *inputs)

    def mask(self, inputs: Sequence[Any], masks: Masks, output: Any) -> Any:
        from keras import ops

        taken, given = self._letters()
        every = []
        for letters, mask in zip(taken, masks, strict=True):
            if mask is not None:
                own = letters[: len(mask.shape)]
                order = sorted(own, key=given.index)
                placed = ops.transpose(mask, [own.index(letter) for letter in order])
                for place in range(given.index(order[-1])):
                    if given[place] not in order:
                        placed = ops.expand_dims(placed, place)
                every.append(placed)
        return all_of(every, output)
