"""Runs with pretraining: what is left behind, taken out, started from, compared; other sources without labels."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.runs.comparison import summarize
from dlspec.runs.listener import Listener
from dlspec.runs.records.metrics import Arm, Spread
from dlspec.runs.repeats import Done, spread
from dlspec.training.values import as_array, predict
from tests.conftest import TINY, TINY_DIGITS, TINY_SERIES
from tests.trained import Training

RBMS = TINY_DIGITS.replace(
    "{method: denoising_autoencoder, tied_weights: true, epochs: 2, batch_size: 64}",
    "{method: rbm, epochs: 2, batch_size: 64}",
)
DEEP = """\
dlspec: 1
name: deep
data: {dataset: digits, scale: min_max}
model:
  - flatten
  - dense: {units: 12, activation: sigmoid, name: h1}
  - dense: {units: 2, name: code}
pretrain: {method: rbm, epochs: 2, per_layer: {code: {optimizer: {sgd: 0.001}}}, then: unroll}
train: {epochs: 2}
evaluate: {compare: {without_pretraining: {seeds: 2}}}
"""


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    return dlspec.run(DEEP, out=tmp_path_factory.mktemp("deep") / "run")


def code_of(error):
    return error.value.diagnostics[0].code


# --- reconstruction


def test_a_deep_autoencoder_is_judged_by_what_it_gives_back(deep):
    assert set(deep.metrics.test) == {"squared_error", "rmse", "mae"}
    assert set(deep.metrics.baselines) == {"mean", "pca"}
    assert deep.spec.evaluate.baselines[1].components == 2
    table = deep.predictions
    assert table["network"].mean() == pytest.approx(deep.metrics.test["squared_error"], rel=1e-6)
    assert table["pca"].mean() == pytest.approx(deep.metrics.baselines["pca"]["squared_error"], rel=1e-6)
    assert "squared error" in deep.metrics.verdict.sentence


def test_the_saved_model_takes_raw_pictures_and_gives_raw_pictures_back(deep):
    from sklearn.datasets import load_digits

    images = load_digits().images[:6]
    model = keras.models.load_model(deep.folder / "model.keras", safe_mode=True)
    back = predict(model, images)
    assert back.shape == images.shape
    assert back.min() >= 0
    assert back.max() <= 16
    rows = deep.predict(images)
    assert rows["image[3,4]"].to_numpy() == pytest.approx(back[:, 3, 4])
    assert rows["squared_error"].to_numpy() == pytest.approx((((back - images) / 16) ** 2).sum(axis=(1, 2)), rel=1e-4)


def test_pca_is_the_best_linear_code_and_the_mean_no_code_at_all(deep):
    from sklearn.decomposition import PCA

    from dlspec.runs.job import load_data

    data = load_data(deep.spec)
    train, test = data.train.targets.astype("float64"), data.test.targets.astype("float64")
    pca = PCA(2, svd_solver="full").fit(train)
    expected = ((pca.inverse_transform(pca.transform(test)) - test) ** 2).sum(axis=1).mean()
    assert deep.metrics.baselines["pca"]["squared_error"] == pytest.approx(expected, rel=1e-6)
    mean = ((test - train.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert deep.metrics.baselines["mean"]["squared_error"] == pytest.approx(mean, rel=1e-6)


def test_any_network_may_give_back_its_input(tmp_path):
    text = "dlspec: 1\ndata: {dataset: iris, target: input}\nmodel: [dense: {units: 2, activation: tanh}, output]\n"
    run = dlspec.run(text + "train: {epochs: 3}\n", out=tmp_path / "run")
    assert [feature.name for feature in run.data.features] == [
        "sepal_length", "sepal_width", "petal_length", "petal_width",
    ]  # fmt: skip
    rows = pd.DataFrame({name: [5.0, 6.0] for name in run.data.raw_columns})
    with pytest.warns(UserWarning, match="2 values of `petal_width` lie far outside the training data"):
        given_back = run.predict(rows)
    assert list(given_back) == [*run.data.raw_columns, "squared_error"]
    assert "What comes back" in run.report.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("change", [pytest.param("level", marks=pytest.mark.slow), "difference"])
def test_windows_of_a_series_are_given_back(change, tmp_path):
    text = TINY_SERIES.replace("horizon: 2", "horizon: 1").replace("predict: difference", f"predict: {change}")
    text = text.replace("  window", "  target: input\n  window")
    run = dlspec.run(text, out=tmp_path / "run")
    rows = pd.DataFrame({"x": 0.4 * np.sin(np.arange(20) / 3) + 0.9})
    back = run.predict(rows)
    length = 8 + (change == "difference")
    assert len(back) == 20 - length + 1
    assert list(back)[:2] == ["x[0]", "x[1]"]
    assert (back["squared_error"] > 0).all()


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("[flatten, dense: 8, dense: 10]", "output-mismatch"),
        ("[flatten, dense: 8, dense: 64]", "output-mismatch"),  # linear, and cross-entropy compares probabilities
        ("[flatten, dense: 8, dense: {units: 64, activation: sigmoid}]", None),
        ("[flatten, dense: 8, output]", None),
        ("[dense: 8, dense: {units: 8, activation: sigmoid}]", None),
    ],
)
def test_what_gives_back_its_input_ends_in_its_shape(model, code):
    text = f"dlspec: 1\ndata: {{dataset: digits, scale: min_max, target: input}}\nmodel: {model}\n"
    assert [problem.code for problem in dlspec.validate(text)] == ([code] if code else [])


def test_unrolling_says_what_it_needs():
    text = DEEP.replace("scale: min_max}", "scale: min_max, target: digit}")
    assert [problem.code for problem in dlspec.validate(text)] == ["wrong-target"]
    supervised = "dlspec: 1\ndata: {dataset: digits, target: input}\nmodel: [flatten, dense: 4, output]\n"
    assert [p.code for p in dlspec.validate(supervised + "pretrain: {method: supervised}\n")] == ["wrong-target"]


# --- did it help?


def test_the_same_network_is_trained_with_and_without_pretraining(deep):
    found = deep.metrics.compare.without_pretraining
    assert found.seeds == (42, 43)
    assert found.with_["squared_error"].values[0] == deep.metrics.test["squared_error"]
    for spreads in (found.with_, found.without):
        both = spreads["squared_error"]
        assert len(both.values) == 2
        assert both.mean == pytest.approx(np.mean(both.values))
        assert both.sd == pytest.approx(np.std(both.values, ddof=1))
    assert len({*found.with_["squared_error"].values, *found.without["squared_error"].values}) == 4
    assert [(arm.arm, arm.seed, len(arm.loss)) for arm in found.arms] == [
        ("with", 42, 2), ("without", 42, 2), ("with", 43, 2), ("without", 43, 2),
    ]  # fmt: skip
    page = deep.report.read_text(encoding="utf-8")
    assert "Did pretraining help?" in page
    assert found.sentence in page


@pytest.mark.slow
def test_a_training_of_the_comparison_is_the_run_that_it_stands_for(deep, tmp_path):
    alone = DEEP.replace("evaluate: {compare: {without_pretraining: {seeds: 2}}}", "evaluate: {metrics: squared_error}")
    run = dlspec.run(dlspec.load(alone, overrides={"seed": 43}), out=tmp_path / "with")
    found = deep.metrics.compare.without_pretraining
    assert run.metrics.test["squared_error"] == found.with_["squared_error"].values[1]


@pytest.mark.slow
def test_a_comparison_that_was_stopped_goes_on(deep, tmp_path):
    class StopAtSecond(Listener):
        def goes_on(self, text):
            if "seed 43, without" in text:
                import signal

                signal.raise_signal(signal.SIGINT)

    from dlspec.training.progress import Stopped

    with pytest.raises(Stopped):
        dlspec.run(DEEP, out=tmp_path / "run", listener=StopAtSecond())
    done = json.loads((tmp_path / "run/checkpoints/comparison.json").read_text())
    assert [(arm["arm"], arm["seed"]) for arm in done] == [("with", 42), ("without", 42), ("with", 43)]
    resumed = dlspec.resume(tmp_path / "run")
    assert resumed.metrics.compare == deep.metrics.compare


def arms_of(of_each):
    """Of trainings, each tested on the same 100 samples: their accuracies with pretraining and without."""
    for arm, values in of_each.items():
        for seed, value in enumerate(values):
            entry = Arm(arm=arm, seed=seed, test={"accuracy": value}, loss=(), val_loss=())
            wrong = (np.arange(100) >= 100 * value).astype("float64")
            yield Done(entry, {"network": wrong}, np.arange(100))


def test_spreads_and_the_verdict():
    assert spread([1.0]) == Spread(mean=1.0, sd=None, values=(1.0,))
    data = Training(TINY["digits"]).data
    found = summarize([*arms_of({"with": (0.9, 0.8), "without": (0.7, 0.85)})], data, [0, 1], ["accuracy"])
    assert found.verdict.outcome == "level"
    assert found.sentence == (
        "It is not shown that pretraining helps: Accuracy 85.0% (sd 7.1%) with pretraining and 77.5% (sd 10.6%) "
        "without, over 2 seeds, with pretraining better in 1 of them, a difference that could be due to chance."
    )
    good, bad = (0.95, 0.94, 0.95, 0.96), (0.6, 0.61, 0.62, 0.6)
    for one, other, outcome, begins in (
        (good, bad, "better", "Pretraining helps: Accuracy 95.0%"),
        (bad, good, "worse", "Pretraining does harm: Accuracy 60.8%"),
        (good[:1], bad[:1], "too_few", "Too few to tell whether pretraining helps: Accuracy 95.0%"),
    ):
        found = summarize([*arms_of({"with": one, "without": other})], data, range(len(one)), ["accuracy"])
        assert found.verdict.outcome == outcome
        assert found.sentence.startswith(begins)
    assert found.sentence.endswith("with one seed, on what is worth 1 training.")


def test_a_comparison_needs_pretraining():
    text = TINY["table"] + "evaluate: {compare: {without_pretraining: {seeds: 2}}}\n"
    assert [problem.code for problem in dlspec.validate(text)] == ["nothing-to-compare"]


# --- taking the encoder out, and starting from it


def test_the_encoder_can_be_taken_out_and_takes_raw_columns(deep, tmp_path, monkeypatch):
    from sklearn.datasets import load_digits

    monkeypatch.chdir(tmp_path)
    images = load_digits().images[:6]
    network = next(layer for layer in deep.model.layers if isinstance(layer, keras.Model))
    w1, b1 = network.get_layer("h1").get_weights()
    w2, b2 = network.get_layer("code").get_weights()
    hidden = 1 / (1 + np.exp(-(images.reshape(6, -1) / 16 @ w1 + b1)))
    assert predict(deep.encoder("h1"), images) == pytest.approx(hidden, abs=1e-5)
    assert predict(deep.encoder("code"), images) == pytest.approx(hidden @ w2 + b2, abs=1e-5)
    file = dlspec.export(deep.folder, layers="..code")
    assert str(file) == "deep_to_code.keras"
    loaded = keras.models.load_model(file, safe_mode=True)
    assert predict(loaded, images) == pytest.approx(hidden @ w2 + b2, abs=1e-5)
    between = predict(deep.encoder("code", first="code"), hidden.astype("float32"))
    assert between == pytest.approx(hidden @ w2 + b2, abs=1e-5)
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.export(deep.folder, layers="..code")
    assert code_of(caught) == "cannot-write"


def test_layers_as_pretraining_left_them(deep):
    from dlspec.model.weights import PRETRAINED, LayerWeights

    kept = LayerWeights.load(deep.folder / PRETRAINED)
    assert set(kept.layers) == {"h1", "code"}
    network = next(layer for layer in deep.model.layers if isinstance(layer, keras.Model))
    encoder = deep.encoder("code", pretrained=True)
    inner = next(layer for layer in encoder.layers if any(x.name == "h1" for x in getattr(layer, "layers", [])))
    assert np.array_equal(as_array(inner.get_layer("h1").kernel), kept.layers["h1"][0])
    assert not np.array_equal(as_array(network.get_layer("h1").kernel), kept.layers["h1"][0]), "fine-tuned"
    assert np.array_equal(kept.decoders["h1"][0][0], kept.layers["h1"][0].T)


@pytest.mark.parametrize(
    ("layers", "code"), [("..h9", "unknown-layer-name"), ("h1", "wrong-layers"), ("code..h1", "wrong-layers")]
)
def test_what_is_no_part_of_the_network_is_named(deep, layers, code, tmp_path):
    done = CliRunner().invoke(cli, ["export", str(deep.folder), "--layers", layers], standalone_mode=False)
    assert done.exception.diagnostics[0].code == code


@pytest.mark.slow
def test_a_run_may_start_from_the_layers_of_another(deep, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = RBMS.replace("units: 8, activation: sigmoid, name: h2", "units: 5, activation: relu, name: h2")
    text = text.replace(
        "{method: rbm, epochs: 2, batch_size: 64}", f"{{from: {deep.folder}, layers: [h1], then: freeze}}"
    )
    spec = dlspec.load(text)
    assert [stage.name for stage in dlspec.plan(spec).stages] == ["fine_tune"]
    run = dlspec.run(spec, out=tmp_path / "run")
    kept = np.load(deep.folder / "pretrained.npz")
    assert np.array_equal(np.load(run.folder / "layers.npz")["h1/0"], kept["h1/0"])
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "again")
    assert again.metrics.test == run.metrics.test


def test_what_the_other_run_does_not_have_is_pretrained(deep, tmp_path):
    text = RBMS.replace("method: rbm,", f"method: rbm, from: {deep.folder},")
    plan = dlspec.plan(dlspec.load(text))
    assert [stage.name for stage in plan.stages] == ["pretrain:h2", "fine_tune"]
    assert plan.taken == ("h1",)
    run = dlspec.run(text, out=tmp_path / "run")
    kept = [np.load(folder / "pretrained.npz")["h1/0"] for folder in (deep.folder, run.folder)]
    assert np.array_equal(*kept)


def test_trained_layers_serve_where_there_was_no_pretraining(tiny_run, tmp_path):
    other = tiny_run("spirals").folder
    text = TINY["spirals"].replace("train:", f"pretrain: {{from: {other}}}\ntrain:")
    run = dlspec.run(dlspec.load(text, overrides={"train.epochs": 1}), out=tmp_path / "run")
    assert run.finished


@pytest.mark.parametrize(
    ("pretrain", "code"),
    [
        ("{from: nowhere/001}", "no-run"),
        ("{from: RUN, layers: [h1, h2]}", "unknown-layer-name"),
        ("{from: RUN, layers: [h1], epochs: 3}", "unknown-key"),
        ("{from: RUN, layers: [h1], corruption: {masking: 0.1}}", "unknown-key"),
        ("{layers: [h1]}", "missing-key"),
    ],
)
def test_mistakes_about_another_run_are_found_before_training(deep, pretrain, code):
    text = RBMS.replace("{method: rbm, epochs: 2, batch_size: 64}", pretrain.replace("RUN", str(deep.folder)))
    assert [problem.code for problem in dlspec.validate(text) if problem.is_error] == [code]


def test_layers_of_another_size_are_refused(deep):
    text = RBMS.replace("units: 12", "units: 13").replace("{method: rbm,", f"{{from: {deep.folder}, method: rbm,")
    (problem,) = (problem for problem in dlspec.validate(text) if problem.is_error)
    assert problem.code == "shape-mismatch"
    assert "780" in problem.message


# --- unlabeled sources


@pytest.fixture
def tables(tmp_path):
    """A table with a class, and one with the same columns without it, some of whose rows stand in the first."""
    random = np.random.default_rng(0)
    known = pd.DataFrame(random.normal(size=(60, 3)), columns=["a", "b", "c"]).round(4)
    known["kind"] = np.where(known["a"] > 0, "yes", "no")
    more = pd.concat(
        [pd.DataFrame(random.normal(size=(200, 3)), columns=["a", "b", "c"]).round(4), known[["a", "b", "c"]]]
    )
    known.to_csv(tmp_path / "known.csv", index=False)
    more.to_csv(tmp_path / "more.csv", index=False)
    (tmp_path / "spec.yaml").write_text(
        "dlspec: 1\nname: two\n"
        "data: {table: known.csv, target: kind, unlabeled: {table: more.csv}}\n"
        "model: [dense: {units: 4, activation: sigmoid, name: h}, output]\n"
        "pretrain: {method: autoencoder, epochs: 2}\ntrain: {epochs: 2}\n"
    )
    return tmp_path


@pytest.mark.slow
def test_samples_of_another_source_are_seen_in_pretraining_only(tables):
    counts = {}

    class Count(Listener):
        def stage_begins(self, stage, samples, steps):
            counts[stage.name] = samples

    run = dlspec.run(tables / "spec.yaml", out=tables / "run", listener=Count())
    parts = run.data.parts
    held_out = parts["validation"] + parts["test"]
    assert run.data.left_out == held_out, "what is held out must not come back through the other door"
    assert counts == {"pretrain:h": parts["train"] + 260 - held_out, "fine_tune": parts["train"]}
    assert any("left out" in note for note in run.metrics.notes)
    again = dlspec.run(run.folder / "resolved.yaml", out=tables / "again")
    assert again.metrics.test == run.metrics.test


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("a,b,c", "a,b,d"), "unknown-column"),
        (("more.csv", "nothing.csv"), "data-not-found"),
        (("{table: more.csv}", "{}"), "no-source"),
        (("{table: more.csv}", "{table: more.csv, dataset: iris}"), "several-sources"),
        (("{table: more.csv}", "{dataset: goog}"), "unlabeled-mismatch"),
        (("{table: more.csv}", "{dataset: digits}"), "unknown-column"),
        (("pretrain: {method: autoencoder, epochs: 2}\n", ""), "unused-unlabeled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_source_has_the_same_columns(tables, change, code):
    path = tables / ("more.csv" if change[0].startswith("a,b") else "spec.yaml")
    path.write_text(path.read_text().replace(*change))
    assert code in [problem.code for problem in dlspec.validate(tables / "spec.yaml")]


def test_windows_of_another_series_share_no_timestep_with_what_is_held_out(tmp_path):
    values = np.random.default_rng(0).normal(size=300).cumsum().round(3) + 50
    pd.DataFrame({"x": values}).to_csv(tmp_path / "known.csv", index=False)
    pd.DataFrame({"x": values}).assign(y=0).to_csv(tmp_path / "same.csv", index=False)
    text = (
        "dlspec: 1\ndata: {series: known.csv, target: x, window: {length: 6}, unlabeled: {series: same.csv}}\n"
        "model: [lstm: 3, output]\npretrain: {method: autoencoder, epochs: 1}\ntrain: {epochs: 1}\n"
    )
    pd.read_csv(tmp_path / "known.csv").assign(z=1).to_csv(tmp_path / "known.csv", index=False)
    (tmp_path / "spec.yaml").write_text(text.replace("target: x", "target: x, features: x"))
    from dlspec.runs.job import load_data

    data = load_data(dlspec.load(tmp_path / "spec.yaml"))
    known = {round(float(v), 3) for part in (data.validation, data.test) for v in np.asarray(part.raw).ravel()}
    back = data.preprocessing.inputs.back(data.unlabeled.astype("float64"))
    assert len(data.unlabeled) == 204 - 6 + 1  # the first forecast of the validation part sees rows from 204 on
    assert data.left_out == 295 - 199
    assert not known & {round(float(v), 3) for v in back.ravel()}


# --- pictures of pretraining


def test_the_page_shows_what_a_deep_belief_net_has_learned(tmp_path):
    run = dlspec.run(RBMS, out=tmp_path / "run")
    page = run.report.read_text(encoding="utf-8")
    for heading in ("What pretraining kept", "First-layer filters after pretraining", "Activations after pretraining",
                    "What it dreams"):  # fmt: skip
        assert f"<h3>{heading}</h3>" in page
    assert {f"dreams:{steps}" for steps in (0, 10, 100, 1000)} <= set(run.pictures)
    facts = run.metrics.pretraining
    assert facts["h1"]["units"] == 12
    assert 0 <= facts["h1"]["dead_units"] <= 12
    assert 0 < facts["h2"]["mean_activation"] < 1
    rows = {row["stage"]: row for row in run.history}
    assert rows["pretrain:h1"]["pseudo_likelihood"] < 0
    assert rows["fine_tune"]["pseudo_likelihood"] is None


def test_a_dead_unit_is_counted(tmp_path):
    text = TINY_DIGITS.replace(
        "activation: sigmoid, name: h1", "activation: relu, name: h1, bias_initializer: {constant: -50}"
    )
    run = dlspec.run(text.replace("tied_weights: true, ", "optimizer: {sgd: 1e-9}, "), out=tmp_path / "run")
    assert run.metrics.pretraining["h1"]["dead_units"] == 12
    assert "Dead are 12 of 12 in h1" in run.report.read_text(encoding="utf-8")


def test_the_plane_of_a_code_of_two_numbers_is_drawn_with_its_classes(deep):
    assert deep.pictures["code:points"].shape == (len(deep.predictions), 2)
    assert set(deep.pictures["code:classes"]) == set("0123456789")
    assert "<h3>The code</h3>" in deep.report.read_text(encoding="utf-8")


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    "model",
    [
        "- flatten\n  - dense: {units: 6, name: h}",
        "- reshape: [8, 8, 1]\n  - conv2d: {filters: 5, kernel_size: 3, name: h}\n  - flatten",
    ],
)
def test_filters_are_shown_in_a_terminal_and_drawn_into_a_file(model, tmp_path):
    text = f"dlspec: 1\ndata: {{dataset: digits}}\nmodel:\n  {model}\n  - output\n"
    run = dlspec.run(text + "pretrain: {method: autoencoder, epochs: 1}\ntrain: {epochs: 1}\n", out=tmp_path / "run")
    shown = dlspec.filters(run)
    assert set(shown) == {"pretrained", "final"}
    units, side = (6, 8) if "flatten\n  - dense" in model else (5, 3)
    assert shown["final"].shape == (units, side, side)
    done = CliRunner().invoke(cli, ["show", "--filters", str(run.folder)], standalone_mode=False)
    assert done.return_value == 0
    assert "after pretraining" in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    done = CliRunner().invoke(
        cli, ["show", "--filters", str(run.folder), "-o", str(tmp_path / "f.svg")], standalone_mode=False
    )
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_run_without_pictures_has_no_filters(tiny_run):
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.filters(tiny_run("spirals"))
    assert code_of(caught) == "no-filters"
