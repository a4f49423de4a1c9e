"""Sets that Keras fetches once and keeps in its cache; read from there, also offline."""

from __future__ import annotations

import os
import pickle
import zipfile
from abc import abstractmethod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

from dlspec.data.datasets.base import Column, Columns, Dataset, Description
from dlspec.language.diagnostics.errors import DataError

if TYPE_CHECKING:
    import numpy as np


class KerasDataset(Dataset):
    """Base of the sets in Keras's cache.

    A file that is there is read here: Keras would delete one with other bytes before it tries a download.
    """

    files: ClassVar[tuple[str, ...]]
    """Below the folder `datasets` of Keras's cache."""
    about: ClassVar[str]

    def load(self, seed: int) -> Columns:
        folder = _cache()
        missing = [name for name in self.files if not (folder / name).is_file()]
        if missing:
            self._fetch(folder, missing)
        try:
            return self.read_columns(folder)
        except (OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
            raise DataError.of(
                "data-unreadable",
                f"`{folder / self.files[0]}` is not what Keras keeps there: {str(error) or type(error).__name__}",
                help="move it away, and the next run fetches it",
            ) from None

    @abstractmethod
    def read_columns(self, folder: Path) -> Columns:
        """The columns, out of the files.

        Raises:
            ValueError: they hold something else.
        """

    def _fetch(self, folder: Path, missing: list[str]) -> None:
        """Lets Keras fetch what is not there."""
        from dlspec.data.datasets._fetching import fetch

        try:
            fetch(self.type_name)
        except DataError:
            raise
        except Exception as error:
            raise DataError.of(
                "data-not-found",
                f"`{self.type_name}` is not on this machine, and fetching it failed: {str(error).splitlines()[0]}",
                help=f"put {_shown(missing)} into `{folder}`, or set `KERAS_HOME` to a folder whose `datasets` has it",
            ) from None


class KerasPictures(KerasDataset):
    """Base of the sets of pictures in classes, with a test part of their own."""

    label: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]
    """Of which a label is the number."""
    shape: ClassVar[tuple[int, ...]]
    training: ClassVar[int]
    test: ClassVar[int] = 10_000

    @property
    def named(self) -> tuple[str, ...]:
        """The classes of this one."""
        return self.classes

    def describe(self) -> Description:
        return Description(
            "samples",
            (Column("image", shape=self.shape), Column(self.label, "class", classes=self.named)),
            target=self.label,
            about=self.about,
            rows=self.training + self.test,
            test_rows=self.test,
        )

    def read_columns(self, folder: Path) -> Columns:
        import numpy as np

        train, train_labels, test, test_labels = found = self.read(folder)
        wanted = [(self.training, *self.shape), (self.training,), (self.test, *self.shape), (self.test,)]
        whole = all(array.dtype.kind in "iu" for array in found)
        if [array.shape for array in found] != wanted or not whole:
            raise ValueError(f"it holds arrays of {', '.join(str(array.shape) for array in found)}")
        labels = np.concatenate([train_labels, test_labels])
        if labels.max() >= len(self.named):
            raise ValueError(f"it has the label {labels.max()}, and there are {len(self.named)} classes")
        return {"image": np.concatenate([train, test]), self.label: np.array(self.named)[labels]}

    @abstractmethod
    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pictures and labels of the training part, and of the test part."""


class _Unpickler(pickle.Unpickler):
    """Reads arrays and plain values, and refuses everything else, which might run something."""

    def find_class(self, module: str, name: str) -> Any:
        arrays = {"_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar"}
        if module.partition(".")[0] == "numpy" and name in arrays:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it holds `{module}.{name}`")


def unpickle_arrays(file: IO[bytes], encoding: str = "ASCII") -> Any:
    """What a pickle holds, if that is arrays and plain values.

    Raises:
        UnpicklingError: it holds something else.
    """
    return _Unpickler(file, encoding=encoding).load()


def _shown(files: list[str]) -> str:
    first = f"`{files[0]}`"
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more that belong to it"


def _cache() -> Path:
    """Where Keras keeps datasets."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets"
