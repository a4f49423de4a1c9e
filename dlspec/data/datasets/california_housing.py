"""House prices in California, as Keras keeps them on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Description
from dlspec.data.datasets.keras_cache import KerasDataset

ROWS = 20_640


@DATASETS.register
class CaliforniaHousing(KerasDataset):
    """The 20,640 blocks of California in the census of 1990, and the median price of a house in each, in dollars (Pace
    and Barry, 1997). Prices above 500,000 are given as 500,001.

    Fetched once by Keras, and read from its cache then.
    """

    files = ("california_housing.npz",)
    about = "20,640 blocks of California in 1990 and the median price of a house in each (Pace and Barry, 1997)."
    examples: ClassVar = ["california_housing"]

    def describe(self) -> Description:
        names = ("longitude", "latitude", "age", "rooms", "bedrooms", "population", "households", "income")
        columns = (*map(Column, names), Column("price", unit="USD"))
        return Description("samples", columns, target="price", about=self.about, rows=ROWS)

    def read_columns(self, folder: Path) -> Columns:
        import numpy as np

        with np.load(folder / self.files[0], allow_pickle=False) as file:
            x, y = file["x"], file["y"]
        names = [column.name for column in self.describe().columns[:-1]]
        if x.shape != (ROWS, len(names)) or y.shape != (ROWS,):
            raise ValueError(f"it holds arrays of {x.shape} and {y.shape}")
        return {**{name: x[:, i] for i, name in enumerate(names)}, "price": y}
