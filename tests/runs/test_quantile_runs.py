"""Runs whose output puts out quantiles: what they save, write, draw, export and say."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.evaluation.metrics import METRICS
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.records.predictions import values_in
from tests.commands import dlspec_here
from tests.runs.asked import predicted

LEVELS = (0.1, 0.5, 0.9)
ONE = """\
dlspec: 1
name: one
seed: 1
data: {table: rows.csv, target: y, features: [x], split: {validation: 0.1, test: 0.4}}
model: [dense: {units: 16, activation: relu}, output: {quantiles: [0.1, 0.5, 0.9]}]
train: {epochs: 12, batch_size: 32, optimizer: {adam: 0.02}}
"""
MIXED = """\
dlspec: 1
name: mixed
seed: 1
data: {table: rows.csv, target: [y, z], features: {x: numeric, kind: category}, weight: w}
model: [dense: {units: 12, activation: relu}, output: {quantiles: [0.05, 0.5, 0.75, 0.95]}]
train: {epochs: 3, batch_size: 32, optimizer: {adam: 0.01}}
"""
STEPS = """\
dlspec: 1
name: steps
seed: 1
data:
  dataset: goog
  target: close
  features: [close, volume]
  window: {length: 6, horizon: 1, steps: 3}
  predict: return
model: [gru: 6, output: {quantiles: [0.1, 0.5, 0.9]}]
train: {epochs: 2, batch_size: 64}
"""
SPECS = {"one": ONE, "mixed": MIXED, "steps": STEPS}


def rows_of(count, seed=0):
    random = np.random.default_rng(seed)
    x = random.uniform(0, 10, count)
    kind = random.choice(["calm", "wild"], count)
    y = 1000 + 60 * np.sin(x) + (1 + x) * random.gamma(2, 2, count) * np.where(kind == "wild", 3, 1)
    z = random.normal(size=count) / (1 + x)
    return pd.DataFrame({"x": x, "kind": kind, "y": y, "z": z, "w": random.integers(1, 4, count)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("quantiles")
    rows_of(700).to_csv(home / "rows.csv", index=False)
    rows_of(400, seed=9).to_csv(home / "new.csv", index=False)
    return home


@pytest.fixture(scope="module")
def runs(folder):
    """A finished run of one of the specs, trained once."""
    found = {}

    def get(name):
        if name not in found:
            (folder / f"{name}.yaml").write_text(SPECS[name], encoding="utf-8")
            found[name] = dlspec.run(folder / f"{name}.yaml", out=folder / name)
        return found[name]

    return get


def truth_of(run):
    names = [f"truth:{value}" for value in run.data.target.values] or ["truth"]
    return run.predictions[names].to_numpy()


@pytest.mark.everyday(1)
@pytest.mark.parametrize(("name", "shape"), [("one", (1, 3)), ("mixed", (2, 4)), ("steps", (3, 3))])
def test_the_saved_model_gives_values_in_units(runs, name, shape):
    run = runs(name)
    assert run.metrics.saved_model.same
    assert run.metrics.saved_model.difference < 1e-5
    assert run.model.output_shape == (None, *shape)


@pytest.mark.slow
def test_the_saved_model_loads_without_dlspec(runs):
    script = (
        "import sys\nsys.modules['dlspec'] = None\nimport keras\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\nprint(model.output_shape)\n"
        "assert not model.compiled\n"
    )
    command = [sys.executable, "-c", script, str(runs("steps").folder / "model.keras")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "(None, 3, 3)"


def test_predictions_are_what_the_model_gives_of_raw_rows(runs):
    run = dlspec.open_run(runs("one").folder)
    table = pd.read_csv(run.folder.parent / "rows.csv")
    raw = table["x"].to_numpy()[run.predictions["row"]][:, None]
    outputs = np.asarray(run.model.predict_on_batch(raw))
    found = values_in(run.predictions, run.data)
    np.testing.assert_allclose(found, outputs[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(found[:, 1], run.predictions["network"])
    assert (np.diff(found, axis=1) >= 0).all()
    np.testing.assert_allclose(run.predictions["truth"], table["y"][run.predictions["row"]])


def test_metrics_are_of_the_median_and_of_all_quantiles(runs):
    run = runs("one")
    truth, found = truth_of(run)[:, 0], values_in(run.predictions, run.data)
    test = run.metrics.test
    assert list(test) == ["pinball", "coverage", "width", "mae", "rmse"]
    assert test["mae"] == pytest.approx(np.abs(truth - found[:, 1]).mean())
    assert test["rmse"] == pytest.approx(((truth - found[:, 1]) ** 2).mean() ** 0.5)
    for name in ("pinball", "coverage", "width"):
        assert test[name] == pytest.approx(METRICS.read(name).judge(truth, found, LEVELS))
    low, high = run.metrics.test_intervals["coverage"]
    assert low < test["coverage"] < high
    assert run.metrics.verdict.outcome == "better"
    assert run.metrics.verdict.gain_of == "pinball loss"
    assert run.metrics.judged().metric == "pinball"
    assert "pinball loss" in run.metrics.verdict.sentence


def test_several_numbers_have_each_their_own(runs):
    run = runs("mixed")
    table, levels = run.predictions, (0.05, 0.5, 0.75, 0.95)
    found, truth = values_in(table, run.data), truth_of(run)
    weights = table["weight"].to_numpy("float64")
    own = [METRICS.read("pinball").judge(truth[:, i], found[:, i], levels, weights) for i in range(2)]
    of_each = [run.metrics.by_target[name]["network"]["pinball"] for name in ("y", "z")]
    assert of_each == pytest.approx(own)
    together = np.array(own) / run.data.target.deviations
    assert run.metrics.test["pinball"] == pytest.approx(together.mean())
    assert {"network:y", "network:y q0.05", "network:z q0.95", "quantiles:z"} <= {*table}
    assert "network:y q0.5" not in table


def test_predict_writes_the_median_and_the_others_beside_it(runs, folder):
    found, _ = predicted(runs("one").folder, folder / "new.csv")
    names = ["predicted y", "y q0.1", "y q0.9"]
    assert list(found.columns[-3:]) == names
    outputs = np.asarray(runs("one").model.predict_on_batch(found["x"].to_numpy()[:, None]))[:, 0]
    np.testing.assert_allclose(found[names].to_numpy(), outputs[:, [1, 0, 2]], rtol=1e-6)
    several, _ = predicted(runs("mixed").folder, folder / "new.csv")
    assert list(several.columns[-8:]) == [
        "predicted y", "y q0.05", "y q0.75", "y q0.95", "predicted z", "z q0.05", "z q0.75", "z q0.95",
    ]  # fmt: skip


def test_a_forecast_has_a_band_at_each_step(runs):
    run = runs("steps")
    columns = run.spec.data.dataset.load(1)
    frame = pd.DataFrame({name: columns[name] for name in ("date", "close", "volume")}).tail(30)
    found = run.predict(frame)
    assert list(found)[:6] == ["close+1", "close+1 q0.1", "close+1 q0.9", "close+2", "close+2 q0.1", "close+2 q0.9"]
    assert (found["close+3 q0.1"] < found["close+3"]).all()
    assert (found["close+3"] < found["close+3 q0.9"]).all()
    last = frame["close"].to_numpy()[-len(found) :]
    assert (np.abs(found["close+1"].to_numpy() / last - 1) < 0.2).all()


def test_intervals_move_the_band_by_one_distance(runs, folder):
    """Conformal intervals cover as much as they are asked for, also where the band of the network does not."""
    run, asked = runs("one").folder, 0.7
    found, notes = predicted(run, folder / "new.csv", intervals=asked)
    assert list(found.columns[-5:]) == ["predicted y", "y q0.1", "y q0.9", "y low", "y high"]
    below, above = found["y q0.1"] - found["y low"], found["y high"] - found["y q0.9"]
    np.testing.assert_allclose(below, below[0], rtol=1e-6)
    np.testing.assert_allclose(above, below[0], rtol=1e-6)
    table, data = runs("one").predictions, runs("one").data
    own = values_in(table, data)
    scores = np.maximum(own[:, 0] - table["truth"], table["truth"] - own[:, -1])
    count = len(scores)
    assert below[0] == pytest.approx(np.sort(scores)[int(np.ceil((count + 1) * asked)) - 1], rel=1e-4)
    inside = (found["y low"] <= found["y"]) & (found["y"] <= found["y high"])
    assert inside.mean() == pytest.approx(asked, abs=0.1)
    assert "moved by one distance" in notes[-1]
    wide, _ = predicted(run, folder / "new.csv", intervals=0.02)
    assert (wide["y low"] <= wide["y high"]).all()


def test_reasons_are_of_the_median(runs, folder):
    found, _ = predicted(runs("one").folder, folder / "new.csv", explain=1)
    assert found["why"].str.startswith("x ").all()
    several, _ = predicted(runs("mixed").folder, folder / "new.csv", explain=1)
    assert {"y why", "z why"} <= {*several}


def test_new_data_are_judged_as_the_test_part_is(runs, folder):
    run = runs("one")
    found = dlspec.evaluate(run.folder, folder / "new.csv")
    own, _ = predicted(run.folder, folder / "new.csv")
    quantiles = own[["y q0.1", "predicted y", "y q0.9"]].to_numpy()
    wanted = METRICS.read("pinball").judge(own["y"].to_numpy(), quantiles, LEVELS)
    assert found.metrics.test["pinball"] == pytest.approx(wanted, rel=1e-5)
    assert set(found.metrics.baselines) == {"quantiles", "linear"}
    assert found.pictures["calibration:shares"] == pytest.approx(
        (own["y"].to_numpy()[:, None] <= quantiles).mean(axis=0)
    )
    same = dlspec.evaluate(runs("mixed").folder, folder / "rows.csv")
    assert same.judged == 700


def test_the_report_draws_the_band_and_what_lies_below_each_quantile(runs):
    page = runs("one").report.read_text(encoding="utf-8")
    assert "The band over x" in page
    assert "Does each quantile hold what it promises?" in page
    assert "Coverage of 80%" in page
    shares = runs("one").pictures["calibration:shares"]
    found = values_in(runs("one").predictions, runs("one").data)
    assert shares == pytest.approx((truth_of(runs("one")) <= found).mean(axis=0))
    assert "Forecasts as fans" in runs("steps").report.read_text(encoding="utf-8")
    assert "The band of each value" in runs("mixed").report.read_text(encoding="utf-8")


def test_a_band_that_is_too_narrow_is_said(folder, tmp_path):
    """It is trained on calm rows alone, and judged by others."""
    table = rows_of(400, seed=4)
    calm = table[table["kind"] == "calm"].assign(part="train")
    wild = table[table["kind"] == "wild"].assign(part="test")
    pd.concat([calm, wild]).to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "s.yaml").write_text(ONE.replace("{validation: 0.1, test: 0.4}", "{column: part}"), encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    (note,) = [note for note in run.metrics.notes if "the band is too narrow" in note]
    assert f"{run.metrics.test['coverage']:.1%} does" in note
    assert run.metrics.test_intervals["coverage"][1] < 0.8


@pytest.mark.slow
def test_exports_give_the_same_by_name(runs, tmp_path):
    for name in ("one", "mixed", "steps"):
        dlspec.export(runs(name).folder, out=tmp_path / f"{name}.onnx")
        signature = json.loads((tmp_path / f"{name}.onnx.signature.json").read_text(encoding="utf-8"))
        assert json.loads((tmp_path / f"{name}.onnx.receipt.json").read_text(encoding="utf-8"))
        assert signature["outputs"]["quantiles"] == list(runs(name).data.target.levels)
    assert signature["outputs"]["values"][:4] == ["close+1 q0.1", "close+1", "close+1 q0.9", "close+2 q0.1"]
    assert signature["outputs"]["units"] == ["USD"] * 9
    dlspec.export(runs("one").folder, out=tmp_path / "one.tflite")


def test_the_output_as_a_part_is_its_quantiles(runs):
    part = dlspec.open_run(runs("one").folder).part(None, "output")
    assert part.output_shape == (None, 1, 3)
    assert (np.diff(np.asarray(part([np.array([[1.0], [9.0]])])), axis=-1) >= 0).all()


def test_python_of_it_is_refused_by_name(runs, folder):
    runs("one")
    with pytest.raises(DataError) as error:
        dlspec.eject(folder / "one.yaml", out=folder / "one.py")
    assert "`quantiles` of `y`" in error.value.diagnostics[0].message


def test_two_runs_are_compared_by_pinball_loss(runs, folder):
    wide = ONE.replace("epochs: 12", "epochs: 2").replace("name: one", "name: other")
    (folder / "other.yaml").write_text(wide, encoding="utf-8")
    other = dlspec.run(folder / "other.yaml", out=folder / "other")
    (paired,) = dlspec.compare(runs("one").folder, other.folder).found.pairs
    gain = other.metrics.test["pinball"] - runs("one").metrics.test["pinball"]
    assert paired.verdict.metric == "Pinball loss"
    assert paired.verdict.gain == pytest.approx(-gain)
    assert paired.verdict.outcome == "worse"


@pytest.mark.slow
def test_folds_and_pretraining_go_with_quantiles(folder, tmp_path):
    text = ONE.replace("{validation: 0.1, test: 0.4}", "{folds: 3}").replace("epochs: 12", "epochs: 4")
    text += "pretrain: {method: supervised, epochs: 2}\nevaluate: {compare: {without_pretraining: {}}}\n"
    (folder / "folds.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "folds.yaml", out=tmp_path / "folds")
    assert run.metrics.folds.verdict.metric == "Pinball loss"
    assert run.metrics.folds.verdict.gain_of == "pinball loss"
    assert all(saved.same for saved in run.metrics.folds.saved_models if saved is not None)
    assert "pinball" in run.metrics.compare.without_pretraining.with_


@pytest.mark.slow
def test_a_requirement_may_be_of_the_coverage(folder, runs):
    text = ONE.replace("epochs: 12", "epochs: 1") + "evaluate: {require: {coverage: 0.99, pinball: 1000}}\n"
    (folder / "asked.yaml").write_text(text, encoding="utf-8")
    done = dlspec_here("run", "asked.yaml", "--out", "asked", cwd=folder)
    assert done.returncode == 6
    assert "Coverage of at least 99" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("features: [x]", "features: [x], cache: none"),
        ("train:", "runtime: {precision: mixed_bfloat16}\ntrain:"),
        ("features: [x]", "features: [x], scale: min_max"),
        ("features: [x]", "features: [x], scale: robust"),
        ("[0.1, 0.5, 0.9]", "[0.5, 0.9]"),
        ("[0.1, 0.5, 0.9]", str([round(share / 40, 3) for share in range(1, 40)])),
    ],
)
def test_other_data_scales_and_shares(folder, tmp_path, old, new):
    text = ONE.replace(old, new).replace("epochs: 12", "epochs: 40")
    (folder / "other_way.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "other_way.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.same
    assert run.metrics.verdict.outcome == "better"
    found = values_in(run.predictions, run.data)
    assert (np.diff(found, axis=1) >= 0).all()
    shares = run.pictures["calibration:shares"]
    np.testing.assert_allclose(shares, run.data.target.levels, atol=0.15)
