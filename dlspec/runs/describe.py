"""What is recorded of the data of a run, in `data.json`; see `records.data`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any

from dlspec.data.arrays import LazyArray, Samples, chosen, some_of
from dlspec.data.not_seen import not_seen
from dlspec.data.preparation.problems import is_missing
from dlspec.data.source_of import source_of
from dlspec.data.sources.audio import AudioFiles
from dlspec.data.training_rows import deciding_source
from dlspec.runs.distributions import MOST_COLUMNS, measured, quantiles_of, shares_of
from dlspec.runs.records.data import Parts
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.datasets import Column
    from dlspec.data.features import Feature
    from dlspec.data.features.base import Raw
    from dlspec.data.preparation import Prepared
    from dlspec.data.signature import Target
    from dlspec.data.split import Window

    Array = np.ndarray

LOOKED_AT = 10**7
"""Values of samples that are not in memory, which tell what all are like."""
MOST_ROWS = 100_000
"""Of the training part, rows that tell how values lie."""


def describe(spec: Spec, data: Prepared) -> dict[str, Any]:
    """What the data looked like, as `DataRecord` reads it again."""
    found = _describe(spec, data)
    if data.outputs:
        first, *others = data.outputs
        found["output"] = first
        left_out = {"rows_left_out": found["rows_left_out"]}  # what lacks one answer is left out of all
        found["outputs"] = {name: {**_describe(spec, data.outputs[name]), **left_out} for name in others}
    return found


def _describe(spec: Spec, data: Prepared) -> dict[str, Any]:
    """Of several outputs, what is told of one of them."""
    signature, steps, target = data.signature, data.preprocessing, data.signature.target
    return {
        "task": signature.task,
        "texts": None if data.text_rows is None else 1 if signature.one_text else len(set(data.text_rows.tolist())),
        "rows": data.rows_in_all or len(next(iter(data.columns.values()))),
        "fingerprint": data.fingerprint,
        "target": {
            "name": target.name,
            "kind": target.kind,
            "classes": list(target.classes),
            "unit": target.unit,
            "inside": target.inside,
            "names": list(target.names),
            "values": list(target.values),
            "steps": list(target.steps),
            "units": [column.unit for column in target.columns],
            "deviations": data.deviations.tolist() if target.is_mixed else [],
            "quantiles": _target_lies(data),
            "labels": [list(astuple(label)) for label in target.labels],
            "separator": target.separator,
            "places": list(target.places),
            "numbered": target.numbered,
            "cut_from": list(target.cut_from),
            "tokens": target.tokens,
            "of_words": target.of_words,
            "levels": list(target.levels),
            "mixture": target.mixture,
            "unit_each": target.unit_each,
            "written": None if target.written is None else asdict(target.written),
        },
        "features": _features(spec, data),
        "raw_columns": list(steps.raw_columns),
        "encoded": bool(steps.columns),
        "missing_word": "",
        "timesteps": steps.timesteps,
        "window": _window(signature.window) if signature.window else None,
        "input_shape": list(signature.input_shape[1:]),
        "parts": {name: len(getattr(data, name)) for name in Parts.model_fields},
        "unlabeled": len(data.unlabeled),
        "left_out": data.left_out,
        "group": signature.group if signature.window else None,
        "gaps": data.gaps._asdict() if data.gaps else None,
        "usual_step": data.usual_step,
        "not_seen": not_seen(spec.data, deciding_source(spec.data, spec.seed).describe(), signature),
        "rows_left_out": _rows_left_out(spec, data),
        "evened": dict(data.evened),
        "turned": data.turned,
        "unknown_labels": dict(data.unknown_labels),
        "time_form": _time_form(data),
        "signs": _signs(spec),
        "rate": _rate(spec),
        "dated": data.times is not None and data.times.dtype.kind == "M",
        "class_counts": _class_counts(data),
        "naive_error": None if data.naive_error is None else _finite(data.naive_error),
        "naive_of_series": {name: _finite(errors) for name, errors in data.naive_of_series.items()},
    }


def _window(window: Window) -> dict[str, Any]:
    more = {"target", "every"} if window.each else set()
    return window.model_dump(include={"length", "horizon", "steps"} | more)


def _target_lies(data: Prepared) -> list[list[float]]:
    """How the values of each number that is predicted lie in the training part."""
    import numpy as np

    count = len(data.train)
    if data.signature.target.kind != "number" or not count:
        return []
    truth = np.asarray(chosen(data.train.truth, np.arange(0, count, math.ceil(count / MOST_ROWS))))
    if data.signature.target.places:
        return [quantiles_of(truth[~np.isnan(truth)])]
    return [quantiles_of(values) for values in truth.reshape(len(truth), -1).T]


def _finite(values: Array) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _lies(data: Prepared, raw: Raw, name: str, form: str | None) -> dict[str, Any]:
    """How the values of a column lie in the training part."""
    import numpy as np

    values = data.columns[name]
    if data.rows_in_all is None:  # else `columns` holds some rows of all parts
        rows = np.asarray(data.train.rows)
        values = chosen(values, rows[:: math.ceil(len(rows) / MOST_ROWS)])
    found = measured(raw, name, values, form)
    lies = {"shares": shares_of(found)} if raw == "word" else {"quantiles": quantiles_of(found)}
    return {**lies, "trained": len(found)} if len(found) else {}


def _signs(spec: Spec) -> list[str] | None:
    """Decimal sign and separator of thousands of the first file of text."""
    from dlspec.data.sources.rows import RowsFiles

    source = deciding_source(spec.data, spec.seed)
    return [*source.files[0].signs[:2]] if isinstance(source, RowsFiles) and source.files[0].is_text else None


def _rows_left_out(spec: Spec, data: Prepared) -> int:
    """Rows of single samples that lack a value for which `missing` is `drop`."""
    from dlspec.data.preparation.samples import complete_rows

    if data.signature.window is not None or data.rows_in_all is not None:
        return 0
    return len(next(iter(data.columns.values()))) - len(complete_rows(spec.data, data.signature, data.columns))


def _rate(spec: Spec) -> int | None:
    """Of sounds, samples a second that each was brought to."""
    source = source_of(spec.data)
    return source.rate_brought_to() if isinstance(source, AudioFiles) else None


def _time_form(data: Prepared) -> str | None:
    """How the times of a series are written, where they are text or numbers."""
    return data.date_forms.get(data.signature.time or "") if data.times is not None else None


def _features(spec: Spec, data: Prepared) -> list[dict[str, Any]]:
    """Each feature with its type, how many numbers the network sees of it, and what its values are like."""
    signature = data.signature
    found = []
    for i, column in enumerate(signature.features):
        kind = signature.types[i] if signature.types else None
        values = data.columns[column.name]
        described: dict[str, Any] = {"name": column.name, "unit": column.unit, "width": signature.widths[i]}
        if column.shape and kind is not None:
            described["shape"] = list(column.shape)
        if kind is not None:
            if data.preprocessing.columns:
                described["input"] = data.preprocessing.input_names[i]
            described |= {
                "type": kind.type_name,
                "holes": _may_lack(spec, data, column, kind),
            }
        raw = kind.raw if kind is not None else "number"
        described |= {"raw": raw, "missing": 0 if isinstance(values, LazyArray) else int(is_missing(values).sum())}
        if signature.target.tokens:
            described |= _of_windows(data)
            found.append(described)
            continue
        if raw == "word":
            described |= _known_words(data, i, values)
        if signature.target.written and column.name == signature.target.name:
            described |= _of_written(values, signature.target)
            found.append(described)
            continue
        if raw == "time":
            described |= _of_times(column, values, data.date_forms[column.name])
        else:
            described |= _SUMMARIES[raw](column, values)
            if getattr(kind, "tokens", "words") == "spaced":
                described |= _of_spaced(column, values)
        if len(signature.features) <= MOST_COLUMNS and values.ndim == 1:
            described |= _lies(data, raw, column.name, data.date_forms.get(column.name))
        found.append(described)
    return found


def _may_lack(spec: Spec, data: Prepared, column: Column, kind: Feature) -> bool:
    """Whether a value of a feature may be missing where something is predicted: nothing was written yet."""
    target = data.signature.target
    fed = target.written is not None and not target.aligned and column.name == target.name
    return fed or kind.policy(spec.data.missing_of_samples) not in ("error", "drop")


def _known_words(data: Prepared, place: int, values: Samples) -> dict[str, Any]:
    """The words that the network tells apart, where it does so with all of the training part, and how many are not."""
    import numpy as np

    from dlspec.data.preparation import to_words

    known = data.preprocessing.columns[place].known
    most = getattr(data.signature.types[place], "told_apart", None)
    if known is None or (most is not None and len(known) >= most):
        return {}
    if data.rows_in_all is not None:
        return {"known": [word for word in known if word]}
    held_out = np.concatenate([np.asarray(part.rows) for part in (data.validation, data.test)])
    words = to_words("", values[held_out], holes=True)
    unknown = int((~np.isin(words.astype(str), ["", *known])).sum())
    return {"known": [word for word in known if word], "unknown": unknown}


def _of_numbers(column: Column, values: Samples) -> dict[str, Any]:
    """Of samples that are not in memory, what some of them are like."""
    import numpy as np

    if isinstance(values, LazyArray):
        values = values[some_of(values, LOOKED_AT)]
    numbers = values if values.dtype.kind in "iuf" else values.astype("float64")
    if numbers.dtype.kind == "f" and np.isnan(numbers).any():
        numbers = numbers[~np.isnan(numbers)]
    return {"min": float(numbers.min()), "max": float(numbers.max()), "mean": float(numbers.mean(dtype="float64"))}


def _of_windows(data: Prepared) -> dict[str, Any]:
    """Of texts that are written on, how long the texts of each part are in tokens."""
    import numpy as np

    assert data.text_rows is not None, "windows come from texts"
    parts = (data.train, data.validation, data.test)
    lengths = [
        int((np.asarray(part.truth)[data.text_rows[np.asarray(part.rows)] == row] >= 0).sum()) + 1
        for part in parts
        for row in np.unique(data.text_rows[np.asarray(part.rows)])
    ]
    return {"longest": max(lengths), "mean": sum(lengths) / len(lengths)}


def _of_words(column: Column, values: Samples) -> dict[str, Any]:
    return {"words": len(column.classes)}


def _of_texts(column: Column, values: Samples) -> dict[str, Any]:
    from dlspec.data.features.text import split_words
    from dlspec.data.preparation import to_words

    lengths = [len(split_words(text)) for text in to_words(column.name, values, holes=True)]
    return {"longest": max(lengths), "mean": sum(lengths) / len(lengths)}


def _of_spaced(column: Column, values: Samples) -> dict[str, Any]:
    """Of texts whose words are taken as they stand."""
    from dlspec.data.preparation.columns import to_texts
    from dlspec.data.preparation.tags import words_in

    lengths = words_in(to_texts(column.name, values, holes=True))
    return {"longest": int(lengths.max()), "mean": float(lengths.mean())}


def _of_written(values: Samples, target: Target) -> dict[str, Any]:
    """How long texts are that are written, in their items."""
    from dlspec.data.features.text import split_tokens
    from dlspec.data.preparation import to_words

    assert target.written is not None, "texts are written"
    unit = target.written.unit
    lengths = [len(split_tokens(text, unit)) for text in to_words(target.name, values, holes=True)]
    return {"longest": max(lengths), "mean": sum(lengths) / len(lengths)}


def _of_times(column: Column, values: Samples, form: str) -> dict[str, Any]:
    import numpy as np

    from dlspec.data.preparation import to_seconds

    seconds = to_seconds(column.name, values, holes=True, forms=(form,))
    ends = [np.datetime64(int(end), "s") for end in (np.nanmin(seconds), np.nanmax(seconds))]
    first, last = (str(end).removesuffix("T00:00:00") for end in ends)
    return {"form": form, "from": first, "to": last}


_SUMMARIES: dict[Raw, Callable[[Column, Samples], dict[str, Any]]] = {
    "number": _of_numbers,
    "word": _of_words,
    "text": _of_texts,
}
"""What is said of a column, by what the saved model takes of it."""


def _class_counts(data: Prepared) -> dict[str, dict[str, int]] | None:
    target = data.signature.target
    classes = target.classes or tuple(label.name for label in target.labels)
    if not classes or target.aligned:  # classes of timesteps, of which none is true
        return None
    counts = {name: getattr(data, name).class_counts(len(classes)) for name in Parts.model_fields}
    return {label: {name: int(count[i]) for name, count in counts.items()} for i, label in enumerate(classes)}
