"""Masks as Keras hands them on: which places of the first axes behind the batch are there. Tensors, no layers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any


def mask_of(x: Any) -> Any:
    """The mask that Keras has of a tensor; None: it has none."""
    return getattr(x, "_keras_mask", None)


def with_mask(x: Any, mask: Any) -> Any:
    """The tensor, with a mask that the layers above it take."""
    if mask is not None:
        x._keras_mask = mask
    return x


def called(built: Any, x: Any, **more: Any) -> Any:
    """What a Keras layer makes of a tensor, whose mask it is given by name.

    Keras writes a mask that it hands on by itself into the network only where the tensor has the layer's type, and
    otherwise takes that of the values as they run, which operations do not hand on.

    Args:
        more: further arguments of the call.
    """
    mask = mask_of(x)
    takes_mask = mask is not None and "mask" in inspect.signature(built.call).parameters
    return built(x, mask=mask, **more) if takes_mask else built(x, **more)


def without_masks(inputs: Sequence[Any]) -> list[Any]:
    """The same tensors; Keras does not look at the masks that some have."""
    from keras import ops

    return [x if mask_of(x) is None else ops.copy(x) for x in inputs]


def behind_batch(mask: Any, more: int) -> Any:
    """A mask with some axes of size 1 more behind the batch."""
    from keras import ops

    for _ in range(more):
        mask = ops.expand_dims(mask, 1)
    return mask


def over(mask: Any, x: Any) -> Any:
    """A mask with as many axes as a tensor has, those behind its own of size 1."""
    from keras import ops

    for _ in range(len(x.shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    return mask


def low_where_masked(x: Any, mask: Any) -> Any:
    """A tensor with a number in masked places that a softmax turns into 0."""
    from keras import ops

    return ops.where(over(mask, x), x, -3e4 if x.dtype == "float16" else -1e9)


def full(mask: Any, covered: int, x: Any) -> Any:
    """A mask over as many axes of a tensor, of their sizes; where there is no mask, everything is there."""
    from keras import ops

    ones = ops.ones_like(x[(..., *[0] * (len(x.shape) - covered - 1))], dtype="bool")
    if mask is None:
        return ones
    for _ in range(covered + 1 - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    same = None not in mask.shape[1:] and mask.shape[1:] == ones.shape[1:]
    return mask if same else ops.logical_and(mask, ones)


def any_of(masks: Sequence[Any], x: Any) -> Any:
    """A mask over a tensor in which a place is there that is so in one of some masks, as Keras merges them."""
    from keras import ops

    covered = max(len(mask.shape) for mask in masks) - 1
    first, *rest = [full(mask, covered, x) for mask in masks]
    for mask in rest:
        first = ops.logical_or(first, mask)
    return first


def all_of(masks: Sequence[Any], x: Any) -> Any:
    """A mask over a tensor in which a place is there that is so in each of some masks."""
    from keras import ops

    covered = max(len(mask.shape) for mask in masks) - 1
    first, *rest = [full(mask, covered, x) for mask in masks]
    for mask in rest:
        first = ops.logical_and(first, mask)
    return first
