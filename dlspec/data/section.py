"""The section `data`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, PrivateAttr, ValidationError

from dlspec.data.datasets import DATASETS, AnyDataset
from dlspec.data.even_steps import AnyResample, Duplicates, MissingOfData, filling_of
from dlspec.data.features import FEATURES, AnyFeature, Feature, Missing, Scale, ScaledBy
from dlspec.data.sources.arrays import AnyArrays
from dlspec.data.sources.audio import AnyAudio
from dlspec.data.sources.base import Cache
from dlspec.data.sources.formats.dialect import Dialect
from dlspec.data.sources.images import AnyImages, AnyPictures
from dlspec.data.split import AnyTime, Split, Window
from dlspec.data.target import Targets, TargetType
from dlspec.language.fields import (
    OneOrMore,
    Paths,
    PositiveInt,
    SpecModel,
    Text,
    joined_errors,
    mistake,
    rebuild_error,
    show_value,
)
from dlspec.language.section import Section
from dlspec.language.words import nearest

SOURCES = ("dataset", "table", "series", "images", "text", "audio", "arrays")
"""Keys of `data`, and of `unlabeled` in it, of which there is one: what names other data replaces those of the base."""


OF_ROWS = ("sheet", "encoding", "delimiter", "decimal", "thousands", "header", "na")
"""Keys that say how files of rows are written."""


def _labels(value: Any) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    share = isinstance(value, float) and 0 < value < 1
    if not whole and not share:
        raise mistake(
            "out-of-range",
            f"`labels` is a number of labels, or a share between 0 and 1, got {show_value(value)}",
        )
    return value


def _encoding(name: str) -> str:
    import codecs

    try:
        known = codecs.lookup(name)._is_text_encoding
    except LookupError:
        known = False
    if not known:
        help = "write such as `utf-16`, `cp1252` or `cp949`"
        raise mistake("wrong-value", f"there is no encoding `{name}`", help=help)
    return name


def _delimiter(mark: str) -> str:
    if len(mark) != 1 or mark in '\r\n"':
        raise mistake("wrong-value", f"`delimiter` is one character between values, got {show_value(mark)}")
    return mark


def _header(value: Any) -> list[str] | Literal[False]:
    names = value if isinstance(value, list) else None
    if value is False or (names and all(isinstance(name, str) and name.strip() for name in names)):
        if names and len({*names}) < len(names):
            raise mistake("repeated-column", "`header` names a column twice")
        return value
    raise mistake(
        "wrong-type",
        f"`header` lists the names of all columns, or is `false` where they have none, got {show_value(value)}",
        help="write a name for each column, such as `header: [day, shop, sold]`",
    )


def _missing_words(value: Any) -> list[str]:
    words = value if isinstance(value, list) else [value]
    if not words or any(isinstance(word, bool | dict | list) or word is None for word in words):
        raise mistake(
            "wrong-type",
            f"`na` lists words that stand for a missing value, got {show_value(value)}",
            help='write `na: ["?", "-"]`; a word that YAML takes for something else stands in quotes',
        )
    return [str(word) for word in words]


Header = Annotated[
    list[str] | Literal[False], PlainValidator(_header, json_schema_input_type=list[Text] | Literal[False])
]
MissingWords = Annotated[
    list[str], PlainValidator(_missing_words, json_schema_input_type=Text | float | list[Text | float])
]
OneOrMoreNames = Annotated[list[Text], OneOrMore, Field(min_length=1)]


def _read_features(value: Any) -> list[str] | dict[str, Feature]:
    """Names of columns, or a mapping from names to types."""
    if not isinstance(value, dict):
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(name, str) for name in names):
            shown = next((name for name in names if not isinstance(name, str)), value)
            raise mistake(
                "wrong-type",
                f"`features` is a list of columns, or a mapping from columns to types, got {show_value(shown)}",
                help="name columns, such as `features: [age, city]`, or also say their types, such as "
                "`features: {age: numeric, city: category}`",
            )
        return names
    if not value:
        raise mistake("wrong-value", "`features` names no column", help="name one, or leave `features` out")
    found, errors = {}, []
    for name, written in value.items():
        try:
            found[str(name)] = FEATURES.read(written)
        except ValidationError as error:
            errors.append(rebuild_error(error, "features", lambda line: line, below=(name,)))
    if errors:
        raise joined_errors(errors, "features")
    return found


Features = Annotated[
    list[str] | dict[str, AnyFeature],
    PlainValidator(_read_features, json_schema_input_type=OneOrMoreNames | dict[Text, AnyFeature]),
]


class UnlabeledSpec(SpecModel):
    """Another source with the same features, whose samples only pretraining sees."""

    sources: ClassVar = SOURCES

    dataset: AnyDataset | None = None
    table: Paths | None = None
    series: Paths | None = None
    images: AnyPictures | None = None
    text: Text | None = None
    audio: AnyAudio | None = None
    arrays: AnyArrays | None = None

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return _source_for(value)

    def model_post_init(self, context: object) -> None:
        _need_one_source(self, "unlabeled")


def _source_for(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    if nearest(value, DATASETS):
        return f"{{dataset: {nearest(value, DATASETS)}}}"
    return f"{{table: {value}}}" if re.search(r"\.\w+$", value) else None


def _need_one_source(section: SpecModel, name: str) -> None:
    given = [source for source in SOURCES if getattr(section, source) is not None]
    if len(given) != 1:
        raise mistake(
            "no-source" if not given else "several-sources",
            f"`{name}` names no source" if not given else f"`{name}` names {len(given)} sources; exactly one is needed",
            help="write `dataset: NAME` for a built-in, `table: FILE.csv`, `series: FILE.csv`, or `images: FOLDER`"
            if not given
            else f"keep one of {', '.join(f'`{source}`' for source in given)}",
            at="key",
        )


class DataSpec(Section):
    """What data there is."""

    sources: ClassVar = SOURCES

    dataset: AnyDataset | None = None
    table: Paths | None = None
    series: Paths | None = None
    images: AnyImages | None = None
    text: Text | None = None
    audio: AnyAudio | None = None
    arrays: AnyArrays | None = None
    sheet: Annotated[Text | PositiveInt, Field(union_mode="left_to_right")] | None = None
    encoding: Annotated[Text, AfterValidator(_encoding)] | None = None
    delimiter: Annotated[Text, AfterValidator(_delimiter)] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[",", "."] | None = None
    header: Header | None = None
    na: MissingWords | None = None
    time: AnyTime | None = None
    group: Text | None = None
    target: Targets | None = None
    weight: Text | None = None
    features: Features | None = None
    window: Window | None = None
    predict: Literal["level", "difference", "return"] | None = None
    scale: Scale = "standard"
    scale_by: ScaledBy = None
    missing: MissingOfData = "error"
    duplicates: Duplicates = "error"
    resample: AnyResample | None = None
    split: Split = Split()
    labels: Annotated[int | float, PlainValidator(_labels)] | None = None
    limit: PositiveInt | None = None
    cache: Cache = "auto"

    unlabeled: UnlabeledSpec | None = None

    _of_outputs: tuple[Any, ...] = PrivateAttr(default=())

    def beside_outputs(self, targets: Sequence[Any]) -> Self:
        """The same beside a network that names its outputs.

        Args:
            targets: of these, each as `target`.
        """
        found = self.model_copy()
        found._of_outputs = tuple(targets)
        return found

    @property
    def target_names(self) -> list[str]:
        """The columns that the spec names as targets."""
        return _names_of(self.target)

    @property
    def all_targets(self) -> list[tuple[str, TargetType | None]]:
        """Every column that is predicted, with what the spec says that it holds; also those of outputs."""
        found: dict[str, TargetType | None] = {}
        for given in (self.target, *self._of_outputs):
            found |= given if isinstance(given, dict) else {name: found.get(name) for name in _names_of(given)}
        return [*found.items()]

    @property
    def first_target_names(self) -> list[str]:
        """Those by which a split is stratified: of several outputs those of the first."""
        return _names_of(self._of_outputs[0]) if len(self._of_outputs) > 1 else self.target_names

    @property
    def target_type(self) -> TargetType | None:
        """What the targets hold, all of them the same, where the spec says it."""
        return next(iter(self.target.values())) if isinstance(self.target, dict) else None

    @property
    def time_name(self) -> str | None:
        """The column with the time of each row."""
        return self.time.column if self.time is not None else None

    @property
    def feature_names(self) -> list[str] | None:
        """The columns that the spec names as features."""
        return None if self.features is None else list(self.features)

    @property
    def missing_of_samples(self) -> Missing:
        """What is done about missing values of single samples."""
        how, _ = filling_of(self.missing)
        return "error" if how == "previous" or how == "interpolate" else how

    def feature_type(self, name: str) -> Feature | None:
        """The type of a column, where the spec says it."""
        return self.features.get(name) if isinstance(self.features, dict) else None

    def inside(self, types: Collection[Feature] = ()) -> bool:
        """Whether all that the network sees lies in [0, 1].

        Args:
            types: of the columns, where `features` does not say them.
        """
        if isinstance(self.features, dict):
            types = self.features.values()
        return all(kind.inside(self.scale) for kind in types) if types else self.scale == "min_max"

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return _source_for(value)

    @property
    def dialect(self) -> Dialect:
        """How its files of rows are written, as far as the spec says it."""
        header = self.header
        return Dialect(
            self.encoding,
            self.delimiter,
            self.decimal,
            self.thousands,
            False if header is False else tuple(header) if isinstance(header, list) else None,
            tuple(self.na or ()),
            sheet=self.sheet,
        )

    def model_post_init(self, context: object) -> None:
        _need_one_source(self, "data")
        if self.table is None and self.series is None:
            for key in OF_ROWS:
                if getattr(self, key) is not None:
                    message = f"`{key}` is of files of rows, which `table` and `series` name"
                    raise mistake("wrong-value", message, help=f"remove `{key}`", at="key")
        if self.decimal is not None and self.decimal == self.thousands:
            raise mistake("wrong-value", "`decimal` and `thousands` are the same character", help="remove one of them")


def _names_of(target: Any) -> list[str]:
    """The columns of a target, as it is written."""
    return [target] if isinstance(target, str) else list(target or [])


class BrokenData(DataSpec):
    """Stands for a section that is missing or could not be read: it has no source."""

    def model_post_init(self, context: object) -> None:
        pass
