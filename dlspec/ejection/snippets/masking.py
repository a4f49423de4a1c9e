"""Operations on sequences in which some timesteps only fill a sample up: Keras drops the mask at an operation."""

from keras import ops


def mask_of(x):
    """The mask of a tensor; None where it has none."""
    return getattr(x, "_keras_mask", None)


def with_mask_of(y, x):
    """`y` with the mask of `x`, which operations do not hand on."""
    y._keras_mask = x._keras_mask
    return y


def mask_over(x):
    """The mask of a tensor with as many axes as it has."""
    mask = x._keras_mask
    for _ in range(len(x.shape) - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    return mask


def low_where_masked(x):
    """A tensor with a number in place of what is masked that a softmax turns into 0."""
    return ops.where(mask_over(x), x, -3e4 if x.dtype == "float16" else -1e9)


def ones_where_masked(x):
    """A tensor with 1 in place of what is masked, where a logarithm or a root would be infinite or infinitely steep."""
    return ops.where(mask_over(x), x, 1.0)


def masked_reduction(name, x, axis, keepdims=False):
    """What `keras.ops` has under a name, along axes, without what is masked; 0 of a sample of nothing else."""
    there = ops.logical_and(mask_over(x), ops.ones_like(x, dtype="bool"))
    counted = ops.sum(ops.cast(there, x.dtype), axis=axis, keepdims=keepdims)
    some = ops.maximum(counted, 1)
    lowest = -6e4 if x.dtype == "float16" else -1e30
    if name == "var":
        kept, number = ops.where(there, x, 0.0), some
        for place in () if keepdims else axis:
            number = ops.expand_dims(number, place)
        off = ops.where(there, kept - ops.sum(kept, axis=axis, keepdims=True) / number, 0.0)
        reduced = ops.sum(ops.square(off), axis=axis, keepdims=keepdims) / some
    elif name == "mean":
        reduced = ops.sum(ops.where(there, x, 0.0), axis=axis, keepdims=keepdims) / some
    else:
        stands_in = {"sum": 0.0, "max": lowest, "min": -lowest, "logsumexp": lowest}[name]
        reduced = getattr(ops, name)(ops.where(there, x, stands_in), axis=axis, keepdims=keepdims)
    return ops.where(counted > 0, reduced, 0.0)
