"""Small networks of every kind of data, trained once, which are exported and served."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import dlspec

TABLE = """
data:
  table: table.csv
  target: price
  features:
    age: {numeric: {missing: median, indicator: true}}
    rooms: {numeric: {bins: 4}}
    ward: {category: {most: 3}}
    town: {category: {embedding: 2}}
    garden: boolean
    sold: {time: [year, month, hour]}
    said: text
model: [dense: 6, output]
"""
SEQUENCE = """
data:
  table: table.csv
  target: ward
  features: {said: {text: {length: 5, words: 20}}}
model: [embedding: 4, {gru: 5}, output]
"""
COUNTED = """
data:
  table: table.csv
  target: garden
  features: {said: {text: {words: 12, ngrams: 2, weights: tf_idf}}, town: {category: {most: 2}}}
model: [dense: 4, output]
"""
LABELS = """
data:
  table: table.csv
  target: {tags: tags}
  features: [age, sold]
  missing: mean
model: [dense: 4, output]
"""
NUMBERS = """
data:
  table: table.csv
  target: [price, rooms]
  features: [ward, garden]
model: [dense: 4, output]
"""
SERIES = """
data:
  series: series.csv
  time: day
  target: [high, low]
  features: [high, low, other]
  window: {length: 6, horizon: 1, steps: 2}
  predict: return
model: [{lstm: {units: 4, return_sequences: true}}, dropout: 0.1, {gru: 3}, output]
"""
SPACED = """
data:
  series: series.csv
  group: site
  target: high
  features: [high, low]
  window: {length: 4, horizon: 1, every: 2}
  predict: difference
model: [{gru: 3}, output]
"""
GIVEN_BACK = """
data: {dataset: digits, target: input, scale: min_max}
model: [flatten, {dense: {units: 8, name: code}}, output]
"""
CODED = """
data:
  table: table.csv
  target: input
  features: {age: {numeric: {missing: mean}}, rooms: numeric}
model: [{dense: {units: 3, name: code}}, output]
"""
PICTURES = """
data: {arrays: pictures.npz, scale: min_max}
model:
  - random_flip: horizontal
  - conv2d: {filters: 3, kernel_size: 3, activation: relu}
  - batch_normalization
  - flatten
  - output
"""
HALF = """
data: {dataset: iris}
model: [dense: {units: 16, activation: relu}, output]
runtime: {precision: mixed_bfloat16}
"""
SPECS_BY_NAME = {
    "table": TABLE,
    "sequence": SEQUENCE,
    "counted": COUNTED,
    "labels": LABELS,
    "numbers": NUMBERS,
    "series": SERIES,
    "spaced": SPACED,
    "given_back": GIVEN_BACK,
    "coded": CODED,
    "pictures": PICTURES,
    "half": HALF,
}
ROWS = 160


def write_data(folder: Path) -> None:
    """`table.csv`, `series.csv` and `pictures.npz`."""
    import pandas as pd

    random = np.random.default_rng(0)
    words = ["red", "old", "Small,", "wide", "très", "new!", "the", "dog's"]
    wards = random.choice(["north", "south", "east", "wäst"], ROWS)
    age = random.normal(40, 10, ROWS).round(1)
    pd.DataFrame(
        {
            "age": np.where(random.random(ROWS) < 0.1, np.nan, age),
            "rooms": random.integers(1, 9, ROWS),
            "ward": wards,
            "town": random.choice([f"town {n}" for n in range(6)], ROWS),
            "garden": random.choice(["yes", "no"], ROWS),
            "sold": pd.Timestamp("2019-03-01") + pd.to_timedelta(random.integers(0, 40_000, ROWS), "h"),
            "said": [" ".join(random.choice(words, random.integers(2, 7))) for _ in range(ROWS)],
            "tags": [
                ", ".join(random.permutation(["big", "loud", "far"])[: random.integers(1, 4)]) for _ in range(ROWS)
            ],
            "price": (3 * age + 20 * (wards == "north") + random.normal(0, 5, ROWS)).round(2),
        }
    ).to_csv(folder / "table.csv", index=False)
    days = pd.date_range("2020-01-01", periods=ROWS, freq="D")
    walk = 100 * np.exp(np.cumsum(random.normal(0, 0.02, (ROWS, 3)), axis=0))
    sites = np.repeat(["a", "b"], ROWS // 2)
    pd.DataFrame(
        {"day": days.astype(str), "site": sites, **dict(zip(["high", "low", "other"], walk.T, strict=True))}
    ).to_csv(folder / "series.csv", index=False)
    pictures = random.integers(0, 255, (90, 8, 8, 1)).astype("uint8")
    np.savez(folder / "pictures.npz", x=pictures, y=(pictures.mean(axis=(1, 2, 3)) > 127).astype(int))


def trained(name: str, home: Path) -> dlspec.Run:
    """A finished run of one of the specs, in a folder in which `write_data` was called."""
    if (home / name / "metrics.json").exists():
        return dlspec.open_run(home / name)
    text = f"dlspec: 1\nname: {name}\n{SPECS_BY_NAME[name]}train: {{epochs: 2, batch_size: 32}}\n"
    (home / f"{name}.yaml").write_text(text, encoding="utf-8")
    return dlspec.run(home / f"{name}.yaml", out=home / name)
