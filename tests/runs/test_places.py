"""A class or a number at each place of a sample: from the file to the report."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import dlspec
from dlspec.data.preparation.places import steps_ahead
from dlspec.evaluation.scores import Scorer, counted_places
from dlspec.evaluation.verdict import losses
from dlspec.language.diagnostics.errors import DataError, SavedModelError, SpecError
from dlspec.runs.job import load_data

RANDOM = np.random.default_rng(0)
MASKS = "  - conv2d: {filters: 6, kernel_size: 3, padding: same, activation: relu}\n  - output\n"


def pictures(count=120, size=8, classes=3):
    """Squares of some gray, and the class of each pixel."""
    random = np.random.default_rng(1)
    y = np.zeros((count, size, size), "uint8")
    for own in y:
        for label in range(1, classes):
            row, column = random.integers(0, size - 3, 2)
            own[row : row + 3, column : column + 3] = label
    x = y[..., None] / classes + random.normal(0, 0.05, (*y.shape, 1))
    return x.astype("float32"), y


def videos(count=100):
    """A bar that moves a step in each frame, and the frame that comes next."""
    random = np.random.default_rng(2)
    frames = np.zeros((count, 5, 6, 6, 1), "float32")
    for own in frames:
        first, row = random.integers(0, 6), random.integers(0, 5)
        for t in range(5):
            own[t, row : row + 2, (first + t) % 6] = 1
    return frames[:, :4], frames[:, 4] * 200 + 20


def sequences(count=150, timesteps=10):
    """Numbers, and at each timestep whether their running sum is above zero."""
    x = np.random.default_rng(3).normal(size=(count, timesteps, 2)).astype("float32")
    return x, (x[..., 0].cumsum(axis=1) > 0).astype("int64")


def spec_of(folder, arrays, kind, layers, more="", name="it"):
    x, y = arrays
    np.savez(folder / f"{name}.npz", x=x, y=y)
    text = f"dlspec: 1\nseed: 1\ndata: {{arrays: {name}.npz, target: {{y: {kind}}}{more}}}\nmodel:\n{layers}"
    file = folder / f"{name}.yaml"
    file.write_text(f"{text}train: {{epochs: 6, batch_size: 16, optimizer: {{adam: 0.02}}}}\n")
    return file


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Finished runs by name, each trained once."""
    folder, runs = tmp_path_factory.mktemp("places"), {}
    wanted = {
        "masks": (pictures, "category", MASKS),
        "two": (lambda: (pictures()[0], pictures(classes=3)[1][..., None] == 1), "category", MASKS),
        "frames": (videos, "numeric", "  - conv_lstm2d: {filters: 4, kernel_size: 3, padding: same}\n  - output\n"),
        "steps": (sequences, "category", "  - lstm: {units: 6, return_sequences: true}\n  - output\n"),
    }

    def get(name):
        if name not in runs:
            arrays, kind, layers = wanted[name]
            file = spec_of(folder, arrays(), kind, layers, name=name)
            runs[name] = dlspec.run(file, out=folder / f"run_{name}")
        return runs[name]

    return get


SHAPES = {"masks": (8, 8, 3), "two": (8, 8, 1), "frames": (6, 6, 1), "steps": (10, 1)}


@pytest.mark.everyday(2)
@pytest.mark.parametrize("name", SHAPES)
def test_a_run_is_whole(made, name):
    run = made(name)
    assert run.graph.output_shape == (None, *SHAPES[name])
    assert run.metrics.saved_model.same
    assert run.data.target.places == ((6, 6, 1) if name == "frames" else SHAPES[name][:-1])
    table = run.predictions
    assert len(table) == run.data.parts.test
    assert {"network", *run.metrics.baselines} <= {*table}
    assert "Truth" in run.report.read_text(encoding="utf-8")


def test_metrics_are_means_over_places(made):
    run = made("masks")
    x, y = pictures()
    rows = run.predictions["row"].to_numpy()
    shares = np.asarray(run.model.predict_on_batch(x[rows]))
    right = shares.argmax(axis=-1) == y[rows]
    assert run.metrics.test["accuracy"] == pytest.approx(right.mean())
    assert run.predictions["network"].to_numpy() == pytest.approx(1 - right.mean(axis=(1, 2)))
    overlaps = [
        ((shares.argmax(axis=-1) == i) & (y[rows] == i)).sum() / ((shares.argmax(axis=-1) == i) | (y[rows] == i)).sum()
        for i in range(3)
    ]
    assert run.metrics.test["mean_iou"] == pytest.approx(np.mean(overlaps))
    assert run.metrics.test["accuracy"] > run.metrics.baselines["majority"]["accuracy"]


def test_numbers_come_back_in_units_and_the_last_frame_is_a_guess(made):
    run = made("frames")
    x, y = videos()
    rows = run.predictions["row"].to_numpy()
    found = np.asarray(run.model.predict_on_batch(x[rows]))
    assert found.shape == y[rows].shape
    assert run.metrics.test["rmse"] == pytest.approx(((found - y[rows]) ** 2).mean() ** 0.5)
    last = (x[rows, -1] - y[rows]) ** 2
    assert run.metrics.baselines["persistence"]["rmse"] == pytest.approx(last.mean() ** 0.5)
    of_each = np.asarray(load_data(run.spec).train.truth).mean(axis=0)
    assert run.metrics.baselines["mean"]["rmse"] == pytest.approx(((of_each - y[rows]) ** 2).mean() ** 0.5)


@pytest.mark.parametrize(("name", "arrays"), [("masks", pictures), ("frames", videos), ("steps", sequences)])
def test_predict_and_evaluate_take_new_files(made, tmp_path, name, arrays):
    run = made(name)
    x, y = (values[:20] for values in arrays())
    np.savez(tmp_path / "new.npz", x=x, y=y)
    dlspec.predict(run.folder, tmp_path / "new.npz", out=tmp_path / "new.csv")
    with (tmp_path / "new.csv").open() as opened:
        header, *lines = csv.reader(opened)
    assert header[:2] == ["row", f"y[{','.join('0' * (y.ndim - 1))}]"]
    shown = np.array([line[1:] for line in lines])
    assert shown.shape == (20, y[0].size)
    evaluated = dlspec.evaluate(run.folder, tmp_path / "new.npz")
    if name == "frames":
        error = ((shown.astype("float64").reshape(y.shape) - y) ** 2).mean() ** 0.5
        assert evaluated.metrics.test["rmse"] == pytest.approx(error)
    else:
        assert evaluated.metrics.test["accuracy"] == pytest.approx((shown == y.reshape(20, -1).astype(str)).mean())
    assert list(evaluated.predictions["row"]) == list(range(20))


def test_an_export_gives_the_same_and_the_rest_is_refused_by_name(made, tmp_path):
    run = made("masks")
    dlspec.export(run.folder, out=tmp_path / "m.onnx")
    receipt = json.loads((tmp_path / "m.onnx.receipt.json").read_text())
    assert receipt
    signature = json.loads((tmp_path / "m.onnx.signature.json").read_text())
    assert signature["outputs"]["places"] == [8, 8]
    for call, code in (
        (lambda: dlspec.export(run.folder, out=tmp_path / "m.html", format="web"), "cannot-export"),
        (lambda: dlspec.serve(run.folder, port=0), "cannot-serve"),
        (lambda: dlspec.eject(run.folder, out=tmp_path / "m.py"), "cannot-eject"),
        (lambda: dlspec.predict(run.folder, run.folder.parent / "masks.npz", intervals=0.9, out=tmp_path / "p.csv"),
         "no-intervals"),
    ):  # fmt: skip
        with pytest.raises(DataError) as caught:
            call()
        assert caught.value.diagnostics[0].code == code


def test_samples_and_not_places_are_drawn_again(made):
    run = made("masks")
    low, high = run.metrics.test_intervals["accuracy"]
    tests, share = run.data.parts.test, run.metrics.test["accuracy"]
    of_places = 1.96 * (share * (1 - share) / (tests * 64)) ** 0.5
    assert low < share < high
    assert high - low > 2 * of_places


WRONG = [
    ("category", "  - lstm: 8\n  - output\n", "output-mismatch", "return_sequences: true"),
    ("category", "  - flatten\n  - output\n", "output-mismatch", "remove `flatten_1`"),
    ("category", "  - conv1d: {filters: 4, kernel_size: 3}\n  - output\n", "output-mismatch", "padding: same"),
    ("numeric", "  - flatten\n  - output\n", "output-mismatch", "leave `target` out"),
]


@pytest.mark.parametrize(("kind", "layers", "code", "cure"), WRONG)
def test_a_network_that_loses_places_is_refused_with_the_cure(tmp_path, kind, layers, code, cure):
    (problem,) = dlspec.validate(spec_of(tmp_path, sequences(), kind, layers))
    assert problem.code == code
    assert cure in problem.help


def test_rank_decides_what_a_y_of_two_axes_is(tmp_path):
    x = RANDOM.normal(size=(80, 4, 3)).astype("float32")
    y = np.eye(4, dtype=int)[RANDOM.integers(0, 4, 80)]
    one = spec_of(tmp_path, (x, y), "category", "  - lstm: 4\n  - output\n")
    assert dlspec.graph(dlspec.load(one)).output_shape == (None, 4)
    both = spec_of(tmp_path, (x, y), "category", "  - lstm: {units: 4, return_sequences: true}\n  - output\n")
    (problem,) = dlspec.validate(both)
    assert problem.code == "ambiguous-target"
    assert "return_sequences: false" in problem.help
    assert "(samples, 4, 1)" in problem.help
    at_each = spec_of(tmp_path, (x, y[..., None]), "category",
                      "  - lstm: {units: 4, return_sequences: true}\n  - output\n")  # fmt: skip
    assert dlspec.graph(dlspec.load(at_each)).output_shape == (None, 4, 1)


def test_values_of_the_last_axis_are_units_where_the_layer_below_has_no_axis_for_them(tmp_path):
    x = RANDOM.normal(size=(80, 5, 3)).astype("float32")
    file = spec_of(tmp_path, (x, x * 2), "numeric", "  - lstm: {units: 4, return_sequences: true}\n  - output\n")
    run = dlspec.run(file, out=tmp_path / "run")
    assert run.graph.output_shape == (None, 5, 3)
    assert np.asarray(run.model.predict_on_batch(x[:2])).shape == (2, 5, 3)


def test_fractions_are_no_classes(tmp_path):
    x, _ = sequences()
    layers = "  - lstm: {units: 4, return_sequences: true}\n  - output\n"
    (problem,) = dlspec.validate(spec_of(tmp_path, (x, x[..., 0]), "category", layers))
    assert problem.code == "wrong-value"
    assert "numeric" in problem.help


def test_classes_as_columns_of_ones_are_told_to_be_numbers(tmp_path):
    x, _ = sequences()
    layers = "  - lstm: {units: 4, return_sequences: true}\n  - output\n"
    (problem,) = dlspec.validate(spec_of(tmp_path, (x, np.eye(3, dtype=int)[(x[..., 0] > 0) * 2]), "category", layers))
    assert problem.code == "output-mismatch"
    assert "y.argmax(axis=-1)" in problem.help


def test_classes_weigh_at_each_place(tmp_path):
    from dlspec.training.stage_data import sample_weights

    file = spec_of(tmp_path, pictures(), "category", MASKS)
    spec = dlspec.load(file, {"train.class_weight": "balanced"})
    data = load_data(spec)
    weights, truth = sample_weights(spec.train, data), np.asarray(data.train.truth)
    assert weights.shape == truth.shape
    sums = [weights[truth == label].sum() for label in range(3)]
    assert sums == pytest.approx([sums[0]] * 3, rel=1e-3)


@pytest.mark.slow
def test_folds_and_pretraining_go_with_places(tmp_path):
    text = "  - conv2d: {filters: 4, kernel_size: 3, padding: same, activation: sigmoid}\n  - output\n"
    file = spec_of(tmp_path, pictures(60), "category", text, ", split: {folds: 2}")
    file.write_text(file.read_text() + "pretrain: {method: autoencoder, epochs: 1}\n")
    run = dlspec.run(file, {"train.epochs": 1}, out=tmp_path / "run")
    assert len(run.metrics.folds.parts) == 2
    assert all(saved.same for saved in run.metrics.folds.saved_models if saved is not None)
    with pytest.raises(SpecError, match="one answer for a sample"):
        dlspec.load(file, {"pretrain.method": "supervised"})


def test_a_place_that_does_not_count_has_no_part():
    truth = np.array([[0, 1, -1], [1, -1, -1]], "int32")
    shares = np.eye(2)[np.array([[0, 0, 1], [1, 0, 0]])]
    assert [len(values) for values in counted_places(truth, shares)] == [3, 3]
    found = losses("class", truth, shares)
    assert found.mean() == pytest.approx(1 / 3)
    numbers = np.array([[1.0, np.nan], [2.0, 4.0]])
    assert losses("number", numbers, np.zeros((2, 2))).mean() == pytest.approx((1 + 4 + 16) / 3)


def test_shifted_arrays_are_known(tmp_path):
    walk = RANDOM.normal(size=(60, 9, 1)).cumsum(axis=1)
    assert steps_ahead(walk[:, :-1], walk[:, 1:, 0]) == 1
    assert steps_ahead(walk[:, :-1], walk[:, :-1]) == 0
    arrays = walk[:, :-1].astype("float32"), walk[:, 1:].astype("float32")
    ahead = spec_of(
        tmp_path, arrays, "numeric", "  - conv1d: {filters: 4, kernel_size: 3, padding: same}\n  - output\n"
    )
    with pytest.raises(DataError, match="conv1d_1") as caught:
        dlspec.run(ahead, out=tmp_path / "ahead")
    assert caught.value.diagnostics[0].code == "sees-the-answer"
    past = spec_of(
        tmp_path, arrays, "numeric", "  - conv1d: {filters: 4, kernel_size: 3, padding: causal}\n  - output\n"
    )
    run = dlspec.run(past, out=tmp_path / "past")
    assert run.metrics.past_alone.holds
    rows = run.predictions["row"].to_numpy()
    last = ((arrays[0] - arrays[1])[rows] ** 2).mean() ** 0.5  # what is seen at the timestep itself
    assert run.metrics.baselines["persistence"]["rmse"] == pytest.approx(last, rel=1e-5)
    evaluated = dlspec.evaluate(run.folder, tmp_path / "it.npz")
    everywhere = ((arrays[0] - arrays[1]) ** 2).mean() ** 0.5
    assert evaluated.metrics.baselines["persistence"]["rmse"] == pytest.approx(everywhere, rel=1e-5)


def test_answers_that_stand_later_in_what_is_seen_are_known():
    x = RANDOM.normal(size=(300, 9, 3))
    later = np.concatenate([x[:, 2:], RANDOM.normal(size=(300, 2, 3))], axis=1)
    assert steps_ahead(x.astype("float32"), later) == 2
    assert steps_ahead(x, later[..., 1]) == 2  # one column of several
    assert steps_ahead(x, later[..., [2, 0]].astype("float32")) == 2
    assert steps_ahead(x, np.stack([later[..., 0], x[..., 1] ** 2], axis=-1)) == 0
    assert steps_ahead(x, later[:, ::-1]) == 0
    later[290, 0, 1] += 1
    assert steps_ahead(x, later[..., 1]) == 0
    tokens = RANDOM.integers(0, 30, (200, 8))
    assert steps_ahead(tokens[:, :-1], tokens[:, 1:]) == 1
    frames = RANDOM.integers(0, 2, (40, 7, 5, 5, 1)).astype("uint8")
    assert steps_ahead(frames[:, :-1], frames[:, 1:, ..., 0]) == 1
    assert steps_ahead(frames[:, :-1], frames[:, -1]) == 0
    frames[:32, :, 2:] = 0  # pixels that are the same in the first samples
    assert steps_ahead(frames[:, :-1], frames[:, 1:]) == 1
    nothing = np.zeros((50, 6, 1))
    assert steps_ahead(nothing, nothing) == 0


@pytest.mark.slow
def test_words_are_changed_for_words_that_there_are(tmp_path):
    tokens = np.random.default_rng(7).integers(0, 12, (80, 8))
    layers = (  # where a word is masked, attention is the same to all others, also to later ones
        "  - embedding: {input_dim: 12, output_dim: 4, mask_zero: true}\n"
        "  - skip: [{multi_head_attention: {num_heads: 1, key_dim: 4, use_causal_mask: true}}]\n  - output\n"
    )
    file = spec_of(tmp_path, (tokens[:, :-1], tokens[:, 1:]), "category", layers, ", scale: none")
    assert dlspec.run(file, {"train.epochs": 1}, out=tmp_path / "run").metrics.past_alone.holds


def test_a_network_that_sees_later_timesteps_ends_the_run(tmp_path, monkeypatch):
    from dlspec.runs import past_check

    walk = RANDOM.normal(size=(60, 9, 1)).cumsum(axis=1).astype("float32")
    file = spec_of(tmp_path, (walk[:, :-1], walk[:, 1:]), "numeric",
                   "  - conv1d: {filters: 4, kernel_size: 3, padding: same}\n  - output\n")  # fmt: skip
    monkeypatch.setattr(past_check, "looks_ahead", lambda graph: None)  # as if the layer had said so
    with pytest.raises(SavedModelError) as caught:
        dlspec.run(file, out=tmp_path / "run")
    assert caught.value.diagnostics[0].code == "sees-the-answer"
    assert not dlspec.open_run(tmp_path / "run").metrics.past_alone.holds


def test_scores_of_some_samples_are_those_of_their_places(made):
    run = made("steps")
    data = load_data(run.spec)
    truth = np.asarray(data.test.truth).copy()
    truth[0] = -1
    part = replace(data.test, truth=truth)
    guess = np.eye(2)[np.zeros(truth.shape, int)]
    scorer = Scorer(run.spec.evaluate.metrics, data, part)
    own = scorer.scores(guess, np.array([0, 1]))
    assert own["accuracy"] == pytest.approx((truth[1] == 0).mean())


def padded(timesteps, kind):
    """Sequences of 3 to 8 timesteps, with zeros behind them, and the same answers whatever the padding."""
    random = np.random.default_rng(5)
    lengths, values = random.integers(3, 9, 80), random.normal(size=(80, 8, 2)).astype("float32")
    x = np.zeros((80, timesteps, 2), "float32")
    y = np.zeros((80, timesteps), "int64" if kind == "category" else "float32")
    for own, answers, length, given in zip(x, y, lengths, values, strict=True):
        own[:length] = given[:length]
        answers[:length] = (given[:length, 0].cumsum() > 0) + 1 if kind == "category" else given[:length, 1] * 3 + 7
    return x, y


def test_zeros_that_are_scaled_are_not_masked_and_the_run_says_so(tmp_path):
    layers = "  - masking\n  - lstm: {units: 4, return_sequences: true}\n  - output\n"
    file = spec_of(tmp_path, padded(8, "category"), "category", layers)
    with pytest.raises(DataError, match="masking_1") as caught:
        dlspec.run(file, out=tmp_path / "run")
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.span.line) == ("masking-after-scale", 5)
    assert "scale: none" in problem.help


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["category", "numeric"])
def test_a_longer_padding_changes_no_figure(tmp_path, kind):
    layers = "  - masking\n  - lstm: {units: 4, return_sequences: true}\n  - dropout: 0.0\n  - output\n"
    runs = []
    for timesteps in (8, 13):
        file = spec_of(tmp_path, padded(timesteps, kind), kind, layers, ", scale: none", name=f"it{timesteps}")
        weigh = {"train.class_weight": "balanced"} if kind == "category" else {}
        overrides = {"train.epochs": 2, "evaluate.baselines": ["majority"] if kind == "category" else ["mean"], **weigh}
        runs.append(dlspec.run(file, overrides, out=tmp_path / f"run{timesteps}"))
    short, long = (run.metrics for run in runs)
    for name, value in short.test.items():
        assert long.test[name] == pytest.approx(value, rel=1e-4)
        assert long.test_intervals[name] == pytest.approx(short.test_intervals[name], rel=1e-3)
    own = {name: scores for scores in short.baselines.values() for name, scores in scores.items()}
    other = {name: scores for scores in long.baselines.values() for name, scores in scores.items()}
    assert other == pytest.approx(own, rel=1e-4)
    losses_of_runs = [[(row.loss, row.val_loss) for row in run.history] for run in runs]
    assert np.array(losses_of_runs[0], float) == pytest.approx(np.array(losses_of_runs[1], float), rel=1e-4)
    judged = [
        dlspec.evaluate(run.folder, tmp_path / f"it{t}.npz").metrics.test for run, t in zip(runs, (8, 13), strict=True)
    ]
    assert judged[0] == pytest.approx(judged[1], rel=1e-4)
