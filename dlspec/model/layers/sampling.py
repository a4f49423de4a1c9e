"""The layer that draws the code of a variational autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from dlspec.language.fields import NonNegativeNumber
from dlspec.language.shapes import Shape, ShapeError, count, show_shape
from dlspec.model.layers.base import LAYERS, Example, Merging
from dlspec.model.layers.sight import Sight, together

if TYPE_CHECKING:
    from dlspec.model.graph import Graph, GraphLayer


@LAYERS.register
class Sampling(Merging):
    """Draws a code around its mean while training, and gives the mean in use: the middle of a variational autoencoder
    (Kingma and Welling, 2014).

    It takes the mean and the logarithm of the variance, gives mean + exp(log_var / 2) * noise, and adds `kl` times the
    Kullback-Leibler divergence of these distributions from the standard normal to the loss: the sum over the code, and
    over samples what the loss is, mostly the mean.

    Input shape:  two of (batch, ...), of the same sizes: the mean, and the logarithm of the variance
    Output shape: same as each input
    """

    takes: ClassVar = (2, 2)
    passes_mask = True
    examples: ClassVar = [
        Example({"sampling": {"from": ["mean", "log_var"]}}, [(None, 8), (None, 8)]),
        Example({"sampling": {"kl": 0.5, "from": ["mean", "log_var"]}}, [(None, 4, 4, 2), (None, 4, 4, 2)]),
    ]

    kl: NonNegativeNumber = Field(1.0, description="what the divergence is multiplied by in the loss")

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        mean, log_var = shapes
        known = len(mean) == len(log_var) and all(
            one == other or one is None or other is None for one, other in zip(mean[1:], log_var[1:], strict=True)
        )
        if not known:
            alike = len(mean) == len(log_var) and mean[1:-1] == log_var[1:-1]
            raise ShapeError(
                f"`sampling` needs a mean and a logarithm of the variance of one shape, got {show_shape(mean)} and "
                f"{show_shape(log_var)}",
                help=f"give both the same size, such as two layers `dense: {mean[-1]}` on the same layer"
                if alike
                else "let both come from two layers of one sort, such as `dense`, on the same layer",
            )
        return (None, *(one or other for one, other in zip(mean[1:], log_var[1:], strict=True)))

    def merged_flops(self, shapes: Sequence[Shape]) -> int:
        return 4 * count(self.merged_shape(shapes))

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        return together(seen)

    def build(self, name: str | None = None) -> Any:
        from dlspec.model.sampling_layer import SamplingLayer

        return SamplingLayer(self.kl, name=name, dtype=self.dtype)


def samplings(graph: Graph) -> list[GraphLayer]:
    """The layers of a network that draw codes which its output depends on."""
    return [layer for layer in graph.layers if isinstance(layer.layer, Sampling) and layer.name in graph.reached]
