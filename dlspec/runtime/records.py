"""A file of a run folder as a typed record, and how it is read: a folder may come from others, or be damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError

T = TypeVar("T")

DAMAGED_HELP = "copy the run folder again, or run the spec anew"
"""What to do about a file of a run folder that is not what was written."""
MOST_TEXT = 2**28
"""Bytes that a file of a run folder which is text may have."""
MOST_SAID = 5
"""Mistakes of one file that are reported."""


class Record(BaseModel):
    """What a file of a run folder holds, or a part of it.

    A value is an attribute, and can also be read by its name in the file: `record["test"]` is `record.test`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True, validate_by_name=True
    )

    def __getitem__(self, key: str) -> Any:
        for name, field in type(self).model_fields.items():
            if key == (field.alias or name):
                return getattr(self, name)
        return (self.__pydantic_extra__ or {})[key]

    def as_json(self) -> dict[str, Any]:
        """What the file holds; what was not given is left out."""
        return self.model_dump(mode="json", exclude_unset=True)


def read_record(path: Path, kind: type[T]) -> T:
    """The JSON in a file.

    Args:
        kind: a record, or a list of records.

    Raises:
        DataError: it is not what dlspec writes there; each value that is wrong is named with its place.
    """
    try:
        return TypeAdapter(kind).validate_json(read_whole(path))
    except ValidationError as error:
        raise damaged(path, [_said(found) for found in error.errors(include_url=False)]) from None


def read_whole(path: Path) -> bytes:
    """Raises DataError where a file cannot be read, or is larger than any that dlspec writes."""
    try:
        size = path.stat().st_size
        if size > MOST_TEXT:
            raise damaged(path, [f"it has {size:,} bytes, and {MOST_TEXT:,} are the most"])
        return path.read_bytes()
    except OSError as error:
        raise damaged(path, [(error.strerror or str(error)).lower()]) from None


def damaged(path: Path, problems: list[str]) -> DataError:
    """Says what is wrong with a file of a run folder.

    Args:
        problems: each in words.
    """
    more = len(problems) - MOST_SAID
    shown = [*problems[:MOST_SAID], *([f"{more:,} other values are wrong too"] if more > 0 else [])]
    return DataError(
        [Diagnostic("data-unreadable", f"`{path}` is damaged: {text}", None, help=DAMAGED_HELP) for text in shown]
    )


def unreadable(path: Path, error: Exception) -> DataError:
    """What is said of a file of a run folder that reading raises an error of."""
    return damaged(path, [str(error) or type(error).__name__])


def _said(found: Any) -> str:
    """A mistake that pydantic reports, with its place."""
    parts = [str(part) for part in found["loc"]]
    place = ".".join(part if part.isprintable() else ascii(part) for part in parts)
    at = f"at `{place}`: " if place else ""
    if found["type"] == "missing":
        return f"it has no `{place}`"
    if found["type"] == "extra_forbidden":
        return f"`{place}` is no key that this version of dlspec knows"
    text = found["msg"].removeprefix("Value error, ")
    if found["type"] in ("value_error", "json_invalid"):
        return f"{at}{text[:1].lower()}{text[1:]}"
    given = repr(found["input"])
    return f"{at}{text[:1].lower()}{text[1:]}, got {given if len(given) < 60 else given[:57] + '...'}"
