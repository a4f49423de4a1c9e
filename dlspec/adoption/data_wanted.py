"""The data that an adopted network asks for: the section `data`, and stand-ins of that form to check the spec with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlspec.language.shapes import Shape
from dlspec.model.from_keras.names import plain_name
from dlspec.model.from_keras.network import Call, Given, Network
from dlspec.model.from_keras.words import NoWord
from dlspec.model.layers import LayerSpec

MOST_COLUMNS = 200
"""Columns of a table that a spec may have to name, one by one."""
MOST_CLASSES, MOST_NUMBERS = 1000, 100
"""Classes that there may be, and that may stand in an array as whole numbers; of more, each row has a single 1."""


NO_TARGET = (
    "no target has the form of what the network gives, {}: put layers behind it, such as `global_average_pooling2d` "
    "and `output`, before it is trained"
)
SEVERAL_INPUTS = "it takes {} beside other inputs; several inputs are columns of a table here, {} of each at most"
SEVERAL_OUTPUTS = (
    "its output `{}` is {}; one of several outputs is a `dense` layer of 1 linear unit, 1 sigmoid unit or a softmax "
    "unit for each class here, and no more"
)


@dataclass(frozen=True)
class Wanted:
    """What data must look like.

    Args:
        section: of the spec, as one writes it.
        comment: lines that say which arrays or columns are wanted.
        inputs: of the section `model`, the columns that each input takes; None: there is one input.
        outputs: output -> its target, where there are several.
        remarks: what a person must know.
        key: `arrays` or `table`, the key that names the file.
        fits: whether a target has the form of what the network gives.
        at_places: whether it is a class or a number at each place.
    """

    section: dict[str, Any]
    comment: tuple[str, ...]
    key: str
    inputs: Mapping[str, list[str]] | None = None
    outputs: Mapping[str, str] | None = None
    remarks: tuple[str, ...] = ()
    fits: bool = True
    at_places: bool = False
    _arrays: Mapping[str, tuple[tuple[int, ...], str, int]] = field(default_factory=dict)

    def stand_ins(self, folder: Path) -> dict[str, Any]:
        """Writes data of this form, all zeros but for classes, and returns the keys of the spec that name them."""
        if self.key == "table":
            return _write_table(self._arrays, folder)
        return _write_arrays(self._arrays, folder, at_places=self.at_places)


def wanted_data(
    network: Network, shapes: Mapping[str, Shape], sizes: Mapping[str, Shape], file: str, loss: str | None
) -> Wanted:
    """What data a network asks for.

    Args:
        shapes: of each output.
        sizes: of each input, with a number for every axis behind the batch.
        file: name of the data file without its ending.
        loss: that the model was compiled with, as the language calls it.

    Raises:
        NoWord: no data have this form.
    """
    if len(network.given) > 1 or len(network.outputs) > 1:
        return _of_table(network, shapes, file)
    return _of_arrays(network, shapes, sizes, file, loss)


def _of_arrays(
    network: Network, shapes: Mapping[str, Shape], sizes: Mapping[str, Shape], file: str, loss: str | None
) -> Wanted:
    given, (name, number) = network.given[0], network.outputs[0]
    shape, layer = shapes[name], network.by_number()[number].layer
    size, section = sizes[given.name], {"arrays": f"{file}.npz", "scale": "none"}
    whole = " of whole numbers" if given.dtype.startswith(("int", "uint")) else ""
    x = f"x: {_show(given.shape)}{whole}, as the model takes them"
    arrays: dict[str, tuple[tuple[int, ...], str, int]] = {"x": (tuple(n or 1 for n in size[1:]), "uint8", 0)}
    remarks = []
    if None in given.shape[1:]:
        remarks.append(
            f"the model takes any size where {_show(given.shape)} has a `?`; a network of a spec takes that of its data"
        )
    places = _at_places(layer, shape, loss)
    is_class = places is not None and places[1] == "category" and _activation(layer) != "sigmoid"
    if (
        not is_class
        and shape[1:] == given.shape[1:]
        and (len(shape) > 2 or (loss in ("mse", "mae", None) and _activation(layer) != "softmax"))
    ):
        section["target"] = "input"
        return Wanted(section, (x, "y is not needed: the network gives back what it takes"), "arrays",
                      remarks=tuple(remarks), _arrays=arrays)  # fmt: skip
    if places is not None:
        what, word, arrays["y"] = places
        typed: dict[str, Any] = {**section, "target": {"y": word}}
        return Wanted(typed, (x, f"y: {what}"), "arrays", remarks=tuple(remarks), at_places=True, _arrays=arrays)
    if len(shape) != 2 or shape[1] is None:
        remarks.append(NO_TARGET.format(_show(shape)))
        arrays["y"] = ((), "float32", 0)
        return Wanted(
            section, (x, "y: what is to be predicted"), "arrays", remarks=tuple(remarks), fits=False, _arrays=arrays
        )
    y, kind, remark = _target(layer, int(shape[1]), loss)
    remarks += [remark] if remark else []
    arrays["y"] = kind
    return Wanted(section, (x, f"y: {y}"), "arrays", remarks=tuple(remarks), _arrays=arrays)


def _at_places(layer: LayerSpec, shape: Shape, loss: str | None) -> tuple[str, str, tuple[Any, str, int]] | None:
    """Of a network that keeps axes before the last one, what `y` is, the word for it, and its form; None: no target has
    the form of what the network gives."""
    if len(shape) < 3 or None in shape[1:]:
        return None
    units, activation, of_numbers = int(shape[-1] or 0), _activation(layer), loss in ("mse", "mae", "huber")
    axes = ", ".join(str(size) for size in shape[1:-1])
    if activation in ("softmax", "sparsemax") and 2 <= units <= MOST_NUMBERS:
        return f"(samples, {axes}), classes from 0 to {units - 1}", "category", (shape[1:-1], "uint8", units)
    if activation in ("sigmoid", "hard_sigmoid") and units == 1 and not of_numbers:
        return f"(samples, {axes}), classes 0 and 1", "category", (shape[1:-1], "uint8", 2)
    if activation in (None, "linear") and of_numbers:  # without a loss it may be a network without its top
        own = shape[1:-1] if units == 1 else shape[1:]
        return f"{_show((None, *own))}, numbers", "numeric", (own, "float32", 0)
    return None


def _target(layer: LayerSpec, units: int, loss: str | None) -> tuple[str, tuple[tuple[int, ...], str, int], str | None]:
    """What `y` is, its form, and a remark."""
    activation = _activation(layer)
    if activation in ("softmax", "sparsemax") and units > 1:
        if units > MOST_CLASSES:
            many = f"data have at most {MOST_CLASSES:,} classes, and the model tells {units:,} apart"
            return "(samples,), classes", ((), "float32", 0), many
        if units > MOST_NUMBERS:
            return f"(samples, {units}), in each row a single 1 for its class", ((units,), "uint8", units), None
        return f"(samples,), classes from 0 to {units - 1}", ((), "int64", units), None
    if activation in ("sigmoid", "hard_sigmoid") and units == 1 and loss not in ("mse", "mae", "huber"):
        return "(samples,), classes 0 and 1", ((), "int64", 2), None
    if activation in ("sigmoid", "hard_sigmoid") and units > 1:
        return f"(samples, {units}), 0 or 1 each", ((units,), "int64", 2), None
    remark = None
    if loss in ("sparse_categorical_crossentropy", "binary_crossentropy", "categorical_crossentropy"):
        remark = (f"the model gives numbers without an activation to `{loss}`; for classes, write `activation: "
                  f"{'sigmoid' if units == 1 else 'softmax'}` in its last layer")  # fmt: skip
    if units == 1:
        return "(samples,), numbers", ((), "float32", 0), remark
    return f"(samples, {units}), numbers", ((units,), "float32", 0), remark


def _activation(layer: LayerSpec) -> str | None:
    inner = getattr(layer, "layer", None) if layer.type_name == "time_distributed" else None
    given = getattr(inner or layer, "activation", None)
    return layer.type_name if layer.type_name == "softmax" else given


def _show(shape: Shape) -> str:
    sizes = ", ".join("?" if size is None else str(size) for size in shape[1:])
    return f"(samples, {sizes})" if sizes else "(samples,)"


# --- tables


def _of_table(network: Network, shapes: Mapping[str, Shape], file: str) -> Wanted:
    """Of several inputs or outputs: a column for each number of an input, and one for each output."""
    by_number = network.by_number()
    inputs: dict[str, list[str]] = {}
    columns: dict[str, tuple[tuple[int, ...], str, int]] = {}
    for given in network.given:
        if len(given.shape) != 2 or given.shape[1] is None or given.shape[1] > MOST_COLUMNS:
            raise NoWord(SEVERAL_INPUTS.format(_show(given.shape), MOST_COLUMNS))
        inputs[given.name] = _columns(given)
        columns |= dict.fromkeys(inputs[given.name], ((), "float32", 0))
    targets, said = {}, []
    for name, number in network.outputs:
        if len(shapes[name]) != 2 or shapes[name][1] is None:
            raise NoWord(f"its output `{name}` is {_show(shapes[name])}, which is no column of a table")
        units, call = int(shapes[name][1] or 0), by_number[number]
        target = "target" if len(network.outputs) == 1 else f"{plain_name(name)}_target"
        what, (axes, kind, classes), _ = _target(call.layer, units, None)
        if len(network.outputs) > 1:
            _check_output(name, call, units, classes)
        targets[name] = target
        columns |= dict.fromkeys(_target_columns(target, units, alone=not axes or classes > 2), ((), kind, classes))
        said.append(f"{target}: " + (f"one of {classes} words" if classes > 2 else what.removeprefix("(samples,), ")))
    several = len(network.outputs) > 1
    first = [name for name in columns if name not in {own for names in inputs.values() for own in names}]
    section: dict[str, Any] = {"table": f"{file}.csv", "scale": "none"}
    if not several:
        section["target"] = first[0] if len(first) == 1 else first
    takes = ", ".join(f"{names[0]} … {names[-1]}" if len(names) > 1 else names[0] for names in inputs.values())
    remarks = ("`dlspec run` trains networks of one output; `dlspec.build` builds this one",) if several else ()
    if len(network.given) == 1:
        section["features"] = inputs[network.given[0].name]
    return Wanted(
        section,
        (f"columns {takes}, as the model takes them", *said),
        "table",
        inputs=inputs if len(inputs) > 1 else None,
        outputs=targets if several else None,
        remarks=remarks,
        _arrays=columns,
    )


def _columns(given: Given) -> list[str]:
    count, name = given.shape[1] or 0, plain_name(given.name)
    return [name] if count == 1 else [f"{name}_{i}" for i in range(1, count + 1)]


def _target_columns(target: str, units: int, *, alone: bool) -> list[str]:
    return [target] if alone else [f"{target}_{i}" for i in range(1, units + 1)]


def _check_output(name: str, call: Call, units: int, classes: int) -> None:
    """An output by name is a dense layer that its target makes: one that is more cannot be said.

    Raises:
        NoWord: it is.
    """
    from dlspec.model.from_keras.words import arguments_of, defaults_of

    given, defaults = arguments_of(call.layer), defaults_of(call.layer.type_name)
    more = [key for key, value in given.items() if key not in ("units", "activation") and value != defaults.get(key)]
    asked = "linear" if not classes else "sigmoid" if units == 1 else "softmax"
    if call.layer.type_name != "dense" or more or given["activation"] != asked or (units > 1 and classes < 3):
        raise NoWord(SEVERAL_OUTPUTS.format(name, _article(call.layer.type_name)))


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} `{word}`"


# --- stand-ins


def _write_arrays(
    arrays: Mapping[str, tuple[tuple[int, ...], str, int]], folder: Path, *, at_places: bool
) -> dict[str, Any]:
    """Files of zeros, which take no room on the disk, and classes that each come once.

    Args:
        at_places: whether a class of several axes is one at each of their places.
    """
    import numpy as np

    rows = max(20, *(classes for _, _, classes in arrays.values()))
    paths = {}
    for name, (shape, dtype, classes) in arrays.items():
        path = folder / f"{name}.npy"
        file = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=(rows, *shape))
        places = np.arange(rows) % max(1, classes)
        if classes and at_places:
            file[...] = places.reshape(-1, *[1] * len(shape))
        elif classes:
            file[...] = places if not shape else np.eye(classes)[places] if classes > 2 else _labels(rows, shape[0])
        elif dtype.startswith("float"):
            file[...] = np.linspace(0, 1, rows).reshape(-1, *[1] * len(shape))
        del file
        paths[name] = str(path)
    return {"data.arrays": paths}


def _labels(rows: int, count: int) -> Any:
    import numpy as np

    return (np.arange(rows)[:, None] // 2 ** (np.arange(count) % 4) + np.arange(count) // 4) % 2


def _write_table(columns: Mapping[str, tuple[tuple[int, ...], str, int]], folder: Path) -> dict[str, Any]:
    rows = max(20, *(3 * classes for _, _, classes in columns.values()))
    path = folder / "table.csv"
    lines = [",".join(columns)]
    for row in range(rows):
        lines.append(",".join(_cell(row, i, classes) for i, (_, _, classes) in enumerate(columns.values())))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"data.table": str(path)}


def _cell(row: int, column: int, classes: int) -> str:
    if classes > 2:
        return f"class {row % classes}"
    return str(row % classes) if classes else f"{(row * 7 + column) % 11 + 0.5}"
