"""Operations of `keras.ops`, and tables that are learned, as source, with the masks that Keras drops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.ejection.python import Call, Code, NotWritten, call, literal
from dlspec.language.shapes import Shape
from dlspec.model.layers.activations import Softmax
from dlspec.model.layers.attention import Attending, Scoring
from dlspec.model.layers.axes import place_of, places_of
from dlspec.model.layers.base import LayerSpec
from dlspec.model.layers.distances import Distance
from dlspec.model.layers.learned import AddTable, Factors, Learned, MultiplyByTable, Positions, Table
from dlspec.model.layers.merging import Concatenate, Dot, counting_masks, keras_merges
from dlspec.model.layers.normalization import RMSNormalization
from dlspec.model.layers.operations import Clip, EachValue, Operating, Power
from dlspec.model.layers.products import Einsum, Matmul
from dlspec.model.layers.reductions import Reducing
from dlspec.model.layers.slicing import ExpandDims, Roll, Slice, Squeeze, Stack


@dataclass(frozen=True)
class Taken:
    """What a layer takes.

    Args:
        masked: how many axes behind the batch a mask covers in each input.
        shapes: of the inputs.
        of_other_type: whether the inputs have another type than the layer; Keras then hands on masks only while values
            run, and operations do not.
    """

    masked: Sequence[int] = ()
    shapes: Sequence[Shape | None] = ()
    of_other_type: bool = False

    @property
    def any_masked(self) -> bool:
        return any(self.masked)

    def is_covered(self, axis: int, added: int = 0) -> bool:
        """Whether an axis of the first input, or of what comes out with more axes, lies in its mask."""
        shape = self.shapes[0] if self.shapes else None
        return bool(self.masked) and (shape is None or place_of(axis, shape, added=added) <= self.masked[0])


def looked_up(layer: Table, made: Call | Code, inputs: list[Code]) -> Call:
    """What a table gives."""
    (x,) = inputs
    if isinstance(layer, Learned):
        rows = call("rows_of_sample", x, tuple(layer.shape[:-1]))
    else:
        rows = call("one_row", x) if isinstance(layer, Factors) else call("timestep_numbers", x)
    if isinstance(layer, Positions) and not layer.has_weights:
        rows = call("sines", rows, layer.channels)
        if isinstance(made, Call) and not made.keywords:
            return rows
    return Call(made if isinstance(made, Call) else str(made), (rows,))


def operated(layer: Operating, made: Call | Code, inputs: list[Code], taken: Taken) -> Call | Code:
    """What an operation gives. The layer that bears its name is written where it has a name, or another type."""
    if taken.of_other_type:
        raise NotWritten(f"`{layer.type_name}` is of another type than its input")
    result = _reduced(layer, inputs[0], taken) if isinstance(layer, Reducing) else _computed(layer, inputs, taken)
    if not isinstance(made, Call) or made.keywords:
        result = Call(made if isinstance(made, Call) else str(made), (result,))
    return _masked(layer, result, inputs, taken)


def merged(layer: LayerSpec, made: Call | Code, inputs: list[Code], taken: Taken) -> Call | Code:
    """What a layer gives that merges several inputs, of which some may have a mask."""
    result = Call(made if isinstance(made, Call) else str(made), (inputs,))
    if not taken.any_masked or keras_merges(taken.masked, taken.shapes):
        return result
    counting = counting_masks(taken.masked, taken.shapes)
    kept = {inputs[i] for i, _ in counting}
    ranks = {len(shape or ()) for shape in taken.shapes}
    along = isinstance(layer, Concatenate) and layer.axis % max(ranks) <= max(taken.masked)
    deep = any(covered and {covered + 2} != ranks for covered in taken.masked)
    if len(kept) > 1 or len(ranks) > 1 or along or deep:
        raise NotWritten(f"`{layer.type_name}` merges inputs of which some have masks")
    return call("with_mask_of", result, *kept)


def dotted(layer: Dot, made: Call | Code, inputs: list[Code], taken: Taken) -> Call | Code:
    """The products of two inputs."""
    if taken.any_masked:
        raise NotWritten("`dot` takes an input that has a mask")
    return Call(made if isinstance(made, Call) else str(made), (inputs,))


def attended(layer: Attending, made: Call | Code, inputs: list[Code], taken: Taken) -> Call | Code:
    """What attention gives, which is told the masks of its inputs by name: they may come out of an operation, and Keras
    takes those of a list only while values run."""
    xs = inputs if len(inputs) > 1 else inputs * 2
    masked = [covered for covered in taken.masked for _ in range(1 if len(inputs) > 1 else 2)]
    masks = [call("mask_of", x) if covered else None for x, covered in zip(xs, masked, strict=False)]
    keywords = dict(layer.mask())
    name: Any = made if isinstance(made, Call) else str(made)
    if type(layer).connect is Scoring.connect:
        return Call(name, (xs,), {**keywords, **({"mask": masks} if taken.any_masked else {})})
    names = zip(("query_mask", "value_mask", "key_mask"), masks, strict=False)
    return Call(name, tuple(xs), {**keywords, **{key: mask for key, mask in names if mask is not None}})


def on_one(layer: LayerSpec, made: Call | Code, inputs: list[Code], taken: Taken) -> Call | Code:
    """What a layer with one input gives."""
    (x,) = inputs
    name: Any = made if isinstance(made, Call) else str(made)
    if not taken.any_masked:
        return Call(name, (x,))
    if isinstance(layer, Softmax) and taken.masked[0] != len(taken.shapes[0] or ()) - 1:
        given = call("low_where_masked" if any(map(taken.is_covered, layer.axis)) else "ops.copy", x)
        return call("with_mask_of", Call(name, (given,)), x)
    if isinstance(layer, RMSNormalization):
        return call("with_mask_of", Call(name, (call("ops.copy", x),)), x)
    keywords = {"mask": call("mask_of", x)} if taken.of_other_type and takes_mask(layer) else {}
    return Call(name, (x,), keywords)


def takes_mask(layer: LayerSpec) -> bool:
    """Whether the Keras layer is called with a mask."""
    import inspect

    import keras

    kind = getattr(keras.layers, type(layer).__name__, None)
    return kind is not None and "mask" in inspect.signature(kind.call).parameters


def _masked(layer: Operating, result: Call | Code, inputs: list[Code], taken: Taken) -> Call | Code:
    """The result with the mask of the input, if it has one that is left as it is."""
    if not taken.any_masked:
        return result
    if isinstance(layer, Reducing):
        inside = [taken.is_covered(axis) for axis in layer.axis]
        if all(not each for each in inside):
            return call("with_mask_of", result, inputs[0])
        if taken.masked[0] == 1:
            return result
    kept = (
        isinstance(layer, EachValue | AddTable | MultiplyByTable | Squeeze)
        or (isinstance(layer, Slice | Roll) and not taken.is_covered(layer.axis))
        or (isinstance(layer, ExpandDims) and not taken.is_covered(layer.axis, added=1))
    )
    if kept:
        return call("with_mask_of", result, inputs[0])
    raise NotWritten(f"`{layer.type_name}` changes the mask of its input")


def _reduced(layer: Reducing, x: Code, taken: Taken) -> Call:
    keywords = {"keepdims": True} if layer.keepdims else {}
    if any(map(taken.is_covered, layer.axis)):
        shape = taken.shapes[0]
        axes = tuple(layer.axis) if shape is None else places_of(layer.axis, shape)
        return call("masked_reduction", layer.type_name, x, axes, **keywords)
    axis = layer.axis[0] if len(layer.axis) == 1 else tuple(layer.axis)
    return call(f"ops.{layer.type_name}", x, axis=axis, **keywords)


def _computed(layer: Operating, inputs: list[Code], taken: Taken) -> Call | Code:
    how = next((how for kind, how in WAYS.items() if isinstance(layer, kind)), None)
    if how is None:
        raise NotWritten(f"`{layer.type_name}` is an operation that nobody knows")
    x: Any = inputs[0]
    if isinstance(layer, EachValue) and layer.steep and taken.any_masked:
        x = call("ones_where_masked", x)
    return how(layer, [x, *inputs[1:]])


def _sliced(layer: Slice, inputs: list[Any]) -> Code:
    """`x[:, 2:8]`, or `x[..., :3]` for the last axis."""
    written = f"{layer.start or ''}:{'' if layer.stop is None else layer.stop}"
    written += "" if layer.step == 1 else f":{layer.step}"
    if layer.axis > 0:
        return Code(f"{inputs[0]}[{':, ' * layer.axis}{written}]")
    return Code(f"{inputs[0]}[..., {written}{', :' * (-1 - layer.axis)}]")


WAYS: dict[Any, Callable[[Any, list[Any]], Call | Code]] = {
    Clip: lambda layer, x: call("ops.clip", x[0], layer.x_min, layer.x_max),
    Power: lambda layer, x: call("ops.power", x[0], layer.exponent),
    EachValue: lambda layer, x: call(f"ops.{layer.type_name}", x[0]),
    Slice: _sliced,
    Stack: lambda layer, x: call("ops.stack", x, axis=layer.axis),
    ExpandDims: lambda layer, x: call("ops.expand_dims", x[0], layer.axis),
    Squeeze: lambda layer, x: call("ops.squeeze", x[0], layer.axis[0] if len(layer.axis) == 1 else tuple(layer.axis)),
    Roll: lambda layer, x: call("ops.roll", x[0], layer.shift, axis=layer.axis),
    Matmul: lambda layer, x: call("ops.matmul", *x),
    Distance: lambda layer, x: call("distance", *x, layer.metric),
    Einsum: lambda layer, x: call("ops.einsum", layer.subscripts, *x),
    AddTable: lambda layer, x: Code(f"{literal(x[0])} + {literal(x[1])}"),
    MultiplyByTable: lambda layer, x: Code(f"{literal(x[0])} * {literal(x[1])}"),
}
"""How an operation is written; the first one that it is."""
