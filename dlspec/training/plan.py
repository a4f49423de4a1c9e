"""What will be trained in which order, as data that one can print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from dlspec.language.shapes import Shape
from dlspec.language.words import within
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.regularization import Regularizing

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.data.signature import Target
    from dlspec.training.early_stopping import StageStopping
    from dlspec.training.losses import Loss
    from dlspec.training.optimizers import Optimizer

FINE_TUNE, FROZEN, THAWING = "fine_tune", "fine_tune:frozen", "fine_tune:thawing"
"""All layers learn; none of those that are frozen does; some of them do."""


@dataclass(frozen=True)
class StagePlace:
    """Where in the network a stage stands.

    Args:
        code: the layer with weights, and behind it those that belong to its code.
        input_shape: of the layer, batch first; None where it is not known.
        inside: whether the layer's input lies in [0, 1].
        at_input: whether it sees the data themselves, at most in another shape.
        ends_in: of a whole network, the shape of what comes out, batch first.
        in_time: whether the second axis of what it sees are timesteps.
    """

    code: tuple[LayerSpec, ...]
    input_shape: Shape | None
    inside: bool = False
    at_input: bool = False
    ends_in: Shape | None = None
    in_time: bool = False

    @property
    def layer(self) -> LayerSpec:
        """The layer with weights."""
        return self.code[0]

    @property
    def known_shape(self) -> Shape:
        """Of its input, once checks have refused stages without a shape."""
        assert self.input_shape is not None, "checks refuse a stage without shape"
        return self.input_shape

    @property
    def shapes(self) -> list[Shape]:
        """What each layer of the code takes."""
        return self._flow[:-1]

    @property
    def code_shape(self) -> Shape:
        """Of the code."""
        return self.ends_in or self._flow[-1]

    @property
    def _flow(self) -> list[Shape]:
        shapes = [self.known_shape]
        for layer in self.code:
            shapes.append(layer.infer(shapes[-1]) or shapes[-1])
        return shapes


@dataclass(frozen=True)
class StageTask:
    """What a stage is trained on, as far as its model must know.

    Args:
        steps: weight updates in all epochs together.
        target, loss: of the whole network, for methods that need labels.
        widths: of a table, how many numbers the network sees of each column.
    """

    steps: int
    target: Target | None = None
    loss: Loss | None = None
    widths: tuple[int, ...] = ()


class StageMethod(Protocol):
    """How a stage trains layers, as the methods of pretraining are written."""

    @property
    def type_name(self) -> str: ...

    @property
    def needs_labels(self) -> bool: ...

    @property
    def passes(self) -> float:
        """What a step costs, in passes through the layer."""

    @property
    def optimizer(self) -> Optimizer: ...

    @property
    def early_stopping(self) -> StageStopping | None: ...

    def of_one_stage(self) -> Any:
        """What decides which model it builds: equal for stages that are built alike."""

    def encoder(self, network: Any, names: tuple[str, ...], below: str) -> list[Any]:
        """The Keras layers of a stage that trains all layers below another one."""

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        """The compiled model that trains the Keras layers of a stage, in place."""


@dataclass(frozen=True)
class Stage:
    """One training: of a single layer, of all layers below the output, or of the whole network.

    Args:
        name: `pretrain:lstm_1` or `fine_tune`, as in `history.csv`.
        layer: the layer that is pretrained; None in fine-tuning, and where the whole network is.
        encoder: names of the layers that make its code: the layer itself, and pooling, normalization and activation
            behind it; or all layers below the output.
        place: the same layers as their classes, with what the lowest of them sees; None in fine-tuning.
        method: how it is pretrained, with the settings of this layer.
        frozen: of fine-tuning: layers that stay as pretraining made them, or as others have trained them.
        set_at: where its settings are written.
        below: the layer below which all others are pretrained; None where it is not so.
    """

    name: str
    kind: Literal["pretrain", "fine_tune"]
    epochs: int
    batch_size: int
    layer: GraphLayer | None = None
    encoder: tuple[str, ...] = ()
    place: StagePlace | None = None
    method: StageMethod | None = None
    frozen: tuple[str, ...] = ()
    set_at: tuple[str | int, ...] = ("train",)
    below: str | None = None

    @property
    def set_in(self) -> str:
        """Where its settings are written, as a message says it."""
        return within(self.set_at)

    def is_built_as(self, other: Stage) -> bool:
        """Whether the models of two stages of pretraining compute the same, with weights of their own."""
        return self.below is None and other.below is None and self._form() == other._form()

    def _form(self) -> tuple[Any, ...]:
        assert self.method is not None, "a pretraining stage has a method"
        assert self.place is not None, "a pretraining stage has a place"
        layers = [layer.model_copy(update={"name": None, "from_": None}) for layer in self.place.code]
        return self.batch_size, self.method.of_one_stage(), layers, self.place.input_shape, self.place.inside


class SampleCounts(NamedTuple):
    """How many samples training sees in an epoch."""

    labelled: int
    unlabeled: int

    @classmethod
    def of(cls, data: Prepared) -> SampleCounts:
        """How many there are in prepared data."""
        return cls(len(data.train), len(data.pretraining_inputs))


@dataclass(frozen=True)
class Plan:
    """The stages in order.

    Args:
        taken_from: run that `from` names -> layers that start with the weights that they have there.
    """

    graph: Graph
    stages: tuple[Stage, ...]
    samples: SampleCounts | None = None
    taken_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def taken(self) -> tuple[str, ...]:
        """Layers that start with the weights that they have in another run."""
        return tuple(name for names in self.taken_from.values() for name in names)

    @property
    def pretraining(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.kind == "pretrain")

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Layers that a stage of pretraining has trained, where it trained them alone without those of their code."""
        names = ((stage.layer.name,) if stage.layer else stage.encoder for stage in self.pretraining)
        each = dict.fromkeys(name for group in names for name in group)
        return tuple(name for name in each if self.graph[name].layer.has_weights)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Layers that fine-tuning leaves, at first or to the end, as pretraining or others made them."""
        return next((stage.frozen for stage in self.stages if stage.frozen), ())


def code_of(graph: Graph, layer: GraphLayer) -> tuple[str, ...]:
    """The layer, and behind it those that belong to its code, as long as nothing else takes what is between, and their
    input is known and fits them.

    Dropout and noise in between do nothing in pretraining, which has its own.
    """
    names, at, consumers = [layer.name], layer.name, graph.consumers
    while len(consumers[at]) == 1:
        above = graph[consumers[at][0]]
        if above.name in graph.outputs or above.mirrors or len(above.inputs) != 1 or above.input_shape is None:
            break
        if above.layer.follows_code:
            names.append(above.name)
        elif not isinstance(above.layer, Regularizing):
            break
        at = above.name
    return tuple(names)
