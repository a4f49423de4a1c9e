"""`load_data` of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dlspec.data.preparation.times import DATE_FORMS
from dlspec.data.sources.rows import RowsFiles
from dlspec.ejection.checking import Expected, result_of
from dlspec.ejection.naming import KINDS, Treated, held_names, in_mapping
from dlspec.ejection.prose import define
from dlspec.ejection.python import INDENT, WIDTH, Call, Code, literal, statement, width
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
        files,
        expected,
        function,
    )


def plainest(
    writer: Callable[[Wanted], Write],
    wanted: Wanted,
    subject: Subject,
    files: RowsFiles,
    expected: Expected,
    function: str = "load_data",
) -> Write | None:
    """Reads each column in the plain way first, and those that come out otherwise in another one."""

    def fails(name: str, wanted: Wanted) -> bool:
        """Whether a column by itself cannot be read so."""

        def write(script: Script) -> None:
            lines = reading(script, subject, files, only(name, wanted))
            define(
                script, SECTION, "load_column()", "", [*lines, f"return {literal(_read(script, files, wanted, name))}"]
            )

        return isinstance(result_of(write, subject.folder, "load_column"), Exception)

    for _ in range(2 * MOST_LEVEL + 1):
        write = writer(wanted)
        found = result_of(write, subject.folder, function)
        wrong = expected.differences(found, with_y=function == "load_data")
        if not wrong:
            return write
        columns = _columns_of(wrong, subject, wanted)
        if isinstance(found, Exception):
            columns = [name for name in columns if fails(name, wanted)]
        levels = {name: wanted.level(name) + 1 for name in columns if wanted.level(name) < MOST_LEVEL}
        if not levels:
            return None
        dressed = wanted.dressed or not levels.keys().isdisjoint(wanted.numbers)
        literal_words = wanted.literal_words or not levels.keys().isdisjoint(wanted.words)
        levels = {**wanted.levels, **levels}
        wanted = replace(wanted, levels=levels, dressed=dressed, literal_words=literal_words)
    return None


def only(name: str, wanted: Wanted) -> Wanted:
    """What is read of one column."""
    words, numbers = (tuple(own for own in names if own == name) for names in (wanted.words, wanted.numbers))
    dates = {own: form for own, form in wanted.dates.items() if own == name}
    return replace(wanted, words=words, numbers=numbers, dates=dates)


def _read(script: Script, files: RowsFiles, wanted: Wanted, name: str) -> Call:
    if name in wanted.dates:
        return as_seconds(script, wanted, name)
    return (as_words if name in wanted.words else as_numbers)(script, files, wanted, name)


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
            own = numbers if target.kind == "number" or has_number_classes(subject) else words
            if name not in own:
                own.append(name)
    whole = [column.name for column in data.preprocessing.columns if column.dtype == "int64"]
    return Wanted(tuple(words), tuple(numbers), dates, tuple(whole))


def has_number_classes(subject: Subject) -> bool:
    """Whether the classes are two whole numbers, which are read as numbers."""
    target = subject.target
    return target.kind == "class" and subject.data.columns[target.name].dtype.kind == "f"


def _write(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted, function: str) -> None:
    lines = reading(script, subject, files, wanted)
    x, prepared = features(script, subject, files, wanted)
    lines += prepared
    if function != "load_data":
        about = f"The rows of {shown_paths(files)} without labels, which pretraining sees."
        define(script, SECTION, f"{function}()", about, [*lines, f"return {x}"])
        return
    what, before, y = target_of(script, subject, files, wanted)
    line = subject.line("data", "target")
    about = f"The rows of {shown_paths(files)}: what the network sees, and {what}"
    about += f" ({line} of the spec)." if line else "."
    define(script, SECTION, f"{function}()", about, [*lines, *before, *returning(x, y)])


def returning(x: str, y: Call | Code) -> list[str]:
    """The lines that return both."""
    whole = f"return {x}, {literal(y)}"
    return [whole] if INDENT + width(whole) <= WIDTH else [statement("y", y, INDENT), f"return {x}, y"]


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
    columns: list[Treated] = []
    for name, fitted in zip(steps.input_names, steps.columns, strict=True):
        if fitted.raw == "time":
            call = as_seconds(script, wanted, fitted.name)
        elif fitted.raw == "number":
            call = as_numbers(script, files, wanted, fitted.name)
        else:
            call = as_words(script, files, wanted, fitted.name)
        columns.append(Treated(name, call, KINDS[fitted.raw]))
    x = f"x = {in_mapping(script, columns, SECTION)}"
    return "{name: values[:, None] for name, values in x.items()}", [x]


def matrix(script: Script, files: RowsFiles, wanted: Wanted, names: list[str], constant: str) -> tuple[str, list[str]]:
    """The source of several columns of numbers, (rows, columns), and the lines before it."""
    lines = []
    for name in names:
        if wanted.level(name):
            lines.append(statement(column(name), as_numbers(script, files, wanted, name), INDENT))
    chosen = literal(names) if len(names) == 1 else held_names(script, constant, names, SECTION)
    return f'table[{chosen}].to_numpy("float64")', lines


def target_of(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted) -> tuple[str, list[str], Call | Code]:
    """What is predicted, in words, the lines that make it, and its source."""
    target = subject.target
    names = ", ".join(f"`{name}`" for name in target.names)
    if target.kind == "input":
        return "nothing besides, since that is what it gives back", [], Code("None")
    if target.kind == "class":
        classes = held_names(script, "classes", list(target.classes), SECTION)
        indices = script.use("tables", "class_indices", SECTION)
        if target.name in wanted.numbers:
            numbers = as_numbers(script, files, wanted, target.name)
            y = Call(indices, (numbers, Code(f"map(float, {classes})")))
        else:
            y = Call(indices, (as_words(script, files, wanted, target.name), classes))
        return f"the place of {names} among the classes", [], y
    if target.kind == "labels" and target.separator is not None:
        labels = held_names(script, "labels", [label.word for label in target.labels], SECTION)
        words = as_words(script, files, wanted, target.name)
        y = Call(script.use("tables", "has_labels", SECTION), (words, labels, target.separator))
        return f"which of the labels {names} has", [], y
    if target.kind == "labels":
        given = [(as_words(script, files, wanted, label.column), label.word) for label in target.labels]
        held = [Code(f"{literal(words)} == {literal(word)}") for words, word in given]
        return (
            f"whether each of {names} is true",
            [statement("y", held, 4)],
            Code('np.stack(y, axis=1).astype("uint8")'),
        )
    if len(target.names) == 1:
        return names, [], as_numbers(script, files, wanted, target.name)
    several, lines = matrix(script, files, wanted, list(target.names), "targets")
    return names, lines, Code(several)
