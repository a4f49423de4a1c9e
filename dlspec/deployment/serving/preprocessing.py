"""Raw columns -> what a network takes, and what it puts out -> the target's own units, as `preprocessing.json` says it.

The file stands for itself: it needs Python 3.10 and NumPy, and comes along with what dlspec exports.

    from preprocessing import Preprocessing

    steps = Preprocessing.read("preprocessing.json")
    values = steps.before({"age": [[31.0], [64.0]], "ward": [["west"], [""]]})   # a list of arrays for the network
    outputs = [...]                                                              # of the network, a list of arrays
    (predicted,) = steps.after(outputs, values.kept)

`preprocessing.json` lists steps in their order. A step has a name, an operation `op`, what it is computed of (`of`: the
names of inputs and of earlier steps, or values), the `dtype` of its result, and what else the operation needs.
"""

from __future__ import annotations

import json
import string
from collections import Counter
from typing import Any

import numpy as np

PUNCTUATION = string.punctuation.encode()


def words_of(text: str) -> list[bytes]:
    """The words of a text in UTF-8: A to Z made small, without the punctuation of ASCII, cut at its spaces."""
    return str(text).encode("utf-8", "replace").lower().translate(None, PUNCTUATION).split()


def characters_of(text: str) -> list[bytes]:
    """The characters of a text in UTF-8, as they stand there."""
    return [sign.encode("utf-8", "replace") for sign in str(text)]


def spaced_of(text: str) -> list[bytes]:
    """What stands between the spaces of ASCII in a text, in UTF-8."""
    return str(text).encode("utf-8", "replace").split()


TOKENS = {"words": words_of, "characters": characters_of, "spaced": spaced_of}


def _lookup(step: dict, words: np.ndarray) -> np.ndarray:
    places = step.setdefault("_places", {word: number for number, word in enumerate(step["words"], step["first"])})
    if step["blank"] is not None:
        places.setdefault("", step["blank"])
    return np.array([places.get(str(word), step["unknown"]) for word in words.ravel()], "int64").reshape(words.shape)


def _one_hot(step: dict, numbers: np.ndarray) -> np.ndarray:
    return np.asarray(numbers.reshape(len(numbers), 1) == np.arange(step["depth"]), step["dtype"])


def _sequence(step: dict, texts: np.ndarray) -> np.ndarray:
    known = step.setdefault("_places", {word.encode(): number for number, word in enumerate(step["words"], 2)})
    found = np.zeros((len(texts), step["length"]), step["dtype"])
    tokens_of = TOKENS[step.get("unit", "words")]
    for row, text in enumerate(texts.ravel()):
        words = tokens_of(text)[: step["length"]]
        found[row, : len(words)] = [known.get(word, 1) for word in words]
    return found


def _bag(step: dict, texts: np.ndarray) -> np.ndarray:
    known = step.setdefault("_places", {word.encode(): place for place, word in enumerate(step["words"], 1)})
    found = np.zeros((len(texts), 1 + len(step["words"])), step["dtype"])  # the first is for unknown words
    for row, text in enumerate(texts.ravel()):
        words = words_of(text)
        runs = (
            b" ".join(run)
            for size in range(1, step["ngrams"] + 1)
            for run in zip(*(words[i:] for i in range(size)), strict=False)
        )
        for word, times in Counter(runs).items():
            if word in known:
                found[row, known[word]] = times if step["weights"] is not None else 1
    return found if not step["weights"] else found * np.array([0, *step["weights"]], found.dtype)


OPERATIONS: dict[str, Any] = {
    "add": lambda step, a, b: a + b,
    "subtract": lambda step, a, b: a - b,
    "multiply": lambda step, a, b: a * b,
    "divide": lambda step, a, b: a / b,
    "greater_equal": lambda step, a, b: a >= b,
    "less": lambda step, a, b: a < b,
    "and": lambda step, a, b: a & b,
    "where": lambda step, condition, a, b: np.asarray(np.where(condition, a, b), step["dtype"]),
    "isnan": lambda step, a: np.isnan(a),
    "floor": lambda step, a: np.floor(a),
    "sin": lambda step, a: np.sin(a),
    "cos": lambda step, a: np.cos(a),
    "log": lambda step, a: np.log(a),
    "exp": lambda step, a: np.exp(a),
    "cast": lambda step, a: a.astype(step["dtype"]),
    "zeros_like": lambda step, a: np.zeros_like(a),
    "concatenate": lambda step, *parts: np.concatenate(parts, axis=step["axis"]),
    "slice": lambda step, a: a[(slice(None),) * (step["axis"] % a.ndim) + (slice(step["start"], step["stop"]),)],
    "take": lambda step, a: np.take(a, step["indices"], axis=step["axis"]),
    "reshape": lambda step, a: a.reshape(step["into"]),
    "max": lambda step, a: a.max(axis=step["axis"], keepdims=True),
    "lookup": _lookup,
    "one_hot": _one_hot,
    "sequence": _sequence,
    "bag": _bag,
}


class Values(list):
    """What the network takes: arrays, in the order of its inputs.

    Attributes:
        kept: all values by name, of which `after` may need some.
    """

    def __init__(self, arrays: list[np.ndarray], kept: dict[str, np.ndarray]) -> None:
        super().__init__(arrays)
        self.kept = kept


class Preprocessing:
    """The steps before and after a network.

    Attributes:
        inputs: name, dtype and shape, without the batch, of each raw input.
    """

    def __init__(self, record: dict) -> None:
        self.inputs = record["inputs"]
        self._before, self._after = record["before"], record["after"]
        self._taken, self._given, self._results = record["network_takes"], record["network_gives"], record["outputs"]

    @classmethod
    def read(cls, file: str) -> Preprocessing:
        """Of a `preprocessing.json`."""
        with open(file, encoding="utf-8") as opened:
            return cls(json.load(opened))

    def before(self, raw: dict) -> Values:
        """What the network takes of raw columns, arrays (rows, ...) by the names of the inputs.

        Raises:
            ValueError: a value is missing, NaN or an empty text, in a column that had all of them in training.
        """
        kept = {}
        for given in self.inputs:
            values = np.asarray(raw[given["name"]], object if given["dtype"] == "string" else given["dtype"])
            kept[given["name"]] = values.reshape(len(values), *given["shape"])
            if not given.get("may_be_missing", True):
                _check_there(given["name"], kept[given["name"]])
        _run(self._before, kept)
        return Values([kept[name] for name in self._taken], kept)

    def after(self, outputs: list[np.ndarray], kept: dict[str, np.ndarray]) -> list[np.ndarray]:
        """What the network puts out, in the target's own units."""
        kept = {**kept, **dict(zip(self._given, outputs, strict=True))}
        _run(self._after, kept)
        return [kept[name] for name in self._results]


def _check_there(name: str, values: np.ndarray) -> None:
    missing = values == "" if values.dtype == object else np.isnan(values)
    if missing.any():
        row = int(np.argwhere(missing)[0][0])
        raise ValueError(f"`{name}` lacks a value in row {row + 1}, which it never did in training")


def _run(steps: list[dict], kept: dict[str, np.ndarray]) -> None:
    with np.errstate(all="ignore"):  # a missing value goes on as NaN
        for step in steps:
            values = [kept[each] if isinstance(each, str) else _constant(each) for each in step["of"]]
            kept[step["name"]] = OPERATIONS[step["op"]](step, *values)


def _constant(value: float | dict) -> Any:
    if not isinstance(value, dict):
        return value
    if "_array" not in value:
        value["_array"] = np.array(value["values"], value["dtype"])
    return value["_array"]
