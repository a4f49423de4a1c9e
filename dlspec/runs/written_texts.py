"""Texts that the saved model of a run writes: text in, text out, an item at a time. All answers are its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.data.features.shifted import END, UNKNOWN_CLASS
from dlspec.data.signature import Target
from dlspec.data.written import joined_items
from dlspec.evaluation.sequences import NOWHERE, both, write
from dlspec.training.values import predict

Array = np.ndarray


def text_of(classes: Array, target: Any) -> str:
    """A text out of the classes of its items.

    Args:
        classes: (places,), with or without the end.
        target: with the classes and how texts are written, as `Target` or its record.
    """
    shown = [
        "\ufffd" if each == UNKNOWN_CLASS else target.classes[each] for each in classes if each not in (END, NOWHERE)
    ]
    return joined_items(shown, target.written.unit)


def texts_of(classes: Array, target: Any) -> Array:
    """Texts out of classes, (texts, places) -> (texts,)."""
    found = np.empty(len(classes), object)
    found[:] = [text_of(each, target) for each in classes]
    return found


def write_by_model(model: Any, raw: Mapping[str, Array], target: Target) -> Array:
    """What a saved model writes, classes (samples, places).

    Args:
        raw: what it takes of samples, (samples, 1) by input; what is fed back is not looked at.
    """
    assert target.written is not None, "texts are written"
    fed = fed_input(target)
    others = {name: values for name, values in raw.items() if name != fed}
    count = len(next(iter(others.values())))

    def step(samples: Array, before: Array) -> Array:
        given = {name: values[samples] for name, values in others.items()}
        return np.asarray(predict(model, {**given, fed: texts_of(before, target)[:, None]})[:, before.shape[1]])

    return write(step, count, target)


def judged_by_model(model: Any, raw: Mapping[str, Array], target: Target, truth: Array) -> Array:
    """As `sequences.predicted` of a saved model.

    Args:
        raw: what it takes of samples, the true texts among it.
        truth: classes, (samples, places).
    """
    return both(write_by_model(model, raw, target), predict(model, dict(raw)), truth)


def fed_input(target: Any) -> str:
    """The input of the saved model that takes what was written so far."""
    return str(target.written.fed).replace("/", "_")
