"""Small tables shipped with scikit-learn."""

from __future__ import annotations

from typing import ClassVar

from dlspec.data.datasets.base import DATASETS, Column, Columns, Dataset, Description
from dlspec.runtime.packages import require


def load_table(name: str, columns: tuple[Column, ...]) -> Columns:
    """A table of scikit-learn under our column names; the target comes last."""
    require("sklearn", what=f"`dataset: {name}`")
    import numpy as np
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    table: Columns = {column.name: bunch.data[:, i] for i, column in enumerate(columns[:-1])}
    target = columns[-1]
    table[target.name] = np.array(target.classes)[bunch.target] if target.classes else bunch.target
    return table


@DATASETS.register
class Iris(Dataset):
    """150 irises of three species, four lengths each in centimetres (Fisher, 1936)."""

    examples: ClassVar = ["iris"]

    def describe(self) -> Description:
        names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
        species = Column("species", "class", classes=("setosa", "versicolor", "virginica"))
        return Description(
            "samples",
            (*(Column(name, unit="cm") for name in names), species),
            target="species",
            about="150 irises of three species (Fisher, 1936; shipped with scikit-learn).",
            rows=150,
        )

    def load(self, seed: int) -> Columns:
        return load_table("iris", self.describe().columns)


@DATASETS.register
class Diabetes(Dataset):
    """442 patients, ten measurements each, and how far the disease went in a year (Efron et al., 2004)."""

    examples: ClassVar = ["diabetes"]

    def describe(self) -> Description:
        names = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
        return Description(
            "samples",
            (*(Column(name) for name in names), Column("progression", unit="points")),
            target="progression",
            about="442 diabetes patients and the progression of their disease after a year (Efron et al., "
            "2004; shipped with scikit-learn).",
            rows=442,
        )

    def load(self, seed: int) -> Columns:
        return load_table("diabetes", self.describe().columns)


@DATASETS.register
class Wine(Dataset):
    """178 wines from three growers, thirteen chemical measurements each (Aeberhard and Forina, 1991)."""

    examples: ClassVar = ["wine"]

    def describe(self) -> Description:
        names = (
            "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids",
            "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280_od315", "proline",
        )  # fmt: skip
        grower = Column("grower", "class", classes=("first", "second", "third"))
        return Description(
            "samples",
            (*map(Column, names), grower),
            target="grower",
            about="178 wines from three growers (Aeberhard and Forina, 1991; shipped with scikit-learn, CC BY 4.0).",
            rows=178,
        )

    def load(self, seed: int) -> Columns:
        return load_table("wine", self.describe().columns)


@DATASETS.register
class BreastCancer(Dataset):
    """569 lumps, thirty measurements of the nuclei of their cells each: malignant or benign (Street et al., 1993).

    Of ten measurements there are the mean over the nuclei, its standard error, and the mean of the three largest.
    """

    examples: ClassVar = ["breast_cancer"]

    def describe(self) -> Description:
        measured = (
            "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points",
            "symmetry", "fractal_dimension",
        )  # fmt: skip
        names = [f"{how}_{what}" for how in ("mean", "error_of", "worst") for what in measured]
        diagnosis = Column("diagnosis", "class", classes=("malignant", "benign"))
        return Description(
            "samples",
            (*map(Column, names), diagnosis),
            target="diagnosis",
            about="569 lumps in the breast, malignant or benign (Street, Wolberg and Mangasarian, 1993; shipped with "
            "scikit-learn, CC BY 4.0).",
            rows=569,
        )

    def load(self, seed: int) -> Columns:
        return load_table("breast_cancer", self.describe().columns)
