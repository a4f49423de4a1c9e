"""Texts that the saved model of a run writes: text in, text out, an item at a time. All answers are its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.data.features.shifted import END, UNKNOWN_CLASS
from dlspec.data.features.text import AS_THEY_ARE, PADDING, UNKNOWN, split_tokens
from dlspec.data.signature import Target
from dlspec.data.written import joined_items
from dlspec.evaluation.aligned import read
from dlspec.evaluation.sequences import NOWHERE, alone, both, write
from dlspec.training.values import predict

Array = np.ndarray

BY_DEFAULT = {"standardize": "lower_and_strip_punctuation", "split": "whitespace"}
"""How Keras's `TextVectorization` cuts texts unless it is told otherwise."""


def text_of(classes: Array, target: Any) -> str:
    """A text out of the classes of its items.

    Args:
        classes: (places,), with or without the end.
        target: with the classes and how texts are written, as `Target` or its record.
    """
    shown = [
        "\ufffd" if each == UNKNOWN_CLASS else target.items[each - END - 1]
        for each in classes
        if each not in (END, NOWHERE)
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


def judged_by_model(model: Any, raw: Any, target: Target, truth: Array) -> Array:
    """As `sequences.predicted` of a saved model, (samples, places, 2).

    Args:
        raw: what it takes of samples, the true texts among it where they are fed back.
        truth: classes, (samples, places).
    """
    if target.aligned:
        return alone(read(predict(model, raw), target))
    return both(write_by_model(model, raw, target), predict(model, dict(raw)), truth)


class SourcesSeen:
    """Counts what a saved model does not see of the texts of which it writes others.

    Args:
        model: the saved model, in which a layer numbers the words of each text.
        fed: the input that takes what was written so far, of which nothing is counted; empty: nothing is fed back.
    """

    def __init__(self, model: Any, fed: str) -> None:
        import keras

        made = [layer for layer in model.layers if isinstance(layer, keras.layers.TextVectorization)]
        numbering = [layer for layer in made if layer.get_config()["output_mode"] == "int"]  # no bags of words
        by_input = {layer.input._keras_history.operation.name: layer for layer in numbering}
        self.layers = {name: layer for name, layer in by_input.items() if name != fed}
        self.words, self.unknown, self.cut = Counter[str](), Counter[str](), Counter[str]()

    def count(self, raw: Mapping[str, Array]) -> None:
        """Adds samples; raw: as `write_by_model` takes them."""
        for name, layer in self.layers.items():
            numbers, longer = np.asarray(layer(raw[name])), self._longer(layer, raw[name])
            self.words[name] += int((numbers != PADDING).sum())
            self.unknown[name] += int((numbers == UNKNOWN).sum())
            self.cut[name] += int(longer.sum())

    def _longer(self, layer: Any, texts: Array) -> Array:
        """Which of the texts, (samples, 1), have more than the layer takes."""
        ways = {"standardize": layer.get_config()["standardize"], "split": layer.get_config()["split"]}
        unit = next(unit for unit, own in AS_THEY_ARE.items() if ways == {**BY_DEFAULT, **own})
        length = layer.get_config()["output_sequence_length"]
        return np.array([len(split_tokens(str(text), unit)) > length for (text,) in texts], bool)

    def notes(self) -> list[str]:
        """What a reader of what was written should know."""
        found = []
        for name in self.layers:
            if self.unknown[name]:
                many = f"{self.unknown[name]:,} of {self.words[name]:,} words or characters"
                found.append(f"{many} in `{name}` are none of those that the network tells apart")
            if self.cut[name]:
                texts = f"{self.cut[name]:,} text{'s are' if self.cut[name] > 1 else ' is'} longer"
                found.append(f"{texts} in `{name}` than what the network sees: it does not see the end")
        return found


def fed_input(target: Any) -> str:
    """The input of the saved model that takes what was written so far; empty: nothing is fed back."""
    return str(target.written.fed or "").replace("/", "_")
