"""What is said of settings of pretraining that do not fit, where it stands, and that the cure cures."""

import pytest

import dlspec
from dlspec.runs.notes import dead_layers
from dlspec.training.errors import check_progress
from dlspec.training.progress import HistoryRow, Progress
from tests.commands import dlspec_here
from tests.conftest import problems_of

DIGITS = "dlspec: 1\nseed: 42\ndata: {dataset: digits, scale: min_max}\n"
SIGMOID = "model: [flatten, dense: {units: 8, activation: sigmoid, name: h1}, output]\n"
RELU = SIGMOID.replace("sigmoid", "relu")
SEQUENCE = "dlspec: 1\ndata: {dataset: {adding_problem: {timesteps: 10, samples: 100}}, scale: none}\n"

CASES = [
    (DIGITS + SIGMOID + "pretrain: {method: sparse_autoencoder, penalty: l1, sparsity_target: 0.1}\n",
     "`sparsity_target` is for `penalty: kl`; with `l1` there is only `sparsity_weight`", (5, 70), "sparsity_target"),
    (DIGITS + RELU + "pretrain: {method: sparse_autoencoder, sparsity_target: 0.1}\n",
     "`sparsity_target` is for units between 0 and 1, and `dense` ends in `relu`", (5, 57), "l1` without"),
    (DIGITS + SIGMOID + "pretrain: {method: supervised, loss: mse}\n",
     "`supervised` has no `loss`", (5, 32), "remove `loss`: it is that of `train`"),
    (DIGITS + SIGMOID + "pretrain: {method: rbm, tied_weights: true}\n",
     "`rbm` has no `tied_weights`", (5, 25), "remove `tied_weights`, which belongs to"),
    (DIGITS + SIGMOID + "pretrain: {method: rbm, learning_rate: 0.1}\n",
     "unknown key `learning_rate`", (5, 25), "write `optimizer: {sgd: 0.1}`"),
    (DIGITS + SIGMOID + "pretrain: {method: autoencoder, decoder_activation: relu}\n",
     "cross-entropy is of probabilities, and `relu` does not end in [0, 1]", (5, 53), "sigmoid"),
    (DIGITS + SIGMOID + "pretrain: {method: rbm, momentum: 0.5, optimizer: {sgd: {momentum: 0.9}}}\n",
     "`sgd` has a `momentum` of its own here", (5, 35), "keep one"),
    (DIGITS + SIGMOID + "pretrain: {method: rbm, persistent: true, optimizer: {sgd: 0.05}}\n",
     "a rate of 0.05 is too much for `persistent` chains, which must keep up with the weights", (5, 54), "0.01"),
    (DIGITS + RELU + "pretrain: {method: rbm}\n",
     "a rate of 0.1 is too much for relu hidden units, which have no largest value", (5, 20), "0.001"),
    (DIGITS + SIGMOID.replace("h1}", "h1, trainable: false}") + "pretrain: {method: autoencoder}\n",
     "`h1` is not to be trained (`trainable: false`)", (4, 18), "remove `trainable: false`"),
    (DIGITS + SIGMOID + "pretrain: {method: autoencoder, then: freeze, thaw_after: 1}\ntrain: {epochs: 1}\n",
     "the 1 epochs of training are over before layers thaw", (5, 59), "write more `epochs` under `train` than 1"),
    (SEQUENCE + "model: [masking: -1, gru: {units: 6, name: g}, output]\npretrain: {method: autoencoder}\n",
     "`g` skips timesteps that `masking_1` masks, and alone it would see them", (3, 22), None),
    (DIGITS.replace("max}", "max, target: input, labels: 50}") + "model: [flatten, dense: 8, output]\n",
     "`labels` hides the rest of the labels, and a network that gives back its input needs none", (3, 56), "limit"),
    (DIGITS.replace("max}", "max, labels: 5000}") + SIGMOID,
     "`labels` asks for 5000, and the training part has 1258", (3, 49), "write fewer"),
    (DIGITS + SIGMOID + "pretrain: {method: denoising_autoencoder, corruption: {gaussian: 2}}\n",
     "`stddev` must be at most 1, got `2`", (5, 66), "must be at least 0 and at most 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "place", "help"), CASES, ids=[case[1][:40] for case in CASES])
def test_it_is_said_once_at_its_place(text, message, place, help, tmp_path):
    (problem,) = problems_of(text, tmp_path)
    assert message in problem.message
    assert (problem.span.line, problem.span.column) == place
    if help:
        assert help in problem.help


def test_a_stage_above_a_mask_that_is_used_up_is_no_mistake(tmp_path):
    text = SEQUENCE + (
        "model: [masking: -1, gru: {units: 6}, dense: {units: 4, name: d}, output]\n"
        "pretrain: {method: autoencoder, layers: [d]}\n"
    )
    assert problems_of(text, tmp_path) == []


# --- layers of another run


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "run"
    dlspec.run(DIGITS + SIGMOID + "train: {epochs: 1}\n", out=folder)
    return folder


def of_run(source, tmp_path, head=DIGITS, **more):
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    return [(p.code, p.help) for p in problems_of(head + SIGMOID + f"pretrain: {{from: {source}{keys}}}\n", tmp_path)]


def test_layers_that_saw_the_test_part_are_a_warning(source, tmp_path):
    layers = {"layers": "[h1]"}
    assert of_run(source, tmp_path, **layers) == []
    cure = "write `seed: 42` and the same `split`"
    assert of_run(source, tmp_path, DIGITS.replace("42", "7"), **layers) == [("seen-test-part", cure)]
    of_validation = DIGITS.replace("max}", "max, split: {validation: 0.3}}")
    assert of_run(source, tmp_path, of_validation, **layers) == [], "the test part is taken out first"
    other = DIGITS.replace("max}", "max, split: {test: 0.3}}")
    assert of_run(source, tmp_path, other, **layers) == [("seen-test-part", cure)]
    assert of_run(source, tmp_path, DIGITS.replace("digits", "rectangles"), **layers) != [("seen-test-part", cure)]


def test_generated_samples_are_others_with_another_seed(tmp_path):
    text = (
        "dlspec: 1\nseed: 1\ndata: {dataset: {spirals: {samples: 100}}}\nmodel: [dense: {units: 4, name: h1}, output]\n"
        "train: {epochs: 1}\n"
    )
    run = dlspec.run(text, out=tmp_path / "run")
    again = f"{text}pretrain: {{from: {run.folder}, layers: [h1]}}\n"
    assert problems_of(again.replace("seed: 1", "seed: 2"), tmp_path) == []
    compared = f"{again}evaluate: {{compare: {{without_pretraining: {{seeds: 3}}}}}}\n"
    assert problems_of(compared, tmp_path) == []
    split = again.replace("100}}}", "100}}, split: {test: 0.4}}")
    assert [p.code for p in problems_of(split, tmp_path)] == ["seen-test-part"]


def test_a_comparison_by_several_seeds_would_see_the_test_part(source, tmp_path):
    text = (
        DIGITS + SIGMOID + f"pretrain: {{from: {source}, layers: [h1]}}\n"
        "evaluate: {compare: {without_pretraining: {seeds: 2}}}\n"
    )
    (problem,) = problems_of(text, tmp_path)
    assert (problem.code, problem.span.line, problem.help) == ("seen-test-part", 6, "write `seeds: 1`")
    assert problems_of(text.replace("seeds: 2", "seeds: 1"), tmp_path) == []


def test_layers_that_saw_another_scale_are_a_warning(source, tmp_path):
    standard = DIGITS.replace("min_max", "standard")
    assert of_run(source, tmp_path, standard, layers="[h1]") == [("other-scale", "write `scale: min_max` under `data`")]


def test_settings_of_a_layer_that_comes_from_a_run_are_refused(source, tmp_path):
    text = (
        DIGITS + SIGMOID.replace("output", "dense: {units: 4, activation: sigmoid, name: h2}, output")
        + f"pretrain: {{from: {source}, method: rbm, per_layer: {{h1: {{epochs: 3}}}}}}\n"
    )  # fmt: skip
    (problem,) = problems_of(text, tmp_path)
    assert problem.message == "`h1` comes from another run, and is not pretrained here"


def test_a_file_of_a_run_is_no_run(source, tmp_path):
    assert of_run(f"{source}/layers.npz", tmp_path) == [("no-run", f"write `from: {source}`")]


# --- while training


def stage_of(text):
    spec = dlspec.load(text)
    return dlspec.plan(spec).pretraining[0]


def test_an_error_that_falls_is_no_divergence():
    stage = stage_of(DIGITS + SIGMOID + "pretrain: {method: autoencoder}\n")
    for losses, diverges in (((5000, 1400), False), ((90, 95), True), ((30, 31), False)):
        rows = [HistoryRow(stage.name, i, loss, None, 0.1) for i, loss in enumerate(losses, start=1)]
        progress = Progress(history=rows, first_loss=21.0)
        if diverges:
            with pytest.raises(dlspec.TrainingError, match="was 21 before the first step, and is 95 in epoch 2"):
                check_progress(stage, progress)
        else:
            check_progress(stage, progress)


def test_a_machine_is_not_stopped_while_its_error_still_falls(tmp_path):
    text = DIGITS + SIGMOID + (
        "pretrain: {method: rbm, epochs: 8, optimizer: {sgd: 0.02}, early_stopping: {monitor: free_energy_gap, "
        "patience: 2}}\ntrain: {epochs: 1}\n"
    )  # fmt: skip
    run = dlspec.run(text, out=tmp_path / "run")
    rows = [row for row in run.history if row["stage"] == "pretrain:h1"]
    errors, gaps = ([row[key] for row in rows] for key in ("val_loss", "free_energy_gap"))
    assert min(gaps) < gaps[-1], "the gap grows from the start"
    assert len(rows) > 3
    assert errors.index(min(errors)) > 1


def test_a_layer_whose_units_are_dead_is_told_about():
    facts = {
        "h1": {"units": 8, "dead_units": 1, "mean_activation": 0.3},
        "h2": {"units": 8, "dead_units": 8, "mean_activation": 0},
    }
    (note,) = dead_layers(facts)
    assert note.startswith("After pretraining 8 of 8 units of `h2` were dead")


def test_names_of_layers_are_no_emoji(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\nname: s\ndata: {dataset: iris}\nmodel: [dense: {units: 4, name: star}, output]\n"
        "pretrain: {method: autoencoder, epochs: 1}\ntrain: {epochs: 1}\n"
    )
    done = dlspec_here("run", "s.yaml", cwd=tmp_path)
    assert "pretrain:star: " in done.stdout


def test_every_layers_own_settings_are_read(tmp_path):
    two = SIGMOID.replace("output", "dense: {units: 4, activation: sigmoid, name: h2}, output")
    text = DIGITS + two + (
        "pretrain:\n  method: rbm\n  per_layer:\n    h1: {epochs: 0}\n    h2: {corruption: masking, weight_decay: -1}\n"
    )  # fmt: skip
    assert [(p.span.line, p.code) for p in problems_of(text, tmp_path)] == [
        (8, "out-of-range"), (9, "unknown-key"), (9, "out-of-range"),
    ]  # fmt: skip
