"""Is the model that was saved the one that was measured? It is loaded anew and given raw rows, as a user would."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.arrays import LazyArray, is_read_later
from dlspec.data.forms import of_quantiles
from dlspec.data.preparation import class_shares
from dlspec.data.source_of import source_of
from dlspec.data.sources.rows import RowsFiles
from dlspec.data.split import Window
from dlspec.language.diagnostics.errors import DataError, SavedModelError
from dlspec.model.states import output_of
from dlspec.runs.names import MODEL
from dlspec.runs.predict import predict_rows
from dlspec.runs.records.data import DataRecord
from dlspec.runs.records.metrics import SavedModel
from dlspec.runs.row_predictor import RowPredictor, frame_of
from dlspec.training.values import predict

if TYPE_CHECKING:
    import pandas as pd

    from dlspec.data.preparation import Part, Prepared
    from dlspec.spec.spec import Spec

Array = np.ndarray

MOST_ROWS = 2000
"""Of the test part that are compared."""
FEWEST_ROWS = 16
MOST_LOOKED_AT = 100_000
"""Rows of the test part among which these are chosen."""
MOST_VALUES = 2 * 10**7
"""Of raw samples that are compared, about, of which pictures have many."""
ALLOWED, ALLOWED_MIXED = 1e-4, 2e-2
"""How far a prediction may be from the one that was measured, as a share of the output's scale; under mixed precision
the second."""
ROUNDING = 1e-2
"""A number that is larger than its scale may differ by as much more, times this."""
AROUND = 4
"""Rows that are taken with the one where a column is largest or smallest."""
SPANS, SPAN = 16, 8192
"""Of a test part that is not in memory, stretches that are looked at, and their rows."""


def compared(data: Prepared, network: Any, guess: Array) -> Array:
    """What is compared of a network, of the whole test part: what was measured, but of texts that are written the
    probabilities behind what truly stands before, by which all of it was written, and of texts that are read off
    timesteps the logits.

    Args:
        guess: what was measured.
    """
    return data.to_units(predict(network, data.test.inputs), data.test) if data.signature.target.written else guess


def check_saved(spec: Spec, data: Prepared, predictor: RowPredictor, network: Any, guess: Array) -> SavedModel:
    """Compares what a saved model predicts of the test part with what was measured.

    Compared are probabilities and numbers. Rows of files of rows go through a file, as with `dlspec predict`.

    Args:
        predictor: with the model as it was loaded.
        network: as it was evaluated.
        guess: its predictions, of the whole test part.
    """
    places, allowed = chosen(data), ALLOWED if spec.runtime.precision == "float32" else ALLOWED_MIXED
    part, rows = data.test.at(places), rows_of(data, places)
    try:
        found = _predicted(predictor, data, part, rows)
    except DataError as error:
        where = f"it refuses these rows: {error.diagnostics[0].message}"
        return SavedModel(rows=len(places), allowed=allowed, difference=None, where=where)
    apart = _apart(found, compared(data, network, guess)[places], data, part)
    if not apart <= allowed:  # a network that makes much of its last digits gives others in another batch
        apart = min(apart, _apart(found, data.to_units(predict(network, part.inputs), part), data, part))
    same = apart <= allowed
    return SavedModel(
        rows=len(places),
        allowed=allowed,
        difference=apart if np.isfinite(apart) else None,
        **({} if same else {"where": _where(predictor, network, data, part, rows)}),
    )


def check_aside(spec: Spec, data: Prepared, network: Any, guess: Array) -> SavedModel:
    """The same of a network that is not kept."""
    from dlspec.model.build import with_preprocessing
    from dlspec.model.saved import load_model
    from dlspec.runs.describe import describe

    record = DataRecord.model_validate_json(json.dumps(describe(spec, data)))
    with tempfile.TemporaryDirectory(prefix="dlspec-model-") as folder:
        file = Path(folder) / MODEL
        with_preprocessing(network, data).save(file)
        return check_saved(spec, data, RowPredictor(spec.data, record, load_model(file)), network, guess)


def refuse_other(found: SavedModel, what: str) -> None:
    """Raises SavedModelError where the saved model is not the one that was measured.

    Args:
        what: the model, in words.
    """
    if found.same:
        return
    far = "" if found.difference is None else f", by {found.difference:.1g} of the output's scale"
    raise SavedModelError.of(
        "saved-model-differs",
        f"{what} does not give the predictions that were measured{far}: {found.where}",
        help="do not use the model; the run is kept. This is a bug in dlspec or in a plugin, please report it",
    )


def chosen(
    data: Prepared,
    *,
    among: Array | None = None,
    rows: int = MOST_ROWS,
    values: int = MOST_VALUES,
    fewest: int = FEWEST_ROWS,
) -> Array:
    """Places in the test part: first and last ones, where a column is largest, smallest or missing, others evenly.

    Args:
        among: which of them there are to choose from; None: all.
        rows, values: how many there may be, and of how many raw values.
        fewest: so many in any case.
    """
    part = data.test
    count = len(part)
    candidates = np.arange(count) if among is None else among
    if among is None and is_read_later(part.truth) and count > SPANS * SPAN and data.rows_in_all is not None:
        firsts = np.linspace(0, count - SPAN, SPANS).astype(int)
        candidates = np.unique(firsts[:, None] + np.arange(SPAN))
    if data.rows_in_all is not None:  # of which some were kept as they are written
        candidates = candidates[np.asarray(part.rows[candidates]) % data.kept_every == 0]
    size = max(1, int(np.prod(part.raw.shape[1:])))
    most = max(fewest, min(rows, values // size))
    if len(candidates) <= most:
        return candidates
    candidates = candidates[np.unique(np.linspace(0, len(candidates) - 1, MOST_LOOKED_AT).astype(int))]
    ends = [*range(most // 4), *range(len(candidates) - most // 4, len(candidates))]
    rest = np.linspace(0, len(candidates) - 1, most).astype(int)
    wanted = list(dict.fromkeys([*ends, *_extremes(data, candidates), *rest.tolist()]))[:most]
    return np.asarray(candidates[np.sort(wanted)])


def _extremes(data: Prepared, candidates: Array) -> Iterator[int]:
    """Where, among the candidates, a column has its largest, its smallest or an empty value."""
    rows = rows_of(data, candidates)
    for name in data.preprocessing.raw_columns:
        values = data.columns[name]
        if isinstance(values, LazyArray) or values.ndim > 1:
            continue
        own = values[rows]
        there = [int(np.nanargmin(own)), int(np.nanargmax(own))] if own.dtype.kind in "iuf" and _any(own) else []
        if own.dtype == object:
            words, firsts = np.unique(own.astype(str), return_index=True)
            there = firsts[:: max(1, len(words) // 20)].tolist()
        holes = np.flatnonzero(np.isnan(own) if own.dtype.kind == "f" else own == "")[:AROUND]
        for place in [*there, *holes.tolist()]:
            yield from range(max(0, place - AROUND // 2), min(len(candidates), place + AROUND // 2))


def _any(values: Array) -> bool:
    return values.dtype.kind != "f" or not np.isnan(values).all()


def rows_of(data: Prepared, places: Array) -> Array:
    """Where samples of the test part stand in `data.columns`."""
    rows = np.asarray(data.test.rows[places])
    return rows // data.kept_every


def _predicted(predictor: RowPredictor, data: Prepared, part: Part, rows: Array) -> Array:
    """What the saved model gives for samples: numbers and probabilities, (samples, values).

    Args:
        part: the samples.
        rows: where each stands in `data.columns`.
    """

    record = predictor.data
    predictor = replace(predictor, whole=True)
    if record.target.places:
        raw: Any = np.asarray(part.raw)
        if record.encoded:
            raw = frame_of(data.columns, record.raw_columns, rows)
        outputs = predict(predictor.model, predictor.taken(raw).values)
        return class_shares(outputs) if record.target.kind == "class" else outputs
    names = [*record.raw_columns, *([record.group] if record.group else [])]
    if not record.encoded and any(data.columns[name].ndim > 1 for name in names):
        return _numbers(record, predictor.predict(np.asarray(part.raw)))
    last = rows
    if record.timesteps is not None:
        window = data.signature.window
        assert window is not None, "samples of a series are windows"
        last, rows = _windows(data, window, rows, window.span(record.timesteps))
    frame = frame_of(data.columns, names, rows)
    time = predictor.section.time_name
    if data.times is not None and record.timesteps is not None and time is not None:
        frame[time] = data.columns[time][rows]
    if isinstance(source_of(predictor.section), RowsFiles):
        found = predict_rows(predictor, frame)
    else:
        found = predictor.predict(frame).reindex(range(len(frame)))
    return _numbers(record, found if record.timesteps is None else found.iloc[np.searchsorted(rows, last)])


def _windows(data: Prepared, window: Window, rows: Array, span: int) -> tuple[Array, Array]:
    """The last row of each window that leads to one of these rows, and all rows of all of them."""
    target = data.signature.target
    count = len(next(iter(data.columns.values())))
    order = np.arange(count) if data.groups is None else np.argsort(data.groups, kind="stable")
    places = np.empty(count, int)
    places[order] = np.arange(count)
    ahead = 0 if target.kind == "input" else (target.steps or (window.horizon,))[0]
    ends = places[rows] - ahead
    return order[ends], np.unique(order[ends[:, None] - np.arange(span)])


def _numbers(record: DataRecord, found: pd.DataFrame) -> Array:
    """The numbers and probabilities among predicted columns, (rows, values), float64."""
    target = record.target
    if target.kind == "class":
        names = [f"{name}" for name in found.columns[-len(target.classes) :]]
    elif target.kind == "labels":
        names = [f"{name}" for name in found.columns[-len(target.labels) :]]
    else:
        names = [name for name in found.columns if name not in (record.group, "squared_error")]
        if target.levels:  # behind each median stand the others
            names = [own for name in names[:: len(target.levels)] for own in of_quantiles(name, target.levels)]
    return found[names].to_numpy("float64")


def _apart(found: Array, guess: Array, data: Prepared, part: Part) -> float:
    """The largest difference of predictions, as a share of the output's scale; NaN where one of them is."""
    if not len(found):
        return 0.0
    steps, kind = data.preprocessing, data.signature.target.kind
    scale, size = np.ones(1), np.abs(guess)  # of what the network puts out
    if kind == "input" and steps.columns:  # which is as the network sees it
        found = found.reshape(guess.shape)
    elif kind == "input":  # in its own units in one, and as the network sees it in the other
        found = steps.inputs(found.reshape(part.inputs.shape)).reshape(guess.shape)
    elif data.signature.target.aligned:  # logits, of which what is never said is the same in both
        scale = np.maximum(1.0, np.abs(guess))
    elif kind == "number":
        assert steps.target is not None, "a number has a scale"
        guess = guess.reshape(found.shape)
        if data.signature.target.places:
            truth = np.asarray(part.truth)
            spread = np.nanstd(truth) if (steps.target.scale == 1).all() else np.abs(1 / steps.target.scale)
            spread = np.maximum(spread, 1e-12 * (1 + size.max()))
            far = np.abs(guess + steps.target.offset / steps.target.scale) / spread
            return float(np.max(np.abs(found - guess) / (spread * np.maximum(1.0, far * ROUNDING))))
        scale = np.abs(1 / steps.target.scale)
        if (scale == 1).all():  # it is not scaled
            scale = np.maximum(np.std(np.asarray(part.truth), axis=0), 1e-12 * (1 + size.max()))
        middle = -steps.target.offset / steps.target.scale
        if steps.change != "level":
            middle = np.asarray(part.last).reshape(len(guess), -1)
            scale = scale * np.abs(middle) if steps.change == "return" else scale
        each, target = data.signature.target.values_each, data.signature.target
        if each:  # each number by all of its values
            middle, scale = (np.repeat(own, each, axis=-1) for own in (middle, scale))
        if target.mixture:  # weights lie around 0 at their own scale, deviations around 0 at that of numbers
            what = np.tile(np.repeat([0, 1, 2], target.mixture), max(1, len(target.values)))
            middle, scale = np.where(what == 1, middle, 0.0), np.where(what == 0, 1.0, scale)
        size = np.abs(guess - middle) / scale
    return float(np.max(np.abs(found - guess) / (scale * np.maximum(1.0, size * ROUNDING))))


def _where(predictor: RowPredictor, network: Any, data: Prepared, part: Part, rows: Array) -> str:
    """Which column, or else which layer, the saved model does otherwise, in words."""
    import keras

    model, record = predictor.model, predictor.data
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    (scaled,) = inner._inbound_nodes[-1].input_tensors
    raw: Any = np.asarray(part.raw)
    if record.encoded:
        raw = predictor.raw_columns(frame_of(data.columns, record.raw_columns, rows))
    seen = np.asarray(part.inputs)
    off = np.abs(predict(keras.Model(model.inputs, scaled), raw) - seen).reshape(-1, seen.shape[-1]).max(axis=0)
    if not off.max() <= ALLOWED:
        widths = np.cumsum(data.signature.widths)
        place = int(np.searchsorted(widths, off.argmax(), side="right")) if widths[-1] == len(off) else 0
        return f"the column `{data.signature.features[place].name}` is encoded in another way"
    known = {layer.name: layer for layer in network.layers}
    for layer in inner.layers:
        if layer.name not in known or isinstance(layer, keras.layers.InputLayer) or isinstance(output_of(layer), list):
            continue
        before = predict(keras.Model(network.input, output_of(known[layer.name])), seen)
        after = predict(keras.Model(inner.input, output_of(layer)), seen)
        if not np.abs(before - after).max() <= ALLOWED * max(1.0, np.abs(before).max()):
            return f"the layer `{layer.name}` computes something else"
    return "the way from the network's output to the target's units is another"
