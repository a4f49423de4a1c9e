"""`load_data` of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dlspec.data.preparation.times import DATE_FORMS
from dlspec.data.sources.rows import RowsFiles
from dlspec.ejection.checking import Expected, result_of
from dlspec.ejection.prose import define
from dlspec.ejection.python import Code, literal, statement
from dlspec.ejection.rows import MOST_LEVEL, SECTION, Wanted, as_numbers, as_seconds, as_words, column, reading
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject

Write = Callable[[Script], None]
MOST_SHOWN = 3
"""Files that a docstring names."""


def table_writer(subject: Subject, files: RowsFiles, expected: Expected, function: str = "load_data") -> Write | None:
    """What writes `load_data`, in the plainest way that gives the expected values; None: no way does.

    Args:
        function: `load_data`, or `load_unlabeled`, which gives `x` alone.
    """
    return plainest(
        lambda wanted: lambda script: _write(script, subject, files, wanted, function),
        wanted_of(subject, with_target=function == "load_data"),
        subject,
        expected,
        function,
    )


def plainest(
    writer: Callable[[Wanted], Write], wanted: Wanted, subject: Subject, expected: Expected, function: str
) -> Write | None:
    """Reads each column in the plain way first, and those that come out otherwise in another one."""
    for _ in range(2 * MOST_LEVEL + 1):
        write = writer(wanted)
        found = result_of(write, subject.folder, function)
        wrong = expected.differences(found, with_y=function == "load_data")
        if not wrong:
            return write
        columns = _columns_of(wrong, subject, wanted)
        levels = {name: wanted.level(name) + 1 for name in columns if wanted.level(name) < MOST_LEVEL}
        if not levels:
            return None
        wanted = replace(wanted, levels={**wanted.levels, **levels})
    return None


def _columns_of(wrong: list[str], subject: Subject, wanted: Wanted) -> list[str]:
    """The columns of what is not the same."""
    steps, found = subject.data.preprocessing, set()
    for each in wrong:
        kind, _, name = each.partition(":")
        if kind == "y":
            found |= {*subject.target.names}
        elif not name:
            return wanted.names
        elif subject.is_typed:
            found.add(steps.columns[steps.input_names.index(name)].name)
        else:
            found.add(steps.raw_columns[int(name)])
    return [name for name in wanted.names if name in found]


def wanted_of(subject: Subject, *, with_target: bool = True) -> Wanted:
    """The columns that the network sees, and those that are predicted."""
    data, target = subject.data, subject.target
    words: list[str] = []
    numbers: list[str] = []
    dates: dict[str, str] = {}
    kinds = {column.name: kind.raw for column, kind in zip(data.signature.features, data.signature.types, strict=False)}
    for feature in data.signature.features:
        raw = kinds.get(feature.name, "number")
        if raw == "time":
            dates[feature.name] = data.date_forms.get(feature.name, DATE_FORMS[0])
        else:
            (numbers if raw == "number" else words).append(feature.name)
    if with_target and target.kind != "input":
        for name in target.names:
            own = numbers if target.kind == "number" else words
            if name not in own:
                own.append(name)
    return Wanted(tuple(words), tuple(numbers), dates)


def _write(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted, function: str) -> None:
    lines = reading(script, subject, files, wanted)
    x, prepared = features(script, subject, files, wanted)
    lines += prepared
    if function != "load_data":
        lines.append(f"return {x}")
        define(
            script,
            SECTION,
            f"{function}()",
            f"The rows of {shown_paths(files)} without labels, which pretraining sees.",
            lines,
        )
        return
    about, y = target_of(script, subject, files, wanted)
    line = subject.line("data", "target")
    about = f"The rows of {shown_paths(files)}: what the network sees, and {about}" + (
        f" ({line} of the spec)." if line else "."
    )
    if isinstance(y, list):
        *before, y = y
        lines += before
    lines.append(f"return {x}, {y}")
    define(script, SECTION, f"{function}()", about, lines)


def shown_paths(files: RowsFiles) -> str:
    """The files, as the spec names them."""
    parts = [part for part in (files, files.validation, files.test) if part is not None]
    paths = list(dict.fromkeys(path for part in parts for path in part.paths))
    return ", ".join(paths) if len(paths) <= MOST_SHOWN else f"{paths[0]} and {len(paths) - 1} other files"


def features(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted) -> tuple[str, list[str]]:
    """The source of `x`, and the lines before it."""
    steps = subject.data.preprocessing
    if not subject.is_typed:
        return matrix(script, files, wanted, list(steps.raw_columns), "features")
    columns: dict[str, Any] = {}
    for name, fitted in zip(steps.input_names, steps.columns, strict=True):
        if fitted.raw == "time":
            columns[name] = as_seconds(script, wanted, fitted.name)
        elif fitted.raw == "number":
            numbers = as_numbers(script, files, wanted, fitted.name)
            whole = fitted.dtype == "int64"
            columns[name] = Code(numbers.replace('"float64"', '"int64"')) if whole and "float64" in numbers else numbers
            if whole and "float64" not in numbers:
                columns[name] = Code(f'{numbers}.astype("int64")')
        else:
            columns[name] = as_words(script, files, wanted, fitted.name)
    lines = ["x = {\n" + "".join(f"        {literal(name)}: {each},\n" for name, each in columns.items()) + "    }"]
    return "{name: values[:, None] for name, values in x.items()}", lines


def matrix(script: Script, files: RowsFiles, wanted: Wanted, names: list[str], constant: str) -> tuple[str, list[str]]:
    """The source of several columns of numbers, (rows, columns), and the lines before it."""
    lines = []
    for name in names:
        if wanted.level(name):
            lines.append(f"{column(name)} = {as_numbers(script, files, wanted, name)}")
    chosen = literal(names) if len(names) == 1 else script.constant(constant, names, SECTION)
    return f'table[{chosen}].to_numpy("float64")', lines


def target_of(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted) -> tuple[str, str | list[str]]:
    """What is predicted, in words, and its source, or the lines that make it, the last its source."""
    target = subject.target
    names = ", ".join(f"`{name}`" for name in target.names)
    if target.kind == "input":
        return "nothing besides, since that is what it gives back", "None"
    if target.kind == "class":
        classes = script.constant("classes", list(target.classes), SECTION)
        indices = script.use("tables", "class_indices", SECTION)
        return (
            f"the place of {names} among the classes",
            f"{indices}({as_words(script, files, wanted, target.name)}, {classes})",
        )
    if target.kind == "labels" and target.separator is not None:
        labels = script.constant("labels", [label.word for label in target.labels], SECTION)
        has_labels = script.use("tables", "has_labels", SECTION)
        words = as_words(script, files, wanted, target.name)
        return f"which of the labels {names} has", f"{has_labels}({words}, {labels}, {literal(target.separator)})"
    if target.kind == "labels":
        held = [
            Code(f"{as_words(script, files, wanted, label.column)} == {literal(label.word)}") for label in target.labels
        ]
        lines = [statement("y", held, 4), 'np.stack(y, axis=1).astype("uint8")']
        return f"whether each of {names} is true", lines
    if len(target.names) == 1:
        return names, as_numbers(script, files, wanted, target.name)
    y, lines = matrix(script, files, wanted, list(target.names), "targets")
    return names, [*lines, y]
