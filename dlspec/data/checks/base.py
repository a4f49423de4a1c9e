"""What rules about data look at, and the list of all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.columns import place_of_feature
from dlspec.data.datasets import Columns
from dlspec.data.features import Feature
from dlspec.data.preparation import READERS, Prepared
from dlspec.data.section import DataSpec
from dlspec.data.source_of import source_of
from dlspec.data.sources import FileSource
from dlspec.language.diagnostics import Diagnostic, Severity, Span

Array = np.ndarray

LOOKED_AT = 100_000
"""Rows that are looked at, spread evenly over the data."""


@dataclass(frozen=True)
class Looked:
    """Data that were read and split, and some of their rows.

    Args:
        weighted: whether training weighs classes.
        chosen_by: what the validation part is used for, in words that go on.
        rows: of the data, counted from 0, that `columns` has; None: they are a sample that does not say it.
    """

    section: DataSpec
    data: Prepared
    weighted: bool
    chosen_by: str
    columns: Columns
    rows: Array | None

    @classmethod
    def at(cls, section: DataSpec, data: Prepared, weighted: bool, chosen_by: str) -> Looked:
        columns = {name: values for name, values in data.columns.items() if not is_read_later(values)}
        count = len(next(iter(columns.values()), ()))
        given = (section, data, weighted, chosen_by)
        if data.rows_in_all is not None:
            return cls(*given, columns, None)
        if count <= LOOKED_AT:
            return cls(*given, columns, np.arange(count))
        rows = np.linspace(0, count - 1, LOOKED_AT).astype(int)
        return cls(*given, {name: values[rows] for name, values in columns.items()}, rows)

    @cached_property
    def trained(self) -> Array:
        """Which of the rows are in the training part; of a sample, all of them."""
        if self.rows is None:
            return np.ones(len(next(iter(self.columns.values()))), bool)
        trained = np.asarray(self.data.train.rows)
        if self.data.signature.window is not None and self.data.groups is None:
            return self.rows <= int(np.max(trained, initial=0))  # windows begin before the first target
        return np.isin(self.rows, trained)

    @cached_property
    def features(self) -> list[tuple[str, Feature | None, Array]]:
        """The plain features: name, type (None in a series), and values as they are encoded: NaN or an empty word where
        one is missing."""
        signature, found = self.data.signature, []
        for i, column in enumerate(signature.features):
            kind = signature.types[i] if signature.types else None
            if column.name in self.columns and self.columns[column.name].ndim == 1:
                read, form = READERS[kind.raw if kind else "number"], self.data.date_forms.get(column.name)
                forms = {"forms": (form,)} if form and kind else {}
                found.append((column.name, kind, read(column.name, self.columns[column.name], holes=True, **forms)))
        return found

    def place(self, name: str) -> Span:
        """Where the spec names a feature, or the data where it does not."""
        path = place_of_feature(self.section, name) if name in (self.section.feature_names or []) else ()
        return self.at_key(*path) if path else self.section.key_span()

    def at_key(self, *path: str | int) -> Span:
        """Where the spec says something under `data`, or the data where it leaves that out."""
        return self.section.span(*path) if self.section.is_written(*path) else self.section.key_span()

    def row(self, place: int) -> str:
        """A row of `columns` in words: its number from 1, and its file where there are several."""
        return "a row" if self.rows is None else self.place_of(int(self.rows[place]))

    def place_of(self, row: int) -> str:
        """A row of the data, counted from 0, in words."""
        source = source_of(self.section)
        where = source.place_of(row + 1) if isinstance(source, FileSource) else ""
        return where or f"row {row + 1}"


def warn(code: str, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(code, message, span, Severity.WARNING, help)


Rule = Callable[[Looked], Iterator[Diagnostic]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    RULES.append(function)
    return function
