"""What comes out of Keras layers whose last state other layers begin with: a list, the states behind the output."""

from __future__ import annotations

from typing import Any


def output_of(layer: Any) -> Any:
    """The tensor that comes out of a Keras layer, without its states."""
    return layer.output[0] if gives_states(layer) else layer.output


def without_states(layer: Any, values: Any) -> Any:
    """What a Keras layer gave where it was called, without its states."""
    return values[0] if gives_states(layer) else values


def gives_states(layer: Any) -> bool:
    """Whether a Keras layer gives its states beside its output."""
    return bool(getattr(layer, "return_state", False))


def takes_states(layer: Any) -> bool:
    """Whether a Keras layer of a network begins with the states of another one."""
    return any(node.arguments.kwargs.get("initial_state") is not None for node in layer._inbound_nodes)
