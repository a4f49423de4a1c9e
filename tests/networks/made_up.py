"""Makes the data of the specs in this folder: `python -m tests.networks.made_up FOLDER`.

Small, the same each time, and drawn at random, so nobody's property. In each there is something to learn, and no more:
a brighter corner, a word, a wave. Specs name `data/NAME`, so FOLDER is called `data` and stands beside them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PICTURES = {
    "img28": (28, 1, 10, 80), "img32": (32, 3, 10, 60), "img67": (67, 3, 10, 40), "img75": (75, 3, 10, 40),
    "img224": (224, 3, 10, 40), "img227": (227, 3, 10, 40), "img299": (299, 3, 10, 40),
    "cifar100": (32, 3, 100, 400),
}  # fmt: skip
"""Side, channels, classes and samples."""
WORDS = [f"{first}{second}" for first in ("ba", "lo", "mi", "te", "su", "ra") for second in ("n", "r", "st", "l", "ck")]


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def pictures(draw: np.random.Generator, side: int, channels: int, classes: int, samples: int) -> dict[str, np.ndarray]:
    """Pixels of noise whose blocks are brighter or darker by the class."""
    y = np.arange(samples) % classes
    marks = draw.integers(0, 100, (classes, 4, 4, channels))
    x = marks[y][:, np.arange(side) * 4 // side][:, :, np.arange(side) * 4 // side]
    return {"x": (x + draw.integers(0, 100, (samples, side, side, channels))).astype("uint8"), "y": y}


def scenes(draw: np.random.Generator, folder: Path) -> None:
    """Photos with a disc or a square, masks of both, and a table of the photos with what is known beside them."""
    from PIL import Image

    for name in ("photos", "masks"):
        (folder / name).mkdir(exist_ok=True)
    rows, grid = [], np.indices((32, 32))
    for number in range(60):
        centre, size, disc = draw.integers(10, 22, 2), int(draw.integers(4, 9)), number % 2 == 0
        away = np.abs(grid - centre[:, None, None])
        inside = ((away**2).sum(0) <= size**2) if disc else (away.max(0) <= size)
        edge = ((away**2).sum(0) <= (size - 2) ** 2) if disc else (away.max(0) <= size - 2)
        mask = inside.astype("uint8") + (inside & ~edge)
        photo = draw.integers(0, 80, (32, 32, 3)) + 120 * inside[..., None]
        Image.fromarray(photo.astype("uint8")).save(folder / "photos" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
        metres = round(float(draw.uniform(0.5, 2)), 2)
        said = " ".join(["round" if disc else "corners", *draw.choice(WORDS, 4)])
        price = round(float(inside.sum()) * metres**2 / 100, 3)
        rows.append([f"photos/{number:02}.png", metres, "paper" if number % 3 else "wood", said, price,
                     "disc" if disc else "square"])  # fmt: skip
    table(folder / "shop.csv", ["photo", "metres", "made_of", "said", "price", "kind"], rows)


def arrays(draw: np.random.Generator) -> dict[str, dict[str, np.ndarray]]:
    half = np.arange(80) % 2
    waves = np.sin(np.arange(128)[None] * (0.1 + 0.1 * half)[:, None] + draw.uniform(0, 6, (80, 1)))
    noisy = (waves + 0.3 * draw.normal(size=waves.shape)).astype("float32")[..., None]
    digits = pictures(draw, 28, 1, 10, 80)
    other = np.where(half, np.arange(80), np.roll(np.arange(80), 1))
    ball = np.zeros((50, 9, 12, 12, 1), "float32")
    for video in ball:
        place, step = draw.integers(0, 12, 2), draw.integers(-1, 2, 2)
        for time, frame in enumerate(video):
            row, column = (place + time * step) % 12
            frame[row, column] = 1
    solids = draw.normal(size=(80, 64, 3))
    cubes, balls = np.abs(solids).max(2), np.linalg.norm(solids, axis=2)
    solids /= np.where(half[:, None], cubes, balls)[..., None]
    steps = np.where(noisy[..., 0] > 0.5, 2, np.where(noisy[..., 0] < -0.5, 0, 1))
    return {
        "lenet": {"x": (digits["x"] / 255).astype("float32"), "y": digits["y"]},
        "pairs": {"x": digits["x"][np.arange(80)], "other": digits["x"][other], "y": half},
        "ford": {"x": noisy, "y": half},
        "beats": {"x": noisy, "y": steps},
        "movie": {"x": ball[:, :8], "y": ball[:, 1:]},
        "points": {"x": solids.astype("float32"), "y": half},
        "conditioned": {"x": digits["x"], "state": draw.normal(size=(80, 6)).astype("float32"), "y": digits["y"] % 5},
    }  # fmt: skip


def texts(draw: np.random.Generator, folder: Path) -> None:
    def sentence(length: int, *more: str) -> str:
        words = [*draw.choice(WORDS, length), *more]
        draw.shuffle(words)
        return " ".join(words)

    tones = [["good", "bad"][number % 2] for number in range(120)]
    table(folder / "reviews.csv", ["said", "opinion"], [[sentence(30, *[tone] * 3), tone] for tone in tones])
    lines = [f"{sentence(3)} {one} and {sentence(2)} {one}.\n" for one in draw.choice(WORDS, 260)]
    (folder / "book.txt").write_text("".join(lines), encoding="utf-8")
    rows = []
    for number in range(120):
        first, same = sentence(8), number % 2
        second = first.split() if same else sentence(8).split()
        draw.shuffle(second)
        rows.append([first, " ".join(second), ["other", "same"][same]])
    table(folder / "questions.csv", ["one", "two", "meaning"], rows)
    pairs = draw.permutation(900)[:160]  # each of them once
    sums = [[f"{10 + pair // 30}+{10 + pair % 30}", 20 + pair // 30 + pair % 30] for pair in pairs]
    table(folder / "sums.csv", ["question", "answer"], sums)


def tables(draw: np.random.Generator, folder: Path) -> None:
    measured = ["Aspect", "Elevation", "Hillshade_3pm", "Hillshade_9am", "Hillshade_Noon", "Fire", "Hydrology",
                "Roadways", "Slope", "Vertical"]  # fmt: skip
    rows = []
    for number in range(420):
        values = draw.normal(size=10).round(3)
        soil, area = number % 40, (number // 7) % 4
        rows.append([*values, f"soil{soil}", f"area{area}", f"c{int(soil % 7 if values[0] < 0.5 else area)}"])
    table(folder / "covtype.csv", [*measured, "Soil_Type", "Wilderness_Area", "Cover_Type"], rows)

    users, movies = draw.normal(size=(30, 3)), draw.normal(size=(40, 3))
    rows = []
    for number in range(500):
        user, movie = number % 30, int(draw.integers(40))
        score = 1 / (1 + np.exp(-users[user] @ movies[movie]))
        rows.append([f"u{user}", f"m{movie}", ["drama", "comedy", "war"][movie % 3], user + 20, round(float(score), 2)])
    table(folder / "ratings.csv", ["user", "movie", "genre", "age", "rating"], rows)

    rows = []
    for _ in range(303):
        age, cp = int(draw.integers(29, 77)), int(draw.integers(0, 5))
        ill = int(age / 10 + cp + draw.normal() > 7)
        row = {
            "age": age, "sex": draw.integers(0, 2), "cp": cp, "trestbps": draw.integers(94, 200),
            "chol": draw.integers(126, 564), "fbs": draw.integers(0, 2), "restecg": draw.integers(0, 3),
            "thalach": draw.integers(71, 202), "exang": draw.integers(0, 2), "oldpeak": round(draw.random() * 6, 1),
            "slope": draw.integers(1, 4), "ca": draw.integers(0, 4),
            "thal": draw.choice(["fixed", "normal", "reversible"]), "target": ill,
        }  # fmt: skip
        rows.append(row.values())
    table(folder / "heart.csv", list(row), rows)

    sorts = {"workclass": 9, "education": 16, "marital": 7, "occupation": 15, "relationship": 6, "race": 5, "gender": 2,
             "country": 42}  # fmt: skip
    rows = []
    for number in range(420):
        age, hours, known = int(draw.integers(17, 90)), int(draw.integers(1, 99)), int(draw.integers(1, 16))
        words = [f"{name}{(number if number < 50 else draw.integers(0, of)) % of}" for name, of in sorts.items()]
        gain = round(float(hours * known + 50 * draw.normal()), 1)
        rows.append([age, draw.integers(10000, 90000), known, gain, draw.integers(0, 999), hours, *words,
                     "high" if hours + age > 100 else "low"])  # fmt: skip
    header = ["age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours", *sorts, "income"]
    table(folder / "adult.csv", header, rows)


def series(draw: np.random.Generator, folder: Path) -> None:
    noise = draw.normal(size=2000)
    table(folder / "nab.csv", ["t", "value"],
          [[t, round(float(20 + 10 * np.sin(t / 20) + noise[t]), 3)] for t in range(2000)])  # fmt: skip
    rows = []
    for shop, slow in (("north", 8), ("south", 12), ("west", 20)):
        for day in range(200):
            sold = 50 + 20 * np.sin(day / slow) + 3 * draw.normal()
            rows.append([shop, day, round(float(sold), 2), day % 7])
    table(folder / "shops.csv", ["shop", "day", "sold", "weekday"], rows)


def voices(draw: np.random.Generator, folder: Path) -> None:
    """Half a second of 2,000 values a second of three speakers, who speak higher or lower."""
    from scipy.io import wavfile

    for speaker, tone in (("anna", 310), ("ben", 120), ("carl", 180)):
        (folder / "voices" / speaker).mkdir(parents=True, exist_ok=True)
        for number in range(25):
            sound = sum(np.sin(np.arange(1000) / 2000 * 6.2832 * tone * (k + draw.normal() / 50)) / k for k in (1, 2))
            sound = 9000 * sound + 1500 * draw.normal(size=1000)
            wavfile.write(folder / "voices" / speaker / f"{number:02}.wav", 2000, sound.astype("int16"))


def make(folder: Path) -> Path:
    """Writes all of it; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, (name, form) in enumerate(PICTURES.items()):
        np.savez(folder / f"{name}.npz", **pictures(np.random.default_rng(place), *form))
    draw = np.random.default_rng(100)
    for name, content in arrays(draw).items():
        np.savez(folder / f"{name}.npz", **content)
    for writer in (scenes, texts, tables, series, voices):
        writer(np.random.default_rng(101), folder)
    return folder


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
