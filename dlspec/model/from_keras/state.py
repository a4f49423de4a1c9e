"""What layers learned of data by `adapt`, as the arguments that a spec says it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlspec.model.from_keras.words import NoWord
from dlspec.model.layers import LayerSpec
from dlspec.model.unfolding.parts import LearnedNormalization

Live = Callable[[tuple[str, ...]], Any]
"""The layer of a model at a place."""

TEXT = ("StringLookup", "TextVectorization")
"""Classes whose vocabulary is words."""
LEARNED = {
    "Normalization": ("mean", "variance"),
    "Discretization": ("bin_boundaries",),
    "StringLookup": ("vocabulary",),
    "IntegerLookup": ("vocabulary",),
    "TextVectorization": ("vocabulary",),
}
"""Class -> the arguments that say what it learned."""


def IN_WEIGHTS(place: tuple[str, ...]) -> Any:
    """Stands for the layers of a model that is not there: what they learned are weights, which come later."""
    raise LookupError(place)


def before_state(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The layer with something in place of what it learned, so that the rest can be read before anything is built."""
    stand_ins = {
        "mean": 0.0,
        "variance": 1.0,
        "bin_boundaries": [0.0],
        "vocabulary": ["a"] if entry["class_name"] in TEXT else [1],
    }
    absent = [key for key in LEARNED.get(entry["class_name"], ()) if entry["config"].get(key) is None]
    if not absent:
        return entry
    return {**entry, "config": {**entry["config"], **{key: stand_ins[key] for key in absent}}}


def with_state(layer: LayerSpec, entry: Mapping[str, Any], place: tuple[str, ...], live: Live | None) -> LayerSpec:
    """The layer with what it learned, which the model itself knows.

    Raises:
        NoWord: it learned nothing yet.
    """
    absent = [key for key in LEARNED.get(entry["class_name"], ()) if entry["config"].get(key) is None]
    if not absent or live is None:
        return layer
    if live is IN_WEIGHTS:
        if entry["class_name"] != "Normalization" or getattr(layer, "axis", None) != -1:
            raise NoWord("what it learned by `adapt` is known only to the model itself; give it as arguments")
        return LearnedNormalization(invert=bool(entry["config"].get("invert")))
    return type(layer).model_validate({**_given(layer), **_learned(entry["class_name"], live(place))})


def _given(layer: LayerSpec) -> dict[str, Any]:
    return {key: getattr(layer, key) for key in layer.model_fields_set}


def _learned(name: str, built: Any) -> dict[str, Any]:
    import numpy as np

    if name == "Normalization":
        if built.adapt_mean is None:
            raise NoWord("it is not built yet")
        mean, variance = (np.asarray(value).ravel() for value in (built.adapt_mean, built.adapt_variance))
        same = np.ptp(mean) == np.ptp(variance) == 0
        return {
            "mean": float(mean[0]) if same else [float(value) for value in mean],
            "variance": float(variance[0]) if same else [float(value) for value in variance],
        }
    if name == "Discretization":
        boundaries = [float(value) for value in np.asarray(built.bin_boundaries).ravel()]
        if not boundaries:
            raise NoWord("it has no `bin_boundaries`; call its `adapt` first")
        return {"bin_boundaries": boundaries}
    words = [
        word.item() if hasattr(word, "item") else word for word in built.get_vocabulary(include_special_tokens=False)
    ]
    if not words:
        raise NoWord("it has no vocabulary; call its `adapt` first")
    return {"vocabulary": words}
