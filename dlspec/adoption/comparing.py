"""Two networks for the same inputs: what comes out of each layer, and of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.language.diagnostics.errors import SavedModelError
from dlspec.language.shapes import Shape
from dlspec.model.from_keras.network import Call, Given, Network
from dlspec.model.graph import GraphLayer

ROUNDING, MOST_ROUNDING = 8, 1e-4
"""Where the model's own values move when the last bit of its input does, so many times as much is allowed, up to the
second."""
SEED = 20_240_131


@dataclass(frozen=True)
class Pair:
    """What must be the same: tensors of the network that was built, and of the model.

    Args:
        names: of the layers that they come out of, in the model.
        built, model: the networks, which put out these tensors one by one.
    """

    names: tuple[str, ...]
    built: Any
    model: Any


def pair(built: Any, model: Any, network: Network, layers: Iterable[tuple[GraphLayer, Call]]) -> Pair:
    """Both networks with what comes out of each layer that the model itself has, and of the models inside it.

    A softmax that is sure of one class hides what lies below it.
    """
    import keras

    of_built, of_model = keras.tree.flatten(built.outputs), keras.tree.flatten(model.outputs)
    names = [name for name, _ in network.outputs]
    graph = getattr(model, "_functional", None) or model  # of a sequential model
    ends = {number: name for name, number in network.ends.items()}
    for layer, call in layers:
        direct = call.place[0] if call.is_layer and len(call.place) == 1 else ends.get(call.number)
        one = _tensor(built, built.get_layer(layer.name))
        other = _tensor(graph, graph.get_layer(direct)) if direct is not None else None
        if one is not None and other is not None:
            names.append(str(direct))
            of_built.append(one)
            of_model.append(other)
    both = [keras.Model(_one_or_all(m.inputs), tensors) for m, tensors in ((built, of_built), (model, of_model))]
    return Pair(tuple(names), *both)


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _tensor(model: Any, layer: Any) -> Any:
    """What comes out of a layer in a model; None where it is applied several times, or not at all."""
    own = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    nodes = [node for node in layer._inbound_nodes if id(node) in own]
    return nodes[0].output_tensors[0] if len(nodes) == 1 else None


def compare(
    both: Pair, network: Network, sizes: Mapping[str, Shape], samples: int, allowed: float
) -> tuple[float, bool]:
    """The largest difference as a share of the largest value of a layer, and whether all are equal to the last bit.

    Raises:
        SavedModelError: values differ by more than is allowed, and by more than the model's own when the last bit of
            its input is another one.
    """
    import numpy as np

    given = [_random(each, sizes[each.name], samples, network, i) for i, each in enumerate(network.given)]
    found, wanted = _outputs(both.built, given), _outputs(both.model, given)
    far = [_apart(*each) for each in zip(both.names, found, wanted, strict=True)]
    if max(far) > allowed:
        moved = [np.nextafter(each, np.inf) if each.dtype.kind == "f" else each for each in given]
        own = [_apart(*each) for each in zip(both.names, _outputs(both.model, moved), wanted, strict=True)]
        limits = [min(max(allowed, ROUNDING * each), MOST_ROUNDING) if each > 0 else allowed for each in own]
        limits = [max(limit, allowed) for limit in limits]
        wrong = [name for name, each, limit in zip(both.names, far, limits, strict=True) if each > limit]
        if wrong:
            first = wrong[1] if len(wrong) > 1 else wrong[0]  # outputs stand before the layers below them
            raise differs(
                f"what comes out of `{first}` is {far[both.names.index(first)]:.2g} of its largest value away"
            )
    equal = all(np.array_equal(one, other, equal_nan=True) for one, other in zip(found, wanted, strict=True))
    return max(far), equal


def _outputs(model: Any, given: list[Any]) -> list[Any]:
    import keras
    import numpy as np

    found = keras.tree.flatten(model(_one_or_all(given), training=False))
    return [np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(value, "float32"))) for value in found]


def _apart(name: str, first: Any, second: Any) -> float:
    """The largest difference as a share of the largest value.

    Raises:
        SavedModelError: they have other shapes, or one has numbers where the other has none.
    """
    import numpy as np

    if first.shape != second.shape:
        raise differs(f"what comes out of `{name}` is {first.shape} in the spec and {second.shape} in the model")
    finite = np.isfinite(second)
    if not np.array_equal(np.isfinite(first), finite):
        raise differs(f"what comes out of `{name}` are numbers in one and none in the other")
    if finite.all():
        apart, scale = np.abs(first - second).max(initial=0.0), np.abs(second).max(initial=0.0)
    else:
        apart = np.abs(first[finite] - second[finite]).max(initial=0.0)
        scale = np.abs(second[finite]).max(initial=0.0)
    return float(apart / scale) if scale else float(apart)


def _random(given: Given, size: Shape, samples: int, network: Network, number: int) -> Any:
    """Random inputs: numbers about 0, or whole numbers below the least that a layer above them tells apart."""
    import numpy as np

    random = np.random.default_rng(SEED + number)
    shape = (samples, *(n or 1 for n in size[1:]))
    tokens = [_tokens(call) for call in network.calls if number in call.inputs]
    known = [count for count in tokens if count]
    masking = next((call.layer for call in network.calls if call.layer.type_name == "masking"), None)
    if known or given.dtype.startswith(("int", "uint")):
        whole = random.integers(0, min(known, default=8), shape)
        whole[::2, ..., -1] = 0  # where 0 stands for nothing, there is some
        return whole.astype(given.dtype)
    if given.dtype == "bool":
        return random.integers(0, 2, shape).astype("bool")
    scale = 127.0 if size[-1] in (1, 3, 4) and len(size) == 4 else 1.0
    values = random.normal(scale, scale, shape)
    if masking is not None and len(shape) == 3:
        values[::2, -(shape[1] // 3 + 1) :] = masking.mask_value  # type: ignore[attr-defined]
    return values.astype(given.dtype)


def _tokens(call: Call) -> int | None:
    """How many whole numbers, from 0, a layer tells apart; None: it takes any number."""
    layer: Any = call.layer
    count = getattr(layer, "input_dim", None) or getattr(layer, "num_tokens", None)
    return int(count) if count else None


def differs(message: str) -> SavedModelError:
    """The error of a network that is not the one that was adopted."""
    return SavedModelError.of(
        "adopted-differs",
        f"the network of the spec is not that of the model: {message}",
        help="please report it with the model; nothing was written",
    )
