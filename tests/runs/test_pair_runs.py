"""Runs that compare samples: what they save, write, draw, predict, export and say."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.evaluation.codes import recall_at_1
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.training.progress import Stopped
from tests.runs.asked import predicted
from tests.trained import StopAfter

TRIPLETS = """\
dlspec: 1
name: triplets
seed: 1
data: {table: rows.csv, target: kind, split: {validation: 0.2, test: 0.3}}
model:
  - dense: {units: 16, activation: relu}
  - dense: {units: 3, name: code}
  - output
train: {loss: {triplet: {margin: 1.0, mining: all}}, epochs: 12, batch_size: 32, optimizer: {adam: 0.02}}
"""
PAIRS = """\
dlspec: 1
name: pairs
seed: 1
data:
  table: pairs.csv
  target: alike
  weight: w
  split: {validation: 0.2, test: 0.3}
model:
  inputs: {one: [a1, a2], other: [b1, b2]}
  layers:
    - dense: {units: 8, activation: tanh, from: one, name: seen}
    - dense: {units: 2, name: code}
    - shared: {layers: [seen, code], from: other}
    - distance: {from: [code, code_again], name: apart}
    - output
train: {loss: contrastive, epochs: 12, batch_size: 32, optimizer: {adam: 0.02}, class_weight: balanced}
"""
SPECS = {"triplets": TRIPLETS, "pairs": PAIRS}
COLUMNS = {"triplets": ["x", "y", "noise"], "pairs": ["a1", "a2", "b1", "b2"]}
MIDDLES = {"red": (0, 0), "green": (3, 0), "blue": (0, 3), "grey": (3, 3)}


def rows_of(count, seed=0):
    random = np.random.default_rng(seed)
    kind = random.choice([*MIDDLES], count)
    x, y = np.array([MIDDLES[each] for each in kind]).T + random.normal(scale=0.4, size=(2, count))
    return pd.DataFrame({"x": x, "y": y, "noise": random.normal(size=count), "kind": kind})


def pairs_of(count, seed=0):
    """Points around two middles, and whether both are around the same."""
    random = np.random.default_rng(seed)
    sides = random.integers(0, 2, (2, count))
    points = 2.0 * sides[..., None] + random.normal(scale=0.5, size=(2, count, 2))
    columns = {f"{who}{i + 1}": points[place, :, i] for place, who in enumerate("ab") for i in range(2)}
    alike = np.where(sides[0] == sides[1], "yes", "no")
    return pd.DataFrame({**columns, "alike": alike, "w": random.integers(1, 4, count)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("pairs")
    for seed, name in ((0, ""), (9, "new_")):
        rows_of(400, seed).to_csv(home / f"{name}rows.csv", index=False)
        pairs_of(400, seed).to_csv(home / f"{name}pairs.csv", index=False)
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
@pytest.mark.parametrize(("name", "file"), [("triplets", "rows"), ("pairs", "pairs")])
def test_the_saved_model_in_a_process_without_dlspec_gives_the_predictions(runs, folder, name, file):
    run = runs(name)
    assert run.metrics.saved_model.same
    script = (
        "import sys\nsys.modules['dlspec'] = None\nimport keras, numpy, pandas\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\nassert not model.compiled\n"
        "table, rows = pandas.read_csv(sys.argv[2]), pandas.read_csv(sys.argv[3])['row']\n"
        "given = table.iloc[rows][sys.argv[5].split(',')].to_numpy()\n"
        "numpy.save(sys.argv[4], model.predict(given, verbose=0))\n"
    )
    files = [run.folder / "model.keras", folder / f"{file}.csv", run.folder / "predictions.csv", folder / f"{name}.npy"]
    command = [sys.executable, "-c", script, *map(str, files), ",".join(COLUMNS[name])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = np.load(folder / f"{name}.npy")
    classes = np.array(run.data.target.classes)
    guessed = classes[(found[:, 0] > 0.5).astype(int) if found.shape[1] == 1 else found.argmax(axis=1)]
    np.testing.assert_array_equal(guessed, run.predictions["network"])
    weights = run.predictions["weight"] if name == "pairs" else None
    right = np.average(run.predictions["network"] == run.predictions["truth"], weights=weights)
    assert run.metrics.test["accuracy"] == pytest.approx(right)
    assert right > 0.9
    assert run.metrics.verdict.outcome in ("better", "level")


def test_new_rows_are_predicted_and_judged(runs, folder):
    for name, file, target in (("triplets", "new_rows.csv", "kind"), ("pairs", "new_pairs.csv", "alike")):
        found, _ = predicted(runs(name), folder / file)
        right = (found[f"predicted {target}"] == found[target]).mean()
        assert right > 0.9
        judged = dlspec.evaluate(runs(name).folder, folder / file)
        if name == "triplets":  # of pairs metrics are weighted
            assert judged.metrics.test["accuracy"] == pytest.approx(right)
        assert set(judged.metrics.baselines) == {"majority", "linear"}


def test_the_threshold_is_where_the_prediction_changes(runs, folder):
    run = runs("pairs")
    part = dlspec.open_run(run.folder).part(None, "apart")
    raw = pd.read_csv(folder / "pairs.csv")[COLUMNS["pairs"]].to_numpy()
    apart = part.predict(raw, verbose=0)[:, 0][run.predictions["row"]]
    threshold = run.metrics.distances.threshold
    np.testing.assert_array_equal(run.predictions["network"] == "yes", apart < threshold)
    assert run.metrics.distances.layer == "apart"
    assert any(f"below {threshold:.4g}" in note for note in run.metrics.notes)
    assert run.pictures["pairs:threshold"] == pytest.approx(threshold)


def test_codes_are_reached_as_a_part_and_exported(runs, folder, tmp_path):
    run = runs("triplets")
    file = dlspec.export(run.folder, layers="..code", out=tmp_path / "code.keras")
    import keras

    codes = keras.models.load_model(file).predict(rows_of(400)[["x", "y", "noise"]].to_numpy(), verbose=0)
    assert codes.shape == (400, 3)
    own = codes[run.predictions["row"]]
    truth = run.predictions["truth"].to_numpy()
    apart = ((own[:, None].astype("float64") - own[None]) ** 2).sum(-1)
    np.fill_diagonal(apart, np.inf)
    wanted = (truth[apart.argmin(axis=1)] == truth).mean()
    assert run.metrics.codes.recall_at_1 == pytest.approx(wanted)
    assert (run.metrics.codes.layer, run.metrics.codes.units, run.metrics.codes.samples) == ("code", 3, len(truth))


def test_recall_is_of_the_nearest_other_sample():
    codes, truth = np.array([[0.0], [1.0], [1.5], [9.0]]), np.array([0, 1, 1, 0])
    assert recall_at_1(codes, truth) == 0.5  # of the first and of the last the nearest is of another class
    assert np.isnan(recall_at_1(codes[:1], truth[:1]))
    far = 1e6 + np.random.default_rng(0).normal(size=(50, 4))
    labels = np.arange(50) % 3
    apart = ((far[:, None] - far[None]) ** 2).sum(-1)
    np.fill_diagonal(apart, np.inf)
    assert recall_at_1(far, labels) == (labels[apart.argmin(1)] == labels).mean()


def test_the_report_shows_codes_and_distances(runs):
    page = runs("triplets").report.read_text(encoding="utf-8")
    assert "The codes" in page
    assert "recall@1" in page
    assert runs("triplets").pictures["codes:points"].shape == (120, 2)
    page = runs("pairs").report.read_text(encoding="utf-8")
    assert "Distances of pairs" in page
    told = json.loads((runs("pairs").folder / "metrics.json").read_text(encoding="utf-8"))
    assert set(told["distances"]) == {"layer", "threshold"}
    assert "codes" not in told


@pytest.mark.slow
@pytest.mark.parametrize("units", [1, 2, 5])
def test_codes_of_any_size_are_drawn(folder, units):
    text = TRIPLETS.replace("units: 3", f"units: {units}").replace("epochs: 12", "epochs: 1")
    (folder / "drawn.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "drawn.yaml", out=folder / f"drawn_{units}")
    assert run.pictures["codes:means"].shape == (4, 2)
    assert "The codes" in run.report.read_text(encoding="utf-8")
    if units == 2:  # the plane is that of the codes, and the nearest mean is the prediction
        points, means = run.pictures["codes:points"], run.pictures["codes:means"]
        nearest = ((points[:, None] - means) ** 2).sum(-1).argmin(axis=1)
        np.testing.assert_array_equal(np.array(run.data.target.classes)[nearest], run.predictions["network"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_a_run_that_was_stopped_ends_as_one_that_was_not(runs, folder, name):
    with pytest.raises(Stopped):
        dlspec.run(folder / f"{name}.yaml" if runs(name) else "", out=folder / f"{name}_stopped", listener=StopAfter(7))
    again = dlspec.resume(folder / f"{name}_stopped")
    for one, other in zip(runs(name).model.weights, again.model.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    pd.testing.assert_frame_equal(runs(name).predictions, again.predictions)


def test_a_replay_gives_the_same(runs):
    assert dlspec.replay(runs("triplets").folder).verdict == "equal"


def test_what_is_written_out_runs_again(runs, folder):
    spec = dlspec.load(runs("pairs").folder / "resolved.yaml")
    assert spec.train.loss.same == "yes"
    assert dlspec.validate(runs("triplets").folder / "resolved.yaml") == []


@pytest.mark.slow
def test_folds_and_comparisons_fit_each_output_anew(folder):
    text = TRIPLETS.replace("{validation: 0.2, test: 0.3}", "{folds: 3}").replace("epochs: 12", "epochs: 6")
    text += "pretrain: {method: autoencoder, epochs: 2}\nevaluate: {compare: {without_pretraining: {seeds: 1}}}\n"
    (folder / "folds.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(folder / "folds.yaml", out=folder / "folds")
    assert min(run.metrics.folds.test["accuracy"].values) > 0.8
    assert all(saved.same for saved in run.metrics.folds.saved_models if saved is not None)
    assert run.metrics.compare.without_pretraining.with_["accuracy"].mean > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_a_network_in_16_bits_is_trained(runs, folder, name):
    (folder / "half.yaml").write_text(SPECS[name] + "runtime: {precision: mixed_float16}\n", encoding="utf-8")
    run = dlspec.run(folder / "half.yaml", out=folder / f"{name}_half")
    assert run.metrics.test["accuracy"] > 0.85
    assert run.metrics.saved_model.same


@pytest.mark.slow
def test_exports_give_the_same(runs, tmp_path):
    for name in SPECS:
        dlspec.export(runs(name).folder, out=tmp_path / f"{name}.onnx")
        dlspec.export(runs(name).folder, out=tmp_path / f"{name}.tflite")


@pytest.mark.parametrize("name", SPECS)
def test_python_of_it_is_refused_by_name(runs, folder, name):
    runs(name)
    with pytest.raises(DataError) as error:
        dlspec.eject(folder / f"{name}.yaml", out=folder / "script.py")
    assert "computed after training" in error.value.diagnostics[0].message


# --- what batches have


def changed(folder, text, table, name):
    table.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.yaml").write_text(text.replace("rows.csv", f"{name}.csv"), encoding="utf-8")
    return folder / f"{name}.yaml"


def test_batches_without_triplets_are_counted(folder):
    table = rows_of(60)
    table["kind"] = [f"k{i // 2}" for i in range(60)]  # thirty classes of two samples
    text = TRIPLETS.replace("batch_size: 32", "batch_size: 8").replace("epochs: 12", "epochs: 1")
    file = changed(folder, text.replace("split: {", "split: {by: random, "), table, "few")
    run = dlspec.run(file, out=folder / "few_run")
    said = [note for note in run.metrics.notes if "batches of the training part" in note]
    assert len(said) == 1
    assert np.isfinite(run.history[-1].loss)


def test_a_training_part_without_two_samples_of_a_class_is_refused(folder):
    table = rows_of(30)
    table["kind"] = [f"k{i}" for i in range(30)]
    text = TRIPLETS.replace("split: {", "split: {by: random, ").replace("target: kind", "target: {kind: category}")
    with pytest.raises(DataError) as error:
        dlspec.run(changed(folder, text, table, "alone"), out=folder / "alone_run")
    assert "few-triplets" in [problem.code for problem in error.value.diagnostics]


def test_batches_in_which_all_are_of_one_class_teach_nothing_and_are_finite(folder):
    """In order of classes the validation part is of one class: its loss is 0, not NaN, and that is said."""
    table = rows_of(200).sort_values("kind", ignore_index=True)
    table["kind"] = np.where(np.arange(200) < 150, "many", "few")
    text = TRIPLETS.replace("{validation: 0.2, test: 0.3}", "{by: order, validation: 0.2, test: 0.2}")
    text = text.replace("epochs: 12", "epochs: 2")
    table = pd.concat([table[150:], table[:150]], ignore_index=True)
    run = dlspec.run(changed(folder, text, table, "ordered"), out=folder / "ordered_run")
    assert run.history[-1].val_loss == 0
    assert any("count as 0 in `val_loss`" in note for note in run.metrics.notes)


# --- what is refused


DIGITS = "dlspec: 1\ndata: {dataset: digits, scale: min_max}\n"
CODE = "model: [flatten, {dense: {units: 2, name: code}}, output]\n"
POINTS = "dlspec: 1\ndata: {dataset: spirals}\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            "dlspec: 1\ndata: {dataset: diabetes}\nmodel: [{dense: 4}, output]\ntrain: {loss: triplet}\n",
            "loss-mismatch",
            "`progression` is a number",
        ),
        (DIGITS + CODE + "train: {loss: contrastive}\n", "loss-mismatch", "has 10 classes"),
        (
            DIGITS.replace("scale", "target: input, scale") + CODE + "train: {loss: triplet}\n",
            "loss-mismatch",
            "is its input",
        ),
        (
            POINTS + "model: [{dense: {units: 1, activation: relu}}, output]\ntrain: {loss: contrastive}\n",
            "missing-key",
            "whether `first` or `second`",
        ),
        (
            POINTS
            + "model: [{dense: {units: 1, activation: relu}}, output]\ntrain: {loss: {contrastive: {same: frist}}}\n",
            "unknown-class",
            "no class `frist`",
        ),
        (
            POINTS + "model: [{dense: {units: 1, activation: sigmoid}}, output]\n"
            "train: {loss: {contrastive: {same: first}}}\n",
            "output-mismatch",
            "gives a probability, by `sigmoid`",
        ),
        (
            POINTS + "model: [{dense: 1}, output]\ntrain: {loss: {contrastive: {same: first}}}\n",
            "output-mismatch",
            "may be below 0",
        ),
        (
            POINTS + "model: [{dense: 3}, output]\ntrain: {loss: {contrastive: {same: first}}}\n",
            "output-mismatch",
            "what comes to `output` is (batch, 3)",
        ),
        (
            DIGITS + "model: [flatten, {dense: 2}, unit_normalization]\ntrain: {loss: triplet}\n",
            "output-mismatch",
            "without an `output`",
        ),
        (
            DIGITS + "model: [flatten, {dense: 2}, {output: {units: 16}}]\ntrain: {loss: triplet}\n",
            "output-mismatch",
            "(batch, 16)",
        ),
        (DIGITS + "model: [flatten, output]\ntrain: {loss: triplet}\n", "nothing-to-train", "none of them has weights"),
        (
            DIGITS + CODE + "pretrain: {method: autoencoder, then: freeze}\ntrain: {loss: triplet}\n",
            "nothing-to-train",
            "all of them are frozen",
        ),
        (
            DIGITS + CODE + "pretrain: {method: supervised}\ntrain: {loss: triplet}\n",
            "cannot-pretrain",
            "`triplet` has none",
        ),
        (
            DIGITS + CODE + "train: {loss: triplet, class_weight: balanced}\n",
            "class-weight-mismatch",
            "of a batch as a whole",
        ),
        (
            DIGITS + CODE + "train: {loss: triplet}\nruntime: {distribute: {strategy: mirrored}}\n",
            "wrong-value",
            "of a batch as a whole",
        ),
        (
            "dlspec: 1\ndata: {dataset: iris}\nmodel: {layers: [{dense: 4}], outputs: {kind: {target: species, loss: "
            "triplet}, w: {target: petal_width}}}\n",
            "loss-mismatch",
            "names its outputs",
        ),
        (DIGITS + CODE + "train: {loss: triplet, batch_size: 2}\n", "few-triplets", "has no triplet"),
        (DIGITS + CODE + "train: {loss: {triplet: {label_smoothing: 0.1}}}\n", "unknown-key", "`label_smoothing`"),
        (DIGITS + CODE + "train: {loss: {triplet: {reduction: sum}}}\n", "unknown-value", "`reduction`"),
        (DIGITS + CODE + "train: {loss: {triplet: {margin: 0}}}\n", "out-of-range", "`margin`"),
    ],
)
def test_what_cannot_be_compared_is_said(text, code, message):
    found = [problem for problem in dlspec.validate(text) if problem.is_error]
    assert [problem.code for problem in found] == [code]
    assert message in found[0].message
    assert found[0].help or code in ("out-of-range", "unknown-value")


def test_pairs_are_trained_on_one_device():
    text = POINTS + "model: [{dense: {units: 1, activation: relu}}, output]\n"
    text += "train: {loss: {contrastive: {same: first}}}\nruntime: {distribute: {strategy: mirrored}}\n"
    (found,) = dlspec.validate(text)
    assert "on one device" in found.message


def test_a_teacher_teaches_no_codes(runs, folder):
    text = TRIPLETS.replace("train: {", f"train: {{teacher: {{from: {runs('triplets').folder}}}, ")
    (folder / "taught.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as error:
        dlspec.load(folder / "taught.yaml")
    assert "teacher-mismatch" in [problem.code for problem in error.value.diagnostics]


def test_a_distance_by_operations_is_taken_for_one():
    steps = ["subtract: {from: [code, code_again]}", "square", "sum: {axis: -1, keepdims: true}", "sqrt"]
    steps = "".join(f"    - {step}\n" for step in steps)
    text = PAIRS.replace("    - distance: {from: [code, code_again], name: apart}\n", steps)
    text = text.replace("  table: pairs.csv\n  target: alike\n  weight: w\n", "  dataset: digit_pairs\n")
    text = text.replace("  split: {validation: 0.2, test: 0.3}\n", "")
    text = text.replace("inputs: {one: [a1, a2], other: [b1, b2]}", "inputs: {one: left, other: right}")
    first = "    - dense: {units: 8, activation: tanh, from: one, name: seen}\n"
    text = text.replace(first, "    - flatten: {from: one, name: seen}\n")
    assert [problem.code for problem in dlspec.validate(text) if problem.code == "output-mismatch"] == []
    (found,) = [each for each in dlspec.validate(text.replace("    - sqrt\n", "")) if each.code == "output-mismatch"]
    assert "squared already" in found.message
    assert not found.is_error
    squared = text.replace(steps, "    - distance: {metric: squared_euclidean, from: [code, code_again]}\n")
    assert "write `metric: euclidean`" in [each.help for each in dlspec.validate(squared)]


def test_few_pairs_of_a_class_are_a_warning():
    (found,) = dlspec.validate(DIGITS + CODE + "train: {loss: triplet, batch_size: 4}\n")
    assert (found.code, found.is_error) == ("few-triplets", False)
    assert "0.6 pairs" in found.message
    assert "`batch_size: 16`" in found.help
    (found,) = dlspec.validate(DIGITS + CODE + "train: {loss: triplet, batch_size: 1000}\n")
    assert (found.code, found.is_error) == ("too-little-memory", False)
