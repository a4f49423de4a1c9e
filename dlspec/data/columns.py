"""Columns of the data, and where a section `data` names them."""

from __future__ import annotations

from dlspec.data.datasets import Description
from dlspec.data.section import DataSpec
from dlspec.data.signature import TIME_NAMES


def place_of_target(section: DataSpec, place: int) -> tuple[str | int, ...]:
    """Where the section names one of the targets."""
    if isinstance(section.target, dict):
        return ("target", list(section.target)[place])
    return ("target", place) if isinstance(section.target, list) else ("target",)


def place_of_feature(section: DataSpec, name: str) -> tuple[str | int, ...]:
    """Where the section names a feature."""
    if isinstance(section.features, dict) and section.is_written("features", name):
        return ("features", name)
    return ("features", (section.feature_names or []).index(name))


def guess_time(description: Description) -> str | None:
    if description.layout != "series":
        return None
    return next((name for name in description.names if name.lower() in TIME_NAMES), None)


def no_numbers(description: Description) -> tuple[str, ...]:
    """The kinds of columns that may be features although they hold no numbers."""
    return ("class", "time", "text") if description.layout == "samples" else ()
