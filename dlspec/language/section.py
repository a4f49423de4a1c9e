"""A section of a spec: typed keys that know where they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import PrivateAttr

from dlspec.language.diagnostics import Span
from dlspec.language.fields import SpecModel
from dlspec.language.yaml import Document


@dataclass(frozen=True)
class Places:
    """Where the keys of a section are written.

    Args:
        document: the text of the spec.
        path: of the section in it.
    """

    document: Document = field(compare=False, repr=False)  # sections are equal whatever text they come from
    path: tuple[str, ...]


class Section(SpecModel):
    """A section of a spec. Paths are relative to it."""

    _places: Places | None = PrivateAttr(default=None)

    def at(self, places: Places) -> Self:
        """The same section, written there."""
        placed = self.model_copy()
        placed._places = places
        return placed

    @property
    def places(self) -> Places:
        """Where it is written."""
        assert self._places is not None, "a section is placed when its spec is read"
        return self._places

    def span(self, *path: str | int) -> Span:
        """Where the value at `path` stands, or the nearest thing above it that was written."""
        return self.places.document.span(*self.places.path, *path)

    def key_span(self, *path: str | int) -> Span:
        """Where the key at `path` stands, or the nearest key or value above it."""
        return self.places.document.key_span(*self.places.path, *path)

    def is_written(self, *path: str | int) -> bool:
        """Whether the spec itself says something at `path`."""
        return self.places.document.is_written(*self.places.path, *path)

    @property
    def texts(self) -> dict[str, str]:
        """File name -> text, of the spec and what it extends, for messages."""
        return self.places.document.texts

    def folder_of(self, *path: str | int) -> Path:
        """The folder that relative paths in the value at `path` start from."""
        return self.places.document.folder_of(*self.places.path, *path)
