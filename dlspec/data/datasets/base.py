"""What a built-in dataset declares: its columns, known without loading it, and how it is loaded."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from dlspec.language.registry import Kind, OneOf, Registry

if TYPE_CHECKING:
    import numpy as np

    Columns = dict[str, np.ndarray]
    """Column name -> its values, one entry (of any shape) a row."""
else:
    Columns = dict


ColumnKind = Literal["number", "class", "tags", "time", "text", "nested"]


@dataclass(frozen=True)
class Column:
    """One column, as far as it is known before the data are read.

    Args:
        kind: `number`, `class` (a label), `tags` (any number of labels), `time`, `text` or `nested` (lists and the
            like, which are no value of a column); of a file as its first rows suggest.
        shape: of one entry; `()` for a plain column, `(8, 8)` for a picture.
        classes: the labels, in the order of the network's output units.
        unit: of a number.
        one_hot: whether a class is the place of a 1 among zeros.
        numbered: whether values are the places of classes in `classes`, and -1 where none counts.
    """

    name: str
    kind: ColumnKind = "number"
    shape: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    unit: str | None = None
    one_hot: bool = False
    numbered: bool = False


@dataclass(frozen=True)
class Description:
    """What data look like.

    Args:
        layout: `samples`, a row each, or a `series`, a timestep each.
        time: the column with the time of a series.
        target: the column that is predicted unless the spec names another, or several.
        features: the columns that the network sees unless the spec names others; empty: as their kinds suggest.
        rows: how many samples or timesteps there are, or about how many where counting them means reading them.
        test_rows: how many of the last rows are a test part that comes with the data; 0: there is none. Of files about
            how many; `Loaded` knows.
        validation_rows: likewise of a validation part, whose rows are before those.
        about: one sentence for the report: what they are, from where, under which licence.
        remarks: how they were read where that is not certain: code, message and cure of a warning.
        read_to: how far files were read, where not to their end.
        not_settled: columns whose kind may turn out to be another one, once all rows are read.
    """

    layout: Literal["samples", "series"]
    columns: tuple[Column, ...]
    time: str | None = None
    target: str | tuple[str, ...] | None = None
    about: str = ""
    rows: int | None = None
    test_rows: int = 0
    validation_rows: int = 0
    features: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str, str], ...] = ()
    read_to: str = ""
    not_settled: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted unless the spec names others."""
        return (self.target,) if isinstance(self.target, str) else self.target or ()


class Loaded(NamedTuple):
    """Data that were read: their columns, and how many of the last rows are parts that the data bring.

    Rows of the validation part are before those of the test part.

    Args:
        notes: what a reader of the result should know of them.
    """

    columns: Columns
    validation_rows: int
    test_rows: int
    notes: tuple[str, ...] = ()


class Dataset(Kind):
    """Base of the built-in datasets: the same on every machine, and offline, but for those that Keras fetches."""

    generated: ClassVar[bool] = False
    """Whether the seed decides which samples there are."""

    @abstractmethod
    def describe(self) -> Description:
        """What it looks like, without loading it."""

    @abstractmethod
    def load(self, seed: int) -> Columns:
        """The columns of the description. Generated sets draw by `seed`.

        Raises:
            DataError: the data are not on this machine, and cannot be fetched.
        """

    def load_parts(self, seed: int) -> Loaded:
        """The columns, and the size of the parts that come with them."""
        return Loaded(self.load(seed), 0, self.describe().test_rows)

    def known_texts(self, name: str) -> tuple[tuple[str, ...], int] | None:
        """The characters of which the texts of a column are made, and how many the longest has, where both are known
        without loading them; else None."""
        return None

    def load_beside(self, seed: int) -> Loaded:
        """The same, perhaps without columns of samples that take long to read."""
        return self.load_parts(seed)


DATASETS: Registry[Dataset] = Registry("dataset", "dlspec.data.datasets", lazy=True)
AnyDataset = Annotated[Dataset, OneOf(DATASETS)]
