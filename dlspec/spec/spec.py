"""A whole spec: its sections as frozen, typed fields. No rule across fields: those are in `checks`."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, PrivateAttr
from pydantic_core import PydanticCustomError

from dlspec.data.section import DataSpec
from dlspec.data.target import Sequenced, TagOfWords
from dlspec.evaluation.section import EvaluateSpec
from dlspec.language.diagnostics import Span
from dlspec.language.fields import NonNegativeInt, PositiveInt, SpecModel, Text, mistake, show_value
from dlspec.language.notebooks import InNotebooks
from dlspec.language.quantities import Bytes, Latency
from dlspec.language.section import Places, Section
from dlspec.language.words import nearest, one_of
from dlspec.language.yaml import Document
from dlspec.model.section import as_layers
from dlspec.pretraining import PretrainingMethod
from dlspec.pretraining.section import Entry, entries_of, read_pretraining, written_entries
from dlspec.runtime.section import RuntimeSpec
from dlspec.training.outputs import TrainedModel
from dlspec.training.section import TrainingSettings, TrainSpec

VERSION = 1


def _version(value: Any) -> int:
    if value != VERSION or not isinstance(value, int) or isinstance(value, bool):
        raise mistake(
            "wrong-version",
            f"`dlspec` is the version of the language, got {show_value(value)}",
            help="write `dlspec: 1`",
        )
    return VERSION


def _run_name(name: str) -> str:
    if not re.fullmatch(r"[\w][\w .-]*", name) or len(name) > 100:
        raise mistake(
            "wrong-value",
            f"`name` becomes a folder: letters, digits, `_`, `-` and `.`, got {show_value(name)}",
            help=f"write `name: {re.sub(r'[^-A-Za-z0-9_.]+', '_', name).strip('_.-') or 'my_run'}`",
        )
    return name


Entries = Annotated[list[PretrainingMethod], Field(min_length=1)]
"""Of `pretrain`, in a list."""


class BudgetSpec(SpecModel):
    """What the network may cost at most."""

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{parameters: {value}}}" if isinstance(value, int) and not isinstance(value, bool) else None

    parameters: PositiveInt | None = Field(None, description="numbers that the layers hold")
    flops: PositiveInt | None = Field(None, description="floating-point operations for one sample")
    size: Bytes | None = Field(None, description="of the weights of the saved model, such as `5 MB`")
    memory: Bytes | None = Field(None, description="that training takes, such as `2 GB`")
    latency: Latency | None = Field(None, description="of one sample on one thread, as `export` measures it: `5 ms`")


class Spec(InNotebooks, SpecModel):
    """A whole spec."""

    later: ClassVar = {
        "search": "tries values for keys",
        "report": "what the report shows",
    }

    dlspec: Annotated[int, PlainValidator(_version)] = Field(description="the version of the language")
    name: Annotated[Text, AfterValidator(_run_name)] = ""
    description: Text = ""
    seed: NonNegativeInt = 42
    data: DataSpec = Field(description="what data there is")
    model: Annotated[TrainedModel, BeforeValidator(as_layers)] = Field(description="the layers of the network")
    pretrain: Annotated[PretrainingMethod | Entries, PlainValidator(read_pretraining)] | None = None
    train: TrainSpec = TrainSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    runtime: RuntimeSpec = RuntimeSpec()
    budget: BudgetSpec = BudgetSpec()

    _document: Document = PrivateAttr()
    _absent: frozenset[str] = PrivateAttr(default=frozenset())
    _doubtful: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def document(self) -> Document:
        """The text it was read from, for places in diagnostics."""
        return self._document

    @property
    def doubtful(self) -> frozenset[str]:
        """Keys of `data` whose values are wrong, and on which hangs what a network takes and gives."""
        return self._doubtful

    def has(self, section: str) -> bool:
        """Whether the section could be read; one that could not holds a stand-in."""
        return section not in self._absent

    @property
    def training(self) -> TrainingSettings:
        """What training needs of the spec."""
        return TrainingSettings(self.train, self.runtime, self.seed, self.model.heads)

    @property
    def place_of_loss(self) -> tuple[str, ...]:
        """Where the loss of the only output is said, or would be."""
        return self._place_of_training("loss")

    @property
    def place_of_class_weight(self) -> tuple[str, ...]:
        """Where it is said how much the classes of the only output count."""
        return self._place_of_training("class_weight")

    def _place_of_training(self, key: str) -> tuple[str, ...]:
        """Where a key of the only output is said, at the output or under `train`."""
        (name, *others) = self.model.outputs or [""]
        own = ("model", "outputs", name, key)
        return own if not others and self.is_written(*own) else ("train", key)

    @property
    def unrolled_at(self) -> Span | None:
        """Where it says that what is trained is the network and its mirror; None where it does not."""
        return self.span(*self.pretraining[-1].path, "then") if self.unrolls else None

    @property
    def unrolls(self) -> bool:
        """Whether what is trained is the network of the spec and its mirror: a deep autoencoder."""
        return self.then == "unroll"

    @property
    def pretraining(self) -> tuple[Entry, ...]:
        """The entries of `pretrain`, in order; none where it could not be read."""
        return entries_of(self.pretrain) if self.has("pretrain") else ()

    @property
    def then(self) -> str | None:
        """What follows pretraining; None without any."""
        return self.pretraining[-1].method.then if self.pretraining else None

    def written(self) -> dict[str, Any]:
        """The fields as plain YAML values, defaults included."""
        values = super().written()
        return {**values, "pretrain": written_entries(values["pretrain"])}

    def with_changes(self, **changes: Any) -> Spec:
        """The spec with other sections or values, and the same text behind it."""
        return self.model_copy(update=changes)

    def placed_in(
        self, document: Document, absent: frozenset[str] = frozenset(), doubtful: frozenset[str] = frozenset()
    ) -> Spec:
        """The spec as it was read: it and its sections know where they are written."""
        sections = {
            name: section.at(Places(document, (name,)))
            for name in type(self).model_fields
            if isinstance(section := getattr(self, name), Section)
        }
        data = self.data if {"data", "train"} & absent else self._read_by_loss()
        if "data" in sections:
            sections["data"] = data.at(Places(document, ("data",)))
        outputs = self.model.outputs if isinstance(self.model, TrainedModel) else None
        if outputs:
            sections["data"] = data.beside_outputs([given.target for given in outputs.values()])
            sections["data"] = sections["data"].at(Places(document, ("data",)))
        placed = self.model_copy(update=sections)
        placed._document, placed._absent, placed._doubtful = document, absent, doubtful
        return placed

    def _read_by_loss(self) -> DataSpec:
        """`data`, in which `{sequence: " "}` is a text that is read, and no tag for each word, where the loss says
        so."""
        if self.train.loss is None or not self.train.loss.aligns or not isinstance(self.data.target_type, TagOfWords):
            return self.data
        (name,) = self.data.target_names
        return self.data.model_copy(update={"target": {name: Sequenced(sequence=" ")}})

    def span(self, *path: str | int) -> Span:
        return self._document.span(*path)

    def key_span(self, *path: str | int) -> Span:
        return self._document.key_span(*path)

    def is_written(self, *path: str | int) -> bool:
        """Whether the spec itself says something at `path`."""
        return self._document.is_written(*path)

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        for section, model in SECTIONS.items():
            if key in model.model_fields and key not in cls.later and nearest(key, cls.keys()) is None:
                return mistake(
                    "unknown-key",
                    f"`{key}` is no key of the top level",
                    help=f"it belongs under `{section}`: write `{section}: {{{key}: …}}`",
                    at="key",
                )
        near = nearest(key, [*COMPOSITION, *cls.keys()])
        if near in COMPOSITION:
            help = f"did you mean `{near}`?"
            return mistake("unknown-key", f"unknown key `{key}`", help=help, at="key", meant=near)
        if near is None and key not in cls.later:
            help = f"the keys here are {one_of([*cls.keys(), *COMPOSITION])}"
            return mistake("unknown-key", f"unknown key `{key}`", help=help, at="key")
        return super()._explain_unknown(key)

    @classmethod
    def _explain_missing(cls, key: str) -> PydanticCustomError:
        if key == "dlspec":
            said = "`dlspec` is missing: the version of the language"
            return mistake("missing-key", said, help=f"add `dlspec: {VERSION}`", at="key")
        return super()._explain_missing(key)


COMPOSITION = {
    "extends": ("text or list of texts", "a spec that this one changes, or several, the first lowest"),
    "variables": ("mapping of names to values", "what `$name` and `$(…)` stand for"),
    "blocks": ("mapping of names to blocks", "lists of layers with `parameters`, to be used like a layer"),
}
"""Keys of the top level that are gone when a spec is read -> what may be written, what it means."""

SECTIONS: dict[str, type[SpecModel]] = {
    "train": TrainSpec,
    "data": DataSpec,
    "evaluate": EvaluateSpec,
    "runtime": RuntimeSpec,
    "budget": BudgetSpec,
    "pretrain": PretrainingMethod,
}
"""Name of a section that has keys -> their class."""
