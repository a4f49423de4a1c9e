"""The loss of quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.training.losses.base import LOSSES, Loss

if TYPE_CHECKING:
    from dlspec.data.signature import Target


@LOSSES.register
class Pinball(Loss):
    """Mean pinball loss of the `quantiles` of an `output` (Koenker and Bassett, 1978): of a quantile q the error, truth
    less predicted, times q where it is positive, and times q - 1 where it is negative. It is smallest where the share q
    of what is true lies below."""

    of = ("number",)
    of_form = "quantiles"
    keras_names: ClassVar[tuple[str, ...]] = ()
    """Keras has none."""
    also: ClassVar = ("pinball_loss", "quantile", "quantile_loss")
    examples: ClassVar = ["pinball"]

    @classmethod
    def keras_class(cls) -> Any:
        from dlspec.training.pinball_loss import Pinball

        return Pinball

    def build_for(self, target: Target) -> Any:
        return self.keras_class()(target.levels, **self.arguments())
