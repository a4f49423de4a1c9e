"""What a pretraining method declares: its settings, and the model that trains one layer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from dlspec.language.fields import PositiveInt, SpecModel, Text, joined_errors, mistake, rebuild_error, show_value
from dlspec.language.registry import Kind, Registry, brief_of
from dlspec.language.shapes import Shape
from dlspec.language.words import did_you_mean, nearest, one_of
from dlspec.training.early_stopping import StageStopping
from dlspec.training.optimizers import Adam, AnyOptimizer
from dlspec.training.plan import StagePlace, StageTask

if TYPE_CHECKING:
    from dlspec.model.graph import Graph, GraphLayer


MEANT = {
    "lr": "optimizer: {adam: …}",
    "learning_rate": "optimizer: {adam: …}",
    "rate": "optimizer: {adam: …}",
    "patience": "early_stopping: {patience: …}",
    "cd_k": "gibbs_steps: …",
    "k": "gibbs_steps: …",
    "noise": "corruption: {masking: …}",
}
"""What people write who mean a setting of a method -> how it is written."""


OF_LAYERS = ("layers", "per_layer", "from_")
"""Fields of methods that train single layers."""


@dataclass(frozen=True)
class Refusal:
    """Why a layer cannot be pretrained.

    Args:
        key: the setting of the method that is to blame; None where the method itself cannot do it.
        help: what to do about it, where that is not to leave the setting or the layer out.
    """

    message: str
    key: str | None = None
    help: str | None = None


class PretrainingMethod(Kind):
    """Base of the methods that train one layer at a time, from the lowest up (Hinton et al., 2006)."""

    of_whole: ClassVar = ("layers", "per_layer", "then", "thaw_after", "from")
    """Keys that are about all stages together."""
    needs_labels: ClassVar[bool] = False
    of_network: ClassVar[bool] = False
    """Whether it trains the whole network below its output in one stage, and no single layers."""
    passes: ClassVar[float] = 2.0
    """What a step costs, in passes through the layer: an encoder and a decoder are two."""

    layers: list[Text] | None = Field(None, min_length=1, description="names of the layers, lowest first")
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 32
    optimizer: AnyOptimizer = Adam()
    early_stopping: StageStopping | None = None
    per_layer: dict[Text, Any] | None = Field(None, min_length=1)
    then: Literal["fine_tune", "freeze", "unroll"] = "fine_tune"
    thaw_after: PositiveInt | None = None
    from_: Text | None = None

    @field_validator("per_layer", mode="before")
    @classmethod
    def _read_layers(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        read, errors = {}, []
        for name, settings in value.items():
            try:
                read[name] = cls._read_layer(name, settings)
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise joined_errors(errors, cls.__name__)
        return read

    @classmethod
    def _read_layer(cls, name: Any, settings: Any) -> Any:
        """The settings of one layer: an instance in which only what is written counts."""
        if isinstance(settings, PretrainingMethod):
            return settings
        problem = None
        keys = cls.stage_keys()
        if not isinstance(settings, dict) or not settings:
            help = f"its keys are {one_of(keys)}"
            problem = mistake("wrong-type", f"`{name}` needs settings, got {show_value(settings)}", help=help)
            place: tuple[Any, ...] = (name,)
        else:
            wrong = next((key for key in settings if key in ("method", *cls.of_whole)), None)
            if wrong is not None:
                said, help = f"`{wrong}` is of all layers together", f"write `{wrong}` under `pretrain`"
                problem, place = mistake("unknown-key", said, help=help, at="key"), (name, wrong)
        if problem is not None:
            raise ValidationError.from_exception_data(
                cls.__name__, [{"type": problem, "loc": place, "input": settings}]
            )
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            raise rebuild_error(error, cls.__name__, lambda line: line, below=(name,)) from None

    @classmethod
    def has_key(cls, key: str) -> bool:
        """Whether it is one of its settings."""
        return key in list(cls.keys())

    @classmethod
    def stage_keys(cls) -> list[str]:
        """Keys that a layer may have its own value of."""
        return [key for key in list(cls.keys()) if key not in cls.of_whole]

    def of_layer(self, name: str) -> PretrainingMethod:
        """The method with the settings of one layer."""
        own = (self.per_layer or {}).get(name)
        if own is None:
            return self
        return self.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})

    def of_one_stage(self) -> PretrainingMethod:
        """The method without what is said of other layers."""
        return self.model_copy(update={"layers": None, "per_layer": None})

    def chosen(self, graph: Graph) -> list[GraphLayer]:
        """The layers that get a stage, lowest first: those named, or all with weights below the output."""
        if self.layers is not None:
            return [
                layer
                for layer in graph.layers
                if layer.name in self.layers and layer.layer.has_weights and layer.shares is None and not layer.mirrors
            ]
        return graph.hidden

    @abstractmethod
    def refuses(self, place: StagePlace) -> Refusal | None:
        """Why the layer cannot be pretrained by this method, or None."""

    @abstractmethod
    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        """The compiled stage model (see `_stage_model`) that trains one layer.

        Args:
            encoder: Keras layers of the final model for `place.code`; trained in place.
        """

    def encoder(self, network: Any, names: tuple[str, ...], below: str) -> list[Any]:
        """The Keras layers of a stage."""
        return [network.get_layer(name) for name in names]

    def warnings(self, place: StagePlace) -> Iterator[tuple[str, str, str]]:
        """What is likely a mistake for a layer: the key at fault, what is wrong, and what to write."""
        return iter(())

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        others = [name for name in PRETRAINING if PRETRAINING[name].has_key(key)]
        meant = MEANT.get(key)
        if others:
            help = f"remove `{key}`, which belongs to {one_of(others)}"
            if key == "loss" and cls.needs_labels:
                help = "remove `loss`: it is that of `train`"
            return mistake("unknown-key", f"`{cls.type_name}` has no `{key}`", help=help, at="key")
        if meant and cls.has_key(meant.partition(":")[0]):
            return mistake("unknown-key", f"unknown key `{key}`", help=f"write `{meant}`", at="key")
        return super()._explain_unknown(key)

    def written(self) -> dict[str, Any]:
        return {"method": self.type_name, **self._settings(self.keys())}

    def brief_settings(self) -> dict[str, dict[str, Any]]:
        """Layer -> its own settings, as a person would write them."""
        return {
            name: {field.removesuffix("_"): brief_of(getattr(own, field)) for field in sorted(own.model_fields_set)}
            for name, own in (self.per_layer or {}).items()
        }

    def _settings(self, keys: Sequence[str] | dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = SpecModel.written(self.model_copy(update={"per_layer": None}))
        if self.per_layer:
            fields["per_layer"] = {
                name: {
                    key: value
                    for key, value in SpecModel.written(own).items()
                    if key in {field.removesuffix("_") for field in own.model_fields_set}
                }
                for name, own in self.per_layer.items()
            }
        return {key: fields[key] for key in keys}


class NetworkMethod(PretrainingMethod):
    """Base of the methods that train the whole network below its output in one stage.

    `refuses` and `build` are given the network as a place: its layers in order, and the shapes of what it takes and
    gives; `encoder` is that network as one Keras model.
    """

    of_network = True
    takes_words: ClassVar[bool] = False
    """Whether numbers that the network sees may stand for words."""
    passes = 1.0

    def network(self, graph: Graph) -> list[GraphLayer]:
        """The layers that are trained, lowest first; none where there is no single output layer."""
        output = graph.output_layer
        needed = graph.needed_by(output.inputs) if output is not None else ()
        return [layer for layer in graph.layers if layer.name in needed]

    def ends_in(self, graph: Graph) -> Shape | None:
        """The shape of what comes out of them, batch first."""
        return graph.output_layer.input_shape if graph.output_layer is not None else None

    def refuses_network(self, graph: Graph) -> Refusal | None:
        """Why a network with one input and one output cannot be pretrained, or None."""
        return None

    def encoder(self, network: Any, names: tuple[str, ...], below: str) -> list[Any]:
        """What `build` is given of a Keras network.

        Args:
            names: of the layers that are trained.
            below: the output layer.
        """
        import keras

        return [keras.Model(network.input, network.get_layer(below).input, name=f"below_{below}")]

    @classmethod
    def fields_in_order(cls) -> dict[str, FieldInfo]:
        return {name: field for name, field in cls.model_fields.items() if name not in OF_LAYERS}

    @field_validator(*OF_LAYERS, mode="before")
    @classmethod
    def _no_layers(cls, value: Any, info: ValidationInfo) -> Any:
        key = str(info.field_name).removesuffix("_")
        help = f"remove `{key}`"
        if key == "from":
            help = "take its layers in an entry before this one: `pretrain: [{from: …}, {method: …}]`"
        said = f"`{cls.type_name}` trains the whole network below its output, and has no `{key}`"
        raise mistake("unknown-key", said, help=help, at="key")


class Taken(PretrainingMethod):
    """Stands for a `pretrain` without a method, which takes layers from another run and pretrains none."""

    def refuses(self, place: StagePlace) -> Refusal | None:
        return None

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        raise AssertionError("layers of another run need no stage")

    @classmethod
    def refuse_settings(cls, written: Mapping[str, Any]) -> None:
        """Raises ValidationError where settings of a method stand without one."""
        for key in written:
            of_method = any(PRETRAINING[name].has_key(key) for name in PRETRAINING)
            if of_method and (key == "per_layer" or key not in cls.of_whole):
                said = mistake(
                    "unknown-key",
                    f"`{key}` is a setting of a method, and `pretrain` names none",
                    help="add `method: autoencoder`, which pretrains the layers that the other run does not have",
                    at="key",
                )
                raise PRETRAINING.error(said, (key,), written)

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        help = did_you_mean(key, ("method", *cls.of_whole), find=nearest)
        return mistake("unknown-key", f"unknown key `{key}`", help=help, at="key")

    def written(self) -> dict[str, Any]:
        return self._settings([key for key in self.of_whole if key != "per_layer"])


PRETRAINING: Registry[PretrainingMethod] = Registry("pretraining method", "dlspec.pretraining", lazy=True)
