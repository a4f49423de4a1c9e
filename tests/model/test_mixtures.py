"""Outputs that put out mixtures: what is written, what is built, and what is refused."""

import numpy as np
import pytest

import dlspec
from dlspec.model.build import build_network, part_of
from dlspec.model.mixtures import FLOOR, mixture_parameters

TABLE = """\
dlspec: 1
data: {dataset: diabetes}
model:
  - dense: 6
  - output: {mixture: 4}
train: {epochs: 1}
"""
SERIES = """\
dlspec: 1
data: {dataset: {mackey_glass: {samples: 260}}, window: {length: 8, horizon: 1, steps: 4}}
model:
  - gru: 6
  - output: {mixture: 3}
train: {epochs: 1}
"""


@pytest.mark.parametrize(("text", "shape"), [(TABLE, (None, 1, 12)), (SERIES, (None, 4, 9))])
def test_shapes_and_parameters_are_those_of_keras(text, shape):
    graph = dlspec.graph(text)
    network = build_network(graph)
    assert graph.output_shape == shape == network.output_shape
    assert graph.parameters == network.count_params()
    assert graph.flops > 0


def test_weights_sum_to_one_and_deviations_stay_above_the_floor_whatever_the_weights_are():
    network = build_network(dlspec.graph(SERIES))
    random = np.random.default_rng(0)
    for scale in (0.1, 10, 1e4):
        network.set_weights([scale * random.normal(size=weight.shape) for weight in network.get_weights()])
        found = np.asarray(network(100 * random.normal(size=(50, *network.input_shape[1:]))))
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[..., :3].sum(axis=-1), 1, rtol=1e-5)
        assert (found[..., :3] >= 0).all()
        assert (found[..., 6:] >= np.float32(FLOOR)).all()


def test_they_are_softmax_line_and_softplus():
    import keras

    given = np.random.default_rng(1).normal(size=(4, 12)).astype("float32")
    x = keras.Input((12,))
    found = np.asarray(keras.Model(x, mixture_parameters(x, 2))(given))
    assert found.shape == (4, 2, 6)
    each = given.reshape(4, 2, 6).astype("float64")
    weights = np.exp(each[..., :2]) / np.exp(each[..., :2]).sum(axis=-1, keepdims=True)
    expected = np.concatenate([weights, each[..., 2:4], np.log1p(np.exp(each[..., 4:])) + 0.001], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("components", [1, 2, 5, 100])
@pytest.mark.parametrize(("scale", "mean", "deviation"), [("standard", 0, 1), ("min_max", 0.5, 0.2)])
def test_an_untrained_network_has_the_mean_and_the_deviation_of_scaled_numbers(components, scale, mean, deviation):
    from dlspec.evaluation.mixtures import deviation_of, mean_of, split

    text = TABLE.replace("mixture: 4", f"mixture: {components}").replace("diabetes", f"diabetes, scale: {scale}")
    network = build_network(dlspec.graph(text))
    found = np.asarray(network(np.zeros((1, 10), "float32")))
    assert mean_of(found)[0, 0] == pytest.approx(mean, abs=1e-5)
    assert deviation_of(found)[0, 0] == pytest.approx(deviation, rel=1e-4)
    assert len(np.unique(split(found)[1])) == components  # else they would never part


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_mixtures_are_float32_whatever_the_precision_is(precision):
    network = build_network(dlspec.graph(TABLE), precision=precision)
    assert network.output.dtype == "float32"
    half = build_network(dlspec.graph(TABLE.replace("mixture: 4", "mixture: 4, dtype: float16")))
    assert half.output.dtype == "float32"


def test_columns_that_are_called_like_what_a_mixture_says_are_refused(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    np.savetxt(tmp_path / "t.csv", rows, "%.4f", ",", header="x,y,y mode", comments="")
    text = TABLE.replace("dataset: diabetes", f'table: {tmp_path / "t.csv"}, target: [y, "y mode"], features: [x]')
    (problem,) = [problem for problem in dlspec.validate(text) if problem.severity.name == "ERROR"]
    assert problem.code == "repeated-name"
    assert "`y mode`" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "help"),
    [
        ("mixture: 4", "mixture: 0", "out-of-range", "at least 1", None),
        ("mixture: 4", "mixture: 101", "out-of-range", "100", None),
        ("mixture: 4", "mixture: 2.5", "wrong-type", "whole number", None),
        ("mixture: 4", "mixture: true", "wrong-type", "whole number", None),
        ("mixture: 4", "mixture: [1, 2]", "wrong-type", "whole number", None),
        ("mixture: 4", "mixture: 4, quantiles: [0.1, 0.5]", "wrong-value", "exclude each other", "leave one out"),
        ("mixture: 4", "mixture: 4, activation: relu", "wrong-value", "exclude each other", "leave `activation` out"),
        ("mixture: 4", "mixture: 4, units: 2", "output-mismatch", "needs (batch, 1, 12)", "remove `units`"),
        ("diabetes", "iris", "output-mismatch", "`species` is a class", "leave `mixture` out; its probabilities"),
        ("diabetes", "iris, target: input", "output-mismatch", "the input of the network", "leave `mixture` out"),
        ("epochs: 1", "epochs: 1, loss: mse", "loss-mismatch", "gives a mixture", "negative_log_likelihood"),
        ("epochs: 1", "epochs: 1, loss: pinball", "loss-mismatch", "given by a mixture", "negative_log_likelihood"),
        ("epochs: 1", "epochs: 1, loss: mixture", "unknown-loss", "no loss", "write `negative_log_likelihood`"),
        ("}\n", "}\n  - flatten\n", "output-not-last", "before other layers", "last entry"),
        ("train:", "evaluate: {baselines: [mean]}\ntrain:", "baseline-mismatch", "given by a mixture", "`gaussian`"),
        ("train:", "evaluate: {baselines: [quantiles]}\ntrain:", "baseline-mismatch", "a mixture", "`gaussian`"),
        ("train:", "evaluate: {metrics: [accuracy]}\ntrain:", "metric-mismatch", "for classes", "`log_likelihood`"),
        ("train:", "evaluate: {metrics: [pinball]}\ntrain:", "metric-mismatch", "for quantiles", "quantiles: [0.1"),
        (
            "epochs: 1",
            "epochs: 1, loss: {negative_log_likelihood: {dtype: float16}}",
            "wrong-value",
            "in float32 at least",
            "leave `dtype` out",
        ),
    ],
)
def test_what_is_wrong_is_said_once_with_its_cure(old, new, code, message, help):
    at = TABLE.index("output") if old.startswith("}") else 0
    (problem,) = dlspec.validate(TABLE[:at] + TABLE[at:].replace(old, new, 1))
    assert problem.code == code
    assert message in problem.message
    assert help is None or help in problem.help


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ("train: {loss: negative_log_likelihood}", "loss-mismatch"),
        ("evaluate: {metrics: [mae, log_likelihood]}", "metric-mismatch"),
        ("evaluate: {baselines: [gaussian]}", "baseline-mismatch"),
    ],
)
@pytest.mark.parametrize("output", ["output", "output: {quantiles: [0.1, 0.5, 0.9]}"])
def test_what_is_of_mixtures_is_refused_without_them(section, code, output):
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {{dataset: diabetes}}\nmodel: [{output}]\n{section}\n")
    assert problem.code == code
    if output == "output":
        assert "output: {mixture: 5}" in problem.help


def test_a_mixture_of_returns_is_refused():
    goog = "dataset: goog, target: close, predict: return, window: {length: 8, horizon: 1"
    text = SERIES.replace("dataset: {mackey_glass: {samples: 260}}, window: {length: 8, horizon: 1", goog)
    (problem,) = dlspec.validate(text)
    assert problem.code == "output-mismatch"
    assert "`predict: return`" in problem.message
    assert "`predict: difference`" in problem.help
    assert not dlspec.validate(text.replace("predict: return", "predict: difference"))


def test_mixtures_at_each_place_are_refused():
    text = SERIES.replace("horizon: 1, steps: 4", "target: each, horizon: 1").replace(
        "gru: 6", "gru: {units: 6, return_sequences: true}"
    )
    (problem,) = dlspec.validate(text)
    assert problem.code == "output-mismatch"
    assert "at each place" in problem.message


def test_a_part_that_ends_in_the_output_gives_its_mixtures():
    import keras

    network = build_network(dlspec.graph(TABLE))
    x = keras.Input((10,))
    model = keras.Model(x, network(keras.layers.Rescaling(2.0)(x)))
    given = np.random.default_rng(0).normal(size=(5, 10)).astype("float32")
    part = part_of(model, "output", None, None)
    np.testing.assert_array_equal(np.asarray(part([given])), np.asarray(model(given)))
    assert part_of(model, "dense_1", None, None)([given]).shape == (5, 6)
