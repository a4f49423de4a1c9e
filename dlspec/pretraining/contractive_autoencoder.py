"""A layer learns to give back its input through a code that hardly changes when the input does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from dlspec.language.fields import PositiveNumber
from dlspec.model.layers.activations import Activating
from dlspec.model.layers.base import LayerSpec
from dlspec.model.layers.core import Dense
from dlspec.pretraining.autoencoder import Tying
from dlspec.pretraining.base import PRETRAINING
from dlspec.training.plan import StagePlace

if TYPE_CHECKING:
    from dlspec.pretraining._reconstruction import Penalty

OVER_ALL = ("softmax", "log_softmax", "sparsemax")
"""Activations in which a unit depends on the others."""


@PRETRAINING.register
class ContractiveAutoencoder(Tying):
    """An autoencoder whose code pays for every direction in which it follows its input (Rifai et al., 2011).

    The penalty is the squared Frobenius norm of the Jacobian, sum_ij (dh_j / dx_i)^2, multiplied by `contraction`. Of
    dense units h = s(a), a = W x + b, it is sum_j s'(a_j)^2 sum_i W_ij^2; for the sigmoid s' = h (1 - h). Of other
    layers it is estimated from small steps in random directions e with variance 1 for each value,
    |h(x + d e) - h(x - d e)|^2 / (2 d)^2, whose mean it is.
    """

    passes = 2.5
    examples: ClassVar = [{"method": "contractive_autoencoder", "contraction": 0.1}]

    contraction: PositiveNumber = Field(0.1, description="how much the penalty counts beside the error")

    def code_penalty(self, place: StagePlace) -> Penalty | None:
        from dlspec.pretraining._contraction import estimated_norm, norm_of_dense
        from dlspec.pretraining._reconstruction import Penalty

        if acts_alone(place.code):
            return Penalty("jacobian_norm", self.contraction, norm_of_dense)
        return Penalty("jacobian_norm", self.contraction, *estimated_norm())


def acts_alone(code: tuple[LayerSpec, ...]) -> bool:
    """Whether each unit is a function of its own drive alone: a dense layer of vectors, with activations behind it."""
    first, *others = code
    plain = isinstance(first, Dense) and first.activation not in OVER_ALL
    return plain and all(
        isinstance(layer, Activating) and not layer.weighted and getattr(layer, "activation", None) not in OVER_ALL
        for layer in others
    )
