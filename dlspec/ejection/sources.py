"""`load_data` of files, and `load_unlabeled`."""

from __future__ import annotations

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.source_of import source_of, unlabeled_source
from dlspec.data.sources import FileSource
from dlspec.data.sources.arrays import ArrayFiles
from dlspec.data.sources.base import SHARE_OF_MEMORY
from dlspec.data.sources.folders import FolderFiles
from dlspec.data.sources.rows import SeriesFiles, TableFiles
from dlspec.data.sources.texts import TextFiles
from dlspec.ejection.array_sources import array_writer
from dlspec.ejection.checking import Data, Expected, result_of
from dlspec.ejection.datasets import write_unlabeled_dataset
from dlspec.ejection.expected import expected_data, expected_unlabeled, unlabeled_windows
from dlspec.ejection.folders import folder_writer
from dlspec.ejection.prose import define
from dlspec.ejection.python import literal
from dlspec.ejection.script import Script
from dlspec.ejection.series import series_writer
from dlspec.ejection.subject import Subject
from dlspec.ejection.tables import Write, table_writer
from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.memory import machine_memory

Array = np.ndarray

SECTION = "data"
FELL_BACK = "The data are read by dlspec, and their rows stand beside the script, which reads no file of them."
FELL_BACK_UNLABELED = "The samples under `unlabeled` are read by dlspec, and stand beside the script."


def write_files(script: Script, subject: Subject) -> None:
    """`load_data` of files."""
    expected = expected_data(subject)
    source = source_of(subject.spec.data)
    assert isinstance(source, FileSource), "built-in sets are written elsewhere"
    write = _writer(subject, source, expected, "load_data")
    if write is None:
        _check_size(expected, source)
        script.leave_out(FELL_BACK)
        _keep_rows(script, expected)
    else:
        write(script)
    if not subject.is_series and is_read_later(subject.data.train.raw):
        script.leave_out("All samples are in memory at once, of which dlspec reads some at a time.")


def write_unlabeled(script: Script, subject: Subject) -> None:
    """`load_unlabeled`: samples that pretraining alone sees, without those that stand in the validation or test part;
    of a series its windows."""
    if subject.is_series:
        _write_windows(script, subject)
        return
    expected, rows = expected_unlabeled(subject)
    source = unlabeled_source(subject.spec.data)
    if isinstance(source, FileSource):
        write = _writer(subject, source, expected, "load_unlabeled")
    else:
        write = _dataset_writer(subject, expected)
    if write is None:
        script.leave_out(FELL_BACK_UNLABELED)
        kept = _some(expected.x, np.flatnonzero(expected.seen) if rows is None else rows)
        define(script, SECTION, "load_unlabeled()", ABOUT_UNLABELED, [f"return {_kept(script, 'unlabeled_x', kept)}"])
        return
    if rows is None:
        write(script)
        return
    _write_some(script, write, rows, subject)


def _dataset_writer(subject: Subject, expected: Expected) -> Write | None:
    """What writes `load_unlabeled` of a built-in set; None: it would not give the same."""

    def write(script: Script) -> None:
        write_unlabeled_dataset(script, subject)

    found = result_of(write, subject.folder, "load_unlabeled")
    return None if expected.differences(found, with_y=False) else write


ABOUT_UNLABELED = "The samples without labels, which pretraining sees."


def _write_some(script: Script, write: Write, rows: Array, subject: Subject) -> None:
    """A function that gives all samples, and `load_unlabeled`, which leaves some out."""
    before = len(script.chunks[SECTION])
    write(script)
    script.chunks[SECTION][before:] = [
        chunk.replace("def load_unlabeled():", "def load_all_unlabeled():") for chunk in script.chunks[SECTION][before:]
    ]
    script.taken.add("load_all_unlabeled")
    places = script.keep_array("unlabeled_rows", rows)
    some = "{name: values[rows] for name, values in x.items()}" if subject.is_typed else "x[rows]"
    about = "Those that stand in neither the validation nor the test part, and lack nothing."
    lines = [f"x, rows = load_all_unlabeled(), {places}", f"return {some}"]
    define(script, SECTION, "load_unlabeled()", about, lines)


def _write_windows(script: Script, subject: Subject) -> None:
    """Windows of a series without labels."""
    rows, starts = unlabeled_windows(subject)
    window, steps = subject.data.signature.window, subject.data.preprocessing
    assert window is not None, "a series has a window"
    script.leave_out(FELL_BACK_UNLABELED)
    span = window.span(steps.timesteps or window.length)
    every = f"[..., ::{window.every}]" if window.every > 1 else ""
    lines = [
        f"rows, starts = {script.keep_array('unlabeled_rows', rows)}, {script.keep_array('unlabeled_starts', starts)}",
        f"windows = np.lib.stride_tricks.sliding_window_view(rows, {span}, axis=0){every}.swapaxes(1, 2)",
        "return windows[starts]",
    ]
    about = "Windows of the series without labels that share no row with the validation or test part."
    define(script, SECTION, "load_unlabeled()", about, lines)


def _writer(subject: Subject, source: FileSource, expected: Expected, function: str) -> Write | None:
    """What writes `load_data` or `load_unlabeled`; None: dlspec's own values are kept."""
    if isinstance(source, TextFiles) and source.table is not None:
        source = source.table
    if isinstance(source, SeriesFiles):
        return series_writer(subject, source, expected)
    if isinstance(source, TableFiles):
        return table_writer(subject, source, expected, function)
    if isinstance(source, ArrayFiles):
        return array_writer(subject, source, expected, function)
    assert isinstance(source, FolderFiles), "every source is one of these"
    return folder_writer(subject, source, expected, function)


def _check_size(expected: Expected, source: FileSource) -> None:
    """Raises DataError where the rows are too many to stand beside the script."""
    if expected.size > machine_memory() // SHARE_OF_MEMORY:
        message = f"no plain Python reads `{source.paths[0]}` as dlspec does, and its rows are too many to be written"
        help = "save it as UTF-8 CSV with decimal points, as PNG of one size, or as arrays of numpy"
        raise DataError.of("data-too-large", message, source.span, help=help)


# --- values that stand beside the script


def _keep_rows(script: Script, expected: Expected) -> None:
    x = _kept(script, "x", expected.x)
    y = "None" if expected.y is None else script.keep_array("y", expected.y)
    about = "All samples and what is predicted, as dlspec has read them."
    whole = f"return {x}, {y}"
    lines = [whole] if "\n" not in x else [f"x = {x}", f"return x, {y}"]
    define(script, SECTION, "load_data()", about, lines)


def _kept(script: Script, name: str, x: Data) -> str:
    """The source of samples that stand beside the script."""
    if not isinstance(x, dict):
        return script.keep_array(name, np.asarray(x))
    lines = []
    for column, values in x.items():
        key = f"{name}/{column}"
        if values.dtype == object:
            held = f"np.array({script.keep(key, values[:, 0].tolist())}, object)[:, None]"
        else:
            held = str(script.keep_array(key, values))
        lines.append(f"        {literal(column)}: {held},\n")
    return "{\n" + "".join(lines) + "    }"


def _some(x: Data, rows: Array) -> Data:
    if isinstance(x, dict):
        return {name: values[rows] for name, values in x.items()}
    return np.asarray(x)[rows]
