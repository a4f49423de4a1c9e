"""Graph -> keras.Model, and the model that is saved: raw columns in, the target's own units out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dlspec.data.features import Affine, of_parameters
from dlspec.data.preparation import Prepared
from dlspec.data.signature import INPUT, NetworkInput
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.registry import snake_case
from dlspec.language.words import did_you_mean, one_of
from dlspec.model.alignment import blank_where_masked, logits_below
from dlspec.model.forms import by_values, layer_below, start_near
from dlspec.model.graph import Graph
from dlspec.model.initializers import Zeros
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.base import check_masks
from dlspec.model.layers.core import Dense, Output, OutputOfTexts
from dlspec.model.layers.masking import called
from dlspec.model.states import output_of, takes_states
from dlspec.runtime.backend import load_keras


def build_network(graph: Graph, name: str = "network", *, one_input: bool = False, precision: str = "float32") -> Any:
    """The network of a graph as an untrained functional `keras.Model`.

    It takes what the layers see, which is scaled, and puts out what the loss compares, which is scaled too.

    Args:
        one_input: of a network with several inputs, one input that takes all features, shared out inside.
        precision: Keras's dtype policy of layers that say none themselves; `output` computes in float32.
    """
    load_keras()
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return _build_network(graph, name, one_input)
    finally:
        keras.config.set_dtype_policy(before)


def _build_network(graph: Graph, name: str, one_input: bool) -> Any:
    import keras

    tensors, inputs = _inputs(graph, one_input)
    built: dict[str, Any] = {}
    states: dict[str, list[Any]] = {}
    giving = graph.giving_states
    for layer in graph.layers:
        spec = layer.layer
        if isinstance(spec, Output):
            assert spec.units is not None, "the graph gave the output its units"
            spec = Dense(
                units=spec.values,
                activation=spec.activation or "linear",
                trainable=spec.trainable,
                dtype=spec.dtype or "float32",
                **({"kernel_initializer": Zeros()} if spec.fitted else {}),
            )
        built[layer.name] = built[layer.shares] if layer.shares else spec.build(layer.name)
        if layer.name in giving:
            built[layer.name].return_state = True
        values = layer.inputs if layer.state_source is None else layer.inputs[:-1]
        begin = states[layer.state_source] if layer.state_source else []
        given = _connected(spec, built[layer.name], [tensors[source] for source in values], begin)
        tensors[layer.name], *states[layer.name] = given if layer.name in giving else [given]
        if isinstance(layer.layer, Output) and layer.layer.values_each:
            start_near(built[layer.name], layer.layer)
            tensors[layer.name] = by_values(tensors[layer.name], layer.layer)
        if isinstance(layer.layer, OutputOfTexts):
            tensors[layer.name] = blank_where_masked(tensors[layer.name])
    outputs = [tensors[output] for output in graph.outputs]
    _name_operations(outputs, {*tensors, *built})
    return keras.Model(
        inputs if len(inputs) > 1 else inputs[0],
        outputs if len(outputs) > 1 else outputs[0],
        name=f"{_plain(name)}_network",
    )


def _connected(spec: LayerSpec, built: Any, inputs: Sequence[Any], states: Sequence[Any]) -> Any:
    """What a Keras layer makes of its inputs.

    Args:
        states: what a recurrent layer begins with; none: zeros.
    """
    if not states:
        return spec.connect(built, inputs)
    check_masks(spec, inputs)
    return called(built, inputs[0], initial_state=list(states))


def _name_operations(outputs: Sequence[Any], taken: Collection[str]) -> None:
    """Numbers the operations between the layers within the network: Keras counts them in all networks together, and
    calls one `exp_1`, as a layer may be called."""
    import keras

    operations: dict[int, Any] = {}
    seen: set[tuple[int, int]] = set()
    waiting = [*outputs]
    while waiting:
        operation, node, _ = waiting.pop()._keras_history
        if (id(operation), node) not in seen:
            seen.add((id(operation), node))
            operations[id(operation)] = operation
            waiting += operation._inbound_nodes[node].input_tensors
    numbers = Counter[str]()
    for operation in reversed(operations.values()):
        if not isinstance(operation, keras.Layer):
            kind = snake_case(type(operation).__name__)
            numbers[kind] += 1
            while f"{kind}_op_{numbers[kind]}" in taken:
                numbers[kind] += 1
            operation.name = f"{kind}_op_{numbers[kind]}"


def _inputs(graph: Graph, one_input: bool) -> tuple[dict[str, Any], list[Any]]:
    """What comes out of each input by its name, and the Keras inputs themselves."""
    import keras

    shapes = [given.shape for given in graph.inputs if given.shape is not None]
    assert len(shapes) == len(graph.inputs), "a graph without input shape cannot be built"
    columns = [given.columns for given in graph.inputs]
    if not one_input or columns == [None]:
        inputs = [keras.Input(shape[1:], name=given.name) for given, shape in zip(graph.inputs, shapes, strict=True)]
        return {given.name: x for given, x in zip(graph.inputs, inputs, strict=True)}, inputs
    width = 1 + max(column for places in columns for column in places or ())
    flat = any(given.array for given in graph.inputs)
    whole = keras.Input((width,) if flat else (*shapes[0][1:-1], width), name=INPUT)
    return {given.name: _part_of(whole, given) for given in graph.inputs}, [whole]


def _part_of(whole: Any, given: NetworkInput) -> Any:
    """What an input of the network takes of all features, (batch, values) or (batch, timesteps, values)."""
    from keras import ops

    assert given.columns is not None, "one of several inputs takes some of the features"
    assert given.shape is not None, "a graph without input shape cannot be built"
    first, last = given.columns[0], given.columns[-1] + 1
    in_a_row = given.columns == tuple(range(first, last))
    part = whole[..., first:last] if in_a_row else ops.take(whole, given.columns, axis=-1)
    return ops.reshape(part, (-1, *given.shape[1:])) if given.array else part


def with_preprocessing(network: Any, data: Prepared) -> Any:
    """The model that is saved: preprocessing, the network, and the way back to the target's own units.

    Input shape:  (batch, ...) raw columns: `data.preprocessing.raw_columns` of a row, or of each timestep.
    Output shape: (batch, values) in the target's own units, or (batch, units) probabilities; of a number or a class at
    each place (batch, *places) or (batch, *places, units); of numbers of which quantiles are predicted
    (batch, values, quantiles), and of those that are given by a mixture (batch, values, 3 * components), weights, means
    and deviations; of texts that are read off timesteps logits, (batch, timesteps, items + 1); where the target is the
    input, its shape, in its own units: of a series seen as changes, these changes. Of several outputs a mapping from
    the name of each.

    Only Keras's own layers and operations are used, so that it loads anywhere in safe mode. Numbers are brought to
    their scale and back in float64, as in training: of a large number with a small scale float32 loses all.
    """
    import keras
    from keras import ops

    steps = data.preprocessing
    network = in_use(network)
    if steps.columns:
        return _with_encodings(network, data)
    given = keras.Input(data.train.raw.shape[1:], name="raw", dtype=steps.dtype)
    x = raw = given if steps.dtype == "float64" else ops.cast(given, "float64")
    if steps.timesteps is not None:
        x = x[..., : steps.features]  # the last column may be there for its last value alone
        if steps.change == "return":
            x = ops.log(x)
        if steps.change != "level":
            x = x[:, 1:, :] - x[:, :-1, :]
    x = network(ops.cast(steps.inputs.layer("scale_inputs")(x), "float32"))
    return keras.Model(given, _each_in_units(x, raw, data), name=f"{network.name}_from_raw")


def _each_in_units(outputs: Any, raw: Any, data: Prepared) -> Any:
    """What a network puts out in the units of its target; of several outputs each in those of its own, by its name."""
    if not data.outputs:
        return _in_units(outputs, raw, data)
    pairs = zip(data.outputs.items(), outputs, strict=True)
    return {name: _in_units(x, raw, own, f"{name}_") for (name, own), x in pairs}


def _in_units(x: Any, raw: Any, data: Prepared, of: str = "") -> Any:
    """
    Args:
        x: what the network puts out.
        raw: what the saved model takes.
        of: how the names of layers begin.
    """
    from keras import ops

    steps = data.preprocessing
    if data.signature.target.kind == "input":
        shape = data.train.inputs.shape[1:]
        if steps.columns:  # of which each may have other units
            return ops.cast(x, "float32")
        return steps.inputs.inverse.layer("input_units")(ops.reshape(ops.cast(x, "float64"), (-1, *shape)))
    if steps.target is None:
        return ops.cast(x, "float32")  # also of a network that ends in 16 bits
    x = _in_target_units(ops.cast(x, "float64"), data, of)
    if data.signature.target.places:
        x = ops.reshape(x, (-1, *data.signature.target.places))
    if steps.change != "level":
        last = ops.take(raw[:, -1, :], steps.target_columns, axis=-1)
        if data.signature.target.values_each:
            last = ops.reshape(last, (-1, len(steps.target_columns), 1))
        if data.signature.target.mixture:  # the means alone move
            import numpy as np

            last = last * np.repeat([0.0, 1.0, 0.0], data.signature.target.mixture)
        x = last + x if steps.change == "difference" else last * ops.exp(x)
    return x


def in_use(network: Any) -> Any:
    """The same layers as a model without the optimizer, whose state would be saved with them, and without the layers
    that change images at random: Keras applies those also where a model is called as a function. The mean takes the
    place of a code that is drawn in training."""
    import keras

    from dlspec.model.sampling_layer import SamplingLayer

    def call(layer: Any, *given: Any, **more: Any) -> Any:
        if isinstance(layer, SamplingLayer):
            return keras.layers.Identity(name=layer.name, dtype=layer.dtype_policy.name)(given[0][0])
        return given[0] if _is_augmentation(layer) else layer(*given, **more)

    same = keras.Model(network.input, network.output, name=network.name)
    if any(isinstance(layer, SamplingLayer) or _is_augmentation(layer) for layer in network.layers):
        return keras.models.clone_model(same, clone_function=lambda layer: layer, call_function=call)
    return same


def _is_augmentation(layer: Any) -> bool:
    kind = LAYERS.built_in(snake_case(type(getattr(layer, "layer", layer)).__name__))  # also below `time_distributed`
    return isinstance(kind, type) and issubclass(kind, LayerSpec) and kind.at_random_in_keras


def _with_encodings(network: Any, data: Prepared) -> Any:
    """The model that is saved for columns that are not all plain numbers: an input (batch, 1) for each of them, by its
    name, of numbers, whole numbers, text, or seconds since the beginning of 1970; of arrays (batch, ...)."""
    import keras
    from keras import ops

    steps = data.preprocessing
    inputs = {
        name: keras.Input(column.taken, name=name, dtype=column.dtype)
        for name, column in zip(steps.input_names, steps.columns, strict=True)
    }
    encoded = [column.connect(x) for column, x in zip(steps.columns, inputs.values(), strict=True)]
    x = network(ops.concatenate(encoded, axis=-1) if len(encoded) > 1 else encoded[0])
    return keras.Model(inputs, _each_in_units(x, None, data), name=f"{network.name}_from_raw")


def _in_target_units(x: Any, data: Prepared, of: str = "") -> Any:
    """What the network puts out of numbers, in float64, in the target's own units."""
    assert data.preprocessing.target is not None, "a number has a scale"
    units = data.preprocessing.target.inverse
    if data.signature.target.mixture:
        units = of_parameters(units, data.signature.target.mixture)
    elif data.signature.target.levels:
        units = Affine(units.scale[:, None], units.offset[:, None])
    return units.layer(f"{of}target_units")(x)


def preprocessing_of(model: Any) -> Any:
    """The part of a saved model that makes of raw columns what the network sees."""
    import keras

    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    (scaled,) = network._inbound_nodes[-1].input_tensors
    return keras.Model(model.inputs if len(model.inputs) == 1 else model.input, scaled)


def part_of(
    model: Any,
    last: str | None,
    first: str | None,
    weights: Mapping[str, Sequence[Any]] | None,
    trained: Collection[str] = (),
) -> Any:
    """A part of a saved model as a model of its own.

    Args:
        model: as `with_preprocessing` gives it.
        last: the layer whose output it puts out; None: the network's own.
        first: the layer whose input it takes; None: raw columns, which the model's own preprocessing scales.
        weights: of layers, instead of those that they have.
        trained: names of the layers that the network had in training.

    Raises:
        DataError: there is no such layer, or `first` does not lead to `last`.
    """
    import keras

    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    known = {layer.name: layer for layer in network.layers}
    for name in (last, first):
        if name is not None and name not in known:
            there = f"there are {one_of(known)}"
            if name in trained:
                message = f"`{name}` is there for training alone, and not in the model that is saved"
                raise DataError.of("unknown-layer-name", message, help=there)
            help = did_you_mean(name, known, otherwise=there)
            raise DataError.of("unknown-layer-name", f"the network has no layer `{name}`", help=help)
    for name, values in (weights or {}).items():
        if name not in known:  # it is there for training alone
            continue
        known[name].set_weights(values)
    end = network.output if last in (None, _last_dense(network)) else output_of(known[last])
    name = f"{first or 'raw'}_to_{last or 'output'}"
    if first is not None and takes_states(known[first]):
        message = (
            f"`{first}` begins with the state of another layer, so that its input alone does not say what comes out"
        )
        raise DataError.of("wrong-layers", message, help="name a lower layer as the first")
    if first is not None:
        try:
            return keras.Model(known[first].input, end, name=name)
        except ValueError:
            end_said = "the output" if last is None else f"`{last}`"
            message = f"`{first}` does not lead to {end_said} on one way"
            raise DataError.of("wrong-layers", message, help="name the lower layer first") from None
    code = keras.Model(network.inputs, end)(preprocessing_of(model)(model.input))
    return keras.Model(model.inputs, code, name=name)


def _last_dense(network: Any) -> str | None:
    """The dense layer behind which operations give what a network puts out; None: none do."""
    logits = logits_below(network)
    return layer_below(network) if logits is None else str(logits._keras_history.operation.name)


def before_layer(model: Any, first: str) -> list[Any]:
    """A saved model up to what a layer takes, a model for each of its inputs; see `part_of`."""
    import keras

    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    taken = network.get_layer(first).input
    scaled = preprocessing_of(model)(model.input)
    each = taken if isinstance(taken, list | tuple) else [taken]
    return [keras.Model(model.input, keras.Model(network.inputs, tensor)(scaled)) for tensor in each]


def _plain(name: str) -> str:
    """A name that Keras takes: letters a to z, digits and `_`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "dlspec"
