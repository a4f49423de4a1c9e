"""Texts in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from dlspec.data.datasets import Column, Description, Loaded
from dlspec.data.sources.base import SourceContext
from dlspec.data.sources.folders import FileSamples, FolderFiles, Listing, is_table
from dlspec.data.sources.rows import TableFiles, TableOfTexts
from dlspec.language.yaml.encodings import encoding_in_words


@dataclass(frozen=True)
class TextFiles(FolderFiles):
    """Texts: a folder with a folder for each class, a text in each file; a single file, which is one text; or a table
    with a column of text.

    Args:
        whole: whether a file of text is one text, also where its name is one of tables.
    """

    whole: bool = False

    @classmethod
    def of(cls, given: str, context: SourceContext) -> Self:
        found = cls((given,), context.folder, context.span, context.cache, training=context.training)
        return replace(found, whole=context.whole_texts)

    def written(self, given: Any, paths: Sequence[str]) -> Any:
        return paths[0]

    key = "text"
    entry = "text"
    noun = "texts"
    suffixes = (".txt", ".md")

    def describe(self) -> Description:
        if self.table is None:
            return super().describe()
        found = self.table.describe()
        texts = tuple(column.name for column in found.columns if column.kind == "text")
        return replace(found, features=texts[:1])

    def load_beside(self, seed: int) -> Loaded:
        return self.load_parts(seed) if self.table else super().load_beside(seed)

    def load_parts(self, seed: int) -> Loaded:
        return self.table.load_parts(seed) if self.table else super().load_parts(seed)

    def place_of(self, row: int) -> str:
        return self.table.place_of(row) if self.table else super().place_of(row)

    @property
    def table(self) -> TableFiles | None:
        """The table, where it is one."""
        whole = self.folder / self.paths[0]
        is_file = "\0" not in self.paths[0] and whole.is_file()
        kind = TableOfTexts if self.whole else TableFiles
        table = kind(self.paths, self.folder, self.span, training=self.training)
        one_text = self.whole and self._is_mine(whole.name)
        return table if is_file and is_table(whole) and not one_text else None

    def alone(self) -> str | None:
        """The text, where the path names one; None: it names several."""
        whole = self.folder / self.paths[0]
        there = self.whole and "\0" not in self.paths[0] and whole.is_file() and self._is_mine(whole.name)
        return self._text(self._existing(self.paths[0])) if there else None

    def files_there(self) -> list[Path]:
        """All files with a text."""
        return list(self._listing().files)

    def _listing(self) -> Listing:
        whole = self._existing(self.paths[0])
        one_text = self.whole and whole.is_file() and self._is_mine(whole.name)
        return Listing((whole,)) if one_text else super()._listing()

    def _shape(self, listing: Listing) -> tuple[int, ...]:
        return ()

    def _entry_column(self, shape: tuple[int, ...]) -> Column:
        return Column(self.entry, "text")

    def _samples(self, listing: Listing, shape: tuple[int, ...]) -> FileSamples:
        return FileSamples(listing.files, (), object, self._text)

    def _text(self, file: Path) -> str:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise self._unreadable(self._shown(file), error) from None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            known = encoding_in_words(content)
            saved = f"is saved as {known}" if known else "is no text"
            message = f"`{self._shown(file)}` {saved}, and data are UTF-8"
            raise self._error("data-unreadable", message, "save it as UTF-8") from None
