"""Steps and a network as one ONNX model (Open Neural Network Exchange, opset of the network)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.deployment.steps import OF_TEXT, Operand, Program, Step, Value

Array = np.ndarray

PLAIN = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "and": "And",
    "where": "Where",
    "isnan": "IsNaN",
    "floor": "Floor",
    "log": "Log",
    "exp": "Exp",
}
"""Operations that ONNX has under another name."""
IN_FLOAT32 = {"sin": "Sin", "cos": "Cos"}
"""Operations that ONNX Runtime has for float32 alone; what they give lies between -1 and 1."""
ML_OPSET = 3
END = 2**63 - 1


def takes_step(step: Step) -> bool:
    """Whether ONNX has the operation: of texts its `StringNormalizer` takes one row, and it has no regular
    expressions."""
    return step.op not in OF_TEXT


def whole_model(program: Program, network: Any, name: str) -> Any:
    """The `onnx.ModelProto` of the steps with the network between them.

    Args:
        program: steps all of which `takes_step`.
        network: the `onnx.ModelProto` of the network.
    """
    import onnx
    from onnx import helper

    writer = _Writer(program)
    for step in program.before:
        writer.step(step)
    inner = onnx.compose.add_prefix(network, "network/").graph
    for given, value in zip(inner.input, program.takes, strict=True):
        element = helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type).name
        writer.node("Identity", [writer.cast(value.name, element)], element, given.name)
    writer.nodes += inner.node
    for given, value in zip(inner.output, program.gives, strict=True):
        writer.node("Identity", [given.name], value.dtype, value.name)
    for step in program.after:
        writer.step(step)
    graph = helper.make_graph(
        writer.nodes,
        name,
        [_described(value) for value in program.inputs],
        [_described(value) for value in program.outputs],
        [*writer.constants, *inner.initializer],
        sparse_initializer=inner.sparse_initializer,
    )
    opsets = {opset.domain: opset.version for opset in network.opset_import} | {"ai.onnx.ml": ML_OPSET}
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()],
        ir_version=network.ir_version,
        producer_name="dlspec",
    )
    model.functions.extend(network.functions)
    onnx.checker.check_model(model)
    return model


def write_otherwise(model: Any) -> None:
    """Puts operations of ONNX in the place of those that the converter has taken over from TensorFlow by their name:
    erfc(x) = 1 - erf(x), of `gelu`, and expm1(x) = exp(x) - 1, of `celu`. All are of float32."""
    from onnx import helper, numpy_helper

    graph, one, nodes = model.graph, "one/of_float32", []
    for node in graph.node:
        if node.op_type not in ("Erfc", "Expm1"):
            nodes.append(node)
            continue
        inner, (given,), (result,) = f"{node.name}/inner", node.input, node.output
        nodes.append(helper.make_node("Erf" if node.op_type == "Erfc" else "Exp", [given], [inner]))
        operands = [one, inner] if node.op_type == "Erfc" else [inner, one]
        nodes.append(helper.make_node("Sub", operands, [result]))
    if len(nodes) > len(graph.node):
        graph.initializer.append(numpy_helper.from_array(np.array(1, "float32"), one))
        del graph.node[:]
        graph.node.extend(nodes)


def _described(value: Value) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(value.name, _type(value.dtype), ["batch", *value.shape])


def _type(dtype: str) -> int:
    from onnx import TensorProto, helper

    return TensorProto.STRING if dtype == "string" else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


class _Writer:
    """Writes steps as nodes, whose results are called as the steps are."""

    def __init__(self, program: Program) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        known = (*program.inputs, *program.before, *program.gives, *program.after)
        self.dtypes = {value.name: value.dtype for value in known}
        self.count = 0

    def node(self, op: str, names: Sequence[str], dtype: str, name: str = "", domain: str = "", **more: Any) -> str:
        """Adds a node; returns the name of its result."""
        from onnx import helper

        self.count += 1
        name = name or f"{op}/{self.count}"
        self.nodes.append(helper.make_node(op, list(names), [name], domain=domain, **more))
        self.dtypes[name] = dtype
        return name

    def constant(self, values: Any, dtype: str) -> str:
        from onnx import numpy_helper

        self.count += 1
        name = f"constant/{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        self.dtypes[name] = dtype
        return name

    def cast(self, name: str, dtype: str, into: str = "") -> str:
        if self.dtypes[name] == dtype:
            return self.node("Identity", [name], dtype, into) if into else name
        return self.node("Cast", [name], dtype, into, to=_type(dtype))

    def operand(self, value: Operand, dtype: str) -> str:
        """A constant, or a result, in a dtype."""
        return self.cast(value, dtype) if isinstance(value, str) else self.constant(value, dtype)

    def step(self, step: Step) -> None:
        op, name, dtype, more = step.op, step.name, step.dtype, step.more
        if op in PLAIN:
            self.node(PLAIN[op], self._operands(step), dtype, name)
        elif op in IN_FLOAT32:
            found = self.node(IN_FLOAT32[op], [self.cast(step.names[0], "float32")], "float32")
            self.cast(found, dtype, name)
        elif op == "cast":
            self.cast(step.names[0], dtype, name)
        elif op == "zeros_like":
            known = self.node("IsNaN", step.names, "bool")
            zero = self.node("And", [known, self.node("Not", [known], "bool")], "bool")
            self.cast(zero, dtype, name)
        elif op == "concatenate":
            self.node("Concat", [self.cast(each, dtype) for each in step.names], dtype, name, axis=more["axis"])
        elif op == "slice":
            stop = END if more["stop"] is None else more["stop"]
            bounds = [self.constant([value], "int64") for value in (more["start"], stop, more["axis"])]
            self.node("Slice", [step.names[0], *bounds], dtype, name)
        elif op == "take":
            indices = self.constant(more["indices"], "int64")
            self.node("Gather", [step.names[0], indices], dtype, name, axis=more["axis"])
        elif op == "reshape":
            self.node("Reshape", [step.names[0], self.constant(more["into"], "int64")], dtype, name)
        elif op == "max":
            self.node("ReduceMax", step.names, dtype, name, axes=[more["axis"]], keepdims=1)
        elif op == "lookup":
            self._lookup(step)
        elif op == "one_hot":
            numbers = self.constant(np.arange(more["depth"])[None], "int64")
            self.cast(self.node("Equal", [step.names[0], numbers], "bool"), dtype, name)
        else:
            raise AssertionError(f"ONNX has no `{op}`, which `takes_step` lets stand outside")

    def _operands(self, step: Step) -> list[str]:
        """What a plain operation takes, in one dtype."""
        if step.op == "and":
            return [self.operand(value, "bool") for value in step.of]
        if step.op == "where":
            return [step.names[0], *(self.operand(value, step.dtype) for value in step.of[1:])]
        if step.op in ("greater_equal", "less"):
            return [self.operand(value, self.dtypes[step.names[0]]) for value in step.of]
        if step.op == "isnan":
            return step.names
        return [self.operand(value, step.dtype) for value in step.of]

    def _lookup(self, step: Step) -> None:
        more = step.more
        places = {word: number for number, word in enumerate(more["words"], more["first"])}
        if more["blank"] is not None:
            places.setdefault("", more["blank"])
        if not places:  # which ONNX does not take
            places = {"": more["unknown"]}
        self.node(
            "LabelEncoder",
            step.names,
            step.dtype,
            step.name,
            "ai.onnx.ml",
            keys_strings=list(places),
            values_int64s=list(places.values()),
            default_int64=more["unknown"],
        )
