"""What the small kinds have in common: each becomes an object of Keras.

The kinds that only some specs use are declared here and stand in modules of their own, loaded on the first look-up.
"""

from __future__ import annotations

import re
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, Strict, ValidationError, ValidationInfo, WrapValidator

from dlspec.language.fields import Text, mistake, show_value
from dlspec.language.left_out import left_out
from dlspec.language.registry import Kind, OneOf, Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

Share = Annotated[float, Strict(), Field(ge=0, le=1)]
FloatType = Literal["float16", "bfloat16", "float32", "float64"]


def either(what: str) -> WrapValidator:
    """Annotation of a field of several types: says in one message what it takes."""

    def read(value: Any, handler: Any, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise mistake(
                "wrong-value", f"`{(info.field_name or '').removesuffix('_')}` is {what}, got {show_value(value)}"
            ) from None

    return WrapValidator(read)


class Part(Kind):
    """A kind that becomes an object of one of Keras's modules, of the same name."""

    module: ClassVar[str]
    keras_name: ClassVar[str | None] = None

    @classmethod
    def keras_class(cls) -> Any:
        """The class that it becomes."""
        import keras

        return attrgetter(f"{cls.module}.{cls.keras_name or cls.__name__}")(keras)

    def build(self) -> Any:
        return self.keras_class()(**self.arguments())


class Schedule(Part):
    """How the learning rate changes while training; it starts at the optimizer's `learning_rate`.

    A step is one weight update.
    """

    module = "optimizers.schedules"

    def over(self, rate: float, steps: int) -> Any:
        """The Keras schedule.

        Args:
            rate: the learning rate to start with.
            steps: weight updates in the whole training.
        """
        return self.keras_class()(rate, **self.arguments())


SCHEDULES: Registry[Schedule] = Registry(
    "schedule", "dlspec.training.schedules", left_out=left_out("optimizers.schedules")
)
AnySchedule = Annotated[Schedule, OneOf(SCHEDULES)]

Monitor = Literal["val_loss", "loss"]
"""What training computes in every epoch."""


class Callback(Part):
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
    return path


RunPath = Annotated[Text, AfterValidator(_inside)]
"""A path below the run folder."""
