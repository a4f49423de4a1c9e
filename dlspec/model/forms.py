"""The end of a network that gives each number by several values: its quantiles, or a mixture."""

from __future__ import annotations

from typing import Any, Protocol

from dlspec.model.mixtures import mixture_parameters, start_with_spread
from dlspec.model.quantiles import ascending, start_with_normal


class ByValues(Protocol):
    """An output, or a target: what its numbers are given by. One of both is there.

    Args:
        levels: of quantiles.
        mixture: how many components a mixture has.
        start: mean and deviation of what an untrained network gives.
    """

    @property
    def levels(self) -> tuple[float, ...]: ...

    @property
    def mixture(self) -> int | None: ...

    @property
    def start(self) -> tuple[float, float]: ...


def start_near(dense: Any, output: ByValues) -> None:
    """Sets the biases of the built dense layer below `by_values`, so that an untrained network gives about the
    distribution of scaled numbers."""
    if output.mixture:
        start_with_spread(dense, output.mixture, *output.start)
    else:
        start_with_normal(dense, output.levels, *output.start)


def by_values(x: Any, output: ByValues) -> Any:
    """What the dense layer gives, (batch, ..., numbers * values), as (batch, ..., numbers, values)."""
    return mixture_parameters(x, output.mixture) if output.mixture else ascending(x, len(output.levels))


def layer_below(network: Any) -> str | None:
    """The name of the dense layer whose values `by_values` takes, at the end of a Keras network; None: it ends in
    something else."""
    import keras

    operation, node, _ = network.outputs[0]._keras_history
    if isinstance(operation, keras.Layer) or type(operation).__name__ not in ("Cumsum", "Concatenate"):
        return None
    while not isinstance(operation, keras.Layer):
        operation, node, _ = operation._inbound_nodes[node].input_tensors[0]._keras_history
    return str(operation.name)
