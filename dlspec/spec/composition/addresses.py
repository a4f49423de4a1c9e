"""Layers in uses of a block by their addresses, `gated.2.skipped`, in the other sections of a spec."""

from __future__ import annotations

from dataclasses import replace

from dlspec.language.yaml import Document, Node
from dlspec.spec.composition.local_names import called


def call_by_name(document: Document) -> None:
    """Puts what layers are called in place of their addresses, where `pretrain` names layers."""
    addresses = document.addresses
    pretrain = document.root.child("pretrain")
    if not addresses or pretrain is None:
        return
    stages = pretrain.value if isinstance(pretrain.value, list) else [pretrain]
    for stage in stages:
        if not isinstance(stage.value, dict):
            continue
        listed, by_layer = stage.child("layers"), stage.child("per_layer")
        if listed is not None and isinstance(listed.value, list):
            stage.value["layers"] = replace(listed, value=[_named(node, addresses) for node in listed.value])
        if by_layer is not None and isinstance(by_layer.value, dict):
            named = {addresses.get(name, name): node for name, node in by_layer.value.items()}
            if len(named) == len(by_layer.value):  # a layer that is named twice keeps both, of which one is unknown
                stage.value["per_layer"] = replace(by_layer, value=named)


def _named(node: Node, addresses: dict[str, str]) -> Node:
    return called(node, addresses.get(node.value, node.value)) if isinstance(node.value, str) else node
