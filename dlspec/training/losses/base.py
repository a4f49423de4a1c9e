"""What all losses have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from dlspec.language.fields import FloatType
from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.model.keras_kind import KerasKind

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.forms import Form
    from dlspec.data.signature import Target

Sort = Literal["number", "binary", "class"]


class Loss(KerasKind):
    """What training makes small.

    With `reduction: sum` the loss of a batch is not divided by its size; `mean_with_sample_weight` divides by the sum
    of the class weights.
    """

    module: ClassVar = "losses"
    of: ClassVar[tuple[Sort, ...]]
    """What it can compare: a `number`, a `class` of several, or a `binary` one of two, for which one unit gives the
    probability."""
    one_hot: ClassVar[bool] = False
    """Whether a class of several is given to it as a vector of zeros and a one."""
    scales: ClassVar[tuple[str, ...]] = ("standard", "min_max", "robust", "none")
    """Ways to scale a number that it makes sense for, the best first."""
    of_shares: ClassVar[bool] = False
    """Whether it also compares a number between 0 and 1 with an output between them."""
    positive: ClassVar[bool] = False
    """Whether neither target nor output may be negative."""

    reduction: Literal["sum_over_batch_size", "sum", "mean_with_sample_weight"] = "sum_over_batch_size"
    dtype: FloatType | None = None

    of_form: ClassVar[Form] = "value"
    """What it compares a number with: one value, quantiles of it, or a mixture."""
    aligns: ClassVar[bool] = False
    """Whether it compares a text with what is said of it at each timestep, and nothing else."""
    fitted: ClassVar[Literal["class_means", "distance"] | None] = None
    """How the weights of `output` are computed after training, where the loss is of what comes to it; None: they are
    trained."""

    @property
    def of_batch(self) -> bool:
        """Whether it is of a batch as a whole, and not the mean over its samples."""
        return self.reduction == "sum"

    @property
    def divides_by_weights(self) -> bool:
        """Whether the loss of a batch is divided by what its samples weigh, so that batches count by that."""
        return self.reduction == "mean_with_sample_weight"

    @property
    def weighs_samples(self) -> bool:
        """Whether each sample can count more or less."""
        return True

    @property
    def of_each_place(self) -> bool:
        """Whether it is the mean of what it is at each place, of which some may be left out."""
        return True

    def fits(self, target: Target) -> bool:
        """Whether it can compare what a network puts out with the target."""
        if self.aligns or target.aligned:
            return self.aligns and target.aligned
        if self.of_form != "value" or target.form != "value":
            return self.of_form == target.form
        shares = self.of_shares and target.kind == "number"
        return shares or target.loss_of in self.of or (target.inside and "binary" in self.of)

    def build_for(self, target: Target) -> Any:
        """The Keras loss of a network that predicts the target."""
        return self.build()

    def encode(self, targets: np.ndarray, units: int) -> np.ndarray:
        """Targets of a network with so many output units, as the Keras loss compares them."""
        import numpy as np

        if not self.one_hot or targets.dtype.kind != "i":
            return targets
        found = np.eye(units, dtype="float32")[targets]
        found[targets < 0] = -1  # a place that does not count
        return found


LOSSES: Registry[Loss] = Registry("loss", "dlspec.training.losses", left_out=left_out("losses"), lazy=True)
AnyLoss = Annotated[Loss, OneOf(LOSSES)]
