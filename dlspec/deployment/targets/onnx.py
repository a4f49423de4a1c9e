"""ONNX, for ONNX Runtime and others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.deployment.base import EXPORT_TARGETS, CannotExport, ExportTarget, Loaded
from dlspec.deployment.convertible import blamed, convertible
from dlspec.deployment.onnx_nodes import write_otherwise
from dlspec.deployment.quiet import quiet, reason_of
from dlspec.runtime.files import written_whole

if TYPE_CHECKING:
    import numpy as np

    from dlspec.deployment.steps import Program

    Array = np.ndarray


@EXPORT_TARGETS.register
class Onnx(ExportTarget):
    """A model of ONNX in one file, which takes raw columns: numbers, words and times, but for texts."""

    suffixes: ClassVar = (".onnx",)
    modules: ClassVar = ("tf2onnx", "onnx", "onnxruntime")
    quantizes: ClassVar = True
    examples: ClassVar = ["onnx"]

    def write(self, model: Any, path: Path) -> Program | None:
        import onnx

        from dlspec.deployment.onnx_nodes import takes_step, whole_model
        from dlspec.deployment.steps import program_of, split

        program, network = program_of(model)
        outside, inside = split(program, takes_step, lambda value: True)
        try:
            whole = whole_model(inside, network_as_onnx(network), path.stem)
        except CannotExport as error:
            raise blamed(error, network, network_as_onnx) from error
        with written_whole(path) as draft:
            onnx.save(whole, draft)
            if self.quantize:
                _quantize(draft)
        return None if outside.is_empty else outside

    def load(self, path: Path) -> Loaded:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

        def run(values: Mapping[str, Array]) -> list[Array]:
            return list(session.run(None, dict(values)))

        return Loaded(run, None, f"onnxruntime {onnxruntime.__version__}")


def network_as_onnx(network: Any) -> Any:
    """The `onnx.ModelProto` of a network without its preprocessing.

    Raises:
        CannotExport: it has an operation that ONNX has not.
    """
    import keras
    import onnx

    network = convertible(network)
    try:
        with quiet():
            on_tensorflow = keras.backend.backend() == "tensorflow"
            found = _by_tensorflow(network) if on_tensorflow else _by_keras(network)
            if len(found.graph.input) != len(network.inputs):
                raise CannotExport("its inputs are not those of the network")
            write_otherwise(found)
            onnx.checker.check_model(found)
    except CannotExport:
        raise
    except Exception as error:  # the converter raises whatever it meets
        raise CannotExport(reason_of(error)) from error
    return found


def _by_tensorflow(network: Any) -> Any:
    import tensorflow as tf
    import tf2onnx
    from keras.src.export.tf2onnx_lib import patch_tf2onnx  # without which it needs an older numpy

    patch_tf2onnx()
    specs = [tf.TensorSpec(each.shape, each.dtype, f"input_{number}") for number, each in enumerate(network.inputs)]

    def use(*given: Any) -> Any:
        return network(given if len(given) > 1 else given[0], training=False)

    function = tf.function(use, input_signature=specs, autograph=False)
    return tf2onnx.convert.from_function(function, specs, opset=None)[0]


def _by_keras(network: Any) -> Any:
    import onnx

    with tempfile.TemporaryDirectory(prefix="dlspec-onnx-") as folder:
        file = Path(folder) / "network.onnx"
        network.export(file, format="onnx", verbose=False)
        return onnx.load(file)


def _quantize(file: Path) -> None:
    """Weights as whole numbers of 8 bits, in place."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quiet():
        quantize_dynamic(file, file, weight_type=QuantType.QInt8)
