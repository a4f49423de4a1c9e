"""Networks that others have trained, as parts of one's own: those of `keras.applications`, and files of Keras."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, model_validator

from dlspec.language.fields import Flag, PositiveInt, PositiveNumber, Primary, SpecModel, Text, mistake, show_value
from dlspec.language.shapes import Path, Shape, show_shape
from dlspec.language.words import did_you_mean, nearest, one_of
from dlspec.model.graph import Borrowed
from dlspec.model.layers.base import LAYERS, Builder, LayerName, LayerSpec, ModelItem, Wire
from dlspec.model.layers.merging import Concatenate
from dlspec.model.layers.preprocessing import Rescaling
from dlspec.model.unfolding.catalogue import APPLICATIONS, padding_for, read, stem_of, structure
from dlspec.model.unfolding.parts import ReversedChannels
from dlspec.model.unfolding.structure import Structure, lay_structure

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours of ImageNet, from 0 to 1."""
MEAN_BGR = (103.939, 116.779, 123.68)
"""Of the colours of ImageNet, from 0 to 255, blue first."""


class Last(SpecModel):
    """The last layers of a network, as `model.layers` of Keras counts them."""

    last: PositiveInt = Field(description="how many")


def _trainable(value: Any) -> bool | Last:
    if isinstance(value, bool | Last):
        return value
    if isinstance(value, dict):
        return Last.model_validate(value)
    raise mistake(
        "wrong-type",
        f"`trainable` is true, false, or `{{last: 20}}`, got {show_value(value)}",
        help=f"write `trainable: {{last: {value}}}`" if isinstance(value, int) and value > 0 else None,
    )


Trainable = Annotated[bool | Last, PlainValidator(_trainable, json_schema_input_type=bool | Last)]


class Trained(ModelItem):
    """Base of the networks that others have trained."""

    trainable: Trainable = Field(
        True,
        description="whether its weights are trained, whatever its file says; `{last: 20}`: those of its last layers",
    )
    name: LayerName | None = None

    @property
    @abstractmethod
    def known_as(self) -> str:
        """What it is called where it has no name."""

    @abstractmethod
    def model(self, folder: FilePath, side: int | None) -> Any:
        """The Keras model with the weights.

        Args:
            folder: what a relative path starts from.
            side: of the pictures that come, where they are square.

        Raises:
            DataError: they are not there.
        """

    @property
    def brings_weights(self) -> bool:
        """Whether it begins with weights that others have trained."""
        return True

    def _lay(self, structure: Structure, builder: Builder, wires: Sequence[Wire], path: Path, name: str) -> Wire:
        trained = None if self.trainable is True else 0
        if isinstance(self.trainable, Last):
            trained = self.trainable.last
            if trained > structure.ranks:
                return builder.refuse(
                    f"`{self.known_as}` has {structure.ranks} layers, as Keras counts them, got `last: {trained}`",
                    "out-of-range",
                    (*path, self.type_name, "trainable", "last"),
                    name,
                    wires,
                    self,
                    help="write `trainable: true`",
                )
        wire = lay_structure(
            structure, builder, wires, path, self, network=name, trained=trained, by_rank=self.counts_names
        )
        return builder.call(self.name or name, wire)

    counts_names: ClassVar[bool] = False
    """Whether its layers have names that Keras counts through a process."""


def _network(name: Any) -> str:
    if not isinstance(name, str):
        message = f"`network` must be the name of a network of `keras.applications`, got {show_value(name)}"
        raise mistake("wrong-type", message, help="write it alone: `application: efficientnet_b0`")
    if name in APPLICATIONS:
        return name
    keras = {listed.keras.lower(): own for own, listed in APPLICATIONS.items()}
    meant = keras.get(name.lower())
    help = did_you_mean(name, APPLICATIONS, otherwise=f"there are {one_of(APPLICATIONS)}")
    message = f"there is no network `{name}` in `keras.applications`"
    raise mistake("unknown-application", message, help=f"write `{meant}`" if meant else help)


NetworkName = Annotated[str, PlainValidator(_network, json_schema_input_type=Literal[tuple(APPLICATIONS)])]


@LAYERS.register
class Application(Trained):
    """A network of `keras.applications` without its head.

    It has the weights that it learned on ImageNet, unless `weights` says otherwise.
    `{application: {efficientnet_b0: {trainable: false}}}` stands for `{application: {network: efficientnet_b0, …}}`.
    It takes pixels from 0 to 255 and brings them to its own scale; one channel is taken three times.

    Input shape:  (batch, height, width, 3), or of one channel
    Output shape: (batch, rows, columns, channels), or (batch, channels) with `pooling`
    """

    counts_names = True
    takes_pixels = True
    examples: ClassVar = [
        {"application": "efficientnet_b0"},
        {"application": {"mobilenet_v2": {"weights": None, "alpha": 0.35, "pooling": "avg"}}},
        {"application": {"resnet50": {"trainable": {"last": 20}, "pooling": "avg"}}},
    ]

    network: NetworkName = Primary(description="which one")
    weights: Text | None = Field(
        "imagenet", description="those that Keras has of ImageNet; null: random; or a file that Keras saved of it"
    )
    pooling: Literal["avg", "max"] | None = Field(
        None, description="what is made of the rows and columns at its end: their mean, or the largest value"
    )
    alpha: PositiveNumber = Field(1.0, description="of the MobileNets: what the number of channels is multiplied by")
    minimalistic: Flag = Field(False, description="of the third MobileNets: only layers that run fast anywhere")

    @classmethod
    def unfold(cls, written: Any) -> tuple[Any, str | None]:
        name = cls._named(written)
        if name is None:
            return super().unfold(written)
        arguments = written[name]
        return {"network": name, **(arguments if isinstance(arguments, dict) else {})}, None

    @classmethod
    def names_above(cls) -> tuple[str, Sequence[str]]:
        return "network", [*APPLICATIONS]

    @classmethod
    def written_at(cls, place: Path, written: Any) -> Path:
        name = cls._named(written)
        return place if name is None else (name, *(place if place != ("network",) else ()))

    @classmethod
    def _named(cls, written: Any) -> str | None:
        """The network that was written as a key with its arguments below it."""
        if not isinstance(written, dict) or len(written) != 1:
            return None
        ((name, arguments),) = written.items()
        keys = cls.keys()
        if name in keys or not isinstance(name, str) or not isinstance(arguments, dict | None):
            return None
        return None if nearest(name, keys) and name not in APPLICATIONS else name

    @model_validator(mode="before")
    @classmethod
    def _arguments_belong_below(cls, value: Any) -> Any:
        name = next((key for key in value if key in APPLICATIONS), None) if isinstance(value, dict) else None
        if name is None:
            return value
        if len(value) == 1:
            message = f"the arguments of `{name}` stand below it, got {show_value(value[name])}"
            raise mistake("wrong-type", message, help=f"write `application: {{{name}: {{pooling: avg}}}}`")
        raise mistake(
            "unknown-key",
            f"`{name}` stands beside other keys here",
            help=f"put them below it: `application: {{{name}: {{…}}}}`",
            at="key",
        )

    def model_post_init(self, context: object) -> None:
        listed = APPLICATIONS[self.network]
        if self.alpha != 1 and self.alpha not in listed.alphas:
            shown = ", ".join(f"`{alpha:g}`" for alpha in listed.alphas)
            message = f"`{self.network}` has no `alpha: {self.alpha:g}`"
            raise mistake("wrong-value", message, help=f"there are {shown}" if shown else "leave `alpha` out")
        if self.minimalistic and not listed.minimalistic:
            message = f"there is no minimalistic `{self.network}`"
            raise mistake("wrong-value", message, help="leave `minimalistic` out")
        if self.minimalistic and self.alpha != 1:
            message = "the minimalistic networks have `alpha: 1` alone"
            raise mistake("wrong-value", message, help="leave `alpha` or `minimalistic` out")

    def settings(self) -> dict[str, Any]:
        given = super().brief()[self.type_name]
        return given if isinstance(given, dict) else {"network": given}

    def brief(self) -> Any:
        given = super().brief()[self.type_name]
        if isinstance(given, dict):
            network = given.pop("network")
            given = {network: given} if given else network
        return {self.type_name: given}

    @property
    def known_as(self) -> str:
        return self.network

    @property
    def brings_weights(self) -> bool:
        return self.weights is not None

    @property
    def files(self) -> tuple[str, ...]:
        return () if self.weights in (None, "imagenet") else ("weights",)

    @property
    def stem(self) -> str:
        """What the file of its structure is called."""
        return stem_of(self.network, self.alpha, self.minimalistic)

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        name = builder.unused(self.name or self.network, given=self.name is not None)
        problem = self._refuses(wires[0].shape)
        if problem is not None:
            said, help = problem
            return builder.refuse(said, "shape-mismatch", (*path, self.type_name), name, wires, self, help=help)
        whole, windows = structure(self.stem, self.pooling, self.weights == "imagenet")
        if windows:
            builder = _Padding(builder, {f"{name}_{whole.pieces[i].name}": size for i, size in windows.items()})
        return self._lay(whole, builder, [self._pixels(builder, wires[0], path, name)], path, name)

    def _refuses(self, shape: Shape | None) -> tuple[str, str | None] | None:
        """Why it cannot take inputs of a shape, and the cure."""
        if shape is None:
            return None
        said = f"`{self.network}` needs pictures (batch, height, width, 3)"
        least = read(self.stem).smallest
        if len(shape) == 3 and None not in shape[1:]:
            large = min(shape[1] or 0, shape[2] or 0) >= least
            help = f"put `reshape: [{shape[1]}, {shape[2]}, 1]` above it"
            return f"{said}, got {show_shape(shape)}", help if large else None
        if len(shape) != 4:
            return f"{said}, got {show_shape(shape)}", None
        if shape[3] not in (1, 3, None):
            return f"{said}, or with one channel, got {show_shape(shape)}", None
        if any(size is not None and size < least for size in shape[1:3]):
            message = f"`{self.network}` needs pictures of {least} x {least} pixels or more, got {show_shape(shape)}"
            return message, f"put `resizing: {{height: {least}, width: {least}}}` above it"
        return None

    def _pixels(self, builder: Builder, wire: Wire, path: Path, name: str) -> Wire:
        """Pixels from 0 to 255 in three channels, on the scale that the network was trained with."""
        channels = wire.shape[3] if wire.shape is not None and len(wire.shape) == 4 else None
        of = Borrowed(name)
        if channels == 1:
            wire = builder.place(Concatenate(name=f"{name}_colors"), [wire, wire, wire], path, self, of)
        way = APPLICATIONS[self.network].pixels
        if way == "caffe":
            wire = builder.place(ReversedChannels(name=f"{name}_blue_first"), [wire], path, self, of)
            offset = [-mean for mean in MEAN_BGR]
            wire = builder.place(Rescaling(scale=1.0, offset=offset, name=f"{name}_scale"), [wire], path, self, of)
        elif way == "tf":
            scale = Rescaling(scale=1 / 127.5, offset=-1.0, name=f"{name}_scale")
            wire = builder.place(scale, [wire], path, self, of)
        elif way == "torch":
            scale = Rescaling(
                scale=[1 / (255 * deviation) for deviation in DEVIATION],
                offset=[-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)],
                name=f"{name}_scale",
            )
            wire = builder.place(scale, [wire], path, self, of)
        return wire

    def model(self, folder: FilePath, side: int | None) -> Any:
        from dlspec.model.unfolding._loading import application

        listed = APPLICATIONS[self.network]
        arguments: dict[str, Any] = {"pooling": self.pooling}
        if listed.alphas:
            arguments["alpha"] = self.alpha
        if listed.minimalistic:
            arguments["minimalistic"] = self.minimalistic
        weights = self.weights if self.weights == "imagenet" else str(folder / (self.weights or ""))
        files = read(self.stem)
        trained_on = side if side is not None and str(side) in files.files else listed.side
        return application(listed.keras, weights, trained_on, files.weights(side or 0), arguments)


class _Padding:
    """A builder by which paddings get the size that their input asks for."""

    def __init__(self, builder: Builder, windows: dict[str, int]) -> None:
        self._builder = builder
        self._windows = windows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._builder, name)

    def place(self, layer: LayerSpec, wires: Sequence[Wire], *more: Any) -> Wire:
        window = self._windows.get(layer.name or "")
        if window is not None:
            fitting = padding_for(wires[0].shape, window)
            layer = fitting.model_copy(update={"name": layer.name, "trainable": layer.trainable})
        return self._builder.place(layer, wires, *more)


@LAYERS.register
class Network(Trained):
    """A network that Keras saved, with its weights: the whole of it, or up to one of its layers.

    The file is looked at before it is loaded; layers of which the language has no word are refused by name.

    Input shape:  what the saved network takes
    Output shape: what comes out of it, or of the layer `up_to`
    """

    takes_several = True
    examples: ClassVar = [
        {"network": "backbone.keras"},
        {"network": {"file": "backbone.keras", "up_to": "pool5", "trainable": False}},
    ]

    file: Text = Primary(description="a `.keras` file, relative to the spec")
    up_to: Text | None = Field(None, description="the last layer that is taken; by default that of its output")

    @property
    def files(self) -> tuple[str, ...]:
        return ("file",)

    @property
    def known_as(self) -> str:
        from dlspec.model.from_keras.names import plain_name

        return plain_name(FilePath(self.file).stem)

    def lay(self, builder: Builder, wires: Sequence[Wire], path: Path) -> Wire:
        from dlspec.model.unfolding.saved_network import Unreadable, read_network

        name = builder.unused(self.name or self.known_as, given=self.name is not None)
        if "://" in self.file:
            message = f"`{self.file}` is an address, and nothing is fetched from there"
            return builder.refuse(
                message, "network-not-found", (*path, self.type_name, "file"), name, wires, self,
                help="fetch it yourself, and name the file",
            )  # fmt: skip
        try:
            whole = read_network(builder.folder_of((*path, self.type_name, "file")) / self.file, self.up_to, wires)
        except Unreadable as error:
            place = (*path, self.type_name, *([error.key] if error.key else []))
            return builder.refuse(
                error.message, error.code, place, name, wires, self, help=error.help, certain=error.certain
            )
        return self._lay(whole, builder, wires, path, name)

    def model(self, folder: FilePath, side: int | None) -> Any:
        from dlspec.model.unfolding._loading import saved

        return saved(folder / self.file)
