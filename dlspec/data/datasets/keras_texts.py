"""Texts in classes, as Keras keeps them on this machine: numbers of words, which are made words again."""

from __future__ import annotations

import json
import zipfile
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Description
from dlspec.data.datasets.keras_cache import KerasDataset, unpickle_arrays

if TYPE_CHECKING:
    import numpy as np


class _Texts(KerasDataset):
    """Base of the sets of texts, with a test part of their own."""

    label: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]
    rows: ClassVar[int]
    test: ClassVar[int]

    def describe(self) -> Description:
        columns = (Column("text", "text"), Column(self.label, "class", classes=self.classes))
        return Description(
            "samples",
            columns,
            target=self.label,
            about=self.about,
            rows=self.rows,
            test_rows=self.test,
            features=("text",),
        )

    def read_columns(self, folder: Path) -> Columns:
        import numpy as np

        numbers, labels = self.read(folder / self.files[0])
        index = json.loads((folder / self.files[1]).read_text(encoding="utf-8"))
        words = {number: word for word, number in index.items()}
        if len(numbers) != self.rows or len(labels) != self.rows:
            raise ValueError(f"it holds {len(numbers):,} texts")
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise ValueError(f"it has the label {labels.max()}, and there are {len(self.classes)} classes")
        texts = [" ".join(words.get(number, "") for number in text) for text in numbers]
        return {"text": np.array(texts, object), self.label: np.array(self.classes)[labels]}

    @abstractmethod
    def read(self, file: Path) -> tuple[list[list[int]], np.ndarray]:
        """The numbers of the words of each text, and its class; the test part last."""


@DATASETS.register
class Imdb(_Texts):
    """50,000 reviews of films, good and bad ones, the last 25,000 the test part (Maas et al., 2011).

    Fetched once by Keras, and read from its cache then.
    """

    label, classes, rows, test = "sentiment", ("negative", "positive"), 50_000, 25_000
    files = ("imdb.npz", "imdb_word_index.json")
    about = "50,000 reviews of films, half of them good, the last 25,000 the test part (Maas et al., 2011)."
    examples: ClassVar = ["imdb"]

    def read(self, file: Path) -> tuple[list[list[int]], np.ndarray]:
        import numpy as np

        parts = [_member(file, name) for name in ("x_train", "x_test")]
        labels = [np.asarray(_member(file, name), "int64") for name in ("y_train", "y_test")]
        return [list(text) for part in parts for text in part], np.concatenate(labels)


@DATASETS.register
class Reuters(_Texts):
    """11,228 news of the agency Reuters in 46 topics, the last 2,246 the test part, which is the one that Keras draws.

    Fetched once by Keras, and read from its cache then.
    """

    label, rows, test = "topic", 11_228, 2_246
    classes = (
        "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
        "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
        "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
        "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog",
        "lead",
    )  # fmt: skip
    files = ("reuters.npz", "reuters_word_index.json")
    about = "11,228 news of the agency Reuters in 46 topics, the last 2,246 of them the test part."
    examples: ClassVar = ["reuters"]

    def read(self, file: Path) -> tuple[list[list[int]], np.ndarray]:
        import numpy as np

        texts, labels = _member(file, "x"), np.asarray(_member(file, "y"), "int64")
        order = np.arange(len(texts))
        np.random.RandomState(113).shuffle(order)  # as `keras.datasets.reuters` does
        return [list(texts[i]) for i in order], labels[order]


def _member(file: Path, name: str) -> Any:
    """An array of an `.npz` file, whose entries may be lists."""
    import numpy as np

    with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = head(member)
        if dtype.hasobject:
            return unpickle_arrays(member)
        return np.frombuffer(member.read(), dtype).reshape(shape)
