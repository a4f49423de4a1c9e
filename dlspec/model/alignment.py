"""What a network says of a text at each timestep: the logits of the blank and of each item."""

from __future__ import annotations

from typing import Any

BLANK = 0
"""The class of the blank, as in Keras."""
NEVER = -1e4
"""The logit of what is never said; its probability is 0 in float32."""


def blank_where_masked(logits: Any) -> Any:
    """Logits, (batch, timesteps, classes), with a certain blank at each timestep that is masked.

    So the probability of a text is that of the timesteps that are there, whoever computes it: Keras's own loss and
    decoders take no mask.
    """
    from keras import ops

    mask = getattr(logits, "_keras_mask", None)
    if mask is None:
        return logits
    never = ops.zeros_like(logits[..., 1:]) + NEVER
    blank = ops.concatenate([ops.zeros_like(logits[..., :1]), never], axis=-1)
    return ops.where(ops.expand_dims(mask, -1), logits, blank)


def logits_below(network: Any) -> Any:
    """The logits of a Keras network before `blank_where_masked`; None: nothing is masked."""
    operation, node, _ = network.outputs[0]._keras_history
    if type(operation).__name__ != "Where":
        return None
    tensor = operation._inbound_nodes[node].input_tensors[1]
    return tensor if getattr(tensor, "_keras_mask", None) is not None else None


def mask_of_timesteps(network: Any) -> Any:
    """The mask by which `blank_where_masked` tells timesteps apart, of a network as it was built; None: there is
    none."""
    logits = logits_below(network)
    return None if logits is None else logits._keras_mask
