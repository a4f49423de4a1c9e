"""What a type of feature declares: the columns that it takes, and an encoding fitted to the training part."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from dlspec.data.datasets import Column, ColumnKind
from dlspec.data.features.scaling import Scale
from dlspec.language.fields import mistake, show_value
from dlspec.language.registry import Kind, OneOf, Registry

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Raw = Literal["number", "word", "text", "time"]
DTYPES: dict[Raw, str] = {"number": "float64", "word": "string", "text": "string", "time": "float64"}
"""What the saved model takes: numbers, single words, text, or seconds since the beginning of 1970."""
POLICIES = ("error", "drop", "mean", "median")
FALSE = ("false", "no", "n", "f", "off", "0")
TRUE = ("true", "yes", "y", "t", "on", "1")
"""Words of what is either true or not, those in the same place belonging together."""
MOST_CODES = 1000
"""So many words a category with an embedding tells apart, unless the spec says how many."""
MANY = 100
"""A column with more categories than this is left out unless the spec names it."""


def _missing(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number and value not in POLICIES:
        raise mistake(
            "wrong-value",
            f"`missing` is `error`, `drop`, `mean`, `median` or a number that stands in, got {show_value(value)}",
        )
    return value


Missing = Annotated[Literal["error", "drop", "mean", "median"] | float, BeforeValidator(_missing)]


class Feature(Kind):
    """Base of the types of features. The saved model takes the column as it is, and encodes it itself."""

    takes: ClassVar[tuple[ColumnKind, ...]]
    """The kinds of columns that it can be made of; the first is what a column of a file is taken for."""
    raw: ClassVar[Raw]
    """What the saved model takes."""
    of_arrays: ClassVar[bool] = False
    """Whether an entry of the column is an array, and not a single value."""

    missing: Missing | None = None

    tokens_key: ClassVar[str] = ""
    """The setting that makes it show numbers of words, if there is one."""

    def token_count(self, column: Column) -> int | None:
        """How many different whole numbers it shows, which stand for words; None: its numbers are quantities.

        Number 0 stands for no word, 1 for one that the training part does not have.
        """
        return None

    def refuses(self, column: Column, *, all_read: bool) -> tuple[str, str | None] | None:
        """Why the words of a column are not what it takes, and what to do about it; None: they are.

        Args:
            all_read: whether the column is known to have no other words.
        """
        return None

    def policy(self, of_data: Missing) -> Missing:
        """What is done about missing values, where the data say so for all columns."""
        return of_data if self.missing is None else self.missing

    @abstractmethod
    def width(self, column: Column) -> int:
        """How many numbers the network sees of the column, as far as that is known before the data are split."""

    @abstractmethod
    def inside(self, scale: Scale) -> bool:
        """Whether these numbers lie in [0, 1], the data being scaled so."""

    @abstractmethod
    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        """The encoding, fitted to the values of the training part.

        Args:
            values: (rows,), float64 with NaN for what is missing (of times in seconds), or text with an empty one.
        """


class GatheredFeature(Feature):
    """Base of the types that can be fitted to values which are not in memory together."""

    @abstractmethod
    def summary(self) -> Any:
        """What gathers the values of a column."""

    @abstractmethod
    def fit_summary(self, name: str, summary: Any, scale: Scale, missing: Missing) -> Fitted:
        """The encoding, fitted to what `summary` has gathered of the training part."""


@dataclass(frozen=True)
class Fitted(ABC):
    """A feature, fitted to the training part."""

    name: str

    raw: ClassVar[Raw]

    @property
    def taken(self) -> tuple[int, ...]:
        """The shape of what the saved model takes of a row."""
        return getattr(self, "shape", (1,))

    @property
    @abstractmethod
    def width(self) -> int:
        """How many numbers the network sees."""

    @property
    def known(self) -> tuple[str, ...] | None:
        """The words that it tells apart; None where it takes no words one by one."""
        return None

    @property
    def dtype(self) -> str:
        """Of the input of the saved model."""
        return DTYPES[self.raw]

    @abstractmethod
    def encode(self, values: Array) -> Array:
        """What the network sees of raw values, (rows,) -> (rows, width), float32."""

    @abstractmethod
    def connect(self, raw: Any) -> Any:
        """The same in Keras's layers: raw values (batch, 1) -> (batch, width)."""


FEATURES: Registry[Feature] = Registry("feature type", "dlspec.data.features", lazy=True)
AnyFeature = Annotated[Feature, OneOf(FEATURES)]


def infer(column: Column) -> Feature | None:
    """The type that a column has where the spec does not say it; None: it can be no feature."""
    if column.kind == "number":
        return FEATURES["numeric"]()
    if column.kind == "class":
        return FEATURES["boolean" if truth_of(column.classes, spelt=True) else "category"]()
    if column.kind in ("time", "text"):
        return FEATURES[column.kind]()
    return None


def truth_of(words: Collection[str], *, spelt: bool = False) -> str | None:
    """Which of some words means true, where all of them mean true or false and both are there; else None.

    Args:
        spelt: whether there may be more than two, which are spellings, as `True`, `true` and `0`; two belong together,
            as `yes` and `no`.
    """
    small = {word.lower() for word in words}
    if len(words) != 2 and not spelt:
        return None
    if not small <= {*FALSE, *TRUE} or small.isdisjoint(FALSE) or small.isdisjoint(TRUE):
        return None
    if len(small) == 2 and not any({no, yes} == small for no, yes in zip(FALSE, TRUE, strict=True)):
        return None
    return next(word for word in sorted(words) if word.lower() in TRUE)


def spellings(word: str) -> tuple[str, ...]:
    """What means the same as a word that is true or false; of others, the word alone."""
    same = next((group for group in (TRUE, FALSE) if word.lower() in group), None)
    if same is None:
        return (word,)
    written = [spelt for each in same for spelt in (each, each.title(), each.upper())]
    return tuple(dict.fromkeys([*written, *(f"{each}.0" for each in same if each.isdigit())]))
