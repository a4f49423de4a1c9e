"""How data are cut: the parts of the split, groups and folds, and the windows of a series."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from dlspec.language.fields import (
    LONG,
    Amount,
    NonNegativeInt,
    Paths,
    PositiveInt,
    Primary,
    SpecModel,
    Text,
    Timesteps,
    looks_like_a_number,
    mistake,
    read_amount,
    show_value,
)

BY_DEFAULT = 0.15
"""The share of the validation part, and that of the test part."""
GAP = 10.0
"""So many times the usual step: weekends and holidays in daily data are no gaps."""
WORDS = {
    "training": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}
"""Part -> the words of a column that say so, in small letters."""

By = Literal["random", "stratified", "order", "time"]


def _gap(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 1
    if not number and value != "none":
        raise mistake(
            "wrong-value",
            f"`gap` is how many times the usual step, 1 or more, or `none`, got {show_value(value)}",
        )
    return value


class TimeColumn(SpecModel):
    """The column with the time of each row."""

    column: Text = Primary(description="its name")
    format: Text | None = Field(
        None, description="how times are written, as of `strptime` of Python: `%d/%m/%Y %H:%M`; else the values say it"
    )

    @field_validator("format")
    @classmethod
    def _has_a_day(cls, given: str | None) -> str | None:
        if given is not None and not re.search(r"%[YyGcxs]", given):
            help = 'write such as `format: "%d/%m/%Y"`, or leave `format` out'
            ours = given
            for theirs, sign in (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S")):
                ours = ours.replace(theirs, sign).replace(theirs.lower() if theirs in ("YYYY", "DD") else theirs, sign)
            if "%Y" in ours and "%d" in ours:
                help = f'write `format: "{ours}"`'
            raise mistake("wrong-value", f"`format` has no year, got `{given}`", help=help)
        return given


def _as_column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


AnyTime = Annotated[TimeColumn, BeforeValidator(_as_column, json_schema_input_type=Text | TimeColumn)]


class Window(SpecModel):
    """How samples are cut from a series. No window crosses a part of the split, a group or a gap in time."""

    length: Timesteps = Field(description="timesteps that the network sees")
    horizon: NonNegativeInt = Field(
        1,
        le=LONG,
        description="how many timesteps ahead the target lies; 0, of a class: what it is at the last one seen",
    )
    steps: Timesteps = Field(1, description="how many timesteps are predicted, from `horizon` on")
    target: Literal["each"] | None = Field(
        None,
        description="`each`: what lies `horizon` timesteps ahead of every timestep that the network sees, instead of "
        "the last one",
    )
    stride: Timesteps = Field(1, description="timesteps from one training window to the next")
    every: Timesteps = Field(1, description="the network sees every so manieth timestep, back from the last one")
    gap: Annotated[float | Literal["none"], BeforeValidator(_gap)] = Field(
        GAP,
        description="a step in time of more than so many times the usual one, the median of the training part, is a "
        "gap; `none`: there are no gaps",
    )

    @property
    def reach(self) -> int:
        """How many timesteps ahead the last value lies that is predicted."""
        return self.horizon + self.steps - 1

    @property
    def each(self) -> bool:
        """Whether something is predicted at every timestep."""
        return self.target == "each"

    @property
    def overlap(self) -> int:
        """Within how many samples that are judged what is predicted of two has something in common."""
        return 1 if self.each else self.reach  # of a target at each timestep, windows that are judged lie apart

    def span(self, timesteps: int) -> int:
        """How many rows so many timesteps take, from the first to the last."""
        return (timesteps - 1) * self.every + 1


def _amount_or_files(value: Any, info: ValidationInfo) -> int | float | list[str]:
    paths = value if isinstance(value, list) else [value]
    texts = bool(paths) and all(isinstance(path, str) for path in paths)
    if texts and not any(looks_like_a_number(path) for path in paths):
        return paths
    return read_amount(value, info)


AmountOrFiles = Annotated[
    int | float | list[str], PlainValidator(_amount_or_files, json_schema_input_type=Amount | Paths)
]
"""How many samples, or which share of them, or the files that hold them."""


def _some(value: Any) -> Any:
    if value == 0:
        raise mistake("out-of-range", "`test` must be more than 0: the result is measured on it", help="write 0.15")
    return value


Folds = Annotated[PositiveInt, Field(ge=2)]


class WalkForward(SpecModel):
    """Several tests of a series, each later than the one before it and than all that its training sees."""

    folds: Folds = Field(description="how many times the network is trained and tested")


class Split(SpecModel):
    """What is kept out of training: shares, numbers of samples, or files of their own. A series is split in time order,
    the rest at random, or as a column says. Some built-in sets bring their own test part."""

    validation: AmountOrFiles | None = BY_DEFAULT
    test: Annotated[AmountOrFiles, AfterValidator(_some)] | None = BY_DEFAULT
    by: By | None = Field(
        None,
        description="a series is split by `time`; the rest at `random`, `stratified`, so that every part has the same "
        "shares of the classes, which is the default for these, or by the `order` of rows",
    )
    group: Text | None = Field(
        None, description="of single samples, a column; rows with the same value of it stay in one part"
    )
    column: Text | None = Field(
        None, description="of single samples, a column that says where each row belongs: `train`, `validation`, `test`"
    )
    folds: Folds | None = Field(
        None, description="of single samples: the network is trained so many times, each time tested on another part"
    )
    walk_forward: WalkForward | None = Field(
        None, description="of a series: several tests, each later than what its training sees"
    )

    @property
    def times_trained(self) -> int:
        """How many folds there are; 1 without folds."""
        return self.folds or (self.walk_forward.folds if self.walk_forward else 1)

    @property
    def shown_fold(self) -> int:
        """The fold whose network is saved: the first, or the last in time."""
        return self.walk_forward.folds - 1 if self.walk_forward else 0

    @property
    def drawn(self) -> bool:
        """Whether the seed decides which single samples are tested on."""
        return self.column is None and self.by != "order" and not self.files("test")

    def files(self, part: Literal["validation", "test"]) -> list[str]:
        """The files that hold a part; none where it is drawn from the rest."""
        given = getattr(self, part)
        return given if isinstance(given, list) else []

    def filled_in(self, *, series: bool, classes: bool, test_rows: int) -> Split:
        """With the defaults that depend on the data."""
        found: dict[str, Any] = {}
        if self.column is None:
            found["by"] = self.by or ("time" if series else "stratified" if classes else "random")
        unset = {"validation", "test"} - self.model_fields_set
        if self.walk_forward and "test" in unset:  # all tests together are the later half
            found["test"] = round(0.5 / self.walk_forward.folds, 4)
        elif "test" in unset and (self.column or self.folds):
            found["test"] = None
        if test_rows and not self.files("test"):
            found["test"] = None
        if "validation" in unset and self.column:
            found["validation"] = None
        return self.model_copy(update=found)

    def amounts(self, rows: int, given: int = 0, given_validation: int = 0) -> tuple[float, float]:
        """How many of so many rows are for validation and for the test, before rounding.

        Args:
            given: rows of the test part that the data bring.
            given_validation: rows of the validation part that the data bring.
        """
        if given:
            test = float(given)
        elif self.folds:
            test = rows / self.folds
        else:
            test = _of(self.test, rows - given_validation)
        return float(given_validation) if given_validation else _of(self.validation, rows - given), test

    def sizes(self, rows: int, given: int = 0, given_validation: int = 0) -> tuple[int, int, int]:
        """How many of so many rows are in the training, the validation and the test part; of a walk forward, in the
        end. Where a column says it, that is not known, and shares of 0.15 are taken."""
        validation, test = self.amounts(rows, given, given_validation)
        rest, ends = round(rows - test), round(rows - test - validation)
        return ends, rest - ends, rows - rest

    def bounds(self, rows: int, fold: int, given: int = 0, given_validation: int = 0) -> tuple[int, int, int]:
        """Of a series of so many rows, where the validation part begins, where the test part, and where that ends."""
        validation, test = self.amounts(rows, given, given_validation)
        later = self.times_trained - 1 - fold
        end = round(rows - later * test)
        return round(rows - (later + 1) * test - validation), round(rows - (later + 1) * test), end


def drawn_among_dates(name: str, by: str | None) -> tuple[str, str]:
    """What is wrong with rows drawn at random where a column holds dates, and the cure."""
    message = (
        f"`{name}` holds dates, and rows are drawn at random: the network is tested on times between those that it was "
        "trained on, which is easier than times to come"
    )
    here = "`split: {by: order}`"
    return message, f"sort the rows by `{name}` and write {here}, or `split: {{by: {by}}}` where times do not matter"


def _of(amount: Any, rows: int) -> float:
    amount = amount if isinstance(amount, int | float) else BY_DEFAULT
    return amount * rows if isinstance(amount, float) else float(amount)


def part_of_word(word: str) -> str | None:
    """`training`, `validation` or `test`, as a word of a column says; None: it is no such word."""
    return next((part for part, words in WORDS.items() if word.strip().lower() in words), None)
