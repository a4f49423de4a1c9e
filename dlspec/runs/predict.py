"""The rows of a file, written again with predictions beside them, block by block."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from dlspec.data.arrays import blocks
from dlspec.data.datasets import Columns
from dlspec.data.even_steps import policy_of
from dlspec.data.signature import DataSource
from dlspec.data.sources.arrays import ArrayFiles, ArraysByName
from dlspec.data.sources.base import FileSource
from dlspec.data.sources.folders import FolderFiles
from dlspec.data.sources.formats import COMPRESSED, Dialect, RowsFormat, creating, format_of
from dlspec.data.sources.formats.base import opened
from dlspec.data.sources.formats.dialect import UNITS
from dlspec.data.sources.masks import MaskedFiles
from dlspec.data.sources.texts import TextFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.checksums import fitting_together
from dlspec.runs.folder import Run
from dlspec.runs.names import PREDICTIONS
from dlspec.runs.predict_masks import predict_masks
from dlspec.runs.records.data import DataRecord
from dlspec.runs.row_predictor import RowPredictor, frame_of, free_name
from dlspec.runtime.cells import as_cell
from dlspec.runtime.files import cannot_write, written_whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

BLOCK = 10_000
"""Rows that are read, predicted and written at a time."""


def predict_file(
    run: Run,
    file: Path,
    out: Path | IO[bytes],
    note: Callable[[str], None] = lambda text: None,
    *,
    bom: bool = False,
    intervals: float | None = None,
    explain: int | None = None,
) -> int:
    """Writes the rows of a file with predictions behind their own columns; returns how many there are.

    Args:
        note: is told what a reader of the predictions should know.
        bom: whether separated values begin with a byte order mark, by which Excel knows UTF-8.
        intervals, explain: see `Run.predict`.

    Raises:
        DataError: see `api.predict`.
    """
    if not file.exists():
        raise DataError.of("data-not-found", f"there is no file `{file}`")
    with fitting_together(run.folder):
        predictor = run.predictor_with(intervals, explain, note)
    source = run.source
    if isinstance(source, MaskedFiles):
        each = (replace(predictor, others=()), *predictor.others)
        masks = next((own for own in each if own.data.target.numbered), None)
        if masks is not None:
            others = [own for own in each if own is not masks]
            rest = replace(others[0], others=tuple(others[1:])) if others else None
            return _predict_masks(run, masks, rest, source, file, out, note)
    if run.data.side_by_side and not isinstance(source, FileSource):
        source = ArraysByName((str(file),), Path())
    if isinstance(source, FolderFiles | ArrayFiles) and not (isinstance(source, TextFiles) and source.table):
        return _predict_samples(run, predictor, source, file, out, note)
    given = as_it_is_written(run, file, note)
    if bom:
        given = replace(given, dialect=replace(given.dialect, bom=True))
    check_units(run.data, given)
    tolerant = replace(predictor, tolerant=True)  # rows that cannot be read are left out
    if not isinstance(out, Path):
        if not given.is_text:
            message = f"`{file}` is {given.title}, which is no text to be printed"
            raise DataError.of("cannot-write", message, help=f"add `--out predicted{file.suffix}`")
        with fitting_together(run.folder):
            return _write(tolerant, given, out, note)
    _check_new(given, out)
    try:
        with written_whole(out) as draft, creating(draft, out.stem) as stream, fitting_together(run.folder):
            return _write(tolerant, given, stream, note)
    except OSError as error:
        raise cannot_write(out, error, "name another file") from None


def _predict_masks(
    run: Run,
    masks: RowPredictor,
    others: RowPredictor | None,
    source: MaskedFiles,
    file: Path,
    out: Path | IO[bytes],
    note: Callable[[str], None],
) -> int:
    """Masks for pictures in a folder, and beside them what other outputs predict of each picture.

    Args:
        masks: what predicts them.
        others: what predicts all else; None: the network has one output.
    """
    count = predict_masks(masks, source, file, out, note)
    if others is not None and isinstance(out, Path):
        _predict_samples(run, others, source, file, out / PREDICTIONS, note)
        note(f"wrote what else is predicted of each picture to `{out / PREDICTIONS}`")
    return count


def _dialect(run: Run) -> Dialect:
    """What is known of files of this kind: what the spec says, and what the values of the training files said.

    A new file may be written in another way, which it says itself: what training took counts where it leaves a choice.
    """
    return replace(run.spec.data.dialect, in_doubt=run.data.signs, decimal=None, thousands=None)


def as_it_is_written(run: Run, file: Path, note: Callable[[str], None]) -> RowsFormat:
    """The file, in the encoding, with the separator and the line of names that it has."""
    said = _dialect(run)
    needed = {*run.data.asked} if run.data.encoded else {*run.data.raw_columns, *filter(None, [run.data.group])}

    def read(**other: Any) -> RowsFormat | None:
        """None: written so it has not the columns that are needed."""
        given = format_of(file, str(file), dialect=replace(said, **other))
        try:
            return given if needed <= {*given.header()} else None
        except DataError:
            return None

    first = format_of(file, str(file), dialect=said)
    if not first.is_text:
        return read() or read(sheet=None) or first
    ways: list[dict[str, Any]] = [{}, {"delimiter": None}, {"header": None}, {"delimiter": None, "header": None}]
    ways.append({"delimiter": ",", "header": None})  # a single column, in which there may be whatever separates others
    encodings = [None, said.encoding, first.likely_encoding()]
    for encoding in dict.fromkeys(encodings):
        for way in ways:
            found = read(encoding=encoding, **way)
            if found is not None and _is_readable(found):
                if encoding is not None and encoding != said.encoding:
                    note(f"`{file}` is not UTF-8, and is read as {encoding}")
                return found
    return replace(first, dialect=replace(said, encoding=None)) if said.encoding else first


def _is_readable(file: RowsFormat) -> bool:
    """Whether all of its text is of the encoding that it is read in."""
    decode = getincrementaldecoder(file.encoding)().decode
    with opened(file.file) as raw:
        try:
            while chunk := raw.read(2**20):
                decode(chunk)
            decode(b"", True)
        except UnicodeError:
            return False
    return True


def check_units(data: DataRecord, file: RowsFormat) -> None:
    """Raises DataError where numbers have another unit beside them than those that the network was trained on."""
    units = file.units(file.first_rows())
    for feature in data.features:
        known, own = feature.unit or "", units.get(feature.name, "")
        if feature.raw == "number" and feature.name in file.header() and own != known and {own, known} & UNITS:
            shown, trained = (f"`{unit}`" if unit else "no unit" for unit in (own, known))
            message = f"`{feature.name}` of `{file.name}` has {shown} beside its numbers, and had {trained} in training"
            raise DataError.of("not-a-number", message, file.span, help="write them as in the training data")


def _predict_samples(
    run: Run,
    predictor: RowPredictor,
    source: FolderFiles | ArrayFiles,
    file: Path,
    out: Path | IO[bytes],
    note: Callable[[str], None],
) -> int:
    """Predictions for pictures, sounds, texts or arrays, as CSV: a row for each, which names its file."""
    if run.data.side_by_side:
        columns = source.labelled(file, run.data.sample_shape(entry_of(source)))
        count = len(next(iter(columns.values())))
        column, names, samples = "row", [str(row) for row in range(1, count + 1)], iter(_frames(columns, run.data))
    else:
        column, names, opened = source.opened(file, run.data.input_shape)
        samples = iter(_as_rows(predictor, block) for block in blocks(opened))
    if isinstance(out, Path):
        if out.exists():
            raise DataError.of("cannot-write", f"`{out}` is there already", help="name another file with `--out`")
        with written_whole(out) as draft, draft.open("wb") as stream:
            count = _write_samples(predictor, column, names, samples, stream)
    else:
        count = _write_samples(predictor, column, names, samples, out)
    for text in predictor.notes(count):
        note(text)
    return count


def entry_of(source: DataSource) -> str:
    """The column of a source of files that holds what is in each."""
    return source.entry if isinstance(source, FolderFiles) else "x"


def _as_rows(predictor: RowPredictor, block: Any) -> Any:
    """Samples as a predictor takes them."""
    return frame_of({predictor.data.features[0].name: block}) if predictor.data.encoded else block


def _frames(columns: Columns, record: DataRecord) -> Iterator[pd.DataFrame]:
    """Features that stand side by side, so many rows at a time that their values take little memory."""
    count, size = len(next(iter(columns.values()))), max(1, min(BLOCK, 2**24 // record.input_shape[0]))
    names = [name for name in record.raw_columns if name in columns]
    for first in range(0, count, size):
        yield frame_of(columns, names, slice(first, first + size))


def _write_samples(
    predictor: RowPredictor, column: str, names: Sequence[str], samples: Iterable[Any], out: IO[bytes]
) -> int:
    first = 0
    for block in samples:
        predicted = predictor.predict(block)
        predicted.insert(0, free_name(column, predicted.columns), list(names[first : first + len(block)]))
        for name, values in predicted.items():
            if values.dtype.kind not in "biuf":
                predicted[name] = values.map(as_cell, na_action="ignore")
        predicted = predicted.rename(columns=as_cell)
        out.write(predicted.to_csv(index=False, header=first == 0).encode())
        first += len(block)
    return first


def _check_new(given: RowsFormat, out: Path) -> None:
    if out.exists():
        raise DataError.of("cannot-write", f"`{out}` is there already", help="name another file with `--out`")
    other = format_of(out, str(out))
    if type(other) is not type(given):
        message = f"`{given.name}` is written again as what it is, {given.title}, and `{out}` is {other.title}"
        whole = given.file.name.lower()
        ending = "".join(given.file.suffixes[-2:] if whole.endswith(COMPRESSED) else given.file.suffixes[-1:])
        raise DataError.of("cannot-write", message, help=f"write `--out {out.name.split('.')[0]}{ending}`")


def predict_rows(predictor: RowPredictor, rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions for rows as `predict_file` would write them beside these; nothing in those without a whole window.

    Raises:
        DataError: see `api.predict`.
    """
    import pandas as pd

    with TemporaryDirectory(prefix="dlspec-rows-") as folder:
        file = Path(folder) / "rows.csv"
        rows.to_csv(file, index=False)
        given = format_of(file, file.name, dialect=Dialect(delimiter=","))
        return pd.concat(list(_predicted(predictor, given, len(rows) + 1)), ignore_index=True)


def _write(predictor: RowPredictor, file: RowsFormat, out: IO[bytes], note: Callable[[str], None]) -> int:
    data = predictor.data
    size = max(BLOCK, 2 * predictor.rows_needed)
    if data.group or data.turned or policy_of(predictor.section).changes_rows:  # what a row needs may stand far away
        size = max(size, file.count_all())
    taken = set(file.header())
    rows = without = 0
    with file.extending(out, size) as add:
        for predicted in _predicted(predictor, file, size):
            add(_named_apart(predicted, taken))
            rows += len(predicted)
            without += int(predicted.isna().all(axis=1).sum())
    if not rows:
        raise DataError.of("no-rows", f"`{file.name}` has a header and no rows")
    for text in predictor.notes(rows):
        note(text)
    if without:
        apart = " without a gap in time" if data.usual_step is not None else ""
        why = "" if data.timesteps is None else f": a forecast takes {predictor.rows_needed} rows in a row{apart}"
        note(f"{without:,} of {rows:,} rows have no prediction{why}")
    return rows


def _named_apart(predicted: pd.DataFrame, taken: set[str]) -> dict[str, np.ndarray]:
    """Columns by names that neither the file has nor another of them; None where a text is missing."""
    found: dict[str, np.ndarray] = {}
    for name, column in predicted.items():
        known = column if column.dtype.kind in "biuf" else column.astype(object).where(column.notna(), None)
        found[free_name(str(name), taken | {*found})] = known.to_numpy()
    return found


def _predicted(predictor: RowPredictor, file: RowsFormat, size: int) -> Iterator[pd.DataFrame]:
    """A row for each row of a file, so many at a time; of a series, nothing in those without a whole window before."""
    import pandas as pd

    from dlspec.data.preparation import date_form, to_times, to_words

    data = predictor.data
    before, time, group = predictor.rows_needed - 1, predictor.section.time_name, data.group
    words = [each.name for each in data.features if each.raw in ("word", "text") and each.name in data.asked]
    whole = data.turned or policy_of(predictor.section).changes_rows  # then all rows are in one block
    kept, first, form = pd.DataFrame(), 0, None
    predicted: pd.DataFrame | None = None
    for columns in file.blocks(size, [*words, *([group] if group else [])]):
        block = pd.DataFrame({name: columns[name] for name in {*data.raw_columns, time, group} if name in columns})
        count = len(next(iter(columns.values())))
        if not count:
            continue
        rows = pd.concat([kept, block], ignore_index=True) if len(kept) else block
        if time is not None and time in rows and not whole:
            values = rows[time].to_numpy()
            groups = to_words(group, rows[group].to_numpy()) if group and group in rows else None
            if form is None or values.dtype.kind == "M":
                form = date_form(time, values, groups, known=data.time_form)
            rows[time] = to_times(time, values, groups, first=first - len(kept), forms=(form,), dated=data.dated)
        predicted = _of_block(predictor, rows, first - len(kept), predicted).drop(columns=group or [], errors="ignore")
        yield predicted.reindex(range(len(kept), len(rows)))
        first += count
        kept = rows.tail(before) if before else kept


def _of_block(predictor: RowPredictor, rows: pd.DataFrame, first: int, before: pd.DataFrame | None) -> pd.DataFrame:
    """Predictions for rows; none where gaps leave no window.

    Args:
        first: the row of the file that the first one is.
        before: the predictions of the block before; None: there is none, and a window is needed.
    """
    try:
        return predictor.predict(rows, first)
    except DataError as error:
        if before is None or error.diagnostics[0].code != "too-few-rows":
            raise
        return before.iloc[:0]
