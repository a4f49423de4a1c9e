"""Keras's own format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.deployment.base import EXPORT_TARGETS, ExportTarget, Loaded
from dlspec.runtime.files import written_whole

if TYPE_CHECKING:
    import numpy as np

    from dlspec.deployment.steps import Value

    Array = np.ndarray


@EXPORT_TARGETS.register
class Keras(ExportTarget):
    """A Keras model in one file, which `keras.models.load_model` opens without dlspec."""

    suffixes: ClassVar = (".keras",)
    examples: ClassVar = ["keras"]

    def write(self, model: Any, path: Path) -> None:
        with written_whole(path) as draft:
            model.save(draft)

    def advice(self, inputs: Sequence[Value]) -> str:
        if all(value.dtype != "float64" for value in inputs):
            return ""
        return (
            "call it as `model(rows)` or by `model.predict_on_batch(rows)`: `model.predict` rounds numbers to float32"
        )

    def load(self, path: Path) -> Loaded:
        import keras
        import numpy as np

        from dlspec.training.values import predict

        model = keras.models.load_model(path, safe_mode=True)
        names = [tensor._keras_history.operation.name for tensor in model.inputs]

        def run(values: Mapping[str, Array]) -> list[Array]:
            if len(model.outputs) > 1:  # a step model
                found = model.predict_on_batch([values[name] for name in names])
                return [np.asarray(each) for each in found]
            return [predict(model, values if isinstance(model.input, dict) else next(iter(values.values())))]

        return Loaded(run, None, f"keras {keras.__version__} on {keras.backend.backend()}", threads=None)
