"""The Open Inference Protocol, version 2, over HTTP with JSON."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .model import Model
from .problems import Problem, Refused, listed, shown
from .rows import RowReader, Rows

DATATYPES = {"string": "BYTES", "float64": "FP64", "float32": "FP32", "float16": "FP16", "bool": "BOOL"} | {
    f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def metadata(model: Model) -> dict[str, Any]:
    """`GET /v2/models/NAME`."""
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "onnxruntime_onnx" if model.runtime.startswith("onnxruntime") else "tensorflow_savedmodel",
        "inputs": [
            {"name": given["name"], "datatype": DATATYPES[given["dtype"]], "shape": [-1, *_open(given["shape"])]}
            for given in model.signature["inputs"]
        ],
        "outputs": [
            {
                "name": model.signature["outputs"]["name"],
                "datatype": "FP64",
                "shape": [-1, *_open(model.signature["outputs"]["shape"])],
            }
        ],
    }


def _open(shape: list[int | None]) -> list[int]:
    return [-1 if size is None else size for size in shape]


def read_tensors(value: Any, signature: dict[str, Any], reader: RowReader) -> Rows:
    """The rows of a request.

    Raises:
        Refused: with what is wrong.
    """
    tensors = value.get("inputs") if isinstance(value, dict) else None
    if not isinstance(tensors, list) or not all(isinstance(each, dict) for each in tensors):
        raise Refused.of(
            400, "the request has no `inputs`", 'write {"inputs": [{"name", "shape", "datatype", "data"}]}'
        )
    given = {str(each.get("name")): each for each in tensors}
    inputs = {each["name"]: each for each in signature["inputs"]}
    for name in inputs.keys() - given.keys():
        raise Refused.of(400, f"the input `{name}` is missing", f"the network takes {listed([*inputs])}")
    for name in given.keys() - inputs.keys():
        raise Refused.of(400, f"the network has no input {shown(name)}", f"it takes {listed([*inputs])}")
    if len(given) != len(tensors):
        raise Refused.of(400, "an input stands there twice", "give each once")
    _check_outputs(value.get("outputs"), signature["outputs"]["name"])
    columns = {name: _samples(given[name], inputs[name]) for name in inputs}
    counts = {len(values) for values in columns.values()}
    if len(counts) > 1:
        raise Refused.of(400, "the inputs have different numbers of rows", "give each as many")
    keys = {name: each["column"] if reader.by_column else name for name, each in inputs.items()}
    named = {keys[name]: values for name, values in columns.items()}
    return reader.read([dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)])


def _check_outputs(asked: Any, name: str) -> None:
    if asked is None:
        return
    names = [each.get("name") if isinstance(each, dict) else None for each in asked] if isinstance(asked, list) else []
    if names != [name]:
        raise Refused.of(400, "`outputs` asks for what there is not", f"the network has one output, `{name}`")


def _samples(tensor: dict[str, Any], given: dict[str, Any]) -> list[Any]:
    """The values of a tensor, one for each row, as lists."""
    name, wanted = given["name"], given["shape"]
    datatype, shape, data = DATATYPES[given["dtype"]], tensor.get("shape"), tensor.get("data")
    if tensor.get("datatype") != datatype:
        said = f"the input `{name}` has the datatype {shown(tensor.get('datatype'))}"
        raise Refused.of(400, said, f"write `{datatype}`")
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not whole or not isinstance(data, list):
        raise Refused.of(400, f"the input `{name}` lacks its `shape` or its `data`", "both are lists")
    assert isinstance(shape, list)
    fits = len(shape) == 1 + len(wanted) and all(
        size in (None, own) for size, own in zip(wanted, shape[1:], strict=True)
    )
    if not fits and not (wanted == [1] and len(shape) == 1):
        text = ", ".join(map(str, ["rows", *_open(wanted)]))
        raise Refused.of(400, f"the input `{name}` has the shape {shape}", f"write [{text}]")
    flat = _flat(data)
    if len(flat) != math.prod(shape):
        raise Refused.of(400, f"the input `{name}` has {len(flat):,} values for the shape {shape}", "they must agree")
    if wanted == [1]:
        return flat
    try:
        return list(np.array(flat, object).reshape(shape).tolist())
    except ValueError:
        raise Refused.of(400, f"the shape {shape} has too many dimensions", "write fewer") from None


def _flat(values: list[Any]) -> list[Any]:
    if not any(isinstance(each, list) for each in values):
        return values
    return [value for each in values for value in (_flat(each) if isinstance(each, list) else [each])]


def answer(model: Model, outputs: np.ndarray, asked: dict[str, Any], warnings: list[Problem]) -> dict[str, Any]:
    """The answer of `POST /v2/models/NAME/infer`; what is not finite is null."""
    values = np.asarray(outputs, "float64").ravel()
    data = [value if math.isfinite(value) else None for value in values.tolist()]
    name = model.signature["outputs"]["name"]
    found: dict[str, Any] = {
        "model_name": model.name,
        "model_version": model.version,
        "outputs": [{"name": name, "datatype": "FP64", "shape": list(outputs.shape), "data": data}],
    }
    if isinstance(asked.get("id"), str):
        found["id"] = asked["id"]
    if warnings:
        found["parameters"] = {"warnings": len(warnings)}
    return found
