"""`samples.npz`: some rows of the test part as the saved model takes them, which show that an export is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.names import SAMPLES
from dlspec.runs.results import written_places
from dlspec.runs.row_predictor import RowPredictor, frame_of
from dlspec.runs.saved_check import chosen, rows_of
from dlspec.runtime.archives import BROKEN, read_arrays, with_checksum, without_checksum
from dlspec.runtime.files import written_whole
from dlspec.runtime.records import unreadable
from dlspec.training.values import predict

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.runs.folder import Run

Array = np.ndarray

MOST_ROWS, FEWEST_ROWS = 200, 5
MOST_VALUES, MOST_OF_FEWEST = 2**20, 2**22
"""Values of all rows together; and where rows are large, of the fewest."""
MOST_BYTES = 2**30
PLACES = "places"
TEXT = "text:"
"""How the names of arrays begin that are JSON in UTF-8."""


@dataclass(frozen=True)
class SampleRows:
    """Some rows of the test part.

    Args:
        places: which rows of `predictions.csv` they are.
        raw: what the saved model takes, (rows, ...) by the names of its inputs, text as an array of objects.
    """

    places: Array
    raw: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.places)


def sample_rows(data: Prepared, predictor: RowPredictor) -> SampleRows:
    """Rows out of the prepared data of a run."""
    among, size = written_places(data.test), max(1, int(np.prod(data.test.raw.shape[1:])))
    fewest = max(1, min(FEWEST_ROWS, MOST_OF_FEWEST // size))
    places = chosen(data, among=among, rows=MOST_ROWS, values=MOST_VALUES, fewest=fewest)
    return SampleRows(np.searchsorted(among, places), raw_rows(data, predictor, places))


def raw_rows(data: Prepared, predictor: RowPredictor, places: Array) -> dict[str, Array]:
    """Samples of the test part as the saved model takes them, by the names of its inputs."""

    record = predictor.data
    if record.encoded:
        rows = rows_of(data, places)
        frame = frame_of(data.columns, record.raw_columns, rows)
        return RowPredictor(predictor.section, record, predictor.model).raw_columns(frame)
    given = predictor.model.input
    return {given.name: np.asarray(data.test.at(places).raw, given.dtype)}


def write_samples(folder: Path, found: SampleRows) -> None:
    arrays: dict[str, Array] = {PLACES: found.places}
    for name, values in found.raw.items():
        if values.dtype == object:
            arrays[f"{TEXT}{name}"] = np.frombuffer(json.dumps(values.tolist()).encode(), "uint8")
        else:
            arrays[name] = values
    with written_whole(folder / SAMPLES) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **with_checksum(arrays))  # type: ignore[arg-type]


def samples_of(run: Run) -> SampleRows:
    """Rows of the test part of a run; of one that has kept none, out of its data.

    Raises:
        DataError: the file is damaged, or there is none and the data of the run are not what they were.
    """
    from dlspec.runs.job import data_of

    if (run.folder / SAMPLES).is_file():
        return _read(run.folder / SAMPLES)
    why = "its data have changed since"
    try:
        data = data_of(run)
    except DataError as error:
        data, why = None, error.diagnostics[0].message
    if data is None or data.fingerprint != run.data.fingerprint:
        raise DataError.of(
            "no-samples",
            f"nothing shows that an export of `{run.folder}` is the same: it has kept no rows, and {why}",
            help="run the spec again, which keeps some rows of the test part",
        )
    return sample_rows(data, run.predictor)


def inner_samples(run: Run, part: Any, first: str) -> SampleRows:
    """What reaches a layer for the rows of `samples_of`.

    Args:
        part: the part of the network from that layer on, which takes it.
    """
    from dlspec.model.build import before_layer

    found, befores = samples_of(run), before_layer(run.model, first)
    names = [tensor._keras_history.operation.name for tensor in part.inputs]
    given = dict(found.raw) if isinstance(run.model.input, dict) else next(iter(found.raw.values()))
    values: dict[str, Array] = {}
    for name, reaching in zip(names, befores, strict=True):
        values[name] = predict(reaching, given)
    return SampleRows(found.places, values)


def _read(path: Path) -> SampleRows:
    try:
        arrays = without_checksum(read_arrays(path, MOST_BYTES))
        places = arrays.pop(PLACES)
        raw = dict(_column(name, values) for name, values in arrays.items())
        if any(len(values) != len(places) for values in raw.values()):
            raise ValueError("its arrays do not have the same number of rows")
    except BROKEN as error:
        raise unreadable(path, error) from None
    return SampleRows(places, raw)


def _column(name: str, values: Array) -> tuple[str, Array]:
    if not name.startswith(TEXT):
        return name, values
    found: Any = json.loads(values.tobytes())
    return name.removeprefix(TEXT), np.array(found, object)
