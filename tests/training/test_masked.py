"""Losses of places against numpy: means over those that are not masked, in every engine."""

import numpy as np
import pytest

import dlspec
from dlspec.runs.job import load_data
from dlspec.training.masked import mask_of
from tests.trained import Training

TIMESTEPS = 9
LSTM = "  - masking\n  - lstm: {units: 3, return_sequences: true}\n"
ATTENTION = (  # of which Keras forgets the mask where the branches come together
    "  - masking\n  - dense: 4\n  - skip: [{multi_head_attention: {num_heads: 1, key_dim: 3}}]\n"
    "  - layer_normalization\n  - dense: 3\n"
)


def padded():
    """Sequences of 1 to 9 timesteps with zeros behind them, those of short ones first, and a class at each timestep."""
    random = np.random.default_rng(5)
    lengths = np.sort(random.integers(1, TIMESTEPS + 1, 90))
    there = np.arange(TIMESTEPS) < lengths[:, None]
    x = (random.normal(size=(90, TIMESTEPS, 2)) * there[..., None]).astype("float32")
    return x, ((x[..., 0] > 0.3).astype(int) + (x[..., 1] > 0)) * there, there


def spec_of(folder, kind, layers, more=""):
    x, y, _ = padded()
    np.savez(folder / "it.npz", x=x, y=y if kind == "category" else y * 3.0 + x[..., 0])
    return (
        f"dlspec: 1\nseed: 2\ndata: {{arrays: {folder / 'it.npz'}, target: {{y: {kind}}}, scale: none}}\n"
        f"model:\n{layers}  - output\n"
        f"train: {{epochs: 1, batch_size: 11, optimizer: {{sgd: 1.0e-12}}{more}}}\nruntime: {{xla: XLA}}\n"
    )


PICTURES = (
    "  - masking\n  - lstm: {units: 6, return_sequences: true}\n  - time_distributed: {reshape: [2, 3, 1]}\n"
    "  - time_distributed: {conv2d: {filters: 2, kernel_size: 3, padding: same}}\n"
)


@pytest.mark.everyday("numeric")
@pytest.mark.parametrize("kind", ["category", "numeric"])
def test_a_mask_of_timesteps_goes_over_the_other_axes_of_places(tmp_path, kind):
    x, _, there = padded()
    x = np.concatenate([x, x * 2, x - x**2], axis=-1)
    y = (x > 0.2).reshape(90, TIMESTEPS, 2, 3)
    np.savez(tmp_path / "videos.npz", x=x, y=y if kind == "category" else y * 3.0 + 1)
    file = tmp_path / "spec.yaml"
    text = spec_of(tmp_path, kind, PICTURES, ", class_weight: balanced" if kind == "category" else "")
    file.write_text(text.replace("it.npz", "videos.npz").replace("XLA", "off"))
    run = dlspec.run(file, out=tmp_path / "run")
    rows = run.predictions["row"].to_numpy()
    found, truth, there = np.asarray(run.model.predict_on_batch(x[rows])), y[rows], there[rows]
    found = found.reshape(truth.shape)
    if kind == "category":
        assert run.metrics.test["accuracy"] == pytest.approx(((found > 0.5) == truth)[there].mean())
    else:
        assert run.metrics.test["rmse"] == pytest.approx(((found - truth * 3 - 1) ** 2)[there].mean() ** 0.5, rel=1e-5)
        data = load_data(run.spec)
        inputs, truth = np.asarray(data.validation.inputs), np.asarray(data.validation.truth)
        off = (np.asarray(run.model.predict_on_batch(inputs)) - truth) ** 2
        assert run.history[-1].val_loss == pytest.approx(off[(inputs != 0).any(axis=-1)].mean(), rel=1e-4)


def by_hand(data, network, part, weights=None):
    """The mean over places that are not zeros, of a network whose weights stay."""
    x, truth = np.asarray(part.inputs), np.asarray(part.targets)
    there = (x != 0).any(axis=-1)
    out = np.asarray(network.predict_on_batch(x), "float64")
    if data.signature.target.classes:
        losses = -np.log(np.take_along_axis(out, truth[..., None], axis=-1)[..., 0])
    else:
        losses = (out[..., 0] - truth) ** 2
    return (losses * there * (1 if weights is None else weights[truth])).sum() / there.sum()


@pytest.fixture(params=["off", "on", "Keras"])
def xla(request, monkeypatch):
    """The ways of training; in the last one, that of all backends."""
    from dlspec.training.engines import base

    monkeypatch.setattr("dlspec.training.trainer.EVALUATION_BATCH", 4)
    if request.param == "Keras":
        monkeypatch.setattr("dlspec.training.stage_run.make_engine", lambda *given, **_: base.StepByStep(*given))
    return "off" if request.param == "Keras" else request.param


@pytest.mark.everyday("off-balanced_attention", "Keras-number_attention")
@pytest.mark.parametrize(
    ("kind", "layers", "more"),
    [
        pytest.param("category", LSTM, "", id="plain"),
        pytest.param("category", LSTM, ", class_weight: {'0': 1, '1': 5, '2': 0.5}", id="weights"),
        pytest.param("category", LSTM, ", class_weight: balanced", id="balanced"),
        pytest.param("category", ATTENTION, ", class_weight: balanced", id="balanced_attention"),
        pytest.param("numeric", LSTM, "", id="number"),
        pytest.param("numeric", ATTENTION, "", id="number_attention"),
    ],
)
def test_losses_are_means_over_places_that_are_not_masked(tmp_path, xla, kind, layers, more):
    training = Training(spec_of(tmp_path, kind, layers, more).replace("XLA", xla))
    _, history = training.run()
    data, network = training.data, training.network
    weights = None
    if "balanced" in more:
        x, truth = np.asarray(data.train.inputs), np.asarray(data.train.truth)
        counts = np.bincount(truth[(x != 0).any(axis=-1)], minlength=3)
        weights = counts.sum() / (3 * counts)
    elif more:
        weights = np.array([1, 5, 0.5])
    (row,) = history
    assert row.loss == pytest.approx(by_hand(data, network, data.train, weights), rel=1e-5)
    assert row.val_loss == pytest.approx(by_hand(data, network, data.validation), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [LSTM, ATTENTION], ids=["lstm", "attention"])
def test_metrics_are_means_over_places_that_are_not_masked(tmp_path, layers):
    file = tmp_path / "spec.yaml"
    file.write_text(spec_of(tmp_path, "category", layers).replace("XLA", "off"))
    run = dlspec.run(file, out=tmp_path / "run")
    x, y, there = padded()
    rows = run.predictions["row"].to_numpy()
    shares = np.asarray(run.model.predict_on_batch(x[rows]), "float64")
    right, there, truth = shares.argmax(axis=-1) == y[rows], there[rows], y[rows]
    assert run.metrics.test["accuracy"] == pytest.approx(right[there].mean())
    given = np.take_along_axis(shares, truth[..., None], axis=-1)[..., 0][there]
    assert run.metrics.test["log_loss"] == pytest.approx(-np.log(given).mean(), rel=1e-6)
    evaluated = dlspec.evaluate(run.folder, tmp_path / "it.npz")
    again = evaluated.metrics.test
    assert [run.data.class_counts[label].test for label in "012"] == np.bincount(truth[there], minlength=3).tolist()
    assert next(each for each in evaluated.differences if each.column == "y").apart < 0.1
    _, y, there = padded()
    dlspec.predict(run.folder, tmp_path / "it.npz", out=tmp_path / "predicted.csv")
    lines = (tmp_path / "predicted.csv").read_text().splitlines()[1:]
    written = np.array([line.split(",")[1:] for line in lines])
    assert np.array_equal(written != "", there)  # nothing is said of what is masked
    everywhere = np.asarray(run.model.predict_on_batch(x)).argmax(axis=-1)
    assert again["accuracy"] == pytest.approx((everywhere == y)[there].mean())


def test_the_mask_is_known_where_keras_forgets_it(tmp_path):
    training = Training(spec_of(tmp_path, "category", ATTENTION).replace("XLA", "off"))
    training.run()
    inputs = np.asarray(load_data(training.spec).train.inputs)
    assert getattr(training.network(inputs[:4]), "_keras_mask", None) is None
    assert np.array_equal(mask_of(training.network, inputs), (inputs != 0).any(axis=-1))
