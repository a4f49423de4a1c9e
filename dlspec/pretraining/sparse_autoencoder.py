"""A layer learns to give back its input through a code in which few units are active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict

from dlspec.language.fields import PositiveNumber
from dlspec.pretraining.autoencoder import Tying
from dlspec.pretraining.base import PRETRAINING, Refusal
from dlspec.training.plan import StagePlace

if TYPE_CHECKING:
    from dlspec.pretraining._reconstruction import Penalty

Target = Annotated[float, Strict(), Field(gt=0, lt=1)]


@PRETRAINING.register
class SparseAutoencoder(Tying):
    """An autoencoder whose code pays for activity, so that each input is told by a few units.

    With `penalty: kl` every unit j pays the Kullback-Leibler divergence between `sparsity_target` r and its mean
    activation q over the batch, r log(r / q) + (1 - r) log((1 - r) / (1 - q)), for which its activation must lie in
    [0, 1] (Ng, 2011; Lee et al., 2008). With `penalty: l1` the code h pays sum |h|. Either is summed over the units and
    multiplied by `sparsity_weight`.
    """

    examples: ClassVar = [
        {"method": "sparse_autoencoder", "sparsity_target": 0.05},
        {"method": "sparse_autoencoder", "penalty": "l1", "sparsity_weight": 0.1},
    ]

    penalty: Literal["kl", "l1"] = Field("kl", description="`kl`, or `l1`")
    sparsity_target: Target | None = Field(
        None, description="the mean activation that units shall have with `kl`; 0.05, if left out"
    )
    sparsity_weight: PositiveNumber = Field(1.0, description="how much the penalty counts beside the error")

    def refuses(self, place: StagePlace) -> Refusal | None:
        if self.penalty == "l1" and self.sparsity_target is not None:
            said = "`sparsity_target` is for `penalty: kl`; with `l1` there is only `sparsity_weight`"
            return Refusal(said, "sparsity_target", "remove `sparsity_target`, or write `penalty: kl`")
        last = place.code[-1]
        if self.penalty == "kl" and not last.in_unit_interval(False):
            named = getattr(last, "activation", None) or last.type_name
            said = f"`sparsity_target` is for units between 0 and 1, and `{place.layer.type_name}` ends in `{named}`"
            at = "sparsity_target" if self.sparsity_target is not None else "method"
            l1 = "`penalty: l1`" if self.sparsity_target is None else "`penalty: l1` without `sparsity_target`"
            return Refusal(said, at, f"write `activation: sigmoid` in the layer, or {l1}")
        return super().refuses(place)

    def code_penalty(self, place: StagePlace) -> Penalty | None:
        from keras import ops

        from dlspec.pretraining._reconstruction import Penalty
        from dlspec.pretraining._stage_model import summed

        target = self.sparsity_target or 0.05

        def divergence(model: Any, x: Any, code: Any, drawn: Any) -> Any:
            q = ops.clip(ops.mean(code, axis=0), 1e-6, 1 - 1e-6)
            return ops.sum(target * ops.log(target / q) + (1 - target) * ops.log((1 - target) / (1 - q)))

        def size(model: Any, x: Any, code: Any, drawn: Any) -> Any:
            return ops.mean(summed(ops.abs(code)))

        return Penalty("sparsity", self.sparsity_weight, divergence if self.penalty == "kl" else size)
