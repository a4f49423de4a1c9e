"""Ways to combine layers: repeat them, skip over them, run several paths side by side, use one layer twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from dlspec.language.fields import OneOrMore, PositiveInt, Primary, Text, mistake
from dlspec.language.shapes import Path
from dlspec.model.layers.base import (
    LAYERS,
    AnyItem,
    Builder,
    Group,
    Items,
    LayerName,
    LayerSpec,
    Merging,
    ModelItem,
    Wire,
)
from dlspec.model.layers.merging import Add, Concatenate


@LAYERS.register
class Repeat(Group):
    """Lays the same layers several times, one after the other, each time with weights of its own.

    A layer that has a `name` is numbered: `h_1`, `h_2`. With `each`, every copy has other values, which its layers use
    as `$name`; several lists run side by side. A layer above takes what comes out of one layer in all copies by
    `from: {all: h}`.
    """

    examples: ClassVar = [{"repeat": {"times": 3, "layers": [{"dense": 8}, {"dropout": 0.2}]}}]

    times: PositiveInt | None = Field(None, description="how often")
    each: dict[Text, Annotated[list[Any], Field(min_length=1)]] | None = Field(
        None, description="instead of `times`: names and their value in each copy"
    )
    layers: Items = Field(description="what is repeated")

    def model_post_init(self, context: object) -> None:
        if self.times is None:  # `each` is written out before
            raise mistake("missing-key", "`repeat` needs `times`, or `each`", help="add `times: 3`", at="key")

    def times_laid(self) -> int:
        return self.times or 1

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        wire = wires[0]
        for _ in range(self.times_laid()):
            wire = builder.walk(self.layers, wire, (*path, "repeat", "layers"))
        return wire


@LAYERS.register
class Skip(Group):
    """Adds what goes into the layers to what comes out of them (He et al., 2016), so both need one shape."""

    examples: ClassVar = [{"skip": [{"dense": 8}, "layer_normalization"]}]

    layers: Items = Primary(description="what is skipped over")
    name: LayerName | None = None

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        end = builder.walk(self.layers, wires[0], (*path, "skip", "layers"))
        return builder.place(Add(name=self.name), [wires[0], end], path, self)


def _merging(item: ModelItem) -> ModelItem:
    if not isinstance(item, Merging) or item.from_ is not None:
        names = ", ".join(f"`{name}`" for name in ("concatenate", "add", "average", "maximum", "multiply"))
        raise mistake(
            "wrong-value", f"`merge` names a layer that merges, got `{item.type_name}`", help=f"write {names}"
        )
    return item


@LAYERS.register
class Branches(Group):
    """Runs several lists of layers on the same input and merges what comes out. An empty list passes the input on."""

    lists: ClassVar = ("paths",)
    examples: ClassVar = [
        {"branches": [[{"dense": 8}], [{"dense": 4}, {"dense": 8}]]},
        {"branches": {"merge": "add", "paths": [[], [{"dense": {"units": 8, "activation": "relu"}}]]}},
    ]

    paths: Annotated[list[list[AnyItem]], Field(min_length=2)] = Primary(description="lists of layers, side by side")
    merge: Annotated[AnyItem, AfterValidator(_merging)] = Field(Concatenate(), description="how they come together")
    name: LayerName | None = None

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        ends = [builder.walk(items, wires[0], (*path, "branches", "paths", i)) for i, items in enumerate(self.paths)]
        assert isinstance(self.merge, LayerSpec), "checked when it was read"
        return builder.place(self.merge.model_copy(update={"name": self.name or self.merge.name}), ends, path, self)


@LAYERS.register
class Shared(ModelItem):
    """Applies layers that stand above once more, with the same weights, as for two inputs of one sort."""

    examples: ClassVar = [{"shared": {"layers": "tower", "from": "right"}}]

    layers: Annotated[list[Text], OneOrMore, Field(min_length=1)] = Primary(description="names of the layers, in order")

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        wire = wires[0]
        for name in self.layers:
            wire = builder.place_again(name, [wire], path, self)
        return wire
