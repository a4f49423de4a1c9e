"""Texts that are written on: what is read, how it is shared out and cut, and what is wrong with a spec of them."""

import numpy as np
import pytest

import dlspec
from dlspec.data.preparation.language import NOT_COUNTED, Windows
from dlspec.runs.job import load_data

TEXT = "the cat sat on the mat and the dog sat on the log; " * 12
SPEC = """\
dlspec: 1
data:
  text: book.txt
  target: {text: next}
  features: {text: {text: {tokens: characters, length: 16}}}
model:
  - embedding: 4
  - gru: {units: 5, return_sequences: true}
  - output
train: {epochs: 1}
"""


@pytest.fixture
def book(tmp_path):
    """Writes texts and a spec, and gives the path of the spec."""

    def make(text=TEXT, spec=SPEC, **files):
        (tmp_path / "book.txt").write_text(text, encoding="utf-8", newline="")
        for name, content in files.items():
            place = tmp_path / name.replace("__", "/")
            place.parent.mkdir(exist_ok=True)
            place.with_suffix(".txt").write_text(content, encoding="utf-8", newline="")
        (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
        return tmp_path / "spec.yaml"

    return make


def read_back(data, part):
    """The text that the targets of a part spell, and the number of those that count."""
    classes, truth = data.signature.target.classes, np.asarray(part.truth)
    return "".join(classes[token] for token in truth[truth >= 0])


def test_parts_are_stretches_of_one_text_and_each_token_is_predicted_once(book):
    text = "  " + TEXT
    data = load_data(dlspec.load(book(text)))
    bounds = [0, round(len(text) - 0.3 * len(text)), round(len(text) - 0.15 * len(text)), len(text)]
    for part, first, end in zip((data.train, data.validation, data.test), bounds, bounds[1:], strict=False):
        assert read_back(data, part) == text[first + 1 : end]
        shown = "".join(data.columns["text"][part.rows])
        assert shown == text[first : end - 1]
        assert (np.asarray(part.truth) == NOT_COUNTED).sum() < 16


def test_a_place_sees_the_token_before_the_one_that_it_predicts():
    made = Windows.of([(3, [b"a", b"b", b"c", b"b"])], ["b", "a"], 2, "characters")
    assert made.numbers.tolist() == [[3, 2], [1, 0]]  # `c` is unknown, and what has ended is 0
    assert made.truth.tolist() == [[1, 0], [1, NOT_COUNTED]]
    assert made.texts.tolist() == ["ab", "c"]
    assert made.rows.tolist() == [3, 3]


def test_the_vocabulary_is_that_of_the_training_part_and_what_is_not_in_it_is_counted(book):
    text = TEXT + "ZZ"
    spec = dlspec.load(book(text))
    data = load_data(spec)
    assert "Z" not in data.signature.target.classes
    assert data.signature.target.classes[0] == "<unknown>"
    assert (np.asarray(data.test.truth) == 0).sum() == 2
    units = len(set(TEXT)) + 1
    graph = dlspec.graph(spec)
    assert graph.output_shape == (None, 16, units)
    assert graph.parameters == (units + 1) * 4 + 3 * (5 * 4 + 5 * 5 + 2 * 5) + 6 * units


def test_the_most_frequent_tokens_are_told_apart(book):
    data = load_data(dlspec.load(book(spec=SPEC.replace("length: 16", "length: 16, words: 5"))))
    assert len(data.signature.target.classes) == 6
    assert set(data.signature.target.classes[1:3]) == {" ", "t"}
    assert (np.asarray(data.train.truth) == 0).sum() > 0


def test_whole_texts_are_shared_out(book):
    files = {f"many__{i:02d}": f"{chr(97 + i)} " * (5 + i) for i in range(20)}
    spec = SPEC.replace("book.txt", "many").replace("tokens: characters, length: 16", "length: 4")
    data = load_data(dlspec.load(book(spec=spec, **files)))
    rows = [{*data.text_rows[part.rows].tolist()} for part in (data.train, data.validation, data.test)]
    assert [len(own) for own in rows] == [14, 3, 3]
    assert {*range(20)} == rows[0] | rows[1] | rows[2]
    windows = data.columns["text"][data.test.rows]
    assert all(len({*window.split()}) == 1 for window in windows)


def test_a_column_of_a_table_and_korean(tmp_path):
    rows = "\n".join(f'"옛날 옛적에 호랑이가 {i}마리"' for i in range(30))
    (tmp_path / "told.csv").write_text(f"tale\n{rows}\n", encoding="utf-8")
    spec = SPEC.replace("text: book.txt", "table: told.csv").replace("text: next", "tale: next")
    (tmp_path / "spec.yaml").write_text(spec.replace("{text: {text:", "{tale: {text:"), encoding="utf-8")
    assert not dlspec.validate(tmp_path / "spec.yaml")
    data = load_data(dlspec.load(tmp_path / "spec.yaml"))
    assert {"옛", "호", " "} <= {*data.signature.target.classes}
    assert read_back(data, data.test).startswith("날 옛적에 호랑이가 ")


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (("tokens: characters, length: 16", "tokens: characters"), "wrong-value", "needs `length`"),
        (("{tokens: characters, length: 16}", "{words: 20}"), "missing-key", "how many tokens"),
        (("  features: {text: {text: {tokens: characters, length: 16}}}\n", ""), "missing-key", "how many tokens"),
        (("text: next", "text: nxt"), "wrong-value", "`next` or `tags`"),
        (("text: next", "texts: next"), "unknown-column", "no column `texts`"),
        (("  target", "  split: {by: random}\n  target"), "wrong-split", "there is one text"),
        (("  target", "  split: {folds: 3}\n  target"), "wrong-split", "another vocabulary"),
        (("  target", "  split: {test: 1}\n  target"), "too-few-rows", "the test part has one token"),
        (("  target", "  labels: 5\n  target"), "wrong-value", "`labels` is of samples"),
        (("  target", "  limit: 5\n  target"), "wrong-value", "`limit` is of samples"),
        (("gru: {units: 5, return_sequences: true}", "bidirectional: {gru: {units: 5, return_sequences: true}}"),
         "sees-the-answer", "the next token"),
        (("gru: {units: 5, return_sequences: true}", "conv1d: {filters: 5, kernel_size: 3, padding: same}"),
         "sees-the-answer", "the next token"),
        (("gru: {units: 5, return_sequences: true}", "gru: 5"), "output-mismatch", ""),
        (("train:", "evaluate: {baselines: [persistence]}\ntrain:"), "baseline-mismatch", "the next token of texts"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(book, change, code, says):
    found = dlspec.validate(book(spec=SPEC.replace(*change)))
    assert code in [problem.code for problem in found if problem.is_error]
    assert says in next(problem.message for problem in found if problem.code == code)
    assert all(problem.help for problem in found if problem.code == code)


def test_causal_layers_are_let_through(book):
    spec = SPEC.replace(
        "gru: {units: 5, return_sequences: true}", "conv1d: {filters: 5, kernel_size: 3, padding: causal}"
    )
    assert not dlspec.validate(book(spec=spec))


def test_the_defaults_say_how_one_text_is_split(book):
    resolved = dlspec.resolve(book())
    assert "by: order" in resolved
    assert "perplexity" in resolved
    assert "triples" in resolved


def test_what_is_predicted_is_told_in_both_languages(book):
    assert "what comes next in `text`" in dlspec.explain(book())
    assert "그다음에 올 토큰" in dlspec.explain(book(), language="ko")
