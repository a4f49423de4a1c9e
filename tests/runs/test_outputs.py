"""Runs of a network of several outputs: each is judged, predicted, exported and shown as a network of one."""

import json

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.listener import Listener
from tests.commands import dlspec_here
from tests.preloaded import preloaded

SPEC = """\
dlspec: 1
name: two_outputs
data: {table: flowers.csv, features: {a: numeric, b: numeric, colour: category}, missing: drop}
model:
  layers:
    - dense: {units: 16, activation: tanh}
  outputs:
    kind: {target: kind, weight: 2}
    size: {target: size, loss: mae}
    tags: {target: [big, red]}
train: {epochs: 60, batch_size: 16, optimizer: {adam: 0.02}}
evaluate: {require: {kind.accuracy: 0.6, size.mae: 0.01, beats: baselines}}
"""


def flowers(count, seed=0):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, count)).round(3)
    colour = random.choice(["red", "blue"], count)
    size = 30 + 5 * a * b + random.normal(scale=0.1, size=count)
    kind = np.where(a * b > 0.4, "rose", np.where(a * b < -0.4, "lily", "fern"))
    table = pd.DataFrame({"a": a, "b": b, "colour": colour, "kind": kind, "size": size.round(3)})
    return table.assign(big=np.where(size > 30, "yes", "no"), red=np.where(colour == "red", "yes", "no"))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    table = flowers(320)
    table.loc[5, "size"] = np.nan
    table.loc[9, "kind"] = None
    table.to_csv(folder / "flowers.csv", index=False)
    flowers(90, seed=1).to_csv(folder / "new.csv", index=False)
    (folder / "two.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def run(home):
    return dlspec.run(home / "two.yaml", out=home / "run")


def test_a_row_that_lacks_one_answer_is_left_out_of_all(run):
    assert run.data.rows_left_out == 2
    rows = [own.predictions["row"].to_numpy() for own in run.outputs.values()]
    assert all(np.array_equal(rows[0], other) for other in rows[1:])
    assert not {5, 9} & {*rows[0]}


def test_each_output_has_metrics_baselines_and_a_verdict(run):
    from sklearn.metrics import accuracy_score, mean_absolute_error

    kind, size, tags = run.outputs.values()
    table = kind.predictions
    assert kind.metrics.test["accuracy"] == pytest.approx(accuracy_score(table["truth"], table["network"]))
    table = size.predictions
    assert size.metrics.test["mae"] == pytest.approx(mean_absolute_error(table["truth"], table["network"]))
    assert [*kind.metrics.baselines] == ["majority", "linear"]
    assert [*size.metrics.baselines] == ["mean", "linear"]
    assert {*tags.metrics.by_target} == {"big", "red"}
    assert kind.metrics.verdict.metric == "accuracy"
    assert size.metrics.verdict.metric == "RMSE"
    assert all(own.metrics.saved_model.same for own in run.outputs.values())
    assert run.metrics.output == "kind"
    assert run.metrics.test == kind.metrics.test, "the run tells of the first output"


def test_what_is_required_is_said_of_its_output(run):
    found = {each.what: each.met for each in run.metrics.require}
    assert [*found] == ["kind.accuracy", "kind.beats", "size.mae", "size.beats", "tags.beats"]
    assert found["kind.accuracy"]
    assert not found["size.mae"]


def test_the_saved_model_is_plain_keras_with_an_output_by_each_name(run, home):
    script = (
        "import sys, json\nsys.modules['dlspec'] = None\nimport keras, numpy as np, pandas as pd\n"
        "model = keras.models.load_model(sys.argv[1], safe_mode=True)\n"
        "rows = pd.read_csv(sys.argv[2]).iloc[json.loads(sys.argv[3])]\n"
        "import tensorflow as tf\n"
        "given = {name: tf.constant(rows[[name]].to_numpy('float64')) for name in ('a', 'b')}\n"
        "given['colour'] = tf.constant(rows[['colour']].to_numpy(str))\n"
        "assert {*given} == {*model.input}\n"
        "found = model(given)\n"
        "print(json.dumps({name: np.asarray(values).tolist() for name, values in found.items()}))\n"
    )
    table = run.predictions
    command = [run.folder / "model.keras", home / "flowers.csv", json.dumps(table["row"].tolist())]
    done = preloaded("keras").run("-c", script, *command)
    assert done.returncode == 0, done.stderr[-500:]
    found = json.loads(done.stdout)
    kind, size, tags = (own.predictions for own in run.outputs.values())
    shares = kind[[name for name in kind if name.startswith("p(")]].to_numpy()
    np.testing.assert_allclose(found["kind"], shares, atol=1e-5)
    np.testing.assert_allclose(np.ravel(found["size"]), size["network"], rtol=1e-5)
    np.testing.assert_allclose(found["tags"], tags[["network:big", "network:red"]], atol=1e-5)


def test_rows_are_predicted_by_all_outputs(run, home):
    new = pd.read_csv(home / "new.csv")
    found = run.predict(new.drop(columns=["kind", "size", "big", "red"]))
    assert {"kind", "size", "big", "red", "kind=rose"} <= {*found}
    done = dlspec_here("predict", str(run.folder), "new.csv", "-o", "predicted.csv", "--intervals", "0.9", cwd=home)
    assert done.returncode == 0, done.stderr
    written = pd.read_csv(home / "predicted.csv")
    np.testing.assert_allclose(written["predicted size"], found["size"], rtol=1e-6)
    assert (written["predicted kind"] == found["kind"]).all()
    assert ((written["size low"] < written["size"]) & (written["size"] < written["size high"])).mean() > 0.75


def test_other_data_judge_each_output(run, home):
    found = dlspec.evaluate(run, home / "new.csv")
    new = pd.read_csv(home / "new.csv")
    predicted = run.predict(new)
    each = found.each_output
    assert [*each] == ["kind", "size", "tags"]
    assert each["kind"].metrics.test["accuracy"] == pytest.approx((predicted["kind"] == new["kind"]).mean())
    assert each["size"].metrics.test["mae"] == pytest.approx((predicted["size"] - new["size"]).abs().mean(), rel=1e-5)
    assert [*found.as_json()["outputs"]] == ["kind", "size", "tags"]
    done = dlspec_here("evaluate", str(run.folder), "new.csv", "--report", "new.html", cwd=home)
    assert done.returncode == 6, "the mean absolute error falls short"
    assert "size: Required: MAE of at most 0.01" in done.stderr
    assert "<h3>size: size</h3>" in (home / "new.html").read_text()


def test_an_export_gives_one_output(run, home):
    with pytest.raises(DataError, match="the outputs `kind`, `size` and `tags`"):
        dlspec.export(run, out=home / "all.onnx")
    with pytest.raises(DataError, match="has no output `sice`"):
        dlspec.export(run, out=home / "all.onnx", output="sice")
    for output, name in (("size", "size.onnx"), ("kind", "kind.keras"), ("tags", "tags.tflite")):
        assert dlspec.export(run, out=home / name, output=output).exists()  # and is proven to give the predictions
    part = run.outputs["size"].part("dense_1", None)
    assert part.output_shape == (None, 1)


def test_the_page_shows_each_output(run):
    page = run.report.read_text()
    for name, own in run.outputs.items():
        assert f"<h3>{name}: " in page
        assert own.metrics.verdict.sentence.replace("`", "") in page
        assert f"Loss of {name}" in page
    assert "It is the sum of 2 times that of kind, 1 times that of size, 1 times that of tags." in page


def test_a_script_of_several_outputs_is_not_written(home):
    with pytest.raises(DataError, match="its network has several outputs"):
        dlspec.eject(home / "two.yaml", out=home / "script.py")


def test_the_resolved_spec_runs_again(run):
    again = dlspec.load(run.folder / "resolved.yaml")
    assert [head.weight for head in again.model.heads] == [2.0, 1.0, 1.0]
    assert [head.loss.type_name for head in again.model.heads][1] == "mae"


@pytest.mark.slow
def test_outputs_at_each_place_are_trained_beside_one_answer(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 6, 2)).astype("float32")
    x[np.arange(6) >= random.integers(2, 7, 120)[:, None]] = 0  # where a sample has ended
    np.savez(tmp_path / "d.npz", x=x, y=(x[..., 0] > 0).astype("int32"), z=x.sum(axis=(1, 2)))
    spec = f"""\
dlspec: 1
data: {{arrays: {tmp_path}/d.npz, features: x, scale: none}}
model:
  layers:
    - masking: 0
    - dense: {{units: 8, activation: tanh, name: each}}
    - sum: {{axis: 1}}
  outputs:
    side: {{target: {{y: category}}, from: each}}
    sum: {{target: z}}
train: {{epochs: 30, optimizer: {{adam: 0.02}}}}
"""
    run = dlspec.run(dlspec.load(spec), out=tmp_path / "run")
    side, total = run.outputs.values()
    assert side.metrics.test["accuracy"] > 0.9
    held_out = run.history[-1].measures["val_side_loss"]
    assert held_out == pytest.approx(side.metrics.validation["log_loss"], rel=1e-4), "the mean over all that counts"
    assert total.metrics.test["r2"] > 0.5
    assert all(own.metrics.saved_model.same for own in run.outputs.values())
    found = run.predict(x[:3])
    assert len(found) == 3


@pytest.mark.slow
def test_a_replay_compares_all_outputs(run, home):
    found = dlspec.replay(run, home / "again")
    assert found.verdict == "equal"
    table = pd.read_csv(home / "again" / "predictions.size.csv")
    table.loc[0, "network"] += 1
    table.to_csv(home / "again" / "predictions.size.csv", index=False)
    (home / "again" / "SHA256SUMS").unlink()
    from dlspec.runs.replay import _of_each_output, _predictions, compare_numbers

    again = dlspec.open_run(home / "again")
    other = compare_numbers("predictions", _of_each_output(_predictions, run, again))
    assert not other.equal
    assert other.where == "`network` of size"


@pytest.mark.slow
def test_dead_units_of_a_head_are_told_of_its_output(home):
    dead = "activation: relu, trainable: false, bias_initializer: {constant: -100}"
    (home / "heads.yaml").write_text(f"""\
dlspec: 1
data: {{table: flowers.csv, features: {{a: numeric, b: numeric}}, missing: drop}}
model:
  layers:
    - dense: {{units: 8, activation: tanh, name: body}}
    - dense: {{units: 4, activation: relu, from: body, name: of_kind}}
    - dense: {{units: 3, {dead}, from: body, name: of_size}}
    - dense: {{units: 4, activation: relu, from: body, name: of_big}}
    - shared: {{layers: of_big, from: body}}
  outputs:
    kind: {{target: kind, from: of_kind}}
    size: {{target: size, from: of_size}}
    big: {{target: big, from: of_big_again}}
train: {{epochs: 1}}
""")
    run = dlspec.run(home / "heads.yaml", out=home / "heads")
    said = {name: [note for note in own.metrics.notes if "of_size" in note] for name, own in run.outputs.items()}
    assert [len(notes) for notes in said.values()] == [0, 1, 0]


def test_a_spec_that_is_written_out_is_valid(home):
    written = dlspec_here("show", "two.yaml", "--resolved", cwd=home).stdout
    (home / "written.yaml").write_text(written)
    assert [problem.message for problem in dlspec.validate(home / "written.yaml") if problem.is_error] == []


@pytest.mark.slow
def test_folds_and_comparisons_are_of_each_output(tmp_path):
    spec = """\
dlspec: 1
name: folds
data: {dataset: iris, split: {folds: 2}}
model: {layers: [dense: 4], outputs: {kind: species, width: {target: petal_width, weight: 2}}}
pretrain: {method: autoencoder, epochs: 1}
train: {epochs: 2, batch_size: 60}
evaluate: {baselines: [mean, majority], compare: {without_pretraining: {seeds: 1}}, require: {width.mae: 0.01}}
"""
    run = dlspec.run(dlspec.load(spec), out=tmp_path / "run")
    for own in run.outputs.values():
        folds, compared = own.metrics.folds, own.metrics.compare.without_pretraining
        assert [saved.same for saved in folds.saved_models if saved] == [True]
        for name, spread in folds.test.items():
            assert spread.values[0] == own.metrics.test[name], "the first fold is that of the run"
            assert spread.mean == pytest.approx(np.mean(spread.values))
            assert compared.with_[name].values == (own.metrics.test[name],)
        assert compared.without != compared.with_
        assert folds.verdict.sentence.startswith("Over 2 folds")
    (required,) = run.metrics.require
    assert required.found == pytest.approx(run.outputs["width"].metrics.folds.test["mae"].mean)
    page = run.report.read_text()
    for name in run.outputs:
        assert f"<h3>{name}, over 2 folds" in page
        assert f"Did pretraining help {name}?" in page
    from dlspec.runs.tracking import final_values

    assert dict(final_values(run.metrics))["width/test/mae"] == run.outputs["width"].metrics.test["mae"]
    for name in ("metrics.json", "SHA256SUMS", "checkpoints/folds.width-1.npz"):
        (run.folder / name).unlink()
    noted = Noted()
    again = dlspec.resume(run.folder, listener=noted)
    assert [text for text in noted.texts if "of 2" in text] == ["fold 2 of 2"], "what is there is not done again"
    assert {name: own.metrics.folds for name, own in again.outputs.items()} == {
        name: own.metrics.folds for name, own in run.outputs.items()
    }


class Noted(Listener):
    """Remembers what it is told."""

    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)
