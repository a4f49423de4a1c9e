"""`category: {embedding: 8}`: an input of the column's own, and an `embedding` that looks its words up."""

from __future__ import annotations

import re
from dataclasses import replace

from dlspec.language.yaml import Document, Node
from dlspec.language.yaml.nodes import Scalar

INPUT = "input"
"""What `from` calls the input of a network that has one: here the layer in which all features come together."""


def expand_embeddings(document: Document) -> None:
    """Writes out what features of the type `category` say of an `embedding`.

    Each becomes numbers of words, `codes`, that go through an `embedding` of their own, beside an input for all other
    features. A model that names its inputs itself is left as it is, which is said later; so is what is no number, and a
    series, whose features have no types.
    """
    features, model = document.root.deepest(("data", "features")), document.root.child("model")
    if not isinstance(features.value, dict) or model is None or not document.is_written("data", "features"):
        return
    named = isinstance(model.value, dict)
    layers = model.child("layers") if named else model
    if layers is None or not isinstance(layers.value, list) or model.child("inputs") is not None:
        return
    if document.is_written("data", "series") or document.is_written("data", "window"):
        return
    sizes = {name: size for name, node in features.value.items() if (size := _size(node)) is not None}
    if not sizes:
        return
    taken = _names(model)
    inputs: dict[str, Node] = {}
    added: list[Node] = []
    ends: list[str] = []
    for column, size in sizes.items():
        feature = features.value[column]
        features.value[column] = _as_codes(feature)
        code, vector = _free(f"{column}_code", taken), _free(f"{column}_vector", taken)
        inputs[code] = _node(column, feature)
        embedding = {"output_dim": replace(size, key=None), "from": _node(code, size)}
        added.append(_node({"embedding": _node(embedding, size)}, size))
        added.append(_node({"flatten": _node({"name": _node(vector, size)}, size)}, size))
        ends.append(vector)
    others = [column for column in features.value if column not in sizes]
    if others:
        rest = _free("others", taken)
        inputs[rest] = _node([_node(column, features.value[column]) for column in others], features)
        ends.append(rest)
    if len(ends) > 1:
        joined = {
            "from": _node([_node(end, features) for end in ends], features),
            "name": _node(_free("features", taken), features),
        }
        added.append(_node({"concatenate": _node(joined, features)}, features))
        ends = [str(joined["name"].value)]
    layers = replace(layers, value=[*added, *(_led(layer, ends[0]) for layer in layers.value)])
    kept = {key: _led(node, ends[0]) for key, node in model.value.items()} if isinstance(model.value, dict) else {}
    document.root.value = {
        **_mapping(document.root),
        "model": replace(model, value={"inputs": _node(inputs, features), **kept, "layers": layers}),
    }


def _led(node: Node, to: str, *, behind_from: bool = False) -> Node:
    """A copy in which everything that takes the input by its name takes another layer.

    Args:
        behind_from: whether it stands behind `from`.
    """
    if isinstance(node.value, dict):
        return replace(
            node, value={key: _led(below, to, behind_from=key == "from") for key, below in node.value.items()}
        )
    if isinstance(node.value, list):
        return replace(node, value=[_led(below, to, behind_from=behind_from) for below in node.value])
    return replace(node, value=to) if behind_from and node.value == INPUT else node


def _size(feature: Node) -> Node | None:
    """The node that says how many numbers a category becomes, if it says that."""
    category = feature.child("category")
    size = category.child("embedding") if category is not None and category.child("codes") is None else None
    whole = size is not None and isinstance(size.value, int) and not isinstance(size.value, bool)
    return size if whole and size is not None and isinstance(size.value, int) and size.value > 0 else None


def _as_codes(feature: Node) -> Node:
    """The feature with `codes: true` in place of `embedding`."""
    category = _mapping(feature)["category"]
    values = {
        "codes" if key == "embedding" else key: replace(node, value=True) if key == "embedding" else node
        for key, node in _mapping(category).items()
    }
    return replace(feature, value={"category": replace(category, value=values)})


def _mapping(node: Node) -> dict[str, Node]:
    assert isinstance(node.value, dict), "it was looked into"
    return node.value


def _node(value: Scalar | list[Node] | dict[str, Node], of: Node) -> Node:
    """A value that stands where another is written."""
    return Node(value, of.span, key=of.key, origin=of.origin)


def _names(node: Node) -> set[str]:
    """Every text below a node, one of which may be a name."""
    if isinstance(node.value, dict):
        return set(node.value).union(*map(_names, node.value.values()))
    if isinstance(node.value, list):
        return set().union(*map(_names, node.value))
    return {node.value} if isinstance(node.value, str) else set()


def _free(name: str, taken: set[str]) -> str:
    """A name for a layer that nothing else has."""
    plain = re.sub(r"\W+", "_", name).strip("_")
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    taken.add(found)
    return found
