"""`method: next_step`: layers that read a sequence tell what comes next."""

import keras
import numpy as np
import pytest

import dlspec
from dlspec.model.layers import LAYERS
from dlspec.pretraining.next_step import NextStep
from dlspec.training.plan import StagePlace, StageTask
from dlspec.training.values import as_array
from tests.conftest import ROOT, problems_of
from tests.trained import StopAfter, Training, same, trained

PRETRAIN = "pretrain: {method: next_step, epochs: 2, batch_size: 32}\ntrain: {epochs: 1}\n"
SERIES = "dlspec: 1\ndata: {dataset: {mackey_glass: {samples: 400}}, window: {length: 16}}\n"
STACK = "model: [conv1d: {filters: 4, kernel_size: 3, padding: causal}, dropout: 0.2, lstm: 6, dense: 5, output]\n"
ROWS = "dlspec: 1\ndata: {dataset: digits, scale: min_max, labels: 60, limit: 300}\nmodel: [gru: 8, output]\n"
TEXTS = (
    f"dlspec: 1\ndata:\n  text: {ROOT / 'specs' / 'data' / 'sentences.csv'}\n  target: opinion\n"
    "  features: {said: {text: {words: 60, length: 10}}}\n  labels: 60\nmodel: [embedding: 6, lstm: 8, output]\n"
)


def model_of(layers, shape, size, code, words=False):
    """A stage model of Keras layers."""
    first = LAYERS.read({"embedding": 3} if words else {"dense": 2})
    keras.Sequential([keras.Input(shape), *layers])  # builds them
    place = StagePlace((first,), (None, *shape), False, True, (None, *code), True)
    return NextStep().build(layers, place, StageTask(10))


def test_the_loss_is_that_of_the_next_timestep_alone():
    model = model_of([keras.layers.Dense(2)], (5, 3), 3, (5, 2))
    x = np.random.default_rng(0).normal(size=(7, 5, 3)).astype("float32")
    found = model(x, training=True)
    (w, b), (v, c) = ([as_array(weight) for weight in layer.weights] for layer in (model.encoder[0], model.head))
    told = (x[:, :-1] @ w + b) @ v + c
    assert as_array(found["next"]) == pytest.approx(told, abs=1e-5)
    loss = float(model.compute_loss(x=x, y=None, y_pred=found))
    assert loss == pytest.approx(((x[:, 1:] - told) ** 2).mean(), rel=1e-5)


def test_words_that_are_not_there_do_not_count():
    model = model_of([keras.layers.Embedding(6, 3)], (4,), 6, (4, 3), words=True)
    x = np.array([[2, 3, 4, 5], [3, 2, 0, 0]], "float32")
    found = model(x, training=True)
    logits = as_array(found["next"]).astype("float64")
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    first = -np.log([p[0, 0, 3], p[0, 1, 4], p[0, 2, 5]]).mean()
    second = -np.log(p[1, 0, 2])
    loss = float(model.compute_loss(x=x, y=None, y_pred=found))
    assert loss == pytest.approx((first + second) / 2, rel=1e-5)


def test_a_layer_that_returns_its_last_output_returns_every_timestep_here_and_as_before_elsewhere():
    layer = keras.layers.LSTM(4)
    model = model_of([layer], (5, 3), 3, (5, 4))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    code = as_array(model.encode(x))
    assert code.shape == (2, 5, 4)
    assert layer.return_sequences is False
    assert as_array(layer(x)) == pytest.approx(code[:, -1], abs=1e-6)
    later = x.copy()
    later[:, 3:] += 1
    assert as_array(model.encode(later))[:, :3] == pytest.approx(code[:, :3], abs=1e-6)


# --- a stage of it


def test_it_trains_the_layers_that_read_the_sequence_and_none_above():
    plan = dlspec.plan(SERIES + STACK + PRETRAIN)
    (stage,) = plan.pretraining
    assert stage.name == "pretrain:next_step"
    assert stage.encoder == ("conv1d_1", "dropout_1", "lstm_1")
    assert plan.pretrained == ("conv1d_1", "lstm_1")


@pytest.mark.parametrize("text", [SERIES + STACK, ROWS, TEXTS], ids=["series", "rows", "texts"])
def test_the_loss_falls_and_the_layers_above_stay(text):
    training, _, history = trained(text + PRETRAIN)
    losses = [row.loss for row in history if row.stage == "pretrain:next_step"]
    assert losses[1] < losses[0]
    assert training.plan.pretraining[0].below == "output"


@pytest.mark.everyday(1)
@pytest.mark.parametrize(("text", "steps"), [(ROWS, 9), (TEXTS, 3)], ids=["rows", "texts"])
def test_stopped_and_continued_is_the_same_to_the_last_bit(text, steps, one_step_at_a_time):
    _, weights, history = trained(text + PRETRAIN)
    stopped = Training(text + PRETRAIN)
    assert stopped.run(StopAfter(steps)) == (None, None)
    resumed, again = stopped.run(checkpoint=stopped.saved[-1])
    assert same(weights, resumed)
    assert [row.loss for row in again] == [row.loss for row in history]


@pytest.mark.slow
def test_compiled_by_xla_it_learns_the_same():
    plain, compiled = (trained(ROWS + PRETRAIN, **{"runtime.xla": way})[2] for way in ("off", "on"))
    for one, other in zip(plain, compiled, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-4)


def test_frozen_is_what_it_trained():
    assert dlspec.plan(SERIES + STACK + PRETRAIN.replace("}\ntrain", ", then: freeze}\ntrain")).frozen == (
        "conv1d_1", "lstm_1",
    )  # fmt: skip


# --- what it cannot do


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("model: [bidirectional: {lstm: {units: 4, return_sequences: true}}, lstm: 4, output]\n",
         "`bidirectional_1` sees later timesteps", "which reads forwards"),
        ("model: [conv1d: {filters: 4, kernel_size: 3, padding: same}, lstm: 4, output]\n",
         "`conv1d_1` sees later timesteps", "causal"),
        ("model: [conv1d: {filters: 4, kernel_size: 3}, lstm: 4, output]\n",
         "no layers with weights, one above the other, read the timesteps without seeing later ones; `conv1d_1`", ""),
        ("model: [flatten, dense: 4, output]\n", "read the timesteps without seeing later ones", ""),
        ("model: [masking: -1, lstm: 4, output]\n", "does not heed which timesteps `masking_1` masks", ""),
    ],
)  # fmt: skip
def test_layers_that_see_later_timesteps_are_refused(text, message, help, tmp_path):
    problems = [problem for problem in problems_of(SERIES + text + PRETRAIN, tmp_path) if problem.is_error]
    (found,) = (problem for problem in problems if message in problem.message)
    assert found.code == "cannot-pretrain"
    assert found.span.line == 4
    assert help in found.help


def test_samples_without_timesteps_are_refused(tmp_path):
    text = "dlspec: 1\ndata: {dataset: iris}\nmodel: [dense: 4, output]\n"
    (found,) = problems_of(text + PRETRAIN, tmp_path)
    assert "`next_step` is of sequences" in found.message


# --- what the report shows


@pytest.mark.slow
def test_the_report_shows_how_surprising_words_were(tmp_path):
    run = dlspec.run(TEXTS + PRETRAIN + "evaluate: {baselines: []}\n", out=tmp_path / "r")
    words = run.pictures["shown:pretrain:next_step:words"]
    assert {"acting", "plot"} & {*words.reshape(-1)}
    page = (tmp_path / "r" / "report.html").read_text()
    assert "What surprised the network in pretraining" in page
    assert ">acting</span>" in page
