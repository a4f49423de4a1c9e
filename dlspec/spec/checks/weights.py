"""Rules about how weights start and what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dlspec.language.diagnostics import Diagnostic
from dlspec.model.initializers import Initializer
from dlspec.model.layers.base import LayerSpec
from dlspec.model.regularizers import Regularizer
from dlspec.spec.checks.base import Checked, rule

PARTS = (Initializer, Regularizer)
MATRICES = ("dense", "output", "embedding", "simple_rnn", "lstm", "gru", "simple_rnn_cell", "lstm_cell", "gru_cell")


@rule
def parts_fit_weights(checked: Checked) -> Iterator[Diagnostic]:
    """Some initializers and regularizers are for matrices only, and a convolution's kernel is none."""
    spec = checked.spec
    if not spec.has("model"):
        return
    for layer in checked.graph.layers:
        if layer.shares is not None:
            continue
        for type_name, key, part, inside in _parts(layer.layer):
            axes = _axes(type_name, key)
            least, most = part.axes
            if axes is None or (least <= axes and (most is None or axes <= most)):
                continue
            path = () if inside else (key,)
            yield Diagnostic(
                "part-mismatch",
                f"`{part.type_name}` is for weights with {_words(least, most)}, and `{key}` of `{type_name}` is for "
                f"weights with {axes}",
                spec.span(*layer.path, layer.type_name, *path),
                help=f"write `{key}: glorot_uniform`"
                if isinstance(part, Initializer)
                else f"write `{key}: {{l2: 0.01}}`",
            )


def _parts(layer: LayerSpec, inside: bool = False) -> Iterator[tuple[str, str, Any, bool]]:
    """Type of layer, key, the part there, and whether the layer stands inside another one."""
    for key, value in vars(layer).items():
        if isinstance(value, LayerSpec):
            yield from _parts(value, True)
        elif isinstance(value, PARTS):
            yield layer.type_name, key, value, inside


def _axes(type_name: str, key: str) -> int | None:
    """How many axes the weights have that the key is about; None where that depends on the input."""
    if re.search("bias|gamma|beta", key):
        return 1
    if "activity" in key:
        return None
    if type_name in MATRICES:
        return 2
    convolution = re.search(r"conv(?:_lstm)?(\d)d", type_name)
    return int(convolution[1]) + 2 if convolution else None


def _words(least: int, most: int | None) -> str:
    return f"{least} axes" if least == most else f"at least {least} axes"
