"""Pictures of 28 x 28 pixels in ten classes, as Keras keeps them on this machine."""

from __future__ import annotations

import gzip
import os
import zipfile
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dlspec.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.diagnostics import DataError

if TYPE_CHECKING:
    import numpy as np

SIDE, TRAINING, TEST = 28, 60_000, 10_000


class KerasPictures(Dataset):
    """Base of the sets of pictures that Keras fetches once and keeps in its cache.

    A file that is there is read here: Keras would delete one with other bytes before it tries a download.
    """

    label: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]
    files: ClassVar[tuple[str, ...]]
    """Below the folder `datasets` of Keras's cache."""
    about: ClassVar[str]

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("image", shape=(SIDE, SIDE)), Column(self.label, "class", classes=self.classes)),
            target=self.label,
            about=self.about,
            rows=TRAINING + TEST,
            test_rows=TEST,
        )

    def load(self, seed: int) -> Columns:
        import numpy as np

        folder = _cache()
        missing = [name for name in self.files if not (folder / name).is_file()]
        if missing:
            self._fetch(folder, missing)
        try:
            train, train_labels, test, test_labels = self.read(folder)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DataError.of(
                "data-unreadable",
                f"`{folder / self.files[0]}` is not what Keras keeps there: {str(error) or type(error).__name__}",
                help="move it away, and the next run fetches it",
            ) from None
        labels = np.array(self.classes)[np.concatenate([train_labels, test_labels])]
        return {"image": np.concatenate([train, test]), self.label: labels}

    @abstractmethod
    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pictures and labels of the training part, and of the test part."""

    def _fetch(self, folder: Path, missing: list[str]) -> None:
        """Lets Keras fetch what is not there."""
        from dlspec.datasets._fetching import fetch

        try:
            fetch(self.type_name)
        except Exception as error:
            raise DataError.of(
                "data-not-found",
                f"`{self.type_name}` is not on this machine, and fetching it failed: {str(error).splitlines()[0]}",
                help=f"put {' and '.join(f'`{name}`' for name in missing)} into `{folder}`, "
                "or set `KERAS_HOME` to a folder whose `datasets` has it",
            ) from None


def _cache() -> Path:
    """Where Keras keeps datasets."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets"


@DATASETS.register
class Mnist(KerasPictures):
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
            found = [file[name] for name in ("x_train", "y_train", "x_test", "y_test")]
        return _checked(found)


@DATASETS.register
class FashionMnist(KerasPictures):
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
                values = np.frombuffer(file.read(head + TRAINING * SIDE**2 + 1), "uint8", offset=head)
            found.append(values.reshape(-1, SIDE, SIDE) if head == 16 else values)
        return _checked(found)


def _checked(found: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The arrays. Raises ValueError when they are not those of such a set."""
    wanted = [(TRAINING, SIDE, SIDE), (TRAINING,), (TEST, SIDE, SIDE), (TEST,)]
    shapes = [array.shape for array in found]
    whole = all(array.dtype.kind in "iu" for array in found)
    if shapes != wanted or not whole or max(found[1].max(), found[3].max()) > 9:
        raise ValueError(f"it holds arrays of {', '.join(map(str, shapes))}")
    train, train_labels, test, test_labels = found
    return train, train_labels, test, test_labels
