"""Pictures of 28 x 28 pixels in ten classes, as Keras keeps them on this machine."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dlspec.data.datasets.base import DATASETS
from dlspec.data.datasets.keras_cache import KerasPictures

if TYPE_CHECKING:
    import numpy as np

SIDE = 28


class _Grey(KerasPictures):
    shape, training = (SIDE, SIDE), 60_000


@DATASETS.register
class Mnist(_Grey):
    """70,000 handwritten digits of 28 x 28 pixels, the last 10,000 of them the test part (LeCun et al., 1998).

    Fetched once by Keras, and read from its cache then.
    """

    label, classes, files = "digit", tuple("0123456789"), ("mnist.npz",)
    about = (
        "70,000 handwritten digits of 28 x 28 pixels, from 0 to 255, the last 10,000 of them the test part "
        "(LeCun et al., 1998; CC BY-SA 3.0)."
    )
    examples: ClassVar = ["mnist"]

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        import numpy as np

        with np.load(folder / self.files[0], allow_pickle=False) as file:
            return file["x_train"], file["y_train"], file["x_test"], file["y_test"]


@DATASETS.register
class FashionMnist(_Grey):
    """70,000 pictures of clothes of 28 x 28 pixels, the last 10,000 of them the test part (Xiao et al., 2017).

    Fetched once by Keras, and read from its cache then.
    """

    label = "garment"
    classes = (
        "t_shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle_boot",
    )  # fmt: skip
    files = tuple(
        f"fashion-mnist/{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")
    )
    about = (
        "70,000 pictures of clothes of 28 x 28 pixels, from 0 to 255, the last 10,000 of them the test part "
        "(Xiao et al., 2017; MIT license)."
    )
    examples: ClassVar = ["fashion_mnist"]

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        import numpy as np

        found = []
        for name, head in zip(self.files, (16, 8, 16, 8), strict=True):  # bytes before the values
            with gzip.open(folder / name) as file:
                values = np.frombuffer(file.read(head + self.training * SIDE**2 + 1), "uint8", offset=head)
            found.append(values.reshape(-1, SIDE, SIDE) if head == 16 else values)
        train, train_labels, test, test_labels = found
        return train, train_labels, test, test_labels
