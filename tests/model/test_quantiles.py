"""Outputs that put out quantiles: what is written, what is built, and what is refused."""

import numpy as np
import pytest

import dlspec
from dlspec.model.build import build_network, part_of
from dlspec.model.quantiles import ascending

TABLE = """\
dlspec: 1
data: {dataset: diabetes}
model:
  - dense: 6
  - output: {quantiles: [0.1, 0.5, 0.9]}
train: {epochs: 1}
"""
SERIES = """\
dlspec: 1
data: {dataset: {mackey_glass: {samples: 260}}, window: {length: 8, horizon: 1, steps: 4}}
model:
  - gru: 6
  - output: {quantiles: [0.05, 0.25, 0.5, 0.75, 0.95]}
train: {epochs: 1}
"""


@pytest.mark.parametrize(("text", "shape"), [(TABLE, (None, 1, 3)), (SERIES, (None, 4, 5))])
def test_shapes_and_parameters_are_those_of_keras(text, shape):
    graph = dlspec.graph(text)
    network = build_network(graph)
    assert graph.output_shape == shape == network.output_shape
    assert graph.parameters == network.count_params()
    assert graph.flops > 0


def test_quantiles_never_cross_whatever_the_weights_are():
    network = build_network(dlspec.graph(SERIES))
    random = np.random.default_rng(0)
    for scale in (0.1, 10, 1e4):
        network.set_weights([scale * random.normal(size=weight.shape) for weight in network.get_weights()])
        found = np.asarray(network(100 * random.normal(size=(50, *network.input_shape[1:]))))
        assert np.isfinite(found).all()
        assert (np.diff(found, axis=-1) >= 0).all()


def test_the_first_is_linear_and_each_other_one_a_softplus_further():
    import keras

    given = np.random.default_rng(1).normal(size=(4, 6)).astype("float32")
    x = keras.Input((6,))
    found = np.asarray(keras.Model(x, ascending(x, 3))(given))
    each = given.reshape(4, 2, 3)
    steps = np.log1p(np.exp(each[..., 1:]))
    expected = np.stack([each[..., 0], each[..., 0] + steps[..., 0], each[..., 0] + steps.sum(axis=-1)], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("text", [TABLE, SERIES])
def test_an_untrained_network_gives_quantiles_of_the_standard_normal(text):
    from scipy.stats import norm

    network = build_network(dlspec.graph(text))
    found = np.asarray(network(np.zeros((1, *network.input_shape[1:]), "float32")))[0]
    levels = dlspec.load(text).model.layers[-1].quantiles
    np.testing.assert_allclose(found, np.tile(norm.ppf(levels), (len(found), 1)), atol=1e-5)


def test_columns_that_are_called_like_quantiles_are_refused(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    np.savetxt(tmp_path / "t.csv", rows, "%.4f", ",", header="x,y,y q0.1", comments="")
    text = TABLE.replace("dataset: diabetes", f'table: {tmp_path / "t.csv"}, target: [y, "y q0.1"], features: [x]')
    (problem,) = [problem for problem in dlspec.validate(text) if problem.severity.name == "ERROR"]
    assert problem.code == "repeated-name"
    assert "`y q0.1`" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "help"),
    [
        ("[0.1, 0.5, 0.9]", "[0.9, 0.5, 0.1]", "wrong-value", "ascend", "write `quantiles: [0.1, 0.5, 0.9]`"),
        ("[0.1, 0.5, 0.9]", "[0.1, 0.5, 0.5]", "wrong-value", "ascend", "write `quantiles: [0.1, 0.5]`"),
        ("[0.1, 0.5, 0.9]", "[0.1, 0.9]", "wrong-value", "lacks 0.5", "write `quantiles: [0.1, 0.5, 0.9]`"),
        ("[0.1, 0.5, 0.9]", "[0.5]", "wrong-value", "one more share", "write `quantiles: [0.1, 0.5, 0.9]`"),
        ("[0.1, 0.5, 0.9]", "[10, 50, 90]", "wrong-value", "no percents", "write `quantiles: [0.1, 0.5, 0.9]`"),
        ("[0.1, 0.5, 0.9]", "0.9", "wrong-type", "must be a list", "write `quantiles: [0.5, 0.9]`"),
        ("[0.1, 0.5, 0.9]", "[0.1, 0.5, 1]", "out-of-range", "less than 1", None),
        ("0.9]", "0.9], activation: relu", "wrong-value", "exclude each other", "leave `activation` out"),
        ("0.9]", "0.9], units: 2", "output-mismatch", "needs (batch, 1, 3)", "remove `units`"),
        ("diabetes", "iris", "output-mismatch", "`species` is a class", "leave `quantiles` out"),
        ("diabetes", "iris, target: input", "output-mismatch", "the input of the network", "leave `quantiles` out"),
        ("epochs: 1", "epochs: 1, loss: mse", "loss-mismatch", "gives quantiles", "write `loss: pinball`"),
        ("epochs: 1", "epochs: 1, loss: huber", "loss-mismatch", "gives quantiles", "write `loss: pinball`"),
        ("epochs: 1", "epochs: 1, loss: quantile_loss", "unknown-loss", "no loss", "write `pinball`"),
        ("]}", "]}\n  - flatten", "output-not-last", "before other layers", "last entry"),
        ("train:", "evaluate: {baselines: [mean]}\ntrain:", "baseline-mismatch", "one number", "write `quantiles`"),
        ("train:", "evaluate: {metrics: [accuracy]}\ntrain:", "metric-mismatch", "for classes", "`coverage`"),
    ],
)
def test_what_is_wrong_is_said_once_with_its_cure(old, new, code, message, help):
    (problem,) = dlspec.validate(TABLE.replace(old, new))
    assert problem.code == code
    assert message in problem.message
    assert (problem.help is None) == (help is None)
    assert help is None or help in problem.help


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ("train: {loss: pinball}", "loss-mismatch"),
        ("evaluate: {metrics: [mae, coverage]}", "metric-mismatch"),
        ("evaluate: {baselines: [quantiles]}", "baseline-mismatch"),
    ],
)
def test_what_is_of_quantiles_is_refused_without_them(section, code):
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {{dataset: diabetes}}\nmodel: [output]\n{section}\n")
    assert problem.code == code
    assert "output: {quantiles: [0.1, 0.5, 0.9]}" in problem.help


def test_quantiles_at_each_place_are_refused():
    text = SERIES.replace("horizon: 1, steps: 4", "target: each, horizon: 1").replace(
        "gru: 6", "gru: {units: 6, return_sequences: true}"
    )
    (problem,) = dlspec.validate(text)
    assert problem.code == "output-mismatch"
    assert "at each place" in problem.message


def test_a_part_that_ends_in_the_output_gives_its_quantiles(tmp_path):
    import keras

    network = build_network(dlspec.graph(TABLE))
    x = keras.Input((10,))
    model = keras.Model(x, network(keras.layers.Rescaling(2.0)(x)))
    given = np.random.default_rng(0).normal(size=(5, 10)).astype("float32")
    part = part_of(model, "output", None, None)
    np.testing.assert_array_equal(np.asarray(part([given])), np.asarray(model(given)))
    assert part_of(model, "dense_1", None, None)([given]).shape == (5, 6)
