"""What is said of trainings that come to their end and yet go wrong."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.sample_size import error_of_error, wilson_interval
from dlspec.evaluation.evaluate import evaluate
from dlspec.runs.job import find_oddities, load_data, new_network, plan_of
from dlspec.runs.notes import dead_layers, dead_relus, learned, moves, small_folds
from dlspec.runs.records.data import Parts
from dlspec.training.values import predict

IRIS = "dlspec: 1\nseed: 1\ndata: {dataset: iris}\n"
BLOBS = "dlspec: 1\ndata: {dataset: {moons: {samples: 300, noise: 0.05}}, split: {validation: 0.3}}\n"
LEARNS = "model: [dense: {units: 16, activation: relu}, output]\ntrain: {epochs: 8, optimizer: {adam: 0.02}}\n"
TINY_RATE = "model: [dense: {units: 16, activation: tanh}, output]\ntrain: {epochs: 8, optimizer: {adam: 1.0e-8}}\n"


def remarks_of(text, folder):
    """The notes of a run that are about its training."""
    notes = dlspec.run(dlspec.load(text), out=folder / "run").metrics["notes"]
    return [note for note in notes if note.startswith(("The training loss", "After", "The validation part"))]


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("model_and_train", "says"),
    [
        (TINY_RATE, "larger `learning_rate` under `train` than 1e-08, such as 0.001."),
        (TINY_RATE.replace("adam: 1.0e-8", "sgd: 1.0e-7"), "larger `learning_rate` under `train` than 1e-07, such as"),
        (
            "model: [dense: {units: 8, activation: sigmoid}, output]\ntrain: {epochs: 9, optimizer: {sgd: 300}}\n",
            "smaller `learning_rate` under `train` than 300, such as 0.01.",
        ),
    ],
    ids=["adam", "sgd", "too large"],
)
def test_a_loss_that_never_moves_names_the_learning_rate_to_try(tmp_path, model_and_train, says):
    (found,) = remarks_of(BLOBS + model_and_train, tmp_path)
    assert found.startswith(
        ("The training loss hardly fell: ", "The training loss goes up and down", "The training loss did")
    )
    assert says in found


def test_it_names_the_scale_of_inputs_that_are_too_large(tmp_path):
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"a": random.normal(0, 1, 200), "b": random.normal(1e6, 1e5, 200)})
    rows.assign(y=rows.a * 3).to_csv(tmp_path / "rows.csv", index=False)
    text = (
        f"dlspec: 1\ndata: {{table: {tmp_path / 'rows.csv'}, target: y, scale: none}}\n"
        "model: [dense: {units: 8, activation: sigmoid}, output]\ntrain: {epochs: 8, optimizer: {sgd: 0.001}}\n"
    )
    (found,) = remarks_of(text, tmp_path)
    assert "The inputs reach 1" in found
    assert "`scale: standard` under `data`" in found


@pytest.mark.slow
def test_no_learning_rate_is_recommended_where_nothing_can_be_learned(tmp_path):
    random = np.random.default_rng(0)
    model = "model: [{dense: {units: 4, activation: tanh}}, output]\ntrain: {epochs: 8, optimizer: {adam: 1.0e-7}}\n"
    rows = pd.DataFrame(random.normal(size=(300, 3)), columns=list("abc"))
    for name, target, is_learned in (
        ("noise", random.normal(size=300), False),
        ("line", rows["a"] * 2 + rows["b"], True),
        ("coin", random.choice(["yes", "no"], 300), False),
    ):
        rows.assign(y=target).to_csv(tmp_path / "rows.csv", index=False)
        text = f"dlspec: 1\ndata: {{table: {tmp_path / 'rows.csv'}, target: y}}\n{model}"
        (tmp_path / name).mkdir()
        (found,) = remarks_of(text, tmp_path / name)
        assert found.startswith("The training loss")
        says = "larger `learning_rate` under `train` than 1e-07"
        nothing = "Nor did `linear` learn more than one guess for all samples: the inputs may say nothing about `y`."
        assert (says in found) == is_learned
        assert (nothing in found) != is_learned


def test_dead_units_are_named_as_the_cause(tmp_path):
    dead = "model: [dense: {units: 12, activation: relu, bias_initializer: {constant: -50}, name: low}, output]\n"
    loss, units = remarks_of(BLOBS + dead + "train: {epochs: 8}\n", tmp_path)
    assert loss.endswith("Most units of a layer are dead: nothing is learned through them.")
    assert units == (
        "After training 12 of 12 units of `low` were dead: `relu` puts out 0 for each of the 165 training samples "
        "looked at. A lower learning rate, or `leaky_relu`, may help."
    )


def test_a_training_that_goes_well_is_left_alone(tmp_path):
    pretrain = "pretrain: {method: autoencoder, epochs: 6}\n"
    assert remarks_of(BLOBS + LEARNS + pretrain, tmp_path) == []


@pytest.mark.slow
def test_a_loss_that_is_at_its_floor_after_the_first_epoch_is_no_fault(tmp_path):
    """Much data, a linear target and noise: one epoch finds it, and later ones change nothing."""
    random = np.random.default_rng(0)
    x = random.normal(size=40000)
    pd.DataFrame({"x": x, "y": 2 * x + random.normal(0, 0.5, 40000)}).to_csv(tmp_path / "rows.csv", index=False)
    text = (
        f"dlspec: 1\ndata: {{table: {tmp_path / 'rows.csv'}, target: y}}\nmodel: [output]\n"
        "train: {epochs: 6, batch_size: 8, optimizer: {sgd: 0.1}}\n"
    )
    run = dlspec.run(dlspec.load(text), out=tmp_path / "run")
    assert not moves([row["loss"] for row in run.history])
    assert not any(note.startswith("The training loss") for note in run.metrics.notes)


@pytest.mark.parametrize(
    ("losses", "moved"),
    [
        ([1.0, 0.999, 0.998, 0.999, 0.998], False),
        ([1.0, 0.97, 0.94, 0.91], True),  # steadily, if slowly
        ([1.0, 0.4, 1.3, 0.7, 1.2, 0.6, 1.4], False),  # up and down
        ([1.0, 0.2, 0.1, 0.1, 0.1, 0.1], True),
        ([1.0, 0.5, 0.3, 0.25, 4.0, 9.0, 12.0], True),  # fell, and then diverged
        ([1.0, 0.999], True),  # too few to say anything
        ([0.0] * 8, True),  # nothing left to learn
        ([-5.0, -5.001, -5.0, -5.001], False),
    ],
)
def test_a_loss_moves_when_it_falls_by_more_than_it_scatters(losses, moved):
    assert moves(losses) is moved


def test_nothing_is_to_be_learned_of_targets_that_are_all_alike():
    spec = dlspec.load("dlspec: 1\ndata: {dataset: diabetes}\nmodel: [output]\n")
    data = load_data(spec)
    part = data.train.at(np.arange(30))
    guess = np.zeros((30, 1), "float32")
    assert not learned(data, part, guess, guess)
    assert learned(data, part, np.asarray(part.targets), guess)
    alike = type(part)(part.inputs, np.zeros_like(part.targets), part.raw, part.truth, part.rows)
    assert learned(data, alike, guess, guess)


def test_the_accuracy_of_a_random_start_is_not_learned():
    """It may be above chance by chance; what counts is that training changed nothing."""
    spec = dlspec.load(IRIS + "model: [dense: 16, output]\n")
    data = load_data(spec)
    outputs = predict(new_network(spec, plan_of(spec, data), data), data.train.inputs)
    perfect = np.eye(3)[np.asarray(data.train.truth)]
    assert not learned(data, data.train, perfect, perfect)
    assert not learned(data, data.train, outputs, outputs)
    assert learned(data, data.train, perfect, outputs)


def test_a_stage_of_pretraining_that_never_moves_is_told_about(tmp_path):
    text = BLOBS + LEARNS + "pretrain: {method: autoencoder, epochs: 6, optimizer: {sgd: 1.0e-9}}\n"
    (found,) = remarks_of(text, tmp_path)
    assert found.startswith("The training loss of `pretrain:dense_1` ")
    assert "larger `learning_rate` under `pretrain` than 1e-09, such as 0.01" in found


# --- dead units

DEAD = "bias_initializer: {constant: -50}"


def dead_in(model, data="{dataset: iris}"):
    """The dead layers of an untrained network."""
    spec = dlspec.load(f"dlspec: 1\ndata: {data}\nmodel:\n{model}")
    prepared = load_data(spec)
    plan = plan_of(spec, prepared)
    found = dead_relus(plan.graph, new_network(spec, plan, prepared), prepared.train.inputs[:50])
    return [(one.name, one.dead, one.units, one.what) for one in found]


@pytest.mark.parametrize(
    ("model", "data", "expected"),
    [
        (f"  - dense: {{units: 6, activation: relu, {DEAD}}}\n  - output\n", "iris", [("dense_1", 6, 6, "units")]),
        (f"  - dense: {{units: 6, activation: relu6, {DEAD}}}\n  - output\n", "iris", [("dense_1", 6, 6, "units")]),
        (f"  - dense: {{units: 6, {DEAD}}}\n  - relu\n  - output\n", "iris", [("relu_1", 6, 6, "units")]),
        (
            f"  - dense: {{units: 6, {DEAD}}}\n  - activation: relu\n  - output\n",
            "iris",
            [("activation_1", 6, 6, "units")],
        ),
        (f"  - dense: {{units: 6, activation: leaky_relu, {DEAD}}}\n  - output\n", "iris", []),
        (f"  - dense: {{units: 6, {DEAD}}}\n  - relu: {{negative_slope: 0.1}}\n  - output\n", "iris", []),
        (f"  - dense: {{units: 6, activation: tanh, {DEAD}}}\n  - output\n", "iris", []),
        ("  - dense: {units: 64, activation: relu}\n  - output\n", "iris", []),
        (
            f"  - reshape: [8, 8, 1]\n  - conv2d: {{filters: 5, kernel_size: 3, activation: relu, {DEAD}}}\n"
            "  - flatten\n  - output\n",
            "digits",
            [("conv2d_1", 5, 5, "channels")],
        ),
        (
            f"  - time_distributed: {{dense: {{units: 4, activation: relu, {DEAD}}}}}\n  - flatten\n  - output\n",
            "digits",
            [("time_distributed_1", 4, 4, "units")],
        ),
        (
            f"  - bidirectional: {{simple_rnn: {{units: 3, activation: relu, {DEAD}}}}}\n  - output\n",
            "digits",
            [("bidirectional_1", 6, 6, "units")],
        ),
    ],
)  # fmt: skip
def test_relus_that_are_dead_are_found_wherever_they_stand(model, data, expected):
    assert dead_in(model, f"{{dataset: {data}}}") == expected


def test_border_pixels_are_no_dead_units():
    """They are 0 in every picture, and no layer with weights made them."""
    assert dead_in("  - flatten\n  - activation: relu\n  - output\n", "{dataset: digits, scale: none}") == []


def test_a_layer_that_is_used_twice_is_dead_where_it_is_at_both_places():
    """The input of the first use is large and negative, so that it is dead there alone."""
    model = (
        f"  - dense: {{units: 4, name: low, {DEAD}}}\n"
        "  - dense: {units: 5, activation: relu, kernel_initializer: ones, name: seen, from: low}\n"
        "  - rescaling: {scale: -1, name: turned, from: low}\n"
        "  - shared: {layers: seen, from: turned}\n"
        "  - concatenate: {from: [seen, seen_again]}\n  - output\n"
    )
    assert dead_in(model) == []
    assert [name for name, *_ in dead_in(model.replace("scale: -1", "scale: 2"))] == ["seen"]


def test_some_dead_units_are_usual():
    facts = {"h": {"units": 9, "dead_units": 5, "mean_activation": 0.1}}
    assert dead_layers(facts) == []
    facts["h"]["dead_units"] = 6
    assert dead_layers(facts)[0].startswith("After pretraining 6 of 9 units of `h` were dead")


# --- a validation part that is too small


def test_the_interval_of_an_accuracy_is_that_of_wilson():
    assert wilson_interval(8, 10) == pytest.approx((0.4901, 0.9433), abs=1e-4)  # as statsmodels computes it
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(20, 20)[1] == 1


def test_the_error_of_an_error_is_what_draws_of_normal_errors_scatter():
    drawn = np.sqrt((np.random.default_rng(0).normal(size=(4000, 50)) ** 2).mean(axis=1))
    assert 1.96 * drawn.std() == pytest.approx(error_of_error(50), rel=0.05)


def warned(text, code="small-validation"):
    """The warning about the validation part, or another one, if there is one."""
    spec = dlspec.load(text)
    return next((d.message for d in find_oddities(spec, load_data(spec)) if d.code == code), None)


def of_table(validation, train="", target="diabetes"):
    return (
        f"dlspec: 1\ndata: {{dataset: {target}, split: {{validation: {validation}}}}}\nmodel: [output]\n"
        f"train: {{epochs: 1{train}}}\n"
    )


def test_a_part_that_is_worth_nothing_whatever_comes_is_warned_about_before_training():
    chance = "by chance alone their error is off by up to 32%"
    assert warned(of_table(19)) == f"the validation part has 19 samples: {chance}"
    assert warned(of_table(19, ", early_stopping: {patience: 3}")).endswith("; early stopping chooses the epoch by it")
    assert warned(of_table(19, ", callbacks: [reduce_lr_on_plateau]")).endswith("lowers the learning rate by it")
    assert warned(of_table(20)) is None
    assert warned(of_table(0)) is None
    assert "even if all were right, the accuracy could be 80%" in warned(of_table(15, target="iris"))
    assert warned(of_table(16, target="iris")) is None


@pytest.mark.parametrize(("horizon", "worth"), [(1, None), (5, 11), (20, 2)])
def test_windows_count_as_far_as_they_share_nothing(horizon, worth):
    text = (
        f"dlspec: 1\ndata: {{dataset: {{mackey_glass: {{samples: 400}}}}, window: {{length: 6, horizon: {horizon}}}}}\n"
        "model: [lstm: 2, output]\n"
    )
    found = warned(text)
    if worth is None:
        assert found is None
    else:
        assert f"windows, which overlap and are worth {worth}: by chance alone" in found
        of_test = warned(text, "small-test")
        assert of_test == found.replace("validation", "test")


def test_the_warning_is_in_the_results_of_a_run(tmp_path):
    run = dlspec.run(dlspec.load(of_table(12, ", early_stopping: {patience: 3}")), out=tmp_path / "run")
    (note,) = [note for note in run.metrics.notes if "validation part" in note]
    assert note.startswith("The validation part has 12 samples: by chance alone")
    assert "The validation part has 12 samples" in run.report.read_text(encoding="utf-8")


@pytest.mark.parametrize(("stopping", "told"), [(", early_stopping: {patience: 6}", True), ("", False)])
def test_an_accuracy_that_is_known_badly_is_told_where_something_is_chosen_by_it(tmp_path, stopping, told):
    text = IRIS + f"model: [output]\ntrain: {{epochs: 3, optimizer: {{sgd: 0.001}}{stopping}}}\n"
    spec = dlspec.load(text)
    run = dlspec.run(spec, out=tmp_path / "run")
    found = [note for note in run.metrics.notes if note.startswith("The validation part has 22 samples: its accuracy")]
    assert len(found) == told
    if told:
        low, high = wilson_interval(22 * run.metrics.validation["accuracy"], 22)
        assert f"from {low:.0%} to {high:.0%} by chance; early stopping chooses the epoch by it." in found[0]


def test_it_is_told_too_where_the_accuracy_is_no_metric(tmp_path):
    text = (
        IRIS + "model: [output]\ntrain: {epochs: 3, early_stopping: {patience: 6}}\nevaluate: {metrics: [log_loss]}\n"
    )
    run = dlspec.run(dlspec.load(text), out=tmp_path / "run")
    (found,) = [note for note in run.metrics.notes if note.startswith("The validation part has 22 samples")]
    network, data = run.model, load_data(run.spec)
    truth = np.asarray(data.validation.truth)
    right = (predict(network, data.validation.raw).argmax(axis=1) == truth).mean()
    assert f"its accuracy of {right:.0%}" in found


def parts(*validation):
    return [Parts(train=100, validation=count, test=20) for count in validation]


def test_folds_whose_part_is_too_small_are_told_about():
    data = load_data(dlspec.load(IRIS + "model: [output]\n"))
    assert len(data.validation) == 22
    assert small_folds(data, parts(22, 22)) == []
    (found,) = small_folds(data, parts(22, 9, 12))
    assert found == "In 2 of 3 folds the validation part judges little: the smallest has 9 samples."


def test_remarks_stand_before_what_explains_the_results(tmp_path):
    text = (
        "dlspec: 1\ndata: {dataset: digits, target: input, limit: 200}\nmodel: [flatten, dense: 4, dense: 64]\n"
        "train: {epochs: 6, optimizer: {adam: 1.0e-9}}\nevaluate: {baselines: [mean]}\n"
    )
    notes = dlspec.run(dlspec.load(text), out=tmp_path / "run").metrics["notes"]
    assert notes[0].startswith("The training loss hardly fell")
    assert notes[-1].startswith("Errors are of the inputs")


def test_evaluation_alone_makes_no_remarks():
    spec = dlspec.load(IRIS + "model: [output]\ntrain: {early_stopping: {patience: 3}}\n")
    data = load_data(spec)
    evaluation = evaluate(spec.evaluate, new_network(spec, plan_of(spec, data), data), data)
    assert not evaluation.notes


@pytest.mark.slow
def test_notes_stand_in_the_same_order_wherever_the_spec_says_what_they_are_of(tmp_path):
    text = "dlspec: 1\ndata: {dataset: {mackey_glass: {samples: 200}}, window: {length: 8, target: each}}\n"
    run = dlspec.run(text + "model: [{gru: {units: 2, return_sequences: true}}, output]\ntrain: {epochs: 1}\n",
                     out=tmp_path / "run")  # fmt: skip
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "again")
    assert len([note for note in run.metrics.notes if "part has" in note]) > 1
    assert again.metrics.notes == run.metrics.notes
