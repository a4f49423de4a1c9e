"""`load_data` and `load_parts`: what there is to learn from, and which of it is for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.ejection.datasets import write_dataset
from dlspec.ejection.python import Code, literal
from dlspec.ejection.script import Script
from dlspec.ejection.sources import write_files, write_unlabeled
from dlspec.ejection.subject import Subject

Array = np.ndarray


def write_data(script: Script, subject: Subject) -> None:
    write_loading = write_files if subject.spec.data.dataset is None else write_dataset
    write_loading(script, subject)
    write_parts(script, subject)
    if takes_unlabeled(subject):
        write_unlabeled(script, subject)


def pretrains_without_labels(subject: Subject) -> bool:
    """Whether pretraining sees samples without labels."""
    methods = [stage.method for stage in subject.plan.pretraining]
    return any(method is not None and not method.needs_labels for method in methods)


def takes_unlabeled(subject: Subject) -> bool:
    """Whether pretraining sees samples of the source under `unlabeled`."""
    return pretrains_without_labels(subject) and bool(len(subject.data.unlabeled_rows[1]))


def write_parts(script: Script, subject: Subject) -> None:
    """`load_parts`, and of a series `windows`."""
    if subject.is_series:
        _write_windows(script, subject)
    folds = [_places_of(subject, data) for data in subject.folds]
    names = part_names(subject)
    shown = _shown(script, subject, folds, names)
    several = len(subject.folds) > 1
    line = subject.line("data", "split")
    about = f"{_listed(names)}{' of a fold' if several else ''}{f' ({line} of the spec)' if line else ''}"
    lines = [
        f"def load_parts({'fold' if several else ''}):",
        f'    """{about}: x and y of each."""',
        f"    x, {'_' if subject.target.kind == 'input' else 'y'} = load_data()",
        *_grouped(script, subject),
    ]
    pair = "(windows(x, {}), None)" if subject.target.kind == "input" else "windows(x, y, {})"
    take = pair if subject.is_series else _pair(script, subject)
    if several:
        lines.append(f"    return [{take.format('rows')} for rows in {shown}]")
    else:
        rows = ", ".join(shown)
        lines.append(f"    return [{take.format('rows')} for rows in ({rows})]")
    script.define("data", "\n".join(lines))


def part_names(subject: Subject) -> list[str]:
    """The parts that `load_parts` gives back, in order."""
    data = subject.data
    there = {
        "train": True,
        "validation": bool(len(data.validation)),
        "test": True,
        "unlabeled": pretrains_without_labels(subject) and bool(len(data.unlabeled_rows[0])),
    }
    return [name for name, is_there in there.items() if is_there]


def _places_of(subject: Subject, data: Prepared) -> dict[str, Array]:
    """Part -> the rows of its samples, or where its windows begin."""
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    place = _begins(subject, data) if subject.is_series else _rows
    found = {name: place(part) for name, part in parts.items() if len(part)}
    hidden = data.unlabeled_rows[0]
    return {**found, "unlabeled": hidden} if len(hidden) else found


def _rows(part: Part) -> Array:
    return np.asarray(part.rows[:])


def _begins(subject: Subject, data: Prepared) -> Any:
    """Gives where the windows of a part begin, in the order of `_order`."""
    window, order = data.signature.window, _order(data)
    assert window is not None, "a series has a window"
    behind = window.span(data.preprocessing.timesteps or window.length) - 1
    ahead = 0 if data.signature.target.kind == "input" else window.horizon

    def begins(part: Part) -> Array:
        rows = np.asarray(part.rows[:])
        if order is not None:
            place = np.empty(len(order), int)
            place[order] = np.arange(len(order))
            rows = place[rows]
        return np.asarray(rows - ahead - behind)

    return begins


def _order(data: Prepared) -> Array | None:
    """The rows of each group together; None: they are, or there are no groups."""
    if data.groups is None:
        return None
    codes = np.unique(data.groups, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    return None if (order == np.arange(len(order))).all() else order


def _grouped(script: Script, subject: Subject) -> list[str]:
    order = _order(subject.data) if subject.is_series else None
    if order is None:
        return []
    kept = script.keep_array("order", order)
    return [
        f"    order = {kept}  # the rows of each {subject.data.signature.group} together",
        "    x = x[order]" if subject.target.kind == "input" else "    x, y = x[order], y[order]",
    ]


def _shown(script: Script, subject: Subject, folds: Sequence[dict[str, Array]], names: Sequence[str]) -> Any:
    """The places of each part as source: ranges as constants, others beside the script."""
    as_source = as_range if subject.is_series else as_slice
    line = subject.line("data", "split")
    comment = f"{'where windows begin' if subject.is_series else 'rows'}{f' ({line})' if line else ''}"
    none = np.empty(0, int)
    if len(folds) == 1:
        shown = []
        for name in names:
            found = as_source(folds[0].get(name, none))
            kept = script.keep_array(name, folds[0][name]) if found is None else None
            shown.append(kept or script.constant(name, Code(found or ""), "data", comment))
        return shown
    ranges = [[as_source(own.get(name, none)) for name in names] for own in folds]
    if all(found is not None for own in ranges for found in own):
        value = [[Code(found) for found in own if found] for own in ranges]
        return f"{script.constant('folds', value, 'data', comment)}[fold]"
    for number, own in enumerate(folds):
        for name in names:
            script.keep_array(f"{name}_{number}", own.get(name, none))
    return f'(ARRAYS[f"{{part}}_{{fold}}"] for part in {literal(tuple(names))})'


def as_slice(places: Array) -> str | None:
    """`slice(0, 100)` where places follow each other; None where they do not."""
    if len(places) and (np.diff(places) != 1).any():
        return None
    first = int(places[0]) if len(places) else 0
    return f"slice({first}, {first + len(places)})"


def as_range(places: Array) -> str | None:
    """`range(0, 100)` where places are in steps; None where they are not."""
    if len(places) == 0:
        return "range(0)"
    steps = np.unique(np.diff(places))
    if len(steps) > 1 or (len(steps) == 1 and steps[0] < 1):
        return None
    step = int(steps[0]) if len(steps) else 1
    first, end = int(places[0]), int(places[-1]) + 1
    if step > 1:
        return f"range({first}, {end}, {step})"
    return f"range({first}, {end})" if first else f"range({end})"


def _pair(script: Script, subject: Subject) -> str:
    x = f"{script.use('columns', 'take', 'data')}(x, {{0}})" if subject.is_typed else "x[{0}]"
    return f"({x}, None)" if subject.target.kind == "input" else f"({x}, y[{{0}}])"


def _listed(names: Sequence[str]) -> str:
    words = ["training" if name == "train" else name for name in names]
    found = f"{', '.join(words[:-1])} and {words[-1]} part" if len(words) > 1 else f"{words[0]} part"
    return found[:1].upper() + found[1:]


# --- series


def _write_windows(script: Script, subject: Subject) -> None:
    data, target = subject.data, subject.target
    window, timesteps = data.signature.window, data.preprocessing.timesteps
    assert window is not None, "a series has a window"
    assert timesteps is not None, "a window has timesteps"
    length = script.constant("window", window.length, "data", _line(subject, "length"))
    more = timesteps - window.length
    rows = f"{length} + 1" if more else str(length)
    every = f" * {script.constant('every', window.every, 'data', _line(subject, 'every'))}" if window.every > 1 else ""
    shape = f"(samples, {timesteps}, {len(data.preprocessing.raw_columns)})"
    why = (
        ["", f"    A change needs the level before, so that {length} changes are {length} + 1 levels."] if more else []
    )
    is_given_back = target.kind == "input"
    about = f"Windows that begin at some timesteps, {shape}{'' if is_given_back else ', and what each leads to'}."
    lines = [
        f"def windows({'x' if is_given_back else 'x, y'}, starts):",
        f'    """{about}{"" if why else chr(34) * 3}',
        *([*why, '    """'] if why else []),
        f"    rows = np.array(starts)[:, None] + np.arange({rows}){every}",
    ]
    if is_given_back:
        lines.append("    return x[rows]")
    elif window.reach == 0:
        lines.append("    return x[rows], y[rows[:, -1]]")
    elif len(set(target.steps)) > 1:
        horizon = script.constant("horizon", window.horizon, "data", _line(subject, "horizon"))
        steps = script.constant("steps", window.steps, "data", _line(subject, "steps"))
        lines += [
            f"    ahead = rows[:, -1:] + np.arange({horizon}, {horizon} + {steps})",
            f"    return x[rows], {_values_ahead(subject)}",
        ]
    else:
        horizon = script.constant("horizon", window.horizon, "data", _line(subject, "horizon"))
        lines.append(f"    return x[rows], y[rows[:, -1] + {horizon}]")
    script.define("data", "\n".join(lines))


def _values_ahead(subject: Subject) -> str:
    """The values of all timesteps ahead, those of one column together."""
    if len(subject.target.names) == 1:
        return "y[ahead]"
    return "y[ahead].swapaxes(1, 2).reshape(len(rows), -1)"


def _line(subject: Subject, key: str) -> str:
    return subject.line("data", "window", key)
