"""Operations of `keras.ops` in a functional graph, as layers that compute the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlspec.language.registry import snake_case
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.from_keras.words import NoWord
from dlspec.model.layers import LAYERS, LayerSpec

MERGES = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Maximum": "maximum", "Minimum": "minimum"}
FUNCTIONS = {"Exp": "exponential", "Swish": "silu", "Tanh": "tanh", "HardSwish": "hard_silu"}
"""Operations that are an activation of another name."""
POOLS = {"Mean": "average", "Max": "max"}


def operation_of(entry: Mapping[str, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> LayerSpec:
    """The layer that computes what an operation does.

    Args:
        args: what it is called with; a tensor has a `shape`.

    Raises:
        NoWord: there is none.
    """
    name, config = entry["class_name"], entry["config"]
    values = [*args, *kwargs.values()]
    tensors = [value for value in values if hasattr(value, "number")]
    numbers = [value for value in values if _is_number(value)]
    odd = len(tensors) + len(numbers) < len(values)
    if name in MERGES and len(tensors) == 2 and not odd:
        return _layer(MERGES[name])
    if not odd and len(tensors) == len(numbers) == 1 and (scaled := _scaled(name, values, numbers[0])) is not None:
        return _layer("rescaling", scale=scaled[0], offset=scaled[1])
    if name == "Cast" and len(tensors) == 1 and config.get("dtype") in ("float32", "float64"):
        return _layer("identity")  # values of a network are such numbers
    rest = {key: value for key, value in config.items() if key not in ("name", "dtype") and value is not None}
    if len(tensors) == 1 and not numbers and not odd and tensors[0].shape is not None:
        made = _of_one(name, rest, tensors[0].shape)
        if made is not None:
            return made
    if name == "Concatenate" and len(values) == 1 and isinstance(values[0], list):
        rank = len(values[0][0].shape)
        axis = rest.get("axis", 0)
        return _layer("concatenate", axis=-1 if axis in (-1, rank - 1) else axis)
    raise NoWord(f"no word for the operation `{_public(entry)}`" + _with(numbers, odd))


def _of_one(name: str, rest: Mapping[str, Any], shape: Sequence[int | None]) -> LayerSpec | None:
    """An operation on one tensor."""
    activation = FUNCTIONS.get(name, snake_case(name))
    plain = {"axis": -1, "approximate": True, "negative_slope": 0.0}
    if name == "Softmax" and rest.get("axis") == len(shape) - 1:
        rest = {}
    if activation in ACTIVATIONS and _only(rest, plain if name != "Gelu" else {"approximate": False}):
        return _layer("activation", activation=activation)
    if name == "Negative":
        return _layer("rescaling", scale=-1.0)
    if name == "Reshape" and "newshape" in rest and None not in shape[1:]:
        return _reshaped(rest["newshape"], shape)
    if name in ("Squeeze", "ExpandDims") and None not in shape[1:]:
        return _with_axes(name, rest.get("axis"), shape)
    if name == "Transpose" and isinstance(rest.get("axes"), list) and rest["axes"][0] == 0:
        return _layer("permute", dims=rest["axes"][1:])
    if name in POOLS and 3 <= len(shape) <= 5 and "keepdims" in (rest := {"keepdims": False, **rest}):
        axes = rest.get("axis")
        axes = sorted(axis % len(shape) for axis in (axes if isinstance(axes, list) else [axes])) if axes else []
        if axes == list(range(1, len(shape) - 1)):
            return _layer(f"global_{POOLS[name]}_pooling{len(shape) - 2}d", keepdims=bool(rest["keepdims"]))
    return None


def _only(rest: Mapping[str, Any], plain: Mapping[str, Any]) -> bool:
    """Whether an operation has no arguments but those that the activation has, too."""
    return all(key in plain and value == plain[key] for key, value in rest.items())


def _scaled(name: str, values: Sequence[Any], number: float) -> tuple[float, float] | None:
    """`scale` and `offset` of an operation between a tensor and a number."""
    first = _is_number(values[0])
    how: Mapping[str, Callable[[], tuple[float, float] | None]] = {
        "Add": lambda: (1.0, number),
        "Multiply": lambda: (number, 0.0),
        "Subtract": lambda: (-1.0, number) if first else (1.0, -number),
        "TrueDivide": lambda: None if first or number == 0 else (1.0 / number, 0.0),
        "Divide": lambda: None if first or number == 0 else (1.0 / number, 0.0),
    }
    return how[name]() if name in how and math.isfinite(number) else None


def _reshaped(newshape: Any, shape: Sequence[int | None]) -> LayerSpec | None:
    sizes = list(newshape) if isinstance(newshape, list) else []
    if not sizes or (sizes[0] not in (-1, None) and sizes.count(-1) != 1):
        return None
    inside = math.prod(size or 0 for size in shape[1:])
    if sizes[0] in (-1, None):
        kept = sizes[1:]
        if -1 in kept or None in kept or math.prod(kept) != inside:
            return None
        return _layer("flatten") if kept == [inside] else _layer("reshape", target_shape=kept)
    return None


def _with_axes(name: str, axis: Any, shape: Sequence[int | None]) -> LayerSpec | None:
    if not isinstance(axis, int):
        return None
    sizes = list(shape[1:])
    place = axis % (len(shape) + (name == "ExpandDims"))
    if place == 0:
        return None
    if name == "ExpandDims":
        sizes.insert(place - 1, 1)
    elif sizes[place - 1] != 1 or len(sizes) == 1:
        return None
    else:
        del sizes[place - 1]
    return _layer("reshape", target_shape=sizes)


def _layer(word: str, **given: Any) -> LayerSpec:
    kind = LAYERS[word]
    assert issubclass(kind, LayerSpec), "the words above are layers"
    return kind.model_validate(given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with(numbers: Sequence[float], odd: bool) -> str:
    if numbers:
        return f" with the number {numbers[0]:g}"
    return " with these arguments" if odd else ""


def _public(entry: Mapping[str, Any]) -> str:
    """`keras.ops.get_item`, as one calls it."""
    name = snake_case(entry["class_name"])
    return "x[…]" if name == "get_item" else f"keras.ops.{name}"
