"""Is the network of the spec the one that was adopted? It is built, gets the same weights, and both are run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlspec.adoption.comparing import SEED, compare, differs, pair
from dlspec.language.shapes import Shape
from dlspec.model.build import build_network
from dlspec.model.from_keras.network import Call, Network
from dlspec.model.graph import Graph, GraphLayer

ALLOWED, ALLOWED_MIXED = 4e-6, 2e-2
"""How far a value may be from the model's, as a share of the largest one; with layers in 16 bits the second."""
SAMPLES, LARGE = 4, 150_000
"""Samples that both are run on; two where one has so many values."""
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
        tensors: how many were compared: outputs, and what comes out of layers.
        largest_difference: of a value from the model's, as a share of the largest one of its layer.
        equal: whether all are the same to the last bit.
        parameters: numbers in the weights of both.
        weights: arrays that these are in.
        as_arguments: numbers that are weights in the model, and arguments of layers in the spec.
    """

    samples: int
    tensors: int
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
        raise differs(f"the spec has {len(own)} layers, and {len(calls)} were read")
    built = build_network(graph, "adopted", precision=precision)
    as_arguments = 0
    for layer, call in zip(own, calls, strict=True):
        as_arguments += _give_weights(built.get_layer(layer.name), model, call)
    _same_amounts(built, model, calls, as_arguments)
    samples = 2 if max(math.prod(n or 1 for n in shape[1:]) for shape in sizes.values()) >= LARGE else SAMPLES
    mixed = any("16" in str(layer.layer.dtype or precision) for layer in own)
    allowed = ALLOWED_MIXED if mixed else ALLOWED
    both = pair(built, model, network, zip(own, calls, strict=True))
    found = [compare(both, network, sizes, samples, allowed)]
    with _shaken(zip(own, calls, strict=True), built, model):
        found.append(compare(both, network, sizes, samples, allowed))
    difference, equal = max(far for far, _ in found), all(same for _, same in found)
    parameters = sum(math.prod(weight.shape) for weight in built.weights)
    return Proof(samples, len(both.names), difference, equal, parameters, len(built.weights), as_arguments)


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
        raise differs(f"the model has no layer `{place}`: {error}") from None
    if call.layer.type_name in LEARNED_AS_ARGUMENTS:
        return sum(math.prod(weight.shape) for weight in source.weights) - sum(
            math.prod(weight.shape) for weight in built.weights
        )
    wanted, given = source.get_weights(), built.get_weights()
    if [weight.shape for weight in wanted] != [weight.shape for weight in given]:
        shapes = [[tuple(weight.shape) for weight in weights] for weights in (given, wanted)]
        raise differs(f"`{place}` has the weights {shapes[0]} in the spec and {shapes[1]} in the model")
    built.set_weights(wanted)
    frozen = [len(layer.trainable_weights) for layer in (built, source)]
    if frozen[0] != frozen[1]:
        raise differs(f"of `{place}`, {frozen[0]} weights are trained in the spec and {frozen[1]} in the model")
    _same_arguments(built, source, place)
    return 0


def _same_arguments(built: Any, source: Any, place: str) -> None:
    if type(built) is not type(source):
        return
    one, other = built.get_config(), source.get_config()
    alone = () if source.weights else ("trainable",)  # which means nothing there
    for key in {*one, *other} - {*LEFT_TO_COMPARE, *alone}:
        if _comparable(one.get(key)) != _comparable(other.get(key)):
            raise differs(f"`{key}` of `{place}` is `{one.get(key)}` in the spec and `{other.get(key)}` in the model")


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
        raise differs(f"the spec has {counts[0]:,} parameters, and the model {counts[1]:,}")
    rest = sum(math.prod(weight.shape) for weight in model.weights if id(weight) not in used)
    if rest:
        raise differs(f"{rest:,} parameters of the model belong to no layer of the spec")
