"""What a pretraining method declares: its settings, and the model that trains one layer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from dlspec.fields import PositiveInt, Text, mistake, not_yet, one_of
from dlspec.layers.base import LayerSpec, Shape
from dlspec.parts.optimizers import Adam, AnyOptimizer
from dlspec.registry import Kind, Registry

if TYPE_CHECKING:
    from dlspec.graphs import Graph, GraphLayer


@dataclass(frozen=True)
class Refusal:
    """Why a layer cannot be pretrained.

    Args:
        key: the setting of the method that is to blame; None where the method itself cannot do it.
    """

    message: str
    key: str | None = None


def _no_unroll(value: Any) -> Any:
    if value == "unroll":
        raise not_yet("`then: unroll` (a deep autoencoder)", at="value")
    return value


class PretrainingMethod(Kind):
    """Base of the methods that train one layer at a time, from the lowest up (Hinton et al., 2006)."""

    later: ClassVar = {
        "per_layer": "settings of single layers",
        "from": "starts from the layers of another run",
        "early_stopping": "ends a stage on held-out reconstruction error",
    }

    layers: list[Text] | None = Field(None, min_length=1, description="names of the layers, lowest first")
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 32
    optimizer: AnyOptimizer = Adam()
    then: Annotated[Literal["fine_tune", "freeze"], BeforeValidator(_no_unroll)] = "fine_tune"

    def chosen(self, graph: Graph) -> list[GraphLayer]:
        """The layers that get a stage, lowest first: those named, or all with weights below the output."""
        if self.layers is not None:
            return [
                layer
                for layer in graph.layers
                if layer.name in self.layers and layer.layer.has_weights and layer.shares is None
            ]
        return graph.hidden

    @abstractmethod
    def refuses(self, layer: LayerSpec, input_shape: Shape | None) -> Refusal | None:
        """Why the layer cannot be pretrained by this method, or None."""

    @abstractmethod
    def build(self, encoder: list[Any], layer: LayerSpec, input_shape: Shape, unit_interval: bool) -> Any:
        """The compiled Keras model that trains one layer.

        It takes the layer's input and is trained to give it back.

        Args:
            encoder: Keras layers of the final model, the one with weights first; trained in place.
            layer: the spec of that layer.
            input_shape: of the layer, batch first.
            unit_interval: whether the layer's input lies in [0, 1].
        """

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        others = [name for name in PRETRAINING if key in PRETRAINING[name].model_fields]
        if others:
            return mistake(
                "unknown-key",
                f"`{cls.type_name}` has no `{key}`",
                help=f"`{key}` belongs to {one_of(others)}: write `method: {others[0]}`",
                at="key",
            )
        return super()._explain_unknown(key)

    def written(self) -> dict[str, Any]:
        return {"method": self.type_name, **super(Kind, self).written()}


PRETRAINING: Registry[PretrainingMethod] = Registry(
    "pretraining method",
    "dlspec.pretraining",
    later=("sparse_autoencoder", "contractive_autoencoder", "rbm", "supervised"),
)
