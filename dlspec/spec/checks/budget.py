"""Rules about what the network may cost."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Label
from dlspec.language.quantities import count_bytes, show_bytes
from dlspec.model.graph import GraphLayer
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.spec import Spec
from dlspec.training.estimates import layer_memory

_WORDS = {
    "parameters": "the network has {} parameters",
    "flops": "a sample takes {} floating-point operations",
    "size": "the saved weights take {}",
    "memory": "training takes about {}",
}


@rule
def budget_is_kept(checked: Checked) -> Iterator[Diagnostic]:
    """The network costs no more than `budget` allows."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model") or not spec.has("budget") or any(isinstance(x.layer, Broken) for x in graph.layers):
        return
    for key, words in _WORDS.items():
        limit = getattr(spec.budget, key)
        if limit is None:
            continue
        allowed, show = (count_bytes(limit), show_bytes) if isinstance(limit, str) else (limit, "{:,}".format)
        costs = [_cost(key, spec, layer) for layer in graph.layers]
        if sum(costs) > allowed:
            largest = graph.layers[costs.index(max(costs))]
            place = spec.key_span(*largest.path, largest.written.type_name)
            yield Diagnostic(
                "over-budget",
                f"{words.format(show(sum(costs)))}, and `budget` allows {show(allowed)}",
                spec.span("budget", key),
                labels=(Label(place, f"`{largest.name}` has {show(max(costs))} of it"),),
                help="make layers smaller" + (", or `batch_size`" if key == "memory" else ""),
            )


def _cost(key: str, spec: Spec, layer: GraphLayer) -> int:
    if key == "memory":
        return layer_memory(spec.training, layer).total
    return layer_memory(spec.training, layer).weights if key == "size" else getattr(layer, key)
