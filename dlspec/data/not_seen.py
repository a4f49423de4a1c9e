"""Columns that the network does not see, and why."""

from __future__ import annotations

from collections.abc import Mapping

from dlspec.data.datasets import Column, Description
from dlspec.data.features.base import MANY
from dlspec.data.section import DataSpec
from dlspec.data.signature import HOLDS, Signature


def not_seen(section: DataSpec, description: Description, signature: Signature) -> dict[str, str]:
    """Column -> why the network does not see it; those that are predicted, or say time, group, part or weight, have a
    role."""
    split = section.split
    seen = {column.name for column in signature.features} | {*description.targets}  # a set's own label
    seen |= {
        *signature.target.names,
        *signature.others,
        *(name for target in signature.targets.values() for name in target.names),
    }
    seen |= {name for name in (signature.time, signature.group, split.group, split.column, section.weight) if name}
    return {c.name: _why(section, c, description) for c in description.columns if c.name not in seen}


def _why(section: DataSpec, column: Column, description: Description) -> str:
    if section.is_written("features"):
        return "`features` does not name it"
    if column.kind == "number" and not column.shape:
        return "the data have other features"
    if description.layout == "series":
        return f"it holds {HOLDS[column.kind]}, and a series shows numbers"
    many = f"{len(column.classes):,} different words, more than {MANY}"
    held = "arrays" if column.shape else many if len(column.classes) > MANY else HOLDS[column.kind]
    return f"it holds {held}, and is seen only where `features` names it"


def in_words(columns: Mapping[str, str], most: int = 10) -> str:
    """All of them in one sentence; columns with the same reason stand together."""
    by_reason: dict[str, list[str]] = {}
    for name, why in columns.items():
        by_reason.setdefault(why, []).append(name)
    parts = []
    for why, names in by_reason.items():
        shown = ", ".join(f"`{name}`" for name in names[:most])
        more = f" and {len(names) - most:,} more" if len(names) > most else ""
        parts.append(f"{shown}{more} ({why})")
    return f"Not seen by the network: {'; '.join(parts)}." if parts else ""
