"""What a configuration says of the inputs and outputs of a model, and of all its layers together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlspec.model.from_keras.network import Given
from dlspec.model.from_keras.words import NoWord, policy_of

MODELS = ("Functional", "Sequential", "Model")


def leaves(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every layer in a model, those of models inside it included."""
    for entry in config["config"].get("layers", []) if isinstance(config.get("config"), dict) else []:
        if entry["class_name"] in MODELS:
            yield from leaves(entry)
        else:
            yield entry


def most_used_policy(entries: list[Mapping[str, Any]]) -> str:
    """The policy that `runtime: {precision: …}` can say once for all."""
    counts: dict[str, int] = {}
    for entry in entries:
        try:
            name = policy_of(entry["config"]) if entry.get("module") == "keras.layers" else "float32"
        except NoWord:
            continue
        if name in ("mixed_float16", "mixed_bfloat16"):
            counts[name] = counts.get(name, 0) + 1
    name = max(counts, key=lambda name: counts[name], default="float32")
    return name if counts.get(name, 0) * 2 > len(entries) else "float32"


def inputs_of(config: Mapping[str, Any]) -> list[Given]:
    layers = {entry["config"]["name"]: entry for entry in config["config"]["layers"]}
    if config["class_name"] == "Sequential":
        first = config["config"]["layers"][0] if config["config"]["layers"] else None
        if first is not None and first["class_name"] == "InputLayer":
            return [_given(first)]
        shape = config["config"].get("build_input_shape")
        if not isinstance(shape, list):
            raise NoWord("it does not say what it takes; build it first, as with `model.build((None, 8))`")
        return [Given("input", tuple(shape), "float32")]
    return [_given(layers[name]) for name, _, _ in histories(config["config"]["input_layers"])]


def _given(entry: Mapping[str, Any]) -> Given:
    config = entry["config"]
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if config.get("sparse") or config.get("ragged"):
        raise NoWord("its input is sparse or ragged, and a network of a spec takes plain arrays")
    if config.get("optional"):
        raise NoWord("its input may be left out, and a network of a spec takes all of them")
    if not isinstance(shape, list):
        raise NoWord("its input has no shape")
    return Given(config["name"], (None, *shape[1:]), str(config.get("dtype") or "float32"))


def histories(found: Any) -> list[tuple[str, int, int]]:
    """`[name, node, output]` of each input or output, in Keras's order: of a mapping, by its keys."""
    if isinstance(found, list) and len(found) == 3 and isinstance(found[0], str) and isinstance(found[1], int):
        return [(found[0], found[1], found[2])]
    if isinstance(found, dict):
        return [each for key in sorted(found) for each in histories(found[key])]
    return [each for part in found for each in histories(part)]


def names_of_outputs(config: Mapping[str, Any], count: int) -> list[str]:
    if config["class_name"] == "Sequential":
        return [config["config"]["layers"][-1]["config"]["name"]]
    found = config["config"]["output_layers"]
    names = sorted(found) if isinstance(found, dict) else [name for name, _, _ in histories(found)]
    return [name if names.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(names, 1)][:count]
