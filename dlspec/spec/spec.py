"""Source -> Spec: frozen, typed fields, every default filled in. No rule across fields: those are in `checks`."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, PrivateAttr, ValidationError
from pydantic_core import PydanticCustomError

from dlspec.data.datasets import DATASETS, AnyDataset
from dlspec.data.features import FEATURES, AnyFeature, Feature, Missing, Scale
from dlspec.data.sources.arrays import AnyArrays
from dlspec.data.sources.audio import AnyAudio
from dlspec.data.sources.base import Cache
from dlspec.data.sources.images import AnyImages
from dlspec.data.split import Split, Window
from dlspec.data.target import Targets, TargetType
from dlspec.evaluation.baselines import AnyBaseline
from dlspec.evaluation.metrics import AnyMetric
from dlspec.language.diagnostics import Span
from dlspec.language.fields import (
    Bytes,
    Flag,
    NonNegativeInt,
    OneOrMore,
    Paths,
    PositiveInt,
    PositiveNumber,
    SpecModel,
    Text,
    Time,
    did_you_mean,
    joined_errors,
    mistake,
    nearest,
    one_of,
    rebuild_error,
    show_value,
)
from dlspec.language.section import Places, Section
from dlspec.language.yaml import Source
from dlspec.model.keras_kind import AnyCallback, AnySchedule, either
from dlspec.model.layers import LAYERS, LayerSpec, Shape
from dlspec.model.layers.base import LayerName
from dlspec.model.layers.combining import Items
from dlspec.pretraining import PRETRAINING, PretrainingMethod, Taken
from dlspec.spec.composition.extends import SOURCES
from dlspec.training.early_stopping import EarlyStopping
from dlspec.training.losses import AnyLoss
from dlspec.training.optimizers import Adam, AnyOptimizer, Optimizer
from dlspec.training.optimizers.base import CLIPS

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


def _labels(value: Any) -> int | float:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    share = isinstance(value, float) and 0 < value < 1
    if not whole and not share:
        raise mistake(
            "out-of-range",
            f"`labels` is a number of labels, or a share between 0 and 1, got {show_value(value)}",
        )
    return value


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
                help="write `features: [age, city]`, or `features: {age: numeric, city: category}`",
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
    images: AnyImages | None = None
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
    time: Text | None = None
    group: Text | None = None
    target: Targets | None = None
    features: Features | None = None
    window: Window | None = None
    predict: Literal["level", "difference", "return"] | None = None
    scale: Scale = "standard"
    missing: Missing = "error"
    split: Split = Split()
    labels: Annotated[int | float, PlainValidator(_labels)] | None = None
    limit: PositiveInt | None = None
    cache: Cache = "auto"

    unlabeled: UnlabeledSpec | None = None

    @property
    def target_names(self) -> list[str]:
        """The columns that the spec names as targets."""
        given = self.target
        return [given] if isinstance(given, str) else list(given or [])

    @property
    def target_type(self) -> TargetType | None:
        """What the targets hold, all of them the same, where the spec says it."""
        return next(iter(self.target.values())) if isinstance(self.target, dict) else None

    @property
    def feature_names(self) -> list[str] | None:
        """The columns that the spec names as features."""
        return None if self.features is None else list(self.features)

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

    def model_post_init(self, context: object) -> None:
        _need_one_source(self, "data")


class GradientClipping(SpecModel):
    """Limits the gradient of each weight matrix (`norm`), each weight (`value`) or all together (`global_norm`)."""

    norm: PositiveNumber | None = None
    value: PositiveNumber | None = None
    global_norm: PositiveNumber | None = None

    def model_post_init(self, context: object) -> None:
        given = [name for name in CLIPS if getattr(self, name) is not None]
        if len(given) != 1:
            raise mistake(
                "wrong-value",
                f"`gradient_clipping` takes one of {one_of(CLIPS)}, got {one_of(given) if given else 'none'}",
                help=f"keep `{given[0]}`" if given else "write `gradient_clipping: {norm: 1.0}`",
            )

    @property
    def arguments(self) -> dict[str, float]:
        """As the optimizer's arguments."""
        return {argument: getattr(self, key) for key, argument in CLIPS.items() if getattr(self, key) is not None}


ClassWeight = Annotated[
    Literal["balanced"] | Annotated[dict[Text, PositiveNumber], Field(min_length=1)],
    either("`balanced`, or a number above zero for each class by its label"),
]


class TrainSpec(Section):
    """How the whole network is trained."""

    loss: AnyLoss | None = None
    optimizer: AnyOptimizer = Adam()
    schedule: AnySchedule | None = None
    gradient_clipping: GradientClipping | None = None
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 32
    class_weight: ClassWeight | None = None
    early_stopping: EarlyStopping | None = None
    callbacks: Annotated[list[AnyCallback], OneOrMore] | None = None
    checkpoint_every: Time | None = None

    @property
    def clipped_optimizer(self) -> Optimizer:
        """The optimizer, with `gradient_clipping` where that is given."""
        clipping = self.gradient_clipping
        return self.optimizer.model_copy(update=clipping.arguments) if clipping else self.optimizer


@dataclass(frozen=True)
class TrainingSettings:
    """All that a training needs besides a plan and data."""

    train: TrainSpec
    runtime: RuntimeSpec
    seed: int


class WithoutPretraining(SpecModel):
    """The same network trained without pretraining, by as many seeds as it is trained with it."""

    seeds: PositiveInt = Field(3, description="how many seeds, the first that of the run")

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{seeds: {value}}}" if isinstance(value, int) and not isinstance(value, bool) else None


class CompareSpec(SpecModel):
    """What else is trained, to see what something is good for."""

    without_pretraining: WithoutPretraining = Field(description="the same network without pretraining")


class EvaluateSpec(Section):
    """What the trained network is compared with, and by which metrics."""

    metrics: Annotated[list[AnyMetric], OneOrMore, Field(min_length=1)] | None = None
    baselines: Annotated[list[AnyBaseline], OneOrMore] | None = None
    compare: CompareSpec | None = None


class DistributeSpec(SpecModel):
    """Several devices of one machine, each with a copy of the network and a part of every batch."""

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{strategy: {value}}}" if isinstance(value, str) else None

    strategy: Literal["mirrored"] = Field(description="`mirrored`: after each step all copies are the same")
    devices: PositiveInt | None = Field(
        None, description="how many; by default all GPUs; on a CPU, as many parts of it, to try it out"
    )


class RuntimeSpec(Section):
    """Where and how it runs."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    deterministic: Flag = False
    xla: Literal["auto", "on", "off"] = "auto"
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    distribute: DistributeSpec | None = None


class BudgetSpec(SpecModel):
    """What the network may cost at most."""

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{parameters: {value}}}" if isinstance(value, int) and not isinstance(value, bool) else None

    parameters: PositiveInt | None = Field(None, description="numbers that the layers hold")
    flops: PositiveInt | None = Field(None, description="floating-point operations for one sample")
    size: Bytes | None = Field(None, description="of the weights of the saved model, such as `5 MB`")
    memory: Bytes | None = Field(None, description="that training takes, such as `2 GB`")


def _read_pretraining(value: Any) -> PretrainingMethod:
    """Looks the method up first, then reads the other keys with its class."""
    if isinstance(value, PretrainingMethod):
        return value
    if not isinstance(value, dict):
        raise mistake(
            "wrong-type",
            f"`pretrain` must be a mapping of keys, got {show_value(value)}",
            help="write `pretrain: {method: autoencoder}`",
        )
    settings = dict(value)
    name = settings.pop("method", None)
    if name is None and "from" in settings:
        Taken.refuse_settings(settings)
        return Taken.model_validate(settings)
    if name is None:
        raise mistake(
            "missing-key",
            "`method` is missing: how layers are pretrained",
            help="add `method: autoencoder`",
            at="key",
        )
    if not isinstance(name, str) or name not in PRETRAINING:
        said = mistake(
            "unknown-pretraining-method",
            f"there is no pretraining method {show_value(name).removeprefix('the text ')}",
            help=did_you_mean(str(name), PRETRAINING),
        )
        raise PRETRAINING.error(said, ("method",), name)
    return PRETRAINING[name].model_validate(settings)


class Broken(LayerSpec):
    """Stands for a layer that was written wrongly, so that what stands around it can still be checked."""

    takes: ClassVar = (0, None)
    _meant: type[LayerSpec] | None = PrivateAttr(default=None)
    _certain: bool = PrivateAttr(default=False)

    @classmethod
    def standing_for(cls, written: Any) -> Broken:
        """A stand-in that knows which layer was meant, where that can be told."""
        name = next(iter(written), None) if isinstance(written, dict) else written
        near = nearest(name, LAYERS) if isinstance(name, str) else None
        meant = LAYERS[near] if near else None
        broken = cls()
        broken._meant = meant if meant is not None and issubclass(meant, LayerSpec) else None
        broken._certain = near == name
        arguments = written.get(name) if isinstance(written, dict) and name else None
        given = arguments.get("name") if isinstance(arguments, dict) else None
        if isinstance(given, str):  # so that what speaks of it still finds it
            broken = broken.model_copy(update={"name": given})
        return broken

    @property
    def counted_as(self) -> str:
        return self._meant.type_name if self._meant else "layer"

    @property
    def kind(self) -> type[LayerSpec]:
        return self._meant if self._meant and self._certain else type(self)

    def infer(self, *shapes: Shape | None) -> Shape | None:
        """Raises ShapeError when what was surely meant cannot stand here whatever its arguments are."""
        if len(shapes) != 1 or shapes[0] is None or self._meant is None:
            return None
        if self._certain:
            self._meant.check_axes(shapes[0])
        return shapes[0] if self._meant.keeps_shape else None

    def counts(self, *shapes: Shape) -> tuple[int, int, int]:
        return 0, 0, 0


class InputSpec(SpecModel):
    """An input of the network, and the columns that it takes."""

    features: Annotated[list[Text], OneOrMore, Field(min_length=1)] = Field(description="its columns")


class OutputSpec(SpecModel):
    """An output of the network, and the column that it predicts."""

    target: Text = Field(description="the column to predict")
    from_: Text | None = Field(None, description="the layer below it, instead of the last one")


def _as_features(value: Any) -> Any:
    return value if isinstance(value, dict | InputSpec) else {"features": value}


def _as_target(value: Any) -> Any:
    return value if isinstance(value, dict | OutputSpec) else {"target": value}


class ModelSpec(Section):
    """The layers of the network, and its inputs and outputs where there are several. A list alone is the layers."""

    inputs: (
        Annotated[dict[LayerName, Annotated[InputSpec, BeforeValidator(_as_features)]], Field(min_length=1)] | None
    ) = None
    layers: Items = Field(description="the layers of the network")
    outputs: (
        Annotated[dict[LayerName, Annotated[OutputSpec, BeforeValidator(_as_target)]], Field(min_length=1)] | None
    ) = None

    @property
    def columns_of_inputs(self) -> dict[str, list[str]] | None:
        """Input -> the columns that it takes; None where the spec names no inputs."""
        return None if self.inputs is None else {name: given.features for name, given in self.inputs.items()}

    def written(self) -> Any:
        written = {key: value for key, value in super().written().items() if value is not None}
        return written["layers"] if list(written) == ["layers"] else written


def _as_layers(value: Any) -> Any:
    if isinstance(value, list):
        return {"layers": value}
    keys = ModelSpec.keys()
    if isinstance(value, dict) and value and not any(nearest(name, keys) in keys for name in value if name != "output"):
        name = next(iter(value))
        if nearest(name, LAYERS):
            raise mistake(
                "wrong-type",
                "the layers of the network are a list, got a mapping",
                help=f"put `- ` before each layer, as in `- {name}`",
            )
    if value is None:
        raise mistake("wrong-type", "`model` has no layers", help="write `- output` below it, and layers above that")
    return value


class Spec(SpecModel):
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
    model: Annotated[ModelSpec, BeforeValidator(_as_layers)] = Field(description="the layers of the network")
    pretrain: Annotated[PretrainingMethod, PlainValidator(_read_pretraining)] | None = None
    train: TrainSpec = TrainSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    runtime: RuntimeSpec = RuntimeSpec()
    budget: BudgetSpec = BudgetSpec()

    _source: Source = PrivateAttr()
    _absent: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def source(self) -> Source:
        """The text it was read from, for places in diagnostics."""
        return self._source

    def has(self, section: str) -> bool:
        """Whether the section could be read; one that could not holds a stand-in."""
        return section not in self._absent

    @property
    def training(self) -> TrainingSettings:
        """What training needs of the spec."""
        return TrainingSettings(self.train, self.runtime, self.seed)

    @property
    def unrolled_at(self) -> Span | None:
        """Where it says that what is trained is the network and its mirror; None where it does not."""
        return self.span("pretrain", "then") if self.unrolls else None

    @property
    def unrolls(self) -> bool:
        """Whether what is trained is the network of the spec and its mirror: a deep autoencoder."""
        return self.pretrain is not None and self.has("pretrain") and self.pretrain.then == "unroll"

    def with_changes(self, **changes: Any) -> Spec:
        """The spec with other sections or values, and the same text behind it."""
        return self.model_copy(update=changes)

    def placed_in(self, source: Source, absent: frozenset[str] = frozenset()) -> Spec:
        """The spec as it was read: it and its sections know where they are written."""
        sections = {
            name: section.at(Places(source, (name,)))
            for name in type(self).model_fields
            if isinstance(section := getattr(self, name), Section)
        }
        placed = self.model_copy(update=sections)
        placed._source, placed._absent = source, absent
        return placed

    def span(self, *path: str | int) -> Span:
        return self._source.span(*path)

    def key_span(self, *path: str | int) -> Span:
        return self._source.key_span(*path)

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        for section, model in _SECTIONS.items():
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

_SECTIONS: dict[str, type[SpecModel]] = {
    "train": TrainSpec,
    "data": DataSpec,
    "evaluate": EvaluateSpec,
    "runtime": RuntimeSpec,
    "budget": BudgetSpec,
    "pretrain": PretrainingMethod,
}
