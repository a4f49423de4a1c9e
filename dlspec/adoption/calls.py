"""The configuration of a Keras model -> its layers as calls, models inside it taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dlspec.adoption.custom import known_custom, scale_of_sum
from dlspec.adoption.operations import operation_of
from dlspec.adoption.reading import OPERATIONS, foreign_objects
from dlspec.adoption.state import before_state, with_state
from dlspec.adoption.words import NoWord, layer_of, policy_of, written
from dlspec.language.shapes import Shape
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.attention import Attending
from dlspec.model.layers.base import Merging
from dlspec.model.layers.regularization import Regularizing
from dlspec.model.layers.wrappers import TimeDistributed

Place = tuple[str, ...]
"""Names of the models around a layer, and its own."""
MODELS = ("Functional", "Sequential", "Model")
NOT_HEEDED = (
    "`{}` is called with `training=False`, which Keras does not heed in `fit`; layers that are to stay as they are "
    "need `trainable: false`"
)


@dataclass(frozen=True)
class Given:
    """An input of the network."""

    name: str
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Call:
    """A layer that is applied.

    Args:
        number: its own; inputs of the network have the numbers before all calls.
        place: of the layer in the model.
        layer: in the language.
        inputs: numbers of what it takes.
        again: the number of the call that applied the same layer first.
        is_layer: whether the model has a layer at its place, which `layer` is word by word; an operation is none.
    """

    number: int
    place: Place
    layer: LayerSpec
    inputs: tuple[int, ...]
    again: int | None = None
    is_layer: bool = True


@dataclass(frozen=True)
class Network:
    """A model taken apart.

    Args:
        given: its inputs, numbered from 0.
        calls: its layers in an order in which each follows what it takes.
        outputs: name and number of each output.
        precision: the dtype policy that most layers have.
        remarks: what calls say that a spec does not.
        ends: model inside -> number of what comes out of it, of the last call where there are several.
    """

    given: tuple[Given, ...]
    calls: tuple[Call, ...]
    outputs: tuple[tuple[str, int], ...]
    precision: str
    remarks: tuple[str, ...] = ()
    ends: Mapping[str, int] = field(default_factory=dict)

    def by_number(self) -> dict[int, Call]:
        return {call.number: call for call in self.calls}


@dataclass(frozen=True)
class Ref:
    """What comes out of a layer or an input: one of its outputs.

    Args:
        mask: it is what Keras computes to skip timesteps, or another operation without a word: its name, and why there
            is none, should a layer take it as its input.
    """

    number: int
    shape: Shape | None = None
    output: int = 0
    mask: tuple[str, str] | None = None


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
    entries = [entry for entry in _leaves(config) if entry["class_name"] != "InputLayer"]
    laying = _Laying(_most_used_policy(entries), any(map(_makes_mask, entries)), live)
    if config["class_name"] not in MODELS or "layers" not in config["config"]:
        name = ".".join(filter(None, (config.get("module"), config["class_name"])))
        return None, [(str(config["config"].get("name") or config["class_name"]),
                       f"`{name}` is a class of its own, whose layers its code connects; a spec needs a functional or "
                       "sequential model")]  # fmt: skip
    try:
        given = _inputs_of(config)
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
    names = _names_of_outputs(config, len(outputs))
    _check_outputs(laying, outputs)
    _end_in_activations(laying, outputs)
    for name, ref in zip(names, outputs, strict=True):
        if ref.number < len(given):
            laying.problems.append((name, "an output is an input as it is, without a layer"))
    ends = tuple((name, ref.number) for name, ref in zip(names, outputs, strict=True))
    remarks = tuple(dict.fromkeys(laying.remarks))
    network = Network(tuple(given), tuple(laying.calls), ends, laying.precision, remarks, laying.ends)
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


def _leaves(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every layer in a model, those of models inside it included."""
    for entry in config["config"].get("layers", []) if isinstance(config.get("config"), dict) else []:
        if entry["class_name"] in MODELS:
            yield from _leaves(entry)
        else:
            yield entry


def _most_used_policy(entries: list[Mapping[str, Any]]) -> str:
    """The policy that `runtime: {precision: …}` can say once for all."""
    counts: dict[str, int] = {}
    for entry in entries:
        try:
            name = policy_of(entry["config"]) if entry.get("module") == "keras.layers" else "float32"
        except NoWord:
            continue
        if name in ("mixed_float16", "mixed_bfloat16"):
            counts[name] = counts.get(name, 0) + 1
    name = max(counts, key=lambda name: counts[name], default="float32")
    return name if counts.get(name, 0) * 2 > len(entries) else "float32"


# --- inputs and outputs


def _inputs_of(config: Mapping[str, Any]) -> list[Given]:
    layers = {entry["config"]["name"]: entry for entry in config["config"]["layers"]}
    if config["class_name"] == "Sequential":
        first = config["config"]["layers"][0] if config["config"]["layers"] else None
        if first is not None and first["class_name"] == "InputLayer":
            return [_given(first)]
        shape = config["config"].get("build_input_shape")
        if not isinstance(shape, list):
            raise NoWord("it does not say what it takes; build it first, as with `model.build((None, 8))`")
        return [Given("input", tuple(shape), "float32")]
    return [_given(layers[name]) for name, _, _ in _histories(config["config"]["input_layers"])]


def _given(entry: Mapping[str, Any]) -> Given:
    config = entry["config"]
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if config.get("sparse") or config.get("ragged"):
        raise NoWord("its input is sparse or ragged, and a network of a spec takes plain arrays")
    if config.get("optional"):
        raise NoWord("its input may be left out, and a network of a spec takes all of them")
    if not isinstance(shape, list):
        raise NoWord("its input has no shape")
    return Given(config["name"], (None, *shape[1:]), str(config.get("dtype") or "float32"))


def _histories(found: Any) -> list[tuple[str, int, int]]:
    """`[name, node, output]` of each input or output, in Keras's order: of a mapping, by its keys."""
    if isinstance(found, list) and len(found) == 3 and isinstance(found[0], str) and isinstance(found[1], int):
        return [(found[0], found[1], found[2])]
    if isinstance(found, dict):
        return [each for key in sorted(found) for each in _histories(found[key])]
    return [each for part in found for each in _histories(part)]


def _names_of_outputs(config: Mapping[str, Any], count: int) -> list[str]:
    if config["class_name"] == "Sequential":
        return [config["config"]["layers"][-1]["config"]["name"]]
    found = config["config"]["output_layers"]
    names = sorted(found) if isinstance(found, dict) else [name for name, _, _ in _histories(found)]
    return [name if names.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(names, 1)][:count]


# --- models


def _lay_model(
    laying: _Laying, config: Mapping[str, Any], place: Place, inputs: list[Ref], training: bool | None
) -> list[Ref]:
    """Lays the layers of a model on what it takes; returns what comes out."""
    if config["class_name"] == "Sequential":
        refs = inputs
        for entry in config["config"]["layers"]:
            if entry["class_name"] != "InputLayer":
                refs = _lay(laying, entry, place, _Arguments(refs), training)
        return refs
    values: dict[tuple[str, int], list[Ref]] = {}
    for ref, (name, node, _) in zip(inputs, _histories(config["config"]["input_layers"]), strict=False):
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
    return [_taken(values, history) for history in _histories(config["config"]["output_layers"])]


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["config"]["name"])


def _taken(values: Mapping[tuple[str, int], list[Ref]], history: tuple[str, int, int]) -> Ref:
    name, node, output = history
    refs = values[name, node]
    return refs[output] if output < len(refs) else replace(refs[0], output=output)


@dataclass(frozen=True)
class _Arguments:
    """What a layer is called with.

    Args:
        tensors: in order, those in lists and mappings one by one.
        args, kwargs: as they stand, a `Ref` for each tensor.
    """

    tensors: list[Ref]
    args: tuple[Any, ...] | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def positional(self) -> tuple[Any, ...]:
        return tuple(self.tensors[:1]) if self.args is None else self.args


def _arguments(node: Mapping[str, Any], values: Mapping[tuple[str, int], list[Ref]]) -> _Arguments | None:
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
    return None if absent else _Arguments(tensors, tuple(args), kwargs)


# --- layers


def _lay(
    laying: _Laying, entry: Mapping[str, Any], around: Place, arguments: _Arguments, training: bool | None
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
        return [_lay_layer(laying, entry, place, arguments, training)]
    except NoWord as reason:
        laying.problems.append(("/".join(place), str(reason)))
        return [Ref(laying.number())]


def _lay_layer(
    laying: _Laying, entry: Mapping[str, Any], place: Place, arguments: _Arguments, training: bool | None
) -> Ref:
    if str(entry.get("module")).startswith(OPERATIONS):
        return _lay_operation(laying, entry, place, arguments)
    arguments = _without_masks(laying, arguments)
    refs = arguments.tensors
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
        rank = len(refs[0].shape) if refs and refs[0].shape is not None else _rank(entry)
        if entry["class_name"] == "TimeDistributed" and entry["config"]["layer"]["class_name"] in MODELS:
            return _each_timestep(laying, entry, place, arguments, training)
        plain = layer_of(before_state(_without_states(entry)), rank=rank, policy=laying.precision)
        layer = with_state(plain, entry, place, laying.live)
    layer, taken = _called_with(layer, arguments)
    if training is True and _differs_in_training(layer) and not layer.at_random_in_keras:
        raise NoWord("it is called with `training=True`, so that it acts in use as in training; no spec says that")
    again = laying.first.get(place)
    call = Call(laying.number(), place, layer, tuple(taken), again, is_layer)
    laying.first.setdefault(place, call.number)
    return _add(laying, call, refs)


def _lay_operation(laying: _Laying, entry: Mapping[str, Any], place: Place, arguments: _Arguments) -> Ref:
    refs = arguments.tensors
    masks = [ref.mask for ref in refs if ref.mask is not None]
    try:
        if masks:
            return Ref(laying.number(), mask=masks[0])
        _check_taken(laying, refs)
        layer = operation_of(entry, arguments.positional, arguments.kwargs)
    except NoWord as reason:  # which is no problem where it only makes the mask of a layer, as layers do by themselves
        return Ref(laying.number(), mask=("/".join(place), str(reason)))
    return _lay_made(laying, layer, place, refs)


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


def _without_masks(laying: _Laying, arguments: _Arguments) -> _Arguments:
    """The arguments of a call but the mask that Keras made of those of the layers above; the proof shows whether so."""
    mask = arguments.kwargs.get("mask")
    found = [each for each in (mask if isinstance(mask, list) else [mask]) if each is not None]
    if (
        not laying.makes_masks
        or not found
        or not all(isinstance(each, Ref) and each.mask is not None for each in found)
    ):
        return arguments
    kwargs = {key: value for key, value in arguments.kwargs.items() if key != "mask"}
    kept = [ref for ref in arguments.tensors if ref not in found]
    return _Arguments(kept, arguments.args, kwargs)


def _without_states(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recurrent layer that also returns its states, which nobody takes: whoever does is named where it stands."""
    if not entry["config"].get("return_state"):
        return entry
    return {**entry, "config": {**entry["config"], "return_state": False}}


def _add(laying: _Laying, call: Call, refs: list[Ref]) -> Ref:
    laying.calls.append(call)
    return Ref(call.number, refs[0].shape if refs and not isinstance(call.layer, Merging) else None)


def _rank(entry: Mapping[str, Any]) -> int | None:
    shape = (entry.get("build_config") or {}).get("input_shape")
    if not isinstance(shape, list) or not shape:
        return None
    return len(shape[0]) if isinstance(shape[0], list) else len(shape)


def _differs_in_training(layer: LayerSpec) -> bool:
    """Whether a layer does something else in training than in use."""
    drops = any(getattr(layer, key, 0) for key in ("dropout", "recurrent_dropout"))
    inner = getattr(layer, "layer", None)
    named = layer.type_name in ("batch_normalization", "spectral_normalization")
    return (
        isinstance(layer, Regularizing)
        or named
        or drops
        or (isinstance(inner, LayerSpec) and _differs_in_training(inner))
    )


def _called_with(layer: LayerSpec, arguments: _Arguments) -> tuple[LayerSpec, list[int]]:
    """The layer with what it is called with beside its inputs, and its inputs.

    Raises:
        NoWord: the call says what a spec does not.
    """
    kwargs = {key: value for key, value in arguments.kwargs.items() if value is not None and key != "training"}
    first = [*arguments.positional]
    for key in ("inputs", "sequence", "sequences", "query", "value", "key"):
        if key in kwargs and _is_tensors(kwargs[key]):
            first.append(kwargs.pop(key))
    if isinstance(layer, Attending):
        if kwargs.pop("use_causal_mask", False):
            layer = layer.model_copy(update={"use_causal_mask": True})
        kwargs = {key: value for key, value in kwargs.items() if value is not False}
    if kwargs:
        raise NoWord(f"it is called with `{next(iter(kwargs))}`, which a spec cannot say")
    refs = [ref for each in first for ref in (each if isinstance(each, list) else [each])]
    refs = [ref for ref in refs if ref is not None]
    if not all(isinstance(ref, Ref) for ref in refs):
        raise NoWord("it is called with a value that is no tensor")
    if isinstance(layer, Attending):
        numbers = [ref.number for ref in refs]
        if len(numbers) == 3 and numbers[1] == numbers[2]:
            numbers = numbers[:2]
        return layer, numbers[:1] if len(set(numbers)) == 1 else numbers
    several = isinstance(first[0], list) if first else False
    if len(first) > 1 or (several and len(refs) > 1 and layer.takes[1] == 1):
        raise NoWord("it takes several tensors, such as the states to begin with, and a spec gives it one")
    if layer.takes[0] > len(refs):
        if len(refs) == 1:
            raise NoWord("it merges a single input")
        raise NoWord("it takes nothing")
    return layer, [ref.number for ref in refs]


def _is_tensors(value: Any) -> bool:
    return isinstance(value, Ref) or (isinstance(value, list) and all(isinstance(each, Ref) for each in value))


def _each_timestep(
    laying: _Laying, entry: Mapping[str, Any], place: Place, arguments: _Arguments, training: bool | None
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
