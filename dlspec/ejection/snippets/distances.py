"""How far apart two tensors are along the last axis."""

from keras import ops


def root(x):
    """The square root of what is never negative, without a gradient at 0, where it is infinitely steep."""
    above = ops.greater(x, 0)
    return ops.where(above, ops.sqrt(ops.where(above, x, 1.0)), x)


def length(x):
    """The Euclidean norm, and 1 of zeros."""
    squared = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return ops.sqrt(ops.where(ops.greater(squared, 0), squared, 1.0))


def distance(a, b, metric):
    """The distance, (batch, ..., 1), which is never negative."""
    if metric == "cosine":
        along = ops.sum(a * b, axis=-1, keepdims=True)
        return ops.maximum(1 - along / (length(a) * length(b)), 0)
    if metric == "manhattan":
        return ops.sum(ops.abs(a - b), axis=-1, keepdims=True)
    squared = ops.sum(ops.square(a - b), axis=-1, keepdims=True)
    return squared if metric == "squared_euclidean" else root(squared)
