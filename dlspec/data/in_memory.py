"""Whether rows must be in memory together."""

from __future__ import annotations

from dlspec.data.features.base import GatheredFeature
from dlspec.data.section import DataSpec
from dlspec.data.signature import PARTS_IN_FILES, Signature


def needs_memory(section: DataSpec, signature: Signature) -> tuple[tuple[str, ...], str] | None:
    """Why rows must be in memory together: the key that asks for it, and what that is; None: they need not be."""
    if signature.target.kind == "input":
        return ("target",), "a network that gives back its input"
    if signature.target.written:
        return ("target",), "texts that are written"
    if signature.window is not None:
        return ("window",), "a series"
    if signature.views:
        return ("target",), "a network of several outputs"
    if signature.target.of_words:
        return ("target",), "a tag for each word"
    if signature.target.values:
        return ("target",), "tags" if signature.target.separator else "a list of targets"
    for column, kind in zip(signature.features, signature.types, strict=False):
        if not isinstance(kind, GatheredFeature):
            return ("features",), f"`{column.name}`, which is `{kind.type_name}`,"
    for key in ("labels", "limit", "unlabeled", "weight"):
        if getattr(section, key) is not None:
            return (key,), f"`{key}`"
    for key in ("group", "column", "folds"):
        if getattr(section.split, key) is not None:
            return ("split", key), f"`split: {{{key}: …}}`"
    part = next((part for part in PARTS_IN_FILES if section.split.files(part)), None)
    return None if part is None else (("split", part), f"a {part} part in files of its own")
