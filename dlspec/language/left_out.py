"""What Keras's modules of small parts have and the spec language has not, with the reason.

A test compares both with the installed Keras, so that a new release shows what is new in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dlspec.language.registry import snake_case

_BASE = "it is a base class, which nothing can be built of"
_CODE = "a spec holds no code; write a plugin"
_ITSELF = "dlspec does that by itself"
_LABELS = "labels are class numbers here, and"
_OUTPUT = "an output is one number, or one probability for each class"

LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "activations": {
        "glu": "it halves the last axis, which no layer expects of its activation",
        "threshold": "it has arguments without defaults; the layer `relu` takes a `threshold`",
        "hard_swish": "write `hard_silu`, the same function",
        "swish": "write `silu`, the same function",
        "get": "it looks others up",
        "serialize": "it writes others down",
        "deserialize": "it reads others",
    },
    "initializers": {"Initializer": _BASE},
    "regularizers": {"Regularizer": _BASE},
    "constraints": {"Constraint": _BASE},
    "losses": {
        "Loss": _BASE,
        "Circle": f"it compares embeddings, and {_OUTPUT}",
    },
    "metrics": {
        "Metric": _BASE,
        "MeanMetricWrapper": _CODE,
        "Mean": "it is of values, not of predictions",
        "Sum": "it is of values, not of predictions",
        "OneHotIoU": f"{_LABELS} `iou` is the same",
        "OneHotMeanIoU": f"{_LABELS} `mean_iou` is the same",
        "KLDivergence": "of labels it equals `log_loss`",
    },
    "optimizers": {
        "Optimizer": _BASE,
        "LossScaleOptimizer": "it wraps another optimizer; `loss_scale_factor` of any optimizer scales the loss",
        "MultiOptimizer": "it takes functions that choose weights; `trainable: false` freezes a layer",
    },
    "optimizers.schedules": {"LearningRateSchedule": _BASE},
    "callbacks": {
        "Callback": _BASE,
        "CallbackList": _BASE,
        "BackupAndRestore": f"{_ITSELF}: `dlspec run --resume` goes on where a run stopped",
        "CSVLogger": f"{_ITSELF}: `history.csv` has a row for every epoch",
        "EarlyStopping": "write `early_stopping: {patience: 5}` under `train`",
        "History": f"{_ITSELF}: `history.csv` has a row for every epoch",
        "LambdaCallback": _CODE,
        "LearningRateScheduler": f"{_CODE}; `schedule` under `train` changes the learning rate",
        "ModelCheckpoint": f"{_ITSELF}; `early_stopping` goes back to the best weights",
        "OrbaxCheckpoint": f"{_ITSELF}; `early_stopping` goes back to the best weights",
        "ProgbarLogger": f"{_ITSELF}: the command line shows how far it is",
        "RemoteMonitor": "training sends nothing to other machines",
    },
}
"""Module of Keras -> its name -> why there is none."""

ARGUMENTS_LEFT_OUT: Mapping[str, str] = {
    "*.name": "it names an object of Python",
    "*.verbose": "the command line shows what happens",
    "layers.*.weights": "weights are learnt; `pretrain` and `resume` bring those of another run",
    "layers.*.quantization_config": "it is an object of Python; export quantizes",
    "layers.*.return_state": "a layer has one output here",
    "layers.*.stateful": "the state would go from one shuffled batch to the next",
    "layers.*.sparse": "other layers do not take sparse tensors",
    "layers.*.autocast": "`dtype` says it",
    "layers.Discretization.epsilon": "it says how exactly boundaries are learnt, and a spec gives them",
    "layers.Discretization.num_bins": "boundaries are given by `bin_boundaries`, not learnt from the data",
    "layers.EinsumDense.gptq_unpacked_column_size": "it belongs to quantization, which export does",
    "layers.IntegerLookup.vocabulary_dtype": "Keras takes int64 alone",
    "layers.TextVectorization.ragged": "other layers do not take ragged tensors",
    "layers.*.flash_attention": "TensorFlow has no such kernel",
    "losses.*.from_logits": "an output gives probabilities here",
    "losses.BinaryCrossentropy.axis": "an output has one axis",
    "losses.BinaryFocalCrossentropy.axis": "an output has one axis",
    "losses.CategoricalCrossentropy.axis": "an output has one axis",
    "losses.CategoricalFocalCrossentropy.axis": "an output has one axis",
    "losses.SparseCategoricalCrossentropy.axis": "an output has one axis",
    "losses.CosineSimilarity.axis": "an output has one axis",
    "metrics.*.dtype": "metrics are computed in double precision",
    "metrics.*.from_logits": "an output gives probabilities here",
    "metrics.*.axis": "an output has one axis",
    "metrics.*.label_smoothing": "smoothing helps training, and would make the figure incomparable",
    "metrics.*.num_classes": "the target has them",
    "metrics.*.sparse_y_true": "labels are class numbers",
    "metrics.*.sparse_y_pred": "predictions are probabilities",
    "metrics.AUC.num_labels": "the target has them",
    "metrics.R2Score.class_aggregation": "a target is one number",
    "metrics.SparseCategoricalCrossentropy.ignore_class": "every sample counts",
    "metrics.SparseTopKCategoricalAccuracy.from_sorted_ids": "predictions are probabilities",
    "optimizers.schedules.*.initial_learning_rate": "it is the optimizer's `learning_rate`",
}
"""Argument, of a class or of any (`*`) -> why it cannot be written."""


def why_no_argument(module: str, names: Iterable[str], key: str) -> str | None:
    """Why an argument of classes of a module of Keras cannot be written; None: there is no such reason."""
    places = [f"{module}.{name}.{key}" for name in names]
    return next((why for at in (*places, f"{module}.*.{key}", f"*.{key}") if (why := ARGUMENTS_LEFT_OUT.get(at))), None)


def left_out(module: str) -> dict[str, str]:
    """Of a module, the names in snake case -> why there is none."""
    return {snake_case(name.replace("IoU", "Iou")): reason for name, reason in LEFT_OUT[module].items()}
