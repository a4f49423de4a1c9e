"""Google's share price, as shipped with matplotlib."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.runtime.packages import require


@DATASETS.register
class Goog(Dataset):
    """Daily prices of Google's share from its first day of trading, August 2004 to October 2008.

    Prices in US dollars, volume in shares; 1,047 trading days. Shipped inside matplotlib.
    """

    examples: ClassVar = ["goog"]

    def describe(self) -> Description:
        prices = [Column(name, unit="USD") for name in ("open", "high", "low", "close")]
        return Description(
            "series",
            (
                Column("date", "time"),
                *prices,
                Column("volume", unit="shares"),
                Column("adj_close", unit="USD"),
            ),
            time="date",
            target="close",
            about="Daily prices of Google's share, August 2004 to October 2008 (from matplotlib's sample data, "
            "BSD-style licence; figures from Yahoo Finance).",
            rows=1_047,
        )

    def load(self, seed: int) -> Columns:
        require("matplotlib", what="`dataset: goog`")
        import numpy as np
        from matplotlib import cbook

        sample: Any = cbook.get_sample_data("goog.npz")
        with sample:
            table = sample["price_data"]
        columns = {"date": table["date"].astype("datetime64[D]")}
        for name in ("open", "high", "low", "close", "volume", "adj_close"):
            columns[name] = np.asarray(table[name], "float64")
        return columns
