"""What all callbacks have in common."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from dlspec.language.fields import Text, mistake
from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.model.keras_kind import KerasKind

if TYPE_CHECKING:
    from collections.abc import Sequence


Monitor = Literal["val_loss", "loss"]
"""What training computes in every epoch."""


class Callback(KerasKind):
    """What is done while the whole network is trained."""

    module = "callbacks"
    state: ClassVar[tuple[str, ...]] = ()
    """Numbers of the Keras object that a stopped training needs to go on as if it had not been."""

    def build_in(self, folder: Path) -> Any:
        """The Keras callback, which writes below `folder` alone."""
        return self.build()

    def before_end(self, built: Any) -> None:
        """Is called when training ends, before averaged weights are put into the network."""

    def ends_at_nan(self) -> bool:
        """Whether training ends, without an error, when the loss is no finite number."""
        return False


CALLBACKS: Registry[Callback] = Registry("callback", "dlspec.training.callbacks", left_out=left_out("callbacks"))


AnyCallback = Annotated[Callback, OneOf(CALLBACKS)]


def _inside(path: str) -> str:
    parts: Sequence[str] = path.split("/")
    if not all(re.fullmatch(r"[\w-][\w.-]*", part) for part in parts):
        raise mistake(
            "wrong-value",
            f"a callback writes into the run folder only, and `{path}` is no path inside it",
            help="write the name of a folder or file, such as `logs`, without `..` and without a leading `/`",
        )
    if parts[0].lower() in {name.lower() for name in RUN_FILES}:
        raise mistake(
            "wrong-value",
            f"`{parts[0]}` in the run folder is the run's own, and a callback writes into others",
            help="write another name, such as `logs`",
        )
    return path


RUN_FILES = (
    "spec.yaml", "resolved.yaml", "environment.json", "data.json", "history.csv", "metrics.json", "predictions.csv",
    "files.json", "model.keras", "model.txt", "pretrained.npz", "layers.npz", "baselines.json", "baselines.npz",
    "pictures.npz", "samples.npz", "report.html", "state.json", "checkpoints", "SHA256SUMS", ".lock", "trackers",
    "tensorboard", "exports", "events.jsonl", "pictures", ".stop",
)  # fmt: skip
"""What a run writes into its folder."""
RunPath = Annotated[Text, AfterValidator(_inside)]
"""A path below the run folder."""
