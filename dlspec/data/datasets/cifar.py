"""Coloured pictures of 32 x 32 pixels, as Keras keeps them on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from dlspec.data.datasets.base import DATASETS
from dlspec.data.datasets.keras_cache import KerasPictures, unpickle_arrays

if TYPE_CHECKING:
    import numpy as np

SIDE = 32
FINE = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)  # fmt: skip
COARSE = (
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables", "household_electrical_devices",
    "household_furniture", "insects", "large_carnivores", "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes", "large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates",
    "people", "reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2",
)  # fmt: skip


class _Cifar(KerasPictures):
    shape, training = (SIDE, SIDE, 3), 50_000


@DATASETS.register
class Cifar10(_Cifar):
    """60,000 coloured pictures of 32 x 32 pixels in ten classes, the last 10,000 the test part (Krizhevsky, 2009).

    Fetched once by Keras, and read from its cache then.
    """

    label = "object"
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    files = tuple(
        f"cifar-10-batches-py-target/cifar-10-batches-py/{name}"
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
    )
    about = (
        "60,000 coloured pictures of 32 x 32 pixels in ten classes, the last 10,000 of them the test part "
        "(Krizhevsky, 2009)."
    )
    examples: ClassVar = ["cifar10"]

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        import numpy as np

        *batches, last = (_read_batch(folder / name, "labels") for name in self.files)
        train, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        return train, labels, *last


@DATASETS.register
class Cifar100(_Cifar):
    """60,000 coloured pictures of 32 x 32 pixels in 100 classes, the last 10,000 the test part (Krizhevsky, 2009).

    Fetched once by Keras, and read from its cache then. `labels: coarse` are the 20 classes above the 100.
    """

    label, classes = "object", FINE
    files = tuple(f"cifar-100-python-target/cifar-100-python/{name}" for name in ("train", "test"))
    about = (
        "60,000 coloured pictures of 32 x 32 pixels in 100 classes, the last 10,000 of them the test part "
        "(Krizhevsky, 2009)."
    )
    examples: ClassVar = ["cifar100", {"cifar100": {"labels": "coarse"}}]

    labels: Literal["fine", "coarse"] = "fine"

    @property
    def named(self) -> tuple[str, ...]:
        return FINE if self.labels == "fine" else COARSE

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        train, test = (_read_batch(folder / name, f"{self.labels}_labels") for name in self.files)
        return *train, *test


def _read_batch(path: Path, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (samples, rows, columns, colours) and labels."""
    import numpy as np

    with path.open("rb") as file:
        batch = unpickle_arrays(file, encoding="bytes")
    pictures = np.asarray(batch[b"data"], "uint8").reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return pictures, np.asarray(batch[labels.encode()], "int64")
