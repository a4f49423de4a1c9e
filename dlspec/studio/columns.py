"""Data of a spec as the page shows them: columns, samples, parts of the split; and a type changed as an edit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dlspec.data.checks.table import ColumnSummary, summarize_columns
from dlspec.data.features import FEATURES
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.language.diagnostics.fix import apply_edits
from dlspec.language.diagnostics.json import as_values
from dlspec.language.yaml import to_inline_yaml
from dlspec.language.yaml.editing import EditedText
from dlspec.language.yaml.parts import Entry
from dlspec.runs.job import columns_as_read, find_oddities, load_data, load_or_tell
from dlspec.runs.kept_pictures import quantized
from dlspec.spec.checks import Checked
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.arrays import Samples
    from dlspec.data.datasets import Columns
    from dlspec.data.preparation import Prepared
    from dlspec.data.signature import Signature

    Array = np.ndarray

Values = dict[str, Any]
SAMPLES, PICTURES, LONGEST = 12, 24, 200
"""Rows of a table that are shown, pictures, and characters of a cell."""
MOST_COLUMNS, MOST_ARRAYS, MOST_ROWS = 40, 2, 60
"""Of rows that are shown: columns, columns of arrays, and rows."""
LOOKED_AT = 2000
"""Values by which it is decided whether a column can say yes or no."""
TIMELINE = 120
"""Parts of a line on which the split of a series is shown."""
MOST_ALONG, MOST_HEARD = 64, 400
"""Pixels along a side of a picture, and values of a sound or another row of numbers."""
UNUSED = "unused"


def described(spec: Spec) -> Values:
    """Columns with role, type, range, holes and histogram, samples, and how many samples each part has.

    Raises:
        DataError: there are no such data, or they cannot be read at all.
    """
    data: Prepared | None
    try:
        data = load_or_tell(spec)
        problems = find_oddities(spec, data)
    except DataError as error:
        data, problems = None, error.diagnostics
    try:
        signature, columns = (data.signature, data.columns) if data is not None else columns_as_read(spec)
    except DataError:
        raise DataError(problems, spec.document.texts) from None
    return {
        "columns": [
            {**asdict(each), "types": _types_for(each, spec, signature, columns[each.name])}
            for each in summarize_columns(spec.data, signature, columns)
        ],
        "rows": len(next(iter(columns.values()))) if columns else 0,
        "task": signature.task,
        "target": list(signature.target.names),
        "problems": [as_values(problem) for problem in problems],
        "parts": None if data is None else _parts(data),
        "samples": _samples(signature, columns),
    }


def _types_for(column: ColumnSummary, spec: Spec, signature: Signature, values: Samples) -> list[str]:
    """The types that a column may be given instead, its own among them; none where it is no feature of a table. Whether
    its values are of that type shows when it is tried."""
    if column.role not in ("feature", "") or signature.task == "series" or spec.data.table is None:
        return []
    others = {"image"} if len({str(value) for value in values[:LOOKED_AT]}) <= 2 else {"image", "boolean"}
    return [name for name in FEATURES if name not in others or name == column.type]


def _parts(data: Prepared) -> Values:
    """Samples of each part, and of a series which part each stretch of rows is in."""
    import numpy as np

    counts = {name: len(getattr(data, name)) for name in ("train", "validation", "test")}
    found: Values = {"counts": {**counts, "unlabeled": len(data.unlabeled)}, "timeline": None}
    if data.signature.task != "series":
        return found
    rows = max(len(next(iter(data.columns.values()))), 1)
    line = np.full(TIMELINE, UNUSED, object)
    for name in counts:
        own = np.asarray(getattr(data, name).rows).reshape(-1)
        places = np.unique(np.minimum(own * TIMELINE // rows, TIMELINE - 1))
        line[places] = name
    found["timeline"] = [[name, len(list(same))] for name, same in groupby(line.tolist())]
    if data.times is not None and len(data.times):
        found["from"], found["to"] = _cell(data.times[0]), _cell(data.times[-1])
    return found


def _samples(signature: Signature, columns: Columns) -> Values:
    """Some rows: of a series the first, of pictures of classes each in turn, else from first to last."""
    import numpy as np

    count = len(next(iter(columns.values()))) if columns else 0
    some = np.linspace(0, count - 1, min(SAMPLES, count)).astype(int)
    if signature.task == "series":
        some = np.arange(min(SAMPLES, count))
    elif any(values.ndim > 1 for values in columns.values()):
        some = _in_turn(signature, columns, count)
    return rows_shown(signature, columns, [int(row) for row in some])


def _in_turn(signature: Signature, columns: Columns, count: int) -> Array:
    """Rows of every class in turn."""
    import numpy as np

    labels = columns.get(signature.target.name) if signature.target.names else None
    if labels is None or labels.ndim != 1 or signature.target.kind != "class":
        return np.linspace(0, count - 1, min(PICTURES, count)).astype(int)
    words = np.asarray(labels[:])
    of_class = [np.flatnonzero(words == word) for word in dict.fromkeys(words.tolist())]
    turns = [rows[turn] for turn in range(PICTURES) for rows in of_class if turn < len(rows)]
    return np.array(turns[:PICTURES], int)


def rows_shown(signature: Signature, columns: Columns, rows: Sequence[int]) -> Values:
    """Rows as text, and columns of pictures, sounds and other arrays as numbers with what they show."""
    import numpy as np

    plain = [name for name, values in columns.items() if values.ndim == 1][:MOST_COLUMNS]
    arrays = [name for name, values in columns.items() if values.ndim > 1][:MOST_ARRAYS]
    rows = [row for row in rows if columns and 0 <= row < len(next(iter(columns.values())))][:MOST_ROWS]
    labels = columns.get(signature.target.name) if signature.target.names else None
    said = [] if labels is None or labels.ndim != 1 else [_label(signature, labels[row]) for row in rows]
    return {
        "heads": plain,
        "rows": list(rows),
        "cells": [[_cell(columns[name][row]) for name in plain] for row in rows],
        "arrays": [
            {"name": name, "labels": said, "values": shown_arrays(np.stack([columns[name][row] for row in rows]))}
            for name in arrays
            if rows
        ],
    }


def shown_arrays(values: Array) -> Values:
    """Samples (samples, ...) as numbers that the page draws: pictures of a bounded size, else rows of values."""
    import numpy as np

    from dlspec.evaluation.pictures.places import is_drawn

    shape = values.shape[1:]
    if is_drawn(shape):
        values = values[..., 0] if len(shape) == 3 and shape[-1] == 1 else values
        step = max(1, -(-max(values.shape[1:3]) // MOST_ALONG))
        return quantized(values[:, ::step, ::step], "u1")
    flat = values.reshape(len(values), -1)
    step = max(1, -(-flat.shape[1] // MOST_HEARD))
    return quantized(np.asarray(flat[:, ::step]), "u1")


def _label(signature: Signature, value: Any) -> str:
    classes = signature.target.classes
    if isinstance(value, int) or hasattr(value, "dtype"):
        number = value.item() if hasattr(value, "item") else value
        if isinstance(number, int) and classes and 0 <= number < len(classes) and str(number) not in classes:
            return classes[number]
        return str(number)
    return str(value)


def _cell(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def retyped(spec: Spec, text: str, file: str, column: str, kind: str | None, check: Callable[[str], Checked]) -> Values:
    """A column of a table made another type, or left out, as edits of the text: the features are written with types.

    Args:
        kind: a name of a type of features; None: the network no longer sees the column.
        check: text -> what is found in it, to prove that nothing breaks.

    Raises:
        DataError, SpecError: the data cannot be read, or the text cannot be changed so.
    """
    signature, _ = columns_as_read(spec)
    types: dict[str, Any] = {
        each.name: _written_type(own)
        for each, own in zip(signature.features, signature.types, strict=False)
        if each.name != column
    }
    order = [each.name for each in signature.features]
    if kind is not None:
        types[column] = kind
        order = order if column in order else [*order, column]
    if not types:
        raise DataError.of("nothing-to-see", "the network would see no column", help="leave one column at least")
    wanted = {name: types[name] for name in order if name in types}
    edited = EditedText(file, text)
    places = {_keys(each): each for each in edited.entries() if each.key is not None}
    data, written = places.get(("data",)), places.get(("data", "features"))
    line = f"{{{to_inline_yaml(wanted)}}}"
    edits = None
    if written is not None:
        edits = edited.replace(written.value, line)
    elif data is not None:
        edits = edited.insert(data.value, f"features: {line}")
    if edits is None:
        raise DataError.of("not-editable", "this text is written in a form that is not changed by a click",
                           help=f"write `features: {line}` under `data`")  # fmt: skip
    new = apply_edits(text, edits)
    changed = check(new)
    if changed.errors:
        raise SpecError(changed.errors, {file: new})
    try:
        load_data(changed.spec)
    except DataError as error:
        if _can_be_loaded(spec):  # else it may be a step towards data that can
            raise error from None
    return {"text": new, "line": f"features: {line}"}


def _can_be_loaded(spec: Spec) -> bool:
    try:
        load_data(spec)
    except DataError:
        return False
    return True


def _written_type(kind: Any) -> Any:
    """A type as it is written: its name, or its name with what is not as by default."""
    values = kind.model_dump(exclude_unset=True, exclude_none=True)
    return {kind.type_name: values} if values else kind.type_name


def _keys(entry: Entry | None) -> tuple[str, ...]:
    """The keys that lead to an entry of mappings alone."""
    names: list[str] = []
    while entry is not None:
        names.insert(0, entry.name)
        entry = entry.owner.holder
    return tuple(names)
