"""TensorFlow's own format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.deployment.base import EXPORT_TARGETS, CannotExport, ExportTarget, Loaded
from dlspec.deployment.quiet import quiet, reason_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

SIGNATURE = "serve"


@EXPORT_TARGETS.register
class SavedModel(ExportTarget):
    """A folder that `tf.saved_model.load` and TensorFlow Serving open; its signature `serve` takes raw columns by their
    names, in which what is no letter, digit or `_` of ASCII is `_`, words as strings, and any number of rows."""

    suffixes: ClassVar = ("saved_model",)
    examples: ClassVar = ["saved_model"]

    def write(self, model: Any, path: Path) -> None:
        import keras

        if keras.backend.backend() != "tensorflow":
            raise CannotExport(f"Keras runs on {keras.backend.backend()}, and TensorFlow alone writes it")
        import tensorflow as tf

        names = identifiers([name_of(tensor) for tensor in model.inputs])

        def serve(**values: Any) -> dict[str, Any]:
            given = {name: values[said] for name, said in names.items()}
            found = model(given if isinstance(model.input, dict) else [*given.values()], training=False)
            outputs = found if isinstance(found, list | tuple) else [found]
            return {f"output_{number}": output for number, output in enumerate(outputs)}

        said = zip(names.values(), model.inputs, strict=True)
        specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in said}
        try:
            with quiet():
                module = tf.Module()
                module.network = model  # whose variables and words are written with it
                concrete = tf.function(serve, autograph=False).get_concrete_function(**specs)
                tf.saved_model.save(module, path, signatures={SIGNATURE: concrete})
        except OSError:
            raise
        except Exception as error:  # TensorFlow raises whatever it meets
            raise CannotExport(reason_of(error)) from error

    def load(self, path: Path) -> Loaded:
        import tensorflow as tf

        with quiet():
            opened = tf.saved_model.load(path)
        call = opened.signatures[SIGNATURE]
        dtypes = {name: spec.dtype for name, spec in call.structured_input_signature[1].items()}

        def run(values: Mapping[str, Array]) -> list[Array]:
            given = {said: _tensor(values[name], dtypes[said]) for name, said in identifiers([*values]).items()}
            found = call(**given)
            return [found[f"output_{number}"].numpy() for number in range(len(found))]

        run.__dict__["opened"] = opened  # without which its variables are gone
        return Loaded(run, None, f"tensorflow {tf.__version__}", threads=None)


def name_of(tensor: Any) -> str:
    """Of an input of a `keras.Model`."""
    return str(tensor._keras_history.operation.name)


def identifiers(names: Sequence[str]) -> dict[str, str]:
    """Names as TensorFlow takes them, by the names: of letters and digits of ASCII and `_`."""
    found: dict[str, str] = {}
    for number, name in enumerate(sorted(names)):
        plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
        plain = plain if plain[:1].isalpha() else f"input_{plain or number}"
        found[name] = f"{plain}_{number}" if plain in found.values() else plain
    return {name: found[name] for name in names}


def _tensor(values: Array, dtype: Any) -> Any:
    import tensorflow as tf

    return tf.constant(values.tolist() if dtype == tf.string else values, dtype, shape=values.shape)
