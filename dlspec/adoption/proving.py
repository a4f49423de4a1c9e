"""Is the network of the spec the one that was adopted? It is built, gets the same weights, and both are run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlspec.adoption.calls import Call, Given, Network
from dlspec.language.diagnostics.errors import SavedModelError
from dlspec.language.shapes import Shape
from dlspec.model.build import build_network
from dlspec.model.graph import Graph, GraphLayer

ALLOWED, ALLOWED_MIXED = 1e-6, 2e-2
"""How far an output may be from the model's, as a share of its largest value; where layers compute in 16 bits the
second."""
ROUNDING, MOST_ROUNDING = 8, 1e-4
"""Where the model's own outputs move when the last bit of its input does, so many times as much is allowed, up to the
second."""
SAMPLES, LARGE = 4, 150_000
"""Samples that both are run on; two where one has so many values."""
SEED = 20_240_131
LEARNED_AS_ARGUMENTS = ("normalization", "discretization", "integer_lookup", "string_lookup", "text_vectorization")
"""Layers whose state is written as arguments, and is no weight then."""
LEFT_TO_COMPARE = (
    "name", "dtype", "seed", "axis", "return_state", "layer", "cell", "cells", "backward_layer", "mean", "variance",
    "bin_boundaries", "num_bins", "vocabulary", "vocabulary_size", "idf_weights",
)  # fmt: skip
"""Arguments that may be written in another way, or hold other layers, whose weights and outputs are compared."""


@dataclass(frozen=True)
class Proof:
    """What was compared.

    Args:
        samples: on which both networks were run.
        largest_difference: of an output from the model's, as a share of the largest value.
        equal: whether all outputs are the same to the last bit.
        parameters: numbers in the weights of both.
        weights: arrays that these are in.
        as_arguments: numbers that are weights in the model, and arguments of layers in the spec.
    """

    samples: int
    largest_difference: float
    equal: bool
    parameters: int
    weights: int
    as_arguments: int = 0


def prove(
    graph: Graph, precision: str, model: Any, network: Network, order: Sequence[int], sizes: Mapping[str, Shape]
) -> Proof:
    """Builds the network of a graph, gives it the weights of the model, and compares.

    Args:
        order: numbers of the calls whose layers the graph has, in its order, without those that are shared.
        sizes: of the inputs, with a number for each axis behind the batch.

    Raises:
        SavedModelError: they are not the same.
    """
    by_number = network.by_number()
    calls = [by_number[number] for number in order]
    own = [layer for layer in graph.layers if layer.shares is None]
    if len(own) != len(calls):
        raise _differs(f"the spec has {len(own)} layers, and {len(calls)} were read")
    built = build_network(graph, "adopted", precision=precision)
    as_arguments = 0
    for layer, call in zip(own, calls, strict=True):
        as_arguments += _give_weights(built.get_layer(layer.name), model, call)
    _same_amounts(built, model, calls, as_arguments)
    samples = 2 if max(math.prod(n or 1 for n in shape[1:]) for shape in sizes.values()) >= LARGE else SAMPLES
    mixed = any("16" in str(layer.layer.dtype or precision) for layer in own)
    allowed = ALLOWED_MIXED if mixed else ALLOWED
    found = [_compared(built, model, network, sizes, samples, allowed)]
    with _shaken(zip(own, calls, strict=True), built, model):
        found.append(_compared(built, model, network, sizes, samples, allowed))
    difference, equal = max(far for far, _ in found), all(same for _, same in found)
    parameters = sum(math.prod(weight.shape) for weight in built.weights)
    return Proof(samples, difference, equal, parameters, len(built.weights), as_arguments)


@contextmanager
def _shaken(pairs: Iterable[tuple[GraphLayer, Call]], built: Any, model: Any) -> Iterator[None]:
    """Both networks with other weights, in which no layer passes on what it takes, or next to nothing of it.

    Untrained normalizations do the former, and scales that begin at 1e-6 the latter, which would hide a difference.
    """
    kept: list[tuple[Any, list[Any]]] = []
    try:
        for layer, call in pairs:
            if not call.layer.has_weights:
                continue
            source, copy = layer_at(model, call.place), built.get_layer(layer.name)
            kept.append((source, source.get_weights()))
            weights = [_shaken_weight(weight, len(kept) + i) for i, weight in enumerate(kept[-1][1])]
            source.set_weights(weights)
            copy.set_weights(weights)
        yield
    finally:
        for source, weights in kept:
            source.set_weights(weights)


def _shaken_weight(weight: Any, number: int) -> Any:
    """Vectors between 0.5 and 1.5, and matrices that vary."""
    import numpy as np

    random = np.random.default_rng(SEED + number)
    if weight.dtype.kind != "f":
        return weight
    if weight.ndim <= 1:
        return random.uniform(0.5, 1.5, weight.shape).astype(weight.dtype)
    if np.ptp(weight) == 0:
        return random.normal(0, 0.1, weight.shape).astype(weight.dtype)
    return weight


def layer_at(model: Any, place: Sequence[str]) -> Any:
    """The layer of a model at a place: names of the models around it, and its own."""
    found = model
    for name in place:
        if not hasattr(found, "get_layer"):  # `time_distributed` around a model
            found = found.layer
        found = found.get_layer(name)
    return found


def _give_weights(built: Any, model: Any, call: Call) -> int:
    """Sets the weights of a layer, and compares its arguments; returns how many numbers are arguments in the spec.

    Raises:
        SavedModelError: it has other weights or arguments.
    """
    if not call.is_layer and not call.layer.has_weights:
        return 0
    place = "/".join(call.place)
    try:
        source = layer_at(model, call.place)
    except (ValueError, AttributeError) as error:
        raise _differs(f"the model has no layer `{place}`: {error}") from None
    if call.layer.type_name in LEARNED_AS_ARGUMENTS:
        return sum(math.prod(weight.shape) for weight in source.weights) - sum(
            math.prod(weight.shape) for weight in built.weights
        )
    wanted, given = source.get_weights(), built.get_weights()
    if [weight.shape for weight in wanted] != [weight.shape for weight in given]:
        shapes = [[tuple(weight.shape) for weight in weights] for weights in (given, wanted)]
        raise _differs(f"`{place}` has the weights {shapes[0]} in the spec and {shapes[1]} in the model")
    built.set_weights(wanted)
    frozen = [len(layer.trainable_weights) for layer in (built, source)]
    if frozen[0] != frozen[1]:
        raise _differs(f"of `{place}`, {frozen[0]} weights are trained in the spec and {frozen[1]} in the model")
    _same_arguments(built, source, place)
    return 0


def _same_arguments(built: Any, source: Any, place: str) -> None:
    if type(built) is not type(source):
        return
    one, other = built.get_config(), source.get_config()
    alone = () if source.weights else ("trainable",)  # which means nothing there
    for key in {*one, *other} - {*LEFT_TO_COMPARE, *alone}:
        if _comparable(one.get(key)) != _comparable(other.get(key)):
            raise _differs(f"`{key}` of `{place}` is `{one.get(key)}` in the spec and `{other.get(key)}` in the model")


def _comparable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _comparable(each) for key, each in value.items() if key not in ("name", "shared_object_id")}
    if isinstance(value, list | tuple):
        return [_comparable(each) for each in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _same_amounts(built: Any, model: Any, calls: Sequence[Call], as_arguments: int) -> None:
    """Compares the numbers of weights, all together.

    Raises:
        SavedModelError: one has more.
    """
    used = {id(weight): weight for call in calls if call.is_layer for weight in layer_at(model, call.place).weights}
    used |= {id(w): w for call in calls if not call.is_layer and call.layer.has_weights
             for w in layer_at(model, call.place).weights}  # fmt: skip
    counts = [sum(math.prod(weight.shape) for weight in weights) for weights in (built.weights, used.values())]
    if counts[0] != counts[1] - as_arguments:
        raise _differs(f"the spec has {counts[0]:,} parameters, and the model {counts[1]:,}")
    rest = sum(math.prod(weight.shape) for weight in model.weights if id(weight) not in used)
    if rest:
        raise _differs(f"{rest:,} parameters of the model belong to no layer of the spec")


def _compared(
    built: Any, model: Any, network: Network, sizes: Mapping[str, Shape], samples: int, allowed: float
) -> tuple[float, bool]:
    """The largest difference of outputs as a share of the largest one, and whether all are equal to the last bit.

    Raises:
        SavedModelError: they differ by more than is allowed, and by more than the model's own when the last bit of its
            input is another one.
    """
    import numpy as np

    given = [_random(each, sizes[each.name], samples, network, i) for i, each in enumerate(network.given)]
    wanted = _outputs_of_model(model, given)
    difference, equal = _apart(_outputs(built, given[0] if len(given) == 1 else given), wanted)
    if not difference <= allowed:
        moved = [np.nextafter(each, np.inf) if each.dtype.kind == "f" else each for each in given]
        own, _ = _apart(_outputs_of_model(model, moved), wanted)
        if not difference <= min(max(allowed, ROUNDING * own), MOST_ROUNDING):
            raise _differs(f"an output is {difference:.2g} of the largest one away from the model's")
    return difference, equal


def _outputs_of_model(model: Any, given: list[Any]) -> list[Any]:
    import keras

    form = getattr(model, "_inputs_struct", None)  # a list, or a mapping of names
    packed = (given[0] if len(given) == 1 else given) if form is None else keras.tree.pack_sequence_as(form, given)
    return _outputs(model, packed)


def _outputs(model: Any, given: Any) -> list[Any]:
    import keras
    import numpy as np

    found = keras.tree.flatten(model(given, training=False))
    return [np.asarray(keras.ops.convert_to_numpy(value), "float64") for value in found]


def _apart(found: list[Any], wanted: list[Any]) -> tuple[float, bool]:
    """The largest difference as a share of the largest value, and whether there is none.

    Raises:
        SavedModelError: they have other shapes, or one has numbers where the other has none.
    """
    import numpy as np

    far, equal = 0.0, True
    if [each.shape for each in found] != [each.shape for each in wanted]:
        shapes = [[each.shape for each in several] for several in (found, wanted)]
        raise _differs(f"its outputs are {shapes[0]} in the spec and {shapes[1]} in the model")
    for first, second in zip(found, wanted, strict=True):
        if not np.array_equal(np.isfinite(first), np.isfinite(second)):
            raise _differs("one of them gives numbers where the other gives none")
        apart = np.abs(np.where(np.isfinite(first), first - second, 0.0))
        equal = equal and not apart.any()
        scale = np.abs(second[np.isfinite(second)]).max(initial=0.0)
        far = max(far, float(apart.max(initial=0.0)) / (scale or 1.0))
    return far, equal


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


def _differs(message: str) -> SavedModelError:
    return SavedModelError.of(
        "adopted-differs",
        f"the network of the spec is not that of the model: {message}",
        help="please report it with the model; nothing was written",
    )
