"""`load_data` of built-in datasets."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlspec.data.datasets import Dataset
from dlspec.data.datasets.california_housing import CaliforniaHousing
from dlspec.data.datasets.cifar import Cifar100
from dlspec.data.datasets.digits import Digits
from dlspec.data.datasets.goog import Goog
from dlspec.data.datasets.keras_cache import KerasPictures
from dlspec.data.datasets.keras_texts import Imdb, Reuters
from dlspec.data.datasets.scikit_learn import BreastCancer, Diabetes, Iris, Wine
from dlspec.data.preparation import READERS
from dlspec.ejection.python import WIDTH, call, literal
from dlspec.ejection.script import Script, lines_of
from dlspec.ejection.subject import Subject

IMDB = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
CALIFORNIA = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
"""The SHA-256 of what Keras keeps."""
SPELT_OUT = 4
"""Columns that are written one by one where each is an input of its own; of more a loop makes them."""


@dataclass(frozen=True)
class Source:
    """A dataset as source: statements, and where each of its columns stands after them.

    Args:
        lines: statements.
        columns: column -> its values, (rows,) or (rows, ...); of a column of classes, numbers of them.
        matrix: columns of numbers side by side, (rows, columns).
        names: the columns of `matrix`, in its order.
        pair: the names of features and target, and the call that gives both.
        classes: column -> what its numbers stand for.
        target: the target, where it is not told by its column.
    """

    lines: tuple[str, ...]
    columns: Mapping[str, str]
    matrix: str = ""
    names: tuple[str, ...] = ()
    pair: tuple[str, str, str] | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    target: str | None = None

    def of(self, name: str) -> str:
        """A column, (rows,) or (rows, ...)."""
        return self.columns[name] if name in self.columns else f"{self.matrix}[:, {self.names.index(name)}]"

    def upright(self, name: str) -> str:
        """A column, (rows, 1)."""
        if name in self.names:
            return f"{self.matrix}[:, [{self.names.index(name)}]]"
        values = self.columns[name]
        if name in self.classes:
            values = f"np.array({literal(list(self.classes[name]))}, object)[{values}]"
        return f"{values}[:, np.newaxis]"

    def beside(self, names: Sequence[str]) -> str:
        """Columns of numbers side by side, (rows, columns)."""
        if tuple(names) == self.names:
            return self.matrix
        if {*names} <= {*self.names}:
            return f"{self.matrix}[:, {[self.names.index(name) for name in names]}]"
        return f"np.stack([{', '.join(map(self.of, names))}], axis=1)"


def write_dataset(script: Script, subject: Subject) -> None:
    """`load_data`: all rows of the dataset in their order, as the saved model takes them, and their target.

    A set that a plugin brings stands beside the script, and so does a series that was brought to even steps.
    """
    dataset = subject.spec.data.dataset
    assert dataset is not None, "files are loaded by others"
    source = _source(script, subject, dataset)
    script.define("data", _function(subject, dataset, source, script))


def _source(script: Script, subject: Subject, dataset: Dataset) -> Source:
    if subject.data.evened:
        return _kept(script, subject, dataset, "as a series of even steps")
    if dataset.generated and type(dataset).__module__.startswith("dlspec.data.datasets."):
        return _generated(script, subject, dataset)
    for kind, write in LOADERS.items():
        if isinstance(dataset, kind):
            return write(script, subject, dataset)
    return _kept(script, subject, dataset, "since a plugin brings it")


def _function(subject: Subject, dataset: Dataset, source: Source, script: Script) -> str:
    x, y = _inputs(subject, source, script), _target(subject, source)
    head, body = lines_of("def load_data():", _docstring(subject, dataset)), list(source.lines)
    if source.pair is not None:
        *names, both = source.pair
        if [x, y] == names:
            return lines_of(head, f"    return {both}")
        used = [name if re.search(rf"\b{name}\b", f"{x} {y}") else "_" for name in names]
        body.append(f"{', '.join(used)} = {both}")
    chosen = [] if subject.is_typed else list(subject.data.preprocessing.raw_columns)
    for name, values, columns in (("x", x, chosen), ("y", y, list(subject.target.names))):
        if re.search(r"\[:, \[?\d", values) and "\n" not in values:
            body.append(_with_names(f"{name} = {values}", columns))
        elif "\n" in values or len(x) + len(y) > WIDTH - 20:
            body.append(f"{name} = {values}")
        else:
            continue
        x, y = (name, y) if name == "x" else (x, name)
    return lines_of(head, [f"    {line}" for line in [*body, f"return {x}, {y}"]])


def _with_names(line: str, columns: Sequence[str]) -> str:
    """A statement that takes columns by their places, with their names behind it, or above it."""
    names = ", ".join(columns)
    if not names or len(names) > WIDTH - 10:
        return line
    return f"{line}  # {names}" if len(line) + len(names) + 8 <= WIDTH else f"# {names}\n    {line}"


def _docstring(subject: Subject, dataset: Dataset) -> list[str]:
    line = subject.line("data", "dataset")
    of = f" ({line} of the spec)" if line else ""
    rows = "timesteps" if subject.is_series else "samples"
    about = textwrap.wrap(dataset.describe().about, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return [f'    """All {rows}: inputs and targets{of}.', "", *(f"    {each}" for each in about), '    """']


# --- x and y


def _inputs(subject: Subject, source: Source, script: Script) -> str:
    """What the saved model takes, as source."""
    steps = subject.data.preprocessing
    if not subject.is_typed:
        names = steps.raw_columns
        if len(names) == 1 and names[0] in source.columns and not subject.is_series:
            own = source.columns[names[0]]
            return own if subject.data.signature.features[0].shape else f"{own}[:, np.newaxis]"
        return source.beside(names)
    given_as = {
        given: (column.name, '.astype("int64")' if column.dtype == "int64" else "")
        for given, column in zip(steps.input_names, steps.columns, strict=True)
    }
    whole = [given for given, (name, cast) in given_as.items() if name == given and name in source.names and not cast]
    if len(given_as) > SPELT_OUT and tuple(given_as) == source.names and len(whole) == len(given_as):
        columns = script.constant("COLUMNS", list(source.names))
        return f"{{name: {source.matrix}[:, [i]] for i, name in enumerate({columns})}}"
    entries = [f"{literal(given)}: {source.upright(name)}{cast}" for given, (name, cast) in given_as.items()]
    line = f"{{{', '.join(entries)}}}"
    if len(line) < WIDTH - 20:
        return line
    return "{\n" + "".join(f"        {entry},\n" for entry in entries) + "    }"


def _target(subject: Subject, source: Source) -> str:
    """What is predicted, as source."""
    target = subject.target
    if target.kind == "input":
        return "None"
    if source.target is not None:
        return source.target
    if target.kind == "labels":
        return _labels(subject, source)
    if len(target.names) > 1:
        return source.beside(target.names)
    return source.of(target.names[0])


def _labels(subject: Subject, source: Source) -> str:
    labels = subject.target.labels
    if tuple(label.column for label in labels) == source.names:
        return f'{source.matrix}.astype("uint8")'
    places = [source.names.index(label.column) for label in labels]
    return f'{source.matrix}[:, {places}].astype("uint8")'


# --- datasets


def _import(script: Script, name: str, how: str) -> None:
    script.imports[name] = how
    script.taken.add(name)


def _generated(script: Script, subject: Subject, dataset: Any) -> Source:
    """A set whose samples are drawn: the function of its name, with its settings."""
    generate = script.use("datasets", dataset.type_name, "data")
    seed = script.constant("SEED", subject.spec.seed)
    given = call(generate, **dataset.arguments(), seed=seed)
    columns = dataset.describe().columns
    if dataset.describe().layout == "series":
        name = columns[-1].name
        lines = (f"values = {literal(given)}",)
        return Source(lines, {name: "values"}, "values[:, np.newaxis]", (name,))
    arrays = [column for column in columns if column.shape]
    classes = {column.name: column.classes for column in columns if column.classes}
    if len(columns) > 3:  # an array and labels
        names = tuple(column.name for column in columns[1:])
        return Source((), {arrays[0].name: "sequences"}, "bits", names, ("sequences", "bits", literal(given)))
    last = columns[-1].name
    if arrays:
        first = f"{arrays[0].name}s"
        found = {arrays[0].name: first, last: last}
        return Source((), found, pair=(first, last, literal(given)), classes=classes)
    names = tuple(column.name for column in columns[:-1])
    return Source((), {last: last}, "points", names, ("points", last, literal(given)), classes)


def _digits(script: Script, subject: Subject, dataset: Digits) -> Source:
    _import(script, "datasets", "from sklearn import datasets")
    lines = ("digits = datasets.load_digits()",)
    found = {"image": "digits.images", "digit": "digits.target"}
    return Source(lines, found, classes={"digit": dataset.describe().columns[1].classes})


def _scikit_learn(script: Script, subject: Subject, dataset: Dataset) -> Source:
    _import(script, "datasets", "from sklearn import datasets")
    name = dataset.type_name
    *features, target = dataset.describe().columns
    short = name.split("_")[-1]
    lines = (f"{short} = datasets.load_{name}()",)
    names = tuple(column.name for column in features)
    classes = {target.name: target.classes} if target.classes else {}
    return Source(lines, {target.name: f"{short}.target"}, f"{short}.data", names, classes=classes)


def _goog(script: Script, subject: Subject, dataset: Goog) -> Source:
    _import(script, "cbook", "from matplotlib import cbook")
    lines = ['with cbook.get_sample_data("goog.npz") as file:', '    table = file["price_data"]']
    raw, targets = list(subject.data.preprocessing.raw_columns), list(subject.target.names)
    features = script.constant("FEATURES" if len(raw) == len(subject.data.signature.features) else "COLUMNS", raw)
    lines.append(f'x = np.stack([table[name].astype("float64") for name in {features}], axis=1)')
    if subject.target.kind == "input":
        return Source(tuple(lines), {}, "x", tuple(raw))
    if len(targets) == 1:
        (own,) = targets
        y = f'x[:, {features}.index("{own}")]' if own in raw else f'table["{own}"].astype("float64")'
    else:
        named = script.constant("TARGETS", targets)
        y = f"x[:, [{features}.index(name) for name in {named}]]"
        if not {*targets} <= {*raw}:
            y = f'np.stack([table[name].astype("float64") for name in {named}], axis=1)'
    return Source(tuple(lines), {}, "x", tuple(raw), target=y)


def _pictures(script: Script, subject: Subject, dataset: KerasPictures) -> Source:
    _, target = dataset.describe().columns
    given = f'label_mode="{dataset.labels}"' if isinstance(dataset, Cifar100) else ""
    labelled = subject.target.kind != "input"
    first, second = ("y_train", "y_test") if labelled else ("_", "_")
    lines = [f"(x_train, {first}), (x_test, {second}) = keras.datasets.{dataset.type_name}.load_data({given})"]
    labels = 'np.concatenate([y_train, y_test]).astype("int64")'
    if len(dataset.shape) == 3:  # labels of coloured pictures are (samples, 1)
        labels = 'np.concatenate([y_train, y_test])[:, 0].astype("int64")'
    found = {"image": "np.concatenate([x_train, x_test])", target.name: labels}
    return Source(tuple(lines), found, classes={target.name: target.classes})


def _california(script: Script, subject: Subject, dataset: CaliforniaHousing) -> Source:
    kept, sha256 = script.use("datasets", "kept_by_keras", "data"), script.constant("SHA256", CALIFORNIA)
    lines = (
        "# the file itself: `keras.datasets.california_housing.load_data` shuffles its rows",
        f'with np.load({kept}("california_housing.npz", {sha256})) as file:',
        '    blocks, price = file["x"], file["y"]',
    )
    names = tuple(column.name for column in dataset.describe().columns[:-1])
    return Source(lines, {"price": "price"}, "blocks", names)


def _imdb(script: Script, subject: Subject, dataset: Imdb) -> Source:
    kept, as_texts = (script.use("datasets", name, "data") for name in ("kept_by_keras", "as_texts"))
    sha256 = script.constant("SHA256", IMDB)
    lines = (
        "# the file itself: `keras.datasets.imdb.load_data` shuffles its rows",
        f'with np.load({kept}("imdb.npz", {sha256}), allow_pickle=True) as file:',
        '    numbered = np.concatenate([file["x_train"], file["x_test"]])',
        '    sentiment = np.concatenate([file["y_train"], file["y_test"]]).astype("int64")',
        f"texts = {as_texts}(numbered, keras.datasets.imdb.get_word_index())",
    )
    return Source(lines, {"text": "texts", "sentiment": "sentiment"}, classes={"sentiment": dataset.classes})


def _reuters(script: Script, subject: Subject, dataset: Reuters) -> Source:
    as_texts = script.use("datasets", "as_texts", "data")
    lines = (
        "reuters = keras.datasets.reuters",
        "(numbered, topic), _ = reuters.load_data(num_words=10**6, test_split=0, start_char=None, index_from=0)",
        f"texts = {as_texts}(numbered, reuters.get_word_index())",
    )
    found = {"text": "texts", "topic": 'topic.astype("int64")'}
    return Source(lines, found, classes={"topic": dataset.classes})


def _kept(script: Script, subject: Subject, dataset: Dataset, why: str) -> Source:
    """A set that the script cannot load: the columns that are used stand beside it."""
    signature, columns = subject.data.signature, subject.data.columns
    kinds = {column.name: kind.raw for column, kind in zip(signature.features, signature.types, strict=False)}
    known = {column.name: column for column in dataset.describe().columns}
    found, classes = {}, {}
    for name in dict.fromkeys([*subject.data.preprocessing.raw_columns, *signature.target.names]):
        if name not in columns:  # the target is the input
            continue
        values, kind = columns[name], kinds.get(name, "number")
        if known[name].classes:
            classes[name] = known[name].classes
            places = {word: i for i, word in enumerate(classes[name])}
            kept = script.keep_array(name, np.array([places[str(word)] for word in values], "int64"))
        else:
            kept = script.keep_array(name, READERS[kind](name, values).astype(str if kind == "text" else None))
        found[name] = f"{kept}.astype(object)" if kind == "text" else str(kept)
    return Source((f"# {why} it stands beside this script",), found, classes=classes)


LOADERS: dict[type, Callable[[Script, Subject, Any], Source]] = {
    Digits: _digits,
    Iris: _scikit_learn,
    Diabetes: _scikit_learn,
    Wine: _scikit_learn,
    BreastCancer: _scikit_learn,
    Goog: _goog,
    KerasPictures: _pictures,
    CaliforniaHousing: _california,
    Imdb: _imdb,
    Reuters: _reuters,
}
