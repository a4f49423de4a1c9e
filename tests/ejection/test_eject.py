"""`dlspec eject`: what is written, what is said of it, and what is refused."""

import ast
import json
import os
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.data.datasets import DATASETS
from dlspec.ejection import eject as writing
from dlspec.ejection.document import SPEC
from dlspec.evaluation.evaluate import evaluate
from dlspec.language.diagnostics.errors import DataError
from dlspec.model.build import build_network
from dlspec.runs.job import load_data, plan_of
from dlspec.runs.listener import Listener
from dlspec.spec.defaults import fill_in, fill_in_sizes
from dlspec.training.progress import Hooks
from dlspec.training.trainer import Trainer
from tests.conftest import ROOT, TINY, TINY_DIGITS, TINY_SERIES, TINY_SPIRALS
from tests.ejection.documents import FOLDER, PAGE, SHOWN, page, without_speed
from tests.ejection.scripts import check_style
from tests.ejection.test_training import Recorded
from tests.preloaded import preloaded

PLACES = "predicted at each place"
REFUSED = {
    "digit_pairs": "an array that other features stand beside",
    "digit_pairs_contrastive": "`contrastive`",
    "digits_given_back": "a network that others have trained",
    "digits_masked": "pretraining by `masked`",
    "digits_rows": "pretraining by `next_step`",
    "digits_triplet": "`triplet`",
    "digits_vae": "`sampling`",
    "landscapes": PLACES,
    "motion_each": PLACES,
    "next_frame": PLACES,
    "intent_and_slots": "its network has several outputs",
    "parcels": "its network has several outputs",
    "shapes_few_labels": "a network that others have trained",
    "shapes_to_masks": PLACES,
    "digits_ctc": "read off timesteps",
    "sums_seq2seq": "texts are written item by item",
    "inverse_mixture": "`mixture`",
    "sunshine_band": "`quantiles`",
    "tags_bilstm": PLACES,
    "tales_gru": "texts are cut into windows",
}
"""Specs of which no script is written, and why."""
SPECS = [
    path
    for path in (*sorted((ROOT / "specs").glob("*.yaml")), *sorted((ROOT / "specs" / "papers").glob("*.yaml")))
    if path.stem not in REFUSED
]


def invoke(*words):
    return CliRunner().invoke(cli, ["eject", *map(str, words)], standalone_mode=False)


def module_of(file):
    """A script as a module; `main` is not called."""
    return runpy.run_path(str(file), run_name="ejected")


def with_epochs(file, number):
    """A script whose trainings are cut short."""
    lines = file.read_text(encoding="utf-8").splitlines()
    cut = [
        f"{line.partition(' = ')[0]} = {number}" if line.startswith(("EPOCHS =", "PRETRAIN_EPOCHS =")) else line
        for line in lines
    ]
    file.write_text("\n".join(cut) + "\n", encoding="utf-8")


def test_a_script_stands_alone_and_carries_its_spec(write_spec, tmp_path):
    spec = write_spec(TINY_DIGITS)
    done = invoke(spec, "-o", tmp_path / "digits.py")
    assert done.return_value == 0, done.output
    assert [Path(line).name for line in done.stdout.split()] == ["digits.py", "digits.json", "digits.npz"]
    assert "equal to the last bit" in done.stderr
    check_style(tmp_path / "digits.py")
    text = (tmp_path / "digits.py").read_text(encoding="utf-8")
    about, _, carried = ast.get_docstring(ast.parse(text), clean=False).partition(f"{SPEC}\n\n")
    assert carried == TINY_DIGITS
    assert dlspec.load(carried).name == "tiny_digits"
    assert f"dlspec eject {spec}" in " ".join(about.split())
    beside = "digits.json, with what was fitted to the training part and digits.npz, with the rows of each part"
    assert f"Beside it stands {beside}" in " ".join(about.split())
    assert "pretrain_layer" in text
    line = next(i for i, line in enumerate(TINY_DIGITS.splitlines(), 1) if line.startswith("pretrain:"))
    assert f"layer by layer, from the lowest up (line {line} of the spec)" in text
    run = "import runpy, sys; runpy.run_path('digits.py', run_name='__main__'); print('dlspec' in sys.modules)"
    found = preloaded("keras").run("-c", run, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "digits.keras").is_file()
    assert {"network", "majority", "linear"} <= {line.split()[0] for line in found.stdout.splitlines() if line.split()}


def test_nothing_is_overwritten_unless_that_is_asked_for(write_spec, tmp_path):
    spec, file = write_spec(TINY_SPIRALS), tmp_path / "here.py"
    file.with_suffix(".json").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"`.*here.json` is there already"):
        dlspec.eject(spec, out=file)
    assert not file.exists()
    assert file.with_suffix(".json").read_text(encoding="utf-8") == "mine"
    found = dlspec.eject(spec, {"train.epochs": 5, "model.0.dense.units": 7}, out=file, force=True)
    assert found.file == file
    assert found.proof.samples == 120
    text = file.read_text(encoding="utf-8")
    assert "EPOCHS = 5" in text
    assert 'layers.Dense(7, activation="tanh")' in text
    assert "-s train.epochs=5 -s model.0.dense.units=7" in " ".join(text.split())


@pytest.mark.slow
def test_files_end_as_what_they_are(write_spec, tmp_path):
    spec = write_spec(TINY_SPIRALS)
    for notebook, out, says in ((True, "one.py", "-o .*one.ipynb"), (False, "one.ipynb", "-o .*one.py")):
        with pytest.raises(DataError, match=says):
            dlspec.eject(spec, out=tmp_path / out, notebook=notebook)
    found = dlspec.eject(spec, out=tmp_path / "new" / "folder" / "v1.2")
    assert [file.name for file in found.files] == ["v1.2.py", "v1.2.json", "v1.2.npz"]
    assert dlspec.eject(spec, out=tmp_path / "new").file == tmp_path / "new" / "tiny_spirals.py"


@pytest.mark.slow
def test_a_notebook_does_the_same(write_spec, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = dlspec.eject(write_spec(TINY_SPIRALS), notebook=True)
    assert [file.name for file in found.files] == ["tiny_spirals.ipynb", "tiny_spirals.json", "tiny_spirals.npz"]
    notebook = json.loads(found.file.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    assert cells[1]["source"] == f"The spec:\n\n```yaml\n{TINY_SPIRALS.rstrip()}\n```"
    headings = [cell["source"] for cell in cells if cell["source"].startswith("## ")]
    assert headings[0] == "## Data"
    assert headings[-1] == "## All of it"
    space = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], "cell", "exec"), space)
    space["ARRAYS"].close()
    assert "linear" in capsys.readouterr().out
    assert (tmp_path / "tiny_spirals.keras").is_file()


@pytest.mark.slow
def test_a_run_is_ejected_as_it_was_made(tiny_run, tmp_path):
    run = tiny_run("series")
    found = dlspec.eject(run, out=tmp_path / "series.py")
    text = found.file.read_text(encoding="utf-8")
    assert text.count(TINY_SERIES) == 1
    assert "windows of raw" not in text
    assert 'for name in ("lstm_1", "lstm_2"):' in text


def test_a_run_with_other_values_is_ejected_by_what_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "dlspec: 1\nname: rows\nvariables: {width: 4}\ndata: {dataset: {spirals: {samples: 60}}}\n"
    Path("rows.yaml").write_text(text + "model: [dense: $width, output]\ntrain: {epochs: 1}\n", encoding="utf-8")
    run = dlspec.run("rows.yaml", {"variables.width": 5, "train.early_stopping.patience": 1}, out="run")
    text = dlspec.eject(run.folder).file.read_text(encoding="utf-8")
    assert "layers.Dense(5)" in text
    assert "units: 5" in ast.get_docstring(ast.parse(text))
    assert "early_stopping:" in ast.get_docstring(ast.parse(text))


def test_data_that_have_changed_are_not_ejected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(60, 2))
    np.savetxt("points.csv", np.c_[rows, rows.sum(axis=1)], delimiter=",", header="a,b,total", comments="")
    text = "dlspec: 1\nname: points\ndata: {table: points.csv, target: total}\nmodel: [output]\ntrain: {epochs: 1}\n"
    Path("points.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run("points.yaml", out="run")
    assert dlspec.eject(run.folder, out="before.py").proof.samples == 60
    assert 'HERE / "points.csv"' in Path("before.py").read_text(encoding="utf-8")
    Path("points.csv").write_text("a,b,total\n" + "1,2,3\n" * 60, encoding="utf-8")
    with pytest.raises(DataError, match="the data have changed"):
        dlspec.eject(run.folder, out="after.py")
    assert not Path("after.py").exists()


def test_what_is_not_the_same_is_not_written(write_spec, tmp_path, monkeypatch):
    def other(script, subject):
        script.define(
            "model", "def build_network():\n    return keras.Sequential([keras.Input((2,)), layers.Dense(1)])"
        )

    monkeypatch.setattr(
        writing, "WRITERS", tuple(other if w.__name__ == "write_network" else w for w in writing.WRITERS)
    )
    with pytest.raises(
        DataError, match="is not written, since it is not the same: the network has weights of other"
    ) as error:
        dlspec.eject(write_spec(TINY_SPIRALS), out=tmp_path / "other.py")
    assert error.value.diagnostics[0].code == "cannot-eject"
    assert not list(tmp_path.glob("other*"))


def test_a_script_that_stops_is_not_written(write_spec, tmp_path, monkeypatch):
    def broken(script, subject):
        script.define("model", "def build_network():\n    return unknown")

    monkeypatch.setattr(
        writing, "WRITERS", tuple(broken if w.__name__ == "write_network" else w for w in writing.WRITERS)
    )
    with pytest.raises(DataError, match="since it stops: NameError: name 'unknown' is not defined"):
        dlspec.eject(write_spec(TINY_SPIRALS), out=tmp_path / "broken.py")
    assert not list(tmp_path.glob("broken*"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_written_is_refused_by_name(name, tmp_path):
    with pytest.raises(dlspec.DataError) as error:
        dlspec.eject(ROOT / "specs" / f"{name}.yaml", out=tmp_path / "script.py")
    (problem,) = error.value.diagnostics
    assert problem.code == "cannot-eject"
    assert REFUSED[name] in problem.message
    assert not (tmp_path / "script.py").exists()


def test_what_is_left_out_is_said(write_spec, tmp_path):
    spec = write_spec(TINY_SPIRALS + "runtime: {precision: mixed_bfloat16, track: tensorboard}\n")
    found = dlspec.eject(spec, {"train.checkpoint_every": "1 min"}, out=tmp_path / "left.py")
    assert len(found.left_out) == 2
    text = found.file.read_text(encoding="utf-8")
    for sentence in found.left_out:
        assert f"- {sentence}" in text
    assert 'keras.config.set_dtype_policy("mixed_bfloat16")' in text
    for key in ("track", "checkpoint_every"):
        assert any(key in sentence for sentence in found.left_out)


@pytest.mark.everyday("table")
@pytest.mark.parametrize("name", sorted(TINY))
def test_the_results_of_a_script_are_those_of_dlspec(name, write_spec, tmp_path):
    """With the same weights: metrics of the network and of every baseline."""
    found = dlspec.eject(write_spec(TINY[name]), out=tmp_path / "same.py")
    compare_results(found.file, TINY[name])


def compare_results(file, spec):
    spec = dlspec.load(spec)
    if spec.data.split.times_trained > 1:
        return
    data = load_data(spec)
    plan = plan_of(spec, data)
    filled = fill_in_sizes(fill_in(spec, data.signature), plan.graph)
    ours = build_network(plan.graph, spec.name, one_input=True)
    module = module_of(file)
    network, preprocessing = module["build_network"](), module["build_preprocessing"]()
    network.set_weights(ours.get_weights())
    parts = module["load_parts"]()
    train, test = parts[0], parts[2 if len(data.validation) else 1]
    model = module["with_preprocessing"](preprocessing, network)
    theirs, expected = module["evaluate"](model, preprocessing, train, test), evaluate(filled.evaluate, ours, data)
    if "ARRAYS" in module:
        module["ARRAYS"].close()
    assert {*theirs} == {"network", *expected.baselines}
    for who, scores in {"network": expected.test, **expected.baselines}.items():
        for metric, value in scores.items():
            assert theirs[who][metric] == pytest.approx(value, rel=2e-3, abs=1e-6), (who, metric)


# --- the specs of the project


def test_the_page_shows_the_scripts_that_stand_in_their_folder():
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.ejection.documents"


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_the_scripts_of_the_page_are_what_is_ejected(name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = dlspec.eject(f"specs/{name}.yaml", out=tmp_path / f"{name}.py")
    stand = (ROOT / FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert without_speed(found.file.read_text(encoding="utf-8")) == without_speed(stand), (
        "python -m tests.ejection.documents"
    )


def plain(text):
    """A spec without what is drawn at random while training, so that two trainings can be compared."""
    kept = [line for line in text.splitlines() if not line.strip().startswith(("- dropout", "- random_"))]
    return "\n".join(kept) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_ejected_linted_and_run(spec, tmp_path, keras_home, point_keras_to, capsys):
    if dlspec.load(spec).data.dataset == DATASETS.read("mnist"):
        keras_home("mnist")
        point_keras_to(os.environ["KERAS_HOME"])
    found = dlspec.eject(spec, {"train.epochs": 1}, out=tmp_path / f"{spec.stem}.py")
    check_style(found.file)
    with_epochs(found.file, 1)
    module = module_of(found.file)
    module["main"]()
    if "ARRAYS" in module:
        module["ARRAYS"].close()
    assert "network" in capsys.readouterr().out
    assert (tmp_path / f"{spec.stem}.keras").is_file()
    if spec.parent.name == "specs":
        compare_results(found.file, spec)


@pytest.mark.slow
@pytest.mark.parametrize("spec", [path for path in SPECS if path.parent.name == "specs"], ids=lambda path: path.stem)
def test_two_epochs_have_the_losses_of_dlspec(spec, tmp_path, monkeypatch):
    """From the same weights, with the same order of batches, without dropout and augmentation."""
    (tmp_path / "data").symlink_to(ROOT / "specs" / "data")
    copied = tmp_path / "plain.yaml"
    copied.write_text(plain(spec.read_text(encoding="utf-8")), encoding="utf-8")
    loaded = dlspec.load(copied, {"train.epochs": 2})
    found = dlspec.eject(loaded, out=tmp_path / "plain.py")
    fold = loaded.data.split.shown_fold
    data = load_data(loaded, fold)
    recorded, plan, module = Recorded(monkeypatch), plan_of(loaded, data), module_of(found.file)
    if "FITTED_OF_FOLDS" in module:
        module["FITTED"].update(module["FITTED_OF_FOLDS"][fold])
    plan = replace(plan, stages=tuple(stage for stage in plan.stages if stage.kind == "fine_tune"))
    ours, theirs = build_network(plan.graph, "plain", one_input=True), module["build_network"]()
    theirs.set_weights(ours.get_weights())
    rows = Trainer(fill_in(loaded, data.signature).training, plan, data, ours, Hooks(Listener())).run()
    parts = module["load_parts"](*([fold] if loaded.data.split.times_trained > 1 else []))
    preprocessing = module["build_preprocessing"]()
    pairs = [module["prepared"](preprocessing, *part) for part in parts[: 2 if len(data.validation) else 1]]
    module["train_network"](theirs, *pairs[0], *pairs[1:])
    if "ARRAYS" in module:
        module["ARRAYS"].close()
    assert len(recorded.losses) == len(rows) == 2
    for row, losses in zip(rows, recorded.losses, strict=True):
        assert losses[0] == pytest.approx(row.loss, rel=1e-4)
        if row.val_loss is not None:
            assert losses[1] == pytest.approx(row.val_loss, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [("spiral_mlp", "accuracy", 0.95), ("digits_dbn", "accuracy", 0.85), ("lstm_stock", "mase", 2.4)],
)
def test_at_full_length_a_script_gets_what_a_run_gets(name, metric, least, tmp_path, capsys):
    found = dlspec.eject(ROOT / "specs" / f"{name}.yaml", {"evaluate.compare": None}, out=tmp_path / f"{name}.py")
    module = module_of(found.file)
    scores = []
    given = module["evaluate"]

    def listen(*arguments):
        scores.append(given(*arguments))
        return scores[-1]

    module["main"].__globals__["evaluate"] = listen
    module["main"]()
    if "ARRAYS" in module:
        module["ARRAYS"].close()
    value = scores[0]["network"][metric]
    assert value < least if metric == "mase" else value > least
