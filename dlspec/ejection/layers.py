"""Layers and other kinds of Keras as calls that make them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dlspec.ejection.operations import Taken, attended, dotted, looked_up, merged, on_one, operated
from dlspec.ejection.python import Call, Code, NotWritten, call, literal
from dlspec.language.registry import Kind
from dlspec.model.keras_kind import KerasKind
from dlspec.model.layers.activations import Softmax
from dlspec.model.layers.attention import Attending, Scoring
from dlspec.model.layers.augmentation import RandomCrop
from dlspec.model.layers.base import LayerSpec, Merging
from dlspec.model.layers.core import Dense, Output
from dlspec.model.layers.learned import Positions, Table
from dlspec.model.layers.merging import Concatenate, Dot, Elementwise
from dlspec.model.layers.mirroring import Backwards, BothEnds, LastOutput
from dlspec.model.layers.normalization import RMSNormalization
from dlspec.model.layers.operations import Operating
from dlspec.model.layers.preprocessing import HashedCrossing
from dlspec.model.layers.sampling import Sampling
from dlspec.model.layers.vocabulary import TextVectorization
from dlspec.training.losses.reconstruction import Summed

OF_ALL = ("name", "trainable", "dtype", "from_")
"""Keys of every layer, which stand behind its own."""

SIZES = ("kernel_size", "strides", "pool_size", "dilation_rate")
"""Arguments of which one number stands for the same one along each axis."""
SHORT = ("layers", "initializers", "regularizers", "constraints")
"""Modules that a script imports out of Keras by their name."""


def may_be_called(layer: LayerSpec, names: Iterable[str]) -> bool:
    """Whether Keras, where a layer is given no name, may call it by one of these: `dense_1`."""
    kind = str(layer_call(layer).name).partition(".")[2]
    base = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", kind).lower()
    return any(re.sub(r"_\d+$", "", name) == base for name in names)


def layer_call(layer: LayerSpec, name: Any = None, written: Mapping[str, Any] | None = None) -> Call:
    """What makes the Keras layer.

    Args:
        name: of the layer; None: Keras gives it one.
        written: argument -> how it is written, in place of its value.

    Raises:
        NotWritten: Keras has no such layer.
    """
    if isinstance(layer, Output):
        layer = output_as_dense(layer)
    _check_own(layer)
    if isinstance(layer, Operating) or (isinstance(layer, Positions) and not layer.has_weights):
        return operation_call(layer, name)
    if isinstance(layer, Table):
        return table_call(layer, name)
    given = dict(_given(layer, layer.keras_arguments(), written or {}))
    keras_name = {LastOutput: "Identity", BothEnds: "Identity", Backwards: "Identity"}.get(
        type(layer), type(layer).__name__
    )
    args, keywords = _placed(f"layers.{keras_name}", _signature("layers", keras_name), layer.primary(), given)
    if not layer.trainable:
        keywords["trainable"] = False
    if layer.dtype is not None:
        keywords["dtype"] = layer.dtype
    if name is not None:
        keywords["name"] = name
    return Call(f"layers.{keras_name}", tuple(args), keywords)


def table_call(layer: Table, name: Any = None) -> Call:
    """The Keras layer that holds what is learned."""
    keywords: dict[str, Any] = {"embeddings_initializer": as_value(layer.initializer)}
    if layer.regularizer is not None:
        keywords["embeddings_regularizer"] = as_value(layer.regularizer)
    keywords |= {} if layer.trainable else {"trainable": False}
    keywords |= {} if layer.dtype is None else {"dtype": layer.dtype}
    keywords |= {} if name is None else {"name": name}
    return Call("layers.Embedding", layer.size, keywords)


def operation_call(layer: LayerSpec, name: Any = None) -> Call:
    """The layer that bears the name of an operation."""
    keywords = {} if layer.dtype is None else {"dtype": layer.dtype}
    return Call("layers.Identity", (), keywords if name is None else {**keywords, "name": name})


def output_as_dense(layer: Output) -> Dense:
    """The dense layer that an `output` is, in float32."""
    assert layer.units is not None, "the graph gave the output its units"
    return Dense(
        name=layer.name, units=layer.units, activation=layer.activation or "linear", trainable=layer.trainable,
        dtype=layer.dtype,
    )  # fmt: skip


def kind_call(kind: KerasKind, changed: Mapping[str, Any] | None = None) -> Call:
    """What makes an object of Keras: an initializer, an optimizer, a loss.

    Args:
        changed: arguments in place of its own.

    Raises:
        NotWritten: it is none of Keras.
    """
    check_known(kind)
    module = kind.module if kind.module in SHORT else f"keras.{kind.module}"
    name = f"{module}.{kind.keras_name or type(kind).__name__}"
    given = dict(_given(kind, kind.arguments(), changed or {}))
    args, keywords = _placed(name, inspect.signature(kind.keras_class().__init__), kind.primary(), given)
    return Call(name, tuple(args), keywords)


def check_known(kind: Kind) -> None:
    """Raises NotWritten where something comes from a plugin, also where it extends what is known."""
    if not type(kind).__module__.startswith("dlspec."):
        raise NotWritten(f"`{kind.type_name}` comes from a plugin")
    if isinstance(kind, Summed):
        raise NotWritten(f"Keras has no loss `{kind.type_name}`, which is a sum over the values of a sample")


def connected(layer: LayerSpec, made: Call | Code, inputs: Sequence[Code], taken: Taken | None = None) -> Call | Code:
    """The layer, applied to its inputs.

    Args:
        taken: masks and shapes of the inputs; None: they have no masks.

    Raises:
        NotWritten: nobody knows how.
    """
    masking = MASKING.get(type(layer).connect)
    if masking is not None and type(layer) not in TAKINGS:
        return masking(layer, made, list(inputs), taken or Taken())
    how = TAKINGS.get(type(layer)) or CONNECTIONS.get(type(layer).connect)
    if how is None:
        raise NotWritten(f"`{layer.type_name}` is applied in a way of its own")
    return how(layer, made, list(inputs))


def is_plain(layer: LayerSpec) -> bool:
    """Whether it takes one input and nothing else, so that it may stand in a list of layers."""
    return MASKING.get(type(layer).connect) is on_one


Connection = Callable[[Any, Call | Code, list[Code]], Call | Code]


def _on(made: Call | Code, *args: Any, **keywords: Any) -> Call:
    return Call(made if isinstance(made, Call) else str(made), args, keywords)


def _crop(layer: RandomCrop, made: Call | Code, inputs: list[Code]) -> Call:
    keywords = {} if layer.data_format is None else {"data_format": layer.data_format}
    middle = call("layers.CenterCrop", layer.height, layer.width, **keywords)  # in use, when nothing is random
    return _on(middle, _on(made, inputs[0]))


def _cross(layer: HashedCrossing, made: Call | Code, inputs: list[Code]) -> Call:
    return _on(made, [call("ops.cast", x, "int64") for x in inputs])


def _vectorize(layer: TextVectorization, made: Call | Code, inputs: list[Code]) -> Call:
    whole = layer.output_mode != "int" and layer.split is not None
    return _on(made, call("ops.squeeze", inputs[0], -1) if whole else inputs[0])


def _both_ends(layer: BothEnds, made: Call | Code, inputs: list[Code]) -> Call:
    x = inputs[0]
    half = f"{x}.shape[-1] // 2" if layer.side_by_side else f"{x}.shape[-1]"
    return call("ops.concatenate", [Code(f"{x}[:, -1, : {half}]"), Code(f"{x}[:, 0, -({half}) :]")], axis=-1)


CONNECTIONS: dict[Any, Connection] = {
    Merging.connect: lambda layer, made, inputs: _on(made, inputs),
    RandomCrop.connect: _crop,
    HashedCrossing.connect: _cross,
    TextVectorization.connect: _vectorize,
    Table.connect: looked_up,
}
"""How a layer is applied that takes no masks, by its method `connect`."""
MASKING: dict[Any, Callable[[Any, Call | Code, list[Code], Taken], Call | Code]] = {
    LayerSpec.connect: on_one,
    Softmax.connect: on_one,
    RMSNormalization.connect: on_one,
    Attending.connect: attended,
    Scoring.connect: attended,
    Elementwise.connect: merged,
    Concatenate.connect: merged,
    Dot.connect: dotted,
    Operating.connect: operated,
}
"""How a layer is applied that may take masks, by its method `connect`."""
TAKINGS: dict[type[LayerSpec], Connection] = {
    LastOutput: lambda layer, made, inputs: Code(f"{inputs[0]}[:, -1, :]"),
    BothEnds: _both_ends,
    Backwards: lambda layer, made, inputs: call("ops.flip", inputs[0], axis=1),
}
"""What stands in decoders alone, and is an operation."""


def _check_own(layer: LayerSpec) -> None:
    if not type(layer).__module__.startswith("dlspec."):
        raise NotWritten(f"`{layer.type_name}` is a layer of a plugin")
    if layer.begins_with is not None:
        raise NotWritten(f"`state_from: {layer.begins_with}` of `{layer.type_name}` is written in no script yet")
    if isinstance(layer, Sampling):
        raise NotWritten("Keras has no layer `sampling`, which draws and adds to the loss")


def _given(kind: Kind, built: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arguments that are not as by default, as Keras takes them, and those that are written otherwise."""
    for key, field in kind.fields_in_order().items():
        value, keras_key = getattr(kind, key), key.removesuffix("_")
        if key in OF_ALL or keras_key not in built:
            continue
        if keras_key in written:
            yield keras_key, written[keras_key]
        elif field.is_required() or value != field.get_default() or _is_said(kind, key, value):
            shown = as_value(value if _holds_kinds(value) else built[keras_key])
            alike = keras_key in SIZES and isinstance(shown, tuple) and len({*shown}) == 1
            yield keras_key, shown[0] if alike else shown


def _is_said(kind: Kind, key: str, value: Any) -> bool:
    """Whether the spec says the main argument, which is not left out, though Keras would take the same."""
    main = key == kind.primary() and key in kind.model_fields_set and not isinstance(kind, Merging)
    return main and value is not None


def _holds_kinds(value: Any) -> bool:
    return isinstance(value, Kind) or (isinstance(value, list | tuple) and any(map(_holds_kinds, value)))


def as_value(value: Any) -> Any:
    """A value of a field as source: kinds as calls, lists of numbers as tuples."""
    if isinstance(value, LayerSpec):
        return layer_call(value)
    if isinstance(value, KerasKind):
        return kind_call(value)
    if isinstance(value, list | tuple):
        items = [as_value(item) for item in value]
        return tuple(items) if all(isinstance(item, int | float | tuple) for item in items) else items
    return value


def _signature(module: str, name: str) -> inspect.Signature:
    import keras

    return inspect.signature(getattr(getattr(keras, module), name).__init__)


def _placed(
    name: str, signature: inspect.Signature, primary: str | None, given: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that stand without their name, those that are needed or the main one, and the rest by name."""
    args, left = [], dict(given)
    for parameter in list(signature.parameters.values())[1:]:
        needed = parameter.default is inspect.Parameter.empty or parameter.name == primary
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD or not needed or parameter.name not in left:
            break
        args.append(left.pop(parameter.name))
    unknown = [key for key in left if not key.isidentifier()]
    assert not unknown, f"{name} takes no {literal(unknown)}"
    return args, left
