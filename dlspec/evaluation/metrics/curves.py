"""What is traded for what as the threshold moves; computed by Keras at so many thresholds.

Of two classes the second one is looked for. Of more, every class is looked for in every sample, unless `class_id` names
one by its number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict

from dlspec.evaluation.metrics.base import METRICS, Metric
from dlspec.evaluation.metrics.decisions import columns, unknown_class
from dlspec.language.fields import Flag, NonNegativeInt, NonNegativeNumber, Primary, Share

if TYPE_CHECKING:
    import numpy as np

    from dlspec.evaluation.metrics.base import Naive, Weights

    Array = np.ndarray

AtLeastTwo = Annotated[int, Strict(), Field(ge=2)]


class Curve(Metric):
    """A metric that Keras computes."""

    of, of_labels, better, bounds, slow = "class", True, "higher", (0, 1), True

    def keras_arguments(self) -> dict[str, Any]:
        """What the Keras class is called with."""
        return {key: value for key, value in self.arguments().items() if key != "class_id"}

    def counts_of(self, there: Array, weights: Array) -> Array:
        """How much each decision counts, as Keras takes it, (samples, classes looked for) or (samples,)."""
        import numpy as np

        each = (weights / weights.mean()).astype("float32")
        if getattr(self, "multi_label", False):
            return each
        return np.broadcast_to(each[:, None], there.shape)

    def compute(self, truth: Array, predicted: Array, naive_error: Naive = None, weights: Weights = None) -> float:
        import keras

        there, probability = columns(truth, predicted, getattr(self, "class_id", None))
        metric = getattr(keras.metrics, self.keras_names[0])(**self.keras_arguments())
        counts = None if weights is None else self.counts_of(there, weights)
        metric.update_state(there.astype("float32"), probability.astype("float32"), sample_weight=counts)
        return float(metric.result())


@METRICS.register
class AUC(Curve):
    """Area under the ROC curve, the probability that a sample of the class is ranked above one of another (Hanley and
    McNeil, 1982); or with `curve: PR` under precision over recall.

    `multi_label` takes the mean over the classes, weighed by `label_weights`, instead of all decisions together.
    """

    label = "AUC"
    also: ClassVar = ("roc_auc", "roc_auc_score")
    keras_names = ("AUC",)
    num_thresholds: AtLeastTwo = 200
    curve: Literal["ROC", "PR", "PRGAIN"] = "ROC"
    summation_method: Literal["interpolation", "minoring", "majoring"] = "interpolation"
    thresholds: Annotated[list[Share], Field(min_length=1)] | None = None
    multi_label: Flag = False
    label_weights: Annotated[list[NonNegativeNumber], Field(min_length=1)] | None = None
    examples: ClassVar = ["auc", {"auc": {"curve": "PR"}}, {"auc": {"multi_label": True}}]

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        if self.multi_label and classes == 2 and not labels:
            return "`multi_label` takes the mean over classes, and of two only one is looked for", "leave it out"
        if self.label_weights is not None and not self.multi_label:
            return "`label_weights` are for the mean over classes", "add `multi_label: true`"
        if self.label_weights is not None and len(self.label_weights) != classes:
            return f"there are {len(self.label_weights)} `label_weights` for {classes} classes", "write one for each"
        return None


class AtPoint(Curve):
    """One end of a trade, where the other has the value that is asked for."""

    unit = "percent"
    num_thresholds: Annotated[int, Strict(), Field(ge=1)] = 200
    class_id: NonNegativeInt | None = None

    def refuses(self, classes: int, *, labels: bool = False) -> tuple[str, str] | None:
        return unknown_class(self.class_id, classes)


@METRICS.register
class PrecisionAtRecall(AtPoint):
    """The best precision at which `recall` is reached."""

    label = "Precision at recall"
    keras_names = ("PrecisionAtRecall",)
    recall: Share = Primary(description="the recall to reach")
    examples: ClassVar = [{"precision_at_recall": 0.9}]


@METRICS.register
class RecallAtPrecision(AtPoint):
    """The best recall at which `precision` is reached."""

    label = "Recall at precision"
    keras_names = ("RecallAtPrecision",)
    precision: Share = Primary(description="the precision to reach")
    examples: ClassVar = [{"recall_at_precision": 0.9}]


@METRICS.register
class SensitivityAtSpecificity(AtPoint):
    """The best share of the class that is found at which `specificity`, the share of the others left alone, is
    reached."""

    label = "Sensitivity at specificity"
    keras_names = ("SensitivityAtSpecificity",)
    specificity: Share = Primary(description="the specificity to reach")
    examples: ClassVar = [{"sensitivity_at_specificity": 0.9}]


@METRICS.register
class SpecificityAtSensitivity(AtPoint):
    """The best share of the others left alone at which `sensitivity`, the share of the class that is found, is
    reached."""

    label = "Specificity at sensitivity"
    keras_names = ("SpecificityAtSensitivity",)
    sensitivity: Share = Primary(description="the sensitivity to reach")
    examples: ClassVar = [{"specificity_at_sensitivity": {"sensitivity": 0.9, "class_id": 1}}]
