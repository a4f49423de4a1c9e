"""What a layer is called with, so far as a spec says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.model.from_keras.network import Arguments, Ref
from dlspec.model.from_keras.words import NoWord
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.attention import Attending
from dlspec.model.layers.regularization import Regularizing


def differs_in_training(layer: LayerSpec) -> bool:
    """Whether a layer does something else in training than in use."""
    drops = any(getattr(layer, key, 0) for key in ("dropout", "recurrent_dropout"))
    inner = getattr(layer, "layer", None)
    named = layer.type_name in ("batch_normalization", "spectral_normalization")
    return (
        isinstance(layer, Regularizing)
        or named
        or drops
        or (isinstance(inner, LayerSpec) and differs_in_training(inner))
    )


def called_with(layer: LayerSpec, arguments: Arguments) -> tuple[LayerSpec, list[int]]:
    """The layer with what it is called with beside its inputs, and its inputs.

    Raises:
        NoWord: the call says what a spec does not.
    """
    kwargs = {key: value for key, value in arguments.kwargs.items() if value is not None and key != "training"}
    first = [*arguments.positional]
    for key in ("inputs", "sequence", "sequences", "query", "value", "key"):
        if key in kwargs and _is_tensors(kwargs[key]):
            first.append(kwargs.pop(key))
    if isinstance(layer, Attending):
        if kwargs.pop("use_causal_mask", False):
            layer = layer.model_copy(update={"use_causal_mask": True})
        kwargs = {key: value for key, value in kwargs.items() if value is not False}
    if kwargs:
        raise NoWord(f"it is called with `{next(iter(kwargs))}`, which a spec cannot say")
    refs = [ref for each in first for ref in (each if isinstance(each, list) else [each])]
    refs = [ref for ref in refs if ref is not None]
    if not all(isinstance(ref, Ref) for ref in refs):
        raise NoWord("it is called with a value that is no tensor")
    if isinstance(layer, Attending):
        numbers = [ref.number for ref in refs]
        if len(numbers) == 3 and numbers[1] == numbers[2]:
            numbers = numbers[:2]
        return layer, numbers[:1] if len(set(numbers)) == 1 else numbers
    several = isinstance(first[0], list) if first else False
    if len(first) > 1 or (several and len(refs) > 1 and layer.takes[1] == 1):
        raise NoWord("it takes several tensors, such as the states to begin with, and a spec gives it one")
    if layer.takes[0] > len(refs):
        if len(refs) == 1:
            raise NoWord("it merges a single input")
        raise NoWord("it takes nothing")
    return layer, [ref.number for ref in refs]


def _is_tensors(value: Any) -> bool:
    return isinstance(value, Ref) or (isinstance(value, list) and all(isinstance(each, Ref) for each in value))


def without_states(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recurrent layer that also returns its states, which nobody takes: whoever does is named where it stands."""
    if not entry["config"].get("return_state"):
        return entry
    return {**entry, "config": {**entry["config"], "return_state": False}}


def rank_of(entry: Mapping[str, Any]) -> int | None:
    shape = (entry.get("build_config") or {}).get("input_shape")
    if not isinstance(shape, list) or not shape:
        return None
    return len(shape[0]) if isinstance(shape[0], list) else len(shape)
