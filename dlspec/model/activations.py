"""Functions that are applied to every value, or to the last axis."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from dlspec.language.fields import Text, mistake
from dlspec.language.left_out import left_out
from dlspec.language.words import did_you_mean, nearest

ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "tanh", "tanh_shrink",
)  # fmt: skip
"""Keras's activations that work on each value, or on the last axis, without arguments (not `glu`, `threshold`)."""

ALONG_LAST_AXIS = frozenset({"log_softmax", "softmax", "sparsemax"})
"""Activations that work on the last axis as a whole."""
UNIT_INTERVAL = frozenset({"hard_sigmoid", "sigmoid", "softmax", "sparse_sigmoid", "sparsemax"})
"""Activations whose values lie in [0, 1]."""


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        reason = left_out("activations").get(name)
        raise mistake(
            "unknown-activation",
            f"there is no activation `{name}`" + (f": {reason}" if reason else ""),
            help=None
            if reason
            else did_you_mean(
                name, ACTIVATIONS, otherwise="common ones are `relu`, `tanh`, `sigmoid`, `softmax`", find=nearest
            ),
            meant=nearest(name, ACTIVATIONS),
        )
    return name


ActivationName = Annotated[Text, AfterValidator(_known_activation)]
