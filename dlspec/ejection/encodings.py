"""Columns with types as the network sees them: a call for each, with what was fitted to the training part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlspec.data.features import Affine, Fitted
from dlspec.data.features.boolean import FittedTruth
from dlspec.data.features.category import FittedCodes, FittedWords
from dlspec.data.features.numeric import FittedBins, FittedNumber
from dlspec.data.features.text import FittedBag, FittedSequence
from dlspec.data.features.time import FittedTime
from dlspec.ejection.python import Call, Code
from dlspec.ejection.script import Script

SECTION = "preprocessing"
MODES = {"binary": "multi_hot", "count": "count", "tf_idf": "tf_idf"}


def encoding_of(script: Script, x: Code, name: str, column: Fitted) -> Call:
    """The call that makes of a column what the network sees.

    Args:
        x: the column, as source.
        name: under which its values are kept.
    """
    function, args, keywords = _WRITERS[type(column)](script, name, column)
    return Call(str(script.use("encoding", function, SECTION)), (x, *args), keywords)


def _number(script: Script, name: str, column: FittedNumber) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    fitted = {**_scale(column.affine), **({} if column.fill is None else {"fill": column.fill})}
    args = (_spread(script, name, fitted),) if fitted else ()
    return "encode_number", args, {"indicator": True} if column.indicator else {}


def _bins(script: Script, name: str, column: FittedBins) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    fitted = {"edges": list(column.edges), **({} if column.fill is None else {"fill": column.fill})}
    return "encode_bins", (_spread(script, name, fitted),), {"indicator": True} if column.indicator else {}


def _category(script: Script, name: str, column: FittedWords) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return "encode_category", (_kept(script, name, list(column.vocabulary)),), {}


def _codes(script: Script, name: str, column: FittedCodes) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return "encode_code", (_kept(script, name, list(column.vocabulary)),), {}


def _truth(script: Script, name: str, column: FittedTruth) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    return "encode_truth", (_kept(script, name, list(column.yes)),), {}


def _bag(script: Script, name: str, column: FittedBag) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    keywords: dict[str, Any] = {"ngrams": column.ngrams} if column.ngrams > 1 else {}
    if column.weights != "binary":
        keywords["mode"] = MODES[column.weights]
    if column.weights != "tf_idf":
        return "encode_words", (_kept(script, name, list(column.vocabulary)),), keywords
    fitted = {"vocabulary": list(column.vocabulary), "idf": list(column.telling)}
    return "encode_words", (_spread(script, name, fitted),), keywords


def _sequence(script: Script, name: str, column: FittedSequence) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    of = {} if column.unit == "words" else {"unit": column.unit}
    return "encode_sequence", (_kept(script, name, list(column.vocabulary)),), {"length": column.length, **of}


def _time(script: Script, name: str, column: FittedTime) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    years = _scale(column.years) if "year" in column.parts else {}
    args = (list(column.parts), _spread(script, name, years)) if years else (list(column.parts),)
    return "encode_time", args, {}


_WRITERS: dict[type, Callable[[Script, str, Any], tuple[str, tuple[Any, ...], dict[str, Any]]]] = {
    FittedNumber: _number,
    FittedBins: _bins,
    FittedWords: _category,
    FittedCodes: _codes,
    FittedTruth: _truth,
    FittedBag: _bag,
    FittedSequence: _sequence,
    FittedTime: _time,
}


def _scale(affine: Affine) -> dict[str, float]:
    """Center and scale of a single number; nothing where it stays as it is."""
    scale, offset = float(np.ravel(affine.scale)[0]), float(np.ravel(affine.offset)[0])
    return {} if (scale, offset) == (1.0, 0.0) else {"center": -offset / scale + 0.0, "scale": 1 / scale}


def _kept(script: Script, name: str, value: Any) -> Code:
    return script.keep(_free(script, name), value)


def _spread(script: Script, name: str, fitted: dict[str, Any]) -> Code:
    """Several values by their names, as keywords of a call."""
    return Code(f"**{_kept(script, name, fitted)}")


def _free(script: Script, name: str) -> str:
    """A name under which nothing is kept: a column may be called `target`."""
    while name in script.fitted:
        name = f"{name}_"
    return name
