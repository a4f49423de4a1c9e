"""OpenVINO, for processors of Intel and others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dlspec.deployment.base import EXPORT_TARGETS, CannotExport, ExportTarget, Loaded
from dlspec.deployment.convertible import blamed, convertible, is_recurrent
from dlspec.deployment.quiet import quiet, reason_of

if TYPE_CHECKING:
    from dlspec.deployment.steps import Program, Value

    Array = np.ndarray

AS_TRAINED = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
"""Without the first, processors that have numbers of 16 bits compute in these."""


@EXPORT_TARGETS.register
class Openvino(ExportTarget):
    """A file of OpenVINO with its weights beside it. It takes what the network takes, or raw numbers where float32
    loses nothing of them; compile it with `INFERENCE_PRECISION_HINT: f32`."""

    suffixes: ClassVar = (".xml",)
    others: ClassVar = (".bin",)
    modules: ClassVar = ("openvino", "tf2onnx", "onnx")
    examples: ClassVar = ["openvino"]

    def write(self, model: Any, path: Path) -> Program | None:
        import openvino

        from dlspec.deployment.float32 import in_float32, without_steps
        from dlspec.deployment.steps import program_of

        program, network = program_of(model)
        inside = in_float32(program)
        try:
            converted = _converted(network, inside)
        except CannotExport as error:
            raise blamed(error, network, lambda part: _converted(part, None)) from error
        taken = program.takes if inside is None else inside.inputs
        for given, value in zip(converted.inputs, taken, strict=True):
            given.get_tensor().set_names({value.name})
        with quiet():
            openvino.save_model(converted, path, compress_to_fp16=False)
        return program if inside is None else without_steps(inside)

    def advice(self, inputs: Sequence[Value]) -> str:
        return 'compile it with {"INFERENCE_PRECISION_HINT": "f32"}: some processors take 16 bits otherwise'

    def load(self, path: Path) -> Loaded:
        import openvino

        with quiet():
            compiled = openvino.compile_model(path, "CPU", AS_TRAINED)
        dtypes = [each.get_element_type().to_dtype() for each in compiled.inputs]

        def run(values: Mapping[str, Array]) -> list[Array]:
            given = [np.asarray(array, dtype) for array, dtype in zip(values.values(), dtypes, strict=True)]
            found = compiled(given)
            return [np.array(found[each]) for each in compiled.outputs]

        return Loaded(run, None, f"openvino {openvino.__version__.partition('-')[0]}")


def _converted(network: Any, inside: Program | None) -> Any:
    """The `openvino.Model`; recurrent layers that have a loop are written timestep by timestep.

    Raises:
        CannotExport: it has an operation that OpenVINO has not.
    """
    try:
        return _from_onnx(network, inside)
    except CannotExport:
        if not is_recurrent(network):
            raise
    return _from_onnx(convertible(network, unrolled=True), inside)


def _from_onnx(network: Any, inside: Program | None) -> Any:
    import onnx
    import openvino

    from dlspec.deployment.onnx_nodes import whole_model
    from dlspec.deployment.targets.onnx import network_as_onnx

    found = network_as_onnx(network)
    if inside is not None:
        found = whole_model(inside, found, "network")
    with tempfile.TemporaryDirectory(prefix="dlspec-openvino-") as folder:
        file = Path(folder) / "network.onnx"
        onnx.save(found, file)
        try:
            with quiet():
                converted = openvino.convert_model(file)
                openvino.compile_model(converted, "CPU", AS_TRAINED)
        except Exception as error:  # it raises whatever it meets
            raise CannotExport(_said(error)) from error
    return converted


def _said(error: Exception) -> str:
    """What OpenVINO says, without the place in its own source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [
        line for line in lines if not line.startswith(("Check '", "Exception from", "FrontEnd API", "Model wasn't"))
    ]
    return reason_of(RuntimeError(told[0] if told else type(error).__name__))
