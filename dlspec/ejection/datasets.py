"""`load_data` of built-in datasets."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from dlspec.data.datasets import Dataset
from dlspec.data.datasets.california_housing import CaliforniaHousing
from dlspec.data.datasets.cifar import Cifar100
from dlspec.data.datasets.digit_pairs import DigitPairs
from dlspec.data.datasets.digits import Digits
from dlspec.data.datasets.goog import Goog
from dlspec.data.datasets.keras_cache import KerasPictures
from dlspec.data.datasets.keras_texts import Imdb, Reuters
from dlspec.data.datasets.parcels import Parcels
from dlspec.data.datasets.scikit_learn import BreastCancer, Diabetes, Iris, Wine
from dlspec.data.preparation import READERS, to_numbers
from dlspec.data.preparation.columns import classes_of, labels_of
from dlspec.ejection.python import WIDTH, NotWritten, call, literal
from dlspec.ejection.script import Script, lines_of
from dlspec.ejection.subject import Subject

IMDB = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
CALIFORNIA = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
"""The SHA-256 of what Keras keeps."""
MOST_PLACES = 70
"""Characters of a list of places that stands in a line with other things."""
SPELT_OUT = 4
"""Columns that are written one by one where each is an input of its own; of more a loop makes them."""


@dataclass(frozen=True)
class Wanted:
    """What of a dataset is loaded.

    Args:
        names: the columns of `x`, in their order.
        targets: those of `y`; none where nothing is predicted, or where the labels do not matter.
    """

    script: Script
    subject: Subject
    names: tuple[str, ...]
    targets: tuple[str, ...]

    def uses(self, name: str) -> bool:
        return name in self.names or name in self.targets


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

    def beside(self, names: Sequence[str], script: Script) -> str:
        """Columns of numbers side by side, (rows, columns)."""
        pieces: list[str] = []
        for in_matrix, run in groupby(names, key=lambda name: name in self.names):
            own = tuple(run)
            pieces += [self._some(own, script)] if in_matrix else [self.of(name) for name in own]
        return pieces[0] if len(pieces) == 1 and len(names) > 1 else self._joined(names, pieces)

    def _joined(self, names: Sequence[str], pieces: Sequence[str]) -> str:
        if len(names) == 1:
            return self.matrix if self.names == (*names,) else self.upright(names[0])
        return f"np.column_stack([{', '.join(pieces)}])"

    def _some(self, names: tuple[str, ...], script: Script) -> str:
        if names == self.names:
            return self.matrix
        places = [self.names.index(name) for name in names]
        if len(literal(places)) <= MOST_PLACES:
            return f"{self.matrix}[:, {places}]"
        return f"{self.matrix}[:, {script.constant('PLACES', places, 'data', 'of the columns that are used')}]"


def write_dataset(script: Script, subject: Subject) -> None:
    """`load_data`: all rows of the dataset in their order, as the saved model takes them, and their target.

    A set that a plugin brings stands beside the script, and so does a series that was brought to even steps.
    """
    dataset, target = subject.spec.data.dataset, subject.target
    assert dataset is not None, "files are loaded by others"
    targets = () if target.kind == "input" else target.names
    wanted = Wanted(script, subject, subject.data.preprocessing.raw_columns, targets)
    source = _kept(wanted, dataset, "as a series of even steps") if subject.data.evened else _source(wanted, dataset)
    script.define("data", _function("load_data", "inputs and targets", wanted, dataset, source, ("data", "dataset")))


def write_unlabeled_dataset(script: Script, subject: Subject) -> None:
    """`load_unlabeled`: all rows of the dataset under `unlabeled`, features as `load_data` gives them."""
    unlabeled = subject.spec.data.unlabeled
    assert unlabeled is not None, "there is something unlabeled"
    assert unlabeled.dataset is not None, "files are loaded by others"
    wanted = Wanted(script, subject, tuple(column.name for column in subject.data.signature.features), ())
    source, place = _source(wanted, unlabeled.dataset), ("data", "unlabeled")
    script.define("data", _function("load_unlabeled", "inputs", wanted, unlabeled.dataset, source, place))


def _source(wanted: Wanted, dataset: Dataset) -> Source:
    if isinstance(dataset, Parcels | DigitPairs):
        return _kept(wanted, dataset, "since it has several arrays, or columns beside one,")
    if dataset.generated and type(dataset).__module__.startswith("dlspec.data.datasets."):
        return _generated(wanted, dataset)
    for kind, write in LOADERS.items():
        if isinstance(dataset, kind):
            return write(wanted, dataset)
    return _kept(wanted, dataset, "since a plugin brings it")


def _function(name: str, what: str, wanted: Wanted, dataset: Dataset, source: Source, path: tuple[str, ...]) -> str:
    """
    Args:
        what: it returns.
        path: to the dataset in the spec.
    """
    x, y = _inputs(wanted, source), _target(wanted, source)
    head, body = lines_of(f"def {name}():", _docstring(wanted.subject, dataset, what, path)), list(source.lines)
    if source.pair is not None:
        *names, both = source.pair
        if [x, y] == names:
            return lines_of(head, f"    return {both}")
        used = [own if re.search(rf"\b{own}\b", f"{x} {y}") else "_" for own in names]
        body.append(f"{', '.join(used)} = {both}")
    body += _return_of(wanted, x, y) if name == "load_data" else _return_of_one(body, x)
    return lines_of(head, [f"    {line}" for line in body])


def _return_of(wanted: Wanted, x: str, y: str) -> list[str]:
    """The last lines: what takes much room, or takes columns by their places, has a line of its own."""
    chosen = {"x": () if wanted.subject.is_typed else wanted.names, "y": wanted.targets}
    values, lines, long = {"x": x, "y": y}, [], len(x) + len(y) > WIDTH - 20
    for name, given in values.items():
        by_place = re.search(r"\[:, (\[?\d|PLACES)", given) and "\n" not in given
        if by_place or "\n" in given or (long and given != name):
            lines.append(_with_names(f"{name} = {given}", chosen[name] if by_place else ()))
            values[name] = name
    return [*lines, f"return {values['x']}, {values['y']}"]


def _return_of_one(body: list[str], x: str) -> list[str]:
    """The last line, in place of one that would give it a name first."""
    named = body.pop() if body and body[-1].startswith(f"{x} = ") else f"{x} = {x}"
    return [f"return {named.removeprefix(f'{x} = ')}"]


def _with_names(line: str, columns: Sequence[str]) -> str:
    """A statement that takes columns by their places, with their names behind it, or above it."""
    names = ", ".join(columns)
    if not names or len(names) > WIDTH - 10:
        return line
    return f"{line}  # {names}" if len(line) + len(names) + 8 <= WIDTH else f"# {names}\n    {line}"


def _docstring(subject: Subject, dataset: Dataset, what: str, path: tuple[str, ...]) -> list[str]:
    line = subject.line(*path)
    of = f" ({line} of the spec)" if line else ""
    rows = "timesteps" if subject.is_series else "samples"
    about = textwrap.wrap(dataset.describe().about, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return [f'    """All {rows}: {what}{of}.', "", *(f"    {each}" for each in about), '    """']


# --- x and y


def _inputs(wanted: Wanted, source: Source) -> str:
    """What the saved model takes, as source."""
    subject, names = wanted.subject, wanted.names
    steps = subject.data.preprocessing
    if not subject.is_typed:
        if len(names) == 1 and names[0] in source.columns and not subject.is_series:
            own = source.columns[names[0]]
            return own if subject.data.signature.features[0].shape else f"{own}[:, np.newaxis]"
        return source.beside(names, wanted.script)
    given_as = {
        given: (column.name, '.astype("int64")' if column.dtype == "int64" else "")
        for given, column in zip(steps.input_names, steps.columns, strict=True)
    }
    whole = [given for given, (name, cast) in given_as.items() if name == given and name in source.names and not cast]
    if len(given_as) > SPELT_OUT and tuple(given_as) == source.names and len(whole) == len(given_as):
        columns = wanted.script.constant("COLUMNS", list(source.names))
        return f"{{name: {source.matrix}[:, [i]] for i, name in enumerate({columns})}}"
    entries = [f"{literal(given)}: {source.upright(name)}{cast}" for given, (name, cast) in given_as.items()]
    line = f"{{{', '.join(entries)}}}"
    if len(line) < WIDTH - 20:
        return line
    return "{\n" + "".join(f"        {entry},\n" for entry in entries) + "    }"


def _target(wanted: Wanted, source: Source) -> str:
    """What is predicted, as source."""
    target = wanted.subject.target
    if not wanted.targets:
        return "None"
    if source.target is not None:
        return source.target
    if target.kind == "labels":
        return f'{source.beside([label.column for label in target.labels], wanted.script)}.astype("uint8")'
    if len(wanted.targets) > 1:
        return source.beside(wanted.targets, wanted.script)
    return source.of(wanted.targets[0])


# --- datasets


def _import(script: Script, name: str, how: str) -> None:
    script.imports[name] = how
    script.taken.add(name)


def _generated(wanted: Wanted, dataset: Any) -> Source:
    """A set whose samples are drawn: the function of its name, with its settings."""
    texts = [column.name for column in dataset.describe().columns if column.kind == "text"]
    for name in (*wanted.subject.data.preprocessing.raw_columns, *wanted.targets):
        if name in texts:
            raise NotWritten(f"the text `{name}` of `{dataset.type_name}`")
    generate = wanted.script.use("datasets", dataset.type_name, "data")
    seed = wanted.script.constant("SEED", wanted.subject.spec.seed)
    given = call(generate, **dataset.arguments(), seed=seed)
    columns = [column for column in dataset.describe().columns if column.name not in texts]
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


def _digits(wanted: Wanted, dataset: Digits) -> Source:
    _import(wanted.script, "datasets", "from sklearn import datasets")
    lines = ("digits = datasets.load_digits()",)
    found = {"image": "digits.images", "digit": "digits.target"}
    return Source(lines, found, classes={"digit": dataset.describe().columns[1].classes})


def _scikit_learn(wanted: Wanted, dataset: Dataset) -> Source:
    _import(wanted.script, "datasets", "from sklearn import datasets")
    name = dataset.type_name
    *features, target = dataset.describe().columns
    short = name.split("_")[-1]
    lines = (f"{short} = datasets.load_{name}()",)
    names = tuple(column.name for column in features)
    classes = {target.name: target.classes} if target.classes else {}
    return Source(lines, {target.name: f"{short}.target"}, f"{short}.data", names, classes=classes)


def _goog(wanted: Wanted, dataset: Goog) -> Source:
    _import(wanted.script, "cbook", "from matplotlib import cbook")
    lines = ['with cbook.get_sample_data("goog.npz") as file:', '    table = file["price_data"]']
    script, raw, targets = wanted.script, list(wanted.names), list(wanted.targets)
    features = script.constant("COLUMNS" if len(raw) > len(wanted.subject.data.signature.features) else "FEATURES", raw)
    lines.append(f'x = np.stack([table[name].astype("float64") for name in {features}], axis=1)')
    if not targets:
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


def _pictures(wanted: Wanted, dataset: KerasPictures) -> Source:
    _, target = dataset.describe().columns
    given = f'label_mode="{dataset.labels}"' if isinstance(dataset, Cifar100) else ""
    first, second = ("y_train", "y_test") if wanted.targets else ("_", "_")
    lines = [f"(x_train, {first}), (x_test, {second}) = keras.datasets.{dataset.type_name}.load_data({given})"]
    labels = 'np.concatenate([y_train, y_test]).astype("int64")'
    if len(dataset.shape) == 3:  # labels of coloured pictures are (samples, 1)
        labels = 'np.concatenate([y_train, y_test])[:, 0].astype("int64")'
    found = {"image": "np.concatenate([x_train, x_test])", target.name: labels}
    return Source(tuple(lines), found, classes={target.name: target.classes})


def _california(wanted: Wanted, dataset: CaliforniaHousing) -> Source:
    kept, sha256 = wanted.script.use("datasets", "kept_by_keras", "data"), wanted.script.constant("SHA256", CALIFORNIA)
    lines = (
        "# the file itself: `keras.datasets.california_housing.load_data` shuffles its rows",
        f'with np.load({kept}("california_housing.npz", {sha256})) as file:',
        '    blocks = file["x"]',
        *(['    price = file["y"]'] if wanted.uses("price") else []),
    )
    names = tuple(column.name for column in dataset.describe().columns[:-1])
    return Source(lines, {"price": "price"}, "blocks", names)


def _imdb(wanted: Wanted, dataset: Imdb) -> Source:
    kept, as_texts = (wanted.script.use("datasets", name, "data") for name in ("kept_by_keras", "as_texts"))
    sha256 = wanted.script.constant("SHA256", IMDB)
    labels = 'np.concatenate([file["y_train"], file["y_test"]]).astype("int64")'
    lines = (
        "# the file itself: `keras.datasets.imdb.load_data` shuffles its rows",
        f'with np.load({kept}("imdb.npz", {sha256}), allow_pickle=True) as file:',
        '    numbered = np.concatenate([file["x_train"], file["x_test"]])',
        *([f"    sentiment = {labels}"] if wanted.uses("sentiment") else []),
        f"texts = {as_texts}(numbered, keras.datasets.imdb.get_word_index())",
    )
    return Source(lines, {"text": "texts", "sentiment": "sentiment"}, classes={"sentiment": dataset.classes})


def _reuters(wanted: Wanted, dataset: Reuters) -> Source:
    as_texts, topic = wanted.script.use("datasets", "as_texts", "data"), "topic" if wanted.uses("topic") else "_"
    lines = (
        "reuters = keras.datasets.reuters",
        f"(numbered, {topic}), _ = reuters.load_data(num_words=10**6, test_split=0, start_char=None, index_from=0)",
        f"texts = {as_texts}(numbered, reuters.get_word_index())",
    )
    found = {"text": "texts", "topic": 'topic.astype("int64")'}
    return Source(lines, found, classes={"topic": dataset.classes})


def _kept(wanted: Wanted, dataset: Dataset, why: str) -> Source:
    """A set that the script cannot load: what is used of it stands beside it."""
    script, subject = wanted.script, wanted.subject
    data, section = subject.data, subject.spec.data
    columns = data.columns if data.evened else dataset.load(subject.spec.seed)
    kinds = {column.name: kind.raw for column, kind in zip(data.signature.features, data.signature.types, strict=False)}
    lines, found = (f"# {why} it stands beside this script",), {}
    for name in wanted.names:
        kind = kinds.get(name, "number")
        values, words = READERS[kind](name, columns[name], holes=True), kind in ("word", "text")
        kept = script.keep_array(name, values.astype(str) if words else values)
        found[name] = f"{kept}.astype(object)" if words else str(kept)
    if not wanted.targets:
        return Source(lines, found)
    target, names = subject.target, subject.target.names
    if target.kind == "class":
        truth = classes_of(section, data.signature, columns)
    elif target.kind == "labels":
        truth, _ = labels_of(section, data.signature, columns)
    else:
        numbers = [to_numbers(name, columns[name], holes=True) for name in names]
        truth = numbers[0] if len(numbers) == 1 else np.stack(numbers, axis=1)
    return Source(lines, found, target=str(script.keep_array(f"target {', '.join(names)}", truth)))


LOADERS: dict[type, Callable[[Wanted, Any], Source]] = {
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
