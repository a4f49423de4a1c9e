"""Losses that compare samples with each other: the distance of two, or the codes of all samples of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from dlspec.data.features.base import truth_of
from dlspec.language.fields import PositiveNumber, Primary, Text
from dlspec.training.losses.base import LOSSES, Loss

if TYPE_CHECKING:
    from dlspec.data.signature import Target


def _as_label(value: Any) -> Any:
    """A whole number as the label of a class, which is text."""
    return str(value) if type(value) is int else value


Mining = Literal["semi_hard", "hard", "all"]
Metric = Literal["squared_euclidean", "euclidean"]


class Comparing(Loss):
    """Base of the losses of what comes to `output`, whose own weights are computed after training."""

    keras_names: ClassVar[tuple[str, ...]] = ()
    """Keras has none of them."""

    reduction: Literal["sum_over_batch_size"] = "sum_over_batch_size"
    dtype: Literal["float32", "float64"] | None = None

    @classmethod
    def keras_class(cls) -> Any:
        from dlspec.training import pair_losses

        return getattr(pair_losses, cls.__name__)


@LOSSES.register
class Contrastive(Comparing):
    """Contrastive loss of the distance d of two inputs: d^2 for a pair of the same, max(0, margin - d)^2 for a pair of
    different ones (Hadsell, Chopra and LeCun, 2006).

    The layer below `output` gives d, such as `distance`. `output` makes a probability of it: its two weights are those
    of a logistic regression on the distances of the validation part (of the training part where there is none), fitted
    after training (Platt, 1999).
    """

    of = ("binary",)
    fitted: ClassVar[Literal["class_means", "distance"] | None] = "distance"
    examples: ClassVar = [
        {"contrastive": {"margin": 1.0, "same": "yes"}},
        {"contrastive": 2.0},
    ]

    margin: PositiveNumber = Primary(1.0, description="distance beyond which different pairs no longer count")
    same: Annotated[Text | None, BeforeValidator(_as_label)] = Field(
        None, description="the class of pairs of the same; of classes such as yes and no, or 1 and 0, the first of them"
    )

    def same_of(self, classes: tuple[str, ...]) -> str | None:
        """The class of pairs of the same; None: the spec has to say it."""
        return self.same if self.same is not None else truth_of(classes)

    def build_for(self, target: Target) -> Any:
        return self.keras_class()(
            margin=self.margin,
            same=float(target.classes.index(self.same_of(target.classes) or target.classes[-1])),
            reduction=self.reduction,
            dtype=self.dtype,
        )


@LOSSES.register
class Triplet(Comparing):
    """Triplet loss of the codes of a batch: max(0, margin + distance(anchor, positive) - distance(anchor, negative)),
    a positive being of the class of the anchor and a negative of another (Schroff, Kalenichenko and Philbin, 2015).

    `mining` says which triplets of a batch count: with `semi_hard`, of each pair of a class, the nearest negative that
    lies farther away than the positive, or the farthest one where none does; with `hard`, of each anchor, the farthest
    positive and the nearest negative (Hermans, Beyer and Leibe, 2017); with `all` every triplet. The loss of a batch is
    the mean over these, and 0 where there is none.

    The layer below `output` gives the codes. `output` gives the probabilities of the class means (Snell, Swersky and
    Zemel, 2017): the softmax of minus the squared distance to the mean code of each class in the training part, times a
    factor by which the log loss of the validation part is smallest. Its weights are computed after training.
    """

    of = ("binary", "class")
    fitted: ClassVar[Literal["class_means", "distance"] | None] = "class_means"
    examples: ClassVar = [
        {"triplet": {"margin": 0.2, "mining": "semi_hard"}},
        {"triplet": {"mining": "hard", "distance": "euclidean"}},
    ]

    margin: PositiveNumber = Primary(0.2, description="by how much farther away a negative must lie than a positive")
    mining: Mining = Field("semi_hard", description="which triplets of a batch count")
    distance: Metric = Field("squared_euclidean", description="how far apart two codes are")

    @property
    def of_batch(self) -> bool:
        return True

    @property
    def weighs_samples(self) -> bool:
        return False
