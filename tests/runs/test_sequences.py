"""A network that writes texts of others: trained, judged by what it writes, saved, taken up again, and asked."""

import re
import subprocess
import sys
from itertools import product

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.data.features.shifted import END, FittedShifted, classes_of_texts
from dlspec.data.signature import Target, Written
from dlspec.evaluation.sequences import NOWHERE, edits, exact, write
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.written_texts import texts_of
from tests.commands import dlspec_here
from tests.conftest import ROOT
from tests.trained import StopAfter

SPEC = """\
dlspec: 1
name: tiny_sequences
seed: 2
data:
  table: words.csv
  features: {said: {text: {tokens: characters, length: 6, words: 9}}, last: category}
  target: {back: {sequence: " ", feed_back: so_far}}
model:
  inputs: {source: said, turned: last, so_far: back}
  layers:
    - embedding: {output_dim: 8, mask_zero: true, from: source}
    - gru: {units: 32, name: reader}
    - dense: {units: 8, from: turned}
    - repeat_vector: {n: 5, name: way}
    - embedding: {output_dim: 8, from: so_far, name: before}
    - concatenate: {from: [way, before]}
    - gru: {units: 32, return_sequences: true, state_from: reader}
    - output
train: {optimizer: {adam: 0.02}, epochs: 10, batch_size: 16}
"""
ITEMS = ("a", "B", "07", "가", "x.")


def rows():
    """Two or three items without what stands between them, and a last one that a column says."""
    random = np.random.default_rng(1)
    found = []
    for number in range(260):
        items = random.choice(ITEMS, random.integers(1, 4)).tolist()
        last = ("a", "B")[number % 2]
        found.append({"said": "".join(items), "last": last, "back": " ".join([*items, last])})
    return pd.DataFrame(found)


@pytest.fixture(scope="session")
def sequence_run(tmp_path_factory):
    home = tmp_path_factory.mktemp("sequences")
    rows().to_csv(home / "words.csv", index=False)
    (home / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return dlspec.run(home / "spec.yaml", out=home / "run")


def test_it_writes_better_than_guesses_and_is_what_was_saved(sequence_run):
    metrics = sequence_run.metrics
    assert metrics.saved_model.same
    assert metrics.past_alone.holds
    assert (metrics.verdict.metric, metrics.verdict.outcome) == ("exact match", "better")
    assert metrics.test["exact_match"] > 0.7
    low, high = metrics.test_intervals["exact_match"]
    assert low < metrics.test["exact_match"] < high
    assert {*metrics.baselines} == {"majority", "nearest_text"}
    assert all(own["teacher_forced_accuracy"] is None for own in metrics.baselines.values())


def test_figures_are_those_of_the_texts_that_stand_in_the_table(sequence_run):
    table, test = sequence_run.predictions, sequence_run.metrics.test
    right = table["truth"] == table["written"]
    assert test["exact_match"] == pytest.approx(right.mean())
    assert (table["network"] == 1 - right).all()
    own = rows().iloc[table["row"]]
    assert (table["truth"] == own["back"].to_numpy()).all()
    pairs = [(one.split(), other.split()) for one, other in zip(table["truth"], table["written"], strict=True)]
    changes = sum(levenshtein(*pair) for pair in pairs)
    assert test["edit_distance"] == pytest.approx(changes / sum(len(one) for one, _ in pairs))


def levenshtein(one, other):
    """By its definition."""
    if not one or not other:
        return len(one) + len(other)
    return min(
        levenshtein(one[1:], other) + 1,
        levenshtein(one, other[1:]) + 1,
        levenshtein(one[1:], other[1:]) + (one[0] != other[0]),
    )


@pytest.mark.slow
def test_the_saved_model_writes_with_plain_keras_as_model_txt_shows(sequence_run, tmp_path):
    """The lines of `model.txt`, for the rows of the test part, in a process without dlspec."""
    table = sequence_run.predictions
    own = rows().iloc[table["row"]]
    text = (sequence_run.folder / "model.txt").read_text(encoding="utf-8")
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ") and "predict(" not in line]
    given = {name: [[value] for value in own[name]] for name in ("said", "last")} | {"so_far": [[""]] * len(own)}
    start = [f"rows = {{name: tf.constant(values, 'string') for name, values in {given!r}.items()}}"]
    where = next(i for i, line in enumerate(lines) if line.startswith("predicted ="))
    code = [*lines[:where], *start, *lines[where:], "import sys, json", "assert 'dlspec' not in sys.modules"]
    code += ["json.dump(written, open('written.json', 'w', encoding='utf-8'))", ""]
    script = "\n".join(code).replace('"model.keras"', repr(str(sequence_run.folder / "model.keras")))
    (tmp_path / "run.py").write_text(script, encoding="utf-8")
    subprocess.run([sys.executable, "run.py"], check=True, cwd=tmp_path, capture_output=True)
    written = pd.read_json(tmp_path / "written.json", typ="series", dtype=False)
    assert written.tolist() == table["written"].tolist()


def test_predict_never_asks_for_the_target(sequence_run, tmp_path):
    table = sequence_run.predictions
    own = rows().iloc[table["row"]].reset_index(drop=True)
    found = sequence_run.predict(own[["said", "last"]])
    assert found.columns.tolist() == ["back"]
    assert found["back"].tolist() == table["written"].tolist()
    wrong = sequence_run.predict(own.assign(back="a a a"))  # which is not looked at
    assert wrong["back"].tolist() == table["written"].tolist()
    own.to_csv(tmp_path / "new.csv", index=False)
    done = CliRunner().invoke(cli, ["predict", str(sequence_run.folder), str(tmp_path / "new.csv")])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "said,last,back,predicted back"
    with pytest.raises(DataError, match="no column `said`"):
        sequence_run.predict(own[["last"]])


def test_evaluate_on_a_file_gives_the_figures_of_the_run(sequence_run, tmp_path):
    own = rows().iloc[sequence_run.predictions["row"]]
    own.to_csv(tmp_path / "new.csv", index=False)
    found = dlspec.evaluate(sequence_run, tmp_path / "new.csv")
    assert found.metrics.test == pytest.approx(sequence_run.metrics.test)
    for name, scores in sequence_run.metrics.baselines.items():
        assert found.metrics.baselines[name]["exact_match"] == pytest.approx(scores["exact_match"])
    assert "sequence:written" in found.pictures


def test_what_cannot_be_written_counts_as_wrong(sequence_run, tmp_path):
    """A text with an item that nobody knows, and one that is longer than any that is written."""
    table = pd.DataFrame({"said": ["a", "aaa"], "last": ["a", "a"], "back": ["é", "a a a a a a"]})
    table.to_csv(tmp_path / "new.csv", index=False)
    found = dlspec.evaluate(sequence_run, tmp_path / "new.csv")
    assert found.metrics.test["exact_match"] == 0
    assert found.predictions["truth"].tolist() == ["\ufffd", "a a a a \ufffd"]


def test_loss_is_the_mean_over_items_and_the_end(sequence_run, tmp_path):
    """`val_loss` of the last epoch, out of the probabilities of the saved model behind the true items."""
    from dlspec.runs.job import load_data

    part = load_data(sequence_run.spec).validation
    own = rows().iloc[np.asarray(part.rows)]
    import tensorflow as tf

    names = {"said": "said", "last": "last", "so_far": "back"}
    given = {name: tf.constant([[value] for value in own[column]], "string") for name, column in names.items()}
    shares, truth = np.array(sequence_run.model(given)), np.asarray(part.truth)
    of_true = np.take_along_axis(shares, np.maximum(truth, 0)[..., None], axis=-1)[..., 0]
    expected = -np.log(of_true[truth >= 0]).mean()
    assert sequence_run.history[-1].val_loss == pytest.approx(expected, rel=1e-4)
    assert ((truth >= 0).sum(axis=1) == [len(text.split()) + 1 for text in own["back"]]).all()


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_bits(sequence_run, tmp_path):
    folder = sequence_run.folder.parent
    with pytest.raises(dlspec.Stopped):
        dlspec.run(folder / "spec.yaml", out=tmp_path / "run", listener=StopAfter(50))
    again = dlspec.resume(tmp_path / "run")
    for name in ("trained.weights.h5", "predictions.csv"):
        if (again.folder / name).exists():
            assert (again.folder / name).read_bytes() == (sequence_run.folder / name).read_bytes()
    assert again.metrics.test == sequence_run.metrics.test
    for one, other in zip(again.model.get_weights(), sequence_run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("way", ["export", "serve", "eject"])
def test_what_asks_the_network_once_is_refused_by_name(sequence_run, way, tmp_path):
    from dlspec.deployment.serve import serve

    ways = {
        "export": lambda: dlspec.export(sequence_run, out=tmp_path / "net.onnx"),
        "serve": lambda: serve(sequence_run),
        "eject": lambda: dlspec.eject(sequence_run.folder.parent / "spec.yaml", out=tmp_path / "out.py"),
    }
    with pytest.raises(DataError, match="item by item"):
        ways[way]()


def test_it_is_exported_to_keras(sequence_run, tmp_path):
    dlspec.export(sequence_run, out=tmp_path / "net.keras")
    assert (tmp_path / "net.keras").exists()


def test_the_page_shows_texts_in_and_out(sequence_run):
    page = (sequence_run.folder / "report.html").read_text(encoding="utf-8")
    assert "What it wrote" in page
    assert re.search(r'<tr class="right"><td>[^<]*</td><td>(a|B)</td><td>([^<]*)</td><td>\2</td>', page)
    assert "a text that is written of 5 different items" in page


# --- writing


def target_of(places, beam, classes=5):
    return Target(
        "y", "class", tuple("uexyz"[:classes]), places=(places,), written=Written("characters", "so_far", beam)
    )


def steps(seed, classes):
    """Probabilities that hang on everything that stands before, and a table of all that were asked for."""
    known = {}

    def step(samples, before):
        shares = []
        for sample, text in zip(samples.tolist(), before.tolist(), strict=True):
            random = np.random.default_rng([seed, sample, *[each + 1 for each in text]])
            known[sample, tuple(text)] = random.dirichlet(np.ones(classes))
            shares.append(known[sample, tuple(text)])
        return np.array(shares)

    return step


def probability(step, sample, text):
    found = 1.0
    for place, item in enumerate(text):
        found *= step(np.array([sample]), np.array([text[:place]], "int32").reshape(1, place))[0][item]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_the_likeliest_text_of_all(seed):
    places, classes = 4, 4
    step = steps(seed, classes)
    found = write(step, 3, target_of(places, 200, classes))
    for sample in range(3):
        every = []
        for length in range(1, places + 1):
            for text in product([END, *range(2, classes)], repeat=length):
                if END in text and text.index(END) == length - 1:
                    every.append((probability(step, sample, text), text))
        best = max(every)[1]
        assert [item for item in found[sample].tolist() if item != NOWHERE] == list(best)


def test_a_beam_of_one_takes_the_likeliest_item_at_each_place():
    step = steps(5, 5)
    found = write(step, 4, target_of(6, 1))
    assert np.array_equal(found, write(step, 4, target_of(6, 1)))
    for sample, text in enumerate(found.tolist()):
        for place, item in enumerate(text):
            if item == NOWHERE:
                assert END in text[:place]
                continue
            if place == 5:  # so many items are written at most, and then the end
                assert item == END
                continue
            shares = step(np.array([sample]), np.array([text[:place]], "int32").reshape(1, place))[0]
            assert item == 1 + shares[1:].argmax()  # the unknown item is never written


def test_edit_distances_are_those_of_the_definition():
    random = np.random.default_rng(0)
    texts = ["".join(random.choice([*"xyz"], random.integers(0, 6))) for _ in range(60)]
    truth, written = (
        classes_of_texts(texts[:30], "xyz", "characters", 7),
        classes_of_texts(texts[30:], "xyz", "characters", 7),
    )
    changes, items = edits(truth, written)
    assert changes.tolist() == [levenshtein(one, other) for one, other in zip(texts[:30], texts[30:], strict=True)]
    assert items.tolist() == [len(text) for text in texts[:30]]
    assert exact(truth, truth).all()
    assert exact(truth, written).tolist() == [one == other for one, other in zip(texts[:30], texts[30:], strict=True)]
    assert texts_of(truth, target_of(7, 1)).tolist() == texts[:30]


@pytest.mark.parametrize(
    ("unit", "texts"),
    [
        ("characters", ["aB 고", "", "zz", "a" * 9, "\t\n é"]),
        ("words", ["The dog, the CAT", "", "unknown dog", "a b c d e f g h", "  the   dog "]),
        ("items", ["The, dog 07", "", "the nobody", "1 2 3 4 5 6 7 8", "  dog\tdog\nThe, "]),
    ],
)
def test_what_was_written_is_encoded_by_keras_as_by_numpy(unit, texts):
    import tensorflow as tf

    vocabulary = {"characters": [*"aBz 고"], "words": ["the", "dog", "cat"], "items": ["dog", "The,", "07"]}[unit]
    fitted = FittedShifted("y", tuple(vocabulary), 5, unit, "so_far")
    found = np.array(fitted.connect(tf.constant([[text] for text in texts], "string")))
    np.testing.assert_array_equal(found, fitted.encode(np.array(texts, object)))
    classes = classes_of_texts(texts, vocabulary, unit, 5)
    seen = fitted.encode(np.array(texts, object))
    behind = np.where(classes[:, :-1] > END, classes[:, :-1] + 1, seen[:, 1:])  # each item stands one place further on
    np.testing.assert_array_equal(seen[:, 1:], behind)


@pytest.mark.slow
def test_the_example_learns_to_add(tmp_path):
    run = dlspec.run(ROOT / "specs" / "sums_seq2seq.yaml", out=tmp_path / "run")
    assert run.metrics.test["exact_match"] > 0.95


def test_what_is_not_seen_of_a_text_is_counted(sequence_run, tmp_path):
    pd.DataFrame({"said": ["aBB", "qqB", "aBaBaBaBa"], "last": "a"}).to_csv(tmp_path / "new.csv", index=False)
    done = dlspec_here("predict", str(sequence_run.folder), "new.csv", "--out", "found.csv", cwd=tmp_path)
    said = " ".join((done.stdout + done.stderr).split())
    assert "2 of 12 words or characters in `said` are none of those that the network tells apart" in said
    assert "1 text is longer in `said` than what the network sees" in said
