"""The configuration of a Keras model -> its layers as calls, models inside it taken apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dlspec.model.from_keras.calling import called_with, differs_in_training, rank_of, without_states
from dlspec.model.from_keras.custom import known_custom, scale_of_sum
from dlspec.model.from_keras.ends import MODELS, histories, inputs_of, leaves, most_used_policy, names_of_outputs
from dlspec.model.from_keras.files import OPERATIONS, foreign_objects
from dlspec.model.from_keras.network import Arguments, Call, Network, Place, Ref
from dlspec.model.from_keras.operations import operations_of, parts_of
from dlspec.model.from_keras.state import before_state, with_state
from dlspec.model.from_keras.words import NoWord, layer_of, policy_of, written
from dlspec.model.layers import LAYERS
from dlspec.model.layers.base import Merging
from dlspec.model.layers.wrappers import TimeDistributed

NOT_HEEDED = (
    "`{}` is called with `training=False`, which Keras does not heed in `fit`; layers that are to stay as they are "
    "need `trainable: false`"
)


@dataclass
class _Laying:
    """What is known while a model is taken apart."""

    precision: str
    makes_masks: bool
    live: Callable[[Place], Any] | None
    calls: list[Call] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    first: dict[Place, int] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    count: int = 0
    assumed: bool = False

    def number(self) -> int:
        self.count += 1
        return self.count - 1


def take_apart(
    config: Mapping[str, Any], live: Callable[[Place], Any] | None = None
) -> tuple[Network | None, list[tuple[str, str]]]:
    """The layers of a model, and what the language has no word for: a place and the reason.

    Args:
        config: of the model, as `Opened` has it.
        live: the layer at a place, for what it has learned and its configuration does not say; None: nothing is built.
    """
    entries = [entry for entry in leaves(config) if entry["class_name"] != "InputLayer"]
    laying = _Laying(most_used_policy(entries), any(map(_makes_mask, entries)), live)
    if config["class_name"] not in MODELS or "layers" not in config["config"]:
        name = ".".join(filter(None, (config.get("module"), config["class_name"])))
        return None, [(str(config["config"].get("name") or config["class_name"]),
                       f"`{name}` is a class of its own, whose layers its code connects; a spec needs a functional or "
                       "sequential model")]  # fmt: skip
    try:
        given = inputs_of(config)
    except NoWord as reason:
        return None, [(str(config["config"].get("name")), str(reason))]
    for each in given:
        laying.number()
        if each.dtype == "string":
            laying.problems.append((each.name, "it takes text, and a network of a spec takes numbers; data of text get "
                                    "their vocabulary in the section `data`"))  # fmt: skip
        elif len(each.shape) < 2:
            laying.problems.append(
                (each.name, "its samples are single numbers without an axis; give it the shape (1,)")
            )
    refs = [Ref(i, each.shape) for i, each in enumerate(given)]
    outputs = _lay_model(laying, config, (), refs, None)
    names = names_of_outputs(config, len(outputs))
    _check_outputs(laying, outputs)
    _end_in_activations(laying, outputs)
    for name, ref in zip(names, outputs, strict=True):
        if ref.number < len(given):
            laying.problems.append((name, "an output is an input as it is, without a layer"))
    ends = tuple((name, ref.number) for name, ref in zip(names, outputs, strict=True))
    remarks = tuple(dict.fromkeys(laying.remarks))
    network = Network(tuple(given), tuple(laying.calls), ends, laying.precision, remarks, laying.ends, laying.assumed)
    return network, list(dict.fromkeys(laying.problems))


def _end_in_activations(laying: _Laying, outputs: list[Ref]) -> None:
    """Puts `activation: softmax` in the place of an output `softmax`; targets that are classes ask for the former."""
    ends = {ref.number for ref in outputs}
    for i, call in enumerate(laying.calls):
        if call.number in ends and written(call.layer) == "softmax":
            layer = LAYERS["activation"].model_validate({"activation": "softmax"})
            laying.calls[i] = replace(call, layer=layer, is_layer=False)  # type: ignore[arg-type]


def _makes_mask(entry: Mapping[str, Any]) -> bool:
    return entry["class_name"] == "Masking" or bool(entry["config"].get("mask_zero"))


def _check_outputs(laying: _Laying, outputs: list[Ref]) -> None:
    for ref in outputs:
        if ref.mask is not None:
            laying.problems.append(ref.mask)
        elif ref.output:
            laying.problems.append(
                ("its outputs", "one is a second output of a layer, and a layer has one output here")
            )


# --- models


def _lay_model(
    laying: _Laying, config: Mapping[str, Any], place: Place, inputs: list[Ref], training: bool | None
) -> list[Ref]:
    """Lays the layers of a model on what it takes; returns what comes out."""
    if config["class_name"] == "Sequential":
        refs = inputs
        for entry in config["config"]["layers"]:
            if entry["class_name"] != "InputLayer":
                refs = _lay(laying, entry, place, Arguments(refs), training)
        return refs
    values: dict[tuple[str, int], list[Ref]] = {}
    for ref, (name, node, _) in zip(inputs, histories(config["config"]["input_layers"]), strict=False):
        values[name, node] = [ref]
    waiting = [
        (entry, node, i)
        for entry in config["config"]["layers"]
        if entry["class_name"] != "InputLayer"
        for i, node in enumerate(entry["inbound_nodes"])
    ]
    while waiting:
        left = []
        for entry, node, i in waiting:
            arguments = _arguments(node, values)
            if arguments is None:
                left.append((entry, node, i))
                continue
            values[_name(entry), i] = _lay(laying, entry, place, arguments, training)
        if len(left) == len(waiting):  # what is left hangs on nothing that there is
            break
        waiting = left
    return [_taken(values, history) for history in histories(config["config"]["output_layers"])]


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["config"]["name"])


def _taken(values: Mapping[tuple[str, int], list[Ref]], history: tuple[str, int, int]) -> Ref:
    name, node, output = history
    refs = values[name, node]
    return refs[output] if output < len(refs) else replace(refs[0], output=output)


def _arguments(node: Mapping[str, Any], values: Mapping[tuple[str, int], list[Ref]]) -> Arguments | None:
    """The arguments of a call; None where something that it takes is not laid yet."""
    tensors: list[Ref] = []
    absent = False

    def read(value: Any) -> Any:
        nonlocal absent
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            config = value["config"]
            name, number, output = config["keras_history"]
            if (name, number) not in values:
                absent = True
                return None
            ref = replace(_taken(values, (name, number, output)), shape=tuple(config["shape"]))
            tensors.append(ref)
            return ref
        if isinstance(value, dict) and "class_name" not in value:
            return {key: read(value[key]) for key in sorted(value)}
        return [read(each) for each in value] if isinstance(value, list) else value

    args, kwargs = read(node.get("args", [])), read(node.get("kwargs", {}))
    return None if absent else Arguments(tensors, tuple(args), kwargs)


# --- layers


def _lay(
    laying: _Laying, entry: Mapping[str, Any], around: Place, arguments: Arguments, training: bool | None
) -> list[Ref]:
    """Lays a layer, or the layers of a model; returns what comes out."""
    place = (*around, _name(entry))
    arguments = _without_masks(laying, arguments) if entry["class_name"] in MODELS else arguments
    said = arguments.kwargs.get("training")
    training = said if isinstance(said, bool) else training
    if entry["class_name"] in MODELS and "layers" in entry["config"]:
        odd = [key for key, value in arguments.kwargs.items() if key not in ("training", "mask", "inputs") or
               (key == "mask" and value is not None)]  # fmt: skip
        if arguments.kwargs.get("training") is False:
            laying.remarks.append(NOT_HEEDED.format("/".join(place)))
        if odd:
            laying.problems.append(("/".join(place), f"it is called with `{odd[0]}`, which a spec cannot say"))
        outputs = _lay_model(laying, entry, place, arguments.tensors, training)
        if len(outputs) == 1 and len(place) == 1:
            laying.ends[place[0]] = outputs[0].number
        return outputs
    try:
        if entry["class_name"] == "Split" and str(entry.get("module")).startswith(OPERATIONS):
            return _lay_parts(laying, entry, place, arguments.tensors)
        return [_lay_layer(laying, entry, place, arguments, training)]
    except NoWord as reason:
        laying.problems.append(("/".join(place), str(reason)))
        return [Ref(laying.number())]


def _lay_layer(
    laying: _Laying, entry: Mapping[str, Any], place: Place, arguments: Arguments, training: bool | None
) -> Ref:
    if str(entry.get("module")).startswith(OPERATIONS):
        return _lay_operation(laying, entry, place, arguments)
    arguments = _without_masks(laying, arguments)
    refs = arguments.tensors
    if arguments.kwargs.get("initial_state") is not None:
        raise NoWord("it begins with states that it is given; a spec says `state_from: NAME`, to be written by hand")
    _check_taken(laying, refs)
    policy_of(entry["config"])
    scale = scale_of_sum(entry)
    if scale is not None and len(refs) == 2:
        layers = (LAYERS["rescaling"].model_validate({"scale": scale}), LAYERS["add"]())
        scaled = _lay_made(laying, layers[0], (*place, "rescaling"), refs[1:])
        return _lay_made(laying, layers[1], place, [refs[0], scaled])
    custom = known_custom(entry)
    is_layer = custom is None
    if custom is not None:
        layer = custom
    else:
        foreign = foreign_objects(entry)
        if foreign is not None and entry["class_name"] != "Lambda":
            raise NoWord(f"it holds `{foreign}`, which is code of its own; no word for it")
        rank = len(refs[0].shape) if refs and refs[0].shape is not None else rank_of(entry)
        if entry["class_name"] == "TimeDistributed" and entry["config"]["layer"]["class_name"] in MODELS:
            return _each_timestep(laying, entry, place, arguments, training)
        plain = layer_of(before_state(without_states(entry)), rank=rank, policy=laying.precision)
        layer = with_state(plain, entry, place, laying.live)
    layer, taken = called_with(layer, arguments)
    if training is True and differs_in_training(layer) and not layer.at_random_in_keras:
        raise NoWord("it is called with `training=True`, so that it acts in use as in training; no spec says that")
    again = laying.first.get(place)
    if again is not None and len(taken) != 1 and layer.has_weights:
        raise NoWord("it is applied several times to several inputs, and `shared` layers take one")
    if again is not None and (len(taken) != 1 or (not layer.has_weights and len(place) == 1)):
        again = None  # what has no weights is written again
    call = Call(laying.number(), place, layer, tuple(taken), again, is_layer)
    laying.first.setdefault(place, call.number)
    return _add(laying, call, refs)


def _lay_operation(laying: _Laying, entry: Mapping[str, Any], place: Place, arguments: Arguments) -> Ref:
    refs = arguments.tensors
    masks = [ref.mask for ref in refs if ref.mask is not None]
    try:
        if masks:
            return Ref(laying.number(), mask=masks[0])
        _check_taken(laying, refs)
        layers = operations_of(entry, arguments.positional, arguments.kwargs)
    except NoWord as reason:  # which is no problem where it only makes the mask of a layer, as layers do by themselves
        return Ref(laying.number(), mask=("/".join(place), str(reason)))
    for layer in layers:
        refs = [_lay_made(laying, layer, place, refs)]
    return refs[0]


def _lay_parts(laying: _Laying, entry: Mapping[str, Any], place: Place, refs: list[Ref]) -> list[Ref]:
    """What `keras.ops.split` gives."""
    _check_taken(laying, refs)
    if refs[0].shape is None:
        raise NoWord("it splits a tensor of unknown shape")
    return [_lay_made(laying, layer, place, refs) for layer in parts_of(entry, refs[0].shape)]


def _lay_made(laying: _Laying, layer: Any, place: Place, refs: list[Ref]) -> Ref:
    """Lays a layer that the model does not have as one."""
    return _add(laying, Call(laying.number(), place, layer, tuple(ref.number for ref in refs), is_layer=False), refs)


def _check_taken(laying: _Laying, refs: list[Ref]) -> None:
    """Raises NoWord where something is taken that no layer of a spec gives."""
    for ref in refs:
        if ref.mask is not None:
            laying.problems.append(ref.mask)
        if ref.output:
            raise NoWord("it takes a second output of a layer, and a layer has one output here")


MASKS = ("mask", "query_mask", "value_mask", "key_mask")
"""Arguments that Keras gives the masks of a layer's inputs."""


def _without_masks(laying: _Laying, arguments: Arguments) -> Arguments:
    """The arguments of a call but the mask that Keras made of those of the layers above; the proof shows whether so."""
    masks = [arguments.kwargs.get(key) for key in MASKS]
    found = [each for mask in masks for each in (mask if isinstance(mask, list) else [mask]) if each is not None]
    if (
        not laying.makes_masks
        or not found
        or not all(isinstance(each, Ref) and each.mask is not None for each in found)
    ):
        return arguments
    kwargs = {key: value for key, value in arguments.kwargs.items() if key not in MASKS}
    laying.assumed = True
    kept = [ref for ref in arguments.tensors if ref not in found]
    return Arguments(kept, arguments.args, kwargs)


def _add(laying: _Laying, call: Call, refs: list[Ref]) -> Ref:
    laying.calls.append(call)
    return Ref(call.number, refs[0].shape if refs and not isinstance(call.layer, Merging) else None)


def _each_timestep(
    laying: _Laying, entry: Mapping[str, Any], place: Place, arguments: Arguments, training: bool | None
) -> Ref:
    """`time_distributed` around a model whose layers follow each other, as one around each of them."""
    inner = entry["config"]["layer"]
    alone = _Laying(laying.precision, laying.makes_masks, None)
    start = alone.number()
    ends = _lay_model(alone, inner, (), [Ref(start)], training)
    chain = all(call.inputs == (call.number - 1,) and call.again is None for call in alone.calls)
    if alone.problems:
        raise NoWord(f"of what it holds, `{alone.problems[0][0]}`: {alone.problems[0][1]}")
    if len(ends) != 1 or not chain or laying.first.get(place) is not None:
        raise NoWord("it holds a model whose layers do not simply follow each other")
    laying.first[place] = -1
    ref = arguments.tensors[0]
    for call in alone.calls:
        try:
            layer = TimeDistributed(layer=call.layer, trainable=call.layer.trainable)
        except ValueError as error:
            raise NoWord(str(error).splitlines()[0]) from None
        each = Call(laying.number(), (*place, *call.place), layer, (ref.number,), is_layer=False)
        ref = _add(laying, each, [ref])
    return ref
