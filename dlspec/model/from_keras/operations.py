"""Operations of `keras.ops` in a functional graph, as layers that compute the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlspec.language.registry import snake_case
from dlspec.language.shapes import ShapeError
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.from_keras.words import NoWord, made
from dlspec.model.layers import LAYERS, LayerSpec

MERGES = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Maximum": "maximum", "Minimum": "minimum"}
FUNCTIONS = {"Exp": "exponential", "Swish": "silu", "Tanh": "tanh", "HardSwish": "hard_silu"}
"""Operations that are an activation of another name."""
EACH: Mapping[str, tuple[Any, ...]] = {
    "Square": ("square",),
    "Log": ("log",),
    "Sqrt": ("sqrt",),
    "Absolute": ("abs",),
    "Abs": ("abs",),
    "Sin": ("sin",),
    "Cos": ("cos",),
    "Rsqrt": ("power", ("exponent", -0.5)),
    "Reciprocal": ("power", ("exponent", -1.0)),
}
"""Operations on each value -> the layer, and what it is given."""
REDUCTIONS = {
    "Sum": "sum", "Mean": "mean", "Max": "max", "Amax": "max", "Min": "min", "Amin": "min", "Var": "var",
    "Logsumexp": "logsumexp",
}  # fmt: skip
EVERYTHING = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
POOLS = {"Mean": "average", "Max": "max"}


def operations_of(entry: Mapping[str, Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[LayerSpec]:
    """The layers that compute, one after the other, what an operation does.

    Args:
        args: what it is called with; a tensor has a `shape`.

    Raises:
        NoWord: there are none.
    """
    name, config = entry["class_name"], entry["config"]
    shape = getattr(args[0], "shape", None) if args else None
    if name == "GetItem" and len(args) == 2 and not kwargs and shape is not None:
        return taken(args[1], tuple(shape))
    if name == "Std" and not kwargs and shape is not None:
        return [_on_axes("var", config, shape), _layer("sqrt")]
    if name in ("TrueDivide", "Divide") and len(args) == 2 and not kwargs and _is_number(args[0]) and shape is None:
        inverse = _layer("power", exponent=-1.0)
        return [inverse] if args[0] == 1 else [inverse, _layer("rescaling", scale=float(args[0]))]
    return [operation_of(entry, args, kwargs)]


def parts_of(entry: Mapping[str, Any], shape: Sequence[int | None]) -> list[LayerSpec]:
    """The slices that `keras.ops.split` makes.

    Raises:
        NoWord: nothing says how large they are.
    """
    config = entry["config"]
    place, size = config["axis"] % len(shape), shape[config["axis"]]
    cuts = config["indices_or_sections"]
    if place == 0 or size is None or (isinstance(cuts, int) and size % cuts):
        raise NoWord("it splits the batch, or an axis of unknown size, which no spec does")
    cuts = [*cuts] if isinstance(cuts, list) else [size // cuts * i for i in range(1, cuts)]
    bounds = zip([0, *cuts], [*cuts, size], strict=True)
    return [_fits(_slice(place, start, stop, 1, size), [shape]) for start, stop in bounds]


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
    if name == "Power" and len(tensors) == len(numbers) == 1 and values[0] is tensors[0] and not odd:
        return _layer("power", exponent=float(numbers[0]))
    several = values[0] if len(values) == 1 and isinstance(values[0], list) else tensors if not odd else []
    if name in ("Stack", "Matmul", "Einsum") and several and not numbers:
        given = {"Stack": {"axis": rest.get("axis", 0)}, "Einsum": {"subscripts": rest.get("subscripts")}}
        return _fits(_layer(snake_case(name), **given.get(name, {})), [each.shape for each in several])
    if name == "Concatenate" and len(values) == 1 and isinstance(values[0], list):
        rank = len(values[0][0].shape)
        axis = rest.get("axis", 0)
        return _layer("concatenate", axis=-1 if axis in (-1, rank - 1) else axis)
    raise NoWord(f"no word for the operation `{_public(entry)}`" + _with(numbers, odd))


def _of_one(name: str, rest: Mapping[str, Any], shape: Sequence[int | None]) -> LayerSpec | None:
    """An operation on one tensor."""
    if name in EACH and not rest:
        return _layer(*EACH[name][:1], **dict(EACH[name][1:]))
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
    if name in ("Squeeze", "ExpandDims") and None not in shape[1:] and isinstance(rest.get("axis"), int):
        return _with_axes(name, rest["axis"], shape)
    if name == "Transpose" and isinstance(rest.get("axes"), list) and rest["axes"][0] == 0:
        return _layer("permute", dims=rest["axes"][1:])
    if name in POOLS and 3 <= len(shape) <= 5 and "keepdims" in (rest := {"keepdims": False, **rest}):
        axes = rest.get("axis")
        axes = sorted(axis % len(shape) for axis in (axes if isinstance(axes, list) else [axes])) if axes else []
        if axes == list(range(1, len(shape) - 1)):
            return _layer(f"global_{POOLS[name]}_pooling{len(shape) - 2}d", keepdims=bool(rest["keepdims"]))
    if name in REDUCTIONS and _only({key: rest[key] for key in rest if key not in ("axis", "keepdims")}, {}):
        return _on_axes(REDUCTIONS[name], rest, shape)
    if name == "Clip" and not any(isinstance(rest.get(key), dict | list | None) for key in ("x_min", "x_max")):
        return _layer("clip", x_min=float(rest["x_min"]), x_max=float(rest["x_max"]))
    if name == "Roll" and isinstance(rest.get("axis"), int) and isinstance(rest.get("shift"), int):
        return _fits(_layer("roll", axis=rest["axis"], shift=rest["shift"]), [shape])
    if name in ("Squeeze", "ExpandDims") and rest.get("axis") is not None:
        return _fits(_layer(snake_case(name), axis=rest["axis"]), [shape])
    return None


def _on_axes(word: str, config: Mapping[str, Any], shape: Sequence[int | None]) -> LayerSpec:
    """A reduction.

    Raises:
        NoWord: it mixes samples, or leaves no axis.
    """
    axes = config.get("axis")
    if axes is None:
        raise NoWord(f"`keras.ops.{word}` without `axis` mixes samples, which no spec does")
    last = len(shape) - 1
    axes = [-1 if axis == last else axis for axis in (axes if isinstance(axes, list) else [axes])]
    return _fits(_layer(word, axis=axes, keepdims=bool(config.get("keepdims"))), [shape])


def taken(key: Any, shape: tuple[int | None, ...]) -> list[LayerSpec]:
    """The layers that do what `x[key]` does: a `slice` for each axis, `squeeze` for a single place, `expand_dims`.

    Raises:
        NoWord: it takes single samples, or turns an axis round.
    """
    keys = list(key) if isinstance(key, list) else [key]
    gap = next((i for i, each in enumerate(keys) if _is(each, "__ellipsis__")), None)
    if gap is not None:
        named = sum(each is not None for each in keys) - 1
        keys[gap : gap + 1] = [EVERYTHING] * (len(shape) - named)
    layers: list[LayerSpec] = []
    place, single = 0, list[int]()
    added: list[int] = []
    for each in keys:
        if each is None:
            added.append(place + len(added) - len(single))
            continue
        if isinstance(each, int):
            start, stop, step = each, each + 1 or None, 1
            single.append(place)
        elif _is(each, "__slice__"):
            start, stop, step = (each["config"][name] for name in ("start", "stop", "step"))
        else:
            raise NoWord("no word for `x[…]` with a tensor or a list")
        if (start or 0, stop, step or 1) != (0, None, 1):
            if place == 0:
                raise NoWord("`x[…]` takes single samples of the batch, which no spec does")
            layers.append(_fits(_slice(place, start or 0, stop, step or 1, shape[place]), [shape]))
        place += 1
    if single:
        layers.append(_layer("squeeze", axis=single))
    if len(shape) - len(single) + len(added) < 2 or 0 in added:
        raise NoWord("`x[…]` leaves no axis but the batch, or adds one in front of it")
    layers += [_layer("expand_dims", axis=axis) for axis in added]
    return layers or [_layer("identity")]


def _is(value: Any, name: str) -> bool:
    return isinstance(value, dict) and value.get("class_name") == name


def _slice(place: int, start: int, stop: int | None, step: int, size: int | None) -> LayerSpec:
    """A slice; Python cuts bounds off at the ends of an axis."""
    if step < 1:
        raise NoWord("`x[…]` turns an axis round, and no word does")
    if size is None:
        raise NoWord("`x[…]` takes a part of an axis of unknown size")
    start, stop = max(start, -size), None if stop is None or stop >= size else stop
    return _layer("slice", axis=place, start=start, stop=stop, step=step)


def _fits(layer: LayerSpec, shapes: Sequence[Any]) -> LayerSpec:
    """The layer, if it takes these shapes.

    Raises:
        NoWord: it does not.
    """
    try:
        layer.infer(*(None if shape is None else tuple(shape) for shape in shapes))
    except ShapeError as error:
        raise NoWord(error.message) from None
    return layer


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


def _with_axes(name: str, axis: int, shape: Sequence[int | None]) -> LayerSpec | None:
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
    layer = made(kind, given)
    assert isinstance(layer, LayerSpec)
    return layer


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
