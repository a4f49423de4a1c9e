"""Which names of Keras's layers are worth keeping, and how blocks are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from dlspec.adoption.items import Item, walk
from dlspec.model.from_keras.names import plain_name
from dlspec.model.layers import LAYERS

PARTS = frozenset(
    {"act", "activation", "add", "avg", "batch", "batchnorm", "block", "bn", "branch", "concat", "concatenate",
     "conv", "conv1d", "conv2d", "conv3d", "convolution", "depthwise", "dense", "drop", "dropout", "dw", "dwconv",
     "excite", "expand", "flatten", "gap", "global", "identity", "input", "inputs", "layer", "layers", "ln", "max",
     "mixed", "mul", "multiply", "norm", "normalization", "op", "out", "output", "pad", "padding", "pool", "pooling",
     "preact", "project", "pw", "reduce", "relu", "rescaling", "reshape", "residual", "se", "sep", "separable",
     "shortcut", "skip", "softmax", "squeeze", "stage", "stem", "top", "upsample", "zero"}
)  # fmt: skip
"""Words of which names are made that only say what a layer is, or where it stands."""
SHORT = {
    "conv1d": "conv", "conv2d": "conv", "conv3d": "conv", "batch_normalization": "bn", "layer_normalization": "norm",
    "group_normalization": "norm", "rms_normalization": "norm", "unit_normalization": "norm", "dropout": "drop",
    "depthwise_conv2d": "depthwise", "separable_conv2d": "separable", "separable_conv1d": "separable",
    "max_pooling1d": "pool", "max_pooling2d": "pool", "max_pooling3d": "pool", "average_pooling2d": "pool",
    "average_pooling1d": "pool", "zero_padding2d": "pad", "multi_head_attention": "attention",
    "conv2d_transpose": "deconv", "conv1d_transpose": "deconv", "up_sampling2d": "up", "bidirectional": "both_ways",
}  # fmt: skip
"""Layer -> what it is called in the name of a block."""


def telling_name(name: str, word: str, strict: bool = False) -> str | None:
    """The name of a layer where it says something that its type does not.

    Args:
        strict: none of its words is that of a part or a place, as is right for a large network.
    """
    plain = plain_name(name)
    parts = [part for part in re.split(r"[_\-]", plain.lower()) if part]
    words = [re.sub(r"\d+[a-z]?$", "", part) for part in parts]
    own = {*re.split(r"[_\d]+", word), word}
    common = [not each or each in own | PARTS or (len(each) == 1 and len(parts) > 1) for each in words]
    by_keras = re.sub(r"_\d+$", "", plain.lower()).replace("_", "") == word.replace("_", "")  # `re_lu_1`
    if by_keras or all(common) or (strict and (any(common) or len(parts) > 2 or any(map(_numbered, parts[:-1] or ())))):
        return None
    return plain


def _numbered(part: str) -> bool:
    return any(letter.isdigit() for letter in part)


def name_of_block(body: Iterable[Item], taken: Collection[str], names: Mapping[str, str] | None = None) -> str:
    """What a block is called, by what is in it.

    Args:
        names: other names of blocks, so far as they have any.
    """
    name = _sort_of(list(body), names or {})
    tried, number = name, 1
    while tried in taken or tried in LAYERS:
        number += 1
        tried = f"{name}_{number}"
    return tried


def _sort_of(body: list[Item], names: Mapping[str, str]) -> str:
    inside = [names.get(item.word, item.word) for item in walk(body)]
    groups = [item for item in body if item.word in ("skip", "branches")]
    first = groups[0] if groups else None
    merge = str(first.arguments.get("merge", "concatenate")) if first is not None else ""
    if len(body) > 1 and any(item.word == "repeat" or "times" in item.arguments for item in body):
        return "stage"
    if body[0].word == "repeat":
        return f"{_sort_of([*body[0].paths[0]], names)}s"
    if len(body) > 1 and any(word.startswith(("residual", "inverted_residual")) for word in inside):
        return "stage"
    if any(word.startswith("depthwise_conv") for word in inside):
        return _with_depthwise(body, first, inside)
    if any(word in ("multi_head_attention", "group_query_attention", "attention") for word in inside):
        return "transformer"
    if first is not None and first.word == "skip":
        return "residual"
    if first is not None and merge == "multiply" and body.index(first) == 0:
        return "squeeze_excite" if any("global" in word for word in inside) else "gated"
    if first is not None and merge == "add":
        return "projection"
    if first is not None and merge == "concatenate":
        if () in first.paths:
            return "dense_unit"
        return "inception" if len(first.paths) > 2 else "fork"
    if sum(item.sources is not None for item in walk(body)) > 1:
        return "cell"
    convolutions = sum(item.word == "conv2d" for item in body)
    return "bottleneck" if convolutions == 3 and len(body) > 4 else _joined(body, names)


def _with_depthwise(body: list[Item], group: Item | None, inside: list[str]) -> str:
    if group is not None and group.word == "skip":
        return "inverted_residual"
    if group is not None and body[0].word.startswith("depthwise_conv") and body[-1] is group:
        return "depthwise_excite"
    pointwise = sum(word == "conv2d" or word.startswith("conv_bn") for word in inside)
    return "inverted_bottleneck" if pointwise > 1 else "depthwise_separable" if pointwise else "depthwise_conv"


def _joined(body: list[Item], names: Mapping[str, str]) -> str:
    words: list[str] = []
    for item in body:
        activation = item.arguments.get("activation")
        word = names.get(item.word, item.word)
        short = SHORT.get(word, word)
        if item.word == "activation" or (item.word in ("relu", "re_lu") and not words):
            short = activation if isinstance(activation, str) else "activation" if item.word == "activation" else "relu"
        if item.word not in ("repeat",):
            words.append(short)
    if len(words) > 3:
        words = [words[0], "stack"]
    name = "_".join(dict.fromkeys(words)) or "layers"
    return name if name not in LAYERS else f"{name}_unit"
