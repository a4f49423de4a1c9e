"""The section `model`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PrivateAttr

from dlspec.data.target import TargetsOfOutput
from dlspec.language.fields import OneOrMore, SpecModel, Text, mistake, show_value
from dlspec.language.section import Section
from dlspec.language.shapes import Path, Shape
from dlspec.language.words import nearest
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.layers import LAYERS, LayerSpec, ModelItem
from dlspec.model.layers.base import Group, Items, LayerName
from dlspec.model.layers.core import Components, Output, Quantiles, one_form


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

    def in_unit_interval(self, input_inside: bool) -> bool:
        """It may be, so that nobody complains."""
        return True


def all_items(items: Sequence[ModelItem], path: Path) -> Iterator[tuple[ModelItem, Path]]:
    """Every item of a list of layers, those inside others included, with its place."""
    for i, item in enumerate(items):
        place = (*path, i)
        yield item, place
        for key in item.lists if isinstance(item, Group) else ():
            inner = getattr(item, key)
            below = (*place, item.type_name, key)
            if inner and isinstance(inner[0], list):
                for j, each in enumerate(inner):
                    yield from all_items(each, (*below, j))
            else:
                yield from all_items(inner, below)


class InputSpec(SpecModel):
    """An input of the network, and the columns that it takes."""

    features: Annotated[list[Text], OneOrMore, Field(min_length=1)] = Field(description="its columns")


class OutputSpec(SpecModel):
    """An output of the network, and the column that it predicts."""

    target: TargetsOfOutput = Field(description="the column to predict")
    from_: Text | None = Field(None, description="the layer below it, instead of the last one")
    quantiles: Quantiles | None = Field(
        None, description="of a number: shares of what is true that are to lie below each value, 0.5 among them"
    )
    mixture: Components | None = Field(None, description="of a number: how many normal distributions give it")

    def model_post_init(self, context: object) -> None:
        one_form(self.quantiles, self.mixture)

    def layer(self, name: str) -> Output:
        """The layer that it is, by its name."""
        return Output(name=name, quantiles=self.quantiles, mixture=self.mixture)


def _as_features(value: Any) -> Any:
    return value if isinstance(value, dict | InputSpec) else {"features": value}


def as_target(value: Any) -> Any:
    return value if isinstance(value, dict | OutputSpec) else {"target": value}


class ModelSpec(Section):
    """The layers of the network, and its inputs and outputs where there are several. A list alone is the layers."""

    inputs: (
        Annotated[dict[LayerName, Annotated[InputSpec, BeforeValidator(_as_features)]], Field(min_length=1)] | None
    ) = None
    layers: Items = Field(description="the layers of the network")
    outputs: (
        Annotated[dict[LayerName, Annotated[OutputSpec, BeforeValidator(as_target)]], Field(min_length=1)] | None
    ) = None

    def items(self) -> Iterator[tuple[ModelItem, Path]]:
        """Every item of the network with its place in the spec, that of groups included."""
        return all_items(self.layers, ("model", "layers"))

    @property
    def application(self) -> Path | None:
        """The place of a network that takes pixels as they are, of which there may be several."""
        return next((path for item, path in self.items() if item.takes_pixels), None)

    @property
    def columns_of_inputs(self) -> dict[str, list[str]] | None:
        """Input -> the columns that it takes; None where the spec names no inputs."""
        return None if self.inputs is None else {name: given.features for name, given in self.inputs.items()}

    @property
    def has_several_features(self) -> bool:
        """Whether its inputs name more than one feature."""
        return len({name for names in (self.columns_of_inputs or {}).values() for name in names}) > 1

    def written(self) -> Any:
        written = {key: value for key, value in super().written().items() if value is not None}
        return written["layers"] if list(written) == ["layers"] else written


def as_layers(value: Any) -> Any:
    if isinstance(value, list) and value:
        return {"layers": value}
    keys = ModelSpec.keys()
    if isinstance(value, dict) and value and not any(nearest(name, keys) in keys for name in value if name != "output"):
        name = next(iter(value))
        if nearest(name, LAYERS):
            shown = name if value[name] is None else to_inline_yaml({name: value[name]})
            raise mistake(
                "wrong-type",
                "the layers of the network are a list, got a mapping",
                help=f"put `- ` before each layer, as in `- {shown}`",
            )
    if isinstance(value, str):
        help = "write the layers as a list: `model: [dense: 64, output]`"
        raise mistake("wrong-type", f"`model` must be a list of layers, got {show_value(value)}", help=help)
    if value is None or value == []:
        raise mistake("wrong-type", "`model` has no layers", help="write `- output` below it, and layers above that")
    return value
