"""Units of a code that a network does not use: their distribution is the standard normal whatever comes in."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.model.graph import Graph
from dlspec.model.layers.sampling import samplings

Array = np.ndarray

COLLAPSED = 0.01
"""A unit of a code says nothing whose divergence stays below."""
MOST_NAMED = 20


def collapsed_units(graph: Graph, network: Any, inputs: Array) -> list[str]:
    """What to say of codes some of whose units have collapsed.

    Args:
        inputs: samples that the network is looked at with.
    """
    found = []
    for layer in samplings(graph):
        each = divergence_of_units(network, layer.name, inputs)
        low = np.flatnonzero(each < COLLAPSED)
        if len(low):
            found.append(_sentence(layer.name, each, low))
    return found


def divergence_of_units(network: Any, name: str, inputs: Array) -> Array:
    """The divergence of each unit of a code from the standard normal, (units,): the mean over samples, and the sum over
    the axes in front of the units."""
    import keras

    from dlspec.model.sampling_layer import divergence
    from dlspec.training.values import predict

    taken = keras.Model(network.inputs, network.get_layer(name).input)
    mean, log_var = (predict(keras.Model(taken.inputs, tensor), inputs) for tensor in taken.outputs)
    each = keras.ops.convert_to_numpy(divergence(mean.astype("float64"), log_var.astype("float64")))
    return each.mean(axis=0).reshape(-1, each.shape[-1]).sum(axis=0)


def _sentence(name: str, each: Array, low: Array) -> str:
    named = [f"{place + 1}" for place in low[:MOST_NAMED]]
    more = f" and {len(low) - MOST_NAMED:,} more" if len(low) > MOST_NAMED else ""
    which = f"unit {named[0]}" if len(low) == 1 else f"units {', '.join(named)}{more}"
    has = "has" if len(low) == 1 else "have"
    return (
        f"{len(low)} of {len(each)} units of the code `{name}` {has} collapsed ({which}): the divergence from the "
        f"standard normal is below {COLLAPSED:g}, so that nothing of the input comes through. Fewer units, or a "
        "smaller `kl`, may help."
    )
