"""How a model was compiled, as the section `train`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.language.registry import Registry, snake_case
from dlspec.model.from_keras.words import NoWord, part_of_layer, plain
from dlspec.training.losses import LOSSES
from dlspec.training.optimizers import OPTIMIZERS


def train_section(compiled: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`loss` and `optimizer` as plain values, and remarks on what there are no words for."""
    found: dict[str, Any] = {}
    remarks: list[str] = []
    for key, registry in (("loss", LOSSES), ("optimizer", OPTIMIZERS)):
        given = compiled.get(key)
        if given is None:
            continue
        try:
            value = _read(given, registry)
        except (NoWord, ValueError) as reason:
            remarks.append(f"its {key} has no word here: {str(reason).splitlines()[0]}")
            continue
        if value != "adam":  # which is the default
            found[key] = value
    return found, tuple(remarks)


def _read(given: Any, registry: Registry[Any]) -> Any:
    """A loss or an optimizer, as one writes it.

    Raises:
        NoWord: there is no word for it.
    """
    if isinstance(given, str):
        name = snake_case(given)
        name = {"mean_squared_error": "mse", "mean_absolute_error": "mae"}.get(name, name)
        kind = next((kind for kind in registry.load_all().values() if _called(kind, name)), None)
        if kind is None:
            raise NoWord(f"`{given}`")
        return kind.type_name
    if not isinstance(given, Mapping) or not isinstance(given.get("config"), Mapping):
        raise NoWord("there are several, or it is code of its own")
    name, config = given["class_name"], dict(given["config"])
    kind = next((each for each in registry.load_all().values() if name in (each.keras_name, each.__name__)), None)
    if kind is None:
        raise NoWord(f"`{name}`")
    if config.get("from_logits"):
        said = f"`{kind.type_name}` with `from_logits`; here an output gives probabilities, by `activation: softmax`"
        raise NoWord(f"{said} in the last layer")
    kept = {key: _rounded(value) for key, value in config.items() if key in kind.model_fields and key != "name"}
    return plain(part_of_layer(kind, registry, kept, "float32").brief())


def _called(kind: Any, name: str) -> bool:
    return name in (kind.type_name, snake_case(kind.keras_name or kind.__name__), *kind.also)


def _rounded(value: Any) -> Any:
    """`0.001` for what float32 has of it."""
    return float(f"{value:.7g}") if isinstance(value, float) else value
