"""A network that tags words: trained, judged, saved, taken up again, and asked for the tags of new texts."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.evaluation.spans import count_spans
from dlspec.language.diagnostics.errors import DataError
from tests.trained import StopAfter

SPEC = """\
dlspec: 1
name: tiny_tags
seed: 3
data:
  table: notes.csv
  target: {tags: {sequence: " "}}
  features: {said: {text: {length: 9, words: 24}}}
model:
  - embedding: 8
  - bidirectional: {gru: {units: 8, return_sequences: true}}
  - output
train: {optimizer: {adam: 0.02}, epochs: 8, batch_size: 16}
"""
LENGTH = 9


def notes():
    """Sentences in which `May` is a person or a month; some are longer than what the network sees."""
    random = np.random.default_rng(2)

    def one():
        name, rest = random.choice(["May", "June", "Ann"]), f"X{random.integers(60)}"
        full = random.random() < 0.3
        person, of_person = (f"{name} {rest}", "B-PER I-PER") if full else (name, "B-PER")
        month = random.choice(["May", "June", "April"])
        return [
            (f"{person} sang .", f"{of_person} O O"),
            (f"We met {person} in {month} .", f"O O {of_person} O B-DATE O"),
            (f"in {month} , in {month} and in {month} came {person}", f"O B-DATE O O B-DATE O O B-DATE O {of_person}"),
            (f"{name} is late", "B-PER O O"),
            (f"{month} is late", "B-DATE O O"),
        ][random.integers(5)]

    return [one() for _ in range(240)]


def table(rows):
    return "said,tags\n" + "".join(f'"{said}",{tags}\n' for said, tags in rows)


@pytest.fixture(scope="session")
def tags_run(tmp_path_factory):
    home = tmp_path_factory.mktemp("tags")
    (home / "notes.csv").write_text(table(notes()), encoding="utf-8")
    (home / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return dlspec.run(home / "spec.yaml", out=home / "run")


def held_out(run):
    """The texts and tags of the test part, as lists of words."""
    rows = [notes()[row] for row in run.predictions["row"]]
    return [said.split() for said, _ in rows], [tags.split() for _, tags in rows]


def test_it_beats_the_tag_that_each_word_mostly_has_and_is_what_was_saved(tags_run):
    metrics = tags_run.metrics
    assert metrics.saved_model.same
    assert metrics.verdict.outcome == "better"
    assert metrics.verdict.against == "word_majority"
    scores = {name: own["accuracy"] for name, own in metrics.scores().items()}
    assert scores["majority"] < scores["word_majority"] < scores["network"]
    assert [*metrics.test] == ["span_f1", "span_precision", "span_recall", "accuracy", "log_loss"]
    low, high = metrics.test_intervals["span_f1"]
    assert low < metrics.test["span_f1"] < high
    assert [*metrics.by_span] == ["DATE", "PER"]
    assert metrics.by_class["O"].samples == sum(tags[:LENGTH].count("O") for tags in held_out(tags_run)[1])


@pytest.mark.slow
def test_the_saved_model_is_plain_keras(tags_run, tmp_path):
    """In a process without dlspec, from raw text."""
    said = [[" ".join(words)] for words in held_out(tags_run)[0]]
    code = (
        "import keras, numpy as np, sys, tensorflow as tf\n"
        "assert 'dlspec' not in sys.modules\n"
        f"model = keras.models.load_model({str(tags_run.folder / 'model.keras')!r})\n"
        f"np.save('found.npy', np.array(model({{'said': tf.constant({said!r})}})))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, capture_output=True)
    own = tags_run.model.predict_on_batch({"said": np.array(said, object)})
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), own, atol=1e-6)


def test_metrics_are_those_of_the_saved_model(tags_run):
    """By hand, from raw text; words beyond the ninth count nowhere."""
    texts, tags = held_out(tags_run)
    said = np.array([[" ".join(words)] for words in texts], object)
    found, classes = np.asarray(tags_run.model.predict_on_batch({"said": said})), tags_run.data.target.classes
    assert found.shape == (len(texts), LENGTH, len(classes))
    shares = [own[: min(LENGTH, len(words))] for own, words in zip(found, texts, strict=True)]
    guesses = [[classes[place] for place in own.argmax(axis=-1)] for own in shares]
    right = [
        one == other for own, true in zip(guesses, tags, strict=True) for one, other in zip(own, true, strict=False)
    ]
    test = tags_run.metrics.test
    assert np.mean(right) == pytest.approx(test["accuracy"], abs=1e-9)
    given = [own[i][classes.index(true[i])] for own, true in zip(shares, tags, strict=True) for i in range(len(own))]
    assert -np.mean(np.log(given)) == pytest.approx(test["log_loss"], rel=1e-4)

    def numbers(rows):
        return np.array([[classes.index(tag) for tag in row[:LENGTH]] + [-1] * (LENGTH - len(row)) for row in rows])

    scores = count_spans(numbers(tags), numbers(guesses), classes).scores()
    assert {name: test[name] for name in scores} == pytest.approx(scores)
    wrong = [
        np.mean([one != other for one, other in zip(*each, strict=False)]) for each in zip(guesses, tags, strict=True)
    ]
    weights = np.array([min(LENGTH, len(words)) for words in texts])
    assert np.allclose(tags_run.predictions["network"], np.array(wrong) * weights / weights.mean())


def test_the_report_says_what_is_cut_and_what_is_not_known(tags_run):
    texts, _ = held_out(tags_run)
    cut = sum(len(words) > LENGTH for words in texts)
    beyond = sum(max(0, len(words) - LENGTH) for words in texts)
    known = {
        *next(layer for layer in tags_run.model.layers if layer.name.startswith("text_vectorization")).get_vocabulary()
    }
    unknown = sum(word not in known for words in texts for word in words[:LENGTH])
    whole = sum(min(LENGTH, len(words)) for words in texts)
    notes = "\n".join(tags_run.metrics.notes)
    assert f"over the {whole} words of {len(texts)} texts" in notes
    assert f"{cut} of these texts are longer than the 9 words that the network sees" in notes
    assert f"the tags of {beyond} words beyond are not judged" in notes
    assert f"{unknown} of these {whole} words are none of the 24 that the training part tells apart" in notes
    page = tags_run.report.read_text(encoding="utf-8")
    assert page.count('class="text tagged"') == 16
    assert "Words and their tags" in page
    assert "F1 of each type of span" in page
    pictures = tags_run.pictures
    assert pictures["tags:confusion"].sum() == whole
    bad = sum(share > 0 for share in tags_run.predictions["network"])
    assert pictures["tags:wrong"].tolist() == [bad, len(texts)]
    assert page.count('<i class="wrong">') == (pictures["tags:truth"] != pictures["tags:network"]).sum()


def test_words_alone_count_in_training_with_and_without_a_mask_of_the_network(tags_run, tmp_path):
    from dlspec.runs.job import load_data, new_network, plan_of
    from dlspec.training.masked import places_of

    counts = []
    for mask_zero in ("false", "true"):
        text = SPEC.replace("embedding: 8", f"embedding: {{output_dim: 8, mask_zero: {mask_zero}}}")
        (tmp_path / "notes.csv").write_text(table(notes()), encoding="utf-8")
        (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
        spec = dlspec.load(tmp_path / "spec.yaml")
        data = load_data(spec)
        counts.append(places_of(new_network(spec, plan_of(spec, data), data), data.validation.inputs).tolist())
        assert counts[-1] == (np.asarray(data.validation.truth) >= 0).sum(axis=1).tolist()
    last = tags_run.history[-1]
    assert last.val_loss == pytest.approx(tags_run.metrics.validation["log_loss"], rel=1e-5)


def test_predict_writes_a_tag_for_each_word(tags_run, tmp_path):
    texts = ["May  sang .", "We met May Qqq in May .", "in May , in May and in May came Ann X1 .", "?"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = tags_run.predict(pd.DataFrame({"said": texts}))["tags"].tolist()
    assert [str(warning.message) for warning in said] == [
        "2 of 20 words are none of the 24 that the network tells apart",
        "1 text is longer than the 9 words that the network sees: `?` stands in place of the tags of the 3 words "
        "beyond",
    ]
    assert [len(tags.split()) for tags in found] == [len(text.split()) for text in texts]
    assert found[0] == "B-PER O O"
    assert found[1] == "O O B-PER I-PER O B-DATE O"
    assert found[2].split()[:3] == ["O", "B-DATE", "O"]
    assert found[2].endswith(" O ? ? ?")
    (tmp_path / "new.csv").write_text('id,said\n7,"May sang ."\n8,\n', encoding="utf-8")
    done = CliRunner().invoke(cli, ["predict", str(tags_run.folder), str(tmp_path / "new.csv")])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["id,said,tags", "7,May sang .,B-PER O O", "8,,"]
    assert "1 of 2 rows have no prediction" in done.stderr


def test_the_sign_of_what_is_not_seen_is_no_tag():
    from dlspec.runs.tagged_words import sign_of_unseen

    assert sign_of_unseen(("O", "B-A")) == "?"
    assert sign_of_unseen(("?", "O", "??")) == "???"


def test_evaluate_judges_other_texts(tags_run, tmp_path):
    rows = [notes()[row] for row in tags_run.predictions["row"]]
    (tmp_path / "same.csv").write_text(table(rows), encoding="utf-8")
    again = dlspec.evaluate(tags_run, tmp_path / "same.csv")
    for name, scores in tags_run.metrics.scores().items():
        assert again.metrics.scores()[name] == pytest.approx(scores, rel=1e-3)
    assert [note for note in again.metrics.notes if "words" in note] == [
        note for note in tags_run.metrics.notes if "words" in note and "texts of `said`" not in note
    ]
    (tmp_path / "more.csv").write_text(
        table([*rows[:20], ("Zed sang", "B-XY O"), ("no tags", ""), ("", "O")]), encoding="utf-8"
    )
    other = dlspec.evaluate(tags_run, tmp_path / "more.csv")
    assert other.judged == 20
    notes_of = "\n".join(other.metrics.notes)
    assert "1 of 23 rows, without the truth" in notes_of
    assert "column `said` lacks a value in row 23" in notes_of
    assert "`B-XY` (1)" in notes_of
    (tmp_path / "uneven.csv").write_text(table([*rows[:9], ("Zed sang", "O")]), encoding="utf-8")
    with pytest.raises(DataError, match="row 10 has 2 words and 1 tag") as error:
        dlspec.evaluate(tags_run, tmp_path / "uneven.csv")
    assert error.value.diagnostics[0].code == "tags-differ"


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_the_same_bits(tags_run, tmp_path, one_step_at_a_time):
    from dlspec.training.progress import Stopped

    spec = tags_run.folder.parent / "spec.yaml"
    with pytest.raises(Stopped):
        dlspec.run(spec, out=tmp_path / "run", listener=StopAfter(30))
    again = dlspec.resume(tmp_path / "run")
    for one, other in zip(tags_run.model.weights, again.model.weights, strict=True):
        assert np.array_equal(one, other)
    assert again.metrics.test == tags_run.metrics.test


def test_what_cannot_be_done_is_refused_by_name(tags_run, tmp_path):
    with pytest.raises(DataError, match="at each place of a sample"):
        dlspec.serve(tags_run)
    with pytest.raises(DataError, match="at each place"):
        dlspec.eject(tags_run.folder.parent / "spec.yaml", out=tmp_path / "a.py")
    with pytest.raises(DataError, match="one at each place"):
        dlspec.export(tags_run, out=tmp_path / "a.html")
    with pytest.raises(DataError, match="at each place"):
        tags_run.predict(pd.DataFrame({"said": ["May"]}), intervals=0.9)


@pytest.mark.slow
def test_two_runs_are_compared_by_accuracy(tags_run, tmp_path):
    worse = dlspec.run(tags_run.folder.parent / "spec.yaml", {"train.epochs": 1}, out=tmp_path / "worse")
    (pair,) = dlspec.compare(tags_run, worse).found.pairs
    assert pair.verdict.outcome == "worse"
    assert pair.verdict.gain == pytest.approx(worse.metrics.test["accuracy"] - tags_run.metrics.test["accuracy"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tags.keras", "tags.onnx", "tags.tflite"])
def test_it_is_taken_away(tags_run, tmp_path, name):
    assert dlspec.export(tags_run, out=tmp_path / name).exists()


@pytest.mark.slow
def test_engines_give_the_same_losses(tags_run, tmp_path, monkeypatch):
    from dlspec.training.engines.choice import TensorFlowRuns

    def losses(name, **change):
        found = dlspec.run(tags_run.folder.parent / "spec.yaml", {"train.epochs": 2, **change}, out=tmp_path / name)
        return [(row.loss, row.val_loss) for row in found.history]

    plain = losses("plain")
    compiled = losses("compiled", **{"runtime.xla": "on"})
    monkeypatch.setattr(TensorFlowRuns, "fits", lambda self, task: False)
    steps = losses("steps")
    assert np.allclose(plain, compiled, rtol=1e-4)
    assert np.allclose(plain, steps, rtol=1e-4)


@pytest.mark.slow
def test_two_tags_weights_of_tags_and_folds(tmp_path):
    """One sigmoid unit at each word; `balanced` weighs words, and each fold counts its own vocabulary."""
    rows = [(said, " ".join("X" if tag == "B-DATE" else "O" for tag in tags.split())) for said, tags in notes()]
    (tmp_path / "notes.csv").write_text(table(rows), encoding="utf-8")
    spec = SPEC.replace("  target", "  split: {folds: 3}\n  target").replace(
        "train: {", "train: {class_weight: balanced, "
    )
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    assert run.metrics.saved_model.same
    assert [*run.metrics.test] == ["f1_score", "accuracy", "log_loss"]
    assert run.metrics.folds.verdict.outcome == "better"
    assert run.model.output_shape == (None, LENGTH, 1)
    assert "F1 of each tag" in run.report.read_text(encoding="utf-8")
    found = run.predict(pd.DataFrame({"said": ["We met May in May ."]}))["tags"][0]
    assert found == "O O O O X O"


GRU = "gru: {units: 8, return_sequences: true}"
LOSSES = [
    "sparse_categorical_crossentropy", "categorical_focal_crossentropy", "dice", "{dice: {axis: -1}}", "tversky",
    "{sparse_categorical_crossentropy: {reduction: sum}}",
]  # fmt: skip


def steps_of(folder, loss, length, engine):
    """Losses of three steps, the loss of all and the weights after them, where texts are padded to a length."""
    from dlspec.runs.job import load_data, new_network, plan_of
    from dlspec.training.engines.base import StepByStep
    from dlspec.training.engines.tensorflow import TensorFlowEngine
    from dlspec.training.masked import keep_mask
    from dlspec.training.stage_data import encoded_targets
    from dlspec.training.values import as_array

    text = SPEC.replace("length: 9", f"length: {length}").replace("epochs: 8", f"loss: {loss}, epochs: 1")
    text = text.replace("bidirectional: {gru: {units: 8, return_sequences: true}}", GRU)
    (folder / "notes.csv").write_text(table([row for row in notes() if len(row[0].split()) < 9]), encoding="utf-8")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    spec = dlspec.load(folder / "spec.yaml")
    data = load_data(spec)
    network = new_network(spec, plan_of(spec, data), data)
    network.compile(optimizer="sgd", loss=spec.train.loss.build())
    keep_mask(network, data.signature.target, spec.train.loss)
    y = np.asarray(encoded_targets(data.train, spec.train.loss, data.signature.target, network)[:])
    x = np.asarray(data.train.inputs)
    made = {"keras": StepByStep, "tensorflow": TensorFlowEngine}[engine](network, x, y, None, 8)
    losses, held_out = np.asarray(made.run(np.arange(len(x)), 0, 3)), made.loss(x, y)
    made.close()
    return losses, held_out, [as_array(weight) for weight in network.weights]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.slow
def test_more_padding_changes_no_loss_and_no_step(tmp_path, loss):
    given = [steps_of(tmp_path, loss, length, engine) for engine in ("keras", "tensorflow") for length in (8, 13)]
    for losses, held_out, weights in given[1:]:
        np.testing.assert_allclose(losses, given[0][0], rtol=1e-4)
        assert held_out == pytest.approx(given[0][1], rel=1e-4)
        for one, other in zip(weights, given[0][2], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
