"""Tables that are not kept in memory: the same samples, scales and words as in memory, read block by block."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.features import fit_affine
from dlspec.data.features.summaries import NumberSummary
from dlspec.data.preparation.stored import BLOCK_ROWS, TOGETHER, BlockOrder
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data

ROWS = 30_000
B = "{numeric: {scale: min_max, missing: mean, indicator: true}}"
COMPARED = f"features: {{a: numeric, b: {B}, word: category, yes: boolean, day: time}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": random.normal(1000, 0.1, ROWS),
            "b": np.where(random.random(ROWS) < 0.1, np.nan, random.exponential(3, ROWS)),
            "word": random.choice(["red", "green", "blue", "rare"], ROWS, p=[0.5, 0.3, 0.199, 0.001]),
            "yes": random.choice(["no", "yes"], ROWS),
            "day": pd.date_range("2001-01-01", periods=ROWS, freq="h").astype(str),
        }
    )
    frame["y"] = (frame["a"] - 1000) * 20 + (frame["word"] == "red") * 3 + random.normal(0, 0.1, ROWS)
    frame["kind"] = np.where(frame["y"] > 1.5, "high", "low")
    frame.to_parquet(folder / "t.parquet", row_group_size=7000)
    frame.iloc[:20_000].to_csv(folder / "t-1.csv", index=False)
    frame.iloc[20_000:][frame.columns[::-1]].to_csv(folder / "t-2.csv", index=False)
    frame.to_json(folder / "t.jsonl", orient="records", lines=True)
    return folder


def spec_of(folder, cache, table="t.parquet", target="y", more="", features=COMPARED):
    text = (
        f"dlspec: 1\nname: stream\ndata:\n  table: {table}\n  target: {target}\n  {features}\n  cache: {cache}\n{more}"
        "model: [{dense: {units: 8, activation: relu}}, output]\ntrain: {epochs: 3, batch_size: 64}\n"
    )
    path = folder / f"{cache}.yaml"
    path.write_text(text, encoding="utf-8")
    return dlspec.load(path)


@pytest.mark.everyday(1)
@pytest.mark.parametrize("table", ["t.parquet", "t-*.csv", "t.jsonl"])
def test_every_row_is_in_one_part_and_is_what_it_is_in_memory(folder, table):
    kept, streamed = (load_data(spec_of(folder, cache, table)) for cache in ("memory", "none"))
    assert [len(getattr(kept, part)) for part in ("train", "validation", "test")] == [21_000, 4_500, 4_500]
    seen = []
    for name in ("train", "validation", "test"):
        part, other = getattr(streamed, name), getattr(kept, name)
        assert len(part) == len(other)
        rows = np.asarray(part.rows)
        seen.append(rows)
        whole = np.asarray(part.inputs)
        assert np.array_equal(part.inputs[5:9], whole[5:9])
        assert np.array_equal(np.asarray(part.truth), kept.columns["y"][rows])
        encoded = np.hstack(
            [
                column.encode(values)
                for column, values in zip(streamed.preprocessing.columns, _raw_columns(kept, rows), strict=True)
            ]
        )
        np.testing.assert_allclose(whole, encoded, atol=1e-5)
    assert sorted(np.concatenate(seen).tolist()) == list(range(ROWS))
    assert streamed.signature.input_shape == kept.signature.input_shape


def _raw_columns(data, rows):
    from dlspec.data.preparation import READERS

    for kind, column in zip(data.signature.types, data.signature.features, strict=True):
        yield READERS[kind.raw](column.name, data.columns[column.name][rows], holes=True)


def test_what_is_fitted_is_fitted_to_the_training_part(folder):
    data = load_data(spec_of(folder, "none"))
    frame = pd.read_parquet(folder / "t.parquet").iloc[np.asarray(data.train.rows)]
    a, b, word, yes, _ = data.preprocessing.columns
    np.testing.assert_allclose(
        [a.affine.scale[0], a.affine.offset[0]],
        [1 / frame.a.std(ddof=0), -frame.a.mean() / frame.a.std(ddof=0)],
        rtol=1e-7,
    )
    np.testing.assert_allclose(b.fill, frame.b.mean())
    np.testing.assert_allclose(1 / b.affine.scale[0], frame.b.max() - frame.b.min())
    assert word.vocabulary == tuple(sorted(frame.word.unique()))
    assert "yes" in yes.yes
    assert "no" in yes.no
    np.testing.assert_allclose(1 / data.preprocessing.target.scale[0], frame.y.std(ddof=0))


@pytest.mark.parametrize("how", ["standard", "min_max", "robust", "none"])
@pytest.mark.parametrize("fill", [None, -3.0])
def test_a_summary_scales_as_all_values_do(how, fill):
    random = np.random.default_rng(0)
    values = random.normal(1e6, 1, 10_000)
    if fill is not None:
        values[random.random(10_000) < 0.2] = np.nan
    summary = NumberSummary()
    for some in np.array_split(values, 7):
        summary.add(some)
    whole = values if fill is None else np.where(np.isnan(values), fill, values)
    expected, found = fit_affine(whole[:, None], how), summary.affine(how, fill)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-6)
    np.testing.assert_allclose(found.offset, expected.offset, rtol=1e-6, atol=1e-9)


def test_the_order_of_blocks_has_every_row_once_and_mixes_them():
    count = BLOCK_ROWS * (2 * TOGETHER + 3) + 77
    order = BlockOrder(count, 5)
    rows = order[0:count]
    assert sorted(rows.tolist()) == list(range(count))
    assert np.array_equal(order[1000:300_000], rows[1000:300_000])
    assert np.array_equal(BlockOrder(count, 5)[7:90], rows[7:90])
    assert not np.array_equal(BlockOrder(count, 6)[7:90], rows[7:90])
    first = rows[: BLOCK_ROWS * TOGETHER]
    assert len(np.unique(first // BLOCK_ROWS)) >= TOGETHER - 1
    assert abs(np.corrcoef(np.arange(len(first)), first)[0, 1]) < 0.05


def test_a_run_from_files_learns_predicts_and_goes_on_like_one_from_memory(folder, tmp_path):
    spec = spec_of(folder, "none", more="  split: {validation: 2000, test: 3000}\n")
    run = dlspec.run(spec, out=tmp_path / "run")
    assert run.metrics.test["rmse"] < 0.2 * run.metrics.baselines["mean"]["rmse"]
    assert run.data.rows == ROWS
    frame = pd.read_parquet(folder / "t.parquet")
    of_test = frame.iloc[run.predictions["row"]]
    np.testing.assert_allclose(run.predictions["truth"], of_test["y"])
    np.testing.assert_allclose(run.predict(of_test)["y"], run.predictions["network"], atol=0.01)
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "again")
    for one, other in zip(run.model.get_weights(), again.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_classes_and_their_weights_from_files(folder, tmp_path):
    spec = spec_of(folder, "none", target="kind", features="features: [a, word]").with_changes()
    spec = dlspec.load(folder / "none.yaml", overrides={"train.class_weight": "balanced"})
    run = dlspec.run(spec, out=tmp_path / "run")
    counts = run.data.class_counts
    whole = pd.read_parquet(folder / "t.parquet")["kind"].value_counts()
    assert {label: parts.train + parts.validation + parts.test for label, parts in counts.items()} == whole.to_dict()
    assert run.metrics.test["accuracy"] > 0.97


def test_no_test_value_reaches_training(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=9000), "y": random.normal(size=9000)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    text = (
        "dlspec: 1\nname: leak\ndata: {table: t.csv, target: y, cache: none, split: {validation: 0, test: 0.2}}\n"
        "model: [dense: 3, output]\ntrain: {epochs: 1}\n"
    )
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    before = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "before")
    rows = before.predictions["row"]
    frame.loc[rows, "x"] += 1e3
    frame.loc[rows, "y"] *= -50
    frame.to_csv(tmp_path / "t.csv", index=False)
    after = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "after")
    for one, other in zip(before.model.get_weights(), after.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_a_wrong_value_is_named_by_its_row_in_the_whole_table(tmp_path):
    lines = ["a,y", *(f"{i},{i}" for i in range(70_000))]
    lines[69_001] = "x,1"
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    text = "dlspec: 1\ndata: {table: t.csv, target: y, cache: none}\nmodel: [output]\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match='column `a` has the text "x" in row 69001'):
        load_data(dlspec.load(tmp_path / "s.yaml"))


@pytest.mark.parametrize(
    ("more", "what"),
    [("  labels: 100\n", "`labels`"), ("  limit: 100\n", "`limit`")],
)
def test_what_needs_all_rows_says_so(folder, more, what):
    with pytest.raises(dlspec.SpecError) as error:
        spec_of(folder, "none", target="kind", more=more)
    assert [d.code for d in error.value.diagnostics] == ["needs-memory"]
    assert error.value.diagnostics[0].message.startswith(what)


def test_a_vocabulary_of_texts_needs_all_rows(folder):
    with pytest.raises(dlspec.SpecError, match="`word`, which is `text`, needs all rows in memory"):
        spec_of(folder, "none", features="features: {a: numeric, word: text}")


def test_rows_are_streamed_where_they_are_too_many_for_the_machine(folder, monkeypatch):
    spec = spec_of(folder, "auto")
    assert isinstance(load_data(spec).train.inputs, np.ndarray)
    monkeypatch.setattr("dlspec.data.sources.base.machine_memory", lambda: 8 * 2**20)
    assert not isinstance(load_data(spec).train.inputs, np.ndarray)


def test_rows_may_be_split_in_their_order(folder):
    data = load_data(spec_of(folder, "none", more="  split: {by: order, validation: 0.1, test: 0.2}\n"))
    assert np.array_equal(np.asarray(data.test.rows), np.arange(24_000, 30_000))
    assert np.array_equal(np.asarray(data.validation.rows), np.arange(21_000, 24_000))
