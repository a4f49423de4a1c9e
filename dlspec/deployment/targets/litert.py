"""LiteRT, formerly TensorFlow Lite, for telephones and small devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dlspec.deployment.base import EXPORT_TARGETS, CannotExport, ExportTarget, Loaded
from dlspec.deployment.convertible import blamed, convertible, is_recurrent
from dlspec.deployment.quiet import quiet, reason_of
from dlspec.deployment.targets.saved_model import identifiers
from dlspec.runtime.files import written_whole

if TYPE_CHECKING:
    from dlspec.deployment.steps import Program

    Array = np.ndarray


@EXPORT_TARGETS.register
class Litert(ExportTarget):
    """A file of LiteRT, without operations of TensorFlow. It takes what the network takes, or raw numbers where float32
    loses nothing of them; a recurrent network takes one row at a time."""

    suffixes: ClassVar = (".tflite",)
    modules: ClassVar = ("ai_edge_litert",)
    quantizes: ClassVar = True
    examples: ClassVar = ["litert"]

    def write(self, model: Any, path: Path) -> Program | None:
        import keras

        from dlspec.deployment.float32 import in_float32, without_steps
        from dlspec.deployment.steps import program_of

        if keras.backend.backend() != "tensorflow":
            raise CannotExport(f"Keras runs on {keras.backend.backend()}, and TensorFlow alone writes it")
        program, network = program_of(model)
        inside = in_float32(program)
        try:
            written = _converted(network, inside, self.quantize)
        except CannotExport as error:
            raise blamed(error, network, lambda part: _converted(part, None, False)) from error
        with written_whole(path) as draft:
            draft.write_bytes(written)
        return program if inside is None else without_steps(inside)

    def load(self, path: Path) -> Loaded:
        from importlib.metadata import version

        with quiet():
            from ai_edge_litert.interpreter import Interpreter

            interpreter = Interpreter(str(path), num_threads=1)
            interpreter.allocate_tensors()
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        sized = [inputs[0]["shape"][0]]
        free = all(each["shape_signature"][0] == -1 for each in inputs)

        def run(values: Mapping[str, Array]) -> list[Array]:
            given = [np.asarray(array, each["dtype"]) for array, each in zip(values.values(), inputs, strict=True)]
            if free and len(given[0]) != sized[0]:
                with quiet():
                    for array, each in zip(given, inputs, strict=True):
                        interpreter.resize_tensor_input(each["index"], array.shape)
                    interpreter.allocate_tensors()
                sized[0] = len(given[0])
            for array, each in zip(given, inputs, strict=True):
                interpreter.set_tensor(each["index"], array)
            interpreter.invoke()
            return [interpreter.get_tensor(each["index"]) for each in outputs]

        return Loaded(run, None if free else 1, f"ai_edge_litert {version('ai-edge-litert')}")


def _converted(network: Any, inside: Program | None, quantize: bool) -> bytes:
    """The file, for any number of rows at a time where that can be, else for one.

    Raises:
        CannotExport: it has an operation that LiteRT has not.
    """
    network = convertible(network)
    if not is_recurrent(network):
        try:
            return _with_batch(None, network, inside, quantize)
        except CannotExport:
            pass
    return _with_batch(1, network, inside, quantize)


def _with_batch(batch: int | None, network: Any, inside: Program | None, quantize: bool) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from dlspec.deployment.float32 import computed

    def serve(*given: Any) -> list[Any]:
        if inside is None:
            return _as_list(network(_as_taken(network, given), training=False))
        values = dict(zip([value.name for value in inside.inputs], given, strict=True))
        computed(inside.before, values)
        taken = [values[value.name] for value in inside.takes]
        found = _as_list(network(_as_taken(network, taken), training=False))
        values.update(zip([value.name for value in inside.gives], found, strict=True))
        computed(inside.after, values)
        return [values[value.name] for value in inside.outputs]

    described = [(tensor.shape, tensor.dtype, f"input_{number}") for number, tensor in enumerate(network.inputs)]
    if inside is not None:
        names = identifiers([value.name for value in inside.inputs])
        described = [((None, *value.shape), value.dtype, names[value.name]) for value in inside.inputs]
    specs = [tf.TensorSpec((batch, *shape[1:]), dtype, name) for shape, dtype, name in described]
    try:
        with quiet():
            concrete = tf.function(serve, input_signature=specs, autograph=False).get_concrete_function()
            frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
            converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
            if quantize:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            written: bytes = converter.convert()
    except Exception as error:  # the converter raises whatever it meets
        raise CannotExport(reason_of(error)) from error
    return written


def _as_taken(network: Any, given: Any) -> Any:
    return given[0] if len(given) == 1 and not isinstance(network.input, list) else list(given)


def _as_list(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]
