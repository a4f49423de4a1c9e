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


MODEL = "model: [dense: 3, output]\ntrain: {epochs: 1}\n"


def decided_by(file, source, model=MODEL):
    """What the data of a spec decide: types, vocabularies, scales, and the plan."""
    file.write_text(f"dlspec: 1\ndata: {source}\n{model}", encoding="utf-8")
    spec = dlspec.load(file)
    data = load_data(spec)
    steps = data.preprocessing
    scales = [steps.inputs, steps.target, *(getattr(column, "affine", None) for column in steps.columns)]
    return (
        [kind.brief() for kind in data.signature.types],
        data.signature.target.classes,
        [(column.name, column.known) for column in steps.columns],
        dict(data.date_forms),
        [(layer.name, layer.parameters) for layer in dlspec.graph(spec).layers],
        np.concatenate([np.ravel(v) for scale in scales if scale is not None for v in (scale.scale, scale.offset)]),
    ), data


def assert_same(one, other):
    """Equal; scales to the last digits, as sums depend on the order of rows."""
    assert one[:-1] == other[:-1]
    np.testing.assert_allclose(one[-1], other[-1], rtol=1e-9)


@pytest.mark.parametrize("kind", ["numbers", "words", "dates"])
@pytest.mark.parametrize("by", ["files", "column", "order"])
def test_the_training_part_alone_decides(tmp_path, kind, by):
    def decided(validation, test):
        parts = {"train": table(np.random.default_rng(0)), "val": validation, "test": test}
        split = "{validation: val.csv, test: test.csv}"
        if by == "files":
            for part, rows in parts.items():
                rows.to_csv(tmp_path / f"{part}.csv", index=False)
        elif by == "order":
            split = "{by: order, validation: 40, test: 40}"
            pd.concat(parts.values()).to_csv(tmp_path / "train.csv", index=False)
        else:
            split = "{column: part}"
            whole = pd.concat([rows.assign(part=part) for part, rows in parts.items()])
            whole = whole.sample(frac=1, random_state=0).sort_values("size", kind="stable")
            whole.to_csv(tmp_path / "train.csv", index=False)
        return decided_by(tmp_path / "spec.yaml", f"{{table: train.csv, target: y, split: {split}}}")[0]

    random = np.random.default_rng(1)
    before = decided(table(random, 40), table(random, 40))
    assert_same(decided(others(random, kind), others(random, kind)), before)


@pytest.mark.parametrize("kind", ["numbers", "words", "dates"])
@pytest.mark.parametrize("target", ["y", "smoker"])
def test_groups_of_the_training_part_alone_decide(tmp_path, kind, target):
    random = np.random.default_rng(2)
    rows = table(random, 200).assign(ward=random.integers(0, 20, 200))

    def decided():
        rows.to_csv(tmp_path / "t.csv", index=False)
        split = "{group: ward, by: random, validation: 0.2, test: 0.2}"
        features = [name for name in ("size", "city", "smoker", "y") if name != target]
        given = f"{{table: t.csv, target: {target}, features: [{', '.join(features)}], split: {split}}}"
        return decided_by(tmp_path / "spec.yaml", given)

    before, data = decided()
    held_out = np.concatenate([data.validation.rows, data.test.rows])
    changed = others(random, kind)
    for name in changed:
        rows.loc[held_out, name] = np.resize(changed[name].to_numpy(), len(held_out))
    assert_same(decided()[0], before)


def series(random, rows=200):
    return pd.DataFrame(
        {
            "day": pd.date_range("2023-03-01", periods=rows).strftime("%d/%m/%Y"),
            "load": random.normal(size=rows).round(3),
            "state": random.choice(["up", "down", "flat"], rows),
        }
    )


@pytest.mark.parametrize("target", ["load", "state"])
@pytest.mark.parametrize("grouped", [False, True])
def test_the_beginning_of_a_series_alone_decides(tmp_path, target, grouped):
    random = np.random.default_rng(3)
    rows = series(random)
    if grouped:
        rows = pd.concat([rows.assign(pump=pump) for pump in ("a", "b")], ignore_index=True)

    def decided():
        rows.to_csv(tmp_path / "s.csv", index=False)
        group = "group: pump, " * grouped
        given = f"{{series: s.csv, {group}target: {target}, features: [load], window: {{length: 5}}}}"
        return decided_by(tmp_path / "spec.yaml", given, "model: [lstm: 3, output]\ntrain: {epochs: 1}\n")

    before, data = decided()
    later = np.concatenate([data.validation.rows, data.test.rows])
    rows.loc[later, "load"] = rows.loc[later, "load"] * 1e6
    rows.loc[later[::3], "state"] = [f"state {place}" for place in range(len(later[::3]))]
    after, data = decided()
    assert_same(after, before)
    if target == "state":
        assert sum(data.unknown_labels.values()) == len(later[::3])
        assert (data.test.truth >= 0).all()


@pytest.mark.parametrize("target", ["y", "smoker"])
def test_what_a_stream_decides_is_of_the_training_part(tmp_path, target, monkeypatch):
    monkeypatch.setattr("dlspec.data.sources.rows.TableFiles.is_large", True)
    random = np.random.default_rng(4)
    train, held_out = table(random, 300), table(random, 100)
    given = (
        f"{{table: t.csv, target: {target}, features: [size, city], split: {{by: order, validation: 50, test: 50}}}}"
    )

    def decided(rows):
        pd.concat([train, rows]).to_csv(tmp_path / "t.csv", index=False)
        return decided_by(tmp_path / "spec.yaml", given)

    before, data = decided(held_out)
    assert (data.rows_in_all, len(data.train)) == (400, 300)
    changed = pd.concat([others(random, "words"), others(random, "words"), others(random, "words")])[:100]
    changed.loc[changed.index[::7], "size"] = 0.5
    assert_same(decided(changed)[0], before)


def test_a_stream_is_cut_by_its_rows_not_by_its_bytes(tmp_path, monkeypatch):
    """Rows at the end are longer than the first ones, by which the number of rows would be guessed."""
    monkeypatch.setattr("dlspec.data.sources.rows.TableFiles.is_large", True)
    lines = [f"{place},{place * 2}" for place in range(1000)]
    lines += [f"{place}.000000000000000000000000,{place * 2}.0000000000000000" for place in range(1000)]
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(lines) + "\n")
    for split in ("{by: order, validation: 0.1, test: 0.2}", "{by: order, validation: 200, test: 400}"):
        _, data = decided_by(tmp_path / "spec.yaml", f"{{table: t.csv, target: y, split: {split}}}")
        assert [len(part) for part in (data.train, data.validation, data.test)] == [1400, 200, 400]


def test_labels_of_the_test_part_that_are_all_spelt_otherwise_are_named(tmp_path):
    rows = pd.DataFrame({"size": np.arange(60.0), "ill": np.resize(["yes", "no"], 60)})
    rows.to_csv(tmp_path / "t.csv", index=False)
    rows.assign(ill=np.resize(["Y", "N"], 60)).to_csv(tmp_path / "test.csv", index=False)
    said = r"no row of the test part is left.* the training part does not have: `[NY]`"
    with pytest.raises(dlspec.DataError, match=said):
        decided_by(tmp_path / "spec.yaml", "{table: t.csv, target: ill, split: {test: test.csv}}")


def test_a_row_of_the_test_part_that_lacks_a_value_moves_no_other_row(tmp_path):
    random = np.random.default_rng(5)
    rows = table(random, 200)
    given = "{table: t.csv, target: y, features: [size, city], missing: drop, split: {by: random}}"

    def decided():
        rows.to_csv(tmp_path / "t.csv", index=False)
        return decided_by(tmp_path / "spec.yaml", given)[1]

    before = decided()
    rows.loc[before.test.rows[:10], "size"] = np.nan
    after = decided()
    assert len(after.test) == len(before.test) - 10
    np.testing.assert_array_equal(after.train.rows, before.train.rows)
    np.testing.assert_array_equal(after.validation.rows, before.validation.rows)


@pytest.mark.parametrize("series", [False, True])
def test_a_date_of_the_test_part_does_not_tell_what_is_the_day(tmp_path, series):
    days = ["01/02/2023", "02/03/2023", "03/04/2023", "05/06/2023", "07/08/2023", "08/09/2023", "09/10/2023"]
    rows = pd.DataFrame({"day": [*days, "10/11/2023", "13/12/2023", "14/12/2023", "15/12/2023", "16/12/2023"]})
    rows["load"] = np.random.default_rng(0).normal(size=len(rows))
    rows.to_csv(tmp_path / "t.csv", index=False)
    source = (
        "{series: t.csv, time: day, target: load, window: {length: 1}, split: {validation: 2, test: 4}}"
        if series
        else "{table: t.csv, target: load, features: {day: time}, split: {by: order, validation: 2, test: 4}}"
    )
    with pytest.raises(dlspec.DataError, match="may begin with the day or with the month"):
        decided_by(tmp_path / "spec.yaml", source, MODEL.replace("[", "[flatten, ", 1))


def test_weights_do_not_hang_on_the_test_part(tmp_path):
    def weights(test, out):
        pd.concat([table(np.random.default_rng(0)), test]).to_csv(tmp_path / "t.csv", index=False)
        (tmp_path / "spec.yaml").write_text(
            "dlspec: 1\ndata: {table: t.csv, target: smoker, split: {by: order, validation: 20, test: 40}}\n" + MODEL
        )
        run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / out)
        return run, [np.asarray(value) for value in run.model.weights]

    random = np.random.default_rng(1)
    _, before = weights(table(random, 40), "one")
    run, after = weights(others(random, "words"), "two")
    assert set(run.data.unknown_labels) == {"maybe"}
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


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


def test_a_folder_of_its_own_for_the_test_decides_nothing(tmp_path):
    from PIL import Image

    def picture(path, color):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L" if isinstance(color, int) else "RGB", (8, 8), color).save(path)

    for place in range(12):
        for kind in ("cat", "dog"):
            picture(tmp_path / f"p/train/{kind}/{place}.png", 10 * place + 3 * (kind == "cat"))
            picture(tmp_path / f"p/test/{kind}/{place}.png", 10 * place + 1)
    model = "model: [flatten, output]\ntrain: {epochs: 1}\n"
    before, _ = decided_by(tmp_path / "spec.yaml", "{images: p}", model)
    assert before[1] == ("cat", "dog")
    for place in range(5):
        picture(tmp_path / f"p/test/fox/{place}.png", (200, 10, 10))
    after, data = decided_by(tmp_path / "spec.yaml", "{images: p}", model)
    assert_same(after, before)
    assert data.unknown_labels == {"fox": 5}
    assert len(data.test) == 24


@pytest.mark.parametrize("split", ["given", "order"])
def test_arrays_of_the_test_part_decide_nothing(tmp_path, split):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(100, 3)), np.arange(100) % 3

    def decided():
        if split == "given":
            arrays = {"x_train": x[:80], "y_train": y[:80], "x_test": x[80:], "y_test": y[80:]}
            np.savez(tmp_path / "a.npz", **arrays)
            return decided_by(tmp_path / "spec.yaml", "{arrays: a.npz, split: {by: order, validation: 10}}")
        np.savez(tmp_path / "a.npz", x=x, y=y)
        return decided_by(tmp_path / "spec.yaml", "{arrays: a.npz, split: {by: order, validation: 10, test: 20}}")

    before, _ = decided()
    y[90:], x[90:] = 7, 1e6
    after, data = decided()
    assert_same(after, before)
    assert data.unknown_labels == {"7": 10}
    y = np.eye(3)[np.arange(100) % 3]
    decided()
    y[95] = [1, 1, 0]
    with pytest.raises(dlspec.DataError, match="`y` has not a single 1 in row 96"):
        decided()
    y = np.stack([np.arange(100) % 2, np.arange(100) % 3 == 0], axis=1).astype(float)
    decided()
    y[95, 0] = 0.5
    with pytest.raises(dlspec.DataError, match="`y` has other values than 0 and 1 in row 96"):
        decided()


def test_files_may_have_their_columns_in_another_order(tmp_path):
    random = np.random.default_rng(0)
    rows = table(random, 120).assign(part=np.where(np.arange(120) % 3, "train", "test"))
    rows.loc[rows["part"] == "test", "city"] = "Rome"
    rows[:60].to_csv(tmp_path / "a.csv", index=False)
    rows[60:][["part", "y", "city", "built", "smoker", "size"]].to_csv(tmp_path / "b.csv", index=False)
    found, data = decided_by(tmp_path / "spec.yaml", "{table: [a.csv, b.csv], target: y, split: {column: part}}")
    assert ("city", ("Bonn", "Kiel", "Ulm")) in found[2]
    assert len(data.test) == 40
