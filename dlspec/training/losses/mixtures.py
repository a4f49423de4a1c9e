"""The loss of mixtures."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.language.fields import mistake
from dlspec.training.losses.base import LOSSES, Loss


@LOSSES.register
class NegativeLogLikelihood(Loss):
    """Minus the logarithm of the density that the `mixture` of an `output` has at what is true (Bishop, 1994), in nats,
    of a number in the mean.

    The density is of scaled numbers: in the target's units the loss is larger by the logarithm of what a unit of the
    scale is worth. It is computed in float32 at least, so that `dtype: float16` and `dtype: bfloat16` are refused.
    """

    of = ("number",)
    of_form = "mixture"
    keras_names: ClassVar[tuple[str, ...]] = ()
    """Keras has none."""
    also: ClassVar = ("mixture", "mixture_density", "log_likelihood", "gaussian_nll")
    examples: ClassVar = ["negative_log_likelihood"]

    def model_post_init(self, context: object) -> None:
        if self.dtype in ("float16", "bfloat16"):
            message = f"`negative_log_likelihood` is computed in float32 at least, got `{self.dtype}`"
            raise mistake("wrong-value", message, help="leave `dtype` out")

    @classmethod
    def keras_class(cls) -> Any:
        from dlspec.training.mixture_loss import NegativeLogLikelihood

        return NegativeLogLikelihood
