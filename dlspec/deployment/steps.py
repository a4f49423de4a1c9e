"""The steps around the network of a saved model: what raw columns go through before it, and its outputs after it.

The saved model is the one description of them, whatever the features of a run were: it is read operation by operation,
and written as ONNX nodes or as `preprocessing.json`, whichever a format can take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlspec.language.registry import snake_case

Operand = str | float | np.ndarray
"""The name of an input or of another step, or a constant."""

BINARY = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "TrueDivide": "divide",
    "Divide": "divide",
    "GreaterEqual": "greater_equal",
    "Less": "less",
    "LogicalAnd": "and",
}
UNARY = ("isnan", "floor", "sin", "cos", "log", "exp")
OF_TEXT = ("sequence", "bag")
"""Operations on whole texts."""


class NotKnown(Exception):
    """The model has an operation around its network that no step stands for."""


@dataclass(frozen=True)
class Value:
    """An array that has a name.

    Args:
        shape: without the batch.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape)}


@dataclass(frozen=True)
class Step(Value):
    """One operation, and its result.

    Args:
        op: as `serving/preprocessing.py` knows it.
        of: what it is computed of.
        more: what else the operation needs.
    """

    op: str
    of: tuple[Operand, ...]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of what it is computed of, but for constants."""
        return [each for each in self.of if isinstance(each, str)]

    def as_json(self) -> dict[str, Any]:
        of = [{"values": x.tolist(), "dtype": x.dtype.name} if isinstance(x, np.ndarray) else x for x in self.of]
        return {"name": self.name, "op": self.op, "of": of, "dtype": self.dtype, **self.more}


@dataclass(frozen=True)
class Program:
    """The steps around a network.

    Args:
        inputs: raw columns.
        before: what is made of them.
        takes: what the network takes of these, in the order of its inputs.
        gives: its outputs.
        after: what is made of them.
        outputs: the results.
    """

    inputs: tuple[Value, ...]
    before: tuple[Step, ...]
    takes: tuple[Value, ...]
    gives: tuple[Value, ...]
    after: tuple[Step, ...]
    outputs: tuple[Value, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the network takes raw columns and gives the results."""
        return not self.before and not self.after

    def as_json(self) -> dict[str, Any]:
        """`preprocessing.json`."""
        return {
            "inputs": [value.as_json() for value in self.inputs],
            "before": [step.as_json() for step in self.before],
            "network_takes": [value.name for value in self.takes],
            "network_gives": [value.name for value in self.gives],
            "after": [step.as_json() for step in self.after],
            "outputs": [value.name for value in self.outputs],
        }


def program_of(model: Any) -> tuple[Program, Any]:
    """The steps of a saved model, and the `keras.Model` between them.

    Args:
        model: as `with_preprocessing` or `part_of` gives it; of one without steps, the model is the network.

    Raises:
        NotKnown: it has an operation that no step stands for.
    """
    import keras

    inner = [operation for operation in model.operations if isinstance(operation, keras.Model)]
    if not inner:
        taken = tuple(_named(tensor, tensor._keras_history.operation.name) for tensor in model.inputs)
        given = tuple(_named(tensor, f"network_{number}") for number, tensor in enumerate(model.outputs))
        return Program(taken, (), taken, given, (), given), model
    reader = _Reader(inner[-1])
    inputs = [reader.input(tensor) for tensor in model.inputs]
    reader.read(model)
    return _needed(reader.program(inputs, model.outputs)), inner[-1]


def _named(tensor: Any, name: str) -> Value:
    return Value(name, str(tensor.dtype), tuple(tensor.shape[1:]))


class _Reader:
    """Reads the operations around a network.

    Args:
        network: what the steps are around.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        self.values: dict[int, Value] = {}
        self.before: list[Step] = []
        self.after: list[Step] = []
        self.takes: tuple[Value, ...] = ()
        self.gives: tuple[Value, ...] = ()
        self.columns: set[str] = set()
        self.count = 0

    def input(self, tensor: Any) -> Value:
        self.values[id(tensor)] = value = _named(tensor, tensor._keras_history.operation.name)
        self.columns.add(value.name)
        return value

    def program(self, inputs: Sequence[Value], outputs: Sequence[Any]) -> Program:
        found = tuple(self.values[id(tensor)] for tensor in outputs)
        return Program(tuple(inputs), tuple(self.before), self.takes, self.gives, tuple(self.after), found)

    def read(self, model: Any) -> None:
        """Reads all operations of a model whose inputs are known."""
        waiting = [(op, node) for op in model.operations for node in op._inbound_nodes if _belongs(model, node)]
        while waiting:
            later = []
            for operation, node in waiting:
                if all(id(tensor) in self.values for tensor in node.input_tensors):
                    self._operation(operation, node)
                else:
                    later.append((operation, node))
            if len(later) == len(waiting):
                raise NotKnown(waiting[0][0].name)
            waiting = later

    def _operation(self, operation: Any, node: Any) -> None:
        import keras

        if not node.input_tensors:  # an input
            return
        if operation is self.network:
            self.takes = tuple(self.values[id(tensor)] for tensor in node.input_tensors)
            self.gives = tuple(_named(tensor, self._free_name("network")) for tensor in node.output_tensors)
            self._are(node.output_tensors, self.gives)
        elif isinstance(operation, keras.Model):  # preprocessing of its own
            self._are(operation.inputs, [self.values[id(tensor)] for tensor in node.input_tensors])
            self.read(operation)
            self._are(node.output_tensors, [self.values[id(tensor)] for tensor in operation.outputs])
        else:
            (output,) = node.output_tensors
            self._are([output], [self._steps(operation, node, output)])

    def _are(self, tensors: Sequence[Any], values: Sequence[Value]) -> None:
        self.values.update(zip(map(id, tensors), values, strict=True))

    def _add(self, op: str, of: Sequence[Operand], dtype: str, shape: Sequence[int | None], **more: Any) -> Step:
        step = Step(self._free_name(op), dtype, tuple(shape), op, tuple(of), more)
        (self.after if self.gives else self.before).append(step)
        return step

    def _free_name(self, op: str) -> str:
        """One that no column has."""
        self.count += 1
        while f"{op}_{self.count}" in self.columns:
            self.count += 1
        return f"{op}_{self.count}"

    def _operand(self, value: Any) -> Operand:
        if id(value) in self.values:
            return self.values[id(value)].name
        return value if isinstance(value, int | float) and not isinstance(value, bool) else np.asarray(value)

    def _steps(self, operation: Any, node: Any, output: Any) -> Value:
        """Adds the steps of an operation; returns what comes out of the last of them."""
        kind, dtype, shape = type(operation).__name__, str(output.dtype), tuple(output.shape[1:])
        arguments = list(node.arguments.args) + list(node.arguments.kwargs.values())
        given = self.values[id(node.input_tensors[0])]
        if kind in BINARY:
            return self._add(BINARY[kind], [self._operand(value) for value in arguments[:2]], dtype, shape)
        if kind == "Where":
            return self._add("where", [self._operand(value) for value in arguments[:3]], dtype, shape)
        if snake_case(kind) in UNARY:
            return self._add(snake_case(kind), [given.name], dtype, shape)
        if kind == "ZerosLike":
            return self._add("zeros_like", [given.name], dtype, shape)
        if kind == "Cast":
            return self._add("cast", [given.name], dtype, shape)
        if kind == "Concatenate":
            names = [self.values[id(tensor)].name for tensor in node.input_tensors]
            return self._add("concatenate", names, dtype, shape, axis=operation.axis)
        if kind == "Take":
            indices = np.asarray(arguments[1]).ravel().tolist()
            return self._add("take", [given.name], dtype, shape, axis=operation.axis, indices=indices)
        if kind == "Reshape":
            return self._add("reshape", [given.name], dtype, shape, into=list(operation.newshape))
        if kind == "Max":
            (axis,) = operation.axis
            return self._add("max", [given.name], dtype, shape, axis=axis)
        if kind == "GetItem":
            return self._slices(given, arguments[1], dtype)
        if kind == "Rescaling":
            return self._rescaling(operation, given, shape)
        if kind == "StringLookup":
            return self._lookup(operation, given, dtype)
        if kind == "TextVectorization":
            return self._text(operation, given)
        raise NotKnown(operation.name)

    def _rescaling(self, layer: Any, given: Value, shape: tuple[int | None, ...]) -> Value:
        dtype = layer.compute_dtype
        if given.dtype != dtype:
            given = self._add("cast", [given.name], dtype, given.shape)
        scale, offset = (np.asarray(value, dtype) for value in (layer.scale, layer.offset))
        return self._add("add", [self._add("multiply", [given.name, scale], dtype, shape).name, offset], dtype, shape)

    def _slices(self, given: Value, key: Any, dtype: str) -> Value:
        keys = list(key) if isinstance(key, list | tuple) else [key]
        axes: Iterator[int] = iter(range(len(keys)))
        if Ellipsis in keys:
            keys.remove(Ellipsis)
            axes = iter(range(-len(keys), 0))
        shape = [None, *given.shape]
        dropped: list[int] = []
        for axis, place in zip(axes, keys, strict=False):
            if isinstance(place, int):  # a slice of one, which is dropped at the end
                dropped.append(axis % len(shape))
                place = slice(place, place + 1 or None)
            if place == slice(None):
                continue
            shape[axis] = len(range(shape[axis] or 0)[place])
            more = {"axis": axis, "start": place.start or 0, "stop": place.stop}
            given = self._add("slice", [given.name], dtype, shape[1:], **more)
        if dropped:
            kept = [length for axis, length in enumerate(shape) if axis not in dropped][1:]
            given = self._add("reshape", [given.name], dtype, kept, into=[-1, *kept])
        return given

    def _lookup(self, layer: Any, given: Value, dtype: str) -> Value:
        words = layer.get_vocabulary(include_special_tokens=False)
        blank = None if layer.mask_token is None else 0
        unknown = 0 if blank is None else 1
        more = {"words": list(words), "first": unknown + 1, "unknown": unknown, "blank": blank}
        found = self._add("lookup", [given.name], "int64", given.shape, **more)
        if layer.output_mode == "int":
            return found
        depth = layer.vocabulary_size()
        return self._add("one_hot", [found.name], dtype, (depth,), depth=depth)

    def _text(self, layer: Any, given: Value) -> Value:
        words = list(layer.get_vocabulary(include_special_tokens=False))
        if layer._output_mode == "int":
            length = layer._output_sequence_length
            of = {"unit": "characters"} if layer._split == "character" else {}
            of = {"unit": "items"} if layer._standardize is None and layer._split == "whitespace" else of
            return self._add("sequence", [given.name], "int64", (length,), words=words, length=length, **of)
        weights: list[float] | None = {"multi_hot": None, "count": []}.get(layer._output_mode)
        if layer._output_mode == "tf_idf":
            weights = [float(weight) for weight in layer.get_config()["idf_weights"]]
        more = {"words": words, "ngrams": max(layer._ngrams or (1,)), "weights": weights}
        return self._add("bag", [given.name], "float32", (1 + len(words),), **more)


def _belongs(model: Any, node: Any) -> bool:
    return any(node in nodes for nodes in model._nodes_by_depth.values())


def _needed(program: Program) -> Program:
    """Without the steps that nothing is made of."""
    needed = {value.name for value in program.outputs}
    after = _leading_to(program.after, needed)
    needed.update(value.name for value in program.takes)
    before = _leading_to(program.before, needed)
    return Program(program.inputs, before, program.takes, program.gives, after, program.outputs)


def _leading_to(steps: Sequence[Step], needed: set[str]) -> tuple[Step, ...]:
    found = []
    for step in reversed(steps):
        if step.name in needed:
            needed.update(step.names)
            found.append(step)
    return tuple(reversed(found))


def split(
    program: Program, takes_step: Callable[[Step], bool], takes_input: Callable[[Value], bool]
) -> tuple[Program, Program]:
    """The steps that stand outside of the exported file, around what stands in it, and the steps that stand in it.

    A step stands outside where the format does not take it, and so does all that it is made of; after the network, all
    that is made of it.

    Args:
        takes_step: whether the format takes a step.
        takes_input: whether it takes a raw input.
    """
    refused = {value.name for value in program.inputs if not takes_input(value)}
    outside: set[str] = set()
    for step in reversed(program.before):
        if step.name in outside or not takes_step(step) or not refused.isdisjoint(step.names):
            outside.update((step.name, *step.names))
    later: set[str] = set()
    for step in program.after:
        if not takes_step(step) or not later.isdisjoint(step.names):
            later.add(step.name)
    inner = [step for step in program.before if step.name not in outside]
    inner_after = [step for step in program.after if step.name not in later]
    outer = [step for step in program.before if step.name in outside]
    outer_after = [step for step in program.after if step.name in later]

    known = {value.name: value for value in (*program.inputs, *program.before, *program.gives, *program.after)}
    own = {step.name for step in inner} | {value.name for value in program.gives}
    wanted = [name for step in (*inner, *inner_after) for name in step.names]
    wanted[len(wanted) : len(wanted)] = [value.name for value in program.takes]
    crossing = [known[name] for name in dict.fromkeys(wanted) if name not in own | {s.name for s in inner_after}]
    order = [*known]
    crossing.sort(key=lambda value: order.index(value.name))
    computed = own | {step.name for step in inner_after}
    results = [name for step in outer_after for name in step.names] + [value.name for value in program.outputs]
    given = tuple(known[name] for name in dict.fromkeys(results) if name in computed)
    inside = Program(tuple(crossing), tuple(inner), program.takes, program.gives, tuple(inner_after), given)
    return Program(program.inputs, tuple(outer), tuple(crossing), given, tuple(outer_after), program.outputs), inside
