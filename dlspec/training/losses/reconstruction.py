"""Losses of a reconstruction that are sums over the values of a sample, as those of pretraining are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.training.losses.base import LOSSES, Loss

if TYPE_CHECKING:
    from dlspec.data.signature import Target


class Summed(Loss):
    """Base of the losses for `target: input` that are sums over all values of a sample, and means over samples."""

    keras_names: ClassVar[tuple[str, ...]] = ()
    """Keras has none of them."""

    def fits(self, target: Target) -> bool:
        return target.kind == "input" and super().fits(target)

    @classmethod
    def keras_class(cls) -> Any:
        from dlspec.training import summed_losses

        return getattr(summed_losses, cls.__name__)


@LOSSES.register
class SquaredError(Summed):
    """Sum of squared errors over the values of a sample, for `target: input`."""

    of = ("number",)
    examples: ClassVar = ["squared_error"]


@LOSSES.register
class CrossEntropy(Summed):
    """Sum of binary cross-entropies over the values of a sample, for `target: input` whose values lie in [0, 1]."""

    of = ("binary",)
    examples: ClassVar = ["cross_entropy"]
