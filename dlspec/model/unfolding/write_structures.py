"""Writes `structures/`: the networks of `keras.applications` without their heads, as this release of Keras makes them.

`python -m dlspec.model.unfolding.write_structures [NAME …]` writes them anew. No weights are fetched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from dlspec.model.from_keras.calls import take_apart
from dlspec.model.from_keras.names import plain_name
from dlspec.model.from_keras.state import IN_WEIGHTS
from dlspec.model.from_keras.words import arguments_of, as_written
from dlspec.model.layers import LayerSpec
from dlspec.model.unfolding.catalogue import APPLICATIONS, STRUCTURES, Listed, variants
from dlspec.model.unfolding.folding import folded_rows
from dlspec.model.unfolding.parts import LearnedNormalization
from dlspec.model.unfolding.rows import Plain

WIDTH = 118
"""Characters in a line, unless a single value has more."""
SIDES = (128, 160, 192, 224)
"""Sides of pictures for which MobileNet and MobileNetV2 have weights."""
SMALLEST = 32
"""The height and width that a picture has at least, where a network says none: the third MobileNets."""


@contextmanager
def watched() -> Iterator[dict[str, Any]]:
    """What a function of `keras.applications` asks for while it makes a network: paddings that depend on the size of
    pictures, the smallest size, and files of weights, none of which is fetched."""
    import keras
    from keras.src.applications import imagenet_utils
    from keras.src.utils import file_utils

    seen: dict[str, Any] = {"paddings": {}, "smallest": SMALLEST, "file": None}
    waiting: list[int] = []
    pad, get, load = imagenet_utils.correct_pad, file_utils.get_file, keras.Model.load_weights
    made, shape_of = keras.layers.ZeroPadding2D.__init__, imagenet_utils.obtain_input_shape

    def correct_pad(inputs: Any, kernel_size: Any) -> Any:
        waiting.append(kernel_size if isinstance(kernel_size, int) else kernel_size[0])  # all are square
        return pad(inputs, kernel_size)

    def zero_padding(self: Any, *given: Any, **more: Any) -> None:
        made(self, *given, **more)
        if waiting:
            seen["paddings"][self.name] = waiting.pop()

    def input_shape(*given: Any, min_size: int, **more: Any) -> Any:
        seen["smallest"] = min_size
        return shape_of(*given, min_size=min_size, **more)

    def get_file(name: str, origin: str | None = None, **more: Any) -> str:
        seen["file"] = [name, origin, more.get("file_hash")]
        return name

    imagenet_utils.correct_pad, file_utils.get_file = correct_pad, get_file
    imagenet_utils.obtain_input_shape = input_shape
    keras.layers.ZeroPadding2D.__init__ = zero_padding
    keras.Model.load_weights = lambda *given, **more: None
    try:
        yield seen
    finally:
        imagenet_utils.correct_pad, file_utils.get_file = pad, get
        imagenet_utils.obtain_input_shape = shape_of
        keras.layers.ZeroPadding2D.__init__ = made
        keras.Model.load_weights = load


def structure_of(listed: Listed, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A network as plain values: see `catalogue.read`."""
    import keras

    make = getattr(keras.applications, listed.keras)
    side = {"input_shape": (listed.side, listed.side, 3)} if listed.keras.startswith("NASNet") else {}
    keras.utils.clear_session()
    plain = make(weights=None, include_top=False, pooling="avg", **side, **arguments)
    keras.utils.clear_session()
    with watched() as seen:
        model = make(weights="imagenet", include_top=False, pooling="avg", **side, **arguments)
    files = {"": seen["file"]}
    if seen["file"][0] != _file_of(make, 128, arguments):
        files = {str(of): _whole_file(make, of, arguments) for of in SIDES}
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model), default=_plain))
    network, problems = take_apart(config, IN_WEIGHTS)
    if network is None or problems:
        raise ValueError(f"{listed.keras}: {problems}")
    ranks = {layer.name: i for i, layer in enumerate(model.layers)}
    without = _without_pretrained(plain, model)
    kinds: list[Any] = []
    calls: list[Any] = []
    for call in network.calls:
        kind = _kind(call, seen["paddings"], ranks, model)
        if kind not in kinds:
            kinds.append(kind)
        calls.append((call, kinds.index(kind)))
    numbers = {0: 0, **{call.number: i + 1 for i, (call, _) in enumerate(calls)}}
    rows: list[Plain] = []
    last = 0
    for i, (call, kind) in enumerate(calls):
        back = tuple(i + 1 - numbers[number] for number in call.inputs)
        name = plain_name("_".join(call.place))
        assert name == "_".join(call.place), "names of Keras are names of the language"
        rank = ranks.get(call.place[0])
        word = "operation" if rank is None else "inside" if rank == last else ""
        if not word:
            assert rank == last + 1, "calls come in the order of layers"
            last = rank
        rows.append(Plain(call.place, kind, back, word or ("imagenet" if name in without else "")))
    assert numbers[network.outputs[0][1]] == len(rows), listed.keras
    return {
        "keras": listed.keras,
        "smallest": seen["smallest"],
        "files": files,
        "kinds": kinds,
        "layers": folded_rows(rows),
    }


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else list(value)


def _file_of(make: Any, side: int, arguments: Mapping[str, Any]) -> str:
    return str(_whole_file(make, side, arguments)[0])


def _whole_file(make: Any, side: int, arguments: Mapping[str, Any]) -> list[str]:
    import keras

    if "NASNet" in make.__name__:
        side = 331 if "Large" in make.__name__ else 224
    keras.utils.clear_session()
    with watched() as seen:
        make(weights="imagenet", include_top=False, input_shape=(side, side, 3), **arguments)
    return list(seen["file"])


def _without_pretrained(plain: Any, model: Any) -> set[str]:
    """Names of layers that are only there with the weights of ImageNet: Keras counts on where it adds one."""
    one, other = ([type(layer).__name__ for layer in each.layers] for each in (plain, model))
    if one == other:
        return set()
    added = next(i for i, name in enumerate(other) if i >= len(one) or one[i] != name)
    assert one == [*other[:added], *other[added + 1 :]], "one layer more"
    return {model.layers[added].name}


def _kind(call: Any, paddings: Mapping[str, int], ranks: Mapping[str, int], model: Any) -> Any:
    """A layer without its name, as it is written; what depends on the picture or on the spec has words of its own."""
    layer: LayerSpec = call.layer
    if call.place[-1] in paddings:
        return {"padded_for_strides": paddings[call.place[-1]]}
    if layer.type_name == "global_average_pooling2d" and ranks.get(call.place[0], 0) >= len(model.layers) - 2:
        return "pooling"
    if isinstance(layer, LearnedNormalization):
        return "learned_normalization"
    return as_written(layer.type_name, arguments_of(layer), {})


def write(names: list[str]) -> None:
    STRUCTURES.mkdir(exist_ok=True)
    for name in names or APPLICATIONS:
        for stem, arguments in variants(name):
            found = structure_of(APPLICATIONS[name], arguments)
            path = STRUCTURES / f"{stem}.json"
            path.write_text(text_of(found), encoding="utf-8")
            sys.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes\n")


def text_of(found: Mapping[str, Any]) -> str:
    """As JSON, with as many kinds and layers in a line as there is room for, and what repeats in lines of its own."""
    head = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items() if key not in ("kinds", "layers")]
    lists = [f"{json.dumps(key)}: [\n{_lines(found[key])}\n]" for key in ("kinds", "layers")]
    return "{" + ",\n".join([*head, *lists]) + "}\n"


def _lines(items: Sequence[Any]) -> str:
    parts: list[str] = []
    for repeats, group in groupby(items, lambda item: isinstance(item, dict) and "times" in item):
        if repeats:
            parts += [f'{{"times":{each["times"]},"layers":[\n{_lines(each["layers"])}]}}' for each in group]
        else:
            parts += _filled([json.dumps(each, separators=(",", ":")) for each in group])
    return ",\n".join(parts)


def _filled(texts: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(text) < WIDTH:
            lines[-1] += f",{text}"
        else:
            lines.append(text)
    return lines


if __name__ == "__main__":
    write(sys.argv[1:])
