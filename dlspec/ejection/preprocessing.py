"""`build_preprocessing`, `network_targets` and `with_preprocessing`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dlspec.data.features import Affine
from dlspec.ejection.encodings import encoding_of
from dlspec.ejection.naming import KINDS, Treated, held_names, in_list
from dlspec.ejection.prose import define
from dlspec.ejection.python import WIDTH, Call, Code, literal, source, statement
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject

Array = np.ndarray

SECTION = "preprocessing"
KEYS = ("center", "scale")
MOST_IN_JSON = 200
"""With more values than this, a scale is kept as an array."""
CHANGES = {"difference": "differences", "return": "logarithmic returns"}
FITTED_TO = {
    "standard": "mean and standard deviation",
    "min_max": "smallest value and range",
    "robust": "median and distance of the quartiles",
    "none": "0 and 1",
}


def write_preprocessing(script: Script, subject: Subject) -> None:
    """The way from raw values to what the network sees, and back from what it puts out."""
    for name in ("build_preprocessing", "network_targets", "with_preprocessing"):
        script.taken.add(name)
    inputs = None if subject.is_typed else _keep_scale(script, "inputs", subject.data.preprocessing.inputs)
    target = subject.data.preprocessing.target
    of_target = None if target is None else _keep_scale(script, "target", target)
    if subject.is_typed:
        _write_columns(script, subject)
    elif subject.is_series:
        _write_windows(script, subject, inputs)
    else:
        _write_arrays(script, subject, inputs)
    _write_targets(script, subject, of_target)
    _write_saved_model(script, subject, inputs, of_target)


def outputs_source(script: Script, subject: Subject, model: str, x: str) -> str:
    """What a model makes of raw samples: Keras's `predict`, where it loses nothing of them."""
    if subject.fits_float32:
        return f"{model}.predict({x}, verbose=0)"
    return f"{script.use('columns' if subject.is_typed else 'encoding', 'outputs_of', SECTION)}({model}, {x})"


# --- scales


def is_identity(scale: Affine) -> bool:
    return bool((scale.scale == 1).all() and (scale.offset == 0).all())


def center_and_scale(affine: Affine) -> tuple[list[float], list[float]]:
    """What is taken away and what is divided by; of a column that nothing is done to, 0 and 1."""
    center = -affine.offset / affine.scale + 0.0  # no minus zero
    return np.atleast_1d(center).tolist(), np.atleast_1d(1 / affine.scale).tolist()


@dataclass(frozen=True)
class Kept:
    """A scale that stands beside the script, as source.

    Args:
        together: both as arguments of `scaled` or `in_units`.
    """

    center: Code
    scale: Code
    together: Code


def _keep_scale(script: Script, name: str, affine: Affine) -> Kept | None:
    """None: nothing is scaled."""
    if is_identity(affine):
        return None
    center, scale = center_and_scale(affine)
    if len(center) > MOST_IN_JSON:
        both = {"center": center, "scale": scale}
        first, second = (script.keep_array(f"{name}_{key}", np.array(own)) for key, own in both.items())
        return Kept(first, second, Code(f"{first}, {second}"))
    single = len(center) == 1
    held = script.keep(name, {"center": center[0], "scale": scale[0]} if single else {"center": center, "scale": scale})
    first, second = (Code(f"{held}[{literal(key)}]") for key in KEYS)
    if single:
        return Kept(first, second, Code(f"**{held}"))
    return Kept(Code(f"np.array({first})"), Code(f"np.array({second})"), Code(f"**{held}"))


def _about_scale(subject: Subject) -> str:
    """Of a docstring: what `center` and `scale` are."""
    how = subject.spec.data.scale
    line = subject.line("data", "scale")
    return f"{FITTED_TO[how]} of the training part{f' ({line} of the spec)' if line else ''}"


# --- what the network sees


def _write_arrays(script: Script, subject: Subject, inputs: Kept | None) -> None:
    """Of samples that are arrays of numbers."""
    data = subject.data
    shape, dtype = tuple(data.train.raw.shape[1:]), data.preprocessing.dtype
    given = _raw(shape, dtype)
    seen = Code('ops.cast(raw, "float32")')
    about = "The samples as they are, in float32."
    if inputs is not None:
        scaled = script.use("encoding", "scaled", SECTION)
        seen = Code(f'ops.cast({scaled}(raw, {inputs.together}), "float32")')
        about = _sentence("Samples in, scaled ones out: `center` and `scale` are", _about_scale(subject))
    lines = [statement("raw", given, 4), f"return {source(_model('raw', seen), 4, 7)}"]
    define(script, SECTION, "build_preprocessing()", about, lines)


def _write_windows(script: Script, subject: Subject, inputs: Kept | None) -> None:
    """Of windows of a series."""
    steps = subject.data.preprocessing
    shape = tuple(subject.data.train.raw.shape[1:])
    lines = [statement("raw", _raw(subject.sample_shape(script, shape), steps.dtype), 4)]
    x = "raw"
    if steps.features < len(steps.raw_columns):
        kept = f"raw[..., :{steps.features}]"
        rest = " and ".join(f"`{name}`" for name in steps.raw_columns[steps.features :])
        lines.append(f"x = {kept}  # without {rest}, of which the network may know the last value alone")
        x = "x"
    if steps.dtype != "float64":
        lines.append(f'x = ops.cast({x}, "float64")')
        x = "x"
    if steps.change == "return":
        lines.append(f"x = ops.log({x})")
        x = "x"
    if steps.change != "level":
        lines.append(f"x = {x}[:, 1:] - {x}[:, :-1]")
        x = "x"
    if inputs is not None:
        scaled = script.use("encoding", "scaled", SECTION)
        lines.append(f"x = {scaled}({x}, {inputs.together})")
        x = "x"
    last = _model("raw", Code(f'ops.cast({x}, "float32")'))
    lines.append(f"return {source(last, 4, 7)}")
    about = f"Windows of {shape[0]} rows in, "
    kept_as = "scaled" if inputs is not None else "unscaled"
    about += f"their {kept_as} {CHANGES[steps.change]} out" if steps.change != "level" else f"{kept_as} ones out"
    line = subject.line("data", "predict")
    about += f" ({line} of the spec)" if line and steps.change != "level" else ""
    if inputs is not None:
        about = _sentence(f"{about}; `center` and `scale` are", _about_scale(subject))
    else:
        about += "."
    define(script, SECTION, "build_preprocessing()", about, lines)


def _write_columns(script: Script, subject: Subject) -> None:
    """Of columns with types."""
    steps = subject.data.preprocessing
    dtypes = {name: column.dtype for name, column in zip(steps.input_names, steps.columns, strict=True)}
    inputs = held_names(script, "inputs", dtypes, SECTION, "what the saved model takes, by column")
    encoded = [
        Treated(name, encoding_of(script, Code(f"x[{literal(name)}]"), name, column), KINDS[column.raw])
        for name, column in zip(steps.input_names, steps.columns, strict=True)
    ]
    line = subject.line("data", "features")
    about = "Columns in, what the network sees of them out" + (f" ({line} of the spec)." if line else ".")
    x = "{name: keras.Input((1,), name=name, dtype=dtype) for name, dtype in " + inputs + ".items()}"
    if len(encoded) == 1:
        lines = [statement("seen", encoded[0].call, 4)]
        last = _model("x", Code("seen"))
    else:
        lines = [f"seen = {in_list(script, encoded, SECTION)}"]
        last = _model("x", Code("ops.concatenate(seen, axis=-1)"))
    define(script, SECTION, "build_preprocessing()", about, [f"x = {x}", *lines, f"return {source(last, 4, 7)}"])


# --- what it is to put out


def _write_targets(script: Script, subject: Subject, scale: Kept | None) -> None:
    target, change = subject.target, subject.data.preprocessing.change
    if target.kind == "input":
        about = "What the network gives back: all values of a sample in one row, (samples, values)."
        body = ["return x.reshape(len(x), -1)"]
    elif target.kind == "labels":
        about = "Whether a sample has each label, (samples, labels) float32."
        body = ['return y.astype("float32")']
    elif target.kind == "class" and target.units == 1:
        about = f"Whether it is {literal(target.classes[-1])}, (samples, 1) float32."
        body = ['return y.reshape(-1, 1).astype("float32")']
    elif target.kind == "class":
        about = "The number of the class of each sample."
        body = ["return y"]
    else:
        about, body = _of_numbers(script, subject, scale)
    assert change == "level" or target.kind in ("number", "input", "class"), "labels of a series were refused"
    define(script, SECTION, "network_targets(x, y)", about, body)


def _of_numbers(script: Script, subject: Subject, scale: Kept | None) -> tuple[str, list[str]]:
    """The docstring and the lines of numbers that are predicted."""
    steps, values = subject.data.preprocessing, subject.target.units
    given = "y.reshape(len(y), -1)"
    about = f"The {'scaled ' if scale is not None else ''}numbers, (samples, {values}) float32."
    lines = []
    if steps.change != "level":
        columns = _last_columns(script, subject)
        lines.append(f"last = x[:, -1, {columns}]")
        step = f"np.log({given}) - np.log(last)" if steps.change == "return" else f"{given} - last"
        what = "return" if steps.change == "return" else "difference"
        about = f"The {'scaled ' if scale is not None else ''}{what} from the last value seen, (samples, {values})."
        lines.append(f"y = {step}")
        given = "y"
    if scale is None:
        return about, [*lines, f'return {given}.astype("float32")']
    whole = f'return (({given} - {scale.center}) / {scale.scale}).astype("float32")'
    if 4 + len(whole) > WIDTH:
        lines.append(f"scaled_y = ({given} - {scale.center}) / {scale.scale}")
        whole = 'return scaled_y.astype("float32")'
    return about, [*lines, whole]


def _last_columns(script: Script, subject: Subject) -> Code:
    """A constant: where the targets stand among the columns of a window."""
    steps = subject.data.preprocessing
    names = list(dict.fromkeys(steps.raw_columns[place] for place in steps.target_columns))
    comment = f"where {' and '.join(names)} stand{'s' * (len(names) == 1)} among the columns of x"
    return script.constant("target_columns", list(steps.target_columns), SECTION, " ".join(comment.split()))


# --- the model that is saved


def _write_saved_model(script: Script, subject: Subject, inputs: Kept | None, of_target: Kept | None) -> None:
    data, target = subject.data, subject.target
    steps = data.preprocessing
    lines = [
        "network = keras.Model(network.inputs, network.outputs[0], name=network.name)  # its optimizer is not saved"
    ]
    kinds = _random_layers(subject)
    if kinds:
        without = script.use("encoding", "without_layers", SECTION)
        lines.append(statement("network", Call(str(without), (Code("network"), kinds)), 4))
    lines.append("x = network(preprocessing.output)")
    if steps.target is not None:
        lines += _back_to_units(script, subject, of_target)
        about = "Raw values in, the target in its own units out: what is saved."
    elif target.kind == "input" and not subject.is_typed:
        shape = ", ".join(map(str, (-1, *data.train.inputs.shape[1:])))
        lines.append(f'x = ops.reshape(ops.cast(x, "float64"), ({shape}))')
        if inputs is not None:
            lines.append(f"x = {script.use('encoding', 'in_units', SECTION)}(x, {inputs.together})")
        about = "Raw values in, the same as the network gives them back out: what is saved."
    else:
        if subject.spec.runtime.precision != "float32":
            lines.append('x = ops.cast(x, "float32")')
        what = {"class": "probabilities of classes", "labels": "probabilities of labels"}.get(target.kind, "its output")
        about = f"Raw values in, {what} out: what is saved."
    lines.append('return keras.Model(preprocessing.input, x, name=f"{network.name}_from_raw")')
    define(script, SECTION, "with_preprocessing(preprocessing, network)", about, lines)


def _back_to_units(script: Script, subject: Subject, scale: Kept | None) -> list[str]:
    steps = subject.data.preprocessing
    if scale is None:
        lines = ['x = ops.cast(x, "float64")']
    else:
        lines = [f"x = {script.use('encoding', 'in_units', SECTION)}(x, {scale.together})"]
    if steps.change != "level":
        columns = _last_columns(script, subject)
        raw = "preprocessing.input" if steps.dtype == "float64" else 'ops.cast(preprocessing.input, "float64")'
        lines.append(f"last = ops.take({raw}[:, -1], {columns}, axis=-1)")
        lines.append("x = last + x" if steps.change == "difference" else "x = last * ops.exp(x)")
    return lines


def _random_layers(subject: Subject) -> list[str]:
    """The classes of the layers that change pictures at random."""
    specs = [layer.layer for layer in subject.graph.layers]
    inner = [getattr(spec, "layer", spec) for spec in specs]
    kinds = {type(spec).__name__ for spec in (*specs, *inner) if getattr(spec, "at_random_in_keras", False)}
    return sorted(kinds)


def _raw(shape: tuple[Any, ...], dtype: str) -> Call:
    return Call("keras.Input", (shape,), {"dtype": dtype, "name": "raw"})


def _model(x: str, seen: Code) -> Call:
    return Call("keras.Model", (Code(x), seen), {"name": "preprocessing"})


def _sentence(begin: str, end: str) -> str:
    return f"{begin} {end}."
