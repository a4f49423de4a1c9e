"""What is done while the whole network is trained, besides training it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import (
    Flag,
    Fraction,
    NonNegativeInt,
    NonNegativeNumber,
    PositiveInt,
    Primary,
    Text,
    either,
    mistake,
)
from dlspec.runtime.packages import require
from dlspec.training.callbacks.base import CALLBACKS, Callback, Monitor, RunPath


@CALLBACKS.register
class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when `monitor` has not got better for `patience` epochs.

    Better is by more than `min_delta`. Then it waits for `cooldown` epochs; the rate never falls below `min_lr`.
    """

    also: ClassVar = ("reduce_on_plateau", "reducelronplateau")
    state = ("best", "wait", "cooldown_counter")
    monitor: Monitor = "val_loss"
    factor: Fraction = Primary(0.1, description="what the learning rate is multiplied by")
    patience: NonNegativeInt = 10
    mode: Literal["auto", "min", "max"] = "auto"
    min_delta: NonNegativeNumber = 0.0001
    cooldown: NonNegativeInt = 0
    min_lr: NonNegativeNumber = 0.0
    examples: ClassVar = ["reduce_lr_on_plateau", {"reduce_lr_on_plateau": {"factor": 0.5, "patience": 3}}]


@CALLBACKS.register
class TerminateOnNan(Callback):
    """Ends training, instead of the whole run with an error, when the loss is no finite number.

    `early_stopping` then still goes back to the best weights. With `raise_error` the run ends, as it does without this
    callback.
    """

    keras_name = "TerminateOnNaN"
    raise_error: Flag = False
    examples: ClassVar = ["terminate_on_nan", {"terminate_on_nan": {"raise_error": True}}]

    def ends_at_nan(self) -> bool:
        return not self.raise_error

    def build(self) -> Any:
        return self.keras_class()(raise_error=self.raise_error)


@CALLBACKS.register
class SwapEMAWeights(Callback):
    """Measures the held-out loss with the running average of the weights, which the optimizer keeps with `use_ema`
    (Polyak and Juditsky, 1992).

    With `swap_on_epoch` they stay in the network until the next epoch begins, for callbacks that follow.
    """

    swap_on_epoch: Flag = False
    examples: ClassVar = ["swap_ema_weights", {"swap_ema_weights": {"swap_on_epoch": True}}]

    def before_end(self, built: Any) -> None:
        built.on_epoch_begin(0)  # else the optimizer would end with the weights that were swapped out


def _batches(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and value[0] > value[1]:
        raise mistake(
            "wrong-value",
            f"`profile_batch` begins at {value[0]} and ends at {value[1]}",
            help=f"write `profile_batch: [{value[1]}, {value[0]}]`",
        )
    return value


@CALLBACKS.register
class TensorBoard(Callback):
    """Writes losses, learning rate and graph for TensorBoard into the folder `log_dir` of the run.

    Every `histogram_freq` epochs also the weights, every `embeddings_freq` epochs the embeddings (0: never); losses
    every epoch, every batch or every so many batches (`update_freq`). `profile_batch` profiles a batch, or those from
    the first to the second number.
    """

    also: ClassVar = ("tensorboard",)
    state = ("_global_train_batch", "_global_test_batch")
    log_dir: RunPath = "logs"
    histogram_freq: NonNegativeInt = 0
    write_graph: Flag = True
    write_images: Flag = False
    write_steps_per_second: Flag = False
    update_freq: Annotated[
        Literal["epoch", "batch"] | PositiveInt, either("`epoch`, `batch` or a number of batches")
    ] = "epoch"
    profile_batch: Annotated[
        NonNegativeInt | Annotated[list[PositiveInt], Field(min_length=2, max_length=2)],
        either("the number of a batch, or of the first and the last one"),
    ] = 0
    embeddings_freq: NonNegativeInt = 0
    embeddings_metadata: Annotated[
        RunPath | dict[Text, RunPath] | None, either("a file in `log_dir`, or one for each embedding layer by its name")
    ] = None
    examples: ClassVar = ["tensor_board", {"tensor_board": {"histogram_freq": 1, "update_freq": "batch"}}]

    def model_post_init(self, context: object) -> None:
        _batches(self.profile_batch)
        if self.embeddings_metadata is not None and not self.embeddings_freq:
            raise mistake(
                "missing-key",
                "`embeddings_metadata` needs `embeddings_freq`: after how many epochs embeddings are written",
                help="add `embeddings_freq: 1`",
                at="key",
            )
        if self.write_images and not self.histogram_freq:
            raise mistake(
                "missing-key",
                "`write_images` needs `histogram_freq`: after how many epochs weights are written",
                help="add `histogram_freq: 1`",
                at="key",
            )

    def build_in(self, folder: Path) -> Any:
        require("tensorboard", what="`tensor_board`")
        logs = folder / self.log_dir
        (logs / "train").mkdir(parents=True, exist_ok=True)
        return self.keras_class()(**{**self.arguments(), "log_dir": str(logs)})
