"""The networks of `keras.applications`, and their layers as `structures/` has them. No Keras."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dlspec.language.shapes import Shape
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.unfolding.parts import LearnedNormalization
from dlspec.model.unfolding.rows import expanded
from dlspec.model.unfolding.structure import Piece, Structure

STRUCTURES = Path(__file__).parent / "structures"


@dataclass(frozen=True)
class Listed:
    """A network of `keras.applications`.

    Args:
        keras: what Keras calls it.
        pixels: what it does to pixels from 0 to 255 first: `caffe`, `tf` and `torch` as Keras calls the ways; `inside`
            where its own layers do so.
        side: of the pictures that it was trained on.
        alphas: what its width may be multiplied by.
        minimalistic: whether there is one of plain layers alone.
    """

    keras: str
    pixels: str
    side: int = 224
    alphas: tuple[float, ...] = ()
    minimalistic: bool = False


_V3 = (0.75, 1.0)
APPLICATIONS: Mapping[str, Listed] = {
    **{
        f"convnext_{size}": Listed(f"ConvNeXt{keras}", "inside")
        for size, keras in (
            ("tiny", "Tiny"), ("small", "Small"), ("base", "Base"), ("large", "Large"), ("xlarge", "XLarge"),
        )
    },
    **{f"densenet{depth}": Listed(f"DenseNet{depth}", "torch") for depth in (121, 169, 201)},
    **{
        f"efficientnet_b{i}": Listed(f"EfficientNetB{i}", "inside", side)
        for i, side in enumerate((224, 240, 260, 300, 380, 456, 528, 600))
    },
    **{
        f"efficientnet_v2_{size.lower()}": Listed(f"EfficientNetV2{size}", "inside", side)
        for size, side in (("B0", 224), ("B1", 240), ("B2", 260), ("B3", 300), ("S", 384), ("M", 480), ("L", 480))
    },
    "inception_resnet_v2": Listed("InceptionResNetV2", "tf", 299),
    "inception_v3": Listed("InceptionV3", "tf", 299),
    "mobilenet": Listed("MobileNet", "tf", alphas=(0.25, 0.5, 0.75, 1.0)),
    "mobilenet_v2": Listed("MobileNetV2", "tf", alphas=(0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    "mobilenet_v3_large": Listed("MobileNetV3Large", "inside", alphas=_V3, minimalistic=True),
    "mobilenet_v3_small": Listed("MobileNetV3Small", "inside", alphas=_V3, minimalistic=True),
    "nasnet_large": Listed("NASNetLarge", "tf", 331),
    "nasnet_mobile": Listed("NASNetMobile", "tf"),
    **{f"resnet{depth}": Listed(f"ResNet{depth}", "caffe") for depth in (50, 101, 152)},
    **{f"resnet{depth}_v2": Listed(f"ResNet{depth}V2", "tf") for depth in (50, 101, 152)},
    "vgg16": Listed("VGG16", "caffe"),
    "vgg19": Listed("VGG19", "caffe"),
    "xception": Listed("Xception", "tf", 299),
}  # fmt: skip
"""Name in a spec -> the network."""


def stem_of(name: str, alpha: float = 1.0, minimalistic: bool = False) -> str:
    """What the file of a network is called, without its ending."""
    return name + (f"_{alpha:g}" if alpha != 1 else "") + ("_minimalistic" if minimalistic else "")


def variants(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of a network, the files that it has, each with the arguments of Keras's function."""
    listed = APPLICATIONS[name]
    for alpha in listed.alphas or (1.0,):
        yield stem_of(name, alpha), {"alpha": alpha} if listed.alphas else {}
    if listed.minimalistic:
        yield stem_of(name, minimalistic=True), {"alpha": 1.0, "minimalistic": True}


@dataclass(frozen=True)
class Weights:
    """The file with the weights of a network.

    Args:
        file: what it is called in Keras's cache.
        address: where Keras fetches it from.
        checksum: what Keras compares it with; None: it compares nothing.
    """

    file: str
    address: str
    checksum: str | None


@dataclass(frozen=True)
class Row:
    """A layer of a network.

    Args:
        inputs, place, rank: as of a `Piece`.
        layer: None where it follows from the spec or the picture: the pooling, and paddings.
        strides_of: of a padding before a convolution in steps, the size of the window: it depends on the picture.
        pretrained_alone: it is only there with the weights of ImageNet.
    """

    name: str
    inputs: tuple[int, ...]
    place: tuple[str, ...]
    rank: int | None
    layer: LayerSpec | None
    strides_of: int | None
    pretrained_alone: bool


@dataclass(frozen=True)
class Read:
    """What a file of `structures/` says.

    Args:
        smallest: the height and width that a picture has at least.
        files: of weights, by the side of pictures; "" where there is one for all.
    """

    smallest: int
    files: Mapping[str, Weights]
    rows: tuple[Row, ...]

    def weights(self, side: int) -> Weights:
        """The file for pictures of a size; Keras takes that of the largest where there is none for it."""
        return self.files.get(str(side)) or self.files.get("") or self.files["224"]


@lru_cache(maxsize=8)
def read(stem: str) -> Read:
    """The layers of a network."""
    found = json.loads((STRUCTURES / f"{stem}.json").read_text(encoding="utf-8"))
    kinds = [_kind(written) for written in found["kinds"]]
    rows = []
    last = 0
    for i, row in enumerate(expanded(found["layers"])):
        layer, strides_of = kinds[row.kind]
        last += row.word not in ("inside", "operation")
        rank = None if row.word == "operation" else last
        inputs = tuple(i + 1 - steps for steps in row.inputs)
        rows.append(Row("_".join(row.place), inputs, row.place, rank, layer, strides_of, row.word == "imagenet"))
    return Read(found["smallest"], {side: Weights(*file) for side, file in found["files"].items()}, tuple(rows))


def _kind(written: Any) -> tuple[LayerSpec | None, int | None]:
    if written == "pooling":
        return None, None
    if written == "learned_normalization":
        return LearnedNormalization(), None
    if isinstance(written, dict) and "padded_for_strides" in written:
        return None, written["padded_for_strides"]
    layer = LAYERS.read(written)
    assert isinstance(layer, LayerSpec), "structures are made of layers"
    return layer, None


def padding_for(shape: Shape | None, window: int) -> LayerSpec:
    """What is put around a picture before a convolution in steps of two, as `correct_pad` of Keras has it."""
    sizes = shape[1:3] if shape is not None and len(shape) == 4 else (None, None)
    around = [[window // 2 - (0 if size is not None and size % 2 else 1), window // 2] for size in sizes]
    layer = LAYERS.read({"zero_padding2d": {"padding": around}})
    assert isinstance(layer, LayerSpec), "it is one"
    return layer


def structure(stem: str, pooling: str | None, pretrained: bool) -> tuple[Structure, dict[int, int]]:
    """A network with a pooling at its end, or none, and the windows of the pieces whose padding depends on pictures.

    Args:
        pretrained: whether it has the weights of ImageNet.
    """
    rows, numbers = read(stem).rows, {0: 0}
    pieces: list[Piece] = []
    windows: dict[int, int] = {}
    ranks: dict[int, int] = {}
    for i, row in enumerate(rows):
        absent = (row.pretrained_alone and not pretrained) or (row.layer is None and not row.strides_of and not pooling)
        if absent:
            numbers[i + 1] = numbers[row.inputs[0]]
            continue
        layer, name = row.layer, row.name
        if row.strides_of:
            windows[len(pieces)] = row.strides_of
            layer = padding_for(None, row.strides_of)
        elif layer is None:
            word = {"avg": "global_average_pooling2d", "max": "global_max_pooling2d"}[pooling or "avg"]
            read_layer = LAYERS.read(word)
            assert isinstance(read_layer, LayerSpec), "it is one"
            layer, name = read_layer, f"{pooling}_pool"
        rank = row.rank
        if rank is not None:
            rank = ranks.setdefault(rank, len(ranks) + 1)
        inputs = tuple(numbers[number] for number in row.inputs)
        pieces.append(Piece(name, layer, inputs, row.place, rank))
        numbers[i + 1] = len(pieces)
    return Structure(((None, None, None, 3),), tuple(pieces), numbers[len(rows)], len(ranks) + 1), windows
