"""Runs whose output puts out mixtures: what they save, write, draw, export and say."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import dlspec
from dlspec.evaluation.mixtures import log_density, mean_of, modes_of, quantiles_of
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.records.predictions import values_in
from tests.commands import dlspec_here
from tests.runs.asked import predicted

ONE = """\
dlspec: 1
name: one
seed: 1
data: {table: rows.csv, target: y, features: [x], split: {validation: 0.1, test: 0.4}}
model: [dense: {units: 24, activation: tanh}, output: {mixture: 3}]
train: {epochs: 60, batch_size: 32, optimizer: {adam: 0.02}}
"""
MIXED = """\
dlspec: 1
name: mixed
seed: 1
data: {table: rows.csv, target: [y, z], features: {x: numeric, kind: category}, weight: w}
model: [dense: {units: 12, activation: relu}, output: {mixture: 2}]
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
  predict: difference
model: [gru: 6, output: {mixture: 2}]
train: {epochs: 2, batch_size: 64}
"""
NEXT = STEPS.replace(", steps: 3", "").replace("name: steps", "name: next")
SPECS = {"one": ONE, "mixed": MIXED, "steps": STEPS, "next": NEXT}
TOLD = ("", " q0.1", " q0.9", " mode")


def rows_of(count, seed=0):
    """Of `y` two branches, whose distance grows with `x`."""
    random = np.random.default_rng(seed)
    x = random.uniform(0, 10, count)
    kind = random.choice(["calm", "wild"], count)
    upper = random.random(count) < 0.3
    y = 1000 + np.where(upper, 20 * x, -10 * x) + 4 * random.normal(size=count)
    z = random.normal(size=count) / (1 + x)
    return pd.DataFrame({"x": x, "kind": kind, "y": y, "z": z, "w": random.integers(1, 4, count)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("mixtures")
    rows_of(900).to_csv(home / "rows.csv", index=False)
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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), [("one", (1, 9)), ("mixed", (2, 6)), ("steps", (3, 6)), ("next", (1, 6))])
def test_the_saved_model_gives_mixtures_in_units(runs, name, shape):
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
    assert done.stdout.strip().splitlines()[-1] == "(None, 3, 6)"


def test_two_branches_that_are_known_are_found(runs):
    """Of weight 0.7 and 0.3, at -10 x and 20 x around 1000, with a deviation of 4."""
    for x in (3.0, 6.0, 9.0):
        weights, means, deviations = np.split(np.asarray(runs("one").model(np.array([[x]])))[0, 0], 3)
        upper = means > 1000
        assert weights[upper].sum() == pytest.approx(0.3, abs=0.08)
        assert (weights * means)[upper].sum() / weights[upper].sum() == pytest.approx(1000 + 20 * x, abs=5)
        assert (weights * means)[~upper].sum() / weights[~upper].sum() == pytest.approx(1000 - 10 * x, abs=5)
        assert (weights * deviations).sum() == pytest.approx(4, abs=2)
    truth = rows_of(400, seed=9)
    density = 0.7 * norm.pdf(truth["y"], 1000 - 10 * truth["x"], 4) + 0.3 * norm.pdf(
        truth["y"], 1000 + 20 * truth["x"], 4
    )
    found = np.asarray(runs("one").model(truth[["x"]].to_numpy()))[:, 0]
    assert log_density(truth["y"].to_numpy(), found).mean() == pytest.approx(np.log(density).mean(), abs=0.25)


def test_predictions_are_what_the_model_gives_of_raw_rows(runs):
    run = dlspec.open_run(runs("one").folder)
    table = pd.read_csv(run.folder.parent / "rows.csv")
    raw = table["x"].to_numpy()[run.predictions["row"]][:, None]
    outputs = np.asarray(run.model.predict_on_batch(raw))
    found = values_in(run.predictions, run.data)
    np.testing.assert_allclose(found, outputs[:, 0], rtol=1e-4, atol=1e-6)
    own = run.predictions
    np.testing.assert_allclose(own["network"], mean_of(found), rtol=1e-12)
    np.testing.assert_allclose(own[["network q0.1", "network q0.9"]], quantiles_of(found, (0.1, 0.9)), rtol=1e-12)
    np.testing.assert_allclose(own["network mode"], modes_of(found), rtol=1e-9)
    np.testing.assert_allclose(own["truth"], table["y"][own["row"]])


def test_the_verdict_is_by_likelihood(runs):
    run = runs("one")
    truth, found = run.predictions["truth"].to_numpy(), values_in(run.predictions, run.data)
    test = run.metrics.test
    assert list(test) == ["log_likelihood", "coverage", "width", "mae", "rmse"]
    assert test["log_likelihood"] == pytest.approx(log_density(truth, found).mean())
    assert test["rmse"] == pytest.approx(((truth - mean_of(found)) ** 2).mean() ** 0.5)
    low, high = run.metrics.test_intervals["log_likelihood"]
    assert low < test["log_likelihood"] < high
    assert list(run.metrics.baselines) == ["gaussian", "linear"]
    assert run.metrics.verdict.outcome == "better"
    assert run.metrics.verdict.gain_of == "log likelihood"
    assert run.metrics.verdict.gain == pytest.approx(
        test["log_likelihood"] - max(own["log_likelihood"] for own in run.metrics.baselines.values())
    )
    assert run.metrics.judged().metric == "log_likelihood"
    assert f"log likelihood {test['log_likelihood']:.3f} nats" in run.metrics.verdict.sentence
    (note,) = [note for note in run.metrics.notes if note.startswith("Log likelihood")]
    assert "in its own units" in note


def test_several_numbers_have_each_their_own(runs):
    run = runs("mixed")
    table = run.predictions
    found, truth = values_in(table, run.data), table[["truth:y", "truth:z"]].to_numpy()
    weights = table["weight"].to_numpy("float64")
    own = [np.average(log_density(truth[:, i], found[:, i]), weights=weights) for i in range(2)]
    of_each = [run.metrics.by_target[name]["network"]["log_likelihood"] for name in ("y", "z")]
    assert of_each == pytest.approx(own)
    assert run.metrics.test["log_likelihood"] == pytest.approx(np.mean(own))
    assert {"network:y", "network:y q0.1", "network:z mode", "network:z weight 2", "gaussian:z"} <= {*table}


def test_predict_writes_mean_interval_and_the_likeliest_value(runs, folder):
    found, _ = predicted(runs("one").folder, folder / "new.csv")
    names = ["predicted y", "y q0.1", "y q0.9", "y mode"]
    assert list(found.columns[-4:]) == names
    outputs = np.asarray(runs("one").model.predict_on_batch(found["x"].to_numpy()[:, None]))[:, 0]
    wanted = np.column_stack([mean_of(outputs), quantiles_of(outputs, (0.1, 0.9)), modes_of(outputs)])
    np.testing.assert_allclose(found[names].to_numpy(), wanted, rtol=1e-5)
    far = found["x"] > 5
    assert (np.abs(found["y mode"] - (1000 - 10 * found["x"]))[far] < 12).all()  # on a branch
    assert (found["predicted y"] - found["y mode"])[far].abs().min() > 20  # between both
    several, _ = predicted(runs("mixed").folder, folder / "new.csv")
    assert list(several.columns[-8:]) == [
        "predicted y", "y q0.1", "y q0.9", "y mode", "predicted z", "z q0.1", "z q0.9", "z mode",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["steps", "next"])
def test_a_forecast_has_a_mixture_at_each_step(runs, name):
    run = runs(name)
    columns = run.spec.data.dataset.load(1)
    frame = pd.DataFrame({own: columns[own] for own in ("date", "close", "volume")}).tail(30)
    found = run.predict(frame)
    assert list(found)[:4] == [f"close+1{end}" for end in TOLD]
    assert (found["close+1 q0.1"] < found["close+1"]).all()
    assert (found["close+1"] < found["close+1 q0.9"]).all()
    last = frame["close"].to_numpy()[-len(found) :]
    assert (np.abs(found["close+1"].to_numpy() / last - 1) < 0.2).all()
    assert list(run.metrics.baselines) == ["gaussian", "persistence", "linear"]


def test_intervals_move_the_interval_by_one_distance(runs, folder):
    run, asked = runs("one").folder, 0.7
    found, notes = predicted(run, folder / "new.csv", intervals=asked)
    assert list(found.columns[-6:]) == ["predicted y", "y q0.1", "y q0.9", "y mode", "y low", "y high"]
    below, above = found["y q0.1"] - found["y low"], found["y high"] - found["y q0.9"]
    np.testing.assert_allclose(below, below[0], rtol=1e-6)
    np.testing.assert_allclose(above, below[0], rtol=1e-6)
    table = runs("one").predictions
    scores = np.maximum(table["network q0.1"] - table["truth"], table["truth"] - table["network q0.9"])
    assert below[0] == pytest.approx(np.sort(scores)[int(np.ceil((len(scores) + 1) * asked)) - 1], rel=1e-4)
    inside = (found["y low"] <= found["y"]) & (found["y"] <= found["y high"])
    assert inside.mean() == pytest.approx(asked, abs=0.1)
    assert "the quantiles 0.1 and 0.9 of the network, moved by one distance" in notes[-1]


def test_reasons_are_of_the_mean(runs, folder):
    found, _ = predicted(runs("one").folder, folder / "new.csv", explain=1)
    assert found["why"].str.startswith("x ").all()
    several, _ = predicted(runs("mixed").folder, folder / "new.csv", explain=1)
    assert {"y why", "z why"} <= {*several}


def test_new_data_are_judged_as_the_test_part_is(runs, folder):
    run = runs("one")
    found = dlspec.evaluate(run.folder, folder / "new.csv")
    truth = rows_of(400, seed=9)
    outputs = np.asarray(run.model.predict_on_batch(truth["x"].to_numpy()[:, None]))[:, 0]
    wanted = log_density(truth["y"].to_numpy(), outputs).mean()
    assert found.metrics.test["log_likelihood"] == pytest.approx(wanted, rel=1e-4)
    assert set(found.metrics.baselines) == {"gaussian", "linear"}
    assert found.pictures["cumulated"].shape == (400, 1)
    assert any(note.startswith("Log likelihood") for note in found.metrics.notes)
    assert dlspec.evaluate(runs("mixed").folder, folder / "rows.csv").judged == 900


def test_the_report_draws_the_density_and_where_truth_lies(runs):
    page = runs("one").report.read_text(encoding="utf-8")
    for said in ("The density over x", "Some mixtures", "Is truth where the mixtures say?", "Coverage of 80%"):
        assert said in page
    assert "What may come" in runs("next").report.read_text(encoding="utf-8")
    for name in ("mixed", "steps"):
        assert "The density of each value" in runs(name).report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_exports_give_the_same_by_name(runs, tmp_path):
    for name in ("one", "mixed", "steps", "next"):
        dlspec.export(runs(name).folder, out=tmp_path / f"{name}.onnx")
        signature = json.loads((tmp_path / f"{name}.onnx.signature.json").read_text(encoding="utf-8"))
        assert json.loads((tmp_path / f"{name}.onnx.receipt.json").read_text(encoding="utf-8"))
        assert signature["outputs"]["mixture"] == runs(name).data.target.mixture
    assert signature["outputs"]["values"] == [
        f"close+1 {what} {place}" for what in ("weight", "mean", "deviation") for place in (1, 2)
    ]
    assert signature["outputs"]["units"] == [None, None, "USD", "USD", "USD", "USD"]
    dlspec.export(runs("one").folder, out=tmp_path / "one.tflite")


def test_the_output_as_a_part_is_its_mixtures(runs):
    part = dlspec.open_run(runs("one").folder).part(None, "output")
    assert part.output_shape == (None, 1, 9)
    np.testing.assert_allclose(np.asarray(part([np.array([[1.0], [9.0]])]))[..., :3].sum(axis=-1), 1, rtol=1e-5)


def test_python_of_it_is_refused_by_name(runs, folder):
    runs("one")
    with pytest.raises(DataError) as error:
        dlspec.eject(folder / "one.yaml", out=folder / "one.py")
    assert "`mixture` of `y`" in error.value.diagnostics[0].message


def test_two_runs_of_other_components_are_compared_by_likelihood(runs, folder):
    other = (
        ONE.replace("epochs: 60", "epochs: 2").replace("name: one", "name: other").replace("mixture: 3", "mixture: 1")
    )
    (folder / "other.yaml").write_text(other, encoding="utf-8")
    other = dlspec.run(folder / "other.yaml", out=folder / "other")
    (paired,) = dlspec.compare(runs("one").folder, other.folder).found.pairs
    gain = other.metrics.test["log_likelihood"] - runs("one").metrics.test["log_likelihood"]
    assert paired.verdict.metric == "Log likelihood"
    assert paired.verdict.gain == pytest.approx(gain)
    assert paired.verdict.outcome == "worse"


@pytest.mark.slow
def test_likelihood_that_is_gained_by_naming_single_values_is_said(tmp_path):
    """Of a die nobody knows more than that it falls on whole numbers, by which a mixture beats everything."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"x": random.uniform(size=700), "y": random.integers(1, 7, 700)})
    table.to_csv(tmp_path / "rows.csv", index=False)
    text = ONE.replace("mixture: 3", "mixture: 8").replace("target: y", "target: {y: numeric}")
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.metrics.verdict.outcome == "better"
    (note,) = [note for note in run.metrics.notes if "naming single values" in note]
    assert "which lie 1.000 apart" in note
    again = dlspec.evaluate(run.folder, tmp_path / "rows.csv").metrics.notes
    assert any("naming single values" in note for note in again)
    one = text.replace("mixture: 8", "mixture: 1").replace("epochs: 60", "epochs: 5")
    (tmp_path / "one.yaml").write_text(one, encoding="utf-8")
    assert not any("naming" in note for note in dlspec.run(tmp_path / "one.yaml", out=tmp_path / "one").metrics.notes)


@pytest.mark.slow
def test_folds_and_pretraining_go_with_mixtures(folder, tmp_path):
    text = ONE.replace("{validation: 0.1, test: 0.4}", "{folds: 3}").replace("epochs: 60", "epochs: 4")
    text += "pretrain: {method: supervised, epochs: 2}\nevaluate: {compare: {without_pretraining: {}}}\n"
    (folder / "folds.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "folds.yaml", out=tmp_path / "folds")
    assert run.metrics.folds.verdict.metric == "Log likelihood"
    assert run.metrics.folds.verdict.gain_of == "log likelihood"
    assert all(saved.same for saved in run.metrics.folds.saved_models if saved is not None)
    assert "log_likelihood" in run.metrics.compare.without_pretraining.with_


@pytest.mark.slow
def test_a_requirement_may_be_of_the_likelihood(folder, runs):
    text = ONE.replace("epochs: 60", "epochs: 1") + "evaluate: {require: {log_likelihood: -1, beats: baselines}}\n"
    (folder / "asked.yaml").write_text(text, encoding="utf-8")
    done = dlspec_here("run", "asked.yaml", "--out", "asked", cwd=folder)
    assert done.returncode == 6
    assert "Log likelihood of at least -1.000" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("features: [x]", "features: [x], cache: none"),
        ("train:", "runtime: {precision: mixed_bfloat16}\ntrain:"),
        ("features: [x]", "features: [x], scale: min_max"),
        ("features: [x]", "features: [x], scale: robust"),
        ("mixture: 3", "mixture: 20"),
        ("train:", "runtime: {xla: on}\ntrain:"),
    ],
)
def test_other_data_scales_and_components(folder, tmp_path, old, new):
    text = ONE.replace(old, new).replace("epochs: 60", "epochs: 40")
    (folder / "other_way.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "other_way.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.same
    assert run.metrics.verdict.outcome == "better"
    assert run.metrics.test["coverage"] == pytest.approx(0.8, abs=0.16)


@pytest.mark.slow
def test_a_scale_at_which_components_are_too_wide_is_said(folder, tmp_path):
    text = ONE.replace("target: y", "target: z").replace("features: [x]", "features: [x], scale: none")
    table = pd.read_csv(folder / "rows.csv")
    table["z"] *= 0.01
    table.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "s.yaml").write_text(text.replace("epochs: 60", "epochs: 2"), encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    (note,) = [note for note in run.metrics.notes if note.startswith("No component")]
    assert "narrower than 0.001000" in note
    assert "`scale: standard`" in note


@pytest.mark.slow
@pytest.mark.parametrize("output", ["mixture: 2", "quantiles: [0.1, 0.5, 0.9]"])
def test_a_loss_that_never_moves_is_said_of_several_numbers_too(folder, tmp_path, output):
    text = MIXED.replace("mixture: 2", output).replace("epochs: 3", "epochs: 8").replace("adam: 0.01", "sgd: 1.0e-9")
    (folder / "still.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "still.yaml", out=tmp_path / "run")
    assert any("next to nothing was learned" in note for note in run.metrics.notes)
