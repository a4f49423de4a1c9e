"""Does `masking` still find what it looks for, once inputs are scaled?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.data.arrays import blocks
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.layers.core import Masking

if TYPE_CHECKING:
    from dlspec.data.arrays import Samples
    from dlspec.data.preparation import Prepared
    from dlspec.model.graph import Graph
    from dlspec.spec.spec import Spec


def check_masks(spec: Spec, graph: Graph, data: Prepared) -> None:
    """Raises DataError where a `masking` looks for a value in inputs that scaling has made another one of.

    Nothing is said of a layer further above, nor where no timestep of the training part has the value.
    """
    given, part = {each.name for each in graph.inputs}, data.train
    for layer in graph.layers:
        if not isinstance(layer.layer, Masking) or not {*layer.inputs} <= given or len(given) > 1:
            continue
        if part.raw.shape != part.inputs.shape or part.raw.dtype.kind not in "buif":
            continue
        value = layer.layer.mask_value
        before, after = _masked(part.raw, value), _masked(part.inputs, value)
        if after < before:
            problem = Diagnostic(
                "masking-after-scale",
                f"`{layer.name}` leaves out timesteps in which every feature is {value:g}, and the scale makes other "
                f"numbers of {before - after:,} such timesteps of the training part",
                spec.key_span(*layer.path, layer.type_name),
                help="write `scale: none` under `data`; `batch_normalization` above the layer scales what is left",
            )
            raise DataError([problem], spec.document.texts)


def _masked(values: Samples, value: float) -> int:
    """In how many timesteps of all samples every feature has a value."""
    return sum(int((block == value).all(axis=-1).sum()) for block in blocks(values))
