"""What stands in the validation and the test part changes neither types nor vocabularies, scales or the plan."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.runs.job import load_data

ROWS = 120


def table(random, rows=ROWS):
    return pd.DataFrame(
        {
            "size": random.normal(size=rows).round(3),
            "city": random.choice(["Ulm", "Bonn", "Kiel"], rows),
            "smoker": random.choice(["yes", "no"], rows),
            "built": pd.date_range("2001-01-01", periods=rows).astype(str),
            "y": random.normal(size=rows).round(3),
        }
    )


def others(random, kind):
    rows = table(random, 40)
    rows["size"] = rows["size"] * 1e6 + 5
    if kind == "words":
        rows["city"] = [f"place {number}" for number in range(40)]
        rows["smoker"] = random.choice(["yes", "no", "maybe"], 40)
    if kind == "dates":
        rows["built"] = pd.date_range("1950-01-01", periods=40).astype(str)
        rows["y"] = rows["y"] + 1e5
    return rows


@pytest.fixture
def decided(tmp_path):
    """What is decided by a table whose validation and test parts are files of their own."""

    def decided(validation, test, by):
        train = table(np.random.default_rng(0))
        parts = {"train": train, "val": validation, "test": test}
        if by == "column":
            whole = pd.concat([rows.assign(part=part) for part, rows in parts.items()])
            whole.sample(frac=1, random_state=0).sort_values("size", kind="stable").to_csv(
                tmp_path / "train.csv", index=False
            )
        else:
            for part, rows in parts.items():
                rows.to_csv(tmp_path / f"{part}.csv", index=False)
        split = "{column: part}" if by == "column" else "{validation: val.csv, test: test.csv}"
        (tmp_path / "spec.yaml").write_text(
            f"dlspec: 1\ndata: {{table: train.csv, target: y, split: {split}}}\n"
            "model: [dense: 3, output]\ntrain: {epochs: 1}\n"
        )
        spec = dlspec.load(tmp_path / "spec.yaml")
        data = load_data(spec)
        fitted = [(column.name, column.known, getattr(column, "affine", None)) for column in data.preprocessing.columns]
        scales = [None if affine is None else (affine.scale.tolist(), affine.offset.tolist()) for *_, affine in fitted]
        target = data.preprocessing.target
        return (
            [kind.brief() for kind in data.signature.types],
            [(name, known) for name, known, _ in fitted],
            scales,
            (target.scale.tolist(), target.offset.tolist()),
            [(layer.name, layer.parameters) for layer in dlspec.graph(spec).layers],
        )

    return decided


@pytest.mark.parametrize("kind", ["numbers", "words", "dates"])
@pytest.mark.parametrize("by", ["files", "column"])
def test_the_training_part_alone_decides(decided, kind, by):
    random = np.random.default_rng(1)
    before = decided(table(random, 40), table(random, 40), by)
    assert close(decided(others(random, kind), others(random, kind), by), before)


def close(one, other):
    """Equal; scales to the last digits, as sums depend on the order of rows."""
    exact = one[:2] + one[4:] == other[:2] + other[4:]
    return exact and np.allclose(scales(one), scales(other), rtol=1e-9)


def scales(decided):
    """All scales of features and of the target, one behind the other."""
    pairs = [pair for pair in [*decided[2], decided[3]] if pair is not None]
    return np.concatenate([np.ravel(value) for pair in pairs for value in pair])


def test_a_class_that_the_training_part_does_not_have_is_left_out_and_told(tmp_path):
    rows = pd.DataFrame({"size": np.arange(60.0), "ill": np.arange(60) % 2})
    rows.to_csv(tmp_path / "train.csv", index=False)
    rows.assign(ill=np.arange(60) % 3).to_csv(tmp_path / "test.csv", index=False)
    (tmp_path / "spec.yaml").write_text(
        "dlspec: 1\ndata: {table: train.csv, target: ill, split: {test: test.csv}}\nmodel: [output]\n"
        "train: {epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    assert run.data.target.classes == ("0", "1")
    assert run.data.unknown_labels == {"2": 20}
    assert run.data.parts.test == 40
    (said,) = [note for note in run.metrics.notes if "20 rows" in note]
    assert "a label of `ill` that the training part does not have, and are left out: `2`" in said
