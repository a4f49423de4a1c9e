"""The network below its output learns to fill in what was hidden from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.language.fields import Fraction, PositiveInt, Primary
from dlspec.pretraining.base import PRETRAINING, NetworkMethod, Refusal
from dlspec.training.plan import StagePlace, StageTask

if TYPE_CHECKING:
    from dlspec.model.graph import Graph

PATCHES_ACROSS = 6
"""About so many patches, or stretches of timesteps, lie side by side, unless `patch` says otherwise."""


@PRETRAINING.register
class Masked(NetworkMethod):
    """Hides a share of each sample and trains the whole network below its output, with a linear layer above it that is
    thrown away, to fill it in (He et al., 2022; with a linear layer for a decoder: Xie et al., 2022).

    Hidden are patches of a picture, stretches of timesteps of a sequence, columns of a table (each with all numbers
    that stand for it). Of the P parts of a sample x the same number, `share` * P, is drawn anew in every step; in their
    place the network sees a learned value for each channel. With m = 1 where x is hidden and z what comes out of the
    layer above, the loss of a sample is sum m (x - z)^2 / sum m: what was not hidden does not count. Held-out samples
    (`val_loss`) are hidden in the same places after every epoch.
    """

    examples: ClassVar = [
        {"method": "masked", "epochs": 5},
        {"method": "masked", "share": 0.75, "patch": 2, "optimizer": {"adam": 0.002}},
    ]

    share: Fraction = Primary(0.5, description="fraction of the patches, timesteps or columns that is hidden")
    patch: PositiveInt | None = Field(
        None,
        description="pixels on each side of a patch, or timesteps of a stretch; by default a sixth of the picture or "
        "sequence, and two at least; columns are hidden one by one",
    )

    def hides(self, place: StagePlace) -> Literal["columns", "timesteps", "patches"]:
        """What parts of a sample are hidden."""
        if len(place.known_shape) == 2:
            return "columns"
        return "timesteps" if len(place.known_shape) == 3 and place.in_time else "patches"

    def refuses_network(self, graph: Graph) -> Refusal | None:
        from dlspec.model.layers.imaging import moves_pixels
        from dlspec.model.masks import masks_of

        moving = next((layer for layer in graph.layers if moves_pixels(layer.layer)), None)
        masking = next(iter(masks_of(graph).makers.values()), None)
        if masking is not None:
            return Refusal(f"`masked` does not heed which timesteps `{masking}` masks in this version")
        if moving is not None:
            return Refusal(f"`{moving.name}` moves pixels, and where what `masked` fills in had been would be lost")
        return None

    def refuses(self, place: StagePlace) -> Refusal | None:
        shape = [size or 1 for size in place.known_shape[1:]]
        if len(shape) > 3:
            return Refusal("`masked` hides patches of pictures, timesteps or columns, and a sample has more axes here")
        kind = self.hides(place)
        if kind == "columns" and self.patch is not None:
            return Refusal(
                "`patch` is of pictures and sequences; the columns of a table are hidden one by one", "patch"
            )
        sides = shape[:1] if kind == "timesteps" else shape[:2]
        if kind != "columns" and self.patch is not None and self.patch >= max(sides):
            across = " x ".join(map(str, sides))
            return Refusal(
                f"a patch of {self.patch} is all of a sample of {across}, of which nothing would be left to see",
                "patch",
                f"write `patch: {max(1, max(sides) // PATCHES_ACROSS)}`",
            )
        if kind == "columns" and shape[0] < 2:
            return Refusal("`masked` fills in a column from others, and there is only one")
        return None

    def parts(self, place: StagePlace, widths: Sequence[int] = ()) -> Any:
        """Which part of a sample each of its places belongs to, as an array of numbers from 0 on.

        Args:
            widths: of a table, how many numbers stand for each column; empty where each stands for itself.

        Returns:
            (columns,), (timesteps, 1) or (rows, columns, 1), of a picture without channels (rows, columns).
        """
        import numpy as np

        shape, kind = place.known_shape[1:], self.hides(place)
        if kind == "columns":
            return np.repeat(np.arange(len(widths)), widths) if widths else np.arange(shape[0] or 1)
        sides = [size or 1 for size in (shape[:1] if kind == "timesteps" else shape[:2])]
        side = self.patch or min(max(2, round(max(sides) / PATCHES_ACROSS)), max(1, max(sides) // 2))
        numbers = np.arange(sides[0]) // side
        if kind == "timesteps":
            return numbers[:, None]
        across = -(-sides[1] // side)
        found = numbers[:, None] * across + (np.arange(sides[1]) // side)[None, :]
        return found[..., None] if len(shape) == 3 else found

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        from dlspec.pretraining._masked import MaskedModel

        parts = self.parts(place, task.widths)
        count = int(parts.max()) + 1
        hidden = min(count - 1, max(1, round(self.share * count)))
        model = MaskedModel(encoder, parts, hidden, place.known_shape, place.code_shape)
        model.build(place.known_shape)
        model.compile(optimizer=self.optimizer.over(task.steps))
        return model
