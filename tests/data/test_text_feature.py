"""Texts of a table as words: how many of each, or which in what order."""

import re

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.features import FEATURES
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from dlspec.runtime.backend import load_keras
from tests.conftest import REAL_DATA, problems_of

ODD = [
    "A good, good film!", "good  film\tbad\nend", "…nicht SCHÖN — Ärger’s “bad”", "영화가 정말 재미있다, 영화!", "",
    "   ", "!!!", "don't stop-it; e.g. [UNK] {x}", "no\u00a0break\u3000wide\x0bvertical\x1cfile", "bad end 10,000 a_b",
    "émile ÉMILE Émile", "z y x w v u", "\u200bzero\ufeff", "tie1 tie2 tie3",
]  # fmt: skip
GOOD, BAD = ["fine", "splendid", "warm"], ["dull", "flat", "grim"]
ROWS = 160


SEQUENCE = "{text: {text: {words: 30, length: 12}}}"


def make_reviews():
    """Texts of two sorts of words, told apart by which of them come more often."""
    random = np.random.default_rng(4)
    texts, labels = [], []
    for _ in range(ROWS):
        good = random.random() < 0.5
        own, other = (GOOD, BAD) if good else (BAD, GOOD)
        words = [*random.choice(own, 4), *random.choice(other, 1), *random.choice(["a", "film", "and", "the"], 5)]
        texts.append(" ".join(random.permutation(words)).capitalize() + ".")
        labels.append("good" if good else "bad")
    return pd.DataFrame({"text": texts, "year": random.integers(1990, 2020, ROWS), "label": labels})


SPEC = """\
dlspec: 1
name: reviews
data:
  table: reviews.csv
  target: label
  features: {text: {text: {words: 30, length: 12}}}
model: [embedding: 6, lstm: 5, output]
train: {epochs: 3, batch_size: 16, optimizer: {adam: 0.02}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    make_reviews().to_csv(folder / "reviews.csv", index=False)
    return folder


@pytest.fixture
def write(folder):
    def to_file(**changes):
        text = SPEC
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new)
        (folder / "s.yaml").write_text(text, encoding="utf-8")
        return folder / "s.yaml"

    return to_file


# --- the same as Keras


@pytest.mark.parametrize("weights", ["binary", "count", "tf_idf"])
@pytest.mark.parametrize(("words", "ngrams"), [(9, 1), (500, 3)])
def test_a_bag_of_words_is_that_of_keras(weights, words, ngrams):
    load_keras()
    import keras

    kind = FEATURES.read({"text": {"words": words, "ngrams": ngrams, "weights": weights}})
    fitted = kind.fit("t", np.array(ODD, object), "standard", "error")
    mode = "multi_hot" if weights == "binary" else weights
    adapted = keras.layers.TextVectorization(max_tokens=words + 1, ngrams=ngrams, output_mode=mode)
    adapted.adapt(ODD)
    assert list(fitted.vocabulary) == adapted.get_vocabulary(include_special_tokens=False)
    more = [*ODD, "never seen words", "good"]
    wanted = np.asarray(adapted(np.array(more)[:, None]))[:, 1:]
    assert fitted.encode(np.array(more, object)) == pytest.approx(wanted, abs=1e-5)
    raw = keras.Input((1,), dtype="string")
    model = keras.Model(raw, fitted.connect(raw))
    assert np.asarray(model(keras.tree.map_structure(_tensor, np.array(more)[:, None]))) == pytest.approx(
        wanted, abs=1e-5
    )


def test_a_sequence_is_that_of_keras():
    load_keras()
    import keras

    fitted = FEATURES.read({"text": {"words": 9, "length": 4}}).fit("t", np.array(ODD, object), "standard", "error")
    adapted = keras.layers.TextVectorization(max_tokens=11, output_sequence_length=4)
    adapted.adapt(ODD)
    assert list(fitted.vocabulary) == adapted.get_vocabulary(include_special_tokens=False)
    wanted = np.asarray(adapted(np.array(ODD)[:, None]))
    assert (fitted.encode(np.array(ODD, object)) == wanted).all()
    raw = keras.Input((1,), dtype="string")
    assert (np.asarray(keras.Model(raw, fitted.connect(raw))(_tensor(np.array(ODD)[:, None]))) == wanted).all()


def _tensor(values):
    import tensorflow as tf

    return tf.constant(values.tolist())


def test_words_in_their_order_end_with_zeros_and_unknown_ones_are_1():
    fitted = FEATURES.read({"text": {"words": 2, "length": 5}}).fit("t", ["b a a", "b c", "a"], "standard", "error")
    assert fitted.vocabulary == ("a", "b")
    assert fitted.encode(np.array(["c B, a!", "", "a a a a a b"], object)).tolist() == [
        [1, 3, 2, 0, 0], [0, 0, 0, 0, 0], [2, 2, 2, 2, 2]
    ]  # fmt: skip


# --- from a spec


def test_an_embedding_knows_as_many_words_as_the_text_has(write):
    spec = dlspec.load(write())
    graph = dlspec.graph(spec)
    assert graph.input_shape == (None, 12)
    assert graph["embedding_1"].parameters == 32 * 6  # no word, an unknown one, and 30 others
    assert re.search("input_dim: 32 +# from the data", dlspec.resolve(spec))
    nested = write(a=("[embedding: 6,", "[repeat: {times: 1, layers: [dropout: 0, embedding: 6]},"))
    assert [p.code for p in dlspec.validate(nested)] == ["wrong-input-type"]
    nested = write(a=("[embedding: 6,", "[branches: {paths: [[embedding: 6], [embedding: 3]]},"))
    assert dlspec.resolve(dlspec.load(nested)).count("input_dim: 32 ") == 2


def test_a_network_reads_texts(write, tmp_path):
    run = dlspec.run(write(), out=tmp_path / "run")
    assert run.metrics.test["accuracy"] > 0.9
    assert run.metrics.baselines["linear"]["accuracy"] > 0.9  # of counted words
    frame = make_reviews()
    predicted = run.predict(frame)
    assert list(predicted["label"][run.predictions["row"]]) == [
        "good" if p > 0.5 else "bad" for p in run.predictions["p(good)"]
    ]
    assert predicted["label=good"][run.predictions["row"]].to_numpy() == pytest.approx(
        run.predictions["p(good)"].to_numpy(), abs=1e-5
    )
    assert "words on average, 10 at most" in run.report.read_text(encoding="utf-8")
    assert dlspec.load(run.folder / "resolved.yaml").model.layers[0].input_dim == 32
    assert run.graph["embedding_1"].parameters == 32 * 6
    frame.drop(columns="label").to_json(tmp_path / "new.jsonl", orient="records", lines=True)
    assert dlspec.predict(run, tmp_path / "new.jsonl", tmp_path / "out.jsonl") == ROWS
    assert list(pd.read_json(tmp_path / "out.jsonl", lines=True)["label"]) == list(predicted["label"])
    assert run.predict({"text": ["?", "영화"]}).notna().all(axis=None)  # no word, and an unknown one
    (tmp_path / "half.jsonl").write_text('{"text": "\\ud83d\\ude00"}\n{"text": "\\ud83d"}', encoding="utf-8")
    with pytest.raises(DataError, match=r"line 2 of .* has half a character"):
        dlspec.predict(run, tmp_path / "half.jsonl", tmp_path / "out2.jsonl")


def test_counted_words_stand_beside_other_features(write, tmp_path):
    path = write(
        a=(SEQUENCE, "{text: {text: {words: 8, ngrams: 2, weights: tf_idf}}, year: numeric}"),
        b=("[embedding: 6, lstm: 5, output]", "[dense: 4, output]"),
    )
    run = dlspec.run(path, out=tmp_path / "run")
    assert run.data.input_shape == (9,)
    predicted = run.predict(make_reviews())["label=good"].to_numpy()
    assert predicted[run.predictions["row"]] == pytest.approx(run.predictions["p(good)"].to_numpy(), abs=1e-5)


def test_a_sequence_and_numbers_have_inputs_of_their_own(write, tmp_path):
    path = write(
        a=("length: 12}}}", "length: 12}}, year: numeric}"),
        b=(
            "[embedding: 6, lstm: 5, output]",
            "{inputs: {words: [text], rest: [year]}, layers: ["
            "embedding: {output_dim: 6, from: words, mask_zero: true}, {lstm: {units: 3, name: read}}, "
            "{dense: {units: 2, from: rest, name: other}}, concatenate: {from: [read, other]}, output]}",
        ),
    )
    run = dlspec.run(path, out=tmp_path / "run")
    predicted = run.predict(make_reviews())["label=good"].to_numpy()
    assert predicted[run.predictions["row"]] == pytest.approx(run.predictions["p(good)"].to_numpy(), abs=1e-5)


def test_texts_are_features_where_they_are_named(write):
    path = write(a=(SEQUENCE, "[text, year]"), b=("embedding: 6, lstm: 5,", ""))
    assert dlspec.load(path).data.features["text"].words == 2000
    path = write(a=(f"  features: {SEQUENCE}\n", ""), b=("embedding: 6, lstm: 5,", ""))
    assert list(dlspec.load(path).data.features) == ["year"]


def test_the_vocabulary_is_that_of_the_training_part(write, folder, tmp_path):
    data = load_data(dlspec.load(write()))
    frame = make_reviews()
    frame.loc[data.test.rows, "text"] = "Atlantis atlantis " + frame["label"]
    frame.to_csv(tmp_path / "reviews.csv", index=False)
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    other = load_data(dlspec.load(tmp_path / "s.yaml"))
    assert other.preprocessing.columns == data.preprocessing.columns
    assert set(other.test.inputs[:, 0]) == {1}


def test_missing_texts(tmp_path):
    frame = make_reviews()
    frame.loc[3, "text"] = ""
    frame.loc[4, "text"] = "NA"  # a word, and nothing missing
    frame.to_csv(tmp_path / "reviews.csv", index=False)
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    with pytest.raises(DataError, match="`text` lacks a value in row 4"):
        load_data(dlspec.load(tmp_path / "s.yaml"))
    assert len(load_data(dlspec.load(tmp_path / "s.yaml", overrides={"data.missing": "drop"})).columns["text"]) == ROWS
    kept = load_data(dlspec.load(tmp_path / "s.yaml", overrides={"data.missing": "median"}))
    whole = [part.inputs[part.rows == 3] for part in (kept.train, kept.validation, kept.test)]
    assert np.concatenate(whole).tolist() == [[0] * 12]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ([("length: 12}}}", "length: 12}}, year: numeric}")], "wrong-value", "cannot stand beside other features"),
        ([("embedding: 6, lstm: 5, output", "dense: 5, output")], "wrong-input-type", "`dense` takes quantities"),
        ([("embedding: 6,", "embedding: {input_dim: 9, output_dim: 6},")], "out-of-range", "go up to 31"),
        ([("length: 12", "length: 12, ngrams: 2")], "wrong-value", "which has no `ngrams`"),
        ([(SEQUENCE, "{year: text, text: numeric}")], "wrong-value", "`numeric` takes numbers"),
        ([(SEQUENCE, "[year]")], "missing-key", "needs `input_dim`"),
    ],
)
def test_mistakes_are_named(folder, changes, code, message):
    text = SPEC
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    found = [(p.code, message in p.message) for p in problems_of(text, folder)]
    assert (code, True) in found, found


def test_texts_without_words_are_named(tmp_path):
    make_reviews().assign(text="!!!").to_csv(tmp_path / "reviews.csv", index=False)
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    with pytest.raises(DataError, match="`text` has no word in the training part"):
        load_data(dlspec.load(tmp_path / "s.yaml"))


# --- found in the world

POLARITY = REAL_DATA / "text"


@pytest.mark.skipif(not (POLARITY / "rt-polarity.pos").is_file(), reason=f"no real data in {POLARITY}")
def test_film_reviews_of_others_are_read(tmp_path):
    rows = [
        {"text": line.strip(), "label": label}
        for label in ("pos", "neg")
        for line in (POLARITY / f"rt-polarity.{label}").read_text(encoding="latin-1").splitlines()[:1500]
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "reviews.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: reviews.csv, target: label, features: {text: {text: {words: 5000, length: 40}}}}\n"
        "model: [embedding: 16, global_average_pooling1d, output]\ntrain: {epochs: 12, optimizer: {adam: 0.01}}\n",
        encoding="utf-8",
    )
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.metrics.test["accuracy"] > 0.62
    assert run.metrics.baselines["linear"]["accuracy"] > 0.6
